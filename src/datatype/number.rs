//! Integers and IEEE 754 floats: their message and their place in the conversion table.

use super::{Datatype, FIXED_POINT, FLOATING_POINT, VERSION_1};
use crate::format::codec::Writer;

/// Which byte comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// The least significant.
    Little,
    /// The most significant.
    Big,
}

/// The numbers that are converted into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Number {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
}

impl Number {
    /// All of them.
    pub const ALL: [Number; 11] = [
        Number::I8,
        Number::I16,
        Number::I32,
        Number::I64,
        Number::U8,
        Number::U16,
        Number::U32,
        Number::U64,
        Number::F16,
        Number::F32,
        Number::F64,
    ];

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Number::I8 | Number::U8 => 1,
            Number::I16 | Number::U16 | Number::F16 => 2,
            Number::I32 | Number::U32 | Number::F32 => 4,
            Number::I64 | Number::U64 | Number::F64 => 8,
        }
    }

    /// Whether it is an IEEE float.
    pub const fn is_float(self) -> bool {
        matches!(self, Number::F16 | Number::F32 | Number::F64)
    }

    /// Whether it is an integer with a sign.
    pub const fn is_signed(self) -> bool {
        matches!(self, Number::I8 | Number::I16 | Number::I32 | Number::I64)
    }

    /// Exponent bits, mantissa bits and exponent bias.
    const fn float_layout(self) -> (u8, u8, u32) {
        match self {
            Number::F16 => (5, 10, 15),
            Number::F32 => (8, 23, 127),
            _ => (11, 52, 1023),
        }
    }
}

/// The normalization "the most significant bit of the mantissa is implied", in the class bit field.
const IMPLIED_BIT: u8 = 2 << 4;

pub(super) fn to_message(number: Number, order: ByteOrder) -> Vec<u8> {
    let order = u8::from(order == ByteOrder::Big);
    let bits = 8 * number.size() as u16;
    let mut w = Writer::new();
    if number.is_float() {
        let (exponent, mantissa, bias) = number.float_layout();
        w.u8(VERSION_1 | FLOATING_POINT).bytes(&[order | IMPLIED_BIT, (bits - 1) as u8, 0]).u32(number.size() as u32);
        w.u16(0).u16(bits).bytes(&[mantissa, exponent, 0, mantissa]).u32(bias);
    } else {
        w.u8(VERSION_1 | FIXED_POINT).bytes(&[order | u8::from(number.is_signed()) << 3, 0, 0]);
        w.u32(number.size() as u32).u16(0).u16(bits);
    }
    w.finish()
}

/// The number that the message describes, if it is one of [`Number`] in all its properties, whatever its version.
pub(super) fn from_message(message: &[u8]) -> Option<Datatype> {
    let order = if message[1] & 1 == 0 { ByteOrder::Little } else { ByteOrder::Big };
    Number::ALL.into_iter().find_map(|number| {
        let expected = to_message(number, order);
        let tail = message.get(..expected.len())?;
        let equal = tail[1..] == expected[1..] && tail[0] & 0x0f == expected[0] & 0x0f;
        equal.then(|| Datatype::number(number, order))
    })
}
