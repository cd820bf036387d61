//! A file's controller, inside the file's lock: counts operations, keeps the mode and the statistics, says what is due.

mod due;
mod reads;

use std::sync::{Arc, Weak};

use self::due::left_by;
use super::clock::{Clock, MS};
use super::options::{IncrementalOptions, LazyOptions, Mode, SmartOptions};
use super::policy::{self, Ended, Pace, Plan, Share};
use super::smart::Smart;
use super::stats::{ModeChange, Progress, RebalanceStats, Totals};
use super::subject::{Host, Limit, StepReport, Survey};
use super::window::{Counts, Kind, Tally};
use super::worker::{Retired, Worker};
use crate::error::{Error, ErrorKind, Result};

/// The clock is looked at after this many operations, or earlier: see [`Controller::next_stride`].
const STRIDE_MAX: u64 = 50;
/// In mode none nothing depends on the clock.
const STRIDE_IDLE: u64 = 1 << 16;
/// Operations slower than this are each timed.
const STRIDE_NS: u64 = MS;

/// What a file's rebalancing knows and remembers. Under 20 KiB, whatever the file's size.
pub struct Controller {
    /// Operations until the next look at the clock.
    left: u64,
    stride: u64,
    tally: Tally,
    /// The counts at the last look.
    seen: Counts,
    looked_ns: u64,
    clock: Arc<dyn Clock>,

    mode: Mode,
    lazy: Option<LazyOptions>,
    incremental: Option<IncrementalOptions>,
    smart: Option<Smart>,
    worker: Option<Worker>,
    /// For smart's thread, which is not started before it has something to do.
    host: Option<Weak<dyn Host>>,

    pub(super) pace: Pace,
    share: Share,
    step_began_ns: u64,
    /// The counts when the sweep under way began, and when the last one that ended began.
    at_sweep: Counts,
    served: Counts,
    /// Objects moved when the sweep under way began.
    moved_at_sweep: u64,
    /// The counts when the last sweep began that left nothing to do, in the heaps neither.
    done: Counts,
    nodes_remaining: u64,
    /// The survey at the end of the last sweep, if nothing came between.
    left_behind: Option<Survey>,
    totals: Totals,

    /// An error of the background thread that no call has reported yet.
    error: Option<Error>,
    last_error: Option<String>,
    /// After an error nothing is tried again before a mode is set.
    halted: bool,
    closed: bool,
}

