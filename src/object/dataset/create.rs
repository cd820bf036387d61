//! What a new dataset is to be, and the messages that say so.

use super::allocate::blanks;
use super::chunked::ChunkWork;
use super::chunks::{self, NewChunks};
use super::{DatasetState, Storage};
use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::format::codec::Writer;
use crate::format::filter::{self, Codec};
use crate::format::header::message_flag;
use crate::format::message::dataspace::{Dataspace, MAX_RANK};
use crate::format::message::fill::{AllocationTime, Fill, FillValue, WriteTime};
use crate::format::message::layout::{ChunkIndex, Layout};
use crate::format::message::shared::Shared;
use crate::format::message::{filter_pipeline, kind};
use crate::format::UNDEFINED;
use crate::object::header::NewMessage;
use crate::object::options::Phase;
use crate::store::Store;

/// The most bytes of a compact dataset: a message's, less the layout's own fields.
pub const MAX_COMPACT: u64 = 65_535 - 4;

/// Where a new dataset's raw data go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewLayout {
    /// In one extent of the file.
    #[default]
    Contiguous,
    /// In the object header: at most [`MAX_COMPACT`] bytes.
    Compact,
    /// In chunks, which the options describe.
    Chunked,
}

/// A filter of a new dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFilter {
    /// Its registered number.
    pub id: u16,
    /// Other libraries may store a chunk without it when it fails.
    pub optional: bool,
    /// Its parameters; where there are none, what the filter needs is filled in.
    pub parameters: Vec<u32>,
}

/// Options of creating a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetOptions {
    /// Where the raw data go.
    pub layout: NewLayout,
    /// The dimensions of a chunk: for [`NewLayout::Chunked`], and only for that.
    pub chunk: Option<Vec<u64>>,
    /// Chunks are shuffled: the bytes of their elements are sorted by their weight, which helps compression.
    pub shuffle: bool,
    /// Chunks are compressed at this level, 1 to 9.
    pub deflate: Option<u32>,
    /// Chunks carry a checksum.
    pub fletcher32: bool,
    /// Filters by number, in the order in which they are applied; instead of those above.
    pub filters: Vec<NewFilter>,
    /// While the dataset is open, a chunk that a sample shows to be incompressible is stored without its optional filters.
    pub skips_noise: bool,
    /// How far the dimensions can grow; only as far as they are, without chunked storage.
    pub max_dims: Option<Vec<u64>>,
    /// No elements at all (null dataspace); there must be no dimensions.
    pub null: bool,
    /// What unwritten elements read as, in the dataset's type.
    pub fill: Fill,
    /// When space is allocated; by default early for compact, late (at the first write) for contiguous, and for chunks incrementally
    /// (at the first write to each; late is that of all, at the first write to any).
    pub allocation: AllocationTime,
    /// When the fill value is written.
    pub fill_time: WriteTime,
    /// How attributes are stored.
    pub attributes: Phase,
}

impl Default for DatasetOptions {
    fn default() -> Self {
        DatasetOptions {
            layout: NewLayout::default(),
            chunk: None,
            shuffle: false,
            deflate: None,
            fletcher32: false,
            filters: Vec::new(),
            skips_noise: false,
            max_dims: None,
            null: false,
            fill: Fill::Default,
            allocation: AllocationTime::Default,
            fill_time: WriteTime::IfSet,
            attributes: Phase::default(),
        }
    }
}

/// A dataset that was found possible.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How attributes are stored.
    pub attributes: Phase,
    datatype: Datatype,
    dataspace: Dataspace,
    layout: NewLayout,
    chunks: Option<NewChunks>,
    fill: FillValue,
    /// The object header of the committed datatype that is shared.
    committed: Option<u64>,
    /// Bytes of the raw data.
    size: u64,
    skips_noise: bool,
}

/// The most messages of a new dataset.
const MOST_MESSAGES: usize = 5;

/// The messages of a new object header, one body behind the other.
pub struct NewBodies {
    writer: Writer,
    /// Of each, its type, its flags and where its body ends.
    parts: [(u8, u8, usize); MOST_MESSAGES],
    count: usize,
}

impl NewBodies {
    fn new() -> Self {
        NewBodies { writer: Writer::with_room(128), parts: [(0, 0, 0); MOST_MESSAGES], count: 0 }
    }

