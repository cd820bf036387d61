//! Object headers move down when objects before them are deleted, so that a file ends earlier: contents stay, and so does
//! what references lead to.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::random::Random;
use common::{describe, difference, Contents};
use h5r::datatype::{Arena, CharacterSet, Datatype, Number, ReferenceKind, StringPadding};
use h5r::object::check::{check_on, CheckOptions};
use h5r::object::dataset::{DatasetOptions, NewLayout};
use h5r::object::{CreateOptions, File, FormatVersion, GroupOptions, Object, OpenOptions, Phase, Referred};
use h5r::rebalance::LazyOptions;
use h5r::store::MemoryBackend;
use parking_lot::Mutex;

const I32: Datatype = Datatype::little(Number::I32);
const WORDS: u64 = 40;

type Disk = Arc<Mutex<Vec<u8>>>;

/// Makes the objects of a file for whose numbers it is told so.
type Build<'a> = &'a dyn Fn(&File, &dyn Fn(u32) -> bool);

fn create(format: FormatVersion, root: &GroupOptions) -> (File, Disk) {
    let backend = MemoryBackend::new();
    let disk = backend.shared();
    let options = CreateOptions { format, root: *root, ..CreateOptions::default() };
    (File::create_on(Box::new(backend), Path::new("disk"), &options).unwrap(), disk)
}

fn open(disk: &Disk) -> File {
    File::open_on(Box::new(MemoryBackend::sharing(disk)), Path::new("disk"), &OpenOptions::default()).unwrap()
}

/// Everything in the file, which is sound.
fn contents(disk: &Disk) -> Contents {
    let copy = disk.lock().clone();
    let report = check_on(Box::new(MemoryBackend::with_bytes(copy.clone())), &CheckOptions::default()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    describe(&open(&Arc::new(Mutex::new(copy)))).unwrap()
}

fn assert_same(expected: &Contents, found: &Contents, what: &str) {
    assert!(expected == found, "{what}: {}", difference(expected, found));
}

/// A small dataset with an attribute, written at once, so that its header stands among other objects' data.
fn add(parent: &Object, path: &str, number: u32, options: &DatasetOptions) -> Object {
    let dataset = parent.create_dataset(path, &I32, &[WORDS], options).unwrap();
    dataset.dataset_write(&I32, None, &Random::new(number.into()).bytes(4 * WORDS as usize)).unwrap();
    dataset.attr_write("number", &I32, &[], &number.to_le_bytes()).unwrap();
    dataset
}

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// In mode lazy, which has the file shrink when it is closed. (In the session that made it: files for 1.8 do not say
    /// what is free in them.)
    Lazy,
    /// By asking for it, in another session.
    Rebalanced,
}

/// Builds a file with all objects, and deletes all that `goes` names; and another one in which these never were. They are
/// the same, and as long, but for one `part`. `build` makes those objects for whose numbers it is told so.
fn shrinks(
    what: &str,
    (file, disk): (File, Disk),
    (fresh, fresh_disk): (File, Disk),
    build: Build<'_>,
    goes: &[(u32, String)],
    (end, part): (End, usize),
) {
    build(&file, &|_| true);
    build(&fresh, &|number| goes.iter().all(|(gone, _)| *gone != number));
    fresh.close().unwrap();
    let file = match end {
        End::Lazy => {
            file.flush().unwrap();
            file.set_lazy(&LazyOptions::default()).unwrap();
            file
        }
        End::Rebalanced => {
            file.close().unwrap();
            open(&disk)
        }
    };
    let full = disk.lock().len();
    goes.iter().for_each(|(_, path)| file.root().unwrap().link_delete(path).unwrap());
    if end == End::Rebalanced {
        file.rebalance().unwrap();
        file.flush().unwrap();
    }
    file.close().unwrap();
    let expected = contents(&fresh_disk);
    assert_same(&expected, &contents(&disk), what);
    let (length, fresh) = (disk.lock().len(), fresh_disk.lock().len());
    assert!(length <= fresh + fresh / part, "{what}, {end:?}: {length} bytes of {full}, {fresh} when fresh");
    // What is left can be changed.
    let file = open(&disk);
    add(&file.root().unwrap(), "new", 77, &DatasetOptions::default());
    file.close().unwrap();
    assert_eq!(contents(&disk).len(), expected.len() + 1);
}

