//! The Link message (specification, IV.A.2.g), in headers and in the fractal heap of a group. Borrows from the message.

use crate::error::{Error, ErrorKind, Result};
use crate::format::codec::Reader;
use crate::format::Sizes;

/// The type of an external link.
pub const EXTERNAL: u8 = 64;

/// The first type of a user's own links; the last is 255.
pub const FIRST_USER: u8 = EXTERNAL + 1;

/// One link of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// Its name, not empty.
    pub name: &'a [u8],
    /// Whether the name is said to be UTF-8, else ASCII.
    pub utf8: bool,
    /// Its creation order, if the group tracks it.
    pub creation_order: Option<i64>,
    /// Where it leads.
    pub target: Target<'a>,
}

/// Where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// To the object header at this address.
    Hard(u64),
    /// To a path in this file.
    Soft(&'a [u8]),
    /// By a user-defined type, 64 ([`EXTERNAL`]) to 255, and its data.
    User(u8, &'a [u8]),
}

impl<'a> Link<'a> {
    /// Decodes a link. Bytes behind it are ignored.
    #[inline]
    pub fn decode(bytes: &'a [u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "link message");
        let (version, flags) = (reader.u8()?, reader.u8()?);
        if version != 1 || flags & !0x1f != 0 {
            return Err(reader.error(format_args!("version {version} with flags {flags:#04x}")));
        }
        let kind = if flags & 0x08 != 0 { reader.u8()? } else { 0 };
        let creation_order = if flags & 0x04 != 0 { Some(reader.u64()? as i64) } else { None };
        let charset = if flags & 0x10 != 0 { reader.u8()? } else { 0 };
        if charset > 1 {
            return Err(reader.error(format_args!("character set {charset}")));
        }
        let length = reader.uint(1 << (flags & 3))?;
        if length == 0 {
            return Err(reader.error("its name is empty"));
        }
        let name = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        let target = match kind {
            0 => Target::Hard(reader.address(sizes)?),
            1 | EXTERNAL.. => {
                let length = reader.u16()? as usize;
                let value = reader.take(length)?;
                match kind {
                    1 if value.is_empty() => return Err(reader.error("its path is empty")),
                    1 => Target::Soft(value),
                    EXTERNAL if length < 3 => return Err(reader.error("an external link without a path")),
                    _ => Target::User(kind, value),
                }
            }
            _ => return Err(reader.error(format_args!("link type {kind}"))),
        };
        Ok(Link { name, utf8: charset == 1, creation_order, target })
    }

    /// Appends the encoded link to `out`. A soft link's path or user data has at most 65,535 bytes.
    pub fn encode(&self, sizes: Sizes, out: &mut Vec<u8>) -> Result<()> {
        let width = match self.name.len() {
            0 => return Err(Error::new(ErrorKind::Argument, "a link's name is empty")),
            1..=0xff => 0u8,
            0x100..=0xffff => 1,
            _ => 2,
        };
        let (kind, value): (u8, &[u8]) = match self.target {
            Target::Hard(_) => (0, &[]),
            Target::Soft(path) => (1, path),
            Target::User(kind, data) => (kind, data),
        };
        if value.len() > u16::MAX as usize {
            let message = format!("a link's value of {} bytes is longer than 65535", value.len());
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = width | flag(self.creation_order.is_some(), 0x04) | flag(kind != 0, 0x08) | flag(self.utf8, 0x10);
        out.extend_from_slice(&[1, flags]);
        if kind != 0 {
            out.push(kind);
        }
        if let Some(order) = self.creation_order {
            out.extend_from_slice(&order.to_le_bytes());
        }
        if self.utf8 {
            out.push(1);
        }
        out.extend_from_slice(&self.name.len().to_le_bytes()[..1 << width]);
        out.extend_from_slice(self.name);
        match self.target {
            Target::Hard(address) => out.extend_from_slice(&address.to_le_bytes()[..sizes.offset as usize]),
            _ => {
                out.extend_from_slice(&(value.len() as u16).to_le_bytes());
                out.extend_from_slice(value);
            }
        }
        Ok(())
    }
}

/// Has the hard link in a message lead to another address; false where the link is none.
pub fn set_hard_target(bytes: &mut [u8], address: u64, sizes: Sizes) -> Result<bool> {
    if !matches!(Link::decode(bytes, sizes)?.target, Target::Hard(_)) {
        return Ok(false);
    }
    let end = name_place(bytes)?.end;
    let width = usize::from(sizes.offset);
    bytes[end..end + width].copy_from_slice(&address.to_le_bytes()[..width]);
    Ok(true)
}

/// The name alone, for searches: much cheaper than a full decode.
#[inline]
pub fn name_of(bytes: &[u8]) -> Result<&[u8]> {
    name_place(bytes).map(|place| &bytes[place])
}

/// Where the name stands in a link message, which has it.
#[inline]
fn name_place(bytes: &[u8]) -> Result<std::ops::Range<usize>> {
    let damaged = || Reader::new(bytes, "link message").error("it ends within its name");
    let &[_, flags, ..] = bytes else { return Err(damaged()) };
    let at = 2 + usize::from(flags & 0x08 != 0) + 8 * usize::from(flags & 0x04 != 0) + usize::from(flags & 0x10 != 0);
    let width = 1usize << (flags & 3);
    let field = bytes.get(at..at + width).ok_or_else(damaged)?;
    let length = field.iter().rev().fold(0usize, |length, &byte| length << 8 | usize::from(byte));
    let begin = at + width;
    let place = begin..begin.saturating_add(length);
    bytes.get(place.clone()).map(|_| place).ok_or_else(damaged)
}

/// The creation order alone, if the link has one.
pub fn creation_order_of(bytes: &[u8]) -> Option<i64> {
    let &[_, flags, ..] = bytes else { return None };
    let at = 2 + usize::from(flags & 0x08 != 0);
    let field: [u8; 8] = bytes.get(at..at + 8)?.try_into().ok()?;
    (flags & 0x04 != 0).then(|| i64::from_le_bytes(field))
}

/// The file name and the object path in the data of an external link.
pub fn external_parts(data: &[u8]) -> Result<(&[u8], &[u8])> {
    let damaged = || Reader::new(data, "external link").error("its two strings are not terminated");
    let mut parts = data.get(1..).ok_or_else(damaged)?.split(|&byte| byte == 0);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(path), Some(_)) => Ok((file, path)),
        _ => Err(damaged()),
    }
}

