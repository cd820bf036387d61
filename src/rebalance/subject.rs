//! How rebalancing sees a file: the traits that `object/` implements, and the one mechanism that carries plans out.

use std::sync::Arc;

use super::clock::Clock;
use super::controller::Controller;
use super::policy::{self, Plan};
use crate::error::{Error, Result};

/// The state of a file's trees, heaps and space. Kept by counting: taking a survey must cost well under 1 µs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Survey {
    /// Nodes of all version 2 B-trees that are known.
    pub nodes: u64,
    /// Those below 50 % of their capacity; a root never counts.
    pub underfull: u64,
    /// Records in all nodes.
    pub records: u64,
    /// Records that all nodes could hold.
    pub capacity: u64,
    /// Bytes of heap objects.
    pub heap_live: u64,
    /// Bytes of heap blocks that hold no object.
    pub heap_free: u64,
    /// The file's allocated size, with what is not written yet.
    pub file_bytes: u64,
    /// Bytes inside the file that nothing uses.
    pub file_free: u64,
}

impl Survey {
    /// Underfull / all nodes, 0 to 1.
    pub fn underfull_ratio(&self) -> f64 {
        ratio(self.underfull, self.nodes)
    }

    /// Records / capacity, 0 to 1; 1 without nodes.
    pub fn occupancy(&self) -> f64 {
        if self.capacity == 0 {
            return 1.0;
        }
        ratio(self.records, self.capacity)
    }

    /// The part of the heaps' bytes that is free, 0 to 1.
    pub fn heap_free_ratio(&self) -> f64 {
        ratio(self.heap_free, self.heap_live + self.heap_free)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// How far one step may go.
#[derive(Clone)]
pub struct Limit {
    /// Nodes at most.
    pub nodes: u64,
    /// Whether a sweep that this step begins also moves objects out of sparse heap blocks.
    pub heap: bool,
    /// The sweep in progress, if any, is given up for one that begins anew.
    pub anew: bool,
    /// A heap may slide together in one go, however long that takes.
    pub in_one_go: bool,
    /// What moving objects left in a heap slides together, and nothing else is done.
    pub slide: bool,
    deadline_ns: u64,
    clock: Arc<dyn Clock>,
}

impl Limit {
    pub(super) fn new(nodes: u64, deadline_ns: u64, heap: bool, clock: Arc<dyn Clock>) -> Self {
        Limit { nodes, heap, anew: false, in_one_go: false, slide: false, deadline_ns, clock }
    }

    /// Whether to stop, after `nodes_done`. To be asked after each node and, where records' objects are moved, after
    /// a few dozen of them; costs a look at the clock.
    pub fn reached(&self, nodes_done: u64) -> bool {
        nodes_done >= self.nodes || (self.deadline_ns != u64::MAX && self.clock.now_ns() >= self.deadline_ns)
    }
}

/// What one step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Nodes worked off.
    pub nodes_done: u64,
    /// Nodes that the sweep has still to visit.
    pub nodes_remaining: u64,
    /// Heap objects moved.
    pub objects_moved: u64,
    /// Their bytes.
    pub bytes_moved: u64,
    /// The sweep is over: everything was visited once, emptied blocks were freed.
    pub done: bool,
}

/// A file while its lock is held.
pub trait Subject {
    /// The file's controller.
    fn controller(&mut self) -> &mut Controller;

    /// The file's present state.
    fn survey(&mut self) -> Survey;

    /// Goes on with the sweep in progress, or begins one, until `limit` is reached or the sweep is over. What is on
    /// disk and what readers see is valid and the same after every step.
    fn step(&mut self, limit: &Limit) -> Result<StepReport>;

