//! Files made by hand: sound files of which some bytes are changed and sealed again, one for each limit.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use h5r::datatype::{Datatype, Number};
use h5r::error::{Error, ErrorKind};
use h5r::format::checksum::{checksum, name_hash};
use h5r::object::dataset::{DatasetOptions, NewLayout};
use h5r::object::{CreateOptions, File, FormatVersion, GroupOptions, LinkTarget, OpenOptions, Order, Phase};
use h5r::rebalance::LazyOptions;
use h5r::store::{Change, Fault, FaultBackend, MemoryBackend, RecordingBackend};

use super::{bounded, decoders, seal, survive, walk};

fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

/// A file of ours.
fn made(options: &CreateOptions, fill: impl FnOnce(&File)) -> Vec<u8> {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("made"), options).unwrap();
    fill(&file);
    file.close().unwrap();
    let bytes = bytes.lock().clone();
    assert!(walk::walk(bytes.clone()), "the file is not sound to begin with");
    bytes
}

fn small(fill: impl FnOnce(&File)) -> Vec<u8> {
    made(&CreateOptions::default(), fill)
}

/// Structures with their checksums behind them: where each begins, and where its checksum stands.
struct Seals(Vec<(usize, usize)>);

impl Seals {
    /// Those of a sound file.
    fn of(bytes: &[u8]) -> Seals {
        const SIGNATURES: [&[u8; 4]; 13] = [
            b"\x89HDF", b"OHDR", b"OCHK", b"BTHD", b"BTLF", b"BTIN", b"FRHP", b"FHIB", b"FSHD", b"FSSE", b"FAHD",
            b"EAHD", b"EAIB",
        ];
        let mut found = Vec::new();
        for start in 0..bytes.len().saturating_sub(8) {
            if !SIGNATURES.iter().any(|signature| bytes[start..].starts_with(*signature)) {
                continue;
            }
            let most = (start + 4200).min(bytes.len() - 4);
            let end = (start + 8..=most).find(|&end| checksum(&bytes[start..end]).to_le_bytes() == bytes[end..end + 4]);
            found.extend(end.map(|end| (start, end)));
        }
        Seals(found)
    }

    /// Puts `with` at `at`, and the checksum over it right.
    fn patch(&self, bytes: &mut [u8], at: usize, with: &[u8]) {
        bytes[at..at + with.len()].copy_from_slice(with);
        let around = |&&(start, end): &&(usize, usize)| start <= at && at + with.len() <= end;
        let found = self.0.iter().find(around);
        let &(start, end) = found.unwrap_or_else(|| panic!("nothing sealed around {at}: {:?}", self.0));
        let sum = checksum(&bytes[start..end]);
        bytes[end..end + 4].copy_from_slice(&sum.to_le_bytes());
    }

    /// Where structures of this signature begin.
    fn all(&self, bytes: &[u8], signature: &[u8; 4]) -> Vec<usize> {
        self.0.iter().map(|&(start, _)| start).filter(|&start| bytes[start..].starts_with(signature)).collect()
    }

    fn first(&self, bytes: &[u8], signature: &[u8; 4]) -> usize {
        *self.all(bytes, signature).first().unwrap_or_else(|| panic!("no {}", String::from_utf8_lossy(signature)))
    }
}

/// Where `what` stands from `from` on.
fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    from + bytes[from..].windows(what.len()).position(|window| window == what).unwrap()
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The file is survived, and the checker says what is wrong with it (or opening does).
fn refused(what: &str, bytes: &[u8], expected: &[&str]) {
    survive(what, bytes);
    let checked = walk::open(MemoryBackend::with_bytes(bytes.to_vec()), true).and_then(|file| file.check());
    let error = checked.err().unwrap_or_else(|| panic!("{what}: no fault was found"));
    assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported), "{what}: {error}");
    assert!(expected.iter().any(|text| error.message().contains(text)), "{what}: {error}");
}

const INDEXED: Phase = Phase { max_compact: 4, min_dense: 2, track_order: true, index_order: true };

fn dense_options() -> CreateOptions {
    let root = GroupOptions { links: INDEXED, attributes: INDEXED };
    CreateOptions { root, ..CreateOptions::default() }
}

/// A file with dense attributes and links.
fn dense(count: u32) -> Vec<u8> {
    made(&dense_options(), |file| {
        let root = file.root().unwrap();
        for number in 0..count {
            root.attr_write(&format!("name{number}"), &i32(), &[2], &[number as u8; 8]).unwrap();
            root.link_create_soft(&format!("soft{number}"), "/group").unwrap();
        }
        root.create_group("group", &GroupOptions::default()).unwrap();
    })
}

