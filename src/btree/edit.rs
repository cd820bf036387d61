//! Inserting and removing at a location. What must be restructured first is restructured one step at a time, and the
//! place is found again by its rank, which no restructuring changes.

use super::reshape::even;
use super::search::{Location, Step};
use super::{Tree, NODE};
use crate::error::{Error, Result};
use crate::format::btree2::{MAX_LEVELS, PREFIX};
use crate::format::UNDEFINED;
use crate::store::{Seal, Store};

/// Restructurings that one change may take: a few per level. More means that counts read from a damaged file
/// contradict each other.
const PATIENCE: usize = 8 * MAX_LEVELS;

impl Tree {
    /// Inserts `record` where [`locate`](Tree::locate) did not find it.
    #[inline]
    pub fn insert_at(&mut self, store: &mut Store, location: &Location, record: &[u8]) -> Result<()> {
        store.check_writable()?;
        if location.found || location.level != 0 || record.len() != self.geometry.record_size() {
            return Err(Error::internal("B-tree insertion of a record that is there, or of another size"));
        }
        if self.header.root == UNDEFINED || location.steps[0].nrec >= self.geometry.level(0).capacity {
            let location = self.open_place(store, location.clone())?;
            self.put_in(store, &location, record);
            return Ok(());
        }
        self.put_in(store, location, record);
        Ok(())
    }

    /// Where a record goes that has no room where it belongs.
    #[cold]
    fn open_place(&mut self, store: &mut Store, mut location: Location) -> Result<Location> {
        if self.header.root == UNDEFINED {
            location = self.plant(store)?;
        }
        let mut patience = PATIENCE;
        while location.steps[0].nrec >= self.geometry.level(0).capacity {
            patience = patience.checked_sub(1).ok_or_else(|| self.miscounted())?;
            location = self.make_room(store, location)?;
        }
        Ok(location)
    }

    /// Puts a record into a leaf that has room.
    #[inline]
    fn put_in(&mut self, store: &mut Store, location: &Location, record: &[u8]) {
        let leaf = location.steps[0];
        let (place, end) =
            (self.geometry.record(usize::from(leaf.index)), self.geometry.record(usize::from(leaf.nrec)).start);
        let page = store.bytes_mut(leaf.block);
        page.copy_within(place.start..end, place.end);
        page[place].copy_from_slice(record);
        self.settle(store, location, leaf.nrec + 1);
    }

    /// Removes the record at a location that was found.
    #[inline]
    pub fn remove_at(&mut self, store: &mut Store, location: &Location) -> Result<()> {
        store.check_writable()?;
        if !location.found {
            return Err(Error::internal("B-tree removal of a record that is not there"));
        }
        match location.level == 0 && (location.steps[0].nrec > 1 || self.depth == 0) {
            true => self.take_out(store, location),
            false => self.remove_by_another(store, location.clone())?,
        }
        Ok(())
    }

    /// Reads what [`Tree::remove_at`] will need, for a caller that edits something else before.
    #[inline]
    pub fn read_for_removal(&self, store: &mut Store, location: &Location) -> Result<()> {
        match location.level == 0 && (location.steps[0].nrec > 1 || self.depth == 0) {
            true => Ok(()),
            false => self.read_around(store, location.clone()),
        }
    }

    #[cold]
    fn read_around(&self, store: &mut Store, mut location: Location) -> Result<()> {
        self.to_leaf(store, &mut location)?;
        if location.steps[0].nrec > 1 {
            return Ok(());
        }
        let has_neighbour = |level: &usize| location.steps[level + 1].nrec > 1 || level + 1 == self.depth;
        let Some(level) = (0..self.depth).find(has_neighbour) else { return Ok(()) };
        let parent = location.steps[level + 1];
        let mut read = Ok(());
        for (_, index) in self.neighbours(store, level, parent) {
            let child = self.child(store, level + 1, parent, index);
            read = self.node(store, child.address, level, child.nrec).map(|_| ());
            if read.is_ok() {
                break;
            }
        }
        read
    }

