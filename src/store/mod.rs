//! One open file as blocks: the backend, the free space, the cache, and the flush that makes changes visible.
//!
//! Owners of structures (B-tree, heap, object header) read and edit cached blocks in place; nothing is written before
//! [`Store::flush`], which makes all changes visible or, after a crash, none.

#[cfg(fuzzing)]
pub mod accept;
mod ahead;
mod arena;
pub mod backend;
mod cache;
mod commit;
#[cfg(test)]
mod commit_tests;
mod copies;
pub mod direct;
pub mod file;
mod index;
mod journal;
pub mod lock;
pub mod managers;
pub mod map;
mod moved;
mod prefetch;
mod reader;
pub mod recover;
mod region;
pub mod ring;
mod shared;
mod space;
mod whole;

use std::io::IoSlice;

use ahead::Ahead;
pub use backend::{Backend, Change, Fault, FaultBackend, FaultControl, MemoryBackend, RecordingBackend, WritePart};
pub use cache::{AddressMap, BlockId, Hint, Seal};
pub use commit::Durability;
pub use moved::Moved;
pub(crate) use prefetch::prefetch;
pub use reader::{ReadPart, Reader, SharedRead};
pub use shared::SharedMessages;
pub use space::Space;

use crate::error::{Damage, Error, ErrorKind, Result};
use crate::format::message::plain::BTreeK;
use crate::format::{Sizes, UNDEFINED};

/// Bytes of clean blocks kept when the user does not say.
pub const DEFAULT_CACHE_BOUND: usize = 64 << 20;

/// No single metadata block is larger than this; a larger size in a file is damage, not data.
pub const MAX_BLOCK: u64 = 1 << 30;

/// The blocks of one open file. Not thread-safe: the file's lock guards it.
pub struct Store {
    backend: Box<dyn Backend>,
    cache: cache::Cache,
    space: Space,
    sizes: Sizes,
    base: u64,
    /// The file's physical length as last seen or set, from byte 0.
    length: u64,
    read_only: bool,
    failed: bool,
    durability: Durability,
    /// Something was written that no sync has waited for.
    unsynced: bool,
    edits: u64,
    /// As many as there were when all was whole ([`Store::note_whole`]).
    whole: u64,
    k: BTreeK,
    ahead: Ahead,
    moves: moved::Moves,
    shared: SharedMessages,
    /// Whether the file may have collections of the global heap; a new one has none yet.
    pub(crate) has_collections: bool,
    counters: Counters,
}

/// What the store has done, for statistics and tests that count.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Blocks written by flushes.
    pub blocks_written: u64,
    /// Bytes of metadata written by flushes.
    pub bytes_written: u64,
    /// Write calls to the backend.
    pub writes: u64,
    /// Blocks read from the backend.
    pub blocks_read: u64,
    /// Bytes of redo records.
    pub record_bytes: u64,
    /// Waits for the device.
    pub syncs: u64,
}

impl Store {
    /// A store over `backend`, whose allocated space ends at `end` bytes after `base` (the superblock's address).
    pub fn new(mut backend: Box<dyn Backend>, sizes: Sizes, base: u64, end: u64, read_only: bool) -> Result<Self> {
        let length = backend.len().map_err(|e| Error::io("asking for the file's length", e))?;
        Ok(Store { base, length, read_only, ..Store::over(backend, sizes, Space::new(end, sizes.most_end())) })
    }

    /// An empty store in memory, for tests: 8-byte sizes, allocation begins at 48.
    pub fn in_memory() -> Self {
        Store::over(Box::new(MemoryBackend::new()), Sizes::EIGHT, Space::new(48, u64::MAX))
    }

    /// A store that can be written, over nothing yet.
    fn over(backend: Box<dyn Backend>, sizes: Sizes, space: Space) -> Self {
        Store {
            backend,
            cache: cache::Cache::new(DEFAULT_CACHE_BOUND),
            space,
            sizes,
            base: 0,
            length: 0,
            read_only: false,
            failed: false,
            durability: Durability::default(),
            unsynced: false,
            edits: 0,
            whole: 0,
            k: BTreeK::DEFAULT,
            ahead: Ahead::default(),
            moves: moved::Moves::default(),
            shared: SharedMessages::default(),
            has_collections: true,
            counters: Counters::default(),
        }
    }

