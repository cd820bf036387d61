use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::format::Sizes;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn named(name: &str) -> Number {
    Number::ALL.into_iter().find(|number| format!("{number:?}") == name).unwrap()
}

fn run(source: &Datatype, target: &Datatype, from: &[u8]) -> Vec<u8> {
    let count = from.len() / source.size();
    let mut to = vec![0xaa; count * target.size()];
    convert(source, from, target, &mut to, count).unwrap();
    to
}

/// Messages as libhdf5 2.0 encodes them (`H5Tencode` without its two-byte prefix).
#[test]
fn messages_are_those_of_libhdf5() {
    let big = |number| Datatype::number(number, ByteOrder::Big);
    let text = |padding, set| Datatype::string(300, padding, set).unwrap();
    let known = [
        (Datatype::little(Number::I8), "100800000100000000000800"),
        (Datatype::little(Number::I32), "100800000400000000002000"),
        (big(Number::I64), "100900000800000000004000"),
        (Datatype::little(Number::U16), "100000000200000000001000"),
        (big(Number::U32), "100100000400000000002000"),
        (Datatype::little(Number::F16), "11200f0002000000000010000a05000a0f000000"),
        (big(Number::F32), "11211f000400000000002000170800177f000000"),
        (Datatype::little(Number::F64), "11203f000800000000004000340b0034ff030000"),
        (text(StringPadding::NullTerminated, CharacterSet::Ascii), "130000002c010000"),
        (text(StringPadding::NullPadded, CharacterSet::Utf8), "131100002c010000"),
        (text(StringPadding::SpacePadded, CharacterSet::Ascii), "130200002c010000"),
    ];
    for (datatype, message) in known {
        assert_eq!(datatype.to_message(), hex(message), "{datatype}");
        assert_eq!(datatype.message_size(), message.len() / 2);
        assert_eq!(Datatype::from_message(&hex(message)).unwrap(), datatype);
    }
    // A version 3 message is the same type; a big-endian byte is another, as for libhdf5.
    let byte = |flags: &str| Datatype::from_message(&hex(&format!("30{flags}00000100000000000800"))).unwrap();
    assert_eq!(byte("08"), Datatype::little(Number::I8));
    assert_eq!(byte("09"), big(Number::I8));
    assert_eq!(byte("09").to_message(), hex("100900000100000000000800"));
}

