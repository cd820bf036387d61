//! Objects of global heap collections, read.

use crate::error::Result;
use crate::format::global_heap;
use crate::store::Store;

/// Object `index` of the collection at `address`.
pub(super) fn read(store: &mut Store, address: u64, index: u32) -> Result<Vec<u8>> {
    const WHAT: &str = "global heap collection";
    let sizes = store.sizes();
    if let Some(id) = store.cached(address) {
        return Ok(global_heap::object(store.bytes(id), index, sizes)?.to_vec());
    }
    let header = store.read_bytes(address, global_heap::header_length(sizes), WHAT)?;
    let length = global_heap::parse_length(&header, sizes)?;
    let collection = store.read_bytes(address, length, WHAT)?;
    Ok(global_heap::object(&collection, index, sizes)?.to_vec())
}
