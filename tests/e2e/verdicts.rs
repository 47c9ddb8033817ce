//! On a real cluster: the verdicts of a rollout, each in its time and with its cause; and what looks bad and is good.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::world::World;
use serde_json::{Value, json};

/// A service of one pod, as quick as it may be.
const BASE: &str = "version: 0.1.0\nport: 8080\nreplicas: 1\nterminationGracePeriodSeconds: 2\n";
const HEALTH: &str = "health: /ready\n";

/// A world in which such a service runs.
fn running(name: &str) -> World {
    let world = World::new(name);
    manifest(&world, HEALTH);
    world.shipcat(&["ship", "webapp"]).ends(0);
    world
}

fn manifest(world: &World, more: &str) {
    world.file("manifest.yml", &format!("{BASE}{more}"));
}

/// Ships what must fail: within the seconds since the release began, with these words, and with everything as before.
#[track_caller]
fn fails(world: &World, more: &str, args: &[&str], seconds: std::ops::Range<u64>, says: &[&str]) -> Run {
    manifest(world, more);
    let (fields, pods) = (world.fields(), world.ready_pods());
    let mut run = world.shipcat(&[&["ship", "webapp"], args].concat()).ends(3);
    for text in says {
        run = run.says(text);
    }
    let (_, told) = run.stderr.split_once(" failed after ").unwrap_or_else(|| panic!("no verdict:\n{}", run.stderr));
    let after: f64 = told.split(' ').next().unwrap().parse().unwrap();
    let seconds = seconds.start as f64..seconds.end as f64;
    assert!(seconds.contains(&after), "the verdict came after {after} s, not in {seconds:?}:\n{}", run.stderr);
    assert_eq!((world.fields(), world.ready_pods()), (fields, pods), "{}", run.stderr);
    run
}

/// And the same service ships fine afterwards.
#[track_caller]
fn ships(world: &World, more: &str, tag: &str) {
    manifest(world, more);
    world.shipcat(&["ship", "webapp", "--tag", tag]).ends(0);
    assert_eq!(world.image(), tag);
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn end(child: Child) -> Run {
    Run::of(&child.wait_with_output().unwrap())
}

/// The pods of an image that are not being stopped.
fn pods(world: &World, tag: &str) -> Vec<Value> {
    let mut pods = world.items(&["pods"]);
    pods.retain(|pod| {
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap();
        image.ends_with(&format!(":{tag}")) && pod["metadata"].get("deletionTimestamp").is_none()
    });
    pods
}

#[test]
fn images_that_cannot_be_had() {
    let world = running("v-image");
    let never = format!("{HEALTH}imagePullPolicy: Never\n");
    fails(&world, &never, &["--tag", "absent"], 0..20, &["webapp:absent cannot be pulled: ", "pull policy of Never"]);
    // Nobody listens there now: that may pass.
    let away = format!("{HEALTH}image: 127.0.0.1:1/webapp\n");
    let run = fails(
        &world,
        &away,
        &["--grace", "imagePull=4s"],
        4..25,
        &["the image 127.0.0.1:1/webapp:0.1.0 cannot be pulled"],
    );
    assert!(run.stderr.contains("connection refused"), "{}", run.stderr);
    ships(&world, HEALTH, "0.2.0");
}

/// A registry on the node, for one image that is made of the files it runs from: a web server without anything else. It begins to
/// answer when `/go` is there.
const REGISTRY: &str = r#"
mkdir -p /r/v2/late/manifests /r/v2/late/blobs
cd / && busybox tar -cf /layer bin
sum() { set -- $(sha256sum "$1"); echo "sha256:$1"; }
size() { set -- $(wc -c "$1"); echo "$1"; }
arch=$(busybox uname -m | busybox sed 's/x86_64/amd64/; s/aarch64/arm64/')
printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin","BEHAVIOUR=webapp late"],"Cmd":["/bin/app"]},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \
    "$arch" "$(sum /layer)" > /config
printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":%s,"digest":"%s"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","size":%s,"digest":"%s"}]}' \
    "$(size /config)" "$(sum /config)" "$(size /layer)" "$(sum /layer)" > /manifest
