//! Holes in direct blocks. A removed object goes on its block's own list; a list is sorted and coalesced when an insert
//! wants its block's holes, which then stand in bins by size, or when the heap is written. Nothing is ever scanned.

use crate::store::prefetch;

/// A piece of free space within one direct block, by heap offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    pub offset: u64,
    pub length: u32,
}

/// Lengths below this have a bin each.
const EXACT: u32 = 1024;
/// Bins per doubling above.
const PER_DOUBLING: u32 = 16;
/// A hole is split only where this much is left, if there is a choice: smaller rests are hardly ever used.
const GOOD_REST: u32 = 24;
const NONE: u32 = u32::MAX;
/// From so many on, sorting digit by digit takes a fraction of the comparisons' time.
const RADIX_MIN: usize = 100;
/// From so many holes on, in a block of so many bytes per hole at most, a map of the block is faster than sorting.
const MAP_MIN: usize = 32;
const MAP_PER_HOLE: usize = 512;
/// No map is made of blocks that are larger: 128 KiB of map.
const MAP_MAX: usize = 1 << 20;

#[derive(Debug, Clone, Copy)]
struct Node {
    offset: u64,
    length: u32,
    next: u32,
}

/// Holes by length, for best fit.
#[derive(Debug)]
pub(super) struct Bins {
    heads: Vec<u32>,
    used: Vec<u64>,
    nodes: Vec<Node>,
    vacant: u32,
    count: usize,
}

fn bin_of(length: u32) -> u32 {
    if length < EXACT {
        return length;
    }
    let log = 31 - length.leading_zeros();
    let step = (length >> (log - PER_DOUBLING.trailing_zeros())) & (PER_DOUBLING - 1);
    EXACT + (log - EXACT.trailing_zeros()) * PER_DOUBLING + step
}

impl Bins {
    pub fn new() -> Self {
        Bins { heads: Vec::new(), used: Vec::new(), nodes: Vec::new(), vacant: NONE, count: 0 }
    }

    /// Holes that are there.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn push(&mut self, hole: Hole) {
        let bin = bin_of(hole.length) as usize;
        if self.heads.len() <= bin {
            self.heads.resize((bin + 64) & !63, NONE);
            self.used.resize(self.heads.len() / 64, 0);
        }
        let node = Node { offset: hole.offset, length: hole.length, next: self.heads[bin] };
        let index = if self.vacant == NONE {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        } else {
            let index = self.vacant;
            self.vacant = self.nodes[index as usize].next;
            self.nodes[index as usize] = node;
            index
        };
        self.heads[bin] = index;
        self.used[bin / 64] |= 1 << (bin % 64);
        self.count += 1;
    }

    /// Takes a hole of at least `length`: of that length, else one that leaves a useful rest, else any.
    pub fn take(&mut self, length: u32) -> Option<Hole> {
        if self.count == 0 {
            return None;
        }
        self.take_within(length).or_else(|| {
            let bin = bin_of(length);
            let good = bin_of(length + GOOD_REST).max(bin + 1);
            self.first_used(good).or_else(|| self.first_used(bin + 1)).and_then(|bin| self.pop(bin))
        })
    }

    /// Takes a hole from the bin that `length` itself belongs to.
    pub fn take_within(&mut self, length: u32) -> Option<Hole> {
        let bin = bin_of(length) as usize;
        let first = *self.heads.get(bin)?;
        if first == NONE {
            return None;
        }
        if length < EXACT || self.nodes[first as usize].length >= length {
            return self.pop(bin);
        }
        None
    }

    fn first_used(&self, from: u32) -> Option<usize> {
        let from = from as usize;
        let mut word = from / 64;
        let mut bits = *self.used.get(word)? & (u64::MAX << (from % 64));
        loop {
            if bits != 0 {
                return Some(word * 64 + bits.trailing_zeros() as usize);
            }
            word += 1;
            bits = *self.used.get(word)?;
        }
    }

    fn pop(&mut self, bin: usize) -> Option<Hole> {
        let index = self.heads[bin];
        let node = *self.nodes.get(index as usize)?;
        self.heads[bin] = node.next;
        if node.next == NONE {
            self.used[bin / 64] &= !(1 << (bin % 64));
        }
        self.nodes[index as usize].next = self.vacant;
        self.vacant = index;
        self.count -= 1;
        Some(Hole { offset: node.offset, length: node.length })
    }

    /// Calls `visit` with every hole.
    pub fn for_each(&self, mut visit: impl FnMut(Hole)) {
        for &head in &self.heads {
            let mut next = head;
            while let Some(node) = self.nodes.get(next as usize) {
                visit(Hole { offset: node.offset, length: node.length });
                next = node.next;
            }
        }
    }

    /// Takes all holes out.
    pub fn drain(&mut self, mut visit: impl FnMut(Hole)) {
        let mut from = 0;
        while let Some(bin) = self.first_used(from) {
            let mut next = std::mem::replace(&mut self.heads[bin], NONE);
            while let Some(node) = self.nodes.get(next as usize) {
                visit(Hole { offset: node.offset, length: node.length });
                next = node.next;
            }
            self.used[bin / 64] &= !(1 << (bin % 64));
            from = bin as u32 + 1;
        }
        self.nodes.clear();
        self.vacant = NONE;
        self.count = 0;
    }
}

