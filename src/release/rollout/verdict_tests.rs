use super::super::{Kind, folded};
use std::time::Duration;

use super::super::trouble::finding;
use super::*;
use serde_json::{Value, json};

const NEW: &str = "webapp-new-1";

/// A Deployment that wants two pods, in the middle of a rollout: one new pod, two old ones.
fn picture(new_pod: Value) -> Picture {
    deployment_and(
        json!({"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2, "observedGeneration": 2}),
        vec![new_pod],
    )
}

pub fn deployment_and(status: Value, pods: Vec<Value>) -> Picture {
    let meta = |uid: &str, owner: &str, revision: &str| {
        json!({"name": uid, "uid": uid, "generation": 2, "annotations": {"deployment.kubernetes.io/revision": revision},
               "ownerReferences": [{"uid": owner, "controller": true}]})
    };
    let object = |kind: &str, metadata: Value, rest: Value| {
        let mut value = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata});
        value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        Object::new(value).unwrap()
    };
    let template = json!({"spec": {"containers": [{"name": "webapp", "image": "r/webapp:2", "readinessProbe": {}}]}});
    let mut objects = vec![
        object(
            "Deployment",
            meta("d", "", "2"),
            json!({"spec": {"replicas": 2, "template": template}, "status": status}),
        ),
        object("ReplicaSet", meta("rs-old", "d", "1"), json!({})),
        object("ReplicaSet", meta("rs-new", "d", "2"), json!({})),
    ];
    for pod in pods {
        objects.push(Object::new(pod).unwrap());
    }
    Picture::of(objects)
}

pub fn pod(owner: &str, state: Value, last: Value, restarts: i64) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NEW, "uid": "p1", "ownerReferences": [{"uid": owner, "controller": true}]},
           "spec": {"containers": [{"name": "webapp", "image": "r/webapp:2"}]},
           "status": {"containerStatuses": [{"name": "webapp", "ready": false, "restartCount": restarts, "state": state, "lastState": last}]}})
}

pub fn edit(picture: &mut Picture, edit: impl Fn(&mut Value)) {
    let mut live = picture.workload(&goal()).unwrap().json().clone();
    edit(&mut live);
    picture.take(0, &json!({"type": "MODIFIED", "object": live}));
}

pub fn goal() -> Goal {
    let template = json!({"spec": {"containers": [{"name": "webapp", "image": "r/webapp:2", "readinessProbe": {}}]}});
    Goal {
        kind: Kind::Deployment,
        name: "d".into(),
        uid: "d".into(),
        generation: 2,
        template,
        words: ("new", "old"),
        rendered: vec!["webapp-0a1b".into()],
        has_tries: true,
        since: String::new(),
    }
}

pub fn verdict(picture: &Picture) -> Verdict {
    judge(picture, &[goal()], &mut Memory::default(), &Limits::default(), Instant::now())
}

/// What is said of it after a while, looking at the start and at the end.
pub fn verdict_after(picture: &Picture, wait: Duration) -> Verdict {
    let (mut memory, limits, start) = (Memory::default(), Limits::default(), Instant::now());
    judge(picture, &[goal()], &mut memory, &limits, start);
    judge(picture, &[goal()], &mut memory, &limits, start + wait)
}

pub fn doomed(verdict: &Verdict) -> Option<(&str, &str)> {
    match verdict {
        Verdict::Doomed(findings) => Some((findings[0].reason, findings[0].message.as_str())),
        _ => None,
    }
}

pub fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

#[test]
fn the_second_crash_dooms_and_the_first_does_not() {
    let ended = json!({"terminated": {"exitCode": 7, "reason": "Error"}});
    let first = picture(pod("rs-new", ended.clone(), json!({}), 0));
    assert!(matches!(verdict(&first), Verdict::Waiting(line, _) if line.contains("crashed: exit code 7")));
    let second = picture(pod("rs-new", waiting("CrashLoopBackOff", "back-off"), ended, 1));
    assert_eq!(
        doomed(&verdict(&second)),
        Some(("crash", "container `webapp` of webapp-new-1 crashed 2 times: exit code 7"))
    );
}

#[test]
fn pods_of_the_old_revision_never_count() {
    let old = picture(pod("rs-old", waiting("CrashLoopBackOff", "x"), json!({}), 9));
    assert_eq!(doomed(&verdict(&old)), None);
}

#[test]
fn restarts_from_before_do_not_count_unless_nothing_is_changed() {
    let down = picture(pod("rs-new", waiting("CrashLoopBackOff", "x"), json!({"terminated": {"exitCode": 1}}), 5));
    let mut memory = Memory::baseline(&down, false);
    assert_eq!(doomed(&judge(&down, &[goal()], &mut memory, &Limits::default(), Instant::now())), None);
    let mut memory = Memory::baseline(&down, true);
    assert_eq!(
        doomed(&judge(&down, &[goal()], &mut memory, &Limits::default(), Instant::now())).map(|d| d.0),
        Some("crash")
    );
}

