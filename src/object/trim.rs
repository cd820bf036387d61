//! Trimming: what stands at the end of the file moves into holes, so that the file ends earlier.

use crate::error::Result;
use crate::object::header_moves::{Inventory, Referenced};
use crate::object::state::{Loaded, Slot, State};
use crate::store::{AddressMap, Store};

/// Attempts at ending the file earlier.
const TRIM_ROUNDS: u32 = 6;
/// Which part of the file must be free for raw data and headers to be moved, too, first and then: all objects are walked.
const FAR_PARTS: u64 = 16;
const FAR_PARTS_AGAIN: u64 = 32;
/// In a file of which that much is free already, a session that gave one part in so many back moves them.
const FREED_PARTS: u64 = 1024;
/// What of an object moves by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Header,
    Raw,
}

/// A file is trimmed while more than one part in so many is free.
const TRIM_FREE_PARTS: u64 = 64;
/// What is between the holes moves down while they are more than one part in so many: that is most of what is behind them.
const SINK_FREE_PARTS: u64 = 32;

impl State {
    /// Where rebalancing has freed space inside the file, moves what stands at its end into holes, so that the file ends
    /// earlier. Part of the flush, which writes blocks where they come to stand. The first goal is a file without holes. It
    /// is not met where blocks are larger than the holes: then smaller pieces make room for them, and at last the upper
    /// half of what is too much is moved, as often as that helps.
    /// `far` moves raw data and first header chunks, too, where that pays for a walk over all objects.
    pub fn trim(&mut self, far: bool) -> Result<()> {
        if !std::mem::take(&mut self.maintenance.trim_due) {
            return Ok(());
        }
        self.trim_rounds(far)?;
        let (free, end) = self.reopened_space();
        if free * SINK_FREE_PARTS > end {
            let limit = self.store.space().holes_with(free - end / TRIM_FREE_PARTS);
            if self.sink(limit)? > 0 {
                self.prepare_changed()?;
            }
        }
        Ok(())
    }

