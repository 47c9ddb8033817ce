//! What every object of a service is made from: its names, labels, images and texts.

use serde_json::{Map, Value, json};

use super::template::Texts;
use super::{SERVICE_LABEL, api};
use crate::manifest::{Manifest, Part, Role, Version};

/// The ground on which a service's objects stand.
pub struct Ground<'a> {
    pub manifest: &'a Manifest,
    version: &'a Version,
    texts: Texts,
}

impl<'a> Ground<'a> {
    /// For a service with the version that was chosen.
    pub fn new(manifest: &'a Manifest, version: &'a Version) -> Self {
        let variables = json!({
            "service": manifest.service.as_ref(),
            "environment": manifest.environment.as_ref(),
            "namespace": manifest.namespace.as_ref(),
            "version": version.as_ref(),
            "image": with_version(&manifest.image(), version.as_ref()),
            "values": manifest.values,
        });
        let variables = object(&variables);
        Self { manifest, version, texts: Texts::new(variables, manifest.sources.clone()) }
    }

    /// The service's texts that are templates.
    pub fn texts(&mut self) -> &mut Texts {
        &mut self.texts
    }

    /// What every template may use: what texts may use, and the service as a whole.
    pub fn context(&self) -> Map<String, Value> {
        let mut context = self.texts.variables().clone();
        let minor = self.manifest.kubernetes;
        context.insert("name".into(), self.name().into());
        context.insert("labels".into(), self.labels(None).into());
        context.insert("selector".into(), self.manifest.selector().into());
        context.insert("manifest".into(), self.manifest.value.clone());
        context.insert("kubernetes".into(), json!({"version": format!("1.{minor}"), "minor": minor}));
        context.insert("api".into(), api::versions(minor));
        context
    }

    /// The name of the service's objects.
    pub fn name(&self) -> &str {
        self.manifest.value["name"].as_str().unwrap_or(self.manifest.service.as_ref())
    }

    /// The image with which a part runs.
    pub fn image(&self, part: &Part) -> String {
        let image = part.value["image"].as_str().unwrap_or(self.manifest.service.as_ref());
        with_version(&self.manifest.with_registry(image), self.version_of(part))
    }

    /// Another image in a part's pod; without a version of its own it has the service's.
    pub fn other_image(&self, part: &Part, image: &str, version: Option<&str>) -> String {
        with_version(&self.manifest.with_registry(image), version.unwrap_or_else(|| self.version_of(part)))
    }

    /// The service's own version comes from outside; a worker or a job may have one of its own.
    fn version_of<'b>(&'b self, part: &'b Part) -> &'b str {
        match part.role {
            Role::Main => self.version.as_ref(),
            _ => part.value["version"].as_str().unwrap_or(self.version.as_ref()),
        }
    }

    /// The service account of a part's pods, if it is not the namespace's default one.
    pub fn service_account(&self, part: &Part) -> Option<String> {
        if let Some(own) = part.value["serviceAccountName"].as_str() {
            return Some(own.to_owned());
        }
        if part.value["inherit"] == false {
            return None;
        }
        let account = &self.manifest.value["serviceAccount"];
        match account {
            Value::String(name) => Some(name.clone()),
            Value::Object(_) => Some(account["name"].as_str().unwrap_or(self.name()).to_owned()),
            _ => None,
        }
    }

    /// The labels by which a part's pods are found.
    pub fn selector(&self, part: &Part) -> Map<String, Value> {
        match part.role {
            Role::Main => self.manifest.selector(),
            Role::Worker if part.value["selector"].as_object().is_some_and(|own| !own.is_empty()) => {
                object(&part.value["selector"])
            }
            _ => Map::from_iter([("app".to_owned(), part.name.as_str().into())]),
        }
    }

    /// The labels of a part's object, or of an object that belongs to the service as a whole.
    pub fn labels(&self, part: Option<&Part>) -> Map<String, Value> {
        let main = self.manifest.selector();
        let mut labels = object(&self.manifest.value["labels"]);
        let own = part.filter(|part| part.role != Role::Main);
        if let Some(part) = own {
            // Else the service's selector would find pods that are none of its own.
            labels.retain(|key, _| !main.contains_key(key));
            labels.extend(object(&part.value["labels"]));
        }
        if !self.manifest.is_labelled() {
            return labels;
        }
        labels.insert("app.kubernetes.io/name".into(), self.manifest.service.as_ref().into());
        labels.insert("app.kubernetes.io/managed-by".into(), "shipcat".into());
        if let Some(key) = own.and_then(|part| part.key.as_deref()) {
            labels.insert("app.kubernetes.io/component".into(), key.into());
        }
        labels.insert(SERVICE_LABEL.into(), self.manifest.service.as_ref().into());
        labels.extend(part.map_or(main, |part| self.selector(part)));
        labels
    }

    /// The labels of a part's pods.
    pub fn pod_labels(&self, part: &Part) -> Map<String, Value> {
        let mut labels = if self.manifest.is_labelled() { self.labels(Some(part)) } else { Map::new() };
        labels.extend(object(&part.value["podLabels"]));
        // Nothing looks for the pods of a job, so that those taken over as they are need no label.
        if self.manifest.is_labelled() || matches!(part.role, Role::Main | Role::Worker) {
            labels.extend(self.selector(part));
        }
        labels
    }

    /// The `metadata` of an object.
    pub fn metadata(&self, name: &str, labels: Map<String, Value>, annotations: &Value) -> Value {
        let mut metadata = json!({"name": name, "namespace": self.manifest.namespace.as_ref()});
        if !labels.is_empty() {
            metadata["labels"] = labels.into();
        }
        if annotations.as_object().is_some_and(|annotations| !annotations.is_empty()) {
            metadata["annotations"] = annotations.clone();
        }
        metadata
    }
}

/// A JSON map, or an empty one.
pub fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// An image with its tag or its digest.
pub fn with_version(image: &str, version: &str) -> String {
    let separator = if version.contains(':') { '@' } else { ':' };
    format!("{image}{separator}{version}")
}
