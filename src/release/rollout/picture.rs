//! What is known of some workloads, what they own and their pods at a moment.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Goal;
use super::kind::Kind;
use crate::yaml::Object;

/// The label that says of which revision a pod of a StatefulSet or a DaemonSet is.
const REVISION: &str = "controller-revision-hash";

/// The latest of everything that the streams told.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The workloads and Jobs, by `Kind/name`.
    owners: BTreeMap<String, Object>,
    /// What is theirs, by uid, with the number of the stream that told it.
    owned: BTreeMap<String, (usize, Object)>,
    /// The uids of what is known to be gone, whatever a stream that lags still tells.
    buried: BTreeSet<String>,
}

impl Picture {
    /// Of objects that were read in one go.
    pub fn of(objects: Vec<Object>) -> Self {
        let mut picture = Self::default();
        for object in objects {
            picture.put(0, object);
        }
        picture
    }

    /// The same with an object in another state.
    pub fn with(&self, object: Object) -> Self {
        let mut picture = self.clone();
        picture.put(0, object);
        picture
    }

    /// Forgets an object that was seen to be gone, for good: another of its name is about to come.
    pub fn bury(&mut self, object: &Object) {
        self.buried.insert(object.uid().to_owned());
        if self.owners.get(&object.to_string()).is_some_and(|known| known.uid() == object.uid()) {
            self.owners.remove(&object.to_string());
        }
    }

    fn put(&mut self, stream: usize, object: Object) {
        if self.buried.contains(object.uid()) {
            return;
        }
        match Kind::of(&object) {
            Some(_) => drop(self.owners.insert(object.to_string(), object)),
            None => drop(self.owned.insert(object.uid().to_owned(), (stream, object))),
        }
    }

    /// Takes in a watch event, `{type, object}`, of the stream with this number.
    pub fn take(&mut self, stream: usize, event: &Value) {
        let gone = event.get("type").and_then(Value::as_str) == Some("DELETED");
        let Some(object) = event.get("object").and_then(|object| Object::new(object.clone()).ok()) else { return };
        // A Job may be tidied away in the moment of its end: that it ended stays true.
        if !gone || (Kind::of(&object) == Some(Kind::Job) && condition(&object, "Complete").is_some()) {
            self.put(stream, object);
            return;
        }
        self.owned.remove(object.uid());
        if self.owners.get(&object.to_string()).is_some_and(|known| known.uid() == object.uid()) {
            self.owners.remove(&object.to_string());
        }
    }

    /// Forgets what a stream told, before it tells it anew. Of a workload the last word holds: its own stream tells of its
    /// deletion when it sees it.
    pub fn forget(&mut self, stream: usize) {
        self.owned.retain(|_, (told, _)| *told != stream);
    }

    /// The workload or Job of a goal.
    pub fn workload(&self, goal: &Goal) -> Option<&Object> {
        self.owners.get(&goal.to_string())
    }

    /// The workload or Job that is the same as another state of it.
    pub fn same(&self, object: &Object) -> Option<&Object> {
        self.owners.get(&object.to_string())
    }

