//! What a dataset's type asks for: named datatypes, and elements that own objects of the global heap.

use super::selection::Slab;
use super::{own_body, transfer, DatasetState, Selection, Storage};
use crate::datatype::Datatype;
use crate::error::{Error, Result};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::fill::FillValue;
use crate::format::message::kind;
use crate::format::UNDEFINED;
use crate::object::header::ObjectHeader;
use crate::store::Store;

impl DatasetState {
    /// The object header of the committed datatype that this dataset shares, if it does.
    pub fn committed_type(&self) -> Option<u64> {
        self.committed
    }

    /// Where the raw data may be overwritten: not where the last flushed state has them, for their heap IDs and the
    /// global heap change together.
    pub(super) fn unshare(&mut self, store: &mut Store, header: &mut ObjectHeader, address: u64) -> Result<u64> {
        if store.space().is_fresh(address, self.size) {
            return Ok(address);
        }
        let Storage::Contiguous { size: stored, .. } = self.storage else { return Ok(address) };
        store.check_extent(address, stored, "contiguous raw data")?;
        let new = store.allocate(self.size)?;
        transfer::copy(store, address, new, self.size)?;
        self.place(store, header, new)?;
        store.free(address, stored);
        Ok(new)
    }

    /// The number of elements that a selection has (all, without one).
    pub fn selected(&self, selection: Option<&Selection<'_>>) -> Result<u64> {
        if selection.is_none() {
            return self.dataspace.elements().ok_or_else(|| Error::internal("a dataset of too many elements"));
        }
        let slab = Slab::new(selection, self.dataspace.dims())?;
        Ok(if self.dataspace == Dataspace::Null { 0 } else { slab.elements() })
    }

    /// Whether anything was ever written.
    pub fn has_storage(&self) -> bool {
        match &self.storage {
            Storage::Contiguous { address, .. } => *address != UNDEFINED,
            Storage::Chunked(chunked) => chunked.address != UNDEFINED || self.has_unwritten(),
            Storage::Compact { .. } => true,
            Storage::External | Storage::Virtual => false,
        }
    }
}

/// The newer fill value message before the old one; without any, the default.
pub(super) fn open_fill(store: &mut Store, header: &ObjectHeader) -> Result<FillValue> {
    if header.find(kind::FILL).is_some() {
        return FillValue::decode(own_body(store, header, kind::FILL, "fill value")?);
    }
    if header.find(kind::FILL_OLD).is_some() {
        return FillValue::decode_old(own_body(store, header, kind::FILL_OLD, "fill value")?);
    }
    FillValue::decode_old(&[0; 4])
}

/// The datatype, and the address of the committed one if it is shared.
pub(super) fn open_datatype(store: &mut Store, header: &ObjectHeader) -> Result<(Datatype, Option<u64>)> {
    let shared = match header.find(kind::DATATYPE) {
        Some(index) => header.shared_object(store, index)?,
        None => None,
    };
    let Some(address) = shared else {
        return Ok((Datatype::from_message(own_body(store, header, kind::DATATYPE, "datatype")?)?, None));
    };
    let committed = ObjectHeader::open(store, address)?;
    let datatype = Datatype::from_message(own_body(store, &committed, kind::DATATYPE, "datatype")?)?;
    Ok((datatype, Some(address)))
}
