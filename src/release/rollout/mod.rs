//! The rollout: what is seen of it, and what that means.

mod daemon_set;
mod deployment;
mod feed;
mod goal;
mod job;
mod kind;
mod late;
mod memory;
mod moment;
mod near;
mod picture;
mod progress;
mod pull;
mod selector;
mod settled;
mod short;
mod stateful_set;
mod stopping;
mod streams;
mod stuck;
mod trouble;
mod unready;
mod verdict;
mod watch;
mod words;

pub use daemon_set::has_no_node;
pub use feed::Feed;
pub use goal::{Goal, Limits};
pub use job::{is_complete, is_failed};
pub use kind::{Kind, is_on_delete, is_workload, template_path};
pub use memory::Memory;
pub use picture::Picture;
pub use settled::unprobed;
pub use stateful_set::partition;
pub use streams::{pod_selectors, streams};
pub use trouble::{Finding, folded};
pub use verdict::{Verdict, judge};
pub use watch::{Ending, Watch};
pub use words::{is_missing, last_words};

#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
pub use trouble::finding;
