//! Virtual datasets, read and written: their elements are those of other datasets, also in other files.

use std::cell::Cell;

use super::mapped::{self, axes, check_inside, is_inside, Axis, Projection};
use super::selection::Slab;
use super::sources::Sources;
use super::{own_body, transfer, DatasetState, Selection};
use crate::datatype::{Datatype, NoPointers, Pointers};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::kind;
use crate::format::message::layout::{Layout, LayoutClass};
use crate::format::selection::Selected;
use crate::format::virtual_mapping::{self, Growth, Mapping};
use crate::format::UNDEFINED;
use crate::object::elements::is_simple;
use crate::object::header::ObjectHeader;
use crate::object::{global_heap, File, Object};
use crate::store::Store;

/// Virtual datasets that lead to virtual ones: more is taken for a cycle.
const MAX_DEPTH: usize = 16;

/// Virtual datasets that are met in one call; of each of the sixteen levels every mapping may lead to the next.
const MAX_MET: u32 = 1 << 17;

/// Pieces of one selection whose dimensions are not those of the other.
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
        way: Way<'_>,
    ) -> Result<()> {
        way.check()?;
        let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        if self.check_transfer(&slab, memory, out.len())? == 0 {
            return Ok(());
        }
        let mut element = vec![0; memory.size()];
        crate::datatype::convert(&self.datatype, &self.fill_element()?, memory, &mut element, 1)?;
        transfer::repeat(&element, out);
        let (dims, sources) = (self.dataspace.dims(), Sources::new(file));
        let mut reading = Reading { dims, sources, memory, slab: &slab, way, what: Access::Read(out) };
        self.use_mappings(mappings, &mut reading)
    }

    /// The same with what pointers in elements lead to, which comes from the heap of the file where an element is.
    pub(super) fn read_virtual_values(
        &self,
        object: &Object,
        (mappings, way): (&[Mapping], Way<'_>),
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        way.check()?;
        let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        let elements = self.check_transfer(&slab, memory, out.len())?;
        let (file, size) = (object.file(), memory.size());
        let mut read = vec![false; elements as usize];
        let (dims, sources) = (self.dataspace.dims(), Sources::new(&file));
        let what = Access::ReadValues { out, pointers, read: &mut read };
        self.use_mappings(mappings, &mut Reading { dims, sources, memory, slab: &slab, way, what })?;
        // Each element has a fill value to itself.
        let missing: Vec<usize> = (0..read.len()).filter(|&number| !read[number]).collect();
        let fill = self.fill_element()?.repeat(missing.len());
        let mut filled = vec![0; missing.len() * size];
        object.read("reading dataset", "", |state, _| {
            state.convert_elements(&self.datatype, memory, &fill, &mut filled, pointers)
        })?;
        for (element, number) in filled.chunks_exact(size).zip(missing) {
            out[number * size..(number + 1) * size].copy_from_slice(element);
        }
        Ok(())
    }

    pub(super) fn use_mappings(&self, mappings: &[Mapping], reading: &mut Reading<'_>) -> Result<()> {
        let is_backwards = matches!(reading.what, Access::ReadValues { .. });
        for number in 0..mappings.len() {
            let number = if is_backwards { mappings.len() - 1 - number } else { number };
            let mapping = &mappings[number];
            let known = self.followed.as_ref().map(|followed| followed.sources_of(number));
            reading.mapping(mapping, known).map_err(|e| {
                let (file, dataset) =
                    (String::from_utf8_lossy(&mapping.file), String::from_utf8_lossy(&mapping.dataset));
                let doing = if reading.is_writing() { "writing" } else { "reading" };
                e.within(format_args!("{doing} its source '{dataset}' in '{file}'"))
            })?;
        }
        Ok(())
    }
}

/// What has led to a dataset: how many virtual ones, one after the other, and how many were met in all of the call.
#[derive(Clone, Copy)]
pub(in crate::object) struct Way<'a> {
    depth: usize,
    met: &'a Cell<u32>,
}

