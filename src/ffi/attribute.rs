//! Attributes.

use std::ffi::{c_char, c_void, CString};
use std::mem::{offset_of, size_of};

use super::options::{self, Versioned};
use super::types::{self, h5r_type};
use super::{callback, guard, h5r_object, h5r_status, input, vlen};
use crate::error::{Error, ErrorKind, Result};

/// No value at all.
pub const H5R_SPACE_NULL: i32 = 2;
/// One value, rank 0.
pub const H5R_SPACE_SCALAR: i32 = 0;
/// An array.
pub const H5R_SPACE_SIMPLE: i32 = 1;

/// The creation order where none is recorded.
pub const H5R_NO_CREATION_ORDER: u64 = u64::MAX;

/// What h5r_attr_info says of an attribute. Start from H5R_ATTR_DETAILS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_attr_details {
    /// sizeof(h5r_attr_details), set by the INIT macro.
    pub struct_size: usize,
    /// The datatype in the file; h5r_type_close closes it (a predefined one need not be).
    pub r#type: h5r_type,
    /// Bytes of the value in the file.
    pub storage_size: u64,
    /// When it was created, counted from 0 on its object; H5R_NO_CREATION_ORDER where that is not recorded.
    pub creation_order: u64,
    /// Number of dimensions; 0 for a scalar and for no value.
    pub rank: u64,
    /// H5R_SPACE_NULL, _SCALAR or _SIMPLE.
    pub space: i32,
    /// 0.
    pub reserved: i32,
    /// The extents, rank of them.
    pub dims: [u64; input::H5R_MAX_RANK],
}

// SAFETY: repr(C), integers only; the assertion below says that there is no padding.
unsafe impl Versioned for h5r_attr_details {
    const NAME: &'static str = "attr_details";
    const FIRST_SIZE: usize = 304;
    const INIT: Self = h5r_attr_details {
        struct_size: size_of::<Self>(),
        r#type: 0,
        storage_size: 0,
        creation_order: H5R_NO_CREATION_ORDER,
        rank: 0,
        space: H5R_SPACE_NULL,
        reserved: 0,
        dims: [0; input::H5R_MAX_RANK],
    };
}

const _: () = assert!(size_of::<h5r_attr_details>() == offset_of!(h5r_attr_details, dims) + 8 * input::H5R_MAX_RANK);

/// Called for each attribute; `name` is valid during the call only. Returns 0 to go on, positive to stop, negative to
/// fail.
pub type h5r_attr_visit = Option<unsafe extern "C" fn(name: *const c_char, user_data: *mut c_void) -> i32>;

/// Writes the attribute `name`, whether it exists or not: `data` are its elements in `type`, which is also its type in
/// the file, in row-major order. `rank` 0, with `dims` NULL, is a scalar.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, LIMIT, READ_ONLY, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_write(
    object: *mut h5r_object,
    name: *const c_char,
    r#type: h5r_type,
    rank: usize,
    dims: *const u64,
    data: *const c_void,
) -> h5r_status {
    guard::with_object(object, |object, file| {
        let datatype = types::resolve(r#type)?;
        let committed = types::committed(r#type, file);
        // SAFETY: as this function's documentation asks of the caller.
        let (name, dims) = unsafe { (input::text(name, "name")?, input::dims(rank, dims, "dims")?) };
        let length = input::byte_length(dims, datatype.size())?;
        // SAFETY: as above: `data` has the elements that `dims` and `type` say.
        let data = unsafe { input::bytes(data, length, "data")? };
        object.attr_write_values(name, &datatype, committed, dims, data, &mut vlen::Given)
    })
}

/// Writes an attribute that has a type but no value (a null dataspace), whether it exists or not.
///
/// Errors: BAD_HANDLE, ARGUMENT, READ_ONLY, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_write_null(
    object: *mut h5r_object,
    name: *const c_char,
    r#type: h5r_type,
) -> h5r_status {
    guard::with_object(object, |object, _| {
        let datatype = types::resolve(r#type)?;
        // SAFETY: as this function's documentation asks of the caller.
        object.attr_write_null(unsafe { input::text(name, "name")? }, &datatype)
    })
}

/// Reads all elements of an attribute, converted to `memory_type`, into `data_out` of `capacity` bytes.
/// `h5r_attr_info` says how many there are; an attribute without a value leaves `data_out` as it is.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, TYPE, TOO_SMALL (the message says what is needed), CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_read(
    object: *mut h5r_object,
    name: *const c_char,
    memory_type: h5r_type,
    data_out: *mut c_void,
    capacity: usize,
) -> h5r_status {
    guard::with_object(object, |object, _| {
        let datatype = types::resolve(memory_type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let (name, data) = unsafe { (input::text(name, "name")?, input::bytes_mut(data_out, capacity, "data_out")?) };
        let needed = vlen::keep(|pointers| object.attr_read_values(name, &datatype, data, pointers))?;
        if needed > capacity {
            let message =
                format!("reading attribute '{name}': the capacity is {capacity}, and {needed} bytes are needed");
            return Err(Error::new(ErrorKind::TooSmall, message));
        }
        Ok(())
    })
}

/// Stores an attribute's type, dimensions and size in `info_out`, which the caller initialised with
/// H5R_ATTR_DETAILS_INIT.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_info(
    object: *mut h5r_object,
    name: *const c_char,
    info_out: *mut h5r_attr_details,
) -> h5r_status {
    guard::with_object(object, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (name, out) = unsafe { (input::text(name, "name")?, options::output(info_out, "info_out")?) };
        let info = object.attr_info(name)?;
        let mut details = h5r_attr_details {
            storage_size: info.storage_size,
            creation_order: info.creation_order.map_or(H5R_NO_CREATION_ORDER, u64::from),
            space: space(info.is_null, &info.dims),
            ..Versioned::INIT
        };
        details.rank = input::extents_out(&info.dims, &mut details.dims)?;
        details.r#type = types::token(info.datatype)?;
        out.set(details);
        Ok(())
    })
}

