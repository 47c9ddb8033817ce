//! A ship is a transaction (DESIGN section 4): record, change, watch, commit; and if anything fails, evidence and the way back.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::change::{self, Changed};
use super::diff::differences;
use super::evidence;
use super::plan::{Plan, Road};
use super::putback::{self, PutBack};
use super::record::{Body, History, Outcome, Record};
use super::rollout::{Ending, Finding, Goal, Limits, Memory, Watch};
use crate::error::{Exit, Failure};
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::signal;
use crate::ui::{Tone, Ui, seconds};
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
    /// The releases so far.
    pub history: &'a History,
    /// How long the rollout may take.
    pub timeout: Duration,
    /// How long the way back may take.
    pub rollback_timeout: Duration,
    /// How patient to be with what goes wrong.
    pub limits: Limits,
}

/// Why a release failed.
enum Trouble {
    Rollout(Vec<Finding>),
    Late(Vec<Finding>),
    Superseded(String),
    Interrupted(u8),
    Change(KubectlError),
    Blind(String),
}

/// Runs a release to its end, good or bad, and tells it. Returns the state in which the cluster is.
///
/// # Errors
/// Before the first change only; nothing was changed then.
pub fn run(kubectl: &Kubectl<'_>, mut request: Request<'_>, ui: &Ui) -> anyhow::Result<Exit> {
    let started = Instant::now();
    // From here on an interrupt means the way back, not the end.
    signal::listen()?;
    let deployment = deployment(&request.plan)?;
    let selector = selector(&deployment);
    for step in &request.plan.steps {
        let Some(before) = &step.before else { continue };
        if step.takeover.is_none() && differences(before.json(), step.expected.json()).is_empty() {
            request.body.unchanged.push(before.to_string());
        } else {
            request.body.before.push(before.json().clone());
        }
    }
    // The streams warm up while the record is written.
    let mut watch = Watch::start(kubectl, deployment.name(), &selector)?;
    let record = begin(kubectl, &request, ui)?;
    if let Some(signal) = signal::received() {
        drop(record.finish(kubectl, Outcome::TakenBack, Some("interrupted before anything was changed")));
        ui.say(Tone::Warn, format!("{} came before anything was changed: nothing is left to do", signal::name(signal)));
        return Ok(Exit::Interrupted(signal));
    }
    if !request.plan.restarts_pods() {
        // Pods that stay have a past, which is not this release's.
        watch.catch_up(Duration::from_secs(2));
    }
    let mut memory = Memory::baseline(watch.picture(), request.plan.road == Road::Nothing);
    let (mut changed, made) = change::make(kubectl, &request.plan);
    let mut trouble = match made {
        Err(error) => Some(Trouble::Change(error)),
        Ok(()) => await_rollout(&mut watch, &request, &changed, &mut memory, ui),
    };
    if let (None, Some(last)) = (&trouble, &request.afterwards) {
        trouble = match kubectl.apply(last) {
            Err(error) => {
                // It may have been taken all the same.
                change::expect_count(&mut changed, last);
                Some(Trouble::Change(error))
            }
            Ok(answers) => {
                change::update(&mut changed, &answers);
                await_rollout(&mut watch, &request, &changed, &mut memory, ui)
            }
        };
    }
    let run = Run { kubectl, request: &request, record: &record, changed: &changed, started, ui };
    Ok(match trouble {
        None => run.commit(),
        Some(trouble) => run.take_back(&trouble, &mut watch),
    })
}

fn await_rollout(
    watch: &mut Watch<'_>,
    request: &Request<'_>,
    changed: &[Changed],
    memory: &mut Memory,
    ui: &Ui,
) -> Option<Trouble> {
    let goal = goal(&request.plan, changed)?;
    match watch.until(&goal, memory, &request.limits, request.timeout, true, ui) {
        Ending::Good => None,
        Ending::Doomed(findings) => Some(Trouble::Rollout(findings)),
        Ending::Late(findings) => Some(Trouble::Late(findings)),
        Ending::Superseded(why) => Some(Trouble::Superseded(why)),
        Ending::Interrupted(signal) => Some(Trouble::Interrupted(signal)),
        Ending::Blind(why) => Some(Trouble::Blind(why)),
    }
}

/// Watches what runs without changing it: a service that is broken is not "nothing to do, success".
///
/// # Errors
/// If it cannot be watched.
pub fn look(
    kubectl: &Kubectl<'_>,
    deployment: &Object,
    timeout: Duration,
    limits: &Limits,
    ui: &Ui,
) -> anyhow::Result<Ending> {
    // So that the streams are ended when we are.
    signal::listen()?;
    let mut watch = Watch::start(kubectl, deployment.name(), &selector(deployment))?;
    watch.catch_up(Duration::from_secs(2));
    let mut memory = Memory::baseline(watch.picture(), true);
    let goal = goal_of(deployment, Vec::new());
    let ending = watch.until(&goal, &mut memory, limits, timeout, true, ui);
    if let Ending::Doomed(findings) | Ending::Late(findings) = &ending {
        evidence::tell(kubectl, findings, ui);
    }
    Ok(ending)
}

