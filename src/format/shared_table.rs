//! The shared object header message table, its indexes as lists, and the records of both kinds of index
//! (specification III.G "Shared Object Header Message Table", III.A.2 "Version 2 B-trees", record type 7).

use super::codec::{Reader, Writer};
use super::message::kind;
use super::{checksum, Sizes, UNDEFINED};
use crate::error::Result;

/// Begins the table.
pub const TABLE_SIGNATURE: [u8; 4] = *b"SMTB";

/// Begins an index that is a list.
pub const LIST_SIGNATURE: [u8; 4] = *b"SMLI";

/// The most indexes that a table has.
pub const MAX_INDEXES: u8 = 8;

/// Of a list or table: signature and checksum.
const FRAME: usize = 8;

/// One index of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// The index is a version 2 B-tree, else a list.
    pub is_tree: bool,
    /// The message types in it: bit `1 << type`.
    pub types: u16,
    /// Shorter messages are not shared.
    pub min_size: u32,
    /// The most messages of a list.
    pub list_max: u16,
    /// The fewest messages of a B-tree.
    pub tree_min: u16,
    /// Messages in it.
    pub count: u16,
    /// The address of the list or of the B-tree's header.
    pub address: u64,
    /// The address of the fractal heap of the messages.
    pub heap: u64,
}

impl Index {
    /// Bytes in the table.
    pub fn length(sizes: Sizes) -> usize {
        14 + 2 * usize::from(sizes.offset)
    }

    /// Bytes of the list, which has room for the most messages.
    pub fn list_length(&self, sizes: Sizes) -> usize {
        FRAME + usize::from(self.list_max) * Record::length(sizes)
    }

    /// Where the checksum of the list stands: behind its records.
    pub fn list_end(&self, sizes: Sizes) -> usize {
        FRAME - 4 + usize::from(self.count) * Record::length(sizes)
    }

    /// Whether messages of this type are in it. Both fill value messages go by the newer one's bit.
    pub fn has(&self, kind: u8) -> bool {
        let bit = if kind == kind::FILL_OLD { kind::FILL } else { kind };
        bit < 16 && self.types & 1 << bit != 0
    }

    fn decode(reader: &mut Reader<'_>, sizes: Sizes) -> Result<Self> {
        let (version, form) = (reader.u8()?, reader.u8()?);
        if version != 0 || form > 1 {
            return Err(reader.error(format_args!("index version {version}, form {form}")));
        }
        let index = Index {
            is_tree: form == 1,
            types: reader.u16()?,
            min_size: reader.u32()?,
            list_max: reader.u16()?,
            tree_min: reader.u16()?,
            count: reader.u16()?,
            address: reader.address(sizes)?,
            heap: reader.address(sizes)?,
        };
        if !index.is_tree && index.count > index.list_max {
            return Err(reader.error(format_args!("a list of {} messages, {} at most", index.count, index.list_max)));
        }
        if index.count > 0 && (index.address == UNDEFINED || index.heap == UNDEFINED) {
            return Err(reader.error(format_args!("an index of {} messages that is nowhere", index.count)));
        }
        Ok(index)
    }

    fn encode(&self, writer: &mut Writer, sizes: Sizes) {
        writer.u8(0).u8(u8::from(self.is_tree)).u16(self.types).u32(self.min_size);
        writer.u16(self.list_max).u16(self.tree_min).u16(self.count);
        writer.address(self.address, sizes).address(self.heap, sizes);
    }
}

/// Bytes of a table of so many indexes.
pub fn table_length(indexes: u8, sizes: Sizes) -> usize {
    FRAME + usize::from(indexes) * Index::length(sizes)
}

/// Decodes the table's indexes; its checksum is the caller's.
pub fn decode_table(bytes: &[u8], indexes: u8, sizes: Sizes) -> Result<Vec<Index>> {
    let mut reader = Reader::new(bytes, "shared message table");
    reader.signature(&TABLE_SIGNATURE)?;
    (0..indexes).map(|_| Index::decode(&mut reader, sizes)).collect()
}

/// Encodes the table, with room for its checksum.
pub fn encode_table(indexes: &[Index], sizes: Sizes) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.bytes(&TABLE_SIGNATURE);
    for index in indexes {
        index.encode(&mut writer, sizes);
    }
    writer.zeros(4);
    writer.finish()
}

/// Decodes a list of `count` records; its checksum is the caller's.
pub fn decode_list(bytes: &[u8], count: u16, sizes: Sizes) -> Result<Vec<Record>> {
    let mut reader = Reader::new(bytes, "shared message list");
    reader.signature(&LIST_SIGNATURE)?;
    (0..count).map(|_| Record::decode(reader.take(Record::length(sizes))?, sizes)).collect()
}

