//! The lock in people's hands: to keep an environment for oneself, to give it back, to take it from somebody.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::keep::Held;
use super::state::{Hold, NAME, State, Theft, written};
use super::{hashed, in_the_way, random};
use crate::error::{Exit, Failure};
use crate::kubectl::{Kubectl, KubectlError, Reason, Watched, Which};
use crate::origin::Origin;
use crate::process::StreamEvent;
use crate::signal;
use crate::ui::Ui;
use crate::yaml::Object;

/// Changes what the Lease says, by compare-and-swap; `None` from `edit` leaves it. Gives what it says now, and the answer.
fn edit(
    kubectl: &Kubectl<'_>,
    mut edit: impl FnMut(&State) -> anyhow::Result<Option<State>>,
) -> anyhow::Result<(State, Option<Object>)> {
    let cannot = |error: KubectlError| error.refused("cannot write the lock");
    for _ in 0..100 {
        let lease = kubectl.lease(NAME).map_err(cannot)?;
        let state = lease.as_ref().map(State::of).unwrap_or_default();
        let Some(next) = edit(&state)? else { return Ok((state, lease)) };
        let written = match &lease {
            Some(lease) if next.is_free() && next.stolen.is_none() => kubectl.delete_lease(lease).map(|()| None),
            Some(_) => kubectl.put_lease(&next.lease(lease.as_ref())).map(Some),
            None => kubectl.create_lease(&next.lease(None)).map(Some),
        };
        match written {
            Ok(answer) => return Ok((next, answer)),
            Err(error) if matches!(error.reason, Reason::Conflict | Reason::AlreadyExists) => {
                std::thread::sleep(Duration::from_millis(30));
            }
            Err(error) => return Err(cannot(error).into()),
        }
    }
    Err(Failure::refused("the lock changes too quickly to write it").hint("try again").into())
}

/// The same hold by the API server's clock: that of the write that made it.
fn by_the_servers_clock(kubectl: &Kubectl<'_>, hold: Hold, answer: Option<&Object>) -> anyhow::Result<Hold> {
    let Some(since) = answer.and_then(written) else { return Ok(hold) };
    let right = Hold { since, ..hold.clone() };
    if since.duration_since(hold.since).unsigned_abs() < Duration::from_secs(2) {
        return Ok(hold);
    }
    edit(kubectl, |state| {
        let ours = state.hold.as_ref() == Some(&hold);
        Ok(ours.then(|| State { hold: Some(right.clone()), ..state.clone() }))
    })?;
    Ok(right)
}

/// Keeps the environment for whoever has the token that is given back: `held` was taken for it. It ends by itself after `span`.
///
/// # Errors
/// If the Lease cannot be written.
pub fn acquire(
    kubectl: &Kubectl<'_>,
    held: Held,
    span: Duration,
    reason: &str,
    ui: &Ui,
) -> anyhow::Result<(String, Hold)> {
    let token = random()?;
    let hold = Hold {
        who: Origin::here().who,
        reason: reason.to_owned(),
        since: Timestamp::now(),
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        token: hashed(&token),
    };
    let id = held.id().to_owned();
    let (_, answer) = held.during(kubectl, ui, || {
        edit(kubectl, |state| {
            if state.run.as_ref().is_none_or(|run| run.id != id) {
                return Err(Failure::refused("the lock was lost in this moment")
                    .exit(Exit::Locked)
                    .hint("try again")
                    .into());
            }
            Ok(Some(State { hold: Some(hold.clone()), ..state.clone() }))
        })
    })?;
    Ok((token, by_the_servers_clock(kubectl, hold, answer.as_ref())?))
}

/// Keeps it longer, if the token is that of who keeps it: for `span` from now. Nothing if it is not.
///
/// # Errors
/// If the Lease cannot be written.
pub fn extend(
    kubectl: &Kubectl<'_>,
    token: &str,
    span: Duration,
    reason: Option<&str>,
) -> anyhow::Result<Option<Hold>> {
    let mut found = None;
    let (_, answer) = edit(kubectl, |state| {
        let Some(hold) = state.hold.as_ref().filter(|hold| hold.token == hashed(token)) else { return Ok(None) };
        let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let reason = reason.map_or_else(|| hold.reason.clone(), str::to_owned);
        let hold = Hold { since: Timestamp::now(), seconds, reason, ..hold.clone() };
        found = Some(hold.clone());
        Ok(Some(State { hold: Some(hold), ..state.clone() }))
    })?;
    found.map(|hold| by_the_servers_clock(kubectl, hold, answer.as_ref())).transpose()
}

