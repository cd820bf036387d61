//! Huge objects: each in its own piece of the file, found by a version 2 B-tree of records of types 1 to 4, or by its ID
//! alone where that is long enough for an address. Their bytes go to new space at once, past the cache.

use std::cmp::Ordering;

use super::{filter, Heap, HeapId, Part, MAX_ID};
use crate::btree::{Key, Location, Tree, TreeParams};
use crate::error::{Error, ErrorKind, Result};
use crate::format::codec::{Reader, Writer};
use crate::format::fractal_heap::Header;
use crate::format::UNDEFINED;
use crate::store::Store;

const WHAT: &str = "huge object of a fractal heap";

/// What the B-tree knows of a huge object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    address: u64,
    /// Bytes in the file.
    length: u64,
    mask: u32,
    /// Bytes of the object; `length` without filters.
    size: u64,
    /// The key where IDs do not hold addresses.
    id: u64,
}

/// The shape of a heap's records.
#[derive(Debug, Clone, Copy)]
struct Shape {
    offset: usize,
    length: usize,
    filtered: bool,
    direct: bool,
}

impl Shape {
    fn of(header: &Header) -> Shape {
        Shape {
            offset: header.sizes.offset.into(),
            length: header.sizes.length.into(),
            filtered: header.filters.is_some(),
            direct: header.huge_ids_direct(),
        }
    }

    fn record_type(self) -> u8 {
        1 + u8::from(self.filtered) + 2 * u8::from(self.direct)
    }

    fn record_size(self) -> usize {
        let id = if self.direct { 0 } else { self.length };
        self.offset + self.length + if self.filtered { 4 + self.length } else { 0 } + id
    }

    fn encode(self, record: &Record) -> Vec<u8> {
        let mut w = Writer::new();
        w.uint(record.address, self.offset).uint(record.length, self.length);
        if self.filtered {
            w.u32(record.mask).uint(record.size, self.length);
        }
        if !self.direct {
            w.uint(record.id, self.length);
        }
        w.finish()
    }

    fn decode(self, bytes: &[u8]) -> Result<Record> {
        let mut r = Reader::new(bytes, WHAT);
        let (address, length) = (r.uint(self.offset)?, r.uint(self.length)?);
        let (mask, size) = if self.filtered { (r.u32()?, r.uint(self.length)?) } else { (0, length) };
        let id = if self.direct { 0 } else { r.uint(self.length)? };
        Ok(Record { address, length, mask, size, id })
    }
}

/// The order of the records: by ID, or by address and length.
struct HugeKey {
    shape: Shape,
    record: Record,
}

impl Key for HugeKey {
    fn quick(&self, record: &[u8]) -> Option<Ordering> {
        let Ok(other) = self.shape.decode(record) else { return Some(Ordering::Less) };
        Some(if self.shape.direct {
            (self.record.address, self.record.length).cmp(&(other.address, other.length))
        } else {
            self.record.id.cmp(&other.id)
        })
    }
}

impl Heap {
    fn huge_shape(&self) -> Shape {
        Shape::of(&self.header)
    }

    /// Bytes of an ID that is a key.
    fn huge_key_width(&self) -> usize {
        (self.id_length() - 1).min(8)
    }

    fn huge_tree(&mut self, store: &mut Store) -> Result<Tree> {
        if let Some(tree) = self.huge_tree.take() {
            return Ok(tree);
        }
        if self.header.huge_tree == UNDEFINED {
            return Err(self.bad_id("the heap has no huge objects"));
        }
        let tree = Tree::open(store, self.header.huge_tree)?;
        let (params, shape) = (tree.params(), self.huge_shape());
        if params.record_type != shape.record_type() || usize::from(params.record_size) != shape.record_size() {
            return Err(Error::corrupt("B-tree of huge objects", tree.address(), "its record type or size"));
        }
        Ok(tree)
    }

    /// Does something with the B-tree, which stays open.
    fn with_tree<T>(&mut self, store: &mut Store, work: impl FnOnce(&mut Tree, &mut Store) -> Result<T>) -> Result<T> {
        let mut tree = self.huge_tree(store)?;
        let result = work(&mut tree, store);
        self.huge_tree = Some(tree);
        result
    }

    fn create_huge_tree(&mut self, store: &mut Store) -> Result<()> {
        let shape = self.huge_shape();
        let tree = Tree::create(
            store,
            TreeParams {
                record_type: shape.record_type(),
                record_size: shape.record_size() as u16,
                node_size: 512,
                split: 100,
                merge: 40,
            },
        )?;
        self.header.huge_tree = tree.address();
        self.huge_tree = Some(tree);
        Ok(())
    }

