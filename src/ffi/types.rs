//! Datatypes as tokens: predefined ones are constants, made ones are handles.

use std::ffi::c_char;

use super::options::choice;
use super::{guard, h5r_status, handle, input};
use crate::datatype::{token, CharacterSet, Datatype, StringPadding};
use crate::error::{Error, Result};

/// A datatype: one of the constants H5R_I8 and so on, or a token from an h5r_type_... call. 0 is no type.
pub type h5r_type = u64;

/// Signed 8-bit integer.
pub const H5R_I8: h5r_type = 1;
/// Signed 16-bit integer, little-endian, as all that follow without _BE.
pub const H5R_I16: h5r_type = 2;
/// Signed 32-bit integer.
pub const H5R_I32: h5r_type = 3;
/// Signed 64-bit integer.
pub const H5R_I64: h5r_type = 4;
/// Unsigned 8-bit integer.
pub const H5R_U8: h5r_type = 5;
/// Unsigned 16-bit integer.
pub const H5R_U16: h5r_type = 6;
/// Unsigned 32-bit integer.
pub const H5R_U32: h5r_type = 7;
/// Unsigned 64-bit integer.
pub const H5R_U64: h5r_type = 8;
/// IEEE 754 half precision.
pub const H5R_F16: h5r_type = 9;
/// IEEE 754 single precision.
pub const H5R_F32: h5r_type = 10;
/// IEEE 754 double precision.
pub const H5R_F64: h5r_type = 11;
/// Signed 16-bit integer, big-endian.
pub const H5R_I16_BE: h5r_type = 34;
/// Signed 32-bit integer, big-endian.
pub const H5R_I32_BE: h5r_type = 35;
/// Signed 64-bit integer, big-endian.
pub const H5R_I64_BE: h5r_type = 36;
/// Unsigned 16-bit integer, big-endian.
pub const H5R_U16_BE: h5r_type = 38;
/// Unsigned 32-bit integer, big-endian.
pub const H5R_U32_BE: h5r_type = 39;
/// Unsigned 64-bit integer, big-endian.
pub const H5R_U64_BE: h5r_type = 40;
/// IEEE 754 half precision, big-endian.
pub const H5R_F16_BE: h5r_type = 41;
/// IEEE 754 single precision, big-endian.
pub const H5R_F32_BE: h5r_type = 42;
/// IEEE 754 double precision, big-endian.
pub const H5R_F64_BE: h5r_type = 43;

/// Ends with at least one zero byte, as C strings do.
pub const H5R_PAD_NULL_TERMINATED: i32 = 0;
/// Filled up with zero bytes; none when the string fills its size.
pub const H5R_PAD_NULL: i32 = 1;
/// Filled up with spaces, as Fortran strings are.
pub const H5R_PAD_SPACE: i32 = 2;

/// US ASCII.
pub const H5R_CHARSET_ASCII: i32 = 0;
/// Unicode in UTF-8.
pub const H5R_CHARSET_UTF8: i32 = 1;

/// Integer; the numbers of the classes are the format's.
pub const H5R_CLASS_INTEGER: i32 = 0;
/// Floating-point number.
pub const H5R_CLASS_FLOAT: i32 = 1;
/// Time.
pub const H5R_CLASS_TIME: i32 = 2;
/// String of a fixed number of bytes.
pub const H5R_CLASS_STRING: i32 = 3;
/// Bit field.
pub const H5R_CLASS_BITFIELD: i32 = 4;
/// Opaque bytes.
pub const H5R_CLASS_OPAQUE: i32 = 5;
/// Compound.
pub const H5R_CLASS_COMPOUND: i32 = 6;
/// Reference.
pub const H5R_CLASS_REFERENCE: i32 = 7;
/// Enumeration.
pub const H5R_CLASS_ENUM: i32 = 8;
/// Variable-length sequence or string.
pub const H5R_CLASS_VARIABLE_LENGTH: i32 = 9;
/// Array.
pub const H5R_CLASS_ARRAY: i32 = 10;
/// Complex number.
pub const H5R_CLASS_COMPLEX: i32 = 11;

const _: () = {
    assert!(H5R_I8 == token::I8 && H5R_I16 == token::I16 && H5R_I32 == token::I32 && H5R_I64 == token::I64);
    assert!(H5R_U8 == token::U8 && H5R_U16 == token::U16 && H5R_U32 == token::U32 && H5R_U64 == token::U64);
    assert!(H5R_F16 == token::F16 && H5R_F32 == token::F32 && H5R_F64 == token::F64);
    assert!(H5R_I16_BE == token::BIG_ENDIAN + H5R_I16 && H5R_F64_BE == token::BIG_ENDIAN + H5R_F64);
};

