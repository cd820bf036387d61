//! The redo record: what a flush is about to change in place, written behind everything that the file uses before the
//! first such change. It is the file's last bytes, so that its footer is found from the file's length:
//!
//! ```text
//! bytes of block 0, bytes of block 1, …, the new superblock
//! address and length of each (8 + 8 bytes, little-endian, counted from the file's base)
//! version 2: what stands elsewhere in the file, where nothing is about to be written:
//!   sources: address and length of each (8 + 8)
//!   targets: address, number of pieces that are copied there, the source that these count from (8 + 4 + 4)
//!   pieces: where in the target, where in the source, length, source (4 + 4 + 2 + 2)
//!   number of sources, of targets, of pieces (8 + 8 + 8)
//! footer: "h5r redo", version (4), CRC-32 of the superblock before (4), bytes of blocks (8), number of blocks (8),
//!         CRC-32 of all of the record before this field (4)
//! ```
//!
//! It is no part of the HDF5 format: libhdf5 ignores what stands behind the end of allocation.

use std::io;

use crc32fast::Hasher;

use super::{Backend, Moved};

const MAGIC: [u8; 8] = *b"h5r redo";
/// Without and with what stands elsewhere.
const VERSIONS: [u32; 2] = [1, 2];
const ENTRY: u64 = 16;
const PIECE_ENTRY: u64 = 12;
const COUNTS: u64 = 24;
const FOOTER: u64 = 36;

/// Bytes read or copied at a time.
const PIECE: usize = 1 << 20;

/// Where the after-image of a block stands, and where it belongs. Positions count from the file's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub source: u64,
    pub target: u64,
    pub length: u64,
}

/// What a record says of bytes that stand elsewhere, as it will be written.
#[derive(Debug)]
pub(super) struct Copies {
    sources: Vec<u8>,
    targets: Vec<u8>,
    pieces: Vec<u8>,
}

impl Copies {
    /// None yet, of these sources.
    pub fn new(sources: &[(u64, u64)]) -> Self {
        let sources = sources.iter().flat_map(|(address, length)| [address.to_le_bytes(), length.to_le_bytes()]);
        Copies { sources: sources.flatten().collect(), targets: Vec::new(), pieces: Vec::new() }
    }

    /// A piece for the block that [`end_block`](Copies::end_block) is called with next; they come in order.
    #[inline]
    pub fn push(&mut self, moved: &Moved) {
        let mut piece = [0; PIECE_ENTRY as usize];
        piece[..4].copy_from_slice(&moved.at.to_le_bytes());
        piece[4..8].copy_from_slice(&moved.from.to_le_bytes());
        piece[8..10].copy_from_slice(&moved.length.to_le_bytes());
        piece[10..].copy_from_slice(&moved.source.to_le_bytes());
        self.pieces.extend_from_slice(&piece);
    }

    /// Pieces so far.
    pub fn count(&self) -> usize {
        self.pieces.len() / PIECE_ENTRY as usize
    }

    /// The pieces from number `begun` on are for the block at this address, and their sources count from `sources`.
    pub fn end_block(&mut self, address: u64, sources: usize, begun: usize) {
        self.targets.extend(address.to_le_bytes());
        self.targets.extend(((self.count() - begun) as u32).to_le_bytes());
        self.targets.extend((sources as u32).to_le_bytes());
    }

    fn append(&self, bytes: &mut Vec<u8>) {
        let parts = [(&self.sources, ENTRY), (&self.targets, ENTRY), (&self.pieces, PIECE_ENTRY)];
        parts.iter().for_each(|(part, _)| bytes.extend_from_slice(part));
        parts.iter().for_each(|(part, size)| bytes.extend((part.len() as u64 / size).to_le_bytes()));
    }
}

impl Entry {
    fn end(&self, of: u64) -> Option<u64> {
        of.checked_add(self.length)
    }
}