fn half(count: u32, path: impl Fn(u32) -> String) -> Vec<(u32, String)> {
    let mut random = Random::new(u64::from(count));
    (0..count).filter(|_| random.one_in(2)).map(|number| (number, path(number))).collect()
}

/// For each format, with links as messages and densely (or in a symbol table), for each end.
fn for_each_kind(test: impl Fn(&str, FormatVersion, &GroupOptions, End)) {
    for format in [FormatVersion::V18, FormatVersion::V110] {
        for (name, max_compact) in [("dense", 8), ("compact", 60)] {
            let links = Phase { max_compact, min_dense: max_compact.min(6), ..Phase::default() };
            for end in [End::Lazy, End::Rebalanced] {
                let root = GroupOptions { links, ..GroupOptions::default() };
                test(&format!("{name} links, {format:?}"), format, &root, end);
            }
        }
    }
}

#[test]
fn half_of_many_small_datasets() {
    for_each_kind(|what, format, options, end| {
        let grouped = options.links.max_compact > 8;
        // A group's header that has lost half of its links keeps the room.
        let path = |number: u32| match grouped {
            true => format!("g{}/d{number}", number / 50),
            false => format!("d{number}"),
        };
        let build = |file: &File, stays: &dyn Fn(u32) -> bool| {
            let root = file.root().unwrap();
            for number in 0..2000 {
                if number % 50 == 0 && grouped {
                    drop(root.create_group(&format!("g{}", number / 50), options).unwrap());
                }
                if stays(number) {
                    drop(add(&root, &path(number), number, &DatasetOptions::default()));
                }
            }
        };
        let goes = half(2000, path);
        shrinks(
            what,
            create(format, options),
            create(format, options),
            &build,
            &goes,
            (end, if grouped { 10 } else { 20 }),
        );
    });
}

#[test]
fn the_last_object_of_a_file() {
    for_each_kind(|what, format, options, end| {
        let build = |file: &File, stays: &dyn Fn(u32) -> bool| {
            let root = file.root().unwrap();
            for number in (0..1000).filter(|&number| stays(number)) {
                drop(add(&root, &format!("d{number}"), number, &DatasetOptions::default()));
            }
            let catalogue = root.create_group("catalogue", options).unwrap();
            for number in (0..1000).filter(|&number| stays(number)) {
                catalogue.attr_write(&format!("d{number}"), &I32, &[3], &[number as u8; 12]).unwrap();
            }
        };
        let goes = half(1000, |number| format!("d{number}"));
        // The catalogue's attributes go with what they are about.
        let delete_attributes = |file: &File| {
            let catalogue = file.root().unwrap().open("catalogue").unwrap();
            goes.iter().for_each(|(number, _)| catalogue.attr_delete(&format!("d{number}")).unwrap());
        };
        let build_and_delete = |file: &File, stays: &dyn Fn(u32) -> bool| {
            build(file, stays);
            if goes.iter().all(|(number, _)| stays(*number)) {
                delete_attributes(file);
            }
        };
        shrinks(what, create(format, options), create(format, options), &build_and_delete, &goes, (end, 20));
    });
}

/// The bytes of a reference to an object, of each kind.
fn references(root: &Object, path: &str) -> Vec<(ReferenceKind, Vec<u8>)> {
    let make = |kind, referred| (kind, root.reference(path, kind, referred, 1000).unwrap());
    vec![
        make(ReferenceKind::Object, Referred::Object),
        make(ReferenceKind::Region, Referred::Region(None)),
        make(ReferenceKind::StandardObject, Referred::Object),
        make(ReferenceKind::StandardRegion, Referred::Region(None)),
        make(ReferenceKind::StandardAttribute, Referred::Attribute("number")),
    ]
}

/// An element in memory of the bytes of a reference.
fn element(kind: ReferenceKind, bytes: &[u8], arena: &mut Arena) -> Vec<u8> {
    match kind {
        ReferenceKind::Object | ReferenceKind::Region => bytes.to_vec(),
        _ => [(bytes.len() as u64).to_ne_bytes(), arena.add(bytes).to_ne_bytes()].concat(),
    }
}

