//! What is known of a Deployment, its ReplicaSets and its pods at a moment.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kubectl::Watched;
use crate::yaml::Object;

/// The latest of everything that the streams told.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The Deployment.
    pub deployment: Option<Object>,
    replica_sets: BTreeMap<String, Object>,
    pods: BTreeMap<String, Object>,
}

impl Picture {
    /// Of objects that were read in one go.
    pub fn of(objects: Vec<Object>) -> Self {
        let mut picture = Self::default();
        for object in objects {
            match object.kind() {
                "Deployment" => picture.deployment = Some(object),
                "ReplicaSet" => drop(picture.replica_sets.insert(object.uid().to_owned(), object)),
                "Pod" => drop(picture.pods.insert(object.uid().to_owned(), object)),
                _ => {}
            }
        }
        picture
    }

    /// Takes in a watch event, `{type, object}`.
    pub fn take(&mut self, what: Watched, event: Value) {
        let gone = event.get("type").and_then(Value::as_str) == Some("DELETED");
        let Some(object) = event.get("object").and_then(|object| Object::new(object.clone()).ok()) else { return };
        let uid = object.uid().to_owned();
        match (what, gone) {
            (Watched::Deployment, false) => self.deployment = Some(object),
            (Watched::Deployment, true) => self.deployment = None,
            (Watched::ReplicaSets, false) => drop(self.replica_sets.insert(uid, object)),
            (Watched::ReplicaSets, true) => drop(self.replica_sets.remove(&uid)),
            (Watched::Pods, false) => drop(self.pods.insert(uid, object)),
            (Watched::Pods, true) => drop(self.pods.remove(&uid)),
        }
    }

    /// Forgets what a stream told, before it tells it anew.
    pub fn forget(&mut self, what: Watched) {
        match what {
            // The Deployment's own stream tells of its deletion when it sees it; until then the last word holds.
            Watched::Deployment => {}
            Watched::ReplicaSets => self.replica_sets.clear(),
            Watched::Pods => self.pods.clear(),
        }
    }

    /// The ReplicaSet of the Deployment's present revision, once the controller has seen this generation.
    pub fn replica_set(&self, generation: i64) -> Option<&Object> {
        let deployment = self.deployment.as_ref()?;
        if deployment.number("/status/observedGeneration")? < generation {
            return None;
        }
        let revision = revision(deployment)?;
        self.replica_sets.values().find(|set| owner(set) == deployment.uid() && self::revision(set) == Some(revision))
    }

    /// The pods of a ReplicaSet that are not being stopped, in the order of their names.
    pub fn pods_of(&self, set: &Object) -> Vec<&Object> {
        let mut pods: Vec<&Object> = self
            .pods
            .values()
            .filter(|pod| owner(pod) == set.uid() && pod.text("/metadata/deletionTimestamp").is_empty())
            .collect();
        pods.sort_by_key(|pod| pod.name());
        pods
    }

    /// Every pod.
    pub fn pods(&self) -> impl Iterator<Item = &Object> {
        self.pods.values()
    }
}

/// The Deployment controller's number of a revision; it moves when an old ReplicaSet is used again.
fn revision(object: &Object) -> Option<&str> {
    object.json().pointer("/metadata/annotations")?.get("deployment.kubernetes.io/revision")?.as_str()
}

/// The uid of the controller that made an object.
fn owner(object: &Object) -> &str {
    let controller = |reference: &&Value| reference.get("controller").and_then(Value::as_bool) == Some(true);
    object
        .list("/metadata/ownerReferences")
        .iter()
        .find(controller)
        .and_then(|reference| reference.get("uid")?.as_str())
        .unwrap_or_default()
}

/// The statuses of a pod's containers, init containers first, and whether each is one.
pub fn statuses(pod: &Object) -> impl Iterator<Item = (bool, &Value)> {
    let init = pod.list("/status/initContainerStatuses").iter().map(|status| (true, status));
    init.chain(pod.list("/status/containerStatuses").iter().map(|status| (false, status)))
}

/// How often a container was started again.
pub fn restarts(status: &Value) -> i64 {
    status.get("restartCount").and_then(Value::as_i64).unwrap_or_default()
}

/// A text of a JSON map, or nothing.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