    pub(super) fn insert_huge(&mut self, store: &mut Store, object: &[u8]) -> Result<HeapId> {
        let (shape, id_length, key_width) = (self.huge_shape(), self.id_length(), self.huge_key_width());
        if id_length > MAX_ID {
            return Err(Error::unsupported(format_args!("fractal heap IDs of {id_length} bytes")));
        }
        let last_id = if key_width < 8 { (1 << (8 * key_width)) - 1 } else { u64::MAX };
        if !shape.direct && (self.header.ids_wrapped || self.header.huge_next_id >= last_id) {
            return Err(Error::new(ErrorKind::Limit, "a fractal heap has given out all IDs of huge objects"));
        }
        if self.header.huge_tree == UNDEFINED {
            self.create_huge_tree(store)?;
        }
        let length = object.len() as u64;
        let address = store.allocate(length)?;
        store.write_raw(address, object)?;
        let id = if shape.direct { 0 } else { self.header.huge_next_id + 1 };
        let record = Record { address, length, mask: 0, size: length, id };
        self.with_tree(store, |tree, store| {
            let place = tree.locate(store, &mut HugeKey { shape, record })?;
            if place.found {
                return Err(Error::corrupt("B-tree of huge objects", tree.address(), "an ID is taken already"));
            }
            tree.insert_at(store, &place, &shape.encode(&record))
        })?;
        self.header.huge_next_id = self.header.huge_next_id.max(id);
        self.header.huge_count += 1;
        self.header.huge_bytes += length;
        let mut w = Writer::new();
        w.u8(0x10);
        if shape.direct {
            w.uint(address, shape.offset).uint(length, shape.length);
        } else {
            w.uint(id, key_width);
        }
        w.zeros(id_length - w.len());
        Ok(HeapId::new(w.as_slice()))
    }

    /// The record that an ID names, as far as the ID itself tells.
    fn huge_record_of(&self, id: &[u8]) -> Result<Record> {
        let shape = self.huge_shape();
        let mut r = Reader::new(id, WHAT);
        r.skip(1)?;
        if shape.direct {
            return Shape { direct: true, ..shape }.decode(&id[1..]);
        }
        Ok(Record { address: UNDEFINED, length: 0, mask: 0, size: 0, id: r.uint(self.huge_key_width())? })
    }

    /// The place of an ID's record in the B-tree, and the record.
    fn find_huge(&mut self, store: &mut Store, id: &[u8]) -> Result<(Location, Record)> {
        let (shape, record) = (self.huge_shape(), self.huge_record_of(id)?);
        let found = self.with_tree(store, |tree, store| {
            let place = tree.locate(store, &mut HugeKey { shape, record })?;
            let record = if place.found { Some(shape.decode(tree.record_at(store, &place))?) } else { None };
            Ok((place, record))
        })?;
        match found {
            (place, Some(record)) => Ok((place, record)),
            _ => Err(self.bad_id("no such huge object")),
        }
    }

    pub(super) fn get_huge<'a>(&'a mut self, store: &'a mut Store, id: &[u8]) -> Result<&'a [u8]> {
        let record = if self.huge_shape().direct { self.huge_record_of(id)? } else { self.find_huge(store, id)?.1 };
        store.check_extent(record.address, record.length, WHAT)?;
        self.scratch.resize(record.length as usize, 0);
        store.read_raw(record.address, &mut self.scratch, WHAT)?;
        if let Some(filters) = &self.header.filters {
            let object = filter::decode(&filters.pipeline, record.mask, &self.scratch, record.size, record.address)?;
            self.scratch = object;
        }
        Ok(&self.scratch)
    }

    /// Replaces a huge object's bytes. False when its ID says where it is, so that the ID would change.
    pub(super) fn write_huge(&mut self, store: &mut Store, id: &[u8], object: &[u8]) -> Result<bool> {
        let shape = self.huge_shape();
        if shape.direct {
            return Ok(false);
        }
        let (place, record) = self.find_huge(store, id)?;
        if record.length != object.len() as u64 {
            return Err(Error::internal("an object is replaced by one of another length"));
        }
        // The flushed state keeps the old bytes, so that they are there if there is no next flush.
        let address = store.allocate(record.length)?;
        store.write_raw(address, object)?;
        let bytes = shape.encode(&Record { address, ..record });
        self.with_tree(store, |tree, store| {
            tree.record_at_mut(store, &place).copy_from_slice(&bytes);
            Ok(())
        })?;
        store.free(record.address, record.length);
        Ok(true)
    }

