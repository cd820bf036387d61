//! Named datatypes (specification IV.B "Data Object Header" of a committed datatype): stored, read, and shared by what is made with them.

use super::group;
use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::message_flag;
use crate::format::message::kind;
use crate::object::attribute::Attributes;
use crate::object::header::{NewMessage, ObjectHeader};
use crate::object::options::Phase;
use crate::object::outside::At;
use crate::object::state::{Loaded, Slot, State};
use crate::object::{Object, ObjectKind};

/// Room in a named datatype's header for a few attributes.
const SPARE: usize = 64;

impl Object {
    /// Stores a type, in its form in memory, as a named datatype at `path`; groups missing on the way are created.
    pub fn commit_type(&self, path: &str, datatype: &Datatype) -> Result<Object> {
        let plan = |_: &At<'_>, state: &mut State| {
            datatype.check_complete()?;
            let body = datatype.to_file(state.store.sizes())?.to_message();
            if body.len() > usize::from(u16::MAX) {
                let message = format!("its message of {} bytes is longer than 65535", body.len());
                return Err(Error::new(ErrorKind::Limit, message));
            }
            Ok(body)
        };
        self.make_linked("committing datatype", path, plan, |state, body| {
            let message = NewMessage { kind: kind::DATATYPE, flags: message_flag::CONSTANT, order: 0, body: &body };
            let options = group::header_options(&Phase::default());
            let header = ObjectHeader::create(&mut state.store, &options, &[message], SPARE)?;
            let attributes = Attributes::of(&mut state.store, &header)?;
            Ok(Loaded::new(header, ObjectKind::NamedType, attributes, None))
        })
    }

    /// The type of a dataset's elements or that a named datatype stands for, in its form in memory, and the address of
    /// the named datatype.
    pub fn datatype(&self) -> Result<(Datatype, Option<u64>)> {
        self.read("asking for the type of", "", |state, slot| {
            let object = state.objects.get(slot)?;
            match (&object.dataset, object.kind) {
                (Some(dataset), _) => Ok((dataset.datatype().to_memory()?, dataset.committed_type())),
                (None, ObjectKind::NamedType) => {
                    let address = object.header.address();
                    Ok((committed_type(state, address)?.to_memory()?, Some(address)))
                }
                (None, kind) => {
                    let message = format!("a dataset or a named datatype is needed, this is a {kind}");
                    Err(Error::new(ErrorKind::WrongKind, message))
                }
            }
        })
    }
}

/// The type, in its form in the file, that the named datatype at `address` holds.
pub(super) fn committed_type(state: &mut State, address: u64) -> Result<Datatype> {
    let slot = state.load(address)?;
    let State { store, objects, .. } = state;
    let header = &objects.get(slot)?.header;
    match header.find(kind::DATATYPE) {
        Some(index) => Datatype::from_message(header.body(store, index)?),
        None => Err(Error::corrupt("committed datatype", address, "its object header has no datatype message")),
    }
}

/// The named datatype at `address`, which has to hold this type (in its form in the file), so that it can be shared:
/// [`group::retain`] then counts the reference.
pub(super) fn sharable(state: &mut State, address: u64, datatype: &Datatype) -> Result<Slot> {
    let slot = state.load(address)?;
    if state.objects.get(slot)?.kind != ObjectKind::NamedType || committed_type(state, address)? != *datatype {
        return Err(Error::new(ErrorKind::Argument, "the named datatype that the type was read from is gone"));
    }
    Ok(slot)
}
