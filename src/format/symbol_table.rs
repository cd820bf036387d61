//! Old groups: the Symbol Table message, symbol table nodes and their entries (specification, "Disk Format: Level 1B -
//! Group Symbol Table Nodes", "Level 1C - Symbol Table Entry", IV.A.2.r "Symbol Table Message"). They carry no checksum.

use super::codec::{Reader, Writer};
use super::{Sizes, UNDEFINED};
use crate::error::Result;

const NODE: &str = "symbol table node";

/// What a symbol table node begins with.
pub const NODE_SIGNATURE: &[u8; 4] = b"SNOD";

/// "Group leaf node K" where the superblock has no field for it: half of a symbol table node's entries.
pub const DEFAULT_LEAF_K: u16 = 4;

/// Bytes of a node before its entries.
const NODE_PREFIX: usize = 8;

/// Bytes of an entry's scratch-pad.
const SCRATCH: usize = 16;

/// What an entry says besides where the object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// Nothing.
    Nothing,
    /// The object is an old group, with its B-tree and its local heap.
    Group {
        /// The address of the B-tree.
        tree: u64,
        /// The address of the local heap.
        heap: u64,
    },
    /// The entry is a soft link, whose value stands at this offset in the group's local heap.
    Soft {
        /// The offset.
        value: u32,
    },
}

/// One link of an old group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where its name stands in the group's local heap.
    pub name: u64,
    /// The address of the object's header, undefined for a soft link.
    pub header: u64,
    /// More about it.
    pub cache: Cache,
}

impl Entry {
    /// Its encoded length.
    pub fn len(sizes: Sizes) -> usize {
        usize::from(sizes.length) + usize::from(sizes.offset) + 8 + SCRATCH
    }

    /// Parses it.
    pub fn parse(reader: &mut Reader<'_>, sizes: Sizes) -> Result<Self> {
        let (name, header, kind) = (reader.length(sizes)?, reader.address(sizes)?, reader.u32()?);
        reader.skip(4)?;
        let mut scratch = Reader::new(reader.take(SCRATCH)?, "symbol table entry");
        let cache = match kind {
            0 => Cache::Nothing,
            1 => Cache::Group { tree: scratch.address(sizes)?, heap: scratch.address(sizes)? },
            2 => Cache::Soft { value: scratch.u32()? },
            _ => return Err(scratch.error(format_args!("cache type {kind}"))),
        };
        if header == UNDEFINED && !matches!(cache, Cache::Soft { .. }) {
            return Err(scratch.error("it names no object"));
        }
        Ok(Entry { name, header, cache })
    }

    /// Appends it.
    pub fn encode(&self, writer: &mut Writer, sizes: Sizes) {
        let kind = match self.cache {
            Cache::Nothing => 0,
            Cache::Group { .. } => 1,
            Cache::Soft { .. } => 2,
        };
        writer.length(self.name, sizes).address(self.header, sizes).u32(kind).u32(0);
        let begin = writer.len();
        match self.cache {
            Cache::Nothing => {}
            Cache::Group { tree, heap } => {
                writer.address(tree, sizes).address(heap, sizes);
            }
            Cache::Soft { value } => {
                writer.u32(value);
            }
        }
        writer.zeros(begin + SCRATCH - writer.len());
    }
}

/// Bytes of a symbol table node, which has room for `2 * k` entries.
pub fn node_len(k: u16, sizes: Sizes) -> usize {
    NODE_PREFIX + 2 * usize::from(k) * Entry::len(sizes)
}

/// The entries of a node, in the order of their names.
pub fn parse_node(bytes: &[u8], k: u16, sizes: Sizes) -> Result<Vec<Entry>> {
    let mut reader = Reader::new(bytes, NODE);
    reader.signature(NODE_SIGNATURE)?;
    let version = reader.u8()?;
    reader.skip(1)?;
    let count = reader.u16()?;
    if version != 1 || u32::from(count) > 2 * u32::from(k) {
        return Err(reader.error(format_args!("version {version}, {count} entries of {}", 2 * u32::from(k))));
    }
    (0..count).map(|_| Entry::parse(&mut reader, sizes)).collect()
}

/// Writes a node's bytes.
pub fn put_node(bytes: &mut [u8], entries: &[Entry], sizes: Sizes) {
    let mut writer = Writer::new();
    writer.bytes(NODE_SIGNATURE).u8(1).u8(0).u16(entries.len() as u16);
    entries.iter().for_each(|entry| entry.encode(&mut writer, sizes));
    let (used, rest) = bytes.split_at_mut(writer.len());
    used.copy_from_slice(writer.as_slice());
    rest.fill(0);
}

/// The Symbol Table message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolTableMessage {
    /// The address of the group's B-tree.
    pub tree: u64,
    /// The address of its local heap.
    pub heap: u64,
}

impl SymbolTableMessage {
    /// Decodes it.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "symbol table message");
        let message = SymbolTableMessage { tree: reader.address(sizes)?, heap: reader.address(sizes)? };
        match message.tree == UNDEFINED || message.heap == UNDEFINED {
            true => Err(reader.error("it names no B-tree or no local heap")),
            false => Ok(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nodes_are_read_as_written() {
        for sizes in [Sizes::EIGHT, Sizes { offset: 4, length: 8 }, Sizes { offset: 2, length: 2 }] {
            let entries = [
                Entry { name: 8, header: 800, cache: Cache::Nothing },
                Entry { name: 16, header: 900, cache: Cache::Group { tree: 100, heap: 200 } },
                Entry { name: 24, header: UNDEFINED, cache: Cache::Soft { value: 32 } },
            ];
            let mut bytes = vec![9; node_len(2, sizes)];
            put_node(&mut bytes, &entries, sizes);
            assert_eq!(parse_node(&bytes, 2, sizes).unwrap(), entries);
            assert!(parse_node(&bytes, 1, sizes).is_err());
            assert!((0..8 + 3 * Entry::len(sizes)).all(|end| parse_node(&bytes[..end], 2, sizes).is_err()));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), k: u16) {
            let mut node = NODE_SIGNATURE.to_vec();
            node.extend([1, 0, 3, 0]);
            node.extend(&bytes);
            let _ = parse_node(&node, k, Sizes::EIGHT);
            let _ = SymbolTableMessage::decode(&bytes, Sizes::EIGHT);
        }
    }
}
