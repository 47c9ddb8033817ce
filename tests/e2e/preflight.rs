//! Whether a release may begin, on a real cluster: `diff` says it, and `ship` refuses by it before anything is changed.

use crate::common::world::{WEBAPP, World};
use crate::common::write;
use serde_json::{Value, json};

fn versions(world: &World) -> Vec<Value> {
    let items = world.items(&["deployments,services,configmaps,secrets,horizontalpodautoscalers"]);
    items
        .iter()
        .map(|item| json!([item["kind"], item["metadata"]["name"], item["metadata"]["resourceVersion"]]))
        .collect()
}

/// `diff` and `ship` both say it, and nothing is changed.
#[track_caller]
fn refused(world: &World, says: &[&str]) {
    let before = versions(world);
    let diff = world.shipcat(&["diff", "webapp"]);
    assert!(diff.stdout.contains("can ship: no\n"), "{}\n{}", diff.stdout, diff.stderr);
    world.shipcat(&["diff", "webapp", "--check"]).ends(1);
    let ship = world.shipcat(&["ship", "webapp"]).ends(2);
    for text in says {
        assert!(diff.stdout.contains(text), "{text:?} is not in\n{}", diff.stdout);
        assert!(ship.stderr.contains(text), "{text:?} is not in\n{}", ship.stderr);
    }
    assert_eq!(versions(world), before);
}

/// It may ship, and this is told.
#[track_caller]
fn told(world: &World, args: &[&str], says: &str) {
    let diff = world.shipcat(&[&["diff", "webapp"], args].concat());
    assert!(
        diff.stdout.contains("can ship: yes\n") && diff.stdout.contains(says),
        "{says:?} is not in\n{}\n{}",
        diff.stdout,
        diff.stderr
    );
}

fn manifest(world: &World, more: &str) {
    world.file("manifest.yml", &format!("{WEBAPP}{more}"));
}

#[test]
fn what_is_referred_to_must_be_there() {
    let world = World::new("references");
    manifest(
        &world,
        "env: {PASSWORD: {secret: db, key: password}}\nserviceAccount: runner\nimagePullSecrets: [{name: pull}]\n",
    );
    refused(
        &world,
        &[
            "Secret/db is not there, and nothing of this service makes it: env PASSWORD of Deployment/webapp",
            "create secret generic db --from-literal=password=...",
            "ServiceAccount/runner is not there",
        ],
    );
    world.kubectl(&["create", "serviceaccount", "runner"]);
    world.kubectl(&["create", "secret", "generic", "db", "--from-literal=user=me"]);
    refused(&world, &["Secret/db has no `password`: env PASSWORD of Deployment/webapp; it has `user`"]);
    world.kubectl(&["delete", "secret", "db"]);
    world.kubectl(&["create", "secret", "generic", "db", "--from-literal=password=long-enough"]);
    // A pull secret that is missing is no end of it.
    told(&world, &[], "warning: Secret/pull is not there");
    world.shipcat(&["ship", "webapp"]).ends(0).says("warning: Secret/pull is not there");

    // What may be missing may be, and what the service makes itself is there in time.
    let optional = "env: {PASSWORD: {secret: later, key: password, optional: true}, OWN: {secret: own, key: a}}\n";
    manifest(&world, optional);
    refused(&world, &["Secret/own is not there"]);
    let own =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own"}, "stringData": {"a": "long-enough"}});
    write(world.repo.path(), &[("manifests/webapp/templates/own.yml.j2", &own.to_string())]);
    told(&world, &[], "1 new object");
    world.shipcat(&["ship", "webapp"]).ends(0);
}

