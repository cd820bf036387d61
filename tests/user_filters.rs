//! Filters of the program's own where more than reading and writing calls them: space that is taken early and late, other dimensions,
//! edges that are not filtered, fill values of variable length, copies and deletion; and each of these when the filter fails.

mod common;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::Arc;

use common::heap_objects;
use h5r::datatype::{Arena, CharacterSet, Datatype, Number, StringPadding};
use h5r::error::ErrorKind;
use h5r::format::checksum::checksum;
use h5r::format::filter::{register, unregister, UserFilter};
use h5r::format::message::fill::{AllocationTime, Fill};
use h5r::object::dataset::{DatasetOptions, NewFilter, NewLayout, Selection};
use h5r::object::{
    CopyOptions, CreateOptions, File, GroupOptions, Locking, Object, ObjectKind, OpenOptions, VariableFill,
};
use h5r::store::MemoryBackend;

const I32: Datatype = Datatype::little(Number::I32);

/// Every byte is turned, and one stands before them. It fails when as many calls as are `left` were made; none below 0.
struct Turned(Arc<AtomicI64>);

impl Turned {
    fn call(&self) -> Result<(), String> {
        match self.0.load(Ordering::SeqCst) {
            0 => Err("no more calls".into()),
            left => {
                self.0.store(left - i64::from(left > 0), Ordering::SeqCst);
                Ok(())
            }
        }
    }
}

impl UserFilter for Turned {
    fn directions(&self) -> (bool, bool) {
        (true, true)
    }

    fn encode(&self, parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.call()?;
        out.clear();
        out.push(0x77);
        out.extend(data.iter().map(|byte| byte ^ parameters[0] as u8));
        Ok(())
    }

    fn decode(&self, parameters: &[u32], data: &[u8], out: &mut [u8]) -> Result<usize, String> {
        self.call()?;
        let data = data.strip_prefix(&[0x77]).filter(|data| data.len() <= out.len()).ok_or("damaged")?;
        out.iter_mut().zip(data).for_each(|(out, byte)| *out = byte ^ parameters[0] as u8);
        Ok(data.len())
    }
}

/// A registered filter, and its calls that are left.
struct Registered(u16, Arc<AtomicI64>);

impl Registered {
    fn new(id: u16) -> Self {
        let left = Arc::new(AtomicI64::new(-1));
        register(id, "turned", Box::new(Turned(left.clone()))).unwrap();
        Registered(id, left)
    }

    fn fail_after(&self, calls: i64) {
        self.1.store(calls, Ordering::SeqCst);
    }

