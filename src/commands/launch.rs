//! From looks to releases: refused, asked for, rehearsed, or run. What `ship`, `update`, `rollback` and `remove` share, for one service or
//! several.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, anyhow};
use jiff::Timestamp;

use super::item::{Item, item, outcome, tell, wish};
use super::locked::{Prepared, interrupted};
use super::look::Look;
use super::nothing::nothing_to_do;
use super::notify::Notes;
use super::options::{Boldness, OnFailure, Patience};
use super::order::Order;
use super::refusal::{findings, refuse, tell_error};
use super::report::Wrong;
use super::several::{self, Outcome, side_by_side};
use super::target::Company;
use super::{Context, consent, story, words};
use crate::error::{Exit, Failure, count};
use crate::kubectl::Kubectl;
use crate::release::{self, Body, Feed, Pass, Place, Plan, Reading, Request, Together, Turns};
use crate::signal;
use crate::ui::{Tone, Ui};

/// How releases are to go.
#[derive(Debug, Clone, Copy)]
pub struct How<'a> {
    /// How long things may take.
    pub patience: &'a Patience,
    /// How bold they may be.
    pub boldness: &'a Boldness,
    /// How several go together.
    pub company: Company,
    /// The folder below which the JUnit files of their tests are kept.
    pub junit: Option<&'a Path>,
    /// What became of each, for Slack.
    pub notes: &'a Notes,
}

/// Runs releases by looks at them; or where there is nothing to do, looks whether what runs is well. `again` reads the cluster once more.
///
/// # Errors
/// If any is refused; nothing was changed then.
pub fn launch(
    context: &Context,
    kubectl: &Kubectl<'_>,
    prepared: Vec<Prepared>,
    how: How<'_>,
    again: impl Fn(&[Order]) -> Result<Vec<Reading>>,
) -> Result<Vec<Outcome>> {
    if context.environment.protected && how.boldness.on_failure == OnFailure::Keep {
        let what = format!("{} is protected: what fails there is taken back", context.environment.name);
        return Err(Failure::refused(what).hint("leave `--on-failure keep` away").into());
    }
    let looks: Vec<&Look> = prepared.iter().map(|one| &one.look).collect();
    refuse(&findings(&looks))?;
    let width = looks.iter().map(|look| look.order.service.len()).max().unwrap_or_default();
    let uis: Vec<Ui> = match looks.len() {
        1 => Vec::new(),
        _ => looks.iter().map(|look| context.ui.one_of(&look.order.service, width)).collect(),
    };
    let ui = |n: usize| uis.get(n).unwrap_or(&context.ui);
    let items: Vec<Item> = prepared
        .into_iter()
        .map(|one| {
            let mut item = item(one.look, one.git);
            // What changes nothing in the cluster is recorded, and needs no tests.
            item.body.tests = one.suite.filter(|_| !item.look.is_nothing());
            item
        })
        .collect();
    for (n, item) in items.iter().enumerate() {
        tell(item, !uis.is_empty(), ui(n));
    }
    if how.boldness.dry_run {
        return rehearse(context, kubectl, items, how, ui);
    }
    if items.iter().any(|item| !item.is_nothing) {
        let asked = Instant::now();
        kubectl.at_step("asks whether to go on");
        if let Some(signal) = consent::ask(&context.environment, &wish(&items), how.boldness.yes, &context.ui)? {
            let exit = interrupted(signal, &context.ui);
            return Ok(items.iter().map(|item| outcome(item, exit, None)).collect());
        }
        if asked.elapsed() > consent::STALE {
            unmoved(&items, kubectl, how.boldness.adopt, again)?;
        }
    }
    let many = items.len() > 1;
    let together = (how.company.together && many)
        .then(|| release::lock::random().map(|id| Together::new(id, items.len())))
        .transpose()?;
    let plans: Vec<&Plan> = items.iter().map(|item| &item.look.plan).collect();
    let feed = many.then(|| release::feed(kubectl, &plans));
    let at_once = if together.is_some() { items.len() } else { usize::from(how.company.jobs) };
    // What is up waits for the others' rollouts before it is tested, and must keep none of them from beginning.
    let turns = (many && items.iter().any(|item| item.body.tests.is_some())).then(|| Turns::new(items.len(), at_once));
    let jobs = if turns.is_some() { items.len() } else { at_once };
    let not_begun = |item: &Item, signal| outcome(item, Exit::Interrupted(signal), None);
    let begin = |n, item, pass: &Pass<'_>| {
        let place = turns.as_ref().map(|turns| turns.place(n));
        if let Some(place) = &place {
            place.begin();
            if let Some(signal) = signal::received() {
                return not_begun(&item, signal);
            }
        }
        let beside = Beside {
            together: together.as_ref(),
            place: place.as_ref(),
            feed: feed.as_ref(),
            pass: many.then_some(pass),
        };
        start(context, kubectl, item, beside, how, ui(n))
    };
    let settle = how.patience.limits(context).limits.settle;
    let outcomes = side_by_side(items, jobs, |item| item.look.plan.waits(settle), begin, not_begun);
    if many {
        several::tell(context.environment.name.as_ref(), &outcomes, &context.ui);
    }
    Ok(outcomes)
}

