//! On a real cluster: workloads of every kind, several at once, Jobs before them, autoscalers, and none at all.

use std::time::{Duration, Instant};

use crate::common::world::World;
use serde_json::{Value, json};

/// A world whose environment is of the cluster's own version, with this manifest.
fn world(name: &str, manifest: &str) -> World {
    let world = World::new(name);
    let version: Value = serde_json::from_str(&world.kubectl(&["version", "-o", "json"])).unwrap();
    let minor = version["serverVersion"]["minor"].as_str().unwrap().trim_end_matches('+').to_owned();
    let path = world.repo.path().join("shipcat.yml");
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, settings.replace("registry:", &format!("kubernetes: 1.{minor}, registry:"))).unwrap();
    world.file("manifest.yml", manifest);
    world
}

/// What every manifest here begins with.
const BASE: &str = "version: 0.1.0\nterminationGracePeriodSeconds: 2\n";

fn webapp(rest: &str) -> String {
    format!("{BASE}port: 8080\nhealth: /ready\n{rest}")
}

/// The state that a put-back must restore, of all kinds that are shipped here.
fn fields(world: &World) -> Value {
    let mut items = world.items(&["statefulsets,daemonsets,deployments,cronjobs,services,configmaps"]);
    items.retain(|item| item["metadata"]["name"] != "kube-root-ca.crt");
    items
        .iter()
        .map(|item| json!([item["kind"], item["metadata"]["name"], item["metadata"]["labels"], item["spec"]]))
        .collect()
}

fn images(world: &World) -> Vec<String> {
    let tag = |pod: &Value| {
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap();
        format!("{} {}", pod["metadata"]["name"].as_str().unwrap(), image.rsplit(':').next().unwrap())
    };
    let going = |pod: &&Value| pod["metadata"].get("deletionTimestamp").is_none();
    let mut found: Vec<String> = world.items(&["pods"]).iter().filter(going).map(tag).collect();
    found.sort();
    found
}

fn jobs(world: &World) -> Vec<String> {
    let name = |job: &Value| job["metadata"]["name"].as_str().unwrap().to_owned();
    world.items(&["jobs"]).iter().map(name).collect()
}

#[test]
fn a_stateful_set_moves_and_comes_back() {
    let world = world("set", &webapp("kind: StatefulSet\nreplicas: 2\n"));
    world.shipcat(&["ship", "webapp"]).ends(0).says("StatefulSet/webapp ");
    assert_eq!(images(&world), ["webapp-0 0.1.0", "webapp-1 0.1.0"]);
    let before = fields(&world);
    // Its controller waits for the bad pod for ever, also with the good template back.
    world
        .shipcat(&["ship", "webapp", "--tag", "crashes"])
        .ends(3)
        .says("container `webapp` of webapp-1 crashed 2 times: exit code 7")
        .says("| fatal: cannot connect to database db:5432: connection refused")
        .says("Pod/webapp-1 is the failed version's and keeps StatefulSet/webapp from going on: deleted")
        .says("webapp 0.1.0 runs in dev as before");
    assert_eq!((fields(&world), images(&world)), (before, vec!["webapp-0 0.1.0".into(), "webapp-1 0.1.0".into()]));
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do: webapp 0.1.0 runs");
    world
        .shipcat(&["ship", "webapp", "--tag", "0.2.0"])
        .ends(0)
        .says("StatefulSet/webapp   image    registry.shipcat.test/webapp:0.1.0 -> 0.2.0");
    assert_eq!(images(&world), ["webapp-0 0.2.0", "webapp-1 0.2.0"]);
    world.shipcat(&["rollback", "webapp"]).ends(0).says("webapp 0.1.0 runs in dev");
    let status = world.shipcat(&["status", "webapp"]).ends(0).stdout;
    assert!(status.contains("version   0.1.0\n  health    well, 2 pods ready\n"), "{status}");
    // What nobody can change is refused before anything is.
    let other = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: other}\nspec: {serviceName: NAME, replicas: 0, \
                 selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}\n";
    world.file("templates/other.yml.j2", &other.replace("NAME", "one"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.file("templates/other.yml.j2", &other.replace("NAME", "two"));
    world.shipcat(&["ship", "webapp"]).ends(2).says("delete statefulset other --cascade=orphan");
}

#[test]
fn a_version_that_works_heals_a_broken_stateful_set() {
    let world = world("healed", &webapp("kind: StatefulSet\nreplicas: 2\n"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.kubectl(&["set", "image", "statefulset/webapp", "webapp=registry.shipcat.test/webapp:never-ready"]);
    let deadline = Instant::now() + Duration::from_secs(90);
    while !images(&world).contains(&"webapp-1 never-ready".to_owned()) {
        assert!(Instant::now() < deadline, "the set never moved");
        std::thread::sleep(Duration::from_millis(300));
    }
    world.shipcat(&["status", "webapp"]).ends(1);
    world
        .shipcat(&["ship", "webapp", "--tag", "0.2.0"])
        .ends(0)
        .says("Pod/webapp-1 is the old version's and keeps StatefulSet/webapp from going on: deleted");
    assert_eq!(images(&world), ["webapp-0 0.2.0", "webapp-1 0.2.0"]);
}

#[test]
fn only_the_pods_above_the_partition_move_and_on_delete_is_not_watched() {
    let set = |strategy: &str| webapp(&format!("kind: StatefulSet\nreplicas: 2\nupdateStrategy: {strategy}\n"));
    let world = world("partition", &set("{type: RollingUpdate, rollingUpdate: {partition: 1}}"));
    let kept = "  StatefulSet/webapp: pods below partition 1 stay as they are\n";
    assert!(!world.shipcat(&["ship", "webapp"]).ends(0).stderr.contains(kept));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0).says(kept);
    assert_eq!(images(&world), ["webapp-0 0.1.0", "webapp-1 0.2.0"]);
    // On the way back the one below it counts neither as new nor as one to be replaced.
    let back = world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3).stderr;
    assert!(!back.contains("2 to be replaced"), "{back}");
    assert_eq!(images(&world), ["webapp-0 0.1.0", "webapp-1 0.2.0"]);
    world.file("manifest.yml", &set("{type: OnDelete}"));
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0).says("(OnDelete): not watched");
    assert_eq!(images(&world), ["webapp-0 0.1.0", "webapp-1 0.2.0"]);
}

