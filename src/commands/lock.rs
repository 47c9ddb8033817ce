//! `lock`: who has an environment, in people's hands. A freeze is a long `acquire`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::locked::{Queueing, busy, interrupted, token};
use super::report::{Answer, Wishes};
use super::{Context, consent};
use crate::error::{Exit, Failure};
use crate::kubectl::Kubectl;
use crate::manifest::Duration;
use crate::release::lock::{self, Hold, State, Taking};
use crate::ui::{Tone, Ui, ago, seconds};

/// The arguments of `lock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Tell who has the environment, and who waits
    Show(Show),
    /// Keep the environment for yourself for a while; prints the token with which you still ship. Again with the token: for longer
    Acquire(Acquire),
    /// Give the environment back, with the token in SHIPCAT_LOCK
    Release(Release),
    /// Take the lock from whoever has it: once that run has stopped, or died
    Steal(Steal),
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    answer: Answer,
}

#[derive(Debug, clap::Args)]
struct Release {
    #[command(flatten)]
    answer: Answer,
}

#[derive(Debug, clap::Args)]
struct Acquire {
    /// For how long; it ends by itself
    #[arg(long = "for", value_name = "TIME")]
    span: Duration,
    /// What for: it is told to everybody who wants to ship
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    queueing: Queueing,
    #[command(flatten)]
    answer: Answer,
}

#[derive(Debug, clap::Args)]
struct Steal {
    /// Why: it is told to whoever loses it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not wait until the run has stopped: only when it is known to be dead
    #[arg(long)]
    now: bool,
    /// Go on in a protected environment without being asked
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    answer: Answer,
}

impl Args {
    /// How the answer is wished for.
    pub fn wishes(&self) -> Wishes {
        match &self.verb {
            Verb::Show(args) => args.answer.of("lock show"),
            Verb::Acquire(args) => args.answer.of("lock acquire"),
            Verb::Release(args) => args.answer.of("lock release"),
            Verb::Steal(args) => args.answer.of("lock steal"),
        }
    }
}

/// Runs it.
///
/// # Errors
/// If the lock cannot be read or written, or is somebody else's.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let kubectl = context.kubectl()?;
    match &args.verb {
        Verb::Show(args) => show(&context, &kubectl, args),
        Verb::Acquire(args) => acquire(&context, &kubectl, args),
        Verb::Release(_) => release(&context, &kubectl),
        Verb::Steal(args) => steal(&context, &kubectl, args),
    }
}

fn show(context: &Context, kubectl: &Kubectl<'_>, args: &Show) -> Result<Exit> {
    let (state, _) = lock::read(kubectl).map_err(|error| error.refused("cannot read the lock"))?;
    let name = &context.environment.name;
    if args.answer.is_json() {
        let run = state.run.as_ref().map(|run| {
            json!({"who": run.who, "what": run.what, "step": run.step, "build": run.build, "since": run.since.to_string(),
                "renewed": run.renewed.to_string(), "stolenBy": run.robbed.as_ref().map(|theft| &theft.who)})
        });
        let hold = state.hold.as_ref().map(hold_as_json);
        let queue: Vec<_> = state.queue.iter().map(|place| json!({"who": place.who, "what": place.what})).collect();
        let stolen = state.stolen.as_ref().map(
            |theft| json!({"who": theft.who, "reason": theft.reason, "at": theft.at.to_string(), "from": theft.from}),
        );
        let environment = name.to_string();
        let value = json!({"version": 1, "environment": environment, "run": run, "hold": hold, "queue": queue, "stolen": stolen});
        context.report.answer(value);
        return Ok(Exit::Done);
    }
    context.ui.product(&described(name.as_ref(), &state)).context("cannot write to stdout")?;
    Ok(Exit::Done)
}

fn hold_as_json(hold: &Hold) -> Value {
    json!({"who": hold.who, "reason": hold.reason, "since": hold.since.to_string(), "until": hold.end().to_string()})
}

/// What the lock says, for people.
fn described(name: &str, state: &State) -> String {
    let age = |since: Timestamp| {
        ago(std::time::Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default())
    };
    let mut text = String::new();
    if let Some(run) = &state.run {
        let _ = writeln!(text, "{name} is at work: {}", run.what);
        let _ = writeln!(text, "  by        {}, begun {}", run.who, age(run.since));
        if !run.step.is_empty() {
            let _ = writeln!(text, "  step      {}", run.step);
        }
        if let Some(build) = &run.build {
            let _ = writeln!(text, "  build     {build}");
        }
        let _ = writeln!(text, "  renewed   {}", age(run.renewed));
        if let Some(theft) = &run.robbed {
            let _ = writeln!(text, "  stolen    by {}, {}: {}; it is to stop", theft.who, age(theft.at), theft.reason);
        }
    }
    if let Some(hold) = &state.hold {
        let left = std::time::Duration::try_from(lock::left(hold)).unwrap_or_default();
        let _ =
            writeln!(text, "{name} is kept by {} for another {}, since {}", hold.who, seconds(left), age(hold.since));
        if !hold.reason.is_empty() {
            let _ = writeln!(text, "  reason    {}", hold.reason);
        }
    }
    if text.is_empty() {
        let _ = writeln!(text, "{name} is free");
    }
    for (at, place) in state.queue.iter().enumerate() {
        let _ = writeln!(text, "  waits {:<3} {}: {}", at + 1, place.who, place.what);
    }
    if let Some(theft) = &state.stolen {
        let _ =
            writeln!(text, "  last stolen by {}, {}: {} (from {})", theft.who, age(theft.at), theft.reason, theft.from);
    }
    text
}