    /// Removes a record above the leaves, or the only one of a leaf.
    #[cold]
    fn remove_by_another(&mut self, store: &mut Store, mut location: Location) -> Result<()> {
        let mut taken = location.step();
        let mut level = location.level;
        self.to_leaf(store, &mut location)?;
        let mut patience = PATIENCE;
        while location.steps[0].nrec < 2 && self.depth > 0 {
            patience = patience.checked_sub(1).ok_or_else(|| self.miscounted())?;
            location.level = level;
            let rank = self.rank(store, &location);
            self.to_leaf(store, &mut location)?;
            self.spare(store, location)?;
            location = self.nth(store, rank)?;
            (level, taken) = (location.level, location.step());
            self.to_leaf(store, &mut location)?;
        }
        if level > 0 {
            let leaf = location.steps[0];
            let place = self.geometry.record(usize::from(leaf.index));
            let hole = self.geometry.record(usize::from(taken.index));
            let (page, above) = store.two_mut(leaf.block, taken.block)?;
            above[hole].copy_from_slice(&page[place]);
        }
        self.take_out(store, &location);
        Ok(())
    }

    /// Takes a record out of its leaf.
    #[inline]
    fn take_out(&mut self, store: &mut Store, location: &Location) {
        let leaf = location.steps[0];
        let (place, end) =
            (self.geometry.record(usize::from(leaf.index)), self.geometry.record(usize::from(leaf.nrec)).start);
        store.bytes_mut(leaf.block).copy_within(place.end..end, place.start);
        self.settle(store, location, leaf.nrec - 1);
        if self.header.total == 0 {
            self.fell(store);
        }
    }

    /// Goes on to the leaf record that goes: the found one, or the predecessor that takes its place.
    #[inline]
    fn to_leaf(&self, store: &mut Store, location: &mut Location) -> Result<()> {
        if location.level > 0 {
            self.rightmost(store, location, location.level)?;
        }
        Ok(())
    }

    /// The leaf on `path` has `nrec` records now, one more or one less than before.
    #[inline]
    fn settle(&mut self, store: &mut Store, path: &Location, nrec: u16) {
        let leaf = path.steps[0];
        store.set_seal(leaf.block, Seal::At((PREFIX + usize::from(nrec) * self.geometry.record_size()) as u32));
        let grows = nrec > leaf.nrec;
        match self.depth {
            0 => self.header.root_nrec = nrec,
            // By one more or less, a leaf passes half of its capacity here or not at all.
            _ if nrec.max(leaf.nrec) != self.geometry.level(0).half() => {}
            _ => self.recount(0, leaf.nrec, nrec),
        }
        for level in 1..=self.depth {
            self.count_one(store, level, path.steps[level], grows);
        }
        self.header.total = if grows { self.header.total + 1 } else { self.header.total.saturating_sub(1) };
        self.changed = true;
    }

    /// Below the child that a path takes at `level` there is one record more or less. Apart from its caller, whose loop has
    /// few turns: what is the same in all of them is little.
    #[inline(never)]
    fn count_one(&self, store: &mut Store, level: usize, step: Step, grows: bool) {
        let (count, total) = self.geometry.counts(level, usize::from(step.nrec), usize::from(step.index));
        let field = if level == 1 { count } else { total };
        step_by_one(&mut store.bytes_mut(step.block)[field], grows);
    }

    /// The first leaf of an empty tree.
    #[cold]
    fn plant(&mut self, store: &mut Store) -> Result<Location> {
        let seal = Seal::At(self.geometry.used(0, 0) as u32);
        let (id, address) = store.create_block(self.geometry.node_size(), seal)?;
        store.bytes_mut(id)[..PREFIX].copy_from_slice(&self.prefix(0));
        self.header.root = address;
        self.header.root_nrec = 0;
        self.counts.nodes[0] = 1;
        self.gap(store, 0)
    }

    /// The last record went: an empty tree has no nodes.
    #[cold]
    fn fell(&mut self, store: &mut Store) {
        store.free(self.header.root, self.geometry.node_size() as u64);
        self.header.root = UNDEFINED;
        self.counts.nodes[0] = self.counts.nodes[0].wrapping_sub(1);
    }

