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

use super::file::MAX_SLICES;
use super::{journal, BlockId, Store};
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
        self.space.flushed();
        Ok(())
    }

    /// What a flush survives from now on.
    pub fn set_durability(&mut self, durability: Durability) {
        self.durability = durability;
    }

    fn commit(&mut self, end: u64, superblock: &[u8]) -> Result<()> {
        let (new, in_place) = self.dirty_blocks();
        self.write_blocks(&new)?;
        if self.length < self.base + end {
            self.set_length(self.base + end)?;
            self.unsynced = true;
        }
        self.barrier()?;
        if !in_place.is_empty() {
            if self.durability != Durability::None {
                self.decide(&in_place, superblock)?;
            }
            self.write_blocks(&in_place)?;
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

    /// Writes the record, and the flag that makes it count.
    fn decide(&mut self, blocks: &[BlockId], superblock: &[u8]) -> Result<()> {
        let mut before = vec![0; superblock.len()];
        self.read_raw(0, &mut before, "superblock")?;
        self.write_record(blocks, &before, superblock)?;
        superblock::set_flags(&mut before, COMMITTING);
        self.write_at(0, &mut [IoSlice::new(&before)])?;
        self.barrier()
    }

    fn write_record(&mut self, blocks: &[BlockId], before: &[u8], superblock: &[u8]) -> Result<()> {
        let start = self.length.saturating_sub(self.base).max(self.space.past_both_ends());
        let mut at = start;
        let mut hasher = Hasher::new();
        let mut table = Vec::with_capacity(blocks.len() + 1);
        for batch in blocks.chunks(MAX_SLICES) {
            self.cache.seal(batch);
            let mut slices = Vec::with_capacity(batch.len());
            let from = at;
            for &id in batch {
                let bytes = self.cache.bytes_of(id);
                hasher.update(bytes);
                table.push((self.cache.block(id).address, bytes.len() as u64));
                slices.push(IoSlice::new(bytes));
                at += bytes.len() as u64;
            }
            let position = self.base + from;
            self.backend.write_at(&mut slices, position).map_err(|e| record_error(at - from, e))?;
            self.note_write(position, at - from);
        }
        hasher.update(superblock);
        table.push((0, superblock.len() as u64));
        let ending = journal::ending(&table, before, hasher);
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
        let failed = |e| Error::io(format_args!("setting the file's length to {length}"), e);
        self.backend.set_len(length).map_err(failed)?;
        self.length = length;
        Ok(())
    }

    /// Writes blocks that are in address order where they belong, neighbours in one call.
    fn write_blocks(&mut self, blocks: &[BlockId]) -> Result<()> {
        let mut first = 0;
        while first < blocks.len() {
            let start = self.cache.block(blocks[first]).address;
            let mut end = start;
            let mut last = first;
            while last < blocks.len() && last - first < MAX_SLICES && self.cache.block(blocks[last]).address == end {
                end += self.cache.block(blocks[last]).len() as u64;
                last += 1;
            }
            self.cache.seal(&blocks[first..last]);
            let mut slices: Vec<IoSlice<'_>> =
                blocks[first..last].iter().map(|&id| IoSlice::new(self.cache.bytes_of(id))).collect();
            let position = self.base + start;
            let failed = |e| Error::io(format_args!("writing {} bytes at {start:#x}", end - start), e);
            self.backend.write_at(&mut slices, position).map_err(failed)?;
            self.note_write(position, end - start);
            self.counters.blocks_written += (last - first) as u64;
            self.counters.bytes_written += end - start;
            first = last;
        }
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
        self.counters.writes += 1;
        self.unsynced = true;
        self.length = self.length.max(position + length);
    }
}

fn record_error(bytes: u64, error: std::io::Error) -> Error {
    Error::io(format_args!("writing a redo record of {bytes} bytes behind the file's end"), error)
}
