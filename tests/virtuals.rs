//! Virtual datasets that grow with their sources. The files of `tests/data` are those of `tests/corpus/virtual.py`; what h5py reads
//! of them is compared there.

use std::path::{Path, PathBuf};

use h5r::datatype::{Arena, ByteOrder, CharacterSet, Datatype, Number, ReferenceKind, StringPadding};
use h5r::error::ErrorKind;
use h5r::format::message::fill::Fill;
use h5r::object::dataset::{DatasetOptions, NewLayout, Selection};
use h5r::object::{CopyOptions, CreateOptions, File, FormatVersion, Locking, Object, OpenOptions};

const I32: Datatype = Datatype::number(Number::I32, ByteOrder::Little);

/// A folder with copies of the virtual datasets, and no sources.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("h5r-virtuals-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["virtual_growing.h5", "virtual_numbered.h5"] {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        std::fs::copy(data, folder.join(name)).unwrap();
    }
    folder
}

fn unlocked(path: &Path) -> File {
    File::open(path, &OpenOptions { locking: Locking::Off, ..OpenOptions::default() }).unwrap()
}

fn bytes(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn read(dataset: &Object, selection: Option<&Selection<'_>>, elements: usize) -> Vec<i32> {
    let mut out = vec![0; elements * 4];
    dataset.dataset_read(&I32, selection, &mut out).unwrap();
    out.chunks(4).map(|value| i32::from_le_bytes(value.try_into().unwrap())).collect()
}

/// The dimensions, and the first element of each row.
fn rows(dataset: &Object) -> (u64, Vec<i32>) {
    let dims = dataset.dataset_dims().unwrap().unwrap();
    assert_eq!(dims, dataset.dataset_info().unwrap().dims);
    let all = read(dataset, None, (dims[0] * dims[1]) as usize);
    (dims[0], all.chunks(dims[1] as usize).map(|row| row[0]).collect())
}

/// Writes a source with so many rows of 4, whose first elements are numbers from `first`.
fn source(path: &Path, name: &str, first: i32, count: u64) {
    let file = File::create(path, &Default::default()).unwrap();
    let options = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![2, 4]),
        max_dims: Some(vec![u64::MAX, 4]),
        fill: Fill::Value(bytes(&[-5])),
        ..DatasetOptions::default()
    };
    let dataset = file.root().unwrap().create_dataset(name, &I32, &[0, 4], &options).unwrap();
    dataset.dataset_append(&I32, count, &values(first, count)).unwrap();
    file.close().unwrap();
}

fn values(first: i32, rows: u64) -> Vec<u8> {
    bytes(&(0..rows as i32).flat_map(|row| [first + row, 1, 2, 3]).collect::<Vec<_>>())
}

/// Of a compound with texts in another file's heap: a part without texts, and one of them.
#[test]
fn members_of_records_in_another_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/virtual_values.h5");
    let file = File::open(&path, &OpenOptions { read_only: true, ..OpenOptions::default() }).unwrap();
    let records = file.root().unwrap().open("records").unwrap();
    let part = |name, datatype: &Datatype| {
        Datatype::compound(datatype.size() as u32).unwrap().with_member(name, 0, datatype).unwrap()
    };
    let mut numbers = vec![9; 20];
    records.dataset_read_values(&part("n", &I32), None, |_| Ok(&mut numbers), &mut Arena::default()).unwrap();
    assert_eq!(numbers, bytes(&[0, 0, 1, 2, 0]));
    let text = Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap();
    let (mut pointers, mut arena) = (vec![0; 40], Arena::default());
    records.dataset_read_values(&part("text", &text), None, |_| Ok(&mut pointers), &mut arena).unwrap();
    let found: Vec<_> = pointers
        .chunks(8)
        .map(|pointer| arena.get(u64::from_ne_bytes(pointer.try_into().unwrap())).map(<[u8]>::to_vec))
        .collect();
    let texts = ["text 0\0", "text 1\0", "text 2\0"].map(|text| Some(text.as_bytes().to_vec()));
    assert_eq!(found, [&[None], &texts[..], &[None]].concat());
    let raw = records.dataset_read_raw(None, &mut [0; 90]).unwrap_err();
    assert!(raw.message().contains("values of variable length are in another file's heap"), "{raw}");
}

