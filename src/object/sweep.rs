//! One dense store's sweep, or that of an index of chunks: packing the nodes of its indexes and emptying the heap blocks that are to be freed.
//!
//! The sweep walks the name index in key order, so every heap object is met exactly once, with the record that points
//! to it: objects above the heap's watermark move into holes below it, and record and creation-order record follow.
//! In a flush, in closing and when it is asked for, a heap with much free space is brought together in one go instead: its objects slide,
//! and the walk only renews the heap IDs in the records; or, where all have one length, those above take the places below. What moving objects one by one left slides afterwards.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::marker::PhantomData;

use crate::btree::{Key, Location, Run, Tree, TreeStats};
use crate::chunk::BTree2;
use crate::error::Result;
use crate::format::checksum::name_hash;
use crate::heap::{Heap, HeapStats};
use crate::object::dense::{damaged_order, DenseKind, DenseStore, OrderKey};
use crate::object::dense_shared::object_of;
use crate::rebalance::{Limit, StepReport};
use crate::store::Store;

/// Leaves per turn between looks at the clock, some 50 µs of work each way.
const LEAVES_PACKING: u64 = 16;
const LEAVES_MOVING: u64 = 4;
/// ... with objects of this mean size; fewer leaves where they are larger.
const OBJECT_BYTES: u64 = 256;

/// Below this part of filled record places a tree is packed though none of its nodes is underfull.
const OCCUPANCY_MIN: f64 = 0.90;

/// A heap with a larger part free than this slides together when that can be done in one go; below, moving the objects
/// of its last blocks into holes touches less.
const SLIDE_FREE: f64 = 0.20;

/// A heap with a smaller part free than this is left alone.
const FREE_MIN: f64 = 0.02;

/// What happens to the heap while the name index is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeapWork {
    Nothing,
    Evacuate,
    Slide,
    /// Like a slide, in one go.
    Fill,
}

impl HeapWork {
    /// Whether it has to come to its end once it is begun: before, records have IDs that are not valid any more, or the heap's
    /// holes are not all known.
    fn is_in_one_go(self) -> bool {
        matches!(self, HeapWork::Slide | HeapWork::Fill)
    }
}

/// Where the next turn begins.
enum After {
    Start,
    Name(Vec<u8>),
    Order(u64),
    /// A chunk, by its place in chunks.
    Chunk(Vec<u64>),
}

/// How far a sweep has come.
pub(super) struct Sweep {
    after: After,
    /// The name index is done, the creation-order index is on.
    in_order_index: bool,
    heap: HeapWork,
    nodes: u64,
    nodes_done: u64,
}

impl Sweep {
    fn new(heap: HeapWork, nodes: u64) -> Self {
        Sweep { after: After::Start, in_order_index: false, heap, nodes, nodes_done: 0 }
    }

    /// Nodes still to be visited, as far as can be told.
    pub fn nodes_remaining(&self) -> u64 {
        self.nodes.saturating_sub(self.nodes_done)
    }

    /// Begins the sweep of an index of chunks; `None` when there is nothing to put right.
    pub fn of_chunks(store: &mut Store, tree: &mut BTree2) -> Result<Option<Sweep>> {
        let stats = tree.stats(store)?;
        Ok(is_sparse(&stats).then(|| Sweep::new(HeapWork::Nothing, stats.nodes)))
    }

    /// Goes on with it until the limit is reached; true when it is over.
    pub fn pass_chunks(
        &mut self,
        store: &mut Store,
        tree: &mut BTree2,
        limit: &Limit,
        report: &mut StepReport,
    ) -> Result<bool> {
        while !limit.reached(report.nodes_done) {
            let leaves = LEAVES_PACKING.min(limit.nodes - report.nodes_done) as usize;
            let after = match &self.after {
                After::Chunk(scaled) => Some(scaled.as_slice()),
                _ => None,
            };
            let (nodes_done, last) = tree.sweep(store, after, leaves)?;
            self.nodes_done += nodes_done;
            report.nodes_done += nodes_done;
            let Some(last) = last else { return Ok(true) };
            self.after = After::Chunk(last);
        }
        Ok(false)
    }
}

