//! Walking an extensible array.

use super::{Grid, Walk};
use crate::error::{Error, Result};
use crate::format::codec::Reader;
use crate::format::extensible_array::{Header, Secondary};
use crate::format::fixed_array::{check_block, page_is_initialized, CHECKSUM};
use crate::format::UNDEFINED;

const HEADER: &str = "extensible array header";
const INDEX_BLOCK: &str = "extensible array index block";
const SECONDARY_BLOCK: &str = "extensible array secondary block";
const DATA_BLOCK: &str = "extensible array data block";

/// The data block to visit.
struct DataBlock<'a> {
    address: u64,
    /// The index of its first element.
    first: u64,
    /// Its pages' bits, and which of them is its first.
    bitmap: &'a [u8],
    first_page: u64,
}

impl Walk<'_, '_> {
    pub(super) fn extensible_array(&mut self) -> Result<()> {
        let (sizes, address) = (self.store.sizes(), self.chunks.layout.address);
        let size = Header::size(sizes);
        let header = Header::parse(&self.index_block(address, size, size, true, HEADER)?, sizes)?;
        if header.index_block == UNDEFINED {
            return Ok(());
        }
        let unlimited = self.chunks.max_dims.iter().position(|&max| max == u64::MAX);
        let grid = Grid::new(self.chunks, unlimited)?;
        let size = header.index_block_size(sizes);
        let block = self.index_block(header.index_block, size, size, true, INDEX_BLOCK)?;
        let mut r = Reader::new(&block, INDEX_BLOCK);
        check_block(&mut r, b"EAIB", header.element.client(), address, sizes)?;
        let elements = r.take(usize::from(header.index_elements) * usize::from(header.element.size))?;
        self.elements(elements, header.element, 0, &grid)?;
        for number in 0..header.secondaries() {
            let secondary = header.secondary(number);
            if number >= header.first_addressed() {
                let address = r.address(sizes)?;
                self.secondary_block(&header, secondary, address, &grid)?;
                continue;
            }
            for block in 0..secondary.blocks {
                let (address, first) = (r.address(sizes)?, first_element(&header, secondary, block));
                let block = DataBlock { address, first, bitmap: &[], first_page: 0 };
                self.extensible_data_block(&header, secondary, block, &grid)?;
            }
        }
        Ok(())
    }

    fn secondary_block(&mut self, header: &Header, secondary: Secondary, address: u64, grid: &Grid) -> Result<()> {
        if address == UNDEFINED {
            return Ok(());
        }
        let sizes = self.store.sizes();
        let Some(size) = header.secondary_size(secondary, sizes) else {
            return Err(Error::corrupt(SECONDARY_BLOCK, address, "its size is beyond 2^63 bytes"));
        };
        let bytes = self.index_block(address, size, size, true, SECONDARY_BLOCK)?;
        let mut r = Reader::new(&bytes, SECONDARY_BLOCK);
        check_block(&mut r, b"EASB", header.element.client(), self.chunks.layout.address, sizes)?;
        r.skip(header.prefix_size(sizes) as usize - r.position())?;
        // The block was read, so its parts fit memory.
        let bitmap = r.take(header.bitmaps_size(secondary).unwrap_or(0) as usize)?;
        for block in 0..secondary.blocks {
            let (address, first) = (r.address(sizes)?, first_element(header, secondary, block));
            let block = DataBlock { address, first, bitmap, first_page: block * header.pages(secondary) };
            self.extensible_data_block(header, secondary, block, grid)?;
        }
        Ok(())
    }

    fn extensible_data_block(
        &mut self,
        header: &Header,
        secondary: Secondary,
        block: DataBlock<'_>,
        grid: &Grid,
    ) -> Result<()> {
        if block.address == UNDEFINED {
            return Ok(());
        }
        let sizes = self.store.sizes();
        let Some(size) = header.data_block_size(secondary, sizes) else {
            return Err(Error::corrupt(DATA_BLOCK, block.address, "its size is beyond 2^63 bytes"));
        };
        let (pages, prefix) = (header.pages(secondary), header.prefix_size(sizes));
        let read = if pages == 0 { size } else { prefix + CHECKSUM };
        let bytes = self.index_block(block.address, read, size, true, DATA_BLOCK)?;
        let mut r = Reader::new(&bytes, DATA_BLOCK);
        check_block(&mut r, b"EADB", header.element.client(), self.chunks.layout.address, sizes)?;
        if pages == 0 {
            let elements = &bytes[prefix as usize..bytes.len() - CHECKSUM as usize];
            return self.elements(elements, header.element, block.first, grid);
        }
        let page_elements = 1u64 << header.page_bits;
        let length = page_elements * u64::from(header.element.size) + CHECKSUM;
        for page in 0..pages {
            if page_is_initialized(block.bitmap, block.first_page + page) {
                let address = block.address + read + page * length;
                let bytes = self.sealed_bytes(address, length, true, "extensible array data block page")?;
                let first = block.first.wrapping_add(page * page_elements);
                self.elements(&bytes[..bytes.len() - CHECKSUM as usize], header.element, first, grid)?;
            }
        }
        Ok(())
    }
}

/// The index of the first element of a secondary block's data block.
fn first_element(header: &Header, secondary: Secondary, block: u64) -> u64 {
    let before = block.wrapping_mul(secondary.block_elements).wrapping_add(secondary.first);
    before.wrapping_add(u64::from(header.index_elements))
}
