//! `completions`: what a shell must read to complete shipcat's commands, options, environments, services and releases.

use anyhow::{Context as _, Result, anyhow};
use clap_complete::env::Shells;

use crate::error::Exit;
use crate::ui::Ui;

/// The variable by which a shell asks for completions (`clap_complete`'s own default).
const VARIABLE: &str = "COMPLETE";

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = ["bash", "zsh", "fish", "elvish", "powershell"])]
    shell: String,
}

/// Runs it.
///
/// # Errors
/// If the output cannot be written.
pub fn run(args: &Args, ui: &Ui) -> Result<Exit> {
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell).ok_or_else(|| anyhow!("there is no shell `{}`", args.shell))?;
    let mut script = Vec::new();
    // By its name: the binary that is on PATH when a word is completed.
    shell.write_registration(VARIABLE, "shipcat", "shipcat", "shipcat", &mut script)?;
    ui.product(&String::from_utf8(script)?).context("cannot write to stdout")?;
    Ok(Exit::Done)
}
