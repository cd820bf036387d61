//! Sliding: what is left in sparse blocks moves down, block by block in the heap's order, until it is packed. Bytes between
//! two holes move together, so nothing has to be known of the objects there; who holds an ID asks for the new one
//! afterwards. Memory is read and written in order, and no more is kept than the lists of holes that are there anyway.
//! One shot, for a flush or close and for rebalancing on demand.

use super::holes::{Bins, Hole};
use super::managed::Bump;
use super::table::NONE;
use super::Heap;
use crate::error::{Error, Result};
use crate::format::fractal_heap::{id_kind, IdKind};
use crate::store::Store;
use std::ops::Range;

/// A block that has less than one part in so many free stays as it is.
const SPARSE: u32 = 32;
/// A longer stretch without a hole may fit into none of the blocks below; it is not cut, for where its objects begin is
/// not known here. Object by object, an evacuation fills them.
const STRETCH_MAX: u32 = 8192;
/// Sliding is worth it when it leaves no more than one part in so many unused at the ends of blocks: long stretches
/// without a hole may not fit there, and are not cut.
const WASTE: u64 = 32;
/// The bytes of one block that move together to one other.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// Living bytes of the old block before these.
    live: u32,
    /// The block and the position that they move to.
    block: u32,
    at: u32,
}

/// What becomes of one block's bytes.
#[derive(Debug, Default)]
struct Source {
    index: u32,
    segments: Vec<Segment>,
    /// Position << 32 | bytes of this hole and all before it.
    holes: Vec<u64>,
    /// One bit for each piece of `1 << piece_bits` bytes: whether a hole begins in it. Pieces are so small that no two do.
    begins: Vec<u64>,
    /// How many holes begin before each word of these.
    before: Vec<u32>,
    piece_bits: u32,
}

/// A plan, and once it is carried out the way from old to new positions.
#[derive(Debug)]
pub struct Slide {
    /// In the heap's order.
    sources: Vec<Source>,
    /// By block index: which source it is.
    source_of: Vec<u32>,
    /// Where the bytes end in each block that is filled, the first sources.
    ends: Vec<u32>,
}

/// Calls `visit` with each stretch without holes: position and length.
fn stretches(holes: impl Iterator<Item = (u32, u32)>, overhead: u32, size: u32, mut visit: impl FnMut(u32, u32)) {
    let mut at = overhead;
    for (position, length) in holes.chain([(size, 0)]) {
        if position > at {
            visit(at, position - at);
        }
        at = position + length;
    }
}

impl Heap {
    /// What sliding would do. None when there is too little to gain, or too much would be left over.
    pub fn plan_slide(&mut self, store: &mut Store) -> Result<Option<Slide>> {
        self.break_off_evacuation()?;
        self.begin_change(store)?;
        self.settle_holes()?;
        let table = &self.table;
        let mut slide = Slide { sources: Vec::new(), source_of: vec![NONE; table.blocks.len()], ends: Vec::new() };
        let overhead = self.header.direct_overhead() as u32;
        let (mut offset, mut longest) = (0, 0);
        while let Some(index) = table.next_block(offset) {
            let block = &table.blocks[index as usize];
            offset = block.offset + u64::from(block.size);
            if block.live > 0 {
                let holes = table.holes[index as usize].iter();
                stretches(holes, overhead, block.size, |_, length| longest = longest.max(length));
            }
            if block.live > 0 && table.holes[index as usize].bytes > block.size / SPARSE {
                slide.source_of[index as usize] = slide.sources.len() as u32;
                slide.sources.push(Source { index, ..Source::default() });
            }
        }
        let worth = longest <= STRETCH_MAX && self.fill(&mut slide);
        self.restore_bump();
        Ok(worth.then_some(slide))
    }

