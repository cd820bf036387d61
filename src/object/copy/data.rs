//! Raw data. What is plain is copied as it is stored, chunks past their filters; elements that own values elsewhere, or refer
//! to objects of their file, are read and written.

use super::Copier;
use crate::chunk::Place;
use crate::datatype::Datatype;
use crate::error::{Error, Result};
use crate::format::virtual_mapping;
use crate::object::dataset::{CopiedData, Selection, READ_BY_18};
use crate::object::header::ObjectHeader;
use crate::object::state::{Slot, State};
use crate::object::{global_heap, value};

/// Bytes that are read and written at once.
const PIECE: u64 = 1 << 20;

/// Chunks that are entered in the index at once.
const BATCH: usize = 1024;

impl Copier<'_, '_> {
    /// The layout message of a dataset's copy, which has no raw data yet but compact ones.
    pub fn layout(&mut self, from: Slot, header: &ObjectHeader) -> Result<Vec<u8>> {
        let (is_one, to_sizes, version) =
            (self.files.is_one(), self.files.to().store.sizes(), self.files.to().superblock.version);
        let State { store, objects, .. } = self.files.from();
        let array = objects.get(from)?.array()?.1;
        let datatype = array.datatype().clone();
        if let Some((address, index)) = array.virtual_mappings(store, header)? {
            return self.virtual_layout(address, index, version);
        }
        let (stays, size) = (self.is_plain(&datatype)?, self.in_target(&datatype)?.size());
        let State { store, objects, .. } = self.files.from();
        let array = objects.get(from)?.array()?.1;
        array.layout_of_copy(store, header, (is_one, version, stays), size as u64)?.encode(to_sizes)
    }

    /// The layout of a virtual dataset, whose mappings are copied as they are.
    fn virtual_layout(&mut self, address: u64, index: u32, version: u8) -> Result<Vec<u8>> {
        let (from, to) = (self.files.from().store.sizes(), self.files.to().store.sizes());
        if version == READ_BY_18 && !self.files.is_one() {
            return Err(Error::unsupported("copying a virtual dataset to a file that libhdf5 1.8 shall read"));
        }
        let mut mappings = global_heap::read(&mut self.files.from().store, address, index)?;
        if from.length != to.length {
            mappings = virtual_mapping::recode(&mappings, from, to)?;
        }
        self.spend(mappings.len() as u64)?;
        let State { store, heap, .. } = self.files.to();
        let (address, index) = heap.insert(store, &mappings)?;
        self.values.push((address, index));
        let mut body = vec![4, 3];
        body.extend_from_slice(&address.to_le_bytes()[..usize::from(to.offset)]);
        body.extend_from_slice(&index.to_le_bytes());
        Ok(body)
    }

    /// Copies the raw data of a dataset.
    pub fn fill_data(&mut self, from: Slot, to: Slot) -> Result<()> {
        let target = self.files.to().objects.get(to)?.dataset.as_ref();
        let to_implicit = target.is_some_and(|array| array.has_implicit_index());
        let to_unfiltered = target.is_some_and(|array| array.has_unfiltered_edges());
        let State { store, objects, .. } = self.files.from();
        let object = objects.get(from)?;
        let Some(array) = object.dataset.as_mut().filter(|array| array.has_storage()) else { return Ok(()) };
        let datatype = array.datatype().clone();
        let data = array.copied_data(store, &object.header, to_implicit)?;
        let recoded = array.has_unfiltered_edges() && !to_unfiltered;
        if !self.is_plain(&datatype)? {
            return self.carry_elements(from, to, &datatype, data);
        }
        match data {
            CopiedData::Message => Ok(()),
            CopiedData::Cached(bytes) => {
                self.spend(bytes.len() as u64)?;
                self.write(to, &datatype, None, &bytes)
            }
            CopiedData::Extent { address, size } => {
                let State { store, objects, .. } = self.files.to();
                let (header, array) = objects.get(to)?.array()?;
                let target = array.begin_contiguous(store, header)?;
                self.copy_bytes(address, target, size)
            }
            CopiedData::ImplicitChunks { address, size } => {
                let target = self.allocate(size)?;
                self.copy_bytes(address, target, size)?;
                let State { store, objects, .. } = self.files.to();
                let (header, array) = objects.get(to)?.array()?;
                array.place_implicit_chunks(store, header, target)?;
                self.extents.clear();
                Ok(())
            }
            CopiedData::Chunks(chunks) => {
                let array = self.files.from().objects.get(from)?.array()?.1;
                let (edges, whole): (Vec<_>, Vec<_>) =
                    chunks.into_iter().partition(|(scaled, _)| recoded && array.is_edge(scaled));
                whole.chunks(BATCH).try_for_each(|batch| self.copy_chunks(to, batch))?;
                self.carry_elements(from, to, &datatype, CopiedData::Chunks(edges))
            }
        }
    }

    fn allocate(&mut self, size: u64) -> Result<u64> {
        let address = self.files.to().store.allocate(size)?;
        self.extents.push((address, size));
        Ok(address)
    }

