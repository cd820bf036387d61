//! The extensible array chunk index (specification III.H, "Extensible Array Index"): header and the sizes of its blocks.

use super::codec::{Reader, Writer};
use super::fixed_array::{ElementLayout, CHECKSUM};
use super::Sizes;
use crate::error::Result;

/// The header (`EAHD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The elements.
    pub element: ElementLayout,
    /// Bits of an element's index.
    pub max_bits: u8,
    /// Elements in the index block.
    pub index_elements: u8,
    /// Elements in the smallest data blocks, a power of two.
    pub min_elements: u8,
    /// Data block addresses in the smallest secondary blocks, a power of two.
    pub min_pointers: u8,
    /// log2 of the elements in a data block page.
    pub page_bits: u8,
    /// What is there: secondary blocks and their bytes, data blocks and theirs, largest index set + 1, elements.
    pub counts: [u64; 6],
    /// The index block, undefined when no chunk was ever written.
    pub index_block: u64,
}

/// The secondary block of a number: what it addresses, also for the first ones, whose addresses stand in the index block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secondary {
    /// Data blocks.
    pub blocks: u64,
    /// Elements of each.
    pub block_elements: u64,
    /// The index of the first element, counted behind those in the index block.
    pub first: u64,
}

impl Header {
    /// Bytes of a header.
    pub fn size(sizes: Sizes) -> u64 {
        12 + 6 * u64::from(sizes.length) + u64::from(sizes.offset) + CHECKSUM
    }

    /// Decodes a header.
    pub fn parse(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut r = Reader::new(bytes, "extensible array header");
        r.signature(b"EAHD")?;
        let (version, client, size) = (r.u8()?, r.u8()?, r.u8()?);
        let (max_bits, index_elements, min_elements) = (r.u8()?, r.u8()?, r.u8()?);
        let (min_pointers, page_bits) = (r.u8()?, r.u8()?);
        let powers = min_elements.is_power_of_two() && min_pointers.is_power_of_two();
        if version != 0 || !powers || max_bits > 64 || page_bits == 0 || page_bits > 32 {
            return Err(r.error(format_args!(
                "version {version}, {max_bits} index bits, {min_elements} elements, {min_pointers} pointers, {page_bits} page bits"
            )));
        }
        let element = ElementLayout::new(&r, client, size, sizes)?;
        let mut counts = [0; 6];
        for count in &mut counts {
            *count = r.length(sizes)?;
        }
        let index_block = r.address(sizes)?;
        let header =
            Header { element, max_bits, index_elements, min_elements, min_pointers, page_bits, counts, index_block };
        if u32::from(max_bits) < min_elements.ilog2() || header.secondaries() < header.first_addressed() {
            return Err(r.error(format_args!("{max_bits} index bits are too few for its blocks")));
        }
        Ok(header)
    }

    /// Encodes a header; its checksum is still to be computed.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(b"EAHD").u8(0).u8(self.element.client()).u8(self.element.size);
        w.u8(self.max_bits).u8(self.index_elements).u8(self.min_elements).u8(self.min_pointers).u8(self.page_bits);
        for count in self.counts {
            w.length(count, sizes);
        }
        w.address(self.index_block, sizes).zeros(CHECKSUM as usize);
        w.finish()
    }

    /// The number of secondary blocks that would address all elements.
    pub fn secondaries(&self) -> u32 {
        1 + u32::from(self.max_bits) - self.min_elements.ilog2()
    }

    /// The first secondary block that exists as a block; the data blocks of those before stand in the index block.
    pub fn first_addressed(&self) -> u32 {
        2 * self.min_pointers.ilog2()
    }

    /// Data block addresses in the index block.
    pub fn direct_blocks(&self) -> u64 {
        2 * (u64::from(self.min_pointers) - 1)
    }

    /// What the secondary block `number` addresses.
    pub fn secondary(&self, number: u32) -> Secondary {
        let blocks = 1u64 << (number / 2);
        let block_elements = u64::from(self.min_elements) << number.div_ceil(2);
        // Every pair of secondary blocks before (2k, 2k + 1) has 2^k blocks of min << k and of min << (k + 1) elements.
        let whole: u64 = (0..number / 2)
            .fold(0u64, |sum, k| sum.wrapping_add((3 * u64::from(self.min_elements)).wrapping_shl(2 * k)));
        let half = if number % 2 == 1 { u64::from(self.min_elements).wrapping_shl(2 * (number / 2)) } else { 0 };
        Secondary { blocks, block_elements, first: whole.wrapping_add(half) }
    }

    /// Bytes of an offset in the array.
    fn offset_size(&self) -> u64 {
        u64::from(self.max_bits).div_ceil(8)
    }

    /// Bytes of the index block (`EAIB`).
    pub fn index_block_size(&self, sizes: Sizes) -> u64 {
        let addresses = self.direct_blocks() + u64::from(self.secondaries() - self.first_addressed());
        let elements = u64::from(self.index_elements) * u64::from(self.element.size);
        6 + u64::from(sizes.offset) + elements + addresses * u64::from(sizes.offset) + CHECKSUM
    }

    /// Pages of each data block of a secondary block, 0 when its elements stand in the block itself.
    pub fn pages(&self, secondary: Secondary) -> u64 {
        if secondary.block_elements > 1 << self.page_bits {
            secondary.block_elements >> self.page_bits
        } else {
            0
        }
    }

    /// Bytes of all page bitmaps in a secondary block.
    pub fn bitmaps_size(&self, secondary: Secondary) -> Option<u64> {
        secondary.blocks.checked_mul(self.pages(secondary).div_ceil(8))
    }

    /// Bytes of a secondary block (`EASB`), none beyond 2^63.
    pub fn secondary_size(&self, secondary: Secondary, sizes: Sizes) -> Option<u64> {
        let addresses = secondary.blocks.checked_mul(u64::from(sizes.offset))?;
        let prefix = self.prefix_size(sizes);
        let size = self.bitmaps_size(secondary)?.checked_add(addresses)?.checked_add(prefix + CHECKSUM)?;
        (size < i64::MAX as u64).then_some(size)
    }

    /// Bytes of a secondary or data block before what it holds.
    pub fn prefix_size(&self, sizes: Sizes) -> u64 {
        6 + u64::from(sizes.offset) + self.offset_size()
    }

    /// Bytes of a data block (`EADB`) of a secondary block, its pages included; none beyond 2^63.
    pub fn data_block_size(&self, secondary: Secondary, sizes: Sizes) -> Option<u64> {
        let elements = secondary.block_elements.checked_mul(u64::from(self.element.size))?;
        let pages = self.pages(secondary).checked_mul(CHECKSUM)?;
        let size = elements.checked_add(pages)?.checked_add(self.prefix_size(sizes) + CHECKSUM)?;
        (size < i64::MAX as u64).then_some(size)
    }
}
