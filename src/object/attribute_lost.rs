//! What goes with an attribute that is replaced or deleted.

use crate::error::{Error, Result};
use crate::format::message::attribute::{Attribute, DATATYPE_SHARED};
use crate::format::message::shared::Shared;
use crate::format::Sizes;

/// The address of a committed datatype that lost a reference.
pub(super) type Released = Option<u64>;

/// What an attribute that is gone referred to.
#[derive(Default)]
pub(super) struct Lost {
    /// A committed datatype.
    pub committed: Released,
    /// The message, where its value may own objects of the global heap.
    pub message: Option<Box<[u8]>>,
}

/// What the attribute in this message refers to.
#[inline]
pub(super) fn lost(message: &[u8], sizes: Sizes) -> Result<Lost> {
    let committed = committed(message, sizes)?;
    // Attributes are replaced by the million: the class is looked up where it stands.
    let class = match message {
        [3, 0, low, high, ..] => message.get(9 + usize::from(u16::from_le_bytes([*low, *high]))).copied(),
        _ => Attribute::decode(message)?.datatype.first().copied(),
    };
    let owns = committed.is_some() || class.is_some_and(|class| matches!(class & 0x0f, 6 | 7 | 9 | 10));
    Ok(Lost { committed, message: owns.then(|| message.into()) })
}

/// The committed datatype that an attribute message refers to.
#[inline]
pub(super) fn committed(message: &[u8], sizes: Sizes) -> Result<Released> {
    match message {
        [version, flags, ..] if *version >= 2 && flags & DATATYPE_SHARED != 0 => {
            match Shared::decode(Attribute::decode(message)?.datatype, sizes)? {
                Shared::Object(address) => Ok(Some(address)),
                Shared::Heap(_) => Err(Error::unsupported("a datatype in the shared object header message heap")),
            }
        }
        _ => Ok(None),
    }
}
