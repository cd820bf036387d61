//! Option structs whose first field says how long the caller's is, and the options of creating and opening.

use std::fmt::Display;
use std::mem::{offset_of, size_of};
use std::ptr::NonNull;
use std::slice;

use crate::error::{Error, ErrorKind, Result};
use crate::object::options::{
    CreateOptions, Durability, FormatVersion, GroupOptions, Io, Locking, OpenOptions, Order, Phase, MAX_THREADS,
};

/// The new file can be read by libhdf5 1.8 and later.
pub const H5R_FORMAT_V18: i32 = 0;
/// The new file can be read by libhdf5 1.10 and later; the default.
pub const H5R_FORMAT_V110: i32 = 1;

/// What the environment variable HDF5_USE_FILE_LOCKING says (TRUE, FALSE, BEST_EFFORT), as libhdf5 does; best effort
/// where it is not set. The default.
pub const H5R_LOCKING_ENVIRONMENT: i32 = 0;
/// No advisory lock.
pub const H5R_LOCKING_OFF: i32 = 1;
/// An advisory lock, or an error.
pub const H5R_LOCKING_ON: i32 = 2;

/// A process that is killed at any instant leaves the last flushed state, or the one that was being flushed. The default.
pub const H5R_DURABILITY_PROCESS: i32 = 0;
/// The same when the power is lost: flushing waits for the device (fdatasync) between its steps.
pub const H5R_DURABILITY_POWER: i32 = 1;
/// A crash during a flush can leave a file that cannot be read, as with libhdf5. The fastest.
pub const H5R_DURABILITY_NONE: i32 = 2;

/// Creation order is not recorded; the default.
pub const H5R_CREATION_ORDER_NONE: i32 = 0;
/// Creation order is recorded.
pub const H5R_CREATION_ORDER_TRACKED: i32 = 1;
/// Creation order is recorded and indexed.
pub const H5R_CREATION_ORDER_INDEXED: i32 = 2;

/// Iterate as stored; the fastest.
pub const H5R_ORDER_NATIVE: i32 = 0;
/// Iterate by name, ascending bytes.
pub const H5R_ORDER_NAME: i32 = 1;
/// Iterate by name, descending.
pub const H5R_ORDER_NAME_REVERSE: i32 = 2;
/// Iterate by creation; an error where creation order is not recorded.
pub const H5R_ORDER_CREATION: i32 = 3;
/// Iterate by creation, the last first.
pub const H5R_ORDER_CREATION_REVERSE: i32 = 4;

/// The file is read and written by the operating system's calls; the default.
pub const H5R_IO_STANDARD: i32 = 0;
/// A file that is opened with read_only is read as memory; where it cannot be mapped, as with H5R_IO_STANDARD. A process that cuts
/// the file meanwhile ends this one (SIGBUS), so this is for files that are locked, or that nobody changes.
pub const H5R_IO_MMAP: i32 = 1;
/// Transfers of 1 MiB and more of raw data go past the operating system's page cache (O_DIRECT), where the file system has that;
/// all others as with H5R_IO_STANDARD.
pub const H5R_IO_DIRECT: i32 = 2;
/// Transfers that do not depend on each other, such as those of a flush and of many chunks, go through io_uring, together; all
/// others, and where the kernel does not give it, as with H5R_IO_STANDARD.
pub const H5R_IO_URING: i32 = 3;

/// How an object's attributes, or a group's links, are stored.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_storage {
    /// The most that are kept in the object header; one more makes them dense. 0 to 65535, default 8.
    pub max_compact: u32,
    /// Fewer than this, and rebalancing brings them back into the object header (closing in other modes than none, and
    /// h5r_rebalance: max_compact of them or fewer). 0 to max_compact, default 6.
    pub min_dense: u32,
    /// H5R_CREATION_ORDER_NONE, _TRACKED or _INDEXED.
    pub creation_order: i32,
}

