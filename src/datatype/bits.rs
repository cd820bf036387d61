//! Conversion between numbers of any layout, bit by bit, as libhdf5's generic path does it: integers beyond the target's
//! range become its nearest bound; floats to integers are cut toward zero, NaN is 0; floats to floats round half away
//! from zero, but not from the largest finite value to infinity; integers to floats round half to even.

use super::message::{self, Bits, ByteOrder, Class, Float, Normalization};

/// Bytes of the largest number that is converted.
const MAX_SIZE: usize = 64;

/// A number's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Integer(usize, Bits, bool),
    Float(usize, Float),
    Field(usize, Bits),
}

/// What is known of a number, exactly: `mantissa` × 2^`exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Number { negative: bool, mantissa: u128, exponent: i64 },
    Infinity { negative: bool },
    NotANumber { negative: bool },
}

impl Layout {
    /// The layout of an integer, float or bit field that can be converted.
    pub fn of(datatype: &message::Datatype) -> Option<Self> {
        let size = datatype.size as usize;
        if size > MAX_SIZE {
            return None;
        }
        match &datatype.class {
            Class::FixedPoint { bits, signed } if bits.precision <= 128 => Some(Layout::Integer(size, *bits, *signed)),
            Class::FloatingPoint(float) => {
                let fits = float.mantissa_size <= 120 && float.exponent_size <= 31;
                let known = float.normalization != Normalization::Stored;
                (fits && known).then_some(Layout::Float(size, *float))
            }
            Class::BitField(bits) => Some(Layout::Field(size, *bits)),
            _ => None,
        }
    }

    /// Whether the values of this layout can become those of the other.
    pub fn converts_to(&self, other: &Layout) -> bool {
        matches!(self, Layout::Field(..)) == matches!(other, Layout::Field(..))
    }

    pub fn size(&self) -> usize {
        match self {
            Layout::Integer(size, ..) | Layout::Float(size, _) | Layout::Field(size, _) => *size,
        }
    }

    fn bits(&self) -> &Bits {
        match self {
            Layout::Integer(_, bits, _) | Layout::Field(_, bits) => bits,
            Layout::Float(_, float) => &float.bits,
        }
    }
}

/// The bits of one element, the least significant byte first.
struct Element([u8; MAX_SIZE]);

impl Element {
    fn load(bytes: &[u8], order: ByteOrder) -> Self {
        let mut element = Element([0; MAX_SIZE]);
        let target = &mut element.0[..bytes.len()];
        target.copy_from_slice(bytes);
        reorder(target, order);
        element
    }

    fn store(mut self, bytes: &mut [u8], order: ByteOrder) {
        let source = &mut self.0[..bytes.len()];
        reorder(source, order);
        bytes.copy_from_slice(source);
    }

    fn get(&self, at: usize) -> bool {
        self.0[at / 8] >> (at % 8) & 1 != 0
    }

    /// At most 128 bits.
    fn field(&self, begin: usize, count: usize) -> u128 {
        (0..count).fold(0, |value, bit| value | u128::from(self.get(begin + bit)) << bit)
    }

    fn set_field(&mut self, begin: usize, count: usize, value: u128) {
        for bit in 0..count {
            self.set(begin + bit, value >> bit & 1 != 0);
        }
    }

    fn set(&mut self, at: usize, value: bool) {
        let mask = 1 << (at % 8);
        self.0[at / 8] = self.0[at / 8] & !mask | if value { mask } else { 0 };
    }

    fn pad(&mut self, layout: &Layout) {
        let bits = layout.bits();
        let end = usize::from(bits.offset) + usize::from(bits.precision);
        (0..usize::from(bits.offset)).for_each(|at| self.set(at, bits.low_pad));
        (end..8 * layout.size()).for_each(|at| self.set(at, bits.high_pad));
    }
}

/// Between the stored order and the least significant byte first; its own inverse.
fn reorder(bytes: &mut [u8], order: ByteOrder) {
    match order {
        ByteOrder::Little => {}
        ByteOrder::Big => bytes.reverse(),
        ByteOrder::Vax => {
            bytes.reverse();
            bytes.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        }
    }
}

/// Converts one element.
pub(super) fn convert(source: &Layout, target: &Layout, from: &[u8], to: &mut [u8]) {
    let element = Element::load(from, source.bits().order);
    let mut result = Element([0; MAX_SIZE]);
    match (source, target) {
        (Layout::Field(_, a), Layout::Field(_, b)) => {
            for bit in 0..usize::from(a.precision.min(b.precision)) {
                result.set(usize::from(b.offset) + bit, element.get(usize::from(a.offset) + bit));
            }
        }
        (source, Layout::Integer(_, bits, signed)) => put_integer(&mut result, bits, *signed, value(source, &element)),
        (source, Layout::Float(_, float)) => {
            let half_even = matches!(source, Layout::Integer(..));
            put_float(&mut result, float, value(source, &element), half_even);
        }
        _ => {}
    }
    result.pad(target);
    result.store(to, target.bits().order);
}

