//! What a release record says: who, when, from which files, what is applied and what was live before, and in the end how it went. Pure;
//! how it lies in the cluster is [`super::store`]'s matter.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bdd::{Suite, Summary};
use crate::git::GitState;
use crate::yaml::Object;

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
    /// The word for it in the cluster.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Deployed => "deployed",
            Self::TakenBack => "taken-back",
            Self::Broken => "broken",
        }
    }

    /// What a word in the cluster says.
    pub fn from_word(word: &str) -> Self {
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
    /// The version that was live before, if one was.
    #[serde(default)]
    pub former: Option<String>,
    /// Of what nature its changes are: `image`, `config`.
    #[serde(default)]
    pub nature: Vec<String>,
    /// What made it: `ship`, `rollback to 3`.
    pub command: String,
    /// `ann@laptop`, `ann via jenkins`.
    pub who: String,
    /// The CI build that made it, where one did: its URL.
    #[serde(default)]
    pub build: Option<String>,
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
    /// The group of releases that stand or fall together, if it is one of those: no two have the same.
    #[serde(default)]
    pub together: Option<String>,
    /// The tests that it must pass, if there are any.
    #[serde(default)]
    pub tests: Option<Suite>,
}

/// A release as the cluster has it.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its number; the first is 1.
    pub number: u32,
    /// The uid of the object that holds it.
    pub uid: String,
    /// The objects beside that which hold what had no room in it.
    pub parts: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended, by the clock of who shipped.
    pub finished: Option<Timestamp>,
    /// Why it failed, in a line.
    pub message: Option<String>,
    /// What the tests said, where they were run.
    pub tests: Option<Summary>,
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
        objects(self.answer.iter().flatten())
    }

    /// What its change was to make of the objects.
    pub fn expected(&self) -> Vec<Object> {
        objects(&self.body.expected)
    }
}

fn objects<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<Object> {
    values.into_iter().filter_map(|value| Object::new(value.clone()).ok()).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    pub fn release(number: u32, outcome: Outcome, what: &str) -> Release {
        let body = Body {
            service: "w".into(),
            version: what.into(),
            version_from: VersionFrom::Manifest,
            former: None,
            nature: Vec::new(),
            command: "ship".into(),
            who: "ann@laptop".into(),
            build: None,
            started: Timestamp::UNIX_EPOCH,
            git: None,
            objects: vec![json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": what}})],
            before: Vec::new(),
            expected: Vec::new(),
            counts: BTreeMap::new(),
            unchanged: Vec::new(),
            leftovers: Vec::new(),
            adopted: Vec::new(),
            together: None,
            tests: None,
        };
        let (uid, parts) = (String::new(), Vec::new());
        Release { number, uid, parts, outcome, finished: None, message: None, tests: None, answer: None, body }
    }

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        for outcome in [Outcome::Pending, Outcome::Deployed, Outcome::TakenBack, Outcome::Broken] {
            assert_eq!(Outcome::from_word(outcome.word()), outcome);
        }
    }
}
