//! Inserting, replacing and removing messages.

use super::*;

impl ObjectHeader {
    /// Adds a message and returns its index. Longer ones than [`MAX_BODY`] are refused with [`ErrorKind::Limit`].
    pub fn insert(&mut self, store: &mut Store, message: &NewMessage<'_>) -> Result<usize> {
        if message.body.len() > MAX_BODY {
            return Err(too_long(message.body.len()));
        }
        self.begin_edit(store)?;
        let k = self.room_for(store, self.prefix_len() + message.body.len())?;
        self.insert_into(store, k, message)?;
        Ok(self.messages.len() - 1)
    }

    /// Gives message `index` another body. Its type, flags and creation order stay.
    pub fn replace(&mut self, store: &mut Store, index: usize, body: &[u8]) -> Result<()> {
        let message = self.message(index)?;
        if body.len() == message.length as usize {
            return self.overwrite(store, index, 0, body);
        }
        if body.len() > MAX_BODY {
            return Err(too_long(body.len()));
        }
        self.begin_edit(store)?;
        let k = message.chunk as usize;
        if self.chunks[k].free() + (message.length as usize) < body.len() {
            return self.move_and_replace(store, index, body);
        }
        self.pack(store, k)?;
        let (at, prefix_len) = (self.messages[index].at as usize, self.prefix_len());
        let id = self.block(store, k)?;
        let bytes = store.bytes_mut(id);
        let old_end = at + prefix_len + message.length as usize;
        let new_end = at + prefix_len + body.len();
        bytes.copy_within(old_end..self.chunks[k].tail(), new_end);
        bytes[at + 1..at + 3].copy_from_slice(&(body.len() as u16).to_le_bytes());
        bytes[at + prefix_len..new_end].copy_from_slice(body);
        for other in self.messages.iter_mut().filter(|other| other.chunk as usize == k && other.at as usize > at) {
            other.at = other.at + new_end as u32 - old_end as u32;
        }
        self.messages[index].length = body.len() as u16;
        self.chunks[k].live = self.chunks[k].live + new_end as u32 - old_end as u32;
        self.put_tail(bytes, k);
        if new_end < old_end {
            self.tidy(store, k)?;
        }
        Ok(())
    }

    /// Replaces a message that does not fit where it is.
    fn move_and_replace(&mut self, store: &mut Store, index: usize, body: &[u8]) -> Result<()> {
        let target = self.room_for(store, self.prefix_len() + body.len())?;
        // Making room may have moved it.
        let Message { kind, flags, order, .. } = self.messages[index];
        let message = NewMessage { kind, flags, order, body };
        self.insert_into(store, target, &message)?;
        let last = self.messages.len() - 1;
        self.messages.swap(index, last);
        let left = self.messages[last].chunk as usize;
        self.take_out(store, last)?;
        self.tidy(store, left)
    }

