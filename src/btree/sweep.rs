//! The sweep: a walk over all leaves in key order that packs them and shows every record to its caller, in slices
//! between which the tree may change. Level by level upwards, a node is filled from its right neighbour as soon as
//! the walk comes to its end, so the tree behind the walk is packed on all levels.

use super::repair::Mending;
use super::reshape::even;
use super::search::{Key, Location, Record};
use super::Tree;
use crate::error::Result;
use crate::format::btree2::Level;
use crate::format::UNDEFINED;
use crate::store::{BlockId, Store};
use std::ops::Range;

/// Leaves that are packed in one go: some 50 µs of work with nodes of 4096 bytes.
const WINDOW: usize = 16;

/// What one slice of a sweep did.
pub struct SweepProgress {
    /// Leaves that were passed.
    pub nodes_done: usize,
    /// The last record that was visited: the next slice begins behind it. `None` when the sweep is done.
    pub last: Option<Record>,
}

impl SweepProgress {
    /// Whether the sweep has passed the whole tree.
    pub fn is_done(&self) -> bool {
        self.last.is_none()
    }
}

/// Records that stand one behind the other in a node: a leaf's, or one separator.
pub struct Run {
    block: BlockId,
    places: Range<usize>,
    size: usize,
}

impl Run {
    /// The records, to be changed in place (not in their order).
    pub fn records<'a>(&self, store: &'a mut Store) -> &'a mut [u8] {
        &mut store.bytes_mut(self.block)[self.places.clone()]
    }

    /// The block that they are in, and where in it.
    pub fn places(&self) -> (BlockId, Range<usize>) {
        (self.block, self.places.clone())
    }

    /// Calls `visit` with each record, which it may change, and the store. Before that `ahead` gets all of them at once: what
    /// they refer to can be fetched then. Where a visit fails, those before it are kept; it changes its record last.
    pub fn each(
        &self,
        store: &mut Store,
        ahead: impl FnOnce(&Store, &[u8]),
        mut visit: impl FnMut(&mut Store, &mut [u8]) -> Result<()>,
    ) -> Result<()> {
        let before = store.bytes(self.block)[self.places.clone()].to_vec();
        ahead(store, &before);
        let mut records = before.clone();
        let (mut visited, mut whole) = (Ok(()), true);
        for record in records.chunks_exact_mut(self.size) {
            let edits = store.edits();
            visited = visit(store, record);
            if visited.is_err() {
                whole = store.edits() == edits;
                break;
            }
        }
        // Also those before one that is damaged.
        if records != before {
            self.records(store).copy_from_slice(&records);
        }
        if whole {
            store.note_whole();
        }
        visited
    }
}

impl Tree {
    /// One slice of a sweep: packs the next `max_nodes` leaves or so and calls `visit` with the records of each, and with
    /// the separators between them, in their order.
    ///
    /// A sweep begins with no `after`. The next slice gets a key made from the `last` record of the one before, at
    /// the time that one returns: what a record refers to may be gone later. The record itself may have been removed
    /// by then. Over a whole sweep, every record that is there all the time is visited exactly once. When the sweep is
    /// done and the tree did not change meanwhile, every node but the root is at least half full, and nodes are filled
    /// to 97 % but for the last few under each parent.
    pub fn sweep<K: Key>(
        &mut self,
        store: &mut Store,
        after: Option<&mut K>,
        max_nodes: usize,
        mut visit: impl FnMut(&mut Store, Run) -> Result<()>,
    ) -> Result<SweepProgress> {
        store.check_writable()?;
        let Some(mut rank) = self.rank_after(store, after)? else { return self.finish_sweep(store, 0) };
        let mut nodes_done = 0;
        loop {
            let (count, end) = self.pack_window(store, rank, max_nodes.saturating_sub(nodes_done).clamp(1, WINDOW))?;
            nodes_done += count;
            store.note_whole();
            let last = self.visit(store, rank, end, &mut visit)?;
            store.note_whole();
            rank = end + 1;
            if rank >= self.header.total {
                return self.finish_sweep(store, nodes_done);
            }
            if nodes_done >= max_nodes {
                return Ok(SweepProgress { nodes_done, last: Some(last) });
            }
        }
    }

