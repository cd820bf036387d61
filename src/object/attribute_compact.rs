//! Attributes that are messages of an object header.

use crate::error::{Error, Result};
use crate::format::header::message_flag;
use crate::format::message::{attribute, kind};
use crate::object::header::{NewMessage, ObjectHeader};
use crate::store::Store;

/// Creation orders are 16 bits; this one stands for "not tracked".
pub(super) const NO_ORDER: u16 = u16::MAX;

pub(super) fn find_compact(store: &mut Store, header: &ObjectHeader, name: &[u8]) -> Result<Option<usize>> {
    for index in header.find_all(kind::ATTRIBUTE) {
        check_shared(header, index)?;
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

pub(super) fn check_shared(header: &ObjectHeader, index: usize) -> Result<()> {
    if header.messages()[index].flags & message_flag::SHARED != 0 {
        return Err(Error::unsupported("an attribute in the shared object header message heap"));
    }
    Ok(())
}
