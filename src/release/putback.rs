//! The way back: only the fields that the ship changed, to what they were; objects that it created go.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::change::{Changed, TRIES};
use super::diff::{Path, SERVERS, differences, restore, significant};
use super::marks;
use super::ownership;
use super::removal::is_never_removed;
use super::rollout::{is_complete, is_workload};
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::signal;
use crate::ui::{Tone, Ui};
use crate::yaml::Object;

/// What became of the way back.
#[derive(Debug, Default)]
pub struct PutBack {
    /// The workloads as they were restored, those that had to be.
    pub restored: Vec<Object>,
    /// The fields that were put back, object by object.
    pub fields: Vec<(String, Vec<String>)>,
    /// What was made and is removed.
    pub removed: Vec<String>,
    /// What was made and stays, and why.
    pub kept: Vec<String>,
    /// What was left as it is, because somebody else changed it meanwhile.
    pub foreign: Vec<String>,
    /// What could not be put back, and why.
    pub failed: Vec<String>,
    /// What was deleted, and may still be going.
    pub going: Vec<Object>,
}

impl PutBack {
    /// Whether everything is as it was.
    pub fn is_complete(&self) -> bool {
        self.foreign.is_empty() && self.failed.is_empty()
    }
}

/// Takes back what was changed, the last object first. While the API server is away it is tried again, for `patience`.
pub fn put_back(kubectl: &Kubectl<'_>, changed: &[Changed], patience: Duration, ui: &Ui) -> PutBack {
    let mut result = PutBack::default();
    let started = Instant::now();
    for change in changed.iter().rev() {
        let mut lost = 0;
        loop {
            match one(kubectl, change, &mut result, ui) {
                Ok(()) => break,
                Err(error) if error.reason == Reason::Conflict && lost < TRIES => lost += 1,
                Err(error)
                    if error.reason == Reason::Unreachable && started.elapsed() < patience && !signal::insisted() =>
                {
                    ui.wait(started, "the API server does not answer, trying again");
                    std::thread::sleep(Duration::from_secs(1));
                }
                Err(error) => {
                    result.failed.push(format!("{}: {}", change.after, error.said));
                    break;
                }
            }
        }
    }
    ui.rest();
    result
}

fn one(kubectl: &Kubectl<'_>, change: &Changed, result: &mut PutBack, ui: &Ui) -> Result<(), KubectlError> {
    let object = &change.after;
    let now = kubectl.live(std::slice::from_ref(object), &false.into())?.into_iter().next();
    match (&change.before, now) {
        (None, None) => Ok(()),
        (None, Some(now)) => {
            // Created by us, if the server's answer to our apply knew no other writer; or where the answer was lost, if there is none now.
            let ours = if change.answered {
                now.uid() == object.uid() && (ownership::is_ours_alone(object) || ownership::is_bare(object))
            } else {
                ownership::is_ours_alone(&now)
            };
            if !ours {
                result.foreign.push(format!("{object} was made by somebody else meanwhile"));
                return Ok(());
            }
            if let Some(why) = stays(&now) {
                ui.say(Tone::Plain, format!("  {object} {why}"));
                result.kept.push(format!("{object} {why}"));
                return Ok(());
            }
            remove(kubectl, now, result, ui)
        }
        (Some(_), None) => {
            result.foreign.push(format!("{object} was deleted by somebody else meanwhile"));
            Ok(())
        }
        (Some(before), Some(now)) if before.uid() != now.uid() => {
            result.foreign.push(format!("{object} was deleted and made again by somebody else meanwhile"));
            Ok(())
        }
        (Some(before), Some(now)) => {
            let mut foreign = Vec::new();
            let target = target(before, object, &now, &mut foreign);
            let changes = differences(now.json(), target.json());
            if !changes.is_empty() || !marks::are_same(&now, &target) {
                let answer = kubectl.put(&target)?;
                let fields: BTreeSet<String> = changes.iter().map(|change| change.path.short()).collect();
                if !fields.is_empty() {
                    ui.say(Tone::Plain, format!("  {object}   put back: {}", shortened(&fields)));
                    result.fields.push((object.to_string(), fields.into_iter().collect()));
                }
                if is_workload(&answer) {
                    result.restored.push(answer);
                }
            } else if is_workload(&now) && !differences(before.json(), object.json()).is_empty() {
                // Put back already, by a write whose answer was lost: its pods are watched all the same.
                result.restored.push(now.clone());
            }
            result
                .foreign
                .extend(foreign.iter().map(|path| format!("{object} {path} was changed by somebody else meanwhile")));
            Ok(())
        }
    }
}

/// What is never deleted, on no path, and what has done what cannot be undone.
fn stays(object: &Object) -> Option<&'static str> {
    if is_never_removed(object) {
        return Some("stays");
    }
    match (object.group(), object.kind()) {
        // Kept, it says that it ran: the next ship of the same does not run it again.
        ("batch", "Job") if is_complete(object) => Some("ran and stays"),
        _ => None,
    }
}

/// Deletes an object that the ship created, with what it owns.
fn remove(kubectl: &Kubectl<'_>, now: Object, result: &mut PutBack, ui: &Ui) -> Result<(), KubectlError> {
    match kubectl.delete(&now) {
        Err(error) if error.reason == Reason::NotFound => {
            // Gone already; or of a kind whose path is another than we think.
            let still = kubectl.live(std::slice::from_ref(&now), &false.into())?;
            return if now.among(&still).is_some_and(|still| still.uid() == now.uid()) { Err(error) } else { Ok(()) };
        }
        other => other?,
    }
    let claims = if now.list("/spec/volumeClaimTemplates").is_empty() { "" } else { " (the claims that it made stay)" };
    ui.say(Tone::Plain, format!("  {now}   removed{claims}"));
    result.removed.push(now.to_string());
    result.going.push(now);
    Ok(())
}

/// What the system's controllers write beside us, and nobody decides about.
const CONTROLLERS: [&str; 2] = ["deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"];

fn shortened(fields: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = fields.iter().map(String::as_str).take(4).collect();
    let more = fields.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The live object with what we changed as it was. What the server keeps (resource version, owners, status) stays as it is now,
/// so that the write is refused if the object moved in between.
fn target(before: &Object, after: &Object, now: &Object, foreign: &mut Vec<Path>) -> Object {
    let mut restored =
        restore(&significant(before.json()), &significant(after.json()), &significant(now.json()), foreign);
    if let (Some(metadata), Some(live)) =
        (restored.get_mut("metadata").and_then(Value::as_object_mut), now.json()["metadata"].as_object())
    {
        for (key, value) in live {
            if SERVERS.contains(&key.as_str()) {
                metadata.insert(key.clone(), value.clone());
            }
        }
        // The controllers' own annotations are none of ours.
        for key in CONTROLLERS {
            let Some(number) = live.get("annotations").and_then(|annotations| annotations.get(key)) else { continue };
            let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Some(annotations) = annotations.as_object_mut() {
                annotations.insert(key.into(), number.clone());
            }
        }
    }
    if let (Some(map), Some(status)) = (restored.as_object_mut(), now.json().get("status")) {
        map.insert("status".into(), status.clone());
    }
    marks::copy(before, &mut restored);
    // Kind and name are those of the live object.
    Object::new(restored).unwrap_or_else(|_| now.clone())
}
