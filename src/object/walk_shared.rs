//! Shared messages in a walk: what their table takes in the file, what they refer to, and their uses against the counts
//! in the table's indexes.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Damage, Error, Result};
use crate::format::header::message_flag;
use crate::format::message::kind;
use crate::format::message::shared::LostUse;
use crate::format::shared_table::{message_hash, table_length, Index, Place, Record};
use crate::format::Sizes;
use crate::heap::shared;
use crate::object::attribute_lost::{committed, lost_uses};
use crate::object::check::FindingKind;
use crate::object::extents::Purpose;
use crate::object::header::ObjectHeader;
use crate::object::walk::{Walk, FILE};
use crate::store::Store;

/// A message in a heap: the number of its index, and its heap ID.
type Key = (usize, [u8; 8]);

/// What is known of shared messages and of their uses.
#[derive(Default)]
pub(super) struct SharedUses {
    indexes: Vec<Index>,
    /// The reference counts that the indexes have.
    recorded: BTreeMap<Key, u32>,
    /// The uses that the walk has met.
    used: BTreeMap<Key, u32>,
    /// Messages in heaps by their index and hash.
    by_hash: BTreeMap<(usize, u32), Vec<[u8; 8]>>,
    /// Messages that the indexes say to be in object headers, by type and address, and have not been met.
    in_headers: BTreeSet<(u8, u64)>,
}

/// What an attribute uses.
#[derive(Default)]
pub(super) struct AttributeUses {
    committed: Option<u64>,
    shared: Vec<(u8, [u8; 8])>,
}

impl AttributeUses {
    /// What the attribute in a message uses.
    pub fn of(message: &[u8], sizes: Sizes) -> Result<Self> {
        let heap_id = |lost| match lost {
            LostUse::Heap { kind, id, .. } => Some((kind, id)),
            LostUse::Header { .. } => None,
        };
        let shared = lost_uses(message, sizes)?.filter_map(heap_id).collect();
        Ok(AttributeUses { committed: committed(message, sizes)?, shared })
    }

    /// One whose message is shared.
    pub fn shared(id: [u8; 8]) -> Self {
        AttributeUses { committed: None, shared: vec![(kind::ATTRIBUTE, id)] }
    }
}

