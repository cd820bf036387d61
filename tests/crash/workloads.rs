//! What is done to the files: every operation of the library, in every mode.

use h5r::datatype::{Datatype, Number};
use h5r::object::dataset::{DatasetOptions, NewLayout};
use h5r::object::{Durability, GroupOptions, Object, ObjectKind, Order, Phase};

use crate::chunks::{chunks, early_chunks, foreign_chunks};
use crate::common::random::Random;
use crate::common::superblock;
use crate::copies::copies;
use crate::moves::{headers, interleaved_moves, moves, packed_values, variable};
use crate::record::{Recorder, Recording, Setup, MODES};
use crate::shared::shared;

/// Files that libhdf5 wrote: with superblock 2, 3, in its latest format, and in its oldest; some of them behind a user
/// block.
const FOREIGN: [(&str, &[u8], Workload); 18] = [
    ("foreign 1.8", include_bytes!("../data/foreign_v108.h5"), foreign),
    ("foreign 1.10", include_bytes!("../data/foreign_v110.h5"), foreign),
    ("foreign latest", include_bytes!("../data/foreign_latest.h5"), foreign),
    ("user block, latest", include_bytes!("../data/foreign_latest.h5"), foreign),
    ("foreign chunks 1.8", include_bytes!("../data/chunks_v108.h5"), foreign_chunks),
    ("foreign chunks latest", include_bytes!("../../fuzz/seeds/libhdf5_latest_chunked.h5"), foreign_chunks),
    ("oldest", include_bytes!("../data/old.h5"), mixed),
    ("oldest, small and behind a user block", include_bytes!("../data/old_small.h5"), mixed),
    ("user block, oldest", include_bytes!("../data/old.h5"), mixed),
    ("oldest, chunks, behind a user block", include_bytes!("../data/old_small.h5"), chunks),
    ("user block, chunks", include_bytes!("../data/datasets.h5"), chunks),
    ("copies, 1.8", include_bytes!("../data/foreign_v108.h5"), copies),
    ("copies, latest", include_bytes!("../../fuzz/seeds/libhdf5_latest_chunked.h5"), copies),
    ("copies, oldest", include_bytes!("../data/old_small.h5"), copies),
    ("user block, copies", include_bytes!("../data/datasets.h5"), copies),
    ("shared messages, listed", include_bytes!("../data/shared_list.h5"), shared),
    ("shared messages, in a tree", include_bytes!("../data/shared_tree.h5"), shared),
    ("user block, oldest, shared messages", include_bytes!("../data/shared_old.h5"), shared),
];

type Workload = fn(&mut Recorder, &mut Random);

/// Workloads that begin with a new file.
const NEW: [(&str, Workload); 19] = [
    ("attributes", attributes),
    ("links", links),
    ("datasets", datasets),
    ("huge", huge),
    ("small flushes", small_flushes),
    ("sessions", sessions),
    ("rebalance", rebalance),
    ("mixed", mixed),
    ("overwrite", overwrite),
    ("levels", levels),
    ("large", large),
    ("chunks", chunks),
    ("early chunks", early_chunks),
    ("moves", moves),
    ("interleaved moves", interleaved_moves),
    ("headers", headers),
    ("variable", variable),
    ("packed values", packed_values),
    ("even", even),
];

pub fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

/// The workloads that have this word in their name (all for an empty one), all run alike.
pub fn record(word: &str, seed: u64, setup: Setup) -> Vec<Recording> {
    let mut recordings = Vec::new();
    for (name, workload) in NEW.iter().filter(|(name, _)| name.contains(word)) {
        let mut random = Random::new(seed);
        let phase = Phase { track_order: random.one_in(2), index_order: false, ..Phase::default() };
        let phase = Phase { index_order: phase.track_order && random.one_in(2), ..phase };
        let root = GroupOptions { links: phase, attributes: phase };
        let mut recorder = Recorder::create(&format!("{name} #{seed}"), setup, root);
        workload(&mut recorder, &mut random);
        recordings.push(recorder.finish());
    }
    for (name, bytes, workload) in FOREIGN.iter().filter(|(name, ..)| name.contains(word)) {
        let mut random = Random::new(seed);
        let bytes = if name.starts_with("user block") { behind_user_block(bytes) } else { bytes.to_vec() };
        let mut recorder = Recorder::open(&format!("{name} #{seed}"), setup, &bytes);
        workload(&mut recorder, &mut random);
        recordings.push(recorder.finish());
    }
    recordings
}

