//! Reading what C passes: the only file that makes slices and strings of its pointers.

use std::ffi::{c_char, c_void, CStr};
use std::path::Path;
use std::ptr::NonNull;
use std::slice;

use crate::error::{Error, ErrorKind, Result};

/// The largest number of dimensions the format allows.
pub const H5R_MAX_RANK: usize = 32;

#[cold]
fn null(what: &str) -> Error {
    Error::new(ErrorKind::Argument, format!("{what} is NULL"))
}

/// A NUL-terminated UTF-8 string. Names are borrowed for the call, and copied by what keeps them.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string that lives as long as the call.
#[inline]
pub(super) unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str> {
    if text.is_null() {
        return Err(null(what));
    }
    // SAFETY: as promised by the caller.
    let bytes = unsafe { CStr::from_ptr(text) };
    if bytes.to_bytes().is_ascii() {
        // SAFETY: ASCII is UTF-8. Most names are, and short: the general check takes longer to begin than this to end.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes.to_bytes()) });
    }
    bytes.to_str().map_err(|e| {
        Error::new(ErrorKind::Argument, format!("{what} is not UTF-8: byte {} is invalid", e.valid_up_to()))
    })
}

/// The path of a file.
///
/// # Safety
/// As [`text`].
pub(super) unsafe fn path<'a>(path: *const c_char) -> Result<&'a Path> {
    // SAFETY: as promised by the caller.
    let text = unsafe { text(path, "path")? };
    if text.is_empty() {
        return Err(Error::new(ErrorKind::Argument, "path is empty"));
    }
    Ok(Path::new(text))
}

/// Where a result goes; written only on success.
pub(super) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    pub fn set(self, value: T) {
        // SAFETY: `output` was promised that it is valid for a write.
        unsafe { self.0.write(value) };
    }
}

/// An output that must be there.
///
/// # Safety
/// `out` is NULL or valid for one write during the call.
#[inline]
pub(super) unsafe fn output<T>(out: *mut T, what: &str) -> Result<Out<T>> {
    NonNull::new(out).map(Out).ok_or_else(|| null(what))
}

/// `rank` extents.
///
/// # Safety
/// `dims` is NULL or points to `rank` values that live as long as the call.
pub(super) unsafe fn dims<'a>(rank: usize, dims: *const u64, what: &str) -> Result<&'a [u64]> {
    if rank > H5R_MAX_RANK {
        return Err(Error::range("rank", rank, format_args!("0..{H5R_MAX_RANK}")));
    }
    if rank == 0 {
        return Ok(&[]);
    }
    if dims.is_null() {
        return Err(Error::new(ErrorKind::Argument, format!("{what} is NULL, and the rank is {rank}")));
    }
    // SAFETY: as promised by the caller; the rank is small.
    Ok(unsafe { slice::from_raw_parts(dims, rank) })
}

/// The coordinates of `count` points in an array of `rank` dimensions.
///
/// # Safety
/// `points` is NULL or has `count` times `rank` values that live as long as the call.
pub(super) unsafe fn points<'a>(rank: usize, count: usize, points: *const u64) -> Result<&'a [u64]> {
    let values = byte_length(&[count as u64, rank as u64], size_of::<u64>())? / size_of::<u64>();
    if values == 0 {
        return Ok(&[]);
    }
    if points.is_null() {
        return Err(Error::new(ErrorKind::Argument, format!("points is NULL, and {values} coordinates are needed")));
    }
    // SAFETY: as promised by the caller; the length is within the address space.
    Ok(unsafe { slice::from_raw_parts(points, values) })
}

/// The elements that `dims` describes (1 for a scalar) times `element` bytes.
pub(super) fn byte_length(dims: &[u64], element: usize) -> Result<usize> {
    let bytes = dims.iter().try_fold(element as u64, |product, &dim| product.checked_mul(dim));
    let bytes = bytes.filter(|&n| n <= isize::MAX as u64);
    bytes.map(|n| n as usize).ok_or_else(|| {
        Error::new(ErrorKind::Range, format!("dimensions {dims:?} of {element}-byte elements exceed the address space"))
    })
}

/// Stores extents in a struct's array and returns the rank.
pub(super) fn extents_out(dims: &[u64], out: &mut [u64; H5R_MAX_RANK]) -> Result<u64> {
    let target = out.get_mut(..dims.len());
    let target = target.ok_or_else(|| Error::range("rank", dims.len(), format_args!("0..{H5R_MAX_RANK}")))?;
    target.copy_from_slice(dims);
    Ok(dims.len() as u64)
}

