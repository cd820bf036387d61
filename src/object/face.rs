//! Objects as a user holds them: each call takes the file's lock once, and names itself in its errors.

use std::sync::Arc;

use crate::datatype::{Datatype, Pointers};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::fill::AllocationTime;
use crate::object::committed::sharable;
use crate::object::dataset::DatasetOptions;
use crate::object::file::{File, Shared};
use crate::object::options::GroupOptions;
use crate::object::outside::At;
use crate::object::progress::Listener;
use crate::object::state::{Loaded, Slot, State};
use crate::object::workers::Workers;
use crate::object::{dataset, group, ObjectKind};

/// A handle of a group, dataset or committed datatype. Clones share it; the object is closed with the last of them.
#[derive(Clone)]
pub struct Object {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub shared: Arc<Shared>,
    pub slot: Slot,
    path: String,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.release(self.slot);
    }
}

impl Object {
    /// A handle of the object in `slot`; the caller holds the lock.
    pub(super) fn of(shared: &Arc<Shared>, state: &mut State, slot: Slot, path: String) -> Result<Self> {
        state.objects.retain(slot)?;
        Ok(Object { inner: Arc::new(Inner { shared: shared.clone(), slot, path }) })
    }

    /// The file that the object belongs to.
    pub fn file(&self) -> File {
        File { shared: self.inner.shared.clone() }
    }

    /// The path by which the object was opened.
    pub fn path(&self) -> &str {
        &self.inner.path
    }

    /// What works on the file's raw data outside the lock.
    pub(super) fn workers(&self) -> &Workers {
        &self.inner.shared.workers
    }

    /// Whom to tell how far long calls are.
    pub(super) fn listener(&self) -> &Listener {
        &self.inner.shared.listener
    }

    pub(super) fn read<R>(
        &self,
        what: &str,
        name: &str,
        work: impl FnOnce(&mut State, Slot) -> Result<R>,
    ) -> Result<R> {
        let slot = self.inner.slot;
        let result = self.inner.shared.read(|state| {
            state.objects.get(slot)?.check_alive()?;
            work(state, slot)
        });
        result.map_err(|e| self.explain(e, what, name))
    }

    /// Runs a read that counts as an operation.
    pub(super) fn read_counted<R>(
        &self,
        what: &str,
        name: &str,
        work: impl FnOnce(&mut State, Slot) -> Result<R>,
    ) -> Result<R> {
        self.read(what, name, |state, slot| {
            let value = work(state, slot)?;
            state.note_read();
            Ok(value)
        })
    }

    /// Counts a read that held the lock several times.
    pub(super) fn note_read(&self, what: &str) -> Result<()> {
        self.read_counted(what, "", |_, _| Ok(()))
    }

    pub(super) fn change<R>(
        &self,
        what: &str,
        name: &str,
        work: impl FnOnce(&mut State, Slot) -> Result<R>,
    ) -> Result<R> {
        let slot = self.inner.slot;
        let result = self.inner.shared.change(|state| {
            state.objects.get(slot)?.check_alive()?;
            work(state, slot)
        });
        result.map_err(|e| self.explain(e, what, name))
    }

    #[cold]
    pub(super) fn explain(&self, error: Error, what: &str, name: &str) -> Error {
        match name {
            "" => error.within(format_args!("{what} '{}'", self.inner.path)),
            _ => error.within(format_args!("{what} '{name}' of '{}'", self.inner.path)),
        }
    }

    pub(super) fn path_of(&self, path: &str) -> String {
        let base = if path.starts_with('/') { "" } else { self.inner.path.trim_end_matches('/') };
        let path = path.trim_matches('/');
        let mut full = String::with_capacity(base.len() + 1 + path.len());
        full.push_str(base);
        full.push('/');
        full.push_str(path);
        full
    }

    /// What the object is.
    pub fn kind(&self) -> Result<ObjectKind> {
        self.read("asking for the kind of", "", |state, slot| Ok(state.objects.get(slot)?.kind))
    }

    /// The address of the object's header.
    pub fn address(&self) -> Result<u64> {
        self.read("asking for the address of", "", |state, slot| Ok(state.objects.get(slot)?.header.address()))
    }

    /// Creates a group at `path`; groups missing on the way are created with defaults.
    pub fn create_group(&self, path: &str, options: &GroupOptions) -> Result<Object> {
        self.change_at("creating group", path, |at, state| {
            let parent = new_group(at, state, options)?;
            let created = group::create(state, parent, at.way.name, options)?;
            at.object_in(state, created)
        })
    }

