//! Encoding of the Datatype message.

use super::datatype::{Bits, ByteOrder, Class, Float};
use super::datatype_decode::offset_width;

/// The version that a class is written in, never below that of what is nested in it.
pub(super) fn version(class: &Class) -> u8 {
    let (own, nested) = match class {
        Class::Compound { members } => (3, members.iter().map(|member| member.datatype.version).max().unwrap_or(0)),
        Class::Enumeration { base, .. } | Class::Array { base, .. } | Class::VariableLength { base, .. } => {
            (3, base.version)
        }
        Class::Complex { base } => (5, base.version),
        Class::Reference { kind, .. } => (if *kind > 1 { 4 } else { 1 }, 0),
        Class::FloatingPoint(float) => (if float.bits.order == ByteOrder::Vax { 3 } else { 1 }, 0),
        _ => (1, 0),
    };
    own.max(nested)
}

pub(super) fn encode(class: &Class, version: u8, size: u32) -> Vec<u8> {
    let mut out = vec![class.number() | version << 4, 0, 0, 0];
    out.extend_from_slice(&size.to_le_bytes());
    let flags: u32 = match class {
        Class::FixedPoint { bits, signed } => put_bits(&mut out, bits) | u32::from(*signed) << 3,
        Class::FloatingPoint(float) => put_float(&mut out, float),
        Class::Time { order, precision } => {
            out.extend_from_slice(&precision.to_le_bytes());
            u32::from(*order == ByteOrder::Big)
        }
        Class::String { padding, charset } => *padding as u32 | (*charset as u32) << 4,
        Class::BitField(bits) => put_bits(&mut out, bits),
        Class::Opaque { tag } => {
            // The tag takes a multiple of 8 bytes, at most 248.
            let length = tag.len().min(248);
            out.extend_from_slice(&tag[..length]);
            out.resize(8 + length.next_multiple_of(8), 0);
            length.next_multiple_of(8) as u32
        }
        Class::Compound { members } => {
            for member in members {
                put_name(&mut out, &member.name);
                out.extend_from_slice(&member.offset.to_le_bytes()[..offset_width(size)]);
                out.extend_from_slice(&member.datatype.raw);
            }
            members.len() as u32 & 0xffff
        }
        Class::Reference { kind, version } => u32::from(*kind) | u32::from(*version) << 4,
        Class::Enumeration { base, names, values } => {
            out.extend_from_slice(&base.raw);
            names.iter().for_each(|name| put_name(&mut out, name));
            out.extend_from_slice(values);
            names.len() as u32 & 0xffff
        }
        Class::VariableLength { string, base } => {
            out.extend_from_slice(&base.raw);
            string.map_or(0, |(padding, charset)| 1 | (padding as u32) << 4 | (charset as u32) << 8)
        }
        Class::Array { dims, base } => {
            out.push(dims.len() as u8);
            dims.iter().for_each(|dim| out.extend_from_slice(&dim.to_le_bytes()));
            out.extend_from_slice(&base.raw);
            0
        }
        Class::Complex { base } => {
            out.extend_from_slice(&base.raw);
            1
        }
    };
    out[1..4].copy_from_slice(&flags.to_le_bytes()[..3]);
    out
}

fn put_name(out: &mut Vec<u8>, name: &[u8]) {
    out.extend_from_slice(name);
    out.push(0);
}

fn put_bits(out: &mut Vec<u8>, bits: &Bits) -> u32 {
    out.extend_from_slice(&bits.offset.to_le_bytes());
    out.extend_from_slice(&bits.precision.to_le_bytes());
    u32::from(bits.order != ByteOrder::Little) | u32::from(bits.low_pad) << 1 | u32::from(bits.high_pad) << 2
}

fn put_float(out: &mut Vec<u8>, float: &Float) -> u32 {
    let flags = put_bits(out, &float.bits);
    out.extend_from_slice(&[
        float.exponent_position,
        float.exponent_size,
        float.mantissa_position,
        float.mantissa_size,
    ]);
    out.extend_from_slice(&float.exponent_bias.to_le_bytes());
    flags
        | u32::from(float.internal_pad) << 3
        | (float.normalization as u32) << 4
        | u32::from(float.bits.order == ByteOrder::Vax) << 6
        | u32::from(float.sign_position) << 8
}

