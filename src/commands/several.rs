//! Several services in one go: side by side, and what became of each in a table behind their stories.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use super::report::Wrong;
use crate::error::{Exit, count, join_and};
use crate::git::GitState;
use crate::release::{Change, Ended, Gate, Pass};
use crate::signal;
use crate::ui::{Tone, Ui, seconds};

/// What became of one service.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The service.
    pub service: String,
    /// The version that was to run.
    pub version: String,
    /// How it ended.
    pub exit: Exit,
    /// Whether there was nothing to do.
    pub was_nothing: bool,
    /// How long it took; nothing of one that was not begun.
    pub took: Option<Duration>,
    /// The version that was live before.
    pub former: Option<String>,
    /// Of what nature its changes are.
    pub nature: Vec<String>,
    /// The changes.
    pub changes: Vec<Change>,
    /// What somebody changed by hand before, one a line.
    pub drift: Vec<String>,
    /// The state of the manifests repo.
    pub git: Option<GitState>,
    /// How its release ended, where one was begun.
    pub ended: Option<Ended>,
    /// Why none was begun.
    pub error: Option<Wrong>,
    /// What went wrong behind a release that went well: the word for machines, and a line.
    pub behind: Option<(&'static str, String)>,
}

impl Outcome {
    /// Whether it came to its turn.
    pub fn is_begun(&self) -> bool {
        self.took.is_some()
    }

    /// The word for machines, where it did not go well.
    pub fn reason(&self) -> Option<&'static str> {
        let behind = self.behind.as_ref().map(|(reason, _)| *reason);
        let own = self.ended.as_ref().and_then(|ended| ended.reason);
        let wrong = self.error.as_ref().map(Wrong::reason);
        let interrupted = matches!(self.exit, Exit::Interrupted(_)).then_some("interrupted");
        behind.or(own).or(wrong).or(interrupted)
    }

    /// What went wrong, in a line.
    pub fn why(&self) -> Option<&str> {
        let behind = self.behind.as_ref().map(|(_, why)| why.as_str());
        let own = self.ended.as_ref().and_then(|ended| ended.why.as_deref());
        behind.or(own).or(self.error.as_ref().map(|wrong| wrong.message.as_str()))
    }

    /// In which state that leaves it, to stand behind the word for it.
    pub fn state(&self) -> &'static str {
        match self.exit {
            Exit::AsBefore | Exit::Interrupted(_) if self.is_begun() => ", as before",
            _ => "",
        }
    }
}

/// How something ended, in a word for machines.
pub fn state(exit: Exit, was_nothing: bool, is_rehearsal: bool) -> &'static str {
    match exit {
        Exit::Done if was_nothing => "unchanged",
        Exit::Done if is_rehearsal => "rehearsed",
        Exit::Done => "done",
        Exit::No => "no",
        Exit::Refused => "refused",
        Exit::AsBefore => "as-before",
        Exit::Locked => "locked",
        Exit::Person => "needs-person",
        Exit::Interrupted(_) => "interrupted",
    }
}

