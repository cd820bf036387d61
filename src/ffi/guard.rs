//! What surrounds every call: the last error cleared, panics caught, errors turned into statuses.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use super::handle::{self, FileEntry};
use super::status::{code, h5r_status, H5R_ERR_BAD_HANDLE, H5R_OK};
use super::{h5r_file, h5r_object, last_error};
use crate::error::{Error, Result};
use crate::object::Object;

/// Runs a call. A panic that unwinds through the file's lock makes the file accept only close: `object/` sees to that.
pub(super) fn call(body: impl FnOnce() -> Result<()>) -> h5r_status {
    last_error::clear();
    let error = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => {
            // Calls that a callback made may have failed.
            last_error::clear();
            return H5R_OK;
        }
        Ok(Err(error)) => error,
        Err(panic) => described(panic),
    };
    last_error::set(error.message());
    code(error.kind())
}

#[cold]
fn described(panic: Box<dyn Any + Send>) -> Error {
    let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::internal(format_args!("{text}; this is a defect, please report it. The file accepts only close"))
}

/// Runs a call on a file; `body` gets its handle too.
pub(super) fn with_file(file: *mut h5r_file, body: impl FnOnce(&FileEntry, u64) -> Result<()>) -> h5r_status {
    let handle = file as u64;
    match handle::file(handle) {
        Ok(entry) => call(|| body(&entry, handle)),
        Err(error) => refused(error),
    }
}

/// Runs a call on an object; `body` gets its file's handle too.
#[inline]
pub(super) fn with_object(object: *mut h5r_object, body: impl FnOnce(&Object, u64) -> Result<()>) -> h5r_status {
    match handle::object(object as u64) {
        Ok(entry) => call(|| body(&entry.object, entry.file)),
        Err(error) => refused(error),
    }
}

#[cold]
fn refused(error: Error) -> h5r_status {
    last_error::set(error.message());
    H5R_ERR_BAD_HANDLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::{h5r_last_error, H5R_ERR_INTERNAL, H5R_ERR_RANGE};
    use std::ffi::CStr;

    #[test]
    fn statuses_and_messages() {
        let text = || unsafe { CStr::from_ptr(h5r_last_error()) }.to_str().unwrap().to_owned();
        assert_eq!(call(|| Err(Error::range("lazy threshold", 0.5, "0.01..0.20"))), H5R_ERR_RANGE);
        assert_eq!(text(), "lazy threshold 0.5 is outside 0.01..0.20");
        assert_eq!(call(|| Ok(())), H5R_OK);
        assert_eq!(text(), "");
        assert_eq!(call(|| panic!("seven {}", 7)), H5R_ERR_INTERNAL);
        assert!(text().contains("seven 7"), "{}", text());
    }

    #[test]
    fn no_handle_is_dereferenced() {
        for value in [0u64, 1, 8, 15, 0x1_0000_0003, u64::MAX, usize::MAX as u64 - 3] {
            assert_eq!(with_object(value as *mut h5r_object, |_, _| Ok(())), H5R_ERR_BAD_HANDLE);
        }
        for value in [0u64, 1, 8, 15, 0x1_0000_0005, 0xffff_ffff_ffff_fff3] {
            assert_eq!(with_file(value as *mut h5r_file, |_, _| Ok(())), H5R_ERR_BAD_HANDLE);
        }
    }
}