impl Way<'_> {
    /// Runs a call that begins at a dataset.
    pub fn begin<R>(run: impl FnOnce(Way<'_>) -> R) -> R {
        run(Way { depth: 0, met: &Cell::new(0) })
    }

    fn next(self) -> Self {
        Way { depth: self.depth + 1, ..self }
    }

    /// Whether a virtual dataset has led here.
    pub fn is_nested(self) -> bool {
        self.depth > 0
    }

    /// Fails where virtual datasets lead to each other in a cycle, or so often that a call would not end.
    pub(super) fn check(self) -> Result<()> {
        self.met.set(self.met.get().saturating_add(1));
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} virtual datasets lead to each other, a cycle");
            return Err(Error::new(ErrorKind::Limit, message));
        }
        if self.met.get() > MAX_MET {
            let message = format!("virtual datasets lead to each other more than {MAX_MET} times");
            return Err(Error::new(ErrorKind::Limit, message));
        }
        Ok(())
    }
}

/// What is done with the elements asked for.
pub(super) enum Access<'a> {
    /// They are read, as they are in a file.
    Read(&'a mut [u8]),
    /// They are read with what their pointers lead to; `read` tells which were.
    ReadValues { out: &'a mut [u8], pointers: &'a mut dyn Pointers, read: &'a mut [bool] },
    /// It is told which have a source.
    Find(&'a mut [bool]),
    /// They are written, with what their pointers lead to.
    Write { data: &'a [u8], pointers: &'a mut dyn Pointers },
}

/// A virtual dataset that is being read or written.
pub(super) struct Reading<'a> {
    pub dims: &'a [u64],
    pub sources: Sources<'a>,
    pub memory: &'a Datatype,
    pub slab: &'a Slab,
    pub way: Way<'a>,
    pub what: Access<'a>,
}

/// How a source takes or gives elements.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    /// With the conversion of numbers and strings.
    Simple,
    /// Converted as a whole.
    Converted,
    /// As a virtual dataset.
    Virtual,
}

