//! What a watch waits for, and how patiently.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::kind::{Kind, is_on_delete};
use crate::kubectl::FIELD_MANAGER;
use crate::yaml::Object;

/// How patient to be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At which crash of a container its pod is doomed.
    pub crashes: i64,
    /// For an image pull that fails for a reason that may pass.
    pub pull: Duration,
    /// For a missing object that is not of our own render.
    pub config: Duration,
    /// For pods that cannot be created.
    pub create: Duration,
    /// For pods that cannot be scheduled.
    pub schedule: Duration,
    /// How long a container without readiness probe must run, where the workload has no `minReadySeconds`.
    pub settle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            crashes: 2,
            pull: Duration::from_mins(1),
            config: Duration::from_secs(30),
            create: Duration::from_secs(30),
            schedule: Duration::from_mins(2),
            settle: Duration::from_secs(5),
        }
    }
}

/// What is waited for: one workload at the revision that we made, or a Job's end.
#[derive(Debug, Clone)]
pub struct Goal {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// The generation that our change made, or found.
    pub generation: i64,
    /// The pod template of it: another one is somebody else's work.
    pub template: Value,
    /// What the pods that it wants are called, and the others: new and old, or on the way back former and to be replaced.
    pub words: (&'static str, &'static str),
    /// The names of objects that our own render makes, or should: one that is missing will not come.
    pub rendered: Vec<String>,
    /// Whether it was said how often it may be tried; of a Job for which nobody did, a crash counts as of anything else.
    pub has_tries: bool,
    /// When we last wrote to it, by the API server's clock (RFC 3339): what is reported from before is not about this.
    pub since: String,
}

impl Goal {
    /// The goal that an object comes up as it is now. `None` if it is of no kind that is watched, or updates no pods by itself.
    pub fn of(object: &Object, rendered: Vec<String>) -> Option<Self> {
        let kind = Kind::of(object).filter(|_| !is_on_delete(object))?;
        let ours = |entry: &&Value| entry["manager"].as_str() == Some(FIELD_MANAGER);
        let written =
            object.list("/metadata/managedFields").iter().filter(ours).filter_map(|entry| entry["time"].as_str());
        let since = written.max().unwrap_or_else(|| object.text("/metadata/creationTimestamp"));
        Some(Self {
            kind,
            name: object.name().to_owned(),
            uid: object.uid().to_owned(),
            generation: object.number("/metadata/generation").unwrap_or_default(),
            template: object.json().pointer("/spec/template").cloned().unwrap_or_default(),
            words: ("new", "old"),
            rendered,
            has_tries: true,
            since: since.to_owned(),
        })
    }

    /// The same of what was asked for: the live object says how often it is tried also where that is Kubernetes' own default.
    pub fn asked(self, desired: &Object) -> Self {
        Self { has_tries: desired.number("/spec/backoffLimit").is_some(), ..self }
    }

    /// The goal of a put-back.
    pub fn former(self) -> Self {
        Self { words: ("former", "to be replaced"), ..self }
    }

    /// Whether it is the way back.
    pub fn is_way_back(&self) -> bool {
        self.words.0 == "former"
    }
}

/// `Deployment/webapp`.
impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.word(), self.name)
    }
}
