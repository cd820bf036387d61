//! The heap's free-space manager: reading its sections into holes, and writing the holes as sections.
//!
//! libhdf5 also lists direct blocks that do not exist (row and indirect sections), to reuse their heap offsets. They are
//! not read, because the blocks tell it, and not written: libhdf5 1.10.8 to 2.2.0 all fail now and then where they use
//! them ("pinned entry count not decreasing" at close, or a crash), with their own files too. See `parts.rs`.

use super::holes::{sort_by_key, BlockHoles, EdgeMap};
use super::Heap;
use crate::error::{Error, ErrorKind, Result};
use crate::format::free_space::{FreeSpaceHeader, SectionWriter, CLIENT_HEAP};
use crate::format::UNDEFINED;
use crate::store::{Seal, Store};

/// A piece of a direct block.
const SINGLE: u8 = 0;
/// Direct blocks that do not exist, beginning in the first row of an indirect block's part.
const FIRST_ROW: u8 = 1;
/// Direct blocks that do not exist, in a further row: implied, never in the list.
const NORMAL_ROW: u8 = 2;
/// Blocks of an indirect block that do not exist.
const INDIRECT: u8 = 3;

/// Classes of sections that a heap has.
const CLASSES: u16 = 4;

/// Where the free-space manager is in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FreeSpace {
    /// The header, undefined when there is none.
    pub address: u64,
    header_length: u64,
    sections: u64,
    length: u64,
}

impl FreeSpace {
    /// There is none.
    pub const NONE: FreeSpace = FreeSpace { address: UNDEFINED, header_length: 0, sections: UNDEFINED, length: 0 };

    /// Bytes in the file.
    pub fn file_bytes(&self) -> u64 {
        self.header_length + self.length
    }

    /// The address and the bytes of the header and of the section list.
    pub fn extents(&self) -> [(u64, u64); 2] {
        [(self.address, self.header_length), (self.sections, self.length)]
    }

    /// Bytes of the header in the file.
    pub fn header_length(&self) -> u64 {
        self.header_length
    }

    /// Whether the section list stands at `limit` or above: the next [`Heap::prepare`] writes it anew, into a hole.
    pub fn list_is_above(&self, limit: u64) -> bool {
        self.length > 0 && self.sections >= limit
    }

    /// Gives it back.
    pub fn delete(&mut self, store: &mut Store) {
        if self.header_length > 0 {
            store.free(self.address, self.header_length);
        }
        self.delete_list(store);
        *self = FreeSpace::NONE;
    }

    fn delete_list(&mut self, store: &mut Store) {
        if self.length > 0 {
            store.free(self.sections, self.length);
        }
        self.length = 0;
    }
}

/// `None` where the file is damaged; an error of the operating system stays one.
fn unless_damaged<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(e) if matches!(e.kind(), ErrorKind::Io | ErrorKind::Failed) => Err(e),
        result => Ok(result.ok()),
    }
}

impl Heap {
    /// Reads the free-space manager's header; none where there is none, or where it is damaged.
    pub(super) fn load_free_space(&mut self, store: &mut Store) -> Result<Option<FreeSpaceHeader>> {
        let sizes = self.header.sizes;
        self.free_space = FreeSpace::NONE;
        if self.header.free_space == UNDEFINED {
            return Ok(None);
        }
        let length = FreeSpaceHeader::length(sizes) as u64;
        let seal = Seal::At(length as u32 - 4);
        let address = self.header.free_space;
        let parsed = store
            .block(address, length, seal, "free-space manager header")
            .and_then(|id| FreeSpaceHeader::parse(store.bytes(id), sizes));
        let parsed = unless_damaged(parsed)?.filter(|header| header.client == CLIENT_HEAP);
        let Some(header) = parsed else {
            self.free_space_damaged = true;
            return Ok(None);
        };
        self.free_space = FreeSpace { address, header_length: length, sections: header.sections, length: 0 };
        if header.sections != UNDEFINED {
            if store.check_extent(header.sections, header.allocated, "free-space section list").is_err() {
                self.free_space_damaged = true;
                self.free_space = FreeSpace::NONE;
                return Ok(None);
            }
            self.free_space.length = header.allocated;
        }
        Ok(Some(header))
    }

    /// Reads the holes. Damage is not fatal: the holes are unknown then.
    pub(super) fn read_holes(&mut self, store: &mut Store) -> Result<()> {
        if let Some(header) = self.load_free_space(store)? {
            let read = match header.serialized {
                0 => Ok(()),
                _ => self.read_sections(store, &header),
            };
            if read.is_err() {
                let overhead = self.header.direct_overhead() as u32;
                self.table.holes.iter_mut().for_each(BlockHoles::clear);
                for block in &mut self.table.blocks {
                    block.live = block.size - overhead;
                }
            }
            if unless_damaged(read)?.is_none() {
                self.free_space_damaged = true;
                self.free_space = FreeSpace::NONE;
            }
        }
        self.holes_loaded = true;
        self.live = self.table.blocks.iter().map(|block| u64::from(block.live)).sum();
        self.queue.clear();
        let (last, _) = self.last_block();
        self.bump.block = last;
        self.settle_holes()?;
        self.restore_bump();
        Ok(())
    }

