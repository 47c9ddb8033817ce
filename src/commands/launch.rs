//! From a look to a release: refused, asked for, rehearsed, or run. What `ship`, `update` and `rollback` share.

use std::time::Instant;

use anyhow::Result;
use jiff::Timestamp;

use super::locked::{Queueing, interrupted};
use super::look::Look;
use super::order::Order;
use super::rescue::Rescue;
use super::{Context, consent, story};
use crate::error::{Exit, Failure};
use crate::git::GitState;
use crate::kubectl::Kubectl;
use crate::manifest::Duration;
use crate::release::{self, Ending, Finding, Limits, Plan, Reading, Request, Weight};
use crate::ui::{Tone, Ui};

/// How long things may take.
#[derive(Debug, clap::Args)]
pub struct Patience {
    /// How long the rollout may take, and so the jobs before it [default: the environment's, else 5m]
    #[arg(long, value_name = "TIME")]
    timeout: Option<Duration>,
    /// How long the way back may take [default: the environment's, else 5m]
    #[arg(long, value_name = "TIME")]
    rollback_timeout: Option<Duration>,
    /// How long to wait for others.
    #[command(flatten)]
    pub queueing: Queueing,
    /// What becomes of a release whose run died.
    #[command(flatten)]
    pub rescue: Rescue,
}

impl Patience {
    /// How patient to be with a release.
    pub fn limits(&self, context: &Context) -> release::Patience {
        let given = |given: Option<Duration>, usual| given.map_or(usual, |given| given.0);
        release::Patience {
            timeout: given(self.timeout, context.environment.timeout),
            rollback_timeout: given(self.rollback_timeout, context.environment.rollback_timeout),
        }
    }
}

/// How bold a release may be.
#[derive(Debug, clap::Args)]
pub struct Boldness {
    /// Take over objects of Helm, Argo CD or Flux for good
    #[arg(long)]
    pub adopt: bool,
    /// Go on in a protected environment without being asked
    #[arg(long)]
    pub yes: bool,
    /// Print each command that would change something, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs a release by a look at it; or where there is nothing to do, looks whether what runs is well. `again` reads the cluster once more.
///
/// # Errors
/// If it is refused; nothing was changed then.
pub fn launch(
    context: &Context,
    kubectl: &Kubectl<'_>,
    mut look: Look,
    git: Option<GitState>,
    patience: &Patience,
    boldness: &Boldness,
    again: impl FnOnce(&Look) -> Result<Reading>,
) -> Result<Exit> {
    let ui = &context.ui;
    refuse(&look.findings)?;
    story::autoscaled(&look.autoscaled, ui);
    let release::Patience { timeout, rollback_timeout } = patience.limits(context);
    // The numbers that are left to autoscalers are none of the release's.
    let mut body = look.order.body(if look.order.images_only { &look.wanted } else { &look.order.objects }, git);
    body.adopted = std::mem::take(&mut look.adopted);
    // Live and record must agree: what somebody else made the same by hand is still to be recorded.
    let recorded = look
        .reading
        .history
        .running()
        .is_some_and(|running| release::same_objects(&running.body.objects, &body.objects));
    if look.is_nothing() && recorded {
        story::findings(&look.findings, ui);
        if boldness.dry_run {
            ui.say(Tone::Good, format!("nothing to do: {} {} runs already", body.service, body.version));
            return Ok(Exit::Done);
        }
        return nothing_to_do(kubectl, &look, timeout, ui);
    }
    story::changes(&look, ui);
    story::findings(&look.findings, ui);
    if !boldness.dry_run {
        let asked = Instant::now();
        kubectl.at_step("asks whether to go on");
        let Order { service, version, command, .. } = &look.order;
        if let Some(signal) =
            consent::ask(&context.environment, &format!("the {command} of {service} {version}"), boldness.yes, ui)?
        {
            return Ok(interrupted(signal, ui));
        }
        if asked.elapsed() > consent::STALE {
            unmoved(&look, again(&look)?, kubectl, boldness.adopt)?;
        }
    }
    let now = Timestamp::now().to_string();
    let mut afterwards = None;
    if !look.order.images_only {
        afterwards = release::keep_count(&mut look.wanted, &mut look.reading.expected, &look.plan);
        if afterwards.is_some() {
            ui.say(Tone::Dim, "  as many pods as now, until the new ones are up");
            look.plan = Plan::new(&look.wanted, &look.reading.live, &look.reading.expected, &now)
                .removing(&look.reading.left_over);
        }
    }
    let request = Request {
        environment: context.environment.name.as_ref(),
        body,
        plan: look.plan,
        afterwards,
        images_only: look.order.images_only,
        history: &look.reading.history,
        timeout,
        rollback_timeout,
        limits: Limits::default(),
    };
    if boldness.dry_run {
        let commands = release::rehearse(kubectl, request)?;
        let lines: Vec<String> = commands.iter().map(|command| format!("{}\n", command.pasted())).collect();
        ui.product(&lines.concat())?;
        ui.say(Tone::Good, "nothing was changed");
        return Ok(Exit::Done);
    }
    release::run(kubectl, request, ui)
}

/// Refuses if anything stands in the way, with all of it.
///
/// # Errors
/// What stands in the way.
pub fn refuse(findings: &[Finding]) -> Result<()> {
    let refusals: Vec<&Finding> = findings.iter().filter(|finding| finding.weight == Weight::Refusal).collect();
    let Some((last, others)) = refusals.split_last() else { return Ok(()) };
    let mut message = String::new();
    for finding in others {
        message += &format!("{}\nhint: {}\nerror: ", finding.what, finding.todo);
    }
    let failure = Failure::refused(message + &last.what);
    Err(if last.todo.is_empty() { failure } else { failure.hint(&last.todo) }.into())
}

/// Whether what would be changed is still what was shown.
fn unmoved(shown: &Look, reading: Reading, kubectl: &Kubectl<'_>, adopt: bool) -> Result<()> {
    let now = Look::new(shown.order.clone(), reading, kubectl, adopt);
    refuse(&now.findings)?;
    if now.plan.changes == shown.plan.changes
        && now.reading.history.newest_number() == shown.reading.history.newest_number()
    {
        return Ok(());
    }
    Err(Failure::refused(
        "somebody has changed the cluster since you were asked: it is not what you were shown any more",
    )
    .hint("look at it again with `shipcat diff`, then run the same once more")
    .into())
}

/// Nothing differs; but shipping again what is broken is no success.
fn nothing_to_do(kubectl: &Kubectl<'_>, look: &Look, timeout: std::time::Duration, ui: &Ui) -> Result<Exit> {
    let order = &look.order;
    let what = format!("{} {}", order.service, order.version);
    Ok(match release::look(kubectl, &look.plan, timeout, &Limits::default(), ui)? {
        Ending::Good => {
            let source = match order.command.as_str() {
                "ship" | "update" => "the manifest says",
                "ship --image-only" => "asked for",
                _ => "that release had it",
            };
            let verb = if look.plan.workloads().next().is_some() { "runs" } else { "is" };
            ui.say(Tone::Good, format!("nothing to do: {what} {verb} as {source}"));
            story::unmanaged(&look.unmanaged, ui);
            Exit::Done
        }
        Ending::Interrupted(signal) => Exit::Interrupted(signal),
        Ending::Superseded(why) | Ending::Blind(why) | Ending::Lockless(why) => {
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
