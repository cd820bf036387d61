//! Rebalancing of an open file: the survey that policies decide on, and the step that all modes share.
//!
//! A step works on one dense store at a time (an object's attributes or its links): it packs the nodes of its indexes
//! and moves heap objects out of the blocks that are to be freed, and when a store is through, brings it back to compact
//! form if few are left. Between steps the file is whole, so any number of operations may come in between.

use std::sync::Arc;

use crate::btree::TreeStats;
use crate::chunk::BTree2;
use crate::error::{Error, Result};
use crate::object::attribute::AttributeKind;
use crate::object::dense::{DenseKind, DenseStore};
use crate::object::link::LinkKind;
use crate::object::options::Phase;
use crate::object::search::Search;
use crate::object::state::{Loaded, Objects, Slot, State};
use crate::object::summary::Summary;
use crate::object::sweep::{is_sparse, Sweep};
use crate::rebalance::{Controller, Kind, Limit, StepReport, Subject, Survey, SystemClock};
use crate::store::Store;

/// Which of an object's dense stores, or the tree that finds its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Attributes,
    Links,
    Chunks,
}

/// The sweep in progress.
struct Active {
    slot: Slot,
    which: Which,
    sweep: Sweep,
}

/// What a file remembers for its rebalancing.
pub(super) struct Maintenance {
    pub controller: Controller,
    totals: Summary,
    /// Objects whose summary may differ from the one that is in the totals.
    touched: Vec<Slot>,
    /// Objects that the present round of sweeps has still to visit.
    round: Vec<Slot>,
    /// Whether a round is on: it ends with the last object.
    in_round: bool,
    active: Option<Active>,
    due: bool,
    /// A round has freed space inside the file that the next flush can give back.
    pub(super) trim_due: bool,
    /// The flush after the next moves raw data too: into what the next one frees.
    raw_due: bool,
    /// The next flush stores values anew that stand in sparse collections.
    pack_due: bool,
    /// Goes through the file for dense stores that are not in memory yet.
    pub(super) search: Option<Search>,
    /// The next object that is looked at for what fits into its header.
    pub(super) next_few: Option<Slot>,
    /// The first damage that made a store be left alone since this was taken.
    damage: Option<Error>,
}

impl Maintenance {
    /// For a file just opened, in mode none.
    pub fn new() -> Self {
        Maintenance {
            controller: Controller::new(Arc::new(SystemClock::new())),
            totals: Summary::default(),
            touched: Vec::new(),
            round: Vec::new(),
            in_round: false,
            active: None,
            due: false,
            trim_due: false,
            raw_due: false,
            pack_due: false,
            search: None,
            next_few: None,
            damage: None,
        }
    }

    /// An operation on the object is done.
    #[inline]
    pub fn note(&mut self, objects: &mut Objects, slot: Slot, kind: Kind) -> Result<()> {
        let object = objects.get(slot)?;
        object.thinned |= kind == Kind::Delete;
        self.touch(slot, object);
        self.due |= self.controller.on_operation(kind);
        Ok(())
    }

    /// The object's summary may have changed.
    #[inline]
    pub fn touch(&mut self, slot: Slot, object: &mut Loaded) {
        if !object.touched {
            object.touched = true;
            self.touched.push(slot);
        }
    }

