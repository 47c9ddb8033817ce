//! A look, for programs. The shape is versioned: fields may come, none goes or changes its meaning within a version.

use serde_json::{Value, json};

use super::super::Context;
use super::super::look::Look;
use super::super::report::change;
use super::text;
use crate::kubectl::Kubectl;
use crate::release::{Fate, Weight, Word, main_object, version_of};

/// The version of the shape.
const VERSION: u32 = 1;

/// All of them.
pub fn all(looks: &[Look], context: &Context, kubectl: &Kubectl<'_>) -> Value {
    let services: Vec<Value> = looks.iter().map(one).collect();
    json!({
        "version": VERSION,
        "environment": context.environment.name.as_ref(),
        "context": kubectl.context(),
        "namespace": kubectl.namespace(),
        "differs": looks.iter().any(Look::differs),
        "canShip": looks.iter().all(Look::may_ship),
        "services": services,
    })
}

fn one(look: &Look) -> Value {
    let order = &look.order;
    let live = main_object(&look.reading.live, &order.service);
    let release = look.reading.history.running().map(|release| {
        json!({
            "number": release.number,
            "version": release.body.version,
            "command": release.body.command,
            "who": release.body.who,
            "started": release.body.started.to_string(),
            "git": release.body.git,
        })
    });
    let drift: Vec<Value> = look
        .drift
        .iter()
        .map(|drift| {
            let fate = match drift.fate {
                Fate::PutBack => "putBack",
                Fate::Replaced => "replaced",
                Fate::Stays => "stays",
                Fate::MadeAgain => "madeAgain",
            };
            let mut value = change(&drift.change);
            value["by"] = drift.by.clone().into();
            value["fate"] = fate.into();
            value
        })
        .collect();
    let unmanaged: Vec<Value> = look
        .unmanaged
        .iter()
        .map(|(object, manager, fields)| json!({"object": object, "by": manager, "fields": fields}))
        .collect();
    let findings: Vec<Value> = look
        .findings
        .iter()
        .map(|finding| {
            let weight = match finding.weight {
                Weight::Refusal => "refusal",
                Weight::Warning => "warning",
                Weight::Note => "note",
            };
            json!({"weight": weight, "what": finding.what, "todo": finding.todo})
        })
        .collect();
    json!({
        "service": order.service,
        "version": order.version.to_string(),
        "running": live.and_then(|main| version_of(main, &order.service)),
        "release": release,
        "comparedWith": if look.reading.word == Word::Server { "dryRun" } else { "live" },
        "differs": look.differs(),
        "summary": text::summary(look),
        "restarts": look.restarts(),
        "changes": look.plan.changes.iter().map(change).collect::<Vec<_>>(),
        "changedByHand": drift,
        "unmanaged": unmanaged,
        "canShip": look.may_ship(),
        "findings": findings,
    })
}
