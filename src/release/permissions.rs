//! What a user must be allowed to do in a namespace: for one release, for all that a deployer does, and for all that a reader does. Pure.

use super::rollout::{Kind, is_workload};
use crate::kubectl::Records;
use crate::yaml::Object;

/// A verb on a resource: verb, group, resource.
pub type Permission = (String, String, String);

/// The kinds that the built-in templates make: group, kind.
const BUILT_IN: [(&str, &str); 12] = [
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("networking.k8s.io", "Ingress"),
    ("policy", "PodDisruptionBudget"),
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
    ("", "Service"),
    ("", "ServiceAccount"),
];

/// What is read if it may be, and does without if not: quotas, what objects refer to, who has the lock.
const HELPFUL: [(&[&str], &str, &str); 7] = [
    (&["list"], "", "resourcequotas"),
    (&["list"], "", "limitranges"),
    (&["list"], "autoscaling", "horizontalpodautoscalers"),
    (&["get"], "", "configmaps"),
    (&["get"], "", "persistentvolumeclaims"),
    (&["get"], "", "serviceaccounts"),
    (&["get"], "", "services"),
];

/// Every verb on every resource that a release of these objects, its watch, its report and its put-back use.
pub fn permissions(wanted: &[Object], records: Records) -> Vec<Permission> {
    let kinds: Vec<(&str, &str)> = wanted.iter().map(|object| (object.group(), object.kind())).collect();
    let has = |kind: Kind| wanted.iter().any(|object| Kind::of(object) == Some(kind));
    let mut list = release(&kinds, has, wanted.iter().any(is_workload), records);
    list.extend(lock());
    list
}

/// What the environment's lock takes.
fn lock() -> impl Iterator<Item = Permission> {
    ["create", "delete", "get", "update", "watch"]
        .into_iter()
        .map(|verb| permission(verb, "coordination.k8s.io", "leases"))
}

/// All that a deployer does with whatever the built-in templates make, and with objects of these other kinds (group, kind); where the
/// cluster runs tests, with what that takes.
pub fn deployer(others: &[(String, String)], records: Records, runs_tests: bool) -> Vec<Permission> {
    let kinds = kinds(others);
    let mut list = release(&kinds, |_| true, true, records);
    list.extend(helpful());
    list.extend(lock());
    list.push(permission("list", "coordination.k8s.io", "leases"));
    if runs_tests {
        list.extend(crate::bdd::permissions());
    }
    sorted(list)
}

/// All that a reader does: looks at what runs and what differs.
pub fn reader(others: &[(String, String)], records: Records) -> Vec<Permission> {
    let mut list = helpful();
    let owned =
        [("apps", "replicasets"), ("apps", "controllerrevisions"), ("", "pods"), ("coordination.k8s.io", "leases")];
    let resources: Vec<(String, String)> = kinds(others)
        .iter()
        .map(|(group, kind)| ((*group).to_owned(), crate::kubectl::resource(kind)))
        .chain(owned.map(|(group, resource)| (group.to_owned(), resource.to_owned())))
        .collect();
    for (group, resource) in resources {
        list.extend(["get", "list", "watch"].iter().map(|verb| permission(verb, &group, &resource)));
    }
    list.push(permission("get", "", "pods/log"));
    list.push(permission("list", "", "events"));
    list.extend(["get", "list"].iter().map(|verb| permission(verb, "", records.resource())));
    sorted(list)
}

fn kinds(others: &[(String, String)]) -> Vec<(&str, &str)> {
    BUILT_IN.into_iter().chain(others.iter().map(|(group, kind)| (group.as_str(), kind.as_str()))).collect()
}

fn helpful() -> Vec<Permission> {
    HELPFUL
        .iter()
        .flat_map(|(verbs, group, resource)| verbs.iter().map(|verb| permission(verb, group, resource)))
        .collect()
}

fn permission(verb: &str, group: &str, resource: &str) -> Permission {
    (verb.to_owned(), group.to_owned(), resource.to_owned())
}