/// The seeds that are files of h5r.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let everything = |file: &File| {
        let root = file.root().unwrap();
        for number in 0..10u8 {
            root.attr_write(&format!("name{number}"), &i32(), &[2], &[number; 8]).unwrap();
        }
        let dataset = root.create_dataset("data", &i32(), &[16], &DatasetOptions::default()).unwrap();
        dataset.dataset_write(&i32(), None, &[0xA5; 64]).unwrap();
        dataset.attr_write("k061111", &i32(), &[], &[1; 4]).unwrap();
        dataset.attr_write("k094631", &i32(), &[], &[2; 4]).unwrap();
        root.create_group("group/inner", &dense_options().root).unwrap().attr_write_null("null", &i32()).unwrap();
        root.link_create_soft("soft", "/group/inner").unwrap();
        root.link_create_hard("hard", &dataset).unwrap();
    };
    let huge = |file: &File| file.root().unwrap().attr_write("huge", &i32(), &[1200], &[0x5A; 4800]).unwrap();
    let compact =
        GroupOptions { links: Phase { max_compact: 40, ..INDEXED }, attributes: Phase { max_compact: 40, ..INDEXED } };
    let v18 = CreateOptions { format: FormatVersion::V18, root: compact, ..CreateOptions::default() };
    vec![
        ("compact", made(&v18, everything)),
        ("dense", made(&dense_options(), everything)),
        ("huge", made(&dense_options(), huge)),
        ("holes", {
            made(&dense_options(), |file| {
                everything(file);
                let root = file.root().unwrap();
                (0..8).for_each(|number| root.attr_delete(&format!("name{number}")).unwrap());
                root.link_delete("group").unwrap();
            })
        }),
        ("committing", committing()),
    ]
}

/// A file that was caught in a commit: its record is whole, its blocks are not written yet.
fn committing() -> Vec<u8> {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("made"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    for number in 0..6u8 {
        root.attr_write(&format!("name{number}"), &i32(), &[], &[number; 4]).unwrap();
    }
    file.flush().unwrap();
    file.close().unwrap();
    let mut bytes = std::mem::take(&mut *bytes.lock());
    let recording = RecordingBackend::new(Box::new(MemoryBackend::with_bytes(bytes.clone())));
    let log = recording.log();
    let file = File::open_on(Box::new(recording), Path::new("made"), &OpenOptions::default()).unwrap();
    file.root().unwrap().attr_write("name3", &i32(), &[], &[77; 4]).unwrap();
    file.close().unwrap();
    for change in Arc::clone(&log).lock().iter() {
        if let Change::Write(at, data) = change {
            let (at, end) = (*at as usize, *at as usize + data.len());
            bytes.resize(bytes.len().max(end), 0);
            bytes[at..end].copy_from_slice(data);
            if bytes[11] & 0x80 != 0 {
                return bytes;
            }
        }
    }
    panic!("no commit point in the log");
}

#[test]
fn a_file_in_its_commit_is_recovered() {
    let bytes = committing();
    assert!(bytes[bytes.len() - 36..].starts_with(b"h5r redo"));
    let mut sealed = bytes.clone();
    seal::seal(&mut sealed);
    assert_eq!(sealed, bytes, "sealing what is sealed changes nothing");
    let file = walk::open(MemoryBackend::with_bytes(bytes), true).unwrap();
    assert_eq!(file.root().unwrap().attr_read_raw("name3").unwrap().1, [77; 4]);
}

/// Every field of the record's footer and table, and of the superblock's length, with extreme values.
#[test]
fn hostile_redo_records() {
    let bytes = committing();
    let table = bytes.len() - 36 - 16 * u64_at(&bytes, bytes.len() - 12) as usize;
    for at in (table..bytes.len() - 4).step_by(8).chain([bytes.len() - 20, bytes.len() - 12]) {
        for value in [0, 1, 47, 1 << 20, 1 << 32, 1 << 62, u64::MAX - 7, u64::MAX] {
            let mut damaged = bytes.clone();
            damaged[at..at + 8].copy_from_slice(&value.to_le_bytes());
            seal::seal(&mut damaged);
            let what = format!("redo record, {value:#x} at {at}");
            bounded(&what, damaged.len(), move || {
                walk::walk(damaged.clone());
                decoders::redo_record(&damaged);
                drop(walk::open(MemoryBackend::with_bytes(damaged), false));
            });
        }
    }
}

/// Without a record, the superblock's own end decides, which may be anything.
#[test]
fn a_commit_flag_over_a_file_that_is_too_short() {
    for end in [1 << 20, 1 << 40, 1 << 62, u64::MAX - 1] {
        let mut bytes = small(|_| {});
        bytes[11] |= 0x80;
        bytes[28..36].copy_from_slice(&u64::to_le_bytes(end));
        seal::seal(&mut bytes);
        for read_only in [true, false] {
            let opened = walk::open(MemoryBackend::with_bytes(bytes.clone()), read_only);
            let error = opened.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        }
        survive("a commit flag and a far end", &bytes);
    }
}

#[test]
fn superblock_addresses() {
    let sound = small(|file| drop(file.root().unwrap().create_group("group", &GroupOptions::default()).unwrap()));
    for at in [12, 20, 28, 36] {
        for value in [0, 1, 48, 100, sound.len() as u64 - 1, 1 << 40, u64::MAX - 8, u64::MAX] {
            let mut bytes = sound.clone();
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
            seal::seal(&mut bytes);
            survive(&format!("superblock, {value:#x} at {at}"), &bytes);
        }
    }
}

#[test]
fn cycles_of_hard_links() {
    let bytes = small(|file| {
        let root = file.root().unwrap();
        let group = root.create_group("a/b/c", &GroupOptions::default()).unwrap();
        group.link_create_hard("root", &root).unwrap();
        group.link_create_hard("self", &group).unwrap();
        group.link_create_hard("up", &root.open("a").unwrap()).unwrap();
    });
    survive("cycles of hard links", &bytes);
    // Deep paths through the cycles end too.
    let file = walk::open(MemoryBackend::with_bytes(bytes), true).unwrap();
    let root = file.root().unwrap();
    assert!(root.open(&"a/b/c/root/".repeat(500)).is_ok());
    assert!(root.open(&format!("a/b/c/{}", "self/".repeat(5000))).is_ok());
}

/// Hard links that lead to the last addresses that there are.
#[test]
fn hard_links_to_nowhere() {
    let bytes = small(|file| {
        let root = file.root().unwrap();
        drop(root.create_group("target", &GroupOptions::default()).unwrap());
        // What is free, as links are looked for there.
        root.attr_write("a", &i32(), &[500], &[0; 2000]).unwrap();
        root.attr_delete("a").unwrap();
    });
    let seals = Seals::of(&bytes);
    let at = find(&bytes, seals.first(&bytes, b"OHDR"), b"target") + 6;
    for address in [u64::MAX, u64::MAX - 1, u64::MAX / 2] {
        let mut bytes = bytes.clone();
        seals.patch(&mut bytes, at, &address.to_le_bytes());
        refused(&format!("a link to {address:#x}"), &bytes, &["address"]);
        for read_only in [true, false] {
            let file = walk::open(MemoryBackend::with_bytes(bytes.clone()), read_only).unwrap();
            let root = file.root().unwrap();
            assert_eq!(root.open("target").err().map(|e| e.kind()), Some(ErrorKind::Corrupt));
            assert!(root.link_delete("target").is_err());
        }
    }
}

/// Two links to a group whose header counts one: deleting one frees what the other still leads to.
#[test]
fn a_link_count_that_is_too_low() {
    let mut bytes = small(|file| {
        let group = file.root().unwrap().create_group("g", &GroupOptions::default()).unwrap();
        group.link_create_hard("self", &group).unwrap();
    });
    let seals = Seals::of(&bytes);
    // The reference count message: its type, 5 bytes of body, flags; version 0 and the count.
    let header = *seals.all(&bytes, b"OHDR").last().unwrap();
    let at = find(&bytes, header, &[0x16, 5, 0]) + 5;
    assert_eq!(bytes[at], 2);
    seals.patch(&mut bytes, at, &[1]);
    refused("a link count that is too low", &bytes, &["references were found"]);
    let file = walk::open(MemoryBackend::with_bytes(bytes), false).unwrap();
    let _ = file.root().unwrap().link_delete("g");
    let _ = file.close();
}

/// The same with links beside each other: what the last link that is counted freed is not opened, nor freed again.
#[test]
fn an_object_that_was_freed_under_a_link() {
    let mut bytes = small(|file| {
        let root = file.root().unwrap();
        let group = root.create_group("first", &GroupOptions::default()).unwrap();
        root.link_create_hard("second", &group).unwrap();
    });
    let seals = Seals::of(&bytes);
    let header = *seals.all(&bytes, b"OHDR").last().unwrap();
    let at = find(&bytes, header, &[0x16, 5, 0]) + 5;
    assert_eq!(bytes[at], 2);
    seals.patch(&mut bytes, at, &[1]);
    for flush in [false, true] {
        let file = walk::open(MemoryBackend::with_bytes(bytes.clone()), false).unwrap();
        let root = file.root().unwrap();
        root.link_delete("first").unwrap();
        if flush {
            file.flush().unwrap();
        }
        assert_eq!(root.open("second").err().map(|e| e.kind()), Some(ErrorKind::Corrupt));
        assert_eq!(root.link_delete("second").err().map(|e| e.kind()), Some(ErrorKind::Corrupt));
    }
}

#[test]
fn cycles_of_soft_links() {
    let bytes = small(|file| {
        let root = file.root().unwrap();
        root.link_create_soft("self", "self").unwrap();
        root.link_create_soft("a", "/b/x").unwrap();
        root.link_create_soft("b", "a/x").unwrap();
        let long = "./self/".repeat(5000);
        root.link_create_soft("long", &long).unwrap();
        root.link_create_soft("fan", &"fan/".repeat(5000)).unwrap();
    });
    survive("cycles of soft links", &bytes);
    let file = walk::open(MemoryBackend::with_bytes(bytes), true).unwrap();
    for name in ["self", "a", "b", "long", "fan"] {
        let error = file.root().unwrap().open(name).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.message().contains("a cycle of links"), "{error}");
    }
}

