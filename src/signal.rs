//! Interrupts: remembered when they come, asked for by whoever can stop at that point. A leaf.

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static FIRST: AtomicUsize = AtomicUsize::new(0);
static AGAIN: AtomicUsize = AtomicUsize::new(0);
static STARTED: OnceLock<()> = OnceLock::new();

/// Starts listening; from here on a signal no longer ends the process.
///
/// # Errors
/// If the handler cannot be installed.
pub fn listen() -> std::io::Result<()> {
    if STARTED.set(()).is_err() {
        return Ok(());
    }
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    // Without one nobody can insist.
    let on_terminal = std::io::stdin().is_terminal() || std::io::stderr().is_terminal();
    std::thread::spawn(move || {
        let mut first_at: Option<Instant> = None;
        for signal in signals.forever() {
            let number = usize::try_from(signal).unwrap_or_default();
            match first_at {
                None => {
                    first_at = Some(Instant::now());
                    FIRST.store(number, Ordering::SeqCst);
                }
                // CI systems send several signals: only a second Ctrl-C on a terminal, a second later, is a person who means it.
                Some(at) if on_terminal && signal == SIGINT && at.elapsed() >= Duration::from_secs(1) => {
                    AGAIN.store(number, Ordering::SeqCst);
                }
                Some(_) => {}
            }
        }
    });
    Ok(())
}

/// The first signal that came, if one did: its number.
pub fn received() -> Option<u8> {
    u8::try_from(FIRST.load(Ordering::SeqCst)).ok().filter(|number| *number != 0)
}

/// Whether a person insisted: a second Ctrl-C on a terminal, at least a second after the first signal.
pub fn insisted() -> bool {
    AGAIN.load(Ordering::SeqCst) != 0
}

/// The signal's name as people know it.
pub fn name(number: u8) -> &'static str {
    match i32::from(number) {
        SIGHUP => "SIGHUP",
        SIGINT => "Ctrl-C",
        SIGTERM => "SIGTERM",
        _ => "a signal",
    }
}
