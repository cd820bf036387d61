//! Datasets with a filter of the user's. Its callbacks run without any lock: what they work on is read under the file's lock
//! before, and what they made is stored under it afterwards, if the chunks are then what they were; else the call begins anew.
//! Nothing of such a dataset is kept decoded. Several chunks are worked on at once, by the threads of the file.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use super::chunked::{self, CHUNK};
use super::cut::{Cut, Cuts};
use super::edges::is_edge;
use super::pieces::{fill_cut, gather, scatter, Window};
use super::selection::{Selection, Slab};
use super::transfer::repeat;
use super::{DatasetState, Storage};
use crate::chunk::Place;
use crate::datatype::{Conversion, Datatype};
use crate::error::{Error, Result};
use crate::format::filter::{self, Codec, Skip};
use crate::format::message::filter_pipeline::Filter;
use crate::object::header::ObjectHeader;
use crate::object::state::State;
use crate::object::workers::Tools;
use crate::object::Object;
use crate::store::Store;

/// Bytes of encoded chunks that wait to be stored together.
const BATCH: usize = 32 << 20;

/// What has to be known of a dataset while no lock is held.
pub(super) struct Called {
    slab: Slab,
    pub conversion: Conversion,
    pub chunk: Vec<u64>,
    /// The dimensions that the call means: those after it.
    pub dims: Vec<u64>,
    max_dims: Vec<u64>,
    filters: [Arc<[Filter]>; 2],
    /// Bytes of a chunk.
    bytes: usize,
    /// An unwritten element.
    pub fill: Vec<u8>,
    shape: u64,
    skip: Skip,
    /// The dimensions before a call that appends.
    grows_from: Option<Vec<u64>>,
    /// The dataset's changes after which the call does not hold any more, if any ends it.
    pub seen: Option<u64>,
}

/// A chunk in the file: where, its bytes, and the dataset's changes until then.
pub(super) struct Stored {
    place: Option<Place>,
    bytes: Vec<u8>,
    changes: u64,
}

/// A chunk that is to be stored.
pub(super) struct Made {
    scaled: Vec<u64>,
    /// What it was made from, unless it was written whole.
    from: Option<Stored>,
    pub stored: Vec<u8>,
    mask: u32,
}

impl DatasetState {
    /// How often raw data that were in the file have changed since the dataset was opened.
    pub(in crate::object) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Whether chunks go through a filter of the user's, which is not called with the file's lock held.
    pub(in crate::object) fn calls_back(&mut self, store: &mut Store, header: &ObjectHeader) -> Result<bool> {
        let is_appended_to = self.work.as_ref().is_some_and(|work| work.tail.is_some());
        if is_appended_to || !matches!(self.storage, Storage::Chunked(_)) {
            return Ok(false);
        }
        Ok(filter::calls_back(self.chunk_io(store, header)?.filters(false)))
    }

    /// The chunks that the selected elements of a dataset with these dimensions lie in.
    pub(super) fn plan_called(
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
            seen: None,
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
        if !self.are_as_made(store, header, plan, made)? {
            return Ok(false);
        }
        if plan.grows_from.is_some() {
            self.set_extent(store, header, &plan.dims)?;
        }
        let stored: Vec<chunked::Stored<'_>> = made.iter().map(Made::stored).collect();
        self.change_chunks(store, header, |io, store| io.put_all(store, &stored))?;
        Ok(true)
    }

