//! The options that what changes a service has in common: how long things may take, and how bold it may be.

use std::path::PathBuf;

use super::Context;
use super::locked::Queueing;
use super::rescue::Rescue;
use crate::manifest::{self, Grace, Graces};
use crate::release::{self, Limits};

/// How long things may take.
#[derive(Debug, clap::Args)]
pub struct Patience {
    /// How long the rollout may take, and so the jobs before it [default: the environment's, else 5m]
    #[arg(long, value_name = "TIME")]
    timeout: Option<manifest::Duration>,
    /// How long the way back may take [default: the environment's, else 5m]
    #[arg(long, value_name = "TIME")]
    rollback_timeout: Option<manifest::Duration>,
    /// How patient to be with what goes wrong: crashes=N, or a time for imagePull, config, create, schedule or settle [default: the
    /// environment's, see the manual]
    #[arg(long = "grace", value_name = "NAME=VALUE")]
    graces: Vec<Grace>,
    /// How long to wait for others.
    #[command(flatten)]
    pub queueing: Queueing,
    /// What becomes of a release whose run died.
    #[command(flatten)]
    pub rescue: Rescue,
}

impl Patience {
    /// How patient to be with a release.
    pub fn limits(&self, context: &Context) -> release::Patience {
        let given = |given: Option<manifest::Duration>, usual| given.map_or(usual, |given| given.0);
        release::Patience {
            timeout: given(self.timeout, context.environment.timeout),
            rollback_timeout: given(self.rollback_timeout, context.environment.rollback_timeout),
            limits: limits(context.environment.graces.with(&self.graces)),
        }
    }
}

/// How patient to be with what goes wrong, where somebody said how much.
pub fn limits(graces: Graces) -> Limits {
    let usual = Limits::default();
    Limits {
        crashes: graces.crashes.map_or(usual.crashes, i64::from),
        pull: graces.image_pull.unwrap_or(usual.pull),
        config: graces.config.unwrap_or(usual.config),
        create: graces.create.unwrap_or(usual.create),
        schedule: graces.schedule.unwrap_or(usual.schedule),
        settle: graces.settle.unwrap_or(usual.settle),
    }
}

/// How bold a release may be.
#[derive(Debug, clap::Args)]
pub struct Boldness {
    /// Take over objects of Helm, Argo CD or Flux for good
    #[arg(long)]
    pub adopt: bool,
    /// Go on in a protected environment without being asked
    #[arg(long)]
    pub yes: bool,
    /// Print each command that would change something, but for those of the lock, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// What becomes of a release that fails: it is taken back, or kept as far as it came, for somebody to look at (code 5)
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = OnFailure::Rollback)]
    pub on_failure: OnFailure,
    /// Keep the evidence of a release that fails as files in a folder: YAML, diff, events, logs
    #[arg(long, value_name = "DIR")]
    pub evidence: Option<PathBuf>,
}

/// What becomes of a release that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnFailure {
    /// It is taken back.
    Rollback,
    /// It stays as far as it came.
    Keep,
}
