//! Files in the oldest format (superblocks 0 and 1, version 1 object headers, symbol tables): every attribute, link and
//! value is read as `data/old.txt` says, and the files are changed in place. `data/old.py` made them.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use common::random::Random;
use common::{describe, difference};
use h5r::datatype::{Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::check::{check_on, CheckOptions};
use h5r::object::dataset::{DatasetOptions, LayoutKind};
use h5r::object::{File, GroupOptions, LinkTarget, Object, OpenOptions, Order};
use h5r::store::MemoryBackend;
use parking_lot::Mutex;

const OLD: &[u8] = include_bytes!("data/old.h5");
const SMALL: &[u8] = include_bytes!("data/old_small.h5");
const FILES: [(&str, &[u8]); 2] = [("old", OLD), ("old_small", SMALL)];

/// Where the consistency flags stand in an old superblock.
const FLAGS_AT: usize = 20;

fn open(bytes: &[u8], read_only: bool) -> File {
    let options = OpenOptions { read_only, ..OpenOptions::default() };
    File::open_on(Box::new(MemoryBackend::with_bytes(bytes.to_vec())), Path::new("old"), &options).unwrap()
}

fn writable(bytes: &[u8]) -> (File, Arc<Mutex<Vec<u8>>>) {
    let backend = MemoryBackend::with_bytes(bytes.to_vec());
    let shared = backend.shared();
    (File::open_on(Box::new(backend), Path::new("old"), &OpenOptions::default()).unwrap(), shared)
}

fn at(file: &File, path: &str) -> Object {
    file.root().unwrap().open(path).unwrap()
}

fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn shape(object: &Object, name: &str) -> String {
    let info = object.attr_info(name).unwrap();
    match info.dims.as_slice() {
        _ if info.is_null => "null".into(),
        [] => "scalar".into(),
        dims => dims.iter().map(u64::to_string).collect::<Vec<_>>().join("x"),
    }
}

/// Compares an object's part of the manifest.
fn compare(file: &File, line: &str) {
    let fields: Vec<&str> = line.split('\t').collect();
    let object = at(file, fields[1]);
    match fields[..] {
        ["object", _, attributes, links] => {
            assert_eq!(object.attr_count().unwrap().to_string(), attributes, "{line}");
            assert_eq!(object.link_count().unwrap_or(0).to_string(), links, "{line}");
        }
        // Its value is a reference into the global heap.
        ["attribute", _, "text", ..] => assert_eq!(shape(&object, "text"), "scalar"),
        ["attribute", _, name, size, dims, data] => {
            let (info, found) = object.attr_read_raw(name).unwrap();
            assert_eq!(
                (info.datatype.size().to_string().as_str(), shape(&object, name).as_str()),
                (size, dims),
                "{line}"
            );
            assert_eq!(hex(&found), data, "{line}");
        }
        ["soft", _, name, target] => {
            assert_eq!(object.link_info(name).unwrap().target, LinkTarget::Soft(target.into()), "{line}")
        }
        ["user", _, name, _] => {
            assert!(matches!(object.link_info(name).unwrap().target, LinkTarget::User(64, _)), "{line}")
        }
        ["hard", _, name, _] => {
            let LinkTarget::Hard(address) = object.link_info(name).unwrap().target else { panic!("{line}") };
            assert_eq!(object.open(name).unwrap().address().unwrap(), address, "{line}");
        }
        ["order", _, what, order] => {
            let names: Vec<String> = match what {
                "links" => object.links(Order::Creation).unwrap().into_iter().map(|(name, _)| name).collect(),
                _ => object.attr_names(Order::Creation).unwrap(),
            };
            assert_eq!(names.join(" "), order, "{line}");
        }
        _ => panic!("a line that is not understood: {line}"),
    }
}

#[test]
fn everything_is_read_as_libhdf5_says() {
    for (name, bytes) in FILES {
        let parts = include_str!("data/old.txt").split("file\t");
        let manifest = parts.filter_map(|part| part.split_once('\n')).find(|(file, _)| *file == name).unwrap().1;
        for read_only in [true, false] {
            let file = open(bytes, read_only);
            file.check().unwrap();
            file.check_flushed().unwrap();
            manifest.lines().for_each(|line| compare(&file, line));
            let mut data = [0; 24];
            at(&file, "untimed").dataset_read(&i32(), None, &mut data).unwrap();
            assert_eq!(data.to_vec(), (0..6i32).flat_map(i32::to_le_bytes).collect::<Vec<_>>());
            let mut data = [0; 20];
            at(&file, "late").dataset_read(&i32(), None, &mut data).unwrap();
            assert_eq!(data, [7, 0, 0, 0].repeat(5)[..]);
            let chunked = at(&file, "chunked").dataset_info().unwrap();
            assert_eq!((chunked.layout, chunked.dims), (LayoutKind::Chunked, vec![10, 12]));
            assert!(chunked.storage_size > 100 && chunked.storage_size < 1000, "{}", chunked.storage_size);
            drop(file);
        }
    }
}

/// Attributes of one object as they should be.
type Model = BTreeMap<String, Vec<u8>>;

fn attributes(object: &Object) -> Model {
    let names = object.attr_names(Order::Name).unwrap();
    names.into_iter().map(|name| (name.clone(), object.attr_read_raw(&name).unwrap().1)).collect()
}

#[test]
fn attributes_come_and_go_in_old_headers() {
    for (which, bytes) in FILES {
        let (mut file, mut shared) = writable(bytes);
        let mut random = Random::new(7);
        for path in ["attributes", "untimed", "links/3", "empty"] {
            let path = if file.root().unwrap().open(path).is_ok() { path } else { "few" };
            let mut model = attributes(&at(&file, path));
            for step in 0..400 {
                let object = at(&file, path);
                let name = format!("{}{}", "n".repeat(random.index(3) * 7), random.index(30));
                let value = vec![step as u8; [1, 4, 9, 300, 5000][random.index(5)]];
                match random.index(5) {
                    0 | 1 => {
                        let u8 = Datatype::little(Number::U8);
                        object.attr_write(&name, &u8, &[value.len() as u64], &value).unwrap();
                        model.insert(name, value);
                    }
                    2 if model.contains_key(&name) => {
                        object.attr_delete(&name).unwrap();
                        model.remove(&name);
                    }
                    3 if model.contains_key(&name) && !model.contains_key("other") => {
                        object.attr_rename(&name, "other").unwrap();
                        let value = model.remove(&name).unwrap();
                        model.insert("other".into(), value);
                    }
                    4 if step % 20 == 0 => file.flush().unwrap(),
                    _ => {}
                }
                drop(object);
                if step % 50 == 0 {
                    file.check().unwrap();
                }
            }
            assert_eq!(attributes(&at(&file, path)), model, "{which}: {path}");
            file.close().unwrap();
            let bytes = shared.lock().clone();
            (file, shared) = writable(&bytes);
            file.check_flushed().unwrap();
            assert_eq!(attributes(&at(&file, path)), model, "{which}: {path}, reopened");
        }
    }
}

fn links(group: &Object) -> BTreeMap<String, LinkTarget> {
    group.links(Order::Native).unwrap().into_iter().map(|(name, info)| (name, info.target)).collect()
}

#[test]
fn links_come_and_go_in_old_groups() {
    for (which, bytes) in FILES {
        let (mut file, mut shared) = writable(bytes);
        let mut random = Random::new(3);
        let mut model = links(&at(&file, "links"));
        assert!(model.len() > 25);
        for round in 0..6 {
            let (group, empty, few) = (at(&file, "links"), at(&file, "empty"), at(&file, "few"));
            for step in 0..300 {
                let number = random.index(400);
                let name = format!("{}{number}", "x".repeat(number % 40));
                let picked = model.keys().nth(random.index(model.len().max(1))).cloned();
                match (random.index(6), picked) {
                    (0..=2, _) if model.contains_key(&name) => {
                        let error = group.link_create_soft(&name, "/there").unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::Exists);
                        continue;
                    }
                    (0, _) => group.link_create_soft(&name, &format!("/there/{number}")).unwrap(),
                    (1, _) => group.link_create_hard(&name, &few).unwrap(),
                    (2, _) => drop(group.create_group(&name, &GroupOptions::default()).unwrap()),
                    (3, Some(picked)) if !model.contains_key(&name) => {
                        group.link_move(&picked, &empty, "moved").unwrap();
                        empty.link_move("moved", &group, &name).unwrap();
                        let target = model.remove(&picked).unwrap();
                        model.insert(name, target);
                        continue;
                    }
                    (_, Some(picked)) if round % 2 == 1 || step % 2 == 0 => {
                        group.link_delete(&picked).unwrap();
                        model.remove(&picked);
                        continue;
                    }
                    _ => continue,
                }
                model.insert(name.clone(), group.link_info(&name).unwrap().target);
            }
            file.check().unwrap();
            assert_eq!(links(&group), model, "{which}");
            assert_eq!(group.link_count().unwrap(), model.len() as u64, "{which}");
            drop((group, empty, few));
            file.close().unwrap();
            let bytes = shared.lock().clone();
            (file, shared) = writable(&bytes);
            file.check_flushed().unwrap();
            assert_eq!(links(&at(&file, "links")), model, "{which}, reopened");
        }
        let few = at(&file, "few");
        assert_eq!(attributes(&few), attributes(&at(&open(bytes, true), "few")), "{which}");
    }
}