    fn finish_sweep(&mut self, store: &mut Store, nodes_done: usize) -> Result<SweepProgress> {
        if self.header.root != UNDEFINED {
            self.refill(store, self.header.total, self.depth)?;
            self.lower_whole(store)?;
        }
        // Rare: changes between the slices, or a node that had no neighbour to be merged with.
        if self.counts.underfull > 0 || !self.counts.known {
            self.mend(store, Mending { least: Level::half, all: true })?;
        }
        Ok(SweepProgress { nodes_done, last: None })
    }

    fn lower_whole(&mut self, store: &mut Store) -> Result<()> {
        self.lower(store)?;
        store.note_whole();
        Ok(())
    }

    /// The rank of the first record behind `after`.
    fn rank_after<K: Key>(&self, store: &mut Store, after: Option<&mut K>) -> Result<Option<u64>> {
        let rank = match after {
            None => 0,
            Some(key) if self.header.root != UNDEFINED => {
                let place = self.locate(store, key)?;
                self.rank(store, &place) + u64::from(place.found)
            }
            Some(_) => 0,
        };
        Ok((rank < self.header.total).then_some(rank))
    }

    /// Visits the records from `rank` to `end`, or to the tree's end, and returns the last one.
    fn visit(
        &self,
        store: &mut Store,
        rank: u64,
        end: u64,
        visit: &mut impl FnMut(&mut Store, Run) -> Result<()>,
    ) -> Result<Record> {
        let mut place = self.nth(store, rank)?;
        let mut at = rank;
        loop {
            let step = place.step();
            // A leaf's records together, a separator alone.
            let behind = match place.level {
                0 => u64::from(step.nrec.saturating_sub(step.index)),
                _ => 1,
            };
            let count = behind.min((end + 1).saturating_sub(at)) as usize;
            if count == 0 {
                return Err(self.miscounted());
            }
            let first = usize::from(step.index);
            let last = self.geometry.record(first + count - 1);
            let places = self.geometry.record(first).start..last.end;
            visit(store, Run { block: step.block, places, size: self.geometry.record_size() })?;
            at += count as u64;
            let level = place.level;
            place.steps[level].index += count as u16 - 1;
            if at > end || !self.next(store, &mut place)? {
                return Ok(Record::from(&store.bytes(step.block)[last]));
            }
        }
    }

    /// Packs some leaves from the one that holds record `rank`, or ends before it. Returns how many leaves there were
    /// and the rank of the separator behind them.
    fn pack_window(&mut self, store: &mut Store, rank: u64, most: usize) -> Result<(usize, u64)> {
        let mut path = self.gap(store, rank)?;
        let mut start = rank.saturating_sub(u64::from(path.steps[0].index));
        if self.fill_before(store, start)? || self.fill_around(store, &path, most)? {
            path = self.gap(store, rank)?;
        }
        if self.depth == 0 {
            return Ok((1, self.header.total));
        }
        let parent = path.steps[1];
        let at = usize::from(parent.index);
        let nrec = |index: usize| usize::from(self.child(store, 1, parent, index as u16).nrec);
        let mut first = at;
        // What the window before left over is packed again with this one.
        if at > 0 && nrec(at - 1) < usize::from(self.geometry.level(0).packed()) {
            first = at - 1;
            start = start.saturating_sub(nrec(first) as u64 + 1);
        }
        let children = usize::from(parent.nrec) + 1;
        let last = (at + most).min(children);
        let counts: Vec<usize> = (first..last).map(nrec).collect();
        let records = counts.iter().sum::<usize>() + counts.len() - 1;
        let end = start.saturating_add(records as u64);
        // At the end of a full parent nothing will be joined to what is left over.
        let full = children - counts.len() + packed_nodes(self.geometry.level(0), records)
            > usize::from(self.geometry.level(1).packed());
        let ends = last == children && (full || end >= self.header.total);
        if let Some(targets) = packing(self.geometry.level(0), &counts, records, ends) {
            self.reshape(store, &mut path, 0, first, counts.len(), &targets)?;
            self.lower_whole(store)?;
        }
        Ok((last - at, end))
    }

    /// Where the leaf that begins with record `start` is the first under its parent, fills the nodes that end before
    /// it, on every level, with what begins there: their own packing has made room in them.
    fn fill_before(&mut self, store: &mut Store, start: u64) -> Result<bool> {
        let mut changed = false;
        let mut level = self.depth;
        while level > 1 && start > 0 {
            level -= 1;
            if self.begins(store, start, level)? {
                let mut before = self.gap(store, start - 1)?;
                if self.pull(store, &mut before, level)? {
                    changed = true;
                    level = (level + 1).min(self.depth);
                }
            }
        }
        let mut left = self.depth;
        while left > 1 && start > 0 {
            left -= 1;
            if self.begins(store, start, left)? {
                changed |= self.refill(store, start - 1, left + 1)?;
                break;
            }
        }
        self.lower_whole(store)?;
        Ok(changed)
    }