fn deployment(plan: &Plan) -> anyhow::Result<Object> {
    let step = plan
        .deployment()
        .ok_or_else(|| Failure::refused("there is no Deployment among the objects, so there is nothing to watch"))?;
    Ok(step.desired.clone())
}

/// A Deployment's selector as kubectl takes it. The built-in templates make plain labels only.
fn selector(deployment: &Object) -> String {
    let labels = deployment.json().pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let pairs: Vec<String> =
        labels.into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    pairs.join(",")
}

fn goal(plan: &Plan, changed: &[Changed]) -> Option<Goal> {
    let after = &changed.iter().find(|change| change.after.kind() == "Deployment")?.after;
    let rendered = plan.steps.iter().map(|step| step.desired.name().to_owned()).collect();
    Some(goal_of(after, rendered))
}

fn goal_of(deployment: &Object, rendered: Vec<String>) -> Goal {
    Goal {
        uid: deployment.uid().to_owned(),
        generation: deployment.number("/metadata/generation").unwrap_or_default(),
        template: deployment.json().pointer("/spec/template").cloned().unwrap_or_default(),
        words: ("new", "old"),
        rendered,
    }
}

fn begin(kubectl: &Kubectl<'_>, request: &Request<'_>, ui: &Ui) -> anyhow::Result<Record> {
    if let Some(newest) = request.history.newest().filter(|release| release.outcome == Outcome::Pending) {
        ui.say(
            Tone::Warn,
            format!(
                "warning: release {} by {} never said how it ended: its run was killed, or is still at it",
                newest.number, newest.body.who
            ),
        );
    }
    let record = Record::begin(kubectl, request.history, &request.body).map_err(|error| match error.reason {
        Reason::AlreadyExists => {
            Failure::refused(format!("somebody else is shipping `{}` in this moment", request.body.service))
                .exit(Exit::Locked)
                .hint("try again when that is done")
        }
        _ => error.refused("cannot write the release record"),
    })?;
    ui.say(Tone::Dim, format!("release {} begun by {}", record.number, request.body.who));
    Ok(record)
}

struct Run<'a> {
    kubectl: &'a Kubectl<'a>,
    request: &'a Request<'a>,
    record: &'a Record,
    changed: &'a [Changed],
    started: Instant,
    ui: &'a Ui,
}

