//! What to say of a rollout whose time is over.

use super::kind::Kind;
use super::trouble::finding;
use super::{Finding, Goal, Memory};

/// What to say of a rollout that was late: its troubles, or the Jobs that still run, or the `last` trouble that there was (readiness
/// may come and go), or how far it came.
pub fn late(findings: Vec<Finding>, last: Vec<Finding>, line: &str, goals: &[Goal], memory: &Memory) -> Vec<Finding> {
    let runs = |goal: &Goal| memory.last_trouble.get(&goal.uid).filter(|_| goal.kind == Kind::Job).cloned();
    let mut found = if findings.is_empty() { goals.iter().filter_map(runs).collect() } else { findings };
    if found.is_empty() {
        let was = |last: Finding| Finding { message: format!("not long ago: {}", last.message), ..last };
        // Who has stopped by now keeps nothing any more.
        found.extend(last.into_iter().filter(|last| last.reason != "stopping").map(was));
    }
    if found.is_empty() {
        found.push(finding("late", line.to_owned()));
    }
    found
}