/// Whether packing makes a tree smaller or healthier.
pub(super) fn is_sparse(stats: &TreeStats) -> bool {
    stats.underfull > 0 || (stats.nodes > 1 && stats.occupancy() < OCCUPANCY_MIN)
}

/// Whether a sweep that moves heap objects does anything about this heap.
pub(super) fn is_worth_work(stats: &HeapStats) -> bool {
    free_part(stats) >= FREE_MIN
}

fn free_part(stats: &HeapStats) -> f64 {
    stats.free_bytes as f64 / (stats.free_bytes + stats.live_bytes).max(1) as f64
}

/// The name behind which a sweep goes on.
struct NameAfter<'a, 'h, K> {
    hash: u32,
    name: &'a [u8],
    heap: &'a RefCell<&'h mut Heap>,
    kind: PhantomData<K>,
}

impl<K: DenseKind> Key for NameAfter<'_, '_, K> {
    fn quick(&self, record: &[u8]) -> Option<Ordering> {
        let hash = K::hash_of(record);
        (self.hash != hash).then(|| self.hash.cmp(&hash))
    }

    fn resolve(&mut self, store: &mut Store, record: &[u8]) -> Result<Ordering> {
        let mut heap = self.heap.borrow_mut();
        let mut shared = Vec::new();
        Ok(self.name.cmp(K::name(object_of::<K>(&mut heap, store, record, &mut shared)?)?))
    }
}

/// The heap and what points into it besides the name index, while objects move.
struct Mover<'a, 'h> {
    heap: &'a RefCell<&'h mut Heap>,
    order: Option<&'a mut Tree>,
    work: HeapWork,
    objects_moved: u64,
    bytes_moved: u64,
}

impl Mover<'_, '_> {
    /// Moves what the records of a run point to, if it has to move, and points them at its new place.
    fn visit<K: DenseKind>(&mut self, store: &mut Store, run: &Run) -> Result<()> {
        let place = K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN;
        match self.work {
            HeapWork::Nothing => Ok(()),
            // The objects have slid already; each index renews its own IDs.
            HeapWork::Slide => {
                let records = run.records(store);
                let (objects, bytes) = self.heap.borrow().renew_ids(records, K::NAME_SIZE, place, K::is_shared)?;
                self.objects_moved += objects;
                self.bytes_moved += bytes;
                Ok(())
            }
            HeapWork::Fill => {
                let mut heap = self.heap.borrow_mut();
                let moved = heap.fill_holes(store, run.places(), K::NAME_SIZE, place, K::is_shared)?;
                self.objects_moved += moved.0;
                self.bytes_moved += moved.1;
                Ok(())
            }
            HeapWork::Evacuate => {
                let heap = self.heap;
                let ahead = |store: &Store, records: &[u8]| {
                    let heap = heap.borrow();
                    let own = records.chunks_exact(K::NAME_SIZE).filter(|record| !K::is_shared(record));
                    for id in own.map(|record| &record[place.clone()]).filter(|id| heap.moves(id)) {
                        heap.touch(store, id);
                    }
                };
                run.each(store, ahead, |store, record| self.move_object::<K>(store, record))
            }
        }
    }

    fn move_object<K: DenseKind>(&mut self, store: &mut Store, record: &mut [u8]) -> Result<()> {
        let place = K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN;
        let mut heap = self.heap.borrow_mut();
        if K::is_shared(record) || !heap.moves(&record[place.clone()]) {
            return Ok(());
        }
        let object = heap.get(store, &record[place.clone()])?;
        let (order, length) = (K::order_of(record, object), object.len());
        // Both records are found before the object moves.
        let in_order = match &self.order {
            Some(tree) => Some(Self::locate_order::<K>(tree, store, order)?),
            None => None,
        };
        let Some(id) = heap.relocate(store, &record[place.clone()])? else { return Ok(()) };
        record[place].copy_from_slice(id.as_slice());
        if let (Some(tree), Some(location)) = (&mut self.order, in_order) {
            let place = K::ORDER_ID_AT..K::ORDER_ID_AT + K::ID_LEN;
            tree.record_at_mut(store, &location)[place].copy_from_slice(id.as_slice());
        }
        self.objects_moved += 1;
        self.bytes_moved += length as u64;
        Ok(())
    }

