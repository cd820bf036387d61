use std::cmp::Ordering;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::format::Sizes;
use crate::store::MemoryBackend;

/// A key that is the first eight bytes of a record, big-endian so that the order is the bytes' order.
struct Bytes([u8; 8]);

impl Key for Bytes {
    fn quick(&self, record: &[u8]) -> Option<Ordering> {
        Some(self.0.as_slice().cmp(&record[..8]))
    }
}

fn key(value: u64) -> Bytes {
    Bytes(value.to_be_bytes())
}

fn record(value: u64, mark: u8) -> [u8; 9] {
    let mut record = [mark; 9];
    record[..8].copy_from_slice(&value.to_be_bytes());
    record
}

fn params(node_size: u32) -> TreeParams {
    TreeParams { record_type: 8, record_size: 9, node_size, split: 100, merge: 40 }
}

fn check(tree: &Tree, store: &mut Store, flushed: bool) {
    tree.check(store, flushed, |_, a, b| Ok(a < b)).unwrap();
}

struct Model {
    store: Store,
    tree: Tree,
    map: BTreeMap<u64, u8>,
    bytes: std::sync::Arc<parking_lot::Mutex<Vec<u8>>>,
}

impl Model {
    fn new(params: TreeParams) -> Model {
        let backend = MemoryBackend::new();
        let bytes = backend.shared();
        let mut store = Store::new(Box::new(backend), Sizes::EIGHT, 0, 48, false).unwrap();
        let tree = Tree::create(&mut store, params).unwrap();
        Model { store, tree, map: BTreeMap::new(), bytes }
    }

    fn insert(&mut self, value: u64, mark: u8) {
        let place = self.tree.locate(&mut self.store, &mut key(value)).unwrap();
        assert_eq!(place.found, self.map.contains_key(&value));
        if place.found {
            self.tree.record_at_mut(&mut self.store, &place)[8] = mark;
        } else {
            self.tree.insert_at(&mut self.store, place, &record(value, mark)).unwrap();
        }
        self.map.insert(value, mark);
    }

    fn remove(&mut self, value: u64) {
        let place = self.tree.locate(&mut self.store, &mut key(value)).unwrap();
        assert_eq!(place.found, self.map.remove(&value).is_some());
        if place.found {
            self.tree.remove_at(&mut self.store, place).unwrap();
        }
    }

    fn flush(&mut self) {
        self.tree.prepare(&mut self.store).unwrap();
        self.check(true);
        self.store.flush(|_| vec![0; 48]).unwrap();
    }

    fn reopen(&mut self) {
        self.flush();
        let bytes = self.bytes.lock().clone();
        let end = bytes.len() as u64;
        let backend = MemoryBackend::with_bytes(bytes);
        self.bytes = backend.shared();
        self.store = Store::new(Box::new(backend), Sizes::EIGHT, 0, end, false).unwrap();
        self.tree = Tree::open(&mut self.store, self.tree.address()).unwrap();
    }

    fn check(&mut self, flushed: bool) {
        check(&self.tree, &mut self.store, flushed);
        self.tree.stats(&mut self.store).unwrap();
        assert_eq!(self.tree.len(), self.map.len() as u64);
        let mut records = Vec::new();
        self.tree
            .for_each(&mut self.store, |_, bytes| {
                records.push(bytes.to_vec());
                Ok(true)
            })
            .unwrap();
        let expected: Vec<Vec<u8>> = self.map.iter().map(|(&value, &mark)| record(value, mark).to_vec()).collect();
        assert_eq!(records, expected);
    }

    /// Every way of getting somewhere agrees with the map.
    fn check_navigation(&mut self) {
        let values: Vec<u64> = self.map.keys().copied().collect();
        for (rank, &value) in values.iter().enumerate() {
            let place = self.tree.nth(&mut self.store, rank as u64).unwrap();
            assert_eq!(self.tree.record_at(&self.store, &place)[..8], value.to_be_bytes());
            assert_eq!(self.tree.rank(&self.store, &place), rank as u64);
        }
        if let Some(&last) = values.last() {
            let mut place = self.tree.locate(&mut self.store, &mut key(last)).unwrap();
            for &value in values.iter().rev() {
                assert_eq!(self.tree.record_at(&self.store, &place)[..8], value.to_be_bytes());
                let more = self.tree.previous(&mut self.store, &mut place).unwrap();
                assert_eq!(more, value != values[0]);
            }
        }
        assert!(self.tree.nth(&mut self.store, values.len() as u64).is_err());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u64, u8),
    Append(u8),
    Remove(u64),
    RemoveRun(u64, u64),
    Repair,
    Flush,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..400u64, any::<u8>()).prop_map(|(value, mark)| Step::Insert(value, mark)),
        4 => any::<u8>().prop_map(Step::Append),
        6 => (0..400u64).prop_map(Step::Remove),
        1 => (0..400u64, 1..120u64).prop_map(|(from, count)| Step::RemoveRun(from, count)),
        1 => Just(Step::Repair),
        1 => Just(Step::Flush),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..400)
}

