//! Fill values of variable length. What a fill value owns in the global heap is the fill value message's own: an element that was
//! never written reads as it, but one that is stored in the file owns what it refers to, so that it can be given back with it.

use std::collections::HashSet;

use super::chunked::ChunkIo;
use super::{transfer, DatasetState, Selection, Storage};
use crate::datatype::{Carry, Datatype, Release};
use crate::error::{ErrorKind, Result};
use crate::format::message::fill::{AllocationTime, Fill};
use crate::format::UNDEFINED;
use crate::heap::GlobalHeap;
use crate::object::header::ObjectHeader;
use crate::store::Store;

/// Elements that are filled one by one at once.
const PIECE: u64 = 64 << 10;

/// Heap objects by their collection's address and index.
pub(in crate::object) type HeapObjects = HashSet<(u64, u32)>;

/// A fill value that owns heap objects.
pub(super) struct Filled {
    datatype: Datatype,
    fill: Vec<u8>,
    /// What it owns, once it was asked for: what is only read needs no fill value that is whole.
    objects: Option<HeapObjects>,
    /// In collections of its own, so that the file's other heap, which remembers what is in collections, stays true.
    heap: GlobalHeap,
    /// What was made for elements.
    pub made: Vec<(u64, u32)>,
}

/// Takes down what would be given back.
struct Owned<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    objects: HeapObjects,
}

impl Release for Owned<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        self.heap.get(self.store, address, index).map(<[u8]>::to_vec)
    }

    fn remove(&mut self, address: u64, index: u32) -> Result<()> {
        self.objects.insert((address, index));
        Ok(())
    }
}

/// Copies what a fill value owns, and nothing else.
struct Copies<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    objects: &'a HeapObjects,
    made: &'a mut Vec<(u64, u32)>,
}

impl Carry for Copies<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        self.heap.get(self.store, address, index).map(<[u8]>::to_vec)
    }

    fn store(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
        let object = self.heap.insert(self.store, bytes)?;
        self.made.push(object);
        Ok(object)
    }

    fn keeps_references(&self) -> bool {
        true
    }

    fn stays(&self, address: u64, index: u32) -> bool {
        !self.objects.contains(&(address, index))
    }
}

impl Filled {
    /// Gives elements that are about to be stored what they own where they refer to what the fill value owns.
    pub fn own(&mut self, store: &mut Store, elements: &mut [u8]) -> Result<()> {
        let sizes = store.sizes();
        let Filled { datatype, fill, objects, heap, made } = self;
        let objects = match objects {
            Some(objects) => objects,
            none => none.insert(owned(datatype, fill, store, heap)?),
        };
        let owned = datatype.carry(elements, sizes, sizes, &mut Copies { store, heap, objects, made })?;
        elements.copy_from_slice(&owned);
        Ok(())
    }

    /// Gives back what was made for elements that are then not stored.
    pub fn take_back(&mut self, store: &mut Store) -> Result<()> {
        let made = std::mem::take(&mut self.made);
        made.into_iter().try_for_each(|(address, index)| self.heap.remove(store, address, index).map(|_| ()))
    }
}

/// The heap objects that a fill value owns.
fn owned(datatype: &Datatype, fill: &[u8], store: &mut Store, heap: &mut GlobalHeap) -> Result<HeapObjects> {
    let sizes = store.sizes();
    let mut owned = Owned { store, heap, objects: HeapObjects::new() };
    datatype.release(fill, None, sizes, &mut owned)?;
    Ok(owned.objects)
}

