//! Files shrink when datasets are deleted: the raw data of those that stay move into the space of those that went, in
//! every layout, and read the same afterwards.

#[path = "common/random.rs"]
mod random;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use h5r::datatype::{Datatype, Number};
use h5r::object::dataset::{DatasetOptions, NewLayout};
use h5r::object::{CreateOptions, File, FormatVersion, OpenOptions};
use h5r::rebalance::LazyOptions;
use h5r::store::MemoryBackend;
use parking_lot::Mutex;
use random::Random;

const I32: Datatype = Datatype::little(Number::I32);
const ROWS: u64 = 2_500;
const COLUMNS: u64 = 40;

type Disk = Arc<Mutex<Vec<u8>>>;

/// Contiguous; a fixed array, an extensible array and a B-tree of chunks (version 1 in files for 1.8); a single chunk;
/// filtered chunks.
fn layouts() -> Vec<DatasetOptions> {
    let chunked = |rows, max_rows, max_columns, deflate| DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![rows, COLUMNS]),
        max_dims: Some(vec![max_rows, max_columns]),
        shuffle: deflate,
        deflate: deflate.then_some(1),
        ..DatasetOptions::default()
    };
    vec![
        DatasetOptions::default(),
        chunked(100, ROWS, COLUMNS, false),
        chunked(100, u64::MAX, COLUMNS, false),
        chunked(100, u64::MAX, u64::MAX, false),
        chunked(ROWS, ROWS, COLUMNS, false),
        chunked(100, u64::MAX, COLUMNS, true),
    ]
}

/// Values that compress little, other ones in each dataset.
fn values(seed: u32) -> Vec<u8> {
    Random::new(seed.into()).bytes((4 * ROWS * COLUMNS) as usize)
}

/// A file with these datasets, created first and then written, each with a flush. (Headers do not move: references name
/// them. A file whose headers stand between the data shrinks to the last of them.)
fn create(format: FormatVersion, options: &DatasetOptions, names: &[u32]) -> Disk {
    let backend = MemoryBackend::new();
    let disk = backend.shared();
    let file_options = CreateOptions { format, ..CreateOptions::default() };
    let file = File::create_on(Box::new(backend), Path::new("disk"), &file_options).unwrap();
    let root = file.root().unwrap();
    let create = |name| root.create_dataset(&format!("d{name}"), &I32, &[ROWS, COLUMNS], options).unwrap();
    let datasets: Vec<_> = names.iter().map(create).collect();
    for (dataset, &name) in datasets.iter().zip(names) {
        dataset.dataset_write(&I32, None, &values(name)).unwrap();
        file.flush().unwrap();
    }
    file.close().unwrap();
    disk
}

fn open(disk: &Disk) -> File {
    File::open_on(Box::new(MemoryBackend::sharing(disk)), Path::new("disk"), &OpenOptions::default()).unwrap()
}

fn check(disk: &Disk, names: &[u32]) {
    let file = open(disk);
    file.check_flushed().unwrap();
    for &name in names {
        let mut out = vec![0; (ROWS * COLUMNS * 4) as usize];
        file.root().unwrap().open(&format!("d{name}")).unwrap().dataset_read(&I32, None, &mut out).unwrap();
        assert!(out == values(name), "d{name}");
    }
    file.close().unwrap();
}

fn for_each_layout(mut test: impl FnMut(FormatVersion, &DatasetOptions)) {
    for format in [FormatVersion::V18, FormatVersion::V110] {
        layouts().iter().for_each(|options| test(format, options));
    }
}

/// Bytes of a file are at most 5 % more than those of one in which the deleted datasets never were.
fn assert_shrunk(disk: &Disk, fresh: &Disk, what: &dyn std::fmt::Debug) {
    let (length, fresh) = (disk.lock().len(), fresh.lock().len());
    assert!(length <= fresh + fresh / 20, "{length} bytes, {fresh} when fresh: {what:?}");
}

#[test]
fn closing_gives_the_space_of_a_deleted_dataset_back() {
    for_each_layout(|format, options| {
        let disk = create(format, options, &[1, 2, 3, 4]);
        let full = disk.lock().len();
        let file = open(&disk);
        file.set_lazy(&LazyOptions::default()).unwrap();
        let root = file.root().unwrap();
        root.link_delete("d1").unwrap();
        root.link_delete("d3").unwrap();
        file.close().unwrap();
        check(&disk, &[2, 4]);
        assert!(disk.lock().len() < full * 6 / 10, "{format:?} {options:?}");
        assert_shrunk(&disk, &create(format, options, &[2, 4]), &(format, options));
    });
}

