//! Integers and IEEE 754 floats: their message and their place in the conversion table.

use super::Datatype;

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
}

/// The class of a number's message, with version 1.
const FIXED_POINT: u8 = 0x10;
const FLOATING_POINT: u8 = 0x11;

/// The message of a number, and how many of the bytes are it. Attributes are written and read by the million, so nothing is
/// allocated here.
pub(super) fn message(number: Number, order: ByteOrder) -> ([u8; 20], usize) {
    let size = number.size() as u8;
    let (bits, order) = (8 * size, u8::from(order == ByteOrder::Big));
    let mut message = [0; 20];
    message[4] = size;
    message[10] = bits;
    if !number.is_float() {
        message[0] = FIXED_POINT;
        message[1] = order | u8::from(number.is_signed()) << 3;
        return (message, 12);
    }
    let (exponent, mantissa, bias) = match number {
        Number::F16 => (5, 10, 15),
        Number::F32 => (8, 23, 127),
        _ => (11, 52, 1023u32),
    };
    message[0] = FLOATING_POINT;
    // The mantissa's highest bit is implied; the sign's position.
    (message[1], message[2]) = (order | 2 << 4, bits - 1);
    message[12..16].copy_from_slice(&[mantissa, exponent, 0, mantissa]);
    message[16..].copy_from_slice(&bias.to_le_bytes());
    (message, 20)
}

/// The number that the message describes, if it is one of [`Number`] in all its properties, whatever its version.
pub(super) fn from_message(body: &[u8]) -> Option<Datatype> {
    let order = if body.get(1)? & 1 == 0 { ByteOrder::Little } else { ByteOrder::Big };
    let (class, signed) = (body[0] & 0x0f, body[1] & 8 != 0);
    let number = match (class, *body.get(4)?, signed) {
        (0, 1, true) => Number::I8,
        (0, 2, true) => Number::I16,
        (0, 4, true) => Number::I32,
        (0, 8, true) => Number::I64,
        (0, 1, false) => Number::U8,
        (0, 2, false) => Number::U16,
        (0, 4, false) => Number::U32,
        (0, 8, false) => Number::U64,
        (1, 2, _) => Number::F16,
        (1, 4, _) => Number::F32,
        (1, 8, _) => Number::F64,
        _ => return None,
    };
    let (expected, length) = message(number, order);
    let equal = body.get(1..length)? == &expected[1..length] && (1..=5).contains(&(body[0] >> 4));
    equal.then(|| Datatype::number(number, order))
}
