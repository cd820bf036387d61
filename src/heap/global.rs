//! The global heap (specification, "Disk Format: Level 1E - Global Heap"): values of variable length in collections that
//! are blocks of the store, changed in place by the flush. A removed object's bytes join the free space at its collection's
//! end, which later objects take; a collection without objects is given back.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::format::global_heap::{self, Objects, MIN_SIZE};
use crate::store::{AddressMap, BlockId, Seal, Store};

const WHAT: &str = "global heap collection";

/// Collections whose objects are known, at most.
const MAX_KNOWN: usize = 256;

/// Collections that are tried for a new object, at most.
const MAX_ROOMY: usize = 16;

/// Collections that are to become empty.
#[derive(Debug, Default)]
pub struct Leaving {
    limit: Option<u64>,
    sparse: HashSet<u64>,
}

impl Leaving {
    /// Those at `limit` or above.
    pub fn above(limit: u64) -> Self {
        Leaving { limit: Some(limit), sparse: HashSet::new() }
    }

    /// Those at these addresses.
    pub fn these(sparse: HashSet<u64>) -> Self {
        Leaving { limit: None, sparse }
    }

    /// Whether the collection at an address is one of them.
    pub fn holds(&self, address: u64) -> bool {
        self.limit.is_some_and(|limit| address >= limit) || self.sparse.contains(&address)
    }

    /// Where what leaves them has to stay below.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }
}

/// The objects of one file's global heap.
#[derive(Debug, Default)]
pub struct GlobalHeap {
    known: AddressMap<Objects>,
    /// Collections with free space, those that got it last at the end.
    roomy: Vec<u64>,
    /// Collections that were given back since the last flush.
    freed: Vec<u64>,
    /// New objects do not go to these.
    leaving: Option<Arc<Leaving>>,
    /// Bytes that removed objects left in collections with others.
    left: u64,
    /// Of a change that has begun.
    made: Option<Made>,
}

/// What a change has stored that may still fail.
#[derive(Debug)]
struct Made {
    /// The store's edits when it began, and those that were made for what was stored.
    since: u64,
    edits: u64,
    /// Collections, and indexes in them.
    runs: Vec<(u64, Range<u32>)>,
}

impl GlobalHeap {
    /// The block of the collection at an address.
    fn block(&self, store: &mut Store, address: u64) -> Result<BlockId> {
        if let Some(id) = store.cached(address) {
            if store.bytes(id).starts_with(global_heap::SIGNATURE) {
                return Ok(id);
            }
            return Err(Error::corrupt(WHAT, address, "another structure stands there"));
        }
        let sizes = store.sizes();
        let start = store.read_start(address, global_heap::header_length(sizes), WHAT)?;
        let length = global_heap::parse_length(start, sizes)?;
        if length > u64::from(u32::MAX) {
            return Err(Error::corrupt(WHAT, address, format_args!("a size of {length} bytes")));
        }
        store.block(address, length, Seal::None, WHAT)
    }

