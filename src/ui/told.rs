//! When a wait is worth a line, where no terminal is. Pure.

use std::time::{Duration, Instant};

/// What lasts shorter than this is not told.
const BLINK: Duration = Duration::from_millis(400);

/// How long what changes all the time may go untold.
const BUSY: Duration = Duration::from_secs(3);

/// How long a wait may be silent.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// What was told last, and what is waited for.
#[derive(Debug, Clone)]
pub struct Told {
    /// When anything was told last.
    at: Instant,
    /// The wait that was told last.
    wait: String,
    /// What is waited for now.
    now: String,
    /// Since when.
    since: Instant,
    /// Whether that was told.
    is_told: bool,
    /// Since when something else is waited for than was told.
    behind: Option<Instant>,
}

impl Told {
    /// Nothing is waited for yet.
    pub fn new(now: Instant) -> Self {
        Self { at: now, wait: String::new(), now: String::new(), since: now, is_told: true, behind: None }
    }

    /// Something was told.
    pub fn said(&mut self, now: Instant) {
        self.at = now;
    }

    /// Whether it is time to tell what is waited for: it is new and lasts, or nothing was told for long. Then it counts as told.
    pub fn is_due(&mut self, what: &str, now: Instant) -> bool {
        if self.now != what {
            what.clone_into(&mut self.now);
            (self.since, self.is_told) = (now, false);
        }
        self.behind = (self.wait != what).then(|| self.behind.unwrap_or(now));
        let is_busy = self.behind.is_some_and(|behind| now.duration_since(behind) >= BUSY);
        let lasts = now.duration_since(self.since) >= BLINK || is_busy;
        let is_due = (!self.is_told && self.wait != what && lasts) || now.duration_since(self.at) >= SIGN_OF_LIFE;
        if is_due {
            self.behind = None;
            self.is_told = true;
            what.clone_into(&mut self.wait);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times, in milliseconds, at which something is told of what is waited for at each tenth of a second.
    fn times(of: impl Fn(u64) -> String, until: u64) -> Vec<u64> {
        let start = Instant::now();
        let mut told = Told::new(start);
        let mut times = Vec::new();
        for at in (0..=until).step_by(100) {
            let now = start + Duration::from_millis(at);
            if told.is_due(&of(at), now) {
                told.said(now);
                times.push(at);
            }
        }
        times
    }

    #[test]
    fn what_changes_is_told_once_and_each_half_minute_that_it_goes_on() {
        let of = |at: u64| if at < 5000 { "0 of 2".into() } else { "1 of 2".to_owned() };
        assert_eq!(times(of, 70_000), [400, 5400, 35_400, 65_400]);
    }

    #[test]
    fn what_passes_in_a_moment_is_not_told_and_what_never_rests_is() {
        assert_eq!(times(|at| if at == 1000 { "blink".into() } else { "x".to_owned() }, 5000), [400]);
        assert_eq!(times(|at| at.to_string(), 10_000), [3000, 6100, 9200]);
    }
}
