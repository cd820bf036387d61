//! What few are left of in a dense store, and how they come back into the object header.
//!
//! A sweep brings back fewer than `min_dense`, as libhdf5's deletions do: with those between it and `max_compact` left where
//! they are, an object that loses and gets some does not change its storage each time. The heap, its free blocks and the
//! indexes of six attributes take four times their space though; so closing, for objects
//! that lost something meanwhile, and rebalancing on demand, for all, bring back as many as a new file would have in the header.

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::object::header::ObjectHeader;
use crate::object::maintain::Which;
use crate::object::options::{Most, Phase};
use crate::object::state::{Loaded, Slot, State};
use crate::rebalance::SLICE_NS;
use crate::store::Store;

/// All that is brought back into one header has no more bytes than so many of the largest messages.
const LARGEST: usize = 8;

/// Whether what is brought back has room in a header.
pub(super) struct Room {
    most: usize,
    rest: Option<usize>,
}

impl Room {
    pub fn of(header: &ObjectHeader) -> Self {
        let most = header.max_body();
        Room { most, rest: Some(LARGEST * most) }
    }

    /// Whether this one and all before it have.
    pub fn takes(&mut self, body: &[u8]) -> bool {
        self.rest = self.rest.and_then(|rest| rest.checked_sub(body.len())).filter(|_| body.len() <= self.most);
        self.rest.is_some()
    }

    pub fn is_exceeded(&self) -> bool {
        self.rest.is_none()
    }
}

impl Loaded {
    /// Nothing is left to sweep in a store. Brings back to the object header what is left in it, if that is no more than `most`;
    /// whether it did. The chunks of a dataset are noted as swept.
    pub(super) fn make_compact(&mut self, store: &mut Store, which: Which, most: Most) -> Result<bool> {
        match which {
            Which::Attributes => self.attributes.make_compact(store, &mut self.header, most),
            Which::Links => match &mut self.read_links {
                Some(links) => links.make_compact(store, &mut self.header, most),
                None => Ok(false),
            },
            Which::Chunks => {
                if let Some(dataset) = &mut self.dataset {
                    dataset.set_thinned(false);
                }
                Ok(false)
            }
        }
    }
}

impl State {
    /// Brings all that fits back into the headers of the objects that lost something since they came into memory, where the mode
    /// finishes its work at closing. What is damaged stays as it is.
    pub(super) fn bring_back_all(&mut self) -> Result<()> {
        if !self.maintenance.controller.may_finish_at_close() {
            return Ok(());
        }
        self.store.note_whole();
        // Rebalancing that is due now begins anew in any case.
        let mut result = self.abandon_sweep();
        for slot in self.objects.with_dense() {
            result = result.and_then(|()| match self.objects.get(slot)?.thinned {
                true => self.bring_back(slot),
                false => Ok(()),
            });
        }
        if result.is_err() && !self.store.is_whole() {
            self.store.fail();
        }
        result
    }

    /// Begins to bring back all that fits, for all objects in memory.
    pub(super) fn begin_bringing_back(&mut self) -> Result<()> {
        self.maintenance.next_few = Some(0);
        self.abandon_sweep()
    }

    /// Goes on for a slice; whether it is done.
    pub(super) fn bring_back_on(&mut self) -> Result<bool> {
        let end = Instant::now() + Duration::from_nanos(SLICE_NS);
        while let Some(slot) = self.maintenance.next_few {
            let dense = self.objects.is_dense(slot);
            self.maintenance.next_few = dense.map(|_| slot + 1);
            if dense == Some(true) {
                self.bring_back(slot)?;
            }
            if Instant::now() >= end {
                break;
            }
        }
        Ok(self.maintenance.next_few.is_none())
    }

    /// Brings back what fits of one object. What cannot be read stays as it is: an error leaves an edit half done.
    fn bring_back(&mut self, slot: Slot) -> Result<()> {
        if self.maintenance.is_sweeping(slot) {
            return Ok(());
        }
        for which in [Which::Attributes, Which::Links] {
            let State { store, objects, maintenance, .. } = self;
            let object = objects.get(slot)?;
            if object.deleted || !object.store_to_sweep(which) {
                continue;
            }
            store.note_whole();
            let done = object.make_compact(store, which, Phase::fitting);
            if !store.is_whole() {
                maintenance.touch(slot, object);
                objects.mark(slot)?;
            }
            match done {
                Err(error) if store.is_whole() => maintenance.note_damage(error),
                done => drop(done?),
            }
        }
        Ok(())
    }
}