#[test]
fn a_daemon_set_moves_and_comes_back() {
    let world = world(
        "daemon",
        // A busy node may be seconds late to tell of a crash.
        &format!("{BASE}kind: DaemonSet\nimage: heartbeat\nversion: 1.0.0\nminReadySeconds: 10\n").replacen(
            "version: 0.1.0\n",
            "",
            1,
        ),
    );
    world.shipcat(&["ship", "webapp"]).ends(0);
    let before = fields(&world);
    world
        .shipcat(&["ship", "webapp", "--tag", "crashes"])
        .ends(3)
        .says("crashed 2 times: exit code 3")
        .says("| fatal: heart stopped")
        .says("webapp 1.0.0 runs in dev as before");
    assert_eq!((fields(&world), world.ready_pods().len()), (before, 1));
    world.shipcat(&["ship", "webapp", "--tag", "1.1.0"]).ends(0);
    world.shipcat(&["rollback", "webapp"]).ends(0).says("webapp 1.0.0 runs in dev");
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
}

#[test]
fn workers_and_the_rest_are_one_transaction() {
    let manifest = |mailer: &str| {
        webapp(&format!(
            "replicas: 2\nserviceAccount: {{create: true}}\nworkers:\n  mailer: {{command: [sh, -c, '{mailer}sleep 10000'], replicas: 1}}\ncronJobs:\n  nightly: {{schedule: \"0 3 * * *\", command: [/bin/true]}}\n"
        ))
    };
    let world = world("workers", &manifest("exit 3;"));
    // A first ship that fails leaves nothing.
    world.shipcat(&["ship", "webapp"]).ends(3).says("container `").says("webapp is not in dev, as before");
    assert_eq!(fields(&world), json!([]));
    world.file("manifest.yml", &manifest(""));
    world.shipcat(&["ship", "webapp"]).ends(0);
    let (before, pods) = (fields(&world), world.ready_pods());
    // Only the worker is bad: everything comes back.
    world.file("manifest.yml", &manifest("echo no mail; exit 3;"));
    world
        .shipcat(&["ship", "webapp", "--tag", "0.2.0"])
        .ends(3)
        .says("| no mail")
        .says("CronJob/webapp-nightly   put back");
    assert_eq!(fields(&world), before);
    assert_eq!(world.ready_pods().len(), pods.len());
    let status = world.shipcat(&["status", "webapp"]).ends(0).stdout;
    assert!(
        status
            .contains("Deployment/webapp: well, 2 pods ready\n            Deployment/webapp-mailer: well, 1 pod ready"),
        "{status}"
    );
    world.file("manifest.yml", &manifest(""));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0).says("CronJob/webapp-nightly     image ");
    assert!(images(&world).iter().all(|image| image.ends_with(" 0.2.0")));
    world.kubectl(&["scale", "deployment/webapp-mailer", "--replicas=0"]);
    world.kubectl(&["set", "image", "deployment/webapp-mailer", "*=registry.shipcat.test/webapp:absent"]);
    world.kubectl(&["scale", "deployment/webapp-mailer", "--replicas=1"]);
    let status = world.shipcat(&["status", "webapp"]).ends(1).stdout;
    assert!(status.contains("Deployment/webapp: well"), "{status}");
    world.shipcat(&["rollback", "webapp"]).ends(0);
    world.shipcat(&["status", "webapp"]).ends(0);
}

