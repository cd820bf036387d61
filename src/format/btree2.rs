//! Version 2 B-trees: the header's codec, the node geometry and the fields of a node page (specification III.A.2).
//!
//! A node page is `signature, version, type, records…, child pointers…, checksum`; a leaf has no pointers. How many
//! records fit and how wide a pointer's counts are follows from the header alone, level by level from the leaves.

use std::ops::Range;

use super::codec::{Reader, Writer};
use super::{Sizes, UNDEFINED};
use crate::error::{Error, Result};

/// Levels a tree may have (its depth is one less). With at least four children per internal node that is more than
/// 10¹¹ records.
pub const MAX_LEVELS: usize = 20;

/// The longest record: a filtered chunk of the largest rank, 33 dimensions of 8 bytes, needs 284.
pub const MAX_RECORD_SIZE: usize = 512;

/// Signature, version and type, before a node's records.
pub const PREFIX: usize = 6;

/// A checksum's bytes, after a node's last used byte.
pub const CHECKSUM: usize = 4;

/// Merge percentage that no tree's nodes may fall below at a flush, whatever its header says: libhdf5 was seen to
/// damage trees whose nodes were sparser.
pub const MIN_MERGE: u8 = 20;

const WHAT: &str = "version 2 B-tree header";

/// A tree's header (specification III.A.2, "Version 2 B-tree Header").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What the records are: 5 and 6 index links, 8 and 9 attributes, 10 and 11 chunks.
    pub record_type: u8,
    /// Bytes of a node.
    pub node_size: u32,
    /// Bytes of a record.
    pub record_size: u16,
    /// Levels above the leaves.
    pub depth: u16,
    /// A node is split at this percentage of its capacity.
    pub split: u8,
    /// A node is merged at this percentage of its capacity.
    pub merge: u8,
    /// The root node; [`UNDEFINED`] when there are no records.
    pub root: u64,
    /// Records in the root node.
    pub root_nrec: u16,
    /// Records in the tree.
    pub total: u64,
}

impl Header {
    /// Bytes of a header, with its checksum.
    pub fn size(sizes: Sizes) -> usize {
        16 + usize::from(sizes.offset) + 2 + usize::from(sizes.length) + CHECKSUM
    }

    /// Decodes a header whose checksum has been verified.
    pub fn parse(bytes: &[u8], sizes: Sizes) -> Result<Header> {
        let mut r = Reader::new(bytes, WHAT);
        r.signature(b"BTHD")?;
        let version = r.u8()?;
        if version != 0 {
            return Err(Error::unsupported(format_args!("version {version} of the version 2 B-tree header")));
        }
        let header = Header {
            record_type: r.u8()?,
            node_size: r.u32()?,
            record_size: r.u16()?,
            depth: r.u16()?,
            split: r.u8()?,
            merge: r.u8()?,
            root: r.address(sizes)?,
            root_nrec: r.u16()?,
            total: r.length(sizes)?,
        };
        if (header.root == UNDEFINED) != (header.total == 0) || (header.root_nrec == 0) != (header.total == 0) {
            return Err(r.error(format_args!(
                "{} records, {} of them in a root node at {:#x}",
                header.total, header.root_nrec, header.root
            )));
        }
        if header.root == UNDEFINED && header.depth != 0 {
            return Err(r.error(format_args!("no root node, but depth {}", header.depth)));
        }
        Ok(header)
    }

    /// The header's bytes without the checksum.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(b"BTHD").u8(0).u8(self.record_type);
        w.u32(self.node_size).u16(self.record_size).u16(self.depth).u8(self.split).u8(self.merge);
        w.address(self.root, sizes).u16(self.root_nrec).length(self.total, sizes);
        w.finish()
    }
}

/// What the nodes of one level hold. Level 0 is the leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// Records that a page has room for: the limit of what is read.
    pub max: u16,
    /// Records at which a node is split: the limit of what is written. libhdf5 compares with `==`, so no more.
    pub capacity: u16,
    /// Records that every node but the root has after a flush.
    pub floor: u16,
    /// Bytes of a child pointer; 0 in a leaf.
    pub pointer: usize,
    /// Bytes of the total record count in a child pointer; 0 where the children are leaves.
    pub total_width: usize,
}

impl Level {
    /// Records below which a node is underfull: half of the capacity, rounded down.
    #[inline]
    pub fn half(&self) -> u16 {
        self.capacity / 2
    }

    /// Records that packing leaves in a node: 97 % of the capacity, with room for at least one insertion.
    #[inline]
    pub fn packed(&self) -> u16 {
        (u32::from(self.capacity) * 97 / 100) as u16
    }
}

/// A child pointer of an internal node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// The child's address.
    pub address: u64,
    /// Records in the child.
    pub nrec: u16,
    /// Records in the child and all below it.
    pub total: u64,
}

