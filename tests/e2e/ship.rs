//! On a real cluster: whatever claims something about one.

use std::io::Read;
use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::world::{WEBAPP, World};
use serde_json::{Value, json};

/// Ships what must fail, and checks that everything is as it was and that no pod of the old version went away.
#[track_caller]
fn fails_as_before(world: &World, args: &[&str], says: &[&str]) {
    let (fields, pods) = (world.fields(), world.ready_pods());
    let mut run = world.shipcat(args).ends(3);
    for text in says {
        run = run.says(text);
    }
    assert_eq!(world.fields(), fields, "{}", run.stderr);
    assert_eq!(world.ready_pods(), pods, "{}", run.stderr);
}

#[test]
fn what_generate_prints_is_what_kubectl_takes() {
    let world = World::new("generate");
    let yaml = world.shipcat(&["generate", "webapp"]).ends(0).stdout;
    world.kubectl_with(&["apply", "-f", "-"], &yaml);
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
    // What it made is taken over by the first ship without a new pod, and recorded.
    let pods = world.ready_pods();
    world.shipcat(&["ship", "webapp"]).ends(0);
    assert_eq!((world.ready_pods(), world.replica_sets()), (pods, 1));
}

#[test]
fn ship_and_ship_again() {
    let world = World::new("ship");
    world.shipcat(&["ship", "webapp"]).ends(0).says("webapp 0.1.0 runs in dev after");
    assert_eq!(world.ready_pods().len(), 2);
    let before = world.items(&["deployments,services,configmaps,secrets,replicasets"]);
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do: webapp 0.1.0 runs as the manifest says");
    let versions =
        |items: &[Value]| items.iter().map(|item| item["metadata"]["resourceVersion"].clone()).collect::<Vec<_>>();
    let after = world.items(&["deployments,services,configmaps,secrets,replicasets"]);
    assert_eq!(versions(&after), versions(&before));
    let status = world.shipcat(&["status", "webapp"]).ends(0).stdout;
    assert!(
        status.contains("version   0.1.0\n  health    well, 2 pods ready\n  release   1 (ship, version 0.1.0) by "),
        "{status}"
    );
}

#[test]
fn only_the_image_moves_by_set_image_and_back_by_rollback() {
    let world = World::new("image");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let run = world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "-v"]).ends(0);
    let image = "registry.shipcat.test/webapp:0.2.0";
    let line = format!("$ kubectl set image deployment/webapp webapp={image} prepare={image} --field-manager=shipcat ");
    assert!(run.stderr.contains(&line), "{}", run.stderr);
    assert!(
        !run.stderr.lines().any(|line| line.starts_with("$ kubectl apply") && !line.contains("--dry-run")),
        "{}",
        run.stderr
    );
    assert_eq!((world.replica_sets(), world.image().as_str(), world.ready_pods().len()), (2, "0.2.0", 2));

    // The image that runs came from --tag: the file's older one does not replace it by accident.
    world
        .shipcat(&["ship", "webapp"])
        .ends(2)
        .says("hint: `shipcat update` keeps the image that runs, `--tag 0.1.0` goes to the manifest's");

    world.shipcat(&["rollback", "webapp"]).ends(0).says("webapp 0.1.0 runs in dev");
    assert_eq!((world.replica_sets(), world.image().as_str()), (2, "0.1.0"));
    assert_eq!(world.outcomes(), ["deployed", "deployed", "deployed"]);
}

