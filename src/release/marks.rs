//! What a workload says of the release that changed it last: annotations, for people who look with kubectl. They are written beside the
//! configuration, by a field manager of their own, so that no diff shows them; they are of the object and not of its pods, so that
//! nothing restarts for them.

use serde_json::Value;

use super::diff::MARKS;
use super::plan::kubectl_name;
use super::record::Body;
use super::step::Step;
use crate::kubectl::{Kubectl, KubectlError};
use crate::yaml::Object;

/// What `kubectl rollout history` shows; where a manifest says its own, that stays.
const CAUSE: &str = "kubernetes.io/change-cause";

/// Writes them on the workloads that these steps change.
///
/// # Errors
/// As kubectl fails; nothing else depends on them.
pub fn mark(kubectl: &Kubectl<'_>, steps: &[&Step], body: &Body, number: u32) -> Result<(), KubectlError> {
    let marked = steps.iter().filter(|step| step.is_workload() && step.is_changed()).map(|step| &step.desired);
    let (own, none): (Vec<&Object>, Vec<&Object>) = marked.partition(|object| of(object, CAUSE).is_some());
    for (objects, is_told) in [(none, true), (own, false)] {
        if objects.is_empty() {
            continue;
        }
        let names: Vec<String> = objects.iter().map(|object| kubectl_name(object)).collect();
        kubectl.annotate(&names, &annotations(body, number, is_told))?;
    }
    Ok(())
}

/// The annotations, as kubectl takes them.
fn annotations(body: &Body, number: u32, is_told: bool) -> Vec<String> {
    let mut list = vec![format!("shipcat.dev/release={number}"), format!("shipcat.dev/version={}", body.version)];
    list.push(match &body.git {
        Some(git) => format!("shipcat.dev/revision={}", git.short()),
        // That of the release before is not this one's.
        None => "shipcat.dev/revision-".to_owned(),
    });
    if is_told {
        list.push(format!("{CAUSE}={}, version {}, by {}", body.command, body.version, body.who));
    }
    list
}

fn of<'a>(object: &'a Object, key: &str) -> Option<&'a Value> {
    object.json()["metadata"]["annotations"].get(key)
}

/// Gives an object the marks of another one of its states.
pub fn copy(from: &Object, to: &mut Value) {
    for key in MARKS {
        match of(from, key) {
            Some(value) => to["metadata"]["annotations"][key] = value.clone(),
            None => {
                let annotations = to["metadata"].get_mut("annotations").and_then(Value::as_object_mut);
                drop(annotations.and_then(|all| all.shift_remove(key)));
            }
        }
    }
}

/// Whether two states of an object have the same marks.
pub fn are_same(one: &Object, other: &Object) -> bool {
    MARKS.iter().all(|key| of(one, key) == of(other, key))
}

#[cfg(test)]
mod tests {
    use super::super::record::{Outcome, tests::release};
    use super::*;
    use serde_json::json;

    #[test]
    fn marks_say_which_release_it_was() {
        let body = release(3, Outcome::Pending, "1.2").body;
        let all = annotations(&body, 3, true);
        let cause = "kubernetes.io/change-cause=ship, version 1.2, by ann@laptop";
        assert_eq!(all, ["shipcat.dev/release=3", "shipcat.dev/version=1.2", "shipcat.dev/revision-", cause]);
        assert_eq!(annotations(&body, 3, false).len(), 3);
    }

    #[test]
    fn marks_go_back_to_what_they_were() {
        let object = |annotations: Value| {
            Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "annotations": annotations}})).unwrap()
        };
        let before = object(json!({"a": "1", CAUSE: "by hand"}));
        let mut now = object(json!({"a": "2", CAUSE: "ship", "shipcat.dev/release": "2"}));
        assert!(!are_same(&before, &now));
        copy(&before, now.json_mut());
        assert_eq!(now, object(json!({"a": "2", CAUSE: "by hand"})));
        assert!(are_same(&before, &now));
    }
}
