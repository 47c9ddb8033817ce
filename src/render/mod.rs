//! From a [`Manifest`] to Kubernetes objects, through tera templates. Pure: no files, no printing.
//! May import `manifest`, `yaml` and `error`.

mod api;
mod config;
mod context;
mod made;
mod network;
mod objects;
mod pod;
mod template;
mod variables;
mod workloads;

pub use made::CLUSTER_WIDE;
pub use template::{Templates, built_in_names, is_built_in};

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use crate::error::{Place, Problem, Problems, closest, count, join_and};
use crate::manifest::{Manifest, Version};
use crate::yaml::{self, Object};
use context::Ground;

/// The label by which shipcat finds the objects of a service again.
pub const SERVICE_LABEL: &str = "shipcat.dev/service";

/// The objects of a service, in the order in which they are read.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The YAML, one document an object.
    pub text: String,
    /// The same, read.
    pub objects: Vec<Object>,
}

/// Renders a service with the version that was chosen.
///
/// # Errors
/// Everything that is wrong with its texts and templates, each with its place.
pub fn render(templates: &Templates, manifest: &Manifest, version: &Version) -> Result<Rendered> {
    let mut problems = Vec::new();
    let made = make(templates, manifest, version, &mut problems);
    if let Some(problems) = Problems::new(problems, &manifest.sources) {
        bail!(problems);
    }
    let mut text = String::new();
    let mut objects = Vec::new();
    for value in made {
        text.push_str("---\n");
        text.push_str(&yaml::emit(&value));
        objects.push(Object::new(value)?);
    }
    if objects.is_empty() {
        let message = format!("`{}` makes no object at all in `{}`", manifest.service, manifest.environment);
        let problem = Problem::at(manifest.tree.place, message)
            .hint("give it something to run, a ConfigMap, or a template of its own");
        bail!(Problems::new(vec![problem], &manifest.sources).unwrap_or_default());
    }
    Ok(Rendered { text, objects })
}

/// The environment variables of a service's BDD tests.
///
/// # Errors
/// What is wrong with their texts, each with its place.
pub fn tests_env(manifest: &Manifest, version: &Version) -> Result<Vec<(String, String)>> {
    let mut problems = Vec::new();
    let env = tests(&mut Ground::new(manifest, version), &mut problems);
    once(&mut problems);
    Problems::new(problems, &manifest.sources).map_or(Ok(env), |problems| Err(problems.into()))
}

fn tests(ground: &mut Ground<'_>, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let env = ground.manifest.tree.get("tests").and_then(|tests| tests.get("env"));
    env.map(|env| variables::plain(env, "tests.env", ground.texts(), problems)).unwrap_or_default()
}

/// What is wrong with the texts of a service that are templates, where the rest cannot be rendered anyway.
pub fn texts(manifest: &Manifest, tag: Option<&Version>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let version = tag.cloned().or_else(|| manifest.version()).or_else(|| "0".parse().ok());
    if let Some(version) = version {
        let mut ground = Ground::new(manifest, &version);
        objects::items(&mut ground, &mut problems);
        tests(&mut ground, &mut problems);
    }
    once(&mut problems);
    problems
}

/// A value that is missing is one mistake, in however many texts it is used: the first one is told, with how many more there are.
fn once(problems: &mut Vec<Problem>) {
    let cause = |problem: &Problem| {
        let (_, cause) = problem.message.split_once(" cannot be rendered: ")?;
        cause.ends_with("is not defined").then(|| cause.to_owned())
    };
    let causes: Vec<Option<String>> = problems.iter().map(cause).collect();
    let first = |i: usize| causes[i].is_none() || causes.iter().position(|other| *other == causes[i]) == Some(i);
    let kept = problems.iter().enumerate().filter(|(i, _)| first(*i)).map(|(i, problem)| {
        let mut problem = problem.clone();
        let mut others: Vec<_> = problems
            .iter()
            .zip(&causes)
            .filter(|(_, cause)| cause.is_some() && **cause == causes[i])
            .map(|(other, _)| other.place)
            .collect();
        others.sort();
        others.dedup();
        if others.len() > 1 {
            problem.message += &format!(", here and in {}", count(others.len() - 1, "more place"));
        }
        problem
    });
    *problems = kept.collect();
}

fn make(templates: &Templates, manifest: &Manifest, version: &Version, problems: &mut Vec<Problem>) -> Vec<Value> {
    let own;
    // Most services have no templates of their own.
    let templates = if manifest.templates.iter().any(|template| template.own) {
        let list: Vec<_> = manifest.templates.iter().filter(|template| template.own).cloned().collect();
        match templates.with(&list, &manifest.sources) {
            Ok(all) => own = all,
            Err(mut wrong) => {
                problems.append(&mut wrong);
                return Vec::new();
            }
        }
        &own
    } else {
        templates
    };
    let mut ground = Ground::new(manifest, version);
    let items = objects::items(&mut ground, problems);
    tests(&mut ground, problems);
    once(problems);
    if !problems.is_empty() {
        return Vec::new();
    }
    for (name, _) in manifest.tree.get("templates").map_or(&[][..], yaml::Node::entries) {
        if !is_built_in(name.text()) && templates.get(name.text()).is_none() {
            let known = built_in_names();
            let problem = Problem::at(name.place, format!("there is no template `{}`", name.text()));
            problems.push(match closest(name.text(), known.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(format!("the built-in ones are {}", join_and(&known))),
            });
        }
    }
    let common = context_of(&tera::Context::new(), &ground.context());
    let left_out = |name: &str| manifest.value["templates"][name] == false;
    let mut made = made::Made::new(manifest, problems);
    let mut used = Vec::new();
    for item in items.into_iter().filter(|item| !left_out(item.template)) {
        used.push(item.template);
        let place = templates.get(item.template).map(|own| Place { file: own.file, line: 1, column: 1 });
        made.take(templates.render(item.template, &context_of(&common, &item.context)), place);
    }
    for template in templates.own().filter(|template| !left_out(&template.name)) {
        // The repo's version of a built-in one is used where that would be; the service's own is meant to be used.
        if used.contains(&template.name.as_str()) || (is_built_in(&template.name) && !template.own) {
            continue;
        }
        let place = Place { file: template.file, line: 1, column: 1 };
        made.take(templates.render(&template.name, &common), Some(place));
    }
    made.done()
}

/// What is there already, with more.
fn context_of(common: &tera::Context, more: &Map<String, Value>) -> tera::Context {
    let mut context = common.clone();
    for (key, value) in more {
        context.insert(key.clone(), value);
    }
    context
}

/// Whether a service is rendered differently for different versions of Kubernetes: whether it has objects of a kind that moved, or
/// templates of its own, which may ask.
pub fn depends_on_version(manifest: &Manifest, rendered: &Rendered) -> bool {
    let moved = api::versions(manifest.kubernetes);
    !manifest.templates.is_empty() || rendered.objects.iter().any(|object| !moved[object.kind()].is_null())
}

/// The version to render with, where no cluster may be asked: the command line's, else the manifest's.
///
/// # Errors
/// If there is neither.
pub fn version_from_files(manifest: &Manifest, tag: Option<&Version>) -> Result<Version> {
    tag.cloned().or_else(|| manifest.version()).ok_or_else(|| {
        let problem = Problem::at(manifest.tree.place, format!("`{}` has no version", manifest.service))
            .hint("add `version: 1.2.3` to the manifest, or say which with `--tag`");
        Problems::new(vec![problem], &manifest.sources).unwrap_or_default().into()
    })
}

#[cfg(test)]
mod broken_tests;
#[cfg(test)]
mod tests;
