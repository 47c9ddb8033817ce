//! What people need to see when a rollout failed: the containers, their last words, the events. Collected before anything is
//! taken back, while it is there.

mod files;

pub use files::{Case, keep};

use std::thread::scope;

use super::rollout::{Finding, folded, last_words};
use crate::kubectl::Kubectl;
use crate::ui::{Tone, Ui};
use crate::yaml::Object;

/// How many different troubles are told in full.
const TROUBLES: usize = 4;

/// Tells the findings with their logs and events.
pub fn tell(kubectl: &Kubectl<'_>, findings: &[Finding], ui: &Ui) {
    let folded = folded(findings);
    let (logs, events) = scope(|scope| {
        let events = scope.spawn(|| kubectl.events().unwrap_or_default());
        let logs: Vec<_> =
            folded.iter().take(TROUBLES).map(|(finding, _)| scope.spawn(|| words(kubectl, finding))).collect();
        let logs: Vec<Option<String>> = logs.into_iter().map(|log| log.join().unwrap_or_default()).collect();
        (logs, events.join().unwrap_or_default())
    });
    for ((finding, line), log) in folded.iter().zip(logs) {
        ui.say(Tone::Bad, format!("  {line}"));
        match log {
            Some(log) if !log.trim().is_empty() => {
                for line in log.trim_end().lines() {
                    ui.say(Tone::Plain, format!("    | {line}"));
                }
            }
            _ if finding.has_log => ui.say(Tone::Dim, "    (its log is empty)"),
            _ => {}
        }
        for event in events_of(&events, &finding.uid) {
            ui.say(Tone::Dim, format!("    event: {event}"));
        }
    }
    if folded.len() > TROUBLES {
        ui.say(Tone::Dim, format!("  and {} more", folded.len() - TROUBLES));
    }
}

/// Its last words: of its log, or where that went with the pod, those that were kept.
fn words(kubectl: &Kubectl<'_>, finding: &Finding) -> Option<String> {
    finding.has_log.then(|| last_words(kubectl, finding)).flatten().or_else(|| finding.log.clone())
}

/// The warnings about a pod, by its uid, repetitions folded; those that only say again what the container's state says are left out.
fn events_of(events: &[Object], uid: &str) -> Vec<String> {
    let mut lines: Vec<(String, i64)> = Vec::new();
    for event in events {
        let repeats = ["BackOff", "Failed"].contains(&event.text("/reason"));
        if uid.is_empty() || event.text("/involvedObject/uid") != uid || event.text("/type") != "Warning" || repeats {
            continue;
        }
        let line = format!("{}: {}", event.text("/reason"), event.text("/message").lines().next().unwrap_or_default());
        let times = event.number("/count").unwrap_or(1).max(1);
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, n)) => *n += times,
            None => lines.push((line, times)),
        }
    }
    lines
        .into_iter()
        .take(3)
        .map(|(line, times)| if times > 1 { format!("{line} ({times} times)") } else { line })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_folded_and_those_of_others_left_out() {
        let event = |name: &str, kind: &str, reason: &str, count: i64| {
            Object::new(
                json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"uid": name},
                "type": kind, "reason": reason, "message": "probe failed: 404", "count": count}),
            )
            .unwrap()
        };
        let events = [
            event("p", "Warning", "Unhealthy", 2),
            event("p", "Warning", "Unhealthy", 1),
            event("q", "Warning", "Unhealthy", 1),
            event("p", "Normal", "Pulled", 1),
            event("p", "Warning", "BackOff", 5),
        ];
        assert_eq!(events_of(&events, "p"), ["Unhealthy: probe failed: 404 (3 times)"]);
    }
}
