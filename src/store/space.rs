//! Which bytes of the file are free. Space that the last flushed state still uses is not handed out before the next
//! flush is done, so nothing of that state is overwritten by a new block.

mod moves;

use std::collections::{BTreeMap, BTreeSet};

/// Free extents by address and by size; adjacent ones are one.
#[derive(Debug, Default, Clone)]
struct Extents {
    by_address: BTreeMap<u64, u64>,
    by_size: BTreeSet<(u64, u64)>,
    total: u64,
}

/// Makes neighbours in a sorted list one.
fn merge(extents: &mut Vec<(u64, u64)>) {
    extents.dedup_by(|next, before| {
        let adjacent = before.0 + before.1 == next.0;
        if adjacent {
            before.1 += next.1;
        }
        adjacent
    });
}

impl Extents {
    /// Of ascending, disjoint extents.
    fn of(mut extents: Vec<(u64, u64)>) -> Self {
        merge(&mut extents);
        Extents {
            total: extents.iter().map(|extent| extent.1).sum(),
            by_size: extents.iter().map(|&(address, length)| (length, address)).collect(),
            by_address: extents.into_iter().collect(),
        }
    }

    fn insert(&mut self, mut address: u64, mut length: u64) {
        if let Some((&before, &size)) = self.by_address.range(..address).next_back() {
            if before + size == address {
                self.take(before, size);
                address = before;
                length += size;
            }
        }
        if let Some(&size) = self.by_address.get(&(address + length)) {
            self.take(address + length, size);
            length += size;
        }
        self.by_address.insert(address, length);
        self.by_size.insert((length, address));
        self.total += length;
    }

    /// Adds an extent, parts of which may be there already.
    fn cover(&mut self, mut address: u64, mut length: u64) {
        while let Some((&at, &size)) = self.by_address.range(..address + length).next_back() {
            if at + size <= address {
                break;
            }
            self.take(at, size);
            let end = (address + length).max(at + size);
            address = address.min(at);
            length = end - address;
        }
        self.insert(address, length);
    }

    fn take(&mut self, address: u64, length: u64) {
        self.by_address.remove(&address);
        self.by_size.remove(&(length, address));
        self.total -= length;
    }

    fn contains(&self, address: u64, length: u64) -> bool {
        let end = address.saturating_add(length);
        self.by_address.range(..=address).next_back().is_some_and(|(&at, &size)| at + size >= end)
    }

    fn overlaps(&self, address: u64, length: u64) -> bool {
        // A damaged file may ask for any address.
        let end = address.saturating_add(length);
        self.by_address.range(..end).next_back().is_some_and(|(&at, &size)| at + size > address)
    }

    /// Removes a part of one extent.
    fn cut(&mut self, address: u64, length: u64) {
        let Some((&at, &size)) = self.by_address.range(..=address).next_back() else { return };
        self.take(at, size);
        if address > at {
            self.insert(at, address - at);
        }
        if at + size > address + length {
            self.insert(address + length, at + size - address - length);
        }
    }
}

/// The space of one open file, in bytes from the superblock's base address.
#[derive(Debug, Default, Clone)]
pub struct Space {
    end: u64,
    /// Where it may end at most.
    most: u64,
    flushed_end: u64,
    free: Extents,
    /// Handed out below `flushed_end` since the last flush: free again at once when given back.
    fresh: Extents,
    /// Given back since the last flush, but part of the flushed state.
    pending: Extents,
    /// What [`Space::reopen`] made free: the flushed state uses it, so it is not fresh when it is handed out.
    reopened: Extents,
    given_back: u64,
    refused: u64,
    at_once: bool,
    /// Free extents were read from the file, and nothing has contradicted them yet.
    told: bool,
    /// Something did: what the file says about its free space is wrong.
    contradicted: bool,
    /// Bytes of a page, 0 without pages.
    page: u64,
    /// What is left of the last pages of extents of more than a page, by where the extents end. It is freed with them.
    tails: BTreeMap<u64, u64>,
}

/// Holes of a file with pages that are tried before another size, or the end of the file, is: in most of them an extent fits.
const TRIED_HOLES: usize = 32;

impl Space {
    /// A file whose allocated space ends at `end`, at most at `most`, and has no known free extents.
    pub fn new(end: u64, most: u64) -> Self {
        Space { end, most: most.min(i64::MAX as u64 - 1), flushed_end: end, ..Self::default() }
    }

