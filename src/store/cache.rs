//! The metadata cache: every block is kept as its on-disk bytes, read and edited in place by its owner. Dirty blocks
//! stay until the flush; clean ones are dropped, second chance first, when they exceed the bound.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use super::arena::{Arena, Place};
use super::index::Index;
use crate::format::checksum::{checksum, checksums, lookup3};

/// A block's slot in the cache. Valid until the block is discarded or [`Cache::trim`] runs, that is within one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockId(pub(crate) u32);

impl BlockId {
    /// The id of no block.
    pub const NOWHERE: BlockId = BlockId(u32::MAX);
}

/// A block and where its bytes were: they can be asked for before it is known whether it still is that block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hint {
    /// The block. [`Store::stands_at`](super::Store::stands_at) tells whether it still is.
    pub id: BlockId,
    place: Place,
}

impl Hint {
    /// That of no block.
    pub const NONE: Hint = Hint { id: BlockId::NOWHERE, place: Place::NOWHERE };
}

/// Where a block's checksum stands and what it covers. It is computed once, when the block is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// No checksum.
    None,
    /// The checksum of the bytes before this position is stored at this position.
    At(u32),
    /// The checksum of the whole block, with these four bytes zero, is stored at this position.
    Within(u32),
}

impl Seal {
    /// Whether `bytes` carry the checksum that they should. The fuzz targets are built to take every checksum, so that
    /// they get behind it.
    pub fn holds(self, bytes: &[u8]) -> bool {
        #[cfg(fuzzing)]
        return super::accept::accept(self, bytes);
        #[cfg(not(fuzzing))]
        self.is_right(bytes)
    }

    /// Whether the checksum in `bytes` is that of `bytes`.
    pub(super) fn is_right(self, bytes: &[u8]) -> bool {
        match self {
            Seal::None => true,
            Seal::At(at) => {
                let at = at as usize;
                bytes.get(at..at + 4).is_some_and(|stored| stored == checksum(&bytes[..at]).to_le_bytes())
            }
            Seal::Within(at) => {
                let at = at as usize;
                let Some(stored) = bytes.get(at..at + 4).map(<[u8]>::to_vec) else { return false };
                let mut copy = bytes.to_vec();
                copy[at..at + 4].fill(0);
                stored == lookup3(&copy, 0).to_le_bytes()
            }
        }
    }

    /// Puts the checksum in.
    pub fn put(self, bytes: &mut [u8]) {
        self.clear(bytes);
        self.enter(bytes, checksum(self.covered(bytes)));
    }

    /// Makes the bytes ready for their checksum.
    fn clear(self, bytes: &mut [u8]) {
        if let Seal::Within(at) = self {
            bytes[at as usize..at as usize + 4].fill(0);
        }
    }

    /// What the checksum covers.
    fn covered(self, bytes: &[u8]) -> &[u8] {
        match self {
            Seal::None => &[],
            Seal::At(at) => &bytes[..at as usize],
            Seal::Within(_) => bytes,
        }
    }

    fn enter(self, bytes: &mut [u8], sum: u32) {
        match self {
            Seal::None => {}
            Seal::At(at) | Seal::Within(at) => bytes[at as usize..at as usize + 4].copy_from_slice(&sum.to_le_bytes()),
        }
    }
}

/// One cached block.
pub(super) struct Block {
    pub address: u64,
    pub seal: Seal,
    place: Place,
    length: u32,
    pub dirty: bool,
    /// Where a dirty block differs from the last flushed state.
    changed: (u32, u32),
    /// Where it does because bytes moved there, and nowhere else: one more than the number in [`Moves`](super::moved::Moves).
    pub moved: u32,
    referenced: bool,
    live: bool,
}

impl Block {
    #[inline]
    pub fn len(&self) -> usize {
        self.length as usize
    }

    /// Where what counts in the block ends: behind the checksum, if that stands behind what it covers.
    pub fn used(&self) -> u32 {
        match self.seal {
            Seal::At(at) => (at + 4).min(self.length),
            Seal::None | Seal::Within(_) => self.length,
        }
    }

