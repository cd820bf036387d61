//! Datasets with a filter of the user's. Its callbacks run without any lock: what they work on is read under the file's lock
//! before, and what they made is stored under it afterwards, if the chunks are then what they were; else the call begins anew.
//! Nothing of such a dataset is kept decoded. Several chunks are worked on at once, by the threads of the file.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use super::allocate::{self, Blanks};
use super::chunked::{self, CHUNK};
use super::cut::{Cut, Cuts};
use super::edges::is_edge;
use super::pieces::{fill_cut, gather, scatter, Window};
use super::selection::{Selection, Slab};
use super::transfer::repeat;
use super::{DatasetState, Storage};
use parking_lot::Mutex;

use crate::chunk::Place;
use crate::datatype::{Conversion, Datatype};
use crate::error::{Error, Result};
use crate::format::filter::{self, Codec, Skip};
use crate::format::message::filter_pipeline::Filter;
use crate::format::UNDEFINED;
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
    /// The dimensions that the chunks in the file are stored for.
    pub before: Vec<u64>,
    filters: [Arc<[Filter]>; 2],
    /// Bytes of a chunk.
    bytes: usize,
    /// An unwritten element.
    pub fill: Vec<u8>,
    shape: u64,
    skip: Skip,
    /// The call changes the dimensions.
    pub resizes: bool,
    /// Elements that are stored own what the fill value leads to.
    pub owns: bool,
    /// Chunks that were never written take space with this call, but those of it.
    pub allocates: bool,
    pub blanks: Blanks,
    /// All the dataset's changes after which the call does not hold any more, if any ends it.
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

    /// The same, with chunks that were written for the first time while a handle was open: for who goes by their absence.
    pub(in crate::object) fn all_changes(&self) -> u64 {
        self.changes() + self.work.as_ref().map_or(0, |work| work.entered)
    }

    /// Lets a filter of the user's be called with the file's lock held, which the user was told, or not any more.
    pub(in crate::object) fn call_under_lock(&mut self, store: &mut Store, header: &ObjectHeader, may: bool) {
        // Who cannot be asked is not called.
        self.calls_under_lock = may && self.calls_back(store, header).unwrap_or(false);
    }

    pub(in crate::object) fn calls_under_lock(&self) -> bool {
        self.calls_under_lock
    }

    /// The heap objects that writes under the lock have made for elements that were not written.
    pub(in crate::object) fn take_made(&mut self) -> Vec<(u64, u32)> {
        self.work.as_mut().map_or(Vec::new(), |work| std::mem::take(&mut work.made))
    }

    /// Whether chunks go through a filter of the user's, which is not called with the file's lock held but to copy and delete.
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
        let (shape, element, owns) = (self.shape, self.datatype.size(), self.has_variable_fill());
        let io = self.chunk_io(store, header)?;
        Ok(Called {
            slab,
            conversion,
            chunk: io.layout.dims.clone(),
            dims: dims.to_vec(),
            max_dims: io.max_dims.to_vec(),
            before: io.dims.to_vec(),
            filters: [io.filters(false).into(), io.filters(true).into()],
            bytes: io.check(element)?,
            shape,
            skip: io.skip(),
            allocates: io.allocation.is_late && io.layout.address == UNDEFINED,
            blanks: Blanks::default(),
            fill: io.fill,
            resizes: false,
            owns,
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
        self.prepare_blanks(plan.blanks.clone());
        let stored: Vec<chunked::Stored<'_>> = made.iter().map(Made::stored).collect();
        match plan.resizes {
            true => self.set_extent_with(store, header, &plan.dims, Some((&[], &stored)))?,
            false => self.change_chunks(store, header, |io, store| io.put_all(store, &stored))?,
        }
        self.prepare_blanks(Blanks::default());
        Ok(true)
    }

    /// Has the next allocation use what was made for it.
    pub(super) fn prepare_blanks(&mut self, blanks: Blanks) {
        if let Some(work) = &mut self.work {
            work.blanks = blanks;
        }
    }

    /// Whether the dataset is what the plan was made for, and the chunks are what others were made from.
    pub(super) fn are_as_made(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        plan: &Called,
        made: &[Made],
    ) -> Result<bool> {
        let changes = self.changes();
        let is_as_long = !plan.resizes || self.dataspace.dims() == plan.before;
        if self.shape != plan.shape || !is_as_long || plan.seen.is_some_and(|seen| seen != self.all_changes()) {
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

    /// With what chunks that were never written are filled with, made without any lock.
    pub fn with_blanks(mut self) -> Result<Called> {
        if self.allocates {
            let filters = [&*self.filters[0], &*self.filters[1]];
            self.blanks = allocate::blanks(&mut Codec::with_callbacks(), filters, &self.fill, self.bytes)?;
        }
        Ok(self)
    }

    /// A chunk's elements, without any lock.
    pub fn decode(&self, codec: &mut Codec, scaled: &[u64], stored: &Stored) -> Result<Vec<u8>> {
        let mut elements = vec![0; self.bytes];
        match stored.place {
            Some(place) => {
                let filters = &self.filters[usize::from(is_edge(scaled, &self.chunk, &self.before))];
                codec.decode(filters, place.filter_mask, &stored.bytes, &mut elements, CHUNK, place.address)?;
            }
            None => repeat(&self.fill, &mut elements),
        }
        Ok(elements)
    }

    /// A chunk's elements as they are to be stored, without any lock; `from` is what they were made from.
    pub fn encode(&self, codec: &mut Codec, scaled: &[u64], from: Option<Stored>, elements: &[u8]) -> Result<Made> {
        let filters = &self.filters[usize::from(is_edge(scaled, &self.chunk, &self.dims))];
        let encoded = codec.encode(filters, elements, self.skip)?;
        let (stored, mask) = (encoded.bytes.to_vec(), encoded.mask);
        Ok(Made { scaled: scaled.to_vec(), from, stored, mask })
    }

    /// A chunk's elements with what is written of them; `old` becomes what was in these places.
    fn changed(
        &self,
        codec: &mut Codec,
        cut: &Cut<'_>,
        from: Option<&Stored>,
        data: &[u8],
        old: Option<&Mutex<Vec<u8>>>,
    ) -> Result<Vec<u8>> {
        let absent = Stored { place: None, bytes: Vec::new(), changes: 0 };
        let mut elements = self.decode(codec, cut.scaled(), from.unwrap_or(&absent))?;
        if let Some(old) = old.filter(|_| self.owns) {
            gather(cut, &elements, 0, self.conversion, &mut Window { data: &mut old.lock(), begin: 0 })?;
        }
        scatter(cut, &mut elements, self.conversion, data)?;
        Ok(elements)
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
        let decoded = plan.decode(&mut tools.codec, cut.scaled(), &stored);
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
        let plan = plan.with_blanks().map_err(|e| self.explain(e, WHAT, ""))?;
        self.encode_called(WHAT, &plan, data, None)
    }

    /// Appends rows to a dataset that calls back; `old` becomes what stood in their places where it owned something.
    pub(in crate::object) fn append_called(
        &self,
        memory: &Datatype,
        rows: u64,
        data: &[u8],
        old: Option<&Mutex<Vec<u8>>>,
    ) -> Result<()> {
        const WHAT: &str = "appending to dataset";
        loop {
            let plan = self.change(WHAT, "", |state, slot| {
                let State { store, objects, .. } = state;
                store.check_writable()?;
                let (header, array) = objects.get(slot)?.array()?;
                array.check_can_append(rows)?;
                let conversion = Conversion::between(memory, &array.datatype)?;
                let (dims, start, count) = array.appended(memory, rows, data.len())?;
                let selection = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
                let plan = array.plan_called(store, header, Some(&selection), conversion, &dims)?;
                Ok(Called { resizes: true, ..plan })
            })?;
            let plan = plan.with_blanks().map_err(|e| self.explain(e, WHAT, ""))?;
            if self.encode_called(WHAT, &plan, data, old)? {
                return Ok(());
            }
        }
    }

    /// Encodes and stores all chunks of a call; false if the dataset is not what it was when the plan was made. A call that
    /// fails has changed nothing, unless it has stored a batch.
    fn encode_called(&self, what: &str, plan: &Called, data: &[u8], old: Option<&Mutex<Vec<u8>>>) -> Result<bool> {
        let (total, element) = (data.len() as u64, plan.conversion.source_size() as u64);
        let (is_outdated, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let (mut made, mut waiting, owned) = (Vec::new(), 0, Mutex::new(Vec::new()));
        let mut cuts = Cuts::new(&plan.slab, &plan.chunk);
        let work = |tools: &mut Tools, cut: Cut<'_>| {
            // What stands in the chunk beyond the dimensions keeps what it owns.
            let is_whole = cut.is_whole(&plan.dims, &plan.max_dims) && !plan.owns;
            let found = if is_whole { None } else { self.stored_called(what, plan, cut.scaled())? };
            if !is_whole && found.is_none() {
                return Err(outdated(&is_outdated));
            }
            done.fetch_add(cut.elements() * element, Ordering::Relaxed);
            let changed = plan.changed(&mut tools.codec, &cut, found.as_ref(), data, old);
            let mut elements = changed.map_err(|e| self.explain(e, what, ""))?;
            self.own_called(what, plan, &mut elements, &owned)?;
            plan.encode(&mut tools.codec, cut.scaled(), found, &elements).map_err(|e| self.explain(e, what, ""))
        };
        let take = |encoded: Made| {
            waiting += encoded.stored.len();
            made.push(encoded);
            if waiting >= BATCH && !plan.resizes && plan.seen.is_none() {
                waiting = 0;
                if !self.store_batch(what, plan, &std::mem::take(&mut made))? {
                    return Err(outdated(&is_outdated));
                }
            }
            Ok(())
        };
        let pause = || self.listener().report(done.load(Ordering::Relaxed).min(total.saturating_sub(1)), total);
        let run = self.workers().run(plan.slab.chunks_touched(&plan.chunk), || cuts.next(), work, take, pause);
        let stored = match is_outdated.into_inner() {
            true => Ok(false),
            false => run.and_then(|()| self.store_batch(what, plan, &made)),
        };
        self.keep_owned(what, stored, owned)
    }

    /// Gives elements that are about to be stored what they own, if there is something to own, and notes it.
    pub(super) fn own_called(
        &self,
        what: &str,
        plan: &Called,
        elements: &mut [u8],
        owned: &Mutex<Vec<(u64, u32)>>,
    ) -> Result<()> {
        if !plan.owns {
            return Ok(());
        }
        let made = self.change(what, "", |state, slot| {
            let State { store, objects, heap, .. } = state;
            objects.get(slot)?.array()?.1.own_in(store, heap, elements)
        })?;
        owned.lock().extend(made);
        Ok(())
    }

    /// What was stored for elements is given back if these were not.
    pub(super) fn keep_owned(&self, what: &str, stored: Result<bool>, owned: Mutex<Vec<(u64, u32)>>) -> Result<bool> {
        let owned = owned.into_inner();
        if matches!(stored, Ok(true)) || owned.is_empty() {
            return stored;
        }
        let given = self.change(what, "", |state, _| {
            let State { store, heap, .. } = state;
            owned.iter().try_for_each(|&(address, index)| heap.remove(store, address, index).map(|_| ()))
        });
        stored.and_then(|is_stored| given.map(|()| is_stored))
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
