//! `test`: the BDD tests of services, for the versions that run, under the lock.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::locked::{Queueing, held};
use super::notify::{Notes, Notify};
use super::order;
use super::refusal::refuse;
use super::report::Asked;
use super::ship::running;
use super::suite::{Options, obstacles};
use super::target::{Target, manifests};
use super::{Context, story};
use crate::bdd::{Suite, Summary};
use crate::error::{Exit, Failure, count, join_and};
use crate::kubectl::Kubectl;
use crate::manifest::{Manifest, Version};
use crate::origin::Origin;
use crate::release::{self, Outcome, Release, Running, Subject, Tested};
use crate::signal;
use crate::slack::{Kind, Note};
use crate::ui::{Tone, Ui};
use crate::yaml::Object;

/// The arguments of `test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services
    #[arg(value_name = "SERVICE", required_unless_present = "all")]
    services: Vec<String>,
    /// Every service of the environment that has tests
    #[arg(long, conflicts_with = "services")]
    all: bool,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    queueing: Queueing,
    #[command(flatten)]
    notify: Notify,
    #[command(flatten)]
    pub asked: Asked,
}

/// A service that is tested.
struct Subjected {
    manifest: Manifest,
    version: Version,
    running: Running,
    suite: Suite,
}

/// What came of one service.
#[derive(Debug)]
pub struct Verdict {
    /// The service.
    pub service: String,
    /// The version that runs.
    pub version: String,
    /// How it ended.
    pub exit: Exit,
    /// `passed`, `failed`, `void`, ...
    pub verdict: &'static str,
    /// Why they did not pass.
    pub why: Option<String>,
    /// What they said, where they were judged.
    pub tests: Option<Summary>,
}

/// Runs it: 0 if all passed, 1 if some failed, 5 if a verdict is void.
///
/// # Errors
/// If they cannot be run; nothing was changed then.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let targets = args.services.iter().map(|service| Target { service: service.clone(), tag: None });
    let manifests = manifests(&context, &targets.collect::<Vec<_>>())?;
    let mut manifests: Vec<Manifest> = manifests.into_iter().map(|(manifest, _)| manifest).collect();
    let has_tests = |manifest: &Manifest| manifest.value["tests"].is_object();
    if args.all {
        manifests.retain(has_tests);
    }
    if let Some(without) = manifests.iter().find(|manifest| !has_tests(manifest)) {
        let what = format!("`{}` has no tests in {}", without.service, context.environment.name);
        bail!(
            Failure::refused(what).hint("say which in `tests` of shipcat.yml, of the environment, or of its manifest")
        );
    }
    if manifests.is_empty() {
        let what = format!("no service has tests in {}", context.environment.name);
        bail!(Failure::refused(what).hint("say which in `tests` of shipcat.yml"));
    }
    let kubectl = context.kubectl()?;
    let names: Vec<String> = manifests.iter().map(|manifest| manifest.service.to_string()).collect();
    let what = match names.as_slice() {
        several if several.len() > 3 => format!("test {}", count(several.len(), "service")),
        few => format!("test {}", join_and(few)),
    };
    story::heading(
        &format!("testing {}", what.trim_start_matches("test ")),
        &context.environment,
        &kubectl,
        &context.ui,
    );
    signal::listen()?;
    // What cannot be run is known before somebody waits for the lock.
    let subjects = subjects(&kubectl, &manifests, &args.options)?;
    let suites: Vec<Option<Suite>> = subjects.iter().map(|subject| Some(subject.suite.clone())).collect();
    let found: Vec<_> = obstacles(&context, &kubectl, &suites, false).into_iter().flatten().collect();
    if let Some(signal) = signal::received() {
        return Ok(super::locked::interrupted(signal, &context.ui));
    }
    refuse(&found)?;
    drop(subjects);
    let notes = Notes::default();
    let mut results = Vec::new();
    let exit = held(&context, &kubectl, &args.queueing, &what, || {
        let subjects = self::subjects(&kubectl, &manifests, &args.options)?;
        // From here on a signal stops the tests, and not what cleans up behind them.
        kubectl.stoppable(false);
        for subject in &subjects {
            results.push(one(&context, &kubectl, subject, args, &notes));
            if signal::received().is_some() || kubectl.lost().is_some() {
                break;
            }
        }
        Ok(Exit::worst(results.iter().map(|one| one.exit)))
    })?;
    if !results.is_empty() {
        context.report.answer(as_json(&context, &results));
    }
    context.report.tested(results);
    notes.send(&context, args.notify);
    Ok(exit)
}

