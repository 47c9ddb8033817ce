//! What a release waits for whatever the machine is like: by it those begin first, of several, that take the longest.

use std::time::Duration;

use super::plan::{Plan, Road};
use super::rollout::unprobed;
use super::step::Step;
use crate::yaml::Object;

/// What a Job is taken for. How long it runs nobody knows; the rollout waits behind it.
const A_JOB: Duration = Duration::from_secs(10);

impl Plan {
    /// How long the release takes at the least, as far as its objects say it. `settle` is how long a container without a probe must run.
    pub fn waits(&self, settle: Duration) -> Duration {
        if self.road == Road::Nothing {
            return Duration::ZERO;
        }
        let jobs = if self.steps.iter().any(Step::is_job_due) { A_JOB } else { Duration::ZERO };
        let workloads = self.workloads().filter(|step| step.before.is_none() || step.replaces_pods());
        jobs + workloads.map(|step| of_pods(&step.desired, settle)).max().unwrap_or_default()
    }
}

/// How long new pods of a workload take to count, one after the other where it makes them so.
fn of_pods(workload: &Object, settle: Duration) -> Duration {
    let seconds = |value: Option<i64>| Duration::from_secs(value.unwrap_or_default().unsigned_abs());
    let held = seconds(workload.number("/spec/minReadySeconds"));
    // What the manifest says holds; without a word of it, what no probe looks at must settle.
    let settled = if held.is_zero() && !unprobed(workload).is_empty() { settle } else { held };
    let containers = workload.list("/spec/template/spec/containers").iter();
    let delay = |container: &serde_json::Value| {
        seconds(container.pointer("/readinessProbe/initialDelaySeconds").and_then(serde_json::Value::as_i64))
    };
    let one = settled + containers.map(delay).max().unwrap_or_default();
    let is_serial = workload.kind() == "StatefulSet" && workload.text("/spec/podManagementPolicy") != "Parallel";
    let pods = if is_serial { workload.number("/spec/replicas").unwrap_or(1) } else { 1 };
    one * u32::try_from(pods).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn plan(objects: &[Value]) -> Duration {
        let objects: Vec<Object> = objects.iter().map(|object| Object::new(object.clone()).unwrap()).collect();
        Plan::new(&objects, &[], &objects, "now").waits(Duration::from_secs(5))
    }

    #[test]
    fn the_longest_wait_is_of_what_runs_first_and_of_what_must_settle() {
        let workload = |kind: &str, container: Value, more: Value| {
            let mut spec = json!({"replicas": 3, "template": {"spec": {"containers": [container]}}});
            for (key, value) in more.as_object().unwrap() {
                spec[key] = value.clone();
            }
            json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "w"}, "spec": spec})
        };
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}});
        let probed =
            workload("Deployment", json!({"name": "w", "readinessProbe": {"initialDelaySeconds": 2}}), json!({}));
        let bare = |kind: &str, more: Value| workload(kind, json!({"name": "w"}), more);
        let seconds = |objects: &[Value]| plan(objects).as_secs();
        assert_eq!(seconds(std::slice::from_ref(&probed)), 2);
        assert_eq!(seconds(&[bare("Deployment", json!({}))]), 5);
        assert_eq!(seconds(&[bare("Deployment", json!({"minReadySeconds": 3})), probed.clone()]), 3);
        assert_eq!(seconds(&[job, probed]), 12);
        assert_eq!(seconds(&[bare("StatefulSet", json!({}))]), 15);
        assert_eq!(seconds(&[bare("StatefulSet", json!({"podManagementPolicy": "Parallel"}))]), 5);
    }
}
