//! `generate`: the Kubernetes YAML, without a cluster.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::Context;
use crate::error::{Exit, Failure, Problems, count};
use crate::manifest::{Manifest, Version};
use crate::render::{render, version_from_files};
use crate::ui::Tone;

/// The arguments of `generate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services
    #[arg(value_name = "SERVICE", required_unless_present = "all")]
    services: Vec<String>,
    /// Every service of the environment
    #[arg(long, conflicts_with = "services")]
    all: bool,
    /// One file a service in this folder, instead of stdout
    #[arg(short = 'd', long = "dir", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Instead of the manifest's version; for one service
    #[arg(long, value_name = "VERSION")]
    tag: Option<Version>,
}

/// Runs it.
///
/// # Errors
/// If a manifest is not good, or the output cannot be written.
pub fn run(mut context: Context, args: &Args) -> Result<Exit> {
    if args.tag.is_some() && (args.all || args.services.len() > 1) {
        bail!(
            Failure::refused("`--tag` is for one service")
                .hint("name one service, or write the versions into the manifests")
        );
    }
    let manifests = context.manifests((!args.all).then_some(&args.services))?;
    let texts = render_all(&context, &manifests, args.tag.as_ref())?;
    match &args.dir {
        None => context
            .ui
            .product(&texts.iter().map(|(_, text)| text.as_str()).collect::<String>())
            .context("cannot write to stdout")?,
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder `{}`", dir.display()))?;
            for (service, text) in &texts {
                let path = dir.join(format!("{service}.yml"));
                std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
            }
            context.ui.say(Tone::Plain, format!("{} in {}", count(texts.len(), "file"), dir.display()));
        }
    }
    Ok(Exit::Done)
}

/// Renders all of them, so that every problem of every service is told in one go and nothing is written if there is one.
fn render_all(context: &Context, manifests: &[Manifest], tag: Option<&Version>) -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    let mut problems = Vec::new();
    for manifest in manifests {
        match version_from_files(manifest, tag).and_then(|version| render(manifest, &version, &context.repo.sources)) {
            Ok(rendered) => texts.push((manifest.service.to_string(), rendered.text)),
            Err(error) => problems.push(error),
        }
    }
    if problems.is_empty() { Ok(texts) } else { bail!(Problems::of(&problems)) }
}
