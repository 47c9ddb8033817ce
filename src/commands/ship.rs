//! `ship`: image and configuration as one transaction.

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::{Context, story};
use crate::error::{Exit, Failure};
use crate::git::GitState;
use crate::kubectl::Kubectl;
use crate::manifest::{Duration, Manifest, Version};
use crate::release::{self, Body, Ending, Limits, Plan, Reading, Request, Road, VersionFrom};
use crate::render::{Rendered, depends_on_version, render};
use crate::ui::{Tone, Ui};
use crate::yaml::Object;

/// The arguments of `ship`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
    /// The version to ship, a tag or a digest [default: the manifest's, else the one that runs]
    #[arg(long, value_name = "VERSION")]
    tag: Option<Version>,
    #[command(flatten)]
    patience: Patience,
}

/// How long things may take.
#[derive(Debug, clap::Args)]
pub struct Patience {
    /// How long the rollout may take, and so the jobs before it [default: the environment's, else 5m]
    #[arg(long, value_name = "TIME")]
    timeout: Option<Duration>,
    /// How long the way back may take [default: the environment's, else 5m]
    #[arg(long, value_name = "TIME")]
    rollback_timeout: Option<Duration>,
}

/// Runs it.
///
/// # Errors
/// If it cannot be done; nothing was changed then.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let manifest = context.manifest(&args.service)?;
    let kubectl = context.kubectl()?;
    let (version, from) = choose(&kubectl, &manifest, args.tag.as_ref())?;
    let rendered = rendered(&context, &kubectl, manifest, &version)?;
    story::heading(&format!("shipping {} {version}", args.service), &context.environment, &kubectl, &context.ui);
    let (reading, git) = std::thread::scope(|scope| {
        let git = scope.spawn(|| GitState::of(&context.repo.root));
        (Reading::take(&kubectl, &args.service, &rendered.objects), git.join().unwrap_or_default())
    });
    let reading = reading?;
    refuse_older_file(&reading, &version, from, &args.service)?;
    let body = body(&args.service, &version, from, "ship", git, &rendered.objects);
    release(&context, &kubectl, reading, rendered.objects, body, &args.patience)
}

/// Renders for the Kubernetes that is there: where the environment's file says another, or none, the API server's word counts.
fn rendered(context: &Context, kubectl: &Kubectl<'_>, mut manifest: Manifest, version: &Version) -> Result<Rendered> {
    let templates = context.templates()?;
    let rendered = render(&templates, &manifest, version)?;
    if !depends_on_version(&manifest, &rendered) {
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
            render(&templates, &manifest, version)
        }
        _ => Ok(rendered),
    }
}

/// Which version, and where it comes from: `--tag`, else the manifest, else the one that runs (DESIGN section 3).
fn choose(kubectl: &Kubectl<'_>, manifest: &Manifest, tag: Option<&Version>) -> Result<(Version, VersionFrom)> {
    if let Some(tag) = tag {
        return Ok((tag.clone(), VersionFrom::Tag));
    }
    if let Some(version) = manifest.version() {
        return Ok((version, VersionFrom::Manifest));
    }
    let service = manifest.service.as_ref();
    kubectl.reach()?;
    let (_, live) = release::running_version(kubectl, service)?;
    let running = live.and_then(|version| version.parse().ok());
    running.map(|version| (version, VersionFrom::Running)).ok_or_else(|| {
        Failure::refused(format!("which version of `{service}`? Its manifest names none, and none runs"))
            .hint("say which with `--tag`, or add `version: 1.2.3` to its manifest")
            .into()
    })
}

/// What came with `--tag` is not taken back to the file's version by accident: somebody shipped it for a reason.
fn refuse_older_file(reading: &Reading, version: &Version, from: VersionFrom, service: &str) -> Result<()> {
    let Some(running) = reading.history.running().map(|release| &release.body) else { return Ok(()) };
    if from != VersionFrom::Manifest || running.version_from != VersionFrom::Tag || running.version == version.as_ref()
    {
        return Ok(());
    }
    bail!(
        Failure::refused(format!(
            "{service} runs {}, which {} shipped with `--tag`; the manifest says {version}",
            running.version, running.who
        ))
        .hint(format!("to keep the version that runs: --tag {}", running.version))
        .hint(format!("to go to the manifest's: --tag {version}"))
    );
}

