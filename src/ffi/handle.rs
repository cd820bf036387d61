//! Handles: pointers in type only. Their value is `generation << 32 | slot << 4 | kind << 1 | 1`, odd and therefore
//! no address of anything; they are looked up, never dereferenced.

use std::sync::OnceLock;

use parking_lot::{Mutex, RwLock};

use super::table::{Key, Pin, Table, CAPACITY};
use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::object::{File, Object};

/// An open file. Any thread may use it; calls on different files never wait for each other.
pub struct h5r_file(());

/// An open group, dataset or named type. Any thread may use it; it is closed with its file at the latest.
pub struct h5r_object(());

#[cfg(not(target_pointer_width = "64"))]
compile_error!("h5r's handles need 64-bit pointers");

const _: () = assert!(CAPACITY < 1 << 28);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File = 1,
    Object = 2,
    Type = 3,
}

const fn encode(kind: Kind, key: Key) -> u64 {
    (key.generation as u64) << 32 | (key.slot as u64) << 4 | (kind as u64) << 1 | 1
}

#[inline]
fn decode(kind: Kind, handle: u64) -> Option<Key> {
    (handle & 15 == (kind as u64) << 1 | 1)
        .then_some(Key { slot: handle as u32 >> 4, generation: (handle >> 32) as u32 })
}

/// What a file handle stands for.
pub(super) struct FileEntry {
    pub file: File,
    /// The handles of objects opened from it, or `None` once it is being closed.
    objects: Mutex<Option<Opened>>,
    root: OnceLock<u64>,
}

/// Handles of objects, those in use and some that are closed: closing one does not touch the list, which is gone through
/// when it has become twice as long as it was then.
struct Opened {
    handles: Vec<u64>,
    bound: usize,
}

/// So many handles are kept without going through them.
const FEW: usize = 64;

impl Opened {
    fn new() -> Self {
        Opened { handles: Vec::new(), bound: FEW }
    }

    fn add(&mut self, handle: u64) {
        if self.handles.len() >= self.bound {
            self.handles.retain(|&handle| is_live(Kind::Object, handle));
            self.bound = (2 * self.handles.len()).max(FEW);
        }
        self.handles.push(handle);
    }
}

/// What an object handle stands for.
pub(super) struct ObjectEntry {
    pub object: Object,
    /// Its file's handle.
    pub file: u64,
    /// Lent by `h5r_root`: closed with the file only.
    borrowed: bool,
}

/// What a made type's token stands for.
pub(super) struct TypeEntry {
    /// Members are added to it while it is built.
    datatype: RwLock<Datatype>,
    /// The named datatype that it was read from: its file's handle, and its address.
    pub committed: Option<(u64, u64)>,
}

static FILES: Table<FileEntry> = Table::new();
static OBJECTS: Table<ObjectEntry> = Table::new();
static TYPES: Table<TypeEntry> = Table::new();

#[cold]
fn bad(kind: Kind, handle: u64) -> Error {
    let name = |kind| match kind {
        Kind::File => "file",
        Kind::Object => "object",
        Kind::Type => "type",
    };
    let wanted = name(kind);
    let other = [Kind::File, Kind::Object, Kind::Type].into_iter().find(|&k| k != kind && is_live(k, handle));
    let message = match other {
        _ if handle == 0 => format!("the {wanted} handle is NULL"),
        Some(other) => format!("a {wanted} handle is needed, and this is a handle of kind {}", name(other)),
        None => format!("the {wanted} handle {handle:#x} is closed, or was never made by h5r"),
    };
    Error::new(ErrorKind::Closed, message)
}

fn is_live(kind: Kind, handle: u64) -> bool {
    decode(kind, handle).is_some_and(|key| match kind {
        Kind::File => FILES.contains(key),
        Kind::Object => OBJECTS.contains(key),
        Kind::Type => TYPES.contains(key),
    })
}

#[cold]
fn too_many(what: &str) -> Error {
    Error::new(ErrorKind::Limit, format!("{CAPACITY} {what} handles are open; close some"))
}

/// Keeps a file until [`close_file`].
pub(super) fn open_file(file: File) -> Result<u64> {
    let entry = FileEntry { file, objects: Mutex::new(Some(Opened::new())), root: OnceLock::new() };
    let key = FILES.insert(entry).ok_or_else(|| too_many("file"))?;
    Ok(encode(Kind::File, key))
}

#[inline]
pub(super) fn file(handle: u64) -> Result<Pin<'static, FileEntry>> {
    decode(Kind::File, handle).and_then(|key| FILES.get(key)).ok_or_else(|| bad(Kind::File, handle))
}

/// Whether an object that was opened from a file is in it, and not in one that an external link led to.
pub(super) fn is_of(handle: u64, object: &Object) -> bool {
    file(handle).is_ok_and(|entry| entry.file.has(object))
}

/// Whether the file handle is open.
pub(super) fn file_is_open(handle: u64) -> bool {
    is_live(Kind::File, handle)
}

