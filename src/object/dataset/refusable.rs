//! Writing through filters that may refuse data, such as scale-offset with a number of bits: all chunks of a call are
//! encoded before the first is written, so that a call that fails has changed nothing, and none waits to fail a flush.

use super::chunked::{ChunkIo, Stored};
use super::cut::Cut;
use super::edges::is_edge;
use super::pieces::scatter;
use super::selection::{Selection, Slab};
use super::transfer::repeat;
use super::DatasetState;
use crate::datatype::{Conversion, Datatype};
use crate::error::Result;
use crate::format::filter;
use crate::format::message::dataspace::Dataspace;
use crate::object::header::ObjectHeader;
use crate::store::Store;

/// A chunk that is ready to be written.
pub(super) struct Ready {
    scaled: Vec<u64>,
    /// Its elements, if more of it may be written soon.
    elements: Option<Vec<u8>>,
    stored: Vec<u8>,
    mask: u32,
}

impl Ready {
    fn as_stored(&self) -> Stored<'_> {
        Stored { scaled: &self.scaled, filter_mask: self.mask, bytes: &self.stored }
    }
}

impl ChunkIo<'_> {
    /// Encodes all chunks of a call.
    pub fn encode_all(
        &mut self,
        store: &mut Store,
        slab: &Slab,
        conversion: Conversion,
        data: &[u8],
    ) -> Result<Vec<Ready>> {
        let (chunk, mut all) = (self.layout.dims.clone(), Vec::new());
        slab.for_each_cut(&chunk, |cut| {
            all.push(self.encode_cut(store, &cut, conversion, data)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Encodes a chunk with what is selected of it in place.
    pub fn encode_cut(
        &mut self,
        store: &mut Store,
        cut: &Cut<'_>,
        conversion: Conversion,
        data: &[u8],
    ) -> Result<Ready> {
        let bytes = self.check(conversion.target_size())?;
        let (scaled, is_partial) = (cut.scaled().to_vec(), cut.is_partial(self.dims));
        let is_whole = self.replaces(cut);
        let mut elements = match self.work.cache.get(&scaled).filter(|_| !is_whole) {
            Some(elements) => elements.to_vec(),
            None if is_whole => {
                let mut elements = vec![0; bytes];
                repeat(&self.fill, &mut elements);
                elements
            }
            None => self.load(store, &scaled, is_edge(&scaled, &self.layout.dims, self.stored_dims), bytes)?,
        };
        scatter(cut, &mut elements, conversion, data)?;
        self.own(store, &mut elements)?;
        let mut codec = self.codec();
        let encoded = codec.encode(self.filters(is_partial), &elements, self.skip())?;
        let (stored, mask) = (encoded.bytes.to_vec(), encoded.mask);
        Ok(Ready { scaled, elements: (!is_whole).then_some(elements), stored, mask })
    }

    /// Writes encoded chunks.
    pub fn put_ready(&mut self, store: &mut Store, all: Vec<Ready>) -> Result<()> {
        all.iter().for_each(|ready| self.work.cache.remove(&ready.scaled));
        self.put_all(store, &all.iter().map(Ready::as_stored).collect::<Vec<_>>())?;
        for Ready { scaled, elements, .. } in all {
            if let Some(elements) = elements {
                self.keep(&scaled, elements);
            }
        }
        Ok(())
    }
}

impl DatasetState {
    /// Fails when a filter refuses what is about to be written into the dataset with new dimensions.
    pub(super) fn check_not_refused(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        dims: &[u64],
        memory: &Datatype,
        selection: &Selection<'_>,
        data: &[u8],
    ) -> Result<()> {
        if !filter::may_refuse(self.chunk_io(store, header)?.filters(false)) {
            return Ok(());
        }
        let conversion = Conversion::between(memory, &self.datatype)?;
        let max_dims = Some(self.max_dims().to_vec());
        let grown = Dataspace::Simple { dims: dims.to_vec(), max_dims };
        let before = std::mem::replace(&mut self.dataspace, grown);
        let encoded = Slab::with_all_dimensions(Some(selection), dims).and_then(|slab| {
            let io = self.chunk_io(store, header)?;
            ChunkIo { stored_dims: before.dims(), ..io }.encode_all(store, &slab, conversion, data)
        });
        self.dataspace = before;
        encoded.map(|_| ())
    }
}
