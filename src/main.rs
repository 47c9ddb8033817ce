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
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;

use cli::{Cli, Command};
use commands::{
    Context, Report, Wishes, completions, diff, generate, history, init, list, lock, man, rbac, record, remove,
    rollback, schema, ship, status, test, update, validate,
};
use error::Exit;
use ui::Ui;

fn main() -> ExitCode {
    // A shell that wants a word completed asks by a variable, and gets nothing else.
    CompleteEnv::with_factory(Cli::command).complete();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return unread(&error),
    };
    let (report, opened) = Report::open(cli.command.wishes());
    let report = Arc::new(report);
    let result = opened.and_then(|()| run(&cli, &report));
    ExitCode::from(report.conclude(result, &Ui::new(false)).code())
}

/// Tells what is wrong with the command line; or shows what was asked for, such as `--help`.
fn unread(error: &clap::Error) -> ExitCode {
    drop(error.print());
    let code = u8::try_from(error.exit_code()).unwrap_or(Exit::Refused.code());
    let wishes = Wishes::guessed(std::env::args_os());
    if error.use_stderr() && wishes.is_json {
        Report::open(wishes).0.unread(error, &Ui::new(false));
    }
    ExitCode::from(code)
}

fn run(cli: &Cli, report: &Arc<Report>) -> anyhow::Result<Exit> {
    let ui = || Ui::new(cli.global.verbose).keeping(report.story());
    // Not every command is about an environment.
    let context = || Context::resolve(&cli.global, ui(), report);
    match &cli.command {
        Command::Init(args) => init::run(&cli.global, ui(), args),
        Command::Validate(args) => validate::run(&cli.global, args, &ui(), report),
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
        Command::Record(args) => record::run(context()?, args),
        Command::Remove(args) => remove::run(context()?, args),
        Command::List(args) => list::run(&cli.global, ui(), args, report),
        Command::Status(args) => status::run(context()?, args),
        Command::History(args) => history::run(context()?, args),
    }
}
