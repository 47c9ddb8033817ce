//! `ship`: image and configuration as one transaction; with `--image-only` the image alone. One service, or several under one lock.

use std::collections::BTreeMap;
use std::sync::Once;

use anyhow::{Result, anyhow, bail};
use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;

use super::launch::{How, launch};
use super::locked::{Errand, Prepared, locked};
use super::look::Look;
use super::notify::{Notes, Notify};
use super::options::{Boldness, Patience};
use super::order::{self, Order};
use super::report::Asked;
use super::suite::{Tests, obstacles};
use super::target::{Company, Target, manifests};
use super::{Context, checkout, complete, consent, pending, story};
use crate::error::{Exit, Failure, Problems, count, join_and};
use crate::git::{self, Commit};
use crate::kubectl::Kubectl;
use crate::manifest::{Manifest, Recording, ServiceName, Version};
use crate::release::{self, Finding, Plan, Reading, Road, Running, Wanted};
use crate::ui::Tone;

/// The arguments of `ship`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services, each with the version to ship where it is not the manifest's: `webapp`, `webapp=1.4.2`
    #[arg(value_name = "SERVICE[=VERSION]", add = ArgValueCompleter::new(complete::services), required_unless_present = "all")]
    services: Vec<Target>,
    /// Every service of the environment
    #[arg(long, conflicts_with = "services")]
    all: bool,
    /// The version to ship, a tag or a digest; for one service [default: the manifest's, else the one that runs]
    #[arg(long, value_name = "VERSION")]
    tag: Option<Version>,
    /// Ship the image alone: the configuration stays as it runs, also where the manifest has another
    #[arg(long)]
    image_only: bool,
    /// Replace all pods, also where nothing differs
    #[arg(long)]
    restart: bool,
    /// Write the shipped version into the environment's file of the service
    #[arg(long)]
    record: bool,
    /// Commit the file that `--record` writes, and nothing else; never pushes
    #[arg(long, requires = "record")]
    commit: bool,
    #[command(flatten)]
    company: Company,
    #[command(flatten)]
    boldness: Boldness,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    tests: Tests,
    #[command(flatten)]
    notify: Notify,
    #[command(flatten)]
    pub asked: Asked,
}

impl Args {
    /// The services that were named, with their versions.
    fn targets(&self) -> Result<Vec<Target>> {
        let Some(tag) = &self.tag else { return Ok(self.services.clone()) };
        match self.services.as_slice() {
            [Target { service, tag: None }] => Ok(vec![Target { service: service.clone(), tag: Some(tag.clone()) }]),
            [Target { service, tag: Some(_) }] => {
                bail!(Failure::refused(format!("`{service}` is given two versions")).hint("say one of them"))
            }
            _ => bail!(
                Failure::refused("`--tag` is for one service")
                    .hint("say each service's version beside it: `shipcat ship a=1.2 b=3.4`")
            ),
        }
    }
}

/// Runs it.
///
/// # Errors
/// If it cannot be done; nothing was changed then.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let targets = args.targets()?;
    args.tests.check(&context.environment)?;
    consent::all_at_once(&context.environment, args.all, args.boldness.yes)?;
    let manifests = manifests(&context, &targets)?;
    let kubectl = rehearsing(context.kubectl()?, args.boldness.dry_run);
    let said = |(manifest, tag): &(Manifest, Option<Version>)| {
        let version = tag.clone().or_else(|| manifest.version());
        format!("{}{}", manifest.service, version.map(|version| format!(" {version}")).unwrap_or_default())
    };
    let what = match manifests.as_slice() {
        several if several.len() > 3 => format!("ship {}", count(several.len(), "service")),
        few => format!("ship {}", join_and(&few.iter().map(said).collect::<Vec<_>>())),
    };
    let services: Vec<&str> = manifests.iter().map(|(manifest, _)| manifest.service.as_ref()).collect();
    let told = Once::new();
    let prepare = || prepare(&context, &kubectl, manifests.clone(), args, &told);
    let go = |prepared: Vec<Prepared>, notes: &Notes| go(&context, &kubectl, prepared, args, notes);
    let errand = Errand {
        services: &services,
        what: &what,
        patience: &args.patience,
        rehearse: args.boldness.dry_run,
        notify: args.notify,
    };
    locked(&context, &kubectl, &errand, prepare, go)
}

