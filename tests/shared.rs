//! Files whose object header messages are shared in a table of the file: read, and changed so that the table's reference
//! counts stay the uses. `data/shared.py` made them; `tests/corpus/shared.py` has libhdf5 judge more of them.

mod common;

use std::path::Path;

use common::describe;
use h5r::datatype::{ByteOrder, Datatype, Number};
use h5r::format::checksum::checksum;
use h5r::format::message::kind;
use h5r::format::shared_table::{decode_list, decode_table, encode_list, Index, Place};
use h5r::format::Sizes;
use h5r::object::check::{check_on, CheckOptions, FindingKind, Report, Severity};
use h5r::object::{File, GroupOptions, Object, OpenOptions, Order};
use h5r::store::MemoryBackend;

const LIST: &[u8] = include_bytes!("data/shared_list.h5");
const TREE: &[u8] = include_bytes!("data/shared_tree.h5");
const OLD: &[u8] = include_bytes!("data/shared_old.h5");
const ALL: [(&str, &[u8]); 3] = [("list", LIST), ("tree", TREE), ("old", OLD)];

fn f64s() -> Datatype {
    Datatype::number(Number::F64, ByteOrder::Little)
}

/// The file after `change`, which has lost no space but what was lost before.
fn changed(bytes: &[u8], change: impl Fn(&File, &Object)) -> Vec<u8> {
    let backend = MemoryBackend::with_bytes(bytes.to_vec());
    let shared = backend.shared();
    let file = File::open_on(Box::new(backend), Path::new("shared"), &OpenOptions::default()).unwrap();
    change(&file, &file.root().unwrap());
    file.flush().unwrap();
    file.check_flushed().unwrap();
    let (known, leaks) = (report(bytes).leaks, file.check_report(1000).unwrap().leaks);
    let inside = |&(at, length)| known.iter().any(|&(start, all)| start <= at && at + length <= start + all);
    assert!(leaks.iter().all(inside), "leaks {leaks:?}, before {known:?}");
    file.close().unwrap();
    let bytes = shared.lock().clone();
    bytes
}

fn report(bytes: &[u8]) -> Report {
    check_on(Box::new(MemoryBackend::with_bytes(bytes.to_vec())), &CheckOptions::default()).unwrap()
}

/// Everything was checked, and but for lost space there is nothing to say: no count is too high or too low.
fn assert_sound(name: &str, bytes: &[u8]) {
    let report = report(bytes);
    let findings: Vec<_> = report.findings.iter().filter(|finding| finding.kind != FindingKind::Leak).collect();
    assert!(findings.is_empty() && report.unchecked == 0, "{name}: {findings:?}");
}

/// The table's indexes.
fn indexes(bytes: &[u8]) -> Vec<Index> {
    let at = bytes.windows(4).position(|window| window == b"SMTB").unwrap();
    let table = &bytes[at..];
    let count = (1..=2).find(|count| {
        let end = 4 + count * Index::length(Sizes::EIGHT);
        checksum(&table[..end]).to_le_bytes() == table[end..end + 4]
    });
    decode_table(table, count.unwrap() as u8, Sizes::EIGHT).unwrap()
}

fn read_only(bytes: &[u8]) -> File {
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    File::open_on(Box::new(MemoryBackend::with_bytes(bytes.to_vec())), Path::new("shared"), &options).unwrap()
}

fn numbers(object: &Object, name: &str) -> Vec<f64> {
    let mut bytes = [0; 40];
    assert_eq!(object.attr_read(name, &f64s(), &mut bytes).unwrap(), 40);
    bytes.chunks_exact(8).map(|chunk| f64::from_le_bytes(chunk.try_into().unwrap())).collect()
}

#[test]
fn everything_is_read() {
    for (name, bytes) in ALL {
        assert_sound(name, bytes);
        let root = read_only(bytes).root().unwrap();
        for number in 0..6u8 {
            let group = root.open(&format!("group {number}")).unwrap();
            let common = if number % 2 == 1 { 12 } else { 3 };
            assert_eq!(group.attr_count().unwrap(), common + 2);
            assert_eq!(group.attr_names(Order::Name).unwrap()[0], "common 0");
            for which in 0..common {
                assert_eq!(numbers(&group, &format!("common {which}")), [which as f64; 5], "{name}");
            }
            assert_eq!(numbers(&group, "own"), [f64::from(number); 5], "{name}");
            let data = group.open("data").unwrap();
            let mut elements = vec![0; 24 * 4];
            data.dataset_read(&Datatype::number(Number::I32, ByteOrder::Little), None, &mut elements).unwrap();
            assert!(elements.chunks_exact(4).zip(0i32..).all(|(found, wanted)| found == wanted.to_le_bytes()));
            let (info, typed) = data.attr_read_raw("typed").unwrap();
            assert_eq!((info.dims.len(), typed[0]), (0, number % 2), "{name}");
        }
        assert_eq!(describe(&read_only(bytes)).unwrap().len(), 15);
    }
}

