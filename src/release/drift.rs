//! What somebody changed by hand since the release that runs: the API server's answer to that release, as its record keeps it,
//! compared with what is live. Pure.

use super::diff::{Difference, Path, differences};
use super::nature::{Change, Nature, What, changes_of};
use super::ownership;
use super::plan::Plan;
use crate::yaml::Object;

/// What becomes of what somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A ship gives it the value back that the release gave it.
    PutBack,
    /// A ship gives it another value, since the manifest has changed as well.
    Replaced,
    /// A ship leaves it: it is in no manifest, or the manifest says the same by now.
    Stays,
    /// It was deleted, and a ship makes it again.
    MadeAgain,
}

/// A field, or an object, that somebody changed since the release that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// From what the release had to what is live.
    pub change: Change,
    /// Who holds the field now, by managedFields: `kubectl-edit`.
    pub by: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What was changed by hand, for each object of a plan. `answers` are those of the release that runs; `left` is what a later one, that
/// failed and was not taken back, was to make: nobody's hand. The number of pods of those in `autoscaled` is an autoscaler's. The plan
/// keeps of its changes those that the manifest asks for.
pub fn drift(plan: &mut Plan, answers: &[Object], left: &[Object], autoscaled: &[String]) -> Vec<Drift> {
    let mut found = Vec::new();
    for step in &plan.steps {
        let Some(answer) = step.desired.among(answers) else { continue };
        if step.job.is_some() {
            continue;
        }
        let Some(live) = &step.before else {
            let change = Change { object: step.desired.to_string(), nature: Nature::New, what: What::Object };
            found.push(Drift { change, by: None, fate: Fate::MadeAgain });
            continue;
        };
        let wanted = differences(live.json(), step.expected.json());
        let since_left = live.among(left).map(|left| differences(left.json(), live.json()));
        let is_left = |path: &Path| {
            since_left.as_ref().is_some_and(|since| !since.iter().any(|difference| difference.path.overlaps(path)))
        };
        let is_count = |difference: &Difference| difference.path.to_string() == "spec.replicas";
        for difference in since(answer, live) {
            let over: Vec<&Difference> =
                wanted.iter().filter(|wanted| wanted.path.overlaps(&difference.path)).collect();
            let fate = match over.as_slice() {
                [] => Fate::Stays,
                [one] if one.path == difference.path && one.to == difference.from => Fate::PutBack,
                _ => Fate::Replaced,
            };
            if is_left(&difference.path) || is_count(&difference) && autoscaled.contains(&live.to_string()) {
                continue;
            }
            let by = ownership::holder(live, &difference.path);
            if is_told(live, &difference, fate, by.as_deref()) {
                // As a change of the object, so that it is told like one.
                let change = told(answer, live, &difference.path);
                found.extend(change.map(|change| Drift { change, by, fate }));
            }
        }
    }
    let is_put_back = |change: &Change| {
        found.iter().any(|drift| match drift.fate {
            Fate::PutBack => drift.change.object == change.object && same_place(&drift.change.what, &change.what),
            Fate::MadeAgain => drift.change.object == change.object,
            _ => false,
        })
    };
    plan.changes.retain(|change| !is_put_back(change));
    found
}

/// What differs since; of what is immutable the content was not kept, and cannot differ.
fn since(answer: &Object, live: &Object) -> Vec<Difference> {
    let mut found = differences(answer.json(), live.json());
    if answer.is_immutable() {
        found.retain(|difference| difference.path.starts_with("metadata"));
    }
    found
}

fn told(answer: &Object, live: &Object, path: &Path) -> Option<Change> {
    changes_of(Some(answer), live).into_iter().find(|change| match &change.what {
        What::Field(difference) => difference.path == *path,
        What::File { key, .. } => path.key_below("data") == Some(key),
        What::Object => false,
    })
}

fn same_place(one: &What, other: &What) -> bool {
    match (one, other) {
        (What::Field(one), What::Field(other)) => one.path == other.path,
        (What::File { key: one, .. }, What::File { key: other, .. }) => one == other,
        _ => false,
    }
}