for blob in layer config; do cat /$blob > "/r/v2/late/blobs/$(sum /$blob)"; done
cat /manifest > /r/v2/late/manifests/1.late
cat /manifest > "/r/v2/late/manifests/$(sum /manifest)"
echo '.late:application/vnd.docker.distribution.manifest.v2+json' > /httpd.conf
while [ ! -e /go ]; do sleep 1; done
exec busybox httpd -f -c /httpd.conf -p "127.0.0.1:$PORT" -h /r
"#;

#[test]
fn an_image_that_comes_late_is_none_that_is_missing() {
    let world = running("v-late");
    let port = 20_000 + std::process::id() % 10_000;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "registry"}, "spec": {
        "hostNetwork": true, "terminationGracePeriodSeconds": 0, "containers": [{
            "name": "registry", "image": "registry.shipcat.test/webapp:0.1.0", "command": ["sh", "-c", REGISTRY],
            "env": [{"name": "PORT", "value": port.to_string()}]}]}});
    world.kubectl_with(&["create", "-f", "-"], &pod.to_string());
    world.kubectl(&["wait", "--for=condition=Ready", "pod/registry", "--timeout=60s"]);
    manifest(&world, &format!("{HEALTH}image: 127.0.0.1:{port}/late\n"));
    let child = world.start(&["ship", "webapp", "--tag", "1.late"]);
    let refused = |pod: &Value| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ErrImagePull";
    until("the image was never asked for", || pods(&world, "1.late").iter().any(refused));
    world.kubectl(&["exec", "registry", "--", "touch", "/go"]);
    // What the engine tries once more, and gets.
    end(child).ends(0).says("cannot be pulled: ");
    assert_eq!((world.image().as_str(), world.ready_pods().len()), ("1.late", 2), "the registry, and it");
}

#[test]
fn containers_that_cannot_be_started() {
    let world = running("v-start");
    let root = format!("{HEALTH}securityContext: {{runAsNonRoot: true}}\n");
    let says = ["container `webapp` of webapp-", "cannot be configured: container has runAsNonRoot"];
    fails(&world, &root, &["--grace", "config=4s"], 4..25, &says);
    let gone = format!("{HEALTH}command: [/no/such]\n");
    fails(&world, &gone, &[], 0..25, &["container `webapp` of webapp-", "no such file or directory"]);
    // Something that the kernel cannot run.
    let format = format!(
        "{HEALTH}command: [/scratch/run]\nvolumes: {{work: {{mountPath: /scratch, emptyDir: {{}}}}}}\ninitContainers:\n  \
         - {{name: write, volumeMounts: [{{name: work, mountPath: /scratch}}], command: [sh, -c, 'echo no program > /scratch/run; /bin/busybox chmod 755 /scratch/run']}}\n"
    );
    fails(&world, &format, &[], 0..30, &["container `webapp` of webapp-", "exec format error"]);
    ships(&world, HEALTH, "0.2.0");
}

#[test]
fn pods_that_cannot_be_made_or_have_no_place() {
    let world = running("v-place");
    let nowhere = format!("{HEALTH}nodeSelector: {{no-such: node}}\n");
    let says = ["cannot be scheduled: 0/", "Deployment/webapp: 0 of 1 new ready, 1 failing, 1 old"];
    fails(&world, &nowhere, &["--grace", "schedule=3s"], 3..20, &says);
    // Where there is less time than patience, the time decides; and the cause is told all the same.
    let (fields, pods) = (world.fields(), world.ready_pods());
    world
        .shipcat(&["ship", "webapp", "--timeout", "3s"])
        .ends(3)
        .says("webapp 0.1.0 was not up within 3.0 s")
        .says("cannot be scheduled: 0/");
    assert_eq!((world.fields(), world.ready_pods()), (fields, pods));
    let limits = r#"{"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "large"}, "spec": {"limits": [{"type": "Container", "min": {"memory": "1Gi"}}]}}"#;
    world.kubectl_with(&["create", "-f", "-"], limits);
    let more = format!("{HEALTH}resources: {{requests: {{memory: 1Mi}}, limits: {{memory: 20Mi}}}}\n");
    let says = ["no pod can be created: ", "minimum memory usage per Container is 1Gi", "new ready, 1 old"];
    fails(&world, &more, &["--grace", "create=3s"], 3..25, &says);
    world.kubectl(&["delete", "limitrange", "large"]);
    ships(&world, &more, "0.2.0");
}

