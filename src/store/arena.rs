//! Where the bytes of cached blocks are kept: side by side in large regions, those of a page's size page by page.

use std::ops::Range;

use super::region::{self, Region, LARGE};

/// Room is given in multiples of this.
const UNIT: usize = 64;
/// The length of the first region; each that follows is twice as long up to `LAST`, and then they are [`LARGE`].
const FIRST: usize = 16 << 10;
const LAST: usize = 64 << 10;
/// Low bits of a place: the unit in the region. The others are the region's number.
const UNIT_BITS: u32 = (LARGE / UNIT).trailing_zeros();
/// Up to here every number of units is a class of its own; above, every power of two.
const EXACT: usize = 4096 / UNIT;
/// What is from this up to twice as long is copied in two halves that may overlap, without a call.
const HALF: usize = 32;
/// Lengths above this get a region of their own.
const SHARED: usize = 256 << 10;
const CLASSES: usize = EXACT + 1 + (SHARED / 4096).trailing_zeros() as usize;

/// Where a block's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place(u32);

impl Place {
    /// In no region.
    pub const NOWHERE: Place = Place(u32::MAX);

    #[inline]
    fn region(self) -> usize {
        (self.0 >> UNIT_BITS) as usize
    }

    #[inline]
    fn offset(self) -> usize {
        (self.0 & ((1 << UNIT_BITS) - 1)) as usize * UNIT
    }
}

/// A region and the bytes of it that are taken.
struct Chunk {
    region: Region,
    taken: usize,
}

/// The end of the region that was added last for a kind of block.
#[derive(Clone, Copy, Default)]
struct Tail {
    chunk: usize,
    at: usize,
    end: usize,
    /// Whether another file's bytes may be in it.
    used: bool,
}

/// The bytes of all blocks.
pub struct Arena {
    chunks: Vec<Option<Chunk>>,
    vacant: Vec<usize>,
    free: Vec<Vec<Place>>,
    /// One for small blocks, one for multiples of a page, so that pages stay aligned.
    tails: [Tail; 2],
    next: [usize; 2],
}

/// The class of a length, and the bytes that its members take.
fn class_of(length: usize) -> (usize, usize) {
    let units = length.div_ceil(UNIT).max(1);
    if units <= EXACT {
        return (units, units * UNIT);
    }
    let units = units.next_power_of_two();
    (EXACT + (units / EXACT).trailing_zeros() as usize, units * UNIT)
}

impl Arena {
    pub fn new() -> Self {
        Arena {
            chunks: Vec::new(),
            vacant: Vec::new(),
            free: vec![Vec::new(); CLASSES],
            tails: [Tail::default(); 2],
            next: [FIRST; 2],
        }
    }

    /// Room for `length` zeroed bytes.
    pub fn take(&mut self, length: usize) -> Place {
        let (place, used) = self.room(length);
        if used {
            self.bytes_mut(place, length).fill(0);
        }
        place
    }

    /// Room with these bytes in it.
    pub fn take_filled(&mut self, bytes: &[u8]) -> Place {
        let (place, _) = self.room(bytes.len());
        self.bytes_mut(place, bytes.len()).copy_from_slice(bytes);
        place
    }

    /// Room for `length` bytes, and whether other bytes than zeros may be in it.
    fn room(&mut self, length: usize) -> (Place, bool) {
        if length > SHARED {
            let chunk = self.add(Region::new(length, false), length);
            return (Place((chunk as u32) << UNIT_BITS), false);
        }
        let (class, size) = class_of(length);
        if let Some(place) = self.free[class].pop() {
            self.count(place, size as isize);
            return (place, true);
        }
        let kind = usize::from(size % 4096 == 0);
        if self.tails[kind].end - self.tails[kind].at < size {
            let length = self.next[kind].max(size.next_power_of_two());
            self.next[kind] = if length < LAST { 2 * length } else { LARGE };
            // Most of the first large region may stay untouched; small pages cost less then.
            let huge = self.tails[kind].end == LARGE;
            let spare = if length == LARGE && !huge { region::take_spare() } else { None };
            let used = spare.is_some();
            let chunk = self.add(spare.unwrap_or_else(|| Region::new(length, huge)), 0);
            self.tails[kind] = Tail { chunk, at: 0, end: length, used };
        }
        let tail = &mut self.tails[kind];
        let place = Place((tail.chunk as u32) << UNIT_BITS | (tail.at / UNIT) as u32);
        tail.at += size;
        let used = tail.used;
        self.count(place, size as isize);
        (place, used)
    }

