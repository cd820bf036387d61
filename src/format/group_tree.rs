//! Nodes of the version 1 B-tree that finds the symbol table nodes of an old group (specification III.A.1, node type 0).
//! They carry no checksum.

use super::codec::{Reader, Writer};
use super::{Sizes, UNDEFINED};
use crate::error::Result;

/// "Group internal node K" where the superblock has no field for it: half of a node's children.
pub const DEFAULT_INTERNAL_K: u16 = 16;

/// A node. `keys[i + 1]` is where the heap has the greatest name below `children[i]`, and `keys[0]` that of the node to
/// the left, so there is a key more than children, but in an empty tree none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// 0 where the children are symbol table nodes.
    pub level: u8,
    /// The node to the left on the same level.
    pub left: u64,
    /// The node to the right on the same level.
    pub right: u64,
    /// Offsets of names in the local heap.
    pub keys: Vec<u64>,
    /// Nodes of the level below.
    pub children: Vec<u64>,
}

/// Bytes of a node, which has room for `2 * k` children.
pub fn node_len(k: u16, sizes: Sizes) -> usize {
    let (k, offset, length) = (usize::from(k), usize::from(sizes.offset), usize::from(sizes.length));
    8 + 2 * offset + 2 * k * offset + (2 * k + 1) * length
}

impl Node {
    /// Parses a node.
    pub fn parse(bytes: &[u8], k: u16, sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "version 1 B-tree node of a group");
        reader.signature(b"TREE")?;
        let (kind, level, used) = (reader.u8()?, reader.u8()?, reader.u16()?);
        if kind != 0 || u32::from(used) > 2 * u32::from(k) {
            return Err(reader.error(format_args!("type {kind}, {used} children of {}", 2 * u32::from(k))));
        }
        let (left, right) = (reader.address(sizes)?, reader.address(sizes)?);
        let mut node = Node { level, left, right, keys: vec![reader.length(sizes)?], children: Vec::new() };
        for _ in 0..used {
            let child = reader.address(sizes)?;
            if child == UNDEFINED {
                return Err(reader.error("a child without an address"));
            }
            node.children.push(child);
            node.keys.push(reader.length(sizes)?);
        }
        Ok(node)
    }

    /// Writes the node's bytes.
    pub fn put(&self, bytes: &mut [u8], sizes: Sizes) {
        let mut writer = Writer::new();
        writer.bytes(b"TREE").u8(0).u8(self.level).u16(self.children.len() as u16);
        writer.address(self.left, sizes).address(self.right, sizes);
        writer.length(self.keys.first().copied().unwrap_or(0), sizes);
        for (&child, &key) in self.children.iter().zip(self.keys.iter().skip(1)) {
            writer.address(child, sizes).length(key, sizes);
        }
        let (used, rest) = bytes.split_at_mut(writer.len());
        used.copy_from_slice(writer.as_slice());
        rest.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nodes_are_read_as_written() {
        for sizes in [Sizes::EIGHT, Sizes { offset: 4, length: 8 }, Sizes { offset: 2, length: 2 }] {
            let node = Node { level: 1, left: UNDEFINED, right: 600, keys: vec![0, 8, 24], children: vec![100, 200] };
            let mut bytes = vec![9; node_len(1, sizes)];
            node.put(&mut bytes, sizes);
            assert_eq!(Node::parse(&bytes, 1, sizes).unwrap(), node);
            assert!((0..bytes.len()).all(|end| Node::parse(&bytes[..end], 1, sizes).is_err()));
            bytes[6] = 3;
            assert!(Node::parse(&bytes, 1, sizes).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), k: u16) {
            let mut node = b"TREE\0".to_vec();
            node.extend(&bytes);
            let _ = Node::parse(&node, k, Sizes::EIGHT);
        }
    }
}
