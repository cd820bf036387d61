//! Finding every dense store of a file, in parts: between two of them other threads change the file.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::object::state::{Loaded, State};
use crate::rebalance::SLICE_NS;
use crate::store::Store;

/// How far the search is, as addresses of object headers.
#[derive(Debug)]
pub(super) struct Search {
    seen: HashSet<u64>,
    waiting: Vec<u64>,
}

impl Search {
    /// From the root group.
    pub fn new(root: u64) -> Self {
        Search { seen: HashSet::new(), waiting: vec![root] }
    }

    /// The object at `address` is deleted: something else may stand there soon.
    pub fn forget(&mut self, address: u64) {
        self.seen.insert(address);
    }

    /// An object to look at.
    fn next(&mut self) -> Option<u64> {
        while let Some(address) = self.waiting.pop() {
            if self.seen.insert(address) {
                return Some(address);
            }
        }
        None
    }
}

impl State {
    /// Begins to load the dense stores of every object that can be reached, so that the next round sweeps the whole file;
    /// where another thread has begun, this one helps it.
    pub fn begin_search(&mut self) -> Result<()> {
        let root = self.superblock.root;
        self.maintenance.search.get_or_insert_with(|| Search::new(root));
        Ok(())
    }

    /// Goes on for a slice; whether all is loaded. What other threads create or move meanwhile may be left out.
    pub fn search_on(&mut self) -> Result<bool> {
        self.search_until(Instant::now() + Duration::from_nanos(SLICE_NS))
    }

    fn search_until(&mut self, end: Instant) -> Result<bool> {
        let Some(mut search) = self.maintenance.search.take() else { return Ok(true) };
        while let Some(address) = search.next() {
            self.store.note_whole();
            if let Err(error) = self.load_dense(address, &mut search.waiting) {
                // What is damaged stays as it is; what it leads to, as far as it can be read, is found.
                self.maintenance.note_damage(self.store.spared(error)?);
            }
            self.drop_surplus()?;
            if Instant::now() >= end {
                self.maintenance.search = Some(search);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Loads an object's dense stores; the objects that it leads to join `waiting`.
    fn load_dense(&mut self, address: u64, waiting: &mut Vec<u64>) -> Result<()> {
        let slot = self.load(address)?;
        let State { store, objects, maintenance, .. } = self;
        let object = objects.get(slot)?;
        let found = object.load_all_dense(store, waiting);
        if object.has_dense() {
            maintenance.touch(slot, object);
        }
        found
    }
}

impl Loaded {
    fn load_all_dense(&mut self, store: &mut Store, waiting: &mut Vec<u64>) -> Result<()> {
        let attributes = self.attributes.dense(store).map(|_| ());
        if let Some((header, links)) = self.links_if_group(store)? {
            waiting.extend(links.hard_targets(store, header)?);
            links.dense(store)?;
        }
        if let Some(dataset) = &mut self.dataset {
            dataset.load_sparse_tree(store)?;
        }
        attributes
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::datatype::{Datatype, Number};
    use crate::object::options::{CreateOptions, GroupOptions, OpenOptions};
    use crate::object::File;
    use crate::store::MemoryBackend;

    const GROUPS: usize = 60;

    fn add_dense(file: &File, name: &str) {
        let (root, number) = (file.root().unwrap(), Datatype::little(Number::I32));
        let group = root.create_group(name, &GroupOptions::default()).unwrap();
        for attribute in 0..12 {
            group.attr_write(&format!("a{attribute}"), &number, &[], &[1; 4]).unwrap();
        }
    }

    /// A file of groups with dense attributes, just opened.
    fn file_of_groups() -> File {
        let backend = MemoryBackend::new();
        let shared = backend.shared();
        let file = File::create_on(Box::new(backend), Path::new("test"), &CreateOptions::default()).unwrap();
        (0..GROUPS).for_each(|number| add_dense(&file, &format!("g{number}")));
        file.close().unwrap();
        let bytes = shared.lock().clone();
        let backend = MemoryBackend::with_bytes(bytes);
        File::open_on(Box::new(backend), Path::new("test"), &OpenOptions::default()).unwrap()
    }

    #[test]
    fn others_delete_and_create_while_dense_stores_are_sought() {
        let file = file_of_groups();
        let root = file.root().unwrap();
        file.shared.change(State::begin_search).unwrap();
        let mut parts = 1;
        while !file.shared.change(|state| state.search_until(Instant::now())).unwrap() {
            if parts < GROUPS / 3 {
                root.link_delete(&format!("g{}", 2 * parts)).unwrap();
                // Given back space is given out again after a flush.
                file.flush().unwrap();
                add_dense(&file, &format!("new{parts}"));
            }
            parts += 1;
        }
        assert!(parts > GROUPS / 2, "{parts}");
        let loaded = file.shared.change(|state| Ok(state.objects.with_dense().len())).unwrap();
        assert_eq!(loaded as u64, root.link_count().unwrap() + 1, "all groups, and the root with its links");
        file.rebalance().unwrap();
        file.check().unwrap();
    }
}
