//! Filling: where all objects have one length, each from the heap's upper blocks takes the place of one that was removed from
//! its lower ones. Only half as many move as slide, each record that leads to one learns at once where it went, and where
//! the bytes came from nothing is written before the commit, so that the redo record need not have them ([`Moved`]). One shot, like a slide, and
//! only for a heap whose IDs stand in one index.

use std::ops::Range;

use super::evacuate::WORTH;
use super::managed::Bump;
use super::slide::GAPS;
use super::table::Block;
use super::Heap;
use crate::error::Result;
use crate::store::{BlockId, Hint, Moved, Store};

/// More moves than these, whose list takes a megabyte, are not listed where holes are long; an evacuation needs no list.
const MOVES_MAX: u64 = 1 << 16;
/// Objects that a long hole has room for.
const LONG: u64 = 8;
/// Records that are looked at together.
const AT_ONCE: usize = 128;
/// Objects that are asked for before the one that is moved.
const AHEAD: usize = 24;
/// Bytes of sources that a processor may be taken to have near; few in tests, so that they go both ways.
const NEAR: u64 = if cfg!(test) { 16 << 10 } else { 512 << 10 };

/// A block whose objects move.
#[derive(Debug)]
struct Source {
    index: u32,
    hint: Hint,
    /// Heap offset of the block.
    offset: u64,
    size: u32,
    /// Bytes of objects that have not moved.
    live: u32,
    /// Whether it is as in the last flushed state.
    clean: bool,
}

/// The hole that is being filled, or what is left of it; none at first.
#[derive(Debug)]
struct Place {
    hint: Hint,
    /// Heap offset of its block.
    offset: u64,
    /// In the block.
    at: u32,
    end: u32,
}

/// The block that it is in, and the holes behind it.
#[derive(Debug)]
struct Target {
    index: u32,
    holes: std::vec::IntoIter<u64>,
    /// The first of the moves to this block.
    first: usize,
    /// Whether it was as in the last flushed state before.
    clean: bool,
}

/// A filling that is going on.
#[derive(Debug)]
pub(super) struct Fill {
    /// Objects at or above this heap offset move.
    watermark: u64,
    /// Bytes of each object.
    length: u32,
    sources: Vec<Source>,
    /// By heap offset from the watermark on, in smallest blocks: which source it is.
    source_at: Vec<u16>,
    start_bits: u32,
    /// Whether the sources are so large that the processor has most of them far away.
    far: bool,
    hole: Place,
    target: Option<Target>,
    moves: Vec<Moved>,
    /// Blocks that were as in the last flushed state before they were filled, and the moves to each.
    filled: Vec<(BlockId, Range<usize>)>,
}

/// Not a source.
const NO_SOURCE: u16 = u16::MAX;

impl Fill {
    /// The source that has a heap offset at or above the watermark.
    #[inline(always)]
    fn source(&self, offset: u64) -> Option<usize> {
        let number = *self.source_at.get(((offset - self.watermark) >> self.start_bits) as usize)?;
        (usize::from(number) < self.sources.len()).then_some(number.into())
    }

    /// Asks the processor for an object.
    #[inline(always)]
    fn ask_ahead(&self, store: &Store, offset: u64) {
        if let Some(source) = self.source(offset).map(|number| &self.sources[number]) {
            let at = (offset - source.offset) as usize;
            store.prefetch_whole(source.hint, at..at + self.length as usize);
        }
    }
}

impl Heap {
    /// Begins to fill holes, if all objects have one length as far as the holes tell, and blocks can be given back by
    /// it: then [`fill_holes`](Heap::fill_holes) wants to see every ID, and [`end_fill`](Heap::end_fill) ends it. All that is to
    /// move, and where to, is read before. Nothing else may be done with the heap meanwhile.
    pub fn begin_fill(&mut self, store: &mut Store, id_length: usize) -> Result<bool> {
        self.break_off_evacuation()?;
        self.begin_change(store)?;
        self.restore_low_blocks(store)?;
        self.settle_holes()?;
        let planned = self.plan_fill().filter(|_| self.packed_ids(id_length).is_some());
        let Some((watermark, length)) = planned else {
            self.restore_bump();
            return Ok(false);
        };
        let mut fill = Fill {
            watermark,
            length,
            sources: Vec::new(),
            source_at: vec![NO_SOURCE; ((self.table.end - watermark) >> self.header.table.start_bits) as usize],
            start_bits: self.header.table.start_bits,
            far: self.table.end - watermark > NEAR,
            hole: Place { hint: Hint::NONE, offset: 0, at: 0, end: 0 },
            target: None,
            moves: Vec::new(),
            filled: Vec::new(),
        };
        let mut offset = 0;
        while let Some(index) = self.table.next_block(offset) {
            let above = self.table.blocks[index as usize].offset.checked_sub(watermark);
            if above.is_some() || self.has_place(index, length) {
                self.direct_block(store, index)?;
            }
            let Block { offset: start, size, live, cached: hint, .. } = self.table.blocks[index as usize];
            if let Some(above) = above {
                let granules = fill.source_at.iter_mut().skip((above >> fill.start_bits) as usize);
                granules.take((size >> fill.start_bits) as usize).for_each(|at| *at = fill.sources.len() as u16);
                let clean = !store.is_dirty(hint.id);
                fill.sources.push(Source { index, hint, offset: start, size, live, clean });
            }
            offset = start + u64::from(size);
        }
        self.next_target(store, &mut fill, 0)?;
        self.fill = Some(Box::new(fill));
        Ok(true)
    }

