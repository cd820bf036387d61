//! Other files that a file leads to, by external links and virtual datasets. They are opened as the file itself is, once in a
//! process; an object of one keeps it open.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::object::face::{check_path, Object};
use crate::object::file::File;
use crate::object::options::OpenOptions;
use crate::object::path::{self, Outside, Place, Reached, Way};
use crate::object::registry;
use crate::object::state::{Slot, State};

/// External links on one way; more is taken for a cycle. As in libhdf5.
const MAX_LINKS: u32 = 16;

/// Where libhdf5 looks for a file that another one names: where an absolute name says, then by its last part as for others: in
/// the folders of an environment variable, beside the file, from the current folder, and beside what the file is a link to.
fn places(of: &Path, name: &Path, variable: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut short = name;
    if name.is_absolute() {
        all.push(name.to_path_buf());
        short = Path::new(name.file_name().unwrap_or_default());
    }
    if let Some(folders) = std::env::var_os(variable) {
        let folders = folders.as_bytes().split(|&byte| byte == b':').filter(|folder| !folder.is_empty());
        all.extend(folders.map(|folder| Path::new(OsStr::from_bytes(folder)).join(short)));
    }
    let beside = |path: &Path| path.parent().unwrap_or(Path::new("")).join(short);
    all.extend([beside(of), short.to_path_buf()]);
    all.extend(of.canonicalize().ok().map(|of| beside(&of)));
    all
}

/// The file of a name that stands in another file; none if there is none. `variable` is the environment variable whose folders
/// are looked at first.
pub(super) fn find_file(of: &File, name: &[u8], variable: &str) -> Result<Option<File>> {
    first_of(of, places(of.path(), Path::new(OsStr::from_bytes(name)), variable))
}

/// The file that a reference names: where it says, as libhdf5 has it, or beside the one with the reference.
pub(super) fn find_referenced(of: &File, name: &[u8]) -> Result<File> {
    let path = Path::new(OsStr::from_bytes(name));
    let found = first_of(of, std::iter::once(path.to_path_buf()).chain(places(of.path(), path, "")))?;
    let missing = || format!("there is no file '{}'", path.display());
    found.ok_or_else(|| Error::new(ErrorKind::NotFound, missing()))
}

/// The first of these files that is there.
fn first_of(of: &File, places: impl IntoIterator<Item = PathBuf>) -> Result<Option<File>> {
    for path in places {
        // Nothing that could block, such as a pipe.
        if !path.is_file() {
            continue;
        }
        let failed = |e| Error::io(format_args!("opening '{}'", path.display()), e);
        let id = registry::id(&path.metadata().map_err(failed)?);
        if of.id() == Some(id) {
            return Ok(Some(of.clone()));
        }
        let other = match registry::find_or_begin(id) {
            Ok(other) => other,
            Err(opening) => {
                let opened = open_as(of, &path);
                drop(opening);
                opened?
            }
        };
        if other.shared.is_led_to {
            of.led_to(&other);
        }
        return Ok(Some(other));
    }
    Ok(None)
}

/// Opens a file as the one that leads to it is open; to be read only where it cannot be written.
fn open_as(of: &File, path: &Path) -> Result<File> {
    let access = of.access()?;
    let to_read = OpenOptions { read_only: true, ..access.clone() };
    if !access.read_only {
        if let Ok(file) = File::open_as(path, &access, true) {
            return Ok(file);
        }
    }
    File::open_as(path, &to_read, true)
}

/// Where a change is to be done.
pub(super) struct At<'a> {
    /// An object of the file.
    pub object: &'a Object,
    /// The path from there.
    pub path: &'a str,
    /// The way of the path.
    pub way: Way<'a>,
}

impl At<'_> {
    /// A handle of the object in a slot, which is at the path.
    pub fn object_in(&self, state: &mut State, slot: Slot) -> Result<Object> {
        Object::of(&self.object.inner.shared, state, slot, self.object.path_of(self.path))
    }
}

impl Object {
    /// Opens the object at `path`, relative to this group or absolute. Soft links are followed, and external ones: the file that
    /// they lead to is opened as this one is, and stays open with the object.
    pub fn open(&self, path: &str) -> Result<Object> {
        self.open_through(path, MAX_LINKS)
    }

    fn open_through(&self, path: &str, left: u32) -> Result<Object> {
        let full = self.path_of(path);
        let (reached, dropped) = self.read_counted("opening", path, |state, slot| {
            check_path(path)?;
            let reached = match path::resolve_or_leave(state, slot, path.as_bytes())? {
                Reached::Here(target) => Ok(Object::of(&self.inner.shared, state, target, full)?),
                Reached::Outside(outside) => Err(outside),
            };
            // Not here, where the lock is held: a handle that is dropped takes it.
            Ok((reached, state.drop_surplus()))
        })?;
        dropped.map_err(|e| self.explain(e, "opening", path))?;
        reached.or_else(|outside| self.follow(&outside, left).map_err(|e| self.explain(e, "opening", path)))
    }

