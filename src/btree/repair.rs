//! The floors of a flushed tree. libhdf5 tests `records == floor` when it deletes, so a node that is already below goes
//! on shrinking until the file is damaged; in memory we are free to be sparse, on disk we are not.

use super::search::{Location, Step};
use super::Tree;
use crate::error::Result;
use crate::format::btree2::Level;
use crate::format::UNDEFINED;
use crate::store::Store;

/// How far a walk over the internal nodes goes, and what it demands.
#[derive(Clone, Copy)]
pub(super) struct Mending {
    /// The least number of records of a node.
    pub least: fn(&Level) -> u16,
    /// Whether nodes that did not change since the last flush are looked at too.
    pub all: bool,
}

impl Tree {
    /// Merges or refills every changed node that is below its level's floor, and takes away roots without records.
    ///
    /// The floor is libhdf5's merge point (capacity × merge % of the tree's header, at least 20 %), and two records in
    /// internal nodes. The work is in proportion to what changed: only changed internal nodes are looked at, and they
    /// hold their children's counts.
    pub fn repair(&mut self, store: &mut Store) -> Result<()> {
        self.mend(store, Mending { least: |level| level.floor, all: false })
    }

    pub(super) fn mend(&mut self, store: &mut Store, how: Mending) -> Result<()> {
        if self.header.root == UNDEFINED || self.depth == 0 {
            return Ok(());
        }
        let block = self.node(store, self.header.root, self.depth, self.header.root_nrec)?;
        if how.all || store.is_dirty(block) {
            let mut path = Location::nowhere();
            let depth = self.depth;
            path.steps[depth] = Step { block, index: 0, nrec: self.header.root_nrec };
            self.mend_below(store, &mut path, depth, how)?;
        }
        self.lower(store)
    }

    /// Mends everything under the node at `level` on `path`.
    pub(super) fn mend_below(
        &mut self,
        store: &mut Store,
        path: &mut Location,
        level: usize,
        how: Mending,
    ) -> Result<()> {
        let mut index = 0;
        while level > 1 && index <= path.steps[level].nrec {
            self.mend_child(store, path, level, index, how)?;
            index += 1;
        }
        let least = (how.least)(self.geometry.level(level - 1));
        index = 0;
        while index <= path.steps[level].nrec {
            let nrec = self.child(store, level, path.steps[level], index).nrec;
            if nrec >= least || path.steps[level].nrec == 0 {
                index += 1;
                continue;
            }
            path.steps[level].index = index;
            let edits = store.edits();
            let relieved = self.relieve(store, path, level - 1);
            let Some((first, count)) = store.unless_begun(edits, relieved)? else {
                // Its neighbours are damaged: it stays as it is, and they do not keep the rest from being written.
                index += 1;
                continue;
            };
            // A node that had a single child could not mend it; now it has neighbours.
            for child in first..first + count {
                if level > 1 {
                    self.mend_child(store, path, level, child, how)?;
                }
            }
            index = first;
        }
        Ok(())
    }

    fn mend_child(
        &mut self,
        store: &mut Store,
        path: &mut Location,
        level: usize,
        index: u16,
        how: Mending,
    ) -> Result<()> {
        let child = self.child(store, level, path.steps[level], index);
        if !how.all && !store.cached(child.address).is_some_and(|id| store.is_dirty(id)) {
            return Ok(());
        }
        let (edits, block) = (store.edits(), self.node(store, child.address, level - 1, child.nrec));
        let Some(block) = store.unless_begun(edits, block)? else { return Ok(()) };
        path.steps[level].index = index;
        path.steps[level - 1] = Step { block, index: 0, nrec: child.nrec };
        self.mend_below(store, path, level - 1, how)
    }
}
