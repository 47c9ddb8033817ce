//! What became of several services, in a table behind their stories.

use super::launch::Outcome;
use crate::error::{Exit, count, join_and};
use crate::ui::{Tone, Ui, seconds};

/// Tells it.
pub fn tell(environment: &str, outcomes: &[Outcome], ui: &Ui) {
    ui.say(tone(worst(outcomes)), headline(environment, outcomes));
    let width =
        |text: fn(&Outcome) -> &str| outcomes.iter().map(|one| text(one).chars().count()).max().unwrap_or_default();
    let (services, versions) = (width(|one| &one.service), width(|one| &one.version));
    for one in outcomes {
        let took = one.took.map(|took| format!(" after {}", seconds(took))).unwrap_or_default();
        let line = format!("  {:services$}   {:versions$}   {}{took}", one.service, one.version, word(one));
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
        Exit::AsBefore => "failed, and is as before",
        Exit::Interrupted(_) if outcome.took.is_none() => "not begun",
        Exit::Interrupted(_) => "interrupted, and is as before",
        Exit::Person => "needs a person",
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
            took: Some(std::time::Duration::ZERO),
        };
        let all = [one(Exit::Done, false), one(Exit::AsBefore, false), one(Exit::Done, true), one(Exit::Done, false)];
        assert_eq!(headline("dev", &all), "4 services in dev: 2 shipped, 1 failed, and is as before and 1 ran already");
        assert_eq!(worst(&all), Exit::AsBefore);
    }
}
