//! Chunks as they are stored.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};

use super::options::{self, Versioned};
use super::{callback, guard, h5r_object, h5r_status, input};
use crate::error::{Error, ErrorKind, Result};
use crate::object::dataset::ChunkInfo;
use crate::object::Object;

/// What h5r_chunk_info and h5r_chunk_iterate say of a chunk. Start from H5R_CHUNK_DETAILS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_chunk_details {
    /// sizeof(h5r_chunk_details), set by the INIT macro.
    pub struct_size: usize,
    /// Where the chunk is, from the file's first byte that is HDF5's (behind a user block).
    pub address: u64,
    /// Its bytes in the file.
    pub size: u64,
    /// Number of dimensions.
    pub rank: u64,
    /// Bit n set: the n-th filter (from 0) was skipped.
    pub filter_mask: u32,
    /// 0; for later use.
    pub reserved: u32,
    /// Its first element, rank of them.
    pub offset: [u64; input::H5R_MAX_RANK],
}

// SAFETY: repr(C), integers only; the assertion below says that there is no padding.
unsafe impl Versioned for h5r_chunk_details {
    const NAME: &'static str = "chunk_details";
    const FIRST_SIZE: usize = 296;
    const INIT: Self = h5r_chunk_details {
        struct_size: size_of::<Self>(),
        address: 0,
        size: 0,
        rank: 0,
        filter_mask: 0,
        reserved: 0,
        offset: [0; input::H5R_MAX_RANK],
    };
}

/// What h5r_chunk_cache_info says of a dataset's chunk cache. Start from H5R_CHUNK_CACHE_DETAILS_INIT. The counts begin anew when
/// the dataset's last handle is closed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_chunk_cache_details {
    /// sizeof(h5r_chunk_cache_details), set by the INIT macro.
    pub struct_size: usize,
    /// Bytes that it may take, unless a single chunk is larger.
    pub bound: u64,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Chunks in it.
    pub chunks: u64,
    /// Those of them that are not written yet.
    pub unwritten: u64,
    /// Chunks that a call looked for in it, and found.
    pub hits: u64,
    /// Chunks that a call looked for in it, and did not find.
    pub misses: u64,
    /// Chunks that were displaced.
    pub displaced: u64,
}

// SAFETY: as above.
unsafe impl Versioned for h5r_chunk_cache_details {
    const NAME: &'static str = "chunk_cache_details";
    const FIRST_SIZE: usize = 64;
    const INIT: Self = h5r_chunk_cache_details {
        struct_size: size_of::<Self>(),
        bound: 0,
        bytes: 0,
        chunks: 0,
        unwritten: 0,
        hits: 0,
        misses: 0,
        displaced: 0,
    };
}

const _: () = {
    assert!(size_of::<h5r_chunk_cache_details>() == h5r_chunk_cache_details::FIRST_SIZE);
    assert!(size_of::<h5r_chunk_details>() == h5r_chunk_details::FIRST_SIZE);
    assert!(size_of::<h5r_chunk_details>() == offset_of!(h5r_chunk_details, offset) + 8 * input::H5R_MAX_RANK);
};

/// Visits a chunk; 0 goes on, a positive value stops, a negative one fails.
pub type h5r_chunk_visit = Option<unsafe extern "C" fn(chunk: *const h5r_chunk_details, user_data: *mut c_void) -> i32>;

fn details(info: &ChunkInfo) -> Result<h5r_chunk_details> {
    let mut details =
        h5r_chunk_details { address: info.address, size: info.size, filter_mask: info.filter_mask, ..Versioned::INIT };
    details.rank = input::extents_out(&info.offset, &mut details.offset)?;
    Ok(details)
}

/// The first element of a chunk: as many numbers as the dataset has dimensions.
///
/// # Safety
/// `offset` is NULL or points to as many values.
unsafe fn offset<'a>(object: &Object, offset: *const u64) -> Result<&'a [u64]> {
    let rank = object.dataset_dims()?.unwrap_or_default().len();
    // SAFETY: as promised by the caller.
    unsafe { input::dims(rank, offset, "offset") }
}

/// Describes the stored chunk whose first element is at `offset`, one number per dimension, in `info_out`, which the caller
/// initialised with H5R_CHUNK_DETAILS_INIT.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE (no chunk can begin there), NOT_FOUND (none was written there), WRONG_KIND (not
/// chunked), CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_chunk_info(
    dataset: *mut h5r_object,
    offset: *const u64,
    info_out: *mut h5r_chunk_details,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (offset, out) = unsafe { (self::offset(object, offset)?, options::output(info_out, "info_out")?) };
        out.set(details(&object.chunk_info(offset)?)?);
        Ok(())
    })
}

