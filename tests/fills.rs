//! Datasets whose fill value is of variable length: every stored element owns a value, the fill value owns one, and only that stays
//! when they go. `tests/interop/fills.py` does the same with libhdf5.

mod common;

use std::path::{Path, PathBuf};

use common::heap_objects as objects;
use h5r::datatype::{Arena, CharacterSet, Datatype, StringPadding};
use h5r::object::dataset::{DatasetOptions, NewLayout, Selection};
use h5r::object::{File, Locking, Object, OpenOptions, VariableFill};

fn text() -> Datatype {
    Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap()
}

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("h5r-fills-{}-{name}.h5", std::process::id()))
}

fn open(path: &Path) -> File {
    File::open(path, &OpenOptions { locking: Locking::Off, ..OpenOptions::default() }).unwrap()
}

fn create(file: &File, name: &str, dims: &[u64], options: &DatasetOptions) -> Object {
    let mut pointers = Arena::default();
    let element = pointers.add("fill\0").to_le_bytes().to_vec();
    let fill = VariableFill { memory: text(), element, pointers: &mut pointers };
    file.root().unwrap().create_dataset_of(name, &text(), None, dims, options, Some(fill)).unwrap()
}

fn elements(arena: &mut Arena, values: &[&str]) -> Vec<u8> {
    values.iter().flat_map(|value| arena.add(format!("{value}\0")).to_le_bytes()).collect()
}

fn strings(arena: &Arena, elements: &[u8]) -> Vec<String> {
    let string = |pointer: &[u8]| arena.get(u64::from_le_bytes(pointer.try_into().unwrap())).unwrap_or_default();
    let string = |pointer| String::from_utf8(string(pointer).to_vec()).unwrap();
    elements.chunks(8).map(|pointer| string(pointer).trim_end_matches('\0').to_string()).collect()
}

fn write(dataset: &Object, start: u64, values: &[&str]) {
    let mut arena = Arena::default();
    let data = elements(&mut arena, values);
    let selection = Selection { start: Some(&[start]), count: Some(&[values.len() as u64]), ..Selection::default() };
    dataset.dataset_write_values(&text(), Some(&selection), |_| Ok(&data), &mut arena).unwrap();
}

fn read(dataset: &Object) -> Vec<String> {
    let count = dataset.dataset_dims().unwrap().unwrap()[0] as usize;
    let (mut arena, mut out) = (Arena::default(), vec![0; count * 8]);
    dataset.dataset_read_values(&text(), None, |_| Ok(&mut out), &mut arena).unwrap();
    strings(&arena, &out)
}

#[test]
fn every_stored_element_owns_its_value() {
    let path = path("owned");
    let file = File::create(&path, &Default::default()).unwrap();
    let chunked = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![4]),
        max_dims: Some(vec![u64::MAX]),
        ..DatasetOptions::default()
    };
    let compact = DatasetOptions { layout: NewLayout::Compact, ..DatasetOptions::default() };
    // How many values each has at the end of a part: those of its elements, and of a chunk all, and the fill value.
    let early = DatasetOptions { allocation: h5r::format::message::fill::AllocationTime::Early, ..Default::default() };
    // An implicit index, and an extensible array.
    let implicit = DatasetOptions { layout: NewLayout::Chunked, chunk: Some(vec![4]), ..early.clone() };
    let extensible = DatasetOptions { max_dims: Some(vec![u64::MAX]), ..implicit.clone() };
    let all = [
        (DatasetOptions::default(), [1, 7]),
        (compact, [7, 7]),
        (chunked.clone(), [1, 5]),
        (early.clone(), [7, 7]),
        (implicit, [9, 9]),
        (extensible, [9, 9]),
    ];
    for (before, (options, counts)) in all.into_iter().enumerate() {
        let dataset = create(&file, "d", &[6], &options);
        assert_eq!(read(&dataset), ["fill"; 6]);
        file.flush().unwrap();
        assert_eq!(objects(&path) - before, counts[0], "{:?}", options.layout);
        write(&dataset, 1, &["one", "two"]);
        write(&dataset, 2, &["three"]);
        assert_eq!(read(&dataset), ["fill", "one", "three", "fill", "fill", "fill"]);
        file.flush().unwrap();
        assert_eq!(objects(&path) - before, counts[1], "{:?}", options.layout);
        drop(dataset);
        file.root().unwrap().link_delete("d").unwrap();
        file.flush().unwrap();
        assert_eq!(objects(&path) - before, 1, "{:?}", options.layout);
    }
    // A scalar, and more elements than are filled at once: 6 fill values so far, and that of each.
    let (scalar, long) = (create(&file, "scalar", &[], &early), create(&file, "long", &[70_000], &early));
    file.flush().unwrap();
    assert_eq!(read(&long), vec!["fill"; 70_000]);
    assert_eq!(objects(&path), 6 + 2 + 70_001);
    drop((scalar, long));
    for name in ["scalar", "long"] {
        file.root().unwrap().link_delete(name).unwrap();
    }
    file.flush().unwrap();
    assert_eq!(objects(&path), 8);

    let dataset = create(&file, "d", &[6], &chunked);
    write(&dataset, 0, &["a", "b", "c", "d", "e"]);
    let (mut arena, mut extents) = (Arena::default(), Vec::new());
    let rows = elements(&mut arena, &["x", "y", "z"]);
    dataset.dataset_append_values(&text(), 3, |_| Ok(&rows), &mut arena).unwrap();
    let mut grown = read(&dataset);
    assert_eq!(grown, ["a", "b", "c", "d", "e", "fill", "x", "y", "z"]);
    for extent in [7, 2, 5, 1, 11] {
        dataset.dataset_set_extent(&[extent]).unwrap();
        grown.truncate(extent as usize);
        grown.resize(extent as usize, "fill".into());
        assert_eq!(read(&dataset), grown);
        file.flush().unwrap();
        extents.push((extent, objects(&path) - 8));
    }
    // Chunks of 4, and the fill value: what is outside in the last one is filled too.
    assert_eq!(extents, [(7, 9), (2, 5), (5, 5), (1, 5), (11, 5)]);
    write(&dataset, 9, &["last"]);
    drop(dataset);
    file.close().unwrap();
    assert_eq!(objects(&path) - 8, 9);
    let file = open(&path);
    assert_eq!(read(&file.root().unwrap().open("d").unwrap())[8..], ["fill", "last", "fill"]);
    file.root().unwrap().link_delete("d").unwrap();
    file.check().unwrap();
    file.close().unwrap();
    assert_eq!(objects(&path), 9);
    std::fs::remove_file(path).unwrap();
}

