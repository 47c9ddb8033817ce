//! `diff`, `update` and the choice of what is shipped, on a real cluster: what is told is what is done, and looking changes nothing.

use crate::common::world::{WEBAPP, World};
use crate::common::{Run, write};
use serde_json::{Value, json};

/// Everything of the namespace with its resource versions.
fn versions(world: &World) -> Vec<Value> {
    let kinds = "deployments,services,configmaps,secrets,ingresses,poddisruptionbudgets,horizontalpodautoscalers,\
                 statefulsets,daemonsets,jobs,cronjobs,serviceaccounts,persistentvolumeclaims,leases";
    let items = world.items(&[kinds]);
    items
        .iter()
        .map(|item| json!([item["kind"], item["metadata"]["name"], item["metadata"]["resourceVersion"]]))
        .collect()
}

/// Looks at the webapp, sees that looking changed nothing, and gives the lines between the heading and the end.
#[track_caller]
fn diff(world: &World, args: &[&str], code: i32) -> Vec<String> {
    let before = versions(world);
    let run = world.shipcat(&[&["diff", "webapp"], args].concat()).ends(code);
    assert_eq!(versions(world), before, "a look must not change anything");
    let lines = run.stdout.lines().skip(1).map(str::trim_end).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

#[track_caller]
fn ready(world: &World) {
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
}

#[test]
fn every_nature_of_change_alone_and_together() {
    let world = World::new("natures");
    let told = [
        "  Service/webapp                new",
        "  Deployment/webapp             new",
        "3 new objects",
        "can ship: yes",
    ];
    let new = diff(&world, &[], 1);
    assert!(new[0].starts_with("  ConfigMap/webapp-") && new[0].ends_with("   new"), "{new:?}");
    assert_eq!(new[1..], told);
    world.shipcat(&["ship", "webapp"]).ends(0);
    assert_eq!(diff(&world, &[], 0), ["nothing differs", "can ship: yes"]);

    let image = "  Deployment/webapp   image    registry.shipcat.test/webapp:0.1.0 -> 0.2.0";
    assert_eq!(diff(&world, &["--tag", "0.2.0"], 1), [image, "1 image; 2 pods restart", "can ship: yes"]);

    let changed = |manifest: &str| world.file("manifest.yml", manifest);
    changed(&WEBAPP.replace("replicas: 2", "replicas: 3"));
    let scale = "  Deployment/webapp   scale    spec.replicas 2 -> 3";
    assert_eq!(diff(&world, &[], 1), [scale, "1 scale change", "can ship: yes"]);

    changed(&format!("{WEBAPP}env: {{LEVEL: debug}}\n"));
    let env = [
        "  Deployment/webapp   config   env LEVEL \"debug\" added",
        "  Deployment/webapp   config   initContainers[prepare] env LEVEL \"debug\" added",
    ];
    assert_eq!(diff(&world, &[], 1)[0], env[0]);

    changed(WEBAPP);
    world.file("app.conf", "one\ntwo\n");
    let file = ["  ConfigMap/webapp   config   app.conf, 1 line", "      + two"];
    let told = diff(&world, &[], 1);
    assert_eq!(told, [file[0], file[1], "1 configuration change; 2 pods restart", "can ship: yes"]);
    world.file("app.conf", "one\n");

    changed(&WEBAPP.replace("port: 8080\n", "").replace("health: /ready\n", ""));
    assert!(diff(&world, &[], 1).contains(&"  Service/webapp      removed".to_owned()));

    // All of it at once, shipped: what was told is what has become.
    world.file("app.conf", "one\ntwo\n");
    changed(
        &(WEBAPP.replace("version: 0.1.0", "version: 0.2.0").replace("replicas: 2", "replicas: 1")
            + "env: {LEVEL: debug}\ndisruptionBudget: {maxUnavailable: 1}\nservice: {name: web}\n"),
    );
    let told = diff(&world, &[], 1);
    let natures = |word: &str| told.iter().filter(|line| line.contains(&format!("   {word}"))).count();
    let counts = ["image", "scale", "config", "new", "removed"].map(natures);
    assert!(counts[0] == 1 && counts[1] == 1 && counts[2] >= 2 && counts[3] == 2 && counts[4] == 1, "{told:#?}");
    world.shipcat(&["ship", "webapp"]).ends(0).says("Service/webapp   removed");
    assert_eq!(diff(&world, &[], 0), ["nothing differs", "can ship: yes"]);
    assert_eq!(world.try_kubectl(&["get", "service", "webapp"]).code, 1);
    world.kubectl(&["get", "service", "web"]);
    ready(&world);
    assert_eq!(diff(&world, &[], 0), ["nothing differs", "can ship: yes"]);
    // What was removed comes back with the release that had it.
    world.shipcat(&["rollback", "webapp"]).ends(0);
    world.kubectl(&["get", "service", "webapp"]);
    assert_eq!(world.try_kubectl(&["get", "service", "web"]).code, 1);
}

#[test]
fn a_hand_edit_is_named_and_nothing_else() {
    let world = World::new("hand");
    world.file("manifest.yml", &format!("{WEBAPP}env: {{LEVEL: info}}\nservice: {{annotations: {{a: b}}}}\n"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    let head = "  changed by hand since release 1:";
    let end = ["1 change by hand undone; 2 pods restart", "can ship: yes"];

    world.kubectl(&["set", "env", "deployment/webapp", "-c", "webapp", "LEVEL=debug"]);
    ready(&world);
    let told =
        "    Deployment/webapp env LEVEL \"info\" -> \"debug\": changed by hand by `kubectl-set`, and is put back";
    assert_eq!(diff(&world, &[], 1), [head, told, end[0], end[1]]);
    // What the manifest changes is apart from it.
    world.file(
        "manifest.yml",
        &format!("{WEBAPP}env: {{LEVEL: info, MORE: \"1\"}}\nservice: {{annotations: {{a: b}}}}\n"),
    );
    let both = diff(&world, &[], 1);
    assert!(both[0].ends_with("config   env MORE \"1\" added") && both.contains(&told.to_owned()), "{both:#?}");
    world.file("manifest.yml", &format!("{WEBAPP}env: {{LEVEL: info}}\nservice: {{annotations: {{a: b}}}}\n"));
    world.shipcat(&["ship", "webapp"]).ends(0).says("changed by hand by `kubectl-set`, and is put back");
    assert_eq!(diff(&world, &[], 0), ["nothing differs", "can ship: yes"]);

    let head = "  changed by hand since release 2:";
    world.kubectl(&["scale", "deployment/webapp", "--replicas=3"]);
    ready(&world);
    let told = diff(&world, &[], 1);
    assert_eq!(told[..2], [head, "    Deployment/webapp spec.replicas 2 -> 3: changed by hand, and is put back"]);
    assert_eq!((told.len(), told[2].as_str()), (4, "1 change by hand undone"));
    world.kubectl(&["scale", "deployment/webapp", "--replicas=2"]);
    ready(&world);
    assert_eq!(diff(&world, &[], 0), ["nothing differs", "can ship: yes"]);

    world.kubectl(&["delete", "service", "webapp"]);
    let told = diff(&world, &[], 1);
    assert_eq!(told[..2], [head, "    Service/webapp was deleted by hand, and is made again"]);
    world.shipcat(&["ship", "webapp"]).ends(0);

    // What is in no manifest stays, and is named; so does a default that somebody changed.
    world.kubectl(&["annotate", "service", "webapp", "note=hi"]);
    world.kubectl(&[
        "patch",
        "service",
        "webapp",
        "--type=merge",
        "-p",
        r#"{"spec": {"sessionAffinity": "ClientIP"}}"#,
    ]);
    let told = diff(&world, &[], 0);
    assert_eq!(
        told,
        [
            "  changed by hand since release 3:",
            "    Service/webapp spec.sessionAffinity \"None\" -> \"ClientIP\": changed by hand by `kubectl-patch`, and stays",
            "  in no manifest, and left alone:",
            "    Service/webapp metadata.annotations.note, written by `kubectl-annotate`",
            "    Service/webapp spec.sessionAffinityConfig, written by `kubectl-patch`",
            "nothing differs",
            "can ship: yes",
        ]
    );
}

#[test]
fn update_keeps_the_image_and_image_only_keeps_the_rest() {
    let world = World::new("apart");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let config = |world: &World| {
        let pod = &world.get(&["deployment", "webapp"])["spec"]["template"]["spec"];
        let maps = world.items(&["configmaps"]).iter().map(|map| map["metadata"]["name"].clone()).collect::<Vec<_>>();
        json!([pod["containers"][0]["env"], pod["volumes"], maps])
    };
    let before = config(&world);
    world.file("manifest.yml", &(WEBAPP.replace("0.1.0", "0.2.0") + "env: {LEVEL: debug}\n"));
    world.file("app.conf", "two\n");

    world.shipcat(&["ship", "webapp", "--image-only"]).ends(0).says("webapp 0.2.0 runs in dev");
    assert_eq!((config(&world), world.image().as_str()), (before, "0.2.0"));
    let told = diff(&world, &[], 1);
    assert!(
        told.iter().any(|line| line.contains("env LEVEL")) && !told.iter().any(|line| line.contains("   image")),
        "{told:#?}"
    );

    world.file("manifest.yml", &(WEBAPP.replace("0.1.0", "0.3.0") + "env: {LEVEL: debug}\n"));
    world.shipcat(&["update", "webapp"]).ends(0).says("webapp 0.2.0 runs in dev");
    assert_eq!(world.image(), "0.2.0");
    assert!(config(&world).to_string().contains("LEVEL"));
    world.shipcat(&["update", "webapp"]).ends(0).says("nothing to do: webapp 0.2.0 runs as the manifest configures it");
    let image = "  Deployment/webapp   image    registry.shipcat.test/webapp:0.2.0 -> 0.3.0";
    assert_eq!(diff(&world, &[], 1)[0], image);

    // That the version once came by --tag is not forgotten over an update.
    world.shipcat(&["ship", "webapp", "--tag", "0.1.0"]).ends(0);
    world.file("manifest.yml", &(WEBAPP.replace("0.1.0", "0.3.0") + "env: {LEVEL: info}\n"));
    world.shipcat(&["update", "webapp"]).ends(0);
    world.shipcat(&["ship", "webapp"]).ends(2).says("which").says("`shipcat update` keeps the image that runs");
    let told = diff(&world, &[], 1);
    assert!(told.contains(&"can ship: no".to_owned()), "{told:#?}");
    world.shipcat(&["diff", "webapp", "--check"]).ends(1);
    world.shipcat(&["diff", "webapp", "--check", "--tag", "0.3.0"]).ends(0);

    // A failed one of each is taken back to what was.
    let fields = world.fields();
    world.shipcat(&["ship", "webapp", "--image-only", "--tag", "crashes"]).ends(3).says("runs in dev as before");
    assert_eq!(world.fields(), fields);
}

#[test]
fn image_only_on_what_shipcat_never_shipped() {
    let world = World::new("imageonly");
    world
        .shipcat(&["ship", "webapp", "--image-only"])
        .ends(2)
        .says("`webapp` does not run: there is no configuration to keep");
    world.shipcat(&["update", "webapp"]).ends(2).says("there is no image to keep");
    // Each is named that does not run, so that nobody ships one after the other.
    write(world.repo.path(), &[("manifests/api/manifest.yml", "image: webapp\nversion: 0.1.0\n")]);
    world
        .shipcat(&["update", "webapp", "api"])
        .ends(2)
        .says("`webapp` and `api` do not run in dev, or with an image without a tag: there are no images to keep")
        .says("ship them first: shipcat ship -n dev webapp api");
    let yaml = world.shipcat(&["generate", "webapp"]).ends(0).stdout;
    world.kubectl_with(&["apply", "-f", "-"], &yaml);
    world.kubectl(&["set", "env", "deployment/webapp", "-c", "webapp", "OLD=1"]);
    ready(&world);
    let env = || world.get(&["deployment", "webapp"])["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let before = env();
    world.file("manifest.yml", &format!("{WEBAPP}env: {{NEW: \"1\"}}\n"));
    world.shipcat(&["ship", "webapp", "--image-only", "--tag", "0.2.0"]).ends(0);
    assert_eq!((env(), world.image().as_str()), (before, "0.2.0"));
    let told = diff(&world, &["--tag", "0.2.0"], 1);
    assert!(told.iter().any(|line| line.contains("env NEW \"1\" added")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("env OLD \"1\" removed")), "{told:#?}");
}

#[test]
fn a_dry_run_prints_what_a_ship_runs_and_changes_nothing() {
    let world = World::new("dryrun");
    let changing = |text: &str| -> Vec<String> {
        let verbs = ["apply ", "set image", "create --raw", "annotate ", "replace ", "delete "];
        let lines = text.lines().map(|line| line.trim_start_matches("$ "));
        let lines = lines.filter(|line| !line.contains("--dry-run") && !line.contains("dryRun="));
        // The lock is no change of the service, and what may be done is asked by what is stored nowhere.
        let lines = lines.filter(|line| !line.contains("/leases") && !line.contains("/selfsubjectrulesreviews"));
        let lines = lines.filter(|line| verbs.iter().any(|verb| line.starts_with(&format!("kubectl {verb}"))));
        // What goes into a record has the time in it.
        lines.map(|line| line.split("<<<").next().unwrap().trim().to_owned()).collect()
    };
    let tries: [&[&str]; 3] =
        [&["ship", "webapp"], &["ship", "webapp", "--tag", "0.2.0"], &["ship", "webapp", "--tag", "0.3.0"]];
    for (i, args) in tries.iter().enumerate() {
        if i == 2 {
            world.file("app.conf", "two\n");
        }
        let before = versions(&world);
        let dry = world.shipcat(&[args, &["--dry-run"][..]].concat()).ends(0).says("nothing was changed");
        assert_eq!(versions(&world), before);
        let real = world.shipcat(&[args, &["-v"][..]].concat()).ends(0);
        let (dry, real) = (changing(&dry.stdout), changing(&real.stderr));
        assert!(dry.len() >= 3 && dry == real, "{dry:#?} {real:#?}");
    }
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0", "--dry-run"]).ends(0).says("nothing to do");
}

/// Somebody else: what `edit` of the kubeconfig does, without rights but those given.
fn as_user<'a>(world: &'a World, name: &'a str) -> impl Fn(&[&str]) -> Run + 'a {
    move |args| {
        world.shipcat_as(args, |config| {
            config["users"][0]["user"]["as"] = json!(name);
            config["users"][0]["user"]["as-groups"] = json!(["system:authenticated"]);
        })
    }
}

#[test]
fn a_reader_sees_what_a_deployer_sees() {
    let world = World::new("reader");
    world.file("manifest.yml", &format!("{WEBAPP}env: {{EMPTY: \"\"}}\nresources: {{limits: {{cpu: 100m}}}}\n"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    // `view` may read no Secrets.
    let binding = format!("{}-view", world.namespace);
    world.kubectl(&["create", "rolebinding", &binding, "--clusterrole=view", "--user=reader"]);
    let reader = as_user(&world, "reader");
    let run = reader(&["diff", "webapp"]).ends(0);
    assert!(run.stdout.contains("running 0.1.0, its release is not known: you may not read Secrets"), "{}", run.stdout);
    assert!(run.stdout.contains("compared with the live objects"), "{}", run.stdout);
    assert!(run.stdout.contains("nothing differs") && run.stdout.contains("can ship: no"), "{}", run.stdout);
    reader(&["status", "webapp"]).ends(0);

    world.file("app.conf", "two\nthree\n");
    world.file(
        "manifest.yml",
        &(WEBAPP.replace("0.1.0", "0.2.0")
            + "env: {LEVEL: debug, EMPTY: \"\"}\nresources: {limits: {cpu: 0.1, memory: 64Mi}}\n"),
    );
    let changes = |stdout: &str| -> Vec<String> {
        let natures = ["   image ", "   config ", "   new", "   removed", "   scale "];
        let is_change = |line: &&str| natures.iter().any(|nature| line.contains(nature));
        stdout.lines().filter(is_change).map(str::to_owned).collect()
    };
    let theirs = changes(&reader(&["diff", "webapp"]).ends(1).stdout);
    let ours = changes(&world.shipcat(&["diff", "webapp"]).ends(1).stdout);
    // Defaults that the API server would fill in are known to it alone.
    let ours: Vec<String> = ours.into_iter().filter(|line| !line.contains("requests")).collect();
    assert_eq!(theirs, ours);

    let nobody = as_user(&world, "nobody");
    let run = nobody(&["diff", "webapp"]).ends(2);
    assert!(run.stderr.contains("you may not do all that a ship does"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_namespace_that_is_not_there_yet() {
    let world = World::new("absent");
    let settings = std::fs::read_to_string(world.repo.path().join("shipcat.yml")).unwrap();
    write(world.repo.path(), &[("shipcat.yml", &settings.replace(&world.namespace, "t-nowhere"))]);
    let run = world.shipcat(&["diff", "webapp"]).ends(1);
    assert!(run.stdout.contains("not deployed yet") && run.stdout.contains("3 new objects"), "{}", run.stdout);
    assert!(run.stdout.contains("can ship: no\n  no: there is no namespace `t-nowhere`"), "{}", run.stdout);
    assert!(run.stdout.contains("create namespace t-nowhere"), "{}", run.stdout);
    world.shipcat(&["ship", "webapp"]).ends(2).says("there is no namespace `t-nowhere`");
}

#[test]
fn configuration_is_refused_where_it_is_kept_apart() {
    let world = World::new("configapart");
    let settings = std::fs::read_to_string(world.repo.path().join("shipcat.yml")).unwrap();
    let refuse = settings.replace("rollbackTimeout: 2m", "rollbackTimeout: 2m, ship: {config: refuse}");
    assert_ne!(refuse, settings);
    write(world.repo.path(), &[("shipcat.yml", &refuse)]);
    // What names the version changes with it, and is no configuration change.
    let manifest = format!("{WEBAPP}env: {{VERSION: \"{{{{ version }}}}\"}}\n");
    world.file("manifest.yml", &manifest);
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);

    world.file("app.conf", "two\n");
    let before = versions(&world);
    let run = world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(2);
    assert!(run.stderr.contains("configuration is pending: ConfigMap/webapp app.conf"), "{}", run.stderr);
    assert!(run.stderr.contains("`shipcat update -n dev webapp` first"), "{}", run.stderr);
    assert_eq!(versions(&world), before);
    let told = diff(&world, &["--tag", "0.3.0"], 1);
    assert!(told.contains(&"can ship: no".to_owned()), "{told:#?}");
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0", "--image-only"]).ends(0);
    world.shipcat(&["update", "webapp"]).ends(0).says("webapp 0.3.0 runs in dev");
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
}

#[test]
fn several_services_and_json() {
    let world = World::new("several");
    write(world.repo.path(), &[("manifests/other/manifest.yml", "image: webapp\nversion: 0.1.0\nreplicas: 0\n")]);
    world.shipcat(&["ship", "webapp"]).ends(0);
    let run = world.shipcat(&["diff", "--all"]).ends(1);
    assert!(run.stdout.contains("webapp in dev") && run.stdout.contains("other in dev"), "{}", run.stdout);
    assert!(run.stdout.ends_with("1 of 2 services differ\n"), "{}", run.stdout);
    let value: Value = serde_json::from_str(&world.shipcat(&["diff", "--all", "-o", "json"]).ends(1).stdout).unwrap();
    assert_eq!((&value["version"], &value["differs"], &value["canShip"]), (&json!(1), &json!(true), &json!(true)));
    let services = value["services"].as_array().unwrap();
    let of = |name: &str| services.iter().find(|service| service["service"] == name).unwrap();
    assert_eq!((&of("webapp")["differs"], &of("webapp")["running"]), (&json!(false), &json!("0.1.0")));
    assert_eq!(of("other")["changes"][0]["nature"], "new");
    let full = world.shipcat(&["diff", "other", "--full"]).ends(1).stdout;
    assert!(
        full.contains("--- /dev/null\n+++ ship/Deployment/other\n") && full.contains("+kind: Deployment"),
        "{full}"
    );
    world.shipcat(&["diff", "webapp", "--full"]).ends(0);
    // Without a version in its manifest a service is compared with what runs.
    world.file("manifest.yml", &WEBAPP.replace("version: 0.1.0\n", ""));
    assert_eq!(diff(&world, &[], 0), ["nothing differs", "can ship: yes"]);
}

#[test]
fn a_protected_environment_asks() {
    let world = World::new("protected");
    let settings = std::fs::read_to_string(world.repo.path().join("shipcat.yml")).unwrap();
    write(
        world.repo.path(),
        &[("shipcat.yml", &settings.replace("rollbackTimeout: 2m", "rollbackTimeout: 2m, protected: true"))],
    );
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        let output = command
            .arg("-C")
            .arg(world.repo.path())
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let before = versions(&world);
    world.shipcat(&["ship", "webapp"]).ends(2).says("is protected, and there is no terminal to ask at").says("--yes");
    // On a terminal the name of the environment is asked for.
    let on_terminal = |answer: &str| world.on_terminal(&["ship", "webapp"], &[("TERM", "xterm")], answer);
    // Where a CI system has a terminal, nobody sits at it.
    let run = world.on_terminal(&["ship", "webapp"], &[("CIRCLECI", "true")], "dev\n").ends(2);
    assert!(run.stdout.contains("is protected, and there is nobody to ask in CI"), "{}", run.stdout);
    let run = on_terminal("prod\n").ends(2);
    assert!(run.stdout.contains("that is not `dev`: nothing was changed"), "{}", run.stdout);
    assert_eq!(versions(&world), before);
    let run = on_terminal("dev\n").ends(0);
    assert!(
        run.stdout.contains("dev is protected. Type its name to go on with the ship of webapp 0.1.0:"),
        "{}",
        run.stdout
    );

    // Only from a clean tree, and not from an older one.
    world.file("app.conf", "two\n");
    world.shipcat(&["ship", "webapp", "--yes"]).ends(2).says("has local changes");
    assert!(diff(&world, &[], 1).contains(&"can ship: no".to_owned()));
    git(&["commit", "-qam", "two"]);
    world.shipcat(&["ship", "webapp", "--yes"]).ends(0);
    git(&["checkout", "-q", "HEAD~1"]);
    world.shipcat(&["ship", "webapp", "--yes"]).ends(2).says("older than what runs");
    world.shipcat(&["diff", "webapp", "--check"]).ends(1);
}

#[test]
fn image_only_takes_jobs_workers_and_cron_jobs_along() {
    let world = World::of_this_repo("dev");
    world.shipcat(&["ship", "shop"]).ends(0);
    let jobs = || world.items(&["jobs"]).len();
    assert_eq!(jobs(), 1);
    let run = world.shipcat(&["ship", "shop", "--image-only", "--tag", "0.3.0"]).ends(0);
    for object in ["Deployment/shop  ", "Deployment/shop-mailer", "CronJob/shop-cleanup"] {
        assert!(run.stderr.lines().any(|line| line.contains(object) && line.contains("image")), "{}", run.stderr);
    }
    assert_eq!(jobs(), 2, "the migration runs with the new image, before the rollout");
    // It is the very same as a whole ship would have brought.
    world.shipcat(&["diff", "shop", "--tag", "0.3.0"]).ends(0);
    world.shipcat(&["ship", "reports"]).ends(0);
    world.shipcat(&["ship", "reports", "--image-only", "--tag", "0.2.0"]).ends(0);
    world.shipcat(&["diff", "reports", "--tag", "0.2.0"]).ends(0);
    world.shipcat(&["update", "reports"]).ends(0).says("nothing to do");
}
