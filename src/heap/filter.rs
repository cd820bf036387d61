//! Filtered heaps, for reading.

use crate::error::{Error, Result};
use crate::format::filter;
use crate::format::message::filter_pipeline;

const WHAT: &str = "filtered fractal heap block";

/// Undoes the filters of `pipeline` that `mask` does not say were skipped; `size` bytes are to come out.
pub(super) fn decode(pipeline: &[u8], mask: u32, bytes: &[u8], size: u64, address: u64) -> Result<Vec<u8>> {
    let filters = filter_pipeline::decode(pipeline)?;
    let size = usize::try_from(size).map_err(|_| Error::corrupt(WHAT, address, format_args!("{size} bytes")))?;
    filter::decode(&filters, mask, bytes, size, WHAT, address)
}