/// Options of h5r_create. Start from H5R_CREATE_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_create_options {
    /// sizeof(h5r_create_options), set by the INIT macro.
    pub struct_size: usize,
    /// Bytes of unchanged metadata kept in memory; default 64 MiB.
    pub cache_bytes: u64,
    /// 1: fail with H5R_ERR_EXISTS when the file exists. 0, the default: replace it.
    pub exclusive: i32,
    /// H5R_FORMAT_V110 (default) or H5R_FORMAT_V18.
    pub format: i32,
    /// H5R_LOCKING_ENVIRONMENT (default), _OFF or _ON.
    pub locking: i32,
    /// What a flush survives: H5R_DURABILITY_PROCESS (default), _POWER or _NONE.
    pub durability: i32,
    /// How the root group's links are stored.
    pub links: h5r_storage,
    /// How the root group's attributes are stored.
    pub attributes: h5r_storage,
    /// Threads that work on the chunks of one call, the calling one among them, at most 1024; 1: no others, 0, the default:
    /// as many as this process has processors. They end with the call.
    pub threads: u32,
    /// 0; for later use.
    pub reserved: i32,
    /// H5R_IO_STANDARD (default), _DIRECT or _URING.
    pub io: i32,
    /// 0; for later use.
    pub reserved_2: i32,
}

/// Options of h5r_open. Start from H5R_OPEN_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_open_options {
    /// sizeof(h5r_open_options), set by the INIT macro.
    pub struct_size: usize,
    /// Bytes of unchanged metadata kept in memory; default 64 MiB.
    pub cache_bytes: u64,
    /// 1: refuse every change. 0, the default: open for reading and writing.
    pub read_only: i32,
    /// H5R_LOCKING_ENVIRONMENT (default), _OFF or _ON.
    pub locking: i32,
    /// What a flush survives: H5R_DURABILITY_PROCESS (default), _POWER or _NONE.
    pub durability: i32,
    /// 0; for later use.
    pub reserved: i32,
    /// Threads that work on the chunks of one call, the calling one among them, at most 1024; 1: no others, 0, the default:
    /// as many as this process has processors. They end with the call.
    pub threads: u32,
    /// 0; for later use.
    pub reserved_2: i32,
    /// H5R_IO_STANDARD (default), _MMAP (with read_only), _DIRECT or _URING.
    pub io: i32,
    /// 0; for later use.
    pub reserved_3: i32,
}

/// Options of h5r_group_create. Start from H5R_GROUP_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_group_options {
    /// sizeof(h5r_group_options), set by the INIT macro.
    pub struct_size: usize,
    /// How the group's links are stored.
    pub links: h5r_storage,
    /// How the group's attributes are stored.
    pub attributes: h5r_storage,
}

/// A C struct that begins with `struct_size`, has no padding, and for which any bits are valid.
///
/// # Safety
/// All of that, and `repr(C)`.
pub(super) unsafe trait Versioned: Copy {
    /// The C name without `h5r_`.
    const NAME: &'static str;
    /// The size in the first release; a shorter one was never valid.
    const FIRST_SIZE: usize;
    /// All defaults.
    const INIT: Self;
}

/// No caller's struct is longer; a larger size is not initialised.
const LONGEST: usize = 4096;

/// The caller's size of a versioned struct, checked.
///
/// # Safety
/// `given` points to a struct that begins with its size.
unsafe fn struct_size<T: Versioned>(given: *const T) -> Result<usize> {
    // SAFETY: as promised by the caller.
    let size = unsafe { given.cast::<usize>().read_unaligned() };
    if !(T::FIRST_SIZE..=LONGEST).contains(&size) {
        let name = T::NAME;
        let message = format!(
            "h5r_{name}.struct_size {size} is no size of this struct; initialise it with H5R_{}_INIT, which sets {}",
            name.to_uppercase(),
            size_of::<T>()
        );
        return Err(Error::new(ErrorKind::Argument, message));
    }
    Ok(size)
}

