//! Raw data that are not in the file, read without its lock, and written; and elements as the file has them.

use std::path::Path;

use super::virtuals::Way;
use super::{external, DatasetState, HeapObjects, LayoutKind, Selection, Storage};
use crate::datatype::{Converter, Datatype, Pointers};
use crate::error::{Error, Result};
use crate::format::virtual_mapping::Mapping;
use crate::object::bridge::to_file;
use crate::object::elements::{check_buffer, Returned};
use crate::object::elements_called::Transfer;
use crate::object::header::ObjectHeader;
use crate::object::state::{Slot, State};
use crate::object::value::value_size;
use crate::object::Object;
use crate::store::Store;

/// Where raw data are that are not in the file.
enum Elsewhere {
    /// In files of their own.
    External(Vec<external::Part>),
    /// In other datasets.
    Virtual(Vec<Mapping>),
}

impl DatasetState {
    /// Whether the raw data are not in the file.
    pub(in crate::object) fn is_elsewhere(&self) -> bool {
        matches!(self.storage, Storage::External | Storage::Virtual)
    }

    /// Whether its sources may make it larger or smaller than the file says, and have not been asked.
    pub(in crate::object) fn may_grow(&self) -> bool {
        self.storage == Storage::Virtual && self.followed.is_none()
    }

    /// The raw data are elsewhere, and `doing` that is not handled.
    #[cold]
    pub(super) fn no_access(&self, doing: &str) -> Error {
        Error::unsupported(match &self.storage {
            Storage::External => format!("{doing} raw data in external files"),
            _ => format!("{doing} a virtual dataset"),
        })
    }

    /// Writes raw data in external files; false where they are not there.
    pub(super) fn write_elsewhere(
        &self,
        store: &mut Store,
        header: &ObjectHeader,
        file: &Path,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
    ) -> Result<bool> {
        if self.storage != Storage::External {
            return Ok(false);
        }
        let mut external = self.open_external(self.external_parts(store, header)?, folder_of(file), true)?;
        self.write_external(&mut external, memory, selection, data).map(|()| true)
    }

