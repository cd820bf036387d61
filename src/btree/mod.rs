//! The version 2 B-tree on live pages: a node is its on-disk bytes in the store, searched and edited in place.
//!
//! One descent ([`Tree::locate`]) serves a search and the insertion or removal that follows it. Between flushes nodes
//! may be sparse, but never empty; [`Tree::prepare`] brings every changed node to its level's floor before a flush
//! (see [`repair`](Tree::repair)), so that libhdf5 can go on modifying the tree. [`Tree::sweep`] packs nodes.

mod aim;
mod bulk;
mod check;
mod edit;
mod hints;
mod relocate;
#[cfg(test)]
mod relocate_tests;
mod repair;
mod reshape;
mod search;
mod sweep;
#[cfg(test)]
mod tests;

pub use relocate::NodePlace;
pub use search::{Key, Location, Purpose, Record};
pub use sweep::{Run, SweepProgress};

use std::cell::Cell;

use hints::Hints;

use crate::error::{Error, Result};
use crate::format::btree2::{Geometry, Header, CHECKSUM, MAX_LEVELS, PREFIX};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Seal, Store};

const NODE: &str = "version 2 B-tree node";
const HEADER: &str = "version 2 B-tree header";

/// What a new tree is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeParams {
    /// The record type (specification III.A.2, "Version 2 B-tree Record Layout").
    pub record_type: u8,
    /// Bytes of a record.
    pub record_size: u16,
    /// Bytes of a node.
    pub node_size: u32,
    /// Percentage of a node's capacity at which it is split.
    pub split: u8,
    /// Percentage of a node's capacity below which no flushed node but the root is.
    pub merge: u8,
}

/// A tree's figures.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TreeStats {
    /// Nodes.
    pub nodes: u64,
    /// Nodes below half of their capacity; the root never counts.
    pub underfull: u64,
    /// Records.
    pub records: u64,
    /// Records that the nodes could hold.
    pub capacity_total: u64,
    /// Levels above the leaves.
    pub depth: usize,
    /// Nodes that were merged away since the tree was opened.
    pub merges: u64,
    /// Nodes that were split off since the tree was opened.
    pub splits: u64,
}

impl TreeStats {
    /// Records per record place, 0 to 1; 1 for an empty tree.
    pub fn occupancy(&self) -> f64 {
        if self.capacity_total == 0 {
            1.0
        } else {
            self.records as f64 / self.capacity_total as f64
        }
    }
}

/// Node counts, kept up to date by every change once they are known.
#[derive(Debug, Clone, Default)]
struct Counts {
    known: bool,
    nodes: [u64; MAX_LEVELS],
    underfull: u64,
    merges: u64,
    splits: u64,
}

/// One version 2 B-tree of an open file.
#[derive(Debug, Clone)]
pub struct Tree {
    address: u64,
    header: Header,
    geometry: Geometry,
    depth: usize,
    changed: bool,
    counts: Counts,
    /// Where the store had the root last.
    root_block: Cell<BlockId>,
    hints: Hints,
}

impl Tree {
    /// A new tree without records.
    pub fn create(store: &mut Store, params: TreeParams) -> Result<Tree> {
        store.check_writable()?;
        let TreeParams { record_type, record_size, node_size, split, merge } = params;
        let geometry = Geometry::new(node_size, record_size, split, merge, store.sizes())?;
        let size = Header::size(store.sizes());
        let (_, address) = store.create_block(size, Seal::At((size - CHECKSUM) as u32))?;
        let header = Header {
            record_type,
            node_size,
            record_size,
            depth: 0,
            split,
            merge,
            root: UNDEFINED,
            root_nrec: 0,
            total: 0,
        };
        let counts = Counts { known: true, ..Counts::default() };
        Ok(Tree {
            address,
            header,
            geometry,
            depth: 0,
            changed: true,
            counts,
            root_block: Cell::new(BlockId::NOWHERE),
            hints: Hints::default(),
        })
    }

