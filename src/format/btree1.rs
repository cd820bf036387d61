//! Nodes of the version 1 B-tree that indexes chunks (specification III.A.1, node type 1).

use super::codec::Reader;
use super::Sizes;
use crate::error::Result;

/// "Indexed storage internal node K" where the superblock has no field for it.
pub const DEFAULT_CHUNK_K: u16 = 32;

const NODE: &str = "version 1 B-tree node";

/// A node's child with the key before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Bytes of the chunk after the filters.
    pub size: u32,
    /// Which filters were skipped.
    pub filter_mask: u32,
    /// The chunk's offset in every dimension, in elements; the last, of the element's bytes, is left out.
    pub offsets: Offsets<'a>,
    /// The chunk, or the node a level below.
    pub child: u64,
}

/// Offsets as they stand in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets<'a>(&'a [u8]);

impl Offsets<'_> {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes))
    }
}

/// A node's level and children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'a> {
    /// 0 for a leaf, whose children are chunks.
    pub level: u8,
    /// Children in key order.
    pub entries: Vec<Entry<'a>>,
}

/// Bytes of a node for chunks of `rank` dimensions.
pub fn node_size(k: u16, rank: usize, sizes: Sizes) -> u64 {
    let (offset, k) = (u64::from(sizes.offset), u64::from(k));
    8 + 2 * offset + 2 * k * offset + (2 * k + 1) * key_size(rank)
}

/// Bytes of a key.
pub fn key_size(rank: usize) -> u64 {
    8 + 8 * (rank as u64 + 1)
}

/// The node's level, the number of its entries, and where they begin.
pub fn parse_start(bytes: &[u8], k: u16, sizes: Sizes) -> Result<(u8, u16, usize)> {
    let mut r = Reader::new(bytes, NODE);
    r.signature(b"TREE")?;
    let (kind, level, used) = (r.u8()?, r.u8()?, r.u16()?);
    if kind != 1 || u32::from(used) > 2 * u32::from(k) {
        return Err(r.error(format_args!("node type {kind} with {used} entries of {} at most", 2 * u32::from(k))));
    }
    Ok((level, used, 8 + 2 * usize::from(sizes.offset)))
}

fn parse_entry<'a>(r: &mut Reader<'a>, rank: usize, sizes: Sizes) -> Result<Entry<'a>> {
    let (size, filter_mask, offsets) = (r.u32()?, r.u32()?, Offsets(r.take(8 * rank)?));
    r.skip(8)?;
    Ok(Entry { size, filter_mask, offsets, child: r.address(sizes)? })
}

/// Decodes a node.
pub fn parse_node(bytes: &[u8], k: u16, rank: usize, sizes: Sizes) -> Result<Node<'_>> {
    let (level, used, begin) = parse_start(bytes, k, sizes)?;
    let mut r = Reader::new(bytes, NODE);
    r.skip(begin)?;
    let entries = (0..used).map(|_| parse_entry(&mut r, rank, sizes)).collect::<Result<_>>()?;
    Ok(Node { level, entries })
}

/// The node's level, and the last entry whose key is not behind a chunk with these offsets.
pub fn search<'a>(bytes: &'a [u8], k: u16, wanted: &[u64], sizes: Sizes) -> Result<(u8, Option<Entry<'a>>)> {
    let rank = wanted.len();
    let (level, used, begin) = parse_start(bytes, k, sizes)?;
    let step = key_size(rank) as usize + usize::from(sizes.offset);
    let key = |number: usize| -> Result<Offsets<'a>> {
        let mut r = Reader::new(bytes, NODE);
        r.skip(begin + number * step + 8)?;
        Ok(Offsets(r.take(8 * rank)?))
    };
    let (mut low, mut high) = (0, usize::from(used));
    while low < high {
        let middle = (low + high) / 2;
        if key(middle)?.iter().le(wanted.iter().copied()) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let Some(number) = low.checked_sub(1) else { return Ok((level, None)) };
    let mut r = Reader::new(bytes, NODE);
    r.skip(begin + number * step)?;
    Ok((level, Some(parse_entry(&mut r, rank, sizes)?)))
}
