//! Copies of objects, within a file and between files.

use std::ffi::c_char;
use std::mem::{offset_of, size_of};

use super::options::{self, flag, unused, Versioned};
use super::{guard, h5r_object, h5r_status, handle, input};
use crate::error::Result;
use crate::object::CopyOptions;

/// Options of h5r_object_copy. Start from H5R_COPY_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_copy_options {
    /// sizeof(h5r_copy_options), set by the INIT macro.
    pub struct_size: usize,
    /// 1: of a group only its own links are copied; groups that they lead to are empty in the copy. 0, the default: all
    /// below it.
    pub shallow: i32,
    /// 1: attributes are left out. 0, the default: they are copied.
    pub without_attributes: i32,
    /// 1: what soft links of copied groups lead to is copied, and linked in their place; those that lead nowhere stay. 0,
    /// the default: soft links are copied as they are.
    pub expand_soft_links: i32,
    /// 0; for later use.
    pub reserved: i32,
}

// SAFETY: repr(C), integers only; the assertion below says that there is no padding.
unsafe impl Versioned for h5r_copy_options {
    const NAME: &'static str = "copy_options";
    const FIRST_SIZE: usize = 24;
    const INIT: Self = h5r_copy_options {
        struct_size: size_of::<Self>(),
        shallow: 0,
        without_attributes: 0,
        expand_soft_links: 0,
        reserved: 0,
    };
}

const _: () = assert!(size_of::<h5r_copy_options>() == offset_of!(h5r_copy_options, reserved) + 4);

impl h5r_copy_options {
    fn checked(&self) -> Result<CopyOptions> {
        unused("reserved", self.reserved)?;
        Ok(CopyOptions {
            shallow: flag("shallow", self.shallow)?,
            without_attributes: flag("without_attributes", self.without_attributes)?,
            expand_soft_links: flag("expand_soft_links", self.expand_soft_links)?,
        })
    }
}

/// Copies the object at `from`, relative to `from_loc`, to `to`, relative to `to_loc`, a group of the same file or of another
/// one that is open; missing groups on the way to `to` are created. The copy is deep: a group with all below it, each object
/// once, so that hard links within stay shared; attributes, comments and creation orders; chunks as they are stored, values of
/// variable length, and named datatypes that the data share. Soft, external and user-defined links are copied as they are.
/// References to objects and regions stay as they are within a file, and become null in another one. `options` may be NULL for
/// all defaults, `to_loc` NULL, which means `from_loc`. After an error there is no part of a copy.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, NOT_FOUND, EXISTS, WRONG_KIND (something on the way is no group), UNSUPPORTED (a dataset
/// with external files, or what the target's format has no place for), CALLBACK (of a filter), READ_ONLY (the target), LIMIT, CORRUPT,
/// IO, FAILED. Any thread; calls on both files wait.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_copy(
    from_loc: *mut h5r_object,
    from_path: *const c_char,
    to_loc: *mut h5r_object,
    to_path: *const c_char,
    options: *const h5r_copy_options,
) -> h5r_status {
    guard::with_object(from_loc, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (from, to) = unsafe { (input::text(from_path, "from_path")?, input::text(to_path, "to_path")?) };
        // SAFETY: as above.
        let options = unsafe { options::read(options)? }.checked()?;
        if to_loc.is_null() {
            return object.copy(from, object, to, &options);
        }
        object.copy(from, &handle::object(to_loc as u64)?.object, to, &options)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_engines() {
        assert_eq!(h5r_copy_options::INIT.checked().unwrap(), CopyOptions::default());
        let wrong = h5r_copy_options { shallow: 2, ..h5r_copy_options::INIT };
        assert_eq!(wrong.checked().unwrap_err().message(), "shallow 2 is outside 0..1");
    }
}
