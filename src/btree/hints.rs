//! Where a tree's nodes were in memory when they were visited last, by the path that leads to them. What the cache knows about
//! a random node of a large tree is far from the processor, and so is the node: with a hint both are asked for at once. A
//! hint that is out of date costs time, nothing else.

use std::cell::RefCell;
use std::ops::Range;

use super::Tree;
use crate::error::Result;
use crate::format::btree2::Pointer;
use crate::store::{BlockId, Hint, Store};

/// Nodes with a hint of their own: those of some ten million records, in 3 MiB.
const MOST: usize = 1 << 18;

/// A node as it was: its block, and how many records it had.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Visit {
    hint: Hint,
    nrec: u16,
}

const NEVER: Visit = Visit { hint: Hint::NONE, nrec: 0 };

/// The last visits by the number of a node, which [`Tree::number`] makes.
#[derive(Debug, Clone, Default)]
pub(super) struct Hints(RefCell<Vec<Visit>>);

impl Hints {
    #[inline]
    fn get(&self, number: usize) -> Visit {
        self.0.borrow().get(number % MOST).copied().unwrap_or(NEVER)
    }

    /// Of a node that was visited before.
    #[inline]
    fn renew(&self, number: usize, visit: Visit) {
        if let Some(before) = self.0.borrow_mut().get_mut(number % MOST) {
            *before = visit;
        }
    }

    /// In a tree of `records` records; what its numbers take stays in proportion, however sparse it is.
    #[cold]
    fn enter(&self, number: usize, visit: Visit, records: u64) {
        let (mut visits, at) = (self.0.borrow_mut(), number % MOST);
        if at as u64 > records {
            return;
        }
        if visits.len() <= at {
            visits.resize((at + 1).next_power_of_two(), NEVER);
        }
        visits[at] = visit;
    }
}

impl Tree {
    /// The number of child `index` of the node of this number; the root's is 0.
    #[inline]
    pub(super) fn number(&self, node: usize, index: u16) -> usize {
        let children = usize::from(self.geometry.level(1).max) + 1;
        node.wrapping_mul(children).wrapping_add(usize::from(index) + 1)
    }

    /// The block of the node of this number, to which `pointer` leads. Before it is looked up, `part` of it is asked for,
    /// given how many records there are, if it is a leaf far away: as many as at the last visit, so that not even the pointer
    /// is waited for.
    #[inline]
    pub(super) fn hinted_node(
        &self,
        store: &mut Store,
        level: usize,
        number: usize,
        pointer: Pointer,
        part: impl Fn(u16) -> Range<usize>,
    ) -> Result<BlockId> {
        let Visit { hint, nrec } = self.hints.get(number);
        // A smaller tree stays near the processor, and so do the nodes above the leaves.
        let is_far = level == 0 && self.depth > 1;
        if is_far {
            store.prefetch_hint(hint, part(nrec));
        }
        let is_there = store.stands_at(hint.id, pointer.address, self.geometry.node_size() as u32);
        if is_there && pointer.nrec <= self.geometry.level(level).max {
            let now = Visit { hint: store.hint(hint.id), nrec: pointer.nrec };
            if is_far && now != (Visit { hint, nrec }) {
                self.hints.renew(number, now);
            }
            return Ok(hint.id);
        }
        let block = self.node(store, pointer.address, level, pointer.nrec)?;
        if is_far {
            store.prefetch(block, part(pointer.nrec));
        }
        self.hints.enter(number, Visit { hint: store.hint(block), nrec: pointer.nrec }, self.header.total);
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_of_a_sparse_tree_take_no_more_than_its_records_would() {
        let hints = Hints::default();
        hints.enter(MOST - 1, NEVER, 100);
        assert_eq!(hints.0.borrow().len(), 0);
        hints.enter(100, NEVER, 100);
        assert_eq!(hints.0.borrow().len(), 128);
        hints.enter(MOST + 5, Visit { nrec: 7, ..NEVER }, 100);
        assert_eq!((hints.get(5).nrec, hints.0.borrow().len()), (7, 128));
        hints.renew(MOST - 1, Visit { nrec: 8, ..NEVER });
        assert_eq!(hints.get(MOST - 1), NEVER);
    }
}
