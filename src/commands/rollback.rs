//! `rollback`: an earlier release once more, the whole of it. Never a bare `rollout undo`, which brings back the pod template
//! only, and after a config-only change goes to the wrong revision.

use std::sync::Once;

use anyhow::{Result, anyhow, bail};
use clap_complete::engine::ArgValueCompleter;

use super::launch::{How, launch};
use super::locked::{Errand, Prepared, locked};
use super::look::Look;
use super::notify::{Notes, Notify};
use super::options::{Boldness, Patience};
use super::order::Order;
use super::report::Asked;
use super::ship::{read, read_one, rehearsing, running, service_name};
use super::target::Company;
use super::{Context, complete, story};
use crate::error::{Exit, Failure, join_and};
use crate::kubectl::Kubectl;
use crate::release::{self, History, Kind, Outcome, Release};

/// The arguments of `rollback`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE", add = ArgValueCompleter::new(complete::services))]
    service: String,
    /// The number of the release to go to [default: the newest that was deployed and differs from what runs]
    #[arg(long, value_name = "N", add = ArgValueCompleter::new(complete::releases))]
    to: Option<u32>,
    /// Go back past a job that says `reversible: false`: what it did stays done
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    boldness: Boldness,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    notify: Notify,
    #[command(flatten)]
    pub asked: Asked,
}

/// Runs it. It needs no manifest of the service, only the environment: what is applied is what the record holds.
///
/// # Errors
/// If it cannot be done; nothing was changed then.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let service = service_name(&args.service)?;
    let kubectl = rehearsing(context.kubectl()?, args.boldness.dry_run);
    let told = Once::new();
    let prepare = || prepare(&context, &kubectl, service.as_ref(), args, &told);
    let (patience, boldness, company) = (&args.patience, &args.boldness, Company::ALONE);
    let go = |prepared, notes: &Notes| {
        let how = How { patience, boldness, company, junit: None, notes };
        let outcomes = launch(&context, &kubectl, prepared, how, |orders| read(&kubectl, orders))?;
        Ok(context.report.became(outcomes))
    };
    let to = args.to.map(|number| format!(" to release {number}")).unwrap_or_default();
    let what = format!("rollback {service}{to}");
    let errand = Errand {
        services: &[service.as_ref()],
        what: &what,
        patience: &args.patience,
        rehearse: args.boldness.dry_run,
        notify: args.notify,
    };
    locked(&context, &kubectl, &errand, prepare, go)
}

/// Reads what is needed.
fn prepare(context: &Context, kubectl: &Kubectl<'_>, service: &str, args: &Args, told: &Once) -> Result<Vec<Prepared>> {
    let running = running(kubectl, &[service])?.pop().unwrap_or_default();
    if let Some(refused) = running.no_history {
        bail!(
            Failure::refused(format!("cannot read the release records: {refused}"))
                .hint("ask for the permission to read Secrets")
        );
    }
    let target = target(kubectl, &running.history, service, args.to, running.version.as_deref())?;
    let number = target.number;
    if !args.force {
        irreversible(kubectl, &running.history, target, service)?;
    }
    let version = target.body.version.parse().map_err(|message| anyhow!("release {number}: {message}"))?;
    let from = target.body.version_from;
    // It runs no Jobs: what they did stays done.
    let wanted: Vec<_> = target.objects().into_iter().filter(|object| Kind::of(object) != Some(Kind::Job)).collect();
    let heading = format!("taking {service} back to release {number}, version {version}");
    told.call_once(|| story::heading(&heading, &context.environment, kubectl, &context.ui));
    let order = Order {
        service: service.to_owned(),
        version,
        from,
        command: format!("rollback to {number}"),
        objects: wanted,
        images_only: false,
        restart: None,
    };
    // What runs then is of the state of the repo that the release came from, whatever is checked out here.
    let git = target.body.git.clone();
    let reading = read_one(kubectl, &order);
    let look = Look::new(order, reading?, kubectl, args.boldness.adopt);
    Ok(vec![Prepared { look, git, recording: None, suite: None }])
}

/// Sees that no job that cannot be undone ran since the release to which it goes.
///
/// # Errors
/// Which did.
fn irreversible(kubectl: &Kubectl<'_>, history: &History, target: &Release, service: &str) -> Result<()> {
    let ran = release::irreversible_since(kubectl, history, target)
        .map_err(|error| error.refused("cannot see which jobs ran"))?;
    if ran.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = ran.iter().map(|(job, number)| format!("{job} of release {number}")).collect();
    let what =
        format!("since release {} of `{service}` there ran what cannot be undone: {}", target.number, join_and(&names));
    bail!(
        Failure::refused(what).hint("`--force` goes back all the same, if the old version gets along with what it did")
    )
}

fn target<'a>(
    kubectl: &Kubectl<'_>,
    history: &'a History,
    service: &str,
    to: Option<u32>,
    live: Option<&str>,
) -> Result<&'a Release> {
    let Some(number) = to else {
        return history.before_running(live).ok_or_else(|| {
            let known = match history.running() {
                Some(running) => format!("release {} is the only one that was deployed", running.number),
                None => format!(
                    "no release of it was deployed to namespace `{}` of context `{}`",
                    kubectl.namespace(),
                    kubectl.context()
                ),
            };
            Failure::refused(format!("there is nothing to take `{service}` back to: {known}"))
                .hint("`shipcat history` lists the releases")
                .into()
        });
    };
    match history.get(number) {
        None => bail!(
            Failure::refused(format!("`{service}` has no release {number}"))
                .hint("`shipcat history` lists the releases")
        ),
        Some(release) if release.outcome != Outcome::Deployed => {
            bail!(
                Failure::refused(format!("release {number} of `{service}` never worked: {}", release.outcome))
                    .hint("`shipcat history` lists the releases")
            )
        }
        Some(release) => Ok(release),
    }
}
