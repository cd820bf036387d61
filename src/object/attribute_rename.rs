//! Renaming an attribute: its message becomes its own if it was shared.

use crate::error::{Error, Result};
use crate::format::message::shared::LostUse;
use crate::object::attribute::{AttributeKind, Attributes};
use crate::object::attribute_compact::{find_compact, order_at};
use crate::object::attribute_lost::{committed, lost_uses};
use crate::object::dense::{DenseKind, MAX_RECORD};
use crate::object::header::ObjectHeader;
use crate::store::Store;

impl Attributes {
    /// Gives the attribute another name; its creation order stays. The caller has checked both names. Returned is the
    /// committed datatype that the new message refers to where the old one goes on doing so, being shared.
    pub fn rename(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        from: &[u8],
        message: &[u8],
        to: &[u8],
    ) -> Result<Option<u64>> {
        self.leave_old_header(store, header, message)?;
        let (is_shared, mut lost) = self.uses(store, header, from)?;
        self.rename_stored(store, header, from, message, to)?;
        if let Some(LostUse::Heap { keeps_value, .. }) = store.shared_mut().lost.last_mut().filter(|_| is_shared) {
            *keeps_value = true;
        }
        store.shared_mut().lost.append(&mut lost);
        match is_shared {
            true => committed(message, store.sizes()),
            false => Ok(None),
        }
    }

    /// Whether the attribute's message is shared, and, if it is not, its uses of messages that are.
    fn uses(&mut self, store: &mut Store, header: &ObjectHeader, name: &[u8]) -> Result<(bool, Vec<LostUse>)> {
        let sizes = store.sizes();
        if let Some(dense) = self.dense(store)? {
            let (location, _) = dense.locate(store, name)?;
            let record = dense.record(store, &location);
            return match AttributeKind::is_shared(&record) {
                true => Ok((true, Vec::new())),
                false => Ok((false, lost_uses(dense.object(store, &record)?, sizes)?.collect())),
            };
        }
        match find_compact(store, header, name)? {
            Some(index) if header.heap_id(store, index)?.is_some() => Ok((true, Vec::new())),
            Some(index) => Ok((false, lost_uses(header.body(store, index)?, sizes)?.collect())),
            None => Ok((false, Vec::new())),
        }
    }

    fn rename_stored(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        from: &[u8],
        message: &[u8],
        to: &[u8],
    ) -> Result<()> {
        if let Some(dense) = self.dense(store)? {
            let (location, _) = dense.locate_to_edit(store, from)?;
            let record: [u8; MAX_RECORD] = dense.record(store, &location);
            let order = AttributeKind::order_of_record(&record);
            dense.remove_at(store, &location, &record)?;
            return dense.insert(store, to, order, message);
        }
        match find_compact(store, header, from)? {
            Some(index) if message.len() <= header.max_body() => header.replace(store, index, message),
            Some(index) => {
                let order = order_at(header, index);
                header.remove(store, index)?;
                self.compact -= 1;
                self.make_dense(store, header)?;
                match &mut self.dense {
                    Some(dense) => dense.insert(store, to, u64::from(order), message),
                    None => Ok(()),
                }
            }
            None => Err(Error::internal("an attribute vanished while it was renamed")),
        }
    }
}
