//! Shared messages: a reference in the place of a body (specification, IV.A.2, "Shared Message").

use crate::error::Result;
use crate::format::codec::{Reader, Writer};
use crate::format::Sizes;

/// Where a shared message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// In the file's shared message heap, under this ID.
    Heap([u8; 8]),
    /// In the object header at this address, which is a named datatype.
    Object(u64),
}

/// A use of a shared message that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LostUse {
    /// Of the message with this ID in the heap of its type.
    Heap {
        /// The message's type.
        kind: u8,
        /// Its heap ID.
        id: [u8; 8],
        /// It is an attribute whose value another message has now: what the value owns goes on being owned.
        keeps_value: bool,
    },
    /// Of a message that stood in an object header, from where it could be shared.
    Header {
        /// The message's type.
        kind: u8,
        /// The object header's address.
        address: u64,
        /// The message, perhaps with padding.
        body: Box<[u8]>,
    },
}

impl Shared {
    /// Decodes versions 1 to 3.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "shared message");
        let (version, kind) = (reader.u8()?, reader.u8()?);
        match version {
            1 => {
                reader.skip(6 + sizes.length as usize)?;
                Ok(Shared::Object(reader.address(sizes)?))
            }
            2 | 3 if version == 3 && kind == 1 => {
                let mut id = [0; 8];
                id.copy_from_slice(reader.take(8)?);
                Ok(Shared::Heap(id))
            }
            2 | 3 => Ok(Shared::Object(reader.address(sizes)?)),
            _ => Err(reader.error(format_args!("version {version}"))),
        }
    }

    /// Encodes version 3.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut writer = Writer::new();
        match self {
            Shared::Heap(id) => writer.u8(3).u8(1).bytes(id),
            Shared::Object(address) => writer.u8(3).u8(2).address(*address, sizes),
        };
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for shared in [Shared::Heap(*b"abcdefgh"), Shared::Object(0x1234)] {
            let bytes = shared.encode(Sizes::EIGHT);
            assert_eq!(Shared::decode(&bytes, Sizes::EIGHT).unwrap(), shared);
            assert!((0..bytes.len()).all(|end| Shared::decode(&bytes[..end], Sizes::EIGHT).is_err()));
        }
        let mut old = vec![1, 0, 0, 0, 0, 0, 0, 0];
        old.extend([0; 8]);
        old.extend(0x55u64.to_le_bytes());
        assert_eq!(Shared::decode(&old, Sizes::EIGHT).unwrap(), Shared::Object(0x55));
        assert!(Shared::decode(&[4, 0], Sizes::EIGHT).is_err());
    }
}
