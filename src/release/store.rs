//! How a release record lies in the cluster: a Secret a release, or a ConfigMap where the environment says so, packed; what is too large for
//! one is split over more.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::diff::significant;
use super::history::History;
use super::record::{Body, Outcome, Release};
use crate::bdd::Summary;
use crate::kubectl::{Kubectl, KubectlError, Reason, Records};
use crate::process::Cmd;
use crate::yaml::Object;

/// The label that names the service of a record. Not the label of the service's own objects: a record is none of them.
pub const RECORD_LABEL: &str = "shipcat.dev/release-of";
/// The same for what had no room in the record itself.
pub const PART_LABEL: &str = "shipcat.dev/part-of-release-of";
/// How much one object holds, in characters of base64: what a Secret or ConfigMap may hold (1 MiB, `MaxSecretSize` in core/v1), less a
/// little, and a multiple of four, so that each piece can be decoded alone.
const LARGEST: usize = 1_047_000 / 3 * 4;
const OUTCOME_LABEL: &str = "shipcat.dev/outcome";
const FINISHED: &str = "shipcat.dev/finished";
const MESSAGE: &str = "shipcat.dev/message";
const TESTS: &str = "shipcat.dev/tests";
/// How many more objects hold the rest of a part.
const MORE: [(&str, &str); 2] = [("release", "shipcat.dev/more-of-release"), ("answer", "shipcat.dev/more-of-answer")];

impl Release {
    /// The name of a release's record.
    pub fn name(service: &str, number: u32) -> String {
        format!("shipcat.{service}.{number}")
    }

    /// Reads one out of its object; `parts` are those of all records.
    ///
    /// # Errors
    /// If it is no record, or damaged.
    pub fn read(record: &Object, parts: &[Object]) -> Result<Self> {
        let name = record.name();
        let number = name.rsplit('.').next().and_then(|n| n.parse().ok());
        let number = number.with_context(|| format!("`{name}` is named like no release record"))?;
        let body = unpacked(&whole(record, "release", parts)?)
            .with_context(|| format!("the release record `{name}` cannot be read"))?;
        let answer = match whole(record, "answer", parts)?.as_str() {
            "" => None,
            text => {
                Some(unpacked(text).with_context(|| format!("the release record `{name}` cannot be read to its end"))?)
            }
        };
        let outcome = record.json()["metadata"]["labels"][OUTCOME_LABEL].as_str();
        Ok(Self {
            number,
            uid: record.uid().to_owned(),
            parts: MORE.iter().flat_map(|(field, _)| part_names(record, field)).collect(),
            outcome: Outcome::from_word(outcome.unwrap_or_default()),
            finished: annotation(record, FINISHED).and_then(|text| text.parse().ok()),
            message: annotation(record, MESSAGE).map(str::to_owned),
            // What a later version writes there is no reason not to read the rest.
            tests: annotation(record, TESTS).and_then(|text| serde_json::from_str(text).ok()),
            answer,
            body,
        })
    }
}

fn annotation<'a>(record: &'a Object, key: &str) -> Option<&'a str> {
    record.json()["metadata"]["annotations"].get(key)?.as_str()
}

/// What a record, or a part of one, holds of a field.
fn held<'a>(object: &'a Object, field: &str) -> &'a str {
    let of = |records: Records| object.json()[records.field()][field].as_str();
    of(Records::Secrets).or_else(|| of(Records::ConfigMaps)).unwrap_or_default()
}

/// The names of the objects that hold the rest of a field.
fn part_names(record: &Object, field: &str) -> Vec<String> {
    let key = MORE.iter().find(|(name, _)| *name == field).map_or("", |(_, key)| *key);
    let count: usize = annotation(record, key).and_then(|count| count.parse().ok()).unwrap_or_default();
    (1..=count).map(|n| part_name(record.name(), field, n)).collect()
}

fn part_name(record: &str, field: &str, number: usize) -> String {
    format!("{record}.{field}{number}")
}

/// Whether parts must be read to know what a record says.
pub fn is_split(record: &Object) -> bool {
    MORE.iter().any(|(field, _)| !part_names(record, field).is_empty())
}

/// A field of a record with what is in its parts.
fn whole(record: &Object, field: &str, parts: &[Object]) -> Result<String> {
    let mut text = held(record, field).to_owned();
    for name in part_names(record, field) {
        let part = parts.iter().find(|part| part.name() == name);
        let part = part.with_context(|| format!("the release record `{}` lacks its part `{name}`", record.name()))?;
        text += held(part, field);
    }
    Ok(text)
}

/// A part of a record as the cluster holds it. Packed, since two copies of a large ConfigMap would not fit into a mebibyte.
fn packed(part: &impl Serialize) -> String {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail, nor do our own types to serialize.
    let written = serde_json::to_writer(&mut gz, part).map_err(std::io::Error::from).and_then(|()| gz.finish());
    STANDARD.encode(written.unwrap_or_default())
}

fn unpacked<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(serde_json::from_reader(GzDecoder::new(STANDARD.decode(text)?.as_slice()))?)
}

