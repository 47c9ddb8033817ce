//! `slack`: a message of one's own, for pipelines.

use std::time::Instant;

use anyhow::{Result, bail};

use super::{Global, Ground};
use crate::error::{Exit, Failure};
use crate::slack::{Hook, PATIENCE, said};
use crate::ui::{Tone, Ui};

/// The arguments of `slack`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to say
    #[arg(value_name = "MESSAGE")]
    message: String,
    /// The channel [default: that of the environment, where one is named; else the webhook's own]
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
}

/// Runs it. A Slack that does not answer is a warning: no pipeline stands still for it.
///
/// # Errors
/// If there is no webhook, or nothing to say.
pub fn run(global: &Global, ui: Ui, args: &Args) -> Result<Exit> {
    if args.message.trim().is_empty() {
        bail!(Failure::refused("there is nothing to say").hint("write the message behind `shipcat slack`, in quotes"));
    }
    let hook = Hook::from_env().map_err(Failure::refused)?.ok_or_else(|| {
        Failure::refused("SLACK_SHIPCAT_HOOK_URL is not set: there is no Slack to tell")
            .hint("set it to the URL of an incoming webhook; where it comes from a secret store, nobody sees it")
    })?;
    let (ui, of_environment) = match global.environment {
        Some(_) => {
            let ground = Ground::resolve(global, ui)?;
            (ground.ui, ground.environment.and_then(|environment| environment.slack))
        }
        None => (ui, None),
    };
    let channel = match (&args.channel, of_environment) {
        (Some(channel), _) => Some(channel.clone()),
        (None, Some(None)) => {
            ui.say(Tone::Dim, "nothing is told to Slack: the environment says `slack: false`");
            return Ok(Exit::Done);
        }
        (None, of_environment) => of_environment.flatten(),
    };
    match hook.post(&said(&args.message, channel.as_deref()), Instant::now() + PATIENCE) {
        Ok(()) => ui.say(Tone::Good, "Slack was told"),
        Err(why) => ui.say(Tone::Warn, format!("warning: Slack was not told: {why}")),
    }
    Ok(Exit::Done)
}