/// A file with a header of two chunks, where its continuation message says address and length, and the chunk.
fn continued() -> (Vec<u8>, usize, u64) {
    let bytes = small(|file| {
        let root = file.root().unwrap();
        for number in 0..7u8 {
            root.attr_write(&format!("a long name of an attribute {number}"), &i32(), &[20], &[number; 80]).unwrap();
        }
    });
    let chunk = find(&bytes, 0, b"OCHK") as u64;
    let at = find(&bytes, 48, &chunk.to_le_bytes());
    (bytes, at, chunk)
}

#[test]
fn cycles_of_continuations() {
    let (sound, at, chunk) = continued();
    let seals = Seals::of(&sound);
    // To the first chunk, into the first chunk, before the file's structures, past its end.
    for (address, length) in [(48, 200), (60, 64), (0, 48), (chunk - 8, 80), (1 << 40, 64), (u64::MAX - 4, 64)] {
        let mut bytes = sound.clone();
        seals.patch(&mut bytes, at, &u64::to_le_bytes(address));
        seals.patch(&mut bytes, at + 8, &u64::to_le_bytes(length));
        refused("a continuation elsewhere", &bytes, &["overlaps", "outside", "checksum", "signature", "damaged"]);
    }
    for length in [0, 7, 8, 1 << 31, 1 << 33, u64::MAX] {
        let mut bytes = sound.clone();
        seals.patch(&mut bytes, at + 8, &u64::to_le_bytes(length));
        refused("a continuation of another length", &bytes, &["bytes", "outside", "checksum"]);
    }
    // The chunk's first attribute becomes a continuation message that names the chunk itself.
    let mut bytes = sound.clone();
    let (begin, prefix) = (chunk as usize + 4, bytes[chunk as usize + 4]);
    assert_eq!(prefix, 12, "an attribute message");
    let mut message = bytes[begin..begin + 20].to_vec();
    message[0] = 0x10;
    message[4..12].copy_from_slice(&chunk.to_le_bytes());
    message[12..20].copy_from_slice(&sound[at + 8..at + 16]);
    seals.patch(&mut bytes, begin, &message);
    refused("a continuation that names itself", &bytes, &["overlaps another"]);
}

