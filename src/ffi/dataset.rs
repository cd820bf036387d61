//! Datasets.

use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};
use std::ptr;

use super::filter::{self, h5r_filter};
use super::options::{self, choice, flag, h5r_storage, Versioned, STORAGE};
use super::types::{self, h5r_type};
use super::{guard, h5r_object, h5r_status, handle, input, vlen};
use crate::datatype::{convert, Datatype};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::fill::{AllocationTime, Fill, WriteTime};
use crate::object::dataset::{DatasetOptions, LayoutKind, NewLayout, Selection};
use crate::object::VariableFill;

/// The elements are in the object header; at most 64 KiB.
pub const H5R_LAYOUT_COMPACT: i32 = 0;
/// The elements are in one piece; the default.
pub const H5R_LAYOUT_CONTIGUOUS: i32 = 1;
/// The elements are in chunks of equal shape.
pub const H5R_LAYOUT_CHUNKED: i32 = 2;
/// The elements are in other datasets.
pub const H5R_LAYOUT_VIRTUAL: i32 = 3;
/// The elements are in files of their own.
pub const H5R_LAYOUT_EXTERNAL: i32 = 4;

/// Early for compact datasets, late for contiguous ones; each chunk takes space with the first write to it. The default.
pub const H5R_ALLOCATION_DEFAULT: i32 = 0;
/// Space is taken by the first write, that of all chunks too (but where the fill value is of variable length, or a filter a callback: each
/// with the first write to it).
pub const H5R_ALLOCATION_LATE: i32 = 1;
/// Space is taken when the dataset is created, and for chunks also when it grows. UNSUPPORTED for chunks with a filter that is a callback.
pub const H5R_ALLOCATION_EARLY: i32 = 2;

/// The fill value is written with the allocation when the user gave one; the default.
pub const H5R_FILL_IF_SET: i32 = 0;
/// The fill value is written with the allocation.
pub const H5R_FILL_ALWAYS: i32 = 1;
/// The fill value is never written. ARGUMENT for strings and sequences of variable length, as in libhdf5.
pub const H5R_FILL_NEVER: i32 = 2;

/// A maximum dimension without bound.
pub const H5R_UNLIMITED: u64 = u64::MAX;

/// Options of h5r_dataset_create. Start from H5R_DATASET_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_dataset_options {
    /// sizeof(h5r_dataset_options), set by the INIT macro.
    pub struct_size: usize,
    /// As many as the rank, H5R_UNLIMITED for no bound; NULL, the default: the dimensions themselves.
    pub max_dims: *const u64,
    /// With H5R_LAYOUT_CHUNKED: the extents of a chunk, as many as the rank.
    pub chunk: *const u64,
    /// One element that stands where nothing was written, with what pointers in it lead to; NULL, the default: zeros.
    pub fill_value: *const c_void,
    /// The type of fill_value; 0, the default: the dataset's own.
    pub fill_type: h5r_type,
    /// H5R_LAYOUT_CONTIGUOUS (default), _COMPACT or _CHUNKED.
    pub layout: i32,
    /// H5R_ALLOCATION_DEFAULT (default), _LATE or _EARLY.
    pub allocation: i32,
    /// H5R_FILL_IF_SET (default), _ALWAYS or _NEVER.
    pub fill_time: i32,
    /// 1: a dataset without any elements (null dataspace); the rank is 0. 0, the default: one with elements.
    pub is_null: i32,
    /// How the dataset's attributes are stored.
    pub attributes: h5r_storage,
    /// 0; for later use.
    pub reserved: i32,
    /// With H5R_LAYOUT_CHUNKED: chunks are compressed at this level, 1 to 9; 0, the default: not compressed.
    pub deflate: i32,
    /// 1: the bytes of a chunk's elements are shuffled, so that it compresses better; 0, the default: they are not.
    pub shuffle: i32,
    /// 1: chunks carry a checksum, which is verified when they are read; 0, the default: they do not.
    pub fletcher32: i32,
    /// 0; for later use.
    pub reserved_2: i32,
    /// With H5R_LAYOUT_CHUNKED, and instead of deflate, shuffle and fletcher32: filter_count filters in the order in which they
    /// are applied; NULL, the default: none.
    pub filters: *const h5r_filter,
    /// How many filters there are, at most 32.
    pub filter_count: usize,
    /// 1: a chunk that a sample shows to be incompressible is stored without its optional filters (deflate and shuffle above are
    /// optional), which its filter mask says; it is then read and written as fast as one without filters. It holds while the
    /// dataset is open: the file does not say it. Libhdf5 (2.0.0) forgets to change the mask when it overwrites a chunk with as
    /// many bytes: not for files that it will change. 0, the default: every chunk goes through all filters.
    pub skip_incompressible: i32,
    /// 0; for later use.
    pub reserved_3: i32,
}

