//! What to do now, as pure functions of statistics and time.
//!
//! Lazy begins a sweep when enough nodes are underfull, and pays for it in batches. Three rules keep it from doing
//! more than it gains:
//! * a batch that cost `d` is followed by the next one only after deletions have taken `PACE · d`, so that rebalancing
//!   never takes more than a fortieth of the time that deleting takes;
//! * a sweep once begun goes on until underfull nodes are down to half the threshold, so that it does not start and
//!   stop at the edge;
//! * what a finished sweep could not improve is not counted towards the threshold again.

use super::options::LazyOptions;
use super::subject::Survey;

/// The longest hold of the lock that the background thread aims at; below 200 µs, as a step overshoots a little.
pub(super) const SLICE_NS: u64 = 150_000;

/// Operations pay for rebalancing with this fraction of their time: 1/40.
const PACE: u64 = 40;

/// An operation pays for no more than this, however long ago the one before was: a slow caller is not a rich one.
const OPERATION_NS_MAX: u64 = 4_000;

/// After the maximum delay, a batch that cost d is followed by the next after 8 d at the earliest.
const DELAY_PACE: u64 = 8;

/// A node's share of the pause that a batch may make: 100 nodes, 1 ms.
const NODE_NS_MAX: u64 = 10_000;

/// No batch is cut shorter than this.
const BATCH_NS_MIN: u64 = 200_000;

/// Inside operations, objects are moved only when this part of the heaps is free: each byte moved frees a third of one.
const HEAP_FREE_IN_CALL: f64 = 0.25;

/// When everything is to be done, this part of the heaps' bytes may stay free.
const HEAP_FREE_AT_END: f64 = 0.03;

/// Heaps with less free than this are left alone.
const HEAP_FREE_BYTES_MIN: u64 = 4096;

/// Below this part of filled records the nodes are packed when everything is to be done.
const OCCUPANCY_MIN: f64 = 0.90;

/// What the caller's operation is to do before it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Nothing.
    Nothing,
    /// One batch.
    Batch {
        /// Nodes at most.
        nodes: u64,
        /// Time at most.
        max_ns: u64,
        /// Whether objects are moved out of sparse heap blocks.
        heap: bool,
    },
}

/// What the trees and the heaps need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub nodes: bool,
    pub heap: bool,
}

impl Due {
    pub(super) fn any(self) -> bool {
        self.nodes || self.heap
    }
}

/// What is not yet at its best, for those who do everything: the background thread, an explicit request, closing.
pub(super) fn everything_due(survey: &Survey) -> Due {
    let sparse = survey.nodes > 1 && survey.occupancy() < OCCUPANCY_MIN;
    Due { nodes: survey.underfull > 0 || sparse, heap: heap_due(survey, HEAP_FREE_AT_END) }
}

fn heap_due(survey: &Survey, free_max: f64) -> bool {
    survey.heap_free >= HEAP_FREE_BYTES_MIN && survey.heap_free_ratio() >= free_max
}

/// The past, as far as it decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pace {
    /// When the first deletion came that no finished sweep has seen.
    pub first_unserved_ns: Option<u64>,
    /// A sweep is under way; when it began.
    pub sweep_began_ns: Option<u64>,
    /// The sweep under way moves objects: that frees nothing before its end.
    pub evacuating: bool,
    /// Lazy is working off what made it begin.
    working: bool,
    /// Underfull nodes that the last finished sweep left behind.
    residue: u64,
    /// What operations have still to pay before the next batch.
    debt_ns: u64,
    /// The earliest time of the next batch that the maximum delay asks for.
    not_before_ns: u64,
}

impl Pace {
    /// `operations` took `elapsed_ns`: pays off debt.
    pub(super) fn earn(&mut self, elapsed_ns: u64, operations: u64) {
        let paid = elapsed_ns.min(operations.saturating_mul(OPERATION_NS_MAX));
        self.debt_ns = self.debt_ns.saturating_sub(paid);
    }

    /// A batch inside an operation ended at `now_ns` and took `cost_ns`.
    pub(super) fn spend(&mut self, cost_ns: u64, now_ns: u64) {
        self.debt_ns = self.debt_ns.saturating_add(cost_ns.saturating_mul(PACE));
        self.not_before_ns = now_ns.saturating_add(cost_ns.saturating_mul(DELAY_PACE));
    }

    /// A sweep begins.
    pub(super) fn begin_sweep(&mut self, now_ns: u64, heap: bool) {
        self.sweep_began_ns = Some(now_ns);
        self.evacuating = heap;
    }

    /// The sweep ended and left `underfull` nodes; `deleted_since` it began, something was deleted.
    pub(super) fn end_sweep(&mut self, underfull: u64, deleted_since: bool) {
        self.first_unserved_ns = self.sweep_began_ns.filter(|_| deleted_since);
        self.sweep_began_ns = None;
        self.evacuating = false;
        self.working = false;
        self.residue = underfull;
    }

    /// There is nothing to do: the deletions so far count as served.
    pub(super) fn served(mut self) -> Self {
        self.first_unserved_ns = None;
        self.working = false;
        self
    }

    /// With `working` as it has to be for this survey: begun at the threshold, ended at half of it.
    fn weighed(mut self, threshold: f64, survey: &Survey) -> Self {
        self.residue = self.residue.min(survey.underfull);
        let counted = (survey.underfull - self.residue) as f64;
        let bound = if self.working { threshold / 2.0 } else { threshold };
        self.working = self.evacuating || (counted > 0.0 && counted >= bound * survey.nodes as f64);
        self
    }
}

/// Lazy's plan at `now_ns`, and the past that goes with it. With `by_threshold` off it is incremental's: there the
/// thread works, and the caller only when the maximum delay has passed.
pub(super) fn plan(
    options: &LazyOptions,
    pace: Pace,
    survey: &Survey,
    now_ns: u64,
    by_threshold: bool,
) -> (Plan, Pace) {
    let Some(first_ns) = pace.first_unserved_ns else { return (Plan::Nothing, pace) };
    let heap = heap_due(survey, HEAP_FREE_IN_CALL);
    let max_ns = options.batch_size.saturating_mul(NODE_NS_MAX).max(BATCH_NS_MIN);
    let batch = Plan::Batch { nodes: options.batch_size, max_ns, heap };

    let pace = if by_threshold { pace.weighed(options.threshold, survey) } else { pace };
    if by_threshold && pace.working && pace.debt_ns == 0 {
        return (batch, pace);
    }
    if now_ns.saturating_sub(first_ns) < options.max_delay_ms.saturating_mul(super::clock::MS) {
        return (Plan::Nothing, pace);
    }
    if pace.sweep_began_ns.is_none() && !heap && survey.underfull <= pace.residue {
        return (Plan::Nothing, pace.served());
    }
    if now_ns < pace.not_before_ns {
        return (Plan::Nothing, pace);
    }
    (batch, pace)
}

/// Wall-clock time until `remaining` nodes are done, when `done` nodes took `cost_ns`: the work, and the waiting
/// between the sessions that it takes.
pub(super) fn remaining_ns(remaining: u64, done: u64, cost_ns: u64, budget_ns: u64, interval_ns: u64) -> u64 {
    if remaining == 0 {
        return 0;
    }
    let work_ns = remaining as f64 * (cost_ns.max(1) as f64 / done.max(1) as f64);
    let sessions = (work_ns / budget_ns as f64).ceil();
    let pause_ns = interval_ns.saturating_sub(budget_ns) as f64;
    (work_ns + sessions * pause_ns) as u64
}