fn acquire(context: &Context, kubectl: &Kubectl<'_>, args: &Acquire) -> Result<Exit> {
    let (ui, name) = (&context.ui, &context.environment.name);
    if args.span.0.is_zero() {
        bail!(
            Failure::refused("`--for` says how long it is to be kept, and that is no time at all")
                .hint("try `--for 2h`")
        );
    }
    if let Some(token) = token() {
        return match lock::extend(kubectl, &token, args.span.0, args.reason.as_deref())? {
            Some(hold) => {
                kept(name.as_ref(), &hold, "longer ", ui);
                // Whoever keeps the output has the token, as the first time.
                hand_over(context, &token, &hold)
            }
            None => {
                Err(Failure::refused(format!("the token in SHIPCAT_LOCK is none of {name}'s, or its time is over"))
                    .hint("without SHIPCAT_LOCK in the environment it is acquired anew")
                    .into())
            }
        };
    }
    let what = format!("lock acquire --for {}", seconds(args.span.0));
    match lock::take(kubectl, &args.queueing.wish(context, &what), &true.into(), ui)? {
        Taking::Interrupted(signal) => Ok(interrupted(signal, ui)),
        Taking::Busy(holder) => Err(busy(context, &holder, &args.queueing)),
        Taking::Unwanted => Ok(Exit::Refused),
        Taking::Cannot(error) => Err(error.refused("cannot take the lock of the environment").into()),
        Taking::Held { held, .. } => {
            let reason = args.reason.as_deref().unwrap_or_default();
            let (token, hold) = lock::acquire(kubectl, *held, args.span.0, reason, ui)?;
            kept(name.as_ref(), &hold, "", ui);
            ui.say(Tone::Plain, format!("hint: export SHIPCAT_LOCK with the token, and what you ship goes out; `shipcat lock release -n {name}` gives it back"));
            hand_over(context, &token, &hold)
        }
    }
}

/// The token is the product: who has it still ships.
fn hand_over(context: &Context, token: &str, hold: &Hold) -> Result<Exit> {
    if context.report.is_json() {
        let environment = context.environment.name.as_ref();
        let hold = hold_as_json(hold);
        context.report.answer(json!({"version": 1, "environment": environment, "token": token, "hold": hold}));
    } else {
        context.ui.product(&format!("{token}\n")).context("cannot write to stdout")?;
    }
    Ok(Exit::Done)
}

fn kept(name: &str, hold: &Hold, longer: &str, ui: &Ui) {
    let span = std::time::Duration::from_secs(u64::try_from(hold.seconds).unwrap_or_default());
    ui.say(Tone::Good, format!("{name} is yours {longer}for {}", seconds(span)));
}

fn release(context: &Context, kubectl: &Kubectl<'_>) -> Result<Exit> {
    let name = &context.environment.name;
    let was = lock::release(kubectl, token().as_deref())?;
    context.report.answer(json!({"version": 1, "environment": name.as_ref(), "released": was}));
    context
        .ui
        .say(Tone::Good, if was { format!("{name} is given back") } else { format!("{name} was not kept by anybody") });
    Ok(Exit::Done)
}

fn steal(context: &Context, kubectl: &Kubectl<'_>, args: &Steal) -> Result<Exit> {
    let (ui, name) = (&context.ui, &context.environment.name);
    crate::signal::listen()?;
    if let Some(signal) = consent::ask(&context.environment, "stealing its lock", args.yes, ui)? {
        return Ok(interrupted(signal, ui));
    }
    let from = lock::steal(kubectl, &args.reason, args.now, ui)?;
    context.report.answer(json!({"version": 1, "environment": name.as_ref(), "from": from}));
    match from {
        None => ui.say(Tone::Good, format!("nobody has the lock of {name}")),
        Some(from) => {
            ui.say(Tone::Good, format!("the lock of {name} is free; it was taken from {from}"));
            ui.say(Tone::Plain, "hint: if a release was under way, `shipcat status` tells how far it came");
        }
    }
    Ok(Exit::Done)
}