/// While an autoscaler adds a node, as its event on the pod says, the deadline decides. (There is none here: the event is what it would write.)
#[test]
fn a_node_that_is_being_added_is_waited_for() {
    let world = running("v-node");
    manifest(&world, &format!("{HEALTH}nodeSelector: {{no-such: node}}\n"));
    let fields = world.fields();
    let ship = world.start(&["ship", "webapp", "--tag", "0.2.0", "--grace", "schedule=4s", "--timeout", "12s"]);
    until("a pod has no place", || !pods(&world, "0.2.0").is_empty());
    let pod = &pods(&world, "0.2.0")[0]["metadata"];
    let now = world.kubectl(&["get", "lease", "shipcat", "-o", "jsonpath={.spec.renewTime}"]);
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "scale-up"}, "type": "Normal", "reason": "TriggeredScaleUp",
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": pod["name"], "uid": pod["uid"], "namespace": world.namespace},
        "source": {"component": "cluster-autoscaler"}, "count": 1, "firstTimestamp": format!("{}Z", &now[..19]), "lastTimestamp": format!("{}Z", &now[..19]),
        "message": "pod triggered scale-up: [{pool 1->2 (max: 3)}]"});
    world.kubectl_with(&["create", "-f", "-"], &event.to_string());
    let run = end(ship).ends(3).says("webapp 0.2.0 was not up within 12 s").says("(a node is being added)");
    assert_eq!(world.fields(), fields, "{}", run.stderr);
    // Nobody adds one: the same is doomed in its time.
    let nowhere = format!("{HEALTH}nodeSelector: {{no-such: node}}\nenv: {{A: b}}\n");
    fails(&world, &nowhere, &["--grace", "schedule=4s", "--timeout", "60s"], 4..25, &["cannot be scheduled: 0/"]);
}

/// A quota that counts some pods only is none that a look at the objects can tell.
#[test]
fn a_quota_that_has_room_for_some_of_the_pods() {
    let world = running("v-some");
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "two"},
        "spec": {"hard": {"pods": "2"}, "scopes": ["NotTerminating"]}});
    world.kubectl_with(&["create", "-f", "-"], &quota.to_string());
    until("the quota counts", || world.get(&["resourcequota", "two"])["status"]["used"]["pods"] == "1");
    let more = format!("{HEALTH}env: {{A: b}}\n");
    let says = ["can be created: ", "exceeded quota: two", "webapp 0.1.0 runs in dev as before"];
    world.file("dev.yml", "replicas: 3\n");
    fails(&world, &more, &["--grace", "create=3s"], 3..30, &says);
    world.kubectl(&["delete", "resourcequota", "two"]);
    ships(&world, &more, "0.2.0");
    assert_eq!(world.ready_pods().len(), 3);
}

#[test]
fn crashes_that_doom_and_crashes_that_heal() {
    let world = running("v-crash");
    // Nothing probes it: its pod must stand for a while by itself, or Kubernetes would take the old one away.
    let sidecar = format!("{HEALTH}sidecars:\n  - {{name: proxy, command: [sh, -c, 'echo no certificate; exit 4']}}\n");
    let says = ["container `proxy` of webapp-", "crashed 2 times: exit code 4", "| no certificate"];
    fails(&world, &sidecar, &[], 0..30, &says);
    fails(
        &world,
        "command: [/bin/true]\n",
        &[],
        0..30,
        &["container `webapp` of webapp-", "ended 2 times: exit code 0"],
    );
    // One crash heals: of the container, and of what prepares it.
    manifest(&world, HEALTH);
    world.shipcat(&["ship", "webapp", "--tag", "flaky"]).ends(0);
    let restarts = |list: &str| pods(&world, "flaky")[0]["status"][list][0]["restartCount"].clone();
    assert_eq!(restarts("containerStatuses"), json!(1));
    let init = "'test -e /dev/shm/prepared || { touch /dev/shm/prepared; exit 5; }'";
    manifest(&world, &format!("{HEALTH}initContainers:\n  - {{name: prepare, command: [sh, -c, {init}]}}\n"));
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0);
    let init = &pods(&world, "0.3.0")[0]["status"]["initContainerStatuses"][0];
    assert_eq!((&init["restartCount"], &init["ready"]), (&json!(1), &json!(true)));
}

