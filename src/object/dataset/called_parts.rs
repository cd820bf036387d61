//! Points of datasets with a filter of the user's, and shrinking them: as in [`called`](super::called), without any lock while
//! the filter works.

use std::sync::atomic::Ordering;

use super::called::{Called, Made};
use super::chunked::Stored;
use super::selection::Selection;
use super::shrink::cut_to;
use super::DatasetState;
use crate::datatype::{Conversion, Datatype};
use crate::error::Result;
use crate::format::filter::Codec;
use crate::object::elements_called::cut_off;
use crate::object::header::ObjectHeader;
use crate::object::state::State;
use crate::object::Object;
use crate::store::Store;

/// Bytes of encoded chunks that wait to be stored together.
const BATCH: usize = 32 << 20;

/// Points of one chunk: its place, and their numbers.
type Group = (Vec<u64>, Vec<usize>);

/// What a call with points has to know.
struct PointPlan {
    plan: Called,
    groups: Vec<Group>,
    /// Where each point is in its chunk, in elements.
    places: Vec<usize>,
}

impl DatasetState {
    fn plan_points(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        conversion: Conversion,
        points: &[&[u64]],
    ) -> Result<PointPlan> {
        let dims = self.dataspace.dims().to_vec();
        let one = vec![1; dims.len()];
        for point in points {
            Selection { start: Some(point), count: Some(&one), ..Selection::default() }.elements(&dims)?;
        }
        let plan = self.plan_called(store, header, None, conversion, &dims)?;
        let (mut groups, mut places) = (Vec::<Group>::new(), vec![0; points.len()]);
        for number in self.order_of(points) {
            let coordinates = || points[number].iter().zip(&plan.chunk);
            places[number] = coordinates().fold(0, |place, (at, chunk)| place * chunk + at % chunk) as usize;
            let scaled: Vec<u64> = coordinates().map(|(at, chunk)| at / chunk).collect();
            match groups.last_mut().filter(|(last, _)| *last == scaled) {
                Some((_, numbers)) => numbers.push(number),
                None => groups.push((scaled, vec![number])),
            }
        }
        Ok(PointPlan { plan, groups, places })
    }

    /// The chunks that new dimensions, which are smaller, cut; what is made of them counts if nothing changes meanwhile.
    fn plan_shrinking(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        new: &[u64],
    ) -> Result<(Called, Vec<Vec<u64>>)> {
        let (dims, seen) = (self.dataspace.dims().to_vec(), self.changes.load(Ordering::SeqCst));
        let conversion = Conversion::between(&self.datatype, &self.datatype)?;
        let mut plan = self.plan_called(store, header, None, conversion, &dims)?;
        plan.seen = Some(seen);
        let cut = self.chunk_io(store, header)?.sort_for(store, new)?.cut;
        Ok((plan, cut))
    }

    /// Whether dimensions are smaller than the dataset's.
    pub(in crate::object) fn is_shrunk_by(&self, dims: &[u64]) -> bool {
        dims.len() == self.dataspace.dims().len() && dims.iter().zip(self.dataspace.dims()).any(|(new, old)| new < old)
    }

    /// Changes the dimensions, with what is left of the chunks that they cut; false, and nothing is changed, if the dataset is
    /// not what it was.
    pub(in crate::object) fn set_extent_called(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        dims: &[u64],
        remade: &Remade,
    ) -> Result<bool> {
        if !self.are_as_made(store, header, &remade.plan, &remade.made)? {
            return Ok(false);
        }
        let stored: Vec<Stored<'_>> = remade.made.iter().map(Made::stored).collect();
        self.set_extent_with(store, header, dims, Some(&stored))?;
        Ok(true)
    }
}

/// What is left of chunks that are cut.
pub(in crate::object) struct Remade {
    plan: Called,
    made: Vec<Made>,
}

impl Object {
    /// Reads the elements at points of a dataset that calls back.
    pub(super) fn read_points_called(&self, memory: &Datatype, points: &[&[u64]], out: &mut [u8]) -> Result<()> {
        const WHAT: &str = "reading points of";
        let mut is_done = false;
        while !is_done {
            let plan = self.read(WHAT, "", |state, slot| {
                let State { store, objects, .. } = state;
                let (header, array) = objects.get(slot)?.array()?;
                let conversion = Conversion::between(&array.datatype, memory)?;
                array.plan_points(store, header, conversion, points)
            })?;
            is_done = self.for_each_group(WHAT, &plan, |_, _, elements, numbers| {
                let (from, to) = (elements.len() / plan.plan.elements(), memory.size());
                for &number in numbers {
                    let element = &elements[plan.places[number] * from..][..from];
                    plan.plan.conversion.run(element, &mut out[number * to..(number + 1) * to])?;
                }
                Ok(true)
            })?;
        }
        Ok(())
    }