#[test]
fn what_is_deleted_gives_its_space_back() {
    for (which, bytes) in FILES {
        let (file, shared) = writable(bytes);
        let root = file.root().unwrap();
        for (name, _) in root.links(Order::Name).unwrap() {
            root.link_delete(&name).unwrap();
            file.check().unwrap();
        }
        assert_eq!(root.link_count().unwrap(), 0);
        file.close().unwrap();
        let changed = shared.lock().clone();
        assert!(changed.len() < bytes.len(), "{which}");
        let report = check_on(Box::new(MemoryBackend::with_bytes(changed.clone())), &CheckOptions::default()).unwrap();
        assert_eq!(report.errors, 0, "{which}: {:?}", report.findings);
        // A superblock, a header, an empty B-tree and an empty heap are in use, and a collection of the global heap.
        let used: u64 = report.bytes.iter().sum();
        assert!(used < 4096 + 1100, "{which}: {used} bytes in use, {:?}", report.bytes);
        let file = open(&changed, false);
        file.check_flushed().unwrap();
        file.root().unwrap().create_group("again", &GroupOptions::default()).unwrap();
        file.check().unwrap();
    }
}

#[test]
fn new_objects_stand_in_old_groups() {
    for (which, bytes) in FILES {
        let (file, shared) = writable(bytes);
        let empty = at(&file, "empty");
        for number in 0..50 {
            let data: Vec<u8> = (0..10).flat_map(|i: i32| (i + number).to_le_bytes()).collect();
            let dataset =
                empty.create_dataset(&format!("data{number}"), &i32(), &[10], &DatasetOptions::default()).unwrap();
            dataset.dataset_write(&i32(), None, &data).unwrap();
            dataset.attr_write("number", &i32(), &[], &number.to_le_bytes()).unwrap();
        }
        for number in (0..50).step_by(2) {
            empty.link_delete(&format!("data{number}")).unwrap();
        }
        at(&file, "late").dataset_write(&i32(), None, &[5; 20]).unwrap();
        file.close().unwrap();
        let bytes = shared.lock().clone();
        let file = open(&bytes, true);
        file.check_flushed().unwrap();
        let empty = at(&file, "empty");
        assert_eq!(empty.link_count().unwrap(), 25, "{which}");
        for number in (1..50).step_by(2) {
            let mut data = [0; 40];
            empty.open(&format!("data{number}")).unwrap().dataset_read(&i32(), None, &mut data).unwrap();
            assert_eq!(data[36..], (number + 9i32).to_le_bytes());
        }
        let mut data = [0; 20];
        at(&file, "late").dataset_read(&i32(), None, &mut data).unwrap();
        assert_eq!(data, [5; 20]);
    }
}