/// Reads the stored chunk whose first element is at `offset` into `buffer` of `capacity` bytes, as the file has it: filters are
/// not undone. Stores its bytes in `length_out` and the mask of skipped filters in `filter_mask_out`; either may be NULL.
/// Capacity 0 asks for these only.
///
/// Errors: as h5r_chunk_info, TOO_SMALL. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_chunk_read(
    dataset: *mut h5r_object,
    offset: *const u64,
    buffer: *mut c_void,
    capacity: usize,
    length_out: *mut usize,
    filter_mask_out: *mut u32,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let offset = unsafe { self::offset(object, offset)? };
        let info = match capacity {
            0 => object.chunk_info(offset)?,
            // SAFETY: as above.
            _ => object.chunk_read(offset, unsafe { input::bytes_mut(buffer, capacity, "buffer")? })?,
        };
        // SAFETY: as above.
        if let Some(length) = unsafe { length_out.as_mut() } {
            *length = info.size as usize;
        }
        // SAFETY: as above.
        if let Some(mask) = unsafe { filter_mask_out.as_mut() } {
            *mask = info.filter_mask;
        }
        Ok(())
    })
}

/// Stores `length` bytes as the chunk whose first element is at `offset`, as if the dataset's filters had made them; bit n of
/// `filter_mask` says that the n-th filter was skipped. What the filters make of it is not checked.
///
/// A mask that is not 0 is a trap where libhdf5 (seen with 2.0.0) changes the file later: overwriting a chunk with as many
/// bytes it keeps the mask, and a chunk that was stored unfiltered becomes garbage when it happens to compress to its own size.
///
/// Errors: as h5r_chunk_info (but NOT_FOUND), RANGE (also a length or mask that cannot be), READ_ONLY, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_chunk_write(
    dataset: *mut h5r_object,
    offset: *const u64,
    filter_mask: u32,
    data: *const c_void,
    length: usize,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (offset, data) = unsafe { (self::offset(object, offset)?, input::bytes(data, length, "data")?) };
        object.chunk_write(offset, filter_mask, data)
    })
}

/// Calls `visit` with each stored chunk that the dataset has now, in the order of its index; no lock is held meanwhile. The
/// details live as long as the visit.
///
/// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND, CALLBACK (`visit` returned a negative value), CORRUPT, IO. Any thread; `visit`
/// runs on this one.
#[no_mangle]
pub unsafe extern "C" fn h5r_chunk_iterate(
    dataset: *mut h5r_object,
    visit: h5r_chunk_visit,
    user_data: *mut c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, file| {
        let visit = visit.ok_or_else(|| Error::new(ErrorKind::Argument, "visit is NULL"))?;
        for chunk in object.chunks()? {
            let details = details(&chunk)?;
            // SAFETY: the user's function, with details that live through the call.
            if !callback::visit(file, || unsafe { visit(&details, user_data) })? {
                break;
            }
        }
        Ok(())
    })
}

/// Describes the cache of the dataset's decoded chunks in `info_out`, which the caller initialised with
/// H5R_CHUNK_CACHE_DETAILS_INIT. Chunks that are written in part wait in it until they are displaced or flushed, and those that
/// filters were undone of for a part stay in it; whole chunks go past it.
///
/// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND (not chunked). Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_chunk_cache_info(
    dataset: *mut h5r_object,
    info_out: *mut h5r_chunk_cache_details,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { options::output(info_out, "info_out")? };
        let figures = object.chunk_cache()?;
        out.set(h5r_chunk_cache_details {
            bound: figures.bound,
            bytes: figures.bytes,
            chunks: figures.chunks,
            unwritten: figures.unwritten,
            hits: figures.hits,
            misses: figures.misses,
            displaced: figures.displaced,
            ..Versioned::INIT
        });
        Ok(())
    })
}

/// Sets how many bytes the cache of the dataset's decoded chunks may take, unless a single chunk is larger: 8 MiB until this is
/// called, and again after the dataset's last handle is closed. What is beyond them is written and forgotten.
///
/// Errors: BAD_HANDLE, WRONG_KIND (not chunked), IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_chunk_cache_set(dataset: *mut h5r_object, bytes: u64) -> h5r_status {
    guard::with_object(dataset, |object, _| object.set_chunk_cache(usize::try_from(bytes).unwrap_or(usize::MAX)))
}
