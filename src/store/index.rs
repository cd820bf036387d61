//! Which slot of the cache an address is in: open addressing over slot numbers, each with a part of its address's hash, so that
//! only the slot that is looked for is visited. The slot holds its address.

const NONE: u32 = u32::MAX;

/// A slot, or none, and the hash of its address.
#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    slot: u32,
}

const VACANT: Entry = Entry { hash: 0, slot: NONE };

/// Slots by address. The addresses stand in the slots: look-ups bring a function that tells a slot's address.
pub struct Index {
    table: Vec<Entry>,
    used: usize,
}

/// Small blocks of a page stand side by side in the table, for who visits objects one after the other finds theirs in the same
/// few lines; pages are spread.
const UNIT_BITS: u32 = 6;
const PAGE_BITS: u32 = 12;
const WITHIN: u32 = (1 << (PAGE_BITS - UNIT_BITS)) - 1;

/// The page's hash, and behind it the place in the page.
#[inline]
fn hash_of(address: u64) -> u32 {
    // One multiplication is hash enough: pages are well spread already.
    let page = ((address >> PAGE_BITS).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32;
    page & !WITHIN | (address >> UNIT_BITS) as u32 & WITHIN
}

impl Index {
    pub fn new() -> Self {
        Index { table: vec![VACANT; 16], used: 0 }
    }

    /// Where an address of this hash is entered if nothing else is. The table has at most 2^32 entries: slots are 32 bits.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        let page = (u64::from(hash & !WITHIN) >> (32 - self.table.len().trailing_zeros())) as usize;
        (page + (hash & WITHIN) as usize) & (self.table.len() - 1)
    }

    /// The position of an address in the table, or of the vacancy where it would be entered.
    #[inline]
    fn seek(&self, address: u64, hash: u32, address_of: impl Fn(u32) -> u64) -> usize {
        let mut at = self.home(hash);
        loop {
            let entry = self.table[at];
            if entry.slot == NONE || entry.hash == hash && address_of(entry.slot) == address {
                return at;
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }

    /// The slot that `address` is in.
    #[inline]
    pub fn find(&self, address: u64, address_of: impl Fn(u32) -> u64) -> Option<u32> {
        let slot = self.table[self.seek(address, hash_of(address), address_of)].slot;
        (slot != NONE).then_some(slot)
    }

    /// Enters a slot; the one that the address was in before, if it was in another.
    #[inline]
    pub fn insert(&mut self, address: u64, slot: u32, address_of: impl Fn(u32) -> u64) -> Option<u32> {
        if 2 * (self.used + 1) > self.table.len() {
            self.grow();
        }
        let hash = hash_of(address);
        let at = self.seek(address, hash, address_of);
        let before = std::mem::replace(&mut self.table[at], Entry { hash, slot }).slot;
        self.used += usize::from(before == NONE);
        (before != NONE).then_some(before)
    }

    #[cold]
    fn grow(&mut self) {
        let doubled = vec![VACANT; 2 * self.table.len()];
        for entry in std::mem::replace(&mut self.table, doubled) {
            if entry.slot == NONE {
                continue;
            }
            let mut at = self.home(entry.hash);
            while self.table[at].slot != NONE {
                at = (at + 1) & (self.table.len() - 1);
            }
            self.table[at] = entry;
        }
    }

    /// Takes the slot of `address` out.
    pub fn remove(&mut self, address: u64, address_of: impl Fn(u32) -> u64) -> Option<u32> {
        let mask = self.table.len() - 1;
        let mut gap = self.seek(address, hash_of(address), address_of);
        let slot = std::mem::replace(&mut self.table[gap], VACANT).slot;
        if slot == NONE {
            return None;
        }
        self.used -= 1;
        // What was pushed beyond the gap moves back, so that no search ends too early.
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            if self.table[at].slot == NONE {
                return Some(slot);
            }
            let home = self.home(self.table[at].hash);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.table[gap] = std::mem::replace(&mut self.table[at], VACANT);
                gap = at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::collections::BTreeMap;

    #[test]
    fn finds_what_a_map_finds() {
        let mut addresses: Vec<u64> = Vec::new();
        let (mut index, mut model) = (Index::new(), BTreeMap::new());
        let mut random = Random::new(1);
        for _ in 0..20_000 {
            let address = random.below(700) * [64, 110, 512, 4096][random.below(4) as usize];
            let found = index.find(address, |slot| addresses[slot as usize]);
            assert_eq!(found, model.get(&address).copied());
            if found.is_some() {
                assert_eq!(index.remove(address, |slot| addresses[slot as usize]), model.remove(&address));
            } else {
                addresses.push(address);
                let slot = addresses.len() as u32 - 1;
                assert_eq!(index.insert(address, slot, |slot| addresses[slot as usize]), None);
                if slot.is_multiple_of(8) {
                    // Another slot takes the address over.
                    addresses.push(address);
                    assert_eq!(index.insert(address, slot + 1, |slot| addresses[slot as usize]), Some(slot));
                }
                let slot = addresses.len() as u32 - 1;
                model.insert(address, slot);
            }
        }
    }

    #[test]
    fn neighbours_stand_side_by_side_and_pages_apart() {
        for stride in [64, 110, 157, 300, 4096, 8192] {
            let addresses: Vec<u64> = (0..50_000).map(|number| 2048 + number * stride).collect();
            let mut index = Index::new();
            for (slot, &address) in addresses.iter().enumerate() {
                index.insert(address, slot as u32, |slot| addresses[slot as usize]);
            }
            let place = |address| index.seek(address, hash_of(address), |slot| addresses[slot as usize]);
            let away: usize =
                addresses.iter().map(|&address| place(address).abs_diff(index.home(hash_of(address)))).sum();
            assert!(away < addresses.len(), "{away} steps at distances of {stride}");
            let near = addresses.windows(2).filter(|pair| place(pair[0]).abs_diff(place(pair[1])) < 8).count();
            assert!(stride > 300 || near > addresses.len() / 2, "{near} of neighbours at distances of {stride}");
        }
    }
}
