//! Fractal heap: header `FRHP`, doubling table, direct `FHDB` and indirect `FHIB` blocks, heap IDs (specification,
//! "Disk Format: Level 1G - Fractal Heap").

use super::codec::{Reader, Writer};
pub use super::doubling_table::{DoublingTable, Slot};
use super::{Sizes, UNDEFINED};
use crate::error::{Error, Result};

/// Signature of the heap's header.
pub const HEADER_SIGNATURE: &[u8; 4] = b"FRHP";
/// Signature of a direct block, which holds objects.
pub const DIRECT_SIGNATURE: &[u8; 4] = b"FHDB";
/// Signature of an indirect block, which holds addresses of blocks.
pub const INDIRECT_SIGNATURE: &[u8; 4] = b"FHIB";

const FLAG_IDS_WRAPPED: u8 = 1;
const FLAG_CHECKSUMS: u8 = 2;

/// What a heap is created with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapParams {
    /// Length of the heap's IDs in bytes.
    pub id_length: u16,
    /// Largest object that is stored in the heap's blocks; larger ones are huge.
    pub max_managed: u32,
    /// Blocks in a row of the doubling table, a power of two.
    pub width: u16,
    /// Size of the blocks of the first two rows, a power of two.
    pub start_block: u64,
    /// Size of the largest direct block, a power of two.
    pub max_direct: u64,
    /// The heap's address space in bits.
    pub max_bits: u16,
    /// Rows of a new root indirect block; 0 is all there can be.
    pub start_rows: u16,
    /// Whether direct blocks carry a checksum.
    pub checksums: bool,
}

impl HeapParams {
    /// What libhdf5 uses for dense attributes.
    pub const ATTRIBUTES: HeapParams = HeapParams {
        id_length: 8,
        max_managed: 4096,
        width: 4,
        start_block: 1024,
        max_direct: 65536,
        max_bits: 40,
        start_rows: 1,
        checksums: true,
    };
    /// What libhdf5 uses for dense links.
    pub const LINKS: HeapParams = HeapParams { id_length: 7, start_block: 512, max_bits: 32, ..Self::ATTRIBUTES };

    /// Whether a file's lengths can name its largest direct block. Those of 2 bytes cannot, though libhdf5 tries.
    pub fn fits(&self, sizes: Sizes) -> bool {
        sizes.length > 2
    }
}

/// What a filtered heap's header says of its root direct block and its filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeapFilters {
    /// Bytes of the root direct block in the file.
    pub root_size: u64,
    /// Filters that were skipped for the root direct block.
    pub root_mask: u32,
    /// The filter pipeline message.
    pub pipeline: Vec<u8>,
}

/// The heap's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The parameters it was created with.
    pub params: HeapParams,
    /// The geometry that follows from them.
    pub table: DoublingTable,
    /// The file's sizes.
    pub sizes: Sizes,
    /// Whether IDs of huge objects were used up once.
    pub ids_wrapped: bool,
    /// The last ID given to a huge object.
    pub huge_next_id: u64,
    /// The version 2 B-tree of huge objects.
    pub huge_tree: u64,
    /// Bytes free in direct blocks, whether these exist yet or not.
    pub free: u64,
    /// The free-space manager.
    pub free_space: u64,
    /// Heap address space that the root block spans.
    pub managed_size: u64,
    /// Bytes of the direct blocks that exist.
    pub allocated: u64,
    /// Heap offset of the next direct block.
    pub iterator: u64,
    /// Managed objects.
    pub managed_count: u64,
    /// Bytes of huge objects.
    pub huge_bytes: u64,
    /// Huge objects.
    pub huge_count: u64,
    /// Bytes of tiny objects.
    pub tiny_bytes: u64,
    /// Tiny objects.
    pub tiny_count: u64,
    /// The root block, direct when `root_rows` is 0.
    pub root: u64,
    /// Rows of the root indirect block.
    pub root_rows: u16,
    /// Filters, if any.
    pub filters: Option<HeapFilters>,
}

