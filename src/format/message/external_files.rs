//! The External Data Files message (specification, IV.A.2.h): raw data in other files.

use crate::error::Result;
use crate::format::codec::{Reader, Writer};
use crate::format::{Sizes, UNDEFINED};

/// The size of an external file that takes all that is left.
pub const UNLIMITED: u64 = u64::MAX;

/// The same in a file with lengths of so many bytes: all of their bits are set.
pub fn unlimited(sizes: Sizes) -> u64 {
    match sizes.length {
        8.. => UNLIMITED,
        bytes => (1 << (8 * bytes)) - 1,
    }
}

/// The external files of a dataset. Their names are in a local heap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalFiles {
    /// The local heap of the names.
    pub heap: u64,
    /// The files, in order.
    pub slots: Vec<Slot>,
}

/// One external file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Where its name begins in the local heap.
    pub name_offset: u64,
    /// Where the data begin in it.
    pub offset: u64,
    /// How many bytes it holds; all bits set for any number.
    pub size: u64,
}

impl ExternalFiles {
    /// Decodes version 1.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "external files message");
        let version = reader.u8()?;
        reader.skip(3)?;
        let (allocated, used) = (reader.u16()?, reader.u16()?);
        let heap = reader.address(sizes)?;
        if version != 1 || used > allocated || heap == UNDEFINED {
            return Err(reader.error(format_args!("version {version}, {used} of {allocated} slots, heap {heap:#x}")));
        }
        // No allocation by the stored count: the bytes that are there bound it.
        let mut slots = Vec::new();
        for _ in 0..used {
            let (name_offset, offset) = (reader.length(sizes)?, reader.length(sizes)?);
            slots.push(Slot { name_offset, offset, size: reader.length(sizes)? });
        }
        Ok(ExternalFiles { heap, slots })
    }

    /// Encodes version 1. The numbers fit the file's lengths.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut writer = Writer::new();
        let count = self.slots.len() as u16;
        writer.u32(1).u16(count).u16(count).address(self.heap, sizes);
        for slot in &self.slots {
            writer.length(slot.name_offset, sizes).length(slot.offset, sizes).length(slot.size, sizes);
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_bounded_by_the_bytes() {
        let mut bytes = vec![1, 0, 0, 0, 1, 0, 1, 0];
        for value in [0x400u64, 8, 0, 4096] {
            bytes.extend(value.to_le_bytes());
        }
        let files = ExternalFiles::decode(&bytes, Sizes::EIGHT).unwrap();
        assert_eq!(files.slots, [Slot { name_offset: 8, offset: 0, size: 4096 }]);
        assert_eq!(files.encode(Sizes::EIGHT), bytes);
        assert!((0..bytes.len()).all(|end| ExternalFiles::decode(&bytes[..end], Sizes::EIGHT).is_err()));
        bytes[6] = 2;
        assert!(ExternalFiles::decode(&bytes, Sizes::EIGHT).is_err());
    }
}