/// The layout of one tree's nodes.
#[derive(Debug, Clone)]
pub struct Geometry {
    levels: [Level; MAX_LEVELS],
    usable: usize,
    node_size: usize,
    record_size: usize,
    offset: usize,
    nrec_width: usize,
}

/// Bytes that hold values up to `limit`.
fn width_for(limit: u64) -> usize {
    (limit.max(1).ilog2() / 8 + 1) as usize
}

impl Geometry {
    /// The layout that follows from a header's parameters and the file's sizes.
    pub fn new(node_size: u32, record_size: u16, split: u8, merge: u8, sizes: Sizes) -> Result<Geometry> {
        let bad = |detail: String| Err(Error::new(crate::error::ErrorKind::Corrupt, format!("{WHAT}: {detail}")));
        if record_size == 0 || usize::from(record_size) > MAX_RECORD_SIZE {
            return bad(format!("records of {record_size} bytes"));
        }
        if merge == 0 || split > 100 || merge >= split.div_ceil(2) {
            return bad(format!("split at {split} %, merge at {merge} %"));
        }
        let (node, record) = (node_size as usize, usize::from(record_size));
        let leaf = node.saturating_sub(PREFIX + CHECKSUM) / record;
        if leaf > usize::from(u16::MAX) {
            return bad(format!("{leaf} records in a node of {node_size} bytes"));
        }
        let mut geometry = Geometry {
            levels: [Level::default(); MAX_LEVELS],
            usable: 0,
            node_size: node,
            record_size: record,
            offset: usize::from(sizes.offset),
            nrec_width: width_for(leaf as u64),
        };
        geometry.lay_out(leaf as u64, split, merge);
        if geometry.usable == 0 {
            return bad(format!("records of {record_size} bytes in nodes of {node_size}"));
        }
        Ok(geometry)
    }

    fn lay_out(&mut self, leaf: u64, split: u8, merge: u8) {
        let mut max = leaf;
        let mut below: u64 = 0;
        let (mut pointer, mut total_width) = (0, 0);
        for level in 0..MAX_LEVELS {
            if level > 0 {
                total_width = if level == 1 { 0 } else { width_for(below) };
                pointer = self.offset + self.nrec_width + total_width;
                let room = self.node_size.saturating_sub(PREFIX + CHECKSUM + pointer);
                max = (room / (self.record_size + pointer)) as u64;
            }
            let Some(all) = (max + 1).checked_mul(below).and_then(|n| n.checked_add(max)) else { return };
            below = all;
            let capacity = max * u64::from(split) / 100;
            if capacity < 3 {
                return;
            }
            // An internal node of one record is what libhdf5 takes for a root to collapse: two at least.
            let least = if level == 0 { 1 } else { 2 };
            let floor =
                (max * u64::from(merge.max(MIN_MERGE)) / 100).clamp(1, capacity / 2).max(least.min(capacity / 2));
            self.levels[level] =
                Level { max: max as u16, capacity: capacity as u16, floor: floor as u16, pointer, total_width };
            self.usable = level + 1;
        }
    }

    /// Levels that a tree of this layout can have.
    pub fn usable_levels(&self) -> usize {
        self.usable
    }

    /// Bytes of a node.
    #[inline]
    pub fn node_size(&self) -> usize {
        self.node_size
    }

    /// Bytes of a record.
    #[inline]
    pub fn record_size(&self) -> usize {
        self.record_size
    }

    /// What nodes of `level` hold.
    #[inline]
    pub fn level(&self, level: usize) -> &Level {
        &self.levels[level]
    }

    /// Where record `index` stands in a page.
    #[inline]
    pub fn record(&self, index: usize) -> Range<usize> {
        let start = PREFIX + index * self.record_size;
        start..start + self.record_size
    }

    /// Where the child pointers `index..index + count` stand in a page of `level` with `nrec` records.
    #[inline]
    pub fn pointers(&self, level: usize, nrec: usize, index: usize, count: usize) -> Range<usize> {
        let size = self.levels[level].pointer;
        let start = PREFIX + nrec * self.record_size + index * size;
        start..start + count * size
    }

    /// Where the record count and where the total stand in child pointer `index`.
    #[inline]
    pub fn counts(&self, level: usize, nrec: usize, index: usize) -> (Range<usize>, Range<usize>) {
        let at = self.pointers(level, nrec, index, 1).start + self.offset;
        let total = at + self.nrec_width;
        (at..total, total..total + self.levels[level].total_width)
    }

    /// Bytes of a page that are used, before the checksum.
    #[inline]
    pub fn used(&self, level: usize, nrec: usize) -> usize {
        let pointers = if level == 0 { 0 } else { nrec + 1 };
        PREFIX + nrec * self.record_size + pointers * self.levels[level].pointer
    }

