//! Points, lists of selections, and selections of the caller's own array.

use std::ffi::c_void;

use super::dataset::{h5r_selection, selection};
use super::types::{self, h5r_type};
use super::{guard, h5r_object, h5r_status, input, vlen};
use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::object::dataset::Selection;
use crate::object::Object;

/// The coordinates of `count` points.
///
/// # Safety
/// `points` is NULL or has `count` times the dataset's rank values.
unsafe fn coordinates<'a>(object: &Object, count: usize, points: *const u64) -> Result<&'a [u64]> {
    let rank = object.dataset_dims()?.unwrap_or_default().len();
    // SAFETY: as promised by the caller.
    unsafe { input::points(rank, count, points) }
}

/// The selections of a list, and the bytes of their elements in memory.
///
/// # Safety
/// `list` is NULL or has `count` selections as `selection` asks for them.
unsafe fn list<'a>(
    object: &Object,
    memory: &Datatype,
    count: usize,
    list: *const h5r_selection,
) -> Result<(Vec<Selection<'a>>, usize)> {
    if count > 0 && list.is_null() {
        return Err(Error::new(ErrorKind::Argument, format!("selections is NULL, and there are {count}")));
    }
    let dims = object.dataset_dims()?.unwrap_or_default();
    let (mut selections, mut elements) = (Vec::new(), 0u64);
    for number in 0..count {
        // SAFETY: as promised by the caller.
        if let Some(selection) = unsafe { selection(list.add(number))? } {
            elements = elements.saturating_add(selection.elements(&dims)?);
            selections.push(selection);
        }
    }
    Ok((selections, input::byte_length(&[elements], memory.size())?))
}

/// Reads the elements at `count` points, converted to `memory_type`, into `data_out` in their order. `points` has the
/// coordinates of one point after the other, as many each as the dataset has dimensions.
///
/// Errors: as h5r_dataset_read. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_read_points(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    count: usize,
    points: *const u64,
    data_out: *mut c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        let length = input::byte_length(&[count as u64], memory.size())?;
        // SAFETY: as this function's documentation asks of the caller.
        let (points, out) =
            unsafe { (coordinates(object, count, points)?, input::bytes_mut(data_out, length, "data_out")?) };
        vlen::keep(|pointers| object.dataset_read_points(&memory, points, out, pointers))
    })
}

/// Writes `count` elements of `memory_type` to the places `points`, as in h5r_dataset_read_points; of those at the same place
/// the last one stays. Nothing is written when a point is outside the dataset.
///
/// Errors: as h5r_dataset_write. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_write_points(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    count: usize,
    points: *const u64,
    data: *const c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        let length = input::byte_length(&[count as u64], memory.size())?;
        // SAFETY: as this function's documentation asks of the caller.
        let (points, data) = unsafe { (coordinates(object, count, points)?, input::bytes(data, length, "data")?) };
        object.dataset_write_points(&memory, points, data, &mut vlen::Given)
    })
}

/// Reads the elements of `count` selections, those of one after those of the other, into `data_out`. What several select comes
/// as often.
///
/// Errors: as h5r_dataset_read. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_read_list(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    count: usize,
    selections: *const h5r_selection,
    data_out: *mut c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let (selections, length) = unsafe { list(object, &memory, count, selections)? };
        // SAFETY: as above.
        let out = unsafe { input::bytes_mut(data_out, length, "data_out")? };
        vlen::keep(|pointers| object.dataset_read_list(&memory, &selections, out, pointers))
    })
}

/// Writes the elements of `count` selections, those of one after those of the other, from `data`; where selections meet, the
/// last one stays. Nothing is written when one is outside the dataset.
///
/// Errors: as h5r_dataset_write. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_write_list(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    count: usize,
    selections: *const h5r_selection,
    data: *const c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let (selections, length) = unsafe { list(object, &memory, count, selections)? };
        // SAFETY: as above.
        let data = unsafe { input::bytes(data, length, "data")? };
        object.dataset_write_list(&memory, &selections, data, &mut vlen::Given)
    })
}

/// Reads the elements of `selection` (NULL: all) to the places that `memory_selection` (NULL: all) selects in an array of
/// `memory_rank` dimensions `memory_dims` at `data_out`; both select as many. What is not selected there stays as it is.
///
/// Errors: as h5r_dataset_read. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_read_into(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    selection: *const h5r_selection,
    memory_rank: usize,
    memory_dims: *const u64,
    memory_selection: *const h5r_selection,
    data_out: *mut c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let dims = unsafe { input::dims(memory_rank, memory_dims, "memory_dims")? };
        let length = input::byte_length(dims, memory.size())?;
        // SAFETY: as above.
        let (selection, within) = unsafe { (self::selection(selection)?, self::selection(memory_selection)?) };
        // SAFETY: as above.
        let out = unsafe { input::bytes_mut(data_out, length, "data_out")? };
        vlen::keep(|pointers| {
            object.dataset_read_into(&memory, selection.as_ref(), dims, within.as_ref(), out, pointers)
        })
    })
}

/// Writes the elements that `memory_selection` (NULL: all) selects in an array of `memory_rank` dimensions `memory_dims` at
/// `data` to the places of `selection` (NULL: all); both select as many.
///
/// Errors: as h5r_dataset_write. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_dataset_write_from(
    dataset: *mut h5r_object,
    memory_type: h5r_type,
    selection: *const h5r_selection,
    memory_rank: usize,
    memory_dims: *const u64,
    memory_selection: *const h5r_selection,
    data: *const c_void,
) -> h5r_status {
    guard::with_object(dataset, |object, _| {
        let memory = types::resolve(memory_type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let dims = unsafe { input::dims(memory_rank, memory_dims, "memory_dims")? };
        let length = input::byte_length(dims, memory.size())?;
        // SAFETY: as above.
        let (selection, within) = unsafe { (self::selection(selection)?, self::selection(memory_selection)?) };
        // SAFETY: as above.
        let data = unsafe { input::bytes(data, length, "data")? };
        object.dataset_write_from(&memory, selection.as_ref(), dims, within.as_ref(), data, &mut vlen::Given)
    })
}
