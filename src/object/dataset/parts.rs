//! Points, lists of selections, and selections of the caller's own array.

use super::selection::{Selection, Slab};
use super::{DatasetState, Storage};
use crate::datatype::{Datatype, Pointers};
use crate::error::{Error, ErrorKind, Result};
use crate::object::elements::is_simple;
use crate::object::state::State;
use crate::object::Object;

impl DatasetState {
    /// The order in which points are visited: those of one chunk together, and equal ones as they are given.
    pub(super) fn order_of(&self, points: &[&[u64]]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..points.len()).collect();
        let chunk = match &self.storage {
            Storage::Chunked(layout) => layout.dims.as_slice(),
            _ => &[],
        };
        let place = |&number: &usize| -> Vec<u64> {
            let point = points[number].iter().enumerate();
            point.map(|(d, at)| at / chunk.get(d).copied().unwrap_or(1).max(1)).collect()
        };
        order.sort_by_cached_key(place);
        order
    }
}

/// The points of a list of coordinates.
fn split(points: &[u64], rank: usize) -> Result<Vec<&[u64]>> {
    if rank == 0 || !points.len().is_multiple_of(rank) {
        let message = format!("{} coordinates are no points of a dataset of rank {rank}", points.len());
        return Err(Error::new(ErrorKind::Argument, message));
    }
    Ok(points.chunks_exact(rank).collect())
}

/// A buffer as elements of a size, as many as there are points.
fn check_length(length: usize, count: usize, size: usize) -> Result<()> {
    if count.checked_mul(size) != Some(length) {
        let message = format!("{count} elements of {size} bytes do not match a buffer of {length}");
        return Err(Error::new(ErrorKind::Argument, message));
    }
    Ok(())
}

