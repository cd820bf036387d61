//! h5r: HDF5 files that survive crashes, keep their indexes tight, and shrink when you delete.
//!
//! The layers, one way down: [`ffi`] (the C ABI) → `object` (file, group, dataset, attribute) → `rebalance` →
//! `btree`, `heap`, `chunk` → [`store`] (blocks, space, flush) → [`format`] (bytes and structs).

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

pub mod btree;
pub mod chunk;
pub mod datatype;
pub mod error;
pub mod ffi;
pub mod format;
pub mod heap;
pub mod object;
pub mod rebalance;
pub mod store;

#[cfg(test)]
#[path = "../tests/common/random.rs"]
mod random;
