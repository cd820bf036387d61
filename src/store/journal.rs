//! The redo record: what a flush is about to change in place, written behind everything that the file uses before the
//! first such change. It is the file's last bytes, so that its footer is found from the file's length:
//!
//! ```text
//! bytes of block 0, bytes of block 1, …, the new superblock
//! address and length of each (8 + 8 bytes, little-endian, counted from the file's base)
//! version 2: what stands elsewhere in the file, where nothing is about to be written:
//!   sources: address of each (8)
//!   targets: address, number of pieces that are copied there, the source that theirs count from (8 + 4 + 4)
//!   pieces: where in the target, where in the source, length, source (4 + 4 + 2 + 2)
//!   number of sources, of targets, of pieces (8 + 8 + 8)
//! footer: "h5r redo", version (4), CRC-32 of the superblock before (4), bytes of blocks (8), number of blocks (8),
//!         CRC-32 of all of the record before this field (4)
//! ```
//!
//! It is no part of the HDF5 format: libhdf5 ignores what stands behind the end of allocation.

use std::io;

use crc32fast::Hasher;

use super::copies::{Copies, Counts};
use super::Backend;

const MAGIC: [u8; 8] = *b"h5r redo";
/// Without and with what stands elsewhere.
const VERSIONS: [u32; 2] = [1, 2];
const ENTRY: u64 = 16;
const FOOTER: u64 = 36;

/// Bytes read or copied at a time.
const PIECE: usize = 1 << 20;

/// Where the after-image of a block, or a part of it, stands, and where it belongs. Positions count from the file's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub source: u64,
    pub target: u64,
    pub length: u64,
}