/// The same file, behind 1024 bytes that are not HDF5's.
fn behind_user_block(bytes: &[u8]) -> Vec<u8> {
    let mut superblock = superblock(bytes).unwrap();
    superblock.base = 1024;
    let mut moved = vec![b'u'; 1024];
    moved.extend(superblock.encode(superblock.end));
    moved.extend(&bytes[superblock.len()..]);
    moved
}

/// What is done to a file after the crash.
pub fn second_life(first: &str, crashed: &[u8], seed: u64, setup: Setup) -> Recording {
    let mut recorder = Recorder::open(&format!("second life #{seed} of {first}"), setup, crashed);
    mixed(&mut recorder, &mut Random::new(seed));
    recorder.finish()
}

/// All workloads for a seed, the modes and levels in turn; of those that `H5R_CRASH_WORKLOAD` names, if it is set.
pub fn all(seed: u64) -> Vec<Recording> {
    let word = std::env::var("H5R_CRASH_WORKLOAD").unwrap_or_default();
    let names = NEW.iter().map(|(name, _)| name).chain(FOREIGN.iter().map(|(name, ..)| name));
    let names = names.filter(|name| name.contains(&word));
    let turns = names.enumerate().flat_map(|(turn, name)| {
        let durability = [Durability::Process, Durability::Power];
        durability.map(|durability| {
            let mode = MODES[(turn + seed as usize + usize::from(durability == Durability::Power)) % MODES.len()];
            record(name, seed, Setup { mode, durability, reuse_at_once: false })
        })
    });
    turns.flatten().collect()
}

fn put(object: &Object, name: &str, words: usize, value: u8) {
    object.attr_write(name, &i32(), &[words as u64], &vec![value; words * 4]).unwrap();
}

fn put_many(object: &Object, prefix: &str, range: std::ops::Range<u32>, words: usize) {
    range.for_each(|n| put(object, &format!("{prefix}{n:04}"), words, n as u8));
}

/// Deletes attributes, one in `keep` stays.
fn thin(object: &Object, random: &mut Random, keep: u64) {
    for name in object.attr_names(Order::Name).unwrap() {
        if !random.one_in(keep) {
            object.attr_delete(&name).unwrap();
        }
    }
}

fn attributes(r: &mut Recorder, random: &mut Random) {
    put_many(&r.root(), "a", 0..150, 3);
    r.flush();
    thin(&r.root(), random, 3);
    r.wait_for_sweep();
    r.flush();
    for name in r.root().attr_names(Order::Name).unwrap() {
        match random.below(3) {
            0 => r.root().attr_rename(&name, &format!("renamed {name}")).unwrap(),
            1 => put(&r.root(), &name, 1 + random.below(40) as usize, 77),
            _ => {}
        }
    }
    r.flush();
    thin(&r.root(), random, 20);
    r.wait();
    put_many(&r.root(), "b", 0..4, 600);
    r.flush();
    put_many(&r.root(), "c", 0..60, 5);
}

/// Members of one length, so that those that are left take the places of those that went.
fn even(r: &mut Recorder, random: &mut Random) {
    let group = r.root().create_group("group", &GroupOptions::default()).unwrap();
    put_many(&r.root(), "a", 0..400, 3);
    (0..300).for_each(|n| group.link_create_soft(&format!("l{n:03}"), "/a").unwrap());
    drop(group);
    r.flush();
    for round in 0..4u32 {
        let group = r.at("group");
        thin(&r.root(), random, 2);
        for name in group.links(Order::Name).unwrap().into_iter().map(|link| link.0) {
            if random.one_in(2) {
                group.link_delete(&name).unwrap();
            }
        }
        match round {
            // What the heap's last block has is not in the file yet.
            1 => put_many(&r.root(), "b", 0..30, 3),
            2 => r.file().rebalance().unwrap(),
            _ => {}
        }
        r.flush();
        put_many(&r.root(), "c", round * 200..round * 200 + 200, 3);
        (0..150).for_each(|n| group.link_create_soft(&format!("{round}{n:03}"), "/a").unwrap());
        drop(group);
        if round == 2 {
            r.reopen();
        } else {
            r.flush();
        }
    }
}

