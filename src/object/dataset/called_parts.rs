//! Points of datasets with a filter of the user's: as in [`called`](super::called), without any lock while the filter works.

use super::called::{Called, Made};
use super::selection::Selection;
use super::DatasetState;
use crate::datatype::{Conversion, Datatype};
use crate::error::Result;
use crate::format::filter::Codec;
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
            let plan = PointPlan { plan: plan.plan.with_blanks().map_err(|e| self.explain(e, WHAT, ""))?, ..plan };
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
            let decoded = plan.plan.decode(&mut codec, scaled, &stored);
            let mut elements = decoded.map_err(|e| self.explain(e, what, ""))?;
            if !work(&mut codec, (scaled, stored), &mut elements, numbers)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
