//! Sinking: where the holes of a file are too small for what stands at its end, everything between them moves down, in the
//! order in which it stands, each over the hole in front of it, so that the holes become one at the end of the file.

use crate::btree::{NodePlace, Tree};
use crate::error::Result;
use crate::heap::Piece;
use crate::object::dense::{DenseKind, DenseStore};
use crate::object::state::{Slot, State};
use crate::store::Store;

/// A block of a dense store.
#[derive(Debug, Clone, Copy)]
enum Block {
    Node { in_order: bool, place: NodePlace },
    TreeHeader { in_order: bool },
    Heap(Piece),
}

/// Whose it is.
#[derive(Debug, Clone, Copy)]
struct Owner {
    slot: Slot,
    links: bool,
}

impl<K: DenseKind> DenseStore<K> {
    /// Calls `note` with all blocks that stand at `limit` or above.
    fn blocks_above(&mut self, store: &mut Store, limit: u64, mut note: impl FnMut(u64, Block)) -> Result<()> {
        for (in_order, tree) in [(false, Some(&mut self.names)), (true, self.order.as_mut())] {
            let Some(tree) = tree else { continue };
            tree.nodes_above(store, limit, &mut |address, place| note(address, Block::Node { in_order, place }))?;
            if tree.address() >= limit {
                note(tree.address(), Block::TreeHeader { in_order });
            }
        }
        self.heap.pieces_above(store, limit, |address, piece| note(address, Block::Heap(piece)))
    }

    /// Moves one of them down; whether it did.
    fn sink(&mut self, store: &mut Store, block: Block) -> Result<bool> {
        match block {
            Block::Node { in_order, place } => {
                self.tree(in_order).map_or(Ok(false), |tree| tree.sink_node(store, place))
            }
            Block::TreeHeader { in_order } => self.tree(in_order).map_or(Ok(false), |tree| tree.sink_header(store)),
            Block::Heap(piece) => self.heap.sink_piece(store, piece),
        }
    }

    fn tree(&mut self, in_order: bool) -> Option<&mut Tree> {
        match in_order {
            false => Some(&mut self.names),
            true => self.order.as_mut(),
        }
    }
}

impl State {
    /// Moves what dense stores in memory have at `limit` or above down over the holes there; how many blocks moved. Object
    /// headers and raw data stay, and so does what is damaged.
    pub(super) fn sink(&mut self, limit: u64) -> Result<u64> {
        let mut blocks: Vec<(u64, Owner, Block)> = Vec::new();
        for slot in self.objects.loaded() {
            let State { store, objects, .. } = self;
            let object = objects.get(slot)?;
            if object.deleted {
                continue;
            }
            store.note_whole();
            if let Some(dense) = object.attributes.loaded_dense() {
                let owner = Owner { slot, links: false };
                let noted = dense.blocks_above(store, limit, |address, block| blocks.push((address, owner, block)));
                store.unless_damaged(noted)?;
            }
            if let Some(dense) = object.read_links.as_mut().and_then(|links| links.loaded_dense()) {
                let owner = Owner { slot, links: true };
                let noted = dense.blocks_above(store, limit, |address, block| blocks.push((address, owner, block)));
                store.unless_damaged(noted)?;
            }
        }
        blocks.sort_unstable_by_key(|block| block.0);
        let mut moved = 0;
        for (_, Owner { slot, links }, block) in blocks {
            let State { store, objects, .. } = self;
            let object = objects.get(slot)?;
            let links = object.read_links.as_mut().filter(|_| links);
            let sunk = match links.and_then(|links| links.loaded_dense()) {
                Some(dense) => dense.sink(store, block),
                None => object.attributes.loaded_dense().map_or(Ok(false), |dense| dense.sink(store, block)),
            };
            if store.unless_damaged(sunk)? == Some(true) {
                objects.mark(slot)?;
                moved += 1;
            }
        }
        Ok(moved)
    }
}
