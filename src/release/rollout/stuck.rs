//! Pods of a StatefulSet that stand in the way of its update.
//!
//! With `podManagementPolicy: OrderedReady` (the default) the controller does nothing while a pod is not ready, of whatever revision. So a pod
//! that never gets ready, of a revision that is wanted no more, is never replaced: not by the version that would heal it, nor by
//! the template that is put back. Kubernetes' documentation calls it a known issue ("forced rollback") and says to delete such pods by hand.

use std::time::Duration;

use super::Memory;
use super::kind::Kind;
use super::moment::Moment;
use super::picture::revision_hash;
use super::stateful_set::{is_ready, ordinal, partition};
use crate::yaml::Object;

/// How long a pod of an old revision may be not ready before it is taken out of the way. On the way back there is nothing to wait
/// for: it is the failed version's.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pods that are neither of the revision that a StatefulSet goes to nor of the one that it comes from. On the way back they
/// are the failed version's; below the partition nobody would replace them.
pub fn strays<'a>(set: &Object, pods: &[&'a Object]) -> Vec<&'a Object> {
    let known = [set.text("/status/updateRevision"), set.text("/status/currentRevision")];
    pods.iter().filter(|pod| !known.contains(&revision_hash(pod))).copied().collect()
}

/// The pods that must be deleted before the StatefulSet goes on. They would be replaced in any case.
pub fn in_the_way<'a>(at: Moment<'a>, memory: &mut Memory) -> Vec<&'a Object> {
    let Some(set) = at.picture.workload(at.goal).filter(|_| at.goal.kind == Kind::StatefulSet) else {
        return Vec::new();
    };
    let generation = set.number("/metadata/generation").unwrap_or_default();
    let seen = generation >= at.goal.generation
        && set.number("/status/observedGeneration").unwrap_or_default() >= generation
        && set.uid() == at.goal.uid
        && set.json().pointer("/spec/template") == Some(&at.goal.template);
    if !seen {
        return Vec::new();
    }
    let revision = set.text("/status/updateRevision");
    let first = partition(set);
    let mut found = at.picture.pods_of(set.uid());
    if at.goal.is_way_back() && found.iter().all(|pod| is_ready(pod)) {
        // One at a time, as the controller does it.
        return strays(set, &found).pop().into_iter().collect();
    }
    if set.text("/spec/podManagementPolicy") == "Parallel" {
        return Vec::new();
    }
    found.retain(|pod| {
        revision_hash(pod) != revision && !is_ready(pod) && ordinal(pod).is_some_and(|ordinal| ordinal >= first)
    });
    found.retain(|pod| {
        let (since, _) = memory.since(&format!("stuck {}", pod.uid()), "", at.now);
        at.goal.is_way_back() || since >= PATIENCE
    });
    found
}
