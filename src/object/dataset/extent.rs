//! Chunked datasets that grow and shrink.
//!
//! Rows that are appended one after the other go to the chunk that the last ones went to, which is kept apart for it; nothing
//! else is done for them before the chunk is full, something else is done with the dataset, or the file is flushed.

use super::chunked::{Stored, EDGES_UNFILTERED};
use super::transfer::repeat;
use super::{own_body, DatasetState, Selection, Storage};
use crate::datatype::{Conversion, Datatype};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::kind;
use crate::format::message::layout::Chunked;
use crate::object::header::ObjectHeader;
use crate::store::Store;

/// The chunk that is being appended to.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    /// The type of the elements that are appended.
    memory: Datatype,
    conversion: Conversion,
    scaled: Vec<u64>,
    data: Vec<u8>,
    /// Elements of a row.
    row_elements: usize,
    /// Bytes of the data up to the next row.
    filled: usize,
    rows_left: u64,
}

impl DatasetState {
    /// Changes the dimensions, within the maximum ones. Chunks outside are freed; where the dataset grows again later, it
    /// has the fill value.
    pub fn set_extent(&mut self, store: &mut Store, header: &mut ObjectHeader, dims: &[u64]) -> Result<()> {
        self.set_extent_with(store, header, dims, None)
    }

    /// Fails when the dimensions cannot become these; the maximum ones, and the bytes of all elements.
    pub(super) fn check_extent(&self, dims: &[u64]) -> Result<(Vec<u64>, u64)> {
        let max = self.check_can_resize()?;
        if dims.len() != max.len() {
            return Err(Error::range("number of dimensions", dims.len(), max.len()));
        }
        if let Some((dim, max)) = dims.iter().zip(&max).find(|(dim, max)| dim > max) {
            return Err(Error::range("dimension", dim, format_args!("0..{max}")));
        }
        let size = dims.iter().try_fold(self.datatype.size() as u64, |size, &dim| size.checked_mul(dim));
        let Some(size) = size.filter(|&size| size < i64::MAX as u64) else {
            let message = format!("a dataset of {dims:?} elements is larger than a file can be");
            return Err(Error::new(ErrorKind::Limit, message));
        };
        Ok((max, size))
    }

    /// The same, with what a filter of the user's has made: of chunks that are cut, become edges or cease to be, and of new ones.
    pub(super) fn set_extent_with(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        dims: &[u64],
        made: Option<(&[Stored<'_>], &[Stored<'_>])>,
    ) -> Result<()> {
        store.check_writable()?;
        let (max, size) = self.check_extent(dims)?;
        if dims == self.dataspace.dims() && made.is_none() {
            return Ok(());
        }
        own_body(store, header, kind::DATASPACE, "dataspace")?;
        if made.is_none() {
            self.check_edges(store, header)?;
        }
        self.pause_appending();
        let shrinks = dims.iter().zip(self.dataspace.dims()).any(|(new, old)| new < old);
        if shrinks || self.has_other_edges() {
            // What others have encoded meanwhile may be for an edge that is none now.
            self.shape += 1;
            self.change_chunks(store, header, |io, store| {
                match made {
                    _ if shrinks => io.shrink(store, dims, made.map(|(remade, _)| remade))?,
                    Some((remade, _)) => io.put_all(store, remade)?,
                    None => {}
                }
                match made.is_none() && io.layout.flags & EDGES_UNFILTERED != 0 {
                    true => io.change_edges(store, dims),
                    false => Ok(()),
                }
            })?;
        }
        let before =
            std::mem::replace(&mut self.dataspace, Dataspace::Simple { dims: dims.to_vec(), max_dims: Some(max) });
        match self.put_dataspace(store, header) {
            Ok(()) => self.size = size,
            Err(error) => {
                self.dataspace = before;
                return Err(error);
            }
        }
        if let Some((_, new)) = made {
            self.change_chunks(store, header, |io, store| io.put_all(store, new))?;
        }
        self.allocate_chunks(store, header, before.dims())
    }

    /// Brings the dataspace message in line.
    pub(super) fn put_dataspace(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        let Some(index) = header.find(kind::DATASPACE) else { return Err(self.changed(header)) };
        header.replace(store, index, &self.dataspace.encode(store.sizes()))?;
        self.has_grown = false;
        Ok(())
    }