/// Which elements of a dataset a call means: count blocks of block elements each, stride apart, from start, in each
/// dimension. A NULL array means the obvious: start at 0, blocks of 1, blocks side by side, as many as fit.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_selection {
    /// The dataset's rank; the length of each array.
    pub rank: usize,
    /// The first element.
    pub start: *const u64,
    /// From the start of one block to the start of the next.
    pub stride: *const u64,
    /// How many blocks.
    pub count: *const u64,
    /// The extents of a block.
    pub block: *const u64,
}

/// What h5r_dataset_info says of a dataset. Start from H5R_DATASET_DETAILS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_dataset_details {
    /// sizeof(h5r_dataset_details), set by the INIT macro.
    pub struct_size: usize,
    /// The datatype in the file; h5r_type_close closes it (a predefined one need not be).
    pub r#type: h5r_type,
    /// Bytes that the elements take in the file now.
    pub storage_size: u64,
    /// Number of dimensions; 0 for a scalar and for no value.
    pub rank: u64,
    /// H5R_LAYOUT_....
    pub layout: i32,
    /// H5R_SPACE_NULL, _SCALAR or _SIMPLE.
    pub space: i32,
    /// The extents, rank of them.
    pub dims: [u64; input::H5R_MAX_RANK],
    /// The largest extents, H5R_UNLIMITED for no bound.
    pub max_dims: [u64; input::H5R_MAX_RANK],
}

// SAFETY: repr(C), integers and pointers only; the assertions below say that there is no padding.
unsafe impl Versioned for h5r_dataset_options {
    const NAME: &'static str = "dataset_options";
    const FIRST_SIZE: usize = 72;
    const INIT: Self = h5r_dataset_options {
        struct_size: size_of::<Self>(),
        max_dims: ptr::null(),
        chunk: ptr::null(),
        fill_value: ptr::null(),
        fill_type: 0,
        layout: H5R_LAYOUT_CONTIGUOUS,
        allocation: H5R_ALLOCATION_DEFAULT,
        fill_time: H5R_FILL_IF_SET,
        is_null: 0,
        attributes: STORAGE,
        reserved: 0,
        deflate: 0,
        shuffle: 0,
        fletcher32: 0,
        reserved_2: 0,
        filters: ptr::null(),
        filter_count: 0,
        skip_incompressible: 0,
        reserved_3: 0,
    };
}

// SAFETY: as above.
unsafe impl Versioned for h5r_dataset_details {
    const NAME: &'static str = "dataset_details";
    const FIRST_SIZE: usize = 552;
    const INIT: Self = h5r_dataset_details {
        struct_size: size_of::<Self>(),
        r#type: 0,
        storage_size: 0,
        rank: 0,
        layout: H5R_LAYOUT_CONTIGUOUS,
        space: super::H5R_SPACE_SCALAR,
        dims: [0; input::H5R_MAX_RANK],
        max_dims: [0; input::H5R_MAX_RANK],
    };
}