    fn locate_order<K: DenseKind>(tree: &Tree, store: &mut Store, order: Option<u64>) -> Result<Location> {
        let order = order.ok_or_else(damaged_order)?;
        let location = tree.locate(store, &mut OrderKey::<K>::new(order))?;
        if !location.found {
            return Err(damaged_order());
        }
        Ok(location)
    }
}

impl<K: DenseKind> DenseStore<K> {
    /// Begins a sweep; `None` when there is nothing to put right.
    pub fn begin_sweep(&mut self, store: &mut Store, limit: &Limit) -> Result<Option<Sweep>> {
        let mut nodes = 0;
        let mut sparse = false;
        for tree in std::iter::once(&mut self.names).chain(&mut self.order) {
            let stats = tree.stats(store)?;
            nodes += stats.nodes;
            sparse |= is_sparse(&stats);
        }
        let heap = if limit.heap { self.begin_heap_work(store, limit)? } else { HeapWork::Nothing };
        if heap == HeapWork::Nothing && (!sparse || limit.slide) {
            return Ok(None);
        }
        Ok(Some(Sweep::new(heap, nodes)))
    }

    fn begin_heap_work(&mut self, store: &mut Store, limit: &Limit) -> Result<HeapWork> {
        self.heap.load(store)?;
        let stats = self.heap.stats();
        if !is_worth_work(&stats) {
            return Ok(HeapWork::Nothing);
        }
        let slides = match limit.slide {
            true => self.heap.plan_evacuation().is_some(),
            false => limit.in_one_go && free_part(&stats) >= SLIDE_FREE,
        };
        if slides {
            // What slides has to come to its end, so nothing may be found damaged on the way.
            for tree in std::iter::once(&mut self.names).chain(&mut self.order) {
                tree.each_node(store, true, &mut |_, _, _| Ok(()))?;
            }
            if !limit.slide && self.order.is_none() && self.heap.begin_fill(store, K::ID_LEN)? {
                return Ok(HeapWork::Fill);
            }
            if let Some(plan) = self.heap.plan_slide(store, limit.slide)? {
                self.heap.begin_slide(store, plan)?;
                return Ok(HeapWork::Slide);
            }
        }
        match self.heap.plan_evacuation().filter(|_| !limit.slide) {
            Some(evacuation) => {
                self.heap.begin_evacuation(store, evacuation)?;
                Ok(HeapWork::Evacuate)
            }
            None => Ok(HeapWork::Nothing),
        }
    }

    /// Goes on with a sweep until the limit is reached; true when it is over.
    pub fn sweep(
        &mut self,
        store: &mut Store,
        sweep: &mut Sweep,
        limit: &Limit,
        report: &mut StepReport,
    ) -> Result<bool> {
        let in_one_go = sweep.heap.is_in_one_go();
        self.sweep_on(store, sweep, limit, report).inspect_err(|_| {
            // Records have IDs of both kinds now.
            if in_one_go {
                store.fail();
            }
        })
    }

    fn sweep_on(
        &mut self,
        store: &mut Store,
        sweep: &mut Sweep,
        limit: &Limit,
        report: &mut StepReport,
    ) -> Result<bool> {
        // What slides does so in one go: before its end, records have IDs that are not valid any more.
        while sweep.heap.is_in_one_go() || !limit.reached(report.nodes_done) {
            let leaves = match sweep.heap {
                HeapWork::Nothing => LEAVES_PACKING,
                HeapWork::Evacuate => self.leaves_moving(),
                HeapWork::Slide | HeapWork::Fill => u64::MAX,
            };
            let leaves = leaves.min(limit.nodes.saturating_sub(report.nodes_done)).min(usize::MAX as u64) as usize;
            let (nodes_done, through) = match sweep.in_order_index {
                false => self.sweep_names(store, sweep, leaves, report)?,
                true => self.sweep_order(store, sweep, leaves)?,
            };
            sweep.nodes_done += nodes_done;
            report.nodes_done += nodes_done;
            if !through {
                continue;
            }
            if sweep.in_order_index || self.order.is_none() {
                self.end_heap_work(store, sweep.heap)?;
                return Ok(true);
            }
            if sweep.heap == HeapWork::Evacuate {
                self.end_heap_work(store, std::mem::replace(&mut sweep.heap, HeapWork::Nothing))?;
                store.note_whole();
            }
            sweep.in_order_index = true;
            sweep.after = After::Start;
        }
        Ok(false)
    }