    /// The background thread panicked: from now on the file accepts only close.
    fn fail(&mut self, error: Error);
}

/// A file as the background thread reaches it.
pub trait Host: Send + Sync {
    /// Runs `work` with the file's lock held and hands the lock over fairly afterwards. `false`, without running it,
    /// when the file is closed.
    fn with(&self, work: &mut dyn FnMut(&mut dyn Subject)) -> bool;
}

/// Does what is due inside the caller's operation; to be called when [`Controller::on_operation`] returned true, with
/// the lock held, after the operation is complete.
#[cold]
pub fn serve(subject: &mut dyn Subject) -> Result<()> {
    let survey = subject.survey();
    match subject.controller().due(&survey) {
        Plan::Nothing => Ok(()),
        Plan::Batch { nodes, max_ns, heap } => {
            let (report, cost_ns) = step(subject, nodes, max_ns, heap)?;
            subject.controller().end_batch(report.nodes_done, cost_ns, max_ns);
            Ok(())
        }
    }
}

/// The same when [`Controller::on_read`] returned true: smart may evaluate, and no batch is run.
#[cold]
pub fn serve_read(subject: &mut dyn Subject) {
    if subject.controller().is_read_due() {
        let survey = subject.survey();
        subject.controller().evaluate_after_read(&survey);
    }
}

/// Does everything that is due now, whatever the mode (`h5r_rebalance`). The caller may wait long.
pub fn complete(subject: &mut dyn Subject) -> Result<()> {
    let began_ns = subject.controller().clock().now_ns();
    let mut completion = Completion::default();
    let result = loop {
        match completion.step(subject, u64::MAX) {
            Ok(false) => (),
            Ok(true) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    // For the caller it is one, however many sweeps it took.
    subject.controller().end_pause(began_ns);
    result
}

/// The same with the lock released between slices, so that other threads can go on. A heap that is brought together is one slice.
pub fn complete_in_slices(host: &dyn Host) -> Result<()> {
    let mut completion = Completion::default();
    loop {
        let mut outcome = Ok(true);
        let open = host.with(&mut |subject| outcome = completion.step(subject, policy::SLICE_NS));
        if !open || outcome? {
            return Ok(());
        }
    }
}

/// What closing does before the last flush: what is worth a sweep, unless the mode in effect is none or an error
/// ended rebalancing.
pub fn before_close(subject: &mut dyn Subject) -> Result<()> {
    let survey = subject.survey();
    if !subject.controller().due_at_close(&survey) {
        return Ok(());
    }
    complete(subject)
}

/// What a flush does before it writes: where a good part of what the file held was deleted, most nodes are to be written
/// anyway, and are packed first. Otherwise as for [`before_close`].
pub fn before_flush(subject: &mut dyn Subject) -> Result<()> {
    if !subject.controller().finishes_at_close() {
        return Ok(());
    }
    let survey = subject.survey();
    subject.controller().start_needed_thread(&survey);
    if !subject.controller().due_at_flush(&survey) {
        return Ok(());
    }
    complete(subject)
}

/// A sweep under way may have passed nodes that have changed since: it is ended, and one more is made.
#[derive(Default)]
struct Completion {
    sweeps_left: Option<u32>,
    pass: Pass,
    idle: u32,
}

/// What is free in heaps after the sweeps slides together, and what that could not place, because it stands between no
/// holes, moves into the larger holes object by object.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Pass {
    #[default]
    Sweep,
    Slide,
    Fill,
}

impl Completion {
    /// At most `max_ns` of it; true when everything is done.
    fn step(&mut self, subject: &mut dyn Subject, max_ns: u64) -> Result<bool> {
        let survey = subject.survey();
        let controller = subject.controller();
        let sweeping = controller.sweeping();
        // A sweep begun with other limits moves objects where they could slide, and into places that cannot slide then.
        let anew = self.sweeps_left.is_none();
        let left = *self.sweeps_left.get_or_insert(1 + u32::from(sweeping));
        let due = policy::everything_due(&survey);
        let sweeps = left > 0 && (sweeping || due.any() && controller.changed(&survey));
        if !sweeps {
            self.pass = match self.pass {
                Pass::Sweep if controller.pace.loose && due.heap => Pass::Slide,
                Pass::Slide if due.heap => Pass::Fill,
                _ => {
                    controller.served();
                    return Ok(true);
                }
            };
            self.sweeps_left = Some(1);
        }
        let limit = controller.begin_step(u64::MAX, max_ns, due.heap);
        let (report, _) =
            carry_out(subject, &Limit { anew, in_one_go: true, slide: self.pass == Pass::Slide, ..limit })?;
        check_progress(&report, &mut self.idle)?;
        self.sweeps_left = self.sweeps_left.map(|left| left - u32::from(report.done));
        Ok(false)
    }
}

/// Steps that do nothing, this often in a row, are a defect and not work.
const IDLE_STEPS_MAX: u32 = 1000;

pub(super) fn check_progress(report: &StepReport, idle: &mut u32) -> Result<()> {
    let worked = report.done || report.nodes_done + report.objects_moved > 0;
    *idle = if worked { 0 } else { *idle + 1 };
    if *idle > IDLE_STEPS_MAX {
        return Err(Error::internal("rebalancing makes no progress"));
    }
    Ok(())
}

/// One step of the mechanism that all modes share: carried out, timed and counted. What it did, and what it took in
/// nanoseconds.
pub(super) fn step(subject: &mut dyn Subject, nodes: u64, max_ns: u64, heap: bool) -> Result<(StepReport, u64)> {
    let limit = subject.controller().begin_step(nodes, max_ns, heap);
    carry_out(subject, &limit)
}

fn carry_out(subject: &mut dyn Subject, limit: &Limit) -> Result<(StepReport, u64)> {
    let result = subject.step(limit);
    let survey = subject.survey();
    let cost_ns = subject.controller().end_step(&result, &survey);
    result.map(|report| (report, cost_ns))
}
