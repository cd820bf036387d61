//! The B-trees, versions 1 and 2, that index chunks.

use std::cmp::Ordering;

use super::index::Place;
use super::{Chunks, Walk, MAX_RANK};
use crate::btree::{Key, Tree};
use crate::error::{Error, Result};
use crate::format::btree1;
use crate::format::codec::{Reader, Writer};
use crate::format::message::layout::Chunked;
use crate::store::{Seal, Store};

pub(super) const NODE: &str = "version 1 B-tree node";
const TREE: &str = "version 2 B-tree of chunks";

/// Record types of unfiltered and of filtered chunks (specification III.A.2).
pub(super) const UNFILTERED: u8 = 10;
pub(super) const FILTERED: u8 = 11;

/// Finds a chunk in a version 1 B-tree.
pub(super) fn find_btree1(chunks: &Chunks<'_>, store: &mut Store, scaled: &[u64]) -> Result<Option<Place>> {
    let (sizes, rank, k) = (store.sizes(), scaled.len(), store.k().chunk);
    let size = btree1::node_size(k, rank, sizes);
    let mut wanted = [0; MAX_RANK];
    for ((wanted, at), dim) in wanted.iter_mut().zip(scaled).zip(&chunks.layout.dims) {
        *wanted = at.saturating_mul(*dim);
    }
    let (mut address, mut expected) = (chunks.layout.address, None);
    loop {
        let id = store.block(address, size, Seal::None, NODE)?;
        let (level, entry) = btree1::search(store.bytes(id), k, &wanted[..rank], sizes)?;
        if expected.is_some_and(|expected| level != expected) {
            return Err(Error::corrupt(NODE, address, format_args!("level {level}")));
        }
        let Some(entry) = entry else { return Ok(None) };
        let Some(below) = level.checked_sub(1) else {
            let is_wanted = entry.offsets.iter().eq(wanted[..rank].iter().copied());
            let (size, filter_mask) = (u64::from(entry.size), entry.filter_mask);
            return Ok(is_wanted.then_some(Place { address: entry.child, size, filter_mask }));
        };
        (address, expected) = (entry.child, Some(below));
    }
}

/// An open version 2 B-tree of chunks.
#[derive(Debug, Clone)]
pub struct BTree2 {
    pub(super) tree: Tree,
    pub(super) records: Records,
    pub(super) tally: Tally,
}

/// What was done with a tree of chunks since that was last asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Chunks that were entered.
    pub entered: u64,
    /// Chunks that were taken out.
    pub removed: u64,
}

/// A chunk's place, as the records have it.
pub(super) struct Scaled<'a> {
    pub scaled: &'a [u64],
    /// Where it begins in a record.
    pub at: usize,
}

impl Key for Scaled<'_> {
    #[inline]
    fn quick(&self, record: &[u8]) -> Option<Ordering> {
        let stored = record.get(self.at..).unwrap_or_default().as_chunks().0;
        Some(self.scaled.iter().copied().cmp(stored.iter().map(|&bytes| u64::from_le_bytes(bytes))))
    }
}

impl BTree2 {
    pub(super) fn open(chunks: &Chunks<'_>, store: &mut Store) -> Result<Self> {
        let tree = Tree::open(store, chunks.layout.address)?;
        let records = Records::new(&tree, chunks.layout, store)?;
        Ok(BTree2 { tree, records, tally: Tally::default() })
    }

    /// Where a record says which chunk it is of.
    pub(super) fn scaled_at(&self) -> usize {
        usize::from(self.tree.params().record_size) - 8 * self.records.rank
    }

    pub(super) fn find(&self, chunks: &Chunks<'_>, store: &mut Store, scaled: &[u64]) -> Result<Option<Place>> {
        let location = self.tree.locate(store, &mut Scaled { scaled, at: self.scaled_at() })?;
        if !location.found {
            return Ok(None);
        }
        let record = self.tree.record_at(store, &location);
        let (address, size, filter_mask) =
            self.records.decode(store, record, chunks.chunk_bytes()?, &mut [0; MAX_RANK])?;
        Ok(Some(Place { address, size, filter_mask }))
    }
}

impl Walk<'_, '_> {
    pub(super) fn btree1(&mut self) -> Result<()> {
        self.btree1_node(self.chunks.layout.address, None)
    }

