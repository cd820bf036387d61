//! Rebuilding: all managed objects are copied, in the order in which they are given, into packed blocks, which then take
//! the place of the heap's lowest ones. One shot, for closing and for rebalancing on demand.

use super::holes::{Bins, BlockHoles, Hole};
use super::managed::Bump;
use super::table::NONE;
use super::{Heap, HeapId};
use crate::error::{Error, Result};
use crate::format::fractal_heap::{id_kind, IdKind, Slot, DIRECT_SIGNATURE};
use crate::format::UNDEFINED;
use crate::store::Store;

/// The packed image while it grows.
#[derive(Debug)]
pub(super) struct Rebuild {
    blocks: Vec<(Slot, Vec<u8>)>,
    /// Where the next object goes in the last block.
    at: usize,
    /// Ends of blocks in which an object did not fit.
    rests: Bins,
    moved: u64,
    bytes: u64,
}

impl Heap {
    /// Begins a rebuild. Nothing else may be done with the heap before [`Heap::end_rebuild`].
    pub fn begin_rebuild(&mut self, store: &mut Store) -> Result<()> {
        self.end_evacuation(store)?;
        self.begin_change(store)?;
        self.rebuild = Some(Box::new(Rebuild { blocks: Vec::new(), at: 0, rests: Bins::new(), moved: 0, bytes: 0 }));
        Ok(())
    }

    /// Copies an object; its new ID takes effect with the end of the rebuild. None for one that keeps its ID (tiny,
    /// huge).
    #[inline]
    pub fn rebuild_move(&mut self, store: &mut Store, id: &[u8]) -> Result<Option<HeapId>> {
        if id.len() < self.id_length() || id_kind(id[0])? != IdKind::Managed {
            return Ok(None);
        }
        let (offset, length, index) = self.managed_object(id)?;
        let source = self.direct_block(store, index)?;
        let from = (offset - self.table.blocks[index as usize].offset) as usize;
        let bytes = &store.bytes(source)[from..from + length as usize];
        let target = self.place(bytes)?;
        self.managed_id(target, length).map(Some)
    }

    /// Appends an object to the image and says at which heap offset it stands.
    #[inline]
    fn place(&mut self, object: &[u8]) -> Result<u64> {
        let rebuild = self.rebuild.as_mut().ok_or_else(|| Error::internal("no rebuild was begun"))?;
        rebuild.moved += 1;
        rebuild.bytes += object.len() as u64;
        if let Some(hole) = rebuild.rests.take(object.len() as u32) {
            if hole.length > object.len() as u32 {
                let length = hole.length - object.len() as u32;
                rebuild.rests.push(Hole { offset: hole.offset + object.len() as u64, length });
            }
            let index = rebuild.blocks.partition_point(|block| block.0.offset <= hole.offset) - 1;
            let (slot, bytes) = &mut rebuild.blocks[index];
            let at = (hole.offset - slot.offset) as usize;
            bytes[at..at + object.len()].copy_from_slice(object);
            return Ok(hole.offset);
        }
        let fits = rebuild.blocks.last().is_some_and(|block| block.1.len() - rebuild.at >= object.len());
        if !fits {
            self.new_image_block(object.len() as u64)?;
        }
        let rebuild = self.rebuild.as_mut().ok_or_else(|| Error::internal("no rebuild was begun"))?;
        let at = rebuild.at;
        let (slot, bytes) = rebuild.blocks.last_mut().ok_or_else(|| Error::internal("no block was begun"))?;
        bytes[at..at + object.len()].copy_from_slice(object);
        rebuild.at += object.len();
        Ok(slot.offset + at as u64)
    }

    #[cold]
    fn new_image_block(&mut self, length: u64) -> Result<()> {
        let (header, address) = (&self.header, self.address);
        let overhead = header.direct_overhead();
        let rebuild = self.rebuild.as_mut().ok_or_else(|| Error::internal("no rebuild was begun"))?;
        let mut offset = 0;
        if let Some((slot, bytes)) = rebuild.blocks.last() {
            offset = slot.offset + slot.size;
            if rebuild.at < bytes.len() {
                let length = (bytes.len() - rebuild.at) as u32;
                rebuild.rests.push(Hole { offset: slot.offset + rebuild.at as u64, length });
            }
        }
        loop {
            let slot = header.table.slot(offset);
            let mut bytes = vec![0; slot.size as usize];
            header.put_prefix(&mut bytes, DIRECT_SIGNATURE, address, slot.offset);
            rebuild.blocks.push((slot, bytes));
            rebuild.at = overhead as usize;
            if slot.size - overhead >= length {
                return Ok(());
            }
            // Too small for this object: room for others.
            rebuild.rests.push(Hole { offset: slot.offset + overhead, length: (slot.size - overhead) as u32 });
            offset = slot.offset + slot.size;
        }
    }

    /// Puts the image in the place of the heap's blocks. Fails, and changes nothing, when objects are missing.
    pub fn end_rebuild(&mut self, store: &mut Store) -> Result<()> {
        let rebuild = *self.rebuild.take().ok_or_else(|| Error::internal("no rebuild was begun"))?;
        self.expect("managed objects copied by a rebuild", self.header.managed_count, rebuild.moved)?;
        self.expect("bytes copied by a rebuild", self.live, rebuild.bytes)?;
        self.bins = Bins::new();
        self.queue.clear();
        self.bump = Bump::NONE;
        let overhead = self.header.direct_overhead() as u32;
        self.table.holes.iter_mut().for_each(BlockHoles::clear);
        for block in self.table.blocks.iter_mut().filter(|block| block.address != UNDEFINED) {
            block.queued = false;
            block.live = 0;
        }
        let mut last = NONE;
        for (slot, bytes) in &rebuild.blocks {
            let index = match self.table.find(slot.offset) {
                Some(index) => index,
                None => self.create_direct(store, *slot)?,
            };
            let seal = self.direct_seal();
            let block = &mut self.table.blocks[index as usize];
            block.live = slot.size as u32 - overhead;
            block.verified = true;
            let id = match store.cached(block.address) {
                Some(id) => id,
                None => store.create_block_at(block.address, bytes.len(), seal),
            };
            store.bytes_mut(id).copy_from_slice(bytes);
            last = index;
        }
        if let Some((slot, bytes)) = rebuild.blocks.last() {
            let at = slot.offset + rebuild.at as u64;
            self.bump = Bump { at, end: slot.offset + slot.size, block: last };
            self.table.blocks[last as usize].live -= (bytes.len() - rebuild.at) as u32;
        }
        rebuild.rests.for_each(|hole| {
            if let Some(index) = self.table.find(hole.offset) {
                self.table.blocks[index as usize].live -= hole.length;
                self.give_back(index, hole.offset, hole.length);
            }
        });
        self.free_empty_blocks(store)
    }
}
