//! Links in a fractal heap with filters, which is read only: before the first change they are stored anew, without filters. The
//! group goes on naming those, for whoever makes its links dense the next time.

use crate::btree::Location;
use crate::error::{Error, Result};
use crate::format::message::link;
use crate::object::dense::{DenseKind, DenseStore, MAX_RECORD};
use crate::object::link::LinkKind;
use crate::store::Store;

/// Links of a damaged file may share bytes, and unpack to any number of them: they take this at most, and [`PER_BYTE`] times the
/// file.
const MIN_BUDGET: u64 = 256 << 20;
const PER_BYTE: u64 = 4;

/// A heap ID's first bytes behind its kind: of a managed object the low ones of its heap offset, least significant first.
const OFFSET_AT: usize = LinkKind::NAME_ID_AT + 1;
const OFFSET_END: usize = OFFSET_AT + 4;

impl DenseStore<LinkKind> {
    /// Where a link stands, or would stand, that is changed next: what was found before, if anything was, unless the
    /// links stand anew.
    pub fn place_without_filters(
        &mut self,
        store: &mut Store,
        name: &[u8],
        found: Option<(Location, u32)>,
    ) -> Result<(Location, u32)> {
        let anew = self.leave_filters(store)?;
        match found {
            Some(found) if !anew => Ok(found),
            _ => self.locate_to_edit(store, name),
        }
    }

    /// Stores everything anew without filters, where there are some; whether that was done. Locations that were found before are
    /// void then. Nothing is changed where a link cannot be read.
    pub fn leave_filters(&mut self, store: &mut Store) -> Result<bool> {
        if self.heap.is_changeable() {
            return Ok(false);
        }
        store.check_writable()?;
        let mut records = Vec::new();
        self.names.for_each(store, |_, record| {
            let mut copy = [0; MAX_RECORD];
            copy[..LinkKind::NAME_SIZE].copy_from_slice(record);
            records.push(copy);
            Ok(true)
        })?;
        // Block by block, for each is unpacked.
        records.sort_unstable_by_key(|record| {
            record[OFFSET_AT..OFFSET_END].iter().rev().fold(0u32, |offset, &byte| offset << 8 | u32::from(byte))
        });
        let mut budget = store.space().end().saturating_mul(PER_BYTE).saturating_add(MIN_BUDGET);
        for record in &records {
            let object = self.object(store, record)?;
            link::name_of(object)?;
            let left = budget.checked_sub(object.len() as u64);
            budget = left.ok_or_else(|| {
                let detail = "its links are many times larger than the file";
                Error::corrupt("fractal heap", self.heap.address(), detail)
            })?;
        }
        let mut plain = Self::create(store, self.order.is_some())?;
        for record in &records {
            let object = self.object(store, record)?.to_vec();
            let order = LinkKind::order_of(record, &object).unwrap_or(0);
            plain.insert(store, link::name_of(&object)?, order, &object)?;
        }
        std::mem::replace(self, plain).delete(store)?;
        Ok(true)
    }
}
