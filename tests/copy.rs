//! Copies of objects: of everything that libhdf5 and h5r write, within a file and between files, new and old. A copy has all
//! that the source has; where one fails, nothing of it is left; and where one is deleted, all of its space is free.

#[path = "common/random.rs"]
mod random;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use h5r::datatype::{Arena, CharacterSet, Class, Datatype, Number, ReferenceKind, StringPadding};
use h5r::error::{ErrorKind, Result};
use h5r::format::message::datatype as message;
use h5r::object::dataset::{DatasetOptions, NewLayout};
use h5r::object::{
    CopyOptions, CreateOptions, File, FormatVersion, GroupOptions, LinkTarget, Object, ObjectKind, OpenOptions, Order,
    Phase,
};
use h5r::store::{Fault, FaultBackend, MemoryBackend};
use parking_lot::Mutex;
use random::Random;

const OLD: &[u8] = include_bytes!("data/old.h5");

/// With addresses and lengths of other sizes.
const EMPTY_2: &[u8] = include_bytes!("data/empty_2.h5");
const EMPTY_4: &[u8] = include_bytes!("data/empty_4.h5");
const SIZES_4: &[u8] = include_bytes!("data/sizes_4.h5");

const SOURCES: [(&str, &[u8]); 15] = [
    ("every structure", include_bytes!("data/every_structure.h5")),
    ("old", OLD),
    ("old small", include_bytes!("data/old_small.h5")),
    ("datasets", include_bytes!("data/datasets.h5")),
    ("chunks 1.8", include_bytes!("data/chunks_v108.h5")),
    ("chunks 1.10", include_bytes!("data/chunks_v110.h5")),
    ("chunks latest", include_bytes!("data/chunks_latest.h5")),
    ("foreign 1.8", include_bytes!("data/foreign_v108.h5")),
    ("foreign latest", include_bytes!("data/foreign_latest.h5")),
    ("filtered links", include_bytes!("data/filtered_links.h5")),
    ("small nodes", include_bytes!("data/small_nodes.h5")),
    ("shared messages, a list", include_bytes!("data/shared_list.h5")),
    ("shared messages, a tree", include_bytes!("data/shared_tree.h5")),
    ("shared messages, old", include_bytes!("data/shared_old.h5")),
    ("4 bytes", SIZES_4),
];

fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

fn text() -> Datatype {
    Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap()
}

fn create(format: FormatVersion) -> (File, Arc<Mutex<Vec<u8>>>) {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let options = CreateOptions { format, ..CreateOptions::default() };
    (File::create_on(Box::new(backend), Path::new("target"), &options).unwrap(), bytes)
}

fn open(bytes: &[u8]) -> (File, Arc<Mutex<Vec<u8>>>) {
    let backend = MemoryBackend::with_bytes(bytes.to_vec());
    let shared = backend.shared();
    (File::open_on(Box::new(backend), Path::new("file"), &OpenOptions::default()).unwrap(), shared)
}

/// Nothing is damaged, used twice, counted wrong or lost.
fn assert_sound(file: &File, what: &str) {
    let report = file.check_report(10).unwrap();

    assert!(report.findings.is_empty(), "{what}: {:?}", report.findings);
}

/// Bytes that are neither used nor known to be free, in a sound file.
fn leaked(file: &File) -> u64 {
    let report = file.check_report(10).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    report.leaked
}