#[test]
fn only_the_configuration_moves_and_old_pods_never_see_it() {
    let world = World::new("config");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let old = world.items(&["pods"])[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let old_pods = world.ready_pods();
    world.file("app.conf", "two\n");
    let read = |pod: &str| world.try_kubectl(&["exec", pod, "-c", "webapp", "--", "cat", "/etc/webapp/app.conf"]);
    let seen = std::thread::scope(|scope| {
        let ship = scope.spawn(|| world.shipcat(&["ship", "webapp"]));
        let mut seen = Vec::new();
        while !ship.is_finished() {
            // A pod that is going cannot be asked any more: that is no answer.
            seen.extend(Some(read(&old)).filter(|run| run.code == 0).map(|run| run.stdout));
        }
        ship.join().unwrap().ends(0);
        seen
    });
    assert!(!seen.is_empty() && seen.iter().all(|text| text == "one\n"), "{seen:?}");
    let new =
        world.items(&["pods"]).into_iter().find(|pod| pod["metadata"].get("deletionTimestamp").is_none()).unwrap();
    assert_eq!(read(new["metadata"]["name"].as_str().unwrap()).stdout, "two\n");
    assert!(world.ready_pods().iter().all(|pod| !old_pods.contains(pod)), "every pod must be a new one");
    assert_eq!((world.image().as_str(), world.replica_sets()), ("0.1.0", 2));

    // The former file comes back with the former release: a bare `rollout undo` would get the pods right and nothing else.
    world.shipcat(&["rollback", "webapp"]).ends(0);
    let pod =
        world.items(&["pods"]).into_iter().find(|pod| pod["metadata"].get("deletionTimestamp").is_none()).unwrap();
    assert_eq!(read(pod["metadata"]["name"].as_str().unwrap()).stdout, "one\n");
}

#[test]
fn a_crash_is_told_and_taken_back() {
    let world = World::new("crash");
    world.shipcat(&["ship", "webapp"]).ends(0);
    fails_as_before(
        &world,
        &["ship", "webapp", "--tag", "crashes"],
        &[
            "container `webapp` of webapp-",
            "crashed 2 times: exit code 7",
            "| fatal: cannot connect to database db:5432: connection refused",
            "webapp 0.1.0 runs in dev as before (release 2 was taken back)",
        ],
    );
    fails_as_before(
        &world,
        &["ship", "webapp", "--tag", "init-crashes"],
        &["init container `prepare` of webapp-", "exit code 9", "| prepare: cannot migrate /data: disk is read-only"],
    );
    // What failed and is gone is no reason for another release.
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
    // Configuration and image together: the new ConfigMap goes as well.
    world.file("app.conf", "two\n");
    fails_as_before(&world, &["ship", "webapp", "--tag", "crashes"], &["exit code 7", "removed"]);
    assert_eq!(world.outcomes(), ["taken back", "taken back", "taken back", "deployed"]);
    // And the same service ships fine afterwards.
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
}

#[test]
fn a_crash_where_no_probe_would_notice() {
    let world = World::new("no-probe");
    let manifest =
        "image: heartbeat\nversion: 1.0.0\nselector: {app: hb}\nreplicas: 2\nterminationGracePeriodSeconds: 2\n";
    // A busy node may be seconds late to tell of a crash.
    world.file("manifest.yml", &format!("{manifest}minReadySeconds: 10\n"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    let says = ["container `webapp` of webapp-", "crashed 2 times: exit code 3", "| fatal: heart stopped"];
    fails_as_before(&world, &["ship", "webapp", "--tag", "crashes"], &says);

    // Where the manifest insists that a pod counts at once, Kubernetes itself takes old pods away too early, and
    // `kubectl rollout status` is content; the verdict is the same, and the old version is back.
    world.file("manifest.yml", &format!("{manifest}minReadySeconds: 0\n"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    let fields = world.fields();
    world
        .shipcat(&["ship", "webapp", "--tag", "crashes", "--grace", "settle=10s"])
        .ends(3)
        .says("exit code 3")
        .says("as before");
    assert_eq!((world.fields(), world.ready_pods().len()), (fields, 2));
}

#[test]
fn an_image_that_is_not_there() {
    let world = World::new("absent");
    world.shipcat(&["ship", "webapp"]).ends(0);
    fails_as_before(
        &world,
        &["ship", "webapp", "--tag", "absent"],
        &["the image registry.shipcat.test/webapp:absent cannot be pulled: "],
    );
}

#[test]
fn a_pod_that_never_gets_ready() {
    let world = World::new("never-ready");
    world.shipcat(&["ship", "webapp"]).ends(0);
    fails_as_before(
        &world,
        &["ship", "webapp", "--tag", "never-ready", "--timeout", "8s"],
        &[
            "webapp never-ready was not up within 8.0 s",
            "runs and is not ready (readiness probe: GET /ready on port http)",
            "event: Unhealthy",
        ],
    );
}

#[test]
fn a_first_ship_that_fails_leaves_nothing() {
    let world = World::new("first");
    world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3).says("webapp is not in dev, as before");
    assert_eq!(world.fields(), json!([]));
    assert_eq!(world.items(&["replicasets,pods"]), Vec::<Value>::new());
    assert_eq!(world.outcomes(), ["taken back"]);
    world.shipcat(&["rollback", "webapp"]).ends(2).says("there is nothing to take `webapp` back to");
    world.shipcat(&["status", "webapp"]).ends(1);
    world.shipcat(&["ship", "webapp"]).ends(0);
}

/// A Deployment and a Service as a team had them before shipcat.
const FOREIGN: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: webapp, labels: {app: webapp, tier: web}, annotations: {note: "made by hand"}}
spec:
  replicas: 2
  selector: {matchLabels: {app: webapp}}
  template:
    metadata: {labels: {app: webapp}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
        - name: webapp
          image: registry.shipcat.test/webapp:0.1.0
          env: [{name: OLD, value: "0644"}, {name: KEPT, value: "1"}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: webapp}
spec: {selector: {app: webapp}, ports: [{port: 80, targetPort: 8080}]}
"#;

#[test]
fn what_plain_kubectl_made_comes_back_as_it_was() {
    for road in ["apply", "create"] {
        let world = World::new(&format!("foreign-{road}"));
        world.kubectl_with(&[road, "-f", "-"], FOREIGN);
        world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
        if road == "apply" {
            // As the old pipeline did it.
            world.kubectl(&["set", "image", "deployment/webapp", "webapp=registry.shipcat.test/webapp:0.2.0"]);
            world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
        }
        std::thread::sleep(Duration::from_secs(1));
        fails_as_before(&world, &["ship", "webapp", "--tag", "crashes"], &["exit code 7", "as before"]);

        // And a good ship is one new ReplicaSet, without the variable that the manifest does not have.
        let sets = world.replica_sets();
        world.file("manifest.yml", &format!("{WEBAPP}env: {{KEPT: 1}}\n"));
        world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0);
        let env = world.get(&["deployment", "webapp"])["spec"]["template"]["spec"]["containers"][0]["env"].clone();
        assert_eq!(env, json!([{"name": "KEPT", "value": "1"}]));
        assert_eq!(world.replica_sets(), sets + 1);
    }
}

#[test]
fn a_variable_that_was_put_back_can_be_removed_later() {
    let world = World::new("removed");
    world.file("manifest.yml", &format!("{WEBAPP}env: {{A: 1, B: 2}}\n"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.file("manifest.yml", &format!("{WEBAPP}env: {{A: 1}}\n"));
    fails_as_before(&world, &["ship", "webapp", "--tag", "crashes"], &["exit code 7"]);
    world.shipcat(&["ship", "webapp"]).ends(0).says("env B");
    let env = world.get(&["deployment", "webapp"])["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    assert_eq!(env, json!([{"name": "A", "value": "1"}]));
}

#[test]
fn good_bad_good_and_back_to_the_first_good_one() {
    let world = World::new("rollback");
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    world.shipcat(&["rollback", "webapp"]).ends(0).says("taking webapp back to release 1, version 0.1.0");
    assert_eq!(world.image(), "0.1.0");
    world.shipcat(&["rollback", "webapp", "--to", "2"]).ends(2).says("release 2 of `webapp` never worked: taken back");
    world.shipcat(&["rollback", "webapp", "--to", "9"]).ends(2).says("`webapp` has no release 9");
    world.shipcat(&["rollback", "webapp", "--to", "3"]).ends(0);
    assert_eq!(world.image(), "0.2.0");
    world
        .shipcat(&["rollback", "webapp", "--to", "3"])
        .ends(0)
        .says("nothing to do: webapp 0.2.0 runs as that release had it");
}

#[test]
fn values_arrive_byte_for_byte() {
    let values = [
        "on",
        "yes",
        "1e3",
        "0123",
        "0o17",
        "12:30:45",
        "~",
        "1_000",
        "",
        "a: b # c",
        "\"double\" and 'single'",
        "two\nlines\n\n",
        "\ttab\t",
        "\u{1f600} e\u{301} \u{2028}",
        "{{ x }}",
        "{% if %}",
        "$(HOME) $HOME $$",
        "\\n \\",
        "- a",
        "null",
        "0x1f",
        "#",
        "trailing ",
        "\u{1}",
    ];
    let world = World::new("values");
    let escaped = |value: &str| {
        if value.contains("{{") || value.contains("{%") {
            format!("{{% raw %}}{value}{{% endraw %}}")
        } else {
            value.to_owned()
        }
    };
    let mut manifest = format!("{WEBAPP}env:\n");
    let mut conf = String::new();
    for (i, value) in values.iter().enumerate() {
        manifest += &format!("  V{i}: {}\n", serde_json::to_string(&escaped(value)).unwrap());
        conf += &format!("{i} = {}\n", escaped(value));
    }
    // Without quotes in the file, a value is the text that stands there.
    manifest += "  P0: on\n  P1: 1e3\n  P2: 0123\n  P3: 0o17\n  P4: 12:30:45\n  P5: 1_000\n  P6: true\n  P7: 1.10\n";
    world.file("manifest.yml", &manifest.replace("app.conf: app.conf", "app.conf: app.conf.j2"));
    // A file may hold any byte.
    conf += "\u{7f}\u{85}\u{feff}\n";
    world.file("app.conf.j2", &conf);
    world.shipcat(&["ship", "webapp"]).ends(0);
    let pod = world.items(&["pods"])[0]["metadata"]["name"].as_str().unwrap().to_owned();
    // env separates by newlines; /proc separates by NUL, which no value can hold.
    let environ = world.kubectl(&["exec", &pod, "-c", "webapp", "--", "cat", "/proc/1/environ"]);
    let environ: Vec<&str> = environ.split('\0').collect();
    for (i, value) in values.iter().enumerate() {
        assert!(environ.contains(&format!("V{i}={value}").as_str()), "V{i} must be {value:?}: {environ:?}");
    }
    for (i, value) in ["on", "1e3", "0123", "0o17", "12:30:45", "1_000", "true", "1.10"].iter().enumerate() {
        assert!(environ.contains(&format!("P{i}={value}").as_str()), "P{i} must be {value:?}: {environ:?}");
    }
    let file = world.kubectl(&["exec", &pod, "-c", "webapp", "--", "cat", "/etc/webapp/app.conf"]);
    let wanted: String = values.iter().enumerate().map(|(i, value)| format!("{i} = {value}\n")).collect();
    assert_eq!(file, wanted + "\u{7f}\u{85}\u{feff}\n");
    // The server's own reading of it is what we sent: nothing to do.
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
}

#[test]
fn an_interrupt_takes_the_ship_back() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let world = World::new(&format!("signal-{}", signal.to_lowercase()));
        world.shipcat(&["ship", "webapp"]).ends(0);
        world.file("app.conf", "two\n");
        let (fields, pods) = (world.fields(), world.ready_pods());
        let mut child = world.start(&["ship", "webapp", "--tag", "never-ready"]);
        let deadline = Instant::now() + Duration::from_secs(60);
        while world.image() != "never-ready" {
            assert!(Instant::now() < deadline, "the ship never changed the image");
            std::thread::sleep(Duration::from_millis(100));
        }
        let kill =
            std::process::Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let ended = child.wait().unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(ended.code(), Some(code), "{stderr}");
        assert_eq!((world.fields(), world.ready_pods()), (fields, pods), "{stderr}");
        assert_eq!(world.outcomes(), ["taken back", "deployed"]);
    }
}

/// Only on a terminal a second Ctrl-C is a person who will not wait.
#[test]
fn of_several_interrupts_without_a_terminal_the_first_counts() {
    let world = World::new("signal-again");
    let child = world.start(&["ship", "webapp", "--tag", "never-ready"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while world.items(&["deployments"]).is_empty() {
        assert!(Instant::now() < deadline, "the ship never made the Deployment");
        std::thread::sleep(Duration::from_millis(100));
    }
    // It does not go before both have come.
    let held = |by: &str| {
        let patch = format!("{{\"metadata\":{{\"finalizers\":[{by}]}}}}");
        world.kubectl(&["patch", "deployment", "webapp", "--type=merge", "-p", &patch]);
    };
    held("\"shipcat.test/held\"");
    for pause in [0, 1300] {
        std::thread::sleep(Duration::from_millis(pause));
        let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(kill.success(), "it was gone before the second");
    }
    // Who insists is heard at once, or within a second.
    std::thread::sleep(Duration::from_secs(2));
    held("");
    let run = Run::of(&child.wait_with_output().unwrap()).ends(130);
    assert!(world.items(&["deployments", "-l", "app=webapp"]).is_empty(), "{}", run.stderr);
    assert_eq!(world.outcomes(), ["taken back"]);
}

/// What is refused because of a tag is what runs, and not what a release once brought.
#[test]
fn a_tag_that_does_not_run_any_more_refuses_nothing() {
    let world = World::new("tag-gone");
    let by_hand = |tag: &str| {
        world.kubectl(&["set", "image", "deployment/webapp", &format!("webapp=registry.shipcat.test/webapp:{tag}")]);
        world.kubectl(&["rollout", "status", "deployment/webapp"]);
    };
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    world.shipcat(&["ship", "webapp"]).ends(2).says("webapp runs 0.2.0, which ");
    by_hand("0.3.0");
    world.shipcat(&["ship", "webapp"]).ends(2).says("webapp runs 0.3.0, set by hand over 0.2.0, which ");
    by_hand("0.1.0");
    world.shipcat(&["ship", "webapp"]).ends(0);
    assert_eq!(world.image(), "0.1.0");
}

#[test]
fn a_reader_of_the_story_that_goes_away_stops_no_put_back() {
    let world = World::new("closed");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let fields = world.fields();
    let mut child = world.start(&["ship", "webapp", "--tag", "crashes"]);
    drop(child.stderr.take());
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(world.fields(), fields);
}

#[test]
fn what_somebody_else_changes_meanwhile_is_left_and_named() {
    let world = World::new("meanwhile");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let wait = |child: &mut std::process::Child| {
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (child.wait().unwrap().code(), stderr)
    };
    let until_changed = || {
        let deadline = Instant::now() + Duration::from_secs(60);
        while world.image() != "never-ready" {
            assert!(Instant::now() < deadline, "the ship never changed the image");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    // A field that the ship did not touch: theirs stays, ours goes back.
    let mut child = world.start(&["ship", "webapp", "--tag", "never-ready", "--timeout", "6s"]);
    until_changed();
    world.kubectl(&["scale", "deployment/webapp", "--replicas=3"]);
    let (code, stderr) = wait(&mut child);
    assert_eq!(code, Some(3), "{stderr}");
    assert_eq!(
        (world.image().as_str(), &world.get(&["deployment", "webapp"])["spec"]["replicas"]),
        ("0.1.0", &json!(3))
    );

    // The very field: it is theirs now, and a person must know.
    let mut child = world.start(&["ship", "webapp", "--tag", "never-ready", "--timeout", "60s"]);
    until_changed();
    world.kubectl(&["set", "image", "deployment/webapp", "webapp=registry.shipcat.test/webapp:0.3.0"]);
    let (code, stderr) = wait(&mut child);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("containers[webapp].image was changed by somebody else meanwhile"), "{stderr}");
    assert_eq!(world.image(), "0.3.0");
}

#[test]
fn a_broken_service_is_never_nothing_to_do() {
    let world = World::new("broken");
    world.shipcat(&["ship", "webapp"]).ends(0);
    // It breaks by itself: what it says to its probe is not the Deployment's business.
    for pod in world.items(&["pods"]) {
        let name = pod["metadata"]["name"].as_str().unwrap();
        world.kubectl(&["exec", name, "-c", "webapp", "--", "rm", "/www/ready"]);
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while !world.ready_pods().is_empty() {
        assert!(Instant::now() < deadline, "the pods never became unready");
        std::thread::sleep(Duration::from_millis(200));
    }
    world
        .shipcat(&["ship", "webapp", "--timeout", "6s"])
        .ends(3)
        .says("nothing to change, but what runs is broken: webapp 0.1.0");
    world.shipcat(&["status", "webapp"]).ends(1);
    // A version that works heals it.
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let world = World::new("refused");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let before = world.items(&["deployments,services,configmaps,secrets"]);
    let nobody = |config: &mut Value| config["users"][0]["user"]["as"] = json!("nobody");
    let run = world.shipcat_as(&["ship", "webapp", "--tag", "0.2.0"], nobody).ends(2);
    assert!(run.stderr.contains("cannot") || run.stderr.contains("you may not"), "{}", run.stderr);

    // May see everything, may change nothing.
    let binding = format!("{}-reader", world.namespace);
    world.kubectl(&["create", "rolebinding", &binding, "--clusterrole=view", "--user=reader"]);
    let reader = |config: &mut Value| {
        config["users"][0]["user"]["as"] = json!("reader");
        config["users"][0]["user"]["as-groups"] = json!(["system:authenticated"]);
    };
    let run = world.shipcat_as(&["ship", "webapp", "--tag", "0.2.0"], reader).ends(2);
    assert!(
        run.stderr.contains("you may not do all that a ship does")
            && run.stderr.contains("create/delete/patch/update deployments.apps"),
        "{}",
        run.stderr
    );

    let dead = |config: &mut Value| config["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
    let started = Instant::now();
    world.shipcat_as(&["ship", "webapp"], dead).ends(2).says("the cluster of context `shipcat-test` does not answer");
    // A server that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", silent.local_addr().unwrap());
    let mute = |config: &mut Value| config["clusters"][0]["cluster"]["server"] = json!(address);
    world.shipcat_as(&["ship", "webapp"], mute).ends(2).says("the cluster of context `shipcat-test` does not answer");
    assert!(started.elapsed() < Duration::from_secs(60), "seconds, not minutes");

    let other = |config: &mut Value| config["contexts"][0]["name"] = json!("elsewhere");
    world.shipcat_as(&["ship", "webapp"], other).ends(2).says("hint: your kubeconfig has elsewhere");

    world.file("manifest.yml", &format!("{WEBAPP}selector: {{app: other}}\n"));
    world.shipcat(&["ship", "webapp"]).ends(2).says("`spec.selector` is immutable");
    world.kubectl(&["rollout", "pause", "deployment/webapp"]);
    world.file("manifest.yml", WEBAPP);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(2).says("Deployment/webapp is paused");
    world.kubectl(&["rollout", "resume", "deployment/webapp"]);
    let names = |items: &[Value]| {
        items.iter().map(|item| (item["metadata"]["name"].clone(), item["spec"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(names(&world.items(&["deployments,services,configmaps,secrets"])), names(&before));

    let text = std::fs::read_to_string(world.repo.path().join("shipcat.yml")).unwrap();
    std::fs::write(world.repo.path().join("shipcat.yml"), text.replace(&world.namespace, "no-such-namespace")).unwrap();
    world
        .shipcat(&["ship", "webapp"])
        .ends(2)
        .says("there is no namespace `no-such-namespace` in the cluster of context `shipcat-test`")
        .says("hint: make it first: kubectl --context shipcat-test create namespace no-such-namespace");
}

#[test]
fn an_autoscalers_count_is_left_alone() {
    let world = World::new("autoscaled");
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.kubectl(&["autoscale", "deployment/webapp", "--min=3", "--max=5", "--cpu-percent=80"]);
    let replicas = || world.get(&["deployment", "webapp"])["spec"]["replicas"].clone();
    let deadline = Instant::now() + Duration::from_secs(90);
    while replicas() != json!(3) {
        assert!(Instant::now() < deadline, "the autoscaler never scaled");
        std::thread::sleep(Duration::from_millis(500));
    }
    world
        .shipcat(&["ship", "webapp", "--tag", "0.2.0"])
        .ends(0)
        .says("the number of pods is an autoscaler's, and left to it");
    assert_eq!(replicas(), json!(3));
}

#[test]
fn a_health_check_can_change_its_kind_and_go() {
    let world = World::new("health");
    let manifest = "version: 0.1.0\nport: 8080\nminReadySeconds: 1\nterminationGracePeriodSeconds: 2\n";
    let probe =
        || world.get(&["deployment", "webapp"])["spec"]["template"]["spec"]["containers"][0]["readinessProbe"].clone();
    let mut sets = 0;
    for health in [
        "health: /ready",
        "health: {tcpSocket: {port: 8080}}",
        "health: {exec: {command: [\"true\"]}}",
        "livenessProbe: /ready",
        "",
    ] {
        world.file("manifest.yml", &format!("{manifest}{health}\n"));
        world.shipcat(&["ship", "webapp"]).ends(0);
        sets += 1;
        assert_eq!(world.replica_sets(), sets, "one new ReplicaSet for {health:?}");
    }
    assert_eq!(probe(), Value::Null);
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
    // And back over all of them.
    world.shipcat(&["rollback", "webapp", "--to", "1"]).ends(0);
    assert_eq!(probe()["httpGet"]["path"], json!("/ready"));
    // Whatever somebody makes of it by hand, ours goes.
    let patch = r#"{"spec":{"template":{"spec":{"containers":[{"name":"webapp","readinessProbe":{"httpGet":null,"tcpSocket":{"port":8080}}}]}}}}"#;
    world.kubectl(&["patch", "deployment", "webapp", "-p", patch]);
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
    world.file("manifest.yml", &format!("{manifest}health: /ready\n"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    assert_eq!((&probe()["httpGet"]["path"], &probe()["tcpSocket"]), (&json!("/ready"), &Value::Null));
}

#[test]
fn services_and_volumes_of_other_shapes_are_taken_over() {
    let world = World::new("shapes");
    let volume = "volumes: [{name: shipcat-files, emptyDir: {}}]\n      containers:\n        - name: webapp\n          volumeMounts: [{name: shipcat-files, mountPath: /data}]";
    let foreign = FOREIGN
        .replace("containers:\n        - name: webapp", volume)
        .replace("ports: [{port: 80, targetPort: 8080}]", "ports: [{name: web, port: 8080}, {name: admin, port: 81}]");
    world.kubectl_with(&["apply", "-f", "-"], &foreign);
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
    let sets = world.replica_sets();
    fails_as_before(&world, &["ship", "webapp", "--tag", "crashes"], &["exit code 7"]);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    assert_eq!(world.replica_sets(), sets + 2, "one of the crash, one of the good one");
    let ports = world.get(&["service", "webapp"])["spec"]["ports"].clone();
    assert_eq!(
        (ports.as_array().unwrap().len(), &ports[0]["name"], &ports[0]["port"]),
        (1, &json!("http"), &json!(8080))
    );

    // A headless Service stays one: that cannot be changed.
    let headless = World::new("headless");
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: webapp}\n\
                   spec: {clusterIP: None, selector: {app: webapp}, ports: [{port: 8080}]}\n";
    headless.kubectl_with(&["create", "-f", "-"], service);
    headless.shipcat(&["ship", "webapp"]).ends(0);
    assert_eq!(headless.get(&["service", "webapp"])["spec"]["clusterIP"], json!("None"));
}

#[test]
fn what_is_being_deleted_is_not_shipped_onto() {
    let world = World::new("deleted");
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.kubectl(&[
        "patch",
        "service",
        "webapp",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":["shipcat.test/hold"]}}"#,
    ]);
    world.kubectl(&["delete", "service", "webapp", "--wait=false"]);
    for args in [&["ship", "webapp"][..], &["ship", "webapp", "--tag", "0.2.0"]] {
        world.shipcat(args).ends(2).says("Service/webapp is being deleted since").says("held by shipcat.test/hold");
    }
    world.kubectl(&["patch", "service", "webapp", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
    world.shipcat(&["ship", "webapp"]).ends(0).says("Service/webapp was deleted by hand, and is made again");
}

#[test]
fn what_was_set_by_hand_is_what_a_rollback_leaves_and_is_told() {
    let world = World::new("by-hand");
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    world.kubectl(&["set", "image", "deployment/webapp", "webapp=registry.shipcat.test/webapp:0.3.0"]);
    world.kubectl(&["set", "env", "deployment/webapp", "-c", "webapp", "EXTRA=1"]);
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
    world.shipcat(&["rollback", "webapp"]).ends(0).says("taking webapp back to release 2, version 0.2.0");
    assert_eq!(world.image(), "0.2.0");
    world
        .shipcat(&["ship", "webapp", "--tag", "0.2.0"])
        .ends(0)
        .says("nothing to do")
        .says("Deployment/webapp also has env EXTRA, written by `kubectl-set` and left alone");
}

#[test]
fn a_large_file_can_be_shipped_again_and_again() {
    let world = World::new("large");
    // Text as it is in the wild: it packs, but not to nothing.
    let large: String = (0..20_000).map(|i| format!("setting_{i} = {}\n", i * 7919 % 10_007)).collect();
    world.file("app.conf", &format!("{large}{large}")[..700_000]);
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    world.file("app.conf", &format!("x{large}{large}")[..700_000]);
    fails_as_before(&world, &["ship", "webapp", "--tag", "crashes"], &["exit code 7"]);
    world.shipcat(&["rollback", "webapp"]).ends(0);
}

#[test]
fn fewer_pods_only_once_the_new_ones_are_good() {
    let world = World::new("fewer");
    world.file("manifest.yml", &WEBAPP.replace("replicas: 2", "replicas: 3"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.file("manifest.yml", &WEBAPP.replace("replicas: 2", "replicas: 1"));
    fails_as_before(
        &world,
        &["ship", "webapp", "--tag", "crashes"],
        &["the number of pods stays until the new ones are up", "exit code 7"],
    );
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    assert_eq!((world.ready_pods().len(), world.image().as_str()), (1, "0.2.0"));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0).says("nothing to do");
}

#[test]
fn how_patient_it_is_can_be_said() {
    let world = World::new("graces");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let crashes = |args: &[&str]| world.shipcat(&[&["ship", "webapp", "--tag", "crashes"], args].concat());
    world.settings("graces: {crashes: 9}");
    // It does not come to so many crashes in that time.
    crashes(&["--timeout", "10s"]).ends(3).says("webapp crashes was not up within 10 s");
    crashes(&["--grace", "crashes=2"])
        .ends(3)
        .says("webapp crashes failed after ")
        .says("crashed 2 times: exit code 7");
    crashes(&["--grace", "crash=2"]).ends(2).says("did you mean `crashes`?");
}
