//! Global heap collections (specification, "Disk Format: Level 1E - Global Heap"): variable-length values, references
//! and the mappings of virtual datasets. They carry no checksum.

use super::codec::Reader;
use super::Sizes;
use crate::error::Result;

/// What a collection begins with.
pub const SIGNATURE: &[u8; 4] = b"GCOL";

/// What everything in a collection stands at a multiple of.
const ALIGNMENT: u64 = 8;

/// Bytes before a collection's first object, and before what each object holds.
pub fn header_length(sizes: Sizes) -> u64 {
    (8 + u64::from(sizes.length)).next_multiple_of(ALIGNMENT)
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

/// What object `index` of a whole collection holds.
pub fn object(collection: &[u8], index: u32, sizes: Sizes) -> Result<&[u8]> {
    let mut reader = Reader::new(collection, "global heap collection");
    reader.skip(header_length(sizes) as usize)?;
    let missing = format_args!("it has no object {index}");
    while reader.remaining() >= header_length(sizes) as usize {
        let number = u32::from(reader.u16()?);
        reader.skip(6)?;
        let length = usize::try_from(reader.length(sizes)?).unwrap_or(usize::MAX);
        reader.skip(header_length(sizes) as usize - 8 - usize::from(sizes.length))?;
        // Object 0 is the free space at the end.
        if number == 0 {
            break;
        }
        let object = reader.take(length)?;
        if number == index {
            return Ok(object);
        }
        reader.skip(reader.remaining().min(length.next_multiple_of(ALIGNMENT as usize) - length))?;
    }
    Err(reader.error(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_by_number() {
        let mut collection = b"GCOL\x01\0\0\0".to_vec();
        collection.extend(80u64.to_le_bytes());
        for (number, text) in [(1u16, "abc"), (3, "12345678")] {
            collection.extend(number.to_le_bytes());
            collection.extend([1, 0, 0, 0, 0, 0]);
            collection.extend((text.len() as u64).to_le_bytes());
            collection.extend(text.as_bytes());
            collection.resize(collection.len().next_multiple_of(8), 0);
        }
        collection.resize(80, 0);
        let sizes = Sizes::EIGHT;
        assert_eq!(parse_length(&collection, sizes).unwrap(), 80);
        assert_eq!(object(&collection, 1, sizes).unwrap(), b"abc");
        assert_eq!(object(&collection, 3, sizes).unwrap(), b"12345678");
        assert!([0, 2, 4].iter().all(|&index| object(&collection, index, sizes).is_err()));
        assert!((0..60).all(|end| object(&collection[..end], 3, sizes).is_err()));
    }
}
