//! Chunks as they are stored: described, read and written past the filters.

use super::allocate::Blanks;
use super::chunk_cache::CacheFigures;
use super::chunked::{ChunkIo, CHUNK};
use super::DatasetState;
use crate::chunk::Place;
use crate::error::{Error, ErrorKind, Result};
use crate::object::header::ObjectHeader;
use crate::object::state::State;
use crate::object::Object;
use crate::store::Store;

/// A chunk that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkInfo {
    /// Its first element.
    pub offset: Vec<u64>,
    /// Where it is in the file.
    pub address: u64,
    /// Its bytes there.
    pub size: u64,
    /// Bit n set: filter n was skipped.
    pub filter_mask: u32,
}

impl ChunkIo<'_> {
    /// The place, in chunks, of the chunk whose first element is given.
    fn scaled(&self, offset: &[u64]) -> Result<Vec<u64>> {
        let chunk = &self.layout.dims;
        if offset.len() != chunk.len() {
            return Err(Error::range("number of offsets", offset.len(), chunk.len()));
        }
        let wrong = (0..chunk.len()).find(|&d| !offset[d].is_multiple_of(chunk[d]) || offset[d] >= self.dims[d]);
        if let Some(d) = wrong {
            let accepted = format_args!("a multiple of {} below {}", chunk[d], self.dims[d]);
            return Err(Error::range(&format!("offset of dimension {d}"), offset[d], accepted));
        }
        Ok(offset.iter().zip(chunk).map(|(offset, chunk)| offset / chunk).collect())
    }

    fn place(&mut self, store: &mut Store, offset: &[u64]) -> Result<Place> {
        let scaled = self.scaled(offset)?;
        let missing = || Error::new(ErrorKind::NotFound, format!("no chunk was written at {offset:?}"));
        self.find(store, &scaled)?.ok_or_else(missing)
    }

    /// Fails when the bytes cannot be what is stored of a chunk.
    fn check_stored(&self, scaled: &[u64], filter_mask: u32, length: u64) -> Result<()> {
        let filters = self.filters(self.is_partial(scaled)).len() as u32;
        if filters < 32 && filter_mask >> filters != 0 {
            let accepted = format_args!("0..{}: {filters} filters", (1u64 << filters) - 1);
            return Err(Error::range("filter_mask", filter_mask, accepted));
        }
        let bytes = self.chunks().chunk_bytes()?;
        let all = if filters >= 32 { u32::MAX } else { (1u32 << filters) - 1 };
        if filter_mask == all && length != bytes {
            return Err(Error::range(
                "length of a chunk that no filter changed",
                length,
                format_args!("{bytes} bytes"),
            ));
        }
        let most = self.chunks().most_stored()?.min(u64::from(u32::MAX));
        if length == 0 || length > most {
            return Err(Error::range("length of a chunk", length, format_args!("1..{most} bytes")));
        }
        Ok(())
    }
}

impl DatasetState {
    fn write_chunk(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        offset: &[u64],
        filter_mask: u32,
        data: &[u8],
    ) -> Result<()> {
        store.check_writable()?;
        self.check_chunked()?;
        self.change_chunks(store, header, |io, store| {
            io.check_can_move()?;
            let scaled = io.scaled(offset)?;
            io.check_stored(&scaled, filter_mask, data.len() as u64)?;
            io.work.cache.remove(&scaled);
            io.put(store, &scaled, filter_mask, data)
        })
    }
}

impl Object {
    /// Describes the stored chunk whose first element is at `offset`.
    pub fn chunk_info(&self, offset: &[u64]) -> Result<ChunkInfo> {
        self.with_stored("describing chunk of", |state, header, array| {
            let place = array.chunk_io(state, header)?.place(state, offset)?;
            Ok(info(offset.to_vec(), place))
        })
    }

