//! Asking before something is changed in a protected environment.

use std::io::{BufRead, IsTerminal};
use std::time::Duration;

use anyhow::{Result, bail};

use super::order::Order;
use crate::error::Failure;
use crate::manifest::Environment;
use crate::ui::{Tone, Ui};

/// How long an answer may take before the cluster is looked at again.
pub const STALE: Duration = Duration::from_secs(5);

/// Asks for the environment's name, where it is protected. Where nobody can be asked, only `--yes` goes on.
///
/// # Errors
/// If the answer is another one, or there is nobody to ask.
pub fn ask(environment: &Environment, order: &Order, yes: bool, ui: &Ui) -> Result<()> {
    let name = environment.name.as_ref();
    if !environment.protected || yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        bail!(
            Failure::refused(format!("the environment `{name}` is protected, and there is no terminal to ask at"))
                .hint("look at `shipcat diff` first; with `--yes` it goes on without being asked")
        );
    }
    let Order { service, version, command, .. } = order;
    ui.say(
        Tone::Warn,
        format!("{name} is protected. Type its name to go on with the {command} of {service} {version}:"),
    );
    ui.settle();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_err() || answer.trim() != name {
        bail!(
            Failure::refused(format!("that is not `{name}`: nothing was changed"))
                .hint("run it again to be asked again")
        );
    }
    Ok(())
}