/// `length` bytes of data to read.
///
/// # Safety
/// `data` is NULL or points to `length` bytes that live as long as the call.
pub(super) unsafe fn bytes<'a>(data: *const c_void, length: usize, what: &str) -> Result<&'a [u8]> {
    if length == 0 {
        return Ok(&[]);
    }
    check_buffer(data, length, what)?;
    // SAFETY: as promised by the caller; the length is within the address space.
    Ok(unsafe { slice::from_raw_parts(data.cast(), length) })
}

/// `length` bytes to write into.
///
/// # Safety
/// `data` is NULL or points to `length` bytes that nothing else uses during the call.
pub(super) unsafe fn bytes_mut<'a>(data: *mut c_void, length: usize, what: &str) -> Result<&'a mut [u8]> {
    if length == 0 {
        return Ok(&mut []);
    }
    check_buffer(data, length, what)?;
    // SAFETY: as promised by the caller; the length is within the address space.
    Ok(unsafe { slice::from_raw_parts_mut(data.cast(), length) })
}

fn check_buffer(data: *const c_void, length: usize, what: &str) -> Result<()> {
    if data.is_null() {
        return Err(Error::new(ErrorKind::Argument, format!("{what} is NULL, and {length} bytes are needed")));
    }
    if length > isize::MAX as usize {
        return Err(Error::new(ErrorKind::Range, format!("{what}: {length} bytes exceed the address space")));
    }
    Ok(())
}

/// Copies `text` with its NUL into the caller's buffer and stores its length without NUL; capacity 0 asks for the
/// length only.
///
/// # Safety
/// `buffer` is NULL or has `capacity` bytes; `length_out` is NULL or valid for one write.
pub(super) unsafe fn copy_out(text: &str, buffer: *mut c_char, capacity: usize, length_out: *mut usize) -> Result<()> {
    if capacity > 0 {
        if capacity <= text.len() {
            let needed = text.len() + 1;
            let message = format!("the buffer's capacity is {capacity}, and {needed} bytes are needed");
            return Err(Error::new(ErrorKind::TooSmall, message));
        }
        // SAFETY: as promised by the caller.
        let buffer = unsafe { bytes_mut(buffer.cast(), capacity, "the buffer")? };
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        buffer[text.len()] = 0;
    } else if length_out.is_null() {
        return Err(null("length_out"));
    }
    // SAFETY: as promised by the caller.
    if let Some(length) = unsafe { length_out.as_mut() } {
        *length = text.len();
    }
    Ok(())
}

/// Copies bytes into the caller's buffer and stores their number; capacity 0 asks for the number only.
///
/// # Safety
/// As [`copy_out`].
pub(super) unsafe fn copy_bytes_out(
    value: &[u8],
    buffer: *mut c_void,
    capacity: usize,
    length_out: *mut usize,
) -> Result<()> {
    if capacity > 0 {
        if capacity < value.len() {
            let message = format!("the buffer's capacity is {capacity}, and {} bytes are needed", value.len());
            return Err(Error::new(ErrorKind::TooSmall, message));
        }
        // SAFETY: as promised by the caller.
        let buffer = unsafe { bytes_mut(buffer, capacity, "the buffer")? };
        buffer[..value.len()].copy_from_slice(value);
    } else if length_out.is_null() {
        return Err(null("length_out"));
    }
    // SAFETY: as promised by the caller.
    if let Some(length) = unsafe { length_out.as_mut() } {
        *length = value.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_do_not_wrap() {
        assert_eq!(byte_length(&[], 8).unwrap(), 8);
        assert_eq!(byte_length(&[3, 0], 8).unwrap(), 0);
        assert_eq!(byte_length(&[u64::MAX, 2], 8).unwrap_err().kind(), ErrorKind::Range);
        assert_eq!(byte_length(&[1 << 61], 8).unwrap_err().kind(), ErrorKind::Range);
    }

    #[test]
    fn text_is_checked_and_copied() {
        unsafe {
            assert_eq!(text(c"k\xc3\xb6".as_ptr(), "name").unwrap(), "kö");
            assert!(text(c"a\xff".as_ptr(), "name").unwrap_err().message().contains("byte 1"));
            assert_eq!(text(std::ptr::null(), "name").unwrap_err().message(), "name is NULL");
            let (mut buffer, mut length) = ([9u8; 4], 0);
            copy_out("abc", buffer.as_mut_ptr().cast(), 4, &mut length).unwrap();
            assert_eq!((&buffer, length), (b"abc\0", 3));
            let error = copy_out("abc", buffer.as_mut_ptr().cast(), 3, &mut length).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooSmall);
            copy_out("abcde", std::ptr::null_mut(), 0, &mut length).unwrap();
            assert_eq!(length, 5);
        }
    }
}
