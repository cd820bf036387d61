//! Which slot of the cache an address is in: open addressing over slot numbers only. The slot holds its address, and is
//! visited anyway, so that a look-up touches one small line more.

const NONE: u32 = u32::MAX;

/// Slots by address. The addresses stand in the slots: every call brings a function that tells a slot's address.
pub struct Index {
    table: Vec<u32>,
    used: usize,
}

impl Index {
    pub fn new() -> Self {
        Index { table: vec![NONE; 16], used: 0 }
    }

    /// Addresses are well spread already; one multiplication is hash enough.
    #[inline]
    fn home(&self, address: u64) -> usize {
        let product = address.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (product >> (64 - self.table.len().trailing_zeros())) as usize
    }

    /// The position of an address in the table, or of the vacancy where it would be entered.
    #[inline]
    fn seek(&self, address: u64, address_of: impl Fn(u32) -> u64) -> usize {
        let mut at = self.home(address);
        while self.table[at] != NONE && address_of(self.table[at]) != address {
            at = (at + 1) & (self.table.len() - 1);
        }
        at
    }

    /// The slot that `address` is in.
    #[inline]
    pub fn find(&self, address: u64, address_of: impl Fn(u32) -> u64) -> Option<u32> {
        let slot = self.table[self.seek(address, address_of)];
        (slot != NONE).then_some(slot)
    }

    /// Enters a slot; the address must not be there.
    pub fn insert(&mut self, address: u64, slot: u32, address_of: impl Fn(u32) -> u64) {
        if 2 * (self.used + 1) > self.table.len() {
            let old = std::mem::take(&mut self.table);
            self.table = vec![NONE; 2 * old.len()];
            for slot in old.into_iter().filter(|&slot| slot != NONE) {
                let at = self.seek(address_of(slot), &address_of);
                self.table[at] = slot;
            }
        }
        let at = self.seek(address, address_of);
        self.table[at] = slot;
        self.used += 1;
    }

    /// Takes the slot of `address` out. Its address must still be known.
    pub fn remove(&mut self, address: u64, address_of: impl Fn(u32) -> u64) -> Option<u32> {
        let mask = self.table.len() - 1;
        let mut gap = self.seek(address, &address_of);
        let slot = std::mem::replace(&mut self.table[gap], NONE);
        if slot == NONE {
            return None;
        }
        self.used -= 1;
        // What was pushed beyond the gap moves back, so that no search ends too early.
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            if self.table[at] == NONE {
                return Some(slot);
            }
            let home = self.home(address_of(self.table[at]));
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.table[gap] = std::mem::replace(&mut self.table[at], NONE);
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
            let address = random.below(700) * 512;
            let found = index.find(address, |slot| addresses[slot as usize]);
            assert_eq!(found, model.get(&address).copied());
            if found.is_some() {
                assert_eq!(index.remove(address, |slot| addresses[slot as usize]), model.remove(&address));
            } else {
                addresses.push(address);
                let slot = addresses.len() as u32 - 1;
                index.insert(address, slot, |slot| addresses[slot as usize]);
                model.insert(address, slot);
            }
        }
    }
}
