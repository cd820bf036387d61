//! A live object header: its chunks are blocks of the store, edited in place; what is kept here is only
//! where each message is.
//!
//! An edited chunk has its messages packed, and its free space behind them: one NIL message, or a gap where a message
//! prefix does not fit. That is how the format's rule "no gap in a chunk with a NIL message" always holds. New messages
//! go where they fit best; when they fit nowhere, the last continuation chunk is moved to larger space (or the first
//! one made), so that a header edited by us has two chunks at most. A continuation chunk that has become empty, or
//! whose messages fit into the first chunk again, is given back.
//!
//! Version 1 headers keep their version: their messages are padded, their chunks have no checksum, and the number of
//! messages and of hard links stands in the prefix.

mod edit;
mod more;
mod room;
mod shared;
#[cfg(test)]
mod tests;
mod upgrade;

use smallvec::{smallvec, SmallVec};

use crate::error::{Damage, Error, ErrorKind, Result};
use crate::format::codec::Writer;
use crate::format::header::{
    flag, message_flag, Form, Messages, Prefix, Times, MAX_BODY, OLD_LINKS_AT, OLD_MESSAGES_AT,
};
use crate::format::message::kind;
use crate::format::message::plain::{self, Continuation};
use crate::store::{BlockId, Seal, Store};
use more::wants_mark;

const WHAT: &str = "object header";

/// Read at once in the hope that it holds the first chunk.
const SPECULATIVE_READ: u64 = 512;

/// As many messages as most headers have are noted in the header itself.
const FEW_MESSAGES: usize = 6;

/// More chunks or messages than any writer makes: a damaged header, whose walk would only take time and memory.
const MAX_CHUNKS: usize = 1 << 14;
const MAX_MESSAGES: usize = 1 << 20;

/// What is fixed when a header is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeaderOptions {
    /// The object's times, if they are to be stored.
    pub times: Option<Times>,
    /// The most attributes stored compactly and the fewest stored densely, if not 8 and 6.
    pub phase_change: Option<(u16, u16)>,
    /// The creation order of attributes is tracked.
    pub track_order: bool,
    /// The creation order of attributes is indexed, which needs `track_order`.
    pub index_order: bool,
}

/// A message to be put into a header.
#[derive(Debug, Clone, Copy)]
pub struct NewMessage<'a> {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its creation order: for attributes, where it is tracked; else 0.
    pub order: u16,
    /// What it says.
    pub body: &'a [u8],
}

/// A message of a header. Its body is read with [`ObjectHeader::body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// Its type, see [`kind`].
    pub kind: u8,
    /// Its flags, see [`message_flag`].
    pub flags: u8,
    /// Its creation order, 0 where that is not tracked.
    pub order: u16,
    length: u16,
    chunk: u16,
    /// Where its prefix begins in the chunk's block.
    at: u32,
}

/// A chunk: signature or prefix, messages, free space, checksum.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    address: u64,
    length: u32,
    /// Where its messages begin.
    begin: u32,
    /// Bytes of its messages, with their prefixes, without NIL messages.
    live: u32,
    /// Whether all free space is behind the last message.
    packed: bool,
    /// NIL messages.
    nils: u32,
    /// Bytes of the checksum at the end.
    trailer: u8,
}

impl Chunk {
    /// Where the message area ends.
    fn end(&self) -> usize {
        self.length as usize - usize::from(self.trailer)
    }

    /// Bytes of free space.
    fn free(&self) -> usize {
        self.end() - (self.begin + self.live) as usize
    }

    /// Where the free space of a packed chunk begins.
    fn tail(&self) -> usize {
        (self.begin + self.live) as usize
    }

    fn seal(&self) -> Seal {
        match self.trailer {
            0 => Seal::None,
            trailer => Seal::At(self.length - u32::from(trailer)),
        }
    }
}

