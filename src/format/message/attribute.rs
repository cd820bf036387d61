//! The Attribute message (specification, IV.A.2.m), versions 1 to 3, in headers and in the fractal heap of an object.
//! Borrows from the message; datatype and dataspace stay as they are stored, shared or not.

use crate::error::{Error, ErrorKind, Result};
use crate::format::codec::Reader;

/// Flag: the datatype part is a reference ([`super::shared::Shared`]).
pub const DATATYPE_SHARED: u8 = 0x01;

/// Flag: the dataspace part is a reference.
pub const DATASPACE_SHARED: u8 = 0x02;

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// [`DATATYPE_SHARED`] and [`DATASPACE_SHARED`].
    pub flags: u8,
    /// Whether the name is said to be UTF-8, else ASCII.
    pub utf8: bool,
    /// Its name, not empty, without the NUL.
    pub name: &'a [u8],
    /// The Datatype message, or the reference to it.
    pub datatype: &'a [u8],
    /// The Dataspace message, or the reference to it.
    pub dataspace: &'a [u8],
    /// The value, to the end of the message: in version 1 there may be padding behind it.
    pub data: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// Decodes any version.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "attribute message");
        let version = reader.u8()?;
        let flags = reader.u8()?;
        if !(1..=3).contains(&version) {
            return Err(reader.error(format_args!("version {version}")));
        }
        if version > 1 && flags & !(DATATYPE_SHARED | DATASPACE_SHARED) != 0 {
            return Err(reader.error(format_args!("flags {flags:#04x}")));
        }
        let flags = if version > 1 { flags } else { 0 };
        let (name, datatype, dataspace) = (reader.u16()?, reader.u16()?, reader.u16()?);
        let charset = if version >= 3 { reader.u8()? } else { 0 };
        // In version 1 each part is padded to a multiple of 8 bytes.
        let part = |reader: &mut Reader<'a>, length: u16| -> Result<&'a [u8]> {
            let length = length as usize;
            let stored = if version == 1 { length.next_multiple_of(8) } else { length };
            Ok(&reader.take(stored)?[..length])
        };
        let terminated = part(&mut reader, name)?;
        let Some((0, name)) = terminated.split_last().filter(|(_, name)| !name.is_empty() && !name.contains(&0)) else {
            return Err(reader.error("its name is empty or not terminated where its length says"));
        };
        let datatype = part(&mut reader, datatype)?;
        let dataspace = part(&mut reader, dataspace)?;
        Ok(Attribute { flags, utf8: charset == 1, name, datatype, dataspace, data: reader.rest() })
    }

    /// The length of the encoded message.
    pub fn encoded_len(&self) -> usize {
        9 + self.name.len() + 1 + self.datatype.len() + self.dataspace.len() + self.data.len()
    }

    /// Where the value begins in the encoded message.
    pub fn data_offset(&self) -> usize {
        self.encoded_len() - self.data.len()
    }

    /// Appends the attribute as version 3, which libhdf5 reads since 1.8.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        let lengths = [self.name.len() + 1, self.datatype.len(), self.dataspace.len()];
        if self.name.is_empty() || self.name.contains(&0) {
            return Err(Error::new(ErrorKind::Argument, "an attribute's name is empty or has a NUL inside"));
        }
        for (what, length) in ["name", "datatype", "dataspace"].into_iter().zip(lengths) {
            if length > u16::MAX as usize {
                let message = format!("an attribute's {what} of {length} bytes is longer than 65535");
                return Err(Error::new(ErrorKind::Limit, message));
            }
        }
        out.reserve(self.encoded_len());
        out.extend_from_slice(&[3, self.flags]);
        for length in lengths {
            out.extend_from_slice(&(length as u16).to_le_bytes());
        }
        out.push(u8::from(self.utf8));
        out.extend_from_slice(self.name);
        out.push(0);
        for part in [self.datatype, self.dataspace, self.data] {
            out.extend_from_slice(part);
        }
        Ok(())
    }
}

/// The name alone, for searches: much cheaper than a full decode.
#[inline]
pub fn name_of(bytes: &[u8]) -> Result<&[u8]> {
    let damaged = || Reader::new(bytes, "attribute message").error("it ends within its name");
    let [version, _, low, high, ..] = *bytes else { return Err(damaged()) };
    let begin = if version >= 3 { 9 } else { 8 };
    let length = u16::from_le_bytes([low, high]) as usize;
    length.checked_sub(1).and_then(|length| bytes.get(begin..begin + length)).ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn version_1_is_padded() {
        let mut bytes = vec![1, 0, 3, 0, 12, 0, 8, 0];
        bytes.extend(b"ab\0\0\0\0\0\0");
        bytes.extend([5; 12]);
        bytes.extend([0; 4]);
        bytes.extend([6; 8]);
        bytes.extend([7; 4]);
        let attribute = Attribute::decode(&bytes).unwrap();
        assert_eq!((attribute.name, attribute.datatype), (&b"ab"[..], &[5u8; 12][..]));
        assert_eq!((attribute.dataspace, attribute.data), (&[6u8; 8][..], &[7u8; 4][..]));
        assert_eq!(name_of(&bytes).unwrap(), b"ab");
        bytes[0] = 2;
        assert_eq!(Attribute::decode(&bytes).unwrap().data.len(), bytes.len() - 8 - 3 - 12 - 8);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn round_trip(
            name in proptest::collection::vec(1u8.., 1..40),
            datatype in proptest::collection::vec(any::<u8>(), 0..40),
            dataspace in proptest::collection::vec(any::<u8>(), 0..40),
            data in proptest::collection::vec(any::<u8>(), 0..40),
            utf8: bool,
            flags in 0..4u8,
        ) {
            let attribute = Attribute {
                flags, utf8, name: &name, datatype: &datatype, dataspace: &dataspace, data: &data,
            };
            let mut bytes = Vec::new();
            attribute.encode(&mut bytes).unwrap();
            prop_assert_eq!(bytes.len(), attribute.encoded_len());
            prop_assert_eq!(Attribute::decode(&bytes).unwrap(), attribute);
            prop_assert_eq!(name_of(&bytes).unwrap(), &name[..]);
            prop_assert_eq!(&bytes[attribute.data_offset()..], &data[..]);
        }

        #[test]
        fn never_panics(version in 0u8..4, bytes in proptest::collection::vec(0..32u8, 0..60)) {
            let mut message = vec![version, 0];
            message.extend(&bytes);
            let _ = Attribute::decode(&message);
            let _ = name_of(&message);
            let _ = name_of(&bytes);
        }
    }
}