/// Where the references to number n are: in an attribute, in a dataset of a layout, in sequences of a compound.
fn store(root: &Object, number: usize, kind: ReferenceKind, bytes: &[u8]) {
    let datatype = Datatype::reference(kind).unwrap();
    let mut arena = Arena::default();
    let one = element(kind, bytes, &mut arena);
    let name = format!("r{number}");
    let null = vec![0; one.len()];
    let holder = match number % 3 {
        0 => root.create_group(&name, &GroupOptions::default()).unwrap(),
        _ => {
            let options = DatasetOptions {
                layout: if number % 3 == 1 { NewLayout::Contiguous } else { NewLayout::Chunked },
                chunk: (number % 3 == 2).then(|| vec![2]),
                ..DatasetOptions::default()
            };
            let dataset = root.create_dataset(&name, &datatype, &[3], &options).unwrap();
            let all = [null.clone(), null, one.clone()].concat();
            dataset.dataset_write_values(&datatype, None, |_| Ok(&all), &mut arena).unwrap();
            return;
        }
    };
    if number.is_multiple_of(2) {
        holder.attr_write_values("one", &datatype, None, &[], &one, &mut arena).unwrap();
        return;
    }
    let record = Datatype::compound(4 + datatype.size() as u32).unwrap().with_member("n", 0, &I32).unwrap();
    let record = record.with_member("r", 4, &datatype).unwrap();
    let list = Datatype::sequence(&record).unwrap();
    let pointer = arena.add([&[1; 4][..], &one].concat());
    let sequence = [1u64.to_ne_bytes(), pointer.to_ne_bytes()].concat();
    holder.attr_write_values("list", &list, None, &[], &sequence, &mut arena).unwrap();
}

/// The objects that references lead to stay, and those behind them; references lead there. Without references, and in the same
/// file, all move.
#[test]
fn what_references_lead_to_stays() {
    const COUNT: u32 = 60;
    let kinds = 5;
    for reference in (0..2 * kinds).map(Some).chain([None]) {
        let build = |gone: bool| {
            let (file, disk) = create(FormatVersion::V110, &GroupOptions::default());
            let root = file.root().unwrap();
            // Before everything that goes, so that only what they lead to stands in the way.
            (0..2 * kinds).for_each(|number| drop(root.create_group(&format!("g{number}"), &GroupOptions::default())));
            for number in 0..COUNT {
                if gone || number % 2 == 0 {
                    drop(add(&root, &format!("d{number}"), number, &DatasetOptions::default()));
                }
            }
            (file, disk)
        };
        let (file, disk) = build(true);
        let root = file.root().unwrap();
        let last = format!("d{}", COUNT - 2);
        if let Some(number) = reference {
            let (kind, bytes) = references(&root, &last).swap_remove(number % kinds);
            store(&root, number, kind, &bytes);
        }
        drop(root);
        file.close().unwrap();
        // Another session: nobody remembers who made a reference.
        let file = open(&disk);
        let root = file.root().unwrap();
        (0..COUNT).filter(|number| number % 2 == 1).for_each(|n| root.link_delete(&format!("d{n}")).unwrap());
        let before = root.open(&last).unwrap().address().unwrap();
        file.rebalance().unwrap();
        file.flush().unwrap();
        let after = root.open(&last).unwrap().address().unwrap();
        drop(root);
        file.close().unwrap();
        assert_eq!(after == before, reference.is_some(), "{reference:?}: from {before} to {after}");
        let found = contents(&disk);
        let left = found.iter().filter(|(path, _)| path.starts_with("/d")).count();
        assert_eq!(left, COUNT as usize / 2, "{reference:?}");
        if let Some(number) = reference {
            let file = open(&disk);
            let root = file.root().unwrap();
            let (kind, bytes) = references(&root, &last).swap_remove(number % kinds);
            let target = root.dereference(kind, &bytes).unwrap();
            assert_eq!(target.address().unwrap(), before);
        }
    }
}