/// The part of a record behind the blocks' bytes, which `hasher` has seen. `blocks` are addresses and lengths.
pub(super) fn ending(blocks: &[(u64, u64)], copies: &Copies, before: &[u8], mut hasher: Hasher) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(blocks.len() * ENTRY as usize + copies.bytes() + FOOTER as usize);
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
/// `before`, for a file that begins at `base`. Its last block is the new superblock. An error where its version is not known.
pub(super) fn find(backend: &mut dyn Backend, length: u64, base: u64, before: &[u8]) -> io::Result<Option<Record>> {
    let Some(at) = length.checked_sub(FOOTER) else { return Ok(None) };
    let mut footer = [0; FOOTER as usize];
    backend.read_at(&mut footer, at)?;
    let Some((version, payload, blocks)) = parse_footer(&footer, before) else { return Ok(None) };
    if !VERSIONS.contains(&version) {
        // To discard it would leave a mixture.
        let text = format!("a redo record of version {version}, of a later h5r");
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    let Some(counts) = Counts::read(backend, version == VERSIONS[1], at)? else { return Ok(None) };
    let bytes =
        [blocks.checked_mul(ENTRY), counts.bytes()].into_iter().try_fold(0, |sum: u64, part| sum.checked_add(part?));
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
    let copies = counts.entries(copies, start, base).and_then(|copies| add_copies(&mut entries, copies, base));
    if copies.is_none() {
        return Ok(None);
    }
    Ok(Some(Record { entries, blocks }))
}

/// Adds what stands elsewhere to the entries, if each of them has a place of its own behind the superblock, and nothing goes to
/// where any of it comes from.
fn add_copies(entries: &mut Vec<Entry>, copies: Vec<Entry>, base: u64) -> Option<()> {
    let superblock = entries.pop()?;
    let behind = base + superblock.length;
    let sources: Vec<(u64, u64)> = copies.iter().map(|entry| (entry.source, entry.source + entry.length)).collect();
    entries.extend(copies);
    entries.sort_unstable_by_key(|entry| entry.target);
    let apart = entries.windows(2).all(|pair| pair[0].target + pair[0].length <= pair[1].target);
    let stays = |&(from, to): &(u64, u64)| {
        let first = entries.partition_point(|entry| entry.target + entry.length <= from);
        from >= behind && entries.get(first).is_none_or(|entry| entry.target >= to)
    };
    let sound = apart && entries.first().is_none_or(|first| first.target >= behind) && sources.iter().all(stays);
    entries.push(superblock);
    sound.then_some(())
}

/// Version, bytes of blocks and their number.
fn parse_footer(footer: &[u8; FOOTER as usize], before: &[u8]) -> Option<(u32, u64, u64)> {
    let u32_at = |at: usize| footer[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let u64_at = |at: usize| footer[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let version = u32_at(8)?;
    let ours = footer[..8] == MAGIC && u32_at(12)? == crc32fast::hash(before);
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
    use crate::store::{MemoryBackend, Moved};

    const BEFORE: &[u8] = b"the superblock before";

    /// A file of 100 bytes and a record of two blocks and a superblock.
    fn file() -> Vec<u8> {
        let mut bytes = vec![7; 100];
        let payload = [vec![1; 10], vec![2; 20], vec![3; 5]].concat();
        let mut hasher = Hasher::new();
        hasher.update(&payload);
        bytes.extend(&payload);
        bytes.extend(ending(&[(40, 10), (60, 20), (0, 5)], &Copies::of([].into_iter()), BEFORE, hasher));
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
        let version = bytes.len() - FOOTER as usize + 8;
        for at in (100..bytes.len()).filter(|at| !(version..version + 4).contains(at)) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert_eq!(found(&damaged, BEFORE), None, "byte {at}");
        }
        assert_eq!(found(&[bytes.as_slice(), &[0]].concat(), BEFORE), None);
    }

    /// A file of 100 bytes and a record of one block and a superblock, in which these pieces (at, from, length, source)
    /// are copied to a block at 50 from blocks at 10 and 80.
    fn file_with(block: (u64, u64), pieces: &[(u32, u32, u16, u16)]) -> Vec<u8> {
        let mut bytes = vec![7; 100];
        let payload = vec![1; block.1 as usize + 5];
        let mut hasher = Hasher::new();
        hasher.update(&payload);
        let mut copies = Copies::of([10, 80].into_iter());
        pieces.iter().for_each(|&(at, from, length, source)| copies.push(&Moved { at, from, length, source }));
        copies.end_block(50, 0, 0);
        bytes.extend(&payload);
        bytes.extend(ending(&[block, (0, 5)], &copies, BEFORE, hasher));
        bytes
    }

    #[test]
    fn what_stands_elsewhere_is_found_and_nothing_goes_where_it_comes_from() {
        let bytes = file_with((40, 10), &[(0, 0, 4, 0), (6, 2, 8, 1)]);
        let entry = |source, target, length| Entry { source, target, length };
        let expected = [entry(100, 40, 10), entry(10, 50, 4), entry(82, 56, 8), entry(110, 0, 5)];
        assert_eq!(found(&bytes, BEFORE).unwrap(), expected);
        let version = bytes.len() - FOOTER as usize + 8;
        for at in (100..bytes.len()).filter(|at| !(version..version + 4).contains(at)) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert_eq!(found(&damaged, BEFORE), None, "byte {at}");
        }
        for (block, pieces) in [
            ((40, 10), &[(0, 0, 4, 0), (3, 0, 4, 0)][..]),
            ((40, 11), &[(0, 0, 4, 0)]),
            ((12, 10), &[(0, 0, 4, 0)]),
            ((40, 10), &[(0, 0, 4, 0), (30, 0, 4, 0), (35, 2, 4, 1)]),
            ((40, 10), &[(0, 0, 4, 2)]),
            ((40, 10), &[(0, 18, 4, 1)]),
            ((40, 10), &[(48, 0, 4, 0)]),
            ((40, 10), &[(u32::MAX, 0, 4, 0)]),
            ((3, 10), &[(0, 0, 4, 0)]),
        ] {
            let all = file_with(block, pieces);
            assert_eq!(found(&all, BEFORE), None, "{block:?} {pieces:?}");
        }
    }

    #[test]
    fn a_record_of_a_later_version_is_no_reason_to_discard_it() {
        let mut bytes = file();
        let at = bytes.len() - FOOTER as usize + 8;
        bytes[at] = 3;
        let mut backend = MemoryBackend::with_bytes(bytes.clone());
        let error = find(&mut backend, bytes.len() as u64, 0, BEFORE).unwrap_err();
        assert_eq!(error.to_string(), "a redo record of version 3, of a later h5r");
        assert_eq!(found(&bytes, b"another superblock"), None);
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
            let mut end = ending(&[(40, 30), (0, 5)], &Copies::of([].into_iter()), BEFORE, Hasher::new());
            if blocks.len() == 2 {
                for (i, (address, length)) in blocks.iter().enumerate() {
                    end[i * 16..i * 16 + 8].copy_from_slice(&address.to_le_bytes());
                    end[i * 16 + 8..i * 16 + 16].copy_from_slice(&length.to_le_bytes());
                }
                let sum_at = end.len() - 4;
                hasher.update(&end[..sum_at]);
                end[sum_at..].copy_from_slice(&hasher.finalize().to_le_bytes());
            } else {
                end = ending(blocks, &Copies::of([].into_iter()), BEFORE, hasher);
            }
            bytes.extend(end);
            assert_eq!(found(&bytes, BEFORE), None, "{blocks:?}");
        }
    }
}