/// What runs of the services, and their tests.
fn subjects(kubectl: &Kubectl<'_>, manifests: &[Manifest], options: &Options) -> Result<Vec<Subjected>> {
    let names: Vec<&str> = manifests.iter().map(|manifest| manifest.service.as_ref()).collect();
    let mut subjects = Vec::new();
    for (manifest, running) in manifests.iter().zip(running(kubectl, &names)?) {
        let service = &manifest.service;
        if let Some(newest) = running.history.newest().filter(|newest| newest.outcome == Outcome::Pending) {
            let what = format!(
                "release {} of `{service}` by {} never said how it ended: which version would be tested?",
                newest.number, newest.body.who
            );
            bail!(Failure::refused(what).hint(
                "wait if it is still at it; else the next ship, update or rollback of it completes it or takes it back"
            ));
        }
        let (version, _) = order::stays(&running).ok_or_else(|| {
            Failure::refused(format!("`{service}` does not run in {}: there is nothing to test", manifest.environment))
                .hint(format!("ship it first: shipcat ship -n {} {service}", manifest.environment))
        })?;
        let Some(suite) = options.suite(manifest, &version)? else { continue };
        subjects.push(Subjected { manifest: manifest.clone(), version, running, suite });
    }
    Ok(subjects)
}

/// Tests one.
fn one(context: &Context, kubectl: &Kubectl<'_>, subject: &Subjected, args: &Args, notes: &Notes) -> Verdict {
    let ui = &context.ui;
    let service = subject.manifest.service.to_string();
    let release = subject.running.history.running();
    let tested = match workloads(kubectl, &service, release) {
        Ok(workloads) => {
            let keep = args.options.junit.as_ref().map(|dir| dir.join(&service));
            let suite = &subject.suite;
            let (tested, going) = Subject { suite, workloads, keep, place: None, together: None }.test(kubectl, ui);
            if let Some(going) = going {
                going.wait(signal::insisted, kubectl, ui);
            }
            tested
        }
        Err(why) => Tested::NotRun(why),
    };
    let (exit, verdict, why) = match &tested {
        Tested::Judged(summary) if summary.passed => (Exit::Done, "passed", None),
        Tested::Judged(summary) => (Exit::No, "failed", Some(summary.why.join("; "))),
        Tested::Void(why) => (Exit::Person, "void", Some(format!("the verdict of the tests is void: {why}"))),
        Tested::Lockless(why) => (Exit::Person, "lockless", Some(format!("the tests were stopped: {why}"))),
        Tested::Interrupted(signal) => {
            (Exit::Interrupted(*signal), "interrupted", Some(format!("interrupted by {}", signal::name(*signal))))
        }
        Tested::Abandoned(why) | Tested::NotRun(why) => {
            (Exit::Refused, "not run", Some(format!("the tests of {service} could not be run: {why}")))
        }
    };
    tell(&tested, &why, &service, context);
    let tests = match tested {
        Tested::Judged(summary) => Some(summary),
        _ => None,
    };
    if let (Some(tests), Some(release)) = (&tests, release)
        && let Err(error) = release::note_tests(kubectl, release, tests)
    {
        let line = format!("warning: release {} does not say how its tests went: {}", release.number, error.said);
        ui.say(Tone::Warn, line);
    }
    let version = subject.version.to_string();
    if let Some(kind) = [(Exit::No, Kind::TestsFailed), (Exit::Person, Kind::NeedsPerson)]
        .into_iter()
        .find_map(|(one, kind)| (one == exit).then_some(kind))
    {
        let Origin { who, build } = Origin::here();
        notes.add(Note {
            kind,
            service: service.clone(),
            environment: context.environment.name.to_string(),
            from: None,
            to: version.clone(),
            nature: Vec::new(),
            who,
            build,
            why: why.clone(),
            tests: None,
            cases: tests.as_ref().map(Summary::named).unwrap_or_default(),
        });
    }
    Verdict { service, version, exit, verdict, why, tests }
}

/// Tells what the run itself did not tell.
fn tell(tested: &Tested, why: &Option<String>, service: &str, context: &Context) {
    let ui: &Ui = &context.ui;
    let why = why.as_deref().unwrap_or_default();
    match tested {
        Tested::Judged(_) => {}
        Tested::Void(_) | Tested::Lockless(_) => {
            ui.say(Tone::Bad, format!("error: {why}"));
            let name = &context.environment.name;
            ui.say(
                Tone::Plain,
                format!("hint: see what runs with `shipcat status -n {name} {service}`, then test again"),
            );
        }
        Tested::Interrupted(_) => {
            ui.say(Tone::Warn, format!("the tests of {service} were {why}: nothing is left to do"))
        }
        Tested::Abandoned(_) | Tested::NotRun(_) => ui.say(Tone::Bad, format!("error: {why}")),
    }
}

/// What the tests are about: the workloads of the release that runs; of a service that shipcat never shipped, the one of its name.
fn workloads(kubectl: &Kubectl<'_>, service: &str, release: Option<&Release>) -> Result<Vec<Object>, String> {
    match release {
        Some(release) => Ok(release.objects()),
        None => {
            let found = kubectl.all_named("deployment.apps,statefulset.apps,daemonset.apps", &[service]);
            found.map_err(|error| format!("what runs cannot be read: {}", error.said))
        }
    }
}

/// For programs.
fn as_json(context: &Context, results: &[Verdict]) -> Value {
    let one = |result: &Verdict| {
        json!({
            "service": result.service,
            "version": result.version,
            "verdict": result.verdict,
            "why": result.why,
            "tests": result.tests,
        })
    };
    json!({
        "version": 1,
        "environment": context.environment.name.as_ref(),
        "services": results.iter().map(one).collect::<Vec<_>>(),
    })
}
