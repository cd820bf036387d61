//! Bytes to structs and back, by the chapters of the HDF5 File Format Specification 3.0. No I/O, no lock, no clock.
//!
//! Every decoder takes a slice that may be hostile: lengths, counts and versions are checked before they are used.

pub mod btree1;
pub mod btree2;
pub mod checksum;
pub mod codec;
pub mod doubling_table;
pub mod extensible_array;
pub mod filter;
pub mod fixed_array;
pub mod fractal_heap;
pub mod free_space;
pub mod global_heap;
pub mod group_tree;
pub mod header;
pub mod local_heap;
pub mod message;
pub mod reference;
pub mod selection;
pub mod shared_table;
pub mod superblock;
pub mod symbol_table;
pub mod virtual_mapping;

/// The undefined address: all bits set, whatever the file's size of offsets.
pub const UNDEFINED: u64 = u64::MAX;

/// The superblock's size of offsets and size of lengths, in bytes (2, 4 or 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of a file address.
    pub offset: u8,
    /// Bytes of an object's length.
    pub length: u8,
}

impl Sizes {
    /// What h5r writes: 8-byte addresses and lengths.
    pub const EIGHT: Sizes = Sizes { offset: 8, length: 8 };

    /// The largest length that the file can say.
    pub fn most_length(self) -> u64 {
        u64::MAX >> (64 - 8 * u32::from(self.length.min(8)))
    }

    /// Where the file can end at most: no address has all bits set.
    pub fn most_end(self) -> u64 {
        (u64::MAX >> (64 - 8 * u32::from(self.offset.min(8)))) - 1
    }
}