#[test]
fn a_job_runs_once_before_the_rollout_and_stays() {
    let manifest =
        |command: &str| webapp(&format!("jobs:\n  migrate: {{command: [sh, -c, '{command}'], backoffLimit: 0}}\n"));
    let world = world("job", &manifest("echo one"));
    world.shipcat(&["ship", "webapp"]).ends(0).says("Job/webapp-migrate-");
    let one = jobs(&world);
    let runs = world.items(&["jobs"])[0]["metadata"]["uid"].clone();
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
    assert_eq!((jobs(&world), &world.items(&["jobs"])[0]["metadata"]["uid"]), (one.clone(), &runs));

    // One that fails: the rollout does not begin, and the Job goes.
    let before = fields(&world);
    world.file("manifest.yml", &manifest("echo no such table; exit 4"));
    world
        .shipcat(&["ship", "webapp", "--tag", "0.2.0"])
        .ends(3)
        .says("failed (BackoffLimitExceeded")
        .says("exit code 4")
        .says("| no such table")
        .says("webapp 0.1.0 runs in dev as before");
    assert_eq!((fields(&world), jobs(&world), world.replica_sets()), (before.clone(), one.clone(), 1));

    // One that runs, before a rollout that fails: it stays, and is not run again.
    world.file("manifest.yml", &manifest("echo two"));
    world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3).says(" ran and stays");
    assert_eq!(jobs(&world).len(), 2);
    // A rollback runs none.
    world.file("manifest.yml", &manifest("echo one"));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    let all = jobs(&world);
    world.shipcat(&["rollback", "webapp"]).ends(0).says("webapp 0.1.0 runs in dev");
    assert_eq!(jobs(&world), all);
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
}

#[test]
fn a_job_that_failed_before_runs_again() {
    let job = |command: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: webapp-once}}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      \
             restartPolicy: Never\n      containers: [{{name: once, image: 'registry.shipcat.test/webapp:0.1.0', command: [sh, -c, '{command}']}}]\n"
        )
    };
    let world = world("again", &webapp(""));
    world.kubectl_with(&["create", "-f", "-"], &job("exit 3"));
    world.kubectl(&["wait", "--for=condition=Failed", "job/webapp-once", "--timeout=60s"]);
    // With another command even: it is deleted, and made again.
    world.file("templates/once.yml.j2", &job("exit 0"));
    world
        .shipcat(&["ship", "webapp"])
        .ends(0)
        .says("Job/webapp-once failed before: it is deleted, with its pods, and runs again");
    assert_eq!(world.get(&["job", "webapp-once"])["status"]["succeeded"], json!(1));
    // One that ran cannot be changed.
    world.file("templates/once.yml.j2", &job("exit 1"));
    world.shipcat(&["ship", "webapp"]).ends(2).says("hint: a Job cannot be changed").says("delete job webapp-once");
}

/// Kubernetes would try it six times more, which takes longer than the ship may.
#[test]
fn a_job_that_nobody_gave_tries_ends_the_ship_at_its_second_crash() {
    let manifest = |rest: &str| webapp(&format!("jobs:\n  migrate: {{{rest}}}\n"));
    let world = world("job-twice", &manifest("command: [sh, -c, 'echo no such table; exit 6']"));
    world
        .shipcat(&["ship", "webapp"])
        .ends(3)
        .says("crashed 2 times, and no `backoffLimit` gives it more tries: ")
        .says("exit code 6")
        .says("| no such table")
        .says("webapp is not in dev, as before");
    assert_eq!((jobs(&world), fields(&world)), (vec![], json!([])));
    world.file("manifest.yml", &manifest("command: [/bin/true]"));
    world.shipcat(&["ship", "webapp"]).ends(0).says("webapp 0.1.0 runs in dev");
}