    /// The heap offset from which on objects move, and the length that they have. Holes that are no multiples of it, but for
    /// the last in a block, have room for other objects, and a slide does better.
    fn plan_fill(&self) -> Option<(u64, u32)> {
        let count = self.header.managed_count;
        let length = self.live.checked_div(count).filter(|length| length * count == self.live)?;
        let length = u16::try_from(length).ok().filter(|&length| length > 0)?.into();
        let (mut places, mut offset, mut below, mut kept, mut runs) = (0, 0, 0, 0, 0);
        while places < count {
            let index = self.table.next_block(offset)?;
            let (block, holes) = (&self.table.blocks[index as usize], &self.table.holes[index as usize]);
            if !holes.iter().all(|(at, bytes)| bytes % length == 0 || at + bytes == block.size) {
                return None;
            }
            places += u64::from((block.live + holes.bytes) / length);
            kept += u64::from(block.live / length);
            runs += holes.iter().count() as u64;
            below += u64::from(block.size);
            offset = block.offset + u64::from(block.size);
        }
        let (gain, moves) = (self.table.bytes - below, count.saturating_sub(kept));
        if moves > MOVES_MAX && runs * LONG < moves {
            return None;
        }
        // Sources are looked up by heap offset.
        let few = self.table.count < u64::from(NO_SOURCE) && self.table.end <= self.table.bytes.saturating_mul(GAPS);
        (few && gain > 0 && gain >= self.table.bytes / WORTH).then_some((offset, length))
    }

    /// Whether a block has a hole for an object of `length` bytes.
    fn has_place(&self, index: u32, length: u32) -> bool {
        self.table.holes[index as usize].iter().any(|(_, bytes)| bytes >= length)
    }

    /// Goes on to the first block from `offset` on that has a place; false where none is left.
    fn next_target(&mut self, store: &mut Store, fill: &mut Fill, mut offset: u64) -> Result<bool> {
        self.leave_target(fill);
        while let Some(index) = self.table.next_block(offset) {
            let block = &self.table.blocks[index as usize];
            if block.offset >= fill.watermark {
                break;
            }
            let (start, size) = (block.offset, block.size);
            offset = start + u64::from(size);
            if !self.has_place(index, fill.length) {
                continue;
            }
            let id = self.direct_block(store, index)?;
            let holes = self.table.holes[index as usize].take();
            let clean = !store.is_dirty(id);
            store.bytes_mut(id);
            fill.hole = Place { hint: store.hint(id), offset: start, at: 0, end: 0 };
            fill.target = Some(Target { index, holes: holes.into_iter(), first: fill.moves.len(), clean });
            return Ok(true);
        }
        Ok(false)
    }

    /// What is left of a block's holes is its own again.
    fn leave_target(&mut self, fill: &mut Fill) {
        let Some(target) = fill.target.take() else { return };
        let holes = &mut self.table.holes[target.index as usize];
        if fill.hole.at < fill.hole.end {
            holes.push(fill.hole.at, fill.hole.end - fill.hole.at);
        }
        target.holes.for_each(|hole| holes.push((hole >> 32) as u32, hole as u32));
        let moves = target.first..fill.moves.len();
        self.table.blocks[target.index as usize].live += moves.len() as u32 * fill.length;
        if target.clean && !moves.is_empty() {
            fill.filled.push((fill.hole.hint.id, moves));
        }
        fill.hole.at = fill.hole.end;
    }

