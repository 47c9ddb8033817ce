//! What a release needs to know, and what of it the record keeps.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::change::Changed;
use super::diff::significant;
use super::gate::Pass;
use super::history::History;
use super::images::keep_images;
use super::plan::Plan;
use super::record::{Body, Release};
use super::rollout::{Feed, Limits, is_workload};
use super::together::Together;
use super::turns::Place;
use crate::yaml::Object;

/// Everything that a release needs to know.
#[derive(Debug)]
pub struct Request<'a> {
    /// The environment's name, for people.
    pub environment: &'a str,
    /// What goes into the record; `before` is filled in from the plan.
    pub body: Body,
    /// What changes.
    pub plan: Plan,
    /// What is applied once that is up: fewer pods, where the plan keeps the old ones' number until the new ones are known to be good.
    pub afterwards: Option<Vec<Object>>,
    /// Whether nothing but images moves: what somebody changed by hand stays as it is, and is still to be told.
    pub images_only: bool,
    /// The releases so far.
    pub history: &'a History,
    /// How long a step may take: the Jobs, and behind them the rollout, each on its own.
    pub timeout: Duration,
    /// How long the way back may take.
    pub rollback_timeout: Duration,
    /// How patient to be with what goes wrong.
    pub limits: Limits,
    /// The releases that this one stands or falls with.
    pub together: Option<&'a Together>,
    /// The streams that the rollouts of several services are watched by; else it has its own.
    pub feed: Option<Arc<Feed<'a>>>,
    /// What is to change, as people were told it.
    pub told: Vec<String>,
    /// Where the evidence is kept as files, if it fails.
    pub evidence: Option<&'a Path>,
    /// Whether it stays as far as it came where it fails, for somebody to look at.
    pub keeps_failures: bool,
    /// The folder below which the JUnit files of its tests are kept.
    pub junit: Option<&'a Path>,
    /// Its place among those that are tested in the same run.
    pub place: Option<&'a Place<'a>>,
    /// That it may make its change now, where others wait to make theirs.
    pub pass: Option<&'a Pass<'a>>,
}

/// Keeps in the record what is live.
pub fn remember(request: &mut Request<'_>) {
    for step in &request.plan.steps {
        let Some(before) = &step.before else { continue };
        if step.is_changed() {
            request.body.before.push(before.json().clone());
            request.body.expected.push(significant(step.expected.json()));
        } else {
            request.body.unchanged.push(before.to_string());
        }
    }
    for last in request.afterwards.iter().flatten() {
        let count = last.number("/spec/replicas").filter(|_| is_workload(last));
        request.body.counts.extend(count.map(|count| (last.to_string(), count)));
    }
    // By which they are found again if this run does not come to it.
    let identity = |object: &Object| {
        let (metadata, uid) = (&object.json()["metadata"], object.uid());
        json!({"apiVersion": object.api_version(), "kind": object.kind(),
            "metadata": {"name": object.name(), "uid": uid, "labels": metadata["labels"]}})
    };
    request.body.leftovers = request.plan.leftovers.iter().map(identity).collect();
}

/// What the record keeps of the API server's answers, to tell later what somebody changed. Of a release of images alone, the former
/// answers with these images.
pub fn answers(request: &Request<'_>, changed: &[Changed]) -> Vec<Object> {
    let after: Vec<Object> = changed.iter().map(|change| change.after.clone()).collect();
    if !request.images_only {
        return after;
    }
    let former = request.history.running().map(Release::answers).unwrap_or_default();
    let new = after.iter().filter(|after| after.among(&former).is_none()).cloned();
    keep_images(&former, &after).into_iter().chain(new).collect()
}
