//! One element's bytes as a value, by the description of its type.

use h5r::datatype::Arena;
use h5r::error::{Error, ErrorKind, Result};
use h5r::format::message::datatype::{Bits, ByteOrder, Class, Datatype, Float, Normalization, StringPadding};

use crate::model::{hex, Model};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Integer(i128),
    /// Exact, with the bytes that its type has.
    Float(f64, u32),
    Text(Vec<u8>),
    /// What has no other form, as hexadecimal digits.
    Digits(String),
    Record(Vec<(String, Value)>),
    List(Vec<Value>),
    /// The name, if one has this value.
    Enumerated(Option<String>, i128),
    /// The path of the object, if it is in this file.
    Reference(Option<String>, u64),
    Complex(Box<Value>, Box<Value>),
    /// A string of variable length that is none.
    Nothing,
}

/// Nesting that is followed in variable-length values.
const MAX_DEPTH: usize = 32;

impl Model {
    /// The value of an element; one in memory has its parts in an arena, one as the file has it in the global heap.
    pub fn value(&self, datatype: &Datatype, bytes: &[u8], parts: Option<&Arena>) -> Result<Value> {
        Parts { model: self, parts }.nested(datatype, bytes, 0)
    }
}

/// Where the parts of values are.
struct Parts<'a> {
    model: &'a Model,
    parts: Option<&'a Arena>,
}

impl Parts<'_> {
    fn nested(&self, datatype: &Datatype, bytes: &[u8], depth: usize) -> Result<Value> {
        let size = datatype.size as usize;
        let Some(bytes) = bytes.get(..size).filter(|_| depth < MAX_DEPTH && size > 0) else {
            return Err(damaged(format!("an element of {size} bytes in {}, at depth {depth}", bytes.len())));
        };
        Ok(match &datatype.class {
            Class::FixedPoint { bits, signed } => integer(bytes, bits, *signed),
            Class::BitField(bits) => integer(bytes, bits, false),
            Class::Time { order, .. } => {
                let bits =
                    Bits { order: *order, low_pad: false, high_pad: false, offset: 0, precision: 8 * size as u16 };
                integer(bytes, &bits, true)
            }
            Class::FloatingPoint(layout) => float(bytes, layout),
            Class::String { padding, .. } => Value::Text(unpadded(bytes, *padding).to_vec()),
            Class::Opaque { .. } => Value::Digits(hex(bytes)),
            Class::Compound { members } => {
                let member = |member: &h5r::format::message::datatype::Member| {
                    let part = bytes.get(member.offset as usize..).unwrap_or_default();
                    let value = self.nested(&member.datatype, part, depth + 1)?;
                    Ok((String::from_utf8_lossy(&member.name).into_owned(), value))
                };
                Value::Record(members.iter().map(member).collect::<Result<_>>()?)
            }
            Class::Reference { kind: 0, .. } => self.reference(bytes),
            Class::Reference { kind: 2.., .. } if self.parts.is_some() => {
                Value::Digits(hex(self.in_memory(bytes.get(8..16), 0, 0)?))
            }
            Class::Reference { .. } => Value::Digits(hex(bytes)),
            Class::Enumeration { base, names, values } => self.enumerated(base, names, values, bytes, depth)?,
            Class::VariableLength { string, base } => self.sequence(string.is_some(), base, bytes, depth)?,
            Class::Array { base, .. } => self.list(base, bytes, depth)?,
            Class::Complex { base } => {
                let (real, imaginary) = bytes.split_at(size / 2);
                let part = |bytes| self.nested(base, bytes, depth + 1).map(Box::new);
                Value::Complex(part(real)?, part(imaginary)?)
            }
        })
    }

    fn list(&self, base: &Datatype, bytes: &[u8], depth: usize) -> Result<Value> {
        let elements = bytes.chunks_exact((base.size as usize).max(1));
        elements.map(|element| self.nested(base, element, depth + 1)).collect::<Result<_>>().map(Value::List)
    }

    fn reference(&self, bytes: &[u8]) -> Value {
        let width = bytes.len().min(8);
        let mut address = [0; 8];
        address[..width].copy_from_slice(&bytes[..width]);
        let address = u64::from_le_bytes(address);
        Value::Reference(self.model.paths.get(&address).cloned(), address)
    }

    fn enumerated(
        &self,
        base: &Datatype,
        names: &[Vec<u8>],
        values: &[u8],
        bytes: &[u8],
        depth: usize,
    ) -> Result<Value> {
        let Value::Integer(number) = self.nested(base, bytes, depth + 1)? else {
            return Err(damaged("an enumeration that is not based on an integer".into()));
        };
        let stored = values.chunks_exact((base.size as usize).max(1));
        let name = names.iter().zip(stored).find(|(_, value)| *value == bytes);
        Ok(Value::Enumerated(name.map(|(name, _)| String::from_utf8_lossy(name).into_owned()), number))
    }

    /// What a pointer leads to, and has so many elements of a size at least; nothing where it is null.
    fn in_memory(&self, pointer: Option<&[u8]>, count: u64, size: u32) -> Result<&[u8]> {
        let (Some(pointer), Some(parts)) = (number(pointer), self.parts) else {
            return Err(damaged("an element without room for a pointer".into()));
        };
        let stored = if pointer == 0 { &[] } else { parts.get(pointer).unwrap_or_default() };
        match count.checked_mul(u64::from(size)).is_some_and(|needed| needed <= stored.len() as u64) {
            true => Ok(stored),
            false => Err(damaged(format!("{count} elements of a sequence in {} bytes", stored.len()))),
        }
    }

    fn sequence(&self, is_string: bool, base: &Datatype, bytes: &[u8], depth: usize) -> Result<Value> {
        if self.parts.is_some() {
            let (count, pointer) = match is_string {
                true => (0, bytes.get(..8)),
                false => (number(bytes.get(..8)).unwrap_or(0), bytes.get(8..16)),
            };
            let is_nothing = is_string && number(pointer) == Some(0);
            let stored = self.in_memory(pointer, count, base.size)?;
            return match (is_nothing, is_string) {
                (true, _) => Ok(Value::Nothing),
                (_, true) => Ok(Value::Text(unpadded(stored, StringPadding::NullTerminated).to_vec())),
                _ => self.list(base, stored, depth),
            };
        }
        let width = self.model.sizes.offset as usize;
        let (Some(count), Some(address), Some(index)) =
            (number(bytes.get(..4)), number(bytes.get(4..4 + width)), number(bytes.get(4 + width..8 + width)))
        else {
            return Err(damaged(format!("a variable-length element of {} bytes", bytes.len())));
        };
        if count == 0 || address == 0 {
            let nothing = if is_string && address == 0 { Value::Nothing } else { Value::List(Vec::new()) };
            return Ok(if is_string && address != 0 { Value::Text(Vec::new()) } else { nothing });
        }
        let stored = self.model.file.global_heap_object(address, index as u32)?;
        let needed = count.saturating_mul(u64::from(base.size));
        let Some(stored) = usize::try_from(needed).ok().and_then(|needed| stored.get(..needed)) else {
            return Err(damaged(format!("{needed} bytes of a sequence in {}", stored.len())));
        };
        match is_string {
            true => Ok(Value::Text(unpadded(stored, StringPadding::NullTerminated).to_vec())),
            false => self.list(base, stored, depth),
        }
    }
}

