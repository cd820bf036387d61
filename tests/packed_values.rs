//! Values of variable length stand packed after half of them went: what attributes have in sparse collections of the global heap is
//! stored anew. What datasets have there, and what both have together, stays as it is.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{describe, heap_objects_in, random::Random};
use h5r::datatype::{Arena, CharacterSet, Datatype, Number, StringPadding};
use h5r::object::dataset::{DatasetOptions, Selection};
use h5r::object::{CreateOptions, File, GroupOptions, Object, OpenOptions};
use h5r::rebalance::{IncrementalOptions, LazyOptions, SmartOptions};
use h5r::store::MemoryBackend;
use parking_lot::Mutex;

type Disk = Arc<Mutex<Vec<u8>>>;

const COUNT: u64 = 3000;
const OBJECTS: u64 = 3;
const ROWS: u64 = 300;

fn text() -> Datatype {
    Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap()
}

fn bytes(random: &mut Random, most: u64) -> Vec<u8> {
    let length = random.below(most) as usize;
    [vec![b'a' + random.below(26) as u8; length], vec![0]].concat()
}

/// A text, three of them, or a text and a sequence.
fn put(object: &Object, number: u64) {
    let (mut random, mut arena) = (Random::new(number), Arena::default());
    let mut add = |bytes: Vec<u8>| arena.add(bytes).to_ne_bytes();
    let name = format!("attribute {number:05}");
    let (datatype, dims, data) = match number % 10 {
        0..7 => (text(), vec![], add(bytes(&mut random, 120)).to_vec()),
        7 | 8 => (text(), vec![3], (0..3).flat_map(|_| add(bytes(&mut random, 30))).collect()),
        _ => {
            let list = Datatype::sequence(&Datatype::little(Number::I32)).unwrap();
            let both = Datatype::compound(24).unwrap().with_member("text", 0, &text()).unwrap();
            let elements = random.below(20);
            let sequence = [elements.to_ne_bytes(), add(random.bytes(4 * elements as usize))].concat();
            let data = [add(bytes(&mut random, 60)).to_vec(), sequence].concat();
            (both.with_member("list", 8, &list).unwrap(), vec![], data)
        }
    };
    object.attr_write_values(&name, &datatype, None, &dims, &data, &mut arena).unwrap();
}

fn write_row(dataset: &Object, row: u64) {
    let (mut random, mut arena) = (Random::new(row), Arena::default());
    let data = arena.add(bytes(&mut random, 200)).to_ne_bytes();
    let selection = Selection { start: Some(&[row]), count: Some(&[1]), ..Selection::default() };
    dataset.dataset_write_values(&text(), Some(&selection), |_| Ok(&data), &mut arena).unwrap();
}

/// With or without rows of a dataset among the attributes; those that stay.
fn fill(file: &File, rows: bool, stays: impl Fn(u64) -> bool) {
    let root = file.root().unwrap();
    let objects: Vec<Object> =
        (0..OBJECTS).map(|n| root.create_group(&format!("g{n}"), &GroupOptions::default()).unwrap()).collect();
    let dataset = root.create_dataset("rows", &text(), &[ROWS], &DatasetOptions::default()).unwrap();
    for number in 0..COUNT {
        if stays(number) {
            put(&objects[(number % OBJECTS) as usize], number);
        }
        if rows && number.is_multiple_of(COUNT / ROWS) {
            write_row(&dataset, number / (COUNT / ROWS));
        }
    }
}

fn create(rows: bool, stays: impl Fn(u64) -> bool) -> Vec<u8> {
    let backend = MemoryBackend::new();
    let disk = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("values"), &CreateOptions::default()).unwrap();
    fill(&file, rows, stays);
    file.close().unwrap();
    let bytes = disk.lock().clone();
    bytes
}

fn open(bytes: &[u8]) -> (File, Disk) {
    let backend = MemoryBackend::with_bytes(bytes.to_vec());
    let disk = backend.shared();
    (File::open_on(Box::new(backend), Path::new("values"), &OpenOptions::default()).unwrap(), disk)
}

fn set(file: &File, mode: &str) {
    match mode {
        "lazy" => file.set_lazy(&LazyOptions::default()).unwrap(),
        "incremental" => {
            file.set_lazy(&LazyOptions::default()).unwrap();
            file.set_incremental(IncrementalOptions::default()).unwrap();
        }
        "smart" => file.set_smart(SmartOptions { min_file_size: 0, ..SmartOptions::default() }).unwrap(),
        _ => file.set_none().unwrap(),
    }
}

