//! Objects: groups created, objects opened, asked and closed.

use std::ffi::c_char;

use super::options::{self, h5r_group_options};
use super::{guard, h5r_object, h5r_status, handle, input, last_error};
use crate::object::ObjectKind;

/// A group.
pub const H5R_KIND_GROUP: i32 = 0;
/// A dataset.
pub const H5R_KIND_DATASET: i32 = 1;
/// A named datatype.
pub const H5R_KIND_TYPE: i32 = 2;

/// Creates the group `path`, absolute or relative to `loc`, with the groups on the way that are missing. `options` may
/// be NULL for all defaults, `group_out` NULL when no handle is wanted; `h5r_object_close` closes the handle.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, EXISTS, WRONG_KIND (something on the way is no group), READ_ONLY, FAILED.
/// Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_group_create(
    loc: *mut h5r_object,
    path: *const c_char,
    options: *const h5r_group_options,
    group_out: *mut *mut h5r_object,
) -> h5r_status {
    guard::with_object(loc, |object, file| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, options) = unsafe { (input::text(path, "path")?, options::read(options)?) };
        let group = object.create_group(path, &options.checked()?)?;
        // SAFETY: as above.
        if let Ok(out) = unsafe { input::output(group_out, "group_out") } {
            out.set(handle::open_object(file, group)? as *mut h5r_object);
        }
        Ok(())
    })
}

/// Opens the group, dataset or named datatype at `path`, absolute or relative to `loc`; soft links are followed. Stores
/// a handle that `h5r_object_close` closes.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, CORRUPT, UNSUPPORTED (an external or user-defined link), IO.
/// Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_open(
    loc: *mut h5r_object,
    path: *const c_char,
    object_out: *mut *mut h5r_object,
) -> h5r_status {
    guard::with_object(loc, |object, file| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, out) = unsafe { (input::text(path, "path")?, input::output(object_out, "object_out")?) };
        out.set(handle::open_object(file, object.open(path)?)? as *mut h5r_object);
        Ok(())
    })
}

/// Closes an object; its file stays open and unflushed. The handle is consumed. Closing NULL, or the borrowed handle
/// of `h5r_root`, does nothing.
///
/// Errors: BAD_HANDLE (closed before, also with its file). Any thread.
#[no_mangle]
pub extern "C" fn h5r_object_close(object: *mut h5r_object) -> h5r_status {
    if object.is_null() {
        last_error::clear();
        return super::H5R_OK;
    }
    guard::call(|| handle::close_object(object as u64))
}

/// Stores what the object is: H5R_KIND_GROUP, H5R_KIND_DATASET or H5R_KIND_TYPE.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_kind(object: *mut h5r_object, kind_out: *mut i32) -> h5r_status {
    guard::with_object(object, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(kind_out, "kind_out")? };
        out.set(match object.kind()? {
            ObjectKind::Group => H5R_KIND_GROUP,
            ObjectKind::Dataset => H5R_KIND_DATASET,
            ObjectKind::NamedType => H5R_KIND_TYPE,
        });
        Ok(())
    })
}

/// Stores the absolute path by which the object was opened or created, with its NUL, in `buffer` of `capacity` bytes, and
/// its length without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
///
/// Errors: BAD_HANDLE, ARGUMENT, TOO_SMALL. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_path(
    object: *mut h5r_object,
    buffer: *mut c_char,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    guard::with_object(object, |object, _| unsafe { input::copy_out(object.path(), buffer, capacity, length_out) })
}
