//! Sliding: what is left in sparse blocks moves down, block by block in the heap's order, until it is packed. Bytes between
//! two holes move together, so nothing has to be known of the objects there; who holds an ID asks for the new one
//! afterwards ([`Heap::renew_ids`]). Memory is read and written in order, and no more is kept than the lists of holes that
//! are there anyway. One shot, for a flush or close and for rebalancing on demand.

use super::holes::{Bins, Hole};
use super::managed::Bump;
use super::renew::Stretches;
use super::table::NONE;
use super::Heap;
use crate::error::Result;
use crate::store::Store;

/// A block that has less than one part in so many free stays as it is.
const SPARSE: u32 = 32;
/// A longer stretch without a hole may fit into none of the blocks below; it is not cut, for where its objects begin is
/// not known here. Object by object, an evacuation fills them.
const STRETCH_MAX: u32 = 8192;
/// Sliding is worth it when it leaves no more than one part in so many unused at the ends of blocks: long stretches
/// without a hole may not fit there, and are not cut.
const WASTE: u64 = 32;

/// The address space of a heap is looked up in one step where it is at most so many times its blocks.
pub(super) const GAPS: u64 = 4;

/// Stretches of one block that move together to one other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// The first of them.
    pub first: u32,
    /// The block that they move to.
    pub block: u32,
    /// The living bytes of the old block before an object and this, modulo 2^64, are its new heap offset.
    pub base: u64,
}

/// What becomes of one block's bytes.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub index: u32,
    /// Heap offset of the block's first byte behind its prefix.
    pub start: u64,
    pub segments: Vec<Segment>,
    pub stretches: Stretches,
}

/// A plan, and once it is carried out the way from old to new positions.
#[derive(Debug)]
pub struct Slide {
    /// In the heap's order.
    pub(super) sources: Vec<Source>,
    /// By block index: which source it is.
    pub(super) source_of: Vec<u32>,
    /// The same by heap offset in smallest blocks, where the address space has few gaps.
    pub(super) source_at: Vec<u32>,
    pub(super) start_bits: u32,
    /// Whether it is so much that the processor has most of it far away.
    pub(super) far: bool,
    /// Where the bytes end in each block that is filled, the first sources.
    ends: Vec<u32>,
}

/// Calls `visit` with where each of the stretches between `starts` ([`Stretches::starts`]) begins, and its bytes.
#[inline(always)]
fn each_stretch(starts: &[u64], mut visit: impl FnMut(usize, usize)) {
    let mut starts = starts.iter();
    let mut begin = starts.next().copied().unwrap_or_default();
    for &next in starts {
        visit((begin >> 32) as usize, (next as u32 - begin as u32) as usize);
        begin = next;
    }
}

/// Where stretches go while a slide is planned.
struct Filling {
    /// Bytes of each block, and where the bytes in it end: the last is the one that is being filled.
    sizes: Vec<u32>,
    ends: Vec<u32>,
    overhead: u32,
    /// Ends of blocks in which a stretch did not find room, by length; another may.
    rests: Bins,
    /// None of them has more.
    largest: u32,
}

impl Filling {
    /// Finds places for the stretches between the holes of the source `number`, and calls `segment` where one does not
    /// stand behind the one before: its number, the living bytes before it, which of the sources it goes to, and where in
    /// it. Bytes of all, and of the longest.
    #[inline(always)]
    fn add(
        &mut self,
        number: usize,
        mut holes: impl Iterator<Item = (u32, u32)>,
        mut segment: impl FnMut(u32, u32, usize, u32),
    ) -> (u32, u32) {
        let size = self.sizes[number];
        let (mut stretch, mut live, mut longest, mut begin) = (0, 0, 0, self.overhead);
        // Where the one before ended, and what was left behind it then; less by now where more followed it there.
        let (mut previous, mut left, mut room) = ((usize::MAX, 0), 0, 0);
        loop {
            let hole = holes.next();
            let (position, hole_length) = hole.unwrap_or((size, 0));
            let length = position - begin;
            longest = longest.max(length);
            if length > self.largest && length <= room {
                room -= length;
            } else if length > 0 {
                if left > room {
                    previous.1 += left - room;
                    self.ends[previous.0] = previous.1;
                }
                let (target, at) = self.place(length, number);
                if previous != (target, at) {
                    segment(stretch, live, target, at);
                }
                previous = (target, at + length);
                room = if target + 1 == self.ends.len() { self.sizes[target] - previous.1 } else { 0 };
                left = room;
            }
            live += length;
            begin = position + hole_length;
            stretch += 1;
            if hole.is_none() {
                break;
            }
        }
        if left > room {
            self.ends[previous.0] = previous.1 + (left - room);
        }
        (live, longest)
    }

