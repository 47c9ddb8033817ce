//! What a picture means: good, doomed, or not yet. Pure but for the memory that it is handed.
//!
//! The table is DESIGN section 5's. Pods of other revisions, and what was before the ship, never count.

use std::time::Instant;

use super::kind::Kind;
use super::moment::Moment;
use super::short::no_pod;
use super::{Finding, Goal, Limits, Memory, Picture, daemon_set, deployment, job, stateful_set};
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
    /// Somebody else changed a workload's pod template meanwhile, or deleted it.
    Superseded(String),
}

/// Judges a picture: good when every goal is reached, doomed when one will not be.
pub fn judge(picture: &Picture, goals: &[Goal], memory: &mut Memory, limits: &Limits, now: Instant) -> Verdict {
    // Each is looked at, so that each one's clocks run.
    let verdicts: Vec<(&Goal, Verdict)> =
        goals.iter().map(|goal| (goal, one(Moment { picture, goal, limits, now }, memory))).collect();
    let (mut doomed, mut lines, mut troubles) = (Vec::new(), Vec::new(), Vec::new());
    let mut superseded = None;
    for (goal, verdict) in verdicts {
        match verdict {
            Verdict::Good => {}
            Verdict::Superseded(why) => superseded = superseded.or(Some(why)),
            Verdict::Doomed(findings) => doomed.extend(findings),
            Verdict::Waiting(line, findings) => {
                lines.push(if goals.len() == 1 { line } else { format!("{}: {line}", goal.name) });
                troubles.extend(findings);
            }
        }
    }
    match superseded {
        Some(why) => Verdict::Superseded(why),
        None if !doomed.is_empty() => Verdict::Doomed(doomed),
        None if lines.is_empty() => Verdict::Good,
        None => Verdict::Waiting(lines.join("; "), troubles),
    }
}

fn one(at: Moment<'_>, memory: &mut Memory) -> Verdict {
    let goal = at.goal;
    memory.learn(at.picture.every_pod_of(&goal.uid), &goal.since);
    let Some(live) = at.picture.workload(goal) else {
        return Verdict::Superseded(format!("{goal} is gone: somebody deleted it"));
    };
    if live.uid() != goal.uid {
        return Verdict::Superseded(format!("{goal} was deleted and made again by somebody else"));
    }
    // A Job that tidies itself away may be on its way out when its end is seen.
    let ended = goal.kind == Kind::Job && super::is_complete(live);
    if !live.text("/metadata/deletionTimestamp").is_empty() && !ended {
        return Verdict::Superseded(format!("{goal} is being deleted by somebody else"));
    }
    if goal.kind == Kind::Job {
        return job::judge(live, at, memory);
    }
    let generation = live.number("/metadata/generation").unwrap_or_default();
    if generation < goal.generation {
        return Verdict::Waiting("waiting for the change to be seen".into(), Vec::new());
    }
    if live.json().pointer("/spec/template") != Some(&goal.template) {
        return Verdict::Superseded(format!("somebody else changed the pod template of {goal} meanwhile"));
    }
    if let Some(verdict) = deployment::paused(live, goal) {
        return verdict;
    }
    // The status must speak of the generation that is there now; somebody may have scaled since.
    if live.number("/status/observedGeneration").unwrap_or_default() < generation {
        return unseen(live, at, memory);
    }
    match goal.kind {
        Kind::Deployment => deployment::judge(live, at, memory),
        Kind::StatefulSet => stateful_set::judge(live, at, memory),
        Kind::DaemonSet => daemon_set::judge(live, at, memory),
        Kind::Job => job::judge(live, at, memory),
    }
}

/// The controller has not said that it saw the change. Those of StatefulSets and DaemonSets say it no sooner than they could make
/// their pods.
fn unseen(live: &Object, at: Moment<'_>, memory: &mut Memory) -> Verdict {
    let line = format!("waiting for the {} controller", at.goal.kind.word());
    if at.goal.kind == Kind::Deployment {
        return Verdict::Waiting(line, Vec::new());
    }
    match no_pod(at.picture.all_pods_of(live.uid()).len(), at, memory) {
        Some(finding) if finding.doomed => Verdict::Doomed(vec![finding]),
        finding => {
            let findings: Vec<Finding> = finding.into_iter().collect();
            Verdict::Waiting(with_reason(&line, &findings), findings)
        }
    }
}

/// What is in trouble among the pods of the new revision, and how many of these pods are doomed.
pub fn troubles(pods: &[&Object], at: Moment<'_>, memory: &mut Memory) -> (Vec<Finding>, usize) {
    let (mut findings, mut doomed) = (Vec::new(), 0);
    for pod in pods {
        let found = super::trouble::trouble(pod, at, memory);
        doomed += usize::from(found.iter().any(|finding| finding.doomed));
        findings.extend(found);
    }
    (findings, doomed)
}

/// A status field that counts, absent where it is zero.
pub fn status(object: &Object, field: &str) -> i64 {
    object.number(&format!("/status/{field}")).unwrap_or_default()
}

/// A line of progress, with the first trouble that is worth a word.
pub fn with_reason(line: &str, findings: &[Finding]) -> String {
    match findings.iter().find(|finding| !finding.fresh) {
        // The time that it has left is other at each look, and would be news each time.
        Some(finding) if finding.reason == "stopping" => format!("{line}: waits for {} to stop", finding.pod),
        Some(finding) => format!("{line}: {}", finding.message.lines().next().unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
#[path = "good_tests.rs"]
mod good_tests;

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
