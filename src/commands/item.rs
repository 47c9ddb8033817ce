//! A service that may go out: what it is, how it is told, and what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::look::Look;
use super::several::Outcome;
use super::story;
use crate::error::{Exit, join_and};
use crate::git::GitState;
use crate::release::{self, Body};
use crate::ui::{Tone, Ui};

/// A service that may go out.
pub struct Item {
    /// What was seen of it, and is to come.
    pub look: Look,
    /// What goes into its record.
    pub body: Body,
    /// Whether there is nothing to do.
    pub is_nothing: bool,
}

/// What is to be released, with its record's body.
pub fn item(mut look: Look, git: Option<GitState>) -> Item {
    // The numbers that are left to autoscalers are none of the release's.
    let mut body = look.order.body(if look.order.images_only { &look.wanted } else { &look.order.objects }, git);
    body.adopted = std::mem::take(&mut look.adopted);
    let main = release::main_object(&look.reading.live, &body.service);
    // What is removed is not among what is wanted.
    let main = main.or_else(|| release::main_object(&look.plan.leftovers, &body.service));
    body.former = main.and_then(|main| release::version_of(main, &body.service));
    let natures =
        look.plan.changes.iter().chain(look.drift.iter().map(|drift| &drift.change)).map(|change| change.nature);
    body.nature = natures.collect::<BTreeSet<_>>().into_iter().map(|nature| nature.word().to_owned()).collect();
    // Live and record must agree: what somebody else made the same by hand is still to be recorded.
    let recorded = look.reading.history.running();
    let recorded = recorded.is_some_and(|running| release::same_objects(&running.body.objects, &body.objects));
    let is_nothing = look.is_nothing() && recorded;
    Item { look, body, is_nothing }
}

/// Tells what becomes of one.
pub fn tell(item: &Item, with_version: bool, ui: &Ui) {
    let Item { look, body, is_nothing } = item;
    if with_version {
        ui.say(Tone::Plain, &body.version);
    }
    story::autoscaled(&look.autoscaled, ui);
    if !is_nothing {
        story::changes(look, ui);
    }
    story::findings(&look.findings, ui);
}

/// What is asked for, in words.
pub fn wish(items: &[Item]) -> String {
    let named: Vec<String> = items.iter().map(|item| format!("{} {}", item.body.service, item.body.version)).collect();
    let command = items.first().map_or("", |item| item.look.order.command.as_str());
    format!("the {command} of {}", join_and(&named))
}

pub fn outcome(item: &Item, exit: Exit, took: Option<Duration>) -> Outcome {
    let Item { look, body, is_nothing } = item;
    let (changes, drift) = match is_nothing {
        true => Default::default(),
        false => (look.plan.changes.clone(), story::drift(&look.drift)),
    };
    Outcome {
        service: body.service.clone(),
        version: body.version.clone(),
        exit,
        was_nothing: *is_nothing,
        took,
        former: body.former.clone(),
        nature: body.nature.clone(),
        changes,
        drift,
        git: body.git.clone(),
        ended: None,
        error: None,
        behind: None,
    }
}