#[test]
fn what_the_old_format_cannot_hold_makes_new_objects() {
    for (which, bytes) in FILES {
        let (file, shared) = writable(bytes);
        let expected = links(&at(&file, "links"));
        let group = at(&file, "links");
        group.link_create_soft("größe", "/there").unwrap();
        at(&file, "attributes").attr_write("70k", &Datatype::little(Number::U8), &[70_000], &[7; 70_000]).unwrap();
        let few = at(&file, "few");
        few.attr_write("65529", &Datatype::little(Number::U8), &[65_490], &[7; 65_490]).unwrap();
        file.check().unwrap();
        file.root().unwrap().link_create_soft("größe", "/there").unwrap();
        file.close().unwrap();
        let before = attributes(&at(&open(bytes, true), "attributes"));
        let bytes = shared.lock().clone();
        let file = open(&bytes, false);
        file.check_flushed().unwrap();
        let mut found = links(&at(&file, "links"));
        assert_eq!(found.remove("größe"), Some(LinkTarget::Soft(b"/there".to_vec())));
        assert_eq!(found, expected, "{which}");
        let mut found = attributes(&at(&file, "attributes"));
        assert_eq!(found.remove("70k"), Some(vec![7; 70_000]));
        assert_eq!(found, before, "{which}");
        assert_eq!(attributes(&at(&file, "few")).len(), 3, "{which}");
    }
}

