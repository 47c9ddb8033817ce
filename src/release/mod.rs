//! Releases: what would change, the record, the transaction, the watch, the way back.
//! May import `kubectl`, `git`, `bdd`, and the leaves.

mod change;
mod commit;
mod counts;
mod diff;
mod drift;
mod ending;
mod equivalent;
mod evidence;
mod fields;
pub mod files;
mod foresight;
mod gone;
mod history;
mod images;
pub mod lock;
mod marks;
mod nature;
mod ownership;
mod permissions;
mod plan;
mod preflight;
mod putback;
mod reading;
mod record;
mod recovery;
mod rejection;
mod removal;
mod retention;
mod retirement;
mod reversible;
mod rollout;
mod step;
mod store;
mod tested;
mod testing;
mod together;
mod transaction;
mod turns;
mod unmanaged;
mod version;
mod waits;
mod watching;

pub use counts::{keep_count, leave_autoscaled};
pub use diff::significant;
pub use drift::{Drift, Fate, drift};
pub use ending::Ended;
pub use foresight::Word;
pub use history::{History, same_objects};
pub use images::{has_images, images, keep_images};
pub use nature::{Change, Nature, What};
pub use permissions::{Permission, deployer, reader};
pub use plan::{Images, Plan, Road};
pub use preflight::{Finding, Load, Weight, Where, adoptable, foreign, quota, scaling};
pub use reading::{Reading, Running, Wanted, not_permitted, running};
pub use record::{Body, Outcome, Release, VersionFrom};
pub use recovery::{Choice, Means, Patience, Reach, Stranded};
pub use removal::unremoved;
pub use retirement::{is_end, retire};
pub use reversible::irreversible_since;
pub use rollout::{
    Ending, Feed, Goal, Kind, Limits, Memory, Picture, Verdict, folded, is_workload, judge, pod_selectors,
};
pub use step::JobRun;
pub use store::note_tests;
pub use testing::{Subject, Tested};
pub use together::Together;
pub use transaction::{Request, rehearse, run};
pub use turns::{Place, Turns};
pub use unmanaged::unmanaged;
pub use version::{image_of, main_object, repository, version_of};
pub use watching::{feed, follow, look};

/// Who ships: `user@host`.
pub fn who() -> String {
    let user = whoami::username().unwrap_or_else(|_| "somebody".into());
    let host = whoami::hostname().unwrap_or_else(|_| "somewhere".into());
    format!("{user}@{host}")
}
