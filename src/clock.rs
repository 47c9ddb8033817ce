//! A clock for what runs out: it goes on while the machine is suspended. A leaf: imports nothing of this crate.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The clock that counts suspend. On macOS the monotonic one does (`man clock_gettime` there).
#[cfg(any(target_os = "linux", target_os = "android"))]
const COUNTS_SUSPEND: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const COUNTS_SUSPEND: ClockId = ClockId::Monotonic;

/// A moment on that clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        let time = clock_gettime(COUNTS_SUSPEND);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Self(Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanos))
    }

    /// How long ago it was, suspend included.
    pub fn elapsed(self) -> Duration {
        Self::now().since(self)
    }

    /// How long after another one it is.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward() {
        let start = Moment::now();
        std::thread::sleep(Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(start.since(Moment::now()), Duration::ZERO);
    }
}
