//! A CircleCI configuration: its jobs, and each of their shell steps, which can be run as CircleCI runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_yaml::Value;
use tempfile::TempDir;

use super::Run;

/// What `.circleci/config.yml` says.
pub struct Config(Value);

/// A shell step.
#[derive(Debug, Clone)]
pub struct Step {
    pub job: String,
    pub name: String,
    pub command: String,
}

/// A job as a workflow names it.
#[derive(Debug, Clone)]
pub struct Planned {
    pub name: String,
    pub requires: Vec<String>,
    pub filters: Value,
}

impl Config {
    pub fn read(path: &Path) -> Self {
        Self(serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    pub fn jobs(&self) -> Vec<String> {
        self.0["jobs"].as_mapping().unwrap().keys().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// The jobs of all workflows.
    pub fn planned(&self) -> Vec<Planned> {
        let workflows = self.0["workflows"].as_mapping().unwrap().values();
        workflows.flat_map(|workflow| workflow["jobs"].as_sequence().unwrap()).map(planned).collect()
    }

    /// The shell steps of a job, in their order.
    pub fn steps(&self, job: &str) -> Vec<Step> {
        let steps = self.0["jobs"][job]["steps"].as_sequence().unwrap();
        let step = |step: &Value| {
            let run = step.get("run")?;
            // The short form is nothing but the command.
            let command = run.as_str().or_else(|| run["command"].as_str()).unwrap().to_owned();
            let name = run.get("name").and_then(Value::as_str).unwrap_or(&command).to_owned();
            Some(Step { job: job.to_owned(), name, command })
        };
        steps.iter().filter_map(step).collect()
    }

    #[track_caller]
    pub fn step(&self, job: &str, name: &str) -> Step {
        let found = self.steps(job).into_iter().find(|step| step.name == name);
        found.unwrap_or_else(|| panic!("the job `{job}` has no step `{name}`"))
    }
}

fn planned(job: &Value) -> Planned {
    let Some(job) = job.as_mapping() else {
        return Planned { name: job.as_str().unwrap().to_owned(), requires: Vec::new(), filters: Value::Null };
    };
    let (name, settings) = job.iter().next().unwrap();
    let requires = settings.get("requires").and_then(Value::as_sequence).cloned().unwrap_or_default();
    Planned {
        name: name.as_str().unwrap().to_owned(),
        requires: requires.iter().map(|job| job.as_str().unwrap().to_owned()).collect(),
        filters: settings.get("filters").cloned().unwrap_or_default(),
    }
}

/// A machine of CircleCI's: a checkout, a home of its own, and what the steps so far left for those behind them.
pub struct Machine {
    pub checkout: PathBuf,
    pub home: TempDir,
    variables: Vec<(String, String)>,
}

impl Machine {
    pub fn new(checkout: &Path) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("stand-ins")).unwrap();
        std::fs::write(home.path().join("bash_env"), "").unwrap();
        Self { checkout: checkout.to_owned(), home, variables: Vec::new() }
    }

    /// With a variable, as of the job's context or of the build (CIRCLE_TAG).
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// A program that stands for another: a shell script, before all others on PATH.
    pub fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.home.path().join("stand-ins").join(name);
        std::fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a step as CircleCI does, with nothing of our own environment but the toolchain.
    pub fn run(&self, step: &Step) -> Run {
        let home = self.home.path();
        let ours = |name: &str| std::env::var(name).ok();
        let below_home = |name: &str| ours("HOME").map(|home| format!("{home}/{name}")).unwrap_or_default();
        let mut command = Command::new("/bin/bash");
        command
            .args(["-eo", "pipefail", "-c", &step.command])
            .current_dir(&self.checkout)
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", format!("{}:{}", home.join("stand-ins").display(), ours("PATH").unwrap_or_default()))
            .env("HOME", home)
            .env("CARGO_HOME", ours("CARGO_HOME").unwrap_or_else(|| below_home(".cargo")))
            .env("RUSTUP_HOME", ours("RUSTUP_HOME").unwrap_or_else(|| below_home(".rustup")))
            .env("BASH_ENV", home.join("bash_env"))
            .envs([("CI", "true"), ("CIRCLECI", "true"), ("CIRCLE_JOB", &step.job)])
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        Run::of(&command.output().unwrap())
    }
}
