//! The chunks of a dataset: every kind of chunk index is walked here, and all that belongs to it freed.
//!
//! A walk reports the chunks and the blocks of the index itself. It trusts nothing: blocks must lie in the file, carry
//! their checksums, and be met once.

mod array_edit;
mod check;
mod edit;
mod extensible_array;
mod fixed_array;
mod index;
#[cfg(test)]
mod tests;
mod tree;
mod tree_edit;

pub use edit::{choose, FIXED_ARRAY};
pub use index::{Index, Place};
pub use tree::{BTree2, Tally};

use std::collections::HashSet;

use crate::error::{Damage, Error, Result};
use crate::format::message::layout::{ChunkIndex, Chunked};
use crate::format::UNDEFINED;
use crate::store::{Seal, Store};

/// The dimensions' limit of the format.
const MAX_RANK: usize = 32;

/// The chunks of one dataset: what its layout and dataspace messages say.
#[derive(Debug, Clone, Copy)]
pub struct Chunks<'a> {
    /// The layout.
    pub layout: &'a Chunked,
    /// The dataspace's dimensions, in elements.
    pub dims: &'a [u64],
    /// Its maximum dimensions; `u64::MAX` is unlimited.
    pub max_dims: &'a [u64],
}

/// One chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Where it is in the file.
    pub address: u64,
    /// Its bytes in the file.
    pub size: u64,
    /// Bit n set: filter n was skipped.
    pub filter_mask: u32,
    /// Its place in every dimension, in chunks.
    pub scaled: &'a [u64],
}

/// What a walk meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// A chunk.
    Chunk(Chunk<'a>),
    /// A block of the index. The nodes of a version 2 B-tree are not reported, its tree has them.
    Index {
        /// Where it is in the file.
        address: u64,
        /// Its bytes.
        size: u64,
    },
}

/// What was freed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freed {
    /// Chunks.
    pub chunks: u64,
    /// Bytes of chunks.
    pub chunk_bytes: u64,
    /// Bytes of index blocks, without those of a version 2 B-tree.
    pub index_bytes: u64,
}

