//! N-bit: of each number in an element only the bits that mean something, without padding; all else as it is. The parameters
//! say where they are: how many parameters there are, whether there is nothing to leave out, the elements of a chunk, and the
//! type. A number is its size, byte order, precision and offset; an array its size and its base; a compound its size, and each
//! member's offset and type; anything else its size.

use super::packing::{holds, load, store, BitReader, BitWriter};
use crate::format::message::datatype::{Bits, ByteOrder, Class, Datatype, MAX_DEPTH};

const ATOMIC: u32 = 1;
const ARRAY: u32 = 2;
const COMPOUND: u32 = 3;
const OTHER: u32 = 4;

/// The most parameters that libhdf5 takes.
const MAX_PARAMETERS: usize = 4096;

/// Ahead of the type: how many parameters there are, whether data stay as they are, and the elements of a chunk.
const FIXED: usize = 3;

const DAMAGED: &str = "its parameters describe no type";

/// An element or a part of it.
enum Part {
    /// A number.
    Atomic { size: usize, is_big: bool, precision: usize, offset: usize },
    /// So many parts of one size.
    Array { count: usize, stride: usize, base: Box<Part> },
    /// Parts at their offsets.
    Compound(Vec<(usize, Part)>),
    /// Bytes as they are.
    Bytes(usize),
}

/// What the parameters say.
struct Plan {
    count: usize,
    /// Bytes of an element.
    size: usize,
    part: Part,
}

impl Plan {
    /// None where data stay as they are.
    fn of(parameters: &[u32]) -> Result<Option<Plan>, &'static str> {
        let [length, is_copy, count, rest @ ..] = parameters else { return Err("it has less than three parameters") };
        if *length as usize != parameters.len() {
            return Err("its parameters are not as many as they say");
        }
        if *is_copy != 0 {
            return Ok(None);
        }
        let mut rest = rest;
        let (size, part) = part(&mut rest, MAX_DEPTH).ok_or(DAMAGED)?;
        Ok(Some(Plan { count: *count as usize, size, part }))
    }

    /// Bytes of a chunk.
    fn bytes(&self) -> usize {
        self.count.saturating_mul(self.size)
    }
}

fn next(parameters: &mut &[u32]) -> Option<usize> {
    let (&first, rest) = parameters.split_first()?;
    *parameters = rest;
    usize::try_from(first).ok()
}

/// Takes a part's description; its size comes first.
fn part(parameters: &mut &[u32], depth: usize) -> Option<(usize, Part)> {
    let depth = depth.checked_sub(1)?;
    let class = next(parameters)? as u32;
    let size = next(parameters).filter(|&size| size > 0)?;
    let part = match class {
        ATOMIC => {
            let is_big = match next(parameters)? {
                0 => false,
                1 => true,
                _ => return None,
            };
            let (precision, offset) = (next(parameters)?, next(parameters)?);
            let fits = precision.checked_add(offset).is_some_and(|end| end <= size.saturating_mul(8));
            if precision == 0 || !fits {
                return None;
            }
            Part::Atomic { size, is_big, precision, offset }
        }
        ARRAY => {
            let (stride, base) = self::part(parameters, depth)?;
            match base {
                Part::Bytes(_) => Part::Bytes(size),
                _ if stride > size => return None,
                _ => Part::Array { count: size / stride, stride, base: Box::new(base) },
            }
        }
        COMPOUND => {
            let (mut members, mut used) = (Vec::new(), 0usize);
            for _ in 0..next(parameters)? {
                let offset = next(parameters)?;
                let (length, member) = self::part(parameters, depth)?;
                // All members together are no more than the element, so that no element costs more than its bytes.
                used = used.checked_add(length).filter(|&used| used <= size)?;
                if offset.checked_add(length)? > size {
                    return None;
                }
                members.push((offset, member));
            }
            Part::Compound(members)
        }
        OTHER => Part::Bytes(size),
        _ => return None,
    };
    Some((size, part))
}

impl Part {
    /// Bits that are stored.
    fn bits(&self) -> u64 {
        match self {
            Part::Atomic { precision, .. } => *precision as u64,
            Part::Array { count, base, .. } => base.bits().saturating_mul(*count as u64),
            Part::Compound(members) => members.iter().fold(0, |bits, (_, part)| part.bits().saturating_add(bits)),
            Part::Bytes(size) => 8 * *size as u64,
        }
    }

    /// Stores what is in `element`, which has the part's size or more.
    fn put(&self, element: &[u8], writer: &mut BitWriter<'_>) {
        match self {
            &Part::Atomic { size, is_big, precision, offset } => {
                if size <= 8 {
                    writer.put(load(&element[..size], is_big) >> offset, precision as u32);
                } else {
                    for (at, low, bits) in bytes_of(size, is_big, precision, offset) {
                        writer.put(u64::from(element[at] >> low), bits);
                    }
                }
            }
            Part::Array { count, stride, base } => {
                element.chunks_exact(*stride).take(*count).for_each(|element| base.put(element, writer));
            }
            Part::Compound(members) => members.iter().for_each(|(at, part)| part.put(&element[*at..], writer)),
            Part::Bytes(size) => element[..*size].iter().for_each(|&byte| writer.put(byte.into(), 8)),
        }
    }

