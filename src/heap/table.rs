//! The heap's blocks: a flat table of direct blocks by heap offset, the indirect blocks that lead to them, and what is
//! done to both.

use std::collections::BTreeMap;

use super::holes::BlockHoles;
use super::{filter, Heap};
use crate::error::{Error, ErrorKind, Result};
use crate::format::codec::Reader;
use crate::format::fractal_heap::{Header, Slot, DIRECT_SIGNATURE, INDIRECT_SIGNATURE};
use crate::format::UNDEFINED;
use crate::store::{AddressMap, BlockId, Seal, Store};

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
    #[inline]
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

/// The seal of an indirect block.
fn indirect_seal(header: &Header, rows: u32) -> Seal {
    Seal::At(header.indirect_length(rows) as u32 - 4)
}

impl Heap {
    /// The seal of a direct block.
    #[inline]
    pub(super) fn direct_seal(&self) -> Seal {
        match self.header.direct_checksum() {
            Some(at) => Seal::Within(at),
            None => Seal::None,
        }
    }

    /// Reads the blocks' table, if that was not done yet.
    #[inline]
    pub(super) fn load_table(&mut self, store: &mut Store) -> Result<()> {
        if self.loaded {
            return Ok(());
        }
        self.read_table(store)
    }

    #[cold]
    fn read_table(&mut self, store: &mut Store) -> Result<()> {
        let mut table = Table::new(self.header.table.start_bits);
        if self.header.root != UNDEFINED {
            if self.header.root_rows == 0 {
                let slot = Slot { offset: 0, size: self.header.params.start_block };
                self.enter_direct(store, &mut table, slot, self.header.root, None)?;
            } else {
                self.read_indirect(store, &mut table, self.header.root, 0, self.header.root_rows.into())?;
            }
        }
        self.table = table;
        self.loaded = true;
        Ok(())
    }

    fn enter_direct(
        &self,
        store: &mut Store,
        table: &mut Table,
        slot: Slot,
        address: u64,
        filtered: Option<(u64, u32)>,
    ) -> Result<()> {
        let filtered = match (&self.header.filters, filtered) {
            (Some(filters), None) => Some((filters.root_size, filters.root_mask)),
            (_, other) => other,
        };
        store.check_extent(address, filtered.map_or(slot.size, |f| f.0), "fractal heap direct block")?;
        table.add(slot, address, (slot.size - self.header.direct_overhead()) as u32)?;
        if let Some(filtered) = filtered {
            table.filtered.insert(slot.offset, filtered);
        }
        Ok(())
    }

    fn read_indirect(&self, store: &mut Store, table: &mut Table, address: u64, offset: u64, rows: u32) -> Result<()> {
        let header = &self.header;
        let length = header.indirect_length(rows);
        let id = store.block(address, length as u64, indirect_seal(header, rows), "fractal heap indirect block")?;
        header.check_prefix(store.bytes(id), INDIRECT_SIGNATURE, self.address, offset)?;
        let mut entries = Vec::new();
        let mut reader = Reader::new(store.bytes(id), "fractal heap indirect block");
        reader.skip(header.entry_position(0))?;
        for entry in 0..rows * header.table.width {
            let row = entry / header.table.width;
            let child = reader.address(header.sizes)?;
            let filtered = if header.entry_length(row) > usize::from(header.sizes.offset) {
                Some((reader.length(header.sizes)?, reader.u32()?))
            } else {
                None
            };
            if child != UNDEFINED {
                entries.push((entry, child, filtered));
            }
        }
        table.indirect.insert(offset, Indirect { address, rows, children: entries.len() as u32 });
        for (entry, child, filtered) in entries {
            let row = entry / header.table.width;
            let at = offset + header.table.entry_offset(entry);
            if row < header.table.direct_rows {
                let slot = Slot { offset: at, size: header.table.row_size(row) };
                self.enter_direct(store, table, slot, child, filtered)?;
            } else {
                self.read_indirect(store, table, child, at, header.table.child_rows(row))?;
            }
        }
        Ok(())
    }

    /// A direct block's bytes in the store.
    #[inline]
    pub(super) fn direct_block(&mut self, store: &mut Store, index: u32) -> Result<BlockId> {
        let block = &self.table.blocks[index as usize];
        if store.stands_at(block.cached, block.address, block.size) {
            return Ok(block.cached);
        }
        self.find_block(store, index)
    }

