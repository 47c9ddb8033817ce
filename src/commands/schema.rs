//! `schema`: the JSON Schema of the files of a manifests repo, for editors.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::error::{Exit, count};
use crate::manifest::keys;
use crate::ui::{Tone, Ui};
use crate::yaml::{Mode, Shape, json_schema};

/// The arguments of `schema`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which file's schema
    #[arg(value_name = "FILE", value_enum, default_value = "manifest")]
    file: File,
    /// All of them, into this folder
    #[arg(short = 'd', long = "dir", value_name = "DIR", conflicts_with = "file")]
    dir: Option<PathBuf>,
}

/// A file of a manifests repo.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum File {
    /// shipcat.yml
    Repo,
    /// manifests/SERVICE/manifest.yml
    Manifest,
    /// manifests/SERVICE/ENVIRONMENT.yml
    Environment,
}

impl File {
    fn shape(self) -> (&'static Shape, &'static str) {
        match self {
            Self::Repo => (&keys::repo::REPO_SHAPE, "shipcat.yml"),
            Self::Manifest => (&keys::service::MANIFEST_SHAPE, "manifest.yml of a service"),
            Self::Environment => (&keys::service::LAYER_SHAPE, "a service's file for an environment"),
        }
    }

    fn text(self) -> String {
        let (shape, title) = self.shape();
        format!("{:#}\n", json_schema(shape, title, Mode::Layer))
    }
}

/// Runs it.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &Args, ui: &Ui) -> Result<Exit> {
    let Some(dir) = &args.dir else {
        ui.product(&args.file.text()).context("cannot write to stdout")?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder `{}`", dir.display()))?;
    let files = [(File::Repo, "shipcat"), (File::Manifest, "manifest"), (File::Environment, "environment")];
    for (file, name) in files {
        let path = dir.join(format!("{name}.schema.json"));
        std::fs::write(&path, file.text()).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    ui.say(Tone::Plain, format!("{} in {}", count(files.len(), "schema"), dir.display()));
    Ok(Exit::Done)
}
