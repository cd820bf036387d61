//! The fixed array chunk index (specification III.G, "Fixed Array Index"): header and data block.

use super::codec::{Reader, Writer};
use super::Sizes;
use crate::error::Result;

/// Bytes of a checksum.
pub const CHECKSUM: u64 = 4;

/// What an element of a chunk index array is (the arrays' "client ID").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementLayout {
    /// Bytes of an element.
    pub size: u8,
    /// Whether it also has a filtered chunk's size and mask.
    pub filtered: bool,
}

/// A chunk as an array's element gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// The chunk's address.
    pub address: u64,
    /// Its size after the filters, if it has any, and which filters were skipped.
    pub filtered: Option<(u64, u32)>,
}

impl ElementLayout {
    /// Checks a client ID and an element size against each other.
    pub fn new(reader: &Reader<'_>, client: u8, size: u8, sizes: Sizes) -> Result<Self> {
        let filtered = match client {
            0 => size == sizes.offset,
            1 => (1..=8).contains(&(i32::from(size) - i32::from(sizes.offset) - 4)),
            _ => return Err(reader.error(format_args!("client {client}"))),
        };
        if !filtered {
            return Err(reader.error(format_args!("elements of {size} bytes for client {client}")));
        }
        Ok(ElementLayout { size, filtered: client == 1 })
    }

    /// The client ID.
    pub fn client(self) -> u8 {
        u8::from(self.filtered)
    }

    /// Decodes one element.
    pub fn decode(self, bytes: &[u8], sizes: Sizes) -> Result<Element> {
        let mut r = Reader::new(bytes, "chunk index element");
        let address = r.address(sizes)?;
        let width = usize::from(self.size).saturating_sub(usize::from(sizes.offset) + 4);
        let filtered = if self.filtered { Some((r.uint(width)?, r.u32()?)) } else { None };
        Ok(Element { address, filtered })
    }
}

/// The header (`FAHD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The elements.
    pub element: ElementLayout,
    /// log2 of the elements in a data block page.
    pub page_bits: u8,
    /// Elements in the array.
    pub elements: u64,
    /// The data block, undefined when no chunk was ever written.
    pub data_block: u64,
}

impl Header {
    /// Bytes of a header.
    pub fn size(sizes: Sizes) -> u64 {
        8 + u64::from(sizes.length) + u64::from(sizes.offset) + CHECKSUM
    }

    /// Decodes a header.
    pub fn parse(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut r = Reader::new(bytes, "fixed array header");
        r.signature(b"FAHD")?;
        let (version, client, size, page_bits) = (r.u8()?, r.u8()?, r.u8()?, r.u8()?);
        if version != 0 || page_bits == 0 || page_bits > 32 {
            return Err(r.error(format_args!("version {version}, pages of 2^{page_bits} elements")));
        }
        let element = ElementLayout::new(&r, client, size, sizes)?;
        Ok(Header { element, page_bits, elements: r.length(sizes)?, data_block: r.address(sizes)? })
    }

    /// Encodes a header; its checksum is still to be computed.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(b"FAHD").u8(0).u8(self.element.client()).u8(self.element.size).u8(self.page_bits);
        w.length(self.elements, sizes).address(self.data_block, sizes).zeros(CHECKSUM as usize);
        w.finish()
    }

    /// How the data block is laid out; an error when its size is beyond 2^63.
    pub fn data_block(&self, sizes: Sizes) -> Option<DataBlock> {
        let page_elements = 1u64 << self.page_bits;
        let pages = if self.elements > page_elements { self.elements.div_ceil(page_elements) } else { 0 };
        let prefix = 6 + u64::from(sizes.offset) + pages.div_ceil(8) + CHECKSUM;
        let elements = self.elements.checked_mul(u64::from(self.element.size))?;
        let size = elements.checked_add(pages.checked_mul(CHECKSUM)?)?.checked_add(prefix)?;
        let elements_begin = prefix - CHECKSUM;
        (size < i64::MAX as u64).then_some(DataBlock { size, pages, page_elements, prefix, elements_begin })
    }
}

/// Where things are in a data block (`FADB`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataBlock {
    /// Bytes of all of it, its pages included.
    pub size: u64,
    /// Its pages; 0 when the elements stand in the block itself.
    pub pages: u64,
    /// Elements in a page but the last.
    pub page_elements: u64,
    /// Bytes before the first page, their checksum included.
    pub prefix: u64,
    /// Where the elements of a block without pages begin.
    pub elements_begin: u64,
}

/// Checks the beginning of a block of an array: signature, version, client, and the header that it belongs to.
pub fn check_block(r: &mut Reader<'_>, signature: &[u8; 4], client: u8, header: u64, sizes: Sizes) -> Result<()> {
    r.signature(signature)?;
    let (version, found, owner) = (r.u8()?, r.u8()?, r.address(sizes)?);
    if version != 0 || found != client || owner != header {
        let detail = format_args!("version {version}, client {found}, header {owner:#x}, not 0, {client}, {header:#x}");
        return Err(r.error(detail));
    }
    Ok(())
}

/// Sets a bit of a page bitmap.
pub fn set_page_initialized(bitmap: &mut [u8], page: u64) {
    if let Some(byte) = bitmap.get_mut((page / 8) as usize) {
        *byte |= 0x80 >> (page % 8);
    }
}

/// Whether a bit of a page bitmap is set; the first is the highest of the first byte.
pub fn page_is_initialized(bitmap: &[u8], page: u64) -> bool {
    bitmap.get((page / 8) as usize).is_some_and(|byte| byte & (0x80 >> (page % 8)) != 0)
}