    /// The parts of a dirty block that differ from the last flushed state, first to last; its checksum, if it has one,
    /// is a part of its own. All of the block where little would be left out.
    pub fn changed_parts(&self) -> [(u32, u32); 2] {
        let (from, to) = self.changed;
        let sum = match self.seal {
            Seal::None => to,
            Seal::At(at) | Seal::Within(at) => at,
        };
        let sum = (sum, (sum + 4).min(self.length));
        if (to - from) > self.length / 2 {
            [(0, self.length), (self.length, self.length)]
        } else if self.seal == Seal::None {
            [(from, to), (to, to)]
        } else if sum.0 <= to && from <= sum.1 {
            [(from.min(sum.0), to.max(sum.1)), (self.length, self.length)]
        } else {
            [(from, to).min(sum), (from, to).max(sum)]
        }
    }
}

/// Addresses are already well spread; one multiplication is hash enough.
#[derive(Default)]
pub struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 ^ u64::from(byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        let product = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}

/// A map keyed by file address.
pub type AddressMap<V> = HashMap<u64, V, BuildHasherDefault<AddressHasher>>;

/// Blocks by address.
pub(super) struct Cache {
    slots: Vec<Block>,
    vacant: Vec<u32>,
    index: Index,
    arena: Arena,
    bytes: usize,
    dirty_bytes: usize,
    hand: usize,
    /// Bytes of clean blocks that may stay.
    pub clean_bound: usize,
}

impl Cache {
    pub fn new(clean_bound: usize) -> Self {
        Cache {
            slots: Vec::new(),
            vacant: Vec::new(),
            index: Index::new(),
            arena: Arena::new(),
            bytes: 0,
            dirty_bytes: 0,
            hand: 0,
            clean_bound,
        }
    }

    #[inline]
    pub fn find(&mut self, address: u64) -> Option<BlockId> {
        let slot = self.index.find(address, |slot| self.slots[slot as usize].address)?;
        self.slots[slot as usize].referenced = true;
        Some(BlockId(slot))
    }

    /// Keeps a new block of `length` zeroed bytes.
    pub fn insert(&mut self, address: u64, length: usize, seal: Seal, dirty: bool) -> BlockId {
        let place = self.arena.take(length);
        self.enter(address, place, length, seal, dirty)
    }

    fn enter(&mut self, address: u64, place: Place, length: usize, seal: Seal, dirty: bool) -> BlockId {
        self.bytes += length;
        if dirty {
            self.dirty_bytes += length;
        }
        let block = Block {
            address,
            seal,
            place,
            length: length as u32,
            dirty,
            changed: (0, length as u32),
            moved: 0,
            referenced: true,
            live: true,
        };
        let slot = match self.vacant.pop() {
            Some(slot) => {
                self.slots[slot as usize] = block;
                slot
            }
            None => {
                self.slots.push(block);
                (self.slots.len() - 1) as u32
            }
        };
        let before = self.index.insert(address, slot, |slot| self.slots[slot as usize].address);
        debug_assert!(before.is_none(), "two blocks at {address:#x}");
        if let Some(before) = before {
            self.vacate(before);
        }
        BlockId(slot)
    }

    /// Keeps a clean block that holds `bytes`.
    pub fn insert_clean(&mut self, address: u64, bytes: &[u8], seal: Seal) -> BlockId {
        let place = self.arena.take_filled(bytes);
        self.enter(address, place, bytes.len(), seal, false)
    }

    /// Whether the block of an id from before is still there, and still at `address`.
    #[inline]
    pub fn stands_at(&mut self, id: BlockId, address: u64, length: u32) -> bool {
        match self.slots.get_mut(id.0 as usize) {
            Some(block) if block.address == address && block.length == length && block.live => {
                block.referenced = true;
                true
            }
            _ => false,
        }
    }