    /// The file has pages of this many bytes (strategy "page" of its File Space Info message): nothing smaller than a page
    /// crosses the end of one, and everything else begins with one and has its last one for itself. libhdf5's page buffer
    /// relies on it: it writes metadata of a page or more past the pages that it holds, and these over them.
    pub fn set_pages(&mut self, page: u64) {
        self.page = page;
    }

    /// Whether the file has pages.
    pub fn is_paged(&self) -> bool {
        self.page > 0
    }

    /// What is left of the last pages of large extents, ascending: not used, and not to be handed out.
    pub fn tails(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.tails.iter().map(|(&address, &length)| (address, length))
    }

    /// Where `length` bytes can begin, at `address` or behind it.
    fn fit(&self, address: u64, length: u64) -> Option<u64> {
        if self.page == 0 || length == 0 {
            return Some(address);
        }
        let within = address % self.page;
        match within + length.min(self.page) > self.page || length >= self.page && within > 0 {
            true => address.checked_add(self.page - within),
            false => Some(address),
        }
    }

    /// Whether `length` bytes may begin at this address.
    pub fn fits(&self, address: u64, length: u64) -> bool {
        self.fit(address, length) == Some(address)
    }

    /// Bytes from an address to where a page begins.
    pub fn rest_of_page(&self, address: u64) -> u64 {
        match self.page {
            0 => 0,
            page => (page - address % page) % page,
        }
    }

    /// Bytes from the end of an extent to that of its last page, if nothing else may stand there.
    pub fn tail(&self, address: u64, length: u64) -> u64 {
        if length < self.page {
            return 0;
        }
        self.rest_of_page(address.saturating_add(length))
    }

    /// What `length` bytes take.
    fn whole(&self, length: u64) -> Option<u64> {
        length.checked_add(self.tail(0, length))
    }

    /// Where in a hole `whole` bytes fit.
    fn place(&self, (size, hole): (u64, u64), whole: u64) -> Option<u64> {
        let address = self.fit(hole, whole)?;
        (address.checked_add(whole)? <= hole + size).then_some(address)
    }

    /// A file with pages ends with one: libhdf5 crashes where its page buffer meets a part of a page (seen with 2.0.0).
    fn whole_pages(&self, end: u64) -> u64 {
        match self.page {
            0 => end,
            page => end.next_multiple_of(page),
        }
    }

    /// The smallest hole where `whole` bytes fit.
    fn find_hole(&self, whole: u64) -> Option<u64> {
        let of_size = |least: u64| self.free.by_size.range((least, 0)..);
        let place = of_size(whole).take(TRIED_HOLES).find_map(|&hole| self.place(hole, whole));
        // A hole with a page more has it in any case.
        place.or_else(|| self.place(*of_size(whole.checked_add(self.page)?).next()?, whole))
    }

    /// The end of allocation.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes that are free now.
    pub fn free_bytes(&self) -> u64 {
        self.free.total
    }

    /// Bytes that the next flush frees.
    pub fn pending_bytes(&self) -> u64 {
        self.pending.total
    }

    /// Bytes that were given back since the file was opened, whatever came of them.
    pub fn given_back(&self) -> u64 {
        self.given_back
    }

    /// Extents that were given back while they, or a part of them, were free already, or that lie outside the file.
    /// They were left alone: in a damaged file two structures may claim the same space. In a sound one this is 0.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Hands space out again as soon as it is given back, also if the last flushed state uses it: for the test that
    /// shows why that is not done.
    #[doc(hidden)]
    pub fn reuse_at_once(&mut self) {
        self.at_once = true;
    }

    /// All space that is or becomes free with the next flush.
    pub fn reclaimable_bytes(&self) -> u64 {
        self.free.total + self.pending.total
    }

    /// Takes `length` bytes: the smallest hole that holds them, or the end of the file.
    pub fn allocate(&mut self, length: u64) -> Option<u64> {
        match self.find_hole(self.whole(length)?) {
            Some(address) => self.take(address, length),
            None => self.allocate_at_end(length),
        }
    }

