//! The parameters of new filters, which say what a chunk is made of.

use super::{nbit, scale_offset, szip, DEFLATE, LZF, NBIT, SCALE_OFFSET, SHUFFLE, SZIP};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::format::message::fill::Fill;

/// What a filter's parameters may depend on.
pub struct Elements<'a> {
    /// The type of an element.
    pub datatype: &'a Datatype,
    /// The dimensions of a chunk.
    pub chunk: &'a [u64],
    /// What an unwritten element is.
    pub fill: &'a Fill,
}

impl Elements<'_> {
    /// Elements of a chunk.
    fn count(&self) -> u32 {
        let count = self.chunk.iter().try_fold(1u64, |count, &dim| count.checked_mul(dim));
        count.and_then(|count| u32::try_from(count).ok()).unwrap_or(u32::MAX)
    }
}

/// The parameters that the filter `id` is stored with, of those that the user gave.
pub fn complete(id: u16, given: &[u32], elements: &Elements<'_>) -> Result<Vec<u32>> {
    let Elements { datatype, chunk, fill } = elements;
    let unsupported = |what| Error::unsupported(format_args!("the filter {id} ({}) for {what}", super::known_name(id)));
    match (id, given) {
        (SHUFFLE, []) => Ok(vec![datatype.size]),
        (DEFLATE, []) => Ok(vec![6]),
        // As h5py's filter does it: the filter's version, the library's, and the bytes of a chunk.
        (LZF, []) => Ok(vec![4, 0x0105, elements.count().saturating_mul(datatype.size)]),
        (SZIP, _) => szip::parameters(given, datatype, chunk).map_err(unsupported),
        #[cfg(feature = "blosc")]
        (super::BLOSC, _) => {
            // As the plugin for libhdf5 does it: an array's elements are those of its base.
            let size = match &datatype.class {
                crate::format::message::datatype::Class::Array { base, .. } => base.size,
                _ => datatype.size,
            };
            let own = [
                2,
                super::blosc::FORMAT,
                if size > 255 { 1 } else { size },
                elements.count().saturating_mul(datatype.size),
            ];
            let given = if given.is_empty() { &[0, 0, 0, 0, 5, 1, 0] } else { given };
            Ok(own.iter().chain(given.iter().skip(own.len())).copied().collect())
        }
        #[cfg(feature = "bitshuffle")]
        (super::BITSHUFFLE, _) => {
            let [major, minor] = super::bitshuffle::VERSION;
            let given = if given.is_empty() { &[0, 2] } else { given };
            Ok([major, minor, datatype.size].iter().chain(given).copied().collect())
        }
        (NBIT, []) => nbit::parameters(datatype, elements.count()).map_err(unsupported),
        (NBIT, _) => Err(Error::range("number of n-bit parameters", given.len(), "0..0: the type says all")),
        (SCALE_OFFSET, _) => scale_offset::parameters(given, datatype, elements.count(), fill).map_err(unsupported),
        _ => Ok(given.to_vec()),
    }
}
