//! The checker: it finds every change of a byte that a checksum covers, and what else can be wrong with a file; what it
//! does to a file that a writer has left half done.

#[path = "common/random.rs"]
mod random;

use std::ops::Range;
use std::path::Path;

use h5r::datatype::{Datatype, Number};
use h5r::error::ErrorKind;
use h5r::error::Result;
use h5r::format::checksum::checksum;
use h5r::object::check::{check_on, check_path, CheckOptions, FindingKind, Report, Severity};
use h5r::object::{CreateOptions, File, GroupOptions, LinkTarget, OpenOptions, Phase, Purpose};
use h5r::store::recover::Recovery;
use h5r::store::{Change, MemoryBackend, RecordingBackend, Seal};
use random::Random;

const EVERY: &[u8] = include_bytes!("data/every_structure.h5");

fn check(bytes: &[u8]) -> Result<Report> {
    check_on(Box::new(MemoryBackend::with_bytes(bytes.to_vec())), &CheckOptions::default())
}

/// What structures with checksums begin with.
const SIGNATURES: [&[u8; 4]; 17] = [
    b"\x89HDF", b"OHDR", b"OCHK", b"BTHD", b"BTLF", b"BTIN", b"FRHP", b"FHIB", b"FHDB", b"FSHD", b"FSSE", b"FAHD",
    b"FADB", b"EAHD", b"EAIB", b"EASB", b"EADB",
];

/// The ranges that a checksum covers, with the checksum: found by trying, at every signature, for which length the
/// checksum holds. Pages of arrays have no signature: they follow a block, or each other.
fn covered(bytes: &[u8]) -> Vec<Range<usize>> {
    let signed = |at: usize| SIGNATURES.iter().any(|signature| bytes[at..at + 4] == **signature);
    let mut covered: Vec<Range<usize>> = Vec::new();
    let mut starts: Vec<usize> = (0..bytes.len() - 20).filter(|&at| signed(at)).rev().collect();
    while let Some(at) = starts.pop() {
        if covered.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let rest = &bytes[at..bytes.len().min(at + 9000)];
        let length = if rest[..4] == *b"FHDB" {
            (9..13).map(|bits| 1 << bits).find(|&size| size <= rest.len() && heap_seal(&rest[..size]).is_some())
        } else {
            let holds = |&length: &usize| rest[length..length + 4] == checksum(&rest[..length]).to_le_bytes();
            (12..=rest.len() - 4).find(holds).map(|length| length + 4)
        };
        let Some(length) = length else { continue };
        covered.push(at..at + length);
        if (rest[..4] == *b"FADB" || !signed(at)) && starts.last() != Some(&(at + length)) {
            starts.push(at + length);
        }
    }
    covered
}

/// The seal of a heap's direct block, whose checksum stands behind a heap offset of 4 or 5 bytes.
fn heap_seal(block: &[u8]) -> Option<Seal> {
    [17, 18].into_iter().map(Seal::Within).find(|seal| seal.holds(block))
}

/// Whether the checker finds what a change of a byte has done: an error, or a file that is none any more.
fn is_found(bytes: &mut [u8], at: usize, change: u8) -> bool {
    bytes[at] ^= change;
    let report = check(bytes);
    bytes[at] ^= change;
    report.map_or(true, |report| report.errors > 0)
}

