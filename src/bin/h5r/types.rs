//! Types and dataspaces, described: as JSON, and as text in the terms of h5dump.

use h5r::format::message::datatype::{Bits, ByteOrder, CharacterSet, Class, Datatype, Float, StringPadding};
use serde_json::{json, Value};

use crate::model::hex;

fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn order(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::Little => "little",
        ByteOrder::Big => "big",
        ByteOrder::Vax => "vax",
    }
}

fn padding(padding: StringPadding) -> &'static str {
    match padding {
        StringPadding::NullTerminated => "null-terminated",
        StringPadding::NullPadded => "null-padded",
        StringPadding::SpacePadded => "space-padded",
    }
}

fn charset(charset: CharacterSet) -> &'static str {
    match charset {
        CharacterSet::Ascii => "ascii",
        CharacterSet::Utf8 => "utf-8",
    }
}

/// A type as JSON.
pub fn json(datatype: &Datatype) -> Value {
    let size = datatype.size;
    match &datatype.class {
        Class::FixedPoint { bits, signed } => json!({
            "class": "integer", "size": size, "order": order(bits.order), "signed": signed,
            "precision": bits.precision, "offset": bits.offset,
        }),
        Class::BitField(bits) => json!({
            "class": "bitfield", "size": size, "order": order(bits.order), "precision": bits.precision,
            "offset": bits.offset,
        }),
        Class::FloatingPoint(float) => json!({
            "class": "float", "size": size, "order": order(float.bits.order), "precision": float.bits.precision,
            "offset": float.bits.offset, "exponent": [float.exponent_position, float.exponent_size],
            "mantissa": [float.mantissa_position, float.mantissa_size], "bias": float.exponent_bias,
        }),
        Class::Time { order: bytes, precision } => {
            json!({ "class": "time", "size": size, "order": order(*bytes), "precision": precision })
        }
        Class::String { padding: end, charset: characters } => json!({
            "class": "string", "size": size, "padding": padding(*end), "charset": charset(*characters),
        }),
        Class::Opaque { tag } => {
            let tag = tag.split(|&byte| byte == 0).next().unwrap_or_default();
            json!({ "class": "opaque", "size": size, "tag": name(tag) })
        }
        Class::Compound { members } => {
            let members: Vec<Value> = members
                .iter()
                .map(|m| json!({ "name": name(&m.name), "offset": m.offset, "type": json(&m.datatype) }))
                .collect();
            json!({ "class": "compound", "size": size, "members": members })
        }
        Class::Reference { kind, .. } => json!({ "class": "reference", "size": size, "kind": kind }),
        Class::Enumeration { base, names, values } => {
            let values = values.chunks_exact((base.size as usize).max(1));
            let members: serde_json::Map<String, Value> =
                names.iter().zip(values).map(|(member, value)| (name(member), hex(value).into())).collect();
            json!({ "class": "enum", "size": size, "base": json(base), "members": members })
        }
        Class::VariableLength { string: Some((end, characters)), .. } => json!({
            "class": "string", "size": null, "padding": padding(*end), "charset": charset(*characters),
        }),
        Class::VariableLength { base, .. } => json!({ "class": "sequence", "base": json(base) }),
        Class::Array { dims, base } => json!({ "class": "array", "size": size, "dims": dims, "base": json(base) }),
        Class::Complex { base } => json!({ "class": "complex", "size": size, "base": json(base) }),
    }
}