    fn find_block(&mut self, store: &mut Store, index: u32) -> Result<BlockId> {
        let seal = self.direct_seal();
        let block = &mut self.table.blocks[index as usize];
        let id = store.block(block.address, block.size.into(), seal, "fractal heap direct block")?;
        if !block.verified {
            self.header.check_prefix(store.bytes(id), DIRECT_SIGNATURE, self.address, block.offset)?;
            block.verified = true;
        }
        block.cached = id;
        Ok(id)
    }

    /// Reads a direct block of a filtered heap into `decoded`.
    pub(super) fn decode_block(&mut self, store: &mut Store, index: u32) -> Result<()> {
        const WHAT: &str = "filtered fractal heap block";
        let Block { offset, address, size, .. } = self.table.blocks[index as usize];
        let Some(filters) = self.header.filters.as_ref().filter(|_| self.decoded.0 != offset) else { return Ok(()) };
        let (length, mask) = self.table.filtered.get(&offset).copied().unwrap_or((size.into(), 0));
        let stored = store.read_bytes(address, length, WHAT)?;
        let bytes = filter::decode(&filters.pipeline, mask, &stored, size.into(), address)?;
        self.header.check_prefix(&bytes, DIRECT_SIGNATURE, self.address, offset)?;
        if !self.direct_seal().holds(&bytes) {
            return Err(Error::corrupt(WHAT, address, "its checksum does not hold"));
        }
        self.decoded = (offset, bytes);
        Ok(())
    }

    /// The indirect block at heap offset `offset`, in the store.
    pub(super) fn indirect_block(&self, store: &mut Store, offset: u64) -> Result<BlockId> {
        let block = self.table.indirect.get(&offset).ok_or_else(|| Error::internal("no such indirect block"))?;
        let length = self.header.indirect_length(block.rows) as u64;
        store.block(block.address, length, indirect_seal(&self.header, block.rows), "fractal heap indirect block")
    }

    /// Sets the address in an indirect block's entry.
    pub(super) fn set_entry(&self, store: &mut Store, offset: u64, entry: u32, address: u64) -> Result<()> {
        let id = self.indirect_block(store, offset)?;
        let at = self.header.entry_position(entry);
        let width = usize::from(self.header.sizes.offset);
        store.bytes_mut(id)[at..at + width].copy_from_slice(&address.to_le_bytes()[..width]);
        Ok(())
    }

    /// Creates an indirect block in the store, with undefined entries.
    fn create_indirect(&mut self, store: &mut Store, offset: u64, rows: u32) -> Result<u64> {
        let header = &self.header;
        let length = header.indirect_length(rows);
        let (id, address) = store.create_block(length, indirect_seal(header, rows))?;
        let bytes = store.bytes_mut(id);
        header.put_prefix(bytes, INDIRECT_SIGNATURE, self.address, offset);
        for entry in 0..rows * header.table.width {
            let at = header.entry_position(entry);
            bytes[at..at + usize::from(header.sizes.offset)].fill(0xff);
        }
        self.table.indirect.insert(offset, Indirect { address, rows, children: 0 });
        Ok(address)
    }

    /// Makes the root an indirect block of at least `rows` rows, or of exactly so many where it is larger.
    pub(super) fn set_root_rows(&mut self, store: &mut Store, rows: u32) -> Result<()> {
        let old = self.table.indirect.remove(&0);
        let address = self.create_indirect(store, 0, rows)?;
        let children = match &old {
            None => {
                if self.header.root != UNDEFINED {
                    self.set_entry(store, 0, 0, self.header.root)?;
                }
                u32::from(self.header.root != UNDEFINED)
            }
            Some(old) => {
                let length = self.header.indirect_length(old.rows) as u64;
                let seal = indirect_seal(&self.header, old.rows);
                let source = store.block(old.address, length, seal, "fractal heap indirect block")?;
                let target = self.indirect_block(store, 0)?;
                let start = self.header.entry_position(0);
                let end = self.header.entry_position(rows.min(old.rows) * self.header.table.width);
                let (from, to) = store.two_mut(source, target)?;
                to[start..end].copy_from_slice(&from[start..end]);
                store.free(old.address, length);
                old.children
            }
        };
        if let Some(root) = self.table.indirect.get_mut(&0) {
            root.children = children;
        }
        self.header.root = address;
        self.header.root_rows = rows as u16;
        Ok(())
    }

    /// Rows of a root that reaches row `row`, as libhdf5 grows it: a power of two.
    fn rows_for(&self, row: u32) -> u32 {
        match self.header.params.start_rows {
            0 => self.header.table.max_rows,
            start => (row + 1).next_power_of_two().max(start.into()).min(self.header.table.max_rows),
        }
    }

