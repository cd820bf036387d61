//! Evacuation: objects are moved from the heap's upper blocks into holes of its lower ones, so that the upper blocks can
//! be given back. Done object by object, with other operations in between; the caller knows who refers to an object.

use super::table::NONE;
use super::{Heap, HeapId};
use crate::error::Result;
use crate::format::fractal_heap::{id_kind, IdKind, DIRECT_SIGNATURE, INDIRECT_SIGNATURE};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Seal, Store};

/// Holes that the bins should offer, for exact fits to be found.
const POOL: usize = 2048;
/// Blocks whose holes one step may put into the bins.
const EXPOSE_AT_ONCE: usize = 4;
/// An evacuation gives at least one part in so many of the blocks' bytes back.
pub(super) const WORTH: u64 = 50;

/// A header moves when its blocks, which name it, have no more bytes, and one part in so many of the file's free bytes.
const MOST_NAMED: u64 = 64 << 20;
const NAMED_PARTS: u64 = 2;
/// The header sinks with blocks of so many bytes at most: most of them move then.
const MOST_SUNK: u64 = 64 << 10;

/// What an evacuation would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evacuation {
    /// Objects at or above this heap offset move.
    pub from_offset: u64,
    /// Bytes of the file that it gives back.
    pub gain: u64,
    /// Bytes of objects that it moves.
    pub moves: u64,
}

/// A block of a heap, or another piece of it that moves by itself.
#[derive(Debug, Clone, Copy)]
pub enum Piece {
    /// A direct block, by number.
    Direct(u32),
    /// An indirect block, by heap offset.
    Indirect(u64),
    /// The header.
    Header,
    /// The header of the free-space manager.
    Manager,
}

/// An evacuation that is going on.
#[derive(Debug)]
pub(super) struct Evacuating {
    watermark: u64,
    /// Blocks below have offered their holes.
    cursor: u64,
}

impl Evacuating {
    /// Whether the block with `offset` will not offer its holes by itself any more.
    pub fn passed(&self, offset: u64) -> bool {
        offset < self.cursor
    }

    /// All holes are back at their blocks.
    pub fn restart(&mut self) {
        self.cursor = 0;
    }
}

impl Heap {
    /// Where an evacuation would begin: the lowest offset below which all objects find room. None when too little would
    /// be gained, or when the holes are not known yet ([`Heap::load`]).
    pub fn plan_evacuation(&self) -> Option<Evacuation> {
        if !self.holes_loaded || self.header.managed_count == 0 || self.header.filters.is_some() {
            return None;
        }
        let overhead = self.header.direct_overhead();
        let average = (self.live / self.header.managed_count).max(1);
        let (mut room, mut below, mut live_below, mut offset) = (0, 0, 0, 0);
        while room < self.live {
            let block = &self.table.blocks[self.table.next_block(offset)? as usize];
            // A block's last object rarely ends where the block does.
            room += (u64::from(block.size) - overhead) / average * average;
            below += u64::from(block.size);
            live_below += u64::from(block.live);
            offset = block.offset + u64::from(block.size);
        }
        let gain = self.table.bytes - below;
        let moves = self.live - live_below;
        (gain > 0 && gain >= self.table.bytes / WORTH).then_some(Evacuation { from_offset: offset, gain, moves })
    }

    /// Begins an evacuation. From now on new objects go below its offset too.
    pub fn begin_evacuation(&mut self, store: &mut Store, evacuation: Evacuation) -> Result<()> {
        self.begin_change(store)?;
        self.evacuation = Some(Evacuating { watermark: evacuation.from_offset, cursor: 0 });
        self.retire_bump();
        let table = &mut self.table;
        self.bins.drain(|hole| table.give_back(hole.offset, hole.length));
        for index in self.queue.drain(..) {
            self.table.blocks[index as usize].queued = false;
        }
        Ok(())
    }

    /// Whether an evacuation is going on.
    pub fn evacuating(&self) -> bool {
        self.evacuation.is_some()
    }

