//! Where the nodes of a large tree were in memory when they were visited last, by the path that leads to them. What the cache
//! knows about a random node is far from the processor, and so is the node: with a hint both are asked for at once. A hint
//! that is out of date costs a look-up, nothing else.

use std::cell::RefCell;
use std::ops::Range;

use super::Tree;
use crate::error::Result;
use crate::format::btree2::Pointer;
use crate::store::{BlockId, Hint, Store};

/// Nodes with a hint of their own: those of some ten million records, in 2 MiB.
const MOST: usize = 1 << 18;

/// Hints by the number of a node, which [`Tree::number`] makes.
#[derive(Debug, Clone, Default)]
pub(super) struct Hints(RefCell<Vec<Hint>>);

impl Hints {
    #[inline]
    fn get(&self, number: usize) -> Hint {
        self.0.borrow().get(number % MOST).copied().unwrap_or(Hint::NONE)
    }

    #[cold]
    fn set(&self, number: usize, hint: Hint) {
        let (mut hints, at) = (self.0.borrow_mut(), number % MOST);
        if hints.len() <= at {
            hints.resize((at + 1).next_power_of_two(), Hint::NONE);
        }
        hints[at] = hint;
    }
}

impl Tree {
    /// The number of child `index` of the node of this number; the root's is 0.
    #[inline]
    pub(super) fn number(&self, node: usize, index: u16) -> usize {
        node * (usize::from(self.geometry.level(1).max) + 1) + usize::from(index) + 1
    }

    /// The block of the node of this number, to which `pointer` leads. `part` of it is asked for before it is looked up.
    #[inline]
    pub(super) fn hinted_node(
        &self,
        store: &mut Store,
        level: usize,
        number: usize,
        pointer: Pointer,
        part: Range<usize>,
    ) -> Result<BlockId> {
        let hint = self.hints.get(number);
        store.prefetch_hint(hint, part.clone());
        let is_there = store.stands_at(hint.id, pointer.address, self.geometry.node_size() as u32);
        if is_there && pointer.nrec <= self.geometry.level(level).max {
            return Ok(hint.id);
        }
        let block = self.node(store, pointer.address, level, pointer.nrec)?;
        store.prefetch(block, part);
        self.hints.set(number, store.hint(block));
        Ok(block)
    }
}
