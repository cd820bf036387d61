//! New IDs for old ones, when the bytes of objects have slid: who holds IDs renews them, a leaf of an index at a time. The
//! objects of a heap are asked for in no order, so that this is a wait for memory in large heaps: few cache lines are
//! looked at, and no branch could be guessed wrong.

use std::ops::Range;

use super::managed::PackedIds;
use super::slide::{Slide, Source};
use super::Heap;
use crate::error::Result;
use crate::format::fractal_heap::{id_kind, IdKind};
use crate::store::prefetch;

/// Bytes of lists of stretches that a processor may be taken to have near; few in tests, so that they go both ways.
const NEAR: usize = if cfg!(test) { 16 << 10 } else { 256 << 10 };
/// Records whose stretches are asked for at once where the lists have more.
const AT_ONCE: usize = 32;
/// Pieces of a block that one word of the map has.
const PIECES: u32 = u32::BITS;

/// The stretches without holes of one block as they were before they slid. Positions are those behind the block's prefix.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    /// Where each begins << 32 | bytes of all before it; and behind the last the end of the block and the bytes of all.
    /// In front of the first one more that begins there, so that each has one before and one behind it.
    starts: Vec<u64>,
    /// Stretches that begin before this word's pieces, less one, << 32 | one bit for each piece of `1 << piece_bits` bytes: whether a
    /// stretch begins in it. Pieces are so small that no two do.
    map: Vec<u64>,
    piece_bits: u32,
}

impl Stretches {
    /// Those between sorted holes, position << 32 | length, of a block of `size` bytes, of which `overhead` are its prefix.
    pub fn new(mut holes: Vec<u64>, overhead: u32, size: u32) -> Self {
        let (mut start, mut live, mut apart) = (0, 0, size);
        for hole in &mut holes {
            let (position, length) = ((*hole >> 32) as u32 - overhead, *hole as u32);
            let next = position + length;
            apart = apart.min(next - start);
            *hole = u64::from(start) << 32 | u64::from(live);
            live += position - start;
            start = next;
        }
        let end = size - overhead;
        holes.push(u64::from(start) << 32 | u64::from(live));
        let piece_bits = apart.max(1).ilog2();
        let mut map = vec![0u64; (end >> piece_bits) as usize / PIECES as usize + 1];
        for start in &holes {
            let piece = (start >> 32) as u32 >> piece_bits;
            map[(piece / PIECES) as usize] |= 1 << (piece % PIECES);
        }
        holes.insert(0, 0);
        let mut before = u32::MAX;
        for word in &mut map {
            let begin = word.count_ones();
            *word |= u64::from(before) << 32;
            before = before.wrapping_add(begin);
        }
        holes.push(u64::from(end) << 32 | u64::from(live + (end - start)));
        Stretches { starts: holes, map, piece_bits }
    }

    /// Where each begins << 32 | bytes of all before it; and behind the last the end of the block and the bytes of all.
    pub fn starts(&self) -> &[u64] {
        self.starts.get(1..).unwrap_or_default()
    }

    /// The last stretch that begins before the end of the piece that a position is in.
    #[inline(always)]
    fn last(&self, at: u64) -> Option<usize> {
        let piece = at >> self.piece_bits;
        let word = *self.map.get((piece / u64::from(PIECES)) as usize)?;
        let until = (word as u32) & (2u32 << (piece % u64::from(PIECES))).wrapping_sub(1);
        Some(((word >> 32) as u32).wrapping_add(until.count_ones()) as usize)
    }

    /// The stretch of an object and the bytes of stretches before the object; none where it is not within a stretch.
    #[inline(always)]
    fn find(&self, at: u64, length: u64) -> Option<(usize, u64)> {
        let number = self.last(at)?;
        let end = *self.starts.get(number + 2)?;
        let (before, start) = (self.starts[number], self.starts[number + 1]);
        // The last one in the piece may begin behind the object.
        let behind = start >> 32 > at;
        let (start, end) = if behind { (before, start) } else { (start, end) };
        let within = at.wrapping_sub(start >> 32);
        let bytes = u64::from(end as u32 - start as u32);
        // Of no bytes, less one, are more than any stretch has.
        let fits = within < bytes && length.wrapping_sub(1) < bytes - within;
        fits.then(|| (number - usize::from(behind), u64::from(start as u32) + within))
    }
}