#[cfg(test)]
mod tests {
    use super::super::datatype::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn atomic_types_are_written_as_libhdf5_writes_them() {
        let cases = [
            (Datatype::fixed_point(4, true, ByteOrder::Little), "100800000400000000002000"),
            (Datatype::fixed_point(2, false, ByteOrder::Big), "100100000200000000001000"),
            (Datatype::floating_point(8, ByteOrder::Little).unwrap(), "11203f000800000000004000340b0034ff030000"),
            (Datatype::floating_point(4, ByteOrder::Big).unwrap(), "11211f000400000000002000170800177f000000"),
            (Datatype::floating_point(2, ByteOrder::Little).unwrap(), "11200f0002000000000010000a05000a0f000000"),
            (Datatype::string(7, StringPadding::SpacePadded, CharacterSet::Utf8), "1312000007000000"),
        ];
        for (datatype, expected) in cases {
            assert_eq!(datatype.raw, hex(expected));
            assert_eq!(Datatype::decode(&datatype.raw).unwrap(), datatype);
        }
        assert!(Datatype::floating_point(3, ByteOrder::Little).is_none());
    }

    fn leaf() -> impl Strategy<Value = Datatype> {
        prop_oneof![
            (1u8..9, any::<bool>(), any::<bool>()).prop_map(|(size, signed, big)| {
                Datatype::fixed_point(size, signed, if big { ByteOrder::Big } else { ByteOrder::Little })
            }),
            (1u32..4).prop_map(|log| Datatype::floating_point(1 << log, ByteOrder::Vax).unwrap()),
            (1u32..50).prop_map(|size| Datatype::string(size, StringPadding::NullPadded, CharacterSet::Ascii)),
            (1u32..50).prop_map(|size| Datatype::new(Class::Opaque { tag: b"tag of 8".to_vec() }, size)),
            (0u8..5).prop_map(|kind| Datatype::new(Class::Reference { kind, version: u8::from(kind > 1) }, 8)),
            (1u16..30).prop_map(|precision| {
                let bits = Bits { order: ByteOrder::Big, low_pad: true, high_pad: false, offset: 2, precision };
                Datatype::new(Class::BitField(bits), 4)
            }),
        ]
    }

    fn nested() -> impl Strategy<Value = Datatype> {
        leaf().prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                (inner.clone(), proptest::collection::vec(1u32..5, 0..3)).prop_map(|(base, dims)| {
                    let size = base.size * dims.iter().product::<u32>();
                    Datatype::new(Class::Array { dims, base: Box::new(base) }, size)
                }),
                (inner.clone(), any::<bool>()).prop_map(|(base, string)| {
                    let string = string.then_some((StringPadding::NullTerminated, CharacterSet::Utf8));
                    Datatype::new(Class::VariableLength { string, base: Box::new(base) }, 16)
                }),
                inner.clone().prop_map(|base| {
                    let size = base.size * 2;
                    Datatype::new(Class::Complex { base: Box::new(base) }, size)
                }),
                proptest::collection::vec(inner, 1..5).prop_map(|types| {
                    let mut size = 0;
                    let mut members = Vec::new();
                    for (i, datatype) in types.into_iter().enumerate() {
                        let offset = size;
                        size += datatype.size;
                        members.push(Member { name: format!("member {i}").into_bytes(), offset, datatype });
                    }
                    Datatype::new(Class::Compound { members }, size)
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn round_trip(datatype in nested(), tail in 0usize..9) {
            let mut bytes = datatype.raw.clone();
            bytes.resize(bytes.len() + tail, 0xee);
            let decoded = Datatype::decode(&bytes).unwrap();
            prop_assert_eq!(&decoded, &datatype);
            for end in 0..datatype.raw.len() {
                prop_assert!(Datatype::decode(&bytes[..end]).is_err());
            }
        }

        #[test]
        fn never_panics(datatype in nested(), at in any::<proptest::sample::Index>(), value: u8,
                        bytes in proptest::collection::vec(any::<u8>(), 0..60), first in 0x10u8..0x5c) {
            let mut damaged = datatype.raw.clone();
            let at = at.index(damaged.len());
            damaged[at] = value;
            let _ = Datatype::decode(&damaged);
            let mut random = vec![first];
            random.extend(bytes);
            let _ = Datatype::decode(&random);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let mut datatype = Datatype::fixed_point(1, false, ByteOrder::Little);
        for _ in 0..MAX_DEPTH {
            datatype = Datatype::new(Class::Array { dims: vec![], base: Box::new(datatype) }, 1);
        }
        assert!(Datatype::decode(&datatype.raw).is_ok());
        datatype = Datatype::new(Class::Array { dims: vec![], base: Box::new(datatype) }, 1);
        assert!(Datatype::decode(&datatype.raw).is_err());
        // As deep as the bytes allow, and with ever more raw bytes to keep: still an error, and a fast one.
        let mut bytes = Vec::new();
        for _ in 0..8_000 {
            bytes.extend([0x39, 0, 0, 0, 16, 0, 0, 0]);
        }
        assert!(Datatype::decode(&bytes).is_err());
    }
}