/// As many chunks as a header may have, and more.
#[test]
fn chains_of_continuations() {
    for count in [1000usize, 20_000] {
        let mut bytes = small(|_| {});
        let header = 48usize;
        bytes.truncate(header);
        // Chunk 0: one continuation message; chunk k: one that names chunk k + 1.
        let (first, each) = (header + 7 + 20 + 4, 4 + 20 + 4);
        let message = |k: usize| {
            let mut message = vec![0x10, 16, 0, 0];
            message.extend(((first + k * each) as u64).to_le_bytes());
            message.extend((each as u64).to_le_bytes());
            message
        };
        let sealed = |mut chunk: Vec<u8>| {
            chunk.extend(checksum(&chunk).to_le_bytes());
            chunk
        };
        bytes.extend(sealed([b"OHDR\x02\x00\x14".to_vec(), message(0)].concat()));
        for k in 0..count {
            bytes.extend(sealed([b"OCHK".to_vec(), message(k + 1)].concat()));
        }
        let end = bytes.len() as u64;
        bytes[28..36].copy_from_slice(&end.to_le_bytes());
        seal::seal(&mut bytes);
        refused(&format!("{count} chunks"), &bytes, &["outside", "chunk"]);
    }
}

/// Every pointer of every internal node leads back to its own node, or to the root.
#[test]
fn btree_nodes_that_point_back() {
    let deep = include_bytes!("../data/small_nodes.h5").to_vec();
    let wide = dense(600);
    for (name, sound) in [("small nodes", deep), ("wide nodes", wide)] {
        let seals = Seals::of(&sound);
        let leaves = seals.all(&sound, b"BTLF");
        let nodes = seals.all(&sound, b"BTIN");
        assert!(!nodes.is_empty() && leaves.len() > 3, "{name}");
        let mut all = sound.clone();
        for &node in &nodes {
            let end = seals.0.iter().find(|seal| seal.0 == node).unwrap().1;
            let pointers: Vec<usize> = (node + 6..end - 8)
                .filter(|&at| leaves.iter().chain(&nodes).any(|&child| u64_at(&sound, at) == child as u64))
                .collect();
            assert!(!pointers.is_empty(), "{name}: no pointers in the node at {node:#x}");
            for target in [node, nodes[0], *nodes.last().unwrap(), leaves[0], 48] {
                let mut bytes = sound.clone();
                seals.patch(&mut bytes, pointers[0], &u64::to_le_bytes(target as u64));
                survive(&format!("{name}: a node points to {target:#x}"), &bytes);
            }
            for at in pointers {
                seals.patch(&mut all, at, &u64::to_le_bytes(node as u64));
            }
        }
        refused(&format!("{name}: all point to themselves"), &all, &["damaged", "not supported"]);
    }
}

/// Counts in headers of trees, heaps and free space: nothing is believed that is not there.
#[test]
fn huge_counts() {
    let sound = dense(40);
    let seals = Seals::of(&sound);
    for signature in [b"BTHD", b"FRHP", b"FSHD", b"OHDR"] {
        for start in seals.all(&sound, signature) {
            let end = seals.0.iter().find(|seal| seal.0 == start).unwrap().1;
            for at in (start + 5..end.saturating_sub(7)).step_by(if signature == b"OHDR" { 7 } else { 1 }) {
                for value in [1 << 31, 1 << 60, u64::MAX - 1] {
                    let mut bytes = sound.clone();
                    seals.patch(&mut bytes, at, &u64::to_le_bytes(value));
                    let what = format!("{} {start:#x}, {value:#x} at {at:#x}", String::from_utf8_lossy(signature));
                    bounded(&what, bytes.len(), move || walk::walk(bytes));
                }
            }
        }
    }
}

/// All trees of a file claim as many records as there can be, and all heaps as many bytes, which are added up.
#[test]
fn huge_counts_together() {
    let mut bytes = dense(40);
    let seals = Seals::of(&bytes);
    for tree in seals.all(&bytes, b"BTHD") {
        seals.patch(&mut bytes, tree + 26, &(u64::MAX - 3).to_le_bytes());
    }
    for heap in seals.all(&bytes, b"FRHP") {
        // Bytes of managed space, of those that are allocated, and of huge objects.
        [54, 62, 86].iter().for_each(|at| seals.patch(&mut bytes, heap + at, &(u64::MAX - 3).to_le_bytes()));
    }
    survive("huge counts together", &bytes);
    for read_only in [true, false] {
        let bytes = bytes.clone();
        bounded("the status of huge counts together", bytes.len(), move || {
            let Ok(file) = walk::open(MemoryBackend::with_bytes(bytes), read_only) else { return };
            let objects = walk::describe(&file);
            let _ = (file.rebalance_status(), file.rebalance(), file.rebalance_status());
            for object in &objects {
                let _ = object.attr_delete("name7");
            }
            let _ = (file.rebalance_status(), file.close());
        });
    }
}

