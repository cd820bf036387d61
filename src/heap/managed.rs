//! Objects in direct blocks: bump allocation at the end of the last block, holes where there are any.

use super::holes::{BlockHoles, EdgeMap, Hole};
use super::table::NONE;
use super::{Heap, HeapId, MAX_ID};
use crate::error::{Error, ErrorKind, Result};
use crate::format::fractal_heap::{Header, Slot};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Store};

/// Blocks whose holes one insert may put into the bins.
const EXPOSE_AT_ONCE: usize = 2;
/// A block's holes are wanted when they are one part in so many of it.
const WORTH: u32 = 32;
/// Slots of the lowest gaps that are looked at before the heap grows instead.
const GAP_SLOTS: usize = 32;

/// Bytes of an object that are asked for ahead at most.
const AHEAD: u32 = 1024;

/// The free end of the block that was created last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bump {
    pub at: u64,
    pub end: u64,
    pub block: u32,
}

impl Bump {
    pub const NONE: Bump = Bump { at: 0, end: 0, block: NONE };
}

/// How a managed object's ID is laid out: bytes of its parts and of all of it. Kept, for every look-up needs them.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdLayout {
    offset: usize,
    length: usize,
    all: usize,
    /// Bits of the offset and of the length, where both are in the first eight bytes.
    masks: Option<(u64, u64)>,
    /// Bytes of a direct block's prefix, in which no object is.
    overhead: u64,
}

impl IdLayout {
    pub fn new(header: &Header) -> Self {
        let (offset, length) = (header.offset_width(), header.length_width());
        let mask = |width: usize| (1 << (8 * width)) - 1;
        IdLayout {
            offset,
            length,
            all: header.params.id_length.into(),
            masks: (offset + length <= 7).then(|| (mask(offset), mask(length))),
            overhead: header.direct_overhead(),
        }
    }
}

/// How offset and length stand in a managed object's ID of eight bytes or less, in the number that these are.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackedIds {
    offset_mask: u64,
    length_mask: u64,
    length_at: u32,
}

impl PackedIds {
    /// Offset and length; none where the first byte says that it is the ID of something else.
    #[inline(always)]
    pub fn decode(&self, id: &[u8]) -> Option<(u64, u64)> {
        let (offset, length, managed) = self.split(id);
        managed.then_some((offset, length))
    }

    /// Offset, length, and whether the first byte says that it is the ID of a managed object, without a branch. Bytes behind
    /// the ID do no harm.
    #[inline(always)]
    pub fn split(&self, id: &[u8]) -> (u64, u64, bool) {
        let word = first_word(id);
        (word >> 8 & self.offset_mask, word >> self.length_at & self.length_mask, word & 0xf0 == 0)
    }

    /// The ID of what was decoded, at another offset.
    #[inline(always)]
    pub fn encode(&self, offset: u64, length: u64, id: &mut [u8]) {
        let word = (offset << 8 | length << self.length_at).to_le_bytes();
        match id.try_into() {
            Ok::<&mut [u8; 8], _>(id) => *id = word,
            Err(_) => id.copy_from_slice(&word[..id.len()]),
        }
    }
}

