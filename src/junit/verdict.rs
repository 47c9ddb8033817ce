//! What is to be made of a run of tests: by its files, and by how its container ended (DESIGN section 6).

use std::time::Duration;

use super::File;
use super::case::{Case, Outcome};
use super::read::{Said, read};
use crate::error::count;

/// What was found behind a run of tests.
#[derive(Debug, Default)]
pub struct Found {
    /// The exit code of the container.
    pub exit: i32,
    /// Why it was stopped before its end, if it was; then its exit code says nothing.
    pub stopped: Option<String>,
    /// Where it was to leave its files.
    pub path: String,
    /// The files that were there.
    pub files: Vec<File>,
    /// What of it could not be fetched, or is not looked at, a sentence each: a verdict without it would be worth nothing.
    pub lost: Vec<String>,
    /// What was left aside and need not be there, a sentence each.
    pub aside: Vec<String>,
}

/// A case that did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Its name.
    pub name: String,
    /// What it says; may be empty.
    pub message: String,
}

/// What the tests say. The totals are counted from the cases: what a suite's attributes say of them is somebody's sum, and often wrong.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// Why they did not pass, a sentence each; none if they passed.
    pub why: Vec<String>,
    /// How many cases there are.
    pub cases: usize,
    /// How many of them failed.
    pub failed: usize,
    /// How many of them came to no end by themselves.
    pub errored: usize,
    /// How many of them were not run.
    pub skipped: usize,
    /// How many of them passed when they were run again.
    pub flaky: usize,
    /// How long the cases took by their own account.
    pub time: Duration,
    /// The cases that did not pass, in the order of the files.
    pub failing: Vec<Failing>,
    /// Files that were left aside, a sentence each.
    pub aside: Vec<String>,
}

impl Verdict {
    /// Whether they passed.
    pub fn passed(&self) -> bool {
        self.why.is_empty()
    }

    /// The totals, for people: `12 cases, 1 failed, 2 skipped`.
    pub fn totals(&self) -> String {
        let mut parts = vec![count(self.cases, "case")];
        let more =
            [(self.failed, "failed"), (self.errored, "errored"), (self.skipped, "skipped"), (self.flaky, "flaky")];
        parts.extend(more.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")));
        parts.join(", ")
    }
}

/// Judges a run: it is good if some case passed, none failed, every file could be read and the container ended well.
pub fn judge(found: &Found) -> Verdict {
    let mut verdict = Verdict { aside: found.aside.clone(), ..Verdict::default() };
    verdict.why.extend(found.stopped.clone());
    let mut broken = Vec::new();
    let (mut seconds, mut any) = (0.0, false);
    for file in &found.files {
        match read(&file.bytes) {
            Said::Cases(cases) => {
                any = true;
                for case in cases {
                    seconds += case.seconds;
                    verdict.add(case);
                }
            }
            Said::Foreign(root) => {
                verdict.aside.push(format!("`{}` is no JUnit file: it begins with `{root}`", file.name));
            }
            Said::Broken(why) => broken.push(format!("the JUnit file `{}` {why}", file.name)),
        }
    }
    verdict.time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let bad = verdict.failed + verdict.errored;
    // What says why there is nothing says enough.
    let nothing_read = broken.is_empty() && found.lost.is_empty() && found.stopped.is_none();
    if bad > 0 {
        let of = if verdict.cases == 1 { "case".to_owned() } else { format!("{} cases", verdict.cases) };
        let what = match (verdict.failed, verdict.errored) {
            (failed, 0) => format!("{failed} of {of} failed"),
            (0, errored) => format!("{errored} of {of} ended with an error"),
            (failed, errored) => format!("{failed} of {of} failed and {errored} ended with an error"),
        };
        verdict.why.push(what.replace("1 of case", "the only case"));
    } else if !any && nothing_read {
        verdict.why.push(format!("the tests left no JUnit file in `{}`", found.path));
    } else if verdict.cases == 0 && nothing_read {
        verdict.why.push("the JUnit files hold no test case at all".into());
    } else if verdict.cases > 0 && verdict.skipped == verdict.cases {
        verdict.why.push(match verdict.cases {
            1 => "the only test case was skipped".into(),
            all => format!("all {all} test cases were skipped"),
        });
    }
    verdict.why.append(&mut broken);
    verdict.why.extend(found.lost.iter().cloned());
    if found.exit != 0 && found.stopped.is_none() {
        let but = if bad == 0 && verdict.cases > 0 { ", though no case failed" } else { "" };
        verdict.why.push(format!("the tests' container ended with exit code {}{but}", ended(found.exit)));
    }
    verdict
}

impl Verdict {
    fn add(&mut self, case: Case) {
        self.cases += 1;
        let message = match case.outcome {
            Outcome::Passed => return,
            Outcome::Flaky => {
                self.flaky += 1;
                return;
            }
            Outcome::Skipped => {
                self.skipped += 1;
                return;
            }
            Outcome::Failed(message) => {
                self.failed += 1;
                message
            }
            Outcome::Errored(message) => {
                self.errored += 1;
                message
            }
        };
        self.failing.push(Failing { name: case.name, message });
    }
}

/// An exit code, with what the usual ones mean.
fn ended(code: i32) -> String {
    match code {
        126 => "126 (its command cannot be run)".into(),
        127 => "127 (its command was not found)".into(),
        137 => "137 (it was killed; perhaps it had too little memory)".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
