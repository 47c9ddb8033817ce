//! What templates made: read as kubectl reads it, held to what can be shipped, and given the labels by which it is found again.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{SERVICE_LABEL, api};
use crate::error::{Place, Problem};
use crate::manifest::Manifest;
use crate::yaml::{self, unappliable};

/// Kinds that are in no namespace: shipcat ships what is in one.
pub const CLUSTER_WIDE: [&str; 16] = [
    "APIService",
    "CSIDriver",
    "CertificateSigningRequest",
    "ClusterIssuer",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

/// The objects so far.
pub struct Made<'a> {
    manifest: &'a Manifest,
    problems: &'a mut Vec<Problem>,
    seen: BTreeSet<(String, String, String)>,
    objects: Vec<Value>,
}

impl<'a> Made<'a> {
    /// None yet.
    pub fn new(manifest: &'a Manifest, problems: &'a mut Vec<Problem>) -> Self {
        Self { manifest, problems, seen: BTreeSet::new(), objects: Vec::new() }
    }

    /// The objects, in the order in which they came.
    pub fn done(self) -> Vec<Value> {
        self.objects
    }

    /// Takes in what a template made; `own` is the place of a template that is not a built-in one.
    pub fn take(&mut self, rendered: Result<String, Problem>, own: Option<Place>) {
        let place = own.unwrap_or(self.manifest.tree.place);
        let text = match rendered {
            Ok(text) => text,
            Err(problem) => return self.problems.push(problem),
        };
        match yaml::documents(&text) {
            Ok(documents) => {
                for document in documents {
                    self.object(document.value, place, own.is_some());
                }
            }
            Err(error) => {
                let line = text.lines().nth(error.line.saturating_sub(1)).unwrap_or_default();
                let problem = Problem::at(place, format!("what this template makes is not YAML: {}", error.message));
                self.problems.push(problem.hint(format!(
                    "look at line {} of its output: {}",
                    error.line,
                    yaml::shorten(line.trim())
                )));
            }
        }
    }

    fn object(&mut self, mut value: Value, place: Place, own: bool) {
        if value["kind"] == "List"
            && let Some(items) = value.get_mut("items").map(Value::take)
        {
            for item in items.as_array().into_iter().flatten() {
                self.object(item.clone(), place, own);
            }
            return;
        }
        let mut wrong = |message: String, hint: &str| self.problems.push(Problem::at(place, message).hint(hint));
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        if let Some((missing, _)) = [("apiVersion", &api_version), ("kind", &kind), ("metadata.name", &name)]
            .iter()
            .find(|(_, text)| text.is_empty())
        {
            return wrong(
                format!("this template makes something without `{missing}`"),
                "every object has `apiVersion`, `kind` and `metadata.name`",
            );
        }
        let object = format!("{kind}/{name}");
        if CLUSTER_WIDE.contains(&kind.as_str()) {
            return wrong(
                format!("{object} is in no namespace"),
                "shipcat ships what is in the environment's namespace; apply this by other means",
            );
        }
        let namespace = text("/metadata/namespace");
        let expected = self.manifest.namespace.as_ref();
        if !namespace.is_empty() && namespace != expected {
            return wrong(
                format!("{object} goes to namespace `{namespace}`, and the environment's is `{expected}`"),
                "leave the namespace out, or write `{{ namespace }}`",
            );
        }
        if let Some((message, hint)) = api::unserved(&api_version, &kind, self.manifest.kubernetes) {
            return wrong(message, &hint);
        }
        if let Some(c) = strings(&value).find_map(unappliable) {
            return wrong(
                format!(
                    "{object} has a text with the control character U+{:04X}, which the API server does not take",
                    u32::from(c)
                ),
                "put it into a file of `files`, where any byte may stand",
            );
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        if !self.seen.insert((group, kind, name)) {
            return wrong(format!("{object} is made twice"), "give one of them another name");
        }
        if own {
            self.mark(&mut value);
        }
        self.objects.push(value);
    }

    /// The namespace, and the labels by which it is found again; an author's own labels stay.
    fn mark(&self, value: &mut Value) {
        let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return };
        metadata.entry("namespace").or_insert_with(|| self.manifest.namespace.as_ref().into());
        if !self.manifest.is_labelled() {
            return;
        }
        let labels = metadata.entry("labels").or_insert_with(|| json!({}));
        if labels.is_null() {
            *labels = json!({});
        }
        if let Some(labels) = labels.as_object_mut() {
            let service = self.manifest.service.as_ref();
            labels.entry("app.kubernetes.io/name").or_insert_with(|| service.into());
            labels.entry("app.kubernetes.io/managed-by").or_insert_with(|| "shipcat".into());
            labels.insert(SERVICE_LABEL.into(), service.into());
        }
    }
}

/// Every text in a JSON value, keys included.
fn strings(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::String(text) => Box::new(std::iter::once(text.as_str())),
        Value::Array(items) => Box::new(items.iter().flat_map(strings)),
        Value::Object(map) => {
            Box::new(map.iter().flat_map(|(key, value)| std::iter::once(key.as_str()).chain(strings(value))))
        }
        _ => Box::new(std::iter::empty()),
    }
}