impl Source {
    /// The new heap offset of an object; none when a hole overlaps it.
    #[inline(always)]
    fn target(&self, offset: u64, length: u64) -> Option<u64> {
        let (stretch, live) = self.stretches.find(offset.wrapping_sub(self.start), length)?;
        // There are few.
        let mut segments = self.segments.as_slice();
        while let [before @ .., segment] = segments {
            if segment.first as usize <= stretch {
                return Some(segment.base.wrapping_add(live));
            }
            segments = before;
        }
        None
    }
}

impl Slide {
    /// What becomes of the bytes at a heap offset; none where they stay, or where there is no table of them.
    #[inline(always)]
    fn source(&self, offset: u64) -> Option<&Source> {
        let number = *self.source_at.get((offset >> self.start_bits) as usize)?;
        self.sources.get(number as usize)
    }

    /// Whether looking up a stretch is mostly a wait for memory.
    pub(super) fn is_far(sources: &[Source]) -> bool {
        sources.iter().map(|source| size_of_val(source.stretches.starts())).sum::<usize>() > NEAR
    }

    /// Asks the processor for what renewing these records will read, all at once. IDs of anything else do no harm.
    #[inline(never)]
    fn ask_ahead(&self, packed: &PackedIds, records: &[u8], size: usize, place: &Range<usize>) {
        for record in records.chunks_exact(size) {
            let Some((offset, _)) = packed.decode(&record[place.clone()]) else { continue };
            let Some(source) = self.source(offset) else { continue };
            let stretches = &source.stretches;
            let Some(last) = stretches.last(offset.wrapping_sub(source.start)) else { continue };
            prefetch(stretches.starts.get(last + 1..=last + 2).unwrap_or_default());
        }
    }
}

impl Heap {
    /// Renews the IDs that stand at `place` in records of `size` bytes, but those in records that `skip` names. How many
    /// objects moved, and their bytes.
    #[inline(always)]
    pub fn renew_ids(
        &self,
        records: &mut [u8],
        size: usize,
        place: Range<usize>,
        skip: impl Fn(&[u8]) -> bool,
    ) -> Result<(u64, u64)> {
        let Some(slide) = self.slide.as_deref() else { return Ok((0, 0)) };
        let packed = self.packed_ids(place.len());
        let (mut objects, mut bytes) = (0, 0);
        let at_once = if slide.far { AT_ONCE * size } else { records.len() };
        for records in records.chunks_mut(at_once.max(1)) {
            if let Some(packed) = packed.as_ref().filter(|_| slide.far) {
                slide.ask_ahead(packed, records, size, &place);
            }
            for record in records.chunks_exact_mut(size) {
                if skip(record) {
                    continue;
                }
                let id = &mut record[place.clone()];
                let length = match Self::renew_quickly(slide, packed.as_ref(), id) {
                    Some(length) => length,
                    None => self.renew(slide, id)?,
                };
                objects += u64::from(length > 0);
                bytes += length;
            }
        }
        Ok((objects, bytes))
    }

    /// Renews the ID of an object that has slid: the bytes that moved. None where there is anything else to say.
    #[inline(always)]
    fn renew_quickly(slide: &Slide, packed: Option<&PackedIds>, id: &mut [u8]) -> Option<u64> {
        let packed = packed?;
        let (offset, length) = packed.decode(id)?;
        let target = slide.source(offset)?.target(offset, length)?;
        if target == offset {
            return Some(0);
        }
        packed.encode(target, length, id);
        Some(length)
    }

    /// The same for any ID.
    #[inline(never)]
    fn renew(&self, slide: &Slide, id: &mut [u8]) -> Result<u64> {
        if id.len() < self.id_length() || id_kind(id[0])? != IdKind::Managed {
            return Ok(0);
        }
        let (offset, length, index) = self.managed_object(id)?;
        let source = slide.source_of.get(index as usize).and_then(|&number| slide.sources.get(number as usize));
        let Some(source) = source else { return Ok(0) };
        let Some(target) = source.target(offset, length.into()) else {
            return Err(self.bad_id(format_args!("{length} bytes at offset {offset:#x}, a hole")));
        };
        if target == offset {
            return Ok(0);
        }
        id.copy_from_slice(self.managed_id(target, length)?.as_slice());
        Ok(length.into())
    }
}
