//! A ship is a transaction (DESIGN section 4): record, change, watch, commit; and if anything fails, evidence and the way back.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::change::{self, Changed};
use super::diff::significant;
use super::ended::Ended;
use super::ending::Run;
use super::gate::Pass;
use super::gone::await_gone;
use super::history::History;
use super::images::keep_images;
use super::marks;
use super::plan::{Plan, Road};
use super::record::{Body, Outcome, Release};
use super::rollout::{Feed, Limits, Memory, Watch, is_on_delete, is_workload};
use super::step::{JobRun, Step};
use super::store::Record;
use super::tested::test;
use super::together::{Together, Word};
use super::trouble::Trouble;
use super::turns::Place;
use super::watching::{await_goals, goals, watch};
use crate::error::{Exit, Failure, count};
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::process::Cmd;
use crate::signal;
use crate::ui::{Tone, Ui};
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

/// Runs a release to its end, good or bad, and tells it.
///
/// # Errors
/// Before the first change only; nothing was changed then.
pub fn run(kubectl: &Kubectl<'_>, mut request: Request<'_>, ui: &Ui) -> anyhow::Result<Ended> {
    let started = Instant::now();
    // From here on an interrupt means the way back, not the end.
    signal::listen()?;
    kubectl.stoppable(false);
    remember(&mut request);
    let mut watch = watch(kubectl, &request.plan, request.feed.as_ref());
    watch.beside(request.together);
    let mut record = begin(kubectl, &request, ui)?;
    if let Some(signal) = signal::received() {
        if let Some(together) = request.together {
            together.fail(&format!("{} was interrupted", request.body.service));
        }
        drop(record.finish(kubectl, Outcome::TakenBack, Some("interrupted before anything was changed"), None));
        ui.say(Tone::Warn, format!("{} came before anything was changed: nothing is left to do", signal::name(signal)));
        let number = Some(record.number);
        return Ok(Ended { number, ..Ended::at(Exit::Interrupted(signal)).because("interrupted") });
    }
    let live: Vec<&Step> = request.plan.watched().into_iter().filter(|step| step.before.is_some()).collect();
    if live.iter().any(|step| !step.replaces_pods()) {
        // Pods that stay have a past, which is not this release's.
        watch
            .catch_up(&live.iter().filter_map(|step| step.before.as_ref()).collect::<Vec<_>>(), Duration::from_secs(2));
    }
    let mut memory = Memory::baseline(watch.picture(), request.plan.road == Road::Nothing);
    let mut changed = Vec::new();
    let mut trouble = change_and_watch(kubectl, &request, record.number, &mut watch, &mut memory, &mut changed, ui);
    if let (None, Some(last)) = (&trouble, &request.afterwards) {
        let last = &marks::with_those_of(&request.plan.steps, last, &request.body, record.number);
        trouble = match kubectl.apply(last) {
            Err(error) => {
                // It may have been taken all the same.
                change::expect_count(&mut changed, last);
                Some(Trouble::Change(error))
            }
            Ok(answers) => {
                change::update(&mut changed, &answers);
                let goals = goals(&request.plan, changed.iter().filter(|change| change.after.among(last).is_some()));
                await_goals(&mut watch, &request, &goals, &mut memory, ui)
            }
        };
    }
    if let (Some(Trouble::Change(error)), Some(signal)) = (&trouble, signal::received())
        && error.reason == Reason::Unreachable
    {
        // It was not tried again, since the signal came.
        trouble = Some(Trouble::Interrupted(signal));
    }
    let mut going = None;
    if trouble.is_none() {
        let goals = goals(&request.plan, &changed);
        (trouble, going) = test(kubectl, &request, &mut record, (&mut watch, &goals), ui);
    }
    if let Some(together) = request.together {
        // The others are tested before all go.
        request.place.into_iter().for_each(Place::done);
        trouble = agree(kubectl, &request, together, trouble, ui);
    }
    let run = Run { kubectl, request: &request, record: &record, changed: &changed, started, ui };
    let ended = match &trouble {
        None => run.commit(),
        Some(trouble) => run.take_back(trouble, &mut watch),
    };
    // The way back had no time for it; the lock is kept for it, since its pods may be at work until then.
    if let Some(going) = going {
        going.wait(kubectl, ui);
    }
    Ok(ended)
}

/// Tells the others how it went, and where it went well, waits for their word.
fn agree(
    kubectl: &Kubectl<'_>,
    request: &Request<'_>,
    together: &Together,
    trouble: Option<Trouble>,
    ui: &Ui,
) -> Option<Trouble> {
    if let Some(trouble) = trouble {
        together.fail(&format!("{} failed", request.body.service));
        return Some(trouble);
    }
    kubectl.at_step("waits for the others");
    let started = Instant::now();
    let word = together.agree(|missing| {
        ui.wait(started, &format!("up; waiting for {}", count(missing, "more service")));
    });
    ui.rest();
    match word {
        Word::Go => None,
        Word::Back(why) => Some(Trouble::Abandoned(why)),
        Word::Interrupted(signal) => Some(Trouble::Interrupted(signal)),
    }
}

