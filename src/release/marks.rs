//! What a workload says of the release that changed it last: annotations, for people who look with kubectl. An apply brings them along,
//! behind a `set image` they are written by a field manager of their own; no diff shows them. They are of the object and not of its
//! pods, so that nothing restarts for them.

use serde_json::Value;

use super::change::Changed;
use super::diff::MARKS;
use super::plan::{Road, kubectl_name};
use super::record::Body;
use super::step::Step;
use crate::kubectl::{Kubectl, KubectlError};
use crate::yaml::Object;

/// What `kubectl rollout history` shows; where a manifest says its own, that stays.
const CAUSE: &str = "kubernetes.io/change-cause";

/// What an apply of a step sends: the object with its marks, so that they cost no call of their own, and the controller finds them when it
/// makes the new ReplicaSet. A workload that does not change keeps those that it has.
pub fn marked(step: &Step, body: &Body, number: u32) -> Object {
    let mut object = step.desired.clone();
    if !step.is_workload() {
        return object;
    }
    let is_told = of(&object, CAUSE).is_none();
    if step.is_changed() {
        for (key, value) in wanted(body, number, is_told) {
            if let Some(value) = value {
                object.json_mut()["metadata"]["annotations"][key] = value.into();
            }
        }
    } else if let Some(before) = &step.before {
        copy(before, object.json_mut());
        if let Some(own) = of(&step.desired, CAUSE) {
            object.json_mut()["metadata"]["annotations"][CAUSE] = own.clone();
        }
    }
    object
}

/// The same for a later apply of the objects of these steps, which would else take the marks away again.
pub fn with_those_of(steps: &[Step], later: &[Object], body: &Body, number: u32) -> Vec<Object> {
    let with = |object: &Object| {
        let mut object = object.clone();
        if let Some(step) = steps.iter().find(|step| step.is_workload() && step.desired.is(&object)) {
            copy(&marked(step, body, number), object.json_mut());
        }
        object
    };
    later.iter().map(with).collect()
}

/// Those of the steps whose objects do not say yet that they are of this release: those that only got other images, and those where
/// something is to go that our apply does not own. `made` is what became of the objects.
pub fn unmarked<'a>(steps: &[&'a Step], made: &[Changed], road: &Road, body: &Body, number: u32) -> Vec<&'a Step> {
    let is_marked = |object: &Object| {
        let mut all = wanted(body, number, false).into_iter();
        all.all(|(key, value)| of(object, key).and_then(Value::as_str) == value.as_deref())
    };
    let lacks = |step: &&&Step| match road {
        Road::Nothing => false,
        Road::SetImage(_) | Road::Restart => true,
        Road::Apply => made.iter().any(|one| one.answered && one.after.is(&step.desired) && !is_marked(&one.after)),
    };
    steps.iter().filter(lacks).copied().collect()
}

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
    let line = |(key, value): (&str, Option<String>)| match value {
        Some(value) => format!("{key}={value}"),
        None => format!("{key}-"),
    };
    wanted(body, number, is_told).into_iter().map(line).collect()
}

/// What each is to be; nothing where it is to go.
fn wanted(body: &Body, number: u32, is_told: bool) -> Vec<(&'static str, Option<String>)> {
    let mut list = vec![
        ("shipcat.dev/release", Some(number.to_string())),
        ("shipcat.dev/version", Some(body.version.clone())),
        // That of the release before is not this one's.
        ("shipcat.dev/revision", body.git.as_ref().map(|git| git.short())),
    ];
    if is_told {
        list.push((CAUSE, Some(format!("{}, version {}, by {}", body.command, body.version, body.who))));
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

    fn workload(annotations: Value, image: &str) -> Object {
        let metadata = json!({"name": "w", "annotations": annotations});
        Object::new(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"image": image}}),
        )
        .unwrap()
    }

    #[test]
    fn an_apply_brings_the_marks_along_and_takes_none_away() {
        let body = release(3, Outcome::Pending, "1.2").body;
        let step = |wanted: Value, image: &str| Step {
            desired: workload(wanted.clone(), image),
            before: Some(workload(json!({"shipcat.dev/release": "2", "shipcat.dev/revision": "3f2c1a9"}), "a:1")),
            expected: workload(wanted, image),
            takeover: None,
            job: None,
            restart: None,
        };
        let release_of = |object: &Object| of(object, "shipcat.dev/release").cloned();
        let new = step(json!({CAUSE: "mine"}), "a:2");
        let sent = marked(&new, &body, 3);
        assert_eq!((release_of(&sent), of(&sent, CAUSE)), (Some(json!("3")), Some(&json!("mine"))));
        let same = step(json!({}), "a:1");
        assert_eq!(release_of(&marked(&same, &body, 3)), Some(json!("2")));
        let later = with_those_of(std::slice::from_ref(&new), &[workload(json!({CAUSE: "mine"}), "a:3")], &body, 3);
        assert_eq!((release_of(&later[0]), &later[0].json()["spec"]["image"]), (Some(json!("3")), &json!("a:3")));

        // The revision of the release before is somebody else's field, and stays where the apply does not own it.
        let mut after = sent.clone();
        let lacks = |after: &Object, road: &Road, answered: bool| {
            let made = [Changed { before: None, after: after.clone(), answered }];
            unmarked(&[&new], &made, road, &body, 3).len()
        };
        assert_eq!((lacks(&after, &Road::Apply, true), lacks(&after, &Road::SetImage(Vec::new()), true)), (0, 1));
        after.json_mut()["metadata"]["annotations"]["shipcat.dev/revision"] = json!("3f2c1a9");
        assert_eq!((lacks(&after, &Road::Apply, true), lacks(&after, &Road::Apply, false)), (1, 0));
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
