//! The heap's blocks in memory: a flat table of direct blocks by heap offset, and the indirect blocks that lead to them.

use std::collections::BTreeMap;

use super::holes::BlockHoles;
use crate::error::{Error, Result};
use crate::format::fractal_heap::Slot;
use crate::format::UNDEFINED;
use crate::store::{AddressMap, Hint};

/// No index.
pub(super) const NONE: u32 = u32::MAX;
/// Start-size granules in one group. Most of a large heap is in blocks of whole groups, and what tells of groups stays near
/// the processor where what tells of granules would not.
const GROUP: usize = 16;
/// Groups in one page of the index.
const PAGE: usize = 256;
/// Pages that the index may have: heaps of more address space in use than that are not handled.
const MAX_PAGES: usize = 1 << 18;
/// What a group's entry has when its granules have their own.
const APART: u32 = 1 << 31;

/// A direct block.
#[derive(Debug)]
pub(super) struct Block {
    /// Heap offset; also the offset of its first byte.
    pub offset: u64,
    /// File address.
    pub address: u64,
    pub size: u32,
    /// Bytes of living objects.
    pub live: u32,
    /// Whether it waits for its holes to be wanted.
    pub queued: bool,
    /// Whether its prefix was checked.
    pub verified: bool,
    /// Where the store had it last.
    pub cached: Hint,
}

/// An indirect block.
#[derive(Debug)]
pub(super) struct Indirect {
    pub address: u64,
    /// Bytes in the file.
    pub length: u64,
    pub rows: u32,
    pub children: u32,
}

/// All blocks of a heap.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub blocks: Vec<Block>,
    /// Each block's holes that are not in the bins. Apart, so that the blocks stay near the processor.
    pub holes: Vec<BlockHoles>,
    vacant: Vec<u32>,
    /// By group: the index of the block that takes all of it, [`NONE`], or [`APART`] and the place in `groups`.
    pages: Vec<Option<Box<[u32; PAGE]>>>,
    /// By granule, where a group has several blocks or a part of one. A group that has them keeps them.
    groups: Vec<[u32; GROUP]>,
    start_bits: u32,
    /// Indirect blocks by heap offset; the root is at 0.
    pub indirect: AddressMap<Indirect>,
    /// Their bytes.
    pub indirect_bytes: u64,
    /// Address space below `end` that has no direct block, coalesced: offset and end.
    pub gaps: BTreeMap<u64, u64>,
    /// Where the last direct block ends.
    pub end: u64,
    /// Direct blocks.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// In a filtered heap: bytes in the file and filter mask by heap offset.
    pub filtered: AddressMap<(u64, u32)>,
}

impl Table {
    pub fn new(start_bits: u32) -> Self {
        Table { start_bits, ..Self::default() }
    }

    /// The direct block that holds heap offset `offset`.
    #[inline(always)]
    pub fn find(&self, offset: u64) -> Option<u32> {
        let granule = (offset >> self.start_bits) as usize;
        let group = granule / GROUP;
        let page = self.pages.get(group / PAGE)?.as_ref()?;
        let mut index = page[group % PAGE];
        if index & APART != 0 {
            // NONE is no place in `groups`.
            index = self.groups.get((index ^ APART) as usize)?[granule % GROUP];
        }
        (index != NONE).then_some(index)
    }

    /// Enters an indirect block.
    pub fn add_indirect(&mut self, offset: u64, block: Indirect) {
        self.indirect_bytes += block.length;
        if let Some(before) = self.indirect.insert(offset, block) {
            self.indirect_bytes -= before.length;
        }
    }

    /// Forgets an indirect block.
    pub fn remove_indirect(&mut self, offset: u64) -> Option<Indirect> {
        let block = self.indirect.remove(&offset)?;
        self.indirect_bytes -= block.length;
        Some(block)
    }

    /// The blocks with their holes.
    pub fn with_holes(&self) -> impl Iterator<Item = (&Block, &BlockHoles)> {
        self.blocks.iter().zip(&self.holes).filter(|(block, _)| block.address != UNDEFINED)
    }

    /// Enters a hole at heap offset `offset` into its block's list.
    pub fn give_back(&mut self, offset: u64, length: u32) {
        if let Some(index) = self.find(offset) {
            let at = offset - self.blocks[index as usize].offset;
            self.holes[index as usize].push(at as u32, length);
        }
    }

    /// The first direct block that ends after heap offset `offset`.
    pub fn next_block(&self, offset: u64) -> Option<u32> {
        let mut at = offset;
        while at < self.end {
            if let Some(index) = self.find(at) {
                return Some(index);
            }
            at = self.gaps.range(..=at).next_back().map(|gap| *gap.1).filter(|&end| end > at)?;
        }
        None
    }

