//! Writing chunks that are encoded by several threads, without the file's lock; each is written and entered under the lock as
//! soon as it and those before it are done.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use super::chunked::Stored;
use super::cut::{Cut, Cuts};
use super::pieces::{scatter, single_run, source};
use super::selection::{Selection, Slab};
use super::transfer::repeat;
use super::virtuals::Way;
use super::{DatasetState, Storage};
use crate::datatype::{Conversion, Datatype, NoPointers};
use crate::error::{Error, Result};
use crate::format::filter::{self, Skip};
use crate::format::message::filter_pipeline::Filter;
use crate::object::elements::check_plain;
use crate::object::header::ObjectHeader;
use crate::object::progress::Listener;
use crate::object::state::State;
use crate::object::workers::{Tools, Workers};
use crate::object::Object;
use crate::store::Store;

/// Bytes of a call that are worth being worked on without the lock.
pub(super) const WORTH: u64 = 64 << 10;

/// Bytes of chunks that one thread works on before it hands on what it has.
const JOB: usize = 256 << 10;

/// Chunks of one job at most.
const MOST_CHUNKS: usize = 64;

/// Attempts of a call during which other threads take elements away, before it is done under the lock as a whole.
pub(super) const ATTEMPTS: u32 = 3;

/// The chunks of one job, of so many bytes each.
pub(super) fn chunks_per_job(bytes: usize) -> usize {
    (JOB / bytes.max(1)).clamp(1, MOST_CHUNKS)
}

/// What has to be known of a dataset to encode chunks for it.
pub(super) struct WritePlan {
    slab: Slab,
    conversion: Conversion,
    chunk: Vec<u64>,
    dims: Vec<u64>,
    max_dims: Vec<u64>,
    filters: [Arc<[Filter]>; 2],
    skip: Skip,
    /// Bytes of a chunk.
    bytes: usize,
    /// An unwritten element.
    fill: Vec<u8>,
    shape: u64,
}

/// A chunk to be written.
struct Done<'a> {
    cut: Cut<'a>,
    /// As it is stored, and the filters that were skipped; none if it was not written whole, and goes through the cache.
    stored: Option<(Vec<u8>, u32)>,
}

impl Done<'_> {
    fn as_stored(&self) -> Option<Stored<'_>> {
        let (bytes, filter_mask) = self.stored.as_ref()?;
        Some(Stored { scaled: self.cut.scaled(), filter_mask: *filter_mask, bytes })
    }
}

impl DatasetState {
    /// How to write the selected elements without the lock; none if that is not worth it.
    fn plan_write(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        length: usize,
    ) -> Result<Option<WritePlan>> {
        let Storage::Chunked(_) = self.storage else { return Ok(None) };
        if (length as u64) < WORTH {
            return Ok(None);
        }
        store.check_writable()?;
        let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        let conversion = Conversion::between(memory, &self.datatype)?;
        self.check_transfer(&slab, memory, length)?;
        let shape = self.shape;
        let io = self.chunk_io(store, header)?;
        let bytes = io.check(conversion.target_size())?;
        io.check_can_write()?;
        if io.filters(false).is_empty() || bytes > length {
            return Ok(None);
        }
        Ok(Some(WritePlan {
            slab,
            conversion,
            chunk: io.layout.dims.clone(),
            dims: io.dims.to_vec(),
            max_dims: io.max_dims.to_vec(),
            filters: [io.filters(false).into(), io.filters(true).into()],
            skip: io.skip(),
            bytes,
            fill: io.fill,
            shape,
        }))
    }

    /// Writes encoded chunks; false if the dataset has lost elements since the plan was made.
    fn write_done(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        plan: &WritePlan,
        done: &[Done<'_>],
        data: &[u8],
    ) -> Result<bool> {
        if self.shape != plan.shape {
            return Ok(false);
        }
        self.change_chunks(store, header, |io, store| {
            // What may be refused is, before anything is changed.
            let mut parts = Vec::new();
            if filter::may_refuse(io.filters(false)) {
                for part in done.iter().filter(|done| done.stored.is_none()) {
                    parts.push(io.encode_cut(store, &part.cut, plan.conversion, data)?);
                }
            }
            let are_encoded = !parts.is_empty();
            io.put_ready(store, parts)?;
            let whole: Vec<Stored<'_>> = done.iter().filter_map(Done::as_stored).collect();
            whole.iter().for_each(|chunk| io.work.cache.remove(chunk.scaled));
            io.put_all(store, &whole)?;
            let mut parts = done.iter().filter(|done| done.stored.is_none() && !are_encoded);
            parts.try_for_each(|part| io.write_part(store, &part.cut, plan.conversion, data))
        })?;
        Ok(true)
    }
}

impl WritePlan {
    /// Encodes all chunks, and gives them to `write` in order.
    fn run(
        &self,
        workers: &Workers,
        data: &[u8],
        listener: &Listener,
        mut write: impl FnMut(&[Done<'_>]) -> Result<()> + Send,
    ) -> Result<()> {
        let count = chunks_per_job(self.bytes);
        let mut cuts = Cuts::new(&self.slab, &self.chunk);
        let next = || -> Option<Vec<Cut<'_>>> {
            let job: Vec<Cut<'_>> = cuts.by_ref().take(count).collect();
            (!job.is_empty()).then_some(job)
        };
        let jobs = (data.len() as u64 / self.bytes as u64).div_ceil(count as u64);
        let work = |tools: &mut Tools, job| self.encode_all(tools, job, data);
        let (done, total) = (AtomicU64::new(0), data.len() as u64);
        let take = |chunks: Vec<Done<'_>>| {
            let elements: u64 = chunks.iter().map(|chunk| chunk.cut.elements()).sum();
            done.fetch_add(elements * self.conversion.source_size() as u64, Ordering::Relaxed);
            write(&chunks)
        };
        workers.run(jobs, next, work, take, || listener.report(done.load(Ordering::Relaxed), total))
    }