    /// Whether [`State::serve`] has something to look at.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.due
    }

    /// The object is about to be deleted or dropped from memory.
    pub fn forget(&mut self, slot: Slot, object: &mut Loaded) {
        if object.touched {
            self.touched.retain(|&touched| touched != slot);
            object.touched = false;
        }
        self.totals.subtract(&std::mem::take(&mut object.counted));
        self.round.retain(|&waiting| waiting != slot);
        if self.active.as_ref().is_some_and(|active| active.slot == slot) {
            self.active = None;
        }
    }

    /// Whether the sweep in progress is that of one of the object's stores.
    pub(super) fn is_sweeping(&self, slot: Slot) -> bool {
        self.active.as_ref().is_some_and(|active| active.slot == slot)
    }

    /// The file is about to be closed: unless the mode is none, it shrinks as far as it can; with its raw data if much was
    /// freed since it was opened, and with values where that left collections sparse.
    pub fn trim_at_close(&mut self, freed_much: bool, sparse_values: bool) {
        self.trim_due |= self.controller.finishes_at_close();
        self.pack_due |= self.trim_due && sparse_values;
        self.raw_due |= self.trim_due && (freed_much || sparse_values);
    }

    /// Raw data and values are to be moved, too, as soon as what was freed may be written.
    pub fn ask_for_raw_trim(&mut self) {
        (self.raw_due, self.pack_due) = (true, true);
    }

    /// Whether the next flush is to pack values.
    pub fn take_pack_due(&mut self) -> bool {
        std::mem::take(&mut self.pack_due)
    }

    /// Whether a second flush is to move what is written at once: raw data and huge objects.
    pub fn take_raw_due(&mut self) -> bool {
        self.trim_due |= self.raw_due;
        std::mem::take(&mut self.raw_due)
    }

    /// The second flush is about to come.
    pub fn trim_again(&mut self) {
        self.trim_due = true;
    }

    /// Brings the totals up to date. What is damaged counts as nothing.
    fn recount(&mut self, store: &mut Store, objects: &mut Objects) -> Result<()> {
        while let Some(&slot) = self.touched.last() {
            let object = objects.get(slot)?;
            let summary = match object.summary(store) {
                Err(error) if !error.is_of_content() => return Err(error),
                summary => summary.unwrap_or_default(),
            };
            self.touched.pop();
            object.touched = false;
            self.totals.subtract(&object.counted);
            self.totals.add(&summary);
            object.counted = summary;
        }
        Ok(())
    }

    /// Damage was met by what rebalancing does: nobody is kept from anything by it, but it is told.
    pub fn note_damage(&mut self, error: Error) {
        self.controller.note_damage(&error);
        self.damage.get_or_insert(error);
    }

    /// The first damage that was noted since this was asked.
    pub fn take_damage(&mut self) -> Option<Error> {
        self.damage.take()
    }
}

impl Loaded {
    /// What the object's dense stores are like now.
    fn summary(&mut self, store: &mut Store) -> Result<Summary> {
        let mut summary = Summary::default();
        if let Some(dense) = self.attributes.loaded_dense() {
            summary.add(&dense.summary(store)?);
        }
        if let Some(dense) = self.read_links.as_mut().and_then(|links| links.loaded_dense()) {
            summary.add(&dense.summary(store)?);
        }
        if let Some(tree) = self.chunk_tree() {
            let stats = tree.stats(store)?;
            let TreeStats { nodes, underfull, records, capacity_total: capacity, .. } = stats;
            let tree = Summary { nodes, underfull, records, capacity, ..Summary::default() };
            summary.add(&tree.with_due(is_sparse(&stats), false));
        }
        Ok(summary)
    }

    pub(super) fn store_to_sweep(&self, which: Which) -> bool {
        match which {
            Which::Attributes => self.attributes.is_dense_loaded(),
            Which::Links => self.read_links.as_ref().is_some_and(|links| links.is_dense_loaded()),
            Which::Chunks => self.dataset.as_ref().is_some_and(|dataset| dataset.has_chunk_tree()),
        }
    }

    fn chunk_tree(&mut self) -> Option<&mut BTree2> {
        self.dataset.as_mut().and_then(|dataset| dataset.chunk_tree())
    }

    fn dense_links(&mut self) -> Option<&mut DenseStore<LinkKind>> {
        self.read_links.as_mut().and_then(|links| links.loaded_dense())
    }

    /// Begins a sweep; `None` when there is nothing to put right.
    fn begin_sweep(&mut self, store: &mut Store, which: Which, limit: &Limit) -> Result<Option<Sweep>> {
        match which {
            Which::Attributes => begin(store, self.attributes.loaded_dense(), limit),
            Which::Links => begin(store, self.dense_links(), limit),
            Which::Chunks => match self.chunk_tree() {
                Some(tree) => Sweep::of_chunks(store, tree),
                None => Ok(None),
            },
        }
    }

    /// Goes on with a sweep; true when it is over.
    fn go_on(
        &mut self,
        store: &mut Store,
        active: &mut Active,
        limit: &Limit,
        report: &mut StepReport,
    ) -> Result<bool> {
        match active.which {
            Which::Attributes => go_on::<AttributeKind>(store, self.attributes.loaded_dense(), active, limit, report),
            Which::Links => go_on::<LinkKind>(store, self.dense_links(), active, limit, report),
            Which::Chunks => match self.chunk_tree() {
                Some(tree) => active.sweep.pass_chunks(store, tree, limit, report),
                None => Ok(true),
            },
        }
    }

