//! Status codes and the version.

use std::ffi::{c_char, CStr};

use crate::error::ErrorKind;

/// What a call returns: `H5R_OK` (0), or a negative code. Codes are never renumbered.
pub type h5r_status = i32;

/// Success.
pub const H5R_OK: h5r_status = 0;
/// The handle is NULL, closed, of another kind, or was never made by h5r.
pub const H5R_ERR_BAD_HANDLE: h5r_status = -1;
/// An argument is malformed: a NULL pointer, an empty or non-UTF-8 name, a wrong rank, options of an unknown layout.
pub const H5R_ERR_ARGUMENT: h5r_status = -2;
/// A value lies outside its accepted range; the message names the field and the range.
pub const H5R_ERR_RANGE: h5r_status = -3;
/// The object, link or attribute does not exist.
pub const H5R_ERR_NOT_FOUND: h5r_status = -4;
/// The name is taken already.
pub const H5R_ERR_EXISTS: h5r_status = -5;
/// The object is of another kind than the call needs (a dataset where a group is needed).
pub const H5R_ERR_WRONG_KIND: h5r_status = -6;
/// There is no conversion between these datatypes, or sizes do not agree.
pub const H5R_ERR_TYPE: h5r_status = -7;
/// The caller's buffer is too small; the message says how much is needed.
pub const H5R_ERR_TOO_SMALL: h5r_status = -8;
/// The file was opened for reading only.
pub const H5R_ERR_READ_ONLY: h5r_status = -9;
/// The file is not an HDF5 file.
pub const H5R_ERR_NOT_HDF5: h5r_status = -10;
/// A structure of the file contradicts the format or its checksum.
pub const H5R_ERR_CORRUPT: h5r_status = -11;
/// Valid HDF5 that this version does not handle yet; the message names the structure.
pub const H5R_ERR_UNSUPPORTED: h5r_status = -12;
/// A limit of the format or of this library was reached.
pub const H5R_ERR_LIMIT: h5r_status = -13;
/// Another process holds the file's lock, or the file says that it is being written.
pub const H5R_ERR_LOCKED: h5r_status = -14;
/// Incremental rebalancing needs `h5r_set_lazy` first.
pub const H5R_ERR_LAZY_REQUIRED: h5r_status = -15;
/// The call was made from a callback of the same file, where it would wait for itself. Nothing was changed.
pub const H5R_ERR_REENTRANT: h5r_status = -16;
/// The user's callback returned a negative value.
pub const H5R_ERR_CALLBACK: h5r_status = -17;
/// The operating system reported an error.
pub const H5R_ERR_IO: h5r_status = -18;
/// An earlier write or sync of this file failed, or a defect was found in it: it accepts only `h5r_close`.
pub const H5R_ERR_FAILED: h5r_status = -19;
/// A defect of h5r. The file accepts only `h5r_close` from now on; what was flushed last is kept.
pub const H5R_ERR_INTERNAL: h5r_status = -20;

const NAMES: [&CStr; 21] = [
    c"H5R_OK",
    c"H5R_ERR_BAD_HANDLE",
    c"H5R_ERR_ARGUMENT",
    c"H5R_ERR_RANGE",
    c"H5R_ERR_NOT_FOUND",
    c"H5R_ERR_EXISTS",
    c"H5R_ERR_WRONG_KIND",
    c"H5R_ERR_TYPE",
    c"H5R_ERR_TOO_SMALL",
    c"H5R_ERR_READ_ONLY",
    c"H5R_ERR_NOT_HDF5",
    c"H5R_ERR_CORRUPT",
    c"H5R_ERR_UNSUPPORTED",
    c"H5R_ERR_LIMIT",
    c"H5R_ERR_LOCKED",
    c"H5R_ERR_LAZY_REQUIRED",
    c"H5R_ERR_REENTRANT",
    c"H5R_ERR_CALLBACK",
    c"H5R_ERR_IO",
    c"H5R_ERR_FAILED",
    c"H5R_ERR_INTERNAL",
];

