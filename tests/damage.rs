//! Damaged files: whatever the bytes are, a clear error or a correct read; never a panic, a hang, a huge allocation, or
//! a wrong value where a checksum covers it.
//!
//! Every file is opened, read in full and checked, then changed: attributes and links written and deleted, flushed.

#[path = "common/random.rs"]
mod random;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use h5r::datatype::{Datatype, Number};
use h5r::error::{ErrorKind, Result};
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, File, GroupOptions, LinkTarget, Object, ObjectKind, OpenOptions, Order, Phase};
use h5r::store::MemoryBackend;
use random::Random;

/// No allocation that a small file asks for may be larger.
const LARGEST: usize = 48 << 20;

/// Remembers the largest allocation.
struct Watching;

static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        PEAK.fetch_max(size, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

fn open(bytes: Vec<u8>, read_only: bool) -> Result<File> {
    let options = OpenOptions { read_only, ..OpenOptions::default() };
    File::open_on(Box::new(MemoryBackend::with_bytes(bytes)), Path::new("damaged"), &options)
}

/// What can be read, each part by itself, so that damage in one does not hide the others. The parts carry their values;
/// what is an error is left out.
fn read_parts(file: &File) -> Vec<(String, Vec<u8>)> {
    let mut parts = Vec::new();
    let Ok(root) = file.root() else { return parts };
    let mut waiting = vec![(String::from("/"), root)];
    let mut seen = Vec::new();
    while let Some((path, object)) = waiting.pop() {
        let Ok(address) = object.address() else { continue };
        if seen.contains(&address) || seen.len() > 200 {
            continue;
        }
        seen.push(address);
        read_attributes(&path, &object, &mut parts);
        if let Ok(links) = object.links(Order::Name) {
            for (name, info) in links {
                parts.push((format!("link {path} {name}"), format!("{info:?}").into_bytes()));
                if let (LinkTarget::Hard(_), Ok(below)) = (info.target, object.open(&name)) {
                    waiting.push((format!("{path}{name}/"), below));
                }
            }
        }
        let _ = (object.link_count(), object.links(Order::Creation));
        read_data(&path, &object, &mut parts);
    }
    parts
}

fn read_attributes(path: &str, object: &Object, parts: &mut Vec<(String, Vec<u8>)>) {
    let _ = (object.attr_count(), object.attr_names(Order::Creation));
    for name in object.attr_names(Order::Name).unwrap_or_default() {
        if let Ok((info, data)) = object.attr_read_raw(&name) {
            let mut value = format!("{} {:?} {} ", info.datatype, info.dims, info.is_null).into_bytes();
            value.extend(data);
            parts.push((format!("attribute {path} {name}"), value));
        }
    }
    let _ = (object.attr_exists("zz"), object.attr_info("k061111"));
}

fn read_data(path: &str, object: &Object, parts: &mut Vec<(String, Vec<u8>)>) {
    if !matches!(object.kind(), Ok(ObjectKind::Dataset)) {
        return;
    }
    let Ok(info) = object.dataset_info() else { return };
    let count = info.dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d)).unwrap_or(u64::MAX);
    if info.is_null || count > 100_000 {
        return;
    }
    let mut data = vec![0; count as usize * 4];
    if object.dataset_read(&i32(), None, &mut data).is_ok() {
        parts.push((format!("data {path}"), data));
    }
}

/// Changes of every kind; what each returns is its own affair.
fn modify(file: &File) {
    let Ok(root) = file.root() else { return };
    let mut objects = vec![root.clone()];
    for (name, _) in root.links(Order::Name).unwrap_or_default() {
        objects.extend(root.open(&name));
    }
    for object in &objects {
        let _ = object.attr_write("new", &i32(), &[], &[1, 2, 3, 4]);
        let names = object.attr_names(Order::Name).unwrap_or_default();
        for name in names.iter().step_by(2) {
            let _ = object.attr_delete(name);
        }
        if let Some(name) = names.get(1) {
            let _ = object.attr_rename(name, "renamed");
        }
        for number in 0..12 {
            let _ = object.attr_write(&format!("more{number}"), &i32(), &[2], &[7; 8]);
        }
        let _ = object.link_create_soft("soft", "/x");
    }
    let _ = file.rebalance();
    let _ = file.flush();
    let _ = root.create_group("fresh/below", &GroupOptions::default());
    for (name, _) in root.links(Order::Name).unwrap_or_default() {
        let _ = root.link_delete(&name);
    }
    let _ = file.flush();
    let _ = file.check();
    let _ = file.close();
}

/// The case at work, for the thread that looks for hangs.
static CASE: Mutex<(String, Option<Instant>)> = Mutex::new((String::new(), None));
static TURN: Mutex<()> = Mutex::new(());

