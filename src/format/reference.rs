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

/// The address and the part in such a reference.
pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<(u64, Part)> {
    let mut reader = Reader::new(bytes, "reference");
    let (kind, flags, token) = (reader.u8()?, reader.u8()?, reader.u8()?);
    if token != sizes.offset {
        return Err(reader.error(format_args!("a token of {token} bytes, the file's addresses have {}", sizes.offset)));
    }
    let address = reader.address(sizes)?;
    if flags & IN_OTHER_FILE != 0 {
        return Err(Error::unsupported("following a reference to an object of another file"));
    }
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
    Ok((address, part))
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
            assert_eq!(decode(&bytes, sizes).unwrap(), (0x1234, part));
            assert!((0..bytes.len()).all(|end| decode(&bytes[..end], sizes).is_err()));
        }
        let old = encode_old_region(0x55, &points.encode(1).unwrap(), sizes);
        assert_eq!(decode_old_region(&old, sizes).unwrap(), (0x55, points));
        let mut other = encode(1, &Part::Whole, 0, sizes).unwrap();
        other[1] = IN_OTHER_FILE;
        assert!(decode(&other, sizes).unwrap_err().message().contains("another file"));
    }
}