impl Chunks<'_> {
    /// Calls `visit` for every chunk of the dataset, in the index's order.
    pub fn for_each(&self, store: &mut Store, mut visit: impl FnMut(Chunk<'_>) -> Result<()>) -> Result<()> {
        let is_outside = |scaled: &[u64]| {
            let mut places = scaled.iter().zip(&self.layout.dims).zip(self.dims);
            places.any(|((at, chunk), dim)| at.saturating_mul(*chunk) >= *dim)
        };
        self.walk(store, &mut |part| match part {
            // An implicit index also has those that the dataset can come to have.
            Part::Chunk(chunk) if self.layout.index == ChunkIndex::Implicit && is_outside(chunk.scaled) => Ok(()),
            Part::Chunk(chunk) => visit(chunk),
            Part::Index { .. } => Ok(()),
        })
    }

    /// Bytes of all chunks of an implicit index, those that the maximum dimensions have.
    pub fn implicit_bytes(&self) -> Result<u64> {
        let bytes = self.chunk_bytes()?;
        let total = Grid::new(self, None)?.total.and_then(|chunks| chunks.checked_mul(bytes));
        total
            .filter(|&total| total < i64::MAX as u64)
            .ok_or_else(|| Error::corrupt("implicit chunk index", self.layout.address, "its size is beyond 2^63 bytes"))
    }

    /// Calls `visit` for every chunk and every block of the index.
    pub fn walk(&self, store: &mut Store, visit: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
        self.walk_pages(store, visit).map(|_| ())
    }

    /// The same; the addresses of the pages that were met, which are blocks of their own inside those that are reported.
    fn walk_pages(&self, store: &mut Store, visit: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<Vec<u64>> {
        self.check_dimensions()?;
        if self.layout.address == UNDEFINED {
            return Ok(Vec::new());
        }
        let mut walk = Walk { chunks: self, store, seen: HashSet::new(), bytes: 0, pages: Vec::new(), visit };
        match self.layout.index {
            ChunkIndex::BTree1 => walk.btree1(),
            ChunkIndex::Single { filtered } => walk.single(filtered),
            ChunkIndex::Implicit => walk.implicit(),
            ChunkIndex::FixedArray { .. } => walk.fixed_array(),
            ChunkIndex::ExtensibleArray { .. } => walk.extensible_array(),
            ChunkIndex::BTree2 { .. } => walk.btree2(),
        }?;
        Ok(walk.pages)
    }

    /// Gives the space of all chunks and of the index back. Nothing is freed when anything is wrong.
    pub fn free_all(&self, store: &mut Store) -> Result<Freed> {
        self.free_parts(store, true)
    }

    /// Gives the space of the index back, and keeps the chunks.
    pub fn free_index(&self, store: &mut Store) -> Result<()> {
        self.free_parts(store, false).map(|_| ())
    }

    fn free_parts(&self, store: &mut Store, with_chunks: bool) -> Result<Freed> {
        store.check_writable()?;
        let mut freed = Freed::default();
        let mut extents = Vec::new();
        let pages = self.walk_pages(store, &mut |part| {
            let (address, size) = match part {
                Part::Chunk(_) if !with_chunks => return Ok(()),
                Part::Chunk(chunk) => {
                    freed.chunks += 1;
                    freed.chunk_bytes += chunk.size;
                    (chunk.address, chunk.size)
                }
                Part::Index { address, size } => {
                    freed.index_bytes += size;
                    (address, size)
                }
            };
            extents.push((address, size));
            Ok(())
        })?;
        check_disjoint(store, &mut extents)?;
        if self.layout.address != UNDEFINED && matches!(self.layout.index, ChunkIndex::BTree2 { .. }) {
            tree::delete_btree2(store, self.layout.address)?;
        }
        pages.into_iter().for_each(|page| store.forget(page));
        for (address, size) in extents {
            store.free(address, size);
        }
        Ok(freed)
    }

    /// Fails when layout and dataspace do not go together.
    pub fn check_dimensions(&self) -> Result<()> {
        let rank = self.layout.dims.len();
        if rank > MAX_RANK || self.dims.len() != rank || self.max_dims.len() != rank || self.layout.dims.contains(&0) {
            let address = self.layout.address;
            return Err(Error::corrupt("chunk index", address, "its dimensions do not match the dataspace's"));
        }
        Ok(())
    }

    /// Bytes of an unfiltered chunk.
    pub fn chunk_bytes(&self) -> Result<u64> {
        self.layout.chunk_bytes().filter(|&bytes| bytes > 0).ok_or_else(|| {
            Error::corrupt("chunk index", self.layout.address, "a chunk's size is 0 or beyond 2^64 bytes")
        })
    }

    /// The largest number of chunks in a dimension, none if it is unlimited.
    fn max_chunks(&self, dimension: usize) -> Option<u64> {
        let max = self.max_dims[dimension];
        (max != u64::MAX).then(|| max.div_ceil(self.layout.dims[dimension]))
    }
}

/// Fails when two of the extents overlap, or one overlaps space that is free already.
fn check_disjoint(store: &Store, extents: &mut [(u64, u64)]) -> Result<()> {
    extents.sort_unstable();
    let mut end = 0;
    for &(address, size) in extents.iter() {
        if address < end || store.space().overlaps_free(address, size) {
            return Err(Error::corrupt("chunk", address, "its space is used twice, or free"));
        }
        end = address + size;
    }
    Ok(())
}

/// A walk in progress.
struct Walk<'a, 's> {
    chunks: &'a Chunks<'a>,
    store: &'s mut Store,
    /// Index blocks met so far: one met twice is a cycle.
    seen: HashSet<u64>,
    /// Bytes of those: more than the file's, and they overlap.
    bytes: u64,
    /// Pages of data blocks met so far.
    pages: Vec<u64>,
    visit: &'a mut dyn FnMut(Part<'_>) -> Result<()>,
}

impl Walk<'_, '_> {
    /// The bytes of an index block, whose checksum stands at the end if it has one. Its whole space, which may be more
    /// than what is read, is reported.
    fn index_block(
        &mut self,
        address: u64,
        read: u64,
        space: u64,
        sealed: bool,
        what: &'static str,
    ) -> Result<Vec<u8>> {
        if !self.seen.insert(address) {
            return Err(Error::corrupt(what, address, "the index leads to it twice").because(Damage::Overlap));
        }
        self.store.check_extent(address, space, what)?;
        self.bytes = self.bytes.saturating_add(space);
        if self.bytes > self.store.space().end() {
            return Err(Error::corrupt(what, address, "the index's blocks overlap"));
        }
        let bytes = self.sealed_bytes(address, read, sealed, what)?;
        (self.visit)(Part::Index { address, size: space })?;
        Ok(bytes)
    }

