//! Trimming: what stands at the end of the file moves into holes, so that the file ends earlier.

use crate::error::{Error, ErrorKind, Result};
use crate::object::state::{Loaded, State};
use std::collections::HashSet;

/// Attempts at ending the file earlier.
const TRIM_ROUNDS: u32 = 6;
/// Rounds in which raw data are moved, too, and which part of the file must be free for it: all objects are walked.
const TRIM_RAW_ROUNDS: u32 = 2;
const TRIM_RAW_PARTS: u64 = 16;
/// A file is trimmed while more than one part in so many is free.
const TRIM_FREE_PARTS: u64 = 64;

impl State {
    /// Where rebalancing has freed space inside the file, moves blocks from its end into holes, so that the file ends
    /// earlier. Part of the flush, which writes them where they come to stand. Blocks are larger than many holes, so the
    /// first goal, a file without holes, may not be met: then the upper half of what is too much is moved, as often as
    /// that helps.
    /// `raw` moves raw data, too, where that pays for a walk over all objects.
    pub fn trim(&mut self, raw: bool) -> Result<()> {
        if !std::mem::take(&mut self.maintenance.trim_due) {
            return Ok(());
        }
        for round in 0..TRIM_ROUNDS {
            self.store.space_mut().reopen();
            let (free, end) = (self.store.space().free_bytes(), self.store.space().end());
            if free * TRIM_FREE_PARTS <= end {
                return Ok(());
            }
            let limit = if round == 0 { end - free } else { end - free / 2 };
            let mut moved = self.move_down(limit)?;
            if raw && round < TRIM_RAW_ROUNDS && free * TRIM_RAW_PARTS > end {
                moved += self.move_raw_down(limit)?;
            }
            if moved > 0 {
                self.prepare_changed()?;
            } else if round > 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether this session gave so much space back that moving raw data may be worth a walk over all objects.
    pub fn has_freed_much(&self) -> bool {
        let space = self.store.space();
        space.given_back().saturating_mul(TRIM_RAW_PARTS) > space.end()
    }

    /// Moves the raw data of all datasets that hard links lead to, where they reach beyond `limit`, the last in the file
    /// first; how many datasets had some. What is damaged or not known to this version stays where it is.
    fn move_raw_down(&mut self, limit: u64) -> Result<u64> {
        let (mut high, mut seen) = (Vec::new(), HashSet::new());
        let mut waiting = vec![self.superblock.root];
        while let Some(address) = waiting.pop() {
            if seen.insert(address) {
                let end = match self.end_of_raw(address, &mut waiting) {
                    Err(error) if !stays(&error) => return Err(error),
                    end => end.unwrap_or(0),
                };
                high.extend((end > limit).then_some((end, address)));
                self.drop_surplus()?;
            }
        }
        high.sort_unstable_by(|a, b| b.cmp(a));
        let mut moved = 0;
        for (_, address) in high {
            let before = self.store.edits();
            match self.move_raw_of(address, limit) {
                Ok(any) => moved += u64::from(any),
                Err(error) if self.store.edits() != before || !stays(&error) => return Err(error),
                Err(_) => {}
            }
            self.drop_surplus()?;
        }
        Ok(moved)
    }

    /// Where an object's raw data and their index end; hard links of a group join the list.
    fn end_of_raw(&mut self, address: u64, waiting: &mut Vec<u64>) -> Result<u64> {
        let slot = self.load(address)?;
        let State { store, objects, .. } = self;
        let Loaded { header, links, dataset, .. } = objects.get(slot)?;
        if let Some(links) = links {
            waiting.extend(links.hard_targets(store, header)?);
        }
        let mut end = 0;
        if let Some(dataset) = dataset {
            dataset.each_extent(store, header, &mut |_, address, length| {
                end = end.max(address.saturating_add(length));
                Ok(())
            })?;
        }
        Ok(end)
    }

    fn move_raw_of(&mut self, address: u64, limit: u64) -> Result<bool> {
        let slot = self.load(address)?;
        let State { store, objects, .. } = self;
        let Loaded { header, dataset, .. } = objects.get(slot)?;
        let moved = match dataset {
            Some(dataset) => dataset.relocate_above(store, header, limit)? > 0,
            None => false,
        };
        if moved {
            objects.mark(slot)?;
        }
        Ok(moved)
    }

    /// Moves B-tree nodes, heap blocks and header continuations that stand at `limit` or above into holes below; how
    /// many were moved.
    fn move_down(&mut self, limit: u64) -> Result<u64> {
        let mut moved = 0;
        for slot in self.objects.loaded() {
            let State { store, objects, .. } = self;
            let object = objects.get(slot)?;
            if object.deleted {
                continue;
            }
            let before = moved;
            if let Some(dense) = object.attributes.loaded_dense() {
                moved += dense.relocate_above(store, limit)?;
            }
            if let Some(dense) = object.links.as_mut().and_then(|links| links.loaded_dense()) {
                moved += dense.relocate_above(store, limit)?;
            }
            if let Some(tree) = object.dataset.as_mut().and_then(|dataset| dataset.chunk_tree()) {
                moved += tree.relocate_above(store, limit)?;
            }
            moved += object.header.relocate_above(store, limit)? as u64;
            if moved != before {
                objects.mark(slot)?;
            }
        }
        Ok(moved)
    }
}

/// Whether the error is the object's own: it stays where it is.
fn stays(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported)
}
