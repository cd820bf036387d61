//! Elements between memory and file where it takes more than the conversion of numbers and strings: they are converted as
//! a whole, and their values of variable length stored in, read from and given back to the global heap.

use crate::datatype::{Conversion, Converter, Datatype, Pointers, Release};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::attribute::Attribute;
use crate::heap::GlobalHeap;
use crate::object::attribute_lost::with_parts;
use crate::object::bridge::{to_file, try_to_file, Bridge};
use crate::object::committed::committed_type;
use crate::object::dataset::{DatasetState, HeapObjects, Selection, Way};
use crate::object::elements_called::{cut_off, Transfer};
use crate::object::header::ObjectHeader;
use crate::object::state::{Slot, State};
use crate::object::value::{self, TypeOf};
use crate::object::Object;
use crate::store::Store;

/// Elements whose values are given back at once.
const PIECE: u64 = 1 << 20;

/// A file's global heap, which takes objects back.
pub(super) struct Returned<'a> {
    pub store: &'a mut Store,
    pub heap: &'a mut GlobalHeap,
    /// What a fill value owns, which elements refer to that were never written; and where it owns anything, what was given back.
    pub fill: &'a mut HeapObjects,
}

impl Release for Returned<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        if self.fill.contains(&(address, index)) {
            return Ok(Vec::new());
        }
        match self.heap.get(self.store, address, index) {
            Ok(object) => Ok(object.to_vec()),
            // What does not exist owns nothing: damage is no reason to keep the rest.
            Err(e) if e.kind() == ErrorKind::Corrupt => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    fn remove(&mut self, address: u64, index: u32) -> Result<()> {
        if !self.fill.is_empty() && !self.fill.insert((address, index)) {
            return Ok(());
        }
        match self.heap.remove(self.store, address, index) {
            Err(e) if e.kind() != ErrorKind::Corrupt => Err(e),
            _ => Ok(()),
        }
    }
}

/// Whether elements go from one type to the other, one in memory and one in the file, without more ado.
pub(super) fn is_simple(from: &Datatype, to: &Datatype) -> bool {
    !from.has_pointers() && !to.has_pointers() && Conversion::between(from, to).is_ok()
}

/// Fails where the type's elements have pointers, which only some calls follow.
pub(super) fn check_plain(memory: &Datatype) -> Result<()> {
    if memory.has_pointers() {
        let message = format!("elements of {memory}, whose values are elsewhere, in this call");
        return Err(Error::unsupported(message));
    }
    Ok(())
}

fn buffer(count: u64, datatype: &Datatype) -> Result<Vec<u8>> {
    Ok(vec![0; value::value_size(count, datatype)?])
}

impl Object {
    /// Bytes of the selected elements (all, without a selection) in memory, and how they get there.
    fn transfer(&self, what: &str, memory: &Datatype, selection: Option<&Selection<'_>>) -> Result<(usize, Transfer)> {
        let mut transfer = self.try_transfer(what, memory, selection)?;
        if transfer.is_none() {
            self.follow_sources(what)?;
            transfer = self.try_transfer(what, memory, selection)?;
        }
        transfer.ok_or_else(|| Error::internal("a virtual dataset's sources were not followed"))
    }

