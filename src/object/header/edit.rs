//! Inserting, replacing and removing messages.

use super::*;

impl ObjectHeader {
    /// Adds a message and returns its index. Longer ones than [`ObjectHeader::max_body`] are refused with
    /// [`ErrorKind::Limit`], and so are more than a version 1 header can count.
    pub fn insert(&mut self, store: &mut Store, message: &NewMessage<'_>) -> Result<usize> {
        if message.body.len() > self.max_body() {
            return Err(too_long(message.body.len(), self.max_body()));
        }
        // A continuation message and a NIL message may come with it.
        if self.is_old() && self.count_all() + 4 > usize::from(u16::MAX) {
            let message = "the object's header, of version 1, has 65,535 messages, the most that it can count";
            return Err(Error::new(ErrorKind::Limit, message));
        }
        self.begin_edit(store)?;
        let k = self.room_for(store, self.prefix_len() + self.form().padded(message.body.len()))?;
        self.insert_into(store, k, message)?;
        self.end_edit(store)?;
        Ok(self.messages.len() - 1)
    }

    /// Gives message `index` another body. Its type, flags and creation order stay.
    /// One that is shared is not any more.
    pub fn replace(&mut self, store: &mut Store, index: usize, body: &[u8]) -> Result<()> {
        let message = self.message(index)?;
        if body.len() <= self.max_body() {
            self.leave_shared(store, index)?;
        }
        if body.len() == message.length as usize {
            return self.overwrite(store, index, 0, body);
        }
        if body.len() > self.max_body() {
            return Err(too_long(body.len(), self.max_body()));
        }
        self.begin_edit(store)?;
        let k = message.chunk as usize;
        let length = self.form().padded(body.len());
        match self.chunks[k].free() + (message.length as usize) < length {
            true => self.move_and_replace(store, index, body)?,
            false => self.replace_in_chunk(store, index, body)?,
        }
        self.end_edit(store)
    }

    /// Replaces a message in its chunk, which has room for it.
    fn replace_in_chunk(&mut self, store: &mut Store, index: usize, body: &[u8]) -> Result<()> {
        let message = self.message(index)?;
        let (k, length) = (message.chunk as usize, self.form().padded(body.len()));
        self.pack(store, k)?;
        let (at, prefix_len) = (self.messages[index].at as usize, self.prefix_len());
        let id = self.block(store, k)?;
        let bytes = store.bytes_mut(id);
        let old_end = at + prefix_len + message.length as usize;
        let new_end = at + prefix_len + length;
        bytes.copy_within(old_end..self.chunks[k].tail(), new_end);
        self.form().put_length(&mut bytes[at..], length);
        put_body(&mut bytes[at + prefix_len..new_end], body);
        for other in self.messages.iter_mut().filter(|other| other.chunk as usize == k && other.at as usize > at) {
            other.at = other.at + new_end as u32 - old_end as u32;
        }
        self.messages[index].length = length as u16;
        self.chunks[k].live = self.chunks[k].live + new_end as u32 - old_end as u32;
        self.put_tail(bytes, k);
        if new_end < old_end {
            self.tidy(store, k)?;
        }
        Ok(())
    }

    /// Replaces a message that does not fit where it is.
    fn move_and_replace(&mut self, store: &mut Store, index: usize, body: &[u8]) -> Result<()> {
        let target = self.room_for(store, self.prefix_len() + self.form().padded(body.len()))?;
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
        if self.form() == Form::Tracked {
            let id = self.block(store, message.chunk as usize)?;
            let at = message.at as usize;
            store.bytes_mut(id)[at + 4..at + 6].copy_from_slice(&order.to_le_bytes());
            self.messages[index].order = order;
        }
        Ok(())
    }

    /// Removes message `index`; the space is free for others, or given back. If it is shared, that is one use less.
    pub fn remove(&mut self, store: &mut Store, index: usize) -> Result<()> {
        self.lose_use(store, index)?;
        self.take_away(store, index)
    }

    /// Removes message `index`, whose use of a shared message goes on elsewhere.
    pub fn take_away(&mut self, store: &mut Store, index: usize) -> Result<()> {
        let message = self.message(index)?;
        self.begin_edit(store)?;
        self.take_out(store, index)?;
        self.tidy(store, message.chunk as usize)?;
        self.end_edit(store)
    }

