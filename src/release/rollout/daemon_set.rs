//! Whether a DaemonSet is up: on every node that should have one, a pod of the new revision, available. It is doomed when any pod
//! of the new revision is. Where no node should have one, there is nothing to wait for.
//!
//! By the rules of `kubectl rollout status`. The status does not say which revision it goes to: that is the ControllerRevision
//! with the highest number, which the controller writes before it says in the status that it has seen the change.

use std::time::Duration;

use super::Memory;
use super::kind::Kind;
use super::moment::Moment;
use super::picture::{is_over, revision_hash};
use super::settled::settled;
use super::short::no_pod;
use super::stateful_set::is_ready;
use super::stopping::stopping;
use super::verdict::{Verdict, status, troubles, with_reason};
use crate::yaml::Object;

/// How long the newest ControllerRevision is waited for: its stream may lag behind. After that it is believed, since a
/// server may spell the template otherwise in it than in the DaemonSet.
const LAG: Duration = Duration::from_secs(10);

/// Whether it is a DaemonSet of which its controller says that no node is to have a pod.
pub fn has_no_node(set: &Object) -> bool {
    let seen = status(set, "observedGeneration");
    Kind::of(set) == Some(Kind::DaemonSet)
        && seen > 0
        && seen >= set.number("/metadata/generation").unwrap_or_default()
        && status(set, "desiredNumberScheduled") == 0
}

/// Judges a DaemonSet whose status speaks of its present generation.
pub fn judge(set: &Object, at: Moment<'_>, memory: &mut Memory) -> Verdict {
    let status = |field| status(set, field);
    let wanted = status("desiredNumberScheduled");
    let (updated, available) = (status("updatedNumberScheduled"), status("numberAvailable"));
    let all = at.picture.all_pods_of(set.uid());
    let hash = match at.picture.controller_revision(set) {
        Some((revision, true)) => Some(revision_hash(revision)),
        Some((revision, false)) => {
            let (since, _) = memory.since(&format!("revision {} {}", set.uid(), at.goal.generation), "", at.now);
            (since >= LAG).then(|| revision_hash(revision))
        }
        None => None,
    };
    let is_standing = |pod: &Object| pod.text("/metadata/deletionTimestamp").is_empty() && !is_over(pod);
    let is_new = |pod: &&&Object| Some(revision_hash(pod)) == hash && is_standing(pod);
    let pods: Vec<&Object> = all.iter().filter(is_new).copied().collect();
    let complete = updated >= wanted && available >= wanted;
    // The status may speak of the time before a crash that the pods tell of already.
    let up = all.iter().filter(|pod| is_standing(pod) && is_ready(pod)).count();
    let up = i64::try_from(up).unwrap_or_default();
    // Looked at from the first moment on, so that the clocks of those that must hold out run.
    let steady = settled(set, &pods, wanted, at, memory);
    if complete && (wanted == 0 || (up >= wanted && steady)) {
        return Verdict::Good;
    }
    let (mut findings, doomed) = troubles(&pods, at, memory);
    if doomed > 0 {
        findings.retain(|finding| finding.doomed);
        return Verdict::Doomed(findings);
    }
    // One that is being stopped makes place for the next: until it is gone, none is missing.
    if i64::try_from(all.len()).unwrap_or_default() < wanted
        && let Some(finding) = no_pod(all.len(), at, memory)
    {
        if finding.doomed {
            return Verdict::Doomed(vec![finding]);
        }
        findings.push(finding);
    }
    findings.extend(stopping(set, wanted, at, memory));
    let (word, other) = at.goal.words;
    let line = if complete {
        format!("{wanted} of {wanted} {word} pods ready, watching that they stay up")
    } else {
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        let old = (status("currentNumberScheduled") - updated).max(0);
        let left = if old > 0 { format!(", {old} {other}") } else { String::new() };
        format!("{ready} of {wanted} {word} pods ready{left}")
    };
    Verdict::Waiting(with_reason(&line, &findings), findings)
}
