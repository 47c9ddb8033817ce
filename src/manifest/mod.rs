//! What a manifests repo says: `shipcat.yml`, the services, their layers, merged into one complete [`Manifest`] for a service
//! in an environment. Reads files, prints nothing, starts nothing. May import `yaml` and `error`.

mod check;
mod explain;
mod files;
pub mod keys;
mod layers;
mod load;
mod names;
mod part;
mod repo;
mod suspects;
mod templates;

pub use explain::explain;
pub use files::{ConfigFile, Content, Folder};
pub use layers::Layer;
pub use load::Loading;
pub use names::{Duration, EnvironmentName, Namespace, ServiceName, Version};
pub use part::{FROM_SERVICE, Part, Role};
pub use repo::{Environment, Repo};

use serde_json::{Map, Value};

use crate::error::Sources;
use crate::yaml::Node;

/// A service in an environment, with nothing left open but what a template or the command line says.
#[derive(Debug)]
pub struct Manifest {
    /// The service.
    pub service: ServiceName,
    /// The environment's name.
    pub environment: EnvironmentName,
    /// The namespace it goes to.
    pub namespace: Namespace,
    /// The environment's Kubernetes version: the minor of 1.
    pub kubernetes: u32,
    /// Goes in front of images that name no registry.
    pub registry: Option<String>,
    /// All layers in one, each value with the place that it came from.
    pub tree: Node,
    /// The same as JSON, by the shapes in [`keys`].
    pub value: Value,
    /// What each layer says, the first one first.
    pub layers: Vec<Layer>,
    /// What runs all the time under the service's name, if anything does.
    pub main: Option<Part>,
    /// Further Deployments.
    pub workers: Vec<Part>,
    /// Jobs before the rollout.
    pub jobs: Vec<Part>,
    /// Jobs by the clock.
    pub cron_jobs: Vec<Part>,
    /// Values for templates.
    pub values: Map<String, Value>,
    /// The files that the manifest names, by their name in the service's folder.
    pub files: Folder,
    /// The repo's and the service's own templates: name and text.
    pub templates: Vec<Template>,
    /// Every file that was read for it.
    pub sources: Sources,
}

/// A template of the repo's or the service's.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name without folder and ending: `networkpolicy`.
    pub name: String,
    /// Where it is.
    pub file: crate::error::FileId,
    /// Whether it is the service's own.
    pub own: bool,
}

impl Manifest {
    /// The version that the files name.
    pub fn version(&self) -> Option<Version> {
        self.value["version"].as_str()?.parse().ok()
    }

    /// An image with the environment's registry in front, where it names none.
    pub fn with_registry(&self, image: &str) -> String {
        let named = image.split_once('/').is_some_and(|(first, _)| names::is_registry(first));
        match &self.registry {
            Some(registry) if !named => format!("{registry}/{image}"),
            _ => image.to_owned(),
        }
    }

    /// The image of the service, without its version.
    pub fn image(&self) -> String {
        self.with_registry(self.value["image"].as_str().unwrap_or(self.service.as_ref()))
    }

    /// Everything that runs: the main workload, workers, jobs and cron jobs.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.main.iter().chain(&self.workers).chain(&self.jobs).chain(&self.cron_jobs)
    }

    /// The labels by which the service's pods are found.
    pub fn selector(&self) -> Map<String, Value> {
        match self.value["selector"].as_object() {
            Some(selector) if !selector.is_empty() => selector.clone(),
            _ => Map::from_iter([(
                "app".to_owned(),
                self.value["name"].as_str().unwrap_or(self.service.as_ref()).into(),
            )]),
        }
    }

    /// Whether the objects get shipcat's labels.
    pub fn is_labelled(&self) -> bool {
        self.value["shipcatLabels"].as_bool().unwrap_or(true)
    }
}