#[test]
fn every_change_of_a_byte_under_a_checksum_is_found() {
    let places: Vec<usize> = covered(EVERY).into_iter().flatten().collect();
    let missed = std::thread::scope(|scope| {
        let halves = places.chunks(places.len().div_ceil(2)).map(|half| {
            scope.spawn(move || {
                let mut bytes = EVERY.to_vec();
                half.iter().copied().filter(|&at| !is_found(&mut bytes, at, 1 << (at % 8))).collect::<Vec<_>>()
            })
        });
        halves.collect::<Vec<_>>().into_iter().flat_map(|half| half.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(places.len() > 30_000, "{}", places.len());
    assert!(missed.is_empty(), "{} of {} changes were missed: {missed:x?}", missed.len(), places.len());
}

fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    bytes[at..at + width].iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// Every byte is under a checksum, or is exempt for a reason that is known: by its purpose, as free, or as the rest of a
/// block behind what it holds.
#[test]
fn what_no_checksum_covers_is_known() {
    let report = check(EVERY).unwrap();
    assert_eq!((report.errors, report.warnings, report.unchecked), (0, 0, 0), "{:?}", report.findings);
    let covered = covered(EVERY);
    let starts = |signature: &'static [u8]| covered.iter().filter(move |range| &EVERY[range.start..][..4] == signature);
    let mut exempt = report.free + report.leaked;
    for purpose in [Purpose::HugeObject, Purpose::LocalHeap, Purpose::GlobalHeap, Purpose::RawData] {
        exempt += report.bytes[purpose as usize];
    }
    for leaf in starts(b"BTLF").chain(starts(b"BTIN")) {
        // The node's size stands in the header of the tree: the one of the same record type.
        let of_type = |header: &&Range<usize>| EVERY[header.start + 5] == EVERY[leaf.start + 5];
        let header = starts(b"BTHD").find(of_type).unwrap();
        exempt += number(EVERY, header.start + 6, 4) - leaf.len() as u64;
    }
    for manager in starts(b"FSHD") {
        exempt += number(EVERY, manager.start + 70, 8) - number(EVERY, manager.start + 62, 8);
    }
    let bytes: usize = covered.iter().map(Range::len).sum();
    assert_eq!(bytes as u64 + exempt, EVERY.len() as u64);
}

/// A file whose structures can be changed under valid checksums.
struct Bench {
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Bench {
    fn new(bytes: Vec<u8>) -> Self {
        assert_eq!(check(&bytes).unwrap().errors, 0);
        Bench { ranges: covered(&bytes), bytes }
    }

    /// Changes bytes, and puts the checksum over them right.
    fn put(&mut self, at: usize, new: &[u8]) {
        let range = self.ranges.iter().find(|range| range.contains(&at)).unwrap().clone();
        let heap_seal = heap_seal(&self.bytes[range.clone()]);
        self.bytes[at..at + new.len()].copy_from_slice(new);
        let block = &mut self.bytes[range];
        let end = block.len() - 4;
        if let Some(seal) = heap_seal {
            seal.put(block);
        } else {
            Seal::At(end as u32).put(block);
        }
    }

    /// The only place of these bytes.
    fn find(&self, bytes: &[u8]) -> usize {
        let places: Vec<_> =
            self.bytes.windows(bytes.len()).enumerate().filter(|(_, window)| *window == bytes).collect();
        assert_eq!(places.len(), 1, "{bytes:x?}");
        places[0].0
    }

    /// The first structure that begins so.
    fn structure(&self, signature: &[u8]) -> usize {
        self.ranges.iter().find(|range| self.bytes[range.start..].starts_with(signature)).unwrap().start
    }

    /// The one finding of a kind, and that there is no other error.
    #[track_caller]
    fn finds(&self, severity: Severity, kind: FindingKind, path: &str) -> String {
        let report = check(&self.bytes).unwrap();
        let mut found = report.findings.iter().filter(|finding| finding.kind == kind);
        let finding = found.next().unwrap_or_else(|| panic!("no {kind:?}: {:?}", report.findings));
        assert_eq!((finding.severity, finding.path.as_str()), (severity, path), "{finding:?}");
        let others =
            report.findings.iter().filter(|finding| finding.kind != kind && finding.severity == Severity::Error);
        assert_eq!(others.count(), 0, "{:?}", report.findings);
        finding.message.clone()
    }
}

fn u8() -> Datatype {
    Datatype::little(Number::U8)
}

/// Two datasets, a group with two names, dense attributes.
fn written() -> (Bench, u64) {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("written"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    for (name, value) in [("one", 0xa1), ("two", 0xa2)] {
        root.create_dataset(name, &u8(), &[300], &Default::default()).unwrap();
        root.open(name).unwrap().dataset_write(&u8(), None, &[value; 300]).unwrap();
    }
    let phase = Phase { max_compact: 4, min_dense: 2, track_order: true, index_order: true };
    let group = root.create_group("group", &GroupOptions { attributes: phase, ..GroupOptions::default() }).unwrap();
    root.link_create_hard("twin", &group).unwrap();
    for number in 0..20 {
        group.attr_write(&format!("attribute{number}"), &u8(), &[], &[number]).unwrap();
    }
    let address = group.address().unwrap();
    file.close().unwrap();
    let bytes = bytes.lock().clone();
    (Bench::new(bytes), address)
}

/// Where the layout message of the dataset with these data has their address.
fn layout(bench: &Bench, value: u8) -> usize {
    let data = bench.bytes.windows(300).position(|window| window.iter().all(|&byte| byte == value)).unwrap() as u64;
    let message = [&[3, 1][..], &data.to_le_bytes(), &300u64.to_le_bytes()].concat();
    bench.find(&message) + 2
}

#[test]
fn space_that_is_used_twice_or_outside_or_lost() {
    let (mut bench, _) = written();
    let (one, two) = (layout(&bench, 0xa1), layout(&bench, 0xa2));
    let data = number(&bench.bytes, one, 8);
    bench.put(two, &(data + 100).to_le_bytes());
    let message = bench.finds(Severity::Error, FindingKind::Overlap, "/two");
    assert!(message.contains("raw data of /one"), "{message}");
    bench.put(two, &(1u64 << 40).to_le_bytes());
    bench.finds(Severity::Error, FindingKind::Bound, "/two");
    bench.put(two, &u64::MAX.to_le_bytes());
    let message = bench.finds(Severity::Warning, FindingKind::Leak, "the file");
    assert!(message.contains("the largest: 300 bytes"), "{message}");
    let report = check(&bench.bytes).unwrap();
    assert!(report.is_sound() && report.leaks.iter().any(|leak| leak.1 == 300), "{report:?}");
    assert_eq!(report.bytes.iter().sum::<u64>() + report.free + report.leaked, report.end);
}

#[test]
fn references_that_do_not_agree() {
    let (mut bench, group) = written();
    let header = &bench.bytes[group as usize..][..400];
    let place = header.windows(4).position(|window| window == [0x16, 5, 0, 0]).unwrap();
    // The object tracks creation orders, so a message's prefix has 6 bytes; then its version.
    let count = group as usize + place + 7;
    assert_eq!(number(&bench.bytes, count, 4), 2);
    bench.put(count, &1u32.to_le_bytes());
    bench.finds(Severity::Error, FindingKind::References, "/group");
    bench.put(count, &3u32.to_le_bytes());
    bench.finds(Severity::Warning, FindingKind::References, "/group");
}

#[test]
fn indexes_that_do_not_agree() {
    let (mut bench, _) = written();
    let (header, leaf) = (bench.structure(b"BTHD\0\x08"), bench.structure(b"BTLF\0\x08"));
    let (first, second) = (bench.bytes[leaf + 6..][..17].to_vec(), bench.bytes[leaf + 23..][..17].to_vec());
    bench.put(leaf + 6, &[&second[..], &first[..]].concat());
    bench.finds(Severity::Error, FindingKind::Order, "/group");
    bench.put(leaf + 6, &[&first[..], &second[..]].concat());
    // The total behind node size, record size, depth, split, merge, the root's address and its count.
    let total = header + 6 + 4 + 2 + 2 + 2 + 8 + 2;
    assert_eq!(number(&bench.bytes, total, 8), 20);
    bench.put(total, &19u64.to_le_bytes());
    bench.finds(Severity::Error, FindingKind::Count, "/group");
    bench.put(total, &20u64.to_le_bytes());
    // A creation order in the other index.
    let order = bench.structure(b"BTLF\0\x09") + 6 + 19 * 13 + 9;
    assert_eq!(number(&bench.bytes, order, 4), 19);
    bench.put(order, &20u32.to_le_bytes());
    bench.finds(Severity::Error, FindingKind::Order, "/group");
    bench.put(order, &19u32.to_le_bytes());
    assert!(check(&bench.bytes).unwrap().is_sound());
}

/// Between flushes nodes may be sparse; in a file they may not, for libhdf5's sake.
#[test]
fn nodes_below_their_floor() {
    let backend = Box::new(MemoryBackend::new());
    let file = File::create_on(backend, Path::new("sparse"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    for number in 0..2000 {
        root.attr_write(&format!("attribute{number}"), &u8(), &[], &[1]).unwrap();
    }
    file.flush().unwrap();
    file.check_flushed().unwrap();
    for number in (0..2000).filter(|number| number % 10 != 0) {
        root.attr_delete(&format!("attribute{number}")).unwrap();
    }
    file.check().unwrap();
    let error = file.check_flushed().unwrap_err();
    assert!(error.message().contains("/: version 2 B-tree node") && error.message().contains("at level 0"), "{error}");
    file.flush().unwrap();
    file.check_flushed().unwrap();
}

#[test]
fn free_space_that_is_used() {
    let mut bench = Bench::new(EVERY.to_vec());
    let list = bench.ranges.iter().rfind(|range| bench.bytes[range.start..].starts_with(b"FSSE")).unwrap().start;
    // Prefix, count, size: then the first section's address. The file's managers have 8-byte addresses and sizes.
    let section = list + 13 + 1 + 8;
    assert!(number(&bench.bytes, section, 8) < EVERY.len() as u64);
    bench.put(section, &50u64.to_le_bytes());
    let message = bench.finds(Severity::Error, FindingKind::Overlap, "the file");
    assert!(message.contains("object headers") && message.contains("is free"), "{message}");
}

#[test]
fn what_is_not_handled_is_said() {
    let (mut bench, _) = written();
    let root = bench.structure(b"OHDR");
    let message = root + bench.bytes[root..].windows(3).position(|window| window == [0x0a, 2, 0]).unwrap();
    bench.put(message, &[0x77]);
    let message = bench.finds(Severity::Unchecked, FindingKind::Unsupported, "/");
    assert!(message.contains("0x77"), "{message}");
    let mut newer = include_bytes!("data/old.h5").to_vec();
    newer[8] = 9;
    assert!(check(&newer).is_err_and(|e| e.kind() == ErrorKind::Unsupported));
    assert!(check(b"no HDF5 file at all").is_err_and(|e| e.kind() == ErrorKind::NotHdf5));
}

/// Pages have free space of their own; all of it is known.
#[test]
fn paged_file_space() {
    let report = check(include_bytes!("data/paged.h5")).unwrap();
    assert_eq!((report.errors, report.unchecked, report.leaked), (0, 0, 0), "{:?}", report.findings);
    assert!(report.free > 0 && report.bytes[Purpose::FreeSpace as usize] > 0, "{report:?}");
}

#[test]
fn flags_of_old_superblocks_mean_nothing() {
    let mut old = include_bytes!("data/old.h5").to_vec();
    old[20] = 3;
    assert_eq!(check(&old).unwrap().errors, 0);
}

#[test]
fn a_file_that_was_cut() {
    let (bench, _) = written();
    let report = check(&bench.bytes[..bench.bytes.len() - 1]).unwrap();
    assert_eq!((report.findings[0].kind, report.findings[0].path.as_str()), (FindingKind::Bound, "the file"));
    assert!(report.findings[0].message.contains("truncated"), "{:?}", report.findings);
}

/// Findings beyond the bound are counted, not kept.
#[test]
fn the_report_is_bounded() {
    let mut bytes = EVERY.to_vec();
    for range in covered(EVERY).iter().filter(|range| EVERY[range.start..].starts_with(b"OHDR")).skip(2) {
        bytes[range.start + 10] ^= 1;
    }
    let options = CheckOptions { max_findings: 2, ..CheckOptions::default() };
    let report = check_on(Box::new(MemoryBackend::with_bytes(bytes)), &options).unwrap();
    assert!(report.findings.len() == 2 && report.errors > 2, "{report:?}");
    assert!(report.findings.iter().all(|finding| finding.kind == FindingKind::Checksum), "{report:?}");
}

/// The same object on several paths, a group inside itself: each is walked once.
#[test]
fn cycles_end() {
    let report = check(EVERY).unwrap();
    assert_eq!((report.groups, report.datasets, report.named_types), (3, 10, 1));
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    let file =
        File::open_on(Box::new(MemoryBackend::with_bytes(EVERY.to_vec())), Path::new("every"), &options).unwrap();
    let target = |path: &str| file.root().unwrap().link_info(path).unwrap().target;
    assert!(matches!(target("plain/loop"), LinkTarget::Hard(_)));
    assert_eq!(target("plain/loop"), target("group"));
    assert_eq!(target("hard"), target("plain"));
    let open = file.check_report(100).unwrap();
    assert_eq!((open.errors, open.groups, open.free, open.leaked), (0, 3, report.free, 0));
}

/// A file as a crash leaves it after `changes` of the second flush's changes.
fn crashed(log: &[Change], changes: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for change in &log[..changes] {
        match change {
            Change::Write(at, new) => {
                let end = *at as usize + new.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*at as usize..end].copy_from_slice(new);
            }
            Change::SetLength(length) => bytes.resize(*length as usize, 0),
            Change::Sync => {}
        }
    }
    bytes
}

#[test]
fn an_interrupted_flush_is_told_and_recovered_from() {
    let backend = RecordingBackend::new(Box::new(MemoryBackend::new()));
    let log = backend.log();
    let file = File::create_on(Box::new(backend), Path::new("crash"), &CreateOptions::default()).unwrap();
    file.root().unwrap().attr_write("first", &u8(), &[], &[1]).unwrap();
    file.flush().unwrap();
    let before = log.lock().len();
    file.root().unwrap().attr_write("second", &u8(), &[], &[2]).unwrap();
    file.flush().unwrap();
    let log = log.lock().clone();
    let folder = std::env::temp_dir().join(format!("h5r-check-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("crashed.h5");
    let mut seen = Vec::new();
    for changes in before..=log.len() {
        let bytes = crashed(&log, changes);
        std::fs::write(&path, &bytes).unwrap();
        let report = check_path(&path, &CheckOptions::default()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "reading changes nothing");
        let interrupted = report.recovery != Recovery::Nothing;
        assert_eq!(report.errors, u64::from(interrupted), "{:?}", report.findings);
        assert_eq!(report.findings.iter().any(|f| f.kind == FindingKind::Interrupted), interrupted);
        seen.push(matches!(report.recovery, Recovery::Applied { .. }));
        let recovered = check_path(&path, &CheckOptions { recover: true, ..CheckOptions::default() }).unwrap();
        assert!(recovered.is_sound(), "{:?}", recovered.findings);
        assert!(check_path(&path, &CheckOptions::default()).unwrap().is_sound());
        let length = std::fs::metadata(&path).unwrap().len();
        assert_eq!(length, check(&std::fs::read(&path).unwrap()).unwrap().end, "nothing is left behind the end");
    }
    assert!(seen.contains(&true) && seen.contains(&false), "{seen:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The flag of a crashed libhdf5 writer: cleared only where the file is sound.
#[test]
fn the_flag_of_a_crashed_writer() {
    let (mut bench, _) = written();
    bench.put(11, &[1]);
    bench.finds(Severity::Error, FindingKind::Flag, "the file");
    let recover = |bytes: &[u8]| {
        let backend = MemoryBackend::with_bytes(bytes.to_vec());
        let shared = backend.shared();
        let options = CheckOptions { recover: true, ..CheckOptions::default() };
        let report = check_on(Box::new(backend), &options).unwrap();
        let bytes = shared.lock().clone();
        (report, bytes)
    };
    let (report, bytes) = recover(&bench.bytes);
    assert!(report.is_sound() && report.flags_cleared && report.flags == 1, "{report:?}");
    assert_eq!((bytes[11], check(&bytes).unwrap().errors), (0, 0));
    let leaf = bench.structure(b"BTLF");
    bench.bytes[leaf + 8] ^= 1;
    let (report, bytes) = recover(&bench.bytes);
    assert!(!report.flags_cleared && bytes == bench.bytes);
    let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::Checksum, FindingKind::Flag]);
}

/// Damage under checksums that hold: whatever the bytes say, a report or an error, in time, and no panic.
#[test]
fn damage_under_valid_checksums_ends_in_a_report() {
    let cases: u64 = std::env::var("H5R_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256);
    let sources = [EVERY, include_bytes!("data/small_nodes.h5"), include_bytes!("data/chunks_latest.h5")];
    let benches = sources.map(|source| Bench::new(source.to_vec()));
    let mut found = 0;
    for seed in 1..=cases {
        let mut chance = Random::new(seed);
        let source = &benches[chance.index(benches.len())];
        let mut bench = Bench { bytes: source.bytes.clone(), ranges: source.ranges.clone() };
        for _ in 0..=chance.index(4) {
            // Half of the time one of the few addresses, sizes and counts near the beginning of a structure.
            let range = bench.ranges[chance.index(bench.ranges.len())].clone();
            let span = if chance.index(2) == 0 { range.len() - 4 } else { 60.min(range.len() - 4) };
            let at = range.start + chance.index(span);
            let value = [0, 1, 0x7f, 0xff, bench.bytes[at] ^ (1 << chance.index(8))][chance.index(5)];
            bench.put(at, &[value]);
        }
        let start = std::time::Instant::now();
        found += usize::from(check(&bench.bytes).map_or(true, |report| report.errors + report.unchecked > 0));
        assert!(start.elapsed().as_secs() < 5, "seed {seed} took {:?}", start.elapsed());
    }
    assert!(found * 2 > cases as usize, "{found} of {cases} were noticed");
}
