//! Moving what is in use down over holes.

use super::{Extents, Space};
use crate::store::{BlockId, Store};

impl Extents {
    /// Removes a part of one extent, if it is there.
    fn leave(&mut self, address: u64, length: u64) {
        if self.contains(address, length) {
            self.cut(address, length);
        }
    }
}

impl Space {
    /// Moves an extent down, into the smallest hole below that has room for it, or else over the hole in front of it. What it
    /// leaves may be taken at once, as after [`Space::reopen`].
    pub fn sink(&mut self, address: u64, length: u64) -> Option<u64> {
        if let Some(target) = self.allocate_below(length, address) {
            self.free(address, length);
            self.reopen();
            return Some(target);
        }
        let (&hole, &size) = self.free.by_address.range(..address).next_back()?;
        let sound = !self.free.overlaps(address, length) && !self.pending.overlaps(address, length);
        if self.is_paged() || hole + size != address || !sound || address.saturating_add(length) > self.end {
            return None;
        }
        // The flushed state may use any of it.
        self.free.cut(hole, size);
        self.fresh.leave(address, length);
        self.reopened.cover(hole, size + length);
        self.free.insert(hole + length, size);
        self.cut_end(0);
        Some(hole)
    }

    /// Where holes begin that have, with those behind them, this many bytes.
    pub fn holes_with(&self, bytes: u64) -> u64 {
        let mut rest = bytes;
        let mut holes = self.free.by_address.iter().rev();
        let last = holes.find(|(_, &size)| {
            rest = rest.saturating_sub(size);
            rest == 0
        });
        last.map_or(0, |(&address, _)| address)
    }
}

impl Store {
    /// Moves a block down as far as that is possible now ([`Space::sink`]); whether it did.
    pub fn sink(&mut self, id: BlockId) -> bool {
        let target = self.space.sink(self.address(id), self.bytes(id).len() as u64);
        let Some(target) = target else { return false };
        self.edits += 1;
        self.cache.rename(id, target);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Space;

    #[test]
    fn what_sinks_moves_over_the_hole_in_front_of_it_and_is_never_fresh() {
        let mut space = Space::new(1000, u64::MAX);
        space.free(100, 50);
        space.free(400, 20);
        assert_eq!(space.sink(150, 250), None, "the flushed state uses what was given back");
        space.reopen();
        assert_eq!((space.holes_with(20), space.holes_with(21)), (400, 100));
        assert_eq!(space.sink(150, 250), Some(100));
        assert!(!space.is_fresh(100, 250));
        // Both holes are one now: too small for what is behind them, which moves over them, too.
        assert_eq!(space.sink(420, 580), Some(350));
        assert_eq!((space.free_bytes(), space.end()), (0, 930));
        assert!(!space.is_fresh(350, 580));
        // Into a hole that is large enough, rather than over the one in front.
        space.free(200, 40);
        space.free(700, 10);
        space.reopen();
        assert_eq!(space.sink(710, 30), Some(200));
        assert_eq!(space.refused(), 0);
    }
}
