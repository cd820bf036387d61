//! The parameters of new filters, which say what a chunk is made of.

use super::{nbit, scale_offset, szip, DEFLATE, LZF, NBIT, SCALE_OFFSET, SHUFFLE, SZIP};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::format::message::fill::Fill;
use crate::format::message::filter_pipeline::Filter;

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

/// What Blosc takes for the size of an element, as the plugin for libhdf5 has it: an array's elements are those of its base.
#[cfg(feature = "blosc")]
fn blosc_size(datatype: &Datatype) -> u32 {
    let size = match &datatype.class {
        crate::format::message::datatype::Class::Array { base, .. } => base.size,
        _ => datatype.size,
    };
    if size > 255 {
        1
    } else {
        size
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
            let bytes = elements.count().saturating_mul(datatype.size);
            let own = [2, super::blosc::FORMAT, blosc_size(datatype), bytes];
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

/// Makes a stored filter's parameters those for elements of another size.
pub fn resize(filter: &mut Filter, datatype: &Datatype, chunk: &[u64]) -> Result<()> {
    let count = Elements { datatype, chunk, fill: &Fill::Default }.count();
    let (size, bytes) = (datatype.size, count.saturating_mul(datatype.size));
    let at: &[(usize, u32)] = match filter.id {
        SHUFFLE => &[(0, size)],
        LZF => &[(2, bytes)],
        #[cfg(feature = "blosc")]
        super::BLOSC => &[(2, blosc_size(datatype)), (3, bytes)],
        #[cfg(feature = "bitshuffle")]
        super::BITSHUFFLE => &[(2, size)],
        SZIP => &[(2, size.saturating_mul(8))],
        NBIT => {
            let unsupported = |what| Error::unsupported(format_args!("the filter {NBIT} (nbit) for {what}"));
            filter.client_data = nbit::parameters(datatype, count).map_err(unsupported)?;
            &[]
        }
        _ => &[],
    };
    for &(index, value) in at {
        if let Some(parameter) = filter.client_data.get_mut(index) {
            *parameter = value;
        }
    }
    Ok(())
}
