//! Datasets with a filter of the user's. Its callbacks run without any lock: what they work on is read under the file's lock
//! before, and what they made is stored under it afterwards, if the chunks are then what they were; else the call begins anew.
//! Nothing of such a dataset is kept decoded.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use super::chunked::CHUNK;
use super::cut::Cut;
use super::pieces::{fill_cut, gather, scatter, Window};
use super::selection::{Selection, Slab};
use super::transfer::repeat;
use super::{DatasetState, Storage};
use crate::chunk::Place;
use crate::datatype::{Conversion, Datatype};
use crate::error::Result;
use crate::format::filter::{self, Codec, Skip};
use crate::format::message::filter_pipeline::Filter;
use crate::object::header::ObjectHeader;
use crate::object::state::State;
use crate::object::Object;
use crate::store::Store;

/// Bytes of encoded chunks that wait to be stored together.
const BATCH: usize = 32 << 20;

/// What has to be known of a dataset while no lock is held.
struct Called {
    slab: Slab,
    conversion: Conversion,
    chunk: Vec<u64>,
    /// The dimensions that the call means: those after it.
    dims: Vec<u64>,
    max_dims: Vec<u64>,
    filters: [Arc<[Filter]>; 2],
    /// Bytes of a chunk.
    bytes: usize,
    /// An unwritten element.
    fill: Vec<u8>,
    shape: u64,
    skip: Skip,
    /// The dimensions before a call that appends.
    grows_from: Option<Vec<u64>>,
}

/// A chunk in the file: where, its bytes, and the dataset's changes until then.
struct Stored {
    place: Option<Place>,
    bytes: Vec<u8>,
    changes: u64,
}

/// A chunk that is to be stored.
struct Made {
    scaled: Vec<u64>,
    /// What it was made from, unless it was written whole.
    from: Option<(Option<Place>, u64)>,
    stored: Vec<u8>,
    mask: u32,
}

impl DatasetState {
    /// Whether chunks go through a filter of the user's, which is not called with the file's lock held.
    pub(in crate::object) fn calls_back(&mut self, store: &mut Store, header: &ObjectHeader) -> Result<bool> {
        let is_appended_to = self.work.as_ref().is_some_and(|work| work.tail.is_some());
        if is_appended_to || !matches!(self.storage, Storage::Chunked(_)) {
            return Ok(false);
        }
        Ok(filter::calls_back(self.chunk_io(store, header)?.filters(false)))
    }

    /// The chunks that the selected elements of a dataset with these dimensions lie in.
    fn plan_called(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        selection: Option<&Selection<'_>>,
        conversion: Conversion,
        dims: &[u64],
    ) -> Result<Called> {
        let slab = Slab::with_all_dimensions(selection, dims)?;
        let (shape, element) = (self.shape, self.datatype.size());
        let io = self.chunk_io(store, header)?;
        Ok(Called {
            slab,
            conversion,
            chunk: io.layout.dims.clone(),
            dims: dims.to_vec(),
            max_dims: io.max_dims.to_vec(),
            filters: [io.filters(false).into(), io.filters(true).into()],
            bytes: io.check(element)?,
            shape,
            skip: io.skip(),
            fill: io.fill,
            grows_from: None,
        })
    }

    /// Stores chunks; false, and nothing is changed, if the dataset or a chunk is not what it was.
    fn store_called(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        plan: &Called,
        made: &[Made],
    ) -> Result<bool> {
        let before = plan.grows_from.as_ref().unwrap_or(&plan.dims);
        if self.shape != plan.shape || (plan.grows_from.is_some() && self.dataspace.dims() != before) {
            return Ok(false);
        }
        for Made { scaled, from, .. } in made {
            let Some((place, changes)) = from else { continue };
            let found = self.find_called(store, header, scaled)?;
            if found != *place || (place.is_some() && self.changes.load(Ordering::SeqCst) != *changes) {
                return Ok(false);
            }
        }
        if plan.grows_from.is_some() {
            self.set_extent(store, header, &plan.dims)?;
        }
        self.change_chunks(store, header, |io, store| {
            made.iter().try_for_each(|made| io.put(store, &made.scaled, made.mask, &made.stored))
        })?;
        Ok(true)
    }

