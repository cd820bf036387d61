//! Object headers of version 2: prefix, chunks and message prefixes (specification, "Disk Format: Level 2A - Data
//! Object Headers"). What the messages say is in [`super::message`].

use super::codec::{Reader, Writer};
use crate::error::{Error, Result};

/// Signature of chunk 0, which begins with the prefix.
pub const SIGNATURE: [u8; 4] = *b"OHDR";

/// Signature of a continuation chunk.
pub const CONTINUATION_SIGNATURE: [u8; 4] = *b"OCHK";

/// The longest prefix: signature, version, flags, times, phase-change values and an 8-byte chunk size.
pub const MAX_PREFIX: usize = 34;

/// Bytes of a continuation chunk besides its messages: signature and checksum.
pub const CONTINUATION_OVERHEAD: usize = 8;

/// The most bytes that a message's body can have.
pub const MAX_BODY: usize = u16::MAX as usize;

/// Bits of the header's flags.
pub mod flag {
    /// Two bits: the width of chunk 0's size is 1 << bits.
    pub const CHUNK0_SIZE: u8 = 0x03;
    /// The creation order of attributes is tracked: every message prefix has a creation order field.
    pub const ATTRIBUTE_ORDER_TRACKED: u8 = 0x04;
    /// The creation order of attributes is indexed.
    pub const ATTRIBUTE_ORDER_INDEXED: u8 = 0x08;
    /// The attributes' phase-change values are stored.
    pub const PHASE_CHANGE: u8 = 0x10;
    /// Access, modification, change and birth time are stored.
    pub const TIMES: u8 = 0x20;
    /// All bits that have a meaning.
    pub const ALL: u8 = 0x3f;
}

/// Bits of a message's flags.
pub mod message_flag {
    /// The message never changes.
    pub const CONSTANT: u8 = 0x01;
    /// The body is a reference to where the message is.
    pub const SHARED: u8 = 0x02;
    /// The message must not be shared.
    pub const DONT_SHARE: u8 = 0x04;
    /// Who does not know the type must not open the object for writing.
    pub const FAIL_IF_UNKNOWN_FOR_WRITE: u8 = 0x08;
    /// Who does not know the type and writes sets [`WAS_UNKNOWN`].
    pub const MARK_IF_UNKNOWN: u8 = 0x10;
    /// Someone who did not know the type has written the object.
    pub const WAS_UNKNOWN: u8 = 0x20;
    /// The message may be shared.
    pub const SHAREABLE: u8 = 0x40;
    /// Who does not know the type must not open the object.
    pub const FAIL_IF_UNKNOWN: u8 = 0x80;
}

/// An object's four times, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Last access to the raw data.
    pub access: u32,
    /// Last change of the raw data.
    pub modification: u32,
    /// Last change of the header.
    pub change: u32,
    /// Creation.
    pub birth: u32,
}

/// The prefix of chunk 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The header's flags, see [`flag`].
    pub flags: u8,
    /// The object's times, if stored.
    pub times: Option<Times>,
    /// The most attributes stored compactly and the fewest stored densely, if stored.
    pub phase_change: Option<(u16, u16)>,
    /// Bytes of messages and gap in chunk 0.
    pub chunk0_size: u64,
}

impl Prefix {
    /// Parses the prefix that begins `bytes`. A version 1 header, which has no signature, is named as unsupported.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "object header");
        if bytes.len() >= 2 && bytes[..2] == [1, 0] {
            return Err(Error::unsupported("version 1 object header (files written with libver earliest)"));
        }
        reader.signature(&SIGNATURE)?;
        let version = reader.u8()?;
        if version != 2 {
            return Err(reader.error(format_args!("version {version}")));
        }
        let flags = reader.u8()?;
        if flags & !flag::ALL != 0 {
            return Err(reader.error(format_args!("unknown flags {flags:#04x}")));
        }
        let times = if flags & flag::TIMES != 0 {
            let (access, modification) = (reader.u32()?, reader.u32()?);
            Some(Times { access, modification, change: reader.u32()?, birth: reader.u32()? })
        } else {
            None
        };
        let phase_change = if flags & flag::PHASE_CHANGE != 0 { Some((reader.u16()?, reader.u16()?)) } else { None };
        if let Some((compact, dense)) = phase_change.filter(|(compact, dense)| compact < dense) {
            return Err(reader.error(format_args!("dense attributes from {dense}, compact ones up to {compact}")));
        }
        let chunk0_size = reader.uint(1 << (flags & flag::CHUNK0_SIZE))?;
        Ok(Prefix { flags, times, phase_change, chunk0_size })
    }

    /// Bytes before the first message.
    #[inline]
    pub fn len(&self) -> usize {
        6 + if self.flags & flag::TIMES != 0 { 16 } else { 0 }
            + if self.flags & flag::PHASE_CHANGE != 0 { 4 } else { 0 }
            + (1 << (self.flags & flag::CHUNK0_SIZE))
    }

    /// Never: it has a signature.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Bytes of chunk 0 with prefix and checksum, if that is a possible size.
    pub fn chunk_length(&self) -> Option<u64> {
        self.chunk0_size.checked_add(self.len() as u64 + 4)
    }

    /// Whether message prefixes have a creation order field.
    #[inline]
    pub fn is_tracked(&self) -> bool {
        self.flags & flag::ATTRIBUTE_ORDER_TRACKED != 0
    }

    /// Appends the prefix. `times` and `phase_change` are written as the flags say.
    pub fn encode(&self, writer: &mut Writer) {
        writer.bytes(&SIGNATURE).u8(2).u8(self.flags);
        if self.flags & flag::TIMES != 0 {
            let times = self.times.unwrap_or_default();
            writer.u32(times.access).u32(times.modification).u32(times.change).u32(times.birth);
        }
        if self.flags & flag::PHASE_CHANGE != 0 {
            let (compact, dense) = self.phase_change.unwrap_or((8, 6));
            writer.u16(compact).u16(dense);
        }
        writer.uint(self.chunk0_size, 1 << (self.flags & flag::CHUNK0_SIZE));
    }
}