    /// None of a virtual dataset whose extent is not known yet.
    fn try_transfer(
        &self,
        what: &str,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
    ) -> Result<Option<(usize, Transfer)>> {
        self.read(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            if array.may_grow() {
                return Ok(None);
            }
            let bytes = value::value_size(array.selected(selection)?, memory)?;
            Ok(Some((bytes, Transfer::of(array, store, header, memory)?)))
        })
    }

    /// Writes the selected elements (all, without a selection), which are of type `memory`, with what pointers in them lead
    /// to. `data` is told how many bytes they have.
    pub fn dataset_write_values<'a>(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: impl FnOnce(usize) -> Result<&'a [u8]>,
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        const WHAT: &str = "writing dataset";
        let Some(data) = self.write_all_small(WHAT, memory, selection, data)? else { return Ok(()) };
        let (bytes, how) = self.transfer(WHAT, memory, selection)?;
        let data = data(bytes)?;
        match how {
            Transfer::Simple => self.dataset_write(memory, selection, data),
            Transfer::Called => self.write_elements_called(memory, selection, data, pointers),
            Transfer::Converted => Way::begin(|way| self.write_values_at_depth(memory, selection, data, pointers, way)),
        }
    }

    /// Reads the selected elements (all, without a selection), converted to type `memory`, with somewhere for what pointers
    /// in them lead to. `out` is told how many bytes they have.
    pub fn dataset_read_values<'a>(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: impl FnOnce(usize) -> Result<&'a mut [u8]>,
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        const WHAT: &str = "reading dataset";
        let Some(out) = self.read_all_small(WHAT, memory, selection, out)? else { return Ok(()) };
        let (bytes, how) = self.transfer(WHAT, memory, selection)?;
        let out = out(bytes)?;
        if !matches!(how, Transfer::Simple) {
            self.note_read(WHAT)?; // Where it is simple, the reading does.
        }
        match how {
            Transfer::Simple => self.dataset_read(memory, selection, out),
            Transfer::Called => self.read_elements_called(memory, selection, out, pointers),
            Transfer::Converted => Way::begin(|way| self.read_values_at_depth(memory, selection, out, pointers, way)),
        }
    }

    /// Appends rows to a chunked dataset along its first dimension: their elements are of type `memory`, with what pointers
    /// in them lead to. `data` is told how many bytes they have.
    pub fn dataset_append_values<'a>(
        &self,
        memory: &Datatype,
        rows: u64,
        data: impl FnOnce(usize) -> Result<&'a [u8]>,
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let mut called = None;
        self.change_array("appending to dataset", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let bytes = array.row_bytes(memory, rows).filter(|&bytes| isize::try_from(bytes).is_ok());
            let bytes = bytes.ok_or_else(|| Error::range("rows", rows, "as many as the address space has room for"))?;
            let data = data(bytes as usize)?;
            match Transfer::of(array, store, header, memory)? {
                Transfer::Simple if array.calls_back(store, header)? => called = Some((true, data)),
                Transfer::Simple => array.append(store, header, memory, rows, data)?,
                Transfer::Called => called = Some((false, data)),
                Transfer::Converted => state.append_elements(slot, memory, rows, data, pointers)?,
            }
            Ok(())
        })?;
        match called {
            None => Ok(()),
            Some((true, data)) => self.append_called(memory, rows, data, None),
            Some((false, data)) => self.append_elements_called(memory, rows, data, pointers),
        }
    }

    pub(super) fn change_array(&self, what: &str, change: impl FnOnce(&mut State, Slot) -> Result<()>) -> Result<()> {
        self.change(what, "", |state, slot| {
            let changed = change(state, slot);
            // After an error, chunks may have changed in memory.
            if changed.is_ok() || state.objects.get(slot)?.array()?.1.has_unwritten() {
                state.objects.mark(slot)?;
            }
            changed
        })
    }
}

impl State {
    /// Reads selected elements of a dataset, as [`DatasetState::read`], of any type.
    pub fn read_elements(
        &mut self,
        slot: Slot,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let State { store, objects, .. } = self;
        let (header, array) = objects.get(slot)?.array()?;
        let file = array.datatype().clone();
        Converter::to_memory(&file, memory, store.sizes())?;
        let count = array.selected(selection)?;
        check_buffer(count, memory, out.len())?;
        let mut raw = buffer(count, &file)?;
        array.read(store, header, &file, selection, &mut raw)?;
        self.convert_elements(&file, memory, &raw, out, pointers)
    }

    /// Converts elements as the file has them to another type, with somewhere for what pointers in them lead to.
    pub fn convert_elements(
        &mut self,
        file: &Datatype,
        memory: &Datatype,
        raw: &[u8],
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        self.pin_referenced(file, raw, self.store.sizes());
        let State { store, heap, .. } = self;
        let converter = Converter::to_memory(file, memory, store.sizes())?;
        // Outputs are written on success only: `out` holds no pointers to what an error takes back.
        let mut converted = out.to_vec();
        converter.run(raw, &mut converted, &mut Bridge::new(store, heap, pointers))?;
        out.copy_from_slice(&converted);
        Ok(())
    }

    /// Writes selected elements of a dataset, as [`DatasetState::write`], of any type.
    pub fn write_elements(
        &mut self,
        slot: Slot,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let State { store, objects, heap, .. } = self;
        let (header, array) = objects.get(slot)?.array()?;
        let file = array.datatype().clone();
        store.check_writable()?;
        let converter = Converter::to_file(memory, &file, store.sizes())?;
        let count = array.selected(selection)?;
        check_buffer(count, memory, data.len())?;
        let mut fill = array.fill_objects(store, heap)?;
        if array.fills_one_by_one(count) {
            try_to_file(&converter, data, (store, heap), pointers)?;
            array.fill_one_by_one(store, header, count)?;
        }
        let keeps = converter.keeps_some(&file);
        let mut old = Vec::new();
        if keeps || file.has_pointers() {
            old = buffer(count, &file)?;
            array.read(store, header, &file, selection, &mut old)?;
        }
        let mut new = if keeps { old.clone() } else { buffer(count, &file)? };
        to_file(&converter, data, &mut new, (store, heap), pointers)?;
        array.write(store, header, &file, selection, &new)?;
        let sizes = store.sizes();
        file.release(&old, Some(&new), sizes, &mut Returned { store, heap, fill: &mut fill })
    }

