//! The end of a good release: the record says "deployed", and then what it has no more goes.

use std::time::Duration;

use super::ended::Ended;
use super::ending::Run;
use super::record::Outcome;
use super::request::{Request, answers};
use super::store::Record;
use super::{gone, lock, retention};
use crate::error::Exit;
use crate::kubectl::{Kubectl, Reason};
use crate::process::Cmd;
use crate::signal;
use crate::ui::{Tone, seconds};

/// How long the end of a good release waits for what it removed.
const GOING: Duration = Duration::from_secs(10);

/// The calls with which a release ends, to be started ahead: none where something comes in between.
pub fn ahead(kubectl: &Kubectl<'_>, request: &Request<'_>, record: &Record) -> Vec<Cmd> {
    let is_last = request.plan.stages().len() < 2 && request.afterwards.is_none() && request.body.tests.is_none();
    if !is_last || request.feed.is_some() {
        return Vec::new();
    }
    let too_old = retention::ahead(kubectl, request.history, record.number);
    lock::end_ahead(kubectl).into_iter().chain([record.finish_ahead(kubectl)]).chain(too_old).collect()
}

/// The call that gives the lock back, where no other release of this run is under way, or comes.
fn lock_ahead(kubectl: &Kubectl<'_>, request: &Request<'_>) -> Vec<Cmd> {
    if request.feed.is_some() { Vec::new() } else { lock::end_ahead(kubectl).into_iter().collect() }
}

impl Run<'_> {
    /// Says "deployed": the point of no return.
    pub fn commit(&self) -> Ended {
        let (exit, reason) = self.deployed();
        let tests = self.record.tests.clone();
        Ended { reason, tests, number: Some(self.record.number), ..Ended::at(exit) }
    }

    fn deployed(&self) -> (Exit, Option<&'static str>) {
        let (ui, number) = (self.ui, self.record.number);
        let verb = if self.main(|step| Some(&step.desired)).is_some() { "runs" } else { "is" };
        let Request { environment, body, .. } = self.request;
        let is_end = body.objects.is_empty();
        let line = || {
            let took = seconds(self.started.elapsed());
            match is_end {
                true => format!("{} is removed from {environment} after {took} (release {number})", body.service),
                false => format!("{} {verb} in {environment} after {took} (release {number})", self.what()),
            }
        };
        let answer = answers(self.request, self.changed);
        self.kubectl.ahead(&lock_ahead(self.kubectl, self.request));
        match self.finish(Outcome::Deployed, None, Some(&answer)) {
            Ok(()) => {
                // What runs is told as soon as it is known; a removal is done when it is gone.
                let (left, going) = self.remove_leftovers(if is_end { self.request.timeout } else { GOING });
                match going {
                    Some(why) if is_end => {
                        ui.say(Tone::Warn, format!("{} is being removed (release {number}): {why}", body.service));
                    }
                    Some(why) => {
                        ui.say(if left.is_empty() { Tone::Good } else { Tone::Warn }, line());
                        ui.say(Tone::Dim, format!("  {why}"));
                    }
                    None => ui.say(if left.is_empty() { Tone::Good } else { Tone::Warn }, line()),
                }
                // Nobody waits for that.
                retention::forget(self.kubectl, self.request, number, true, ui);
                if left.is_empty() {
                    return (Exit::Done, None);
                }
                ui.say(Tone::Bad, "error: what this release has no more could not all be removed");
                for line in left {
                    ui.say(Tone::Plain, format!("  {line}"));
                }
                ui.say(Tone::Plain, "hint: ship the same once more when that is mended: it removes what is left");
                (Exit::Person, Some("leftovers"))
            }
            Err(error) if error.reason == Reason::Lockless => {
                ui.say(Tone::Warn, line());
                (self.leave_it(&error.said), Some("lock"))
            }
            Err(error) => {
                ui.say(Tone::Warn, line());
                ui.say(
                    Tone::Bad,
                    format!(
                        "error: its record still says pending, which a later rollback will not know: {}",
                        error.said
                    ),
                );
                ui.say(Tone::Plain, "hint: when the cluster answers again, ship the same once more");
                (Exit::Person, Some("record"))
            }
        }
    }

    /// Removes what the release before had and this one has not: behind the point of no return, so that nothing has to come back.
    /// Gives what could not be removed, and why; and what is not known to be gone yet.
    fn remove_leftovers(&self, patience: Duration) -> (Vec<String>, Option<String>) {
        let (mut left, mut going) = (Vec::new(), Vec::new());
        for object in &self.request.plan.leftovers {
            let mut result = self.kubectl.delete(object);
            for _ in 0..3 {
                if !matches!(&result, Err(error) if error.reason == Reason::Unreachable) {
                    break;
                }
                std::thread::sleep(Duration::from_secs(2));
                result = self.kubectl.delete(object);
            }
            match result {
                Ok(()) => {
                    self.ui.say(Tone::Plain, format!("  {object}   removed"));
                    going.push(object.clone());
                }
                // Gone already, or another one has its name by now: that one is not ours.
                Err(error) if matches!(error.reason, Reason::NotFound | Reason::Conflict) => {}
                Err(error) => left.push(format!("{object}: {}", error.said)),
            }
        }
        // What has pods takes its time, and goes all the same.
        let interrupted = || signal::received().is_some();
        let slow = match going.is_empty() {
            true => None,
            false => gone::await_gone(self.kubectl, going, patience, interrupted, self.ui).err(),
        };
        (left, slow)
    }
}
