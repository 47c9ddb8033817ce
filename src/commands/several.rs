//! Several services in one go: side by side, and what became of each in a table behind their stories.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use crate::error::{Exit, count, join_and};
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
}

/// Does something with each, so many at a time; what has not begun when a signal comes does not begin. In the order of the items.
pub fn side_by_side<T: Send>(
    items: Vec<T>,
    jobs: usize,
    begin: impl Fn(usize, T) -> Outcome + Sync,
    not_begun: impl Fn(&T, u8) -> Outcome + Sync,
) -> Vec<Outcome> {
    let count = items.len();
    let queue: Mutex<VecDeque<(usize, T)>> = Mutex::new(items.into_iter().enumerate().collect());
    let done: Mutex<BTreeMap<usize, Outcome>> = Mutex::default();
    let work = || {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
            let Some((n, item)) = next else { return };
            let outcome = match signal::received().filter(|_| count > 1) {
                Some(signal) => not_begun(&item, signal),
                None => begin(n, item),
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
        let state = match one.exit {
            Exit::AsBefore | Exit::Interrupted(_) if one.took.is_some() => ", as before",
            _ => "",
        };
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

fn word(outcome: &Outcome) -> &'static str {
    match outcome.exit {
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

    #[test]
    fn the_headline_counts_and_the_code_is_of_the_worst() {
        let one = |exit, was_nothing| Outcome {
            service: "w".into(),
            version: "1".into(),
            exit,
            was_nothing,
            took: Some(Duration::ZERO),
        };
        let all = [one(Exit::Done, false), one(Exit::AsBefore, false), one(Exit::Done, true), one(Exit::Done, false)];
        assert_eq!(headline("dev", &all), "4 services in dev: 2 shipped, 1 failed and 1 ran already");
        assert_eq!(worst(&all), Exit::AsBefore);
    }
}
