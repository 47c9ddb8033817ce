//! How a release ends that failed: the evidence and the way back; and what both ends need.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::change::Changed;
use super::evidence::{self, Failing};
use super::gone;
use super::putback::{self, PutBack};
use super::record::Outcome;
use super::retention;
use super::rollout::{Ending, Finding, Goal, Memory, Picture, Watch, pod_selectors};
use super::step::Step;
use super::store::Record;
use super::transaction::Request;
use super::version::{main_object, version_of};
use crate::bdd::Summary;
use crate::error::Exit;
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::process::quote;
use crate::signal;
use crate::ui::{Tone, Ui, seconds};
use crate::yaml::Object;

/// Why a release failed.
#[derive(Debug)]
pub enum Trouble {
    /// It will not come up.
    Rollout(Vec<Finding>),
    /// It is not up in time.
    Late(Vec<Finding>),
    /// Somebody else was at work.
    Superseded(String),
    /// The lock is lost.
    Lockless(String),
    /// The run that made it died.
    Died,
    /// A signal came.
    Interrupted(u8),
    /// Another release failed that it stands or falls with.
    Abandoned(String),
    /// The API server did not take it.
    Change(KubectlError),
    /// Nothing can be seen.
    Blind(String),
    /// The tests failed; with what was in trouble then.
    Tests(Summary, Vec<Finding>),
    /// The tests could not be run.
    Untested(String),
    /// Somebody else changed it while it was tested.
    Void(String),
}

impl Trouble {
    /// The word for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Rollout(findings) => findings.first().map_or("rollout", |finding| finding.reason),
            Self::Late(_) => "timeout",
            Self::Superseded(_) => "superseded",
            Self::Lockless(_) => "lock",
            Self::Died => "died",
            Self::Interrupted(_) => "interrupted",
            Self::Abandoned(_) => "together",
            Self::Change(_) => "apply",
            Self::Blind(_) => "unreachable",
            Self::Tests(..) => "tests",
            Self::Untested(_) => "untested",
            Self::Void(_) => "void",
        }
    }

    /// What the end of a watch means for a release; nothing, if it is a good one.
    pub fn of(ending: Ending) -> Option<Self> {
        Some(match ending {
            Ending::Good => return None,
            Ending::Doomed(findings) => Self::Rollout(findings),
            Ending::Late(findings) => Self::Late(findings),
            Ending::Superseded(why) => Self::Superseded(why),
            Ending::Lockless(why) => Self::Lockless(why),
            Ending::Interrupted(signal) => Self::Interrupted(signal),
            Ending::Abandoned(why) => Self::Abandoned(why),
            Ending::Blind(why) => Self::Blind(why),
        })
    }
}

/// How a release ended, for those who tell others.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The state in which the cluster is.
    pub exit: Exit,
    /// The word for machines, where it did not go well: one of a [`Finding`]'s, or of [`Trouble::reason`]'s.
    pub reason: Option<&'static str>,
    /// Why it failed, in a line.
    pub why: Option<String>,
    /// What its tests said, if they were run.
    pub tests: Option<Summary>,
    /// The number of its record, if it got that far.
    pub number: Option<u32>,
    /// What was in trouble.
    pub failing: Vec<Failing>,
    /// What became of the way back, where one was gone.
    pub back: Option<Back>,
    /// The folder in which the evidence is kept.
    pub evidence: Option<PathBuf>,
}

impl Ended {
    /// Nothing more is known of it.
    pub fn at(exit: Exit) -> Self {
        Self {
            exit,
            reason: None,
            why: None,
            tests: None,
            number: None,
            failing: Vec::new(),
            back: None,
            evidence: None,
        }
    }

    /// The same for a reason.
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }
}

/// What became of the way back.
#[derive(Debug, Clone, Default)]
pub struct Back {
    /// Whether all is as it was, and came up again.
    pub complete: bool,
    /// The fields that were put back, object by object.
    pub fields: Vec<(String, Vec<String>)>,
    /// What was made and is removed.
    pub removed: Vec<String>,
    /// What was made and stays, and why.
    pub kept: Vec<String>,
    /// What is not as it was, and why.
    pub left: Vec<String>,
}

/// A release whose change was made, or tried.
#[derive(Debug)]
pub struct Run<'a> {
    pub kubectl: &'a Kubectl<'a>,
    pub request: &'a Request<'a>,
    pub record: &'a Record,
    pub changed: &'a [Changed],
    pub started: Instant,
    pub ui: &'a Ui,
}