impl ChunkIo<'_> {
    /// Gives a chunk's elements that were not written what they own.
    pub fn own(&mut self, store: &mut Store, elements: &mut [u8]) -> Result<()> {
        self.filled.as_mut().map_or(Ok(()), |filled| filled.own(store, elements))
    }

    /// Calls `visit` with the elements of the chunks that lie outside new dimensions, or of all, also with those of their elements
    /// that lie outside the dimensions that the dataset has.
    fn stored(
        &mut self,
        store: &mut Store,
        new: Option<&[u64]>,
        visit: &mut dyn FnMut(&mut Store, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let bytes = self.check(self.fill.len())?;
        let (chunk, mut places) = (self.layout.dims.clone(), self.work.cache.places());
        self.chunks().for_each(store, |found| {
            places.push(found.scaled.to_vec());
            Ok(())
        })?;
        places.sort_unstable();
        places.dedup();
        let is_outside = |place: &Vec<u64>| {
            new.is_none_or(|new| {
                place.iter().zip(&chunk).zip(new).any(|((at, chunk), dim)| at.saturating_mul(*chunk) >= *dim)
            })
        };
        for place in places.into_iter().filter(is_outside) {
            let elements = match self.work.cache.get(&place) {
                Some(elements) => Ok(elements.to_vec()),
                None => self.load(store, &place, self.is_partial(&place), bytes),
            };
            match elements {
                Ok(elements) => visit(store, elements)?,
                // What cannot be read must not keep the rest from being given back.
                Err(e) if matches!(e.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported | ErrorKind::Callback) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

impl DatasetState {
    /// Whether unwritten elements read as a value that has parts in the global heap.
    pub(in crate::object) fn has_variable_fill(&self) -> bool {
        matches!(&self.fill.fill, Fill::Value(value) if self.datatype.has_pointers() && value.iter().any(|&byte| byte != 0))
    }

    /// The heap objects that the fill value owns.
    pub(in crate::object) fn fill_objects(&self, store: &mut Store, heap: &mut GlobalHeap) -> Result<HeapObjects> {
        if !self.has_variable_fill() {
            return Ok(HeapObjects::new());
        }
        owned(&self.datatype, &self.fill_element()?, store, heap)
    }

    /// The fill value, if it may own heap objects.
    pub(super) fn filled(&self) -> Result<Option<Filled>> {
        if !self.has_variable_fill() {
            return Ok(None);
        }
        let (datatype, fill) = (self.datatype.clone(), self.fill_element()?);
        Ok(Some(Filled { datatype, fill, objects: None, heap: GlobalHeap::default(), made: Vec::new() }))
    }

    /// Gives elements that are stored and were not written what they own.
    pub(super) fn own(&self, store: &mut Store, elements: &mut [u8]) -> Result<()> {
        self.filled()?.map_or(Ok(()), |mut filled| filled.own(store, elements))
    }

    /// Gives elements that are about to be stored what they own, in the file's heap; what was made for them.
    pub(super) fn own_in(
        &self,
        store: &mut Store,
        heap: &mut GlobalHeap,
        elements: &mut [u8],
    ) -> Result<Vec<(u64, u32)>> {
        let (objects, sizes, mut made) = (self.fill_objects(store, heap)?, store.sizes(), Vec::new());
        let copies = &mut Copies { store, heap, objects: &objects, made: &mut made };
        let owned = self.datatype.carry(elements, sizes, sizes, copies)?;
        elements.copy_from_slice(&owned);
        Ok(made)
    }

    /// Of a new dataset whose space is allocated early: takes that of chunks, and does at once what
    /// [`fill_one_by_one`](Self::fill_one_by_one) does.
    pub(in crate::object) fn fill_early(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        match self.fill.allocation_time {
            AllocationTime::Early => {
                self.allocate_chunks(store, header, &vec![0; self.dataspace.dims().len()])?;
                self.fill_one_by_one(store, header, u64::MAX)
            }
            _ => Ok(()),
        }
    }

    /// Whether [`fill_one_by_one`](Self::fill_one_by_one) has anything to do.
    pub(in crate::object) fn fills_one_by_one(&self, written: u64) -> bool {
        let is_new = matches!(self.storage, Storage::Contiguous { address: UNDEFINED, .. });
        let is_whole = written == 0 || Some(written) == self.dataspace.elements();
        is_new && !is_whole && self.has_variable_fill()
    }

    /// Of contiguous data that have no space yet and are about to be written in part: takes it, and gives every element a fill
    /// value of its own.
    pub(in crate::object) fn fill_one_by_one(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        written: u64,
    ) -> Result<()> {
        if !self.fills_one_by_one(written) {
            return Ok(());
        }
        let elements = self.dataspace.elements().unwrap_or(0);
        let Some(mut filled) = self.filled()? else { return Ok(()) };
        let (file, element, dims) = (self.datatype.clone(), self.fill_element()?, self.dataspace.dims().to_vec());
        let count = dims.first().copied().unwrap_or(1);
        let step = (PIECE / (elements / count.max(1)).max(1)).max(1);
        let mut at = 0;
        while at < count {
            let (mut start, mut block) = (vec![0; dims.len()], dims.clone());
            if let (Some(start), Some(block)) = (start.first_mut(), block.first_mut()) {
                (*start, *block) = (at, step.min(count - at));
            }
            let ones = vec![1; dims.len()];
            let rows =
                Selection { start: Some(&start), count: Some(&ones), block: Some(&block), ..Selection::default() };
            let rows = (!dims.is_empty()).then_some(&rows);
            let mut piece = vec![0; crate::object::value::value_size(self.selected(rows)?, &file)?];
            transfer::repeat(&element, &mut piece);
            filled.own(store, &mut piece)?;
            self.write(store, header, &file, rows, &piece)?;
            at += step;
        }
        Ok(())
    }

    /// Of chunks with a fill value of variable length: calls `visit` with the elements of those that lie outside new dimensions, or
    /// of all.
    pub(in crate::object) fn each_stored_chunk(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        new: Option<&[u64]>,
        visit: &mut dyn FnMut(&mut Store, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        match self.storage {
            Storage::Chunked(_) if self.has_variable_fill() => self.chunk_io(store, header)?.stored(store, new, visit),
            _ => Ok(()),
        }
    }
}
