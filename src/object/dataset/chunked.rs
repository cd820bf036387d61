//! Raw data in chunks, read.

use super::cut::Cut;
use super::selection::Slab;
use crate::chunk::{Chunks, Index, Place};
use crate::datatype::Conversion;
use crate::error::{Error, Result};
use crate::format::filter;
use crate::format::message::filter_pipeline::Filter;
use crate::store::Store;

/// Layout flag of version 4: chunks that reach beyond the dataset's extent are not filtered.
const EDGES_UNFILTERED: u8 = 1;

/// What is read at once of an unfiltered chunk at least, if the selection is spread over it.
const SPAN: u64 = 1 << 20;

const CHUNK: &str = "chunk";

/// What reading chunks takes beside the selection.
pub(super) struct ChunkReader<'a> {
    pub chunks: Chunks<'a>,
    pub filters: &'a [Filter],
    pub conversion: Conversion,
    /// What an element of an absent chunk reads as, converted.
    pub fill: &'a [u8],
}

impl ChunkReader<'_> {
    /// Reads the selected elements into `out`, which has their exact size. The slab has all dimensions.
    pub fn read(&self, store: &mut Store, slab: &Slab, out: &mut [u8]) -> Result<()> {
        let Chunks { layout, dims, .. } = self.chunks;
        if layout.element_size != self.conversion.source_size() as u64 {
            let detail = format_args!("elements of {} bytes, not the datatype's", layout.element_size);
            return Err(Error::corrupt("data layout message", layout.address, detail));
        }
        let size = self.chunks.chunk_bytes()?;
        let index = Index::open(&self.chunks, store)?;
        slab.for_each_cut(&layout.dims, |cut| {
            let Some(place) = index.find(&self.chunks, store, cut.scaled())? else { return self.fill(cut, out) };
            let unfiltered = self.filters.is_empty() || layout.flags & EDGES_UNFILTERED != 0 && cut.is_partial(dims);
            if unfiltered {
                return self.read_unfiltered(store, place, size, cut, out);
            }
            let stored = store.read_bytes(place.address, place.size, CHUNK)?;
            let bytes = usize::try_from(size).map_err(|_| Error::corrupt(CHUNK, place.address, "its size"))?;
            let data = filter::decode(self.filters, place.filter_mask, stored, bytes, CHUNK, place.address)?;
            cut.for_each_run(|from, to, length| {
                self.conversion.run(self.source(&data, from, length), self.target(out, to, length))
            })
        })
    }

    /// A run's elements in decoded data.
    fn source<'d>(&self, data: &'d [u8], from: u64, length: u64) -> &'d [u8] {
        let size = self.conversion.source_size();
        &data[from as usize * size..(from + length) as usize * size]
    }

    /// A run's place in the buffer.
    fn target<'o>(&self, out: &'o mut [u8], to: u64, length: u64) -> &'o mut [u8] {
        let size = self.conversion.target_size();
        &mut out[to as usize * size..(to + length) as usize * size]
    }

    fn fill(&self, cut: &Cut<'_>, out: &mut [u8]) -> Result<()> {
        cut.for_each_run(|_, to, length| {
            super::transfer::repeat(self.fill, self.target(out, to, length));
            Ok(())
        })
    }

    /// Reads runs of a chunk whose bytes are the elements: straight into the buffer where that is possible, otherwise all
    /// between the first and the last at once, unless that is much more than what is selected.
    fn read_unfiltered(&self, store: &mut Store, place: Place, size: u64, cut: &Cut<'_>, out: &mut [u8]) -> Result<()> {
        if place.size != size {
            let detail = format_args!("{} bytes without filters, not {size}", place.size);
            return Err(Error::corrupt(CHUNK, place.address, detail));
        }
        let element = self.conversion.source_size() as u64;
        let (mut runs, mut begin, mut end) = (0u64, u64::MAX, 0);
        cut.for_each_run(|from, _, length| {
            (runs, begin, end) = (runs + 1, begin.min(from), from + length);
            Ok(())
        })?;
        let span = (end - begin) * element;
        let direct = self.conversion.is_copy() && (runs == 1 || span > SPAN.max(4 * cut.elements() * element));
        let mut buffer = Vec::new();
        if !direct && span <= SPAN.max(4 * cut.elements() * element) {
            buffer.resize(span as usize, 0);
            store.read_raw(place.address + begin * element, &mut buffer, CHUNK)?;
            return cut.for_each_run(|from, to, length| {
                let from = self.source(&buffer, from - begin, length);
                self.conversion.run(from, self.target(out, to, length))
            });
        }
        cut.for_each_run(|from, to, length| {
            let address = place.address + from * element;
            if direct {
                return store.read_raw(address, self.target(out, to, length), CHUNK);
            }
            buffer.resize((length * element) as usize, 0);
            store.read_raw(address, &mut buffer, CHUNK)?;
            self.conversion.run(&buffer, self.target(out, to, length))
        })
    }
}
