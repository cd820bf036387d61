//! Shared object header messages (specification III.G "Shared Object Header Message Table"): one copy of a message for
//! all object headers and attributes that have it. The table's indexes count the uses; a message whose last use is gone
//! is removed, and so is an index without messages, as libhdf5 does it.
//!
//! A message that only one object has stays in that object's header until a second one shares it: then it is copied to
//! the heap, and both are counted there, although the first goes on having its own.

use std::cmp::Ordering;

use super::Heap;
use crate::btree::{Key, Location, Tree};
use crate::error::{Damage, Error, Result};
use crate::format::message::shared::LostUse;
use crate::format::shared_table::{self, message_hash, Index, Place, Record, MAX_INDEXES};
use crate::format::UNDEFINED;
use crate::store::{BlockId, Seal, Store};

const TABLE: &str = "shared message table";
const LIST: &str = "shared message list";

/// B-tree record type of the indexes.
const TREE_TYPE: u8 = 7;

/// Padding behind a message in an object header of version 1.
const MAX_PADDING: usize = 7;

/// The table's address and block; an error when the file shares no messages.
fn table_block(store: &mut Store) -> Result<(u64, u8, BlockId)> {
    let Some(table) = store.shared().table else {
        return Err(Error::corrupt(TABLE, UNDEFINED, "a message is shared, but the file has no table"));
    };
    if table.indexes == 0 || table.indexes > MAX_INDEXES {
        return Err(Error::corrupt(TABLE, table.address, format_args!("{} indexes", table.indexes)));
    }
    let length = shared_table::table_length(table.indexes, store.sizes());
    let id = store.block(table.address, length as u64, Seal::At(length as u32 - 4), TABLE)?;
    Ok((table.address, table.indexes, id))
}

/// The table's indexes.
pub fn indexes(store: &mut Store) -> Result<Vec<Index>> {
    let (_, count, id) = table_block(store)?;
    shared_table::decode_table(store.bytes(id), count, store.sizes())
}

/// The number of the index that has messages of a type.
pub fn index_of(indexes: &[Index], kind: u8) -> Result<usize> {
    let found = indexes.iter().position(|index| index.has(kind));
    found.ok_or_else(|| {
        let detail = format_args!("a message of type {kind:#04x} is shared, but no index has this type");
        Error::corrupt(TABLE, UNDEFINED, detail)
    })
}

/// The heap of an index.
pub fn open_heap(store: &mut Store, index: &Index) -> Result<Heap> {
    if index.heap == UNDEFINED {
        return Err(Error::corrupt(TABLE, UNDEFINED, "a message is shared, but its index is empty"));
    }
    let heap = Heap::open(store, index.heap)?;
    if heap.id_length() != 8 {
        let detail = format_args!("heap IDs of {} bytes, expected 8", heap.id_length());
        return Err(Error::corrupt("fractal heap", index.heap, detail));
    }
    Ok(heap)
}

/// The message of a type with this heap ID.
pub fn read(store: &mut Store, kind: u8, id: &[u8; 8]) -> Result<Vec<u8>> {
    let indexes = indexes(store)?;
    let mut heap = open_heap(store, &indexes[index_of(&indexes, kind)?])?;
    Ok(heap.get(store, id)?.to_vec())
}

/// The B-tree of an index.
pub fn open_tree(store: &mut Store, index: &Index) -> Result<Tree> {
    let tree = Tree::open(store, index.address)?;
    let (record_type, size) = (tree.params().record_type, tree.params().record_size as usize);
    if (record_type, size) != (TREE_TYPE, Record::length(store.sizes())) || tree.len() != u64::from(index.count) {
        let detail = format_args!("{} records of type {record_type} and {size} bytes", tree.len());
        let what = format_args!("{detail}, the shared message table expects {} of type {TREE_TYPE}", index.count);
        return Err(Error::corrupt("version 2 B-tree", index.address, what).because(Damage::Count));
    }
    Ok(tree)
}

fn list_block(store: &mut Store, index: &Index) -> Result<BlockId> {
    let sizes = store.sizes();
    store.block(index.address, index.list_length(sizes) as u64, Seal::At(index.list_end(sizes) as u32), LIST)
}

