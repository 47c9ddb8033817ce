//! Telling Slack what became of services: behind everything else, so that nothing waits for it, and nothing fails by it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use super::Context;
use crate::error::Exit;
use crate::manifest::Loading;
use crate::release::{Body, Ended};
use crate::slack::{Hook, Kind, Note, PATIENCE, told};
use crate::ui::{Tone, Ui};

/// Whether Slack is told.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Notify {
    /// Tell Slack nothing
    #[arg(long)]
    no_notify: bool,
}

/// What is to be told.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Vec<Note>>);

impl Notes {
    /// One more.
    pub fn add(&self, note: Note) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(note);
    }

    /// What became of a release, if that is for others to know.
    pub fn released(&self, environment: &str, body: &Body, ended: &Ended) {
        let tests_failed = ended.tests.as_ref().is_some_and(|tests| !tests.passed);
        let kind = match (ended.exit, body.command.split(' ').next().unwrap_or_default()) {
            (Exit::Done, "ship") => Kind::Shipped,
            (Exit::Done, "update") => Kind::Updated,
            (Exit::Done, "remove") => Kind::Removed,
            (Exit::Done, _) => Kind::RolledBack,
            (Exit::AsBefore, _) if tests_failed => Kind::TestsFailed,
            // Where it was stopped before it changed anything, there is nothing to tell.
            (Exit::AsBefore | Exit::Interrupted(_), _) if ended.why.is_some() => Kind::RolledBack,
            (Exit::Person, _) => Kind::NeedsPerson,
            _ => return,
        };
        let tests = ended.tests.as_ref();
        self.add(Note {
            kind,
            service: body.service.clone(),
            environment: environment.to_owned(),
            from: body.former.clone(),
            to: body.version.clone(),
            nature: body.nature.clone(),
            who: body.who.clone(),
            build: body.build.clone(),
            why: ended.why.clone(),
            tests: tests.filter(|tests| tests.passed).map(|tests| tests.line()),
            cases: tests.map(|tests| tests.named()).unwrap_or_default(),
        });
    }

    /// Sends all of it: one message for each channel and what became of services.
    pub fn send(self, context: &Context, notify: Notify) {
        let notes = self.0.into_inner().unwrap_or_default();
        if notify.no_notify || notes.is_empty() {
            return;
        }
        let mut groups: BTreeMap<(Option<String>, Kind), Vec<Note>> = BTreeMap::new();
        for note in notes {
            let Some(channel) = channel(context, &note.service) else { continue };
            groups.entry((channel, note.kind)).or_default().push(note);
        }
        if groups.is_empty() {
            return;
        }
        let Some(hook) = hook(&context.ui) else { return };
        // Who follows a terminal sees why it does not come back yet.
        let started = Instant::now();
        context.ui.settle();
        for ((channel, _), notes) in groups {
            context.ui.wait(started, "telling Slack");
            if let Err(why) = hook.post(&told(&notes, channel.as_deref()), started + PATIENCE) {
                context.ui.say(Tone::Warn, format!("warning: Slack was not told: {why}"));
            }
        }
        context.ui.rest();
    }
}

/// The webhook; what is wrong with it is a warning.
fn hook(ui: &Ui) -> Option<Hook> {
    Hook::from_env().unwrap_or_else(|why| {
        ui.say(Tone::Warn, format!("warning: Slack was not told: {why}"));
        None
    })
}

/// The channel of a service: nothing within for the webhook's own, nothing at all where Slack is not told. Of a service that has no
/// manifest any more it is the environment's.
fn channel(context: &Context, service: &str) -> Option<Option<String>> {
    let is_there = context.repo.services().is_ok_and(|services| services.iter().any(|one| one == service));
    if is_there && let Loading::Here(manifest, _) = context.repo.load(service, &context.environment) {
        let said = &manifest.value["slack"];
        return if *said == false { None } else { Some(said.as_str().map(str::to_owned)) };
    }
    match &context.environment.slack {
        None => Some(None),
        Some(None) => None,
        Some(channel) => Some(channel.clone()),
    }
}
