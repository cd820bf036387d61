//! Filters: those of new datasets, and the user's own, by callbacks.

use std::ffi::{c_char, c_void};
use std::mem::size_of;

use super::callback::UserData;
use super::options::flag;
use super::{guard, h5r_status, input};
use crate::error::{Error, ErrorKind, Result};
use crate::format::filter::{self, UserFilter};
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

/// Encodes or decodes the length bytes at data: writes the result to out, at most capacity bytes of it, and its length to
/// *length_out. Where the length is above capacity, what was written does not count: the call comes again with as much room
/// when it encodes, and fails when it decodes, because capacity is then what the data can become. Returns 0, or another
/// value if it cannot: encoding, an optional filter is then skipped for this chunk; else the call fails with
/// H5R_ERR_CALLBACK. It comes from any of the threads that a call may use, and from several at once. All calls of h5r that may
/// fail return H5R_ERR_REENTRANT in it. Reading, writing, appending and new dimensions call it without any lock. With the file
/// locked (as libhdf5 calls every filter), so that it must not wait for another thread's call on that file, it comes from creating a
/// dataset whose chunks are allocated early; from copying a dataset whose values lie elsewhere (of variable length, or references to
/// another file) or whose edge chunks the copy has to filter, with both files locked; and from deleting one whose values lie
/// elsewhere: where it fails then, the dataset is deleted, and what such values take stays in the file.
pub type h5r_filter_callback = Option<
    unsafe extern "C" fn(
        parameters: *const u32,
        parameter_count: usize,
        data: *const c_void,
        length: usize,
        out: *mut c_void,
        capacity: usize,
        length_out: *mut usize,
        user_data: *mut c_void,
    ) -> i32,
>;

type Callback =
    unsafe extern "C" fn(*const u32, usize, *const c_void, usize, *mut c_void, usize, *mut usize, *mut c_void) -> i32;

/// The most bytes that one chunk is stored in.
const MOST: usize = u32::MAX as usize;

/// What a callback has made, or why it has not.
type Outcome<T> = std::result::Result<T, String>;

struct Callbacks {
    encode: h5r_filter_callback,
    decode: h5r_filter_callback,
    user_data: UserData,
}

impl Callbacks {
    /// The length of the result, which is in `out` if it fits.
    fn run(&self, callback: Callback, parameters: &[u32], data: &[u8], out: &mut [u8]) -> Outcome<usize> {
        let mut length = usize::MAX;
        let (room, user_data) = (out.len(), self.user_data.get());
        // SAFETY: the user promises a function of this type, which keeps within the lengths that it is given.
        let code = unsafe {
            callback(
                parameters.as_ptr(),
                parameters.len(),
                data.as_ptr().cast(),
                data.len(),
                out.as_mut_ptr().cast(),
                room,
                &raw mut length,
                user_data,
            )
        };
        match (code, length) {
            (0, usize::MAX) => Err("its callback has said no length".into()),
            (0, length) => Ok(length),
            (code, _) => Err(format!("its callback returned {code}")),
        }
    }
}

impl UserFilter for Callbacks {
    fn directions(&self) -> (bool, bool) {
        (self.encode.is_some(), self.decode.is_some())
    }

    fn encode(&self, parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> Outcome<()> {
        let Some(encode) = self.encode else { return Err("it was registered without a callback that encodes".into()) };
        out.clear();
        out.resize(data.len() + data.len() / 8 + 4096, 0);
        let mut length = self.run(encode, parameters, data, out)?;
        if length > out.len() && length <= MOST {
            out.resize(length, 0);
            length = self.run(encode, parameters, data, out)?;
        }
        if length > out.len() {
            return Err(format!("its callback has no room for {length} bytes in {}", out.len()));
        }
        out.truncate(length);
        Ok(())
    }

    fn decode(&self, parameters: &[u32], data: &[u8], out: &mut [u8]) -> Outcome<usize> {
        let Some(decode) = self.decode else { return Err("it was registered without a callback that decodes".into()) };
        match self.run(decode, parameters, data, out)? {
            length if length > out.len() => Err(format!("its data became {length} bytes, more than {}", out.len())),
            length => Ok(length),
        }
    }
}

/// Registers a filter for all files of this process: datasets with it can then be written and read. id is 256 to 65535 and
/// none of h5r's own; name is stored with new datasets. encode or decode may be NULL: then data cannot be written, or not be
/// read. A dataset whose filter is not registered can be opened and asked, its data are refused with H5R_ERR_UNSUPPORTED.
///
/// Errors: ARGUMENT, RANGE (id), EXISTS (h5r's own or registered already), REENTRANT. Any thread. The callbacks and user_data must
/// live until h5r_filter_unregister returned.
#[no_mangle]
pub unsafe extern "C" fn h5r_filter_register(
    id: u32,
    name: *const c_char,
    encode: h5r_filter_callback,
    decode: h5r_filter_callback,
    user_data: *mut c_void,
) -> h5r_status {
    guard::call(|| {
        // SAFETY: the caller promises a NUL-terminated string or NULL.
        let name = unsafe { input::text(name, "filter name")? };
        if encode.is_none() && decode.is_none() {
            return Err(Error::new(ErrorKind::Argument, "both encode and decode are NULL; a filter needs one of them"));
        }
        let id = u16::try_from(id).map_err(|_| Error::range("filter id", id, "256..65535"))?;
        filter::register(id, name, Box::new(Callbacks { encode, decode, user_data: UserData(user_data) }))
    })
}

/// Takes a filter out. Its callbacks have returned and never come again when this returns.
///
/// Errors: NOT_FOUND, RANGE (id), REENTRANT. Any thread.
#[no_mangle]
pub extern "C" fn h5r_filter_unregister(id: u32) -> h5r_status {
    guard::call(|| {
        let id = u16::try_from(id).map_err(|_| Error::range("filter id", id, "256..65535"))?;
        filter::unregister(id)
    })
}