    /// Appends rows to a dataset, as [`DatasetState::append`], of any type.
    pub fn append_elements(
        &mut self,
        slot: Slot,
        memory: &Datatype,
        rows: u64,
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let (file, count) = self.check_rows(slot, memory, rows, data)?;
        let State { store, objects, heap, .. } = self;
        let (header, array) = objects.get(slot)?.array()?;
        let converter = Converter::to_file(memory, &file, store.sizes())?;
        if array.has_variable_fill() {
            try_to_file(&converter, data, (store, heap), pointers)?;
            // The places may have a fill value each, which is given back.
            let (dims, start, count) = array.appended(memory, rows, data.len())?;
            self.set_extent(slot, &dims)?;
            let rows = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
            return self.write_elements(slot, memory, Some(&rows), data, pointers);
        }
        let mut new = buffer(count, &file)?;
        to_file(&converter, data, &mut new, (store, heap), pointers)?;
        array.append(store, header, &file, rows, &new)
    }

    /// Fails when such rows cannot be appended; their type in the file, and how many elements they have.
    pub(super) fn check_rows(
        &mut self,
        slot: Slot,
        memory: &Datatype,
        rows: u64,
        data: &[u8],
    ) -> Result<(Datatype, u64)> {
        let State { store, objects, .. } = self;
        let array = objects.get(slot)?.array()?.1;
        let file = array.datatype().clone();
        store.check_writable()?;
        Converter::to_file(memory, &file, store.sizes())?;
        let dims = array.dims().unwrap_or_default();
        let row = value::elements(dims.get(1..).unwrap_or_default())?;
        let count = rows.checked_mul(row).ok_or_else(|| Error::range("rows", rows, "what a file can hold"))?;
        check_buffer(count, memory, data.len())?;
        array.check_can_append(rows)?;
        Ok((file, count))
    }

    /// Changes a dataset's dimensions, as [`DatasetState::set_extent`]; what is cut off gives its values back.
    pub fn set_extent(&mut self, slot: Slot, dims: &[u64]) -> Result<()> {
        let State { store, objects, heap, .. } = self;
        let (header, array) = objects.get(slot)?.array()?;
        if !array.datatype().has_pointers() {
            return array.set_extent(store, header, dims);
        }
        let old = array.dims().unwrap_or_default();
        let blocks = cut_off(&old, dims);
        let parts = blocks.iter().map(|(start, block)| read_part(store, header, array, start, block));
        let mut cut = parts.collect::<Result<Vec<_>>>()?;
        let mut fill = array.fill_objects(store, heap)?;
        array.each_stored_chunk(store, header, Some(dims), &mut |_, elements| {
            cut.push(elements);
            Ok(())
        })?;
        array.set_extent(store, header, dims)?;
        let (file, sizes) = (array.datatype().clone(), store.sizes());
        cut.iter().try_for_each(|raw| file.release(raw, None, sizes, &mut Returned { store, heap, fill: &mut fill }))
    }

