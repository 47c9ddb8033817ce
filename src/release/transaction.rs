//! A ship is a transaction (DESIGN section 4): record, change, watch, commit; and if anything fails, evidence and the way back.

use std::time::{Duration, Instant};

use super::change;
use super::changing::change_and_watch;
use super::commit;
use super::ended::Ended;
use super::ending::Run;
use super::marks;
use super::plan::Road;
use super::record::Outcome;
use super::request::{Request, remember};
use super::rollout::Memory;
use super::step::Step;
use super::store::Record;
use super::tested::test;
use super::together::{Together, Word};
use super::trouble::Trouble;
use super::turns::Place;
use super::watching::{await_goals, goals, watch};
use crate::error::{Exit, Failure, count};
use crate::kubectl::{Kubectl, Reason};
use crate::signal;
use crate::ui::{Tone, Ui};

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
    watch.starts_ahead(commit::ahead(kubectl, &request, &record));
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
        going.wait(signal::insisted, kubectl, ui);
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
