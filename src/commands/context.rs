//! What every command gets: the flags, resolved once.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use super::report::Report;
use crate::error::{Failure, Problems};
use crate::kubectl::{Kubectl, Records, Target};
use crate::manifest::{Environment, Loading, Manifest, Repo};
use crate::redact;
use crate::render::Templates;
use crate::ui::{Tone, Ui};

/// Flags that every command knows.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// The environment, one of those in shipcat.yml
    #[arg(
        short = 'n',
        long = "env",
        value_name = "ENV", add = ArgValueCompleter::new(complete::environments),
        env = "SHIPCAT_ENV",
        global = true,
        help_heading = "Where and how"
    )]
    pub environment: Option<String>,
    /// The manifests repo [default: the first folder with a shipcat.yml, from here upwards]
    #[arg(short = 'C', long, value_name = "DIR", env = "SHIPCAT_REPO", global = true, help_heading = "Where and how")]
    pub repo: Option<PathBuf>,
    /// The way to the cluster.
    #[command(flatten)]
    pub way: Way,
    /// Show each command that is run
    #[arg(short, long, global = true, help_heading = "Where and how")]
    pub verbose: bool,
}

/// What the command line says about the way to the cluster.
#[derive(Debug, Clone, clap::Args)]
pub struct Way {
    /// Which of the kube contexts that are accepted for the environment
    #[arg(long, value_name = "CONTEXT", env = "SHIPCAT_CONTEXT", global = true, help_heading = "Where and how")]
    pub context: Option<String>,
    /// The kubeconfig [default: kubectl's, which are those of KUBECONFIG, else ~/.kube/config; in a pod, for the context `in-cluster`, its
    /// service account]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, global = true, help_heading = "Where and how")]
    pub kubeconfig: Option<PathBuf>,
}

/// The manifests repo and the way to people, for commands that are about no environment, or about several.
#[derive(Debug)]
pub struct Ground {
    /// The manifests repo.
    pub repo: Repo,
    /// The environment, if one is named.
    pub environment: Option<Environment>,
    /// The way to people.
    pub ui: Ui,
}

impl Ground {
    /// Finds and reads the repo.
    ///
    /// # Errors
    /// If there is no repo, it is broken, or it has no such environment.
    pub fn resolve(global: &Global, ui: Ui) -> Result<Self> {
        let here = std::env::current_dir().context("cannot tell the current directory")?;
        let repo = Repo::read(Repo::find(global.repo.as_deref(), &here)?)?;
        let name = global.environment.as_deref();
        let environment = name.map(|name| repo.environment(Some(name))).transpose()?;
        Ok(Self { repo, environment, ui })
    }
}

/// The manifests repo, the environment, and the way to people.
#[derive(Debug)]
pub struct Context {
    /// The manifests repo.
    pub repo: Repo,
    /// The environment.
    pub environment: Environment,
    /// The way to people.
    pub ui: Ui,
    /// What the command answers in the end.
    pub report: Arc<Report>,
    way: Way,
}

impl Global {
    /// The folder of the manifests repo.
    ///
    /// # Errors
    /// If there is none.
    pub fn root(&self) -> Result<PathBuf> {
        let here = std::env::current_dir().context("cannot tell the current directory")?;
        Repo::find(self.repo.as_deref(), &here)
    }
}

impl Context {
    /// Finds and reads the repo, and picks the environment.
    ///
    /// # Errors
    /// If there is no repo, it is broken, or it has no such environment.
    pub fn resolve(global: &Global, ui: Ui, report: &Arc<Report>) -> Result<Self> {
        let repo = Repo::read(global.root()?)?;
        let environment = repo.environment(global.environment.as_deref())?;
        report.is_about(environment.name.as_ref());
        Ok(Self { repo, environment, ui, report: Arc::clone(report), way: global.way.clone() })
    }

    /// The manifest of one service; warnings are told.
    ///
    /// # Errors
    /// If there is no such service in the environment, or everything that is wrong with its files.
    pub fn manifest(&self, service: &str) -> Result<Manifest> {
        self.repo.must_have(&[service.to_owned()])?;
        match self.repo.load(service, &self.environment) {
            Loading::Here(manifest, warnings) => {
                let mut told = Problems::default();
                told.add("warning", &warnings, &manifest.sources);
                if !told.is_empty() {
                    self.ui.say(Tone::Warn, told.to_string());
                }
                Ok(*manifest)
            }
            Loading::Elsewhere(environments) => bail!(elsewhere(service, &self.environment, &environments)),
            Loading::Broken(broken) => bail!(broken.told()),
        }
    }

    /// The repo's templates over the built-in ones.
    ///
    /// # Errors
    /// Syntax errors of the repo's templates.
    pub fn templates(&self) -> Result<Templates> {
        Templates::new(&self.repo.templates, &self.repo.sources)
            .map_err(|problems| Problems::new(problems, &self.repo.sources).unwrap_or_default().into())
    }

    /// kubectl for the environment.
    ///
    /// # Errors
    /// As [`Kubectl::connect`].
    pub fn kubectl(&self) -> Result<Kubectl<'_>> {
        redact::allow(self.repo.services().unwrap_or_default());
        let kubectl = connect(&self.environment, &self.way, &self.ui)?;
        self.report.is_at(kubectl.context(), kubectl.namespace());
        Ok(kubectl)
    }
}

/// kubectl for an environment.
///
/// # Errors
/// As [`Kubectl::connect`].
pub fn connect<'a>(environment: &Environment, way: &Way, ui: &'a Ui) -> Result<Kubectl<'a>> {
    let target = Target {
        environment: environment.name.as_ref(),
        contexts: &environment.contexts,
        cluster: &environment.cluster,
        namespace: environment.namespace.as_ref(),
        // A variable that CI sets to nothing names none.
        chosen: way.context.as_deref().filter(|context| !context.is_empty()),
        kubeconfig: way.kubeconfig.as_deref(),
        lifetime: environment.lock_lifetime,
        records: records(environment),
    };
    let kubectl = Kubectl::connect(&target, ui)?;
    redact::allow([environment.name.as_ref(), environment.namespace.as_ref(), kubectl.context()]);
    kubectl.conceal_secrets();
    Ok(kubectl)
}

/// Where an environment keeps its release records.
pub fn records(environment: &Environment) -> Records {
    if environment.records_in_config_maps { Records::ConfigMaps } else { Records::Secrets }
}

/// A service that is in other environments only.
pub fn elsewhere(service: &str, environment: &Environment, environments: &[String]) -> Failure {
    Failure::refused(format!("the service `{service}` is not in the environment `{}`", environment.name))
        .hint(format!("its manifest says `environments: [{}]`", environments.join(", ")))
}
