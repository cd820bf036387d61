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

fn value_of(record: &[u8]) -> u64 {
    u64::from_be_bytes(record[..8].try_into().unwrap())
}

pub(super) fn params(node_size: u32) -> TreeParams {
    TreeParams { record_type: 8, record_size: 9, node_size, split: 100, merge: 40 }
}

fn check(tree: &Tree, store: &mut Store, flushed: bool) {
    tree.check(store, flushed, |_, a, b| Ok(a < b)).unwrap();
}

pub(super) struct Model {
    pub store: Store,
    pub tree: Tree,
    map: BTreeMap<u64, u8>,
    bytes: std::sync::Arc<parking_lot::Mutex<Vec<u8>>>,
}

impl Model {
    pub fn new(params: TreeParams) -> Model {
        let backend = MemoryBackend::new();
        let bytes = backend.shared();
        let mut store = Store::new(Box::new(backend), Sizes::EIGHT, 0, 48, false).unwrap();
        let tree = Tree::create(&mut store, params).unwrap();
        Model { store, tree, map: BTreeMap::new(), bytes }
    }

    pub fn insert(&mut self, value: u64, mark: u8) {
        let place = self.tree.locate(&mut self.store, &mut key(value)).unwrap();
        assert_eq!(place.found, self.map.contains_key(&value));
        if place.found {
            self.tree.record_at_mut(&mut self.store, &place)[8] = mark;
        } else {
            self.tree.insert_at(&mut self.store, &place, &record(value, mark)).unwrap();
        }
        self.map.insert(value, mark);
    }

    fn remove(&mut self, value: u64) {
        let place = self.tree.locate(&mut self.store, &mut key(value)).unwrap();
        assert_eq!(place.found, self.map.remove(&value).is_some());
        if place.found {
            self.tree.remove_at(&mut self.store, &place).unwrap();
        }
    }

