//! What must be streamed to see some workloads and Jobs: as little as does it, since each stream is a kubectl of its own. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kind::Kind;
use super::selector::{Selector, combined};
use crate::kubectl::{Watched, Which};
use crate::yaml::Object;

/// The streams for these objects; `also` are other states of the same ones, whose labels may differ. What is of no watched kind
/// adds none. Of one Deployment they are three: itself by its name, its ReplicaSets and its pods by its selector.
pub fn streams(objects: &[&Object], also: &[&Object]) -> Vec<Watched> {
    let mut found = Vec::new();
    for kind in [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job] {
        let of_kind = |list: &[&'_ Object]| -> Vec<Object> {
            list.iter().filter(|object| Kind::of(object) == Some(kind)).map(|object| (*object).clone()).collect()
        };
        let wanted = of_kind(objects);
        found.extend(owners(kind, &wanted, &of_kind(also)));
    }
    let of = |kinds: &[Kind]| -> Vec<Selector> {
        let chosen = objects.iter().filter(|object| Kind::of(object).is_some_and(|kind| kinds.contains(&kind)));
        chosen.map(|object| selector(object)).collect()
    };
    // A StatefulSet's status names the revision that it goes to; which one a DaemonSet goes to, its ControllerRevisions say.
    for (resource, kinds) in [
        ("replicasets.apps", &[Kind::Deployment][..]),
        ("controllerrevisions.apps", &[Kind::DaemonSet]),
        ("pods", &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet]),
        ("pods", &[Kind::Job]),
    ] {
        found.extend(combined(&of(kinds)).into_iter().map(|text| Watched { resource, which: Which::Labelled(text) }));
    }
    found
}

/// The selectors of the pods of all these, as kubectl takes them.
pub fn pod_selectors(objects: &[&Object]) -> Vec<String> {
    let pods = streams(objects, &[]).into_iter().filter(|stream| stream.resource == "pods");
    pods.filter_map(|stream| match stream.which {
        Which::Labelled(text) => Some(text),
        Which::Named(_) => None,
    })
    .collect()
}

/// The objects themselves: one by its name, several by a label that each of them has, in each of its states, with a value of its own or
/// the same; without such a label each by its name.
fn owners(kind: Kind, wanted: &[Object], also: &[Object]) -> Vec<Watched> {
    let resource = kind.resource();
    let labels = |object: &Object| -> Option<Selector> {
        let labels: BTreeMap<String, String> = object
            .json()
            .pointer("/metadata/labels")?
            .as_object()?
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect();
        Some(Selector::Equal(labels))
    };
    if wanted.len() > 1
        && let Some(all) = wanted.iter().chain(also).map(labels).collect::<Option<Vec<_>>>()
        && let [one] = combined(&all).as_slice()
        && !one.is_empty()
    {
        return vec![Watched { resource, which: Which::Labelled(one.clone()) }];
    }
    wanted.iter().map(|object| Watched { resource, which: Which::Named(object.name().to_owned()) }).collect()
}

/// How the pods of an object are found. Of a Job that is not there yet its own selector is not known, but the label that the
/// controller gives its pods is (`job-name`, in every version; a Job with `manualSelector` says its selector itself).
fn selector(object: &Object) -> Selector {
    let manual = object.json().pointer("/spec/manualSelector").and_then(Value::as_bool) == Some(true);
    if Kind::of(object) == Some(Kind::Job) && !manual {
        return Selector::Equal([("job-name".to_owned(), object.name().to_owned())].into());
    }
    Selector::of(&object.json()["spec"]["selector"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(api: &str, kind: &str, name: &str, labels: Value) -> Object {
        let spec = json!({"selector": {"matchLabels": {"app": name}}});
        let value =
            json!({"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec});
        Object::new(value).unwrap()
    }

    fn lines(objects: &[&Object], also: &[&Object]) -> Vec<String> {
        let line = |stream: Watched| match stream.which {
            Which::Named(name) => format!("{} {name}", stream.resource),
            Which::Labelled(text) => format!("{} -l {text}", stream.resource),
        };
        streams(objects, also).into_iter().map(line).collect()
    }

    #[test]
    fn one_deployment_takes_three() {
        let one = object("apps/v1", "Deployment", "w", json!({}));
        assert_eq!(lines(&[&one], &[]), ["deployments.apps w", "replicasets.apps -l app=w", "pods -l app=w"]);
    }

    #[test]
    fn several_of_a_kind_share_a_stream_if_a_label_is_on_all_of_them() {
        let service = json!({"shipcat.dev/service": "w"});
        let main = object("apps/v1", "Deployment", "w", service.clone());
        let worker = object("apps/v1", "Deployment", "w-mail", service.clone());
        let set = object("apps/v1", "DaemonSet", "w-node", service);
        let job = object("batch/v1", "Job", "w-migrate-1", json!({}));
        assert_eq!(
            lines(&[&main, &worker, &set, &job], &[]),
            [
                "deployments.apps -l shipcat.dev/service=w",
                "daemonsets.apps w-node",
                "jobs.batch w-migrate-1",
                "replicasets.apps -l app in (w,w-mail)",
                "controllerrevisions.apps -l app=w-node",
                "pods -l app in (w,w-mail,w-node)",
                "pods -l job-name=w-migrate-1",
            ]
        );
        // One that was live before without the label would be gone from sight when it is put back.
        let before = object("apps/v1", "Deployment", "w", json!({}));
        assert_eq!(lines(&[&main, &worker], &[&before])[..2], ["deployments.apps w", "deployments.apps w-mail"]);
    }
}
