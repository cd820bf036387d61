//! What to do now, as pure functions of statistics and time.
//!
//! Lazy begins a sweep when enough nodes are underfull or enough of the heaps is free, and goes on with it in batches. Three rules keep it from doing
//! more than it gains:
//! * operations pay for batches with a fortieth of their time: the first batch is small and comes as soon as deletions are
//!   more than a short burst, each further one when what it will cost has been earned, so that rebalancing takes no
//!   more than that part of the time;
//! * a sweep once begun goes on until underfull nodes are down to half the threshold, so that it does not start and
//!   stop at the edge;
//! * what a finished sweep could not improve is not counted towards the threshold again.

use super::options::LazyOptions;
use super::subject::Survey;

/// The longest hold of the lock that the background thread aims at; below 200 µs, as a step overshoots a little.
pub(crate) const SLICE_NS: u64 = 150_000;

/// Operations pay for rebalancing with this fraction of their time: 1/40.
const PACE: u64 = 40;

/// An operation pays for no more than this, however long ago the one before was: a slow caller is not a rich one.
const OPERATION_NS_MAX: u64 = 4_000;

/// After the maximum delay, a batch that cost d is followed by the next after 8 d at the earliest.
const DELAY_PACE: u64 = 8;

/// A node's share of the pause that a batch may make: 100 nodes, 1 ms.
const NODE_NS_MAX: u64 = 10_000;

/// No batch is cut shorter than this, and the first of a sweep, which nothing has been earned for, ends here.
const BATCH_NS_MIN: u64 = 20_000;

/// Deletions that begin are left alone for so long: the flush behind a burst packs what it left in one go, and what is done on
/// the way is lost work. A million attributes lose half of them in that time.
const BURST_NS: u64 = 500_000_000;

/// How long the background thread waits at most before it looks whether a burst was all there was, and its callers rest.
const LOOK_NS: u64 = 20_000_000;

/// What a node costs, as long as none was measured.
const NODE_NS: u64 = 3_000;

/// Inside operations, objects are moved only when this part of the heaps is free: each byte moved frees a third of one.
const HEAP_FREE_IN_CALL: f64 = 0.25;

/// In the background, from this part on.
const HEAP_FREE_IN_BACKGROUND: f64 = 0.10;

/// When everything is to be done, less than this part of the heaps' bytes may stay free.
const HEAP_FREE_AT_END: f64 = 0.03;

/// Heaps with less free than this are left alone.
const HEAP_FREE_BYTES_MIN: u64 = 4096;

/// Below this part of filled records the nodes are sparse.
const OCCUPANCY_MIN: f64 = 0.90;

/// Sparse nodes are deletions' doing, and not just insertions', when this part of the records was deleted.
const DELETED_MIN: f64 = 0.05;

/// A flush sweeps before it writes when this part of the records was deleted: the deletions pay for it, each with the
/// work on a few records.
const DELETED_BEFORE_FLUSH: f64 = 0.25;

/// Fewer underfull nodes than this part are no reason to visit all.
const UNDERFULL_MIN: f64 = 0.01;

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

/// What the background thread may take from callers that are active: as in lazy, a fortieth of their time. When nobody
/// calls it takes what it wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Share {
    credit_ns: i64,
    at_ns: u64,
    /// Operations when it looked last.
    seen: u64,
}

impl Share {
    pub(super) fn new(now_ns: u64, operations: u64) -> Self {
        Share { credit_ns: 0, at_ns: now_ns, seen: operations }
    }

    /// A turn begins, the next comes after `interval_ns`: how long to wait before anything is done. Active callers are left
    /// alone for `quiet_ns`.
    pub(super) fn begin_turn(&mut self, now_ns: u64, operations: u64, interval_ns: u64, quiet_ns: u64) -> Option<u64> {
        // What an interval earns, and what the turn before left because it was less than a slice costs.
        let most = (interval_ns / PACE).saturating_add(SLICE_NS) as i64;
        let earned = (now_ns.saturating_sub(self.at_ns) / PACE) as i64;
        self.credit_ns = self.credit_ns.saturating_add(earned).min(most);
        self.at_ns = now_ns;
        let idle = std::mem::replace(&mut self.seen, operations) == operations;
        let missing = (SLICE_NS as i64 - self.credit_ns).max(0).unsigned_abs();
        let wait_ns = missing.saturating_mul(PACE).max(quiet_ns.min(LOOK_NS));
        (wait_ns > 0 && !idle).then_some(wait_ns)
    }

