//! What the chunks of a new dataset are to be.

use super::allocate::Blanks;
use super::create::{DatasetOptions, NewFilter, NewLayout};
use crate::chunk::{self, Chunks};
use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::format::filter::{self, Elements, DEFLATE, FLETCHER32, MAX_LEVEL, OPTIONAL, SHUFFLE};
use crate::format::message::datatype as message;
use crate::format::message::fill::AllocationTime;
use crate::format::message::filter_pipeline::{Filter, FIRST_NAMED, MAX_FILTERS};
use crate::format::message::layout::{ChunkIndex, Chunked};
use crate::format::UNDEFINED;

/// The bytes of a chunk that libhdf5 takes.
pub(super) const MAX_BYTES: u64 = u32::MAX as u64;

/// Layout flag: the only chunk is filtered.
const SINGLE_FILTERED: u8 = 2;

/// Layout and filters.
#[derive(Debug, Clone)]
pub(super) struct NewChunks {
    pub layout: Chunked,
    pub filters: Vec<Filter>,
    /// As in [`ChunkWork`](super::chunked::ChunkWork).
    pub blanks: Blanks,
}

/// Checks the options; none when the dataset is not chunked.
pub(super) fn plan(datatype: &Datatype, dims: &[u64], options: &DatasetOptions) -> Result<Option<NewChunks>> {
    let filters = match options.filters.is_empty() {
        true => filters(datatype, options)?,
        false => numbered(datatype, options)?,
    };
    let argument = |message: String| Err(Error::new(ErrorKind::Argument, message));
    if options.layout != NewLayout::Chunked {
        return match (&options.chunk, filters.first()) {
            (Some(_), _) => argument("chunk dimensions are for the chunked layout, which was not chosen".into()),
            (_, Some(first)) => argument(format!("the filter {} needs the chunked layout", filter::name(first))),
            _ => Ok(None),
        };
    }
    let Some(chunk) = &options.chunk else { return argument("the chunked layout needs chunk dimensions".into()) };
    if options.null || dims.is_empty() || chunk.len() != dims.len() {
        return argument(format!("chunk dimensions {chunk:?} do not go with the dimensions {dims:?}"));
    }
    let is_early = options.allocation == AllocationTime::Early;
    let max_dims = options.max_dims.as_deref().unwrap_or(dims);
    for (&chunk, &max) in chunk.iter().zip(max_dims) {
        if chunk == 0 || chunk > max.max(1) || chunk > MAX_BYTES {
            return Err(Error::range("chunk dimension", chunk, format_args!("1..{}", max.clamp(1, MAX_BYTES))));
        }
    }
    let element_size = datatype.size() as u64;
    let index = chunk::choose(dims, max_dims, chunk, !filters.is_empty(), is_early);
    let is_single = matches!(index, ChunkIndex::Single { filtered: Some(_) });
    let flags = if is_single { SINGLE_FILTERED } else { 0 };
    let layout = Chunked { version: 4, flags, dims: chunk.clone(), element_size, index, address: UNDEFINED };
    match layout.chunk_bytes() {
        Some(bytes) if bytes <= MAX_BYTES => {
            let chunks = Chunks { layout: &layout, dims, max_dims };
            if layout.index == ChunkIndex::Implicit && chunks.implicit_bytes().is_err() {
                let message =
                    format!("all chunks of a dataset of at most {max_dims:?} elements are larger than a file can be");
                return Err(Error::new(ErrorKind::Limit, message));
            }
            Ok(Some(NewChunks { layout, filters, blanks: Blanks::default() }))
        }
        _ => Err(Error::range("size of a chunk", format_args!("{chunk:?}"), format_args!("1..{MAX_BYTES} bytes"))),
    }
}

/// Filters that are given by number.
fn numbered(datatype: &Datatype, options: &DatasetOptions) -> Result<Vec<Filter>> {
    if options.shuffle || options.deflate.is_some() || options.fletcher32 {
        let message =
            "filters are given by number, and shuffle, deflate or fletcher32 apart: put them in the list, too";
        return Err(Error::new(ErrorKind::Argument, message));
    }
    if options.filters.len() > MAX_FILTERS {
        return Err(Error::range("number of filters", options.filters.len(), format_args!("0..{MAX_FILTERS}")));
    }
    let description = message::Datatype::decode(&datatype.to_message())?;
    let chunk = options.chunk.as_deref().unwrap_or_default();
    let elements = Elements { datatype: &description, chunk, fill: &options.fill };
    let filter = |new: &NewFilter| {
        let client_data = filter::complete(new.id, &new.parameters, &elements)?;
        let flags = if new.optional { OPTIONAL } else { 0 };
        let name = if new.id < FIRST_NAMED { String::new() } else { filter::new_name(new.id) };
        Ok(Filter { id: new.id, flags, name: name.into_bytes(), client_data })
    };
    let filters = options.filters.iter().map(filter).collect::<Result<Vec<Filter>>>()?;
    filter::check_writable(&filters, true)?;
    match filters.iter().find(|filter| filter.id == DEFLATE && !(1..=MAX_LEVEL).contains(&filter.client_data[0])) {
        Some(filter) => Err(Error::range("deflate level", filter.client_data[0], format_args!("1..{MAX_LEVEL}"))),
        None => Ok(filters),
    }
}

/// The filters, in the order in which they are applied.
fn filters(datatype: &Datatype, options: &DatasetOptions) -> Result<Vec<Filter>> {
    let mut filters = Vec::new();
    let mut add = |id, flags, client_data| filters.push(Filter { id, flags, name: Vec::new(), client_data });
    if options.shuffle {
        add(SHUFFLE, OPTIONAL, vec![datatype.size() as u32]);
    }
    if let Some(level) = options.deflate {
        if !(1..=MAX_LEVEL).contains(&level) {
            return Err(Error::range("deflate level", level, format_args!("1..{MAX_LEVEL}")));
        }
        add(DEFLATE, OPTIONAL, vec![level]);
    }
    if options.fletcher32 {
        add(FLETCHER32, 0, Vec::new());
    }
    Ok(filters)
}
