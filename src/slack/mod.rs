//! The room for Slack: an incoming webhook, and what is said there (DESIGN section 6). May import `redact` and `error`.

mod hook;
mod message;

pub use hook::{Hook, PATIENCE};
pub use message::{Kind, Note, said, told};
