//! Links that follow objects which have moved.

use crate::error::{Error, Result};
use crate::format::message::{kind, link};
use crate::object::header::ObjectHeader;
use crate::object::link::Links;
use crate::store::{AddressMap, Store};

/// Dense links that are turned at once: they are held in memory.
const AT_ONCE: usize = 1 << 16;

impl Links {
    /// Has hard links that lead to moved objects lead to where these stand now.
    pub fn turn(&mut self, store: &mut Store, header: &mut ObjectHeader, moved: &AddressMap<u64>) -> Result<()> {
        if let Some(table) = self.table() {
            return table.turn(store, moved);
        }
        let sizes = store.sizes();
        let turned = |message: &[u8]| -> Result<Option<Vec<u8>>> {
            let link::Target::Hard(address) = link::Link::decode(message, sizes)?.target else { return Ok(None) };
            let Some(&now) = moved.get(&address) else { return Ok(None) };
            let mut message = message.to_vec();
            link::set_hard_target(&mut message, now, sizes)?;
            Ok(Some(message))
        };
        let Some(dense) = self.dense(store)? else {
            for index in header.find_all(kind::LINK).collect::<Vec<_>>() {
                if let Some(message) = turned(header.body(store, index)?)? {
                    header.overwrite(store, index, 0, &message)?;
                }
            }
            return Ok(());
        };
        loop {
            let mut some = Vec::new();
            dense.for_each(store, |_, object| {
                some.extend(turned(object)?);
                Ok(some.len() < AT_ONCE)
            })?;
            if !some.is_empty() {
                dense.leave_filters(store)?;
            }
            for message in &some {
                let (location, _) = dense.locate_to_edit(store, link::name_of(message)?)?;
                if !location.found {
                    return Err(Error::corrupt(
                        "name index",
                        dense.addresses().names,
                        "it does not find a link of its own",
                    ));
                }
                dense.replace_at(store, &location, message)?;
            }
            if some.len() < AT_ONCE {
                return Ok(());
            }
        }
    }
}