    /// Child pointer `index` of a page of `level` with `nrec` records. Inlined, for most look at one or two of its parts.
    #[inline(always)]
    pub fn pointer(&self, page: &[u8], level: usize, nrec: usize, index: usize) -> Pointer {
        self.decode(&page[self.pointers(level, nrec, index, 1)])
    }

    /// Decodes one child pointer.
    #[inline(always)]
    pub fn decode(&self, bytes: &[u8]) -> Pointer {
        let (address, counts) = bytes.split_at(self.offset);
        let (nrec, total) = counts.split_at(self.nrec_width);
        let nrec = little_endian(nrec) as u16;
        Pointer {
            address: undefined_if_all_set(address),
            nrec,
            total: if total.is_empty() { u64::from(nrec) } else { little_endian(total) },
        }
    }

    /// Encodes one child pointer into its bytes.
    pub fn encode(&self, pointer: Pointer, bytes: &mut [u8]) {
        let (address, counts) = bytes.split_at_mut(self.offset);
        let (nrec, total) = counts.split_at_mut(self.nrec_width);
        let put = |target: &mut [u8], value: u64| target.copy_from_slice(&value.to_le_bytes()[..target.len()]);
        put(address, pointer.address);
        put(nrec, u64::from(pointer.nrec));
        put(total, pointer.total);
    }
}

#[inline]
fn little_endian(bytes: &[u8]) -> u64 {
    match *bytes {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => odd_width(bytes),
    }
}

/// Apart: the compiler would make one table of jumps of all widths.
#[inline(never)]
fn odd_width(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

#[inline]
fn undefined_if_all_set(bytes: &[u8]) -> u64 {
    let value = little_endian(bytes);
    let all_set = bytes.len() < 8 && value == (1u64 << (8 * bytes.len())) - 1;
    if all_set {
        UNDEFINED
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(node: u32, record: u16) -> Vec<(u16, u16)> {
        let geometry = Geometry::new(node, record, 100, 40, Sizes::EIGHT).unwrap();
        (0..3).map(|level| (geometry.level(level).capacity, geometry.level(level).floor)).collect()
    }

    #[test]
    fn capacities_and_floors_are_libhdf5s() {
        assert_eq!(shape(512, 11), [(45, 18), (24, 9), (22, 8)]);
        assert_eq!(shape(512, 15), [(33, 13), (20, 8), (18, 7)]);
        assert_eq!(shape(512, 17), [(29, 11), (18, 7), (17, 6)]);
        assert_eq!(shape(512, 13), [(38, 15), (22, 8), (20, 8)]);
        assert_eq!(shape(2048, 16)[0], (127, 50));
        assert_eq!(shape(2048, 24)[0], (84, 33));
        assert_eq!(shape(2048, 32)[0], (63, 25));
    }

    #[test]
    fn header_round_trip() {
        for sizes in [Sizes::EIGHT, Sizes { offset: 4, length: 4 }, Sizes { offset: 2, length: 8 }] {
            let mut header = Header {
                record_type: 8,
                node_size: 4096,
                record_size: 17,
                depth: 0,
                split: 100,
                merge: 40,
                root: UNDEFINED,
                root_nrec: 0,
                total: 0,
            };
            for _ in 0..2 {
                let mut bytes = header.encode(sizes);
                bytes.extend([0; CHECKSUM]);
                assert_eq!(bytes.len(), Header::size(sizes));
                assert_eq!(Header::parse(&bytes, sizes).unwrap(), header);
                header = Header { depth: 2, root: 0x1234, root_nrec: 7, total: 40_000, ..header };
            }
        }
    }

    #[test]
    fn pointers_round_trip() {
        for sizes in [Sizes::EIGHT, Sizes { offset: 4, length: 4 }] {
            let geometry = Geometry::new(512, 17, 100, 40, sizes).unwrap();
            for level in 1..4 {
                let total = if level == 1 { 29 } else { 300 };
                let pointer = Pointer { address: 0x4321, nrec: 29, total };
                let mut page = vec![0; 512];
                geometry.encode(pointer, &mut page[geometry.pointers(level, 5, 3, 1)]);
                assert_eq!(geometry.pointer(&page, level, 5, 3), pointer);
            }
        }
    }

    #[test]
    fn impossible_parameters_are_refused() {
        for (node, record, split, merge) in [
            (512, 0, 100, 40),
            (30, 17, 100, 40),
            (512, 17, 100, 50),
            (512, 17, 101, 40),
            (512, 17, 100, 0),
            (u32::MAX, 1, 100, 40),
        ] {
            assert!(Geometry::new(node, record, split, merge, Sizes::EIGHT).is_err());
        }
    }
}