/// Sorts by a number, and what has the same one as it stood.
pub(super) fn sort_by_key<T: Copy>(items: &mut [T], key: impl Fn(&T) -> u32) {
    if items.len() < RADIX_MIN {
        items.sort_by_key(key);
    } else if items.iter().all(|item| key(item) <= u16::MAX.into()) {
        radsort::sort_by_key(items, |item| key(item) as u16);
    } else {
        radsort::sort_by_key(items, |item| key(item));
    }
}

/// A bit for each byte of a block and for its end, where holes begin and end; all of them 0 while it is not in use.
#[derive(Debug, Default)]
pub(super) struct EdgeMap(Vec<u64>);

/// Takes the bits that are set out of a map, in order.
struct Edges<'a> {
    map: &'a mut [u64],
    /// The next word, and what is left of the one before.
    word: usize,
    bits: u64,
}

impl Edges<'_> {
    #[inline(always)]
    fn next(&mut self) -> Option<u64> {
        if self.bits == 0 {
            loop {
                self.bits = *self.map.get(self.word)?;
                self.word += 1;
                if self.bits != 0 {
                    break;
                }
            }
            self.map[self.word - 1] = 0;
        }
        let edge = (self.word as u64 - 1) * 64 + u64::from(self.bits.trailing_zeros());
        self.bits &= self.bits - 1;
        Some(edge)
    }
}

/// A block's own holes, each as position in the block << 32 | length.
#[derive(Debug, Default)]
pub(super) struct BlockHoles {
    holes: Vec<u64>,
    sorted: bool,
    /// Bytes of all of them.
    pub bytes: u32,
}

impl BlockHoles {
    #[inline]
    pub fn push(&mut self, position: u32, length: u32) {
        self.holes.push(u64::from(position) << 32 | u64::from(length));
        self.bytes = self.bytes.saturating_add(length);
        self.sorted = false;
    }

    /// Asks for the end of the list, where the next one will be put.
    #[inline]
    pub fn fetch(&self) {
        prefetch(self.holes.last_chunk::<1>().map_or(&[], |last| last));
    }

    /// Enters what is left at the end of a block: where that stands behind all other holes, these stay settled.
    pub fn push_tail(&mut self, position: u32, length: u32) {
        let behind = self.holes.last().is_none_or(|last| (last >> 32) + (last & 0xffff_ffff) < u64::from(position));
        let sorted = self.sorted && behind;
        self.push(position, length);
        self.sorted = sorted;
    }

    /// Sorts and coalesces those of a block of `size` bytes; false when two holes overlap, that is when an object was
    /// removed twice. `map` is kept for the next block.
    pub fn settle(&mut self, size: u32, map: &mut EdgeMap) -> bool {
        if self.sorted {
            return true;
        }
        let count = self.holes.len();
        let mapped = count >= MAP_MIN && size as usize <= MAP_MAX.min(count.saturating_mul(MAP_PER_HOLE));
        self.sorted = match mapped {
            true => self.settle_by_map(size, map),
            false => self.settle_by_sorting(),
        };
        self.sorted
    }

    fn settle_by_sorting(&mut self) -> bool {
        sort_by_key(&mut self.holes, |hole| (hole >> 32) as u32);
        let mut kept = 0;
        for i in 0..self.holes.len() {
            let hole = self.holes[i];
            if kept > 0 {
                let before = self.holes[kept - 1];
                let end = (before >> 32) + (before & 0xffff_ffff);
                if end > hole >> 32 {
                    return false;
                }
                if end == hole >> 32 {
                    self.holes[kept - 1] = before + (hole & 0xffff_ffff);
                    continue;
                }
            }
            self.holes[kept] = hole;
            kept += 1;
        }
        self.holes.truncate(kept);
        true
    }

    /// Turns a bit where a hole begins and where it ends: those between two holes that touch are turned twice, and what
    /// is left, in order, are the coalesced holes. A byte that is in two holes or more counts once or not at all there,
    /// so that the sum of the lengths tells.
    fn settle_by_map(&mut self, size: u32, EdgeMap(map): &mut EdgeMap) -> bool {
        let words = size as usize / 64 + 1;
        if map.len() < words {
            map.resize(words, 0);
        }
        let words = &mut map[..words];
        let mut sum = 0;
        for &hole in &self.holes {
            let (begin, length) = (hole >> 32, hole & 0xffff_ffff);
            let end = begin + length;
            if (end / 64) as usize >= words.len() {
                map.clear();
                return false;
            }
            sum += length;
            words[(begin / 64) as usize] ^= 1 << (begin % 64);
            words[(end / 64) as usize] ^= 1 << (end % 64);
        }
        let mut kept = 0;
        let mut edges = Edges { map: words, word: 0, bits: 0 };
        while let (Some(begin), Some(end)) = (edges.next(), edges.next()) {
            self.holes[kept] = begin << 32 | (end - begin);
            sum -= end - begin;
            kept += 1;
        }
        self.holes.truncate(kept);
        if sum > 0 {
            // Which ones overlapped is not known any more. That some did is found again.
            self.holes = vec![size.into(); 2];
        }
        sum == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.holes.iter().map(|&hole| ((hole >> 32) as u32, hole as u32))
    }

