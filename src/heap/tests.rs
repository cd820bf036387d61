//! The heap against a map, the checker after every step.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::format::free_space::{FreeSpaceHeader, SectionWriter};
use crate::format::Sizes;
use crate::store::MemoryBackend;

fn new_store() -> (Store, std::sync::Arc<parking_lot::Mutex<Vec<u8>>>) {
    let backend = MemoryBackend::new();
    let shared = backend.shared();
    (Store::new(Box::new(backend), Sizes::EIGHT, 0, 48, false).unwrap(), shared)
}

/// What became of an ID while objects slide.
fn renewed(heap: &Heap, id: &HeapId) -> HeapId {
    let mut bytes = id.as_slice().to_vec();
    let length = bytes.len();
    heap.renew_ids(&mut bytes, length, 0..length, |_| false).unwrap();
    HeapId::new(&bytes)
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
    Evacuate(usize, bool),
    Slide,
    Fill,
    Lower(u8),
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
        1 => (1..200usize, any::<bool>()).prop_map(|(n, end)| Step::Evacuate(n, end)),
        1 => Just(Step::Slide),
        1 => Just(Step::Fill),
        1 => any::<u8>().prop_map(Step::Lower),
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
        self.heap.check(&mut self.store, self.ids.iter().map(|id| id.as_slice()), false).unwrap();
        self.store.trim_cache();
    }

    fn rename(&mut self, at: usize, id: HeapId) {
        let bytes = self.objects.remove(&self.ids[at]).unwrap();
        assert!(self.objects.insert(id, bytes).is_none());
        self.ids[at] = id;
    }

    /// Moves at most `most` objects of an evacuation.
    fn evacuate(&mut self, most: usize) {
        if !self.heap.evacuating() {
            self.heap.load(&mut self.store).unwrap();
            let Some(plan) = self.heap.plan_evacuation() else { return };
            self.heap.begin_evacuation(&mut self.store, plan).unwrap();
        }
        let mut left = most;
        for at in 0..self.ids.len() {
            if left == 0 {
                return;
            }
            if let Some(id) = self.heap.relocate(&mut self.store, self.ids[at].as_slice()).unwrap() {
                self.rename(at, id);
                left -= 1;
            }
        }
    }

    /// Whether there was anything to gain.
    fn slide(&mut self) -> bool {
        let Some(plan) = self.heap.plan_slide(&mut self.store, false).unwrap() else { return false };
        self.heap.begin_slide(&mut self.store, plan).unwrap();
        let moved: Vec<_> = self.ids.iter().map(|id| renewed(&self.heap, id)).collect();
        self.heap.end_slide(&mut self.store).unwrap();
        let mut objects = HashMap::new();
        for (old, new) in self.ids.iter().zip(&moved) {
            assert!(objects.insert(*new, self.objects.remove(old).unwrap()).is_none());
        }
        self.objects = objects;
        self.ids = moved;
        true
    }

    /// How many objects took the place of a removed one; none where that is not done.
    fn fill(&mut self) -> Option<u64> {
        const EVERY: usize = 32;
        let width = self.heap.id_length();
        if !self.heap.begin_fill(&mut self.store, width).unwrap() {
            return None;
        }
        // In records of an index, behind each other in a block; the last one of it is not to be touched.
        let records: Vec<u8> = self.ids.iter().flat_map(|id| [b"key", id.as_slice(), b"more"].concat()).collect();
        let (block, address) = self.store.create_block(records.len(), Seal::None).unwrap();
        self.store.bytes_mut(block).copy_from_slice(&records);
        let (size, place) = (width + 7, 3..3 + width);
        let last = records.len() - size;
        let skipped = if self.ids.len().is_multiple_of(EVERY) { last } else { records.len() };
        let skip = |record: &[u8]| skipped == last && record == &records[last..];
        let (moved, bytes) =
            self.heap.fill_holes(&mut self.store, (block, 0..records.len()), size, place.clone(), skip).unwrap();
        self.heap.end_fill(&mut self.store).unwrap();
        let renewed = self.store.bytes(block).to_vec();
        self.store.free(address, records.len() as u64);
        let (mut objects, mut differ, mut length) = (HashMap::new(), 0, 0);
        for (old, record) in self.ids.iter_mut().zip(renewed.chunks_exact(size)) {
            assert_eq!((&record[..3], &record[place.end..]), (&b"key"[..], &b"more"[..]));
            let (new, bytes) = (HeapId::new(&record[place.clone()]), self.objects.remove(old).unwrap());
            differ += u64::from(new != *old);
            length = if new == *old { length } else { bytes.len() as u64 };
            *old = new;
            assert!(objects.insert(new, bytes).is_none());
        }
        self.objects = objects;
        assert_eq!((moved, bytes), (differ, differ * length));
        Some(moved)
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
            Step::Evacuate(most, end) => {
                self.evacuate(most);
                if end {
                    self.heap.end_evacuation(&mut self.store).unwrap();
                }
            }
            Step::Slide => {
                self.slide();
            }
            Step::Fill => {
                self.fill();
            }
            Step::Lower(part) => {
                let limit = self.store.space().end() * u64::from(part) / 256;
                self.heap.relocate_above(&mut self.store, limit, 10).unwrap();
            }
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

/// Steps with objects of one length, but for a few.
fn even_steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        40 => Just(Step::Insert(length)),
        1 => (1..=200usize).prop_map(Step::Insert),
        30 => any::<prop::sample::Index>().prop_map(Step::Remove),
        2 => (any::<prop::sample::Index>(), 1..60usize).prop_map(|(i, n)| Step::RemoveRun(i, n)),
        2 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        4 => Just(Step::Fill),
        1 => any::<u8>().prop_map(Step::Lower),
    ];
    (prop::collection::vec(Just(Step::Insert(length)), 0..300), prop::collection::vec(step, 1..300))
        .prop_map(|(first, then)| [first, then].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn heaps_of_even_objects_are_maps((steps, small) in (20..60usize, any::<bool>()).prop_flat_map(|(n, s)| (even_steps(n), Just(s)))) {
        run(if small { SMALL } else { HeapParams::ATTRIBUTES }, steps);
    }

    #[test]
    fn attribute_heap_is_a_map(steps in steps(70_000)) {
        run(HeapParams::ATTRIBUTES, steps);
    }

    #[test]
    fn link_heap_is_a_map(steps in steps(5000)) {
        run(HeapParams::LINKS, steps);
    }

    #[test]
    fn nested_heap_is_a_map(steps in steps(300)) {
        run(SMALL, steps);
    }

    #[test]
    fn heaps_of_other_shapes_are_maps(steps in steps(300), rows in prop_oneof![Just(0u16), Just(3)], wide in any::<bool>()) {
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

/// The indirect blocks below the root that lack a direct block before the heap's end: those that the heap still has, and its bytes.
fn gaps_in_parts(model: &mut Model) -> usize {
    model.reopen();
    model.heap.load(&mut model.store).unwrap();
    let table = &model.heap.table;
    let gaps = table.gaps.iter().flat_map(|(&start, &end)| (start..end).step_by(64));
    gaps.filter(|&at| {
        table.indirect.keys().any(|&part| part > 0 && model.heap.part_of(at).is_some_and(|p| p.start == part))
    })
    .count()
}

#[test]
fn indirect_blocks_below_the_root_stay_whole() {
    for (first, count) in [(0, 900), (300, 700), (900, 500), (1200, 800)] {
        let mut model = Model::new(SMALL);
        (0..2000).for_each(|_| model.insert(12));
        model.flush();
        let full = model.heap.stats().file_bytes;
        for at in (first..first + count).rev() {
            model.remove(at);
        }
        model.flush();
        assert_eq!(gaps_in_parts(&mut model), 0, "{count} from {first}");
        model.check();
        assert!(model.heap.stats().file_bytes < full || first > 0, "{count} from {first}");
        // What comes into a gap again.
        (0..60).for_each(|_| model.insert(12));
        model.flush();
        assert_eq!(gaps_in_parts(&mut model), 0, "{count} from {first}, and more");
        model.check();
    }
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

/// Bytes that a new heap takes for the model's objects.
fn fresh_bytes(model: &Model, params: HeapParams) -> u64 {
    let mut fresh = Model::new(params);
    for id in &model.ids {
        fresh.heap.insert(&mut fresh.store, &model.objects[id]).unwrap();
    }
    fresh.flush();
    fresh.heap.stats().file_bytes
}

fn half_deleted(params: HeapParams, count: usize, length: impl Fn(usize) -> usize) -> Model {
    let mut model = Model::new(params);
    for i in 0..count {
        model.insert(length(i));
    }
    model.flush();
    for i in 0..count / 2 {
        model.remove(i * 7919 % model.ids.len());
    }
    model
}

#[test]
fn evacuation_and_sliding_leave_what_a_fresh_heap_takes() {
    for params in [HeapParams::ATTRIBUTES, HeapParams::LINKS] {
        for mixed in [false, true] {
            let length = |i: usize| if mixed { 20 + i * 7919 % 181 } else { 41 };
            let mut model = half_deleted(params, 20_000, length);
            let fresh = fresh_bytes(&model, params);
            model.evacuate(usize::MAX);
            model.heap.end_evacuation(&mut model.store).unwrap();
            model.flush();
            model.check();
            let ratio = model.heap.stats().file_bytes as f64 / fresh as f64;
            println!("evacuated, mixed {mixed}: {ratio:.4}");
            assert!(ratio <= 1.05, "{ratio}");
            assert_eq!(model.heap.plan_evacuation(), None);
            let mut model = half_deleted(params, 20_000, length);
            assert!(model.slide());
            model.flush();
            model.check();
            let ratio = model.heap.stats().file_bytes as f64 / fresh as f64;
            println!("slid, mixed {mixed}: {ratio:.4}");
            assert!(ratio <= 1.01, "{ratio}");
            model.reopen();
            model.check();
        }
    }
}

#[test]
fn filling_moves_half_as_much_and_its_record_names_where_it_stands() {
    for (params, durable) in
        [(HeapParams::ATTRIBUTES, true), (HeapParams::LINKS, true), (HeapParams::ATTRIBUTES, false)]
    {
        let mut model = half_deleted(params, 20_000, |_| 41);
        let fresh = fresh_bytes(&model, params);
        if durable {
            model.flush();
        } else {
            // What the last block has is not in the file.
            (0..10).for_each(|_| model.insert(41));
        }
        let before = model.store.counters().record_bytes;
        let moved = model.fill().unwrap();
        assert!((1_000..=5_010).contains(&moved), "{moved}");
        model.flush();
        model.check();
        let recorded = model.store.counters().record_bytes - before;
        println!("{moved} moved, {recorded} bytes recorded");
        let block = if durable { 0 } else { 64 << 10 };
        assert!(recorded > 12 * moved && recorded < 13 * moved + 8_000 + block, "{recorded}");
        // The holes of the last block are listed one by one.
        let ratio = model.heap.stats().file_bytes as f64 / fresh as f64;
        assert!(ratio <= 1.02, "{ratio}");
        model.reopen();
        model.check();
        assert_eq!(model.fill(), None, "nothing is left to gain");
    }
}

#[test]
fn filling_touches_no_block_that_it_has_nothing_for() {
    let mut model = Model::new(HeapParams::ATTRIBUTES);
    (0..20_000).for_each(|_| model.insert(41));
    model.flush();
    // Every other one of the upper half.
    (0..5_000).for_each(|i| model.remove(10_000 + i));
    model.flush();
    let before = model.store.counters();
    let moved = model.fill().unwrap();
    model.flush();
    model.check();
    let after = model.store.counters();
    let (recorded, written) = (after.record_bytes - before.record_bytes, after.bytes_written - before.bytes_written);
    println!("{moved} moved, {recorded} bytes recorded, {written} written");
    assert!(recorded < 13 * moved + 8_000 && written < 300_000, "{recorded} {written}");
}

#[test]
fn no_long_list_is_made_of_what_goes_into_long_holes() {
    for (count, every_other, fills) in [(150_000, false, false), (100_000, false, true), (270_000, true, true)] {
        let mut model = Model::new(HeapParams::ATTRIBUTES);
        (0..count).for_each(|_| model.insert(41));
        let ids = std::mem::take(&mut model.ids);
        for (number, id) in ids.into_iter().enumerate() {
            match if every_other { number % 2 == 0 } else { number < count / 2 } {
                true => model.heap.remove(&mut model.store, id.as_slice()).unwrap(),
                false => model.ids.push(id),
            }
        }
        let filled = model.heap.begin_fill(&mut model.store, 8).unwrap();
        assert_eq!(filled, fills, "{count} {every_other}");
    }
}

#[test]
fn filling_is_left_alone_where_lengths_differ_and_stops_at_the_odd_one() {
    let mut model = half_deleted(HeapParams::ATTRIBUTES, 5_000, |i| 20 + i * 7919 % 61);
    assert_eq!(model.fill(), None);
    // Two that make up for each other, so that the mean is what all others have.
    let mut model = Model::new(HeapParams::ATTRIBUTES);
    (0..5_000).for_each(|_| model.insert(41));
    model.insert(30);
    model.insert(52);
    (0..2_500).for_each(|i| model.remove(i * 7919 % 2_500));
    let before = model.heap.stats();
    assert!(model.fill().unwrap() > 1_000);
    model.check();
    model.flush();
    model.check();
    let after = model.heap.stats();
    assert_eq!((after.live_bytes, after.managed), (before.live_bytes, before.managed));
    assert!(after.blocks < before.blocks, "{after:?}");
    model.reopen();
    model.check();
}

/// Every byte that an ID could begin at, with lengths that end in its stretch and behind it, while objects slide.
#[test]
fn sliding_renews_what_lives_and_finds_ids_of_anything_else() {
    let long_ids = HeapParams { id_length: 12, ..HeapParams::ATTRIBUTES };
    let all =
        [(HeapParams::ATTRIBUTES, true), (HeapParams::ATTRIBUTES, false), (HeapParams::LINKS, true), (long_ids, true)];
    for (params, few_gaps) in all {
        let mut model = half_deleted(params, 600, |i| 20 + i * 7919 % 61);
        let (offset_width, length_width) = (model.heap.header.offset_width(), model.heap.header.length_width());
        let id_of = |offset: u64, length: u64| {
            let mut id = vec![0; params.id_length.into()];
            id[1..1 + offset_width].copy_from_slice(&offset.to_le_bytes()[..offset_width]);
            id[1 + offset_width..][..length_width].copy_from_slice(&length.to_le_bytes()[..length_width]);
            id
        };
        let plan = model.heap.plan_slide(&mut model.store, false).unwrap().unwrap();
        model.heap.begin_slide(&mut model.store, plan).unwrap();
        if !few_gaps {
            model.heap.slide.as_mut().unwrap().source_at.clear();
        }
        let heap = &model.heap;
        let renew = |id: &[u8]| {
            let mut id = id.to_vec();
            heap.renew_ids(&mut id, params.id_length.into(), 0..params.id_length.into(), |_| false)
                .map(|moved| (id, moved))
        };
        // By old heap offset: the new one of each living byte.
        let mut living = std::collections::BTreeMap::new();
        for id in &model.ids {
            let (offset, length, _) = heap.managed_object(id.as_slice()).unwrap();
            let (new, moved) = renew(id.as_slice()).unwrap();
            let (target, renewed, _) = heap.managed_object(&new).unwrap();
            assert_eq!((renewed, moved), (length, if new == id.as_slice() { (0, 0) } else { (1, length.into()) }));
            living.extend((0..u64::from(length)).map(|at| (offset + at, target + at)));
        }
        let sources = &heap.slide.as_ref().unwrap().sources;
        assert!(sources.iter().any(|source| source.segments.len() > 1));
        let slides = |offset: u64| heap.table.find(offset).filter(|&found| sources.iter().any(|s| s.index == found));
        for offset in (0..heap.table.end).filter(|&offset| slides(offset).is_some()) {
            let block = slides(offset);
            let room = (offset..).take_while(|at| living.contains_key(at) && slides(*at) == block).count() as u64;
            for length in [0, 1, room.saturating_sub(1), room, room + 1, (1 << (8 * length_width)) - 1] {
                match renew(&id_of(offset, length)) {
                    Ok((new, _)) => {
                        assert!((1..=room).contains(&length), "{length} bytes at {offset}, {room} live");
                        assert_eq!(new, id_of(living[&offset], length));
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Corrupt);
                        assert!(length == 0 || length > room, "{length} bytes at {offset}, {room} live");
                    }
                }
            }
        }
        for bad in [id_of(heap.table.end, 1), id_of(u64::MAX, 1), vec![0xff; params.id_length.into()]] {
            assert!(renew(&bad).is_err());
        }
    }
}

/// Nanoseconds of processor time that this thread has had (Linux).
fn thread_time() -> f64 {
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

/// Figures: `cargo test --release --lib heap::tests::speed -- --ignored --nocapture`.
#[test]
#[ignore]
fn speed() {
    const COUNT: usize = 1_000_000;
    let mut last = thread_time();
    let mut report = |what: &str, count: usize| {
        let now = thread_time();
        println!("{what:32} {:8.2} ms {:7.1} ns each", (now - last) / 1e6, (now - last) / count as f64);
        last = thread_time();
    };
    let bytes: Vec<u8> = (0..255).collect();
    let shuffle = |ids: &mut Vec<HeapId>| {
        let mut x = 88172645463325252u64;
        for i in (1..ids.len()).rev() {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            ids.swap(i, (x % (i as u64 + 1)) as usize);
        }
    };
    let only = std::env::var("ONLY").ok().and_then(|n| n.parse().ok());
    for (number, (mixed, slide)) in [(false, false), (false, true), (true, false), (true, true)].into_iter().enumerate()
    {
        if only.is_some_and(|only: usize| only != number) {
            continue;
        }
        println!("{COUNT} objects, mixed {mixed}, slide {slide}");
        let length = |i: usize| if mixed { 20 + i * 7919 % 181 } else { 41 };
        let mut model = Model::new(HeapParams::ATTRIBUTES);
        let (heap, store) = (&mut model.heap, &mut model.store);
        let mut ids = Vec::with_capacity(COUNT);
        report("", COUNT);
        for i in 0..COUNT {
            ids.push(heap.insert(store, &bytes[..length(i)]).unwrap());
        }
        report("insert", COUNT);
        heap.prepare(store).unwrap();
        report("prepare", COUNT);
        shuffle(&mut ids);
        report("", COUNT);
        let mut sum = 0;
        for id in &ids {
            sum += u64::from(heap.get(store, id.as_slice()).unwrap()[5]);
        }
        assert_eq!(sum, 5 * COUNT as u64);
        sum = 0;
        report("get at random", COUNT);
        for some in ids.chunks(64) {
            for id in some {
                let _ = heap.touch(store, id.as_slice());
            }
            for id in some {
                sum += u64::from(heap.get(store, id.as_slice()).unwrap()[5]);
            }
        }
        assert_eq!(sum, 5 * COUNT as u64);
        report("get at random, touched before", COUNT);
        for id in &ids[..COUNT / 2] {
            heap.remove(store, id.as_slice()).unwrap();
        }
        report("remove half at random", COUNT / 2);
        heap.prepare(store).unwrap();
        report("prepare", COUNT / 2);
        println!("{:?}", heap.stats());
        ids.drain(..COUNT / 2);
        let mut moved = 0;
        if slide {
            let plan = heap.plan_slide(store, false).unwrap().unwrap();
            report("plan", COUNT / 2);
            heap.begin_slide(store, plan).unwrap();
            report("slide", COUNT / 2);
            for id in &mut ids {
                *id = renewed(heap, id);
                moved += 1;
            }
            report("new IDs", COUNT / 2);
            heap.end_slide(store).unwrap();
        } else {
            let plan = heap.plan_evacuation().unwrap();
            heap.begin_evacuation(store, plan).unwrap();
            for some in ids.chunks_mut(64) {
                let moving = some.iter().map(|id| id.as_slice()).filter(|id| heap.moves(id));
                for id in moving {
                    let _ = heap.touch(store, id);
                }
                for id in some {
                    if let Some(new) = heap.relocate(store, id.as_slice()).unwrap() {
                        *id = new;
                        moved += 1;
                    }
                }
            }
            heap.end_evacuation(store).unwrap();
        }
        report("move", moved);
        heap.prepare(store).unwrap();
        report("prepare", COUNT / 2);
        println!("{moved} moved, {:?}", heap.stats());
        heap.check(store, ids.iter().map(|id| id.as_slice()), false).unwrap();
        report("check", COUNT / 2);
        for id in &ids {
            heap.remove(store, id.as_slice()).unwrap();
        }
        report("remove the rest", COUNT / 2);
        for i in 0..COUNT / 2 {
            heap.insert(store, &bytes[..length(i)]).unwrap();
        }
        report("insert into holes", COUNT / 2);
        store.flush(|_| vec![0; 48]).unwrap();
        report("flush", COUNT / 2);
    }
}

#[test]
fn every_flipped_byte_is_an_error_or_harmless() {
    let mut model = Model::new(SMALL);
    for i in 0..60 {
        model.insert(9 + i % 40);
    }
    model.insert(300);
    for i in 0..20 {
        model.remove(i);
    }
    model.flush();
    let image = model.bytes.lock().clone();
    let address = model.heap.address();
    for at in 48..image.len() {
        for bit in [0, 3, 7] {
            let mut bytes = image.clone();
            bytes[at] ^= 1 << bit;
            let end = bytes.len() as u64;
            let mut store =
                Store::new(Box::new(MemoryBackend::with_bytes(bytes)), Sizes::EIGHT, 0, end, false).unwrap();
            let Ok(mut heap) = Heap::open(&mut store, address) else { continue };
            let Ok(()) = heap.load(&mut store) else { continue };
            let mut failed = false;
            for id in &model.ids {
                match heap.get(&mut store, id.as_slice()) {
                    // The huge object's bytes have no checksum.
                    Ok(bytes) => assert!(bytes == model.objects[id] || bytes.len() == 300),
                    Err(_) => failed = true,
                }
            }
            if failed {
                continue;
            }
            for id in &model.ids {
                heap.remove(&mut store, id.as_slice()).unwrap();
                let id = heap.insert(&mut store, &[1; 20]).unwrap();
                assert_eq!(heap.get(&mut store, id.as_slice()).unwrap(), [1; 20]);
            }
            heap.prepare(&mut store).unwrap();
        }
    }
}

#[test]
fn a_damaged_free_space_manager_is_not_fatal() {
    let mut model = Model::new(HeapParams::ATTRIBUTES);
    for i in 0..200 {
        model.insert(30 + i % 40);
    }
    for i in 0..60 {
        model.remove(i);
    }
    model.flush();
    let mut image = model.bytes.lock().clone();
    let at = image.windows(4).position(|bytes| bytes == b"FSSE").unwrap();
    image[at + 20] ^= 1;
    let end = image.len() as u64;
    let backend = MemoryBackend::with_bytes(image);
    model.bytes = backend.shared();
    model.store = Store::new(Box::new(backend), Sizes::EIGHT, 0, end, false).unwrap();
    model.heap = Heap::open(&mut model.store, model.heap.address()).unwrap();
    for i in 0..100 {
        model.insert(30 + i % 40);
    }
    assert!(model.heap.free_space_damaged());
    for i in 0..50 {
        model.remove(i);
    }
    model.flush();
    for id in &model.ids {
        assert_eq!(model.heap.get(&mut model.store, id.as_slice()).unwrap(), &model.objects[id][..]);
    }
}

#[test]
fn a_section_of_any_length_is_not_fatal() {
    for size in [u64::MAX, u64::MAX - 100, 1 << 32, 65536] {
        let mut model = Model::new(HeapParams::ATTRIBUTES);
        (0..200).for_each(|i| model.insert(30 + i % 40));
        (0..60).for_each(|i| model.remove(i));
        model.flush();
        let (offset, ..) = model.heap.managed_object(model.ids[100].as_slice()).unwrap();
        let mut image = model.bytes.lock().clone();
        let place = |signature: &[u8]| image.windows(4).position(|bytes| bytes == signature).unwrap();
        let (header_at, list_at) = (place(b"FSHD"), place(b"FSSE"));
        let length = FreeSpaceHeader::length(Sizes::EIGHT);
        let mut header = FreeSpaceHeader::parse(&image[header_at..][..length], Sizes::EIGHT).unwrap();
        (header.max_section, header.serialized) = (u64::MAX, 1);
        header.used = header.list_length(Sizes::EIGHT, 1, 0);
        let list = &mut image[list_at..][..header.used as usize];
        let mut writer = SectionWriter::new(list, &header, header_at as u64, Sizes::EIGHT);
        writer.size(size, 1);
        writer.section(offset, 0, &[]);
        Seal::At(list.len() as u32 - 4).put(list);
        let mut bytes = header.encode(Sizes::EIGHT);
        Seal::At(length as u32 - 4).put(&mut bytes);
        image[header_at..][..length].copy_from_slice(&bytes);
        let end = image.len() as u64;
        model.store = Store::new(Box::new(MemoryBackend::with_bytes(image)), Sizes::EIGHT, 0, end, false).unwrap();
        model.heap = Heap::open(&mut model.store, model.heap.address()).unwrap();
        model.insert(30);
        assert!(model.heap.free_space_damaged());
    }
}

#[test]
fn huge_objects_move_down_in_the_file() {
    let mut model = Model::new(HeapParams::ATTRIBUTES);
    for length in [3_000_000, 50_000, 2_500_000] {
        model.insert(length);
    }
    model.flush();
    model.remove(0);
    model.flush();
    let end = model.store.space().end();
    let moved = model.heap.relocate_above(&mut model.store, 2_900_000, usize::MAX).unwrap();
    assert!(moved > 0);
    model.check();
    model.flush();
    assert!(model.store.space().end() < end - 2_400_000);
    model.reopen();
    model.check();
}

/// What is left stands in large blocks at the heap's end: the small ones before them are there again for it.
#[test]
fn sliding_restores_low_blocks_that_were_given_back() {
    for (params, count, left) in
        [(HeapParams::ATTRIBUTES, 20_000, 30), (HeapParams::LINKS, 5_000, 200), (HeapParams::ATTRIBUTES, 30_000, 4_000)]
    {
        let mut model = half_deleted(params, count, |i| 20 + i * 7919 % 181);
        (0..model.ids.len() - left).rev().for_each(|at| model.remove(at));
        model.flush();
        let fresh = fresh_bytes(&model, params);
        let before = model.heap.stats().file_bytes;
        assert!(before > 2 * fresh, "{before} bytes, fresh {fresh}");
        // What would leave too much at the ends of blocks is left to an evacuation.
        if !model.slide() {
            model.evacuate(usize::MAX);
            model.heap.end_evacuation(&mut model.store).unwrap();
        }
        model.flush();
        model.check();
        let after = model.heap.stats().file_bytes;
        assert!(
            after as f64 <= 1.05 * fresh as f64 + 1024.0,
            "{left} of {count}: {before}, then {after} bytes, fresh {fresh}"
        );
        model.slide();
        model.flush();
        assert!(model.heap.stats().file_bytes <= after, "once is enough");
        model.reopen();
        model.check();
    }
}
