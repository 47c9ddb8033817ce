//! Many services at once: read, check and render each, and gather all that is wrong with any of them.

use std::collections::BTreeMap;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use super::context::elsewhere;
use crate::error::{Failure, Place, Problem, Problems, Sources};
use crate::manifest::{Environment, Loading, Manifest, Repo, Version};
use crate::render::{Rendered, Templates, depends_on_version, render, texts, version_from_files};
use crate::threads;
use crate::yaml::Object;

/// Which services.
#[derive(Debug, clap::Args)]
pub struct Selection {
    /// The services
    #[arg(value_name = "SERVICE", add = ArgValueCompleter::new(complete::services), required_unless_present = "all")]
    pub services: Vec<String>,
    /// Every service of the environment
    #[arg(long, conflicts_with = "services")]
    pub all: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Survey {
    /// The services that could be rendered.
    pub made: Vec<Made>,
    /// Every service that is in the environment, or would be.
    pub names: Vec<String>,
    /// What is wrong.
    pub errors: Problems,
    /// What is worth telling.
    pub warnings: Problems,
}

/// A service that could be rendered.
#[derive(Debug)]
pub struct Made {
    /// The service.
    pub name: String,
    /// Its YAML.
    pub text: String,
    /// Its objects.
    pub objects: Vec<Object>,
    /// The version that it was rendered with.
    pub version: Version,
    /// Whether it is rendered differently for different versions of Kubernetes.
    pub depends_on_version: bool,
    /// Where its manifest starts.
    pub place: Place,
    /// Its files.
    pub sources: Sources,
    claims: Vec<Claim>,
}

enum Outcome {
    Rendered(Box<Made>),
    Elsewhere(String, Vec<String>),
    Wrong(String, anyhow::Error),
}

/// What a service claims for itself: a name, or a host with a path.
#[derive(Debug)]
struct Claim {
    what: String,
    place: Place,
    message: String,
}

/// Reads, checks and renders services of an environment, on all cores; `version` says with which version, where it is not the files'.
///
/// # Errors
/// If a service is not there, or none is in the environment. What is wrong with files is in the survey.
pub fn survey(
    repo: &Repo,
    environment: &Environment,
    templates: &Templates,
    selection: &Selection,
    version: &(dyn Fn(&str) -> Option<Version> + Sync),
) -> Result<Survey> {
    let names = if selection.all { repo.services()? } else { selection.services.clone() };
    if !selection.all {
        repo.must_have(&names)?;
    }
    let results = threads::each(&names, |name| one(repo, environment, templates, name, version(name).as_ref()));
    let mut survey = Survey::default();
    let mut claims: BTreeMap<String, String> = BTreeMap::new();
    let mut absent = None;
    for (outcome, warnings) in results {
        survey.warnings.append(warnings);
        match outcome {
            Outcome::Rendered(made) => {
                for claim in &made.claims {
                    match claims.get(&claim.what) {
                        Some(other) => {
                            let message = format!("{} is claimed by the service `{other}` as well", claim.message);
                            let problem =
                                Problem::at(claim.place, message).hint("give one of them another name, host or path");
                            survey.errors.add("error", &[problem], &made.sources);
                        }
                        None => drop(claims.insert(claim.what.clone(), made.name.clone())),
                    }
                }
                survey.names.push(made.name.clone());
                survey.made.push(*made);
            }
            Outcome::Elsewhere(name, environments) if !selection.all => absent = Some((name, environments)),
            Outcome::Elsewhere(..) => {}
            Outcome::Wrong(name, error) => {
                survey.names.push(name);
                survey.errors.add_error(error);
            }
        }
    }
    if survey.errors.is_empty() {
        if let Some((name, environments)) = absent {
            return Err(elsewhere(&name, environment, &environments).into());
        }
        if survey.made.is_empty() {
            return Err(
                Failure::refused(format!("there is no service in the environment `{}`", environment.name)).into()
            );
        }
    }
    Ok(survey)
}

fn one(
    repo: &Repo,
    environment: &Environment,
    templates: &Templates,
    name: &str,
    tag: Option<&Version>,
) -> (Outcome, Problems) {
    let mut told = Problems::default();
    let manifest = match repo.load(name, environment) {
        Loading::Here(manifest, warnings) => {
            told.add("warning", &warnings, &manifest.sources);
            manifest
        }
        Loading::Elsewhere(environments) => return (Outcome::Elsewhere(name.to_owned(), environments), told),
        Loading::Broken(mut broken) => {
            told.add("warning", &broken.warnings, &broken.sources);
            // What is left of it may have more that is wrong.
            if let Some(rest) = &broken.rest {
                broken.problems.extend(texts(rest, tag));
            }
            return (Outcome::Wrong(name.to_owned(), broken.told().into()), told);
        }
    };
    let rendered = version_from_files(&manifest, tag)
        .map_err(|error| {
            let mut all = Problems::new(texts(&manifest, tag), &manifest.sources).unwrap_or_default();
            all.add_error(error);
            all.into()
        })
        .and_then(|version| Ok((render(templates, &manifest, &version)?, version)));
    let outcome = match rendered {
        Ok((rendered, version)) => {
            let depends_on_version = depends_on_version(&manifest, &rendered);
            let Rendered { text, objects } = rendered;
            let claims = claims(&manifest, &objects);
            let place = manifest.tree.place;
            let (name, sources) = (name.to_owned(), manifest.sources);
            let made = Made { name, text, objects, version, depends_on_version, place, sources, claims };
            Outcome::Rendered(Box::new(made))
        }
        Err(error) => Outcome::Wrong(name.to_owned(), error),
    };
    (outcome, told)
}

/// The names of objects, and the hosts with their paths, that no other service may have.
fn claims(manifest: &Manifest, objects: &[Object]) -> Vec<Claim> {
    let name = manifest.tree.place_of(&["name"]);
    let hosts = |host: &str| manifest.tree.place_of(&["ingress", "hosts", host]);
    let mut found: Vec<(String, Place, String)> = Vec::new();
    for object in objects {
        found.push((format!("{} {object}", object.group()), name, object.to_string()));
        if object.kind() != "Ingress" {
            continue;
        }
        for rule in object.list("/spec/rules") {
            let host = rule["host"].as_str().unwrap_or("*");
            for path in rule["http"]["paths"].as_array().into_iter().flatten() {
                let path = path["path"].as_str().unwrap_or("/");
                found.push((
                    format!("{host} {path}"),
                    hosts(host),
                    format!("the host `{host}` with the path `{path}`"),
                ));
            }
        }
    }
    found.into_iter().map(|(what, place, message)| Claim { what, place, message }).collect()
}