/// A type as text, on one line.
pub fn text(datatype: &Datatype) -> String {
    match &datatype.class {
        Class::FixedPoint { bits, signed } => integer(datatype.size, bits, if *signed { 'I' } else { 'U' }),
        Class::BitField(bits) => integer(datatype.size, bits, 'B'),
        Class::FloatingPoint(layout) => float(datatype, layout),
        Class::Time { precision, .. } => format!("H5T_TIME {{ {precision} bits }}"),
        Class::String { padding: end, charset: characters } => string(&datatype.size.to_string(), *end, *characters),
        Class::Opaque { tag } => {
            let tag = name(tag.split(|&byte| byte == 0).next().unwrap_or_default());
            format!("H5T_OPAQUE {{ OPAQUE_TAG \"{tag}\"; {} bytes }}", datatype.size)
        }
        Class::Compound { members } => {
            let members: Vec<String> =
                members.iter().map(|m| format!("{} \"{}\";", text(&m.datatype), name(&m.name))).collect();
            format!("H5T_COMPOUND {{ {} }}", members.join(" "))
        }
        Class::Reference { kind, .. } => match kind {
            0 => "H5T_REFERENCE { H5T_STD_REF_OBJECT }".into(),
            1 => "H5T_REFERENCE { H5T_STD_REF_DSETREG }".into(),
            _ => "H5T_REFERENCE { H5T_STD_REF }".into(),
        },
        Class::Enumeration { base, names, values } => {
            let values = values.chunks_exact((base.size as usize).max(1));
            let members: Vec<String> = names
                .iter()
                .zip(values)
                .map(|(member, value)| format!("\"{}\" {};", name(member), hex(value)))
                .collect();
            format!("H5T_ENUM {{ {}; {} }}", text(base), members.join(" "))
        }
        Class::VariableLength { string: Some((end, characters)), .. } => string("H5T_VARIABLE", *end, *characters),
        Class::VariableLength { base, .. } => format!("H5T_VLEN {{ {} }}", text(base)),
        Class::Array { dims, base } => {
            let dims: String = dims.iter().map(|dim| format!("[{dim}]")).collect();
            format!("H5T_ARRAY {{ {dims} {} }}", text(base))
        }
        Class::Complex { base } => format!("H5T_COMPLEX {{ {} }}", text(base)),
    }
}

fn suffix(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::Little => "LE",
        ByteOrder::Big => "BE",
        ByteOrder::Vax => "VAX",
    }
}

fn integer(size: u32, bits: &Bits, letter: char) -> String {
    let all = format!("H5T_STD_{letter}{}{}", 8 * size, suffix(bits.order));
    match (bits.offset, u32::from(bits.precision) == 8 * size) {
        (0, true) => all,
        (offset, _) => format!("{all} ({} bits from bit {offset})", bits.precision),
    }
}

fn float(datatype: &Datatype, layout: &Float) -> String {
    let size = datatype.size;
    let standard = u8::try_from(size).ok().and_then(|size| Datatype::floating_point(size, layout.bits.order));
    let order = suffix(layout.bits.order);
    match standard.is_some_and(|standard| standard.class == datatype.class) {
        true => format!("H5T_IEEE_F{}{order}", 8 * size),
        false => format!(
            "{}-bit floating-point {order} (exponent {} bits, mantissa {} bits)",
            layout.bits.precision, layout.exponent_size, layout.mantissa_size
        ),
    }
}

fn string(size: &str, end: StringPadding, characters: CharacterSet) -> String {
    let end = match end {
        StringPadding::NullTerminated => "H5T_STR_NULLTERM",
        StringPadding::NullPadded => "H5T_STR_NULLPAD",
        StringPadding::SpacePadded => "H5T_STR_SPACEPAD",
    };
    let characters = match characters {
        CharacterSet::Ascii => "H5T_CSET_ASCII",
        CharacterSet::Utf8 => "H5T_CSET_UTF8",
    };
    format!("H5T_STRING {{ STRSIZE {size}; STRPAD {end}; CSET {characters}; CTYPE H5T_C_S1; }}")
}

/// Dimensions as JSON: the current ones, and how far they can grow.
pub fn space_json(is_null: bool, dims: &[u64], max_dims: &[u64]) -> Value {
    if is_null {
        return json!({ "kind": "null" });
    }
    if dims.is_empty() {
        return json!({ "kind": "scalar" });
    }
    let max_dims: Vec<Value> =
        max_dims.iter().map(|&max| if max == u64::MAX { Value::Null } else { max.into() }).collect();
    json!({ "kind": "simple", "dims": dims, "max_dims": max_dims })
}

/// Dimensions as text.
pub fn space_text(is_null: bool, dims: &[u64], max_dims: &[u64]) -> String {
    if is_null {
        return "NULL".into();
    }
    if dims.is_empty() {
        return "SCALAR".into();
    }
    let list = |dims: &[u64]| {
        let one = |&dim: &u64| if dim == u64::MAX { "H5S_UNLIMITED".to_string() } else { dim.to_string() };
        dims.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    format!("SIMPLE {{ ( {} ) / ( {} ) }}", list(dims), list(max_dims))
}
