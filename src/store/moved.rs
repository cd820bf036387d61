//! Bytes that moved from one block to another since the last flush: what they were stands where they came from, until that is
//! written over, so that the redo record names that place instead of repeating them.

use super::cache::Cache;
use super::commit::Part;
use super::journal::Copies;
use super::{BlockId, Hint, Seal, Store};

/// Bytes that moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Where they are in their block.
    pub at: u32,
    /// Where they were in the block that they came from.
    pub from: u32,
    /// How many.
    pub length: u16,
    /// Which block that was.
    pub source: u16,
}

/// The moves into one block: in the list, and the first of the blocks that they count from.
#[derive(Debug, Clone, Copy)]
struct Into {
    first: usize,
    end: usize,
    sources: usize,
}

/// All that moved since the last flush.
#[derive(Debug, Default)]
pub(super) struct Moves {
    list: Vec<Moved>,
    /// Addresses and lengths of the blocks that they came from.
    sources: Vec<(u64, u64)>,
    /// By what a block has as `moved`, less one.
    into: Vec<Into>,
}

impl Moves {
    /// What the record has to say of these parts of blocks, in the order of their addresses: their bytes, or where they
    /// stand, unless something else is about to be written there.
    pub fn recorded(&self, cache: &Cache, parts: &[Part]) -> (Vec<Part>, Copies) {
        let (mut literal, mut copies) = (Vec::with_capacity(parts.len()), Copies::new(&self.sources));
        let written_over = |&(address, length): &(u64, u64)| {
            let first = parts.partition_point(|part| part.end(cache) <= address);
            parts.get(first).is_some_and(|part| part.address(cache) < address + length)
        };
        let stays: Vec<bool> = self.sources.iter().map(|source| !written_over(source)).collect();
        for part in parts {
            let block = cache.block(part.block);
            let into = (block.moved as usize).checked_sub(1).and_then(|number| self.into.get(number));
            let Some(into) = into else {
                literal.extend(part.used(cache));
                continue;
            };
            if let Seal::At(at) | Seal::Within(at) = block.seal {
                literal.push(Part { from: at, to: at + 4, ..*part });
            }
            let begun = copies.count();
            for moved in &self.list[into.first..into.end] {
                match stays[into.sources + usize::from(moved.source)] {
                    true => copies.push(moved),
                    false => {
                        let Part { from, to, .. } = Part { from: moved.at, to: moved.at + u32::from(moved.length), ..*part };
                        match literal.last_mut().filter(|last| last.block == part.block && last.to == from) {
                            Some(last) => last.to = to,
                            None => literal.push(Part { from, to, ..*part }),
                        }
                    }
                }
            }
            copies.end_block(block.address, into.sources, begun);
        }
        (literal, copies)
    }

    /// The flush is done.
    pub fn clear(&mut self) {
        *self = Moves::default();
    }
}

impl Store {
    /// Copies bytes from one block to a place in another, which is dirty already.
    #[inline]
    pub fn copy_bytes(&mut self, from: (Hint, usize), to: (Hint, usize), length: usize) {
        self.cache.copy_bytes(from, to, length);
    }

    /// These moves, into each of the `targets` those of its part of the list, ascending, are all in which it differs from the last
    /// flushed state; and the sources had not been changed since.
    pub fn note_moves(
        &mut self,
        list: Vec<Moved>,
        sources: impl Iterator<Item = BlockId>,
        targets: impl Iterator<Item = (BlockId, std::ops::Range<usize>)>,
    ) {
        let moves = &mut self.moves;
        let (first, first_source) = (moves.list.len(), moves.sources.len());
        for (id, part) in targets {
            moves.into.push(Into { first: first + part.start, end: first + part.end, sources: first_source });
            self.cache.set_moved(id, moves.into.len() as u32);
        }
        moves.sources.extend(sources.map(|id| {
            let block = self.cache.block(id);
            (block.address, block.len() as u64)
        }));
        if moves.list.is_empty() {
            moves.list = list;
        } else {
            moves.list.extend(list);
        }
    }
}
