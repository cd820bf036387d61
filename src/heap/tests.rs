//! The heap against a map, the checker after every step.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::format::Sizes;
use crate::store::MemoryBackend;

fn new_store() -> (Store, std::sync::Arc<parking_lot::Mutex<Vec<u8>>>) {
    let backend = MemoryBackend::new();
    let shared = backend.shared();
    (Store::new(Box::new(backend), Sizes::EIGHT, 0, 48, false).unwrap(), shared)
}

fn object(seed: u32, length: usize) -> Vec<u8> {
    (0..length).map(|i| (seed as usize * 31 + i * 7 + i / 256) as u8).collect()
}

/// One step of the model.
#[derive(Debug, Clone)]
enum Step {
    Insert(usize),
    Remove(prop::sample::Index),
    Write(prop::sample::Index),
    RemoveRun(prop::sample::Index, usize),
    Flush,
    Reopen,
}

fn steps(largest: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (1..=40usize).prop_map(Step::Insert),
        8 => (20..=200usize).prop_map(Step::Insert),
        2 => (1..=largest).prop_map(Step::Insert),
        9 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => any::<prop::sample::Index>().prop_map(Step::Write),
        1 => (any::<prop::sample::Index>(), 1..60usize).prop_map(|(i, n)| Step::RemoveRun(i, n)),
        1 => Just(Step::Flush),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..200)
}

struct Model {
    store: Store,
    bytes: std::sync::Arc<parking_lot::Mutex<Vec<u8>>>,
    heap: Heap,
    ids: Vec<HeapId>,
    objects: HashMap<HeapId, Vec<u8>>,
    seed: u32,
    /// Free space of the file that was forgotten when it was reopened.
    leaked: u64,
}

impl Model {
    fn new(params: HeapParams) -> Self {
        let (mut store, bytes) = new_store();
        let heap = Heap::create(&mut store, params).unwrap();
        Model { store, bytes, heap, ids: Vec::new(), objects: HashMap::new(), seed: 0, leaked: 0 }
    }

    fn insert(&mut self, length: usize) {
        self.seed += 1;
        let bytes = object(self.seed, length);
        let id = self.heap.insert(&mut self.store, &bytes).unwrap();
        // Tiny objects of equal bytes have equal IDs.
        if self.objects.insert(id, bytes).is_none() {
            self.ids.push(id);
        } else {
            self.heap.remove(&mut self.store, id.as_slice()).unwrap();
        }
    }

    fn remove(&mut self, at: usize) {
        let id = self.ids.swap_remove(at);
        self.objects.remove(&id);
        self.heap.remove(&mut self.store, id.as_slice()).unwrap();
    }

    fn flush(&mut self) {
        self.heap.prepare(&mut self.store).unwrap();
        self.store.flush(|_| vec![0; 48]).unwrap();
    }

    fn reopen(&mut self) {
        self.flush();
        let address = self.heap.address();
        self.leaked += self.store.space().free_bytes();
        let image = self.bytes.lock().clone();
        let end = image.len() as u64;
        let backend = MemoryBackend::with_bytes(image);
        self.bytes = backend.shared();
        self.store = Store::new(Box::new(backend), Sizes::EIGHT, 0, end, false).unwrap();
        let before = self.heap.stats();
        self.heap = Heap::open(&mut self.store, address).unwrap();
        assert_eq!(self.heap.stats().live_bytes, before.live_bytes);
        self.heap.load(&mut self.store).unwrap();
        assert_eq!(self.heap.stats(), before);
        assert!(!self.heap.free_space_damaged());
    }

    fn check(&mut self) {
        for id in &self.ids {
            assert_eq!(self.heap.get(&mut self.store, id.as_slice()).unwrap(), &self.objects[id][..]);
        }
        self.heap.check(&mut self.store, self.ids.iter().map(|id| id.as_slice())).unwrap();
        self.store.trim_cache();
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Insert(length) => self.insert(length),
            Step::Remove(at) if !self.ids.is_empty() => self.remove(at.index(self.ids.len())),
            Step::Write(at) if !self.ids.is_empty() => {
                let id = self.ids[at.index(self.ids.len())];
                self.seed += 1;
                let bytes = object(self.seed, self.objects[&id].len());
                if self.heap.write(&mut self.store, id.as_slice(), &bytes).unwrap() {
                    self.objects.insert(id, bytes);
                }
            }
            Step::RemoveRun(at, count) if !self.ids.is_empty() => {
                self.ids.sort_by_key(|id| id.as_slice().iter().rev().copied().collect::<Vec<_>>());
                let first = at.index(self.ids.len());
                for _ in 0..count.min(self.ids.len() - first) {
                    let id = self.ids.remove(first);
                    self.objects.remove(&id);
                    self.heap.remove(&mut self.store, id.as_slice()).unwrap();
                }
            }
            Step::Flush => self.flush(),
            Step::Reopen => self.reopen(),
            _ => {}
        }
    }
}