/// Hard links in several groups, one of which leads in a circle, soft links, open handles, and groups in groups.
#[test]
fn all_links_follow() {
    for_each_kind(|what, format, options, end| {
        let build = |file: &File, stays: &dyn Fn(u32) -> bool| {
            let root = file.root().unwrap();
            for number in (0..300).filter(|&number| stays(number)) {
                let group = root.create_group(&format!("a{}/b/c{number}", number % 7), options).unwrap();
                let dataset = add(&group, "data", number, &DatasetOptions::default());
                root.link_create_hard(&format!("second{number}"), &dataset).unwrap();
                root.link_create_hard(&format!("a{}/third{number}", (number + 1) % 7), &group).unwrap();
                group.link_create_hard("self", &group).unwrap();
                group.link_create_hard("root", &root).unwrap();
                group.link_create_soft("soft", &format!("/second{number}")).unwrap();
                group.link_create_external("elsewhere", "other.h5", "/x").unwrap();
            }
        };
        let goes: Vec<(u32, String)> = half(300, |_| String::new());
        let (file, disk) = create(format, options);
        let (fresh, fresh_disk) = create(format, options);
        build(&file, &|_| true);
        (0..7).for_each(|n| drop(fresh.root().unwrap().create_group(&format!("a{n}/b"), options).unwrap()));
        build(&fresh, &|number| goes.iter().all(|(gone, _)| *gone != number));
        fresh.close().unwrap();
        file.flush().unwrap();
        let root = file.root().unwrap();
        let kept: Vec<u32> = (0..300).filter(|number| goes.iter().all(|(gone, _)| gone != number)).collect();
        let handles: Vec<Object> =
            kept.iter().rev().take(40).map(|n| root.open(&format!("a{}/b/c{n}/data", n % 7)).unwrap()).collect();
        let groups: Vec<Object> =
            kept.iter().rev().take(40).map(|n| root.open(&format!("a{}/b/c{n}", n % 7)).unwrap()).collect();
        let before: Vec<u64> = groups.iter().map(|group| group.address().unwrap()).collect();
        for (n, _) in &goes {
            let group = root.open(&format!("a{}/b/c{n}", n % 7)).unwrap();
            group.link_delete("self").unwrap();
            for path in [format!("a{}/b/c{n}", n % 7), format!("second{n}"), format!("a{}/third{n}", (n + 1) % 7)] {
                root.link_delete(&path).unwrap();
            }
        }
        let mut flushed = None;
        if end == End::Lazy {
            file.set_lazy(&LazyOptions::default()).unwrap();
        } else {
            file.rebalance().unwrap();
            file.flush().unwrap();
            flushed = Some(disk.lock().len());
            let after: Vec<u64> = groups.iter().map(|group| group.address().unwrap()).collect();
            assert!(before.iter().zip(&after).filter(|(a, b)| b < a).count() > 30, "{before:?} {after:?}");
            // What is open goes on working where it stands now, and so does what is opened anew.
            for (number, (handle, group)) in kept.iter().rev().zip(handles.iter().zip(&groups)) {
                handle.attr_write("more", &I32, &[], &[1; 4]).unwrap();
                assert!(group.open("data").unwrap().attr_exists("more").unwrap());
                handle.attr_delete("more").unwrap();
                drop(root.open(&format!("second{number}")).unwrap());
            }
        }
        file.close().unwrap();
        let expected = contents(&fresh_disk);
        assert_same(&expected, &contents(&disk), what);
        let fresh = fresh_disk.lock().len();
        let length = flushed.unwrap_or(disk.lock().len());
        // A group's header that has lost many links as messages keeps the room.
        let part = if options.links.max_compact > 8 { 3 } else { 12 };
        assert!(length <= fresh + fresh / part, "{what}, {end:?}: {length} bytes, {fresh} when fresh");
    });
}

/// A file in which every second of some datasets was deleted, open in the session that asks for it.
fn with_holes() -> (File, Disk) {
    let (file, disk) = create(FormatVersion::V110, &GroupOptions::default());
    let root = file.root().unwrap();
    (0..60).for_each(|number| drop(add(&root, &format!("d{number}"), number, &DatasetOptions::default())));
    file.flush().unwrap();
    (0..60).filter(|number| number % 2 == 1).for_each(|n| root.link_delete(&format!("d{n}")).unwrap());
    file.flush().unwrap();
    (file, disk)
}

fn address(file: &File, path: &str) -> u64 {
    file.root().unwrap().open(path).unwrap().address().unwrap()
}

fn rebalance(file: &File) {
    file.rebalance().unwrap();
    file.flush().unwrap();
}