    /// The file's sizes of offsets and lengths.
    #[inline]
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The sizes of version 1 B-tree nodes and of symbol table nodes.
    pub fn k(&self) -> BTreeK {
        self.k
    }

    /// "Indexed storage internal node K": the size of version 1 B-tree nodes of chunks.
    pub fn chunk_k(&self) -> u16 {
        self.k.chunk
    }

    /// Sets them to what the superblock or its extension says.
    pub fn set_k(&mut self, k: BTreeK) {
        self.k = k;
    }

    /// The file's free space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The file's free space, for its loader.
    pub fn space_mut(&mut self) -> &mut Space {
        &mut self.space
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether the file may not be changed.
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// Sets the bound on bytes of clean blocks.
    pub fn set_cache_bound(&mut self, bytes: usize) {
        self.cache.clean_bound = bytes;
    }

    /// Bytes of all cached blocks, and of the dirty ones among them.
    pub fn cached_bytes(&self) -> (usize, usize) {
        (self.cache.bytes(), self.cache.dirty_bytes())
    }

    /// Fails when the file is read-only or an earlier write failed. Every change begins with this.
    #[inline]
    pub fn check_writable(&self) -> Result<()> {
        if self.read_only {
            return Err(Error::new(ErrorKind::ReadOnly, "the file was opened for reading only"));
        }
        self.check_usable()
    }

    /// Fails when an earlier write failed.
    #[inline]
    pub fn check_usable(&self) -> Result<()> {
        if self.failed {
            return Err(Error::new(
                ErrorKind::Failed,
                "an earlier write to this file failed; only close is accepted, its last flushed state is kept",
            ));
        }
        Ok(())
    }

    /// Accepts nothing but close from now on: the state in memory cannot be trusted or written.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// Grows with every edit of a block or of the space: an operation that fails without a difference changed nothing.
    #[inline]
    pub fn edits(&self) -> u64 {
        self.edits
    }

    /// All edits since there were so many were taken back: nothing differs from what was then.
    pub fn undone(&mut self, edits: u64) {
        self.edits = edits;
        self.whole = self.whole.min(edits);
    }

    /// Takes `length` bytes of file space. The address is free in the last flushed state.
    pub fn allocate(&mut self, length: u64) -> Result<u64> {
        self.edits += 1;
        self.space.allocate(length).ok_or_else(|| too_large(length, self.sizes))
    }

    /// Takes `length` bytes at the end of the file, whatever holes there are.
    pub fn allocate_at_end(&mut self, length: u64) -> Result<u64> {
        self.edits += 1;
        self.space.allocate_at_end(length).ok_or_else(|| too_large(length, self.sizes))
    }

    /// Gives `length` bytes at `address` back, and forgets a block cached there. They are reused after the next flush,
    /// or at once when they were taken after the last one.
    pub fn free(&mut self, address: u64, length: u64) {
        self.edits += 1;
        self.cache.remove(address);
        self.space.free(address, length);
    }

    /// Forgets a cached block that lies in an extent whose space the caller frees.
    pub fn forget(&mut self, address: u64) {
        self.edits += 1;
        self.cache.remove(address);
    }

    /// A new zeroed dirty block of `length` bytes at a new address.
    pub fn create_block(&mut self, length: usize, seal: Seal) -> Result<(BlockId, u64)> {
        let address = self.allocate(length as u64)?;
        Ok((self.create_block_at(address, length, seal), address))
    }

    /// A new zeroed dirty block on space that the caller has allocated.
    pub fn create_block_at(&mut self, address: u64, length: usize, seal: Seal) -> BlockId {
        self.cache.insert(address, length, seal, true)
    }

    /// The block of `length` bytes at `address`; read, and its checksum verified, when it is not cached. `what` names
    /// the structure in errors.
    #[inline]
    pub fn block(&mut self, address: u64, length: u64, seal: Seal, what: &'static str) -> Result<BlockId> {
        if let Some(id) = self.cache.find(address) {
            if self.cache.block(id).len() as u64 == length {
                return Ok(id);
            }
            return Err(Error::corrupt(what, address, "another structure of another size stands there too"));
        }
        self.load(address, length, seal, what)
    }

    /// The same where [`Store::cached`] has just found none.
    pub fn load(&mut self, address: u64, length: u64, seal: Seal, what: &'static str) -> Result<BlockId> {
        let long;
        let bytes: &[u8] = if length > ahead::LONG {
            long = self.read_bytes(address, length, what)?;
            &long
        } else {
            self.check_extent(address, length, what)?;
            let part = self.fetch(address, length, what)?;
            self.ahead.bytes(part)
        };
        if !seal.holds(bytes) {
            return Err(Error::checksum(what, address));
        }
        self.space.confirm_used(address, length);
        Ok(self.cache.insert_clean(address, bytes, seal))
    }

    /// At most `most` bytes from `address`, as many as the file has there: for structures whose length stands in
    /// themselves. What stands behind the structure may be out of date.
    pub fn read_start(&mut self, address: u64, most: u64, what: &'static str) -> Result<&[u8]> {
        self.check_extent(address, 1, what)?;
        let end = self.space.end().min(self.length.saturating_sub(self.base));
        let most = most.min(end.saturating_sub(address));
        if most == 0 {
            // Space that no flush has written yet may lie behind the file's end.
            return Ok(&[]);
        }
        let part = self.fetch(address, most, what)?;
        Ok(self.ahead.bytes(part))
    }

    /// `length` bytes at `address`, past the cache: for structures whose size is not known before they are read, and
    /// for raw data. The caller must not ask for space that has a dirty block.
    pub fn read_bytes(&mut self, address: u64, length: u64, what: &'static str) -> Result<Vec<u8>> {
        if length > MAX_BLOCK {
            return Err(Error::corrupt(what, address, format_args!("a size of {length} bytes")));
        }
        self.check_extent(address, length, what)?;
        let mut bytes = vec![0; length as usize];
        if bytes.is_empty() {
            // Space that no flush has written yet may lie behind the file's end.
            return Ok(bytes);
        }
        self.read_raw(address, &mut bytes, what)?;
        Ok(bytes)
    }

    /// Fails when `[address, address + length)` is not inside the allocated space.
    pub fn check_extent(&self, address: u64, length: u64, what: &'static str) -> Result<()> {
        if address == UNDEFINED || address.checked_add(length).is_none_or(|end| end > self.space.end()) {
            return Err(Error::corrupt(
                what,
                address,
                format_args!("{length} bytes there lie outside the file, which ends at {:#x}", self.space.end()),
            )
            .because(Damage::Bound));
        }
        Ok(())
    }

    /// Fills `buffer` from `address`; raw data, not cached.
    pub fn read_raw(&mut self, address: u64, buffer: &mut [u8], what: &'static str) -> Result<()> {
        self.counters.blocks_read += 1;
        let position = self.base.saturating_add(address);
        let read = self.backend.read_at(buffer, position);
        read.map_err(|e| reader::read_failed(e, address, buffer.len(), what))
    }

    /// What reads raw data without the file's lock; none where the backend has one thread at a time.
    pub fn reader(&self) -> Option<Reader> {
        self.backend.shared().map(|file| Reader { file, base: self.base })
    }

    /// Writes raw data at once, past the cache. A failure latches.
    pub fn write_raw(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        let result = self.write_at(address, &mut [IoSlice::new(bytes)]);
        self.failed |= result.is_err();
        result
    }

    /// How many of an extent's first bytes the file has already, whatever they are; those behind read as zeros once the
    /// file reaches there.
    pub fn reached(&self, address: u64, size: u64) -> u64 {
        self.length.saturating_sub(self.base + address).min(size)
    }

    /// Copies raw data in pieces, past the cache, to space that may be written at once.
    pub fn copy_raw(&mut self, from: u64, to: u64, length: u64, what: &'static str) -> Result<()> {
        const PIECE: u64 = 1 << 20;
        let mut buffer = vec![0; length.min(PIECE) as usize];
        let mut done = 0;
        while done < length {
            let piece = &mut buffer[..(length - done).min(PIECE) as usize];
            self.read_raw(from + done, piece, what)?;
            self.write_raw(to + done, piece)?;
            done += piece.len() as u64;
        }
        Ok(())
    }

    /// Writes the superblock alone, at once, and waits until it is on the device. A failure latches.
    pub fn replace_superblock(&mut self, image: &[u8]) -> Result<()> {
        self.write_raw(0, image)?;
        self.backend.sync().map_err(|e| {
            self.failed = true;
            Error::io("waiting for the superblock to be written", e)
        })
    }

    /// A block's length.
    #[inline]
    pub fn length(&self, id: BlockId) -> usize {
        self.cache.block(id).len()
    }

    /// A block's bytes.
    #[inline]
    pub fn bytes(&self, id: BlockId) -> &[u8] {
        self.cache.bytes_of(id)
    }

    /// A block's bytes, to be changed: the block is dirty from now on.
    #[inline]
    pub fn bytes_mut(&mut self, id: BlockId) -> &mut [u8] {
        self.edits += 1;
        self.cache.bytes_mut(id)
    }

    /// A part of a block, to be changed: the flush writes this part and the checksum instead of the whole block. Nothing
    /// where the block ends before.
    #[inline]
    pub fn part_mut(&mut self, id: BlockId, part: std::ops::Range<usize>) -> Option<&mut [u8]> {
        self.edits += 1;
        self.cache.part_mut(id, part)
    }

    /// Two different blocks at once, the second to be changed.
    pub fn two_mut(&mut self, source: BlockId, target: BlockId) -> Result<(&[u8], &mut [u8])> {
        self.edits += 1;
        self.cache.two_mut(source, target).ok_or_else(|| Error::internal("one block as source and target"))
    }

    /// A block's address.
    #[inline]
    pub fn address(&self, id: BlockId) -> u64 {
        self.cache.block(id).address
    }

    /// Whether the block was changed since the last flush.
    #[inline]
    pub fn is_dirty(&self, id: BlockId) -> bool {
        self.cache.block(id).dirty
    }

    /// Says where a block's checksum goes when it is written.
    #[inline]
    pub fn set_seal(&mut self, id: BlockId, seal: Seal) {
        self.cache.set_seal(id, seal);
    }

    /// The id of a cached block.
    #[inline]
    pub fn cached(&mut self, address: u64) -> Option<BlockId> {
        self.cache.find(address)
    }

    /// Addresses and lengths of the blocks that begin with `signature` and were changed since the last flush, ascending.
    pub fn unwritten_blocks(&self, signature: &[u8]) -> Vec<(u64, u64)> {
        let dirty = self.cache.dirty().into_iter().filter(|&id| self.bytes(id).starts_with(signature));
        dirty.map(|id| (self.address(id), self.length(id) as u64)).collect()
    }

    /// Whether an id from an earlier operation still is that of the block of `length` at `address`: then it need not be looked up.
    #[inline]
    pub fn stands_at(&mut self, id: BlockId, address: u64, length: u32) -> bool {
        self.cache.stands_at(id, address, length)
    }

    /// Cuts a block to `length` bytes and gives the space behind it back.
    pub fn shrink_block(&mut self, id: BlockId, length: usize, seal: Seal) {
        self.edits += 1;
        let (address, old) = (self.address(id), self.bytes(id).len());
        self.cache.shrink(id, length);
        self.cache.set_seal(id, seal);
        self.space.shrink(address, old as u64, length as u64);
    }

    /// Moves a block into a hole that ends at or before `limit`; false when there is none. The caller changes every
    /// address that names it. The id stays valid.
    pub fn relocate_below(&mut self, id: BlockId, limit: u64) -> bool {
        let length = self.bytes(id).len() as u64;
        let Some(target) = self.space.allocate_below(length, limit) else { return false };
        self.edits += 1;
        let old = self.address(id);
        self.cache.rename(id, target);
        self.space.free(old, length);
        true
    }

    /// Drops clean blocks beyond the bound. Ids from before are invalid; called between operations only.
    #[inline]
    pub fn trim_cache(&mut self) {
        if self.cache.bytes() - self.cache.dirty_bytes() > self.cache.clean_bound {
            self.cache.trim();
        }
    }

    /// Whether a flush would write metadata.
    pub fn is_changed(&self) -> bool {
        self.cache.dirty_bytes() > 0 || self.space.pending_bytes() > 0
    }
}

#[cold]
fn too_large(length: u64, Sizes { offset, .. }: Sizes) -> Error {
    Error::new(ErrorKind::Limit, format!("the file, with addresses of {offset} bytes, cannot grow by {length} bytes"))
}
