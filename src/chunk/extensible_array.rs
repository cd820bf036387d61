//! The extensible array.

use super::index::{element_place, Place};
use super::{Chunks, Grid, Walk};
use crate::error::{Error, Result};
use crate::format::codec::Reader;
use crate::format::extensible_array::{Header, Secondary};
use crate::format::fixed_array::{check_block, page_is_initialized, CHECKSUM};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Seal, Store};

pub(super) const HEADER: &str = "extensible array header";
pub(super) const INDEX_BLOCK: &str = "extensible array index block";
pub(super) const SECONDARY_BLOCK: &str = "extensible array secondary block";
pub(super) const DATA_BLOCK: &str = "extensible array data block";
pub(super) const PAGE: &str = "extensible array data block page";

/// The data block to visit.
struct DataBlock<'a> {
    address: u64,
    /// The index of its first element.
    first: u64,
    /// Its pages' bits, and which of them is its first.
    bitmap: &'a [u8],
    first_page: u64,
}

/// An open extensible array.
#[derive(Debug, Clone)]
pub struct ExtensibleArray {
    pub(super) header: Header,
    pub(super) grid: Grid,
}

impl ExtensibleArray {
    pub(super) fn open(chunks: &Chunks<'_>, store: &mut Store) -> Result<Self> {
        let (sizes, size) = (store.sizes(), Header::size(store.sizes()));
        let id = store.block(chunks.layout.address, size, Seal::At((size - CHECKSUM) as u32), HEADER)?;
        let header = Header::parse(store.bytes(id), sizes)?;
        let unlimited = chunks.max_dims.iter().position(|&max| max == u64::MAX);
        Ok(ExtensibleArray { header, grid: Grid::new(chunks, unlimited)? })
    }

    pub(super) fn find(&self, chunks: &Chunks<'_>, store: &mut Store, scaled: &[u64]) -> Result<Option<Place>> {
        let (header, owner) = (&self.header, chunks.layout.address);
        if header.index_block == UNDEFINED {
            return Ok(None);
        }
        let (sizes, width) = (store.sizes(), usize::from(header.element.size));
        let size = header.index_block_size(sizes);
        let id = self.block(store, header.index_block, size, size, (b"EAIB", INDEX_BLOCK), owner)?;
        let begin = 6 + usize::from(sizes.offset);
        let index = self.grid.index(scaled, owner)?;
        let Some(index) = index.checked_sub(u64::from(header.index_elements)) else {
            let at = begin + index as usize * width;
            return element_place(chunks, store, header.element, &store.bytes(id)[at..at + width]);
        };
        let number = (index / u64::from(header.min_elements) + 1).ilog2();
        if number >= header.secondaries() {
            return Err(Error::corrupt(HEADER, owner, format_args!("no room for element {index}")));
        }
        let secondary = header.secondary(number);
        let rest = index.wrapping_sub(secondary.first);
        let (block, element) = (rest / secondary.block_elements, rest % secondary.block_elements);
        let mut r = Reader::new(store.bytes(id), INDEX_BLOCK);
        r.skip(begin + usize::from(header.index_elements) * width)?;
        if number < header.first_addressed() {
            let before: u64 = (0..number).map(|number| header.secondary(number).blocks).sum();
            r.skip((before + block) as usize * usize::from(sizes.offset))?;
            let address = r.address(sizes)?;
            return self.element(chunks, store, secondary, address, element, false);
        }
        let before = header.direct_blocks() + u64::from(number - header.first_addressed());
        r.skip(before as usize * usize::from(sizes.offset))?;
        let address = r.address(sizes)?;
        if address == UNDEFINED {
            return Ok(None);
        }
        let size = self.header.secondary_size(secondary, sizes).unwrap_or(u64::MAX);
        let id = self.block(store, address, size, size, (b"EASB", SECONDARY_BLOCK), owner)?;
        let mut r = Reader::new(store.bytes(id), SECONDARY_BLOCK);
        r.skip(header.prefix_size(sizes) as usize)?;
        let bitmap = r.take(header.bitmaps_size(secondary).unwrap_or(0) as usize)?;
        let page = block * header.pages(secondary) + (element >> header.page_bits);
        let has_page = page_is_initialized(bitmap, page);
        r.skip(block as usize * usize::from(sizes.offset))?;
        let address = r.address(sizes)?;
        self.element(chunks, store, secondary, address, element, has_page)
    }

    /// An element of the data block at `address`. Where there are pages, `has_page` says whether its page was written.
    fn element(
        &self,
        chunks: &Chunks<'_>,
        store: &mut Store,
        secondary: Secondary,
        address: u64,
        element: u64,
        has_page: bool,
    ) -> Result<Option<Place>> {
        let (header, width) = (&self.header, usize::from(self.header.element.size));
        if address == UNDEFINED {
            return Ok(None);
        }
        let (sizes, prefix) = (store.sizes(), header.prefix_size(store.sizes()));
        let pages = header.pages(secondary);
        let size = header.data_block_size(secondary, sizes).unwrap_or(u64::MAX);
        let read = if pages == 0 { size } else { prefix + CHECKSUM };
        let block = (b"EADB", DATA_BLOCK);
        let mut id = self.block(store, address, read, size, block, chunks.layout.address)?;
        let mut at = prefix as usize + element as usize * width;
        if pages > 0 {
            if !has_page {
                return Ok(None);
            }
            let length = ((1u64 << header.page_bits) * width as u64) + CHECKSUM;
            let page = address + read + (element >> header.page_bits) * length;
            id = store.block(page, length, Seal::At((length - CHECKSUM) as u32), PAGE)?;
            at = (element & ((1 << header.page_bits) - 1)) as usize * width;
        }
        element_place(chunks, store, header.element, &store.bytes(id)[at..at + width])
    }

    /// A block of the array, of which the first `read` bytes of `size` are one with the checksum.
    fn block(
        &self,
        store: &mut Store,
        address: u64,
        read: u64,
        size: u64,
        (signature, what): (&[u8; 4], &'static str),
        owner: u64,
    ) -> Result<BlockId> {
        store.check_extent(address, size, what)?;
        let id = store.block(address, read, Seal::At((read - CHECKSUM) as u32), what)?;
        let mut r = Reader::new(store.bytes(id), what);
        check_block(&mut r, signature, self.header.element.client(), owner, store.sizes())?;
        Ok(id)
    }
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
                self.pages.push(address);
                let bytes = self.sealed_bytes(address, length, true, PAGE)?;
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