    /// Gives room for `length` bytes back.
    pub fn give(&mut self, place: Place, length: usize) {
        if length > SHARED {
            self.drop_chunk(place.region());
            return;
        }
        let (class, size) = class_of(length);
        self.count(place, -(size as isize));
        self.free[class].push(place);
    }

    fn add(&mut self, region: Region, taken: usize) -> usize {
        let chunk = Some(Chunk { region, taken });
        match self.vacant.pop() {
            Some(index) => {
                self.chunks[index] = chunk;
                index
            }
            None => {
                self.chunks.push(chunk);
                self.chunks.len() - 1
            }
        }
    }

    fn drop_chunk(&mut self, index: usize) {
        self.chunks[index] = None;
        self.vacant.push(index);
    }

    fn count(&mut self, place: Place, bytes: isize) {
        if let Some(chunk) = &mut self.chunks[place.region()] {
            chunk.taken = chunk.taken.wrapping_add_signed(bytes);
        }
    }

    /// Gives regions in which nothing is taken back to the operating system.
    pub fn shrink(&mut self) {
        let tails = self.tails.map(|tail| tail.chunk);
        let empty = |chunk: &Option<Chunk>| chunk.as_ref().is_some_and(|chunk| chunk.taken == 0);
        let gone: Vec<bool> =
            self.chunks.iter().enumerate().map(|(index, chunk)| empty(chunk) && !tails.contains(&index)).collect();
        for class in &mut self.free {
            class.retain(|place| !gone[place.region()]);
        }
        (0..gone.len()).filter(|&index| gone[index]).for_each(|index| self.drop_chunk(index));
    }

    /// The `length` bytes at a place.
    #[inline]
    pub fn bytes(&self, place: Place, length: usize) -> &[u8] {
        match &self.chunks[place.region()] {
            Some(chunk) => &chunk.region[place.offset()..place.offset() + length],
            None => &[],
        }
    }

    /// A part of what is at a place that may have been given back; nothing where the part is not.
    #[inline]
    pub fn glance(&self, place: Place, part: Range<usize>) -> &[u8] {
        let part = place.offset() + part.start..place.offset() + part.end;
        let chunk = self.chunks.get(place.region()).and_then(Option::as_ref);
        chunk.and_then(|chunk| chunk.region.get(part)).unwrap_or_default()
    }

    /// The same, to be changed.
    #[inline]
    pub fn bytes_mut(&mut self, place: Place, length: usize) -> &mut [u8] {
        match &mut self.chunks[place.region()] {
            Some(chunk) => &mut chunk.region[place.offset()..place.offset() + length],
            None => &mut [],
        }
    }

    /// Copies bytes that begin so far behind one place to so far behind another.
    #[inline(always)]
    pub fn copy(&mut self, source: (Place, usize), target: (Place, usize), length: usize) {
        let (from, to) = (source.0.offset() + source.1, target.0.offset() + target.1);
        let source_region = source.0.region();
        let source = self.chunks[source_region].as_ref().map_or(&[][..], |chunk| &chunk.region[from..from + length]);
        // Read first, so that it does not matter whether both are in one region.
        if let (Some(first), Some(last)) = (source.first_chunk::<HALF>(), source.last_chunk::<HALF>()) {
            if length <= 2 * HALF {
                let (first, last) = (*first, *last);
                let Some(chunk) = &mut self.chunks[target.0.region()] else { return };
                let target = &mut chunk.region[to..to + length];
                target[..HALF].copy_from_slice(&first);
                target[length - HALF..].copy_from_slice(&last);
                return;
            }
        }
        self.copy_any((source_region, from), (target.0.region(), to), length);
    }

