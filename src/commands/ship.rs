//! `ship`: image and configuration as one transaction; with `--image-only` the image alone.

use std::sync::Once;

use anyhow::{Result, anyhow};

use super::launch::{Boldness, Patience, launch};
use super::locked::{Errand, Prepared, locked};
use super::look::Look;
use super::order::{self, Order};
use super::{Context, checkout, pending, story};
use crate::error::{Exit, Failure};
use crate::git;
use crate::kubectl::Kubectl;
use crate::manifest::{Manifest, Recording, Version};
use crate::release::{self, Finding, Plan, Reading, Road, Running, Wanted};
use crate::ui::Tone;

/// The arguments of `ship`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The version to ship, a tag or a digest [default: the manifest's, else the one that runs]
    #[arg(long, value_name = "VERSION")]
    tag: Option<Version>,
    /// Ship the image alone: the configuration stays as it runs, also where the manifest has another
    #[arg(long)]
    image_only: bool,
    /// Write the shipped version into the environment's file of the service
    #[arg(long)]
    record: bool,
    /// Commit that file, and nothing else; never pushes
    #[arg(long, requires = "record")]
    commit: bool,
    #[command(flatten)]
    boldness: Boldness,
    #[command(flatten)]
    patience: Patience,
}

/// Runs it.
///
/// # Errors
/// If it cannot be done; nothing was changed then.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let manifest = context.manifest(&args.service)?;
    let kubectl = rehearsing(context.kubectl()?, args.boldness.dry_run);
    let said = args.tag.clone().or_else(|| manifest.version());
    let what = format!("ship {}{}", args.service, said.map(|version| format!(" {version}")).unwrap_or_default());
    let told = Once::new();
    let prepare = || prepare(&context, &kubectl, manifest.clone(), args, &told);
    let go = |prepared: Prepared| go(&context, &kubectl, prepared, args);
    let errand =
        Errand { service: &args.service, what: &what, patience: &args.patience, rehearse: args.boldness.dry_run };
    locked(&context, &kubectl, &errand, prepare, go)
}

/// Reads and renders what is needed.
fn prepare(
    context: &Context,
    kubectl: &Kubectl<'_>,
    mut manifest: Manifest,
    args: &Args,
    told: &Once,
) -> Result<Prepared> {
    let (version, from) = order::choose(&manifest, args.tag.as_ref(), || running(kubectl, manifest.service.as_ref()))?;
    let recording = args.record.then(|| Recording::prepare(&context.repo.root, &manifest, &version)).transpose()?;
    if let Some(recording) = recording.as_ref().filter(|recording| args.commit && recording.is_needed()) {
        git::can_commit(&context.repo.root, &recording.shown).map_err(|why| {
            Failure::refused(format!("the version could not be committed: {why}"))
                .hint("mend that first, or leave `--commit` away")
        })?;
    }
    let rendered = order::rendered(context, kubectl, &mut manifest, &version)?;
    let what = if args.image_only { "the image of " } else { "" };
    let heading = format!("shipping {what}{} {version}", args.service);
    told.call_once(|| story::heading(&heading, &context.environment, kubectl, &context.ui));
    let command = if args.image_only { "ship --image-only" } else { "ship" };
    let order = Order {
        service: args.service.clone(),
        version,
        from,
        command: command.into(),
        objects: rendered.objects,
        images_only: args.image_only,
    };
    let (reading, git) = std::thread::scope(|scope| {
        let git = scope.spawn(|| checkout::state(context));
        (read(kubectl, &order), git.join().unwrap_or_default())
    });
    let mut look = Look::new(order, reading?, kubectl, args.boldness.adopt);
    look.findings.extend(order::older_file(&look.reading.history, &look.order));
    look.findings.extend(checkout::findings(context, git.as_ref(), &look.reading.history));
    if args.image_only {
        look.findings.extend(images_refused(kubectl, &look));
    } else if !context.environment.ships_config {
        look.findings.extend(pending::refusal(context, kubectl, &mut manifest, &look)?);
    }
    Ok(Prepared { look, git, recording })
}

/// Ships it, and keeps its version where that is asked for.
fn go(context: &Context, kubectl: &Kubectl<'_>, prepared: Prepared, args: &Args) -> Result<Exit> {
    let Prepared { look, git, recording } = prepared;
    let message = format!("{} {} in {}", args.service, look.order.version, context.environment.name);
    let again = |look: &Look| read(kubectl, &look.order);
    let exit = launch(context, kubectl, look, git, &args.patience, &args.boldness, again)?;
    match recording {
        Some(mut recording) if exit == Exit::Done => Ok(record(context, &mut recording, args, &message)),
        _ => Ok(exit),
    }
}

/// Writes the version that runs now into the environment's file. The ship is done: what goes wrong here takes nothing back.
fn record(context: &Context, recording: &mut Recording, args: &Args, message: &str) -> Exit {
    let (ui, file) = (&context.ui, recording.shown.display().to_string());
    if !recording.is_needed() {
        ui.say(Tone::Dim, "the files say this version already");
        return Exit::Done;
    }
    if args.boldness.dry_run {
        ui.say(Tone::Dim, format!("`{file}` would get the version"));
        return Exit::Done;
    }
    let written = recording.write().map_err(|error| format!("{error:#}"));
    let committed = match (&written, args.commit) {
        (Ok(()), true) => git::commit(&context.repo.root, &recording.shown, message).map(Some),
        _ => Ok(None),
    };
    match (written, committed) {
        (Ok(()), Ok(revision)) => {
            let how = revision.map(|revision| format!(", committed as {revision} (not pushed)")).unwrap_or_default();
            ui.say(Tone::Plain, format!("`{file}` has the version now{how}"));
            Exit::Done
        }
        (Err(why), _) | (_, Err(why)) => {
            ui.say(
                Tone::Bad,
                format!("error: it is shipped, and the version could not be recorded in `{file}`: {why}"),
            );
            ui.say(
                Tone::Plain,
                format!(
                    "hint: write it there by hand, or the next ship may take it back; the commit would be \"{message}\""
                ),
            );
            Exit::Person
        }
    }
}

/// Reads what an order needs.
///
/// # Errors
/// As [`Reading::take_all`].
pub fn read(kubectl: &Kubectl<'_>, order: &Order) -> Result<Reading> {
    let wanted = Wanted { service: &order.service, objects: &order.objects, is_applied: !order.images_only };
    Reading::take_all(kubectl, &[wanted])?.pop().ok_or_else(|| anyhow!("shipcat itself failed: nothing was read"))
}

/// What runs of one service.
///
/// # Errors
/// If the cluster does not answer, or may not be read.
pub fn running(kubectl: &Kubectl<'_>, service: &str) -> Result<Running> {
    kubectl.reach()?;
    Ok(release::running(kubectl, &[service])?.pop().unwrap_or_default())
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