    fn leaves_moving(&self) -> u64 {
        let stats = self.heap.stats();
        let mean_bytes = stats.live_bytes / stats.managed.max(1);
        (LEAVES_MOVING * OBJECT_BYTES / mean_bytes.max(1)).clamp(1, LEAVES_MOVING)
    }

    /// Ends a sweep where it is, for one that begins anew; the store is whole.
    pub fn break_off_sweep(&mut self) -> Result<()> {
        self.heap.break_off_evacuation()
    }

    fn end_heap_work(&mut self, store: &mut Store, work: HeapWork) -> Result<()> {
        match work {
            HeapWork::Nothing => Ok(()),
            HeapWork::Evacuate => self.heap.end_evacuation(store),
            HeapWork::Slide => self.heap.end_slide(store),
            HeapWork::Fill => self.heap.end_fill(store),
        }
    }

    /// The next leaves of the name index: how many they were, and whether they were the last.
    fn sweep_names(
        &mut self,
        store: &mut Store,
        sweep: &mut Sweep,
        leaves: usize,
        report: &mut StepReport,
    ) -> Result<(u64, bool)> {
        let heap = RefCell::new(&mut self.heap);
        let mut after = match &sweep.after {
            After::Name(name) => Some(NameAfter::<K> { hash: name_hash(name), name, heap: &heap, kind: PhantomData }),
            _ => None,
        };
        let mut mover =
            Mover { heap: &heap, order: self.order.as_mut(), work: sweep.heap, objects_moved: 0, bytes_moved: 0 };
        let progress = self.names.sweep(store, after.as_mut(), leaves, |store, run| mover.visit::<K>(store, &run))?;
        report.objects_moved += mover.objects_moved;
        report.bytes_moved += mover.bytes_moved;
        let Some(last) = &progress.last else { return Ok((progress.nodes_done as u64, true)) };
        let heap = heap.into_inner();
        let object = object_of::<K>(heap, store, last, &mut self.shared)?;
        sweep.after = After::Name(K::name(object)?.to_vec());
        Ok((progress.nodes_done as u64, false))
    }

    fn sweep_order(&mut self, store: &mut Store, sweep: &mut Sweep, leaves: usize) -> Result<(u64, bool)> {
        let Some(tree) = &mut self.order else { return Ok((0, true)) };
        let mut after = match sweep.after {
            After::Order(order) => Some(OrderKey::<K>::new(order)),
            _ => None,
        };
        let heap = (sweep.heap == HeapWork::Slide).then_some(&self.heap);
        let place = K::ORDER_ID_AT..K::ORDER_ID_AT + K::ID_LEN;
        let visit = |store: &mut Store, run: Run| match heap {
            Some(heap) => heap.renew_ids(run.records(store), K::ORDER_SIZE, place.clone(), K::is_shared).map(|_| ()),
            None => Ok(()),
        };
        let progress = tree.sweep(store, after.as_mut(), leaves, visit)?;
        let Some(last) = &progress.last else { return Ok((progress.nodes_done as u64, true)) };
        sweep.after = After::Order(K::order_of_record(last));
        Ok((progress.nodes_done as u64, false))
    }

    /// Moves nodes and heap blocks that stand at `limit` or above into holes below it; how many were moved. What is damaged
    /// stays.
    pub fn relocate_above(&mut self, store: &mut Store, limit: u64) -> Result<u64> {
        // The largest first: small ones would break up the holes that they need.
        let blocks = self.heap.relocate_above(store, limit, usize::MAX);
        let mut moved = store.unless_damaged(blocks)?.unwrap_or(0) as u64;
        let header = self.heap.relocate_header(store, limit);
        moved += u64::from(store.unless_damaged(header)? == Some(true));
        for tree in std::iter::once(&mut self.names).chain(&mut self.order) {
            let nodes = tree.relocate_above(store, limit, usize::MAX);
            moved += store.unless_damaged(nodes)?.unwrap_or(0) as u64;
            let header = tree.relocate_header(store, limit);
            moved += u64::from(store.unless_damaged(header)? == Some(true));
        }
        Ok(moved)
    }
}