#[test]
fn rebalancing_gives_it_back_with_the_next_flush() {
    for_each_layout(|format, options| {
        let disk = create(format, options, &[1, 2, 3]);
        let file = open(&disk);
        let root = file.root().unwrap();
        let kept = root.open("d3").unwrap();
        root.link_delete("d1").unwrap();
        file.rebalance().unwrap();
        file.flush().unwrap();
        check(&Arc::new(Mutex::new(disk.lock().clone())), &[2, 3]);
        assert_shrunk(&disk, &create(format, options, &[2, 3]), &(format, options));
        // What is open goes on working where its data stand now.
        kept.dataset_write(&I32, None, &values(3)).unwrap();
        file.close().unwrap();
        check(&disk, &[2, 3]);
    });
}

#[test]
fn mode_none_moves_nothing() {
    let options = DatasetOptions::default();
    let disk = create(FormatVersion::V110, &options, &[1, 2, 3]);
    let full = disk.lock().len();
    let file = open(&disk);
    file.root().unwrap().link_delete("d1").unwrap();
    file.close().unwrap();
    check(&disk, &[2, 3]);
    assert!(disk.lock().len() >= full);
}

#[test]
fn a_session_that_freed_nothing_moves_raw_data_only_when_asked_to() {
    let disk = create(FormatVersion::V110, &DatasetOptions::default(), &[1, 2, 3, 4]);
    let file = open(&disk);
    file.root().unwrap().link_delete("d1").unwrap();
    file.root().unwrap().link_delete("d2").unwrap();
    file.close().unwrap();
    let length = disk.lock().len();
    let file = open(&disk);
    file.set_lazy(&LazyOptions::default()).unwrap();
    file.root().unwrap().attr_write("note", &I32, &[], &[1, 0, 0, 0]).unwrap();
    file.close().unwrap();
    assert!(disk.lock().len() >= length);
    let file = open(&disk);
    file.rebalance().unwrap();
    file.close().unwrap();
    check(&disk, &[3, 4]);
    // What says what is free stands in the hole, which so has room for one of the two.
    assert!(disk.lock().len() < length * 4 / 5);
}