impl Reading<'_> {
    fn is_writing(&self) -> bool {
        matches!(self.what, Access::Find(_) | Access::Write { .. })
    }

    /// Reads or writes what a mapping gives. `known` is the number of its sources if they are numbered and were counted.
    fn mapping(&mut self, mapping: &Mapping, known: Option<u64>) -> Result<()> {
        let target = axes(&mapping.target, self.dims)?;
        match (mapping.growth()?, target) {
            (Growth::Fixed, target) => {
                if let Some(target) = &target {
                    check_inside(target, self.dims)?;
                }
                self.source(mapping, 0, target, None)
            }
            (Growth::Source { source, target: dimension }, target) => {
                self.source(mapping, 0, target, Some((dimension, source)))
            }
            (Growth::Numbered { target: dimension }, Some(target)) => {
                let axis = Axis::numbered(&mapping.target, dimension)?;
                let asked = self.slab.dimension(dimension);
                // From block to block of what is asked for: what lies between may be as much as 2^64.
                let (mut index, mut next) = (0, 0);
                while index < asked.elements() {
                    let (first, end) = (asked.coordinate(index), asked.coordinate(index) + asked.block());
                    let (begin, end) = (axis.blocks(first).1.max(next), axis.blocks(end).0);
                    for number in begin..end.min(known.unwrap_or(u64::MAX)) {
                        let Some(block) = axis.only_block(number) else { return Ok(()) };
                        let mut target = target.clone();
                        target[dimension] = block;
                        self.source(mapping, number, Some(target), None)?;
                    }
                    (index, next) = (index + asked.block(), end.max(next));
                }
                Ok(())
            }
            (Growth::Numbered { .. }, None) => Ok(()),
        }
    }

    /// Fails where elements would refer to what another file has, or has not.
    fn check_memory(&self, mapping: &Mapping) -> Result<()> {
        let is_plain = matches!(self.what, Access::Read(_));
        if is_plain && self.memory.has_pointers() && mapping.file != b"." {
            let message =
                "values of variable length are in another file's heap, and are read with memory for them only";
            return Err(Error::new(ErrorKind::Type, message));
        }
        if self.is_writing() && mapping.file != b"." && self.memory.has_references() {
            return Err(Error::unsupported("writing references to a dataset in another file"));
        }
        Ok(())
    }

    /// Reads or writes what one source gives: the elements that `target` selects, or where it is none, the mapping. `grown` are the
    /// virtual dataset's dimension and the source's that have no bound but how far both reach.
    fn source(
        &mut self,
        mapping: &Mapping,
        number: u64,
        target: Option<Vec<Axis>>,
        grown: Option<(usize, usize)>,
    ) -> Result<()> {
        if target.as_ref().is_some_and(|target| !mapped::meets(self.slab, target)) {
            return Ok(());
        }
        self.check_memory(mapping)?;
        let Some((object, dims, datatype)) = self.sources.open(mapping, number)? else { return Ok(()) };
        let (mut target, mut source) = (target, axes(&mapping.source, &dims)?);
        if let (Some((to, from)), Some(target), Some(source)) = (grown, &mut target, &mut source) {
            if let (Some(to), Some(from)) =
                (target.get_mut(to).zip(self.dims.get(to)), source.get_mut(from).zip(dims.get(from)))
            {
                let both = to.0.before(*to.1).min(from.0.before(*from.1));
                (*to.0, *from.0) = (to.0.cut(both), from.0.cut(both));
            }
        }
        let takes = match is_simple(&datatype, self.memory) {
            _ if self.is_writing() => object.takes(self.memory)?,
            true => Takes::Simple,
            false => Takes::Converted,
        };
        let (Access::Read(out), Takes::Simple) = (&mut self.what, takes) else {
            if let Some(source) = &source {
                if !is_inside(source, &dims)? && (self.is_writing() || !object.is_chunked()?) {
                    check_inside(source, &dims)?;
                }
            }
            return self.by_runs((&object, takes), mapping, target.as_deref(), source.as_deref(), &dims);
        };
        // What a source in chunks does not have yet reads as its fill value.
        let mut missing = None;
        if let Some(source) = &source {
            if !is_inside(source, &dims)? {
                missing = object.fill_of_chunks(self.memory)?;
                if missing.is_none() {
                    check_inside(source, &dims)?;
                }
            }
        }
        let (memory, way) = (self.memory, self.way.next());
        let read = |selection: &Selection<'_>, data: &mut Vec<u8>, elements: u64| {
            data.clear();
            data.resize(crate::object::value::value_size(elements, memory)?, 0);
            object.read_at_depth(memory, Some(selection), data, way)
        };
        if let (Some(target), Some(source)) = (&target, &source) {
            match Projection::new(self.slab, target, source, memory.size())? {
                None => return Ok(()),
                Some(Some(mut projection)) => {
                    return match missing {
                        Some(element) if !projection.fill_and_clip(&dims, &element, out) => Ok(()),
                        _ => projection.read(out, read),
                    }
                }
                Some(None) => check_inside(source, &dims)?,
            }
        }
        self.by_runs((&object, takes), mapping, target.as_deref(), source.as_deref(), &dims)
    }

    /// Reads or writes what is asked for of a source and no more, run by run.
    fn by_runs(
        &mut self,
        (object, takes): (&Object, Takes),
        mapping: &Mapping,
        target: Option<&[Axis]>,
        source: Option<&[Axis]>,
        dims: &[u64],
    ) -> Result<()> {
        let target = runs(&mapping.target, target, self.dims)?;
        let source = runs(&mapping.source, source, dims)?;
        let (memory, way, size) = (self.memory, self.way.next(), self.memory.size());
        place(self.slab, &target, &source, |mut at, to, count| {
            let (mut next, end) = (to as usize, (to + count) as usize);
            while next < end {
                // What a later mapping has given stays.
                let run = match &self.what {
                    Access::ReadValues { read, .. } => read[next..end].iter().take_while(|&read| !read).count(),
                    _ => end - next,
                };
                if run > 0 {
                    let mut count_of = vec![1; at.len()];
                    if let Some(last) = count_of.last_mut() {
                        *last = run as u64;
                    }
                    let selection =
                        Some(&Selection { start: Some(&at), count: Some(&count_of), ..Selection::default() });
                    let bytes = next * size..(next + run) * size;
                    match &mut self.what {
                        Access::Read(out) if matches!(takes, Takes::Converted) => {
                            object.read_run(memory, (&at, dims), &mut out[bytes], &mut NoPointers, way)?;
                        }
                        Access::Read(out) => object.read_at_depth(memory, selection, &mut out[bytes], way)?,
                        Access::ReadValues { out, pointers, read } => {
                            object.read_run(memory, (&at, dims), &mut out[bytes], *pointers, way)?;
                            read[next..next + run].fill(true);
                        }
                        Access::Find(found) => {
                            if let Takes::Virtual = takes {
                                object.find_its_sources(memory, selection, way)?;
                            }
                            found[next..next + run].fill(true);
                        }
                        Access::Write { data, .. } if matches!(takes, Takes::Simple) => {
                            object.write_at_depth(memory, selection, &data[bytes], way)?;
                        }
                        Access::Write { data, pointers } => {
                            object.write_values_at_depth(memory, selection, &data[bytes], *pointers, way)?;
                        }
                    }
                }
                let passed = run.max(1);
                next += passed;
                if let Some(last) = at.last_mut() {
                    *last += passed as u64;
                }
            }
            Ok(())
        })
    }
}

