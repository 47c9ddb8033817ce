//! What a release, or somebody who only looks, watches: the streams for it, and the goals that are waited for.

use std::sync::Arc;
use std::time::Duration;

use super::change::Changed;
use super::evidence::{self, Failing};
use super::plan::Plan;
use super::recovery::Patience;
use super::request::Request;
use super::rollout::{Ending, Feed, Goal, Memory, Picture, Watch, is_workload, streams};
use super::step::Step;
use super::trouble::Trouble;
use crate::kubectl::Kubectl;
use crate::signal;
use crate::ui::Ui;
use crate::yaml::Object;

/// The streams by which all that some plans change or keep running is watched.
pub fn feed<'a>(kubectl: &'a Kubectl<'a>, plans: &[&Plan]) -> Arc<Feed<'a>> {
    let steps: Vec<&Step> = plans.iter().flat_map(|plan| plan.watched()).collect();
    let wanted: Vec<&Object> = steps.iter().map(|step| &step.desired).collect();
    let before: Vec<&Object> = steps.iter().filter_map(|step| step.before.as_ref()).collect();
    Arc::new(Feed::new(kubectl, streams(&wanted, &before)))
}

/// A watch of all that a plan changes or keeps running. Its streams start when they are needed: behind the change, for which a dozen
/// kubectls would only be in the way.
pub fn watch<'a>(kubectl: &'a Kubectl<'a>, plan: &Plan, shared: Option<&Arc<Feed<'a>>>) -> Watch<'a> {
    Watch::of(kubectl, shared.map_or_else(|| feed(kubectl, &[plan]), Arc::clone))
}

/// Waits for goals, if there are any.
pub fn await_goals(
    watch: &mut Watch<'_>,
    request: &Request<'_>,
    goals: &[Goal],
    memory: &mut Memory,
    ui: &Ui,
) -> Option<Trouble> {
    if goals.is_empty() {
        return None;
    }
    watch.at_step(goals);
    Trouble::of(watch.until(goals, memory, &request.limits, request.timeout, true, ui))
}

/// What is waited for after a change.
pub fn goals<'a>(plan: &Plan, changed: impl IntoIterator<Item = &'a Changed>) -> Vec<Goal> {
    let rendered: Vec<String> = plan.steps.iter().map(|step| step.desired.name().to_owned()).collect();
    let watched = plan.watched();
    let goal = |change: &Changed| {
        let step = watched.iter().find(|step| step.desired.is(&change.after))?;
        Some(Goal::of(&change.after, rendered.clone())?.asked(&step.desired))
    };
    changed.into_iter().filter_map(goal).collect()
}

/// Watches what runs without changing it: a service that is broken is not "nothing to do, success". Gives what is in trouble as well.
///
/// # Errors
/// If it cannot be watched.
pub fn look<'a>(
    kubectl: &'a Kubectl<'a>,
    plan: &Plan,
    patience: &Patience,
    shared: Option<&Arc<Feed<'a>>>,
    ui: &Ui,
) -> anyhow::Result<(Ending, Vec<Failing>)> {
    // So that the streams are ended when we are.
    signal::listen()?;
    let live: Vec<&Object> = plan.watched().into_iter().filter_map(|step| step.before.as_ref()).collect();
    let goals: Vec<Goal> = live.iter().filter_map(|live| Goal::of(live, Vec::new())).collect();
    if goals.is_empty() {
        return Ok((Ending::Good, Vec::new()));
    }
    let mut watch = watch(kubectl, plan, shared);
    watch.catch_up(&live, Duration::from_secs(2));
    let mut memory = Memory::baseline(watch.picture(), true);
    let ending = watch.until(&goals, &mut memory, &patience.limits, patience.timeout, true, ui);
    let failing = match &ending {
        Ending::Doomed(findings) | Ending::Late(findings) => {
            evidence::tell(kubectl, findings, &watch.progress(findings), ui)
        }
        _ => Vec::new(),
    };
    Ok((ending, failing))
}

/// Watches what runs for as long as `each` wants to see the next picture of it, or until a signal comes.
///
/// # Errors
/// If it cannot be watched.
pub fn follow(
    kubectl: &Kubectl<'_>,
    wanted: &[Object],
    live: &[Object],
    each: impl FnMut(&Picture) -> bool,
) -> anyhow::Result<()> {
    signal::listen()?;
    let live: Vec<&Object> = live.iter().filter(|live| is_workload(live)).collect();
    let feed = Feed::new(kubectl, streams(&wanted.iter().collect::<Vec<_>>(), &live));
    let mut watch = Watch::of(kubectl, Arc::new(feed));
    watch.catch_up(&live, Duration::from_secs(5));
    Ok(watch.follow(each)?)
}
