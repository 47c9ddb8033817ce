//! How far the pod of a Job of tests is. Pure.

use serde_json::Value;

use super::job::TESTS;
use crate::yaml::Object;

/// How a pod of tests is.
#[derive(Debug)]
pub enum Sight {
    /// It waits for something, which is said.
    Waits(String),
    /// The tests run.
    Runs(Object),
    /// The tests have ended, with this exit code.
    Ended(Object, i32),
    /// It will never run, and why.
    Stuck(String),
}

/// Reasons for which a container waits in vain. (k8s.io/kubernetes pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime.)
const VAIN: [&str; 6] = [
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// Looks at a pod.
pub fn sight(pod: Object) -> Sight {
    let none = Vec::new();
    let statuses = pod.json().pointer("/status/containerStatuses").and_then(Value::as_array).unwrap_or(&none);
    let of = |status: &Value, path: &str| status.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let tests = statuses.iter().find(|status| status["name"] == TESTS);
    if let Some(ended) = tests.and_then(|status| status.pointer("/state/terminated")) {
        if ended["reason"] == "StartError" || ended["reason"] == "ContainerCannotRun" {
            return Sight::Stuck(format!("the tests' container could not be started: {}", of(ended, "/message")));
        }
        let exit = ended["exitCode"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(1);
        return Sight::Ended(pod, exit);
    }
    for status in statuses {
        let reason = of(status, "/state/waiting/reason");
        if VAIN.contains(&reason.as_str()) {
            let (name, image, message) =
                (of(status, "/name"), of(status, "/image"), of(status, "/state/waiting/message"));
            // Where it is the image, people want to know where that is said.
            let hint = if name == TESTS && reason.contains("Image") {
                "; which image it is say `image` and `tag` of `tests`, or `--tests-tag`"
            } else {
                ""
            };
            return Sight::Stuck(format!(
                "the container `{name}` of the tests' pod, {image}, cannot run: {reason}: {message}{hint}"
            ));
        }
    }
    if pod.text("/status/phase") == "Failed" {
        let (reason, message) = (pod.text("/status/reason"), pod.text("/status/message"));
        return Sight::Stuck(format!("the tests' pod failed: {reason} {message}").trim_end().to_owned());
    }
    if tests.is_some_and(|status| status.pointer("/state/running").is_some()) {
        return Sight::Runs(pod);
    }
    let waiting = statuses.iter().map(|status| of(status, "/state/waiting/reason")).find(|reason| !reason.is_empty());
    let conditions = pod.json().pointer("/status/conditions").and_then(Value::as_array).unwrap_or(&none);
    let unplaced = conditions.iter().find(|one| one["type"] == "PodScheduled" && one["status"] == "False");
    Sight::Waits(match (unplaced, waiting) {
        (Some(condition), _) => of(condition, "/message"),
        (None, Some(reason)) => reason,
        (None, None) => "it is being made".into(),
    })
}

/// Whether all that a pod was to run has run. (A pod that is deleted is there for up to a minute longer where the kubelet is an old one, which
/// clears away its containers once a minute.)
pub fn has_ended(pod: &Object) -> bool {
    let statuses = pod.list("/status/containerStatuses");
    !statuses.is_empty() && statuses.iter().all(|status| status.pointer("/state/terminated").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_has_ended_when_all_of_it_has() {
        let pod = |states: &[Value]| {
            let statuses: Vec<Value> = states.iter().map(|state| json!({"name": "c", "state": state})).collect();
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": {"containerStatuses": statuses}});
            has_ended(&Object::new(pod).unwrap())
        };
        let (ended, runs) = (json!({"terminated": {"exitCode": 137}}), json!({"running": {}}));
        assert!(pod(&[ended.clone(), ended.clone()]));
        assert!(!pod(&[ended, runs]) && !pod(&[json!({"waiting": {"reason": "ContainerCreating"}})]) && !pod(&[]));
    }

    fn of(state: &Value) -> Sight {
        let status = json!({"phase": "Pending", "containerStatuses": [
            {"name": "fetcher", "state": {"running": {}}}, {"name": TESTS, "image": "i:1", "state": state}]});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": status});
        sight(Object::new(pod).unwrap())
    }

    #[test]
    fn what_a_pod_does_is_seen() {
        assert!(matches!(of(&json!({"running": {}})), Sight::Runs(_)));
        assert!(matches!(of(&json!({"terminated": {"exitCode": 3}})), Sight::Ended(_, 3)));
        assert!(
            matches!(of(&json!({"waiting": {"reason": "ContainerCreating"}})), Sight::Waits(why) if why == "ContainerCreating")
        );
        let stuck = |reason: &str| match of(&json!({"waiting": {"reason": reason, "message": "not found"}})) {
            Sight::Stuck(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            stuck("ImagePullBackOff"),
            "the container `tests` of the tests' pod, i:1, cannot run: ImagePullBackOff: not found; which image it is say `image` and `tag` of `tests`, or `--tests-tag`"
        );
        assert!(stuck("CreateContainerError").ends_with("i:1, cannot run: CreateContainerError: not found"));
    }
}
