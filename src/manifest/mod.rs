//! What a manifests repo says: `shipcat.yml`, the services, their layers, merged into one complete [`Manifest`] for a service
//! in an environment. Reads files, prints nothing, starts nothing. May import `yaml` and `error`.

mod check;
mod explain;
mod files;
mod graces;
pub mod keys;
mod layers;
mod load;
mod names;
mod part;
mod recording;
mod repo;
mod suspects;
mod templates;

pub use explain::explain;
pub use files::{ConfigFile, Content, Folder};
pub use graces::{Grace, Graces};
pub use layers::Layer;
pub use load::Loading;
pub use names::{Duration, EnvironmentName, Namespace, ServiceName, Version};
pub use part::{FROM_SERVICE, Part, Role};
pub use recording::Recording;
pub use repo::{Environment, Repo};

use serde_json::{Map, Value};

use crate::error::Sources;
use crate::yaml::Node;

/// A service in an environment, with nothing left open but what a template or the command line says.
#[derive(Debug, Clone)]
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

    /// Gives the service, and every part that has its image, this one: what runs, where the files have another by now.
    pub fn keep_image(&mut self, repository: &str) {
        let former = self.image();
        if self.with_registry(repository) != repository {
            self.registry = None;
        }
        let registry = self.registry.clone();
        self.value["image"] = repository.into();
        let has_it = |part: &Part| {
            let own = part.value["image"].as_str().unwrap_or(self.service.as_ref());
            own == former || registry.as_ref().is_some_and(|registry| format!("{registry}/{own}") == former)
        };
        let parts = self.main.iter_mut().chain(&mut self.workers).chain(&mut self.jobs).chain(&mut self.cron_jobs);
        for part in parts {
            if has_it(part) {
                part.value["image"] = repository.into();
            }
        }
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