impl Header {
    /// The header of an empty heap.
    pub fn new(params: HeapParams, sizes: Sizes) -> Result<Self> {
        let header = Header {
            params,
            table: DoublingTable::new(&params)?,
            sizes,
            ids_wrapped: false,
            huge_next_id: 0,
            huge_tree: UNDEFINED,
            free: 0,
            free_space: UNDEFINED,
            managed_size: 0,
            allocated: 0,
            iterator: 0,
            managed_count: 0,
            huge_bytes: 0,
            huge_count: 0,
            tiny_bytes: 0,
            tiny_count: 0,
            root: UNDEFINED,
            root_rows: 0,
            filters: None,
        };
        header.check()?;
        Ok(header)
    }

    fn check(&self) -> Result<()> {
        let params = &self.params;
        if u64::from(params.max_managed) + self.direct_overhead() > params.max_direct {
            return Err(Error::range(
                "maximum size of managed objects",
                params.max_managed,
                "what a direct block holds",
            ));
        }
        if usize::from(params.id_length) < 1 + self.offset_width() + self.length_width() {
            return Err(Error::range("heap ID length", params.id_length, "what an offset and a length need"));
        }
        if u32::from(self.root_rows) > self.table.max_rows {
            return Err(Error::corrupt("fractal heap header", 0, format_args!("{} rows", self.root_rows)));
        }
        Ok(())
    }

    /// Bytes of a header without filters, to be read first.
    pub fn base_length(sizes: Sizes) -> usize {
        26 + 12 * usize::from(sizes.length) + 3 * usize::from(sizes.offset)
    }

    /// Bytes of the header in the file.
    pub fn length(&self) -> usize {
        let filters = self.filters.as_ref().map_or(0, |f| usize::from(self.sizes.length) + 4 + f.pipeline.len());
        Self::base_length(self.sizes) + filters
    }

    /// Bytes that the header whose first bytes are `bytes` has in the file.
    pub fn length_of(bytes: &[u8], sizes: Sizes) -> Result<usize> {
        let mut reader = Reader::new(bytes, "fractal heap header");
        reader.signature(HEADER_SIGNATURE)?;
        reader.skip(3)?;
        let filters = usize::from(reader.u16()?);
        let base = Self::base_length(sizes);
        Ok(if filters == 0 { base } else { base + usize::from(sizes.length) + 4 + filters })
    }

    /// Reads the header. The checksum is the store's business.
    pub fn parse(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut r = Reader::new(bytes, "fractal heap header");
        r.signature(HEADER_SIGNATURE)?;
        let version = r.u8()?;
        if version != 0 {
            return Err(Error::unsupported(format_args!("fractal heap header version {version}")));
        }
        let id_length = r.u16()?;
        let filter_length = usize::from(r.u16()?);
        let flags = r.u8()?;
        let max_managed = r.u32()?;
        let huge_next_id = r.length(sizes)?;
        let huge_tree = r.address(sizes)?;
        let free = r.length(sizes)?;
        let free_space = r.address(sizes)?;
        let [managed_size, allocated, iterator, managed_count, huge_bytes, huge_count, tiny_bytes, tiny_count] = {
            let mut counts = [0; 8];
            for count in &mut counts {
                *count = r.length(sizes)?;
            }
            counts
        };
        let width = r.u16()?;
        let start_block = r.length(sizes)?;
        let max_direct = r.length(sizes)?;
        let max_bits = r.u16()?;
        let start_rows = r.u16()?;
        let root = r.address(sizes)?;
        let root_rows = r.u16()?;
        let filters = if filter_length > 0 {
            let root_size = r.length(sizes)?;
            let root_mask = r.u32()?;
            Some(HeapFilters { root_size, root_mask, pipeline: r.take(filter_length)?.to_vec() })
        } else {
            None
        };
        let checksums = flags & FLAG_CHECKSUMS != 0;
        let params =
            HeapParams { id_length, max_managed, width, start_block, max_direct, max_bits, start_rows, checksums };
        let header = Header {
            params,
            table: DoublingTable::new(&params)?,
            sizes,
            ids_wrapped: flags & FLAG_IDS_WRAPPED != 0,
            huge_next_id,
            huge_tree,
            free,
            free_space,
            managed_size,
            allocated,
            iterator,
            managed_count,
            huge_bytes,
            huge_count,
            tiny_bytes,
            tiny_count,
            root,
            root_rows,
            filters,
        };
        header.check()?;
        Ok(header)
    }

