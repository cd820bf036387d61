//! What a user does with an object's attributes.

use crate::datatype::{convert, Datatype, NoPointers, Pointers};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::attribute::Attribute;
use crate::object::attribute::Put;
use crate::object::committed::{committed_type, sharable};
use crate::object::elements::is_simple;
use crate::object::face::lossless;
use crate::object::group;
use crate::object::options::Order;
use crate::object::state::{Slot, State};
use crate::object::value::{self, AttributeInfo, NewValue, TypeOf};
use crate::object::Object;
use crate::rebalance::Kind;

/// The longest attribute or link name that the format can hold, without its terminator.
const MAX_NAME: usize = u16::MAX as usize - 1;

impl Object {
    /// Writes an attribute: a new one, or in the place of the one of this name. No dimensions make a scalar.
    pub fn attr_write(&self, name: &str, datatype: &Datatype, dims: &[u64], data: &[u8]) -> Result<()> {
        self.attr_write_values(name, datatype, None, dims, data, &mut NoPointers)
    }

    /// As [`attr_write`](Self::attr_write), sharing the named datatype at the address `committed`, and with what pointers in
    /// the elements lead to.
    pub fn attr_write_values(
        &self,
        name: &str,
        datatype: &Datatype,
        committed: Option<u64>,
        dims: &[u64],
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        self.change("writing attribute", name, |state, slot| {
            if !datatype.refers_to_heap() {
                return put_attribute(state, slot, name, &NewValue { datatype, committed, dims: Some(dims), data });
            }
            check_attribute_name(name)?;
            let file = datatype.to_file(state.store.sizes())?;
            committed.map(|address| sharable(state, address, &file)).transpose()?;
            state.heap.begin(&state.store);
            let raw =
                value::elements(dims).and_then(|count| state.attribute_to_file(datatype, &file, count, data, pointers));
            let put = raw.and_then(|raw| {
                let value = NewValue { datatype: &file, committed, dims: Some(dims), data: &raw };
                put_attribute(state, slot, name, &value)
            });
            state.heap.end(&mut state.store, put)
        })
    }

    /// Writes an attribute without a value (null dataspace).
    pub fn attr_write_null(&self, name: &str, datatype: &Datatype) -> Result<()> {
        self.change("writing attribute", name, |state, slot| {
            let datatype = &datatype.to_file(state.store.sizes())?;
            put_attribute(state, slot, name, &NewValue { datatype, committed: None, dims: None, data: &[] })
        })
    }

    /// Reads an attribute's value, converted to type `memory`, into `out`; returns the bytes that it needs. Nothing is
    /// written when `out` is empty; an `out` too small is an error.
    pub fn attr_read(&self, name: &str, memory: &Datatype, out: &mut [u8]) -> Result<usize> {
        self.attr_read_values(name, memory, out, &mut NoPointers)
    }

    /// As [`attr_read`](Self::attr_read), with somewhere for what pointers in the elements lead to.
    pub fn attr_read_values(
        &self,
        name: &str,
        memory: &Datatype,
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<usize> {
        // One lock hold: what the value's pointers lead to goes when the attribute is replaced.
        self.read_counted("reading attribute", name, |state, slot| {
            let mut later = None;
            let needed = with_attribute(state, slot, name, |info, data| {
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
                match is_simple(&info.datatype, memory) {
                    true => convert(&info.datatype, data, memory, target, count as usize)?,
                    false => later = Some((info.datatype, data.to_vec())),
                }
                Ok(needed)
            })?;
            if let Some((file, raw)) = later {
                state.attribute_to_memory(&file, &raw, memory, &mut out[..needed], pointers)?;
            }
            Ok(needed)
        })
    }

    /// Describes an attribute; its type is in its form in memory.
    pub fn attr_info(&self, name: &str) -> Result<AttributeInfo> {
        self.with_attribute("describing attribute", name, |mut info, _| {
            info.datatype = info.datatype.to_memory()?;
            Ok(info)
        })
    }

    /// The attribute's description and its value as the file has it.
    pub fn attr_read_raw(&self, name: &str) -> Result<(AttributeInfo, Vec<u8>)> {
        self.with_attribute("reading attribute", name, |info, data| Ok((info, data.to_vec())))
    }

    fn with_attribute<R>(
        &self,
        what: &str,
        name: &str,
        read: impl FnMut(AttributeInfo, &[u8]) -> Result<R>,
    ) -> Result<R> {
        self.read_counted(what, name, |state, slot| with_attribute(state, slot, name, read))
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
            group::release_lost(state, released)
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
            let committed = object.attributes.rename(store, &mut object.header, old, scratch, new)?;
            objects.mark(slot)?;
            maintenance.note(objects, slot, Kind::Update)?;
            let Some(address) = committed else { return Ok(()) };
            let named = state.load(address)?;
            group::retain(state, named)
        })
    }

    /// Whether the object has an attribute of this name.
    pub fn attr_exists(&self, name: &str) -> Result<bool> {
        self.read_counted("looking for attribute", name, |state, slot| {
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
        self.read_counted("listing attributes of", "", |state, slot| {
            let State { store, objects, .. } = state;
            let object = objects.get(slot)?;
            let names = object.attributes.names(store, &object.header, order)?;
            Ok(names.into_iter().map(lossless).collect())
        })
    }
}

fn put_attribute(state: &mut State, slot: Slot, name: &str, value: &NewValue<'_>) -> Result<()> {
    check_attribute_name(name)?;
    let shared = value.committed.map(|address| sharable(state, address, value.datatype)).transpose()?;
    let State { store, objects, scratch, maintenance, .. } = state;
    let object = objects.get(slot)?;
    value::encode(scratch, name.as_bytes(), value, store.sizes())?;
    let put = object.attributes.put(store, &mut object.header, name.as_bytes(), scratch)?;
    objects.mark(slot)?;
    match put {
        Put::New => {
            maintenance.note(objects, slot, Kind::Insert)?;
            shared.map_or(Ok(()), |slot| group::retain(state, slot))
        }
        Put::Replaced(lost) => {
            maintenance.note(objects, slot, Kind::Update)?;
            shared.map_or(Ok(()), |slot| group::retain(state, slot))?;
            group::release_lost(state, lost)
        }
    }
}

#[cold]
fn no_attribute() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such attribute")
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

/// Hands an attribute's description and value to `read`.
fn with_attribute<R>(
    state: &mut State,
    slot: Slot,
    name: &str,
    mut read: impl FnMut(AttributeInfo, &[u8]) -> Result<R>,
) -> Result<R> {
    let (mut committed, mut told) = (None, None);
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
            if datatype.has_references() {
                told = Some((datatype, value.to_vec()));
            }
            read(info, value).map(Ok)
        })?;
        match outcome.ok_or_else(no_attribute)? {
            Ok(result) => {
                if let Some((datatype, value)) = told {
                    state.pin_referenced(&datatype, &value, sizes);
                }
                return Ok(result);
            }
            Err(address) => committed = Some(committed_type(state, address)?),
        }
    }
}
