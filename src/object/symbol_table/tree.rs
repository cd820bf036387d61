//! Inserting into the B-tree of a symbol table, and removing from it.

use super::*;

/// The parts of a full node that stay left: of the leftmost of its level, of one in the middle, of the rightmost. They
/// are libhdf5's, and leave full nodes behind where names are inserted in their order.
const SPLIT_LEFTMOST: f64 = 0.1;
const SPLIT_MIDDLE: f64 = 0.5;
const SPLIT_RIGHTMOST: f64 = 0.9;

/// What inserting did to a node.
struct Grown {
    /// Where the heap has the greatest name below the node.
    max: u64,
    /// A new node to the right, with its greatest name.
    split: Option<(u64, u64)>,
}

/// What removing did to a node.
struct Shrunk {
    removed: Entry,
    /// Where the heap has the greatest name below the node; `None` when the node was empty and is gone.
    max: Option<u64>,
}

impl SymbolTable {
    /// Puts an entry where its name belongs.
    pub(super) fn insert_entry(&mut self, store: &mut Store, name: &[u8], entry: Entry) -> Result<()> {
        let mut root = self.node(store, self.tree, None)?;
        if root.children.is_empty() {
            let leaf = create_leaf(store)?;
            self.put_leaf(store, leaf, &[entry])?;
            (root.keys, root.children) = (vec![0, entry.name], vec![leaf]);
            return self.put_node(store, self.tree, &root);
        }
        let grown = self.insert_below(store, self.tree, None, name, entry)?;
        match grown.split {
            Some(right) => self.raise(store, grown.max, right),
            None => Ok(()),
        }
    }

    /// The root was split: what stayed in it moves to a new node, so that the root keeps its address.
    fn raise(&mut self, store: &mut Store, left_max: u64, (right, right_max): (u64, u64)) -> Result<()> {
        let old = self.node(store, self.tree, None)?;
        let Some(level) = old.level.checked_add(1) else {
            return Err(Error::corrupt(TREE, self.tree, "it has 256 levels"));
        };
        let left = create_node(store)?;
        self.put_node(store, left, &old)?;
        let mut sibling = self.node(store, right, Some(old.level))?;
        sibling.left = left;
        self.put_node(store, right, &sibling)?;
        let keys = vec![old.keys[0], left_max, right_max];
        let root = Node { level, left: UNDEFINED, right: UNDEFINED, keys, children: vec![left, right] };
        self.put_node(store, self.tree, &root)
    }

    fn insert_below(
        &mut self,
        store: &mut Store,
        address: u64,
        level: Option<u8>,
        name: &[u8],
        entry: Entry,
    ) -> Result<Grown> {
        let before = self.node(store, address, level)?;
        // What is greater than all names goes to the last child.
        let at = self.child(store, &before, name)?.min(before.children.len() - 1);
        let child = before.children[at];
        let grown = match before.level.checked_sub(1) {
            Some(below) => self.insert_below(store, child, Some(below), name, entry)?,
            None => self.insert_into_leaf(store, child, name, entry)?,
        };
        let mut node = before.clone();
        node.keys[at + 1] = grown.max;
        if let Some((right, right_max)) = grown.split {
            node.children.insert(at + 1, right);
            node.keys.insert(at + 2, right_max);
        }
        if node.children.len() > 2 * usize::from(store.k().group_internal) {
            return self.split(store, address, node);
        }
        if node != before {
            self.put_node(store, address, &node)?;
        }
        let max = node.keys[node.keys.len() - 1];
        if before.keys.last() != Some(&max) {
            self.tell_right(store, &node, None, max)?;
        }
        Ok(Grown { max, split: None })
    }

    fn insert_into_leaf(&mut self, store: &mut Store, address: u64, name: &[u8], entry: Entry) -> Result<Grown> {
        let mut entries = self.leaf(store, address)?;
        let (Ok(at) | Err(at)) = self.search(store, &entries, name)?;
        entries.insert(at, entry);
        let k = usize::from(store.k().group_leaf);
        let mut split = None;
        if entries.len() > 2 * k {
            let right = entries.split_off(k);
            let new = create_leaf(store)?;
            self.put_leaf(store, new, &right)?;
            split = right.last().map(|last| (new, last.name));
        }
        self.put_leaf(store, address, &entries)?;
        Ok(Grown { max: entries.last().map_or(0, |last| last.name), split })
    }

