//! The settling rule: a container that nothing holds back must run for a while under our eyes before it counts.

use serde_json::Value;

use super::Memory;
use super::moment::Moment;
use super::picture::{restarts, statuses, text};
use crate::yaml::Object;

/// Whether a workload's pods have held out: where neither a readiness probe nor `minReadySeconds` holds a pod back, it must run
/// for a while, since the API calls it available at once, also in a crash loop. What counts is the `minReadySeconds` that the server
/// has: one that does not know the field for this kind (a StatefulSet's, before 1.22) has dropped it.
pub fn settled(workload: &Object, pods: &[&Object], wanted: i64, at: Moment<'_>, memory: &mut Memory) -> bool {
    let probed = |container: &Value| container.get("readinessProbe").is_some();
    if is_held(workload) || workload.list("/spec/template/spec/containers").iter().all(probed) {
        return true;
    }
    let seen = i64::try_from(pods.len()).unwrap_or_default() >= wanted;
    let mut steady = seen;
    for pod in pods {
        for (init, status) in statuses(pod) {
            if init {
                continue;
            }
            let name = text(status, "name");
            let sign = format!("run {} {name} {}", pod.uid(), restarts(status));
            let running = status.pointer("/state/running").is_some();
            // Each is looked at, so that each one's clock runs.
            steady &= running && memory.since(&sign, "", at.now).0 >= at.limits.settle;
        }
    }
    steady
}

/// Whether the server itself holds pods back for a while.
pub fn is_held(workload: &Object) -> bool {
    workload.number("/spec/minReadySeconds").unwrap_or_default() > 0
}
