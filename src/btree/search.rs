//! Finding records: by key, by rank, one after the other.

use std::cmp::Ordering;
use std::ops::{Deref, DerefMut, Range};

use super::aim::{expected, WINDOW};
use super::Tree;
use crate::error::{Damage, Error, Result};
use crate::format::btree2::{Pointer, MAX_LEVELS, MAX_RECORD_SIZE};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Store};

/// Records of names and creation orders are no longer than this.
const SHORT: usize = 24;

/// What a record is looked for for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is read.
    Reading,
    /// One is put in, most likely, or changed in place.
    PuttingIn,
    /// It is taken out.
    TakingOut,
}

/// What is looked for, in a tree's order.
pub trait Key {
    /// How this key stands to `record`; `None` when the record alone does not tell (equal hashes).
    fn quick(&self, record: &[u8]) -> Option<Ordering>;

    /// How this key stands to a record for which [`quick`](Key::quick) did not tell, with the help of what the record
    /// refers to.
    fn resolve(&mut self, store: &mut Store, record: &[u8]) -> Result<Ordering> {
        let _ = (store, record);
        Ok(Ordering::Equal)
    }

    /// Where this key stands on a line along which the tree's keys are spread evenly, as hashes are: nodes are then
    /// searched where the key is expected, and not by halves.
    #[inline]
    fn spread(&self) -> Option<u32> {
        None
    }

    /// Where the record that these bytes begin with stands on that line: [`quick`](Key::quick) compares these first.
    #[inline]
    fn spread_of(&self, record: &[u8]) -> u32 {
        let _ = record;
        0
    }

    /// What happens where this key leads: what stands behind a record that is put in or taken out will move, and is
    /// fetched from memory meanwhile.
    #[inline]
    fn purpose(&self) -> Purpose {
        Purpose::Reading
    }

    /// Asks for what [`resolve`](Key::resolve) and then the removal of this record will touch, and does not wait for it.
    #[inline]
    fn fetch(&self, store: &Store, record: &[u8]) {
        let _ = (store, record);
    }

    /// How many of these records of `size` bytes, which stand one behind the other, stand before `point` on that line.
    /// Counted without branches, so that their cache lines come in at the same time: this is the innermost loop of a
    /// search, and best where the compiler knows the size.
    #[inline]
    fn spread_before(&self, records: &[u8], size: usize, point: u32) -> usize {
        records.chunks_exact(size).map(|record| usize::from(self.spread_of(record) < point)).sum()
    }
}

/// A copy of one record, on the stack.
#[derive(Clone)]
pub struct Record {
    bytes: [u8; MAX_RECORD_SIZE],
    length: usize,
}

impl Record {
    pub(super) fn empty() -> Self {
        Record { bytes: [0; MAX_RECORD_SIZE], length: 0 }
    }

    pub(super) fn set(&mut self, record: &[u8]) {
        self.length = record.len();
        self.bytes[..record.len()].copy_from_slice(record);
    }
}

impl From<&[u8]> for Record {
    fn from(record: &[u8]) -> Self {
        let mut copy = Record::empty();
        copy.set(record);
        copy
    }
}

impl Deref for Record {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl DerefMut for Record {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

/// One node on the way from the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub block: BlockId,
    /// The record's index at the location's own level, the child's index above.
    pub index: u16,
    pub nrec: u16,
}

const NOWHERE: Step = Step { block: BlockId(0), index: 0, nrec: 0 };

/// Where a record is, or where it would be inserted. Valid until the tree is changed or the operation ends.
#[derive(Debug, Clone)]
pub struct Location {
    /// Whether the record is there.
    pub found: bool,
    pub(super) level: usize,
    /// By level; those from `level` to the tree's depth are set.
    pub(super) steps: [Step; MAX_LEVELS],
}

impl Location {
    /// A location to be set.
    pub fn nowhere() -> Self {
        Location { found: false, level: 0, steps: [NOWHERE; MAX_LEVELS] }
    }

