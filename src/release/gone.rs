//! Waiting until what was deleted is gone, with what it owns.

use std::time::{Duration, Instant};

use super::putback::PutBack;
use crate::error::join_and;
use crate::kubectl::{Kubectl, Reason};
use crate::signal;
use crate::ui::Ui;
use crate::yaml::Object;

/// Waits until these very objects are gone. `interrupted` says when to stop waiting before.
///
/// # Errors
/// Why it is not known that they are, in a line.
pub fn await_gone(
    kubectl: &Kubectl<'_>,
    mut going: Vec<Object>,
    patience: Duration,
    interrupted: impl Fn() -> bool,
    ui: &Ui,
) -> Result<(), String> {
    let started = Instant::now();
    let result = loop {
        match kubectl.live(&going, &false.into()) {
            Ok(live) => going.retain(|going| going.among(&live).is_some_and(|live| live.uid() == going.uid())),
            Err(error) if error.reason == Reason::Unreachable => {}
            Err(error) => break Err(format!("cannot see whether everything is gone: {}", error.said)),
        }
        if going.is_empty() {
            break Ok(());
        }
        let names: Vec<String> = going.iter().map(ToString::to_string).collect();
        if started.elapsed() > patience || interrupted() {
            break Err(format!("being deleted and not gone yet: {}", join_and(&names)));
        }
        ui.wait(started, &format!("waiting until {}, with what it owns, has gone", join_and(&names)));
        std::thread::sleep(Duration::from_millis(300));
    };
    ui.rest();
    result
}

/// Waits until everything that a put-back deleted is gone, with its pods.
pub fn await_removed(kubectl: &Kubectl<'_>, back: &mut PutBack, patience: Duration, ui: &Ui) {
    let going = std::mem::take(&mut back.going);
    if !going.is_empty() {
        back.failed.extend(await_gone(kubectl, going, patience, signal::insisted, ui).err());
    }
}
