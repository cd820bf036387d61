//! Changing the B-trees of chunks.

use super::index::Place;
use super::tree::{BTree2, Scaled, Tally, FILTERED, NODE, UNFILTERED};
use super::{Chunks, Part, MAX_RANK};
use crate::btree::{Tree, TreeParams, TreeStats};
use crate::error::{Error, Result};
use crate::format::btree1::{key_size, node_size, parse_start};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Seal, Store};

/// A level no tree of the format reaches.
const MAX_LEVEL: u8 = 32;

impl BTree2 {
    /// A tree without chunks.
    pub(super) fn create(
        chunks: &Chunks<'_>,
        store: &mut Store,
        size_width: Option<usize>,
        (node_size, split, merge): (u32, u8, u8),
    ) -> Result<u64> {
        let fixed = usize::from(store.sizes().offset) + 8 * chunks.layout.dims.len();
        let (record_type, record_size) = match size_width {
            None => (UNFILTERED, fixed),
            Some(width) => (FILTERED, fixed + width + 4),
        };
        let params = TreeParams { record_type, record_size: record_size as u16, node_size, split, merge };
        let mut tree = Tree::create(store, params)?;
        tree.prepare(store)?;
        Ok(tree.address())
    }

    /// Makes the tree ready for a flush.
    pub(super) fn prepare(&mut self, store: &mut Store) -> Result<()> {
        self.tree.prepare(store)
    }

    /// Makes the tree ready for being walked.
    pub(super) fn publish(&mut self, store: &mut Store) -> Result<()> {
        self.tree.publish(store)
    }

    /// The tree's figures.
    pub fn stats(&mut self, store: &mut Store) -> Result<TreeStats> {
        self.tree.stats(store)
    }

    /// What was done since the last time.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Packs the next `leaves` leaves or so behind the chunk at `after`, or from the beginning, as [`Tree::sweep`]: how many
    /// they were, and the last chunk that was passed; none at the end.
    pub fn sweep(
        &mut self,
        store: &mut Store,
        after: Option<&[u64]>,
        leaves: usize,
    ) -> Result<(u64, Option<Vec<u64>>)> {
        let at = self.scaled_at();
        let mut after = after.map(|scaled| Scaled { scaled, at });
        let progress = self.tree.sweep(store, after.as_mut(), leaves, |_, _| Ok(()));
        let whole = store.is_whole();
        self.tree.publish(store)?;
        if whole {
            store.note_whole();
        }
        let progress = progress?;
        let scaled =
            |record: &[u8]| record[at..].as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect();
        Ok((progress.nodes_done as u64, progress.last.map(|last| scaled(&last))))
    }

    /// Moves nodes that stand at `limit` or above into holes below it; how many were moved.
    pub fn relocate_above(&mut self, store: &mut Store, limit: u64) -> Result<u64> {
        let moved = self.tree.relocate_above(store, limit, usize::MAX)?;
        self.tree.publish(store)?;
        Ok(moved as u64)
    }

    /// Enters a chunk, or that there is none.
    pub(super) fn set(&mut self, store: &mut Store, scaled: &[u64], place: Option<Place>) -> Result<()> {
        let mut key = Scaled { scaled, at: self.scaled_at() };
        let location = self.tree.locate(store, &mut key)?;
        match place {
            None if location.found => {
                self.tree.remove_at(store, &location)?;
                self.tally.removed += 1;
            }
            None => {}
            Some(place) => {
                let record = self.records.encode(store, place, scaled)?;
                if location.found {
                    self.tree.record_at_mut(store, &location).copy_from_slice(&record);
                } else {
                    self.tree.insert_at(store, &location, &record)?;
                    self.tally.entered += 1;
                }
            }
        }
        Ok(())
    }
}

/// A version 1 B-tree that is being changed.
pub(super) struct BTree1<'a> {
    store: &'a mut Store,
    root: u64,
    rank: usize,
    dims: &'a [u64],
    element_size: u64,
}

/// A node of it.
#[derive(Clone, Copy)]
struct Node {
    id: BlockId,
    level: u8,
    used: usize,
}

impl<'a> BTree1<'a> {
    pub(super) fn new(chunks: &Chunks<'a>, store: &'a mut Store) -> Self {
        let layout = chunks.layout;
        let rank = layout.dims.len();
        BTree1 { store, root: layout.address, rank, dims: &layout.dims, element_size: layout.element_size }
    }

    /// A tree without chunks.
    pub(super) fn create(chunks: &Chunks<'a>, store: &'a mut Store) -> Result<u64> {
        let mut tree = BTree1::new(chunks, store);
        Ok(tree.make_node(0)?.1)
    }

    fn size(&self) -> u64 {
        node_size(self.store.chunk_k(), self.rank, self.store.sizes())
    }

