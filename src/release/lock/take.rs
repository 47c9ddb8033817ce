//! Taking the lock, or a place in the queue and then the lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::decide::{Claim, Move, Sight, decide, fact};
use super::keep::Held;
use super::state::{NAME, Run, State, written as time_of};
use super::{chance, hashed, holder, in_the_way, random};
use crate::clock::Moment;
use crate::kubectl::{Fence, Kubectl, KubectlError, Reason, Watched, Which};
use crate::origin::Origin;
use crate::process::{Stream, StreamEvent};
use crate::signal;
use crate::ui::{Tone, Ui};
use crate::yaml::Object;

/// How long the API server may be away while somebody waits for the lock, before the stream is begun again.
const AGAIN: Duration = Duration::from_secs(2);

/// How soon the first call must have failed to be tried once more.
const QUICK: Duration = Duration::from_secs(6);

/// What is wished for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// `ship webapp 1.4.2`.
    pub what: String,
    /// How long to wait for it; not at all where it is zero.
    pub patience: Duration,
    /// How long it stays ours without a renewal.
    pub lifetime: Duration,
    /// The token of somebody who keeps the environment for himself.
    pub token: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum Taking {
    /// It is ours; `waited` says whether somebody else had it before.
    Held {
        /// The lock.
        held: Box<Held>,
        /// Whether that took a wait.
        waited: bool,
    },
    /// It is somebody else's still; who and what, in a line.
    Busy(String),
    /// A signal came while we waited; our place is given back.
    Interrupted(u8),
    /// It was not wanted any more; our place is given back.
    Unwanted,
    /// The Lease cannot be used: no permission, no namespace, no answer.
    Cannot(KubectlError),
}

/// What the lock says now, and by the Lease.
///
/// # Errors
/// As kubectl fails.
pub fn read(kubectl: &Kubectl<'_>) -> Result<(State, Option<Object>), KubectlError> {
    let lease = kubectl.lease(NAME)?;
    Ok((lease.as_ref().map(State::of).unwrap_or_default(), lease))
}

/// Takes the lock, if need be after a wait, for as long as it is `wanted`.
///
/// # Errors
/// If the system has no randomness, or kubectl cannot be started.
pub fn take(kubectl: &Kubectl<'_>, wish: &Wish, wanted: &AtomicBool, ui: &Ui) -> anyhow::Result<Taking> {
    signal::listen()?;
    let now = Timestamp::now();
    let Origin { who, build } = Origin::here();
    let run = Run {
        id: random()?,
        who,
        what: wish.what.clone(),
        step: "begins".into(),
        build,
        since: now,
        renewed: now,
        beat: 0,
        lifetime: u64::try_from(wish.lifetime.as_millis()).unwrap_or(u64::MAX),
        robbed: None,
    };
    let claim = Claim { run, token: wish.token.as_deref().map(hashed), waits: !wish.patience.is_zero() };
    let mut seeker = Seeker {
        kubectl,
        claim,
        wanted,
        ui,
        started: Instant::now(),
        seen: (String::new(), Moment::now()),
        moves: false,
        server: None,
        waited: false,
        has_place: false,
        stream: None,
    };
    let taking = seeker.seek(wish.patience);
    ui.rest();
    Ok(taking)
}

struct Seeker<'a> {
    kubectl: &'a Kubectl<'a>,
    claim: Claim,
    wanted: &'a AtomicBool,
    ui: &'a Ui,
    started: Instant,
    /// What would change if it lived, and since when it was seen to stand.
    seen: (String, Moment),
    moves: bool,
    /// The API server's time, and when it was that.
    server: Option<(Timestamp, Moment)>,
    waited: bool,
    /// Whether there may be a place of ours to give back.
    has_place: bool,
    stream: Option<(Stream, Receiver<StreamEvent>)>,
}