    /// A slice took `cost_ns`; whether the next may follow.
    pub(super) fn pay(&mut self, cost_ns: u64, operations: u64) -> bool {
        if std::mem::replace(&mut self.seen, operations) == operations {
            return true;
        }
        // Much more than it was given is not its doing: the thread was interrupted.
        self.credit_ns = self.credit_ns.saturating_sub_unsigned(cost_ns.min(2 * SLICE_NS));
        self.credit_ns >= SLICE_NS as i64
    }
}

/// Operations since the last sweep that may have left something to put right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Left {
    pub deleted: u64,
    /// Values replaced, and renames: a hole in the heap, and of a rename a removed record.
    pub replaced: u64,
}

impl Left {
    pub(super) fn any(self) -> bool {
        self.deleted > 0 || self.replaced > 0
    }
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

/// What is not at its best: for who asks for everything.
pub(super) fn everything_due(survey: &Survey) -> Due {
    Due { nodes: survey.underfull > 0 || sparse(survey), heap: heap_due(survey, HEAP_FREE_AT_END) }
}

/// What is worth a sweep after the operations `left`, which none has served: for closing, and with a higher bar for the
/// background thread, which comes back.
pub(super) fn sweep_due(survey: &Survey, pace: &Pace, left: Left, closing: bool) -> Due {
    if !left.any() {
        return Due { nodes: false, heap: false };
    }
    let underfull = survey.underfull.saturating_sub(pace.residue) as f64;
    let nodes = underfull > 0.0 && underfull >= UNDERFULL_MIN * survey.nodes as f64;
    let thinned = left.deleted > 0 && left.deleted as f64 >= DELETED_MIN * (survey.records + left.deleted) as f64;
    let free_max = if closing { HEAP_FREE_AT_END } else { HEAP_FREE_IN_BACKGROUND };
    Due { nodes: nodes || (thinned && sparse(survey)), heap: heap_due(survey, free_max) }
}

/// What is put right when the first of the operations `left` is too old: what closing would, and any node that has become
/// underfull; but nothing that the last sweep could not improve. If anything, everything, so that the next finds nothing.
pub(super) fn overdue(survey: &Survey, pace: &Pace, left: Left) -> Due {
    let nodes = survey.underfull > pace.residue || sweep_due(survey, pace, left, true).nodes;
    let any = nodes || (left.any() && pace.holes_due(survey, HEAP_FREE_AT_END));
    Due { nodes: any, heap: any && heap_due(survey, HEAP_FREE_AT_END) }
}

/// Whether so much was deleted that a sweep of everything is paid for.
pub(super) fn pays_for_sweep(survey: &Survey, deleted: u64) -> bool {
    deleted > 0 && deleted as f64 >= DELETED_BEFORE_FLUSH * (survey.records + deleted) as f64
}

fn sparse(survey: &Survey) -> bool {
    survey.nodes > 1 && survey.occupancy() < OCCUPANCY_MIN
}

fn heap_due(survey: &Survey, free_max: f64) -> bool {
    holes_due(survey, survey.heap_free, free_max)
}

/// Whether `free` bytes of the heaps are worth moving objects.
fn holes_due(survey: &Survey, free: u64, free_max: f64) -> bool {
    let all = survey.heap_live.saturating_add(survey.heap_free);
    free >= HEAP_FREE_BYTES_MIN && free as f64 >= free_max * all as f64
}

/// The past, as far as it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// When the first deletion or replacement came that no finished sweep of nodes and heaps has seen.
    pub first_unserved_ns: Option<u64>,
    /// A sweep is under way; when it began.
    pub sweep_began_ns: Option<u64>,
    /// The sweep under way moves objects: that frees nothing before its end.
    pub evacuating: bool,
    /// One has moved objects since everything was done last: holes that were too small for them may be left.
    pub loose: bool,
    /// Lazy is working off what made it begin.
    working: bool,
    /// Underfull nodes that the last finished sweep left behind.
    residue: u64,
    /// Free bytes that the last one that moved objects left in the heaps.
    heap_residue: u64,
    /// What operations have earned for the next batch, in operations' time; negative while the last is paid for.
    credit_ns: i64,
    /// What a node costs, as measured.
    node_ns: u64,
    /// The earliest time of the next batch that the maximum delay asks for.
    not_before_ns: u64,
    /// Until then what was deleted is taken for a burst.
    quiet_until_ns: u64,
}

