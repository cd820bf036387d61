//! The local heap of an old group: the names of its links and the values of its soft links, each with a NUL behind it.

use crate::error::{Error, ErrorKind, Result};
use crate::format::local_heap::{free_blocks, least_free, put_free_blocks, LocalHeap, ALIGNMENT};
use crate::format::symbol_table::Entry;
use crate::store::{BlockId, Seal, Store, MAX_BLOCK};

const WHAT: &str = "local heap";

/// A data segment that is not larger than this is not cut.
const SMALL: u64 = 128;

/// An open local heap. Its header never moves; its data segment does when it grows.
pub(super) struct Heap {
    address: u64,
    size: u64,
    data: u64,
    /// Free blocks, offset and length, in the order of their offsets. The list in the file is written when the group is
    /// prepared for a flush; blocks that are too small for it are known as long as the group is.
    free: Vec<(u64, u64)>,
    changed: bool,
}

impl Heap {
    /// Opens the heap whose header is at `address`.
    pub fn open(store: &mut Store, address: u64) -> Result<Self> {
        let sizes = store.sizes();
        let id = store.block(address, LocalHeap::length(sizes), Seal::None, WHAT)?;
        let LocalHeap { size, free: first, data } = LocalHeap::parse(store.bytes(id), sizes)?;
        let mut heap = Heap { address, size, data, free: Vec::new(), changed: false };
        let id = heap.segment(store)?;
        heap.free = free_blocks(store.bytes(id), first, sizes)?;
        Ok(heap)
    }

    /// The address and the bytes of the header and of the data segment.
    pub fn extents(&self, store: &Store) -> [(u64, u64); 2] {
        [(self.address, LocalHeap::length(store.sizes())), (self.data, self.size)]
    }

    fn segment(&self, store: &mut Store) -> Result<BlockId> {
        store.block(self.data, self.size, Seal::None, WHAT)
    }

    /// The text at an offset, without its NUL.
    pub fn text<'s>(&self, store: &'s mut Store, offset: u64) -> Result<&'s [u8]> {
        let id = self.segment(store)?;
        let from = usize::try_from(offset).ok().and_then(|offset| store.bytes(id).get(offset..));
        let text = from.and_then(|from| from.split(|&byte| byte == 0).next().filter(|text| text.len() < from.len()));
        text.ok_or_else(|| Error::corrupt(WHAT, self.address, format_args!("no text at offset {offset}")))
    }

    /// Keeps a text; its offset.
    pub fn add(&mut self, store: &mut Store, text: &[u8]) -> Result<u64> {
        let need = (text.len() as u64 + 1).next_multiple_of(ALIGNMENT);
        let least = least_free(store.sizes());
        let fits = |block: &(u64, u64)| block.1 == need || block.1 >= need + least;
        let place = match self.free.iter().position(fits) {
            Some(place) => place,
            None => self.grow(store, need)?,
        };
        let (offset, size) = self.free[place];
        match size == need {
            true => drop(self.free.remove(place)),
            false => self.free[place] = (offset + need, size - need),
        }
        self.changed = true;
        let id = self.segment(store)?;
        let bytes = &mut store.bytes_mut(id)[offset as usize..(offset + need) as usize];
        let (used, rest) = bytes.split_at_mut(text.len());
        used.copy_from_slice(text);
        rest.fill(0);
        Ok(offset)
    }

    /// Moves the data segment to larger space; the number of the free block at its end, which has `need` bytes and more.
    fn grow(&mut self, store: &mut Store, need: u64) -> Result<usize> {
        let size = self.size + need.max(self.size) + least_free(store.sizes());
        let size = size.next_multiple_of(ALIGNMENT);
        let width = 8 * u32::from(store.sizes().length);
        if size > MAX_BLOCK || width < 64 && size >> width != 0 {
            return Err(Error::new(ErrorKind::Limit, format!("the names of a group's links take {size} bytes")));
        }
        let source = self.segment(store)?;
        let (target, data) = store.create_block(size as usize, Seal::None)?;
        let (from, to) = store.two_mut(source, target)?;
        to[..from.len()].copy_from_slice(from);
        store.free(self.data, self.size);
        let old = std::mem::replace(&mut self.size, size);
        self.data = data;
        self.give(old, size - old);
        Ok(self.free.len() - 1)
    }

    /// Forgets the texts of a link. What is at an odd place, or free already, stays as it is.
    pub fn remove(&mut self, store: &mut Store, entry: &Entry, value: Option<u64>) -> Result<()> {
        for offset in [Some(entry.name), value].into_iter().flatten() {
            let length = (self.text(store, offset)?.len() as u64 + 1).next_multiple_of(ALIGNMENT);
            let overlaps = |&(at, size): &(u64, u64)| at < offset + length && offset < at + size;
            let inside = offset + length <= self.size;
            if offset > 0 && offset % ALIGNMENT == 0 && inside && !self.free.iter().any(overlaps) {
                self.give(offset, length);
            }
        }
        Ok(())
    }

    /// Adds a free block, joined with its neighbours.
    fn give(&mut self, mut offset: u64, mut length: u64) {
        let at = self.free.partition_point(|block| block.0 < offset);
        if self.free.get(at).is_some_and(|next| next.0 == offset + length) {
            length += self.free.remove(at).1;
        }
        match at.checked_sub(1).filter(|&before| self.free[before].0 + self.free[before].1 == offset) {
            Some(before) => {
                offset = self.free[before].0;
                self.free[before] = (offset, self.free[before].1 + length);
            }
            None => self.free.insert(at, (offset, length)),
        }
        self.changed = true;
    }

    /// Writes the header and the list of free blocks, and cuts a data segment that is mostly free at its end.
    pub fn prepare(&mut self, store: &mut Store) -> Result<()> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        let sizes = store.sizes();
        let id = self.segment(store)?;
        if let Some(last) = self.free.last_mut() {
            let kept = last.0 + last.0 / 2;
            let kept = kept.max(SMALL).max(last.0 + least_free(sizes)).next_multiple_of(ALIGNMENT);
            if last.0 + last.1 == self.size && self.size > 2 * kept {
                last.1 = kept - last.0;
                self.size = kept;
                store.shrink_block(id, kept as usize, Seal::None);
            }
        }
        let free = put_free_blocks(store.bytes_mut(id), &self.free, sizes);
        let header = LocalHeap { size: self.size, free, data: self.data };
        let id = store.block(self.address, LocalHeap::length(sizes), Seal::None, WHAT)?;
        header.put(store.bytes_mut(id), sizes);
        Ok(())
    }
}
