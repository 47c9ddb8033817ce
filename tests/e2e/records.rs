//! What is kept of releases, and where; retiring a service; what the workloads say. On a real cluster.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::trap::Trap;
use crate::common::world::{LATE, WEBAPP, World};
use serde_json::Value;

/// Something that has no pods, so that twelve releases of it take no time.
const QUICK: &str = "kind: None\nversion: 0.1.0\nimage: webapp\ncronJobs:\n  nightly: {schedule: \"0 3 * * *\", command: [/bin/true], files: {/etc/app.conf: app.conf}}\n";

fn names(world: &World, kind: &str, start: &str) -> Vec<String> {
    let items = world.items(&[kind]);
    let names = items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with(start)).collect()
}

#[test]
fn ten_releases_are_kept_with_the_files_that_they_name() {
    let world = World::new("ten");
    world.file("manifest.yml", QUICK);
    for n in 1..=12 {
        world.file("app.conf", &format!("{n}\n"));
        world.shipcat(&["ship", "webapp", "--tag", &format!("0.1.0-{n}")]).ends(0);
    }
    let mut records = names(&world, "secrets", "shipcat.webapp.");
    records.sort_by_key(|name| name.rsplit('.').next().unwrap().parse::<u32>().unwrap());
    assert_eq!(records, (3..=12).map(|n| format!("shipcat.webapp.{n}")).collect::<Vec<_>>());
    assert_eq!(names(&world, "configmaps", "webapp").len(), 10);
    let history = world.shipcat(&["history", "webapp"]).ends(0).stdout;
    let first: Vec<&str> =
        history.lines().nth(1).unwrap().split("   ").map(str::trim).filter(|c| !c.is_empty()).collect();
    assert_eq!(first[..6], ["12", "deployed", "0.1.0-12", "0.1.0-11", "image, config", "ship"], "{history}");
    // The oldest that is kept is still a way back, its file with it.
    world.shipcat(&["rollback", "webapp", "--to", "3"]).ends(0);
    assert_eq!(
        world.get(&["cronjob", "webapp-nightly"])["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"],
        "registry.shipcat.test/webapp:0.1.0-3"
    );
}

/// The kubectl that removes it is started before.
#[test]
fn a_record_is_too_old_only_when_the_next_one_is_deployed() {
    let world = World::new("old");
    world.settings("lock: {lifetime: 8s}");
    world.file("manifest.yml", &format!("{LATE}replicas: 0\n"));
    for n in 1..=10 {
        world.shipcat(&["ship", "webapp", "--tag", &format!("0.1.0-{n}")]).ends(0);
    }
    world.file("manifest.yml", LATE);
    let trap = Trap::of_orphans();
    trap.set(Some("0 delete --raw /api/v1/namespaces"));
    trap.run(&world, &["ship", "webapp", "--tag", "0.2.0"]).ends(137);
    trap.is_refused();
    let kept = || names(&world, "secrets", "shipcat.webapp.");
    assert_eq!((world.outcomes()[0].as_str(), kept().len()), ("pending", 11));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "--lock-wait", "1m"]).ends(0);
    // The dead run's is completed, and nothing is left to ship.
    assert_eq!(world.outcomes()[0], "deployed");
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0);
    // They go by the cluster's own garbage collection.
    let deadline = Instant::now() + Duration::from_secs(20);
    while kept().len() > 10 {
        assert!(Instant::now() < deadline, "{:?}", kept());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(!kept().contains(&"shipcat.webapp.2".to_owned()));
}

/// Text that cannot be packed into much less.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed;
    let mut text = String::new();
    while text.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let _ = write!(text, "{:016x}", state ^ (state >> 29));
        if text.len().is_multiple_of(64) {
            text.push('\n');
        }
    }
    text
}

