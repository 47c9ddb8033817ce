//! Where an environment keeps releases of images and of configuration apart: whether configuration changes are pending.

use anyhow::Result;

use super::look::Look;
use super::order;
use super::ship::read_one;
use super::update::order_of;
use super::{Context, story, words};
use crate::error::count;
use crate::kubectl::Kubectl;
use crate::manifest::Manifest;
use crate::release::{Change, Finding, Nature, Running};

/// The refusal of a ship while an `update` would change anything. The first ship of a service brings everything.
///
/// # Errors
/// As reading and rendering fail.
pub fn refusal(
    context: &Context,
    kubectl: &Kubectl<'_>,
    manifest: &mut Manifest,
    look: &Look,
) -> Result<Option<Finding>> {
    let is_config = |change: &Change| ![Nature::Image, Nature::Restart].contains(&change.nature);
    let main = crate::release::main_object(&look.reading.live, &look.order.service);
    let version = main.and_then(|main| crate::release::version_of(main, &look.order.service));
    let running = Running { history: look.reading.history.clone(), no_history: None, version };
    let Some((version, from)) = order::stays(&running) else { return Ok(None) };
    if !look.plan.changes.iter().any(is_config) && look.drift.is_empty() {
        return Ok(None);
    }
    // Some of it may come with the version alone: texts that name it, jobs that go before it.
    let order = order_of(context, kubectl, manifest, version, from)?;
    let reading = read_one(kubectl, &order)?;
    let update = Look::new(order, reading, kubectl, true);
    if update.is_nothing() {
        return Ok(None);
    }
    let changes = words::said(&update.plan.changes);
    let lines = changes.iter().map(|said| format!("{} {}", said.object, said.detail));
    let lines: Vec<String> = lines.chain(story::drift(&update.drift)).collect();
    let first: Vec<String> = lines.iter().take(3).map(|line| line.trim().to_owned()).collect();
    let more = if lines.len() > 3 { format!(" and {}", count(lines.len() - 3, "change")) } else { String::new() };
    let (environment, service) = (&context.environment.name, &look.order.service);
    let what = format!(
        "{environment} keeps configuration and images apart, and configuration is pending: {}{more}",
        first.join(", ")
    );
    let todo = format!("`shipcat update -n {environment} {service}` first; or leave it with `--image-only`");
    Ok(Some(Finding::refusal(what, todo)))
}
