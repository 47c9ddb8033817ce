//! How a release ends that failed: the evidence and the way back; and what both ends need.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::change::Changed;
use super::ended::{Back, Ended};
use super::evidence;
use super::gone;
use super::plan::Road;
use super::putback::{self, PutBack};
use super::record::Outcome;
use super::request::Request;
use super::retention;
use super::rollout::{Finding, Picture, Watch, pod_selectors};
use super::step::Step;
use super::store::Record;
use super::trouble::Trouble;
use super::version::{main_object, version_of};
use crate::error::Exit;
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::process::quote;
use crate::ui::{Tone, Ui, seconds};
use crate::yaml::Object;

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
        self.kubectl.none_ahead();
        watch.starts_ahead(Vec::new());
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
        let is_nothing = self.request.plan.road == Road::Nothing;
        if !is_nothing {
            ui.say(Tone::Plain, "taking it back");
        }
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
        if is_nothing && matches!(trouble, Trouble::Rollout(_) | Trouble::Late(_)) {
            ui.say(Tone::Plain, "hint: ship a version that works, or `shipcat rollback`");
        }
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
        trouble.why(self.request.timeout)
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
                // What is broken is not said to run.
                Some(version) if plan.road == Road::Nothing => {
                    format!("nothing was changed: {service} {version} in {environment} is as before")
                }
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