/// Whether it is somebody's doing: not a controller's, nor a default that a newer server shows, nor a new field that another holds,
/// which is told as unmanaged.
fn is_told(live: &Object, difference: &Difference, fate: Fate, by: Option<&str>) -> bool {
    if by.is_some_and(ownership::is_controller) {
        return false;
    }
    let is_new = difference.from.is_none();
    match fate {
        Fate::Stays if is_new => false,
        Fate::Stays => !(live.kind() == "ServiceAccount" && difference.path.starts_with("secrets")),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::diff::significant;
    use super::*;
    use serde_json::{Value, json};

    fn deployment(level: &str, grace: u32, managed: Value) -> Object {
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "w", "managedFields": managed},
            "spec": {"replicas": 2, "template": {"spec": {"terminationGracePeriodSeconds": grace,
                "containers": [{"name": "w", "image": "a:1", "env": [{"name": "LEVEL", "value": level}]}]}}}}))
        .unwrap()
    }

    fn answer(level: &str) -> Object {
        Object::new(significant(deployment(level, 30, json!([])).json())).unwrap()
    }

    fn look(live: &Object, expected: &Object, answer: &Object) -> (Vec<Drift>, Plan) {
        let one = std::slice::from_ref;
        let mut plan = Plan::new(one(expected), one(live), one(expected), "now");
        let drift = drift(&mut plan, one(answer), &[], &[]);
        (drift, plan)
    }

    #[test]
    fn what_was_changed_by_hand_is_told_apart_from_what_the_manifest_changes() {
        let by_hand = json!([{"manager": "kubectl-set", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1":
            {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"w\"}": {"f:env": {"k:{\"name\":\"LEVEL\"}": {"f:value": {}}}}}}}}}}]);
        let live = deployment("debug", 30, by_hand);
        let (drift, plan) = look(&live, &deployment("info", 30, json!([])), &answer("info"));
        assert_eq!((drift[0].fate, drift[0].by.as_deref()), (Fate::PutBack, Some("kubectl-set")));
        assert!(drift.len() == 1 && plan.changes.is_empty(), "{drift:?} {plan:?}");

        let (drift, plan) = look(&live, &deployment("warn", 30, json!([])), &answer("info"));
        assert_eq!((drift[0].fate, plan.changes.len()), (Fate::Replaced, 1));

        let (drift, plan) = look(&live, &deployment("debug", 30, json!([])), &answer("info"));
        assert_eq!((drift[0].fate, plan.changes.len()), (Fate::Stays, 0));

        // Nobody's hand: only the manifest.
        let live = deployment("info", 30, json!([]));
        let (drift, plan) = look(&live, &deployment("debug", 30, json!([])), &answer("info"));
        assert_eq!((drift, plan.changes.len()), (Vec::new(), 1));
    }

    #[test]
    fn what_a_failed_release_left_is_nobodys_hand() {
        let one = std::slice::from_ref;
        let (live, wanted) = (deployment("debug", 7, json!([])), deployment("info", 30, json!([])));
        let told = |left: &Object| {
            let mut plan = Plan::new(one(&wanted), one(&live), one(&wanted), "now");
            let found = drift(&mut plan, one(&answer("info")), one(left), &[]);
            (found.len(), plan.changes.len())
        };
        // It brought the level; somebody else the grace period.
        assert_eq!(told(&answer("debug")), (1, 1));
        assert_eq!(told(&Object::new(significant(live.json())).unwrap()), (0, 2));
        assert_eq!(told(&answer("other")), (2, 0));
    }

    #[test]
    fn a_field_of_no_manifest_stays_and_a_controllers_is_none() {
        let held = |manager: &str| {
            json!([{"manager": manager, "operation": "Update", "fieldsV1":
                {"f:spec": {"f:template": {"f:spec": {"f:terminationGracePeriodSeconds": {}}}}}}])
        };
        let live = deployment("info", 5, held("kubectl-patch"));
        let (drift, _) = look(&live, &live.clone(), &answer("info"));
        assert_eq!((drift.len(), drift[0].fate), (1, Fate::Stays));
        let live = deployment("info", 5, held("kube-controller-manager"));
        assert_eq!(look(&live, &live.clone(), &answer("info")).0, []);
    }
}