    /// Where a block is, for later.
    #[inline]
    pub fn hint(&self, id: BlockId) -> Hint {
        Hint { id, place: self.slots[id.0 as usize].place }
    }

    /// A part of what is now where a block was; no use of it that counts.
    #[inline]
    pub fn glance(&self, hint: Hint, part: Range<usize>) -> &[u8] {
        self.arena.glance(hint.place, part)
    }

    #[inline]
    pub fn block(&self, id: BlockId) -> &Block {
        &self.slots[id.0 as usize]
    }

    #[inline]
    pub fn bytes_of(&self, id: BlockId) -> &[u8] {
        let block = &self.slots[id.0 as usize];
        self.arena.bytes(block.place, block.len())
    }

    #[inline]
    pub fn bytes_mut(&mut self, id: BlockId) -> &mut [u8] {
        let block = &mut self.slots[id.0 as usize];
        if !block.dirty {
            block.dirty = true;
            self.dirty_bytes += block.len();
        }
        block.changed = (0, block.length);
        block.moved = 0;
        self.arena.bytes_mut(block.place, block.len())
    }

    /// A part of a block, to be changed: only that is written by the next flush.
    pub fn part_mut(&mut self, id: BlockId, part: Range<usize>) -> Option<&mut [u8]> {
        let block = &mut self.slots[id.0 as usize];
        let (from, to) = (part.start as u32, part.end as u32);
        if !block.dirty {
            block.dirty = true;
            self.dirty_bytes += block.len();
            block.changed = (from, to);
        } else {
            block.changed = (block.changed.0.min(from), block.changed.1.max(to));
        }
        block.moved = 0;
        self.arena.bytes_mut(block.place, block.len()).get_mut(part)
    }

    pub fn two_mut(&mut self, source: BlockId, target: BlockId) -> Option<(&[u8], &mut [u8])> {
        self.bytes_mut(target);
        let (from, to) = (self.block(source), self.block(target));
        self.arena.two((from.place, from.length as usize), (to.place, to.length as usize))
    }

    /// Copies bytes from one block into another one that is dirty already.
    #[inline]
    pub fn copy_bytes(&mut self, from: (Hint, usize), to: (Hint, usize), length: usize) {
        debug_assert!(self.block(to.0.id).dirty);
        self.arena.copy((from.0.place, from.1), (to.0.place, to.1), length);
    }

    /// Of a dirty block, what differs from the last flushed state is what moved there.
    pub fn set_moved(&mut self, id: BlockId, moved: u32) {
        self.slots[id.0 as usize].moved = moved;
    }

    pub fn set_seal(&mut self, id: BlockId, seal: Seal) {
        self.slots[id.0 as usize].seal = seal;
    }

    pub fn remove(&mut self, address: u64) {
        if let Some(slot) = self.index.remove(address, |slot| self.slots[slot as usize].address) {
            self.vacate(slot);
        }
    }

    /// The block is at another address from now on; its id stays.
    pub fn rename(&mut self, id: BlockId, address: u64) {
        let old = self.slots[id.0 as usize].address;
        self.index.remove(old, |slot| self.slots[slot as usize].address);
        self.slots[id.0 as usize].address = address;
        let before = self.index.insert(address, id.0, |slot| self.slots[slot as usize].address);
        if let Some(before) = before {
            self.vacate(before);
        }
        self.bytes_mut(id);
    }

    /// Cuts a block to its first `length` bytes, which are dirty from now on.
    pub fn shrink(&mut self, id: BlockId, length: usize) {
        let kept = self.bytes_mut(id)[..length].to_vec();
        let place = self.arena.take(length);
        self.arena.bytes_mut(place, length).copy_from_slice(&kept);
        let block = &mut self.slots[id.0 as usize];
        let (old, cut) = (std::mem::replace(&mut block.place, place), block.len() - length);
        self.arena.give(old, block.len());
        block.length = length as u32;
        block.changed = (0, block.length);
        self.bytes -= cut;
        self.dirty_bytes -= cut;
    }