#[test]
fn a_release_that_is_too_large_for_one_secret_is_split() {
    let world = World::new("large");
    world.file("manifest.yml", QUICK);
    let big = |seed: u64| {
        let map = |n: u64| {
            let lines =
                noise(seed * 10 + n, 600_000).lines().fold(String::new(), |all, line| all + "    " + line + "\n");
            format!(
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big-{n}, labels: {{shipcat.dev/service: webapp}}}}\ndata:\n  text: |\n{lines}"
            )
        };
        [1, 2, 3, 4].map(map).concat()
    };
    let ship = |seed| {
        world.file("templates/big.yml.j2", &big(seed));
        world.shipcat(&["ship", "webapp"]).ends(0);
    };
    let text = || world.get(&["configmap", "big-3"])["data"]["text"].clone();
    ship(1);
    let first = text();
    ship(2);
    assert_ne!(text(), first);
    assert!(names(&world, "secrets", "shipcat.webapp.2.").len() >= 2, "it is large enough to be split");
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
    world.shipcat(&["rollback", "webapp"]).ends(0);
    assert_eq!(text(), first);
    assert_eq!(world.outcomes(), ["deployed"; 3]);
}

#[test]
fn records_may_be_config_maps_for_who_may_not_touch_secrets() {
    let world = World::new("maps");
    world.settings("records: configmap");
    let fewer = WEBAPP.replace("replicas: 2", "replicas: 1");
    world.file("manifest.yml", &format!("{fewer}env: {{LEVEL: debug}}\n"));
    let role = world.shipcat(&["rbac"]).ends(0).stdout;
    assert!(!role.contains("secrets"), "{role}");
    world.kubectl_with(&["apply", "-f", "-"], &role);
    world.kubectl(&["create", "rolebinding", "ann", "--role=shipcat-deployer", "--user=ann"]);
    let ann = |args: &[&str]| -> Run {
        world.shipcat_as(args, |config| {
            config["users"][0]["user"]["as"] = "ann".into();
            config["users"][0]["user"]["as-groups"] = serde_json::json!(["system:authenticated"]);
        })
    };
    ann(&["ship", "webapp"]).ends(0);
    ann(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    ann(&["ship", "webapp", "--tag", "crashes"]).ends(3);
    ann(&["rollback", "webapp"]).ends(0);
    let history = ann(&["history", "webapp"]).ends(0).stdout;
    assert_eq!(history.lines().count(), 5, "{history}");
    assert!(
        ann(&["status", "webapp"]).ends(0).stdout.contains("release   4 (rollback to 1, version 0.1.0 from 0.2.0)")
    );
    assert!(names(&world, "secrets", "shipcat.").is_empty());
    assert_eq!(names(&world, "configmaps", "shipcat.webapp.").len(), 4);
    // A Secret of the render's own would stand in the record for everybody to read.
    world.file("templates/secret.yml.j2", "apiVersion: v1\nkind: Secret\nmetadata: {name: own}\nstringData: {a: b}\n");
    world.shipcat(&["ship", "webapp"]).ends(2).says("Secret/own").says("records: configmap");
}

fn annotations(world: &World) -> Value {
    world.get(&["deployment", "webapp"])["metadata"]["annotations"].clone()
}

#[test]
fn workloads_say_which_release_they_are_of_and_restart_for_nothing() {
    let world = World::new("marks");
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    let now = annotations(&world);
    assert_eq!((&now["shipcat.dev/release"], &now["shipcat.dev/version"]), (&"2".into(), &"0.2.0".into()));
    let told = world.kubectl(&["rollout", "history", "deployment/webapp"]);
    assert!(told.contains("ship, version 0.1.0, by ") && told.contains("ship, version 0.2.0, by "), "{told}");
    assert_eq!(world.replica_sets(), 2);
    // Of no diff's interest, and as it was where a ship is taken back.
    world.shipcat(&["diff", "webapp", "--tag", "0.2.0"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3);
    assert_eq!(annotations(&world)["shipcat.dev/release"], "2");
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0).says("nothing to do");
    // One that somebody else wrote comes back, too.
    world.kubectl(&["annotate", "deployment/webapp", "--overwrite", "kubernetes.io/change-cause=by hand"]);
    let before = world.fields();
    world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3);
    assert_eq!(world.fields(), before);
    // An apply brings them along: the ReplicaSet of one that fails says its own, and not those of the release before.
    world.file("manifest.yml", &format!("{WEBAPP}env: {{LEVEL: debug}}\n"));
    world.shipcat(&["ship", "webapp", "--tag", "init-crashes"]).ends(3);
    assert_eq!(world.fields(), before);
    let sets = world.items(&["replicasets"]);
    let cause = |set: &Value| set["metadata"]["annotations"]["kubernetes.io/change-cause"].to_string();
    assert!(sets.iter().any(|set| cause(set).contains("ship, version init-crashes, by ")), "{sets:#?}");
    // The apply that lowers the number of pods in the end leaves them.
    let fewer = WEBAPP.replace("replicas: 2", "replicas: 1");
    world.file("manifest.yml", &format!("{fewer}env: {{LEVEL: debug}}\n"));
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0).says("the number of pods stays");
    let now = annotations(&world);
    assert_eq!((&now["shipcat.dev/release"], &now["shipcat.dev/version"]), (&"6".into(), &"0.3.0".into()));
    assert_eq!(world.get(&["deployment", "webapp"])["spec"]["replicas"], 1);
}