type Run = (Vec<u64>, u64);

fn runs(selected: &Selected, axes: Option<&[Axis]>, dims: &[u64]) -> Result<Vec<Run>> {
    match axes {
        Some(axes) => mapped::runs(axes, MAX_RUNS),
        None => selected.runs(dims, MAX_RUNS),
    }
}

/// Calls `read` for what is asked for of two selections with as many elements: where it begins in the second, its place among
/// the elements asked for, and how many follow each other in both.
fn place(
    slab: &Slab,
    target: &[Run],
    source: &[Run],
    mut read: impl FnMut(Vec<u64>, u64, u64) -> Result<()>,
) -> Result<()> {
    let [found, needed] = [source, target].map(|runs| runs.iter().map(|(_, length)| length).sum::<u64>());
    if found != needed {
        let message = format!("a mapping of {found} source elements to {needed}");
        return Err(Error::new(ErrorKind::Corrupt, message));
    }
    let mut from = source.iter();
    let (mut now, mut passed) = (from.next(), 0);
    let mut before = 0;
    for (at, length) in target {
        asked(slab, at, *length, |first, mut to, mut count| {
            let mut ordinal = before + first;
            while let (Some((at, length)), true) = (now, count > 0) {
                if ordinal >= passed + length {
                    passed += length;
                    now = from.next();
                    continue;
                }
                let here = count.min(passed + length - ordinal);
                let mut at = at.clone();
                if let Some(last) = at.last_mut() {
                    *last += ordinal - passed;
                }
                read(at, to, here)?;
                (ordinal, to, count) = (ordinal + here, to + here, count - here);
            }
            Ok(())
        })?;
        before += length;
    }
    Ok(())
}

/// Calls `visit` for the selected elements of a run of the array: where they begin in the run, where among the selected
/// ones, and how many follow each other.
fn asked(slab: &Slab, at: &[u64], length: u64, mut visit: impl FnMut(u64, u64, u64) -> Result<()>) -> Result<()> {
    let Some((&first, outer)) = at.split_last() else { return visit(0, 0, 1) };
    let mut row = 0;
    for (number, &coordinate) in outer.iter().enumerate() {
        let dimension = slab.dimension(number);
        let before = dimension.before(coordinate);
        if dimension.before(coordinate + 1) == before {
            return Ok(());
        }
        row = row * dimension.elements() + before;
    }
    let last = slab.dimension(outer.len());
    let (mut index, end) = (last.before(first), last.before(first + length));
    while index < end {
        let count = (last.block() - index % last.block()).min(end - index);
        visit(last.coordinate(index) - first, row * last.elements() + index, count)?;
        index += count;
    }
    Ok(())
}
