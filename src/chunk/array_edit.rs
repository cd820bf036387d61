//! Changing the array indexes: their blocks are cached blocks of the store, made when their first chunk comes.

use super::extensible_array::{self, ExtensibleArray};
use super::fixed_array::{self, FixedArray};
use super::index::Place;
use super::Chunks;
use crate::error::{Error, ErrorKind, Result};
use crate::format::codec::Reader;
use crate::format::extensible_array::Secondary;
use crate::format::fixed_array::{page_is_initialized, set_page_initialized, ElementLayout, CHECKSUM};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Seal, Store};

/// A block of an array that is about to be made.
struct NewBlock {
    signature: &'static [u8; 4],
    /// Bytes that stand before what it holds.
    prefix: usize,
    /// Where in the array it begins, for blocks that say so.
    offset: Option<(u64, usize)>,
}

/// Fills the places of absent chunks.
fn clear(bytes: &mut [u8], layout: ElementLayout, store_offset: usize) {
    for element in bytes.chunks_exact_mut(usize::from(layout.size)) {
        element.fill(0);
        element[..store_offset].fill(0xff);
    }
}

/// Enters a chunk, or that there is none, in an element.
fn enter(bytes: &mut [u8], layout: ElementLayout, store_offset: usize, place: Option<Place>) -> Result<()> {
    clear(bytes, layout, store_offset);
    let Some(place) = place else { return Ok(()) };
    bytes[..store_offset].copy_from_slice(&place.address.to_le_bytes()[..store_offset]);
    if layout.filtered {
        let width = bytes.len() - store_offset - 4;
        if width < 8 && place.size >> (8 * width) != 0 {
            return Err(Error::internal(format_args!("a chunk of {} bytes in an index for {width} bytes", place.size)));
        }
        bytes[store_offset..store_offset + width].copy_from_slice(&place.size.to_le_bytes()[..width]);
        bytes[store_offset + width..].copy_from_slice(&place.filter_mask.to_le_bytes());
    }
    Ok(())
}

/// Makes a block of an array, whose first `sealed` bytes of `size` are one with the checksum.
fn make_block(
    store: &mut Store,
    new: &NewBlock,
    layout: ElementLayout,
    owner: u64,
    sealed: u64,
    size: u64,
) -> Result<(BlockId, u64)> {
    let address = store.allocate(size)?;
    let id = store.create_block_at(address, sealed as usize, Seal::At((sealed - CHECKSUM) as u32));
    let width = usize::from(store.sizes().offset);
    let bytes = store.bytes_mut(id);
    bytes[..4].copy_from_slice(new.signature);
    bytes[5] = layout.client();
    bytes[6..6 + width].copy_from_slice(&owner.to_le_bytes()[..width]);
    if let Some((offset, size)) = new.offset {
        bytes[6 + width..6 + width + size].copy_from_slice(&offset.to_le_bytes()[..size]);
    }
    Ok((id, address))
}

/// Makes a page without chunks.
fn make_page(store: &mut Store, address: u64, elements: u64, layout: ElementLayout) -> BlockId {
    let width = usize::from(store.sizes().offset);
    let id = store.create_block_at(address, (elements + CHECKSUM) as usize, Seal::At(elements as u32));
    clear(&mut store.bytes_mut(id)[..elements as usize], layout, width);
    id
}

