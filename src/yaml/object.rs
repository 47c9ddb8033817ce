//! A Kubernetes object as JSON, of which at least kind and name are known to be there.

use std::fmt;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// An object as it goes to, or came from, the API server.
#[derive(Debug, Clone, PartialEq)]
pub struct Object(Value);

impl Object {
    /// Takes an object with `apiVersion`, `kind` and `metadata.name`.
    ///
    /// # Errors
    /// If one of them is missing.
    pub fn new(value: Value) -> Result<Self> {
        for path in ["/apiVersion", "/kind", "/metadata/name"] {
            value
                .pointer(path)
                .and_then(Value::as_str)
                .with_context(|| format!("an object without `{}`", path[1..].replace('/', ".")))?;
        }
        Ok(Self(value))
    }

    /// An object of this kind and name, with nothing else in it.
    pub fn bare(api_version: &str, kind: &str, name: &str) -> Self {
        Self(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}))
    }

    /// The JSON.
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The JSON, to change it. Kind and name stay.
    pub fn json_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// A text in it, or nothing.
    pub fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number in it.
    pub fn number(&self, pointer: &str) -> Option<i64> {
        self.0.pointer(pointer).and_then(Value::as_i64)
    }

    /// A list in it, or an empty one.
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.0.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    /// The API group; empty for core.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// `metadata.uid`; empty before it was created.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// Whether its content can never change (a ConfigMap or Secret that says so).
    pub fn is_immutable(&self) -> bool {
        self.0.get("immutable").and_then(Value::as_bool) == Some(true)
    }

    /// Whether it is the same object as another: group, kind and name (there is one namespace at a time).
    pub fn is(&self, other: &Self) -> bool {
        self.group() == other.group() && self.kind() == other.kind() && self.name() == other.name()
    }

    /// The one among others that [`Object::is`] this one.
    pub fn among<'a>(&self, others: &'a [Self]) -> Option<&'a Self> {
        others.iter().find(|other| self.is(other))
    }
}

/// `Deployment/webapp`.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}
