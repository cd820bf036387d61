//! Conversion of elements of any class between their form in memory and their form in a file: compounds by their members'
//! names, enumerations by their names, arrays and complex numbers by their parts, and values of variable length through
//! the file's heap. What libhdf5 does not convert is refused.

use std::collections::HashMap;

use super::bits::{self, Layout};
use super::message::{self, CharacterSet, Class};
use super::{Conversion, Datatype, Space};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Sizes;

/// Which way elements go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ToMemory,
    ToFile,
}

/// How elements become those of another type.
#[derive(Debug, Clone)]
pub struct Converter {
    step: Step,
    source_size: usize,
    target_size: usize,
}

#[derive(Debug, Clone)]
enum Step {
    Simple(Conversion),
    Copy,
    Numbers(Layout, Layout),
    /// An address, and so many bytes of a number in the heap there.
    Address {
        index: usize,
    },
    Compound(Vec<Part>),
    Enumeration(HashMap<Box<[u8]>, Box<[u8]>>),
    Array(Box<Converter>),
    /// A real number as a complex one, whose imaginary part is 0; and a complex number's real part.
    RealPart(Box<Converter>),
    Variable {
        way: Way,
        text: bool,
        base: Box<Converter>,
        offset: usize,
    },
    Reference {
        way: Way,
        offset: usize,
    },
}

#[derive(Debug, Clone)]
struct Part {
    from: usize,
    to: usize,
    converter: Converter,
}

impl Converter {
    /// From a type's form in a file with these sizes to another's in memory.
    pub fn to_memory(file: &Datatype, memory: &Datatype, sizes: Sizes) -> Result<Self> {
        Self::between(file, memory, Way::ToMemory, sizes)
    }

    /// From a type's form in memory to another's in a file with these sizes.
    pub fn to_file(memory: &Datatype, file: &Datatype, sizes: Sizes) -> Result<Self> {
        Self::between(memory, file, Way::ToFile, sizes)
    }

    fn between(source: &Datatype, target: &Datatype, way: Way, sizes: Sizes) -> Result<Self> {
        if !source.has_pointers() && !target.has_pointers() {
            if let Ok(conversion) = Conversion::between(source, target) {
                let (source_size, target_size) = (source.size(), target.size());
                return Ok(Converter { step: Step::Simple(conversion), source_size, target_size });
            }
        }
        Maker { way, sizes }.make(&source.description()?, &target.description()?)
    }

    /// Bytes of a source element.
    pub fn source_size(&self) -> usize {
        self.source_size
    }

    /// Bytes of a target element.
    pub fn target_size(&self) -> usize {
        self.target_size
    }

