//! Nothing to do: then what runs is looked at.

use std::sync::Arc;

use anyhow::Result;

use super::look::Look;
use super::story;
use crate::error::Exit;
use crate::kubectl::Kubectl;
use crate::release::{self, Ended, Ending, Feed, Patience, Together, Trouble, VersionFrom};
use crate::ui::{Tone, Ui};

/// Nothing differs; but shipping again what is broken is no success.
///
/// # Errors
/// If it cannot be watched.
pub fn nothing_to_do<'a>(
    kubectl: &'a Kubectl<'a>,
    look: &Look,
    patience: &Patience,
    together: Option<&Together>,
    feed: Option<&Arc<Feed<'a>>>,
    ui: &Ui,
) -> Result<Ended> {
    let order = &look.order;
    let what = format!("{} {}", order.service, order.version);
    let (ending, failing) = release::look(kubectl, &look.plan, patience, feed, ui)?;
    if let Some(together) = together {
        match ending {
            // It may be the last that the others wait for; what becomes of them changes nothing of it.
            Ending::Good => together.is_up(),
            _ => together.fail(&format!("{} is broken", order.service)),
        }
    }
    let reason = Trouble::of(ending.clone()).map(|trouble| trouble.reason());
    let why = failing.first().map(|failing| failing.message.clone());
    let ended = |exit| Ended { reason, why, failing, ..Ended::at(exit) };
    Ok(match ending {
        Ending::Good => {
            let source = match (order.command.as_str(), order.from) {
                ("ship", VersionFrom::Manifest) => "the manifest says",
                ("ship", VersionFrom::Tag) | ("ship --image-only", _) => "asked for",
                ("ship" | "update", _) => "the manifest configures it",
                _ => "that release had it",
            };
            let verb = if look.plan.workloads().next().is_some() { "runs" } else { "is" };
            ui.say(Tone::Good, format!("nothing to do: {what} {verb} as {source}"));
            story::unmanaged(&look.unmanaged, ui);
            ended(Exit::Done)
        }
        Ending::Interrupted(signal) => ended(Exit::Interrupted(signal)),
        Ending::Superseded(why) | Ending::Blind(why) | Ending::Lockless(why) | Ending::Abandoned(why) => {
            ui.say(Tone::Bad, format!("error: nothing was changed, and it is not known how {what} is: {why}"));
            ended(Exit::AsBefore)
        }
        Ending::Doomed(_) | Ending::Late(_) => {
            ui.say(Tone::Bad, format!("error: nothing to change, but what runs is broken: {what}"));
            ui.say(Tone::Plain, "hint: ship a version that works, or `shipcat rollback`");
            ended(Exit::AsBefore)
        }
    })
}
