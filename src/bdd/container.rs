//! A run of tests in a container of this machine's, or a remote, engine: created, started with its output told, its files copied out
//! (nothing is mounted, so that the engine may be anywhere), and removed, whatever happens.

use std::io::Write as _;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::engine::{Engine, words};
use super::fetched::{Fetched, fetched};
use super::run::{Means, Trial};
use super::suite::Suite;
use crate::process::{Broken, Cmd};
use crate::ui::{Tone, seconds};

/// How long a container that is stopped may take to end by itself, in seconds.
const GRACE: &str = "10";
/// How long its making may take: some stores copy the whole image for it.
const CREATE: Duration = Duration::from_mins(5);
/// How long its files may take to come.
const COPY: Duration = Duration::from_mins(2);

/// Variables by which an engine's own command would be changed, were they in its environment: they go into a file.
const OWN: [&str; 15] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "USER",
    "LANG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
    "REGISTRY_AUTH_FILE",
    "KUBECONFIG",
    "SHELL",
    "TERM",
];
const OWN_STARTS: [&str; 12] =
    ["DOCKER_", "CONTAINER", "PODMAN_", "BUILDKIT", "BUILDAH_", "STORAGE_", "XDG_", "SSL_", "SSH_", "LD_", "GO", "_"];

/// A container. It is removed when it is dropped, at the latest.
struct Container<'a> {
    engine: &'a Engine,
    name: String,
    means: &'a Means<'a>,
    is_there: bool,
    /// Whether it was seen to have ended.
    has_ended: bool,
}

/// Runs the tests in a container, and gives how long they took.
///
/// # Errors
/// If it could not be made: nothing ran.
pub fn run(engine: &Engine, suite: &Suite, means: &Means<'_>) -> Result<(Trial, Duration), String> {
    let name = suite.new_name().map_err(|error| error.to_string())?;
    let mut container = Container { engine, name, means, is_there: true, has_ended: false };
    container.create(suite)?;
    let started = Instant::now();
    let trial = container.go(suite);
    let took = started.elapsed();
    container.remove();
    Ok((trial, took))
}

