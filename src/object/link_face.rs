//! What a user does with the links of a group.

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::link::{EXTERNAL, FIRST_USER};
use crate::object::face::{check_path, lossless, Object};
use crate::object::file::File;
use crate::object::group;
use crate::object::link::{LinkTarget, StoredLink};
use crate::object::options::Order;
use crate::object::outside::At;
use crate::object::path::{self, Place};
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
        self.change_at("deleting link", path, |at, state| {
            let parent = at.way.parent(state)?;
            group::unlink(state, parent, at.way.name)
        })
    }

    /// Deletes the link at `path` if it leads to what was made there: others may have put something else in its place.
    pub(super) fn unmake(&self, path: &str, made: &Object) -> Result<()> {
        self.change_at("deleting link", path, |at, state| {
            if !at.object.is_beside(made) || state.objects.get(made.inner.slot)?.deleted {
                return Ok(());
            }
            let target = LinkTarget::Hard(state.objects.get(made.inner.slot)?.header.address());
            match at.way.parent(state).and_then(|parent| Ok((parent, find(state, parent, at.way.name)?))) {
                Ok((parent, link)) if link.target == target => group::unlink(state, parent, at.way.name),
                Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
                _ => Ok(()),
            }
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
        let found = self.read_counted(what, path, |state, slot| {
            check_path(path)?;
            Ok(match path::way(state, slot, path.as_bytes())? {
                Place::Here(way) => {
                    let parent = way.parent(state)?;
                    Ok(look(state, parent, way.name)?)
                }
                Place::Outside(outside, name) => Err((outside, name)),
            })
        })?;
        found.or_else(|(outside, name)| {
            self.beyond(what, path, &outside, |group| {
                group.read_counted(what, "", |state, parent| look(state, parent, name))
            })
        })
    }

    /// Moves the link at `from` to `to` below `target_group`, where the name must be free. A link that is not hard may move to
    /// another file.
    pub fn link_move(&self, from: &str, target_group: &Object, to: &str) -> Result<()> {
        const WHAT: &str = "moving link";
        check_path(from).and(check_path(to)).map_err(|e| self.explain(e, WHAT, from))?;
        let (source, from_there) = self.settle(WHAT, from)?;
        let (target, to_there) = target_group.settle(WHAT, to)?;
        let moved = match source.is_beside(&target) {
            true => source.move_within(WHAT, &from_there, target.inner.slot, &to_there),
            false => source.move_between(WHAT, &from_there, &target, &to_there),
        };
        let mut files = vec![source.file()];
        files.extend((!source.is_beside(&target)).then(|| target.file()));
        drop((source, target));
        moved?;
        files.iter().try_for_each(File::commit_unless_held).map_err(|e| self.explain(e, WHAT, from))
    }

    fn move_within(&self, what: &str, from: &str, target: Slot, to: &str) -> Result<()> {
        self.change(what, from, |state, slot| {
            let from = path::way_here(state, slot, from.as_bytes())?;
            let source = from.parent(state)?;
            if !group::contains(state, source, from.name)? {
                return Err(no_link());
            }
            let to = path::way_here(state, target, to.as_bytes())?;
            let target = to.make_parent(state)?;
            if (source, from.name) == (target, to.name) {
                return Ok(());
            }
            let place = group::place(state, target, to.name)?;
            if source == target {
                return group::rename(state, source, from.name, to.name);
            }
            // Both groups' trees see what they would see of any other deletion and creation, and so it is counted.
            let link = group::remove(state, source, from.name)?;
            group::insert(state, target, to.name, &link, place)
        })
    }

    /// The new link comes first: after a crash between both there are two.
    fn move_between(&self, what: &str, from: &str, target: &Object, to: &str) -> Result<()> {
        // As a change, which a file that is only read refuses.
        let link = self.change_at(what, from, |at, state| {
            let parent = at.way.parent(state)?;
            find(state, parent, at.way.name)
        })?;
        let link = link.target;
        if let LinkTarget::Hard(_) = link {
            let message = format!("'{to}' of '{}' is in another file, to which no hard link leads", target.path());
            return Err(self.explain(Error::new(ErrorKind::Argument, message), what, from));
        }
        target.create_link(what, to, |_, _| Ok(link))?;
        target.commit()?;
        self.change_at(what, from, |at, state| {
            let parent = at.way.parent(state)?;
            group::remove(state, parent, at.way.name).map(|_| ())
        })
    }

    /// Creates a soft link at `path` to `target`, which need not exist.
    pub fn link_create_soft(&self, path: &str, target: &str) -> Result<()> {
        self.create_link("creating soft link", path, |_, _| {
            check_path(target)?;
            Ok(LinkTarget::Soft(target.as_bytes().to_vec()))
        })
    }

    /// Creates a hard link at `path` to an object of the same file.
    pub fn link_create_hard(&self, path: &str, object: &Object) -> Result<()> {
        let target = object.inner.slot;
        self.create_link("creating hard link", path, |at, state| {
            if !at.object.is_beside(object) {
                let message = format!("'{}' is of another file; one of this file is needed", object.path());
                return Err(Error::new(ErrorKind::Argument, message));
            }
            state.objects.get(target)?.check_alive()?;
            at.way.check_free(state)?;
            group::retain(state, target)?;
            Ok(LinkTarget::Hard(state.objects.get(target)?.header.address()))
        })
    }

    /// Creates a link at `path` to the object at `target` of the file `file`. Neither need exist.
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
        self.create_link(what, path, |_, _| {
            if data.len() > usize::from(u16::MAX) {
                let message = format!("a link's value of {} bytes is longer than 65535", data.len());
                return Err(Error::new(ErrorKind::Limit, message));
            }
            Ok(LinkTarget::User(kind, data))
        })
    }

    /// Creates the link that `make` describes, which changes nothing where it fails; missing groups on the way, too.
    fn create_link(
        &self,
        what: &str,
        path: &str,
        make: impl FnOnce(&At<'_>, &mut State) -> Result<LinkTarget>,
    ) -> Result<()> {
        self.change_at(what, path, |at, state| {
            let target = make(at, state)?;
            let parent = at.way.make_parent(state)?;
            let place = group::place(state, parent, at.way.name)?;
            group::insert(state, parent, at.way.name, &target, place)
        })
    }

    /// Describes the link at `path`. External links on the way are followed.
    pub fn link_info(&self, path: &str) -> Result<LinkInfo> {
        self.at_link("describing link", path, find).map(LinkInfo::from)
    }

    /// Links of this group.
    pub fn link_count(&self) -> Result<u64> {
        self.read("counting links of", "", |state, slot| {
            let State { store, objects, .. } = state;
            objects.get(slot)?.group(store)?.1.len(store)
        })
    }

    /// This group's links in the order asked for.
    pub fn links(&self, order: Order) -> Result<Vec<(String, LinkInfo)>> {
        self.read_counted("listing links of", "", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, links) = objects.get(slot)?.group(store)?;
            let all = links.list(store, header, order)?;
            Ok(all.into_iter().map(|(name, link)| (lossless(name), link.into())).collect())
        })
    }
}

fn find(state: &mut State, group: Slot, name: &[u8]) -> Result<StoredLink> {
    let State { store, objects, .. } = state;
    let (header, links) = objects.get(group)?.group(store)?;
    links.find(store, header, name)?.ok_or_else(no_link)
}

fn no_link() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such link")
}
