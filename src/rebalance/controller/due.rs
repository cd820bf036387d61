//! What is due: to a controller, at closing, at a flush and in the background.

use super::Controller;
use crate::rebalance::options::{LazyOptions, Mode, ModeSet};
use crate::rebalance::policy::{self, Due, Left};
use crate::rebalance::smart::Smart;
use crate::rebalance::subject::Survey;
use crate::rebalance::window::{Counts, Kind};

impl Controller {
    /// Everything that was due is done, or nothing was.
    pub(in crate::rebalance) fn served(&mut self) {
        (self.served, self.done) = (self.tally.counts, self.tally.counts);
        self.pace = self.pace.served();
    }

    /// Whether closing does what is still due: in every mode but none. Smart does so too when its choice was none, for
    /// it chooses that where there is little to do.
    pub fn finishes_at_close(&self) -> bool {
        let none_only = |smart: &Smart| smart.options.allowed_modes == ModeSet::of(&[Mode::None]);
        self.mode != Mode::None && !self.smart.as_ref().is_some_and(none_only)
    }

    /// The same, unless an error ended rebalancing.
    pub fn may_finish_at_close(&self) -> bool {
        self.finishes_at_close() && !self.halted
    }

    /// Whether anything is other than the last sweep left it: what one could not improve, the next cannot.
    pub(in crate::rebalance) fn changed(&self, survey: &Survey) -> bool {
        let figures = |s: &Survey| (s.nodes, s.underfull, s.records, s.heap_live, s.heap_free);
        self.left_behind.as_ref().map(figures) != Some(figures(survey))
    }

    pub(in crate::rebalance) fn due_at_close(&self, survey: &Survey) -> bool {
        let loose = self.pace.loose && policy::everything_due(survey).heap;
        let worth = loose
            || self.sweeping()
            || policy::sweep_due(survey, &self.pace, left_by(&self.tally.counts, &self.done), true).any();
        worth && self.may_finish_at_close()
    }

    /// The same before a flush: only when enough was deleted since the last sweep to pay for it.
    pub(in crate::rebalance) fn due_at_flush(&self, survey: &Survey) -> bool {
        policy::pays_for_sweep(survey, self.unserved().deleted) && self.due_at_close(survey)
    }

    /// What is worth a sweep of the background thread. It takes what is old for due at half the maximum delay, and so
    /// leaves none of it to callers, if it keeps up.
    pub(in crate::rebalance) fn due_in_background(&self, survey: &Survey, now_ns: u64) -> Due {
        let due = policy::sweep_due(survey, &self.pace, self.unserved(), false);
        if due.any() || !self.pace.delayed(self.max_delay_ms() / 2, now_ns) {
            return due;
        }
        policy::overdue(survey, &self.pace, left_by(&self.tally.counts, &self.done))
    }

    /// What no sweep has seen, be it one of nodes alone.
    pub(in crate::rebalance) fn unserved(&self) -> Left {
        left_by(&self.tally.counts, &self.served)
    }

    pub(in crate::rebalance) fn max_delay_ms(&self) -> u64 {
        self.lazy.as_ref().map_or(LazyOptions::default().max_delay_ms, |lazy| lazy.max_delay_ms)
    }
}

/// What was done between `earlier` and `counts` that may have left something to put right.
pub(in crate::rebalance) fn left_by(counts: &Counts, earlier: &Counts) -> Left {
    let since = |kind| counts.of(kind) - earlier.of(kind);
    Left { deleted: since(Kind::Delete), replaced: since(Kind::Update) }
}
