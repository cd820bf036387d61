//! References as they are encoded (specification IV.A.2.d "Reference", and "Appendix D: Encoding for Dataspace and
//! Reference"): those of before libhdf5 1.12 to a region, and those since then.

use super::codec::Reader;
use super::selection::Selected;
use super::Sizes;
use crate::error::{Error, Result};

/// What a reference refers to, besides its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The object itself.
    Whole,
    /// Elements of a dataset.
    Region(Selected),
    /// The attribute of this name.
    Attribute(Vec<u8>),
}

/// Numbers of the encoding since libhdf5 1.12.
const OBJECT: u8 = 2;
const REGION: u8 = 3;
const ATTRIBUTE: u8 = 4;

/// Flag: the object is in another file, whose name follows.
const IN_OTHER_FILE: u8 = 1;

/// What the heap object of a region reference of before libhdf5 1.12 holds.
pub fn encode_old_region(address: u64, selection: &[u8], sizes: Sizes) -> Vec<u8> {
    [&address.to_le_bytes()[..usize::from(sizes.offset)], selection].concat()
}

/// The address and the region in such a heap object.
pub fn decode_old_region(bytes: &[u8], sizes: Sizes) -> Result<(u64, Selected)> {
    let mut reader = Reader::new(bytes, "region reference");
    Ok((reader.address(sizes)?, Selected::read(&mut reader)?))
}

/// A reference as libhdf5 encodes it since 1.12. `rank` is that of the dataset.
pub fn encode(address: u64, part: &Part, rank: usize, sizes: Sizes) -> Result<Vec<u8>> {
    let kind = match part {
        Part::Whole => OBJECT,
        Part::Region(_) => REGION,
        Part::Attribute(_) => ATTRIBUTE,
    };
    let mut bytes = vec![kind, 0, sizes.offset];
    bytes.extend_from_slice(&address.to_le_bytes()[..usize::from(sizes.offset)]);
    match part {
        Part::Whole => {}
        Part::Region(selected) => {
            let selection = selected.encode(rank)?;
            bytes.extend_from_slice(&(selection.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&(rank as u32).to_le_bytes());
            bytes.extend_from_slice(&selection);
        }
        Part::Attribute(name) => {
            let too_long = |_| Error::range("length of an attribute's name", name.len(), "1..65535 bytes");
            bytes.extend_from_slice(&u16::try_from(name.len()).map_err(too_long)?.to_le_bytes());
            bytes.extend_from_slice(name);
        }
    }
    Ok(bytes)
}

/// The same reference, which is of the file of that name, as it stands in another file.
pub fn encode_outside(bytes: &[u8], file: &[u8]) -> Result<Vec<u8>> {
    let long = |_| Error::range("length of a file's name in a reference", file.len(), "0..65535 bytes");
    let length = u16::try_from(file.len()).map_err(long)?.to_le_bytes();
    let token = bytes.get(2).map_or(0, |&token| 3 + usize::from(token));
    match bytes.split_at_checked(token) {
        Some(([kind, flags, token @ ..], part)) => {
            Ok([&[*kind, flags | IN_OTHER_FILE][..], token, &length, file, part].concat())
        }
        _ => Err(Error::internal("a reference without a token")),
    }
}

/// What such a reference says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The name of the file, if that is another one.
    pub file: Option<Vec<u8>>,
    /// Bytes of the file's addresses.
    pub offset: u8,
    /// The address of the object.
    pub address: u64,
    /// What is referred to.
    pub part: Part,
}

/// What a reference says as libhdf5 encodes it since 1.12.
pub fn decode(bytes: &[u8]) -> Result<Decoded> {
    let mut reader = Reader::new(bytes, "reference");
    let (kind, flags, offset) = (reader.u8()?, reader.u8()?, reader.u8()?);
    if !matches!(offset, 1..=8) {
        return Err(reader.error(format_args!("a token of {offset} bytes, 1 to 8 are an address")));
    }
    let address = reader.uint(usize::from(offset))?;
    let file = match flags & IN_OTHER_FILE {
        0 => None,
        _ => {
            let length = usize::from(reader.u16()?);
            Some(reader.take(length)?.to_vec())
        }
    };
    let part = match kind {
        OBJECT => Part::Whole,
        REGION => {
            reader.skip(8)?;
            Part::Region(Selected::read(&mut reader)?)
        }
        ATTRIBUTE => {
            let length = usize::from(reader.u16()?);
            Part::Attribute(reader.take(length)?.to_vec())
        }
        _ => return Err(reader.error(format_args!("kind {kind}"))),
    };
    Ok(Decoded { file, offset, address, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let sizes = Sizes::EIGHT;
        let points = Selected::Points { rank: 1, coordinates: vec![3, 1] };
        for part in [Part::Whole, Part::Region(points.clone()), Part::Attribute(b"name".to_vec())] {
            let bytes = encode(0x1234, &part, 1, sizes).unwrap();
            let decoded = Decoded { file: None, offset: 8, address: 0x1234, part };
            assert_eq!(decode(&bytes).unwrap(), decoded);
            let outside = encode_outside(&bytes, b"far.h5").unwrap();
            assert_eq!(outside[11..19], *b"\x06\0far.h5");
            assert_eq!(decode(&outside).unwrap(), Decoded { file: Some(b"far.h5".to_vec()), ..decoded });
            for bytes in [bytes, outside] {
                assert!((0..bytes.len()).all(|end| decode(&bytes[..end]).is_err()));
            }
        }
        let old = encode_old_region(0x55, &points.encode(1).unwrap(), sizes);
        assert_eq!(decode_old_region(&old, sizes).unwrap(), (0x55, points));
        assert!(encode_outside(&[2, 0, 9, 1], b"").is_err() && encode_outside(&[2, 0, 0], &[b'x'; 65536]).is_err());
    }
}