fn links(r: &mut Recorder, random: &mut Random) {
    for n in 0..6 {
        let group = r.root().create_group(&format!("g{n}"), &GroupOptions::default()).unwrap();
        put(&group, "number", 1, n);
        for l in 0..(n as u32 * 8) {
            group.link_create_soft(&format!("s{l}"), &format!("/g0/{l}")).unwrap();
        }
    }
    r.flush();
    for n in 0..30 {
        r.root().link_create_hard(&format!("h{n}"), &r.at(&format!("g{}", n % 6))).unwrap();
    }
    for l in 0..20 {
        r.at("g5").link_move(&format!("s{l}"), &r.at("g1"), &format!("moved {l}")).unwrap();
    }
    r.flush();
    r.root().link_move("g4", &r.at("g2"), "below").unwrap();
    for n in 0..30 {
        if !random.one_in(4) {
            r.root().link_delete(&format!("h{n}")).unwrap();
        }
    }
    r.wait();
    r.flush();
    r.root().link_delete("g5").unwrap();
    r.root().link_delete("g2").unwrap();
    r.flush();
    (0..12).for_each(|n| drop(r.root().create_group(&format!("new{n}"), &GroupOptions::default()).unwrap()));
}

fn dataset(parent: &Object, name: &str, words: usize, value: u8, layout: NewLayout) {
    let options = DatasetOptions { layout, ..DatasetOptions::default() };
    let dataset = parent.create_dataset(name, &i32(), &[words as u64], &options).unwrap();
    dataset.dataset_write(&i32(), None, &vec![value; words * 4]).unwrap();
}

fn datasets(r: &mut Recorder, random: &mut Random) {
    for n in 0..8 {
        dataset(&r.root(), &format!("d{n}"), 50 + random.below(700) as usize, n, NewLayout::Contiguous);
        put(&r.at(&format!("d{n}")), "units", 2, n);
    }
    dataset(&r.root(), "compact", 30, 1, NewLayout::Compact);
    r.flush();
    for round in 0..4u8 {
        // The space of what goes is free for what comes only after the next flush.
        for _ in 0..3 {
            let n = random.below(8) as u8;
            let name = format!("d{n}");
            if r.root().link_exists(&name).unwrap() {
                r.root().link_delete(&name).unwrap();
            } else {
                dataset(&r.root(), &name, 50 + random.below(700) as usize, round * 16 + n, NewLayout::Contiguous);
            }
        }
        dataset(
            &r.root(),
            &format!("new{round}"),
            100 + random.below(300) as usize,
            200 + round,
            NewLayout::Contiguous,
        );
        r.at("compact").dataset_write(&i32(), None, &[round; 120]).unwrap();
        r.flush();
    }
}

fn huge(r: &mut Recorder, random: &mut Random) {
    put(&r.root(), "k70", 17_500, 1);
    put_many(&r.root(), "k5_", 0..4, 1300);
    put_many(&r.root(), "small", 0..12, 1);
    r.flush();
    put(&r.root(), "k70", 16_500 + random.below(900) as usize, 2);
    r.root().attr_delete("k5_0001").unwrap();
    r.flush();
    r.root().attr_delete("k70").unwrap();
    r.flush();
    put_many(&r.root(), "k9_", 0..3, 2300);
    r.root().attr_rename("k5_0002", "other").unwrap();
    r.flush();
    thin(&r.root(), random, 5);
}

fn small_flushes(r: &mut Recorder, random: &mut Random) {
    put_many(&r.root(), "a", 0..30, 1);
    r.root().create_group("g", &GroupOptions::default()).unwrap();
    r.flush();
    for n in 0..25 {
        let name = format!("a{:04}", random.below(30));
        match random.below(4) {
            0 if r.root().attr_exists(&name).unwrap() => r.root().attr_delete(&name).unwrap(),
            1 => put(&r.at("g"), &name, 1, n),
            // The same size: changes in place, the file's end stays.
            _ => put(&r.root(), &name, 1, n),
        }
        r.flush();
    }
}

fn sessions(r: &mut Recorder, random: &mut Random) {
    put_many(&r.root(), "a", 0..100, 4);
    for n in 0..6u32 {
        r.reopen();
        put_many(&r.root(), "b", n * 10..n * 10 + 25, 2);
        thin(&r.root(), random, 2);
        if n % 2 == 0 {
            r.flush();
        }
        dataset(&r.root(), &format!("d{n}"), 300, n as u8, NewLayout::Contiguous);
        if n > 1 {
            r.root().link_delete(&format!("d{}", n - 2)).unwrap();
        }
    }
}

fn rebalance(r: &mut Recorder, random: &mut Random) {
    put_many(&r.root(), "a", 0..400, 8);
    for n in 0..60 {
        r.root().link_create_soft(&format!("link {n:03}"), "/nowhere").unwrap();
    }
    r.flush();
    thin(&r.root(), random, 8);
    r.file().rebalance().unwrap();
    r.flush();
    for n in 0..60 {
        if !random.one_in(10) {
            r.root().link_delete(&format!("link {n:03}")).unwrap();
        }
    }
    r.flush();
    r.file().rebalance().unwrap();
    put(&r.root(), "last", 1, 9);
}