/// What a caller knows by its address stays while the caller may use it.
#[test]
fn what_is_known_by_its_address_stays() {
    const LAST: &str = "d58";
    let (file, disk) = with_holes();
    let before = address(&file, LAST);
    let (kind, bytes) = references(&file.root().unwrap(), LAST).swap_remove(0);
    rebalance(&file);
    assert_eq!(address(&file, LAST), before, "a reference was made in memory");
    let root = file.root().unwrap();
    store(&root, 0, kind, &bytes);
    drop(root);
    file.close().unwrap();
    // Read in another session, and gone from the file.
    let file = open(&disk);
    let root = file.root().unwrap();
    assert_eq!(root.open("r0").unwrap().attr_read_raw("one").unwrap().1, bytes);
    root.link_delete("r0").unwrap();
    rebalance(&file);
    assert_eq!(address(&file, LAST), before, "a reference was read");
    store(&root, 1, kind, &bytes);
    drop(root);
    file.close().unwrap();
    let file = open(&disk);
    let root = file.root().unwrap();
    let (memory, mut out) = (Datatype::reference(kind).unwrap(), [0; 24]);
    root.open("r1").unwrap().dataset_read_values(&memory, None, |_| Ok(&mut out), &mut Arena::default()).unwrap();
    assert_eq!(out[16..], bytes);
    root.link_delete("r1").unwrap();
    rebalance(&file);
    assert_eq!(address(&file, LAST), before, "a reference in a dataset was read");
    drop(root);
    file.close().unwrap();
    let file = open(&disk);
    let root = file.root().unwrap();
    let visit = |_: &str, _: &Object| {
        rebalance(&file);
        assert_eq!(address(&file, LAST), before, "a visit knows it");
        Ok(false)
    };
    root.visit(h5r::object::Order::Native, visit).unwrap();
    rebalance(&file);
    assert!(address(&file, LAST) < before, "nobody knows it any more");
    drop(root);
    file.close().unwrap();
    assert_eq!(contents(&disk).len(), 31);
}

/// Where something may hold addresses that is not understood, no header moves; named datatypes never do, nor what stands
/// before one.
#[test]
fn what_is_not_understood_keeps_headers_where_they_are() {
    let (file, disk) = with_holes();
    let before = address(&file, "d58");
    file.root().unwrap().link_create_user("user", 100, b"any").unwrap();
    rebalance(&file);
    assert_eq!(address(&file, "d58"), before);
    file.root().unwrap().link_delete("user").unwrap();
    // Too large for a hole, so it stands at the end.
    let text = (0..60).map(|n| format!("{n:030}"));
    let record = Datatype::compound(240).unwrap();
    let record = text.enumerate().fold(record, |all, (n, name)| all.with_member(&name, 4 * n as u64, &I32).unwrap());
    let named = file.root().unwrap().commit_type("named", &record).unwrap();
    let place = named.address().unwrap();
    rebalance(&file);
    assert!(place > before);
    assert_eq!(
        (named.address().unwrap(), address(&file, "d58")),
        (place, before),
        "nothing before a fixed object helps"
    );
    drop(named);
    file.root().unwrap().link_delete("named").unwrap();
    rebalance(&file);
    assert!(address(&file, "d58") < before);
    file.close().unwrap();
    assert_eq!(contents(&disk).len(), 31);
}

/// Files of the oldest format: entries of symbol tables turn.
#[test]
fn symbol_tables_of_old_files() {
    for (name, bytes) in
        [("old", include_bytes!("data/old.h5").as_slice()), ("small", include_bytes!("data/old_small.h5"))]
    {
        let disk = Arc::new(Mutex::new(bytes.to_vec()));
        let before = contents(&disk);
        let file = open(&disk);
        let root = file.root().unwrap();
        (0..200).for_each(|number| drop(add(&root, &format!("d{number}"), number, &DatasetOptions::default())));
        file.flush().unwrap();
        let last = root.open("d199").unwrap();
        let (full, place) = (disk.lock().len(), last.address().unwrap());
        (0..199).for_each(|n| root.link_delete(&format!("d{n}")).unwrap());
        rebalance(&file);
        assert!(last.address().unwrap() < place, "{name}");
        // A local heap that has grown does not move.
        assert!(name == "small" || disk.lock().len() < full - 199 * 300, "{name}: {} of {full}", disk.lock().len());
        last.attr_write("after", &I32, &[], &[1; 4]).unwrap();
        drop((last, root));
        file.close().unwrap();
        let mut after = contents(&disk);
        let new = after.iter().position(|(path, _)| path == "/d199").unwrap();
        assert!(after[new].1.attributes.contains_key("after"), "{name}");
        after.remove(new);
        after[0].1.links.remove("d199");
        assert_same(&before, &after, name);
    }
}

