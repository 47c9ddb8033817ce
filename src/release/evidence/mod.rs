//! What people need to see when a rollout failed: how far it came, the containers, their last words, the events, and in a line what is
//! well. Collected before anything is taken back, while it is there.

mod events;
mod files;

pub use files::{Case, keep};

use std::thread::scope;

use super::rollout::{Finding, folded, last_words};
use crate::error::join_and;
use crate::kubectl::Kubectl;
use crate::ui::{Progress, Tone, Ui};
use events::events_of;

/// How many different troubles are told in full.
const TROUBLES: usize = 4;

/// What was in trouble, as others are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// The pod; or the workload, where it is about no pod of it.
    pub object: Option<String>,
    /// The container, if it is about one.
    pub container: Option<String>,
    /// The word for machines, as in [`Finding`].
    pub reason: &'static str,
    /// How the container ended, if it did.
    pub exit_code: Option<i64>,
    /// What is wrong, for people.
    pub message: String,
    /// The last lines of its log.
    pub log: Vec<String>,
    /// The warnings about it.
    pub events: Vec<String>,
}

impl Failing {
    fn of(finding: &Finding, message: &str, workloads: &[&Progress]) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        // Of what is about no pod, it is clear which workload it is where only one is not up.
        let workload = || workloads.first().filter(|_| workloads.len() == 1).map(|part| part.name.clone());
        Self {
            object: some(&finding.pod).map(|pod| format!("Pod/{pod}")).or_else(workload),
            container: some(&finding.container),
            reason: if finding.reason == "late" { "timeout" } else { finding.reason },
            exit_code: finding.exit_code,
            message: message.to_owned(),
            log: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// Tells the findings with their logs and events, and how far each workload came; and gives what it told.
pub fn tell(kubectl: &Kubectl<'_>, findings: &[Finding], workloads: &[Progress], ui: &Ui) -> Vec<Failing> {
    let folded = folded(findings);
    let (logs, events) = scope(|scope| {
        let events = scope.spawn(|| kubectl.events().unwrap_or_default());
        let logs: Vec<_> =
            folded.iter().take(TROUBLES).map(|(finding, _)| scope.spawn(|| words(kubectl, finding))).collect();
        let logs: Vec<Option<String>> = logs.into_iter().map(|log| log.join().unwrap_or_default()).collect();
        (logs, events.join().unwrap_or_default())
    });
    let (up, coming): (Vec<&Progress>, Vec<&Progress>) = workloads.iter().partition(|part| part.is_up);
    for part in &coming {
        ui.say(Tone::Bad, format!("  {}: {}", part.name, part.text));
    }
    let mut told = Vec::new();
    for ((finding, line), log) in folded.iter().zip(logs) {
        let mut failing = Failing::of(finding, line, &coming);
        if finding.reason == "late" && !coming.is_empty() {
            // How far it came has been said, and there is no more to say.
            told.push(failing);
            continue;
        }
        ui.say(Tone::Bad, format!("  {line}"));
        match log {
            Some(log) if !log.trim().is_empty() => {
                for line in log.trim_end().lines() {
                    ui.say(Tone::Plain, format!("    | {line}"));
                    failing.log.push(line.to_owned());
                }
            }
            _ if finding.has_log => ui.say(Tone::Dim, "    (its log is empty)"),
            _ => {}
        }
        for event in events_of(&events, finding) {
            ui.say(Tone::Dim, format!("    event: {event}"));
            failing.events.push(event);
        }
        told.push(failing);
    }
    if folded.len() > TROUBLES {
        ui.say(Tone::Dim, format!("  and {} more", folded.len() - TROUBLES));
    }
    if !up.is_empty() {
        let names: Vec<String> = up.iter().map(|part| part.name.clone()).collect();
        ui.say(Tone::Dim, format!("  up: {}", join_and(&names)));
    }
    told
}

/// Its last words: of its log, or where that went with the pod, those that were kept.
fn words(kubectl: &Kubectl<'_>, finding: &Finding) -> Option<String> {
    finding.has_log.then(|| last_words(kubectl, finding)).flatten().or_else(|| finding.log.clone())
}
