//! Links: what a group's names lead to.

use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};

use super::attribute::{c_name, H5R_NO_CREATION_ORDER};
use super::options::{self, Versioned};
use super::types::{H5R_CHARSET_ASCII, H5R_CHARSET_UTF8};
use super::{callback, guard, h5r_object, h5r_status, handle, input};
use crate::error::{Error, ErrorKind};
use crate::object::LinkTarget;

/// Leads to an object of this file.
pub const H5R_LINK_HARD: i32 = 0;
/// Leads to a path of this file.
pub const H5R_LINK_SOFT: i32 = 1;
/// Leads to an object of another file.
pub const H5R_LINK_EXTERNAL: i32 = 2;
/// User-defined: kept, not followed.
pub const H5R_LINK_USER: i32 = 3;

/// The format's number of external links among the user-defined ones.
const EXTERNAL: u8 = 64;

/// What h5r_link_info says of a link. Start from H5R_LINK_DETAILS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_link_details {
    /// sizeof(h5r_link_details), set by the INIT macro.
    pub struct_size: usize,
    /// When it was created, counted from 0 in its group; H5R_NO_CREATION_ORDER where that is not recorded.
    pub creation_order: u64,
    /// H5R_LINK_HARD, _SOFT, _EXTERNAL or _USER.
    pub kind: i32,
    /// The format's number for a user-defined link, 65 to 255; otherwise 0.
    pub user_type: i32,
    /// What the name is said to be: H5R_CHARSET_ASCII or _UTF8.
    pub charset: i32,
    /// 0; for later use.
    pub reserved: i32,
}

// SAFETY: repr(C), integers only; the assertion below says that there is no padding.
unsafe impl Versioned for h5r_link_details {
    const NAME: &'static str = "link_details";
    const FIRST_SIZE: usize = 24;
    const INIT: Self = h5r_link_details {
        struct_size: size_of::<Self>(),
        creation_order: H5R_NO_CREATION_ORDER,
        kind: H5R_LINK_HARD,
        user_type: 0,
        charset: H5R_CHARSET_ASCII,
        reserved: 0,
    };
}

const _: () = assert!(size_of::<h5r_link_details>() == offset_of!(h5r_link_details, reserved) + 4);

/// Called for each link; `name` is valid during the call only. Returns 0 to go on, positive to stop, negative to fail.
pub type h5r_link_visit = Option<unsafe extern "C" fn(name: *const c_char, user_data: *mut c_void) -> i32>;

/// Deletes the link at `path`, absolute or relative to `loc`. With its last hard link an object goes, and its space is
/// free for reuse.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_delete(loc: *mut h5r_object, path: *const c_char) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    guard::with_object(loc, |object, _| object.link_delete(unsafe { input::text(path, "path")? }))
}

/// Stores whether there is a link at `path`, absolute or relative to `loc`; a soft link's target need not exist.
///
/// Errors: BAD_HANDLE, ARGUMENT, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_exists(
    loc: *mut h5r_object,
    path: *const c_char,
    exists_out: *mut bool,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, out) = unsafe { (input::text(path, "path")?, input::output(exists_out, "exists_out")?) };
        out.set(object.link_exists(path)?);
        Ok(())
    })
}

/// Moves the link at `from`, relative to `loc`, to `to`, relative to `to_loc` of the same file; missing groups on the
/// way to `to` are created. The object itself is not touched. `to_loc` may be NULL, which means `loc`. A link that is not hard may
/// move to another file.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, EXISTS, WRONG_KIND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_move(
    loc: *mut h5r_object,
    from: *const c_char,
    to_loc: *mut h5r_object,
    to: *const c_char,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (from, to) = unsafe { (input::text(from, "from")?, input::text(to, "to")?) };
        if to_loc.is_null() {
            return object.link_move(from, object, to);
        }
        object.link_move(from, &handle::object(to_loc as u64)?.object, to)
    })
}

/// Creates a soft link at `path`, relative to `loc`, to the path `target`, which need not exist; missing groups on the
/// way to `path` are created.
///
/// Errors: BAD_HANDLE, ARGUMENT, EXISTS, WRONG_KIND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_create_soft(
    loc: *mut h5r_object,
    path: *const c_char,
    target: *const c_char,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, target) = unsafe { (input::text(path, "path")?, input::text(target, "target")?) };
        object.link_create_soft(path, target)
    })
}

/// Creates a hard link at `path`, relative to `loc`, to `target` of the same file; missing groups on the way to `path`
/// are created.
///
/// Errors: BAD_HANDLE, ARGUMENT, EXISTS, WRONG_KIND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_create_hard(
    loc: *mut h5r_object,
    path: *const c_char,
    target: *mut h5r_object,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let path = unsafe { input::text(path, "path")? };
        object.link_create_hard(path, &handle::object(target as u64)?.object)
    })
}

/// Creates a link at `path`, relative to `loc`, to the object at `target` of the file `file`. Neither need exist. All calls with
/// paths follow external links on the way; `h5r_object_open` says how the other file is opened. Missing groups on the way to `path`
/// are created.
///
/// Errors: BAD_HANDLE, ARGUMENT, EXISTS, WRONG_KIND, LIMIT (more than 65,532 bytes of names), READ_ONLY, CORRUPT, IO,
/// FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_create_external(
    loc: *mut h5r_object,
    path: *const c_char,
    file: *const c_char,
    target: *const c_char,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, file) = unsafe { (input::text(path, "path")?, input::text(file, "file")?) };
        // SAFETY: as above.
        object.link_create_external(path, file, unsafe { input::text(target, "target")? })
    })
}

