//! Chunks that take space before they are written: where it is allocated early, when the dataset is made or grows, and where late, when
//! its first chunk is written; as libhdf5 does (`H5Pset_alloc_time`). What a filter of the user's makes of a chunk that was never
//! written is made before anything is changed.

use std::collections::HashSet;
use std::sync::Arc;

use super::chunked::{ChunkIo, Stored};
use super::transfer::repeat;
use super::{DatasetState, Storage};
use crate::chunk::Place;
use crate::error::Result;
use crate::format::filter::{self, Codec, Skip};
use crate::format::message::fill::{AllocationTime, Fill, WriteTime};
use crate::format::message::filter_pipeline::Filter;
use crate::format::message::layout::ChunkIndex;
use crate::format::UNDEFINED;
use crate::object::elements_called::cut_off;
use crate::object::header::ObjectHeader;
use crate::store::Store;

/// Chunks, and bytes of them, that are written together.
const MOST_CHUNKS: usize = 256;
const MOST_BYTES: usize = 1 << 20;

/// What is to be done about chunks that were never written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allocation {
    /// All of them take space with the first that is written.
    pub is_late: bool,
    /// The fill value is written to them.
    is_filled: bool,
}

/// A chunk that holds the fill value, as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Blank {
    bytes: Arc<[u8]>,
    filter_mask: u32,
}

/// Such a chunk, and one that reaches beyond the dimensions.
pub(super) type Blanks = [Option<Blank>; 2];

/// What filters of the user's, which may fail, make of chunks of so many bytes that were never written.
pub(super) fn blanks(codec: &mut Codec, filters: [&[Filter]; 2], fill: &[u8], bytes: usize) -> Result<Blanks> {
    let mut data = vec![0; bytes];
    repeat(fill, &mut data);
    let mut blank = |filters| {
        let encoded = codec.encode(filters, &data, Skip::default())?;
        Ok(Some(Blank { bytes: encoded.bytes.into(), filter_mask: encoded.mask }))
    };
    let (whole, edges) = (blank(filters[0])?, filters[1]);
    let partial = if edges.len() == filters[0].len() { whole.clone() } else { blank(edges)? };
    Ok([whole, partial])
}

impl DatasetState {
    /// When chunks take space, and with what.
    pub(super) fn allocation(&self) -> Allocation {
        let is_set = self.fill.write_time != WriteTime::Never && self.fill.fill != Fill::Undefined;
        Allocation {
            // Fill values that own something are each given back by the write that replaces them, which this would follow.
            is_late: self.fill.allocation_time == AllocationTime::Late && !self.has_variable_fill(),
            is_filled: is_set || self.datatype.has_pointers(),
        }
    }

    /// Whether a dataset that grows takes space for its new chunks.
    pub(super) fn allocates_growth(&self) -> bool {
        match &self.storage {
            Storage::Chunked(layout) if layout.index == ChunkIndex::Implicit && layout.address != UNDEFINED => true,
            Storage::Chunked(_) => self.fill.allocation_time == AllocationTime::Early,
            _ => false,
        }
    }

    /// Takes space for the chunks of which nothing lies within `old` dimensions, where that is done early.
    pub(super) fn allocate_chunks(&mut self, store: &mut Store, header: &mut ObjectHeader, old: &[u64]) -> Result<()> {
        match self.allocates_growth() {
            true => self.change_chunks(store, header, |io, store| io.allocate(store, old)),
            false => Ok(()),
        }
    }
}

