//! Whether a StatefulSet is up. It is doomed when any pod of the new revision is: the pods come one after the other, so the first
//! one that does not come holds up the rest.
//!
//! By the rules of `kubectl rollout status` and of the controller (k8s.io/kubernetes pkg/controller/statefulset): the status names
//! the revision that it goes to, and that becomes the current one only when every pod has it and is ready. Only the pods
//! from ordinal `partition` on are updated.

use super::Memory;
use super::moment::Moment;
use super::picture::{condition, is_over, revision_hash};
use super::settled::{is_held, settled};
use super::short::no_pod;
use super::stopping::stopping;
use super::stuck::strays;
use super::verdict::{Verdict, status, troubles, with_reason};
use crate::yaml::Object;

/// Judges a StatefulSet whose status speaks of its present generation.
pub fn judge(set: &Object, at: Moment<'_>, memory: &mut Memory) -> Verdict {
    let wanted = set.number("/spec/replicas").unwrap_or(1);
    let partition = partition(set);
    let new = (wanted - partition).max(0);
    let status = |field| status(set, field);
    // `availableReplicas` is served, and means something, where the server knows `minReadySeconds` (1.22 and later).
    let ready = if is_held(set) { status("availableReplicas") } else { status("readyReplicas") };
    let (total, updated) = (status("replicas"), status("updatedReplicas"));
    let revision = set.text("/status/updateRevision");
    let current = partition > 0 || revision == set.text("/status/currentRevision");
    let all = at.picture.all_pods_of(set.uid());
    let left = at.goal.is_way_back() && !strays(set, &all).is_empty();
    let complete = total == wanted && ready >= wanted && updated >= new && current && !left;
    let pods: Vec<&Object> = all
        .iter()
        .filter(|pod| revision_hash(pod) == revision && pod.text("/metadata/deletionTimestamp").is_empty())
        .filter(|pod| !is_over(pod))
        .copied()
        .collect();
    // The status may speak of the time before a crash that the pods tell of already.
    let up = i64::try_from(pods.iter().filter(|pod| is_ready(pod)).count()).unwrap_or_default();
    // Looked at from the first moment on, so that the clocks of those that must hold out run.
    let steady = settled(set, &pods, new, at, memory);
    if complete && (new == 0 || (up >= new && steady)) {
        return Verdict::Good;
    }
    let (mut findings, doomed) = troubles(&pods, at, memory);
    if doomed > 0 {
        findings.retain(|finding| finding.doomed);
        return Verdict::Doomed(findings);
    }
    let steady = all.iter().all(|pod| is_ready(pod) && pod.text("/metadata/deletionTimestamp").is_empty());
    if i64::try_from(all.len()).unwrap_or_default() < wanted
        && steady
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
        format!("{} of {new} {word} pods ready, watching that they stay up", up.min(new))
    } else {
        // Below the partition they are meant to stay.
        let stays = all.iter().filter(|pod| is_kept(pod, partition) && revision_hash(pod) != revision).count();
        let old = total - updated - i64::try_from(stays).unwrap_or_default();
        let left = if old > 0 { format!(", {old} {other}") } else { String::new() };
        format!("{} of {new} {word} pods ready{left}", up.min(new))
    };
    Verdict::Waiting(with_reason(&line, &findings), findings)
}

/// The first ordinal that is updated.
pub fn partition(set: &Object) -> i64 {
    set.number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or_default()
}

/// Whether a pod stays as it is, of whatever revision: it is below the partition.
pub fn is_kept(pod: &Object, partition: i64) -> bool {
    ordinal(pod).is_some_and(|ordinal| ordinal < partition)
}

/// The number at the end of a pod's name.
pub fn ordinal(pod: &Object) -> Option<i64> {
    pod.name().rsplit('-').next()?.parse().ok()
}

/// Whether a pod is ready, by its own word.
pub fn is_ready(pod: &Object) -> bool {
    condition(pod, "Ready").is_some()
}