/// Which H5R_SPACE_... it is.
pub(super) fn space(is_null: bool, dims: &[u64]) -> i32 {
    match (is_null, dims.is_empty()) {
        (true, _) => H5R_SPACE_NULL,
        (false, true) => H5R_SPACE_SCALAR,
        (false, false) => H5R_SPACE_SIMPLE,
    }
}

/// Deletes an attribute.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_delete(object: *mut h5r_object, name: *const c_char) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    guard::with_object(object, |object, _| object.attr_delete(unsafe { input::text(name, "name")? }))
}

/// Gives the attribute `from` the name `to`, which must be free.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, EXISTS, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_rename(
    object: *mut h5r_object,
    from: *const c_char,
    to: *const c_char,
) -> h5r_status {
    guard::with_object(object, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (from, to) = unsafe { (input::text(from, "from")?, input::text(to, "to")?) };
        object.attr_rename(from, to)
    })
}

/// Stores whether the object has an attribute `name`.
///
/// Errors: BAD_HANDLE, ARGUMENT, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_exists(
    object: *mut h5r_object,
    name: *const c_char,
    exists_out: *mut bool,
) -> h5r_status {
    guard::with_object(object, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (name, out) = unsafe { (input::text(name, "name")?, input::output(exists_out, "exists_out")?) };
        out.set(object.attr_exists(name)?);
        Ok(())
    })
}

/// Stores how many attributes the object has.
///
/// Errors: BAD_HANDLE, ARGUMENT, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_count(object: *mut h5r_object, count_out: *mut u64) -> h5r_status {
    guard::with_object(object, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(count_out, "count_out")? };
        out.set(object.attr_count()?);
        Ok(())
    })
}

/// Calls `visit` with the name of each attribute that the object has now, in the order H5R_ORDER_...; no lock is held
/// meanwhile, so `visit` may call anything on this file but `h5r_close`, also delete the attribute. Another thread that
/// closes the file ends the iteration with BAD_HANDLE before the next visit.
///
/// Errors: BAD_HANDLE, ARGUMENT (also: creation order is not recorded), RANGE, CALLBACK (`visit` returned a
/// negative value), CORRUPT, IO. Any thread; `visit` runs on this one.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_iterate(
    object: *mut h5r_object,
    order: i32,
    visit: h5r_attr_visit,
    user_data: *mut c_void,
) -> h5r_status {
    guard::with_object(object, |object, file| {
        let visit = visit.ok_or_else(|| Error::new(ErrorKind::Argument, "visit is NULL"))?;
        for name in object.attr_names(options::order(order)?)? {
            let name = c_name(name)?;
            // SAFETY: the user's function, with a string that lives through the call.
            if !callback::visit(file, || unsafe { visit(name.as_ptr(), user_data) })? {
                break;
            }
        }
        Ok(())
    })
}

/// A name as C needs it.
pub(super) fn c_name(name: String) -> Result<CString> {
    CString::new(name).map_err(|e| {
        let name = String::from_utf8_lossy(&e.into_vec()).escape_debug().to_string();
        Error::new(ErrorKind::Corrupt, format!("the name '{name}' holds a NUL character"))
    })
}