const _: () = {
    assert!(size_of::<h5r_dataset_options>() == offset_of!(h5r_dataset_options, reserved_3) + 4);
    assert!(size_of::<h5r_dataset_details>() == h5r_dataset_details::FIRST_SIZE);
    assert!(size_of::<h5r_dataset_details>() == offset_of!(h5r_dataset_details, max_dims) + 8 * input::H5R_MAX_RANK);
};

/// The selection, or none for NULL.
///
/// # Safety
/// `selection` is NULL or points to a selection whose arrays are NULL or have `rank` entries.
pub(super) unsafe fn selection<'a>(selection: *const h5r_selection) -> Result<Option<Selection<'a>>> {
    // SAFETY: as promised by the caller.
    let Some(selection) = (unsafe { selection.as_ref() }) else { return Ok(None) };
    let array = |array: *const u64| -> Result<Option<&'a [u64]>> {
        if array.is_null() {
            return Ok(None);
        }
        // SAFETY: as promised by the caller.
        unsafe { input::dims(selection.rank, array, "selection") }.map(Some)
    };
    Ok(Some(Selection {
        start: array(selection.start)?,
        stride: array(selection.stride)?,
        count: array(selection.count)?,
        block: array(selection.block)?,
    }))
}

impl h5r_dataset_options {
    /// # Safety
    /// `max_dims` and `chunk` are NULL or have `rank` entries; `fill_value` is NULL or one element.
    unsafe fn checked(&self, rank: usize, own: &Datatype) -> Result<DatasetOptions> {
        let array = |array: *const u64, what| -> Result<Option<Vec<u64>>> {
            if array.is_null() {
                return Ok(None);
            }
            // SAFETY: as promised by the caller.
            unsafe { input::dims(rank, array, what) }.map(|dims| Some(dims.to_vec()))
        };
        if self.reserved != 0 {
            return Err(Error::range("reserved", self.reserved, "0..0"));
        }
        if self.reserved_2 != 0 {
            return Err(Error::range("reserved_2", self.reserved_2, "0..0"));
        }
        if self.reserved_3 != 0 {
            return Err(Error::range("reserved_3", self.reserved_3, "0..0"));
        }
        let chunk = array(self.chunk, "chunk")?;
        let layouts = [NewLayout::Compact, NewLayout::Contiguous, NewLayout::Chunked];
        let layout = choice("layout", self.layout, &layouts)?;
        let is_chunked = self.layout == H5R_LAYOUT_CHUNKED;
        if chunk.is_some() != is_chunked {
            let message = "H5R_LAYOUT_CHUNKED and chunk dimensions belong together, and one is given without the other";
            return Err(Error::new(ErrorKind::Argument, message));
        }
        let allocations = [AllocationTime::Default, AllocationTime::Late, AllocationTime::Early];
        Ok(DatasetOptions {
            layout,
            chunk,
            shuffle: flag("shuffle", self.shuffle)?,
            deflate: match self.deflate {
                0 => None,
                level @ 1..=9 => Some(level as u32),
                level => return Err(Error::range("deflate", level, "0..9")),
            },
            fletcher32: flag("fletcher32", self.fletcher32)?,
            // SAFETY: as promised by the caller.
            filters: unsafe { filter::new_filters(self.filters, self.filter_count)? },
            skips_noise: flag("skip_incompressible", self.skip_incompressible)?,
            max_dims: array(self.max_dims, "max_dims")?,
            null: flag("is_null", self.is_null)?,
            // SAFETY: as promised by the caller.
            fill: unsafe { self.fill(own)? },
            allocation: choice("allocation", self.allocation, &allocations)?,
            fill_time: choice(
                "fill_time",
                self.fill_time,
                &[WriteTime::IfSet, WriteTime::OnAllocation, WriteTime::Never],
            )?,
            attributes: self.attributes.phase("attributes")?,
        })
    }