#[test]
fn other_types_are_kept_as_they_are() {
    // An enumeration of two values over I8, as h5py stores bool; an integer of 12 bits in 2 bytes.
    let boolean = hex("180200000100000010080000010000000000080046414c534500000054525545000000000001");
    let twelve_bits = hex("100000000200000000000c00");
    for (message, description) in
        [(&boolean, "enumeration type of 1 bytes"), (&twelve_bits, "custom integer type of 2 bytes")]
    {
        let datatype = Datatype::from_message(message).unwrap();
        assert_eq!(datatype.to_string(), description);
        assert_eq!(&datatype.to_message(), message);
        assert!(Conversion::between(&datatype, &datatype).unwrap().is_copy());
        let refused = Conversion::between(&datatype, &Datatype::little(Number::I32)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Type);
        assert!(refused.message().contains(description) && refused.message().contains("32-bit"), "{refused}");
    }
    assert_eq!(Datatype::from_message(&[0x10, 0, 0]).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(Datatype::from_message(&hex("1300000000000000")).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn tokens_name_every_predefined_type() {
    assert_eq!(token::predefined(token::I8), Some(Datatype::little(Number::I8)));
    assert_eq!(token::predefined(token::F64), Some(Datatype::little(Number::F64)));
    assert_eq!(token::predefined(token::U32 + token::BIG_ENDIAN), Some(Datatype::number(Number::U32, ByteOrder::Big)));
    for token in 0..200 {
        if let Some(datatype) = token::predefined(token) {
            assert_eq!(token::of(&datatype), Some(token));
        }
    }
    assert_eq!((0..200).filter_map(token::predefined).count(), 22);
    assert_eq!(token::predefined(0), None);
}

/// Where C leaves a conversion open, libhdf5's result is the processor's, and differs by version and type.
fn left_open(source: Number, target: Number, element: &[u8]) -> bool {
    if !source.is_float() || target.is_float() {
        return false;
    }
    let value = value(source, element);
    let bits = 8 * target.size() as i32;
    let bound = 2f64.powi(if target.is_signed() { bits - 1 } else { bits });
    let outside = value < 0.0 && !target.is_signed() || value > bound;
    value.is_nan() || value == bound || source == Number::F16 && outside
}

/// A little-endian float's value.
fn value(source: Number, element: &[u8]) -> f64 {
    match source {
        Number::F16 => f64::from(half::to_f32(u16::from_le_bytes(element.try_into().unwrap()))),
        Number::F32 => f64::from(f32::from_le_bytes(element.try_into().unwrap())),
        _ => f64::from_le_bytes(element.try_into().unwrap()),
    }
}

/// What libhdf5 made of edge values, recorded by `tests/data/conversion_vectors.py`.
#[test]
fn values_are_those_of_libhdf5() {
    let mut elements = Vec::new();
    let (mut compared, mut open) = (0, 0);
    for line in include_str!("../../tests/data/conversion_vectors.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let source = named(words[0]);
        let [_, target, recorded] = words[..] else {
            elements = hex(words[1]);
            continue;
        };
        let target = named(target);
        let converted = run(&Datatype::little(source), &Datatype::little(target), &elements);
        let recorded = hex(recorded);
        let triples =
            elements.chunks(source.size()).zip(converted.chunks(target.size())).zip(recorded.chunks(target.size()));
        for ((element, ours), theirs) in triples {
            if left_open(source, target, element) {
                open += 1;
                continue;
            }
            let both_nan = target.is_float() && value(target, ours).is_nan() && value(target, theirs).is_nan();
            assert!(
                ours == theirs || both_nan,
                "{source:?} {element:02x?} to {target:?}: {ours:02x?}, libhdf5 {theirs:02x?}"
            );
            compared += 1;
        }
    }
    assert!(compared > 20_000 && open < compared / 20, "{compared} compared, {open} left open");
}

#[test]
fn what_c_leaves_open_is_bounded_and_nan_is_zero() {
    let from: Vec<u8> =
        [f64::NAN, -f64::NAN, 2f64.powi(31), 2f64.powi(63), f64::INFINITY, f64::NEG_INFINITY, -0.5, -0.0, 1e300]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
    let double = Datatype::little(Number::F64);
    let ints: Vec<i32> = run(&double, &Datatype::little(Number::I32), &from)
        .chunks(4)
        .map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(ints, [0, 0, i32::MAX, i32::MAX, i32::MAX, i32::MIN, 0, 0, i32::MAX]);
    let longs: Vec<u64> = run(&double, &Datatype::number(Number::U64, ByteOrder::Big), &from)
        .chunks(8)
        .map(|bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(longs, [0, 0, 1 << 31, 1 << 63, u64::MAX, 0, 0, 0, u64::MAX]);
}

#[test]
fn every_half_is_exact_and_comes_back() {
    for bits in 0..=u16::MAX {
        let value = half::to_f32(bits);
        let expected = {
            let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
            let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
            match exponent {
                31 if mantissa == 0.0 => sign * f64::INFINITY,
                31 => f64::NAN,
                0 => sign * mantissa * 2f64.powi(-24),
                _ => sign * (1.0 + mantissa / 1024.0) * 2f64.powi(exponent - 15),
            }
        };
        if expected.is_nan() {
            assert!(value.is_nan());
            assert!(half::to_f32(half::from_f64(f64::from(value))).is_nan());
        } else {
            assert_eq!(f64::from(value).to_bits(), expected.to_bits());
            assert_eq!(half::from_f64(expected), bits);
        }
    }
}

#[test]
fn strings_are_cut_and_padded() {
    let text = |size, padding, set| Datatype::string(size, padding, set).unwrap();
    let (term, pad, space) = (StringPadding::NullTerminated, StringPadding::NullPadded, StringPadding::SpacePadded);
    // As libhdf5 2.0 converts them.
    let cases: [(StringPadding, &[u8], StringPadding, &[u8]); 9] = [
        (term, b"abc\0x", term, b"abc\0\0\0\0"),
        (term, b"abcde", term, b"abc\0"),
        (term, b"abcde", pad, b"abcd"),
        (term, b"ab\0de", space, b"ab     "),
        (pad, b"abc", term, b"ab\0"),
        (pad, b"ab\0", space, b"ab  "),
        (space, b"ab c  ", pad, b"ab c\0\0\0"),
        (space, b"      ", term, b"\0\0"),
        (space, b"a\0b ", space, b"a\0b   "),
    ];
    for (source, from, target, expected) in cases {
        let source = text(from.len() as u32, source, CharacterSet::Utf8);
        let target = text(expected.len() as u32, target, CharacterSet::Utf8);
        let twice: Vec<u8> = [from, from].concat();
        assert_eq!(run(&source, &target, &twice), [expected, expected].concat(), "{source} to {target}");
    }
    let (ascii, utf8) = (text(4, term, CharacterSet::Ascii), text(4, term, CharacterSet::Utf8));
    assert_eq!(run(&ascii, &utf8, b"ab\0\0"), b"ab\0\0");
    let refused = Conversion::between(&utf8, &ascii).unwrap_err();
    assert!(refused.message().contains("ASCII") && refused.message().contains("UTF-8"), "{refused}");
    assert!(Datatype::string(0, term, CharacterSet::Ascii).is_err());
}

#[test]
fn buffers_are_checked() {
    let (int, double) = (Datatype::little(Number::I32), Datatype::little(Number::F64));
    assert_eq!(convert(&int, &[0; 8], &double, &mut [0; 15], 2).unwrap_err().kind(), ErrorKind::TooSmall);
    assert_eq!(convert(&int, &[0; 8], &double, &mut [0; 16], usize::MAX).unwrap_err().kind(), ErrorKind::TooSmall);
    let conversion = Conversion::between(&int, &double).unwrap();
    assert_eq!(conversion.run(&[0; 7], &mut [0; 8]).unwrap_err().kind(), ErrorKind::Type);
    assert!(conversion.run(&[], &mut []).is_ok());
}

/// An element's value, in the model.
#[derive(Clone, Copy)]
enum Value {
    Integer(i128),
    Float(f64),
}

fn load(number: Number, order: ByteOrder, bytes: &[u8]) -> Value {
    let mut little = bytes.to_vec();
    if order == ByteOrder::Big {
        little.reverse();
    }
    if number.is_float() {
        return Value::Float(value(number, &little));
    }
    let negative = number.is_signed() && little[little.len() - 1] & 0x80 != 0;
    little.resize(16, if negative { 0xff } else { 0 });
    Value::Integer(i128::from_le_bytes(little.try_into().unwrap()))
}

/// The rule of `convert.rs`, without a thought for speed.
fn model(value: Value, target: Number) -> Vec<u8> {
    let bits = 8 * target.size() as u32;
    if target.is_float() {
        let float = match value {
            Value::Integer(value) => value as f64,
            Value::Float(value) => value,
        };
        return match (target, value) {
            (Number::F16, _) => half::from_f64(float).to_le_bytes().to_vec(),
            (Number::F32, Value::Integer(value)) => (value as f32).to_le_bytes().to_vec(),
            (Number::F32, _) if float.abs() > f64::from(f32::MAX) => {
                (float.signum() as f32 / 0.0).to_le_bytes().to_vec()
            }
            (Number::F32, _) => (float as f32).to_le_bytes().to_vec(),
            _ => float.to_le_bytes().to_vec(),
        };
    }
    let (low, high) = match target.is_signed() {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    let whole = match value {
        Value::Integer(value) => value,
        Value::Float(value) if value.is_nan() => 0,
        Value::Float(value) => value.trunc() as i128,
    };
    whole.clamp(low, high).to_le_bytes()[..target.size()].to_vec()
}

fn any_number() -> impl Strategy<Value = (Number, ByteOrder)> {
    (0..11usize, prop::bool::ANY).prop_map(|(index, big)| {
        Datatype::number(Number::ALL[index], if big { ByteOrder::Big } else { ByteOrder::Little }).as_number().unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn numbers_follow_the_model(
        (source, source_order) in any_number(),
        (target, target_order) in any_number(),
        words in prop::collection::vec(any::<u64>(), 1..1200),
    ) {
        // Shifted to various magnitudes, so that integers of all sizes and floats near them appear.
        let from: Vec<u8> = words
            .iter()
            .flat_map(|&word| {
                let near = (word >> (word % 64)).wrapping_sub(word >> 63);
                let mut bytes = match source {
                    Number::F64 if word & 3 > 0 => (near as i64 as f64 / 4.0).to_le_bytes().to_vec(),
                    Number::F32 if word & 3 > 0 => (near as i64 as f32 / 4.0).to_le_bytes().to_vec(),
                    _ => near.to_le_bytes()[..source.size()].to_vec(),
                };
                if source_order == ByteOrder::Big {
                    bytes.reverse();
                }
                bytes
            })
            .collect();
        let converted = run(&Datatype::number(source, source_order), &Datatype::number(target, target_order), &from);
        for (element, ours) in from.chunks(source.size()).zip(converted.chunks(target.size())) {
            let value = load(source, source_order, element);
            let mut expected = model(value, target);
            if target_order == ByteOrder::Big {
                expected.reverse();
            }
            let both_nan = matches!(value, Value::Float(value) if value.is_nan()) && target.is_float()
                && matches!(load(target, target_order, ours), Value::Float(value) if value.is_nan());
            prop_assert!(both_nan || ours == expected, "{source:?} {element:02x?} to {target:?}: {ours:02x?}, {expected:02x?}");
        }
    }

    #[test]
    fn messages_of_any_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(datatype) = Datatype::from_message(&body) {
            prop_assert!(datatype.size() > 0 && !datatype.to_string().is_empty());
            prop_assert_eq!(Datatype::from_message(&datatype.to_message()).unwrap(), datatype);
        }
    }
}

/// A compound of all classes, in memory.
fn everything() -> Datatype {
    let bits = Bits { order: FloatOrder::Big, low_pad: true, high_pad: false, offset: 3, precision: 9 };
    let text = Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap();
    let color = Datatype::enumeration(&Datatype::little(Number::I8)).unwrap();
    let color = color.with_value("red", &[0]).unwrap().with_value("green", &[255]).unwrap();
    let members = [
        ("integer", Datatype::integer(2, true, bits).unwrap()),
        ("bits", Datatype::bit_field(2, bits).unwrap()),
        ("text", text.clone()),
        ("texts", Datatype::array(&text, &[2, 3]).unwrap()),
        ("sequence", Datatype::sequence(&Datatype::little(Number::F32)).unwrap()),
        ("opaque", Datatype::opaque(5, "a tag").unwrap()),
        ("time", Datatype::time(32, FloatOrder::Little).unwrap()),
        ("color", color),
        ("object", Datatype::reference(ReferenceKind::Object).unwrap()),
        ("region", Datatype::reference(ReferenceKind::Region).unwrap()),
        ("standard", Datatype::reference(ReferenceKind::StandardObject).unwrap()),
        ("complex", Datatype::complex(&Datatype::little(Number::F64)).unwrap()),
        ("fixed", Datatype::string(4, StringPadding::SpacePadded, CharacterSet::Ascii).unwrap()),
    ];
    let mut compound = Datatype::compound(400).unwrap();
    let mut offset = 3;
    for (name, member) in members {
        compound = compound.with_member(name, offset, &member).unwrap();
        offset += member.size() as u64 + 1;
    }
    compound
}

#[test]
fn types_have_a_form_in_memory_and_one_in_a_file() {
    let memory = everything();
    assert!(memory.has_pointers() && memory.refers_to_heap());
    for (offset, text, object, region, standard) in [(8, 16, 8, 12, 18), (4, 12, 4, 8, 14)] {
        let file = memory.to_file(Sizes { offset, length: offset }).unwrap();
        let grown = 7 * (text - 8) + (text - 16) + (object - 8) + (region - 12) + (standard - 16);
        assert_eq!(file.size() as i64, 400 + grown);
        assert_eq!(file.to_memory().unwrap(), memory);
        assert_eq!(Datatype::from_message(&file.to_message()).unwrap(), file);
        let description = file.description().unwrap();
        let Class::Compound { members } = &description.class else { panic!() };
        let ends = members.iter().map(|member| i64::from(member.offset + member.datatype.size));
        let begins = members.iter().skip(1).map(|member| i64::from(member.offset));
        assert!(ends.zip(begins).all(|(end, begin)| end + 1 == begin));
    }
    let plain = Datatype::array(&Datatype::little(Number::I16), &[4]).unwrap();
    assert_eq!(plain.to_file(Sizes::EIGHT).unwrap(), plain);
    assert!(!plain.has_pointers());
}

#[test]
fn types_that_cannot_be_are_refused() {
    let i16 = Datatype::little(Number::I16);
    let f32 = Datatype::little(Number::F32);
    let compound = Datatype::compound(8).unwrap().with_member("a", 2, &i16).unwrap();
    let bits = Bits { order: FloatOrder::Little, low_pad: false, high_pad: false, offset: 1, precision: 16 };
    let color = Datatype::enumeration(&i16).unwrap().with_value("red", &[1, 0]).unwrap();
    let refused = [
        (Datatype::integer(2, true, bits), ErrorKind::Range, "16 bits at bit 1"),
        (Datatype::complex(&i16), ErrorKind::Argument, "floats"),
        (Datatype::time(16, FloatOrder::Little), ErrorKind::Range, "32 or 64"),
        (Datatype::opaque(0, ""), ErrorKind::Range, "1..4294967295"),
        (Datatype::opaque(1, &"x".repeat(249)), ErrorKind::Argument, "248"),
        (Datatype::array(&i16, &[]), ErrorKind::Range, "1..32"),
        (Datatype::array(&i16, &[2, 0]), ErrorKind::Range, "[2, 0]"),
        (Datatype::array(&i16, &[1 << 20, 1 << 20]), ErrorKind::Range, "2^32-1"),
        (Datatype::compound(0), ErrorKind::Range, "compound size"),
        (compound.with_member("a", 4, &i16), ErrorKind::Exists, "'a'"),
        (compound.with_member("", 4, &i16), ErrorKind::Argument, "no name"),
        (compound.with_member("b", 3, &i16), ErrorKind::Range, "overlaps member 'a'"),
        (compound.with_member("b", 7, &i16), ErrorKind::Range, "does not fit in 8"),
        (i16.with_member("b", 0, &i16), ErrorKind::Type, "a compound is needed"),
        (Datatype::enumeration(&f32), ErrorKind::Argument, "integer"),
        (color.with_value("red", &[2, 0]), ErrorKind::Exists, "'red'"),
        (color.with_value("blue", &[1, 0]), ErrorKind::Exists, "that of 'red'"),
        (color.with_value("blue", &[1]), ErrorKind::Argument, "2 bytes"),
        (Datatype::sequence(&Datatype::compound(4).unwrap()), ErrorKind::Argument, "no members yet"),
    ];
    for (result, kind, part) in refused {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn the_order_of_members_does_not_count() {
    let (a, b) = (Datatype::little(Number::I16), Datatype::little(Number::F32));
    let empty = Datatype::compound(8).unwrap();
    let one = empty.with_member("a", 0, &a).unwrap().with_member("b", 4, &b).unwrap();
    let other = empty.with_member("b", 4, &b).unwrap().with_member("a", 0, &a).unwrap();
    assert_eq!(one, other);
    assert_ne!(one, empty.with_member("b", 3, &b).unwrap().with_member("a", 0, &a).unwrap());
    let empty = Datatype::enumeration(&a).unwrap();
    let one = empty.with_value("x", &[1, 0]).unwrap().with_value("y", &[2, 0]).unwrap();
    assert_eq!(one, empty.with_value("y", &[2, 0]).unwrap().with_value("x", &[1, 0]).unwrap());
    assert_ne!(one, empty.with_value("y", &[1, 0]).unwrap().with_value("x", &[2, 0]).unwrap());
}
