//! Chunks that an implicit index finds: one extent, for as many as the dataset can come to have. They are written where they are while
//! the last flushed state has none of them. Before one is rewritten that it has, a fixed array takes the index's place, with the chunks
//! where they stand, so that those that are rewritten can go to new space.

use std::sync::atomic::Ordering;

use super::allocate::{following, reserve};
use super::chunked::{ChunkIo, CHUNK};
use crate::chunk::{Chunks, Index, Place, FIXED_ARRAY};
use crate::error::{Error, Result};
use crate::format::message::layout::{ChunkIndex, Chunked};
use crate::format::UNDEFINED;
use crate::store::Store;

impl ChunkIo<'_> {
    /// Whether all chunks that the maximum dimensions have are in one extent.
    pub fn is_implicit(&self) -> bool {
        self.layout.index == ChunkIndex::Implicit
    }

    /// Takes space for all chunks of an implicit index.
    pub(super) fn take_extent(&mut self, store: &mut Store) -> Result<()> {
        let bytes = self.chunks().implicit_bytes()?;
        self.layout.address = reserve(store, bytes)?;
        self.work.index = None;
        Ok(())
    }

    /// Where the chunks of an implicit index are, and their bytes.
    pub fn extent(&self, store: &mut Store) -> Result<(u64, u64)> {
        let (address, bytes) = (self.layout.address, self.chunks().implicit_bytes()?);
        store.check_extent(address, bytes, CHUNK)?;
        Ok((address, bytes))
    }

    /// Moves the chunks of an implicit index to other space.
    pub fn move_extent(&mut self, store: &mut Store, target: u64) -> Result<()> {
        let (address, bytes) = self.extent(store)?;
        store.copy_raw(address, target, bytes, CHUNK)?;
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.layout.address = target;
        self.work.index = None;
        store.free(address, bytes);
        Ok(())
    }

    /// Makes an implicit index ready for chunks that are about to be written.
    pub(super) fn prepare_extent(&mut self, store: &mut Store) -> Result<()> {
        match self.layout.address {
            UNDEFINED => self.allocate(store, self.dims),
            _ => self.leave_flushed_extent(store, self.dims),
        }
    }

    /// Of an implicit index that the last flushed state has, with the chunks that lie within `dims`: a fixed array finds these from now
    /// on. What the extent has beyond them is given back.
    pub(super) fn leave_flushed_extent(&mut self, store: &mut Store, dims: &[u64]) -> Result<()> {
        let (address, bytes) = self.extent(store)?;
        if store.space().is_fresh(address, bytes) {
            return Ok(());
        }
        let old = self.layout.clone();
        (self.layout.index, self.layout.address, self.work.index) = (FIXED_ARRAY, UNDEFINED, None);
        let entered = self.enter_extent(store, &old, dims);
        if entered.is_err() {
            (*self.layout, self.work.index) = (old, None);
        }
        entered?.into_iter().for_each(|(address, size)| store.free(address, size));
        Ok(())
    }

    /// Enters the chunks of an implicit index that lie within `dims` in the one that takes its place; what its extent has besides them.
    fn enter_extent(&mut self, store: &mut Store, old: &Chunked, dims: &[u64]) -> Result<Vec<(u64, u64)>> {
        let chunks = Chunks { layout: old, dims: self.dims, max_dims: self.max_dims };
        let (index, total) = (Index::open(&chunks, store)?, chunks.implicit_bytes()?);
        let (mut gaps, mut end) = (Vec::new(), old.address);
        let mut leave = |end: u64, next: u64| gaps.extend((end < next).then_some((end, next.saturating_sub(end))));
        let start = vec![0; dims.len()];
        let block: Vec<u64> = dims.iter().zip(&old.dims).map(|(dim, chunk)| dim.div_ceil(*chunk)).collect();
        let mut next = (!block.contains(&0)).then(|| start.clone());
        while let Some(scaled) = next {
            next = following(&scaled, &start, &block);
            let missing = || Error::internal("an implicit index that lacks a chunk");
            let place = index.find(&chunks, store, &scaled)?.ok_or_else(missing)?;
            if store.space().fits(place.address, place.size) {
                self.enter(store, &scaled, place)?;
                leave(end, place.address);
                end = place.address + place.size;
            } else {
                // In a file with pages, a chunk stands alone only where it could have been allocated.
                let address = store.allocate(place.size)?;
                store.copy_raw(place.address, address, place.size, CHUNK)?;
                self.changes.fetch_add(1, Ordering::SeqCst);
                self.enter(store, &scaled, Place { address, ..place })?;
            }
        }
        leave(end, old.address + total);
        Ok(gaps)
    }
}