/// The part of a record behind the blocks' bytes, which `hasher` has seen. `blocks` are addresses and lengths.
pub(super) fn ending(blocks: &[(u64, u64)], copies: &Copies, before: &[u8], mut hasher: Hasher) -> Vec<u8> {
    let copied = copies.sources.len() + copies.targets.len() + copies.pieces.len() + COUNTS as usize;
    let mut bytes = Vec::with_capacity(blocks.len() * ENTRY as usize + copied + FOOTER as usize);
    for (address, length) in blocks {
        bytes.extend(address.to_le_bytes());
        bytes.extend(length.to_le_bytes());
    }
    let copies = Some(copies).filter(|copies| copies.count() > 0);
    if let Some(copies) = copies {
        copies.append(&mut bytes);
    }
    bytes.extend(MAGIC);
    bytes.extend(VERSIONS[usize::from(copies.is_some())].to_le_bytes());
    bytes.extend(crc32fast::hash(before).to_le_bytes());
    bytes.extend(blocks.iter().map(|(_, length)| length).sum::<u64>().to_le_bytes());
    bytes.extend((blocks.len() as u64).to_le_bytes());
    hasher.update(&bytes);
    bytes.extend(hasher.finalize().to_le_bytes());
    bytes
}

/// A record that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// What goes where, in the order of where it goes, the superblock last.
    pub entries: Vec<Entry>,
    /// Blocks that the record has bytes of.
    pub blocks: u64,
}

/// The whole and undamaged record at the end of a file of `length` bytes, if it was written over the superblock
/// `before`, for a file that begins at `base`. Its last block is the new superblock.
pub(super) fn find(backend: &mut dyn Backend, length: u64, base: u64, before: &[u8]) -> io::Result<Option<Record>> {
    let Some(at) = length.checked_sub(FOOTER) else { return Ok(None) };
    let mut footer = [0; FOOTER as usize];
    backend.read_at(&mut footer, at)?;
    let Some((version, payload, blocks)) = parse_footer(&footer, before) else { return Ok(None) };
    let Some(counts) = read_counts(backend, version, at)? else { return Ok(None) };
    let bytes = [blocks.checked_mul(ENTRY), counts.bytes()].into_iter().try_fold(0, |sum: u64, part| sum.checked_add(part?));
    let table = bytes.and_then(|bytes| at.checked_sub(bytes));
    let Some(start) = table.and_then(|table| table.checked_sub(payload)).filter(|&start| start >= base) else {
        return Ok(None);
    };
    if !sum_holds(backend, start, at + FOOTER - 4, &footer[FOOTER as usize - 4..])? {
        return Ok(None);
    }
    let mut table = vec![0; (at - start - payload) as usize];
    backend.read_at(&mut table, start + payload)?;
    let (table, copies) = table.split_at((blocks * ENTRY) as usize);
    let Some(mut entries) = parse_table(table, start, payload, base) else { return Ok(None) };
    if version == VERSIONS[1] && add_copies(&mut entries, copies, &counts, start, base).is_none() {
        return Ok(None);
    }
    Ok(Some(Record { entries, blocks }))
}

/// How much a record says of what stands elsewhere.
#[derive(Default)]
struct Counts {
    sources: u64,
    targets: u64,
    pieces: u64,
    /// Bytes of these numbers.
    own: u64,
}

impl Counts {
    fn bytes(&self) -> Option<u64> {
        let blocks = self.sources.checked_add(self.targets)?.checked_mul(ENTRY)?;
        self.pieces.checked_mul(PIECE_ENTRY)?.checked_add(blocks)?.checked_add(self.own)
    }
}

fn read_counts(backend: &mut dyn Backend, version: u32, footer: u64) -> io::Result<Option<Counts>> {
    if version == VERSIONS[0] {
        return Ok(Some(Counts::default()));
    }
    let Some(at) = footer.checked_sub(COUNTS) else { return Ok(None) };
    let mut bytes = [0; COUNTS as usize];
    backend.read_at(&mut bytes, at)?;
    let mut counts = bytes.chunks_exact(8).map(|bytes| bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte)));
    let mut next = || counts.next().unwrap_or_default();
    Ok(Some(Counts { sources: next(), targets: next(), pieces: next(), own: COUNTS }))
}

