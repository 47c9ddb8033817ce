//! How near the end of a rollout is: what comes behind it can be started by then. Pure.

use super::kind::Kind;
use super::picture::statuses;
use super::progress::parted;
use super::settled::{is_held, unprobed};
use super::stateful_set::is_ready;
use super::{Goal, Picture};

/// How near it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// Pods are still to come, or must hold out for a while.
    Far,
    /// All new pods run, and are to be found ready.
    Runs,
    /// All new pods are ready: only the controllers' word is missing.
    Ready,
}

/// How near the last of these goals is.
pub fn near(picture: &Picture, goals: &[Goal]) -> Near {
    goals.iter().map(|goal| of(picture, goal)).min().unwrap_or(Near::Far)
}

fn of(picture: &Picture, goal: &Goal) -> Near {
    let Some(live) = picture.workload(goal) else { return Near::Far };
    if goal.kind == Kind::Job {
        return if super::is_complete(live) { Near::Ready } else { Near::Far };
    }
    let (new, _, wanted) = parted(picture, live, goal);
    if new.len() < wanted || !unprobed(live).is_empty() || is_held(live) {
        return Near::Far;
    }
    if new.iter().all(|pod| is_ready(pod)) {
        return Near::Ready;
    }
    let runs = new.iter().all(|pod| {
        let mut containers = statuses(pod).filter(|(is_init, _)| !is_init).peekable();
        containers.peek().is_some() && containers.all(|(_, status)| status.pointer("/state/running").is_some())
    });
    if runs { Near::Runs } else { Near::Far }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Object;
    use serde_json::{Value, json};

    fn deployment(more: Value) -> Object {
        let mut value = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "d", "uid": "d", "generation": 2,
                "annotations": {"deployment.kubernetes.io/revision": "2"}},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "d", "readinessProbe": {}}]}}},
            "status": {"observedGeneration": 2}});
        if let (Some(spec), Value::Object(more)) = (value["spec"].as_object_mut(), more) {
            spec.extend(more);
        }
        Object::new(value).unwrap()
    }

    fn replica_set(number: &str) -> Object {
        let value = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": number, "uid": number, "ownerReferences": [{"uid": "d", "controller": true}],
                "annotations": {"deployment.kubernetes.io/revision": number}}});
        Object::new(value).unwrap()
    }

    fn pod(name: &str, set: &str, state: &str, is_ready: bool) -> Object {
        let condition = json!([{"type": "Ready", "status": if is_ready { "True" } else { "False" }}]);
        let value = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "uid": name, "ownerReferences": [{"uid": set, "controller": true}]},
            "status": {"conditions": condition, "containerStatuses": [{"name": "d", "state": {state: {}}}]}});
        Object::new(value).unwrap()
    }

    fn seen(live: Object, pods: Vec<Object>) -> Near {
        let goal = Goal::of(&live, Vec::new()).unwrap();
        let sets = ["1", "2"].map(replica_set);
        let picture = Picture::of(std::iter::once(live).chain(sets).chain(pods).collect());
        near(&picture, &[goal])
    }

    #[test]
    fn the_end_is_near_when_all_new_pods_run_and_nearer_when_they_are_ready() {
        let old = || pod("old", "1", "running", true);
        let one = |state: &str, is_ready| pod("a", "2", state, is_ready);
        let up = || pod("b", "2", "running", true);
        let at = |pods| seen(deployment(json!({})), pods);
        assert_eq!(at(vec![old(), up()]), Near::Far);
        assert_eq!(at(vec![old(), up(), one("waiting", false)]), Near::Far);
        assert_eq!(at(vec![old(), up(), one("running", false)]), Near::Runs);
        assert_eq!(at(vec![old(), up(), one("running", true)]), Near::Ready);
        assert_eq!(near(&Picture::default(), &[]), Near::Far);
    }

    #[test]
    fn what_must_hold_out_is_far() {
        let pods = || vec![pod("a", "2", "running", true), pod("b", "2", "running", true)];
        assert_eq!(seen(deployment(json!({"minReadySeconds": 5})), pods()), Near::Far);
        let unprobed = json!({"template": {"spec": {"containers": [{"name": "d"}]}}});
        assert_eq!(seen(deployment(unprobed), pods()), Near::Far);
    }
}