/// Reads and renders what is needed.
fn prepare(
    context: &Context,
    kubectl: &Kubectl<'_>,
    mut manifests: Vec<(Manifest, Option<Version>)>,
    args: &Args,
    told: &Once,
) -> Result<Vec<Prepared>> {
    let mut runs = running_where_needed(kubectl, &manifests)?;
    let (mut orders, mut recordings, mut suites) = (Vec::new(), Vec::new(), Vec::new());
    let now = Timestamp::now().strftime("%FT%TZ").to_string();
    let mut problems = Problems::default();
    for (manifest, tag) in &mut manifests {
        let service = manifest.service.to_string();
        let (version, from) = order::choose(manifest, tag.as_ref(), || runs.remove(&service).unwrap_or_default())?;
        recordings.push(args.record.then(|| recording(context, manifest, &version, args.commit)).transpose()?);
        let rendered = match order::rendered(context, kubectl, manifest, &version) {
            // What is wrong with any of them is told in one go.
            Err(error) if error.downcast_ref::<Problems>().is_some() => {
                problems.add_error(error);
                continue;
            }
            other => other?,
        };
        suites.push(args.tests.suite(manifest, &version)?);
        let command = if args.image_only { "ship --image-only" } else { "ship" };
        let (command, objects, images_only) = (command.into(), rendered.objects, args.image_only);
        let restart = args.restart.then(|| now.clone());
        orders.push(Order { service, version, from, command, objects, images_only, restart });
    }
    if !problems.is_empty() {
        bail!(problems);
    }
    order::apart(&orders)?;
    let what = if args.image_only { "the image of " } else { "" };
    let heading = match orders.as_slice() {
        [one] => format!("shipping {what}{} {}", one.service, one.version),
        several => format!("shipping {what}{}", count(several.len(), "service")),
    };
    told.call_once(|| story::heading(&heading, &context.environment, kubectl, &context.ui));
    let (readings, git, obstacles) = std::thread::scope(|scope| {
        let git = scope.spawn(|| checkout::state(context));
        let obstacles = scope.spawn(|| obstacles(context, kubectl, &suites, args.boldness.dry_run));
        (read(kubectl, &orders), git.join().unwrap_or_default(), obstacles.join())
    });
    let mut prepared = Vec::new();
    let tests = suites.into_iter().zip(obstacles.map_err(|_| unseen())?);
    for ((((order, reading), (manifest, _)), recording), (suite, obstacles)) in
        orders.into_iter().zip(readings?).zip(&mut manifests).zip(recordings).zip(tests)
    {
        let mut look = Look::new(order, reading, kubectl, args.boldness.adopt);
        look.findings.extend(order::older_file(&look.reading, &look.order));
        look.findings.extend(checkout::findings(context, git.as_ref(), &look.reading.history));
        if args.image_only {
            look.findings.extend(images_refused(kubectl, &look));
        } else if !context.environment.ships_config {
            look.findings.extend(pending::refusal(context, kubectl, manifest, &look)?);
        }
        if !look.is_nothing() {
            look.findings.extend(obstacles);
        }
        prepared.push(Prepared { look, git: git.clone(), recording, suite });
    }
    Ok(prepared)
}

/// What runs of those services of which neither the command line nor a file says a version.
fn running_where_needed(
    kubectl: &Kubectl<'_>,
    manifests: &[(Manifest, Option<Version>)],
) -> Result<BTreeMap<String, Running>> {
    let open = manifests.iter().filter(|(manifest, tag)| tag.is_none() && manifest.version().is_none());
    let open: Vec<&str> = open.map(|(manifest, _)| manifest.service.as_ref()).collect();
    if open.is_empty() {
        return Ok(BTreeMap::new());
    }
    let runs = running(kubectl, &open)?;
    Ok(open.into_iter().map(str::to_owned).zip(runs).collect())
}

/// A version that is to be written, looked at before anything is changed.
///
/// # Errors
/// If it cannot be written, or not be committed where that is asked for.
pub fn recording(context: &Context, manifest: &Manifest, version: &Version, commit: bool) -> Result<Recording> {
    let recording = Recording::prepare(&context.repo.root, manifest, version)?;
    if commit && recording.is_needed() {
        git::can_commit(&context.repo.root, &recording.shown).map_err(|why| {
            Failure::refused(format!("the version could not be committed: {why}"))
                .hint("mend that first, or leave `--commit` away")
        })?;
    }
    Ok(recording)
}

/// Ships them, and keeps their versions where that is asked for.
fn go(
    context: &Context,
    kubectl: &Kubectl<'_>,
    mut prepared: Vec<Prepared>,
    args: &Args,
    notes: &Notes,
) -> Result<Exit> {
    let recordings: Vec<Option<Recording>> = prepared.iter_mut().map(|one| one.recording.take()).collect();
    let (patience, boldness, company) = (&args.patience, &args.boldness, args.company);
    let how = How { patience, boldness, company, junit: args.tests.options.junit.as_deref(), notes };
    let mut outcomes = launch(context, kubectl, prepared, how, |orders| read(kubectl, orders))?;
    for (outcome, recording) in outcomes.iter_mut().zip(recordings) {
        if let (Exit::Done, Some(mut recording)) = (outcome.exit, recording) {
            let message = format!("{} {} in {}", outcome.service, outcome.version, context.environment.name);
            (outcome.exit, outcome.behind) = record(context, &mut recording, args, &message);
        }
    }
    Ok(context.report.became(outcomes))
}