/// Gives an environment back that was kept with this token. Whether there was anything to give back.
///
/// # Errors
/// If it is somebody else's.
pub fn release(kubectl: &Kubectl<'_>, token: Option<&str>) -> anyhow::Result<bool> {
    let mut was = false;
    edit(kubectl, |state| {
        let Some(hold) = &state.hold else {
            let Some(run) = &state.run else { return Ok(None) };
            return Err(Failure::refused(format!("the lock is held by a run: {}: {}", run.who, run.what))
                .exit(Exit::Locked)
                .hint("it gives the lock back when it ends; `shipcat lock steal` takes it away")
                .into());
        };
        if token.map(hashed).as_ref() != Some(&hold.token) {
            let failure = match token {
                None => Failure::refused(format!("{} keeps it, and no token is given", hold.who)),
                Some(_) => Failure::refused(format!("{} keeps it, with another token than the one given", hold.who)),
            };
            return Err(failure
                .exit(Exit::Locked)
                .hint("set SHIPCAT_LOCK to the token that `lock acquire` printed; if it is lost, `shipcat lock steal`")
                .into());
        }
        was = true;
        Ok(Some(State { hold: None, ..state.clone() }))
    })?;
    Ok(was)
}

/// Takes the lock away from whoever has it: when a run says that it has stopped, or after its lifetime; with `now` at once.
/// Gives from whom, or nothing if nobody had it.
///
/// # Errors
/// If the Lease cannot be written; or a signal came: then the run is told to stop all the same.
pub fn steal(kubectl: &Kubectl<'_>, reason: &str, now: bool, ui: &Ui) -> anyhow::Result<Option<String>> {
    signal::listen()?;
    let started = Instant::now();
    let mut theft = None;
    let (state, _) = edit(kubectl, |state| {
        let from = match in_the_way(state) {
            Some((from, _)) if state.run.is_some() || state.hold.is_some() => from,
            _ => return Ok(None),
        };
        let done = Theft { who: Origin::here().who, reason: reason.to_owned(), at: Timestamp::now(), from };
        theft = Some(done.clone());
        let mut next = State { hold: None, stolen: Some(done.clone()), ..state.clone() };
        match &mut next.run {
            Some(run) if !now => run.robbed = Some(done),
            _ => next.run = None,
        }
        Ok(Some(next))
    })?;
    let Some(theft) = theft else { return Ok(None) };
    let Some(robbed) = state.run else { return Ok(Some(theft.from)) };
    let lifetime = Duration::from_millis(robbed.lifetime);
    let gone = |state: &State| state.run.as_ref().is_none_or(|run| run.id != robbed.id);
    let (sender, receiver) = channel();
    let watched = Watched { resource: "leases.coordination.k8s.io", which: Which::Named(NAME.into()) };
    let stream = kubectl.watch(&watched, move |event| drop(sender.send(event)));
    while started.elapsed() < lifetime {
        if let Some(signal) = signal::received() {
            anyhow::bail!(
                Failure::refused("interrupted: the run is told to stop, and was not seen to have stopped")
                    .exit(Exit::Interrupted(signal))
            );
        }
        ui.wait(started, &format!("waiting until {} has stopped: {}", robbed.who, robbed.what));
        match receiver.recv_timeout(Duration::from_millis(200)) {
            Ok(StreamEvent::Document(event)) => {
                let is_gone = event.get("type").and_then(serde_json::Value::as_str) == Some("DELETED");
                let told = event.get("object").and_then(|object| Object::new(object.clone()).ok());
                if is_gone || told.is_some_and(|lease| gone(&State::of(&lease))) {
                    break;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(StreamEvent::Ended(_)) | Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(Duration::from_secs(1));
                if kubectl.lease(NAME).is_ok_and(|lease| lease.is_none_or(|lease| gone(&State::of(&lease)))) {
                    break;
                }
            }
        }
    }
    drop(stream);
    ui.rest();
    edit(kubectl, |state| Ok((!gone(state)).then(|| State { run: None, ..state.clone() })))?;
    Ok(Some(theft.from))
}

/// For how long from now a hold lasts, by our own clock: for people.
pub fn left(hold: &Hold) -> SignedDuration {
    hold.end().duration_since(Timestamp::now())
}
