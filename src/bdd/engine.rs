//! `docker` and `podman`: the one place that knows their flags. Both take the same ones.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::suite::{Pull, Runner, Suite};
use crate::error::Failure;
use crate::process::{Broken, Cmd, Output};
use crate::ui::Ui;

/// How long an engine may take for what is quick.
const QUICK: Duration = Duration::from_secs(30);
/// How long a pull may take.
const PULL: Duration = Duration::from_mins(15);

/// A container engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    program: PathBuf,
    /// `docker` or `podman`.
    pub name: &'static str,
}

/// The engines, the first one first. (What is called `docker` may be podman.)
const KNOWN: [&str; 2] = ["docker", "podman"];
/// What is asked of one to know whether it answers: a client without an engine has no answer.
const ASKED: [&str; 2] = ["ps", "--quiet"];

impl Engine {
    /// Finds an engine that answers: the one that is wanted, else docker, else podman.
    ///
    /// # Errors
    /// Which were tried, and what came back.
    pub fn find(runner: Runner, ui: &Ui) -> Result<Self, Failure> {
        let wanted = |name: &str| match runner {
            Runner::Docker => name == "docker",
            Runner::Podman => name == "podman",
            Runner::Container | Runner::Job => true,
        };
        let mut tried = Vec::new();
        for name in KNOWN.into_iter().filter(|name| wanted(name)) {
            let Ok(program) = which::which(name) else {
                tried.push(format!("there is no `{name}` on your PATH"));
                continue;
            };
            let engine = Self { program, name };
            match engine.asked(&engine.cmd(&ASKED), ui) {
                Ok(_) => return Ok(engine),
                Err(why) => tried.push(format!("`{name}` has no engine that answers ({why})")),
            }
        }
        Err(Failure::refused(format!("there is nothing to run the tests with: {}", tried.join(", and ")))
            .hint("start Docker, install podman, or let the cluster run them (`runner: job` in `tests`)"))
    }

    /// Sees that the image is there, and pulls it where it is not, or is to be pulled each time.
    ///
    /// # Errors
    /// If it cannot be had.
    pub fn provide(&self, suite: &Suite, wanted: impl Fn() -> bool, ui: &Ui) -> Result<(), Failure> {
        let image = &suite.image;
        if suite.pull == Pull::Missing && self.has(suite, ui) {
            return Ok(());
        }
        let cmd = self.cmd(&["pull", image]).limit(PULL);
        ui.command(cmd.pasted());
        let started = Instant::now();
        let pulled = cmd.run_while(|| {
            ui.wait(started, &format!("pulling {image}"));
            wanted()
        });
        ui.rest();
        let why = match pulled {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => last_words(&output),
            Err(broken) => broken.to_string(),
        };
        let failure = Failure::refused(format!("the image of the tests, {image}, cannot be pulled: {why}"));
        Err(failure.hint(format!("try `{cmd}`; which image it is say `image` and `tag` of `tests`, or `--tests-tag`")))
    }

    /// Whether the image is there.
    pub fn has(&self, suite: &Suite, ui: &Ui) -> bool {
        self.asked(&self.cmd(&["image", "inspect", "--format", "{{.Id}}", &suite.image]), ui).is_ok()
    }

    /// A call with its arguments.
    pub fn cmd(&self, args: &[&str]) -> Cmd {
        Cmd::new(&self.program).args(args).limit(QUICK)
    }

    /// Runs a call that is quick, and gives its output.
    ///
    /// # Errors
    /// What it says if it fails.
    pub fn asked(&self, cmd: &Cmd, ui: &Ui) -> Result<String, String> {
        ui.command(cmd.pasted());
        match cmd.run() {
            Ok(output) if output.status.success() => Ok(output.stdout.trim().to_owned()),
            Ok(output) => Err(last_words(&output)),
            Err(Broken::Start(error)) => Err(format!("it could not be started: {error}")),
            Err(broken) => Err(broken.to_string()),
        }
    }
}

/// The line that says most of why something failed: the last one that speaks of an error, else the last one.
pub fn last_words(output: &Output) -> String {
    words(&output.stderr).unwrap_or_else(|| match output.status.code() {
        Some(code) => format!("exit code {code}"),
        None => "it was killed".into(),
    })
}

/// The same of what was said on standard error.
pub fn words(stderr: &str) -> Option<String> {
    let lines = || stderr.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let error = lines().find(|line| line.to_lowercase().contains("error"));
    error.or_else(|| lines().next()).map(|line| line.trim_start_matches("Error: ").to_owned())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn the_telling_line_is_kept() {
        let docker = "Unable to find image\nError response from daemon: pull access denied\nSee 'docker run --help'.\n";
        assert_eq!(words(docker).unwrap(), "Error response from daemon: pull access denied");
        assert_eq!(words("Error: no such container\n").unwrap(), "no such container");
        assert_eq!(words("\n"), None);
    }
}
