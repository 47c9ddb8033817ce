//! `history`: the releases of a service.

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};

use super::report::Answer;
use super::{Context, complete};
use crate::error::Exit;
use crate::release::{History, Release};
use crate::ui::table;

/// The arguments of `history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE", add = ArgValueCompleter::new(complete::services))]
    service: String,
    #[command(flatten)]
    pub answer: Answer,
}

/// Runs it.
///
/// # Errors
/// If the records cannot be read.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let manifest = context.manifest(&args.service);
    let kubectl = context.kubectl()?;
    kubectl.reach()?;
    let history = History::read(&kubectl, &args.service, &false.into())?;
    if history.newest().is_none() {
        // There is no such service, and there never was.
        manifest?;
    }
    if args.answer.is_json() {
        let releases: Vec<Value> = history.0.iter().map(as_json).collect();
        let environment = context.environment.name.as_ref();
        let value = json!({"version": 1, "environment": environment, "service": args.service, "releases": releases});
        context.report.answer(value);
        return Ok(Exit::Done);
    }
    let head =
        ["RELEASE", "OUTCOME", "VERSION", "FROM", "CHANGE", "COMMAND", "TESTS", "WHEN", "TOOK", "WHO", "MANIFESTS", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for release in &history.0 {
        let body = &release.body;
        let more = [release.message.clone(), body.build.clone()];
        rows.push(vec![
            release.number.to_string(),
            release.outcome.to_string(),
            body.version.clone(),
            body.former.clone().unwrap_or_else(|| "-".into()),
            if body.nature.is_empty() { "-".into() } else { body.nature.join(", ") },
            body.command.clone(),
            release.tests.as_ref().map_or_else(|| "-".into(), crate::bdd::Summary::short),
            body.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            release.finished.map_or_else(|| "-".into(), |finished| took(finished.duration_since(body.started))),
            body.who.clone(),
            body.git.as_ref().map_or_else(|| "-".into(), crate::git::GitState::short),
            more.into_iter().flatten().collect::<Vec<_>>().join("   "),
        ]);
    }
    context.ui.product(&table(&rows))?;
    Ok(Exit::Done)
}

/// A release, for programs.
pub fn as_json(release: &Release) -> Value {
    let body = &release.body;
    json!({
        "number": release.number,
        "outcome": release.outcome.word(),
        "message": release.message,
        "tests": release.tests,
        "version": body.version,
        "former": body.former,
        "nature": body.nature,
        "command": body.command,
        "who": body.who,
        "build": body.build,
        "git": body.git,
        "started": body.started.to_string(),
        "finished": release.finished.map(|finished| finished.to_string()),
    })
}

fn took(duration: jiff::SignedDuration) -> String {
    crate::ui::seconds(std::time::Duration::try_from(duration).unwrap_or_default())
}