#[test]
fn a_job_that_does_not_end_and_one_whose_image_is_not_there() {
    let manifest = |rest: &str| webapp(&format!("jobs:\n  migrate: {{{rest}, backoffLimit: 3}}\n"));
    let world = world("job-late", &manifest("command: [sh, -c, 'echo at it; sleep 1000']"));
    world
        .shipcat(&["ship", "webapp", "--timeout", "15s"])
        .ends(3)
        .says("was still running")
        .says("| at it")
        .says("webapp is not in dev, as before");
    assert_eq!((jobs(&world), fields(&world)), (vec![], json!([])));
    world.file(
        "manifest.yml",
        // Long enough to be seen: Kubernetes removes the pod in the moment in which it gives up.
        &manifest("command: [sh, -c, 'echo tried; sleep 3; exit 5'], restartPolicy: OnFailure")
            .replace("backoffLimit: 3", "backoffLimit: 1"),
    );
    // Kubernetes takes its pods away when it gives up.
    world.shipcat(&["ship", "webapp"]).ends(3).says("exit code 5").says("| tried");
    assert_eq!(jobs(&world), Vec::<String>::new());
}

#[test]
fn a_service_that_moves_to_an_autoscaler_never_drops_a_pod() {
    let world = world("scaled", &webapp("replicas: 4\n"));
    world.shipcat(&["ship", "webapp"]).ends(0);
    let count = || world.get(&["deployment", "webapp"])["spec"]["replicas"].clone();
    let scaled = webapp("autoscaling: {minReplicas: 2, maxReplicas: 6, cpu: 80}\nresources: {requests: {cpu: 10m}}\n");
    world.file("manifest.yml", &scaled);
    let ship = |args: &[&str]| {
        std::thread::scope(|scope| {
            let ship = scope.spawn(|| world.shipcat(args));
            let mut counts = Vec::new();
            while !ship.is_finished() {
                counts.push(count());
            }
            (ship.join().unwrap(), counts)
        })
    };
    for args in [&["ship", "webapp"][..], &["ship", "webapp", "--tag", "0.2.0"]] {
        let (run, counts) = ship(args);
        run.ends(0).says("the number of pods is an autoscaler's, and left to it");
        assert!(counts.iter().all(|count| *count == json!(4)), "{counts:?}");
    }
    // A new one begins with the least.
    world.kubectl(&["delete", "deployment", "webapp"]);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    assert_eq!(count(), json!(2));
}

#[test]
fn a_service_without_a_workload() {
    let manifest =
        format!("{BASE}kind: None\ncronJobs:\n  nightly: {{schedule: \"0 3 * * *\", command: [/bin/true]}}\n");
    let world = world("none", &manifest);
    world.shipcat(&["ship", "webapp"]).ends(0).says("applied; nothing of it has a rollout to watch");
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do: webapp 0.1.0 is as the manifest says");
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0).says("CronJob/webapp-nightly   image ");
    let status = world.shipcat(&["status", "webapp"]).ends(0).stdout;
    assert!(status.contains("version   0.2.0\n  health    well, "), "{status}");
    world.shipcat(&["rollback", "webapp"]).ends(0).says("version 0.1.0");
    world.kubectl(&["delete", "cronjob", "webapp-nightly"]);
    world.shipcat(&["status", "webapp"]).ends(1);
}

#[test]
fn claims_stay_and_what_is_in_no_namespace_is_refused() {
    let world = world("claims", &webapp("volumes: {data: {mountPath: /data, claim: {storage: 10Mi}}}\n"));
    // Nobody makes a volume for it: its pod is never scheduled.
    world
        .shipcat(&["ship", "webapp", "--timeout", "4s"])
        .ends(3)
        .says("PersistentVolumeClaim/webapp-data stays")
        .says("cannot be scheduled");
    assert_eq!(world.items(&["persistentvolumeclaims"]).len(), 1);
    let volume = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: x}\n\
                  spec: {capacity: {storage: 1Mi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}}\n";
    world.file("templates/volume.yml.j2", volume);
    world.shipcat(&["ship", "webapp"]).ends(2).says("PersistentVolume/x is ").says("in no namespace");
}