/// An open object header. It names bytes of the store; two of the same object must not be edited in turn.
#[derive(Debug, Clone)]
pub struct ObjectHeader {
    address: u64,
    prefix: Prefix,
    chunks: SmallVec<[Chunk; 1]>,
    /// All messages but NIL ones, in no particular order.
    messages: SmallVec<[Message; FEW_MESSAGES]>,
    /// There are messages to be marked as unknown when the object is changed.
    marks_due: bool,
    /// What messages say that stand in the shared message heap, by type and heap ID.
    shared: Vec<shared::Resolved>,
}

impl ObjectHeader {
    /// A new header with `messages` and `spare` bytes of room for more, all in one chunk.
    pub fn create(
        store: &mut Store,
        options: &HeaderOptions,
        messages: &[NewMessage<'_>],
        spare: usize,
    ) -> Result<Self> {
        store.check_writable()?;
        let prefix_len = if options.track_order { Form::Tracked } else { Form::New }.prefix_len();
        if let Some(message) = messages.iter().find(|message| message.body.len() > MAX_BODY) {
            return Err(too_long(message.body.len(), MAX_BODY));
        }
        let live: usize = messages.iter().map(|message| prefix_len + message.body.len()).sum();
        // There is always room for a continuation message, if need be in the place of others.
        let least = prefix_len + Continuation::encoded_len(store.sizes());
        let area = (live + spare.min(MAX_BODY)).max(least);
        let prefix = prefix_for(options, area as u64)?;
        let begin = prefix.len();
        let length = begin + area + 4;
        let (id, address) = store.create_block(length, Seal::At(length as u32 - 4))?;
        let mut writer = Writer::new();
        prefix.encode(&mut writer);
        store.bytes_mut(id)[..begin].copy_from_slice(writer.as_slice());
        let chunk = Chunk { address, length: length as u32, ..empty_chunk(&prefix) };
        let messages_len = messages.len();
        let mut header = ObjectHeader {
            address,
            prefix,
            chunks: smallvec![chunk],
            messages: SmallVec::with_capacity(messages_len),
            marks_due: false,
            shared: Vec::new(),
        };
        let bytes = store.bytes_mut(id);
        for message in messages {
            header.append(bytes, 0, message);
        }
        header.put_tail(bytes, 0);
        Ok(header)
    }

    /// Opens the header at `address`. Messages of unknown type whose flags forbid it (for writing, unless the store is
    /// read-only) make this fail.
    pub fn open(store: &mut Store, address: u64) -> Result<Self> {
        let (id, prefix) = load_first(store, address)?;
        let length = store.bytes(id).len() as u32;
        let first = Chunk { address, length, ..empty_chunk(&prefix) };
        let (messages, shared) = (SmallVec::new(), Vec::new());
        let mut header = ObjectHeader { address, prefix, chunks: smallvec![first], messages, marks_due: false, shared };
        header.walk(store.bytes(id), 0).map_err(|e| at(e, address))?;
        if header.messages.iter().any(Message::asks_for_more) {
            header.complete(store)?;
        }
        Ok(header)
    }

    /// Notes the messages of chunk `k`.
    fn walk(&mut self, bytes: &[u8], k: usize) -> Result<()> {
        let form = self.form();
        let prefix_len = form.prefix_len();
        let chunk = &mut self.chunks[k];
        let mut free_seen = false;
        for message in Messages::new(&bytes[chunk.begin as usize..chunk.end()], form) {
            let message = message?;
            if message.kind == kind::NIL {
                free_seen = true;
                chunk.nils += 1;
                continue;
            }
            chunk.packed &= !free_seen;
            chunk.live += (prefix_len + message.body.len()) as u32;
            self.messages.push(Message {
                kind: message.kind,
                flags: message.flags,
                order: message.order,
                length: message.body.len() as u16,
                chunk: k as u16,
                at: chunk.begin + message.at as u32,
            });
        }
        if self.messages.len() > MAX_MESSAGES {
            return Err(Error::new(ErrorKind::Corrupt, format!("more than {MAX_MESSAGES} messages")));
        }
        Ok(())
    }

    /// The address of the first chunk, which is the object's.
    #[inline]
    pub fn address(&self) -> u64 {
        self.address
    }

    /// The prefix: flags, phase-change values, and times (as they were when the header was opened or last touched).
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// Whether the creation order of attributes is tracked.
    pub fn is_order_tracked(&self) -> bool {
        self.prefix.flags & flag::ATTRIBUTE_ORDER_TRACKED != 0
    }

    /// Whether the creation order of attributes is indexed.
    pub fn is_order_indexed(&self) -> bool {
        // An order that is not tracked cannot be indexed, whatever a damaged header says.
        self.is_order_tracked() && self.prefix.flags & flag::ATTRIBUTE_ORDER_INDEXED != 0
    }

    /// The most attributes stored compactly and the fewest stored densely.
    pub fn phase_change(&self) -> (u16, u16) {
        self.prefix.phase_change.unwrap_or((8, 6))
    }

    /// All messages but NIL ones, with continuations, in no particular order. Indices are valid until the next edit.
    #[inline]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The first message of a type.
    #[inline]
    pub fn find(&self, kind: u8) -> Option<usize> {
        self.messages.iter().position(|message| message.kind == kind)
    }

    /// All messages of a type.
    pub fn find_all(&self, kind: u8) -> impl Iterator<Item = usize> + '_ {
        self.messages.iter().enumerate().filter(move |(_, message)| message.kind == kind).map(|(index, _)| index)
    }

