//! How a plan is told.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::count;
use crate::kubectl::Kubectl;
use crate::manifest::Environment;
use crate::release::{self, Change, JobRun, Nature, Plan};
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
pub fn changes(plan: &Plan, ui: &Ui) {
    let width = plan.changes.iter().map(|change| change.object.chars().count()).max().unwrap_or_default();
    let line =
        |change: &Change| format!("  {:width$}   {:6}   {}", change.object, change.nature.word(), detail(change));
    let mut lines: Vec<String> = plan.changes.iter().map(line).collect();
    // Containers that share an image change alike.
    lines.dedup();
    for line in lines.iter().take(FIELDS) {
        ui.say(Tone::Plain, line.trim_end());
    }
    if lines.len() > FIELDS {
        ui.say(Tone::Dim, format!("  and {} more", count(lines.len() - FIELDS, "field")));
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
}

/// What others put into the objects and no manifest has: it stays, and is told.
pub fn unmanaged(plan: &Plan, ui: &Ui) {
    for step in plan.steps.iter().filter(|step| step.takeover.is_none() && step.is_applied()) {
        let Some(before) = &step.before else { continue };
        for (manager, paths) in release::unmanaged(before, &step.desired) {
            let shown = paths.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
            let more = if paths.len() > 4 { format!(" and {} more", paths.len() - 4) } else { String::new() };
            ui.say(Tone::Warn, format!("  {before} also has {shown}{more}, written by `{manager}` and left alone"));
        }
    }
}

fn detail(change: &Change) -> String {
    let Some(difference) = &change.difference else { return String::new() };
    let values = match (&difference.from, &difference.to) {
        (Some(from), Some(to)) => format!("{} -> {}", short(from, change.nature), short(to, change.nature)),
        (Some(from), None) => format!("{} removed", short(from, change.nature)),
        (None, Some(to)) => format!("{} added", short(to, change.nature)),
        (None, None) => String::new(),
    };
    if change.nature == Nature::Image { values } else { format!("{}: {values}", difference.path.short()) }
}

fn short(value: &Value, nature: Nature) -> String {
    let text = match value {
        Value::String(text) if nature == Nature::Image => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() > 70 { format!("{}...", text.chars().take(67).collect::<String>()) } else { text }
}