    /// Overwrites a part of message `index`'s body.
    pub fn overwrite(&mut self, store: &mut Store, index: usize, offset: usize, bytes: &[u8]) -> Result<()> {
        let message = self.message(index)?;
        if offset + bytes.len() > message.length as usize {
            return Err(Error::internal(format_args!("{} bytes at {offset} of a message", bytes.len())));
        }
        self.begin_edit(store)?;
        let id = self.block(store, message.chunk as usize)?;
        let begin = message.at as usize + self.prefix_len() + offset;
        store.bytes_mut(id)[begin..begin + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    /// Changes the creation order that message `index` has; only where that is tracked.
    pub fn set_order(&mut self, store: &mut Store, index: usize, order: u16) -> Result<()> {
        let message = self.message(index)?;
        self.begin_edit(store)?;
        if self.prefix.is_tracked() {
            let id = self.block(store, message.chunk as usize)?;
            let at = message.at as usize;
            store.bytes_mut(id)[at + 4..at + 6].copy_from_slice(&order.to_le_bytes());
            self.messages[index].order = order;
        }
        Ok(())
    }

    /// Removes message `index`; the space is free for others, or given back.
    pub fn remove(&mut self, store: &mut Store, index: usize) -> Result<()> {
        let message = self.message(index)?;
        self.begin_edit(store)?;
        self.take_out(store, index)?;
        self.tidy(store, message.chunk as usize)
    }

    /// Says how many hard links lead to the object. One needs no message.
    pub fn set_link_count(&mut self, store: &mut Store, count: u32) -> Result<()> {
        match self.find(kind::REFERENCE_COUNT) {
            Some(index) if count == 1 => self.remove(store, index),
            Some(index) => self.replace(store, index, &plain::encode_reference_count(count)),
            None if count == 1 => Ok(()),
            None => {
                let body = &plain::encode_reference_count(count);
                self.insert(store, &NewMessage { kind: kind::REFERENCE_COUNT, flags: 0, order: 0, body }).map(|_| ())
            }
        }
    }

    /// Says that the object was changed at `now` (seconds since 1970): sets the change time, if times are stored, and
    /// the marks that unknown messages ask for. Also due when only dense storage was changed.
    pub fn touch(&mut self, store: &mut Store, now: u32) -> Result<()> {
        if self.marks_due {
            self.begin_edit(store)?;
        }
        if let Some(times) = self.prefix.times.as_mut().filter(|times| times.change != now) {
            times.change = now;
            store.check_writable()?;
            let id = self.block(store, 0)?;
            store.bytes_mut(id)[14..18].copy_from_slice(&now.to_le_bytes());
        }
        Ok(())
    }

    /// Gives all chunks back. What the messages name is the caller's to free.
    pub fn delete(self, store: &mut Store) -> Result<()> {
        store.check_writable()?;
        for chunk in &self.chunks {
            store.free(chunk.address, u64::from(chunk.length));
        }
        Ok(())
    }

    /// Every edit begins here.
    #[inline]
    pub(super) fn begin_edit(&mut self, store: &mut Store) -> Result<()> {
        store.check_writable()?;
        if self.marks_due {
            self.mark_unknown(store)?;
        }
        Ok(())
    }

    #[cold]
    fn mark_unknown(&mut self, store: &mut Store) -> Result<()> {
        for index in 0..self.messages.len() {
            let message = self.messages[index];
            if wants_mark(&message) {
                let id = self.block(store, message.chunk as usize)?;
                self.messages[index].flags |= message_flag::WAS_UNKNOWN;
                store.bytes_mut(id)[message.at as usize + 3] = self.messages[index].flags;
            }
        }
        self.marks_due = false;
        Ok(())
    }

    /// Puts a message into chunk `k`, which has room for it.
    fn insert_into(&mut self, store: &mut Store, k: usize, message: &NewMessage<'_>) -> Result<()> {
        self.pack(store, k)?;
        let id = self.block(store, k)?;
        let bytes = store.bytes_mut(id);
        self.append(bytes, k, message);
        self.put_tail(bytes, k);
        Ok(())
    }

    /// Puts a message behind those of the packed chunk `k`; the tail is to be written afterwards.
    pub(super) fn append(&mut self, bytes: &mut [u8], k: usize, message: &NewMessage<'_>) {
        let tracked = self.prefix.is_tracked();
        let chunk = &mut self.chunks[k];
        let at = chunk.tail();
        let order = if tracked { message.order } else { 0 };
        let length = message.body.len();
        let stored_order = tracked.then_some(order);
        let begin = at + put_message_prefix(&mut bytes[at..], message.kind, length, message.flags, stored_order);
        bytes[begin..begin + length].copy_from_slice(message.body);
        chunk.live += (begin - at + length) as u32;
        self.messages.push(Message {
            kind: message.kind,
            flags: message.flags,
            order,
            length: length as u16,
            chunk: k as u16,
            at: at as u32,
        });
    }

    /// Writes the free space behind the messages of the packed chunk `k`: a NIL message, or a gap.
    pub(super) fn put_tail(&self, bytes: &mut [u8], k: usize) {
        let chunk = &self.chunks[k];
        let prefix_len = self.prefix_len();
        let mut tail = &mut bytes[chunk.tail()..chunk.end()];
        tail.fill(0);
        while tail.len() >= prefix_len {
            let room = tail.len() - prefix_len;
            // Whatever is left must hold another prefix. Only until `tidy` cuts it off there is more than one.
            let length = if room <= MAX_BODY { room } else { MAX_BODY - prefix_len };
            put_message_prefix(tail, kind::NIL, length, 0, None);
            tail = &mut tail[prefix_len + length..];
        }
    }

    /// Takes message `index` out of its chunk, and closes the hole.
    pub(super) fn take_out(&mut self, store: &mut Store, index: usize) -> Result<()> {
        let k = self.message(index)?.chunk as usize;
        self.pack(store, k)?;
        let id = self.block(store, k)?;
        let message = self.messages.remove(index);
        let bytes = store.bytes_mut(id);
        self.close_hole(bytes, k, message);
        self.put_tail(bytes, k);
        Ok(())
    }

    /// Moves what follows `message` in the packed chunk `k` to its place; the tail is to be written afterwards.
    pub(super) fn close_hole(&mut self, bytes: &mut [u8], k: usize, message: Message) {
        let size = self.prefix_len() + message.length as usize;
        let at = message.at as usize;
        bytes.copy_within(at + size..self.chunks[k].tail(), at);
        for other in self.messages.iter_mut().filter(|other| other.chunk as usize == k && other.at > message.at) {
            other.at -= size as u32;
        }
        self.chunks[k].live -= size as u32;
    }

    /// Brings the messages of chunk `k` together, with all free space behind them.
    pub(super) fn pack(&mut self, store: &mut Store, k: usize) -> Result<()> {
        if self.chunks[k].packed {
            return Ok(());
        }
        let prefix_len = self.prefix_len();
        let id = self.block(store, k)?;
        let bytes = store.bytes_mut(id);
        let mut own: Vec<&mut Message> = self.messages.iter_mut().filter(|m| m.chunk as usize == k).collect();
        own.sort_unstable_by_key(|message| message.at);
        let mut to = self.chunks[k].begin as usize;
        for message in own {
            let (from, size) = (message.at as usize, prefix_len + message.length as usize);
            bytes.copy_within(from..from + size, to);
            message.at = to as u32;
            to += size;
        }
        self.chunks[k].packed = true;
        self.put_tail(bytes, k);
        Ok(())
    }
}
