//! A manifests repo: `shipcat.yml`, its environments, and which services there are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::layer::Layer;
use super::names::{Duration, EnvironmentName, Namespace};
use crate::error::{Failure, Problem, Problems, Sources, closest, join_and};
use crate::yaml::{self, At, Patch, Text};

/// The name of the file that marks a directory as a manifests repo.
pub const MARK: &str = "shipcat.yml";

/// A manifests repo, read.
#[derive(Debug)]
pub struct Repo {
    /// Its folder.
    pub root: PathBuf,
    /// Its environments by name.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// Every file read so far, for showing lines of them.
    pub sources: Sources,
    pub(super) defaults: Layer,
}

/// An environment of `shipcat.yml`.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// The kube contexts that are accepted for it.
    pub contexts: Vec<String>,
    /// The API server's URL that the context must have, if the file names one.
    pub cluster: Option<String>,
    /// The namespace.
    pub namespace: Namespace,
    /// Goes in front of images that name no registry.
    pub registry: Option<String>,
    /// Values for templates: those of the whole repo, then the environment's own.
    pub values: Map<String, Value>,
    /// How long a rollout may take.
    pub timeout: std::time::Duration,
    /// How long the put-back may take.
    pub rollback_timeout: std::time::Duration,
    pub(super) defaults: Layer,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct RepoFile {
    environments: Patch<BTreeMap<EnvironmentName, Patch<At<EnvironmentFile>>>>,
    defaults: Patch<Layer>,
    values: Patch<Map<String, Value>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct EnvironmentFile {
    contexts: Patch<Vec<Text>>,
    cluster: Patch<At<Text>>,
    namespace: Patch<Namespace>,
    registry: Patch<At<Text>>,
    values: Patch<Map<String, Value>>,
    defaults: Patch<Layer>,
    timeout: Patch<Duration>,
    rollback_timeout: Patch<Duration>,
}

impl Repo {
    /// The folder with a `shipcat.yml`: `named`, or the first one from `from` upwards.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(named: Option<&Path>, from: &Path) -> Result<PathBuf> {
        if let Some(dir) = named {
            return if dir.join(MARK).is_file() {
                Ok(dir.to_owned())
            } else {
                Err(Failure::refused(format!("there is no `{MARK}` in `{}`", dir.display()))
                    .hint("name the folder of a manifests repo with `-C DIR` or SHIPCAT_REPO")
                    .into())
            };
        }
        from.ancestors().find(|dir| dir.join(MARK).is_file()).map(Path::to_owned).ok_or_else(|| {
            Failure::refused(format!("there is no `{MARK}` in `{}` or above it", from.display()))
                .hint("go to your manifests repo, or name it with `-C DIR` or SHIPCAT_REPO")
                .into()
        })
    }

    /// Reads `shipcat.yml`.
    ///
    /// # Errors
    /// Every problem of the file in one go.
    pub fn read(root: PathBuf) -> Result<Self> {
        let path = root.join(MARK);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let mut sources = Sources::default();
        let file = sources.add(Path::new(MARK), text);
        let (defaults, environments, problems) = match yaml::read::<RepoFile>(&sources, file) {
            Ok(read) => resolve(read),
            Err(problems) => (Layer::default(), BTreeMap::new(), problems),
        };
        match Problems::new(problems, &sources) {
            Some(problems) => Err(problems.into()),
            None => Ok(Self { root, environments, sources, defaults }),
        }
    }

    /// The environment of that name.
    ///
    /// # Errors
    /// If `shipcat.yml` has none such; with what was probably meant.
    pub fn environment(&self, name: Option<&str>) -> Result<Environment> {
        let known: Vec<&str> = self.environments.keys().map(AsRef::as_ref).collect();
        let Some(name) = name else {
            return Err(Failure::refused("no environment named")
                .hint(format!("say which with `-n ENV` or SHIPCAT_ENV: {}", join_and(&known)))
                .into());
        };
        let found = self.environments.values().find(|environment| environment.name.as_ref() == name);
        found.cloned().ok_or_else(|| {
            let failure = Failure::refused(format!("there is no environment `{name}` in `{MARK}`"));
            match closest(name, known.iter().copied()) {
                Some(candidate) => failure.hint(format!("did you mean `{candidate}`?")),
                None => failure.hint(format!("the environments are {}", join_and(&known))),
            }
            .into()
        })
    }

    /// The names of all services, in order: the folders in `manifests/`.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn services(&self) -> Result<Vec<String>> {
        let dir = self.root.join("manifests");
        let entries = std::fs::read_dir(&dir).map_err(|error| {
            Failure::refused(format!("cannot read the folder `manifests` of `{}`: {error}", self.root.display()))
                .hint("a manifests repo has one folder a service in `manifests/`")
        })?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read `{}`", dir.display()))?;
            if entry.path().is_dir()
                && let Some(name) = entry.file_name().to_str()
                && !name.starts_with('.')
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }
}

