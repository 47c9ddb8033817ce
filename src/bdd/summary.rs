//! What is kept of a run of tests: in the record of its release, for `history`, `status` and Slack.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::count;
use crate::junit::{Failing, Verdict};

/// How many failing cases are kept by name.
const NAMED: usize = 5;

/// A run of tests, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Whether they passed.
    pub passed: bool,
    /// Why they did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// The image that ran.
    pub image: String,
    /// How many cases there are.
    pub cases: usize,
    /// How many of them failed.
    pub failed: usize,
    /// How many of them ended with an error.
    pub errored: usize,
    /// How many of them were not run.
    pub skipped: usize,
    /// How many of them passed when they were run again.
    pub flaky: usize,
    /// How long the run took, in seconds.
    pub seconds: u64,
    /// When it ended, by the clock of who ran it.
    pub finished: Timestamp,
    /// The first cases that did not pass, each with its message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<Case>,
}

/// A case that did not pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What it says; may be empty.
    pub message: String,
}

impl Summary {
    /// Of a verdict.
    pub fn of(verdict: &Verdict, image: &str, took: Duration) -> Self {
        let Verdict { cases, failed, errored, skipped, flaky, .. } = *verdict;
        let case = |failing: &Failing| Case { name: failing.name.clone(), message: failing.message.clone() };
        Self {
            passed: verdict.passed(),
            why: verdict.why.clone(),
            image: image.to_owned(),
            cases,
            failed,
            errored,
            skipped,
            flaky,
            seconds: took.as_secs(),
            finished: Timestamp::now(),
            failing: verdict.failing.iter().take(NAMED).map(case).collect(),
        }
    }

    /// In a few words, for a table: `12 passed`, `2 of 12 failed`, `failed`.
    pub fn short(&self) -> String {
        let bad = self.failed + self.errored;
        match (self.passed, bad) {
            (true, _) => format!("{} passed", self.cases - self.skipped.min(self.cases)),
            (false, 0) => "failed".into(),
            (false, bad) => format!("{bad} of {} failed", self.cases),
        }
    }

    /// In a line: `passed, 12 cases, 1 skipped` or why they did not pass.
    pub fn line(&self) -> String {
        if !self.passed {
            return format!("failed: {}", self.why.join("; "));
        }
        let more = [(self.skipped, "skipped"), (self.flaky, "flaky")];
        let more: String = more.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!(", {n} {word}")).collect();
        format!("passed, {}{more}", count(self.cases, "case"))
    }

    /// The failing cases, one a line, and how many more there are.
    pub fn named(&self) -> Vec<String> {
        let line = |case: &Case| match case.message.as_str() {
            "" => case.name.clone(),
            message => format!("{}: {message}", case.name),
        };
        let mut lines: Vec<String> = self.failing.iter().map(line).collect();
        let more = (self.failed + self.errored).saturating_sub(lines.len());
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        lines
    }
}
