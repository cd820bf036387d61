//! Dense storage: objects (attributes or links) in a fractal heap, found through a version 2 B-tree by name and, where
//! asked for, a second one by creation order. One engine serves attributes and links; [`DenseKind`] says how their
//! records and heap objects differ.

use std::cmp::Ordering;
use std::marker::PhantomData;

use crate::btree::{Key, Location, Purpose, Tree, TreeParams};
use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::name_hash;
use crate::heap::{Heap, HeapParams};
use crate::object::dense_shared::object_of;
use crate::object::summary::Summary;
use crate::object::sweep::{is_sparse, is_worth_work};
use crate::store::Store;

/// Node size of the indexes that h5r creates (docs/design.md has the measurement behind it).
pub(super) const NODE_SIZE: u32 = 4096;
const SPLIT_PERCENT: u8 = 100;
const MERGE_PERCENT: u8 = 40;

/// No record of a dense index is longer than this.
pub(super) const MAX_RECORD: usize = 24;

/// Hashes that are counted at once.
const AT_ONCE: usize = 8;

/// How one kind of dense storage lays out its records and objects.
pub(super) trait DenseKind {
    /// B-tree record type of the name index.
    const NAME_TYPE: u8;
    /// Bytes of a name record.
    const NAME_SIZE: usize;
    /// Where the hash stands in a name record.
    const HASH_AT: usize;
    /// Where the heap ID stands in a name record.
    const NAME_ID_AT: usize;
    /// B-tree record type of the creation-order index.
    const ORDER_TYPE: u8;
    /// Bytes of an order record.
    const ORDER_SIZE: usize;
    /// Where the heap ID stands in an order record.
    const ORDER_ID_AT: usize;
    /// Bytes of a heap ID.
    const ID_LEN: usize;

    /// The parameters of a new heap.
    fn heap_params() -> HeapParams;
    /// The name inside a heap object, without a terminator.
    fn name(object: &[u8]) -> Result<&[u8]>;
    /// Fills a name record.
    fn name_record(id: &[u8], order: u64, hash: u32, record: &mut [u8]);
    /// Fills an order record.
    fn order_record(id: &[u8], order: u64, record: &mut [u8]);
    /// The creation order that an order record is sorted by.
    fn order_of_record(record: &[u8]) -> u64;
    /// The creation order of the object that a name record points to.
    fn order_of(name_record: &[u8], object: &[u8]) -> Option<u64>;
    /// The hash in a name record.
    #[inline]
    fn hash_of(record: &[u8]) -> u32 {
        let hash = &record[Self::HASH_AT..Self::HASH_AT + 4];
        u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
    }
    /// Whether the record, of either index, points into the shared message heap instead of this heap.
    fn is_shared(record: &[u8]) -> bool;
    /// Says so in a record of either index, or says that it does not.
    fn set_shared(record: &mut [u8], shared: bool);
}

/// A name sought in the name index: by hash, then by the name itself, which stands in the heap.
struct NameKey<'a, K, N> {
    hash: u32,
    name: &'a [u8],
    heap: &'a mut Heap,
    purpose: Purpose,
    /// Is shown the record and the object when it is found: it stands in the heap, where going again takes time.
    note: N,
    kind: PhantomData<K>,
}

impl<K: DenseKind, N: FnMut(&[u8], &[u8])> Key for NameKey<'_, K, N> {
    #[inline]
    fn quick(&self, record: &[u8]) -> Option<Ordering> {
        let hash = K::hash_of(record);
        (self.hash != hash).then(|| self.hash.cmp(&hash))
    }

    #[inline]
    fn spread(&self) -> Option<u32> {
        Some(self.hash)
    }

    #[inline]
    fn spread_of(&self, record: &[u8]) -> u32 {
        K::hash_of(record)
    }

    #[inline]
    fn purpose(&self) -> Purpose {
        self.purpose
    }

    #[inline]
    fn fetch(&self, store: &Store, record: &[u8]) {
        if !K::is_shared(record) {
            self.heap.fetch(store, &record[K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN]);
        }
    }

    #[inline]
    fn spread_before(&self, records: &[u8], _: usize, point: u32) -> usize {
        let count = |records: &[u8]| -> usize {
            records.chunks_exact(K::NAME_SIZE).map(|record| usize::from(K::hash_of(record) < point)).sum()
        };
        // A whole window's hashes the compiler would gather in vectors first, which takes longer.
        let (mut before, mut rest) = (0, records);
        while let Some((some, others)) = rest.split_at_checked(AT_ONCE * K::NAME_SIZE) {
            (before, rest) = (before + count(some), others);
        }
        if rest.is_empty() {
            before
        } else {
            before + count(rest)
        }
    }

    fn resolve(&mut self, store: &mut Store, record: &[u8]) -> Result<Ordering> {
        let mut shared = Vec::new();
        let object = object_of::<K>(self.heap, store, record, &mut shared)?;
        let order = self.name.cmp(K::name(object)?);
        if order == Ordering::Equal {
            (self.note)(record, object);
        }
        Ok(order)
    }
}

