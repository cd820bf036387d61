//! What is in memory of one open file, behind its lock: the store, the loaded objects and the rebalancing controller.

use std::collections::VecDeque;

use crate::error::{Error, ErrorKind, Result};
use crate::format::superblock::Superblock;
use crate::format::symbol_table::Cache;
use crate::heap::GlobalHeap;
use crate::object::attribute::Attributes;
use crate::object::dataset::DatasetState;
use crate::object::free_space::FreeSpace;
use crate::object::group;
use crate::object::header::ObjectHeader;
use crate::object::link::Links;
use crate::object::maintain::Maintenance;
use crate::object::path;
use crate::object::referenced::Pinned;
use crate::object::summary::Summary;
use crate::object::ObjectKind;
use crate::rebalance;
use crate::store::recover::Recovery;
use crate::store::{AddressMap, Store};

/// Loaded objects without a handle that are kept, in the hope that they are used again. Few enough to stay near the
/// processor: who visits one object after the other forgets one for each that it opens.
const IDLE_OBJECTS: usize = 128;
/// Flushes that move raw data, one behind the other, as long as they move some.
const MOVING_FLUSHES: u32 = 4;

/// Objects that have to stay are passed over, so many at a time: there may be millions.
const PASSED_OVER: u32 = 4;

/// One loaded object.
pub(super) struct Loaded {
    pub header: ObjectHeader,
    pub kind: ObjectKind,
    pub attributes: Attributes,
    /// Only of a group, once they are asked for: not of one that is opened and closed.
    pub read_links: Option<Box<Links>>,
    /// Only of a dataset.
    pub dataset: Option<Box<DatasetState>>,
    /// Open handles.
    pub handles: u32,
    /// Something has to be prepared before the next flush.
    pub changed: bool,
    /// The file's totals may not have the object's latest summary.
    pub touched: bool,
    /// Whether something was deleted since it is in memory.
    pub thinned: bool,
    /// What the file's totals hold of the object.
    pub counted: Summary,
    /// The dense stores that the present round of sweeps is through with.
    pub swept: u8,
    /// Its last link is gone; only closing it is left.
    pub deleted: bool,
}

/// An object's place among the loaded ones. Stable while the object has a handle.
pub(super) type Slot = u32;

/// Everything behind the file's lock.
pub(super) struct State {
    pub store: Store,
    pub superblock: Superblock,
    pub objects: Objects,
    pub maintenance: Maintenance,
    pub free_space: FreeSpace,
    /// Values of variable length.
    pub heap: GlobalHeap,
    /// Objects that are to stay where they are.
    pub pinned: Pinned,
    /// Reused for encoding, so that no operation allocates.
    pub scratch: Vec<u8>,
    /// What opening the file had to do.
    pub recovery: Recovery,
    pub open: bool,
}

/// The loaded objects.
#[derive(Default)]
pub(super) struct Objects {
    slots: Vec<Option<Box<Loaded>>>,
    vacant: Vec<Slot>,
    by_address: AddressMap<Slot>,
    changed: Vec<Slot>,
    idle: usize,
    /// Slots whose objects may be without a handle, each once, in the order in which they are forgotten.
    waiting: VecDeque<Slot>,
    /// Of each slot, how it waits.
    waits: Vec<Wait>,
}

/// How a slot stands in the queue of those to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Wait {
    /// Not at all.
    #[default]
    Not,
    /// Since its object lost its last handle.
    Once,
    /// The object was used meanwhile: it is passed over once.
    Again,
}

impl Objects {
    /// The object in a slot that has a handle or was loaded within this operation.
    #[inline]
    pub fn get(&mut self, slot: Slot) -> Result<&mut Loaded> {
        match self.slots.get_mut(slot as usize) {
            Some(Some(object)) => Ok(object),
            _ => Err(Error::internal(format_args!("no object in slot {slot}"))),
        }
    }

    /// The slot of a loaded object.
    pub fn find(&self, address: u64) -> Option<Slot> {
        self.by_address.get(&address).copied()
    }

