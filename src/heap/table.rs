//! The heap's blocks in memory: a flat table of direct blocks by heap offset, and the indirect blocks that lead to them.

use std::collections::BTreeMap;

use super::holes::BlockHoles;
use crate::error::{Error, Result};
use crate::format::fractal_heap::Slot;
use crate::format::UNDEFINED;
use crate::store::{AddressMap, BlockId};

/// No index.
pub(super) const NONE: u32 = u32::MAX;
/// Start-size granules in one page of the index.
const PAGE: usize = 256;
/// Pages that the index may have: heaps of more address space in use than that are not handled.
const MAX_PAGES: usize = 1 << 22;

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
    pub cached: BlockId,
}

/// An indirect block.
#[derive(Debug)]
pub(super) struct Indirect {
    pub address: u64,
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
    pages: Vec<Option<Box<[u32; PAGE]>>>,
    start_bits: u32,
    /// Indirect blocks by heap offset; the root is at 0.
    pub indirect: AddressMap<Indirect>,
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
        let page = self.pages.get(granule / PAGE)?.as_ref()?;
        let index = page[granule % PAGE];
        (index != NONE).then_some(index)
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
        if last / PAGE >= MAX_PAGES {
            return Err(Error::unsupported("fractal heap with more than 2^30 blocks of address space in use"));
        }
        if self.pages.len() <= last / PAGE {
            self.pages.resize_with(last / PAGE + 1, || None);
        }
        for granule in first..=last {
            let page = self.pages[granule / PAGE].get_or_insert_with(|| Box::new([NONE; PAGE]));
            page[granule % PAGE] = index;
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
            cached: BlockId::NOWHERE,
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
