//! What a command answers in the end, whatever becomes of it: to people on stderr, with `-o json` to programs as one object on stdout, with
//! `--summary` as a page behind what is in a file.

mod asked;
mod json;
mod markdown;
mod page;
mod wrong;

use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use serde_json::Value;

pub use asked::{Answer, Asked, Wishes};
pub use json::{change, problem};
pub use wrong::Wrong;

use super::diff::Seen;
use super::several::{self, Outcome};
use super::test::Verdict;
use crate::error::{Exit, Failure, Problems};
use crate::release::Ended;
use crate::ui::{Story, Tone, Ui};

/// What a command is to answer, and what it has to say.
#[derive(Debug)]
pub struct Report {
    wishes: Wishes,
    file: Option<File>,
    story: Story,
    said: Mutex<Said>,
}

/// What is known of what became of it.
#[derive(Debug, Default)]
struct Said {
    place: Place,
    /// The object that a command answers with by itself; and whether it goes out as it is, since it is to be applied.
    answer: Option<(Value, bool)>,
    /// What became of each service.
    outcomes: Vec<Outcome>,
    /// What became of releases whose runs died.
    recovered: Vec<Recovered>,
    /// What would be run, where nothing is to be changed.
    commands: Option<Vec<String>>,
    /// What was seen of each service.
    seen: Vec<Seen>,
    /// What tests said of each service.
    tested: Vec<Verdict>,
}

/// Where it is at work, as far as that is known.
#[derive(Debug, Default, Clone)]
struct Place {
    environment: Option<String>,
    context: Option<String>,
    namespace: Option<String>,
}

/// A release whose run died, and what became of it.
#[derive(Debug)]
struct Recovered {
    service: String,
    version: String,
    ended: Ended,
}

impl Report {
    /// A report that has nothing to say yet. The file for it is opened, so that it is known before anything is changed whether it can be
    /// written.
    ///
    /// # Errors
    /// If it cannot; the report says so then as well as it can.
    pub fn open(wishes: Wishes) -> (Self, Result<()>) {
        let opened = wishes.summary.as_ref().map(|path| {
            File::options().append(true).create(true).open(path).map_err(|error| {
                Failure::refused(format!("the summary cannot be written to `{}`: {error}", path.display()))
                    .hint("name a file that can be written behind `--summary`")
            })
        });
        let (file, result) = match opened.transpose() {
            Ok(file) => (file, Ok(())),
            Err(failure) => (None, Err(failure.into())),
        };
        (Self { wishes, file, story: Story::new(), said: Mutex::default() }, result)
    }

