//! What every command gets: the flags, resolved once.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::error::Failure;
use crate::kubectl::{Kubectl, Target};
use crate::manifest::{Environment, Manifest, Repo};
use crate::ui::{Tone, Ui};

/// Flags that every command knows.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// The environment, one of those in shipcat.yml
    #[arg(short = 'n', long = "env", value_name = "ENV", env = "SHIPCAT_ENV", global = true)]
    pub environment: Option<String>,
    /// The manifests repo [default: the first folder with a shipcat.yml, from here upwards]
    #[arg(short = 'C', long, value_name = "DIR", env = "SHIPCAT_REPO", global = true)]
    pub repo: Option<PathBuf>,
    /// Which of the kube contexts that are accepted for the environment
    #[arg(long, value_name = "CONTEXT", env = "SHIPCAT_CONTEXT", global = true)]
    pub context: Option<String>,
    /// Show each kubectl command
    #[arg(short, long, global = true)]
    pub verbose: bool,
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
    chosen: Option<String>,
}

impl Context {
    /// Finds and reads the repo, and picks the environment.
    ///
    /// # Errors
    /// If there is no repo, it is broken, or it has no such environment.
    pub fn resolve(global: &Global, ui: Ui) -> Result<Self> {
        let here = std::env::current_dir().context("cannot tell the current directory")?;
        let root: PathBuf = Repo::find(global.repo.as_deref(), &here)?;
        let repo = Repo::read(root)?;
        let environment = repo.environment(global.environment.as_deref())?;
        Ok(Self { repo, environment, ui, chosen: global.context.clone() })
    }

    /// The manifests of the named services, or of all; warnings are told.
    ///
    /// # Errors
    /// As [`Repo::manifests`].
    pub fn manifests(&mut self, services: Option<&[String]>) -> Result<Vec<Manifest>> {
        let (manifests, warnings) = self.repo.manifests(&self.environment, services)?;
        for warning in warnings {
            self.ui.say(Tone::Warn, warning);
        }
        Ok(manifests)
    }

    /// The manifest of one service.
    ///
    /// # Errors
    /// As [`Repo::manifests`].
    pub fn manifest(&mut self, service: &str) -> Result<Manifest> {
        let manifests = self.manifests(Some(&[service.to_owned()]))?;
        manifests.into_iter().next().ok_or_else(|| Failure::refused(format!("there is no service `{service}`")).into())
    }

    /// kubectl for the environment.
    ///
    /// # Errors
    /// As [`Kubectl::connect`].
    pub fn kubectl(&self) -> Result<Kubectl<'_>> {
        let target = Target {
            environment: self.environment.name.as_ref(),
            contexts: &self.environment.contexts,
            cluster: self.environment.cluster.as_deref(),
            namespace: self.environment.namespace.as_ref(),
            chosen: self.chosen.as_deref(),
        };
        Kubectl::connect(&target, &self.ui)
    }
}