/// Adds what stands elsewhere to the entries, if it stands before the record and neither overlaps what goes into the same
/// block nor comes from where anything goes.
fn add_copies(entries: &mut Vec<Entry>, bytes: &[u8], counts: &Counts, start: u64, base: u64) -> Option<()> {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte));
    let (sources, rest) = bytes.split_at_checked((counts.sources * ENTRY) as usize)?;
    let (targets, rest) = rest.split_at_checked((counts.targets * ENTRY) as usize)?;
    let mut pieces = rest.get(..(counts.pieces * PIECE_ENTRY) as usize)?.chunks_exact(PIECE_ENTRY as usize);
    let sources: Vec<(u64, u64)> =
        sources.chunks_exact(ENTRY as usize).map(|source| (number(&source[..8]), number(&source[8..]))).collect();
    let superblock = entries.pop()?;
    for target in targets.chunks_exact(ENTRY as usize) {
        let address = number(&target[..8]).checked_add(base)?;
        let first = number(&target[12..]) as usize;
        for piece in pieces.by_ref().take(number(&target[8..12]) as usize) {
            let (source, bytes) = sources.get(first + number(&piece[10..]) as usize)?;
            let (from, length) = (number(&piece[4..8]), number(&piece[8..10]));
            let entry = Entry {
                source: source.checked_add(base)?.checked_add(from)?,
                target: address.checked_add(number(&piece[..4]))?,
                length,
            };
            if from + length > *bytes || entry.end(entry.target)? > start || entry.end(entry.source)? > start {
                return None;
            }
            entries.push(entry);
        }
    }
    entries.sort_unstable_by_key(|entry| entry.target);
    let apart = entries.windows(2).all(|pair| pair[0].target + pair[0].length <= pair[1].target);
    let unharmed = |source: &(u64, u64)| {
        let (from, to) = (source.0 + base, source.0 + base + source.1);
        let first = entries.partition_point(|entry| entry.target + entry.length <= from);
        from >= base + superblock.length && entries.get(first).is_none_or(|entry| entry.target >= to)
    };
    let begins = entries.first().is_none_or(|first| first.target >= base + superblock.length);
    let bounded = sources.iter().all(|source| source.0.checked_add(source.1).is_some_and(|end| end <= start - base));
    let sound = pieces.next().is_none() && apart && begins && bounded && sources.iter().all(unharmed);
    entries.push(superblock);
    sound.then_some(())
}