    /// Fails when as many rows cannot be appended.
    pub fn check_can_append(&self, rows: u64) -> Result<()> {
        let max = self.check_can_resize()?;
        let (Some(max), Some(dim)) = (max.first(), self.dataspace.dims().first()) else {
            return Err(Error::new(ErrorKind::WrongKind, "a scalar has no rows"));
        };
        match dim.checked_add(rows) {
            Some(dim) if dim <= *max => Ok(()),
            _ => Err(Error::range("rows", rows, format_args!("0..{}", max - dim))),
        }
    }

    /// Appends rows along the first dimension, whose elements of type `memory` are `data`.
    pub fn append(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        memory: &Datatype,
        rows: u64,
        data: &[u8],
    ) -> Result<()> {
        if self.append_to_tail(memory, rows, data)? {
            return Ok(());
        }
        store.check_writable()?;
        if self.append_beyond_tail(store, header, memory, rows, data)? {
            return Ok(());
        }
        self.check_can_resize()?;
        let (dims, start, count) = self.appended(memory, rows, data.len())?;
        Conversion::between(memory, &self.datatype)?;
        self.chunk_io(store, header)?.check_can_write()?;
        let selection = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
        self.check_not_refused(store, header, &dims, memory, &selection, data)?;
        self.set_extent(store, header, &dims)?;
        self.write(store, header, memory, Some(&selection), data)?;
        self.begin_appending(memory)
    }

    /// The dimensions after rows were appended, and where and how many they are; their elements must have `length` bytes.
    pub(in crate::object) fn appended(
        &self,
        memory: &Datatype,
        rows: u64,
        length: usize,
    ) -> Result<(Vec<u64>, Vec<u64>, Vec<u64>)> {
        let mut dims = self.dataspace.dims().to_vec();
        if dims.is_empty() {
            return Err(Error::new(ErrorKind::WrongKind, "a scalar has no rows"));
        }
        if self.row_bytes(memory, rows) != Some(length as u64) {
            let message = format!("{rows} rows of {:?} elements do not match a buffer of {length}", &dims[1..]);
            return Err(Error::new(ErrorKind::Argument, message));
        }
        let (start, count) =
            ([vec![dims[0]], vec![0; dims.len() - 1]].concat(), [vec![rows], dims[1..].to_vec()].concat());
        let Some(sum) = dims[0].checked_add(rows) else { return Err(Error::range("rows", rows, "a sum below 2^64")) };
        dims[0] = sum;
        Ok((dims, start, count))
    }

    /// Bytes of `rows` rows whose elements are of type `memory`; none beyond 2^64.
    pub fn row_bytes(&self, memory: &Datatype, rows: u64) -> Option<u64> {
        let below = self.dataspace.dims().iter().skip(1);
        below.copied().chain([rows]).try_fold(memory.size() as u64, |bytes, count| bytes.checked_mul(count))
    }

    /// Appends rows that fit the chunk that the last ones went to; false if they do not, or it is not at hand.
    fn append_to_tail(&mut self, memory: &Datatype, rows: u64, data: &[u8]) -> Result<bool> {
        let Some(tail) = self.work.as_mut().and_then(|work| work.tail.as_mut()) else { return Ok(false) };
        let Dataspace::Simple { dims, max_dims } = &self.dataspace else { return Ok(false) };
        let limit = max_dims.as_ref().map_or(0, |max| max[0]);
        if tail.memory != *memory || rows > tail.rows_left || rows > limit - dims[0] {
            return Ok(false);
        }
        let (from, to) = (tail.conversion.source_size(), tail.conversion.target_size());
        let length = rows as usize * tail.row_elements;
        if data.len() != length * from {
            return Ok(false);
        }
        let end = tail.filled + length * to;
        tail.conversion.run(data, &mut tail.data[tail.filled..end])?;
        tail.filled = end;
        tail.rows_left -= rows;
        self.grow(rows, (length * to) as u64);
        Ok(true)
    }