/// Opens, reads and changes the bytes; what could be read.
fn survive(what: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    *CASE.lock().unwrap() = (what.into(), Some(Instant::now()));
    PEAK.store(0, Ordering::Relaxed);
    let outcome = std::panic::catch_unwind(|| {
        let parts = match open(bytes.to_vec(), true) {
            Ok(file) => {
                let parts = read_parts(&file);
                let _ = file.check();
                parts
            }
            Err(e) => {
                assert_ne!(e.kind(), ErrorKind::Internal, "{e:?}");
                assert!(!e.message().is_empty());
                Vec::new()
            }
        };
        if let Ok(file) = open(bytes.to_vec(), false) {
            modify(&file);
        }
        parts
    });
    *CASE.lock().unwrap() = (String::new(), None);
    let peak = PEAK.load(Ordering::Relaxed);
    assert!(peak <= LARGEST, "{what}: an allocation of {peak} bytes");
    outcome.unwrap_or_else(|_| panic!("{what}: a panic"))
}

/// One test at a time, with a watch that ends the process when a case hangs.
fn alone(work: impl FnOnce()) {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    static WATCH: std::sync::Once = std::sync::Once::new();
    WATCH.call_once(|| {
        std::thread::spawn(|| loop {
            std::thread::sleep(Duration::from_secs(1));
            let case = CASE.lock().unwrap().clone();
            if case.1.is_some_and(|begun| begun.elapsed() > Duration::from_secs(60)) {
                eprintln!("{} hangs", case.0);
                std::process::abort();
            }
        });
    });
    work();
}

/// A small file with everything in it, made by h5r.
fn own_file(phase: Phase, attributes: u32, huge: bool) -> Vec<u8> {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let both = GroupOptions { links: phase, attributes: phase };
    let options = CreateOptions { root: both, ..CreateOptions::default() };
    let file = File::create_on(Box::new(backend), Path::new("own"), &options).unwrap();
    let root = file.root().unwrap();
    for number in 0..attributes {
        let data: Vec<u8> = (0..8).map(|i| (number * 8 + i) as u8).collect();
        root.attr_write(&format!("name{number}"), &i32(), &[2], &data).unwrap();
    }
    let dataset = root.create_dataset("data", &i32(), &[16], &DatasetOptions::default()).unwrap();
    dataset.dataset_write(&i32(), None, &RAW).unwrap();
    dataset.attr_write("k061111", &i32(), &[], &[1; 4]).unwrap();
    dataset.attr_write("k094631", &i32(), &[], &[2; 4]).unwrap();
    root.create_group("group/inner", &both).unwrap().attr_write_null("null", &i32()).unwrap();
    for number in 0..attributes / 2 {
        root.link_create_soft(&format!("soft{number}"), "/group").unwrap();
    }
    if huge {
        root.attr_write("huge", &i32(), &[HUGE.len() as u64 / 4], &HUGE).unwrap();
    }
    file.close().unwrap();
    let bytes = bytes.lock().clone();
    bytes
}

/// Raw data are recognised in the file's bytes by these patterns: no checksum covers them.
const RAW: [u8; 64] = [0xA5; 64];
const HUGE: [u8; 4800] = [0x5A; 4800];

/// Where a run of `byte` begins and ends, with what stands before it in a huge attribute's message.
fn uncovered(bytes: &[u8], byte: u8, least: usize, before: usize) -> Option<std::ops::Range<usize>> {
    let start = bytes.windows(least).position(|window| window.iter().all(|&b| b == byte))?;
    let length = bytes[start..].iter().take_while(|&&b| b == byte).count();
    Some(start.saturating_sub(before)..start + length)
}

/// Every byte changed, one at a time: what is read is what was written, or is not read at all.
fn flip_every_byte(name: &str, bytes: &[u8]) {
    let whole = read_parts(&open(bytes.to_vec(), true).unwrap());
    assert!(whole.len() > 5, "{name}: {} parts", whole.len());
    let free: Vec<_> =
        [uncovered(bytes, 0xA5, 64, 0), uncovered(bytes, 0x5A, 4000, 64)].into_iter().flatten().collect();
    let mut damaged = bytes.to_vec();
    for at in 0..bytes.len() {
        if free.iter().any(|range| range.contains(&at) && at > range.start + 200) {
            continue;
        }
        let bits: Vec<u8> = (0..8).map(|bit| 1 << bit).collect();
        let masks: &[u8] = if at < 200 || at % 16 == 0 { &bits } else { &[] };
        for &mask in masks.iter().chain(&[0xFF, 0x01]) {
            damaged[at] = bytes[at] ^ mask;
            let what = format!("{name}, byte {at} of {} xor {mask:#x}", bytes.len());
            let parts = survive(&what, &damaged);
            if !free.iter().any(|range| range.contains(&at)) {
                for part in &parts {
                    assert!(whole.contains(part), "{what}: {:?} is read otherwise", part.0);
                }
            }
        }
        damaged[at] = bytes[at];
    }
}

fn truncate(name: &str, bytes: &[u8]) {
    for length in (0..bytes.len()).step_by(512).chain([1, 8, 47, 48, bytes.len() - 1]) {
        let what = format!("{name}, cut to {length} of {}", bytes.len());
        let cut = bytes[..length.min(bytes.len())].to_vec();
        let error = open(cut.clone(), true).err().unwrap_or_else(|| panic!("{what}: opened"));
        let expected = if length < 9 { ErrorKind::NotHdf5 } else { ErrorKind::Corrupt };
        assert_eq!(error.kind(), expected, "{what}: {error:?}");
        survive(&what, &cut);
    }
}

