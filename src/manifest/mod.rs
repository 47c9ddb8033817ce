//! What a manifests repo says: `shipcat.yml`, the services, their layers, merged into one complete [`Manifest`] for a service
//! in an environment. Reads files, prints nothing, starts nothing. May import `yaml` and `error`.

mod kube;
mod layer;
mod load;
mod names;
mod repo;

pub use kube::{InitContainer, Port};
pub use names::{Duration, EnvironmentName, Namespace, ServiceName, Version};
pub use repo::{Environment, Repo};

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::FileId;
use crate::yaml::{At, Text};
use kube::{Probe, Resources};

/// A service in an environment, with nothing left open but what a template or the command line says.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The service.
    pub service: ServiceName,
    /// The environment's name.
    pub environment: EnvironmentName,
    /// The namespace it goes to.
    pub namespace: Namespace,
    /// The image without its version, with the environment's registry in front where it named none.
    pub image: String,
    /// The version that the files name.
    pub version: Option<Version>,
    /// How many pods.
    pub replicas: u32,
    /// Labels of every object and of the pods, beside shipcat's own.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the workload.
    pub annotations: BTreeMap<String, String>,
    /// The labels by which the Deployment and the Service find the pods.
    pub selector: BTreeMap<String, String>,
    /// Instead of the image's entry point.
    pub command: Option<Vec<String>>,
    /// Instead of the image's arguments.
    pub args: Option<Vec<String>>,
    /// The port that it listens on, if it listens.
    pub port: Option<Port>,
    /// Environment variables: templates, not rendered yet.
    pub env: BTreeMap<String, At<Text>>,
    /// Files that become the ConfigMap.
    pub files: Vec<ConfigFile>,
    /// Whether a pod is ready.
    pub readiness: Option<Probe>,
    /// Whether a container must be restarted.
    pub liveness: Option<Probe>,
    /// Whether a container has started.
    pub startup: Option<Probe>,
    /// Requests and limits.
    pub resources: Option<Resources>,
    /// Containers that run to their end before.
    pub init_containers: Vec<InitContainer>,
    /// How long a pod must be ready before it counts; set where there is no readiness probe.
    pub min_ready_seconds: Option<u32>,
    /// How long a pod may take to stop.
    pub termination_grace: Option<u32>,
    /// Values for templates.
    pub values: serde_json::Map<String, serde_json::Value>,
    /// The service's folder, as people are to see it.
    pub folder: PathBuf,
}

/// A file of the service's and where the container finds it.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// The path in the container.
    pub target: String,
    /// What it holds.
    pub content: Content,
}

/// What a config file holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// A template: its name ends in `.j2`.
    Template(FileId),
    /// Text that is taken as it is.
    Text(String),
    /// Bytes that are no UTF-8.
    Bytes(Vec<u8>),
}