    /// Visits a node; its level is known from its parent.
    fn btree1_node(&mut self, address: u64, expected: Option<u8>) -> Result<()> {
        let (sizes, rank, k) = (self.store.sizes(), self.chunks.layout.dims.len(), self.store.k().chunk);
        let size = btree1::node_size(k, rank, sizes);
        let bytes = self.index_block(address, size, size, false, NODE)?;
        let node = btree1::parse_node(&bytes, k, rank, sizes)?;
        if expected.is_some_and(|level| level != node.level) {
            return Err(Error::corrupt(NODE, address, format_args!("level {}", node.level)));
        }
        for entry in &node.entries {
            let Some(below) = node.level.checked_sub(1) else {
                let mut scaled = [0; MAX_RANK];
                for ((scaled, offset), &dim) in
                    scaled.iter_mut().zip(entry.offsets.iter()).zip(&self.chunks.layout.dims)
                {
                    *scaled = offset / dim;
                }
                self.chunk(entry.child, u64::from(entry.size), entry.filter_mask, &scaled[..rank])?;
                continue;
            };
            self.btree1_node(entry.child, Some(below))?;
        }
        Ok(())
    }

    pub(super) fn btree2(&mut self) -> Result<()> {
        let Walk { chunks, store, visit, .. } = self;
        let tree = Tree::open(store, chunks.layout.address)?;
        let records = Records::new(&tree, chunks.layout, store)?;
        let unfiltered = chunks.chunk_bytes()?;
        tree.for_each(store, |store, record| {
            let mut scaled = [0; MAX_RANK];
            let (address, size, mask) = records.decode(store, record, unfiltered, &mut scaled)?;
            store.check_extent(address, size, "chunk")?;
            let scaled = &scaled[..records.rank];
            visit(super::Part::Chunk(super::Chunk { address, size, filter_mask: mask, scaled }))?;
            Ok(true)
        })
    }
}

/// Frees the nodes and the header of a version 2 B-tree of chunks.
pub(super) fn delete_btree2(store: &mut Store, address: u64) -> Result<()> {
    Tree::open(store, address)?.delete(store)
}

/// How the records of a tree are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Records {
    rank: usize,
    filtered: bool,
    /// Bytes of a filtered chunk's size.
    size_width: usize,
}

impl Records {
    fn new(tree: &Tree, layout: &Chunked, store: &Store) -> Result<Self> {
        let (rank, params) = (layout.dims.len(), tree.params());
        let fixed = usize::from(store.sizes().offset) + 8 * rank;
        let size = usize::from(params.record_size);
        let (filtered, size_width) = match params.record_type {
            UNFILTERED if size == fixed => (false, 0),
            FILTERED if (fixed + 5..=fixed + 12).contains(&size) => (true, size - fixed - 4),
            _ => {
                let detail = format_args!("records of type {} with {size} bytes for rank {rank}", params.record_type);
                return Err(Error::corrupt(TREE, layout.address, detail));
            }
        };
        Ok(Records { rank, filtered, size_width })
    }

    /// A chunk's record.
    pub(super) fn encode(&self, store: &Store, place: Place, scaled: &[u64]) -> Result<Vec<u8>> {
        let mut w = Writer::new();
        w.address(place.address, store.sizes());
        if self.filtered {
            if self.size_width < 8 && place.size >> (8 * self.size_width) != 0 {
                return Err(Error::internal(format_args!("a chunk of {} bytes in its index", place.size)));
            }
            w.uint(place.size, self.size_width).u32(place.filter_mask);
        }
        scaled.iter().for_each(|&at| {
            w.u64(at);
        });
        Ok(w.finish())
    }

    fn decode(
        &self,
        store: &Store,
        record: &[u8],
        unfiltered: u64,
        scaled: &mut [u64; MAX_RANK],
    ) -> Result<(u64, u64, u32)> {
        let mut r = Reader::new(record, TREE);
        let address = r.address(store.sizes())?;
        let (size, mask) = if self.filtered { (r.uint(self.size_width)?, r.u32()?) } else { (unfiltered, 0) };
        for scaled in &mut scaled[..self.rank] {
            *scaled = r.u64()?;
        }
        Ok((address, size, mask))
    }
}