/// All records of an index.
pub fn records(store: &mut Store, index: &Index) -> Result<Vec<Record>> {
    let sizes = store.sizes();
    if index.count == 0 {
        return Ok(Vec::new());
    }
    if !index.is_tree {
        let id = list_block(store, index)?;
        return shared_table::decode_list(store.bytes(id), index.count, sizes);
    }
    let mut records = Vec::with_capacity(index.count.into());
    open_tree(store, index)?.for_each(store, |_, record| {
        records.push(Record::decode(record, sizes)?);
        Ok(true)
    })?;
    Ok(records)
}

/// The message without and with 1 to 7 bytes of padding.
pub fn unpadded(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let zeros = body.iter().rev().take(MAX_PADDING).take_while(|&&byte| byte == 0).count();
    (body.len() - zeros..=body.len()).rev().map(|length| &body[..length])
}

/// A hash sought in an index: messages of equal hashes are beside each other.
struct HashKey(u32);

impl Key for HashKey {
    fn quick(&self, record: &[u8]) -> Option<Ordering> {
        Some(self.0.cmp(&u32::from_le_bytes([record[1], record[2], record[3], record[4]])))
    }
}

/// The records of an index that is being changed.
enum Records {
    List(Vec<Record>),
    Tree(Box<Tree>),
}

/// Where a record is.
enum Spot {
    List(usize),
    Tree(Location),
}

impl Records {
    /// The records of this hash.
    fn of_hash(&self, store: &mut Store, hash: u32) -> Result<Vec<(Spot, Record)>> {
        let tree = match self {
            Records::List(list) => {
                let same = list.iter().enumerate().filter(|(_, record)| record.hash == hash);
                return Ok(same.map(|(at, &record)| (Spot::List(at), record)).collect());
            }
            Records::Tree(tree) => tree,
        };
        let sizes = store.sizes();
        let mut location = tree.locate(store, &mut HashKey(hash))?;
        let mut found = Vec::new();
        if !location.found {
            return Ok(found);
        }
        // To the first of them.
        let mut before = location.clone();
        while tree.previous(store, &mut before)? && Record::decode(tree.record_at(store, &before), sizes)?.hash == hash
        {
            location = before.clone();
        }
        loop {
            let record = Record::decode(tree.record_at(store, &location), sizes)?;
            if record.hash != hash {
                return Ok(found);
            }
            found.push((Spot::Tree(location.clone()), record));
            if !tree.next(store, &mut location)? {
                return Ok(found);
            }
        }
    }

    fn put(&mut self, store: &mut Store, spot: &Spot, record: Record) {
        match (self, spot) {
            (Records::List(list), Spot::List(at)) => list[*at] = record,
            (Records::Tree(tree), Spot::Tree(location)) => {
                let bytes = record.encode(store.sizes());
                tree.record_at_mut(store, location).copy_from_slice(&bytes);
            }
            _ => {}
        }
    }

    fn remove(&mut self, store: &mut Store, spot: Spot) -> Result<()> {
        match (self, spot) {
            (Records::List(list), Spot::List(at)) => {
                list.remove(at);
                Ok(())
            }
            (Records::Tree(tree), Spot::Tree(location)) => tree.remove_at(store, &location),
            _ => Ok(()),
        }
    }
}

/// An index with its records and its heap.
struct OpenIndex {
    index: Index,
    records: Records,
    heap: Heap,
}

/// Messages lose uses. To be brought to its end with [`Releasing::finish`], and not to be interleaved with other changes.
pub struct Releasing {
    indexes: Vec<Index>,
    open: Vec<Option<OpenIndex>>,
}

impl Releasing {
    /// Reads the table.
    pub fn begin(store: &mut Store) -> Result<Self> {
        store.check_writable()?;
        let indexes = indexes(store)?;
        let open = indexes.iter().map(|_| None).collect();
        Ok(Releasing { indexes, open })
    }

    /// One use less; the message, if it was the last.
    pub fn release(&mut self, store: &mut Store, lost: &LostUse) -> Result<Option<Vec<u8>>> {
        let (LostUse::Heap { kind, .. } | LostUse::Header { kind, .. }) = *lost;
        let number = index_of(&self.indexes, kind)?;
        if self.open[number].is_none() {
            self.open[number] = Some(OpenIndex::open(store, self.indexes[number])?);
        }
        match &mut self.open[number] {
            Some(open) => open.release(store, lost),
            None => Ok(None),
        }
    }