#[test]
fn onto_a_broken_service_what_works_goes_out_and_what_does_not_is_no_success() {
    let world = running("v-broken");
    let stuck = format!("{HEALTH}progressDeadlineSeconds: 1\n");
    manifest(&world, &stuck);
    world.shipcat(&["ship", "webapp", "--tag", "crashes", "--on-failure", "keep"]).ends(5);
    // Nothing changes, and nothing is well.
    let sets = world.replica_sets();
    let run = world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3);
    assert!(run.stderr.contains("crashed") && run.stderr.contains("exit code 7"), "{}", run.stderr);
    let run = run.says("\nnothing was changed: webapp crashes in dev is as before (release 3 was taken back)\nhint: ship a version that works");
    assert!(!run.stderr.contains("taking it back") && !run.stderr.contains(" runs in dev"), "{}", run.stderr);
    let status = world.shipcat(&["status", "webapp"]).ends(1).stdout;
    assert!(status.contains("release 1 brought 0.1.0: release 2, which failed, left crashes\n"), "{status}");
    assert_eq!(world.replica_sets(), sets);
    until("it was never said to be stuck", || {
        let conditions = world.get(&["deployment", "webapp"])["status"]["conditions"].clone();
        conditions.as_array().unwrap().iter().any(|condition| condition["reason"] == "ProgressDeadlineExceeded")
    });
    // Back to the ReplicaSet that was there before, which has its pod still: with a condition that speaks of another one.
    let before = world.ready_pods();
    manifest(&world, HEALTH);
    world.shipcat(&["ship", "webapp", "--tag", "0.1.0"]).ends(0);
    assert_eq!((world.ready_pods(), world.image().as_str()), (before, "0.1.0"));
    world.kubectl(&["set", "image", "deployment/webapp", "webapp=registry.shipcat.test/webapp:absent"]);
    ships(&world, HEALTH, "0.2.0");
    assert_eq!(pods(&world, "absent"), Vec::<Value>::new());
}

#[test]
fn readiness_that_comes_and_goes_is_no_success() {
    let world = running("v-flap");
    let flap = "command: [sh, -c, 'while :; do touch /tmp/up; sleep 2; rm /tmp/up; sleep 2; done']\n";
    let probe = "readinessProbe: {exec: {command: [test, -e, /tmp/up]}, periodSeconds: 1, failureThreshold: 1}\nminReadySeconds: 5\n";
    manifest(&world, &format!("{flap}{probe}"));
    let (fields, pods) = (world.fields(), world.ready_pods());
    world
        .shipcat(&["ship", "webapp", "--timeout", "14s"])
        .ends(3)
        .says("webapp 0.1.0 was not up within 14 s")
        .says("container `webapp` of webapp-")
        .says("(readiness probe: test -e /tmp/up)")
        .says("event: Unhealthy: Readiness probe failed")
        .says(" over ");
    assert_eq!((world.fields(), world.ready_pods()), (fields, pods));
    // What stays up for as long as it must is one.
    let steady = "command: [sh, -c, 'touch /tmp/up; sleep 1000']\n";
    ships(&world, &format!("{steady}{probe}"), "0.2.0");
}

#[test]
fn no_pods_and_pods_again_and_a_rollout_that_somebody_stops() {
    let world = running("v-none");
    let count = |n: u32| {
        world.file("manifest.yml", &format!("{BASE}{HEALTH}").replace("replicas: 1", &format!("replicas: {n}")))
    };
    count(0);
    world.shipcat(&["ship", "webapp"]).ends(0);
    assert_eq!(world.get(&["deployment", "webapp"])["spec"]["replicas"], json!(0));
    // None of it is wanted, so nothing of it can fail.
    world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(0);
    assert_eq!(pods(&world, "crashes"), Vec::<Value>::new());
    count(2);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    assert_eq!(world.ready_pods().len(), 2);
    // Paused in the middle: no new pod will come, which is said at once. What somebody else paused stays so, and a person must know.
    let child = world.start(&["ship", "webapp", "--tag", "slow", "--rollback-timeout", "20s"]);
    until("the ship never changed the image", || !pods(&world, "slow").is_empty());
    world.kubectl(&["rollout", "pause", "deployment/webapp"]);
    let run = end(child).ends(5).says("Deployment/webapp is paused: no new pods are made (`kubectl rollout resume");
    assert!(run.stderr.contains("webapp slow failed after "), "{}", run.stderr);
    world.kubectl(&["rollout", "resume", "deployment/webapp"]);
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0);
}

