//! How things end: exit codes that say in which state the cluster is, failures with a hint, and
//! problems of input with their place. A leaf: imports nothing of this crate.

mod problem;

pub use problem::{FileId, Place, Problem, Problems, Rendered, Sources, closest};

use std::fmt;

/// The exit codes of DESIGN section 3: which state the cluster is in when the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: the answer is no.
    No,
    /// 2: could not do it, and nothing was changed.
    Refused,
    /// 3: it failed, and the cluster is as it was before the command.
    AsBefore,
    /// 4: somebody else is at it, nothing was changed.
    Locked,
    /// 5: it failed and the cluster is not as before, or it is not known. A person is needed.
    Person,
    /// 128 + the signal's number: interrupted, and nothing is left to do.
    Interrupted(u8),
}

impl Exit {
    /// The process' exit status.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Refused => 2,
            Self::AsBefore => 3,
            Self::Locked => 4,
            Self::Person => 5,
            Self::Interrupted(signal) => 128 + signal,
        }
    }

    /// How several things end that ended like this: the code speaks of those that did not succeed (DESIGN section 3).
    pub fn worst(exits: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| match exit {
            Self::Done => 0,
            Self::No => 1,
            Self::Refused => 2,
            Self::Locked => 3,
            Self::AsBefore => 4,
            Self::Interrupted(_) => 5,
            Self::Person => 6,
        };
        exits.into_iter().max_by_key(rank).unwrap_or(Self::Done)
    }
}

/// An error that knows its exit code and what to do next. Everything that a command can fail with becomes one;
/// an error without one is [`Exit::Refused`], since whoever changes a cluster says so itself.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What was attempted and what came back; lower case, no full stop.
    pub message: String,
    /// What to do now, each starting with an action.
    pub hints: Vec<String>,
    /// What stands in the way beside it, where there is more: told before it.
    pub beside: Vec<Failure>,
}

impl Failure {
    /// A failure after which nothing was changed (code 2).
    pub fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, message: message.into(), hints: Vec::new(), beside: Vec::new() }
    }

    /// The same failure with another exit code.
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same failure with one more hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// `count(1, "object")` is "1 object", `count(3, "object")` is "3 objects".
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// "a", "a and b", "a, b and c".
pub fn join_and<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let exits =
            [Exit::Done, Exit::No, Exit::Refused, Exit::AsBefore, Exit::Locked, Exit::Person, Exit::Interrupted(15)];
        assert_eq!(exits.map(Exit::code), [0, 1, 2, 3, 4, 5, 143]);
    }

    #[test]
    fn the_worst_is_told() {
        assert_eq!(Exit::worst([Exit::Done, Exit::Locked, Exit::AsBefore, Exit::Refused]), Exit::AsBefore);
        assert_eq!(Exit::worst([Exit::Interrupted(2), Exit::Person, Exit::AsBefore]), Exit::Person);
        assert_eq!(Exit::worst([]), Exit::Done);
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(join_and(&["a"]), "a");
        assert_eq!(join_and(&["a", "b", "c"]), "a, b and c");
        assert_eq!(count(1, "object"), "1 object");
        assert_eq!(count(0, "object"), "0 objects");
    }
}
