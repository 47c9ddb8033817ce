//! A release whose run died: the next `ship`, `update` or `rollback` of its service brings it to one of its ends first, under the lock.

use anyhow::Result;

use super::launch::Patience;
use super::locked::interrupted;
use super::{Context, consent};
use crate::error::{Exit, Failure};
use crate::kubectl::Kubectl;
use crate::release::{Choice, History, Reach, Stranded};
use crate::ui::Tone;

/// What becomes of a release whose run died.
#[derive(Debug, clap::Args)]
pub struct Rescue {
    /// Complete a release whose run died, or leave it as it is
    #[arg(long, conflicts_with = "take_back")]
    resume: bool,
    /// Take a release whose run died back, also if it went well since
    #[arg(long)]
    take_back: bool,
}

impl Rescue {
    fn choice(&self) -> Choice {
        match (self.resume, self.take_back) {
            (true, _) => Choice::Resume,
            (_, true) => Choice::TakeBack,
            _ => Choice::Fitting,
        }
    }
}

/// Recovers the newest release of a service, if its run died. Gives how the command ends, where it cannot go on behind that.
///
/// # Errors
/// If it cannot be told how far that release came, or nobody could be asked; nothing was changed then.
pub fn rescue(context: &Context, kubectl: &Kubectl<'_>, service: &str, patience: &Patience) -> Result<Option<Exit>> {
    let ui = &context.ui;
    let history = History::read(kubectl, service, &false.into())?;
    let Some(stranded) = Stranded::find(kubectl, &history)? else { return Ok(None) };
    let choice = patience.rescue.choice();
    let number = stranded.number();
    ui.say(Tone::Warn, stranded.told());
    let act = match (&stranded.reach, choice) {
        (Reach::Nothing, _) | (Reach::Foreign(_), Choice::Fitting | Choice::Resume) => None,
        (Reach::All, Choice::Fitting | Choice::Resume) => Some(format!("completing release {number}")),
        _ => Some(format!("taking release {number} back")),
    };
    if let Some(act) = act
        && choice == Choice::Fitting
    {
        // That somebody says yes to a release says nothing of what an earlier one left.
        let asked = consent::ask(&context.environment, &act, false, ui).map_err(|_| {
            Failure::refused(format!("{} is protected: {act} is not done unasked", context.environment.name))
                .hint("`--resume` completes it, `--take-back` takes it back; `shipcat diff` shows what is live")
        });
        if let Some(signal) = asked? {
            return Ok(Some(interrupted(signal, ui)));
        }
    }
    kubectl.stoppable(false);
    kubectl.at_step("recovers a release that died");
    let exit =
        stranded.recover(kubectl, context.environment.name.as_ref(), &history, patience.limits(context), choice, ui)?;
    kubectl.stoppable(true);
    Ok(match exit {
        Exit::Done | Exit::AsBefore => None,
        other => Some(other),
    })
}
