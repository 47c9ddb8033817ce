//! What keeps a pod from being ready, and whether it can still heal: the signs of DESIGN section 5's table.

use std::time::Duration;

use serde_json::Value;

use super::Memory;
use super::kind::Kind;
use super::moment::Moment;
use super::picture::{condition, restarts, statuses, text};
use super::pull::{image_of, pull_error, pull_is_hopeless};
use super::unready::unready;
use crate::error::count;
use crate::yaml::Object;

/// Why a pod, or a rollout, is in trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The word for machines: `crash`, `image`, `config`, `container`, `create`, `schedule`, `not-ready`, `ended`,
    /// `stopping`, `paused`, `job`, `late`.
    pub reason: &'static str,
    /// The pod, if it is about one.
    pub pod: String,
    /// The uid of that pod, since another may have its name; or of the object whose pods cannot be made.
    pub uid: String,
    /// The container, if it is about one.
    pub container: String,
    /// How the container ended, if it did: its exit code.
    pub exit_code: Option<i64>,
    /// How often it crashed since the ship began, if it did.
    pub crashes: i64,
    /// What is wrong, for people.
    pub message: String,
    /// Whether the container has run, so that there are log lines.
    pub has_log: bool,
    /// Whether a run after the one that crashed may have begun: then the log of that one is the one before.
    pub again: bool,
    /// Its last log lines, where they had to be kept because the pod may be gone.
    pub log: Option<String>,
    /// Whether it is certain that this will not heal by waiting.
    pub doomed: bool,
    /// Whether it is so new, and so ordinary, that it is not worth a word yet.
    pub fresh: bool,
}

/// Everything that keeps a pod from being ready.
pub fn trouble(pod: &Object, at: Moment<'_>, memory: &mut Memory) -> Vec<Finding> {
    let (limits, now) = (at.limits, at.now);
    let mut findings = Vec::new();
    for condition in pod.list("/status/conditions") {
        if text(condition, "type") == "PodScheduled" && text(condition, "reason") == "Unschedulable" {
            let (since, _) = memory.since(&format!("schedule {}", pod.uid()), "", now);
            memory.wants_events |= since >= limits.schedule / 2;
            let comes = memory.nodes_come.contains(pod.uid());
            let more = if comes { " (a node is being added)" } else { "" };
            let message = format!("{} cannot be scheduled: {}{more}", pod.name(), text(condition, "message"));
            findings.push(Finding {
                pod: pod.name().into(),
                uid: pod.uid().into(),
                // While a node autoscaler is at work the deadline decides.
                doomed: since >= limits.schedule && !comes,
                ..finding("schedule", message)
            });
        }
    }
    for (init, status) in statuses(pod) {
        findings.extend(container_trouble(pod, init, status, at, memory));
    }
    if findings.is_empty() {
        findings.extend(unready(pod, at, memory));
    }
    findings
}

fn container_trouble(pod: &Object, init: bool, status: &Value, at: Moment<'_>, memory: &mut Memory) -> Option<Finding> {
    let Moment { goal, limits, now, .. } = at;
    let name = text(status, "name");
    let what = if init { "init container" } else { "container" };
    let base =
        Finding { pod: pod.name().into(), uid: pod.uid().into(), container: name.into(), ..finding("", String::new()) };
    let waiting = status.pointer("/state/waiting");
    let why = waiting.map_or("", |waiting| text(waiting, "reason"));
    let message = waiting.map_or("", |waiting| text(waiting, "message"));
    let key = (pod.uid().to_owned(), name.to_owned());
    let mut sign =
        |sign: &str| memory.since(&format!("{sign} {} {name}", pod.uid()), pod.text("/metadata/resourceVersion"), now);
    match why {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "RegistryUnavailable"
        | "ImageInspectError" => {
            let image = image_of(pod, name);
            let (since, _) = sign("image");
            if why != "ImagePullBackOff" || message.contains("ErrImagePull") {
                memory.pull_errors.insert(key.clone(), message.to_owned());
            }
            let error = memory.pull_errors.get(&key).map_or(message, String::as_str);
            let certain = why == "ErrImageNeverPull" || why == "InvalidImageName" || pull_is_hopeless(error, image);
            let short = pull_error(error);
            let message = format!("{what} `{name}` of {}: the image {image} cannot be pulled: {short}", pod.name());
            Some(Finding { reason: "image", message, doomed: certain || since >= limits.pull, ..base })
        }
        "CreateContainerConfigError" => {
            let (since, _) = sign("config");
            // Quoted by kubelet as `configmap "x" not found`, `secret "x" not found`, `couldn't find key k in ConfigMap ns/x`.
            let ours = goal
                .rendered
                .iter()
                .any(|name| message.contains(&format!("\"{name}\"")) || message.ends_with(&format!("/{name}")));
            let message = format!("{what} `{name}` of {} cannot be configured: {message}", pod.name());
            Some(Finding { reason: "config", message, doomed: ours || since >= limits.config, ..base })
        }
        "CreateContainerError" | "RunContainerError" => {
            let (since, times) = sign("container");
            let message = format!("{what} `{name}` of {} cannot be started: {message}", pod.name());
            Some(Finding {
                reason: "container",
                message,
                doomed: times >= 2 || since >= Duration::from_secs(10),
                ..base
            })
        }
        _ => crash(pod, init, status, memory.baseline.get(&key).copied().unwrap_or_default(), at).map(
            |(message, doomed, exit_code, crashes)| {
                // The first restart comes at once, the later ones take their time.
                let again = status.pointer("/state/running").is_some() || restarts(status) == 0;
                Finding { reason: "crash", exit_code, crashes, message, doomed, has_log: true, again, ..base }
            },
        ),
    }
}