/// Attributes of variable length, whose values stand in collections behind everything that goes.
#[test]
fn values_of_attributes_follow() {
    let text = Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap();
    for_each_kind(|what, format, options, end| {
        let goes = half(600, |number| format!("d{number}"));
        let build = |file: &File, stays: &dyn Fn(u32) -> bool| {
            let root = file.root().unwrap();
            for number in (0..600).filter(|&number| stays(number)) {
                drop(add(&root, &format!("d{number}"), number, &DatasetOptions::default()));
            }
            let catalogue = root.create_group("catalogue", options).unwrap();
            for number in 0..100u8 {
                let mut arena = Arena::default();
                let value = arena.add([vec![b'a' + number % 26; 100 + usize::from(number)], vec![0]].concat());
                let value = value.to_le_bytes();
                catalogue.attr_write_values(&format!("t{number}"), &text, None, &[], &value, &mut arena).unwrap();
            }
        };
        shrinks(what, create(format, options), create(format, options), &build, &goes, (end, 4));
    });
}

/// What is written at once moves only into what the last flushed state has free: here the attribute's value, which is a huge object at
/// the file's end, fits only where a dataset stood that moved before it.
#[test]
fn one_move_makes_room_for_another() {
    let (file, disk) = create(FormatVersion::V110, &GroupOptions::default());
    let root = file.root().unwrap();
    for (name, count) in [("gone", 30_000), ("kept", 25_000)] {
        let dataset = root.create_dataset(name, &I32, &[count], &DatasetOptions::default()).unwrap();
        dataset.dataset_write(&I32, None, &Random::new(1).bytes(4 * count as usize)).unwrap();
    }
    let group = root.create_group("group", &GroupOptions::default()).unwrap();
    file.flush().unwrap();
    for number in 0..20 {
        group.attr_write(&format!("a{number}"), &I32, &[], &[1, 0, 0, number]).unwrap();
    }
    group.attr_write("huge", &I32, &[10_000], &Random::new(2).bytes(40_000)).unwrap();
    file.flush().unwrap();
    root.link_delete("gone").unwrap();
    file.rebalance().unwrap();
    drop((root, group));
    file.close().unwrap();
    let found = contents(&disk);
    assert!(found.len() > 2, "{found:?}");
    let length = disk.lock().len();
    assert!(length < 165_000, "{length} bytes");
}

/// Groups that nobody opened count, too: a reference in one keeps what it leads to, and what such groups have moves.
#[test]
fn groups_that_nobody_opened() {
    const COUNT: u32 = 200;
    for is_referenced in [true, false] {
        let (file, disk) = create(FormatVersion::V110, &GroupOptions::default());
        let root = file.root().unwrap();
        let far = root.create_group("far", &GroupOptions::default()).unwrap();
        drop(root.create_group("far/r0", &GroupOptions::default()).unwrap());
        for number in 0..COUNT {
            let path = if number % 2 == 0 { format!("far/d{number}") } else { format!("d{number}") };
            drop(add(&root, &path, number, &DatasetOptions::default()));
        }
        let last = add(&root, "last", 0, &DatasetOptions::default());
        if is_referenced {
            let (kind, bytes) = references(&root, "last").swap_remove(0);
            let datatype = Datatype::reference(kind).unwrap();
            let holder = far.open("r0").unwrap();
            holder.attr_write_values("one", &datatype, None, &[], &bytes, &mut Arena::default()).unwrap();
        }
        drop((root, far, last));
        file.close().unwrap();
        let full = disk.lock().len();
        let file = open(&disk);
        file.set_lazy(&LazyOptions::default()).unwrap();
        let root = file.root().unwrap();
        let before = address(&file, "last");
        (0..COUNT).filter(|number| number % 2 == 1).for_each(|n| root.link_delete(&format!("d{n}")).unwrap());
        drop(root);
        file.close().unwrap();
        let length = disk.lock().len();
        assert_eq!(contents(&disk).len(), COUNT as usize / 2 + 4);
        let file = open(&disk);
        assert_eq!(address(&file, "last") == before, is_referenced);
        if is_referenced {
            let (kind, bytes) = references(&file.root().unwrap(), "last").swap_remove(0);
            let found = file.root().unwrap().open("far/r0").unwrap().attr_read_raw("one").unwrap().1;
            assert_eq!(found, bytes);
            assert_eq!(file.root().unwrap().dereference(kind, &found).unwrap().address().unwrap(), before);
        } else {
            assert!(length < full * 5 / 8, "{length} bytes of {full}");
        }
    }
}
