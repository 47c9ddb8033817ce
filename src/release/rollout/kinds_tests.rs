//! The judges of StatefulSets and DaemonSets, and of several workloads at once; and what the tests of other kinds need.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::moment::Moment;
use super::stuck::in_the_way;
use super::{Goal, Limits, Memory, Picture, Verdict, judge};
use crate::yaml::Object;

pub fn object(value: Value) -> Object {
    Object::new(value).unwrap()
}

fn template(image: &str) -> Value {
    json!({"spec": {"containers": [{"name": "w", "image": image, "readinessProbe": {}}]}})
}

fn workload(kind: &str, spec: Value, status: Value) -> Value {
    let mut value = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "w", "uid": "o", "generation": 2},
        "spec": {"template": template("w:2")}, "status": {"observedGeneration": 2}});
    for (part, more) in [("spec", spec), ("status", status)] {
        value[part].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    value
}

fn set(spec: Value, status: Value) -> Value {
    let mut whole = json!({"updateRevision": "new", "currentRevision": "old"});
    whole.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
    workload("StatefulSet", spec, whole)
}

/// A pod of the workload: its name is its uid too.
pub fn pod(name: &str, revision: &str, state: Value) -> Value {
    let ready = if state.get("running").is_some() { "True" } else { "False" };
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "uid": name, "labels": {"controller-revision-hash": revision},
            "ownerReferences": [{"uid": "o", "controller": true}]},
        "spec": {"containers": [{"name": "w", "image": "w:2"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "w", "ready": ready == "True", "restartCount": 0, "state": state}]}})
}

pub fn running() -> Value {
    json!({"running": {}})
}

pub fn no_image() -> Value {
    json!({"waiting": {"reason": "ErrImagePull", "message": "w:2: not found"}})
}

/// What is said of the workload, which comes first, and of it only.
pub fn verdict(objects: &[Value]) -> Verdict {
    at(objects, &mut Memory::default(), Instant::now())
}

pub fn at(objects: &[Value], memory: &mut Memory, now: Instant) -> Verdict {
    let goal = Goal::of(&object(objects[0].clone()), Vec::new()).unwrap();
    judge(&Picture::of(objects.iter().cloned().map(object).collect()), &[goal], memory, &Limits::default(), now)
}

pub fn line(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Waiting(line, _) => line,
        Verdict::Doomed(findings) => &findings[0].message,
        Verdict::Superseded(why) => why,
        Verdict::Good => "good",
    }
}

#[test]
fn a_stateful_set_is_up_when_its_revision_is_the_current_one_and_all_pods_are_ready() {
    let pods = || ["w-0", "w-1", "w-2"].map(|name| pod(name, "new", running()));
    let of = |status: Value| verdict(&[&[set(json!({"replicas": 3}), status)][..], &pods()].concat());
    let done = json!({"replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "currentRevision": "new"});
    assert_eq!(of(done.clone()), Verdict::Good);
    for (field, value) in [
        ("replicas", json!(4)),
        ("readyReplicas", json!(2)),
        ("updatedReplicas", json!(2)),
        ("currentRevision", json!("old")),
        ("observedGeneration", json!(1)),
    ] {
        let mut status = done.clone();
        status[field] = value;
        assert!(matches!(of(status), Verdict::Waiting(..)), "{field}");
    }
    // What the pods say already, the status may not say yet.
    let crashed = pod("w-1", "new", json!({"terminated": {"exitCode": 3}}));
    let objects = [set(json!({"replicas": 3}), done), pods()[0].clone(), crashed, pods()[2].clone()];
    assert!(matches!(verdict(&objects), Verdict::Waiting(..)));
    let none = json!({"replicas": 0, "currentRevision": "new"});
    assert_eq!(verdict(&[set(json!({"replicas": 0}), none)]), Verdict::Good);
}

#[test]
fn only_the_pods_from_the_partition_on_are_waited_for() {
    let spec = json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}});
    let status = |updated: u32| json!({"replicas": 3, "readyReplicas": 3, "updatedReplicas": updated});
    let new = pod("w-2", "new", running());
    assert_eq!(verdict(&[set(spec.clone(), status(1)), new]), Verdict::Good);
    assert_eq!(line(&verdict(&[set(spec, status(0))])), "0 of 1 new pods ready, 3 old");
}

