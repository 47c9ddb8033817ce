//! Asking before something is changed in a protected environment.

use std::io::{BufRead, IsTerminal};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::error::Failure;
use crate::manifest::Environment;
use crate::origin;
use crate::signal;
use crate::ui::{Tone, Ui};

/// How long an answer may take before the cluster is looked at again.
pub const STALE: Duration = Duration::from_secs(5);

/// Sees that somebody who changes everything in a protected environment, or takes something away, means it.
///
/// # Errors
/// If it is protected, and there is no `--yes`.
pub fn all_at_once(environment: &Environment, all: bool, yes: bool) -> Result<()> {
    if all && environment.protected && !yes {
        let what = format!("`{}` is protected: that is done with `--yes` only", environment.name);
        bail!(Failure::refused(what).hint("look at `shipcat diff` first, then run the same with `--yes`"));
    }
    Ok(())
}

/// Asks for the environment's name, where it is protected, before `what` is done. Where nobody can be asked, only `--yes` goes on. A signal
/// that comes instead of an answer is given back.
///
/// # Errors
/// If the answer is another one, or there is nobody to ask.
pub fn ask(environment: &Environment, what: &str, yes: bool, ui: &Ui) -> Result<Option<u8>> {
    let name = environment.name.as_ref();
    if !environment.protected || yes {
        return Ok(None);
    }
    // A CI system may have a terminal, and nobody at it.
    let alone = origin::in_ci();
    if alone || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let nobody = if alone { "nobody to ask in CI" } else { "no terminal to ask at" };
        bail!(
            Failure::refused(format!("the environment `{name}` is protected, and there is {nobody}"))
                .hint("look at `shipcat diff` first; with `--yes` it goes on without being asked")
        );
    }
    ui.say(Tone::Warn, format!("{name} is protected. Type its name to go on with {what}:"));
    ui.settle();
    // Signals are remembered, and end no read: it has a thread of its own.
    let (sender, answers) = channel();
    std::thread::spawn(move || {
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        drop(sender.send(read.map(|_| answer)));
    });
    let answer = loop {
        if let Some(signal) = signal::received() {
            return Ok(Some(signal));
        }
        match answers.recv_timeout(Duration::from_millis(50)) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Ok(answer)) => break Some(answer),
            _ => break None,
        }
    };
    if answer.is_none_or(|answer| answer.trim() != name) {
        bail!(
            Failure::refused(format!("that is not `{name}`: nothing was changed"))
                .hint("run it again to be asked again")
        );
    }
    Ok(None)
}
