//! The settling rule: a container that nothing holds back must run for a while under our eyes before it counts.

use std::time::Duration;

use serde_json::Value;

use super::Memory;
use super::moment::Moment;
use super::picture::{restarts, statuses, text};
use crate::yaml::Object;

/// Whether a workload's pods have held out: where neither a readiness probe nor `minReadySeconds` holds a pod back, it must run
/// for a while, since the API calls it available at once, also in a crash loop. What counts is the `minReadySeconds` that the server
/// has: one that does not know the field for this kind (a StatefulSet's, before 1.22) has dropped it.
///
/// A container without a probe must be seen to run for that while also where the server holds its pod back: a kubelet that is behind
/// with its reports is believed by the controllers, which count from when the report says, not from when it came; and the workload's
/// status may speak of the time before a crash.
pub fn settled(workload: &Object, pods: &[&Object], wanted: i64, at: Moment<'_>, memory: &mut Memory) -> bool {
    let unprobed = unprobed(workload);
    if unprobed.is_empty() {
        return true;
    }
    let held = workload.number("/spec/minReadySeconds").filter(|seconds| *seconds > 0);
    let mut steady = i64::try_from(pods.len()).unwrap_or_default() >= wanted;
    for pod in pods {
        // Each is looked at, so that each one's clock runs.
        for (init, status) in statuses(pod) {
            if !init && (held.is_none() || unprobed.contains(&text(status, "name"))) {
                steady &= holds_out(pod, status, held, at, memory);
            }
        }
    }
    steady
}

/// The containers of a workload's pods of which no readiness probe says that they are up.
pub fn unprobed(workload: &Object) -> Vec<&str> {
    let containers = workload.list("/spec/template/spec/containers").iter();
    containers
        .filter(|container| container.get("readinessProbe").is_none())
        .map(|container| text(container, "name"))
        .collect()
}

/// Whether a container has run for long enough since it was seen to run: what it took to be made is no time that it has run.
/// `held` is the workload's `minReadySeconds`, where it has some.
fn holds_out(pod: &Object, status: &Value, held: Option<i64>, at: Moment<'_>, memory: &mut Memory) -> bool {
    let name = text(status, "name");
    let Some(running) = status.pointer("/state/running") else { return false };
    let sign = format!("run {} {name} {} {}", pod.uid(), restarts(status), text(running, "startedAt"));
    let before = memory.baseline.get(&(pod.uid().to_owned(), name.to_owned())).copied();
    let (since, _) = memory.since(&sign, "", at.now);
    // What has crashed under our eyes must stand for twice as long: a kubelet under load was seen to call a container running for eight seconds
    // that had ended at once, again. What it could not send at once it sends every ten seconds (`syncPeriod` of its status manager).
    let again = if restarts(status) > before.unwrap_or_default() { 2 } else { 1 };
    match held {
        // It was there before the ship, and nothing has happened to it.
        Some(_) if before.is_some_and(|before| restarts(status) <= before) => true,
        // The server counts from the beginning of the second in which it got ready, and so do we.
        Some(seconds) if restarts(status) == 0 => {
            since >= Duration::from_secs(seconds.unsigned_abs()).saturating_sub(Duration::from_secs(1))
        }
        Some(seconds) => since >= Duration::from_secs(seconds.unsigned_abs()).max(at.limits.settle * again),
        None => since >= at.limits.settle * again,
    }
}

/// Whether the server itself holds pods back for a while.
pub fn is_held(workload: &Object) -> bool {
    workload.number("/spec/minReadySeconds").unwrap_or_default() > 0
}
