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
}

impl Tree {
    /// Moves up to `max` nodes that stand at `limit` or above into holes below it, and returns how many were moved.
    pub fn relocate_above(&mut self, store: &mut Store, limit: u64, max: usize) -> Result<usize> {
        store.check_writable()?;
        if self.header.root == UNDEFINED {
            return Ok(0);
        }
        let mut moves = Moves { limit, rest: max, done: 0 };
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
            let below = self.node(store, child.address, level - 1, child.nrec)?;
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
        let size = Header::size(store.sizes());
        let id = store.block(self.address, size as u64, Seal::At((size - CHECKSUM) as u32), HEADER)?;
        let mut moves = Moves { limit, rest: 1, done: 0 };
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
