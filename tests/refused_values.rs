//! Values of variable length of which a later one is refused, when earlier ones are in the global heap already: the call fails, and
//! the file is as if it had not been made.

mod common;

use std::path::Path;

use common::{describe, heap_objects_in};
use h5r::datatype::{Arena, CharacterSet, Datatype, Number, ReferenceKind, StringPadding};
use h5r::error::{ErrorKind, Result};
use h5r::format::filter::{register, UserFilter};
use h5r::format::message::fill::AllocationTime;
use h5r::object::dataset::{DatasetOptions, NewFilter, NewLayout, Selection};
use h5r::object::{CreateOptions, File, Object, OpenOptions, VariableFill};
use h5r::store::MemoryBackend;

const I32: Datatype = Datatype::little(Number::I32);

/// A filter of the program's own.
const FILTER: u16 = 40_077;

struct Turned;

impl UserFilter for Turned {
    fn directions(&self) -> (bool, bool) {
        (true, true)
    }

    fn encode(&self, _: &[u32], data: &[u8], out: &mut Vec<u8>) -> std::result::Result<(), String> {
        out.clear();
        out.extend(data.iter().map(|byte| byte ^ 0x5a));
        Ok(())
    }

    fn decode(&self, _: &[u32], data: &[u8], out: &mut [u8]) -> std::result::Result<usize, String> {
        out.iter_mut().zip(data).for_each(|(out, byte)| *out = byte ^ 0x5a);
        Ok(data.len())
    }
}

fn text() -> Datatype {
    Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap()
}

fn record(part: bool) -> Datatype {
    let whole = Datatype::compound(24).unwrap().with_member("s", 0, &text()).unwrap();
    if part {
        return whole;
    }
    let list = Datatype::sequence(&I32).unwrap();
    whole.with_member("l", 8, &list).unwrap()
}

/// Where values are stored, all of them together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// A new attribute.
    New,
    /// One that has values already.
    Old,
    /// One of an object with many.
    Dense,
    /// All elements of a dataset.
    All(NewLayout),
    /// Elements of a dataset that has values already.
    Part(NewLayout),
    /// Rows of one.
    Rows,
    /// Elements of a dataset whose fill value is of variable length, which has no space yet.
    Filled(NewLayout),
    /// Rows of one.
    FilledRows,
    /// All elements, and rows, of a dataset with a filter of the program's own.
    Called,
    CalledRows,
}

const PLACES: [Place; 14] = [
    Place::New,
    Place::Old,
    Place::Dense,
    Place::All(NewLayout::Contiguous),
    Place::All(NewLayout::Compact),
    Place::All(NewLayout::Chunked),
    Place::Part(NewLayout::Contiguous),
    Place::Part(NewLayout::Chunked),
    Place::Rows,
    Place::Filled(NewLayout::Contiguous),
    Place::Filled(NewLayout::Chunked),
    Place::FilledRows,
    Place::Called,
    Place::CalledRows,
];

