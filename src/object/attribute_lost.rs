//! What goes with an attribute that is replaced or deleted.

use crate::error::Result;
use crate::format::message::attribute::{Attribute, DATASPACE_SHARED, DATATYPE_SHARED};
use crate::format::message::kind;
use crate::format::message::shared::{LostUse, Shared};
use crate::format::Sizes;
use crate::heap::shared;
use crate::store::Store;

/// The address of a committed datatype that lost a reference.
pub(super) type Released = Option<u64>;

/// What an attribute that is gone referred to.
#[derive(Default)]
pub(super) struct Lost {
    /// A committed datatype.
    pub committed: Released,
    /// The message, where its value may own objects of the global heap, or parts of it are shared.
    pub message: Option<Box<[u8]>>,
}

/// What the attribute in this message refers to.
#[inline]
pub(super) fn lost(message: &[u8], sizes: Sizes) -> Result<Lost> {
    // Attributes are deleted by the million: the class is looked up where it stands.
    let class = match message {
        [3, 0, low, high, ..] => message.get(9 + usize::from(u16::from_le_bytes([*low, *high]))).copied(),
        _ => Attribute::decode(message)?.datatype.first().copied(),
    };
    match class.is_some_and(|class| matches!(class & 0x0f, 6 | 7 | 9 | 10)) || has_references(message) {
        true => lost_something(message, sizes),
        false => Ok(Lost::default()),
    }
}

#[cold]
fn lost_something(message: &[u8], sizes: Sizes) -> Result<Lost> {
    Ok(Lost { committed: committed(message, sizes)?, message: Some(message.into()) })
}

/// The committed datatype that an attribute message refers to.
#[inline]
pub(super) fn committed(message: &[u8], sizes: Sizes) -> Result<Released> {
    match message {
        [version, flags, ..] if *version >= 2 && flags & DATATYPE_SHARED != 0 => {
            match Shared::decode(Attribute::decode(message)?.datatype, sizes)? {
                Shared::Object(address) => Ok(Some(address)),
                Shared::Heap(_) => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// Whether the datatype or the dataspace in the message is a reference.
#[inline]
pub(super) fn has_references(message: &[u8]) -> bool {
    matches!(message, [2 | 3, flags, ..] if flags & (DATATYPE_SHARED | DATASPACE_SHARED) != 0)
}

/// The heap IDs of the message's datatype and dataspace, as far as they stand in the shared message heap.
fn parts(attribute: &Attribute<'_>, sizes: Sizes) -> Result<[Option<[u8; 8]>; 2]> {
    let id = |flag, part| match attribute.flags & flag {
        0 => Ok(None),
        _ => Ok(match Shared::decode(part, sizes)? {
            Shared::Heap(id) => Some(id),
            Shared::Object(_) => None,
        }),
    };
    Ok([id(DATATYPE_SHARED, attribute.datatype)?, id(DATASPACE_SHARED, attribute.dataspace)?])
}

/// The uses of shared messages that are gone with an attribute message.
pub(super) fn lost_uses(message: &[u8], sizes: Sizes) -> Result<impl Iterator<Item = LostUse>> {
    let parts = match has_references(message) {
        true => parts(&Attribute::decode(message)?, sizes)?,
        false => [None, None],
    };
    let kinds = [kind::DATATYPE, kind::DATASPACE];
    Ok(kinds
        .into_iter()
        .zip(parts)
        .filter_map(|(kind, id)| id.map(|id| LostUse::Heap { kind, id, keeps_value: false })))
}

/// The attribute message with the parts in it that stand in the shared message heap. A committed datatype stays one.
pub(super) fn with_parts(store: &mut Store, message: &[u8]) -> Result<Vec<u8>> {
    let attribute = Attribute::decode(message)?;
    let [datatype, dataspace] = parts(&attribute, store.sizes())?;
    let datatype = datatype.map(|id| shared::read(store, kind::DATATYPE, &id)).transpose()?;
    let dataspace = dataspace.map(|id| shared::read(store, kind::DATASPACE, &id)).transpose()?;
    let mut whole = attribute;
    if let Some(datatype) = &datatype {
        whole.flags &= !DATATYPE_SHARED;
        whole.datatype = datatype;
    }
    if let Some(dataspace) = &dataspace {
        whole.flags &= !DATASPACE_SHARED;
        whole.dataspace = dataspace;
    }
    let mut out = Vec::new();
    whole.encode(&mut out)?;
    Ok(out)
}