    /// Creates the direct block of a slot, and the indirect blocks on the way to it.
    pub(super) fn create_direct(&mut self, store: &mut Store, slot: Slot) -> Result<u32> {
        let table = self.header.table;
        if slot.offset + slot.size > table.limit() {
            let message = format!("the fractal heap at {:#x} has no address space left", self.address);
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let seal = self.direct_seal();
        let first = self.header.root == UNDEFINED && slot.offset == 0 && slot.size == table.start;
        let (row, _) = table.locate(slot.offset);
        if !first && row >= u32::from(self.header.root_rows) {
            self.set_root_rows(store, self.rows_for(row))?;
        }
        let (id, address) = store.create_block(slot.size as usize, seal)?;
        self.header.put_prefix(store.bytes_mut(id), DIRECT_SIGNATURE, self.address, slot.offset);
        if first {
            self.header.root = address;
        } else {
            self.link(store, slot, address)?;
        }
        let index = self.table.add(slot, address, 0)?;
        self.table.blocks[index as usize].verified = true;
        Ok(index)
    }

    /// Enters a direct block's address in its indirect block, creating those on the way.
    fn link(&mut self, store: &mut Store, slot: Slot, address: u64) -> Result<()> {
        let table = self.header.table;
        let mut base = 0;
        loop {
            let (row, column) = table.locate(slot.offset - base);
            let entry = row * table.width + column;
            let next = base + table.entry_offset(entry);
            if row < table.direct_rows {
                self.set_entry(store, base, entry, address)?;
                self.count_children(base, 1);
                return Ok(());
            }
            if !self.table.indirect.contains_key(&next) {
                let child = self.create_indirect(store, next, table.child_rows(row))?;
                self.set_entry(store, base, entry, child)?;
                self.count_children(base, 1);
            }
            base = next;
        }
    }

    fn count_children(&mut self, offset: u64, change: i32) -> u32 {
        match self.table.indirect.get_mut(&offset) {
            Some(block) => {
                block.children = block.children.saturating_add_signed(change);
                block.children
            }
            None => 0,
        }
    }

    /// The indirect blocks on the way to `offset`, from the root: heap offset, and entry of the next.
    pub(super) fn path(&self, offset: u64, end: impl Fn(u64) -> bool) -> Vec<(u64, u32)> {
        let table = self.header.table;
        let mut path = Vec::new();
        let mut base = 0;
        loop {
            let (row, column) = table.locate(offset - base);
            let entry = row * table.width + column;
            path.push((base, entry));
            base += table.entry_offset(entry);
            if row < table.direct_rows || end(base) {
                return path;
            }
        }
    }

    /// Gives a direct block back, and the indirect blocks that it leaves empty.
    pub(super) fn free_direct(&mut self, store: &mut Store, index: u32) -> Result<()> {
        let address = self.table.blocks[index as usize].address;
        let slot = self.table.remove(index);
        store.free(address, slot.size);
        if self.header.root_rows == 0 {
            self.header.root = UNDEFINED;
            return Ok(());
        }
        for (base, entry) in self.path(slot.offset, |_| false).into_iter().rev() {
            self.set_entry(store, base, entry, UNDEFINED)?;
            if self.count_children(base, -1) > 0 {
                return Ok(());
            }
            if let Some(empty) = self.table.indirect.remove(&base) {
                store.free(empty.address, self.header.indirect_length(empty.rows) as u64);
            }
        }
        self.header.root = UNDEFINED;
        self.header.root_rows = 0;
        Ok(())
    }

    /// Makes the root as small as libhdf5 makes it: a direct block where that is all there is, else the least rows.
    pub(super) fn shrink_root(&mut self, store: &mut Store) -> Result<()> {
        if self.header.root_rows == 0 || self.table.count == 0 {
            return Ok(());
        }
        if self.table.end == self.header.params.start_block {
            let Some(index) = self.table.find(0) else { return Ok(()) };
            if let Some(root) = self.table.indirect.remove(&0) {
                store.free(root.address, self.header.indirect_length(root.rows) as u64);
            }
            self.header.root = self.table.blocks[index as usize].address;
            self.header.root_rows = 0;
            return Ok(());
        }
        let (row, _) = self.header.table.locate(self.table.end - 1);
        let rows = self.rows_for(row);
        if rows < self.header.root_rows.into() {
            self.set_root_rows(store, rows)?;
        }
        Ok(())
    }
}