    fn owned_by<'a, 'b>(&'a self, uid: &'b str, kind: &'b str) -> impl Iterator<Item = &'a Object> + use<'a, 'b> {
        self.owned
            .values()
            .map(|(_, object)| object)
            .filter(move |object| object.kind() == kind && owner(object) == uid)
    }

    /// The ReplicaSet of a Deployment's present revision, once the controller has seen this generation.
    pub fn replica_set(&self, deployment: &Object, generation: i64) -> Option<&Object> {
        if deployment.number("/status/observedGeneration")? < generation {
            return None;
        }
        let revision = revision(deployment)?;
        self.owned_by(deployment.uid(), "ReplicaSet").find(|set| self::revision(set) == Some(revision))
    }

    /// The newest ControllerRevision of a DaemonSet, and whether it is of the template that the DaemonSet has now.
    /// (The controller gives it the highest number also where it is an old one that is used again.)
    pub fn controller_revision(&self, set: &Object) -> Option<(&Object, bool)> {
        let newest = self
            .owned_by(set.uid(), "ControllerRevision")
            .max_by_key(|revision| revision.number("/revision").unwrap_or_default())?;
        let kept = |value: Option<&Value>| without_nulls(value.unwrap_or(&Value::Null));
        let mut template = kept(newest.json().pointer("/data/spec/template"));
        if let Some(map) = template.as_object_mut() {
            map.remove("$patch");
        }
        Some((newest, template == kept(set.json().pointer("/spec/template"))))
    }

    /// The pods of this owner that are not being stopped, in the order of their names.
    pub fn pods_of(&self, uid: &str) -> Vec<&Object> {
        let mut pods = self.all_pods_of(uid);
        pods.retain(|pod| pod.text("/metadata/deletionTimestamp").is_empty());
        pods
    }

    /// The pods of this owner, in the order of their names, also those that are being stopped.
    pub fn all_pods_of(&self, uid: &str) -> Vec<&Object> {
        let mut pods: Vec<&Object> = self.owned_by(uid, "Pod").collect();
        pods.sort_by_key(|pod| pod.name());
        pods
    }

    /// Every pod.
    pub fn pods(&self) -> impl Iterator<Item = &Object> {
        self.owned.values().map(|(_, object)| object).filter(|object| object.kind() == "Pod")
    }

    /// Whether any pod of a workload has been told, of whatever revision.
    pub fn has_pods(&self, workload: &Object) -> bool {
        self.every_pod_of(workload.uid()).next().is_some()
    }

    /// Whether a pod of a goal's workload is on its way out, of whatever revision.
    pub fn is_stopping_pods_of(&self, goal: &Goal) -> bool {
        self.every_pod_of(&goal.uid).any(|pod| !pod.text("/metadata/deletionTimestamp").is_empty())
    }

    /// The pods of a goal's workload that are not being stopped, nor have ended but for a Job's, of whatever revision, in the order of their names.
    pub fn standing_pods_of<'a>(&'a self, goal: &'a Goal) -> impl Iterator<Item = &'a Object> {
        let is_job = goal.kind == Kind::Job;
        let standing = |pod: &&Object| pod.text("/metadata/deletionTimestamp").is_empty() && (is_job || !is_over(pod));
        let mut pods: Vec<&Object> = self.every_pod_of(&goal.uid).filter(standing).collect();
        pods.sort_by_key(|pod| pod.name());
        pods.into_iter()
    }

    /// Whether an object was made by the controller object of that uid.
    pub fn is_owned_by(&self, object: &Object, uid: &str) -> bool {
        owner(object) == uid
    }

    /// Whether what has the first uid is the workload of the second one, its ReplicaSet or its pod.
    pub fn is_of(&self, uid: &str, workload: &str) -> bool {
        uid == workload
            || self.owned.get(uid).is_some_and(|(_, object)| owner(object) == workload)
            || self.every_pod_of(workload).any(|pod| pod.uid() == uid)
    }

    /// The pods of a workload, of whatever revision.
    pub fn every_pod_of<'a>(&'a self, uid: &'a str) -> impl Iterator<Item = &'a Object> {
        let sets: Vec<&str> = self.owned_by(uid, "ReplicaSet").map(Object::uid).collect();
        self.pods().filter(move |pod| owner(pod) == uid || sets.contains(&owner(pod)))
    }
}

/// The Deployment controller's number of a revision; it moves when an old ReplicaSet is used again.
fn revision(object: &Object) -> Option<&str> {
    object.json().pointer("/metadata/annotations")?.get("deployment.kubernetes.io/revision")?.as_str()
}

/// The revision that a pod of a StatefulSet or DaemonSet is of, or that a ControllerRevision of a DaemonSet stands for.
pub fn revision_hash(object: &Object) -> &str {
    let labels = object.json().pointer("/metadata/labels");
    labels.and_then(|labels| labels.get(REVISION)).and_then(Value::as_str).unwrap_or_default()
}

/// Servers of different versions write a field that is not set as `null` or not at all.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// A condition of an object that holds.
pub fn condition<'a>(object: &'a Object, kind: &str) -> Option<&'a Value> {
    let holds = |condition: &&Value| text(condition, "type") == kind && text(condition, "status") == "True";
    object.list("/status/conditions").iter().find(holds)
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

/// Whether a pod has ended for good: it was evicted, or ran to its end. A controller that wants pods to run counts it no more.
pub fn is_over(pod: &Object) -> bool {
    ["Succeeded", "Failed"].contains(&pod.text("/status/phase"))
}

/// How often a container was started again.
pub fn restarts(status: &Value) -> i64 {
    status.get("restartCount").and_then(Value::as_i64).unwrap_or_default()
}

/// A text of a JSON map, or nothing.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
