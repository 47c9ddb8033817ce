//! shipcat ships a service to Kubernetes, knows whether it worked, and puts everything back when it did not.

mod cli;
mod commands;
mod error;
mod git;
mod kubectl;
mod manifest;
mod process;
mod release;
mod render;
mod signal;
mod ui;
mod yaml;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use commands::{Context, generate, history, rollback, ship, status};
use error::{Exit, Failure, Problems};
use ui::{Tone, Ui};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => ExitCode::from(report(&error).code()),
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    let context = Context::resolve(&cli.global, Ui::new(cli.global.verbose))?;
    match &cli.command {
        Command::Generate(args) => generate::run(context, args),
        Command::Ship(args) => ship::run(context, args),
        Command::Rollback(args) => rollback::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::History(args) => history::run(context, args),
    }
}

/// Tells an error once, with what to do about it.
fn report(error: &anyhow::Error) -> Exit {
    let ui = Ui::new(false);
    if let Some(problems) = error.downcast_ref::<Problems>() {
        ui.say(Tone::Plain, problems.to_string());
        return Exit::Refused;
    }
    ui.say(Tone::Bad, format!("error: {error:#}"));
    let Some(failure) = error.chain().find_map(|cause| cause.downcast_ref::<Failure>()) else { return Exit::Refused };
    for hint in &failure.hints {
        ui.say(Tone::Plain, format!("hint: {hint}"));
    }
    failure.exit
}
