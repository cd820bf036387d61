//! What few are left of in a dense store, and how they come back into the object header.
//!
//! A sweep brings back fewer than `min_dense`, as libhdf5's deletions do: with those between it and `max_compact` left where
//! they are, an object that loses and gets some does not change its storage each time. The heap, its free blocks and the
//! indexes of six attributes take four times their space though; so closing, and rebalancing on demand, bring back as many as
//! a new file would have in the header.

use crate::error::Result;
use crate::object::maintain::Which;
use crate::object::options::{Most, Phase};
use crate::object::state::{Loaded, Slot, State};
use crate::store::Store;

impl Loaded {
    /// Brings what is left in a store back to the object header if there are no more than `most`, and nothing is left to sweep
    /// in any; whether it did.
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
    /// Brings all that fits back into the headers of the objects in memory, where the mode finishes its work at closing. What
    /// is damaged stays as it is.
    pub(super) fn bring_back_all(&mut self) -> Result<()> {
        if !self.maintenance.controller.finishes_at_close() {
            return Ok(());
        }
        // Rebalancing that is due now begins anew in any case.
        let abandoned = self.abandon_sweep();
        let result =
            abandoned.and_then(|()| self.objects.with_dense().into_iter().try_for_each(|slot| self.bring_back(slot)));
        if result.is_err() && !self.store.is_whole() {
            self.store.fail();
        }
        result
    }

    /// The same for one object.
    pub(super) fn bring_back(&mut self, slot: Slot) -> Result<()> {
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
            if let Err(error) = done {
                maintenance.note_damage(store.spared(error)?);
            }
        }
        Ok(())
    }
}