    fn sealed_bytes(&mut self, address: u64, length: u64, sealed: bool, what: &'static str) -> Result<Vec<u8>> {
        // A block that was changed since the last flush is only in the cache.
        if let Some(id) = self.store.cached(address).filter(|&id| self.store.length(id) as u64 == length) {
            return Ok(self.store.bytes(id).to_vec());
        }
        let bytes = self.store.read_bytes(address, length, what)?;
        let seal = if sealed { Seal::At(length.saturating_sub(4) as u32) } else { Seal::None };
        if !seal.holds(&bytes) {
            return Err(Error::checksum(what, address));
        }
        Ok(bytes)
    }

    /// Reports a chunk, which must lie in the file.
    fn chunk(&mut self, address: u64, size: u64, filter_mask: u32, scaled: &[u64]) -> Result<()> {
        self.store.check_extent(address, size, "chunk")?;
        if size == 0 {
            return Err(Error::corrupt("chunk", address, "its size is 0 bytes"));
        }
        (self.visit)(Part::Chunk(Chunk { address, size, filter_mask, scaled }))
    }

    fn single(&mut self, filtered: Option<(u64, u32)>) -> Result<()> {
        let (size, mask) = match filtered {
            Some(filtered) => filtered,
            None => (self.chunks.chunk_bytes()?, 0),
        };
        let rank = self.chunks.layout.dims.len();
        self.chunk(self.chunks.layout.address, size, mask, &[0; MAX_RANK][..rank])
    }

    /// All chunks that the maximum dimensions have, one after the other.
    fn implicit(&mut self) -> Result<()> {
        let address = self.chunks.layout.address;
        let bytes = self.chunks.chunk_bytes()?;
        let (grid, total) = (Grid::new(self.chunks, None)?, self.chunks.implicit_bytes()?);
        self.store.check_extent(address, total, "implicit chunk index")?;
        for index in 0..total / bytes {
            let scaled = grid.scaled(index, address)?;
            self.chunk(address + index * bytes, bytes, 0, &scaled[..grid.rank])?;
        }
        Ok(())
    }
}

/// How an array's index counts chunks: row-major over the maximum dimensions, an unlimited dimension slowest.
#[derive(Debug, Clone)]
pub struct Grid {
    rank: usize,
    /// The dimensions from slowest to fastest.
    order: [usize; MAX_RANK],
    /// Chunks per dimension, in that order.
    chunks: [u64; MAX_RANK],
    /// Chunks in all, none if unlimited or beyond 2^64.
    total: Option<u64>,
}

impl Grid {
    fn new(chunks: &Chunks<'_>, unlimited: Option<usize>) -> Result<Self> {
        let rank = chunks.layout.dims.len();
        let mut order = [0; MAX_RANK];
        let mut counts = [0; MAX_RANK];
        let sequence = unlimited.into_iter().chain((0..rank).filter(|&dimension| Some(dimension) != unlimited));
        for (place, dimension) in sequence.enumerate() {
            order[place] = dimension;
            counts[place] = match chunks.max_chunks(dimension) {
                Some(count) => count,
                None if place == 0 => u64::MAX,
                None => {
                    let address = chunks.layout.address;
                    return Err(Error::corrupt("chunk index", address, "an array over several unlimited dimensions"));
                }
            };
        }
        let total = counts[..rank].iter().try_fold(1u64, |product, &count| product.checked_mul(count));
        Ok(Grid { rank, order, chunks: counts, total })
    }

    /// The place of the chunk with this index.
    fn scaled(&self, index: u64, address: u64) -> Result<[u64; MAX_RANK]> {
        let mut scaled = [0; MAX_RANK];
        let mut rest = index;
        for place in (0..self.rank).rev() {
            let count = self.chunks[place];
            if count == 0 || (place == 0 && rest >= count) {
                return Err(Error::corrupt(
                    "chunk index",
                    address,
                    format_args!("chunk {index} is outside the dataspace"),
                ));
            }
            scaled[self.order[place]] = rest % count;
            rest /= count;
        }
        Ok(scaled)
    }
}