    fn make_node(&mut self, level: u8) -> Result<(Node, u64)> {
        let size = self.size() as usize;
        let (id, address) = self.store.create_block(size, Seal::None)?;
        let siblings = 8 + 2 * usize::from(self.store.sizes().offset);
        let bytes = self.store.bytes_mut(id);
        bytes[..4].copy_from_slice(b"TREE");
        (bytes[4], bytes[5]) = (1, level);
        bytes[8..siblings].fill(0xff);
        Ok((Node { id, level, used: 0 }, address))
    }

    fn node(&mut self, address: u64, level: Option<u8>) -> Result<Node> {
        let (size, sizes, k) = (self.size(), self.store.sizes(), self.store.chunk_k());
        let id = self.store.block(address, size, Seal::None, NODE)?;
        let (found, used, _) = parse_start(self.store.bytes(id), k, sizes)?;
        if found > MAX_LEVEL || level.is_some_and(|level| level != found) {
            return Err(Error::corrupt(NODE, address, format_args!("level {found}")));
        }
        Ok(Node { id, level: found, used: usize::from(used) })
    }

    fn offset(&self) -> usize {
        usize::from(self.store.sizes().offset)
    }

    fn key_size(&self) -> usize {
        key_size(self.rank) as usize
    }

    /// Where the key before a node's child stands.
    fn key_at(&self, number: usize) -> usize {
        8 + 2 * self.offset() + number * (self.key_size() + self.offset())
    }

    fn key(&self, node: Node, number: usize) -> &[u8] {
        let at = self.key_at(number);
        &self.store.bytes(node.id)[at..at + self.key_size()]
    }

    fn put_key(&mut self, node: Node, number: usize, key: &[u8]) {
        let at = self.key_at(number);
        self.store.bytes_mut(node.id)[at..at + key.len()].copy_from_slice(key);
    }

    fn address_at(&self, id: BlockId, at: usize) -> u64 {
        let bytes = &self.store.bytes(id)[at..at + self.offset()];
        if bytes.iter().all(|&byte| byte == 0xff) {
            return UNDEFINED;
        }
        bytes.iter().rev().fold(0, |address, &byte| address << 8 | u64::from(byte))
    }

    fn put_address(&mut self, id: BlockId, at: usize, address: u64) {
        let width = self.offset();
        self.store.bytes_mut(id)[at..at + width].copy_from_slice(&address.to_le_bytes()[..width]);
    }

    fn child_at(&self, number: usize) -> usize {
        self.key_at(number) + self.key_size()
    }

    fn put_used(&mut self, node: Node, used: usize) {
        self.store.bytes_mut(node.id)[6..8].copy_from_slice(&(used as u16).to_le_bytes());
    }

    /// The key of a chunk: its size and mask, and where it is, in elements.
    fn chunk_key(&self, scaled: &[u64], place: Place) -> Result<Vec<u8>> {
        let Ok(size) = u32::try_from(place.size) else {
            return Err(Error::unsupported(format_args!("a chunk of {} bytes in a version 1 B-tree", place.size)));
        };
        let mut key = Vec::with_capacity(self.key_size());
        key.extend(size.to_le_bytes());
        key.extend(place.filter_mask.to_le_bytes());
        key.extend(scaled.iter().zip(self.dims).flat_map(|(at, dim)| at.saturating_mul(*dim).to_le_bytes()));
        key.extend([0; 8]);
        Ok(key)
    }

    /// A key behind that of a chunk, as libhdf5 bounds a tree.
    fn key_behind(&self, scaled: &[u64]) -> Vec<u8> {
        let mut key = vec![0; 8];
        key.extend(scaled.iter().zip(self.dims).flat_map(|(at, dim)| (at + 1).saturating_mul(*dim).to_le_bytes()));
        key.extend(self.element_size.to_le_bytes());
        key
    }