#[test]
fn an_unlimited_mapping_grows_with_its_source() {
    let folder = folder("grows");
    let (a, b) = (folder.join("virtual_source_a.h5"), folder.join("virtual_source_b.h5"));
    let file = unlocked(&folder.join("virtual_growing.h5"));
    let before = std::fs::read(folder.join("virtual_growing.h5")).unwrap();
    let open = |name: &str| file.root().unwrap().open(name).unwrap();
    let (one, turns, end) = (open("one"), open("in turn"), open("with a fixed end"));
    assert_eq!(rows(&one), (0, vec![]));
    source(&a, "rows", 100, 2);
    assert_eq!(rows(&one), (2, vec![100, 101]));
    assert_eq!(rows(&turns), (3, vec![100, -1, 101]));
    // What a mapping with an end reaches stays, though its source is not there.
    assert_eq!(rows(&end), (14, [&[100, 101][..], &[-1; 12]].concat()));
    source(&b, "rows", 200, 3);
    assert_eq!(rows(&turns), (6, vec![100, 200, 101, 201, -1, 202]));
    let source_a = unlocked(&a);
    source_a.root().unwrap().open("rows").unwrap().dataset_append(&I32, 2, &values(102, 2)).unwrap();
    source_a.close().unwrap();
    assert_eq!(rows(&turns), (7, vec![100, 200, 101, 201, 102, 202, 103]));
    let selection = Selection { start: Some(&[3, 0]), stride: Some(&[3, 3]), count: Some(&[2, 2]), block: None };
    assert_eq!(read(&turns, Some(&selection), 4), [201, 3, 103, 3]);
    let source_a = unlocked(&a);
    source_a.root().unwrap().open("rows").unwrap().dataset_set_extent(&[1, 4]).unwrap();
    source_a.close().unwrap();
    assert_eq!(rows(&one), (1, vec![100]));
    // Without a question for the dimensions they are asked for by the first call that reads.
    drop((one, turns, end));
    file.close().unwrap();
    let file = unlocked(&folder.join("virtual_growing.h5"));
    assert_eq!(read(&file.root().unwrap().open("in turn").unwrap(), None, 24)[8..12], [-1; 4]);
    file.close().unwrap();
    assert_eq!(std::fs::read(folder.join("virtual_growing.h5")).unwrap(), before, "nothing is written");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn numbered_sources_end_before_the_first_that_is_missing() {
    let folder = folder("numbered");
    let part = |number: u64| folder.join(format!("virtual_part_{number}.h5"));
    let open = || {
        let file = unlocked(&folder.join("virtual_numbered.h5"));
        (file.root().unwrap().open("files").unwrap(), file)
    };
    let (files, file) = open();
    assert_eq!(rows(&files), (0, vec![]));
    source(&part(0), "rows", 0, 3);
    source(&part(1), "rows", 10, 3);
    source(&part(3), "rows", 30, 3);
    assert_eq!(rows(&files), (6, vec![0, 1, 2, 10, 11, 12]));
    source(&part(2), "rows", 20, 3);
    assert_eq!(rows(&files), (12, vec![0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]));
    std::fs::remove_file(part(1)).unwrap();
    assert_eq!(
        rows(&files),
        (12, vec![0, 1, 2, -1, -1, -1, 20, 21, 22, 30, 31, 32]),
        "what was there is not forgotten"
    );
    drop((files, file));
    let (files, file) = open();
    assert_eq!(rows(&files), (3, vec![0, 1, 2]));
    let columns = file.root().unwrap().open("columns").unwrap();
    assert_eq!(columns.dataset_dims().unwrap(), Some(vec![4, 45]));
    let selection = Selection { start: Some(&[1, 0]), count: Some(&[2, 9]), ..Selection::default() };
    let read = read(&columns, Some(&selection), 18);
    assert_eq!(read, [-1, -1, 0, 1, 2, -1, 10, 11, 12, -1, -1, 3, 4, 5, -1, 13, 14, 15]);
    drop((files, columns, file));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_source_in_chunks_that_is_too_small_is_filled_up() {
    let folder = folder("small");
    let file = unlocked(&folder.join("virtual_numbered.h5"));
    let files = file.root().unwrap().open("files").unwrap();
    source(&folder.join("virtual_part_0.h5"), "rows", 0, 2);
    assert_eq!(rows(&files), (3, vec![0, 1, -5]));
    // Not so where the elements are in one extent: libhdf5 reads what stands behind them.
    let path = folder.join("virtual_part_0.h5");
    let small = File::create(&path, &Default::default()).unwrap();
    let dataset = small.root().unwrap().create_dataset("rows", &I32, &[2, 4], &Default::default()).unwrap();
    dataset.dataset_write(&I32, None, &values(0, 2)).unwrap();
    drop(dataset);
    small.close().unwrap();
    let error = files.dataset_read(&I32, None, &mut [0; 48]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("reaches out of an array of [2, 4]"), "{error}");
    drop((files, file));
    std::fs::remove_dir_all(folder).unwrap();
}

/// A file of libhdf5's default format gets the newer one that a virtual dataset needs, as from `H5Ocopy`; one that libhdf5 1.8 shall
/// read does not.
#[test]
fn a_virtual_dataset_is_copied_to_a_file_of_the_oldest_format() {
    let folder = folder("oldest");
    let path = folder.join("old.h5");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/old.h5"), &path).unwrap();
    source(&folder.join("virtual_part_0.h5"), "rows", 0, 2);
    let numbered = unlocked(&folder.join("virtual_numbered.h5"));
    let from = numbered.root().unwrap();
    let old = File::open(&path, &OpenOptions::default()).unwrap();
    from.copy("files", &old.root().unwrap(), "copied", &CopyOptions::default()).unwrap();
    old.close().unwrap();
    let old = unlocked(&path);
    old.check().unwrap();
    let copied = old.root().unwrap().open("copied").unwrap();
    assert_eq!(rows(&copied), rows(&from.open("files").unwrap()));
    assert_eq!(rows(&copied), (3, vec![0, 1, -5]));
    drop((copied, old));
    let options = CreateOptions { format: FormatVersion::V18, ..CreateOptions::default() };
    let kept = File::create(&folder.join("kept.h5"), &options).unwrap();
    let error = from.copy("files", &kept.root().unwrap(), "copied", &CopyOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(!kept.root().unwrap().link_exists("copied").unwrap());
    drop((from, numbered, kept));
    std::fs::remove_dir_all(folder).unwrap();
}

/// Of two sources one is in a file that the program has open: what is written there is committed with that file, and the other at
/// once.
#[test]
fn what_is_written_is_in_the_sources_of_other_files() {
    let folder = folder("written");
    let (first, second) = (folder.join("virtual_part_0.h5"), folder.join("virtual_part_1.h5"));
    source(&first, "rows", 0, 3);
    source(&second, "rows", 10, 3);
    let held = File::open(&second, &OpenOptions::default()).unwrap();
    let file = File::open(&folder.join("virtual_numbered.h5"), &OpenOptions::default()).unwrap();
    let whole = file.root().unwrap().open("files").unwrap();
    assert_eq!(rows(&whole), (6, vec![0, 1, 2, 10, 11, 12]));
    let reference = Datatype::reference(ReferenceKind::Object).unwrap();
    let error = whole.dataset_write(&reference, None, &[0; 6 * 4 * 8]).unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.message().contains("references"), "{error}");
    let on_disk = |path: &Path| {
        let options = OpenOptions { read_only: true, locking: Locking::Off, ..OpenOptions::default() };
        let file = File::open(path, &options).unwrap();
        file.check().unwrap();
        rows(&file.root().unwrap().open("rows").unwrap()).1
    };
    whole.dataset_write(&I32, None, &values(100, 6)).unwrap();
    assert_eq!(rows(&whole), (6, vec![100, 101, 102, 103, 104, 105]));
    assert_eq!(rows(&held.root().unwrap().open("rows").unwrap()).1, [103, 104, 105]);
    assert_eq!(on_disk(&first), [100, 101, 102]);
    assert_eq!(on_disk(&second), [10, 11, 12]);
    held.flush().unwrap();
    assert_eq!(on_disk(&second), [103, 104, 105]);
    held.close().unwrap();
    std::fs::remove_file(&second).unwrap();
    // What was found when the dataset was described is gone: nothing is written.
    let error = whole.dataset_write(&I32, None, &values(200, 6)).unwrap_err();
    assert!(error.message().contains("element 12 of those that are written has no source"), "{error}");
    assert_eq!(on_disk(&first), [100, 101, 102]);
    drop((whole, file));
    std::fs::remove_dir_all(folder).unwrap();
}
