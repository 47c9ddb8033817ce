//! Whether a Deployment is up: all wanted pods of the new revision available, none of the old left. It is doomed when all pods of
//! the new revision are, and there is one.

use serde_json::Value;

use super::moment::Moment;
use super::picture::is_over;
use super::settled::settled;
use super::stateful_set::is_ready;
use super::stopping::stopping;
use super::trouble::{cannot_create, finding};
use super::unready::unready;
use super::verdict::{Verdict, status, troubles, with_reason};
use super::{Finding, Goal, Memory};
use crate::yaml::Object;

/// A paused Deployment makes no new pods, whatever is waited for.
pub fn paused(live: &Object, goal: &Goal) -> Option<Verdict> {
    let paused = live.json().pointer("/spec/paused").and_then(Value::as_bool) == Some(true);
    let name = &goal.name;
    let message = format!("{goal} is paused: no new pods are made (`kubectl rollout resume deployment/{name}`)");
    paused.then(|| Verdict::Doomed(vec![Finding { doomed: true, ..finding("paused", message) }]))
}

/// Judges a Deployment whose status speaks of its present generation.
pub fn judge(deployment: &Object, at: Moment<'_>, memory: &mut Memory) -> Verdict {
    let wanted = deployment.number("/spec/replicas").unwrap_or(1);
    let status = |field| status(deployment, field);
    let (total, updated, available) = (status("replicas"), status("updatedReplicas"), status("availableReplicas"));
    let set = at.picture.replica_set(deployment, at.goal.generation);
    let all = set.map(|set| at.picture.pods_of(set.uid())).unwrap_or_default();
    // One that was evicted stays in the list, and another one takes its place.
    let (over, pods): (Vec<&Object>, Vec<&Object>) = all.into_iter().partition(|pod| is_over(pod));
    let complete = updated == wanted && total == wanted && available == wanted;
    // The status may speak of the time before a crash that the pods tell of already.
    let up = i64::try_from(pods.iter().filter(|pod| is_ready(pod)).count()).unwrap_or_default();
    // Looked at from the first moment on, so that the clocks of those that must hold out run.
    let steady = settled(deployment, &pods, wanted, at, memory);
    if complete && (wanted == 0 || (up >= wanted && steady)) {
        return Verdict::Good;
    }
    let (mut findings, doomed) = troubles(&pods, at, memory);
    findings.extend(over.iter().filter_map(|pod| unready(pod, at, memory)));
    let made = pods.len();
    if i64::try_from(made).unwrap_or_default() < wanted
        && let Some(finding) = set.or(Some(deployment)).and_then(|object| cannot_create(object, made, at, memory))
    {
        if finding.doomed {
            return Verdict::Doomed(vec![finding]);
        }
        findings.push(finding);
    }
    findings.extend(stopping(deployment, wanted, at, memory));
    if !pods.is_empty() && doomed == pods.len() {
        findings.retain(|finding| finding.doomed);
        return Verdict::Doomed(findings);
    }
    let (word, other) = at.goal.words;
    let line = if complete {
        format!("{} of {wanted} {word} pods ready, watching that they stay up", updated.min(available))
    } else {
        // `available` counts old pods too: as many new ones are ready as there are more than old ones could be.
        let old = total - updated;
        let left = if old > 0 { format!(", {old} {other}") } else { String::new() };
        format!("{} of {wanted} {word} pods ready{left}", (available - old).clamp(0, updated))
    };
    Verdict::Waiting(with_reason(&line, &findings), findings)
}