impl Controller {
    /// A controller in mode none.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Controller {
            left: STRIDE_IDLE,
            stride: STRIDE_IDLE,
            tally: Tally::default(),
            seen: Counts::default(),
            looked_ns: 0,
            clock,
            mode: Mode::None,
            lazy: None,
            incremental: None,
            smart: None,
            worker: None,
            host: None,
            pace: Pace::default(),
            share: Share::default(),
            step_began_ns: 0,
            at_sweep: Counts::default(),
            served: Counts::default(),
            moved_at_sweep: 0,
            done: Counts::default(),
            nodes_remaining: 0,
            left_behind: None,
            totals: Totals::default(),
            error: None,
            last_error: None,
            halted: false,
            closed: false,
        }
    }

    /// Counts one finished change. True, after some of them: call [`serve`](super::serve) before returning.
    #[inline]
    pub fn on_operation(&mut self, kind: Kind) -> bool {
        self.tally.add(kind);
        self.left -= 1;
        self.left == 0 && self.look()
    }

    /// Looks at the clock; whether something may be due.
    #[cold]
    fn look(&mut self) -> bool {
        if self.mode == Mode::None {
            self.rearm(STRIDE_IDLE);
            return false;
        }
        let now_ns = self.clock.now_ns();
        let elapsed_ns = now_ns.saturating_sub(self.looked_ns);
        let since = self.tally.counts.since(&self.seen);
        self.looked_ns = now_ns;
        self.pace.earn(elapsed_ns, since.changes());
        if self.pace.first_unserved_ns.is_none() && self.unserved().any() {
            self.pace.touched(now_ns);
        }
        let evaluate = match &mut self.smart {
            Some(smart) => smart.note(since.total(), &self.tally.counts, now_ns),
            None => false,
        };
        let stride = self.next_stride(elapsed_ns, since.total());
        self.rearm(stride);
        evaluate || (!self.halted && self.may_be_due(now_ns))
    }

    /// Whether a survey could show that something is due: the cheap half of the plan.
    fn may_be_due(&self, now_ns: u64) -> bool {
        match self.effective_mode() {
            Mode::Lazy => self.pace.may_be_due(self.max_delay_ms(), now_ns, true),
            Mode::Incremental => self.pace.may_be_due(self.max_delay_ms(), now_ns, false),
            Mode::None | Mode::Smart => false,
        }
    }

    fn rearm(&mut self, stride: u64) {
        self.seen = self.tally.counts;
        self.stride = stride;
        self.left = stride;
    }

    /// As many operations as fit into a millisecond, growing step by step; slow operations are thus each timed.
    fn next_stride(&self, elapsed_ns: u64, operations: u64) -> u64 {
        let per_operation_ns = (elapsed_ns / operations.max(1)).max(1);
        let fitting = (STRIDE_NS / per_operation_ns).clamp(1, STRIDE_MAX).min(self.stride.saturating_mul(2));
        match &self.smart {
            Some(smart) => fitting.min(smart.room(&self.tally.counts)),
            None => fitting,
        }
    }

    /// What is due inside the operation that was just counted. Smart evaluates here, too.
    pub fn due(&mut self, survey: &Survey) -> Plan {
        let now_ns = self.looked_ns;
        self.evaluate_if_due(survey, now_ns);
        if self.halted {
            return Plan::Nothing;
        }
        let effective = self.effective_mode();
        let default = LazyOptions::default();
        let options = self.lazy.as_ref().unwrap_or(&default);
        let left = left_by(&self.tally.counts, &self.done);
        let (plan, pace) = match effective {
            Mode::Lazy => policy::plan(options, self.pace, survey, left, now_ns, true),
            Mode::Incremental => policy::plan(options, self.pace, survey, left, now_ns, false),
            Mode::None | Mode::Smart => return Plan::Nothing,
        };
        if self.pace.first_unserved_ns.is_some() && pace.first_unserved_ns.is_none() {
            self.served = self.tally.counts;
        }
        self.pace = pace;
        plan
    }

    fn evaluate(&mut self, survey: &Survey, now_ns: u64) {
        let Some(smart) = &mut self.smart else { return };
        let previous_mode = smart.effective;
        let (decision, changes) = smart.evaluate(survey, now_ns, self.clock.unix_ns());
        self.totals.evaluations += 1;
        self.totals.decision = Some(decision.clone());
        self.start_needed_thread(survey);
        self.totals.mode_changes += u64::from(changes);
        if let Some(worker) = self.worker.as_ref().filter(|_| changes) {
            worker.announce(ModeChange { previous_mode, decision });
        }
    }

    /// Starts smart's thread once it has something to do, for a file grows without operations, too. Where the system
    /// refuses, that is tried again when a mode is set.
    pub(super) fn start_needed_thread(&mut self, survey: &Survey) {
        let (Some(smart), Some(host)) = (&self.smart, &self.host) else { return };
        if self.worker.is_some() || self.closed || self.halted || !smart.needs_thread(survey) {
            return;
        }
        match self.start_thread_of(smart, host) {
            Ok(worker) => self.worker = Some(worker),
            Err(error) => self.report(error),
        }
    }

    fn start_thread_of(&self, smart: &Smart, host: &Weak<dyn Host>) -> Result<Worker> {
        let progress = self.incremental.as_ref().and_then(|incremental| incremental.progress.clone());
        Worker::start(host.clone(), progress, smart.options.on_mode_change.clone())
    }

    #[cfg(test)]
    pub(super) fn has_thread(&self) -> bool {
        self.worker.is_some()
    }

    /// The mode that was set.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The mode in effect: the mode set, or smart's choice.
    pub fn effective_mode(&self) -> Mode {
        self.smart.as_ref().map_or(self.mode, |smart| smart.effective)
    }

    /// The clock, for those who time something.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// An error of the background thread, once: the next call on the file reports it.
    #[inline]
    pub fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }
}

/// Setting the mode. Each call returns the background thread that it retired, which is to be joined once the file's
/// lock is released.
impl Controller {
    /// Mode none; forgets the options of the other modes and their callbacks.
    pub fn set_none(&mut self) -> Retired {
        self.lazy = None;
        self.incremental = None;
        self.smart = None;
        self.enter(Mode::None, None)
    }

    /// Mode lazy, or other parameters for it; forgets incremental's and smart's.
    pub fn set_lazy(&mut self, options: &LazyOptions) -> Result<Retired> {
        options.check()?;
        self.lazy = Some(options.clone());
        self.incremental = None;
        self.smart = None;
        Ok(self.enter(Mode::Lazy, None))
    }

    /// Mode incremental, or other parameters for it; lazy has to be set before, for its maximum delay.
    pub fn set_incremental(&mut self, options: IncrementalOptions, host: Weak<dyn Host>) -> Result<Retired> {
        options.check()?;
        if self.lazy.is_none() {
            return Err(Error::new(
                ErrorKind::LazyRequired,
                "incremental rebalancing uses lazy's tracking: set lazy before incremental",
            ));
        }
        let worker = Worker::start(host, options.progress.clone(), None)?;
        self.incremental = Some(options);
        self.smart = None;
        Ok(self.enter(Mode::Incremental, Some(worker)))
    }