    /// Says where each stretch goes; whether that is worth it.
    fn fill(&self, slide: &mut Slide) -> bool {
        let overhead = self.header.direct_overhead() as u32;
        let sizes: Vec<u32> =
            slide.sources.iter().map(|source| self.table.blocks[source.index as usize].size).collect();
        let indices: Vec<u32> = slide.sources.iter().map(|source| source.index).collect();
        // Ends of blocks in which a stretch did not find room, by length; another may.
        let (mut rests, mut largest) = (Bins::new(), 0);
        let mut all = 0;
        slide.ends.push(overhead);
        for (number, source) in slide.sources.iter_mut().enumerate() {
            let (mut live, mut previous) = (0, None);
            stretches(self.table.holes[source.index as usize].iter(), overhead, sizes[number], |_, length| {
                let mut target = slide.ends.len() - 1;
                if length <= largest {
                    match rests.take(length) {
                        Some(rest) => {
                            target = rest.offset as usize;
                            rests.push(Hole { length: rest.length - length, ..rest });
                        }
                        None => largest = length - 1,
                    }
                }
                // It fits into its own block at the latest, where all before it is its own.
                while length > sizes[target] - slide.ends[target] && target < number {
                    let room = sizes[target] - slide.ends[target];
                    rests.push(Hole { offset: target as u64, length: room });
                    largest = largest.max(room);
                    slide.ends.push(overhead);
                    target += 1;
                }
                let at = slide.ends[target];
                if previous != Some((target, at)) {
                    source.segments.push(Segment { live, block: indices[target], at });
                }
                slide.ends[target] += length;
                previous = Some((target, slide.ends[target]));
                live += length;
            });
            all += u64::from(live);
        }
        let full = slide.ends.len().saturating_sub(1);
        let waste: u32 = sizes.iter().zip(&slide.ends).take(full).map(|(size, end)| size - end).sum();
        !slide.sources.is_empty() && u64::from(waste) * WASTE <= all
    }

    /// Moves all bytes. From now on [`Heap::renew_ids`] tells what became of an ID, until [`Heap::end_slide`]; nothing else
    /// may be asked for with an old ID.
    pub fn begin_slide(&mut self, store: &mut Store, mut slide: Slide) -> Result<()> {
        self.settle_holes()?;
        let overhead = self.header.direct_overhead() as u32;
        let mut runs = Vec::new();
        for source in &mut slide.sources {
            let size = self.table.blocks[source.index as usize].size;
            let holes = self.table.holes[source.index as usize].take();
            let pairs = holes.iter().map(|&hole| ((hole >> 32) as u32, hole as u32));
            runs.clear();
            stretches(pairs, overhead, size, |at, length| runs.push((at as usize, length as usize)));
            let mut rest = runs.as_slice();
            let mut live = 0;
            for (number, segment) in source.segments.iter().enumerate() {
                let end = source.segments.get(number + 1).map_or(u32::MAX, |next| next.live);
                let inside = rest.iter().take_while(|run| {
                    let belongs = live < end;
                    live += if belongs { run.1 as u32 } else { 0 };
                    belongs
                });
                let (now, later) = rest.split_at(inside.count());
                self.move_bytes(store, source.index, now, (segment.block, segment.at as usize))?;
                rest = later;
            }
            source.index_holes(holes, size);
        }
        for (number, source) in slide.sources.iter().enumerate() {
            let block = &mut self.table.blocks[source.index as usize];
            block.live = slide.ends.get(number).map_or(0, |end| end - overhead);
        }
        self.slide = Some(Box::new(slide));
        Ok(())
    }

    /// Moves stretches, positions and lengths in the block `from`, so that they stand one behind the other.
    fn move_bytes(&mut self, store: &mut Store, from: u32, runs: &[(usize, usize)], to: (u32, usize)) -> Result<()> {
        let (block, mut at) = to;
        let Some(first) = runs
            .iter()
            .scan(at, |at, &(start, length)| {
                *at += length;
                Some(start + length != *at)
            })
            .position(|moves| moves)
            .or((block != from).then_some(0))
        else {
            return Ok(());
        };
        let source = self.direct_block(store, from)?;
        if block == from {
            at += runs[..first].iter().map(|run| run.1).sum::<usize>();
            let bytes = store.bytes_mut(source);
            for &(start, length) in &runs[first..] {
                bytes.copy_within(start..start + length, at);
                at += length;
            }
            return Ok(());
        }
        let target = self.direct_block(store, block)?;
        let (bytes, into) = store.two_mut(source, target)?;
        for &(start, length) in runs {
            into[at..at + length].copy_from_slice(&bytes[start..start + length]);
            at += length;
        }
        Ok(())
    }

