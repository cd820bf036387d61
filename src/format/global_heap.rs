//! Global heap collections (specification, "Disk Format: Level 1E - Global Heap"): variable-length values, references
//! and the mappings of virtual datasets. They carry no checksum.

use super::codec::Reader;
use super::Sizes;
use crate::error::Result;

/// What a collection begins with.
pub const SIGNATURE: &[u8; 4] = b"GCOL";

const ALIGNMENT: u64 = 8;

/// The smallest collection; what libhdf5 makes unless an object needs more.
pub const MIN_SIZE: u64 = 4096;

/// Bytes before a collection's first object.
pub fn header_length(sizes: Sizes) -> u64 {
    (8 + u64::from(sizes.length)).next_multiple_of(8)
}

/// Bytes before an object's data: index, reference count, padding, size.
pub fn object_header(sizes: Sizes) -> u64 {
    (8 + u64::from(sizes.length)).next_multiple_of(8)
}

/// Bytes that an object of `size` bytes takes.
pub fn object_length(size: u64, sizes: Sizes) -> Option<u64> {
    size.checked_next_multiple_of(8)?.checked_add(object_header(sizes))
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

/// Writes the header of a collection that fills `bytes`.
pub fn write_header(bytes: &mut [u8], sizes: Sizes) {
    let length = (bytes.len() as u64).to_le_bytes();
    bytes[..4].copy_from_slice(SIGNATURE);
    bytes[4..8].copy_from_slice(&[1, 0, 0, 0]);
    bytes[8..8 + sizes.length as usize].copy_from_slice(&length[..sizes.length as usize]);
}

/// Writes the header of an object of `size` bytes at the beginning of `bytes`; index 0 is free space, whose size is with
/// its header.
pub fn write_object(bytes: &mut [u8], index: u16, size: u64, sizes: Sizes) {
    let header = object_header(sizes) as usize;
    bytes[..header].fill(0);
    bytes[..2].copy_from_slice(&index.to_le_bytes());
    bytes[8..8 + sizes.length as usize].copy_from_slice(&size.to_le_bytes()[..sizes.length as usize]);
}

/// Where the objects of a collection are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    /// By index: where the object's header begins, and its size; an offset of 0 means that there is none.
    pub places: Vec<(u32, u32)>,
    /// Where the free space at the end begins.
    pub free: u32,
}

/// Finds the objects of a whole collection.
pub fn parse(bytes: &[u8], sizes: Sizes) -> Result<Objects> {
    let mut reader = Reader::new(bytes, "global heap collection");
    reader.skip(header_length(sizes) as usize)?;
    let mut objects = Objects { places: vec![(0, 0)], free: bytes.len() as u32 };
    loop {
        let begin = reader.position();
        if ((bytes.len() - begin) as u64) < object_header(sizes) {
            objects.free = begin as u32;
            return Ok(objects);
        }
        let index = usize::from(reader.u16()?);
        reader.skip(6)?;
        let size = reader.length(sizes)?;
        if index == 0 {
            // Free space is one piece, the last.
            if size != (bytes.len() - begin) as u64 {
                return Err(reader.error(format_args!("{size} free bytes at {begin} of {}", bytes.len())));
            }
            objects.free = begin as u32;
            return Ok(objects);
        }
        let length = object_length(size, sizes).filter(|&length| length <= (bytes.len() - begin) as u64);
        let Some(length) = length else {
            return Err(reader.error(format_args!("an object of {size} bytes at {begin} of {}", bytes.len())));
        };
        if objects.places.len() <= index {
            objects.places.resize(index + 1, (0, 0));
        }
        if objects.places[index].0 != 0 {
            return Err(reader.error(format_args!("two objects of index {index}")));
        }
        objects.places[index] = (begin as u32, size as u32);
        reader.skip(length as usize - (reader.position() - begin))?;
    }
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
