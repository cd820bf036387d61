//! A file made of counts, for tests: packing and moving cost what its clock says, and nothing else happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::FairMutex;

use super::*;
use crate::error::{Error, ErrorKind, Result};

pub(super) const CAPACITY: u64 = 240;
const OBJECT: u64 = 48;
pub(super) const NODE_NS: u64 = 3_000;
pub(super) const MOVE_NS: u64 = 150;

/// What the next step does other than work.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fault {
    Error,
    Panic,
    /// Nodes stay as they are.
    Useless,
}

pub(super) struct Sim {
    pub controller: Controller,
    pub clock: Arc<ManualClock>,
    pub nodes: Vec<u64>,
    pub heap_free: u64,
    pub heap_bytes: u64,
    pub file_bytes: Option<u64>,
    pub fault: Option<Fault>,
    pub failed: Option<Error>,
    pub steps: u64,
    cursor: usize,
    packed: Vec<u64>,
    evacuating: bool,
    due: bool,
    random: u64,
}

impl Sim {
    /// `nodes` nodes filled between 50 and 100 %, as random insertion leaves them.
    pub(super) fn new(nodes: u64) -> Self {
        let clock = Arc::new(ManualClock::new());
        let mut sim = Sim {
            controller: Controller::new(clock.clone()),
            clock,
            nodes: Vec::new(),
            heap_free: 0,
            heap_bytes: 0,
            file_bytes: None,
            fault: None,
            failed: None,
            steps: 0,
            cursor: 0,
            packed: Vec::new(),
            evacuating: false,
            due: false,
            random: 88172645463325252,
        };
        for _ in 0..nodes {
            // Fringe analysis: the density of the fill x falls as 1/x².
            let u = sim.uniform(1 << 20) as f64 / (1 << 20) as f64;
            sim.nodes.push((CAPACITY as f64 / (2.0 - u)) as u64);
        }
        sim.heap_bytes = sim.records() * OBJECT;
        sim
    }

    pub(super) fn records(&self) -> u64 {
        self.nodes.iter().sum::<u64>() + self.packed.iter().sum::<u64>()
    }

    pub(super) fn uniform(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// A deletion at random that takes `cost_ns`.
    pub(super) fn delete(&mut self, cost_ns: u64) -> Result<()> {
        let all = self.nodes.len() + self.packed.len();
        loop {
            let at = self.uniform(all as u64) as usize;
            // Records are hit with equal probability: nodes in proportion to their fill.
            let chance = self.uniform(CAPACITY);
            let split = self.packed.len();
            let node = if at < split { &mut self.packed[at] } else { &mut self.nodes[at - split] };
            if *node > chance {
                *node -= 1;
                break;
            }
        }
        self.heap_free += OBJECT;
        self.operation(Kind::Delete, cost_ns)
    }

    /// A value is replaced by one that does not fit into its place, which stays a hole.
    pub(super) fn replace(&mut self, cost_ns: u64) -> Result<()> {
        self.heap_free += OBJECT;
        self.heap_bytes += OBJECT;
        self.operation(Kind::Update, cost_ns)
    }

    pub(super) fn operation(&mut self, kind: Kind, cost_ns: u64) -> Result<()> {
        self.clock.advance_ns(cost_ns);
        if kind == Kind::Read {
            if self.controller.on_read() {
                self.due = true;
                serve_read(self);
            }
            return Ok(());
        }
        self.due |= self.controller.on_operation(kind);
        if std::mem::take(&mut self.due) {
            serve(self)?;
        }
        Ok(())
    }

    pub(super) fn stats(&mut self) -> RebalanceStats {
        let survey = self.survey();
        self.controller.stats(&survey)
    }

    /// One window of nodes in key order, packed to 97 %.
    fn pack_window(&mut self, nodes_max: u64) -> u64 {
        let window = self.nodes.len().min(nodes_max.min(32) as usize);
        let records: u64 = self.nodes.drain(..window).sum();
        let target =
            if self.fault == Some(Fault::Useless) { window as u64 } else { (records * 100).div_ceil(CAPACITY * 97) };
        for i in 0..target.max(1) {
            self.packed.push((records + i) / target.max(1));
        }
        if self.evacuating {
            self.clock.advance_ns(records * MOVE_NS / 2);
        }
        self.clock.advance_ns(window as u64 * NODE_NS);
        window as u64
    }
}

impl Subject for Sim {
    fn controller(&mut self) -> &mut Controller {
        &mut self.controller
    }