    pub(super) fn remove_huge(&mut self, store: &mut Store, id: &[u8]) -> Result<()> {
        let (place, record) = self.find_huge(store, id)?;
        store.check_extent(record.address, record.length, WHAT)?;
        self.with_tree(store, |tree, store| tree.remove_at(store, &place))?;
        store.free(record.address, record.length);
        self.header.huge_count = self.header.huge_count.saturating_sub(1);
        self.header.huge_bytes = self.header.huge_bytes.saturating_sub(record.size);
        Ok(())
    }

    /// Before a flush: the B-tree's header and floors; a tree without records goes.
    pub(super) fn prepare_huge(&mut self, store: &mut Store) -> Result<()> {
        let Some(mut tree) = self.huge_tree.take() else { return Ok(()) };
        if tree.is_empty() {
            self.header.huge_tree = UNDEFINED;
            self.header.huge_next_id = 0;
            self.header.ids_wrapped = false;
            return tree.delete(store);
        }
        let result = tree.prepare(store);
        self.huge_tree = Some(tree);
        result
    }

    /// Moves huge objects that stand at file address `limit` or above into free space below it, and their B-tree's blocks.
    pub(super) fn relocate_huge(&mut self, store: &mut Store, limit: u64, most: usize) -> Result<usize> {
        let shape = self.huge_shape();
        // An ID that holds the address cannot change here.
        if self.header.huge_tree == UNDEFINED || shape.direct {
            return Ok(0);
        }
        let (moved, address) = self.with_tree(store, |tree, store| {
            let mut high = Vec::new();
            tree.for_each(store, |store, bytes| {
                let record = shape.decode(bytes)?;
                if record.address >= limit && high.len() < most {
                    store.check_extent(record.address, record.length, WHAT)?;
                    high.push(record);
                }
                Ok(high.len() < most)
            })?;
            let mut moved = 0;
            for record in high {
                let Some(address) = store.space_mut().allocate_below(record.length, limit) else { continue };
                // It is written at once: the last flushed state must not use the place.
                if !store.space().is_fresh(address, record.length) {
                    store.space_mut().free(address, record.length);
                    continue;
                }
                store.copy_raw(record.address, address, record.length, WHAT)?;
                let place = tree.locate(store, &mut HugeKey { shape, record })?;
                let bytes = shape.encode(&Record { address, ..record });
                tree.record_at_mut(store, &place).copy_from_slice(&bytes);
                store.free(record.address, record.length);
                moved += 1;
            }
            moved += tree.relocate_above(store, limit, most - moved)?;
            moved += usize::from(tree.address() >= limit && tree.relocate_header(store, limit)?);
            Ok((moved, tree.address()))
        })?;
        self.header.huge_tree = address;
        Ok(moved)
    }

    /// Frees all huge objects and their B-tree.
    pub(super) fn delete_huge(&mut self, store: &mut Store) -> Result<()> {
        if self.header.huge_tree == UNDEFINED {
            return Ok(());
        }
        let shape = self.huge_shape();
        let tree = self.huge_tree(store)?;
        tree.for_each(store, |store, bytes| {
            let record = shape.decode(bytes)?;
            store.check_extent(record.address, record.length, WHAT)?;
            store.free(record.address, record.length);
            Ok(true)
        })?;
        tree.delete(store)
    }

    /// Calls `visit` with the address and the bytes of every huge object and of every node of their B-tree.
    pub(super) fn each_huge(
        &mut self,
        store: &mut Store,
        visit: &mut dyn FnMut(Part, u64, u64) -> Result<()>,
    ) -> Result<()> {
        if self.header.huge_tree == UNDEFINED {
            return Ok(());
        }
        let shape = self.huge_shape();
        self.with_tree(store, |tree, store| {
            tree.each_extent(store, &mut |address, length| visit(Part::Tree, address, length))?;
            tree.for_each(store, |_, bytes| {
                let record = shape.decode(bytes)?;
                visit(Part::Huge, record.address, record.length).map(|()| true)
            })
        })
    }

    /// The B-tree of huge objects is sound and has as many records as the header says.
    pub(super) fn check_huge(&mut self, store: &mut Store, flushed: bool) -> Result<()> {
        if self.header.huge_tree == UNDEFINED {
            return self.expect("huge objects without a B-tree", 0, self.header.huge_count);
        }
        let shape = self.huge_shape();
        let records = self.with_tree(store, |tree, store| {
            tree.check(store, flushed, |_, a, b| {
                let record = shape.decode(b)?;
                Ok(HugeKey { shape, record }.quick(a) == Some(Ordering::Greater))
            })?;
            Ok(tree.len())
        })?;
        self.expect("huge objects", self.header.huge_count, records)
    }
}
