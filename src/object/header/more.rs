//! What opening a header has to do beyond its first chunk, which few headers ask for: other chunks, shared messages, and messages
//! of types that are not known.

use super::*;

impl Message {
    /// Whether opening the header does not end with this message.
    #[inline]
    pub(super) fn asks_for_more(&self) -> bool {
        self.kind == kind::CONTINUATION || self.flags & message_flag::SHARED != 0 || !kind::is_known(self.kind)
    }
}

impl ObjectHeader {
    /// Does what messages ask for: reads other chunks and shared messages, and heeds the flags of unknown ones.
    pub(super) fn complete(&mut self, store: &mut Store) -> Result<()> {
        let (mut next, mut pending) = (0, self.messages.len());
        while next < pending {
            if self.messages[next].kind == kind::CONTINUATION {
                self.follow(store, next)?;
                pending = self.messages.len();
            }
            next += 1;
        }
        self.honour_flags(store)?;
        self.resolve_shared(store)
    }

    /// Opens the chunk that the continuation message `index` names.
    fn follow(&mut self, store: &mut Store, index: usize) -> Result<()> {
        let sizes = store.sizes();
        let Continuation { address, length } = Continuation::decode(self.stored_body(store, index)?, sizes)?;
        let form = self.form();
        let least = (form.signature().len() + form.trailer()).max(form.prefix_len()) as u64;
        if length < least || length > u64::from(u32::MAX) || self.chunks.len() >= MAX_CHUNKS {
            return Err(Error::corrupt(
                WHAT,
                self.address,
                format_args!("chunk {} of {length} bytes", self.chunks.len()),
            ));
        }
        let overlaps = |chunk: &Chunk| {
            address < chunk.address + u64::from(chunk.length) && chunk.address < address.saturating_add(length)
        };
        if self.chunks.iter().any(overlaps) {
            return Err(Error::corrupt(WHAT, self.address, format_args!("its chunk at {address:#x} overlaps another")));
        }
        let begin = form.signature().len() as u32;
        let chunk = Chunk { address, length: length as u32, begin, ..empty_chunk(&self.prefix) };
        let id = store.block(address, length, chunk.seal(), WHAT)?;
        let bytes = store.bytes(id);
        if !bytes.starts_with(form.signature()) {
            return Err(Error::corrupt(WHAT, address, "a continuation chunk without its signature"));
        }
        self.chunks.push(chunk);
        let last = self.chunks.len() - 1;
        self.walk(bytes, last).map_err(|e| at(e, address))
    }

    /// What the flags of unknown messages ask for.
    fn honour_flags(&mut self, store: &Store) -> Result<()> {
        let writable = !store.read_only();
        for message in self.messages.iter().filter(|message| !kind::is_known(message.kind)) {
            let forbidden =
                message_flag::FAIL_IF_UNKNOWN | if writable { message_flag::FAIL_IF_UNKNOWN_FOR_WRITE } else { 0 };
            if message.flags & forbidden != 0 {
                return Err(Error::unsupported(format_args!(
                    "message type {:#04x} in the object header at {:#x}, whose flags forbid to open the object{}",
                    message.kind,
                    self.address,
                    if message.flags & message_flag::FAIL_IF_UNKNOWN != 0 { "" } else { " for writing" }
                )));
            }
            self.marks_due |= wants_mark(message);
        }
        Ok(())
    }
}

pub(super) fn wants_mark(message: &Message) -> bool {
    let marked = message_flag::MARK_IF_UNKNOWN | message_flag::WAS_UNKNOWN;
    !kind::is_known(message.kind) && message.flags & marked == message_flag::MARK_IF_UNKNOWN
}
