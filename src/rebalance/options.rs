//! The parameters of the modes, their defaults and their accepted ranges.

use std::fmt;
use std::sync::Arc;

use super::stats::{ModeChange, Progress};
use crate::error::{Error, ErrorKind, Result};

/// Whether and when the traces of deletions are put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Mode {
    /// Records are removed and nothing else is moved.
    #[default]
    None,
    /// Batches of nodes are worked off inside the deleting call.
    Lazy,
    /// A background thread works in small slices.
    Incremental,
    /// The operations are watched and one of the other modes is chosen.
    Smart,
}

impl Mode {
    /// The word users read and write.
    pub fn name(self) -> &'static str {
        match self {
            Mode::None => "none",
            Mode::Lazy => "lazy",
            Mode::Incremental => "incremental",
            Mode::Smart => "smart",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of the modes that smart may choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeSet(u32);

impl ModeSet {
    /// None, lazy and incremental.
    pub const ALL: ModeSet = ModeSet(7);

    /// The set with these bits: 1 none, 2 lazy, 4 incremental. Checked with the other options.
    pub const fn from_bits(bits: u32) -> Self {
        ModeSet(bits)
    }

    /// The bits, as given.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set of these modes.
    pub fn of(modes: &[Mode]) -> Self {
        ModeSet(modes.iter().fold(0, |bits, &mode| bits | Self::bit(mode)))
    }

    /// Whether `mode` is in the set.
    pub fn contains(self, mode: Mode) -> bool {
        self.0 & Self::bit(mode) != 0
    }

    fn bit(mode: Mode) -> u32 {
        match mode {
            Mode::None => 1,
            Mode::Lazy => 2,
            Mode::Incremental => 4,
            Mode::Smart => 8,
        }
    }
}

impl Default for ModeSet {
    fn default() -> Self {
        Self::ALL
    }
}

/// When lazy works, and how much at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct LazyOptions {
    /// Work begins when underfull / all nodes reaches this. 0.01 to 0.20.
    pub threshold: f64,
    /// Work begins when this long has passed since the first unserved deletion or replacement. 1 ms to 24 h.
    pub max_delay_ms: u64,
    /// Nodes that one call works off at most. 1 to 1,000,000.
    pub batch_size: u64,
}

impl Default for LazyOptions {
    fn default() -> Self {
        LazyOptions { threshold: 0.05, max_delay_ms: 300_000, batch_size: 100 }
    }
}

impl LazyOptions {
    /// An error that names the first field outside its range.
    pub fn check(&self) -> Result<()> {
        if !(0.01..=0.20).contains(&self.threshold) {
            return Err(Error::range("lazy threshold", self.threshold, "0.01..0.20"));
        }
        within("lazy max_delay_ms", self.max_delay_ms, 1, DAY_MS)?;
        within("lazy batch_size", self.batch_size, 1, 1_000_000)
    }
}

/// Told after each background session; on the background thread, without any lock held.
pub type ProgressCallback = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How often and how long the background thread works.
#[derive(Clone)]
pub struct IncrementalOptions {
    /// A session works at most this long. 100 µs to 10 s.
    pub budget_us: u64,
    /// From the start of one session to the start of the next. 1 ms to 1 h.
    pub interval_ms: u64,
    /// Told after each session.
    pub progress: Option<ProgressCallback>,
}

impl Default for IncrementalOptions {
    fn default() -> Self {
        IncrementalOptions { budget_us: 100_000, interval_ms: 5_000, progress: None }
    }
}

impl IncrementalOptions {
    /// An error that names the first field outside its range.
    pub fn check(&self) -> Result<()> {
        within("incremental budget_us", self.budget_us, 100, 10_000_000)?;
        within("incremental interval_ms", self.interval_ms, 1, 3_600_000)
    }
}

/// Told when smart changes the mode; on the background thread, without any lock held.
pub type ModeChangeCallback = Arc<dyn Fn(&ModeChange) + Send + Sync>;

/// What smart may do, and how sure it has to be.
#[derive(Clone)]
pub struct SmartOptions {
    /// Watch the operations. Off: only the file's size decides (small: none, large: incremental, between: lazy).
    pub auto_detect: bool,
    /// Follow the workload. Off: the first choice made with enough confidence stays.
    pub auto_switch: bool,
    /// Below this size the mode is none.
    pub min_file_size: u64,
    /// What may be chosen.
    pub allowed_modes: ModeSet,
    /// The longest time between two evaluations, where there is a thread. 1 ms to 24 h.
    pub reevaluate_ms: u64,
    /// No switch below this confidence. 0 to 1.
    pub min_confidence: f64,
    /// No second switch within this time. 0 to 24 h.
    pub min_switch_interval_ms: u64,
    /// Told of each change.
    pub on_mode_change: Option<ModeChangeCallback>,
}

impl Default for SmartOptions {
    fn default() -> Self {
        SmartOptions {
            auto_detect: true,
            auto_switch: true,
            min_file_size: 10 << 20,
            allowed_modes: ModeSet::ALL,
            reevaluate_ms: 300_000,
            min_confidence: 0.7,
            min_switch_interval_ms: 30_000,
            on_mode_change: None,
        }
    }
}

impl SmartOptions {
    /// An error that names the first field outside its range.
    pub fn check(&self) -> Result<()> {
        let modes = self.allowed_modes.bits();
        if modes == 0 {
            return Err(Error::new(
                ErrorKind::Range,
                "smart allowed_modes is empty; accepted is a set of none, lazy, incremental",
            ));
        }
        if modes & !ModeSet::ALL.bits() != 0 {
            return Err(Error::range("smart allowed_modes", modes, "1..7 (1 none, 2 lazy, 4 incremental, added)"));
        }
        within("smart reevaluate_ms", self.reevaluate_ms, 1, DAY_MS)?;
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return Err(Error::range("smart min_confidence", self.min_confidence, "0.00..1.00"));
        }
        within("smart min_switch_interval_ms", self.min_switch_interval_ms, 0, DAY_MS)
    }
}

