//! What runs: the service's own pods, its workers, jobs and cron jobs, each with all that it says or has from the service.

use serde_json::Value;

use super::keys::service::MANIFEST_SHAPE;
use super::keys::workload::{CRON_JOB, JOB, WORKER};
use crate::error::Problem;
use crate::yaml::{Node, Shape, merge, value};

/// What a part of a service is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The service itself.
    Main,
    /// A Deployment beside it.
    Worker,
    /// A job before the rollout.
    Job,
    /// A job by the clock.
    CronJob,
}

/// Something that runs.
#[derive(Debug, Clone)]
pub struct Part {
    /// What for.
    pub role: Role,
    /// Its key in the manifest; none for the service itself.
    pub key: Option<String>,
    /// Its object's name; of a job, the name without the hash.
    pub name: String,
    /// Its main container's name.
    pub container: String,
    /// Its settings, with those that it has from the service.
    pub tree: Node,
    /// The same as JSON.
    pub value: Value,
}

/// What a worker or a job has from the service, where it does not say it itself: what it needs to run the same code.
pub const FROM_SERVICE: [&str; 28] = [
    "affinity",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "env",
    "envFrom",
    "files",
    "filesMode",
    "hostAliases",
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
    "podSecurityContext",
    "priorityClassName",
    "resources",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "terminationGracePeriodSeconds",
    "terminationMessagePolicy",
    "tolerations",
    "automountServiceAccountToken",
    "volumes",
    "volumeMounts",
    "workingDir",
];

static WORKER_SHAPE: Shape = Shape::Struct(&WORKER);
static JOB_SHAPE: Shape = Shape::Struct(&JOB);
static CRON_JOB_SHAPE: Shape = Shape::Struct(&CRON_JOB);

impl Role {
    /// The key of the manifest that holds such parts.
    pub fn map(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Worker => "workers",
            Self::Job => "jobs",
            Self::CronJob => "cronJobs",
        }
    }

    fn shape(self) -> &'static Shape {
        match self {
            Self::Main => &MANIFEST_SHAPE,
            Self::Worker => &WORKER_SHAPE,
            Self::Job => &JOB_SHAPE,
            Self::CronJob => &CRON_JOB_SHAPE,
        }
    }
}

impl Part {
    /// The service itself.
    pub fn main(service: &str, tree: &Node, json: &Value) -> Option<Self> {
        if json["kind"] == "None" {
            return None;
        }
        let name = json["name"].as_str().unwrap_or(service).to_owned();
        let container = json["containerName"].as_str().unwrap_or(&name).to_owned();
        Some(Self { role: Role::Main, key: None, name, container, tree: tree.clone(), value: json.clone() })
    }

    /// The parts of a role, with what they have from the service.
    pub fn of(role: Role, service: &str, tree: &Node, warnings: &mut Vec<Problem>) -> Vec<Self> {
        let Some(parts) = tree.get(role.map()).filter(|parts| !parts.entries().is_empty()) else { return Vec::new() };
        let base = inherited(tree);
        let mut part = |(key, own): &(Node, Node)| {
            let alone = own.get("inherit").is_some_and(|inherit| inherit.text() == "false");
            let base = if alone { base.filtered(|key, _| key == "image") } else { base.clone() };
            let tree = merge(base, own, role.shape(), warnings);
            let json = value(&tree, role.shape());
            let container = json["containerName"].as_str().unwrap_or(key.text()).to_owned();
            let name = json["name"].as_str().map_or_else(|| format!("{service}-{}", key.text()), str::to_owned);
            Self { role, key: Some(key.text().to_owned()), name, container, tree, value: json }
        };
        parts.entries().iter().map(&mut part).collect()
    }
}

fn inherited(tree: &Node) -> Node {
    let wanted = |key: &str| FROM_SERVICE.contains(&key);
    let mut base = tree.filtered(|key, _| wanted(key));
    // A claim is mostly for one pod at a time.
    base.edit("volumes", |volumes| volumes.filtered(|_, volume| volume.get("claim").is_none()));
    base
}