impl FixedArray {
    /// Enters a chunk, or that there is none.
    pub(super) fn set(
        &mut self,
        chunks: &Chunks<'_>,
        store: &mut Store,
        scaled: &[u64],
        place: Option<Place>,
    ) -> Result<()> {
        let owner = chunks.layout.address;
        let index = self.grid.index(scaled, owner)?;
        let (layout, block, offset) = (self.header.element, self.block, usize::from(store.sizes().offset));
        let width = usize::from(layout.size);
        let read = if block.pages == 0 { block.size } else { block.prefix };
        let id = if self.header.data_block == UNDEFINED {
            let new = NewBlock { signature: b"FADB", prefix: block.elements_begin as usize, offset: None };
            let (id, address) = make_block(store, &new, layout, owner, read, block.size)?;
            if block.pages == 0 {
                let end = (block.size - CHECKSUM) as usize;
                clear(&mut store.bytes_mut(id)[new.prefix..end], layout, offset);
            }
            self.header.data_block = address;
            self.write_header(store, owner)?;
            id
        } else {
            store.block(self.header.data_block, read, Seal::At((read - CHECKSUM) as u32), fixed_array::DATA_BLOCK)?
        };
        if block.pages == 0 {
            let at = block.elements_begin as usize + index as usize * width;
            return enter(&mut store.bytes_mut(id)[at..at + width], layout, offset, place);
        }
        let (page, number) = (index / block.page_elements, (index % block.page_elements) as usize);
        let before = page * block.page_elements;
        let address = self.header.data_block + block.prefix + before * width as u64 + page * CHECKSUM;
        let elements = block.page_elements.min(self.header.elements - before) * width as u64;
        let bitmap = 6 + offset;
        let id = if page_is_initialized(&store.bytes(id)[bitmap..], page) {
            store.block(address, elements + CHECKSUM, Seal::At(elements as u32), fixed_array::PAGE)?
        } else {
            set_page_initialized(&mut store.bytes_mut(id)[bitmap..], page);
            make_page(store, address, elements, layout)
        };
        enter(&mut store.bytes_mut(id)[number * width..(number + 1) * width], layout, offset, place)
    }

    fn write_header(&self, store: &mut Store, address: u64) -> Result<()> {
        let bytes = self.header.encode(store.sizes());
        let seal = Seal::At((bytes.len() - CHECKSUM as usize) as u32);
        let id = store.block(address, bytes.len() as u64, seal, fixed_array::HEADER)?;
        store.bytes_mut(id).copy_from_slice(&bytes);
        Ok(())
    }
}

impl ExtensibleArray {
    /// Enters a chunk, or that there is none.
    pub(super) fn set(
        &mut self,
        chunks: &Chunks<'_>,
        store: &mut Store,
        scaled: &[u64],
        place: Option<Place>,
    ) -> Result<()> {
        let owner = chunks.layout.address;
        let index = self.grid.index(scaled, owner)?;
        let (layout, offset) = (self.header.element, usize::from(store.sizes().offset));
        let width = usize::from(layout.size);
        let room = self.header.max_bits >= 64 || index >> self.header.max_bits == 0;
        if !room {
            let message = format!("chunk {index} is beyond the 2^{} of its index", self.header.max_bits);
            return Err(Error::new(crate::error::ErrorKind::Limit, message));
        }
        let id = self.index_block(store, owner)?;
        if index >= self.header.counts[MAX_INDEX] {
            self.header.counts[MAX_INDEX] = index + 1;
            self.write_header(store, owner)?;
        }
        let begin = 6 + offset;
        let Some(index) = index.checked_sub(u64::from(self.header.index_elements)) else {
            let at = begin + index as usize * width;
            return enter(&mut store.bytes_mut(id)[at..at + width], layout, offset, place);
        };
        let number = (index / u64::from(self.header.min_elements) + 1).ilog2();
        let secondary = self.header.secondary(number);
        let rest = index.wrapping_sub(secondary.first);
        let (block, element) = (rest / secondary.block_elements, rest % secondary.block_elements);
        let pointers = begin + usize::from(self.header.index_elements) * width;
        if number < self.header.first_addressed() {
            let before: u64 = (0..number).map(|number| self.header.secondary(number).blocks).sum();
            let at = pointers + (before + block) as usize * offset;
            let address = self.data_block(store, owner, id, at, secondary, block)?;
            return self.enter_element(store, secondary, address, element, None, place);
        }
        let before = self.header.direct_blocks() + u64::from(number - self.header.first_addressed());
        let id = self.secondary_block(store, owner, id, pointers + before as usize * offset, secondary)?;
        let prefix = self.header.prefix_size(store.sizes()) as usize;
        let bitmaps = self.header.bitmaps_size(secondary).unwrap_or(0) as usize;
        let at = prefix + bitmaps + block as usize * offset;
        let address = self.data_block(store, owner, id, at, secondary, block)?;
        let page = block * self.header.pages(secondary) + (element >> self.header.page_bits);
        self.enter_element(store, secondary, address, element, Some((id, prefix, page)), place)
    }

