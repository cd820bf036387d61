//! What a copy of an object needs of its attributes, and what is done to those of the copy.

use crate::error::Result;
use crate::format::message::kind;
use crate::object::attribute::{AttributeKind, Attributes};
use crate::object::attribute_compact::order_at;
use crate::object::attribute_lost::{has_references, with_parts};
use crate::object::dense::DenseKind;
use crate::object::header::ObjectHeader;
use crate::store::Store;

impl Attributes {
    /// All attribute messages, each with all of its parts, with their creation orders (where it is tracked), in that order, else as they are stored.
    pub fn messages(&mut self, store: &mut Store, header: &ObjectHeader) -> Result<Vec<(u16, Vec<u8>)>> {
        let mut all = Vec::new();
        if let Some(dense) = self.dense(store)? {
            dense.for_each(store, |record, object| {
                all.push((AttributeKind::order_of_record(record) as u16, object.to_vec()));
                Ok(true)
            })?;
        } else {
            for index in header.find_all(kind::ATTRIBUTE) {
                all.push((order_at(header, index), header.body(store, index)?.to_vec()));
            }
        }
        for (_, message) in all.iter_mut().filter(|(_, message)| has_references(message)) {
            *message = with_parts(store, message)?;
        }
        if self.phase.track_order {
            all.sort_by_key(|(order, _)| *order);
        }
        Ok(all)
    }

    /// The creation order of the next attribute, where it is tracked.
    pub fn next_creation_order(&self) -> Option<u16> {
        self.info.as_ref().filter(|_| self.phase.track_order).and_then(|info| info.max_creation_order)
    }

    /// Says what the creation order of the next attribute is, where it is tracked.
    pub fn set_next_creation_order(&mut self, order: u16) {
        if self.phase.track_order {
            self.info_mut().max_creation_order = Some(order);
            self.info_changed = true;
        }
    }
}
