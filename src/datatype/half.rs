//! IEEE 754 half precision, in integer arithmetic that compilers vectorize.

/// The largest finite half.
const MAX: f64 = 65504.0;

/// The value of a half, exactly.
#[inline]
pub fn to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let magnitude = u32::from(half & 0x7fff);
    // 2^112 moves the exponent's bias from 15 to 127, and normalizes subnormals on the way.
    let finite = (f32::from_bits(magnitude << 13) * f32::from_bits(0x7780_0000)).to_bits();
    // Infinity and NaN; a NaN is made quiet, as the processor does.
    let quiet = if magnitude > 0x7c00 { 0x0040_0000 } else { 0 };
    let special = 0x7f80_0000 | magnitude << 13 | quiet;
    f32::from_bits(sign | if magnitude < 0x7c00 { finite } else { special })
}

/// The nearest half, ties to even; infinity beyond the largest, as libhdf5 converts.
#[inline]
pub fn from_f64(value: f64) -> u16 {
    if value.abs() > MAX {
        return sign(value) | 0x7c00;
    }
    round(value)
}

#[inline]
fn sign(value: f64) -> u16 {
    (value.to_bits() >> 48) as u16 & 0x8000
}

/// Rounds a value within the range of halves, or a NaN.
#[inline]
fn round(value: f64) -> u16 {
    let bits = value.to_bits() & !(1 << 63);
    let magnitude = if value.is_nan() {
        0x7e00 | (bits >> 42) as u16 & 0x1ff
    } else if bits < (1023 - 14) << 52 {
        // Subnormal: in units of 2^-24, rounded by the processor to an integer in the low bits of 2^52 + n.
        const TWO_24: f64 = 16_777_216.0;
        const TWO_52: f64 = 4_503_599_627_370_496.0;
        (f64::from_bits(bits) * TWO_24 + TWO_52).to_bits() as u16
    } else {
        let tie_to_even = bits >> 42 & 1;
        let rounded = (bits + ((1 << 41) - 1) + tie_to_even) >> 42;
        (rounded - ((1023 - 15) << 10)) as u16
    };
    sign(value) | magnitude
}