/// Two threads read two datasets while others below them are deleted, so that both move down again and again, and
/// while new data are written to where they stood.
#[test]
fn who_reads_while_raw_data_move_sees_them_whole() {
    const FILLERS: u32 = 12;
    let path = std::env::temp_dir().join(format!("h5r-shrink-{}.h5", std::process::id()));
    for options in layouts().iter().filter(|options| options.max_dims.as_deref() != Some(&[ROWS, COLUMNS])) {
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        let root = file.root().unwrap();
        let create = |name: &str, options, rows| root.create_dataset(name, &I32, &[rows, COLUMNS], options).unwrap();
        let contiguous = DatasetOptions::default();
        let filler = vec![0x55; (ROWS * COLUMNS * 6) as usize];
        let create_filler = |name: &str| create(name, &contiguous, ROWS * 3 / 2);
        // Their headers, which do not move, come first.
        let kept = ["kept1", "kept2"].map(|name| create(name, options, ROWS));
        let fillers: Vec<_> = (0..FILLERS).map(|number| create_filler(&format!("filler{number}"))).collect();
        fillers.into_iter().for_each(|dataset| dataset.dataset_write(&I32, None, &filler).unwrap());
        kept.iter().zip([1, 2]).for_each(|(dataset, seed)| dataset.dataset_write(&I32, None, &values(seed)).unwrap());
        file.flush().unwrap();
        let (is_over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for (dataset, seed) in kept.iter().zip([1, 2]) {
                let (is_over, reads) = (&is_over, &reads);
                scope.spawn(move || {
                    let expected = values(seed);
                    let mut out = vec![0; expected.len()];
                    while !is_over.load(Ordering::Relaxed) {
                        dataset.dataset_read(&I32, None, &mut out).unwrap();
                        assert!(out == expected, "{options:?}: others than were written");
                        reads.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for number in (0..FILLERS).rev() {
                let before = reads.load(Ordering::Relaxed);
                root.link_delete(&format!("filler{number}")).unwrap();
                file.rebalance().unwrap();
                file.flush().unwrap();
                create_filler("over it").dataset_write(&I32, None, &filler).unwrap();
                root.link_delete("over it").unwrap();
                file.flush().unwrap();
                let patience = Instant::now() + Duration::from_secs(10);
                while reads.load(Ordering::Relaxed) < before + 4 && Instant::now() < patience {
                    std::thread::yield_now();
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
        drop(kept);
        file.close().unwrap();
        let fresh = ROWS * COLUMNS * 4 * 2;
        assert!(std::fs::metadata(&path).unwrap().len() < fresh * 2, "{options:?}: nothing moved");
    }
    std::fs::remove_file(&path).unwrap();
}

/// Whether an extent stands as a file with pages has it: nothing smaller than a page crosses the end of one, all else begins with
/// one, and nothing else stands in its last.
fn assert_in_pages(extents: &[(u64, u64)], page: u64, what: &str) {
    for (number, &(address, length)) in extents.iter().enumerate() {
        let within = address % page;
        let fits = if length < page { within + length <= page } else { within == 0 };
        assert!(fits, "{what}: {length} bytes at {address}");
        let next = extents.get(number + 1).map_or(u64::MAX, |next| next.0);
        let end = (address + length).next_multiple_of(page);
        assert!(length < page || next >= end, "{what}: {length} bytes at {address}, and others at {next}");
    }
}

/// In a file with pages, what moves down stands as the pages ask for: raw data, chunks and their indexes, headers, blocks, huge
/// attributes and values in collections.
#[test]
fn what_moves_down_stands_in_pages() {
    const PAGE: u64 = 512;
    let bytes = |seed: u32, length: u64| Random::new(seed.into()).bytes(length as usize);
    let length = |number: u64| 4 * (37 + number * 61 % 700);
    for (seed, by_closing) in [(1, false), (2, true), (3, false), (4, true)] {
        let disk: Disk = Arc::new(Mutex::new(include_bytes!("data/paged.h5").to_vec()));
        let file = open(&disk);
        let root = file.root().unwrap();
        let mut random = Random::new(seed);
        for number in 0..120 {
            let options = match number % 4 {
                0 | 1 => DatasetOptions::default(),
                2 => layouts()[1].clone(),
                _ => layouts()[2].clone(),
            };
            let options = DatasetOptions {
                chunk: options.chunk.map(|_| vec![11 + number % 26]),
                max_dims: options.max_dims.map(|max| vec![if max[0] == ROWS { length(number) / 4 } else { u64::MAX }]),
                ..options
            };
            let dataset = root.create_dataset(&format!("n{number}"), &I32, &[length(number) / 4], &options).unwrap();
            dataset.dataset_write(&I32, None, &bytes(number as u32, length(number))).unwrap();
            for attribute in 0..(number % 7) * 3 {
                let size = [20, 150, 600, 70_000][(random.next() % 16).min(3) as usize];
                let value = bytes(attribute as u32, 4 * size);
                dataset.attr_write(&format!("a{attribute}"), &I32, &[size], &value).unwrap();
            }
        }
        file.flush().unwrap();
        assert_in_pages(&file.used_extents().unwrap()[1..], PAGE, "written");
        file.set_lazy(&LazyOptions::default()).unwrap();
        let kept: Vec<u64> = (0..120).filter(|_| random.one_in(2)).collect();
        for number in (0..120).filter(|number| !kept.contains(number)) {
            root.link_delete(&format!("n{number}")).unwrap();
        }
        let full = disk.lock().len();
        if !by_closing {
            file.rebalance().unwrap();
            file.flush().unwrap();
            assert_in_pages(&file.used_extents().unwrap()[1..], PAGE, "rebalanced");
        }
        file.close().unwrap();
        assert!(disk.lock().len() < full * 3 / 4, "{} of {full} bytes", disk.lock().len());
        assert_eq!(disk.lock().len() as u64 % PAGE, 0);
        let file = open(&disk);
        file.check_flushed().unwrap();
        assert_in_pages(&file.used_extents().unwrap()[1..], PAGE, "closed");
        for number in kept {
            let mut out = vec![0; length(number) as usize];
            file.root().unwrap().open(&format!("n{number}")).unwrap().dataset_read(&I32, None, &mut out).unwrap();
            assert!(out == bytes(number as u32, length(number)), "n{number}");
        }
    }
}

#[test]
fn many_sessions_that_each_free_a_little_keep_the_file_small() {
    let options = DatasetOptions::default();
    let names: Vec<u32> = (0..60).collect();
    let disk = create(FormatVersion::V110, &options, &names);
    for gone in 0..50 {
        let file = open(&disk);
        file.set_lazy(&LazyOptions::default()).unwrap();
        file.root().unwrap().link_delete(&format!("d{gone}")).unwrap();
        file.close().unwrap();
    }
    check(&disk, &names[50..]);
    let fresh = create(FormatVersion::V110, &options, &names[50..]);
    let (size, fresh) = (disk.lock().len(), fresh.lock().len());
    // Raw data move only when a sixteenth of the file is free.
    assert!(size * 10 <= fresh * 11, "{size} bytes, fresh {fresh}");
}
