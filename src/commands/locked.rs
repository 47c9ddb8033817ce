//! Under the lock: in an environment one release is made at a time (DESIGN section 4, steps 2 and 3).

use anyhow::{Result, anyhow};

use super::Context;
use super::look::Look;
use super::notify::{Notes, Notify};
use super::options::Patience;
use super::refusal::{findings, refuse};
use super::rescue::{Rescued, rescue};
use crate::bdd::Suite;
use crate::error::{Exit, Failure, Problems};
use crate::git::GitState;
use crate::kubectl::{Kubectl, Reason};
use crate::manifest::{Duration, Recording};
use crate::release::lock::{self, Taking, Wish};
use crate::release::{Finding, Outcome};
use crate::signal;
use crate::ui::{Tone, Ui};

/// How long to wait for somebody else.
#[derive(Debug, clap::Args)]
pub struct Queueing {
    /// How long to wait while somebody else is at work in the environment [default: not at all]
    #[arg(long, value_name = "TIME")]
    pub lock_wait: Option<Duration>,
}

impl Queueing {
    /// What is wished for.
    pub fn wish(&self, context: &Context, what: &str) -> Wish {
        Wish {
            what: what.to_owned(),
            patience: self.lock_wait.map_or(std::time::Duration::ZERO, |wait| wait.0),
            lifetime: context.environment.lock_lifetime,
            token: token(),
        }
    }
}

/// The token of somebody who keeps the environment for himself.
pub fn token() -> Option<String> {
    std::env::var("SHIPCAT_LOCK").ok().map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
}

/// What was read before a release.
#[derive(Debug)]
pub struct Prepared {
    /// What it would change.
    pub look: Look,
    /// The manifests repo's state.
    pub git: Option<GitState>,
    /// The version that is to be written into a file.
    pub recording: Option<Recording>,
    /// The tests that the release must pass.
    pub suite: Option<Suite>,
}

impl Prepared {
    /// Whether it was read while a release may have been under way.
    fn is_doubtful(&self) -> bool {
        self.look.reading.history.newest().is_some_and(|newest| newest.outcome == Outcome::Pending)
    }
}

/// What is to be done under the lock.
#[derive(Debug)]
pub struct Errand<'a> {
    /// The services.
    pub services: &'a [&'a str],
    /// What those who wait are told: `ship webapp 1.4.2`.
    pub what: &'a str,
    /// How long things may take.
    pub patience: &'a Patience,
    /// Whether nothing is to be changed: then no lock is taken.
    pub rehearse: bool,
    /// Whether Slack is told what became of it.
    pub notify: Notify,
}

/// Takes the lock and, side by side, reads what is needed; what was read before a wait is read again behind it. Then goes on under
/// the lock, and gives it back. A release of the service whose run died is recovered before. Behind all that, Slack is told what became of
/// each; also of what was recovered for a command that is refused then.
///
/// # Errors
/// If it is refused, or as `go` fails; nothing was changed then.
pub fn locked(
    context: &Context,
    kubectl: &Kubectl<'_>,
    errand: &Errand<'_>,
    prepare: impl Fn() -> Result<Vec<Prepared>> + Sync,
    go: impl FnOnce(Vec<Prepared>, &Notes) -> Result<Exit>,
) -> Result<Exit> {
    let notes = Notes::default();
    let result = under_lock(context, kubectl, errand, &notes, prepare, |prepared| go(prepared, &notes));
    notes.send(context, errand.notify);
    result
}

