//! The rollout: what is seen of it, and what that means.

mod memory;
mod picture;
mod trouble;
mod verdict;
mod watch;

pub use memory::Memory;
pub use picture::Picture;
pub use trouble::{Finding, folded};
pub use verdict::{Goal, Limits, Verdict, judge};
pub use watch::{Ending, Watch};