impl Object {
    /// Reads the elements at `points`, as many coordinates each as the dataset has dimensions, converted to type `memory`, into
    /// `out` in their order, with somewhere for what pointers in them lead to.
    pub fn dataset_read_points(
        &self,
        memory: &Datatype,
        points: &[u64],
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        const WHAT: &str = "reading points of";
        let (points, size) = (self.points(points)?, memory.size());
        check_length(out.len(), points.len(), size)?;
        let count = vec![1; points.first().map_or(0, |point| point.len())];
        let selection =
            |number: usize| Selection { start: Some(points[number]), count: Some(&count), ..Selection::default() };
        let (is_near, is_called) = self.is_near(WHAT, memory)?;
        if is_called {
            self.read_points_called(memory, &points, out)?;
            self.note_read(WHAT)?;
            return self.pin_referenced(memory, out);
        }
        if !is_near {
            let places = out.chunks_exact_mut(size.max(1)).enumerate();
            return places.into_iter().try_for_each(|(number, place)| {
                self.dataset_read_values(memory, Some(&selection(number)), |_| Ok(place), pointers)
            });
        }
        self.read_counted(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            for number in array.order_of(&points) {
                let place = &mut out[number * size..(number + 1) * size];
                array.read(store, header, memory, Some(&selection(number)), place)?;
            }
            Ok(())
        })?;
        self.pin_referenced(memory, out)
    }

    /// Writes elements of type `memory`, with what pointers in them lead to, to the places `points`; of those at the same place
    /// the last one stays. Nothing is written if one is outside.
    pub fn dataset_write_points(
        &self,
        memory: &Datatype,
        points: &[u64],
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        const WHAT: &str = "writing points of";
        let dims = self.dataset_dims()?.unwrap_or_default();
        let (points, size) = (self.points(points)?, memory.size());
        check_length(data.len(), points.len(), size)?;
        let count = vec![1; dims.len()];
        let selection =
            |number: usize| Selection { start: Some(points[number]), count: Some(&count), ..Selection::default() };
        (0..points.len()).try_for_each(|number| selection(number).elements(&dims).map(|_| ()))?;
        let element = |number: usize| &data[number * size..(number + 1) * size];
        let (is_near, is_called) = self.is_near(WHAT, memory)?;
        if is_called {
            return self.write_points_called(memory, &points, data);
        }
        if !is_near {
            return (0..points.len()).try_for_each(|number| {
                self.dataset_write_values(memory, Some(&selection(number)), |_| Ok(element(number)), pointers)
            });
        }
        self.change(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let mut order = array.order_of(&points).into_iter();
            let written = order
                .try_for_each(|number| array.write(store, header, memory, Some(&selection(number)), element(number)));
            if written.is_ok() || array.has_unwritten() {
                objects.mark(slot)?;
            }
            written
        })
    }

    fn points<'p>(&self, points: &'p [u64]) -> Result<Vec<&'p [u64]>> {
        split(points, self.dataset_dims()?.unwrap_or_default().len())
    }

    /// Whether elements are in the file, and take no more than the conversion of numbers and strings; and whether these go through
    /// a filter of the user's.
    fn is_near(&self, what: &str, memory: &Datatype) -> Result<(bool, bool)> {
        self.read(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let is_near = is_simple(memory, array.datatype()) && !array.is_elsewhere();
            Ok((is_near, is_near && array.calls_back(store, header)?))
        })
    }

    /// Reads the elements of each selection, one after the other, into `out`, with somewhere for what pointers in them lead to.
    pub fn dataset_read_list(
        &self,
        memory: &Datatype,
        selections: &[Selection<'_>],
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let lengths = self.lengths(memory, selections, out.len())?;
        let mut rest = out;
        for (selection, length) in selections.iter().zip(lengths) {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(length);
            self.dataset_read_values(memory, Some(selection), |_| Ok(part), pointers)?;
            rest = after;
        }
        Ok(())
    }

    /// Writes the elements of each selection, one after the other, from `data`, with what pointers in them lead to; where
    /// selections meet, the last one stays. Nothing is written if one is outside.
    pub fn dataset_write_list(
        &self,
        memory: &Datatype,
        selections: &[Selection<'_>],
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let lengths = self.lengths(memory, selections, data.len())?;
        let mut rest = data;
        for (selection, length) in selections.iter().zip(lengths) {
            let (part, after) = rest.split_at(length);
            self.dataset_write_values(memory, Some(selection), |_| Ok(part), pointers)?;
            rest = after;
        }
        Ok(())
    }

    /// Bytes of the elements of each selection, which together fill a buffer.
    fn lengths(&self, memory: &Datatype, selections: &[Selection<'_>], length: usize) -> Result<Vec<usize>> {
        let dims = self.dataset_dims()?.unwrap_or_default();
        let mut left = length as u64;
        let mut lengths = Vec::with_capacity(selections.len());
        let mismatch =
            || Error::new(ErrorKind::Argument, format!("the selections do not fill a buffer of {length} bytes"));
        for selection in selections {
            let bytes = selection.elements(&dims)?.checked_mul(memory.size() as u64);
            let bytes = bytes.filter(|&bytes| bytes <= left).ok_or_else(mismatch)?;
            left -= bytes;
            lengths.push(bytes as usize);
        }
        if left > 0 {
            return Err(mismatch());
        }
        Ok(lengths)
    }

    /// Reads the selected elements (all, without a selection) to the places that `within` selects in an array of dimensions
    /// `dims`, of which `out` are all elements; what is not selected there stays as it is. What pointers lead to gets somewhere.
    pub fn dataset_read_into(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        dims: &[u64],
        within: Option<&Selection<'_>>,
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let (slab, size) = (places(memory, dims, within, out.len())?, memory.size());
        let mut elements = gathered(&slab, size, out)?;
        self.dataset_read_values(memory, selection, |_| Ok(&mut elements), pointers)?;
        let mut rest = elements.as_slice();
        slab.for_each_run(|first, length| {
            let (run, after) = rest.split_at(length as usize * size);
            out[first as usize * size..][..run.len()].copy_from_slice(run);
            rest = after;
            Ok(())
        })
    }

    /// Writes the elements that `within` selects in an array of dimensions `dims`, of which `data` are all elements, to the
    /// selected places (all, without a selection).
    pub fn dataset_write_from(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        dims: &[u64],
        within: Option<&Selection<'_>>,
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let (slab, size) = (places(memory, dims, within, data.len())?, memory.size());
        let elements = gathered(&slab, size, data)?;
        self.dataset_write_values(memory, selection, |_| Ok(&elements), pointers)
    }
}

/// The selected elements of an array.
fn gathered(slab: &Slab, size: usize, array: &[u8]) -> Result<Vec<u8>> {
    let mut elements = Vec::with_capacity(slab.elements() as usize * size);
    slab.for_each_run(|first, length| {
        elements.extend_from_slice(&array[first as usize * size..][..length as usize * size]);
        Ok(())
    })?;
    Ok(elements)
}

/// The places of a selection in an array whose elements fill a buffer.
fn places(memory: &Datatype, dims: &[u64], within: Option<&Selection<'_>>, length: usize) -> Result<Slab> {
    let elements = dims.iter().try_fold(memory.size() as u64, |bytes, &dim| bytes.checked_mul(dim));
    if elements != Some(length as u64) {
        let message = format!("an array of {dims:?} elements of {} bytes is not {length} bytes", memory.size());
        return Err(Error::new(ErrorKind::Argument, message));
    }
    Slab::new(within, dims)
}