/// Opens the file, in a mode, deletes what does not stay, and closes it.
fn thin_out(before: &[u8], mode: &str, stays: impl Fn(u64) -> bool) -> Vec<u8> {
    let (file, disk) = open(before);
    set(&file, mode);
    for number in (0..COUNT).filter(|&number| !stays(number)) {
        let object = file.root().unwrap().open(&format!("g{}", number % OBJECTS)).unwrap();
        object.attr_delete(&format!("attribute {number:05}")).unwrap();
    }
    if mode == "asked" {
        file.rebalance().unwrap();
        file.flush().unwrap();
        file.check().unwrap();
    }
    file.close().unwrap();
    let bytes = disk.lock().clone();
    bytes
}

/// Where the collections stand.
fn collections(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"GCOL\x01")).collect()
}

fn read(bytes: &[u8]) -> common::Contents {
    let (file, _) = open(bytes);
    file.check_flushed().unwrap();
    describe(&file).unwrap()
}

#[test]
fn values_of_variable_length_are_packed_where_half_of_them_went() {
    for rows in [false, true] {
        let half = |number: u64| number.wrapping_mul(2_654_435_761) >> 8 & 1 == 0;
        let (before, fresh) = (create(rows, |_| true), create(rows, half));
        let expected = read(&fresh);
        for mode in ["none", "lazy", "incremental", "smart", "asked"] {
            let after = thin_out(&before, mode, half);
            assert!(read(&after) == expected, "{mode}: {}", common::difference(&expected, &read(&after)));
            assert_eq!(heap_objects_in(&after), heap_objects_in(&fresh), "{mode}");
            let count = [&after, &fresh].map(|bytes| collections(bytes).len());
            assert!(mode == "none" || rows || count[0] <= count[1] + 1, "{mode}: {count:?}");
            let (size, fresh) = (after.len(), fresh.len());
            match (mode, rows) {
                ("none", _) => assert!(size > fresh * 3 / 2, "none: {size} bytes, fresh {fresh}"),
                (_, false) => assert!(size <= fresh * 21 / 20 + 4096, "{mode}: {size} bytes, fresh {fresh}"),
                // Collections that the dataset has values in stay.
                (_, true) => assert!(size > fresh, "{mode}: {size} bytes, fresh {fresh}"),
            }
        }
    }
}

/// Much else is in the file, so that it does not end in collections that would move down anyway.
#[test]
fn collections_are_few_also_where_they_are_a_small_part() {
    let backend = MemoryBackend::new();
    let disk = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("values"), &CreateOptions::default()).unwrap();
    fill(&file, false, |_| true);
    let root = file.root().unwrap();
    let much =
        root.create_dataset("much", &Datatype::little(Number::I32), &[1 << 20], &DatasetOptions::default()).unwrap();
    much.dataset_write(&Datatype::little(Number::I32), None, &vec![7; 4 << 20]).unwrap();
    file.close().unwrap();
    let half = |number: u64| number.wrapping_mul(2_654_435_761) >> 8 & 1 == 0;
    let before = disk.lock().clone();
    let after = thin_out(&before, "lazy", half);
    let (count, fresh) = (collections(&after).len(), collections(&create(false, half)).len());
    assert!(count <= fresh + 2, "{count} collections of {}, fresh {fresh}", collections(&before).len());
    assert_eq!(heap_objects_in(&after), heap_objects_in(&create(false, half)));
}

/// What does not fit together stays where it is, however much of its collection is free.
#[test]
fn values_that_share_no_collection_stay() {
    for length in [1500, 2500, 3000, 5000] {
        let backend = MemoryBackend::new();
        let disk = backend.shared();
        let file = File::create_on(Box::new(backend), Path::new("values"), &CreateOptions::default()).unwrap();
        for number in 0..60 {
            let mut arena = Arena::default();
            let data = arena.add([vec![b'x'; length], vec![0]].concat()).to_ne_bytes();
            file.root()
                .unwrap()
                .attr_write_values(&format!("{number}"), &text(), None, &[], &data, &mut arena)
                .unwrap();
        }
        file.close().unwrap();
        let before = disk.lock().clone();
        let (file, disk) = open(&before);
        file.rebalance().unwrap();
        file.close().unwrap();
        assert_eq!(collections(&disk.lock()), collections(&before), "{length} bytes");
    }
}

/// A value that is shorter than its element says, and one that is gone: what was changed is saved all the same.
#[test]
fn damaged_values_keep_nothing_from_being_saved() {
    let half = |number: u64| number.wrapping_mul(2_654_435_761) >> 8 & 1 == 0;
    let sound = create(false, |_| true);
    let all = collections(&sound);
    for (mode, which, at, change) in [("lazy", 3, 24, 1), ("lazy", 40, 24, 1), ("asked", 3, 24, 1), ("lazy", 5, 16, 99)]
    {
        let mut before = sound.clone();
        // Of the collection's first object the size, or the index.
        let byte = &mut before[all[which] + at];
        *byte = if change == 1 { byte.wrapping_sub(1) } else { change };
        let after = thin_out(&before, mode, half);
        let (file, _) = open(&after);
        for number in 0..COUNT {
            let group = file.root().unwrap().open(&format!("g{}", number % OBJECTS)).unwrap();
            assert_eq!(group.attr_exists(&format!("attribute {number:05}")).unwrap(), half(number), "{number}");
        }
    }
}

