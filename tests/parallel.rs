//! Chunks that several threads encode and decode: the file is the same as with one, threads of the user may work on the same
//! file at once, and whoever reads while others write sees whole chunks.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use h5r::datatype::{Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::dataset::{DatasetOptions, NewLayout, Selection};
use h5r::object::{CreateOptions, File, GroupOptions, Io, Object, OpenOptions};

const I32: Datatype = Datatype::little(Number::I32);
const I64: Datatype = Datatype::little(Number::I64);

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("h5r-parallel-{}-{name}.h5", std::process::id()))
}

fn create(name: &str, threads: u32) -> (File, PathBuf) {
    let path = path(name);
    (File::create(&path, &CreateOptions { threads, ..CreateOptions::default() }).unwrap(), path)
}

fn options(chunk: &[u64], max: &[u64], filtered: bool) -> DatasetOptions {
    DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(chunk.to_vec()),
        max_dims: Some(max.to_vec()),
        shuffle: filtered,
        deflate: filtered.then_some(3),
        fletcher32: filtered,
        ..DatasetOptions::default()
    }
}

fn pattern(count: usize, salt: i32) -> Vec<i32> {
    (0..count as i32).map(|i| i.wrapping_mul(0x9e37_79b1u32 as i32) >> (i % 23) ^ salt).collect()
}

