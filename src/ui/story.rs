//! What was told so far, and when: for who reads it afterwards, where nobody followed the terminal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many lines are kept; of more, the last ones.
const LINES: usize = 1000;

/// All that was told, line by line. A copy is the same story.
#[derive(Debug, Clone)]
pub struct Story {
    begun: Instant,
    lines: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Story {
    /// Nothing was told yet.
    pub fn new() -> Self {
        Self { begun: Instant::now(), lines: Arc::default() }
    }

    /// One more line.
    pub fn tell(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.remove(0);
        }
        lines.push((self.begun.elapsed(), line));
    }

    /// The lines, each with how long after the beginning it was told.
    pub fn lines(&self) -> Vec<(Duration, String)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long it has gone on.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}
