//! The release record: a Secret per release, written before the first change, that says who, when, from which files, what is
//! applied and what was live before, and in the end how it went.

use std::fmt;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::git::GitState;
use crate::kubectl::{Kubectl, KubectlError};
use crate::yaml::Object;

/// The label that names the service of a record. Not the label of the service's own objects: a record is none of them.
const RECORD_LABEL: &str = "shipcat.dev/release-of";
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
    /// Those that were live and stay as they are, as `ConfigMap/name`. What is in neither list did not exist.
    pub unchanged: Vec<String>,
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
    /// The rest.
    pub body: Body,
}

impl Release {
    /// The objects that it applied.
    pub fn objects(&self) -> Vec<Object> {
        self.body.objects.iter().filter_map(|value| Object::new(value.clone()).ok()).collect()
    }

    fn name(service: &str, number: u32) -> String {
        format!("shipcat.{service}.{number}")
    }

    fn read(secret: &Object) -> Result<Self> {
        let number = secret.name().rsplit('.').next().and_then(|n| n.parse().ok());
        let number =
            number.with_context(|| format!("the Secret `{}` is named like no release record", secret.name()))?;
        let bytes = STANDARD
            .decode(secret.text("/data/release"))
            .with_context(|| format!("the release record `{}` is damaged", secret.name()))?;
        let body = serde_json::from_reader(GzDecoder::new(bytes.as_slice()))
            .with_context(|| format!("the release record `{}` cannot be read", secret.name()))?;
        let annotation =
            |key: &str| secret.json().pointer("/metadata/annotations").and_then(|a| a.get(key)).and_then(Value::as_str);
        let outcome =
            secret.json().pointer("/metadata/labels").and_then(|l| l.get(OUTCOME_LABEL)).and_then(Value::as_str);
        Ok(Self {
            number,
            outcome: Outcome::from_word(outcome.unwrap_or_default()),
            finished: annotation(FINISHED).and_then(|text| text.parse().ok()),
            message: annotation(MESSAGE).map(str::to_owned),
            body,
        })
    }
}

/// The body as the Secret holds it. Packed, since two copies of a large ConfigMap would not fit into a Secret's mebibyte.
fn packed(body: &Body) -> String {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail, nor do our own types to serialize.
    let written = serde_json::to_writer(&mut gz, body).map_err(std::io::Error::from).and_then(|()| gz.finish());
    STANDARD.encode(written.unwrap_or_default())
}

/// The releases of a service, the newest first.
#[derive(Debug, Clone, Default)]
pub struct History(pub Vec<Release>);

impl History {
    /// Reads them.
    ///
    /// # Errors
    /// If the records cannot be read, by the cluster's will or by their content.
    pub fn read(kubectl: &Kubectl<'_>, service: &str, cancel: &AtomicBool) -> Result<Self> {
        let secrets = kubectl
            .labelled("secrets", &format!("{RECORD_LABEL}={service}"), cancel)
            .map_err(|error| error.refused("cannot read the release records"))?;
        let mut releases = secrets.iter().map(Release::read).collect::<Result<Vec<_>>>()?;
        releases.sort_by_key(|release| std::cmp::Reverse(release.number));
        Ok(Self(releases))
    }

    /// The newest release, however it ended.
    pub fn newest(&self) -> Option<&Release> {
        self.0.first()
    }

    /// The release that runs, as far as shipcat knows: the newest that was deployed.
    pub fn running(&self) -> Option<&Release> {
        self.0.iter().find(|release| release.outcome == Outcome::Deployed)
    }

    /// The release of that number.
    pub fn get(&self, number: u32) -> Option<&Release> {
        self.0.iter().find(|release| release.number == number)
    }

    /// The newest deployed release that differs from what runs: where `rollback` goes. `live` is the version that is
    /// live: if somebody set another one by hand since, that is what is gone back from.
    pub fn before_running(&self, live: Option<&str>) -> Option<&Release> {
        let running = self.running()?;
        if live.is_some_and(|live| live != running.body.version) {
            return Some(running);
        }
        self.0.iter().find(|release| {
            release.outcome == Outcome::Deployed && !same_objects(&release.body.objects, &running.body.objects)
        })
    }
}

/// Whether two releases want the same objects. Jobs aside: what they did is done, and a rollback has none.
pub fn same_objects(one: &[Value], other: &[Value]) -> bool {
    let is_job = |object: &&Value| object["kind"] == "Job" && object["apiVersion"] == "batch/v1";
    one.iter().filter(|object| !is_job(object)).eq(other.iter().filter(|object| !is_job(object)))
}

/// A release under way, as the transaction holds it.
#[derive(Debug)]
pub struct Record {
    name: String,
    /// Its number.
    pub number: u32,
}

impl Record {
    /// Writes the record, pending. Its number is one above the newest: two that begin at once collide here, and one of them loses.
    ///
    /// # Errors
    /// [`crate::kubectl::Reason::AlreadyExists`] if somebody else began in this moment; else as kubectl fails. Nothing was changed.
    pub fn begin(kubectl: &Kubectl<'_>, history: &History, body: &Body) -> std::result::Result<Self, KubectlError> {
        let number = history.newest().map_or(0, |release| release.number) + 1;
        let name = Release::name(&body.service, number);
        let data = packed(body);
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "shipcat.dev/release",
            "metadata": {"name": name, "labels": {
                "app.kubernetes.io/managed-by": "shipcat", RECORD_LABEL: body.service, OUTCOME_LABEL: Outcome::Pending.word()}},
            "data": {"release": data}});
        // The object has all that `new` asks for.
        if let Ok(secret) = Object::new(secret) {
            kubectl.create(&secret)?;
        }
        Ok(Self { name, number })
    }

    /// Says how it ended.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn finish(
        &self,
        kubectl: &Kubectl<'_>,
        outcome: Outcome,
        message: Option<&str>,
    ) -> std::result::Result<(), KubectlError> {
        // An annotation is no place for a page.
        let message = message.map(|text| text.lines().next().unwrap_or_default().chars().take(500).collect::<String>());
        kubectl.mark(
            "secret",
            &self.name,
            &json!({OUTCOME_LABEL: outcome.word()}),
            &json!({FINISHED: Timestamp::now().to_string(), MESSAGE: message}),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(number: u32, outcome: Outcome, what: &str) -> Release {
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
            unchanged: Vec::new(),
        };
        Release { number, outcome, finished: None, message: None, body }
    }

    #[test]
    fn rollback_goes_to_the_newest_good_one_that_is_different() {
        let history = History(vec![
            release(5, Outcome::TakenBack, "d"),
            release(4, Outcome::Deployed, "c"),
            release(3, Outcome::Deployed, "c"),
            release(2, Outcome::Broken, "b"),
            release(1, Outcome::Deployed, "a"),
        ]);
        assert_eq!(history.running().unwrap().number, 4);
        assert_eq!(history.before_running(Some("c")).unwrap().number, 1);
        assert_eq!(history.before_running(Some("by hand")).unwrap().number, 4);
        assert!(History(vec![release(1, Outcome::Deployed, "a")]).before_running(None).is_none());
        assert!(History(vec![release(1, Outcome::TakenBack, "a")]).running().is_none());
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
