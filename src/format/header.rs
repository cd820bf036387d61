//! Object headers of versions 1 and 2: prefix, chunks and message prefixes (specification, "Disk Format: Level 2A - Data
//! Object Headers"). What the messages say is in [`super::message`].

use super::codec::{Reader, Writer};
use crate::error::Result;

/// Signature of chunk 0, which begins with the prefix.
pub const SIGNATURE: [u8; 4] = *b"OHDR";

/// Signature of a continuation chunk.
pub const CONTINUATION_SIGNATURE: [u8; 4] = *b"OCHK";

/// The longest prefix: signature, version, flags, times, phase-change values and an 8-byte chunk size.
pub const MAX_PREFIX: usize = 34;

/// The most bytes that a message's body can have in a version 2 header.
pub const MAX_BODY: usize = u16::MAX as usize;

/// Bytes of a version 1 prefix, with the padding behind it.
const OLD_PREFIX: usize = 16;

/// In a version 1 header everything stands at a multiple of this, and takes one.
const OLD_ALIGNMENT: usize = 8;

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

/// What only a version 1 prefix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldPrefix {
    /// Messages in all chunks, NIL ones too.
    pub messages: u16,
    /// Hard links to the object.
    pub links: u32,
}

/// Where a version 1 header has its number of messages.
pub const OLD_MESSAGES_AT: usize = 2;

/// Where a version 1 header has its number of hard links.
pub const OLD_LINKS_AT: usize = 4;

/// The prefix of chunk 0. Version 1 has no flags, times and phase-change values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// Only of version 1, and always of it.
    pub old: Option<OldPrefix>,
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
    /// Parses the prefix that begins `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "object header");
        if bytes.first() == Some(&1) {
            return Self::parse_old(reader);
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
        Ok(Prefix { old: None, flags, times, phase_change, chunk0_size })
    }

    fn parse_old(mut reader: Reader<'_>) -> Result<Self> {
        reader.skip(OLD_MESSAGES_AT)?;
        let old = OldPrefix { messages: reader.u16()?, links: reader.u32()? };
        let chunk0_size = u64::from(reader.u32()?);
        reader.skip(4)?;
        Ok(Prefix { old: Some(old), flags: 0, times: None, phase_change: None, chunk0_size })
    }

    /// Bytes before the first message.
    #[inline]
    pub fn len(&self) -> usize {
        if self.old.is_some() {
            return OLD_PREFIX;
        }
        6 + if self.flags & flag::TIMES != 0 { 16 } else { 0 }
            + if self.flags & flag::PHASE_CHANGE != 0 { 4 } else { 0 }
            + (1 << (self.flags & flag::CHUNK0_SIZE))
    }

    /// Never: it has a version.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Bytes of chunk 0 with prefix and checksum, if that is a possible size.
    pub fn chunk_length(&self) -> Option<u64> {
        self.chunk0_size.checked_add((self.len() + self.form().trailer()) as u64)
    }

    /// How messages stand in the header's chunks.
    #[inline]
    pub fn form(&self) -> Form {
        match self.old {
            Some(_) => Form::Old,
            None if self.flags & flag::ATTRIBUTE_ORDER_TRACKED != 0 => Form::Tracked,
            None => Form::New,
        }
    }

    /// Appends the prefix. `times` and `phase_change` are written as the flags say.
    pub fn encode(&self, writer: &mut Writer) {
        if let Some(old) = &self.old {
            writer.u8(1).u8(0).u16(old.messages).u32(old.links).u32(self.chunk0_size as u32).u32(0);
            return;
        }
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

/// How messages stand in a header's chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Version 1: prefixes of type (2 bytes), size, flags and padding; bodies are padded.
    Old,
    /// Version 2: prefixes of type, size and flags.
    New,
    /// Version 2 where the creation order of attributes is tracked: the prefix ends with it.
    Tracked,
}

impl Form {
    /// Bytes of a message's prefix.
    #[inline]
    pub fn prefix_len(self) -> usize {
        match self {
            Form::Old => 8,
            Form::New => 4,
            Form::Tracked => 6,
        }
    }

    /// Bytes behind a chunk's messages: its checksum.
    #[inline]
    pub fn trailer(self) -> usize {
        match self {
            Form::Old => 0,
            _ => 4,
        }
    }

    /// What a continuation chunk begins with.
    #[inline]
    pub fn signature(self) -> &'static [u8] {
        match self {
            Form::Old => &[],
            _ => &CONTINUATION_SIGNATURE,
        }
    }

    /// The bytes that a body of `length` bytes takes.
    #[inline]
    pub fn padded(self, length: usize) -> usize {
        match self {
            Form::Old => length.next_multiple_of(OLD_ALIGNMENT),
            _ => length,
        }
    }

    /// The most bytes that a body can have.
    #[inline]
    pub fn max_body(self) -> usize {
        match self {
            Form::Old => MAX_BODY - MAX_BODY % OLD_ALIGNMENT,
            _ => MAX_BODY,
        }
    }

    /// Where a prefix has the length, and where the flags.
    #[inline]
    fn fields(self) -> (usize, usize) {
        match self {
            Form::Old => (2, 4),
            _ => (1, 3),
        }
    }

    /// Writes a message's prefix to the beginning of `bytes`; returns its length. A body is at most
    /// [`Form::max_body`] long.
    #[inline]
    pub fn put_prefix(self, bytes: &mut [u8], kind: u8, length: usize, flags: u8, order: u16) -> usize {
        debug_assert!(length == self.padded(length) && length <= self.max_body());
        let prefix_len = self.prefix_len();
        bytes[..prefix_len].fill(0);
        bytes[0] = kind;
        self.put_length(bytes, length);
        self.put_flags(bytes, flags);
        if self == Form::Tracked {
            bytes[4..6].copy_from_slice(&order.to_le_bytes());
        }
        prefix_len
    }

    /// Changes the length in a message's prefix.
    #[inline]
    pub fn put_length(self, prefix: &mut [u8], length: usize) {
        let (at, _) = self.fields();
        prefix[at..at + 2].copy_from_slice(&(length as u16).to_le_bytes());
    }

    /// Changes the flags in a message's prefix.
    #[inline]
    pub fn put_flags(self, prefix: &mut [u8], flags: u8) {
        prefix[self.fields().1] = flags;
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
    form: Form,
}