    /// What was written since the last message is one.
    fn end(&mut self, kind: u8, flags: u8) {
        self.parts[self.count] = (kind, flags, self.writer.len());
        self.count += 1;
    }

    /// Calls `make` with the messages.
    pub fn with<R>(&self, make: impl FnOnce(&[NewMessage<'_>]) -> R) -> R {
        let mut messages = [NewMessage { kind: kind::NIL, flags: 0, order: 0, body: &[] }; MOST_MESSAGES];
        let mut begin = 0;
        for (message, &(kind, flags, end)) in messages.iter_mut().zip(&self.parts[..self.count]) {
            *message = NewMessage { kind, flags, order: 0, body: &self.writer.as_slice()[begin..end] };
            begin = end;
        }
        make(&messages[..self.count])
    }
}

/// Checks that the dataset can be made; no dimensions make a scalar.
pub fn plan(datatype: &Datatype, dims: &[u64], options: &DatasetOptions) -> Result<Plan> {
    if dims.len() > MAX_RANK {
        return Err(Error::range("dataset rank", dims.len(), "0..32"));
    }
    check_max_dims(dims, options)?;
    let chunks = chunks::plan(datatype, dims, options)?;
    options.attributes.check("attributes")?;
    let dataspace = match (options.null, dims) {
        (false, _) if options.layout == NewLayout::Chunked => {
            Dataspace::Simple { dims: dims.to_vec(), max_dims: Some(options.max_dims.clone().unwrap_or(dims.to_vec())) }
        }
        (false, _) => Dataspace::simple(dims),
        (true, []) => Dataspace::Null,
        (true, _) => return Err(Error::new(ErrorKind::Argument, "a null dataset has no dimensions")),
    };
    let size = dataspace.elements().and_then(|elements| elements.checked_mul(datatype.size() as u64));
    let Some(size) = size.filter(|&size| size < i64::MAX as u64) else {
        let message =
            format!("a dataset of {dims:?} elements of {} bytes is larger than a file can be", datatype.size());
        return Err(Error::new(ErrorKind::Limit, message));
    };
    if options.layout == NewLayout::Compact && size > MAX_COMPACT {
        return Err(Error::range("size of compact dataset", size, format_args!("0..{MAX_COMPACT} bytes")));
    }
    if let Fill::Value(value) = &options.fill {
        if value.len() != datatype.size() {
            let message = format!("the fill value has {} bytes, an element has {}", value.len(), datatype.size());
            return Err(Error::new(ErrorKind::Type, message));
        }
    }
    if datatype.has_variable_length() && options.fill_time == WriteTime::Never {
        // Nor are they in libhdf5, which then takes what stands in the space for heap IDs.
        let message = "the fill value of elements of variable length must be written: what was in the space before is none of theirs";
        return Err(Error::new(ErrorKind::Argument, message));
    }
    let allocation_time = match (options.allocation, options.layout) {
        (AllocationTime::Default, NewLayout::Contiguous) => AllocationTime::Late,
        (_, NewLayout::Compact) => AllocationTime::Early,
        (AllocationTime::Default, NewLayout::Chunked) => AllocationTime::Incremental,
        (chosen, _) => chosen,
    };
    let fill = FillValue { allocation_time, write_time: options.fill_time, fill: options.fill.clone() };
    Ok(Plan {
        attributes: options.attributes,
        datatype: datatype.clone(),
        dataspace,
        layout: options.layout,
        chunks,
        fill,
        committed: None,
        size,
        skips_noise: options.skips_noise,
    })
}

fn check_max_dims(dims: &[u64], options: &DatasetOptions) -> Result<()> {
    let Some(max) = options.max_dims.as_deref() else { return Ok(()) };
    if max.len() != dims.len() || max.iter().zip(dims).any(|(max, dim)| max < dim) {
        let message = format!("maximum dimensions {max:?} do not bound the dimensions {dims:?}");
        return Err(Error::new(ErrorKind::Range, message));
    }
    if max != dims && options.layout != NewLayout::Chunked {
        let bounds: Vec<String> =
            max.iter().map(|&max| if max == u64::MAX { "unlimited".into() } else { max.to_string() }).collect();
        let message = format!(
            "a dataset that can grow (dimensions {dims:?}, maximum [{}]) needs the chunked layout, and chunk dimensions",
            bounds.join(", ")
        );
        return Err(Error::new(ErrorKind::Argument, message));
    }
    Ok(())
}

impl Plan {
    /// For a file that libhdf5 1.8 reads: chunks are found by a version 1 B-tree.
    pub fn for_version_18(mut self) -> Self {
        if let Some(chunks) = &mut self.chunks {
            chunks.layout.index = ChunkIndex::BTree1;
            chunks.layout.flags = 0;
        }
        self
    }

    /// The type of the elements, as the file has it.
    pub fn datatype(&self) -> &Datatype {
        &self.datatype
    }

    /// With what a filter of the user's makes of the fill value, where chunks are filled at once.
    pub fn with_blanks(mut self) -> Result<Self> {
        let Some(chunks) = &mut self.chunks else { return Ok(self) };
        let is_early = self.fill.allocation_time == AllocationTime::Early && self.size > 0;
        if let Some(bytes) = chunks.layout.chunk_bytes().filter(|_| is_early && filter::calls_back(&chunks.filters)) {
            let fill = match &self.fill.fill {
                Fill::Value(value) => value.clone(),
                _ => vec![0; self.datatype.size()],
            };
            let mut codec = Codec::with_callbacks();
            chunks.blanks = blanks(&mut codec, [&chunks.filters; 2], &fill, bytes as usize)?;
        }
        Ok(self)
    }

    /// With a fill value that owns parts in the global heap.
    pub fn with_fill(mut self, value: Vec<u8>) -> Self {
        self.fill.fill = Fill::Value(value);
        self
    }

    /// Sharing the committed datatype at this address, which has the same type and counts the reference already.
    pub fn sharing(self, address: u64) -> Self {
        Plan { committed: Some(address), ..self }
    }

    /// Makes the dataset: its state, and the messages of its object header. Space is allocated and filled if that is to
    /// be done early.
    pub fn make(self, store: &mut Store) -> Result<(DatasetState, NewBodies)> {
        store.check_writable()?;
        let sizes = store.sizes();
        let mut state = DatasetState {
            datatype: self.datatype,
            committed: self.committed,
            dataspace: self.dataspace,
            storage: Storage::Compact { size: self.size },
            fill: self.fill,
            size: self.size,
            work: None,
            is_thinned: false,
            changes: Default::default(),
            shape: 0,
            has_grown: false,
            skips_noise: self.skips_noise,
            calls_under_lock: false,
            followed: None,
        };
        let mut filters = Vec::new();
        let layout = match self.layout {
            NewLayout::Compact => {
                let mut data = vec![0; self.size as usize];
                state.fill_buffer(&mut data)?;
                state.own(store, &mut data)?;
                Layout::compact(data)
            }
            NewLayout::Chunked => {
                let Some(chunks) = self.chunks else { return Err(Error::internal("chunks without a layout")) };
                state.storage = Storage::Chunked(Box::new(chunks.layout.clone()));
                if chunks.blanks[0].is_some() {
                    state.work = Some(Box::new(ChunkWork { blanks: chunks.blanks, ..ChunkWork::default() }));
                }
                filters = chunks.filters;
                Layout::chunked(chunks.layout)
            }
            NewLayout::Contiguous => {
                // Elements that own a value each are filled one by one, once there is a header.
                let is_early = state.fill.allocation_time == AllocationTime::Early && self.size > 0;
                let early = is_early && !state.has_variable_fill();
                let address = if early { state.allocate(store, true)? } else { UNDEFINED };
                state.storage = Storage::Contiguous { address, size: self.size };
                Layout::contiguous(address, self.size)
            }
        };
        let mut bodies = NewBodies::new();
        state.dataspace.put(&mut bodies.writer, sizes);
        bodies.end(kind::DATASPACE, 0);
        let shared = match self.committed {
            Some(address) => {
                bodies.writer.bytes(&Shared::Object(address).encode(sizes));
                message_flag::SHARED
            }
            None => {
                state.datatype.append_message(bodies.writer.buffer());
                0
            }
        };
        bodies.end(kind::DATATYPE, message_flag::CONSTANT | shared);
        state.fill.put(&mut bodies.writer);
        bodies.end(kind::FILL, message_flag::CONSTANT);
        layout.put(&mut bodies.writer, sizes)?;
        bodies.end(kind::LAYOUT, 0);
        if !filters.is_empty() {
            bodies.writer.bytes(&filter_pipeline::encode(&filters));
            bodies.end(kind::FILTER_PIPELINE, message_flag::CONSTANT);
        }
        Ok((state, bodies))
    }
}