#[test]
fn a_service_is_retired_and_comes_back() {
    let world = World::new("retire");
    world.file("manifest.yml", &format!("{}jobs:\n  migrate: {{command: [/bin/app, prepare]}}\n", WEBAPP));
    world.kubectl_with(
        &["apply", "-f", "-"],
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bystander}\ndata: {a: b}\n",
    );
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: webapp-data}\nspec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Mi}}}\n";
    world.file("templates/claim.yml.j2", claim);
    world.shipcat(&["remove", "webapp"]).ends(2).says("was never deployed by shipcat");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let shipped = world.get(&["deployment", "webapp"])["spec"].clone();
    let dry = world.shipcat(&["remove", "webapp", "--dry-run"]).ends(0).stdout;
    assert!(dry.contains("kubectl delete --raw") && dry.contains("/deployments/webapp"), "{dry}");
    assert_eq!(world.get(&["deployment", "webapp"])["spec"], shipped);
    world.shipcat(&["remove", "webapp"]).ends(0).says("webapp is removed from dev after");
    for kind in ["deployments", "services", "jobs", "pods"] {
        assert_eq!(world.items(&[kind]).len(), 0, "{kind}");
    }
    assert_eq!(names(&world, "configmaps", "webapp"), Vec::<String>::new());
    assert_eq!(names(&world, "configmaps", "bystander").len(), 1);
    assert_eq!(names(&world, "persistentvolumeclaims", "webapp-data").len(), 1);
    assert!(world.shipcat(&["status", "webapp"]).ends(1).stdout.contains("health    removed"));
    let list = world.shipcat(&["list"]).ends(0).stdout;
    assert!(list.contains("2 (removed)"), "{list}");
    world.shipcat(&["remove", "webapp"]).ends(0).says("nothing to do: webapp is not in dev any more");
    world.shipcat(&["rollback", "webapp"]).ends(0).says("webapp 0.1.0 runs in dev after");
    // Without its manifest it can be told, taken back and retired all the same.
    std::fs::remove_dir_all(world.repo.path().join("manifests/webapp")).unwrap();
    world.shipcat(&["status", "webapp"]).ends(0);
    world.shipcat(&["remove", "webapp"]).ends(0);
    assert_eq!(world.items(&["deployments"]).len(), 0);
    assert_eq!(world.kubectl(&["get", "lease"]), "");
}

#[test]
fn a_way_back_past_what_cannot_be_undone_is_asked_for() {
    let world = World::new("undone");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let job = "jobs:\n  migrate: {command: [/bin/app, prepare], reversible: false}\n";
    world.file("manifest.yml", &format!("{WEBAPP}{job}"));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    let refused = world.shipcat(&["rollback", "webapp"]).ends(2);
    refused.says("there ran what cannot be undone: Job/webapp-migrate-").says("of release 2").says("`--force`");
    assert_eq!(world.image(), "0.2.0");
    world.shipcat(&["rollback", "webapp", "--force"]).ends(0);
    assert_eq!(world.image(), "0.1.0");
}

