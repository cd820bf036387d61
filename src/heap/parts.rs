//! Indirect blocks below the root are kept whole.
//!
//! Where one of them loses direct blocks, libhdf5 notes their heap offsets as free in the free-space manager, which h5r does
//! not (see `sections.rs`). If libhdf5, 1.10.8 to 2.2.0, then frees the rest of it, it gives the indirect block back with the note of only
//! that rest, and fails where it comes back to it ("Read only entry modified", a crash at close). So a direct block is given
//! back where the root leads to it, at the end of the heap, or with all others of its part; until then it is a hole as large as
//! the block.

use std::collections::BTreeSet;
use std::ops::Range;

use super::managed::Bump;
use super::table::Block;
use super::Heap;
use crate::error::Result;
use crate::format::doubling_table::Slot;
use crate::format::UNDEFINED;
use crate::store::Store;

/// Parts with gaps are filled up while that takes no more than one part in so many of the heap.
const FILL: u64 = 4;

/// Where objects are longer than one part in so many of the smallest direct block, direct blocks were left out from the beginning
/// because objects do not fit into them, and others become empty by chance: all that costs too much space then.
const SHORT: u64 = 2;

impl Heap {
    /// What the root leads to by one indirect block that holds heap offset `offset`; none where it is a direct block.
    pub(super) fn part_of(&self, offset: u64) -> Option<Range<u64>> {
        let table = &self.header.table;
        let (row, column) = table.locate(offset);
        if row < table.direct_rows {
            return None;
        }
        let start = table.entry_offset(row * table.width + column);
        Some(start..start + table.row_size(row))
    }

    fn has_short_objects(&self) -> bool {
        self.live <= self.header.managed_count.saturating_mul(self.header.params.start_block / SHORT)
    }

    /// Gives direct blocks without objects back, but those of a part in which others are used.
    pub(super) fn free_empty_blocks(&mut self, store: &mut Store) -> Result<()> {
        let is_empty = |block: &Block| block.address != UNDEFINED && block.live == 0;
        let all = 0..self.table.blocks.len() as u32;
        let empty: Vec<u32> = all.filter(|&index| is_empty(&self.table.blocks[index as usize])).collect();
        if empty.is_empty() {
            return Ok(());
        }
        let (mut end, mut parts) = (0, BTreeSet::new());
        let keep = self.has_short_objects();
        for block in self.table.blocks.iter().filter(|block| keep && block.address != UNDEFINED && block.live > 0) {
            end = end.max(block.offset + u64::from(block.size));
            parts.extend(self.part_of(block.offset).map(|part| part.start));
        }
        for index in empty {
            let offset = self.table.blocks[index as usize].offset;
            if offset < end && self.part_of(offset).is_some_and(|part| parts.contains(&part.start)) {
                continue;
            }
            if self.bump.block == index {
                self.bump = Bump::NONE;
            }
            self.free_direct(store, index)?;
        }
        Ok(())
    }

    /// Where what is left stands in large blocks, since the small ones at the heap's begin lost all that they held before and were
    /// given back, creates those anew, without objects, if they take less. It is for the caller to fill them; what stays
    /// empty is given back again.
    pub(super) fn restore_low_blocks(&mut self, store: &mut Store) -> Result<()> {
        let missing = self.missing_low_blocks();
        if missing.is_empty() {
            return Ok(());
        }
        // What is to fill them is read, and verified, before anything changes.
        for index in 0..self.table.blocks.len() as u32 {
            if self.table.blocks[index as usize].address != UNDEFINED {
                self.direct_block(store, index)?;
            }
        }
        for slot in missing {
            let index = self.create_direct(store, slot)?;
            let overhead = self.header.direct_overhead() as u32;
            self.table.holes[index as usize].push(overhead, slot.size as u32 - overhead);
        }
        Ok(())
    }

    fn missing_low_blocks(&self) -> Vec<Slot> {
        let overhead = self.header.direct_overhead();
        let average = (self.live / self.header.managed_count.max(1)).max(1);
        let fits = |size: u64| (size - overhead) / average * average;
        let (mut kept, mut room, mut offset) = (0, 0, 0);
        while let Some(index) = self.table.next_block(offset).filter(|_| room < self.live) {
            let block = &self.table.blocks[index as usize];
            (kept, room, offset) =
                (kept + block.size, room + fits(block.size.into()), block.offset + u64::from(block.size));
        }
        let (mut needed, mut room, mut offset, mut missing) = (0, 0, 0, Vec::new());
        while room < self.live && offset < self.table.end {
            let slot = self.header.table.slot(offset);
            offset = slot.offset + slot.size;
            let exists = self.table.find(slot.offset).is_some();
            if !exists && (fits(slot.size) == 0 || self.part_of(slot.offset).is_some()) {
                continue;
            }
            (needed, room) = (needed + slot.size, room + fits(slot.size));
            if !exists {
                missing.push(slot);
            }
        }
        let gains = room >= self.live && needed + needed / FILL < u64::from(kept);
        if gains {
            missing
        } else {
            Vec::new()
        }
    }

    /// Creates the direct blocks that parts lack: those that a part in a gap did not get yet, or that libhdf5 gave back.
    pub(super) fn fill_parts(&mut self, store: &mut Store) -> Result<()> {
        if self.table.gaps.is_empty() || !self.has_short_objects() {
            return Ok(());
        }
        let overhead = self.header.direct_overhead();
        let mut budget = self.table.bytes / FILL;
        let gaps: Vec<(u64, u64)> = self.table.gaps.iter().map(|(&start, &end)| (start, end)).collect();
        for (mut at, end) in gaps {
            while at < end {
                let slot = self.header.table.slot(at);
                at = slot.offset + slot.size;
                let Some(part) = self.part_of(slot.offset) else { continue };
                if !self.table.indirect.contains_key(&part.start) {
                    at = part.end;
                    continue;
                }
                let Some(rest) = budget.checked_sub(slot.size) else { return Ok(()) };
                budget = rest;
                let index = self.create_direct(store, slot)?;
                self.table.holes[index as usize].push(overhead as u32, (slot.size - overhead) as u32);
            }
        }
        Ok(())
    }
}
