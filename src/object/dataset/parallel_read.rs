//! Reading raw data by several threads, without the file's lock. Where another thread has changed the dataset's chunks
//! meanwhile, what was read is read again under the lock.

use std::sync::atomic::{fence, AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use parking_lot::Mutex;

use super::chunked::CHUNK;
use super::cut::{Cut, Cuts};
use super::parallel_write::{chunks_per_job, ATTEMPTS, WORTH};
use super::pieces::{check_unfiltered, fill_cut, gather, read_unfiltered, single_run, Window};
use super::selection::{Selection, Slab};
use super::transfer;
use super::virtuals::Way;
use super::{DatasetState, Storage};
use crate::chunk::Place;
use crate::datatype::{Conversion, Datatype};
use crate::error::{Error, Result};
use crate::format::message::filter_pipeline::Filter;
use crate::format::UNDEFINED;
use crate::object::elements::check_plain;
use crate::object::header::ObjectHeader;
use crate::object::state::State;
use crate::object::workers::Tools;
use crate::object::Object;
use crate::store::{ReadPart, Reader, Store, MAX_BLOCK};

const WHAT: &str = "reading dataset";

/// Bytes of contiguous data that are worth a thread.
const PART: usize = 1 << 20;

/// Bytes of contiguous data after which the user hears of it.
const PIECE: usize = 32 << 20;

/// As many times as many chunks are in one job where it is better to read several together.
const TOGETHER: usize = 8;

/// Bytes of decoded chunks that a call may leave in the cache.
const KEPT: u64 = 4 << 20;

/// What has to be known of a dataset to read it without the lock.
struct ReadPlan {
    slab: Slab,
    conversion: Conversion,
    reader: Reader,
    changes: Arc<AtomicU64>,
    source: Source,
}

enum Source {
    Contiguous {
        address: u64,
        /// The dataset's changes when the plan was made.
        seen: u64,
    },
    Chunked(Box<Chunked>),
}

/// A chunked dataset's chunks.
struct Chunked {
    chunk: Vec<u64>,
    dims: Vec<u64>,
    filters: [Arc<[Filter]>; 2],
    /// Bytes of a chunk.
    bytes: usize,
    /// An unwritten element, converted.
    fill: Vec<u8>,
    shape: u64,
}

/// What is selected of a row of chunks has one stretch of the caller's buffer, which is written by one thread at a time.
type Band<'o> = Arc<Mutex<Window<'o>>>;

/// Where a chunk of a job is.
enum Found {
    /// It was in the cache, and is read.
    Read,
    Absent,
    At(Place),
}

impl DatasetState {
    /// How to read the selected elements without the lock; none if that is not worth it, or not possible.
    fn plan_read(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        length: usize,
    ) -> Result<Option<ReadPlan>> {
        let Some(reader) = store.reader().filter(|_| length as u64 >= WORTH) else { return Ok(None) };
        let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        let conversion = Conversion::between(&self.datatype, memory)?;
        self.check_transfer(&slab, memory, length)?;
        let changes = self.changes.clone();
        let (slab, source) = match self.storage {
            Storage::Contiguous { address, .. } if address != UNDEFINED => {
                store.check_extent(address, self.size, "contiguous raw data")?;
                let seen = changes.load(Ordering::SeqCst);
                (Slab::new(selection, self.dataspace.dims())?, Source::Contiguous { address, seen })
            }
            Storage::Chunked(_) => {
                let mut fill = vec![0; memory.size()];
                conversion.run(&self.fill_element()?, &mut fill)?;
                let shape = self.shape;
                let io = self.chunk_io(store, header)?;
                let chunked = Chunked {
                    bytes: io.check(conversion.source_size())?,
                    chunk: io.layout.dims.clone(),
                    dims: io.dims.to_vec(),
                    filters: [io.filters(false).into(), io.filters(true).into()],
                    fill,
                    shape,
                };
                (slab, Source::Chunked(Box::new(chunked)))
            }
            _ => return Ok(None),
        };
        Ok(Some(ReadPlan { slab, conversion, reader, changes, source }))
    }
}

impl ReadPlan {
    /// Whether the dataset's raw data are what they were.
    fn is_unchanged(&self, seen: u64) -> bool {
        fence(Ordering::SeqCst);
        self.changes.load(Ordering::SeqCst) == seen
    }

    /// False if the data have changed meanwhile.
    fn read_contiguous(&self, address: u64, seen: u64, object: &Object, out: &mut [u8]) -> Result<bool> {
        let read = |address, buffer: &mut [u8]| self.reader.read(address, buffer, transfer::RAW_DATA);
        let run = self.slab.only_run().filter(|_| self.conversion.is_copy());
        let Some(first) = run else {
            let read = transfer::read(read, address, &self.slab, self.conversion, out);
            return if self.is_unchanged(seen) { read.map(|()| true) } else { Ok(false) };
        };
        let mut at = address + first * self.conversion.target_size() as u64;
        let (mut done, total) = (0, out.len() as u64);
        for piece in out.chunks_mut(PIECE) {
            let result = read_parts(read, at, object.workers().threads(), piece);
            if !self.is_unchanged(seen) {
                return Ok(false);
            }
            result?;
            at += piece.len() as u64;
            done += piece.len() as u64;
            if done < total {
                object.listener().report(done, total)?;
            }
        }
        Ok(true)
    }

    /// Reads the chunks of a job together where that is better, as they are stored; those that need not be read whole, and all where
    /// it fails, are empty.
    fn read_together(&self, chunks: &Chunked, job: &[(Cut<'_>, Band<'_>)], found: &[Found]) -> Vec<Vec<u8>> {
        let most = 2 * chunks.bytes as u64 + 4096;
        let element = self.conversion.source_size() as u64;
        let is_filtered = chunks.filters.iter().any(|filters| !filters.is_empty());
        let length = |((cut, _), found): (&(Cut<'_>, Band<'_>), &Found)| match found {
            Found::At(place) if place.size > most => 0,
            Found::At(place) if is_filtered || place.size <= 4 * cut.elements() * element => place.size as usize,
            _ => 0,
        };
        let mut ready: Vec<Vec<u8>> = job.iter().zip(found).map(|chunk| vec![0; length(chunk)]).collect();
        let mut parts = Vec::new();
        for (buffer, found) in ready.iter_mut().zip(found) {
            if let (Found::At(place), false) = (found, buffer.is_empty()) {
                parts.push(ReadPart { offset: place.address, buffer });
            }
        }
        if parts.len() < 2 || !self.reader.read_all(&mut parts) {
            ready.iter_mut().for_each(Vec::clear);
        }
        ready
    }

    /// Reads what is selected of one chunk, of which `ready` may be all that is stored.
    fn read_cut(
        &self,
        chunks: &Chunked,
        tools: &mut Tools,
        cut: &Cut<'_>,
        place: Place,
        ready: &[u8],
        band: &Band<'_>,
    ) -> Result<()> {
        let filters = &chunks.filters[usize::from(cut.is_partial(&chunks.dims))];
        let read = |address: u64, buffer: &mut [u8]| {
            let from = address.saturating_sub(place.address) as usize;
            match ready.get(from..from.saturating_add(buffer.len())) {
                Some(ready) => {
                    buffer.copy_from_slice(ready);
                    Ok(())
                }
                None => self.reader.read(address, buffer, CHUNK),
            }
        };
        let (begin, end) = cut.band();
        let is_alone = end - begin == cut.elements();
        if filters.is_empty() {
            let size = chunks.bytes as u64;
            if is_alone
                || !self.conversion.is_copy()
                || place.size > 4 * cut.elements() * self.conversion.source_size() as u64
            {
                return read_unfiltered(read, place, size, cut, self.conversion, &mut band.lock());
            }
            check_unfiltered(place, size)?;
            tools.chunk.resize(chunks.bytes, 0);
            read(place.address, &mut tools.chunk)?;
            return gather(cut, &tools.chunk, 0, self.conversion, &mut band.lock());
        }
        if place.size > MAX_BLOCK {
            return Err(Error::corrupt(CHUNK, place.address, format_args!("a size of {} bytes", place.size)));
        }
        let Tools { codec, stored, chunk } = tools;
        stored.resize(place.size as usize, 0);
        read(place.address, stored)?;
        let whole = single_run(cut)?.filter(|run| run.2 * self.conversion.source_size() as u64 == chunks.bytes as u64);
        match whole.filter(|_| is_alone && self.conversion.is_copy()) {
            Some((_, to, length)) => {
                let mut band = band.lock();
                let out = band.run(to, length, self.conversion.target_size());
                codec.decode(filters, place.filter_mask, stored, out, CHUNK, place.address)
            }
            None => {
                chunk.resize(chunks.bytes, 0);
                codec.decode(filters, place.filter_mask, stored, chunk, CHUNK, place.address)?;
                gather(cut, chunk, 0, self.conversion, &mut band.lock())
            }
        }
    }
}

/// Reads a piece of the file with several threads.
fn read_parts(
    read: impl Fn(u64, &mut [u8]) -> Result<()> + Copy + Send,
    address: u64,
    threads: usize,
    out: &mut [u8],
) -> Result<()> {
    let parts = threads.min(out.len() / PART);
    if parts < 2 {
        return read(address, out);
    }
    let length = out.len().div_ceil(parts);
    let mut pieces = out.chunks_mut(length).enumerate();
    std::thread::scope(|scope| {
        let own = pieces.next();
        let others: Vec<_> = pieces
            .map(|(number, piece)| scope.spawn(move || read(address + (number * length) as u64, piece)))
            .collect();
        let own = own.map_or(Ok(()), |(_, piece)| read(address, piece));
        others.into_iter().map(|other| other.join()).fold(own, |result, other| {
            result.and(other.unwrap_or_else(|_| Err(Error::internal("a reading thread panicked"))))
        })
    })
}

impl Object {
    /// Reads the selected elements (all, without a selection) into `out`, converted to type `memory`.
    pub fn dataset_read(&self, memory: &Datatype, selection: Option<&Selection<'_>>, out: &mut [u8]) -> Result<()> {
        check_plain(memory)?;
        self.read_plain(memory, selection, out)?;
        self.pin_referenced(memory, out)
    }

    fn read_plain(&self, memory: &Datatype, selection: Option<&Selection<'_>>, out: &mut [u8]) -> Result<()> {
        let total = out.len() as u64;
        self.listener().report(0, total)?;
        for attempt in 0.. {
            let (mut is_elsewhere, mut is_called, mut may_grow) = (false, false, false);
            let plan = self.read(WHAT, "", |state, slot| {
                if attempt == 0 {
                    state.note_read();
                }
                let State { store, objects, .. } = state;
                let (header, array) = objects.get(slot)?.array()?;
                is_elsewhere = array.is_elsewhere();
                may_grow = array.may_grow();
                is_called = array.calls_back(store, header)?;
                if is_elsewhere || is_called {
                    return Ok(None);
                }
                let plan = match attempt {
                    ATTEMPTS.. => None,
                    _ => array.plan_read(store, header, memory, selection, out.len())?,
                };
                if plan.is_none() {
                    array.read(store, header, memory, selection, out)?;
                }
                Ok(plan)
            })?;
            if is_called {
                return self.read_called(memory, selection, out);
            }
            if may_grow {
                self.follow_sources(WHAT)?;
            }
            if is_elsewhere {
                Way::begin(|way| self.read_at_depth(memory, selection, out, way))?;
            }
            let Some(plan) = plan else { return self.listener().report(total, total) };
            let done = match &plan.source {
                Source::Contiguous { address, seen } => {
                    let read = plan.read_contiguous(*address, *seen, self, out);
                    read.map_err(|e| self.explain(e, WHAT, ""))?
                }
                Source::Chunked(chunks) => self.read_chunks(&plan, chunks, out)?,
            };
            if done {
                return self.listener().report(total, total);
            }
        }
        Ok(())
    }

    /// False if the dataset has lost elements since the plan was made.
    fn read_chunks(&self, plan: &ReadPlan, chunks: &Chunked, out: &mut [u8]) -> Result<bool> {
        let size = plan.conversion.target_size() as u64;
        let reads_together = plan.reader.reads_together();
        let count = chunks_per_job(if reads_together { chunks.bytes / TOGETHER } else { chunks.bytes });
        let jobs = plan.slab.chunks_touched(&chunks.chunk).div_ceil(count as u64);
        let keeps =
            jobs.saturating_mul(count as u64).saturating_mul(chunks.bytes as u64) <= KEPT.max(chunks.bytes as u64);
        let (done, total) = (AtomicU64::new(0), out.len() as u64);
        let is_outdated = AtomicBool::new(false);
        let mut cuts = Cuts::new(&plan.slab, &chunks.chunk);
        let (mut rest, mut band, mut end) = (out, None::<Band<'_>>, 0);
        let next = || {
            let mut job = Vec::with_capacity(count);
            for cut in cuts.by_ref().take(count) {
                let (begin, next) = cut.band();
                if begin >= end || band.is_none() {
                    let (data, after) = std::mem::take(&mut rest).split_at_mut(((next - begin) * size) as usize);
                    (rest, end) = (after, next);
                    band = Some(Arc::new(Mutex::new(Window { data, begin })));
                }
                job.extend(band.clone().map(|band| (cut, band)));
            }
            (!job.is_empty()).then_some(job)
        };
        let work = |tools: &mut Tools, job: Vec<(Cut<'_>, Band<'_>)>| {
            let Some((seen, found)) = self.find_chunks(plan, chunks, &job)? else {
                is_outdated.store(true, Ordering::Relaxed);
                return Err(Error::internal("the dataset has lost elements"));
            };
            let ready = if reads_together { plan.read_together(chunks, &job, &found) } else { Vec::new() };
            for (number, ((cut, band), found)) in job.iter().zip(found).enumerate() {
                let ready = ready.get(number).map_or(&[][..], Vec::as_slice);
                let read = match found {
                    Found::Read => continue,
                    Found::Absent => fill_cut(cut, &chunks.fill, &mut band.lock()),
                    Found::At(place) => plan.read_cut(chunks, tools, cut, place, ready, band),
                };
                let is_part = cut.elements() < cut.elements_inside(&chunks.dims) && !chunks.filters[0].is_empty();
                if !plan.is_unchanged(seen) {
                    self.read_again(plan, chunks, cut, band)?;
                } else {
                    read.map_err(|e| self.explain(e, WHAT, ""))?;
                    if keeps && is_part && matches!(found, Found::At(_)) {
                        self.keep_chunk(plan, seen, cut, &tools.chunk)?;
                    }
                }
                done.fetch_add(cut.elements() * size, Ordering::Relaxed);
            }
            Ok(())
        };
        let pause = || self.listener().report(done.load(Ordering::Relaxed), total);
        let read = self.workers().run(jobs, next, work, Ok, pause);
        if is_outdated.into_inner() {
            return Ok(false);
        }
        read.map(|()| true)
    }

    /// Finds the chunks of a job, and reads those that are in the cache; also the number of changes to the dataset before.
    /// None if it has lost elements since the plan was made.
    fn find_chunks(
        &self,
        plan: &ReadPlan,
        chunks: &Chunked,
        job: &[(Cut<'_>, Band<'_>)],
    ) -> Result<Option<(u64, Vec<Found>)>> {
        self.read(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            if array.shape != chunks.shape {
                return Ok(None);
            }
            let seen = array.changes.load(Ordering::SeqCst);
            let mut io = array.chunk_io(store, header)?;
            let find = |(cut, band): &(Cut<'_>, Band<'_>)| {
                if let Some(data) = io.work.cache.look_up(cut.scaled()) {
                    return gather(cut, data, 0, plan.conversion, &mut band.lock()).map(|()| Found::Read);
                }
                Ok(io.find(store, cut.scaled())?.map_or(Found::Absent, Found::At))
            };
            Ok(Some((seen, job.iter().map(find).collect::<Result<_>>()?)))
        })
    }

    fn read_again(&self, plan: &ReadPlan, chunks: &Chunked, cut: &Cut<'_>, band: &Band<'_>) -> Result<()> {
        self.read(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            if array.shape != chunks.shape {
                return Err(Error::new(
                    crate::error::ErrorKind::Range,
                    "the dataset has lost elements while it was read",
                ));
            }
            let mut io = array.chunk_io(store, header)?;
            io.read_cut(store, cut, plan.conversion, &chunks.fill, &mut band.lock())
        })
    }

    /// Keeps a decoded chunk for the next call, unless it has changed since.
    fn keep_chunk(&self, plan: &ReadPlan, seen: u64, cut: &Cut<'_>, data: &[u8]) -> Result<()> {
        self.read(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let mut io = array.chunk_io(store, header)?;
            if plan.is_unchanged(seen) && io.work.cache.get(cut.scaled()).is_none() {
                io.keep(cut.scaled(), data.to_vec());
            }
            Ok(())
        })
    }
}