    /// Where a chunk is; nowhere, outside the dimensions.
    fn find_called(&mut self, store: &mut Store, header: &ObjectHeader, scaled: &[u64]) -> Result<Option<Place>> {
        let mut io = self.chunk_io(store, header)?;
        let mut all = scaled.iter().zip(&io.layout.dims).zip(io.dims);
        if all.any(|((at, chunk), dim)| at.saturating_mul(*chunk) >= *dim) {
            return Ok(None);
        }
        io.find(store, scaled)
    }
}

impl Called {
    /// A chunk's elements, without any lock.
    fn decode(&self, codec: &mut Codec, is_partial: bool, stored: &Stored) -> Result<Vec<u8>> {
        let mut elements = vec![0; self.bytes];
        match stored.place {
            Some(place) => {
                let filters = &self.filters[usize::from(is_partial)];
                codec.decode(filters, place.filter_mask, &stored.bytes, &mut elements, CHUNK, place.address)?;
            }
            None => repeat(&self.fill, &mut elements),
        }
        Ok(elements)
    }

    /// Encodes a chunk with what is written of it, without any lock.
    fn encode(&self, codec: &mut Codec, cut: &Cut<'_>, found: Option<Stored>, data: &[u8]) -> Result<Made> {
        // Dimensions that are changed do not go with edge chunks that are not filtered, so this is so before and after.
        let is_partial = cut.is_partial(&self.dims);
        let absent = Stored { place: None, bytes: Vec::new(), changes: 0 };
        let mut elements = self.decode(codec, is_partial, found.as_ref().unwrap_or(&absent))?;
        scatter(cut, &mut elements, self.conversion, data)?;
        let encoded = codec.encode(&self.filters[usize::from(is_partial)], &elements, self.skip)?;
        Ok(Made {
            scaled: cut.scaled().to_vec(),
            from: found.map(|found| (found.place, found.changes)),
            stored: encoded.bytes.to_vec(),
            mask: encoded.mask,
        })
    }
}

