//! An attribute's message as a value with a type and a shape: encoding what a user writes, describing what is stored.

use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::attribute::{Attribute, DATASPACE_SHARED, DATATYPE_SHARED};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::shared::Shared;
use crate::format::Sizes;

/// The most dimensions that the format allows.
pub(super) const MAX_RANK: usize = 32;

/// An attribute, described.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeInfo {
    /// The datatype in the file.
    pub datatype: Datatype,
    /// The dimensions; empty for a scalar.
    pub dims: Vec<u64>,
    /// The dataspace is null: there is no value.
    pub is_null: bool,
    /// Bytes of the value in the file.
    pub storage_size: u64,
    /// The creation order, where it is tracked.
    pub creation_order: Option<u32>,
}

/// The datatype of a stored attribute.
pub(super) enum TypeOf {
    /// It stands in the message.
    Own(Datatype),
    /// It is the committed datatype whose object header is at this address.
    Committed(u64),
}

/// Elements that dimensions make, checked against overflow.
pub(super) fn elements(dims: &[u64]) -> Result<u64> {
    if dims.contains(&0) {
        return Ok(0);
    }
    let product = dims.iter().try_fold(1u64, |n, &dim| n.checked_mul(dim));
    product.ok_or_else(|| Error::range("number of elements", format_args!("of {dims:?}"), "0..=2^64-1"))
}

/// Bytes of `count` elements of a type.
pub(super) fn value_size(count: u64, datatype: &Datatype) -> Result<usize> {
    let size = count.checked_mul(datatype.size() as u64).filter(|&size| size <= isize::MAX as u64);
    size.map(|size| size as usize)
        .ok_or_else(|| Error::range("value size", format_args!("of {count} x {datatype}"), "0..2^63 bytes"))
}

/// What an attribute is to be.
pub(super) struct NewValue<'a> {
    /// The type, in its form in the file.
    pub datatype: &'a Datatype,
    /// The named datatype that is shared.
    pub committed: Option<u64>,
    /// `None` for a null dataspace, empty for a scalar.
    pub dims: Option<&'a [u64]>,
    /// The elements, as the file has them.
    pub data: &'a [u8],
}

/// Encodes an attribute into `out`.
#[inline]
pub(super) fn encode(out: &mut Vec<u8>, name: &[u8], value: &NewValue<'_>, sizes: Sizes) -> Result<()> {
    let mut space = [0u8; 4 + 8 * MAX_RANK];
    let dataspace = encode_dataspace(&mut space, value.dims, sizes)?;
    let needed = match value.dims {
        Some(dims) => value_size(elements(dims)?, value.datatype)?,
        None => 0,
    };
    let Some(data) = value.data.get(..needed) else {
        let message = format!("the value has {needed} bytes, {} were given", value.data.len());
        return Err(Error::new(ErrorKind::TooSmall, message));
    };
    let shared = value.committed.map(|address| Shared::Object(address).encode(sizes));
    let length = shared.as_ref().map_or_else(|| value.datatype.message_size(), Vec::len);
    if length > usize::from(u16::MAX) {
        return Err(Error::new(ErrorKind::Limit, format!("a datatype message of {length} bytes is longer than 65535")));
    }
    // Version 3 of the message; written here and not by `Attribute`, so that the datatype needs no buffer of its own.
    out.clear();
    out.extend_from_slice(&[3, if shared.is_some() { DATATYPE_SHARED } else { 0 }]);
    for length in [name.len() + 1, length, dataspace.len()] {
        out.extend_from_slice(&(length as u16).to_le_bytes());
    }
    out.push(u8::from(!name.is_ascii()));
    out.extend_from_slice(name);
    out.push(0);
    match shared {
        Some(shared) => out.extend_from_slice(&shared),
        None => value.datatype.append_message(out),
    }
    out.extend_from_slice(dataspace);
    out.extend_from_slice(data);
    Ok(())
}

/// A version 2 dataspace message on the stack.
fn encode_dataspace<'a>(space: &'a mut [u8; 4 + 8 * MAX_RANK], dims: Option<&[u64]>, sizes: Sizes) -> Result<&'a [u8]> {
    space[0] = 2;
    let Some(dims) = dims else {
        space[3] = 2;
        return Ok(&space[..4]);
    };
    if dims.len() > MAX_RANK {
        return Err(Error::range("rank", dims.len(), format_args!("0..={MAX_RANK}")));
    }
    space[1] = dims.len() as u8;
    space[3] = u8::from(!dims.is_empty());
    let width = sizes.length as usize;
    for (index, &dim) in dims.iter().enumerate() {
        if width < 8 && dim >> (8 * width) != 0 {
            return Err(Error::range("dimension", dim, format_args!("what {width} bytes hold, this file's lengths")));
        }
        space[4 + index * width..4 + (index + 1) * width].copy_from_slice(&dim.to_le_bytes()[..width]);
    }
    Ok(&space[..4 + dims.len() * width])
}

/// Encodes the attribute in `message` under another name.
pub(super) fn renamed(out: &mut Vec<u8>, message: &[u8], name: &[u8]) -> Result<()> {
    out.clear();
    let attribute = Attribute::decode(message)?;
    Attribute { name, utf8: attribute.utf8 || !name.is_ascii(), ..attribute }.encode(out)
}

/// The datatype of a stored attribute.
pub(super) fn type_of(attribute: &Attribute<'_>, sizes: Sizes) -> Result<TypeOf> {
    if attribute.flags & DATATYPE_SHARED == 0 {
        return Datatype::from_message(attribute.datatype).map(TypeOf::Own);
    }
    match Shared::decode(attribute.datatype, sizes)? {
        Shared::Object(address) => Ok(TypeOf::Committed(address)),
        Shared::Heap(_) => Err(Error::internal("an attribute's datatype was not read from the shared message heap")),
    }
}

/// Describes a stored attribute whose type is known.
pub(super) fn describe(
    attribute: &Attribute<'_>,
    datatype: &Datatype,
    creation_order: Option<u32>,
    sizes: Sizes,
) -> Result<AttributeInfo> {
    if attribute.flags & DATASPACE_SHARED != 0 {
        return Err(Error::unsupported("an attribute's dataspace in another object header"));
    }
    let dataspace = Dataspace::decode(attribute.dataspace, sizes)?;
    let count = match dataspace {
        Dataspace::Null => 0,
        _ => elements(dataspace.dims())?,
    };
    let size = value_size(count, datatype)?;
    if attribute.data.len() < size {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!("attribute message is damaged: a value of {size} bytes in {}", attribute.data.len()),
        ));
    }
    Ok(AttributeInfo {
        datatype: datatype.clone(),
        dims: dataspace.dims().to_vec(),
        is_null: dataspace == Dataspace::Null,
        storage_size: size as u64,
        creation_order,
    })
}
