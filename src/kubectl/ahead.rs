//! Calls that are started while what they wait for is not done yet: a start of kubectl takes longer than what it then sends.

use std::sync::PoisonError;
use std::time::Duration;

use super::Kubectl;
use crate::process::{Begun, Cmd};

/// How long a call may have been under way before it is given what it sends, at most: a raw one has opened its request by then, which takes a
/// place at the API server.
const FRESH: Duration = Duration::from_secs(3);

/// For the query of a deletion that is started ahead. Its options are its body; only without one, as where we are killed before we gave it, the
/// API server looks for them in the query (`DeleteResource` in its `endpoints/handlers/delete.go`). No object has this uid, so that nothing is
/// deleted then.
pub(super) const NOBODY: &str = "uid=none";

impl Kubectl<'_> {
    /// Starts calls whose input comes later, if it comes: the next call that is the same but for its input takes one over. Only for those to
    /// which an empty input, as where we are killed, does nothing.
    pub fn ahead(&self, cmds: &[Cmd]) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.retain(|begun| self.is_fresh(begun));
        for cmd in cmds {
            if !ahead.iter().any(|begun| begun.is(cmd)) {
                // What cannot be started is told by the call itself.
                ahead.extend(cmd.begin().ok());
            }
        }
    }

    /// Ends the calls that were started ahead: what they were for does not come, or not soon.
    pub fn none_ahead(&self) {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Ends those that have waited for too long.
    pub fn tire_ahead(&self) {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).retain(|begun| self.is_fresh(begun));
    }

    /// A request's time counts from when it was opened: most of it must be left.
    fn is_fresh(&self, begun: &Begun) -> bool {
        begun.age() < FRESH.min(self.timeout / 3)
    }

    /// The call that was started ahead, if this is one.
    pub(super) fn begun(&self, cmd: &Cmd) -> Option<Begun> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let place = ahead.iter().position(|begun| begun.is(cmd))?;
        Some(ahead.swap_remove(place)).filter(|begun| self.is_fresh(begun))
    }
}
