//! What messages say: their own bodies, and those in the shared message heap, which are read with the header and counted
//! when they go.

use super::*;
use crate::format::message::shared::{LostUse, Shared};
use crate::heap::shared;

/// A message of the heap: its type, its heap ID, what it says.
pub(super) type Resolved = (u8, [u8; 8], Box<[u8]>);

impl ObjectHeader {
    /// What message `index` says. Of one that is shared: what it says in the shared message heap, or, if it is a
    /// committed datatype, the reference to that.
    #[inline]
    pub fn body<'a>(&'a self, store: &'a mut Store, index: usize) -> Result<&'a [u8]> {
        match self.message(index)?.flags & message_flag::SHARED {
            0 => self.stored_body(store, index),
            _ => self.shared_body(store, index),
        }
    }

    /// The bytes of message `index`, which may be a reference.
    #[inline]
    pub(super) fn stored_body<'a>(&self, store: &'a mut Store, index: usize) -> Result<&'a [u8]> {
        let message = self.message(index)?;
        let id = self.block(store, message.chunk as usize)?;
        let begin = message.at as usize + self.prefix_len();
        Ok(&store.bytes(id)[begin..begin + message.length as usize])
    }

    /// Reads what the header's messages have in the heap.
    pub(super) fn resolve_shared(&mut self, store: &mut Store) -> Result<()> {
        for index in 0..self.messages.len() {
            if let Some(id) = self.heap_id(store, index)? {
                self.resolve(store, self.messages[index].kind, id).map_err(|e| at(e, self.address))?;
            }
        }
        Ok(())
    }

    fn resolve(&mut self, store: &mut Store, kind: u8, id: [u8; 8]) -> Result<()> {
        let Err(place) = self.place_of(kind, &id) else { return Ok(()) };
        let body = shared::read(store, kind, &id)?;
        // No two messages of an object are the same, so together they are no longer than the file.
        let all = self.shared.iter().map(|(.., body)| body.len() as u64).sum::<u64>() + body.len() as u64;
        if all > store.space().end() {
            return Err(Error::corrupt(WHAT, self.address, format_args!("its shared messages have {all} bytes")));
        }
        self.shared.insert(place, (kind, id, body.into()));
        Ok(())
    }

    fn place_of(&self, kind: u8, id: &[u8; 8]) -> std::result::Result<usize, usize> {
        self.shared.binary_search_by(|(other, key, _)| (other, key).cmp(&(&kind, id)))
    }

    fn reference(&self, store: &mut Store, index: usize) -> Result<Option<Shared>> {
        if self.message(index)?.flags & message_flag::SHARED == 0 {
            return Ok(None);
        }
        let sizes = store.sizes();
        Shared::decode(self.stored_body(store, index)?, sizes).map(Some)
    }

    /// The heap ID of message `index`, if it stands in the shared message heap.
    pub fn heap_id(&self, store: &mut Store, index: usize) -> Result<Option<[u8; 8]>> {
        Ok(match self.reference(store, index)? {
            Some(Shared::Heap(id)) => Some(id),
            _ => None,
        })
    }

    /// The address of the object header that message `index` stands in, if that is another one: a committed datatype's.
    pub fn shared_object(&self, store: &mut Store, index: usize) -> Result<Option<u64>> {
        Ok(match self.reference(store, index)? {
            Some(Shared::Object(address)) => Some(address),
            _ => None,
        })
    }

    #[cold]
    pub(super) fn shared_body<'a>(&'a self, store: &'a mut Store, index: usize) -> Result<&'a [u8]> {
        let Some(id) = self.heap_id(store, index)? else { return self.stored_body(store, index) };
        match self.place_of(self.messages[index].kind, &id) {
            Ok(place) => Ok(&self.shared[place].2),
            Err(_) => Err(Error::internal("a shared message was not read with its header")),
        }
    }

    /// Adds a message that stands in the shared message heap, where its use is counted already.
    pub fn insert_shared(&mut self, store: &mut Store, kind: u8, order: u16, id: [u8; 8]) -> Result<()> {
        self.resolve(store, kind, id)?;
        let body = Shared::Heap(id).encode(store.sizes());
        self.insert(store, &NewMessage { kind, flags: message_flag::SHARED, order, body: &body }).map(|_| ())
    }

    /// Notes that message `index` goes: that is one use less, if it is shared or could be from here.
    pub(super) fn lose_use(&self, store: &mut Store, index: usize) -> Result<()> {
        let Message { kind, flags, .. } = self.message(index)?;
        // A message that could be shared from here may have come from another file.
        if flags & (message_flag::SHARED | message_flag::SHAREABLE) == 0 || store.shared().table.is_none() {
            return Ok(());
        }
        let lost = match self.heap_id(store, index)? {
            Some(id) => LostUse::Heap { kind, id, keeps_value: false },
            None if flags & message_flag::SHARED != 0 => return Ok(()),
            None => {
                let body = self.stored_body(store, index)?.into();
                LostUse::Header { kind, address: self.address, body }
            }
        };
        store.shared_mut().lost.push(lost);
        Ok(())
    }

    /// Message `index` is about to be replaced by one that is its own.
    pub(super) fn leave_shared(&mut self, store: &mut Store, index: usize) -> Result<()> {
        let message = self.message(index)?;
        let shared = message_flag::SHARED | message_flag::SHAREABLE;
        if message.flags & shared == 0 {
            return Ok(());
        }
        self.lose_use(store, index)?;
        self.begin_edit(store)?;
        self.messages[index].flags &= !shared;
        let id = self.block(store, message.chunk as usize)?;
        let prefix = &mut store.bytes_mut(id)[message.at as usize..];
        self.form().put_flags(prefix, self.messages[index].flags);
        Ok(())
    }
}
