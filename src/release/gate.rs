//! The gate before the changes of several releases: so many are made at once as the machine has processors. What a change costs is the
//! starts of kubectl; begun all in the same moment, the first would be made as late as the last.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A gate for the releases of one run.
#[derive(Debug)]
pub struct Gate {
    free: Mutex<usize>,
    left: Condvar,
}

/// That one of them is in. It is out when this is dropped, at the latest.
#[derive(Debug)]
pub struct Pass<'a> {
    gate: &'a Gate,
    is_in: AtomicBool,
}

impl Gate {
    /// For as many at once as the machine has processors.
    pub fn new() -> Self {
        Self::of(std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn of(at_once: usize) -> Self {
        Self { free: Mutex::new(at_once), left: Condvar::new() }
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room. Each change comes to its end by its own limits, also after a signal: the wait has no other.
    pub fn enter(&self) -> Pass<'_> {
        let mut free = self.free();
        while *free == 0 {
            free = self.left.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Pass { gate: self, is_in: AtomicBool::new(true) }
    }
}

impl Pass<'_> {
    /// Makes room for the next one; whatever comes now waits more than it works. Again it does nothing.
    pub fn leave(&self) {
        if self.is_in.swap(false, Ordering::Relaxed) {
            *self.gate.free() += 1;
            self.gate.left.notify_one();
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    #[test]
    fn so_many_are_in_and_who_leaves_makes_room() {
        let gate = Gate::of(2);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for n in 0..6 {
                let (gate, inside, most) = (&gate, &inside, &most);
                scope.spawn(move || {
                    let pass = gate.enter();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(20));
                    inside.fetch_sub(1, Ordering::SeqCst);
                    // Said, said again, or left to its end: it is one that goes.
                    (0..n % 3).for_each(|_| pass.leave());
                });
            }
        });
        assert_eq!(most.into_inner(), 2);
        assert_eq!(*gate.free(), 2);
    }
}
