//! shipcat ships a service to Kubernetes, knows whether it worked, and puts everything back when it did not.

mod adopt;
mod bdd;
mod cli;
mod clock;
mod commands;
mod error;
mod git;
mod junit;
mod kubectl;
mod manifest;
mod origin;
mod process;
mod redact;
mod release;
mod render;
mod signal;
mod slack;
mod threads;
mod ui;
mod yaml;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;

use cli::{Cli, Command};
use commands::{
    Context, completions, diff, generate, history, init, list, lock, man, rbac, remove, rollback, schema, ship, status,
    tell_error, test, update, validate,
};
use error::{Exit, Problems};
use ui::{Tone, Ui};

fn main() -> ExitCode {
    // A shell that wants a word completed asks by a variable, and gets nothing else.
    CompleteEnv::with_factory(Cli::command).complete();
    let cli = Cli::parse();
    match run(cli) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => ExitCode::from(report(&error).code()),
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    let ui = || Ui::new(cli.global.verbose);
    // Not every command is about an environment.
    let context = || Context::resolve(&cli.global, ui());
    match &cli.command {
        Command::Init(args) => init::run(&cli.global, ui(), args),
        Command::Validate(args) => validate::run(&cli.global, args, &ui()),
        Command::Schema(args) => schema::run(args, &ui()),
        Command::Completions(args) => completions::run(args, &ui()),
        Command::Man(args) => man::run(Cli::command(), args, &ui()),
        Command::Generate(args) => generate::run(context()?, args),
        Command::Diff(args) => diff::run(context()?, args),
        Command::Update(args) => update::run(context()?, args),
        Command::Lock(args) => lock::run(context()?, args),
        Command::Rbac(args) => rbac::run(context()?, args),
        Command::Ship(args) => ship::run(context()?, args),
        Command::Test(args) => test::run(context()?, args),
        Command::Slack(args) => commands::slack::run(&cli.global, ui(), args),
        Command::Rollback(args) => rollback::run(context()?, args),
        Command::Remove(args) => remove::run(context()?, args),
        Command::List(args) => list::run(&cli.global, ui(), args),
        Command::Status(args) => status::run(context()?, args),
        Command::History(args) => history::run(context()?, args),
    }
}

/// Tells an error once, with what to do about it.
fn report(error: &anyhow::Error) -> Exit {
    let ui = Ui::new(false);
    if let Some(problems) = error.downcast_ref::<Problems>() {
        ui.say(Tone::Plain, problems.to_string());
        return Exit::Refused;
    }
    tell_error(error, &ui)
}
