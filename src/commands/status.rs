//! `status`: what runs, and how it is.

use std::time::Instant;

use anyhow::Result;
use jiff::Timestamp;

use super::{Context, launch, locked};
use crate::error::{Exit, count, join_and};
use crate::kubectl::Kubectl;
use crate::release::{
    Goal, History, Kind, Limits, Memory, Outcome, Picture, Release, Verdict, folded, is_end, is_workload, judge,
    main_object, pod_selectors, version_of,
};
use crate::ui::ago;
use crate::yaml::Object;

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
}

/// Runs it. 0 if the service is well, 1 if it is not, or not there.
///
/// # Errors
/// If the cluster cannot be read.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    // Of the file only that there is such a service, or was: what runs, the record and the cluster say.
    let manifest = context.manifest(&args.service);
    let kubectl = context.kubectl()?;
    let cancel = false.into();
    let (reached, history, holder) = std::thread::scope(|scope| {
        let history = scope.spawn(|| History::read_all(&kubectl, &[&args.service], &cancel));
        let holder = scope.spawn(|| locked::at_work(&kubectl));
        (kubectl.reach(), history.join(), holder.join().unwrap_or_default())
    });
    reached?;
    let mut histories =
        history.map_err(|_| anyhow::anyhow!("shipcat itself failed while it read from the cluster"))??;
    let history = histories.read.remove(&args.service).unwrap_or_default();
    if history.newest().is_none() {
        manifest?;
    }
    let parts = Parts::read(&kubectl, &args.service, &history)?;
    let limits = launch::limits(context.environment.graces);
    let (health, exit) = parts.health(&limits);
    let main = main_object(&parts.live, &args.service);
    let recorded = history.running().filter(|_| parts.is_without_image()).map(|running| running.body.version.clone());
    let version = main.and_then(|live| version_of(live, &args.service)).or(recorded).unwrap_or_else(|| "-".into());
    let mut text = format!(
        "{} in {} (context {}, namespace {})\n  version   {version}\n  health    {}\n",
        args.service,
        context.environment.name,
        kubectl.context(),
        kubectl.namespace(),
        health.join("\n            ")
    );
    if let Some(running) = history.running() {
        text += &format!("  release   {}\n", line(running));
        if running.body.version != version && main.is_some() {
            text += &format!(
                "  warning   release {} brought {}: somebody changed the image since\n",
                running.number, running.body.version
            );
        }
    } else if histories.refused.is_some() {
        text += "  release   not known: you may not read Secrets\n";
    } else {
        text += "  release   none that was deployed by shipcat\n";
    }
    if let Some(newest) = history.newest().filter(|newest| newest.outcome != Outcome::Deployed) {
        let why = match (newest.outcome, &newest.message, &holder) {
            (Outcome::Pending, _, Some(_)) => ": it is under way, or its run died".to_owned(),
            (Outcome::Pending, _, None) => {
                ": its run died; the next ship, update or rollback of it completes it or takes it back".to_owned()
            }
            (_, Some(message), _) => format!(": {message}"),
            (_, None, _) => String::new(),
        };
        text += &format!("  last      {}, {}{why}\n", line(newest), newest.outcome);
    }
    if let Some(holder) = holder {
        text += &format!("  lock      {holder}\n");
    }
    context.ui.product(&text)?;
    Ok(exit)
}

/// A release in a line.
fn line(release: &Release) -> String {
    let since = Timestamp::now().duration_since(release.body.started);
    let age = ago(std::time::Duration::try_from(since).unwrap_or_default());
    let body = &release.body;
    let git = body.git.as_ref().map(|git| format!(", manifests {}", git.short())).unwrap_or_default();
    let build = body.build.as_ref().map(|url| format!(", {url}")).unwrap_or_default();
    let from = body.former.as_ref().filter(|former| **former != body.version);
    let from = from.map(|former| format!(" from {former}")).unwrap_or_default();
    format!("{} ({}, version {}{from}) by {}, {age}{git}{build}", release.number, body.command, body.version, body.who)
}

/// What a service consists of, and what is there of it.
struct Parts {
    service: String,
    /// What the release that runs has; of a service that shipcat never shipped, the workload of its name.
    wanted: Vec<Object>,
    live: Vec<Object>,
    /// With what the workloads own.
    picture: Picture,
    /// Whether it was retired.
    is_removed: bool,
}