fn bytes_of(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn read_all(dataset: &Object, count: usize) -> Vec<i32> {
    let mut out = vec![0xaa; 4 * count];
    dataset.dataset_read(&I32, None, &mut out).unwrap();
    out.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect()
}

/// The places and sizes of what the file uses; its bytes hold times.
fn used(path: &Path) -> Vec<(u64, u64)> {
    let file = File::open(path, &OpenOptions { read_only: true, ..OpenOptions::default() }).unwrap();
    file.check().unwrap();
    file.used_extents().unwrap()
}

#[test]
fn any_number_of_threads_makes_the_same_file() {
    const DIMS: [u64; 2] = [500, 301];
    let values = pattern(500 * 301, 5);
    let mut expected = None;
    for threads in [1, 2, 5] {
        let (file, path) = create(&format!("same-{threads}"), threads);
        let root = file.root().unwrap();
        for (name, filtered, max) in
            [("a", true, DIMS), ("b", false, DIMS), ("c", true, [u64::MAX, 301]), ("d", true, [u64::MAX, u64::MAX])]
        {
            let dataset = root.create_dataset(name, &I32, &DIMS, &options(&[64, 50], &max, filtered)).unwrap();
            dataset.dataset_write(&I32, None, &bytes_of(&values)).unwrap();
            assert!(read_all(&dataset, values.len()) == values, "{name} before the flush, {threads} threads");
        }
        file.close().unwrap();
        let file = File::open(&path, &OpenOptions { threads, ..OpenOptions::default() }).unwrap();
        let root = file.root().unwrap();
        for name in ["a", "b", "c", "d"] {
            let dataset = root.open(name).unwrap();
            assert!(read_all(&dataset, values.len()) == values, "{name}, {threads} threads");
            // Converted, and every other column of some rows.
            let (start, stride, count) = ([3, 1], [1, 2], [480, 150]);
            let selection =
                Selection { start: Some(&start), stride: Some(&stride), count: Some(&count), ..Selection::default() };
            let mut out = vec![0; 8 * 480 * 150];
            dataset.dataset_read(&I64, Some(&selection), &mut out).unwrap();
            for (at, &bytes) in out.as_chunks().0.iter().enumerate() {
                let (row, column) = (3 + at / 150, 1 + at % 150 * 2);
                assert_eq!(i64::from_le_bytes(bytes), i64::from(values[row * 301 + column]), "{name} {row} {column}");
            }
        }
        file.close().unwrap();
        let found = used(&path);
        assert_eq!(expected.get_or_insert_with(|| found.clone()), &found, "{threads} threads");
        std::fs::remove_file(&path).unwrap();
    }
}

/// Many small chunks and many groups, so that flushes and reads have much to do at once.
#[test]
fn any_way_to_the_bytes_makes_the_same_file() {
    const COUNT: usize = 300_000;
    let values = pattern(COUNT, 5);
    let mut expected = None;
    for (io, name) in [(Io::Standard, "standard"), (Io::Direct, "direct"), (Io::Ring, "ring")] {
        let path = path(name);
        let file = File::create(&path, &CreateOptions { io, ..CreateOptions::default() }).unwrap();
        let root = file.root().unwrap();
        for (name, filtered) in [("filtered", true), ("plain", false)] {
            let made = options(&[1000], &[COUNT as u64], filtered);
            let dataset = root.create_dataset(name, &I32, &[COUNT as u64], &made).unwrap();
            dataset.dataset_write(&I32, None, &bytes_of(&values)).unwrap();
            let part = Selection { start: Some(&[70_500]), count: Some(&[90_000]), ..Selection::default() };
            dataset.dataset_write(&I32, Some(&part), &bytes_of(&values[..90_000])).unwrap();
            for number in 0..300 {
                root.create_group(&format!("{name}{number}"), &GroupOptions::default()).unwrap();
            }
            file.flush().unwrap();
            (0..300).step_by(3).for_each(|number| root.link_delete(&format!("{name}{number}")).unwrap());
        }
        file.close().unwrap();
        let found = used(&path);
        assert_eq!(*expected.get_or_insert(found.clone()), found, "{name}");
        let mut written = values.clone();
        written[70_500..160_500].copy_from_slice(&values[..90_000]);
        for io in [Io::Standard, Io::Map, Io::Direct, Io::Ring] {
            let read_only = OpenOptions { read_only: true, io, ..OpenOptions::default() };
            let file = File::open(&path, &read_only).unwrap();
            file.check().unwrap();
            for dataset in ["filtered", "plain"] {
                let dataset = file.root().unwrap().open(dataset).unwrap();
                assert_eq!(read_all(&dataset, COUNT), written, "{name}, {io:?}");
                let mut rows = vec![0; 4 * 10_000];
                let every = Selection {
                    start: Some(&[7]),
                    stride: Some(&[29]),
                    count: Some(&[10_000]),
                    ..Selection::default()
                };
                dataset.dataset_read(&I32, Some(&every), &mut rows).unwrap();
                let expected: Vec<i32> = written.iter().skip(7).step_by(29).take(10_000).copied().collect();
                assert_eq!(rows, bytes_of(&expected), "{name}, {io:?}");
            }
        }
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn threads_write_datasets_of_their_own() {
    let (file, path) = create("own", 2);
    let root = file.root().unwrap();
    let count = 300_000u64;
    thread::scope(|scope| {
        for number in 0..4 {
            let root = root.clone();
            scope.spawn(move || {
                let name = format!("d{number}");
                let dataset = root.create_dataset(&name, &I32, &[count], &options(&[5000], &[count], true)).unwrap();
                for salt in 0..3 {
                    let values = pattern(count as usize, number * 10 + salt);
                    dataset.dataset_write(&I32, None, &bytes_of(&values)).unwrap();
                    assert!(read_all(&dataset, count as usize) == values);
                }
            });
        }
    });
    file.flush().unwrap();
    for number in 0..4 {
        let dataset = root.open(&format!("d{number}")).unwrap();
        assert!(read_all(&dataset, count as usize) == pattern(count as usize, number * 10 + 2));
    }
    drop(root);
    file.close().unwrap();
    used(&path);
    std::fs::remove_file(&path).unwrap();
}

/// Readers at every moment of other threads' overwriting and flushing: each chunk that they see is one that was written.
#[test]
fn readers_see_whole_chunks_while_others_write() {
    const CHUNK: usize = 8192;
    const CHUNKS: usize = 24;
    let (file, path) = create("whole", 2);
    let root = file.root().unwrap();
    let count = (CHUNK * CHUNKS) as u64;
    let made = options(&[CHUNK as u64], &[count], true);
    let dataset = root.create_dataset("d", &I32, &[count], &made).unwrap();
    let uniform = |value: i32| bytes_of(&vec![value; CHUNK * CHUNKS]);
    dataset.dataset_write(&I32, None, &uniform(0)).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    for chunk in read_all(&dataset, CHUNK * CHUNKS).chunks(CHUNK) {
                        assert!(chunk.iter().all(|value| *value == chunk[0]), "a torn chunk");
                    }
                }
            });
        }
        for round in 1..60 {
            dataset.dataset_write(&I32, None, &uniform(round)).unwrap();
            if round % 3 == 0 {
                file.flush().unwrap();
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(read_all(&dataset, CHUNK * CHUNKS).iter().all(|&value| value == 59));
    drop((dataset, root));
    file.close().unwrap();
    used(&path);
    std::fs::remove_file(&path).unwrap();
}

/// A dataset that shrinks and grows, and files that are closed, while others read and write it.
#[test]
fn shrinking_and_closing_meanwhile() {
    let (file, path) = create("shrink", 3);
    let root = file.root().unwrap();
    let full = [400u64, 100];
    let dataset = root.create_dataset("d", &I32, &full, &options(&[30, 30], &[u64::MAX; 2], true)).unwrap();
    let data = bytes_of(&pattern(40_000, 1));
    dataset.dataset_write(&I32, None, &data).unwrap();
    let is_over = AtomicBool::new(false);
    let whole = Selection { start: Some(&[0, 0]), count: Some(&full), ..Selection::default() };
    thread::scope(|scope| {
        for reads in [true, true, false] {
            let (dataset, data, is_over) = (&dataset, &data, &is_over);
            scope.spawn(move || {
                let mut out = vec![0; data.len()];
                while !is_over.load(Ordering::Relaxed) {
                    let result = match reads {
                        true => dataset.dataset_read(&I32, Some(&whole), &mut out),
                        false => dataset.dataset_write(&I32, Some(&whole), data),
                    };
                    if let Err(error) = result {
                        assert!([ErrorKind::Range, ErrorKind::Closed].contains(&error.kind()), "{error}");
                    }
                }
            });
        }
        for round in 0..150u64 {
            dataset.dataset_set_extent(&[400 - round % 5 * 70, 100]).unwrap();
            dataset.dataset_set_extent(&full).unwrap();
            if round % 10 == 0 {
                file.check().unwrap();
            }
        }
        file.close().unwrap();
        is_over.store(true, Ordering::Relaxed);
    });
    used(&path);
    std::fs::remove_file(&path).unwrap();
}