/// Keeps in the record what is live.
fn remember(request: &mut Request<'_>) {
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

/// Goes the way of [`run`] with a kubectl that only notes what it would change, and gives these commands in their order.
///
/// # Errors
/// As kubectl fails before the first change.
pub fn rehearse(kubectl: &Kubectl<'_>, mut request: Request<'_>) -> anyhow::Result<Vec<Cmd>> {
    remember(&mut request);
    let cannot = |error: KubectlError| error.refused("cannot rehearse it");
    let record = Record::begin(kubectl, request.history, &request.body).map_err(cannot)?;
    let mut changed = Vec::new();
    for stage in request.plan.stages() {
        for step in &stage {
            if let Some(JobRun::Again(failed)) = &step.job {
                kubectl.delete(failed).map_err(cannot)?;
            }
        }
        let (made, result) = change::make(kubectl, &request.plan, &stage, (&request.body, record.number));
        result.map_err(cannot)?;
        let unmarked = marks::unmarked(&stage, &made, &request.plan.road, &request.body, record.number);
        marks::mark(kubectl, &unmarked, &request.body, record.number).map_err(cannot)?;
        changed.extend(made);
    }
    if let Some(last) = &request.afterwards {
        kubectl
            .apply(&marks::with_those_of(&request.plan.steps, last, &request.body, record.number))
            .map_err(cannot)?;
    }
    let answer = answers(&request, &changed);
    record.finish(kubectl, Outcome::Deployed, None, Some(&answer)).map_err(cannot)?;
    for object in &request.plan.leftovers {
        kubectl.delete(object).map_err(cannot)?;
    }
    Ok(kubectl.rehearsed())
}

/// Makes the change stage by stage: what Jobs need, the Jobs to their end, the rest until it is up.
fn change_and_watch(
    kubectl: &Kubectl<'_>,
    request: &Request<'_>,
    number: u32,
    watch: &mut Watch<'_>,
    memory: &mut Memory,
    changed: &mut Vec<Changed>,
    ui: &Ui,
) -> Option<Trouble> {
    let mut watched = false;
    for stage in request.plan.stages() {
        if let Some(signal) = signal::received() {
            return Some(Trouble::Interrupted(signal));
        }
        if let Some(why) = request.together.and_then(Together::failed) {
            return Some(Trouble::Abandoned(why));
        }
        kubectl.at_step("applies");
        if stage.iter().any(|step| matches!(step.job, Some(JobRun::Again(_)))) {
            // Its pods may take a minute to go.
            request.pass.into_iter().for_each(Pass::leave);
        }
        if let Some(trouble) = clear_failed(kubectl, &stage, request.timeout, watch, ui) {
            return Some(trouble);
        }
        let (made, result) = change::make(kubectl, &request.plan, &stage, (&request.body, number));
        request.pass.into_iter().for_each(Pass::leave);
        let goals = goals(&request.plan, &made);
        let unmarked = marks::unmarked(&stage, &made, &request.plan.road, &request.body, number);
        changed.extend(made);
        if let Err(error) = result {
            return Some(Trouble::Change(error));
        }
        for step in stage.iter().filter(|step| is_on_delete(&step.desired)) {
            ui.say(
                Tone::Plain,
                format!(
                    "  {} is applied, and takes it on where its pods are deleted (OnDelete): not watched",
                    step.desired
                ),
            );
        }
        watched |= !goals.is_empty();
        // Side by side with the watch: nothing waits for it.
        let trouble = std::thread::scope(|scope| {
            scope.spawn(|| {
                if let Err(error) = marks::mark(kubectl, &unmarked, &request.body, number) {
                    ui.say(Tone::Dim, format!("  what changed does not say which release it is of: {}", error.said));
                }
            });
            await_goals(watch, request, &goals, memory, ui)
        });
        if trouble.is_some() {
            return trouble;
        }
    }
    if !watched && !request.plan.steps.is_empty() && request.plan.workloads().next().is_none() {
        ui.say(Tone::Plain, "  applied; nothing of it has a rollout to watch");
    }
    None
}

/// Deletes the Jobs that gave up some time ago and are to run again.
fn clear_failed(
    kubectl: &Kubectl<'_>,
    stage: &[&Step],
    patience: Duration,
    watch: &mut Watch<'_>,
    ui: &Ui,
) -> Option<Trouble> {
    let mut going = Vec::new();
    for step in stage {
        let Some(JobRun::Again(failed)) = &step.job else { continue };
        match kubectl.delete(failed) {
            Err(error) if error.reason != Reason::NotFound => return Some(Trouble::Change(error)),
            _ => going.push((**failed).clone()),
        }
    }
    for failed in &going {
        // Its streams may still speak of it when the next one is there.
        watch.bury(failed);
    }
    // Its pods must be gone as well: a migration that still runs is no company for the next one.
    let interrupted = || signal::received().is_some();
    match going.is_empty() || await_gone(kubectl, going, patience, interrupted, ui).is_ok() {
        true => None,
        false => Some(match signal::received() {
            Some(signal) => Trouble::Interrupted(signal),
            None => Trouble::Blind("a Job that failed before is being deleted and not gone yet".into()),
        }),
    }
}

fn begin(kubectl: &Kubectl<'_>, request: &Request<'_>, ui: &Ui) -> anyhow::Result<Record> {
    let record = Record::begin(kubectl, request.history, &request.body).map_err(|error| match error.reason {
        Reason::AlreadyExists => {
            Failure::refused(format!("somebody else is shipping `{}` in this moment", request.body.service))
                .exit(Exit::Locked)
                .hint("try again when that is done")
        }
        Reason::Lockless => Failure::refused(format!("nothing was changed: {}", error.said))
            .exit(Exit::Locked)
            .hint("look at who has the lock: `shipcat lock show`"),
        _ => error.refused("cannot write the release record"),
    })?;
    ui.say(Tone::Dim, format!("release {} begun by {}", record.number, request.body.who));
    Ok(record)
}
