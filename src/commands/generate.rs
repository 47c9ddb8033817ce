//! `generate`: the Kubernetes YAML, without a cluster.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::Context;
use super::report::Answer;
use super::survey::{Made, Selection, survey};
use crate::error::{Exit, Failure, count};
use crate::manifest::{Version, explain};
use crate::ui::Tone;
use crate::yaml::Object;

/// The arguments of `generate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// One file a service in this folder, instead of stdout
    #[arg(short = 'd', long = "dir", value_name = "DIR", conflicts_with = "output")]
    dir: Option<PathBuf>,
    /// Instead of the manifest's version; for one service
    #[arg(long, value_name = "VERSION")]
    tag: Option<Version>,
    /// Say which layer the value of a key came from, such as `replicas` or `env.LOG_LEVEL`
    #[arg(long, value_name = "KEY", conflicts_with_all = ["dir", "tag", "all", "output"])]
    explain: Option<String>,
    #[command(flatten)]
    pub answer: Answer,
}

/// Runs it.
///
/// # Errors
/// If a manifest is not good, or the output cannot be written.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    if args.tag.is_some() && (args.selection.all || args.selection.services.len() > 1) {
        bail!(
            Failure::refused("`--tag` is for one service")
                .hint("name one service, or write the versions into the manifests")
        );
    }
    if let Some(key) = &args.explain {
        return tell(&context, &args.selection.services, key);
    }
    let templates = context.templates()?;
    let found = survey(&context.repo, &context.environment, &templates, &args.selection, &|_| args.tag.clone())?;
    if !found.warnings.is_empty() {
        context.ui.say(Tone::Warn, found.warnings.to_string());
    }
    // Nothing is written if anything is wrong with any of them.
    if !found.errors.is_empty() {
        bail!(found.errors);
    }
    match &args.dir {
        None if args.answer.is_json() => {
            let service = |made: &Made| {
                let objects: Vec<&Value> = made.objects.iter().map(Object::json).collect();
                json!({"service": made.name, "version": made.version.to_string(), "objects": objects})
            };
            let services: Vec<Value> = found.made.iter().map(service).collect();
            let environment = context.environment.name.as_ref();
            context.report.answer_whole(json!({"version": 1, "environment": environment, "services": services}));
        }
        None => {
            let text: Vec<&str> = found.made.iter().map(|made| made.text.as_str()).collect();
            context.ui.write(&text.concat()).context("cannot write to stdout")?;
        }
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder `{}`", dir.display()))?;
            for made in &found.made {
                let path = dir.join(format!("{}.yml", made.name));
                std::fs::write(&path, &made.text).with_context(|| format!("cannot write `{}`", path.display()))?;
            }
            context.ui.say(Tone::Plain, format!("{} in {}", count(found.made.len(), "file"), dir.display()));
        }
    }
    Ok(Exit::Done)
}

fn tell(context: &Context, services: &[String], key: &str) -> Result<Exit> {
    for service in services {
        let manifest = context.manifest(service)?;
        let text = explain(&manifest, key).ok_or_else(|| {
            Failure::refused(format!("a manifest has no key `{key}`"))
                .hint("`shipcat schema` lists the keys that there are")
        })?;
        context.ui.product(&text).context("cannot write to stdout")?;
    }
    Ok(Exit::Done)
}