impl Run<'_> {
    fn what(&self) -> String {
        format!("{} {}", self.request.body.service, self.request.body.version)
    }

    /// Says "deployed": the point of no return.
    fn commit(&self) -> Exit {
        let (ui, number) = (self.ui, self.record.number);
        let line = format!(
            "{} runs in {} after {} (release {number})",
            self.what(),
            self.request.environment,
            seconds(self.started.elapsed())
        );
        match self.finish(Outcome::Deployed, None) {
            Ok(()) => {
                ui.say(Tone::Good, line);
                Exit::Done
            }
            Err(error) => {
                ui.say(Tone::Warn, line);
                ui.say(
                    Tone::Bad,
                    format!(
                        "error: its record still says pending, which a later rollback will not know: {}",
                        error.said
                    ),
                );
                ui.say(Tone::Plain, "hint: when the cluster answers again, ship the same once more");
                Exit::Person
            }
        }
    }

    /// The record's last word matters: it is tried a few times.
    fn finish(&self, outcome: Outcome, message: Option<&str>) -> Result<(), KubectlError> {
        let mut result = self.record.finish(self.kubectl, outcome, message);
        for _ in 0..3 {
            match &result {
                Err(error) if error.reason == Reason::Unreachable => {
                    std::thread::sleep(Duration::from_secs(2));
                    result = self.record.finish(self.kubectl, outcome, message);
                }
                _ => break,
            }
        }
        result
    }

    fn take_back(&self, trouble: &Trouble, watch: &mut Watch<'_>) -> Exit {
        let ui = self.ui;
        let summary = self.tell(trouble);
        let interrupted = match trouble {
            Trouble::Interrupted(signal) => Some(*signal),
            _ => None,
        };
        // After an interrupt there may be little time: writes first. Else the evidence, while it is there.
        if let Trouble::Rollout(findings) | Trouble::Late(findings) = trouble {
            evidence::tell(self.kubectl, findings, ui);
        }
        ui.say(Tone::Plain, "taking it back");
        let mut back = putback::put_back(self.kubectl, self.changed, self.request.rollback_timeout, ui);
        putback::await_gone(self.kubectl, &mut back, self.request.rollback_timeout, ui);
        let restored = self.watch_restored(&back, watch);
        let complete = back.is_complete() && restored.is_ok();
        let outcome = if complete { Outcome::TakenBack } else { Outcome::Broken };
        if let Err(error) = self.finish(outcome, Some(&summary)) {
            ui.say(
                Tone::Warn,
                format!("warning: the record of release {} could not be finished: {}", self.record.number, error.said),
            );
        }
        self.conclude(&back, &restored, interrupted)
    }

    /// What failed, in a line; told, and kept in the record.
    fn tell(&self, trouble: &Trouble) -> String {
        let took = seconds(self.started.elapsed());
        let why = match trouble {
            Trouble::Rollout(findings) => {
                findings.first().map_or("it failed".into(), |finding| finding.message.clone())
            }
            Trouble::Late(findings) => {
                let why =
                    findings.first().map_or("its pods are not all ready".into(), |finding| finding.message.clone());
                format!("not up within {}: {why}", seconds(self.request.timeout))
            }
            Trouble::Superseded(why) => why.clone(),
            Trouble::Interrupted(signal) => format!("interrupted by {}", signal::name(*signal)),
            Trouble::Change(error) => format!("the change was not taken: {}", error.said),
            Trouble::Blind(why) => format!("the rollout cannot be watched: {why}"),
        };
        let headline = match trouble {
            // The evidence says it again, with its log.
            Trouble::Rollout(_) => format!("{} failed after {took}", self.what()),
            Trouble::Late(_) => format!("{} was not up within {}", self.what(), seconds(self.request.timeout)),
            _ => format!("{} failed after {took}: {why}", self.what()),
        };
        self.ui.say(Tone::Bad, headline);
        why
    }

    /// Watches the restored Deployment come up again.
    fn watch_restored(&self, back: &PutBack, watch: &mut Watch<'_>) -> Result<(), String> {
        let Some(deployment) = &back.deployment else { return Ok(()) };
        if !back.foreign.is_empty() {
            // What runs now is not ours to judge.
            return Ok(());
        }
        let goal = Goal { words: ("former", "failed"), ..goal_of(deployment, Vec::new()) };
        let mut memory = Memory::baseline(watch.picture(), false);
        let healthy_before =
            self.request.plan.deployment().and_then(|step| step.before.as_ref()).is_some_and(is_healthy);
        match watch.until(&goal, &mut memory, &self.request.limits, self.request.rollback_timeout, false, self.ui) {
            Ending::Good => Ok(()),
            Ending::Doomed(_) | Ending::Late(_) if !healthy_before => {
                self.ui.say(Tone::Warn, "what runs again was not healthy before this release, and is not now");
                Ok(())
            }
            Ending::Doomed(findings) | Ending::Late(findings) => {
                Err(findings.first().map_or("its pods are not all ready".into(), |finding| finding.message.clone()))
            }
            Ending::Superseded(why) | Ending::Blind(why) => Err(why),
            Ending::Interrupted(signal) => {
                Err(format!("{} came again before its pods were seen to be ready", signal::name(signal)))
            }
        }
    }

    fn conclude(&self, back: &PutBack, restored: &Result<(), String>, interrupted: Option<u8>) -> Exit {
        let (ui, number) = (self.ui, self.record.number);
        let Request { environment, body, plan, .. } = self.request;
        let (service, namespace, context) = (&body.service, self.kubectl.namespace(), self.kubectl.context());
        if back.is_complete() && restored.is_ok() {
            let before = plan.deployment().and_then(|step| step.before.as_ref());
            let state = match before.and_then(|before| super::version_of(before, service)) {
                Some(version) => format!("{service} {version} runs in {environment} as before"),
                None if before.is_some() => format!("{service} runs in {environment} as before"),
                None => format!("{service} is not in {environment}, as before"),
            };
            ui.say(Tone::Warn, format!("{state} (release {number} was taken back)"));
            return interrupted.map_or(Exit::AsBefore, Exit::Interrupted);
        }
        ui.say(Tone::Bad, format!("error: {service} in {environment} is not as before, a person is needed"));
        for line in back.foreign.iter().chain(&back.failed) {
            ui.say(Tone::Plain, format!("  {line}"));
        }
        if let Err(why) = restored {
            ui.say(Tone::Plain, format!("  the former version was put back and does not come up: {why}"));
        }
        let pods = plan.deployment().map(|step| selector(&step.desired)).unwrap_or_default();
        ui.say(
            Tone::Plain,
            format!(
                "hint: look at it: kubectl --context {context} -n {namespace} get deployment,replicaset,pod -l {pods}"
            ),
        );
        if body.before.is_empty() {
            ui.say(Tone::Plain, "hint: nothing of it was live before; when it is clear what should run, ship it");
        } else {
            ui.say(
                Tone::Plain,
                format!("hint: what was live before is kept in the Secret `shipcat.{service}.{number}`; when it is clear what should run, ship it"),
            );
        }
        Exit::Person
    }
}

/// Whether a Deployment had all the pods that it wanted.
fn is_healthy(deployment: &Object) -> bool {
    let wanted = deployment.number("/spec/replicas").unwrap_or(1);
    deployment.number("/status/availableReplicas").unwrap_or_default() >= wanted
}
