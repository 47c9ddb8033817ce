//! `record`: the version that runs, written into the environment's file of a service, as `ship --record` does. For a pipeline whose record met
//! another one: what runs is the truth of both.

use anyhow::{Result, bail};
use clap_complete::engine::ArgValueCompleter;

use super::{Context, complete, ship};
use crate::error::{Exit, Failure};
use crate::release::History;
use crate::ui::Tone;

/// The arguments of `record`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services
    #[arg(value_name = "SERVICE", add = ArgValueCompleter::new(complete::services), required = true)]
    services: Vec<String>,
    /// Commit the file, and nothing else; never pushes
    #[arg(long)]
    commit: bool,
}

/// Runs it: of the release that runs by its record, not of what is live in this moment, since somebody may be shipping.
///
/// # Errors
/// If there is no such service, it was never shipped, or its file cannot be written.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let manifests = args.services.iter().map(|service| context.manifest(service)).collect::<Result<Vec<_>>>()?;
    let kubectl = context.kubectl()?;
    kubectl.reach()?;
    let mut recordings = Vec::new();
    for manifest in &manifests {
        let service = manifest.service.as_ref();
        let history = History::read(&kubectl, service, &false.into())?;
        let Some(release) = history.running() else {
            let environment = &context.environment.name;
            bail!(
                Failure::refused(format!(
                    "`{service}` was never shipped to {environment}: there is no version to record"
                ))
                .hint(format!("ship it first: shipcat ship -n {environment} {service}"))
            );
        };
        let version = release.body.version.parse().map_err(Failure::refused)?;
        recordings.push((ship::recording(&context, manifest, &version, args.commit)?, service, version));
    }
    for (mut recording, service, version) in recordings {
        context.ui.say(Tone::Plain, format!("{service} {version} runs in {}", context.environment.name));
        let message = format!("{service} {version} in {}", context.environment.name);
        // Nothing was shipped here: what goes wrong has changed nothing in the cluster.
        ship::write(&context, &mut recording, args.commit, &message).map_err(Failure::refused)?;
    }
    Ok(Exit::Done)
}
