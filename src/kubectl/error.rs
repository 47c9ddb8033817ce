//! What kubectl says when it fails, told apart as far as a user can do something about it.

use std::fmt;
use std::os::unix::process::ExitStatusExt;

use crate::error::{Exit, Failure};
use crate::process::{Broken, Cmd, Output};

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The API server could not be reached, or did not answer in time.
    Unreachable,
    /// It does not know who asks.
    Unauthorized,
    /// It knows, and says no.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// There is one already.
    AlreadyExists,
    /// It was changed in between.
    Conflict,
    /// It does not accept the object.
    Invalid,
    /// It does not know a field of the object, or expects another type in it.
    Malformed,
    /// The call was given up, because another one failed.
    Cancelled,
    /// It was not tried: the lock under which it would be made is lost.
    Lockless,
    /// Anything else.
    Other,
}

/// A call that failed: what was run, how it ended, what it said.
#[derive(Debug, Clone)]
pub struct KubectlError {
    /// The line that was run.
    pub line: String,
    /// Why it failed.
    pub reason: Reason,
    /// What it said.
    pub said: String,
}

impl KubectlError {
    pub(super) fn said(cmd: &Cmd, output: &Output) -> Self {
        let said = output.stderr.trim();
        if let Some(signal) = output.status.signal() {
            // CI systems that end a build end its children as well: what came of the call is not known.
            let said = format!("kubectl was ended by signal {signal} before it had an answer");
            return Self { line: cmd.to_string(), reason: Reason::Unreachable, said };
        }
        let said = if said.is_empty() { format!("{}, without a word", output.status) } else { without_noise(said) };
        Self { line: cmd.to_string(), reason: reason(&said), said }
    }

    pub(super) fn broken(cmd: &Cmd, broken: Broken) -> Self {
        let reason = match broken {
            Broken::TooLong(_) => Reason::Unreachable,
            Broken::Cancelled => Reason::Cancelled,
            Broken::Start(_) => Reason::Other,
        };
        Self { line: cmd.to_string(), reason, said: broken.to_string() }
    }

    /// As a failure before anything was changed; `what` is what was attempted.
    pub fn refused(&self, what: &str) -> Failure {
        let failure = Failure::refused(format!("{what}: {}", self.said)).exit(Exit::Refused);
        match self.reason {
            Reason::Unreachable => {
                failure.hint("check that the cluster runs and that you can reach it (VPN, proxy), then try again")
            }
            Reason::Unauthorized => failure.hint("log in to the cluster again: it does not accept your credentials"),
            Reason::Forbidden => failure.hint("ask for the permission that is missing, or use a context that has it"),
            // What was read from standard input is not in the line.
            _ if self.line.contains(" -f - ") => {
                failure.hint("`-v` shows each kubectl command; `shipcat generate` what is sent")
            }
            _ => failure.hint(format!("to see it yourself: {}", self.line)),
        }
    }
}

impl fmt::Display for KubectlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` failed: {}", self.line, self.said)
    }
}

impl std::error::Error for KubectlError {}

/// Without the client library's own log lines, which repeat what comes behind them (`E1123 04:29:54 memcache.go:265] ...`).
fn without_noise(said: &str) -> String {
    let is_log = |line: &str| {
        let mut chars = line.chars();
        chars.next().is_some_and(|c| "EWIF".contains(c))
            && chars.take(4).filter(char::is_ascii_digit).count() == 4
            && line.contains(".go:")
    };
    let mut lines: Vec<&str> = said.lines().filter(|line| !is_log(line) && !line.starts_with("Warning: ")).collect();
    // For each object of a list the same is said again.
    lines.dedup();
    if lines.is_empty() { said.to_owned() } else { lines.join("\n") }
}

/// By the API server's own reason where kubectl prints it, else by the client library's words (both since long before 1.20).
fn reason(said: &str) -> Reason {
    let server = [
        ("(Forbidden)", Reason::Forbidden),
        ("(NotFound)", Reason::NotFound),
        ("(AlreadyExists)", Reason::AlreadyExists),
        ("(Conflict)", Reason::Conflict),
        ("(Invalid)", Reason::Invalid),
        ("(Unauthorized)", Reason::Unauthorized),
        ("error: You must be logged in to the server", Reason::Unauthorized),
        ("is forbidden:", Reason::Forbidden),
        ("is invalid:", Reason::Invalid),
        ("is invalid\n", Reason::Invalid),
        ("failed to create typed patch object", Reason::Malformed),
        ("error validating data: ", Reason::Malformed),
        ("already exists", Reason::AlreadyExists),
        ("the object has been modified", Reason::Conflict),
    ];
    let client = [
        "Unable to connect to the server",
        "The connection to the server",
        "connection refused",
        "connection reset by peer",
        "no such host",
        "i/o timeout",
        "deadline exceeded",
        "Client.Timeout",
        "TLS handshake timeout",
        "couldn't get current server API group list",
        "(Timeout)",
        "(ServiceUnavailable)",
        "unexpected EOF",
        ": EOF",
        "broken pipe",
        "connection lost",
        "server sent GOAWAY",
        "use of closed network connection",
        "network is unreachable",
        "no route to host",
        "apiserver is shutting down",
        "etcdserver: ",
        "(TooManyRequests)",
    ];
    if let Some((_, reason)) = server.iter().find(|(mark, _)| said.contains(mark)) {
        return *reason;
    }
    if client.iter().any(|mark| said.contains(mark)) { Reason::Unreachable } else { Reason::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_apart() {
        assert_eq!(
            reason("Error from server (Forbidden): pods is forbidden: User \"x\" cannot list"),
            Reason::Forbidden
        );
        assert_eq!(
            reason("The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"),
            Reason::Unreachable
        );
        assert_eq!(reason("Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout"), Reason::Unreachable);
        assert_eq!(reason("The Deployment \"w\" is invalid: spec.selector: Invalid value"), Reason::Invalid);
        let said = "Error from server: failed to create typed patch object: .spec.x: field not declared in schema";
        assert_eq!(reason(said), Reason::Malformed);
        assert_eq!(reason("error: something else"), Reason::Other);
    }

    #[test]
    fn log_lines_of_the_client_library_are_left_out() {
        let said = "E1123 04:29:54.1 12 memcache.go:265] couldn't get\nUnable to connect to the server: x";
        assert_eq!(without_noise(said), "Unable to connect to the server: x");
    }
}
