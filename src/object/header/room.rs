//! Room for messages: continuation chunks made, moved, cut and given back.

use super::*;

/// A continuation chunk with more free space than this, and than three times its messages, is cut.
const MUCH_FREE: usize = 512;

/// The most room for further messages that is taken along when a chunk is made or moved.
const MAX_SLACK: usize = 4096;

/// Half as much again, so that few of many insertions move the chunk.
fn slack(area: usize) -> usize {
    (area / 2).clamp(32, MAX_SLACK)
}

impl ObjectHeader {
    /// A chunk with `need` bytes of room, the fullest one that has it; made if there is none.
    pub(super) fn room_for(&mut self, store: &mut Store, need: usize) -> Result<usize> {
        let free = self.chunks.iter().map(Chunk::free).enumerate().filter(|&(_, free)| free >= need);
        match free.min_by_key(|&(_, free)| free) {
            Some((k, _)) => Ok(k),
            None if self.chunks.len() > 1 => self.grow_last(store, need),
            None => self.continue_header(store, need),
        }
    }

    /// Moves the last chunk to larger space.
    fn grow_last(&mut self, store: &mut Store, need: usize) -> Result<usize> {
        let k = self.chunks.len() - 1;
        let parent = self.continuation_of(store, k)?;
        self.pack(store, k)?;
        let old = self.chunks[k];
        let area = old.live as usize + need;
        let source = self.block(store, k)?;
        let (target, new) = self.create_chunk(store, area + slack(area))?;
        let (from, to) = store.two_mut(source, target)?;
        to[..old.tail()].copy_from_slice(&from[..old.tail()]);
        self.chunks[k] = Chunk { live: old.live, ..new };
        self.put_tail(to, k);
        self.name_chunk(store, parent, k)?;
        store.free(old.address, u64::from(old.length));
        Ok(k)
    }

    /// Makes the first continuation chunk. Messages of the first chunk make way for its continuation message.
    fn continue_header(&mut self, store: &mut Store, need: usize) -> Result<usize> {
        let prefix_len = self.prefix_len();
        let sizes = store.sizes();
        self.pack(store, 0)?;
        let victims = self.victims(prefix_len + self.form().padded(Continuation::encoded_len(sizes)))?;
        let moved: usize = victims.iter().map(|&index| prefix_len + self.messages[index].length as usize).sum();
        let area = moved + need;
        let source = self.block(store, 0)?;
        let (target, new) = self.create_chunk(store, area + slack(area))?;
        let Chunk { address, length, .. } = new;
        self.chunks.push(new);
        for index in victims {
            self.move_message(store, index, (source, 0), (target, 1))?;
        }
        self.put_tail(store.bytes_mut(target), 1);
        let body = &Continuation { address, length: u64::from(length) }.encode(sizes);
        let bytes = store.bytes_mut(source);
        self.append(bytes, 0, &NewMessage { kind: kind::CONTINUATION, flags: 0, order: 0, body });
        self.put_tail(bytes, 0);
        Ok(1)
    }