/// Bytes of a message's prefix: type, size, flags and, where it is tracked, creation order.
#[inline]
pub fn message_prefix_len(tracked: bool) -> usize {
    if tracked {
        6
    } else {
        4
    }
}

/// One message in a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawMessage<'a> {
    /// The message type.
    pub kind: u8,
    /// The message's flags, see [`message_flag`].
    pub flags: u8,
    /// The creation order, 0 where it is not tracked.
    pub order: u16,
    /// Where its prefix begins, counted from the beginning of the walked area.
    pub at: usize,
    /// What it says.
    pub body: &'a [u8],
}

/// Walks the messages of a chunk's message area: what lies between the prefix or signature and the checksum.
pub struct Messages<'a> {
    area: &'a [u8],
    at: usize,
    tracked: bool,
}

impl<'a> Messages<'a> {
    /// The messages of `area`.
    pub fn new(area: &'a [u8], tracked: bool) -> Self {
        Messages { area, at: 0, tracked }
    }

    /// The bytes behind the last message, too few for another: once the walk is done.
    pub fn gap(&self) -> usize {
        self.area.len() - self.at
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<RawMessage<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let prefix = message_prefix_len(self.tracked);
        let head = self.area.get(self.at..self.at + prefix)?;
        let length = u16::from_le_bytes([head[1], head[2]]) as usize;
        let begin = self.at + prefix;
        let Some(body) = self.area.get(begin..begin + length) else {
            let room = self.area.len() - begin;
            self.at = self.area.len();
            return Some(Err(Reader::new(&[], "object header")
                .error(format_args!("a message of {length} bytes where the chunk has room for {room}"))));
        };
        let order = if self.tracked { u16::from_le_bytes([head[4], head[5]]) } else { 0 };
        let message = RawMessage { kind: head[0], flags: head[3], order, at: self.at, body };
        self.at = begin + length;
        Some(Ok(message))
    }
}

/// Writes a message's prefix to the beginning of `bytes`; returns its length. A body is at most [`MAX_BODY`] long.
#[inline]
pub fn put_message_prefix(bytes: &mut [u8], kind: u8, length: usize, flags: u8, order: Option<u16>) -> usize {
    debug_assert!(length <= MAX_BODY);
    bytes[0] = kind;
    bytes[1..3].copy_from_slice(&(length as u16).to_le_bytes());
    bytes[3] = flags;
    match order {
        Some(order) => {
            bytes[4..6].copy_from_slice(&order.to_le_bytes());
            6
        }
        None => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefixes_are_read_as_written() {
        for flags in 0..=flag::ALL {
            let prefix = Prefix {
                flags,
                times: (flags & flag::TIMES != 0).then_some(Times { access: 1, modification: 2, change: 3, birth: 4 }),
                phase_change: (flags & flag::PHASE_CHANGE != 0).then_some((20, 10)),
                chunk0_size: 200,
            };
            let mut writer = Writer::new();
            prefix.encode(&mut writer);
            assert_eq!(writer.len(), prefix.len());
            assert_eq!(Prefix::parse(writer.as_slice()).unwrap(), prefix);
        }
    }

    #[test]
    fn old_headers_are_named() {
        let error = Prefix::parse(&[1, 0, 5, 0, 1, 0, 0, 0]).unwrap_err();
        assert!(error.message().contains("version 1 object header"), "{error}");
    }

    #[test]
    fn messages_and_the_gap_are_walked() {
        for tracked in [false, true] {
            let prefix = message_prefix_len(tracked);
            let mut area = vec![0; 2 * prefix + 10 + 3];
            let order = tracked.then_some(7);
            put_message_prefix(&mut area, 12, 10, 1, order);
            put_message_prefix(&mut area[prefix + 10..], 0, 0, 0, order);
            let mut messages = Messages::new(&area, tracked);
            let first = messages.next().unwrap().unwrap();
            assert_eq!((first.kind, first.flags, first.body.len()), (12, 1, 10));
            assert_eq!(first.order, if tracked { 7 } else { 0 });
            assert_eq!(messages.next().unwrap().unwrap().at, prefix + 10);
            assert!(messages.next().is_none());
            assert_eq!(messages.gap(), 3);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80), tracked: bool) {
            let mut header = SIGNATURE.to_vec();
            header.push(2);
            header.extend(&bytes);
            let _ = Prefix::parse(&header);
            let _ = Prefix::parse(&bytes);
            let mut messages = Messages::new(&bytes, tracked);
            while messages.next().is_some() {}
            let _ = messages.gap();
        }
    }
}
