//! Releases: what would change, the record, the transaction, the watch, the way back.
//! May import `kubectl`, `git`, and the leaves.

mod change;
mod counts;
mod diff;
mod ending;
mod evidence;
mod fields;
mod gone;
mod ownership;
mod permissions;
mod plan;
mod putback;
mod reading;
mod record;
mod rejection;
mod rollout;
mod step;
mod transaction;
mod version;

pub use counts::{keep_count, leave_autoscaled};
pub use ownership::unmanaged;
pub use plan::{Change, Nature, Plan, Road};
pub use reading::{Reading, running_version};
pub use record::{Body, History, Outcome, Release, VersionFrom, same_objects};
pub use rollout::{Ending, Goal, Kind, Limits, Memory, Picture, Verdict, folded, is_workload, judge, pod_selectors};
pub use step::JobRun;
pub use transaction::{Request, look, run};
pub use version::{main_object, version_of};

/// Who ships: `user@host`.
pub fn who() -> String {
    let user = whoami::username().unwrap_or_else(|_| "somebody".into());
    let host = whoami::hostname().unwrap_or_else(|_| "somewhere".into());
    format!("{user}@{host}")
}
