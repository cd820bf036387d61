//! Where time comes from: the system, or a test's hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds per millisecond.
pub(crate) const MS: u64 = 1_000_000;

/// A source of time.
pub trait Clock: Send + Sync {
    /// Nanoseconds since an arbitrary instant; never goes back.
    fn now_ns(&self) -> u64;

    /// Nanoseconds since 1970-01-01 UTC, for time stamps that users see.
    fn unix_ns(&self) -> u64;
}

/// The system's monotonic and wall clocks.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that starts at 0 now.
    pub fn new() -> Self {
        SystemClock { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn unix_ns(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
    }
}

/// A clock that stands still until it is moved: tests of delays need no sleeping.
#[derive(Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward.
    pub fn advance_ns(&self, ns: u64) {
        self.0.fetch_add(ns, Ordering::Relaxed);
    }

    /// Moves the clock forward.
    pub fn advance_ms(&self, ms: u64) {
        self.advance_ns(ms * MS);
    }
}

impl Clock for ManualClock {
    fn now_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn unix_ns(&self) -> u64 {
        self.now_ns()
    }
}