/// A creation order sought in the order index.
pub(super) struct OrderKey<K> {
    order: u64,
    kind: PhantomData<K>,
}

impl<K> OrderKey<K> {
    pub fn new(order: u64) -> Self {
        OrderKey { order, kind: PhantomData }
    }
}

impl<K: DenseKind> Key for OrderKey<K> {
    #[inline]
    fn quick(&self, record: &[u8]) -> Option<Ordering> {
        Some(self.order.cmp(&K::order_of_record(record)))
    }

    fn resolve(&mut self, _: &mut Store, _: &[u8]) -> Result<Ordering> {
        Ok(Ordering::Equal)
    }
}

#[cold]
pub(super) fn damaged_order() -> Error {
    Error::corrupt("creation-order index", 0, "it does not agree with the name index")
}

/// Addresses of a dense store, as the Attribute Info and Link Info messages hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DenseAddresses {
    pub heap: u64,
    pub names: u64,
    pub order: Option<u64>,
}

/// One object's dense attributes or links.
pub(super) struct DenseStore<K> {
    pub heap: Heap,
    pub names: Tree,
    pub order: Option<Tree>,
    /// The object that was read last from the shared message heap.
    pub(super) shared: Vec<u8>,
    kind: PhantomData<K>,
}

impl<K: DenseKind> DenseStore<K> {
    /// An empty store; `indexed` adds the creation-order index.
    pub fn create(store: &mut Store, indexed: bool) -> Result<Self> {
        let params = |record_type, size: usize| TreeParams {
            record_type,
            record_size: size as u16,
            node_size: NODE_SIZE,
            split: SPLIT_PERCENT,
            merge: MERGE_PERCENT,
        };
        if !K::heap_params().fits(store.sizes()) {
            let message = "a file whose lengths have 2 bytes has no room for dense attributes or links";
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let heap = Heap::create(store, K::heap_params())?;
        let names = Tree::create(store, params(K::NAME_TYPE, K::NAME_SIZE))?;
        let order = match indexed {
            true => Some(Tree::create(store, params(K::ORDER_TYPE, K::ORDER_SIZE))?),
            false => None,
        };
        Ok(DenseStore { heap, names, order, shared: Vec::new(), kind: PhantomData })
    }

    /// The store at these addresses.
    pub fn open(store: &mut Store, addresses: DenseAddresses) -> Result<Self> {
        let heap = Heap::open(store, addresses.heap)?;
        if heap.id_length() != K::ID_LEN {
            let detail = format_args!("heap IDs of {} bytes, expected {}", heap.id_length(), K::ID_LEN);
            return Err(Error::corrupt("fractal heap", addresses.heap, detail));
        }
        let names = Self::open_tree(store, addresses.names, K::NAME_TYPE, K::NAME_SIZE)?;
        let order = match addresses.order {
            Some(address) => Some(Self::open_tree(store, address, K::ORDER_TYPE, K::ORDER_SIZE)?),
            None => None,
        };
        Ok(DenseStore { heap, names, order, shared: Vec::new(), kind: PhantomData })
    }

    fn open_tree(store: &mut Store, address: u64, record_type: u8, record_size: usize) -> Result<Tree> {
        let tree = Tree::open(store, address)?;
        let params = tree.params();
        if (params.record_type, params.record_size as usize) != (record_type, record_size) {
            return Err(Error::corrupt(
                "version 2 B-tree",
                address,
                format_args!(
                    "records of type {} and {} bytes, expected type {record_type} and {record_size} bytes",
                    params.record_type, params.record_size
                ),
            ));
        }
        Ok(tree)
    }

    /// Where the store stands.
    pub fn addresses(&self) -> DenseAddresses {
        DenseAddresses {
            heap: self.heap.address(),
            names: self.names.address(),
            order: self.order.as_ref().map(Tree::address),
        }
    }

    /// Objects stored.
    pub fn len(&self) -> u64 {
        self.names.len()
    }

    /// Where `name` stands, or would stand, in the name index.
    #[inline]
    pub fn locate(&mut self, store: &mut Store, name: &[u8]) -> Result<(Location, u32)> {
        let mut location = Location::nowhere();
        let hash = self.find(store, name, Purpose::Reading, |_, _| (), &mut location)?;
        Ok((location, hash))
    }

    /// Whether `name` is there; `note` is shown the name record and the heap object then.
    #[inline]
    pub fn look_up(&mut self, store: &mut Store, name: &[u8], note: impl FnMut(&[u8], &[u8])) -> Result<bool> {
        let mut location = Location::nowhere();
        self.find(store, name, Purpose::Reading, note, &mut location)?;
        Ok(location.found)
    }

    /// As [`DenseStore::locate`], for a record that is put in or taken out next.
    #[inline]
    pub fn locate_to_edit(&mut self, store: &mut Store, name: &[u8]) -> Result<(Location, u32)> {
        let mut location = Location::nowhere();
        let hash = self.seek_to_put(store, name, &mut location)?;
        Ok((location, hash))
    }

    /// The same, into a location that is nowhere yet; returns the hash.
    #[inline]
    pub fn seek_to_put(&mut self, store: &mut Store, name: &[u8], location: &mut Location) -> Result<u32> {
        self.find(store, name, Purpose::PuttingIn, |_, _| (), location)
    }

    /// The same, for a record that is taken out next; `note` as in [`DenseStore::look_up`].
    #[inline]
    pub fn seek_to_remove(
        &mut self,
        store: &mut Store,
        name: &[u8],
        note: impl FnMut(&[u8], &[u8]),
        location: &mut Location,
    ) -> Result<u32> {
        self.find(store, name, Purpose::TakingOut, note, location)
    }

    #[inline]
    fn find(
        &mut self,
        store: &mut Store,
        name: &[u8],
        purpose: Purpose,
        note: impl FnMut(&[u8], &[u8]),
        location: &mut Location,
    ) -> Result<u32> {
        let hash = name_hash(name);
        let mut key = NameKey::<K, _> { hash, name, heap: &mut self.heap, purpose, note, kind: PhantomData };
        self.names.seek(store, &mut key, location)?;
        Ok(hash)
    }

    /// The name record at a location that was found.
    #[inline]
    pub fn record(&self, store: &Store, location: &Location) -> [u8; MAX_RECORD] {
        Self::copy_of(self.names.record_at(store, location))
    }

    /// A copy of a name record.
    #[inline]
    pub fn copy_of(record: &[u8]) -> [u8; MAX_RECORD] {
        let mut copy = [0; MAX_RECORD];
        // Of constant length: no call.
        copy[..K::NAME_SIZE].copy_from_slice(&record[..K::NAME_SIZE]);
        copy
    }

    /// The heap object of a name record.
    pub fn object<'a>(&'a mut self, store: &'a mut Store, record: &[u8]) -> Result<&'a [u8]> {
        object_of::<K>(&mut self.heap, store, record, &mut self.shared)
    }

    /// Stores a new object at a location that was not found.
    pub fn insert_at(
        &mut self,
        store: &mut Store,
        location: &Location,
        hash: u32,
        order: u64,
        object: &[u8],
    ) -> Result<()> {
        // Where it goes in both indexes is known before anything changes.
        let in_order = match &self.order {
            Some(tree) => Some(tree.locate(store, &mut OrderKey::<K>::new(order))?),
            None => None,
        };
        let id = self.heap.insert(store, object)?;
        let mut record = [0; MAX_RECORD];
        K::name_record(id.as_slice(), order, hash, &mut record[..K::NAME_SIZE]);
        self.names.insert_at(store, location, &record[..K::NAME_SIZE])?;
        let (Some(tree), Some(location)) = (&mut self.order, in_order) else { return Ok(()) };
        K::order_record(id.as_slice(), order, &mut record[..K::ORDER_SIZE]);
        tree.insert_at(store, &location, &record[..K::ORDER_SIZE])
    }

    /// Stores a new object; `name` must not be present.
    pub fn insert(&mut self, store: &mut Store, name: &[u8], order: u64, object: &[u8]) -> Result<()> {
        let (location, hash) = self.locate_to_edit(store, name)?;
        if location.found {
            let name = String::from_utf8_lossy(name);
            return Err(Error::corrupt(
                "object header",
                self.names.address(),
                format_args!("the name '{name}' is stored twice"),
            ));
        }
        self.insert_at(store, &location, hash, order, object)
    }

    pub(super) fn insert_order(&mut self, store: &mut Store, id: &[u8], order: u64) -> Result<()> {
        let Some(tree) = &mut self.order else { return Ok(()) };
        let location = tree.locate(store, &mut OrderKey::<K>::new(order))?;
        let mut record = [0; MAX_RECORD];
        K::order_record(id, order, &mut record[..K::ORDER_SIZE]);
        tree.insert_at(store, &location, &record[..K::ORDER_SIZE])
    }

    /// Puts another object in the place of the one at a location that was found; its creation order stays. The object
    /// is overwritten where it stands when it keeps its length.
    pub fn replace_at(&mut self, store: &mut Store, location: &Location, object: &[u8]) -> Result<()> {
        let record = self.record(store, location);
        let old = &record[K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN];
        let (old_length, order) = {
            let stored = self.object(store, &record)?;
            (stored.len(), K::order_of(&record, stored))
        };
        let is_shared = K::is_shared(&record);
        if !is_shared && old_length == object.len() && self.heap.write(store, old, object)? {
            return Ok(());
        }
        let in_order = if self.order.is_some() { Some(self.locate_order(store, order)?) } else { None };
        let id = self.heap.insert(store, object)?;
        match is_shared {
            true => self.lose_use(store, &record),
            false => self.heap.remove(store, old)?,
        }
        let place = self.names.record_at_mut(store, location);
        place[K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN].copy_from_slice(id.as_slice());
        K::set_shared(place, false);
        if let (Some(tree), Some(location)) = (&mut self.order, in_order) {
            tree.record_at_mut(store, &location)[K::ORDER_ID_AT..K::ORDER_ID_AT + K::ID_LEN]
                .copy_from_slice(id.as_slice());
        }
        match is_shared {
            true => self.mark_order(store, order, false),
            false => Ok(()),
        }
    }

    /// Removes the object at a location that was found, where this record stands.
    #[inline]
    pub fn remove_at(&mut self, store: &mut Store, location: &Location, record: &[u8; MAX_RECORD]) -> Result<()> {
        self.heap.check_changeable()?;
        if self.order.is_some() {
            let order = K::order_of(record, self.object(store, record)?);
            self.names.read_for_removal(store, location)?;
            self.remove_order(store, order)?;
        }
        self.names.remove_at(store, location)?;
        if K::is_shared(record) {
            self.lose_use(store, record);
            return Ok(());
        }
        self.heap.remove(store, &record[K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN])
    }

    /// The object at heap ID `id` has creation order `new` instead of `old` from now on.
    pub fn reorder(&mut self, store: &mut Store, id: &[u8], old: u64, new: u64) -> Result<()> {
        if self.order.is_none() {
            return Ok(());
        }
        let location = self.locate_order(store, Some(old))?;
        let shared = self.order.as_ref().is_some_and(|tree| K::is_shared(tree.record_at(store, &location)));
        self.remove_order(store, Some(old))?;
        self.insert_order(store, id, new)?;
        match shared {
            true => self.mark_order(store, Some(new), true),
            false => Ok(()),
        }
    }

    pub(super) fn locate_order(&mut self, store: &mut Store, order: Option<u64>) -> Result<Location> {
        let order = order.ok_or_else(damaged_order)?;
        let tree = self.order.as_ref().ok_or_else(damaged_order)?;
        let location = tree.locate(store, &mut OrderKey::<K>::new(order))?;
        if !location.found {
            return Err(damaged_order());
        }
        Ok(location)
    }

    fn remove_order(&mut self, store: &mut Store, order: Option<u64>) -> Result<()> {
        let location = self.locate_order(store, order)?;
        match &mut self.order {
            Some(tree) => tree.remove_at(store, &location),
            None => Ok(()),
        }
    }

    /// Calls `visit` with each name record and its heap object, in the order of the name index (by hash).
    pub fn for_each(&mut self, store: &mut Store, mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool>) -> Result<()> {
        let (heap, shared) = (&mut self.heap, &mut self.shared);
        self.names.for_each(store, |store, record| visit(record, object_of::<K>(heap, store, record, shared)?))
    }

    /// Gives all space of the store back.
    pub fn delete(self, store: &mut Store) -> Result<()> {
        if let Some(order) = self.order {
            order.delete(store)?;
        }
        self.names.delete(store)?;
        self.heap.delete(store)
    }

    /// Makes the store's blocks ready for the flush: node floors that libhdf5 relies on, headers, free space.
    pub fn prepare(&mut self, store: &mut Store) -> Result<()> {
        for tree in std::iter::once(&mut self.names).chain(&mut self.order) {
            tree.prepare(store)?;
        }
        self.heap.prepare(store)
    }

    /// What the store adds to the survey.
    pub fn summary(&mut self, store: &mut Store) -> Result<Summary> {
        let (mut summary, mut sparse) = (Summary::default(), false);
        for tree in std::iter::once(&mut self.names).chain(&mut self.order) {
            let stats = tree.stats(store)?;
            sparse |= is_sparse(&stats);
            summary.nodes += stats.nodes;
            summary.underfull += stats.underfull;
            summary.records += stats.records;
            summary.capacity += stats.capacity_total;
        }
        let heap = self.heap.stats();
        summary.heap_live = heap.live_bytes;
        summary.heap_free = heap.free_bytes;
        Ok(summary.with_due(sparse, is_worth_work(&heap)))
    }
}