    fn trim_rounds(&mut self, far: bool) -> Result<()> {
        let (mut inventory, mut referenced) = (None, Referenced::NotSought);
        for round in 0..TRIM_ROUNDS {
            let (free, end) = self.reopened_space();
            if free * TRIM_FREE_PARTS <= end {
                return Ok(());
            }
            let far = far && free * if round == 0 { FAR_PARTS } else { FAR_PARTS_AGAIN } > end;
            let (packed, mut moved) = (end - free, 0);
            if far {
                let limit = match round {
                    0 => packed,
                    1 => packed - self.store.space().used_above(packed).min(packed),
                    _ => end - free / 2,
                };
                if inventory.is_none() {
                    inventory = Some(self.take_inventory()?);
                }
                if let Some(inventory) = &mut inventory {
                    moved += self.move_far_down(limit, inventory, &mut referenced)?;
                }
            }
            let (free, end) = self.reopened_space();
            let limit = if round == 0 || far && round == 1 { packed } else { end - free / 2 };
            moved += self.move_down(limit)?;
            if moved > 0 {
                self.prepare_changed()?;
            } else if round > 1 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Bytes that are free, and the file's end, with what may be taken by what this flush writes.
    fn reopened_space(&mut self) -> (u64, u64) {
        self.store.space_mut().reopen();
        (self.store.space().free_bytes(), self.store.space().end())
    }

    /// Whether this session gave so much space back that moving raw data may be worth a walk over all objects; or less, but
    /// those before it have left that much.
    pub fn has_freed_much(&self) -> bool {
        let space = self.store.space();
        let freed_part_in = |parts| space.given_back().saturating_mul(parts) > space.end();
        freed_part_in(FAR_PARTS) || freed_part_in(FREED_PARTS) && self.is_sparse()
    }

    /// Whether so much of the file is free that moving raw data may be worth a walk over all objects.
    pub fn is_sparse(&self) -> bool {
        let space = self.store.space();
        space.free_bytes().saturating_mul(FAR_PARTS) > space.end()
    }

    /// Moves the raw data and the headers of all objects that hard links lead to, where they reach beyond `limit`, the last
    /// in the file first; how many had some. What is damaged or not known to this version stays where it is.
    fn move_far_down(&mut self, limit: u64, inventory: &mut Inventory, referenced: &mut Referenced) -> Result<u64> {
        let mut moved = self.move_continuations(inventory, limit)?;
        moved += self.move_values_down(inventory, limit)?;
        let chosen = self.choose_headers(inventory, limit, referenced)?;
        let mut order: Vec<(u64, Part, u32)> =
            chosen.into_iter().map(|(end, index)| (end, Part::Header, index)).collect();
        let items = inventory.items.iter().enumerate();
        let high = items.filter(|(_, item)| item.raw_end > limit);
        order.extend(high.map(|(index, item)| (item.raw_end, Part::Raw, index as u32)));
        // Headers and data in turn, as they stand, and as those stood whose places they take.
        order.sort_unstable_by(|a, b| b.cmp(a));
        let mut places = AddressMap::default();
        for (_, part, index) in order {
            let address = inventory.items[index as usize].address;
            match part {
                Part::Raw => {
                    if let Some(end) = self.move_raw_unless_damaged(address, limit)? {
                        inventory.items[index as usize].raw_end = end;
                        moved += 1;
                    }
                }
                Part::Header => {
                    if let Some(place) = self.move_first_chunk(address, limit)? {
                        places.insert(address, place);
                        inventory.moved(index, place);
                    }
                }
            }
            self.drop_surplus()?;
        }
        self.turn_links(inventory, &places)?;
        Ok(moved + places.len() as u64)
    }

    fn move_raw_unless_damaged(&mut self, address: u64, limit: u64) -> Result<Option<u64>> {
        self.store.note_whole();
        let moved = self.move_raw_of(address, limit);
        Ok(self.store.unless_damaged(moved)?.flatten())
    }

    /// Where an object's raw data and their index end.
    pub(super) fn end_of_raw(&mut self, slot: Slot) -> Result<u64> {
        let State { store, objects, .. } = self;
        let Loaded { header, dataset, .. } = objects.get(slot)?;
        let mut end = 0;
        if let Some(dataset) = dataset {
            dataset.each_extent(store, header, &mut |_, address, length| {
                end = end.max(address.saturating_add(length));
                Ok(())
            })?;
        }
        Ok(end)
    }

    /// Moves the raw data that reach beyond `limit`; where they end then, if they moved.
    fn move_raw_of(&mut self, address: u64, limit: u64) -> Result<Option<u64>> {
        let slot = self.load(address)?;
        let State { store, objects, .. } = self;
        let Loaded { header, dataset, .. } = objects.get(slot)?;
        let moved = match dataset {
            Some(dataset) => dataset.relocate_above(store, header, limit)? > 0,
            None => false,
        };
        if !moved {
            return Ok(None);
        }
        objects.mark(slot)?;
        self.end_of_raw(slot).map(Some)
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
            let of_object = object.move_down(store, limit)?;
            if of_object > 0 {
                moved += of_object;
                objects.mark(slot)?;
            }
        }
        Ok(moved)
    }
}

impl Loaded {
    /// The same for one object. What is damaged stays where it is.
    fn move_down(&mut self, store: &mut Store, limit: u64) -> Result<u64> {
        store.note_whole();
        let mut moved = 0;
        if let Some(dense) = self.attributes.loaded_dense() {
            moved += dense.relocate_above(store, limit)?;
        }
        if let Some(dense) = self.read_links.as_mut().and_then(|links| links.loaded_dense()) {
            moved += dense.relocate_above(store, limit)?;
        }
        if let Some(tree) = self.dataset.as_mut().and_then(|dataset| dataset.chunk_tree()) {
            let nodes = tree.relocate_above(store, limit);
            moved += store.unless_damaged(nodes)?.unwrap_or(0);
        }
        let chunks = self.header.relocate_above(store, limit);
        moved += store.unless_damaged(chunks)?.unwrap_or(0) as u64;
        Ok(moved)
    }
}
