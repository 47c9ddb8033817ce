//! `status`: what runs, and how it is.

mod parts;

use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::report::Answer;
use super::survey::Selection;
use super::target::manifests;
use super::{Context, history, locked, options};
use crate::error::{Exit, Failure};
use crate::kubectl::Kubectl;
use crate::release::{self, History, Limits, Outcome, Release, main_object, version_of};
use crate::threads;
use crate::ui::ago;
use parts::Parts;

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Go on telling how it is, whenever that changes, until Ctrl-C; for one service
    #[arg(long, conflicts_with = "output")]
    watch: bool,
    #[command(flatten)]
    pub answer: Answer,
}

/// What is known of a service.
struct Sight {
    service: String,
    parts: Parts,
    history: History,
    /// Why the releases are not known, if they may not be read.
    no_history: Option<String>,
    /// Who has the lock.
    holder: Option<String>,
    /// The version that is live.
    version: Option<String>,
    /// Whether that is read from what is live.
    is_seen: bool,
    health: Vec<String>,
    exit: Exit,
}

/// Runs it. 0 if the services are well, 1 if one is not, or not there.
///
/// # Errors
/// If the cluster cannot be read.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let Selection { services, all } = &args.selection;
    let services = match all {
        true => manifests(&context, &[])?.iter().map(|(manifest, _)| manifest.service.to_string()).collect(),
        false => services.clone(),
    };
    if args.watch && services.len() != 1 {
        bail!(Failure::refused("`--watch` is for one service").hint("name one service"));
    }
    let kubectl = context.kubectl()?;
    let limits = options::limits(context.environment.graces);
    let mut sights = look(&context, &kubectl, &services, &limits)?;
    let exit = Exit::worst(sights.iter().map(|sight| sight.exit));
    if args.answer.is_json() {
        let mut told: Vec<Value> = sights.iter().map(|sight| as_json(sight, &context, &kubectl)).collect();
        // Who names one service gets that one.
        let answer = match (told.pop(), *all || services.len() != 1) {
            (Some(one), false) => one,
            (last, _) => json!({"version": 1, "services": told.into_iter().chain(last).collect::<Vec<_>>()}),
        };
        context.report.answer(answer);
        return Ok(exit);
    }
    let texts: Vec<String> = sights.iter().map(|sight| text(sight, &context, &kubectl)).collect();
    context.ui.product(&texts.join("\n")).context("cannot write to stdout")?;
    match sights.pop().filter(|_| args.watch) {
        Some(sight) => follow(&context, &kubectl, sight, &limits),
        None => Ok(exit),
    }
}

/// Looks at services, in their order.
fn look(context: &Context, kubectl: &Kubectl<'_>, services: &[String], limits: &Limits) -> Result<Vec<Sight>> {
    let cancel = false.into();
    let names: Vec<&str> = services.iter().map(String::as_str).collect();
    let (reached, histories, holder) = std::thread::scope(|scope| {
        let histories = scope.spawn(|| History::read_all(kubectl, &names, &cancel));
        let holder = scope.spawn(|| locked::at_work(kubectl));
        (kubectl.reach(), histories.join(), holder.join().unwrap_or_default())
    });
    reached?;
    let histories = histories.map_err(|_| anyhow!("shipcat itself failed while it read from the cluster"))??;
    let one = |service: &String| {
        let history = histories.read.get(service).cloned().unwrap_or_default();
        // Of the file only that there is such a service, or was: what runs, the record and the cluster say.
        if history.newest().is_none() {
            context.manifest(service)?;
        }
        let parts = Parts::read(kubectl, service, &history)?;
        let (health, exit) = parts.health(limits);
        let main = main_object(&parts.live, service);
        let is_seen = main.is_some();
        let recorded =
            history.running().filter(|_| parts.is_without_image()).map(|running| running.body.version.clone());
        let version = main.and_then(|live| version_of(live, service)).or(recorded);
        Ok(Sight {
            service: service.clone(),
            parts,
            history,
            no_history: histories.refused.clone(),
            holder: holder.clone(),
            version,
            is_seen,
            health,
            exit,
        })
    };
    threads::waiting(services, one).into_iter().collect()
}