const INDEXED: Phase = Phase { max_compact: 8, min_dense: 6, track_order: true, index_order: true };
const TRACKED: Phase = Phase { max_compact: 8, min_dense: 6, track_order: true, index_order: false };

#[test]
fn what_is_not_hdf5_is_told_so() {
    alone(|| {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        let random = Random::new(12345).bytes(5000);
        let text = "x,y\n1,2\n".repeat(1000).into_bytes();
        for (name, bytes) in
            [("empty", vec![]), ("png", png), ("random", random), ("text", text), ("zeros", vec![0; 10_000])]
        {
            let error = open(bytes.clone(), true).err().unwrap_or_else(|| panic!("{name}: opened"));
            assert_eq!(error.kind(), ErrorKind::NotHdf5, "{name}: {error:?}");
            survive(name, &bytes);
        }
        let mut only_signature = b"\x89HDF\r\n\x1a\n".to_vec();
        survive("a signature alone", &only_signature);
        only_signature.resize(4096, 0xFF);
        survive("a signature and ones", &only_signature);
    });
}

#[test]
fn truncated_files() {
    alone(|| {
        truncate("compact", &own_file(INDEXED, 5, false));
        truncate("dense", &own_file(INDEXED, 30, true));
        for (name, bytes) in libhdf5_files() {
            truncate(name, bytes);
        }
    });
}

#[test]
fn compact_attributes_byte_by_byte() {
    alone(|| flip_every_byte("compact", &own_file(Phase::default(), 5, false)));
}

#[test]
fn compact_attributes_in_order_byte_by_byte() {
    alone(|| flip_every_byte("compact, tracked", &own_file(TRACKED, 8, false)));
}

#[test]
fn dense_attributes_byte_by_byte() {
    alone(|| flip_every_byte("dense", &own_file(Phase::default(), 20, false)));
}

#[test]
fn dense_attributes_in_order_and_a_huge_one_byte_by_byte() {
    alone(|| flip_every_byte("dense, indexed", &own_file(INDEXED, 20, true)));
}

fn libhdf5_files() -> [(&'static str, &'static [u8]); 2] {
    [
        ("libhdf5 1.8", include_bytes!("data/damage_v108.h5")),
        ("libhdf5 latest", include_bytes!("data/damage_latest.h5")),
    ]
}

#[test]
fn files_of_libhdf5_byte_by_byte() {
    alone(|| {
        for (name, bytes) in libhdf5_files() {
            flip_every_byte(name, bytes);
        }
    });
}

/// Pairs of damage, resealed: checksums that hold over nonsense. No value can be expected, only survival.
#[test]
fn nonsense_under_valid_checksums() {
    alone(|| {
        for (name, bytes) in [("own", own_file(INDEXED, 20, true)), ("libhdf5", libhdf5_files()[0].1.to_vec())] {
            for (seal, covered) in seals(&bytes) {
                for at in covered.clone() {
                    let mut damaged = bytes.clone();
                    for value in [0, 1, 0x7F, 0xFF, bytes[at].wrapping_add(1)] {
                        damaged[at] = value;
                        let sum = h5r::format::checksum::lookup3(&damaged[covered.clone()], 0);
                        damaged[seal..seal + 4].copy_from_slice(&sum.to_le_bytes());
                        survive(&format!("{name}, byte {at} = {value} resealed at {seal}"), &damaged);
                    }
                }
            }
        }
    });
}

/// Structures that carry a checksum right behind what it covers: where it stands, and what it covers.
fn seals(bytes: &[u8]) -> Vec<(usize, std::ops::Range<usize>)> {
    let signatures: [&[u8]; 9] = [b"\x89HDF", b"OHDR", b"OCHK", b"BTHD", b"BTLF", b"BTIN", b"FRHP", b"FSHD", b"FSSE"];
    let mut found = Vec::new();
    for start in 0..bytes.len().saturating_sub(8) {
        if !signatures.iter().any(|signature| bytes[start..].starts_with(signature)) {
            continue;
        }
        let most = (start + 4200).min(bytes.len() - 4);
        let end = (start + 8..most)
            .find(|&end| h5r::format::checksum::lookup3(&bytes[start..end], 0).to_le_bytes() == bytes[end..end + 4]);
        found.extend(end.map(|end| (end, start..end)));
    }
    assert!(found.len() >= 6, "{} checksums found", found.len());
    found
}

#[test]
fn the_test_itself_reads_the_values() {
    let parts = read_parts(&open(own_file(INDEXED, 20, true), true).unwrap());
    let value = |name: &str| parts.iter().find(|part| part.0 == name).map(|part| part.1.clone()).unwrap();
    assert!(value("attribute / name3").ends_with(&[24, 25, 26, 27, 28, 29, 30, 31]));
    assert!(value("attribute / huge").ends_with(&HUGE));
    assert_eq!(value("data /data/"), RAW);
    assert!(value("link / soft3").windows(4).any(|bytes| bytes == b"Soft"));
}
