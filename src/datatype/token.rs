//! The predefined types as the numbers by which the C interface names them. They never change; all are below 2^63, so
//! that a Fortran `integer(int64)` holds them. 0 is no type. Types made by the user get tokens from [`FIRST_MADE`] on.

use super::{ByteOrder, Datatype, Number};

/// Signed 8-bit integer. The tokens of one byte order follow one another in [`Number`]'s order.
pub const I8: u64 = 1;
/// Signed 16-bit integer.
pub const I16: u64 = 2;
/// Signed 32-bit integer.
pub const I32: u64 = 3;
/// Signed 64-bit integer.
pub const I64: u64 = 4;
/// Unsigned 8-bit integer.
pub const U8: u64 = 5;
/// Unsigned 16-bit integer.
pub const U16: u64 = 6;
/// Unsigned 32-bit integer.
pub const U32: u64 = 7;
/// Unsigned 64-bit integer.
pub const U64: u64 = 8;
/// IEEE 754 half precision.
pub const F16: u64 = 9;
/// IEEE 754 single precision.
pub const F32: u64 = 10;
/// IEEE 754 double precision.
pub const F64: u64 = 11;
/// Added to a token for its big-endian twin.
pub const BIG_ENDIAN: u64 = 32;
/// No predefined type has this token or a larger one.
pub const FIRST_MADE: u64 = 1 << 32;

/// The predefined type of a token.
pub fn predefined(token: u64) -> Option<Datatype> {
    let (index, order) = match token {
        I8..=F64 => (token - I8, ByteOrder::Little),
        _ => (token.checked_sub(BIG_ENDIAN + I8)?, ByteOrder::Big),
    };
    Number::ALL.get(index as usize).map(|&number| Datatype::number(number, order))
}

/// The token of a type, if it is predefined.
pub fn of(datatype: &Datatype) -> Option<u64> {
    let (number, order) = datatype.as_number()?;
    Some(I8 + number as u64 + if order == ByteOrder::Big { BIG_ENDIAN } else { 0 })
}
