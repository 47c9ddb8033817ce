//! `validate`: every check that needs no cluster, for one service or all, in one environment or all; with `--server` the API
//! server's dry run as well.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};

use super::report::{Answer, Report, problem};
use super::survey::{Made, Selection, survey};
use super::{Global, complete, connect};
use crate::error::{Exit, Problem, Problems, count};
use crate::manifest::{Environment, Repo};
use crate::render::Templates;
use crate::ui::{Tone, Ui};

/// The arguments of `validate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services [default: all]
    #[arg(value_name = "SERVICE", add = ArgValueCompleter::new(complete::services))]
    services: Vec<String>,
    /// Every service; this is the default
    #[arg(long, conflicts_with = "services")]
    all: bool,
    /// Ask each environment's API server as well, by a dry run that stores nothing
    #[arg(long)]
    server: bool,
    #[command(flatten)]
    pub answer: Answer,
}

/// Runs it: code 1 if anything is wrong with the files.
///
/// # Errors
/// If it cannot be told: no repo, no such service or environment, or with `--server` no cluster.
pub fn run(global: &Global, args: &Args, ui: &Ui, report: &Report) -> Result<Exit> {
    let repo = match Repo::read(global.root()?) {
        Ok(repo) => repo,
        Err(error) => return problems_only(error, ui, report),
    };
    let environments: Vec<Environment> = match &global.environment {
        Some(name) => vec![repo.environment(Some(name))?],
        None => repo.environments.values().cloned().collect(),
    };
    let templates = match Templates::new(&repo.templates, &repo.sources) {
        Ok(templates) => templates,
        Err(problems) => {
            return problems_only(Problems::new(problems, &repo.sources).unwrap_or_default().into(), ui, report);
        }
    };
    let selection = Selection { services: args.services.clone(), all: args.services.is_empty() };
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let mut services = BTreeSet::new();
    let mut nowhere = None;
    for environment in &environments {
        let mut environment = environment.clone();
        if args.server && environment.kubernetes.is_none() {
            let kubectl = connect(&environment, &global.way, ui)?;
            environment.kubernetes = kubectl.minor().map_err(|error| {
                error.refused(&format!("the cluster of context `{}` does not answer", kubectl.context()))
            })?;
        }
        let environment = &environment;
        let mut found = match survey(&repo, environment, &templates, &selection, &|_| None) {
            Ok(found) => found,
            // With all environments, a service or a whole environment may be left out.
            Err(error) if environments.len() > 1 => {
                nowhere = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        if args.server {
            ask(environment, global, &found.made, &mut found.errors, ui)?;
        }
        services.extend(found.names);
        errors.push((environment.name.to_string(), found.errors));
        warnings.push((environment.name.to_string(), found.warnings));
    }
    if let (true, Some(error)) = (errors.is_empty(), nowhere) {
        return Err(error);
    }
    let (errors, warnings) = (Problems::by_environment(errors), Problems::by_environment(warnings));
    for (tone, list) in [(Tone::Warn, &warnings), (Tone::Plain, &errors)] {
        if !list.is_empty() {
            ui.say(tone, format!("{list}\n\n"));
        }
    }
    let how_many = services.len();
    let names = environments.iter().map(|environment| environment.name.to_string()).collect();
    report.answer(as_json(names, services.into_iter().collect(), &errors, &warnings));
    let scope = format!("{} in {}", count(how_many, "service"), count(environments.len(), "environment"));
    let more = if warnings.is_empty() { String::new() } else { format!(", {}", count(warnings.len(), "warning")) };
    Ok(if errors.is_empty() {
        ui.say(Tone::Good, format!("{scope}: nothing wrong{more}"));
        Exit::Done
    } else {
        ui.say(Tone::Bad, format!("{scope}: {}{more}", count(errors.len(), "problem")));
        Exit::No
    })
}

/// What is wrong with `shipcat.yml` itself is an answer too.
fn problems_only(error: anyhow::Error, ui: &Ui, report: &Report) -> Result<Exit> {
    let problems = error.downcast::<Problems>()?;
    report.answer(as_json(Vec::new(), Vec::new(), &problems, &Problems::default()));
    ui.say(Tone::Plain, format!("{problems}\n\n"));
    ui.say(Tone::Bad, format!("the repo itself: {}", count(problems.len(), "problem")));
    Ok(Exit::No)
}

/// For programs.
fn as_json(environments: Vec<String>, services: Vec<String>, errors: &Problems, warnings: &Problems) -> Value {
    let list = |problems: &Problems| problems.all().map(problem).collect::<Vec<_>>();
    json!({
        "version": 1,
        "isGood": errors.is_empty(),
        "environments": environments,
        "services": services,
        "errors": list(errors),
        "warnings": list(warnings),
    })
}

/// The API server's word on each service.
fn ask(environment: &Environment, global: &Global, made: &[Made], errors: &mut Problems, ui: &Ui) -> Result<()> {
    let kubectl = connect(environment, &global.way, ui)?;
    kubectl.reach()?;
    // Each is a request for each of its objects.
    for service in made {
        if let Err(error) = kubectl.dry_run(&service.objects, &AtomicBool::new(false)) {
            let problem =
                Problem::at(service.place, format!("the API server would not take `{}`: {}", service.name, error.said));
            let hint = format!("`shipcat generate -n {} {}` shows what is sent", environment.name, service.name);
            errors.add("error", &[problem.hint(hint)], &service.sources);
        }
    }
    Ok(())
}
