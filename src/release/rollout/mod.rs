//! The rollout: what is seen of it, and what that means.

mod goal;
mod memory;
mod picture;
mod trouble;
mod verdict;
mod watch;

pub use goal::{Goal, Limits};
pub use memory::Memory;
pub use picture::Picture;
pub use trouble::{Finding, folded};
pub use verdict::{Verdict, judge};
pub use watch::{Ending, Watch};