#[test]
fn what_goes_is_counted() {
    for (name, before) in ALL {
        let bytes = changed(before, |_, root| {
            let group = root.open("group 1").unwrap();
            group.attr_delete("common 3").unwrap();
            group.attr_delete("text").unwrap();
            // Another value, another type, another name.
            group.attr_write("common 4", &f64s(), &[5], &[0; 40]).unwrap();
            group.attr_write("common 5", &Datatype::number(Number::U8, ByteOrder::Little), &[], &[7]).unwrap();
            group.attr_rename("common 6", "renamed").unwrap();
            root.open("group 0").unwrap().attr_rename("text", "words").unwrap();
            let data = root.open("group 0/data").unwrap();
            data.attr_rename("typed", "with a type").unwrap();
            root.open("group 2/data").unwrap().attr_delete("typed").unwrap();
            root.link_delete("group 3").unwrap();
            root.open("grows").unwrap().dataset_set_extent(&[11]).unwrap();
            root.create_group("new", &GroupOptions::default()).unwrap();
        });
        assert_sound(name, &bytes);
        let root = read_only(&bytes).root().unwrap();
        let group = root.open("group 1").unwrap();
        assert_eq!(group.attr_count().unwrap(), 12);
        assert_eq!((numbers(&group, "common 4"), numbers(&group, "renamed")), (vec![0.0; 5], vec![6.0; 5]));
        assert_eq!(root.open("group 0/data").unwrap().attr_read_raw("with a type").unwrap().1[0], 0);
        assert_eq!(root.open("grows").unwrap().dataset_info().unwrap().dims, [11]);
        let messages = |bytes| indexes(bytes).iter().map(|index| u32::from(index.count)).sum::<u32>();
        assert!(messages(&bytes) < messages(before), "{name}: {}, then {}", messages(before), messages(&bytes));
    }
}

#[test]
fn attributes_move_between_header_and_heap() {
    for (name, before) in ALL {
        let bytes = changed(before, |_, root| {
            let (few, many) = (root.open("group 0").unwrap(), root.open("group 1").unwrap());
            for number in 0..9u8 {
                few.attr_write(
                    &format!("new {number}"),
                    &Datatype::number(Number::U8, ByteOrder::Little),
                    &[],
                    &[number],
                )
                .unwrap();
            }
            for number in 0..10 {
                many.attr_delete(&format!("common {number}")).unwrap();
            }
        });
        assert_sound(name, &bytes);
        let root = read_only(&bytes).root().unwrap();
        assert_eq!(numbers(&root.open("group 0").unwrap(), "common 2"), [2.0; 5], "{name}");
        assert_eq!(numbers(&root.open("group 1").unwrap(), "common 11"), [11.0; 5], "{name}");
        let dense = |path: &str| root.open(path).unwrap().header_messages(kind::ATTRIBUTE).unwrap().is_empty();
        // Few attributes stay dense until a sweep comes along.
        assert_eq!((dense("group 0"), dense("group 1")), (name != "old", name != "old"), "{name}");
        let bytes = changed(&bytes, |file, _| file.rebalance().unwrap());
        assert_sound(name, &bytes);
        let root = read_only(&bytes).root().unwrap();
        assert_eq!(numbers(&root.open("group 1").unwrap(), "common 11"), [11.0; 5], "{name}");
        assert!(!root.open("group 1").unwrap().header_messages(kind::ATTRIBUTE).unwrap().is_empty(), "{name}");
        // And everything of them goes.
        let bytes = changed(&bytes, |_, root| {
            root.link_delete("group 0").unwrap();
            root.link_delete("group 1").unwrap();
        });
        assert_sound(name, &bytes);
    }
}

#[test]
fn with_the_last_message_the_index_goes() {
    for (name, before) in ALL {
        assert!(indexes(before).iter().all(|index| index.count > 0));
        let bytes = changed(before, |_, root| {
            for (link, _) in root.links(Order::Name).unwrap() {
                root.link_delete(&link).unwrap();
            }
        });
        assert_sound(name, &bytes);
        for index in indexes(&bytes) {
            assert_eq!((index.count, index.address, index.heap), (0, u64::MAX, u64::MAX), "{name}");
        }
        let bytes = changed(&bytes, |file, _| file.rebalance().unwrap());
        assert_sound(name, &bytes);
        assert!(bytes.len() < 3000, "{name}: {} bytes", bytes.len());
    }
}

#[test]
fn wrong_counts_are_found() {
    for (change, severity) in [(1i32, Severity::Warning), (-1, Severity::Error)] {
        let mut bytes = LIST.to_vec();
        let at = bytes.windows(4).position(|window| window == b"SMLI").unwrap();
        let index = indexes(LIST).into_iter().find(|index| index.address == at as u64).unwrap();
        let mut records = decode_list(&bytes[at..], index.count, Sizes::EIGHT).unwrap();
        let counted = records.iter_mut().find_map(|record| match &mut record.place {
            Place::Heap { references, .. } if *references > 1 => Some(references),
            _ => None,
        });
        let references = counted.unwrap();
        *references = references.checked_add_signed(change).unwrap();
        let mut list = encode_list(&records, Sizes::EIGHT);
        list.extend(checksum(&list).to_le_bytes());
        bytes[at..at + list.len()].copy_from_slice(&list);
        let report = report(&bytes);
        let found: Vec<_> = report.findings.iter().filter(|finding| finding.kind == FindingKind::References).collect();
        assert_eq!(found.len(), 1, "{:?}", report.findings);
        assert_eq!(found[0].severity, severity);
    }
}
