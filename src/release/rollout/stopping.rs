//! Pods that must be gone before the next ones are made: with the strategy Recreate all old ones, of a StatefulSet the one that has the
//! name, of a DaemonSet the one that has the node. Nothing starts meanwhile that could say why.

use std::time::Duration;

use jiff::Timestamp;

use super::kind::Kind;
use super::moment::Moment;
use super::picture::is_over;
use super::stateful_set::is_ready;
use super::trouble::finding;
use super::{Finding, Memory};
use crate::ui::seconds;
use crate::yaml::Object;

/// How long a pod may take to stop before it is told: most are gone by then.
const STOPPING: Duration = Duration::from_secs(3);

/// The pods on their way out that are waited for: fewer than are wanted stand, and none of these is on its way up. That may heal at any
/// moment, so the deadline decides.
pub fn stopping(live: &Object, wanted: i64, at: Moment<'_>, memory: &mut Memory) -> Vec<Finding> {
    let is_deployment = at.goal.kind == Kind::Deployment;
    // One that rolls makes its new pods whether the old ones have stopped or not.
    if is_deployment && live.text("/spec/strategy/type") != "Recreate" {
        return Vec::new();
    }
    let standing: Vec<&Object> = at.picture.standing_pods_of(at.goal).collect();
    let lacks = i64::try_from(standing.len()).is_ok_and(|count| count < wanted);
    if !lacks || !standing.iter().all(|pod| is_ready(pod)) {
        return Vec::new();
    }
    // A Deployment does not wait for those whose containers have ended; the others wait for the name, or the node.
    let is_let_go = |pod: &Object| is_deployment && is_over(pod);
    let mut pods: Vec<&Object> = at.picture.every_pod_of(&at.goal.uid).filter(|pod| !is_let_go(pod)).collect();
    pods.retain(|pod| !pod.text("/metadata/deletionTimestamp").is_empty());
    pods.sort_by_key(|pod| pod.name());
    let now = Timestamp::now();
    let told = |pod: &Object| {
        let (since, _) = memory.since(&format!("stopping {}", pod.uid()), "", at.now);
        // Kubernetes writes when the time that it is given is over, not when it was deleted.
        let end = pod.text("/metadata/deletionTimestamp").parse().ok();
        let grace = end.map(|end| grace(end, now)).unwrap_or_default();
        let message = format!("waits for {} to stop{grace}", pod.name());
        let (pod, uid) = (pod.name().into(), pod.uid().into());
        Finding { pod, uid, fresh: since < STOPPING, ..finding("stopping", message) }
    };
    pods.into_iter().map(told).collect()
}

/// How much of its time a pod has left, or how long it is over.
fn grace(end: Timestamp, now: Timestamp) -> String {
    let left = end.as_second() - now.as_second();
    let whole = match left.unsigned_abs() {
        few @ 0..10 => format!("{few} s"),
        many => seconds(Duration::from_secs(many)),
    };
    if left >= 0 {
        format!(" (its grace period ends in {whole})")
    } else {
        format!(" (its grace period ended {whole} ago)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::kinds_tests::{at, line, object, pod, running};
    use super::super::{Goal, Verdict};
    use super::*;
    use serde_json::{Value, json};
    use std::time::Instant;

    fn going(name: &str) -> Value {
        let mut pod = pod(name, "old", running());
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-23T04:00:10Z");
        pod
    }

    /// What is said of it after so many seconds, looking at the start and at the end.
    fn after(objects: &[Value], wait: u64) -> Verdict {
        let (mut memory, start) = (Memory::default(), Instant::now());
        at(objects, &mut memory, start);
        at(objects, &mut memory, start + Duration::from_secs(wait))
    }

    fn findings(verdict: Verdict) -> Vec<Finding> {
        match verdict {
            Verdict::Waiting(_, findings) => findings,
            other => panic!("{other:?}"),
        }
    }

    fn deployment(strategy: &str) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "uid": "o", "generation": 2},
            "spec": {"replicas": 1, "strategy": {"type": strategy}, "template": {}}, "status": {"observedGeneration": 2}})
    }

    #[test]
    fn what_is_recreated_waits_for_the_old_pods_and_is_not_doomed_by_it() {
        let recreated = [deployment("Recreate"), going("w-a")];
        assert_eq!(line(&after(&recreated, 1)), "0 of 1 new pods ready", "most are gone in a moment");
        let verdict = after(&recreated, 600);
        assert_eq!(line(&verdict), "0 of 1 new pods ready: waits for w-a to stop", "the time that passes is no news");
        let found = findings(verdict);
        assert_eq!((found.len(), found[0].reason, found[0].doomed), (1, "stopping", false));
        assert!(found[0].message.starts_with("waits for w-a to stop (its grace period ended "), "{found:?}");
        assert_eq!(findings(after(&[deployment("RollingUpdate"), going("w-a")], 600)), []);
        let mut over = going("w-a");
        over["status"]["phase"] = json!("Failed");
        assert_eq!(findings(after(&[deployment("Recreate"), over], 600)), [], "its containers have ended");
    }

    #[test]
    fn a_stateful_set_waits_for_the_pod_whose_name_is_taken() {
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "w", "uid": "o", "generation": 2},
            "spec": {"replicas": 2, "template": {}},
            "status": {"observedGeneration": 2, "updateRevision": "new", "currentRevision": "old"}});
        assert!(Goal::of(&object(set.clone()), Vec::new()).is_some());
        let stopping = [set.clone(), pod("w-0", "old", running()), going("w-1")];
        assert_eq!(findings(after(&stopping, 60))[0].pod, "w-1");
        let starts = pod("w-0", "new", json!({"waiting": {"reason": "ContainerCreating"}}));
        assert!(findings(after(&[set, starts, going("w-1")], 60)).iter().all(|one| one.reason != "stopping"));
    }

    #[test]
    fn the_grace_period_ends_or_has_ended() {
        let end: Timestamp = "2026-11-23T04:00:10Z".parse().unwrap();
        let at = |time: &str| grace(end, time.parse().unwrap());
        assert_eq!(at("2026-11-23T03:59:58Z"), " (its grace period ends in 12 s)");
        assert_eq!(at("2026-11-23T04:00:18Z"), " (its grace period ended 8 s ago)");
        assert_eq!(at("2026-11-23T04:02:15Z"), " (its grace period ended 2 min 5 s ago)");
    }
}