    /// Writes elements to points of a dataset that calls back.
    pub(super) fn write_points_called(&self, memory: &Datatype, points: &[&[u64]], data: &[u8]) -> Result<()> {
        const WHAT: &str = "writing points of";
        let mut is_done = false;
        while !is_done {
            let plan = self.change(WHAT, "", |state, slot| {
                let State { store, objects, .. } = state;
                store.check_writable()?;
                let (header, array) = objects.get(slot)?.array()?;
                let conversion = Conversion::between(memory, &array.datatype)?;
                array.plan_points(store, header, conversion, points)
            })?;
            let (mut made, mut waiting) = (Vec::new(), 0);
            is_done = self.for_each_group(WHAT, &plan, |codec, stored, elements, numbers| {
                let (from, to) = (memory.size(), elements.len() / plan.plan.elements());
                for &number in numbers {
                    let element = &mut elements[plan.places[number] * to..][..to];
                    plan.plan.conversion.run(&data[number * from..(number + 1) * from], element)?;
                }
                let encoded = plan.plan.encode(codec, stored.0, Some(stored.1), elements);
                made.push(encoded.map_err(|e| self.explain(e, WHAT, ""))?);
                waiting += made.last().map_or(0, |made: &Made| made.stored.len());
                if waiting < BATCH {
                    return Ok(true);
                }
                waiting = 0;
                self.store_batch(WHAT, &plan.plan, &std::mem::take(&mut made))
            })? && self.store_batch(WHAT, &plan.plan, &made)?;
        }
        Ok(())
    }

    /// Calls `work` with the elements of each chunk that has points, and what they were decoded from; false if the dataset is not
    /// what it was.
    fn for_each_group(
        &self,
        what: &str,
        plan: &PointPlan,
        mut work: impl FnMut(&mut Codec, (&[u64], super::called::Stored), &mut [u8], &[usize]) -> Result<bool>,
    ) -> Result<bool> {
        let mut codec = Codec::with_callbacks();
        for (scaled, numbers) in &plan.groups {
            let Some(stored) = self.stored_called(what, &plan.plan, scaled)? else { return Ok(false) };
            let decoded = plan.plan.decode(&mut codec, plan.plan.is_partial(scaled), &stored);
            let mut elements = decoded.map_err(|e| self.explain(e, what, ""))?;
            if !work(&mut codec, (scaled, stored), &mut elements, numbers)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Changes the dimensions of a dataset that calls back to smaller ones.
    pub(super) fn shrink_called(&self, dims: &[u64]) -> Result<()> {
        const WHAT: &str = "changing dimensions";
        loop {
            let (plan, cut, lost) = self.read(WHAT, "", |state, slot| {
                let State { store, objects, .. } = state;
                let (header, array) = objects.get(slot)?.array()?;
                let lost = match array.datatype.has_pointers() {
                    true => cut_off(array.dataspace.dims(), dims),
                    false => Vec::new(),
                };
                let (plan, cut) = array.plan_shrinking(store, header, dims)?;
                Ok((plan, cut, lost))
            })?;
            let Some(made) = self.remake(WHAT, &plan, &cut, dims)? else { continue };
            let lost = lost.iter().map(|(start, block)| self.read_block_called(start, block));
            let (lost, remade) = (lost.collect::<Result<Vec<_>>>()?, Remade { plan, made });
            let mut is_done = false;
            self.change_array(WHAT, |state, slot| {
                is_done = state.set_extent_called(slot, dims, &remade, &lost)?;
                state.note_chunks(slot)
            })?;
            if is_done {
                return Ok(());
            }
        }
    }

    /// Chunks without what lies outside new dimensions; none if the dataset is not what it was.
    fn remake(&self, what: &str, plan: &Called, cut: &[Vec<u64>], new: &[u64]) -> Result<Option<Vec<Made>>> {
        let (mut codec, mut made) = (Codec::with_callbacks(), Vec::with_capacity(cut.len()));
        for scaled in cut {
            let Some(stored) = self.stored_called(what, plan, scaled)? else { return Ok(None) };
            let old = plan.decode(&mut codec, plan.is_partial(scaled), &stored);
            let elements = cut_to(&plan.chunk, scaled, new, &plan.fill, &old.map_err(|e| self.explain(e, what, ""))?)?;
            let encoded = plan.encode(&mut codec, scaled, Some(stored), &elements);
            made.push(encoded.map_err(|e| self.explain(e, what, ""))?);
        }
        Ok(Some(made))
    }

    /// A block of elements as the file has them.
    fn read_block_called(&self, start: &[u64], block: &[u64]) -> Result<Vec<u8>> {
        let file = self.dataset_file_type()?;
        let ones = vec![1; start.len()];
        let selection =
            Selection { start: Some(start), count: Some(&ones), block: Some(block), ..Selection::default() };
        let mut raw = vec![0; crate::object::value::value_size(crate::object::value::elements(block)?, &file)?];
        self.read_called(&file, Some(&selection), &mut raw)?;
        Ok(raw)
    }
}