    /// Keeps an object.
    pub fn add(&mut self, object: Box<Loaded>) -> Slot {
        let (address, is_idle) = (object.header.address(), object.handles == 0);
        let slot = match self.vacant.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(object);
                slot
            }
            None => {
                self.slots.push(Some(object));
                self.waits.push(Wait::Not);
                (self.slots.len() - 1) as Slot
            }
        };
        self.by_address.insert(address, slot);
        if is_idle {
            self.wait(slot);
        }
        slot
    }

    /// Forgets an object.
    pub fn remove(&mut self, slot: Slot) -> Option<Box<Loaded>> {
        let object = self.slots.get_mut(slot as usize)?.take()?;
        if self.by_address.get(&object.header.address()) == Some(&slot) {
            self.by_address.remove(&object.header.address());
        }
        self.idle -= usize::from(object.handles == 0);
        self.vacant.push(slot);
        Some(object)
    }

    /// One handle more.
    pub fn retain(&mut self, slot: Slot) -> Result<()> {
        let object = self.get(slot)?;
        object.handles += 1;
        if object.handles == 1 {
            self.idle -= 1;
        }
        Ok(())
    }

    /// One handle less; whether it was the last.
    pub fn release(&mut self, slot: Slot) -> bool {
        let Ok(object) = self.get(slot) else { return false };
        object.handles = object.handles.saturating_sub(1);
        let last = object.handles == 0;
        if last {
            self.wait(slot);
        }
        last
    }

    /// The object has no handle from now on.
    fn wait(&mut self, slot: Slot) {
        self.idle += 1;
        match &mut self.waits[slot as usize] {
            wait @ Wait::Not => {
                *wait = Wait::Once;
                self.waiting.push_back(slot);
            }
            wait => *wait = Wait::Again,
        }
    }

    /// The object in the slot stands somewhere else from now on.
    pub fn moved(&mut self, slot: Slot, from: u64, to: u64) {
        self.by_address.remove(&from);
        self.by_address.insert(to, slot);
    }

    /// The object's address names another object from now on (it was deleted while a handle is open).
    pub fn detach(&mut self, slot: Slot) {
        if let Ok(object) = self.get(slot) {
            object.deleted = true;
            object.changed = false;
            let address = object.header.address();
            self.by_address.remove(&address);
        }
    }

    /// Remembers that the object has to be prepared before the next flush.
    #[inline]
    pub fn mark(&mut self, slot: Slot) -> Result<()> {
        let object = self.get(slot)?;
        if !object.changed {
            object.changed = true;
            self.changed.push(slot);
        }
        Ok(())
    }

    /// Whether no object has to be prepared.
    pub fn are_unchanged(&self) -> bool {
        self.changed.is_empty()
    }

    /// The objects to prepare; nothing is changed any more.
    pub fn take_changed(&mut self) -> Vec<Slot> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.retain(|&slot| match self.slots.get_mut(slot as usize) {
            Some(Some(object)) => std::mem::take(&mut object.changed),
            _ => false,
        });
        changed
    }

    /// All loaded objects.
    pub fn loaded(&self) -> Vec<Slot> {
        (0..self.slots.len() as Slot).filter(|&slot| self.slots[slot as usize].is_some()).collect()
    }

    /// Objects with a dense store, or a tree of chunks, in memory.
    pub fn with_dense(&self) -> Vec<Slot> {
        (0..self.slots.len() as Slot).filter(|&slot| self.is_dense(slot) == Some(true)).collect()
    }

    /// Whether there is an object with one in a slot; nothing behind the last slot.
    pub fn is_dense(&self, slot: Slot) -> Option<bool> {
        self.slots.get(slot as usize).map(|object| object.as_ref().is_some_and(|object| object.has_dense()))
    }

    /// An object without a handle, when there are too many: one that has waited long. `pass` says how many more are passed over.
    fn surplus(&mut self, pass: &mut u32) -> Option<Slot> {
        while self.idle > IDLE_OBJECTS && *pass > 0 {
            let slot = self.waiting.pop_front()?;
            let wait = std::mem::take(&mut self.waits[slot as usize]);
            let object = self.slots[slot as usize].as_ref().filter(|object| object.handles == 0);
            let Some(object) = object else { continue };
            if wait == Wait::Once && !object.must_stay() {
                return Some(slot);
            }
            *pass -= u32::from(object.must_stay());
            self.waits[slot as usize] = Wait::Once;
            self.waiting.push_back(slot);
        }
        None
    }
}