fn overwrite(r: &mut Recorder, random: &mut Random) {
    r.compare_without_data();
    for n in 0..4 {
        dataset(&r.root(), &format!("d{n}"), 700, n, NewLayout::Contiguous);
    }
    r.flush();
    for round in 0..5 {
        let name = format!("d{}", random.below(4));
        r.at(&name).dataset_write(&i32(), None, &[round; 2800]).unwrap();
        put(&r.at(&name), &format!("round{round}"), 1, round);
        r.flush();
    }
}

/// The level changes between flushes.
fn levels(r: &mut Recorder, random: &mut Random) {
    put_many(&r.root(), "a", 0..60, 2);
    for round in 0..9 {
        let levels = [Durability::None, Durability::Process, Durability::Power];
        r.set_durability(levels[round % levels.len()]);
        r.flush();
        put_many(&r.root(), "b", random.below(50) as u32..60, 1 + round);
        thin(&r.root(), random, 2);
    }
}

fn foreign(r: &mut Recorder, random: &mut Random) {
    for name in ["many_plain", "many_tracked", "many_indexed"] {
        let object = r.at(name);
        for number in 0..80 {
            if !random.one_in(4) {
                object.attr_delete(&format!("name_{number:03}")).unwrap();
            }
        }
        put_many(&object, "new", 0..20, 1);
        for number in 0..50 {
            object.link_delete(&format!("soft_{number}")).unwrap();
        }
        r.wait();
        r.flush();
    }
    r.at("values_dense").attr_rename("compound", "renamed").unwrap();
    r.at("big").attr_delete("70k").unwrap();
    r.root().link_delete("level0").unwrap();
    r.root().link_delete("chunked").unwrap();
    r.flush();
    r.root().create_group("fresh", &GroupOptions::default()).unwrap();
    dataset(&r.root(), "fresh data", 900, 3, NewLayout::Contiguous);
    r.file().rebalance().unwrap();
    r.reopen();
    put_many(&r.at("fresh"), "a", 0..12, 2);
}

/// Deep indexes and large heap blocks, of which flushes change parts.
fn large(r: &mut Recorder, random: &mut Random) {
    put_many(&r.root(), "a", 0..2500, 25);
    r.flush();
    for round in 0..6u8 {
        for _ in 0..4 {
            put(&r.root(), &format!("a{:04}", random.below(2500)), 25, round);
        }
        let name = format!("a{:04}", random.below(2500));
        if r.root().attr_exists(&name).unwrap() {
            r.root().attr_delete(&name).unwrap();
        }
        r.flush();
    }
    thin(&r.root(), random, 5);
    r.wait();
    r.flush();
    r.file().rebalance().unwrap();
    r.flush();
    put_many(&r.root(), "b", 0..200, 25);
}

/// Anything.
pub fn mixed(r: &mut Recorder, random: &mut Random) {
    for step in 0..60u32 {
        let objects = [r.root(), any_object(r, random)];
        let object = &objects[random.below(2) as usize];
        let is_group = object.kind().unwrap() == ObjectKind::Group;
        let (name, value) = (format!("n{}", random.below(12)), random.below(256) as u8);
        match random.below(13) {
            0..=2 => put_many(object, "m", step..step + random.below(30) as u32, 1 + random.below(9) as usize),
            3 => put(object, &name, 1 + random.below(2000) as usize, value),
            4 | 5 => thin(object, random, 3),
            6 if is_group && !object.link_exists(&name).unwrap() => {
                drop(object.create_group(&name, &GroupOptions::default()).unwrap())
            }
            7 if is_group && !object.link_exists(&name).unwrap() => {
                dataset(object, &name, 1 + random.below(900) as usize, value, NewLayout::Contiguous)
            }
            8 if is_group && object.link_exists(&name).unwrap() => object.link_delete(&name).unwrap(),
            9 if is_group && !object.link_exists(&name).unwrap() => object.link_create_soft(&name, "/x").unwrap(),
            10 => r.wait(),
            11 if random.one_in(4) => r.reopen(),
            11 if random.one_in(3) => r.file().rebalance().unwrap(),
            _ => r.flush(),
        }
    }
}

/// An object one or two links below the root group, or that group.
fn any_object(r: &Recorder, random: &mut Random) -> Object {
    let mut object = r.root();
    for _ in 0..2 {
        if object.kind().unwrap() != ObjectKind::Group {
            break;
        }
        let below = object.links(Order::Name).unwrap();
        match below.get(random.below(below.len() as u64 + 1) as usize).map(|(name, _)| object.open(name)) {
            Some(Ok(found)) => object = found,
            _ => break,
        }
    }
    object
}
