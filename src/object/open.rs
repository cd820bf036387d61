//! From a path or a backend to a state: creating a file, and opening one after its superblock and extension were
//! checked (specification II.A "Superblock", II.C "Superblock Extension").

use std::fs::File as OsFile;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::kind;
use crate::format::message::plain::{BTreeK, SharedMessageTable};
use crate::format::superblock::{Superblock, OPEN_FOR_SWMR, OPEN_FOR_WRITE};
use crate::format::{Sizes, UNDEFINED};
use crate::heap::GlobalHeap;
use crate::object::free_space::FreeSpace;
use crate::object::group;
use crate::object::header::ObjectHeader;
use crate::object::maintain::Maintenance;
use crate::object::options::{CreateOptions, FormatVersion, Io, Locking, OpenOptions};
use crate::object::referenced::Pinned;
use crate::object::registry::{self, FileId};
use crate::object::state::{Objects, State};
use crate::store::direct::DirectBackend;
use crate::store::file::FileBackend;
use crate::store::lock::{self, LockPolicy};
use crate::store::map::MapBackend;
use crate::store::recover::{recover, Recovery};
use crate::store::ring::RingBackend;
use crate::store::{Backend, Store};

fn policy(locking: Locking) -> LockPolicy {
    match locking {
        Locking::Environment => LockPolicy::from_environment(),
        Locking::Off => LockPolicy::Off,
        Locking::On => LockPolicy::Required,
    }
}

/// Creates the file at `path`; an existing one is emptied after its lock was taken.
pub(super) fn create_path(path: &Path, options: &CreateOptions) -> Result<(Box<dyn Backend>, FileId)> {
    check_io(options.io, true)?;
    let mut how = OsFile::options();
    how.read(true).write(true);
    match options.exclusive {
        true => how.create_new(true),
        false => how.create(true).truncate(false),
    };
    let file = how.open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::Exists, format!("'{}' exists, and exclusive creation was asked for", path.display()))
        }
        _ => Error::io(format_args!("creating '{}'", path.display()), e),
    })?;
    lock::lock(&file, path, true, policy(options.locking))?;
    let failed = |e| Error::io(format_args!("emptying '{}'", path.display()), e);
    // Only what is not empty: ext4 takes even an idle cut to nothing for the replacing of a file, and writes such a
    // file's data out when it is closed, which makes the close wait.
    let metadata = file.metadata().map_err(failed)?;
    if metadata.len() > 0 {
        file.set_len(0).map_err(failed)?;
    }
    Ok((backend(file, options.io, true), registry::id(&metadata)))
}

/// Fails, before anything is done to a file, where it cannot be reached so.
fn check_io(io: Io, writable: bool) -> Result<()> {
    match io {
        Io::Map if writable => {
            Err(Error::new(ErrorKind::Argument, "a file is mapped only to be read: open it with read_only"))
        }
        _ => Ok(()),
    }
}

/// The backend that was asked for, or the standard one where that cannot be had.
fn backend(file: OsFile, io: Io, writable: bool) -> Box<dyn Backend> {
    let standard = |(file, _)| -> Box<dyn Backend> { Box::new(FileBackend::new(file)) };
    match io {
        Io::Standard => Box::new(FileBackend::new(file)),
        Io::Map => MapBackend::new(file).map_or_else(standard, |mapped| Box::new(mapped)),
        Io::Direct => DirectBackend::new(file, writable).map_or_else(standard, |direct| Box::new(direct)),
        Io::Ring => RingBackend::new(file).map_or_else(standard, |ring| Box::new(ring)),
    }
}

/// Has the folder's entry of a new file reach the device: without it the file may be gone after a power loss.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = OsFile::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|e| Error::io(format_args!("waiting for the folder of '{}'", path.display()), e))
}

/// Opens the file at `path`.
pub(super) fn open_path(path: &Path, options: &OpenOptions) -> Result<(Box<dyn Backend>, FileId)> {
    check_io(options.io, !options.read_only)?;
    let failed = |e| Error::io(format_args!("opening '{}'", path.display()), e);
    let file = OsFile::options().read(true).write(!options.read_only).open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::NotHdf5, format!("'{}' is a directory", path.display())));
    }
    lock::lock(&file, path, !options.read_only, policy(options.locking))?;
    Ok((backend(file, options.io, !options.read_only), registry::id(&metadata)))
}

/// The state of a new file with an empty root group; nothing is written yet.
fn create(backend: Box<dyn Backend>, options: &CreateOptions) -> Result<State> {
    let version = match options.format {
        FormatVersion::V18 => 2,
        FormatVersion::V110 => 3,
    };
    let mut superblock = Superblock::new(version);
    let mut store = Store::new(backend, Sizes::EIGHT, 0, superblock.end, false)?;
    store.set_cache_bound(options.cache_bytes);
    store.set_durability(options.durability);
    store.has_collections = false;
    let root = group::create_unlinked(&mut store, &options.root)?;
    superblock.root = root.header.address();
    let mut objects = Objects::default();
    let slot = objects.add(root);
    objects.mark(slot)?;
    Ok(state(store, superblock, objects, FreeSpace::new(), Recovery::Nothing))
}

