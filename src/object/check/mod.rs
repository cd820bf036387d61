//! The whole-structure checker of an open file: every object that can be reached from the root group, its header, its
//! indexes and its heaps, and that what is in use is not free.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::format::checksum::name_hash;
use crate::object::dense::{DenseKind, DenseStore};
use crate::object::extents::used_extents;
use crate::object::link::LinkTarget;
use crate::object::options::Order;
use crate::object::state::{Slot, State};
use crate::store::Store;

/// Checks everything that can be reached; the first fault is the error. `flushed` asks of B-tree nodes what every node
/// on disk must keep: the floors below which libhdf5 goes astray.
pub(super) fn check(state: &mut State, flushed: bool) -> Result<()> {
    let mut links: HashMap<u64, u32> = HashMap::new();
    let mut waiting = vec![state.superblock.root];
    while let Some(address) = waiting.pop() {
        let count = links.entry(address).or_insert(0);
        *count += 1;
        if *count > 1 {
            continue;
        }
        let slot = state.load(address)?;
        check_object(state, slot, flushed, &mut waiting)
            .map_err(|e| e.within(format_args!("object at address {address:#x}")))?;
        state.drop_surplus()?;
    }
    links.remove(&state.superblock.root);
    for (address, found) in links {
        let slot = state.load(address)?;
        let recorded = state.objects.get(slot)?.header.link_count(&mut state.store)?;
        if recorded < found {
            let detail = format_args!("a count of {recorded} hard links, {found} were found");
            return Err(Error::corrupt("object header", address, detail));
        }
    }
    check_space(state)
}

/// No two structures share bytes, and none uses free space.
fn check_space(state: &mut State) -> Result<()> {
    let extents = used_extents(state)?;
    match extents.iter().find(|extent| state.store.space().overlaps_free(extent.address, extent.length)) {
        Some(extent) => Err(Error::corrupt(extent.purpose.name(), extent.address, "it stands in free space")),
        None => Ok(()),
    }
}

fn check_object(state: &mut State, slot: Slot, flushed: bool, waiting: &mut Vec<u64>) -> Result<()> {
    let State { store, objects, .. } = state;
    let object = objects.get(slot)?;
    object.header.check(store)?;
    if let Some(dense) = object.attributes.dense(store)? {
        dense.check(store, flushed)?;
    }
    if let Some(links) = &mut object.links {
        if let Some(dense) = links.dense(store)? {
            dense.check(store, flushed)?;
        }
        for (_, link) in links.list(store, &object.header, Order::Native)? {
            if let LinkTarget::Hard(address) = link.target {
                waiting.push(address);
            }
        }
    }
    Ok(())
}

impl<K: DenseKind> DenseStore<K> {
    /// Checks indexes and heap, and that they agree: every record's hash is its name's, every object is found by both
    /// indexes.
    pub fn check(&mut self, store: &mut Store, flushed: bool) -> Result<()> {
        let mut ids = Vec::with_capacity(self.len() as usize);
        let mut orders = Vec::new();
        self.for_each(store, |record, object| {
            let hash = name_hash(K::name(object)?);
            if K::hash_of(record) != hash {
                return Err(Error::corrupt(
                    "name index",
                    0,
                    format_args!("a record has not its name's hash {hash:#x}"),
                ));
            }
            ids.push(record[K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN].to_vec());
            orders.push(K::order_of(record, object));
            Ok(true)
        })?;
        self.names.check(store, flushed, |_, a, b| Ok(K::hash_of(a) <= K::hash_of(b)))?;
        self.heap.check(store, ids.iter().map(Vec::as_slice), flushed)?;
        let Some(tree) = &self.order else { return Ok(()) };
        tree.check(store, flushed, |_, a, b| Ok(K::order_of_record(a) < K::order_of_record(b)))?;
        let mut named: Vec<_> = orders.into_iter().zip(ids).collect();
        named.sort_unstable();
        let mut position = 0;
        tree.for_each(store, |_, record| {
            let expected = named.get(position);
            position += 1;
            let id = &record[K::ORDER_ID_AT..K::ORDER_ID_AT + K::ID_LEN];
            match expected {
                Some((order, name_id)) if *order == Some(K::order_of_record(record)) && name_id == id => Ok(true),
                _ => Err(Error::corrupt("creation-order index", 0, "it does not agree with the name index")),
            }
        })?;
        if position != named.len() {
            return Err(Error::corrupt("creation-order index", 0, "it has fewer records than the name index"));
        }
        Ok(())
    }
}
