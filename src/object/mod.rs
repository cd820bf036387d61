//! Files, groups, datasets, attributes and links as a user sees them: the Rust face of the library.
//!
//! [`File`] and [`Object`] are cheap to clone and may be used from any thread; one lock per file orders their calls,
//! and no callback runs while it is held.

mod attribute;
mod attribute_compact;
mod attribute_copy;
mod attribute_face;
mod attribute_lost;
mod attribute_records;
mod attribute_rename;
mod bridge;
pub mod check;
mod committed;
mod copy;
pub mod dataset;
mod dense;
mod dense_shared;
mod elements;
mod elements_called;
mod extents;
#[cfg(test)]
mod extents_tests;
mod face;
mod few;
mod file;
mod free_space;
mod global_heap;
mod group;
pub mod header;
mod header_moves;
mod info;
#[cfg(test)]
mod latch_tests;
mod link;
mod link_copy;
mod link_face;
mod link_filters;
mod link_turn;
mod maintain;
mod open;
pub mod options;
mod outside;
mod path;
mod progress;
mod reference;
mod referenced;
mod registry;
mod search;
mod sink;
mod state;
mod summary;
mod sweep;
mod symbol_table;
mod trim;
mod value;
mod value_moves;
mod visit;
mod walk;
mod walk_shared;
mod workers;

use std::fmt;

pub use copy::CopyOptions;
pub use extents::Purpose;
pub use face::{Object, VariableFill};
pub use file::File;
pub use info::{ObjectInfo, ObjectTimes};
pub use link::LinkTarget;
pub use link_face::LinkInfo;
pub use options::{CreateOptions, Durability, FormatVersion, GroupOptions, Io, Locking, OpenOptions, Order, Phase};
pub use progress::Progress;
pub use reference::Referred;
pub use value::AttributeInfo;

use crate::error::{Error, Result};
use crate::format::message::kind;
use header::ObjectHeader;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// Holds links.
    Group,
    /// Holds an array of elements.
    Dataset,
    /// A committed datatype.
    NamedType,
}

impl ObjectKind {
    /// What the object with this header is: told by the messages that it carries.
    fn of(header: &ObjectHeader) -> Result<Self> {
        let has = |kind| header.find(kind).is_some();
        if has(kind::LINK_INFO) || has(kind::SYMBOL_TABLE) {
            Ok(ObjectKind::Group)
        } else if has(kind::DATASPACE) && has(kind::LAYOUT) {
            Ok(ObjectKind::Dataset)
        } else if has(kind::DATATYPE) {
            Ok(ObjectKind::NamedType)
        } else {
            Err(Error::corrupt("object header", header.address(), "its messages make no group, dataset or datatype"))
        }
    }
}

/// Now, as object headers store it: seconds since 1970.
fn header_time() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs() as u32)
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ObjectKind::Group => "group",
            ObjectKind::Dataset => "dataset",
            ObjectKind::NamedType => "committed datatype",
        })
    }
}
