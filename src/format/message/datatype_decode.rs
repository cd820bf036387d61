//! Decoding of the Datatype message.

use super::datatype::{
    Bits, ByteOrder, CharacterSet, Class, Datatype, Float, Member, Normalization, StringPadding, MAX_DEPTH,
};
use crate::error::Result;
use crate::format::codec::Reader;

pub(super) fn decode(bytes: &[u8]) -> Result<Datatype> {
    decode_nested(&mut Reader::new(bytes, "datatype message"), bytes, 0)
}

/// Decodes at the reader's position; `bytes` is all that the reader reads.
fn decode_nested(reader: &mut Reader<'_>, bytes: &[u8], depth: usize) -> Result<Datatype> {
    if depth > MAX_DEPTH {
        return Err(reader.error(format_args!("nested deeper than {MAX_DEPTH}")));
    }
    let begin = reader.position();
    let first = reader.u8()?;
    let (version, class) = (first >> 4, first & 0x0f);
    let flags = reader.uint(3)? as u32;
    let size = reader.u32()?;
    if !(1..=5).contains(&version) {
        return Err(reader.error(format_args!("version {version}")));
    }
    if size == 0 {
        return Err(reader.error("elements of 0 bytes"));
    }
    let head = Head { version, flags, size };
    let class = match class {
        0 => Class::FixedPoint { bits: head.bits(reader)?, signed: flags & 8 != 0 },
        1 => Class::FloatingPoint(head.float(reader)?),
        2 => Class::Time { order: order(flags), precision: reader.u16()? },
        3 => Class::String { padding: padding(reader, flags)?, charset: charset(reader, flags >> 4)? },
        4 => Class::BitField(head.bits(reader)?),
        5 => Class::Opaque { tag: trimmed(reader.take((flags & 0xff) as usize)?) },
        6 => head.compound(reader, bytes, depth)?,
        7 => head.reference(reader)?,
        8 => head.enumeration(reader, bytes, depth)?,
        9 => head.variable_length(reader, bytes, depth)?,
        10 => head.array(reader, bytes, depth)?,
        11 => head.complex(reader, bytes, depth)?,
        _ => return Err(reader.error(format_args!("class {class}"))),
    };
    let raw = bytes[begin..reader.position()].to_vec();
    Ok(Datatype { version, size, class, raw })
}

/// An opaque type's tag without its padding.
fn trimmed(tag: &[u8]) -> Vec<u8> {
    tag.split(|&byte| byte == 0).next().unwrap_or_default().to_vec()
}

fn order(flags: u32) -> ByteOrder {
    if flags & 1 != 0 {
        ByteOrder::Big
    } else {
        ByteOrder::Little
    }
}

fn padding(reader: &Reader<'_>, flags: u32) -> Result<StringPadding> {
    match flags & 0x0f {
        0 => Ok(StringPadding::NullTerminated),
        1 => Ok(StringPadding::NullPadded),
        2 => Ok(StringPadding::SpacePadded),
        other => Err(reader.error(format_args!("string padding {other}"))),
    }
}

fn charset(reader: &Reader<'_>, flags: u32) -> Result<CharacterSet> {
    match flags & 0x0f {
        0 => Ok(CharacterSet::Ascii),
        1 => Ok(CharacterSet::Utf8),
        other => Err(reader.error(format_args!("character set {other}"))),
    }
}

/// A NUL-terminated name; before version 3 padded to a multiple of 8 bytes.
fn name(reader: &mut Reader<'_>, version: u8) -> Result<Vec<u8>> {
    let mut rest = reader.clone();
    let rest = rest.rest();
    let Some(length) = rest.iter().position(|&byte| byte == 0) else {
        return Err(reader.error("a name is not terminated"));
    };
    reader.skip(if version >= 3 { length + 1 } else { (length + 1).next_multiple_of(8) })?;
    Ok(rest[..length].to_vec())
}

/// The bytes that an offset within `size` takes in version 3.
pub(super) fn offset_width(size: u32) -> usize {
    (size.max(1).ilog2() as usize) / 8 + 1
}

/// What every description begins with.
struct Head {
    version: u8,
    flags: u32,
    size: u32,
}

impl Head {
    fn total_bits(&self) -> u64 {
        8 * u64::from(self.size)
    }

    fn bits(&self, reader: &mut Reader<'_>) -> Result<Bits> {
        let flags = self.flags;
        let (offset, precision) = (reader.u16()?, reader.u16()?);
        if precision == 0 || u64::from(offset) + u64::from(precision) > self.total_bits() {
            return Err(reader.error(format_args!("{precision} bits at {offset} in {} bytes", self.size)));
        }
        Ok(Bits { order: order(flags), low_pad: flags & 2 != 0, high_pad: flags & 4 != 0, offset, precision })
    }

    fn float(&self, reader: &mut Reader<'_>) -> Result<Float> {
        let flags = self.flags;
        let mut bits = self.bits(reader)?;
        if self.version >= 3 && flags & 0x40 != 0 {
            if flags & 1 == 0 {
                return Err(reader.error("unknown byte order"));
            }
            bits.order = ByteOrder::Vax;
        }
        let normalization = match flags >> 4 & 3 {
            0 => Normalization::None,
            1 => Normalization::Stored,
            2 => Normalization::Implied,
            other => return Err(reader.error(format_args!("normalization {other}"))),
        };
        let float = Float {
            bits,
            internal_pad: flags & 8 != 0,
            normalization,
            sign_position: (flags >> 8) as u8,
            exponent_position: reader.u8()?,
            exponent_size: reader.u8()?,
            mantissa_position: reader.u8()?,
            mantissa_size: reader.u8()?,
            exponent_bias: reader.u32()?,
        };
        let sign = (u64::from(float.sign_position), u64::from(float.sign_position) + 1);
        let field = |position: u8, size: u8| (u64::from(position), u64::from(position) + u64::from(size));
        let exponent = field(float.exponent_position, float.exponent_size);
        let mantissa = field(float.mantissa_position, float.mantissa_size);
        let fields = [sign, exponent, mantissa];
        let inside = fields.iter().all(|field| field.0 < field.1 && field.1 <= self.total_bits());
        let apart = |a: (u64, u64), b: (u64, u64)| a.1 <= b.0 || b.1 <= a.0;
        if !inside || !apart(sign, exponent) || !apart(sign, mantissa) || !apart(exponent, mantissa) {
            return Err(reader.error("the fields of a float overlap or lie outside it"));
        }
        Ok(float)
    }

