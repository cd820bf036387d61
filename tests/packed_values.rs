//! Values of variable length stand packed after half of them went: what attributes have in sparse collections of the global heap is
//! stored anew. What datasets have there, and what both have together, stays as it is.

mod common;

use std::path::Path;

use common::{describe, heap_objects_in, random::Random};
use h5r::datatype::{Arena, CharacterSet, Datatype, Number, StringPadding};
use h5r::object::dataset::{DatasetOptions, Selection};
use h5r::object::{CreateOptions, File, GroupOptions, Object, OpenOptions};
use h5r::rebalance::{IncrementalOptions, LazyOptions, SmartOptions};
use h5r::store::MemoryBackend;

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

/// Opens the file, in a mode, deletes what does not stay, and closes it.
fn thin_out(before: &[u8], mode: &str, stays: impl Fn(u64) -> bool) -> Vec<u8> {
    let backend = MemoryBackend::with_bytes(before.to_vec());
    let disk = backend.shared();
    let file = File::open_on(Box::new(backend), Path::new("values"), &OpenOptions::default()).unwrap();
    match mode {
        "lazy" => file.set_lazy(&LazyOptions::default()).unwrap(),
        "incremental" => {
            file.set_lazy(&LazyOptions::default()).unwrap();
            file.set_incremental(IncrementalOptions::default()).unwrap();
        }
        "smart" => file.set_smart(SmartOptions { min_file_size: 0, ..SmartOptions::default() }).unwrap(),
        _ => {}
    }
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

fn read(bytes: &[u8]) -> common::Contents {
    let backend = MemoryBackend::with_bytes(bytes.to_vec());
    let file = File::open_on(Box::new(backend), Path::new("values"), &OpenOptions::default()).unwrap();
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