#[test]
fn a_flag_in_an_old_superblock_says_that_a_flush_is_on() {
    let (mut bytes, _) = (OLD.to_vec(), ());
    bytes[FLAGS_AT] |= 0x80;
    // No redo record: nothing was decided on.
    let (file, shared) = writable(&bytes);
    assert_eq!(file.recovery().unwrap(), h5r::store::recover::Recovery::Discarded);
    file.check().unwrap();
    file.close().unwrap();
    assert_eq!(shared.lock()[..], OLD[..]);
    bytes[FLAGS_AT + 1] |= 1;
    let error = File::open_on(Box::new(MemoryBackend::with_bytes(bytes)), Path::new("old"), &OpenOptions::default());
    assert_eq!(error.err().unwrap().kind(), ErrorKind::Corrupt);
}

/// The group's header counts one link to it, two lead there, one of them in itself; and a dataset's data lie on it, so that
/// its space cannot be given back once more.
#[test]
fn an_object_that_leads_to_itself_is_freed_once() {
    let (file, shared) = writable(include_bytes!("data/old_cycle.h5"));
    let before = shared.lock().clone();
    let error = file.root().unwrap().link_delete("o").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    file.close().unwrap_err();
    assert!(shared.lock()[..] == before[..]);
}

#[test]
fn reading_changes_nothing_and_the_contents_do_not_depend_on_the_way() {
    for (which, bytes) in FILES {
        let (file, shared) = writable(bytes);
        let contents = describe(&file).unwrap();
        file.close().unwrap();
        assert_eq!(shared.lock()[..], bytes[..], "{which}");
        let again = describe(&open(bytes, true)).unwrap();
        assert_eq!(contents, again, "{}", difference(&contents, &again));
    }
}

/// The root group becomes a new one and is forgotten before the flush: the superblock does not go on naming its table.
#[test]
fn a_root_group_that_is_not_in_memory_leaves_its_table() {
    let (file, disk) = writable(SMALL);
    // What the root's entry caches stands behind two addresses of it, and four before.
    let at = SMALL.windows(4).position(|bytes| bytes == b"\x89HDF").unwrap();
    let cache_at = at + 24 + 4 * usize::from(SMALL[at + 8]) + 6 * usize::from(SMALL[at + 13]);
    let root = file.root().unwrap();
    let groups = root.create_group("groups", &GroupOptions::default()).unwrap();
    file.flush().unwrap();
    assert_eq!(disk.lock()[cache_at], 1, "it names the table");
    for (name, _) in root.links(Order::Native).unwrap() {
        if name != "groups" {
            root.link_delete(&name).unwrap();
        }
    }
    root.link_create_soft("gr\u{fc}n", "groups").unwrap();
    drop(root);
    (0..1000).for_each(|number| drop(groups.create_group(&number.to_string(), &GroupOptions::default()).unwrap()));
    drop(groups);
    file.flush().unwrap();
    assert_eq!(disk.lock()[cache_at], 0);
    file.close().unwrap();
}