    fn options(&self, chunk: &[u64], max: &[u64], allocation: AllocationTime) -> DatasetOptions {
        DatasetOptions {
            layout: NewLayout::Chunked,
            chunk: Some(chunk.to_vec()),
            max_dims: Some(max.to_vec()),
            filters: vec![NewFilter { id: self.0, optional: false, parameters: vec![0x5a] }],
            allocation,
            ..DatasetOptions::default()
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let _ = unregister(self.0);
    }
}

fn in_memory() -> File {
    File::create_on(Box::new(MemoryBackend::new()), Path::new("filters"), &CreateOptions::default()).unwrap()
}

fn reopened(bytes: &[u8]) -> (File, Arc<parking_lot::Mutex<Vec<u8>>>) {
    let backend = MemoryBackend::with_bytes(bytes.to_vec());
    let shared = backend.shared();
    (File::open_on(Box::new(backend), Path::new("filters"), &OpenOptions::default()).unwrap(), shared)
}

fn bytes_of(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn numbers(dataset: &Object) -> Vec<i32> {
    let count = dataset.dataset_dims().unwrap().unwrap().iter().product::<u64>() as usize;
    let mut out = vec![0xee; 4 * count];
    dataset.dataset_read(&I32, None, &mut out).unwrap();
    out.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect()
}

fn write_numbers(dataset: &Object, start: u64, values: &[i32]) -> h5r::error::Result<()> {
    let selection = Selection { start: Some(&[start]), count: Some(&[values.len() as u64]), ..Selection::default() };
    dataset.dataset_write(&I32, Some(&selection), &bytes_of(values))
}

/// The places and bytes of the chunks.
fn chunks(dataset: &Object) -> Vec<(u64, u64)> {
    dataset.chunks().unwrap().iter().map(|chunk| (chunk.offset[0], chunk.size)).collect()
}

fn is_callback<T>(result: h5r::error::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::Callback && error.message().contains("no more calls"))
}

#[test]
fn chunks_take_space_early() {
    let filter = Registered::new(40_601);
    let file = in_memory();
    let root = file.root().unwrap();
    let fill = Fill::Value(9i32.to_le_bytes().to_vec());
    let options = DatasetOptions { fill, ..filter.options(&[4], &[u64::MAX], AllocationTime::Early) };
    filter.fail_after(0);
    assert!(is_callback(root.create_dataset("a/d", &I32, &[7], &options)));
    assert!(!root.link_exists("a").unwrap());
    filter.fail_after(-1);
    let dataset = root.create_dataset("a/d", &I32, &[7], &options).unwrap();
    assert_eq!(chunks(&dataset), [(0, 17), (4, 17)]);
    assert_eq!(numbers(&dataset), [9; 7]);
    let mut model = vec![9; 7];
    for (dims, calls) in [(13, 0), (6, 0), (17, 1)] {
        filter.fail_after(calls);
        let before = chunks(&dataset);
        // 17 is 11 more than 6, and one call makes all of its chunks.
        assert_eq!(is_callback(dataset.dataset_set_extent(&[dims])), dims != 17, "{dims}");
        filter.fail_after(-1);
        if dims != 17 {
            assert_eq!((numbers(&dataset), chunks(&dataset)), (model.clone(), before));
            dataset.dataset_set_extent(&[dims]).unwrap();
        }
        model.resize(dims as usize, 9);
        assert_eq!(numbers(&dataset), model);
        assert_eq!(chunks(&dataset), (0..dims.div_ceil(4)).map(|at| (4 * at, 17)).collect::<Vec<_>>());
    }
    // Rows are appended: what is new is written, and nothing of it twice.
    write_numbers(&dataset, 3, &[1, 2]).unwrap();
    dataset.dataset_append(&I32, 5, &bytes_of(&[5, 6, 7, 8, 3])).unwrap();
    (model[3], model[4]) = (1, 2);
    model.extend([5, 6, 7, 8, 3]);
    assert_eq!(numbers(&dataset), model);
    assert_eq!(chunks(&dataset).len(), 6);
    drop(dataset);
    file.check().unwrap();
    // Where no one has registered it, it grows nevertheless, and what was in it stays.
    let dataset = root.open("a/d").unwrap();
    drop(filter);
    dataset.dataset_set_extent(&[30]).unwrap();
    assert_eq!((dataset.dataset_dims().unwrap(), chunks(&dataset).len()), (Some(vec![30]), 6));
    let error = root.create_dataset("e", &I32, &[7], &options).err().unwrap();
    assert!(error.message().contains("filter 40601"), "{error}");
    let filter = Registered::new(40_601);
    model.resize(30, 9);
    assert_eq!(numbers(&dataset), model);
    file.close().unwrap();
    drop(filter);
}

#[test]
fn chunks_take_space_with_the_first() {
    let filter = Registered::new(40_602);
    let file = in_memory();
    let options = filter.options(&[4], &[20], AllocationTime::Late);
    let create = |name: &str| file.root().unwrap().create_dataset(name, &I32, &[10], &options).unwrap();
    let (written, appended, points, direct) =
        (create("written"), create("appended"), create("points"), create("direct"));
    assert!(chunks(&written).is_empty());
    // One call for the others, and one for the first.
    for calls in 0..2 {
        filter.fail_after(calls);
        assert!(is_callback(write_numbers(&written, 5, &[1])) && chunks(&written).is_empty());
        filter.fail_after(calls);
        assert!(is_callback(appended.dataset_append(&I32, 3, &bytes_of(&[1, 2, 3]))));
        filter.fail_after(calls);
        let added = points.dataset_write_points(&I32, &[1], &bytes_of(&[4]), &mut Arena::default());
        assert!(is_callback(added) && chunks(&points).is_empty());
    }
    filter.fail_after(0);
    assert!(is_callback(direct.chunk_write(&[4], 1, &bytes_of(&[1, 2, 3, 4]))));
    assert_eq!((appended.dataset_dims().unwrap(), chunks(&appended).len()), (Some(vec![10]), 0));
    filter.fail_after(-1);
    write_numbers(&written, 5, &[1]).unwrap();
    appended.dataset_append(&I32, 3, &bytes_of(&[1, 2, 3])).unwrap();
    points.dataset_write_points(&I32, &[1], &bytes_of(&[4]), &mut Arena::default()).unwrap();
    direct.chunk_write(&[4], 1, &bytes_of(&[1, 2, 3, 4])).unwrap();
    assert_eq!(chunks(&written), [(0, 17), (4, 17), (8, 17)]);
    assert_eq!(chunks(&appended), [(0, 17), (4, 17), (8, 17), (12, 17)]);
    assert_eq!(chunks(&points), [(0, 17), (4, 17), (8, 17)]);
    assert_eq!(chunks(&direct), [(0, 17), (4, 16), (8, 17)]);
    assert_eq!(numbers(&written), [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(numbers(&appended), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
    assert_eq!(numbers(&points), [0, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(numbers(&direct), [0, 0, 0, 0, 1, 2, 3, 4, 0, 0]);
    // Past a filter that no one has registered a chunk is stored, and no other.
    let unknown = create("unknown");
    drop(filter);
    unknown.chunk_write(&[4], 1, &bytes_of(&[1, 2, 3, 4])).unwrap();
    assert_eq!(chunks(&unknown), [(4, 16)]);
    file.check().unwrap();
    file.close().unwrap();
}

/// Has the chunks at the edges of all datasets stored unfiltered, as libhdf5 can be told: a flag in their layout messages.
fn with_unfiltered_edges(bytes: &mut [u8]) -> usize {
    let (mut changed, headers) = (0, (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"OHDR\x02")));
    for begin in headers.collect::<Vec<_>>() {
        let flags = bytes[begin + 5];
        let (times, phase, width) =
            (usize::from(flags >> 5 & 1) * 16, usize::from(flags >> 4 & 1) * 4, 1 << (flags & 3));
        let first = begin + 6 + times + phase + width;
        let size = bytes[first - width..first].iter().rev().fold(0, |size, &byte| size << 8 | usize::from(byte));
        let (mut at, extra) = (first, usize::from(flags >> 2 & 1) * 2);
        while at + 4 < first + size {
            let (body, length) = (at + 4 + extra, usize::from(bytes[at + 1]) | usize::from(bytes[at + 2]) << 8);
            if bytes[at] == 8 && bytes[body..].starts_with(&[4, 2]) {
                bytes[body + 2] |= 1;
                changed += 1;
            }
            at = body + length;
        }
        let sum = checksum(&bytes[begin..first + size]).to_le_bytes();
        bytes[first + size..first + size + 4].copy_from_slice(&sum);
    }
    changed
}

/// A dataset of two dimensions as it must be.
struct Model {
    dims: [u64; 2],
    values: Vec<i32>,
}

impl Model {
    fn resize(&mut self, dims: [u64; 2]) {
        let old = |row: u64, column: u64| match row < self.dims[0] && column < self.dims[1] {
            true => self.values[(row * self.dims[1] + column) as usize],
            false => 7,
        };
        self.values = (0..dims[0] * dims[1]).map(|at| old(at / dims[1], at % dims[1])).collect();
        self.dims = dims;
    }
}

#[test]
fn edges_that_are_not_filtered_go_with_the_dimensions() {
    let filter = Registered::new(40_603);
    let backend = MemoryBackend::new();
    let shared = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("filters"), &CreateOptions::default()).unwrap();
    let fill = || Fill::Value(7i32.to_le_bytes().to_vec());
    let shapes: [(&str, &[u64]); 3] = [("fixed", &[40, 40]), ("one", &[u64::MAX, 40]), ("both", &[u64::MAX, u64::MAX])];
    for (name, max) in shapes {
        let options = DatasetOptions { fill: fill(), ..filter.options(&[4, 3], max, AllocationTime::Default) };
        file.root().unwrap().create_dataset(name, &I32, &[10, 11], &options).unwrap();
    }
    file.close().unwrap();
    let mut bytes = shared.lock().clone();
    assert_eq!(with_unfiltered_edges(&mut bytes), 3);
    for (name, _) in shapes {
        let (file, shared) = reopened(&bytes);
        let dataset = file.root().unwrap().open(name).unwrap();
        let mut model = Model { dims: [10, 11], values: vec![7; 110] };
        let sizes = [[10, 11], [12, 11], [12, 12], [13, 13], [7, 20], [8, 6], [8, 5], [16, 15], [3, 2], [19, 17]];
        for (round, &dims) in sizes.iter().enumerate() {
            // All that may become of it is in chunks, whole and not.
            let values: Vec<i32> = (0..model.values.len()).map(|at| at as i32 * 3 + round as i32).collect();
            dataset.dataset_write(&I32, None, &bytes_of(&values)).unwrap();
            model.values = values;
            // First it fails, at each of its calls.
            for calls in 0.. {
                filter.fail_after(calls);
                let resized = dataset.dataset_set_extent(&dims);
                filter.fail_after(-1);
                if resized.is_ok() {
                    break;
                }
                assert!(is_callback(resized) && calls < 100);
                assert_eq!(numbers(&dataset), model.values, "{name}, {dims:?} after {calls} calls");
            }
            model.resize(dims);
            assert_eq!(numbers(&dataset), model.values, "{name}, {dims:?}");
            let is_edge = |offset: &[u64]| offset[0] + 4 > dims[0] || offset[1] + 3 > dims[1];
            for chunk in dataset.chunks().unwrap() {
                assert_eq!(chunk.size, if is_edge(&chunk.offset) { 48 } else { 49 }, "{name}, {dims:?}, {chunk:?}");
            }
        }
        // Rows that make edges whole.
        for rows in [1, 1, 2, 5] {
            let values: Vec<i32> = (0..17 * rows as i32).collect();
            filter.fail_after(0);
            let appended = dataset.dataset_append(&I32, rows, &bytes_of(&values));
            filter.fail_after(-1);
            if appended.is_err() {
                assert!(is_callback(appended));
                assert_eq!(numbers(&dataset), model.values);
                dataset.dataset_append(&I32, rows, &bytes_of(&values)).unwrap();
            }
            model.dims[0] += rows;
            model.values.extend(values);
            assert_eq!(numbers(&dataset), model.values, "{name}, {rows} rows");
        }
        drop(dataset);
        file.check().unwrap();
        file.close().unwrap();
        let (file, _) = reopened(&shared.lock());
        assert_eq!(numbers(&file.root().unwrap().open(name).unwrap()), model.values);
        // To a file that libhdf5 1.8 shall read, they are copied filtered.
        let old = CreateOptions { format: h5r::object::FormatVersion::V18, ..CreateOptions::default() };
        let old = File::create_on(Box::new(MemoryBackend::new()), Path::new("old"), &old).unwrap();
        let root = old.root().unwrap();
        filter.fail_after(1);
        assert!(is_callback(file.root().unwrap().copy(name, &root, name, &CopyOptions::default())));
        filter.fail_after(-1);
        assert!(!root.link_exists(name).unwrap());
        file.root().unwrap().copy(name, &root, name, &CopyOptions::default()).unwrap();
        let copy = root.open(name).unwrap();
        assert_eq!(numbers(&copy), model.values);
        assert!(copy.chunks().unwrap().iter().all(|chunk| chunk.size == 49));
        old.check().unwrap();
    }
}

fn text() -> Datatype {
    Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap()
}

fn elements(arena: &mut Arena, values: &[&str]) -> Vec<u8> {
    values.iter().flat_map(|value| arena.add(format!("{value}\0")).to_le_bytes()).collect()
}

fn texts(dataset: &Object) -> Vec<String> {
    let count = dataset.dataset_dims().unwrap().unwrap()[0] as usize;
    let (mut arena, mut out) = (Arena::default(), vec![0; count * 8]);
    dataset.dataset_read_values(&text(), None, |_| Ok(&mut out), &mut arena).unwrap();
    let string = |pointer: &[u8]| arena.get(u64::from_le_bytes(pointer.try_into().unwrap())).unwrap_or_default();
    let string = |pointer| String::from_utf8(string(pointer).to_vec()).unwrap();
    out.chunks(8).map(|pointer| string(pointer).trim_end_matches('\0').to_string()).collect()
}

fn write_texts(dataset: &Object, start: u64, values: &[&str]) -> h5r::error::Result<()> {
    let mut arena = Arena::default();
    let data = elements(&mut arena, values);
    let selection = Selection { start: Some(&[start]), count: Some(&[values.len() as u64]), ..Selection::default() };
    dataset.dataset_write_values(&text(), Some(&selection), |_| Ok(&data), &mut arena)
}

fn append_texts(dataset: &Object, values: &[&str]) -> h5r::error::Result<()> {
    let mut arena = Arena::default();
    let rows = elements(&mut arena, values);
    dataset.dataset_append_values(&text(), values.len() as u64, |_| Ok(&rows), &mut arena)
}

fn filled(file: &File, options: &DatasetOptions) -> h5r::error::Result<Object> {
    let mut pointers = Arena::default();
    let element = pointers.add("fill\0").to_le_bytes().to_vec();
    let fill = VariableFill { memory: text(), element, pointers: &mut pointers };
    file.root().unwrap().create_dataset_of("d", &text(), None, &[6], options, Some(fill))
}

/// The objects in its global heap, once it is flushed.
fn objects(file: &File, path: &Path) -> usize {
    file.flush().unwrap();
    heap_objects(path)
}

fn on_disk(name: &str) -> (File, PathBuf) {
    let path = std::env::temp_dir().join(format!("h5r-user-filters-{}-{name}.h5", std::process::id()));
    (File::create(&path, &CreateOptions::default()).unwrap(), path)
}

/// Runs a change first with a filter that fails at its first call, at its second, and so on: nothing is changed, nor kept in the heap.
fn failing_first(
    filter: &Registered,
    (file, path): (&File, &Path),
    dataset: &Object,
    change: impl Fn() -> h5r::error::Result<()>,
) -> i64 {
    let before = (texts(dataset), objects(file, path));
    for calls in 0.. {
        filter.fail_after(calls);
        let changed = change();
        filter.fail_after(-1);
        if changed.is_ok() {
            return calls;
        }
        assert!(is_callback(changed) && calls < 100);
        assert_eq!((texts(dataset), objects(file, path)), before, "after {calls} calls");
    }
    0
}

/// As `tests/fills.rs` has it without a filter: every stored element owns its value, and only the fill value's stays.
#[test]
fn fill_values_of_variable_length() {
    let filter = Registered::new(40_604);
    let (file, path) = on_disk("fills");
    // How many objects there are when the dataset is made, and at the end: those of all elements of its chunks, and the fill value.
    for (before, allocation, counts) in
        [(0, AllocationTime::Default, [1, 9]), (1, AllocationTime::Late, [1, 9]), (2, AllocationTime::Early, [9, 9])]
    {
        let dataset = filled(&file, &filter.options(&[4], &[u64::MAX], allocation)).unwrap();
        assert_eq!(texts(&dataset), ["fill"; 6]);
        assert_eq!(objects(&file, &path) - before, counts[0], "{allocation:?}");
        let at = (&file, path.as_path());
        assert!(failing_first(&filter, at, &dataset, || write_texts(&dataset, 1, &["one", "two"])) > 0);
        assert!(failing_first(&filter, at, &dataset, || write_texts(&dataset, 2, &["three", "four", "five"])) > 0);
        assert!(failing_first(&filter, at, &dataset, || append_texts(&dataset, &["x", "y", "z"])) > 0);
        let mut values = ["fill", "one", "three", "four", "five", "fill", "x", "y", "z"].map(String::from).to_vec();
        assert_eq!(texts(&dataset), values);
        let mut extents = Vec::new();
        for extent in [7, 2, 5, 1, 11] {
            failing_first(&filter, at, &dataset, || dataset.dataset_set_extent(&[extent]));
            values.truncate(extent as usize);
            values.resize(extent as usize, "fill".into());
            assert_eq!(texts(&dataset), values);
            extents.push((extent, objects(&file, &path) - before));
        }
        let early = allocation == AllocationTime::Early;
        let expected = [(7, 9), (2, 5), (5, if early { 9 } else { 5 }), (1, 5), (11, if early { 13 } else { 5 })];
        assert_eq!(extents, expected, "{allocation:?}");
        write_texts(&dataset, 9, &["last"]).unwrap();
        assert_eq!(texts(&dataset)[8..], ["fill", "last", "fill"]);
        drop(dataset);
        file.root().unwrap().link_delete("d").unwrap();
        file.check().unwrap();
        assert_eq!(objects(&file, &path), before + 1);
    }
    // Made early by a filter that fails, at each of its calls: there is no dataset, and the file goes on.
    for calls in 0..2 {
        filter.fail_after(calls);
        let made = filled(&file, &filter.options(&[4], &[u64::MAX], AllocationTime::Early));
        assert!(is_callback(made) && !file.root().unwrap().link_exists("d").unwrap());
    }
    filter.fail_after(-1);
    assert_eq!(objects(&file, &path), 5);
    file.check().unwrap();
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn values_of_variable_length_are_copied_and_given_back() {
    let filter = Registered::new(40_605);
    let ((file, path), (other, other_path)) = (on_disk("copied"), on_disk("other"));
    let (root, target) = (file.root().unwrap(), other.root().unwrap());
    let options = filter.options(&[4], &[u64::MAX], AllocationTime::Default);
    let plain = root.create_dataset("plain", &text(), &[6], &options).unwrap();
    let words = ["a", "bb", "ccc", "d", "e", "f"];
    write_texts(&plain, 0, &words).unwrap();
    let filled = filled(&file, &options).unwrap();
    write_texts(&filled, 1, &["one"]).unwrap();
    let before = objects(&file, &path);
    for (name, expected) in [("plain", words), ("d", ["fill", "one", "fill", "fill", "fill", "fill"])] {
        for (group, to, at) in [(&root, &file, &path), (&target, &other, &other_path)] {
            let objects_before = objects(to, at);
            for calls in 0.. {
                filter.fail_after(calls);
                let copied = root.copy(name, group, "copy", &CopyOptions::default());
                filter.fail_after(-1);
                if copied.is_ok() {
                    assert!(calls > 0);
                    break;
                }
                assert!(is_callback(copied) && calls < 100 && !group.link_exists("copy").unwrap());
                assert_eq!(objects(to, at), objects_before, "{name} after {calls} calls");
            }
            let copy = group.open("copy").unwrap();
            assert_eq!(texts(&copy), expected);
            append_texts(&copy, &["more"]).unwrap();
            assert_eq!(texts(&copy)[6], "more");
            drop(copy);
            group.link_delete("copy").unwrap();
            // The copied fill value stays.
            assert_eq!(objects(to, at), objects_before + usize::from(name == "d"), "{name}");
        }
    }
    assert_eq!(objects(&file, &path), before + 1);
    file.check().unwrap();
    other.check().unwrap();
    // A filter that fails keeps nothing from being deleted; nor does one that is not there. What they held stays.
    drop((plain, filled));
    filter.fail_after(0);
    root.link_delete("plain").unwrap();
    assert_eq!(objects(&file, &path), before + 1);
    drop(filter);
    let error = root.copy("d", &target, "copy", &CopyOptions::default()).unwrap_err();
    assert!(error.kind() == ErrorKind::Unsupported && error.message().contains("filter 40605"), "{error}");
    root.link_delete("d").unwrap();
    assert!(root.links(h5r::object::Order::Native).unwrap().is_empty());
    file.check().unwrap();
    file.close().unwrap();
    other.close().unwrap();
    let options = OpenOptions { locking: Locking::Off, ..OpenOptions::default() };
    File::open(&path, &options).unwrap().check().unwrap();
    std::fs::remove_file(path).unwrap();
    std::fs::remove_file(other_path).unwrap();
}

/// Puts a group in the place of the dataset "d", and fails.
struct Replacing(File);

impl UserFilter for Replacing {
    fn directions(&self) -> (bool, bool) {
        (true, true)
    }

    fn encode(&self, _: &[u32], _: &[u8], _: &mut Vec<u8>) -> Result<(), String> {
        let root = self.0.root().unwrap();
        root.link_delete("d").unwrap();
        root.create_group("d", &GroupOptions::default()).unwrap();
        Err("no".into())
    }

    fn decode(&self, _: &[u32], _: &[u8], _: &mut [u8]) -> Result<usize, String> {
        Err("no".into())
    }
}

/// A dataset that cannot be made takes back its own link, not what another caller has put there meanwhile.
#[test]
fn what_replaced_a_dataset_that_fails_stays() {
    let file = in_memory();
    register(40_609, "replacing", Box::new(Replacing(file.clone()))).unwrap();
    let options = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![4]),
        filters: vec![NewFilter { id: 40_609, optional: false, parameters: Vec::new() }],
        allocation: AllocationTime::Early,
        ..DatasetOptions::default()
    };
    assert_eq!(filled(&file, &options).err().unwrap().kind(), ErrorKind::Callback);
    assert_eq!(file.root().unwrap().open("d").unwrap().kind().unwrap(), ObjectKind::Group);
    unregister(40_609).unwrap();
    file.check().unwrap();
    file.close().unwrap();
}

/// Stores what it gets, and while it does so for the first time, another member of the elements of "d" is written.
struct Meeting(File, AtomicBool);

fn pair(members: &[&str]) -> Datatype {
    let members = members.iter().zip(0u64..);
    members.fold(Datatype::compound(8).unwrap(), |pair, (name, at)| pair.with_member(name, 4 * at, &I32).unwrap())
}

fn write_pairs(file: &File, members: &[&str], value: i32) {
    let dataset = file.root().unwrap().open("d").unwrap();
    let data = bytes_of(&[value; 8]);
    dataset.dataset_write_values(&pair(members), None, |_| Ok(&data), &mut Arena::default()).unwrap();
}

impl UserFilter for Meeting {
    fn directions(&self) -> (bool, bool) {
        (true, true)
    }

    fn encode(&self, _: &[u32], data: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        if !self.1.swap(true, Ordering::SeqCst) {
            write_pairs(&self.0, &["y"], 2);
        }
        out.clear();
        out.extend(data);
        Ok(())
    }

    fn decode(&self, _: &[u32], data: &[u8], out: &mut [u8]) -> Result<usize, String> {
        out.copy_from_slice(data);
        Ok(data.len())
    }
}

/// A call that writes one member of elements does not undo what another one has meanwhile written of the same chunk, not
/// even if that is new.
#[test]
fn members_that_are_written_at_once() {
    let file = in_memory();
    register(40_610, "meeting", Box::new(Meeting(file.clone(), AtomicBool::new(false)))).unwrap();
    let options = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![4]),
        filters: vec![NewFilter { id: 40_610, optional: false, parameters: Vec::new() }],
        ..DatasetOptions::default()
    };
    let root = file.root().unwrap();
    let dataset = root.create_dataset("d", &pair(&["x", "y"]), &[4], &options).unwrap();
    write_pairs(&file, &["x"], 1);
    let mut out = [0; 32];
    dataset.dataset_read_values(&pair(&["x", "y"]), None, |_| Ok(&mut out), &mut Arena::default()).unwrap();
    assert_eq!(out.to_vec(), bytes_of(&[1, 2, 1, 2, 1, 2, 1, 2]));
    unregister(40_610).unwrap();
    drop((root, dataset));
    file.close().unwrap();
}

/// A copy that fails gives back what elements beyond the dimensions own, too, which no filter tells it any more.
#[test]
fn edges_of_copies_that_fail_are_given_back() {
    let filter = Registered::new(40_608);
    let (file, path) = on_disk("edges");
    let root = file.root().unwrap();
    let options = filter.options(&[2, 2], &[4, 3], AllocationTime::Default);
    let mut pointers = Arena::default();
    let element = pointers.add("fill\0").to_le_bytes().to_vec();
    let fill = VariableFill { memory: text(), element, pointers: &mut pointers };
    let dataset = root.create_dataset_of("d", &text(), None, &[4, 3], &options, Some(fill)).unwrap();
    let mut arena = Arena::default();
    let data = elements(&mut arena, &["x"; 12]);
    dataset.dataset_write_values(&text(), None, |_| Ok(&data), &mut arena).unwrap();
    let before = objects(&file, &path);
    assert_eq!(before, 17);
    for calls in 0.. {
        filter.fail_after(calls);
        let copied = root.copy("d", &root, "copy", &CopyOptions::default());
        filter.fail_after(-1);
        if copied.is_ok() {
            assert!(calls >= 8);
            break;
        }
        assert!(is_callback(copied) && calls < 100);
        assert_eq!(objects(&file, &path), before, "after {calls} calls");
    }
    assert_eq!(objects(&file, &path), 2 * before);
    file.check().unwrap();
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

/// Values of variable length in another file, behind the filter.
#[test]
fn sources_of_a_virtual_dataset() {
    let filter = Registered::new(40_606);
    let folder = std::env::temp_dir().join(format!("h5r-user-filters-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/virtual_values.h5");
    std::fs::copy(data, folder.join("virtual.h5")).unwrap();
    let source = File::create(&folder.join("virtual_values_source.h5"), &CreateOptions::default()).unwrap();
    let options = filter.options(&[2], &[3], AllocationTime::Default);
    let dataset = source.root().unwrap().create_dataset("texts", &text(), &[3], &options).unwrap();
    write_texts(&dataset, 0, &["zero", "one", "two"]).unwrap();
    drop(dataset);
    source.close().unwrap();
    let options = OpenOptions { locking: Locking::Off, ..OpenOptions::default() };
    let file = File::open(&folder.join("virtual.h5"), &options).unwrap();
    let dataset = file.root().unwrap().open("texts").unwrap();
    assert_eq!(texts(&dataset), ["", "zero", "one", "two", ""]);
    write_texts(&dataset, 2, &["another"]).unwrap();
    assert_eq!(texts(&dataset), ["", "zero", "another", "two", ""]);
    filter.fail_after(0);
    assert!(is_callback(write_texts(&dataset, 2, &["none"])));
    filter.fail_after(-1);
    assert_eq!(texts(&dataset), ["", "zero", "another", "two", ""]);
    drop(dataset);
    file.close().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// One thread writes while another has the dataset shrink and grow: none loses what it did, and nothing stays in the heap.
#[test]
fn threads_that_meet_begin_anew() {
    let filter = Registered::new(40_607);
    let (file, path) = on_disk("threads");
    for allocation in [AllocationTime::Default, AllocationTime::Early] {
        let before = objects(&file, &path);
        let dataset = filled(&file, &filter.options(&[3], &[u64::MAX], allocation)).unwrap();
        std::thread::scope(|threads| {
            threads.spawn(|| (0..100).for_each(|n| write_texts(&dataset, 1, &[&format!("{n}"), "b", "c"]).unwrap()));
            threads.spawn(|| {
                for n in 0..100 {
                    dataset.dataset_set_extent(&[4 + n % 2 * 9]).unwrap();
                }
                dataset.dataset_set_extent(&[5]).unwrap();
                append_texts(&dataset, &["last"]).unwrap();
            });
        });
        assert_eq!(texts(&dataset), ["fill", "99", "b", "c", "fill", "last"]);
        // Two chunks, and the fill value.
        assert_eq!(objects(&file, &path), before + 7, "{allocation:?}");
        drop(dataset);
        file.root().unwrap().link_delete("d").unwrap();
        file.check().unwrap();
    }
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}