    /// The header's bytes; the checksum is put in by the store.
    pub fn encode(&self) -> Vec<u8> {
        let (s, p) = (self.sizes, &self.params);
        let mut w = Writer::new();
        let flags = (u8::from(self.ids_wrapped) * FLAG_IDS_WRAPPED) | (u8::from(p.checksums) * FLAG_CHECKSUMS);
        let filter_length = self.filters.as_ref().map_or(0, |f| f.pipeline.len());
        w.bytes(HEADER_SIGNATURE).u8(0).u16(p.id_length).u16(filter_length as u16).u8(flags).u32(p.max_managed);
        w.length(self.huge_next_id, s).address(self.huge_tree, s).length(self.free, s).address(self.free_space, s);
        w.length(self.managed_size, s).length(self.allocated, s).length(self.iterator, s).length(self.managed_count, s);
        w.length(self.huge_bytes, s).length(self.huge_count, s).length(self.tiny_bytes, s).length(self.tiny_count, s);
        w.u16(p.width).length(p.start_block, s).length(p.max_direct, s).u16(p.max_bits).u16(p.start_rows);
        w.address(self.root, s).u16(self.root_rows);
        if let Some(f) = &self.filters {
            w.length(f.root_size, s).u32(f.root_mask).bytes(&f.pipeline);
        }
        w.zeros(4);
        w.finish()
    }

    /// Bytes of a heap offset.
    #[inline]
    pub fn offset_width(&self) -> usize {
        usize::from(self.params.max_bits).div_ceil(8)
    }

    /// Bytes of a managed object's length in its ID.
    pub fn length_width(&self) -> usize {
        let of_block = (self.params.max_direct.trailing_zeros() as usize).div_ceil(8);
        of_block.min(limit_width(self.params.max_managed.into()))
    }

    /// Bytes of a direct block's prefix, which its free space does not include.
    pub fn direct_overhead(&self) -> u64 {
        let checksum = if self.params.checksums { 4 } else { 0 };
        (5 + usize::from(self.sizes.offset) + self.offset_width() + checksum) as u64
    }

    /// Where a direct block's checksum stands, if it has one.
    pub fn direct_checksum(&self) -> Option<u32> {
        self.params.checksums.then(|| self.direct_overhead() as u32 - 4)
    }

    /// Bytes of an indirect block's entry in `row`.
    pub fn entry_length(&self, row: u32) -> usize {
        let filtered =
            if self.filters.is_some() && row < self.table.direct_rows { usize::from(self.sizes.length) + 4 } else { 0 };
        usize::from(self.sizes.offset) + filtered
    }

    /// Where `entry` stands in its indirect block.
    pub fn entry_position(&self, entry: u32) -> usize {
        let direct = entry.min(self.table.direct_rows * self.table.width);
        self.block_prefix()
            + direct as usize * self.entry_length(0)
            + (entry - direct) as usize * usize::from(self.sizes.offset)
    }

    /// Bytes of an indirect block of `rows` rows.
    pub fn indirect_length(&self, rows: u32) -> usize {
        self.entry_position(rows * self.table.width) + 4
    }

    fn block_prefix(&self) -> usize {
        5 + usize::from(self.sizes.offset) + self.offset_width()
    }

    /// Writes a new block's prefix.
    pub fn put_prefix(&self, bytes: &mut [u8], signature: &[u8; 4], heap: u64, offset: u64) {
        let mut w = Writer::new();
        w.bytes(signature).u8(0).address(heap, self.sizes).uint(offset, self.offset_width());
        bytes[..w.len()].copy_from_slice(w.as_slice());
    }

    /// Checks a block's prefix.
    pub fn check_prefix(&self, bytes: &[u8], signature: &[u8; 4], heap: u64, offset: u64) -> Result<()> {
        let mut r = Reader::new(bytes, "fractal heap block");
        r.signature(signature)?;
        let version = r.u8()?;
        if version != 0 {
            return Err(r.error(format_args!("version {version}")));
        }
        let owner = r.address(self.sizes)?;
        let at = r.uint(self.offset_width())?;
        if owner != heap || at != offset {
            return Err(r.error(format_args!("heap {owner:#x} offset {at:#x} where {heap:#x} {offset:#x} belongs")));
        }
        Ok(())
    }