    /// Takes the last hole off, if it ends at `end`.
    pub fn pop_tail(&mut self, end: u32) -> Option<(u32, u32)> {
        let hole = *self.holes.last()?;
        let (position, length) = ((hole >> 32) as u32, hole as u32);
        if position + length != end {
            return None;
        }
        self.holes.pop();
        self.bytes -= length;
        Some((position, length))
    }

    pub fn clear(&mut self) {
        self.take();
    }

    /// Takes all holes off.
    pub fn take(&mut self) -> Vec<u64> {
        self.bytes = 0;
        std::mem::take(&mut self.holes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_give_the_best_fit() {
        let mut bins = Bins::new();
        for (i, length) in [40, 41, 50, 90, 3000, 9000, 41].into_iter().enumerate() {
            bins.push(Hole { offset: i as u64, length });
        }
        assert_eq!(bins.take(41).unwrap().length, 41);
        assert_eq!(bins.take(41).unwrap().length, 41);
        assert_eq!(bins.take(41).unwrap().length, 90);
        assert_eq!(bins.take(41).unwrap().length, 3000);
        assert_eq!(bins.take(9001), None);
        assert_eq!(bins.take(8000).unwrap().length, 9000);
        assert_eq!(bins.take(41).unwrap().length, 50);
        assert_eq!(bins.take(41), None);
        assert_eq!(bins.len(), 1);
        let mut left = 0;
        bins.drain(|_| left += 1);
        assert_eq!((left, bins.len()), (1, 0));
    }

    #[test]
    fn both_ways_to_sort_agree() {
        for count in [RADIX_MIN - 1, RADIX_MIN, 5000] {
            let mut items: Vec<(u32, usize)> =
                (0..count).map(|i| ((i as u32).wrapping_mul(0x9e37_79b9) >> 12 & !3, i)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            sort_by_key(&mut items, |item| item.0);
            assert_eq!(items, expected);
        }
    }

    #[test]
    fn bins_are_monotone() {
        for length in 1..200_000u32 {
            assert!(bin_of(length) <= bin_of(length + 1));
        }
    }

    #[test]
    fn lists_coalesce_and_find_double_removal() {
        let mut list = BlockHoles::default();
        for position in [300u32, 100, 200, 500] {
            list.push(position, 100);
        }
        assert!(list.settle(1024, &mut EdgeMap::default()));
        assert_eq!(list.iter().collect::<Vec<_>>(), [(100, 300), (500, 100)]);
        assert_eq!(list.pop_tail(600), Some((500, 100)));
        list.push(399, 10);
        assert!(!list.settle(1024, &mut EdgeMap::default()));
    }

    #[test]
    fn both_ways_to_settle_agree() {
        const SIZE: u32 = 16 << 10;
        let mut x = 1u32;
        let mut random = |below: u32| {
            x = x.wrapping_mul(0x9e37_79b9).rotate_left(13) ^ 0x5bd1_e995;
            x % below
        };
        let mut map = EdgeMap::default();
        for _ in 0..200 {
            let mut pieces = Vec::new();
            let mut at = 22;
            while at < SIZE {
                let length = (1 + random(90)).min(SIZE - at);
                if random(2) == 0 {
                    pieces.push((at, length));
                }
                at += length;
            }
            for i in (1..pieces.len()).rev() {
                pieces.swap(i, random(i as u32 + 1) as usize);
            }
            let list = |pieces: &[(u32, u32)]| {
                let mut list = BlockHoles::default();
                pieces.iter().for_each(|&(at, length)| list.push(at, length));
                list
            };
            let (mut sorted, mut mapped) = (list(&pieces), list(&pieces));
            assert!(sorted.settle_by_sorting() && mapped.settle_by_map(SIZE, &mut map));
            assert_eq!(sorted.holes, mapped.holes);
            // One byte, or all of one hole, once more or twice more.
            let (at, length) = pieces[random(pieces.len() as u32) as usize];
            for more in [vec![(at, length)], vec![(at, length); 2], vec![(at + random(length), 1)], vec![(at - 1, 2)]] {
                let damaged = [pieces.clone(), more].concat();
                let (mut sorted, mut mapped) = (list(&damaged), list(&damaged));
                assert!(!sorted.settle_by_sorting() && !mapped.settle_by_map(SIZE, &mut map));
                assert!(!mapped.settle(SIZE, &mut map));
            }
        }
    }
}
