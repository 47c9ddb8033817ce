//! The release record: a Secret per release, written before the first change, that says who, when, from which files, what is
//! applied and what was live before, and in the end how it went.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::diff::significant;
use super::history::History;
use crate::git::GitState;
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::yaml::Object;

/// The label that names the service of a record. Not the label of the service's own objects: a record is none of them.
pub const RECORD_LABEL: &str = "shipcat.dev/release-of";
/// What a Secret may hold, in bytes (`MaxSecretSize` in core/v1), less a little.
const LARGEST: usize = 1_048_576 - 1024;
const OUTCOME_LABEL: &str = "shipcat.dev/outcome";
const FINISHED: &str = "shipcat.dev/finished";
const MESSAGE: &str = "shipcat.dev/message";

/// How a release ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has not: it is under way, or its run died.
    Pending,
    /// What it brought is what runs, or ran until the next one.
    Deployed,
    /// It failed, and everything was put back.
    TakenBack,
    /// It failed, and not everything could be put back.
    Broken,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Deployed => "deployed",
            Self::TakenBack => "taken-back",
            Self::Broken => "broken",
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "deployed" => Self::Deployed,
            "taken-back" => Self::TakenBack,
            "broken" => Self::Broken,
            _ => Self::Pending,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TakenBack => "taken back",
            other => other.word(),
        })
    }
}

/// Where the version of a release came from: it decides whether a later `ship` without `--tag` may go back to the manifest's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionFrom {
    /// `--tag`.
    Tag,
    /// The manifest.
    Manifest,
    /// Nobody named one: the one that ran stayed.
    Running,
}

/// What a release is, all but how it ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// The service.
    pub service: String,
    /// Tag or digest.
    pub version: String,
    /// Where that came from.
    pub version_from: VersionFrom,
    /// What made it: `ship`, `rollback to 3`.
    pub command: String,
    /// `user@host`.
    pub who: String,
    /// When it began, by the clock of who shipped.
    pub started: Timestamp,
    /// The state of the manifests repo, if it is under git.
    pub git: Option<GitState>,
    /// What is applied.
    pub objects: Vec<Value>,
    /// What was live before of those that the release changes.
    pub before: Vec<Value>,
    /// What will be made of those, as the API server said it before: by which it is told, should the run die, how far it came.
    #[serde(default)]
    pub expected: Vec<Value>,
    /// The numbers of pods that are set last, once the new pods are good: by the object's name, as `Deployment/webapp`.
    #[serde(default)]
    pub counts: BTreeMap<String, i64>,
    /// Those that were live and stay as they are, as `ConfigMap/name`. What is in neither list did not exist.
    pub unchanged: Vec<String>,
    /// What the release before had and this one has not: live when it began, to be removed once it is deployed.
    #[serde(default)]
    pub leftovers: Vec<Value>,
    /// What was another tool's and was taken over for good, by this release or one before: `Deployment/webapp`.
    #[serde(default)]
    pub adopted: Vec<String>,
}

/// A release as the cluster has it.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its number; the first is 1.
    pub number: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended, by the clock of who shipped.
    pub finished: Option<Timestamp>,
    /// Why it failed, in a line.
    pub message: Option<String>,
    /// What the API server made of what was applied, where the release was deployed: without status and managedFields. Of what is
    /// immutable not its content, which cannot have changed. What differs from it by now, somebody changed since.
    pub answer: Option<Vec<Value>>,
    /// The rest.
    pub body: Body,
}

impl Release {
    /// The objects that it applied.
    pub fn objects(&self) -> Vec<Object> {
        self.body.objects.iter().filter_map(|value| Object::new(value.clone()).ok()).collect()
    }

    /// What the API server made of them, as far as it was kept.
    pub fn answers(&self) -> Vec<Object> {
        self.answer.iter().flatten().filter_map(|value| Object::new(value.clone()).ok()).collect()
    }

    fn name(service: &str, number: u32) -> String {
        format!("shipcat.{service}.{number}")
    }

    /// Reads one out of its Secret.
    ///
    /// # Errors
    /// If it is no record, or damaged.
    pub fn read(secret: &Object) -> Result<Self> {
        let number = secret.name().rsplit('.').next().and_then(|n| n.parse().ok());
        let number =
            number.with_context(|| format!("the Secret `{}` is named like no release record", secret.name()))?;
        let body = unpacked(secret.text("/data/release"))
            .with_context(|| format!("the release record `{}` cannot be read", secret.name()))?;
        let answer = match secret.text("/data/answer") {
            "" => None,
            text => Some(
                unpacked(text)
                    .with_context(|| format!("the release record `{}` cannot be read to its end", secret.name()))?,
            ),
        };
        let annotation =
            |key: &str| secret.json().pointer("/metadata/annotations").and_then(|a| a.get(key)).and_then(Value::as_str);
        let outcome =
            secret.json().pointer("/metadata/labels").and_then(|l| l.get(OUTCOME_LABEL)).and_then(Value::as_str);
        Ok(Self {
            number,
            outcome: Outcome::from_word(outcome.unwrap_or_default()),
            finished: annotation(FINISHED).and_then(|text| text.parse().ok()),
            message: annotation(MESSAGE).map(str::to_owned),
            answer,
            body,
        })
    }
}