fn damaged(detail: String) -> Error {
    Error::new(ErrorKind::Corrupt, format!("a value is damaged: {detail}"))
}

fn number(bytes: Option<&[u8]>) -> Option<u64> {
    let bytes = bytes.filter(|bytes| bytes.len() <= 8)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

fn unpadded(bytes: &[u8], padding: StringPadding) -> &[u8] {
    match padding {
        StringPadding::NullTerminated => bytes.split(|&byte| byte == 0).next().unwrap_or_default(),
        StringPadding::NullPadded => &bytes[..bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)],
        StringPadding::SpacePadded => &bytes[..bytes.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1)],
    }
}

/// Up to 16 bytes as a number, the least significant byte first.
fn little(bytes: &[u8], order: ByteOrder) -> Option<u128> {
    if bytes.len() > 16 {
        return None;
    }
    let mut all = bytes.to_vec();
    match order {
        ByteOrder::Little => {}
        ByteOrder::Big => all.reverse(),
        ByteOrder::Vax => {
            all.reverse();
            all.chunks_exact_mut(2).for_each(|pair| pair.reverse());
        }
    }
    Some(all.iter().rev().fold(0, |number, &byte| number << 8 | u128::from(byte)))
}

fn field(number: u128, position: u32, size: u32) -> u128 {
    let mask = if size >= 128 { u128::MAX } else { (1 << size) - 1 };
    number.checked_shr(position).unwrap_or(0) & mask
}

fn integer(bytes: &[u8], bits: &Bits, signed: bool) -> Value {
    let precision = u32::from(bits.precision);
    let Some(all) = little(bytes, bits.order).filter(|_| (1..=127).contains(&precision) || signed && precision == 128)
    else {
        return Value::Digits(hex(bytes));
    };
    let value = field(all, u32::from(bits.offset), precision);
    let spare = 128 - precision;
    Value::Integer(if signed { (value << spare) as i128 >> spare } else { value as i128 })
}

