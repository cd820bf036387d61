//! Values of variable length on their way: attributes whose values stand in collections of the global heap near the file's
//! end, or in sparse ones, store them anew, as if they were written again, and the collections are given back when they are empty.

use std::collections::HashSet;
use std::sync::Arc;

use crate::datatype::{Carry, Datatype, Release};
use crate::error::{Error, Result};
use crate::format::message::attribute::Attribute;
use crate::format::message::kind;
use crate::format::Sizes;
use crate::heap::{GlobalHeap, Leaving};
use crate::object::attribute_lost::has_references;
use crate::object::header_moves::Inventory;
use crate::object::state::{Slot, State};
use crate::object::value::{self, TypeOf};
use crate::store::{AddressMap, Store};

/// Bytes of one object's attributes that are looked at, at most.
const MOST_KEPT: usize = 64 << 20;

/// Nothing moves unless there is a hole for a collection of so many bytes, as most have.
const ROOM: u64 = 4096;

/// Values that are counted, at most: each takes four bytes.
const MOST_COUNTED: usize = 16 << 20;

/// A collection of which less than one part in so many is free stays.
const SPARSE: u64 = 16;

/// Values are packed if that makes the file smaller by one part in so many.
const GAIN: u64 = 64;

/// Looks for heap objects in collections that are to become empty; gives nothing back.
struct Look<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    leaving: &'a Leaving,
    any: bool,
    seen: &'a mut HashSet<(u64, u32)>,
    is_shared: bool,
}

impl Release for Look<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        self.heap.get(self.store, address, index).map(<[u8]>::to_vec)
    }

    fn remove(&mut self, address: u64, index: u32) -> Result<()> {
        self.any |= self.leaving.holds(address);
        self.is_shared |= !self.seen.insert((address, index));
        Ok(())
    }
}

/// Stores heap objects of collections that are to become empty anew.
struct Anew<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    leaving: &'a Leaving,
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
        !self.leaving.holds(address)
    }
}

/// Reads what would be carried, and stores nothing.
struct Dry<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    objects: Vec<(u64, u32)>,
}

impl Carry for Dry<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        if self.store.space().overlaps_free(address, 1) {
            return Err(Error::corrupt("value of variable length", address, "its space is free"));
        }
        self.objects.push((address, index));
        self.heap.get(self.store, address, index).map(<[u8]>::to_vec)
    }

    fn store(&mut self, _: &[u8]) -> Result<(u64, u32)> {
        Ok((0, 0))
    }

    fn keeps_references(&self) -> bool {
        true
    }
}