    /// Whether the dataset is what the plan was made for, and the chunks are what others were made from.
    pub(super) fn are_as_made(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        plan: &Called,
        made: &[Made],
    ) -> Result<bool> {
        let changes = self.changes.load(Ordering::SeqCst);
        let is_as_long = plan.grows_from.as_ref().is_none_or(|before| self.dataspace.dims() == before);
        if self.shape != plan.shape || !is_as_long || plan.seen.is_some_and(|seen| seen != changes) {
            return Ok(false);
        }
        for Made { scaled, from, .. } in made {
            let Some(from) = from else { continue };
            if self.find_called(store, header, scaled)? != from.place {
                return Ok(false);
            }
            // What has changed is another chunk, or this one in its place.
            let Some(place) = from.place.filter(|_| from.changes != changes) else { continue };
            if store.read_bytes(place.address, place.size, CHUNK)? != from.bytes {
                return Ok(false);
            }
        }
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

impl Made {
    pub fn stored(&self) -> chunked::Stored<'_> {
        chunked::Stored { scaled: &self.scaled, filter_mask: self.mask, bytes: &self.stored }
    }
}

impl Called {
    /// Elements of a chunk.
    pub fn elements(&self) -> usize {
        self.bytes / self.fill.len()
    }

    /// Whether a chunk reaches beyond the dimensions.
    pub fn is_partial(&self, scaled: &[u64]) -> bool {
        is_edge(scaled, &self.chunk, &self.dims)
    }

    /// A chunk's elements, without any lock.
    pub fn decode(&self, codec: &mut Codec, is_partial: bool, stored: &Stored) -> Result<Vec<u8>> {
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

    /// A chunk's elements as they are to be stored, without any lock; `from` is what they were made from.
    pub fn encode(&self, codec: &mut Codec, scaled: &[u64], from: Option<Stored>, elements: &[u8]) -> Result<Made> {
        // Where edge chunks are not filtered, and others by the user, dimensions do not change, so this is so before and after.
        let filters = &self.filters[usize::from(self.is_partial(scaled))];
        let encoded = codec.encode(filters, elements, self.skip)?;
        let (stored, mask) = (encoded.bytes.to_vec(), encoded.mask);
        Ok(Made { scaled: scaled.to_vec(), from, stored, mask })
    }

    /// The same of a chunk with what is written of it.
    fn encode_cut(&self, codec: &mut Codec, cut: &Cut<'_>, from: Option<Stored>, data: &[u8]) -> Result<Made> {
        let absent = Stored { place: None, bytes: Vec::new(), changes: 0 };
        let is_partial = self.is_partial(cut.scaled());
        let mut elements = self.decode(codec, is_partial, from.as_ref().unwrap_or(&absent))?;
        scatter(cut, &mut elements, self.conversion, data)?;
        self.encode(codec, cut.scaled(), from, &elements)
    }
}

/// The dataset is not what it was: the call begins anew, and nobody hears of this error.
fn outdated(is_outdated: &AtomicBool) -> Error {
    is_outdated.store(true, Ordering::SeqCst);
    Error::internal("the dataset has changed")
}

impl Object {
    /// Reads a chunk as it is stored; none if the dataset has lost elements since the plan was made.
    pub(super) fn stored_called(&self, what: &str, plan: &Called, scaled: &[u64]) -> Result<Option<Stored>> {
        self.read(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            if array.shape != plan.shape {
                return Ok(None);
            }
            let changes = array.changes.load(Ordering::SeqCst);
            let place = array.find_called(store, header, scaled)?;
            let bytes = place.map_or(Ok(Vec::new()), |place| store.read_bytes(place.address, place.size, CHUNK))?;
            Ok(Some(Stored { place, bytes, changes }))
        })
    }

    /// A chunk's elements; none if it was never written.
    fn decode_cut<'c>(
        &self,
        plan: &Called,
        tools: &mut Tools,
        cut: Cut<'c>,
        is_outdated: &AtomicBool,
    ) -> Result<(Cut<'c>, Option<Vec<u8>>)> {
        const WHAT: &str = "reading dataset";
        let Some(stored) = self.stored_called(WHAT, plan, cut.scaled())? else { return Err(outdated(is_outdated)) };
        if stored.place.is_none() {
            return Ok((cut, None));
        }
        let decoded = plan.decode(&mut tools.codec, plan.is_partial(cut.scaled()), &stored);
        Ok((cut, Some(decoded.map_err(|e| self.explain(e, WHAT, ""))?)))
    }