    /// Mode smart. It uses the parameters (and the progress callback) that lazy and incremental were set to, or
    /// their defaults, and begins with mode none, if allowed.
    pub fn set_smart(&mut self, options: SmartOptions, survey: &Survey, host: Weak<dyn Host>) -> Result<Retired> {
        options.check()?;
        let now_ns = self.clock.now_ns();
        let smart = Smart::new(options, now_ns, self.tally.counts);
        let worker = smart.needs_thread(survey).then(|| self.start_thread_of(&smart, &host)).transpose()?;
        (self.smart, self.host) = (Some(smart), Some(host));
        let retired = self.enter(Mode::Smart, worker);
        self.evaluate(survey, now_ns);
        Ok(retired)
    }

    /// The file closes: no step and no callback comes after the returned thread is joined.
    pub fn stop(&mut self) -> Retired {
        self.closed = true;
        Retired(self.worker.take().map(Worker::retire))
    }

    fn enter(&mut self, mode: Mode, worker: Option<Worker>) -> Retired {
        let retired = std::mem::replace(&mut self.worker, worker).map(Worker::retire);
        self.mode = mode;
        self.halted = self.closed;
        self.looked_ns = self.clock.now_ns();
        self.pace.restart();
        self.share = Share::new(self.looked_ns, self.tally.counts.changes());
        if mode != Mode::None && self.unserved().any() {
            // What earlier operations left is this mode's to serve.
            self.pace.first_unserved_ns.get_or_insert(self.looked_ns);
        }
        self.rearm(if mode == Mode::None { STRIDE_IDLE } else { 1 });
        Retired(retired)
    }
}

/// Steps: what the mechanism asks and tells.
impl Controller {
    pub(super) fn begin_step(&mut self, nodes: u64, max_ns: u64, heap: bool) -> Limit {
        self.step_began_ns = self.clock.now_ns();
        // Of all stores that a round visits, not of those alone that it begins while the figures say so.
        let heap = heap || self.pace.evacuating;
        if !self.sweeping() {
            self.pace.begin_sweep(self.step_began_ns, heap);
            self.at_sweep = self.tally.counts;
            self.moved_at_sweep = self.totals.steps.objects_moved;
        }
        Limit::new(nodes, self.step_began_ns.saturating_add(max_ns), heap, self.clock.clone())
    }

    /// Counts a step; returns what it took, in nanoseconds.
    pub(super) fn end_step(&mut self, result: &Result<StepReport>, survey: &Survey) -> u64 {
        let cost_ns = self.end_pause(self.step_began_ns);
        self.totals.time_ns += cost_ns;
        match result {
            Ok(report) => self.count(report, survey),
            Err(error) => {
                self.halted = true;
                self.last_error = Some(error.message().to_owned());
            }
        }
        cost_ns
    }

    /// Something damaged was left alone; the rest goes on.
    pub fn note_damage(&mut self, error: &Error) {
        self.last_error = Some(error.message().to_owned());
    }

    /// Whoever waited since `began_ns` goes on; how long that was.
    pub(super) fn end_pause(&mut self, began_ns: u64) -> u64 {
        let pause_ns = self.clock.now_ns().saturating_sub(began_ns);
        self.totals.worst_ns = self.totals.worst_ns.max(pause_ns);
        pause_ns
    }

    fn count(&mut self, report: &StepReport, survey: &Survey) {
        let sum = &mut self.totals.steps;
        sum.nodes_done += report.nodes_done;
        sum.objects_moved += report.objects_moved;
        sum.bytes_moved += report.bytes_moved;
        self.nodes_remaining = if report.done { 0 } else { report.nodes_remaining };
        if report.done {
            self.totals.sweeps += 1;
            self.served = self.at_sweep;
            let more = left_by(&self.tally.counts, &self.at_sweep).any();
            let inserted = self.tally.counts.since(&self.at_sweep).of(Kind::Insert) > 0;
            // One that left the heaps alone has not shown what can be done about them.
            let whole = self.pace.evacuating || !policy::everything_due(survey).heap;
            self.done = if whole { self.at_sweep } else { self.done };
            self.left_behind = (whole && !more && !inserted).then_some(*survey);
            let moved = self.totals.steps.objects_moved > self.moved_at_sweep;
            self.pace.end_sweep(survey, Ended { whole, more, moved });
        }
    }

