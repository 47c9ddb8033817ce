//! What stands in the way of one or several services, and how that is told.

use anyhow::Result;

use super::look::Look;
use crate::error::{Exit, Failure};
use crate::release::{Finding, Weight};
use crate::ui::{Tone, Ui};

/// What was found at several looks: with the service's name in front where it is about that one alone.
pub fn findings(looks: &[&Look]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for look in looks {
        for finding in &look.findings {
            let of = |other: &&&Look| other.findings.iter().any(|one| one.what == finding.what);
            let mut finding = finding.clone();
            if looks.len() > 1 && looks.iter().filter(of).count() == 1 {
                finding.what = format!("{}: {}", look.order.service, finding.what);
            }
            if !found.iter().any(|known| known.what == finding.what) {
                found.push(finding);
            }
        }
    }
    found
}

/// Refuses if anything stands in the way, with all of it.
///
/// # Errors
/// What stands in the way.
pub fn refuse(findings: &[Finding]) -> Result<()> {
    let refusals: Vec<&Finding> = findings.iter().filter(|finding| finding.weight == Weight::Refusal).collect();
    let Some((last, others)) = refusals.split_last() else { return Ok(()) };
    let failure = |finding: &Finding| {
        let failure = Failure::refused(&finding.what);
        if finding.todo.is_empty() { failure } else { failure.hint(&finding.todo) }
    };
    Err(Failure { beside: others.iter().map(|finding| failure(finding)).collect(), ..failure(last) }.into())
}

/// Tells an error of one of several, with what to do about it. Nothing was changed.
pub fn tell_error(error: &anyhow::Error, ui: &Ui) -> Exit {
    let failure = error.chain().find_map(|cause| cause.downcast_ref::<Failure>());
    let tell = |message: String, hints: &[String]| {
        ui.say(Tone::Bad, format!("error: {message}"));
        for hint in hints {
            ui.say(Tone::Plain, format!("hint: {hint}"));
        }
    };
    for other in failure.map(|failure| failure.beside.as_slice()).unwrap_or_default() {
        tell(other.to_string(), &other.hints);
    }
    tell(format!("{error:#}"), failure.map(|failure| failure.hints.as_slice()).unwrap_or_default());
    failure.map_or(Exit::Refused, |failure| failure.exit)
}
