//! Walking a fixed array.

use super::{Grid, Walk};
use crate::error::{Error, Result};
use crate::format::codec::Reader;
use crate::format::fixed_array::{check_block, page_is_initialized, DataBlock, ElementLayout, Header, CHECKSUM};
use crate::format::UNDEFINED;

const HEADER: &str = "fixed array header";
const DATA_BLOCK: &str = "fixed array data block";

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
                let bytes = self.sealed_bytes(address, length, true, "fixed array data block page")?;
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
