//! Finding single chunks: an open index leads from a chunk's place to its address, and reads no more than it needs.

use super::fixed_array::FixedArray;
use super::tree::BTree2;
use super::{extensible_array::ExtensibleArray, tree, Chunks, Grid, MAX_RANK};
use crate::error::{Error, Result};
use crate::format::fixed_array::ElementLayout;
use crate::format::message::layout::ChunkIndex;
use crate::format::UNDEFINED;
use crate::store::Store;

/// Where a chunk is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its address.
    pub address: u64,
    /// Its bytes in the file.
    pub size: u64,
    /// Bit n set: filter n was skipped.
    pub filter_mask: u32,
}

/// The index of a dataset's chunks, open.
#[derive(Debug, Clone)]
pub enum Index {
    /// No chunk was ever written.
    Empty,
    /// The only chunk.
    Single(Place),
    /// All chunks in one extent.
    Implicit(Grid),
    /// A fixed array.
    FixedArray(FixedArray),
    /// An extensible array.
    ExtensibleArray(ExtensibleArray),
    /// A version 1 B-tree.
    BTree1,
    /// A version 2 B-tree.
    BTree2(Box<BTree2>),
}

impl Index {
    /// Opens the index of these chunks.
    pub fn open(chunks: &Chunks<'_>, store: &mut Store) -> Result<Index> {
        chunks.check_dimensions()?;
        let address = chunks.layout.address;
        if address == UNDEFINED {
            return Ok(Index::Empty);
        }
        Ok(match chunks.layout.index {
            ChunkIndex::BTree1 => Index::BTree1,
            ChunkIndex::Single { filtered } => {
                let (size, filter_mask) = match filtered {
                    Some(filtered) => filtered,
                    None => (chunks.chunk_bytes()?, 0),
                };
                Index::Single(Place { address, size, filter_mask })
            }
            ChunkIndex::Implicit => Index::Implicit(Grid::new(chunks, None)?),
            ChunkIndex::FixedArray { .. } => Index::FixedArray(FixedArray::open(chunks, store)?),
            ChunkIndex::ExtensibleArray { .. } => Index::ExtensibleArray(ExtensibleArray::open(chunks, store)?),
            ChunkIndex::BTree2 { .. } => Index::BTree2(Box::new(BTree2::open(chunks, store)?)),
        })
    }

    /// Where the chunk at this place, in chunks, is; none if it was never written.
    pub fn find(&self, chunks: &Chunks<'_>, store: &mut Store, scaled: &[u64]) -> Result<Option<Place>> {
        let address = chunks.layout.address;
        let place = match self {
            Index::Empty => None,
            Index::Single(place) => scaled.iter().all(|&at| at == 0).then_some(*place),
            Index::Implicit(grid) => {
                let size = chunks.chunk_bytes()?;
                let offset = grid.index(scaled, address)?.checked_mul(size).and_then(|at| at.checked_add(address));
                let address = offset.ok_or_else(|| Error::corrupt("implicit chunk index", address, "its size"))?;
                Some(Place { address, size, filter_mask: 0 })
            }
            Index::FixedArray(array) => array.find(chunks, store, scaled)?,
            Index::ExtensibleArray(array) => array.find(chunks, store, scaled)?,
            Index::BTree1 => tree::find_btree1(chunks, store, scaled)?,
            Index::BTree2(tree) => tree.find(chunks, store, scaled)?,
        };
        if let Some(place) = &place {
            store.check_extent(place.address, place.size, "chunk")?;
        }
        Ok(place)
    }
}

impl Grid {
    /// The number of the chunk at this place.
    pub(super) fn index(&self, scaled: &[u64], address: u64) -> Result<u64> {
        let mut index = Some(0u64);
        for (&dimension, &count) in self.order.iter().zip(&self.chunks).take(self.rank.min(MAX_RANK)) {
            let at = scaled.get(dimension).copied().filter(|&at| at < count);
            index = index.and_then(|index| index.checked_mul(count)?.checked_add(at?));
        }
        index.ok_or_else(|| Error::corrupt("chunk index", address, format_args!("no chunk can be at {scaled:?}")))
    }
}

/// What an element of an array says of its chunk.
pub(super) fn element_place(
    chunks: &Chunks<'_>,
    store: &Store,
    layout: ElementLayout,
    element: &[u8],
) -> Result<Option<Place>> {
    let element = layout.decode(element, store.sizes())?;
    if element.address == UNDEFINED {
        return Ok(None);
    }
    let (size, filter_mask) = match element.filtered {
        Some(filtered) => filtered,
        None => (chunks.chunk_bytes()?, 0),
    };
    Ok(Some(Place { address: element.address, size, filter_mask }))
}
