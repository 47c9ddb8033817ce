//! `update`: the configuration as the manifest has it; the image that runs stays.

use std::sync::Once;

use anyhow::Result;

use super::launch::{Boldness, Patience, launch};
use super::locked::{Errand, Prepared, locked};
use super::look::Look;
use super::order::{self, Order};
use super::ship::{read, rehearsing, running};
use super::{Context, checkout, story};
use crate::error::{Exit, Failure};
use crate::kubectl::Kubectl;
use crate::manifest::{Manifest, Version};
use crate::release::{self, VersionFrom};
use crate::yaml::Object;

/// The arguments of `update`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
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
    let told = Once::new();
    let prepare = || prepare(&context, &kubectl, manifest.clone(), args, &told);
    let go = |Prepared { look, git, .. }: Prepared| {
        launch(&context, &kubectl, look, git, &args.patience, &args.boldness, |look| read(&kubectl, &look.order))
    };
    let what = format!("update {}", args.service);
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
    let (version, from) = order::stays(&running(kubectl, &args.service)?).ok_or_else(|| {
        Failure::refused(format!(
            "`{}` does not run in {}, or with an image without a tag: there is no image to keep",
            args.service, context.environment.name
        ))
        .hint(format!("ship it first: shipcat ship -n {} {}", context.environment.name, args.service))
    })?;
    let what = format!("updating the configuration of {} {version}", args.service);
    told.call_once(|| story::heading(&what, &context.environment, kubectl, &context.ui));
    let order = order_of(context, kubectl, &mut manifest, version, from)?;
    let (reading, git) = std::thread::scope(|scope| {
        let git = scope.spawn(|| checkout::state(context));
        (read(kubectl, &order), git.join().unwrap_or_default())
    });
    let mut look = Look::new(order, reading?, kubectl, args.boldness.adopt);
    look.findings.extend(checkout::findings(context, git.as_ref(), &look.reading.history));
    Ok(Prepared { look, git, recording: None })
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
    Ok(Order { service, version, from, command: "update".into(), objects, images_only: false })
}