type Resolved = (Layer, BTreeMap<EnvironmentName, Environment>, Vec<Problem>);

fn resolve(file: RepoFile) -> Resolved {
    let mut problems = Vec::new();
    let values = file.values.set().unwrap_or_default();
    let mut environments = BTreeMap::new();
    for (name, read) in file.environments.set().unwrap_or_default() {
        let Some(At { value: read, place }) = read.set() else { continue };
        let contexts: Vec<String> = read.contexts.set().unwrap_or_default().into_iter().map(|text| text.0).collect();
        if contexts.is_empty() {
            problems.push(
                Problem::at(place, format!("the environment `{name}` accepts no kube context"))
                    .hint("list the contexts that may be used for it: `contexts: [my-context]`"),
            );
        }
        let mut own = values.clone();
        own.extend(read.values.set().unwrap_or_default());
        let cluster = read.cluster.set();
        if let Some(url) = &cluster
            && !url.0.starts_with("https://")
            && !url.0.starts_with("http://")
        {
            problems.push(
                Problem::at(url.place, format!("`{}` is not the URL of an API server", url.0))
                    .hint("write it as in `https://host:6443`"),
            );
        }
        let registry = read.registry.set();
        if let Some(text) = &registry
            && (text.0.is_empty()
                || text.0.ends_with('/')
                || text.0.contains(|c: char| c.is_whitespace() || c.is_control()))
        {
            problems.push(
                Problem::at(text.place, format!("`{}` is not a registry", text.0))
                    .hint("write it without a slash at its end, as in `quay.io/acme`"),
            );
        }
        let namespace = match read.namespace.set() {
            Some(namespace) => namespace,
            None => match name.as_ref().parse() {
                Ok(namespace) => namespace,
                Err(message) => {
                    problems.push(Problem::at(place, message));
                    continue;
                }
            },
        };
        let environment = Environment {
            contexts,
            cluster: cluster.map(|url| url.value.0),
            namespace,
            registry: registry.map(|text| text.value.0),
            values: own,
            timeout: read.timeout.set().map_or(std::time::Duration::from_mins(5), |timeout| timeout.0),
            rollback_timeout: read
                .rollback_timeout
                .set()
                .map_or(std::time::Duration::from_mins(5), |timeout| timeout.0),
            defaults: read.defaults.set().unwrap_or_default(),
            name: name.clone(),
        };
        // Two environments in one place would overwrite each other's services.
        if let Some(other) = environments.values().find(|other| same_place(other, &environment)) {
            let Environment { name: other, namespace, .. } = other;
            problems.push(
                Problem::at(place, format!("the environments `{other}` and `{name}` are the same place: namespace `{namespace}` of one cluster"))
                    .hint("give one of them another namespace"),
            );
        }
        environments.insert(name, environment);
    }
    if environments.is_empty() && problems.is_empty() {
        problems.push(
            Problem::nowhere(format!("`{MARK}` names no environment"))
                .hint("start with `environments: {dev: {contexts: [my-context]}}`"),
        );
    }
    (file.defaults.set().unwrap_or_default(), environments, problems)
}

fn same_place(a: &Environment, b: &Environment) -> bool {
    let cluster = match (&a.cluster, &b.cluster) {
        (Some(a), Some(b)) => a == b,
        _ => a.contexts.iter().any(|context| b.contexts.contains(context)),
    };
    cluster && a.namespace == b.namespace
}