/// The first eight bytes, or as many as there are, as a number; by two loads and no loop.
#[inline]
fn first_word(bytes: &[u8]) -> u64 {
    if let Some(word) = bytes.first_chunk() {
        return u64::from_le_bytes(*word);
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            u64::from(first) | u64::from(last) << (8 * (bytes.len() - 4))
        }
        _ => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// Puts an object into its block; only this part of the block is written then.
#[inline]
fn put(store: &mut Store, block: BlockId, at: usize, object: &[u8]) -> Result<()> {
    let part = store.part_mut(block, at..at + object.len());
    part.ok_or_else(|| Error::internal("an object goes past the end of its heap block"))?.copy_from_slice(object);
    Ok(())
}

impl Heap {
    pub(super) fn insert_managed(&mut self, store: &mut Store, object: &[u8]) -> Result<HeapId> {
        let length = object.len() as u32;
        let (offset, index) = self.allocate(store, length)?;
        let block = match self.direct_block(store, index) {
            Ok(block) => block,
            Err(error) => {
                self.give_back(index, offset, length);
                return Err(error);
            }
        };
        let entry = &mut self.table.blocks[index as usize];
        let at = (offset - entry.offset) as usize;
        put(store, block, at, object)?;
        entry.live += length;
        self.live += u64::from(length);
        self.header.managed_count += 1;
        self.managed_id(offset, length)
    }

    #[inline]
    pub(super) fn managed_id(&self, offset: u64, length: u32) -> Result<HeapId> {
        let IdLayout { offset: offset_width, length: length_width, all, .. } = self.layout;
        if all > MAX_ID {
            return Err(Error::unsupported(format_args!("fractal heap IDs of {all} bytes")));
        }
        let mut bytes = [0; MAX_ID];
        if offset_width + length_width <= 8 {
            bytes[1..9].copy_from_slice(&(offset | u64::from(length) << (8 * offset_width)).to_le_bytes());
        } else {
            bytes[1..9].copy_from_slice(&offset.to_le_bytes());
            bytes[1 + offset_width..][..length_width].copy_from_slice(&length.to_le_bytes()[..length_width]);
        }
        Ok(HeapId { bytes, length: all as u8 })
    }

    /// How IDs of `length` bytes are read and written at once; none where they cannot be.
    #[inline]
    pub(super) fn packed_ids(&self, length: usize) -> Option<PackedIds> {
        let (offset_mask, length_mask) = self.layout.masks.filter(|_| length == self.layout.all && length <= 8)?;
        Some(PackedIds { offset_mask, length_mask, length_at: 8 + 8 * self.layout.offset as u32 })
    }

    /// Offset and length as an ID says them.
    #[inline(always)]
    fn parts_of(&self, id: &[u8]) -> (u64, u64) {
        let IdLayout { offset: offset_width, length: length_width, masks, .. } = self.layout;
        if let Some((offset_mask, length_mask)) = masks {
            let word = first_word(id) >> 8;
            return (word & offset_mask, word >> (8 * offset_width) & length_mask);
        }
        let (mut offset, mut length) = ([0; 8], [0; 8]);
        offset[..offset_width].copy_from_slice(&id[1..1 + offset_width]);
        length[..length_width].copy_from_slice(&id[1 + offset_width..][..length_width]);
        (u64::from_le_bytes(offset), u64::from_le_bytes(length))
    }

    /// Offset, length and block of a managed object. Bounds are checked, whether it lives is not known.
    #[inline(always)]
    pub(super) fn managed_object(&self, id: &[u8]) -> Result<(u64, u32, u32)> {
        let (offset, length) = self.parts_of(id);
        if let Some(index) = self.table.find(offset) {
            let block = &self.table.blocks[index as usize];
            let at = offset - block.offset;
            if at >= self.layout.overhead && length > 0 && at + length <= block.size.into() {
                return Ok((offset, length as u32, index));
            }
        }
        Err(self.misplaced(offset, length))
    }

    #[cold]
    fn misplaced(&self, offset: u64, length: u64) -> Error {
        self.bad_id(format_args!("{length} bytes at offset {offset:#x}, which are in no direct block"))
    }

    /// The heap offset of a managed object.
    pub(super) fn managed_offset(&self, id: &[u8]) -> Result<u64> {
        self.managed_object(id).map(|object| object.0)
    }

    #[inline(always)]
    pub(super) fn get_managed<'a>(&'a mut self, store: &'a mut Store, id: &[u8]) -> Result<&'a [u8]> {
        self.load_table(store)?;
        let (offset, length, index) = self.managed_object(id)?;
        let at = (offset - self.table.blocks[index as usize].offset) as usize;
        if !self.is_changeable() {
            self.decode_block(store, index)?;
            return Ok(&self.decoded.1[at..at + length as usize]);
        }
        let block = self.direct_block(store, index)?;
        Ok(&store.bytes(block)[at..at + length as usize])
    }

    /// Asks for an object that is about to be read and then removed, and for where its hole will be noted.
    #[inline]
    pub fn fetch(&self, store: &Store, id: &[u8]) {
        if let Some(index) = self.touch(store, id) {
            self.table.holes[index as usize].fetch();
        }
    }

    /// Asks for an object that is about to be read or moved: large heaps are a cache miss per object, and those of several
    /// come together. An ID of no object does no harm. Returns the index of its block.
    #[inline]
    pub fn touch(&self, store: &Store, id: &[u8]) -> Option<u32> {
        if id.len() < self.id_length() || id[0] & 0xf0 != 0 {
            return None;
        }
        let (offset, length, index) = self.managed_object(id).ok()?;
        let block = &self.table.blocks[index as usize];
        let at = (offset - block.offset) as usize;
        store.prefetch_hint(block.cached, at..at + length.min(AHEAD) as usize);
        Some(index)
    }

    pub(super) fn write_managed(&mut self, store: &mut Store, id: &[u8], object: &[u8]) -> Result<()> {
        let (offset, length, index) = self.managed_object(id)?;
        if length as usize != object.len() {
            return Err(Error::internal("an object is replaced by one of another length"));
        }
        let block = self.direct_block(store, index)?;
        let at = (offset - self.table.blocks[index as usize].offset) as usize;
        put(store, block, at, object)
    }

    #[inline]
    pub(super) fn remove_managed(&mut self, id: &[u8]) -> Result<()> {
        let (offset, length, index) = self.managed_object(id)?;
        let block = &mut self.table.blocks[index as usize];
        let Some(live) = block.live.checked_sub(length) else {
            return Err(self.bad_id(format_args!("{length} bytes at offset {offset:#x} were removed already")));
        };
        block.live = live;
        self.live -= u64::from(length);
        self.header.managed_count = self.header.managed_count.saturating_sub(1);
        self.give_back(index, offset, length);
        Ok(())
    }

    /// Enters a hole into its block's list.
    #[inline]
    pub(super) fn give_back(&mut self, index: u32, offset: u64, length: u32) {
        self.enter_hole(index, offset, length, BlockHoles::push);
    }

    #[inline(always)]
    fn enter_hole(&mut self, index: u32, offset: u64, length: u32, push: impl Fn(&mut BlockHoles, u32, u32)) {
        let block = &mut self.table.blocks[index as usize];
        let holes = &mut self.table.holes[index as usize];
        push(holes, (offset - block.offset) as u32, length);
        if !block.queued && holes.bytes >= block.size / WORTH {
            if self.evacuation.as_ref().is_some_and(|evacuating| !evacuating.passed(offset)) {
                return;
            }
            block.queued = true;
            self.queue.push(index);
        }
    }

    /// Takes space for an object: a hole, else the end of the last block, else a new block.
    fn allocate(&mut self, store: &mut Store, length: u32) -> Result<(u64, u32)> {
        if self.evacuation.is_some() {
            if let Some(place) = self.take_below(length)? {
                return Ok(place);
            }
        }
        if self.bins.len() > 0 || !self.queue.is_empty() {
            if let Some(place) = self.take_hole(length, EXPOSE_AT_ONCE)? {
                return Ok(place);
            }
        }
        if self.bump.end - self.bump.at < length.into() {
            match self.new_bump(store, length, GAP_SLOTS) {
                Err(error) if error.kind() == ErrorKind::Limit => return self.allocate_last(store, length),
                other => other?,
            }
        }
        let offset = self.bump.at;
        self.bump.at += u64::from(length);
        Ok((offset, self.bump.block))
    }

    /// The heap has no address space left at its end: looks at every hole and every gap.
    #[cold]
    fn allocate_last(&mut self, store: &mut Store, length: u32) -> Result<(u64, u32)> {
        self.settle_holes()?;
        self.restore_bump();
        self.free_empty_blocks(store)?;
        self.queue = (0..self.table.blocks.len() as u32).collect();
        if let Some(place) = self.take_hole(length, usize::MAX)? {
            return Ok(place);
        }
        self.new_bump(store, length, usize::MAX)?;
        let offset = self.bump.at;
        self.bump.at += u64::from(length);
        Ok((offset, self.bump.block))
    }

    /// Takes `length` bytes of a hole that is in the bins, or that one of `more` blocks of the queue has.
    pub(super) fn take_hole(&mut self, length: u32, more: usize) -> Result<Option<(u64, u32)>> {
        let mut left = more;
        loop {
            if let Some(hole) = self.bins.take(length) {
                if hole.length > length {
                    let rest = Hole { offset: hole.offset + u64::from(length), length: hole.length - length };
                    self.bins.push(rest);
                }
                let index = self.table.find(hole.offset).ok_or_else(|| Error::internal("a hole in no block"))?;
                return Ok(Some((hole.offset, index)));
            }
            if left == 0 {
                return Ok(None);
            }
            left -= 1;
            let Some(index) = self.queue.pop() else { return Ok(None) };
            self.expose(index)?;
        }
    }

    /// Puts a block's holes into the bins.
    pub(super) fn expose(&mut self, index: u32) -> Result<()> {
        let address = self.address;
        let block = &mut self.table.blocks[index as usize];
        block.queued = false;
        if block.address == UNDEFINED {
            return Ok(());
        }
        let holes = &mut self.table.holes[index as usize];
        if !holes.settle(block.size, &mut EdgeMap::default()) {
            return Err(overlap(address));
        }
        for (position, length) in holes.iter() {
            self.bins.push(Hole { offset: block.offset + u64::from(position), length });
        }
        holes.clear();
        Ok(())
    }

    /// Creates the block that the next objects go to.
    #[cold]
    fn new_bump(&mut self, store: &mut Store, length: u32, look_at: usize) -> Result<()> {
        let slot = self.next_slot(length, look_at);
        let index = self.create_direct(store, slot)?;
        self.retire_bump();
        let at = slot.offset + self.header.direct_overhead();
        self.bump = Bump { at, end: slot.offset + slot.size, block: index };
        Ok(())
    }

    /// What is left of the last block becomes a hole.
    pub(super) fn retire_bump(&mut self) {
        let bump = std::mem::replace(&mut self.bump, Bump::NONE);
        if bump.at < bump.end {
            self.enter_hole(bump.block, bump.at, (bump.end - bump.at) as u32, BlockHoles::push_tail);
        }
    }

    /// The slot of the next direct block: in a gap that earlier blocks left, else the end.
    fn next_slot(&self, length: u32, mut look_at: usize) -> Slot {
        let needed = u64::from(length) + self.header.direct_overhead();
        for (&start, &end) in &self.table.gaps {
            let mut at = start;
            while at < end && look_at > 0 {
                let slot = self.header.table.slot(at);
                if slot.size >= needed {
                    return slot;
                }
                at = slot.offset + slot.size;
                look_at -= 1;
            }
            if look_at == 0 {
                break;
            }
        }
        let mut slot = self.header.table.slot(self.table.end);
        while slot.size < needed {
            slot = self.header.table.slot(slot.offset + slot.size);
        }
        slot
    }

    /// Brings all holes back to their blocks' lists, sorted and coalesced; the end of the last block stays for objects.
    pub(super) fn settle_holes(&mut self) -> Result<()> {
        let bump = self.bump;
        self.retire_bump();
        let table = &mut self.table;
        self.bins.drain(|hole| table.give_back(hole.offset, hole.length));
        self.queue.clear();
        let mut map = EdgeMap::default();
        for (index, block) in self.table.blocks.iter_mut().enumerate() {
            if block.address == UNDEFINED {
                continue;
            }
            let holes = &mut self.table.holes[index];
            if !holes.settle(block.size, &mut map) {
                return Err(overlap(self.address));
            }
            block.queued = holes.bytes >= block.size / WORTH;
            if block.queued && index as u32 != bump.block {
                self.queue.push(index as u32);
            }
        }
        if let Some(evacuating) = &mut self.evacuation {
            evacuating.restart();
            for index in self.queue.drain(..) {
                self.table.blocks[index as usize].queued = false;
            }
        }
        self.bump = Bump { block: bump.block, ..Bump::NONE };
        Ok(())
    }

    /// Takes the hole at the end of the last block for bump allocation again.
    pub(super) fn restore_bump(&mut self) {
        let index = std::mem::replace(&mut self.bump, Bump::NONE).block;
        let Some(block) = self.table.blocks.get_mut(index as usize).filter(|b| b.address != UNDEFINED) else {
            return;
        };
        if let Some((position, length)) = self.table.holes[index as usize].pop_tail(block.size) {
            let at = block.offset + u64::from(position);
            self.bump = Bump { at, end: at + u64::from(length), block: index };
        }
        if block.queued {
            self.queue.push(index);
        }
    }
}

#[cold]
fn overlap(address: u64) -> Error {
    Error::corrupt("fractal heap", address, "two pieces of its free space overlap: an object was removed twice")
}
