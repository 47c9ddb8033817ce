//! Several services in one go: side by side, and what became of each in a table behind their stories.

use std::cmp::Reverse;
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

/// What a release costs the processor, shared by its cores: nearly all of it the starts of kubectl, and most of that in the beginning.
const COST: Duration = Duration::from_millis(400);

/// Does something with each, so many at a time, those that take the longest (`waits`) first; what has not begun when a signal comes does
/// not begin. The outcomes are in the order of the items.
pub fn side_by_side<T: Send>(
    items: Vec<T>,
    jobs: usize,
    waits: impl Fn(&T) -> Duration,
    begin: impl Fn(usize, T) -> Outcome + Sync,
    not_begun: impl Fn(&T, u8) -> Outcome + Sync,
) -> Vec<Outcome> {
    let count = items.len();
    let mut items: Vec<(usize, T)> = items.into_iter().enumerate().collect();
    items.sort_by_key(|(_, item)| Reverse(waits(item)));
    let queue: Mutex<VecDeque<(usize, T)>> = Mutex::new(items.into());
    // Begun in the same moment, the first would be as late as the last.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pace = COST / u32::try_from(cores).unwrap_or(1);
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
        for late in 1..u32::try_from(jobs.min(count)).unwrap_or(1) {
            scope.spawn(move || {
                std::thread::sleep(pace * late);
                work();
            });
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
    fn what_takes_longest_begins_first_and_is_told_in_its_place() {
        let begun = Mutex::new(Vec::new());
        let outcome = |service: &u64| Outcome {
            service: service.to_string(),
            version: String::new(),
            exit: Exit::Done,
            was_nothing: false,
            took: None,
        };
        let begin = |_, service: u64| {
            begun.lock().unwrap().push(service);
            outcome(&service)
        };
        let all = side_by_side(vec![1, 3, 2, 3], 1, |wait| Duration::from_secs(*wait), begin, |one, _| outcome(one));
        assert_eq!(*begun.lock().unwrap(), [3, 3, 2, 1]);
        assert_eq!(all.iter().map(|one| one.service.as_str()).collect::<Vec<_>>(), ["1", "3", "2", "3"]);
    }

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