impl Walk<'_> {
    /// The table, its indexes, their heaps, and what the messages refer to.
    pub(super) fn shared_table(&mut self, store: &mut Store) -> Result<()> {
        let Some(table) = store.shared().table else { return Ok(()) };
        let length = table_length(table.indexes, store.sizes()) as u64;
        let entered = self.enter(FILE, "shared message table", table.address);
        let claimed = entered.and_then(|()| self.claim(FILE, Purpose::BTree, table.address, length));
        self.attempt(FILE, claimed)?;
        let indexes = shared::indexes(store);
        let indexes = self.attempt(FILE, indexes)?.unwrap_or_default();
        self.shared.indexes.clone_from(&indexes);
        for (number, index) in indexes.iter().enumerate().filter(|(_, index)| index.count > 0) {
            self.shared_index(store, number, index)?;
        }
        Ok(())
    }

    fn shared_index(&mut self, store: &mut Store, number: usize, index: &Index) -> Result<()> {
        if index.is_tree {
            let tree = shared::open_tree(store, index);
            if let Some(tree) = self.attempt(FILE, tree)? {
                self.tree(store, FILE, &tree)?;
                let hash = |record: &[u8]| record[1..5].iter().rev().fold(0, |hash, &byte| hash << 8 | u32::from(byte));
                let flushed = self.checks == Some(true);
                let checked = tree.check(store, flushed, |_, a, b| Ok(hash(a) <= hash(b)));
                self.attempt(FILE, checked)?;
            }
        } else {
            let length = index.list_length(store.sizes()) as u64;
            let entered = self.enter(FILE, "shared message list", index.address);
            let claimed = entered.and_then(|()| self.claim(FILE, Purpose::BTree, index.address, length));
            self.attempt(FILE, claimed)?;
        }
        let heap = shared::open_heap(store, index);
        let Some(mut heap) = self.attempt(FILE, heap)? else { return Ok(()) };
        self.heap(store, FILE, &mut heap)?;
        let records = shared::records(store, index);
        let records = self.attempt(FILE, records)?.unwrap_or_default();
        let mut ids = Vec::with_capacity(records.len());
        for record in records {
            match record.place {
                Place::Header { kind, address, .. } => {
                    self.shared.in_headers.insert((kind, address));
                }
                Place::Heap { references, id } => {
                    ids.push(id);
                    self.shared.recorded.insert((number, id), references);
                    let message = heap.get(store, &id).map(<[u8]>::to_vec);
                    let noted = message.and_then(|message| self.shared_message(store, number, &record, id, &message));
                    self.attempt(FILE, noted)?;
                }
            }
        }
        let checked = match self.checks {
            Some(flushed) => heap.check(store, ids.iter().map(|id| &id[..]), flushed),
            None => Ok(()),
        };
        self.attempt(FILE, checked).map(|_| ())
    }

    /// One message of a heap.
    fn shared_message(
        &mut self,
        store: &Store,
        number: usize,
        record: &Record,
        id: [u8; 8],
        message: &[u8],
    ) -> Result<()> {
        let index = self.shared.indexes[number];
        let Some(kind) = (0..16).find(|&kind| index.has(kind) && message_hash(kind, message) == record.hash) else {
            let detail = format_args!("a record has not its message's hash {:#x}", record.hash);
            return Err(Error::corrupt("shared message index", index.address, detail).because(Damage::Order));
        };
        self.shared.by_hash.entry((number, record.hash)).or_default().push(id);
        if kind == kind::ATTRIBUTE {
            let uses = AttributeUses::of(message, store.sizes())?;
            self.use_parts(FILE, uses);
        }
        Ok(())
    }

    /// What an attribute uses is used once more.
    pub(super) fn use_parts(&mut self, number: u32, uses: AttributeUses) {
        if let Some(address) = uses.committed {
            self.meet(number, b"(datatype)", address);
        }
        for (kind, id) in uses.shared {
            self.use_message(kind, id);
        }
    }

    fn use_message(&mut self, kind: u8, id: [u8; 8]) {
        if let Ok(number) = shared::index_of(&self.shared.indexes, kind) {
            let used = self.shared.used.entry((number, id)).or_default();
            *used = used.saturating_add(1);
        }
    }

    /// The messages of a header that are shared, or could be from there.
    pub(super) fn use_shared(&mut self, store: &mut Store, number: u32, header: &ObjectHeader) -> Result<()> {
        let flags = message_flag::SHARED | message_flag::SHAREABLE;
        for (index, message) in header.messages().iter().enumerate().filter(|(_, message)| message.flags & flags != 0) {
            let used = match header.heap_id(store, index) {
                Ok(Some(id)) => {
                    self.use_message(message.kind, id);
                    Ok(())
                }
                Ok(None) if message.flags & message_flag::SHARED != 0 => Ok(()),
                Ok(None) => self.use_here(store, header, index, message.kind),
                Err(error) => Err(error),
            };
            self.attempt(number, used)?;
        }
        Ok(())
    }

    /// A message that its header has and that could be shared from there: an index has its place, or, since another has
    /// it too, a copy.
    fn use_here(&mut self, store: &mut Store, header: &ObjectHeader, index: usize, kind: u8) -> Result<()> {
        if self.shared.indexes.is_empty() || self.shared.in_headers.remove(&(kind, header.address())) {
            return Ok(());
        }
        let number = shared::index_of(&self.shared.indexes, kind)?;
        let body = header.body(store, index)?.to_vec();
        for body in shared::unpadded(&body) {
            let same = self.shared.by_hash.get(&(number, message_hash(kind, body))).cloned().unwrap_or_default();
            for id in same {
                if shared::read(store, kind, &id)? == body {
                    self.use_message(kind, id);
                    return Ok(());
                }
            }
        }
        let detail = format_args!("its message of type {kind:#04x} is said to be shared, and no index has it");
        Err(Error::corrupt("object header", header.address(), detail).because(Damage::References))
    }

    /// Tells where the indexes' counts are not the uses that were met. What was changed since the last flush is not
    /// counted yet.
    pub(super) fn check_shared(&mut self, store: &Store) -> Result<()> {
        if !self.whole || !store.shared().lost.is_empty() {
            return Ok(());
        }
        let uses = std::mem::take(&mut self.shared);
        let address = |number: usize| uses.indexes[number].address;
        for (&(number, id), &used) in &uses.used {
            let recorded = uses.recorded.get(&(number, id)).copied().unwrap_or(0);
            if recorded < used {
                let detail = format_args!("a message with heap ID {id:02x?} has {used} uses, {recorded} are counted");
                let error = Error::corrupt("shared message index", address(number), detail);
                self.tell(FILE, error.because(Damage::References))?;
            }
        }
        for (key, &recorded) in &uses.recorded {
            let used = uses.used.get(key).copied().unwrap_or(0);
            if used < recorded {
                let message =
                    format!("shared message with heap ID {:02x?}: {recorded} uses counted, {used} met", key.1);
                self.warn(FILE, FindingKind::References, Some(address(key.0)), message)?;
            }
        }
        for (kind, at) in uses.in_headers {
            let message = format!("an index has a shared message of type {kind:#04x} at {at:#x}, where none was met");
            self.warn(FILE, FindingKind::References, Some(at), message)?;
        }
        Ok(())
    }
}
