//! Objects: groups created, objects opened, asked and closed.

use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};

use super::attribute::c_name;
use super::options::{self, h5r_group_options, Versioned};
use super::{callback, guard, h5r_object, h5r_status, handle, input, last_error};
use crate::error::{Error, ErrorKind};
use crate::object::{ObjectInfo, ObjectKind, Purpose};

/// A group.
pub const H5R_KIND_GROUP: i32 = 0;
/// A dataset.
pub const H5R_KIND_DATASET: i32 = 1;
/// A named datatype.
pub const H5R_KIND_TYPE: i32 = 2;

/// A time that the file does not record.
pub const H5R_NO_TIME: u64 = u64::MAX;

/// What h5r_object_info says of an object. Start from H5R_OBJECT_DETAILS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_object_details {
    /// sizeof(h5r_object_details), set by the INIT macro.
    pub struct_size: usize,
    /// Where its header is; two links lead to the same object when this is the same. Rebalancing and closing may move it.
    pub address: u64,
    /// Hard links to it; for a named type also the data that share it.
    pub references: u64,
    /// Its attributes.
    pub attribute_count: u64,
    /// Its links; 0 where it is no group.
    pub link_count: u64,
    /// The last access to its raw data, in seconds since 1970, or H5R_NO_TIME.
    pub access_time: u64,
    /// The last change of its raw data, likewise.
    pub modification_time: u64,
    /// The last change of its header, likewise.
    pub change_time: u64,
    /// Its creation, likewise.
    pub birth_time: u64,
    /// Bytes of its header.
    pub header_bytes: u64,
    /// Bytes of the B-trees and chunk indexes that find its attributes, links and chunks.
    pub index_bytes: u64,
    /// Bytes of the heaps of its attributes and links. Global heaps, which objects share, are not counted.
    pub heap_bytes: u64,
    /// Bytes of its raw data in this file, after filters.
    pub raw_bytes: u64,
    /// H5R_KIND_GROUP, _DATASET or _TYPE.
    pub kind: i32,
    /// 0; for later use.
    pub reserved: i32,
}

// SAFETY: repr(C), integers only; the assertion below says that there is no padding.
unsafe impl Versioned for h5r_object_details {
    const NAME: &'static str = "object_details";
    const FIRST_SIZE: usize = 112;
    const INIT: Self = h5r_object_details {
        struct_size: size_of::<Self>(),
        address: 0,
        references: 0,
        attribute_count: 0,
        link_count: 0,
        access_time: H5R_NO_TIME,
        modification_time: H5R_NO_TIME,
        change_time: H5R_NO_TIME,
        birth_time: H5R_NO_TIME,
        header_bytes: 0,
        index_bytes: 0,
        heap_bytes: 0,
        raw_bytes: 0,
        kind: H5R_KIND_GROUP,
        reserved: 0,
    };
}

const _: () = assert!(size_of::<h5r_object_details>() == offset_of!(h5r_object_details, reserved) + 4);

impl From<ObjectInfo> for h5r_object_details {
    fn from(info: ObjectInfo) -> Self {
        let time = |time: Option<u32>| time.map_or(H5R_NO_TIME, u64::from);
        let bytes = |purposes: &[Purpose]| purposes.iter().map(|&purpose| info.storage[purpose as usize]).sum();
        h5r_object_details {
            address: info.address,
            references: u64::from(info.references),
            attribute_count: info.attributes,
            link_count: info.links.unwrap_or(0),
            access_time: time(info.times.access),
            modification_time: time(info.times.modification),
            change_time: time(info.times.change),
            birth_time: time(info.times.birth),
            header_bytes: bytes(&[Purpose::ObjectHeader]),
            index_bytes: bytes(&[Purpose::BTree, Purpose::SymbolTable, Purpose::ChunkIndex]),
            heap_bytes: bytes(&[Purpose::FractalHeap, Purpose::HugeObject, Purpose::LocalHeap]),
            raw_bytes: bytes(&[Purpose::RawData]),
            kind: kind_number(info.kind),
            ..Versioned::INIT
        }
    }
}

/// Called for each object; `path` is relative to where the visit began, "." for that itself, and valid during the call
/// only; `kind` is H5R_KIND_GROUP, _DATASET or _TYPE. Returns 0 to go on, positive to stop, negative to fail.
pub type h5r_object_path_visit =
    Option<unsafe extern "C" fn(path: *const c_char, kind: i32, user_data: *mut c_void) -> i32>;

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
        if group_out.is_null() {
            return object.create_group_unopened(path, &options.checked()?);
        }
        // SAFETY: as above.
        let out = unsafe { input::output(group_out, "group_out")? };
        out.set(handle::open_object(file, object.create_group(path, &options.checked()?)?)? as *mut h5r_object);
        Ok(())
    })
}