    /// Whether the evacuation that is going on moves this object.
    #[inline]
    pub fn moves(&self, id: &[u8]) -> bool {
        let Some(evacuating) = &self.evacuation else { return false };
        id.len() >= self.id_length()
            && id_kind(id[0]).is_ok_and(|kind| kind == IdKind::Managed)
            && self.managed_offset(id).is_ok_and(|offset| offset >= evacuating.watermark)
    }

    /// Moves an object down, if the evacuation moves it: its new ID, which the caller puts in place of the old one.
    pub fn relocate(&mut self, store: &mut Store, id: &[u8]) -> Result<Option<HeapId>> {
        if !self.moves(id) {
            return Ok(None);
        }
        self.begin_change(store)?;
        let (offset, length, from) = self.managed_object(id)?;
        let live = self.table.blocks[from as usize].live.checked_sub(length);
        let live = live.ok_or_else(|| self.bad_id("an object that was removed"))?;
        let source = self.direct_block(store, from)?;
        let Some((target, to)) = self.take_below(length)? else { return Ok(None) };
        let destination = match self.direct_block(store, to) {
            Ok(destination) => destination,
            Err(error) => {
                self.give_back(to, target, length);
                return Err(error);
            }
        };
        let (count, start) = (length as usize, (offset - self.table.blocks[from as usize].offset) as usize);
        let at = (target - self.table.blocks[to as usize].offset) as usize;
        if from == to {
            store.bytes_mut(source).copy_within(start..start + count, at);
        } else {
            let (bytes, into) = store.two_mut(source, destination)?;
            into[at..at + count].copy_from_slice(&bytes[start..start + count]);
        }
        self.table.blocks[to as usize].live += length;
        let live = if from == to { live + length } else { live };
        self.table.blocks[from as usize].live = live;
        // The watermark may have risen past the object's block: the bins hold pieces of it then.
        let above = self.evacuation.as_ref().is_some_and(|evacuating| offset >= evacuating.watermark);
        if live == 0 && above && self.bump.block != from {
            // One hole instead of many, which would all be sorted in one go at the end.
            let (size, overhead) = (self.table.blocks[from as usize].size, self.header.direct_overhead() as u32);
            self.table.holes[from as usize].clear();
            self.table.holes[from as usize].push(overhead, size - overhead);
        } else {
            self.give_back(from, offset, length);
        }
        self.managed_id(target, length).map(Some)
    }

    /// Takes room below the watermark, which rises where there is none: the evacuation gains less then. None when it has
    /// reached the end.
    pub(super) fn take_below(&mut self, length: u32) -> Result<Option<(u64, u32)>> {
        for _ in 0..EXPOSE_AT_ONCE {
            if self.bins.len() >= POOL || !self.expose_next()? {
                break;
            }
        }
        loop {
            if let Some(place) = self.take_hole(length, usize::MAX)? {
                return Ok(Some(place));
            }
            if self.expose_next()? {
                continue;
            }
            let Some(evacuating) = &mut self.evacuation else { return Ok(None) };
            let Some(index) = self.table.next_block(evacuating.watermark) else { return Ok(None) };
            let block = &self.table.blocks[index as usize];
            evacuating.watermark = block.offset + u64::from(block.size);
        }
    }

    /// Puts the holes of the next block below the watermark into the bins; false when all have been.
    fn expose_next(&mut self) -> Result<bool> {
        let Some(evacuating) = &mut self.evacuation else { return Ok(false) };
        let Some(index) = self.table.next_block(evacuating.cursor) else { return Ok(false) };
        let block = &self.table.blocks[index as usize];
        if block.offset >= evacuating.watermark {
            return Ok(false);
        }
        evacuating.cursor = block.offset + u64::from(block.size);
        self.expose(index)?;
        Ok(true)
    }

    /// Ends an evacuation, finished or not: the blocks that it has emptied are given back.
    pub fn end_evacuation(&mut self, store: &mut Store) -> Result<()> {
        if self.evacuation.is_none() {
            return Ok(());
        }
        self.break_off_evacuation()?;
        self.free_empty_blocks(store)
    }

