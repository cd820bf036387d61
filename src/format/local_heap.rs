//! The local heap's header (specification, "Disk Format: Level 1D - Local Heaps"): names of external files.

use super::codec::Reader;
use super::Sizes;
use crate::error::Result;

/// A local heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalHeap {
    /// Bytes of the data segment.
    pub size: u64,
    /// The address of the data segment.
    pub data: u64,
}

impl LocalHeap {
    /// Bytes of the header in the file.
    pub fn length(sizes: Sizes) -> u64 {
        8 + 2 * u64::from(sizes.length) + u64::from(sizes.offset)
    }

    /// Reads the header.
    pub fn parse(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "local heap");
        reader.signature(b"HEAP")?;
        let version = reader.u8()?;
        if version != 0 {
            return Err(reader.error(format_args!("version {version}")));
        }
        reader.skip(3)?;
        let size = reader.length(sizes)?;
        reader.length(sizes)?;
        Ok(LocalHeap { size, data: reader.address(sizes)? })
    }
}