/// How often it crashed since the ship began, if it did, and how the last time ended.
fn crash(
    pod: &Object,
    init: bool,
    status: &Value,
    baseline: i64,
    at: Moment<'_>,
) -> Option<(String, bool, Option<i64>, i64)> {
    // What runs to its end may end well, and has its own count of tries.
    let is_job = at.goal.kind == Kind::Job;
    let backing_off =
        status.pointer("/state/waiting").is_some_and(|waiting| text(waiting, "reason") == "CrashLoopBackOff");
    let ended = status.pointer("/state/terminated");
    let end_counts = ended.is_some_and(|ended| !(init || is_job) || code_of(ended) != Some(0));
    let crashes = restarts(status) - baseline + i64::from(backing_off || end_counts);
    // A container that is up again may have healed: that is for the deadline to say, or for its next crash. What runs to its end
    // has not yet, and may be taken away for the crash in the next moment.
    let up = status.pointer("/state/running").is_some() && !is_job;
    if crashes <= 0
        || (up && status.get("ready").and_then(Value::as_bool) == Some(true))
        || (ended.is_some() && !end_counts)
    {
        return None;
    }
    let last = ended.or_else(|| status.pointer("/lastState/terminated"));
    let how = last.map_or("it is not known how it ended".into(), |last| {
        let mut how = format!("exit code {}", code_of(last).unwrap_or_default());
        let reason = text(last, "reason");
        if !reason.is_empty() && reason != "Error" && reason != "Completed" {
            how = format!("{how} ({reason})");
        }
        let message = text(last, "message").trim();
        if message.is_empty() { how } else { format!("{how}, {message}") }
    });
    let what = if init { "init container" } else { "container" };
    // It should run on; some end well all the same.
    let is_well = last.and_then(code_of) == Some(0);
    let verb = if is_well { "ended" } else { "crashed" };
    let times = if crashes == 1 { verb.to_owned() } else { format!("{verb} {crashes} times") };
    let doomed = !is_job && crashes >= at.limits.crashes;
    Some((
        format!("{what} `{}` of {} {times}: {how}", text(status, "name"), pod.name()),
        doomed,
        last.and_then(code_of),
        crashes,
    ))
}

fn code_of(ended: &Value) -> Option<i64> {
    ended.get("exitCode")?.as_i64()
}

/// A ReplicaSet, or the Deployment where there is none, that says it cannot make pods, or no more of them.
pub fn cannot_create(object: &Object, made: usize, at: Moment<'_>, memory: &mut Memory) -> Option<Finding> {
    let (sign, last) = (format!("create {}", object.uid()), format!("create again {}", object.uid()));
    let Some(condition) = condition(object, "ReplicaFailure") else {
        memory.forget(&sign);
        memory.forget(&last);
        return None;
    };
    let (since, _) = memory.since(&sign, "", at.now);
    // A pod that stops may make the room. The controller tries again ever more slowly, each time after about as long as it has
    // tried so far: for so long more nothing can be known.
    if at.picture.is_stopping_pods_of(at.goal) {
        memory.forget(&last);
    }
    let (still, _) = memory.since(&last, "", at.now);
    let tried = since.saturating_sub(still);
    let what = if made == 0 { "no pod" } else { "no more pods" };
    let message = format!("{what} can be created: {}", text(condition, "message"));
    // Where some could be made, room may come: the deadline decides.
    let doomed = made == 0 && still >= at.limits.create.max(tried);
    Some(Finding { uid: object.uid().into(), doomed, ..finding("create", message) })
}

/// A finding that is about nothing in particular yet.
pub fn finding(reason: &'static str, message: String) -> Finding {
    Finding {
        reason,
        pod: String::new(),
        uid: String::new(),
        container: String::new(),
        exit_code: None,
        crashes: 0,
        message,
        has_log: false,
        again: false,
        log: None,
        doomed: false,
        fresh: false,
    }
}

/// A line for each kind of trouble, each with the number of pods that share it.
pub fn folded(findings: &[Finding]) -> Vec<(&Finding, String)> {
    let mut groups: Vec<(&Finding, usize)> = Vec::new();
    for finding in findings {
        let same = |(other, _): &&mut (&Finding, usize)| {
            (other.reason, &other.container) == (finding.reason, &finding.container)
                && other.message.replace(&other.pod, "") == finding.message.replace(&finding.pod, "")
        };
        match groups.iter_mut().find(same) {
            Some((_, n)) => *n += 1,
            None => groups.push((finding, 1)),
        }
    }
    let mut lines = Vec::new();
    for (finding, n) in groups {
        let more = if n == 1 { String::new() } else { format!(" (and {} alike)", count(n - 1, "pod")) };
        lines.push((finding, format!("{}{more}", finding.message)));
    }
    lines
}