#[test]
fn pods_that_go_in_the_middle_are_replaced() {
    let world = running("v-evicted");
    let child = world.start(&["ship", "webapp", "--tag", "slow"]);
    until("the ship never made a pod", || !pods(&world, "slow").is_empty());
    let deleted = pods(&world, "slow")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    world.kubectl(&["delete", "pod", &deleted, "--wait=false"]);
    end(child).ends(0);
    assert_eq!(world.ready_pods().len(), 1);
    assert!(pods(&world, "slow").iter().all(|pod| pod["metadata"]["name"] != json!(deleted)));

    // As the node does it: the pod stays in the list as one that failed. Without a probe, so that each container is looked at.
    let volume = "volumes: {work: {mountPath: /scratch, emptyDir: {sizeLimit: 1Mi}}}\nminReadySeconds: 1\n";
    ships(&world, volume, "0.2.0");
    let evicted = pods(&world, "0.2.0")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let fill = ["exec", &evicted, "--", "/bin/busybox", "dd", "if=/dev/zero", "of=/scratch/full", "bs=1M", "count=4"];
    world.kubectl(&fill);
    let failed = || pods(&world, "0.2.0").iter().any(|pod| pod["status"]["reason"] == "Evicted");
    until("it was never evicted", || failed() && world.ready_pods().len() == 1);
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "--timeout", "20s"]).ends(0).says("nothing to do");
    world.shipcat(&["status", "webapp"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0);
    assert!(failed(), "it is still in the list");
}

/// A workload of the service's own beside the built-in one.
fn beside(image: &str, env: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: beside}}\nspec:\n  replicas: 1\n  selector: {{matchLabels: {{app: beside}}}}\n  \
         template:\n    metadata: {{labels: {{app: beside}}}}\n    spec:\n      terminationGracePeriodSeconds: 2\n      \
         containers:\n        - {{name: beside, image: '{image}', env: [{env}]}}\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: own}}\ndata: {{there: \"1\"}}\n"
    )
}

#[test]
fn one_bad_workload_of_several_is_named_and_so_are_those_that_are_well() {
    let world = running("v-beside");
    let key = |key: &str| format!("{{name: A, valueFrom: {{configMapKeyRef: {{name: own, key: {key}}}}}}}");
    let good = "registry.shipcat.test/webapp:0.1.0";
    let is = |image: &str, name: &str| world.file("templates/beside.yml.j2", &beside(image, &key(name)));
    is(good, "there");
    ships(&world, HEALTH, "0.1.0");
    is("registry.shipcat.test/Webapp:0.1.0", "there");
    let says = ["container `beside` of beside-", "the image registry.shipcat.test/Webapp:0.1.0 cannot be pulled: "];
    fails(&world, HEALTH, &[], 0..20, &says).says("up: Deployment/webapp");
    // A key that our own object has not is no rollout at all.
    is(good, "absent");
    world.shipcat(&["ship", "webapp"]).ends(2).says("ConfigMap/own has no `absent`");
    is(good, "there");

    // And where the object goes in the middle nobody will make it again: no patience with that.
    let uses = "env: {A: {configMap: own, key: there}}\ninitContainers:\n  - {name: wait, command: [sleep, '4']}\n";
    manifest(&world, &format!("{HEALTH}{uses}"));
    let child = world.start(&["ship", "webapp", "--grace", "config=4m"]);
    let begun = |pod: &Value| pod["status"]["initContainerStatuses"][0]["state"].get("running").is_some();
    until("the ship never made a pod", || pods(&world, "0.1.0").iter().any(begun));
    world.kubectl(&["delete", "configmap", "own"]);
    let deleted = Instant::now();
    end(child).ends(5).says("container `webapp` of webapp-").says("cannot be configured: configmap \"own\" not found");
    assert!(deleted.elapsed() < Duration::from_secs(60), "{:?}", deleted.elapsed());
    ships(&world, HEALTH, "0.2.0");
}