/// Takes the file's handle, and those of all its objects, out of use.
pub(super) fn close_file(handle: u64) -> Result<Pin<'static, FileEntry>> {
    let removed = decode(Kind::File, handle).and_then(|key| FILES.remove(key));
    let entry = removed.ok_or_else(|| bad(Kind::File, handle))?;
    let objects = entry.objects.lock().take().map_or(Vec::new(), |objects| objects.handles);
    for object in objects.into_iter().filter_map(|handle| decode(Kind::Object, handle)) {
        drop(OBJECTS.remove(object));
    }
    Ok(entry)
}

impl FileEntry {
    fn adopt(&self, file: u64, object: Object, borrowed: bool) -> Result<u64> {
        let mut objects = self.objects.lock();
        let objects = objects.as_mut().ok_or_else(|| bad(Kind::File, file))?;
        let key = OBJECTS.insert(ObjectEntry { object, file, borrowed }).ok_or_else(|| too_many("object"))?;
        let handle = encode(Kind::Object, key);
        objects.add(handle);
        Ok(handle)
    }

    /// The borrowed handle of the root group; always the same one. `handle` is this file's.
    pub fn root(&self, handle: u64) -> Result<u64> {
        if let Some(&root) = self.root.get() {
            return Ok(root);
        }
        let root = self.adopt(handle, self.file.root()?, true)?;
        if self.root.set(root).is_err() {
            // Another thread was first; its handle is the root's.
            drop(decode(Kind::Object, root).and_then(|key| OBJECTS.remove(key)));
        }
        self.root.get().copied().ok_or_else(|| Error::internal("the root's handle was lost"))
    }
}

/// Keeps an object of the file with this handle until it or the file is closed.
pub(super) fn open_object(file_handle: u64, object: Object) -> Result<u64> {
    file(file_handle)?.adopt(file_handle, object, false)
}

#[inline]
pub(super) fn object(handle: u64) -> Result<Pin<'static, ObjectEntry>> {
    decode(Kind::Object, handle).and_then(|key| OBJECTS.get(key)).ok_or_else(|| bad(Kind::Object, handle))
}

/// Takes an object's handle out of use; the root's stays. What was changed in another file that a link led to is committed.
pub(super) fn close_object(handle: u64) -> Result<()> {
    let entry = object(handle)?;
    if entry.borrowed {
        return Ok(());
    }
    let committed = entry.object.commit();
    // Of several callers, and with the file's closing, exactly one takes it out.
    match entry.close() {
        true => committed,
        false => Err(bad(Kind::Object, handle)),
    }
}

/// Keeps a made datatype until [`close_type`]; `committed` is the named one's file and address.
pub(super) fn open_type(datatype: Datatype, committed: Option<(u64, u64)>) -> Result<u64> {
    let entry = TypeEntry { datatype: RwLock::new(datatype), committed };
    TYPES.insert(entry).map(|key| encode(Kind::Type, key)).ok_or_else(|| too_many("type"))
}

#[inline]
pub(super) fn type_entry(handle: u64) -> Result<Pin<'static, TypeEntry>> {
    decode(Kind::Type, handle).and_then(|key| TYPES.get(key)).ok_or_else(|| bad(Kind::Type, handle))
}

impl TypeEntry {
    #[inline]
    pub fn datatype(&self) -> Datatype {
        self.datatype.read().clone()
    }

    /// Puts another datatype in the place of the present one.
    pub fn update(&self, change: impl FnOnce(&Datatype) -> Result<Datatype>) -> Result<()> {
        let mut datatype = self.datatype.write();
        *datatype = change(&datatype)?;
        Ok(())
    }
}

pub(super) fn close_type(handle: u64) -> Result<()> {
    let removed = decode(Kind::Type, handle).and_then(|key| TYPES.remove(key));
    removed.map(drop).ok_or_else(|| bad(Kind::Type, handle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{CreateOptions, GroupOptions};
    use crate::store::MemoryBackend;
    use std::path::Path;

    #[test]
    fn closed_objects_leave_the_list_and_open_ones_close_with_the_file() {
        let backend = Box::new(MemoryBackend::new());
        let file = File::create_on(backend, Path::new("test"), &CreateOptions::default()).unwrap();
        let root = file.root().unwrap();
        let handle = open_file(file).unwrap();
        let make = |number: usize| root.create_group(&number.to_string(), &GroupOptions::default()).unwrap();
        let kept: Vec<u64> = (0..100).map(|number| open_object(handle, make(number)).unwrap()).collect();
        for number in 100..2000 {
            let closed = open_object(handle, make(number)).unwrap();
            close_object(closed).unwrap();
            assert!(close_object(closed).is_err());
        }
        let entry = super::file(handle).unwrap();
        let length = entry.objects.lock().as_ref().unwrap().handles.len();
        assert!(length <= 2 * kept.len() + FEW, "{length} handles are kept");
        assert!(kept.iter().all(|&kept| object(kept).is_ok()));
        drop(close_file(handle).unwrap());
        assert!(kept.iter().all(|&kept| object(kept).is_err()));
        assert!(entry.adopt(handle, root.clone(), false).is_err());
    }
}
