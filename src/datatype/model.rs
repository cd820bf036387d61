//! Making types of every class, and a type's form in memory and in a file.
//!
//! In memory a string of variable length is a pointer (8 bytes), a sequence and a new reference are a length and a pointer
//! (16 bytes), and an object reference is an address (8 bytes). In a file, the first three are a length and a heap ID. A
//! user's types have the form in memory; [`Datatype::to_file`] and [`Datatype::to_memory`] give the other one, with the
//! members of compounds moved by what those before them grow or shrink, as in libhdf5.

use super::message::{self, Bits, ByteOrder, CharacterSet, Class, Float, Member, StringPadding};
use super::{Datatype, Number, Repr};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Sizes;

/// Bytes of a pointer to a string.
pub const POINTER: u32 = 8;
/// Bytes of a length and a pointer.
pub const SEQUENCE: u32 = 16;
/// The longest tag of an opaque type.
pub const MAX_TAG: usize = 248;
/// The most members of a compound or enumeration.
const MAX_MEMBERS: usize = 65_535;

/// What a reference refers to, and how (specification IV.A.2.d, "Reference").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceKind {
    /// An object, by its address.
    Object = 0,
    /// A part of a dataset, in the global heap.
    Region = 1,
    /// An object, in the encoding of libhdf5 1.12.
    StandardObject = 2,
    /// A part of a dataset, in the encoding of libhdf5 1.12.
    StandardRegion = 3,
    /// An attribute, in the encoding of libhdf5 1.12.
    StandardAttribute = 4,
}

fn argument(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Argument, message.to_string())
}

impl Datatype {
    /// The type that a description means.
    pub fn from_description(description: message::Datatype) -> Result<Self> {
        Datatype::from_message(&description.raw)
    }

    /// The whole description.
    pub fn description(&self) -> Result<message::Datatype> {
        match &self.0 {
            Repr::Described(description) => Ok(message::Datatype::clone(description)),
            _ => message::Datatype::decode(&self.to_message()),
        }
    }

    fn described(class: Class, size: u32) -> Result<Self> {
        let description = message::Datatype::new(class, size);
        match message::Datatype::decode(&description.raw) {
            Ok(decoded) if decoded == description => Self::from_description(decoded),
            // What is being built: a compound or enumeration without members.
            _ if description.is_empty_record() => Ok(Datatype(Repr::Described(description.into()))),
            Ok(_) => Err(argument("the type cannot be described exactly")),
            Err(e) => Err(argument(e.message())),
        }
    }

    fn nested(&self) -> Result<message::Datatype> {
        let description = self.description()?;
        if description.is_empty_record() {
            return Err(argument(format_args!("an {self} has no members yet and cannot be used")));
        }
        Ok(description)
    }

    /// An integer of `size` bytes, whose value is in the bits that `bits` says.
    pub fn integer(size: u32, signed: bool, bits: Bits) -> Result<Self> {
        check_bits(size, &bits)?;
        Self::described(Class::FixedPoint { bits, signed }, size)
    }

    /// A bit field of `size` bytes.
    pub fn bit_field(size: u32, bits: Bits) -> Result<Self> {
        check_bits(size, &bits)?;
        Self::described(Class::BitField(bits), size)
    }

    /// A float of `size` bytes with these fields.
    pub fn float(size: u32, float: Float) -> Result<Self> {
        check_bits(size, &float.bits)?;
        Self::described(Class::FloatingPoint(float), size)
    }

    /// A complex number of two parts of this float type.
    pub fn complex(base: &Datatype) -> Result<Self> {
        let base = base.nested()?;
        if !matches!(base.class, Class::FloatingPoint(_)) {
            return Err(argument("the parts of a complex number are floats"));
        }
        let size = base.size * 2;
        Self::described(Class::Complex { base: Box::new(base) }, size)
    }

    /// A time of `precision` bits, 32 or 64: seconds since 1970.
    pub fn time(precision: u16, order: ByteOrder) -> Result<Self> {
        if precision != 32 && precision != 64 {
            return Err(Error::range("bits of a time", precision, "32 or 64"));
        }
        Self::described(Class::Time { order, precision }, u32::from(precision) / 8)
    }

    /// A string of variable length: in memory a pointer to it.
    pub fn variable_string(padding: StringPadding, charset: CharacterSet) -> Result<Self> {
        let base = Datatype::little(Number::U8).description()?;
        Self::described(Class::VariableLength { string: Some((padding, charset)), base: Box::new(base) }, POINTER)
    }

    /// A sequence of variable length of elements of `base`: in memory a length and a pointer.
    pub fn sequence(base: &Datatype) -> Result<Self> {
        Self::described(Class::VariableLength { string: None, base: Box::new(base.nested()?) }, SEQUENCE)
    }