/// Version, bytes of blocks and their number.
fn parse_footer(footer: &[u8; FOOTER as usize], before: &[u8]) -> Option<(u32, u64, u64)> {
    let u32_at = |at: usize| footer[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let u64_at = |at: usize| footer[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let version = u32_at(8)?;
    let ours = footer[..8] == MAGIC && VERSIONS.contains(&version) && u32_at(12)? == crc32fast::hash(before);
    ours.then_some((version, u64_at(16)?, u64_at(24)?))
}

fn sum_holds(backend: &mut dyn Backend, start: u64, end: u64, stored: &[u8]) -> io::Result<bool> {
    let mut hasher = Hasher::new();
    let mut piece = vec![0; PIECE.min((end - start) as usize)];
    let mut at = start;
    while at < end {
        let count = (end - at).min(PIECE as u64) as usize;
        backend.read_at(&mut piece[..count], at)?;
        hasher.update(&piece[..count]);
        at += count as u64;
    }
    Ok(hasher.finalize().to_le_bytes() == stored)
}

/// The entries, if they make up the payload and lie before the record without overlapping: blocks in the order of their
/// addresses, then the superblock.
fn parse_table(table: &[u8], start: u64, payload: u64, base: u64) -> Option<Vec<Entry>> {
    let mut source = start;
    let mut entries = Vec::with_capacity(table.len() / ENTRY as usize);
    for entry in table.chunks_exact(ENTRY as usize) {
        let (address, length) = entry.split_first_chunk::<8>()?;
        let target = u64::from_le_bytes(*address).checked_add(base)?;
        let length = u64::from_le_bytes(*length.first_chunk()?);
        if target.checked_add(length)? > start || length > start + payload - source {
            return None;
        }
        entries.push(Entry { source, target, length });
        source += length;
    }
    let (superblock, blocks) = entries.split_last()?;
    let mut behind = base + superblock.length;
    for block in blocks {
        if block.target < behind {
            return None;
        }
        behind = block.target + block.length;
    }
    (source == start + payload && superblock.target == base).then_some(entries)
}

/// Copies a block's after-image to where it belongs.
pub(super) fn apply(backend: &mut dyn Backend, entry: &Entry) -> io::Result<()> {
    let mut piece = vec![0; PIECE.min(entry.length as usize)];
    let mut done = 0;
    while done < entry.length {
        let count = (entry.length - done).min(PIECE as u64) as usize;
        backend.read_at(&mut piece[..count], entry.source + done)?;
        backend.write_at(&mut [io::IoSlice::new(&piece[..count])], entry.target + done)?;
        done += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryBackend;

    const BEFORE: &[u8] = b"the superblock before";

    /// A file of 100 bytes and a record of two blocks and a superblock.
    fn file() -> Vec<u8> {
        let mut bytes = vec![7; 100];
        let payload = [vec![1; 10], vec![2; 20], vec![3; 5]].concat();
        let mut hasher = Hasher::new();
        hasher.update(&payload);
        bytes.extend(&payload);
        bytes.extend(ending(&[(40, 10), (60, 20), (0, 5)], &Copies::new(&[]), BEFORE, hasher));
        bytes
    }

    fn found(bytes: &[u8], before: &[u8]) -> Option<Vec<Entry>> {
        let mut backend = MemoryBackend::with_bytes(bytes.to_vec());
        find(&mut backend, bytes.len() as u64, 0, before).unwrap().map(|record| record.entries)
    }

    #[test]
    fn a_record_is_found_by_the_files_end() {
        let entries = found(&file(), BEFORE).unwrap();
        assert_eq!(entries[1], Entry { source: 110, target: 60, length: 20 });
        let mut backend = MemoryBackend::with_bytes(file());
        apply(&mut backend, &entries[1]).unwrap();
        assert_eq!(backend.shared().lock()[59..81], [vec![7], vec![2; 20], vec![7]].concat());
    }

    #[test]
    fn what_is_not_whole_or_not_for_this_state_is_no_record() {
        let bytes = file();
        assert_eq!(found(&bytes, b"another superblock"), None);
        for length in 0..bytes.len() {
            assert_eq!(found(&bytes[..length], BEFORE), None, "cut to {length}");
        }
        for at in 100..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert_eq!(found(&damaged, BEFORE), None, "byte {at}");
        }
        assert_eq!(found(&[bytes.as_slice(), &[0]].concat(), BEFORE), None);
    }

    #[test]
    fn a_forged_record_cannot_reach_outside() {
        for blocks in
            [&[(90u64, 30u64), (0, 5)][..], &[(u64::MAX, 30), (0, 5)], &[(40, 35)], &[(40, u64::MAX), (0, 36)]]
        {
            let payload = [1; 35];
            let mut hasher = Hasher::new();
            hasher.update(&payload);
            let mut bytes = vec![7; 100];
            bytes.extend(payload);
            let mut end = ending(&[(40, 30), (0, 5)], &Copies::new(&[]), BEFORE, Hasher::new());
            if blocks.len() == 2 {
                for (i, (address, length)) in blocks.iter().enumerate() {
                    end[i * 16..i * 16 + 8].copy_from_slice(&address.to_le_bytes());
                    end[i * 16 + 8..i * 16 + 16].copy_from_slice(&length.to_le_bytes());
                }
                let sum_at = end.len() - 4;
                hasher.update(&end[..sum_at]);
                end[sum_at..].copy_from_slice(&hasher.finalize().to_le_bytes());
            } else {
                end = ending(blocks, &Copies::new(&[]), BEFORE, hasher);
            }
            bytes.extend(end);
            assert_eq!(found(&bytes, BEFORE), None, "{blocks:?}");
        }
    }
}