/// How a sweep ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// The heaps were served, too.
    pub whole: bool,
    /// More was deleted or replaced since it began.
    pub more: bool,
    /// It moved objects.
    pub moved: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            first_unserved_ns: None,
            sweep_began_ns: None,
            evacuating: false,
            loose: false,
            working: false,
            residue: 0,
            heap_residue: 0,
            credit_ns: 0,
            node_ns: NODE_NS,
            not_before_ns: 0,
            quiet_until_ns: 0,
        }
    }
}

impl Pace {
    /// Something was deleted or replaced by `now_ns`.
    pub(super) fn touched(&mut self, now_ns: u64) {
        if self.first_unserved_ns.is_none() {
            self.first_unserved_ns = Some(now_ns);
            self.quiet_until_ns = now_ns.saturating_add(BURST_NS);
        }
    }

    /// How long the background thread leaves active callers alone for a burst: not until they would have to work themselves.
    pub(super) fn quiet_ns(&self, max_delay_ms: u64, now_ns: u64) -> u64 {
        let half_ns = (max_delay_ms / 2).saturating_mul(1_000_000);
        let overdue_ns = self.first_unserved_ns.unwrap_or(now_ns).saturating_add(half_ns);
        self.quiet_until_ns.min(overdue_ns).saturating_sub(now_ns)
    }

    /// `operations` took `elapsed_ns`, and pay with a part of it.
    pub(super) fn earn(&mut self, elapsed_ns: u64, operations: u64) {
        let paid = elapsed_ns.min(operations.saturating_mul(OPERATION_NS_MAX));
        self.credit_ns = self.credit_ns.saturating_add_unsigned(paid);
    }

    /// A batch of `nodes` inside an operation, which was given `max_ns`, ended at `now_ns` and took `cost_ns`.
    pub(super) fn spend(&mut self, nodes: u64, cost_ns: u64, max_ns: u64, now_ns: u64) {
        // Much more than it was given is not its doing: the thread was interrupted.
        let cost_ns = cost_ns.min(max_ns.saturating_mul(2));
        self.credit_ns = self.credit_ns.saturating_sub_unsigned(cost_ns.saturating_mul(PACE));
        self.not_before_ns = now_ns.saturating_add(cost_ns.saturating_mul(DELAY_PACE));
        if let Some(each) = cost_ns.checked_div(nodes) {
            self.node_ns = (3 * self.node_ns + each) / 4;
        }
    }

    /// A mode was set: the threshold is looked at afresh.
    pub(super) fn restart(&mut self) {
        self.working = false;
        self.credit_ns = 0;
    }

    /// A sweep begins.
    pub(super) fn begin_sweep(&mut self, now_ns: u64, heap: bool) {
        self.sweep_began_ns = Some(now_ns);
        self.evacuating = heap;
    }

    /// The sweep ended and left `survey`.
    pub(super) fn end_sweep(&mut self, survey: &Survey, ended: Ended) {
        if ended.whole {
            self.first_unserved_ns = self.sweep_began_ns.filter(|_| ended.more);
        }
        if self.evacuating {
            // Holes made meanwhile are not what it could not improve.
            self.heap_residue = if ended.more && ended.moved { 0 } else { survey.heap_free };
        }
        self.sweep_began_ns = None;
        self.loose = std::mem::take(&mut self.evacuating);
        self.working = false;
        self.residue = survey.underfull;
    }

