//! Global heap collections (specification, "Disk Format: Level 1E - Global Heap"): variable-length values, references
//! and the mappings of virtual datasets. They carry no checksum.

use super::codec::Reader;
use super::Sizes;
use crate::error::Result;

/// What a collection begins with.
pub const SIGNATURE: &[u8; 4] = b"GCOL";

/// Bytes before a collection's first object.
pub fn header_length(sizes: Sizes) -> u64 {
    8 + u64::from(sizes.length)
}

/// The bytes that the collection whose header begins `bytes` has in the file.
pub fn parse_length(bytes: &[u8], sizes: Sizes) -> Result<u64> {
    let mut reader = Reader::new(bytes, "global heap collection");
    reader.signature(SIGNATURE)?;
    let version = reader.u8()?;
    reader.skip(3)?;
    let length = reader.length(sizes)?;
    if version != 1 || length < header_length(sizes) {
        return Err(reader.error(format_args!("version {version}, {length} bytes")));
    }
    Ok(length)
}
