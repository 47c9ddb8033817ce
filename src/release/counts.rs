//! How many pods: what an autoscaler has decided is left to it, and fewer come only after the new ones are known to be good. Pure.

use super::ownership;
use super::plan::Plan;
use super::rollout::Kind;
use crate::yaml::Object;

fn replicas(object: &Object) -> Option<i64> {
    object.number("/spec/replicas")
}

/// Whether an object has a number of pods that can be chosen.
fn is_counted(object: &Object) -> bool {
    matches!(Kind::of(object), Some(Kind::Deployment | Kind::StatefulSet))
}

fn is_autoscaler(object: &Object) -> bool {
    object.group() == "autoscaling" && object.kind() == "HorizontalPodAutoscaler"
}

fn set(objects: &mut [Object], one: &Object, count: i64) {
    for object in objects.iter_mut().filter(|object| object.is(one)) {
        object.json_mut()["spec"]["replicas"] = count.into();
    }
}

/// Leaves the number of pods to an autoscaler, be it live or of this very render: a release that wrote its own would take 6 pods back
/// to 2. What is applied, and what is expected of it, get the count that is live, as long as somebody's configuration holds the
/// field: a field that its holder drops becomes 1. A workload that is made, or was at zero, begins with the autoscaler's least.
/// Returns the workloads whose count is left alone.
pub fn leave_autoscaled(
    desired: &mut [Object],
    expected: &mut [Object],
    live: &[Object],
    autoscalers: &[Object],
) -> Vec<String> {
    let ours: Vec<Object> = desired.iter().filter(|object| is_autoscaler(object)).cloned().collect();
    let mut left = Vec::new();
    for wanted in desired.to_vec().iter().filter(|wanted| is_counted(wanted)) {
        let scales = |autoscaler: &&Object| {
            autoscaler.text("/spec/scaleTargetRef/kind") == wanted.kind()
                && autoscaler.text("/spec/scaleTargetRef/name") == wanted.name()
        };
        // Ours first: what it says is what will hold.
        let Some(autoscaler) = ours.iter().chain(autoscalers).find(scales) else { continue };
        let before = wanted.among(live);
        // At zero an autoscaler is switched off, and the count is the manifest's again.
        let runs = before.and_then(replicas).filter(|runs| *runs > 0);
        let count = match (runs, replicas(wanted)) {
            (Some(runs), said) => {
                left.push(wanted.to_string());
                let held = before.is_some_and(|live| ownership::is_configured(live, &["f:spec", "f:replicas"]));
                (said.is_some() || held).then_some(runs)
            }
            (None, Some(_)) => None,
            (None, None) => Some(autoscaler.number("/spec/minReplicas").unwrap_or(1)),
        };
        if let Some(count) = count {
            set(desired, wanted, count);
            set(expected, wanted, count);
        }
    }
    left
}