#[test]
fn objects_that_another_tool_keeps() {
    let world = World::new("foreign");
    let yaml = world.shipcat(&["generate", "webapp"]).ends(0).stdout;
    world.kubectl_with(&["apply", "-f", "-"], &yaml);
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
    world.kubectl(&["annotate", "deployment", "webapp", "meta.helm.sh/release-name=shop"]);
    world.kubectl(&["label", "service", "webapp", "kustomize.toolkit.fluxcd.io/name=infra"]);
    refused(
        &world,
        &[
            "Deployment/webapp belongs to the Helm release `shop`",
            "Service/webapp belongs to `infra` of Flux",
            "take it over for good with `--adopt`",
        ],
    );
    let run = world.shipcat(&["ship", "webapp", "--adopt"]).ends(0);
    assert!(
        run.stderr.contains("warning: Deployment/webapp belongs to the Helm release `shop`, and is taken over"),
        "{}",
        run.stderr
    );
    // Where a mark stays, or comes back: what was adopted once is.
    world.kubectl(&["label", "service", "webapp", "kustomize.toolkit.fluxcd.io/name=infra", "--overwrite"]);
    told(&world, &["--tag", "0.2.0"], "warning: Service/webapp belongs to `infra` of Flux");
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    // Another tool's next object is not.
    world.kubectl(&["annotate", "configmap", "--all", "meta.helm.sh/release-name=other"]);
    refused(&world, &["belongs to the Helm release `other`"]);
}

#[test]
fn a_quota_that_has_no_room() {
    let world = World::new("quota");
    let requests = "resources: {requests: {cpu: 100m}}\n";
    // An init container would have to say it, too.
    let base = WEBAPP.split("initContainers").next().unwrap();
    let manifest = |world: &World, more: &str| world.file("manifest.yml", &format!("{base}{more}"));
    manifest(&world, requests);
    world.shipcat(&["ship", "webapp"]).ends(0);
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"requests.cpu": "250m"}}});
    world.kubectl_with(&["apply", "-f", "-"], &quota.to_string());
    let used = || world.get(&["resourcequota", "small"])["status"]["used"]["requests.cpu"].clone();
    while used() != "200m" {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    manifest(&world, &format!("{requests}env: {{A: b}}\n"));
    refused(
        &world,
        &["quota `small` has no room for a pod more of Deployment/webapp: 100m of `requests.cpu` needed, 50m left"],
    );
    // That is so: without the check it would be stuck.
    let yaml = world.shipcat(&["generate", "webapp"]).ends(0).stdout;
    world.kubectl_with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &yaml);
    assert_ne!(world.try_kubectl(&["rollout", "status", "deployment/webapp", "--timeout=10s"]).code, 0);
    // Where an old pod goes first there is room, and it goes well.
    manifest(
        &world,
        &format!("{requests}env: {{A: c}}\nstrategy: {{rollingUpdate: {{maxSurge: 0, maxUnavailable: 1}}}}\n"),
    );
    told(&world, &[], "can ship: yes");
    world.shipcat(&["ship", "webapp"]).ends(0);
    // What says nothing is refused by the quota itself.
    write(world.repo.path(), &[("manifests/bare/manifest.yml", "image: webapp\nversion: 0.1.0\nreplicas: 1\n")]);
    let run = world.shipcat(&["ship", "bare"]).ends(2);
    assert!(
        run.stderr.contains("of which a container of Deployment/bare says nothing: its pods are refused"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_autoscaler_and_a_number_and_what_goes_on() {
    let world = World::new("goeson");
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.kubectl(&["autoscale", "deployment", "webapp", "--min=2", "--max=5", "--cpu-percent=80"]);
    told(
        &world,
        &[],
        "warning: the manifest says 2 pods of Deployment/webapp, and HorizontalPodAutoscaler/webapp has the say",
    );
    world.kubectl(&["delete", "hpa", "webapp"]);

    world.kubectl(&["set", "image", "deployment/webapp", "webapp=registry.shipcat.test/webapp:never-ready"]);
    told(&world, &[], "Deployment/webapp is being rolled out at this moment");
    world.kubectl(&["rollout", "undo", "deployment/webapp"]);
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);

    world.kubectl(&["rollout", "pause", "deployment/webapp"]);
    refused(&world, &["Deployment/webapp is paused: a change would not roll out", "rollout resume deployment/webapp"]);
    world.kubectl(&["rollout", "resume", "deployment/webapp"]);

    // A release whose run was killed is told, and no refusal.
    let name = "shipcat.webapp.1";
    world.kubectl(&["label", "secret", name, "shipcat.dev/outcome=pending", "--overwrite"]);
    told(&world, &[], "warning: release 1 by");
}

#[test]
fn a_version_is_recorded_in_the_environments_file() {
    let world = World::new("record");
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        let output = command.arg("-C").arg(world.repo.path()).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "-q"]);
    git(&["config", "user.name", "t"]);
    git(&["config", "user.email", "t@example.com"]);
    let before = "# of dev\r\nreplicas: 1\r\nversion: '0.1.0'   # by hand\r\n";
    world.file("dev.yml", before);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    // Nothing is written for a ship that fails.
    world.shipcat(&["ship", "webapp", "--tag", "crashes", "--record", "--commit"]).ends(3);
    let read = || std::fs::read_to_string(world.repo.path().join("manifests/webapp/dev.yml")).unwrap();
    assert_eq!(read(), before);
    let run = world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "--record", "--commit"]).ends(0);
    assert!(run.stderr.contains("`manifests/webapp/dev.yml` has the version now, committed as"), "{}", run.stderr);
    assert_eq!(read(), before.replace("0.1.0", "0.2.0"));
    assert_eq!(git(&["log", "-1", "--format=%s", "--name-only"]), "webapp 0.2.0 in dev\n\nmanifests/webapp/dev.yml\n");
    assert_eq!(git(&["status", "--porcelain"]), "");
    // By now the files say what runs, so that a plain ship has nothing to do.
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do: webapp 0.2.0");
    world.shipcat(&["ship", "webapp", "--record", "--commit"]).ends(0).says("the files say this version already");

    // What could not be recorded is refused before anything is changed.
    world.file("dev.yml", &before.replace("by hand", "edited"));
    let run = world.shipcat(&["ship", "webapp", "--tag", "0.3.0", "--record", "--commit"]).ends(2);
    assert!(run.stderr.contains("has changes that are not committed"), "{}", run.stderr);
    assert_eq!(world.image(), "0.2.0");
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0", "--record"]).ends(0);
    assert_eq!(read(), before.replace("by hand", "edited").replace("0.1.0", "0.3.0"));
}