/// An element in memory, in words. References are not told: they are null in a copy between files.
fn element(datatype: &message::Datatype, bytes: &[u8], arena: &Arena) -> String {
    let number = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap());
    let size = datatype.size as usize;
    match &datatype.class {
        Class::Reference { .. } => "reference".into(),
        Class::VariableLength { string: Some(_), .. } => match number(bytes) {
            0 => "null".into(),
            pointer => format!("{:?}", String::from_utf8_lossy(arena.get(pointer).unwrap())),
        },
        Class::VariableLength { base, .. } => match number(&bytes[8..]) {
            0 => "[]".into(),
            pointer => {
                let values = arena.get(pointer).unwrap()[..number(&bytes[..8]) as usize * base.size as usize]
                    .chunks_exact(base.size as usize)
                    .map(|value| element(base, value, arena));
                format!("[{}]", values.collect::<Vec<_>>().join(","))
            }
        },
        Class::Compound { members } => {
            let values = members.iter().map(|member| {
                let range = member.offset as usize..(member.offset + member.datatype.size) as usize;
                let name = String::from_utf8_lossy(&member.name).into_owned();
                format!("{name}:{}", element(&member.datatype, &bytes[range], arena))
            });
            format!("{{{}}}", values.collect::<Vec<_>>().join(","))
        }
        Class::Array { base, .. } => {
            let values = bytes.chunks_exact(base.size as usize).map(|value| element(base, value, arena));
            format!("({})", values.collect::<Vec<_>>().join(","))
        }
        _ => bytes[..size].iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn elements(datatype: &Datatype, bytes: &[u8], arena: &Arena) -> String {
    let description = datatype.description().unwrap();
    let all = bytes.chunks_exact(datatype.size()).map(|value| element(&description, value, arena));
    all.collect::<Vec<_>>().join(" ")
}

fn attributes(object: &Object, into: &mut Vec<String>) {
    for name in object.attr_names(Order::Name).unwrap() {
        let info = object.attr_info(&name).unwrap();
        let count: u64 = if info.is_null { 0 } else { info.dims.iter().product() };
        let mut bytes = vec![0; count as usize * info.datatype.size()];
        let mut arena = Arena::default();
        if count > 0 {
            object.attr_read_values(&name, &info.datatype, &mut bytes, &mut arena).unwrap();
        }
        let value = elements(&info.datatype, &bytes, &arena);
        let order = info.creation_order;
        into.push(format!("@{name} {:?} {:?} {} {order:?} {value}", info.datatype, info.dims, info.is_null));
    }
}

fn data(dataset: &Object, into: &mut Vec<String>) {
    let info = dataset.dataset_info().unwrap();
    let (dims, max_dims) = (info.dims.clone(), info.max_dims.clone());
    into.push(format!("{:?} {dims:?} {max_dims:?} {} {:?}", info.datatype, info.is_null, info.layout));
    let count: u64 = if info.is_null { 0 } else { dims.iter().product() };
    // What the mappings of a virtual dataset lead to is in the source only.
    if count > 1 << 20 || format!("{:?}", info.layout).contains("Virtual") {
        return;
    }
    let mut bytes = vec![0; count as usize * info.datatype.size()];
    let mut arena = Arena::default();
    match dataset.dataset_read_values(&info.datatype, None, |_| Ok(&mut bytes), &mut arena) {
        Ok(()) => into.push(elements(&info.datatype, &bytes, &arena)),
        Err(e) => into.push(format!("{:?}", e.kind())),
    }
}

type Tree = BTreeMap<String, Vec<String>>;

/// All that can be reached from an object, by the paths to it.
fn tree(top: &Object) -> Tree {
    let mut paths = HashMap::new();
    let mut objects = Vec::new();
    top.visit(Order::Name, |path, object| {
        paths.insert(object.address()?, path.to_owned());
        objects.push((path.to_owned(), object.clone()));
        Ok(true)
    })
    .unwrap();
    let mut tree = Tree::new();
    for (path, object) in objects {
        let info = object.info(None).unwrap();
        // A committed datatype has references by attributes that are shared in the source. The checker counts them all.
        let counted = path != "." && info.kind != ObjectKind::NamedType;
        let references = if counted { info.references } else { 0 };
        let mut lines = vec![format!("{:?} {references} {:?}", info.kind, object.comment().unwrap())];
        if info.kind == ObjectKind::Group {
            for (name, link) in object.links(Order::Name).unwrap() {
                let target = match link.target {
                    LinkTarget::Hard(address) => paths[&address].clone(),
                    other => format!("{other:?}"),
                };
                lines.push(format!("{name} -> {target} {:?} {}", link.creation_order, link.utf8));
            }
        }
        attributes(&object, &mut lines);
        if info.kind == ObjectKind::Dataset {
            data(&object, &mut lines);
        }
        tree.insert(path, lines);
    }
    tree
}

fn assert_equal(expected: &Tree, found: &Tree, what: &str) {
    for (path, lines) in expected {
        let other = found.get(path).unwrap_or_else(|| panic!("{what}: the copy has no {path}"));
        for (line, other) in lines.iter().zip(other) {
            assert!(line == other, "{what}: {path}\n{line}\n{other}");
        }
        assert_eq!(lines.len(), other.len(), "{what}: {path}");
    }
    assert_eq!(expected.len(), found.len(), "{what}");
}

/// What the copied object says of named types and layouts may differ in old targets; contents may not.
#[test]
fn everything_is_copied_to_new_and_old_files() {
    for (name, bytes) in SOURCES {
        let (source, _) = open(bytes);
        let expected = tree(&source.root().unwrap());
        for target_name in ["1.10", "1.8", "old", "itself", "4 bytes", "2 bytes"] {
            let what = format!("{name} to {target_name}");
            let (target, shared) = match target_name {
                "1.10" => create(FormatVersion::V110),
                "1.8" => create(FormatVersion::V18),
                "old" => open(OLD),
                "4 bytes" => open(EMPTY_4),
                "2 bytes" => open(EMPTY_2),
                _ => open(bytes),
            };
            let (root, from) = (target.root().unwrap(), source.root().unwrap());
            let (before, forgotten) = (tree(&root), leaked(&target));
            let copied = match target_name {
                "itself" => root.copy("/", &root, "deep/copy", &CopyOptions::default()),
                _ => from.copy("/", &root, "deep/copy", &CopyOptions::default()),
            };
            match copied {
                Err(e) if e.kind() == ErrorKind::Unsupported || target_name == "2 bytes" => {
                    let short = ["in the target file", "a file whose lengths have 2 bytes has no room for dense"];
                    let is_short = target_name == "2 bytes" && short.iter().any(|text| e.message().contains(text));
                    assert!(["1.8", "old"].contains(&target_name) || is_short, "{what}: {e}");
                    assert_equal(&before, &tree(&root), &what);
                    assert!([0, forgotten].contains(&leaked(&target)), "{what}");
                    continue;
                }
                copied => copied.unwrap_or_else(|e| panic!("{what}: {e}")),
            }
            assert_equal(&expected, &tree(&root.open("deep/copy").unwrap()), &what);
            // In a file that cannot say what is free the first change looks for it.
            assert!([0, forgotten].contains(&leaked(&target)), "{what}");
            drop(root);
            target.close().unwrap();
            let (again, _) = open(&shared.lock());
            let forgotten = leaked(&again);
            again.check_flushed().unwrap();
            let root = again.root().unwrap();
            assert_equal(&expected, &tree(&root.open("deep/copy").unwrap()), &format!("{what}, opened again"));
            root.link_delete("deep").unwrap();
            assert_equal(&before, &tree(&root), &format!("{what}, deleted"));
            assert!([0, forgotten].contains(&leaked(&again)), "{what}, deleted");
        }
        assert_equal(&expected, &tree(&source.root().unwrap()), name);
    }
}

fn write_texts(dataset: &Object, count: u64, random: &mut Random) {
    let mut arena = Arena::default();
    let value = |arena: &mut Arena, n: u64| arena.add(format!("value {n} {}\0", "x".repeat(n as usize % 90)));
    let pointers: Vec<u8> = (0..count).flat_map(|_| value(&mut arena, random.below(1000)).to_ne_bytes()).collect();
    dataset.dataset_write_values(&text(), None, |_| Ok(&pointers), &mut arena).unwrap();
}

fn random_dataset(group: &Object, name: &str, random: &mut Random, committed: &[Object]) -> Result<Object> {
    let count = 1 + random.below(60);
    let mut options = DatasetOptions::default();
    match random.below(4) {
        0 => options.layout = NewLayout::Compact,
        1 => {}
        kind => {
            options.layout = NewLayout::Chunked;
            options.chunk = Some(vec![1 + random.below(count)]);
            options.max_dims = (kind == 3).then(|| vec![u64::MAX]);
            options.deflate = (random.below(2) == 0).then_some(1);
            options.shuffle = random.below(2) == 0;
            options.fletcher32 = random.below(3) == 0;
        }
    }
    match random.below(4) {
        0 => {
            let dataset = group.create_dataset(name, &text(), &[count], &options)?;
            write_texts(&dataset, count, random);
            Ok(dataset)
        }
        1 => {
            let reference = Datatype::reference(ReferenceKind::Object).unwrap();
            group.create_dataset(name, &reference, &[count], &options)
        }
        kind => {
            let shared = committed.first().filter(|_| kind == 2).map(|object| object.address().unwrap());
            let dataset = group.create_dataset_of(name, &i32(), shared, &[count], &options, None)?;
            let values: Vec<u8> = (0..count).flat_map(|_| (random.below(1 << 20) as i32).to_le_bytes()).collect();
            dataset.dataset_write(&i32(), None, &values)?;
            Ok(dataset)
        }
    }
}

fn random_attributes(object: &Object, random: &mut Random, committed: &[Object]) {
    let count = if random.below(4) == 0 { 30 } else { random.below(4) };
    for number in 0..count {
        let name = format!("attribute {number}");
        match random.below(3) {
            0 => {
                let mut arena = Arena::default();
                let pointer = arena.add(format!("text {number}\0"));
                let bytes = pointer.to_ne_bytes();
                object.attr_write_values(&name, &text(), None, &[], &bytes, &mut arena).unwrap();
            }
            kind => {
                let shared = committed.first().filter(|_| kind == 1).map(|object| object.address().unwrap());
                let value = (random.below(1000) as i32).to_le_bytes();
                object.attr_write_values(&name, &i32(), shared, &[], &value, &mut Arena::default()).unwrap();
            }
        }
    }
}

/// A tree of groups and datasets of every sort, with links across it.
fn random_tree(root: &Object, random: &mut Random) {
    let phase = |random: &mut Random| {
        let track_order = random.below(2) == 0;
        Phase { track_order, index_order: track_order && random.below(2) == 0, ..Phase::default() }
    };
    let top = root.create_group("tree", &GroupOptions::default()).unwrap();
    let named = top.commit_type("named", &i32()).unwrap();
    random_attributes(&named, random, &[]);
    let committed = [named];
    let (mut groups, mut datasets) = (vec![top], Vec::new());
    for number in 0..40 {
        let group = groups[random.index(groups.len())].clone();
        let name = format!("object {number}");
        match random.below(8) {
            0..=2 => {
                let options = GroupOptions { links: phase(random), attributes: phase(random) };
                let made = group.create_group(&name, &options).unwrap();
                random_attributes(&made, random, &committed);
                groups.push(made);
            }
            3..=5 => {
                let made = random_dataset(&group, &name, random, &committed).unwrap();
                random_attributes(&made, random, &committed);
                datasets.push(made);
            }
            6 => {
                // Not to a group: a cycle is never freed.
                let Some(object) = datasets.get(random.index(1 + datasets.len())) else { continue };
                group.link_create_hard(&name, object).unwrap();
                object.set_comment(&format!("comment {number}")).unwrap();
            }
            _ if number % 2 == 0 => group.link_create_soft(&name, &format!("object {}", number + 1)).unwrap(),
            _ => group.link_create_external(&name, "other.h5", "/x").unwrap(),
        }
    }
}

#[test]
fn random_trees_are_copied_and_deleted_without_a_trace() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let what = format!("seed {seed}");
        let (source, _) = create(FormatVersion::V110);
        let root = source.root().unwrap();
        random_tree(&root, &mut random);
        let expected = tree(&root.open("tree").unwrap());
        let format = if seed % 3 == 0 { FormatVersion::V18 } else { FormatVersion::V110 };
        let (target, shared) = create(format);
        let empty = target.used_extents().unwrap();
        let other = target.root().unwrap();
        root.copy("tree", &other, "a/b", &CopyOptions::default()).unwrap();
        root.copy("tree", &root, "tree/object/within", &CopyOptions::default()).unwrap();
        other.copy("a", &other, "again", &CopyOptions::default()).unwrap();
        for (file, path) in [(&target, "a/b"), (&target, "again/b"), (&source, "tree/object/within")] {
            assert_equal(&expected, &tree(&file.root().unwrap().open(path).unwrap()), &format!("{what}, {path}"));
            assert_sound(file, &what);
        }
        if seed % 2 == 0 {
            target.flush().unwrap();
        }
        other.link_delete("a").unwrap();
        assert_equal(&expected, &tree(&other.open("again/b").unwrap()), &what);
        other.link_delete("again").unwrap();
        assert_sound(&target, &what);
        target.flush().unwrap();
        let total = |extents: &[(u64, u64)]| extents.iter().map(|extent| extent.1).sum::<u64>();
        assert_eq!(total(&target.used_extents().unwrap()), total(&empty), "{what}");
        drop(other);
        target.close().unwrap();
        open(&shared.lock()).0.check_flushed().unwrap();
    }
}