    /// How many messages there are of a type.
    pub fn count(&self, kind: u8) -> usize {
        self.messages.iter().filter(|message| message.kind == kind).count()
    }

    /// Bytes that the header takes in the file.
    pub fn file_bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| u64::from(chunk.length)).sum()
    }

    /// The address and the bytes of every chunk.
    pub fn extents(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.chunks.iter().map(|chunk| (chunk.address, u64::from(chunk.length)))
    }

    /// How many chunks it has.
    pub fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// How many hard links lead to the object.
    pub fn link_count(&self, store: &mut Store) -> Result<u32> {
        if let Some(old) = &self.prefix.old {
            return Ok(old.links);
        }
        match self.find(kind::REFERENCE_COUNT) {
            Some(index) => plain::reference_count(self.body(store, index)?),
            None => Ok(1),
        }
    }

    fn message(&self, index: usize) -> Result<Message> {
        let message = self.messages.get(index).copied();
        message.ok_or_else(|| Error::internal(format_args!("message {index} of {}", self.messages.len())))
    }

    /// Whether the header is of version 1.
    pub fn is_old(&self) -> bool {
        self.prefix.old.is_some()
    }

    /// The most bytes that a message's body can have.
    pub fn max_body(&self) -> usize {
        self.form().max_body()
    }

    #[inline]
    fn form(&self) -> Form {
        self.prefix.form()
    }

    #[inline]
    fn prefix_len(&self) -> usize {
        self.form().prefix_len()
    }

    /// Messages in all chunks, NIL ones too: what a version 1 prefix counts.
    fn count_all(&self) -> usize {
        self.messages.len() + self.chunks.iter().map(|chunk| chunk.nils as usize).sum::<usize>()
    }

    #[inline]
    fn block(&self, store: &mut Store, k: usize) -> Result<BlockId> {
        let chunk = &self.chunks[k];
        store.block(chunk.address, u64::from(chunk.length), chunk.seal(), WHAT)
    }

    /// Checks the whole header: that its bytes say what is noted of them, and that they keep the format's rules.
    pub fn check(&self, store: &mut Store) -> Result<()> {
        let fail = |detail: String| Err(Error::corrupt(WHAT, self.address, detail));
        let prefix_len = self.prefix_len();
        let read = Self::open(store, self.address)?;
        let sorted = |header: &Self| {
            let chunk = |message: &Message| header.chunks[message.chunk as usize].address;
            let mut all: Vec<_> = header.messages.iter().map(|m| (chunk(m), Message { chunk: 0, ..*m })).collect();
            all.sort_unstable();
            all
        };
        if sorted(&read) != sorted(self) {
            return fail("its bytes and what is noted of them differ".into());
        }
        for (k, chunk) in read.chunks.iter().enumerate() {
            let Some(noted) = self.chunks.iter().find(|noted| noted.address == chunk.address) else {
                return fail(format!("its chunk {k} is not noted"));
            };
            if (noted.length, noted.live) != (chunk.length, chunk.live) || noted.packed && !chunk.packed {
                return fail(format!("its chunk {k} is {chunk:?}, noted as {noted:?}"));
            }
            let id = read.block(store, k)?;
            let area = &store.bytes(id)[chunk.begin as usize..chunk.end()];
            let mut messages = Messages::new(area, self.form());
            let (mut nil, mut before) = (0, 0);
            for message in messages.by_ref() {
                let message = message?;
                // libhdf5 merges adjacent NIL messages when it opens a file for writing, whatever their sum.
                before = if message.kind == kind::NIL { before + prefix_len + message.body.len() } else { 0 };
                nil = nil.max(before);
            }
            if nil > self.max_body() + prefix_len || nil > 0 && messages.gap() > 0 {
                return fail(format!("{nil} bytes of NIL messages and a gap of {} in chunk {k}", messages.gap()));
            }
        }
        match self.prefix.old {
            Some(old) if usize::from(old.messages) != self.count_all() => {
                let detail = format_args!("its prefix counts {} messages, it has {}", old.messages, self.count_all());
                Err(Error::corrupt(WHAT, self.address, detail).because(Damage::Count))
            }
            _ => Ok(()),
        }
    }
}