    /// Takes `length` bytes that end at or before `limit`, in the smallest hole that has them, the lowest of equals.
    pub fn allocate_below(&mut self, length: u64, limit: u64) -> Option<u64> {
        let whole = self.whole(length)?;
        let (mut from, mut misfits) = ((whole, 0), 0);
        let address = loop {
            let &(size, hole) = self.free.by_size.range(from..).next()?;
            match self.place((size, hole), whole) {
                Some(address) if address + whole <= limit => break address,
                None if hole < limit && misfits < TRIED_HOLES => {
                    // A page ends in it.
                    misfits += 1;
                    from = (size, hole + 1);
                }
                // It is too high, and so are all others of this size.
                _ => from = (size.checked_add(1)?, 0),
            }
        };
        self.take(address, length)
    }

    /// Takes `length` bytes that end at or before `limit`, in the lowest of the smallest holes that have them: for raw
    /// data, whose few large extents are to leave the end of the file.
    pub fn allocate_low(&mut self, length: u64, limit: u64) -> Option<u64> {
        const HOLES: usize = 64;
        const SIZES: usize = 1024;
        let whole = self.whole(length)?;
        let last = limit.checked_sub(whole)?;
        let (mut least, mut lowest, mut holes) = (whole, None, 0);
        for _ in 0..SIZES {
            let Some(&(size, _)) = self.free.by_size.range((least, 0)..).next() else { break };
            let low_enough = self.free.by_size.range((size, 0)..=(size, last)).take(HOLES);
            let mut places = low_enough.filter_map(|&hole| self.place(hole, whole).filter(|&place| place <= last));
            if let Some(place) = places.next() {
                lowest = Some(lowest.unwrap_or(place).min(place));
                holes += 1 + places.count();
            }
            match size.checked_add(1).filter(|_| holes < HOLES) {
                Some(next) => least = next,
                None => break,
            }
        }
        self.take(lowest?, length)
    }

    /// Takes a part of a hole, where `length` bytes fit.
    fn take(&mut self, address: u64, length: u64) -> Option<u64> {
        let whole = self.whole(length)?;
        self.free.cut(address, whole);
        if address < self.flushed_end && !self.reopened.overlaps(address, whole) {
            self.fresh.insert(address, whole);
        }
        self.note_tail(address + length, whole - length);
        Some(address)
    }

    fn note_tail(&mut self, address: u64, length: u64) {
        if length > 0 {
            self.tails.insert(address, length);
        }
    }

    /// Lets what was given back since the last flush be taken at once, and ends the file earlier where it can. For blocks
    /// that the flush which is about to come moves down: what is taken there counts as a change in place, so the flush
    /// writes it by way of its redo record. What is written at once asks [`Space::is_fresh`].
    pub fn reopen(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        for (&address, &length) in &pending.by_address {
            self.free.insert(address, length);
            self.reopened.cover(address, length);
        }
        self.cut_end(0);
    }

    /// Gives `length` bytes at `address` back.
    pub fn free(&mut self, address: u64, length: u64) {
        if length == 0 {
            return;
        }
        let length = length.saturating_add(self.tails.remove(&address.saturating_add(length)).unwrap_or(0));
        let inside = address.checked_add(length).is_some_and(|end| end <= self.end);
        if !inside || self.free.overlaps(address, length) || self.pending.overlaps(address, length) {
            self.refused += 1;
            return;
        }
        self.given_back = self.given_back.saturating_add(length);
        if address >= self.flushed_end {
            self.free.insert(address, length);
            self.cut_end(self.flushed_end);
        } else if self.at_once {
            self.free.insert(address, length);
        } else if self.fresh.contains(address, length) {
            self.fresh.cut(address, length);
            self.free.insert(address, length);
        } else if self.reopened.contains(address, length) {
            self.free.insert(address, length);
        } else {
            self.pending.insert(address, length);
        }
    }

    /// Gives back what is behind the first `kept` bytes of an extent.
    pub fn shrink(&mut self, address: u64, length: u64, kept: u64) {
        let (old, new) = (address.saturating_add(length), address.saturating_add(kept));
        let end = new.saturating_add(self.tail(address, kept));
        if end < old {
            self.free(end, old - end);
        }
        let tail = if end < old { end - new } else { old - new + self.tails.remove(&old).unwrap_or(0) };
        self.note_tail(new, tail);
    }

    /// Whether the last flushed state does not use the extent, which is in use now.
    pub fn is_fresh(&self, address: u64, length: u64) -> bool {
        address >= self.flushed_end || self.fresh.contains(address, length)
    }

