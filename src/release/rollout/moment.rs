//! What a judge looks at.

use std::time::Instant;

use super::{Goal, Limits, Picture};

/// One goal, what is known at a moment, and how patient to be.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// What is known.
    pub picture: &'a Picture,
    /// What is waited for.
    pub goal: &'a Goal,
    /// How patient to be.
    pub limits: &'a Limits,
    /// When.
    pub now: Instant,
}