    /// Where things have become better than the last sweep left them, the bar is lower.
    pub(super) fn note_better(&mut self, survey: &Survey) {
        self.residue = self.residue.min(survey.underfull);
        self.heap_residue = self.heap_residue.min(survey.heap_free);
    }

    /// Whether that part of the heaps is free, and was not left so by the last sweep.
    fn holes_due(&self, survey: &Survey, free_max: f64) -> bool {
        holes_due(survey, survey.heap_free.saturating_sub(self.heap_residue), free_max)
    }

    /// There is nothing to do: the operations so far count as served.
    pub(super) fn served(mut self) -> Self {
        self.first_unserved_ns = None;
        (self.working, self.loose) = (false, false);
        self
    }

    /// Whether the delay has passed since the first unserved deletion or replacement.
    pub(super) fn delayed(&self, max_delay_ms: u64, now_ns: u64) -> bool {
        let delay_ns = max_delay_ms.saturating_mul(super::clock::MS);
        self.first_unserved_ns.is_some_and(|first_ns| now_ns.saturating_sub(first_ns) >= delay_ns)
    }

    /// Whether [`plan`] could plan a batch, whatever the survey.
    pub(super) fn may_be_due(&self, max_delay_ms: u64, now_ns: u64, by_threshold: bool) -> bool {
        let by_threshold =
            by_threshold && self.first_unserved_ns.is_some() && self.credit_ns >= 0 && now_ns >= self.quiet_until_ns;
        by_threshold || self.delayed(max_delay_ms, now_ns) && now_ns >= self.not_before_ns
    }

    /// What has to be earned for a batch.
    fn price_ns(&self, nodes: u64, max_ns: u64) -> i64 {
        let cost_ns = nodes.saturating_mul(self.node_ns).min(max_ns);
        i64::try_from(cost_ns.saturating_mul(PACE)).unwrap_or(i64::MAX)
    }

    /// With `working` as it has to be for this survey: begun at the threshold, ended at half of it; or begun for the heaps, and
    /// ended with the sweep.
    fn weighed(mut self, threshold: f64, survey: &Survey) -> Self {
        let counted = (survey.underfull - self.residue) as f64;
        let bound = if self.working { threshold / 2.0 } else { threshold };
        let nodes = counted > 0.0 && counted >= bound * survey.nodes as f64;
        self.working = nodes || self.evacuating || self.holes_due(survey, HEAP_FREE_IN_CALL);
        self
    }
}