/// Creates a user-defined link at `path`, relative to `loc`, of type `user_type` (65 to 255) with `length` bytes of
/// `data`, which mean something to their maker only: h5r keeps such links and does not follow them. Missing groups on
/// the way to `path` are created.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, EXISTS, WRONG_KIND, LIMIT (more than 65,535 bytes), READ_ONLY, CORRUPT, IO,
/// FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_create_user(
    loc: *mut h5r_object,
    path: *const c_char,
    user_type: i32,
    data: *const c_void,
    length: usize,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, data) = unsafe { (input::text(path, "path")?, input::bytes(data, length, "data")?) };
        let kind = u8::try_from(user_type).map_err(|_| Error::range("user_type", user_type, "65..255"))?;
        object.link_create_user(path, kind, data)
    })
}

/// Stores what the link at `path`, relative to `loc`, says in `buffer` of `capacity` bytes, and its length in
/// `length_out`, which may be NULL: of a user-defined link its data, of an external one a byte 0, the file's name and
/// the path in it, both with their NUL, and of a soft one its path without NUL. A hard link has 0 bytes. Capacity 0 asks
/// for the length only.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, TOO_SMALL, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_value(
    loc: *mut h5r_object,
    path: *const c_char,
    buffer: *mut c_void,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let path = unsafe { input::text(path, "path")? };
        let value = match object.link_info(path)?.target {
            LinkTarget::Hard(_) => Vec::new(),
            LinkTarget::Soft(value) | LinkTarget::User(_, value) => value,
        };
        // SAFETY: as above.
        unsafe { input::copy_bytes_out(&value, buffer, capacity, length_out) }
    })
}

/// Stores the kind, creation order and character set of the link at `path`, relative to `loc`, in `info_out`, which the caller
/// initialised with H5R_LINK_DETAILS_INIT.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_info(
    loc: *mut h5r_object,
    path: *const c_char,
    info_out: *mut h5r_link_details,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, out) = unsafe { (input::text(path, "path")?, options::output(info_out, "info_out")?) };
        let info = object.link_info(path)?;
        let (kind, user_type) = match info.target {
            LinkTarget::Hard(_) => (H5R_LINK_HARD, 0),
            LinkTarget::Soft(_) => (H5R_LINK_SOFT, 0),
            LinkTarget::User(EXTERNAL, _) => (H5R_LINK_EXTERNAL, 0),
            LinkTarget::User(number, _) => (H5R_LINK_USER, i32::from(number)),
        };
        let creation_order = info.creation_order.map_or(H5R_NO_CREATION_ORDER, |order| order as u64);
        let charset = if info.utf8 { H5R_CHARSET_UTF8 } else { H5R_CHARSET_ASCII };
        out.set(h5r_link_details { creation_order, kind, user_type, charset, ..Versioned::INIT });
        Ok(())
    })
}

/// Stores the path that the soft link at `path` leads to, with its NUL, in `buffer` of `capacity` bytes, and its length
/// without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND (not a soft link), TOO_SMALL, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_target(
    loc: *mut h5r_object,
    path: *const c_char,
    buffer: *mut c_char,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let path = unsafe { input::text(path, "path")? };
        let LinkTarget::Soft(target) = object.link_info(path)?.target else {
            return Err(Error::new(ErrorKind::WrongKind, format!("'{path}' is not a soft link")));
        };
        // SAFETY: as above.
        unsafe { input::copy_out(&String::from_utf8_lossy(&target), buffer, capacity, length_out) }
    })
}

/// Stores how many links the group has.
///
/// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_count(group: *mut h5r_object, count_out: *mut u64) -> h5r_status {
    guard::with_object(group, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(count_out, "count_out")? };
        out.set(object.link_count()?);
        Ok(())
    })
}

/// Calls `visit` with the name of each link that the group has now, in the order H5R_ORDER_...; no lock is held
/// meanwhile, so `visit` may call anything on this file but `h5r_close`, also delete the link. Another thread that
/// closes the file ends the iteration with BAD_HANDLE before the next visit.
///
/// Errors: BAD_HANDLE, ARGUMENT (also: creation order is not recorded), RANGE, WRONG_KIND, CALLBACK (`visit`
/// returned a negative value), CORRUPT, IO. Any thread; `visit` runs on this one.
#[no_mangle]
pub unsafe extern "C" fn h5r_link_iterate(
    group: *mut h5r_object,
    order: i32,
    visit: h5r_link_visit,
    user_data: *mut c_void,
) -> h5r_status {
    guard::with_object(group, |object, file| {
        let visit = visit.ok_or_else(|| Error::new(ErrorKind::Argument, "visit is NULL"))?;
        for (name, _) in object.links(options::order(order)?)? {
            let name = c_name(name)?;
            // SAFETY: the user's function, with a string that lives through the call.
            if !callback::visit(file, || unsafe { visit(name.as_ptr(), user_data) })? {
                break;
            }
        }
        Ok(())
    })
}