/// Two attributes of one name in a header: there is no place for both in an index by names, which is the file's fault.
#[test]
fn a_name_twice() {
    let mut bytes = small(|file| {
        let root = file.root().unwrap();
        (0..6).for_each(|n| root.attr_write(&format!("name{n}"), &i32(), &[], &[n; 4]).unwrap());
    });
    let seals = Seals::of(&bytes);
    let at = find(&bytes, seals.first(&bytes, b"OHDR"), b"name5");
    seals.patch(&mut bytes, at, b"name2");
    survive("a name twice", &bytes);
    let file = walk::open(MemoryBackend::with_bytes(bytes), false).unwrap();
    let root = file.root().unwrap();
    let written = (6..20).try_for_each(|n| root.attr_write(&format!("name{n}"), &i32(), &[], &[n; 4]));
    let error = written.and_then(|()| file.flush()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.message().contains("stored twice"), "{error}");
}

/// A heap with indirect blocks below its root: their addresses lead to the root, or to each other.
#[test]
fn heap_blocks_that_point_back() {
    let sound = made(&dense_options(), |file| {
        let root = file.root().unwrap();
        let value = [7; 3900];
        for number in 0..700 {
            root.attr_write(&format!("name{number}"), &i32(), &[975], &value).unwrap();
        }
    });
    let seals = Seals::of(&sound);
    let blocks = seals.all(&sound, b"FHIB");
    assert!(blocks.len() > 1, "{} indirect blocks", blocks.len());
    for &block in &blocks {
        let end = seals.0.iter().find(|seal| seal.0 == block).unwrap().1;
        let entries: Vec<usize> =
            (block + 18..end - 8).step_by(8).filter(|&at| u64_at(&sound, at) < sound.len() as u64).collect();
        for &at in [entries.first(), entries.last()].into_iter().flatten() {
            for target in [block, blocks[0], *blocks.last().unwrap(), 48, u64_at(&sound, entries[0]) as usize] {
                let mut bytes = sound.clone();
                seals.patch(&mut bytes, at, &u64::to_le_bytes(target as u64));
                bounded(&format!("heap block {target:#x} at {at:#x}"), bytes.len(), move || walk::walk(bytes));
            }
        }
    }
}

/// Dimensions whose product is beyond 2^64, or more than the file has.
#[test]
fn products_of_dimensions() {
    let sound = small(|file| {
        let root = file.root().unwrap();
        let dataset = root.create_dataset("data", &i32(), &[3, 5, 7], &DatasetOptions::default()).unwrap();
        dataset.dataset_write(&i32(), None, &[1; 420]).unwrap();
        root.attr_write("attribute", &i32(), &[2, 3, 4], &[1; 96]).unwrap();
    });
    let seals = Seals::of(&sound);
    let dims = |dims: [u64; 3]| dims.iter().flat_map(|dim| dim.to_le_bytes()).collect::<Vec<u8>>();
    for (what, old) in [("dataset", dims([3, 5, 7])), ("attribute", dims([2, 3, 4]))] {
        let at = find(&sound, 48, &old);
        for new in [[1 << 40; 3], [u64::MAX, 1, 1], [1 << 32, 1 << 31, 1], [0, u64::MAX, u64::MAX], [1 << 28, 1, 1]] {
            let mut bytes = sound.clone();
            seals.patch(&mut bytes, at, &dims(new));
            survive(&format!("{what} of {new:?}"), &bytes);
        }
    }
}

/// A datatype with another in it.
type Wrap = fn(Vec<u8>) -> Vec<u8>;

/// Datatypes within datatypes, in every way that they can be.
#[test]
fn nested_datatypes() {
    let vlen: Wrap = |base| [vec![0x19, 0, 0, 0, 16, 0, 0, 0], base].concat();
    let array: Wrap = |base| [vec![0x3A, 0, 0, 0, 4, 0, 0, 0, 1, 1, 0, 0, 0], base].concat();
    let compound: Wrap = |base| [vec![0x36, 1, 0, 0, 4, 0, 0, 0, b'a', 0, 0], base].concat();
    for (depth, sound) in [(10, true), (31, true), (40, false), (5000, false)] {
        let wraps: [(&str, Wrap); 3] = [("variable-length", vlen), ("array", array), ("compound", compound)];
        for (name, wrap) in wraps {
            let mut message = vec![0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0];
            (0..depth).for_each(|_| message = wrap(std::mem::take(&mut message)));
            let decoded = Datatype::from_message(&message);
            assert_eq!(decoded.is_ok(), sound, "{name} {depth} deep: {decoded:?}");
            bounded(&format!("{name} {depth} deep"), message.len(), move || decoders::datatype(&message));
        }
    }
}

