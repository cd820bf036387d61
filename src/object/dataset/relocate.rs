//! Moving raw data towards the beginning of the file, so that it can end earlier. The data are copied to space that the
//! last flushed state has free; what finds them is changed by the flush, so a crash leaves the old or the new place.

use std::sync::atomic::Ordering;

use super::chunked::ChunkIo;
use super::{DatasetState, Storage};
use crate::btree::Tree;
use crate::chunk::{Chunk, Part, Place};
use crate::error::Result;
use crate::format::message::layout::ChunkIndex;
use crate::format::UNDEFINED;
use crate::object::header::ObjectHeader;
use crate::store::{Seal, Store};

const WHAT: &str = "contiguous raw data";

/// Chunks that are moved by one look at the index.
const AT_ONCE: usize = 4096;

/// An index of more chunks stays where it is: its entries are held in memory while it is made anew.
const MOST_ENTRIES: usize = 1 << 20;

impl DatasetState {
    /// Moves raw data that reach beyond `limit` into holes below them; the bytes moved. What has no hole stays.
    pub(in crate::object) fn relocate_above(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        limit: u64,
    ) -> Result<u64> {
        match &self.storage {
            &Storage::Contiguous { address, size }
                if address != UNDEFINED && self.size > 0 && address.saturating_add(size) > limit =>
            {
                store.check_extent(address, size.max(self.size), WHAT)?;
                if self.is_small() && self.size == size {
                    return self.relocate_small(store, header, address, limit);
                }
                let Some(target) = hole(store, self.size, address) else { return Ok(0) };
                match self.small_block(store, address) {
                    Some(id) => {
                        let bytes = store.bytes(id).to_vec();
                        store.write_raw(target, &bytes)?;
                    }
                    None => store.copy_raw(address, target, self.size, WHAT)?,
                }
                self.changes.fetch_add(1, Ordering::SeqCst);
                self.place(store, header, target)?;
                store.free(address, size);
                Ok(self.size)
            }
            Storage::Chunked(chunked) if chunked.address != UNDEFINED => {
                let mut moved = 0;
                self.change_chunks(store, header, |io, store| {
                    moved = io.relocate_above(store, limit)?;
                    Ok(())
                })?;
                Ok(moved)
            }
            _ => Ok(0),
        }
    }

    /// Moves small contiguous data as a block, which the flush writes: it may take what the last flushed state uses.
    fn relocate_small(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        address: u64,
        limit: u64,
    ) -> Result<u64> {
        let id = store.block(address, self.size, Seal::None, WHAT)?;
        if !store.relocate_below(id, limit) {
            return Ok(0);
        }
        let target = store.address(id);
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.place(store, header, target)?;
        Ok(self.size)
    }
}

impl ChunkIo<'_> {
    fn relocate_above(&mut self, store: &mut Store, limit: u64) -> Result<u64> {
        if self.is_implicit() {
            let (address, bytes) = self.extent(store)?;
            let is_above = address.saturating_add(bytes) > limit;
            let Some(target) = is_above.then(|| hole(store, bytes, address)).flatten() else { return Ok(0) };
            return self.move_extent(store, target).map(|()| bytes);
        }
        let moved = self.relocate_chunks(store, limit)?;
        Ok(moved + self.relocate_index(store, limit)?)
    }

    /// Makes the index anew where there is space, if a block of it reaches beyond `limit`; its bytes.
    fn relocate_index(&mut self, store: &mut Store, limit: u64) -> Result<u64> {
        self.publish_index(store)?;
        let (mut all, mut too_many, mut bytes, mut end) = (Vec::new(), false, 0, 0);
        let mut count = |address: u64, size: u64| {
            bytes += size;
            end = end.max(address.saturating_add(size));
        };
        if matches!(self.layout.index, ChunkIndex::BTree2 { .. }) {
            Tree::open(store, self.layout.address)?.each_extent(store, &mut |address, size| {
                count(address, size);
                Ok(())
            })?;
        }
        self.chunks().walk(store, &mut |part| {
            match part {
                Part::Chunk(_) if all.len() == MOST_ENTRIES => too_many = true,
                Part::Chunk(Chunk { address, size, filter_mask, scaled }) => {
                    all.push((scaled.to_vec(), Place { address, size, filter_mask }));
                }
                Part::Index { address, size } => count(address, size),
            }
            Ok(())
        })?;
        if too_many || end <= limit || bytes >= store.space().free_bytes() {
            return Ok(0);
        }
        self.chunks().free_index(store)?;
        self.layout.address = UNDEFINED;
        self.work.index = None;
        all.iter().try_for_each(|(scaled, place)| self.enter(store, scaled, *place))?;
        Ok(bytes)
    }

    fn relocate_chunks(&mut self, store: &mut Store, limit: u64) -> Result<u64> {
        let mut high: Vec<(Vec<u64>, Place)> = Vec::new();
        self.chunks().for_each(store, |found| {
            if found.address.saturating_add(found.size) > limit && high.len() < AT_ONCE {
                let place = Place { address: found.address, size: found.size, filter_mask: found.filter_mask };
                high.push((found.scaled.to_vec(), place));
            }
            Ok(())
        })?;
        high.sort_unstable_by_key(|(_, place)| std::cmp::Reverse(place.address));
        let mut moved = 0;
        for (scaled, old) in high {
            store.check_extent(old.address, old.size, "chunk")?;
            let Some(address) = hole(store, old.size, old.address) else { continue };
            store.copy_raw(old.address, address, old.size, "chunk")?;
            self.changes.fetch_add(1, Ordering::SeqCst);
            self.enter(store, &scaled, Place { address, ..old })?;
            store.free(old.address, old.size);
            moved += old.size;
        }
        Ok(moved)
    }
}

/// Space below `limit` that may be written at once.
fn hole(store: &mut Store, length: u64, limit: u64) -> Option<u64> {
    let address = store.space_mut().allocate_low(length, limit)?;
    if store.space().is_fresh(address, length) {
        return Some(address);
    }
    store.space_mut().free(address, length);
    None
}