    /// Renews the IDs that stand at `place` in records of `size` bytes, but those in records that `skip` names. How many
    /// objects moved, and their bytes.
    pub fn renew_ids(
        &self,
        records: &mut [u8],
        size: usize,
        place: Range<usize>,
        skip: impl Fn(&[u8]) -> bool,
    ) -> Result<(u64, u64)> {
        let Some(slide) = &self.slide else { return Ok((0, 0)) };
        let (mut objects, mut bytes) = (0, 0);
        for record in records.chunks_exact_mut(size) {
            if skip(record) {
                continue;
            }
            let id = &mut record[place.clone()];
            if let Some((offset, length)) = self.slid(slide, id)? {
                id.copy_from_slice(self.managed_id(offset, length)?.as_slice());
                objects += 1;
                bytes += u64::from(length);
            }
        }
        Ok((objects, bytes))
    }

    /// The new offset of an object, and its length; none where it stays.
    #[inline]
    fn slid(&self, slide: &Slide, id: &[u8]) -> Result<Option<(u64, u32)>> {
        if id.len() < self.id_length() || id_kind(id[0])? != IdKind::Managed {
            return Ok(None);
        }
        let (offset, length, index) = self.managed_object(id)?;
        let Some(source) = slide.sources.get(slide.source_of[index as usize] as usize) else { return Ok(None) };
        let block = &self.table.blocks[index as usize];
        let overhead = self.header.direct_overhead() as u32;
        let at = (offset - block.offset) as u32;
        let live = source.live_before(at, length, overhead, block.size);
        let live = live.ok_or_else(|| self.bad_id(format_args!("{length} bytes at offset {offset:#x}, a hole")))?;
        // There are few.
        let Some(&Segment { live: first, block, at }) =
            source.segments.iter().rev().find(|segment| segment.live <= live)
        else {
            return Err(Error::internal("a heap object that slides nowhere"));
        };
        let target = self.table.blocks[block as usize].offset + u64::from(at + (live - first));
        Ok((target != offset).then_some((target, length)))
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
        self.bump.block = self.table.find(self.table.end.saturating_sub(1)).unwrap_or(NONE);
        self.settle_holes()?;
        self.restore_bump();
        Ok(())
    }
}

impl Source {
    /// Keeps the holes of a block of `size` bytes for [`Source::live_before`].
    fn index_holes(&mut self, mut holes: Vec<u64>, size: u32) {
        let position = |hole: u64| (hole >> 32) as u32;
        let apart = holes.windows(2).map(|pair| position(pair[1]) - position(pair[0])).min();
        self.piece_bits = apart.unwrap_or(size).max(1).ilog2();
        let words = ((size >> self.piece_bits) / u64::BITS) as usize + 1;
        self.begins = vec![0; words];
        let mut sum = 0;
        for hole in &mut holes {
            let piece = position(*hole) >> self.piece_bits;
            self.begins[(piece / u64::BITS) as usize] |= 1 << (piece % u64::BITS);
            sum += *hole & 0xffff_ffff;
            *hole = *hole >> 32 << 32 | sum;
        }
        self.before = self
            .begins
            .iter()
            .scan(0, |before, bits| Some(std::mem::replace(before, *before + bits.count_ones())))
            .collect();
        self.holes = holes;
    }

    /// Living bytes before the object at a position; none when a hole overlaps it. Without a loop or a branch that could
    /// be guessed wrong: the objects of a heap are asked for in no order.
    #[inline]
    fn live_before(&self, at: u32, length: u32, overhead: u32, size: u32) -> Option<u32> {
        let position = |hole: u64| (hole >> 32) as u32;
        let piece = at >> self.piece_bits;
        let word = (piece / u64::BITS) as usize;
        let below = self.begins[word] & ((1 << (piece % u64::BITS)) - 1);
        let next = (self.before[word] + below.count_ones()) as usize;
        let next = next + usize::from(self.holes.get(next).is_some_and(|&hole| position(hole) <= at));
        let sum = |count: usize| count.checked_sub(1).map_or(0, |last| self.holes[last] as u32);
        let before = sum(next);
        let begins = next.checked_sub(1).map_or(overhead, |last| position(self.holes[last]) + (before - sum(last)));
        let ends = self.holes.get(next).map_or(size, |&hole| position(hole));
        (at >= begins && at + length <= ends).then(|| at - overhead - before)
    }
}