    /// Reads the stored chunk whose first element is at `offset` into the beginning of `out`, as the file has it; what it is.
    pub fn chunk_read(&self, offset: &[u64], out: &mut [u8]) -> Result<ChunkInfo> {
        self.read_counted("reading chunk of", "", |state, slot| {
            // The chunk may be encoded: nobody looks for what it refers to.
            if state.objects.get(slot)?.array()?.1.datatype().has_references() {
                state.pinned.pin_all();
            }
            Ok(())
        })?;
        self.with_stored("reading chunk of", |state, header, array| {
            let place = array.chunk_io(state, header)?.place(state, offset)?;
            let Some(out) = usize::try_from(place.size).ok().and_then(|size| out.get_mut(..size)) else {
                let message = format!("the chunk has {} bytes, the buffer {}", place.size, out.len());
                return Err(Error::new(ErrorKind::TooSmall, message));
            };
            state.read_raw(place.address, out, CHUNK)?;
            Ok(info(offset.to_vec(), place))
        })
    }

    /// Stores `data` as the chunk whose first element is at `offset`, as if the filters had made it; bit n of `filter_mask`
    /// says that filter n was skipped.
    pub fn chunk_write(&self, offset: &[u64], filter_mask: u32, data: &[u8]) -> Result<()> {
        const WHAT: &str = "writing chunk of";
        let blanks = self.blanks_called(WHAT)?;
        self.change(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            array.prepare_blanks(blanks);
            let written = array.write_chunk(store, header, offset, filter_mask, data);
            array.prepare_blanks(Blanks::default());
            written?;
            objects.mark(slot)
        })
    }

    /// The figures of the dataset's chunk cache, while a handle of it is open.
    pub fn chunk_cache(&self) -> Result<CacheFigures> {
        self.read("describing chunk cache of", "", |state, slot| {
            let array = state.objects.get(slot)?.array()?.1;
            array.check_chunked()?;
            Ok(array.work.get_or_insert_default().cache.figures())
        })
    }

    /// Sets the bytes that the dataset's chunk cache may take, unless a single chunk is larger, until its last handle is closed.
    /// What is beyond them is written.
    pub fn set_chunk_cache(&self, bytes: usize) -> Result<()> {
        let surplus = self.read("setting chunk cache of", "", |state, slot| {
            let array = state.objects.get(slot)?.array()?.1;
            array.check_chunked()?;
            let cache = &mut array.work.get_or_insert_default().cache;
            cache.set_bound(bytes);
            cache.trim_clean();
            Ok(cache.figures().bytes > bytes as u64)
        })?;
        if !surplus {
            return Ok(());
        }
        self.change_array("setting chunk cache of", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            array.change_chunks(store, header, |io, store| io.write_surplus(store))
        })
    }

    /// All stored chunks, in the index's order.
    pub fn chunks(&self) -> Result<Vec<ChunkInfo>> {
        self.with_stored("listing chunks of", |state, header, array| {
            let mut found = Vec::new();
            let io = array.chunk_io(state, header)?;
            let dims = &io.layout.dims;
            io.chunks().for_each(state, |chunk| {
                let offset = chunk.scaled.iter().zip(dims).map(|(at, dim)| at.saturating_mul(*dim)).collect();
                let (address, size, filter_mask) = (chunk.address, chunk.size, chunk.filter_mask);
                found.push(ChunkInfo { offset, address, size, filter_mask });
                Ok(())
            })?;
            Ok(found)
        })
    }

    /// Runs a read for which all chunks are in the file.
    fn with_stored<R>(
        &self,
        what: &str,
        work: impl FnOnce(&mut Store, &mut ObjectHeader, &mut DatasetState) -> Result<R>,
    ) -> Result<R> {
        let has_unwritten = self.read(what, "", |state, slot| {
            let array = state.objects.get(slot)?.array()?.1;
            array.check_chunked()?;
            Ok(array.has_unwritten())
        })?;
        if has_unwritten {
            self.change(what, "", |state, slot| {
                let State { store, objects, .. } = state;
                let (header, array) = objects.get(slot)?.array()?;
                array.prepare(store, header)
            })?;
        }
        self.read(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            work(store, header, array)
        })
    }
}

fn info(offset: Vec<u64>, place: Place) -> ChunkInfo {
    ChunkInfo { offset, address: place.address, size: place.size, filter_mask: place.filter_mask }
}