#[test]
fn an_image_that_is_not_there_dooms_at_once_and_a_slow_registry_after_a_minute() {
    let absent = picture(pod(
        "rs-new",
        waiting("ErrImagePull", "failed to resolve reference \"r/webapp:2\": r/webapp:2: not found"),
        json!({}),
        0,
    ));
    assert_eq!(doomed(&verdict(&absent)).map(|d| d.0), Some("image"));
    let slow = picture(pod("rs-new", waiting("ErrImagePull", "dial tcp 1.2.3.4:443: i/o timeout"), json!({}), 0));
    assert_eq!(doomed(&verdict(&slow)), None);
    assert_eq!(doomed(&verdict_after(&slow, Duration::from_secs(59))), None);
    assert_eq!(doomed(&verdict_after(&slow, Duration::from_secs(61))).map(|d| d.0), Some("image"));
    let never =
        picture(pod("rs-new", waiting("ErrImageNeverPull", "not present with pull policy of Never"), json!({}), 0));
    assert_eq!(doomed(&verdict(&never)).map(|d| d.0), Some("image"));
}

#[test]
fn the_cause_of_a_failed_pull_is_remembered_through_the_back_off() {
    let (mut memory, limits, now) = (Memory::default(), Limits::default(), Instant::now());
    let error = picture(pod("rs-new", waiting("ErrImagePull", "r/webapp:2: dial tcp: i/o timeout"), json!({}), 0));
    judge(&error, &[goal()], &mut memory, &limits, now);
    let back_off = picture(pod("rs-new", waiting("ImagePullBackOff", "Back-off pulling image"), json!({}), 0));
    let later = judge(&back_off, &[goal()], &mut memory, &limits, now + Duration::from_secs(61));
    assert!(doomed(&later).unwrap().1.contains("i/o timeout"), "{later:?}");
}

#[test]
fn a_missing_object_of_our_own_dooms_at_once_and_anybody_elses_after_half_a_minute() {
    let ours = picture(pod(
        "rs-new",
        waiting("CreateContainerConfigError", "configmap \"webapp-0a1b\" not found"),
        json!({}),
        0,
    ));
    assert_eq!(doomed(&verdict(&ours)).map(|d| d.0), Some("config"));
    let theirs = picture(pod("rs-new", waiting("CreateContainerConfigError", "secret \"db\" not found"), json!({}), 0));
    assert_eq!(doomed(&verdict(&theirs)), None);
    assert_eq!(doomed(&verdict_after(&theirs, Duration::from_secs(31))).map(|d| d.0), Some("config"));
}

#[test]
fn a_container_that_cannot_be_started_dooms_on_the_second_sighting() {
    let mut value = pod("rs-new", waiting("CreateContainerError", "no command specified"), json!({}), 0);
    let (mut memory, limits, now) = (Memory::default(), Limits::default(), Instant::now());
    value["metadata"]["resourceVersion"] = json!("1");
    assert_eq!(doomed(&judge(&picture(value.clone()), &[goal()], &mut memory, &limits, now)), None);
    value["metadata"]["resourceVersion"] = json!("2");
    assert_eq!(doomed(&judge(&picture(value), &[goal()], &mut memory, &limits, now)).map(|d| d.0), Some("container"));
}

#[test]
fn an_unschedulable_pod_is_shown_at_once_and_doomed_after_two_minutes() {
    let mut value = pod("rs-new", json!({}), json!({}), 0);
    value["status"] = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]});
    let picture = picture(value);
    assert!(matches!(verdict(&picture), Verdict::Waiting(line, _) if line.contains("cannot be scheduled: 0/1 nodes")));
    assert_eq!(doomed(&verdict_after(&picture, Duration::from_secs(121))).map(|d| d.0), Some("schedule"));
}

#[test]
fn while_a_node_is_added_an_unschedulable_pod_is_not_doomed() {
    let mut unscheduled = pod("rs-new", json!({}), json!({}), 0);
    unscheduled["status"] = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3"}]});
    let picture = picture(unscheduled);
    let (mut memory, limits, start) = (Memory::default(), Limits::default(), Instant::now());
    let at = |after: u64, memory: &mut Memory| {
        judge(&picture, &[goal()], memory, &limits, start + Duration::from_secs(after))
    };
    at(0, &mut memory);
    assert!(!memory.wants_events);
    at(60, &mut memory);
    assert!(memory.wants_events, "before it is doomed, the events are asked");
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"uid": "p1"},
        "reason": "TriggeredScaleUp"});
    let events = [Object::new(event).unwrap()];
    memory.nodes_come.extend(crate::release::rollout::short::nodes_come(&events));
    let Verdict::Waiting(line, _) = at(600, &mut memory) else { panic!("a node comes") };
    assert!(line.ends_with("cannot be scheduled: 0/3 (a node is being added)"), "{line}");
    memory.nodes_come.clear();
    assert_eq!(doomed(&at(601, &mut memory)).map(|found| found.0), Some("schedule"));
}