    /// A new continuation chunk with room for `area` bytes of messages.
    fn create_chunk(&self, store: &mut Store, area: usize) -> Result<(BlockId, Chunk)> {
        let form = self.form();
        let begin = form.signature().len();
        let length = begin + form.padded(area) + form.trailer();
        if length > i32::MAX as usize {
            let message = format!("the object header at {:#x} has {area} bytes in a chunk", self.address);
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let chunk = Chunk { length: length as u32, begin: begin as u32, ..empty_chunk(&self.prefix) };
        let (id, address) = store.create_block(length, chunk.seal())?;
        store.bytes_mut(id)[..begin].copy_from_slice(form.signature());
        Ok((id, Chunk { address, ..chunk }))
    }

    /// The messages of the first chunk that free `need` bytes when they go: the smallest one that suffices, else the
    /// largest ones.
    fn victims(&self, need: usize) -> Result<Vec<usize>> {
        let mut missing = need.saturating_sub(self.chunks[0].free());
        let mut victims = Vec::new();
        let size = |index: usize| self.prefix_len() + self.messages[index].length as usize;
        while missing > 0 {
            let left = || (0..self.messages.len()).filter(|index| !victims.contains(index));
            let enough = left().filter(|&index| size(index) >= missing).min_by_key(|&index| size(index));
            let Some(victim) = enough.or_else(|| left().max_by_key(|&index| size(index))) else {
                return Err(Error::new(
                    ErrorKind::Limit,
                    format!("the object header at {:#x} has no room for a continuation", self.address),
                ));
            };
            missing = missing.saturating_sub(size(victim));
            victims.push(victim);
        }
        Ok(victims)
    }

    /// Moves message `index` from one packed chunk to the end of another; the tails are to be written afterwards.
    fn move_message(
        &mut self,
        store: &mut Store,
        index: usize,
        (source, from): (BlockId, usize),
        (target, to): (BlockId, usize),
    ) -> Result<()> {
        let message = self.messages[index];
        let size = self.prefix_len() + message.length as usize;
        let (at, tail) = (message.at as usize, self.chunks[to].tail());
        let (source_bytes, target_bytes) = store.two_mut(source, target)?;
        target_bytes[tail..tail + size].copy_from_slice(&source_bytes[at..at + size]);
        self.close_hole(store.bytes_mut(source), from, message);
        self.chunks[to].live += size as u32;
        self.messages[index] = Message { chunk: to as u16, at: tail as u32, ..message };
        Ok(())
    }

    /// The continuation message that names chunk `k`.
    fn continuation_of(&self, store: &mut Store, k: usize) -> Result<usize> {
        let sizes = store.sizes();
        for index in self.find_all(kind::CONTINUATION) {
            if Continuation::decode(self.body(store, index)?, sizes)?.address == self.chunks[k].address {
                return Ok(index);
            }
        }
        Err(Error::internal(format_args!("no continuation message names chunk {k}")))
    }

    /// Writes chunk `k`'s address and length to the continuation message `parent`.
    fn name_chunk(&mut self, store: &mut Store, parent: usize, k: usize) -> Result<()> {
        let Chunk { address, length, .. } = self.chunks[k];
        let body = Continuation { address, length: u64::from(length) }.encode(store.sizes());
        self.overwrite(store, parent, 0, &body)
    }

    /// Gives space back after messages were taken out of chunk `k`.
    pub(super) fn tidy(&mut self, store: &mut Store, k: usize) -> Result<()> {
        let Chunk { live, .. } = self.chunks[k];
        let live = live as usize;
        if k == 0 {
            return self.cut(store, 0, self.max_body());
        }
        let leaf = !self.messages.iter().any(|m| m.chunk as usize == k && m.kind == kind::CONTINUATION);
        if leaf && self.merge_back(store, k)? {
            return Ok(());
        }
        self.cut(store, k, (3 * live).clamp(MUCH_FREE, self.max_body()))
    }

    /// Cuts chunk `k`'s free space where it is more than `bound`: to leave some room, and, as libhdf5 merges adjacent
    /// NIL messages without regard to the largest message, never more than one can cover.
    fn cut(&mut self, store: &mut Store, k: usize, bound: usize) -> Result<()> {
        let chunk = self.chunks[k];
        if chunk.free() <= bound {
            return Ok(());
        }
        self.pack(store, k)?;
        let length = self.form().padded(chunk.tail() + slack(chunk.live as usize)) + usize::from(chunk.trailer);
        let id = self.block(store, k)?;
        self.chunks[k].length = length as u32;
        store.shrink_block(id, length, self.chunks[k].seal());
        self.put_tail(store.bytes_mut(id), k);
        if k > 0 {
            let parent = self.continuation_of(store, k)?;
            return self.name_chunk(store, parent, k);
        }
        self.prefix.chunk0_size = (self.chunks[0].end() - chunk.begin as usize) as u64;
        let mut writer = Writer::new();
        self.prefix.encode(&mut writer);
        store.bytes_mut(id)[..writer.len()].copy_from_slice(writer.as_slice());
        Ok(())
    }

    /// Moves the messages of chunk `k` to the first chunk and frees chunk `k`, if they fit there.
    fn merge_back(&mut self, store: &mut Store, k: usize) -> Result<bool> {
        let live = self.chunks[k].live as usize;
        let parent = self.continuation_of(store, k)?;
        let parent_chunk = self.messages[parent].chunk as usize;
        let given_up = self.prefix_len() + self.messages[parent].length as usize;
        if live > self.chunks[0].free() + if parent_chunk == 0 { given_up } else { 0 } {
            return Ok(false);
        }
        self.pack(store, k)?;
        self.pack(store, 0)?;
        self.take_out(store, parent)?;
        let (source, target) = (self.block(store, k)?, self.block(store, 0)?);
        for index in 0..self.messages.len() {
            if self.messages[index].chunk as usize == k {
                self.move_message(store, index, (source, k), (target, 0))?;
            }
        }
        self.put_tail(store.bytes_mut(target), 0);
        let chunk = self.chunks.remove(k);
        store.free(chunk.address, u64::from(chunk.length));
        for message in self.messages.iter_mut().filter(|message| message.chunk as usize > k) {
            message.chunk -= 1;
        }
        if parent_chunk > 0 {
            // It is below `k`: a chunk is noted after the one that names it.
            self.tidy(store, parent_chunk)?;
        }
        Ok(true)
    }

    /// Moves the first chunk, and so the object, into a hole that ends at or before `limit`; where it stands then. The
    /// caller changes all that names its address.
    pub fn relocate_first(&mut self, store: &mut Store, limit: u64) -> Result<Option<u64>> {
        self.begin_edit(store)?;
        let id = self.block(store, 0)?;
        if !store.relocate_below(id, limit) {
            return Ok(None);
        }
        self.address = store.address(id);
        self.chunks[0].address = self.address;
        Ok(Some(self.address))
    }

    /// Moves continuation chunks at or above `limit` into holes below it; returns how many.
    pub fn relocate_above(&mut self, store: &mut Store, limit: u64) -> Result<usize> {
        let mut moved = 0;
        for k in 1..self.chunks.len() {
            if self.chunks[k].address < limit {
                continue;
            }
            self.begin_edit(store)?;
            let parent = self.continuation_of(store, k)?;
            let id = self.block(store, k)?;
            if store.relocate_below(id, limit) {
                self.chunks[k].address = store.address(id);
                self.name_chunk(store, parent, k)?;
                moved += 1;
            }
        }
        Ok(moved)
    }
}