    /// Does in another file, which an external link leads to, what was asked for here.
    pub(super) fn beyond<R>(
        &self,
        what: &str,
        path: &str,
        outside: &Outside,
        work: impl FnOnce(&Object) -> Result<R>,
    ) -> Result<R> {
        self.follow(outside, MAX_LINKS).and_then(|object| work(&object)).map_err(|e| self.explain(e, what, path))
    }

    /// Changes what `path` names in the group that holds it, which external links on the way may have in another file: that is
    /// committed at once where nothing else has it open.
    pub(super) fn change_at<R>(
        &self,
        what: &str,
        path: &str,
        work: impl FnOnce(&At<'_>, &mut State) -> Result<R>,
    ) -> Result<R> {
        self.change_through(what, path, MAX_LINKS, work)
    }

    fn change_through<R>(
        &self,
        what: &str,
        path: &str,
        left: u32,
        work: impl FnOnce(&At<'_>, &mut State) -> Result<R>,
    ) -> Result<R> {
        let done = self.change(what, path, |state, slot| {
            check_path(path)?;
            match path::way(state, slot, path.as_bytes())? {
                Place::Here(way) => work(&At { object: self, path, way }, state).map(Ok),
                Place::Outside(outside, name) => Ok(Err((outside, name, work))),
            }
        })?;
        let (outside, name, work) = match done {
            Ok(value) => return Ok(value),
            Err(leaves) => leaves,
        };
        let beyond = |(group, rest, left): (Object, String, u32)| {
            let file = group.file();
            let value = group.change_through(what, &rest, left, work)?;
            drop(group);
            file.commit_unless_held().map(|()| value)
        };
        self.leave(&outside, name, left).and_then(beyond).map_err(|e| self.explain(e, what, path))
    }

    /// The object from which the way to the last name of `path` does not leave the file, and the path from there.
    pub(super) fn settle(&self, what: &str, path: &str) -> Result<(Object, String)> {
        let (mut object, mut path, mut left) = (self.clone(), path.to_owned(), MAX_LINKS);
        // A single name is in its group.
        while path.contains('/') {
            let place = object.read(what, &path, |state, slot| match path::way(state, slot, path.as_bytes())? {
                Place::Here(_) => Ok(None),
                Place::Outside(outside, name) => Ok(Some((outside, name.to_vec()))),
            })?;
            let Some((outside, name)) = place else { break };
            let left_to = object.leave(&outside, &name, left).map_err(|e| self.explain(e, what, &path))?;
            (object, path, left) = left_to;
        }
        Ok((object, path))
    }

    /// The object that the external link leads to, the path from there to `name`, and how many links may follow.
    pub(super) fn leave(&self, outside: &Outside, name: &[u8], left: u32) -> Result<(Object, String, u32)> {
        let object = self.follow_link(outside, &String::from_utf8_lossy(&outside.path), left)?;
        let rest = [&outside.rest, &b"/"[..], name].concat();
        let rest = String::from_utf8_lossy(&rest).trim_start_matches('/').to_owned();
        Ok((object, rest, left.saturating_sub(1)))
    }

    fn follow(&self, outside: &Outside, left: u32) -> Result<Object> {
        let path = [&outside.path[..], &outside.rest].concat();
        self.follow_link(outside, &String::from_utf8_lossy(&path), left)
    }

    fn follow_link(&self, outside: &Outside, path: &str, left: u32) -> Result<Object> {
        let [link, name] = [&outside.link, &outside.file].map(|name| String::from_utf8_lossy(name));
        let follow = || {
            let Some(left) = left.checked_sub(1) else {
                let message = format!("more than {MAX_LINKS} external links on the way, a cycle of links");
                return Err(Error::new(ErrorKind::NotFound, message));
            };
            let Some(file) = find_file(&self.file(), &outside.file, "HDF5_EXT_PREFIX")? else {
                return Err(Error::new(ErrorKind::NotFound, format!("there is no file '{name}'")));
            };
            file.root()?.open_through(path, left)
        };
        follow().map_err(|e| e.within(format_args!("following external link '{link}'")))
    }

    /// Commits what was changed in the object's file, if nothing but links of other files led to it.
    pub fn commit(&self) -> Result<()> {
        match self.inner.shared.is_led_to {
            true => self.file().flush_only(),
            false => Ok(()),
        }
    }
}

impl File {
    /// Whether the object is in this open file, and not in one that an external link led to.
    pub fn has(&self, object: &Object) -> bool {
        Arc::ptr_eq(&self.shared, &object.inner.shared)
    }

    /// Commits what was changed in a file that links led to, and that nothing but this handle has open.
    pub(super) fn commit_unless_held(&self) -> Result<()> {
        match self.shared.is_led_to && Arc::strong_count(&self.shared) == 1 {
            true => self.flush_only(),
            false => Ok(()),
        }
    }
}