    /// Moves what the records of `size` bytes at `places` of a block lead to, if it has to move, and puts the new ID where
    /// the old one stands, at `place` in each; not for records that `skip` names. How many objects moved, and their bytes.
    pub fn fill_holes(
        &mut self,
        store: &mut Store,
        (block, places): (BlockId, Range<usize>),
        size: usize,
        place: Range<usize>,
        skip: impl Fn(&[u8]) -> bool,
    ) -> Result<(u64, u64)> {
        let (Some(mut fill), Some(packed)) = (self.fill.take(), self.packed_ids(place.len())) else {
            return Ok((0, 0));
        };
        let (before, watermark, length) = (fill.moves.len(), fill.watermark, u64::from(fill.length));
        for start in places.clone().step_by(AT_ONCE * size) {
            // Which of them move is as good as random: no branch could be guessed.
            let (mut high, mut count) = ([(0, 0); AT_ONCE], 0);
            let end = places.end.min(start + AT_ONCE * size);
            for (number, record) in store.bytes(block)[start..end].chunks_exact(size).enumerate() {
                let (offset, bytes, managed) = packed.split(&record[place.start..]);
                high[count % AT_ONCE] = (number as u32, offset);
                count += usize::from(managed & (offset >= watermark) & (bytes == length) & !skip(record));
            }
            let Some(high) = high.get_mut(..count).filter(|high| !high.is_empty()) else { continue };
            self.move_down(store, &mut fill, high)?;
            let records = &mut store.bytes_mut(block)[start..end];
            for &(number, offset) in &*high {
                let at = number as usize * size;
                packed.encode(offset, length, &mut records[at + place.start..at + place.end]);
            }
        }
        let moved = (fill.moves.len() - before) as u64;
        let bytes = moved * length;
        self.fill = Some(fill);
        Ok((moved, bytes))
    }

    /// Moves the objects at these heap offsets, and puts in where to; those for which there is no place left stay.
    #[inline(always)]
    fn move_down(&mut self, store: &mut Store, fill: &mut Fill, objects: &mut [(u32, u64)]) -> Result<()> {
        let (length, overhead) = (fill.length, self.header.direct_overhead());
        fill.moves.reserve(objects.len());
        if fill.far {
            objects.iter().take(AHEAD).for_each(|&(_, offset)| fill.ask_ahead(store, offset));
        }
        for at in 0..objects.len() {
            if let Some(&(_, offset)) = objects.get(at + AHEAD).filter(|_| fill.far) {
                fill.ask_ahead(store, offset);
            }
            let offset = objects[at].1;
            let Some(number) = fill.source(offset) else {
                return Err(
                    self.bad_id(format_args!("{length} bytes at offset {offset:#x}, which are in no direct block"))
                );
            };
            let source = &fill.sources[number];
            let from = offset - source.offset;
            let inside = from >= overhead && from + u64::from(length) <= source.size.into();
            let Some(live) = source.live.checked_sub(length).filter(|_| inside) else {
                return Err(self.bad_id(format_args!("{length} bytes at offset {offset:#x}, more than live there")));
            };
            if fill.hole.end - fill.hole.at < length && !self.next_hole(store, fill)? {
                return Ok(());
            }
            let (source, hole) = (&mut fill.sources[number], &mut fill.hole);
            source.live = live;
            store.copy_bytes((source.hint, from as usize), (hole.hint, hole.at as usize), length as usize);
            fill.moves.push(Moved { at: hole.at, from: from as u32, length: length as u16, source: number as u16 });
            objects[at].1 = hole.offset + u64::from(hole.at);
            hole.at += length;
        }
        Ok(())
    }

    /// Goes on to the next hole that has room for an object; false where there is none.
    fn next_hole(&mut self, store: &mut Store, fill: &mut Fill) -> Result<bool> {
        while let Some(target) = &mut fill.target {
            let hole = &mut fill.hole;
            if let Some(next) = target.holes.next() {
                if hole.at < hole.end {
                    self.table.holes[target.index as usize].push(hole.at, hole.end - hole.at);
                }
                hole.at = (next >> 32) as u32;
                hole.end = hole.at + next as u32;
                if hole.end - hole.at >= fill.length {
                    return Ok(true);
                }
                continue;
            }
            let block = &self.table.blocks[target.index as usize];
            let end = block.offset + u64::from(block.size);
            self.next_target(store, fill, end)?;
        }
        Ok(false)
    }

    /// Ends it: emptied blocks are given back.
    pub fn end_fill(&mut self, store: &mut Store) -> Result<()> {
        let Some(mut fill) = self.fill.take() else { return Ok(()) };
        self.leave_target(&mut fill);
        for source in &fill.sources {
            self.table.blocks[source.index as usize].live = source.live;
            if source.live == 0 {
                let overhead = self.header.direct_overhead() as u32;
                let holes = &mut self.table.holes[source.index as usize];
                holes.clear();
                holes.push(overhead, source.size - overhead);
            }
        }
        // Those with objects of another length, or with more than there was room for.
        if fill.sources.iter().any(|source| source.live > 0) {
            for moved in &fill.moves {
                let source = &fill.sources[usize::from(moved.source)];
                if source.live > 0 {
                    self.table.holes[source.index as usize].push(moved.from, fill.length);
                }
            }
        }
        let sources = fill.sources.iter().map(|source| (source.hint.id, source.clean));
        store.note_moves(fill.moves, sources, fill.filled.into_iter());
        self.bump = Bump::NONE;
        self.free_empty_blocks(store)?;
        self.end_moving()
    }
}
