//! Virtual datasets, read: their elements are those of other datasets, also in other files.

use super::mapped::{self, axes, check_inside, is_inside, Axis, Projection};
use super::selection::Slab;
use super::sources::Sources;
use super::{own_body, transfer, DatasetState, Selection};
use crate::datatype::{Datatype, Pointers};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::kind;
use crate::format::message::layout::{Layout, LayoutClass};
use crate::format::selection::Selected;
use crate::format::virtual_mapping::{self, Growth, Mapping};
use crate::format::UNDEFINED;
use crate::object::header::ObjectHeader;
use crate::object::{global_heap, File, Object};
use crate::store::Store;

/// Virtual datasets that lead to virtual ones: more is taken for a cycle.
const MAX_DEPTH: usize = 16;

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
        depth: usize,
    ) -> Result<()> {
        check_depth(depth)?;
        let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        if self.check_transfer(&slab, memory, out.len())? == 0 {
            return Ok(());
        }
        let mut element = vec![0; memory.size()];
        crate::datatype::convert(&self.datatype, &self.fill_element()?, memory, &mut element, 1)?;
        transfer::repeat(&element, out);
        let (dims, sources) = (self.dataspace.dims(), Sources::new(file));
        let mut reading = Reading { dims, sources, memory, slab: &slab, out, depth, values: None };
        self.read_mappings(mappings, &mut reading)
    }

    /// The same with what pointers in elements lead to, which comes from the heap of the file where an element is.
    pub(super) fn read_virtual_values(
        &self,
        object: &Object,
        (mappings, depth): (&[Mapping], usize),
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        check_depth(depth)?;
        let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
        let elements = self.check_transfer(&slab, memory, out.len())?;
        let (file, size) = (object.file(), memory.size());
        let mut read = vec![false; elements as usize];
        let values = Some(Values { pointers, read: &mut read });
        let (dims, sources) = (self.dataspace.dims(), Sources::new(&file));
        let mut reading = Reading { dims, sources, memory, slab: &slab, out, depth, values };
        self.read_mappings(mappings, &mut reading)?;
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

    fn read_mappings(&self, mappings: &[Mapping], reading: &mut Reading<'_>) -> Result<()> {
        let is_backwards = reading.values.is_some();
        for number in 0..mappings.len() {
            let number = if is_backwards { mappings.len() - 1 - number } else { number };
            let mapping = &mappings[number];
            let known = self.followed.as_ref().map(|followed| followed.sources_of(number));
            reading.mapping(mapping, known).map_err(|e| {
                let (file, dataset) =
                    (String::from_utf8_lossy(&mapping.file), String::from_utf8_lossy(&mapping.dataset));
                e.within(format_args!("reading its source '{dataset}' in '{file}'"))
            })?;
        }
        Ok(())
    }
}

fn check_depth(depth: usize) -> Result<()> {
    if depth >= MAX_DEPTH {
        let message = format!("more than {MAX_DEPTH} virtual datasets lead to each other, a cycle");
        return Err(Error::new(ErrorKind::Limit, message));
    }
    Ok(())
}

/// Elements with pointers that are being read.
struct Values<'a> {
    pointers: &'a mut dyn Pointers,
    /// Which were.
    read: &'a mut [bool],
}

/// A virtual dataset that is being read.
struct Reading<'a> {
    dims: &'a [u64],
    sources: Sources<'a>,
    memory: &'a Datatype,
    slab: &'a Slab,
    out: &'a mut [u8],
    depth: usize,
    /// Where what pointers lead to goes; none of elements as a file has them.
    values: Option<Values<'a>>,
}

impl Reading<'_> {
    /// Reads what a mapping gives. `known` is the number of its sources if they are numbered and were counted.
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

    /// Reads what one source gives: the elements that `target` selects, or where it is none, the mapping. `grown` are the
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
        if self.values.is_none() && self.memory.refers_to_heap() && mapping.file != b"." {
            return Err(Error::unsupported(
                "variable-length data and references from another file in a virtual dataset",
            ));
        }
        let Some((object, dims)) = self.sources.open(mapping, number)? else { return Ok(()) };
        let (mut target, mut source) = (target, axes(&mapping.source, &dims)?);
        if let (Some((to, from)), Some(target), Some(source)) = (grown, &mut target, &mut source) {
            if let (Some(to), Some(from)) =
                (target.get_mut(to).zip(self.dims.get(to)), source.get_mut(from).zip(dims.get(from)))
            {
                let both = to.0.before(*to.1).min(from.0.before(*from.1));
                (*to.0, *from.0) = (to.0.cut(both), from.0.cut(both));
            }
        }
        if self.values.is_some() {
            source.as_ref().map_or(Ok(()), |source| check_inside(source, &dims))?;
            return self.by_runs(&object, mapping, target.as_deref(), source.as_deref(), &dims);
        }
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
        let (memory, depth) = (self.memory, self.depth);
        let read = |selection: &Selection<'_>, data: &mut Vec<u8>, elements: u64| {
            data.clear();
            data.resize(crate::object::value::value_size(elements, memory)?, 0);
            object.read_at_depth(memory, Some(selection), data, depth + 1)
        };
        if let (Some(target), Some(source)) = (&target, &source) {
            match Projection::new(self.slab, target, source, memory.size())? {
                None => return Ok(()),
                Some(Some(mut projection)) => {
                    return match missing {
                        Some(element) if !projection.fill_and_clip(&dims, &element, self.out) => Ok(()),
                        _ => projection.read(self.out, read),
                    }
                }
                Some(None) => check_inside(source, &dims)?,
            }
        }
        self.by_runs(&object, mapping, target.as_deref(), source.as_deref(), &dims)
    }

    /// Reads what is asked for of a source and no more, run by run.
    fn by_runs(
        &mut self,
        object: &Object,
        mapping: &Mapping,
        target: Option<&[Axis]>,
        source: Option<&[Axis]>,
        dims: &[u64],
    ) -> Result<()> {
        let target = runs(&mapping.target, target, self.dims)?;
        let source = runs(&mapping.source, source, dims)?;
        let (memory, depth, size) = (self.memory, self.depth + 1, self.memory.size());
        place(self.slab, &target, &source, |mut at, to, count| {
            let (mut next, end) = (to as usize, (to + count) as usize);
            while next < end {
                // What a later mapping has given stays.
                let is_read = |number: usize| self.values.as_ref().is_some_and(|values| values.read[number]);
                let run = (next..end).take_while(|&number| !is_read(number)).count();
                if run > 0 {
                    let mut count_of = vec![1; at.len()];
                    if let Some(last) = count_of.last_mut() {
                        *last = run as u64;
                    }
                    let selection = Selection { start: Some(&at), count: Some(&count_of), ..Selection::default() };
                    let out = &mut self.out[next * size..(next + run) * size];
                    match &mut self.values {
                        None => object.read_at_depth(memory, Some(&selection), out, depth)?,
                        Some(Values { pointers, read }) => {
                            object.read_values_at_depth(memory, Some(&selection), out, *pointers, depth)?;
                            read[next..next + run].fill(true);
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