/// A dataset's datatype that is shared with an object which is none, which is the dataset itself, or the root.
#[test]
fn shared_messages_that_lead_astray() {
    let sound = include_bytes!("../../fuzz/seeds/libhdf5_v110_compact.h5").to_vec();
    let seals = Seals::of(&sound);
    let file = walk::open(MemoryBackend::with_bytes(sound.clone()), true).unwrap();
    let root = file.root().unwrap();
    let committed = root.open("type").unwrap().address().unwrap();
    let dataset = root.open("committed").unwrap().address().unwrap();
    drop((root, file));
    let at = find(&sound, dataset as usize, &committed.to_le_bytes());
    for target in [dataset, 48, 0, 1 << 50, u64::MAX, at as u64] {
        let mut bytes = sound.clone();
        seals.patch(&mut bytes, at, &target.to_le_bytes());
        refused(&format!("a datatype shared with {target:#x}"), &bytes, &["damaged", "datatype", "outside"]);
    }
}

/// The version 1 B-tree of chunks has no checksums: children lead to the root, to leaves and astray.
#[test]
fn chunk_trees_that_point_back() {
    let sound = include_bytes!("../data/chunks_v108.h5").to_vec();
    let nodes: Vec<usize> = (0..sound.len() - 8).filter(|&at| sound[at..].starts_with(b"TREE\x01")).collect();
    let inner: Vec<usize> = nodes.iter().copied().filter(|&node| sound[node + 5] > 0).collect();
    assert!(!inner.is_empty() && nodes.len() > inner.len(), "{} nodes, {} of them inner", nodes.len(), inner.len());
    for &node in &inner {
        for at in
            (node + 24..(node + 800).min(sound.len() - 8)).filter(|&at| nodes.contains(&(u64_at(&sound, at) as usize)))
        {
            for target in [node, nodes[0], *nodes.last().unwrap(), sound.len() - 10, usize::MAX] {
                let mut bytes = sound.clone();
                bytes[at..at + 8].copy_from_slice(&u64::to_le_bytes(target as u64));
                bounded(&format!("chunk tree {target:#x} at {at:#x}"), bytes.len(), move || walk::walk(bytes));
            }
        }
        for level in [0, 2, 255] {
            let mut bytes = sound.clone();
            bytes[node + 5] = level;
            bounded(&format!("level {level} at {node:#x}"), bytes.len(), move || walk::walk(bytes));
        }
    }
}

/// Every field of the chunk indexes' headers.
#[test]
fn chunk_arrays() {
    for sound in [
        include_bytes!("../../fuzz/seeds/libhdf5_latest_chunked.h5").to_vec(),
        include_bytes!("../../fuzz/seeds/libhdf5_v110_chunked.h5").to_vec(),
    ] {
        let seals = Seals::of(&sound);
        for signature in [b"FAHD", b"EAHD", b"EAIB"] {
            let start = seals.first(&sound, signature);
            let end = seals.0.iter().find(|seal| seal.0 == start).unwrap().1;
            for at in start + 4..end {
                for value in [0, 1, 2, 64, 128, 255] {
                    let mut bytes = sound.clone();
                    seals.patch(&mut bytes, at, &[value]);
                    bounded(&format!("{value} at {at:#x}"), bytes.len(), move || walk::walk(bytes));
                }
            }
        }
    }
}

/// The checksums that the test puts right are verified: without that, damage is told as such.
#[test]
fn patches_are_sealed() {
    let sound = dense(40);
    let seals = Seals::of(&sound);
    let at = seals.first(&sound, b"FRHP") + 20;
    let mut bytes = sound.clone();
    bytes[at] ^= 1;
    refused("not sealed", &bytes, &["checksum does not hold"]);
    seals.patch(&mut bytes, at, &[sound[at]]);
    assert!(walk::walk(bytes));
}

/// A chain of 250 nodes of 800 KB that overlap: each is read while those above it are kept.
#[test]
fn chunk_tree_nodes_that_overlap() {
    const K: u16 = 10_000;
    let mut bytes = include_bytes!("../../fuzz/seeds/libhdf5_v108_chunked.h5").to_vec();
    let seals = Seals::of(&bytes);
    let old = (0..bytes.len() - 8).find(|&at| bytes[at..].starts_with(b"TREE\x01")).unwrap();
    let layout = seals.0.iter().find_map(|&(start, end)| {
        let area = bytes[start..end].windows(8).position(|window| window == u64::to_le_bytes(old as u64))?;
        Some(start + area)
    });
    let root = bytes.len() as u64;
    seals.patch(&mut bytes, layout.unwrap(), &root.to_le_bytes());
    for number in 0..250u64 {
        let child = root + 64 * (number + 1);
        bytes.extend([b"TREE\x01", [254 - number as u8, 1, 0].as_slice(), &[0xFF; 16], &[0; 32]].concat());
        bytes.extend(child.to_le_bytes());
    }
    bytes.resize(bytes.len() + 900_000, 0);
    let mut extension = [b"OHDR\x02\x00\x0b\x13\x07\x00\x00\x00".as_slice(), &K.to_le_bytes(), &[16, 0, 4, 0]].concat();
    extension.extend(checksum(&extension).to_le_bytes());
    let at = bytes.len() as u64;
    bytes.extend(extension);
    let end = bytes.len() as u64;
    bytes[20..28].copy_from_slice(&at.to_le_bytes());
    bytes[28..36].copy_from_slice(&end.to_le_bytes());
    seal::seal(&mut bytes);
    refused("overlapping nodes of chunks", &bytes, &["blocks overlap"]);
}

