//! The commit: what makes a flush all or nothing.
//!
//! New blocks stand where the last flushed state has free space, so writing them changes nothing of it. What has to
//! change in place is first written as a redo record behind the file's end (see the journal); then the superblock gets
//! a flag, which is the instant at which the new state is decided on; then the blocks are written in place; then the
//! new superblock, without the flag; then the record is cut off. A crash before the flag leaves the old state, one after
//! it a file whose record [`recover`](super::recover) applies. A flush that changes nothing in place but the superblock
//! (its 48 bytes stand in one sector) needs neither record nor flag.
//!
//! The flag is a bit that is not defined for superblocks: every libhdf5, h5clear too, refuses such a file instead of
//! misreading or repairing it.

use std::io::IoSlice;

use crc32fast::Hasher;

use super::cache::Cache;
use super::copies::Copies;
use super::file::MAX_SLICES;
use super::{journal, BlockId, Store, WritePart};
use crate::error::{Error, Result};
use crate::format::superblock::{self, COMMITTING};

/// What a flush survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Changes are written straight in place: a crash during a flush can leave a mixture of two states. The fastest.
    None,
    /// Ordered writes: a process that is killed at any instant leaves the last flushed state, or the one being flushed.
    #[default]
    Process,
    /// The steps are also waited for on the device (`fdatasync`): the same holds when the power is lost.
    Power,
}

/// Bytes of one block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub block: BlockId,
    pub from: u32,
    pub to: u32,
}

impl Part {
    pub fn address(self, cache: &Cache) -> u64 {
        cache.block(self.block).address + u64::from(self.from)
    }

    pub fn end(self, cache: &Cache) -> u64 {
        cache.block(self.block).address + u64::from(self.to)
    }

    /// Without what stands behind the checksum, which nobody reads: most of a sparse node.
    pub fn used(self, cache: &Cache) -> Option<Part> {
        let to = self.to.min(cache.block(self.block).used());
        (self.from < to).then_some(Part { to, ..self })
    }

    fn bytes(self, cache: &Cache) -> &[u8] {
        &cache.bytes_of(self.block)[self.from as usize..self.to as usize]
    }
}

impl Store {
    /// Writes all dirty blocks and the superblock, which `superblock` makes from the end of allocation, so that a crash
    /// leaves either the state before or this one; then gives free space at the end back to the file system. After an
    /// error nothing more is written.
    pub fn flush(&mut self, superblock: impl FnOnce(u64) -> Vec<u8>) -> Result<()> {
        self.check_writable()?;
        let end = self.space.end_after_flush();
        let result = self.commit(end, &superblock(end));
        if result.is_err() {
            self.failed = true;
            return result;
        }
        self.cache.clean_all();
        self.moves.clear();
        self.space.flushed();
        Ok(())
    }

    /// What a flush of no metadata does: at [`Durability::Power`] it waits for raw data that were written.
    pub fn settle(&mut self) -> Result<()> {
        let result = self.barrier();
        self.failed |= result.is_err();
        result
    }

    /// What a flush survives from now on.
    pub fn set_durability(&mut self, durability: Durability) {
        self.durability = durability;
    }