    #[inline]
    pub(super) fn step(&self) -> Step {
        self.steps[self.level]
    }
}

/// How `key` stands to the record at `place`. Where that alone does not tell, a short record is copied to a short place.
#[inline]
fn compare<K: Key>(store: &mut Store, key: &mut K, block: BlockId, place: Range<usize>) -> Result<Ordering> {
    let page = store.bytes(block);
    if let Some(order) = key.quick(&page[place.clone()]) {
        return Ok(order);
    }
    // A copy of constant length needs no call: what stands behind the record comes along.
    if let (true, Some(&short)) = (place.len() <= SHORT, page[place.start..].first_chunk::<SHORT>()) {
        return key.resolve(store, &short[..place.len()]);
    }
    let copy = Record::from(&page[place]);
    key.resolve(store, &copy)
}

impl Tree {
    /// Where the record of `key` is, or where it belongs: one descent.
    #[inline]
    pub fn locate<K: Key>(&self, store: &mut Store, key: &mut K) -> Result<Location> {
        let mut location = Location::nowhere();
        self.seek(store, key, &mut location)?;
        Ok(location)
    }

    /// The same, into a location that is [`nowhere`](Location::nowhere) yet: it is large, and not handed on then.
    #[inline]
    pub fn seek<K: Key>(&self, store: &mut Store, key: &mut K, location: &mut Location) -> Result<()> {
        if self.header.root == UNDEFINED {
            return Ok(());
        }
        let (mut address, mut nrec) = (self.header.root, self.header.root_nrec);
        let mut range = 0..u32::MAX;
        let mut number = 0;
        for level in (0..=self.depth).rev() {
            let block = if level == self.depth {
                self.root(store)?
            } else {
                let part = |nrec| self.part_ahead(nrec, key, &range);
                self.hinted_node(store, level, number, Pointer { address, nrec, total: 0 }, part)?
            };
            let mut page = store.bytes(block);
            let (mut index, is_told) = self.narrow(page, nrec, key, &mut range);
            let mut found = false;
            if !is_told {
                if level == 0 && self.depth > 1 && key.purpose() == Purpose::TakingOut {
                    self.fetch_removal(store, block, index..nrec, key);
                }
                (found, index) = self.search(store, block, index..nrec, key)?;
                page = if found { &[] } else { store.bytes(block) };
            }
            location.steps[level] = Step { block, index, nrec };
            if found || level == 0 {
                location.found = found;
                location.level = level;
                break;
            }
            let pointer = self.geometry.pointer(page, level, usize::from(nrec), usize::from(index));
            (address, nrec) = (pointer.address, pointer.nrec);
            number = self.number(number, index);
        }
        Ok(())
    }

    /// The part of a leaf to ask for: in which the search begins; for a record that is put in, with all behind it, and else
    /// with the parts beside it, in one of which the search mostly ends.
    #[inline]
    fn part_ahead<K: Key>(&self, nrec: u16, key: &K, range: &Range<u32>) -> Range<usize> {
        let nrec = usize::from(nrec);
        let (first, last) = match (key.spread(), key.purpose()) {
            (Some(point), Purpose::PuttingIn) => (expected(point, range, nrec).saturating_sub(WINDOW / 2), nrec),
            (Some(point), _) => {
                let near = expected(point, range, nrec);
                (near.saturating_sub(3 * WINDOW / 2), (near + 3 * WINDOW / 2).min(nrec))
            }
            (None, Purpose::Reading) => return 0..0,
            (None, _) => (0, nrec),
        };
        self.geometry.record(first).start..self.geometry.record(last).start
    }

    /// Asks for what the record refers to, which takes longest and is wanted first, and then for what will move when it is
    /// taken out. All of the leaf at once would keep the former waiting.
    #[inline]
    fn fetch_removal<K: Key>(&self, store: &Store, block: BlockId, records: Range<u16>, key: &K) {
        let (first, last) = (self.geometry.record(records.start.into()), self.geometry.record(records.end.into()));
        key.fetch(store, &store.bytes(block)[first.clone()]);
        store.prefetch(block, first.start..last.start);
    }

    /// Looks among these records of a node; where keys are spread, at the first of them first.
    #[inline]
    fn search<K: Key>(
        &self,
        store: &mut Store,
        block: BlockId,
        records: Range<u16>,
        key: &mut K,
    ) -> Result<(bool, u16)> {
        let (mut low, mut high) = (usize::from(records.start), usize::from(records.end));
        let mut middle = if key.spread().is_some() { low } else { (low + high) / 2 };
        while low < high {
            match compare(store, key, block, self.geometry.record(middle))? {
                Ordering::Less => high = middle,
                Ordering::Greater => low = middle + 1,
                Ordering::Equal => return Ok((true, middle as u16)),
            }
            middle = (low + high) / 2;
        }
        Ok((false, low as u16))
    }