    /// A place for a stretch of the source `number`: which of the sources, and where in it.
    #[inline(never)]
    fn place(&mut self, length: u32, number: usize) -> (usize, u32) {
        let mut target = self.ends.len() - 1;
        if length <= self.largest {
            match self.rests.take(length) {
                Some(rest) => {
                    target = rest.offset as usize;
                    self.rests.push(Hole { length: rest.length - length, ..rest });
                }
                None => self.largest = length - 1,
            }
        }
        // It fits into its own block at the latest, where all before it is its own.
        while length > self.sizes[target] - self.ends[target] && target < number {
            let room = self.sizes[target] - self.ends[target];
            self.rests.push(Hole { offset: target as u64, length: room });
            self.largest = self.largest.max(room);
            self.ends.push(self.overhead);
            target += 1;
        }
        let at = self.ends[target];
        self.ends[target] = at + length;
        (target, at)
    }
}

impl Heap {
    /// What sliding would do. It may create blocks for it, which stay empty if nothing comes of it. None when there is too
    /// little to gain, or too much would be left over. When the rest is left to an evacuation, what can slide does: `in_part`.
    pub fn plan_slide(&mut self, store: &mut Store, in_part: bool) -> Result<Option<Slide>> {
        self.break_off_evacuation()?;
        self.begin_change(store)?;
        self.restore_low_blocks(store)?;
        self.settle_holes()?;
        let slide = self.plan_settled(in_part);
        self.restore_bump();
        Ok(slide)
    }

    fn plan_settled(&self, in_part: bool) -> Option<Slide> {
        let table = &self.table;
        let overhead = self.header.direct_overhead() as u32;
        let mut slide = Slide {
            sources: Vec::new(),
            source_of: Vec::new(),
            source_at: Vec::new(),
            start_bits: self.header.table.start_bits,
            far: false,
            ends: Vec::new(),
        };
        let (mut offset, mut longest) = (0, 0);
        while let Some(index) = table.next_block(offset) {
            let (block, holes) = (&table.blocks[index as usize], &table.holes[index as usize]);
            offset = block.offset + u64::from(block.size);
            // An empty one takes what would else keep one at the end.
            let sparse = holes.bytes > block.size / SPARSE;
            let stretch = if sparse && !in_part { 0 } else { self.longest_stretch(index) };
            if sparse && stretch <= STRETCH_MAX {
                let start = block.offset + u64::from(overhead);
                slide.sources.push(Source { index, start, ..Source::default() });
            } else {
                longest = longest.max(stretch);
            }
        }
        let leaves_little = (in_part || longest <= STRETCH_MAX) && self.fill(&mut slide, in_part);
        leaves_little.then_some(slide)
    }

    fn longest_stretch(&self, index: u32) -> u32 {
        let (block, holes) = (&self.table.blocks[index as usize], &self.table.holes[index as usize]);
        let ends = holes.iter().map(|(position, length)| position + length);
        let begins = holes.iter().map(|(position, _)| position).chain([block.size]);
        let stretches = [self.header.direct_overhead() as u32].into_iter().chain(ends).zip(begins);
        stretches.map(|(at, end)| end - at).max().unwrap_or(0)
    }

    /// Says where each stretch goes; whether that is worth it.
    fn fill(&self, slide: &mut Slide, in_part: bool) -> bool {
        let blocks = &self.table.blocks;
        let overhead = self.header.direct_overhead() as u32;
        let sizes = slide.sources.iter().map(|source| blocks[source.index as usize].size).collect();
        let indices: Vec<u32> = slide.sources.iter().map(|source| source.index).collect();
        let mut filling = Filling { sizes, ends: vec![overhead], overhead, rests: Bins::new(), largest: 0 };
        let mut all = 0;
        for (number, source) in slide.sources.iter_mut().enumerate() {
            let holes = self.table.holes[source.index as usize].iter();
            let segments = &mut source.segments;
            let (live, longest) = filling.add(number, holes, |first, live, target, at| {
                let block = indices[target];
                let base = (blocks[block as usize].offset + u64::from(at)).wrapping_sub(u64::from(live));
                segments.push(Segment { first, block, base });
            });
            if longest > STRETCH_MAX {
                return false;
            }
            all += u64::from(live);
        }
        let Filling { sizes, ends, .. } = filling;
        let full = ends.len().saturating_sub(1);
        let waste: u32 = sizes.iter().zip(&ends).take(full).map(|(size, end)| size - end).sum();
        slide.ends = ends;
        !slide.sources.is_empty() && (in_part || u64::from(waste) * WASTE <= all)
    }