/// The body of a release record.
pub fn body(
    service: &str,
    version: &Version,
    from: VersionFrom,
    command: &str,
    git: Option<GitState>,
    objects: &[Object],
) -> Body {
    Body {
        service: service.to_owned(),
        version: version.to_string(),
        version_from: from,
        command: command.to_owned(),
        who: release::who(),
        started: Timestamp::now(),
        git,
        objects: objects.iter().map(|object| object.json().clone()).collect(),
        before: Vec::new(),
        unchanged: Vec::new(),
    }
}

/// Plans and runs a release; or where there is nothing to do, looks whether what runs is well.
pub fn release(
    context: &Context,
    kubectl: &Kubectl<'_>,
    mut reading: Reading,
    mut wanted: Vec<Object>,
    body: Body,
    patience: &Patience,
) -> Result<Exit> {
    let ui = &context.ui;
    let left = release::leave_autoscaled(&mut wanted, &mut reading.expected, &reading.live, &reading.autoscalers);
    story::autoscaled(&left, ui);
    let now = Timestamp::now().to_string();
    let mut plan = Plan::new(&wanted, &reading.live, &reading.expected, &now);
    let is_paused =
        |live: &&Object| live.json().pointer("/spec/paused").and_then(serde_json::Value::as_bool) == Some(true);
    if let Some(live) = plan.workloads().filter_map(|step| step.before.as_ref()).find(is_paused) {
        bail!(Failure::refused(format!("{live} is paused: a change would not roll out")).hint(format!(
            "go on with it first: kubectl --context {} -n {} rollout resume deployment/{}",
            kubectl.context(),
            kubectl.namespace(),
            live.name()
        )));
    }
    let timeout = patience.timeout.map_or(context.environment.timeout, |timeout| timeout.0);
    // Live and record must agree: what somebody else made the same by hand is still to be recorded.
    let recorded =
        reading.history.running().is_some_and(|running| release::same_objects(&running.body.objects, &body.objects));
    if plan.road == Road::Nothing && recorded {
        return nothing_to_do(kubectl, &plan, &body, timeout, ui);
    }
    story::changes(&plan, ui);
    story::unmanaged(&plan, ui);
    let afterwards = release::keep_count(&mut wanted, &mut reading.expected, &plan);
    if afterwards.is_some() {
        ui.say(Tone::Dim, "  as many pods as now, until the new ones are up");
        plan = Plan::new(&wanted, &reading.live, &reading.expected, &now);
    }
    let request = Request {
        environment: context.environment.name.as_ref(),
        body,
        plan,
        afterwards,
        history: &reading.history,
        timeout,
        rollback_timeout: patience.rollback_timeout.map_or(context.environment.rollback_timeout, |timeout| timeout.0),
        limits: Limits::default(),
    };
    release::run(kubectl, request, ui)
}

/// Nothing differs; but shipping again what is broken is no success.
fn nothing_to_do(
    kubectl: &Kubectl<'_>,
    plan: &Plan,
    body: &Body,
    timeout: std::time::Duration,
    ui: &Ui,
) -> Result<Exit> {
    let what = format!("{} {}", body.service, body.version);
    Ok(match release::look(kubectl, plan, timeout, &Limits::default(), ui)? {
        Ending::Good => {
            let source = if body.command == "ship" { "the manifest says" } else { "that release had it" };
            let verb = if plan.workloads().next().is_some() { "runs" } else { "is" };
            ui.say(Tone::Good, format!("nothing to do: {what} {verb} as {source}"));
            story::unmanaged(plan, ui);
            Exit::Done
        }
        Ending::Interrupted(signal) => Exit::Interrupted(signal),
        Ending::Superseded(why) | Ending::Blind(why) => {
            ui.say(Tone::Bad, format!("error: nothing was changed, and it is not known how {what} is: {why}"));
            Exit::AsBefore
        }
        Ending::Doomed(_) | Ending::Late(_) => {
            ui.say(Tone::Bad, format!("error: nothing to change, but what runs is broken: {what}"));
            ui.say(Tone::Plain, "hint: ship a version that works, or `shipcat rollback`");
            Exit::AsBefore
        }
    })
}
