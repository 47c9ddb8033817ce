//! `remove`: retires a service. Its objects go, claims never; its records stay, so that `rollback` brings it back.

use std::sync::Once;

use anyhow::{Result, anyhow};
use clap_complete::engine::ArgValueCompleter;

use super::launch::{How, launch};
use super::locked::{Errand, Prepared, locked};
use super::look::Look;
use super::notify::{Notes, Notify};
use super::options::{Boldness, OnFailure, Patience};
use super::order::Order;
use super::report::Asked;
use super::ship::{rehearsing, service_name};
use super::target::Company;
use super::{Context, checkout, complete, consent, story};
use crate::error::Exit;
use crate::kubectl::Kubectl;
use crate::release::{self, Outcome, VersionFrom};
use crate::ui::Tone;

/// The arguments of `remove`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE", add = ArgValueCompleter::new(complete::services))]
    service: String,
    /// Do it in a protected environment as well
    #[arg(long)]
    yes: bool,
    /// Print each command that would change something, but for those of the lock, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    notify: Notify,
    #[command(flatten)]
    pub asked: Asked,
}

/// Runs it. It needs no manifest of the service, only the environment: what goes is what the records know.
///
/// # Errors
/// If it cannot be done; nothing was changed then.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let service = service_name(&args.service)?;
    let service = service.as_ref();
    consent::all_at_once(&context.environment, true, args.yes || args.dry_run)?;
    let kubectl = rehearsing(context.kubectl()?, args.dry_run);
    let told = Once::new();
    let boldness = Boldness {
        adopt: false,
        yes: args.yes,
        dry_run: args.dry_run,
        on_failure: OnFailure::Rollback,
        evidence: None,
    };
    let (patience, company) = (&args.patience, Company::ALONE);
    let prepare = || Ok(prepare(&context, &kubectl, service, &told)?.into_iter().collect());
    let go = |prepared: Vec<Prepared>, notes: &Notes| {
        let how = How { patience, boldness: &boldness, company, junit: None, notes };
        if prepared.is_empty() {
            let name = &context.environment.name;
            context.ui.say(Tone::Good, format!("nothing to do: {service} is not in {name} any more"));
            return Ok(Exit::Done);
        }
        let again = |_: &[Order]| Ok(vec![release::retire(&kubectl, service)?]);
        let outcomes = launch(&context, &kubectl, prepared, how, again)?;
        Ok(context.report.became(outcomes))
    };
    let what = format!("remove {service}");
    let errand = Errand {
        services: &[service],
        what: &what,
        patience: &args.patience,
        rehearse: args.dry_run,
        notify: args.notify,
    };
    locked(&context, &kubectl, &errand, prepare, go)
}

/// Reads what is there of it; nothing if it is gone already.
fn prepare(context: &Context, kubectl: &Kubectl<'_>, service: &str, told: &Once) -> Result<Option<Prepared>> {
    let reading = release::retire(kubectl, service)?;
    let running = reading.history.running().ok_or_else(|| anyhow!("`{service}` was never deployed"))?;
    // One that is under way, or whose run died, is to be looked at under the lock.
    let is_open = reading.history.newest().is_some_and(|newest| newest.outcome == Outcome::Pending);
    if release::is_end(running) && reading.left_over.is_empty() && !is_open {
        return Ok(None);
    }
    let version = running.body.version.parse().map_err(|message| anyhow!("release {}: {message}", running.number))?;
    let heading = format!("removing {service}");
    told.call_once(|| story::heading(&heading, &context.environment, kubectl, &context.ui));
    let order = Order {
        service: service.to_owned(),
        version,
        from: VersionFrom::Running,
        command: "remove".into(),
        objects: Vec::new(),
        images_only: false,
        restart: None,
    };
    let git = checkout::state(context);
    let look = Look::new(order, reading, kubectl, false);
    Ok(Some(Prepared { look, git, recording: None, suite: None }))
}