    /// Appends rows of which the last ones belong to the chunk behind the one that is being appended to. That one is full then,
    /// and is written from the memory where it was gathered, in which the next one begins. False if there is none.
    fn append_beyond_tail(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        memory: &Datatype,
        rows: u64,
        data: &[u8],
    ) -> Result<bool> {
        let Some(tail) = self.work.as_ref().and_then(|work| work.tail.as_ref()) else { return Ok(false) };
        let (chunk_rows, room) = (self.check_chunked()?.dims[0], self.max_dims()[0] - self.dataspace.dims()[0]);
        let (now, then) = (tail.rows_left, rows.saturating_sub(tail.rows_left));
        let does_not_fit = !(1..=chunk_rows).contains(&then) || rows > room || self.size > i64::MAX as u64 / 2;
        if does_not_fit || tail.memory != *memory || self.row_bytes(memory, rows) != Some(data.len() as u64) {
            return Ok(false);
        }
        let Some(mut tail) = self.work.as_mut().and_then(|work| work.tail.take()) else { return Ok(false) };
        let (first, last) = data.split_at(now as usize * tail.row_elements * tail.conversion.source_size());
        let (mut next, mut is_new) = (tail.scaled.clone(), false);
        next[0] += 1;
        let stored = tail.conversion.run(first, &mut tail.data[tail.filled..]).and_then(|()| {
            self.change_chunks(store, header, |io, store| {
                io.store_chunk(store, &tail.scaled, false, &tail.data)?;
                is_new = io.find(store, &next)?.is_none();
                repeat(&io.fill, &mut tail.data);
                Ok(())
            })
        });
        if stored.is_ok() {
            let bytes = tail.data.len() - tail.filled;
            (tail.scaled, tail.filled, tail.rows_left) = (next, 0, chunk_rows);
            self.grow(now, bytes as u64);
        }
        // After an error no row of this call counts.
        if let Some(work) = self.work.as_mut().filter(|_| is_new || stored.is_err()) {
            work.tail = Some(tail);
        }
        stored?;
        match is_new {
            true => self.append_to_tail(memory, then, last),
            false => self.append(store, header, memory, then, last).map(|()| true),
        }
    }

    /// Counts rows of so many bytes that were put into the chunk that is being appended to.
    fn grow(&mut self, rows: u64, bytes: u64) {
        if let Dataspace::Simple { dims, .. } = &mut self.dataspace {
            dims[0] += rows;
        }
        self.size += bytes;
        self.has_grown = true;
    }

    /// Takes the chunk that was appended to out of the cache, if rows are in one piece in it.
    fn begin_appending(&mut self, memory: &Datatype) -> Result<()> {
        let conversion = Conversion::between(memory, &self.datatype)?;
        let (Storage::Chunked(layout), Some(work)) = (&self.storage, &mut self.work) else { return Ok(()) };
        let dims = self.dataspace.dims();
        // Where edges are stored otherwise, a chunk is stored anew when it is full.
        if layout.flags & EDGES_UNFILTERED != 0
            || layout.dims.iter().zip(dims).skip(1).any(|(chunk, dim)| chunk != dim)
            || dims[0].is_multiple_of(layout.dims[0])
        {
            return Ok(());
        }
        let mut scaled = vec![0; dims.len()];
        scaled[0] = dims[0] / layout.dims[0];
        let Some(data) = work.cache.take(&scaled) else { return Ok(()) };
        let rows = dims[0] % layout.dims[0];
        let row_elements = layout.dims[1..].iter().product::<u64>() as usize;
        let filled = rows as usize * row_elements * conversion.target_size();
        let rows_left = layout.dims[0] - rows;
        work.tail = Some(Tail { memory: memory.clone(), conversion, scaled, data, row_elements, filled, rows_left });
        Ok(())
    }

    /// Gives the chunk that is being appended to back to the cache.
    pub(super) fn pause_appending(&mut self) {
        if let Some(work) = &mut self.work {
            if let Some(tail) = work.tail.take() {
                work.cache.insert(&tail.scaled, tail.data, true);
            }
        }
    }

    /// The layout of a chunked dataset.
    pub(super) fn check_chunked(&self) -> Result<&Chunked> {
        match &self.storage {
            Storage::Chunked(chunked) => Ok(chunked),
            _ => Err(Error::new(ErrorKind::WrongKind, "a chunked dataset is needed")),
        }
    }

    /// The maximum dimensions of a dataset whose dimensions can change.
    fn check_can_resize(&self) -> Result<Vec<u64>> {
        self.check_chunked()?;
        Ok(self.max_dims().to_vec())
    }
}
