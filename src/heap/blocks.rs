//! What is done to the heap's blocks in the file: reading their table, creating, linking and freeing them, the root.

use super::table::{Block, Indirect, Table};
use super::{filter, Heap};
use crate::error::{Error, ErrorKind, Result};
use crate::format::codec::Reader;
use crate::format::fractal_heap::{Header, Slot, DIRECT_SIGNATURE, INDIRECT_SIGNATURE};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Seal, Store};

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
        let length = header.indirect_length(rows) as u64;
        let id = store.block(address, length, indirect_seal(header, rows), "fractal heap indirect block")?;
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
        table.add_indirect(offset, Indirect { address, length, rows, children: entries.len() as u32 });
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
        if store.stands_at(block.cached.id, block.address, block.size) {
            return Ok(block.cached.id);
        }
        self.find_block(store, index)
    }

    #[cold]
    fn find_block(&mut self, store: &mut Store, index: u32) -> Result<BlockId> {
        let seal = self.direct_seal();
        let block = &mut self.table.blocks[index as usize];
        let id = store.block(block.address, block.size.into(), seal, "fractal heap direct block")?;
        if !block.verified {
            self.header.check_prefix(store.bytes(id), DIRECT_SIGNATURE, self.address, block.offset)?;
            block.verified = true;
        }
        block.cached = store.hint(id);
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
            return Err(Error::checksum(WHAT, address));
        }
        self.decoded = (offset, bytes);
        Ok(())
    }

    /// The indirect block at heap offset `offset`, in the store.
    pub(super) fn indirect_block(&self, store: &mut Store, offset: u64) -> Result<BlockId> {
        let block = self.table.indirect.get(&offset).ok_or_else(|| Error::internal("no such indirect block"))?;
        let seal = indirect_seal(&self.header, block.rows);
        store.block(block.address, block.length, seal, "fractal heap indirect block")
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
        self.table.add_indirect(offset, Indirect { address, length: length as u64, rows, children: 0 });
        Ok(address)
    }

    /// Makes the root an indirect block of at least `rows` rows, or of exactly so many where it is larger.
    pub(super) fn set_root_rows(&mut self, store: &mut Store, rows: u32) -> Result<()> {
        let old = self.table.remove_indirect(0);
        let address = self.create_indirect(store, 0, rows)?;
        let children = match &old {
            None => {
                if self.header.root != UNDEFINED {
                    self.set_entry(store, 0, 0, self.header.root)?;
                }
                u32::from(self.header.root != UNDEFINED)
            }
            Some(old) => {
                let seal = indirect_seal(&self.header, old.rows);
                let source = store.block(old.address, old.length, seal, "fractal heap indirect block")?;
                let target = self.indirect_block(store, 0)?;
                let start = self.header.entry_position(0);
                let end = self.header.entry_position(rows.min(old.rows) * self.header.table.width);
                let (from, to) = store.two_mut(source, target)?;
                to[start..end].copy_from_slice(&from[start..end]);
                store.free(old.address, old.length);
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
            if let Some(empty) = self.table.remove_indirect(base) {
                store.free(empty.address, empty.length);
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
            if let Some(root) = self.table.remove_indirect(0) {
                store.free(root.address, root.length);
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
