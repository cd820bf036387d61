//! The fixed array.

use super::index::{element_place, Place};
use super::{Chunks, Grid, Walk};
use crate::error::{Error, Result};
use crate::format::codec::Reader;
use crate::format::fixed_array::{check_block, page_is_initialized, DataBlock, ElementLayout, Header, CHECKSUM};
use crate::format::UNDEFINED;
use crate::store::{Seal, Store};

pub(super) const HEADER: &str = "fixed array header";
pub(super) const DATA_BLOCK: &str = "fixed array data block";
pub(super) const PAGE: &str = "fixed array data block page";

/// An open fixed array.
#[derive(Debug, Clone)]
pub struct FixedArray {
    pub(super) header: Header,
    pub(super) block: DataBlock,
    pub(super) grid: Grid,
}

impl FixedArray {
    pub(super) fn open(chunks: &Chunks<'_>, store: &mut Store) -> Result<Self> {
        let (sizes, address) = (store.sizes(), chunks.layout.address);
        let size = Header::size(sizes);
        let id = store.block(address, size, Seal::At((size - CHECKSUM) as u32), HEADER)?;
        let header = Header::parse(store.bytes(id), sizes)?;
        let grid = Grid::new(chunks, None)?;
        let block = header.data_block(sizes).filter(|_| grid.total == Some(header.elements));
        let Some(block) = block else {
            let detail = format_args!("{} elements do not fit the dataspace", header.elements);
            return Err(Error::corrupt(HEADER, address, detail));
        };
        Ok(FixedArray { header, block, grid })
    }

    pub(super) fn find(&self, chunks: &Chunks<'_>, store: &mut Store, scaled: &[u64]) -> Result<Option<Place>> {
        let (header, block) = (&self.header, &self.block);
        if header.data_block == UNDEFINED {
            return Ok(None);
        }
        let index = self.grid.index(scaled, chunks.layout.address)?;
        let read = if block.pages == 0 { block.size } else { block.prefix };
        store.check_extent(header.data_block, block.size, DATA_BLOCK)?;
        let id = store.block(header.data_block, read, Seal::At((read - CHECKSUM) as u32), DATA_BLOCK)?;
        let mut r = Reader::new(store.bytes(id), DATA_BLOCK);
        check_block(&mut r, b"FADB", header.element.client(), chunks.layout.address, store.sizes())?;
        let width = usize::from(header.element.size);
        if block.pages == 0 {
            let at = block.elements_begin as usize + index as usize * width;
            return element_place(chunks, store, header.element, &store.bytes(id)[at..at + width]);
        }
        let (page, number) = (index / block.page_elements, (index % block.page_elements) as usize);
        if !page_is_initialized(r.take(block.pages.div_ceil(8) as usize)?, page) {
            return Ok(None);
        }
        let before = page * block.page_elements;
        let address = header.data_block + block.prefix + before * width as u64 + page * CHECKSUM;
        let elements = block.page_elements.min(header.elements - before) * width as u64;
        let id = store.block(address, elements + CHECKSUM, Seal::At(elements as u32), PAGE)?;
        element_place(chunks, store, header.element, &store.bytes(id)[number * width..(number + 1) * width])
    }
}

impl Walk<'_, '_> {
    pub(super) fn fixed_array(&mut self) -> Result<()> {
        let (sizes, address) = (self.store.sizes(), self.chunks.layout.address);
        let size = Header::size(sizes);
        let header = Header::parse(&self.index_block(address, size, size, true, HEADER)?, sizes)?;
        if header.data_block == UNDEFINED {
            return Ok(());
        }
        let grid = Grid::new(self.chunks, None)?;
        if grid.total != Some(header.elements) {
            return Err(Error::corrupt(
                HEADER,
                address,
                format_args!("{} elements do not fit the dataspace", header.elements),
            ));
        }
        let Some(layout) = header.data_block(sizes) else {
            return Err(Error::corrupt(HEADER, address, format_args!("{} elements", header.elements)));
        };
        let read = if layout.pages == 0 { layout.size } else { layout.prefix };
        let block = self.index_block(header.data_block, read, layout.size, true, DATA_BLOCK)?;
        let mut r = Reader::new(&block, DATA_BLOCK);
        check_block(&mut r, b"FADB", header.element.client(), address, sizes)?;
        if layout.pages == 0 {
            let elements = r.take(header.elements as usize * usize::from(header.element.size))?;
            return self.elements(elements, header.element, 0, &grid);
        }
        let bitmap = r.take(layout.pages.div_ceil(8) as usize)?;
        self.fixed_array_pages(&header, layout, bitmap, &grid)
    }

    fn fixed_array_pages(&mut self, header: &Header, layout: DataBlock, bitmap: &[u8], grid: &Grid) -> Result<()> {
        let mut address = header.data_block + layout.prefix;
        for page in 0..layout.pages {
            let first = page * layout.page_elements;
            let count = layout.page_elements.min(header.elements - first);
            let length = count * u64::from(header.element.size) + CHECKSUM;
            if page_is_initialized(bitmap, page) {
                self.pages.push(address);
                let bytes = self.sealed_bytes(address, length, true, PAGE)?;
                self.elements(&bytes[..bytes.len() - CHECKSUM as usize], header.element, first, grid)?;
            }
            address += length;
        }
        Ok(())
    }

    /// Reports the chunks of a run of elements that begins with the element `first`.
    pub(super) fn elements(&mut self, bytes: &[u8], layout: ElementLayout, first: u64, grid: &Grid) -> Result<()> {
        let sizes = self.store.sizes();
        for (index, element) in (first..).zip(bytes.chunks_exact(usize::from(layout.size))) {
            let element = layout.decode(element, sizes)?;
            if element.address == UNDEFINED {
                continue;
            }
            let (size, mask) = match element.filtered {
                Some(filtered) => filtered,
                None => (self.chunks.chunk_bytes()?, 0),
            };
            let scaled = grid.scaled(index, self.chunks.layout.address)?;
            self.chunk(element.address, size, mask, &scaled[..grid.rank])?;
        }
        Ok(())
    }
}