    /// Bytes with a tag that says what they are.
    pub fn opaque(size: u32, tag: &str) -> Result<Self> {
        if size == 0 {
            return Err(Error::range("opaque size", 0, "1..4294967295 bytes"));
        }
        if tag.len() > MAX_TAG || tag.contains('\0') {
            let message = format!("the tag has {} bytes; at most {MAX_TAG} without NUL are accepted", tag.len());
            return Err(argument(message));
        }
        Self::described(Class::Opaque { tag: tag.into() }, size)
    }

    /// An array of elements of `base`: 1 to 32 dimensions, none of them 0.
    pub fn array(base: &Datatype, dims: &[u32]) -> Result<Self> {
        let base = base.nested()?;
        if dims.is_empty() || dims.len() > message_rank() {
            return Err(Error::range("array rank", dims.len(), format_args!("1..{}", message_rank())));
        }
        let size = dims.iter().try_fold(base.size, |size, &dim| size.checked_mul(dim)).filter(|&size| size > 0);
        let size =
            size.ok_or_else(|| Error::range("array of dimensions", format_args!("{dims:?}"), "1..2^32-1 bytes"))?;
        Self::described(Class::Array { dims: dims.to_vec(), base: Box::new(base) }, size)
    }

    /// A reference.
    pub fn reference(kind: ReferenceKind) -> Result<Self> {
        let size = match kind {
            ReferenceKind::Object => POINTER,
            ReferenceKind::Region => 12,
            _ => SEQUENCE,
        };
        let version = u8::from(kind as u8 > 1);
        Self::described(Class::Reference { kind: kind as u8, version }, size)
    }

    /// A compound of `size` bytes without members; [`with_member`](Self::with_member) adds them.
    pub fn compound(size: u32) -> Result<Self> {
        if size == 0 {
            return Err(Error::range("compound size", 0, "1..4294967295 bytes"));
        }
        Self::described(Class::Compound { members: Vec::new() }, size)
    }

    /// The compound with one more member, which overlaps no other and lies within its size.
    pub fn with_member(&self, name: &str, offset: u64, datatype: &Datatype) -> Result<Self> {
        let mut description = self.description()?;
        let size = description.size;
        let Class::Compound { members } = &mut description.class else {
            return Err(Error::new(ErrorKind::Type, format!("a compound is needed, this is {self}")));
        };
        check_name(name, members.iter().map(|member| member.name.as_slice()), members.len())?;
        let datatype = datatype.nested()?;
        let end = offset.checked_add(u64::from(datatype.size)).filter(|&end| end <= u64::from(size));
        let Some(end) = end else {
            let message = format!("member '{name}' of {} bytes at {offset} does not fit in {size}", datatype.size);
            return Err(Error::new(ErrorKind::Range, message));
        };
        let begin = |member: &Member| u64::from(member.offset);
        let overlaps = |m: &&Member| begin(m) < end && offset < begin(m) + u64::from(m.datatype.size);
        if let Some(other) = members.iter().find(overlaps) {
            let other = String::from_utf8_lossy(&other.name);
            return Err(Error::new(ErrorKind::Range, format!("member '{name}' at {offset} overlaps member '{other}'")));
        }
        members.push(Member { name: name.into(), offset: offset as u32, datatype });
        Self::described(description.class, size)
    }

    /// An enumeration that this integer type stores, without names; [`with_value`](Self::with_value) adds them.
    pub fn enumeration(base: &Datatype) -> Result<Self> {
        let base = base.nested()?;
        if !matches!(base.class, Class::FixedPoint { .. }) {
            return Err(argument("the base of an enumeration is an integer"));
        }
        let size = base.size;
        let class = Class::Enumeration { base: Box::new(base), names: Vec::new(), values: Vec::new() };
        Self::described(class, size)
    }

    /// The enumeration with one more name for a value, an element of its base; neither is there yet.
    pub fn with_value(&self, name: &str, value: &[u8]) -> Result<Self> {
        let mut description = self.description()?;
        let size = description.size;
        let Class::Enumeration { names, values, .. } = &mut description.class else {
            return Err(Error::new(ErrorKind::Type, format!("an enumeration is needed, this is {self}")));
        };
        check_name(name, names.iter().map(Vec::as_slice), names.len())?;
        if value.len() != size as usize {
            return Err(argument(format_args!("a value has {size} bytes, this one has {}", value.len())));
        }
        if let Some(index) = values.chunks_exact(value.len()).position(|other| other == value) {
            let other = String::from_utf8_lossy(&names[index]);
            return Err(Error::new(ErrorKind::Exists, format!("the value of '{name}' is that of '{other}' already")));
        }
        names.push(name.into());
        values.extend_from_slice(value);
        Self::described(description.class, size)
    }

