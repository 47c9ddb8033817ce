//! Which tests a service has, and whether they can be run here.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Context;
use crate::bdd::{self, Engine, Pull, Runner, Suite};
use crate::error::Failure;
use crate::kubectl::Kubectl;
use crate::manifest::{self, Environment, Manifest, Version};
use crate::release::{Finding, not_permitted};
use crate::render::tests_env;
use crate::signal;

/// How long tests may take, where nobody says.
const TIMEOUT: std::time::Duration = std::time::Duration::from_mins(10);
/// Where they leave their files, where nobody says.
const JUNIT: &str = "/junit";

/// How tests are run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The tag of the tests' image [default: the files']
    #[arg(long, value_name = "TAG")]
    tests_tag: Option<Version>,
    /// How long the tests may take [default: the files', else 10m]
    #[arg(long, value_name = "TIME")]
    tests_timeout: Option<manifest::Duration>,
    /// Keep the JUnit files, in a folder for each service below this one
    #[arg(long, value_name = "DIR")]
    pub junit: Option<PathBuf>,
}

/// The tests of a release.
#[derive(Debug, clap::Args)]
pub struct Tests {
    /// Run no BDD tests; refused in a protected environment
    #[arg(long, conflicts_with_all = ["tests_tag", "tests_timeout", "junit"])]
    no_test: bool,
    #[command(flatten)]
    pub options: Options,
}

impl Tests {
    /// Sees that nothing goes untested where that matters.
    ///
    /// # Errors
    /// If it would.
    pub fn check(&self, environment: &Environment) -> Result<()> {
        if self.no_test && environment.protected {
            let what = format!("{} is protected: nothing goes there untested", environment.name);
            bail!(Failure::refused(what).hint("leave `--no-test` away"));
        }
        Ok(())
    }

    /// The tests of a service, unless they are not to be run.
    ///
    /// # Errors
    /// As [`Options::suite`].
    pub fn suite(&self, manifest: &Manifest, version: &Version) -> Result<Option<Suite>> {
        if self.no_test { Ok(None) } else { self.options.suite(manifest, version) }
    }
}

impl Options {
    /// The tests of a service for a version, if it has any.
    ///
    /// # Errors
    /// What is wrong with their texts.
    pub fn suite(&self, manifest: &Manifest, version: &Version) -> Result<Option<Suite>> {
        let said = &manifest.value["tests"];
        let (true, Some(image)) = (said.is_object(), said["image"].as_str()) else { return Ok(None) };
        let tag = self.tests_tag.as_ref().map(AsRef::as_ref).or_else(|| said["tag"].as_str()).unwrap_or("latest");
        let separator = if tag.contains(':') { '@' } else { ':' };
        let text = |key: &str| said[key].as_str().map(str::to_owned);
        let timeout = self.tests_timeout.or_else(|| said["timeout"].as_str()?.parse().ok());
        let command = said["command"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        Ok(Some(Suite {
            service: manifest.service.to_string(),
            environment: manifest.environment.to_string(),
            image: format!("{}{separator}{tag}", manifest.with_registry(image)),
            command: command.collect(),
            env: tests_env(manifest, version)?,
            junit: text("junit").unwrap_or_else(|| JUNIT.into()),
            timeout: timeout.map_or(TIMEOUT, |timeout| timeout.0),
            network: text("network"),
            runner: match said["runner"].as_str() {
                Some("docker") => Runner::Docker,
                Some("podman") => Runner::Podman,
                Some("job") => Runner::Job,
                _ => Runner::Container,
            },
            pull: match said["pull"].as_str() {
                Some("always") => Pull::Always,
                None if tag == "latest" => Pull::Always,
                _ => Pull::Missing,
            },
            fetcher: text("fetcher").map(|fetcher| manifest.with_registry(&fetcher)),
            pull_secrets: pull_secrets(&manifest.value["imagePullSecrets"]),
            resources: said["resources"].clone(),
        }))
    }
}

/// As Kubernetes spells them; a manifest may name a Secret alone.
fn pull_secrets(said: &Value) -> Value {
    let one = |secret: &Value| match secret {
        Value::String(name) => json!({"name": name}),
        other => other.clone(),
    };
    said.as_array().map_or(Value::Null, |all| all.iter().map(one).collect())
}

/// What stands in the way of these tests: an engine that is not there, an image that cannot be had, a right that is missing, a Job that the
/// API server would not take. In the order of the suites. In a rehearsal nothing is pulled.
pub fn obstacles(
    context: &Context,
    kubectl: &Kubectl<'_>,
    suites: &[Option<Suite>],
    rehearse: bool,
) -> Vec<Vec<Finding>> {
    let mut seen: Vec<(&Suite, Vec<Finding>)> = Vec::new();
    let mut all = Vec::new();
    for suite in suites {
        let Some(suite) = suite else {
            all.push(Vec::new());
            continue;
        };
        // Many services share one image.
        let same = |other: &Suite| {
            (other.runner, other.pull, &other.image) == (suite.runner, suite.pull, &suite.image)
                && suite.runner != Runner::Job
        };
        let known = seen.iter().find(|(other, _)| same(other)).map(|(_, found)| found.clone());
        let found = known.unwrap_or_else(|| obstacle(context, kubectl, suite, rehearse).into_iter().collect());
        all.push(found.clone());
        seen.push((suite, found));
    }
    all
}

fn obstacle(context: &Context, kubectl: &Kubectl<'_>, suite: &Suite, rehearse: bool) -> Option<Finding> {
    let refusal = |failure: Failure| Finding::refusal(failure.message, failure.hints.join("; "));
    if suite.runner == Runner::Job {
        return job_obstacle(kubectl, suite);
    }
    let engine = match Engine::find(suite.runner, &context.ui) {
        Ok(engine) => engine,
        Err(failure) => return Some(refusal(failure)),
    };
    if rehearse {
        return None;
    }
    engine.provide(suite, || signal::received().is_none(), &context.ui).err().map(refusal)
}

fn job_obstacle(kubectl: &Kubectl<'_>, suite: &Suite) -> Option<Finding> {
    match kubectl.forbidden(&bdd::permissions(), &false.into()) {
        // Of two ways to `exec`, one is enough to try.
        Ok(missing) => {
            let is_exec = |(_, _, resource): &&(String, String, String)| resource == "pods/exec";
            let no_way = missing.iter().filter(is_exec).count() == 2;
            let missing: Vec<_> = missing.iter().filter(|one| no_way || !is_exec(one)).cloned().collect();
            if let Some(finding) = not_permitted(kubectl, &missing) {
                return Some(finding);
            }
        }
        Err(error) => {
            let failure = error.refused("cannot ask whether you may run tests in the cluster");
            return Some(Finding::refusal(failure.message, failure.hints.join("; ")));
        }
    }
    let error = bdd::trial(suite, kubectl).err()?;
    let failure = error.refused(&format!("the API server would not take the Job of the tests of {}", suite.service));
    Some(Finding::refusal(failure.message, failure.hints.join("; ")))
}