/// The caller's options, or all defaults for NULL. A longer struct of a newer header is accepted when what this
/// library does not know is zero.
///
/// # Safety
/// `given` is NULL or points to as many bytes as its first field says.
pub(super) unsafe fn read<T: Versioned>(given: *const T) -> Result<T> {
    let mut options = T::INIT;
    if given.is_null() {
        return Ok(options);
    }
    // SAFETY: as promised by the caller.
    let size = unsafe { struct_size(given)? };
    let known = size.min(size_of::<T>());
    // SAFETY: `size` bytes are readable, `known` of them fit, and any bits are valid.
    unsafe { given.cast::<u8>().copy_to_nonoverlapping((&raw mut options).cast(), known) };
    // SAFETY: as promised by the caller.
    let tail = unsafe { slice::from_raw_parts(given.cast::<u8>().add(known), size - known) };
    if let Some(set) = tail.iter().position(|&byte| byte != 0) {
        let message = format!(
            "h5r_{} has a value at offset {}, in a field that this version of h5r (up to offset {known}) does not know",
            T::NAME,
            known + set
        );
        return Err(Error::new(ErrorKind::Argument, message));
    }
    Ok(options)
}

/// Where a versioned struct goes: as much of it as the caller's has room for, its own size kept.
pub(super) struct OutStruct<T> {
    target: NonNull<T>,
    size: usize,
}

impl<T: Versioned> OutStruct<T> {
    pub fn set(self, value: T) {
        let length = self.size.min(size_of::<T>()) - size_of::<usize>();
        let from = (&raw const value).cast::<u8>().wrapping_add(size_of::<usize>());
        // SAFETY: `output` was promised that `size` bytes may be written; the first field is left as it is.
        unsafe { self.target.cast::<u8>().add(size_of::<usize>()).as_ptr().copy_from_nonoverlapping(from, length) };
    }
}

/// A versioned output that must be there, and initialised.
///
/// # Safety
/// `out` is NULL or points to as many writable bytes as its first field says.
pub(super) unsafe fn output<T: Versioned>(out: *mut T, what: &str) -> Result<OutStruct<T>> {
    let target = NonNull::new(out).ok_or_else(|| Error::new(ErrorKind::Argument, format!("{what} is NULL")))?;
    // SAFETY: as promised by the caller.
    Ok(OutStruct { target, size: unsafe { struct_size(out)? } })
}

pub(super) const STORAGE: h5r_storage =
    h5r_storage { max_compact: 8, min_dense: 6, creation_order: H5R_CREATION_ORDER_NONE };

/// As `store::DEFAULT_CACHE_BOUND`, which a test compares.
const CACHE_BYTES: u64 = 64 << 20;

// SAFETY: repr(C), integers only; the assertion below says that there is no padding.
unsafe impl Versioned for h5r_create_options {
    const NAME: &'static str = "create_options";
    const FIRST_SIZE: usize = 56;
    const INIT: Self = h5r_create_options {
        struct_size: size_of::<Self>(),
        cache_bytes: CACHE_BYTES,
        exclusive: 0,
        format: H5R_FORMAT_V110,
        locking: H5R_LOCKING_ENVIRONMENT,
        durability: H5R_DURABILITY_PROCESS,
        links: STORAGE,
        attributes: STORAGE,
        threads: 0,
        reserved: 0,
        io: H5R_IO_STANDARD,
        reserved_2: 0,
    };
}

// SAFETY: as above.
unsafe impl Versioned for h5r_open_options {
    const NAME: &'static str = "open_options";
    const FIRST_SIZE: usize = 24;
    const INIT: Self = h5r_open_options {
        struct_size: size_of::<Self>(),
        cache_bytes: CACHE_BYTES,
        read_only: 0,
        locking: H5R_LOCKING_ENVIRONMENT,
        durability: H5R_DURABILITY_PROCESS,
        reserved: 0,
        threads: 0,
        reserved_2: 0,
        io: H5R_IO_STANDARD,
        reserved_3: 0,
    };
}