/// Opens the group, dataset or named datatype at `path`, absolute or relative to `loc`; soft links are followed, and external
/// ones. Their file is opened as this one is, for reading only where it cannot be written, and is open as long as an object of it
/// is; if this process has it open for writing already, it is that open file, and closes with it. What calls change in it is
/// committed with this file, and when the object is closed; at once by a call that changes what a path leads to, where no object
/// of it is open. Stores a handle that `h5r_object_close` closes.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND (also an external link's file), NOT_HDF5, LOCKED, WRONG_KIND, CORRUPT, UNSUPPORTED (a
/// user-defined link), IO.
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

/// Closes an object; its file stays open and unflushed, but one that an external link led to is flushed. The handle is consumed.
/// Closing NULL, or the borrowed handle of `h5r_root`, does nothing.
///
/// Errors: BAD_HANDLE (closed before, also with its file), IO and FAILED (of an external link's file). Any thread.
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
        out.set(kind_number(object.kind()?));
        Ok(())
    })
}

fn kind_number(kind: ObjectKind) -> i32 {
    match kind {
        ObjectKind::Group => H5R_KIND_GROUP,
        ObjectKind::Dataset => H5R_KIND_DATASET,
        ObjectKind::NamedType => H5R_KIND_TYPE,
    }
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

/// Stores the kind, address, times, counts and space of the object at `path`, relative to `loc`, in `info_out`, which the
/// caller initialised with H5R_OBJECT_DETAILS_INIT; soft links are followed. `path` may be NULL, which means `loc`. Reads
/// all indexes of the object.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, CORRUPT, UNSUPPORTED (a user-defined link), IO.
/// Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_info(
    loc: *mut h5r_object,
    path: *const c_char,
    info_out: *mut h5r_object_details,
) -> h5r_status {
    guard::with_object(loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { options::output(info_out, "info_out")? };
        let path = match path.is_null() {
            true => None,
            // SAFETY: as above.
            false => Some(unsafe { input::text(path, "path")? }),
        };
        out.set(object.info(path)?.into());
        Ok(())
    })
}

/// Calls `visit` for `loc` and for each object that hard links lead to from there, once; a group before what it holds,
/// its links in the order H5R_ORDER_... . No lock is held meanwhile, so `visit` may call anything on this file but
/// `h5r_close`; what it deletes is not visited. Another thread that closes the file ends the visit with BAD_HANDLE.
///
/// Errors: BAD_HANDLE, ARGUMENT (also: creation order is not recorded), RANGE, CALLBACK (`visit` returned a
/// negative value), CORRUPT, IO. Any thread; `visit` runs on this one.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_visit(
    loc: *mut h5r_object,
    order: i32,
    visit: h5r_object_path_visit,
    user_data: *mut c_void,
) -> h5r_status {
    guard::with_object(loc, |object, file| {
        let visit = visit.ok_or_else(|| Error::new(ErrorKind::Argument, "visit is NULL"))?;
        object.visit(options::order(order)?, |path, object| {
            let (path, kind) = (c_name(path.to_owned())?, kind_number(object.kind()?));
            // SAFETY: the user's function, with a string that lives through the call.
            callback::visit(file, || unsafe { visit(path.as_ptr(), kind, user_data) })
        })
    })
}

/// Stores the object's comment, with its NUL, in `buffer` of `capacity` bytes, and its length without NUL in
/// `length_out`, which may be NULL. An object without one has an empty comment. Capacity 0 asks for the length only.
///
/// Errors: BAD_HANDLE, ARGUMENT, TOO_SMALL, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_comment(
    object: *mut h5r_object,
    buffer: *mut c_char,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::with_object(object, |object, _| {
        let comment = object.comment()?.unwrap_or_default();
        // SAFETY: as this function's documentation asks of the caller.
        unsafe { input::copy_out(&comment, buffer, capacity, length_out) }
    })
}

/// Gives the object a comment, in the place of the one that it has; NULL or "" takes it away.
///
/// Errors: BAD_HANDLE, ARGUMENT, LIMIT (more than 65,534 bytes), READ_ONLY, CORRUPT, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_set_comment(object: *mut h5r_object, comment: *const c_char) -> h5r_status {
    guard::with_object(object, |object, _| {
        let comment = match comment.is_null() {
            true => "",
            // SAFETY: as this function's documentation asks of the caller.
            false => unsafe { input::text(comment, "comment")? },
        };
        object.set_comment(comment)
    })
}
