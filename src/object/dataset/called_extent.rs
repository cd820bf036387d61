//! Other dimensions of datasets with a filter of the user's, and space that is taken early: as in [`called`](super::called), without any
//! lock while the filter works.

use parking_lot::Mutex;

use super::allocate::{new_chunks, Blanks};
use super::called::{Called, Made, Stored};
use super::chunked;
use super::selection::Selection;
use super::shrink::cut_to;
use super::{DatasetState, Storage};
use crate::datatype::Conversion;
use crate::error::Result;
use crate::format::filter::Codec;
use crate::format::UNDEFINED;
use crate::object::elements_called::cut_off;
use crate::object::header::ObjectHeader;
use crate::object::state::State;
use crate::object::{value, Object};
use crate::store::Store;

/// A block of elements: the first one, and how many there are.
type Block = (Vec<u64>, Vec<u64>);

/// The chunks that new dimensions have stored anew, or taken out.
#[derive(Debug, PartialEq, Eq)]
struct Changed {
    /// Those that are cut, become edges that are stored otherwise, or cease to be.
    remade: Vec<Vec<u64>>,
    /// Those outside.
    gone: Vec<Vec<u64>>,
    /// Those that take space at once, with a fill value for each element.
    new: Vec<Vec<u64>>,
}

/// What is to be made before dimensions change.
struct Plan {
    called: Called,
    changed: Changed,
    /// Elements that are cut off, if they own anything.
    lost: Vec<Block>,
}

/// What a filter of the user's has made of chunks, for other dimensions.
pub(in crate::object) struct Remade {
    plan: Called,
    changed: Changed,
    remade: Vec<Made>,
    new: Vec<Made>,
}

impl DatasetState {
    /// Whether other dimensions mean that chunks are encoded anew, or taken out with what their elements own.
    pub(super) fn is_remade_by(&self, dims: &[u64]) -> bool {
        let old = self.dataspace.dims();
        let shrinks = dims.len() == old.len() && dims.iter().zip(old).any(|(new, old)| new < old);
        shrinks || self.has_other_edges() || self.allocates_growth()
    }

    fn changed_by(&mut self, store: &mut Store, header: &ObjectHeader, old: &[u64], new: &[u64]) -> Result<Changed> {
        let fills_each = self.has_variable_fill() && self.allocates_growth() && !new.contains(&0);
        let (mut remade, mut gone) = (Vec::new(), Vec::new());
        let mut io = self.chunk_io(store, header)?;
        if new.iter().zip(io.dims).any(|(new, old)| new < old) {
            let sorted = io.sort_for(store, new)?;
            remade = sorted.cut;
            gone = sorted.outside;
        }
        if io.layout.flags & chunked::EDGES_UNFILTERED != 0 {
            remade.extend(io.changed_edges(store, new)?);
        }
        remade.sort_unstable();
        remade.dedup();
        let new = if fills_each { new_chunks(&io.layout.dims, new, old).collect() } else { Vec::new() };
        Ok(Changed { remade, gone, new })
    }

    /// What is made counts if nothing changes meanwhile. Space was taken early for `old` dimensions.
    fn plan_extent(&mut self, store: &mut Store, header: &ObjectHeader, old: &[u64], new: &[u64]) -> Result<Plan> {
        self.check_extent(new)?;
        let seen = self.all_changes();
        let conversion = Conversion::between(&self.datatype, &self.datatype)?;
        let changed = self.changed_by(store, header, old, new)?;
        let allocates = self.allocates_growth() && !self.has_variable_fill();
        let mut called = self.plan_called(store, header, None, conversion, new)?;
        (called.seen, called.resizes, called.allocates) = (Some(seen), true, allocates);
        let lost = match self.datatype.has_pointers() {
            true => cut_off(self.dataspace.dims(), new),
            false => Vec::new(),
        };
        Ok(Plan { called, changed, lost })
    }

    /// Changes the dimensions, with what was made for them; false, and nothing is changed, if the dataset is not what it was.
    pub(in crate::object) fn set_extent_called(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        dims: &[u64],
        from: &Remade,
    ) -> Result<bool> {
        let Remade { plan, changed, remade, new } = from;
        let is_same = self.are_as_made(store, header, plan, remade)? && self.are_as_made(store, header, plan, new)?;
        let old = self.allocated_dims();
        if !is_same || self.changed_by(store, header, &old, dims)? != *changed {
            return Ok(false);
        }
        self.prepare_blanks(plan.blanks.clone());
        let remade: Vec<_> = remade.iter().map(Made::stored).collect();
        let new: Vec<_> = new.iter().map(Made::stored).collect();
        self.set_extent_with(store, header, dims, Some((&remade, &new)))?;
        self.prepare_blanks(Blanks::default());
        Ok(true)
    }