/// A chunk without a place and without messages; it begins as the first chunk does.
fn empty_chunk(prefix: &Prefix) -> Chunk {
    let (begin, trailer) = (prefix.len() as u32, prefix.form().trailer() as u8);
    Chunk { address: 0, length: 0, begin, live: 0, packed: true, nils: 0, trailer }
}

#[cold]
fn too_long(length: usize, max: usize) -> Error {
    let message = format!("a message of {length} bytes is longer than {max}; it needs dense storage");
    Error::new(ErrorKind::Limit, message)
}

#[cold]
fn at(error: Error, address: u64) -> Error {
    error.within(format_args!("object header chunk at {address:#x}"))
}

/// The prefix of a new header with `area` bytes of messages.
fn prefix_for(options: &HeaderOptions, area: u64) -> Result<Prefix> {
    let width = match area {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        0x1_0000..=0x3fff_ffff => 2,
        _ => return Err(Error::new(ErrorKind::Limit, format!("an object header of {area} bytes"))),
    };
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    let flags = width
        | bit(options.track_order, flag::ATTRIBUTE_ORDER_TRACKED)
        | bit(options.index_order, flag::ATTRIBUTE_ORDER_INDEXED)
        | bit(options.phase_change.is_some(), flag::PHASE_CHANGE)
        | bit(options.times.is_some(), flag::TIMES);
    Ok(Prefix { old: None, flags, times: options.times, phase_change: options.phase_change, chunk0_size: area })
}

/// The first chunk, whose length stands in itself.
fn load_first(store: &mut Store, address: u64) -> Result<(BlockId, Prefix)> {
    if let Some(id) = store.cached(address) {
        let prefix = Prefix::parse(store.bytes(id)).map_err(|e| at(e, address))?;
        if prefix.chunk_length() != Some(store.bytes(id).len() as u64) {
            return Err(Error::corrupt(WHAT, address, "another structure of another size stands there too"));
        }
        return Ok((id, prefix));
    }
    let prefix = Prefix::parse(store.read_start(address, SPECULATIVE_READ, WHAT)?).map_err(|e| at(e, address))?;
    let length = prefix.chunk_length().filter(|&length| length <= u64::from(u32::MAX));
    let length = length.ok_or_else(|| Error::corrupt(WHAT, address, "its size is impossible"))?;
    let seal = Chunk { length: length as u32, ..empty_chunk(&prefix) }.seal();
    Ok((store.load(address, length, seal, WHAT)?, prefix))
}
