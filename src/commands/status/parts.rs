//! What a service consists of, what is there of it, and how that is.

use std::time::Instant;

use anyhow::Result;
use serde_json::Value;

use crate::error::{Exit, count, join_and};
use crate::kubectl::Kubectl;
use crate::release::{
    self, Goal, History, Kind, Limits, Memory, Outcome, Picture, Release, Verdict, folded, has_no_node, is_end,
    is_workload, judge, main_object, pod_selectors,
};
use crate::yaml::Object;

/// What a service consists of, and what is there of it.
pub struct Parts {
    service: String,
    /// What the release that runs has; of a service that shipcat never shipped, the workload of its name.
    wanted: Vec<Object>,
    /// What is there of that.
    pub live: Vec<Object>,
    /// With what the workloads own.
    picture: Picture,
    /// Whether it was retired.
    is_removed: bool,
    /// What the release that runs was to remove, and did not yet.
    unremoved: Vec<String>,
}

impl Parts {
    /// Reads it.
    ///
    /// # Errors
    /// If the cluster cannot be read.
    pub fn read(kubectl: &Kubectl<'_>, service: &str, history: &History) -> Result<Self> {
        let refused = |error: crate::kubectl::KubectlError| error.refused("cannot read what runs");
        let recorded = history.running().map(Release::objects);
        let mut live = None;
        let wanted: Vec<Object> = match recorded {
            Some(objects) => objects.into_iter().filter(|object| Kind::of(object) != Some(Kind::Job)).collect(),
            None => {
                let mut found = kubectl.named("deployment.apps", service).map_err(refused)?;
                if found.is_none() {
                    found = kubectl.named("statefulset.apps,daemonset.apps", service).map_err(refused)?;
                }
                live.insert(found.into_iter().collect::<Vec<_>>()).clone()
            }
        };
        let workloads: Vec<&Object> = wanted.iter().filter(|object| is_workload(object)).collect();
        let mut kinds = vec!["pods"];
        let has = |kind| workloads.iter().any(|object| Kind::of(object) == Some(kind));
        if has(Kind::DaemonSet) {
            kinds.insert(0, "controllerrevisions.apps");
        }
        if has(Kind::Deployment) {
            kinds.insert(0, "replicasets.apps");
        }
        let kinds = kinds.join(",");
        let selectors = pod_selectors(&workloads);
        let cancel = false.into();
        let (now, owned) = std::thread::scope(|scope| {
            let owned: Vec<_> =
                selectors.iter().map(|selector| scope.spawn(|| kubectl.labelled(&kinds, selector, &cancel))).collect();
            let now = if live.is_some() || wanted.is_empty() { Ok(Vec::new()) } else { kubectl.live(&wanted, &cancel) };
            (now, owned.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>())
        });
        let live = match live {
            Some(live) => live,
            None => now.map_err(refused)?,
        };
        let mut objects: Vec<Object> = live.clone();
        for owned in owned {
            let owned = owned.map_err(|_| anyhow::anyhow!("shipcat itself failed while it read from the cluster"))?;
            objects.extend(owned.map_err(|error| error.refused("cannot read the pods"))?);
        }
        let is_removed = history.running().is_some_and(is_end);
        // Of the newest release alone: what an older one left was seen to since.
        let newest = history.newest().filter(|release| release.outcome == Outcome::Deployed);
        let unremoved = newest.map(|release| release::unremoved(kubectl, release)).transpose().map_err(refused)?;
        let unremoved = unremoved.iter().flatten().map(ToString::to_string).collect();
        let picture = Picture::of(objects);
        Ok(Self { service: service.to_owned(), wanted, live, picture, is_removed, unremoved })
    }

    /// Whether nothing of it has an image that tells a version.
    pub fn is_without_image(&self) -> bool {
        !self.wanted.is_empty() && main_object(&self.wanted, &self.service).is_none()
    }

    /// The workloads of it, as they are wanted.
    pub fn workloads(&self) -> Vec<&Object> {
        self.wanted.iter().filter(|object| is_workload(object)).collect()
    }

    /// The same with what is seen now.
    pub fn seen(&mut self, picture: &Picture) {
        let now = |object: &Object| picture.same(object).cloned();
        let others = self.live.iter().filter(|object| !is_workload(object)).cloned();
        let others: Vec<Object> = others.collect();
        self.live = self.wanted.iter().filter(|object| is_workload(object)).filter_map(now).chain(others).collect();
        self.picture = picture.clone();
    }

    /// How each workload is at this moment, a line each, and whether all of it is well.
    pub fn health(&self, limits: &Limits) -> (Vec<String>, Exit) {
        let (mut lines, mut exit) = self.health_of_workloads(limits);
        if !self.unremoved.is_empty() {
            let what = join_and(&self.unremoved);
            if self.is_removed {
                lines.clear();
            }
            lines.push(format!("not removed yet: {what}; the next command that changes it goes on with that"));
            exit = Exit::No;
        }
        (lines, exit)
    }

    fn health_of_workloads(&self, limits: &Limits) -> (Vec<String>, Exit) {
        let workloads = self.workloads();
        if workloads.is_empty() {
            return self.presence();
        }
        let one = workloads.len() == 1;
        let mut lines = Vec::new();
        let mut exit = Exit::Done;
        for workload in workloads {
            let (line, well) = match workload.among(&self.live) {
                Some(live) => health(&self.picture, live, limits),
                None => ("not there".to_owned(), Exit::No),
            };
            if well != Exit::Done {
                exit = Exit::No;
            }
            lines.push(if one { line } else { format!("{workload}: {line}") });
        }
        (lines, exit)
    }

