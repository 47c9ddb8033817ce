//! Releases: what would change, the record, the transaction, the watch, the way back.
//! May import `kubectl`, `git`, and the leaves.

mod change;
mod diff;
mod evidence;
mod fields;
mod ownership;
mod plan;
mod putback;
mod reading;
mod record;
mod rollout;
mod transaction;

pub use ownership::unmanaged;
pub use plan::{Change, Nature, Plan, Road, keep_count, leave_autoscaled};
pub use reading::{Reading, version_of};
pub use record::{Body, History, Outcome, Release, VersionFrom};
pub use rollout::{Ending, Goal, Limits, Memory, Picture, Verdict, folded, judge};
pub use transaction::{Request, look, run};

/// Who ships: `user@host`.
pub fn who() -> String {
    let user = whoami::username().unwrap_or_else(|_| "somebody".into());
    let host = whoami::hostname().unwrap_or_else(|_| "somewhere".into());
    format!("{user}@{host}")
}
