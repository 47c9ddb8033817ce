//! Calls that are started while what they wait for is not done yet: a start of kubectl takes longer than what it then sends.

use std::sync::PoisonError;
use std::time::Duration;

use super::Kubectl;
use crate::process::{Begun, Cmd};

/// How long a call may have been under way before it is given what it sends: a raw one has opened its request by then, which has a time of its
/// own.
const FRESH: Duration = Duration::from_secs(2);

impl Kubectl<'_> {
    /// Starts a call whose input comes later, if it comes: the next call that is the same but for its input takes it over. Only for one to
    /// which an empty input, as where we are killed, does nothing. At most one is under way.
    pub(super) fn ahead(&self, cmd: &Cmd) {
        // What cannot be started is told by the call itself.
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = cmd.begin().ok();
    }

    /// The call that was started ahead, if it is this one.
    pub(super) fn begun(&self, cmd: &Cmd) -> Option<Begun> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.take_if(|begun| begun.is(cmd)).filter(|begun| begun.age() < FRESH)
    }
}