/// For people.
fn text(sight: &Sight, context: &Context, kubectl: &Kubectl<'_>) -> String {
    let service = &sight.service;
    let version = sight.version.as_deref().unwrap_or("-");
    let mut text = format!(
        "{service} in {} (context {}, namespace {})\n  version   {version}\n  health    {}\n",
        context.environment.name,
        kubectl.context(),
        kubectl.namespace(),
        sight.health.join("\n            ")
    );
    if let Some(running) = sight.history.running() {
        text += &format!("  release   {}\n", line(running));
        if let Some(tests) = &running.tests {
            let since = Timestamp::now().duration_since(tests.finished);
            let age = ago(std::time::Duration::try_from(since).unwrap_or_default());
            text += &format!("  tests     {}, {age}\n", tests.line());
        }
        // While another release is under way, or died there, what is live is that one's doing.
        let is_open = sight.history.newest().is_some_and(|newest| newest.outcome == Outcome::Pending);
        if running.body.version != version && sight.is_seen && !is_open {
            let left = sight.history.broken().filter(|broken| broken.body.version == version);
            let how = match left {
                Some(left) => format!("release {}, which failed, left {version}", left.number),
                None => "somebody changed the image since".to_owned(),
            };
            text += &format!("  warning   release {} brought {}: {how}\n", running.number, running.body.version);
        }
    } else if sight.no_history.is_some() {
        text += "  release   not known: you may not read the records\n";
    } else {
        text += "  release   none that was deployed by shipcat\n";
    }
    if let Some(newest) = sight.history.newest().filter(|newest| newest.outcome != Outcome::Deployed) {
        let why = match (newest.outcome, &newest.message, &sight.holder) {
            (Outcome::Pending, _, Some(_)) => ": it is under way, or its run died".to_owned(),
            (Outcome::Pending, _, None) => {
                ": its run died; the next ship, update or rollback of it completes it or takes it back".to_owned()
            }
            (_, Some(message), _) => format!(": {message}"),
            (_, None, _) => String::new(),
        };
        text += &format!("  last      {}, {}{why}\n", line(newest), newest.outcome);
    }
    if let Some(holder) = &sight.holder {
        text += &format!("  lock      {holder}\n");
    }
    text
}

/// For programs.
fn as_json(sight: &Sight, context: &Context, kubectl: &Kubectl<'_>) -> Value {
    json!({
        "version": 1,
        "environment": context.environment.name.as_ref(),
        "context": kubectl.context(),
        "namespace": kubectl.namespace(),
        "service": sight.service,
        "running": sight.version,
        "isWell": sight.exit == Exit::Done,
        "health": sight.health,
        "release": sight.history.running().map(history::as_json),
        "last": sight.history.newest().map(history::as_json),
        "lock": sight.holder,
    })
}

/// Tells how it is whenever that changes, until a signal comes.
fn follow(context: &Context, kubectl: &Kubectl<'_>, mut sight: Sight, limits: &Limits) -> Result<Exit> {
    let (mut told, mut exit) = (sight.health.clone(), sight.exit);
    let (wanted, live) = (sight.parts.workloads().into_iter().cloned().collect::<Vec<_>>(), sight.parts.live.clone());
    let started = Instant::now();
    let mut failed = None;
    release::follow(kubectl, &wanted, &live, |picture| {
        sight.parts.seen(picture);
        let (health, now) = sight.parts.health(limits);
        exit = now;
        if health != told {
            let at = Timestamp::now().strftime("%H:%M:%S UTC");
            let said = context.ui.product(&format!("{at}  {}\n", health.join("\n              ")));
            failed = said.err();
            told = health;
        }
        context.ui.wait(started, "watching; Ctrl-C ends it");
        failed.is_none()
    })?;
    context.ui.rest();
    match failed {
        Some(error) => Err(error).context("cannot write to stdout"),
        None => Ok(exit),
    }
}

/// A release in a line.
fn line(release: &Release) -> String {
    let since = Timestamp::now().duration_since(release.body.started);
    let age = ago(std::time::Duration::try_from(since).unwrap_or_default());
    let body = &release.body;
    let git = body.git.as_ref().map(|git| format!(", manifests {}", git.short())).unwrap_or_default();
    let build = body.build.as_ref().map(|url| format!(", {url}")).unwrap_or_default();
    let from = body.former.as_ref().filter(|former| **former != body.version);
    let from = from.map(|former| format!(" from {former}")).unwrap_or_default();
    format!("{} ({}, version {}{from}) by {}, {age}{git}{build}", release.number, body.command, body.version, body.who)
}
