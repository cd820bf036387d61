//! What the fuzz targets and `tests/hostile.rs` do with bytes that may be anything: decode them, open and walk them as a
//! file, and work on them. Whatever they are, the outcome is a value or an error: no panic, no hang, no unbounded memory.

pub mod decoders;
pub mod operations;
pub mod seal;
pub mod walk;