    /// Of a service without pods of its own: whether its objects are there.
    fn presence(&self) -> (Vec<String>, Exit) {
        let missing: Vec<String> =
            self.wanted.iter().filter(|object| object.among(&self.live).is_none()).map(ToString::to_string).collect();
        match (self.wanted.len(), missing.as_slice()) {
            (0, _) if self.is_removed => (vec!["removed".into()], Exit::No),
            (0, _) => (vec!["not there".into()], Exit::No),
            (n, []) => (vec![format!("well, {} there and nothing with a rollout", count(n, "object"))], Exit::Done),
            (_, missing) => (vec![format!("not well: {} is not there", join_and(missing))], Exit::No),
        }
    }
}

/// How a workload is at this moment.
fn health(picture: &Picture, live: &Object, limits: &Limits) -> (String, Exit) {
    let Some(goal) = Goal::of(live, Vec::new()) else {
        return ("updates its pods only where they are deleted (OnDelete): not judged".into(), Exit::Done);
    };
    // A look lasts no time: nothing has to settle under our eyes.
    let limits = Limits { settle: std::time::Duration::ZERO, ..*limits };
    let judged = |picture: &Picture, goal: &Goal| {
        let mut memory = Memory::baseline(picture, true);
        judge(picture, std::slice::from_ref(goal), &mut memory, &limits, Instant::now())
    };
    // What is paused is well as long as nothing is to come behind that.
    if let Some(resumed) = resumed(live)
        && judged(&picture.with(resumed), &goal) == Verdict::Good
    {
        let name = live.name();
        let pods = count(wanted(live), "pod");
        let todo = format!("`kubectl rollout resume deployment/{name}`");
        return (
            format!("well, {pods} ready; it is paused: nothing that is shipped rolls out until {todo}"),
            Exit::Done,
        );
    }
    match judged(picture, &goal) {
        Verdict::Good if has_no_node(live) => (format!("well, but no node takes a pod of {live}"), Exit::Done),
        Verdict::Good => (format!("well, {} ready", count(wanted(live), "pod")), Exit::Done),
        Verdict::Waiting(line, _) => (format!("not well, or on its way: {line}"), Exit::No),
        Verdict::Doomed(findings) => {
            let lines: Vec<String> = folded(&findings).into_iter().map(|(_, line)| line).collect();
            (format!("broken: {}", lines.join("\n            ")), Exit::No)
        }
        Verdict::Superseded(why) => (why, Exit::No),
    }
}

/// How many pods a workload is to have.
fn wanted(live: &Object) -> usize {
    let path = if live.kind() == "DaemonSet" { "/status/desiredNumberScheduled" } else { "/spec/replicas" };
    live.number(path).and_then(|n| usize::try_from(n).ok()).unwrap_or(1)
}

/// A paused Deployment as it would be if it were not.
fn resumed(live: &Object) -> Option<Object> {
    let mut value = live.json().clone();
    let paused = value.pointer_mut("/spec/paused").filter(|paused| **paused == Value::Bool(true))?;
    *paused = Value::Bool(false);
    Object::new(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(live: Value, owned: Vec<Value>) -> (String, Exit) {
        let live = Object::new(live).unwrap();
        let owned = owned.into_iter().map(|value| Object::new(value).unwrap());
        let picture = Picture::of(std::iter::once(live.clone()).chain(owned).collect());
        health(&picture, &live, &Limits::default())
    }

    fn owned(kind: &str, name: &str, owner: &str) -> Value {
        let api = if kind == "Pod" { "v1" } else { "apps/v1" };
        json!({"apiVersion": api, "kind": kind, "metadata": {"name": name, "uid": name,
                "annotations": {"deployment.kubernetes.io/revision": "1"}, "ownerReferences": [{"uid": owner, "controller": true}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    }

    #[test]
    fn what_is_paused_is_well_as_long_as_nothing_waits_behind_it() {
        let paused = |updated: u32| {
            let live = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "uid": "d",
                    "generation": 2, "annotations": {"deployment.kubernetes.io/revision": "1"}},
                "spec": {"paused": true, "replicas": 1, "template": {}},
                "status": {"observedGeneration": 2, "replicas": 1, "availableReplicas": 1, "updatedReplicas": updated}});
            told(live, vec![owned("ReplicaSet", "rs", "d"), owned("Pod", "w-1", "rs")])
        };
        let (line, exit) = paused(1);
        let said = "well, 1 pod ready; it is paused: nothing that is shipped rolls out until `kubectl rollout resume deployment/w`";
        assert_eq!((line.as_str(), exit), (said, Exit::Done));
        let (line, exit) = paused(0);
        assert!(line.starts_with("broken: Deployment/w is paused: no new pods are made") && exit == Exit::No, "{line}");
    }

    #[test]
    fn a_daemon_set_without_a_node_is_well_and_says_so() {
        let set = |nodes: u32| {
            json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "ag", "uid": "s", "generation": 1},
                "spec": {"template": {}}, "status": {"observedGeneration": 1, "desiredNumberScheduled": nodes,
                "updatedNumberScheduled": nodes, "numberAvailable": nodes}})
        };
        let none = ("well, but no node takes a pod of DaemonSet/ag".to_owned(), Exit::Done);
        assert_eq!(told(set(0), Vec::new()), none);
        assert_eq!(told(set(1), vec![owned("Pod", "ag-1", "s")]).0, "well, 1 pod ready");
    }
}