    /// Fails where no element of the type can be: a compound without members.
    pub fn check_complete(&self) -> Result<()> {
        match &self.0 {
            Repr::Described(_) => self.nested().map(|_| ()),
            _ => Ok(()),
        }
    }

    /// The form in a file with offsets of this size.
    pub fn to_file(&self, sizes: Sizes) -> Result<Self> {
        let id = u32::from(sizes.offset) + 8;
        self.resized(&|class| match class {
            Class::VariableLength { .. } => Some(id),
            Class::Reference { kind: 0, .. } => Some(u32::from(sizes.offset)),
            Class::Reference { kind: 1, .. } => Some(u32::from(sizes.offset) + 4),
            Class::Reference { .. } => Some(id + 2),
            _ => None,
        })
    }

    /// The form in memory.
    pub fn to_memory(&self) -> Result<Self> {
        self.resized(&|class| match class {
            Class::VariableLength { string: Some(_), .. } => Some(POINTER),
            Class::VariableLength { string: None, .. } => Some(SEQUENCE),
            Class::Reference { kind: 0, .. } => Some(POINTER),
            Class::Reference { kind: 1, .. } => Some(12),
            Class::Reference { .. } => Some(SEQUENCE),
            _ => None,
        })
    }

    fn resized(&self, size: &dyn Fn(&Class) -> Option<u32>) -> Result<Self> {
        match &self.0 {
            Repr::Described(description) => match resized(description, size)? {
                Some(description) => Ok(Datatype(Repr::Described(description.into()))),
                None => Ok(self.clone()),
            },
            _ => Ok(self.clone()),
        }
    }
}

fn message_rank() -> usize {
    crate::format::message::dataspace::MAX_RANK
}

fn check_bits(size: u32, bits: &Bits) -> Result<()> {
    let total = 8 * u64::from(size);
    if size == 0 || bits.precision == 0 || u64::from(bits.offset) + u64::from(bits.precision) > total {
        let message = format!("{} bits at bit {} do not fit in {size} bytes", bits.precision, bits.offset);
        return Err(Error::new(ErrorKind::Range, message));
    }
    Ok(())
}

fn check_name<'a>(name: &str, mut others: impl Iterator<Item = &'a [u8]>, count: usize) -> Result<()> {
    if name.is_empty() || name.contains('\0') {
        return Err(argument(format_args!("'{}' is no name of a member", name.escape_debug())));
    }
    if others.any(|other| other == name.as_bytes()) {
        return Err(Error::new(ErrorKind::Exists, format!("there is a member '{name}' already")));
    }
    if count == MAX_MEMBERS {
        return Err(Error::new(ErrorKind::Limit, format!("a type has at most {MAX_MEMBERS} members")));
    }
    Ok(())
}

/// The description with other sizes where `size` says so; `None` when nothing changes.
fn resized(from: &message::Datatype, size: &dyn Fn(&Class) -> Option<u32>) -> Result<Option<message::Datatype>> {
    let too_large = || Error::new(ErrorKind::Limit, "an element of the type is larger than 4294967295 bytes");
    let remade = |class, size| Ok(Some(message::Datatype::new(class, size)));
    match &from.class {
        Class::VariableLength { string, base } => {
            let new_size = size(&from.class).unwrap_or(from.size);
            match resized(base, size)? {
                Some(base) => remade(Class::VariableLength { string: *string, base: Box::new(base) }, new_size),
                None if new_size == from.size => Ok(None),
                None => remade(from.class.clone(), new_size),
            }
        }
        Class::Array { dims, base } => {
            let Some(base) = resized(base, size)? else { return Ok(None) };
            let total = dims.iter().try_fold(base.size, |size, &dim| size.checked_mul(dim)).ok_or_else(too_large)?;
            remade(Class::Array { dims: dims.clone(), base: Box::new(base) }, total)
        }
        Class::Compound { members } => {
            let new: Vec<_> = members.iter().map(|member| resized(&member.datatype, size)).collect::<Result<_>>()?;
            if new.iter().all(Option::is_none) {
                return Ok(None);
            }
            let mut order: Vec<usize> = (0..members.len()).collect();
            order.sort_by_key(|&index| members[index].offset);
            let (mut grown, mut moved) = (0i64, members.clone());
            for index in order {
                let member = &mut moved[index];
                member.offset = u32::try_from(i64::from(member.offset) + grown).map_err(|_| too_large())?;
                if let Some(datatype) = &new[index] {
                    grown += i64::from(datatype.size) - i64::from(member.datatype.size);
                    member.datatype = datatype.clone();
                }
            }
            let total = u32::try_from(i64::from(from.size) + grown).map_err(|_| too_large())?;
            remade(Class::Compound { members: moved }, total)
        }
        class => match size(class) {
            Some(size) if size != from.size => remade(class.clone(), size),
            _ => Ok(None),
        },
    }
}