    fn vacate(&mut self, slot: u32) {
        let block = &mut self.slots[slot as usize];
        self.bytes -= block.len();
        if block.dirty {
            self.dirty_bytes -= block.len();
        }
        self.arena.give(block.place, block.len());
        block.live = false;
        block.dirty = false;
        block.length = 0;
        block.place = Place::default();
        self.vacant.push(slot);
    }

    /// Dirty blocks in address order.
    pub fn dirty(&self) -> Vec<BlockId> {
        let dirty = (0u32..).zip(&self.slots).filter(|(_, block)| block.dirty);
        let mut dirty: Vec<(u64, u32)> = dirty.map(|(slot, block)| (block.address, slot)).collect();
        dirty.sort_unstable();
        dirty.into_iter().map(|(_, slot)| BlockId(slot)).collect()
    }

    /// Puts the checksums of some blocks in.
    pub fn seal(&mut self, blocks: &[BlockId]) {
        for &BlockId(slot) in blocks {
            let block = &self.slots[slot as usize];
            block.seal.clear(self.arena.bytes_mut(block.place, block.len()));
        }
        let covered: Vec<&[u8]> = blocks.iter().map(|&id| self.block(id).seal.covered(self.bytes_of(id))).collect();
        for (&BlockId(slot), sum) in blocks.iter().zip(checksums(&covered)) {
            let block = &self.slots[slot as usize];
            block.seal.enter(self.arena.bytes_mut(block.place, block.len()), sum);
        }
    }

    pub fn clean_all(&mut self) {
        for block in &mut self.slots {
            (block.dirty, block.moved) = (false, 0);
        }
        self.dirty_bytes = 0;
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn dirty_bytes(&self) -> usize {
        self.dirty_bytes
    }

    /// Drops clean blocks until they are within the bound. Ids of clean blocks are invalid afterwards.
    pub fn trim(&mut self) {
        let mut steps = 2 * self.slots.len();
        while self.bytes - self.dirty_bytes > self.clean_bound && steps > 0 {
            steps -= 1;
            self.hand = (self.hand + 1) % self.slots.len();
            let block = &mut self.slots[self.hand];
            if !block.live || block.dirty {
                continue;
            }
            if std::mem::take(&mut block.referenced) {
                continue;
            }
            let address = block.address;
            self.remove(address);
        }
        self.arena.shrink();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_blocks_are_bounded_and_dirty_ones_stay() {
        let mut cache = Cache::new(1000);
        for i in 0..10u64 {
            cache.insert(i * 512, 512, Seal::None, i < 3);
        }
        cache.trim();
        assert!(cache.bytes() - cache.dirty_bytes() <= 1000);
        for i in 0..3u64 {
            assert!(cache.find(i * 512).is_some());
        }
    }

    #[test]
    fn what_moved_into_a_block_is_forgotten_with_any_other_change() {
        let changes: [fn(&mut Cache, BlockId); 6] = [
            |cache, id| cache.bytes_mut(id)[0] = 1,
            |cache, id| cache.part_mut(id, 3..4).unwrap()[0] = 1,
            |cache, id| cache.rename(id, 4096),
            |cache, id| cache.shrink(id, 100),
            |cache, _| cache.clean_all(),
            |cache, _| {
                cache.remove(512);
                cache.insert(1024, 512, Seal::None, true);
            },
        ];
        for change in changes {
            let mut cache = Cache::new(1000);
            let id = cache.insert(512, 512, Seal::None, true);
            cache.set_moved(id, 1);
            change(&mut cache, id);
            assert_eq!(cache.block(id).moved, 0);
        }
    }

    #[test]
    fn seals_hold_what_they_put() {
        for seal in [Seal::At(60), Seal::Within(20)] {
            let mut bytes: Vec<u8> = (0..64).collect();
            seal.put(&mut bytes);
            assert!(seal.holds(&bytes));
            bytes[3] ^= 1;
            assert!(!seal.holds(&bytes));
        }
        assert!(!Seal::At(62).holds(&[0; 64]));
    }
}