#[test]
fn an_older_checkout_is_warned_about() {
    let world = World::new("older");
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        let output = command.arg("-C").arg(world.repo.path()).args(identity).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    world.file("app.conf", "two\n");
    git(&["commit", "-qam", "two"]);
    world.shipcat(&["ship", "webapp"]).ends(0);
    git(&["checkout", "-q", "HEAD~1"]);
    told(&world, &[], "is older than what runs: release 1 came from");
    world.shipcat(&["ship", "webapp"]).ends(0).says("is older than what runs");
}

/// kubectl's own validation is left away: it is the API server that knows its fields.
#[test]
fn a_field_that_the_api_server_does_not_know() {
    let world = World::new("unknown");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let beside = |spec: &str| format!("apiVersion: v1\nkind: Service\nmetadata: {{name: beside}}\nspec: {{{spec}}}\n");
    // As somebody made it, with more than the manifest has: what goes of it goes in one write of the whole.
    world
        .kubectl_with(&["create", "-f", "-"], &beside("ports: [{port: 80, protocol: TCP}], sessionAffinity: ClientIP"));
    let live = || {
        let service = world.get(&["service", "beside"]);
        (service["metadata"]["resourceVersion"].clone(), service["spec"].clone())
    };
    let before = live();
    for (spec, field) in [
        ("ports: [{port: 80, protocol: TCP}], sesionAffinity: None", "sesionAffinity"),
        ("ports: [{port: 80, protocol: TCP, naem: web}]", "naem"),
        ("ports: [{port: \"eighty\", protocol: TCP}]", "port"),
    ] {
        world.file("templates/beside.yml.j2", &beside(spec));
        let run = world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(2);
        assert!(
            run.stderr.contains("the API server would not take it") && run.stderr.contains(field),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("hint: correct the manifest"), "{}", run.stderr);
        assert_eq!(
            (live(), world.outcomes(), world.image()),
            (before.clone(), vec!["deployed".into()], "0.1.0".into())
        );
    }
    world.file("templates/beside.yml.j2", &beside("ports: [{port: 80, protocol: TCP}]"));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    assert_eq!(world.get(&["service", "beside"])["spec"]["sessionAffinity"], "None");
}
