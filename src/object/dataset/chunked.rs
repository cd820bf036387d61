//! Raw data in chunks. What is read or written in part goes through a cache of decoded chunks; whole chunks go straight
//! to the file. A chunk that was in the last flushed state is never overwritten: it is written to new space, and its old
//! space freed, so that a flush replaces all of them at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use super::allocate::{Allocation, Blanks};
use super::chunk_cache::ChunkCache;
use super::cut::Cut;
use super::edges::is_edge;
use super::extent::Tail;
use super::filled::Filled;
use super::pieces::{fill_cut, gather, read_unfiltered, scatter, single_run, source, Window};
use super::selection::Slab;
use super::transfer::repeat;
use super::{max_dims, own_body, DatasetState, Storage};
use crate::chunk::{Chunks, Index, Place};
use crate::datatype::Conversion;
use crate::error::{Error, Result};
use crate::format::filter::{self, Codec, Skip};
use crate::format::message::filter_pipeline::{self, Filter};
use crate::format::message::kind;
use crate::format::message::layout::{ChunkIndex, Chunked, Layout};
use crate::format::UNDEFINED;
use crate::object::header::ObjectHeader;
use crate::store::Store;

/// Layout flag of version 4: chunks that reach beyond the dataset's extent are not filtered.
pub(super) const EDGES_UNFILTERED: u8 = 1;

pub(super) const CHUNK: &str = "chunk";

/// What is kept of a chunked dataset while it is open.
#[derive(Debug, Clone, Default)]
pub(super) struct ChunkWork {
    /// The filters, once they are known.
    pub filters: Option<Arc<[Filter]>>,
    pub index: Option<Index>,
    pub cache: ChunkCache,
    pub tail: Option<Tail>,
    /// What the next allocation fills chunks with, where a filter of the user's made it.
    pub blanks: Blanks,
    /// Heap objects that were made for elements beyond the dimensions, behind a filter of the user's that is called under the lock.
    pub made: Vec<(u64, u32)>,
    /// Chunks that were written where there were none.
    pub entered: u64,
}

/// A chunk as it is stored.
pub(super) struct Stored<'a> {
    pub scaled: &'a [u64],
    pub filter_mask: u32,
    pub bytes: &'a [u8],
}

/// A chunked dataset that is being read or written.
pub(super) struct ChunkIo<'a> {
    /// The layout; when its index is made, or its only chunk moves, it changes, and so must the message.
    pub layout: &'a mut Chunked,
    pub dims: &'a [u64],
    /// Those for which chunks are stored as they are.
    pub stored_dims: &'a [u64],
    pub max_dims: &'a [u64],
    pub work: &'a mut ChunkWork,
    /// What an element of an absent chunk is.
    pub fill: Vec<u8>,
    /// As in [`DatasetState`].
    pub changes: &'a AtomicU64,
    /// As in [`DatasetState`].
    pub skips_noise: bool,
    /// If the fill value owns heap objects.
    pub filled: Option<Filled>,
    pub allocation: Allocation,
    /// As in [`DatasetState`].
    pub calls_under_lock: bool,
}

impl DatasetState {
    /// The chunks, to be read or changed.
    pub(super) fn chunk_io(&mut self, store: &mut Store, header: &ObjectHeader) -> Result<ChunkIo<'_>> {
        self.pause_appending();
        let (fill, filled) = (self.fill_element()?, self.filled()?);
        let allocation = self.allocation();
        let Storage::Chunked(layout) = &mut self.storage else {
            return Err(Error::internal("chunks of a dataset that has none"));
        };
        let work = self.work.get_or_insert_default();
        if work.filters.is_none() {
            work.filters = Some(open_filters(store, header)?.into());
        }
        Ok(ChunkIo {
            layout,
            dims: self.dataspace.dims(),
            stored_dims: self.dataspace.dims(),
            max_dims: max_dims(&self.dataspace),
            work,
            fill,
            changes: &self.changes,
            skips_noise: self.skips_noise,
            filled,
            allocation,
            calls_under_lock: self.calls_under_lock,
        })
    }

    /// Changes chunks, and the layout message if the index was made, or the only chunk has moved.
    pub(super) fn change_chunks(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        change: impl FnOnce(&mut ChunkIo<'_>, &mut Store) -> Result<()>,
    ) -> Result<()> {
        let mut io = self.chunk_io(store, header)?;
        let before = (io.layout.address, io.layout.index);
        let changed = change(&mut io, store);
        io.publish_index(store)?;
        changed?;
        if before == (io.layout.address, io.layout.index) {
            return Ok(());
        }
        let layout = Layout::chunked(io.layout.clone());
        let Some(index) = header.find(kind::LAYOUT) else { return Err(self.changed(header)) };
        header.replace(store, index, &layout.encode(store.sizes())?)
    }

    /// Whether chunks were changed in memory that are not written yet.
    pub fn has_unwritten(&self) -> bool {
        self.has_grown || self.work.as_ref().is_some_and(|work| work.tail.is_some() || !work.cache.dirty().is_empty())
    }

    /// The last handle is closed: no chunks are kept in memory, and of the index no more than rebalancing needs.
    pub fn close(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        // A damaged dataset that was only looked at is no reason to fail.
        if self.has_unwritten() {
            self.prepare(store, header)?;
        }
        if self.is_thinned {
            if let Some(work) = &mut self.work {
                (work.cache, work.tail) = (ChunkCache::default(), None);
            }
            return Ok(());
        }
        self.prepare_index(store)?;
        self.work = None;
        Ok(())
    }

    fn prepare_index(&mut self, store: &mut Store) -> Result<()> {
        let index = self.work.as_mut().and_then(|work| work.index.as_mut());
        index.map_or(Ok(()), |index| index.prepare(store))
    }

    /// Writes the chunks that were changed in memory, and the dimensions.
    pub fn prepare(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        if self.work.is_some() {
            self.change_chunks(store, header, |io, store| io.flush(store))?;
            self.prepare_index(store)?;
        }
        if self.has_grown {
            self.put_dataspace(store, header)?;
        }
        Ok(())
    }
}