    fn encode_all<'a>(&self, tools: &mut Tools, job: Vec<Cut<'a>>, data: &[u8]) -> Result<Vec<Done<'a>>> {
        job.into_iter().map(|cut| self.encode(tools, cut, data)).collect()
    }

    fn encode<'a>(&self, tools: &mut Tools, cut: Cut<'a>, data: &[u8]) -> Result<Done<'a>> {
        if !cut.is_whole(&self.dims, &self.max_dims) {
            return Ok(Done { cut, stored: None });
        }
        let is_partial = cut.is_partial(&self.dims);
        let filters = &self.filters[usize::from(is_partial)];
        let size = self.conversion.source_size();
        let encoded = match single_run(&cut)?.filter(|_| !is_partial && self.conversion.is_copy()) {
            Some((_, to, length)) => tools.codec.encode(filters, source(data, to, length, size), self.skip)?,
            None => {
                tools.chunk.resize(self.bytes, 0);
                if is_partial {
                    repeat(&self.fill, &mut tools.chunk);
                }
                scatter(&cut, &mut tools.chunk, self.conversion, data)?;
                tools.codec.encode(filters, &tools.chunk, self.skip)?
            }
        };
        let stored = Some((encoded.bytes.to_vec(), encoded.mask));
        Ok(Done { cut, stored })
    }
}

impl Object {
    /// Writes the selected elements (all, without a selection) from `data`, whose elements are of type `memory`.
    pub fn dataset_write(&self, memory: &Datatype, selection: Option<&Selection<'_>>, data: &[u8]) -> Result<()> {
        Way::begin(|way| self.write_at_depth(memory, selection, data, way))
    }

    /// Writes a dataset that so many virtual ones have led to.
    pub(super) fn write_at_depth(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
        way: Way<'_>,
    ) -> Result<()> {
        check_plain(memory)?;
        const WHAT: &str = "writing dataset";
        let total = data.len() as u64;
        self.listener().report(0, total)?;
        let file = self.file();
        for attempt in 0.. {
            let (mut is_called, mut is_virtual) = (false, false);
            let plan = self.change(WHAT, "", |state, slot| {
                let State { store, objects, .. } = state;
                let (header, array) = objects.get(slot)?.array()?;
                is_virtual = array.storage == Storage::Virtual;
                if is_virtual || array.write_elsewhere(store, header, file.path(), memory, selection, data)? {
                    return Ok(None);
                }
                is_called = array.calls_back(store, header)?;
                if is_called {
                    return Ok(None);
                }
                let plan = match attempt {
                    ATTEMPTS.. => None,
                    _ => array.plan_write(store, header, memory, selection, data.len())?,
                };
                if plan.is_some() {
                    return Ok(plan);
                }
                let written = array.write(store, header, memory, selection, data);
                // After an error, chunks may have changed in memory.
                if written.is_ok() || array.has_unwritten() {
                    objects.mark(slot)?;
                }
                written.map(|()| None)
            })?;
            if is_called {
                return self.write_called(memory, selection, data);
            }
            if is_virtual {
                self.write_to_sources(memory, selection, data, &mut NoPointers, way)?;
            }
            let Some(plan) = plan else { return self.listener().report(total, total) };
            let is_outdated = AtomicBool::new(false);
            let written = plan.run(self.workers(), data, self.listener(), |done| {
                self.change(WHAT, "", |state, slot| {
                    let State { store, objects, .. } = state;
                    let (header, array) = objects.get(slot)?.array()?;
                    let written = array.write_done(store, header, &plan, done, data);
                    if written.is_ok() || array.has_unwritten() {
                        objects.mark(slot)?;
                    }
                    if written? {
                        return Ok(());
                    }
                    is_outdated.store(true, Ordering::Relaxed);
                    Err(Error::internal("the dataset has lost elements"))
                })
            });
            if !is_outdated.into_inner() {
                return written.and_then(|()| self.listener().report(total, total));
            }
        }
        Ok(())
    }
}
