//! What a caller can choose when creating or opening. Range checks are here, so that every face of the library shares
//! them.

use crate::error::{Error, Result};
pub use crate::store::Durability;

/// The most threads that can be asked for.
pub const MAX_THREADS: u32 = 1024;

/// Which libhdf5 versions can read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FormatVersion {
    /// Superblock 2: libhdf5 1.8 and later.
    V18,
    /// Superblock 3: libhdf5 1.10 and later.
    #[default]
    V110,
}

/// Whether an advisory lock is taken on the file, as libhdf5 does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locking {
    /// What the environment variable `HDF5_USE_FILE_LOCKING` says (`TRUE`, `FALSE`, `BEST_EFFORT`); best effort when it
    /// is not set: a file system without locks is no error.
    #[default]
    Environment,
    /// No lock.
    Off,
    /// A lock, or an error.
    On,
}

/// How the file's bytes are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Io {
    /// By the operating system's positioned reads and writes.
    #[default]
    Standard,
    /// Of a file that is only read: as memory. Where it cannot be mapped, as [`Io::Standard`].
    Map,
    /// Long transfers past the operating system's page cache, where the file system has that; all others as [`Io::Standard`].
    Direct,
    /// By io_uring where several transfers are to be done that do not depend on each other; all others, and where the kernel does
    /// not give it, as [`Io::Standard`].
    Ring,
}

/// Options of creating a file.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// Fail when the file exists, instead of replacing it.
    pub exclusive: bool,
    /// The oldest libhdf5 that shall read the file.
    pub format: FormatVersion,
    /// Advisory locking.
    pub locking: Locking,
    /// Bytes of clean metadata blocks kept in memory.
    pub cache_bytes: usize,
    /// What a flush survives.
    pub durability: Durability,
    /// Threads that encode and decode the chunks of one call, the calling one among them; 1: no others. 0: as many as this
    /// process has processors.
    pub threads: u32,
    /// How the file's bytes are reached; [`Io::Map`] is for opening.
    pub io: Io,
    /// Options of the root group.
    pub root: GroupOptions,
}

impl Default for CreateOptions {
    fn default() -> Self {
        CreateOptions {
            exclusive: false,
            format: FormatVersion::default(),
            locking: Locking::default(),
            cache_bytes: crate::store::DEFAULT_CACHE_BOUND,
            durability: Durability::default(),
            threads: 0,
            io: Io::default(),
            root: GroupOptions::default(),
        }
    }
}

impl CreateOptions {
    /// How the new file is open.
    pub(super) fn access(&self) -> OpenOptions {
        let CreateOptions { locking, cache_bytes, durability, threads, io, .. } = *self;
        OpenOptions { read_only: false, locking, cache_bytes, durability, threads, io }
    }
}

/// Options of opening a file.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Refuse every change.
    pub read_only: bool,
    /// Advisory locking.
    pub locking: Locking,
    /// Bytes of clean metadata blocks kept in memory.
    pub cache_bytes: usize,
    /// What a flush survives.
    pub durability: Durability,
    /// Threads that encode and decode the chunks of one call, the calling one among them; 1: no others. 0: as many as this
    /// process has processors.
    pub threads: u32,
    /// How the file's bytes are reached; [`Io::Map`] needs `read_only`.
    pub io: Io,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions {
            read_only: false,
            locking: Locking::default(),
            cache_bytes: crate::store::DEFAULT_CACHE_BOUND,
            durability: Durability::default(),
            threads: 0,
            io: Io::default(),
        }
    }
}

/// When a collection goes from compact to dense storage and back, and whether it knows its creation order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// The most that are kept in the object header; one more makes them dense.
    pub max_compact: u16,
    /// Fewer than this and rebalancing brings them back to the object header; closing, and rebalancing on demand, up to
    /// `max_compact`.
    pub min_dense: u16,
    /// Creation order is recorded.
    pub track_order: bool,
    /// Creation order has an index of its own (needs `track_order`).
    pub index_order: bool,
}

impl Default for Phase {
    fn default() -> Self {
        Phase { max_compact: 8, min_dense: 6, track_order: false, index_order: false }
    }
}

/// More than this are not brought back at once: each makes the header longer.
const MOST_FITTING: u16 = 512;

/// How many members may stand in an object header.
pub type Most = fn(&Phase) -> u64;

impl Phase {
    /// So many at most are brought back into the object header by a sweep.
    pub fn few(&self) -> u64 {
        u64::from(self.min_dense).saturating_sub(1)
    }

    /// So many at most when a file closes or is rebalanced on demand: what would stand there in a new file.
    pub fn fitting(&self) -> u64 {
        self.few().max(self.max_compact.min(MOST_FITTING).into())
    }

    /// Checks what libhdf5 checks: `min_dense ≤ max_compact`, an index only with tracking.
    pub fn check(&self, what: &str) -> Result<()> {
        if self.min_dense > self.max_compact {
            return Err(Error::range(
                &format!("{what} min_dense"),
                self.min_dense,
                format_args!("0..={} (max_compact)", self.max_compact),
            ));
        }
        if self.index_order && !self.track_order {
            return Err(Error::range(
                &format!("{what} creation-order indexing"),
                "on",
                "what is possible: it needs creation-order tracking",
            ));
        }
        Ok(())
    }
}

/// Options of creating a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupOptions {
    /// How the group's links are stored.
    pub links: Phase,
    /// How the group's attributes are stored.
    pub attributes: Phase,
}

/// The order in which attributes or links are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they are stored; the fastest.
    Native,
    /// By name, ascending bytes.
    Name,
    /// By name, descending.
    NameReverse,
    /// By creation; an error where creation order is not tracked.
    Creation,
    /// By creation, the last first.
    CreationReverse,
}
