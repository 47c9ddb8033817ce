//! Whose turn it is: of several releases so many are rolled out side by side, and once none is rolled out any more, those that are up are
//! tested one at a time (DESIGN section 4, step 7). One that fails is taken back in its own turn, so that no other is tested meanwhile.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the releases of one run know of each other's turns.
#[derive(Debug)]
pub struct Turns {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug)]
struct State {
    /// How many more may be rolled out at once.
    free: usize,
    /// How many are to be rolled out still, or are at it.
    open: usize,
    /// Those that are up and wait to be tested.
    waiting: BTreeSet<usize>,
    /// Whether one is being tested.
    busy: bool,
}

/// How far one of them is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Before,
    Rolling,
    Waiting,
    Testing,
    Done,
}

/// The place of one of them. What it has is given back when it is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    turns: &'a Turns,
    number: usize,
    phase: Mutex<Phase>,
}

impl Turns {
    /// Of `count` releases, of which `at_once` are rolled out side by side.
    pub fn new(count: usize, at_once: usize) -> Self {
        let state = State { free: at_once.max(1), open: count, waiting: BTreeSet::new(), busy: false };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// The place of the one with this number. Each must have its place taken, and dropped.
    pub fn place(&self, number: usize) -> Place<'_> {
        Place { turns: self, number, phase: Mutex::new(Phase::Before) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it may be rolled out.
    pub fn begin(&self) {
        let mut state = self.turns.state();
        while state.free == 0 {
            state = self.turns.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.free -= 1;
        *self.phase() = Phase::Rolling;
    }

    /// Says that it is up, and waits until it may be tested, for as long as there is no `reason` to give up; `wait` is called again and
    /// again meanwhile, with how many are not up yet.
    ///
    /// # Errors
    /// The reason.
    pub fn test<R>(&self, reason: impl Fn() -> Option<R>, mut wait: impl FnMut(usize)) -> Result<(), R> {
        let mut state = self.turns.state();
        state.waiting.insert(self.number);
        state.free += 1;
        state.open -= 1;
        *self.phase() = Phase::Waiting;
        self.turns.moved.notify_all();
        loop {
            if let Some(reason) = reason() {
                return Err(reason);
            }
            if state.open == 0 && !state.busy && state.waiting.first() == Some(&self.number) {
                state.waiting.remove(&self.number);
                state.busy = true;
                *self.phase() = Phase::Testing;
                return Ok(());
            }
            wait(state.open);
            state = match self.turns.moved.wait_timeout(state, Duration::from_millis(100)) {
                Ok((state, _)) => state,
                Err(broken) => broken.into_inner().0,
            };
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.done();
    }
}

impl Place<'_> {
    /// Gives back what it has: the next one may be tested.
    pub fn done(&self) {
        let mut state = self.turns.state();
        match std::mem::replace(&mut *self.phase(), Phase::Done) {
            Phase::Before => state.open -= 1,
            Phase::Rolling => {
                state.free += 1;
                state.open -= 1;
            }
            Phase::Waiting => drop(state.waiting.remove(&self.number)),
            Phase::Testing => state.busy = false,
            Phase::Done => {}
        }
        self.turns.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn all_are_rolled_out_before_one_is_tested_and_one_is_tested_at_a_time() {
        let turns = Turns::new(6, 2);
        let (rolling, testing, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let order = Mutex::new(Vec::new());
        let (all, order_of_all) = (&turns, &order);
        std::thread::scope(|scope| {
            for n in 0..6 {
                let (rolling, testing, most) = (&rolling, &testing, &most);
                scope.spawn(move || {
                    let place = all.place(n);
                    place.begin();
                    most.fetch_max(rolling.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(20));
                    rolling.fetch_sub(1, Ordering::SeqCst);
                    // One of them fails on its way.
                    if n == 3 {
                        return;
                    }
                    place.test(|| None::<()>, |_| {}).unwrap();
                    assert_eq!((rolling.load(Ordering::SeqCst), testing.fetch_add(1, Ordering::SeqCst)), (0, 0));
                    std::thread::sleep(Duration::from_millis(5));
                    testing.fetch_sub(1, Ordering::SeqCst);
                    order_of_all.lock().unwrap().push(n);
                });
            }
        });
        assert_eq!((most.into_inner(), order.into_inner().unwrap()), (2, vec![0, 1, 2, 4, 5]));
    }

    #[test]
    fn who_gives_up_is_waited_for_by_nobody() {
        let turns = Turns::new(2, 2);
        let (first, second) = (turns.place(0), turns.place(1));
        first.begin();
        second.begin();
        assert_eq!(first.test(|| Some("Ctrl-C"), |_| {}), Err("Ctrl-C"));
        drop(first);
        second.test(|| None::<()>, |_| {}).unwrap();
    }
}