impl Loaded {
    /// Opens the object whose header is at `address`.
    fn open(store: &mut Store, address: u64) -> Result<Box<Self>> {
        let header = ObjectHeader::open(store, address)?;
        let kind = ObjectKind::of(&header)?;
        let attributes = Attributes::of(store, &header)?;
        let dataset = match kind {
            ObjectKind::Dataset => Some(Box::new(DatasetState::open(store, &header)?)),
            _ => None,
        };
        Ok(Loaded::new(header, kind, attributes, dataset))
    }

    /// An object without a handle.
    pub fn new(
        header: ObjectHeader,
        kind: ObjectKind,
        attributes: Attributes,
        dataset: Option<Box<DatasetState>>,
    ) -> Box<Self> {
        Box::new(Loaded {
            header,
            kind,
            attributes,
            read_links: None,
            dataset,
            handles: 0,
            changed: false,
            touched: false,
            thinned: false,
            counted: Summary::default(),
            swept: 0,
            deleted: false,
        })
    }

    /// Whether a dense store of the object, or the tree that finds its chunks, is loaded.
    pub fn has_dense(&self) -> bool {
        self.must_stay() || self.dataset.as_ref().is_some_and(|dataset| dataset.has_chunk_tree())
    }

    /// Whether the object stays in memory without a handle, for its dense stores or a sweep to come.
    fn must_stay(&self) -> bool {
        self.attributes.is_dense_loaded()
            || self.read_links.as_ref().is_some_and(|links| links.is_dense_loaded())
            || self.dataset.as_ref().is_some_and(|dataset| dataset.is_thinned())
    }

    /// Fails when the object was deleted.
    #[inline]
    pub fn check_alive(&self) -> Result<()> {
        if self.deleted {
            return Err(Error::new(ErrorKind::NotFound, "the object was deleted; close this handle"));
        }
        Ok(())
    }

    /// The dataset's storage; an error that names the kind when this is no dataset.
    pub fn array(&mut self) -> Result<(&mut ObjectHeader, &mut DatasetState)> {
        match &mut self.dataset {
            Some(dataset) => Ok((&mut self.header, dataset)),
            None => Err(Error::new(ErrorKind::WrongKind, format!("a dataset is needed, this is a {}", self.kind))),
        }
    }

    /// The group's links; an error that names the kind when this is no group.
    #[inline]
    pub fn group(&mut self, store: &mut Store) -> Result<(&mut ObjectHeader, &mut Links)> {
        let kind = self.kind;
        self.links_if_group(store)?.ok_or_else(|| not_a_group(kind))
    }

    /// The same, and nothing when this is no group. They are read with the first call.
    #[inline]
    pub fn links_if_group(&mut self, store: &mut Store) -> Result<Option<(&mut ObjectHeader, &mut Links)>> {
        if self.read_links.is_none() && self.kind == ObjectKind::Group {
            self.read_links = Some(Box::new(Links::of(store, &self.header)?));
        }
        Ok(self.read_links.as_deref_mut().map(|links| (&mut self.header, links)))
    }

    /// Brings the header and the dense stores into the shape in which they are flushed.
    pub fn prepare(&mut self, store: &mut Store) -> Result<()> {
        self.attributes.prepare(store, &mut self.header)?;
        if let Some(links) = &mut self.read_links {
            links.prepare(store, &mut self.header)?;
        }
        if let Some(dataset) = &mut self.dataset {
            dataset.prepare(store, &mut self.header)?;
        }
        self.header.touch(store, crate::object::header_time())
    }
}