/// A float that 64 bits hold exactly; any other as its digits.
fn float(bytes: &[u8], layout: &Float) -> Value {
    let digits = || Value::Digits(hex(bytes));
    let Some(all) = little(bytes, layout.bits.order) else { return digits() };
    let all = all.checked_shr(u32::from(layout.bits.offset)).unwrap_or(0);
    let (exponent_size, mantissa_size) = (u32::from(layout.exponent_size), u32::from(layout.mantissa_size));
    let negative = field(all, u32::from(layout.sign_position), 1) == 1;
    let exponent = field(all, u32::from(layout.exponent_position), exponent_size) as u64;
    let mantissa = field(all, u32::from(layout.mantissa_position), mantissa_size);
    if exponent_size > 15 || mantissa_size > 112 {
        return digits();
    }
    let signed = |value: f64| Value::Float(if negative { -value } else { value }, bytes.len() as u32);
    let largest = (1u64 << exponent_size) - 1;
    if exponent == largest {
        // The highest bit of a mantissa that is not normalized says nothing.
        let last = mantissa_size - u32::from(layout.normalization == Normalization::None);
        return if field(mantissa, 0, last) == 0 {
            signed(f64::INFINITY)
        } else {
            Value::Float(f64::NAN, bytes.len() as u32)
        };
    }
    // Value = whole * 2^power.
    let (whole, power) = match (layout.normalization, exponent) {
        (Normalization::Implied, 0) => (mantissa, 1),
        (Normalization::Implied, _) => (mantissa | 1 << mantissa_size, exponent as i64),
        (Normalization::Stored | Normalization::None, _) => (mantissa, exponent.max(1) as i64 + 1),
    };
    exact(whole, power - i64::from(layout.exponent_bias) - i64::from(mantissa_size)).map_or_else(digits, signed)
}

/// `whole * 2^power`, if 64 bits hold it exactly.
fn exact(mut whole: u128, mut power: i64) -> Option<f64> {
    if whole == 0 {
        return Some(0.0);
    }
    let zeros = whole.trailing_zeros();
    whole >>= zeros;
    power += i64::from(zeros);
    let bits = i64::from(128 - whole.leading_zeros());
    // The most significant bit at 2^1023 at most, the least significant one at 2^-1074 at least.
    if bits > 53 || power + bits > 1024 || power < -1074 {
        return None;
    }
    let half = (power / 2) as i32;
    Some(whole as f64 * 2f64.powi(half) * 2f64.powi(power as i32 - half))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ieee(size: u8, order: ByteOrder, bytes: &[u8]) -> Value {
        let Class::FloatingPoint(layout) = Datatype::floating_point(size, order).unwrap().class else { panic!() };
        float(bytes, &layout)
    }

    #[test]
    fn floats_are_exact() {
        for value in [0.0, 1.0, -2.5, 1e-308, 5e-324, f64::MAX, f64::MIN_POSITIVE, 0.1] {
            assert_eq!(ieee(8, ByteOrder::Little, &value.to_le_bytes()), Value::Float(value, 8), "{value}");
            assert_eq!(ieee(8, ByteOrder::Big, &value.to_be_bytes()), Value::Float(value, 8), "{value}");
        }
        for value in [0.1f32, f32::MIN_POSITIVE, 1e-45, -f32::MAX] {
            assert_eq!(ieee(4, ByteOrder::Big, &value.to_be_bytes()), Value::Float(value.into(), 4), "{value}");
        }
        assert_eq!(ieee(2, ByteOrder::Little, &[0x01, 0x00]), Value::Float(2f64.powi(-24), 2));
        assert_eq!(ieee(4, ByteOrder::Little, &f32::NEG_INFINITY.to_le_bytes()), Value::Float(f64::NEG_INFINITY, 4));
    }

    /// The processor's long double, as libhdf5 writes it.
    #[test]
    fn floats_that_are_not_normalized() {
        let bits = Bits { order: ByteOrder::Little, low_pad: false, high_pad: false, offset: 0, precision: 80 };
        let (exponent_position, exponent_size, mantissa_size) = (64, 15, 64);
        let layout = Float {
            bits,
            internal_pad: false,
            normalization: Normalization::None,
            sign_position: 79,
            exponent_position,
            exponent_size,
            mantissa_position: 0,
            mantissa_size,
            exponent_bias: 16383,
        };
        let of = |mantissa: u64, exponent: u16| {
            let parts = [&mantissa.to_le_bytes()[..], &exponent.to_le_bytes(), &[7; 6]].concat();
            float(&parts, &layout)
        };
        assert_eq!(of(3 << 62, 16383), Value::Float(1.5, 16));
        assert_eq!(of(1 << 63, 0x8000 | 16384), Value::Float(-2.0, 16));
        assert_eq!(of(0, 0), Value::Float(0.0, 16));
        assert_eq!(of(1 << 63, 0xffff), Value::Float(f64::NEG_INFINITY, 16));
        assert!(matches!(of(3 << 62, 0x7fff), Value::Float(value, 16) if value.is_nan()));
    }

    #[test]
    fn integers_of_any_bits() {
        let bits = Bits { order: ByteOrder::Big, low_pad: false, high_pad: false, offset: 4, precision: 6 };
        assert_eq!(integer(&[0x02, 0xa0], &bits, false), Value::Integer(0b101010));
        assert_eq!(integer(&[0x02, 0xa0], &bits, true), Value::Integer(0b101010 - 64));
    }

    #[test]
    fn strings_lose_their_padding() {
        assert_eq!(unpadded(b"a b \0x", StringPadding::NullTerminated), b"a b ");
        assert_eq!(unpadded(b"a b \0\0", StringPadding::NullPadded), b"a b ");
        assert_eq!(unpadded(b"a b  ", StringPadding::SpacePadded), b"a b");
        assert_eq!(unpadded(b"\0\0", StringPadding::NullPadded), b"");
    }
}
