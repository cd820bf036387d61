//! The version 2 B-tree of a dataset's chunks in the care of rebalancing.

use super::{DatasetState, Storage};
use crate::chunk::{BTree2, Chunks, Index, Tally};
use crate::error::Result;
use crate::format::message::layout::ChunkIndex;
use crate::format::UNDEFINED;
use crate::object::sweep::is_sparse;
use crate::store::Store;

impl DatasetState {
    /// The tree that finds the chunks, if it is in memory.
    pub(in crate::object) fn chunk_tree(&mut self) -> Option<&mut BTree2> {
        match self.work.as_mut()?.index.as_mut()? {
            Index::BTree2(tree) => Some(tree),
            _ => None,
        }
    }

    /// Whether [`DatasetState::chunk_tree`] has one.
    pub(in crate::object) fn has_chunk_tree(&self) -> bool {
        self.work.as_ref().is_some_and(|work| matches!(work.index, Some(Index::BTree2(_))))
    }

    /// The tree that finds the chunks, read if need be; none where something else finds them.
    fn open_chunk_tree(&mut self, store: &mut Store) -> Result<Option<&mut BTree2>> {
        let Storage::Chunked(layout) = &self.storage else { return Ok(None) };
        if !matches!(layout.index, ChunkIndex::BTree2 { .. }) || layout.address == UNDEFINED {
            return Ok(None);
        }
        let work = self.work.get_or_insert_default();
        if work.index.is_none() {
            let max_dims = super::max_dims(&self.dataspace);
            let chunks = Chunks { layout, dims: self.dataspace.dims(), max_dims };
            work.index = Some(Index::open(&chunks, store)?);
        }
        Ok(self.chunk_tree())
    }

    /// Reads the tree that finds the chunks, and keeps it if it is worth a sweep.
    pub(in crate::object) fn load_sparse_tree(&mut self, store: &mut Store) -> Result<()> {
        let is_open = self.work.is_some();
        let is_due = match self.open_chunk_tree(store)? {
            Some(tree) => is_sparse(&tree.stats(store)?),
            None => false,
        };
        self.is_thinned |= is_due;
        if !is_open && !self.is_thinned {
            self.work = None;
        }
        Ok(())
    }

    /// Whether a sweep of the tree is due, so that it stays in memory until then.
    pub(in crate::object) fn is_thinned(&self) -> bool {
        self.is_thinned
    }

    /// Says whether a sweep is due.
    pub(in crate::object) fn set_thinned(&mut self, is_thinned: bool) {
        self.is_thinned = is_thinned;
    }

    /// What was done with the tree since the last time.
    pub(in crate::object) fn take_chunk_tally(&mut self) -> Tally {
        let tally = self.chunk_tree().map(BTree2::take_tally).unwrap_or_default();
        self.is_thinned |= tally.removed > 0;
        tally
    }
}
