//! Why a release failed.

use std::time::Duration;

use super::rollout::{Ending, Finding};
use crate::bdd::Summary;
use crate::kubectl::KubectlError;
use crate::signal;
use crate::ui::seconds;

/// Why a release failed.
#[derive(Debug)]
pub enum Trouble {
    /// It will not come up.
    Rollout(Vec<Finding>),
    /// It is not up in time.
    Late(Vec<Finding>),
    /// Somebody else was at work.
    Superseded(String),
    /// The lock is lost.
    Lockless(String),
    /// The run that made it died.
    Died,
    /// A signal came.
    Interrupted(u8),
    /// Another release failed that it stands or falls with.
    Abandoned(String),
    /// The API server did not take it.
    Change(KubectlError),
    /// Nothing can be seen.
    Blind(String),
    /// The tests failed; with what was in trouble then.
    Tests(Summary, Vec<Finding>),
    /// The tests could not be run.
    Untested(String),
    /// Somebody else changed it while it was tested.
    Void(String),
}

impl Trouble {
    /// The word for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Rollout(findings) => findings.first().map_or("rollout", |finding| finding.reason),
            Self::Late(_) => "timeout",
            Self::Superseded(_) => "superseded",
            Self::Lockless(_) => "lock",
            Self::Died => "died",
            Self::Interrupted(_) => "interrupted",
            Self::Abandoned(_) => "together",
            Self::Change(_) => "apply",
            Self::Blind(_) => "unreachable",
            Self::Tests(..) => "tests",
            Self::Untested(_) => "untested",
            Self::Void(_) => "void",
        }
    }

    /// What the end of a watch means for a release; nothing, if it is a good one.
    pub fn of(ending: Ending) -> Option<Self> {
        Some(match ending {
            Ending::Good => return None,
            Ending::Doomed(findings) => Self::Rollout(findings),
            Ending::Late(findings) => Self::Late(findings),
            Ending::Superseded(why) => Self::Superseded(why),
            Ending::Lockless(why) => Self::Lockless(why),
            Ending::Interrupted(signal) => Self::Interrupted(signal),
            Ending::Abandoned(why) => Self::Abandoned(why),
            Ending::Blind(why) => Self::Blind(why),
        })
    }

    /// What failed, in a line; `timeout` is how long it had.
    pub fn why(&self, timeout: Duration) -> String {
        match self {
            Self::Rollout(findings) => findings.first().map_or("it failed".into(), |finding| finding.message.clone()),
            Self::Late(findings) => {
                let why =
                    findings.first().map_or("its pods are not all ready".into(), |finding| finding.message.clone());
                format!("not up within {}: {why}", seconds(timeout))
            }
            Self::Superseded(why) => why.clone(),
            Self::Interrupted(signal) => format!("interrupted by {}", signal::name(*signal)),
            Self::Change(error) => format!("the change was not taken: {}", error.said),
            Self::Blind(why) => format!("the rollout cannot be watched: {why}"),
            Self::Lockless(why) | Self::Abandoned(why) => why.clone(),
            Self::Died => "its run died".to_owned(),
            Self::Tests(summary, _) => match summary.failing.first() {
                Some(case) => format!("tests: {}, the first is {}", summary.why.join("; "), case.name),
                None => format!("tests: {}", summary.why.join("; ")),
            },
            Self::Untested(why) => format!("the tests could not be run: {why}"),
            Self::Void(why) => format!("the verdict of the tests is void: {why}"),
        }
    }
}