#[test]
fn a_pod_of_a_replica_set_that_is_used_again_has_a_past() {
    let mut old = pod("rs-new", json!({"running": {}}), json!({"terminated": {"exitCode": 1}}), 5);
    old["metadata"]["creationTimestamp"] = json!("2026-11-23T04:00:00Z");
    let written = |since: &str| Goal { since: since.into(), ..goal() };
    let limits = Limits::default();
    let mut told = |restarts: i64, since: &str, memory: &mut Memory| {
        old["status"]["containerStatuses"][0]["restartCount"] = json!(restarts);
        judge(&picture(old.clone()), &[written(since)], memory, &limits, Instant::now())
    };
    // It was not seen before the change, but it is older.
    let mut memory = Memory::default();
    assert_eq!(doomed(&told(5, "2026-11-24T04:00:00Z", &mut memory)), None);
    assert_eq!(doomed(&told(7, "2026-11-24T04:00:00Z", &mut memory)).map(|found| found.0), Some("crash"));
    // Made by the change, it has none.
    assert!(doomed(&told(5, "2026-11-23T04:00:00Z", &mut Memory::default())).is_some());
    // Where nothing is changed, the past is what is judged.
    let mut memory = Memory::baseline(&Picture::default(), true);
    assert!(doomed(&told(5, "2026-11-24T04:00:00Z", &mut memory)).is_some());
}

#[test]
fn pods_that_cannot_be_created_doom_after_half_a_minute() {
    let status = json!({"replicas": 2, "availableReplicas": 2, "observedGeneration": 2,
        "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]});
    let mut picture = deployment_and(status, Vec::new());
    // The ReplicaSet says it too, once it is there.
    assert_eq!(doomed(&verdict(&picture)), None);
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "rs-new", "uid": "rs-new",
        "annotations": {"deployment.kubernetes.io/revision": "2"}, "ownerReferences": [{"uid": "d", "controller": true}]},
        "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]}});
    picture.take(0, &json!({"type": "MODIFIED", "object": set}));
    assert_eq!(
        doomed(&verdict_after(&picture, Duration::from_secs(31))),
        Some(("create", "no pod can be created: exceeded quota"))
    );
}

#[test]
fn a_pod_that_stops_may_make_the_room_for_the_next() {
    let set = |refused: bool| {
        let mut set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "rs-new", "uid": "rs-new",
            "annotations": {"deployment.kubernetes.io/revision": "2"}, "ownerReferences": [{"uid": "d", "controller": true}]}});
        if refused {
            set["status"] =
                json!({"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]});
        }
        json!({"type": "MODIFIED", "object": set})
    };
    let mut stopping = pod("rs-new", json!({"running": {}}), json!({}), 0);
    stopping["metadata"]["deletionTimestamp"] = json!("2026-11-23T04:00:10Z");
    let status = json!({"replicas": 2, "availableReplicas": 1, "observedGeneration": 2});
    let mut picture = deployment_and(status, vec![stopping.clone()]);
    picture.take(0, &set(true));
    let (mut memory, limits, start) = (Memory::default(), Limits::default(), Instant::now());
    let mut after = |picture: &Picture, seconds: u64| {
        let now = start + Duration::from_secs(seconds);
        doomed(&judge(picture, &[goal()], &mut memory, &limits, now)).is_some()
    };
    // However long it takes to stop; and then for as long again.
    assert_eq!([0, 31, 50].map(|seconds| after(&picture, seconds)), [false, false, false]);
    picture.take(0, &json!({"type": "DELETED", "object": stopping}));
    assert_eq!([51, 81, 99, 102].map(|seconds| after(&picture, seconds)), [false, false, false, true]);
    // One that was refused and came does not count against the next.
    picture.take(0, &set(false));
    assert!(!after(&picture, 103));
    picture.take(0, &set(true));
    assert_eq!([104, 130, 135].map(|seconds| after(&picture, seconds)), [false, false, true]);
}

#[test]
fn one_doomed_pod_among_others_does_not_doom_the_rollout() {
    let mut healthy = pod("rs-new", json!({"running": {}}), json!({}), 0);
    healthy["metadata"]["uid"] = json!("p2");
    healthy["status"]["containerStatuses"][0]["ready"] = json!(true);
    let crashing = pod("rs-new", waiting("CrashLoopBackOff", "x"), json!({}), 3);
    let status = json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 2});
    assert_eq!(doomed(&verdict(&deployment_and(status, vec![healthy, crashing]))), None);
}

#[test]
fn somebody_elses_template_is_told_apart_from_ours() {
    let mut picture = picture(pod("rs-new", json!({}), json!({}), 0));
    edit(&mut picture, |live| live["spec"]["template"] = json!({"other": 1}));
    assert!(matches!(verdict(&picture), Verdict::Superseded(_)));
    let live = picture.workload(&goal()).unwrap().json().clone();
    picture.take(0, &json!({"type": "DELETED", "object": live}));
    assert!(matches!(verdict(&picture), Verdict::Superseded(_)));
}

#[test]
fn pods_in_the_same_trouble_are_one_line() {
    let one = |pod: &str| Finding {
        pod: pod.into(),
        container: "w".into(),
        ..finding("crash", format!("container `w` of {pod} crashed"))
    };
    let lines: Vec<String> = folded(&[one("w-1"), one("w-2"), one("w-3")]).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["container `w` of w-1 crashed (and 2 pods alike)"]);
}