impl Object {
    /// Reads a chunk as it is stored; none if the dataset has lost elements since the plan was made.
    fn stored_called(&self, what: &str, plan: &Called, cut: &Cut<'_>) -> Result<Option<Stored>> {
        self.read(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            if array.shape != plan.shape {
                return Ok(None);
            }
            let changes = array.changes.load(Ordering::SeqCst);
            let place = array.find_called(store, header, cut.scaled())?;
            let bytes = place.map_or(Ok(Vec::new()), |place| store.read_bytes(place.address, place.size, CHUNK))?;
            Ok(Some(Stored { place, bytes, changes }))
        })
    }

    /// Reads elements of a dataset that calls back.
    pub(super) fn read_called(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
    ) -> Result<()> {
        const WHAT: &str = "reading dataset";
        let total = out.len() as u64;
        loop {
            let (plan, fill) = self.read(WHAT, "", |state, slot| {
                let State { store, objects, .. } = state;
                let (header, array) = objects.get(slot)?.array()?;
                let dims = array.dataspace.dims().to_vec();
                let conversion = Conversion::between(&array.datatype, memory)?;
                array.check_transfer(&Slab::new(selection, &dims)?, memory, out.len())?;
                let mut fill = vec![0; memory.size()];
                conversion.run(&array.fill_element()?, &mut fill)?;
                Ok((array.plan_called(store, header, selection, conversion, &dims)?, fill))
            })?;
            let (mut codec, mut is_outdated, mut done) = (Codec::with_callbacks(), false, 0);
            plan.slab.for_each_cut(&plan.chunk, |cut| {
                let stored = if is_outdated { None } else { self.stored_called(WHAT, &plan, &cut)? };
                let Some(stored) = stored else {
                    is_outdated = true;
                    return Ok(());
                };
                let window = &mut Window { data: out, begin: 0 };
                match stored.place {
                    None => fill_cut(&cut, &fill, window)?,
                    Some(_) => {
                        let decoded = plan.decode(&mut codec, cut.is_partial(&plan.dims), &stored);
                        gather(&cut, &decoded.map_err(|e| self.explain(e, WHAT, ""))?, 0, plan.conversion, window)?;
                    }
                }
                done += cut.elements() * memory.size() as u64;
                self.listener().report(done.min(total.saturating_sub(1)), total)
            })?;
            if !is_outdated {
                return self.listener().report(total, total);
            }
        }
    }

    /// Writes elements of a dataset that calls back.
    pub(super) fn write_called(&self, memory: &Datatype, selection: Option<&Selection<'_>>, data: &[u8]) -> Result<()> {
        const WHAT: &str = "writing dataset";
        loop {
            let plan = self.change(WHAT, "", |state, slot| {
                let State { store, objects, .. } = state;
                store.check_writable()?;
                let (header, array) = objects.get(slot)?.array()?;
                let dims = array.dataspace.dims().to_vec();
                let conversion = Conversion::between(memory, &array.datatype)?;
                array.check_transfer(&Slab::new(selection, &dims)?, memory, data.len())?;
                array.plan_called(store, header, selection, conversion, &dims)
            })?;
            if self.encode_called(WHAT, &plan, data)? {
                return self.listener().report(data.len() as u64, data.len() as u64);
            }
        }
    }

    /// Appends rows to a dataset that calls back.
    pub(in crate::object) fn append_called(&self, memory: &Datatype, rows: u64, data: &[u8]) -> Result<()> {
        const WHAT: &str = "appending to dataset";
        loop {
            let plan = self.change(WHAT, "", |state, slot| {
                let State { store, objects, .. } = state;
                store.check_writable()?;
                let (header, array) = objects.get(slot)?.array()?;
                array.check_can_append(rows)?;
                let (before, conversion) =
                    (array.dataspace.dims().to_vec(), Conversion::between(memory, &array.datatype)?);
                let (dims, start, count) = array.appended(memory, rows, data.len())?;
                let selection = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
                let plan = array.plan_called(store, header, Some(&selection), conversion, &dims)?;
                Ok(Called { grows_from: Some(before), ..plan })
            })?;
            if self.encode_called(WHAT, &plan, data)? {
                return Ok(());
            }
        }
    }

    /// Encodes and stores all chunks of a call; false if the dataset is not what it was when the plan was made. A call that
    /// fails has changed nothing, unless it has stored a batch.
    fn encode_called(&self, what: &str, plan: &Called, data: &[u8]) -> Result<bool> {
        let total = data.len() as u64;
        let (mut codec, mut is_outdated, mut done) = (Codec::with_callbacks(), false, 0);
        let (mut made, mut waiting) = (Vec::new(), 0);
        plan.slab.for_each_cut(&plan.chunk, |cut| {
            if is_outdated {
                return Ok(());
            }
            let is_whole = cut.is_whole(&plan.dims, &plan.max_dims);
            let found = if is_whole { None } else { self.stored_called(what, plan, &cut)? };
            if !is_whole && found.is_none() {
                is_outdated = true;
                return Ok(());
            }
            let encoded = plan.encode(&mut codec, &cut, found, data).map_err(|e| self.explain(e, what, ""))?;
            waiting += encoded.stored.len();
            made.push(encoded);
            if waiting >= BATCH && plan.grows_from.is_none() {
                waiting = 0;
                is_outdated = !self.store_batch(what, plan, &std::mem::take(&mut made))?;
            }
            done += cut.elements() * plan.conversion.source_size() as u64;
            self.listener().report(done.min(total.saturating_sub(1)), total)
        })?;
        Ok(!is_outdated && self.store_batch(what, plan, &made)?)
    }

    fn store_batch(&self, what: &str, plan: &Called, made: &[Made]) -> Result<bool> {
        let mut is_stored = false;
        self.change_array(what, |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            is_stored = array.store_called(store, header, plan, made)?;
            Ok(())
        })?;
        Ok(is_stored)
    }
}