// SAFETY: as above.
unsafe impl Versioned for h5r_group_options {
    const NAME: &'static str = "group_options";
    const FIRST_SIZE: usize = 32;
    const INIT: Self = h5r_group_options { struct_size: size_of::<Self>(), links: STORAGE, attributes: STORAGE };
}

const _: () = {
    assert!(size_of::<h5r_create_options>() == offset_of!(h5r_create_options, reserved_2) + 4);
    assert!(size_of::<h5r_open_options>() == offset_of!(h5r_open_options, reserved_3) + 4);
    assert!(size_of::<h5r_group_options>() == 8 + 2 * size_of::<h5r_storage>());
};

/// 0 or 1.
pub(super) fn flag(field: &str, value: i32) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::range(field, value, "0..1")),
    }
}

/// A field for later use.
pub(super) fn unused(field: &str, value: i32) -> Result<()> {
    match value {
        0 => Ok(()),
        _ => Err(Error::range(field, value, "0..0")),
    }
}

fn threads(value: u32) -> Result<u32> {
    match value {
        0..=MAX_THREADS => Ok(value),
        _ => Err(Error::range("threads", value, format_args!("0..{MAX_THREADS}"))),
    }
}

/// A value of an enumeration whose values count from 0.
pub(super) fn choice<T: Copy>(field: impl Display, value: i32, values: &[T]) -> Result<T> {
    let chosen = usize::try_from(value).ok().and_then(|i| values.get(i));
    chosen.copied().ok_or_else(|| Error::range(&field.to_string(), value, format_args!("0..{}", values.len() - 1)))
}

pub(super) fn order(value: i32) -> Result<Order> {
    let orders = [Order::Native, Order::Name, Order::NameReverse, Order::Creation, Order::CreationReverse];
    choice("order", value, &orders)
}

impl h5r_storage {
    pub(super) fn phase(&self, what: &str) -> Result<Phase> {
        let small = |field: &str, value: u32| {
            u16::try_from(value).map_err(|_| Error::range(&format!("{what}.{field}"), value, "0..65535"))
        };
        let tracking = [(false, false), (true, false), (true, true)];
        let (track_order, index_order) = choice(format_args!("{what}.creation_order"), self.creation_order, &tracking)?;
        let (max_compact, min_dense) = (small("max_compact", self.max_compact)?, small("min_dense", self.min_dense)?);
        let phase = Phase { max_compact, min_dense, track_order, index_order };
        phase.check(what)?;
        Ok(phase)
    }
}

pub(super) fn locking(value: i32) -> Result<Locking> {
    choice("locking", value, &[Locking::Environment, Locking::Off, Locking::On])
}

pub(super) fn durability(value: i32) -> Result<Durability> {
    choice("durability", value, &[Durability::Process, Durability::Power, Durability::None])
}

fn io(value: i32) -> Result<Io> {
    choice("io", value, &[Io::Standard, Io::Map, Io::Direct, Io::Ring])
}