    /// The fill value in the dataset's type.
    ///
    /// # Safety
    /// `fill_value` is NULL or one element.
    unsafe fn fill(&self, own: &Datatype) -> Result<Fill> {
        if self.fill_value.is_null() || own.has_pointers() {
            return Ok(Fill::Default);
        }
        let given = if self.fill_type == 0 { own.clone() } else { types::resolve(self.fill_type)? };
        // SAFETY: as promised by the caller.
        let value = unsafe { input::bytes(self.fill_value, given.size(), "fill_value")? };
        let mut fill = vec![0; own.size()];
        convert(&given, value, own, &mut fill, 1).map_err(|e| e.within("fill_value"))?;
        Ok(Fill::Value(fill))
    }

    /// A fill value with parts of variable length, and its type; none of a type without.
    ///
    /// # Safety
    /// `fill_value` is NULL or one element.
    unsafe fn variable_fill(&self, own: &Datatype) -> Result<Option<(Datatype, Vec<u8>)>> {
        if self.fill_value.is_null() || !own.has_pointers() {
            return Ok(None);
        }
        let given = if self.fill_type == 0 { own.clone() } else { types::resolve(self.fill_type)? };
        // SAFETY: as promised by the caller.
        let value = unsafe { input::bytes(self.fill_value, given.size(), "fill_value")? };
        Ok(Some((given, value.to_vec())))
    }
}

/// Creates a dataset of `rank` dimensions `dims` (rank 0, with `dims` NULL, is a scalar) at `path`, absolute or
/// relative to `loc`, with the groups on the way that are missing. `options` may be NULL for all defaults,
/// `dataset_out` NULL when no handle is wanted; `h5r_object_close` closes the handle.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, EXISTS, WRONG_KIND, TYPE (the fill value), UNSUPPORTED (a filter
/// that is not known), CALLBACK (of a filter, where chunks are allocated early), READ_ONLY, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_create(
    loc: *mut h5r_object,
    path: *const c_char,
    r#type: h5r_type,
    rank: usize,
    dims: *const u64,
    options: *const h5r_dataset_options,
    dataset_out: *mut *mut h5r_object,
) -> h5r_status {
    guard::with_object(loc, |object, file| {
        let datatype = types::resolve(r#type)?;
        let mut pointers = vlen::Given;
        // SAFETY: as this function's documentation asks of the caller.
        let (path, dims) = unsafe { (input::text(path, "path")?, input::dims(rank, dims, "dims")?) };
        input::byte_length(dims, datatype.size())?;
        // SAFETY: as above.
        let (options, fill) = unsafe {
            let given = options::read(options)?;
            (given.checked(rank, &datatype)?, given.variable_fill(&datatype)?)
        };
        let fill = fill.map(|(memory, element)| VariableFill { memory, element, pointers: &mut pointers });
        let committed = types::committed(r#type, file);
        let dataset = object.create_dataset_of(path, &datatype, committed, dims, &options, fill)?;
        // SAFETY: as above.
        if let Ok(out) = unsafe { input::output(dataset_out, "dataset_out") } {
            out.set(handle::open_object(file, dataset)? as *mut h5r_object);
        }
        Ok(())
    })
}

/// Writes the elements of `selection`, or all for NULL, from `data`: elements of `memory_type` in row-major order. What is written
/// to a virtual dataset goes to its sources, and in other files is committed as what is changed through external links. Before
/// values of variable length are written to external files, the file is flushed.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE (outside the dataset, or an element of a virtual one without a source), WRONG_KIND, TYPE,
/// UNSUPPORTED (references into another file, a filter that is only read), READ_ONLY (also the file of a source), LOCKED,
/// IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_write(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    selection: *const h5r_selection,
    data: *const c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let selection = unsafe { self::selection(selection)? };
        // SAFETY: as above: `data` has the selected elements.
        let data = |length| unsafe { input::bytes(data, length, "data") };
        object.dataset_write_values(&memory, selection.as_ref(), data, &mut vlen::Given)
    })
}

