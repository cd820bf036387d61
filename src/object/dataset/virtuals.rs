//! Virtual datasets, read: their elements are those of other datasets, also in other files.

use std::path::Path;

use super::selection::Slab;
use super::{own_body, transfer, DatasetState, Selection};
use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::kind;
use crate::format::message::layout::{Layout, LayoutClass};
use crate::format::selection::Selected;
use crate::format::virtual_mapping::{self, Mapping};
use crate::format::UNDEFINED;
use crate::object::header::ObjectHeader;
use crate::object::{global_heap, File, Object, OpenOptions};
use crate::store::Store;

/// Virtual datasets that lead to virtual ones: more is taken for a cycle.
const MAX_DEPTH: usize = 16;

/// Pieces of one selection.
const MAX_RUNS: usize = 1 << 22;

impl DatasetState {
    /// The mappings of a virtual dataset.
    pub(super) fn mappings(&self, store: &mut Store, header: &ObjectHeader) -> Result<Vec<Mapping>> {
        let sizes = store.sizes();
        let layout = Layout::decode(own_body(store, header, kind::LAYOUT, "data layout")?, sizes)?;
        match layout.class {
            LayoutClass::Virtual { heap, index } if heap != UNDEFINED => {
                virtual_mapping::decode(&global_heap::read(store, heap, index)?, sizes)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Reads the selected elements of a virtual dataset. What no mapping gives, and what a mapping leads to that is not
    /// there, reads as the fill value, as in libhdf5.
    pub(super) fn read_virtual(
        &self,
        file: &File,
        mappings: &[Mapping],
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
        depth: usize,
    ) -> Result<()> {
        if depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} virtual datasets lead to each other, a cycle");
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        if self.check_transfer(&slab, memory, out.len())? == 0 {
            return Ok(());
        }
        let mut element = vec![0; memory.size()];
        crate::datatype::convert(&self.datatype, &self.fill_element()?, memory, &mut element, 1)?;
        transfer::repeat(&element, out);
        for mapping in mappings {
            self.read_mapping(file, mapping, memory, &slab, out, depth).map_err(|e| {
                let (file, dataset) =
                    (String::from_utf8_lossy(&mapping.file), String::from_utf8_lossy(&mapping.dataset));
                e.within(format_args!("reading its source '{dataset}' in '{file}'"))
            })?;
        }
        Ok(())
    }

    fn read_mapping(
        &self,
        file: &File,
        mapping: &Mapping,
        memory: &Datatype,
        slab: &Slab,
        out: &mut [u8],
        depth: usize,
    ) -> Result<()> {
        if mapping.source.is_unlimited() || mapping.target.is_unlimited() {
            return Err(Error::unsupported("a virtual dataset with an unlimited mapping"));
        }
        if [&mapping.file, &mapping.dataset].iter().any(|name| name.windows(2).any(|two| two == b"%b")) {
            return Err(Error::unsupported("a virtual dataset whose sources are numbered by '%b'"));
        }
        let targets = mapping.target.runs(self.dataspace.dims(), MAX_RUNS)?;
        if !targets.iter().any(|(at, length)| meets(slab, at, *length)) {
            return Ok(());
        }
        if memory.refers_to_heap() && mapping.file != b"." {
            return Err(Error::unsupported(
                "variable-length data and references from another file in a virtual dataset",
            ));
        }
        let Some(source) = source(file, mapping)? else { return Ok(()) };
        let Some(dims) = source.dataset_dims()? else { return Ok(()) };
        let elements: u64 = targets.iter().map(|(_, length)| length).sum();
        let data = read_source(&source, &mapping.source, &dims, elements, memory, depth)?;
        let size = memory.size();
        let mut next = 0;
        for (at, length) in &targets {
            let bytes = *length as usize * size;
            place(slab, at, *length, |from, to, count| {
                let (from, to, count) = (next + from as usize * size, to as usize * size, count as usize * size);
                out[to..to + count].copy_from_slice(&data[from..from + count]);
            });
            next += bytes;
        }
        Ok(())
    }
}

/// Whether a run of the array has a selected element.
fn meets(slab: &Slab, at: &[u64], length: u64) -> bool {
    let mut met = false;
    place(slab, at, length, |_, _, _| met = true);
    met
}

/// Calls `copy` for the selected elements of a run of the array: where they begin in the run, where among the selected
/// ones, and how many follow each other.
fn place(slab: &Slab, at: &[u64], length: u64, mut copy: impl FnMut(u64, u64, u64)) {
    let Some((&first, outer)) = at.split_last() else { return copy(0, 0, 1) };
    let mut row = 0;
    for (number, &coordinate) in outer.iter().enumerate() {
        let dimension = slab.dimension(number);
        let before = dimension.before(coordinate);
        if dimension.before(coordinate + 1) == before {
            return;
        }
        row = row * dimension.elements() + before;
    }
    let last = slab.dimension(outer.len());
    let (mut index, end) = (last.before(first), last.before(first + length));
    while index < end {
        let count = (last.block() - index % last.block()).min(end - index);
        copy(last.coordinate(index) - first, row * last.elements() + index, count);
        index += count;
    }
}

/// The elements of a source, in the order of the selection.
fn read_source(
    source: &Object,
    selected: &Selected,
    dims: &[u64],
    elements: u64,
    memory: &Datatype,
    depth: usize,
) -> Result<Vec<u8>> {
    let counted = |found: u64| match found == elements {
        true => Ok(()),
        false => {
            let message = format!("a mapping of {found} source elements to {elements}");
            Err(Error::new(ErrorKind::Corrupt, message))
        }
    };
    let read = |selection: Option<&Selection<'_>>, count: u64| {
        let mut data = vec![0; crate::object::value::value_size(count, memory)?];
        source.read_at_depth(memory, selection, &mut data, depth + 1)?;
        Ok(data)
    };
    match selected {
        Selected::All => {
            counted(crate::object::value::elements(dims)?)?;
            read(None, elements)
        }
        Selected::Regular { start, stride, count, block } => {
            let selection =
                Selection { start: Some(start), stride: Some(stride), count: Some(count), block: Some(block) };
            counted(selection.elements(dims)?)?;
            read(Some(&selection), elements)
        }
        _ => {
            let runs = selected.runs(dims, MAX_RUNS)?;
            counted(runs.iter().map(|(_, length)| length).sum())?;
            let mut all = Vec::new();
            for (at, length) in runs {
                let mut count = vec![1; at.len()];
                if let Some(last) = count.last_mut() {
                    *last = length;
                }
                let selection = Selection { start: Some(&at), count: Some(&count), ..Selection::default() };
                all.extend(read(Some(&selection), length)?);
            }
            Ok(all)
        }
    }
}

/// The dataset that a mapping leads to, if it is there.
fn source(file: &File, mapping: &Mapping) -> Result<Option<Object>> {
    let dataset = String::from_utf8_lossy(&mapping.dataset);
    let opened = match mapping.file.as_slice() {
        b"." => file.clone(),
        name => match open_source(file.path(), Path::new(String::from_utf8_lossy(name).as_ref()))? {
            Some(opened) => opened,
            None => return Ok(None),
        },
    };
    match opened.root()?.open(&dataset) {
        Ok(source) => Ok(Some(source)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Looks for a file where libhdf5 does: beside the virtual dataset's file, then from the current folder.
fn open_source(of: &Path, name: &Path) -> Result<Option<File>> {
    let beside = of.parent().unwrap_or(Path::new("")).join(name);
    let last = beside.with_file_name(name.file_name().unwrap_or_default());
    for path in [beside.as_path(), name, last.as_path()] {
        if path.exists() {
            return File::open(path, &OpenOptions { read_only: true, ..OpenOptions::default() }).map(Some);
        }
    }
    Ok(None)
}