fn cache_bytes(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl h5r_create_options {
    pub(super) fn checked(&self) -> Result<CreateOptions> {
        unused("reserved", self.reserved)?;
        unused("reserved_2", self.reserved_2)?;
        Ok(CreateOptions {
            exclusive: flag("exclusive", self.exclusive)?,
            format: choice("format", self.format, &[FormatVersion::V18, FormatVersion::V110])?,
            locking: locking(self.locking)?,
            cache_bytes: cache_bytes(self.cache_bytes),
            durability: durability(self.durability)?,
            root: GroupOptions { links: self.links.phase("links")?, attributes: self.attributes.phase("attributes")? },
            threads: threads(self.threads)?,
            io: io(self.io)?,
        })
    }
}

impl h5r_open_options {
    pub(super) fn checked(&self) -> Result<OpenOptions> {
        unused("reserved", self.reserved)?;
        unused("reserved_2", self.reserved_2)?;
        unused("reserved_3", self.reserved_3)?;
        Ok(OpenOptions {
            read_only: flag("read_only", self.read_only)?,
            locking: locking(self.locking)?,
            cache_bytes: cache_bytes(self.cache_bytes),
            durability: durability(self.durability)?,
            threads: threads(self.threads)?,
            io: io(self.io)?,
        })
    }
}

impl h5r_group_options {
    pub(super) fn checked(&self) -> Result<GroupOptions> {
        Ok(GroupOptions { links: self.links.phase("links")?, attributes: self.attributes.phase("attributes")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_engines() {
        let (ours, theirs) = (h5r_create_options::INIT.checked().unwrap(), CreateOptions::default());
        assert_eq!((ours.exclusive, ours.format, ours.locking), (theirs.exclusive, theirs.format, theirs.locking));
        assert_eq!((ours.cache_bytes, ours.root), (theirs.cache_bytes, theirs.root));
        assert_eq!((ours.durability, ours.threads, ours.io), (theirs.durability, theirs.threads, theirs.io));
        let (ours, theirs) = (h5r_open_options::INIT.checked().unwrap(), OpenOptions::default());
        let facts = |o: &OpenOptions| (o.read_only, o.locking, o.cache_bytes, o.durability, o.threads, o.io);
        assert_eq!(facts(&ours), facts(&theirs));
        assert_eq!(h5r_group_options::INIT.checked().unwrap(), GroupOptions::default());
    }

    #[test]
    fn sizes_and_tails() {
        #[repr(C)]
        struct Newer(h5r_group_options, [u64; 2]);
        let read = |newer: &Newer| unsafe { read((newer as *const Newer).cast::<h5r_group_options>()) }.map(|_| ());
        let mut newer = Newer(h5r_group_options::INIT, [0, 0]);
        newer.1[0] = 1;
        read(&newer).unwrap();
        newer.0.struct_size = size_of::<Newer>();
        let error = read(&newer).unwrap_err();
        assert!(error.message().contains("offset 32"), "{error}");
        newer.1[0] = 0;
        read(&newer).unwrap();
        for size in [0, 8, 31, LONGEST + 1, usize::MAX] {
            newer.0.struct_size = size;
            let error = read(&newer).unwrap_err();
            assert!(error.message().contains("H5R_GROUP_OPTIONS_INIT"), "{error}");
        }
    }

    #[test]
    fn values_are_checked() {
        let storage = |max_compact, min_dense, creation_order| {
            h5r_storage { max_compact, min_dense, creation_order }.phase("links").map_err(|e| e.message().to_owned())
        };
        assert!(storage(1, 1, 2).unwrap().index_order);
        // Neither h5r nor libhdf5 opens such an object again.
        assert!(storage(3, 4, 0).unwrap_err().contains("min_dense"));
        assert_eq!(storage(65536, 6, 0).unwrap_err(), "links.max_compact 65536 is outside 0..65535");
        assert_eq!(storage(8, 6, 3).unwrap_err(), "links.creation_order 3 is outside 0..2");
        assert!(storage(8, 10, 0).unwrap_err().contains("min_dense"));
        let error = h5r_open_options { locking: -1, ..h5r_open_options::INIT }.checked().unwrap_err();
        assert_eq!(error.message(), "locking -1 is outside 0..2");
        let error = h5r_open_options { durability: 3, ..h5r_open_options::INIT }.checked().unwrap_err();
        assert_eq!(error.message(), "durability 3 is outside 0..2");
        let error = h5r_create_options { threads: 1025, ..h5r_create_options::INIT }.checked().unwrap_err();
        assert_eq!(error.message(), "threads 1025 is outside 0..1024");
    }
}