    fn set(&mut self, slot: Slot, index: u32) -> Result<()> {
        let first = (slot.offset >> self.start_bits) as usize;
        let last = ((slot.offset + slot.size - 1) >> self.start_bits) as usize;
        if last / (GROUP * PAGE) >= MAX_PAGES || self.groups.len() >= (APART - 1) as usize {
            return Err(Error::unsupported("fractal heap with more than 2^30 blocks of address space in use"));
        }
        if self.pages.len() <= last / (GROUP * PAGE) {
            self.pages.resize_with(last / (GROUP * PAGE) + 1, || None);
        }
        for group in first / GROUP..=last / GROUP {
            let page = self.pages[group / PAGE].get_or_insert_with(|| Box::new([NONE; PAGE]));
            let entry = &mut page[group % PAGE];
            let granules = first.max(group * GROUP)..(last + 1).min((group + 1) * GROUP);
            let is_apart = *entry & APART != 0 && *entry != NONE;
            if granules.len() == GROUP && !is_apart {
                *entry = index;
                continue;
            }
            if !is_apart {
                self.groups.push([*entry; GROUP]);
                *entry = APART | (self.groups.len() - 1) as u32;
            }
            let group = &mut self.groups[(*entry ^ APART) as usize];
            group[granules.start % GROUP..][..granules.len()].fill(index);
        }
        Ok(())
    }

    /// Enters a block; it is at the end or in a gap.
    pub fn add(&mut self, slot: Slot, address: u64, live: u32) -> Result<u32> {
        let block = Block {
            offset: slot.offset,
            address,
            size: slot.size as u32,
            live,
            queued: false,
            verified: false,
            cached: Hint::NONE,
        };
        let index = match self.vacant.pop() {
            Some(index) => {
                self.blocks[index as usize] = block;
                index
            }
            None => {
                self.blocks.push(block);
                self.holes.push(BlockHoles::default());
                (self.blocks.len() - 1) as u32
            }
        };
        self.set(slot, index)?;
        self.count += 1;
        self.bytes += slot.size;
        let end = slot.offset + slot.size;
        if slot.offset >= self.end {
            if slot.offset > self.end {
                self.gaps.insert(self.end, slot.offset);
            }
            self.end = end;
        } else if let Some((&start, &stop)) = self.gaps.range(..=slot.offset).next_back() {
            self.gaps.remove(&start);
            if start < slot.offset {
                self.gaps.insert(start, slot.offset);
            }
            if end < stop {
                self.gaps.insert(end, stop);
            }
        }
        Ok(index)
    }

    /// Forgets a block.
    pub fn remove(&mut self, index: u32) -> Slot {
        let block = &mut self.blocks[index as usize];
        let slot = Slot { offset: block.offset, size: block.size.into() };
        block.address = UNDEFINED;
        self.holes[index as usize].clear();
        block.queued = false;
        let _ = self.set(slot, NONE); // its pages are there
        self.vacant.push(index);
        self.count -= 1;
        self.bytes -= slot.size;
        let (mut start, mut end) = (slot.offset, slot.offset + slot.size);
        if let Some((&before, &stop)) = self.gaps.range(..start).next_back() {
            if stop == start {
                start = before;
            }
        }
        if let Some(stop) = self.gaps.remove(&end) {
            end = stop;
        }
        if end >= self.end {
            self.gaps.remove(&start);
            self.end = start;
        } else {
            self.gaps.insert(start, end);
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_blocks_of_every_size() {
        let mut table = Table::new(10);
        // Sizes and places as in a doubling table: blocks that share a group, fill one, and span several.
        let slots = [(0, 1), (1, 2), (4, 4), (16, 16), (32, 64), (96, 8), (104, 8), (5 << 20, 32)];
        let slots = slots.map(|(at, size)| Slot { offset: at << 10, size: size << 10 });
        let check = |table: &Table, there: &[(Slot, u32)]| {
            for granule in (0..128).chain((5 << 20) - 2..(5 << 20) + 34) {
                let offset = (granule << 10) + granule % 1024;
                let holds = |slot: &Slot| (slot.offset..slot.offset + slot.size).contains(&offset);
                let expected = there.iter().find(|(slot, _)| holds(slot)).map(|&(_, index)| index);
                assert_eq!(table.find(offset), expected, "at {offset:#x} with {there:?}");
            }
        };
        for round in 0..3 {
            let mut there = Vec::new();
            for slot in slots {
                there.push((slot, table.add(slot, slot.offset + 1, 0).unwrap()));
                check(&table, &there);
            }
            // First to last, last to first, from the middle.
            while !there.is_empty() {
                let (slot, index) = there.remove([0, there.len() - 1, there.len() / 2][round]);
                assert_eq!(table.remove(index), slot);
                check(&table, &there);
            }
        }
    }
}
