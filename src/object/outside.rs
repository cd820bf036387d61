//! Other files that a file leads to, by external links and virtual datasets. They are opened to be read only; an object of one
//! keeps it open.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::object::face::{check_path, Object};
use crate::object::file::File;
use crate::object::options::OpenOptions;
use crate::object::path::{self, Outside, Reached};

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
    for path in places(of.path(), Path::new(OsStr::from_bytes(name)), variable) {
        // Nothing that could block, such as a pipe.
        if !path.is_file() {
            continue;
        }
        if path.canonicalize().is_ok_and(|path| of.path().canonicalize().is_ok_and(|of| of == path)) {
            return Ok(Some(of.clone()));
        }
        return File::open(&path, &OpenOptions { read_only: true, ..OpenOptions::default() }).map(Some);
    }
    Ok(None)
}

impl Object {
    /// Opens the object at `path`, relative to this group or absolute. Soft links are followed, and external ones: the file that
    /// they lead to is opened to be read only, and stays open with the object.
    pub fn open(&self, path: &str) -> Result<Object> {
        self.open_through(path, MAX_LINKS)
    }

    fn open_through(&self, path: &str, left: u32) -> Result<Object> {
        let full = self.path_of(path);
        let (reached, dropped) = self.read("opening", path, |state, slot| {
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

    fn follow(&self, outside: &Outside, left: u32) -> Result<Object> {
        let [link, name, path] =
            [&outside.link, &outside.file, &outside.path].map(|name| String::from_utf8_lossy(name).into_owned());
        let follow = || {
            let Some(left) = left.checked_sub(1) else {
                let message = format!("more than {MAX_LINKS} external links on the way, a cycle of links");
                return Err(Error::new(ErrorKind::NotFound, message));
            };
            let Some(file) = find_file(&self.file(), &outside.file, "HDF5_EXT_PREFIX")? else {
                return Err(Error::new(ErrorKind::NotFound, format!("there is no file '{name}'")));
            };
            file.root()?.open_through(&path, left)
        };
        follow().map_err(|e| e.within(format_args!("following external link '{link}'")))
    }
}

impl File {
    /// Whether the object is in this open file, and not in one that an external link led to.
    pub fn has(&self, object: &Object) -> bool {
        Arc::ptr_eq(&self.shared, &object.inner.shared)
    }
}
