//! `init --from` on a real cluster: what was there before, turned into a manifest, changes nothing when it is applied again.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::common::world::World;
use crate::common::{Run, shipcat, write};

fn originals() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/originals");
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(found.len() >= 12, "{found:?}");
    found
}

/// Turns objects into a service of a fresh repo and holds what it makes against the cluster.
fn changes_nothing(world: &World, how: &str, original: &Path, stdin: Option<&str>) -> Result<(), String> {
    let from = original.to_str().unwrap();
    let repo = tempfile::tempdir().unwrap();
    let settings = format!(
        "environments:\n  dev: {{contexts: [shipcat-test], namespace: {}, kubernetes: 1.20, registry: registry.shipcat.test}}\n\
         defaults:\n  labels: {{team: x}}\n  env: {{DEFAULT: here}}\n  resources: {{requests: {{cpu: 10m}}}}\n",
        world.namespace
    );
    write(repo.path(), &[("shipcat.yml", &settings)]);
    let text = std::fs::read_to_string(original).unwrap();
    let name = if text.contains("name: shop") { "shop" } else { "svc" };
    let mut child = shipcat(repo.path())
        .args(["init", name, "--from", if stdin.is_some() { "-" } else { from }])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.unwrap_or_default().as_bytes()).unwrap();
    let init = Run::of(&child.wait_with_output().unwrap());
    let generate = Run::of(&shipcat(repo.path()).args(["generate", "-n", "dev", name]).output().unwrap());
    let manifest = std::fs::read_to_string(repo.path().join("manifests").join(name).join("manifest.yml"));
    let manifest = manifest.unwrap_or_default();
    let told = |what: &str, run: &Run| {
        format!("{from}, {how}: {what}\n{}\n{}\n{}\n--- {manifest}", run.stdout, run.stderr, init.stderr)
    };
    if init.code != 0 || generate.code != 0 {
        return Err(told("init or generate failed", &generate));
    }
    // kubectl reads what is live twice: a controller that writes its status in between is no change of ours.
    let held = |args: &[&str], is_good: &dyn Fn(&Run) -> bool| {
        let look = || world.try_kubectl_with(args, &generate.stdout);
        let first = look();
        if is_good(&first) {
            return first;
        }
        std::thread::sleep(Duration::from_secs(3));
        look()
    };
    let is_same = |diff: &Run| diff.code == 0 && diff.stdout.is_empty();
    let diff = held(&["diff", "-f", "-"], &is_same);
    if !is_same(&diff) {
        return Err(told("kubectl diff is not empty", &diff));
    }
    if text.contains("takes no server-side apply") {
        return Ok(());
    }
    // What the server would make of it by a server-side apply, as a ship does it, is the same as well.
    let is_same = |server: &Run| server.code <= 1 && !server.stdout.lines().any(matters);
    let server = held(&["diff", "--server-side", "--force-conflicts", "-f", "-"], &is_same);
    if !is_same(&server) {
        return Err(told("a server-side apply would change something", &server));
    }
    Ok(())
}

/// Whether a line of a diff is a change of the object: not of what apply writes down for itself, and the number that counts that.
fn matters(line: &str) -> bool {
    let change = line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---");
    let own =
        ["generation: ", "{\"apiVersion\":", "kubectl.kubernetes.io/last-applied-configuration: |", "annotations:"];
    change && !own.iter().any(|own| line[1..].trim_start().starts_with(own))
}

