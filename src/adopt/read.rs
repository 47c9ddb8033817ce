//! Reading what is to be taken over: which objects there are, and which of them are left out.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::bare::bare;
use super::clean::clean;
use super::roles::{Role, Way};
use crate::error::{Place, Problem, Problems, Sources};
use crate::render::CLUSTER_WIDE;
use crate::yaml;

/// A text with Kubernetes objects, and its name for people.
#[derive(Debug)]
pub struct Input {
    /// The file's path, or what stands for it.
    pub name: PathBuf,
    /// What is in it.
    pub text: String,
}

/// An object that is to come out of the manifest as it went in.
#[derive(Debug)]
pub struct Original {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Without what the server added, and if its kind is known, without defaults.
    pub value: Value,
    /// Whether its kind is known here.
    pub known: bool,
    /// How many pods it asks for itself, if it does.
    pub asked: Option<i64>,
    /// What becomes of it.
    pub role: Role,
    /// How it is written.
    pub way: Way,
    /// Why it is not written in a better way.
    pub why: String,
}

impl Original {
    /// A map in it, or an empty one.
    pub fn map(&self, pointer: &str) -> Map<String, Value> {
        self.value.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// `Deployment/web`.
    pub fn shown(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// What was read: the objects, and what is left out with the reason.
pub type Read = (Vec<Original>, Vec<(String, String)>);

/// Reads objects: YAML documents, JSON, lists.
///
/// # Errors
/// Everything that is no object, with its place.
pub fn read(inputs: &[Input]) -> Result<Read, Problems> {
    let mut sources = Sources::default();
    let (mut objects, mut problems) = (Vec::new(), Vec::new());
    for input in inputs {
        // A line with a mistake in it may be a secret's.
        let shown = if input.text.contains("Secret") { String::new() } else { input.text.clone() };
        let file = sources.add(&input.name, shown);
        match yaml::documents(&input.text) {
            Ok(documents) => {
                for document in documents {
                    unfold(document.value, Place { file, line: document.line, column: 1 }, &mut objects);
                }
            }
            Err(error) => {
                let place = Place { file, line: error.line, column: error.column };
                problems.push(Problem::at(place, format!("not valid YAML: {}", error.message)));
            }
        }
    }
    let (mut originals, mut left_out) = (Vec::<Original>::new(), Vec::new());
    for (value, place) in objects {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        let missing = [("apiVersion", &api), ("kind", &kind), ("metadata.name", &name)];
        if let Some((missing, _)) = missing.iter().find(|(_, text)| text.is_empty()) {
            let what = if kind.is_empty() {
                "this is no Kubernetes object".into()
            } else {
                format!("this {kind} is incomplete")
            };
            let problem = Problem::at(place, format!("{what}: it has no `{missing}`"));
            problems
                .push(problem.hint("give files with Kubernetes objects, such as the output of `kubectl get -o yaml`"));
            continue;
        }
        if let Some(why) = unwanted(&value, &kind, &name) {
            left_out.push((format!("{kind}/{name}"), why));
            continue;
        }
        let cleaned = clean(value);
        // Where it is not known what was asked for, the count may be somebody's.
        let asked = cleaned
            .object
            .pointer("/spec/replicas")
            .and_then(Value::as_i64)
            .filter(|_| cleaned.applied.as_ref().is_none_or(|applied| applied.pointer("/spec/replicas").is_some()));
        let bare = bare(&cleaned.object);
        let known = bare.is_some();
        let value = bare.unwrap_or(cleaned.object);
        let group =
            |value: &Value| value["apiVersion"].as_str().and_then(|api| Some(api.split_once('/')?.0.to_owned()));
        let twice =
            |other: &&Original| other.kind == kind && other.name == name && group(&other.value) == group(&value);
        if originals.iter().find(twice).is_some() {
            let problem = Problem::at(place, format!("{kind}/{name} is here twice"));
            problems.push(problem.hint("give the objects of one namespace, each once"));
            continue;
        }
        originals.push(Original {
            kind,
            name,
            value,
            known,
            asked,
            role: Role::None,
            way: Way::Short,
            why: String::new(),
        });
    }
    match Problems::new(problems, &sources) {
        Some(problems) => Err(problems),
        None => Ok((originals, left_out)),
    }
}

fn unfold(mut value: Value, place: Place, objects: &mut Vec<(Value, Place)>) {
    let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) && value["items"].is_array();
    if !is_list {
        return objects.push((value, place));
    }
    // The items of a `DeploymentList` may leave out what they are.
    let (api, kind) = (value["apiVersion"].clone(), value["kind"].as_str().unwrap_or_default().to_owned());
    let items = value.get_mut("items").map(Value::take);
    for mut item in items.and_then(|items| items.as_array().cloned()).unwrap_or_default() {
        let own = kind.strip_suffix("List").unwrap_or_default();
        if !own.is_empty() && item.is_object() && item["kind"].is_null() {
            item["kind"] = own.into();
            item["apiVersion"] = api.clone();
        }
        unfold(item, place, objects);
    }
}

/// Why an object is left out, if it is.
fn unwanted(value: &Value, kind: &str, name: &str) -> Option<String> {
    let metadata = &value["metadata"];
    let owner = &metadata["ownerReferences"][0];
    if kind == "Secret" {
        return Some(
            "secrets stay out of the repo: keep it where it is, and the manifest refers to it by its name".into(),
        );
    }
    if owner.is_object() {
        let text = |key: &str| owner[key].as_str().unwrap_or_default();
        return Some(format!("{}/{} makes it", text("kind"), text("name")));
    }
    if metadata["annotations"]["helm.sh/hook"].is_string() {
        return Some("it is a hook of Helm's; what is to run before a rollout goes into `jobs`".into());
    }
    if CLUSTER_WIDE.contains(&kind) {
        return Some("it is in no namespace, and shipcat ships what is in one".into());
    }
    match (kind, name) {
        ("Job", _) => Some("a Job runs once; what is to run before each rollout goes into `jobs`".into()),
        ("Pod", _) => Some("nothing keeps a lone pod running".into()),
        ("ReplicaSet" | "ControllerRevision" | "EndpointSlice" | "Event" | "Lease" | "PodMetrics", _) => {
            Some("the cluster makes it".into())
        }
        ("Endpoints", _) => {
            Some("the cluster makes it, unless its Service has no selector: then keep it where it is".into())
        }
        ("ConfigMap", "kube-root-ca.crt") | ("ServiceAccount", "default") | ("Service", "kubernetes") => {
            Some("the cluster makes it".into())
        }
        _ => None,
    }
}