    #[inline(never)]
    fn copy_any(&mut self, (source, from): (usize, usize), (target, to): (usize, usize), length: usize) {
        if source == target {
            if let Some(chunk) = &mut self.chunks[source] {
                chunk.region.copy_within(from..from + length, to);
            }
        } else if let Ok([Some(source), Some(target)]) = self.chunks.get_disjoint_mut([source, target]) {
            target.region[to..to + length].copy_from_slice(&source.region[from..from + length]);
        }
    }

    /// Two different places at once, the second to be changed.
    pub fn two(&mut self, source: (Place, usize), target: (Place, usize)) -> Option<(&[u8], &mut [u8])> {
        let (from, to) =
            (source.0.offset()..source.0.offset() + source.1, target.0.offset()..target.0.offset() + target.1);
        if source.0.region() == target.0.region() {
            let region = &mut self.chunks[source.0.region()].as_mut()?.region;
            let [from, to] = region.get_disjoint_mut([from, to]).ok()?;
            return Some((from, to));
        }
        let [a, b] = self.chunks.get_disjoint_mut([source.0.region(), target.0.region()]).ok()?;
        Some((&a.as_ref()?.region[from], &mut b.as_mut()?.region[to]))
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.chunks.drain(..).flatten().for_each(|chunk| region::keep_spare(chunk.region));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn places_do_not_overlap_and_are_zeroed() {
        let mut arena = Arena::new();
        let mut taken: Vec<(Place, usize, u8)> = Vec::new();
        let mut random = Random::new(1);
        for round in 0..4000u32 {
            let random = random.next() as usize;
            if random.is_multiple_of(3) && !taken.is_empty() {
                let (place, length, fill) = taken.swap_remove(random / 3 % taken.len());
                assert!(arena.bytes(place, length).iter().all(|&byte| byte == fill));
                arena.give(place, length);
            } else {
                let length = [1, 64, 300, 512, 4096, 5000, 65536, 300_000][random / 3 % 8];
                let place = arena.take(length);
                assert!(arena.bytes(place, length).iter().all(|&byte| byte == 0));
                arena.bytes_mut(place, length).fill(round as u8);
                taken.push((place, length, round as u8));
            }
            if round % 500 == 0 {
                arena.shrink();
            }
        }
        for (place, length, fill) in taken {
            assert!(arena.bytes(place, length).iter().all(|&byte| byte == fill));
            arena.give(place, length);
        }
        arena.shrink();
        assert!(arena.chunks.iter().flatten().count() <= 2);
    }

    #[test]
    fn a_glance_at_what_is_gone_sees_no_harm() {
        let mut arena = Arena::new();
        let (small, large) = (arena.take(4096), arena.take(300_000));
        arena.bytes_mut(small, 4096).fill(3);
        assert_eq!(arena.glance(small, 10..20), [3; 10]);
        assert!(arena.glance(small, 0..LARGE).is_empty());
        assert!(arena.glance(Place::NOWHERE, 0..1).is_empty());
        assert_eq!(arena.glance(large, 299_000..300_000).len(), 1000);
        arena.give(large, 300_000);
        assert!(arena.glance(large, 0..1).is_empty());
    }

    #[test]
    fn two_places_are_two() {
        let mut arena = Arena::new();
        let (a, b, c) = (arena.take(4096), arena.take(4096), arena.take(100));
        arena.bytes_mut(a, 4096).fill(1);
        let (from, to) = arena.two((a, 4096), (b, 4096)).unwrap();
        to.copy_from_slice(from);
        let (from, to) = arena.two((b, 100), (c, 100)).unwrap();
        to.copy_from_slice(from);
        assert!(arena.bytes(c, 100).iter().all(|&byte| byte == 1));
        assert!(arena.two((a, 10), (a, 10)).is_none());
    }
}
