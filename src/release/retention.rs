//! Which releases are kept, and what goes with those that are not.

use super::history::History;
use super::record::{Outcome, Release};
use super::removal::SERVICE_LABEL;
use super::request::Request;
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::process::Cmd;
use crate::ui::{Tone, Ui};
use crate::yaml::Object;

/// How many releases of a service are kept, the newest of all counted.
const KEPT: usize = 10;

/// The releases that go when one more has been made, behind these. The one that runs stays, the deployed one before it, and the one to
/// which a rollback would go, however old they are; `is_deployed` says whether the new one, `own`, is what runs now.
pub fn superfluous(history: &History, own: u32, is_deployed: bool) -> Vec<&Release> {
    let deployed = history.0.iter().filter(|release| release.outcome == Outcome::Deployed);
    let mut needed: Vec<u32> = deployed.take(if is_deployed { 1 } else { 2 }).map(|release| release.number).collect();
    needed.extend(history.before_running(None).map(|release| release.number));
    // Of a release that is recovered the record is among them.
    history
        .0
        .iter()
        .filter(|release| release.number != own)
        .skip(KEPT - 1)
        .filter(|release| !needed.contains(&release.number))
        .collect()
}

/// What the releases that go brought and no other one names any more: what is immutable and named by its content stays behind a release
/// for those that may be gone back to.
fn orphans(history: &History, going: &[&Release], newest: &[Object]) -> Vec<Object> {
    let goes = |release: &Release| going.iter().any(|going| going.number == release.number);
    let named = |release: &Release| {
        let before = release.body.before.iter().filter_map(|value| Object::new(value.clone()).ok());
        release.objects().into_iter().chain(before).collect::<Vec<_>>()
    };
    let kept: Vec<Object> = history.0.iter().filter(|release| !goes(release)).flat_map(named).collect();
    let mut found: Vec<Object> = Vec::new();
    for release in going {
        let answers = release.answers();
        for mut object in release.objects() {
            let is_named = object.among(&kept).or_else(|| object.among(newest)).is_some();
            if !object.is_immutable() || is_named || object.among(&found).is_some() {
                continue;
            }
            if let Some(answer) = object.among(&answers) {
                object.json_mut()["metadata"]["uid"] = answer.uid().into();
            }
            found.push(object);
        }
    }
    found
}

/// Removes what is too old, under the lock. The release is done: what cannot be removed is worth a line, and is tried again by the next one.
pub fn forget(kubectl: &Kubectl<'_>, request: &Request<'_>, own: u32, is_deployed: bool, ui: &Ui) {
    let going = superfluous(request.history, own, is_deployed);
    if going.is_empty() {
        return;
    }
    let newest: Vec<Object> = request.body.objects.iter().filter_map(|value| Object::new(value.clone()).ok()).collect();
    // What is gone with a record is not known to anybody: so it goes first.
    let orphans = orphans(request.history, &going, &newest);
    let result = remove_orphans(kubectl, &request.body.service, &orphans)
        .and_then(|()| going.iter().try_for_each(|release| remove_record(kubectl, release)));
    if let Err(error) = result {
        ui.say(Tone::Dim, format!("  records that are too old could not all be removed: {}", error.said));
    }
}

fn remove_orphans(kubectl: &Kubectl<'_>, service: &str, orphans: &[Object]) -> Result<(), KubectlError> {
    if orphans.is_empty() {
        return Ok(());
    }
    for live in kubectl.live(orphans, &false.into())? {
        let known = live.among(orphans).map(Object::uid).unwrap_or_default();
        let label = live.json()["metadata"]["labels"][SERVICE_LABEL].as_str();
        if live.is_immutable() && label == Some(service) && (known.is_empty() || known == live.uid()) {
            gone(kubectl.delete(&live))?;
        }
    }
    Ok(())
}

/// The call by which the record goes that is too old once this release is deployed, to be started ahead: nearly always it is one.
pub fn ahead(kubectl: &Kubectl<'_>, history: &History, own: u32) -> Option<Cmd> {
    superfluous(history, own, true).first().map(|release| kubectl.record_deletion_ahead(&record_of(kubectl, release)))
}

fn record_of(kubectl: &Kubectl<'_>, release: &Release) -> Object {
    let name = Release::name(&release.body.service, release.number);
    let mut record = Object::bare("v1", kubectl.records().kind(), &name);
    record.json_mut()["metadata"]["uid"] = release.uid.as_str().into();
    record
}

fn remove_record(kubectl: &Kubectl<'_>, release: &Release) -> Result<(), KubectlError> {
    let records = kubectl.records();
    // The record before its parts: without them it could not be read.
    gone(kubectl.delete_record(&record_of(kubectl, release)))?;
    for part in &release.parts {
        if let Some(part) = kubectl.named(records.resource(), part)? {
            gone(kubectl.delete(&part))?;
        }
    }
    Ok(())
}

/// Gone already is as good.
fn gone(result: Result<(), KubectlError>) -> Result<(), KubectlError> {
    match result {
        Err(error) if matches!(error.reason, Reason::NotFound | Reason::Conflict) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::release;
    use super::*;
    use serde_json::json;

    fn history(outcomes: &[Outcome]) -> History {
        let count = u32::try_from(outcomes.len()).unwrap();
        History(outcomes.iter().zip(0..).map(|(outcome, n)| release(count - n, *outcome, &format!("{n}"))).collect())
    }

    fn going(outcomes: &[Outcome], is_deployed: bool) -> Vec<u32> {
        superfluous(&history(outcomes), 99, is_deployed).iter().map(|release| release.number).collect()
    }

    #[test]
    fn ten_are_kept_and_what_runs_whatever_its_age() {
        use Outcome::{Deployed, TakenBack};
        assert!(going(&[Deployed; 9], true).is_empty());
        assert_eq!(going(&[Deployed; 12], true), [3, 2, 1]);
        // Twelve that failed, and two that are needed still.
        let mut outcomes = [TakenBack; 15];
        outcomes[12..].fill(Deployed);
        assert_eq!(going(&outcomes, false), [6, 5, 4, 1]);
        // One of the same content is no way back.
        let mut same = history(&outcomes);
        same.0[13] = release(2, Deployed, "12");
        let numbers: Vec<u32> = superfluous(&same, 99, false).iter().map(|release| release.number).collect();
        assert_eq!(numbers, [6, 5, 4]);
    }

    #[test]
    fn what_no_kept_release_names_goes_with_the_last_that_did() {
        let map = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "immutable": true});
        let mut history = history(&[Outcome::Deployed; 3]);
        history.0[2].body.objects = vec![
            map("a"),
            map("b"),
            map("c"),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "w"}}),
        ];
        history.0[2].answer =
            Some(vec![json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "uid": "u"}})]);
        history.0[1].body.objects = vec![map("a")];
        let newest = [Object::new(map("b")).unwrap()];
        let found = orphans(&history, &[&history.0[2]], &newest);
        assert_eq!(found.iter().map(|one| (one.name(), one.uid())).collect::<Vec<_>>(), [("c", "u")]);
    }
}