/// Chunks that reach beyond dimensions that cannot grow: a write of all elements that the dataset has of one does not make what the
/// others own anew.
#[test]
fn edges_that_are_written_whole_keep_what_they_own() {
    let path = path("edges");
    let file = File::create(&path, &Default::default()).unwrap();
    let options = DatasetOptions { layout: NewLayout::Chunked, chunk: Some(vec![4]), ..DatasetOptions::default() };
    let dataset = create(&file, "d", &[6], &options);
    for round in 0..3 {
        write(&dataset, 0, &["a", "b", "c", "d", "e", "f"]);
        file.flush().unwrap();
        assert_eq!(objects(&path), 9, "{round}");
    }
    assert_eq!(read(&dataset), ["a", "b", "c", "d", "e", "f"]);
    drop(dataset);
    file.root().unwrap().link_delete("d").unwrap();
    file.close().unwrap();
    assert_eq!(objects(&path), 1);
    std::fs::remove_file(path).unwrap();
}

/// Chunks that are allocated early have a fill value for each element as soon as the dataset grows, and give them back when it shrinks.
#[test]
fn early_chunks_own_their_values_as_long_as_the_dataset_has_them() {
    let path = path("early");
    let file = File::create(&path, &Default::default()).unwrap();
    // An implicit index, and an extensible array.
    for (before, max) in [(0, 12), (2, u64::MAX)] {
        let early = DatasetOptions {
            layout: NewLayout::Chunked,
            chunk: Some(vec![4]),
            max_dims: Some(vec![max]),
            allocation: h5r::format::message::fill::AllocationTime::Early,
            ..DatasetOptions::default()
        };
        let dataset = create(&file, "d", &[6], &early);
        write(&dataset, 0, &["a", "b", "c", "d", "e"]);
        let (mut values, mut extents) = (read(&dataset), Vec::new());
        for extent in [7, 2, 5, 1, 11] {
            dataset.dataset_set_extent(&[extent]).unwrap();
            values.truncate(extent as usize);
            values.resize(extent as usize, "fill".into());
            assert_eq!(read(&dataset), values);
            file.flush().unwrap();
            extents.push((extent, objects(&path) - before));
        }
        assert_eq!(extents, [(7, 9), (2, 5), (5, 9), (1, 5), (11, 13)]);
        drop(dataset);
        file.root().unwrap().link_delete("d").unwrap();
        file.check().unwrap();
        file.flush().unwrap();
        assert_eq!(objects(&path), before + 1);
        // 3 x 3 chunks, and then 4 x 3.
        let early = DatasetOptions { chunk: Some(vec![3, 2]), max_dims: Some(vec![max, 5]), ..early };
        let dataset = create(&file, "d", &[7, 5], &early);
        file.flush().unwrap();
        assert_eq!(objects(&path), before + 2 + 54);
        dataset.dataset_set_extent(&[10, 5]).unwrap();
        file.flush().unwrap();
        assert_eq!(objects(&path), before + 2 + 72);
        drop(dataset);
        file.root().unwrap().link_delete("d").unwrap();
        file.flush().unwrap();
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_deleted_virtual_dataset_gives_its_mappings_back() {
    let path = path("virtual");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/virtual_growing.h5");
    std::fs::copy(data, &path).unwrap();
    let file = open(&path);
    let names = ["one", "in turn", "blocks", "of blocks", "columns"];
    let before = objects(&path);
    for name in names {
        file.root().unwrap().link_delete(name).unwrap();
    }
    file.flush().unwrap();
    assert_eq!(objects(&path), before - names.len());
    // A copy has mappings of its own.
    let (root, kept) = (file.root().unwrap(), "with a fixed end");
    let copy = |name: &str| root.copy(kept, &root, name, &Default::default()).unwrap();
    copy("copy");
    root.link_delete("copy").unwrap();
    assert_eq!(root.open(kept).unwrap().dataset_dims().unwrap(), Some(vec![14, 4]));
    file.check().unwrap();
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}
