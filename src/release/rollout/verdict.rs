//! What a picture means: good, doomed, or not yet. Pure but for the memory that it is handed.
//!
//! The table is DESIGN section 5's. Pods of other revisions, and what was before the ship, never count.

use std::time::Instant;

use serde_json::Value;

use super::picture::{restarts, statuses, text};
use super::trouble::{Finding, cannot_create, finding, trouble};
use super::{Goal, Limits, Memory, Picture};
use crate::yaml::Object;

/// What a picture means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It worked.
    Good,
    /// Not yet: what is waited for, and what is in trouble so far.
    Waiting(String, Vec<Finding>),
    /// It will not work.
    Doomed(Vec<Finding>),
    /// Somebody else changed the Deployment's pod template meanwhile, or deleted it.
    Superseded(String),
}

/// Judges a picture.
pub fn judge(picture: &Picture, goal: &Goal, memory: &mut Memory, limits: &Limits, now: Instant) -> Verdict {
    let Some(deployment) = &picture.deployment else {
        return Verdict::Superseded("the Deployment is gone: somebody deleted it".into());
    };
    if deployment.uid() != goal.uid {
        return Verdict::Superseded("the Deployment was deleted and made again by somebody else".into());
    }
    if !deployment.text("/metadata/deletionTimestamp").is_empty() {
        return Verdict::Superseded("the Deployment is being deleted by somebody else".into());
    }
    let generation = deployment.number("/metadata/generation").unwrap_or_default();
    if generation < goal.generation {
        return Verdict::Waiting("waiting for the change to be seen".into(), Vec::new());
    }
    if deployment.json().pointer("/spec/template") != Some(&goal.template) {
        return Verdict::Superseded("somebody else changed the Deployment's pod template meanwhile".into());
    }
    let name = deployment.name();
    if deployment.json().pointer("/spec/paused").and_then(Value::as_bool) == Some(true) {
        let message =
            format!("Deployment/{name} is paused: no new pods are made (`kubectl rollout resume deployment/{name}`)");
        return Verdict::Doomed(vec![Finding { doomed: true, ..finding("paused", message) }]);
    }
    // The status must speak of the generation that is there now; somebody may have scaled since.
    let observed = deployment.number("/status/observedGeneration").unwrap_or_default();
    if observed < generation {
        return Verdict::Waiting("waiting for the Deployment controller".into(), Vec::new());
    }
    let wanted = deployment.number("/spec/replicas").unwrap_or(1);
    let status = |field: &str| deployment.number(&format!("/status/{field}")).unwrap_or_default();
    let (total, updated, available) = (status("replicas"), status("updatedReplicas"), status("availableReplicas"));
    let set = picture.replica_set(goal.generation);
    let pods = set.map(|set| picture.pods_of(set)).unwrap_or_default();
    let complete = updated == wanted && total == wanted && available == wanted;
    if complete && (wanted == 0 || settled(deployment, &pods, wanted, memory, limits, now)) {
        return Verdict::Good;
    }
    let mut findings = Vec::new();
    let mut doomed_pods = 0;
    for pod in &pods {
        let found = trouble(pod, goal, memory, limits, now);
        doomed_pods += usize::from(found.iter().any(|finding| finding.doomed));
        findings.extend(found);
    }
    if pods.is_empty()
        && let Some(finding) = set.or(Some(deployment)).and_then(|object| cannot_create(object, memory, limits, now))
    {
        if finding.doomed {
            return Verdict::Doomed(vec![finding]);
        }
        findings.push(finding);
    }
    if !pods.is_empty() && doomed_pods == pods.len() {
        findings.retain(|finding| finding.doomed);
        return Verdict::Doomed(findings);
    }
    Verdict::Waiting(progress(goal, [wanted, total, updated, available], complete, &findings), findings)
}

fn progress(goal: &Goal, counts: [i64; 4], complete: bool, findings: &[Finding]) -> String {
    let [wanted, total, updated, available] = counts;
    let (word, other) = goal.words;
    let mut parts = Vec::new();
    if complete {
        parts.push(format!("{} of {wanted} {word} pods ready, watching that they stay up", updated.min(available)));
    } else {
        // `available` counts old pods too: as many new ones are ready as there are more than old ones could be.
        let old = total - updated;
        parts.push(format!("{} of {wanted} {word} pods ready", (available - old).clamp(0, updated)));
        if old > 0 {
            parts.push(format!("{old} {other}"));
        }
    }
    let mut line = parts.join(", ");
    let reasons: Vec<&str> = findings.iter().filter(|finding| !finding.fresh).map(|f| f.message.as_str()).collect();
    if let Some(first) = reasons.first() {
        line = format!("{line}: {}", first.lines().next().unwrap_or_default());
    }
    line
}

/// Where neither a readiness probe nor `minReadySeconds` holds a pod back, it must run for a while under our eyes: the
/// API calls it available at once, also in a crash loop.
fn settled(
    deployment: &Object,
    pods: &[&Object],
    wanted: i64,
    memory: &mut Memory,
    limits: &Limits,
    now: Instant,
) -> bool {
    let held = deployment.number("/spec/minReadySeconds").unwrap_or_default() > 0;
    let probed = |container: &Value| container.get("readinessProbe").is_some();
    if held || deployment.list("/spec/template/spec/containers").iter().all(probed) {
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
            steady &= running && memory.since(&sign, "", now).0 >= limits.settle;
        }
    }
    steady
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