/// Where pods are replaced and fewer are wanted than run, the number that runs is kept until the new ones are known to be good:
/// else Kubernetes stops the surplus of the old ones at once. Returns what is applied then; Jobs have run by that time.
pub fn keep_count(desired: &mut [Object], expected: &mut [Object], plan: &Plan) -> Option<Vec<Object>> {
    let afterwards: Vec<Object> =
        desired.iter().filter(|object| Kind::of(object) != Some(Kind::Job)).cloned().collect();
    let mut kept = false;
    for step in plan.steps.iter().filter(|step| is_counted(&step.desired) && step.replaces_pods()) {
        let (Some(wanted), Some(runs)) = (replicas(&step.desired), step.before.as_ref().and_then(replicas)) else {
            continue;
        };
        if wanted > 0 && wanted < runs {
            set(desired, &step.desired, runs);
            set(expected, &step.desired, runs);
            kept = true;
        }
    }
    kept.then_some(afterwards)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workload(kind: &str, name: &str, image: &str, count: Option<u32>) -> Object {
        let mut value = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"template": {"spec": {"containers": [{"name": "w", "image": image}]}}}});
        if let Some(count) = count {
            value["spec"]["replicas"] = count.into();
        }
        Object::new(value).unwrap()
    }

    fn deployment(image: &str, count: u32) -> Object {
        workload("Deployment", "w", image, Some(count))
    }

    fn scaler(kind: &str, min: u32) -> Object {
        Object::new(
            json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "w"},
            "spec": {"scaleTargetRef": {"kind": kind, "name": "w"}, "minReplicas": min}}),
        )
        .unwrap()
    }

    fn held_by(mut object: Object, manager: &str) -> Object {
        object.json_mut()["metadata"]["managedFields"] = json!([
            {"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
        object
    }

    #[test]
    fn fewer_pods_come_after_new_ones_each_workload_on_its_own() {
        for kind in ["Deployment", "StatefulSet"] {
            let of = |image: &str, count: u32| workload(kind, "w", image, Some(count));
            let other = |count: u32| workload("Deployment", "other", "a:1", Some(count));
            let live = [of("a:1", 4), other(3)];
            let keep = |image: &str, wanted: u32| {
                let mut desired = vec![of(image, wanted), other(2)];
                let mut expected = desired.clone();
                let plan = Plan::new(&desired, &live, &expected, "now");
                let afterwards = keep_count(&mut desired, &mut expected, &plan);
                assert_eq!(replicas(&desired[1]), Some(2), "its pods stay");
                (replicas(&desired[0]), replicas(&expected[0]), afterwards.and_then(|objects| replicas(&objects[0])))
            };
            assert_eq!(keep("a:2", 1), (Some(4), Some(4), Some(1)));
            assert_eq!(keep("a:1", 1), (Some(1), Some(1), None));
            assert_eq!(keep("a:2", 5), (Some(5), Some(5), None));
            assert_eq!(keep("a:2", 0), (Some(0), Some(0), None));
        }
    }

    #[test]
    fn a_live_autoscalers_count_is_left_to_it() {
        let live = [deployment("a:1", 6)];
        let counts = |scalers: &[Object], live: &[Object]| {
            let (mut desired, mut expected) = ([deployment("a:2", 2)], [deployment("a:2", 2)]);
            let left = leave_autoscaled(&mut desired, &mut expected, live, scalers);
            (left.len(), replicas(&desired[0]), replicas(&expected[0]))
        };
        assert_eq!(counts(&[scaler("Deployment", 1)], &live), (1, Some(6), Some(6)));
        assert_eq!(counts(&[], &live), (0, Some(2), Some(2)));
        assert_eq!(counts(&[scaler("StatefulSet", 1)], &live), (0, Some(2), Some(2)));
        assert_eq!(counts(&[scaler("Deployment", 1)], &[]), (0, Some(2), Some(2)));
    }

    #[test]
    fn a_service_that_moves_to_an_autoscaler_keeps_its_pods_and_a_new_one_begins_with_the_least() {
        let count = |live: &[Object]| {
            let mut desired = [workload("StatefulSet", "w", "a:2", None), scaler("StatefulSet", 3)];
            let mut expected = desired.clone();
            leave_autoscaled(&mut desired, &mut expected, live, &[]);
            (replicas(&desired[0]), desired[0].json() == expected[0].json())
        };
        let live = workload("StatefulSet", "w", "a:1", Some(4));
        assert_eq!(count(&[held_by(live.clone(), "shipcat")]), (Some(4), true));
        assert_eq!(count(&[held_by(live.clone(), "kubectl-client-side-apply")]), (Some(4), true));
        // The autoscaler has taken the field over: it is nobody's to drop.
        assert_eq!(count(&[held_by(live, "kube-controller-manager")]), (None, true));
        assert_eq!(count(&[]), (Some(3), true));
        assert_eq!(count(&[held_by(workload("StatefulSet", "w", "a:1", Some(0)), "shipcat")]), (Some(3), true));
    }
}
