//! The C ABI: one file per C type. All casts, `catch_unwind` and the handle table live here; everything else is
//! [`crate::object`].
//!
//! Every function follows one pattern: `guard` clears this thread's last error, looks the handle up, catches panics and
//! turns the error into a status. Pointers from C are read in `input` only.

#![allow(non_camel_case_types, clippy::missing_safety_doc)]

mod attribute;
mod callback;
mod check;
mod chunk;
mod copy;
mod dataset;
mod file;
mod filter;
mod guard;
mod handle;
mod input;
mod last_error;
mod link;
mod object;
mod options;
mod parts;
mod rebalance;
mod reference;
mod status;
mod table;
mod type_info;
mod type_make;
mod types;
mod vlen;

pub use attribute::*;
pub use check::*;
pub use chunk::*;
pub use copy::*;
pub use dataset::*;
pub use file::*;
pub use filter::*;
pub use handle::{h5r_file, h5r_object};
pub use last_error::{h5r_last_error, h5r_set_last_error};
pub use link::*;
pub use object::*;
pub use options::*;
pub use parts::*;
pub use rebalance::*;
pub use reference::*;
pub use status::*;
pub use type_info::*;
pub use type_make::*;
pub use types::*;
pub use vlen::*;