#[cold]
fn not_a_group(kind: ObjectKind) -> Error {
    Error::new(ErrorKind::WrongKind, format!("a group is needed, this is a {kind}"))
}

impl State {
    /// The slot of the object at `address`, loaded if need be.
    pub fn load(&mut self, address: u64) -> Result<Slot> {
        if let Some(slot) = self.objects.find(address) {
            return Ok(slot);
        }
        // Where more links lead than are counted, the last that is counted frees the object, and others still lead there.
        if self.store.space().overlaps_free(address, 1) {
            return Err(Error::corrupt("object header", address, "a link leads to it, but it stands in free space"));
        }
        let object = Loaded::open(&mut self.store, address)?;
        Ok(self.objects.add(object))
    }

    /// A handle is gone: the object is forgotten when nothing keeps it.
    pub fn release(&mut self, slot: Slot) -> Result<()> {
        if !self.objects.release(slot) {
            return Ok(());
        }
        if self.objects.get(slot)?.deleted {
            self.objects.remove(slot);
            return Ok(());
        }
        let State { store, objects, maintenance, .. } = self;
        let object = objects.get(slot)?;
        if let (Some(dataset), Ok(())) = (&mut object.dataset, store.check_usable()) {
            dataset.close(store, &mut object.header)?;
        }
        if object.counted != Summary::default() {
            maintenance.touch(slot, object);
        }
        self.drop_surplus()
    }

    /// Forgets idle objects when there are too many; changed ones are prepared first, so nothing is lost.
    pub fn drop_surplus(&mut self) -> Result<()> {
        let mut pass = PASSED_OVER;
        while let Some(slot) = self.objects.surplus(&mut pass) {
            if let Some(mut object) = self.objects.remove(slot) {
                self.maintenance.forget(slot, &mut object);
                if object.changed {
                    // It is in memory no more: what it has become is not known.
                    object.prepare(&mut self.store).inspect_err(|_| self.store.fail())?;
                }
            }
        }
        Ok(())
    }

    /// Writes everything that changed: the state on disk is the state in memory. Where rebalancing asks for it, raw data
    /// and huge objects move down in a second flush: they are written at once, and only into what the first one freed. What
    /// moves makes room for more, in a third.
    pub fn flush(&mut self) -> Result<()> {
        if self.store.read_only() {
            return Ok(());
        }
        let moves = if self.maintenance.take_raw_due() { MOVING_FLUSHES } else { 0 };
        let packed = self.pack_values();
        let mut flushed = packed.and(self.flush_once(false));
        for _ in 0..moves {
            if self.store.check_usable().is_err() {
                break;
            }
            let before = self.store.edits();
            self.maintenance.trim_again();
            flushed = flushed.and(self.flush_once(true));
            if self.store.edits() == before || !self.is_sparse() {
                break;
            }
        }
        flushed
    }

    fn flush_once(&mut self, raw: bool) -> Result<()> {
        self.store.check_usable()?;
        let rebalanced = rebalance::before_flush(self);
        if let Err(failed) = self.store.check_usable() {
            return rebalanced.and(Err(failed));
        }
        let prepared = self.prepare_changed().and_then(|()| self.trim(raw));
        if prepared.is_err() {
            self.store.fail();
            return prepared;
        }
        if self.store.is_changed() {
            self.forget_cached_table()?;
            self.open_free_space()?;
            let superblock = &self.superblock;
            self.store.flush(|end| superblock.encode(end))?;
            self.heap.erase_freed(&mut self.store)?;
        } else {
            self.store.settle()?;
        }
        let before = self.store.edits();
        let found = self.find_free_space();
        if found.is_err() && self.store.edits() != before {
            self.store.fail();
        }
        found?;
        rebalanced
    }