    fn survey(&mut self) -> Survey {
        let all = || self.nodes.iter().chain(&self.packed);
        let nodes = all().count() as u64;
        Survey {
            nodes,
            underfull: if nodes > 1 { all().filter(|&&n| n * 2 < CAPACITY).count() as u64 } else { 0 },
            records: self.records(),
            capacity: nodes * CAPACITY,
            heap_live: self.heap_bytes - self.heap_free,
            heap_free: self.heap_free,
            file_bytes: self.file_bytes.unwrap_or(nodes * 4096 + self.heap_bytes),
            file_free: 0,
        }
    }

    fn step(&mut self, limit: &Limit) -> Result<StepReport> {
        self.steps += 1;
        match self.fault {
            Some(Fault::Error) => return Err(Error::corrupt("version 2 B-tree leaf", 0x1000, "made up")),
            Some(Fault::Panic) => panic!("made up"),
            _ => (),
        }
        if self.cursor == 0 {
            self.evacuating = limit.heap;
            self.cursor = 1;
        }
        let mut report = StepReport::default();
        while !self.nodes.is_empty() && !limit.reached(report.nodes_done) {
            report.nodes_done += self.pack_window(limit.nodes - report.nodes_done);
        }
        report.nodes_remaining = self.nodes.len() as u64;
        report.done = self.nodes.is_empty();
        if report.done {
            self.nodes = std::mem::take(&mut self.packed);
            self.cursor = 0;
            if self.evacuating {
                report.bytes_moved = self.heap_free;
                report.objects_moved = self.heap_free / OBJECT;
                self.heap_bytes -= self.heap_free;
                self.heap_free = 0;
            }
        }
        Ok(report)
    }

    fn fail(&mut self, error: Error) {
        self.failed = Some(error);
    }
}

/// A simulated file behind its lock, as the background thread sees it.
pub(super) struct SimFile {
    pub sim: FairMutex<Sim>,
    pub closed: AtomicBool,
}

impl SimFile {
    pub(super) fn new(sim: Sim) -> Arc<Self> {
        Arc::new(SimFile { sim: FairMutex::new(sim), closed: AtomicBool::new(false) })
    }

    pub(super) fn host(self: &Arc<Self>) -> Weak<dyn Host> {
        Arc::downgrade(self) as Weak<dyn Host>
    }

    pub(super) fn close(&self) {
        let retired = self.sim.lock().controller.stop();
        self.closed.store(true, Ordering::Relaxed);
        retired.join();
    }

    pub(super) fn set_incremental(self: &Arc<Self>, options: IncrementalOptions) {
        let mut sim = self.sim.lock();
        let lazy = sim.controller.set_lazy(&LazyOptions::default()).unwrap();
        let retired = sim.controller.set_incremental(options, self.host()).unwrap();
        drop(sim);
        lazy.join();
        retired.join();
    }

    pub(super) fn set_smart(self: &Arc<Self>, options: SmartOptions) {
        let mut sim = self.sim.lock();
        let survey = sim.survey();
        let retired = sim.controller.set_smart(options, &survey, self.host()).unwrap();
        drop(sim);
        retired.join();
    }
}

impl Host for SimFile {
    fn with(&self, work: &mut dyn FnMut(&mut dyn Subject)) -> bool {
        let mut sim = self.sim.lock();
        if self.closed.load(Ordering::Relaxed) {
            return false;
        }
        work(&mut *sim);
        true
    }
}

/// A host that is gone.
pub(super) fn nobody() -> Weak<dyn Host> {
    Weak::<SimFile>::new()
}

#[test]
fn the_model_counts_records() {
    let mut sim = Sim::new(100);
    let before = sim.records();
    for _ in 0..500 {
        sim.delete(1).unwrap();
    }
    complete(&mut sim).unwrap();
    assert_eq!(sim.records(), before - 500);
    assert_eq!(
        sim.controller.set_incremental(IncrementalOptions::default(), nobody()).err().map(|e| e.kind()),
        Some(ErrorKind::LazyRequired)
    );
}
