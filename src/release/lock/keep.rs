//! Holding the lock: it is renewed in the background, and given back by its holder alone.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::state::{NAME, Run, State};
use crate::clock::Moment;
use crate::kubectl::{Fence, Kubectl, KubectlError, Reason};
use crate::process::Cmd;
use crate::ui::{Tone, Ui};
use crate::yaml::Object;

/// How long the end of a run tries to give the lock back. It runs out by itself all the same.
const GIVING_BACK: Duration = Duration::from_mins(1);

/// A lock that is held.
#[derive(Debug)]
pub struct Held {
    run: Run,
    lease: Object,
    fence: Arc<Fence>,
}

impl Held {
    /// The lock as it was taken.
    pub fn new(run: Run, lease: Object, fence: Fence) -> Self {
        Self { run, lease, fence: Arc::new(fence) }
    }

    /// Which run has it.
    pub fn id(&self) -> &str {
        &self.run.id
    }

    /// Does some work under the lock, and gives it back behind it.
    pub fn during<T>(self, kubectl: &Kubectl<'_>, ui: &Ui, work: impl FnOnce() -> T) -> T {
        let Self { run, lease, fence } = self;
        fence.will_go(State { run: None, ..State::of(&lease) }.is_free());
        kubectl.fence(Some(Arc::clone(&fence)));
        let (done, lease) = std::thread::scope(|scope| {
            // Dropped when the work is done, also where it panics.
            let (stop, stopped) = channel::<()>();
            let keeper = Keeper { kubectl, run, lease, fence: &fence };
            let keeping = scope.spawn(move || keeper.keep(&stopped));
            let done = work();
            drop(stop);
            (done, keeping.join().ok())
        });
        kubectl.fence(None);
        if let Some(kept) = lease
            && fence.lost().is_none()
            && let Err(error) = give_back(kubectl, &kept.0.id, kept.1)
        {
            ui.say(
                Tone::Warn,
                format!(
                    "warning: the lock could not be given back, it runs out in {}: {}",
                    crate::ui::seconds(fence.half() * 2),
                    error.said
                ),
            );
        }
        done
    }
}

struct Keeper<'a> {
    kubectl: &'a Kubectl<'a>,
    run: Run,
    lease: Object,
    fence: &'a Fence,
}

impl Keeper<'_> {
    /// Renews it until it is told to stop.
    fn keep(mut self, stopped: &Receiver<()>) -> (Run, Object) {
        let quarter = self.fence.half() / 2;
        let mut pause = quarter;
        while matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
            let started = Instant::now();
            let sent = Moment::now();
            pause = match self.renew() {
                Ok(()) => {
                    self.fence.renew(sent);
                    quarter.saturating_sub(started.elapsed()).max(Duration::from_millis(100))
                }
                Err(error) if matches!(error.reason, Reason::Conflict | Reason::NotFound) => match self.reread() {
                    Ok(Ok(())) => Duration::ZERO,
                    Ok(Err(why)) => {
                        self.fence.lose(why);
                        return (self.run, self.lease);
                    }
                    Err(_) => Duration::from_millis(500),
                },
                // It is tried until it runs out, and behind that as well: while nobody else took it, it can be renewed.
                Err(_) => Duration::from_millis(500).min(quarter),
            };
        }
        (self.run, self.lease)
    }

    fn next(&self) -> Run {
        let mut run = self.run.clone();
        run.beat += 1;
        run.renewed = Timestamp::now();
        run.step = self.fence.step();
        run
    }

    fn renew(&mut self) -> Result<(), KubectlError> {
        let mut state = State::of(&self.lease);
        let run = self.next();
        state.run = Some(run.clone());
        self.lease = self.kubectl.put_lease(&state.lease(Some(&self.lease)))?;
        self.run = run;
        Ok(())
    }

    /// Somebody has written it: whether it is ours still, and if not, whose.
    fn reread(&mut self) -> Result<Result<(), String>, KubectlError> {
        // While it was gone, somebody else may have had it. (A write to a Lease that is gone is a conflict as well.)
        let Some(lease) = self.kubectl.lease(NAME)? else {
            return Ok(Err("the lock is lost: its Lease is gone".into()));
        };
        let state = State::of(&lease);
        let Some(run) = state.run.as_ref().filter(|run| run.id == self.run.id) else {
            let by = match (&state.stolen, &state.run) {
                (Some(theft), _) if theft.from.contains(&self.run.what) => {
                    format!("{} took it: {}", theft.who, theft.reason)
                }
                (_, Some(run)) => format!("{} has it now ({})", run.who, run.what),
                _ => "it was taken away".to_owned(),
            };
            return Ok(Err(format!("the lock is lost: {by}")));
        };
        if let Some(theft) = run.robbed.clone() {
            // From here on nothing is changed any more; that the lock is free says so.
            let why = format!("the lock is lost: {} took it: {}", theft.who, theft.reason);
            self.fence.lose(why.clone());
            self.fence.still();
            let mut next = state.clone();
            next.run = None;
            next.stolen = Some(theft);
            drop(self.kubectl.put_lease(&next.lease(Some(&lease))));
            return Ok(Err(why));
        }
        // It may be an answer of ours that was lost.
        self.run.beat = self.run.beat.max(run.beat);
        self.lease = lease;
        Ok(Ok(()))
    }
}

/// The call that will give the lock back, to be started ahead; none where somebody waits for it, or keeps it.
pub fn end_ahead(kubectl: &Kubectl<'_>) -> Option<Cmd> {
    kubectl.lease_deletion_ahead(&Object::bare("coordination.k8s.io/v1", "Lease", NAME))
}

/// Gives the lock of a run back; by the Lease as it was last seen, which nobody may have changed since.
fn give_back(kubectl: &Kubectl<'_>, id: &str, lease: Object) -> Result<(), KubectlError> {
    let started = Instant::now();
    let mut lease = Some(lease);
    loop {
        let result = try_to_give_back(kubectl, id, lease.take());
        match &result {
            Err(error)
                if matches!(error.reason, Reason::Conflict | Reason::Unreachable)
                    && started.elapsed() < GIVING_BACK =>
            {
                std::thread::sleep(Duration::from_millis(if error.reason == Reason::Conflict { 20 } else { 1000 }));
            }
            Err(error) if error.reason == Reason::NotFound => return Ok(()),
            _ => return result,
        }
    }
}

fn try_to_give_back(kubectl: &Kubectl<'_>, id: &str, lease: Option<Object>) -> Result<(), KubectlError> {
    let lease = match lease {
        Some(lease) => lease,
        None => match kubectl.lease(NAME)? {
            Some(lease) => lease,
            None => return Ok(()),
        },
    };
    let mut state = State::of(&lease);
    if state.run.as_ref().is_none_or(|run| run.id != id) {
        return Ok(());
    }
    state.run = None;
    if state.is_free() {
        match kubectl.delete_lease(&lease) {
            // Who may not delete it may say that it is free.
            Err(error) if error.reason == Reason::Forbidden => {}
            other => return other,
        }
    }
    kubectl.put_lease(&state.lease(Some(&lease))).map(drop)
}