#[test]
fn what_fails_may_be_kept_for_a_look() {
    let world = World::new("keep");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let kept = world.shipcat(&["ship", "webapp", "--tag", "crashes", "--on-failure", "keep"]).ends(5);
    assert!(kept.stderr.contains("crashed 2 times: exit code 7") && !kept.stderr.contains("taking it back"));
    assert_eq!(
        (world.image().as_str(), world.outcomes()),
        ("crashes", vec!["broken".to_owned(), "deployed".to_owned()])
    );
    let status = world.shipcat(&["status", "webapp"]).ends(1).stdout;
    assert!(status.contains("broken: kept as it is: ") && !status.contains("somebody"), "{status}");
    assert_eq!(world.kubectl(&["get", "lease"]), "");
    // It was the release, and nobody's hand; what somebody does besides is.
    world.kubectl(&["scale", "deployment/webapp", "--replicas=1"]);
    let diff = world.shipcat(&["diff", "webapp"]).ends(1).stdout;
    assert!(
        diff.contains("running crashes (left by release 2, which failed; before it was 0.1.0), release 1 by"),
        "{diff}"
    );
    assert!(
        diff.matches("changed by hand").count() == 2 && diff.contains("spec.replicas 2 -> 1: changed by hand"),
        "{diff}"
    );
    let back = world.shipcat(&["rollback", "webapp"]).ends(0);
    back.says("webapp 0.1.0 runs in dev after")
        .says("Deployment/webapp   image    registry.shipcat.test/webapp:crashes -> 0.1.0");
    assert_eq!(world.image(), "0.1.0");
}

#[test]
fn a_removal_that_was_killed_is_told_and_finished() {
    let world = World::new("unremoved");
    world.settings("lock: {lifetime: 8s}");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let kill = "case \"$*\" in \"delete --raw\"*/deployments/*) kill -KILL $PPID; exit 1 ;; esac; rm -r \"$dir/sprung\"; exec \"$real\" \"$@\"";
    let trap = Trap::new("read -r point", kill);
    trap.set(Some("1"));
    trap.run(&world, &["remove", "webapp"]).ends(128 + 9);
    let status = world.shipcat(&["status", "webapp"]).ends(1).stdout;
    assert!(status.contains("not removed yet: ") && status.contains("Deployment/webapp"), "{status}");
    // The next command finishes it, and then does what it is for.
    let next = world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "--lock-wait", "1m"]);
    assert!(
        next.stderr.contains("Deployment/webapp was to go with release 2 of webapp, whose run died: removed"),
        "{}",
        next.stderr
    );
    if next.code == 2 {
        // Its pods took their time to go.
        world.kubectl(&["wait", "--for=delete", "deployment/webapp", "--timeout=120s"]);
        world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    }
    world.shipcat(&["status", "webapp"]).ends(0);
    assert_eq!(world.image(), "0.2.0");
}

fn git(world: &World, args: &[&str]) -> String {
    let output = std::process::Command::new("git")
        .arg("-C")
        .arg(world.repo.path())
        .args(["-c", "user.name=t", "-c", "user.email=t@t.test"])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_rollback_is_of_the_revision_that_it_goes_back_to() {
    let world = World::new("revision");
    git(&world, &["init", "-q"]);
    let mut revisions = Vec::new();
    for level in ["one", "two"] {
        world.file("manifest.yml", &format!("{WEBAPP}env: {{LEVEL: {level}}}\n"));
        git(&world, &["add", "-A"]);
        git(&world, &["commit", "-q", "-m", level]);
        revisions.push(git(&world, &["rev-parse", "--short=7", "HEAD"]));
        world.shipcat(&["ship", "webapp"]).ends(0);
    }
    world.shipcat(&["rollback", "webapp"]).ends(0);
    let status = world.shipcat(&["status", "webapp"]).ends(0).stdout;
    assert!(
        status.contains("release   3 (rollback to 1, version 0.1.0)") && status.contains(&revisions[0]),
        "{status}"
    );
}
