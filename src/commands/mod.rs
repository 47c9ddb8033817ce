//! The verbs, one file each, and what they share.

pub mod generate;
pub mod history;
pub mod rollback;
pub mod ship;
pub mod status;

mod context;
mod story;

pub use context::{Context, Global};