fn value(layout: &Layout, element: &Element) -> Value {
    match layout {
        Layout::Integer(_, bits, signed) => {
            let precision = usize::from(bits.precision);
            let raw = element.field(usize::from(bits.offset), precision);
            let negative = *signed && raw >> (precision - 1) & 1 != 0;
            let mask = u128::MAX >> (128 - precision);
            let mantissa = if negative { raw.wrapping_neg() & mask } else { raw };
            // The smallest integer is its own negative.
            Value::Number { negative, mantissa: if negative && mantissa == 0 { raw } else { mantissa }, exponent: 0 }
        }
        Layout::Float(_, float) => float_value(float, element),
        Layout::Field(..) => Value::Number { negative: false, mantissa: 0, exponent: 0 },
    }
}

fn float_value(float: &Float, element: &Element) -> Value {
    let negative = element.get(usize::from(float.sign_position));
    let exponent = element.field(usize::from(float.exponent_position), usize::from(float.exponent_size)) as i64;
    let size = usize::from(float.mantissa_size);
    let mantissa = element.field(usize::from(float.mantissa_position), size);
    let implied = float.normalization == Normalization::Implied;
    if exponent == (1 << float.exponent_size) - 1 {
        // The highest bit of a mantissa that is stored whole says nothing.
        let rest = if implied { mantissa } else { mantissa & !(1 << (size - 1)) };
        return if rest == 0 { Value::Infinity { negative } } else { Value::NotANumber { negative } };
    }
    let fraction = if implied { size as i64 } else { size as i64 - 1 };
    let scale = exponent.max(1) - i64::from(float.exponent_bias) - fraction;
    let mantissa = if implied && exponent > 0 { mantissa | 1 << size } else { mantissa };
    Value::Number { negative, mantissa, exponent: scale }
}

fn put_integer(result: &mut Element, bits: &Bits, signed: bool, value: Value) {
    let precision = usize::from(bits.precision);
    let most = u128::MAX >> (128 - precision) >> u32::from(signed);
    let (negative, magnitude) = match value {
        Value::NotANumber { .. } => (false, 0),
        Value::Infinity { negative } => (negative, u128::MAX),
        Value::Number { negative, mantissa, exponent } => (negative, scaled(mantissa, exponent)),
    };
    let raw = match (negative, signed) {
        (false, _) => magnitude.min(most),
        (true, false) => 0,
        (true, true) => magnitude.min(most + 1).wrapping_neg(),
    };
    result.set_field(usize::from(bits.offset), precision, raw);
}

/// The integer part, bounded.
fn scaled(mantissa: u128, exponent: i64) -> u128 {
    match exponent {
        _ if mantissa == 0 => 0,
        0.. if i64::from(mantissa.leading_zeros()) < exponent => u128::MAX,
        0.. => mantissa << exponent,
        -127.. => mantissa >> -exponent,
        _ => 0,
    }
}

fn put_float(result: &mut Element, float: &Float, value: Value, half_even: bool) {
    let size = usize::from(float.mantissa_size);
    let implied = float.normalization == Normalization::Implied;
    let most = (1i64 << float.exponent_size) - 1;
    let infinite = if implied { 0 } else { 1 << (size - 1) };
    let (negative, exponent, mantissa) = match value {
        Value::Infinity { negative } => (negative, most, infinite),
        Value::NotANumber { negative } => (negative, most, u128::MAX >> (128 - size)),
        Value::Number { negative, mantissa: 0, .. } => (negative, 0, 0),
        Value::Number { negative, mantissa, exponent } => {
            let (field, rounded) = rounded(float, mantissa, exponent, half_even);
            if field >= most {
                (negative, most, infinite)
            } else {
                (negative, field, rounded)
            }
        }
    };
    let bits = &float.bits;
    if float.internal_pad {
        let begin = usize::from(bits.offset);
        (begin..begin + usize::from(bits.precision)).for_each(|at| result.set(at, true));
    }
    result.set(usize::from(float.sign_position), negative);
    result.set_field(usize::from(float.exponent_position), usize::from(float.exponent_size), exponent as u128);
    result.set_field(usize::from(float.mantissa_position), size, mantissa);
}

/// The exponent's field and the mantissa's, which keep as much of a number that is not 0 as they can.
fn rounded(float: &Float, mantissa: u128, exponent: i64, half_even: bool) -> (i64, u128) {
    let size = i64::from(float.mantissa_size);
    let implied = float.normalization == Normalization::Implied;
    let fraction = if implied { size } else { size - 1 };
    let (bias, most) = (i64::from(float.exponent_bias), (1i64 << float.exponent_size) - 1);
    let top = 127 - i64::from(mantissa.leading_zeros());
    let field = (top + exponent + bias).max(1);
    // The mantissa in units of its last place.
    let shift = field - bias - fraction - exponent;
    let (mut kept, rest, half) = match shift {
        ..=0 => (mantissa << -shift, 0, 1),
        1..=127 => (mantissa >> shift, mantissa & !(u128::MAX << shift), 1 << (shift - 1)),
        _ => (0, 0, 1),
    };
    let up = rest > half || rest == half && (!half_even || kept & 1 != 0);
    let largest = !half_even && field == most - 1 && kept + 1 == 1 << (fraction + 1);
    if up && !largest {
        kept += 1;
    }
    let field = if kept >> (fraction + 1) != 0 { field + 1 } else { field };
    kept >>= u32::from(kept >> (fraction + 1) != 0);
    match kept >> fraction {
        // Not normalized: below the smallest exponent.
        0 => (0, kept),
        _ if implied => (field, kept & !(1 << fraction)),
        _ => (field, kept),
    }
}
