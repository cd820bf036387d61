//! What an open file knows of its shared object header messages: where their table is, and what has lost a user since
//! the last flush, which brings the table's reference counts in line.

use crate::format::message::plain::SharedMessageTable;
use crate::format::message::shared::LostUse;
use crate::store::Store;

/// The table's place, and the work that is due to it.
#[derive(Debug, Default)]
pub struct SharedMessages {
    /// What the superblock extension says; `None` when no messages are shared.
    pub table: Option<SharedMessageTable>,
    /// Uses that are gone, in their order.
    pub lost: Vec<LostUse>,
}

impl Store {
    /// Where shared messages are found, and which of them have lost a user.
    pub fn shared(&self) -> &SharedMessages {
        &self.shared
    }

    /// The same, to be changed.
    pub fn shared_mut(&mut self) -> &mut SharedMessages {
        &mut self.shared
    }
}