fn run(model: &mut Model, steps: Vec<Step>) {
    let mut next = 400;
    for step in steps {
        match step {
            Step::Insert(value, mark) => model.insert(value, mark),
            Step::Append(mark) => {
                model.insert(next, mark);
                next += 1;
            }
            Step::Remove(value) => model.remove(value),
            Step::RemoveRun(from, count) => (from..from + count).for_each(|value| model.remove(value)),
            Step::Repair => {
                model.tree.repair(&mut model.store).unwrap();
                model.check(true);
            }
            Step::Flush => model.flush(),
            Step::Reopen => model.reopen(),
        }
        model.check(false);
    }
    model.check_navigation();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn behaves_as_a_map(node_size in prop_oneof![Just(96u32), Just(128), Just(200), Just(512)],
                        merge in 10..49u8, steps in steps()) {
        let mut model = Model::new(TreeParams { merge, ..params(node_size) });
        run(&mut model, steps);
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64)
}

/// A permutation of 0..count without a table.
fn scattered(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |i| (i * 0x9e37_79b1) % count)
}

#[test]
fn deep_trees_are_filled_and_emptied() {
    let mut model = Model::new(params(96));
    let count = 5003;
    for value in scattered(count) {
        model.insert(value, 1);
    }
    assert!(model.tree.depth() >= 4, "depth {}", model.tree.depth());
    model.check(false);
    model.check_navigation();
    for (i, value) in scattered(count).enumerate() {
        model.remove(value);
        if i % 501 == 0 {
            model.check(false);
            model.flush();
        }
    }
    model.flush();
    assert_eq!((model.tree.len(), model.tree.depth()), (0, 0));
    assert_eq!(model.tree.stats(&mut model.store).unwrap().nodes, 0);
    model.tree.delete(&mut model.store).unwrap();
    model.store.flush(|_| vec![0; 48]).unwrap();
    assert_eq!(model.bytes.lock().len(), 48);
}

#[test]
fn ascending_insertion_fills_the_nodes() {
    let mut model = Model::new(params(256));
    (0..5000).for_each(|value| model.insert(value, 0));
    let stats = model.tree.stats(&mut model.store).unwrap();
    assert!(stats.occupancy() > 0.95, "{stats:?}");
}

#[test]
fn scattered_insertion_fills_the_nodes_well() {
    let mut model = Model::new(params(512));
    scattered(20_011).for_each(|value| model.insert(value, 0));
    let stats = model.tree.stats(&mut model.store).unwrap();
    assert!(stats.occupancy() > 0.75, "{} {stats:?}", stats.occupancy());
}

/// Prints rates: `cargo test --release --lib btree::tests::rates -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn rates() {
    struct Hash(u32);
    impl Key for Hash {
        #[inline]
        fn quick(&self, record: &[u8]) -> Option<Ordering> {
            Some(self.0.cmp(&u32::from_le_bytes([record[13], record[14], record[15], record[16]])))
        }
    }
    fn mix(i: u64) -> u32 {
        (i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32 ^ 0x5bd1_e995
    }
    for node_size in [512, 1024, 2048, 4096, 8192] {
        for count in [1_000, 10_000, 100_000, 1_000_000u64] {
            let rounds = (200_000 / count).max(1);
            let (mut inserted, mut removed) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
            let mut occupancy = 0.0;
            for _ in 0..rounds {
                let mut store = Store::in_memory();
                let params = TreeParams { record_type: 8, record_size: 17, node_size, split: 100, merge: 40 };
                let mut tree = Tree::create(&mut store, params).unwrap();
                let start = std::time::Instant::now();
                for i in 0..count {
                    let hash = mix(i);
                    let place = tree.locate(&mut store, &mut Hash(hash)).unwrap();
                    let mut record = [7; 17];
                    record[13..].copy_from_slice(&hash.to_le_bytes());
                    if !place.found {
                        tree.insert_at(&mut store, place, &record).unwrap();
                    }
                }
                inserted += start.elapsed();
                occupancy = tree.stats(&mut store).unwrap().occupancy();
                let start = std::time::Instant::now();
                for i in 0..count / 2 {
                    let place = tree.locate(&mut store, &mut Hash(mix(i * 7 % count))).unwrap();
                    if place.found {
                        tree.remove_at(&mut store, place).unwrap();
                    }
                }
                removed += start.elapsed();
            }
            let rate = |count: u64, time: std::time::Duration| (count * rounds) as f64 / time.as_secs_f64() / 1e6;
            println!(
                "node {node_size:5} count {count:8}: insert {:5.2} M/s, remove {:5.2} M/s, filled {occupancy:.3}",
                rate(count, inserted),
                rate(count / 2, removed)
            );
        }
    }
}
