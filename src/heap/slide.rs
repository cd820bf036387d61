//! Sliding: what is left in sparse blocks moves down, block by block in the heap's order, until it is packed. Bytes between
//! two holes move together, so nothing has to be known of the objects there; who holds an ID asks for the new one
//! afterwards. Memory is read and written in order, and no more is kept than the lists of holes that are there anyway.
//! One shot, for a flush or close and for rebalancing on demand.

use super::holes::{Bins, Hole};
use super::managed::Bump;
use super::table::NONE;
use super::{Heap, HeapId};
use crate::error::Result;
use crate::format::fractal_heap::{id_kind, IdKind};
use crate::store::Store;

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
    /// How many holes begin before each piece of `1 << piece_bits` bytes: where a search begins.
    before: Vec<u16>,
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

    /// Moves all bytes. From now on [`Heap::slid`] tells what became of an ID, until [`Heap::end_slide`]; nothing else
    /// may be asked for with an old ID.
    pub fn begin_slide(&mut self, store: &mut Store, mut slide: Slide) -> Result<()> {
        self.settle_holes()?;
        let overhead = self.header.direct_overhead() as u32;
        for source in &mut slide.sources {
            let size = self.table.blocks[source.index as usize].size;
            let holes = self.table.holes[source.index as usize].take();
            let (mut live, mut segment) = (0, 0);
            let mut outcome = Ok(());
            stretches(holes.iter().map(|&hole| ((hole >> 32) as u32, hole as u32)), overhead, size, |from, length| {
                segment += usize::from(source.segments.get(segment + 1).is_some_and(|next| next.live <= live));
                let Segment { live: first, block, at } = source.segments[segment];
                if outcome.is_ok() {
                    outcome = self.move_bytes(store, (source.index, from), (block, at + (live - first)), length);
                }
                live += length;
            });
            outcome?;
            source.index_holes(holes, size);
        }
        for (number, source) in slide.sources.iter().enumerate() {
            let block = &mut self.table.blocks[source.index as usize];
            block.live = slide.ends.get(number).map_or(0, |end| end - overhead);
        }
        self.slide = Some(Box::new(slide));
        Ok(())
    }

    fn move_bytes(&mut self, store: &mut Store, from: (u32, u32), to: (u32, u32), length: u32) -> Result<()> {
        if from == to {
            return Ok(());
        }
        let (start, at, count) = (from.1 as usize, to.1 as usize, length as usize);
        let source = self.direct_block(store, from.0)?;
        if from.0 == to.0 {
            store.bytes_mut(source).copy_within(start..start + count, at);
            return Ok(());
        }
        let target = self.direct_block(store, to.0)?;
        let (bytes, into) = store.two_mut(source, target)?;
        into[at..at + count].copy_from_slice(&bytes[start..start + count]);
        Ok(())
    }

    /// The new ID and the length of an object; none where the ID stays the same.
    #[inline]
    pub fn slid(&self, id: &[u8]) -> Result<Option<(HeapId, u32)>> {
        let Some(slide) = &self.slide else { return Ok(None) };
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
        let segment = source.segments.partition_point(|segment| segment.live <= live) - 1;
        let Segment { live: first, block, at } = source.segments[segment];
        let target = self.table.blocks[block as usize].offset + u64::from(at + (live - first));
        if target == offset {
            return Ok(None);
        }
        Ok(Some((self.managed_id(target, length)?, length)))
    }

    /// Ends it: emptied blocks are given back.
    pub fn end_slide(&mut self, store: &mut Store) -> Result<()> {
        let Some(slide) = self.slide.take() else { return Ok(()) };
        self.bump = Bump::NONE;
        for (source, &end) in slide.sources.iter().zip(&slide.ends) {
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
        self.piece_bits = size.div_ceil(holes.len().max(1) as u32).next_power_of_two().trailing_zeros();
        let (mut sum, mut pieces) = (0, 0);
        self.before.reserve_exact((size >> self.piece_bits) as usize + 1);
        for (number, hole) in holes.iter_mut().enumerate() {
            let position = (*hole >> 32) as u32;
            while pieces << self.piece_bits <= position {
                self.before.push(number as u16);
                pieces += 1;
            }
            sum += *hole & 0xffff_ffff;
            *hole = *hole >> 32 << 32 | sum;
        }
        self.before.resize((size >> self.piece_bits) as usize + 1, holes.len() as u16);
        self.holes = holes;
    }

    /// Living bytes before the object at a position; none when a hole overlaps it.
    #[inline]
    fn live_before(&self, at: u32, length: u32, overhead: u32, size: u32) -> Option<u32> {
        let holes = &self.holes;
        let position = |hole: u64| (hole >> 32) as u32;
        let mut next = usize::from(self.before[(at >> self.piece_bits) as usize]);
        while next < holes.len() && position(holes[next]) <= at {
            next += 1;
        }
        let sum = |count: usize| count.checked_sub(1).map_or(0, |last| holes[last] as u32);
        let before = sum(next);
        let begins = next.checked_sub(1).map_or(overhead, |last| position(holes[last]) + (before - sum(last)));
        let ends = holes.get(next).map_or(size, |&hole| position(hole));
        (at >= begins && at + length <= ends).then(|| at - overhead - before)
    }
}