fn run(params: HeapParams, steps: Vec<Step>) {
    let mut model = Model::new(params);
    for step in steps {
        model.step(step);
        model.check();
    }
    while !model.ids.is_empty() {
        model.remove(0);
    }
    model.flush();
    model.check();
    let stats = model.heap.stats();
    assert_eq!((stats.blocks, stats.live_bytes), (0, 0));
    assert_eq!(stats.file_bytes, model.heap.header.length() as u64);
    let address = model.heap.address();
    let heap = Heap::open(&mut model.store, address).unwrap();
    heap.delete(&mut model.store).unwrap();
    let space = model.store.space();
    assert_eq!(space.end() - space.reclaimable_bytes() - model.leaked, 48);
}

/// A heap whose doubling table nests soon.
const SMALL: HeapParams = HeapParams {
    id_length: 8,
    max_managed: 200,
    width: 2,
    start_block: 64,
    max_direct: 256,
    max_bits: 24,
    start_rows: 1,
    checksums: true,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn attribute_heap_is_a_map(steps in steps(4096)) {
        run(HeapParams::ATTRIBUTES, steps);
    }

    #[test]
    fn link_heap_is_a_map(steps in steps(4096)) {
        run(HeapParams::LINKS, steps);
    }

    #[test]
    fn nested_heap_is_a_map(steps in steps(200)) {
        run(SMALL, steps);
    }

    #[test]
    fn heaps_of_other_shapes_are_maps(steps in steps(200), rows in prop_oneof![Just(0u16), Just(3)], wide in any::<bool>()) {
        let width = if wide { 8 } else { 1 };
        run(HeapParams { start_rows: rows, width, checksums: false, max_bits: 16 + u16::from(wide), id_length: 24, ..SMALL }, steps);
    }
}

#[test]
fn a_large_heap_survives_churn() {
    let mut model = Model::new(SMALL);
    for i in 0..20_000 {
        model.insert(9 + i % 150);
    }
    model.flush();
    model.check();
    let before = model.heap.stats();
    for i in 0..15_000 {
        model.remove(i * 7919 % model.ids.len());
    }
    model.reopen();
    model.check();
    for i in 0..12_000 {
        model.insert(9 + i % 150);
    }
    model.check();
    let after = model.heap.stats();
    assert!(after.file_bytes < before.file_bytes * 9 / 10, "{before:?} {after:?}");
    model.reopen();
    model.check();
}

#[test]
fn a_queue_of_objects_stays_in_its_address_space() {
    let mut model = Model::new(HeapParams { max_bits: 16, ..SMALL });
    for i in 0..200 {
        model.insert(20 + i % 30);
    }
    for i in 0..50_000 {
        model.insert(20 + i % 30);
        let id = model.ids.remove(0);
        model.objects.remove(&id);
        model.heap.remove(&mut model.store, id.as_slice()).unwrap();
        if i % 97 == 0 {
            model.flush();
        }
    }
    model.check();
}

#[test]
fn a_full_heap_says_so() {
    let mut model = Model::new(HeapParams { max_bits: 12, ..SMALL });
    let error = loop {
        match model.heap.insert(&mut model.store, &[7; 30]) {
            Ok(id) => model.ids.push(id),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Limit);
    for id in &model.ids {
        model.objects.insert(*id, vec![7; 30]);
    }
    model.check();
    model.reopen();
    model.check();
    model.remove(5);
    model.insert(30);
}

#[test]
fn removing_twice_is_found() {
    let mut model = Model::new(HeapParams::ATTRIBUTES);
    for _ in 0..10 {
        model.insert(100);
    }
    let id = model.ids[3];
    model.heap.remove(&mut model.store, id.as_slice()).unwrap();
    model.heap.remove(&mut model.store, id.as_slice()).unwrap();
    assert_eq!(model.heap.prepare(&mut model.store).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn hostile_ids_are_refused() {
    let mut model = Model::new(HeapParams::ATTRIBUTES);
    model.insert(100);
    let good = model.ids[0];
    for at in 0..8 {
        for bit in 0..8 {
            let mut bytes = good.as_slice().to_vec();
            bytes[at] ^= 1 << bit;
            let _ = model.heap.get(&mut model.store, &bytes);
        }
    }
    assert!(model.heap.get(&mut model.store, &[0; 3]).is_err());
    assert!(model.heap.get(&mut model.store, &[0; 8]).is_err());
    assert!(model.heap.get(&mut model.store, &[0xff; 8]).is_err());
    model.check();
}
