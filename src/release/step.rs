//! What becomes of one object.

use super::diff::{differences, significant};
use super::ownership::Takeover;
use super::rollout::{Kind, is_workload, template_path};
use crate::yaml::Object;

/// What becomes of one object.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is wanted.
    pub desired: Object,
    /// What is live, if it is.
    pub before: Option<Object>,
    /// What the server will make of it, as far as can be known before.
    pub expected: Object,
    /// The fields that must change hands first.
    pub takeover: Option<Takeover>,
    /// Of a Job, whether it is to run.
    pub job: Option<JobRun>,
    /// Of a workload, that its pods are replaced though nothing else of it asks for that: the time that its template then has (RFC 3339).
    pub restart: Option<String>,
}

/// Whether a Job of the render is to run. Its name carries a hash of what it does, so one of its name has done it.
#[derive(Debug, Clone)]
pub enum JobRun {
    /// It ran to its end: it is left as it is.
    Done,
    /// It is not there, or has not ended: its end is waited for.
    Due,
    /// It gave up some time ago: that one is deleted, with its pods, and it is made again. Nothing of it is brought back.
    Again(Box<Object>),
}

impl Step {
    /// Whether the object is applied at all.
    pub fn is_applied(&self) -> bool {
        !matches!(self.job, Some(JobRun::Done))
    }

    /// Whether anything becomes of it: it is made, or changed.
    pub fn is_changed(&self) -> bool {
        let same =
            |before: &Object| self.takeover.is_none() && differences(before.json(), self.expected.json()).is_empty();
        !self.before.as_ref().is_some_and(same)
    }

    /// Whether it is a Job whose end is waited for.
    pub fn is_job_due(&self) -> bool {
        self.job.is_some() && self.is_applied()
    }

    /// Whether it keeps pods running.
    pub fn is_workload(&self) -> bool {
        is_workload(&self.desired)
    }

    /// Whether its pods will be others than now. Of a new one there are none yet.
    pub fn replaces_pods(&self) -> bool {
        let path = template_path(&self.desired);
        let template = |object: &Object| significant(object.json()).pointer(path).cloned();
        self.is_workload() && self.before.as_ref().is_some_and(|before| template(before) != template(&self.expected))
    }

    /// Whether a Job may need it: accounts, configuration, claims, Services. What runs or steers pods, and lets traffic to them, comes
    /// behind the Jobs. Of custom kinds only those that make Secrets are needed.
    pub fn is_needed_by_jobs(&self) -> bool {
        let (group, kind) = (self.desired.group(), self.desired.kind());
        let own = !group.contains('.') || group.ends_with(".k8s.io");
        if !own {
            return kind.contains("Secret") || group == "cert-manager.io";
        }
        let later = [
            "CronJob",
            "HorizontalPodAutoscaler",
            "Ingress",
            "Pod",
            "PodDisruptionBudget",
            "ReplicaSet",
            "ReplicationController",
        ];
        Kind::of(&self.desired).is_none() && !later.contains(&kind)
    }
}
