//! Copies of objects, within a file and between two, as H5Ocopy makes them: deep, with attributes, with committed datatypes
//! of their own, and with all that their elements own in the global heap.
//!
//! Every object of the source is copied once, by address, so that hard links within the tree stay shared. An object's
//! header is made when a link or a dataset first leads to it, its contents follow, off a list: no depth of groups overflows
//! the stack. The link to the copy is made last. Until then nothing leads to what was made, and where something fails, all
//! of it is given back.

mod content;
mod data;
mod files;

pub(super) use files::Files;

use super::face::{check_path, Object};
use super::file::Shared;
use super::group;
use super::header::ObjectHeader;
use super::link::LinkTarget;
use super::path::{self, Outside, Reached};
use super::state::State;
use crate::error::{Error, ErrorKind, Result};
use crate::store::AddressMap;

/// Structures of a damaged file may share bytes, so that a small file could fill a disk: what is copied at most is this,
/// and [`PER_BYTE`] times the source.
const MIN_BUDGET: u64 = 256 << 20;
const PER_BYTE: u64 = 4;

/// Names of a path that are shown.
const MAX_PATH: usize = 100;

/// Options of a copy. By default it is deep and has attributes, and soft links are copied as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Of a group only its own links are copied: groups that they lead to are empty in the copy.
    pub shallow: bool,
    /// Attributes are left out.
    pub without_attributes: bool,
    /// What soft links of copied groups lead to is copied, and linked in their place. Those that lead nowhere stay.
    pub expand_soft_links: bool,
}

/// An object of the source that has a copy.
struct Made {
    source: u64,
    copy: u64,
    depth: u32,
    /// Links and shared datatypes that lead to the copy.
    references: u32,
    /// What it was met in, and by which name.
    parent: u32,
    name: Box<[u8]>,
}

/// A copy in progress.
struct Copier<'a, 'f> {
    files: &'a mut Files<'f>,
    options: &'a CopyOptions,
    made: Vec<Made>,
    by_source: AddressMap<u32>,
    /// The object that is being filled.
    current: u32,
    /// By which name what could not be made was met in it.
    failed: Box<[u8]>,
    /// Heap objects that no element owns.
    kept: Vec<(u64, u32)>,
    /// Heap objects that no element owns yet.
    values: Vec<(u64, u32)>,
    /// Heap objects of elements behind a filter of the user's, which may fail when these are to be found again.
    behind: Vec<(u64, u32)>,
    /// Space of raw data that nothing leads to yet.
    extents: Vec<(u64, u64)>,
    /// Bytes that may still be copied.
    budget: u64,
}

impl Object {
    /// Copies the object at `from` to `to` below `target`, a group of this file or of another one; groups missing on the
    /// way are created. A name that is taken is an error, and after any error there is no part of a copy.
    ///
    /// References to objects stay as they are in a copy within a file, and become null in one in another file. External links on
    /// the way to the source and to the copy are followed.
    pub fn copy(&self, from: &str, target: &Object, to: &str, options: &CopyOptions) -> Result<()> {
        const WHAT: &str = "copying";
        check_path(from).and(check_path(to)).map_err(|e| self.explain(e, WHAT, from))?;
        let (target, to) = target.settle(WHAT, to)?;
        let outside = self.copy_from_here(from, &target, &to, options).map_err(|e| self.explain(e, WHAT, from))?;
        if let Some(outside) = outside {
            self.beyond(WHAT, from, &outside, |object| object.copy(".", &target, &to, options))?;
        }
        let file = target.file();
        drop(target);
        file.commit_unless_held().map_err(|e| self.explain(e, WHAT, from))
    }

    /// Copies an object of this file, or says which external link on the way leads out of it.
    fn copy_from_here(&self, from: &str, target: &Object, to: &str, options: &CopyOptions) -> Result<Option<Outside>> {
        Shared::change_from(&self.inner.shared, &target.inner.shared, |files| {
            let (source, group) = (self.inner.slot, target.inner.slot);
            files.from().objects.get(source)?.check_alive()?;
            files.to().objects.get(group)?.check_alive()?;
            let found = match path::resolve_or_leave(files.from(), source, from.as_bytes())? {
                Reached::Here(found) => found,
                Reached::Outside(outside) => return Ok(Some(outside)),
            };
            let found = files.from().objects.get(found)?.header.address();
            path::way_here(files.to(), group, to.as_bytes())?.check_free(files.to())?;
            let budget = files.from().store.space().end().saturating_mul(PER_BYTE).saturating_add(MIN_BUDGET);
            let mut copier = Copier {
                files,
                options,
                made: Vec::new(),
                by_source: AddressMap::default(),
                current: 0,
                failed: Box::default(),
                kept: Vec::new(),
                values: Vec::new(),
                behind: Vec::new(),
                extents: Vec::new(),
                budget,
            };
            let copied = copier.copy(found).and_then(|copy| link(copier.files.to(), group, to, copy));
            copied.map(|()| None).map_err(|error| copier.give_back(error))
        })
    }
}

/// Links the copy, with groups on the way that are missing.
fn link(state: &mut State, group: u32, path: &str, copy: u64) -> Result<()> {
    let way = path::way_here(state, group, path.as_bytes())?;
    let parent = way.make_parent(state)?;
    let place = group::place(state, parent, way.name)?;
    group::insert(state, parent, way.name, &LinkTarget::Hard(copy), place)
}

