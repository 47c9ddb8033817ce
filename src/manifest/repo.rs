//! A manifests repo: `shipcat.yml`, its environments, and which services there are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use super::graces::Graces;
use super::keys::repo::REPO_SHAPE;
use super::keys::service::MANIFEST_SHAPE;
use super::layers::{self, Layer};
use super::names::{Duration, EnvironmentName, Namespace};
use super::{Template, templates};
use crate::error::{Failure, Problem, Problems, Sources, closest, join_and};
use crate::yaml::{self, Node, Shape};

/// The name of the file that marks a directory as a manifests repo.
pub const MARK: &str = "shipcat.yml";
/// The Kubernetes version that is taken where an environment names none: the minor of 1.
pub const RECENT: u32 = 36;

/// A manifests repo, read.
#[derive(Debug)]
pub struct Repo {
    /// Its folder.
    pub root: PathBuf,
    /// Its environments by name.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// The repo's own files, for showing lines of them.
    pub sources: Sources,
    /// The repo's templates.
    pub templates: Vec<Template>,
}

/// An environment of `shipcat.yml`.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// The kube contexts that are accepted for it.
    pub contexts: Vec<String>,
    /// The API server's addresses, of which the context must have one, if the file names any.
    pub cluster: Vec<String>,
    /// The namespace.
    pub namespace: Namespace,
    /// The Kubernetes version that the file names: the minor of 1.
    pub kubernetes: Option<u32>,
    /// Goes in front of images that name no registry.
    pub registry: Option<String>,
    /// Values for templates: those of the whole repo, with the environment's own over them.
    pub values: Map<String, Value>,
    /// How long a rollout may take.
    pub timeout: std::time::Duration,
    /// How long the put-back may take.
    pub rollback_timeout: std::time::Duration,
    /// Whether it is production-like: shipped to with more care.
    pub protected: bool,
    /// Whether a ship may bring configuration changes, or `update` has to bring them before.
    pub ships_config: bool,
    /// How patient it is with what goes wrong in a rollout.
    pub graces: Graces,
    /// Whether release records are kept in ConfigMaps: where deployers may not touch Secrets.
    pub records_in_config_maps: bool,
    /// How long the lock stays a run's own without a renewal.
    pub lock_lifetime: std::time::Duration,
    /// The Slack channel that the files name for it, if they do; `None` within where nobody is to be told.
    pub slack: Option<Option<String>>,
    /// What every service here gets: the repo's defaults, then the environment's.
    pub layers: Vec<Layer>,
}

impl Environment {
    /// What every service here gets, as a manifest would say it.
    pub fn defaults(&self) -> Value {
        let Some(first) = self.layers.first() else { return Value::Null };
        let start = Node::empty(first.tree.place);
        let merge = |all, layer: &Layer| yaml::merge(all, &layer.tree, &MANIFEST_SHAPE, &mut Vec::new());
        yaml::value(&self.layers.iter().fold(start, merge), &MANIFEST_SHAPE)
    }
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