/// Prints what would be run.
fn rehearse<'a>(
    context: &'a Context,
    kubectl: &Kubectl<'_>,
    items: Vec<Item>,
    how: How<'_>,
    ui: impl Fn(usize) -> &'a Ui,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for (n, item) in items.into_iter().enumerate() {
        outcomes.push(outcome(&item, Exit::Done, None));
        if item.is_nothing {
            let Body { service, version, .. } = &item.body;
            ui(n).say(Tone::Good, format!("nothing to do: {service} {version} runs already"));
            continue;
        }
        let Item { mut look, body, .. } = item;
        if let Some(suite) = &body.tests {
            ui(n).say(Tone::Dim, format!("  its tests would run: {}", suite.image));
        }
        let request = request(context, &mut look, body, how, Beside::default(), ui(n));
        release::rehearse(kubectl, request)?;
    }
    let commands = kubectl.rehearsed();
    if !commands.is_empty() {
        let lines: Vec<String> = commands.iter().map(|command| format!("{}\n", command.pasted())).collect();
        if !context.report.is_json() {
            context.ui.product(&lines.concat())?;
        }
        context.ui.say(Tone::Good, "nothing was changed");
    }
    context.report.would_run(commands.iter().map(|command| command.pasted().to_string()).collect());
    Ok(outcomes)
}

/// What a release has from those beside it.
#[derive(Debug, Clone, Copy, Default)]
struct Beside<'a> {
    /// Whom it stands or falls with.
    together: Option<&'a Together>,
    /// Its place among those whose tests take turns.
    place: Option<&'a Place<'a>>,
    /// The streams by which all of them are watched.
    feed: Option<&'a Arc<Feed<'a>>>,
    /// That it may make its change now.
    pass: Option<&'a Pass<'a>>,
}

/// Runs one to its end.
fn start<'a>(
    context: &'a Context,
    kubectl: &'a Kubectl<'a>,
    item: Item,
    beside: Beside<'a>,
    how: How<'_>,
    ui: &Ui,
) -> Outcome {
    let started = Instant::now();
    let mut outcome = outcome(&item, Exit::Done, None);
    let Item { mut look, body, is_nothing } = item;
    let result = if is_nothing {
        beside.pass.into_iter().for_each(Pass::leave);
        nothing_to_do(kubectl, &look, &how.patience.limits(context), beside.together, beside.feed, ui)
    } else {
        let told = body.clone();
        let request = request(context, &mut look, body, how, beside, ui);
        release::run(kubectl, request, ui)
            .inspect(|ended| how.notes.released(context.environment.name.as_ref(), &told, ended))
    };
    match result {
        Ok(ended) => {
            outcome.exit = ended.exit;
            outcome.ended = Some(ended);
        }
        Err(error) => {
            outcome.exit = tell_error(&error, ui);
            outcome.error = Some(Wrong::of(&error));
            if let Some(together) = beside.together {
                together.fail(&format!("{} could not be begun", outcome.service));
            }
        }
    }
    outcome.took = Some(started.elapsed());
    outcome
}

/// What a release needs to know.
fn request<'a>(
    context: &'a Context,
    look: &'a mut Look,
    mut body: Body,
    how: How<'a>,
    beside: Beside<'a>,
    ui: &Ui,
) -> Request<'a> {
    let release::Patience { timeout, rollback_timeout, limits } = how.patience.limits(context);
    let now = Timestamp::now().to_string();
    let mut afterwards = None;
    if !look.order.images_only {
        afterwards = release::keep_count(&mut look.wanted, &mut look.reading.expected, &look.plan);
        if afterwards.is_some() {
            ui.say(Tone::Dim, "  the number of pods stays until the new ones are up");
            look.plan = Plan::new(&look.wanted, &look.reading.live, &look.reading.expected, &now)
                .removing(&look.reading.left_over)
                .restarting(look.order.restart.as_deref());
        }
    }
    let told = story::lines(&words::said(&look.plan.changes)).into_iter().chain(story::drift(&look.drift)).collect();
    body.together = beside.together.map(|together| together.id().to_owned());
    Request {
        environment: context.environment.name.as_ref(),
        body,
        plan: look.plan.clone(),
        afterwards,
        images_only: look.order.images_only,
        history: &look.reading.history,
        timeout,
        rollback_timeout,
        limits,
        together: beside.together,
        feed: beside.feed.cloned(),
        told,
        evidence: how.boldness.evidence.as_deref(),
        keeps_failures: how.boldness.on_failure == OnFailure::Keep,
        junit: how.junit,
        place: beside.place,
        pass: beside.pass,
    }
}

/// Whether what would be changed is still what was shown.
fn unmoved(
    shown: &[Item],
    kubectl: &Kubectl<'_>,
    adopt: bool,
    again: impl Fn(&[Order]) -> Result<Vec<Reading>>,
) -> Result<()> {
    let orders: Vec<Order> = shown.iter().map(|item| item.look.order.clone()).collect();
    let readings = again(&orders)?;
    if readings.len() != shown.len() {
        return Err(anyhow!("shipcat itself failed: {} read of {}", count(readings.len(), "service"), shown.len()));
    }
    for ((order, reading), shown) in orders.into_iter().zip(readings).zip(shown) {
        let now = Look::new(order, reading, kubectl, adopt);
        refuse(&now.findings)?;
        let newest = |look: &Look| look.reading.history.newest_number();
        if now.plan.changes != shown.look.plan.changes || newest(&now) != newest(&shown.look) {
            return Err(Failure::refused(
                "somebody has changed the cluster since you were asked: it is not what you were shown any more",
            )
            .hint("look at it again with `shipcat diff`, then run the same once more")
            .into());
        }
    }
    Ok(())
}
