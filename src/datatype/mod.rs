//! The type model and the conversion between memory and file (specification IV.A.2.d, "The Datatype Message").
//!
//! Integers and IEEE floats of both byte orders and fixed-length strings have short forms, for they are written by the
//! million; every other type is kept as its decoded message.

mod bits;
mod carry;
mod convert;
mod half;
mod model;
mod number;
mod plan;
mod references;
mod release;
mod space;
mod string;
pub mod token;

use std::fmt;
use std::sync::Arc;

pub use carry::Carry;
pub use convert::{convert, Conversion};
pub use model::{ReferenceKind, MAX_TAG, POINTER, SEQUENCE};
pub use number::{ByteOrder, Number};
pub use plan::Converter;
pub use references::Refer;
pub use release::Release;
pub use space::{Arena, NoPointers, Pointers, Space};

use crate::error::{Error, Result};
use crate::format::message::datatype as message;
pub use crate::format::message::datatype::ByteOrder as FloatOrder;
pub use crate::format::message::datatype::{Bits, CharacterSet, Class, Float, Member, Normalization, StringPadding};

/// A datatype: what one element's bytes mean. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Datatype(Repr);

#[derive(Clone, PartialEq, Eq)]
enum Repr {
    Number(Number, ByteOrder),
    String(FixedString),
    Described(Arc<message::Datatype>),
}

/// A string of a fixed number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedString {
    /// Bytes of one element, its terminator or padding included.
    pub size: u32,
    /// What follows the characters.
    pub padding: StringPadding,
    /// How the characters are encoded.
    pub character_set: CharacterSet,
}

/// The classes that are understood.
const FIXED_POINT: u8 = 0;
const FLOATING_POINT: u8 = 1;
const STRING: u8 = 3;

impl Datatype {
    /// A number. That of one byte has an order too, which only its type tells.
    pub const fn number(number: Number, order: ByteOrder) -> Self {
        Datatype(Repr::Number(number, order))
    }

    /// A little-endian number.
    pub const fn little(number: Number) -> Self {
        Self::number(number, ByteOrder::Little)
    }

    /// A string of `size` bytes; 0 bytes are refused as the format has no such type.
    pub fn string(size: u32, padding: StringPadding, character_set: CharacterSet) -> Result<Self> {
        if size == 0 {
            return Err(Error::range("string size", 0, "1..4294967295 bytes"));
        }
        Ok(Datatype(Repr::String(FixedString { size, padding, character_set })))
    }

    /// The type that a datatype message's body describes, which may be longer than its type by padding.
    pub fn from_message(body: &[u8]) -> Result<Self> {
        if let Some(number) = number::from_message(body) {
            return Ok(number);
        }
        let message = message::Datatype::decode(body)?;
        Ok(string::from_message(&message).unwrap_or_else(|| Datatype(Repr::Described(message.into()))))
    }

    /// The body of the datatype message, as libhdf5 writes it for this type.
    pub fn to_message(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(20);
        self.append_message(&mut body);
        body
    }

    /// Appends the body of the datatype message.
    pub fn append_message(&self, body: &mut Vec<u8>) {
        match &self.0 {
            Repr::Number(number, order) => {
                let (message, length) = number::message(*number, *order);
                body.extend_from_slice(&message[..length]);
            }
            Repr::String(string) => body.extend_from_slice(&string::message(*string)),
            Repr::Described(description) => body.extend_from_slice(&description.raw),
        }
    }

    /// Bytes of the datatype message's body.
    pub fn message_size(&self) -> usize {
        match &self.0 {
            Repr::Number(number, _) => {
                if number.is_float() {
                    20
                } else {
                    12
                }
            }
            Repr::String(_) => 8,
            Repr::Described(description) => description.raw.len(),
        }
    }

    /// Bytes of one element.
    pub fn size(&self) -> usize {
        match &self.0 {
            Repr::Number(number, _) => number.size(),
            Repr::String(string) => string.size as usize,
            Repr::Described(description) => description.size as usize,
        }
    }

    /// The number and byte order, if it is one.
    pub fn as_number(&self) -> Option<(Number, ByteOrder)> {
        match self.0 {
            Repr::Number(number, order) => Some((number, order)),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn as_string(&self) -> Option<FixedString> {
        match self.0 {
            Repr::String(string) => Some(string),
            _ => None,
        }
    }

    /// The class and its properties, of a type that is neither a number of [`Number`] nor a string of fixed length.
    pub fn as_class(&self) -> Option<&Class> {
        match &self.0 {
            Repr::Described(description) => Some(&description.class),
            _ => None,
        }
    }

    /// Whether elements refer to a global heap: they mean nothing without the file that they are in.
    pub fn refers_to_heap(&self) -> bool {
        matches!(&self.0, Repr::Described(description) if description.refers_to_heap())
    }

    /// Whether elements in memory point to parts of theirs: variable-length strings and sequences, and references of
    /// libhdf5 1.12.
    pub fn has_pointers(&self) -> bool {
        matches!(&self.0, Repr::Described(description) if description.has_pointers())
    }

    /// Whether elements are, or have, sequences or strings of variable length.
    pub fn has_variable_length(&self) -> bool {
        matches!(&self.0, Repr::Described(description) if description.has_variable_length())
    }

    /// The class number of the message's first byte.
    pub fn class(&self) -> u8 {
        match &self.0 {
            Repr::Number(number, _) if number.is_float() => FLOATING_POINT,
            Repr::Number(..) => FIXED_POINT,
            Repr::String(_) => STRING,
            Repr::Described(description) => description.class.number(),
        }
    }
}

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Number(number, order) => {
                let sort = match (number.is_float(), number.is_signed()) {
                    (true, _) => "float",
                    (false, true) => "signed integer",
                    (false, false) => "unsigned integer",
                };
                let order = match (number.size(), order) {
                    (1, _) => "",
                    (_, ByteOrder::Little) => "little-endian ",
                    (_, ByteOrder::Big) => "big-endian ",
                };
                write!(f, "{}-bit {order}{sort}", 8 * number.size())
            }
            Repr::String(string) => {
                let (padding, characters) =
                    (string::padding_name(string.padding), string::set_name(string.character_set));
                write!(f, "{padding} {characters} string of {} bytes", string.size)
            }
            Repr::Described(description) => describe(f, description),
        }
    }
}

impl fmt::Debug for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Datatype({self})")
    }
}

/// What users call a type of any class.
fn describe(f: &mut fmt::Formatter<'_>, description: &message::Datatype) -> fmt::Result {
    let name = match &description.class {
        Class::FixedPoint { .. } => "custom integer",
        Class::FloatingPoint(_) => "custom float",
        Class::Time { .. } => "time",
        Class::String { .. } => "string",
        Class::BitField(_) => "bitfield",
        Class::Opaque { .. } => "opaque",
        Class::Compound { .. } => "compound",
        Class::Reference { kind: 0, .. } => "object reference",
        Class::Reference { kind: 1, .. } => "region reference",
        Class::Reference { .. } => "standard reference",
        Class::Enumeration { .. } => "enumeration",
        Class::VariableLength { string: Some((_, set)), .. } => {
            return write!(f, "variable-length {} string", string::set_name(*set));
        }
        Class::VariableLength { .. } => "variable-length sequence",
        Class::Array { .. } => "array",
        Class::Complex { .. } => "complex",
    };
    write!(f, "{name} type of {} bytes", description.size)
}

#[cfg(test)]
mod bits_tests;
#[cfg(test)]
mod tests;