    /// All that is told until the end.
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// Whether a program reads stdout.
    pub fn is_json(&self) -> bool {
        self.wishes.is_json
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In which environment it is at work.
    pub fn is_about(&self, environment: &str) {
        self.said().place.environment = Some(environment.to_owned());
    }

    /// Where that is.
    pub fn is_at(&self, context: &str, namespace: &str) {
        let place = &mut self.said().place;
        place.context = Some(context.to_owned());
        place.namespace = Some(namespace.to_owned());
    }

    /// The answer of a command that has one of its own.
    pub fn answer(&self, value: Value) {
        self.said().answer = Some((value, false));
    }

    /// The same of what is to be applied: it goes out as it is, with the values of Secrets.
    pub fn answer_whole(&self, value: Value) {
        self.said().answer = Some((value, true));
    }

    /// What became of services; gives how a command about them ends.
    pub fn became(&self, outcomes: Vec<Outcome>) -> Exit {
        let exit = several::worst(&outcomes);
        self.said().outcomes = outcomes;
        exit
    }

    /// What became of a release whose run died.
    pub fn recovered(&self, service: &str, version: &str, ended: Ended) {
        self.said().recovered.push(Recovered { service: service.to_owned(), version: version.to_owned(), ended });
    }

    /// What would be run.
    pub fn would_run(&self, commands: Vec<String>) {
        self.said().commands = Some(commands);
    }

    /// What was seen of services.
    pub fn saw(&self, seen: Vec<Seen>) {
        self.said().seen = seen;
    }

    /// What tests said of services.
    pub fn tested(&self, tested: Vec<Verdict>) {
        self.said().tested = tested;
    }

    /// Answers a program whose command line could not be read; people have been told.
    pub fn unread(&self, error: &clap::Error, ui: &Ui) {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let wrong = Wrong::of(&Failure::refused(message).hint("`--help` says how the command is used").into());
        let said = self.said();
        let end =
            End { wishes: &self.wishes, said: &said, exit: Exit::Refused, wrong: Some(&wrong), story: &self.story };
        if let Err(error) = ui.json(json::of(&end)) {
            ui.say(Tone::Bad, format!("error: cannot write to stdout: {error}"));
        }
    }

    /// Tells how it ended, in every way that was asked for. It is over by then: what cannot be written any more is told, and changes the code
    /// of what changed nothing only.
    pub fn conclude(&self, result: Result<Exit>, ui: &Ui) -> Exit {
        let (mut exit, wrong) = match result {
            Ok(exit) => (exit, None),
            Err(error) => (tell(&error, ui), Some(Wrong::of(&error))),
        };
        // What is secret is known by then.
        ui.settle();
        let said = self.said();
        let end = End { wishes: &self.wishes, said: &said, exit, wrong: wrong.as_ref(), story: &self.story };
        if self.wishes.is_json {
            let written = match (&said.answer, &wrong) {
                (Some((value, true)), None) => ui.write(&format!("{value:#}\n")),
                (Some((value, false)), None) => ui.json(value.clone()),
                _ => ui.json(json::of(&end)),
            };
            if let Err(error) = written {
                ui.say(Tone::Bad, format!("error: cannot write to stdout: {error}"));
                if matches!(exit, Exit::Done | Exit::No) && !self.wishes.changes() {
                    exit = Exit::Refused;
                }
            }
        }
        if let Some(mut file) = self.file.as_ref() {
            let page = page::of(&end);
            // In one write, so that what others append at the same time stands before or behind it.
            if let Err(error) = file.write_all(page.as_bytes()) {
                let path = self.wishes.summary.clone().unwrap_or_default();
                ui.say(
                    Tone::Warn,
                    format!("warning: the summary could not be written to `{}`: {error}", path.display()),
                );
            }
        }
        exit
    }
}

/// All that is known in the end.
struct End<'a> {
    wishes: &'a Wishes,
    said: &'a Said,
    exit: Exit,
    wrong: Option<&'a Wrong>,
    story: &'a Story,
}

impl End<'_> {
    /// The word for machines, where it did not go well: of the service that decided the code, else of what ended the command.
    fn reason(&self) -> Option<&str> {
        if let Some(wrong) = self.wrong {
            return Some(wrong.reason());
        }
        let of = self.said.outcomes.iter().filter(|one| one.exit == self.exit && self.exit != Exit::Done);
        let own = of.filter_map(Outcome::reason).next();
        let recovered = self.said.recovered.iter().filter(|one| one.ended.exit == self.exit);
        own.or_else(|| recovered.filter_map(|one| one.ended.reason).next()).or(match self.exit {
            Exit::Interrupted(_) => Some("interrupted"),
            Exit::Locked => Some("locked"),
            Exit::Refused => Some("refused"),
            _ => None,
        })
    }

    /// How it ended, in a word for machines.
    fn word(&self) -> &'static str {
        let outcomes = &self.said.outcomes;
        let is_nothing = self.wishes.releases() && outcomes.iter().all(|one| one.was_nothing);
        several::state(self.exit, is_nothing, self.said.commands.is_some())
    }
}

/// Tells an error once, with what to do about it.
fn tell(error: &anyhow::Error, ui: &Ui) -> Exit {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        ui.say(Tone::Plain, problems.to_string());
        return Exit::Refused;
    }
    super::tell_error(error, ui)
}

impl Wishes {
    /// Whether the command changes a cluster, so that its code says in which state that is.
    fn changes(&self) -> bool {
        ["ship", "update", "rollback", "remove", "lock acquire", "lock release", "lock steal"]
            .contains(&self.command.as_str())
    }

    /// Whether it is about releases of services.
    fn releases(&self) -> bool {
        ["ship", "update", "rollback", "remove"].contains(&self.command.as_str())
    }
}
