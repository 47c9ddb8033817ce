//! How a plan is told.

use std::collections::BTreeSet;

use super::look::Look;
use super::words::{self, Said};
use crate::error::count;
use crate::kubectl::Kubectl;
use crate::manifest::Environment;
use crate::release::{Drift, Fate, Finding, JobRun, Weight};
use crate::ui::{Tone, Ui};

/// How many fields are told before it is only counted.
const FIELDS: usize = 20;

/// What is being done, and where.
pub fn heading(what: &str, environment: &Environment, kubectl: &Kubectl<'_>, ui: &Ui) {
    ui.say(
        Tone::Plain,
        format!("{what} in {} (context {}, namespace {})", environment.name, kubectl.context(), kubectl.namespace()),
    );
}

/// The workloads whose number of pods is left alone.
pub fn autoscaled(workloads: &[String], ui: &Ui) {
    match workloads {
        [] => {}
        [_] => ui.say(Tone::Dim, "  the number of pods is an autoscaler's, and left to it"),
        several => {
            let names = crate::error::join_and(several);
            ui.say(Tone::Dim, format!("  the numbers of pods of {names} are autoscalers', and left to them"));
        }
    }
}

/// Every change, one a line.
pub fn changes(look: &Look, ui: &Ui) {
    let plan = &look.plan;
    let lines = lines(&words::said(&plan.changes));
    for line in lines.iter().take(FIELDS) {
        ui.say(Tone::Plain, line);
    }
    if lines.len() > FIELDS {
        ui.say(Tone::Dim, format!("  and {}", count(lines.len() - FIELDS, "more field")));
    }
    for line in drift(&look.drift) {
        ui.say(Tone::Warn, line);
    }
    for step in &plan.steps {
        if let Some(JobRun::Again(failed)) = &step.job {
            ui.say(Tone::Plain, format!("  {failed} failed before: it is deleted, with its pods, and runs again"));
        }
    }
    let taken: BTreeSet<&str> = plan
        .steps
        .iter()
        .filter_map(|step| step.takeover.as_ref())
        .flat_map(|t| t.from.iter().map(String::as_str))
        .collect();
    let others: Vec<&str> = taken.into_iter().filter(|manager| *manager != "shipcat").collect();
    if !others.is_empty() {
        ui.say(Tone::Dim, format!("  fields that {} wrote become shipcat's", crate::error::join_and(&others)));
    }
    unmanaged(&look.unmanaged, ui);
}

/// Changes as lines of a table: object, nature, what.
pub fn lines(said: &[Said]) -> Vec<String> {
    let width = said.iter().map(|said| said.object.chars().count()).max().unwrap_or_default();
    said.iter()
        .map(|said| {
            format!("  {:width$}   {:6}   {}", said.object, said.nature.word(), said.detail).trim_end().to_owned()
        })
        .collect()
}

/// What somebody changed by hand, one a line, with who and what becomes of it.
pub fn drift(drift: &[Drift]) -> Vec<String> {
    drift
        .iter()
        .flat_map(|drift| {
            let by = drift.by.as_ref().map(|by| format!(" by `{by}`")).unwrap_or_default();
            let fate = match drift.fate {
                Fate::PutBack => "is put back",
                Fate::Replaced => "is replaced",
                Fate::Stays => "stays",
                Fate::MadeAgain => "is made again",
            };
            words::said(std::slice::from_ref(&drift.change)).into_iter().map(move |said| match said.detail.as_str() {
                "" => format!("  {} was deleted by hand, and {fate}", said.object),
                detail => format!("  {} {detail}: changed by hand{by}, and {fate}", said.object),
            })
        })
        .collect()
}

/// What others put into the objects and no manifest has: it stays, and is told.
pub fn unmanaged(found: &[(String, String, Vec<String>)], ui: &Ui) {
    for (object, manager, paths) in found {
        let shown = paths.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        let more = if paths.len() > 4 { format!(" and {} more", paths.len() - 4) } else { String::new() };
        ui.say(Tone::Warn, format!("  {object} also has {shown}{more}, written by `{manager}` and left alone"));
    }
}

/// What is worth knowing before, and no refusal.
pub fn findings(findings: &[Finding], ui: &Ui) {
    for finding in findings {
        let (tone, word) = match finding.weight {
            Weight::Refusal => continue,
            Weight::Warning => (Tone::Warn, "warning: "),
            Weight::Note => (Tone::Dim, ""),
        };
        ui.say(tone, format!("  {word}{}", finding.what));
        if !finding.todo.is_empty() {
            ui.say(Tone::Dim, format!("    {}", finding.todo));
        }
    }
}