fn sorted(mut list: Vec<Permission>) -> Vec<Permission> {
    list.sort();
    list.dedup();
    list
}

fn release(
    kinds: &[(&str, &str)],
    has: impl Fn(Kind) -> bool,
    has_workload: bool,
    records: Records,
) -> Vec<Permission> {
    let mut list = Vec::new();
    for (group, kind) in kinds {
        let resource = crate::kubectl::resource(kind);
        for verb in ["get", "create", "patch", "update", "delete"] {
            // Claims are never deleted, on no path.
            if verb != "delete" || *kind != "PersistentVolumeClaim" {
                list.push(permission(verb, group, &resource));
            }
        }
    }
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
        // kubectl reads the pod before its log.
        list.push(permission("get", "", "pods"));
        list.push(permission("get", "", "pods/log"));
        list.push(permission("list", "", "events"));
    }
    for (resource, group) in watched {
        for verb in ["list", "watch"] {
            list.push(permission(verb, group, resource));
        }
    }
    // A pod that never gets ready keeps a StatefulSet from going on.
    if has(Kind::StatefulSet) {
        list.push(permission("delete", "", "pods"));
    }
    if has_workload {
        list.push(permission("list", "autoscaling", "horizontalpodautoscalers"));
    }
    // The records; those that are too old go.
    for verb in ["list", "create", "get", "update", "delete"] {
        list.push(permission(verb, "", records.resource()));
    }
    sorted(list)
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
        let list = permissions(&[object.clone(), object], Records::Secrets);
        assert!(list.contains(&("patch".into(), "apps".into(), "deployments".into())));
        assert!(list.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn only_what_is_used_is_asked_for() {
        let has = |objects: &[Object], verb: &str, resource: &str| {
            permissions(objects, Records::Secrets).iter().any(|(v, _, r)| v == verb && r == resource)
        };
        let (set, job, config) =
            (object("apps/v1", "StatefulSet"), object("batch/v1", "Job"), object("v1", "ConfigMap"));
        let claim = object("v1", "PersistentVolumeClaim");
        assert!(
            has(std::slice::from_ref(&set), "watch", "statefulsets")
                && has(std::slice::from_ref(&set), "delete", "pods")
        );
        assert!(!has(&[set], "watch", "replicasets"));
        assert!(has(std::slice::from_ref(&job), "list", "jobs") && !has(&[job], "delete", "pods"));
        assert!(!has(&[config], "watch", "pods"));
        assert!(
            !has(std::slice::from_ref(&claim), "delete", "persistentvolumeclaims")
                && has(&[claim], "patch", "persistentvolumeclaims")
        );
    }

    #[test]
    fn who_may_not_touch_secrets_needs_none_where_records_are_config_maps() {
        let (deployer, reader) = (deployer(&[], Records::ConfigMaps, true), reader(&[], Records::ConfigMaps));
        assert!(deployer.iter().chain(&reader).all(|(_, _, resource)| resource != "secrets"));
        assert!(deployer.contains(&("list".into(), String::new(), "configmaps".into())));
    }

    #[test]
    fn a_deployer_may_do_what_any_release_needs_and_a_reader_changes_nothing() {
        let all: Vec<Object> = BUILT_IN
            .iter()
            .map(|(group, kind)| object(&if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") }, kind))
            .collect();
        let deployer = deployer(&[("example.com".into(), "Widget".into())], Records::Secrets, false);
        assert!(permissions(&all, Records::Secrets).iter().all(|one| deployer.contains(one)));
        assert!(deployer.contains(&("patch".into(), "example.com".into(), "widgets".into())));
        // Who gets into containers gets at everything: that is for those alone who need it.
        assert!(!deployer.iter().any(|(_, _, resource)| resource == "pods/exec"));
        assert!(!deployer.iter().any(|(verb, _, resource)| verb == "delete" && resource == "persistentvolumeclaims"));
        assert!(
            reader(&[], Records::Secrets).iter().all(|(verb, ..)| ["get", "list", "watch"].contains(&verb.as_str()))
        );
    }
}
