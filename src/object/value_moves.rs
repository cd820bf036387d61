//! Values of variable length on their way down: attributes whose values stand in collections of the global heap near the
//! file's end store them anew, as if they were written again, and the collections are given back when they are empty.

use std::collections::HashSet;

use crate::datatype::{Carry, Datatype, Release};
use crate::error::Result;
use crate::format::message::attribute::Attribute;
use crate::format::message::kind;
use crate::format::Sizes;
use crate::heap::GlobalHeap;
use crate::object::attribute_lost::has_references;
use crate::object::header_moves::Inventory;
use crate::object::state::{Slot, State};
use crate::object::value::{self, TypeOf};
use crate::store::Store;

/// Bytes of one object's attributes that are looked at, at most.
const MOST_KEPT: usize = 64 << 20;

/// Nothing moves unless there is a hole for a collection of so many bytes, as most have.
const ROOM: u64 = 4096;

/// Looks for heap objects at `limit` or above; gives nothing back.
struct Look<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    limit: u64,
    any: bool,
    seen: &'a mut HashSet<(u64, u32)>,
    is_shared: bool,
}

impl Release for Look<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        self.heap.get(self.store, address, index).map(<[u8]>::to_vec)
    }

    fn remove(&mut self, address: u64, index: u32) -> Result<()> {
        self.any |= address >= self.limit;
        self.is_shared |= !self.seen.insert((address, index));
        Ok(())
    }
}

/// Stores heap objects at `limit` or above anew.
struct Anew<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    limit: u64,
    left: Vec<(u64, u32)>,
}

impl Carry for Anew<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        self.left.push((address, index));
        self.heap.get(self.store, address, index).map(<[u8]>::to_vec)
    }

    fn store(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
        self.heap.insert(self.store, bytes)
    }

    fn keeps_references(&self) -> bool {
        true
    }

    fn stays(&self, address: u64, _: u32) -> bool {
        address < self.limit
    }
}

impl State {
    /// Stores what attributes of an object own in collections at `limit` or above anew, below it where there is space; how many
    /// attributes did. An error of a kind that is the object's own comes before anything is changed.
    fn move_values_of(&mut self, address: u64, limit: u64) -> Result<u64> {
        let (slot, sizes) = (self.load(address)?, self.store.sizes());
        let State { store, objects, heap, .. } = self;
        let object = objects.get(slot)?;
        let (mut all, mut kept) = (Vec::new(), 0);
        let mut keep = |message: &[u8]| -> Result<()> {
            if owns(message, sizes)? && kept + message.len() <= MOST_KEPT {
                kept += message.len();
                all.push(message.to_vec());
            }
            Ok(())
        };
        match object.attributes.dense(store)? {
            Some(dense) => dense.for_each(store, |_, message| keep(message).map(|()| true))?,
            None => {
                let header = &object.header;
                header.find_all(kind::ATTRIBUTE).try_for_each(|index| keep(header.body(store, index)?))?;
            }
        }
        let (mut high, mut seen) = (Vec::new(), HashSet::new());
        for message in all {
            let (datatype, place) = parts(&message, sizes)?;
            let mut look = Look { store, heap, limit, any: false, seen: &mut seen, is_shared: false };
            datatype.release(&message[place.clone()], None, sizes, &mut look)?;
            if look.is_shared {
                // Two elements have one value: it would be given back under one of them.
                return Ok(0);
            }
            if look.any {
                high.push((message, datatype, place));
            }
        }
        let mut moved = 0;
        for (mut message, datatype, place) in high {
            let Some(hole) = store.space_mut().allocate_below(ROOM, limit) else { break };
            store.space_mut().free(hole, ROOM);
            let mut anew = Anew { store, heap, limit, left: Vec::new() };
            let value = datatype.carry(&message[place.clone()], sizes, sizes, &mut anew)?;
            let left = anew.left;
            message[place].copy_from_slice(&value);
            let name = Attribute::decode(&message)?.name.to_vec();
            object.attributes.put(store, &mut object.header, &name, &message)?;
            left.iter().try_for_each(|&(address, index)| heap.remove(store, address, index).map(|_| ()))?;
            moved += 1;
        }
        if moved > 0 {
            objects.mark(slot)?;
        }
        Ok(moved)
    }

    /// Whether attributes of an object own values elsewhere.
    pub(super) fn owns_values(&mut self, slot: Slot) -> Result<bool> {
        let State { store, objects, .. } = self;
        if !store.has_collections {
            return Ok(false);
        }
        let (object, sizes) = (objects.get(slot)?, store.sizes());
        let mut any = false;
        if let Some(dense) = object.attributes.dense(store)? {
            dense.for_each(store, |_, message| {
                any = owns(message, sizes)?;
                Ok(!any)
            })?;
            return Ok(any);
        }
        for index in object.header.find_all(kind::ATTRIBUTE) {
            any |= owns(object.header.body(store, index)?, sizes)?;
        }
        Ok(any)
    }

    /// The same as [`State::move_values_of`] of all objects.
    pub(super) fn move_values_down(&mut self, inventory: &Inventory, limit: u64) -> Result<u64> {
        if self.store.shared().table.is_some() {
            return Ok(0);
        }
        self.heap.stay_below(limit);
        let moved = self.move_all_values(inventory, limit);
        self.heap.stay_below(u64::MAX);
        moved
    }

    fn move_all_values(&mut self, inventory: &Inventory, limit: u64) -> Result<u64> {
        let mut moved = 0;
        for address in inventory.items.iter().filter(|item| item.owns_values).map(|item| item.address) {
            self.store.note_whole();
            let done = self.move_values_of(address, limit);
            moved += self.store.unless_damaged(done)?.unwrap_or(0);
            self.drop_surplus()?;
        }
        Ok(moved)
    }
}

/// Whether an attribute's type stands in its message, and its elements have parts elsewhere.
fn owns(message: &[u8], sizes: Sizes) -> Result<bool> {
    if has_references(message) {
        return Ok(false);
    }
    let attribute = Attribute::decode(message)?;
    Ok(matches!(value::type_of(&attribute, sizes)?, TypeOf::Own(datatype) if datatype.has_pointers()))
}

/// The type of an attribute that owns something, and where its value stands in the message.
fn parts(message: &[u8], sizes: Sizes) -> Result<(Datatype, std::ops::Range<usize>)> {
    let attribute = Attribute::decode(message)?;
    let datatype = Datatype::from_message(attribute.datatype)?;
    let info = value::describe(&attribute, &datatype, None, sizes)?;
    let begin = message.len() - attribute.data.len();
    Ok((datatype, begin..begin + info.storage_size as usize))
}