/// The same, written.
pub(super) fn create_flushed(backend: Box<dyn Backend>, options: &CreateOptions) -> Result<State> {
    let mut state = create(backend, options)?;
    state.flush()?;
    Ok(state)
}

fn state(
    mut store: Store,
    superblock: Superblock,
    objects: Objects,
    free_space: FreeSpace,
    recovery: Recovery,
) -> State {
    if let Some(old) = &superblock.old {
        store.set_k(old.k);
    }
    let maintenance = Maintenance::new();
    let heap = GlobalHeap::default();
    let (pinned, scratch) = (Pinned::default(), Vec::new());
    State { store, superblock, objects, maintenance, free_space, heap, pinned, scratch, recovery, open: true }
}

/// Finds and reads the superblock.
pub(super) fn superblock(backend: &mut dyn Backend) -> Result<Superblock> {
    let length = backend.len().map_err(|e| Error::io("asking for the file's length", e))?;
    Superblock::locate(length, |position, buffer| {
        backend.read_at(buffer, position).map_err(|e| Error::io("reading the superblock", e))
    })
}

/// A state for the checker, of which nothing but the superblock is known to be readable; and what is missing where the
/// file is too short.
pub(super) fn for_check(
    backend: Box<dyn Backend>,
    superblock: Superblock,
    read_only: bool,
) -> Result<(State, Option<String>)> {
    let (mut backend, superblock, recovery) = recover(backend, superblock, read_only)?;
    let length = backend.len().map_err(|e| Error::io("asking for the file's length", e))?;
    let truncated = missing(&superblock, length);
    // What is not there is outside the file: sizes are checked against what can be read.
    let end = superblock.end.min(length.saturating_sub(superblock.base));
    let store = Store::new(backend, superblock.sizes, superblock.base, end, read_only)?;
    Ok((state(store, superblock, Objects::default(), FreeSpace::unread(), recovery), truncated))
}

fn missing(superblock: &Superblock, length: u64) -> Option<String> {
    let claimed = superblock.base.saturating_add(superblock.end);
    let message = || format!("the file is truncated: its superblock says {claimed} bytes, it has {length}");
    (length < claimed).then(message)
}

/// The state of an existing file.
pub(super) fn open(mut backend: Box<dyn Backend>, options: &OpenOptions) -> Result<State> {
    let superblock = superblock(&mut *backend)?;
    check_flags(&superblock)?;
    let (mut backend, superblock, recovery) = recover(backend, superblock, options.read_only)?;
    let length = backend.len().map_err(|e| Error::io("asking for the file's length", e))?;
    if let Some(message) = missing(&superblock, length) {
        return Err(Error::new(ErrorKind::Corrupt, message));
    }
    let mut store = Store::new(backend, superblock.sizes, superblock.base, superblock.end, options.read_only)?;
    store.set_cache_bound(options.cache_bytes);
    store.set_durability(options.durability);
    let free_space = if options.read_only { FreeSpace::unread() } else { FreeSpace::unknown() };
    let mut state = state(store, superblock, Objects::default(), free_space, recovery);
    if state.superblock.extension != UNDEFINED {
        open_extension(&mut state)?;
    }
    let root = state.superblock.root;
    let slot = state.load(root)?;
    state.objects.get(slot)?.group(&mut state.store).map_err(|e| e.within("opening the root group"))?;
    Ok(state)
}

fn check_flags(superblock: &Superblock) -> Result<()> {
    if superblock.version >= 3 && superblock.flags & (OPEN_FOR_WRITE | OPEN_FOR_SWMR) != 0 {
        return Err(Error::new(
            ErrorKind::Locked,
            "the file's consistency flag says that it is open for writing: close the writer, or, if that crashed, \
             clear the flag with 'h5clear -s' and check the contents",
        ));
    }
    Ok(())
}

/// Looks at what the superblock extension says about writing.
fn open_extension(state: &mut State) -> Result<()> {
    let writable = !state.store.read_only();
    let address = state.superblock.extension;
    let header = ObjectHeader::open(&mut state.store, address)?;
    if header.find(kind::CACHE_IMAGE).is_some() {
        return Err(Error::unsupported("a file with a metadata cache image"));
    }
    if header.find(kind::DRIVER_INFO).is_some() {
        return Err(Error::unsupported("a file that is one of several (family or multi driver)"));
    }
    if let Some(index) = header.find(kind::BTREE_K) {
        let k = BTreeK::decode(header.body(&mut state.store, index)?)?;
        state.store.set_k(k);
    }
    if let Some(index) = header.find(kind::SHARED_MESSAGE_TABLE) {
        let sizes = state.store.sizes();
        let table = SharedMessageTable::decode(header.body(&mut state.store, index)?, sizes)?;
        state.store.shared_mut().table = Some(table);
    }
    if let Some(index) = header.find(kind::FILE_SPACE_INFO).filter(|_| writable) {
        state.free_space = FreeSpace::open(&mut state.store, &header, index)?;
    }
    Ok(())
}
