//! From version 1 to version 2, where the object gets something that version 1 cannot hold.

use super::*;

impl ObjectHeader {
    /// Makes a version 1 header one of version 2 at the same place, which libhdf5 reads since 1.8. The first chunk keeps
    /// its length; what does not fit goes to a continuation. The modification time moves from its message to the prefix,
    /// the number of hard links from the prefix to a message.
    pub fn upgrade(&mut self, store: &mut Store) -> Result<()> {
        let Some(old) = self.prefix.old else { return Ok(()) };
        let length = self.chunks[0].length;
        let prefix = self.upgraded_prefix(store, length)?;
        self.begin_edit(store)?;
        let mut kept = Vec::with_capacity(self.messages.len());
        for (index, message) in self.messages.iter().enumerate() {
            let timed = [kind::MODIFICATION_TIME, kind::MODIFICATION_TIME_OLD].contains(&message.kind);
            if message.kind != kind::CONTINUATION && !(timed && prefix.times.is_some()) {
                kept.push((message.kind, message.flags, self.stored_body(store, index)?.to_vec()));
            }
        }
        for chunk in &self.chunks[1..] {
            store.free(chunk.address, u64::from(chunk.length));
        }
        let id = self.block(store, 0)?;
        self.prefix = prefix;
        self.chunks = smallvec![Chunk { address: self.address, length, ..empty_chunk(&prefix) }];
        self.messages.clear();
        store.set_seal(id, self.chunks[0].seal());
        let mut writer = Writer::new();
        prefix.encode(&mut writer);
        let bytes = store.bytes_mut(id);
        bytes[..writer.len()].copy_from_slice(writer.as_slice());
        self.put_tail(bytes, 0);
        for (kind, flags, body) in &kept {
            self.insert(store, &NewMessage { kind: *kind, flags: *flags, order: 0, body })?;
        }
        self.set_link_count(store, old.links.max(1))?;
        self.tidy(store, 0)
    }

    /// The prefix of version 2 for a first chunk of `length` bytes: with times if there is room and one is known.
    fn upgraded_prefix(&self, store: &mut Store, length: u32) -> Result<Prefix> {
        let time = self.modification_time(store)?;
        let width = match length {
            0..=0xff => 0,
            0x100..=0xffff => 1,
            _ => 2,
        };
        let least = Form::New.prefix_len() + Continuation::encoded_len(store.sizes());
        for time in [time, None] {
            let times = time.map(|time| Times { access: time, modification: time, change: time, birth: time });
            let flags = width | if times.is_some() { flag::TIMES } else { 0 };
            let prefix = Prefix { old: None, flags, times, phase_change: None, chunk0_size: 0 };
            let area = (length as usize).checked_sub(prefix.len() + Form::New.trailer());
            if let Some(area) = area.filter(|&area| area >= least) {
                return Ok(Prefix { chunk0_size: area as u64, ..prefix });
            }
        }
        let what = format_args!("making an object header of version 1 with {length} bytes one of version 2");
        Err(Error::unsupported(what))
    }

    /// When the object was changed last, if a message says so.
    pub fn modification_time(&self, store: &mut Store) -> Result<Option<u32>> {
        if let Some(index) = self.find(kind::MODIFICATION_TIME) {
            return plain::modification_time(self.body(store, index)?).map(Some);
        }
        match self.find(kind::MODIFICATION_TIME_OLD) {
            Some(index) => Ok(u32::try_from(plain::modification_time_old(self.body(store, index)?)?).ok()),
            None => Ok(None),
        }
    }
}