impl Run<'_> {
    /// Service and version, for people.
    pub fn what(&self) -> String {
        format!("{} {}", self.request.body.service, self.request.body.version)
    }

    /// The record's last word matters: it is tried a few times.
    pub fn finish(
        &self,
        outcome: Outcome,
        message: Option<&str>,
        answer: Option<&[Object]>,
    ) -> Result<(), KubectlError> {
        let started = Instant::now();
        let mut result = self.record.finish(self.kubectl, outcome, message, answer);
        for _ in 0..3 {
            match &result {
                Err(error) if error.reason == Reason::Unreachable => {
                    self.ui.wait(started, "the API server does not answer: the record is to be finished, trying again");
                    std::thread::sleep(Duration::from_secs(2));
                    result = self.record.finish(self.kubectl, outcome, message, answer);
                }
                _ => break,
            }
        }
        self.ui.rest();
        result
    }

    /// Goes the way back, and gives how it ended.
    pub fn take_back(&self, trouble: &Trouble, watch: &mut Watch<'_>) -> Ended {
        let mut ended = Ended {
            why: Some(self.why(trouble)),
            tests: self.record.tests.clone(),
            number: Some(self.record.number),
            ..Ended::at(Exit::Person).because(trouble.reason())
        };
        ended.exit = self.go_back(trouble, watch, &mut ended);
        ended
    }

    fn go_back(&self, trouble: &Trouble, watch: &mut Watch<'_>, ended: &mut Ended) -> Exit {
        let ui = self.ui;
        let locked = self.kubectl.locked();
        let summary = self.tell(trouble);
        if let Err(why) = locked {
            return self.leave_it(&why);
        }
        if let Trouble::Void(_) = trouble {
            return self.leave_to_others(&summary);
        }
        self.kubectl.at_step("takes it back");
        let interrupted = match trouble {
            Trouble::Interrupted(signal) => Some(*signal),
            _ => None,
        };
        // After an interrupt there may be little time: writes first. Else the evidence, while it is there.
        if let Trouble::Rollout(findings) | Trouble::Late(findings) | Trouble::Tests(_, findings) = trouble {
            ended.failing = evidence::tell(self.kubectl, findings, &watch.progress(findings), ui);
        }
        if interrupted.is_none() {
            ended.evidence = self.keep_evidence(trouble, &summary, watch.picture());
        }
        if self.request.keeps_failures && interrupted.is_none() {
            return self.keep(&summary);
        }
        ui.say(Tone::Plain, "taking it back");
        let mut back = putback::put_back(self.kubectl, self.changed, self.request.rollback_timeout, ui);
        if interrupted.is_some() {
            ended.evidence = self.keep_evidence(trouble, &summary, watch.picture());
        }
        gone::await_removed(self.kubectl, &mut back, self.request.rollback_timeout, ui);
        let restored = self.watch_restored(&back, watch);
        let complete = back.is_complete() && restored.is_ok();
        let left = back.foreign.iter().chain(&back.failed).chain(restored.as_ref().err());
        ended.back = Some(Back {
            complete,
            fields: back.fields.clone(),
            removed: back.removed.clone(),
            kept: back.kept.clone(),
            left: left.cloned().collect(),
        });
        let outcome = if complete { Outcome::TakenBack } else { Outcome::Broken };
        if let Err(error) = self.finish(outcome, Some(&summary), None) {
            ui.say(
                Tone::Warn,
                format!("warning: the record of release {} could not be finished: {}", self.record.number, error.said),
            );
        }
        let exit = self.conclude(&back, &restored, interrupted);
        if interrupted.is_none() {
            retention::forget(self.kubectl, self.request, self.record.number, false, ui);
        }
        exit
    }

    /// Keeps the evidence as files, where that was asked for.
    fn keep_evidence(&self, trouble: &Trouble, summary: &str, picture: &Picture) -> Option<PathBuf> {
        let dir = self.request.evidence?;
        let findings: &[Finding] = match trouble {
            Trouble::Rollout(findings) | Trouble::Late(findings) | Trouble::Tests(_, findings) => findings,
            _ => &[],
        };
        let case = evidence::Case { request: self.request, number: self.record.number, summary, findings, picture };
        evidence::keep(self.kubectl, case, dir, self.ui)
    }

    /// Somebody wants to look at it: it stays as far as it came, and what it would remove stays as well.
    fn keep(&self, summary: &str) -> Exit {
        let (ui, Request { environment, body, .. }) = (self.ui, self.request);
        let (service, number) = (&body.service, self.record.number);
        if let Err(error) = self.finish(Outcome::Broken, Some(&format!("kept as it is: {summary}")), None) {
            ui.say(
                Tone::Warn,
                format!("warning: the record of release {number} could not be finished: {}", error.said),
            );
        }
        ui.say(Tone::Bad, format!("error: {service} in {environment} is kept as it is, a person is needed"));
        ui.say(
            Tone::Plain,
            format!(
                "hint: `shipcat rollback -n {environment} {service}` takes it back to what ran before, or ship it once more"
            ),
        );
        Exit::Person
    }

    /// Somebody else has changed what was tested: what that is to become is theirs to say, and nothing is rolled back.
    fn leave_to_others(&self, summary: &str) -> Exit {
        let (ui, Request { environment, body, .. }) = (self.ui, self.request);
        let (service, number) = (&body.service, self.record.number);
        if let Err(error) = self.finish(Outcome::Broken, Some(summary), None) {
            ui.say(
                Tone::Warn,
                format!("warning: the record of release {number} could not be finished: {}", error.said),
            );
        }
        ui.say(Tone::Bad, format!("error: nothing of {service} in {environment} is rolled back, a person is needed"));
        ui.say(
            Tone::Plain,
            format!("hint: see what it is by now with `shipcat diff -n {environment} {service}`, then ship it once more, or `shipcat rollback -n {environment} {service}`"),
        );
        Exit::Person
    }

    /// Without the lock nothing is changed any more: somebody else may be at it by now.
    pub fn leave_it(&self, why: &str) -> Exit {
        let (ui, Request { environment, body, .. }) = (self.ui, self.request);
        let (service, number) = (&body.service, self.record.number);
        ui.say(
            Tone::Bad,
            format!("error: {why}: nothing is changed any more, and release {number} stays as far as it came"),
        );
        ui.say(
            Tone::Plain,
            format!("hint: `shipcat status -n {environment} {service}` tells how far that is; the next release of it puts it right"),
        );
        Exit::Person
    }

    /// What failed, in a line; told, and kept in the record.
    fn tell(&self, trouble: &Trouble) -> String {
        let took = seconds(self.started.elapsed());
        let why = self.why(trouble);
        let headline = match trouble {
            // The evidence says it again, with its log.
            Trouble::Rollout(_) => format!("{} failed after {took}", self.what()),
            Trouble::Late(_) => format!("{} was not up within {}", self.what(), seconds(self.request.timeout)),
            Trouble::Died => format!("release {} of {} is not completed", self.record.number, self.what()),
            Trouble::Abandoned(_) => format!("{} goes back after {took}: {why}", self.what()),
            // Which cases, was told.
            Trouble::Tests(..) => format!("{} failed after {took}: its tests did not pass", self.what()),
            Trouble::Void(_) => format!("{} is not known to be good after {took}: {why}", self.what()),
            _ => format!("{} failed after {took}: {why}", self.what()),
        };
        self.ui.say(Tone::Bad, headline);
        why
    }

    /// What failed, in a line.
    pub fn why(&self, trouble: &Trouble) -> String {
        match trouble {
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
            Trouble::Lockless(why) | Trouble::Abandoned(why) => why.clone(),
            Trouble::Died => "its run died".to_owned(),
            Trouble::Tests(summary, _) => match summary.failing.first() {
                Some(case) => format!("tests: {}, the first is {}", summary.why.join("; "), case.name),
                None => format!("tests: {}", summary.why.join("; ")),
            },
            Trouble::Untested(why) => format!("the tests could not be run: {why}"),
            Trouble::Void(why) => format!("the verdict of the tests is void: {why}"),
        }
    }

    /// Watches the restored workloads come up again; those that were well before must.
    fn watch_restored(&self, back: &PutBack, watch: &mut Watch<'_>) -> Result<(), String> {
        if !back.foreign.is_empty() {
            // What runs now is not ours to judge.
            return Ok(());
        }
        let was_healthy = |object: &&Object| {
            let before = self.changed.iter().find(|change| change.after.is(object));
            before.and_then(|change| change.before.as_ref()).is_some_and(is_healthy)
        };
        let (healthy, ill): (Vec<&Object>, Vec<&Object>) = back.restored.iter().partition(was_healthy);
        match self.restored(&healthy, watch) {
            Some(Ending::Doomed(findings) | Ending::Late(findings)) => {
                return Err(findings
                    .first()
                    .map_or("its pods are not all ready".into(), |finding| finding.message.clone()));
            }
            Some(Ending::Superseded(why) | Ending::Blind(why) | Ending::Lockless(why) | Ending::Abandoned(why)) => {
                return Err(why);
            }
            Some(Ending::Interrupted(signal)) => {
                return Err(format!("{} came again before its pods were seen to be ready", signal::name(signal)));
            }
            Some(Ending::Good) | None => {}
        }
        match self.restored(&ill, watch) {
            Some(Ending::Doomed(_) | Ending::Late(_)) => {
                self.ui.say(Tone::Warn, "what runs again was not healthy before this release, and is not now");
                Ok(())
            }
            Some(Ending::Superseded(why) | Ending::Blind(why) | Ending::Lockless(why) | Ending::Abandoned(why)) => {
                Err(why)
            }
            Some(Ending::Interrupted(signal)) => {
                Err(format!("{} came again before its pods were seen to be ready", signal::name(signal)))
            }
            Some(Ending::Good) | None => Ok(()),
        }
    }

    fn restored(&self, objects: &[&Object], watch: &mut Watch<'_>) -> Option<Ending> {
        let goals: Vec<Goal> =
            objects.iter().filter_map(|object| Goal::of(object, Vec::new())).map(Goal::former).collect();
        if goals.is_empty() {
            return None;
        }
        let mut memory = Memory::baseline(watch.picture(), false);
        let patience = self.request.rollback_timeout;
        Some(watch.until(&goals, &mut memory, &self.request.limits, patience, false, self.ui))
    }

    /// The object that stands for the service, in one of its states.
    pub fn main(&self, state: impl Fn(&Step) -> Option<&Object>) -> Option<&Object> {
        main_object(self.request.plan.steps.iter().filter_map(state), &self.request.body.service)
    }

    fn conclude(&self, back: &PutBack, restored: &Result<(), String>, interrupted: Option<u8>) -> Exit {
        let (ui, number) = (self.ui, self.record.number);
        let Request { environment, body, plan, .. } = self.request;
        let (service, namespace, context) = (&body.service, self.kubectl.namespace(), self.kubectl.context());
        if back.is_complete() && restored.is_ok() {
            let before = self.main(|step| step.before.as_ref());
            let state = match before.and_then(|before| version_of(before, service)) {
                Some(version) => format!("{service} {version} runs in {environment} as before"),
                None if before.is_some() => format!("{service} runs in {environment} as before"),
                None if plan.steps.iter().any(|step| step.before.is_some() && step.job.is_none()) => {
                    format!("{service} is in {environment} as before")
                }
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
        ui.say(
            Tone::Plain,
            format!("hint: look at it: kubectl --context {context} -n {namespace} get {}", self.sights()),
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

impl Run<'_> {
    /// What a person looks at, as kubectl takes it.
    fn sights(&self) -> String {
        let objects: Vec<&Object> = self.request.plan.watched().into_iter().map(|step| &step.desired).collect();
        let mut kinds: Vec<String> = objects.iter().map(|object| object.kind().to_lowercase()).collect();
        if kinds.iter().any(|kind| kind == "deployment") {
            kinds.push("replicaset".into());
        }
        kinds.push("pod".into());
        let mut seen = BTreeSet::new();
        kinds.retain(|kind| seen.insert(kind.clone()));
        match pod_selectors(&objects).as_slice() {
            [one] => format!("{} -l {}", kinds.join(","), quote(one)),
            _ => kinds.join(","),
        }
    }
}

/// Whether a workload had all the pods that it wanted.
fn is_healthy(workload: &Object) -> bool {
    let (wanted, ready) = match workload.kind() {
        "DaemonSet" => ("/status/desiredNumberScheduled", "/status/numberAvailable"),
        "StatefulSet" => ("/spec/replicas", "/status/readyReplicas"),
        _ => ("/spec/replicas", "/status/availableReplicas"),
    };
    workload.number(ready).unwrap_or_default() >= workload.number(wanted).unwrap_or(1)
}