/// Nothing was deleted: what few are left of in a store stays there, though its blocks may be packed.
#[test]
fn who_only_reads_brings_nothing_back() {
    let backend = MemoryBackend::new();
    let disk = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("values"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    (0..9).for_each(|number| put(&root, number));
    root.attr_delete("attribute 00008").unwrap();
    file.close().unwrap();
    let before = disk.lock().clone();
    let (file, disk) = open(&before);
    set(&file, "lazy");
    assert_eq!(file.root().unwrap().attr_names(h5r::object::Order::Name).unwrap().len(), 8);
    file.close().unwrap();
    assert!(disk.lock().len() + 1024 > before.len(), "{} bytes, {} before", disk.lock().len(), before.len());
    let (file, disk) = open(&before);
    file.rebalance().unwrap();
    file.close().unwrap();
    assert!(disk.lock().len() + 1024 < before.len(), "{} bytes, {} before", disk.lock().len(), before.len());
}

/// One change, the same for each file that it is made in.
fn change(file: &File, seed: u64) {
    let mut random = Random::new(seed);
    let root = file.root().unwrap();
    let name = format!("g{}", random.below(OBJECTS));
    let Ok(group) = root.open(&name) else {
        root.create_group(&name, &GroupOptions::default()).unwrap();
        return;
    };
    let (first, count) = (random.below(300), random.below(120));
    let attribute = |number: u64| format!("attribute {number:05}");
    let there = |number: &u64| group.attr_exists(&attribute(*number)).unwrap();
    match random.below(10) {
        0..4 => (first..first + count).for_each(|number| put(&group, number)),
        4..7 => {
            for number in (0..450).filter(there).filter(|_| random.one_in(2)) {
                group.attr_delete(&attribute(number)).unwrap();
            }
        }
        7 => {
            // All but some, which fit into the header.
            let stay = 5 + random.below(5) as usize;
            let mut all: Vec<u64> = (0..450).filter(there).collect();
            while all.len() > stay {
                let number = all.swap_remove(random.below(all.len() as u64) as usize);
                group.attr_delete(&attribute(number)).unwrap();
            }
        }
        8 if random.one_in(4) => root.link_delete(&name).unwrap(),
        _ => {
            let rows = root.open("rows").unwrap();
            (0..random.below(40)).for_each(|_| write_row(&rows, random.below(ROWS)));
        }
    }
}

/// Random changes in a file of each mode, and in one where nothing is ever rebalanced.
#[test]
fn what_is_packed_again_and_again_is_what_it_was() {
    for seed in 0..cases() {
        let mut random = Random::new(seed);
        let modes = ["none", "lazy", "incremental", "smart"];
        let mut disks = [create(true, |number| number < 200), create(true, |number| number < 200)];
        for _ in 0..4 {
            let files = disks.each_ref().map(|disk| open(disk));
            let mode = modes[random.below(4) as usize];
            set(&files[1].0, mode);
            for _ in 0..random.below(8) {
                let number = random.next();
                files.iter().for_each(|(file, _)| change(file, number));
                match random.below(4) {
                    0 => files.iter().for_each(|(file, _)| file.flush().unwrap()),
                    1 => files[1].0.rebalance().unwrap(),
                    _ => {}
                }
                files[1].0.check().unwrap();
            }
            let expected = describe(&files[0].0).unwrap();
            let found = describe(&files[1].0).unwrap();
            assert!(found == expected, "seed {seed}, {mode}: {}", common::difference(&expected, &found));
            files.iter().for_each(|(file, _)| file.close().unwrap());
            disks = files.map(|(_, disk)| disk.lock().clone());
            assert!(read(&disks[1]) == expected, "seed {seed}, {mode}, closed");
            assert_eq!(heap_objects_in(&disks[1]), heap_objects_in(&disks[0]), "seed {seed}, {mode}");
            let used = disks
                .each_ref()
                .map(|disk| open(disk).0.used_extents().unwrap().iter().map(|used| used.1).sum::<u64>());
            assert!(used[1] <= used[0] * 5 / 4 + 8192, "seed {seed}, {mode}: {used:?}");
        }
    }
}

fn cases() -> u64 {
    std::env::var("H5R_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}