impl Container<'_> {
    fn asked(&self, args: &[&str]) -> Result<String, String> {
        self.engine.asked(&self.engine.cmd(args), self.means.ui)
    }

    fn create(&self, suite: &Suite) -> Result<(), String> {
        let (service, environment) = (&suite.service, &suite.environment);
        let namespace = self.means.kubectl.namespace();
        let mut cmd = self.engine.cmd(&["create", "--name", &self.name]).limit(CREATE);
        for (label, value) in [("tests-of", service.as_str()), ("environment", environment), ("namespace", namespace)] {
            cmd = cmd.arg("--label").arg(format!("shipcat.dev/{label}={value}"));
        }
        if let Some(network) = &suite.network {
            cmd = cmd.args(["--network", network]);
        }
        let (file, env) = variables(&suite.env).map_err(|error| format!("its variables cannot be written: {error}"))?;
        if let Some(file) = &file {
            cmd = cmd.arg("--env-file").arg(file.path());
        }
        for (name, value) in env {
            // What it holds is taken from the environment of the command.
            cmd = cmd.args(["--env", name]).env(name, value);
        }
        if let Some((entry, _)) = suite.command.split_first() {
            cmd = cmd.args(["--entrypoint", entry]);
        }
        cmd = cmd.arg(&suite.image).args(suite.command.iter().skip(1));
        let cannot = |why| format!("the container of the tests cannot be made: {why}");
        self.engine.asked(&cmd, self.means.ui).map(drop).map_err(cannot)
    }

    /// Starts it and tells what it says until it ends, its time is over, or it is of no use any more.
    fn go(&mut self, suite: &Suite) -> Trial {
        let (ui, started) = (self.means.ui, Instant::now());
        let cmd = self.engine.cmd(&["start", "--attach", &self.name]);
        ui.command(cmd.pasted());
        let told = self.means.tell(&cmd, started, suite.timeout);
        if (self.means.halted)() {
            return Trial::Halted;
        }
        let mut trial = match told {
            Ok(status) => match self.end(started, suite.timeout, status.code().unwrap_or(1)) {
                Ok(code) => {
                    self.has_ended = true;
                    Trial::Ended { exit: code, fetched: Fetched::default() }
                }
                Err(None) => return Trial::Halted,
                Err(Some(why)) => Trial::Ended {
                    exit: status.code().unwrap_or(1),
                    fetched: Fetched { lost: vec![why], ..Fetched::default() },
                },
            },
            Err(Broken::Cancelled) => {
                self.stop(suite);
                Trial::Late(Fetched::default())
            }
            Err(broken) => Trial::Ended {
                exit: 1,
                fetched: Fetched {
                    lost: vec![format!("the tests could not be started: {broken}")],
                    ..Fetched::default()
                },
            },
        };
        if matches!(trial, Trial::Late(_)) && (self.means.halted)() {
            return Trial::Halted;
        }
        if let Trial::Ended { fetched, .. } | Trial::Late(fetched) = &mut trial
            && fetched.lost.is_empty()
        {
            *fetched = self.fetch(&suite.junit);
        }
        trial
    }

    /// How it ended. It may run on where only the way to a remote engine broke.
    fn end(&self, started: Instant, timeout: Duration, told: i32) -> Result<i32, Option<String>> {
        let state = self.asked(&["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", &self.name]);
        let state = state.map_err(|why| Some(format!("it cannot be told how the tests' container ended: {why}")))?;
        let (status, code) = state.split_once(' ').unwrap_or((&state, ""));
        match status {
            "created" | "configured" | "initialized" => {
                Err(Some(format!("the tests' container could not be started (exit code {told}, see above)")))
            }
            "running" | "stopping" | "paused" | "restarting" => {
                let cmd =
                    self.engine.cmd(&["wait", &self.name]).limit(timeout.saturating_sub(started.elapsed()).max(COPY));
                self.means.ui.command(cmd.pasted());
                match cmd.run_while(|| !(self.means.halted)()) {
                    Ok(output) => Ok(output.stdout.trim().parse().unwrap_or(1)),
                    Err(Broken::Cancelled) => Err(None),
                    Err(broken) => Err(Some(format!("the end of the tests' container was not seen: {broken}"))),
                }
            }
            _ => Ok(code.trim().parse().unwrap_or(told)),
        }
    }

    /// Ends it: politely, then by force.
    fn stop(&self, suite: &Suite) {
        let ui = self.means.ui;
        ui.say(Tone::Warn, format!("  the tests are not done within {}: they are stopped", seconds(suite.timeout)));
        let cmd = self.engine.cmd(&["stop", "-t", GRACE, &self.name]).limit(Duration::from_mins(1));
        ui.command(cmd.pasted());
        // What does not stop is killed when it is removed.
        drop(cmd.run_while(|| !(self.means.halted)()));
    }

    /// Copies its files out.
    fn fetch(&self, path: &str) -> Fetched {
        let cmd = self.engine.cmd(&["cp", &format!("{}:{path}", self.name), "-"]).limit(COPY);
        self.means.ui.command(cmd.pasted());
        let inside = path.to_owned();
        let cannot = |why: String| format!("the JUnit files could not be fetched: {why}");
        match cmd.read(move |stream| fetched(stream, &inside), || !(self.means.halted)()) {
            Ok((_, _, said)) if is_absent(&said) => Fetched::default(),
            Ok((files, status, _)) if status.success() || !files.files.is_empty() => files,
            Ok((_, status, said)) => {
                let why = words(&said).unwrap_or_else(|| format!("{status}"));
                Fetched { lost: vec![cannot(why)], ..Fetched::default() }
            }
            Err(broken) => Fetched { lost: vec![cannot(broken.to_string())], ..Fetched::default() },
        }
    }

    /// Removes it, if it is there still: also while it runs.
    fn remove(&mut self) {
        if !std::mem::take(&mut self.is_there) {
            return;
        }
        let is_gone = |why: &str| why.to_lowercase().contains("no such container");
        if !self.has_ended {
            // `podman rm --force` would wait for a polite end.
            drop(self.asked(&["kill", &self.name]));
        }
        let mut why = String::new();
        for pause in [0, 1, 3] {
            std::thread::sleep(Duration::from_secs(pause));
            match self.asked(&["rm", "--force", "--volumes", &self.name]) {
                Ok(_) => return,
                Err(said) if is_gone(&said) => return,
                Err(said) => why = said,
            }
        }
        let (engine, name) = (self.engine.name, &self.name);
        let line =
            format!("warning: the container of the tests could not be removed: {why}; `{engine} rm -f {name}` does it");
        self.means.ui.say(Tone::Warn, line);
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether an engine says that there is nothing at a path.
fn is_absent(said: &str) -> bool {
    let said = said.to_lowercase();
    ["no such file", "could not find", "could not be found", "not found in container"]
        .iter()
        .any(|one| said.contains(one))
}

/// A file with some of the variables, and the others.
type Variables<'a> = (Option<NamedTempFile>, Vec<(&'a str, &'a str)>);

/// The variables, in a file of ours or in the environment of the engine's command: nothing of them is on a process list. A file takes
/// no value with a line's end.
fn variables(env: &[(String, String)]) -> std::io::Result<Variables<'_>> {
    let upper = |name: &str| name.to_uppercase();
    let is_own = |name: &str| {
        OWN.contains(&upper(name).as_str()) || OWN_STARTS.iter().any(|start| upper(name).starts_with(start))
    };
    let (filed, given): (Vec<_>, Vec<_>) =
        env.iter().partition(|(name, value)| is_own(name) && !value.contains(['\n', '\r']));
    let given = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if filed.is_empty() {
        return Ok((None, given));
    }
    // Nobody else may read it (tempfile makes it so).
    let mut file = NamedTempFile::new()?;
    for (name, value) in filed {
        writeln!(file, "{name}={value}")?;
    }
    file.flush()?;
    Ok((Some(file), given))
}

/// A line of the tests' own, as it is told.
pub fn told(line: &str) -> String {
    format!("    | {line}")
}

impl Means<'_> {
    /// Runs a command that follows the tests, and tells what they say, until their time is over or they are of no use any more.
    pub fn tell(&self, cmd: &Cmd, started: Instant, timeout: Duration) -> Result<std::process::ExitStatus, Broken> {
        let result = cmd.tell(
            |line| self.ui.say(Tone::Plain, told(line)),
            || {
                self.ui.wait(started, "the tests run");
                !(self.halted)() && started.elapsed() < timeout
            },
        );
        self.ui.rest();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn variables_that_an_engine_reads_itself_go_into_a_file_of_ours() {
        let of = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let env = of(&[("URL", "a b"), ("http_proxy", "p"), ("DOCKER_HOST", "d"), ("LINES", "a\nb")]);
        let (file, given) = variables(&env).unwrap();
        let file = file.unwrap();
        assert_eq!(given, [("URL", "a b"), ("LINES", "a\nb")]);
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "http_proxy=p\nDOCKER_HOST=d\n");
        assert_eq!(std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
