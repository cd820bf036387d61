//! What a redo record says of bytes that stand elsewhere in the file, as it is written and read: the layout is part of the
//! journal's.

use std::io;

use super::journal::Entry;
use super::{Backend, Moved};

const SOURCE: u64 = 8;
const TARGET: u64 = 16;
const PIECE: u64 = 12;
const COUNTS: u64 = 24;

/// What is to be written.
#[derive(Debug)]
pub(super) struct Copies {
    sources: Vec<u8>,
    targets: Vec<u8>,
    pieces: Vec<u8>,
}

impl Copies {
    /// None yet, from sources at these addresses.
    pub fn of(sources: impl Iterator<Item = u64>) -> Self {
        Copies { sources: sources.flat_map(u64::to_le_bytes).collect(), targets: Vec::new(), pieces: Vec::new() }
    }

    /// A piece for the block that [`end_block`](Copies::end_block) is called with next; they come in order.
    #[inline]
    pub fn push(&mut self, moved: &Moved) {
        let mut piece = [0; PIECE as usize];
        piece[..4].copy_from_slice(&moved.at.to_le_bytes());
        piece[4..8].copy_from_slice(&moved.from.to_le_bytes());
        piece[8..10].copy_from_slice(&moved.length.to_le_bytes());
        piece[10..].copy_from_slice(&moved.source.to_le_bytes());
        self.pieces.extend_from_slice(&piece);
    }

    /// Pieces so far.
    pub fn count(&self) -> usize {
        self.pieces.len() / PIECE as usize
    }

    /// The pieces from number `begun` on are for the block at this address, and their sources count from `sources`.
    pub fn end_block(&mut self, address: u64, sources: usize, begun: usize) {
        if self.count() > begun {
            self.targets.extend(address.to_le_bytes());
            self.targets.extend(((self.count() - begun) as u32).to_le_bytes());
            self.targets.extend((sources as u32).to_le_bytes());
        }
    }

    /// Bytes of it all.
    pub fn bytes(&self) -> usize {
        self.sources.len() + self.targets.len() + self.pieces.len() + COUNTS as usize
    }

    /// Puts it into a record.
    pub fn append(&self, record: &mut Vec<u8>) {
        let parts = [(&self.sources, SOURCE), (&self.targets, TARGET), (&self.pieces, PIECE)];
        parts.iter().for_each(|(part, _)| record.extend_from_slice(part));
        parts.iter().for_each(|(part, size)| record.extend((part.len() as u64 / size).to_le_bytes()));
    }
}

/// How much a record has of it.
#[derive(Debug, Default)]
pub(super) struct Counts {
    sources: u64,
    targets: u64,
    pieces: u64,
    /// Bytes of these numbers.
    own: u64,
}

impl Counts {
    /// The numbers that stand in front of the footer at `footer`, where a record has any.
    pub fn read(backend: &mut dyn Backend, any: bool, footer: u64) -> io::Result<Option<Counts>> {
        if !any {
            return Ok(Some(Counts::default()));
        }
        let Some(at) = footer.checked_sub(COUNTS) else { return Ok(None) };
        let mut bytes = [0; COUNTS as usize];
        backend.read_at(&mut bytes, at)?;
        let [sources, targets, pieces] = [0, 8, 16].map(|at| number(&bytes[at..at + 8]));
        Ok(Some(Counts { sources, targets, pieces, own: COUNTS }))
    }

    /// Bytes of it all.
    pub fn bytes(&self) -> Option<u64> {
        let parts = [(self.sources, SOURCE), (self.targets, TARGET), (self.pieces, PIECE), (self.own, 1)];
        parts.into_iter().try_fold(0u64, |sum, (count, size)| sum.checked_add(count.checked_mul(size)?))
    }

    /// What goes where, for a record that begins at `start` in a file that begins at `base`; none where something would come
    /// from or go to the record or behind it.
    pub fn entries(&self, bytes: &[u8], start: u64, base: u64) -> Option<Vec<Entry>> {
        let (sources, rest) = bytes.split_at_checked((self.sources * SOURCE) as usize)?;
        let (targets, rest) = rest.split_at_checked((self.targets * TARGET) as usize)?;
        let sources: Vec<u64> = sources.chunks_exact(SOURCE as usize).map(number).collect();
        let mut pieces = rest.get(..(self.pieces * PIECE) as usize)?.chunks_exact(PIECE as usize);
        let mut entries = Vec::with_capacity(pieces.len());
        for target in targets.chunks_exact(TARGET as usize) {
            let first = number(&target[12..]) as usize;
            for piece in pieces.by_ref().take(number(&target[8..12]) as usize) {
                let from = sources.get(first.checked_add(number(&piece[10..]) as usize)?)?;
                let source = base.checked_add(*from)?.checked_add(number(&piece[4..8]))?;
                let target = base.checked_add(number(&target[..8]))?.checked_add(number(&piece[..4]))?;
                let length = number(&piece[8..10]);
                if source.max(target).checked_add(length)? > start {
                    return None;
                }
                entries.push(Entry { source, target, length });
            }
        }
        (entries.len() as u64 == self.pieces).then_some(entries)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
