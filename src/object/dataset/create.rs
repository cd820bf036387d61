//! What a new dataset is to be, and the messages that say so.

use super::{DatasetState, Storage};
use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::message_flag;
use crate::format::message::dataspace::{Dataspace, MAX_RANK};
use crate::format::message::fill::{AllocationTime, Fill, FillValue, WriteTime};
use crate::format::message::kind;
use crate::format::message::layout::Layout;
use crate::format::UNDEFINED;
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
}

/// Options of creating a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetOptions {
    /// Where the raw data go.
    pub layout: NewLayout,
    /// How far the dimensions can grow; only as far as they are, without chunked storage.
    pub max_dims: Option<Vec<u64>>,
    /// No elements at all (null dataspace); there must be no dimensions.
    pub null: bool,
    /// What unwritten elements read as, in the dataset's type.
    pub fill: Fill,
    /// When space is allocated; by default early for compact and late (at the first write) for contiguous.
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
    fill: FillValue,
    /// Bytes of the raw data.
    size: u64,
}

/// A message of the new object header: its type, flags and body.
pub type NewBody = (u8, u8, Vec<u8>);

/// Checks that the dataset can be made; no dimensions make a scalar.
pub fn plan(datatype: &Datatype, dims: &[u64], options: &DatasetOptions) -> Result<Plan> {
    if dims.len() > MAX_RANK {
        return Err(Error::range("dataset rank", dims.len(), "0..32"));
    }
    check_max_dims(dims, options.max_dims.as_deref())?;
    options.attributes.check("attributes")?;
    let dataspace = match (options.null, dims) {
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
    let allocation_time = match (options.allocation, options.layout) {
        (AllocationTime::Default, NewLayout::Contiguous) => AllocationTime::Late,
        (_, NewLayout::Compact) => AllocationTime::Early,
        (chosen, NewLayout::Contiguous) => chosen,
    };
    let fill = FillValue { allocation_time, write_time: options.fill_time, fill: options.fill.clone() };
    Ok(Plan {
        attributes: options.attributes,
        datatype: datatype.clone(),
        dataspace,
        layout: options.layout,
        fill,
        size,
    })
}

fn check_max_dims(dims: &[u64], max_dims: Option<&[u64]>) -> Result<()> {
    let Some(max) = max_dims else { return Ok(()) };
    if max.len() != dims.len() || max.iter().zip(dims).any(|(max, dim)| max < dim) {
        let message = format!("maximum dimensions {max:?} do not bound the dimensions {dims:?}");
        return Err(Error::new(ErrorKind::Range, message));
    }
    if max != dims {
        return Err(Error::unsupported(format_args!(
            "a dataset that can grow (dimensions {dims:?}, maximum {max:?}) needs chunked storage"
        )));
    }
    Ok(())
}

impl Plan {
    /// Makes the dataset: its state, and the messages of its object header. Space is allocated and filled if that is to
    /// be done early.
    pub fn make(self, store: &mut Store) -> Result<(DatasetState, Vec<NewBody>)> {
        store.check_writable()?;
        let sizes = store.sizes();
        let mut state = DatasetState {
            datatype: self.datatype,
            committed: None,
            dataspace: self.dataspace,
            storage: Storage::Compact { size: self.size },
            fill: self.fill,
            size: self.size,
        };
        let layout = match self.layout {
            NewLayout::Compact => {
                let mut data = vec![0; self.size as usize];
                state.fill_buffer(&mut data)?;
                Layout::compact(data)
            }
            NewLayout::Contiguous => {
                let early = state.fill.allocation_time == AllocationTime::Early && self.size > 0;
                let address = if early { state.allocate(store, true)? } else { UNDEFINED };
                state.storage = Storage::Contiguous { address, size: self.size };
                Layout::contiguous(address, self.size)
            }
        };
        let messages = vec![
            (kind::DATASPACE, 0, state.dataspace.encode(sizes)),
            (kind::DATATYPE, message_flag::CONSTANT, state.datatype.to_message()),
            (kind::FILL, message_flag::CONSTANT, state.fill.encode()),
            (kind::LAYOUT, 0, layout.encode(sizes)?),
        ];
        Ok((state, messages))
    }
}
