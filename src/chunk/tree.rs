//! Walking the B-trees, versions 1 and 2, that index chunks.

use super::{Walk, MAX_RANK};
use crate::btree::Tree;
use crate::error::{Error, Result};
use crate::format::btree1;
use crate::format::codec::Reader;
use crate::format::message::layout::Chunked;
use crate::store::Store;

const NODE: &str = "version 1 B-tree node";
const TREE: &str = "version 2 B-tree of chunks";

/// Record types of unfiltered and of filtered chunks (specification III.A.2).
const UNFILTERED: u8 = 10;
const FILTERED: u8 = 11;

impl Walk<'_, '_> {
    pub(super) fn btree1(&mut self) -> Result<()> {
        self.btree1_node(self.chunks.layout.address, None)
    }

    /// Visits a node; its level is known from its parent.
    fn btree1_node(&mut self, address: u64, expected: Option<u8>) -> Result<()> {
        let (sizes, rank, k) = (self.store.sizes(), self.chunks.layout.dims.len(), self.store.chunk_k());
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
struct Records {
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