impl Copier<'_, '_> {
    /// Copies the object at `source` and all that it leads to; the copy's address.
    fn copy(&mut self, source: u64) -> Result<u64> {
        let copy = self.meet(source, 0, b"")?;
        while let Some(&Made { source, copy, depth, .. }) = self.made.get(self.current as usize) {
            self.fill(source, copy, depth).map_err(|e| self.explain(e))?;
            for state in self.files.all() {
                state.drop_surplus()?;
                state.store.trim_cache();
            }
            self.current += 1;
        }
        let to = self.files.to();
        for made in self.made.iter().filter(|made| made.references > 1) {
            let slot = to.load(made.copy)?;
            let State { store, objects, .. } = to;
            objects.get(slot)?.header.set_link_count(store, made.references)?;
        }
        Ok(copy)
    }

    /// A reference to the object at `source`, whose copy is made with the first one; the copy's address.
    fn meet(&mut self, source: u64, depth: u32, name: &[u8]) -> Result<u64> {
        if let Some(made) = self.by_source.get(&source).and_then(|&number| self.made.get_mut(number as usize)) {
            made.references = made.references.checked_add(1).ok_or_else(|| {
                Error::new(ErrorKind::Limit, "an object with more than 4,294,967,295 references to it")
            })?;
            return Ok(made.copy);
        }
        let copy = self.make(source).inspect_err(|_| self.failed = name.into())?;
        self.by_source.insert(source, self.made.len() as u32);
        self.made.push(Made { source, copy, depth, references: 1, parent: self.current, name: name.into() });
        Ok(copy)
    }

    /// An error with the path, from where the copy began, of what it was met at.
    #[cold]
    fn explain(&self, error: Error) -> Error {
        let mut names = vec![&self.failed];
        let mut number = self.current;
        while let Some(made) = self.made.get(number as usize).filter(|_| number > 0 && names.len() < MAX_PATH) {
            names.push(&made.name);
            number = made.parent;
        }
        let path = names.iter().rev().filter(|name| !name.is_empty()).map(|name| String::from_utf8_lossy(name));
        match path.collect::<Vec<_>>() {
            path if path.is_empty() => error,
            path => error.within(format_args!("'{}' below it", path.join("/"))),
        }
    }

    /// Fills a copy that was made, and keeps neither object in memory for its own sake.
    fn fill(&mut self, source: u64, copy: u64, depth: u32) -> Result<()> {
        let was_loaded = self.files.from().objects.find(source).is_some();
        let from = self.files.from().load(source)?;
        let to = self.files.to().load(copy)?;
        self.fill_data(from, to)?;
        if !(self.options.shallow && depth > 0) {
            self.fill_links(from, to, depth)?;
        }
        if !self.options.without_attributes {
            self.fill_attributes(from, to)?;
        }
        let State { store, objects, maintenance, .. } = self.files.to();
        let object = objects.get(to)?;
        // As the flush does it, but for the times, which are the source's.
        object.attributes.prepare(store, &mut object.header)?;
        if let Some(links) = &mut object.read_links {
            links.prepare(store, &mut object.header)?;
        }
        if let Some(dataset) = &mut object.dataset {
            dataset.prepare(store, &mut object.header)?;
        }
        maintenance.forget(to, object);
        objects.remove(to);
        if !was_loaded {
            let State { objects, maintenance, .. } = self.files.from();
            maintenance.forget(from, objects.get(from)?);
            objects.remove(from);
        }
        Ok(())
    }

    /// So many bytes of the source are copied.
    fn spend(&mut self, bytes: u64) -> Result<()> {
        let left = self.budget.checked_sub(bytes);
        self.budget = left.ok_or_else(|| {
            let message = "what is copied is many times larger than its file, whose structures seem to overlap";
            Error::new(ErrorKind::Corrupt, message)
        })?;
        Ok(())
    }

    /// After an error: gives back all that was made; the error. Where that fails too, the file accepts only close.
    fn give_back(&mut self, error: Error) -> Error {
        let state = self.files.to();
        if state.store.check_usable().is_err() {
            return error;
        }
        let copies: Vec<u64> = self.made.iter().map(|made| made.copy).collect();
        let run = |state: &mut State| {
            for &(address, index) in self.values.iter().chain(&self.kept) {
                state.heap.remove(&mut state.store, address, index)?;
            }
            for &(address, length) in &self.extents {
                state.store.free(address, length);
            }
            group::discard(state, &copies)?;
            for &(address, index) in &self.behind {
                match state.heap.remove(&mut state.store, address, index) {
                    Err(e) if e.kind() != ErrorKind::Corrupt => return Err(e),
                    // Given back already, with all that was beside it if that is an error.
                    _ => {}
                }
            }
            Ok(())
        };
        if run(state).is_err() {
            state.store.fail();
        }
        error
    }
}

/// A header of the copy with its messages.
fn new_header(to: &mut State, options: &super::header::HeaderOptions, messages: &[content::Body]) -> Result<u64> {
    let messages: Vec<_> = messages.iter().map(content::Body::message).collect();
    Ok(ObjectHeader::create(&mut to.store, options, &messages, content::SPARE)?.address())
}
