//! The kinds whose objects have a rollout, or an end, that can be watched.

use crate::yaml::Object;

/// A kind that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pods that are alike, through ReplicaSets.
    Deployment,
    /// Pods that have a name and an order each.
    StatefulSet,
    /// A pod a node.
    DaemonSet,
    /// Pods that run to their end.
    Job,
}

impl Kind {
    /// The kind of an object, if it is one that is watched.
    pub fn of(object: &Object) -> Option<Self> {
        match (object.group(), object.kind()) {
            ("apps", "Deployment") => Some(Self::Deployment),
            ("apps", "StatefulSet") => Some(Self::StatefulSet),
            ("apps", "DaemonSet") => Some(Self::DaemonSet),
            ("batch", "Job") => Some(Self::Job),
            _ => None,
        }
    }

    /// As Kubernetes spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
        }
    }

    /// The resource with its group, as kubectl takes it.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Deployment => "deployments.apps",
            Self::StatefulSet => "statefulsets.apps",
            Self::DaemonSet => "daemonsets.apps",
            Self::Job => "jobs.batch",
        }
    }
}

/// Whether an object keeps pods running: a Deployment, a StatefulSet or a DaemonSet.
pub fn is_workload(object: &Object) -> bool {
    Kind::of(object).is_some_and(|kind| kind != Kind::Job)
}

/// Whether a workload takes a new pod template only for pods that somebody deletes: there is nothing to wait for.
pub fn is_on_delete(object: &Object) -> bool {
    is_workload(object) && object.text("/spec/updateStrategy/type") == "OnDelete"
}

/// The template of an object's pods, wherever its kind has it.
pub fn template_path(object: &Object) -> &'static str {
    match object.kind() {
        "CronJob" => "/spec/jobTemplate/spec/template",
        _ => "/spec/template",
    }
}