    /// Ends an evacuation for one that begins anew: low blocks without objects stay, to be filled.
    pub fn break_off_evacuation(&mut self) -> Result<()> {
        if self.evacuation.take().is_none() {
            return Ok(());
        }
        if self.bump.block == NONE {
            self.bump.block = self.table.find(self.table.end.saturating_sub(1)).unwrap_or(NONE);
        }
        self.settle_holes()?;
        self.restore_bump();
        Ok(())
    }

    /// Moves blocks and huge objects that stand at file address `limit` or above into free space below it, `most` at the
    /// most, so that the file can end earlier. Nothing is moved in a filtered heap. The header
    /// moves by itself ([`relocate_header`](Heap::relocate_header)). Returns how many were moved.
    pub fn relocate_above(&mut self, store: &mut Store, limit: u64, most: usize) -> Result<usize> {
        if self.check_changeable().is_err() {
            return Ok(0);
        }
        self.begin_change(store)?;
        // What names the blocks is read, and verified, before one moves; a block that is damaged stays where it is.
        let indirect: Vec<u64> = self.table.indirect.keys().copied().collect();
        indirect.iter().try_for_each(|&offset| self.indirect_block(store, offset).map(|_| ()))?;
        let mut moved = self.relocate_huge(store, limit, most)?;
        for index in 0..self.table.blocks.len() as u32 {
            let address = self.table.blocks[index as usize].address;
            if moved == most {
                return Ok(moved);
            }
            if address == UNDEFINED || address < limit {
                continue;
            }
            let (edits, done) =
                (store.edits(), self.move_direct(store, index, |store, id| store.relocate_below(id, limit)));
            moved += usize::from(store.unless_begun(edits, done)? == Some(true));
        }
        moved += self.relocate_indirect(store, limit, most - moved)?;
        let list = usize::from(self.free_space.list_is_above(limit));
        Ok(moved + self.relocate_manager(store, limit) + list)
    }

    /// Moves the header below `limit` if it stands there or above and a hole is found. Every block names it, so that only the
    /// header of a heap that is small beside the file's free space is moved. True when [`address`](Heap::address) changed:
    /// the caller stores it where the old one was.
    pub fn relocate_header(&mut self, store: &mut Store, limit: u64) -> Result<bool> {
        if self.address < limit || self.check_changeable().is_err() {
            return Ok(false);
        }
        self.begin_change(store)?;
        if self.table.bytes > MOST_NAMED.min(store.space().free_bytes() / NAMED_PARTS) {
            return Ok(false);
        }
        self.move_header(store, |store, id| store.relocate_below(id, limit))
    }

    fn move_header(&mut self, store: &mut Store, moves: impl FnOnce(&mut Store, BlockId) -> bool) -> Result<bool> {
        let present = |heap: &Self, index: &u32| heap.table.blocks[*index as usize].address != UNDEFINED;
        let blocks: Vec<u32> = (0..self.table.blocks.len() as u32).filter(|index| present(self, index)).collect();
        // All are read, and verified, before one is changed.
        blocks.iter().try_for_each(|&index| self.direct_block(store, index).map(|_| ()))?;
        let indirect: Vec<u64> = self.table.indirect.keys().copied().collect();
        indirect.iter().try_for_each(|&offset| self.indirect_block(store, offset).map(|_| ()))?;
        let length = self.header.length();
        let id = store.block(self.address, length as u64, Seal::At(length as u32 - 4), "fractal heap header")?;
        if !moves(store, id) {
            return Ok(false);
        }
        self.address = store.address(id);
        for index in blocks {
            let id = self.direct_block(store, index)?;
            let offset = self.table.blocks[index as usize].offset;
            self.header.put_prefix(store.bytes_mut(id), DIRECT_SIGNATURE, self.address, offset);
        }
        for offset in indirect {
            let id = self.indirect_block(store, offset)?;
            self.header.put_prefix(store.bytes_mut(id), INDIRECT_SIGNATURE, self.address, offset);
        }
        Ok(true)
    }