    /// Restructures once, at the lowest level where that is possible, so that a full leaf comes nearer to having room.
    #[cold]
    fn make_room(&mut self, store: &mut Store, mut path: Location) -> Result<Location> {
        let rank = self.rank(store, &path);
        let append = rank == self.header.total;
        for level in 0..=self.depth {
            if level == self.depth {
                self.grow(store)?;
                break;
            }
            if (!append && self.shift(store, &mut path, level)?) || self.split(store, &mut path, level, append)? {
                break;
            }
        }
        self.gap(store, rank)
    }

    /// Evens a full node out with a sibling that has a good deal of room.
    fn shift(&mut self, store: &mut Store, path: &mut Location, level: usize) -> Result<bool> {
        let parent = path.steps[level + 1];
        let capacity = self.geometry.level(level).capacity;
        // Both must have room afterwards, and for long enough to pay for the work.
        let most = (2 * u32::from(capacity) - 1).saturating_sub(u32::from(path.steps[level].nrec));
        let enough = most.min(u32::from(capacity - capacity / 4));
        let at = parent.index;
        let mut best: Option<(u16, u16)> = None;
        for index in [at.wrapping_sub(1), at + 1] {
            if index <= parent.nrec {
                let nrec = self.child(store, level + 1, parent, index).nrec;
                if u32::from(nrec) < enough && best.is_none_or(|(_, least)| nrec < least) {
                    best = Some((index, nrec));
                }
            }
        }
        let Some((index, nrec)) = best else { return Ok(false) };
        let records = usize::from(nrec) + usize::from(path.steps[level].nrec) + 1;
        self.reshape_unless_damaged(store, path, level, usize::from(at.min(index)), 2, &even(records, 2))
    }

    /// Whether it could: nothing is changed where one of the nodes is damaged.
    fn reshape_unless_damaged(
        &mut self,
        store: &mut Store,
        path: &mut Location,
        level: usize,
        first: usize,
        count: usize,
        targets: &[u16],
    ) -> Result<bool> {
        let edits = store.edits();
        let reshaped = self.reshape(store, path, level, first, count, targets);
        Ok(store.unless_begun(edits, reshaped)?.is_some())
    }

    /// Splits a full node when its parent has room: at the end of the tree so that the full node stays full, since
    /// ascending keys will fill the new one; elsewhere two full siblings become three.
    fn split(&mut self, store: &mut Store, path: &mut Location, level: usize, append: bool) -> Result<bool> {
        let parent = path.steps[level + 1];
        if parent.nrec >= self.geometry.level(level + 1).capacity {
            return Ok(false);
        }
        let nrec = path.steps[level].nrec;
        let at = usize::from(parent.index);
        if append {
            self.reshape(store, path, level, at, 1, &[nrec - 1, 0])?;
            return Ok(true);
        }
        if parent.nrec > 0 {
            let first = at.saturating_sub(1);
            let other = self.child(store, level + 1, parent, if at > 0 { first as u16 } else { 1 }).nrec;
            let records = usize::from(nrec) + usize::from(other) + 1;
            if self.reshape_unless_damaged(store, path, level, first, 2, &even(records, 3))? {
                return Ok(true);
            }
        }
        self.reshape(store, path, level, at, 1, &even(usize::from(nrec), 2))?;
        Ok(true)
    }