    fn elsewhere(&self, store: &mut Store, header: &ObjectHeader) -> Result<Option<Elsewhere>> {
        match self.storage {
            Storage::External => self.external_parts(store, header).map(Elsewhere::External).map(Some),
            Storage::Virtual => self.mappings(store, header).map(Elsewhere::Virtual).map(Some),
            _ => Ok(None),
        }
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

impl State {
    /// Writes selected elements of external raw data, as [`State::write_elements`]. What they own is in the file's global heap, and
    /// committed before the external files refer to it; what they owned before is so until the next flush.
    fn write_external_elements(
        &mut self,
        (slot, file): (Slot, &Path),
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let State { store, objects, heap, .. } = self;
        let (header, array) = objects.get(slot)?.array()?;
        let file_type = array.datatype().clone();
        let converter = Converter::to_file(memory, &file_type, store.sizes())?;
        let count = array.selected(selection)?;
        check_buffer(count, memory, data.len())?;
        let mut external = array.open_external(array.external_parts(store, header)?, folder_of(file), true)?;
        // Also to find, before anything is changed, that the files can be written.
        let mut old = vec![0; value_size(count, &file_type)?];
        array.read_external(&mut external, &file_type, selection, &mut old)?;
        let mut new = if converter.keeps_some(&file_type) { old.clone() } else { vec![0; old.len()] };
        to_file(&converter, data, &mut new, (store, heap), pointers)?;
        if file_type.has_pointers() {
            self.flush()?;
        }
        let State { store, objects, heap, .. } = self;
        objects.get(slot)?.array()?.1.write_external(&mut external, &file_type, selection, &new)?;
        let (sizes, fill) = (store.sizes(), &mut HeapObjects::new());
        file_type.release(&old, Some(&new), sizes, &mut Returned { store, heap, fill })
    }
}

impl Object {
    /// The type of the dataset's elements, as the file has it.
    pub fn dataset_file_type(&self) -> Result<Datatype> {
        self.read("describing dataset", "", |state, slot| Ok(state.objects.get(slot)?.array()?.1.datatype().clone()))
    }

    /// Reads the selected elements (all, without a selection) as the file has them: of variable-length ones, the
    /// references into the global heap.
    pub fn dataset_read_raw(&self, selection: Option<&Selection<'_>>, out: &mut [u8]) -> Result<()> {
        let file_type = self.dataset_file_type()?;
        Way::begin(|way| self.read_at_depth(&file_type, selection, out, way))?;
        self.read_counted("reading dataset", "", |state, _| {
            let sizes = state.store.sizes();
            state.pin_referenced(&file_type, out, sizes);
            Ok(())
        })
    }

    /// Reads elements of any type, as [`dataset_read_values`](Self::dataset_read_values), of a dataset that so many virtual ones
    /// have led to.
    pub(in crate::object) fn read_values_at_depth(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
        pointers: &mut dyn Pointers,
        way: Way<'_>,
    ) -> Result<()> {
        const WHAT: &str = "reading dataset";
        let mut is_called = false;
        let elsewhere = self.read(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let elsewhere = array.elsewhere(store, header)?;
            is_called = array.calls_back(store, header)?;
            if is_called {
                return Ok(None);
            }
            if elsewhere.is_none() {
                state.read_elements(slot, memory, selection, out, pointers)?;
                return Ok(None);
            }
            // What is in other files is read without this one's lock.
            let array = if way.is_nested() { array.clone().stored() } else { array.clone() };
            Ok(elsewhere.map(|elsewhere| (array, elsewhere)))
        })?;
        match elsewhere {
            None if is_called => self.read_elements_called(memory, selection, out, pointers),
            None => Ok(()),
            Some((array, Elsewhere::Virtual(mappings))) if memory.has_pointers() || array.datatype().has_pointers() => {
                let read = array.read_virtual_values(self, (&mappings, way), memory, selection, out, pointers);
                read.map_err(|e| self.explain(e, WHAT, ""))
            }
            Some((array, _)) => {
                let file_type = array.datatype();
                let mut raw = vec![0; value_size(array.selected(selection)?, file_type)?];
                self.read_at_depth(file_type, selection, &mut raw, way)?;
                self.read(WHAT, "", |state, _| state.convert_elements(file_type, memory, &raw, out, pointers))
            }
        }
    }

    /// Writes elements of any type, as [`dataset_write_values`](Self::dataset_write_values), of a dataset that so many virtual
    /// ones have led to.
    pub(in crate::object) fn write_values_at_depth(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
        pointers: &mut dyn Pointers,
        way: Way<'_>,
    ) -> Result<()> {
        const WHAT: &str = "writing dataset";
        let (storage, how) = self.read(WHAT, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            Ok((array.storage.kind(), Transfer::of(array, store, header, memory)?))
        })?;
        match (how, storage) {
            (_, LayoutKind::Virtual) => self.write_to_sources(memory, selection, data, pointers, way),
            (Transfer::Simple, _) => self.write_at_depth(memory, selection, data, way),
            (Transfer::Called, _) => self.write_elements_called(memory, selection, data, pointers),
            (Transfer::Converted, LayoutKind::External) => {
                let file = self.file();
                self.change(WHAT, "", |state, slot| {
                    state.write_external_elements((slot, file.path()), memory, selection, data, pointers)
                })
            }
            (Transfer::Converted, _) => {
                self.change_array(WHAT, |state, slot| state.write_elements(slot, memory, selection, data, pointers))
            }
        }
    }

    /// Reads a dataset that so many virtual ones have led to.
    pub(super) fn read_at_depth(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
        way: Way<'_>,
    ) -> Result<()> {
        let mut is_called = false;
        let elsewhere = self.read("reading dataset", "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let elsewhere = array.elsewhere(store, header)?;
            is_called = array.calls_back(store, header)?;
            if elsewhere.is_none() && !is_called {
                array.read(store, header, memory, selection, out)?;
            }
            // Virtual ones that others lead to are as large as the file says, as in libhdf5.
            let as_seen = || if way.is_nested() { array.clone().stored() } else { array.clone() };
            Ok(elsewhere.map(|elsewhere| (as_seen(), elsewhere)))
        })?;
        if is_called {
            return self.read_called(memory, selection, out);
        }
        let Some((array, elsewhere)) = elsewhere else { return Ok(()) };
        let file = self.file();
        let read = match elsewhere {
            Elsewhere::External(parts) => array
                .open_external(parts, folder_of(file.path()), false)
                .and_then(|mut external| array.read_external(&mut external, memory, selection, out)),
            Elsewhere::Virtual(mappings) => array.read_virtual(&file, &mappings, memory, selection, out, way),
        };
        read.map_err(|e| e.within(format_args!("reading dataset '{}'", self.path())))
    }
}
