//! The command line: what clap reads, and which command it names.

use std::sync::LazyLock;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use crate::commands::{
    Global, Wishes, completions, diff, generate, history, init, list, lock, man, rbac, record, remove, rollback,
    schema, ship, slack, status, test, update, validate,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// What `--version` tells: of a release also the revision that it was made from, which `release/static` says.
static VERSION: LazyLock<String> =
    LazyLock::new(|| told(env!("CARGO_PKG_VERSION"), option_env!("SHIPCAT_REVISION").unwrap_or_default()));

/// The version, and the revision where it is known.
fn told(version: &str, revision: &str) -> String {
    if revision.is_empty() { version.to_owned() } else { format!("{version} ({revision})") }
}

/// Ships a service to Kubernetes, knows whether it worked, and puts everything back when it did not.
#[derive(Debug, Parser)]
#[command(version = VERSION.as_str(), styles = STYLES, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    /// Flags that every command knows.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes say in which state the cluster is:
  0    done; for `diff`: nothing differs
  1    the answer is no: `diff` found differences, `test` failed, `validate` found problems, `status` is unhealthy
  2    could not do it, and nothing was changed
  3    it failed, and the cluster is as it was before
  4    somebody else is at it, nothing was changed
  5    it failed and the cluster is not as before: a person is needed
  129, 130, 143  interrupted, and nothing is left to do";

const COMPLETIONS: &str = "\
In a shell's start file:
  bash (~/.bashrc)                      source <(shipcat completions bash)
  zsh (~/.zshrc, behind compinit)       source <(shipcat completions zsh)
  fish (~/.config/fish/config.fish)     shipcat completions fish | source";

/// What shipcat can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first manifest, or turn existing Kubernetes YAML into one
    Init(init::Args),
    /// Print the Kubernetes YAML of services
    Generate(generate::Args),
    /// Check everything that can be known without a cluster
    Validate(validate::Args),
    /// Show what a ship would change in the cluster, and whether it may go out
    Diff(diff::Args),
    /// Bring the configuration of the manifest; the image that runs stays
    Update(update::Args),
    /// Ship services: image and configuration, watched, and taken back if it fails
    Ship(ship::Args),
    /// Run the BDD tests of services, for the versions that run
    Test(test::Args),
    /// Go back to the release before, the whole of it
    Rollback(rollback::Args),
    /// Write the versions that run into the environment's files
    Record(record::Args),
    /// Retire a service: its objects go, claims never
    Remove(remove::Args),
    /// Show what runs: version, release, health
    Status(status::Args),
    /// List the services by environments, and what runs of each
    List(list::Args),
    /// List the releases of a service
    History(history::Args),
    /// Show the environment's lock, keep it for yourself, give it back, or take it
    Lock(lock::Args),
    /// Print the Role that a deployer, or a reader, of an environment needs
    Rbac(rbac::Args),
    /// Say something in Slack
    Slack(slack::Args),
    /// Print the JSON Schema of the files, for editors
    Schema(schema::Args),
    /// Print what a shell must read to complete its lines
    #[command(after_help = COMPLETIONS)]
    Completions(completions::Args),
    /// Print the manual page
    Man(man::Args),
}

impl Command {
    /// How its answer is wished for.
    pub fn wishes(&self) -> Wishes {
        match self {
            Self::Ship(args) => args.asked.of("ship"),
            Self::Update(args) => args.asked.of("update"),
            Self::Rollback(args) => args.asked.of("rollback"),
            Self::Remove(args) => args.asked.of("remove"),
            Self::Test(args) => args.asked.of("test"),
            Self::Diff(args) => args.asked.of("diff"),
            Self::Generate(args) => args.answer.of("generate"),
            Self::Validate(args) => args.answer.of("validate"),
            Self::Status(args) => args.answer.of("status"),
            Self::List(args) => args.answer.of("list"),
            Self::History(args) => args.answer.of("history"),
            Self::Rbac(args) => args.answer.of("rbac"),
            Self::Lock(args) => args.wishes(),
            Self::Init(_) => Wishes::none("init"),
            Self::Record(_) => Wishes::none("record"),
            Self::Slack(_) => Wishes::none("slack"),
            Self::Schema(_) => Wishes::none("schema"),
            Self::Completions(_) => Wishes::none("completions"),
            Self::Man(_) => Wishes::none("man"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_stands_behind_the_version_where_there_is_one() {
        assert_eq!(told("0.1.0", ""), "0.1.0");
        assert_eq!(told("0.1.0", "3f2c1a9"), "0.1.0 (3f2c1a9)");
    }
}
