//! The links of an old group: names in a local heap, links sorted by name in symbol table nodes, and a version 1 B-tree
//! over these (specification III.A.1, III.B, III.C, III.D).
//!
//! As in libhdf5, a node that overflows is split in two, one that becomes empty is given back, and nodes are not merged
//! otherwise. The B-tree's root and the heap's header never move: entries of other groups, and the superblock, may hold
//! their addresses.

mod heap;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::HashSet;

use crate::error::{Damage, Error, Result};
use crate::format::group_tree::{self, Node};
use crate::format::symbol_table::{node_len, parse_node, put_node, Cache, Entry, SymbolTableMessage};
use crate::format::UNDEFINED;
use crate::object::extents::Purpose;
use crate::object::link::LinkTarget;
use crate::store::{AddressMap, Seal, Store};
use heap::Heap;

const TREE: &str = "version 1 B-tree of a group";
const LEAF: &str = "symbol table node";

/// An open symbol table.
pub(super) struct SymbolTable {
    tree: u64,
    heap: Heap,
    /// Links, once they were counted.
    len: Option<u64>,
}

/// A node met by a walk.
enum Met<'a> {
    Node(&'a Node),
    Leaf(&'a [Entry]),
}

impl SymbolTable {
    /// Opens the table that a message names.
    pub fn open(store: &mut Store, message: SymbolTableMessage) -> Result<Self> {
        Ok(SymbolTable { tree: message.tree, heap: Heap::open(store, message.heap)?, len: None })
    }

    /// The address of the B-tree.
    pub fn address(&self) -> u64 {
        self.tree
    }

    /// How many links there are.
    pub fn len(&mut self, store: &mut Store) -> Result<u64> {
        if let Some(len) = self.len {
            return Ok(len);
        }
        let mut len = 0;
        self.walk(store, &mut |_, _, met| {
            if let Met::Leaf(entries) = met {
                len += entries.len() as u64;
            }
            Ok(())
        })?;
        self.len = Some(len);
        Ok(len)
    }

    /// What the link of this name points to.
    pub fn find(&self, store: &mut Store, name: &[u8]) -> Result<Option<LinkTarget>> {
        let mut node = self.node(store, self.tree, None)?;
        loop {
            let Some(&child) = node.children.get(self.child(store, &node, name)?) else { return Ok(None) };
            if node.level > 0 {
                node = self.node(store, child, Some(node.level - 1))?;
                continue;
            }
            let entries = self.leaf(store, child)?;
            return match self.search(store, &entries, name)? {
                Ok(at) => self.target(store, &entries[at]).map(Some),
                Err(_) => Ok(None),
            };
        }
    }

    /// Adds a hard or soft link, whose name must be free.
    pub fn insert(&mut self, store: &mut Store, name: &[u8], target: &LinkTarget) -> Result<()> {
        let value = match target {
            LinkTarget::Hard(_) => None,
            LinkTarget::Soft(path) => Some(path),
            LinkTarget::User(..) => return Err(Error::internal("a user-defined link in a symbol table")),
        };
        let offset = self.heap.add(store, name)?;
        let entry = match (target, value) {
            (LinkTarget::Hard(address), _) => Entry { name: offset, header: *address, cache: Cache::Nothing },
            (_, value) => {
                let value = self.heap.add(store, value.map_or(&[], |path| path.as_slice()))?;
                let value = u32::try_from(value).map_err(|_| Error::internal("a local heap beyond 4 GiB"))?;
                Entry { name: offset, header: UNDEFINED, cache: Cache::Soft { value } }
            }
        };
        self.insert_entry(store, name, entry)?;
        self.len = self.len.map(|len| len + 1);
        Ok(())
    }

    /// Removes the link of this name; what it pointed to, or `None` when there is none.
    pub fn remove(&mut self, store: &mut Store, name: &[u8]) -> Result<Option<LinkTarget>> {
        let Some(target) = self.find(store, name)? else { return Ok(None) };
        let Some(entry) = self.remove_entry(store, name)? else { return Ok(None) };
        let value = match entry.cache {
            Cache::Soft { value } => Some(u64::from(value)),
            _ => None,
        };
        self.heap.remove(store, &entry, value)?;
        // A damaged table may have had none to begin with: it is counted again.
        self.len = self.len.and_then(|len| len.checked_sub(1));
        Ok(Some(target))
    }

    /// All links, sorted by name.
    pub fn list(&self, store: &mut Store) -> Result<Vec<(Vec<u8>, LinkTarget)>> {
        let mut all = Vec::new();
        self.walk(store, &mut |store, _, met| {
            if let Met::Leaf(entries) = met {
                for entry in entries {
                    all.push((self.heap.text(store, entry.name)?.to_vec(), self.target(store, entry)?));
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Has hard links that lead to moved objects lead to where these stand now.
    pub fn turn(&self, store: &mut Store, moved: &AddressMap<u64>) -> Result<()> {
        self.walk(store, &mut |store, address, met| {
            let Met::Leaf(entries) = met else { return Ok(()) };
            let mut entries = entries.to_vec();
            let mut any = false;
            for entry in entries.iter_mut().filter(|entry| !matches!(entry.cache, Cache::Soft { .. })) {
                if let Some(&now) = moved.get(&entry.header) {
                    entry.header = now;
                    any = true;
                }
            }
            match any {
                true => self.put_leaf(store, address, &entries),
                false => Ok(()),
            }
        })
    }

    /// Tells every extent that belongs to the table.
    pub fn each_extent(&self, store: &mut Store, visit: &mut dyn FnMut(Purpose, u64, u64) -> Result<()>) -> Result<()> {
        for (address, length) in self.heap.extents(store) {
            visit(Purpose::LocalHeap, address, length)?;
        }
        self.walk(store, &mut |store, address, met| visit(Purpose::SymbolTable, address, length_of(store, &met)))
    }

    /// Gives all space back: the group is deleted, or its links are stored otherwise.
    pub fn delete(self, store: &mut Store) -> Result<()> {
        let mut extents = self.heap.extents(store).to_vec();
        self.walk(store, &mut |store, address, met| {
            extents.push((address, length_of(store, &met)));
            Ok(())
        })?;
        extents.into_iter().for_each(|(address, length)| store.free(address, length));
        Ok(())
    }

    /// Makes the heap ready for the flush.
    pub fn prepare(&mut self, store: &mut Store) -> Result<()> {
        self.heap.prepare(store)
    }

    /// Checks that names ascend, and that every key and every neighbour is what it should be.
    pub fn check(&self, store: &mut Store) -> Result<()> {
        let mut last: Option<Vec<u8>> = None;
        let mut before: Vec<(u64, Node)> = Vec::new();
        self.walk(store, &mut |store, address, met| {
            let node = match met {
                Met::Node(node) => node,
                Met::Leaf(entries) => {
                    for entry in entries {
                        let name = self.heap.text(store, entry.name)?.to_vec();
                        if last.as_ref().is_some_and(|last| *last >= name) {
                            return Err(Error::corrupt(LEAF, address, "its names do not ascend").because(Damage::Order));
                        }
                        last = Some(name);
                    }
                    return Ok(());
                }
            };
            for pair in node.keys.windows(2) {
                if self.heap.text(store, pair[0])?.to_vec().as_slice() >= self.heap.text(store, pair[1])? {
                    return Err(Error::corrupt(TREE, address, "its keys do not ascend").because(Damage::Order));
                }
            }
            let left = before.iter().rposition(|(_, left)| left.level == node.level).map(|at| before.swap_remove(at));
            let expected = left.as_ref().map_or(UNDEFINED, |(address, _)| *address);
            if node.left != expected || left.is_some_and(|(_, left)| left.right != address) {
                return Err(Error::corrupt(TREE, address, "it and its neighbour do not name each other"));
            }
            before.push((address, node.clone()));
            Ok(())
        })?;
        match before.iter().find(|(_, node)| node.right != UNDEFINED) {
            Some((address, _)) => Err(Error::corrupt(TREE, *address, "the last of its level has a neighbour")),
            None => Ok(()),
        }
    }

    /// Every node, from left to right, each before those below it. One that is met twice is damage.
    fn walk(&self, store: &mut Store, visit: &mut dyn FnMut(&mut Store, u64, Met<'_>) -> Result<()>) -> Result<()> {
        let mut seen = HashSet::new();
        let mut waiting = vec![(self.tree, None)];
        while let Some((address, level)) = waiting.pop() {
            if !seen.insert(address) {
                return Err(Error::corrupt(TREE, address, "the tree leads to it twice"));
            }
            // A tree node's level, or -1 below level 0.
            if level == Some(-1) {
                let entries = self.leaf(store, address)?;
                visit(store, address, Met::Leaf(&entries))?;
                continue;
            }
            let node = self.node(store, address, level.map(|level: i16| level as u8))?;
            waiting.extend(node.children.iter().rev().map(|&child| (child, Some(i16::from(node.level) - 1))));
            visit(store, address, Met::Node(&node))?;
        }
        Ok(())
    }

    /// The B-tree node at an address, of the level that its parent says.
    fn node(&self, store: &mut Store, address: u64, level: Option<u8>) -> Result<Node> {
        let (k, sizes) = (store.k().group_internal, store.sizes());
        let id = store.block(address, group_tree::node_len(k, sizes) as u64, Seal::None, TREE)?;
        let node = Node::parse(store.bytes(id), k, sizes)?;
        let empty = node.children.is_empty() && (level.is_some() || node.level > 0);
        if empty || level.is_some_and(|level| level != node.level) {
            let detail = format_args!("level {} with {} children", node.level, node.children.len());
            return Err(Error::corrupt(TREE, address, detail));
        }
        Ok(node)
    }

    /// The entries of the symbol table node at an address.
    fn leaf(&self, store: &mut Store, address: u64) -> Result<Vec<Entry>> {
        let (k, sizes) = (store.k().group_leaf, store.sizes());
        let id = store.block(address, node_len(k, sizes) as u64, Seal::None, LEAF)?;
        parse_node(store.bytes(id), k, sizes)
    }

    fn put_node(&self, store: &mut Store, address: u64, node: &Node) -> Result<()> {
        let (k, sizes) = (store.k().group_internal, store.sizes());
        let id = store.block(address, group_tree::node_len(k, sizes) as u64, Seal::None, TREE)?;
        node.put(store.bytes_mut(id), sizes);
        Ok(())
    }

    fn put_leaf(&self, store: &mut Store, address: u64, entries: &[Entry]) -> Result<()> {
        let (k, sizes) = (store.k().group_leaf, store.sizes());
        let id = store.block(address, node_len(k, sizes) as u64, Seal::None, LEAF)?;
        put_node(store.bytes_mut(id), entries, sizes);
        Ok(())
    }

    fn target(&self, store: &mut Store, entry: &Entry) -> Result<LinkTarget> {
        match entry.cache {
            Cache::Soft { value } => Ok(LinkTarget::Soft(self.heap.text(store, u64::from(value))?.to_vec())),
            _ => Ok(LinkTarget::Hard(entry.header)),
        }
    }

    /// Where the entry of this name is among a node's, or belongs.
    fn search(&self, store: &mut Store, entries: &[Entry], name: &[u8]) -> Result<std::result::Result<usize, usize>> {
        let (mut low, mut high) = (0, entries.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.heap.text(store, entries[middle].name)?.cmp(name) {
                std::cmp::Ordering::Equal => return Ok(Ok(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(Err(low))
    }

    /// The child below which a name belongs; the number of children when all names are less.
    fn child(&self, store: &mut Store, node: &Node, name: &[u8]) -> Result<usize> {
        let (mut low, mut high) = (0, node.children.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.heap.text(store, node.keys[middle + 1])? < name {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }
}

fn length_of(store: &Store, met: &Met<'_>) -> u64 {
    let (k, sizes) = (store.k(), store.sizes());
    match met {
        Met::Node(_) => group_tree::node_len(k.group_internal, sizes) as u64,
        Met::Leaf(_) => node_len(k.group_leaf, sizes) as u64,
    }
}