/// Applies or creates an original and takes it over in each form in which people have it.
fn take_over(path: &Path, made: &str) -> Vec<String> {
    let from = path.to_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    // What is in no namespace is for the command to leave out, and not for this cluster.
    let only: Vec<&str> = text.split("\n---\n").filter(|document| !document.contains("kind: Namespace")).collect();
    // A node port can be had once in a cluster.
    let only = only.join("\n---\n").replace("31953", &format!("319{}", 48 + made.len()));
    let world = World::new("init");
    let how: Vec<&str> = made.split(' ').chain(["-f", "-"]).collect();
    let run = world.try_kubectl_with(&how, &only);
    // Older API servers do not take everything by a server-side apply.
    if run.code != 0 && made.contains("server-side") && run.stderr.contains("failed to create typed patch object") {
        return Vec::new();
    }
    if run.code != 0 {
        return vec![format!("{from}: kubectl does not {made} it: {}", run.stderr)];
    }
    let get = |format: &str| world.kubectl_with(&["get", "-o", format, "-f", "-"], &only);
    let kinds = "deploy,sts,ds,svc,cm,hpa,ingress,cronjob,pdb,sa,pvc,netpol,role,secret,rs,pod";
    let all = || world.kubectl(&["get", kinds, "-o", "yaml"]);
    let forms: Vec<(&str, Option<String>)> = match made {
        "apply" => {
            vec![("its file", None), ("kubectl get -o json", Some(get("json"))), ("all of kubectl get", Some(all()))]
        }
        _ => vec![("kubectl get -o yaml", Some(get("yaml"))), ("all of kubectl get", Some(all()))],
    };
    let mut wrong = Vec::new();
    for (form, stdin) in forms {
        match changes_nothing(&world, &format!("by {made}, from {form}"), path, stdin.as_deref()) {
            Ok(()) => {}
            Err(error) => wrong.push(error),
        }
    }
    wrong
}

/// Every original, or the one that is named in the environment; several at a time.
fn stays_as_it_is(made: &str) {
    let wanted = std::env::var("SHIPCAT_TEST_ORIGINAL").unwrap_or_default();
    let originals: Vec<PathBuf> =
        originals().into_iter().filter(|path| path.to_str().unwrap().contains(&wanted)).collect();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let each = |part: &[PathBuf]| part.iter().flat_map(|path| take_over(path, made)).collect::<Vec<_>>();
        let parts: Vec<_> =
            originals.chunks(originals.len().div_ceil(3)).map(|part| scope.spawn(move || each(part))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} went wrong\n{}", wrong.len(), wrong.join("\n==========\n"));
}

#[test]
fn what_kubectl_applied_stays_as_it_is() {
    stays_as_it_is("apply");
}

#[test]
fn what_kubectl_created_stays_as_it_is() {
    stays_as_it_is("create");
}

#[test]
fn what_was_applied_on_the_server_stays_as_it_is() {
    stays_as_it_is("apply --server-side");
}

#[test]
fn what_people_made_and_changed_by_hand_stays_as_it_is() {
    let world = World::new("hand");
    let image = "registry.shipcat.test/webapp";
    world.file("app.ini", "a = {{ 1 }}\r\n\tb\n");
    let file = format!("--from-file={}", world.repo.path().join("manifests/webapp/app.ini").display());
    for line in [
        &format!("create deployment hand --image={image}:0.1.0 --port=8080 --replicas=2") as &str,
        "expose deployment hand --port=80 --target-port=8080",
        "autoscale deployment hand --min=1 --max=3 --cpu-percent=70",
        &format!("create configmap hand --from-literal=a=b {file}"),
        "create serviceaccount hand",
        "set serviceaccount deployment hand hand",
        "set env deployment/hand A=1 B=$(A) --from=configmap/hand",
        "set resources deployment hand --limits=cpu=200m,memory=64Mi --requests=cpu=10m",
        &format!("set image deployment/hand webapp={image}:0.2.0"),
        "scale deployment hand --replicas=3",
        "rollout restart deployment hand",
        "annotate deployment hand note=1.10",
        "label service hand team=x",
        "create ingress hand --rule=a.example.com/x*=hand:80,tls=hand-tls --class=nginx",
        &format!("create cronjob hand-clean --image={image}:0.2.0 --schedule=@daily -- /bin/app clean"),
        "create poddisruptionbudget hand --selector=app=hand --min-available=1",
    ] {
        let run = world.try_kubectl(&line.split(' ').collect::<Vec<_>>());
        // A newer kubectl makes some kinds in versions that this cluster does not serve.
        assert!(run.code == 0 || line.contains("cronjob") || line.contains("budget"), "{line}: {}", run.stderr);
    }
    let all = world.kubectl(&["get", "deploy,svc,cm,hpa,ingress,sa,cronjob,pdb", "-o", "yaml"]);
    changes_nothing(&world, "by hand", Path::new(file!()), Some(&all)).unwrap();
}
