//! Attributes that are messages of an object header.

use crate::error::Result;
use crate::format::message::{attribute, kind};
use crate::object::attribute_lost::{lost, Lost};
use crate::object::header::{NewMessage, ObjectHeader};
use crate::store::Store;

/// Creation orders are 16 bits; this one stands for "not tracked".
pub(super) const NO_ORDER: u16 = u16::MAX;

pub(super) fn find_compact(store: &mut Store, header: &ObjectHeader, name: &[u8]) -> Result<Option<usize>> {
    for index in header.find_all(kind::ATTRIBUTE) {
        if attribute::name_of(header.body(store, index)?)? == name {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

pub(super) fn insert_compact(store: &mut Store, header: &mut ObjectHeader, order: u16, body: &[u8]) -> Result<usize> {
    let order = if header.is_order_tracked() { order } else { 0 };
    header.insert(store, &NewMessage { kind: kind::ATTRIBUTE, flags: 0, order, body })
}

pub(super) fn order_at(header: &ObjectHeader, index: usize) -> u16 {
    if header.is_order_tracked() {
        header.messages()[index].order
    } else {
        NO_ORDER
    }
}

/// Adds an attribute that stands in the shared message heap, where its use is counted already.
pub(super) fn insert_shared_compact(
    store: &mut Store,
    header: &mut ObjectHeader,
    order: u16,
    id: [u8; 8],
) -> Result<()> {
    let order = if header.is_order_tracked() { order } else { 0 };
    header.insert_shared(store, kind::ATTRIBUTE, order, id)
}

/// What goes with the attribute message `index`. Where the message is shared, nothing: only a use of it is gone, which
/// the header notes.
pub(super) fn lost_at(store: &mut Store, header: &ObjectHeader, index: usize) -> Result<Lost> {
    if header.heap_id(store, index)?.is_some() {
        return Ok(Lost::default());
    }
    let sizes = store.sizes();
    lost(header.body(store, index)?, sizes)
}