    /// Whether a target element has members that no source element has, and that stay as they are.
    pub fn keeps_some(&self, target: &Datatype) -> bool {
        let members = |description: &message::Datatype| match &description.class {
            Class::Compound { members } => members.len(),
            _ => 0,
        };
        match (&self.step, target.description()) {
            (Step::Compound(parts), Ok(target)) => {
                let Class::Compound { members: all } = &target.class else { return true };
                let nested = |part: &Part| {
                    let member = all.iter().find(|member| member.offset as usize == part.to);
                    member.is_none_or(|member| {
                        Datatype::from_description(member.datatype.clone())
                            .map_or(true, |datatype| part.converter.keeps_some(&datatype))
                    })
                };
                parts.len() < members(&target) || parts.iter().any(nested)
            }
            (Step::Array(base), Ok(target)) => match target.class {
                Class::Array { base: of, .. } => {
                    Datatype::from_description(*of).map_or(true, |datatype| base.keeps_some(&datatype))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Converts all elements of `from`; `to` holds as many of the target, and what they keep.
    pub fn run(&self, from: &[u8], to: &mut [u8], space: &mut dyn Space) -> Result<()> {
        let count = from.len() / self.source_size.max(1);
        if from.len() != count * self.source_size || Some(to.len()) != count.checked_mul(self.target_size) {
            let (from, to) = (from.len(), to.len());
            return Err(Error::new(ErrorKind::Type, format!("{from} and {to} bytes do not hold the same elements")));
        }
        let elements = from.chunks_exact(self.source_size).zip(to.chunks_exact_mut(self.target_size));
        match &self.step {
            Step::Simple(conversion) => conversion.run(from, to)?,
            Step::Copy => to.copy_from_slice(from),
            Step::Numbers(source, target) => bits::convert(source, target, from, to),
            Step::Address { index } => {
                for (from, to) in elements {
                    let ((from, number), (to, same)) =
                        (from.split_at(from.len() - index), to.split_at_mut(to.len() - index));
                    address(from, to)?;
                    same.copy_from_slice(number);
                }
            }
            Step::Compound(parts) => {
                for (from, to) in elements {
                    for part in parts {
                        let converter = &part.converter;
                        let from = &from[part.from..part.from + converter.source_size];
                        converter.run(from, &mut to[part.to..part.to + converter.target_size], space)?;
                    }
                }
            }
            Step::Enumeration(values) => {
                for (from, to) in elements {
                    match values.get(from) {
                        Some(value) => to.copy_from_slice(value),
                        None => to.fill(0xff),
                    }
                }
            }
            Step::Array(base) => base.run(from, to, space)?,
            Step::RealPart(base) => {
                for (from, to) in elements {
                    to.fill(0);
                    base.run(&from[..base.source_size], &mut to[..base.target_size], space)?;
                }
            }
            Step::Variable { way, text, base, offset } => {
                for (from, to) in elements {
                    match way {
                        Way::ToMemory => variable_to_memory(from, to, *text, base, *offset, space)?,
                        Way::ToFile => variable_to_file(from, to, *text, base, *offset, space)?,
                    }
                }
            }
            Step::Reference { way, offset } => {
                for (from, to) in elements {
                    match way {
                        Way::ToMemory => reference_to_memory(from, to, *offset, space)?,
                        Way::ToFile => reference_to_file(from, to, *offset, space)?,
                    }
                }
            }
        }
        Ok(())
    }
}

/// Finds the conversion of one way in one file.
struct Maker {
    way: Way,
    sizes: Sizes,
}

impl Maker {
    fn make(&self, source: &message::Datatype, target: &message::Datatype) -> Result<Converter> {
        let step = self.step(source, target)?;
        Ok(Converter { step, source_size: source.size as usize, target_size: target.size as usize })
    }

    fn step(&self, source: &message::Datatype, target: &message::Datatype) -> Result<Step> {
        if source == target && !source.has_pointers() {
            return Ok(Step::Copy);
        }
        if let (Some(from), Some(to)) = (Layout::of(source), Layout::of(target)) {
            if from.converts_to(&to) {
                return Ok(simple(source, target).unwrap_or(Step::Numbers(from, to)));
            }
        }
        let offset = usize::from(self.sizes.offset);
        match (&source.class, &target.class) {
            (Class::String { .. }, Class::String { .. }) => simple(source, target),
            (Class::Compound { members: from }, Class::Compound { members: to }) => return self.compound(from, to),
            (Class::Enumeration { .. }, Class::Enumeration { .. }) => enumeration(source, target),
            (Class::Enumeration { base, .. }, Class::FixedPoint { .. } | Class::FloatingPoint(_)) => {
                return self.step(base, target);
            }
            (Class::FixedPoint { .. }, Class::Enumeration { base, .. }) => return self.step(source, base),
            (Class::Array { dims: a, base: from }, Class::Array { dims: b, base: to }) if a == b => {
                return Ok(Step::Array(Box::new(self.make(from, to)?)));
            }
            (Class::Complex { base: from }, Class::Complex { base: to }) => {
                return Ok(Step::Array(Box::new(self.make(from, to)?)));
            }
            (Class::FixedPoint { .. } | Class::FloatingPoint(_), Class::Complex { base }) => {
                return Ok(Step::RealPart(Box::new(self.make(source, base)?)));
            }
            (Class::Complex { base }, Class::FixedPoint { .. } | Class::FloatingPoint(_)) => {
                return Ok(Step::RealPart(Box::new(self.make(base, target)?)));
            }
            (Class::Complex { base }, _) => is_pair(target, base).then_some(Step::Copy),
            (_, Class::Complex { base }) => is_pair(source, base).then_some(Step::Copy),
            (Class::VariableLength { string: a, base: from }, Class::VariableLength { string: b, base: to }) => {
                let fits = match (a, b) {
                    (Some((_, a)), Some((_, b))) => a == b || *a == CharacterSet::Ascii,
                    (a, b) => a.is_none() && b.is_none(),
                };
                let (memory, file) = match self.way {
                    Way::ToMemory => (target.size, source.size),
                    Way::ToFile => (source.size, target.size),
                };
                let sized = memory == if a.is_some() { super::POINTER } else { super::SEQUENCE };
                if fits && sized && file as usize == offset + 8 {
                    let base = Box::new(match a {
                        Some(_) if from.size == 1 => Converter { step: Step::Copy, source_size: 1, target_size: 1 },
                        _ => self.make(from, to)?,
                    });
                    return Ok(Step::Variable { way: self.way, text: a.is_some(), base, offset });
                }
                None
            }
            (Class::Reference { kind: 0, .. }, Class::Reference { kind: 0, .. }) => Some(Step::Address { index: 0 }),
            (Class::Reference { kind: 1, .. }, Class::Reference { kind: 1, .. }) => {
                (source.size > 4 && target.size > 4).then_some(Step::Address { index: 4 })
            }
            (Class::Reference { kind: a @ 2.., .. }, Class::Reference { kind: b @ 2.., .. }) => {
                let (memory, file) = match self.way {
                    Way::ToMemory => (target.size, source.size),
                    Way::ToFile => (source.size, target.size),
                };
                let sized = memory == super::SEQUENCE && file as usize == offset + 10;
                (a == b && sized).then_some(Step::Reference { way: self.way, offset })
            }
            _ => None,
        }
        .ok_or_else(|| refused(source, target))
    }

    fn compound(&self, from: &[message::Member], to: &[message::Member]) -> Result<Step> {
        let by_name: HashMap<&[u8], &message::Member> = from.iter().map(|m| (m.name.as_slice(), m)).collect();
        let mut parts = Vec::new();
        for member in to {
            let Some(other) = by_name.get(member.name.as_slice()) else { continue };
            let converter = self
                .make(&other.datatype, &member.datatype)
                .map_err(|e| e.within(format_args!("member '{}'", String::from_utf8_lossy(&member.name))))?;
            parts.push(Part { from: other.offset as usize, to: member.offset as usize, converter });
        }
        Ok(Step::Compound(parts))
    }
}

#[cold]
fn refused(source: &message::Datatype, target: &message::Datatype) -> Error {
    let name = |datatype: &message::Datatype| {
        Datatype::from_description(datatype.clone()).map_or_else(|_| "a type".into(), |datatype| datatype.to_string())
    };
    Error::new(ErrorKind::Type, format!("there is no conversion from {} to {}", name(source), name(target)))
}

/// The fast conversion, where there is one.
fn simple(source: &message::Datatype, target: &message::Datatype) -> Option<Step> {
    let source = Datatype::from_description(source.clone()).ok()?;
    let target = Datatype::from_description(target.clone()).ok()?;
    Conversion::between(&source, &target).ok().map(Step::Simple)
}

/// By name; every name of the source has to be one of the target.
fn enumeration(source: &message::Datatype, target: &message::Datatype) -> Option<Step> {
    let (Class::Enumeration { names, values, .. }, Class::Enumeration { names: other_names, values: other_values, .. }) =
        (&source.class, &target.class)
    else {
        return None;
    };
    let others: HashMap<&[u8], &[u8]> =
        other_names.iter().map(Vec::as_slice).zip(other_values.chunks_exact(target.size as usize)).collect();
    let pairs = names.iter().zip(values.chunks_exact(source.size as usize));
    let table = pairs.map(|(name, value)| Some((value.into(), (*others.get(name.as_slice())?).into())));
    table.collect::<Option<HashMap<_, _>>>().map(Step::Enumeration)
}

/// Whether the type is two of `base`, side by side: an array, or a compound of a real and an imaginary part.
fn is_pair(datatype: &message::Datatype, base: &message::Datatype) -> bool {
    match &datatype.class {
        Class::Array { dims, base: of } => dims.iter().product::<u32>() == 2 && **of == *base,
        Class::Compound { members } => {
            let named = |name: &[u8], whole: &str| {
                whole.as_bytes().get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
            };
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|member| member.offset);
            matches!(&sorted[..], [real, imaginary]
                if datatype.size == 2 * base.size && real.datatype == *base && imaginary.datatype == *base
                    && named(&real.name, "real") && named(&imaginary.name, "imaginary"))
        }
        _ => false,
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// An address as another number of bytes has it.
fn address(from: &[u8], to: &mut [u8]) -> Result<()> {
    let value = number(from);
    let undefined = from.iter().all(|&byte| byte == 0xff);
    if to.len() < 8 && !undefined && value >> (8 * to.len()) != 0 {
        return Err(Error::range("address of a reference", value, format_args!("what {} bytes hold", to.len())));
    }
    to.fill(if undefined { 0xff } else { 0 });
    let count = from.len().min(to.len());
    to[..count].copy_from_slice(&from[..count]);
    Ok(())
}

/// A heap ID: the collection's address and the object's index.
pub(super) fn heap_id(bytes: &[u8], offset: usize) -> (u64, u32) {
    (number(&bytes[..offset]), number(&bytes[offset..offset + 4]) as u32)
}

pub(super) fn put_heap_id(bytes: &mut [u8], offset: usize, (address, index): (u64, u32)) {
    bytes[..offset].copy_from_slice(&address.to_le_bytes()[..offset]);
    bytes[offset..offset + 4].copy_from_slice(&index.to_le_bytes());
}

fn variable_to_memory(
    from: &[u8],
    to: &mut [u8],
    text: bool,
    base: &Converter,
    offset: usize,
    space: &mut dyn Space,
) -> Result<()> {
    let (address, index) = heap_id(&from[4..], offset);
    to.fill(0);
    if address == 0 {
        return Ok(());
    }
    let length = number(&from[..4]) as usize;
    let mut object = space.object(address, index)?;
    let needed = length.checked_mul(base.source_size).filter(|&needed| needed <= object.len());
    let Some(needed) = needed else {
        let detail = format_args!("{length} elements of {} bytes in {}", base.source_size, object.len());
        return Err(Error::corrupt("value of variable length", address, detail));
    };
    object.truncate(needed);
    if text {
        object.push(0);
        to.copy_from_slice(&space.pointers().keep(object)?.to_ne_bytes());
        return Ok(());
    }
    if length == 0 {
        return Ok(());
    }
    let mut converted = vec![0; length * base.target_size];
    base.run(&object, &mut converted, space)?;
    to[..8].copy_from_slice(&(length as u64).to_ne_bytes());
    to[8..].copy_from_slice(&space.pointers().keep(converted)?.to_ne_bytes());
    Ok(())
}

fn native(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_ne_bytes)
}

fn variable_to_file(
    from: &[u8],
    to: &mut [u8],
    text: bool,
    base: &Converter,
    offset: usize,
    space: &mut dyn Space,
) -> Result<()> {
    to.fill(0);
    let (length, object) = if text {
        let pointer = native(from);
        if pointer == 0 {
            return Ok(());
        }
        let object = space.pointers().string(pointer)?;
        (object.len(), object)
    } else {
        let (length, pointer) = (native(&from[..8]), native(&from[8..]));
        if length == 0 || pointer == 0 {
            return Ok(());
        }
        let length = u32::try_from(length).map_err(|_| Error::range("length of sequence", length, "0..4294967295"))?;
        let length = length as usize;
        let bytes = length.checked_mul(base.source_size);
        let bytes = bytes.ok_or_else(|| Error::range("length of sequence", length, "what memory holds"))?;
        let data = space.pointers().bytes(pointer, bytes)?;
        let mut converted = vec![0; length * base.target_size];
        base.run(&data, &mut converted, space)?;
        (length, converted)
    };
    let length = u32::try_from(length).map_err(|_| Error::range("length of string", length, "0..4294967295"))?;
    to[..4].copy_from_slice(&length.to_le_bytes());
    let id = space.store(&object)?;
    put_heap_id(&mut to[4..], offset, id);
    Ok(())
}

/// What begins an encoded reference: its kind and flags.
const REFERENCE_HEADER: usize = 2;

/// A reference of libhdf5 1.12 whose encoding stands in the element, and not in the heap: to an object of this file.
pub(super) fn is_inline(element: &[u8]) -> bool {
    matches!(element, [2, flags, ..] if flags & 1 == 0)
}

fn reference_to_memory(from: &[u8], to: &mut [u8], offset: usize, space: &mut dyn Space) -> Result<()> {
    to.fill(0);
    if from.iter().all(|&byte| byte == 0) {
        return Ok(());
    }
    let encoded = if is_inline(from) {
        let token = usize::from(from[REFERENCE_HEADER]) + REFERENCE_HEADER + 1;
        from.get(..token)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "a reference is longer than its element"))?
            .to_vec()
    } else {
        let size = number(&from[REFERENCE_HEADER..REFERENCE_HEADER + 4]) as usize;
        let (address, index) = heap_id(&from[REFERENCE_HEADER + 4..], offset);
        let object = space.object(address, index)?;
        let rest = object
            .get(..size)
            .ok_or_else(|| Error::corrupt("reference", address, format_args!("{size} bytes in {}", object.len())))?;
        [&from[..REFERENCE_HEADER], rest].concat()
    };
    to[..8].copy_from_slice(&(encoded.len() as u64).to_ne_bytes());
    to[8..].copy_from_slice(&space.pointers().keep(encoded)?.to_ne_bytes());
    Ok(())
}

fn reference_to_file(from: &[u8], to: &mut [u8], offset: usize, space: &mut dyn Space) -> Result<()> {
    to.fill(0);
    let (length, pointer) = (native(&from[..8]), native(&from[8..]));
    if length == 0 || pointer == 0 {
        return Ok(());
    }
    let short = || Error::new(ErrorKind::Argument, format!("{length} bytes are no encoded reference"));
    let encoded = space.pointers().bytes(pointer, usize::try_from(length).map_err(|_| short())?)?;
    let Some((header, rest)) = encoded.split_at_checked(REFERENCE_HEADER).filter(|(_, rest)| !rest.is_empty()) else {
        return Err(short());
    };
    if is_inline(&encoded) {
        let target = to.get_mut(..encoded.len()).ok_or_else(short)?;
        target.copy_from_slice(&encoded);
        return Ok(());
    }
    let size = u32::try_from(rest.len()).map_err(|_| short())?;
    to[..REFERENCE_HEADER].copy_from_slice(header);
    to[REFERENCE_HEADER..REFERENCE_HEADER + 4].copy_from_slice(&size.to_le_bytes());
    let id = space.store(rest)?;
    put_heap_id(&mut to[REFERENCE_HEADER + 4..], offset, id);
    Ok(())
}