impl ChunkIo<'_> {
    /// Takes space for the chunks of which nothing lies within `old` dimensions, and fills them as the fill time says. Nothing is
    /// done for those that have space, nor where no one can fill them.
    pub fn allocate(&mut self, store: &mut Store, old: &[u64]) -> Result<()> {
        let bytes = self.check(self.fill.len())?;
        let mut blanks = std::mem::take(&mut self.work.blanks);
        let can_fill =
            blanks[0].is_some() || filter::check_writable(self.filters(false), self.calls_under_lock).is_ok();
        if self.dims.contains(&0) || !can_fill {
            return Ok(());
        }
        let none = vec![0; self.dims.len()];
        let is_new = self.is_implicit() && self.layout.address == UNDEFINED;
        if is_new {
            self.take_extent(store)?;
        }
        let old = if is_new { &none } else { old };
        let has_new = new_chunks(&self.layout.dims, self.dims, old).next().is_some();
        if !is_new && self.is_implicit() && self.has_blanks() && has_new {
            // The new chunks have no place yet, and those that were cut off in another dimension none any more.
            let kept: Vec<u64> = old.iter().zip(self.dims).map(|(&old, &dim)| old.min(dim)).collect();
            self.leave_flushed_extent(store, &kept)?;
        }
        let waiting: HashSet<Vec<u64>> = self.work.cache.places().into_iter().collect();
        let at_once = (MOST_BYTES / bytes).clamp(1, MOST_CHUNKS);
        let mut batch = Vec::with_capacity(at_once);
        for scaled in new_chunks(&self.layout.dims, self.dims, old) {
            if waiting.contains(&scaled) || !self.is_implicit() && self.find(store, &scaled)?.is_some() {
                continue;
            }
            if !self.has_blanks() {
                self.take_space(store, &scaled, bytes as u64)?;
                continue;
            }
            let is_partial = self.is_partial(&scaled);
            let blank = match blanks[usize::from(is_partial)].take().filter(|_| self.filled.is_none()) {
                Some(blank) => blank,
                None => self.blank(store, is_partial, bytes)?,
            };
            blanks[usize::from(is_partial)] = Some(blank.clone());
            batch.push((scaled, blank));
            if batch.len() == at_once {
                self.put_blanks(store, &std::mem::take(&mut batch))?;
            }
        }
        self.put_blanks(store, &batch)
    }

    /// Whether the fill value is written. What filters make of a chunk always is: else they could not undo it.
    fn has_blanks(&self) -> bool {
        self.allocation.is_filled || !self.filters(false).is_empty()
    }

    fn blank(&mut self, store: &mut Store, is_partial: bool, bytes: usize) -> Result<Blank> {
        let mut data = vec![0; bytes];
        repeat(&self.fill, &mut data);
        self.own(store, &mut data)?;
        let (mut codec, failing) = (self.codec(), !self.calls_under_lock);
        let encoded = codec.encode(self.filters(is_partial), &data, Skip { failing, noise: false })?;
        Ok(Blank { bytes: encoded.bytes.into(), filter_mask: encoded.mask })
    }

    fn put_blanks(&mut self, store: &mut Store, batch: &[(Vec<u64>, Blank)]) -> Result<()> {
        let stored = batch.iter().map(|(scaled, blank)| {
            let Blank { bytes, filter_mask } = blank;
            Stored { scaled, filter_mask: *filter_mask, bytes }
        });
        self.put_all(store, &stored.collect::<Vec<_>>())
    }

    /// Takes space for a chunk that is not filled.
    fn take_space(&mut self, store: &mut Store, scaled: &[u64], bytes: u64) -> Result<()> {
        if self.is_implicit() {
            return Ok(());
        }
        let address = reserve(store, bytes)?;
        self.enter(store, scaled, Place { address, size: bytes, filter_mask: 0 })
    }
}

/// Takes space that is not written: the file reaches to its end, so that all of it can be read.
pub(super) fn reserve(store: &mut Store, bytes: u64) -> Result<u64> {
    let address = store.allocate(bytes)?;
    store.write_raw(address + bytes - 1, &[0])?;
    Ok(address)
}

/// The places of chunks that a dataset of these dimensions has, and of which nothing lies within the old ones.
pub(super) fn new_chunks(chunk: &[u64], dims: &[u64], old: &[u64]) -> impl Iterator<Item = Vec<u64>> {
    let grid = |dims: &[u64]| -> Vec<u64> { dims.iter().zip(chunk).map(|(dim, chunk)| dim.div_ceil(*chunk)).collect() };
    cut_off(&grid(dims), &grid(old)).into_iter().flat_map(|(start, block)| {
        let first = (!block.contains(&0)).then(|| start.clone());
        std::iter::successors(first, move |scaled| following(scaled, &start, &block))
    })
}

/// The place behind another one in a block of places, row by row.
pub(super) fn following(scaled: &[u64], start: &[u64], block: &[u64]) -> Option<Vec<u64>> {
    let mut next = scaled.to_vec();
    for d in (0..next.len()).rev() {
        next[d] += 1;
        if next[d] < start[d] + block[d] {
            return Some(next);
        }
        next[d] = start[d];
    }
    None
}
