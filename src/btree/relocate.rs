//! Moving nodes from the end of the file into holes, so that the file can be cut.

use super::{Tree, HEADER};
use crate::error::Result;
use crate::format::btree2::{Header, CHECKSUM};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Seal, Store};

/// What is left to do.
struct Moves {
    limit: u64,
    rest: usize,
    done: usize,
    visited: usize,
}

/// Where a node is, by what points to it.
#[derive(Debug, Clone, Copy)]
pub struct NodePlace {
    /// The parent, how many records it has, and which of its children this is; none of the root.
    parent: Option<(BlockId, u16, u16)>,
    level: usize,
    nrec: u16,
}

/// A walk over nodes that are told.
struct Noting<'a> {
    visited: usize,
    note: &'a mut dyn FnMut(u64, NodePlace),
}

impl Tree {
    /// Calls `note` with the nodes that stand at `limit` or above. A place is valid until the tree or its nodes change.
    pub fn nodes_above(&mut self, store: &mut Store, limit: u64, note: &mut dyn FnMut(u64, NodePlace)) -> Result<()> {
        store.check_writable()?;
        if self.header.root == UNDEFINED {
            return Ok(());
        }
        let place = NodePlace { parent: None, level: self.depth, nrec: self.header.root_nrec };
        self.note_above(store, limit, self.header.root, place, &mut Noting { visited: 0, note })
    }

    fn note_above(
        &self,
        store: &mut Store,
        limit: u64,
        address: u64,
        place: NodePlace,
        noting: &mut Noting<'_>,
    ) -> Result<()> {
        noting.visited += 1;
        self.bound(store, noting.visited)?;
        let NodePlace { level, nrec, .. } = place;
        if level == 0 && address < limit {
            return Ok(());
        }
        let block = self.node(store, address, level, nrec)?;
        if address >= limit {
            (noting.note)(address, place);
        }
        let children = if level == 0 { 0 } else { nrec + 1 };
        for index in 0..children {
            let child = self.geometry.pointer(store.bytes(block), level, nrec.into(), index.into());
            let place = NodePlace { parent: Some((block, nrec, index)), level: level - 1, nrec: child.nrec };
            self.note_above(store, limit, child.address, place, noting)?;
        }
        Ok(())
    }

    /// Moves a node down, into a hole or over the one in front of it; whether it did.
    pub fn sink_node(&mut self, store: &mut Store, place: NodePlace) -> Result<bool> {
        let NodePlace { parent, level, nrec } = place;
        let Some((block, count, index)) = parent else {
            let root = self.node(store, self.header.root, level, nrec)?;
            let moved = store.sink(root);
            self.header.root = store.address(root);
            self.changed |= moved;
            return Ok(moved);
        };
        let (count, index) = (usize::from(count), usize::from(index));
        let mut child = self.geometry.pointer(store.bytes(block), level + 1, count, index);
        let id = self.node(store, child.address, level, nrec)?;
        if !store.sink(id) {
            return Ok(false);
        }
        child.address = store.address(id);
        let place = self.geometry.pointers(level + 1, count, index, 1);
        self.geometry.encode(child, &mut store.bytes_mut(block)[place]);
        Ok(true)
    }

    /// The same for the header. The caller stores [`address`](Tree::address) where the old one was.
    pub fn sink_header(&mut self, store: &mut Store) -> Result<bool> {
        let id = self.header_block(store)?;
        let moved = store.sink(id);
        self.address = store.address(id);
        Ok(moved)
    }

    fn header_block(&self, store: &mut Store) -> Result<BlockId> {
        let size = Header::size(store.sizes());
        store.block(self.address, size as u64, Seal::At((size - CHECKSUM) as u32), HEADER)
    }

    /// Moves up to `max` nodes that stand at `limit` or above into holes below it, and returns how many were moved.
    pub fn relocate_above(&mut self, store: &mut Store, limit: u64, max: usize) -> Result<usize> {
        store.check_writable()?;
        if self.header.root == UNDEFINED {
            return Ok(0);
        }
        let mut moves = Moves { limit, rest: max, done: 0, visited: 1 };
        let root = self.node(store, self.header.root, self.depth, self.header.root_nrec)?;
        if moves.take(store, root, self.header.root) {
            self.header.root = store.address(root);
            self.changed = true;
        }
        self.relocate_children(store, &mut moves, self.depth, root, self.header.root_nrec)?;
        Ok(moves.done)
    }

    fn relocate_children(
        &self,
        store: &mut Store,
        moves: &mut Moves,
        level: usize,
        block: BlockId,
        nrec: u16,
    ) -> Result<()> {
        let count = usize::from(nrec);
        for index in 0..=count {
            if level == 0 || moves.rest == 0 {
                return Ok(());
            }
            let mut child = self.geometry.pointer(store.bytes(block), level, count, index);
            if level == 1 && child.address < moves.limit {
                continue;
            }
            moves.visited += 1;
            self.bound(store, moves.visited)?;
            let (edits, below) = (store.edits(), self.node(store, child.address, level - 1, child.nrec));
            // What is damaged stays where it is.
            let Some(below) = store.unless_begun(edits, below)? else { continue };
            if moves.take(store, below, child.address) {
                child.address = store.address(below);
                let place = self.geometry.pointers(level, count, index, 1);
                self.geometry.encode(child, &mut store.bytes_mut(block)[place]);
            }
            self.relocate_children(store, moves, level - 1, below, child.nrec)?;
        }
        Ok(())
    }

    /// Moves the header below `limit` if it stands there or above and a hole is found. True when
    /// [`address`](Tree::address) changed: the caller stores it where the old one was.
    pub fn relocate_header(&mut self, store: &mut Store, limit: u64) -> Result<bool> {
        store.check_writable()?;
        let id = self.header_block(store)?;
        let mut moves = Moves { limit, rest: 1, done: 0, visited: 0 };
        let moved = moves.take(store, id, self.address);
        self.address = store.address(id);
        Ok(moved)
    }
}

impl Moves {
    fn take(&mut self, store: &mut Store, block: BlockId, address: u64) -> bool {
        if address < self.limit || self.rest == 0 {
            return false;
        }
        if !store.relocate_below(block, self.limit) {
            // No hole is large enough; nodes are of one size, so none of the others fits either.
            self.rest = 0;
            return false;
        }
        self.rest -= 1;
        self.done += 1;
        true
    }
}
