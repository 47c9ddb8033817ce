//! What a user must be allowed to do for a release. Pure.

use super::rollout::{Kind, is_workload};
use crate::yaml::Object;

/// Every verb on every resource that a release, its watch, its report and its put-back use: verb, group, resource.
pub fn permissions(wanted: &[Object]) -> Vec<(String, String, String)> {
    let mut list: Vec<(&str, String, String)> = Vec::new();
    for object in wanted {
        let (group, resource) = (object.group().to_owned(), crate::kubectl::resource(object.kind()));
        for verb in ["get", "create", "patch", "update", "delete"] {
            list.push((verb, group.clone(), resource.clone()));
        }
    }
    let has = |kind: Kind| wanted.iter().any(|object| Kind::of(object) == Some(kind));
    let mut watched = Vec::new();
    for (kind, owned) in [
        (Kind::Deployment, Some("replicasets")),
        (Kind::StatefulSet, None),
        (Kind::DaemonSet, Some("controllerrevisions")),
        (Kind::Job, None),
    ] {
        if has(kind) {
            let (resource, group) = kind.resource().split_once('.').unwrap_or((kind.resource(), ""));
            watched.push((resource, group));
            watched.extend(owned.map(|owned| (owned, "apps")));
        }
    }
    if !watched.is_empty() {
        watched.push(("pods", ""));
        list.push(("get", String::new(), "pods/log".into()));
        list.push(("list", String::new(), "events".into()));
    }
    for (resource, group) in watched {
        for verb in ["list", "watch"] {
            list.push((verb, group.into(), resource.into()));
        }
    }
    // A pod that never gets ready keeps a StatefulSet from going on.
    if has(Kind::StatefulSet) {
        list.push(("delete", String::new(), "pods".into()));
    }
    if wanted.iter().any(is_workload) {
        list.push(("list", "autoscaling".into(), "horizontalpodautoscalers".into()));
    }
    for verb in ["list", "create", "get", "patch"] {
        list.push((verb, String::new(), "secrets".into()));
    }
    let mut list: Vec<_> = list.into_iter().map(|(verb, group, resource)| (verb.to_owned(), group, resource)).collect();
    list.sort();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(api: &str, kind: &str) -> Object {
        Object::new(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "w"}})).unwrap()
    }

    #[test]
    fn permissions_are_asked_once_each() {
        let object = object("apps/v1", "Deployment");
        let list = permissions(&[object.clone(), object]);
        assert!(list.contains(&("patch".into(), "apps".into(), "deployments".into())));
        assert!(list.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn only_what_is_used_is_asked_for() {
        let has = |objects: &[Object], verb: &str, resource: &str| {
            permissions(objects).iter().any(|(v, _, r)| v == verb && r == resource)
        };
        let (set, job, config) =
            (object("apps/v1", "StatefulSet"), object("batch/v1", "Job"), object("v1", "ConfigMap"));
        assert!(
            has(std::slice::from_ref(&set), "watch", "statefulsets")
                && has(std::slice::from_ref(&set), "delete", "pods")
        );
        assert!(!has(&[set], "watch", "replicasets"));
        assert!(has(std::slice::from_ref(&job), "list", "jobs") && !has(&[job], "delete", "pods"));
        assert!(!has(&[config], "watch", "pods"));
    }
}
