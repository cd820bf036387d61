//! What a user does with the links of a group.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::link::{EXTERNAL, FIRST_USER};
use crate::object::face::{check_path, lossless, Object};
use crate::object::group;
use crate::object::link::{LinkTarget, StoredLink};
use crate::object::options::Order;
use crate::object::path::{self, Reached};
use crate::object::state::{Slot, State};

/// A link, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    /// What it points to.
    pub target: LinkTarget,
    /// The creation order, where it is tracked.
    pub creation_order: Option<i64>,
    /// Whether the name is said to be UTF-8, else ASCII.
    pub utf8: bool,
}

impl From<StoredLink> for LinkInfo {
    fn from(link: StoredLink) -> Self {
        LinkInfo { target: link.target, creation_order: link.order, utf8: link.utf8 }
    }
}

impl Object {
    /// Deletes the link at `path`; with its last hard link the object is freed with all that it owned.
    pub fn link_delete(&self, path: &str) -> Result<()> {
        self.change("deleting link", path, |state, slot| {
            check_path(path)?;
            let (parent, name) = path::parent(state, slot, path.as_bytes(), false)?;
            group::unlink(state, parent, name)
        })
    }

    /// Whether there is a link at `path`; its target need not exist. External links on the way are followed.
    pub fn link_exists(&self, path: &str) -> Result<bool> {
        let exists = self.at_link("looking for link", path, group::contains);
        match exists {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            exists => exists,
        }
    }

    /// Looks at the link at `path`, in the group that holds it, which may be in another file.
    fn at_link<R>(&self, what: &str, path: &str, look: impl Fn(&mut State, Slot, &[u8]) -> Result<R>) -> Result<R> {
        let found = self.read(what, path, |state, slot| {
            check_path(path)?;
            Ok(match path::link_place(state, slot, path.as_bytes())? {
                (Reached::Here(parent), name) => Ok(look(state, parent, name)?),
                (Reached::Outside(outside), name) => Err((outside, name)),
            })
        })?;
        found.or_else(|(outside, name)| {
            self.beyond(what, path, &outside, |group| group.read(what, "", |state, parent| look(state, parent, name)))
        })
    }

    /// Moves the link at `from` to `to` below `target_group`, where the name must be free.
    pub fn link_move(&self, from: &str, target_group: &Object, to: &str) -> Result<()> {
        self.same_file(target_group)?;
        let target_slot = target_group.inner.slot;
        self.change("moving link", from, |state, slot| {
            check_path(from)?;
            check_path(to)?;
            let (source, old) = path::parent(state, slot, from.as_bytes(), false)?;
            if !group::contains(state, source, old)? {
                return Err(Error::new(ErrorKind::NotFound, "there is no such link"));
            }
            let (target, new) = path::parent(state, target_slot, to.as_bytes(), true)?;
            if (source, old) == (target, new) {
                return Ok(());
            }
            group::place(state, target, new)?;
            let link = group::remove(state, source, old)?;
            // Anew: the removal may have been from the same group.
            let place = group::place(state, target, new)?;
            group::insert(state, target, new, &link, place)
        })
    }

    /// Creates a soft link at `path` to `target`, which need not exist.
    pub fn link_create_soft(&self, path: &str, target: &str) -> Result<()> {
        self.change("creating soft link", path, |state, slot| {
            check_path(path)?;
            check_path(target)?;
            let (parent, name) = path::parent(state, slot, path.as_bytes(), true)?;
            let place = group::place(state, parent, name)?;
            group::insert(state, parent, name, &LinkTarget::Soft(target.as_bytes().to_vec()), place)
        })
    }

    /// Creates a hard link at `path` to an object of the same file.
    pub fn link_create_hard(&self, path: &str, object: &Object) -> Result<()> {
        self.same_file(object)?;
        let target = object.inner.slot;
        self.change("creating hard link", path, |state, slot| {
            check_path(path)?;
            state.objects.get(target)?.check_alive()?;
            let (parent, name) = path::parent(state, slot, path.as_bytes(), true)?;
            let place = group::place(state, parent, name)?;
            let address = state.objects.get(target)?.header.address();
            group::retain(state, target)?;
            group::insert(state, parent, name, &LinkTarget::Hard(address), place)
        })
    }

    /// Creates a link at `path` to the object at `target` of the file `file`. Neither need exist; external links are followed
    /// by [`open`](Self::open) only.
    pub fn link_create_external(&self, path: &str, file: &str, target: &str) -> Result<()> {
        check_path(file)?;
        check_path(target)?;
        // Version and flags, then the two strings with their terminators.
        let data = [&[0], file.as_bytes(), &[0], target.as_bytes(), &[0]].concat();
        self.create_user_link("creating external link", path, EXTERNAL, data)
    }

    /// Creates a user-defined link at `path`, of type 65 to 255 and with `data` of at most 65,535 bytes, which mean
    /// something to its maker only.
    pub fn link_create_user(&self, path: &str, kind: u8, data: &[u8]) -> Result<()> {
        if kind < FIRST_USER {
            return Err(Error::range("type of a user-defined link", kind, "65..255"));
        }
        self.create_user_link("creating user-defined link", path, kind, data.to_vec())
    }

    fn create_user_link(&self, what: &str, path: &str, kind: u8, data: Vec<u8>) -> Result<()> {
        self.change(what, path, |state, slot| {
            check_path(path)?;
            if data.len() > usize::from(u16::MAX) {
                let message = format!("a link's value of {} bytes is longer than 65535", data.len());
                return Err(Error::new(ErrorKind::Limit, message));
            }
            let (parent, name) = path::parent(state, slot, path.as_bytes(), true)?;
            let place = group::place(state, parent, name)?;
            group::insert(state, parent, name, &LinkTarget::User(kind, data), place)
        })
    }

    fn same_file(&self, other: &Object) -> Result<()> {
        if Arc::ptr_eq(&self.inner.shared, &other.inner.shared) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Argument,
            format!("'{}' is of another file; one of this file is needed", other.path()),
        ))
    }

    /// Describes the link at `path`. External links on the way are followed.
    pub fn link_info(&self, path: &str) -> Result<LinkInfo> {
        self.at_link("describing link", path, |state, parent, name| {
            let State { store, objects, .. } = state;
            let (header, links) = objects.get(parent)?.group()?;
            let link = links.find(store, header, name)?;
            let link = link.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such link"))?;
            Ok(link.into())
        })
    }

    /// Links of this group.
    pub fn link_count(&self) -> Result<u64> {
        self.read("counting links of", "", |state, slot| {
            let State { store, objects, .. } = state;
            objects.get(slot)?.group()?.1.len(store)
        })
    }

    /// This group's links in the order asked for.
    pub fn links(&self, order: Order) -> Result<Vec<(String, LinkInfo)>> {
        self.read("listing links of", "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, links) = objects.get(slot)?.group()?;
            let all = links.list(store, header, order)?;
            Ok(all.into_iter().map(|(name, link)| (lossless(name), link.into())).collect())
        })
    }
}
