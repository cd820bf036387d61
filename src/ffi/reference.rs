//! References: made, and followed.

use std::ffi::{c_char, c_void};

use super::dataset::{h5r_selection, selection};
use super::type_make::reference_kind;
use super::{guard, h5r_object, h5r_status, handle, input};
use crate::datatype::ReferenceKind;
use crate::error::{Error, ErrorKind, Result};
use crate::format::reference::Part;
use crate::format::selection::Selected;
use crate::object::Referred;

/// No element.
pub const H5R_SELECTED_NONE: i32 = 0;
/// Every element.
pub const H5R_SELECTED_ALL: i32 = 1;
/// Elements by their coordinates.
pub const H5R_SELECTED_POINTS: i32 = 2;
/// Blocks of elements.
pub const H5R_SELECTED_BLOCKS: i32 = 3;

fn surplus(what: &str, kind: ReferenceKind) -> Error {
    Error::new(ErrorKind::Argument, format!("{what} is given, and a reference of kind {kind:?} has none"))
}

/// Makes a reference of a kind, H5R_REF_..., to the object at `path`, relative to `loc`: to the elements of a dataset that
/// `selection` selects (NULL: all; of the kinds of regions), or to its attribute `attribute` (of the kind of attributes). Of
/// the other kinds these are NULL, or "". The reference goes to `buffer` of `capacity` bytes, its length to `length_out`; capacity 0 asks
/// for the length, and makes nothing. A reference to an object has 8 bytes, one of H5R_REF_REGION 12: both are
/// elements of their types as they are. An element of the other kinds is a length and a pointer to the bytes.
///
/// External links are followed. A reference to another file has the path by which that is open; only the kinds of
/// H5R_REF_STANDARD_... lead there.
///
/// A reference of H5R_REF_REGION has its selection in the file from here on, also if it is not written to any element.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE (a selection outside the dataset), NOT_FOUND, WRONG_KIND, TOO_SMALL, LIMIT, READ_ONLY
/// (H5R_REF_REGION), CORRUPT, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_reference_create(
    loc: *mut h5r_object,
    path: *const c_char,
    kind: i32,
    selection_in: *const h5r_selection,
    attribute: *const c_char,
    buffer: *mut c_void,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        let kind = reference_kind(kind)?;
        // SAFETY: as this function's documentation asks of the caller.
        let (path, selection) = unsafe { (input::text(path, "path")?, selection(selection_in)?) };
        let attribute = match attribute.is_null() {
            true => "",
            // SAFETY: as above.
            false => unsafe { input::text(attribute, "attribute")? },
        };
        let referred = match kind {
            ReferenceKind::Region | ReferenceKind::StandardRegion => Referred::Region(selection.as_ref()),
            _ if selection.is_some() => return Err(surplus("a selection", kind)),
            ReferenceKind::StandardAttribute => Referred::Attribute(attribute),
            _ => Referred::Object,
        };
        if kind != ReferenceKind::StandardAttribute && !attribute.is_empty() {
            return Err(surplus("an attribute", kind));
        }
        let made = object.reference(path, kind, referred, capacity)?;
        // SAFETY: as above.
        unsafe { input::copy_bytes_out(&made, buffer, capacity, length_out) }
    })
}

/// Makes a reference of a kind of regions, as h5r_reference_create does, to the elements of the dataset at `path` that are at
/// `count` points, in their order. `points` has the `rank` coordinates of one point after the other.
///
/// Errors: as h5r_reference_create, ARGUMENT (`rank` is not the dataset's), RANGE (a point outside the dataset). Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_reference_create_points(
    loc: *mut h5r_object,
    path: *const c_char,
    kind: i32,
    rank: usize,
    count: usize,
    points: *const u64,
    buffer: *mut c_void,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        let kind = reference_kind(kind)?;
        if rank > input::H5R_MAX_RANK {
            return Err(Error::range("rank", rank, format_args!("1..{}", input::H5R_MAX_RANK)));
        }
        // SAFETY: as this function's documentation asks of the caller.
        let (path, coordinates) = unsafe { (input::text(path, "path")?, input::points(rank, count, points)?) };
        let made = object.reference(path, kind, Referred::Points { rank, coordinates }, capacity)?;
        // SAFETY: as above.
        unsafe { input::copy_bytes_out(&made, buffer, capacity, length_out) }
    })
}