    /// Moves all bytes, once all are read. From now on [`Heap::renew_ids`] tells what became of an ID, until
    /// [`Heap::end_slide`]; nothing else may be asked for with an old ID.
    pub fn begin_slide(&mut self, store: &mut Store, mut slide: Slide) -> Result<()> {
        self.settle_holes()?;
        slide.sources.iter().try_for_each(|source| self.direct_block(store, source.index).map(|_| ()))?;
        let overhead = self.header.direct_overhead() as u32;
        slide.source_of = vec![NONE; self.table.blocks.len()];
        if self.table.end <= self.table.bytes.saturating_mul(GAPS) {
            slide.source_at = vec![NONE; (self.table.end >> slide.start_bits) as usize];
        }
        for (number, source) in slide.sources.iter_mut().enumerate() {
            let size = self.table.blocks[source.index as usize].size;
            let holes = self.table.holes[source.index as usize].take();
            source.stretches = Stretches::new(holes, overhead, size);
            self.move_stretches(store, source, overhead)?;
            slide.source_of[source.index as usize] = number as u32;
            let granules = (source.start >> slide.start_bits) as usize..;
            let granules = slide.source_at.get_mut(granules).unwrap_or_default();
            granules.iter_mut().take((size >> slide.start_bits) as usize).for_each(|entry| *entry = number as u32);
        }
        for (number, source) in slide.sources.iter().enumerate() {
            let block = &mut self.table.blocks[source.index as usize];
            block.live = slide.ends.get(number).map_or(0, |end| end - overhead);
        }
        slide.far = Slide::is_far(&slide.sources);
        self.slide = Some(Box::new(slide));
        Ok(())
    }

    /// Moves the bytes of one source.
    fn move_stretches(&mut self, store: &mut Store, source: &Source, overhead: u32) -> Result<()> {
        let starts = source.stretches.starts();
        for (number, segment) in source.segments.iter().enumerate() {
            let end = source.segments.get(number + 1).map_or(starts.len() - 1, |next| next.first as usize);
            let starts = &starts[segment.first as usize..=end];
            let before = u64::from(starts[0] as u32);
            let at = segment.base.wrapping_add(before) - self.table.blocks[segment.block as usize].offset;
            self.move_bytes(store, source.index, starts, overhead, (segment.block, at as usize))?;
        }
        Ok(())
    }

    /// Moves the stretches between `starts` in the block `from`, so that they stand one behind the other.
    fn move_bytes(
        &mut self,
        store: &mut Store,
        from: u32,
        starts: &[u64],
        overhead: u32,
        to: (u32, usize),
    ) -> Result<()> {
        let (block, mut at) = to;
        let overhead = overhead as usize;
        if block != from {
            let source = self.direct_block(store, from)?;
            let target = self.direct_block(store, block)?;
            let (bytes, into) = store.two_mut(source, target)?;
            let (bytes, mut into) = (&bytes[overhead..], &mut into[at..]);
            each_stretch(starts, |start, length| {
                let (place, rest) = std::mem::take(&mut into).split_at_mut(length);
                place.copy_from_slice(&bytes[start..start + length]);
                into = rest;
            });
            return Ok(());
        }
        // What moves behind nothing does not move at all, and a block of only such is not changed.
        at -= overhead;
        let stays = |pair: &&[u64]| {
            let (start, length) = ((pair[0] >> 32) as usize, (pair[1] as u32 - pair[0] as u32) as usize);
            let stays = start == at || length == 0;
            at += if stays { length } else { 0 };
            stays
        };
        let first = starts.windows(2).take_while(stays).count();
        if first + 1 < starts.len() {
            let source = self.direct_block(store, from)?;
            let bytes = &mut store.bytes_mut(source)[overhead..];
            each_stretch(&starts[first..], |start, length| {
                bytes.copy_within(start..start + length, at);
                at += length;
            });
        }
        Ok(())
    }

    /// Ends it: emptied blocks are given back.
    pub fn end_slide(&mut self, store: &mut Store) -> Result<()> {
        let Some(slide) = self.slide.take() else { return Ok(()) };
        self.bump = Bump::NONE;
        let overhead = self.header.direct_overhead() as u32;
        for (number, source) in slide.sources.iter().enumerate() {
            let end = slide.ends.get(number).copied().unwrap_or(overhead);
            let size = self.table.blocks[source.index as usize].size;
            if end < size {
                self.table.holes[source.index as usize].push(end, size - end);
            }
        }
        self.free_empty_blocks(store)?;
        self.end_moving()
    }

    /// New objects go to the end of the last block again.
    pub(super) fn end_moving(&mut self) -> Result<()> {
        self.bump.block = self.table.find(self.table.end.saturating_sub(1)).unwrap_or(NONE);
        self.settle_holes()?;
        self.restore_bump();
        Ok(())
    }
}