    /// The tree whose header is at `address`.
    pub fn open(store: &mut Store, address: u64) -> Result<Tree> {
        let sizes = store.sizes();
        let size = Header::size(sizes);
        let id = store.block(address, size as u64, Seal::At((size - CHECKSUM) as u32), HEADER)?;
        let header = Header::parse(store.bytes(id), sizes)?;
        let geometry = Geometry::new(header.node_size, header.record_size, header.split, header.merge, sizes)?;
        let depth = usize::from(header.depth);
        if depth >= geometry.usable_levels() {
            return Err(Error::corrupt(HEADER, address, format_args!("a depth of {depth}")));
        }
        if header.root_nrec > geometry.level(depth).max {
            return Err(Error::corrupt(HEADER, address, format_args!("{} records in the root", header.root_nrec)));
        }
        if header.total > store.space().end() / u64::from(header.record_size) {
            return Err(Error::corrupt(HEADER, address, format_args!("{} records", header.total)));
        }
        let root_block = Cell::new(BlockId::NOWHERE);
        Ok(Tree {
            address,
            header,
            geometry,
            depth,
            changed: false,
            counts: Counts::default(),
            root_block,
            hints: Hints::default(),
        })
    }

    /// The header's address.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Records in the tree.
    #[inline]
    pub fn len(&self) -> u64 {
        self.header.total
    }