    /// Reads elements of a dataset that calls back.
    pub(in crate::object) fn read_called(
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
            let (is_outdated, done) = (AtomicBool::new(false), AtomicU64::new(0));
            let mut cuts = Cuts::new(&plan.slab, &plan.chunk);
            let work = |tools: &mut Tools, cut| self.decode_cut(&plan, tools, cut, &is_outdated);
            let take = |(cut, decoded): (Cut<'_>, Option<Vec<u8>>)| {
                let window = &mut Window { data: out, begin: 0 };
                done.fetch_add(cut.elements() * memory.size() as u64, Ordering::Relaxed);
                match decoded {
                    None => fill_cut(&cut, &fill, window),
                    Some(decoded) => gather(&cut, &decoded, 0, plan.conversion, window),
                }
            };
            let pause = || self.listener().report(done.load(Ordering::Relaxed).min(total.saturating_sub(1)), total);
            let read = self.workers().run(plan.slab.chunks_touched(&plan.chunk), || cuts.next(), work, take, pause);
            if !is_outdated.into_inner() {
                read?;
                return self.listener().report(total, total);
            }
        }
    }

    /// Writes elements of a dataset that calls back.
    pub(super) fn write_called(&self, memory: &Datatype, selection: Option<&Selection<'_>>, data: &[u8]) -> Result<()> {
        while !self.write_called_after(memory, selection, data, None)? {}
        self.listener().report(data.len() as u64, data.len() as u64)
    }

    /// The same, if the dataset's changes are as many as were seen, where they were; false, and nothing is written, if not.
    pub(in crate::object) fn write_called_after(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
        seen: Option<u64>,
    ) -> Result<bool> {
        const WHAT: &str = "writing dataset";
        let plan = self.change(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            store.check_writable()?;
            let (header, array) = objects.get(slot)?.array()?;
            let dims = array.dataspace.dims().to_vec();
            let conversion = Conversion::between(memory, &array.datatype)?;
            array.check_transfer(&Slab::new(selection, &dims)?, memory, data.len())?;
            let plan = array.plan_called(store, header, selection, conversion, &dims)?;
            Ok(Called { seen, ..plan })
        })?;
        self.encode_called(WHAT, &plan, data)
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
    pub(super) fn encode_called(&self, what: &str, plan: &Called, data: &[u8]) -> Result<bool> {
        let (total, element) = (data.len() as u64, plan.conversion.source_size() as u64);
        let (is_outdated, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let (mut made, mut waiting) = (Vec::new(), 0);
        let mut cuts = Cuts::new(&plan.slab, &plan.chunk);
        let work = |tools: &mut Tools, cut: Cut<'_>| {
            let is_whole = cut.is_whole(&plan.dims, &plan.max_dims);
            let found = if is_whole { None } else { self.stored_called(what, plan, cut.scaled())? };
            if !is_whole && found.is_none() {
                return Err(outdated(&is_outdated));
            }
            done.fetch_add(cut.elements() * element, Ordering::Relaxed);
            plan.encode_cut(&mut tools.codec, &cut, found, data).map_err(|e| self.explain(e, what, ""))
        };
        let take = |encoded: Made| {
            waiting += encoded.stored.len();
            made.push(encoded);
            if waiting >= BATCH && plan.grows_from.is_none() && plan.seen.is_none() {
                waiting = 0;
                if !self.store_batch(what, plan, &std::mem::take(&mut made))? {
                    return Err(outdated(&is_outdated));
                }
            }
            Ok(())
        };
        let pause = || self.listener().report(done.load(Ordering::Relaxed).min(total.saturating_sub(1)), total);
        let run = self.workers().run(plan.slab.chunks_touched(&plan.chunk), || cuts.next(), work, take, pause);
        if is_outdated.into_inner() {
            return Ok(false);
        }
        run.and_then(|()| self.store_batch(what, plan, &made))
    }

    pub(super) fn store_batch(&self, what: &str, plan: &Called, made: &[Made]) -> Result<bool> {
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