    /// The record at a location that was found.
    #[inline]
    pub fn record_at<'a>(&self, store: &'a Store, location: &Location) -> &'a [u8] {
        let step = location.step();
        &store.bytes(step.block)[self.geometry.record(usize::from(step.index))]
    }

    /// The record at a location that was found, to be changed in place. Its order must stay.
    #[inline]
    pub fn record_at_mut<'a>(&self, store: &'a mut Store, location: &Location) -> &'a mut [u8] {
        let step = location.step();
        &mut store.bytes_mut(step.block)[self.geometry.record(usize::from(step.index))]
    }

    /// The location of record `index` in the tree's order.
    pub fn nth(&self, store: &mut Store, index: u64) -> Result<Location> {
        if index >= self.header.total {
            return Err(Error::range("record index", index, format_args!("0..{}", self.header.total)));
        }
        self.descend(store, index, true)
    }

    /// The place in a leaf before record `rank`, or after the last record.
    pub(super) fn gap(&self, store: &mut Store, rank: u64) -> Result<Location> {
        self.descend(store, rank, false)
    }

    fn descend(&self, store: &mut Store, rank: u64, found: bool) -> Result<Location> {
        let mut location = Location::nowhere();
        location.found = found;
        let mut rest = rank;
        let (mut address, mut nrec) = (self.header.root, self.header.root_nrec);
        for level in (0..=self.depth).rev() {
            let block = self.node(store, address, level, nrec)?;
            location.level = level;
            if level == 0 {
                location.steps[0] = Step { block, index: rest.min(u64::from(nrec)) as u16, nrec };
                break;
            }
            let page = store.bytes(block);
            let mut index = 0;
            let mut pointer = self.geometry.pointer(page, level, usize::from(nrec), 0);
            while rest > pointer.total && index < nrec {
                rest -= pointer.total + 1;
                index += 1;
                pointer = self.geometry.pointer(page, level, usize::from(nrec), usize::from(index));
            }
            location.steps[level] = Step { block, index, nrec };
            if found && rest >= pointer.total {
                break;
            }
            (address, nrec) = (pointer.address, pointer.nrec);
        }
        let step = location.step();
        if found && step.index >= step.nrec {
            return Err(self.miscounted());
        }
        Ok(location)
    }

    #[cold]
    pub(super) fn miscounted(&self) -> Error {
        let detail = "the record counts of its nodes contradict each other";
        Error::corrupt(super::HEADER, self.address, detail).because(Damage::Count)
    }

    /// How many records come before a location.
    pub fn rank(&self, store: &Store, location: &Location) -> u64 {
        let mut rank = 0;
        for level in (location.level..=self.depth).rev() {
            let step = location.steps[level];
            rank += u64::from(step.index);
            if level > 0 {
                let children = step.index + u16::from(level == location.level);
                let page = store.bytes(step.block);
                for index in 0..children {
                    let pointer = self.geometry.pointer(page, level, usize::from(step.nrec), usize::from(index));
                    rank = rank.wrapping_add(pointer.total);
                }
            }
        }
        rank
    }

    /// The first record's location, if there is one.
    pub fn first(&self, store: &mut Store) -> Result<Option<Location>> {
        if self.header.root == UNDEFINED {
            return Ok(None);
        }
        let mut location = Location::nowhere();
        location.found = true;
        let root = Pointer { address: self.header.root, nrec: self.header.root_nrec, total: 0 };
        self.leftmost(store, &mut location, self.depth, root)?;
        Ok(Some(location))
    }

    /// Sets the steps from `level` down to the first record of the leftmost leaf.
    fn leftmost(&self, store: &mut Store, location: &mut Location, level: usize, mut node: Pointer) -> Result<()> {
        for level in (0..=level).rev() {
            let block = self.node(store, node.address, level, node.nrec)?;
            location.steps[level] = Step { block, index: 0, nrec: node.nrec };
            if level > 0 {
                node = self.geometry.pointer(store.bytes(block), level, usize::from(node.nrec), 0);
            }
        }
        location.level = 0;
        Ok(())
    }

    /// Sets the steps below `level` to the last record of the rightmost leaf under that level's child.
    pub(super) fn rightmost(&self, store: &mut Store, location: &mut Location, level: usize) -> Result<()> {
        for level in (0..level).rev() {
            let above = location.steps[level + 1];
            let node = self.child(store, level + 1, above, above.index);
            let block = self.node(store, node.address, level, node.nrec)?;
            let index = if level == 0 { node.nrec.saturating_sub(1) } else { node.nrec };
            location.steps[level] = Step { block, index, nrec: node.nrec };
        }
        location.level = 0;
        Ok(())
    }

    /// Child `index` of a node of `level`.
    #[inline]
    pub(super) fn child(&self, store: &Store, level: usize, node: Step, index: u16) -> Pointer {
        self.geometry.pointer(store.bytes(node.block), level, usize::from(node.nrec), usize::from(index))
    }

    /// Goes to the next record; false at the end. Also steps from a place where nothing was found to what follows it.
    pub fn next(&self, store: &mut Store, location: &mut Location) -> Result<bool> {
        if self.header.root == UNDEFINED {
            return Ok(false);
        }
        let was_found = std::mem::replace(&mut location.found, true);
        let level = location.level;
        location.steps[level].index += u16::from(was_found);
        if level > 0 {
            let step = location.steps[level];
            let node = self.child(store, level, step, step.index);
            self.leftmost(store, location, level - 1, node)?;
        }
        while location.step().index >= location.step().nrec {
            if location.level == self.depth {
                return Ok(false);
            }
            location.level += 1;
        }
        Ok(true)
    }

    /// Goes to the record before; false at the beginning.
    pub fn previous(&self, store: &mut Store, location: &mut Location) -> Result<bool> {
        if self.header.root == UNDEFINED {
            return Ok(false);
        }
        location.found = true;
        if location.level > 0 {
            let level = location.level;
            self.rightmost(store, location, level)?;
            return Ok(true);
        }
        while location.step().index == 0 {
            if location.level == self.depth {
                return Ok(false);
            }
            location.level += 1;
        }
        let level = location.level;
        location.steps[level].index -= 1;
        Ok(true)
    }

    /// Calls `visit` with every record in order until it returns false.
    pub fn for_each(&self, store: &mut Store, mut visit: impl FnMut(&mut Store, &[u8]) -> Result<bool>) -> Result<()> {
        let Some(mut location) = self.first(store)? else { return Ok(()) };
        let mut record = Record::empty();
        for _ in 0..self.header.total {
            record.set(self.record_at(store, &location));
            if !visit(store, &record)? || !self.next(store, &mut location)? {
                return Ok(());
            }
        }
        Err(self.miscounted())
    }

    /// Calls `visit` with every node, parents first: the store, its level, and its pointer. Leaves are read only
    /// when `leaves` says so.
    pub fn each_node(
        &self,
        store: &mut Store,
        leaves: bool,
        visit: &mut dyn FnMut(&mut Store, usize, Pointer) -> Result<()>,
    ) -> Result<()> {
        if self.header.root == UNDEFINED {
            return Ok(());
        }
        let root = Pointer { address: self.header.root, nrec: self.header.root_nrec, total: self.header.total };
        let mut visited = 0;
        self.each_below(store, leaves, self.depth, root, &mut |store, level, node| {
            visited += 1;
            self.bound(store, visited)?;
            visit(store, level, node)
        })
    }

    fn each_below(
        &self,
        store: &mut Store,
        leaves: bool,
        level: usize,
        node: Pointer,
        visit: &mut dyn FnMut(&mut Store, usize, Pointer) -> Result<()>,
    ) -> Result<()> {
        if level == 0 && !leaves {
            return visit(store, 0, node);
        }
        let block = self.node(store, node.address, level, node.nrec)?;
        visit(store, level, node)?;
        if level > 0 {
            for index in 0..=node.nrec {
                let child =
                    self.geometry.pointer(store.bytes(block), level, usize::from(node.nrec), usize::from(index));
                self.each_below(store, leaves, level - 1, child, visit)?;
            }
        }
        Ok(())
    }
}