/// Keeps the version that runs now. The ship is done: what goes wrong here takes nothing back.
fn record(
    context: &Context,
    recording: &mut Recording,
    args: &Args,
    message: &str,
) -> (Exit, Option<(&'static str, String)>) {
    let ui = &context.ui;
    if args.boldness.dry_run && recording.is_needed() {
        ui.say(Tone::Dim, format!("`{}` would get the version", recording.shown.display()));
        return (Exit::Done, None);
    }
    let Err(why) = write(context, recording, args.commit, message) else { return (Exit::Done, None) };
    ui.say(Tone::Bad, format!("error: it is shipped, and {why}"));
    ui.say(
        Tone::Plain,
        format!("hint: write it there by hand, or the next ship may take it back; the commit would be \"{message}\""),
    );
    (Exit::Person, Some(("recording", why)))
}

/// Writes a version into the environment's file, and commits that.
///
/// # Errors
/// Why it could not be done.
pub fn write(context: &Context, recording: &mut Recording, commit: bool, message: &str) -> Result<(), String> {
    let (ui, file) = (&context.ui, recording.shown.display().to_string());
    if !recording.is_needed() {
        ui.say(Tone::Dim, "the files say this version already");
        return Ok(());
    }
    let committed = recording.write().map_err(|error| format!("{error:#}")).and_then(|()| {
        if commit { git::commit(&context.repo.root, &recording.shown, message).map(Some) } else { Ok(None) }
    });
    let commit = committed.map_err(|why| format!("the version could not be recorded in `{file}`: {why}"))?;
    let how = commit.map(|commit| committed_as(&commit)).unwrap_or_default();
    ui.say(Tone::Plain, format!("`{file}` has the version now{how}"));
    Ok(())
}

/// How a commit is told.
fn committed_as(commit: &Commit) -> String {
    let Commit { revision, is_detached } = commit;
    let where_to = if *is_detached { " and on no branch: git push origin HEAD:BRANCH" } else { "" };
    format!(", committed as {revision} (not pushed{where_to})")
}

/// Reads what orders need, in their order.
///
/// # Errors
/// As [`Reading::take_all`].
pub fn read(kubectl: &Kubectl<'_>, orders: &[Order]) -> Result<Vec<Reading>> {
    let wanted = orders.iter().map(|order| Wanted {
        service: &order.service,
        objects: &order.objects,
        is_applied: !order.images_only,
    });
    Reading::take_all(kubectl, &wanted.collect::<Vec<_>>())
}

/// The same for one.
///
/// # Errors
/// As [`Reading::take_all`].
pub fn read_one(kubectl: &Kubectl<'_>, order: &Order) -> Result<Reading> {
    read(kubectl, std::slice::from_ref(order))?.pop().ok_or_else(|| anyhow!("shipcat itself failed: nothing was read"))
}

/// What runs of some services.
///
/// # Errors
/// If the cluster does not answer, or may not be read.
pub fn running(kubectl: &Kubectl<'_>, services: &[&str]) -> Result<Vec<Running>> {
    kubectl.reach()?;
    release::running(kubectl, services)
}

/// What to say where the look at tests broke off.
pub fn unseen() -> anyhow::Error {
    anyhow!("shipcat itself failed while it saw whether the tests can be run")
}

/// The name of a service that may have no manifest any more.
///
/// # Errors
/// If it cannot be one.
pub fn service_name(text: &str) -> Result<ServiceName> {
    text.parse().map_err(|message: String| {
        let (message, hint) = message.split_once('\n').unwrap_or((&message, ""));
        Failure::refused(message).hint(hint).into()
    })
}

/// kubectl, or one that only notes what it would change.
pub fn rehearsing(kubectl: Kubectl<'_>, rehearse: bool) -> Kubectl<'_> {
    if rehearse { kubectl.rehearsing() } else { kubectl }
}

/// Why images alone cannot be moved: nothing runs, or the API server would not take them.
fn images_refused(kubectl: &Kubectl<'_>, look: &Look) -> Vec<Finding> {
    let Plan { road, .. } = &look.plan;
    if !look.reading.live.iter().any(release::has_images) {
        let Order { service, .. } = &look.order;
        let what = format!("`{service}` does not run: there is no configuration to keep");
        return vec![Finding::refusal(what, "ship it whole, without `--image-only`")];
    }
    let Road::SetImage(all) = road else { return Vec::new() };
    let refused = |error: crate::kubectl::KubectlError| {
        let Failure { message, hints, .. } = error.refused("the API server would not take the image");
        Finding::refusal(message, hints.join("; "))
    };
    let ask = |images: &release::Images| kubectl.try_image(&images.object, &images.images).err().map(refused);
    all.iter().filter_map(ask).collect()
}