impl<'a> Messages<'a> {
    /// The messages of `area`.
    pub fn new(area: &'a [u8], form: Form) -> Self {
        Messages { area, at: 0, form }
    }

    /// The bytes behind the last message, too few for another: once the walk is done. Version 1 has none.
    pub fn gap(&self) -> usize {
        self.area.len() - self.at
    }

    #[cold]
    fn damaged(&mut self, detail: impl std::fmt::Display) -> Option<Result<RawMessage<'a>>> {
        self.at = self.area.len();
        Some(Err(Reader::new(&[], "object header").error(detail)))
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<RawMessage<'a>>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (form, prefix) = (self.form, self.form.prefix_len());
        let Some(head) = self.area.get(self.at..self.at + prefix) else {
            return match self.gap() {
                gap if form == Form::Old && gap > 0 => {
                    self.damaged(format_args!("{gap} bytes behind the last message"))
                }
                _ => None,
            };
        };
        let (length_at, flags_at) = form.fields();
        let length = u16::from_le_bytes([head[length_at], head[length_at + 1]]) as usize;
        if form == Form::Old && (head[1] != 0 || length != form.padded(length)) {
            let kind = u16::from_le_bytes([head[0], head[1]]);
            return self.damaged(format_args!("a message of type {kind:#06x} with {length} bytes"));
        }
        let begin = self.at + prefix;
        let Some(body) = self.area.get(begin..begin + length) else {
            let room = self.area.len() - begin;
            return self.damaged(format_args!("a message of {length} bytes where the chunk has room for {room}"));
        };
        let order = if form == Form::Tracked { u16::from_le_bytes([head[4], head[5]]) } else { 0 };
        let message = RawMessage { kind: head[0], flags: head[flags_at], order, at: self.at, body };
        self.at = begin + length;
        Some(Ok(message))
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
                old: None,
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
    fn old_prefixes_are_read_as_written() {
        let bytes = [1, 0, 5, 0, 2, 0, 0, 0, 24, 1, 0, 0, 0, 0, 0, 0];
        let prefix = Prefix::parse(&bytes).unwrap();
        assert_eq!(prefix.old, Some(OldPrefix { messages: 5, links: 2 }));
        assert_eq!((prefix.len(), prefix.chunk_length(), prefix.form()), (16, Some(296), Form::Old));
        let mut writer = Writer::new();
        prefix.encode(&mut writer);
        assert_eq!(writer.as_slice(), bytes);
        assert!((0..16).all(|end| Prefix::parse(&bytes[..end]).is_err()));
    }

    #[test]
    fn messages_and_the_gap_are_walked() {
        for form in [Form::Old, Form::New, Form::Tracked] {
            let prefix = form.prefix_len();
            let gap = if form == Form::Old { 0 } else { 3 };
            let mut area = vec![0; 2 * prefix + 16 + gap];
            form.put_prefix(&mut area, 12, 16, 1, 7);
            form.put_prefix(&mut area[prefix + 16..], 0, 0, 0, 7);
            let mut messages = Messages::new(&area, form);
            let first = messages.next().unwrap().unwrap();
            assert_eq!((first.kind, first.flags, first.body.len()), (12, 1, 16));
            assert_eq!(first.order, if form == Form::Tracked { 7 } else { 0 });
            assert_eq!(messages.next().unwrap().unwrap().at, prefix + 16);
            assert!(messages.next().is_none());
            assert_eq!(messages.gap(), gap);
        }
    }

    #[test]
    fn what_version_1_does_not_allow_is_damage() {
        let mut area = [0; 24];
        Form::Old.put_prefix(&mut area, 12, 16, 0, 0);
        assert!(Messages::new(&area, Form::Old).all(|message| message.is_ok()));
        assert!(Messages::new(&area[..20], Form::Old).any(|message| message.is_err()));
        for (at, value) in [(1, 1), (2, 15), (2, 24)] {
            let mut damaged = area;
            damaged[at] = value;
            assert!(Messages::new(&damaged, Form::Old).any(|message| message.is_err()), "{value} at {at}");
        }
        let padded = [area.as_slice(), &[0; 3]].concat();
        assert!(Messages::new(&padded, Form::Old).any(|message| message.is_err()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut header = SIGNATURE.to_vec();
            header.push(2);
            header.extend(&bytes);
            let _ = Prefix::parse(&header);
            let _ = Prefix::parse(&bytes);
            for form in [Form::Old, Form::New, Form::Tracked] {
                let mut messages = Messages::new(&bytes, form);
                while messages.next().is_some() {}
                let _ = messages.gap();
            }
        }
    }
}
