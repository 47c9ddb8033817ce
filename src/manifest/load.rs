//! From a service's files to its [`Manifest`]: read every layer, merge them, check what no single layer can know.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use super::files::{Folder, Reader};
use super::keys::service::{LAYER_SHAPE, MANIFEST_SHAPE};
use super::layers::{self, Layer};
use super::names::ServiceName;
use super::part::{Part, Role};
use super::repo::{Environment, Repo};
use super::suspects::Suspects;
use super::{Manifest, Template, check};
use crate::error::{Failure, Place, Problem, Problems, Sources, closest, join_and};
use crate::yaml::{self, Mode, Node, Shape};

/// What became of reading a service.
#[derive(Debug)]
pub enum Loading {
    /// Its manifest, and what is worth a warning.
    Here(Box<Manifest>, Vec<Problem>),
    /// It is in other environments.
    Elsewhere(Vec<String>),
    /// What is wrong with it.
    Broken(Box<Broken>),
}

/// A service with something wrong.
#[derive(Debug)]
pub struct Broken {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What is worth a warning.
    pub warnings: Vec<Problem>,
    /// What is left of it without that, to look for more.
    pub rest: Option<Box<Manifest>>,
    /// The files in which it is.
    pub sources: Sources,
}

impl Broken {
    /// What is wrong, rendered.
    pub fn told(self) -> Problems {
        Problems::new(self.problems, &self.sources).unwrap_or_default()
    }
}

impl Repo {
    /// Whether all these services are there.
    ///
    /// # Errors
    /// At the first that is not, with what was probably meant.
    pub fn must_have(&self, services: &[String]) -> Result<()> {
        let known = self.services()?;
        match services.iter().find(|name| !known.contains(name)) {
            Some(name) => bail!(unknown_service(name, &known)),
            None => Ok(()),
        }
    }