    pub fn flush(&mut self) {
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
        assert_eq!(self.store.space().refused(), 0);
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

    /// One slice of a sweep, which adds one to the mark of every record it visits.
    fn slice(&mut self, after: Option<u64>, nodes: usize, mut seen: Option<&mut Vec<u64>>) -> Option<u64> {
        let Model { store, tree, map, .. } = self;
        let mut key = after.map(key);
        let progress = tree
            .sweep(store, key.as_mut(), nodes, |store, run| {
                let mut together = Vec::new();
                let ahead = |_: &Store, records: &[u8]| together.extend(records.chunks_exact(9).map(value_of));
                let mut visited = Vec::new();
                run.each(store, ahead, |_, record| {
                    let value = value_of(record);
                    assert!(after.is_none_or(|after| value > after));
                    record[8] = record[8].wrapping_add(1);
                    *map.get_mut(&value).unwrap() = record[8];
                    visited.push(value);
                    Ok(())
                })?;
                assert_eq!(together, visited);
                if let Some(seen) = &mut seen {
                    seen.extend(visited);
                }
                Ok(())
            })
            .unwrap();
        progress.last.map(|record| value_of(&record))
    }

    /// A whole sweep: every record once, and what a packed tree must be.
    fn sweep(&mut self) {
        let (mut after, mut seen) = (None, Vec::new());
        let mut slices = 0;
        loop {
            after = self.slice(after, 1 + slices % 7, Some(&mut seen));
            check(&self.tree, &mut self.store, false);
            slices += 1;
            if after.is_none() {
                break;
            }
        }
        assert!(seen.iter().eq(self.map.keys()));
        self.check_packed();
    }

    fn check_packed(&mut self) {
        let stats = self.tree.stats(&mut self.store).unwrap();
        assert_eq!(stats.underfull, 0, "{stats:?}");
        let leaf = self.tree.geometry().level(0).capacity;
        let least = if leaf < 20 { 0.75 } else { 0.9 };
        assert!(stats.nodes < 30 || stats.occupancy() >= least, "{leaf}: {} {stats:?}", stats.occupancy());
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
    Slice(usize),
    Sweep,
    Relocate(u64, usize),
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
        4 => (1..20usize).prop_map(Step::Slice),
        1 => Just(Step::Sweep),
        1 => (0..8192u64, 1..50usize).prop_map(|(limit, max)| Step::Relocate(limit, max)),
    ];
    prop::collection::vec(step, 1..400)
}

fn run(model: &mut Model, steps: Vec<Step>) {
    let (mut next, mut after) = (400, None);
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
            Step::Slice(nodes) => {
                after = model.slice(after, nodes, None);
            }
            Step::Sweep => model.sweep(),
            Step::Relocate(limit, max) => {
                model.tree.relocate_above(&mut model.store, limit, max).unwrap();
                model.tree.relocate_header(&mut model.store, limit).unwrap();
            }
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
pub(super) fn scattered(count: u64) -> impl Iterator<Item = u64> {
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

#[test]
fn a_sweep_packs_what_deletions_left() {
    for node_size in [256, 512, 4096] {
        for slice in [1, 5, 1000] {
            let mut model = Model::new(params(node_size));
            scattered(30_011).for_each(|value| model.insert(value, 0));
            scattered(30_011).take(15_000).for_each(|value| model.remove(value));
            model.check(false);
            let (mut after, mut seen) = (None, Vec::new());
            loop {
                after = model.slice(after, slice, Some(&mut seen));
                if after.is_none() {
                    break;
                }
            }
            assert!(seen.iter().eq(model.map.keys()));
            model.check(true);
            model.check_packed();
        }
    }
}

#[test]
fn a_sweep_of_a_tree_that_changes_visits_what_stays_once() {
    let mut model = Model::new(params(128));
    scattered(4001).for_each(|value| model.insert(value * 4, 0));
    let (mut after, mut seen) = (None, Vec::new());
    let mut changes = scattered(16_001);
    loop {
        after = model.slice(after, 3, Some(&mut seen));
        let Some(at) = after else { break };
        for value in changes.by_ref().take(20).chain([at, at + 1, at + 4, at.saturating_sub(4)]) {
            match value % 4 {
                // Multiples of eight stay.
                0 if value % 8 != 0 => model.remove(value),
                1 => model.insert(value, 0),
                _ => {}
            }
        }
        check(&model.tree, &mut model.store, false);
    }
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
    let stayed: Vec<u64> = seen.into_iter().filter(|value| value % 8 == 0).collect();
    assert!(stayed.into_iter().eq((0..4001).map(|value| value * 4).filter(|value| value % 8 == 0)));
    model.check(false);
}

#[test]
fn trees_are_built_from_sorted_runs() {
    for node_size in [96, 256, 4096] {
        for count in (0..200).chain([1000, 5003, 20_011]) {
            let mut model = Model::new(params(node_size));
            model.map = (0..count).map(|value| (value, 5)).collect();
            let records = (0..count).map(|value| record(value, 5));
            model.tree = Tree::build(&mut model.store, params(node_size), records).unwrap();
            model.check(true);
            model.check_packed();
            model.reopen();
            model.check(true);
        }
    }
}

#[test]
fn nodes_move_below_a_limit_and_the_file_shrinks() {
    let mut model = Model::new(params(256));
    let low: Vec<u64> = (0..60).map(|_| model.store.allocate(256).unwrap()).collect();
    scattered(1009).for_each(|value| model.insert(value, 0));
    model.flush();
    low.into_iter().for_each(|address| model.store.free(address, 256));
    model.flush();
    let before = model.bytes.lock().len();
    let limit = model.store.space().end() - 30 * 256;
    assert_eq!(model.tree.relocate_above(&mut model.store, limit, 7).unwrap(), 7);
    assert!(model.tree.relocate_above(&mut model.store, limit, 1000).unwrap() <= 23);
    assert_eq!(model.tree.relocate_above(&mut model.store, limit, 1000).unwrap(), 0);
    model.check(false);
    model.flush();
    assert_eq!(model.bytes.lock().len(), before - 30 * 256);
    model.reopen();
    model.check(true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    /// Wrong values under a right checksum: errors or wrong records, but no panic and no endless walk.
    #[test]
    fn damaged_nodes_do_no_harm(seed in 0..4000u64, flips in prop::collection::vec((any::<prop::sample::Index>(), 6..128usize, any::<u8>()), 1..6),
                                changes in prop::collection::vec(0..1200u64, 0..60)) {
        let mut model = Model::new(params(128));
        scattered(1009).for_each(|value| model.insert(value ^ seed, 0));
        model.flush();
        let mut nodes = Vec::new();
        model.tree.each_node(&mut model.store, true, &mut |_, level, node| {
            if level > 0 {
                nodes.push(node.address);
            }
            Ok(())
        }).unwrap();
        for (node, at, value) in flips {
            let id = model.store.cached(*node.get(&nodes)).unwrap();
            model.store.bytes_mut(id)[at] = value;
        }
        let Model { store, tree, .. } = &mut model;
        tree.counts.known = false;
        let _ = tree.check(store, false, |_, a, b| Ok(a < b));
        let _ = tree.for_each(store, |_, _| Ok(true));
        for value in changes {
            if let Ok(place) = tree.locate(store, &mut key(value)) {
                let _ = match place.found {
                    true => tree.remove_at(store, &place),
                    false => tree.insert_at(store, &place, &record(value, 1)),
                };
            }
        }
        let _ = tree.sweep(store, None::<&mut Bytes>, 1000, |_, _| Ok(()));
        let _ = tree.repair(store);
        let _ = tree.nth(store, 500).map(|mut place| while tree.previous(store, &mut place).unwrap_or(false) {});
        let _ = tree.stats(store);
        let _ = tree.relocate_above(store, 1000, 10);
        let _ = tree.clone().delete(store);
    }
}

/// This thread's time on a processor, so that a busy machine counts less.
fn cpu_time() -> std::time::Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
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
    for node_size in std::env::var("NODE").map_or(vec![512, 1024, 2048, 4096, 8192], |n| vec![n.parse().unwrap()]) {
        for count in
            std::env::var("COUNT").map_or(vec![1_000, 10_000, 100_000, 1_000_000u64], |n| vec![n.parse().unwrap()])
        {
            let rounds = (2_000_000 / count).max(1);
            let (mut inserted, mut removed) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
            let (mut swept, mut worst) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
            let (mut occupancy, mut packed) = (0.0, 0.0);
            for _ in 0..rounds {
                let mut store = Store::in_memory();
                let params = TreeParams { record_type: 8, record_size: 17, node_size, split: 100, merge: 40 };
                let mut tree = Tree::create(&mut store, params).unwrap();
                let start = cpu_time();
                for i in 0..count {
                    let hash = mix(i);
                    let place = tree.locate(&mut store, &mut Hash(hash)).unwrap();
                    let mut record = [7; 17];
                    record[13..].copy_from_slice(&hash.to_le_bytes());
                    if !place.found {
                        tree.insert_at(&mut store, &place, &record).unwrap();
                    }
                }
                inserted += cpu_time() - start;
                occupancy = tree.stats(&mut store).unwrap().occupancy();
                let start = cpu_time();
                for i in 0..count / 2 {
                    let place = tree.locate(&mut store, &mut Hash(mix(i * 7 % count))).unwrap();
                    if place.found {
                        tree.remove_at(&mut store, &place).unwrap();
                    }
                }
                removed += cpu_time() - start;
                let start = cpu_time();
                let (mut after, mut done) = (None, false);
                while !done {
                    let slice = std::time::Instant::now();
                    let progress = tree.sweep(&mut store, after.as_mut(), 8, |_, _| Ok(())).unwrap();
                    worst = worst.max(slice.elapsed());
                    done = progress.is_done();
                    after = progress.last.map(|r| Hash(u32::from_le_bytes(r[13..17].try_into().unwrap())));
                }
                swept += cpu_time() - start;
                let stats = tree.stats(&mut store).unwrap();
                assert_eq!(stats.underfull, 0);
                packed = stats.occupancy();
            }
            let rate = |count: u64, time: std::time::Duration| (count * rounds) as f64 / time.as_secs_f64() / 1e6;
            println!(
                "node {node_size:5} count {count:8}: insert {:5.2} M/s, remove {:5.2} M/s, filled {occupancy:.3}; swept {:5.2} M/s, {packed:.3}, worst {worst:?}",
                rate(count, inserted),
                rate(count / 2, removed),
                rate(count / 2, swept),
            );
        }
    }
}
