//! Searching a node where a key is expected: the keys of some trees are spread evenly, as hashes are.

use std::ops::Range;

use super::search::Key;
use super::Tree;
use crate::format::btree2::PREFIX;

/// Records that are compared at once where keys are spread evenly.
pub(super) const WINDOW: usize = 16;

/// Before which of `count` records `point` is expected, when they are spread evenly over `range`.
#[inline]
pub(super) fn expected(point: u32, range: &Range<u32>, count: usize) -> usize {
    let (into, width) = (point.saturating_sub(range.start), range.end.saturating_sub(range.start));
    (u64::from(into) * count as u64 / (u64::from(width) + 1)) as usize
}

/// A node's records, whose keys are spread evenly, and the point that is sought among them.
struct Records<'a, K> {
    bytes: &'a [u8],
    size: usize,
    key: &'a K,
    point: u32,
}

impl<K: Key> Records<'_, K> {
    /// Where a record stands.
    #[inline]
    fn at(&self, index: usize) -> u32 {
        self.key.spread_of(&self.bytes[index * self.size..])
    }

    /// A window of these records around one, and before which of its records, or behind the last, the point is.
    #[inline]
    fn look(&self, among: Range<usize>, around: usize) -> (Range<usize>, usize) {
        let first = around.saturating_sub(WINDOW / 2).min(among.end.saturating_sub(WINDOW)).max(among.start);
        let last = (first + WINDOW).min(among.end);
        let window = &self.bytes[first * self.size..last * self.size];
        (first..last, first + self.key.spread_before(window, self.size, self.point))
    }

    /// Goes on when the point was found at the edge of a window, beyond which it may be.
    #[cold]
    fn look_on(
        &self,
        mut among: Range<usize>,
        range: &mut Range<u32>,
        mut window: Range<usize>,
        mut found: usize,
    ) -> usize {
        for tries in 1.. {
            if found == window.start && found > among.start {
                among.end = found;
                range.end = self.at(found);
            } else if found == window.end && found < among.end {
                among.start = found;
                range.start = self.at(found - 1);
            } else {
                break;
            }
            let share = match tries {
                // Keys that are spread unevenly are searched by halves.
                3.. => among.len() / 2,
                _ => expected(self.point, range, among.len()),
            };
            (window, found) = self.look(among.clone(), among.start + share);
        }
        found
    }
}

impl Tree {
    /// Where the search in a node begins, and whether it ends there too: the record stands behind the key, or there is none.
    #[inline]
    pub(super) fn narrow<K: Key>(&self, page: &[u8], nrec: u16, key: &K, range: &mut Range<u32>) -> (u16, bool) {
        let Some(point) = key.spread() else { return (0, false) };
        let first = self.aim(page, nrec, key, point, range) as u16;
        (first, first == nrec || range.end > point)
    }

    /// The first record of a node that does not stand before `point`, looked for where it is expected: the keys of the
    /// node are spread over `range`, which becomes that of the child before the record.
    #[inline]
    fn aim<K: Key>(&self, page: &[u8], nrec: u16, key: &K, point: u32, range: &mut Range<u32>) -> usize {
        let (size, count) = (self.geometry.record_size(), usize::from(nrec));
        let records = Records { bytes: &page[PREFIX..PREFIX + count * size], size, key, point };
        let (window, mut found) = records.look(0..count, expected(point, range, count));
        if found == window.start && found > 0 || found == window.end && found < count {
            found = records.look_on(0..count, range, window, found);
        }
        if found > 0 {
            range.start = records.at(found - 1);
        }
        if found < count {
            range.end = records.at(found);
        }
        found
    }
}