/// A part of a record as the Secret holds it. Packed, since two copies of a large ConfigMap would not fit into a Secret's mebibyte.
fn packed(part: &impl Serialize) -> String {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail, nor do our own types to serialize.
    let written = serde_json::to_writer(&mut gz, part).map_err(std::io::Error::from).and_then(|()| gz.finish());
    STANDARD.encode(written.unwrap_or_default())
}

fn unpacked<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(serde_json::from_reader(GzDecoder::new(STANDARD.decode(text)?.as_slice()))?)
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
    /// Its Secret, as it was written last.
    secret: Object,
    /// Its number.
    pub number: u32,
}

impl Record {
    /// Writes the record, pending. Its number is one above the newest: two that begin at once collide here, and one of them loses.
    ///
    /// # Errors
    /// [`Reason::AlreadyExists`] if somebody else began in this moment; else as kubectl fails. Nothing was changed.
    pub fn begin(kubectl: &Kubectl<'_>, history: &History, body: &Body) -> std::result::Result<Self, KubectlError> {
        let number = history.newest().map_or(0, |release| release.number) + 1;
        let name = Release::name(&body.service, number);
        let data = packed(body);
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "shipcat.dev/release",
            "metadata": {"name": name, "labels": {
                "app.kubernetes.io/managed-by": "shipcat", RECORD_LABEL: body.service, OUTCOME_LABEL: Outcome::Pending.word()}},
            "data": {"release": data}});
        let secret = Object::new(secret).map_err(|error| KubectlError {
            line: "kubectl create".into(),
            reason: Reason::Other,
            said: format!("shipcat itself failed: {error}"),
        })?;
        Ok(Self { secret: kubectl.create(&secret)?, number })
    }

    /// The record of a release whose run died, to be finished in its place.
    ///
    /// # Errors
    /// As kubectl fails; [`Reason::NotFound`] if it is gone.
    pub fn found(kubectl: &Kubectl<'_>, release: &Release) -> std::result::Result<Self, KubectlError> {
        let name = Release::name(&release.body.service, release.number);
        let gone = || KubectlError {
            line: format!("kubectl get secret {name}"),
            reason: Reason::NotFound,
            said: format!("the release record `{name}` is gone"),
        };
        let secret = kubectl.named("secret", &name)?.ok_or_else(gone)?;
        Ok(Self { secret, number: release.number })
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
        let mut secret = self.secret.clone();
        let value = secret.json_mut();
        value["metadata"]["labels"][OUTCOME_LABEL] = outcome.word().into();
        value["metadata"]["annotations"][FINISHED] = Timestamp::now().to_string().into();
        if let Some(message) = message {
            value["metadata"]["annotations"][MESSAGE] = message.into();
        }
        if let Some(answer) = answer {
            let answer = packed(&answer.iter().map(kept).collect::<Vec<_>>());
            // Without it less can be told later; without room for it nothing could be told at all.
            if (answer.len() + secret.text("/data/release").len()) / 4 * 3 < LARGEST {
                secret.json_mut()["data"]["answer"] = answer.into();
            }
        }
        match kubectl.put(&secret) {
            // A write whose answer was lost is seen as somebody else's.
            Err(error) if error.reason == Reason::Conflict => match kubectl.named("secret", secret.name())? {
                Some(now) if significant(now.json()) == significant(secret.json()) => Ok(()),
                _ => Err(error),
            },
            other => other.map(drop),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn release(number: u32, outcome: Outcome, what: &str) -> Release {
        let body = Body {
            service: "w".into(),
            version: what.into(),
            version_from: VersionFrom::Manifest,
            command: "ship".into(),
            who: "ann@laptop".into(),
            started: Timestamp::UNIX_EPOCH,
            git: None,
            objects: vec![json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": what}})],
            before: Vec::new(),
            expected: Vec::new(),
            counts: BTreeMap::new(),
            unchanged: Vec::new(),
            leftovers: Vec::new(),
            adopted: Vec::new(),
        };
        Release { number, outcome, finished: None, message: None, answer: None, body }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let body = release(7, Outcome::Pending, "x").body;
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {
                "name": "shipcat.w.7", "labels": {OUTCOME_LABEL: "taken-back"}, "annotations": {FINISHED: "2026-11-23T04:00:00Z", MESSAGE: "crash"}},
            "data": {"release": packed(&body)}});
        let read = Release::read(&Object::new(secret).unwrap()).unwrap();
        assert_eq!((read.number, read.outcome, read.message.as_deref()), (7, Outcome::TakenBack, Some("crash")));
        assert_eq!((read.body.objects, read.body.who.as_str()), (body.objects, "ann@laptop"));
    }
}
