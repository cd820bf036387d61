//! What the messages of an object header say (specification, "Disk Format: Level 2A2 - Data Object Header Messages"):
//! one module per message, decoding every version and encoding the one that libhdf5 1.8 reads.
//!
//! A message of a type that is not listed here is kept as its raw bytes. So is one whose flags say that it is shared:
//! its body is a [`shared::Shared`].

pub mod attribute;
pub mod attribute_info;
pub mod dataspace;
pub mod datatype;
mod datatype_decode;
mod datatype_encode;
pub mod external_files;
pub mod file_space;
pub mod fill;
pub mod filter_pipeline;
pub mod group_info;
pub mod layout;
pub mod link;
pub mod link_info;
pub mod plain;
pub mod shared;

/// Message types.
pub mod kind {
    /// Free space between messages.
    pub const NIL: u8 = 0x00;
    /// [`super::dataspace`]
    pub const DATASPACE: u8 = 0x01;
    /// [`super::link_info`]
    pub const LINK_INFO: u8 = 0x02;
    /// [`super::datatype`]
    pub const DATATYPE: u8 = 0x03;
    /// [`super::fill`], the old form.
    pub const FILL_OLD: u8 = 0x04;
    /// [`super::fill`]
    pub const FILL: u8 = 0x05;
    /// [`super::link`]
    pub const LINK: u8 = 0x06;
    /// [`super::external_files`]
    pub const EXTERNAL_FILES: u8 = 0x07;
    /// [`super::layout`]
    pub const LAYOUT: u8 = 0x08;
    /// Only for libhdf5's own tests.
    pub const BOGUS: u8 = 0x09;
    /// [`super::group_info`]
    pub const GROUP_INFO: u8 = 0x0a;
    /// [`super::filter_pipeline`]
    pub const FILTER_PIPELINE: u8 = 0x0b;
    /// [`super::attribute`]
    pub const ATTRIBUTE: u8 = 0x0c;
    /// An object comment: a NUL-terminated string.
    pub const COMMENT: u8 = 0x0d;
    /// The modification time as text, from before 1.6.
    pub const MODIFICATION_TIME_OLD: u8 = 0x0e;
    /// [`super::plain::SharedMessageTable`]
    pub const SHARED_MESSAGE_TABLE: u8 = 0x0f;
    /// [`super::plain::Continuation`]
    pub const CONTINUATION: u8 = 0x10;
    /// The symbol table of an old group.
    pub const SYMBOL_TABLE: u8 = 0x11;
    /// [`super::plain::modification_time`]
    pub const MODIFICATION_TIME: u8 = 0x12;
    /// [`super::plain::BTreeK`]
    pub const BTREE_K: u8 = 0x13;
    /// [`super::plain::DriverInfo`]
    pub const DRIVER_INFO: u8 = 0x14;
    /// [`super::attribute_info`]
    pub const ATTRIBUTE_INFO: u8 = 0x15;
    /// [`super::plain::reference_count`]
    pub const REFERENCE_COUNT: u8 = 0x16;
    /// [`super::file_space`]
    pub const FILE_SPACE_INFO: u8 = 0x17;
    /// Where libhdf5 has put an image of its metadata cache.
    pub const CACHE_IMAGE: u8 = 0x18;

    /// Whether the type is defined by the specification.
    pub fn is_known(kind: u8) -> bool {
        kind <= CACHE_IMAGE && kind != BOGUS
    }
}
