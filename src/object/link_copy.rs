//! What a copy of a group needs of its links, and what is done to those of the copy.

use crate::error::Result;
use crate::object::header::ObjectHeader;
use crate::object::link::{encode, Links, StoredLink};
use crate::object::options::Phase;
use crate::store::Store;

impl Links {
    /// Adds a link that is a copy of one of another group, to a new group; it keeps its creation order.
    pub fn insert_copy(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        name: &[u8],
        link: &StoredLink,
    ) -> Result<()> {
        let place = self.place(store, header, name)?;
        let mut body = Vec::new();
        let utf8 = link.utf8 || !name.is_ascii();
        encode(&mut body, name, &link.target, link.order, utf8, store.sizes())?;
        self.put(store, header, &body, place)
    }

    /// The creation order of the next link is that of `other`'s.
    pub fn continue_order_of(&mut self, other: Option<i64>) {
        self.info_changed |= self.info.max_creation_order != other;
        self.info.max_creation_order = other;
    }

    /// How the links are stored.
    pub fn phase(&self) -> Phase {
        self.phase
    }
}
