//! The whole-structure checker.

use super::table::Table;
use super::Heap;
use crate::error::{Damage, Error, Result};
use crate::format::fractal_heap::IdKind;
use crate::format::UNDEFINED;
use crate::store::Store;

/// What the objects of a heap add up to.
#[derive(Default)]
struct Found {
    managed: Vec<(u64, u32)>,
    tiny: (u64, u64),
    huge: (u64, u64),
}

impl Heap {
    /// Checks that `ids`, all living objects, and the holes fill the direct blocks exactly, that blocks, table and
    /// header agree, and that everything can be read. `flushed` asks for the floors of every node on disk.
    pub fn check<'i>(&mut self, store: &mut Store, ids: impl Iterator<Item = &'i [u8]>, flushed: bool) -> Result<()> {
        self.load(store)?;
        let mut found = Found::default();
        for id in ids {
            let kind = self.kind(id)?;
            let length = self.get(store, id)?.len() as u64;
            match kind {
                IdKind::Managed => {
                    let offset = self.managed_offset(id)?;
                    found.managed.push((offset, length as u32));
                }
                IdKind::Tiny => found.tiny = (found.tiny.0 + 1, found.tiny.1 + length),
                IdKind::Huge => found.huge = (found.huge.0 + 1, found.huge.1 + length),
            }
        }
        let header = &self.header;
        let live: u64 = found.managed.iter().map(|object| u64::from(object.1)).sum();
        self.expect("managed objects", header.managed_count, found.managed.len() as u64)?;
        self.expect("bytes of managed objects", self.live, live)?;
        self.expect("tiny objects", header.tiny_count, found.tiny.0)?;
        self.expect("bytes of tiny objects", header.tiny_bytes, found.tiny.1)?;
        self.expect("huge objects", header.huge_count, found.huge.0)?;
        self.expect("bytes of huge objects", header.huge_bytes, found.huge.1)?;
        self.check_coverage(found.managed)?;
        self.check_huge(store, flushed)?;
        self.check_table(store)
    }

    /// Reads every direct block, whose checksums are verified so. The header's "amount of allocated space" is not compared
    /// with them: libhdf5's count drifts when it deletes and inserts, and nothing depends on it.
    pub fn check_blocks(&mut self, store: &mut Store) -> Result<()> {
        self.load(store)?;
        if self.free_space_damaged {
            let address = self.header.free_space;
            return Err(Error::corrupt("free-space manager of the fractal heap", address, "it cannot be read"));
        }
        for index in 0..self.table.blocks.len() as u32 {
            match self.table.blocks[index as usize].address {
                UNDEFINED => {}
                _ if self.header.filters.is_some() => self.decode_block(store, index)?,
                _ => self.direct_block(store, index).map(|_| ())?,
            }
        }
        Ok(())
    }

    pub(super) fn expect(&self, what: &str, recorded: u64, counted: u64) -> Result<()> {
        if recorded == counted {
            return Ok(());
        }
        let detail = format_args!("{what}: recorded {recorded}, found {counted}");
        Err(Error::corrupt("fractal heap", self.address, detail).because(Damage::Count))
    }

    /// Every byte of every direct block belongs to its prefix, one object or one hole.
    fn check_coverage(&self, mut pieces: Vec<(u64, u32)>) -> Result<()> {
        let overhead = self.header.direct_overhead() as u32;
        for (block, holes) in self.table.with_holes() {
            pieces.push((block.offset, overhead));
            pieces.extend(holes.iter().map(|(at, length)| (block.offset + u64::from(at), length)));
        }
        self.bins.for_each(|hole| pieces.push((hole.offset, hole.length)));
        if self.bump.at < self.bump.end {
            pieces.push((self.bump.at, (self.bump.end - self.bump.at) as u32));
        }
        pieces.sort_unstable();
        let mut pieces = pieces.into_iter().peekable();
        let mut order: Vec<_> = self.table.blocks.iter().filter(|block| block.address != UNDEFINED).collect();
        order.sort_unstable_by_key(|block| block.offset);
        for block in order {
            let mut at = block.offset;
            let end = block.offset + u64::from(block.size);
            while let Some((offset, length)) = pieces.next_if(|piece| piece.0 < end) {
                if offset != at {
                    let detail = format_args!("bytes from heap offset {at:#x} to {offset:#x}: lost or used twice");
                    return Err(Error::corrupt("fractal heap", self.address, detail).because(Damage::Overlap));
                }
                at += u64::from(length);
            }
            self.expect("end of a direct block", end, at)?;
        }
        self.expect("pieces outside direct blocks", 0, pieces.count() as u64)
    }

    /// The blocks in the store lead to the same table as is kept in memory.
    fn check_table(&mut self, store: &mut Store) -> Result<()> {
        let kept = std::mem::replace(&mut self.table, Table::new(self.header.table.start_bits));
        self.loaded = false;
        let result = self.load_table(store);
        let read = std::mem::replace(&mut self.table, kept);
        self.loaded = true;
        result?;
        let blocks = |table: &Table| {
            let mut blocks: Vec<_> =
                table.blocks.iter().filter(|b| b.address != UNDEFINED).map(|b| (b.offset, b.address, b.size)).collect();
            blocks.sort_unstable();
            blocks
        };
        let indirect = |table: &Table| {
            let mut blocks: Vec<_> =
                table.indirect.iter().map(|(offset, b)| (*offset, b.address, b.rows, b.children)).collect();
            blocks.sort_unstable();
            blocks
        };
        let kept = &self.table;
        if blocks(kept) != blocks(&read) || indirect(kept) != indirect(&read) {
            return Err(Error::corrupt("fractal heap", self.address, "its blocks are not those that its table has"));
        }
        self.expect("end of the last block", kept.end, read.end)?;
        self.expect("bytes of indirect blocks", kept.indirect_bytes, read.indirect_bytes)?;
        self.expect("gaps", kept.gaps.len() as u64, read.gaps.len() as u64)?;
        self.expect("direct blocks", kept.count, read.count)?;
        self.expect("bytes of direct blocks", kept.bytes, read.bytes)
    }
}
