//! The object that a program gets of what became of releases, or of a command that could not answer. The shape is versioned: fields may come,
//! none goes or changes its meaning within a version.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::several::{Outcome, state};
use super::super::words;
use super::{End, Recovered, Wrong};
use crate::error::Rendered;
use crate::origin::Origin;
use crate::release::{Back, Change, Ended, Failing, What};

/// The version of the shape.
const VERSION: u32 = 1;

/// All of it.
pub fn of(end: &End<'_>) -> Value {
    let place = &end.said.place;
    let mut value = json!({
        "version": VERSION,
        "command": end.wishes.command,
        "environment": place.environment,
        "exitCode": end.exit.code(),
        "outcome": end.word(),
        "reason": end.reason(),
        "error": end.wrong.map(wrong),
    });
    if end.wishes.releases() {
        let Origin { who, build } = Origin::here();
        let Some(map) = value.as_object_mut() else { return value };
        map.insert("context".into(), place.context.clone().into());
        map.insert("namespace".into(), place.namespace.clone().into());
        map.insert("who".into(), who.into());
        map.insert("build".into(), build.into());
        map.insert("seconds".into(), seconds(end.story.elapsed()));
        let is_rehearsal = end.said.commands.is_some();
        let services = end.said.outcomes.iter().map(|one| service(one, is_rehearsal, &end.wishes.command));
        map.insert("services".into(), services.collect());
        map.insert("recovered".into(), end.said.recovered.iter().map(recovered).collect());
        map.insert("commands".into(), end.said.commands.clone().into());
    }
    value
}

/// To the millisecond: more is noise.
fn seconds(duration: Duration) -> Value {
    (duration.as_millis() as f64 / 1000.0).into()
}

/// What was wrong.
pub fn wrong(wrong: &Wrong) -> Value {
    json!({
        "code": wrong.exit.code(),
        "message": wrong.message,
        "hints": wrong.hints,
        "problems": wrong.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

/// A mistake in the files, or what stands in the way.
pub fn problem(problem: &Rendered) -> Value {
    let is_somewhere = problem.line > 0;
    json!({
        "file": is_somewhere.then(|| problem.path.display().to_string()),
        "line": is_somewhere.then_some(problem.line),
        "column": is_somewhere.then_some(problem.column),
        "message": problem.message,
        "hint": problem.hint,
        "environments": problem.environments,
    })
}

fn service(outcome: &Outcome, is_rehearsal: bool, command: &str) -> Value {
    let ended = outcome.ended.as_ref();
    json!({
        "service": outcome.service,
        "from": outcome.former,
        "to": (command != "remove").then_some(&outcome.version),
        "release": ended.and_then(|ended| ended.number),
        "outcome": if outcome.is_begun() || is_rehearsal { state(outcome.exit, outcome.was_nothing, is_rehearsal) } else { "not-begun" },
        "exitCode": outcome.exit.code(),
        "reason": outcome.reason(),
        "why": outcome.why(),
        "nature": outcome.nature,
        "changes": outcome.changes.iter().map(change).collect::<Vec<_>>(),
        "git": outcome.git,
        "seconds": outcome.took.map(seconds),
        "tests": ended.and_then(|ended| ended.tests.as_ref()),
        "failing": ended.map(failing).unwrap_or_default(),
        "putBack": ended.and_then(|ended| ended.back.as_ref()).map(back),
        "evidence": ended.and_then(|ended| ended.evidence.as_ref()).map(|folder| folder.display().to_string()),
        "error": outcome.error.as_ref().map(wrong),
    })
}

fn recovered(recovered: &Recovered) -> Value {
    let Recovered { service, version, ended } = recovered;
    json!({
        "service": service,
        "version": version,
        "release": ended.number,
        "outcome": state(ended.exit, false, false),
        "exitCode": ended.exit.code(),
        "reason": ended.reason,
        "why": ended.why,
        "tests": ended.tests,
        "failing": failing(ended),
        "putBack": ended.back.as_ref().map(back),
    })
}

fn failing(ended: &Ended) -> Vec<Value> {
    let one = |failing: &Failing| {
        json!({
            "object": failing.object,
            "container": failing.container,
            "reason": failing.reason,
            "exitCode": failing.exit_code,
            "message": failing.message,
            "log": failing.log,
            "events": failing.events,
        })
    };
    ended.failing.iter().map(one).collect()
}

fn back(back: &Back) -> Value {
    let fields: Vec<Value> =
        back.fields.iter().map(|(object, fields)| json!({"object": object, "fields": fields})).collect();
    json!({
        "complete": back.complete,
        "fields": fields,
        "removed": back.removed,
        "kept": back.kept,
        "left": back.left,
    })
}

/// A change to an object.
pub fn change(change: &Change) -> Value {
    let (field, from, to) = match &change.what {
        What::Object => (Value::Null, Value::Null, Value::Null),
        What::File { key, from, to } => (format!("data[{key}]").into(), from.clone().into(), to.clone().into()),
        What::Field(difference) => (
            difference.path.to_string().into(),
            difference.from.clone().unwrap_or_default(),
            difference.to.clone().unwrap_or_default(),
        ),
    };
    let said = words::said(std::slice::from_ref(change));
    let text = said.first().map(|said| said.detail.clone()).unwrap_or_default();
    json!({"object": change.object, "nature": change.nature.word(), "field": field, "from": from, "to": to, "text": text})
}