    /// The index block, made if need be.
    fn index_block(&mut self, store: &mut Store, owner: u64) -> Result<BlockId> {
        let (sizes, layout) = (store.sizes(), self.header.element);
        let size = self.header.index_block_size(sizes);
        if self.header.index_block != UNDEFINED {
            let seal = Seal::At((size - CHECKSUM) as u32);
            return store.block(self.header.index_block, size, seal, extensible_array::INDEX_BLOCK);
        }
        let begin = 6 + usize::from(sizes.offset);
        let new = NewBlock { signature: b"EAIB", prefix: begin, offset: None };
        let (id, address) = make_block(store, &new, layout, owner, size, size)?;
        let elements = usize::from(self.header.index_elements) * usize::from(layout.size);
        let bytes = store.bytes_mut(id);
        clear(&mut bytes[begin..begin + elements], layout, usize::from(sizes.offset));
        bytes[begin + elements..(size - CHECKSUM) as usize].fill(0xff);
        self.header.index_block = address;
        self.count(ELEMENTS, u64::from(self.header.index_elements))?;
        self.write_header(store, owner)?;
        Ok(id)
    }

    /// Adds to one of the header's statistics, which a damaged file may have at any value.
    fn count(&mut self, which: usize, more: u64) -> Result<()> {
        let count = &mut self.header.counts[which];
        *count = count
            .checked_add(more)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "a count of an extensible array is damaged"))?;
        Ok(())
    }

    /// The secondary block whose address stands in the index block at this position, made if need be.
    fn secondary_block(
        &mut self,
        store: &mut Store,
        owner: u64,
        index_block: BlockId,
        at: usize,
        secondary: Secondary,
    ) -> Result<BlockId> {
        let sizes = store.sizes();
        let size = self.header.secondary_size(secondary, sizes).unwrap_or(u64::MAX);
        let found = address_at(store, index_block, at)?;
        if found != UNDEFINED {
            return store.block(found, size, Seal::At((size - CHECKSUM) as u32), extensible_array::SECONDARY_BLOCK);
        }
        let prefix = self.header.prefix_size(sizes) as usize;
        let offset = Some((secondary.first, prefix - 6 - usize::from(sizes.offset)));
        let new = NewBlock { signature: b"EASB", prefix, offset };
        let (id, address) = make_block(store, &new, self.header.element, owner, size, size)?;
        let begin = prefix + self.header.bitmaps_size(secondary).unwrap_or(0) as usize;
        store.bytes_mut(id)[begin..(size - CHECKSUM) as usize].fill(0xff);
        put_address(store, index_block, at, address);
        self.count(SECONDARIES, 1)?;
        self.count(SECONDARY_BYTES, size)?;
        self.write_header(store, owner)?;
        Ok(id)
    }

    /// The address of the data block that stands in another block at this position, made if need be.
    fn data_block(
        &mut self,
        store: &mut Store,
        owner: u64,
        parent: BlockId,
        at: usize,
        secondary: Secondary,
        block: u64,
    ) -> Result<u64> {
        let found = address_at(store, parent, at)?;
        if found != UNDEFINED {
            return Ok(found);
        }
        let (sizes, layout) = (store.sizes(), self.header.element);
        let prefix = self.header.prefix_size(sizes) as usize;
        let first = secondary.first + block * secondary.block_elements;
        let size = self.header.data_block_size(secondary, sizes).unwrap_or(u64::MAX);
        let is_paged = self.header.pages(secondary) > 0;
        let sealed = if is_paged { prefix as u64 + CHECKSUM } else { size };
        let offset = Some((first, prefix - 6 - usize::from(sizes.offset)));
        let new = NewBlock { signature: b"EADB", prefix, offset };
        let (id, address) = make_block(store, &new, layout, owner, sealed, size)?;
        if !is_paged {
            let end = (size - CHECKSUM) as usize;
            clear(&mut store.bytes_mut(id)[prefix..end], layout, usize::from(sizes.offset));
        }
        put_address(store, parent, at, address);
        self.count(DATA_BLOCKS, 1)?;
        self.count(DATA_BYTES, size)?;
        self.count(ELEMENTS, secondary.block_elements)?;
        self.write_header(store, owner)?;
        Ok(address)
    }

    /// Enters a chunk in a data block. Of a block in pages, `page` is the secondary block, where its bitmaps begin, and
    /// the number of the page.
    fn enter_element(
        &self,
        store: &mut Store,
        secondary: Secondary,
        address: u64,
        element: u64,
        page: Option<(BlockId, usize, u64)>,
        place: Option<Place>,
    ) -> Result<()> {
        let (sizes, layout) = (store.sizes(), self.header.element);
        let (offset, width) = (usize::from(sizes.offset), usize::from(layout.size));
        let prefix = self.header.prefix_size(sizes);
        let Some((bitmaps, begin, page)) = page.filter(|_| self.header.pages(secondary) > 0) else {
            let size = self.header.data_block_size(secondary, sizes).unwrap_or(u64::MAX);
            let seal = Seal::At((size - CHECKSUM) as u32);
            let id = store.block(address, size, seal, extensible_array::DATA_BLOCK)?;
            let at = prefix as usize + element as usize * width;
            return enter(&mut store.bytes_mut(id)[at..at + width], layout, offset, place);
        };
        let elements = (1u64 << self.header.page_bits) * width as u64;
        let at = address + prefix + CHECKSUM + (element >> self.header.page_bits) * (elements + CHECKSUM);
        let id = if page_is_initialized(&store.bytes(bitmaps)[begin..], page) {
            store.block(at, elements + CHECKSUM, Seal::At(elements as u32), extensible_array::PAGE)?
        } else {
            set_page_initialized(&mut store.bytes_mut(bitmaps)[begin..], page);
            make_page(store, at, elements, layout)
        };
        let at = (element & ((1 << self.header.page_bits) - 1)) as usize * width;
        enter(&mut store.bytes_mut(id)[at..at + width], layout, offset, place)
    }

    fn write_header(&self, store: &mut Store, address: u64) -> Result<()> {
        let bytes = self.header.encode(store.sizes());
        let seal = Seal::At((bytes.len() - CHECKSUM as usize) as u32);
        let id = store.block(address, bytes.len() as u64, seal, extensible_array::HEADER)?;
        store.bytes_mut(id).copy_from_slice(&bytes);
        Ok(())
    }
}

/// Positions in an extensible array's counts.
const SECONDARIES: usize = 0;
const SECONDARY_BYTES: usize = 1;
const DATA_BLOCKS: usize = 2;
const DATA_BYTES: usize = 3;
const MAX_INDEX: usize = 4;
const ELEMENTS: usize = 5;

fn address_at(store: &Store, id: BlockId, at: usize) -> Result<u64> {
    let mut r = Reader::new(store.bytes(id), extensible_array::INDEX_BLOCK);
    r.skip(at)?;
    r.address(store.sizes())
}

fn put_address(store: &mut Store, id: BlockId, at: usize, address: u64) {
    let width = usize::from(store.sizes().offset);
    store.bytes_mut(id)[at..at + width].copy_from_slice(&address.to_le_bytes()[..width]);
}