/// Encodes a list, without its checksum and what is behind that.
pub fn encode_list(records: &[Record], sizes: Sizes) -> Vec<u8> {
    let mut bytes = LIST_SIGNATURE.to_vec();
    for record in records {
        bytes.extend(record.encode(sizes));
    }
    bytes
}

/// Where a shared message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the index's heap.
    Heap {
        /// How many messages refer to it.
        references: u32,
        /// Its heap ID.
        id: [u8; 8],
    },
    /// In the object header that alone has it.
    Header {
        /// Its type.
        kind: u8,
        /// Its number among the header's messages of this type.
        number: u16,
        /// The object header's address.
        address: u64,
    },
}

/// What an index says of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// [`message_hash`] of it.
    pub hash: u32,
    /// Where it is.
    pub place: Place,
}

/// The hash of a message of a type.
pub fn message_hash(kind: u8, body: &[u8]) -> u32 {
    checksum::lookup3(body, kind.into())
}

impl Record {
    /// Bytes of a record.
    pub fn length(sizes: Sizes) -> usize {
        5 + usize::from(4 + sizes.offset).max(12)
    }

    /// Decodes a record.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "shared message record");
        let (location, hash) = (reader.u8()?, reader.u32()?);
        let place = match location {
            0 => {
                let references = reader.u32()?;
                let mut id = [0; 8];
                id.copy_from_slice(reader.take(8)?);
                Place::Heap { references, id }
            }
            1 => {
                reader.skip(1)?;
                Place::Header { kind: reader.u8()?, number: reader.u16()?, address: reader.address(sizes)? }
            }
            other => return Err(reader.error(format_args!("location {other}"))),
        };
        Ok(Record { hash, place })
    }

    /// Encodes the record.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(u8::from(matches!(self.place, Place::Header { .. }))).u32(self.hash);
        match self.place {
            Place::Heap { references, id } => writer.u32(references).bytes(&id),
            Place::Header { kind, number, address } => writer.u8(0).u8(kind).u16(number).address(address, sizes),
        };
        writer.zeros(Record::length(sizes) - writer.len());
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INDEX: Index = Index {
        is_tree: false,
        types: 1 << 3 | 1 << 12,
        min_size: 40,
        list_max: 50,
        tree_min: 40,
        count: 2,
        address: 0x800,
        heap: 0x1000,
    };

    #[test]
    fn round_trips() {
        for offset in [2, 4, 8] {
            let sizes = Sizes { offset, length: 8 };
            let indexes = [INDEX, Index { is_tree: true, count: 600, list_max: 0, ..INDEX }];
            let bytes = encode_table(&indexes, sizes);
            assert_eq!(bytes.len(), table_length(2, sizes));
            assert_eq!(decode_table(&bytes, 2, sizes).unwrap(), indexes);
            let heap = Record { hash: 7, place: Place::Heap { references: 3, id: *b"abcdefgh" } };
            let header = Record { hash: 9, place: Place::Header { kind: 3, number: 0, address: 0x300 } };
            let list = encode_list(&[heap, header], sizes);
            assert_eq!(list.len(), INDEX.list_end(sizes));
            assert_eq!(decode_list(&list, 2, sizes).unwrap(), [heap, header]);
            assert!((0..list.len()).all(|end| decode_list(&list[..end], 2, sizes).is_err()));
        }
        assert!(INDEX.has(3) && !INDEX.has(1) && !INDEX.has(16) && !INDEX.has(4));
        assert!(Index { types: 1 << 5, ..INDEX }.has(4));
    }

    #[test]
    fn impossible_indexes_are_refused() {
        let sizes = Sizes::EIGHT;
        for index in
            [Index { count: 51, ..INDEX }, Index { address: UNDEFINED, ..INDEX }, Index { heap: UNDEFINED, ..INDEX }]
        {
            assert!(decode_table(&encode_table(&[index], sizes), 1, sizes).is_err());
        }
        let empty = Index { count: 0, address: UNDEFINED, heap: UNDEFINED, ..INDEX };
        assert_eq!(decode_table(&encode_table(&[empty], sizes), 1, sizes).unwrap(), [empty]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode_table(&[&TABLE_SIGNATURE, &bytes[..]].concat(), 2, Sizes::EIGHT);
            let _ = decode_list(&[&LIST_SIGNATURE, &bytes[..]].concat(), 3, Sizes::EIGHT);
            let _ = Record::decode(&bytes, Sizes::EIGHT);
        }
    }
}
