//! What was found wrong, as a cause of what may seem wrong because of it: one mistake is told once.

use std::collections::BTreeSet;

use super::keys::service::MANIFEST;
use crate::error::Problem;
use crate::yaml::Node;

/// Keys of a manifest with something wrong in them. What does not fit a key of theirs may do so when they are mended: it is not told
/// before, since one mistake is told once.
#[derive(Debug, Default)]
pub struct Suspects {
    keys: BTreeSet<String>,
    /// Something is wrong that may have been any key.
    any: bool,
}

/// Keys that are held against each other.
const RELATED: [&[&str]; 3] = [
    &[
        "port",
        "ports",
        "health",
        "readinessProbe",
        "livenessProbe",
        "startupProbe",
        "ingress",
        "service",
        "lifecycle",
        "sidecars",
        "initContainers",
        "kind",
        "workers",
    ],
    &["volumes", "volumeMounts", "files", "sidecars", "initContainers", "kind", "workers", "jobs", "cronJobs"],
    &["replicas", "autoscaling", "disruptionBudget", "kind", "workers"],
];

impl Suspects {
    /// Takes in what was found wrong with a tree, which is whole.
    pub fn add(&mut self, problems: &[Problem], tree: &Node) {
        for problem in problems {
            let Some(place) = problem.place else { continue };
            let key = tree.key_around(place).unwrap_or_default();
            // The hint says which key was meant, if there is one that is near.
            let meant =
                problem.hint.as_deref().and_then(|hint| hint.strip_prefix("did you mean `")?.strip_suffix("`?"));
            // What there is to say at all depends on the kind.
            if key == "kind" || meant == Some("kind") {
                self.any = true;
            } else if MANIFEST.get(key).is_some() {
                self.keys.insert(key.to_owned());
            } else if let Some(meant) = meant.filter(|meant| MANIFEST.get(meant).is_some()) {
                self.keys.insert(meant.to_owned());
            } else {
                self.any = true;
            }
        }
    }

    /// Whether something is wrong with this key.
    pub fn has(&self, key: &str) -> bool {
        self.any || self.keys.contains(key)
    }

    /// Whether a problem with what one key says in itself may come from one of them.
    pub fn hold(&self, tree: &Node, problem: &Problem) -> bool {
        let key = problem.place.and_then(|place| tree.key_around(place));
        self.any || key.is_some_and(|key| self.keys.contains(key))
    }

    /// Whether a problem with how keys fit together may come from one of them.
    pub fn explain(&self, tree: &Node, problem: &Problem) -> bool {
        let Some(key) = problem.place.and_then(|place| tree.key_around(place)) else { return self.any };
        let related = |suspect: &String| {
            suspect == key || RELATED.iter().any(|group| group.contains(&suspect.as_str()) && group.contains(&key))
        };
        self.any || self.keys.iter().any(related)
    }
}
