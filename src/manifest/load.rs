//! From a service's files to its [`Manifest`]: read every layer, merge them, check what no single layer can know.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};

use super::layer::{Layer, settled};
use super::names::{ServiceName, is_registry};
use super::repo::{Environment, Repo};
use super::{ConfigFile, Content, Manifest};
use crate::error::{Failure, FileId, Place, Problem, Problems, Sources, closest, join_and};
use crate::yaml::{self, At, Text};

/// The manifests that were asked for, and what is worth telling about them.
pub type Loaded = (Vec<Manifest>, Vec<String>);

impl Repo {
    /// The manifests of the named services, or of all services of the environment.
    ///
    /// # Errors
    /// All problems of all their files in one go; a service that is not there or not in the environment.
    pub fn manifests(&mut self, environment: &Environment, services: Option<&[String]>) -> Result<Loaded> {
        let known = self.services()?;
        let mut loader =
            Loader { sources: &mut self.sources, root: &self.root, problems: Vec::new(), warnings: Vec::new() };
        let mut manifests = Vec::new();
        let mut absent = Vec::new();
        for name in services.unwrap_or(&known) {
            if !known.contains(name) {
                bail!(unknown_service(name, &known));
            }
            match loader.service(name, environment, &self.defaults, &self.environments) {
                Loading::Here(manifest) => manifests.push(*manifest),
                Loading::Elsewhere(environments) if services.is_some() => absent.push((name, environments)),
                Loading::Elsewhere(_) | Loading::Broken => {}
            }
        }
        let Loader { problems, warnings, .. } = loader;
        if let Some(problems) = Problems::new(problems, &self.sources) {
            bail!(problems);
        }
        if let Some((name, environments)) = absent.first() {
            bail!(
                Failure::refused(format!("the service `{name}` is not in the environment `{}`", environment.name))
                    .hint(format!("its manifest says `environments: [{}]`", environments.join(", ")))
            );
        }
        if manifests.is_empty() {
            bail!(Failure::refused(format!("there is no service in the environment `{}`", environment.name)));
        }
        let warnings = warnings
            .into_iter()
            .filter_map(|warning| Problems::new(vec![warning], &self.sources))
            .map(|problems| problems.to_string().replacen("error:", "warning:", 1))
            .collect();
        Ok((manifests, warnings))
    }
}

fn unknown_service(name: &str, known: &[String]) -> Failure {
    let failure = Failure::refused(format!("there is no service `{name}`: no folder `manifests/{name}`"));
    match closest(name, known.iter().map(String::as_str)) {
        Some(candidate) => failure.hint(format!("did you mean `{candidate}`?")),
        None if known.len() <= 20 => failure.hint(format!("the services are {}", join_and(known))),
        None => failure.hint("`ls manifests` shows the services"),
    }
}

enum Loading {
    Here(Box<Manifest>),
    Elsewhere(Vec<String>),
    Broken,
}

