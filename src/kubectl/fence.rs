//! What a lock allows. A Lease keeps nobody from writing: whoever holds it must stop in time by himself.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::clock::Moment;

/// How long a change waits for a lock that could not be renewed.
const PATIENCE: Duration = Duration::from_mins(3);

/// A lock that is held, as far as changes care: when it was renewed last, and whether it is lost.
#[derive(Debug)]
pub struct Fence {
    lifetime: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    renewed: Moment,
    lost: Option<String>,
    step: String,
    /// How many changes are being made in this moment.
    at_work: usize,
    /// Whether its Lease goes with it, as far as is known.
    goes: bool,
}

/// That a change is being made; until it is dropped.
#[derive(Debug)]
pub struct Permit<'a>(&'a Fence);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.inner().at_work -= 1;
    }
}

impl Fence {
    /// Of a lock that was taken or renewed by a request sent at `renewed`, and runs out a lifetime later.
    pub fn new(lifetime: Duration, renewed: Moment, step: &str) -> Self {
        Self { lifetime, inner: Mutex::new(Inner { renewed, lost: None, step: step.into(), at_work: 0, goes: false }) }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// It was renewed by a request sent at `at`.
    pub fn renew(&self, at: Moment) {
        self.inner().renewed = at;
    }

    /// It is somebody else's, or nobody's.
    pub fn lose(&self, why: String) {
        self.inner().lost.get_or_insert(why);
    }

    /// Why it is lost, if it is.
    pub fn lost(&self) -> Option<String> {
        self.inner().lost.clone()
    }

    /// Says whether its Lease will be deleted when it is given back: nobody keeps the environment for himself.
    pub fn will_go(&self, goes: bool) {
        self.inner().goes = goes;
    }

    /// Whether its Lease will be deleted when it is given back, as far as is known.
    pub fn goes(&self) -> bool {
        self.inner().goes
    }

    /// Waits until no change is being made any more; none takes longer than half the lifetime.
    pub fn still(&self) {
        let started = Instant::now();
        while self.inner().at_work > 0 && started.elapsed() < self.lifetime {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What its holder does now, for those who wait.
    pub fn step(&self) -> String {
        self.inner().step.clone()
    }

    /// Says what its holder does now: told with the next renewal.
    pub fn at_step(&self, step: &str) {
        self.inner().step = step.into();
    }

    /// Half the lifetime: no change may take longer, and none may start with less left.
    pub fn half(&self) -> Duration {
        self.lifetime / 2
    }

    /// Waits until a change may start.
    ///
    /// # Errors
    /// Why it may not: the lock is lost, or could not be renewed for minutes.
    pub fn permit(&self) -> Result<Permit<'_>, String> {
        let started = Instant::now();
        loop {
            let mut inner = self.inner();
            if let Some(why) = &inner.lost {
                return Err(why.clone());
            }
            let age = inner.renewed.elapsed();
            if age <= self.half() {
                inner.at_work += 1;
                drop(inner);
                return Ok(Permit(self));
            }
            drop(inner);
            if started.elapsed() > PATIENCE {
                return Err(format!("the lock could not be renewed for {} s", age.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_waits_for_the_lock_and_stops_when_it_is_lost() {
        let fence = Fence::new(Duration::from_millis(200), Moment::now(), "");
        assert!(fence.permit().is_ok());
        std::thread::sleep(Duration::from_millis(150));
        std::thread::scope(|scope| {
            let late = scope.spawn(|| {
                let started = Instant::now();
                (fence.permit().is_ok(), started.elapsed())
            });
            std::thread::sleep(Duration::from_millis(150));
            fence.renew(Moment::now());
            let (permitted, waited) = late.join().unwrap();
            assert!(permitted && waited >= Duration::from_millis(100), "{waited:?}");
        });
        let permit = fence.permit().unwrap();
        fence.lose("ann stole it".into());
        assert_eq!(fence.permit().unwrap_err(), "ann stole it");
        // What was begun before is waited for.
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| fence.still());
            std::thread::sleep(Duration::from_millis(50));
            assert!(!waits.is_finished());
            drop(permit);
        });
    }
}