/// Does something with each, so many at a time, those that take the longest (`waits`) first, and each with a pass for its change; what has
/// not begun when a signal comes does not begin. The outcomes are in the order of the items.
pub fn side_by_side<T: Send>(
    items: Vec<T>,
    jobs: usize,
    waits: impl Fn(&T) -> Duration,
    begin: impl Fn(usize, T, &Pass<'_>) -> Outcome + Sync,
    not_begun: impl Fn(&T, u8) -> Outcome + Sync,
) -> Vec<Outcome> {
    let count = items.len();
    let mut items: Vec<(usize, T)> = items.into_iter().enumerate().collect();
    items.sort_by_key(|(_, item)| Reverse(waits(item)));
    let queue: Mutex<VecDeque<(usize, T)>> = Mutex::new(items.into());
    let done: Mutex<BTreeMap<usize, Outcome>> = Mutex::default();
    let gate = Gate::new();
    let work = || {
        loop {
            let pass = gate.enter();
            let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
            let Some((n, item)) = next else { return };
            let outcome = match signal::received().filter(|_| count > 1) {
                Some(signal) => not_begun(&item, signal),
                None => begin(n, item, &pass),
            };
            if let Ok(mut done) = done.lock() {
                done.insert(n, outcome);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.min(count) {
            scope.spawn(work);
        }
        work();
    });
    done.into_inner().unwrap_or_default().into_values().collect()
}

/// Tells what became of them.
pub fn tell(environment: &str, outcomes: &[Outcome], ui: &Ui) {
    ui.say(tone(worst(outcomes)), headline(environment, outcomes));
    let width =
        |text: fn(&Outcome) -> &str| outcomes.iter().map(|one| text(one).chars().count()).max().unwrap_or_default();
    let (services, versions) = (width(|one| &one.service), width(|one| &one.version));
    for one in outcomes {
        let took = one.took.filter(|_| !one.was_nothing);
        let took = took.map(|took| format!(" after {}", seconds(took))).unwrap_or_default();
        let state = one.state().to_owned() + &with_whom(one);
        let line = format!("  {:services$}   {:versions$}   {}{took}{state}", one.service, one.version, word(one));
        ui.say(tone(one.exit), line);
    }
}

/// How a command about several services ends: the code speaks of those that did not succeed.
pub fn worst(outcomes: &[Outcome]) -> Exit {
    Exit::worst(outcomes.iter().map(|one| one.exit))
}

fn headline(environment: &str, outcomes: &[Outcome]) -> String {
    let mut words: Vec<(&str, usize)> = Vec::new();
    for one in outcomes {
        let word = word(one);
        match words.iter_mut().find(|(known, _)| *known == word) {
            Some((_, n)) => *n += 1,
            None => words.push((word, 1)),
        }
    }
    let words: Vec<String> = words.iter().map(|(word, n)| format!("{n} {word}")).collect();
    format!("{} in {environment}: {}", count(outcomes.len(), "service"), join_and(&words))
}

/// With which one it was taken back, where it stood or fell with others.
fn with_whom(outcome: &Outcome) -> String {
    let why = outcome.why().filter(|_| is_taken_back(outcome));
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

/// Whether it did not fail itself.
fn is_taken_back(outcome: &Outcome) -> bool {
    outcome.exit == Exit::AsBefore && outcome.reason() == Some("together")
}

/// How it ended, in a word.
pub fn word(outcome: &Outcome) -> &'static str {
    match outcome.exit {
        _ if is_taken_back(outcome) => "taken back",
        Exit::Done | Exit::No if outcome.was_nothing => "ran already",
        Exit::Done | Exit::No => "shipped",
        Exit::Refused | Exit::Locked => "not begun",
        Exit::AsBefore => "failed",
        Exit::Interrupted(_) if outcome.took.is_none() => "not begun",
        Exit::Interrupted(_) => "interrupted",
        Exit::Person => "left to a person",
    }
}

fn tone(exit: Exit) -> Tone {
    match exit {
        Exit::Done | Exit::No => Tone::Good,
        Exit::Interrupted(_) | Exit::Refused | Exit::Locked => Tone::Warn,
        Exit::AsBefore | Exit::Person => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(service: &str, exit: Exit, was_nothing: bool) -> Outcome {
        Outcome {
            service: service.into(),
            version: "1".into(),
            exit,
            was_nothing,
            took: Some(Duration::ZERO),
            former: None,
            nature: Vec::new(),
            changes: Vec::new(),
            drift: Vec::new(),
            git: None,
            ended: None,
            error: None,
            behind: None,
        }
    }

    #[test]
    fn what_takes_longest_begins_first_and_is_told_in_its_place() {
        let begun = Mutex::new(Vec::new());
        let outcome = |service: &u64| Outcome { took: None, ..outcome(&service.to_string(), Exit::Done, false) };
        let begin = |_, service: u64, _: &Pass<'_>| {
            begun.lock().unwrap().push(service);
            outcome(&service)
        };
        let all = side_by_side(vec![1, 3, 2, 3], 1, |wait| Duration::from_secs(*wait), begin, |one, _| outcome(one));
        assert_eq!(*begun.lock().unwrap(), [3, 3, 2, 1]);
        assert_eq!(all.iter().map(|one| one.service.as_str()).collect::<Vec<_>>(), ["1", "3", "2", "3"]);
    }

    #[test]
    fn the_headline_counts_and_the_code_is_of_the_worst() {
        let one = |exit, was_nothing| outcome("w", exit, was_nothing);
        let all = [one(Exit::Done, false), one(Exit::AsBefore, false), one(Exit::Done, true), one(Exit::Done, false)];
        assert_eq!(headline("dev", &all), "4 services in dev: 2 shipped, 1 failed and 1 ran already");
        assert_eq!(worst(&all), Exit::AsBefore);
    }

    #[test]
    fn one_that_is_taken_back_with_another_did_not_fail() {
        let ended = |reason, why: &str| Ended { why: Some(why.into()), ..Ended::at(Exit::AsBefore).because(reason) };
        let one = |service: &str, ended| Outcome { ended: Some(ended), ..outcome(service, Exit::AsBefore, false) };
        let all = [one("one", ended("together", "two failed")), one("two", ended("crash", "exit code 7"))];
        assert_eq!(headline("dev", &all), "2 services in dev: 1 taken back and 1 failed");
        assert_eq!(all.each_ref().map(with_whom), [": two failed", ""]);
        assert_eq!(all[0].state(), ", as before");
    }
}