    /// Ends a sweep where it is.
    fn break_off(&mut self, which: Which) -> Result<()> {
        match which {
            Which::Attributes => self.attributes.loaded_dense().map_or(Ok(()), DenseStore::break_off_sweep),
            Which::Links => self.dense_links().map_or(Ok(()), DenseStore::break_off_sweep),
            Which::Chunks => Ok(()),
        }
    }
}

impl State {
    /// Does the rebalancing that is due inside the caller's operation.
    #[cold]
    pub fn serve(&mut self) -> Result<()> {
        self.maintenance.due = false;
        crate::rebalance::serve(self)
    }

    /// A call has read something or looked it up.
    #[inline]
    pub fn note_read(&mut self) {
        if self.maintenance.controller.on_read() {
            self.maintenance.due = true;
            crate::rebalance::serve_read(self);
        }
    }

    /// One step of the sweep in progress, or the first of the next store's.
    fn sweep_step(&mut self, limit: &Limit) -> Result<StepReport> {
        self.maintenance.recount(&mut self.store, &mut self.objects)?;
        if limit.anew {
            self.abandon_sweep()?;
        }
        let mut report = StepReport::default();
        while !limit.reached(report.nodes_done) {
            if self.maintenance.active.is_none() && !self.next_store(limit)? {
                self.maintenance.in_round = false;
                self.maintenance.trim_due = true;
                report.done = true;
                break;
            }
            self.sweep_active(limit, &mut report)?;
        }
        report.nodes_remaining = self.nodes_remaining(limit.heap)?;
        Ok(report)
    }

    /// Ends the sweep in progress where it is, for one that may let heaps slide in one go.
    pub(super) fn abandon_sweep(&mut self) -> Result<()> {
        let Some(active) = self.maintenance.active.take() else { return Ok(()) };
        let State { objects, maintenance, .. } = self;
        let object = objects.get(active.slot)?;
        object.break_off(active.which)?;
        maintenance.touch(active.slot, object);
        objects.mark(active.slot)?;
        maintenance.in_round = false;
        maintenance.round.clear();
        for slot in objects.with_dense() {
            objects.get(slot)?.clear_swept();
        }
        Ok(())
    }

    /// Begins the sweep of the next store that needs one; false when the round is over.
    fn next_store(&mut self, limit: &Limit) -> Result<bool> {
        if !self.maintenance.in_round {
            self.maintenance.in_round = true;
            self.maintenance.round = self.objects.with_dense();
        }
        while let Some(&slot) = self.maintenance.round.last() {
            for which in [Which::Attributes, Which::Links, Which::Chunks] {
                if self.begin_store(slot, which, limit)? {
                    return Ok(true);
                }
            }
            self.objects.get(slot)?.clear_swept();
            self.maintenance.round.pop();
        }
        Ok(false)
    }

    /// Begins the sweep of a store if it has not been swept in this round and needs it; whether it did.
    fn begin_store(&mut self, slot: Slot, which: Which, limit: &Limit) -> Result<bool> {
        let State { store, objects, maintenance, .. } = self;
        let object = objects.get(slot)?;
        if object.swept(which) || !object.store_to_sweep(which) {
            return Ok(false);
        }
        object.set_swept(which);
        store.note_whole();
        let edits = store.edits();
        let begun = match object.begin_sweep(store, which, limit) {
            Ok(None) => object.make_compact(store, which, Phase::few).map(|_| None),
            begun => begun,
        };
        if store.edits() != edits {
            maintenance.touch(slot, object);
            objects.mark(slot)?;
        }
        match begun {
            Ok(sweep) => maintenance.active = sweep.map(|sweep| Active { slot, which, sweep }),
            Err(error) => maintenance.note_damage(store.spared(error)?),
        }
        Ok(maintenance.active.is_some())
    }