#[test]
fn one_bad_pod_of_the_new_revision_dooms_a_stateful_set_and_one_of_the_old_does_not() {
    let status = json!({"replicas": 3, "readyReplicas": 2, "updatedReplicas": 1});
    let of = |revision: &str| {
        verdict(&[
            set(json!({"replicas": 3}), status.clone()),
            pod("w-0", "old", running()),
            pod("w-1", "old", running()),
            pod("w-2", revision, no_image()),
        ])
    };
    assert!(
        matches!(of("new"), Verdict::Doomed(findings) if findings[0].pod == "w-2" && findings[0].reason == "image")
    );
    assert!(matches!(of("old"), Verdict::Waiting(..)));
}

#[test]
fn what_the_server_knows_of_min_ready_seconds_decides_who_waits() {
    let done = json!({"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "currentRevision": "new"});
    // The server holds the pod back itself, and says so.
    let held = |available: u32| {
        let mut status = done.clone();
        status["availableReplicas"] = json!(available);
        verdict(&[set(json!({"replicas": 1, "minReadySeconds": 5}), status), pod("w-0", "new", running())])
    };
    assert!(matches!(held(0), Verdict::Waiting(..)));
    assert_eq!(held(1), Verdict::Good);
    // It dropped the field: without a probe the pod must hold out under our eyes.
    let mut old = set(json!({"replicas": 1}), done);
    old["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("readinessProbe");
    let objects = [old, pod("w-0", "new", running())];
    let (mut memory, start) = (Memory::default(), Instant::now());
    assert!(line(&at(&objects, &mut memory, start)).contains("watching that they stay up"));
    assert_eq!(at(&objects, &mut memory, start + Duration::from_secs(6)), Verdict::Good);
}

#[test]
fn a_pod_that_never_gets_ready_is_taken_out_of_the_way_of_its_stateful_set() {
    let status = json!({"replicas": 2, "readyReplicas": 1, "updatedReplicas": 0});
    let names = |spec: Value, former: bool, wait: u64, revision: &str| -> Vec<String> {
        let live = set(spec, status.clone());
        let mut goal = Goal::of(&object(live.clone()), Vec::new()).unwrap();
        if former {
            goal = goal.former();
        }
        let objects = [live, pod("w-0", "old", running()), pod("w-1", revision, json!({"waiting": {}}))];
        let picture = Picture::of(objects.into_iter().map(object).collect());
        let (limits, mut memory, start) = (Limits::default(), Memory::default(), Instant::now());
        let moment = |now| Moment { picture: &picture, goal: &goal, limits: &limits, now };
        in_the_way(moment(start), &mut memory);
        let found = in_the_way(moment(start + Duration::from_secs(wait)), &mut memory);
        found.into_iter().map(|pod| pod.name().to_owned()).collect()
    };
    let two = json!({"replicas": 2});
    assert_eq!(names(two.clone(), true, 0, "failed"), ["w-1"]);
    // It may be on its way up, and the new version may wait for that.
    assert_eq!(names(two.clone(), false, 5, "old"), Vec::<String>::new());
    assert_eq!(names(two.clone(), false, 11, "old"), ["w-1"]);
    assert_eq!(names(two, true, 11, "new"), Vec::<String>::new());
    let parallel = json!({"replicas": 2, "podManagementPolicy": "Parallel"});
    assert_eq!(names(parallel, true, 11, "failed"), Vec::<String>::new());
}

#[test]
fn a_pod_of_the_failed_version_below_the_partition_is_no_way_back() {
    let spec = json!({"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
    let live = set(spec, json!({"replicas": 2, "readyReplicas": 2, "updatedReplicas": 0}));
    let goal = Goal::of(&object(live.clone()), Vec::new()).unwrap().former();
    let judged = |revision: &str| {
        let pods = [pod("w-0", "old", running()), pod("w-1", revision, running())];
        let picture = Picture::of([live.clone()].into_iter().chain(pods).map(object).collect());
        let (limits, mut memory, now) = (Limits::default(), Memory::default(), Instant::now());
        let verdict = judge(&picture, std::slice::from_ref(&goal), &mut memory, &limits, now);
        let moment = Moment { picture: &picture, goal: &goal, limits: &limits, now };
        let cleared: Vec<String> =
            in_the_way(moment, &mut memory).into_iter().map(|pod| pod.name().to_owned()).collect();
        (verdict == Verdict::Good, cleared)
    };
    assert_eq!(judged("old"), (true, vec![]));
    assert_eq!(judged("failed"), (false, vec!["w-1".to_owned()]));
}

fn revision(number: u32, hash: &str, image: &str) -> Value {
    let mut template = template(image);
    template["$patch"] = json!("replace");
    template["metadata"] = json!(null);
    json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": number, "data": {"spec": {"template": template}},
        "metadata": {"name": hash, "uid": hash, "labels": {"controller-revision-hash": hash},
            "ownerReferences": [{"uid": "o", "controller": true}]}})
}

#[test]
fn a_daemon_set_is_up_when_every_node_that_should_has_a_new_pod() {
    let of = |wanted: u32, updated: u32, available: u32| {
        let status =
            json!({"desiredNumberScheduled": wanted, "updatedNumberScheduled": updated, "numberAvailable": available});
        let pods = |state: Value| [pod("w-a", "h1", running()), pod("w-b", "h1", state)];
        let of = |state| verdict(&[&[workload("DaemonSet", json!({}), status.clone())][..], &pods(state)].concat());
        // What the pods say already, the status may not say yet.
        assert!(wanted == 0 || matches!(of(json!({"terminated": {"exitCode": 3}})), Verdict::Waiting(..)));
        of(running())
    };
    assert_eq!((of(2, 2, 2), of(0, 0, 0)), (Verdict::Good, Verdict::Good));
    assert!(matches!(of(2, 1, 2), Verdict::Waiting(..)) && matches!(of(2, 2, 1), Verdict::Waiting(..)));
}

#[test]
fn the_new_pods_of_a_daemon_set_are_those_of_its_newest_revision() {
    let status = json!({"desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 1});
    let of = |revisions: &[Value]| {
        let pods = [pod("w-a", "h1", running()), pod("w-b", "h2", no_image())];
        verdict(&[&[workload("DaemonSet", json!({}), status.clone())], revisions, &pods].concat())
    };
    let (old, new) = (revision(1, "h1", "w:1"), revision(2, "h2", "w:2"));
    assert!(matches!(of(&[old.clone(), new]), Verdict::Doomed(_)));
    // An old template that is used again has the highest number.
    let again = [revision(3, "h1", "w:2"), revision(2, "h2", "w:1")];
    assert!(matches!(of(&again), Verdict::Waiting(..)));
    // The newest revision has not been told yet: what is known is not believed.
    let lagging = [workload("DaemonSet", json!({}), status.clone()), old, pod("w-a", "h1", no_image())];
    assert!(matches!(verdict(&lagging), Verdict::Waiting(..)));
}

/// Seen on a busy machine: the status still counted a pod that had crashed since, and a kubelet that was seconds behind reported a
/// container as ready, with the time at which it had been, when it had crashed already.
#[test]
fn a_container_must_be_seen_to_hold_out_also_where_the_server_holds_its_pod_back() {
    let status = json!({"desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1});
    let mut stale = workload("DaemonSet", json!({"minReadySeconds": 5}), status);
    stale["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("readinessProbe");
    let mut pods = [running(), json!({"terminated": {"exitCode": 3}}), running()].map(|state| pod("w-a", "h1", state));
    pods[2]["status"]["containerStatuses"][0]["restartCount"] = json!(1);
    let mut newest = revision(1, "h1", "w:2");
    newest["data"]["spec"]["template"]["spec"] = stale["spec"]["template"]["spec"].clone();
    let (mut memory, start) = (Memory::default(), Instant::now());
    let mut judged = |pod: &Value, after: u64| {
        let objects = [stale.clone(), newest.clone(), pod.clone()];
        at(&objects, &mut memory, start + Duration::from_secs(after))
    };
    assert!(matches!(judged(&pods[1], 0), Verdict::Waiting(..)));
    assert!(matches!(judged(&pods[2], 1), Verdict::Waiting(..)));
    // Twice as long as another.
    assert!(matches!(judged(&pods[2], 10), Verdict::Waiting(..)));
    assert_eq!(judged(&pods[2], 11), Verdict::Good);
    // Without a crash too, to the second from whose beginning the server counts.
    assert!(matches!(judged(&pods[0], 11), Verdict::Waiting(..)));
    assert!(matches!(judged(&pods[0], 14), Verdict::Waiting(..)));
    assert_eq!(judged(&pods[0], 15), Verdict::Good);
    // What was there before the ship has held out already.
    let before = Picture::of(vec![object(pods[2].clone())]);
    let mut memory = Memory::baseline(&before, true);
    assert_eq!(at(&[stale, newest, pods[2].clone()], &mut memory, start), Verdict::Good);
}

#[test]
fn pods_that_no_controller_makes_doom_when_the_events_say_why() {
    // Its controller makes the pods first, and then says that it has seen the change.
    let objects = [set(json!({"replicas": 1}), json!({"observedGeneration": 1}))];
    let (mut memory, start) = (Memory::default(), Instant::now());
    at(&objects, &mut memory, start);
    assert!(matches!(at(&objects, &mut memory, start + Duration::from_secs(31)), Verdict::Waiting(..)));
    assert!(memory.wants_events);
    memory.refusals.insert("o".into(), "exceeded quota".into());
    assert_eq!(
        line(&at(&objects, &mut memory, start + Duration::from_secs(32))),
        "no pod of StatefulSet/w can be created: exceeded quota"
    );
}

#[test]
fn several_are_good_when_all_are_and_doomed_when_one_is() {
    let named = |name: &str, mut value: Value| {
        value["metadata"]["name"] = json!(name);
        value["metadata"]["uid"] = json!(name);
        value
    };
    let status = |available: u32| json!({"desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": available});
    let node = |available: u32| named("w-node", workload("DaemonSet", json!({}), status(available)));
    let main = named("w", set(json!({"replicas": 0}), json!({"currentRevision": "new"})));
    let both = |objects: &[Value]| {
        let goals: Vec<Goal> =
            objects[..2].iter().map(|value| Goal::of(&object(value.clone()), Vec::new()).unwrap()).collect();
        let picture = Picture::of(objects.iter().cloned().map(object).collect());
        judge(&picture, &goals, &mut Memory::default(), &Limits::default(), Instant::now())
    };
    let of_node = |state: Value| {
        let mut pod = pod("p", "h", state);
        pod["metadata"]["ownerReferences"][0]["uid"] = json!("w-node");
        pod
    };
    assert_eq!(both(&[main.clone(), node(1), of_node(running())]), Verdict::Good);
    assert_eq!(line(&both(&[main.clone(), node(0)])), "w-node: 0 of 1 new pods ready");
    let mut revision = revision(1, "h", "w:2");
    revision["metadata"]["ownerReferences"][0]["uid"] = json!("w-node");
    assert!(matches!(both(&[main, node(0), revision, of_node(no_image())]), Verdict::Doomed(_)));
}