    /// An attribute's value as the file has it, from elements in memory. What it owns is stored: an error after this, and of
    /// this, is one within [`GlobalHeap::begin`] and [`GlobalHeap::end`].
    pub fn attribute_to_file(
        &mut self,
        memory: &Datatype,
        file: &Datatype,
        count: u64,
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<Vec<u8>> {
        let State { store, heap, .. } = self;
        store.check_writable()?;
        let needed = value::value_size(count, memory)?;
        let Some(data) = data.get(..needed) else {
            let message = format!("the value has {needed} bytes, {} were given", data.len());
            return Err(Error::new(ErrorKind::TooSmall, message));
        };
        let mut raw = buffer(count, file)?;
        let converter = Converter::to_file(memory, file, store.sizes())?;
        converter.run(data, &mut raw, &mut Bridge::new(store, heap, pointers))?;
        Ok(raw)
    }

    /// Elements in memory of an attribute's value in the file.
    pub fn attribute_to_memory(
        &mut self,
        file: &Datatype,
        raw: &[u8],
        memory: &Datatype,
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let State { store, heap, .. } = self;
        let converter = Converter::to_memory(file, memory, store.sizes())?;
        let mut converted = out.to_vec();
        converter.run(raw, &mut converted, &mut Bridge::new(store, heap, pointers))?;
        out.copy_from_slice(&converted);
        Ok(())
    }
}

pub(super) fn check_buffer(count: u64, memory: &Datatype, length: usize) -> Result<()> {
    let needed = value::value_size(count, memory)?;
    if needed != length {
        let kind = if needed > length { ErrorKind::TooSmall } else { ErrorKind::Argument };
        let message = format!("{count} elements of {} bytes do not match a buffer of {length}", memory.size());
        return Err(Error::new(kind, message));
    }
    Ok(())
}

/// A block of elements as the file has them.
fn read_part(
    store: &mut Store,
    header: &ObjectHeader,
    array: &mut DatasetState,
    start: &[u64],
    block: &[u64],
) -> Result<Vec<u8>> {
    let ones = vec![1; start.len()];
    let selection = Selection { start: Some(start), count: Some(&ones), block: Some(block), ..Selection::default() };
    let file = array.datatype().clone();
    let mut raw = buffer(value::elements(block)?, &file)?;
    array.read(store, header, &file, Some(&selection), &mut raw)?;
    Ok(raw)
}

/// Gives back what the elements of a dataset own, which is about to be deleted, and the mappings of a virtual one. What the fill
/// value owns stays: libhdf5's copies within a file share it.
pub(super) fn release_all(
    store: &mut Store,
    heap: &mut GlobalHeap,
    header: &ObjectHeader,
    array: &mut DatasetState,
) -> Result<()> {
    release_elements(store, heap, header, array)?;
    match array.virtual_mappings(store, header) {
        Ok(Some((address, index))) => Returned { store, heap, fill: &mut HeapObjects::new() }.remove(address, index),
        Err(e) if !matches!(e.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => Err(e),
        _ => Ok(()),
    }
}

fn release_elements(
    store: &mut Store,
    heap: &mut GlobalHeap,
    header: &ObjectHeader,
    array: &mut DatasetState,
) -> Result<()> {
    let Some(dims) = array.dims().filter(|_| array.datatype().has_pointers() && array.has_storage()) else {
        return Ok(());
    };
    array.call_under_lock(store, header, true);
    let (file, sizes) = (array.datatype().clone(), store.sizes());
    let fill = &mut array.fill_objects(store, heap).unwrap_or_default();
    array.each_stored_chunk(store, header, None, &mut |store, elements| {
        file.release(&elements, None, sizes, &mut Returned { store, heap, fill })
    })?;
    let rows = dims.first().copied().unwrap_or(1);
    let row = value::elements(dims.get(1..).unwrap_or_default())?;
    let step = (PIECE / row.max(1)).max(1);
    let mut at = 0;
    while at < rows {
        let (mut start, mut block) = (vec![0; dims.len()], dims.clone());
        if let (Some(start), Some(block)) = (start.first_mut(), block.first_mut()) {
            (*start, *block) = (at, step.min(rows - at));
        }
        match read_part(store, header, array, &start, &block) {
            Ok(raw) => file.release(&raw, None, sizes, &mut Returned { store, heap, fill })?,
            // Data that cannot be read must not keep the dataset from being deleted.
            Err(e) if matches!(e.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported | ErrorKind::Callback) => {}
            Err(e) => return Err(e),
        }
        at = at.saturating_add(step);
    }
    Ok(())
}

/// Gives back what an attribute's value owns, whose message is gone.
pub(super) fn release_attribute(state: &mut State, message: &[u8]) -> Result<()> {
    let sizes = state.store.sizes();
    let message = &with_parts(&mut state.store, message)?;
    let attribute = Attribute::decode(message)?;
    let datatype = match value::type_of(&attribute, sizes)? {
        TypeOf::Own(datatype) => datatype,
        TypeOf::Committed(address) => committed_type(state, address)?,
    };
    if !datatype.has_pointers() {
        return Ok(());
    }
    let info = value::describe(&attribute, &datatype, None, sizes)?;
    let State { store, heap, .. } = state;
    let value = &attribute.data[..info.storage_size as usize];
    datatype.release(value, None, sizes, &mut Returned { store, heap, fill: &mut HeapObjects::new() })
}
