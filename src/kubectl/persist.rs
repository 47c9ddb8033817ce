//! Trying again where the API server did not answer: a call that fails once for a network reason ends no release.

use std::time::{Duration, Instant};

use super::{Kubectl, Reason, Result};
use crate::signal;

/// For how long a call is tried again under the lock: a release is under way, and the API server may be restarted in the middle of it.
const UNDER_LOCK: Duration = Duration::from_secs(45);
/// Before it, only what failed at once is tried again.
pub(super) const QUICK: Duration = Duration::from_secs(6);
/// How long to wait before the next try.
pub(super) const PAUSE: Duration = Duration::from_millis(500);

impl Kubectl<'_> {
    /// Makes a call until there is an answer, as long as it is `wanted`: under the lock for a while, before it once more, since somebody who
    /// has no network wants to know. Only for what may be done twice.
    pub(super) fn persistently<T>(&self, wanted: impl Fn() -> bool, call: impl Fn() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let mut tries = 0;
        loop {
            let result = call();
            tries += 1;
            let is_silent = result.as_ref().is_err_and(|error| error.reason == Reason::Unreachable);
            let is_over = match self.fenced() {
                Some(_) => started.elapsed() >= UNDER_LOCK,
                // Who found nobody for that long has waited long enough.
                None => tries > 1 || started.elapsed() >= QUICK,
            };
            if !is_silent || is_over || signal::insisted() || !wanted() {
                return result;
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// The same for what changes something. Each of our changes may be made twice: an apply and new images are the same the second time, and
    /// what is written as a whole or deleted names the state that it is for. A signal ends it: what becomes of a change whose answer was lost
    /// is for the way back to find out.
    pub(super) fn persistently_changing<T>(&self, call: impl Fn() -> Result<T>) -> Result<T> {
        let before = signal::received();
        self.persistently(|| signal::received() == before, call)
    }
}
