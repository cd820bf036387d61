//! Free-space manager: header `FSHD` and section list `FSSE` (specification, "Disk Format: Level 1H - Free-space
//! Manager"). Fractal heaps and the file itself keep their free space in it, with different classes of sections.

use super::codec::{Reader, Writer};
use super::fractal_heap::limit_width;
use super::{Sizes, UNDEFINED};
use crate::error::{Error, Result};

/// Signature of the header.
pub const HEADER_SIGNATURE: &[u8; 4] = b"FSHD";
/// Signature of the section list.
pub const SECTIONS_SIGNATURE: &[u8; 4] = b"FSSE";
/// The client that is a fractal heap.
pub const CLIENT_HEAP: u8 = 0;
/// The client that is a file.
pub const CLIENT_FILE: u8 = 1;

/// The manager's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSpaceHeader {
    /// Whose space it is.
    pub client: u8,
    /// Bytes of all sections.
    pub total_space: u64,
    /// Sections, whether in the list or implied by others.
    pub total_count: u64,
    /// Sections in the list.
    pub serialized: u64,
    /// Sections that are implied by others.
    pub ghosts: u64,
    /// Classes of sections.
    pub classes: u16,
    /// When the list shrinks, in per cent.
    pub shrink: u16,
    /// When the list grows, in per cent.
    pub expand: u16,
    /// Bits of the managed address space.
    pub address_bits: u16,
    /// Size of the largest section.
    pub max_section: u64,
    /// The section list.
    pub sections: u64,
    /// Bytes of the list that are used.
    pub used: u64,
    /// Bytes of the list in the file.
    pub allocated: u64,
}

/// One piece of free space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// Its address in the managed space.
    pub address: u64,
    /// Its bytes.
    pub size: u64,
    /// Its class.
    pub class: u8,
    /// What its class stores beside.
    pub data: &'a [u8],
}

impl FreeSpaceHeader {
    /// A manager without sections.
    pub fn new(client: u8, classes: u16, address_bits: u16, max_section: u64) -> Self {
        FreeSpaceHeader {
            client,
            total_space: 0,
            total_count: 0,
            serialized: 0,
            ghosts: 0,
            classes,
            shrink: 80,
            expand: 120,
            address_bits,
            max_section,
            sections: UNDEFINED,
            used: 0,
            allocated: 0,
        }
    }

    /// Bytes of the header in the file.
    pub fn length(sizes: Sizes) -> usize {
        18 + 7 * usize::from(sizes.length) + usize::from(sizes.offset)
    }

    /// Reads the header. The checksum is the store's business.
    pub fn parse(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut r = Reader::new(bytes, "free-space manager header");
        r.signature(HEADER_SIGNATURE)?;
        let version = r.u8()?;
        if version != 0 {
            return Err(Error::unsupported(format_args!("free-space manager version {version}")));
        }
        let header = FreeSpaceHeader {
            client: r.u8()?,
            total_space: r.length(sizes)?,
            total_count: r.length(sizes)?,
            serialized: r.length(sizes)?,
            ghosts: r.length(sizes)?,
            classes: r.u16()?,
            shrink: r.u16()?,
            expand: r.u16()?,
            address_bits: r.u16()?,
            max_section: r.length(sizes)?,
            sections: r.address(sizes)?,
            used: r.length(sizes)?,
            allocated: r.length(sizes)?,
        };
        if header.address_bits == 0 || header.address_bits > 64 || header.used > header.allocated {
            return Err(r.error("address bits or list size"));
        }
        Ok(header)
    }

    /// The header's bytes; the checksum is put in by the store.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(HEADER_SIGNATURE).u8(0).u8(self.client).length(self.total_space, sizes).length(self.total_count, sizes);
        w.length(self.serialized, sizes).length(self.ghosts, sizes).u16(self.classes).u16(self.shrink).u16(self.expand);
        w.u16(self.address_bits).length(self.max_section, sizes).address(self.sections, sizes);
        w.length(self.used, sizes).length(self.allocated, sizes).zeros(4);
        w.finish()
    }

    /// Bytes of a section's address.
    pub fn address_width(&self) -> usize {
        usize::from(self.address_bits).div_ceil(8)
    }

    /// Bytes of a section's size.
    pub fn size_width(&self) -> usize {
        limit_width(self.max_section)
    }

    fn list_prefix(sizes: Sizes) -> usize {
        5 + usize::from(sizes.offset)
    }

    /// Bytes of a section list, when `serialized` sections have `sizes_count` different sizes and `data` bytes of their
    /// classes' own.
    pub fn list_length(&self, sizes: Sizes, sizes_count: u64, data: u64) -> u64 {
        let per_size = (limit_width(self.serialized) + self.size_width()) as u64;
        let per_section = self.address_width() as u64 + 1;
        Self::list_prefix(sizes) as u64 + 4 + sizes_count * per_size + self.serialized * per_section + data
    }

    /// Calls `visit` with every section of the list. `data_length` is what a class stores beside (None: no such class).
    pub fn read_sections(
        &self,
        bytes: &[u8],
        manager: u64,
        sizes: Sizes,
        data_length: impl Fn(u8) -> Option<usize>,
        mut visit: impl FnMut(Section<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut r = Reader::new(&bytes[..bytes.len().saturating_sub(4)], "free-space section list");
        r.signature(SECTIONS_SIGNATURE)?;
        let version = r.u8()?;
        let owner = r.address(sizes)?;
        if version != 0 || owner != manager {
            return Err(r.error(format_args!("version {version} of manager {owner:#x}, not {manager:#x}")));
        }
        let (count_width, size_width) = (limit_width(self.serialized), self.size_width());
        let mut left = self.serialized;
        while left > 0 {
            let count = r.uint(count_width)?;
            let size = r.uint(size_width)?;
            if count == 0 || count > left || size == 0 {
                return Err(r.error(format_args!("{count} sections of {size} bytes")));
            }
            left -= count;
            for _ in 0..count {
                let address = r.uint(self.address_width())?;
                let class = r.u8()?;
                let length = data_length(class).ok_or_else(|| r.error(format_args!("section class {class}")))?;
                visit(Section { address, size, class, data: r.take(length)? })?;
            }
        }
        Ok(())
    }
}