    fn open(&mut self, store: &mut Store, address: u64) -> Result<(BlockId, &mut Objects)> {
        let id = self.block(store, address)?;
        if self.known.len() >= MAX_KNOWN && !self.known.contains_key(&address) {
            self.known.clear();
        }
        let objects = match self.known.entry(address) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(global_heap::parse(store.bytes(id), store.sizes())?)
            }
        };
        Ok((id, objects))
    }

    /// The bytes of an object.
    pub fn get<'a>(&mut self, store: &'a mut Store, address: u64, index: u32) -> Result<&'a [u8]> {
        let header = global_heap::object_header(store.sizes()) as usize;
        let (id, objects) = self.open(store, address)?;
        match objects.places.get(index as usize) {
            Some(&(at, size)) if at != 0 => {
                let begin = at as usize + header;
                Ok(&store.bytes(id)[begin..begin + size as usize])
            }
            _ => Err(Error::corrupt(WHAT, address, format_args!("it has no object {index}"))),
        }
    }

    /// Stores an object; its collection and index.
    pub fn insert(&mut self, store: &mut Store, bytes: &[u8]) -> Result<(u64, u32)> {
        let before = store.edits();
        let (address, index) = self.put(store, bytes)?;
        if let Some(made) = &mut self.made {
            made.edits += store.edits() - before;
            match made.runs.last_mut() {
                Some((last, indexes)) if *last == address && indexes.end == index => indexes.end += 1,
                _ => made.runs.push((address, index..index + 1)),
            }
        }
        Ok((address, index))
    }

    fn put(&mut self, store: &mut Store, bytes: &[u8]) -> Result<(u64, u32)> {
        let sizes = store.sizes();
        let length = global_heap::object_length(bytes.len() as u64, sizes).unwrap_or(u64::MAX);
        for position in (0..self.roomy.len()).rev() {
            let address = self.roomy[position];
            if self.leaving.as_ref().is_some_and(|leaving| leaving.holds(address)) {
                continue;
            }
            let (id, objects) = self.open(store, address)?;
            let room = store.length(id) as u64 - u64::from(objects.free);
            if room < length {
                continue;
            }
            let Some(index) = vacant(objects) else { continue };
            place(store, id, objects, index, bytes);
            if room - length < global_heap::object_header(sizes) + 8 {
                self.roomy.remove(position);
            }
            return Ok((address, u32::from(index)));
        }
        let whole = length.saturating_add(global_heap::header_length(sizes)).max(MIN_SIZE);
        let most = crate::store::MAX_BLOCK.min(sizes.most_length());
        if whole > most {
            let message = format!("a value of {} bytes; at most some {most} are accepted", bytes.len());
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let limit = self.leaving.as_ref().and_then(|leaving| leaving.limit());
        let low = limit.and_then(|limit| store.space_mut().allocate_below(whole, limit));
        let (id, address) = match low {
            Some(address) => (store.create_block_at(address, whole as usize, Seal::None), address),
            None => store.create_block(whole as usize, Seal::None)?,
        };
        store.has_collections = true;
        global_heap::write_header(store.bytes_mut(id), sizes);
        let free = global_heap::header_length(sizes) as u32;
        let objects = self.known.entry(address).or_insert(Objects { places: vec![(0, 0)], free });
        *objects = Objects { places: vec![(0, 0)], free };
        place(store, id, objects, 1, bytes);
        self.note_room(address);
        Ok((address, 1))
    }

    /// From now on new objects go to none of these.
    pub fn leave(&mut self, leaving: Option<Arc<Leaving>>) {
        self.leaving = leaving;
    }

    /// The objects of a collection: index and bytes; and its own bytes.
    pub fn filling(&mut self, store: &mut Store, address: u64) -> Result<(Vec<(u32, u64)>, u64)> {
        let sizes = store.sizes();
        let (id, objects) = self.open(store, address)?;
        let there = (0..).zip(&objects.places).filter(|(_, place)| place.0 != 0);
        let bytes = |size: u32| global_heap::object_length(size.into(), sizes).unwrap_or(u64::MAX);
        Ok((there.map(|(index, place)| (index, bytes(place.1))).collect(), store.length(id) as u64))
    }

    /// Sparse collections were sought.
    pub fn forget_left(&mut self) {
        self.left = 0;
    }

    fn note_room(&mut self, address: u64) {
        let is_left = self.leaving.as_ref().is_some_and(|leaving| leaving.holds(address));
        if !is_left && !self.roomy.contains(&address) {
            if self.roomy.len() == MAX_ROOMY {
                self.roomy.remove(0);
            }
            self.roomy.push(address);
        }
    }

    /// Gives an object's space back; whether it was there.
    pub fn remove(&mut self, store: &mut Store, address: u64, index: u32) -> Result<bool> {
        let sizes = store.sizes();
        if store.space().overlaps_free(address, 1) {
            return Err(Error::corrupt(WHAT, address, "its space is free"));
        }
        let (id, objects) = self.open(store, address)?;
        let Some(&(at, size)) = objects.places.get(index as usize).filter(|place| place.0 != 0) else {
            return Ok(false);
        };
        let whole = store.length(id);
        let length = global_heap::object_length(u64::from(size), sizes).unwrap_or(0) as u32;
        objects.places[index as usize] = (0, 0);
        if objects.places.iter().all(|place| place.0 == 0) {
            self.known.remove(&address);
            self.roomy.retain(|&other| other != address);
            self.left = self.left.saturating_sub((whole as u64).saturating_sub(length.into()));
            store.free(address, whole as u64);
            self.freed.push(address);
            return Ok(true);
        }
        objects.places.iter_mut().filter(|place| place.0 > at).for_each(|place| place.0 -= length);
        let bytes = store.bytes_mut(id);
        bytes.copy_within((at + length) as usize..objects.free as usize, at as usize);
        objects.free -= length;
        close(bytes, objects.free, sizes);
        self.left += u64::from(length);
        self.note_room(address);
        Ok(true)
    }

    /// Bytes that removed objects left in collections which there still are, more or less: later ones may have taken them.
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl GlobalHeap {
    /// A change begins that stores objects before it edits anything else, and that may find its next argument wrong.
    pub fn begin(&mut self, store: &Store) {
        self.made = Some(Made { since: store.edits(), edits: 0, runs: Vec::new() });
    }

    /// The change is over. If it failed and edited nothing else, what it stored is taken back, and it has made no edits.
    pub fn end<R>(&mut self, store: &mut Store, result: Result<R>) -> Result<R> {
        match result {
            Ok(_) => self.made = None,
            // If this fails too, the edits stay, by which the caller knows it.
            Err(_) => drop(self.take_back(store)),
        }
        result
    }

    /// The change is over, and was a trial.
    pub fn take_back(&mut self, store: &mut Store) -> Result<()> {
        let Some(Made { since, edits, runs }) = self.made.take() else { return Ok(()) };
        if store.edits() != since + edits {
            return Ok(());
        }
        for (address, indexes) in runs.into_iter().rev() {
            for index in indexes.rev() {
                if !self.remove(store, address, index)? {
                    return Err(Error::internal(format_args!("no object {index} at {address:#x} to be taken back")));
                }
            }
        }
        store.undone(since);
        Ok(())
    }

    /// After a flush: collections that were given back are no longer found by their signature.
    pub fn erase_freed(&mut self, store: &mut Store) -> Result<()> {
        for address in std::mem::take(&mut self.freed) {
            let is_free = |at: u64| at < store.space().end() && store.space().overlaps_free(at, 1);
            if (address..address + 4).all(is_free) {
                store.write_raw(address, &[0; 4])?;
            }
        }
        Ok(())
    }
}

/// An index that no object has.
fn vacant(objects: &Objects) -> Option<u16> {
    match u16::try_from(objects.places.len()) {
        Ok(next) => Some(next),
        Err(_) => objects.places.iter().skip(1).position(|place| place.0 == 0).map(|index| index as u16 + 1),
    }
}

/// Puts an object where the free space begins, of which there is enough.
fn place(store: &mut Store, id: BlockId, objects: &mut Objects, index: u16, data: &[u8]) {
    let sizes = store.sizes();
    let (at, header) = (objects.free as usize, global_heap::object_header(sizes) as usize);
    let end = at + header + data.len().next_multiple_of(8);
    let bytes = store.bytes_mut(id);
    global_heap::write_object(&mut bytes[at..], index, data.len() as u64, sizes);
    bytes[at + header..at + header + data.len()].copy_from_slice(data);
    bytes[at + header + data.len()..end].fill(0);
    close(bytes, end as u32, sizes);
    objects.free = end as u32;
    if objects.places.len() <= usize::from(index) {
        objects.places.resize(usize::from(index) + 1, (0, 0));
    }
    objects.places[usize::from(index)] = (at as u32, data.len() as u32);
}

/// Writes what tells the free space at the end.
fn close(bytes: &mut [u8], free: u32, sizes: crate::format::Sizes) {
    let rest = &mut bytes[free as usize..];
    let length = rest.len() as u64;
    rest.fill(0);
    if length >= global_heap::object_header(sizes) {
        global_heap::write_object(rest, 0, length, sizes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_collection_is_laid_out_as_libhdf5_lays_it_out() {
        let (mut store, mut heap) = (Store::in_memory(), GlobalHeap::default());
        let (address, index) = heap.insert(&mut store, b"hello").unwrap();
        assert_eq!((index, heap.insert(&mut store, &[]).unwrap()), (1, (address, 2)));
        let id = heap.block(&mut store, address).unwrap();
        let bytes = store.bytes(id);
        assert_eq!(bytes.len(), 4096);
        let mut expected = b"GCOL\x01\0\0\0\0\x10\0\0\0\0\0\0".to_vec();
        expected.extend(b"\x01\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0hello\0\0\0");
        expected.extend(b"\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        expected.extend(b"\0\0\0\0\0\0\0\0\xc8\x0f\0\0\0\0\0\0");
        assert_eq!(bytes[..expected.len()], expected[..]);
        assert!(bytes[expected.len()..].iter().all(|&byte| byte == 0));
        assert!(heap.remove(&mut store, address, 1).unwrap());
        assert!(!heap.remove(&mut store, address, 1).unwrap());
        assert!(heap.get(&mut store, address, 1).is_err());
        assert!(heap.remove(&mut store, address, 2).unwrap());
        assert_eq!(store.space().free_bytes() + store.space().pending_bytes(), 0, "the collection was at the end");
        assert!(heap.get(&mut store, address, 2).is_err());
    }

    #[test]
    fn what_a_change_that_failed_has_stored_is_taken_back() {
        let refused = || -> Result<()> { Err(Error::new(ErrorKind::Argument, "refused")) };
        let (mut store, mut heap) = (Store::in_memory(), GlobalHeap::default());
        let first = heap.insert(&mut store, b"first").unwrap();
        let id = heap.block(&mut store, first.0).unwrap();
        let (edits, end, before) = (store.edits(), store.space().end(), store.bytes(id).to_vec());
        heap.begin(&store);
        let made: Vec<_> = (0..300).map(|n| heap.insert(&mut store, &vec![n as u8; 2 * n]).unwrap()).collect();
        assert!(heap.end(&mut store, refused()).is_err());
        assert_eq!((store.edits(), store.space().end()), (edits, end));
        let id = heap.block(&mut store, first.0).unwrap();
        assert_eq!(store.bytes(id), before);
        assert!(made.iter().all(|&(address, index)| heap.get(&mut store, address, index).is_err()));
        // Not if it succeeds, nor if something else may refer to it: then there were edits.
        heap.begin(&store);
        let kept = heap.insert(&mut store, b"kept").unwrap();
        heap.end(&mut store, Ok(())).unwrap();
        heap.begin(&store);
        let referred = heap.insert(&mut store, b"referred").unwrap();
        let (_, other) = store.create_block(8, Seal::None).unwrap();
        let edits = store.edits();
        assert!(heap.end(&mut store, refused()).is_err());
        assert_eq!(store.edits(), edits);
        assert!(store.cached(other).is_some());
        for ((address, index), value) in [(first, &b"first"[..]), (kept, b"kept"), (referred, b"referred")] {
            assert_eq!(heap.get(&mut store, address, index).unwrap(), value);
        }
        // Nor if the collections are gone: then the caller is to know it.
        let edits = store.edits();
        heap.begin(&store);
        let (address, _) = heap.insert(&mut store, &[1; 5000]).unwrap();
        heap.known.clear();
        store.space_mut().free(address, 5024);
        assert!(heap.end(&mut store, refused()).is_err());
        assert!(store.edits() > edits);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn objects_are_kept_until_removed(
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0usize..3000, any::<u8>(), 0u8..3), 1..300),
        ) {
            let (mut store, mut heap) = (Store::in_memory(), GlobalHeap::default());
            let mut model: BTreeMap<(u64, u32), Vec<u8>> = BTreeMap::new();
            for (which, size, fill, remove) in steps {
                if remove == 0 && !model.is_empty() {
                    let id = *which.get(&model.keys().copied().collect::<Vec<_>>());
                    prop_assert!(heap.remove(&mut store, id.0, id.1).unwrap());
                    model.remove(&id);
                } else {
                    let value = vec![fill; if fill % 7 == 0 { size * 3 } else { size % 40 }];
                    let id = heap.insert(&mut store, &value).unwrap();
                    prop_assert!(model.insert(id, value).is_none());
                }
                if fill % 16 == 0 {
                    heap = GlobalHeap::default();
                }
            }
            for (&(address, index), value) in &model {
                prop_assert_eq!(heap.get(&mut store, address, index).unwrap(), &value[..]);
            }
            for (address, index) in model.keys().copied().collect::<Vec<_>>() {
                heap.remove(&mut store, address, index).unwrap();
            }
            prop_assert_eq!(store.space().end(), 48 + store.space().free_bytes() + store.space().pending_bytes());
        }

        #[test]
        fn damage_is_an_error(at in 0usize..300, value: u8, size in 0usize..60) {
            let (mut store, mut heap) = (Store::in_memory(), GlobalHeap::default());
            let (address, _) = heap.insert(&mut store, &vec![7; size]).unwrap();
            heap.insert(&mut store, b"second").unwrap();
            let id = heap.block(&mut store, address).unwrap();
            store.bytes_mut(id)[at] = value;
            let mut heap = GlobalHeap::default();
            for index in 0..4 {
                let _ = heap.get(&mut store, address, index).map(<[u8]>::len);
            }
            let _ = heap.remove(&mut store, address, 2);
            let _ = heap.remove(&mut store, address, 1);
        }
    }
}