impl Parts {
    fn read(kubectl: &Kubectl<'_>, service: &str, history: &History) -> Result<Self> {
        let refused = |error: crate::kubectl::KubectlError| error.refused("cannot read what runs");
        let recorded = history.running().map(Release::objects);
        let mut live = None;
        let wanted: Vec<Object> = match recorded {
            Some(objects) => objects.into_iter().filter(|object| Kind::of(object) != Some(Kind::Job)).collect(),
            None => {
                let mut found = kubectl.named("deployment.apps", service).map_err(refused)?;
                if found.is_none() {
                    found = kubectl.named("statefulset.apps,daemonset.apps", service).map_err(refused)?;
                }
                live.insert(found.into_iter().collect::<Vec<_>>()).clone()
            }
        };
        let workloads: Vec<&Object> = wanted.iter().filter(|object| is_workload(object)).collect();
        let mut kinds = vec!["pods"];
        let has = |kind| workloads.iter().any(|object| Kind::of(object) == Some(kind));
        if has(Kind::DaemonSet) {
            kinds.insert(0, "controllerrevisions.apps");
        }
        if has(Kind::Deployment) {
            kinds.insert(0, "replicasets.apps");
        }
        let kinds = kinds.join(",");
        let selectors = pod_selectors(&workloads);
        let cancel = false.into();
        let (now, owned) = std::thread::scope(|scope| {
            let owned: Vec<_> =
                selectors.iter().map(|selector| scope.spawn(|| kubectl.labelled(&kinds, selector, &cancel))).collect();
            let now = if live.is_some() || wanted.is_empty() { Ok(Vec::new()) } else { kubectl.live(&wanted, &cancel) };
            (now, owned.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>())
        });
        let live = match live {
            Some(live) => live,
            None => now.map_err(refused)?,
        };
        let mut objects: Vec<Object> = live.clone();
        for owned in owned {
            let owned = owned.map_err(|_| anyhow::anyhow!("shipcat itself failed while it read from the cluster"))?;
            objects.extend(owned.map_err(|error| error.refused("cannot read the pods"))?);
        }
        let is_removed = history.running().is_some_and(is_end);
        Ok(Self { service: service.to_owned(), wanted, live, picture: Picture::of(objects), is_removed })
    }

    fn is_without_image(&self) -> bool {
        !self.wanted.is_empty() && main_object(&self.wanted, &self.service).is_none()
    }

    /// How each workload is at this moment, a line each, and whether all of it is well.
    fn health(&self, limits: &Limits) -> (Vec<String>, Exit) {
        let workloads: Vec<&Object> = self.wanted.iter().filter(|object| is_workload(object)).collect();
        if workloads.is_empty() {
            return self.presence();
        }
        let one = workloads.len() == 1;
        let mut lines = Vec::new();
        let mut exit = Exit::Done;
        for workload in workloads {
            let (line, well) = match workload.among(&self.live) {
                Some(live) => health(&self.picture, live, limits),
                None => ("not there".to_owned(), Exit::No),
            };
            if well != Exit::Done {
                exit = Exit::No;
            }
            lines.push(if one { line } else { format!("{workload}: {line}") });
        }
        (lines, exit)
    }

    /// Of a service without pods of its own: whether its objects are there.
    fn presence(&self) -> (Vec<String>, Exit) {
        let missing: Vec<String> =
            self.wanted.iter().filter(|object| object.among(&self.live).is_none()).map(ToString::to_string).collect();
        match (self.wanted.len(), missing.as_slice()) {
            (0, _) if self.is_removed => (vec!["removed".into()], Exit::No),
            (0, _) => (vec!["not there".into()], Exit::No),
            (n, []) => (vec![format!("well, {} there and nothing with a rollout", count(n, "object"))], Exit::Done),
            (_, missing) => (vec![format!("not well: {} is not there", join_and(missing))], Exit::No),
        }
    }
}

/// How a workload is at this moment.
fn health(picture: &Picture, live: &Object, limits: &Limits) -> (String, Exit) {
    let Some(goal) = Goal::of(live, Vec::new()) else {
        return ("updates its pods only where they are deleted (OnDelete): not judged".into(), Exit::Done);
    };
    // A look lasts no time: nothing has to settle under our eyes.
    let limits = Limits { settle: std::time::Duration::ZERO, ..*limits };
    match judge(picture, &[goal], &mut Memory::baseline(picture, true), &limits, Instant::now()) {
        Verdict::Good => {
            let wanted = if live.kind() == "DaemonSet" { "/status/desiredNumberScheduled" } else { "/spec/replicas" };
            let pods = live.number(wanted).and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
            (format!("well, {} ready", count(pods, "pod")), Exit::Done)
        }
        Verdict::Waiting(line, _) => (format!("not well, or on its way: {line}"), Exit::No),
        Verdict::Doomed(findings) => {
            let lines: Vec<String> = folded(&findings).into_iter().map(|(_, line)| line).collect();
            (format!("broken: {}", lines.join("\n            ")), Exit::No)
        }
        Verdict::Superseded(why) => (why, Exit::No),
    }
}
