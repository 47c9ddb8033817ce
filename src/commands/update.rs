//! `update`: the configuration as the manifest has it; the image that runs stays.

use std::sync::Once;

use anyhow::{Result, bail};

use super::launch::{How, launch};
use super::locked::{Errand, Prepared, locked};
use super::look::Look;
use super::notify::{Notes, Notify};
use super::options::{Boldness, Patience};
use super::order::{self, Order};
use super::report::Asked;
use super::ship::{read, rehearsing, running, unseen};
use super::suite::{Tests, obstacles};
use super::survey::Selection;
use super::target::{Company, Target, manifests};
use super::{Context, checkout, consent, story};
use crate::error::{Exit, Failure, count, join_and};
use crate::kubectl::Kubectl;
use crate::manifest::{Manifest, Version};
use crate::release::{self, VersionFrom};
use crate::yaml::Object;

/// The arguments of `update`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
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

/// Runs it.
///
/// # Errors
/// If it cannot be done; nothing was changed then.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    consent::all_at_once(&context.environment, args.selection.all, args.boldness.yes)?;
    args.tests.check(&context.environment)?;
    if let Some(versioned) = args.selection.services.iter().find(|service| service.contains('=')) {
        let (service, _) = versioned.split_once('=').unwrap_or((versioned, ""));
        bail!(
            Failure::refused(format!("an update takes no version, as in `{versioned}`: the image that runs stays"))
                .hint(format!("`shipcat ship {versioned}` moves the image, too; or update `{service}`"))
        );
    }
    let targets = args.selection.services.iter().map(|service| Target { service: service.clone(), tag: None });
    let manifests = manifests(&context, &targets.collect::<Vec<_>>())?;
    let manifests: Vec<Manifest> = manifests.into_iter().map(|(manifest, _)| manifest).collect();
    let kubectl = rehearsing(context.kubectl()?, args.boldness.dry_run);
    let services: Vec<&str> = manifests.iter().map(|manifest| manifest.service.as_ref()).collect();
    let what = match services.as_slice() {
        several if several.len() > 3 => format!("update {}", count(several.len(), "service")),
        few => format!("update {}", join_and(few)),
    };
    let told = Once::new();
    let prepare = || prepare(&context, &kubectl, manifests.clone(), args, &told);
    let (patience, boldness, company) = (&args.patience, &args.boldness, args.company);
    let go = |prepared, notes: &Notes| {
        let how = How { patience, boldness, company, junit: args.tests.options.junit.as_deref(), notes };
        let outcomes = launch(&context, &kubectl, prepared, how, |orders| read(&kubectl, orders))?;
        Ok(context.report.became(outcomes))
    };
    let errand = Errand {
        services: &services,
        what: &what,
        patience: &args.patience,
        rehearse: args.boldness.dry_run,
        notify: args.notify,
    };
    locked(&context, &kubectl, &errand, prepare, go)
}

/// Nothing runs of these of which the image could stay.
fn no_image(environment: &str, services: &[&str]) -> Failure {
    let names: Vec<String> = services.iter().map(|service| format!("`{service}`")).collect();
    let (verb, no, them) = match services {
        [_] => ("does", "there is no image", "it"),
        _ => ("do", "there are no images", "them"),
    };
    let what = format!("{} {verb} not run in {environment}, or with an image without a tag", join_and(&names));
    Failure::refused(format!("{what}: {no} to keep"))
        .hint(format!("ship {them} first: shipcat ship -n {environment} {}", services.join(" ")))
}

/// Reads and renders what is needed.
fn prepare(
    context: &Context,
    kubectl: &Kubectl<'_>,
    mut manifests: Vec<Manifest>,
    args: &Args,
    told: &Once,
) -> Result<Vec<Prepared>> {
    let services: Vec<String> = manifests.iter().map(|manifest| manifest.service.to_string()).collect();
    let runs = running(kubectl, &services.iter().map(String::as_str).collect::<Vec<_>>())?;
    let stays: Vec<_> = runs.iter().map(order::stays).collect();
    let absent: Vec<&str> =
        services.iter().zip(&stays).filter(|(_, stays)| stays.is_none()).map(|(service, _)| service.as_str()).collect();
    if !absent.is_empty() {
        bail!(no_image(context.environment.name.as_ref(), &absent));
    }
    let versions: Vec<_> = stays.into_iter().flatten().collect();
    let what = match (services.as_slice(), versions.as_slice()) {
        ([service], [(version, _)]) => format!("updating the configuration of {service} {version}"),
        _ => format!("updating the configuration of {}", count(services.len(), "service")),
    };
    told.call_once(|| story::heading(&what, &context.environment, kubectl, &context.ui));
    let (mut orders, mut suites) = (Vec::new(), Vec::new());
    for (manifest, (version, from)) in manifests.iter_mut().zip(versions) {
        orders.push(order_of(context, kubectl, manifest, version.clone(), from)?);
        suites.push(args.tests.suite(manifest, &version)?);
    }
    order::apart(&orders)?;
    let (readings, git, obstacles) = std::thread::scope(|scope| {
        let git = scope.spawn(|| checkout::state(context));
        let obstacles = scope.spawn(|| obstacles(context, kubectl, &suites, args.boldness.dry_run));
        (read(kubectl, &orders), git.join().unwrap_or_default(), obstacles.join())
    });
    let mut prepared = Vec::new();
    let tests = suites.into_iter().zip(obstacles.map_err(|_| unseen())?);
    for ((order, reading), (suite, obstacles)) in orders.into_iter().zip(readings?).zip(tests) {
        let mut look = Look::new(order, reading, kubectl, args.boldness.adopt);
        look.findings.extend(checkout::findings(context, git.as_ref(), &look.reading.history));
        if !look.is_nothing() {
            look.findings.extend(obstacles);
        }
        prepared.push(Prepared { look, git: git.clone(), recording: None, suite });
    }
    Ok(prepared)
}

/// The configuration of the files with the images that run.
///
/// # Errors
/// What is wrong with the files; or if the live objects cannot be read.
pub fn order_of(
    context: &Context,
    kubectl: &Kubectl<'_>,
    manifest: &mut Manifest,
    version: Version,
    from: VersionFrom,
) -> Result<Order> {
    let mut objects = order::rendered(context, kubectl, manifest, &version)?.objects;
    let running: Vec<Object> = objects.iter().filter(|object| release::has_images(object)).cloned().collect();
    let live = kubectl.live(&running, &false.into()).map_err(|error| error.refused("cannot read the live objects"))?;
    // Where the manifest names another image by now, jobs and texts that speak of it keep to the one that runs, too.
    let service = manifest.service.to_string();
    let image = release::main_object(&live, &service).and_then(|main| release::image_of(main, &service));
    if let Some(repository) = image.as_deref().map(release::repository)
        && manifest.image() != repository
    {
        manifest.keep_image(&repository);
        objects = order::rendered(context, kubectl, manifest, &version)?.objects;
    }
    let objects = release::keep_images(&objects, &live);
    Ok(Order { service, version, from, command: "update".into(), objects, images_only: false, restart: None })
}