/// Reads the elements of `selection`, or all for NULL, converted to `memory_type`, into `data_out` in row-major order.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE (outside the dataset), WRONG_KIND, TYPE, UNSUPPORTED (a filter that is not
/// known, which the message names), CORRUPT, IO.
/// Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_read(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    selection: *const h5r_selection,
    data_out: *mut c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let selection = unsafe { self::selection(selection)? };
        // SAFETY: as above: `data_out` has room for the selected elements.
        let data = |length| unsafe { input::bytes_mut(data_out, length, "data_out") };
        vlen::keep(|pointers| object.dataset_read_values(&memory, selection.as_ref(), data, pointers))
    })
}

/// Stores a dataset's number of dimensions, the dimensions in `dims_out`, which has room for H5R_MAX_RANK, and its number
/// of elements: 1 of a scalar, 0 where there is no value. Each output may be NULL. It costs next to nothing, where
/// h5r_dataset_info reads the index of all chunks.
///
/// Errors: BAD_HANDLE, WRONG_KIND, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_dims(
    dataset: *mut h5r_object,
    rank_out: *mut usize,
    dims_out: *mut u64,
    elements_out: *mut u64,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let dims = object.dataset_dims()?;
        let elements = dims.as_ref().map_or(0, |dims| dims.iter().fold(1, |all: u64, dim| all.saturating_mul(*dim)));
        let dims = dims.unwrap_or_default();
        let mut extents = [0; input::H5R_MAX_RANK];
        let rank = input::extents_out(&dims, &mut extents)?;
        // SAFETY: as this function's documentation asks of the caller; the rank is at most H5R_MAX_RANK.
        unsafe {
            if !rank_out.is_null() {
                rank_out.write(rank as usize);
            }
            if !dims_out.is_null() {
                dims_out.copy_from_nonoverlapping(extents.as_ptr(), dims.len());
            }
            if !elements_out.is_null() {
                elements_out.write(elements);
            }
        }
        Ok(())
    })
}

/// Stores a dataset's type, dimensions, layout and size in `info_out`, which the caller initialised with
/// H5R_DATASET_DETAILS_INIT. For the size it reads the index of all chunks.
///
/// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_info(dataset: *mut h5r_object, info_out: *mut h5r_dataset_details) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { options::output(info_out, "info_out")? };
        let info = object.dataset_info()?;
        let mut details = h5r_dataset_details {
            storage_size: info.storage_size,
            layout: match info.layout {
                LayoutKind::Compact => H5R_LAYOUT_COMPACT,
                LayoutKind::Contiguous => H5R_LAYOUT_CONTIGUOUS,
                LayoutKind::Chunked => H5R_LAYOUT_CHUNKED,
                LayoutKind::Virtual => H5R_LAYOUT_VIRTUAL,
                LayoutKind::External => H5R_LAYOUT_EXTERNAL,
            },
            space: super::attribute::space(info.is_null, &info.dims),
            ..Versioned::INIT
        };
        details.rank = input::extents_out(&info.dims, &mut details.dims)?;
        input::extents_out(&info.max_dims, &mut details.max_dims)?;
        details.r#type = types::token(info.datatype)?;
        out.set(details);
        Ok(())
    })
}

/// Changes a chunked dataset's dimensions, within its maximum; `dims` has as many as its rank. Chunks that are then outside
/// are freed, and where the dataset grows again it has its fill value.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, WRONG_KIND (not chunked), UNSUPPORTED (a filter that is only read),
/// CALLBACK (of a filter), READ_ONLY, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_set_extent(dataset: *mut h5r_object, dims: *const u64) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let rank = object.dataset_dims()?.unwrap_or_default().len();
        // SAFETY: as this function's documentation asks of the caller.
        object.dataset_set_extent(unsafe { input::dims(rank, dims, "dims")? })
    })
}

/// Appends `rows` rows to a chunked dataset along its first dimension: `data` are their elements of `memory_type`.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, WRONG_KIND (not chunked), TYPE, UNSUPPORTED (as for
/// h5r_dataset_set_extent and h5r_dataset_write), READ_ONLY, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_append(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    rows: u64,
    data: *const c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let data = |length| unsafe { input::bytes(data, length, "data") };
        object.dataset_append_values(&memory, rows, data, &mut vlen::Given)
    })
}
