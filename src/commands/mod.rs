//! The verbs, one file each, and what they share.

pub mod completions;
pub mod diff;
pub mod generate;
pub mod history;
pub mod init;
pub mod list;
pub mod lock;
pub mod man;
pub mod rbac;
pub mod record;
pub mod remove;
pub mod rollback;
pub mod schema;
pub mod ship;
pub mod slack;
pub mod status;
pub mod test;
pub mod update;
pub mod validate;

mod checkout;
mod complete;
mod consent;
mod context;
mod item;
mod launch;
mod locked;
mod look;
mod nothing;
mod notify;
mod options;
mod order;
mod pending;
mod refusal;
mod report;
mod rescue;
mod several;
mod story;
mod suite;
mod survey;
mod target;
mod words;

pub use context::{Context, Global, Ground, Way, connect};
use refusal::tell_error;
pub use report::{Report, Wishes};
