//! The lock of an environment and its queue (DESIGN section 4.3): one Lease, changed by compare-and-swap on its resource version.

mod decide;
mod keep;
mod people;
mod state;
mod take;

pub use keep::end_ahead;
pub use people::{acquire, extend, left, release, steal};
pub use state::{Hold, State};
pub use take::{Taking, Wish, read, take};

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::ui::{ago, seconds};

/// A text that nobody guesses, in hexadecimal.
///
/// # Errors
/// If the system has no randomness to give.
pub fn random() -> std::io::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(hex(&bytes))
}

/// A number from 0 to 1, by which those who try at once do not try again at once.
fn chance() -> f64 {
    let mut byte = [0u8; 1];
    getrandom::fill(&mut byte).map_or(0.5, |()| f64::from(byte[0]) / 255.0)
}

/// What the Lease keeps of a token: who reads it cannot use it.
pub fn hashed(token: &str) -> String {
    hex(&Sha256::digest(token.trim().as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who is in the way, in a line; nothing if nobody is.
pub fn holder(state: &State) -> Option<String> {
    in_the_way(state).map(|(who, age)| format!("{who}{age}"))
}

/// Who is in the way, and behind that what changes all the time: for how long already, or still.
fn in_the_way(state: &State) -> Option<(String, String)> {
    let age = |since: Timestamp| Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default();
    if let Some(run) = &state.run {
        let build = run.build.as_ref().map(|url| format!(", {url}")).unwrap_or_default();
        let step = if run.step.is_empty() { String::new() } else { format!(", {}", run.step) };
        return Some((format!("{}: {}{step}{build}", run.who, run.what), format!(", since {}", ago(age(run.since)))));
    }
    if let Some(hold) = &state.hold {
        let reason = if hold.reason.is_empty() { String::new() } else { format!(" ({})", hold.reason) };
        let left = Duration::try_from(left(hold)).unwrap_or_default();
        let span = format!(", since {}, for another {}", ago(age(hold.since)), seconds(left));
        return Some((format!("{} keeps it for themselves{reason}", hold.who), span));
    }
    let first = state.queue.first()?;
    Some((format!("{}: {}, first in the queue", first.who, first.what), String::new()))
}