    /// Whether there are no records.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.header.total == 0
    }

    /// Levels above the leaves.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// What the tree was created with.
    pub fn params(&self) -> TreeParams {
        let Header { record_type, record_size, node_size, split, merge, .. } = self.header;
        TreeParams { record_type, record_size, node_size, split, merge }
    }

    /// The layout of the tree's nodes.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The tree's figures. The first call after opening reads the internal nodes, which hold all counts.
    pub fn stats(&mut self, store: &mut Store) -> Result<TreeStats> {
        if !self.counts.known {
            self.scan(store)?;
        }
        Ok(self.figures())
    }

    /// The tree's figures if they are known without reading.
    pub fn known_stats(&self) -> Option<TreeStats> {
        self.counts.known.then(|| self.figures())
    }

    fn figures(&self) -> TreeStats {
        let counts = &self.counts;
        let capacity = |level: usize| counts.nodes[level] * u64::from(self.geometry.level(level).capacity);
        TreeStats {
            nodes: counts.nodes.iter().sum(),
            underfull: counts.underfull,
            records: self.header.total,
            capacity_total: (0..=self.depth).map(capacity).sum(),
            depth: self.depth,
            merges: counts.merges,
            splits: counts.splits,
        }
    }

    fn scan(&mut self, store: &mut Store) -> Result<()> {
        let (merges, splits) = (self.counts.merges, self.counts.splits);
        let mut counts = Counts { known: true, merges, splits, ..Counts::default() };
        self.each_node(store, false, &mut |_, level, pointer| {
            counts.nodes[level] += 1;
            counts.underfull += u64::from(level < self.depth && pointer.nrec < self.geometry.level(level).half());
            Ok(())
        })?;
        self.counts = counts;
        Ok(())
    }

    /// Makes the tree ready for a flush: floors are restored and the header's bytes are written into its block.
    pub fn prepare(&mut self, store: &mut Store) -> Result<()> {
        if !self.changed {
            return Ok(());
        }
        self.repair(store)?;
        self.publish(store)?;
        self.changed = false;
        Ok(())
    }

    /// Writes the header's bytes into its block, for those who open the tree anew. Nodes may stay sparse, and a flush still
    /// needs [`Tree::prepare`].
    pub fn publish(&mut self, store: &mut Store) -> Result<()> {
        if !self.changed {
            return Ok(());
        }
        let sizes = store.sizes();
        let size = Header::size(sizes);
        let id = store.block(self.address, size as u64, Seal::At((size - CHECKSUM) as u32), HEADER)?;
        self.header.depth = self.depth as u16;
        let image = self.header.encode(sizes);
        if store.bytes(id).get(..image.len()) != Some(image.as_slice()) {
            store.bytes_mut(id)[..image.len()].copy_from_slice(&image);
        }
        Ok(())
    }

    /// Gives the space of the whole tree back. Records are not looked at.
    pub fn delete(self, store: &mut Store) -> Result<()> {
        store.check_writable()?;
        let mut nodes = Vec::new();
        self.each_node(store, false, &mut |_, _, pointer| {
            nodes.push(pointer.address);
            Ok(())
        })?;
        nodes.sort_unstable();
        if let Some(twice) = nodes.windows(2).find(|pair| pair[1] - pair[0] < self.geometry.node_size() as u64) {
            return Err(Error::corrupt(NODE, twice[1], "another node overlaps it"));
        }
        for address in nodes {
            store.check_extent(address, self.geometry.node_size() as u64, NODE)?;
            store.free(address, self.geometry.node_size() as u64);
        }
        store.free(self.address, Header::size(store.sizes()) as u64);
        Ok(())
    }

    /// Calls `visit` with the address and the bytes of the header and of every node, whose leaves are not read.
    pub fn each_extent(&self, store: &mut Store, visit: &mut dyn FnMut(u64, u64) -> Result<()>) -> Result<()> {
        visit(self.address, Header::size(store.sizes()) as u64)?;
        let size = self.geometry.node_size() as u64;
        self.each_node(store, false, &mut |_, _, node| visit(node.address, size))
    }

    /// The block of a node. What was read from the file is checked; a page of our own is trusted.
    #[inline]
    fn node(&self, store: &mut Store, address: u64, level: usize, nrec: u16) -> Result<BlockId> {
        if let Some(id) = store.cached(address) {
            if store.length(id) == self.geometry.node_size() && nrec <= self.geometry.level(level).max {
                return Ok(id);
            }
        }
        self.load(store, address, level, nrec)
    }

    /// The block of the root, which every search begins with: it is looked up only when the store has moved it.
    #[inline]
    fn root(&self, store: &mut Store) -> Result<BlockId> {
        let (block, address) = (self.root_block.get(), self.header.root);
        if store.stands_at(block, address, self.geometry.node_size() as u32) {
            return Ok(block);
        }
        self.find_root(store)
    }

    #[cold]
    fn find_root(&self, store: &mut Store) -> Result<BlockId> {
        let block = self.node(store, self.header.root, self.depth, self.header.root_nrec)?;
        self.root_block.set(block);
        Ok(block)
    }

    #[cold]
    fn load(&self, store: &mut Store, address: u64, level: usize, nrec: u16) -> Result<BlockId> {
        if nrec == 0 || nrec > self.geometry.level(level).max {
            return Err(Error::corrupt(NODE, address, format_args!("{nrec} records at level {level}")));
        }
        let seal = Seal::At(self.geometry.used(level, usize::from(nrec)) as u32);
        let id = store.block(address, self.geometry.node_size() as u64, seal, NODE)?;
        let prefix = self.prefix(level);
        if store.bytes(id)[..PREFIX] != prefix {
            return Err(Error::corrupt(NODE, address, format_args!("{prefix:02x?} expected at level {level}")));
        }
        Ok(id)
    }

    /// The first bytes of every node of `level`.
    fn prefix(&self, level: usize) -> [u8; PREFIX] {
        let [a, b, c, d] = if level == 0 { *b"BTLF" } else { *b"BTIN" };
        [a, b, c, d, 0, self.header.record_type]
    }

    /// Whether a node with `nrec` records counts as underfull.
    #[inline]
    fn underfull(&self, level: usize, nrec: u16) -> u64 {
        u64::from(level < self.depth && nrec < self.geometry.level(level).half())
    }

    /// A node of `level` has `after` records instead of `before`.
    #[inline]
    fn recount(&mut self, level: usize, before: u16, after: u16) {
        let (was, is) = (self.underfull(level, before), self.underfull(level, after));
        self.counts.underfull = self.counts.underfull.wrapping_add(is).wrapping_sub(was);
    }
}
