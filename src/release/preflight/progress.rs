//! What is going on with the live objects at this moment.

use super::super::rollout::is_workload;
use super::{Finding, Where};
use crate::error::join_and;
use crate::yaml::Object;

/// What is being deleted or paused stands in the way; a rollout under way is told.
pub fn progress(live: &[Object], place: Where<'_>) -> Vec<Finding> {
    live.iter()
        .filter_map(|object| deleted(object).or_else(|| paused(object, place)).or_else(|| rolling(object)))
        .collect()
}

/// An apply onto it would succeed, and it would be gone all the same.
fn deleted(object: &Object) -> Option<Finding> {
    let since = object.text("/metadata/deletionTimestamp");
    if since.is_empty() {
        return None;
    }
    let finalizers: Vec<&str> = object.list("/metadata/finalizers").iter().filter_map(|f| f.as_str()).collect();
    let why = if finalizers.is_empty() { String::new() } else { format!(", held by {}", join_and(&finalizers)) };
    Some(Finding::refusal(
        format!("{object} is being deleted since {since}{why}"),
        "wait until it is gone, then ship again",
    ))
}

fn paused(object: &Object, place: Where<'_>) -> Option<Finding> {
    let is_paused = object.json().pointer("/spec/paused").and_then(serde_json::Value::as_bool) == Some(true);
    (is_paused && is_workload(object)).then(|| {
        let todo = format!("go on with it first: {} rollout resume deployment/{}", place.kubectl(), object.name());
        Finding::refusal(format!("{object} is paused: a change would not roll out"), todo)
    })
}

fn rolling(object: &Object) -> Option<Finding> {
    if !is_workload(object) {
        return None;
    }
    let number = |path: &str| object.number(path).unwrap_or_default();
    let (wanted, updated) = match object.kind() {
        "DaemonSet" => (number("/status/desiredNumberScheduled"), number("/status/updatedNumberScheduled")),
        // A partition leaves old pods on purpose.
        "StatefulSet" => {
            let kept = number("/spec/updateStrategy/rollingUpdate/partition");
            let wanted = (object.number("/spec/replicas").unwrap_or(1) - kept).max(0);
            let is_done = object.text("/status/updateRevision") == object.text("/status/currentRevision");
            (wanted, if is_done { wanted } else { number("/status/updatedReplicas") })
        }
        _ => (object.number("/spec/replicas").unwrap_or(1), number("/status/updatedReplicas")),
    };
    let is_seen = number("/status/observedGeneration") >= number("/metadata/generation");
    let is_on_delete = object.text("/spec/updateStrategy/type") == "OnDelete";
    ((updated < wanted || !is_seen) && !is_on_delete).then(|| {
        Finding::note(format!("{object} is being rolled out at this moment: {updated} of {wanted} pods are new"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;
    use serde_json::{Value, json};

    fn deployment(metadata: Value, spec: Value, status: Value) -> Object {
        let mut value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec, "status": status});
        value["metadata"]["name"] = "w".into();
        Object::new(value).unwrap()
    }

    fn look(object: Object) -> Vec<Finding> {
        progress(&[object], Where { context: "c", namespace: "n" })
    }

    #[test]
    fn what_goes_on_is_told_by_its_weight() {
        let well = json!({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2});
        assert_eq!(look(deployment(json!({"generation": 2}), json!({"replicas": 2}), well.clone())), []);
        let rolling = look(deployment(json!({"generation": 2}), json!({"replicas": 3}), well.clone()));
        assert_eq!((rolling[0].weight, rolling[0].what.ends_with("2 of 3 pods are new")), (Weight::Note, true));
        let paused = look(deployment(json!({}), json!({"replicas": 2, "paused": true}), well.clone()));
        assert!(paused[0].todo.ends_with("kubectl --context c -n n rollout resume deployment/w"));
        let gone = json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x/y"]});
        let gone = look(deployment(gone, json!({}), well));
        assert_eq!(gone[0].what, "Deployment/w is being deleted since 2026-01-01T00:00:00Z, held by x/y");
    }
}
