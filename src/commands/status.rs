//! `status`: what runs, and how it is.

use std::time::Instant;

use anyhow::Result;
use jiff::Timestamp;

use super::Context;
use crate::error::{Exit, count};
use crate::release::{Goal, History, Limits, Memory, Outcome, Picture, Release, Verdict, folded, judge, version_of};
use crate::ui::ago;
use crate::yaml::Object;

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
}

/// Runs it. 0 if the service is well, 1 if it is not, or not there.
///
/// # Errors
/// If the cluster cannot be read.
pub fn run(mut context: Context, args: &Args) -> Result<Exit> {
    let manifest = context.manifest(&args.service)?;
    let kubectl = context.kubectl()?;
    let selector: Vec<String> = manifest.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let cancel = false.into();
    let (reached, deployment, others, history) = std::thread::scope(|scope| {
        let deployment = scope.spawn(|| kubectl.named("deployment.apps", &args.service));
        let others = scope.spawn(|| kubectl.labelled("replicasets.apps,pods", &selector.join(","), &cancel));
        let history = scope.spawn(|| History::read(&kubectl, &args.service, &cancel));
        (kubectl.reach(), deployment.join(), others.join(), history.join())
    });
    reached?;
    let failed = |_| anyhow::anyhow!("shipcat itself failed while it read from the cluster");
    let deployment = deployment.map_err(failed)?.map_err(|error| error.refused("cannot read the Deployment"))?;
    let mut objects = others.map_err(failed)?.map_err(|error| error.refused("cannot read the pods"))?;
    let history = history.map_err(failed)??;
    let (health, exit) = match &deployment {
        None => ("not there".to_owned(), Exit::No),
        Some(deployment) => {
            objects.push(deployment.clone());
            health(&Picture::of(objects), deployment)
        }
    };
    let version = deployment.as_ref().and_then(|live| version_of(live, &args.service)).unwrap_or_else(|| "-".into());
    let mut text = format!(
        "{} in {} (context {}, namespace {})\n  version   {version}\n  health    {health}\n",
        args.service,
        context.environment.name,
        kubectl.context(),
        kubectl.namespace()
    );
    if let Some(running) = history.running() {
        text += &format!("  release   {}\n", line(running));
        if running.body.version != version && deployment.is_some() {
            text += &format!(
                "  warning   release {} brought {}: somebody changed the image since\n",
                running.number, running.body.version
            );
        }
    } else {
        text += "  release   none that was deployed by shipcat\n";
    }
    if let Some(newest) = history.newest().filter(|newest| newest.outcome != Outcome::Deployed) {
        let why = newest.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        text += &format!("  last      {}, {}{why}\n", line(newest), newest.outcome);
    }
    context.ui.product(&text)?;
    Ok(exit)
}

/// A release in a line.
fn line(release: &Release) -> String {
    let since = Timestamp::now().duration_since(release.body.started);
    let age = ago(std::time::Duration::try_from(since).unwrap_or_default());
    let git = release.body.git.as_ref().map(|git| format!(", manifests {}", git.short())).unwrap_or_default();
    format!(
        "{} ({}, version {}) by {}, {age}{git}",
        release.number, release.body.command, release.body.version, release.body.who
    )
}

/// How it is at this moment.
fn health(picture: &Picture, deployment: &Object) -> (String, Exit) {
    let goal = Goal {
        uid: deployment.uid().to_owned(),
        generation: deployment.number("/metadata/generation").unwrap_or_default(),
        template: deployment.json().pointer("/spec/template").cloned().unwrap_or_default(),
        words: ("new", "old"),
        rendered: Vec::new(),
    };
    // A look lasts no time: nothing has to settle under our eyes.
    let limits = Limits { settle: std::time::Duration::ZERO, ..Limits::default() };
    match judge(picture, &goal, &mut Memory::baseline(picture, true), &limits, Instant::now()) {
        Verdict::Good => {
            let pods = deployment.number("/spec/replicas").and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
            (format!("well, {} ready", count(pods, "pod")), Exit::Done)
        }
        Verdict::Waiting(line, _) => (format!("not well, or on its way: {line}"), Exit::No),
        Verdict::Doomed(findings) => {
            let lines: Vec<String> = folded(&findings).into_iter().map(|(_, line)| line).collect();
            (format!("broken: {}", lines.join("\n            ")), Exit::No)
        }
        Verdict::Superseded(why) => (why, Exit::No),
    }
}