    /// The same without a handle.
    pub fn create_group_unopened(&self, path: &str, options: &GroupOptions) -> Result<()> {
        self.change_at("creating group", path, |at, state| {
            let parent = new_group(at, state, options)?;
            group::create_unopened(state, parent, at.way.name, options)
        })
    }

    /// Creates a dataset at `path`, of a type in its form in memory; groups missing on the way are created with defaults.
    /// `committed` is the address of the named datatype that it shares, but in another file, which has it as its own type; `fill`
    /// the fill value instead of that of the options.
    pub fn create_dataset_of(
        &self,
        path: &str,
        datatype: &Datatype,
        committed: Option<u64>,
        dims: &[u64],
        options: &DatasetOptions,
        fill: Option<VariableFill<'_>>,
    ) -> Result<Object> {
        const WHAT: &str = "creating dataset";
        let owns_fill = fill.is_some();
        let plan = |at: &At<'_>, state: &mut State| {
            let committed = committed.filter(|_| self.is_beside(at.object));
            let datatype = datatype.to_file(state.store.sizes())?;
            let mut plan = dataset::plan(&datatype, dims, options)?;
            if state.superblock.version < 3 {
                plan = plan.for_version_18();
            }
            let shared = committed.map(|address| sharable(state, address, &datatype)).transpose()?;
            if let Some(address) = committed {
                plan = plan.sharing(address);
            }
            let plan = match fill {
                Some(VariableFill { memory, element, pointers }) => {
                    let value = state.attribute_to_file(&memory, &datatype, 1, &element, pointers)?;
                    plan.with_fill(value)
                }
                None => plan.with_blanks()?,
            };
            Ok((plan, shared))
        };
        let made = self.make_linked(WHAT, path, plan, |state, (plan, shared)| {
            if let Some(slot) = shared {
                group::retain(state, slot)?;
            }
            group::create_dataset(&mut state.store, plan)
        })?;
        if owns_fill && options.allocation == AllocationTime::Early {
            if let Err(error) = made.allocate_called() {
                self.unmake(path, &made)?;
                return Err(self.explain(error, WHAT, path));
            }
        }
        Ok(made)
    }

    /// As [`create_dataset_of`](Self::create_dataset_of), with a type of its own.
    pub fn create_dataset(
        &self,
        path: &str,
        datatype: &Datatype,
        dims: &[u64],
        options: &DatasetOptions,
    ) -> Result<Object> {
        self.create_dataset_of(path, datatype, None, dims, options, None)
    }

    /// Links what `make` makes at `path`, whose name was found free. `plan` says before anything but the global heap is
    /// changed whether it can be made.
    pub(super) fn make_linked<P>(
        &self,
        what: &str,
        path: &str,
        plan: impl FnOnce(&At<'_>, &mut State) -> Result<P>,
        make: impl FnOnce(&mut State, P) -> Result<Box<Loaded>>,
    ) -> Result<Object> {
        self.change_at(what, path, |at, state| {
            state.heap.begin(&state.store);
            let created = plan(at, state).and_then(|planned| {
                let parent = at.way.make_parent(state)?;
                let place = group::place(state, parent, at.way.name)?;
                let object = make(state, planned)?;
                group::adopt(state, parent, at.way.name, object, place)
            });
            let created = state.heap.end(&mut state.store, created)?;
            at.object_in(state, created)
        })
    }

    /// Whether both are of one file.
    pub(super) fn is_beside(&self, other: &Object) -> bool {
        Arc::ptr_eq(&self.inner.shared, &other.inner.shared)
    }
}

/// A fill value with parts of variable length, as an element in memory.
pub struct VariableFill<'a> {
    /// Its type.
    pub memory: Datatype,
    /// Its bytes.
    pub element: Vec<u8>,
    /// What pointers in it lead to.
    pub pointers: &'a mut dyn Pointers,
}

/// Names are UTF-8 by the format; one that is not is shown with replacement characters.
pub(super) fn lossless(name: Vec<u8>) -> String {
    String::from_utf8(name).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// The group that a new one belongs to. Groups on the way are created, so everything else is checked before.
fn new_group(at: &At<'_>, state: &mut State, options: &GroupOptions) -> Result<Slot> {
    options.links.check("link")?;
    options.attributes.check("attribute")?;
    at.way.make_parent(state)
}

pub(super) fn check_path(path: &str) -> Result<()> {
    if path.is_empty() || path.contains('\0') {
        return Err(Error::new(
            ErrorKind::Argument,
            format!("'{}' is no path: not empty and without NUL is needed", path.escape_debug()),
        ));
    }
    Ok(())
}