/// Two old groups with one symbol table: what is counted in the one is changed by way of the other.
#[test]
fn two_groups_with_one_symbol_table() {
    let mut bytes = include_bytes!("../data/old.h5").to_vec();
    let table_of = |path: &str| {
        let file = walk::open(MemoryBackend::with_bytes(bytes.clone()), true).unwrap();
        let group = file.root().unwrap().open(path).unwrap();
        assert_eq!(group.link_count().unwrap(), 0);
        // The message's type and size; then the addresses of B-tree and heap.
        find(&bytes, group.address().unwrap() as usize, &[0x11, 0, 16, 0]) + 8
    };
    let below = {
        let file = walk::open(MemoryBackend::with_bytes(bytes.clone()), true).unwrap();
        let links = file.root().unwrap().open("links").unwrap();
        let names = links.links(Order::Name).unwrap().into_iter().filter(|(name, _)| !name.contains("hard"));
        let mut names = names.filter(|(_, info)| matches!(info.target, LinkTarget::Hard(_)));
        format!("links/{}", names.next().unwrap().0)
    };
    let (first, second) = (table_of("empty"), table_of(&below));
    bytes.copy_within(first..first + 16, second);
    refused("two groups with one symbol table", &bytes, &["table", "heap", "tree"]);
    let file = walk::open(MemoryBackend::with_bytes(bytes), false).unwrap();
    let (first, second) = (file.root().unwrap().open("empty").unwrap(), file.root().unwrap().open(&below).unwrap());
    assert_eq!((first.link_count().unwrap(), second.link_count().unwrap()), (0, 0));
    first.link_create_soft("new", "/nowhere").unwrap();
    let _ = (second.link_delete("new"), second.link_count(), first.link_count(), file.flush());
}

