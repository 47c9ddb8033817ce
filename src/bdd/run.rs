//! A run of tests from its start to its verdict, whatever runs it.

use std::path::PathBuf;
use std::time::Duration;

use super::engine::Engine;
use super::fetched::{self, Fetched};
use super::job::Going;
use super::suite::{Runner, Suite};
use super::summary::Summary;
use super::{container, job};
use crate::junit::{Found, Verdict, judge};
use crate::kubectl::Kubectl;
use crate::ui::{Tone, Ui, seconds};

/// What a run of tests needs beside its suite.
pub struct Means<'a> {
    /// The cluster, where the cluster runs them.
    pub kubectl: &'a Kubectl<'a>,
    /// The way to people.
    pub ui: &'a Ui,
    /// Whether they are of no use any more: a signal came, or the lock is lost.
    pub halted: &'a (dyn Fn() -> bool + Sync),
    /// The folder that keeps the JUnit files.
    pub keep: Option<PathBuf>,
}

/// How a run came to its end.
#[derive(Debug)]
pub enum Trial {
    /// By itself.
    Ended {
        /// The exit code.
        exit: i32,
        /// What it left.
        fetched: Fetched,
    },
    /// Its time was over.
    Late(Fetched),
    /// It was of no use any more.
    Halted,
}

/// What came of a run.
#[derive(Debug)]
pub enum Ran {
    /// It was judged.
    Judged(Summary),
    /// It was of no use any more, and was stopped.
    Halted,
}

/// Runs the tests and tells how it went. What ran them is not at work any more when this comes back; but where they are of no use, a Job
/// may still be going: that is left to the caller, who has something more urgent to do.
///
/// # Errors
/// Why they could not be run.
pub fn run(suite: &Suite, means: &Means<'_>) -> (Result<Ran, String>, Option<Going>) {
    means.ui.say(Tone::Plain, format!("testing {} with {}", suite.service, suite.image));
    let (trial, going) = match suite.runner {
        Runner::Job => job::run(suite, means),
        runner => (in_a_container(runner, suite, means), None),
    };
    (trial.map(|(trial, took)| judged(trial, took, suite, means)), going)
}

fn in_a_container(runner: Runner, suite: &Suite, means: &Means<'_>) -> Result<(Trial, Duration), String> {
    let engine = Engine::find(runner, means.ui).map_err(|failure| failure.message)?;
    // Pulled it was before the change; a release that is recovered may be on another machine.
    if !engine.has(suite, means.ui) {
        engine.provide(suite, || !(means.halted)(), means.ui).map_err(|failure| failure.message)?;
    }
    container::run(&engine, suite, means)
}

fn judged(trial: Trial, took: Duration, suite: &Suite, means: &Means<'_>) -> Ran {
    let ui = means.ui;
    let (exit, stopped, fetched) = match trial {
        Trial::Halted => return Ran::Halted,
        Trial::Ended { exit, fetched } => (exit, None, fetched),
        Trial::Late(fetched) => {
            let limit = seconds(suite.timeout);
            (0, Some(format!("the tests were not done within {limit} and were stopped")), fetched)
        }
    };
    let Fetched { files, lost, aside } = fetched;
    if let Some(folder) = &means.keep {
        fetched::keep(&files, folder, ui);
    }
    let verdict = judge(&Found { exit, stopped, path: suite.junit.clone(), files, lost, aside });
    tell(&verdict, suite, &seconds(took), ui);
    Ran::Judged(Summary::of(&verdict, &suite.image, took))
}

/// How many failing cases are told in full.
const TOLD: usize = 10;

fn tell(verdict: &Verdict, suite: &Suite, took: &str, ui: &Ui) {
    for aside in &verdict.aside {
        ui.say(Tone::Dim, format!("  {aside}"));
    }
    let service = &suite.service;
    if verdict.passed() {
        ui.say(Tone::Good, format!("the tests of {service} passed after {took}: {}", verdict.totals()));
        return;
    }
    let totals = if verdict.cases > 0 { format!(" ({})", verdict.totals()) } else { String::new() };
    ui.say(Tone::Bad, format!("the tests of {service} failed after {took}: {}{totals}", verdict.why.join("; ")));
    for failing in verdict.failing.iter().take(TOLD) {
        ui.say(Tone::Bad, format!("  {}", failing.name));
        if !failing.message.is_empty() {
            ui.say(Tone::Plain, format!("    {}", failing.message));
        }
    }
    if verdict.failing.len() > TOLD {
        ui.say(Tone::Dim, format!("  and {} more", verdict.failing.len() - TOLD));
    }
}