    /// Reads a service that is there.
    pub fn load(&self, name: &str, environment: &Environment) -> Loading {
        let mut loader = Loader {
            repo: self,
            environment,
            folder: Path::new("manifests").join(name),
            sources: self.sources.clone(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        match loader.service(name) {
            Some(Found::Here(mut manifest)) => {
                manifest.sources = loader.sources.clone();
                match loader.problems.is_empty() {
                    true => Loading::Here(manifest, loader.warnings),
                    false => Loading::Broken(Box::new(loader.broken(Some(manifest)))),
                }
            }
            Some(Found::Elsewhere(environments)) => Loading::Elsewhere(environments),
            None => Loading::Broken(Box::new(loader.broken(None))),
        }
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

enum Found {
    Here(Box<Manifest>),
    Elsewhere(Vec<String>),
}

struct Loader<'a> {
    repo: &'a Repo,
    environment: &'a Environment,
    folder: PathBuf,
    sources: Sources,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Loader<'_> {
    fn broken(self, rest: Option<Box<Manifest>>) -> Broken {
        Broken { problems: self.problems, warnings: self.warnings, rest, sources: self.sources }
    }

    fn service(&mut self, name: &str) -> Option<Found> {
        let service: ServiceName = match name.parse() {
            Ok(service) => service,
            Err(message) => {
                let (message, hint) = message.split_once('\n').unwrap_or((message.as_str(), ""));
                let place = self.start_of(&self.folder.clone());
                self.problems.push(Problem::at(place, message).hint(hint));
                return None;
            }
        };
        let mut suspects = Suspects::default();
        let common = self.layer("manifest.yml", &MANIFEST_SHAPE, &mut suspects);
        let own_name = format!("{}.yml", self.environment.name);
        if common.is_none() && self.problems.is_empty() {
            let path = self.folder.join("manifest.yml");
            let problem = Problem::at(self.start_of(&path), format!("there is no `{}`", path.display()));
            self.problems.push(problem.hint("each folder in `manifests/` is a service and has a `manifest.yml`"));
        }
        let own = self.layer(&own_name, &LAYER_SHAPE, &mut suspects);
        let common = common?;
        self.stray(&common);
        if let Some(own) = self.elsewhere(&common) {
            return Some(Found::Elsewhere(own));
        }
        let mut layers = self.environment.layers.clone();
        layers.push(Layer {
            what: self.folder.join("manifest.yml").display().to_string(),
            tree: common,
            is_default: false,
        });
        layers.extend(own.map(|tree| Layer {
            what: self.folder.join(own_name).display().to_string(),
            tree,
            is_default: false,
        }));
        let start = Node::empty(layers[layers.len() - 1].tree.place);
        let mut tree = layers
            .iter()
            .fold(start, |merged, layer| yaml::merge(merged, &layer.tree, &MANIFEST_SHAPE, &mut self.warnings));
        let mut wrong = Vec::new();
        yaml::check(&tree, &MANIFEST_SHAPE, Mode::Whole, &mut wrong);
        wrong.retain(|problem| !suspects.hold(&tree, problem));
        suspects.add(&wrong, &tree);
        let places: BTreeSet<Place> = wrong.iter().filter_map(|problem| problem.place).collect();
        if !places.is_empty() {
            tree = tree.without(&places);
        }
        self.problems.append(&mut wrong);
        let manifest = self.settle(service, tree, layers);
        let (mut found, mut doubts) = (Vec::new(), Vec::new());
        check::offline(&manifest, &mut found, &mut doubts);
        found.retain(|problem| !suspects.explain(&manifest.tree, problem));
        // Requests are what an autoscaler goes by.
        doubts.retain(|problem| !suspects.explain(&manifest.tree, problem) && !suspects.has("resources"));
        self.warnings.append(&mut doubts);
        self.problems.extend(found);
        Some(Found::Here(Box::new(manifest)))
    }

    /// A place for what is wrong with a file or a folder as a whole.
    fn start_of(&mut self, path: &Path) -> Place {
        Place { file: self.sources.add(path, String::new()), line: 1, column: 1 }
    }

    fn layer(&mut self, name: &str, shape: &'static Shape, suspects: &mut Suspects) -> Option<Node> {
        let path = self.folder.join(name);
        let before = self.problems.len();
        let (good, all) = layers::file(&self.repo.root, &path, shape, &mut self.sources, &mut self.problems)?;
        suspects.add(&self.problems[before..], &all);
        Some(good)
    }

    /// The environments that it is in, if this is none of them.
    fn elsewhere(&mut self, common: &Node) -> Option<Vec<String>> {
        let environments = common.get("environments")?;
        let known = &self.repo.environments;
        let before = self.problems.len();
        for name in environments.items() {
            if !known.keys().any(|known| known.as_ref() == name.text()) {
                let problem = Problem::at(name.place, format!("there is no environment `{}`", name.text()));
                self.problems.push(match closest(name.text(), known.keys().map(AsRef::as_ref)) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem.hint("`shipcat.yml` names the environments"),
                });
            }
        }
        let names: Vec<String> = environments.items().iter().map(|name| name.text().to_owned()).collect();
        let here = names.iter().any(|name| name == self.environment.name.as_ref());
        (self.problems.len() == before && !here && !environments.is_null()).then_some(names)
    }

    /// A YAML file in the folder that is no environment's would be read by nobody: `devv.yml` is a slip.
    fn stray(&mut self, common: &Node) {
        let Ok(entries) = std::fs::read_dir(self.repo.root.join(&self.folder)) else { return };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
            .collect();
        names.sort();
        for name in names {
            let stem = name.trim_end_matches(".yaml").trim_end_matches(".yml");
            let known = self.repo.environments.keys().map(AsRef::as_ref).chain(["manifest"]);
            let good = known.clone().any(|known| known == stem);
            if (good && name.ends_with(".yml")) || named_in(common, &name) {
                continue;
            }
            let path = self.folder.join(&name);
            let place = self.start_of(&path);
            let problem = if good {
                Problem::at(place, format!("`{}` is not read by anybody", path.display()))
                    .hint(format!("rename it to `{stem}.yml`"))
            } else {
                let problem = Problem::at(
                    place,
                    format!("`{}` is no environment's file: there is no environment `{stem}`", path.display()),
                );
                match closest(stem, known) {
                    Some(near) => problem.hint(format!("did you mean `{near}.yml`?")),
                    None => problem.hint("name it after an environment, or list it in `files`"),
                }
            };
            self.problems.push(problem);
        }
    }

    fn settle(&mut self, service: ServiceName, tree: Node, layers: Vec<Layer>) -> Manifest {
        let json = yaml::value(&tree, &MANIFEST_SHAPE);
        let main = Part::main(service.as_ref(), &tree, &json);
        let [workers, jobs, cron_jobs] = [Role::Worker, Role::Job, Role::CronJob]
            .map(|role| Part::of(role, service.as_ref(), &tree, &mut self.warnings));
        let templates = self.templates();
        let mut reader = Reader {
            root: &self.repo.root,
            folder: &self.folder,
            sources: &mut self.sources,
            problems: &mut self.problems,
            read: Folder::default(),
        };
        for part in main.iter().chain(&workers).chain(&jobs).chain(&cron_jobs) {
            if let Some(files) = part.tree.get("files") {
                reader.files(files, true);
            }
        }
        for (_, map) in tree.get("configMaps").map_or(&[][..], Node::entries) {
            if let Some(files) = map.get("files") {
                reader.files(files, false);
            }
        }
        let files = reader.read;
        let mut values = self.environment.values.clone();
        let shape = Shape::Free;
        for (key, own) in tree.get("values").map_or(&[][..], Node::entries) {
            super::repo::merge_values(&mut values, key.text(), yaml::value(own, &shape));
        }
        Manifest {
            environment: self.environment.name.clone(),
            namespace: self.environment.namespace.clone(),
            kubernetes: self.environment.kubernetes.unwrap_or(super::repo::RECENT),
            registry: match &json["registry"] {
                Value::Bool(false) => None,
                Value::String(own) => Some(own.clone()),
                _ => self.environment.registry.clone(),
            },
            value: json,
            tree,
            layers,
            main,
            workers,
            jobs,
            cron_jobs,
            values,
            files,
            templates,
            sources: Sources::default(),
            service,
        }
    }

    /// The service's own templates, after the repo's.
    fn templates(&mut self) -> Vec<Template> {
        let mut templates = self.repo.templates.clone();
        templates.extend(super::templates::read(
            &self.repo.root,
            &self.folder.join("templates"),
            true,
            &mut self.sources,
            &mut self.problems,
        ));
        templates
    }
}

/// Whether a file is named by `files` or `configMaps`.
fn named_in(common: &Node, name: &str) -> bool {
    fn mentions(node: &Node, name: &str) -> bool {
        node.text() == name || node.entries().iter().any(|(_, value)| mentions(value, name))
    }
    ["files", "configMaps", "workers", "jobs", "cronJobs"]
        .iter()
        .any(|key| common.get(key).is_some_and(|node| mentions(node, name)))
}
