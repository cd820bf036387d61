//! The filters of new datasets.

use std::mem::size_of;

use super::input;
use super::options::flag;
use crate::error::{Error, ErrorKind, Result};
use crate::object::dataset::NewFilter;

/// A filter of a new dataset.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_filter {
    /// Its registered number, H5R_FILTER_... .
    pub id: u32,
    /// 1: a chunk that it cannot keep is stored without it; 0: writing such a chunk fails.
    pub optional: u32,
    /// Its parameters; NULL: what it needs is filled in.
    pub parameters: *const u32,
    /// How many parameters there are.
    pub parameter_count: usize,
}

/// Deflate, in zlib's format; its parameter is the level, 1 to 9.
pub const H5R_FILTER_DEFLATE: u32 = 1;
/// The bytes of elements are sorted by their weight; its parameter is the bytes of an element.
pub const H5R_FILTER_SHUFFLE: u32 = 2;
/// A checksum, which is verified by reading.
pub const H5R_FILTER_FLETCHER32: u32 = 3;
/// Szip, through libsz of libaec, which must be on the machine (Debian: libsz2). Its parameters are 4 (entropy coding) or 32
/// (nearest neighbour), and an even number of values of a block up to 32; none: 32 and 8. If the filter is not optional, a write
/// of data that it does not make smaller fails.
pub const H5R_FILTER_SZIP: u32 = 4;
/// Numbers without the bits that mean nothing by their type. It takes no parameters.
pub const H5R_FILTER_NBIT: u32 = 5;
/// Numbers less their least, in as few bits as they need. Its parameters are H5R_SCALE_OFFSET_INTEGER and the number of bits
/// (0, or no parameters at all for integers: as few as each chunk needs), or H5R_SCALE_OFFSET_DECIMAL and the decimal digits that
/// floats keep. A write of values that do not fit fails; if the filter is optional, their chunk is stored without it.
pub const H5R_FILTER_SCALE_OFFSET: u32 = 6;
/// LZF, as h5py has it.
pub const H5R_FILTER_LZF: u32 = 32000;
/// Blosc 1. Its parameters are seven, as its plugin for libhdf5 has them: four that are filled in, the level (0 to 9), the shuffle (0
/// none, 1 bytes, 2 bits), and the compressor (0 BloscLZ, 1 LZ4, 2 LZ4HC, 4 zlib, 5 Zstandard); none: 5, 1 and 0.
/// Written by h5r, 2 is the same as 1 (one format, which LZ4HC spends more time on), and the level counts for zlib and Zstandard; 0 stores.
pub const H5R_FILTER_BLOSC: u32 = 32001;
/// Bitshuffle. Its parameters are the elements of a block (a multiple of 8; 0: about 8 KiB), the compression (0 none, 2 LZ4,
/// 3 Zstandard), and for Zstandard the level; none: 0 and 2.
pub const H5R_FILTER_BITSHUFFLE: u32 = 32008;
/// LZ4; its parameter is the bytes of a block, 0 for one block.
pub const H5R_FILTER_LZ4: u32 = 32004;
/// Zstandard; its parameter is the level.
pub const H5R_FILTER_ZSTD: u32 = 32015;

/// First parameter of H5R_FILTER_SCALE_OFFSET: the second is decimal digits of floats.
pub const H5R_SCALE_OFFSET_DECIMAL: u32 = 0;
/// First parameter of H5R_FILTER_SCALE_OFFSET: the second is bits of integers.
pub const H5R_SCALE_OFFSET_INTEGER: u32 = 2;

/// The filters of a new dataset.
///
/// # Safety
/// `filters` is NULL or has `count` entries, whose parameters are as they say.
pub(super) unsafe fn new_filters(filters: *const h5r_filter, count: usize) -> Result<Vec<NewFilter>> {
    if count > 32 {
        return Err(Error::range("filter_count", count, "0..32"));
    }
    if filters.is_null() && count > 0 {
        return Err(Error::new(ErrorKind::Argument, "filters is NULL, and filter_count is not 0"));
    }
    let read = |number| {
        // SAFETY: as promised by the caller.
        let filter = unsafe { *filters.add(number) };
        let id = u16::try_from(filter.id).map_err(|_| Error::range("filter id", filter.id, "1..65535"))?;
        let optional = flag("filter optional", filter.optional as i32)?;
        let bytes = input::byte_length(&[filter.parameter_count.min(1 << 16) as u64], size_of::<u32>())?;
        // SAFETY: as promised by the caller.
        let bytes = unsafe { input::bytes(filter.parameters.cast(), bytes, "filter parameters")? };
        let parameters = bytes.as_chunks().0.iter().map(|&value| u32::from_ne_bytes(value)).collect();
        Ok(NewFilter { id, optional, parameters })
    };
    (0..count).map(read).collect()
}