struct Loader<'a> {
    sources: &'a mut Sources,
    root: &'a Path,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Loader<'_> {
    fn service(
        &mut self,
        name: &str,
        environment: &Environment,
        defaults: &Layer,
        environments: &BTreeMap<super::EnvironmentName, Environment>,
    ) -> Loading {
        let before = self.problems.len();
        let folder = Path::new("manifests").join(name);
        let service: ServiceName = match name.parse() {
            Ok(service) => service,
            Err(message) => {
                let mut parts = message.lines().map(str::to_owned);
                let message = format!("{}: the folder `{}`", parts.next().unwrap_or_default(), folder.display());
                self.problems.push(Problem { place: None, message, hint: parts.next() });
                return Loading::Broken;
            }
        };
        let common = self.layer(&folder.join("manifest.yml"));
        let missing = common.is_none() && self.problems.len() == before;
        let own = self.layer(&folder.join(format!("{}.yml", environment.name)));
        let own = own.map(|(layer, _)| layer).unwrap_or_default();
        let Some((common, file)) = common else {
            if missing {
                let message = format!("there is no `{}`", folder.join("manifest.yml").display());
                let hint = "each folder in `manifests/` is a service and has a `manifest.yml`";
                self.problems.push(Problem::nowhere(message).hint(hint));
            }
            return Loading::Broken;
        };
        let top = Place { file, line: 1, column: 1 };
        self.stray(&folder, &common, environments);
        if let Some(own) = common.environments.clone().set() {
            for name in &own.value {
                if !environments.contains_key(&name.value) {
                    let hint = closest(name.value.as_ref(), environments.keys().map(AsRef::as_ref))
                        .map(|near| format!("did you mean `{near}`?"));
                    self.problems.push(Problem {
                        place: Some(name.place),
                        message: format!("there is no environment `{}`", name.value),
                        hint,
                    });
                }
            }
            if self.problems.len() == before && !own.value.iter().any(|name| name.value == environment.name) {
                return Loading::Elsewhere(own.value.iter().map(|name| name.value.to_string()).collect());
            }
        }
        for (layer, what) in
            [(&own, "an environment's file"), (defaults, "defaults"), (&environment.defaults, "defaults")]
        {
            if let Some(environments) = layer.environments.clone().set() {
                let problem = Problem::at(environments.place, format!("`environments` has no place in {what}"));
                self.problems.push(problem.hint("it belongs into `manifest.yml`"));
            }
        }
        let layers = [environment.defaults.clone(), common, own];
        let merged = layers.into_iter().fold(defaults.clone(), |merged, layer| merged.then(layer, &mut self.warnings));
        let manifest = self.settle(merged, service, environment, folder, top);
        if self.problems.len() > before { Loading::Broken } else { Loading::Here(Box::new(manifest)) }
    }

    /// One file's layer; `None` if there is no such file, or if it is broken, which is then among the problems.
    fn layer(&mut self, path: &Path) -> Option<(Layer, FileId)> {
        let bytes = match std::fs::read(self.root.join(path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.problems.push(Problem::nowhere(format!("cannot read `{}`: {error}", path.display())));
                return None;
            }
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
                let (line, column) =
                    (good.matches('\n').count() + 1, good.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
                let file = self.sources.add(path, good);
                self.problems.push(Problem::at(Place { file, line, column }, "not UTF-8 text"));
                return None;
            }
        };
        let file = self.sources.add(path, text);
        match yaml::read(self.sources, file) {
            Ok(layer) => Some((layer, file)),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    /// A YAML file in the folder that is no environment's would be read by nobody: `devv.yml` is a slip.
    fn stray(&mut self, folder: &Path, common: &Layer, environments: &BTreeMap<super::EnvironmentName, Environment>) {
        let Ok(entries) = std::fs::read_dir(self.root.join(folder)) else { return };
        let used: Vec<String> = settled(common.files.clone()).into_values().map(|source| source.value.0).collect();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        for name in names {
            let Some(stem) = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")) else { continue };
            let good = stem == "manifest" || environments.keys().any(|environment| environment.as_ref() == stem);
            if (good && name.ends_with(".yml")) || used.contains(&name) {
                continue;
            }
            let path = folder.join(&name);
            let problem = if good {
                Problem::nowhere(format!("`{}` is not read by anybody", path.display()))
                    .hint(format!("rename it to `{stem}.yml`"))
            } else {
                let known = environments.keys().map(AsRef::as_ref).chain(["manifest"]);
                let problem = Problem::nowhere(format!(
                    "`{}` is no environment's file: there is no environment `{stem}`",
                    path.display()
                ));
                match closest(stem, known) {
                    Some(near) => problem.hint(format!("did you mean `{near}.yml`?")),
                    None => problem.hint("name it after an environment, or list it in `files`"),
                }
            };
            self.problems.push(problem);
        }
    }

    fn settle(
        &mut self,
        layer: Layer,
        service: ServiceName,
        environment: &Environment,
        folder: PathBuf,
        top: Place,
    ) -> Manifest {
        let image = match layer.image.set() {
            Some(image) => with_registry(image.value.as_ref(), environment),
            None => with_registry(service.as_ref(), environment),
        };
        let port = layer.port.set();
        let mut probe = |probe: Option<At<super::kube::Probe>>, key: &str| {
            let probe = probe?;
            if probe.value.needs_port() && port.is_none() {
                let problem =
                    Problem::at(probe.place, format!("`{key}` asks the service's port, and the service has none"));
                self.problems.push(problem.hint("add `port: 8080`, or give the probe a port"));
            }
            Some(probe.value)
        };
        let readiness = probe(layer.health.set(), "health");
        let liveness = probe(layer.liveness_probe.set(), "livenessProbe");
        let startup = probe(layer.startup_probe.set(), "startupProbe");
        let min_ready_seconds = layer.min_ready_seconds.set().or_else(|| readiness.is_none().then_some(5));
        let mut selector: BTreeMap<String, String> = settled(layer.selector).into_iter().map(pair).collect();
        if selector.is_empty() {
            selector.insert("app".into(), service.to_string());
        }
        let init_containers = layer.init_containers.set().unwrap_or_default();
        let mut names: Vec<&str> = vec![service.as_ref()];
        for container in &init_containers {
            if names.contains(&container.name.as_ref()) {
                self.problems.push(
                    Problem::at(top, format!("two containers are named `{}`", container.name))
                        .hint("give one of `initContainers` another name"),
                );
            }
            names.push(container.name.as_ref());
        }
        let texts = |list: Vec<Text>| list.into_iter().map(|text| text.0).collect();
        let files = self.files(settled(layer.files), &folder);
        Manifest {
            image,
            version: layer.version.set().map(|version| version.value),
            replicas: layer.replicas.set().map_or(1, u32::from),
            labels: settled(layer.labels).into_iter().map(pair).collect(),
            annotations: settled(layer.annotations)
                .into_iter()
                .map(|(key, value)| (key.to_string(), value.0))
                .collect(),
            selector,
            command: layer.command.set().map(texts),
            args: layer.args.set().map(texts),
            port,
            env: settled(layer.env).into_iter().map(|(key, value)| (key.to_string(), value)).collect(),
            files,
            readiness,
            liveness,
            startup,
            resources: layer.resources.set(),
            init_containers,
            min_ready_seconds,
            termination_grace: layer.termination_grace_period_seconds.set(),
            values: environment.values.clone(),
            service,
            environment: environment.name.clone(),
            namespace: environment.namespace.clone(),
            folder,
        }
    }

    fn files(&mut self, files: BTreeMap<super::names::ContainerPath, At<Text>>, folder: &Path) -> Vec<ConfigFile> {
        let mut read = Vec::new();
        let targets: Vec<String> = files.keys().map(ToString::to_string).collect();
        for (target, At { value: Text(source), place }) in files {
            let inside = format!("{target}/");
            if let Some(other) = targets.iter().find(|other| other.starts_with(&inside)) {
                let problem = Problem::at(place, format!("`{target}` cannot be a file, since `{other}` is in it"));
                self.problems.push(problem.hint("give one of them another path"));
                continue;
            }
            let path = Path::new(&source);
            if source.is_empty() || !path.components().all(|part| matches!(part, Component::Normal(_))) {
                let problem = Problem::at(place, format!("`{source}` is not a file of the service's folder"));
                self.problems.push(problem.hint("name it relative to the folder, without `..`"));
                continue;
            }
            let shown = folder.join(path);
            let content = match std::fs::read(self.root.join(&shown)) {
                Err(error) => {
                    let problem = Problem::at(place, format!("cannot read `{}`: {}", shown.display(), plain(&error)));
                    self.problems
                        .push(problem.hint("`files` maps a path in the container to a file in the service's folder"));
                    continue;
                }
                Ok(bytes) => match (String::from_utf8(bytes), source.ends_with(".j2")) {
                    (Ok(text), true) => Content::Template(self.sources.add(&shown, text)),
                    (Ok(text), false) => Content::Text(text),
                    (Err(error), false) => Content::Bytes(error.into_bytes()),
                    (Err(_), true) => {
                        let problem =
                            Problem::at(place, format!("the template `{}` is not UTF-8 text", shown.display()));
                        self.problems.push(problem.hint("a file whose name does not end in `.j2` is taken as it is"));
                        continue;
                    }
                },
            };
            read.push(ConfigFile { target: target.to_string(), content });
        }
        read
    }
}

/// The operating system's words without its number.
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        _ => error.to_string(),
    }
}

fn pair<K: ToString, V: ToString>((key, value): (K, V)) -> (String, String) {
    (key.to_string(), value.to_string())
}

/// An image that names no registry gets the environment's.
pub fn with_registry(image: &str, environment: &Environment) -> String {
    let named = image.split_once('/').is_some_and(|(first, _)| is_registry(first));
    match &environment.registry {
        Some(registry) if !named => format!("{registry}/{image}"),
        _ => image.to_owned(),
    }
}