    /// Splits a node that has a child too many.
    fn split(&mut self, store: &mut Store, address: u64, mut node: Node) -> Result<Grown> {
        let part = match (node.left, node.right) {
            (_, UNDEFINED) => SPLIT_RIGHTMOST,
            (UNDEFINED, _) => SPLIT_LEFTMOST,
            _ => SPLIT_MIDDLE,
        };
        let count = node.children.len();
        let stay = ((count as f64 * part) as usize).clamp(1, count - 1);
        let new = create_node(store)?;
        let (keys, children) = (node.keys[stay..].to_vec(), node.children.split_off(stay));
        node.keys.truncate(stay + 1);
        let right = Node { level: node.level, left: address, right: node.right, keys, children };
        let right_max = right.keys[right.keys.len() - 1];
        self.tell_right(store, &right, Some(new), right_max)?;
        node.right = new;
        self.put_node(store, new, &right)?;
        self.put_node(store, address, &node)?;
        Ok(Grown { max: node.keys[stay], split: Some((new, right_max)) })
    }

    /// Tells the node to the right of `node` what its left key is, and that it has another neighbour.
    fn tell_right(&mut self, store: &mut Store, node: &Node, left: Option<u64>, key: u64) -> Result<()> {
        if node.right == UNDEFINED {
            return Ok(());
        }
        let mut right = self.node(store, node.right, Some(node.level))?;
        right.keys[0] = key;
        right.left = left.unwrap_or(right.left);
        self.put_node(store, node.right, &right)
    }

    /// Takes the entry of this name out.
    pub(super) fn remove_entry(&mut self, store: &mut Store, name: &[u8]) -> Result<Option<Entry>> {
        Ok(self.remove_below(store, self.tree, None, name)?.map(|shrunk| shrunk.removed))
    }

    fn remove_below(
        &mut self,
        store: &mut Store,
        address: u64,
        level: Option<u8>,
        name: &[u8],
    ) -> Result<Option<Shrunk>> {
        let before = self.node(store, address, level)?;
        let at = self.child(store, &before, name)?;
        let Some(&child) = before.children.get(at) else { return Ok(None) };
        let shrunk = match before.level.checked_sub(1) {
            Some(below) => self.remove_below(store, child, Some(below), name)?,
            None => self.remove_from_leaf(store, child, name)?,
        };
        let Some(Shrunk { removed, max }) = shrunk else { return Ok(None) };
        let mut node = before.clone();
        match max {
            Some(max) => node.keys[at + 1] = max,
            None => {
                node.children.remove(at);
                node.keys.remove(at + 1);
            }
        }
        if node.children.is_empty() {
            self.empty(store, address, level, node)?;
            return Ok(Some(Shrunk { removed, max: None }));
        }
        if node != before {
            self.put_node(store, address, &node)?;
        }
        let max = node.keys[node.keys.len() - 1];
        if before.keys.last() != Some(&max) {
            self.tell_right(store, &node, None, max)?;
        }
        Ok(Some(Shrunk { removed, max: Some(max) }))
    }

    fn remove_from_leaf(&mut self, store: &mut Store, address: u64, name: &[u8]) -> Result<Option<Shrunk>> {
        let mut entries = self.leaf(store, address)?;
        let Ok(at) = self.search(store, &entries, name)? else { return Ok(None) };
        let removed = entries.remove(at);
        let max = entries.last().map(|last| last.name);
        match max {
            Some(_) => self.put_leaf(store, address, &entries)?,
            None => store.free(address, length_of(store, &Met::Leaf(&[]))),
        }
        Ok(Some(Shrunk { removed, max }))
    }

    /// A node has lost its last child: it is given back, or, if it is the root, becomes an empty tree.
    fn empty(&mut self, store: &mut Store, address: u64, level: Option<u8>, node: Node) -> Result<()> {
        if level.is_none() {
            let root = Node { level: 0, left: UNDEFINED, right: UNDEFINED, keys: vec![0], children: Vec::new() };
            return self.put_node(store, address, &root);
        }
        if node.left != UNDEFINED {
            let mut left = self.node(store, node.left, Some(node.level))?;
            left.right = node.right;
            self.put_node(store, node.left, &left)?;
        }
        self.tell_right(store, &node, Some(node.left), node.keys[0])?;
        store.free(address, length_of(store, &Met::Node(&node)));
        Ok(())
    }
}

fn create_leaf(store: &mut Store) -> Result<u64> {
    let length = node_len(store.k().group_leaf, store.sizes());
    Ok(store.create_block(length, Seal::None)?.1)
}

fn create_node(store: &mut Store) -> Result<u64> {
    let length = group_tree::node_len(store.k().group_internal, store.sizes());
    Ok(store.create_block(length, Seal::None)?.1)
}