    /// Bytes at `address` and behind it that are not free.
    pub fn used_above(&self, address: u64) -> u64 {
        let free: u64 = self.free.by_address.range(address..).map(|(_, length)| length).sum();
        self.end.saturating_sub(address).saturating_sub(free)
    }

    /// Behind all that this state and the last flushed one use.
    pub fn past_both_ends(&self) -> u64 {
        self.end.max(self.flushed_end)
    }

    /// Whether a part of the extent is free, or given back: a structure that claims it is damaged.
    pub fn overlaps_free(&self, address: u64, length: u64) -> bool {
        self.free.overlaps(address, length) || self.pending.overlaps(address, length)
    }

    /// Takes over what the file itself says to be free: ascending, disjoint extents inside the file. Only for a file just
    /// opened. `tails` are free, too, but the rest of the last page of something large.
    pub fn set_told(&mut self, extents: Vec<(u64, u64)>, tails: Vec<(u64, u64)>) {
        self.told = !extents.is_empty() || !tails.is_empty();
        self.tails = tails.into_iter().collect();
        self.free = Extents::of(extents);
    }

    /// The whole truth, of a file just flushed: these ascending, disjoint extents are free, everything else is used.
    pub fn set_known(&mut self, extents: Vec<(u64, u64)>, tails: Vec<(u64, u64)>) {
        self.tails = tails.into_iter().collect();
        self.told = false;
        self.contradicted = false;
        self.free = Extents::of(extents);
        self.flushed();
    }

    /// A structure that stands here was read. Whether its space is in use, as it must be; where it is free only because
    /// the file said so, the file was wrong, and nothing of what it said is believed any longer.
    #[inline]
    pub fn confirm_used(&mut self, address: u64, length: u64) -> bool {
        if self.told && self.free.overlaps(address, length) {
            self.free = Extents::default();
            self.tails = BTreeMap::new();
            self.told = false;
            self.contradicted = true;
        }
        !self.overlaps_free(address, length)
    }

    /// Whether what the file said to be free turned out to be used.
    pub fn is_contradicted(&self) -> bool {
        self.contradicted
    }

    /// All extents that are free once the next flush is done, ascending, adjacent ones as one.
    pub fn free_after_flush(&self) -> Vec<(u64, u64)> {
        let mut all: Vec<_> =
            self.free.by_address.iter().chain(&self.pending.by_address).map(|(&a, &l)| (a, l)).collect();
        all.sort_unstable();
        merge(&mut all);
        all
    }

    /// Takes `length` bytes at the end of the file, whatever holes there are.
    pub fn allocate_at_end(&mut self, length: u64) -> Option<u64> {
        let (before, whole) = (self.end, self.whole(length)?);
        let address = self.fit(before, whole)?;
        self.end = address.checked_add(whole).filter(|&end| end <= self.most && self.whole_pages(end) <= self.most)?;
        self.note_tail(address + length, whole - length);
        if address > before {
            // The rest of the page is there for something smaller.
            self.free.insert(before, address - before);
        }
        Some(address)
    }

    /// Where the file will end once what is pending is free.
    pub fn end_after_flush(&self) -> u64 {
        let mut end = self.end;
        loop {
            let last = |extents: &Extents| {
                let (&address, &size) = extents.by_address.range(..end).next_back()?;
                (address + size == end).then_some(address)
            };
            match last(&self.free).or_else(|| last(&self.pending)) {
                Some(address) => end = address,
                None => return self.whole_pages(end),
            }
        }
    }

    /// The flush is done: what was pending is free, and free space at the end is given up.
    pub fn flushed(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        for (address, length) in pending.by_address {
            self.free.insert(address, length);
        }
        self.fresh = Extents::default();
        self.reopened = Extents::default();
        self.cut_end(0);
        let end = self.whole_pages(self.end);
        if end > self.end {
            self.free.insert(self.end, end - self.end);
            self.end = end;
        }
        self.flushed_end = self.end;
    }