const DAY_MS: u64 = 86_400_000;

fn within(field: &str, value: u64, low: u64, high: u64) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(Error::range(field, value, format_args!("{low}..{high}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lazy(edit: impl FnOnce(&mut LazyOptions)) -> Result<()> {
        let mut options = LazyOptions::default();
        edit(&mut options);
        options.check()
    }

    fn incremental(edit: impl FnOnce(&mut IncrementalOptions)) -> Result<()> {
        let mut options = IncrementalOptions::default();
        edit(&mut options);
        options.check()
    }

    fn smart(edit: impl FnOnce(&mut SmartOptions)) -> Result<()> {
        let mut options = SmartOptions::default();
        edit(&mut options);
        options.check()
    }

    #[track_caller]
    fn refused(result: Result<()>, message: &str) {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Range, message));
    }

    #[test]
    fn defaults_and_both_ends_of_each_range_are_accepted() {
        lazy(|_| ()).unwrap();
        incremental(|_| ()).unwrap();
        smart(|_| ()).unwrap();
        for threshold in [0.01, 0.20] {
            lazy(|o| o.threshold = threshold).unwrap();
        }
        for ms in [1, 86_400_000] {
            lazy(|o| o.max_delay_ms = ms).unwrap();
            smart(|o| o.reevaluate_ms = ms).unwrap();
            smart(|o| o.min_switch_interval_ms = ms - 1).unwrap();
        }
        for nodes in [1, 1_000_000] {
            lazy(|o| o.batch_size = nodes).unwrap();
        }
        for us in [100, 10_000_000] {
            incremental(|o| o.budget_us = us).unwrap();
        }
        for ms in [1, 3_600_000] {
            incremental(|o| o.interval_ms = ms).unwrap();
        }
        for confidence in [0.0, 1.0] {
            smart(|o| o.min_confidence = confidence).unwrap();
        }
        for size in [0, u64::MAX] {
            smart(|o| o.min_file_size = size).unwrap();
        }
    }

    #[test]
    fn values_outside_are_refused_with_field_value_and_range() {
        refused(lazy(|o| o.threshold = 0.5), "lazy threshold 0.5 is outside 0.01..0.20");
        refused(lazy(|o| o.threshold = 0.009), "lazy threshold 0.009 is outside 0.01..0.20");
        refused(lazy(|o| o.threshold = f64::NAN), "lazy threshold NaN is outside 0.01..0.20");
        refused(lazy(|o| o.max_delay_ms = 0), "lazy max_delay_ms 0 is outside 1..86400000");
        refused(lazy(|o| o.max_delay_ms = 86_400_001), "lazy max_delay_ms 86400001 is outside 1..86400000");
        refused(lazy(|o| o.batch_size = 0), "lazy batch_size 0 is outside 1..1000000");
        refused(lazy(|o| o.batch_size = 1_000_001), "lazy batch_size 1000001 is outside 1..1000000");
        refused(incremental(|o| o.budget_us = 99), "incremental budget_us 99 is outside 100..10000000");
        refused(incremental(|o| o.interval_ms = 0), "incremental interval_ms 0 is outside 1..3600000");
        refused(smart(|o| o.reevaluate_ms = 0), "smart reevaluate_ms 0 is outside 1..86400000");
        refused(smart(|o| o.min_confidence = 1.5), "smart min_confidence 1.5 is outside 0.00..1.00");
        refused(
            smart(|o| o.min_switch_interval_ms = 86_400_001),
            "smart min_switch_interval_ms 86400001 is outside 0..86400000",
        );
        refused(
            smart(|o| o.allowed_modes = ModeSet::of(&[])),
            "smart allowed_modes is empty; accepted is a set of none, lazy, incremental",
        );
        refused(
            smart(|o| o.allowed_modes = ModeSet::from_bits(9)),
            "smart allowed_modes 9 is outside 1..7 (1 none, 2 lazy, 4 incremental, added)",
        );
    }

    #[test]
    fn a_mode_set_holds_what_was_put_in() {
        let set = ModeSet::of(&[Mode::None, Mode::Incremental]);
        assert_eq!(set.bits(), 5);
        assert!(set.contains(Mode::None) && set.contains(Mode::Incremental));
        assert!(!set.contains(Mode::Lazy) && !set.contains(Mode::Smart));
    }
}