    /// A batch inside an operation took this long; operations pay for it before the next.
    pub(super) fn end_batch(&mut self, nodes: u64, cost_ns: u64, max_ns: u64) {
        self.totals.batches += 1;
        self.looked_ns = self.looked_ns.saturating_add(cost_ns);
        self.pace.spend(nodes, cost_ns, max_ns, self.looked_ns);
    }

    pub(super) fn sweeping(&self) -> bool {
        self.pace.sweep_began_ns.is_some()
    }
}

/// What the background thread is to do in one turn.
pub(super) struct Turn {
    /// The length of the session to begin, when one is due.
    pub session_ns: Option<u64>,
    /// From the start of this turn to the next.
    pub wait_ns: u64,
}

/// The background thread's side.
impl Controller {
    pub(super) fn begin_turn(&mut self, survey: &Survey) -> Turn {
        let now_ns = self.clock.now_ns();
        self.evaluate_if_due(survey, now_ns);
        let evaluation_ns = self.smart.as_ref().map_or(u64::MAX, |smart| smart.until_due_ns(now_ns));
        if self.effective_mode() != Mode::Incremental || self.halted {
            return Turn { session_ns: None, wait_ns: evaluation_ns.max(MS) };
        }
        self.pace.note_better(survey);
        let (budget_ns, interval_ns) = self.session_times();
        let due = self.sweeping() || self.due_in_background(survey, now_ns).any();
        let mut turn = Turn { session_ns: due.then_some(budget_ns), wait_ns: interval_ns };
        let quiet_ns = self.pace.quiet_ns(self.max_delay_ms(), now_ns);
        if let Some(wait_ns) = self.share.begin_turn(now_ns, self.tally.counts.changes(), interval_ns, quiet_ns) {
            turn = Turn { session_ns: None, wait_ns: wait_ns.max(interval_ns) };
        }
        Turn { wait_ns: turn.wait_ns.min(evaluation_ns.max(MS)), ..turn }
    }

    /// A slice took `cost_ns`; whether the next may follow at once.
    pub(super) fn end_slice(&mut self, cost_ns: u64) -> bool {
        self.share.pay(cost_ns, self.tally.counts.changes())
    }

    fn session_times(&self) -> (u64, u64) {
        let default = IncrementalOptions::default();
        let options = self.incremental.as_ref().unwrap_or(&default);
        (options.budget_us * 1000, options.interval_ms * MS)
    }

    /// A session did `nodes` in `cost_ns`.
    pub(super) fn end_session(&mut self, nodes: u64, cost_ns: u64) -> Progress {
        self.totals.sessions += 1;
        let (budget_ns, interval_ns) = self.session_times();
        Progress {
            nodes_rebalanced: nodes,
            nodes_remaining: self.nodes_remaining,
            estimated_remaining_ns: policy::remaining_ns(self.nodes_remaining, nodes, cost_ns, budget_ns, interval_ns),
        }
    }

    /// An error met in the background, for the next call to report.
    pub(super) fn report(&mut self, error: Error) {
        self.halted = true;
        self.last_error = Some(error.message().to_owned());
        self.error.get_or_insert(error);
    }

    /// Everything a user may want to know.
    pub fn stats(&self, survey: &Survey) -> RebalanceStats {
        let (totals, count) = (&self.totals, |kind| self.tally.counts.of(kind));
        RebalanceStats {
            mode: self.mode,
            effective_mode: self.effective_mode(),
            nodes: survey.nodes,
            underfull_nodes: survey.underfull,
            occupancy: survey.occupancy(),
            heap_live_bytes: survey.heap_live,
            heap_free_bytes: survey.heap_free,
            file_bytes: survey.file_bytes,
            file_free_bytes: survey.file_free,
            inserts: count(Kind::Insert),
            deletes: count(Kind::Delete),
            updates: count(Kind::Update),
            reads: totals.reads,
            unserved_deletes: self.tally.counts.since(&self.done).of(Kind::Delete),
            batches: totals.batches,
            sessions: totals.sessions,
            sweeps: totals.sweeps,
            nodes_rebalanced: totals.steps.nodes_done,
            nodes_remaining: self.nodes_remaining,
            objects_moved: totals.steps.objects_moved,
            bytes_moved: totals.steps.bytes_moved,
            worst_pause_ns: totals.worst_ns,
            total_time_ns: totals.time_ns,
            mode_changes: totals.mode_changes,
            evaluations: totals.evaluations,
            decision: totals.decision.clone(),
            last_error: self.last_error.clone(),
        }
    }

    /// Bytes of memory, callbacks and the thread's stack aside.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.smart.as_ref().map_or(0, Smart::memory)
    }
}