/// A dataset whose layout does not fit its dataspace, opened and closed: the others can still be read.
#[test]
fn a_damaged_dataset_leaves_the_others_alone() {
    let sound = include_bytes!("../../fuzz/seeds/libhdf5_v108_chunked.h5").to_vec();
    let seals = Seals::of(&sound);
    // The chunk's dimensions of 'btree': 2 by 2, of elements of one byte.
    let at = find(&sound, 48, &[2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
    let mut bytes = sound.clone();
    seals.patch(&mut bytes, at + 8, &[7]);
    for read_only in [true, false] {
        let file = walk::open(MemoryBackend::with_bytes(bytes.clone()), read_only).unwrap();
        let root = file.root().unwrap();
        let damaged = root.open("btree").unwrap();
        let error = damaged.dataset_read(&i32(), None, &mut [0; 96]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        drop(damaged);
        let mut values = [0; 48];
        root.open("fixed").unwrap().dataset_read(&i32(), None, &mut values).unwrap();
        assert_eq!(values[44], 11);
    }
    survive("a layout of other elements", &bytes);
}

/// Adds attributes to a file whose root group's header is damaged, and checks the result.
fn with_more_attributes(what: &str, bytes: Vec<u8>, count: u64) {
    let backend = Box::new(MemoryBackend::with_bytes(bytes));
    let file = File::open_on(backend, Path::new("damaged"), &OpenOptions::default()).unwrap();
    let root = file.root().unwrap();
    for number in 0..20 {
        root.attr_write(&format!("new{number}"), &i32(), &[], &[number; 4]).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    file.flush().unwrap();
    file.check().unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(root.attr_count().unwrap(), count + 20, "{what}");
}

/// Creation orders that are indexed but not tracked, or tracked without a count: attributes get orders of their own, or none.
#[test]
fn creation_orders_that_cannot_be() {
    const INDEXED_FLAG: u8 = 8;
    const ATTRIBUTE_INFO: u8 = 0x15;
    /// Type, size, flags and creation order, where orders are tracked.
    const MESSAGE_PREFIX: usize = 6;
    let attributes = |file: &File| {
        (0..3).for_each(|n| file.root().unwrap().attr_write(&format!("a{n}"), &i32(), &[], &[n; 4]).unwrap());
    };
    let mut untracked = small(attributes);
    let seals = Seals::of(&untracked);
    let root = seals.first(&untracked, b"OHDR");
    let flags = untracked[root + 5] | INDEXED_FLAG;
    seals.patch(&mut untracked, root + 5, &[flags]);
    with_more_attributes("indexed, not tracked", untracked, 3);

    let tracking = Phase { track_order: true, ..Phase::default() };
    let options = GroupOptions { attributes: tracking, ..GroupOptions::default() };
    let mut tracked = made(&CreateOptions { root: options, ..CreateOptions::default() }, attributes);
    let seals = Seals::of(&tracked);
    // Its type, its 20 bytes (version, flags, the count, two addresses), and no flags.
    let message = [ATTRIBUTE_INFO, 20, 0];
    let at = tracked.windows(3).position(|window| window == message).unwrap();
    seals.patch(&mut tracked, at, &[0]);
    with_more_attributes("tracked, not counted", tracked, 3);

    // The next attribute makes them dense, and then their orders are keys.
    let indexing = Phase { track_order: true, index_order: true, max_compact: 3, min_dense: 2 };
    let options = GroupOptions { attributes: indexing, ..GroupOptions::default() };
    let indexed = made(&CreateOptions { root: options, ..CreateOptions::default() }, attributes);
    let seals = Seals::of(&indexed);
    let find = |bytes: [u8; 3]| indexed.windows(3).position(|window| window == bytes).unwrap();
    let info = find([ATTRIBUTE_INFO, 28, 0]);
    // The order stands before the nine bytes that an attribute message has before the name.
    let order = find(*b"a1\0") - 11;
    assert_eq!(indexed[order..order + 2], [1, 0]);
    for (what, place, bytes) in [
        ("indexed, not counted", info, [0].as_slice()),
        ("indexed, counted too low", info + MESSAGE_PREFIX + 2, &[1, 0]),
        ("indexed, two with one order", order, &[0, 0]),
    ] {
        let mut damaged = indexed.clone();
        seals.patch(&mut damaged, place, bytes);
        with_more_attributes(what, damaged, 3);
    }
}

/// An extensible array's statistics are at their limit: what would count further is refused.
#[test]
fn counts_at_their_limit() {
    let options = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![1]),
        max_dims: Some(vec![u64::MAX]),
        ..DatasetOptions::default()
    };
    let mut bytes = small(|file| {
        let dataset = file.root().unwrap().create_dataset("d", &i32(), &[1], &options).unwrap();
        dataset.dataset_write(&i32(), None, &[1; 4]).unwrap();
    });
    let seals = Seals::of(&bytes);
    let counts = seals.first(&bytes, b"EAHD") + 12;
    for count in [0, 1, 2, 3, 5] {
        seals.patch(&mut bytes, counts + 8 * count, &[0xff; 8]);
    }
    let backend = Box::new(MemoryBackend::with_bytes(bytes));
    let file = File::open_on(backend, Path::new("damaged"), &OpenOptions::default()).unwrap();
    let dataset = file.root().unwrap().open("d").unwrap();
    let appended = dataset.dataset_append(&i32(), 200, &[2; 800]).and_then(|()| file.flush());
    assert_eq!(appended.unwrap_err().kind(), ErrorKind::Corrupt);
}

/// Groups are created in a lazy file, 300 or until that fails: how many were begun, and the error.
fn lazy_groups(file: &File) -> (u64, Option<Error>) {
    file.set_lazy(&LazyOptions { threshold: 0.01, batch_size: 1, ..LazyOptions::default() }).unwrap();
    let (root, options) = (file.root().unwrap(), GroupOptions::default());
    for number in 0..300 {
        if let Err(error) = root.create_group(&format!("new{number}"), &options) {
            return (number + 1, Some(error));
        }
    }
    (300, None)
}

/// Rebalancing meets a damaged leaf while groups are created: it leaves that alone.
#[test]
fn a_sweep_that_meets_damage() {
    let sparse = made(&dense_options(), |file| {
        let root = file.root().unwrap();
        (0..3000).for_each(|n| root.attr_write(&format!("name{n}"), &i32(), &[], &[0; 4]).unwrap());
        root.create_group("group", &GroupOptions::default()).unwrap();
    });
    for leaf in (0..sparse.len()).filter(|&at| sparse[at..].starts_with(b"BTLF")) {
        let mut bytes = sparse.clone();
        bytes[leaf + 20] ^= 1;
        bounded("a sweep that meets damage", bytes.len(), move || {
            let file = walk::open(MemoryBackend::with_bytes(bytes), false).unwrap();
            let root = file.root().unwrap();
            (0..1500).for_each(|n| drop(root.attr_delete(&format!("name{n}"))));
            assert!(matches!(lazy_groups(&file), (300, None)));
            assert_eq!(root.link_count().unwrap(), 301);
        });
    }
}

/// Rebalancing fails while a group is being created, when the new handle is there already: the error comes back, and
/// nobody waits for the lock that the handle takes when it is dropped.
#[test]
fn a_sweep_that_fails_under_a_new_handle() {
    let names: Vec<String> = (0..3000).map(|n| format!("name{n}")).collect();
    let full = made(&dense_options(), |file| {
        let root = file.root().unwrap();
        names.iter().for_each(|name| root.attr_write(name, &i32(), &[], &[0; 4]).unwrap());
    });
    // Leaves of small hashes become sparse; the others are not read before the sweep.
    let low = |name: &&String| name_hash(name.as_bytes()) < u32::MAX / 2;
    let failed = Arc::new(AtomicUsize::new(0));
    for call in 1..4 {
        let (bytes, failed) = (full.clone(), failed.clone());
        let gone: Vec<String> = names.iter().filter(low).skip(200).cloned().collect();
        bounded("a sweep that fails", bytes.len(), move || {
            let backend = FaultBackend::new(Box::new(MemoryBackend::with_bytes(bytes)));
            let control = backend.control();
            let file = File::open_on(Box::new(backend), Path::new("f"), &OpenOptions::default()).unwrap();
            let root = file.root().unwrap();
            gone.iter().for_each(|name| root.attr_delete(name).unwrap());
            control.lock().watch(call, Fault::Error(5));
            // The group is there, and yet its creation is an error: that of the batch.
            let (begun, error) = lazy_groups(&file);
            let in_batch =
                error.is_some_and(|error| error.kind() == ErrorKind::Io) && root.link_count().unwrap() == begun;
            failed.fetch_add(usize::from(in_batch), Ordering::Relaxed);
        });
    }
    assert!(failed.load(Ordering::Relaxed) > 0);
}