    /// How many of a node's keys are not behind this one.
    fn position(&self, node: Node, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, node.used);
        while low < high {
            let middle = (low + high) / 2;
            if compare(self.key(node, middle), key).is_le() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Enters a chunk.
    pub(super) fn set(&mut self, scaled: &[u64], place: Place) -> Result<()> {
        let key = self.chunk_key(scaled, place)?;
        let mut behind = self.key_behind(scaled);
        let full = 2 * usize::from(self.store.chunk_k());
        let mut node = self.node(self.root, None)?;
        if node.used >= full {
            node = self.grow(node)?;
        }
        loop {
            let position = self.position(node, &key);
            if position == 0 && node.level > 0 {
                self.put_key(node, 0, &key);
            }
            if node.used == 0 || compare(self.key(node, node.used), &key).is_le() {
                // An empty node has one bound more than entries too.
                self.put_key(node, node.used.max(1), &behind);
            }
            let Some(below) = node.level.checked_sub(1) else { return self.enter(node, position, &key, place) };
            if node.used == 0 {
                return Err(Error::corrupt(NODE, self.store.address(node.id), "an inner node without children"));
            }
            let mut number = position.saturating_sub(1);
            let mut child = self.node(self.address_at(node.id, self.child_at(number)), Some(below))?;
            if child.used >= full {
                let is_last = number + 1 == node.used && compare(self.key(child, child.used - 1), &key).is_lt();
                node.used = self.split(node, number, child, is_last)?;
                number = self.position(node, &key).saturating_sub(1);
                child = self.node(self.address_at(node.id, self.child_at(number)), Some(below))?;
            }
            behind = self.key(node, number + 1).to_vec();
            node = child;
        }
    }

    /// Enters a chunk in a leaf that has room for it, or has the chunk.
    fn enter(&mut self, leaf: Node, position: usize, key: &[u8], place: Place) -> Result<()> {
        let same = position.checked_sub(1).filter(|&before| compare(self.key(leaf, before), key).is_eq());
        let number = match same {
            Some(number) => number,
            None => {
                self.open_gap(leaf, position);
                position
            }
        };
        self.put_key(leaf, number, key);
        self.put_address(leaf.id, self.child_at(number), place.address);
        Ok(())
    }

    /// Makes room for an entry.
    fn open_gap(&mut self, node: Node, position: usize) {
        if node.used > 0 {
            let (from, to) = (self.key_at(position), self.key_at(position + 1));
            let end = self.key_at(node.used) + self.key_size();
            self.store.bytes_mut(node.id).copy_within(from..end, to);
        }
        self.put_used(node, node.used + 1);
    }

    /// The root stays where it is: what it holds becomes its only child.
    fn grow(&mut self, root: Node) -> Result<Node> {
        let (child, address) = self.make_node(root.level)?;
        let begin = self.key_at(0);
        let (from, to) = self.store.two_mut(root.id, child.id)?;
        to[begin..].copy_from_slice(&from[begin..]);
        self.put_used(child, root.used);
        let bound = self.key(root, root.used).to_vec();
        self.store.bytes_mut(root.id)[5] = root.level + 1;
        self.put_used(root, 1);
        self.put_address(root.id, self.child_at(0), address);
        self.put_key(root, 1, &bound);
        Ok(Node { level: root.level + 1, used: 1, ..root })
    }

    /// Splits a full child of a node that has room; what the node then has. Where chunks are appended, little moves.
    fn split(&mut self, parent: Node, number: usize, child: Node, appended: bool) -> Result<usize> {
        let kept = if appended { child.used * 9 / 10 } else { child.used / 2 };
        let (right, address) = self.make_node(child.level)?;
        let (from, end) = (self.key_at(kept), self.key_at(child.used) + self.key_size());
        let begin = self.key_at(0);
        let (source, target) = self.store.two_mut(child.id, right.id)?;
        target[begin..begin + end - from].copy_from_slice(&source[from..end]);
        self.put_used(right, child.used - kept);
        self.put_used(child, kept);
        let (left_at, right_at) = (8, 8 + self.offset());
        let next = self.address_at(child.id, right_at);
        self.put_address(right.id, left_at, self.store.address(child.id));
        self.put_address(right.id, right_at, next);
        self.put_address(child.id, right_at, address);
        if next != UNDEFINED {
            let next = self.node(next, Some(child.level))?;
            self.put_address(next.id, left_at, address);
        }
        let key = self.key(right, 0).to_vec();
        self.open_gap(parent, number + 1);
        self.put_key(parent, number + 1, &key);
        self.put_address(parent.id, self.child_at(number + 1), address);
        Ok(parent.used + 1)
    }
}

/// Keys are ordered by where their chunks are.
fn compare(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    fn offsets(key: &[u8]) -> impl Iterator<Item = u64> + '_ {
        key[8..key.len() - 8].as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes))
    }
    offsets(a).cmp(offsets(b))
}

/// Takes chunks out of a version 1 B-tree: all others are entered again in a tree with the same root.
pub(super) fn keep_btree1(chunks: &Chunks<'_>, store: &mut Store, mut keep: impl FnMut(&[u64]) -> bool) -> Result<()> {
    let (mut kept, mut nodes) = (Vec::new(), Vec::new());
    let rank = chunks.layout.dims.len();
    chunks.walk(store, &mut |part| {
        match part {
            Part::Chunk(chunk) if keep(chunk.scaled) => {
                let mut scaled = [0; MAX_RANK];
                scaled[..rank].copy_from_slice(chunk.scaled);
                let place = Place { address: chunk.address, size: chunk.size, filter_mask: chunk.filter_mask };
                kept.push((scaled, place));
            }
            Part::Chunk(_) => {}
            Part::Index { address, size } => nodes.push((address, size)),
        }
        Ok(())
    })?;
    for (address, size) in nodes {
        if address != chunks.layout.address {
            store.free(address, size);
        }
    }
    let mut tree = BTree1::new(chunks, store);
    let root = tree.node(tree.root, None)?;
    tree.store.bytes_mut(root.id)[5] = 0;
    tree.put_used(root, 0);
    kept.iter().try_for_each(|(scaled, place)| tree.set(&scaled[..rank], *place))
}
