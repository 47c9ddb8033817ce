//! Workloads whose controller makes no pods. A ReplicaSet says why in a condition; a StatefulSet, a DaemonSet and a Job say it in
//! events only, and so does an autoscaler that adds a node for a pod.

use super::moment::Moment;
use super::trouble::finding;
use super::{Finding, Goal, Memory};
use crate::yaml::Object;

/// A pod that should be made and is not: `count` pods are there, and nothing but the controller is waited for. The events are
/// asked for after half the patience, and only what they say dooms.
pub fn no_pod(count: usize, at: Moment<'_>, memory: &mut Memory) -> Option<Finding> {
    let Goal { uid, .. } = at.goal;
    let (since, _) = memory.since(&format!("short {uid} {count}"), "", at.now);
    memory.wants_events |= since >= at.limits.create / 2;
    let why = memory.refusals.get(uid)?;
    let message = format!("no pod of {} can be created: {why}", at.goal);
    Some(Finding { uid: uid.clone(), doomed: since >= at.limits.create, ..finding("create", message) })
}

/// What the events say about pods that could not be made for this goal, since we last wrote to it.
pub fn refusal(events: &[Object], goal: &Goal) -> Option<String> {
    // Some are written to the second, some finer.
    let second = |time: &str| time.get(..19).unwrap_or_default().to_owned();
    let when = |event: &Object| {
        let times =
            ["/series/lastObservedTime", "/lastTimestamp", "/eventTime"].map(|path| event.text(path).to_owned());
        times.into_iter().find(|time| !time.is_empty()).map(|time| second(&time)).unwrap_or_default()
    };
    let about = |event: &&Object| {
        event.text("/involvedObject/uid") == goal.uid
            && event.text("/type") == "Warning"
            && event.text("/reason") == "FailedCreate"
            && when(event) >= second(&goal.since)
    };
    let newest = events.iter().filter(about).max_by_key(|event| when(event))?;
    Some(newest.text("/message").lines().next().unwrap_or_default().to_owned())
}

/// The pods, by uid, for which a node autoscaler says that it adds a node: in the words of the cluster autoscaler and of Karpenter.
pub fn nodes_come(events: &[Object]) -> impl Iterator<Item = String> {
    let says = |event: &&Object| ["TriggeredScaleUp", "Nominated"].contains(&event.text("/reason"));
    events.iter().filter(says).map(|event| event.text("/involvedObject/uid").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_events_about_it_and_since_then_count() {
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "w", "uid": "s", "creationTimestamp": "2026-11-23T04:00:10Z"}});
        let goal = Goal::of(&Object::new(set).unwrap(), Vec::new()).unwrap();
        let event = |uid: &str, at: &str, message: &str| {
            let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"uid": uid},
                "type": "Warning", "reason": "FailedCreate", "lastTimestamp": at, "message": message});
            Object::new(event).unwrap()
        };
        let (old, other) = (event("s", "2026-11-23T04:00:09Z", "old"), event("x", "2026-11-23T04:00:20Z", "other"));
        assert_eq!(refusal(&[old.clone(), other.clone()], &goal), None);
        let new = event("s", "2026-11-23T04:00:10Z", "exceeded quota");
        assert_eq!(refusal(&[old, new, other], &goal).as_deref(), Some("exceeded quota"));
    }
}
