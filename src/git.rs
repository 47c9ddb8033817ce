//! The room for `git`: which revision of the manifests repo this is. May import `process`.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::process::Cmd;

/// Which state of the manifests repo something was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitState {
    /// The commit.
    pub revision: String,
    /// Whether files differ from it.
    pub dirty: bool,
}

impl GitState {
    /// The state of the repo at `root`; `None` where there is no git, or no repo, or no commit yet.
    pub fn of(root: &Path) -> Option<Self> {
        let git = which::which("git").ok()?;
        let run = |args: &[&str]| {
            let cmd = Cmd::new(&git).arg("-C").arg(root).args(args).limit(Duration::from_secs(10));
            cmd.run().ok().filter(|output| output.status.success()).map(|output| output.stdout)
        };
        let revision = run(&["rev-parse", "HEAD"])?.trim().to_owned();
        // Only what belongs to the manifests repo: it may be a folder of a larger one.
        let dirty = run(&["status", "--porcelain", "--", "."])?.lines().next().is_some();
        Some(Self { revision, dirty })
    }

    /// `3f2c1a9`, `3f2c1a9 and local changes`.
    pub fn short(&self) -> String {
        let short: String = self.revision.chars().take(7).collect();
        if self.dirty { format!("{short} and local changes") } else { short }
    }
}
