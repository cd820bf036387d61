//! Changing the index of a dataset's chunks: choosing and creating one, entering chunks, taking them out.

use super::index::{Index, Place};
use super::tree::BTree2;
use super::tree_edit::{keep_btree1, BTree1};
use super::{Chunks, Grid};
use crate::error::{Error, Result};
use crate::format::extensible_array;
use crate::format::fixed_array::{self, ElementLayout, CHECKSUM};
use crate::format::message::layout::ChunkIndex;
use crate::format::UNDEFINED;
use crate::store::{Seal, Store};

/// What libhdf5 makes indexes with.
const PAGE_BITS: u8 = 10;
const NODE_SIZE: u32 = 2048;

/// A fixed array as libhdf5 makes it.
pub const FIXED_ARRAY: ChunkIndex = ChunkIndex::FixedArray { page_bits: PAGE_BITS };

/// The index that libhdf5 1.10 and later choose for a new dataset, whose chunks may be allocated early.
pub fn choose(dims: &[u64], max_dims: &[u64], chunk: &[u64], filtered: bool, early: bool) -> ChunkIndex {
    match max_dims.iter().filter(|&&max| max == u64::MAX).count() {
        0 if dims == max_dims && dims == chunk => ChunkIndex::Single { filtered: filtered.then_some((0, 0)) },
        0 if early && !filtered => ChunkIndex::Implicit,
        0 => FIXED_ARRAY,
        1 => ChunkIndex::ExtensibleArray {
            max_bits: 32,
            index_elements: 4,
            min_pointers: 4,
            min_elements: 16,
            page_bits: PAGE_BITS,
        },
        _ => ChunkIndex::BTree2 { node_size: NODE_SIZE, split: 100, merge: 40 },
    }
}

/// Bytes of a filtered chunk's size in an index: some more than the chunk needs, for filters that enlarge.
fn size_width(chunk_bytes: u64) -> usize {
    (1 + (chunk_bytes.max(1).ilog2() as usize + 8) / 8).min(8)
}

impl Chunks<'_> {
    /// The most bytes of a stored chunk that the index has room for.
    pub fn most_stored(&self) -> Result<u64> {
        let width = match self.layout.index {
            ChunkIndex::BTree1 => 4,
            ChunkIndex::Single { .. } => 8,
            _ if self.layout.version > 4 => 8,
            _ => size_width(self.chunk_bytes()?),
        };
        Ok(u64::MAX >> (64 - 8 * width))
    }
}

impl Index {
    /// Makes the index of a dataset that has none; its address goes into the layout message. A single chunk has none.
    pub fn create(chunks: &Chunks<'_>, store: &mut Store, filtered: bool) -> Result<u64> {
        chunks.check_dimensions()?;
        let sizes = store.sizes();
        let width = match filtered {
            false => None,
            true if chunks.layout.version > 4 => Some(usize::from(sizes.length)),
            true => Some(size_width(chunks.chunk_bytes()?)),
        };
        let size = sizes.offset + width.map_or(0, |width| width as u8 + 4);
        let element = ElementLayout { size, filtered };
        let header = match chunks.layout.index {
            ChunkIndex::Single { .. } => return Ok(UNDEFINED),
            ChunkIndex::Implicit => {
                return Err(Error::internal("an implicit index has no blocks"));
            }
            ChunkIndex::BTree1 => return BTree1::create(chunks, store),
            ChunkIndex::BTree2 { node_size, split, merge } => {
                return BTree2::create(chunks, store, width, (node_size, split, merge));
            }
            ChunkIndex::FixedArray { page_bits } => {
                let Some(elements) = Grid::new(chunks, None)?.total else {
                    return Err(Error::unsupported("a fixed array of 2^64 chunks or more"));
                };
                fixed_array::Header { element, page_bits, elements, data_block: UNDEFINED }.encode(sizes)
            }
            ChunkIndex::ExtensibleArray { max_bits, index_elements, min_pointers, min_elements, page_bits } => {
                let (counts, index_block) = ([0; 6], UNDEFINED);
                extensible_array::Header {
                    element,
                    max_bits,
                    index_elements,
                    min_elements,
                    min_pointers,
                    page_bits,
                    counts,
                    index_block,
                }
                .encode(sizes)
            }
        };
        let seal = Seal::At((header.len() - CHECKSUM as usize) as u32);
        let (id, address) = store.create_block(header.len(), seal)?;
        store.bytes_mut(id).copy_from_slice(&header);
        Ok(address)
    }

    /// Enters a chunk, in the place of the one that was there; [`Index::publish`] comes behind. The chunks of a
    /// single chunk's and of an implicit index are where the layout message says, which the caller keeps.
    pub fn set(&mut self, chunks: &Chunks<'_>, store: &mut Store, scaled: &[u64], place: Place) -> Result<()> {
        match self {
            Index::Single(_) | Index::Empty => {
                *self = Index::Single(place);
                Ok(())
            }
            Index::Implicit(_) => Err(Error::internal("a chunk of an implicit index cannot move")),
            Index::FixedArray(array) => array.set(chunks, store, scaled, Some(place)),
            Index::ExtensibleArray(array) => array.set(chunks, store, scaled, Some(place)),
            Index::BTree1 => BTree1::new(chunks, store).set(scaled, place),
            Index::BTree2(tree) => tree.set(store, scaled, Some(place)),
        }
    }

    /// Makes the index ready for a flush.
    pub fn prepare(&mut self, store: &mut Store) -> Result<()> {
        match self {
            Index::BTree2(tree) => tree.prepare(store),
            _ => Ok(()),
        }
    }

    /// Makes the index ready for being walked.
    pub fn publish(&mut self, store: &mut Store) -> Result<()> {
        match self {
            Index::BTree2(tree) => tree.publish(store),
            _ => Ok(()),
        }
    }

    /// Takes these chunks out, which the index has; their space is the caller's to free.
    pub fn remove(&mut self, chunks: &Chunks<'_>, store: &mut Store, removed: &[Vec<u64>]) -> Result<()> {
        match self {
            Index::FixedArray(array) => removed.iter().try_for_each(|scaled| array.set(chunks, store, scaled, None)),
            Index::ExtensibleArray(array) => {
                removed.iter().try_for_each(|scaled| array.set(chunks, store, scaled, None))
            }
            Index::BTree2(tree) => removed.iter().try_for_each(|scaled| tree.set(store, scaled, None)),
            Index::BTree1 if removed.is_empty() => Ok(()),
            Index::BTree1 => {
                let removed: std::collections::HashSet<&[u64]> = removed.iter().map(Vec::as_slice).collect();
                keep_btree1(chunks, store, |scaled| !removed.contains(scaled))
            }
            Index::Empty | Index::Single(_) | Index::Implicit(_) => {
                Err(Error::internal("chunks of a dataset that cannot shrink"))
            }
        }
    }
}