    /// Writes the indexes and the table.
    pub fn finish(mut self, store: &mut Store) -> Result<()> {
        for (index, open) in self.indexes.iter_mut().zip(self.open) {
            if let Some(open) = open {
                *index = open.finish(store)?;
            }
        }
        let bytes = shared_table::encode_table(&self.indexes, store.sizes());
        let (_, _, id) = table_block(store)?;
        // What is written alike is not changed.
        let end = bytes.len() - 4;
        if store.bytes(id)[..end] != bytes[..end] {
            store.bytes_mut(id)[..end].copy_from_slice(&bytes[..end]);
        }
        Ok(())
    }
}

impl OpenIndex {
    fn open(store: &mut Store, index: Index) -> Result<Self> {
        let heap = open_heap(store, &index)?;
        let records = match index.is_tree {
            true => Records::Tree(Box::new(open_tree(store, &index)?)),
            false => Records::List(records(store, &index)?),
        };
        Ok(OpenIndex { index, records, heap })
    }

    fn release(&mut self, store: &mut Store, lost: &LostUse) -> Result<Option<Vec<u8>>> {
        let Some((spot, record, body)) = self.find(store, lost)? else {
            let detail = format_args!("no index record of {lost:?}");
            return Err(Error::corrupt(TABLE, self.index.address, detail).because(Damage::References));
        };
        if let Place::Heap { references, id } = record.place {
            if references > 1 {
                let place = Place::Heap { references: references - 1, id };
                self.records.put(store, &spot, Record { place, ..record });
                return Ok(None);
            }
            self.heap.remove(store, &id)?;
        }
        self.records.remove(store, spot)?;
        self.index.count = self.index.count.saturating_sub(1);
        Ok(Some(body))
    }

    /// The record of a use, and the message.
    fn find(&mut self, store: &mut Store, lost: &LostUse) -> Result<Option<(Spot, Record, Vec<u8>)>> {
        match lost {
            LostUse::Heap { kind, id, .. } => {
                let body = self.heap.get(store, id)?.to_vec();
                let same = self.records.of_hash(store, message_hash(*kind, &body))?;
                let here = |record: &Record| matches!(record.place, Place::Heap { id: other, .. } if other == *id);
                Ok(same.into_iter().find(|(_, record)| here(record)).map(|(spot, record)| (spot, record, body)))
            }
            LostUse::Header { kind, address, body } => {
                for body in unpadded(body) {
                    for (spot, record) in self.records.of_hash(store, message_hash(*kind, body))? {
                        let is_this = match record.place {
                            Place::Header { kind: other, address: at, .. } => (other, at) == (*kind, *address),
                            Place::Heap { id, .. } => self.heap.get(store, &id)? == body,
                        };
                        if is_this {
                            return Ok(Some((spot, record, body.to_vec())));
                        }
                    }
                }
                Ok(None)
            }
        }
    }

    /// Writes the records and the heap, or frees them when no messages are left.
    fn finish(mut self, store: &mut Store) -> Result<Index> {
        let sizes = store.sizes();
        if self.index.count > 0 {
            match &mut self.records {
                Records::List(list) => put_list(store, &self.index, list)?,
                Records::Tree(tree) => tree.prepare(store)?,
            }
            self.heap.prepare(store)?;
            return Ok(self.index);
        }
        match self.records {
            Records::List(_) => store.free(self.index.address, self.index.list_length(sizes) as u64),
            Records::Tree(tree) => tree.delete(store)?,
        }
        self.heap.delete(store)?;
        // Libhdf5 begins with a list again, where there are lists.
        let is_tree = self.index.is_tree && self.index.tree_min == 0;
        Ok(Index { is_tree, address: UNDEFINED, heap: UNDEFINED, ..self.index })
    }
}

/// Writes the list of an index, whose number of messages may have changed.
fn put_list(store: &mut Store, index: &Index, list: &[Record]) -> Result<()> {
    let sizes = store.sizes();
    // It was read a moment ago. The checksum stands behind the records, so it has another place now.
    let id = store.cached(index.address).ok_or_else(|| Error::internal("the shared message list is not cached"))?;
    store.set_seal(id, Seal::At(index.list_end(sizes) as u32));
    let records = shared_table::encode_list(list, sizes);
    let bytes = store.bytes_mut(id);
    bytes.fill(0);
    bytes[..records.len()].copy_from_slice(&records);
    Ok(())
}
