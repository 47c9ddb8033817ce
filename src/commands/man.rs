//! `man`: the manual pages.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap_mangen::Man;

use crate::error::{Exit, count};
use crate::ui::{Tone, Ui};

/// The arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A page for each command, into this folder
    #[arg(short = 'd', long = "dir", value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs it; `command` is the whole command line.
///
/// # Errors
/// If the output cannot be written.
pub fn run(command: clap::Command, args: &Args, ui: &Ui) -> Result<Exit> {
    // `help` would have a page for each command once more.
    let command = command.disable_help_subcommand(true);
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        ui.product(&String::from_utf8(page)?).context("cannot write to stdout")?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder `{}`", dir.display()))?;
    clap_mangen::generate_to(command, dir).with_context(|| format!("cannot write to `{}`", dir.display()))?;
    let pages = std::fs::read_dir(dir)?.filter(|entry| {
        let name = entry.as_ref().map(|entry| entry.file_name().to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("shipcat") && name.ends_with(".1")
    });
    ui.say(Tone::Plain, format!("{} in {}", count(pages.count(), "manual page"), dir.display()));
    Ok(Exit::Done)
}