/// A text in pieces, of which the first has only so much room.
fn pieces(text: &str, room: usize) -> (&str, Vec<&str>) {
    // Base64: one byte a character.
    let (first, mut rest) = text.split_at(text.len().min(room));
    let mut more = Vec::new();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(LARGEST));
        more.push(piece);
        rest = behind;
    }
    (first, more)
}

/// What is kept of the API server's answer.
fn kept(answer: &Object) -> Value {
    let mut value = significant(answer.json());
    value["metadata"]["uid"] = answer.uid().into();
    if answer.is_immutable()
        && let Some(map) = value.as_object_mut()
    {
        map.retain(|key, _| ["apiVersion", "kind", "metadata", "immutable"].contains(&key.as_str()));
    }
    value
}

/// A release under way, as the transaction holds it.
#[derive(Debug)]
pub struct Record {
    /// The object that holds it, as it was written last.
    object: Object,
    /// Its number.
    pub number: u32,
    /// What the tests said, once they were run.
    pub tests: Option<Summary>,
}

/// Keeps in the record of a release what tests said of it later.
///
/// # Errors
/// As kubectl fails; [`Reason::NotFound`] if the record is gone.
pub fn note_tests(kubectl: &Kubectl<'_>, release: &Release, tests: &Summary) -> std::result::Result<(), KubectlError> {
    let mut object = Record::found(kubectl, release)?.object;
    object.json_mut()["metadata"]["annotations"][TESTS] = told(tests).into();
    kubectl.put(&object).map(drop)
}

fn told(tests: &Summary) -> String {
    serde_json::to_string(tests).unwrap_or_default()
}

impl Record {
    /// Writes the record, pending. Its number is one above the newest: two that begin at once collide here, and one of them loses.
    ///
    /// # Errors
    /// [`Reason::AlreadyExists`] if somebody else began in this moment; else as kubectl fails. Nothing was changed.
    pub fn begin(kubectl: &Kubectl<'_>, history: &History, body: &Body) -> std::result::Result<Self, KubectlError> {
        let number = history.newest().map_or(0, |release| release.number) + 1;
        let name = Release::name(&body.service, number);
        let (kind, text) = (kubectl.records(), packed(body));
        let (first, more) = pieces(&text, LARGEST);
        // What has no room is there before the record is.
        write_parts(kubectl, &body.service, &name, "release", &more)?;
        let mut record = empty(kind, &name);
        let json = record.json_mut();
        json["metadata"]["labels"][RECORD_LABEL] = body.service.as_str().into();
        json["metadata"]["labels"][OUTCOME_LABEL] = Outcome::Pending.word().into();
        if !more.is_empty() {
            json["metadata"]["annotations"] = json!({MORE[0].1: more.len().to_string()});
        }
        json[kind.field()]["release"] = first.into();
        Ok(Self { object: created(kubectl, &record)?, number, tests: None })
    }

    /// The record of a release whose run died, to be finished in its place.
    ///
    /// # Errors
    /// As kubectl fails; [`Reason::NotFound`] if it is gone.
    pub fn found(kubectl: &Kubectl<'_>, release: &Release) -> std::result::Result<Self, KubectlError> {
        let name = Release::name(&release.body.service, release.number);
        let kind = kubectl.records().resource();
        let gone = || KubectlError {
            line: format!("kubectl get {kind} {name}"),
            reason: Reason::NotFound,
            said: format!("the release record `{name}` is gone"),
        };
        let object = kubectl.named(kind, &name)?.ok_or_else(gone)?;
        Ok(Self { object, number: release.number, tests: None })
    }

    /// The call by which it will be finished, to be started ahead.
    pub fn finish_ahead(&self, kubectl: &Kubectl<'_>) -> Cmd {
        kubectl.put_ahead(&self.object)
    }

    /// Says how it ended; of a good one with the API server's answer to what was applied. The record is written as a whole, and only if
    /// it is as we left it.
    ///
    /// # Errors
    /// As kubectl fails; [`Reason::Conflict`] if somebody else has written it meanwhile.
    pub fn finish(
        &self,
        kubectl: &Kubectl<'_>,
        outcome: Outcome,
        message: Option<&str>,
        answer: Option<&[Object]>,
    ) -> std::result::Result<(), KubectlError> {
        // An annotation is no place for a page.
        let message = message.map(|text| text.lines().next().unwrap_or_default().chars().take(500).collect::<String>());
        let mut record = self.object.clone();
        let value = record.json_mut();
        value["metadata"]["labels"][OUTCOME_LABEL] = outcome.word().into();
        value["metadata"]["annotations"][FINISHED] = Timestamp::now().to_string().into();
        if let Some(message) = message {
            value["metadata"]["annotations"][MESSAGE] = message.into();
        }
        if let Some(tests) = &self.tests {
            value["metadata"]["annotations"][TESTS] = told(tests).into();
        }
        if let Some(answer) = answer {
            let text = packed(&answer.iter().map(kept).collect::<Vec<_>>());
            let room = LARGEST.saturating_sub(held(&record, "release").len());
            let (first, more) = if text.len() <= room { (text.as_str(), Vec::new()) } else { pieces(&text, 0) };
            let service = record.json()["metadata"]["labels"][RECORD_LABEL].as_str().unwrap_or_default().to_owned();
            write_parts(kubectl, &service, record.name(), "answer", &more)?;
            let value = record.json_mut();
            if !more.is_empty() {
                value["metadata"]["annotations"][MORE[1].1] = more.len().to_string().into();
            }
            value[kubectl.records().field()]["answer"] = first.into();
        }
        match kubectl.put(&record) {
            // A write whose answer was lost is seen as somebody else's.
            Err(error) if error.reason == Reason::Conflict => {
                match kubectl.named(kubectl.records().resource(), record.name())? {
                    Some(now) if significant(now.json()) == significant(record.json()) => Ok(()),
                    _ => Err(error),
                }
            }
            other => other.map(drop),
        }
    }
}