impl ChunkIo<'_> {
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks { layout: self.layout, dims: self.dims, max_dims: self.max_dims }
    }

    /// Fails when the layout does not fit the elements, whose size is given; the bytes of a chunk.
    pub fn check(&self, element: usize) -> Result<usize> {
        if self.layout.element_size != element as u64 {
            let detail = format_args!("elements of {} bytes, not the datatype's", self.layout.element_size);
            return Err(Error::corrupt("data layout message", self.layout.address, detail));
        }
        self.chunks().check_dimensions()?;
        let bytes = self.chunks().chunk_bytes()?;
        let too_large = || Error::corrupt("data layout message", self.layout.address, format_args!("{bytes} bytes"));
        usize::try_from(bytes).map_err(|_| too_large())
    }

    pub(super) fn publish_index(&mut self, store: &mut Store) -> Result<()> {
        self.work.index.as_mut().map_or(Ok(()), |index| index.publish(store))
    }

    pub fn find(&mut self, store: &mut Store, scaled: &[u64]) -> Result<Option<Place>> {
        let chunks = Chunks { layout: self.layout, dims: self.dims, max_dims: self.max_dims };
        let index = match &mut self.work.index {
            Some(index) => index,
            none => none.insert(Index::open(&chunks, store)?),
        };
        index.find(&chunks, store, scaled)
    }

    /// What encodes and decodes while the file's lock is held.
    pub fn codec(&self) -> Codec {
        match self.calls_under_lock {
            true => Codec::with_callbacks(),
            false => Codec::default(),
        }
    }

    /// What a call that writes skips.
    pub fn skip(&self) -> Skip {
        Skip { failing: false, noise: self.skips_noise }
    }

    /// The filters that a chunk goes through.
    pub fn filters(&self, is_partial: bool) -> &[Filter] {
        match &self.work.filters {
            Some(filters) if !is_partial || self.layout.flags & EDGES_UNFILTERED == 0 => filters,
            _ => &[],
        }
    }

    /// Reads the selected elements into `out`, which has their exact size. The slab has all dimensions; `fill` is what an
    /// element of an absent chunk reads as.
    pub fn read(
        &mut self,
        store: &mut Store,
        slab: &Slab,
        conversion: Conversion,
        fill: &[u8],
        out: &mut [u8],
    ) -> Result<()> {
        let chunk = self.layout.dims.clone();
        slab.for_each_cut(&chunk, |cut| {
            self.read_cut(store, &cut, conversion, fill, &mut Window { data: out, begin: 0 })
        })
    }

    /// Reads what is selected of one chunk.
    pub fn read_cut(
        &mut self,
        store: &mut Store,
        cut: &Cut<'_>,
        conversion: Conversion,
        fill: &[u8],
        out: &mut Window<'_>,
    ) -> Result<()> {
        let bytes = self.check(conversion.source_size())?;
        if let Some(data) = self.work.cache.look_up(cut.scaled()) {
            return gather(cut, data, 0, conversion, out);
        }
        let Some(place) = self.find(store, cut.scaled())? else {
            return fill_cut(cut, fill, out);
        };
        let filters = self.filters(cut.is_partial(self.dims));
        if filters.is_empty() {
            let read = |address, buffer: &mut [u8]| store.read_raw(address, buffer, CHUNK);
            return read_unfiltered(read, place, bytes as u64, cut, conversion, out);
        }
        let data = decode(store, place, filters, bytes, self.codec())?;
        gather(cut, &data, 0, conversion, out)?;
        if cut.elements() < cut.elements_inside(self.dims) {
            self.keep(cut.scaled(), data);
        }
        Ok(())
    }

    /// Keeps a chunk's elements, which are what the file has, for the next call. Nothing that a filter of the user's made is kept.
    pub fn keep(&mut self, scaled: &[u64], data: Vec<u8>) {
        if self.calls_under_lock {
            return;
        }
        self.work.cache.insert(scaled, data, false);
        self.work.cache.trim_clean();
    }

    /// Writes the selected elements from `data`, which has their exact size. The slab has all dimensions.
    pub fn write(&mut self, store: &mut Store, slab: &Slab, conversion: Conversion, data: &[u8]) -> Result<()> {
        let bytes = self.check(conversion.target_size())?;
        self.check_can_write()?;
        if filter::may_refuse(self.filters(false)) || self.calls_under_lock {
            let encoded = self.encode_all(store, slab, conversion, data);
            if encoded.is_err() {
                self.filled.as_mut().map_or(Ok(()), |filled| filled.take_back(store))?;
            }
            if let Some(filled) = self.filled.as_mut().filter(|_| self.calls_under_lock) {
                self.work.made.append(&mut filled.made);
            }
            return self.put_ready(store, encoded?);
        }
        let chunk = self.layout.dims.clone();
        slab.for_each_cut(&chunk, |cut| match self.replaces(&cut) {
            true => self.write_whole(store, &cut, conversion, bytes, data),
            false => self.write_part(store, &cut, conversion, data),
        })
    }

    /// Whether a chunk is written without a look at what it was. What stands beyond the dimensions keeps what it owns.
    pub fn replaces(&self, cut: &Cut<'_>) -> bool {
        cut.is_whole(self.dims, self.max_dims) && (self.filled.is_none() || !cut.is_partial(self.dims))
    }

    /// Writes what is selected of one chunk, in the cache.
    pub fn write_part(&mut self, store: &mut Store, cut: &Cut<'_>, conversion: Conversion, data: &[u8]) -> Result<()> {
        let bytes = self.check(conversion.target_size())?;
        if self.work.cache.look_up(cut.scaled()).is_none() {
            let loaded = self.load(store, cut.scaled(), cut.is_partial(self.dims), bytes)?;
            self.work.cache.insert(cut.scaled(), loaded, true);
        }
        if let Some(chunk) = self.work.cache.get_mut(cut.scaled()) {
            scatter(cut, chunk, conversion, data)?;
            if let Some(filled) = &mut self.filled {
                filled.own(store, chunk)?;
            }
        }
        self.write_surplus(store)
    }

    /// Fails when chunks cannot be written, before anything is changed.
    pub fn check_can_write(&self) -> Result<()> {
        self.check_can_move()?;
        filter::check_writable(self.filters(false), self.calls_under_lock)
    }

    /// Fails when chunks cannot be stored in new places.
    pub fn check_can_move(&self) -> Result<()> {
        if self.layout.chunk_bytes().is_none_or(|bytes| bytes > u64::from(u32::MAX)) {
            return Err(Error::unsupported("writing chunks of 4 GiB or more"));
        }
        Ok(())
    }

    fn write_whole(
        &mut self,
        store: &mut Store,
        cut: &Cut<'_>,
        conversion: Conversion,
        bytes: usize,
        data: &[u8],
    ) -> Result<()> {
        self.work.cache.remove(cut.scaled());
        let is_partial = cut.is_partial(self.dims);
        match single_run(cut)?.filter(|_| !is_partial && conversion.is_copy()) {
            Some((_, to, length)) => {
                self.store_chunk(store, cut.scaled(), false, source(data, to, length, conversion.source_size()))
            }
            None => {
                let mut chunk = vec![0; bytes];
                if is_partial {
                    repeat(&self.fill, &mut chunk);
                }
                scatter(cut, &mut chunk, conversion, data)?;
                self.own(store, &mut chunk)?;
                self.store_chunk(store, cut.scaled(), is_partial, &chunk)
            }
        }
    }

    /// A chunk's elements, from the file or, for one that was never written, the fill value.
    pub fn load(&mut self, store: &mut Store, scaled: &[u64], is_partial: bool, bytes: usize) -> Result<Vec<u8>> {
        match self.find(store, scaled)? {
            Some(place) => decode(store, place, self.filters(is_partial), bytes, self.codec()),
            None => {
                let mut data = vec![0; bytes];
                if self.fill.iter().any(|&byte| byte != 0) {
                    repeat(&self.fill, &mut data);
                }
                Ok(data)
            }
        }
    }

    pub fn is_partial(&self, scaled: &[u64]) -> bool {
        is_edge(scaled, &self.layout.dims, self.dims)
    }

    /// Writes what the cache has beyond its bound.
    pub fn write_surplus(&mut self, store: &mut Store) -> Result<()> {
        while let Some((scaled, data)) = self.work.cache.pop_beyond_bound() {
            if let Some(data) = data {
                self.store_chunk(store, &scaled, self.is_partial(&scaled), &data)?;
            }
        }
        Ok(())
    }

    /// Writes all chunks that were changed.
    pub fn flush(&mut self, store: &mut Store) -> Result<()> {
        for scaled in self.work.cache.dirty() {
            let data = self.work.cache.get(&scaled).map(<[u8]>::to_vec).unwrap_or_default();
            self.store_chunk(store, &scaled, self.is_partial(&scaled), &data)?;
            self.work.cache.clean(&scaled);
        }
        Ok(())
    }

    /// Encodes a chunk and writes it; a filter that cannot keep it is skipped, because the call that brought the data is over.
    pub(super) fn store_chunk(
        &mut self,
        store: &mut Store,
        scaled: &[u64],
        is_partial: bool,
        data: &[u8],
    ) -> Result<()> {
        let filters = self.filters(is_partial);
        if filters.is_empty() {
            return self.put(store, scaled, 0, data);
        }
        let mut codec = Codec::default();
        let encoded = codec.encode(filters, data, Skip { failing: true, noise: self.skips_noise })?;
        self.put(store, scaled, encoded.mask, encoded.bytes)
    }

    /// Writes an encoded chunk where the last flushed state has nothing, and enters it in the index.
    pub fn put(&mut self, store: &mut Store, scaled: &[u64], filter_mask: u32, stored: &[u8]) -> Result<()> {
        self.put_all(store, &[Stored { scaled, filter_mask, bytes: stored }])
    }

    /// The same with several chunks, each another one.
    pub fn put_all(&mut self, store: &mut Store, chunks: &[Stored<'_>]) -> Result<()> {
        if chunks.is_empty() {
            return Ok(());
        }
        let is_first = self.layout.address == UNDEFINED;
        if self.is_implicit() {
            self.prepare_extent(store)?;
        }
        let (mut places, mut writes) = (Vec::with_capacity(chunks.len()), Vec::with_capacity(chunks.len()));
        for Stored { scaled, filter_mask, bytes } in chunks {
            let old = self.find(store, scaled)?;
            let size = bytes.len() as u64;
            if old.is_some() {
                self.changes.fetch_add(1, Ordering::SeqCst);
            } else {
                self.work.entered += 1;
            }
            let in_place = old.filter(|old| old.size == size && store.space().is_fresh(old.address, size));
            let address = match in_place {
                Some(old) => old.address,
                None => store.allocate(size)?,
            };
            writes.push((address, *bytes));
            places.push((Place { address, size, filter_mask: *filter_mask }, old.filter(|_| in_place.is_none())));
        }
        store.write_raw_all(&writes)?;
        if self.is_implicit() {
            return Ok(());
        }
        for (chunk, (place, old)) in chunks.iter().zip(places) {
            self.enter(store, chunk.scaled, place)?;
            if let Some(old) = old {
                store.free(old.address, old.size);
            }
        }
        match is_first && self.allocation.is_late {
            true => self.allocate(store, &vec![0; self.dims.len()]),
            false => Ok(()),
        }
    }

    /// Enters a chunk in the index, which is made if there is none.
    pub(super) fn enter(&mut self, store: &mut Store, scaled: &[u64], place: Place) -> Result<()> {
        let is_filtered = self.work.filters.as_ref().is_some_and(|filters| !filters.is_empty());
        if let ChunkIndex::Single { filtered } = &mut self.layout.index {
            self.layout.address = place.address;
            *filtered = is_filtered.then_some((place.size, place.filter_mask));
        } else if self.layout.address == UNDEFINED {
            self.layout.address = Index::create(&self.chunks(), store, is_filtered)?;
            self.work.index = None;
        }
        let chunks = Chunks { layout: self.layout, dims: self.dims, max_dims: self.max_dims };
        let index = match &mut self.work.index {
            Some(index) => index,
            none => none.insert(Index::open(&chunks, store)?),
        };
        index.set(&chunks, store, scaled, place)
    }
}

/// The filters of the raw data.
fn open_filters(store: &mut Store, header: &ObjectHeader) -> Result<Vec<Filter>> {
    match header.find(kind::FILTER_PIPELINE) {
        Some(_) => filter_pipeline::decode(own_body(store, header, kind::FILTER_PIPELINE, "filter pipeline")?),
        None => Ok(Vec::new()),
    }
}

/// A chunk's elements.
fn decode(store: &mut Store, place: Place, filters: &[Filter], bytes: usize, mut codec: Codec) -> Result<Vec<u8>> {
    let stored = store.read_bytes(place.address, place.size, CHUNK)?;
    filter::decode_with(&mut codec, filters, place.filter_mask, &stored, bytes, (CHUNK, place.address))
}
