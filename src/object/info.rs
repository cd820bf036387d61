//! What is known of an object without its values: times, counts, the space that it takes, and its comment.

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::{kind, plain};
use crate::object::extents::Purpose;
use crate::object::header::{NewMessage, ObjectHeader};
use crate::object::path::{self, Reached};
use crate::object::state::{Slot, State};
use crate::object::walk::Walk;
use crate::object::{Object, ObjectKind};
use crate::store::Store;

/// When things happened to an object, in seconds since 1970, as far as its header records it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectTimes {
    /// The last access to its raw data.
    pub access: Option<u32>,
    /// The last change of its raw data.
    pub modification: Option<u32>,
    /// The last change of its header. The only time of an object in the oldest format.
    pub change: Option<u32>,
    /// Its creation.
    pub birth: Option<u32>,
}

/// An object, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// What it is.
    pub kind: ObjectKind,
    /// The address of its header, which is the same for all links to the object.
    pub address: u64,
    /// Hard links to it, and for a committed datatype the data that share it.
    pub references: u32,
    /// Its times.
    pub times: ObjectTimes,
    /// Its attributes.
    pub attributes: u64,
    /// Its links, if it is a group.
    pub links: Option<u64>,
    /// Bytes that it takes in the file, by [`Purpose`] in the order of [`Purpose::ALL`]. Global heap collections, which
    /// objects share, are not counted.
    pub storage: [u64; Purpose::ALL.len()],
}

impl Object {
    /// Describes the object at `path`, relative to this group or absolute; soft and external links are followed. Without a
    /// path, this object. Reads all indexes of the object, for the space that they take.
    pub fn info(&self, path: Option<&str>) -> Result<ObjectInfo> {
        const WHAT: &str = "describing";
        let name = path.unwrap_or_default();
        let reached = self.read_counted(WHAT, name, |state, slot| {
            let reached = match path {
                Some(path) => path::resolve_or_leave(state, slot, path.as_bytes())?,
                None => Reached::Here(slot),
            };
            Ok(match reached {
                Reached::Here(slot) => Ok(describe(state, slot)?),
                Reached::Outside(outside) => Err(outside),
            })
        })?;
        reached.or_else(|outside| self.beyond(WHAT, name, &outside, |object| object.info(None)))
    }

    /// What the header messages of a type say; of those that are shared, the reference that stands in their place. For
    /// tools: the modules of [`format::message`](crate::format::message) decode them.
    pub fn header_messages(&self, kind: u8) -> Result<Vec<Vec<u8>>> {
        self.read("reading the header of", "", |state, slot| {
            let State { store, objects, .. } = state;
            let header = &objects.get(slot)?.header;
            header.find_all(kind).map(|index| Ok(header.body(store, index)?.to_vec())).collect()
        })
    }

    /// The object's comment.
    pub fn comment(&self) -> Result<Option<String>> {
        self.read("reading the comment of", "", |state, slot| {
            let State { store, objects, .. } = state;
            let header = &objects.get(slot)?.header;
            let Some(index) = header.find(kind::COMMENT) else { return Ok(None) };
            Ok(Some(String::from_utf8_lossy(plain::comment(header.body(store, index)?)).into_owned()))
        })
    }

    /// Gives the object a comment, in the place of the one that it has; an empty one is none.
    pub fn set_comment(&self, comment: &str) -> Result<()> {
        self.change("setting the comment of", "", |state, slot| {
            if comment.contains('\0') {
                return Err(Error::new(ErrorKind::Argument, "a comment has no NUL"));
            }
            let State { store, objects, .. } = state;
            let header = &mut objects.get(slot)?.header;
            let mut body = comment.as_bytes().to_vec();
            body.push(0);
            match (header.find(kind::COMMENT), comment.is_empty()) {
                (None, true) => return Ok(()),
                (Some(index), true) => header.remove(store, index)?,
                (Some(index), false) => header.replace(store, index, &body)?,
                (None, false) => {
                    let message = NewMessage { kind: kind::COMMENT, flags: 0, order: 0, body: &body };
                    header.insert(store, &message).map(|_| ())?
                }
            }
            objects.mark(slot)
        })
    }
}

fn describe(state: &mut State, slot: Slot) -> Result<ObjectInfo> {
    let State { store, objects, .. } = state;
    let object = objects.get(slot)?;
    let mut info = ObjectInfo {
        kind: object.kind,
        address: object.header.address(),
        references: object.header.link_count(store)?,
        times: times(store, &object.header)?,
        attributes: object.attributes.len(store)?,
        links: match object.links_if_group(store)? {
            Some((_, links)) => Some(links.len(store)?),
            None => None,
        },
        storage: Default::default(),
    };
    info.storage = storage(state, info.address)?;
    Ok(info)
}

fn times(store: &mut Store, header: &ObjectHeader) -> Result<ObjectTimes> {
    if let Some(times) = header.prefix().times {
        return Ok(ObjectTimes {
            access: Some(times.access),
            modification: Some(times.modification),
            change: Some(times.change),
            birth: Some(times.birth),
        });
    }
    Ok(ObjectTimes { change: header.modification_time(store)?, ..ObjectTimes::default() })
}

/// What the object at `address` takes, by purpose. What is not known to the walk takes nothing that it could tell.
fn storage(state: &mut State, address: u64) -> Result<[u64; Purpose::ALL.len()]> {
    let mut told = |finding: crate::object::check::Finding| match finding.into_error() {
        error if error.kind() == ErrorKind::Unsupported => Ok(()),
        error => Err(error),
    };
    let extents = Walk::of_object(state, address, &mut told)?;
    let mut storage = [0u64; Purpose::ALL.len()];
    for extent in extents {
        let bytes = &mut storage[extent.purpose as usize];
        *bytes = bytes.saturating_add(extent.length);
    }
    Ok(storage)
}