impl State {
    /// Stores what attributes of an object own in such collections anew, in others; how many attributes did. An error of a
    /// kind that is the object's own comes before anything is changed.
    fn move_values_of(&mut self, address: u64, leaving: &Leaving) -> Result<u64> {
        let (slot, sizes) = (self.load(address)?, self.store.sizes());
        let (mut all, mut kept) = (Vec::new(), 0);
        self.each_owner(slot, |message| {
            if kept + message.len() <= MOST_KEPT {
                kept += message.len();
                all.push(message.to_vec());
            }
            true
        })?;
        let State { store, objects, heap, .. } = self;
        let object = objects.get(slot)?;
        let (mut high, mut seen, mut names) = (Vec::new(), HashSet::new(), HashSet::new());
        for message in all {
            let (datatype, place) = parts(&message, sizes)?;
            let mut look = Look { store, heap, leaving, any: false, seen: &mut seen, is_shared: false };
            datatype.release(&message[place.clone()], None, sizes, &mut look)?;
            if look.is_shared {
                // Two elements have one value: it would be given back under one of them.
                return Ok(0);
            }
            if look.any {
                // Once something is stored, nothing may be found damaged any more.
                let mut dry = Dry { store, heap, objects: Vec::new() };
                datatype.carry(&message[place.clone()], sizes, sizes, &mut dry)?;
                if !names.insert(Attribute::decode(&message)?.name.to_vec()) {
                    return Err(Error::corrupt("attribute", address, "there are two of one name"));
                }
                high.push((message, datatype, place));
            }
        }
        let mut moved = 0;
        for (mut message, datatype, place) in high {
            if let Some(limit) = leaving.limit() {
                let Some(hole) = store.space_mut().allocate_below(ROOM, limit) else { break };
                store.space_mut().free(hole, ROOM);
            }
            let mut anew = Anew { store, heap, leaving, left: Vec::new() };
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

    /// Calls `visit` with each attribute message whose elements have parts elsewhere, until it returns false.
    fn each_owner(&mut self, slot: Slot, mut visit: impl FnMut(&[u8]) -> bool) -> Result<()> {
        let State { store, objects, .. } = self;
        let (object, sizes) = (objects.get(slot)?, store.sizes());
        if let Some(dense) = object.attributes.dense(store)? {
            return dense.for_each(store, |_, message| Ok(!owns(message, sizes)? || visit(message)));
        }
        for index in object.header.find_all(kind::ATTRIBUTE) {
            let message = object.header.body(store, index)?;
            if owns(message, sizes)? && !visit(message) {
                break;
            }
        }
        Ok(())
    }

    /// Whether attributes of an object own values elsewhere.
    pub(super) fn owns_values(&mut self, slot: Slot) -> Result<bool> {
        let mut any = false;
        if self.store.has_collections {
            self.each_owner(slot, |_| {
                any = true;
                false
            })?;
        }
        Ok(any)
    }

    /// Moves the values of all objects' attributes that stand at `limit` or above down where there is space; how many moved.
    pub(super) fn move_values_down(&mut self, inventory: &Inventory, limit: u64) -> Result<u64> {
        if self.store.shared().table.is_some() {
            return Ok(0);
        }
        self.move_all_values(inventory, Leaving::above(limit))
    }

    fn move_all_values(&mut self, inventory: &Inventory, leaving: Leaving) -> Result<u64> {
        let leaving = Arc::new(leaving);
        self.heap.leave(Some(leaving.clone()));
        let mut moved = Ok(0);
        for address in inventory.owners() {
            self.store.note_whole();
            let done = self.move_values_of(address, &leaving);
            let done = self.store.unless_damaged(done).and_then(|done| self.drop_surplus().map(|()| done));
            moved = moved.and_then(|moved| done.map(|done| moved + done.unwrap_or(0)));
            if moved.is_err() {
                break;
            }
        }
        self.heap.leave(None);
        moved
    }

    /// Whether this session left so many holes in collections that packing them may make the file smaller.
    pub(super) fn has_sparse_values(&self) -> bool {
        self.heap.left().saturating_mul(GAIN) > self.store.space().end()
    }

    /// Where that is due and collections have become sparse, stores the values that attributes have there anew, one behind the other. Each of
    /// them is looked at, in the whole file. An error that comes before anything is changed leaves the file in use.
    pub(super) fn pack_values(&mut self) -> Result<()> {
        if !self.maintenance.take_pack_due() || !self.store.has_collections || self.store.shared().table.is_some() {
            return Ok(());
        }
        self.store.note_whole();
        let packed = self.pack_sparse_values();
        if packed.is_err() && !self.store.is_whole() {
            self.store.fail();
        }
        packed
    }

    fn pack_sparse_values(&mut self) -> Result<()> {
        let inventory = self.take_inventory()?;
        let sparse = self.sparse_collections(&inventory)?;
        if let Some(sparse) = sparse {
            self.move_all_values(&inventory, sparse)?;
        }
        self.heap.forget_left();
        Ok(())
    }

    /// The collections that are worth it. All that is in one of them belongs to attributes that can be moved: so it becomes empty.
    fn sparse_collections(&mut self, inventory: &Inventory) -> Result<Option<Leaving>> {
        let (mut objects, mut count) = (AddressMap::<Vec<u32>>::default(), 0);
        for address in inventory.owners() {
            self.store.note_whole();
            let counted = self.values_of(address);
            for (collection, index) in self.store.unless_damaged(counted)?.unwrap_or_default() {
                objects.entry(collection).or_default().push(index);
                count += 1;
            }
            if count > MOST_COUNTED {
                return Ok(None);
            }
            self.drop_surplus()?;
        }
        let (mut sparse, mut whole) = (HashSet::new(), 0);
        let mut needed = Needed::default();
        for (address, mut indexes) in objects {
            let filling = self.heap.filling(&mut self.store, address);
            let Some((there, length)) = self.store.unless_damaged(filling)? else { continue };
            indexes.sort_unstable();
            let used: u64 = there.iter().map(|&(_, bytes)| bytes).sum();
            let becomes_empty = indexes.iter().eq(there.iter().map(|(index, _)| index));
            if becomes_empty && used + length / SPARSE < length {
                sparse.insert(address);
                whole += length;
                there.iter().for_each(|&(_, bytes)| needed.add(bytes));
            }
        }
        let gain = whole.saturating_sub(needed.bytes);
        Ok((gain * GAIN > self.store.space().end()).then(|| Leaving::these(sparse)))
    }

    /// The values that attributes of an object have elsewhere, each of which can be read: collections and indexes. None where some
    /// attributes could not be moved.
    fn values_of(&mut self, address: u64) -> Result<Vec<(u64, u32)>> {
        let (slot, sizes) = (self.load(address)?, self.store.sizes());
        let Some(all) = self.owners_of(slot)? else { return Ok(Vec::new()) };
        let State { store, heap, .. } = self;
        let mut dry = Dry { store, heap, objects: Vec::new() };
        for message in all {
            let (datatype, place) = parts(&message, sizes)?;
            datatype.carry(&message[place], sizes, sizes, &mut dry)?;
        }
        let (objects, mut seen) = (dry.objects, HashSet::new());
        let is_shared = !objects.iter().all(|object| seen.insert(*object));
        Ok(if is_shared { Vec::new() } else { objects })
    }

    /// The attribute messages of an object whose elements have parts elsewhere; none where they are too many to be kept.
    fn owners_of(&mut self, slot: Slot) -> Result<Option<Vec<Vec<u8>>>> {
        let (mut all, mut kept) = (Vec::new(), 0);
        self.each_owner(slot, |message| {
            kept += message.len();
            all.push(message.to_vec());
            kept <= MOST_KEPT
        })?;
        Ok((kept <= MOST_KEPT).then_some(all))
    }
}

/// Bytes of the collections that objects stored one after the other need.
#[derive(Default)]
struct Needed {
    bytes: u64,
    room: u64,
}

impl Needed {
    /// Collections have a header of 16 bytes, and no less than 4096.
    fn add(&mut self, bytes: u64) {
        if bytes > self.room {
            let collection = bytes.saturating_add(16).max(ROOM);
            (self.bytes, self.room) = (self.bytes.saturating_add(collection), collection - 16);
        }
        self.room = self.room.saturating_sub(bytes);
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