    /// Gives up a free extent at the end of the file, as far as `floor`.
    fn cut_end(&mut self, floor: u64) {
        if let Some((&address, &size)) = self.free.by_address.iter().next_back() {
            if address + size == self.end && self.end > floor {
                let cut = address.max(floor);
                self.free.cut(cut, self.end - cut);
                self.end = cut;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_of_the_flushed_state_is_not_reused_before_the_flush() {
        let mut space = Space::new(1000, u64::MAX);
        space.free(100, 50);
        assert_eq!(space.allocate(50), Some(1000));
        space.flushed();
        assert_eq!(space.allocate(50), Some(100));
    }

    #[test]
    fn fresh_space_is_reused_at_once() {
        let mut space = Space::new(1000, u64::MAX);
        let a = space.allocate(64).unwrap();
        space.free(a, 64);
        assert_eq!(space.end(), 1000);
        assert_eq!(space.allocate(64), Some(a));
        space.flushed();
        space.free(200, 64);
        space.flushed();
        assert_eq!(space.allocate(64), Some(200));
        space.free(200, 64);
        assert_eq!(space.allocate(64), Some(200));
    }

    #[test]
    fn what_is_reopened_is_handed_out_but_never_fresh() {
        let mut space = Space::new(1000, u64::MAX);
        space.free(100, 50);
        space.flushed();
        space.free(150, 50);
        space.free(900, 100);
        assert_eq!(space.allocate_below(80, 1000), None);
        space.reopen();
        assert_eq!(space.end(), 900);
        let a = space.allocate_below(80, 1000).unwrap();
        assert_eq!((a, space.is_fresh(a, 80)), (100, false));
        space.free(a, 80);
        space.reopen();
        assert_eq!(space.allocate(100), Some(100));
        space.free(300, 40);
        assert_eq!(space.allocate(40), Some(900));
        assert!(!space.is_fresh(900, 40), "the flushed state may use it");
        space.reopen();
        assert_eq!(space.allocate(40), Some(300));
        space.flushed();
        space.free(100, 100);
        assert_eq!(space.allocate(100), Some(940));
    }

    #[test]
    fn the_end_shrinks_over_free_and_pending() {
        let mut space = Space::new(1000, u64::MAX);
        space.free(900, 100);
        space.free(800, 50);
        space.free(850, 50);
        assert_eq!(space.end_after_flush(), 800);
        space.flushed();
        assert_eq!((space.end(), space.free_bytes()), (800, 0));
    }

    #[test]
    fn what_a_file_says_is_believed_until_something_contradicts_it() {
        let mut space = Space::new(1000, u64::MAX);
        space.set_told(vec![(100, 50), (150, 50), (400, 100)], Vec::new());
        assert_eq!(space.free_after_flush(), [(100, 100), (400, 100)]);
        assert!(space.confirm_used(200, 200));
        assert_eq!((space.free_bytes(), space.is_contradicted()), (200, false));
        assert!(space.confirm_used(190, 20));
        assert_eq!((space.free_bytes(), space.is_contradicted()), (0, true));
        space.set_known(vec![(100, 90), (900, 100)], Vec::new());
        assert_eq!((space.free_bytes(), space.end(), space.is_contradicted()), (90, 900, false));
        assert!(!space.confirm_used(100, 1));
        assert_eq!(space.free_bytes(), 90);
    }

    #[test]
    fn what_is_free_after_a_flush_is_what_a_flush_makes_free() {
        let mut space = Space::new(10_000, u64::MAX);
        space.set_told(vec![(1000, 100), (5000, 100)], Vec::new());
        space.free(1100, 50);
        space.free(800, 200);
        let extents = space.free_after_flush();
        assert_eq!(extents, [(800, 350), (5000, 100)]);
        assert_eq!(space.allocate_at_end(10), Some(10_000));
        space.flushed();
        assert_eq!(space.free_after_flush(), extents);
    }

    #[test]
    fn nothing_small_crosses_a_page_and_nothing_large_begins_within_one() {
        let mut space = Space::new(4000, u64::MAX);
        space.set_pages(4096);
        assert_eq!(space.allocate(90), Some(4000));
        assert_eq!(space.allocate(90), Some(4096), "six bytes are left in the page");
        assert_eq!(space.allocate(6), Some(4090));
        assert_eq!(space.allocate(5000), Some(8192));
        assert_eq!(space.allocate(4096), Some(16384));
        assert_eq!(space.allocate(3000), Some(4186), "the smallest hole where it fits");
        assert_eq!(space.allocate(3000), Some(20480), "the rest of a large one's last page is not for others");
        assert_eq!(space.end_after_flush(), 24576);
        space.flushed();
        assert_eq!(space.end(), 24576);
        space.free(4000, 3186);
        space.flushed();
        assert_eq!(space.allocate_below(3000, 9000), Some(4096), "in the page that is free");
        assert_eq!(space.allocate_below(2000, 20_000), None, "a page ends in the hole");
        assert_eq!(space.allocate(4095), Some(24576));
    }

    #[test]
    fn what_moves_down_keeps_to_the_pages() {
        let mut space = Space::new(40 * 4096, u64::MAX);
        space.set_pages(4096);
        // Page 2 but its first bytes, pages 5 and 6 but their ends, pages 10 and 11.
        for (address, length) in [(2 * 4096 + 96, 4000), (5 * 4096 + 100, 8000), (10 * 4096, 8192)] {
            space.free(address, length);
        }
        space.flushed();
        let end = space.end();
        for take in [Space::allocate_low, Space::allocate_below] {
            let mut tried = space.clone();
            assert_eq!(take(&mut tried, 4090, end), Some(10 * 4096), "pages end in the holes before");
            assert_eq!(take(&mut tried, 4096, end), Some(11 * 4096));
            assert_eq!(take(&mut tried, 4096, end), None);
            let mut tried = space.clone();
            assert_eq!(take(&mut tried, 5000, end), Some(10 * 4096));
            assert_eq!(take(&mut tried, 3000, end), Some(2 * 4096 + 96));
            assert_eq!(take(&mut tried, 3800, end), Some(5 * 4096 + 100));
            assert_eq!(take(&mut tried, 3800, end), Some(6 * 4096));
            assert_eq!(take(&mut tried, 3000, end), None, "what is left of 5000 bytes' second page is theirs");
            tried.free(10 * 4096, 5000);
            assert_eq!(take(&mut tried, 8192, end), Some(10 * 4096));
            assert_eq!(take(&mut tried, 300, 10 * 4096), Some(2 * 4096 + 3096));
        }
        assert_eq!(space.clone().allocate_low(5000, 12 * 4096 - 1), None, "it takes both pages");
        // Of one size, the first two across the end of a page.
        for page in [20, 22, 24] {
            space.free(page * 4096 + if page == 24 { 0 } else { 2000 }, 3000);
        }
        space.flushed();
        assert_eq!(space.clone().allocate_below(3000, end), Some(24 * 4096));
        assert_eq!(space.clone().allocate(3000), Some(24 * 4096));
    }

    #[test]
    fn the_rest_of_the_last_page_goes_with_what_is_large() {
        let mut space = Space::new(4096, u64::MAX);
        space.set_pages(4096);
        let a = space.allocate(9000).unwrap();
        let b = space.allocate(100).unwrap();
        assert_eq!((a, b, space.free_bytes()), (4096, 16384, 0));
        space.flushed();
        // Cut within the last page, to one page less, and to less than a page.
        let free = space.free_bytes();
        space.shrink(a, 9000, 8500);
        assert_eq!((space.reclaimable_bytes() - free, space.tails().collect::<Vec<_>>()), (0, vec![(a + 8500, 3788)]));
        space.shrink(a, 8500, 5000);
        assert_eq!(
            (space.reclaimable_bytes() - free, space.tails().collect::<Vec<_>>()),
            (4096, vec![(a + 5000, 3192)])
        );
        space.shrink(a, 5000, 1000);
        assert_eq!((space.reclaimable_bytes() - free, space.tails().count()), (4096 + 7192, 0));
        space.flushed();
        assert_eq!(space.allocate_below(200, b), Some(a + 1000));
        // What the file says, and what a walk finds.
        let mut told = Space::new(5 * 4096, u64::MAX);
        told.set_pages(4096);
        told.set_told(vec![(4 * 4096, 4096)], vec![(4096 + 5000, 3192)]);
        assert_eq!((told.allocate(100), told.allocate(4000)), (Some(4 * 4096), Some(5 * 4096)));
        told.free(4096, 5000);
        told.flushed();
        assert_eq!(told.allocate(8192), Some(4096));
    }

    #[test]
    fn holes_are_taken_by_best_fit_and_below_a_limit() {
        let mut space = Space::new(10_000, u64::MAX);
        for (address, length) in [(100, 300), (1000, 64), (5000, 64)] {
            space.free(address, length);
        }
        space.flushed();
        assert_eq!(space.allocate_below(64, 900), Some(100));
        assert_eq!(space.allocate_below(64, 4000), Some(1000));
        assert_eq!(space.allocate(64), Some(5000));
        assert_eq!(space.allocate(64), Some(164));
        assert_eq!(space.allocate_below(200, 300), None);
    }
}
