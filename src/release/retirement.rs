//! Retiring a service: what of it goes, by its records. Claims, volumes, namespaces and definitions stay, on every path.

use std::sync::atomic::AtomicBool;
use std::thread::scope;

use super::foresight::Word;
use super::history::History;
use super::permissions::{Permission, permissions};
use super::preflight::Finding;
use super::reading::{Reading, deletion, not_permitted};
use super::record::Release;
use super::removal::{SERVICE_LABEL, is_never_removed, is_removable};
use crate::error::Failure;
use crate::kubectl::{Kubectl, Partial};
use crate::yaml::Object;

/// Reads what is there of a service that goes as a whole: what its running release brought, what the ones before it were to remove and did
/// not, and what stays behind each release for a way back: files and Jobs.
///
/// # Errors
/// If the cluster does not answer, or the records may not be read. Nothing was changed.
pub fn retire(kubectl: &Kubectl<'_>, service: &str) -> anyhow::Result<Reading> {
    kubectl.reach()?;
    let none = AtomicBool::new(false);
    let history = History::read(kubectl, service, &none)?;
    if history.running().is_none() {
        let place = format!("namespace `{}` of context `{}`", kubectl.namespace(), kubectl.context());
        return Err(Failure::refused(format!("`{service}` was never deployed by shipcat to {place}"))
            .hint("what others made is theirs to remove; `shipcat list` shows what was shipped")
            .into());
    }
    let named = named(&history);
    let objects: Vec<Object> = named.iter().map(|(object, _)| object.clone()).collect();
    let mut wanted: Vec<Permission> = objects.iter().map(deletion).collect();
    wanted.extend(permissions(&[], kubectl.records()));
    let (live, forbidden) = scope(|scope| {
        let forbidden = scope.spawn(|| kubectl.forbidden(&wanted, &none));
        let live = if objects.is_empty() { Ok(Vec::new()) } else { kubectl.live(&objects, &none) };
        (live, forbidden.join())
    });
    let live = live.map_err(|error| error.refused("cannot read the live objects"))?;
    let forbidden = forbidden.map_err(|_| anyhow::anyhow!("shipcat itself failed while it read from the cluster"))?;
    let mut findings = Vec::new();
    match forbidden {
        Ok(list) => findings.extend(not_permitted(kubectl, &list)),
        Err(error) => {
            let failure = error.refused("cannot ask what you may do in the cluster");
            findings.push(Finding::refusal(failure.message, failure.hints.join("; ")));
        }
    }
    let left_over = live.into_iter().filter(|live| is_ours(live, &named, service)).collect();
    Ok(Reading {
        live: Vec::new(),
        expected: Vec::new(),
        word: Word::Server,
        is_rejected: false,
        history,
        no_history: None,
        limits: Partial::default(),
        left_over,
        findings,
    })
}

/// What may be there of a service, each with the uid that it had, where that is known. In the order in which it goes: the last first.
fn named(history: &History) -> Vec<(Object, String)> {
    let mut found: Vec<(Object, String)> = Vec::new();
    let running = history.running().map(|running| running.number);
    for release in &history.0 {
        let is_running = running == Some(release.number);
        let leftovers = release.body.leftovers.iter().filter_map(|value| Object::new(value.clone()).ok());
        let leftovers: Vec<Object> = if is_running { leftovers.collect() } else { Vec::new() };
        let known = [release.answers(), leftovers.clone()].concat();
        for object in [release.objects(), leftovers].concat().into_iter().rev() {
            // Of what an older release had and the running one has not, that was removed, or somebody else's by now.
            let is_meant = is_running || !is_removable(&object);
            if is_meant && !is_never_removed(&object) && !found.iter().any(|(known, _)| known.is(&object)) {
                let uid = object.among(&known).map(Object::uid).unwrap_or_default().to_owned();
                found.push((object, uid));
            }
        }
    }
    found
}

/// Whether a live object is the very one that a release of the service brought; one that is going already is waited for like the others.
fn is_ours(live: &Object, named: &[(Object, String)], service: &str) -> bool {
    let Some((brought, uid)) = named.iter().find(|(object, _)| object.is(live)) else { return false };
    let label = |object: &Object| object.json()["metadata"]["labels"][SERVICE_LABEL].as_str().map(str::to_owned);
    // Objects that were taken over keep their own labels.
    (uid.is_empty() || uid == live.uid()) && (label(brought).is_none() || label(live).as_deref() == Some(service))
}

/// Whether a release is the end of its service: it brought nothing.
pub fn is_end(release: &Release) -> bool {
    release.body.objects.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::record::{Outcome, tests::release};
    use super::*;
    use serde_json::{Value, json};

    fn object(kind: &str, name: &str, more: Value) -> Value {
        let mut value =
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": {SERVICE_LABEL: "w"}}});
        value.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        value
    }

    #[test]
    fn all_that_runs_goes_and_what_stayed_behind_older_ones_but_never_a_claim() {
        let mut history = History(vec![release(2, Outcome::Deployed, "b"), release(1, Outcome::Deployed, "a")]);
        let file = |name| object("ConfigMap", name, json!({"immutable": true}));
        history.0[0].body.objects =
            vec![object("PersistentVolumeClaim", "c", json!({})), file("f2"), object("Service", "w", json!({}))];
        history.0[1].body.objects = vec![file("f1"), object("Service", "gone", json!({}))];
        let named = named(&history);
        let names: Vec<&str> = named.iter().map(|(object, _)| object.name()).collect();
        assert_eq!(names, ["w", "f2", "f1"]);
        let live = |label: &str, uid: &str| {
            let mut live = object("Service", "w", json!({}));
            live["metadata"]["labels"][SERVICE_LABEL] = label.into();
            live["metadata"]["uid"] = uid.into();
            Object::new(live).unwrap()
        };
        assert!(is_ours(&live("w", "u"), &named, "w"));
        assert!(!is_ours(&live("other", "u"), &named, "w"));
        let known = [(named[0].0.clone(), "u".to_owned())];
        assert!(is_ours(&live("w", "u"), &known, "w") && !is_ours(&live("w", "v"), &known, "w"));
    }
}