    /// The opposite; the bytes of `element` are zeros.
    fn take(&self, reader: &mut BitReader<'_>, element: &mut [u8]) {
        match self {
            &Part::Atomic { size, is_big, precision, offset } => {
                if size <= 8 {
                    store(reader.take(precision as u32) << offset, is_big, &mut element[..size]);
                } else {
                    for (at, low, bits) in bytes_of(size, is_big, precision, offset) {
                        element[at] = (reader.take(bits) as u8) << low;
                    }
                }
            }
            Part::Array { count, stride, base } => {
                element.chunks_exact_mut(*stride).take(*count).for_each(|element| base.take(reader, element));
            }
            Part::Compound(members) => {
                members.iter().for_each(|(at, part)| part.take(reader, &mut element[*at..]));
            }
            Part::Bytes(size) => element[..*size].iter_mut().for_each(|byte| *byte = reader.take(8) as u8),
        }
    }
}

/// The bytes of a long number that hold its bits, the most significant first: each one's place, first bit and number of bits.
fn bytes_of(size: usize, is_big: bool, precision: usize, offset: usize) -> impl Iterator<Item = (usize, usize, u32)> {
    let end = offset + precision;
    (offset / 8..end.div_ceil(8)).rev().map(move |byte| {
        let (low, high) = (offset.max(8 * byte), end.min(8 * byte + 8));
        (if is_big { size - 1 - byte } else { byte }, low - 8 * byte, (high - low) as u32)
    })
}

/// How many times its size stored data may become.
pub(super) fn ratio(parameters: &[u32]) -> usize {
    match Plan::of(parameters) {
        Ok(Some(plan)) => {
            let ratio = (8 * plan.size as u64).div_ceil(plan.part.bits().max(1));
            usize::try_from(ratio).unwrap_or(usize::MAX)
        }
        _ => 1,
    }
}

/// Decodes data that become at most as many bytes as `out` has; how many they became.
pub(super) fn decode(parameters: &[u32], data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    const LARGE: &str = "the data become larger than what was stored";
    let Some(plan) = Plan::of(parameters)? else {
        out.get_mut(..data.len()).ok_or(LARGE)?.copy_from_slice(data);
        return Ok(data.len());
    };
    let out = out.get_mut(..plan.bytes()).ok_or(LARGE)?;
    if !holds(data.len(), plan.count as u64, plan.part.bits()) {
        return Err("the packed data end early");
    }
    out.fill(0);
    let mut reader = BitReader::new(data);
    out.chunks_exact_mut(plan.size).for_each(|element| plan.part.take(&mut reader, element));
    Ok(plan.bytes())
}

/// Encodes the elements of a chunk.
pub(super) fn encode(parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    out.clear();
    let Some(plan) = Plan::of(parameters)? else {
        out.extend_from_slice(data);
        return Ok(());
    };
    if data.len() != plan.bytes() {
        return Err("the data are not the elements that its parameters say");
    }
    let mut writer = BitWriter::new(out);
    data.chunks_exact(plan.size).for_each(|element| plan.part.put(element, &mut writer));
    writer.finish();
    Ok(())
}

/// Whether chunks can be written with these parameters.
pub(super) fn check(parameters: &[u32]) -> Result<(), &'static str> {
    Plan::of(parameters).map(|_| ())
}

/// The parameters for chunks of so many elements of a type.
pub(super) fn parameters(datatype: &Datatype, count: u32) -> Result<Vec<u32>, String> {
    let mut all = vec![0, 1, count];
    // Other types stay as they are, and are not described.
    if let Class::FixedPoint { .. } | Class::FloatingPoint(_) | Class::Array { .. } | Class::Compound { .. } =
        &datatype.class
    {
        let mut is_whole = true;
        describe(datatype, &mut all, &mut is_whole)?;
        all[1] = u32::from(is_whole);
    }
    if all.len() > MAX_PARAMETERS {
        return Err(format!("a type that needs {} parameters, more than {MAX_PARAMETERS}", all.len()));
    }
    debug_assert!(all.len() >= FIXED);
    all[0] = all.len() as u32;
    Ok(all)
}