#[test]
fn options_and_links() {
    let (file, _) = create(FormatVersion::V110);
    let root = file.root().unwrap();
    let group = root.create_group("g", &GroupOptions::default()).unwrap();
    let below = group.create_group("below", &GroupOptions::default()).unwrap();
    let dataset = below.create_dataset("d", &i32(), &[2], &DatasetOptions::default()).unwrap();
    dataset.dataset_write(&i32(), None, &[1, 0, 0, 0, 2, 0, 0, 0]).unwrap();
    group.attr_write("a", &i32(), &[], &[1, 0, 0, 0]).unwrap();
    group.link_create_hard("same", &dataset).unwrap();
    group.link_create_hard("up", &group).unwrap();
    group.link_create_soft("soft", "below/d").unwrap();
    group.link_create_soft("nowhere", "/none").unwrap();
    group.link_create_user("user", 99, b"data").unwrap();

    let shallow = CopyOptions { shallow: true, ..CopyOptions::default() };
    root.copy("g", &root, "shallow", &shallow).unwrap();
    assert_eq!(root.open("shallow/below").unwrap().link_count().unwrap(), 0);
    assert_eq!(root.open("shallow/below").unwrap().kind().unwrap(), ObjectKind::Group);
    assert_eq!(root.open("shallow").unwrap().link_count().unwrap(), 6);
    let address = |path: &str| root.open(path).unwrap().address().unwrap();
    assert_eq!(address("shallow/up"), address("shallow"));
    assert!(root.open("shallow").unwrap().attr_exists("a").unwrap());

    let bare = CopyOptions { without_attributes: true, expand_soft_links: true, ..CopyOptions::default() };
    root.copy("g", &root, "bare", &bare).unwrap();
    assert!(!root.open("bare").unwrap().attr_exists("a").unwrap());
    assert_eq!(address("bare/soft"), address("bare/below/d"));
    assert_eq!(address("bare/same"), address("bare/below/d"));
    assert_ne!(address("bare/same"), address("g/same"));
    assert_eq!(root.open("bare/same").unwrap().info(None).unwrap().references, 3);
    let nowhere = root.link_info("bare/nowhere").unwrap().target;
    assert_eq!(nowhere, LinkTarget::Soft(b"/none".to_vec()));
    assert_eq!(root.link_info("bare/user").unwrap().target, LinkTarget::User(99, b"data".to_vec()));

    let deep = CopyOptions::default();
    for (from, to, kind) in [
        ("g", "bare", ErrorKind::Exists),
        ("g", "bare/same/x", ErrorKind::WrongKind),
        ("g", "bare/nowhere/x", ErrorKind::NotFound),
        ("none", "x", ErrorKind::NotFound),
        ("g", "/", ErrorKind::Argument),
        ("", "x", ErrorKind::Argument),
    ] {
        let error = root.copy(from, &root, to, &deep).unwrap_err();
        assert_eq!(error.kind(), kind, "{from} to {to}: {error}");
    }
    assert!(!root.link_exists("x").unwrap());
    assert_sound(&file, "options");
}