    fn last_block(&self) -> (u32, u64) {
        let end = self.table.end;
        (self.table.find(end.saturating_sub(1)).unwrap_or(super::table::NONE), end)
    }

    fn read_sections(&mut self, store: &mut Store, header: &FreeSpaceHeader) -> Result<()> {
        let sizes = self.header.sizes;
        let bytes = match store.cached(header.sections) {
            // The heap was opened before since the last flush, and wrote it.
            Some(id) => store.bytes(id).to_vec(),
            None => {
                let bytes = store.read_bytes(header.sections, header.used, "free-space section list")?;
                let seal = Seal::At(header.used.saturating_sub(4) as u32);
                if header.used < 8 || !seal.holds(&bytes) {
                    return Err(Error::checksum("free-space section list", header.sections));
                }
                bytes
            }
        };
        let row_data = self.header.offset_width() + 6;
        let data_length = |class| match class {
            SINGLE | NORMAL_ROW => Some(0),
            FIRST_ROW | INDIRECT => Some(row_data),
            _ => None,
        };
        let overhead = self.header.direct_overhead();
        let table = &mut self.table;
        header.read_sections(&bytes, self.header.free_space, sizes, data_length, |section| {
            if section.class != SINGLE {
                return Ok(()); // what does not exist is known from the blocks
            }
            let bad = || Error::corrupt("free-space section", section.address, "not in a direct block");
            let index = table.find(section.address).ok_or_else(bad)?;
            let block = &mut table.blocks[index as usize];
            let at = section.address - block.offset;
            if at < overhead || at.saturating_add(section.size) > block.size.into() || section.size > block.live.into()
            {
                return Err(bad());
            }
            block.live -= section.size as u32;
            table.holes[index as usize].push(at as u32, section.size as u32);
            Ok(())
        })?;
        let mut blocks = table.holes.iter_mut().zip(&table.blocks);
        let mut map = EdgeMap::default();
        if blocks.any(|(holes, block)| !holes.settle(block.size, &mut map)) {
            return Err(Error::corrupt("free-space section list", header.sections, "sections overlap"));
        }
        Ok(())
    }

    /// Writes the free-space manager from the settled holes.
    pub(super) fn write_holes(&mut self, store: &mut Store) -> Result<()> {
        let sizes = self.header.sizes;
        let mut holes: Vec<(u32, u64)> = Vec::new();
        for (block, own) in self.table.with_holes() {
            holes.extend(own.iter().map(|(position, length)| (length, block.offset + u64::from(position))));
        }
        self.restore_bump();
        if holes.is_empty() {
            self.free_space.delete(store);
            return Ok(());
        }
        sort_by_key(&mut holes, |hole| hole.0);
        let mut header =
            FreeSpaceHeader::new(CLIENT_HEAP, CLASSES, self.header.params.max_bits, self.header.params.max_direct);
        header.serialized = holes.len() as u64;
        header.total_count = header.serialized;
        header.total_space = holes.iter().map(|hole| u64::from(hole.0)).sum();
        let groups = holes.chunk_by(|a, b| a.0 == b.0).count() as u64;
        let length = header.list_length(sizes, groups, 0);
        (header.used, header.allocated) = (length, length);
        self.free_space.delete_list(store);
        if self.free_space.address == UNDEFINED {
            self.free_space.header_length = FreeSpaceHeader::length(sizes) as u64;
            let seal = Seal::At(self.free_space.header_length as u32 - 4);
            self.free_space.address = store.create_block(self.free_space.header_length as usize, seal)?.1;
        }
        let (list, address) = store.create_block(length as usize, Seal::At(length as u32 - 4))?;
        header.sections = address;
        (self.free_space.sections, self.free_space.length) = (address, length);
        let mut writer = SectionWriter::new(store.bytes_mut(list), &header, self.free_space.address, sizes);
        for group in holes.chunk_by(|a, b| a.0 == b.0) {
            writer.size(group[0].0.into(), group.len() as u64);
            for hole in group {
                writer.section(hole.1, SINGLE, &[]);
            }
        }
        self.write_free_space_header(store, &header)
    }

    fn write_free_space_header(&self, store: &mut Store, header: &FreeSpaceHeader) -> Result<()> {
        let FreeSpace { address, header_length, .. } = self.free_space;
        let id =
            store.block(address, header_length, Seal::At(header_length as u32 - 4), "free-space manager header")?;
        store.bytes_mut(id).copy_from_slice(&header.encode(self.header.sizes));
        Ok(())
    }
}
