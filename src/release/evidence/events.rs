//! The events that matter to a failure. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::super::rollout::Finding;
use crate::ui::seconds;
use crate::yaml::Object;

/// How many are told of an object.
const EVENTS: usize = 3;

/// What only says again what the state of a container, or of what should make pods, says.
const REPEATS: [&str; 3] = ["BackOff", "Failed", "FailedCreate"];

/// What tells why a pod does not end. Its other warnings are of its life before.
const ENDS: [&str; 3] = ["FailedKillPod", "FailedPreStopHook", "ExceededGracePeriod"];

/// Warnings with the same words.
struct Group {
    line: String,
    times: i64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// The warnings about the pod of a finding, by its uid, the latest ones in their order, repetitions folded: `Unhealthy: Readiness probe
/// failed: 404 (x7 over 30 s)`.
pub fn events_of(events: &[Object], finding: &Finding) -> Vec<String> {
    let mut groups: Vec<Group> = Vec::new();
    for event in events {
        let message = event.text("/message").lines().next().unwrap_or_default().trim();
        let is_said = REPEATS.contains(&event.text("/reason")) || finding.message.contains(message);
        let is_about = !finding.uid.is_empty() && event.text("/involvedObject/uid") == finding.uid;
        let is_before = finding.reason == "stopping" && !ENDS.contains(&event.text("/reason"));
        if is_before || !is_about || event.text("/type") != "Warning" || is_said {
            continue;
        }
        let line = format!("{}: {message}", event.text("/reason"));
        let times = event.number("/count").or_else(|| event.number("/series/count")).unwrap_or(1).max(1);
        // By which API it was written decides where its times are.
        let time = |paths: [&str; 3]| paths.iter().find_map(|path| event.text(path).parse::<Timestamp>().ok());
        let first = time(["/firstTimestamp", "/eventTime", "/metadata/creationTimestamp"]);
        let last = time(["/series/lastObservedTime", "/lastTimestamp", "/eventTime"]).or(first);
        match groups.iter_mut().find(|known| known.line == line) {
            Some(known) => {
                known.times += times;
                known.first = known.first.into_iter().chain(first).min();
                known.last = known.last.into_iter().chain(last).max();
            }
            None => groups.push(Group { line, times, first, last }),
        }
    }
    groups.sort_by_key(|group| group.last);
    groups.iter().skip(groups.len().saturating_sub(EVENTS)).map(told).collect()
}

fn told(group: &Group) -> String {
    let Group { line, times, first, last } = group;
    let span = first.zip(*last).and_then(|(first, last)| Duration::try_from(last.duration_since(first)).ok());
    match span.filter(|span| !span.is_zero()) {
        _ if *times <= 1 => line.clone(),
        Some(span) => format!("{line} (x{times} over {})", seconds(span)),
        None => format!("{line} (x{times})"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rollout::finding;
    use super::*;
    use serde_json::json;

    fn event(uid: &str, kind: &str, reason: &str, message: &str, count: i64, times: (&str, &str)) -> Object {
        Object::new(
            json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"uid": uid},
            "type": kind, "reason": reason, "message": message, "count": count,
            "firstTimestamp": times.0, "lastTimestamp": times.1}),
        )
        .unwrap()
    }

    #[test]
    fn events_are_folded_and_those_of_others_left_out() {
        let of = Finding { uid: "p".into(), ..finding("schedule", "p cannot be scheduled: 0/1 nodes".into()) };
        let (start, later, end) = ("2026-11-23T04:00:00Z", "2026-11-23T04:00:12Z", "2026-11-23T04:00:30Z");
        let probe = "probe failed: 404";
        let events = [
            event("p", "Warning", "Unhealthy", probe, 5, (later, end)),
            event("p", "Warning", "Unhealthy", probe, 2, (start, later)),
            event("p", "Warning", "Unhealthy", "probe failed: refused", 1, (start, start)),
            event("p", "Warning", "FailedMount", "no such volume", 3, (start, start)),
            event("q", "Warning", "Unhealthy", probe, 1, (start, end)),
            event("p", "Normal", "Pulled", "pulled", 1, (start, end)),
            event("p", "Warning", "BackOff", "back-off", 5, (start, end)),
            event("p", "Warning", "FailedScheduling", "0/1 nodes", 5, (start, end)),
        ];
        assert_eq!(
            events_of(&events, &of),
            [
                "Unhealthy: probe failed: refused",
                "FailedMount: no such volume (x3)",
                "Unhealthy: probe failed: 404 (x7 over 30 s)",
            ]
        );
        assert!(events_of(&events, &Finding { uid: String::new(), ..of }).is_empty());
    }

    #[test]
    fn of_a_pod_that_stops_only_that_is_told() {
        let of = Finding { uid: "p".into(), ..finding("stopping", "waits for p to stop".into()) };
        let time = "2026-11-23T04:00:00Z";
        let events = [
            event("p", "Warning", "FailedMount", "no such volume", 1, (time, time)),
            event("p", "Warning", "FailedPreStopHook", "exit code 1", 1, (time, time)),
        ];
        assert_eq!(events_of(&events, &of), ["FailedPreStopHook: exit code 1"]);
    }
}
