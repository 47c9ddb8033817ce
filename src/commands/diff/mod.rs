//! `diff`: what a ship would change in the cluster, of what nature, and whether it may go out. Never changes anything.

mod full;
mod json;
mod text;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use super::look::Look;
use super::order::{self, Order};
use super::report::Asked;
use super::survey::{Selection, Survey, survey};
use super::{Context, checkout, locked, pending, story};
use crate::error::{Exit, Failure};
use crate::git::GitState;
use crate::kubectl::Kubectl;
use crate::manifest::{Loading, Version};
use crate::release::{self, Change, Finding, Reading, VersionFrom, Wanted, Weight, main_object, version_of};
use crate::ui::Tone;

/// The arguments of `diff`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// The version to compare with, as `ship --tag` takes it; for one service
    #[arg(long, value_name = "VERSION")]
    tag: Option<Version>,
    /// The whole objects, as a unified diff of their YAML
    #[arg(long, conflicts_with_all = ["check", "output"])]
    full: bool,
    /// Only whether it may ship: code 0 if it may, 1 if it may not
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    pub asked: Asked,
}

/// What was seen of a service, for who reads it later.
#[derive(Debug)]
pub struct Seen {
    /// The service.
    pub service: String,
    /// The version that is live.
    pub running: Option<String>,
    /// The version that a ship would take.
    pub version: String,
    /// What differs, in a line.
    pub summary: String,
    /// Whether it may go out.
    pub may_ship: bool,
    /// What was found, one a line.
    pub findings: Vec<String>,
    /// What would be changed.
    pub changes: Vec<Change>,
    /// What was changed by hand, one a line.
    pub drift: Vec<String>,
}

impl Seen {
    fn of(look: &Look) -> Self {
        let service = look.order.service.clone();
        let live = main_object(&look.reading.live, &service);
        let finding = |finding: &Finding| {
            let todo = if finding.todo.is_empty() { String::new() } else { format!(" ({})", finding.todo) };
            let word = match finding.weight {
                Weight::Refusal => "no: ",
                Weight::Warning => "warning: ",
                Weight::Note => "",
            };
            format!("{word}{}{todo}", finding.what)
        };
        Self {
            running: live.and_then(|live| version_of(live, &service)),
            version: look.order.version.to_string(),
            summary: text::summary(look),
            may_ship: look.may_ship(),
            findings: look.findings.iter().map(finding).collect(),
            changes: look.plan.changes.clone(),
            drift: story::drift(&look.drift),
            service,
        }
    }
}

/// Runs it: code 0 if nothing differs, 1 if something does.
///
/// # Errors
/// If it cannot be told: the files are not good, or the cluster may not be read.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    if args.tag.is_some() && (args.selection.all || args.selection.services.len() > 1) {
        bail!(
            Failure::refused("`--tag` is for one service")
                .hint("name one service, or write the versions into the manifests")
        );
    }
    let kubectl = context.kubectl()?;
    let (looks, holder) = std::thread::scope(|scope| {
        let git = scope.spawn(|| checkout::state(&context));
        let holder = scope.spawn(|| locked::at_work(&kubectl));
        let looks = orders(&context, &kubectl, args)
            .and_then(|orders| looks(&context, &kubectl, orders, git.join().unwrap_or_default().as_ref()));
        (looks, holder.join().unwrap_or_default())
    });
    let mut looks = looks?;
    match (holder, looks.as_mut_slice()) {
        (Some(holder), [one]) => one.findings.push(locked::finding(&holder)),
        (Some(holder), _) => context.ui.say(Tone::Warn, format!("warning: the lock is taken: {holder}")),
        (None, _) => {}
    }
    context.report.saw(looks.iter().map(Seen::of).collect());
    if context.report.is_json() {
        context.report.answer(json::all(&looks, &context, &kubectl));
    } else {
        let text = match args.full {
            true => full::all(&looks),
            false => text::all(&looks, args.check, &context, &kubectl),
        };
        context.ui.product(&text).context("cannot write to stdout")?;
    }
    let no = if args.check { looks.iter().any(|look| !look.may_ship()) } else { looks.iter().any(Look::differs) };
    Ok(if no { Exit::No } else { Exit::Done })
}