fn empty(records: Records, name: &str) -> Object {
    let mut object = Object::bare("v1", records.kind(), name);
    let json = object.json_mut();
    json["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "shipcat"});
    if records == Records::Secrets {
        json["type"] = "shipcat.dev/release".into();
    }
    object
}

/// Creates an object of ours. Where the answer was lost and it was tried again, the one that is there is ours if it is the same.
fn created(kubectl: &Kubectl<'_>, object: &Object) -> std::result::Result<Object, KubectlError> {
    match kubectl.create(object) {
        Err(error) if error.reason == Reason::AlreadyExists => {
            match kubectl.named(kubectl.records().resource(), object.name())? {
                Some(now) if held(&now, "release") == held(object, "release") => Ok(now),
                _ => Err(error),
            }
        }
        other => other,
    }
}

/// Writes what had no room in a record. A run that died may have left some of the same name.
fn write_parts(
    kubectl: &Kubectl<'_>,
    service: &str,
    record: &str,
    field: &str,
    more: &[&str],
) -> std::result::Result<(), KubectlError> {
    let records = kubectl.records();
    for (n, text) in more.iter().enumerate() {
        let mut part = empty(records, &part_name(record, field, n + 1));
        let json = part.json_mut();
        json["metadata"]["labels"][PART_LABEL] = service.into();
        json[records.field()][field] = (*text).into();
        match kubectl.create(&part) {
            Err(error) if error.reason == Reason::AlreadyExists => {
                let former = kubectl.named(records.resource(), part.name())?.ok_or(error)?;
                for key in ["uid", "resourceVersion"] {
                    part.json_mut()["metadata"][key] = former.json()["metadata"][key].clone();
                }
                kubectl.put(&part)?;
            }
            other => drop(other?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::release;
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let body = release(7, Outcome::Pending, "x").body;
        for records in [Records::Secrets, Records::ConfigMaps] {
            let mut record = empty(records, "shipcat.w.7");
            let json = record.json_mut();
            json["metadata"]["labels"][OUTCOME_LABEL] = "taken-back".into();
            json["metadata"]["annotations"] = json!({FINISHED: "2026-11-23T04:00:00Z", MESSAGE: "crash"});
            json[records.field()]["release"] = packed(&body).into();
            let read = Release::read(&record, &[]).unwrap();
            assert_eq!((read.number, read.outcome, read.message.as_deref()), (7, Outcome::TakenBack, Some("crash")));
            assert_eq!((&read.body.objects, read.body.who.as_str()), (&body.objects, "ann@laptop"));
        }
    }

    #[test]
    fn a_record_that_is_too_large_for_one_object_is_put_together_again() {
        let body = release(7, Outcome::Pending, "x").body;
        let text = packed(&body);
        let (first, rest) = text.split_at(text.len() / 2 / 4 * 4);
        let mut record = empty(Records::Secrets, "shipcat.w.7");
        record.json_mut()["metadata"]["annotations"] = json!({MORE[0].1: "1"});
        record.json_mut()["data"]["release"] = first.into();
        let mut part = empty(Records::Secrets, "shipcat.w.7.release1");
        part.json_mut()["data"]["release"] = rest.into();
        assert!(is_split(&record));
        assert!(
            format!("{:#}", Release::read(&record, &[]).unwrap_err()).contains("lacks its part `shipcat.w.7.release1`")
        );
        let read = Release::read(&record, &[part]).unwrap();
        assert_eq!((read.body.objects, read.parts), (body.objects, vec!["shipcat.w.7.release1".to_owned()]));
    }

    #[test]
    fn pieces_fit_and_lose_nothing() {
        let text = "abcd".repeat(LARGEST / 2);
        for room in [LARGEST, 8, 0] {
            let (first, more) = pieces(&text, room);
            assert!(first.len() <= room && more.iter().all(|piece| piece.len() <= LARGEST));
            assert_eq!(format!("{first}{}", more.concat()), text);
        }
        assert_eq!(pieces("abcd", LARGEST), ("abcd", vec![]));
        assert_eq!(LARGEST % 4, 0);
    }
}