impl Seeker<'_> {
    fn seek(&mut self, patience: Duration) -> Taking {
        // The good case is one call: there is no Lease, and now there is ours.
        let mut lease: Option<Object> = None;
        let mut failures = 0;
        loop {
            if let Some(signal) = signal::received() {
                self.leave();
                return Taking::Interrupted(signal);
            }
            if !self.wanted.load(Ordering::Relaxed) {
                self.leave();
                return Taking::Unwanted;
            }
            let state = lease.as_ref().map(State::of).unwrap_or_default();
            let sight = self.look(&state);
            let next = decide(&state, &self.claim, sight);
            let over = self.claim.waits && self.started.elapsed() >= patience;
            if over && !matches!(next, Move::Mine | Move::Take(_)) {
                self.leave();
                return Taking::Busy(holder(&state).unwrap_or_default());
            }
            let sent = Moment::now();
            let written = match next {
                Move::Mine => return self.held(lease),
                Move::Busy => return Taking::Busy(holder(&state).unwrap_or_default()),
                Move::Look => {
                    self.is_waiting();
                    self.tell(&state);
                    lease = self.listen(lease);
                    continue;
                }
                Move::Touch => self.write(&state, lease.as_ref()),
                Move::Write(next) => {
                    self.has_place = true;
                    self.is_waiting();
                    self.write(&next, lease.as_ref())
                }
                Move::Take(mut next) => {
                    let run = next.run.get_or_insert_with(|| self.claim.run.clone());
                    run.since = Timestamp::now();
                    run.renewed = run.since;
                    let run = run.clone();
                    let answer = self.write(&next, lease.as_ref());
                    if let Ok(answer) = answer {
                        self.tell_takeover(&state);
                        return self.has(run, answer, sent);
                    }
                    answer
                }
            };
            let read = written.inspect(|answer| {
                self.server = time_of(answer).map(|at| (at, sent));
                failures = 0;
            });
            let read = match read {
                Ok(answer) => Ok(Some(answer)),
                Err(error) => {
                    if let Some(taking) = self.again(error, &mut failures, patience) {
                        return taking;
                    }
                    // Somebody was quicker: by what is there now.
                    self.is_waiting();
                    self.kubectl.lease(NAME)
                }
            };
            match read {
                Ok(found) => lease = found,
                Err(error) => {
                    if let Some(taking) = self.again(error, &mut failures, patience) {
                        return taking;
                    }
                }
            }
        }
    }

    fn tell_takeover(&self, state: &State) {
        if let Some(dead) = &state.run {
            let line = format!("the lock of {} ({}) has run out: taken over", dead.who, dead.what);
            self.ui.say(Tone::Warn, line);
        }
    }

    /// Somebody else is at work: what is read meanwhile is read again behind the wait.
    fn is_waiting(&mut self) {
        self.waited = true;
        self.kubectl.in_vain(true);
    }

    /// Whether a failed call ends it.
    fn again(&self, error: KubectlError, failures: &mut u32, patience: Duration) -> Option<Taking> {
        *failures += 1;
        let passes = match error.reason {
            Reason::Conflict | Reason::AlreadyExists | Reason::NotFound if *failures < 200 => {
                // A missing namespace is "not found" as well, and stays so.
                error.reason != Reason::NotFound || (!error.said.contains("namespaces \"") && *failures < 20)
            }
            // Who finds nobody wants to know; who is in the queue already waits for the API server as well.
            Reason::Unreachable => {
                let once_more = *failures <= 1 && self.started.elapsed() < QUICK;
                once_more || (self.has_place && self.started.elapsed() < patience)
            }
            _ => false,
        };
        if !passes {
            if self.has_place {
                self.leave();
            }
            return Some(Taking::Cannot(error));
        }
        // So that many who try at once do not try again at once.
        let most = if error.reason == Reason::Unreachable { 2000 } else { 100 << (*failures).min(5) };
        std::thread::sleep(Duration::from_millis(most).mul_f64(chance()));
        None
    }

    fn look(&mut self, state: &State) -> Sight {
        let fact = fact(state);
        if self.seen.0 != fact {
            self.moves = !self.seen.0.is_empty();
            self.seen = (fact, Moment::now());
        }
        let server = self
            .server
            .and_then(|(at, seen)| at.checked_add(SignedDuration::try_from(seen.elapsed()).unwrap_or_default()).ok());
        Sight { idle: self.seen.1.elapsed(), moves: self.moves, server, here: Timestamp::now() }
    }

    fn write(&self, next: &State, lease: Option<&Object>) -> Result<Object, KubectlError> {
        let wanted = next.lease(lease);
        match lease {
            None => self.kubectl.create_lease(&wanted),
            Some(_) => self.kubectl.put_lease(&wanted),
        }
    }

    fn tell(&self, state: &State) {
        let Some((who, age)) = in_the_way(state) else { return };
        let place = state.queue.iter().position(|place| place.id == self.claim.run.id);
        let place = place.map(|at| format!(", place {} of {}", at + 1, state.queue.len())).unwrap_or_default();
        self.ui.wait_with(self.started, &format!("waiting for the lock{place}: {who}"), &age);
    }

    /// Waits until the Lease changes, or for a moment.
    fn listen(&mut self, lease: Option<Object>) -> Option<Object> {
        if self.stream.is_none() {
            let (sender, receiver) = channel();
            let watched = Watched { resource: "leases.coordination.k8s.io", which: Which::Named(NAME.into()) };
            match self.kubectl.watch(&watched, move |event| drop(sender.send(event))) {
                Ok(stream) => self.stream = Some((stream, receiver)),
                Err(_) => std::thread::sleep(AGAIN),
            }
        }
        let Some((_, receiver)) = &self.stream else { return lease };
        let mut latest = lease;
        let mut wait = Duration::from_millis(200);
        loop {
            match receiver.recv_timeout(wait) {
                Ok(StreamEvent::Document(event)) => {
                    let gone = event.get("type").and_then(serde_json::Value::as_str) == Some("DELETED");
                    let told = event.get("object").and_then(|object| Object::new(object.clone()).ok());
                    // The first that it tells may be older than what was written since.
                    let version = |object: &Object| object.text("/metadata/resourceVersion").parse::<u64>().ok();
                    let old =
                        told.as_ref().zip(latest.as_ref()).is_some_and(|(told, known)| version(told) < version(known));
                    if !old {
                        latest = told.filter(|_| !gone);
                    }
                    wait = Duration::ZERO;
                }
                Ok(StreamEvent::Ended(_)) | Err(RecvTimeoutError::Disconnected) => {
                    self.stream = None;
                    std::thread::sleep(AGAIN.min(Duration::from_millis(500)));
                    // What happened in between is not told again where the Lease is gone. While nothing is seen, nothing is seen
                    // to stand still.
                    return self.kubectl.lease(NAME).unwrap_or_else(|_| {
                        self.seen.1 = Moment::now();
                        latest
                    });
                }
                Err(RecvTimeoutError::Timeout) => return latest,
            }
        }
    }

    fn has(&self, run: Run, lease: Object, sent: Moment) -> Taking {
        let lifetime = Duration::from_millis(run.lifetime);
        let fence = Fence::new(lifetime, sent, "begins");
        Taking::Held { held: Box::new(Held::new(run, lease, fence)), waited: self.waited }
    }

    /// The lock was ours already: the answer that said so was lost.
    fn held(&self, lease: Option<Object>) -> Taking {
        let run = lease.as_ref().and_then(|lease| State::of(lease).run);
        // By when it was written nothing is known but that it was after we began to look.
        match run.zip(lease) {
            Some((run, lease)) => self.has(run, lease, self.seen.1),
            None => Taking::Busy(String::new()),
        }
    }

    /// Gives the place in the queue back, or the lock if it came in this very moment.
    fn leave(&self) {
        for _ in 0..20 {
            let Ok(Some(lease)) = self.kubectl.lease(NAME) else { return };
            let state = State::of(&lease);
            let id = &self.claim.run.id;
            let has_run = state.run.as_ref().is_some_and(|run| run.id == *id);
            if !has_run && !state.queue.iter().any(|place| place.id == *id) {
                return;
            }
            let mut next = state.without_place(id);
            if has_run {
                next.run = None;
            }
            let done = if next.is_free() {
                self.kubectl.delete_lease(&lease)
            } else {
                self.kubectl.put_lease(&next.lease(Some(&lease))).map(drop)
            };
            match done {
                Err(error) if error.reason == Reason::Conflict => std::thread::sleep(Duration::from_millis(50)),
                _ => return,
            }
        }
    }
}