    fn compound(&self, reader: &mut Reader<'_>, bytes: &[u8], depth: usize) -> Result<Class> {
        let count = self.flags & 0xffff;
        if count == 0 {
            return Err(reader.error("a compound without members"));
        }
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(self.member(reader, bytes, depth)?);
        }
        Ok(Class::Compound { members })
    }

    fn member(&self, reader: &mut Reader<'_>, bytes: &[u8], depth: usize) -> Result<Member> {
        let name = name(reader, self.version)?;
        let offset = reader.uint(if self.version >= 3 { offset_width(self.size) } else { 4 })? as u32;
        let mut dims = Vec::new();
        if self.version == 1 {
            let rank = reader.u8()? as usize;
            reader.skip(3 + 4 + 4)?;
            dims = (0..4).map(|_| reader.u32()).collect::<Result<Vec<_>>>()?;
            if rank > 4 || dims[..rank].contains(&0) {
                return Err(reader.error(format_args!("a member that is an array of {rank} dimensions {dims:?}")));
            }
            dims.truncate(rank);
        }
        let mut datatype = decode_nested(reader, bytes, depth + 1)?;
        if !dims.is_empty() {
            let count = dims.iter().try_fold(datatype.size, |size, &dim| size.checked_mul(dim));
            let size = count.ok_or_else(|| reader.error(format_args!("an array of dimensions {dims:?}")))?;
            datatype = Datatype::new(Class::Array { dims, base: Box::new(datatype) }, size);
        }
        if u64::from(offset) + u64::from(datatype.size) > u64::from(self.size) {
            return Err(reader.error(format_args!(
                "a member of {} bytes at {offset} in a compound of {}",
                datatype.size, self.size
            )));
        }
        Ok(Member { name, offset, datatype })
    }

    fn reference(&self, reader: &Reader<'_>) -> Result<Class> {
        let (kind, version) = ((self.flags & 0x0f) as u8, (self.flags >> 4 & 0x0f) as u8);
        if kind > 4 {
            return Err(reader.error(format_args!("reference type {kind}")));
        }
        Ok(Class::Reference { kind, version: if kind > 1 { version } else { 0 } })
    }

    fn enumeration(&self, reader: &mut Reader<'_>, bytes: &[u8], depth: usize) -> Result<Class> {
        let count = (self.flags & 0xffff) as usize;
        let base = decode_nested(reader, bytes, depth + 1)?;
        if base.size != self.size {
            return Err(reader.error(format_args!("an enumeration of {} bytes based on {}", self.size, base.size)));
        }
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(name(reader, self.version)?);
        }
        let length = count.saturating_mul(base.size as usize);
        let values = reader.take(length)?.to_vec();
        Ok(Class::Enumeration { base: Box::new(base), names, values })
    }

    fn variable_length(&self, reader: &mut Reader<'_>, bytes: &[u8], depth: usize) -> Result<Class> {
        let string = match self.flags & 0x0f {
            0 => None,
            1 => Some((padding(reader, self.flags >> 4)?, charset(reader, self.flags >> 8)?)),
            other => return Err(reader.error(format_args!("variable-length type {other}"))),
        };
        Ok(Class::VariableLength { string, base: Box::new(decode_nested(reader, bytes, depth + 1)?) })
    }

    fn array(&self, reader: &mut Reader<'_>, bytes: &[u8], depth: usize) -> Result<Class> {
        let rank = reader.u8()? as usize;
        // Version 1 did not define arrays, but libhdf5 1.4 wrote them.
        if rank > super::dataspace::MAX_RANK {
            return Err(reader.error(format_args!("version {} with an array of rank {rank}", self.version)));
        }
        if self.version < 3 {
            reader.skip(3)?;
        }
        let dims = (0..rank).map(|_| reader.u32()).collect::<Result<Vec<_>>>()?;
        if self.version < 3 {
            reader.skip(4 * rank)?;
        }
        let base = decode_nested(reader, bytes, depth + 1)?;
        let size = dims.iter().try_fold(base.size, |size, &dim| size.checked_mul(dim));
        if size != Some(self.size) {
            return Err(
                reader.error(format_args!("an array of dimensions {dims:?} of {} bytes in {}", base.size, self.size))
            );
        }
        Ok(Class::Array { dims, base: Box::new(base) })
    }

    fn complex(&self, reader: &mut Reader<'_>, bytes: &[u8], depth: usize) -> Result<Class> {
        // Homogeneous (bit 0) and rectangular (bits 1 and 2) is all that is defined so far.
        if self.version < 5 || self.flags != 1 {
            return Err(reader.error(format_args!("a complex number with flags {:#x}", self.flags)));
        }
        let base = decode_nested(reader, bytes, depth + 1)?;
        if base.size.checked_mul(2) != Some(self.size) {
            return Err(reader.error(format_args!("a complex number of {} bytes, {} a part", self.size, base.size)));
        }
        Ok(Class::Complex { base: Box::new(base) })
    }
}