    /// Whether the leaf that begins with record `start` is the first one under its ancestor at `level`.
    fn begins(&self, store: &mut Store, start: u64, level: usize) -> Result<bool> {
        let path = self.gap(store, start)?;
        Ok(path.steps[1..=level].iter().all(|step| step.index == 0))
    }

    /// Merges or evens out the nodes on the way to the leaf before record `rank` that are less than half full and will
    /// not be filled any more, those below `top`.
    fn refill(&mut self, store: &mut Store, rank: u64, top: usize) -> Result<bool> {
        let mut changed = false;
        loop {
            let mut path = self.gap(store, rank)?;
            let low = |level: &usize| {
                let spare = if *level + 1 == self.depth || *level + 1 < top { 1 } else { 2 };
                path.steps[*level].nrec < self.geometry.level(*level).half() && path.steps[*level + 1].nrec >= spare
            };
            let Some(level) = (0..top.min(self.depth)).find(low) else { return Ok(changed) };
            self.relieve(store, &mut path, level)?;
            store.note_whole();
            changed = true;
        }
    }

    /// Fills the parent of the leaf on `path` when a window of `most` leaves reaches its end.
    fn fill_around(&mut self, store: &mut Store, path: &Location, most: usize) -> Result<bool> {
        let ends = usize::from(path.steps[1].index) + most > usize::from(path.steps[1].nrec);
        Ok(self.depth > 1 && ends && self.pull(store, &mut path.clone(), 1)?)
    }

    /// Fills the node at `level` on `path` with children of its right neighbour; when it has none under its parent,
    /// fills the parent first. Returns whether anything was moved; the path is invalid then.
    fn pull(&mut self, store: &mut Store, path: &mut Location, level: usize) -> Result<bool> {
        if level >= self.depth {
            return Ok(false);
        }
        let (node, parent) = (path.steps[level], path.steps[level + 1]);
        let packed = self.geometry.level(level).packed();
        if node.nrec >= packed {
            return Ok(false);
        }
        if parent.index == parent.nrec {
            return self.pull(store, path, level + 1);
        }
        let right = self.child(store, level + 1, parent, parent.index + 1).nrec;
        let records = usize::from(node.nrec) + usize::from(right) + 1;
        let left = usize::from(packed).min(records.saturating_sub(2));
        let spare = parent.nrec > 1 || level + 1 == self.depth;
        if !spare && self.pull(store, path, level + 1)? {
            return Ok(true);
        }
        let targets: Vec<u16> = match spare && records <= usize::from(packed) {
            true => vec![records as u16],
            false if left <= usize::from(node.nrec) => return Ok(false),
            false => vec![left as u16, (records - 1 - left) as u16],
        };
        self.reshape(store, path, level, usize::from(parent.index), 2, &targets)?;
        store.note_whole();
        self.lower_whole(store)?;
        Ok(true)
    }
}

/// How many nodes hold `records` records, the separators between them included, when they are packed.
fn packed_nodes(level: &Level, records: usize) -> usize {
    (records + 1).div_ceil(usize::from(level.packed()) + 1)
}

/// How many records each node of a window gets, or nothing when the window is packed well enough as it is. Inside a
/// parent all but the last are filled and the next window takes the last one on; at a parent's end they are even.
fn packing(level: &Level, counts: &[usize], records: usize, ends: bool) -> Option<Vec<u16>> {
    let packed = usize::from(level.packed());
    let nodes = match ends && records <= usize::from(level.capacity) {
        true => 1,
        false => packed_nodes(level, records),
    };
    let healthy = counts.iter().all(|&nrec| nrec >= usize::from(level.half()));
    let full = records * 10 >= counts.len() * usize::from(level.capacity) * 9;
    if nodes >= counts.len() && healthy && (full || ends) {
        return None;
    }
    if ends || nodes > counts.len() {
        return Some(even(records, nodes.min(counts.len())));
    }
    let mut targets = vec![packed as u16; nodes];
    let rest = records + 1 - (nodes - 1) * (packed + 1) - 1;
    targets[nodes - 1] = rest as u16;
    if rest == 0 {
        targets[nodes - 1] = 1;
        targets[nodes - 2] -= 1;
    }
    Some(targets)
}
