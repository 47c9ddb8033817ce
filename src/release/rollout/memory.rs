//! What a watch remembers from picture to picture.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::picture::{restarts, statuses, text};
use super::{Finding, Picture};
use crate::yaml::Object;

/// What the watch remembers from picture to picture.
#[derive(Debug, Default)]
pub struct Memory {
    /// Restarts of containers, by pod and container, from before the change.
    pub baseline: HashMap<(String, String), i64>,
    first_seen: HashMap<String, (Instant, Vec<String>)>,
    /// Why an image could not be pulled, by pod and container: the state forgets it while it backs off.
    pub pull_errors: HashMap<(String, String), String>,
    /// The last trouble of each Job's pods, by the Job's uid: a Job that gives up may take its pods away.
    pub last_trouble: HashMap<String, Finding>,
    /// The last words of containers that crashed, by pod and container, for the same reason.
    pub last_words: HashMap<(String, String), String>,
    /// Why no pod can be made, by the uid of the workload, as its events say it.
    pub refusals: HashMap<String, String>,
    /// The pods, by uid, for which a node autoscaler is adding a node, as their events say it.
    pub nodes_come: HashSet<String>,
    /// Whether what was before counts as well: nothing is changed.
    past_counts: bool,
    /// Whether a workload lacks pods, or a pod a node, for so long that its events should be asked.
    pub wants_events: bool,
}

impl Memory {
    /// Remembers the restarts of every pod that is there now: they are not this ship's. Where nothing is changed
    /// (`unchanged`), a container that is down at this moment is judged by its whole past.
    pub fn baseline(picture: &Picture, unchanged: bool) -> Self {
        let mut memory = Self { past_counts: unchanged, ..Self::default() };
        for pod in picture.pods() {
            for (_, status) in statuses(pod) {
                let down = status.pointer("/state/running").is_none();
                if !(unchanged && down) {
                    memory.baseline.insert((pod.uid().to_owned(), text(status, "name").to_owned()), restarts(status));
                }
            }
        }
        memory
    }

    /// Remembers the restarts of pods that are older than the change (`since`, by the API server's clock) and are seen for the first
    /// time: they are not this ship's either.
    pub fn learn<'a>(&mut self, pods: impl Iterator<Item = &'a Object>, since: &str) {
        if self.past_counts {
            return;
        }
        // Both are RFC 3339 in UTC, in whole seconds. What was made in the second of the change was made by it: a pod that had the
        // time to crash is older.
        let is_older = |pod: &&Object| {
            let made = pod.text("/metadata/creationTimestamp");
            !made.is_empty() && made < since
        };
        for pod in pods.filter(is_older) {
            for (_, status) in statuses(pod) {
                let key = (pod.uid().to_owned(), text(status, "name").to_owned());
                self.baseline.entry(key).or_insert_with(|| restarts(status));
            }
        }
    }

    /// Since when a sign holds, and in how many states of its object it was seen.
    pub fn since(&mut self, sign: &str, version: &str, now: Instant) -> (Duration, usize) {
        let (first, versions) = self.first_seen.entry(sign.to_owned()).or_insert_with(|| (now, Vec::new()));
        if !versions.iter().any(|seen| seen == version) {
            versions.push(version.to_owned());
        }
        (now.duration_since(*first), versions.len())
    }

    /// The last words of a container, or those of a pod that is like its own but for the last part of the name.
    pub fn words_of(&self, pod: &str, container: &str) -> Option<&String> {
        let kin = |name: &str| name.rsplit_once('-').map(|(kin, _)| kin.to_owned());
        let exact = self.last_words.get(&(pod.to_owned(), container.to_owned()));
        exact.or_else(|| {
            let alike = |(other, name): &(String, String)| name == container && kin(other) == kin(pod);
            self.last_words.iter().find(|(key, _)| alike(key)).map(|(_, words)| words)
        })
    }

    /// A sign no longer holds: should it come back, it is a new one.
    pub fn forget(&mut self, sign: &str) {
        self.first_seen.remove(sign);
    }
}
