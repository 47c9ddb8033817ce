//! What a release leaves behind: objects that the one before had and this one has not. They go after the commit, never before.

use std::collections::BTreeMap;

use super::history::History;
use super::reading::Wanted;
use super::record::Release;
use super::rollout::Kind;
use crate::kubectl::{Kubectl, KubectlError};
use crate::yaml::Object;

/// The label by which the objects of a service are known; those taken over from others may have none.
pub const SERVICE_LABEL: &str = "shipcat.dev/service";

/// What the releases that run brought and the wanted objects have no more: to be looked for in the cluster.
pub fn candidates(wanted: &[Wanted<'_>], histories: &BTreeMap<String, History>) -> Vec<Object> {
    let all = |object: &Object| wanted.iter().any(|wanted| object.among(wanted.objects).is_some());
    let of = |wanted: &Wanted<'_>| -> Vec<Object> {
        let running = histories.get(wanted.service).and_then(History::running);
        let mut objects = running.map(|running| running.objects()).unwrap_or_default();
        // What it was to remove, and did not come to.
        let leftovers = running.map(|running| running.body.leftovers.as_slice()).unwrap_or_default();
        objects.extend(leftovers.iter().filter_map(|value| Object::new(value.clone()).ok()));
        // What moved from one service to another is the other's now.
        objects.into_iter().filter(|object| is_removable(object) && !all(object)).collect()
    };
    wanted.iter().flat_map(of).collect()
}

/// The ones of `live` that the service's running release brought: the very ones, by uid where the record knows it, and by the label of
/// the service.
pub fn left_over(wanted: &Wanted<'_>, history: &History, live: &[Object]) -> Vec<Object> {
    let Some(running) = history.running() else { return Vec::new() };
    let leftovers: Vec<Object> =
        running.body.leftovers.iter().filter_map(|value| Object::new(value.clone()).ok()).collect();
    let known = [running.answers(), leftovers.clone()].concat();
    let objects = [running.objects(), leftovers].concat();
    let is_ours = |live: &&Object| {
        let Some(brought) = live.among(&objects) else { return false };
        let uid = live.among(&known).map(Object::uid).unwrap_or_default();
        let label = |object: &Object| object.json()["metadata"]["labels"][SERVICE_LABEL].as_str().map(str::to_owned);
        // Objects that were taken over keep their own labels.
        (uid.is_empty() || uid == live.uid())
            && (label(brought).is_none() || label(live).as_deref() == Some(wanted.service))
            && live.text("/metadata/deletionTimestamp").is_empty()
    };
    let left = live.iter().filter(|live| live.among(wanted.objects).is_none());
    left.filter(is_ours).cloned().collect()
}

/// What a deployed release was to remove and is there still: the very objects, by uid. What is going already is no more ours to remove.
///
/// # Errors
/// As kubectl fails.
pub fn unremoved(kubectl: &Kubectl<'_>, release: &Release) -> Result<Vec<Object>, KubectlError> {
    let leftovers: Vec<Object> =
        release.body.leftovers.iter().filter_map(|value| Object::new(value.clone()).ok()).collect();
    if leftovers.is_empty() {
        return Ok(leftovers);
    }
    let mut live = kubectl.live(&leftovers, &false.into())?;
    live.retain(|live| {
        live.text("/metadata/deletionTimestamp").is_empty()
            && live.among(&leftovers).is_some_and(|left| left.uid() == live.uid())
    });
    Ok(live)
}

/// What is never deleted, on no path: claims, volumes, namespaces and definitions.
pub fn is_never_removed(object: &Object) -> bool {
    matches!(
        (object.group(), object.kind()),
        ("", "PersistentVolumeClaim" | "PersistentVolume" | "Namespace")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// Whether an object goes with its release. Claims, volumes, namespaces and definitions are never deleted, on no path. What is immutable
/// and named by its content, and the Jobs that ran, belong to the releases that may be gone back to.
pub fn is_removable(object: &Object) -> bool {
    !is_never_removed(object) && !object.is_immutable() && Kind::of(object) != Some(Kind::Job)
}