/// Writes a section list into its block: sizes ascending, addresses ascending within a size.
pub struct SectionWriter<'a> {
    bytes: &'a mut [u8],
    at: usize,
    count_width: usize,
    size_width: usize,
    address_width: usize,
}

impl<'a> SectionWriter<'a> {
    /// Begins the list of the manager at `manager` in `bytes`, which has the length that the header says.
    pub fn new(bytes: &'a mut [u8], header: &FreeSpaceHeader, manager: u64, sizes: Sizes) -> Self {
        let mut w = Writer::new();
        w.bytes(SECTIONS_SIGNATURE).u8(0).address(manager, sizes);
        bytes[..w.len()].copy_from_slice(w.as_slice());
        SectionWriter {
            bytes,
            at: w.len(),
            count_width: limit_width(header.serialized),
            size_width: header.size_width(),
            address_width: header.address_width(),
        }
    }

    #[inline]
    fn put(&mut self, value: u64, width: usize) {
        let end = self.at + width;
        self.bytes[self.at..end].copy_from_slice(&value.to_le_bytes()[..width]);
        self.at = end;
    }

    /// `count` sections of `size` follow.
    pub fn size(&mut self, size: u64, count: u64) {
        self.put(count, self.count_width);
        self.put(size, self.size_width);
    }

    /// One section.
    #[inline]
    pub fn section(&mut self, address: u64, class: u8, data: &[u8]) {
        let width = 8 * self.address_width as u32;
        match self.bytes[self.at..].first_chunk_mut() {
            // In one go; the zeros behind it are overwritten by what follows, or by the checksum.
            Some(place) if width < 64 && address >> width == 0 => {
                *place = (address | u64::from(class) << width).to_le_bytes();
                self.at += self.address_width + 1;
            }
            _ => {
                self.put(address, self.address_width);
                self.put(class.into(), 1);
            }
        }
        if !data.is_empty() {
            self.bytes[self.at..self.at + data.len()].copy_from_slice(data);
            self.at += data.len();
        }
    }

    /// Bytes written; the checksum's follow.
    pub fn written(&self) -> usize {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_round_trip() {
        let mut header = FreeSpaceHeader::new(CLIENT_HEAP, 4, 40, 65536);
        header.serialized = 3;
        let length = header.list_length(Sizes::EIGHT, 2, 11) as usize;
        let mut bytes = vec![0; length];
        let mut writer = SectionWriter::new(&mut bytes, &header, 77, Sizes::EIGHT);
        writer.size(10, 2);
        writer.section(100, 0, &[]);
        writer.section(200, 0, &[]);
        writer.size(1002, 1);
        writer.section(4096, 1, &[9; 11]);
        assert_eq!(writer.written(), length - 4);
        let mut found = Vec::new();
        let data = |class| match class {
            0 => Some(0),
            1 => Some(11),
            _ => None,
        };
        header
            .read_sections(&bytes, 77, Sizes::EIGHT, data, |s| {
                found.push((s.address, s.size, s.class, s.data.len()));
                Ok(())
            })
            .unwrap();
        assert_eq!(found, [(100, 10, 0, 0), (200, 10, 0, 0), (4096, 1002, 1, 11)]);
        assert!(header.read_sections(&bytes, 78, Sizes::EIGHT, data, |_| Ok(())).is_err());
        assert!(header.read_sections(&bytes[..40], 77, Sizes::EIGHT, data, |_| Ok(())).is_err());
        header.sections = 1234;
        let image = header.encode(Sizes::EIGHT);
        assert_eq!(image.len(), FreeSpaceHeader::length(Sizes::EIGHT));
        assert_eq!(FreeSpaceHeader::parse(&image, Sizes::EIGHT).unwrap(), header);
    }
}