    /// What a flush survives.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    fn commit(&mut self, end: u64, superblock: &[u8]) -> Result<()> {
        let (new, in_place) = self.dirty_blocks();
        self.write_new(&new)?;
        if self.length < self.base + end {
            self.set_length(self.base + end)?;
            self.unsynced = true;
        }
        self.barrier()?;
        if !in_place.is_empty() {
            self.cache.seal(&in_place);
            let parts = self.changed_parts(&in_place);
            if self.durability != Durability::None {
                self.decide(&parts, superblock)?;
            }
            self.write_parts(&parts)?;
            self.counters.blocks_written += in_place.len() as u64;
            self.barrier()?;
        }
        self.write_at(0, &mut [IoSlice::new(superblock)])?;
        self.barrier()?;
        if self.length > self.base + end {
            // If the power fails before this reaches the device, the record stays behind the end, where nobody minds it.
            self.set_length(self.base + end)?;
        }
        Ok(())
    }

    /// Dirty blocks in address order: those on space that the last flushed state does not use, and the others.
    fn dirty_blocks(&self) -> (Vec<BlockId>, Vec<BlockId>) {
        self.cache.dirty().into_iter().partition(|&id| {
            let block = self.cache.block(id);
            self.space.is_fresh(block.address, block.len() as u64)
        })
    }

    /// What of these blocks differs from the file.
    fn changed_parts(&self, blocks: &[BlockId]) -> Vec<Part> {
        let parts = blocks.iter().flat_map(|&block| {
            let changed = self.cache.block(block).changed_parts();
            changed.map(|(from, to)| Part { block, from, to })
        });
        parts.filter(|part| part.from < part.to).collect()
    }

    /// Writes the record, and the flag that makes it count.
    fn decide(&mut self, parts: &[Part], superblock: &[u8]) -> Result<()> {
        let mut before = vec![0; superblock.len()];
        self.read_raw(0, &mut before, "superblock")?;
        let (parts, copies) = self.moves.recorded(&self.cache, parts);
        self.write_record(&parts, &copies, &before, superblock)?;
        superblock::set_flags(&mut before, COMMITTING);
        self.write_at(0, &mut [IoSlice::new(&before)])?;
        self.barrier()
    }

    fn write_record(&mut self, parts: &[Part], copies: &Copies, before: &[u8], superblock: &[u8]) -> Result<()> {
        let start = self.length.saturating_sub(self.base).max(self.space.past_both_ends());
        let mut at = start;
        let mut hasher = Hasher::new();
        let mut table = Vec::with_capacity(parts.len() + 1);
        for batch in parts.chunks(MAX_SLICES) {
            let slices: Vec<&[u8]> = batch.iter().map(|part| part.bytes(&self.cache)).collect();
            for (part, bytes) in batch.iter().zip(&slices) {
                hasher.update(bytes);
                table.push((part.address(&self.cache), bytes.len() as u64));
            }
            let length = slices.iter().map(|bytes| bytes.len() as u64).sum();
            let mut slices: Vec<IoSlice<'_>> = slices.into_iter().map(IoSlice::new).collect();
            let position = self.base + at;
            self.backend.write_at(&mut slices, position).map_err(|e| record_error(length, e))?;
            self.note_write(position, length);
            at += length;
        }
        hasher.update(superblock);
        table.push((0, superblock.len() as u64));
        let ending = journal::ending(&table, copies, before, hasher);
        let last = (superblock.len() + ending.len()) as u64;
        let mut slices = [IoSlice::new(superblock), IoSlice::new(&ending)];
        self.backend.write_at(&mut slices, self.base + at).map_err(|e| record_error(last, e))?;
        self.note_write(self.base + at, last);
        self.counters.record_bytes += at - start + last;
        Ok(())
    }

    /// At [`Durability::Power`]: nothing that comes later reaches the device before what was written so far.
    fn barrier(&mut self) -> Result<()> {
        if self.durability == Durability::Power && self.unsynced {
            self.backend.sync().map_err(|e| Error::io("waiting for the device", e))?;
            self.counters.syncs += 1;
            self.unsynced = false;
        }
        Ok(())
    }

    fn set_length(&mut self, length: u64) -> Result<()> {
        self.ahead.forget();
        let failed = |e| Error::io(format_args!("setting the file's length to {length}"), e);
        self.backend.set_len(length).map_err(failed)?;
        self.length = length;
        Ok(())
    }

    /// Writes new blocks; their checksums are computed a batch at a time, while the bytes are in the processor's cache.
    fn write_new(&mut self, blocks: &[BlockId]) -> Result<()> {
        for batch in blocks.chunks(MAX_SLICES) {
            self.cache.seal(batch);
            let whole = |&block: &BlockId| Part { block, from: 0, to: self.cache.block(block).len() as u32 };
            let parts: Vec<Part> = batch.iter().map(whole).collect();
            self.write_parts(&parts)?;
        }
        self.counters.blocks_written += blocks.len() as u64;
        Ok(())
    }

    /// Writes what is in address order where it belongs, neighbours as one.
    fn write_parts(&mut self, parts: &[Part]) -> Result<()> {
        for batch in parts.chunks(MAX_SLICES) {
            let bytes = batch.iter().map(|part| (part.address(&self.cache), part.bytes(&self.cache)));
            let mut writes = runs(self.base, bytes);
            let places: Vec<(u64, u64)> = writes.iter().map(|write| (write.offset, write.length())).collect();
            self.backend.write_all(&mut writes).map_err(|error| write_error(&places, self.base, error))?;
            for (position, length) in places {
                self.note_write(position, length);
                self.counters.bytes_written += length;
            }
        }
        Ok(())
    }

    /// Writes raw data at several addresses at once, past the cache; neighbours as one. A failure latches.
    pub fn write_raw_all(&mut self, parts: &[(u64, &[u8])]) -> Result<()> {
        self.check_writable()?;
        let mut writes = runs(self.base, parts.iter().copied());
        let places: Vec<(u64, u64)> = writes.iter().map(|write| (write.offset, write.length())).collect();
        let written = self.backend.write_all(&mut writes).map_err(|error| write_error(&places, self.base, error));
        self.failed |= written.is_err();
        written?;
        places.into_iter().for_each(|(position, length)| self.note_write(position, length));
        Ok(())
    }

    /// Writes bytes at an address.
    pub(super) fn write_at(&mut self, address: u64, buffers: &mut [IoSlice<'_>]) -> Result<()> {
        let length = buffers.iter().map(|buffer| buffer.len() as u64).sum();
        let position = self.base + address;
        let failed = |e| Error::io(format_args!("writing {length} bytes at {address:#x}"), e);
        self.backend.write_at(buffers, position).map_err(failed)?;
        self.note_write(position, length);
        Ok(())
    }

    fn note_write(&mut self, position: u64, length: u64) {
        self.ahead.forget();
        self.counters.writes += 1;
        self.unsynced = true;
        self.length = self.length.max(position + length);
    }
}

/// Bytes at addresses; what comes behind its neighbour is written with it.
fn runs<'a>(base: u64, parts: impl Iterator<Item = (u64, &'a [u8])>) -> Vec<WritePart<'a>> {
    let mut runs: Vec<WritePart<'a>> = Vec::new();
    let mut end = None;
    for (address, bytes) in parts {
        match runs.last_mut().filter(|_| end == Some(address)) {
            Some(run) => run.buffers.push(IoSlice::new(bytes)),
            None => runs.push(WritePart { offset: base + address, buffers: vec![IoSlice::new(bytes)] }),
        }
        end = Some(address + bytes.len() as u64);
    }
    runs
}

fn write_error(places: &[(u64, u64)], base: u64, (number, error): (usize, std::io::Error)) -> Error {
    let (position, length) = places.get(number).copied().unwrap_or_default();
    Error::io(format_args!("writing {length} bytes at {:#x}", position.saturating_sub(base)), error)
}

fn record_error(bytes: u64, error: std::io::Error) -> Error {
    Error::io(format_args!("writing a redo record of {bytes} bytes behind the file's end"), error)
}
