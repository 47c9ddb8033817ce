//! Existing Kubernetes objects as a manifest that makes the same objects again. What a manifest has no word for becomes a template
//! of the service's own, and secrets stay where they are. Prints nothing, starts nothing; writes only where it is told to.
//! May import `render`, `manifest`, `yaml` and `error`.
//!
//! How it is known to be right: the result is rendered and compared with the originals ([`trial`]). Whatever differs is written in a
//! less short form, until nothing does.

mod around;
mod bare;
mod bare_pod;
mod clean;
mod draft;
mod files;
mod image;
mod layering;
mod layout;
mod pod;
mod read;
mod roles;
mod start;
mod template;
mod trial;
mod versions;
mod workload;
mod write;

pub use read::Input;
pub use start::starter;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use crate::error::Failure;
use crate::manifest::{Environment, Repo};
use crate::render::Templates;
use draft::{Draft, Ground};
use read::Original;
use roles::{Role, Way};
use trial::Trial;
use write::Written;

/// What became of existing objects.
#[derive(Debug)]
pub struct Adopted {
    draft: Draft,
    written: Written,
    /// For each object, where it went: `Deployment/web` and `manifest.yml`, or a template and why.
    pub told: Vec<Told>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
}

/// Where an object went.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// Into keys of the manifest.
    Key(String, String),
    /// Into a template, for a reason.
    Template(String, String, String),
    /// Nowhere, for a reason.
    LeftOut(String, String),
}

/// Turns objects into a service of a repo. `scratch` is an empty folder in which it may write.
///
/// # Errors
/// What is wrong with the input, or that there is nothing to take over.
pub fn adopt(
    service: &str,
    inputs: &[Input],
    repo: &Repo,
    environments: Vec<Environment>,
    templates: &Templates,
    scratch: &Path,
) -> Result<Adopted> {
    let (mut originals, left_out) = read::read(inputs)?;
    let mut told: Vec<Told> = Vec::new();
    if originals.is_empty() {
        let failure = Failure::refused("there is no object in it that could be taken over");
        let reasons = left_out.iter().map(|(what, why)| format!("{what} is left out: {why}"));
        bail!(reasons.fold(failure, Failure::hint));
    }
    roles::assign(service, &mut originals)?;
    leave_counts(&mut originals);
    let names: Vec<String> = inputs.iter().map(|input| input.name.display().to_string()).collect();
    let own = repo.templates.iter().map(|template| template.name.clone());
    let trial = Trial {
        repo: Repo {
            root: scratch.to_owned(),
            environments: repo.environments.clone(),
            sources: repo.sources.clone(),
            templates: repo.templates.clone(),
        },
        ground: Ground {
            service,
            defaults: environments.iter().map(Environment::defaults).collect(),
            registry: environments.iter().any(|environment| environment.registry.is_some()),
            templates: own.filter(|name| !name.starts_with('_') && !crate::render::is_built_in(name)).collect(),
        },
        environments,
        templates,
        head: format!("# Made by `shipcat init {service}` from {}.\n", names.join(", ")),
    };
    let (draft, written) = trial.settle(&mut originals)?;
    let mut notes = notes(&originals);
    if draft.keys.get("registry") == Some(&Value::Bool(false)) {
        notes.push("`registry: false` keeps the environment's registry away from images that name none".into());
    }
    for (i, original) in originals.iter().enumerate() {
        let file =
            draft.templates.iter().find(|(_, (owner, _))| *owner == i).map(|(name, _)| format!("templates/{name}"));
        let why = original.why.clone();
        told.push(match file {
            _ if original.way == Way::Out => Told::LeftOut(original.shown(), why),
            Some(file) => Told::Template(original.shown(), file, why),
            None => Told::Key(original.shown(), key(original, &originals, &draft.keys)),
        });
    }
    told.extend(left_out.into_iter().map(|(what, why)| Told::LeftOut(what, why)));
    Ok(Adopted { draft, written, told, notes })
}

impl Adopted {
    /// Writes the service's folder.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        trial::write(folder, &self.draft, &self.written)
    }

    /// The names of the files that it writes.
    pub fn files(&self) -> Vec<String> {
        let templates = self.draft.templates.keys().map(|name| format!("templates/{name}"));
        std::iter::once("manifest.yml".to_owned())
            .chain(self.draft.files.list.keys().cloned())
            .chain(templates)
            .collect()
    }
}

/// What an autoscaler decides is not the manifest's to say, unless the objects said it all the same: then it stays.
fn leave_counts(originals: &mut [Original]) {
    for i in 0..originals.len() {
        if let Role::Autoscaler(of) = originals[i].role
            && originals[of].asked.is_none()
            && let Some(spec) = originals[of].value.get_mut("spec")
        {
            clean::remove(spec, &["replicas"]);
        }
    }
}

fn key(original: &Original, originals: &[Original], keys: &Map<String, Value>) -> String {
    let of = |of: usize, key: &str| match &originals[of].role {
        Role::Worker(name) => format!("workers.{name}.{key}"),
        _ => key.to_owned(),
    };
    match &original.role {
        Role::Main | Role::None => String::new(),
        Role::Worker(key) => format!("workers.{key}"),
        Role::CronJob(key) => format!("cronJobs.{key}"),
        Role::Service if keys.contains_key("service") => "service".into(),
        Role::Service => "port".into(),
        Role::FurtherService => format!("services.{}", original.name),
        Role::ConfigMap => format!("configMaps.{}", original.name),
        Role::Ingress => "ingress".into(),
        Role::Account => "serviceAccount".into(),
        Role::Autoscaler(target) => of(*target, "autoscaling"),
        Role::Budget(target) => of(*target, "disruptionBudget"),
        Role::Claim(volume) => format!("volumes.{volume}"),
    }
}

fn notes(originals: &[Original]) -> Vec<String> {
    let mut notes = Vec::new();
    let marked = |mark: &str| {
        originals.iter().any(|own| {
            let annotation = own.map("/metadata/annotations").contains_key(mark);
            annotation || own.map("/metadata/labels").get(mark).is_some_and(|value| value == "Helm")
        })
    };
    if marked("meta.helm.sh/release-name") || marked("app.kubernetes.io/managed-by") {
        notes.push("Helm has a hand in these objects: from now on let only one of the two change them".into());
    }
    if marked("argocd.argoproj.io/tracking-id") {
        notes.push("Argo CD has a hand in these objects: from now on let only one of the two change them".into());
    }
    for own in originals {
        let spec = &image::pod_template(own)["spec"];
        for container in spec["containers"].as_array().into_iter().flatten() {
            let names = container["env"].as_array().into_iter().flatten().filter_map(|own| own["name"].as_str());
            let mut seen = BTreeSet::new();
            if let Some(twice) = names.into_iter().find(|name| !seen.insert(*name)) {
                notes.push(format!(
                    "{} has the variable `{twice}` twice: the API server takes no server-side apply of that, and so no ship; \
                     take one away",
                    own.shown()
                ));
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests;