#[test]
fn fifty_pods() {
    let world = World::new("v-fifty");
    let many = "image: heartbeat\nversion: 1.0.0\nreplicas: 50\nterminationGracePeriodSeconds: 1\nminReadySeconds: 0\n";
    world.file("manifest.yml", many);
    let run = world.shipcat(&["ship", "webapp", "--grace", "settle=1s"]).ends(0);
    assert!(run.stderr.contains(" of 50 new pods ready"), "{}", run.stderr);
    assert_eq!(world.ready_pods().len(), 50);
}

#[test]
fn what_is_waited_for_without_an_end_is_named() {
    let world = running("v-waits");
    let before = world.fields();
    // Its containers are ready, and it is not.
    manifest(&world, &format!("{HEALTH}readinessGates: [{{conditionType: example.com/lb}}]\n"));
    let run = world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "--timeout", "8s"]).ends(3);
    let gate = " waits for its readiness gate `example.com/lb`";
    let (live, report) = run.stderr.split_once("webapp 0.2.0 was not up within 8.0 s").unwrap();
    assert!(live.contains("0 of 1 new pods ready, 1 old: webapp-") && live.contains(gate), "{}", run.stderr);
    assert!(report.contains(gate), "{}", run.stderr);
    assert_eq!(world.fields(), before);
    ships(&world, HEALTH, "0.2.0");
    // Paused behind its end, it is as well as before; with something behind it, it is not.
    world.kubectl(&["rollout", "pause", "deployment/webapp"]);
    let status = world.shipcat(&["status", "webapp"]).ends(0).stdout;
    assert!(status.contains("well, 1 pod ready; it is paused: nothing that is shipped rolls out until"), "{status}");
    world.kubectl(&["set", "image", "deployment/webapp", "webapp=registry.shipcat.test/webapp:0.3.0"]);
    let status = world.shipcat(&["status", "webapp"]).ends(1).stdout;
    assert!(status.contains("broken: Deployment/webapp is paused: no new pods are made"), "{status}");
}

#[test]
fn pods_that_must_stop_first_are_named() {
    let world = World::new("v-stopping");
    let slow = "image: heartbeat\nreplicas: 1\nstrategy: {type: Recreate}\nterminationGracePeriodSeconds: 14\nminReadySeconds: 1\ncommand: [sh, -c, 'trap : TERM; while :; do sleep 1; done']\n";
    let version = |version: &str| world.file("manifest.yml", &format!("version: {version}\n{slow}"));
    version("1.0.0");
    world.shipcat(&["ship", "webapp"]).ends(0);
    version("1.1.0");
    let run = world.shipcat(&["ship", "webapp", "--timeout", "7s", "-o", "json"]).ends(3);
    assert!(run.stderr.contains("  0 of 1 new pods ready: waits for webapp-"), "{}", run.stderr);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    let failing = &told["services"][0]["failing"][0];
    let message = failing["message"].as_str().unwrap();
    assert!(failing["reason"] == "stopping" && message.contains(" to stop (its grace period ends in "), "{told:#}");
    // In time enough it is none of a failure.
    world.shipcat(&["ship", "webapp"]).ends(0).says("webapp 1.1.0 runs in dev after");
}

#[test]
fn a_daemon_set_that_no_node_takes_is_told() {
    let world = World::new("v-no-node");
    let agent =
        "kind: DaemonSet\nimage: heartbeat\nversion: 1.0.0\nterminationGracePeriodSeconds: 1\nminReadySeconds: 1\n";
    world.file("manifest.yml", agent);
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.file("manifest.yml", &format!("{agent}nodeSelector: {{no: where}}\n"));
    world
        .shipcat(&["ship", "webapp"])
        .ends(0)
        .says("  DaemonSet/webapp: no node takes a pod of it (nodeSelector, affinity, taints)\n");
    let status = world.shipcat(&["status", "webapp"]).ends(0).stdout;
    assert!(status.contains("well, but no node takes a pod of DaemonSet/webapp"), "{status}");
}