/// Appends a type's description; `is_whole` becomes false when there are bits that can be left out.
fn describe(datatype: &Datatype, all: &mut Vec<u32>, is_whole: &mut bool) -> Result<(), String> {
    let mut atomic = |bits: &Bits| {
        let order = match bits.order {
            ByteOrder::Little => 0,
            ByteOrder::Big => 1,
            ByteOrder::Vax => return Err("numbers in VAX byte order".to_string()),
        };
        let (precision, offset) = (u32::from(bits.precision), u32::from(bits.offset));
        *is_whole &= offset == 0 && precision == 8 * datatype.size;
        all.extend([ATOMIC, datatype.size, order, precision, offset]);
        Ok(())
    };
    match &datatype.class {
        Class::FixedPoint { bits, .. } => atomic(bits),
        Class::FloatingPoint(float) => atomic(&float.bits),
        Class::Array { base, .. } => {
            all.extend([ARRAY, datatype.size]);
            describe(base, all, is_whole)
        }
        Class::Compound { members } => {
            all.extend([COMPOUND, datatype.size, members.len() as u32]);
            members.iter().try_for_each(|member| {
                all.push(member.offset);
                describe(&member.datatype, all, is_whole)
            })
        }
        _ => {
            all.extend([OTHER, datatype.size]);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits of a number, the most significant first, by the type's description alone.
    fn bits_of(element: &[u8], is_big: bool, precision: usize, offset: usize) -> String {
        let size = element.len();
        (offset..offset + precision)
            .rev()
            .map(|bit| element[if is_big { size - 1 - bit / 8 } else { bit / 8 }] >> (bit % 8) & 1)
            .map(|bit| if bit == 1 { '1' } else { '0' })
            .collect()
    }

    #[test]
    fn numbers_are_their_bits() {
        for size in [1usize, 2, 3, 4, 7, 8, 9, 16, 20] {
            for (precision, offset) in [(1, 0), (1, 8 * size - 1), (8 * size, 0), (5, 2), (8 * size - 3, 1), (8, 0)] {
                for is_big in [false, true] {
                    let data: Vec<u8> = (0..7 * size).map(|i| (i * 83 + i / 9 + 1) as u8).collect();
                    let parameters = [8, 0, 7, ATOMIC, size as u32, u32::from(is_big), precision as u32, offset as u32];
                    let mut packed = Vec::new();
                    encode(&parameters, &data, &mut packed).unwrap();
                    assert_eq!(packed.len(), 7 * precision / 8 + 1);
                    let wanted: String =
                        data.chunks(size).map(|element| bits_of(element, is_big, precision, offset)).collect();
                    let found: String = packed.iter().map(|byte| format!("{byte:08b}")).collect();
                    assert_eq!(found[..wanted.len()], wanted, "{size} {precision} {offset} {is_big}");
                    let mut out = vec![0xff; data.len()];
                    assert_eq!(decode(&parameters, &packed, &mut out), Ok(data.len()));
                    for (out, element) in out.chunks(size).zip(data.chunks(size)) {
                        assert_eq!(
                            bits_of(out, is_big, precision, offset),
                            bits_of(element, is_big, precision, offset)
                        );
                        let ones: u32 = out.iter().map(|byte| byte.count_ones()).sum();
                        let kept = bits_of(out, is_big, precision, offset).matches('1').count();
                        assert_eq!(ones as usize, kept);
                    }
                    let short = (7 * precision).div_ceil(8) - 1;
                    assert!(decode(&parameters, &packed[..short], &mut out).is_err());
                    assert!(decode(&parameters, &packed, &mut out[1..]).is_err());
                }
            }
        }
    }

    #[test]
    fn members_and_arrays() {
        // A compound of 12 bytes: a 12-bit integer at 0, an array of two 4-bit integers at 4, three bytes at 8.
        #[rustfmt::skip]
        let parameters = [
            21, 0, 2, COMPOUND, 12, 3,
            0, ATOMIC, 2, 0, 12, 0,
            4, ARRAY, 2, ATOMIC, 1, 0, 4, 2,
            8,
        ];
        let mut parameters = parameters.to_vec();
        parameters.extend([OTHER, 3]);
        parameters[0] = parameters.len() as u32;
        let element = [0xbc, 0xfa, 9, 9, 0x3f, 0xd4, 9, 9, 1, 2, 3, 9];
        let data = [element, element].concat();
        let mut packed = Vec::new();
        encode(&parameters, &data, &mut packed).unwrap();
        assert_eq!(packed, [0xab, 0xcf, 0x50, 0x10, 0x20, 0x3a, 0xbc, 0xf5, 0x01, 0x02, 0x03, 0x00]);
        let mut out = [0xff; 24];
        assert_eq!(decode(&parameters, &packed, &mut out), Ok(24));
        assert_eq!(out[..12], [0xbc, 0x0a, 0, 0, 0x3c, 0x14, 0, 0, 1, 2, 3, 0]);
        assert_eq!(ratio(&parameters), 3);
        for damage in 3..parameters.len() {
            let mut damaged = parameters.clone();
            damaged[damage] = 0x7fff_ffff;
            let _ = decode(&damaged, &packed, &mut out);
            damaged.truncate(damage);
            damaged[0] = damage as u32;
            assert_eq!(decode(&damaged, &packed, &mut out), Err(DAMAGED));
        }
    }
}
