//! What is to be released: which version of a service, where that comes from, and the objects.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::Context;
use crate::error::Failure;
use crate::git::GitState;
use crate::kubectl::Kubectl;
use crate::manifest::{Manifest, Version};
use crate::origin::Origin;
use crate::release::{self, Body, Finding, Reading, Running, VersionFrom};
use crate::render::{Rendered, depends_on_version, render};
use crate::ui::Tone;
use crate::yaml::Object;

/// What is to be released.
#[derive(Debug, Clone)]
pub struct Order {
    /// The service.
    pub service: String,
    /// Its version.
    pub version: Version,
    /// Where that comes from.
    pub from: VersionFrom,
    /// What makes it: `ship`, `update`, `rollback to 3`.
    pub command: String,
    /// The objects.
    pub objects: Vec<Object>,
    /// Whether nothing but images is to move; `objects` are then as the files have them.
    pub images_only: bool,
    /// When all pods are replaced (RFC 3339), if they are in any case.
    pub restart: Option<String>,
}

impl Order {
    /// The body of the release's record.
    pub fn body(&self, objects: &[Object], git: Option<GitState>) -> Body {
        let Origin { who, build } = Origin::here();
        Body {
            service: self.service.clone(),
            version: self.version.to_string(),
            version_from: self.from,
            former: None,
            nature: Vec::new(),
            command: self.command.clone(),
            who,
            build,
            started: Timestamp::now(),
            git,
            objects: objects.iter().map(|object| object.json().clone()).collect(),
            before: Vec::new(),
            expected: Vec::new(),
            counts: BTreeMap::new(),
            unchanged: Vec::new(),
            leftovers: Vec::new(),
            adopted: Vec::new(),
            together: None,
            tests: None,
        }
    }
}

/// Which version a ship takes, and where it comes from: `tag`, else the manifest, else the one that runs (DESIGN section 3), which is read
/// by `running` where it is needed.
///
/// # Errors
/// If there is none.
pub fn choose(
    manifest: &Manifest,
    tag: Option<&Version>,
    running: impl FnOnce() -> Running,
) -> Result<(Version, VersionFrom)> {
    if let Some(tag) = tag {
        return Ok((tag.clone(), VersionFrom::Tag));
    }
    if let Some(version) = manifest.version() {
        return Ok((version, VersionFrom::Manifest));
    }
    stays(&running()).ok_or_else(|| nothing_runs(manifest.service.as_ref()).into())
}

/// A service of which no file names a version, and none runs.
pub fn nothing_runs(service: &str) -> Failure {
    Failure::refused(format!("which version of `{service}`? Its manifest names none, and none runs"))
        .hint("say which with `--tag`, or add `version: 1.2.3` to its manifest")
}

/// Sees that no two of several services bring the same object, and none brings nothing at all.
///
/// # Errors
/// Which do.
pub fn apart(orders: &[Order]) -> Result<()> {
    let mut seen: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for order in orders {
        if order.objects.is_empty() {
            let what = format!(
                "`{}` renders no objects at all, which is never taken for a wish to remove everything",
                order.service
            );
            let todo = format!("mend its manifest or templates; `shipcat remove {}` retires it", order.service);
            bail!(Failure::refused(what).hint(todo));
        }
        for object in &order.objects {
            if let Some(other) = seen.insert((object.group(), object.to_string()), &order.service) {
                let what = format!("the services `{other}` and `{}` both bring {object}", order.service);
                bail!(Failure::refused(what).hint("give one of them another name"));
            }
        }
    }
    Ok(())
}

/// The version that runs, and where it came from when it was shipped: that it stays does not make it the manifest's.
pub fn stays(running: &Running) -> Option<(Version, VersionFrom)> {
    let version: Version = running.version.as_deref()?.parse().ok()?;
    let shipped = running.history.running().map(|release| &release.body);
    let from = shipped.filter(|body| body.version == version.as_ref()).map(|body| body.version_from);
    Some((version, from.unwrap_or(VersionFrom::Running)))
}

/// What came with `--tag` is not taken back to the file's version by accident: somebody shipped it for a reason.
pub fn older_file(reading: &Reading, order: &Order) -> Option<Finding> {
    let shipped = reading.history.running().map(|release| &release.body)?;
    let Order { service, version, .. } = order;
    let live = release::main_object(&reading.live, service).and_then(|main| release::version_of(main, service));
    let runs = live.as_deref().unwrap_or(&shipped.version);
    let is_other = runs != version.as_ref();
    if order.from != VersionFrom::Manifest || shipped.version_from != VersionFrom::Tag || !is_other {
        return None;
    }
    let Body { version: tag, who, .. } = shipped;
    let left = reading.history.broken().filter(|left| left.body.version == runs);
    let how = left.map(|left| format!("left by release {} that failed", left.number));
    let how = how.unwrap_or_else(|| "set by hand".to_owned());
    let what = match runs == tag {
        true => format!("{service} runs {runs}, which {who} shipped with `--tag`; the manifest says {version}"),
        false => format!(
            "{service} runs {runs}, {how} over {tag}, which {who} shipped with `--tag`; the manifest says {version}"
        ),
    };
    let todo = format!("`shipcat update` keeps the image that runs, `--tag {version}` goes to the manifest's");
    Some(Finding::refusal(what, todo))
}

/// Renders for the Kubernetes that is there: where the environment's file says another, or none, the API server's word counts.
///
/// # Errors
/// What is wrong with the files; or if the cluster does not answer.
pub fn rendered(
    context: &Context,
    kubectl: &Kubectl<'_>,
    manifest: &mut Manifest,
    version: &Version,
) -> Result<Rendered> {
    let templates = context.templates()?;
    let rendered = render(&templates, manifest, version)?;
    if !depends_on_version(manifest, &rendered) {
        return Ok(rendered);
    }
    let there = kubectl
        .minor()
        .map_err(|error| error.refused(&format!("the cluster of context `{}` does not answer", kubectl.context())))?;
    match there {
        Some(minor) if minor != manifest.kubernetes => {
            if let Some(said) = context.environment.kubernetes {
                let message = format!(
                    "warning: the environment says Kubernetes 1.{said}, and the cluster is 1.{minor}: API versions are the cluster's"
                );
                context.ui.say(Tone::Warn, message);
            }
            manifest.kubernetes = minor;
            render(&templates, manifest, version)
        }
        _ => Ok(rendered),
    }
}