#[test]
fn references_become_null_in_another_file_only() {
    let (file, _) = create(FormatVersion::V110);
    let root = file.root().unwrap();
    let kind = Datatype::reference(ReferenceKind::Object).unwrap();
    let record = Datatype::compound(12).unwrap().with_member("n", 0, &i32()).unwrap();
    let record = record.with_member("r", 4, &kind).unwrap();
    let mut value = vec![7, 0, 0, 0];
    value.extend(root.address().unwrap().to_ne_bytes());
    for (layout, name) in [(NewLayout::Contiguous, "flat"), (NewLayout::Chunked, "chunks")] {
        let chunk = (layout == NewLayout::Chunked).then(|| vec![1]);
        let options = DatasetOptions { layout, chunk, ..DatasetOptions::default() };
        let dataset = root.create_dataset(name, &record, &[1], &options).unwrap();
        dataset.dataset_write_values(&record, None, |_| Ok(&value), &mut Arena::default()).unwrap();
        dataset.attr_write_values("r", &record, None, &[1], &value, &mut Arena::default()).unwrap();
        let targets = [create(FormatVersion::V110).0, open(EMPTY_4).0].map(|file| file.root().unwrap());
        for target in &targets {
            root.copy(name, target, "c", &CopyOptions::default()).unwrap();
        }
        root.copy(name, &root, &format!("{name} again"), &CopyOptions::default()).unwrap();
        let again = root.open(&format!("{name} again")).unwrap();
        let read = |dataset: &Object| {
            let (mut data, mut attribute) = (vec![0; 12], vec![0; 12]);
            dataset.dataset_read_values(&record, None, |_| Ok(&mut data), &mut Arena::default()).unwrap();
            dataset.attr_read_values("r", &record, &mut attribute, &mut Arena::default()).unwrap();
            (data, attribute)
        };
        assert_eq!(read(&again), (value.clone(), value.clone()), "{name}");
        let null = vec![7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for target in targets {
            assert_eq!(read(&target.open("c").unwrap()), (null.clone(), null.clone()), "{name}");
        }
    }
}

#[test]
fn the_copy_of_a_cycle_ends_and_is_counted_right() {
    let (source, _) = open(include_bytes!("data/old_cycle.h5"));
    assert!(source
        .check_report(10)
        .unwrap()
        .findings
        .iter()
        .any(|finding| finding.message.contains("reference count")));
    let (target, _) = create(FormatVersion::V110);
    let root = target.root().unwrap();
    source.root().unwrap().copy("/", &root, "copy", &CopyOptions::default()).unwrap();
    assert_eq!(root.open("copy/o/g").unwrap().info(None).unwrap().references, 2);
    assert_sound(&target, "a cycle");
}

/// Every read of the source fails once: the target has nothing of the copy, and works on.
#[test]
fn a_source_that_cannot_be_read_leaves_nothing() {
    let (source, bytes) = create(FormatVersion::V110);
    random_tree(&source.root().unwrap(), &mut Random::new(77));
    source.close().unwrap();
    fail_every_read(&bytes.lock(), "tree", &|| create(FormatVersion::V110).0);
    fail_every_read(SIZES_4, "/", &|| create(FormatVersion::V110).0);
    fail_every_read(&bytes.lock(), "tree", &|| open(EMPTY_4).0);
}

fn fail_every_read(bytes: &[u8], from: &str, make: &dyn Fn() -> File) {
    let expected = tree(&open(bytes).0.root().unwrap().open(from).unwrap());
    let (mut failed, mut nth) = (0, 1);
    loop {
        let backend = FaultBackend::new(Box::new(MemoryBackend::with_bytes(bytes.to_vec())));
        let control = backend.control();
        let options = OpenOptions { read_only: true, ..OpenOptions::default() };
        let source = File::open_on(Box::new(backend), Path::new("source"), &options).unwrap();
        let target = make();
        let root = target.root().unwrap();
        root.create_group("g", &GroupOptions::default()).unwrap();
        target.flush().unwrap();
        let before = target.used_extents().unwrap();
        control.lock().watch(nth, Fault::Error(5));
        nth += 1;
        let copied = source.root().unwrap().copy(from, &root, "g/copy", &CopyOptions::default());
        match copied {
            Ok(()) => {
                assert_equal(&expected, &tree(&root.open("g/copy").unwrap()), "without a fault");
                break;
            }
            Err(e) => assert_eq!(e.kind(), ErrorKind::Io, "{e}"),
        }
        failed += 1;
        assert!(!root.link_exists("g/copy").unwrap());
        let total = |extents: &[(u64, u64)]| extents.iter().map(|extent| extent.1).sum::<u64>();
        assert_eq!(total(&target.used_extents().unwrap()), total(&before), "read {nth}");
        assert_sound(&target, &format!("read {nth}"));
        root.create_group("g/copy/after", &GroupOptions::default()).unwrap();
        target.close().unwrap();
    }
    assert!(failed > 50, "{failed} reads failed");
}

/// Every write of a copy to a file with addresses of another size fails once.
#[test]
fn a_target_that_cannot_be_written_keeps_its_flushed_state() {
    for (bytes, empty) in [(SIZES_4, OLD), (include_bytes!("data/datasets.h5").as_slice(), EMPTY_4)] {
        let before = tree(&open(empty).0.root().unwrap());
        let (mut failed, mut nth) = (0, 0);
        let mut after = None;
        loop {
            let memory = MemoryBackend::with_bytes(empty.to_vec());
            let written = memory.shared();
            let backend = FaultBackend::new(Box::new(memory));
            let control = backend.control();
            let target = File::open_on(Box::new(backend), Path::new("file"), &OpenOptions::default()).unwrap();
            let source = open(bytes).0.root().unwrap();
            if nth > 0 {
                control.lock().watch(nth, Fault::Error(5));
            }
            nth += 1;
            let from = source.links(Order::Name).unwrap();
            let copied = from.iter().filter(|(name, _)| name != "virtual").try_for_each(|(name, _)| {
                source.copy(name, &target.root()?, &format!("copies/{name}"), &CopyOptions::default())
            });
            match (copied.and_then(|()| target.flush()), &after) {
                (Ok(()), None) => after = Some(tree(&target.root().unwrap())),
                (Ok(()), Some(_)) => break,
                (Err(error), _) => {
                    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
                    failed += 1;
                    let _ = target.close();
                }
            }
            // A flush that failed behind the instant from which the new state is decided on is completed by the next opening.
            let (again, _) = open(&written.lock());
            let expected = match again.root().unwrap().link_exists("copies").unwrap() {
                true => after.as_ref().unwrap(),
                false => &before,
            };
            assert_equal(expected, &tree(&again.root().unwrap()), &format!("call {nth}, opened again"));
            leaked(&again);
        }
        assert!(failed > 5, "{failed} writes failed");
    }
}

/// What the target has no room for, in its addresses or in a layout, is named, and nothing is left of it.
#[test]
fn elements_that_grow_too_large_for_the_target_are_refused() {
    let (source, _) = open(EMPTY_4);
    let root = source.root().unwrap();
    let options = DatasetOptions { layout: NewLayout::Compact, ..DatasetOptions::default() };
    let compact = root.create_dataset("compact", &text(), &[5000], &options).unwrap();
    write_texts(&compact, 5000, &mut Random::new(5));
    for (target, needle) in [
        (create(FormatVersion::V110).0, "size of compact dataset 80000 is outside 0..65531 bytes in the target file"),
        (open(EMPTY_2).0, "addresses of 2 bytes"),
    ] {
        let to = target.root().unwrap();
        let before = tree(&to);
        let error = root.copy("compact", &to, "copy", &CopyOptions::default()).expect_err(needle);
        assert!(error.message().contains(needle), "{error}");
        assert_equal(&before, &tree(&to), needle);
        assert_eq!(leaked(&target), 0, "{needle}");
        to.create_group("after", &GroupOptions::default()).unwrap();
        target.close().unwrap();
    }
    let (same, _) = open(EMPTY_4);
    root.copy("compact", &same.root().unwrap(), "copy", &CopyOptions::default()).unwrap();
    assert_equal(&tree(&compact), &tree(&same.root().unwrap().open("copy").unwrap()), "of the same size");
}

/// Every call of a copy within a file fails once. The flushed state stays what it was, and where the file is not given up,
/// it is what it was in memory too.
#[test]
fn a_file_that_fails_keeps_its_flushed_state() {
    let (source, bytes) = create(FormatVersion::V110);
    random_tree(&source.root().unwrap(), &mut Random::new(78));
    source.close().unwrap();
    let original = open(&bytes.lock()).0;
    let (expected, forgotten) = (tree(&original.root().unwrap()), leaked(&original));
    let (mut reads, mut writes, mut nth) = (0, 0, 1);
    loop {
        let memory = MemoryBackend::with_bytes(bytes.lock().clone());
        let written = memory.shared();
        let backend = FaultBackend::new(Box::new(memory));
        let control = backend.control();
        let file = File::open_on(Box::new(backend), Path::new("file"), &OpenOptions::default()).unwrap();
        let root = file.root().unwrap();
        control.lock().watch(nth, Fault::Error(5));
        nth += 1;
        let copied = root.copy("tree", &root, "new/copy", &CopyOptions::default());
        let Err(error) = copied else { break };
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        match control.lock().failed {
            Some(true) => writes += 1,
            _ => reads += 1,
        }
        // A failed write gives the file up.
        if let Ok(exists) = root.link_exists("new") {
            assert!(!exists);
            assert_equal(&expected, &tree(&root), &format!("call {nth}"));
            assert_eq!(leaked(&file), forgotten, "call {nth}");
        }
        drop(root);
        let _ = file.close();
        let (again, _) = open(&written.lock());
        assert_equal(&expected, &tree(&again.root().unwrap()), &format!("call {nth}, opened again"));
        leaked(&again);
    }
    assert!(reads > 50 && writes > 5, "{reads} reads and {writes} writes failed");
}

#[test]
fn two_threads_copy_in_both_directions() {
    let (one, _) = create(FormatVersion::V110);
    let (two, _) = create(FormatVersion::V110);
    for file in [&one, &two] {
        let dataset = file.root().unwrap().create_dataset("d", &text(), &[20], &DatasetOptions::default()).unwrap();
        write_texts(&dataset, 20, &mut Random::new(1));
    }
    std::thread::scope(|scope| {
        for (from, to, name) in [(&one, &two, "a"), (&two, &one, "b"), (&one, &one, "c")] {
            scope.spawn(move || {
                let (from, to) = (from.root().unwrap(), to.root().unwrap());
                for number in 0..200 {
                    from.copy("d", &to, &format!("{name}{number}"), &CopyOptions::default()).unwrap();
                }
            });
        }
    });
    let expected = tree(&one.root().unwrap().open("d").unwrap());
    for (file, count) in [(&one, 401), (&two, 201)] {
        let root = file.root().unwrap();
        assert_eq!(root.link_count().unwrap(), count);
        for (name, _) in root.links(Order::Name).unwrap() {
            assert_equal(&expected, &tree(&root.open(&name).unwrap()), &name);
        }
        assert_sound(file, "threads");
    }
}
