//! How a release ended, for those who tell others.

use std::path::PathBuf;

use super::evidence::Failing;
use crate::bdd::Summary;
use crate::error::Exit;

/// How a release ended, for those who tell others.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The state in which the cluster is.
    pub exit: Exit,
    /// The word for machines, where it did not go well: one of a [`super::rollout::Finding`]'s, or of [`super::Trouble::reason`]'s.
    pub reason: Option<&'static str>,
    /// Why it failed, in a line.
    pub why: Option<String>,
    /// What its tests said, if they were run.
    pub tests: Option<Summary>,
    /// The number of its record, if it got that far.
    pub number: Option<u32>,
    /// What was in trouble.
    pub failing: Vec<Failing>,
    /// What became of the way back, where one was gone.
    pub back: Option<Back>,
    /// The folder in which the evidence is kept.
    pub evidence: Option<PathBuf>,
}

impl Ended {
    /// Nothing more is known of it.
    pub fn at(exit: Exit) -> Self {
        Self {
            exit,
            reason: None,
            why: None,
            tests: None,
            number: None,
            failing: Vec::new(),
            back: None,
            evidence: None,
        }
    }

    /// The same for a reason.
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }
}

/// What became of the way back.
#[derive(Debug, Clone, Default)]
pub struct Back {
    /// Whether all is as it was, and came up again.
    pub complete: bool,
    /// The fields that were put back, object by object.
    pub fields: Vec<(String, Vec<String>)>,
    /// What was made and is removed.
    pub removed: Vec<String>,
    /// What was made and stays, and why.
    pub kept: Vec<String>,
    /// What is not as it was, and why.
    pub left: Vec<String>,
}