    /// The dimensions for which space was taken early: none, of a new dataset.
    fn allocated_dims(&self) -> Vec<u64> {
        let dims = self.dataspace.dims().to_vec();
        match &self.storage {
            Storage::Chunked(layout) if layout.address == UNDEFINED => vec![0; dims.len()],
            _ => dims,
        }
    }
}

impl Object {
    /// What a first chunk that is stored past the filters has others filled with, if a filter of the user's makes that.
    pub(super) fn blanks_called(&self, what: &str) -> Result<Blanks> {
        let plan = self.read(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let is_first = matches!(&array.storage, Storage::Chunked(layout) if layout.address == UNDEFINED);
            if !is_first || !array.calls_back(store, header)? {
                return Ok(None);
            }
            let (dims, conversion) =
                (array.dataspace.dims().to_vec(), Conversion::between(&array.datatype, &array.datatype)?);
            array.plan_called(store, header, None, conversion, &dims).map(Some)
        })?;
        match plan {
            Some(plan) => Ok(plan.with_blanks().map_err(|e| self.explain(e, what, ""))?.blanks),
            None => Ok(Blanks::default()),
        }
    }

    /// Takes space for the chunks of a new dataset whose elements own a fill value each, where that is done early.
    pub(in crate::object) fn allocate_called(&self) -> Result<()> {
        const WHAT: &str = "allocating chunks of";
        let dims = self.read(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let is_due = array.has_variable_fill() && array.allocates_growth() && array.calls_back(store, header)?;
            Ok(is_due.then(|| array.dataspace.dims().to_vec()))
        })?;
        dims.map_or(Ok(()), |dims| self.set_extent_remade(WHAT, &dims))
    }

    /// Changes the dimensions of a dataset that calls back.
    pub(super) fn set_extent_remade(&self, what: &str, dims: &[u64]) -> Result<()> {
        loop {
            let plan = self.read(what, "", |state, slot| {
                let State { store, objects, .. } = state;
                let (header, array) = objects.get(slot)?.array()?;
                let old = array.allocated_dims();
                array.plan_extent(store, header, &old, dims)
            })?;
            let owned = Mutex::new(Vec::new());
            let done = self.set_extent_as_planned(what, plan, dims, &owned);
            if self.keep_owned(what, done, owned)? {
                return Ok(());
            }
        }
    }

    /// False, and nothing is changed, if the dataset is not what it was.
    fn set_extent_as_planned(
        &self,
        what: &str,
        plan: Plan,
        dims: &[u64],
        owned: &Mutex<Vec<(u64, u32)>>,
    ) -> Result<bool> {
        let Plan { called, changed, lost } = plan;
        let plan = called.with_blanks().map_err(|e| self.explain(e, what, ""))?;
        let Some(remade) = self.remake(what, &plan, &changed.remade, owned)? else { return Ok(false) };
        let Some(new) = self.remake(what, &plan, &changed.new, owned)? else { return Ok(false) };
        let lost = lost.iter().map(|(start, block)| self.read_block_called(start, block));
        let mut lost = lost.collect::<Result<Vec<_>>>()?;
        let gone = if plan.owns { changed.gone.as_slice() } else { &[] };
        for scaled in gone {
            let Some(stored) = self.stored_called(what, &plan, scaled)? else { return Ok(false) };
            lost.push(self.decode_called(what, &plan, scaled, &stored)?);
        }
        let (remade, mut is_done) = (Remade { plan, changed, remade, new }, false);
        self.change_array(what, |state, slot| {
            is_done = state.set_extent_called(slot, dims, &remade, &lost)?;
            state.note_chunks(slot)
        })?;
        Ok(is_done)
    }

    fn decode_called(&self, what: &str, plan: &Called, scaled: &[u64], stored: &Stored) -> Result<Vec<u8>> {
        plan.decode(&mut Codec::with_callbacks(), scaled, stored).map_err(|e| self.explain(e, what, ""))
    }

    /// Chunks without what lies outside new dimensions; none if the dataset is not what it was.
    fn remake(
        &self,
        what: &str,
        plan: &Called,
        chunks: &[Vec<u64>],
        owned: &Mutex<Vec<(u64, u32)>>,
    ) -> Result<Option<Vec<Made>>> {
        let (mut codec, mut made) = (Codec::with_callbacks(), Vec::with_capacity(chunks.len()));
        for scaled in chunks {
            let Some(stored) = self.stored_called(what, plan, scaled)? else { return Ok(None) };
            let old = self.decode_called(what, plan, scaled, &stored)?;
            let fill = (plan.fill.as_slice(), plan.owns);
            let mut elements = cut_to(&plan.chunk, scaled, (&plan.before, &plan.dims), fill, &old)?;
            self.own_called(what, plan, &mut elements, owned)?;
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
        let mut raw = vec![0; value::value_size(value::elements(block)?, &file)?];
        self.read_called(&file, Some(&selection), &mut raw)?;
        Ok(raw)
    }
}
