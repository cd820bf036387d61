//! Chunks at the edge of a dataset that are not filtered while they reach beyond it (a layout flag, `H5Pset_chunk_opts`): where the
//! dimensions change, those that become edges or cease to be are stored anew.

use super::chunked::{ChunkIo, EDGES_UNFILTERED};
use super::{DatasetState, Storage};
use crate::error::Result;
use crate::format::filter;
use crate::object::header::ObjectHeader;
use crate::store::Store;

/// Whether a chunk reaches beyond dimensions.
pub(super) fn is_edge(scaled: &[u64], chunk: &[u64], dims: &[u64]) -> bool {
    scaled.iter().zip(chunk).zip(dims).any(|((at, chunk), dim)| dim.saturating_sub(at.saturating_mul(*chunk)) < *chunk)
}

impl DatasetState {
    /// Whether chunks that reach beyond the dimensions are stored otherwise than the others.
    pub(super) fn has_other_edges(&self) -> bool {
        matches!(&self.storage, Storage::Chunked(layout) if layout.flags & EDGES_UNFILTERED != 0)
    }

    /// Fails where new dimensions would have chunks stored anew, and they cannot be.
    pub(super) fn check_edges(&mut self, store: &mut Store, header: &ObjectHeader) -> Result<()> {
        match self.has_other_edges() {
            true => filter::check_writable(self.chunk_io(store, header)?.filters(false), false),
            false => Ok(()),
        }
    }
}

impl ChunkIo<'_> {
    /// Stores the chunks anew that become edges with new dimensions, or cease to be.
    pub fn change_edges(&mut self, store: &mut Store, new: &[u64]) -> Result<()> {
        let (bytes, chunk, old) = (self.check(self.fill.len())?, self.layout.dims.clone(), self.dims);
        for scaled in self.changed_edges(store, new)? {
            let data = match self.work.cache.get(&scaled) {
                Some(data) => data.to_vec(),
                None => self.load(store, &scaled, is_edge(&scaled, &chunk, old), bytes)?,
            };
            self.store_chunk(store, &scaled, is_edge(&scaled, &chunk, new), &data)?;
            self.work.cache.clean(&scaled);
        }
        Ok(())
    }

    /// The chunks that become edges with new dimensions, or cease to be.
    pub fn changed_edges(&mut self, store: &mut Store, new: &[u64]) -> Result<Vec<Vec<u64>>> {
        let (chunk, old) = (self.layout.dims.clone(), self.dims);
        // Nothing changes where every edge stays within its chunk.
        let stays = |((old, new), chunk): ((&u64, &u64), &u64)| {
            old == new || old / chunk == new / chunk && (old % chunk == 0) == (new % chunk == 0)
        };
        if self.filters(false).is_empty() || old.iter().zip(new).zip(&chunk).all(stays) {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        let mut add = |scaled: &[u64]| {
            let is_inside =
                scaled.iter().zip(&chunk).zip(new).all(|((at, chunk), dim)| at.saturating_mul(*chunk) < *dim);
            if is_inside && is_edge(scaled, &chunk, old) != is_edge(scaled, &chunk, new) {
                changed.push(scaled.to_vec());
            }
        };
        self.publish_index(store)?;
        self.work.cache.places().iter().for_each(|scaled| add(scaled));
        self.chunks().for_each(store, |found| {
            add(found.scaled);
            Ok(())
        })?;
        changed.sort_unstable();
        changed.dedup();
        Ok(changed)
    }
}
