//! Raw data in one extent of the file. Few of them, all written or read by one call, take the shortest way.

use super::selection::{Selection, Slab};
use super::{transfer, DatasetState, Storage};
use crate::datatype::{Conversion, Datatype};
use crate::error::Result;
use crate::format::message::fill::{Fill, WriteTime};
use crate::format::message::kind;
use crate::format::message::layout::Layout;
use crate::format::{Sizes, UNDEFINED};
use crate::object::elements::is_simple;
use crate::object::header::ObjectHeader;
use crate::object::state::State;
use crate::object::{value, Object};
use crate::store::{BlockId, Seal, Store};

/// New contiguous raw data of at most so many bytes are written by the flush, together with the metadata around them.
const SMALL: u64 = 1024;

impl DatasetState {
    /// Whether the raw data are few, and in one extent.
    pub(super) fn is_small(&self) -> bool {
        self.size <= SMALL && matches!(self.storage, Storage::Contiguous { .. })
    }

    /// The bytes of all elements in memory, if the raw data are few and converted one by one.
    fn small_bytes(&self, memory: &Datatype) -> Result<Option<usize>> {
        if !self.is_small() || !is_simple(memory, &self.datatype) {
            return Ok(None);
        }
        value::value_size(self.dataspace.elements().unwrap_or(0), memory).map(Some)
    }

    /// Writes all elements of small raw data.
    pub(super) fn write_small(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        memory: &Datatype,
        data: &[u8],
    ) -> Result<()> {
        let conversion = Conversion::between(memory, &self.datatype)?;
        let Storage::Contiguous { address, .. } = self.storage else { return Err(self.no_access("writing")) };
        if self.check_count(self.dataspace.elements().unwrap_or(0), memory, data.len())? == 0 {
            return Ok(());
        }
        let address = self.place_to_write(store, header, address, true)?;
        match self.small_block(store, address) {
            Some(id) => conversion.run(data, store.bytes_mut(id)),
            None => transfer::write(store, address, &Slab::new(None, self.dataspace.dims())?, conversion, data),
        }
    }

    /// Reads all elements of small raw data.
    pub(super) fn read_small(&self, store: &mut Store, memory: &Datatype, out: &mut [u8]) -> Result<()> {
        let conversion = Conversion::between(&self.datatype, memory)?;
        let Storage::Contiguous { address, .. } = self.storage else { return Err(self.no_access("reading")) };
        if self.check_count(self.dataspace.elements().unwrap_or(0), memory, out.len())? == 0 {
            return Ok(());
        }
        if address == UNDEFINED {
            return self.read_fill(conversion, memory, out);
        }
        store.check_extent(address, self.size, transfer::RAW_DATA)?;
        if let Some(id) = self.small_block(store, address) {
            return conversion.run(store.bytes(id), out);
        }
        if conversion.is_copy() {
            return store.read_near(address, out, transfer::RAW_DATA);
        }
        let mut raw = [0; SMALL as usize];
        let raw = &mut raw[..self.size as usize];
        store.read_near(address, raw, transfer::RAW_DATA)?;
        conversion.run(raw, out)
    }

    /// Fills a buffer of elements that were never written.
    pub(super) fn read_fill(&self, conversion: Conversion, memory: &Datatype, out: &mut [u8]) -> Result<()> {
        let (element, rest) = out.split_at_mut(memory.size());
        conversion.run(&self.fill_element()?, element)?;
        transfer::repeat(element, rest);
        Ok(())
    }

    /// The space to write to, of data that were at `address` until now; new space is filled unless what is written `is_whole`.
    pub(super) fn place_to_write(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        address: u64,
        is_whole: bool,
    ) -> Result<u64> {
        let address = match address {
            UNDEFINED => {
                let address = self.allocate(store, !is_whole)?;
                self.place(store, header, address)?;
                address
            }
            address if self.datatype.has_pointers() => self.unshare(store, header, address)?,
            address => address,
        };
        store.check_extent(address, self.size, transfer::RAW_DATA)?;
        Ok(address)
    }

    /// Takes space for the raw data, and fills it unless all of it is about to be written.
    pub(super) fn allocate(&self, store: &mut Store, filled: bool) -> Result<u64> {
        let address = store.allocate(self.size)?;
        // What was in the space before is not to be taken for heap IDs.
        let is_left = self.fill.write_time == WriteTime::Never && !self.datatype.has_pointers();
        if self.size <= SMALL {
            let id = store.create_block_at(address, self.size as usize, Seal::None);
            // A new block is zeros.
            if filled && !is_left && matches!(self.fill.fill, Fill::Value(_)) {
                self.fill_buffer(store.bytes_mut(id))?;
            }
            return Ok(address);
        }
        // The file reaches to the end of the space, so that all of it can be read.
        let extend = |store: &mut Store| store.write_raw(address + self.size - 1, &[0]);
        let result = match &self.fill.fill {
            _ if !filled => Ok(()),
            Fill::Undefined if !self.datatype.has_pointers() => extend(store),
            _ if is_left => extend(store),
            Fill::Undefined | Fill::Default => {
                // What the file has already may have been used before.
                let used = store.reached(address, self.size);
                transfer::fill(store, address, used, &[0]).and_then(|()| extend(store))
            }
            _ => self.fill_element().and_then(|element| transfer::fill(store, address, self.size, &element)),
        };
        if result.is_err() {
            store.free(address, self.size);
        }
        result.map(|()| address)
    }

    /// The block of small raw data that no flush has written yet.
    pub(super) fn small_block(&self, store: &mut Store, address: u64) -> Option<BlockId> {
        let cached = if self.size <= SMALL { store.cached(address) } else { None };
        cached.filter(|&id| store.length(id) as u64 == self.size)
    }

    /// Records where the raw data are.
    pub(super) fn place(&mut self, store: &mut Store, header: &mut ObjectHeader, address: u64) -> Result<()> {
        let Some(index) = header.find(kind::LAYOUT) else { return Err(self.changed(header)) };
        let body = Layout::contiguous(address, self.size).encode(store.sizes())?;
        header.replace(store, index, &body)?;
        self.storage = Storage::Contiguous { address, size: self.size };
        Ok(())
    }
}

impl Object {
    /// Writes all elements of a dataset whose raw data are few and simple, at once; gives `data` back of others, and with a
    /// selection.
    pub(in crate::object) fn write_all_small<'a, D: FnOnce(usize) -> Result<&'a [u8]>>(
        &self,
        what: &str,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: D,
    ) -> Result<Option<D>> {
        if selection.is_some() {
            return Ok(Some(data));
        }
        self.change(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let Some(bytes) = array.small_bytes(memory)? else { return Ok(Some(data)) };
            array.write_small(store, header, memory, data(bytes)?)?;
            objects.mark(slot).map(|()| None)
        })
    }

    /// Reads all elements of a dataset whose raw data are few and simple, at once; gives `out` back of others, and with a
    /// selection.
    pub(in crate::object) fn read_all_small<'a, O: FnOnce(usize) -> Result<&'a mut [u8]>>(
        &self,
        what: &str,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: O,
    ) -> Result<Option<O>> {
        if selection.is_some() {
            return Ok(Some(out));
        }
        self.read(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let array = objects.get(slot)?.array()?.1;
            let Some(bytes) = array.small_bytes(memory)? else { return Ok(Some(out)) };
            let out = out(bytes)?;
            array.read_small(store, memory, out)?;
            state.pin_referenced(memory, out, Sizes::EIGHT);
            state.note_read();
            Ok(None)
        })
    }
}
