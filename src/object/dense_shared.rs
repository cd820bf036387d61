//! Dense attributes that stand in the shared message heap: their records point there.

use crate::error::Result;
use crate::format::message::kind;
use crate::format::message::shared::LostUse;
use crate::heap::{shared, Heap};
use crate::object::dense::{DenseKind, DenseStore, MAX_RECORD};
use crate::store::Store;

/// The object of a name record: in `heap`, or in the shared message heap, from where it comes by way of `scratch`.
#[inline(always)]
pub(super) fn object_of<'a, K: DenseKind>(
    heap: &'a mut Heap,
    store: &'a mut Store,
    record: &[u8],
    scratch: &'a mut Vec<u8>,
) -> Result<&'a [u8]> {
    if !K::is_shared(record) {
        return heap.get(store, &record[K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN]);
    }
    read_shared::<K>(store, record, scratch)?;
    Ok(scratch)
}

#[cold]
fn read_shared<K: DenseKind>(store: &mut Store, record: &[u8], into: &mut Vec<u8>) -> Result<()> {
    *into = shared::read(store, kind::ATTRIBUTE, &shared_id::<K>(record))?;
    Ok(())
}

/// The heap ID in a record that points into the shared message heap.
fn shared_id<K: DenseKind>(record: &[u8]) -> [u8; 8] {
    let mut id = [0; 8];
    id.copy_from_slice(&record[K::NAME_ID_AT..K::NAME_ID_AT + 8]);
    id
}

impl<K: DenseKind> DenseStore<K> {
    /// The heap ID of a name record that points into the shared message heap.
    pub fn shared_id(record: &[u8]) -> Option<[u8; 8]> {
        K::is_shared(record).then(|| shared_id::<K>(record))
    }

    /// Adds an object that stands in the shared message heap, where its use is counted already.
    pub fn insert_shared(&mut self, store: &mut Store, order: u64, id: &[u8; 8]) -> Result<()> {
        let object = shared::read(store, kind::ATTRIBUTE, id)?;
        let (location, hash) = self.locate_to_edit(store, K::name(&object)?)?;
        let mut record = [0; MAX_RECORD];
        K::name_record(id, order, hash, &mut record[..K::NAME_SIZE]);
        K::set_shared(&mut record, true);
        self.names.insert_at(store, &location, &record[..K::NAME_SIZE])?;
        self.insert_order(store, id, order)?;
        self.mark_order(store, Some(order), true)
    }

    /// The object of a name record goes: one use less of a shared message.
    pub(super) fn lose_use(&self, store: &mut Store, record: &[u8]) {
        let lost = LostUse::Heap { kind: kind::ATTRIBUTE, id: shared_id::<K>(record), keeps_value: false };
        store.shared_mut().lost.push(lost);
    }

    /// Says in the creation-order record whether the object stands in the shared message heap.
    pub(super) fn mark_order(&mut self, store: &mut Store, order: Option<u64>, shared: bool) -> Result<()> {
        if self.order.is_none() {
            return Ok(());
        }
        let location = self.locate_order(store, order)?;
        if let Some(tree) = &mut self.order {
            K::set_shared(tree.record_at_mut(store, &location), shared);
        }
        Ok(())
    }
}