/// The data of an external link to `path` in `file`.
pub fn external_data(file: &[u8], path: &[u8]) -> Vec<u8> {
    let mut data = vec![0];
    data.extend_from_slice(file);
    data.push(0);
    data.extend_from_slice(path);
    data.push(0);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_alone_is_what_a_decode_finds() {
        for (name, utf8, creation_order, target) in [
            (b"a".as_slice(), false, None, Target::Hard(77)),
            (&[b'n'; 300], true, Some(5), Target::Soft(b"/x")),
            (b"user", false, Some(1 << 40), Target::User(70, b"data")),
        ] {
            let mut bytes = Vec::new();
            Link { name, utf8, creation_order, target }.encode(Sizes::EIGHT, &mut bytes).unwrap();
            assert_eq!(name_of(&bytes).unwrap(), name);
            assert_eq!(creation_order_of(&bytes), creation_order);
            assert!(name_of(&bytes[..2]).is_err());
        }
    }
    use proptest::prelude::*;

    #[test]
    fn a_hard_link_is_turned_where_it_stands() {
        for (name, utf8, creation_order) in [(b"a".as_slice(), false, None), (&[b'n'; 300], true, Some(5))] {
            for offset in [2, 8] {
                let sizes = Sizes { offset, ..Sizes::EIGHT };
                let link = |target| Link { name, utf8, creation_order, target };
                let (mut bytes, mut expected) = (Vec::new(), Vec::new());
                link(Target::Hard(77)).encode(sizes, &mut bytes).unwrap();
                link(Target::Hard(0x1234)).encode(sizes, &mut expected).unwrap();
                assert!(set_hard_target(&mut bytes, 0x1234, sizes).unwrap());
                assert_eq!(bytes, expected);
                let mut soft = Vec::new();
                link(Target::Soft(b"/somewhere")).encode(sizes, &mut soft).unwrap();
                assert!(!set_hard_target(&mut soft, 0x1234, sizes).unwrap());
            }
        }
    }

    #[test]
    fn external_links_are_taken_apart() {
        assert_eq!(external_parts(&external_data(b"f.h5", b"/a/b")).unwrap(), (&b"f.h5"[..], &b"/a/b"[..]));
        assert!(external_parts(&[0, b'f', 0, b'p']).is_err());
        assert!(external_parts(&[]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn round_trip(
            name in proptest::collection::vec(any::<u8>(), 1..300),
            value in proptest::collection::vec(any::<u8>(), 3..40),
            order in proptest::option::of(any::<i64>()),
            utf8: bool,
            which in 0..4u8,
        ) {
            let target = match which {
                0 => Target::Hard(0x1234_5678),
                1 => Target::Soft(&value),
                2 => Target::User(EXTERNAL, &value),
                _ => Target::User(200, &value),
            };
            let link = Link { name: &name, utf8, creation_order: order, target };
            let sizes = Sizes { offset: if utf8 { 8 } else { 4 }, length: 8 };
            let mut bytes = Vec::new();
            link.encode(sizes, &mut bytes).unwrap();
            prop_assert_eq!(Link::decode(&bytes, sizes).unwrap(), link);
            for end in 0..bytes.len() {
                prop_assert!(Link::decode(&bytes[..end], sizes).is_err());
            }
        }

        #[test]
        fn never_panics(flags in 0u8..32, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut message = vec![1, flags];
            message.extend(&bytes);
            let _ = Link::decode(&message, Sizes::EIGHT);
            let _ = external_parts(&bytes);
        }
    }
}
