//! `list`: the services by environments, and what runs of each.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::json;

use super::report::{Answer, Report};
use super::{Global, Ground, Way, connect};
use crate::error::Exit;
use crate::manifest::{Environment, Loading};
use crate::release::{self, Outcome, Running};
use crate::threads;
use crate::ui::{Tone, Ui, ago, table};

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub answer: Answer,
}

/// What is known of the services of one environment.
struct Column {
    environment: Environment,
    /// The services whose manifests are for it, each with the version that its file says.
    meant: BTreeMap<String, Option<String>>,
    /// What runs of each, and of those that were shipped once and have no manifest any more; or why it is not known.
    runs: Result<BTreeMap<String, Running>>,
}

/// Runs it: of one environment in detail, without one of all of them.
///
/// # Errors
/// If the repo cannot be read; or the one environment that was named.
pub fn run(global: &Global, ui: Ui, args: &Args, report: &Report) -> Result<Exit> {
    let ground = Ground::resolve(global, ui)?;
    let environments: Vec<Environment> = match &ground.environment {
        Some(one) => vec![one.clone()],
        None => ground.repo.environments.values().cloned().collect(),
    };
    let services = ground.repo.services()?;
    let mut columns = threads::each(&environments, |environment| column(&ground, environment, &services, &global.way));
    if let [one] = columns.as_mut_slice()
        && one.runs.is_err()
    {
        std::mem::replace(&mut one.runs, Ok(BTreeMap::new()))?;
    }
    for column in &columns {
        if let Err(why) = &column.runs {
            let name = &column.environment.name;
            ground.ui.say(Tone::Warn, format!("warning: what runs in {name} is not known: {why:#}"));
        }
    }
    if args.answer.is_json() {
        let all: Vec<serde_json::Value> = columns.iter().map(as_json).collect();
        report.answer(json!({"version": 1, "environments": all}));
        return Ok(Exit::Done);
    }
    let rows = if let [one] = columns.as_slice() { details(one) } else { matrix(&columns) };
    ground.ui.product(&table(&rows)).context("cannot write to stdout")?;
    Ok(Exit::Done)
}

fn column(ground: &Ground, environment: &Environment, services: &[String], way: &Way) -> Column {
    let here = |name: &String| match ground.repo.load(name, environment) {
        Loading::Here(manifest, _) => Some((name.clone(), manifest.version().map(|version| version.to_string()))),
        Loading::Broken(_) => Some((name.clone(), None)),
        Loading::Elsewhere(_) => None,
    };
    let meant: BTreeMap<String, Option<String>> = services.iter().filter_map(here).collect();
    let runs = runs(ground, environment, meant.keys().cloned().collect(), way);
    Column { environment: environment.clone(), meant, runs }
}

fn runs(
    ground: &Ground,
    environment: &Environment,
    mut names: BTreeSet<String>,
    way: &Way,
) -> Result<BTreeMap<String, Running>> {
    let kubectl = connect(environment, way, &ground.ui)?;
    kubectl.reach()?;
    // What was shipped and has no manifest any more runs all the same.
    names.extend(release::History::read_everything(&kubectl)?.read.into_keys());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let runs = release::running(&kubectl, &names)?;
    Ok(names.into_iter().map(str::to_owned).zip(runs).collect())
}

impl Column {
    fn names(&self) -> impl Iterator<Item = &String> {
        self.meant.keys().chain(self.runs.iter().flat_map(|runs| runs.keys()))
    }

    fn running(&self, service: &str) -> Option<&Running> {
        self.runs.as_ref().ok()?.get(service)
    }

    /// The release that is under way, or whose run died in the middle: what is live may be some of both.
    fn pending(&self, service: &str) -> Option<u32> {
        let newest = self.running(service)?.history.newest()?;
        (newest.outcome == Outcome::Pending).then_some(newest.number)
    }

    /// The version that runs, in a word.
    fn version(&self, service: &str) -> String {
        match self.running(service) {
            None if self.runs.is_err() => "?".into(),
            running => running.and_then(|running| running.version.clone()).unwrap_or_else(|| "-".into()),
        }
    }
}

/// All environments: a row a service, the version that runs in each.
fn matrix(columns: &[Column]) -> Vec<Vec<String>> {
    let names: BTreeSet<&String> = columns.iter().flat_map(Column::names).collect();
    let head = columns.iter().map(|column| column.environment.name.to_string().to_uppercase());
    let mut rows = vec![std::iter::once("SERVICE".to_owned()).chain(head).collect::<Vec<_>>()];
    for name in names {
        let cell = |column: &Column| match column.meant.contains_key(name) {
            true if column.pending(name).is_some() => format!("{} (pending)", column.version(name)),
            true => column.version(name),
            // Not meant for it: nothing, unless it runs there all the same.
            false => Some(column.version(name)).filter(|version| version != "-").unwrap_or_default(),
        };
        rows.push(std::iter::once(name.clone()).chain(columns.iter().map(cell)).collect());
    }
    rows
}

/// One environment: a row a service, with what its file says and who shipped it.
fn details(column: &Column) -> Vec<Vec<String>> {
    let head = ["SERVICE", "MANIFEST", "RUNS", "RELEASE", "WHEN", "BY"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for name in column.names().collect::<BTreeSet<_>>() {
        let said = match column.meant.get(name) {
            Some(version) => version.clone().unwrap_or_else(|| "-".into()),
            None => "none".into(),
        };
        let release = column.running(name).and_then(|running| running.history.running());
        let pending = column.pending(name).map(|number| format!(" ({number} pending)")).unwrap_or_default();
        let (number, when, who) = match release {
            Some(release) => {
                let since = Timestamp::now().duration_since(release.body.started);
                let age = ago(std::time::Duration::try_from(since).unwrap_or_default());
                let gone = if release::is_end(release) { " (removed)" } else { "" };
                (format!("{}{gone}{pending}", release.number), age, release.body.who.clone())
            }
            None => (format!("-{pending}"), "-".into(), "-".into()),
        };
        rows.push(vec![name.clone(), said, column.version(name), number, when, who]);
    }
    rows
}

fn as_json(column: &Column) -> serde_json::Value {
    let services: Vec<serde_json::Value> = column
        .names()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|name| {
            let running = column.running(name);
            let release = running.and_then(|running| running.history.running());
            json!({
                "service": name, "manifest": column.meant.get(name), "inRepo": column.meant.contains_key(name),
                "version": running.and_then(|running| running.version.clone()),
                "release": release.map(|release| release.number), "pending": column.pending(name), "removed": release.is_some_and(release::is_end),
                "by": release.map(|release| release.body.who.clone()),
                "at": release.map(|release| release.body.started.to_string())})
        })
        .collect();
    let why = column.runs.as_ref().err().map(|why| format!("{why:#}"));
    json!({"environment": column.environment.name.to_string(), "unknown": why, "services": services})
}
