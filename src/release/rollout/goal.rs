//! What a watch waits for, and how patiently.

use std::time::Duration;

use serde_json::Value;

/// How patient to be.
#[derive(Debug, Clone)]
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
    /// How long a container without readiness probe must run, where the Deployment has no `minReadySeconds`.
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

/// What is waited for.
#[derive(Debug, Clone)]
pub struct Goal {
    /// The Deployment's uid.
    pub uid: String,
    /// The generation that our change made, or found.
    pub generation: i64,
    /// The pod template of it: another one is somebody else's work.
    pub template: Value,
    /// What the pods that it wants are called, and the others: new and old, or on the way back former and failed.
    pub words: (&'static str, &'static str),
    /// The names of objects that our own render makes, or should: one that is missing will not come.
    pub rendered: Vec<String>,
}