    /// Brings all changed objects into the shape in which they are flushed.
    pub fn prepare_changed(&mut self) -> Result<()> {
        group::release_shared(self)?;
        for slot in self.objects.take_changed() {
            self.objects.get(slot)?.prepare(&mut self.store)?;
        }
        // A dataspace message of rows that were appended may have been a shared one.
        group::release_shared(self)
    }

    /// An old superblock does not go on naming the symbol table of a root group that has none any more.
    fn forget_cached_table(&mut self) -> Result<()> {
        if self.superblock.old.as_ref().is_none_or(|old| old.root_entry.cache == Cache::Nothing) {
            return Ok(());
        }
        let root = path::root(self)?;
        let has_table = self.objects.get(root)?.group(&mut self.store)?.1.table().is_some();
        if let Some(old) = self.superblock.old.as_mut().filter(|_| !has_table) {
            old.root_entry.cache = Cache::Nothing;
        }
        Ok(())
    }

    /// What closing writes.
    pub fn finish(&mut self) -> Result<()> {
        if self.store.read_only() {
            return Ok(());
        }
        self.store.check_usable()?;
        let rebalanced = self.bring_back_all().and_then(|()| rebalance::before_close(self));
        let (freed_much, sparse_values) = (self.has_freed_much(), self.has_sparse_values());
        self.maintenance.trim_at_close(freed_much, sparse_values);
        self.free_space.begin_closing();
        self.flush()?;
        self.close_free_space()?;
        rebalanced
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::IDLE_OBJECTS;
    use crate::datatype::{Datatype, Number};
    use crate::object::options::{CreateOptions, GroupOptions};
    use crate::object::{File, Object};
    use crate::store::MemoryBackend;

    fn group(parent: &Object, name: &str) -> Object {
        parent.create_group(name, &GroupOptions::default()).unwrap()
    }

    fn loaded(file: &File) -> usize {
        file.shared.read(|state| Ok(state.objects.loaded().len())).unwrap()
    }

    #[test]
    fn objects_without_a_handle_are_forgotten_but_those_that_must_stay() {
        let options = CreateOptions::default();
        let file = File::create_on(Box::new(MemoryBackend::new()), Path::new("test"), &options).unwrap();
        let root = file.root().unwrap();
        for number in 0..3 * IDLE_OBJECTS {
            group(&root, &format!("plain {number}"));
            assert!(loaded(&file) <= IDLE_OBJECTS + 2);
        }
        // With their attributes in a dense store.
        let stay = 2 * IDLE_OBJECTS;
        for number in 0..stay {
            let group = group(&root, &format!("dense {number}"));
            for name in 'a'..'m' {
                group.attr_write(&name.to_string(), &Datatype::little(Number::I8), &[], &[number as u8]).unwrap();
            }
        }
        for number in 0..3 * IDLE_OBJECTS {
            root.open(&format!("plain {number}")).unwrap();
        }
        let dense = file.shared.read(|state| Ok(state.objects.with_dense().len())).unwrap();
        assert_eq!(dense, stay + 1, "the groups and the root with its links");
        assert!(loaded(&file) < stay + stay / 2 + IDLE_OBJECTS, "{} are loaded", loaded(&file));
        // What is used again and again outlives what was used once, and an open one is never forgotten.
        let (often, open) = (root.open("plain 0").unwrap().address().unwrap(), root.open("plain 1").unwrap());
        for number in 2..3 * IDLE_OBJECTS {
            root.open(&format!("plain {number}")).unwrap();
            root.open("plain 0").unwrap();
        }
        assert!(file.shared.read(|state| Ok(state.objects.find(often).is_some())).unwrap());
        assert_eq!(open.link_count().unwrap(), 0);
        for number in 0..stay {
            root.link_delete(&format!("dense {number}")).unwrap();
            group(&root, &format!("new {number}"));
        }
        assert!(loaded(&file) <= IDLE_OBJECTS + 3, "{} are loaded", loaded(&file));
        file.check().unwrap();
    }
}