    /// Says how many hard links lead to the object. One needs no message.
    pub fn set_link_count(&mut self, store: &mut Store, count: u32) -> Result<()> {
        if let Some(old) = &mut self.prefix.old {
            old.links = count;
            self.begin_edit(store)?;
            let id = self.block(store, 0)?;
            store.bytes_mut(id)[OLD_LINKS_AT..OLD_LINKS_AT + 4].copy_from_slice(&count.to_le_bytes());
            return Ok(());
        }
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

    /// Says that the object was changed at `now` (seconds since 1970): sets the change time, or the modification time
    /// message of version 1, if it is stored, and the marks that unknown messages ask for. Also due when only dense
    /// storage was changed.
    pub fn touch(&mut self, store: &mut Store, now: u32) -> Result<()> {
        if self.marks_due {
            self.begin_edit(store)?;
        }
        if self.is_old() {
            return self.touch_message(store, now);
        }
        if let Some(times) = self.prefix.times.as_mut().filter(|times| times.change != now) {
            times.change = now;
            store.check_writable()?;
            let id = self.block(store, 0)?;
            store.bytes_mut(id)[14..18].copy_from_slice(&now.to_le_bytes());
        }
        Ok(())
    }

    fn touch_message(&mut self, store: &mut Store, now: u32) -> Result<()> {
        for (kind, body) in [
            (kind::MODIFICATION_TIME, plain::encode_modification_time(now).to_vec()),
            (kind::MODIFICATION_TIME_OLD, plain::encode_modification_time_old(now).to_vec()),
        ] {
            let Some(index) = self.find(kind) else { continue };
            if !self.body(store, index)?.starts_with(&body) {
                self.replace(store, index, &body)?;
            }
        }
        Ok(())
    }

    /// Gives all chunks back. What the messages name is the caller's to free.
    pub fn delete(self, store: &mut Store) -> Result<()> {
        store.check_writable()?;
        for index in 0..self.messages.len() {
            self.lose_use(store, index)?;
        }
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

    /// Every edit that adds or removes messages ends here: version 1 counts them.
    #[inline]
    pub(super) fn end_edit(&mut self, store: &mut Store) -> Result<()> {
        let count = self.count_all() as u16;
        match &mut self.prefix.old {
            Some(old) if old.messages != count => old.messages = count,
            _ => return Ok(()),
        }
        let id = self.block(store, 0)?;
        store.bytes_mut(id)[OLD_MESSAGES_AT..OLD_MESSAGES_AT + 2].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }

    #[cold]
    fn mark_unknown(&mut self, store: &mut Store) -> Result<()> {
        for index in 0..self.messages.len() {
            let message = self.messages[index];
            if wants_mark(&message) {
                let id = self.block(store, message.chunk as usize)?;
                self.messages[index].flags |= message_flag::WAS_UNKNOWN;
                let prefix = &mut store.bytes_mut(id)[message.at as usize..];
                self.form().put_flags(prefix, self.messages[index].flags);
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
        let form = self.form();
        let chunk = &mut self.chunks[k];
        let at = chunk.tail();
        let order = if form == Form::Tracked { message.order } else { 0 };
        let length = form.padded(message.body.len());
        let begin = at + form.put_prefix(&mut bytes[at..], message.kind, length, message.flags, order);
        put_body(&mut bytes[begin..begin + length], message.body);
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
    pub(super) fn put_tail(&mut self, bytes: &mut [u8], k: usize) {
        let (form, prefix_len) = (self.form(), self.prefix_len());
        let chunk = &mut self.chunks[k];
        chunk.nils = 0;
        let mut tail = &mut bytes[chunk.tail()..chunk.end()];
        tail.fill(0);
        while tail.len() >= prefix_len {
            let room = tail.len() - prefix_len;
            // Whatever is left must hold another prefix. Only until `tidy` cuts it off there is more than one.
            let length = if room <= form.max_body() { room } else { form.max_body() - form.padded(prefix_len) };
            form.put_prefix(tail, kind::NIL, length, 0, 0);
            chunk.nils += 1;
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

/// Writes a message's body, and its padding.
fn put_body(place: &mut [u8], body: &[u8]) {
    let (used, padding) = place.split_at_mut(body.len());
    used.copy_from_slice(body);
    padding.fill(0);
}
