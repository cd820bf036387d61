//! Chunks of a dataset whose dimensions shrink.

use std::sync::atomic::Ordering;

use super::chunked::{ChunkIo, Stored};
use super::pieces::source;
use super::selection::{Selection, Slab};
use super::transfer::repeat;
use crate::chunk::{Chunks, Index};
use crate::error::Result;
use crate::format::message::layout::ChunkIndex;
use crate::format::UNDEFINED;
use crate::store::Store;

/// The chunks of a dataset whose dimensions shrink.
pub(super) struct Sorted {
    /// Those outside, in the file or the cache.
    pub outside: Vec<Vec<u64>>,
    /// Those of which a part lies outside.
    pub cut: Vec<Vec<u64>>,
}

impl ChunkIo<'_> {
    /// Brings the chunks in line with new dimensions: those outside are freed, and what lies outside of others is as if
    /// it had never been written. What is left of these may be `remade` already.
    pub fn shrink(&mut self, store: &mut Store, new: &[u64], remade: Option<&[Stored<'_>]>) -> Result<()> {
        let bytes = self.check(self.fill.len())?;
        self.check_can_move()?;
        let Sorted { outside, cut } = self.sort_for(store, new)?;
        match remade {
            Some(remade) => self.put_all(store, remade)?,
            None => {
                self.check_can_write()?;
                cut.iter().try_for_each(|scaled| self.clear_outside(store, scaled, new, bytes))?;
            }
        }
        outside.iter().for_each(|scaled| self.work.cache.remove(scaled));
        self.take_out(store, outside)
    }

    /// What new dimensions mean for the chunks.
    pub fn sort_for(&mut self, store: &mut Store, new: &[u64]) -> Result<Sorted> {
        let rank = new.len();
        let shrinks = |d: usize| new[d] < self.dims[d];
        let (mut outside, mut cut) = (Vec::new(), Vec::new());
        let layout = &*self.layout;
        let mut sort = |scaled: &[u64]| {
            if (0..rank).any(|d| scaled[d].saturating_mul(layout.dims[d]) >= new[d]) {
                outside.push(scaled.to_vec());
            } else if (0..rank).any(|d| shrinks(d) && new[d] - scaled[d] * layout.dims[d] < layout.dims[d]) {
                cut.push(scaled.to_vec());
            }
        };
        self.work.cache.places().iter().for_each(|scaled| sort(scaled));
        self.chunks().for_each(store, |chunk| {
            sort(chunk.scaled);
            Ok(())
        })?;
        for places in [&mut outside, &mut cut] {
            places.sort_unstable();
            places.dedup();
        }
        Ok(Sorted { outside, cut })
    }

    /// Frees those of the chunks that are in the file, where they are now: the cut ones may have displaced some from the cache.
    fn take_out(&mut self, store: &mut Store, outside: Vec<Vec<u64>>) -> Result<()> {
        // The space of those in an implicit index stays the dataset's; they are filled when it grows again.
        let is_implicit = self.is_implicit();
        let (mut removed, mut freed) = (Vec::new(), Vec::new());
        for scaled in outside.into_iter().filter(|_| !is_implicit) {
            if let Some(place) = self.find(store, &scaled)? {
                removed.push(scaled);
                freed.push((place.address, place.size));
            }
        }
        self.changes.fetch_add(1, Ordering::SeqCst);
        if removed.is_empty() {
            return Ok(());
        }
        if let ChunkIndex::Single { filtered } = &mut self.layout.index {
            self.layout.address = UNDEFINED;
            *filtered = filtered.map(|_| (0, 0));
            self.work.index = None;
        } else {
            let chunks = Chunks { layout: self.layout, dims: self.dims, max_dims: self.max_dims };
            let index = match &mut self.work.index {
                Some(index) => index,
                none => none.insert(Index::open(&chunks, store)?),
            };
            index.remove(&chunks, store, &removed)?;
        }
        freed.into_iter().for_each(|(address, size)| store.free(address, size));
        Ok(())
    }

    /// Gives the elements of a chunk that lie outside new dimensions the fill value.
    fn clear_outside(&mut self, store: &mut Store, scaled: &[u64], new: &[u64], bytes: usize) -> Result<()> {
        let chunk = self.layout.dims.clone();
        let old = match self.work.cache.get(scaled) {
            Some(data) => data.to_vec(),
            None => self.load(store, scaled, self.is_partial(scaled), bytes)?,
        };
        let mut data = cut_to(&chunk, scaled, (self.dims, new), (&self.fill, self.filled.is_some()), &old)?;
        self.own(store, &mut data)?;
        self.work.cache.insert(scaled, data, true);
        self.write_surplus(store)
    }
}

/// The elements of a chunk, with the fill value where they lie in the old dimensions and outside new ones. Elements that were outside
/// before own a fill value each, if there is something to own.
pub(super) fn cut_to(
    chunk: &[u64],
    scaled: &[u64],
    (dims, new): (&[u64], &[u64]),
    (fill, owns): (&[u8], bool),
    old: &[u8],
) -> Result<Vec<u8>> {
    let (mut data, element) = (old.to_vec(), fill.len());
    let place = |from: u64, length: u64| from as usize * element..(from + length) as usize * element;
    if !owns {
        repeat(fill, &mut data);
    }
    inside(scaled, chunk, dims, |from, length| repeat(fill, &mut data[place(from, length)]))?;
    inside(scaled, chunk, new, |from, length| {
        data[place(from, length)].copy_from_slice(source(old, from, length, element));
    })?;
    Ok(data)
}

/// Calls `visit` with the runs of a chunk's elements that lie in a dataset of these dimensions.
fn inside(scaled: &[u64], chunk: &[u64], dims: &[u64], mut visit: impl FnMut(u64, u64)) -> Result<()> {
    let start: Vec<u64> = scaled.iter().zip(chunk).map(|(at, chunk)| at * chunk).collect();
    let block: Vec<u64> = (0..dims.len()).map(|d| dims[d].saturating_sub(start[d]).min(chunk[d])).collect();
    let ones = vec![1; dims.len()];
    let selection = Selection { start: Some(&start), count: Some(&ones), block: Some(&block), ..Selection::default() };
    Slab::with_all_dimensions(Some(&selection), dims)?.for_each_cut(chunk, |ref cut| {
        cut.for_each_run(|from, _, length| {
            visit(from, length);
            Ok(())
        })
    })
}