    /// Copies bytes from the one file to the other, past the caches.
    fn copy_bytes(&mut self, from: u64, to: u64, size: u64) -> Result<()> {
        const WHAT: &str = "raw data";
        self.spend(size)?;
        self.files.from().store.check_extent(from, size, WHAT)?;
        let mut buffer = vec![0; size.min(PIECE) as usize];
        let mut done = 0;
        while done < size {
            let piece = &mut buffer[..(size - done).min(PIECE) as usize];
            self.files.from().store.read_raw(from + done, piece, WHAT)?;
            self.files.to().store.write_raw(to + done, piece)?;
            done += piece.len() as u64;
        }
        Ok(())
    }

    /// Copies chunks as they are stored.
    fn copy_chunks(&mut self, to: Slot, chunks: &[(Vec<u64>, Place)]) -> Result<()> {
        let mut copies = Vec::with_capacity(chunks.len());
        for (scaled, place) in chunks {
            let address = self.allocate(place.size)?;
            self.copy_bytes(place.address, address, place.size)?;
            copies.push((scaled.as_slice(), Place { address, ..*place }));
        }
        let State { store, objects, .. } = self.files.to();
        let (header, array) = objects.get(to)?.array()?;
        for (scaled, place) in copies {
            array.enter_chunk(store, header, scaled, place)?;
            // Freed with the dataset from here on.
            self.extents.retain(|extent| extent.0 != place.address);
        }
        Ok(())
    }

    /// Copies elements that are not plain: all of a dataset, or those of its stored chunks. Their filters may be the user's.
    fn carry_elements(&mut self, from: Slot, to: Slot, datatype: &Datatype, data: CopiedData) -> Result<()> {
        self.call_filters(from, to, true)?;
        let carried = self.carry_all(from, to, datatype, data);
        self.call_filters(from, to, false)?;
        carried
    }

    fn call_filters(&mut self, from: Slot, to: Slot, may: bool) -> Result<()> {
        let call = |state: &mut State, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            array.call_under_lock(store, header, may);
            Ok(())
        };
        call(self.files.from(), from).and(call(self.files.to(), to))
    }

    fn carry_all(&mut self, from: Slot, to: Slot, datatype: &Datatype, data: CopiedData) -> Result<()> {
        let array = self.files.from().objects.get(from)?.array()?.1;
        let Some(dims) = array.dims() else { return Ok(()) };
        let chunk = array.chunk_dims();
        let Some(chunk) = chunk else {
            let row = value::elements(dims.get(1..).unwrap_or_default())?.saturating_mul(datatype.size() as u64);
            let step = (PIECE / row.max(1)).max(1);
            let rows = dims.first().copied().unwrap_or(1);
            let mut at = 0;
            while at < rows {
                let (mut start, mut block) = (vec![0; dims.len()], dims.clone());
                if let (Some(start), Some(block)) = (start.first_mut(), block.first_mut()) {
                    (*start, *block) = (at, step.min(rows - at));
                }
                self.carry_block(from, to, datatype, &start, &block)?;
                at = at.saturating_add(step);
            }
            return Ok(());
        };
        let CopiedData::Chunks(stored) = data else { return Ok(()) };
        for (scaled, _) in stored {
            let start: Vec<u64> = scaled.iter().zip(&chunk).map(|(at, dim)| at.saturating_mul(*dim)).collect();
            if start.iter().zip(&dims).any(|(start, dim)| start >= dim) {
                continue;
            }
            let ends = start.iter().zip(&chunk).zip(&dims);
            let block: Vec<u64> = ends.map(|((start, chunk), dim)| (*chunk).min(dim - start)).collect();
            self.carry_block(from, to, datatype, &start, &block)?;
        }
        Ok(())
    }

    /// Reads a block of elements, carries it over and writes it.
    fn carry_block(&mut self, from: Slot, to: Slot, datatype: &Datatype, start: &[u64], block: &[u64]) -> Result<()> {
        let ones = vec![1; start.len()];
        let block = Selection { start: Some(start), count: Some(&ones), block: Some(block), ..Selection::default() };
        let selection = (!start.is_empty()).then_some(&block);
        let State { store, objects, .. } = self.files.from();
        let (header, array) = objects.get(from)?.array()?;
        let mut raw = vec![0; value::value_size(array.selected(selection)?, datatype)?];
        array.read(store, header, datatype, selection, &mut raw)?;
        self.spend(raw.len() as u64)?;
        let (raw, datatype) = (self.carry(datatype, &raw)?, self.in_target(datatype)?);
        self.write(to, &datatype, selection, &raw)?;
        let array = self.files.to().objects.get(to)?.array()?.1;
        let (is_behind, made) = (array.calls_under_lock(), array.take_made());
        match is_behind {
            true => self.behind.extend(self.values.drain(..).chain(made)),
            false => self.values.clear(),
        }
        Ok(())
    }

    fn write(&mut self, to: Slot, datatype: &Datatype, selection: Option<&Selection<'_>>, raw: &[u8]) -> Result<()> {
        let State { store, objects, .. } = self.files.to();
        let (header, array) = objects.get(to)?.array()?;
        array.write(store, header, datatype, selection, raw)
    }
}