fn under_lock(
    context: &Context,
    kubectl: &Kubectl<'_>,
    errand: &Errand<'_>,
    notes: &Notes,
    prepare: impl Fn() -> Result<Vec<Prepared>> + Sync,
    go: impl FnOnce(Vec<Prepared>) -> Result<Exit>,
) -> Result<Exit> {
    let ui = &context.ui;
    let Errand { services, what, patience, rehearse, notify: _ } = *errand;
    let queueing = &patience.queueing;
    if rehearse {
        let (prepared, holder) = std::thread::scope(|scope| {
            let holder = scope.spawn(|| at_work(kubectl));
            (prepare(), holder.join().unwrap_or_default())
        });
        let mut prepared = prepared?;
        if let (Some(holder), Some(first)) = (holder, prepared.first_mut()) {
            first.look.findings.push(finding(&holder));
        }
        return go(prepared);
    }
    signal::listen()?;
    kubectl.stoppable(true);
    let wish = queueing.wish(context, what);
    let wanted = std::sync::atomic::AtomicBool::new(true);
    let (taking, first) = std::thread::scope(|scope| {
        let taking = scope.spawn(|| lock::take(kubectl, &wish, &wanted, ui));
        let first = prepare();
        if first.as_ref().is_err_and(|error| error.downcast_ref::<Problems>().is_some()) {
            // What is wrong with the files is wrong behind a wait as well.
            wanted.store(false, std::sync::atomic::Ordering::Relaxed);
        }
        (taking.join(), first)
    });
    let taking = taking.map_err(|_| anyhow!("shipcat itself failed while it took the lock"))??;
    let in_vain = kubectl.in_vain(false);
    match taking {
        Taking::Interrupted(signal) => Ok(interrupted(signal, ui)),
        Taking::Unwanted => first.map(|_| Exit::Refused),
        Taking::Busy(holder) => Err(busy(context, &holder, queueing)),
        // What was read meanwhile was given up for it, and says nothing.
        Taking::Cannot(error) if error.reason == Reason::Unreachable && signal::received().is_none() => {
            let what = format!("the cluster of context `{}` does not answer", kubectl.context());
            Err(error.refused(&what).into())
        }
        Taking::Cannot(error) => {
            // Preflight has more to say, if it is about permissions or the namespace; read again, where it was given up for the wait.
            let first = if in_vain { prepare()? } else { first? };
            refuse(&findings(&first.iter().map(|one| &one.look).collect::<Vec<_>>()))?;
            if let Some(signal) = signal::received() {
                return Ok(interrupted(signal, ui));
            }
            Err(error.refused("cannot take the lock of the environment").into())
        }
        Taking::Held { held, waited } => held.during(kubectl, ui, || {
            let with = |prepared: Result<Vec<Prepared>>| match signal::received() {
                Some(signal) => Ok(interrupted(signal, ui)),
                None => go(prepared?),
            };
            let again = waited || first.as_ref().map_or(true, |first| first.iter().any(Prepared::is_doubtful));
            let recovered = match again {
                false => Ok(Rescued::Nothing),
                true => {
                    if waited {
                        // There may be new ones since.
                        kubectl.conceal_secrets();
                    }
                    rescue(context, kubectl, services, (patience, notes))
                }
            };
            let was_recovered = matches!(recovered, Ok(Rescued::Done));
            let prepared = match recovered {
                Ok(Rescued::Ends(exit)) => return Ok(exit),
                Ok(_) if again => prepare(),
                Ok(_) => first,
                // What was given up for the wait says nothing; else what was wrong at first says more.
                Err(error) if waited => Err(error),
                Err(error) => first.and(Err(error)),
            };
            let result = with(prepared);
            if was_recovered && result.as_ref().map_or(true, |exit| *exit == Exit::Refused) {
                ui.say(Tone::Warn, "what was recovered before stands: `shipcat history` tells it");
            }
            result
        }),
    }
}

/// Takes the lock for what needs nothing read before, and gives it back behind it.
///
/// # Errors
/// If it is refused, or as `go` fails; nothing was changed then.
pub fn held(
    context: &Context,
    kubectl: &Kubectl<'_>,
    queueing: &Queueing,
    what: &str,
    go: impl FnOnce() -> Result<Exit>,
) -> Result<Exit> {
    let ui = &context.ui;
    kubectl.stoppable(true);
    match lock::take(kubectl, &queueing.wish(context, what), &true.into(), ui)? {
        Taking::Interrupted(signal) => Ok(interrupted(signal, ui)),
        Taking::Unwanted => Ok(Exit::Refused),
        Taking::Busy(holder) => Err(busy(context, &holder, queueing)),
        Taking::Cannot(error) => Err(error.refused("cannot take the lock of the environment").into()),
        Taking::Held { held, .. } => held.during(kubectl, ui, || match signal::received() {
            Some(signal) => Ok(interrupted(signal, ui)),
            None => go(),
        }),
    }
}

/// Who is at work in the environment, for those who only look; nothing where that may not be read.
pub fn at_work(kubectl: &Kubectl<'_>) -> Option<String> {
    lock::read(kubectl).ok().and_then(|(state, _)| lock::holder(&state))
}

/// The same as a finding: a ship would wait, or be told so.
pub fn finding(holder: &str) -> Finding {
    Finding::warning(format!("the lock is taken: {holder}"), "`--lock-wait 15m` waits for its turn")
}

/// A signal came while nothing was changed.
pub fn interrupted(signal: u8, ui: &Ui) -> Exit {
    let name = signal::name(signal);
    ui.say(Tone::Warn, format!("{name} came before anything was changed: nothing is left to do"));
    Exit::Interrupted(signal)
}

/// Somebody else is at it.
pub fn busy(context: &Context, holder: &str, queueing: &Queueing) -> anyhow::Error {
    let name = &context.environment.name;
    let holder = if holder.is_empty() { "somebody else" } else { holder };
    let hint = match queueing.lock_wait {
        None => "`--lock-wait 15m` waits for its turn".to_owned(),
        Some(_) => format!("`shipcat lock show -n {name}` tells who is at it, and who waits"),
    };
    Failure::refused(format!("the lock of {name} is taken: {holder}")).exit(Exit::Locked).hint(hint).into()
}