/// Opens the object that the `length` bytes of a reference lead to. `loc` is any object of the file. libhdf5 gives all references
/// since 1.12 the type of H5R_REF_STANDARD_OBJECT; here and below this kind stands for any of them. A reference to another file has
/// its name, which says where it is from the current folder, or else beside this file; it is opened as by h5r_object_open.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE (the length), NOT_FOUND (a null reference, or no object or file there), NOT_HDF5, LOCKED,
/// UNSUPPORTED, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_reference_open(
    loc: *mut h5r_object,
    kind: i32,
    reference: *const c_void,
    length: usize,
    object_out: *mut *mut h5r_object,
) -> h5r_status {
    guard::with_object(loc, |object, file| {
        let kind = reference_kind(kind)?;
        // SAFETY: as this function's documentation asks of the caller.
        let (reference, out) =
            unsafe { (input::bytes(reference, length, "reference")?, input::output(object_out, "object_out")?) };
        out.set(handle::open_object(file, object.dereference(kind, reference)?)? as *mut h5r_object);
        Ok(())
    })
}

/// Stores a path, with its NUL, of the object that a reference leads to, in its file, in `buffer` of `capacity` bytes, and its length
/// without NUL in `length_out`, which may be NULL. Of several paths it is the first one in the order of names. Capacity 0 asks
/// for the length only. All of the file is looked through.
///
/// Errors: as h5r_reference_open, NOT_FOUND (no path leads there), TOO_SMALL. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_reference_path(
    loc: *mut h5r_object,
    kind: i32,
    reference: *const c_void,
    length: usize,
    buffer: *mut c_char,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        let kind = reference_kind(kind)?;
        // SAFETY: as this function's documentation asks of the caller.
        unsafe {
            let path = object.reference_path(kind, input::bytes(reference, length, "reference")?)?;
            input::copy_out(&path, buffer, capacity, length_out)
        }
    })
}

/// Stores the name, with its NUL, of the attribute that a reference of H5R_REF_STANDARD_ATTR refers to in `buffer` of
/// `capacity` bytes, and its length without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
///
/// Errors: as h5r_reference_open, WRONG_KIND, TOO_SMALL. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_reference_attribute(
    loc: *mut h5r_object,
    kind: i32,
    reference: *const c_void,
    length: usize,
    buffer: *mut c_char,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        let kind = reference_kind(kind)?;
        // SAFETY: as this function's documentation asks of the caller.
        let part = object.reference_part(kind, unsafe { input::bytes(reference, length, "reference")? })?;
        let Part::Attribute(name) = part else {
            return Err(Error::new(ErrorKind::WrongKind, "the reference is to no attribute"));
        };
        // SAFETY: as above.
        unsafe { input::copy_out(&String::from_utf8_lossy(&name), buffer, capacity, length_out) }
    })
}

/// The elements that a reference to a region refers to: H5R_SELECTED_... in `selected_out`; the coordinates of points, one point
/// after the other in their order, or of the first and the last element of each block, in `numbers_out` of `capacity` numbers;
/// how many numbers these are in `count_out`. Capacity 0 asks for the number only.
///
/// Errors: as h5r_reference_open, WRONG_KIND (no region), TOO_SMALL, LIMIT (more blocks than can be listed). Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_reference_region(
    loc: *mut h5r_object,
    kind: i32,
    reference: *const c_void,
    length: usize,
    selected_out: *mut i32,
    numbers_out: *mut u64,
    capacity: usize,
    count_out: *mut u64,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        let kind = reference_kind(kind)?;
        // SAFETY: as this function's documentation asks of the caller.
        let part = object.reference_part(kind, unsafe { input::bytes(reference, length, "reference")? })?;
        let (selected, numbers) = region(part)?;
        // SAFETY: as above.
        let (selected_to, count_to) =
            unsafe { (input::output(selected_out, "selected_out")?, input::output(count_out, "count_out")?) };
        if capacity > 0 {
            if capacity < numbers.len() {
                let message = format!("numbers_out has room for {capacity}, and {} are needed", numbers.len());
                return Err(Error::new(ErrorKind::TooSmall, message));
            }
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
            // SAFETY: as above.
            unsafe { input::bytes_mut(numbers_out.cast(), bytes.len(), "numbers_out")? }.copy_from_slice(&bytes);
        }
        selected_to.set(selected);
        count_to.set(numbers.len() as u64);
        Ok(())
    })
}

fn region(part: Part) -> Result<(i32, Vec<u64>)> {
    match part {
        Part::Region(Selected::None) => Ok((H5R_SELECTED_NONE, Vec::new())),
        Part::Region(Selected::All) => Ok((H5R_SELECTED_ALL, Vec::new())),
        Part::Region(Selected::Points { coordinates, .. }) => Ok((H5R_SELECTED_POINTS, coordinates)),
        Part::Region(blocks) => Ok((H5R_SELECTED_BLOCKS, blocks.blocks()?)),
        _ => Err(Error::new(ErrorKind::WrongKind, "the reference is to no region")),
    }
}