    /// Reads `shipcat.yml` and the repo's templates.
    ///
    /// # Errors
    /// Every problem of the file in one go.
    pub fn read(root: PathBuf) -> Result<Self> {
        let mut sources = Sources::default();
        let mut problems = Vec::new();
        let read = layers::file(&root, Path::new(MARK), &REPO_SHAPE, &mut sources, &mut problems);
        let environments = read.map(|(tree, whole)| resolve(&tree, &whole, &mut problems)).unwrap_or_default();
        let templates = templates::read(&root, Path::new("templates"), false, &mut sources, &mut problems);
        match Problems::new(problems, &sources) {
            Some(problems) => Err(problems.into()),
            None => Ok(Self { root, environments, sources, templates }),
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

/// `tree` is without what is wrong and told already, `whole` is all of it.
fn resolve(tree: &Node, whole: &Node, problems: &mut Vec<Problem>) -> BTreeMap<EnvironmentName, Environment> {
    let mut environments: BTreeMap<EnvironmentName, Environment> = BTreeMap::new();
    let mut defaults: Vec<Layer> = told_of(tree, "`shipcat.yml`".into()).into_iter().collect();
    defaults.extend(defaults_of(tree, "the defaults of `shipcat.yml`".into()));
    let values = values_of(tree);
    for (key, read) in tree.get("environments").map_or(&[][..], Node::entries) {
        let Ok(name) = key.text().parse::<EnvironmentName>() else { continue };
        let written = whole.get("environments").and_then(|all| all.get(key.text())?.get("contexts"));
        let Some(mut environment) = environment(name, read, written, problems) else { continue };
        environment.values = values.clone();
        for (key, own) in values_of(read) {
            merge_values(&mut environment.values, &key, own);
        }
        let own = defaults_of(read, format!("the defaults of the environment `{}`", environment.name));
        let of_all = told_of(read, format!("the environment `{}`", environment.name));
        environment.layers = defaults.iter().cloned().chain(of_all).chain(own).collect();
        environment.slack = [read, tree].iter().find_map(|tree| tree.get("slack")).and_then(channel);
        // Two environments in one place would overwrite each other's services.
        if let Some(other) = environments.values().find(|other| same_place(other, &environment)) {
            let Environment { name: other, namespace, .. } = other;
            let message = format!(
                "the environments `{other}` and `{}` are the same place: namespace `{namespace}` of one cluster",
                environment.name
            );
            problems.push(Problem::at(read.place, message).hint("give one of them another namespace"));
        }
        environments.insert(environment.name.clone(), environment);
    }
    if environments.is_empty() && problems.is_empty() {
        problems.push(
            Problem::at(tree.place, format!("`{MARK}` names no environment"))
                .hint("start with `environments: {dev: {contexts: [my-context]}}`"),
        );
    }
    environments
}

/// How long the lock stays a run's own without a renewal, where the environment does not say.
const LOCK_LIFETIME: std::time::Duration = std::time::Duration::from_mins(1);
/// How long it may be made: a call to the API server must fit into less than half of it.
const LIFETIMES: std::ops::RangeInclusive<std::time::Duration> =
    std::time::Duration::from_secs(2)..=std::time::Duration::from_hours(1);

/// `contexts` is what stands there, right or wrong.
fn environment(
    name: EnvironmentName,
    read: &Node,
    contexts: Option<&Node>,
    problems: &mut Vec<Problem>,
) -> Option<Environment> {
    let text = |key: &str| read.get(key).filter(|node| !node.is_null()).map(|node| node.text().to_owned());
    let is_told = contexts.is_some_and(|node| !node.is_null() && !node.is_empty());
    let contexts: Vec<String> =
        read.get("contexts").map_or(&[][..], Node::items).iter().map(|node| node.text().to_owned()).collect();
    if contexts.is_empty() && !is_told {
        problems.push(
            Problem::at(read.place, format!("the environment `{name}` accepts no kube context"))
                .hint("list the contexts that may be used for it: `contexts: [my-context]`"),
        );
    }
    let cluster = addresses(read.get("cluster"));
    if let Some(node) = read.get("cluster").filter(|_| cluster.iter().any(String::is_empty)) {
        problems.push(
            Problem::at(node.place, "this is no address of an API server")
                .hint("name one, or several, or leave `cluster` away"),
        );
    }
    let namespace: Namespace = match text("namespace").as_deref().unwrap_or(name.as_ref()).parse() {
        Ok(namespace) => namespace,
        Err(message) => {
            problems.push(Problem::at(read.place, message.lines().next().unwrap_or_default()));
            return None;
        }
    };
    let mut span = |node: Option<&Node>, usual: std::time::Duration| -> std::time::Duration {
        let Some(node) = node.filter(|node| !node.is_null()) else { return usual };
        node.text().parse::<Duration>().map(|duration| duration.0).unwrap_or_else(|message| {
            let (message, hint) = message.split_once('\n').unwrap_or((&message, ""));
            problems.push(Problem::at(node.place, message).hint(hint));
            usual
        })
    };
    let five = std::time::Duration::from_mins(5);
    let (timeout, rollback_timeout) = (span(read.get("timeout"), five), span(read.get("rollbackTimeout"), five));
    let lifetime = read.get("lock").and_then(|lock| lock.get("lifetime"));
    let lock_lifetime = span(lifetime, LOCK_LIFETIME);
    if let Some(node) = lifetime.filter(|_| !LIFETIMES.contains(&lock_lifetime)) {
        let message = "the lock's lifetime is shorter than 2 s or longer than an hour";
        problems.push(Problem::at(node.place, message).hint("a minute is usual: it is renewed every quarter of it"));
    }
    let mut graces = Graces::default();
    for (key, node) in read.get("graces").map_or(&[][..], Node::entries).iter().filter(|(_, node)| !node.is_null()) {
        if let Err(message) = graces.set(key.text(), node.text()) {
            let (message, hint) = message.split_once('\n').unwrap_or((&message, ""));
            problems.push(Problem::at(node.place, message).hint(hint));
        }
    }
    Some(Environment {
        contexts,
        cluster,
        namespace,
        kubernetes: text("kubernetes").and_then(|version| version.strip_prefix("1.")?.parse().ok()),
        registry: text("registry"),
        values: Map::new(),
        timeout,
        rollback_timeout,
        protected: text("protected").as_deref() == Some("true"),
        ships_config: read.get("ship").and_then(|ship| ship.get("config")).is_none_or(|node| node.text() != "refuse"),
        graces,
        records_in_config_maps: text("records").as_deref() == Some("configmap"),
        lock_lifetime,
        slack: None,
        layers: Vec::new(),
        name,
    })
}

/// One, or several; without the slash at their end, which says nothing.
fn addresses(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let nodes = if node.items().is_empty() { std::slice::from_ref(node) } else { node.items() };
    nodes.iter().map(|node| node.text().trim_end_matches('/').to_owned()).collect()
}

fn defaults_of(tree: &Node, what: String) -> Option<Layer> {
    let defaults = tree.get("defaults").filter(|defaults| !defaults.entries().is_empty())?;
    Some(Layer { what, tree: defaults.clone(), is_default: true })
}

/// A Slack channel as a file says it: nothing for the webhook's own, nothing within for none at all.
fn channel(node: &Node) -> Option<Option<String>> {
    match node.text().to_lowercase().as_str() {
        _ if node.is_null() => None,
        "true" if node.is_flag() => None,
        "false" if node.is_flag() => Some(None),
        _ => Some(Some(node.text().to_owned())),
    }
}

/// What a file or an environment says of tests and Slack, for all services.
fn told_of(tree: &Node, what: String) -> Option<Layer> {
    let tree = tree.filtered(|key, _| ["tests", "slack"].contains(&key));
    (!tree.entries().is_empty()).then_some(Layer { what, tree, is_default: true })
}

fn values_of(tree: &Node) -> Map<String, Value> {
    match tree.get("values").map(|values| yaml::value(values, &Shape::Free)) {
        Some(Value::Object(values)) => values,
        _ => Map::new(),
    }
}

/// One layer's value over the earlier ones': maps merge by key, `null` takes a key away.
pub fn merge_values(values: &mut Map<String, Value>, key: &str, later: Value) {
    match (values.get_mut(key), later) {
        (_, Value::Null) => drop(values.shift_remove(key)),
        (Some(Value::Object(earlier)), Value::Object(later)) => {
            for (key, value) in later {
                merge_values(earlier, &key, value);
            }
        }
        (_, later) => drop(values.insert(key.to_owned(), later)),
    }
}

fn same_place(a: &Environment, b: &Environment) -> bool {
    let cluster = match (a.cluster.as_slice(), b.cluster.as_slice()) {
        ([], _) | (_, []) => a.contexts.iter().any(|context| b.contexts.contains(context)),
        (a, b) => a.iter().any(|address| b.contains(address)),
    };
    cluster && a.namespace == b.namespace
}
