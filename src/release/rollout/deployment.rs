//! Whether a Deployment is up: all wanted pods of the new revision available, none of the old left. It is doomed when all pods of
//! the new revision are, and there is one.

use serde_json::Value;

use super::moment::Moment;
use super::settled::settled;
use super::trouble::{cannot_create, finding};
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
    let pods = set.map(|set| at.picture.pods_of(set.uid())).unwrap_or_default();
    let complete = updated == wanted && total == wanted && available == wanted;
    if complete && (wanted == 0 || settled(deployment, &pods, wanted, at, memory)) {
        return Verdict::Good;
    }
    let (mut findings, doomed) = troubles(&pods, at, memory);
    if pods.is_empty()
        && let Some(finding) = set.or(Some(deployment)).and_then(|object| cannot_create(object, at, memory))
    {
        if finding.doomed {
            return Verdict::Doomed(vec![finding]);
        }
        findings.push(finding);
    }
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
