//! The sources of virtual datasets: where they are, and how far the virtual datasets reach that grow with them.

use super::mapped::{axes, Axis};
use super::virtuals::Way;
use super::{DatasetState, Selection, Storage};
use crate::datatype::{Datatype, Pointers};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::dataspace::Dataspace;
use crate::format::selection::{Selected, UNLIMITED};
use crate::format::virtual_mapping::{Growth, Mapping};
use crate::object::outside::find_file;
use crate::object::state::State;
use crate::object::{File, Object};

/// The other datasets of one virtual dataset.
pub(super) struct Sources<'a> {
    file: &'a File,
    /// The file that was opened last, if it was there.
    last: Option<(Vec<u8>, Option<File>)>,
}

impl<'a> Sources<'a> {
    /// Of a virtual dataset in this file.
    pub fn new(file: &'a File) -> Self {
        Sources { file, last: None }
    }

    /// The dataset that a mapping leads to, of numbered ones that with the number, its dimensions and type; none if it is not
    /// there.
    pub fn open(&mut self, mapping: &Mapping, number: u64) -> Result<Option<(Object, Vec<u64>, Datatype)>> {
        let (name, dataset) = mapping.names(number)?;
        let file = match name.as_slice() {
            b"." => self.file,
            name => {
                if self.last.as_ref().is_none_or(|(last, _)| last != name) {
                    self.commit()?;
                    self.last = Some((name.to_vec(), find_file(self.file, name, "HDF5_VDS_PREFIX")?));
                }
                match &self.last {
                    Some((_, Some(file))) => file,
                    _ => return Ok(None),
                }
            }
        };
        match file.root()?.open(&String::from_utf8_lossy(&dataset)) {
            Ok(source) => {
                let (dims, datatype) = source.read("describing dataset", "", |state, slot| {
                    let array = state.objects.get(slot)?.array()?.1;
                    Ok((array.clone().stored().dims(), array.datatype.clone()))
                })?;
                Ok(dims.map(|dims| (source, dims, datatype)))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Commits what was written to the file that was opened last, unless something else has it open.
    pub fn commit(&mut self) -> Result<()> {
        match self.last.take() {
            Some((_, Some(file))) => file.commit_unless_held(),
            _ => Ok(()),
        }
    }
}

/// What the sources of a virtual dataset make of it.
struct Found {
    dims: Vec<u64>,
    /// The number of sources of each mapping whose sources are numbered.
    sources: Vec<u64>,
}

/// What a virtual dataset has that was taken from its sources.
#[derive(Debug, Clone, Default)]
pub(super) struct Followed {
    /// The dimensions before, which are the file's; none if they did not change.
    stored: Option<Vec<u64>>,
    /// The number of sources of each mapping whose sources are numbered.
    sources: Vec<u64>,
}

impl Followed {
    /// The number of sources of a mapping, if they are numbered.
    pub fn sources_of(&self, mapping: usize) -> u64 {
        self.sources.get(mapping).copied().unwrap_or(0)
    }
}

/// The dimensions that a selection takes at least, but for an unlimited one.
fn reach(selected: &Selected, dims: &[u64]) -> Result<Vec<u64>> {
    let past = || Error::new(ErrorKind::Corrupt, "a selection of coordinates above 2^64");
    let extents = match (selected, axes(selected, dims)?) {
        (Selected::All, _) => Some(Vec::new()),
        (_, Some(axes)) => {
            let of = |axis: &Axis| if axis.is_endless() { Some(0) } else { axis.extent_of(u64::MAX) };
            axes.iter().map(of).collect()
        }
        (Selected::Blocks(blocks), None) => {
            let last = |d: usize| {
                blocks.iter().filter_map(|(_, last)| last.get(d)).max().map_or(Some(0), |n| n.checked_add(1))
            };
            (0..dims.len()).map(last).collect()
        }
        _ => Some(Vec::new()),
    };
    extents.ok_or_else(past)
}

impl DatasetState {
    /// What the sources make of a virtual dataset, as libhdf5 finds it by default: it reaches as far as the last element of any
    /// source, and numbered sources end before the first that is missing. None where it does not grow.
    fn found(&self, file: &File, mappings: &[Mapping]) -> Result<Option<Found>> {
        let dims = self.dataspace.dims();
        let (mut grown, mut least) = (vec![None; dims.len()], vec![0; dims.len()]);
        let mut sources = vec![0; mappings.len()];
        let mut open = Sources::new(file);
        for (number, mapping) in mappings.iter().enumerate() {
            for (least, extent) in least.iter_mut().zip(reach(&mapping.target, dims)?) {
                *least = extent.max(*least);
            }
            let (dimension, extent) = match mapping.growth()? {
                Growth::Fixed => continue,
                Growth::Source { source, target } => (target, source_extent(&mut open, mapping, source, target, dims)?),
                Growth::Numbered { target } => {
                    let axis = Axis::numbered(&mapping.target, target)?;
                    // What was there once is not looked for again.
                    let mut count = self.followed.as_ref().map_or(0, |followed| followed.sources_of(number));
                    while axis.only_block(count).is_some() && open.open(mapping, count)?.is_some() {
                        count += 1;
                    }
                    sources[number] = count;
                    let last = count.checked_sub(1).and_then(|last| axis.only_block(last));
                    (target, last.map_or(Some(0), |block| block.extent_of(u64::MAX)))
                }
            };
            let extent = extent.ok_or_else(|| Error::new(ErrorKind::Corrupt, "a mapping to coordinates above 2^64"))?;
            let (Some(grown), true) = (grown.get_mut(dimension), dimension < dims.len()) else {
                let message = format!("a mapping of dimension {dimension} in an array of {}", dims.len());
                return Err(Error::new(ErrorKind::Corrupt, message));
            };
            *grown = Some(extent.max(grown.unwrap_or(0)));
        }
        if grown.iter().all(Option::is_none) {
            return Ok(None);
        }
        let dims = (0..dims.len()).map(|d| grown[d].map_or(dims[d], |extent: u64| extent.max(least[d])));
        Ok(Some(Found { dims: dims.collect(), sources }))
    }

    /// The dataset as the file has it.
    pub(super) fn stored(mut self) -> Self {
        let stored = self.followed.take().and_then(|followed| followed.stored);
        if let (Some(stored), Dataspace::Simple { dims, .. }) = (stored, &mut self.dataspace) {
            *dims = stored;
        }
        self
    }

    /// Takes on what the sources make of the dataset, if anything.
    fn follow(&mut self, found: Option<Found>) -> Result<()> {
        let Some(found) = found else {
            self.followed.get_or_insert_default();
            return Ok(());
        };
        let bounds = match &self.dataspace {
            Dataspace::Simple { max_dims: Some(max_dims), .. } => max_dims.as_slice(),
            _ => &[],
        };
        for (d, (&dim, &most)) in found.dims.iter().zip(bounds).enumerate() {
            if most != UNLIMITED && dim > most {
                let what = format!("dimension {d} of the virtual dataset, as its sources have it,");
                return Err(Error::range(&what, dim, format_args!("0..{most}, its maximum")));
            }
        }
        let product = found.dims.iter().try_fold(self.datatype.size() as u64, |product, &dim| product.checked_mul(dim));
        let Some(size) = product.filter(|&size| size < i64::MAX as u64) else {
            let message = format!("the sources make a virtual dataset of {:?} elements", found.dims);
            return Err(Error::new(ErrorKind::Limit, message));
        };
        if let Dataspace::Simple { dims, .. } = &mut self.dataspace {
            let before = std::mem::replace(dims, found.dims);
            let stored = self.followed.take().and_then(|followed| followed.stored).unwrap_or(before);
            self.followed = Some(Box::new(Followed { stored: Some(stored), sources: found.sources }));
            self.size = size;
        }
        Ok(())
    }
}

/// How far a mapping reaches whose source has no bound.
fn source_extent(
    open: &mut Sources<'_>,
    mapping: &Mapping,
    source: usize,
    target: usize,
    dims: &[u64],
) -> Result<Option<u64>> {
    let Some((_, source_dims, _)) = open.open(mapping, 0)? else { return Ok(Some(0)) };
    let of = |axes: Option<Vec<Axis>>, dimension: usize| axes.and_then(|axes| axes.get(dimension).copied());
    let source_axis = of(axes(&mapping.source, &source_dims)?, source);
    let target_axis = of(axes(&mapping.target, dims)?, target);
    let (Some(from), Some(to)) = (source_axis, target_axis) else { return Ok(None) };
    Ok(to.extent_of(from.before(source_dims[source])))
}

impl Object {
    /// The fill value of a dataset in chunks, as an element of type `memory`; none of another dataset.
    pub(super) fn fill_of_chunks(&self, memory: &Datatype) -> Result<Option<Vec<u8>>> {
        self.read("describing dataset", "", |state, slot| {
            let array = state.objects.get(slot)?.array()?.1;
            if array.check_chunked().is_err() {
                return Ok(None);
            }
            let mut element = vec![0; memory.size()];
            crate::datatype::convert(&array.datatype, &array.fill_element()?, memory, &mut element, 1)?;
            Ok(Some(element))
        })
    }

    /// Whether the dataset is in chunks.
    pub(super) fn is_chunked(&self) -> Result<bool> {
        self.read("describing dataset", "", |state, slot| {
            Ok(state.objects.get(slot)?.array()?.1.check_chunked().is_ok())
        })
    }

    /// Reads elements of any type that follow each other from a coordinate on, with what pointers in them lead to; those that a
    /// dataset in chunks with dimensions `dims` does not have read as its fill value.
    pub(super) fn read_run(
        &self,
        memory: &Datatype,
        (at, dims): (&[u64], &[u64]),
        out: &mut [u8],
        pointers: &mut dyn Pointers,
        way: Way<'_>,
    ) -> Result<()> {
        let elements = out.len() / memory.size();
        let there = match (at.split_last(), dims.split_last()) {
            (Some((_, outer)), Some((_, dims))) if outer.iter().zip(dims).any(|(at, dim)| at >= dim) => 0,
            (Some((last, _)), Some((dim, _))) => dim.saturating_sub(*last).min(elements as u64) as usize,
            _ => elements,
        };
        let (read, missing) = out.split_at_mut(there * memory.size());
        if there > 0 {
            let mut count = vec![1; at.len()];
            if let Some(last) = count.last_mut() {
                *last = there as u64;
            }
            let selection = Selection { start: Some(at), count: Some(&count), ..Selection::default() };
            self.read_values_at_depth(memory, Some(&selection), read, pointers, way)?;
        }
        if missing.is_empty() {
            return Ok(());
        }
        self.read("reading dataset", "", |state, slot| {
            let array = state.objects.get(slot)?.array()?.1;
            let (datatype, fill) = (array.datatype.clone(), array.fill_element()?.repeat(elements - there));
            state.convert_elements(&datatype, memory, &fill, missing, pointers)
        })
    }

    /// Of a virtual dataset that grows with its sources: takes its dimensions from them. They are looked at without the file's
    /// lock, for they may be in the same file.
    pub(in crate::object) fn follow_sources(&self, what: &str) -> Result<()> {
        let growing = self.read(what, "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            if array.storage != Storage::Virtual {
                return Ok(None);
            }
            let mappings = array.mappings(store, header)?;
            Ok(Some((array.clone(), mappings)))
        })?;
        let Some((array, mappings)) = growing else { return Ok(()) };
        let found = array.found(&self.file(), &mappings).map_err(|e| self.explain(e, what, ""))?;
        self.read(what, "", |state, slot| state.objects.get(slot)?.array()?.1.follow(found))
    }
}
