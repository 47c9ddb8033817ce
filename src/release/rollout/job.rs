//! Whether a Job ran to its end. It says itself when it is complete and when it gives up; a crash is no doom where it was given tries, but
//! what keeps every pod of it from starting is, by the same table as elsewhere.

use std::time::Duration;

use serde_json::Value;

use super::moment::Moment;
use super::picture::{condition, text};
use super::short::no_pod;
use super::trouble::finding;
use super::verdict::{Verdict, status, troubles, with_reason};
use super::{Finding, Memory};
use crate::error::count;
use crate::yaml::Object;

/// How long a Job that gave up is waited for to show the crash that it gave up for: pods have a stream of their own.
const CRASH_TO_SHOW: Duration = Duration::from_secs(2);

/// Whether a Job has run to its end, well.
pub fn is_complete(job: &Object) -> bool {
    condition(job, "Complete").is_some()
}

/// Whether a Job has given up.
pub fn is_failed(job: &Object) -> bool {
    condition(job, "Failed").is_some()
}

/// Judges a Job.
pub fn judge(job: &Object, at: Moment<'_>, memory: &mut Memory) -> Verdict {
    if is_complete(job) {
        return Verdict::Good;
    }
    let all = at.picture.all_pods_of(job.uid());
    let (mut findings, _) = troubles(&all, at, memory);
    // The newest trouble is the one that the Job gave up for.
    let known = memory.last_trouble.contains_key(job.uid());
    if let Some(last) = newest(&all, &findings).or_else(|| running(&all).filter(|_| !known)) {
        memory.last_trouble.insert(job.uid().to_owned(), last);
    }
    if let Some(failed) = condition(job, "Failed") {
        let told = memory.last_trouble.get(job.uid()).is_some_and(|last| last.reason != "job");
        let (since, _) = memory.since(&format!("gave up {}", job.uid()), "", at.now);
        // One whose time ran out need not have crashed.
        if told || text(failed, "reason") == "DeadlineExceeded" || since >= CRASH_TO_SHOW {
            return Verdict::Doomed(vec![given_up(job, failed, at, memory)]);
        }
        return Verdict::Waiting(format!("{} gave up", at.goal), findings);
    }
    if let Some(crashed) = crashed_too_often(&all, &findings, at) {
        return Verdict::Doomed(vec![crashed]);
    }
    if job.json().pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        let message = format!("{} is suspended: it makes no pods", at.goal);
        return Verdict::Doomed(vec![Finding { doomed: true, ..finding("job", message) }]);
    }
    let unfinished: Vec<&Object> =
        all.iter().filter(|pod| !["Succeeded", "Failed"].contains(&pod.text("/status/phase"))).copied().collect();
    let is_doomed = |pod: &&Object| findings.iter().any(|finding| finding.doomed && finding.pod == pod.name());
    if !unfinished.is_empty() && unfinished.iter().all(is_doomed) {
        findings.retain(|finding| finding.doomed);
        return Verdict::Doomed(findings);
    }
    if unfinished.is_empty()
        && let Some(finding) = no_pod(all.len(), at, memory)
    {
        if finding.doomed {
            return Verdict::Doomed(vec![finding]);
        }
        findings.push(finding);
    }
    let failed = usize::try_from(status(job, "failed")).unwrap_or_default();
    let tries = if failed == 0 { String::new() } else { format!(", after {} that failed", count(failed, "pod")) };
    let line = if unfinished.iter().any(|pod| pod.text("/status/phase") == "Running") {
        format!("{} runs{tries}", at.goal)
    } else {
        format!("{} is about to run{tries}", at.goal)
    };
    Verdict::Waiting(with_reason(&line, &findings), findings)
}

/// The last crash of a Job that has crashed as often as any container may, if it was not given tries of its own: those that Kubernetes gives
/// (six more, each after twice the time, by the default of `backoffLimit` in batch/v1) take longer than most people wait for a ship.
fn crashed_too_often(pods: &[&Object], findings: &[Finding], at: Moment<'_>) -> Option<Finding> {
    let crashes: i64 = findings.iter().map(|finding| finding.crashes).sum();
    if at.goal.has_tries || crashes < at.limits.crashes {
        return None;
    }
    let last = newest(pods, findings)?;
    let times = if crashes == 1 { "once".to_owned() } else { format!("{crashes} times") };
    let message = format!("{} crashed {times}, and no `backoffLimit` gives it more tries: {}", at.goal, last.message);
    Some(Finding { reason: "job", message, doomed: true, ..last })
}

/// Why it gave up, with the trouble of its last pod, which may be gone by now.
fn given_up(job: &Object, failed: &Value, at: Moment<'_>, memory: &Memory) -> Finding {
    let last = memory.last_trouble.get(job.uid()).cloned().unwrap_or_else(|| finding("job", String::new()));
    let reason = text(failed, "reason");
    let said = text(failed, "message");
    let why = match (reason, said) {
        ("", said) => said.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, said) => format!("{reason}: {said}"),
    };
    let message = if last.message.is_empty() { String::new() } else { format!(": {}", last.message) };
    Finding { reason: "job", message: format!("{} failed ({why}){message}", at.goal), doomed: true, ..last }
}

/// The trouble of the pod that was made last. What it only waits for passes.
fn newest(pods: &[&Object], findings: &[Finding]) -> Option<Finding> {
    let findings = findings.iter().filter(|finding| finding.reason != "not-ready");
    let made = |finding: &&Finding| {
        let pod = pods.iter().find(|pod| pod.name() == finding.pod);
        pod.map(|pod| pod.text("/metadata/creationTimestamp").to_owned())
    };
    findings.max_by_key(made).cloned()
}

/// A pod without trouble, whose log is worth a look if the Job's time runs out.
fn running(pods: &[&Object]) -> Option<Finding> {
    let pod = pods.iter().find(|pod| pod.text("/status/phase") == "Running")?;
    let container = pod.list("/spec/containers").first().map(|container| text(container, "name"))?;
    let message = format!("container `{container}` of {} was still running", pod.name());
    Some(Finding {
        pod: pod.name().into(),
        uid: pod.uid().into(),
        container: container.into(),
        has_log: true,
        ..finding("job", message)
    })
}
