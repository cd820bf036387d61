//! Numbers that libhdf5 does not convert, or not rightly; all others are held against it in `tests/interop/values.py`.

use super::{
    convert, Bits, Converter, Datatype, Float, FloatOrder, NoPointers, Normalization, Number, Pointers, Space,
};
use crate::error::{Error, Result};
use crate::format::Sizes;

/// Of numbers, which own nothing.
struct Nothing(NoPointers);

impl Space for Nothing {
    fn object(&mut self, _: u64, _: u32) -> Result<Vec<u8>> {
        Err(Error::internal("a number in the heap"))
    }

    fn store(&mut self, _: &[u8]) -> Result<(u64, u32)> {
        Err(Error::internal("a number in the heap"))
    }

    fn pointers(&mut self) -> &mut dyn Pointers {
        &mut self.0
    }
}

fn converted(source: &Datatype, target: &Datatype, from: &[u8]) -> Vec<u8> {
    let mut to = vec![0xaa; target.size()];
    let converter = Converter::to_memory(source, target, Sizes::EIGHT).unwrap();
    converter.run(from, &mut to, &mut Nothing(NoPointers)).unwrap();
    to
}

fn integer(size: u32, signed: bool, offset: u16, precision: u16) -> Datatype {
    let bits = Bits { order: FloatOrder::Big, low_pad: true, high_pad: true, offset, precision };
    Datatype::integer(size, signed, bits).unwrap()
}

/// With a mantissa of 64 bits that is stored whole.
fn extended(normalization: Normalization) -> Datatype {
    let bits = Bits { order: FloatOrder::Little, low_pad: false, high_pad: false, offset: 0, precision: 80 };
    let (exponent_position, exponent_size, mantissa_size) = (64, 15, 64);
    let fields = Float {
        bits,
        internal_pad: false,
        normalization,
        sign_position: 79,
        exponent_position,
        exponent_size,
        mantissa_position: 0,
        mantissa_size,
        exponent_bias: 16383,
    };
    Datatype::float(10, fields).unwrap()
}

fn real(value: f64) -> [u8; 8] {
    value.to_le_bytes()
}

const F64: Datatype = Datatype::little(Number::F64);

#[test]
fn integers_of_any_size_become_the_nearest_float() {
    // 2^200 and bits that decide: below half, half with an even and an odd last place, and above half.
    let wide = integer(200, true, 77, 300);
    let (top, last) = (2f64.powi(200), 2f64.powi(148));
    let cases: [(&[usize], f64); 6] = [
        (&[200], top),
        (&[200, 146, 3], top),
        (&[200, 147], top),
        (&[200, 148, 147], top + 2.0 * last),
        (&[200, 147, 0], top + last),
        (&[298], 2f64.powi(298)),
    ];
    for (set, expected) in cases {
        for negative in [false, true] {
            // Little-endian bits of 1600, padded with ones.
            let mut value = vec![false; 300];
            set.iter().for_each(|&bit| value[bit] = true);
            if negative {
                let lowest = *set.iter().min().unwrap();
                (lowest + 1..300).for_each(|bit| value[bit] = !value[bit]);
            }
            let mut bytes = vec![0xffu8; 200];
            for bit in (0..300).filter(|&bit| !value[bit]) {
                bytes[199 - (77 + bit) / 8] &= !(1 << ((77 + bit) % 8));
            }
            let expected = if negative { -expected } else { expected };
            assert_eq!(converted(&wide, &F64, &bytes), real(expected), "{set:?} {negative}");
            if set.len() == 1 {
                assert_eq!(converted(&F64, &wide, &real(expected)), bytes, "{set:?} {negative}");
            }
        }
    }
}

#[test]
fn integers_beyond_the_bounds_become_them() {
    let (wide, narrow) = (integer(65, true, 3, 510), integer(20, true, 0, 160));
    let unsigned = integer(20, false, 4, 150);
    for value in [-1.5, 1.5, -1e100, 1e100, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let whole = converted(&F64, &wide, &real(value));
        for target in [&narrow, &unsigned] {
            assert_eq!(converted(&wide, target, &whole), converted(&F64, target, &real(value)), "{value} {target}");
        }
    }
    let most = converted(&F64, &narrow, &real(1e100));
    assert!(most[0] == 0x7f && most[1..].iter().all(|&byte| byte == 0xff));
    let least = converted(&F64, &narrow, &real(f64::NEG_INFINITY));
    assert!(least[0] == 0x80 && least[1..].iter().all(|&byte| byte == 0));
    assert_eq!(converted(&narrow, &F64, &least), real(-(2f64.powi(159))));
    assert_eq!(converted(&narrow, &Datatype::little(Number::I8), &converted(&F64, &narrow, &real(-7.9))), [249]);
}

#[test]
fn a_normalized_mantissa_that_is_stored_has_its_highest_bit_set() {
    let stored = extended(Normalization::Stored);
    let bytes = |mantissa: u64, exponent: u16| [&mantissa.to_le_bytes()[..], &exponent.to_le_bytes()].concat();
    let cases = [
        (0.0, bytes(0, 0)),
        (-0.0, bytes(0, 0x8000)),
        (1.0, bytes(1 << 63, 16383)),
        (-1.5, bytes(3 << 62, 0x8000 | 16383)),
        (5e-324, bytes(1 << 63, 16383 - 1074)),
        (f64::MAX, bytes(u64::MAX << 11, 16383 + 1023)),
        (f64::INFINITY, bytes(0, 0x7fff)),
        (f64::NEG_INFINITY, bytes(0, 0xffff)),
    ];
    for (value, element) in cases {
        assert_eq!(converted(&F64, &stored, &real(value)), element, "{value}");
        assert_eq!(converted(&stored, &F64, &element), real(value), "{value}");
    }
    let nan = converted(&F64, &stored, &real(f64::NAN));
    assert_eq!(nan, bytes(u64::MAX, 0x7fff));
    assert!(f64::from_le_bytes(converted(&stored, &F64, &nan).try_into().unwrap()).is_nan());
    assert_eq!(
        converted(&Datatype::little(Number::I64), &stored, &(-3i64).to_le_bytes()),
        bytes(3 << 62, 0x8000 | 16384)
    );
}

/// What is not normalized is the nearest of 0 and the smallest normalized value.
#[test]
fn a_stored_mantissa_is_never_less_than_normalized() {
    let (loose, stored) = (extended(Normalization::None), extended(Normalization::Stored));
    let bytes = |mantissa: u64, exponent: u16| [&mantissa.to_le_bytes()[..], &exponent.to_le_bytes()].concat();
    let smallest = bytes(1 << 63, 1);
    for (mantissa, expected) in [
        (1, bytes(0, 0)),
        ((1 << 62) - 1, bytes(0, 0)),
        (1 << 62, smallest.clone()),
        ((1 << 63) - 1, smallest.clone()),
        (1 << 63, smallest.clone()),
        ((1 << 63) + 1, bytes((1 << 63) + 1, 1)),
    ] {
        for exponent in [0, 1] {
            assert_eq!(converted(&loose, &stored, &bytes(mantissa, exponent)), expected, "{mantissa:#x}");
        }
        // Kept whole the other way.
        assert_eq!(converted(&stored, &loose, &expected), expected);
    }
}

#[test]
fn numbers_without_a_conversion_are_refused() {
    let text = Datatype::string(4, super::StringPadding::NullPadded, super::CharacterSet::Ascii).unwrap();
    assert!(convert(&integer(200, true, 0, 1600), &[0; 200], &text, &mut [0; 4], 1).is_err());
}
