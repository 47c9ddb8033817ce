//! When a Deployment is up: what must be true, and for how long.

use std::time::Duration;

use super::tests::{deployment_and, doomed, edit, goal, pod, verdict, verdict_after, waiting};
use super::*;
use serde_json::{Value, json};

#[test]
fn good_is_all_new_all_available_none_old() {
    let done = json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 2});
    let running = |uid: &str, ready: &str| {
        let mut value = pod("rs-new", json!({"running": {}}), json!({}), 0);
        value["metadata"]["uid"] = json!(uid);
        value["status"]["conditions"] = json!([{"type": "Ready", "status": ready}]);
        value
    };
    let pods = || vec![running("p1", "True"), running("p2", "True")];
    assert_eq!(verdict(&deployment_and(done.clone(), pods())), Verdict::Good);
    // What the pods say already, the status may not say yet.
    let crashed = vec![running("p1", "True"), running("p2", "False")];
    assert!(matches!(verdict(&deployment_and(done.clone(), crashed)), Verdict::Waiting(..)));
    // A pod that was evicted stays in the list: another one has taken its place.
    let mut evicted = running("p3", "False");
    evicted["status"] = json!({"phase": "Failed", "reason": "Evicted"});
    assert_eq!(verdict(&deployment_and(done, [pods(), vec![evicted]].concat())), Verdict::Good);
    for unfinished in [
        json!({"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3, "observedGeneration": 2}),
        json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1, "observedGeneration": 2}),
        json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 1}),
    ] {
        assert!(matches!(verdict(&deployment_and(unfinished, pods())), Verdict::Waiting(..)));
    }
}

#[test]
fn a_pod_that_was_evicted_keeps_no_crash_from_dooming() {
    let crashed = json!({"terminated": {"exitCode": 7, "reason": "Error"}});
    let mut evicted = pod("rs-new", json!({}), json!({}), 0);
    evicted["metadata"]["uid"] = json!("p2");
    evicted["status"] = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    let status = json!({"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2, "observedGeneration": 2});
    let first = pod("rs-new", crashed.clone(), json!({}), 0);
    let told = verdict(&deployment_and(status.clone(), vec![first, evicted.clone()]));
    let Verdict::Waiting(_, findings) = told else { panic!("one crash is no doom") };
    assert!(findings.iter().any(|finding| finding.message.contains("was ended (Evicted: low on memory)")));
    let second = pod("rs-new", waiting("CrashLoopBackOff", ""), crashed, 1);
    assert_eq!(doomed(&verdict(&deployment_and(status, vec![second, evicted]))).map(|found| found.0), Some("crash"));
}

#[test]
fn where_some_pods_can_be_made_and_others_not_it_is_told_and_the_deadline_decides() {
    let status = json!({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 2});
    let mut up = pod("rs-new", json!({"running": {}}), json!({}), 0);
    up["status"]["containerStatuses"][0]["ready"] = json!(true);
    let mut picture = deployment_and(status, vec![up]);
    let meta = json!({"name": "rs-new", "uid": "rs-new", "annotations": {"deployment.kubernetes.io/revision": "2"},
        "ownerReferences": [{"uid": "d", "controller": true}]});
    let failure = json!({"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"});
    let set =
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "status": {"conditions": [failure]}});
    picture.take(1, &json!({"type": "MODIFIED", "object": set}));
    let Verdict::Waiting(line, _) = verdict_after(&picture, Duration::from_mins(4)) else { panic!("it is not doomed") };
    assert_eq!(line, "1 of 2 new pods ready: no more pods can be created: exceeded quota");
}

#[test]
fn without_a_probe_a_pod_must_stay_up_for_a_while() {
    let done = json!({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 2});
    let running = |uid: &str| {
        let mut value = pod("rs-new", json!({"running": {}}), json!({}), 0);
        value["metadata"]["uid"] = json!(uid);
        value["status"]["containerStatuses"][0]["ready"] = json!(true);
        value["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
        value
    };
    let mut picture = deployment_and(done, vec![running("p1"), running("p2")]);
    let mut goal = goal();
    let without_probe = |template: &mut Value| {
        template["spec"]["containers"][0].as_object_mut().unwrap().remove("readinessProbe");
    };
    without_probe(&mut goal.template);
    edit(&mut picture, |live| without_probe(&mut live["spec"]["template"]));
    let (mut memory, limits, start) = (Memory::default(), Limits::default(), Instant::now());
    // What it takes to be made is no time that it runs.
    let long_ago = start.checked_sub(Duration::from_mins(1)).unwrap();
    let mut creating = picture.clone();
    for uid in ["p1", "p2"] {
        let mut pod = running(uid);
        pod["status"]["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "ContainerCreating"}});
        creating.take(2, &json!({"type": "MODIFIED", "object": pod}));
    }
    assert!(matches!(
        judge(&creating, std::slice::from_ref(&goal), &mut memory, &limits, long_ago),
        Verdict::Waiting(..)
    ));
    assert!(matches!(judge(&picture, std::slice::from_ref(&goal), &mut memory, &limits, start), Verdict::Waiting(..)));
    assert!(matches!(
        judge(&picture, std::slice::from_ref(&goal), &mut memory, &limits, start + Duration::from_secs(4)),
        Verdict::Waiting(..)
    ));
    assert_eq!(
        judge(&picture, std::slice::from_ref(&goal), &mut memory, &limits, start + Duration::from_secs(6)),
        Verdict::Good
    );
    // One that was evicted, as newer servers tell it: its container has ended, and it has no part in this.
    let mut evicted = running("p3");
    evicted["status"]["phase"] = json!("Failed");
    evicted["status"]["containerStatuses"][0]["state"] = json!({"terminated": {"exitCode": 137}});
    picture.take(2, &json!({"type": "ADDED", "object": evicted}));
    assert_eq!(
        judge(&picture, std::slice::from_ref(&goal), &mut memory, &limits, start + Duration::from_secs(7)),
        Verdict::Good
    );
}
