//! The verbs, one file each, and what they share.

pub mod generate;
pub mod history;
pub mod init;
pub mod rollback;
pub mod schema;
pub mod ship;
pub mod status;
pub mod validate;

mod context;
mod story;
mod survey;

pub use context::{Context, Global, Ground, connect};