/// The datatype of a token, complete.
#[inline]
pub(super) fn resolve(r#type: h5r_type) -> Result<Datatype> {
    match token::predefined(r#type) {
        Some(datatype) => Ok(datatype),
        None => {
            let datatype = handle::type_entry(r#type)?.datatype();
            datatype.check_complete()?;
            Ok(datatype)
        }
    }
}

/// The datatype of a token, which may have no members yet.
pub(super) fn resolve_any(r#type: h5r_type) -> Result<Datatype> {
    match token::predefined(r#type) {
        Some(datatype) => Ok(datatype),
        None => Ok(handle::type_entry(r#type)?.datatype()),
    }
}

/// The address of the named datatype in the file with this handle that the token was read from.
pub(super) fn committed(r#type: h5r_type, file: u64) -> Option<u64> {
    if token::predefined(r#type).is_some() {
        return None;
    }
    let committed = handle::type_entry(r#type).ok()?.committed;
    committed.filter(|(of, _)| *of == file).map(|(_, address)| address)
}

/// Whether the token was read from a named datatype.
pub(super) fn is_committed(r#type: h5r_type) -> Result<bool> {
    Ok(token::predefined(r#type).is_none() && handle::type_entry(r#type)?.committed.is_some())
}

/// A token of the datatype: its constant, or a new one that has to be closed.
pub(super) fn token(datatype: Datatype) -> Result<h5r_type> {
    match token::of(&datatype) {
        Some(token) => Ok(token),
        None => handle::open_type(datatype, None),
    }
}

pub(super) fn string_properties(padding: i32, charset: i32) -> Result<(StringPadding, CharacterSet)> {
    let paddings = [StringPadding::NullTerminated, StringPadding::NullPadded, StringPadding::SpacePadded];
    Ok((
        choice("padding", padding, &paddings)?,
        choice("charset", charset, &[CharacterSet::Ascii, CharacterSet::Utf8])?,
    ))
}

/// Makes the type of strings of `size` bytes each, terminator included; `padding` is H5R_PAD_..., `charset`
/// H5R_CHARSET_.... `h5r_type_close` closes it.
///
/// Errors: RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_string(
    size: usize,
    padding: i32,
    charset: i32,
    type_out: *mut h5r_type,
) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(type_out, "type_out")? };
        let (padding, charset) = string_properties(padding, charset)?;
        let size = u32::try_from(size).map_err(|_| Error::range("string size", size, "1..4294967295 bytes"))?;
        out.set(handle::open_type(Datatype::string(size, padding, charset)?, None)?);
        Ok(())
    })
}

/// Stores how many bytes one element has in memory: a string of variable length is a pointer.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_size(r#type: h5r_type, size_out: *mut usize) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(size_out, "size_out")? };
        out.set(resolve_any(r#type)?.size());
        Ok(())
    })
}

/// Stores the type's class, H5R_CLASS_....
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_class(r#type: h5r_type, class_out: *mut i32) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(class_out, "class_out")? };
        out.set(i32::from(resolve_any(r#type)?.class()));
        Ok(())
    })
}

/// Stores whether two types are the same: class, size, byte order, and every property. The order in which the members
/// of compounds and enumerations were added does not count.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_equal(a: h5r_type, b: h5r_type, equal_out: *mut bool) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(equal_out, "equal_out")? };
        out.set(resolve_any(a)? == resolve_any(b)?);
        Ok(())
    })
}

/// Stores the type in words, "32-bit little-endian signed integer", with its NUL, in `buffer` of `capacity` bytes, and
/// its length without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
///
/// Errors: BAD_HANDLE, ARGUMENT, TOO_SMALL. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_describe(
    r#type: h5r_type,
    buffer: *mut c_char,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    guard::call(|| unsafe { input::copy_out(&resolve_any(r#type)?.to_string(), buffer, capacity, length_out) })
}

/// Closes a made type; nothing that was written with it needs it any more. Closing 0 or a predefined type does nothing.
///
/// Errors: BAD_HANDLE (closed before). Any thread.
#[no_mangle]
pub extern "C" fn h5r_type_close(r#type: h5r_type) -> h5r_status {
    guard::call(|| match token::predefined(r#type) {
        None if r#type != 0 => handle::close_type(r#type),
        _ => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::{H5R_ERR_BAD_HANDLE, H5R_ERR_RANGE, H5R_OK};

    #[test]
    fn made_types_live_until_closed() {
        let (mut t, mut size, mut equal) = (0, 0, false);
        unsafe {
            assert_eq!(h5r_type_string(12, H5R_PAD_SPACE, H5R_CHARSET_UTF8, &mut t), H5R_OK);
            assert_eq!((h5r_type_size(t, &mut size), size), (H5R_OK, 12));
            assert_eq!((h5r_type_equal(t, t, &mut equal), equal), (H5R_OK, true));
            assert_eq!(h5r_type_close(t), H5R_OK);
            assert_eq!(h5r_type_close(t), H5R_ERR_BAD_HANDLE);
            assert_eq!(h5r_type_size(t, &mut size), H5R_ERR_BAD_HANDLE);
            assert_eq!(h5r_type_string(0, 0, 0, &mut t), H5R_ERR_RANGE);
            assert_eq!(h5r_type_string(1, 3, 0, &mut t), H5R_ERR_RANGE);
            for r#type in [0, H5R_I8 - 1, 12, 31, 32, 44, 1 << 20] {
                assert_eq!(h5r_type_size(r#type, &mut size), H5R_ERR_BAD_HANDLE, "{}", r#type);
            }
            for (r#type, bytes) in [(H5R_I8, 1), (H5R_U16_BE, 2), (H5R_F32, 4), (H5R_F64_BE, 8), (H5R_F16, 2)] {
                assert_eq!((h5r_type_size(r#type, &mut size), size), (H5R_OK, bytes));
                assert_eq!(h5r_type_close(r#type), H5R_OK);
            }
        }
    }
}
