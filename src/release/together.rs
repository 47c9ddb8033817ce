//! Several releases that stand or fall together: each waits, once it is up, until all are; if one fails, all are taken back.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::signal;

/// What they know of each other.
#[derive(Debug)]
pub struct Together {
    id: String,
    size: usize,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    up: usize,
    /// What failed first. Once all are up, none can fail any more.
    failed: Option<String>,
}

/// What becomes of one that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// All are up.
    Go,
    /// One of the others failed.
    Back(String),
    /// A signal came before all were up.
    Interrupted(u8),
}

impl Together {
    /// Of so many, with an id that no other group has.
    pub fn new(id: String, size: usize) -> Self {
        Self { id, size, state: Mutex::default(), moved: Condvar::new() }
    }

    /// The group's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that one of them failed; who fails later changes nothing.
    pub fn fail(&self, why: &str) {
        let mut state = self.state();
        if state.up < self.size && state.failed.is_none() {
            state.failed = Some(why.to_owned());
        }
        self.moved.notify_all();
    }

    /// What failed, if one did.
    pub fn failed(&self) -> Option<String> {
        self.state().failed.clone()
    }

    /// Says that one is up.
    pub fn is_up(&self) {
        self.state().up += 1;
        self.moved.notify_all();
    }

    /// Says that one is up, and waits for the others; `wait` is called again and again meanwhile.
    pub fn agree(&self, mut wait: impl FnMut(usize)) -> Word {
        self.is_up();
        loop {
            let mut state = self.state();
            if let Some(why) = &state.failed {
                return Word::Back(why.clone());
            }
            // From here on all go forward: no signal and no failure divides them.
            if state.up >= self.size {
                return Word::Go;
            }
            if let Some(signal) = signal::received() {
                state.failed = Some(format!("{} came", signal::name(signal)));
                self.moved.notify_all();
                return Word::Interrupted(signal);
            }
            let missing = self.size - state.up;
            drop(self.moved.wait_timeout(state, Duration::from_millis(100)));
            wait(missing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_go_when_all_are_up() {
        let together = Together::new("x".into(), 3);
        let words: Vec<Word> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..3).map(|_| scope.spawn(|| together.agree(|_| {}))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(words, [Word::Go, Word::Go, Word::Go]);
        // What fails afterwards divides them no more.
        together.fail("late");
        assert_eq!(together.failed(), None);
    }

    #[test]
    fn one_that_fails_takes_all_back() {
        let together = Together::new("x".into(), 3);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| together.agree(|_| {}));
            together.fail("w crashed");
            together.fail("another one");
            assert_eq!(waits.join().unwrap(), Word::Back("w crashed".into()));
        });
        assert_eq!(together.agree(|_| {}), Word::Back("w crashed".into()));
    }
}