pub(super) fn code(kind: ErrorKind) -> h5r_status {
    match kind {
        ErrorKind::Closed => H5R_ERR_BAD_HANDLE,
        ErrorKind::Argument => H5R_ERR_ARGUMENT,
        ErrorKind::Range => H5R_ERR_RANGE,
        ErrorKind::NotFound => H5R_ERR_NOT_FOUND,
        ErrorKind::Exists => H5R_ERR_EXISTS,
        ErrorKind::WrongKind => H5R_ERR_WRONG_KIND,
        ErrorKind::Type => H5R_ERR_TYPE,
        ErrorKind::TooSmall => H5R_ERR_TOO_SMALL,
        ErrorKind::ReadOnly => H5R_ERR_READ_ONLY,
        ErrorKind::NotHdf5 => H5R_ERR_NOT_HDF5,
        ErrorKind::Corrupt => H5R_ERR_CORRUPT,
        ErrorKind::Unsupported => H5R_ERR_UNSUPPORTED,
        ErrorKind::Limit => H5R_ERR_LIMIT,
        ErrorKind::Locked => H5R_ERR_LOCKED,
        ErrorKind::LazyRequired => H5R_ERR_LAZY_REQUIRED,
        ErrorKind::Reentrant => H5R_ERR_REENTRANT,
        ErrorKind::Callback => H5R_ERR_CALLBACK,
        ErrorKind::Io => H5R_ERR_IO,
        ErrorKind::Failed => H5R_ERR_FAILED,
        ErrorKind::Internal => H5R_ERR_INTERNAL,
    }
}

const VERSION: (u32, u32, u32) = (
    decimal(env!("CARGO_PKG_VERSION_MAJOR")),
    decimal(env!("CARGO_PKG_VERSION_MINOR")),
    decimal(env!("CARGO_PKG_VERSION_PATCH")),
);

const fn decimal(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let (mut value, mut i) = (0, 0);
    while i < bytes.len() {
        value = value * 10 + (bytes[i] - b'0') as u32;
        i += 1;
    }
    value
}

/// The version of the library in use: `major << 16 | minor << 8 | patch`. Cannot fail; any thread.
#[no_mangle]
pub extern "C" fn h5r_version_number() -> u32 {
    VERSION.0 << 16 | VERSION.1 << 8 | VERSION.2
}

/// The version of the library in use as text, `"0.1.0"`. Static storage; cannot fail; any thread.
#[no_mangle]
pub extern "C" fn h5r_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The name of a status, `"H5R_ERR_RANGE"`; `"H5R_ERR_UNKNOWN"` for a number that is no status. Static storage;
/// cannot fail; any thread.
#[no_mangle]
pub extern "C" fn h5r_status_name(status: h5r_status) -> *const c_char {
    let name = status.checked_neg().and_then(|i| usize::try_from(i).ok()).and_then(|i| NAMES.get(i));
    name.copied().unwrap_or(c"H5R_ERR_UNKNOWN").as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_version() {
        let name = |s| unsafe { CStr::from_ptr(h5r_status_name(s)) };
        assert_eq!(name(H5R_OK), c"H5R_OK");
        assert_eq!(name(H5R_ERR_INTERNAL), c"H5R_ERR_INTERNAL");
        assert_eq!(name(H5R_ERR_LAZY_REQUIRED), c"H5R_ERR_LAZY_REQUIRED");
        for unknown in [1, -21, i32::MIN, i32::MAX] {
            assert_eq!(name(unknown), c"H5R_ERR_UNKNOWN");
        }
        let version = unsafe { CStr::from_ptr(h5r_version()) }.to_str().unwrap();
        let n = h5r_version_number();
        assert_eq!(version, format!("{}.{}.{}", n >> 16, n >> 8 & 0xff, n & 0xff));
    }
}