/// The elements of a call.
struct Elements {
    file: Datatype,
    memory: Datatype,
    data: Vec<u8>,
    arena: Arena,
    count: u64,
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// Some values, the last of which is `last`; what it is when it is refused.
#[derive(Clone, Copy, Debug)]
struct Values {
    name: &'static str,
    make: fn(bad: bool) -> Elements,
    kind: ErrorKind,
    says: &'static str,
}

const VALUES: [Values; 6] = [
    Values { name: "strings", make: strings, kind: ErrorKind::Range, says: "pointer 99 is outside" },
    Values { name: "sequences", make: sequences, kind: ErrorKind::Range, says: "length of sequence 4294967296" },
    Values { name: "records", make: records, kind: ErrorKind::TooSmall, says: "8 are needed" },
    Values { name: "parts of records", make: parts, kind: ErrorKind::Range, says: "pointer 99 is outside" },
    Values { name: "nested", make: nested, kind: ErrorKind::Range, says: "pointer 99 is outside" },
    Values {
        name: "references",
        make: references,
        kind: ErrorKind::Argument,
        says: "1 bytes are no encoded reference",
    },
];

fn made(file: Datatype, memory: Datatype, data: &[u64], arena: Arena) -> Elements {
    let data = words(data);
    let count = (data.len() / memory.size()) as u64;
    Elements { file, memory, data, arena, count }
}

fn strings(bad: bool) -> Elements {
    let mut arena = Arena::default();
    let (one, two) = (arena.add("one\0"), arena.add("two\0"));
    made(text(), text(), &[one, two, if bad { 99 } else { one }], arena)
}

fn sequences(bad: bool) -> Elements {
    let (mut arena, list) = (Arena::default(), Datatype::sequence(&I32).unwrap());
    let one = arena.add([1, 2, 3, 4, 5, 6, 7, 8]);
    made(list.clone(), list, &[2, one, 1, one, if bad { 1 << 32 } else { 0 }, one], arena)
}

fn records(bad: bool) -> Elements {
    let mut arena = Arena::default();
    let (name, long, short) = (arena.add("name\0"), arena.add([1; 8]), arena.add([1; 4]));
    made(record(false), record(false), &[name, 2, long, name, 1, long, name, 2, if bad { short } else { long }], arena)
}

fn parts(bad: bool) -> Elements {
    let mut arena = Arena::default();
    let (one, two) = (arena.add("one\0"), arena.add("two\0"));
    made(record(false), record(true), &[one, 0, 0, two, 0, 0, if bad { 99 } else { one }, 0, 0], arena)
}

fn nested(bad: bool) -> Elements {
    let (mut arena, list) = (Arena::default(), Datatype::sequence(&text()).unwrap());
    let (one, two) = (arena.add("one\0"), arena.add(vec![b'x'; 5000]));
    let (good, other) = (arena.add(words(&[one, two])), arena.add(words(&[two, if bad { 99 } else { one }])));
    made(list.clone(), list, &[2, good, 2, other, 1, other], arena)
}

fn references(bad: bool) -> Elements {
    let (mut arena, reference) = (Arena::default(), Datatype::reference(ReferenceKind::StandardAttribute).unwrap());
    // An encoded one to the attribute "a" of the object at 48.
    let token = [&[4, 0, 8][..], &48u64.to_le_bytes(), &1u16.to_le_bytes(), b"a"].concat();
    let (length, one) = (token.len() as u64, arena.add(token));
    made(reference.clone(), reference, &[length, one, length, one, if bad { 1 } else { 0 }, one], arena)
}

fn options(layout: NewLayout, filters: Vec<NewFilter>) -> DatasetOptions {
    let chunked = layout == NewLayout::Chunked;
    DatasetOptions {
        layout,
        chunk: chunked.then(|| vec![4]),
        max_dims: chunked.then(|| vec![u64::MAX]),
        filters,
        ..DatasetOptions::default()
    }
}

/// Creates what values are stored in.
fn prepare(root: &Object, place: Place, values: &Values) {
    // A collection that is not theirs alone.
    let mut other = strings(false);
    root.attr_write_values("other", &other.file, None, &[3], &other.data, &mut other.arena).unwrap();
    let Elements { file, memory, data, mut arena, count } = (values.make)(false);
    let dataset = |layout: NewLayout, count: u64, filters: Vec<NewFilter>| {
        root.create_dataset("d", &file, &[count], &options(layout, filters)).unwrap()
    };
    let filters = vec![NewFilter { id: FILTER, optional: false, parameters: Vec::new() }];
    match place {
        Place::New => {}
        Place::Old => root.attr_write_values("a", &memory, None, &[count], &data, &mut arena).unwrap(),
        Place::Dense => {
            (0..20).for_each(|n| root.attr_write(&format!("n{n}"), &I32, &[], &[0; 4]).unwrap());
        }
        Place::All(layout) => drop(dataset(layout, count, Vec::new())),
        Place::Part(layout) => {
            let dataset = dataset(layout, count + 2, Vec::new());
            store(root, Place::Part(layout), (values.make)(false)).unwrap();
            drop(dataset);
        }
        Place::Rows => drop(dataset(NewLayout::Chunked, 1, Vec::new())),
        Place::Called => drop(dataset(NewLayout::Chunked, count, filters)),
        Place::CalledRows => drop(dataset(NewLayout::Chunked, 1, filters)),
        Place::Filled(_) | Place::FilledRows => {
            let layout = if let Place::Filled(layout) = place { layout } else { NewLayout::Chunked };
            let (mut whole, options) = ((values.make)(false), options(layout, Vec::new()));
            let element = whole.data[..whole.memory.size()].to_vec();
            let fill = VariableFill { memory: whole.memory.clone(), element, pointers: &mut whole.arena };
            root.create_dataset_of("d", &file, None, &[count + 2], &options, Some(fill)).unwrap();
        }
    }
}

fn store(root: &Object, place: Place, elements: Elements) -> Result<()> {
    let Elements { memory, data, mut arena, count, .. } = elements;
    let some = Selection { start: Some(&[1]), count: Some(&[count]), ..Selection::default() };
    let data = |_| Ok(&data[..]);
    match place {
        Place::New | Place::Old | Place::Dense => {
            root.attr_write_values("a", &memory, None, &[count], data(0)?, &mut arena)
        }
        Place::Rows | Place::FilledRows | Place::CalledRows => {
            root.open("d")?.dataset_append_values(&memory, count, data, &mut arena)
        }
        Place::All(_) | Place::Called => root.open("d")?.dataset_write_values(&memory, None, data, &mut arena),
        Place::Part(_) | Place::Filled(_) => {
            root.open("d")?.dataset_write_values(&memory, Some(&some), data, &mut arena)
        }
    }
}

type Shared = std::sync::Arc<parking_lot::Mutex<Vec<u8>>>;

fn create() -> (File, Shared) {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    (File::create_on(Box::new(backend), Path::new("file"), &CreateOptions::default()).unwrap(), bytes)
}

/// What a file is after it was closed: its length, the objects in its heap, what a check finds (free space that no file lists), and
/// what is in it.
fn closed(file: File, bytes: &Shared) -> (usize, usize, Vec<String>, common::Contents) {
    file.close().unwrap();
    let bytes = bytes.lock().clone();
    let backend = MemoryBackend::with_bytes(bytes.clone());
    let file = File::open_on(Box::new(backend), Path::new("file"), &OpenOptions::default()).unwrap();
    (bytes.len(), heap_objects_in(&bytes), findings(&file), describe(&file).unwrap())
}

fn findings(file: &File) -> Vec<String> {
    file.check().unwrap();
    file.check_report(10).unwrap().findings.iter().map(|finding| finding.message.clone()).collect()
}

/// Makes a file with and without the calls that fail, and compares what is left of them.
fn compare(what: &str, prepare: impl Fn(&Object), fails: impl Fn(&Object), later: impl Fn(&Object)) {
    for flushed in [false, true] {
        let [with, without] = [true, false].map(|with| {
            let (file, bytes) = create();
            let root = file.root().unwrap();
            prepare(&root);
            if flushed {
                file.flush().unwrap();
            }
            if with {
                let before = describe(&file).unwrap_or_else(|e| panic!("{what}: {e}"));
                let (used, found) = (file.used_extents().unwrap(), findings(&file));
                for _ in 0..3 {
                    fails(&root);
                    assert_eq!(describe(&file).unwrap_or_else(|e| panic!("{what}: {e}")), before, "{what}");
                    assert_eq!(file.used_extents().unwrap(), used, "{what}");
                    assert_eq!(findings(&file), found, "{what}");
                }
            }
            file.flush().unwrap();
            let now = bytes.lock().clone();
            let flushed = (now.len(), heap_objects_in(&now));
            later(&root);
            drop(root);
            (flushed, closed(file, &bytes))
        });
        assert_eq!(with.0, without.0, "{what}: flushed bytes and heap objects");
        let (with, without) = (with.1, without.1);
        assert_eq!((with.0, with.1, with.2), (without.0, without.1, without.2), "{what}: what is closed");
        assert!(with.3 == without.3, "{what}: {}", common::difference(&without.3, &with.3));
    }
}

#[test]
fn a_call_whose_later_value_is_refused_leaves_the_file_as_it_was() {
    register(FILTER, "turned", Box::new(Turned)).unwrap();
    for values in VALUES {
        for place in PLACES {
            // Of attributes, all members are written; no libhdf5 nor h5r writes a part of one.
            if values.name.starts_with("parts") && matches!(place, Place::New | Place::Old | Place::Dense) {
                continue;
            }
            let what = format!("{} in {place:?}", values.name);
            let fails = |root: &Object| {
                let error = store(root, place, (values.make)(true)).expect_err(&what);
                assert_eq!(error.kind(), values.kind, "{what}: {error}");
                assert!(error.to_string().contains(values.says), "{what}: {error}");
            };
            let later = |root: &Object| store(root, place, (values.make)(false)).expect(&what);
            compare(&what, |root| prepare(root, place, &values), fails, later);
        }
    }
}

/// What is wrong is found when all values are stored.
#[test]
fn an_attribute_of_too_many_dimensions_leaves_no_values() {
    let write = |root: &Object, dims: &[u64]| {
        let mut values = strings(false);
        root.attr_write_values("a", &values.file, None, dims, &values.data, &mut values.arena)
    };
    let fails = |root: &Object| {
        let error = write(root, &[1; 33]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range);
        assert!(error.to_string().contains("rank 33"), "{error}");
    };
    compare("rank 33", |root| write(root, &[2]).unwrap(), fails, |root| write(root, &[3]).unwrap());
}

/// Neither are groups made on the way to a dataset whose fill value is refused.
#[test]
fn a_fill_value_that_is_refused_leaves_nothing() {
    let early = DatasetOptions { allocation: AllocationTime::Early, ..options(NewLayout::Contiguous, Vec::new()) };
    for options in [early, options(NewLayout::Compact, Vec::new()), options(NewLayout::Chunked, Vec::new())] {
        let make = |root: &Object, path: &str, bad: bool| {
            let mut arena = Arena::default();
            let one = arena.add("one\0");
            let list = arena.add(words(&[one, if bad { 99 } else { one }]));
            let memory = Datatype::sequence(&text()).unwrap();
            let fill = VariableFill { memory: memory.clone(), element: words(&[2, list]), pointers: &mut arena };
            root.create_dataset_of(path, &memory, None, &[3], &options, Some(fill)).map(drop)
        };
        let fails = |root: &Object| {
            let error = make(root, "on/the/way", true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Range, "{error}");
            assert!(
                error.to_string().contains("creating dataset 'on/the/way' of '/': pointer 99 is outside"),
                "{error}"
            );
            // Of a name that is taken the fill value is not stored.
            assert_eq!(make(root, "there", false).unwrap_err().kind(), ErrorKind::Exists);
        };
        let later = |root: &Object| make(root, "on/the/way", false).unwrap();
        compare(&format!("{:?}", options.layout), |root| make(root, "there", false).unwrap(), fails, later);
    }
}
