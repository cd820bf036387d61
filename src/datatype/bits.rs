//! Conversion between numbers of any layout and size, bit by bit, as libhdf5's generic path does it: integers beyond the target's
//! range become its nearest bound; floats to integers are cut toward zero, NaN is 0; floats to floats round half away
//! from zero, but not from the largest finite value to infinity; integers to floats round half to even.
//!
//! libhdf5 does not convert from and to floats whose normalized mantissa is stored (nor to more than 64 bytes): they follow the
//! same rule, with the most significant bit of the mantissa set in all but 0, so that there is nothing between 0 and the smallest
//! normalized value.

use super::message::{self, Bits, ByteOrder, Class, Float, Normalization};

/// Bits of the largest exponent, as in libhdf5.
const MAX_EXPONENT_SIZE: u8 = 63;

/// Bytes of the largest number whose conversion allocates nothing.
const SMALL: usize = 64;

/// A number's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Integer(usize, Bits, bool),
    Float(usize, Float),
    Field(usize, Bits),
}

/// What is known of a number, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Zero {
        negative: bool,
    },
    /// The bits of the element from `begin` to `top`, which is set, × 2^`exponent`.
    Number {
        negative: bool,
        begin: usize,
        top: usize,
        exponent: i128,
    },
    Infinity {
        negative: bool,
    },
    NotANumber {
        negative: bool,
    },
}

