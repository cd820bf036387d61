//! Virtual datasets, written: each element to its source, once all are found to have one that takes it.

use super::selection::Slab;
use super::sources::Sources;
use super::virtuals::{Access, Reading, Takes, Way};
use super::{DatasetState, Selection, Storage};
use crate::datatype::{Converter, Datatype, Pointers};
use crate::error::{Error, ErrorKind, Result};
use crate::format::virtual_mapping::Mapping;
use crate::object::elements::is_simple;
use crate::object::state::State;
use crate::object::{File, Object};

const WRITING: &str = "writing dataset";

impl DatasetState {
    /// Fails where not each of the selected elements has a source, or one that takes no such elements.
    fn find_sources(
        &self,
        file: &File,
        mappings: &[Mapping],
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        way: Way<'_>,
    ) -> Result<()> {
        way.check()?;
        let slab = &Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        let mut found = vec![false; self.selected(selection)? as usize];
        let (dims, what) = (self.dataspace.dims(), Access::Find(&mut found));
        self.use_mappings(mappings, &mut Reading { dims, sources: Sources::new(file), memory, slab, way, what })?;
        match found.iter().position(|found| !found) {
            None => Ok(()),
            Some(number) => {
                let message = format!("element {number} of those that are written has no source");
                Err(Error::new(ErrorKind::Range, message))
            }
        }
    }

    /// Writes the selected elements to the sources, with what pointers in them lead to; before anything is written, all
    /// sources are looked for.
    fn write_virtual(
        &self,
        file: &File,
        (mappings, way): (&[Mapping], Way<'_>),
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        let slab = &Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        self.check_transfer(slab, memory, data.len())?;
        if !way.is_nested() {
            self.find_sources(file, mappings, memory, selection, way)?;
        }
        way.check()?;
        let (dims, what) = (self.dataspace.dims(), Access::Write { data, pointers });
        let mut writing = Reading { dims, sources: Sources::new(file), memory, slab, way, what };
        self.use_mappings(mappings, &mut writing)?;
        writing.sources.commit()
    }
}

impl Object {
    /// Writes the selected elements of a virtual dataset that so many virtual ones have led to.
    pub(super) fn write_to_sources(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
        pointers: &mut dyn Pointers,
        way: Way<'_>,
    ) -> Result<()> {
        let (array, mappings) = self.mapped(way)?;
        let written = array.write_virtual(&self.file(), (&mappings, way), memory, selection, data, pointers);
        written.map_err(|e| self.explain(e, WRITING, ""))
    }

    /// Fails where not each of the selected elements of a virtual dataset has a source, or one that takes no such elements.
    pub(super) fn find_its_sources(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        way: Way<'_>,
    ) -> Result<()> {
        let (array, mappings) = self.mapped(way)?;
        let found = array.find_sources(&self.file(), &mappings, memory, selection, way);
        found.map_err(|e| self.explain(e, WRITING, ""))
    }

    /// A virtual dataset that is to be written, and its mappings.
    fn mapped(&self, way: Way<'_>) -> Result<(DatasetState, Vec<Mapping>)> {
        self.change(WRITING, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            let mappings = array.mappings(store, header)?;
            Ok((if way.is_nested() { array.clone().stored() } else { array.clone() }, mappings))
        })
    }

    /// How elements of this type are written to the dataset; an error if they are not.
    pub(super) fn takes(&self, memory: &Datatype) -> Result<Takes> {
        self.read(WRITING, "", |state, slot| {
            let State { store, objects, .. } = state;
            store.check_writable()?;
            let array = objects.get(slot)?.array()?.1;
            Converter::to_file(memory, array.datatype(), store.sizes())?;
            Ok(match array.storage {
                Storage::Virtual => Takes::Virtual,
                _ if is_simple(memory, array.datatype()) => Takes::Simple,
                _ => Takes::Converted,
            })
        })
    }
}