    /// Calls `note` with what stands at `limit` or above. Nothing of a filtered heap.
    pub fn pieces_above(&mut self, store: &mut Store, limit: u64, mut note: impl FnMut(u64, Piece)) -> Result<()> {
        if !self.is_changeable() {
            return Ok(());
        }
        self.load_table(store)?;
        let direct = self.table.blocks.iter().zip(0..).map(|(block, index)| (block.address, Piece::Direct(index)));
        let indirect = self.table.indirect.iter().map(|(&offset, block)| (block.address, Piece::Indirect(offset)));
        let own = [(self.address, Piece::Header), (self.free_space.address, Piece::Manager)];
        let header = if self.table.bytes <= MOST_SUNK { 0 } else { 1 };
        let pieces = direct.chain(indirect).chain(own.into_iter().skip(header));
        pieces
            .filter(|piece| piece.0 != UNDEFINED && piece.0 >= limit)
            .for_each(|(address, piece)| note(address, piece));
        Ok(())
    }

    /// Moves one of them down, into a hole or over the one in front of it; whether it did.
    pub fn sink_piece(&mut self, store: &mut Store, piece: Piece) -> Result<bool> {
        self.begin_change(store)?;
        match piece {
            Piece::Direct(index) => self.move_direct(store, index, Store::sink),
            Piece::Indirect(offset) => self.move_indirect(store, offset, Store::sink),
            Piece::Header => self.move_header(store, Store::sink),
            Piece::Manager => Ok(self.move_manager(store, Store::sink)),
        }
    }

    fn move_direct(
        &mut self,
        store: &mut Store,
        index: u32,
        moves: impl FnOnce(&mut Store, BlockId) -> bool,
    ) -> Result<bool> {
        let id = self.direct_block(store, index)?;
        if !moves(store, id) {
            return Ok(false);
        }
        self.table.blocks[index as usize].address = store.address(id);
        self.name_block(store, index)?;
        Ok(true)
    }

    fn move_indirect(
        &mut self,
        store: &mut Store,
        offset: u64,
        moves: impl FnOnce(&mut Store, BlockId) -> bool,
    ) -> Result<bool> {
        let id = self.indirect_block(store, offset)?;
        if !moves(store, id) {
            return Ok(false);
        }
        let address = store.address(id);
        if let Some(block) = self.table.indirect.get_mut(&offset) {
            block.address = address;
        }
        if offset == 0 {
            self.header.root = address;
        } else if let Some(&(base, entry)) = self.path(offset, |end| end == offset).last() {
            self.set_entry(store, base, entry, address)?;
        }
        Ok(true)
    }

    fn move_manager(&mut self, store: &mut Store, moves: impl FnOnce(&mut Store, BlockId) -> bool) -> bool {
        let (address, length) = (self.free_space.address, self.free_space.header_length());
        let seal = Seal::At(length.saturating_sub(4) as u32);
        match store.block(address, length, seal, "free-space manager header") {
            Ok(id) if moves(store, id) => {
                // The list names the header; it is written anew by the next prepare.
                self.free_space.address = store.address(id);
                true
            }
            _ => false,
        }
    }

    /// Puts a direct block's address where it is looked up.
    fn name_block(&mut self, store: &mut Store, index: u32) -> Result<()> {
        let block = &self.table.blocks[index as usize];
        if self.header.root_rows == 0 {
            self.header.root = block.address;
            return Ok(());
        }
        match self.path(block.offset, |_| false).last() {
            Some(&(base, entry)) => self.set_entry(store, base, entry, block.address),
            None => Ok(()),
        }
    }

    fn relocate_indirect(&mut self, store: &mut Store, limit: u64, most: usize) -> Result<usize> {
        let high: Vec<u64> =
            self.table.indirect.iter().filter(|block| block.1.address >= limit).map(|block| *block.0).collect();
        let mut moved = 0;
        for offset in high.into_iter().take(most) {
            moved += usize::from(self.move_indirect(store, offset, |store, id| store.relocate_below(id, limit))?);
        }
        Ok(moved)
    }

    fn relocate_manager(&mut self, store: &mut Store, limit: u64) -> usize {
        let address = self.free_space.address;
        if address == UNDEFINED || address < limit {
            return 0;
        }
        usize::from(self.move_manager(store, |store, id| store.relocate_below(id, limit)))
    }
}