    /// The largest object that its own ID holds, and whether its length takes two bytes.
    pub fn tiny_limit(&self) -> (usize, bool) {
        let room = usize::from(self.params.id_length) - 1;
        match room {
            0..=16 => (room, false),
            17 => (16, false),
            _ => ((room - 1).min(4096), true),
        }
    }

    /// Whether a huge object's ID says where it is (else it is a key of the B-tree of huge objects).
    pub fn huge_ids_direct(&self) -> bool {
        let (offset, length) = (usize::from(self.sizes.offset), usize::from(self.sizes.length));
        let needed = if self.filters.is_some() { offset + 2 * length + 4 } else { offset + length };
        usize::from(self.params.id_length) > needed
    }
}

/// Bytes that hold every number up to `limit`.
pub fn limit_width(limit: u64) -> usize {
    (63 - (limit | 1).leading_zeros() as usize) / 8 + 1
}

/// What a heap ID's first byte says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// In a direct block.
    Managed,
    /// In its own piece of the file.
    Huge,
    /// In the ID.
    Tiny,
}

/// The kind of the heap ID that begins with `first`.
#[inline]
pub fn id_kind(first: u8) -> Result<IdKind> {
    match first & 0xf0 {
        0x00 => Ok(IdKind::Managed),
        0x10 => Ok(IdKind::Huge),
        0x20 => Ok(IdKind::Tiny),
        _ => Err(Error::corrupt("fractal heap ID", 0, format_args!("type and version {first:#04x}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometry_of_attribute_heaps() {
        let header = Header::new(HeapParams::ATTRIBUTES, Sizes::EIGHT).unwrap();
        let table = header.table;
        assert_eq!((header.length(), header.offset_width(), header.length_width()), (146, 5, 2));
        assert_eq!(header.direct_overhead(), 22);
        assert_eq!(table.direct_rows, 8);
        assert_eq!(table.locate(0), (0, 0));
        assert_eq!(table.locate(4095), (0, 3));
        assert_eq!(table.locate(4096), (1, 0));
        assert_eq!(table.locate(8192), (2, 0));
        assert_eq!(table.slot(512 * 1024), Slot { offset: 512 * 1024, size: 1024 });
        assert_eq!(table.child_rows(8), 6);
        // Every offset belongs to one slot, and slots follow one another.
        let mut offset = 0;
        while offset < 64 << 20 {
            let slot = table.slot(offset);
            assert_eq!(slot.offset, offset);
            assert_eq!(table.slot(offset + slot.size - 1), slot);
            offset += slot.size;
        }
        assert_eq!(table.capacity(1, 22), 4 * 1002);
        assert_eq!(table.capacity(9, 22), table.capacity(8, 22) + 4 * table.capacity(6, 22));
    }

    #[test]
    fn headers_round_trip() {
        let mut header = Header::new(HeapParams::LINKS, Sizes::EIGHT).unwrap();
        header.managed_count = 7;
        header.filters = Some(HeapFilters { root_size: 5, root_mask: 1, pipeline: vec![2, 0] });
        let bytes = header.encode();
        assert_eq!(bytes.len(), header.length());
        assert_eq!(Header::length_of(&bytes, Sizes::EIGHT).unwrap(), bytes.len());
        assert_eq!(Header::parse(&bytes, Sizes::EIGHT).unwrap(), header);
    }

    #[test]
    fn hostile_parameters_are_refused() {
        let good = HeapParams::ATTRIBUTES;
        for bad in [
            HeapParams { width: 3, ..good },
            HeapParams { start_block: 0, ..good },
            HeapParams { max_direct: 1 << 40, ..good },
            HeapParams { max_bits: 8, ..good },
            HeapParams { max_bits: 200, ..good },
            HeapParams { max_managed: 65536, ..good },
            HeapParams { id_length: 3, ..good },
            HeapParams { width: 1 << 15, ..good },
        ] {
            assert!(Header::new(bad, Sizes::EIGHT).is_err(), "{bad:?}");
        }
    }
}
