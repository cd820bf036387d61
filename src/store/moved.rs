//! Bytes that moved from one block to another since the last flush. What they are stands in the file where they came from,
//! until something else is written there; so the redo record names that place instead of repeating them.

use std::ops::Range;

use super::cache::Cache;
use super::commit::Part;
use super::copies::Copies;
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

/// A block that bytes came from.
#[derive(Debug)]
struct Source {
    address: u64,
    length: u64,
    /// Whether it was as in the last flushed state when they were read.
    clean: bool,
}

/// The moves into one block.
#[derive(Debug)]
struct Target {
    /// In the list.
    moves: Range<usize>,
    /// The first of the sources that they count from.
    sources: usize,
}

/// All that moved since the last flush.
#[derive(Debug, Default)]
pub(super) struct Moves {
    list: Vec<Moved>,
    sources: Vec<Source>,
    /// By what a block has as `moved`, less one.
    targets: Vec<Target>,
}

impl Moves {
    /// What the record says of these parts of blocks, in the order of their addresses: bytes, and where bytes stand that
    /// nothing is about to be written over.
    pub fn recorded(&self, cache: &Cache, parts: &[Part]) -> (Vec<Part>, Copies) {
        let mut literal = Vec::with_capacity(parts.len());
        let mut copies = Copies::of(self.sources.iter().map(|source| source.address));
        let stays: Vec<bool> = self.sources.iter().map(|source| source.stays(cache, parts)).collect();
        for part in parts {
            let number = (cache.block(part.block).moved as usize).checked_sub(1);
            match number.and_then(|number| self.targets.get(number)) {
                Some(target) => self.record_target(cache, *part, target, &stays, &mut literal, &mut copies),
                None => literal.extend(part.used(cache)),
            }
        }
        (literal, copies)
    }

    /// The same of a block that bytes moved to. Its checksum stands in front of them.
    fn record_target(
        &self,
        cache: &Cache,
        whole: Part,
        target: &Target,
        stays: &[bool],
        literal: &mut Vec<Part>,
        copies: &mut Copies,
    ) {
        let block = cache.block(whole.block);
        if let Seal::Within(at) = block.seal {
            literal.push(Part { from: at, to: at + 4, ..whole });
        }
        let begun = copies.count();
        for moved in self.list.get(target.moves.clone()).unwrap_or_default() {
            if stays.get(target.sources + usize::from(moved.source)) == Some(&true) {
                copies.push(moved);
                continue;
            }
            let (from, to) = (moved.at, moved.at + u32::from(moved.length));
            match literal.last_mut().filter(|last| last.block == whole.block && last.to == from) {
                Some(last) => last.to = to,
                None => literal.push(Part { from, to, ..whole }),
            }
        }
        copies.end_block(block.address, target.sources, begun);
    }

    /// The flush is done.
    pub fn clear(&mut self) {
        *self = Moves::default();
    }
}

impl Source {
    /// Whether its bytes stay in the file while these parts are written.
    fn stays(&self, cache: &Cache, parts: &[Part]) -> bool {
        let first = parts.partition_point(|part| part.end(cache) <= self.address);
        self.clean && parts.get(first).is_none_or(|part| part.address(cache) >= self.address + self.length)
    }
}

impl Store {
    /// Copies bytes from where a block is to where another is, which is dirty already.
    #[inline(always)]
    pub fn copy_bytes(&mut self, from: (Hint, usize), to: (Hint, usize), length: usize) {
        self.cache.copy_bytes(from, to, length);
    }

    /// What moved: into each of the `targets`, which were as in the last flushed state before and are otherwise unchanged, those
    /// of its part of the list, ascending. Each source comes with whether it was as in the last flushed state, too. To be said
    /// before anything else is changed; changing a target makes what was said of it void.
    pub fn note_moves(
        &mut self,
        list: Vec<Moved>,
        sources: impl Iterator<Item = (BlockId, bool)>,
        targets: impl Iterator<Item = (BlockId, Range<usize>)>,
    ) {
        let moves = &mut self.moves;
        let (first, first_source) = (moves.list.len(), moves.sources.len());
        for (id, part) in targets {
            if matches!(self.cache.block(id).seal, Seal::At(_)) {
                continue;
            }
            moves.targets.push(Target { moves: first + part.start..first + part.end, sources: first_source });
            self.cache.set_moved(id, moves.targets.len() as u32);
        }
        moves.sources.extend(sources.map(|(id, clean)| {
            let block = self.cache.block(id);
            Source { address: block.address, length: block.len() as u64, clean }
        }));
        match moves.list.is_empty() {
            true => moves.list = list,
            false => moves.list.extend(list),
        }
    }
}