/// Looks at all of them at once.
fn looks(context: &Context, kubectl: &Kubectl<'_>, orders: Vec<Order>, git: Option<&GitState>) -> Result<Vec<Look>> {
    let wanted: Vec<Wanted<'_>> = orders
        .iter()
        .map(|order| Wanted { service: &order.service, objects: &order.objects, is_applied: true })
        .collect();
    let readings: Vec<Reading> = Reading::take_all(kubectl, &wanted)?;
    let mut looks = Vec::new();
    for (order, reading) in orders.into_iter().zip(readings) {
        let mut look = Look::new(order, reading, kubectl, false);
        look.findings.extend(order::older_file(&look.reading, &look.order));
        look.findings.extend(checkout::findings(context, git, &look.reading.history));
        if !context.environment.ships_config && look.reading.word == release::Word::Server {
            let mut manifest = context.manifest(&look.order.service)?;
            look.findings.extend(pending::refusal(context, kubectl, &mut manifest, &look)?);
        }
        looks.push(look);
    }
    Ok(looks)
}

/// What a ship of each of the services would take.
fn orders(context: &Context, kubectl: &Kubectl<'_>, args: &Args) -> Result<Vec<Order>> {
    let running = running(context, kubectl, args)?;
    let version = |service: &str| args.tag.clone().or_else(|| running.get(service).map(|(version, _)| version.clone()));
    let mut environment = context.environment.clone();
    let templates = context.templates()?;
    let look = |environment: &_| survey(&context.repo, environment, &templates, &args.selection, &version);
    let mut found: Survey = look(&environment)?;
    if found.made.iter().any(|made| made.depends_on_version) {
        // API versions are the cluster's.
        let there = kubectl.minor().map_err(|error| {
            error.refused(&format!("the cluster of context `{}` does not answer", kubectl.context()))
        })?;
        if there.is_some() && there != environment.kubernetes {
            environment.kubernetes = there;
            found = look(&environment)?;
        }
    }
    if !found.warnings.is_empty() {
        context.ui.say(Tone::Warn, found.warnings.to_string());
    }
    if !found.errors.is_empty() {
        bail!(found.errors);
    }
    let order = |made: super::survey::Made| {
        let from = match (&args.tag, running.get(&made.name)) {
            (Some(_), _) => VersionFrom::Tag,
            (None, Some((_, from))) => *from,
            (None, None) => VersionFrom::Manifest,
        };
        let (service, command) = (made.name, "ship".to_owned());
        Order {
            service,
            version: made.version,
            from,
            command,
            objects: made.objects,
            images_only: false,
            restart: None,
        }
    };
    Ok(found.made.into_iter().map(order).collect())
}

/// The versions that run, of those services of which the files name none.
fn running(context: &Context, kubectl: &Kubectl<'_>, args: &Args) -> Result<BTreeMap<String, (Version, VersionFrom)>> {
    let mut found = BTreeMap::new();
    if args.tag.is_some() {
        return Ok(found);
    }
    let names = if args.selection.all { context.repo.services()? } else { args.selection.services.clone() };
    if !args.selection.all {
        context.repo.must_have(&names)?;
    }
    let is_open = |name: &&String| match context.repo.load(name, &context.environment) {
        Loading::Here(manifest, _) => manifest.version().is_none(),
        _ => false,
    };
    let open: Vec<&str> = names.iter().filter(is_open).map(String::as_str).collect();
    if open.is_empty() {
        return Ok(found);
    }
    kubectl.reach()?;
    for (service, running) in open.iter().zip(release::running(kubectl, &open)?) {
        let stays = order::stays(&running).ok_or_else(|| order::nothing_runs(service))?;
        found.insert((*service).to_owned(), stays);
    }
    Ok(found)
}