    /// Puts a root without records above the root.
    fn grow(&mut self, store: &mut Store) -> Result<()> {
        let level = self.depth + 1;
        if level >= self.geometry.usable_levels() {
            return Err(Error::new(
                crate::error::ErrorKind::Limit,
                format!("a B-tree of nodes of {} bytes holds no more records", self.geometry.node_size()),
            ));
        }
        let seal = Seal::At(self.geometry.used(level, 0) as u32);
        let (id, address) = store.create_block(self.geometry.node_size(), seal)?;
        let root = crate::format::btree2::Pointer {
            address: self.header.root,
            nrec: self.header.root_nrec,
            total: self.header.total,
        };
        let place = self.geometry.pointers(level, 0, 0, 1);
        let page = store.bytes_mut(id);
        page[..PREFIX].copy_from_slice(&self.prefix(level));
        self.geometry.encode(root, &mut page[place]);
        self.depth = level;
        self.counts.nodes[level] = 1;
        self.counts.underfull = self.counts.underfull.wrapping_add(self.underfull(level - 1, root.nrec));
        self.header.root = address;
        self.header.root_nrec = 0;
        self.changed = true;
        Ok(())
    }

    /// Takes roots without records away: the only child is the root.
    pub(super) fn lower(&mut self, store: &mut Store) -> Result<()> {
        while self.depth > 0 && self.header.root_nrec == 0 {
            let id = self.node(store, self.header.root, self.depth, 0)?;
            let child = self.geometry.pointer(store.bytes(id), self.depth, 0, 0);
            if child.nrec > self.geometry.level(self.depth - 1).max {
                return Err(Error::corrupt(NODE, self.header.root, format_args!("a child of {} records", child.nrec)));
            }
            store.free(self.header.root, self.geometry.node_size() as u64);
            self.counts.nodes[self.depth] = self.counts.nodes[self.depth].wrapping_sub(1);
            let was = self.underfull(self.depth - 1, child.nrec);
            self.counts.underfull = self.counts.underfull.wrapping_sub(was);
            self.depth -= 1;
            self.header.root = child.address;
            self.header.root_nrec = child.nrec;
            self.changed = true;
        }
        Ok(())
    }

    /// Gives a leaf of one record a sibling's, at the lowest level where that leaves no parent without records.
    #[cold]
    fn spare(&mut self, store: &mut Store, mut path: Location) -> Result<()> {
        for level in 0..self.depth {
            if path.steps[level + 1].nrec > 1 || level + 1 == self.depth {
                self.relieve(store, &mut path, level)?;
                break;
            }
        }
        self.lower(store)
    }

    /// Merges the node at `level` on `path` with its smaller neighbour, or evens the two out when they are too many
    /// for one. Returns the first and the number of nodes that came of it.
    pub(super) fn relieve(&mut self, store: &mut Store, path: &mut Location, level: usize) -> Result<(u16, u16)> {
        let parent = path.steps[level + 1];
        let at = parent.index;
        for (nrec, index) in self.neighbours(store, level, parent) {
            let records = usize::from(self.child(store, level + 1, parent, at).nrec) + usize::from(nrec) + 1;
            let count = if records <= usize::from(self.geometry.level(level).capacity) { 1 } else { 2 };
            let first = at.min(index);
            if self.reshape_unless_damaged(store, path, level, usize::from(first), 2, &even(records, count))? {
                return Ok((first, count as u16));
            }
        }
        let address = self.child(store, level + 1, parent, at).address;
        Err(Error::corrupt(NODE, address, "it has no sound neighbour to take records from"))
    }

    /// Records and index of the nodes beside the one that `parent` leads to, the emptier one first.
    fn neighbours(&self, store: &Store, level: usize, parent: Step) -> impl Iterator<Item = (u16, u16)> {
        let at = parent.index;
        let neighbour =
            |index: u16| (index <= parent.nrec).then(|| (self.child(store, level + 1, parent, index).nrec, index));
        let (before, behind) = (neighbour(at.wrapping_sub(1)), neighbour(at + 1));
        let swapped = before.zip(behind).is_some_and(|(before, behind)| behind.0 < before.0);
        let (first, second) = if swapped { (behind, before) } else { (before, behind) };
        first.into_iter().chain(second)
    }
}

/// Adds one to a little-endian field, or takes one away.
#[inline]
fn step_by_one(field: &mut [u8], up: bool) {
    for byte in field {
        let (value, carry) = if up { byte.overflowing_add(1) } else { byte.overflowing_sub(1) };
        *byte = value;
        if !carry {
            return;
        }
    }
}