impl Layout {
    /// The layout of an integer, float or bit field that can be converted.
    pub fn of(datatype: &message::Datatype) -> Option<Self> {
        let size = datatype.size as usize;
        match &datatype.class {
            Class::FixedPoint { bits, signed } => Some(Layout::Integer(size, *bits, *signed)),
            Class::FloatingPoint(float) => {
                (float.exponent_size <= MAX_EXPONENT_SIZE).then_some(Layout::Float(size, *float))
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
struct Element<'a>(&'a mut [u8]);

impl Element<'_> {
    fn get(&self, at: usize) -> bool {
        self.0[at / 8] >> (at % 8) & 1 != 0
    }

    /// At most 64 bits.
    fn field(&self, begin: usize, count: usize) -> u64 {
        (0..count).fold(0, |value, bit| value | u64::from(self.get(begin + bit)) << bit)
    }

    fn set_field(&mut self, begin: usize, count: usize, value: u64) {
        (0..count).for_each(|bit| self.set(begin + bit, value >> bit & 1 != 0));
    }

    fn set(&mut self, at: usize, value: bool) {
        let mask = 1 << (at % 8);
        self.0[at / 8] = self.0[at / 8] & !mask | if value { mask } else { 0 };
    }

    fn fill(&mut self, begin: usize, end: usize, value: bool) {
        // Whole bytes at once: those beside the value may be many.
        let first = begin.next_multiple_of(8).min(end);
        let last = (end - end % 8).max(first);
        self.0[first / 8..last / 8].fill(if value { 0xff } else { 0 });
        (begin..first).chain(last..end).for_each(|at| self.set(at, value));
    }

    /// The highest bit that is set from `begin` to before `end`.
    fn top(&self, begin: usize, end: usize) -> Option<usize> {
        (begin..end).rev().find(|&at| self.get(at))
    }

    /// Adds 1 to the number from `begin` to before `end`; whether there is a carry.
    fn increment(&mut self, begin: usize, end: usize) -> bool {
        for at in begin..end {
            let bit = self.get(at);
            self.set(at, !bit);
            if !bit {
                return false;
            }
        }
        true
    }

    /// The number from `begin` to before `end` as its negative.
    fn negate(&mut self, begin: usize, end: usize) {
        (begin..end).for_each(|at| self.set(at, !self.get(at)));
        self.increment(begin, end);
    }

    fn pad(&mut self, layout: &Layout) {
        let bits = layout.bits();
        let begin = usize::from(bits.offset);
        self.fill(0, begin, bits.low_pad);
        self.fill(begin + usize::from(bits.precision), 8 * layout.size(), bits.high_pad);
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

/// Converts all elements of `from`; `to` holds as many.
pub(super) fn convert(source: &Layout, target: &Layout, from: &[u8], to: &mut [u8]) {
    let (mut small, mut large) = ([0; SMALL], Vec::new());
    // One byte more: the implied bit of a mantissa may lie behind the element.
    let element = match source.size() {
        ..SMALL => &mut small[..=source.size()],
        size => {
            large.resize(size + 1, 0);
            &mut large[..]
        }
    };
    for (from, to) in from.chunks_exact(source.size()).zip(to.chunks_exact_mut(target.size())) {
        element[..from.len()].copy_from_slice(from);
        reorder(&mut element[..from.len()], source.bits().order);
        to.fill(0);
        one(source, target, &mut Element(element), &mut Element(to));
        reorder(to, target.bits().order);
    }
}

fn one(source: &Layout, target: &Layout, element: &mut Element<'_>, result: &mut Element<'_>) {
    match (source, target) {
        (Layout::Field(_, a), Layout::Field(_, b)) => {
            for bit in 0..usize::from(a.precision.min(b.precision)) {
                result.set(usize::from(b.offset) + bit, element.get(usize::from(a.offset) + bit));
            }
        }
        (source, Layout::Integer(_, bits, signed)) => {
            let value = value(source, element);
            put_integer(result, bits, *signed, element, value);
        }
        (source, Layout::Float(_, float)) => {
            let value = value(source, element);
            put_float(result, float, (element, matches!(source, Layout::Integer(..))), value);
        }
        _ => {}
    }
    result.pad(target);
}

/// The value of an element, which may change to hold it.
fn value(layout: &Layout, element: &mut Element<'_>) -> Value {
    match layout {
        Layout::Integer(_, bits, signed) => {
            let begin = usize::from(bits.offset);
            let end = begin + usize::from(bits.precision);
            let negative = *signed && element.get(end - 1);
            if negative {
                // The smallest integer is its own negative.
                element.negate(begin, end);
            }
            number(element, negative, begin, end, 0)
        }
        Layout::Float(_, float) => float_value(float, element),
        Layout::Field(..) => Value::Zero { negative: false },
    }
}

fn number(element: &Element<'_>, negative: bool, begin: usize, end: usize, exponent: i128) -> Value {
    match element.top(begin, end) {
        Some(top) => Value::Number { negative, begin, top, exponent },
        None => Value::Zero { negative },
    }
}

fn float_value(float: &Float, element: &mut Element<'_>) -> Value {
    let negative = element.get(usize::from(float.sign_position));
    let exponent = element.field(usize::from(float.exponent_position), usize::from(float.exponent_size));
    let begin = usize::from(float.mantissa_position);
    let end = begin + usize::from(float.mantissa_size);
    if exponent == largest_exponent(float) {
        // The highest bit of a mantissa that is not normalized says nothing.
        let last = if float.normalization == Normalization::None { end - 1 } else { end };
        return match element.top(begin, last) {
            None => Value::Infinity { negative },
            Some(_) => Value::NotANumber { negative },
        };
    }
    let scale = i128::from(exponent.max(1)) - i128::from(float.exponent_bias) - fraction(float) as i128;
    let implied = float.normalization == Normalization::Implied;
    if implied {
        element.set(end, exponent > 0);
    }
    number(element, negative, begin, end + usize::from(implied), scale)
}

/// The bits of the mantissa below the one of the value 1.
fn fraction(float: &Float) -> usize {
    usize::from(float.mantissa_size) - usize::from(float.normalization != Normalization::Implied)
}

fn largest_exponent(float: &Float) -> u64 {
    (1 << float.exponent_size) - 1
}

fn put_integer(result: &mut Element<'_>, bits: &Bits, signed: bool, element: &Element<'_>, value: Value) {
    let begin = usize::from(bits.offset);
    let end = begin + usize::from(bits.precision);
    // The sign's bit, or the end.
    let sign = end - usize::from(signed);
    match value {
        Value::NotANumber { .. } | Value::Zero { .. } => {}
        Value::Infinity { negative: true } | Value::Number { negative: true, .. } if !signed => {}
        Value::Number { negative, begin: first, top, exponent }
            if (top - first) as i128 + exponent < (sign - begin) as i128 =>
        {
            // The integer part.
            let mut from = first;
            let mut to = begin as i128 + exponent;
            if to < begin as i128 {
                from += usize::try_from(begin as i128 - to).unwrap_or(usize::MAX - first);
                to = begin as i128;
            }
            for (at, bit) in (from..=top).enumerate() {
                result.set(to as usize + at, element.get(bit));
            }
            if negative {
                result.negate(begin, end);
            }
        }
        Value::Infinity { negative } | Value::Number { negative, .. } => {
            result.fill(begin, sign, !negative);
            result.fill(sign, end, negative);
        }
    }
}

/// `source`: the element, and whether it is an integer.
fn put_float(result: &mut Element<'_>, float: &Float, source: (&Element<'_>, bool), value: Value) {
    let bits = &float.bits;
    if float.internal_pad {
        let begin = usize::from(bits.offset);
        result.fill(begin, begin + usize::from(bits.precision), true);
    }
    let begin = usize::from(float.mantissa_position);
    let end = begin + usize::from(float.mantissa_size);
    result.fill(begin, end, matches!(value, Value::NotANumber { .. }));
    let most = largest_exponent(float);
    let (negative, exponent) = match value {
        Value::Infinity { negative } => (negative, None),
        Value::NotANumber { negative } => (negative, Some(most)),
        Value::Zero { negative } => (negative, Some(0)),
        Value::Number { negative, begin, top, exponent } => {
            let exponent = put_mantissa(result, float, source, (begin, top, exponent));
            (negative, u64::try_from(exponent).ok().filter(|&exponent| exponent < most))
        }
    };
    if exponent.is_none() {
        result.fill(begin, end, false);
        result.set(end - 1, float.normalization == Normalization::None);
    }
    result.set(usize::from(float.sign_position), negative);
    result.set_field(usize::from(float.exponent_position), usize::from(float.exponent_size), exponent.unwrap_or(most));
}

/// Puts the mantissa that keeps as much of a number as it can; the exponent's field, which may be too large.
fn put_mantissa(
    result: &mut Element<'_>,
    float: &Float,
    (element, is_integer): (&Element<'_>, bool),
    (first, top, exponent): (usize, usize, i128),
) -> i128 {
    let (fraction, bias) = (fraction(float), i128::from(float.exponent_bias));
    let normal = (top - first) as i128 + exponent + bias;
    let field = normal.max(1);
    // The first bit of the element that the mantissa keeps; below it, where values that are not normalized cannot be, all of them.
    let lowest = if normal < 1 && float.normalization == Normalization::Stored { fraction } else { 0 };
    let place = |bit: usize| first as i128 + field - bias - fraction as i128 - exponent + bit as i128;
    let get = |at: i128| (first as i128..=top as i128).contains(&at) && element.get(at as usize);
    let begin = usize::from(float.mantissa_position);
    (lowest..fraction).for_each(|bit| result.set(begin + bit, get(place(bit))));
    let mut lead = get(place(fraction));
    let half = place(lowest) - 1;
    let mut field = field;
    if get(half) {
        let odd = if lowest < fraction { result.get(begin + lowest) } else { lead };
        let rest = element.top(first, (half as usize).max(first)).is_some();
        let is_largest = || {
            field == i128::from(largest_exponent(float)) - 1
                && lead
                && (lowest..fraction).all(|bit| result.get(begin + bit))
        };
        let up = if is_integer { rest || odd } else { !is_largest() };
        if up && result.increment(begin + lowest, begin + fraction) {
            field += i128::from(lead);
            lead = true;
        }
    }
    if float.normalization != Normalization::Implied {
        result.set(begin + fraction, lead);
    }
    if lead {
        field
    } else {
        0
    }
}