/// Lazy's plan at `now_ns`, and the past that goes with it; `left` since the last sweep of nodes and heaps. With
/// `by_threshold` off it is incremental's: there the thread works, and the caller only when the maximum delay has passed.
pub(super) fn plan(
    options: &LazyOptions,
    mut pace: Pace,
    survey: &Survey,
    left: Left,
    now_ns: u64,
    by_threshold: bool,
) -> (Plan, Pace) {
    if !pace.may_be_due(options.max_delay_ms, now_ns, by_threshold) {
        return (Plan::Nothing, pace);
    }
    pace.note_better(survey);
    let delayed = pace.delayed(options.max_delay_ms, now_ns);
    let heap = heap_due(survey, if delayed { HEAP_FREE_AT_END } else { HEAP_FREE_IN_CALL });
    let full_ns = options.batch_size.saturating_mul(NODE_NS_MAX).max(BATCH_NS_MIN);
    let batch = |max_ns| Plan::Batch { nodes: options.batch_size, max_ns, heap };

    let first = !pace.working;
    pace = if by_threshold { pace.weighed(options.threshold, survey) } else { pace };
    if !pace.working {
        // Only what comes after the first batch is saved for the next.
        pace.credit_ns = pace.credit_ns.min(0);
    } else if first && pace.credit_ns >= 0 {
        pace.credit_ns = 0;
        return (batch(BATCH_NS_MIN), pace);
    } else if pace.credit_ns >= pace.price_ns(options.batch_size.min(survey.nodes), full_ns) {
        return (batch(full_ns), pace);
    }
    if !delayed {
        return (Plan::Nothing, pace);
    }
    if pace.sweep_began_ns.is_none() && !overdue(survey, &pace, left).any() {
        return (Plan::Nothing, Pace { loose: pace.loose, ..pace.served() });
    }
    let plan = if now_ns < pace.not_before_ns { Plan::Nothing } else { batch(full_ns) };
    (plan, pace)
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn the_background_takes_a_fortieth_from_active_callers_and_anything_from_idle_ones() {
        for interval_ns in [1, 4, 6, 7, 10, 12, 17, 50, 5_000].map(|ms| ms * 1_000_000) {
            let mut share = Share::new(0, 0);
            let (mut now_ns, mut operations, mut used_ns) = (0, 0, 0);
            let long_ns = SECOND.max(200 * interval_ns);
            while now_ns < long_ns {
                let begun_ns = now_ns;
                let wait_ns = share.begin_turn(now_ns, operations, interval_ns, 0);
                while wait_ns.is_none() {
                    operations += 1;
                    used_ns += SLICE_NS;
                    now_ns += SLICE_NS;
                    if !share.pay(SLICE_NS, operations) {
                        break;
                    }
                }
                now_ns = now_ns.max(begun_ns + interval_ns.max(wait_ns.unwrap_or(0)));
                operations += 1;
            }
            assert!((long_ns / 50..=long_ns / 35).contains(&used_ns), "{used_ns} of {long_ns} every {interval_ns}");
        }
        let (mut share, now_ns, operations) = (Share::new(0, 0), 0, 1);
        assert!(Share::new(0, 0).begin_turn(40 * SLICE_NS - 40, 1, 1_000_000, 0).is_some(), "paid before");
        share.pay(SLICE_NS, operations + 1);
        assert!((0..100).all(|_| share.pay(SLICE_NS, operations + 1)));
        assert_eq!(share.begin_turn(now_ns, operations + 1, 1_000_000, 0), None);
    }

    fn survey(underfull: u64) -> Survey {
        Survey { nodes: 1000, underfull, records: 150_000, capacity: 240_000, heap_live: 1 << 20, ..Survey::default() }
    }

    fn pending() -> Pace {
        Pace { first_unserved_ns: Some(0), ..Pace::default() }
    }

    fn lazy(pace: Pace, survey: &Survey, now_ns: u64) -> (Plan, Pace) {
        plan(&LazyOptions::default(), pace, survey, SOME, now_ns, true)
    }

    const SOME: Left = Left { deleted: 1, replaced: 0 };
    const FIRST: Plan = Plan::Batch { nodes: 100, max_ns: BATCH_NS_MIN, heap: false };
    const BATCH: Plan = Plan::Batch { nodes: 100, max_ns: 1_000_000, heap: false };

    #[test]
    fn work_begins_at_the_threshold_and_ends_at_half_of_it() {
        assert_eq!(lazy(pending(), &survey(49), 1).0, Plan::Nothing);
        let (plan, mut pace) = lazy(pending(), &survey(50), 1);
        assert_eq!(plan, FIRST);
        pace.earn(SECOND, 1_000_000);
        assert_eq!(lazy(pace, &survey(25), 2).0, BATCH);
        let (plan, pace) = lazy(pace, &survey(24), 3);
        assert_eq!(plan, Plan::Nothing);
        assert_eq!(lazy(pace, &survey(49), 4).0, Plan::Nothing);
        assert_eq!(lazy(pace, &survey(50), 5).0, FIRST);
    }

    #[test]
    fn without_deletions_nothing_is_done() {
        assert_eq!(lazy(Pace::default(), &survey(1000), u64::MAX).0, Plan::Nothing);
        assert!(!sweep_due(&survey(1000), &Pace::default(), Left::default(), true).any());
    }

    #[test]
    fn a_burst_is_left_alone() {
        let mut pace = Pace::default();
        pace.touched(1000);
        pace.touched(2000);
        assert!(!pace.may_be_due(1000, BURST_NS + 999, true));
        assert_eq!(lazy(pace, &survey(500), BURST_NS + 999).0, Plan::Nothing);
        assert_eq!(lazy(pace, &survey(500), BURST_NS + 1000).0, FIRST);
        assert_eq!(pace.first_unserved_ns, Some(1000));
        let soon = LazyOptions { max_delay_ms: 1, ..LazyOptions::default() };
        assert!(pace.may_be_due(soon.max_delay_ms, 1_001_000, true), "the delay that was set comes first");
        // The thread has earned enough long since; it looks again, for callers that rest.
        let mut share = Share::new(0, 0);
        let quiet_ns = |now_ns| pace.quiet_ns(LazyOptions::default().max_delay_ms, now_ns);
        assert_eq!(share.begin_turn(SECOND, 1, 1_000_000, quiet_ns(1000)), Some(LOOK_NS));
        assert_eq!(share.begin_turn(SECOND, 2, 1_000_000, quiet_ns(BURST_NS)), Some(1000));
        assert_eq!(share.begin_turn(SECOND, 3, 1_000_000, quiet_ns(BURST_NS + 1000)), None);
        assert_eq!(share.begin_turn(SECOND, 3, 1_000_000, quiet_ns(1000)), None, "they rest");
        assert_eq!(
            [pace.quiet_ns(20, 1000), pace.quiet_ns(20, 10_001_000), pace.quiet_ns(1, 1000)],
            [10_000_000, 0, 0]
        );
    }

    #[test]
    fn a_batch_is_paid_for_and_the_next_is_saved_for() {
        let mut pace = lazy(pending(), &survey(500), 0).1;
        pace.spend(16, 48_000, 50_000, 48_000);
        // A second that passed during one operation pays no more than any operation.
        pace.earn(SECOND, 1);
        assert_eq!(lazy(pace, &survey(500), SECOND).0, Plan::Nothing);
        // The batch that was, and 100 nodes of 3 µs.
        pace.earn(40 * 48_000 + 40 * 300_000 - 4_001, 1_000_000);
        assert_eq!(lazy(pace, &survey(500), SECOND).0, Plan::Nothing);
        pace.earn(1, 1);
        assert_eq!(lazy(pace, &survey(500), SECOND).0, BATCH);
        // Interrupted for a second: not the batch's fault.
        pace.spend(100, SECOND, 1_000_000, SECOND);
        pace.earn(200_000_000, 1_000_000);
        assert_eq!(lazy(pace, &survey(500), SECOND).0, BATCH);
    }

    #[test]
    fn what_a_sweep_left_does_not_count_again() {
        let mut pace = pending();
        pace.begin_sweep(0, false);
        pace.end_sweep(&survey(300), Ended { whole: true, more: true, moved: false });
        assert_eq!(pace.first_unserved_ns, Some(0));
        assert_eq!(lazy(pace, &survey(349), 1).0, Plan::Nothing);
        assert_eq!(lazy(pace, &survey(350), 1).0, FIRST);
        let pace = lazy(pace, &survey(10), 1).1;
        assert_eq!(lazy(pace, &survey(60), 1).0, FIRST, "once better, the bar is lower");
    }

    #[test]
    fn the_delay_asks_for_batches_until_there_is_nothing_to_gain() {
        let late = 300 * SECOND;
        assert_eq!(lazy(pending(), &survey(1), late - 1).0, Plan::Nothing);
        let (plan, mut pace) = lazy(pending(), &survey(1), late);
        assert_eq!(plan, BATCH);
        pace.spend(100, 1_000_000, 1_000_000, late);
        assert_eq!(lazy(pace, &survey(1), late + 7_999_999).0, Plan::Nothing);
        assert_eq!(lazy(pace, &survey(1), late + 8_000_000).0, BATCH);
        let (plan, pace) = lazy(pending(), &survey(0), late);
        assert_eq!((plan, pace.first_unserved_ns), (Plan::Nothing, None));
    }

    #[test]
    fn after_the_delay_what_closing_would_do_is_done() {
        let late = 300 * SECOND;
        let planned = |survey: &Survey, pace: Pace, deleted, replaced| {
            plan(&LazyOptions::default(), pace, survey, Left { deleted, replaced }, late, true).0
        };
        let Plan::Batch { nodes, max_ns, .. } = BATCH else { panic!() };
        // Nodes 62 % full, none of them underfull: the deletions' doing, when a twentieth of the records went.
        assert_eq!(planned(&survey(0), pending(), 7_000, 0), Plan::Nothing);
        assert_eq!(planned(&survey(0), pending(), 8_000, 0), BATCH);
        let holes = Survey { heap_free: 1 << 16, ..survey(0) };
        for (deleted, replaced) in [(1, 0), (0, 1)] {
            assert_eq!(planned(&holes, pending(), deleted, replaced), Plan::Batch { nodes, max_ns, heap: true });
        }
        assert_eq!(planned(&holes, Pace { heap_residue: 1 << 15, ..pending() }, 1, 0), Plan::Nothing, "none better");
        assert_eq!(lazy(pending(), &holes, late - 1).0, Plan::Nothing);
    }

    #[test]
    fn a_quarter_of_the_heap_begins_a_sweep() {
        let holes = Survey { heap_live: 3 << 18, heap_free: 1 << 18, ..survey(0) };
        let (plan, mut pace) = lazy(pending(), &holes, 1);
        assert_eq!(plan, Plan::Batch { nodes: 100, max_ns: BATCH_NS_MIN, heap: true });
        assert_eq!(lazy(pending(), &Survey { heap_free: (1 << 18) - 9, ..holes }, 1).0, Plan::Nothing);
        // What it could not give back does not count again, until less was left.
        pace.begin_sweep(1, true);
        let mut since = pace;
        pace.end_sweep(&holes, Ended { whole: true, more: true, moved: false });
        assert_eq!(lazy(pace, &Survey { heap_free: 1 << 19, heap_live: 1 << 20, ..holes }, 2).0, Plan::Nothing);
        since.end_sweep(&holes, Ended { whole: true, more: true, moved: true });
        assert_ne!(lazy(since, &holes, 2).0, Plan::Nothing, "holes that were made while it went on");
        let pace = lazy(pace, &Survey { heap_free: 0, ..holes }, 2).1;
        assert_ne!(lazy(pace, &holes, 3).0, Plan::Nothing);
    }

    #[test]
    fn with_incremental_the_caller_works_only_after_the_delay() {
        let options = LazyOptions::default();
        assert_eq!(plan(&options, pending(), &survey(1000), SOME, 299 * SECOND, false).0, Plan::Nothing);
        assert_eq!(plan(&options, pending(), &survey(1000), SOME, 300 * SECOND, false).0, BATCH);
    }

    #[test]
    fn objects_are_moved_only_where_it_is_worth_it_and_then_to_the_end() {
        let sparse_heap = Survey { heap_free: 1 << 19, ..survey(50) };
        let (plan, mut pace) = lazy(pending(), &sparse_heap, 0);
        assert_eq!(plan, Plan::Batch { nodes: 100, max_ns: BATCH_NS_MIN, heap: true });
        pace.begin_sweep(0, true);
        pace.earn(SECOND, 1_000_000);
        assert_ne!(lazy(pace, &Survey { heap_free: 1 << 19, ..survey(0) }, 1).0, Plan::Nothing);
        assert!(!heap_due(&Survey { heap_live: 100, heap_free: 4000, ..survey(0) }, HEAP_FREE_AT_END));
    }

    #[test]
    fn a_sweep_needs_more_than_a_few_deletions() {
        let due = |survey: &Survey, deleted, closing| {
            sweep_due(survey, &Pace::default(), Left { deleted, replaced: 0 }, closing)
        };
        // Nodes 62 % full, as insertions leave them, and few of them underfull.
        assert!(!due(&survey(9), 7_000, true).any());
        assert!(due(&survey(9), 8_000, true).nodes);
        assert!(due(&survey(10), 1, true).nodes);
        let holes = Survey { heap_free: 1 << 16, ..survey(0) };
        assert!(due(&holes, 1, true).heap && !due(&holes, 1, false).heap);
    }

    #[test]
    fn the_remaining_time_follows_the_measured_rate() {
        assert_eq!(remaining_ns(0, 10, 10, 1, 1), 0);
        // 1000 nodes of 1 µs: ten sessions of 100 µs, each after a pause of 900 µs.
        assert_eq!(remaining_ns(1_000, 100, 100_000, 100_000, 1_000_000), 10_000_000);
    }
}