    /// Goes on with the active sweep; at its end the store may become compact. A store that is found to be damaged is left
    /// as it is then, and the round goes on without it.
    fn sweep_active(&mut self, limit: &Limit, report: &mut StepReport) -> Result<()> {
        let Some(mut active) = self.maintenance.active.take() else { return Ok(()) };
        let (slot, which) = (active.slot, active.which);
        let State { store, objects, maintenance, .. } = self;
        let object = objects.get(slot)?;
        let swept = object.go_on(store, &mut active, limit, report).and_then(|done| {
            if done {
                store.note_whole();
                object.make_compact(store, which, Phase::few)?;
            }
            Ok(done)
        });
        maintenance.touch(slot, object);
        if swept.is_err() {
            // Of two errors the first one tells more.
            let _ = object.break_off(which);
        }
        objects.mark(slot)?;
        match swept {
            Ok(true) => {}
            Ok(false) => maintenance.active = Some(active),
            Err(error) => maintenance.note_damage(store.spared(error)?),
        }
        Ok(())
    }

    /// Has the next survey count every dense store in memory, also those that were only read.
    pub fn touch_all_dense(&mut self) -> Result<()> {
        for slot in self.objects.with_dense() {
            self.maintenance.touch(slot, self.objects.get(slot)?);
            self.note_chunks(slot)?;
        }
        Ok(())
    }

    /// Chunks of a dataset were entered in its index or taken out.
    pub fn note_chunks(&mut self, slot: Slot) -> Result<()> {
        let State { objects, maintenance, .. } = self;
        let tally = objects.get(slot)?.dataset.as_mut().map(|dataset| dataset.take_chunk_tally()).unwrap_or_default();
        (0..tally.entered).try_for_each(|_| maintenance.note(objects, slot, Kind::Insert))?;
        (0..tally.removed).try_for_each(|_| maintenance.note(objects, slot, Kind::Delete))
    }

    /// Nodes that the round has still to visit, with heap objects to move or without.
    fn nodes_remaining(&mut self, heap: bool) -> Result<u64> {
        self.maintenance.recount(&mut self.store, &mut self.objects)?;
        let active = self.maintenance.active.as_ref();
        let mut remaining = active.map_or(0, |active| active.sweep.nodes_remaining());
        for &slot in &self.maintenance.round {
            if active.is_none_or(|active| active.slot != slot) {
                let counted = &self.objects.get(slot)?.counted;
                remaining += counted.due + if heap { counted.due_for_heap } else { 0 };
            }
        }
        Ok(remaining)
    }
}

impl Loaded {
    fn swept(&self, which: Which) -> bool {
        self.swept & which.bit() != 0
    }

    fn set_swept(&mut self, which: Which) {
        self.swept |= which.bit();
    }

    fn clear_swept(&mut self) {
        self.swept = 0;
    }
}

impl Which {
    fn bit(self) -> u8 {
        match self {
            Which::Attributes => 1,
            Which::Links => 2,
            Which::Chunks => 4,
        }
    }
}

fn begin<K: DenseKind>(store: &mut Store, dense: Option<&mut DenseStore<K>>, limit: &Limit) -> Result<Option<Sweep>> {
    match dense {
        Some(dense) => dense.begin_sweep(store, limit),
        None => Ok(None),
    }
}

fn go_on<K: DenseKind>(
    store: &mut Store,
    dense: Option<&mut DenseStore<K>>,
    active: &mut Active,
    limit: &Limit,
    report: &mut StepReport,
) -> Result<bool> {
    match dense {
        Some(dense) => dense.sweep(store, &mut active.sweep, limit, report),
        None => Ok(true),
    }
}

impl Subject for State {
    fn controller(&mut self) -> &mut Controller {
        &mut self.maintenance.controller
    }

    fn survey(&mut self) -> Survey {
        // An error here is met again, and reported, by the step that follows.
        let _ = self.maintenance.recount(&mut self.store, &mut self.objects);
        let totals = &self.maintenance.totals;
        Survey {
            nodes: totals.nodes,
            underfull: totals.underfull,
            records: totals.records,
            capacity: totals.capacity,
            heap_live: totals.heap_live,
            heap_free: totals.heap_free,
            file_bytes: self.store.space().end(),
            file_free: self.store.space().reclaimable_bytes(),
        }
    }

    fn step(&mut self, limit: &Limit) -> Result<StepReport> {
        self.store.check_writable()?;
        self.store.note_whole();
        let result = self.sweep_step(limit);
        if result.is_err() && !self.store.is_whole() {
            self.store.fail();
        }
        result
    }

    fn fail(&mut self, error: Error) {
        let _ = error;
        self.store.fail();
    }
}
