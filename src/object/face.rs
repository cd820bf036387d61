//! Objects as a user holds them: each call takes the file's lock once, and names itself in its errors.

use std::sync::Arc;

use crate::datatype::{convert, Datatype};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::attribute::Attribute;
use crate::format::message::kind;
use crate::object::attribute::Put;
use crate::object::dataset::DatasetOptions;
use crate::object::file::{File, Shared};
use crate::object::options::{GroupOptions, Order};
use crate::object::state::{Slot, State};
use crate::object::value::{self, AttributeInfo, TypeOf};
use crate::object::{dataset, group, path, ObjectKind};
use crate::rebalance::Kind;

/// The longest attribute or link name that the format can hold, without its terminator.
const MAX_NAME: usize = u16::MAX as usize - 1;

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
    fn explain(&self, error: Error, what: &str, name: &str) -> Error {
        match name {
            "" => error.within(format_args!("{what} '{}'", self.inner.path)),
            _ => error.within(format_args!("{what} '{name}' of '{}'", self.inner.path)),
        }
    }

    fn path_of(&self, path: &str) -> String {
        let base = if path.starts_with('/') { "" } else { self.inner.path.trim_end_matches('/') };
        let path = path.trim_matches('/');
        if path.is_empty() && base.is_empty() {
            "/".into()
        } else {
            format!("{base}/{path}")
        }
    }

    /// What the object is.
    pub fn kind(&self) -> Result<ObjectKind> {
        self.read("asking for the kind of", "", |state, slot| Ok(state.objects.get(slot)?.kind))
    }

    /// The address of the object's header.
    pub fn address(&self) -> Result<u64> {
        self.read("asking for the address of", "", |state, slot| Ok(state.objects.get(slot)?.header.address()))
    }

    /// Opens the object at `path`, relative to this group or absolute. Soft links are followed.
    pub fn open(&self, path: &str) -> Result<Object> {
        let full = self.path_of(path);
        let (object, dropped) = self.read("opening", path, |state, slot| {
            check_path(path)?;
            let target = path::resolve(state, slot, path.as_bytes())?;
            let object = Object::of(&self.inner.shared, state, target, full)?;
            // Not here, where the lock is held: a handle that is dropped takes it.
            Ok((object, state.drop_surplus()))
        })?;
        dropped.map_err(|e| self.explain(e, "opening", path)).map(|()| object)
    }

    /// Creates a group at `path`; groups missing on the way are created with defaults.
    pub fn create_group(&self, path: &str, options: &GroupOptions) -> Result<Object> {
        let full = self.path_of(path);
        self.change("creating group", path, |state, slot| {
            check_path(path)?;
            options.links.check("link")?;
            options.attributes.check("attribute")?;
            let (parent, name) = path::parent(state, slot, path.as_bytes(), true)?;
            let created = group::create(state, parent, name, options)?;
            Object::of(&self.inner.shared, state, created, full)
        })
    }

    /// Creates a dataset at `path`; groups missing on the way are created with defaults.
    pub fn create_dataset(
        &self,
        path: &str,
        datatype: &Datatype,
        dims: &[u64],
        options: &DatasetOptions,
    ) -> Result<Object> {
        let full = self.path_of(path);
        self.change("creating dataset", path, |state, slot| {
            check_path(path)?;
            let mut plan = dataset::plan(datatype, dims, options)?;
            if state.superblock.version < 3 {
                plan = plan.for_version_18();
            }
            let (parent, name) = path::parent(state, slot, path.as_bytes(), true)?;
            group::check_name(name)?;
            group::check_free(state, parent, name)?;
            let object = group::create_dataset(&mut state.store, plan)?;
            let created = group::adopt(state, parent, name, object)?;
            Object::of(&self.inner.shared, state, created, full)
        })
    }

    /// Writes an attribute: a new one, or in the place of the one of this name. No dimensions make a scalar.
    pub fn attr_write(&self, name: &str, datatype: &Datatype, dims: &[u64], data: &[u8]) -> Result<()> {
        self.put_attribute(name, datatype, Some(dims), data)
    }

    /// Writes an attribute without a value (null dataspace).
    pub fn attr_write_null(&self, name: &str, datatype: &Datatype) -> Result<()> {
        self.put_attribute(name, datatype, None, &[])
    }

    fn put_attribute(&self, name: &str, datatype: &Datatype, dims: Option<&[u64]>, data: &[u8]) -> Result<()> {
        self.change("writing attribute", name, |state, slot| {
            check_attribute_name(name)?;
            let State { store, objects, scratch, maintenance, .. } = state;
            let object = objects.get(slot)?;
            value::encode(scratch, name.as_bytes(), datatype, dims, data, store.sizes())?;
            let put = object.attributes.put(store, &mut object.header, name.as_bytes(), scratch)?;
            objects.mark(slot)?;
            match put {
                Put::New => maintenance.note(objects, slot, Kind::Insert),
                Put::Replaced(released) => {
                    maintenance.note(objects, slot, Kind::Update)?;
                    group::release_all(state, released)
                }
            }
        })
    }

    /// Reads an attribute's value, converted to type `memory`, into `out`; returns the bytes that it needs. Nothing is
    /// written when `out` is empty; an `out` too small is an error.
    pub fn attr_read(&self, name: &str, memory: &Datatype, out: &mut [u8]) -> Result<usize> {
        self.with_attribute("reading attribute", name, |info, data| {
            let count = if info.is_null { 0 } else { value::elements(&info.dims)? };
            let needed = value::value_size(count, memory)?;
            if out.is_empty() || needed == 0 {
                return Ok(needed);
            }
            let available = out.len();
            let Some(target) = out.get_mut(..needed) else {
                let message = format!("the value needs {needed} bytes, the buffer has {available}");
                return Err(Error::new(ErrorKind::TooSmall, message));
            };
            convert(&info.datatype, data, memory, target, count as usize)?;
            Ok(needed)
        })
    }

    /// Describes an attribute.
    pub fn attr_info(&self, name: &str) -> Result<AttributeInfo> {
        self.with_attribute("describing attribute", name, |info, _| Ok(info))
    }

    /// The attribute's description and its value as the file has it.
    pub fn attr_read_raw(&self, name: &str) -> Result<(AttributeInfo, Vec<u8>)> {
        self.with_attribute("reading attribute", name, |info, data| Ok((info, data.to_vec())))
    }

    fn with_attribute<R>(
        &self,
        what: &str,
        name: &str,
        mut read: impl FnMut(AttributeInfo, &[u8]) -> Result<R>,
    ) -> Result<R> {
        self.read(what, name, |state, slot| {
            let mut committed = None;
            loop {
                let State { store, objects, .. } = state;
                let sizes = store.sizes();
                let object = objects.get(slot)?;
                let outcome = object.attributes.with(store, &object.header, name.as_bytes(), |message, order| {
                    let attribute = Attribute::decode(message)?;
                    let datatype = match (value::type_of(&attribute, sizes)?, &committed) {
                        (TypeOf::Own(datatype), _) => datatype,
                        (TypeOf::Committed(_), Some(datatype)) => Datatype::clone(datatype),
                        (TypeOf::Committed(address), None) => return Ok(Err(address)),
                    };
                    let info = value::describe(&attribute, &datatype, order, sizes)?;
                    let value = &attribute.data[..info.storage_size as usize];
                    read(info, value).map(Ok)
                })?;
                match outcome.ok_or_else(no_attribute)? {
                    Ok(result) => return Ok(result),
                    Err(address) => committed = Some(committed_type(state, address)?),
                }
            }
        })
    }

    /// Deletes an attribute.
    pub fn attr_delete(&self, name: &str) -> Result<()> {
        self.change("deleting attribute", name, |state, slot| {
            let State { store, objects, maintenance, .. } = state;
            let object = objects.get(slot)?;
            let removed = object.attributes.remove(store, &mut object.header, name.as_bytes())?;
            let released = removed.ok_or_else(no_attribute)?;
            objects.mark(slot)?;
            maintenance.note(objects, slot, Kind::Delete)?;
            group::release_all(state, released)
        })
    }

    /// Gives an attribute another name, which must be free.
    pub fn attr_rename(&self, from: &str, to: &str) -> Result<()> {
        self.change("renaming attribute", from, |state, slot| {
            check_attribute_name(to)?;
            let State { store, objects, maintenance, scratch, .. } = state;
            let object = objects.get(slot)?;
            let (old, new) = (from.as_bytes(), to.as_bytes());
            if !object.attributes.contains(store, &object.header, old)? {
                return Err(no_attribute());
            }
            if from == to {
                return Ok(());
            }
            if object.attributes.contains(store, &object.header, new)? {
                return Err(Error::new(ErrorKind::Exists, format!("there is an attribute '{to}' already")));
            }
            object.attributes.with(store, &object.header, old, |message, _| value::renamed(scratch, message, new))?;
            object.attributes.rename(store, &mut object.header, old, scratch, new)?;
            objects.mark(slot)?;
            maintenance.note(objects, slot, Kind::Update)
        })
    }

    /// Whether the object has an attribute of this name.
    pub fn attr_exists(&self, name: &str) -> Result<bool> {
        self.read("looking for attribute", name, |state, slot| {
            let State { store, objects, .. } = state;
            let object = objects.get(slot)?;
            object.attributes.contains(store, &object.header, name.as_bytes())
        })
    }

    /// Attributes of the object.
    pub fn attr_count(&self) -> Result<u64> {
        self.read("counting attributes of", "", |state, slot| {
            let State { store, objects, .. } = state;
            objects.get(slot)?.attributes.len(store)
        })
    }

    /// The attributes' names in the order asked for.
    pub fn attr_names(&self, order: Order) -> Result<Vec<String>> {
        self.read("listing attributes of", "", |state, slot| {
            let State { store, objects, .. } = state;
            let object = objects.get(slot)?;
            let names = object.attributes.names(store, &object.header, order)?;
            Ok(names.into_iter().map(lossless).collect())
        })
    }
}

/// Names are UTF-8 by the format; one that is not is shown with replacement characters.
pub(super) fn lossless(name: Vec<u8>) -> String {
    String::from_utf8(name).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// The type that the committed datatype at `address` holds.
fn committed_type(state: &mut State, address: u64) -> Result<Datatype> {
    let slot = state.load(address)?;
    let State { store, objects, .. } = state;
    let header = &objects.get(slot)?.header;
    match header.find(kind::DATATYPE) {
        Some(index) => Datatype::from_message(header.body(store, index)?),
        None => Err(Error::corrupt("committed datatype", address, "its object header has no datatype message")),
    }
}

#[cold]
fn no_attribute() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such attribute")
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

#[inline]
fn check_attribute_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME || name.as_bytes().contains(&0) {
        return Err(Error::new(
            ErrorKind::Argument,
            format!("an attribute's name has 1 to {MAX_NAME} bytes without NUL, this one has {}", name.len()),
        ));
    }
    Ok(())
}
