//! Tests of what is believed of a file's word about its free space.

use std::path::Path;

use super::*;
use crate::datatype::{Arena, CharacterSet, Datatype, Number, StringPadding};
use crate::object::dataset::DatasetOptions;
use crate::object::open;
use crate::object::options::{CreateOptions, FormatVersion, OpenOptions};
use crate::object::File;
use crate::store::MemoryBackend;

fn u8() -> Datatype {
    Datatype::little(Number::U8)
}

fn add(file: &File, name: &str, bytes: usize, value: u8) {
    let dataset =
        file.root().unwrap().create_dataset(name, &u8(), &[bytes as u64], &DatasetOptions::default()).unwrap();
    dataset.dataset_write(&u8(), None, &vec![value; bytes]).unwrap();
}

fn holds(file: &File, name: &str, bytes: usize, value: u8) {
    let mut out = vec![!value; bytes];
    file.root().unwrap().open(name).unwrap().dataset_read(&u8(), None, &mut out).unwrap();
    assert!(out.iter().all(|&byte| byte == value), "{name}");
}

fn session(bytes: Vec<u8>, work: impl FnOnce(&File)) -> Vec<u8> {
    let backend = MemoryBackend::with_bytes(bytes);
    let shared = backend.shared();
    let file = File::open_on(Box::new(backend), Path::new("test"), &OpenOptions::default()).unwrap();
    work(&file);
    file.flush().unwrap();
    file.check().unwrap();
    file.close().unwrap();
    let bytes = shared.lock().clone();
    bytes
}

fn created(format: FormatVersion) -> Vec<u8> {
    let backend = MemoryBackend::new();
    let shared = backend.shared();
    let options = CreateOptions { format, ..CreateOptions::default() };
    File::create_on(Box::new(backend), Path::new("test"), &options).unwrap().close().unwrap();
    let bytes = shared.lock().clone();
    bytes
}

/// Datasets `a`, `b` and `c`, of which `b` (20,000 bytes) was deleted, and attributes on `a`.
fn with_hole() -> Vec<u8> {
    let bytes = session(created(FormatVersion::V110), |file| {
        for (name, value) in [("a", 1), ("b", 2), ("c", 3)] {
            add(file, name, 20_000, value);
        }
        let a = file.root().unwrap().open("a").unwrap();
        (0..500).for_each(|i| a.attr_write(&format!("attribute{i}"), &u8(), &[1], &[i as u8]).unwrap());
    });
    session(bytes, |file| file.root().unwrap().link_delete("b").unwrap())
}

fn is_whole(file: &File) {
    holds(file, "a", 20_000, 1);
    holds(file, "c", 20_000, 3);
    let a = file.root().unwrap().open("a").unwrap();
    for i in 0..500 {
        let mut value = [0];
        a.attr_read(&format!("attribute{i}"), &u8(), &mut value).unwrap();
        assert_eq!(value, [i as u8]);
    }
}

fn state(bytes: Vec<u8>) -> State {
    open::open(Box::new(MemoryBackend::with_bytes(bytes)), &OpenOptions::default()).unwrap()
}

/// What a closed file says, and how it was taken: the message, what is known, bytes free.
fn said(bytes: &[u8]) -> (Option<FileSpaceInfo>, Known, u64) {
    let state = state(bytes.to_vec());
    (state.free_space.info.clone(), state.free_space.known, state.store.space().free_bytes())
}

/// The file with a message and managers that say this.
fn saying(bytes: Vec<u8>, info: FileSpaceInfo, free: Vec<(u64, u64)>, end: Option<u64>) -> Vec<u8> {
    let backend = MemoryBackend::with_bytes(bytes);
    let shared = backend.shared();
    let mut state = open::open(Box::new(backend), &OpenOptions::default()).unwrap();
    state.open_free_space().unwrap();
    state.write_message(Some(info.clone())).unwrap();
    let (metadata, raw) = managers::write(&mut state.store, free).unwrap();
    let mut addresses = vec![UNDEFINED; MANAGERS];
    (addresses[METADATA], addresses[RAW]) = (metadata.unwrap_or(UNDEFINED), raw.unwrap_or(UNDEFINED));
    let end_before_managers = end.unwrap_or(state.store.space().end());
    let info = FileSpaceInfo { end_before_managers, managers: addresses, ..info };
    state.change_message(info).unwrap();
    state.write_flush().unwrap();
    let bytes = shared.lock().clone();
    bytes
}

/// The raw data of dataset `a`.
fn data_of_a(bytes: &[u8]) -> (u64, u64) {
    let at = bytes.windows(20_000).position(|window| window.iter().all(|&byte| byte == 1)).unwrap();
    (at as u64, 20_000)
}

#[test]
fn a_file_says_what_is_free_only_where_that_is_worth_it() {
    let plain = session(created(FormatVersion::V110), |file| add(file, "a", 1000, 1));
    assert_eq!(said(&plain).0, None);
    let (info, known, free) = said(&with_hole());
    let info = info.unwrap();
    assert_eq!((known, info.persist, info.strategy), (Known::Whole, true, Strategy::FreeSpaceManagers));
    assert!((20_000..30_000).contains(&free), "{free}");
    let unchanged = with_hole();
    assert!(session(unchanged.clone(), is_whole) == unchanged, "reading changes nothing");
    let small = session(created(FormatVersion::V18), |file| add(file, "a", 20_000, 1));
    let small = session(small, |file| {
        add(file, "b", 1000, 1);
        file.root().unwrap().link_delete("a").unwrap();
    });
    assert_eq!(said(&small).0, None, "libhdf5 1.8 refuses the message");
}

#[test]
fn the_file_ends_with_the_manager_of_metadata_which_the_message_notes() {
    let bytes = with_hole();
    let info = said(&bytes).0.unwrap();
    assert!(info.managers[RAW] < info.managers[METADATA]);
    assert_eq!(info.end_before_managers, info.managers[METADATA]);
    let mut state = state(bytes);
    let (header, _) = managers::read(&mut state.store, info.managers[METADATA]).unwrap();
    assert_eq!(header.sections + header.allocated, state.store.space().end());
}

#[test]
fn a_flush_in_the_middle_of_a_session_names_no_managers() {
    let backend = MemoryBackend::with_bytes(with_hole());
    let shared = backend.shared();
    let file = File::open_on(Box::new(backend), Path::new("test"), &OpenOptions::default()).unwrap();
    add(&file, "d", 10_000, 4);
    file.flush().unwrap();
    let flushed = shared.lock().clone();
    let (info, known, free) = said(&flushed);
    let info = info.unwrap();
    assert!(info.managers.iter().all(|&manager| manager == UNDEFINED) && info.end_before_managers == UNDEFINED);
    assert_eq!((known, free), (Known::Lost, 0));
    file.close().unwrap();
    assert_eq!(said(&shared.lock()).1, Known::Whole);
    // The session that never closed: the next one that changes the file finds all of it.
    let found = session(flushed, |file| add(file, "e", 10, 5));
    let (_, known, free) = said(&found);
    assert!(known == Known::Whole && (9000..20_000).contains(&free), "{free}");
    session(found, |file| {
        is_whole(file);
        holds(file, "d", 10_000, 4);
        holds(file, "e", 10, 5);
    });
}

#[test]
fn managers_that_are_stale_or_damaged_are_not_believed() {
    let good = with_hole();
    let end = state(good.clone()).store.space().end();
    let (data, length) = data_of_a(&good);
    let mut damaged = good.clone();
    let list = good.windows(4).rposition(|window| window == b"FSSE").unwrap();
    damaged[list + 20] ^= 1;
    let stale = saying(good.clone(), chosen(), vec![(data, length)], Some(end - 1));
    let longer = saying(good.clone(), chosen(), vec![(data, length)], Some(end + 1));
    let outside = saying(good.clone(), chosen(), vec![(1 << 30, 10)], None);
    let on_the_superblock = saying(good, chosen(), vec![(40, 10)], None);
    for bytes in [damaged, stale, longer, outside, on_the_superblock] {
        assert_eq!(said(&bytes).1, Known::Lost);
        assert_eq!(said(&bytes).2, 0);
        // Closing walks, and finds what was lost.
        let bytes = session(bytes, |file| add(file, "d", 20_000, 4));
        let (_, known, free) = said(&bytes);
        assert!(known == Known::Whole && free > 20_000, "{known:?} {free}");
        let length = bytes.len();
        let bytes = session(bytes, |file| add(file, "e", 20_000, 5));
        assert!(bytes.len() <= length + 1000);
        session(bytes, is_whole);
    }
}

#[test]
fn managers_that_a_structure_contradicts_are_not_believed_any_longer() {
    let good = with_hole();
    let node = good.windows(4).position(|window| window == b"BTLF").unwrap() as u64;
    let wrong = saying(good, chosen(), vec![(node - 2, 30_000)], None);
    assert_eq!(said(&wrong).1, Known::Whole);
    let bytes = session(wrong, |file| {
        is_whole(file);
        add(file, "d", 20_000, 4);
    });
    let (_, known, free) = said(&bytes);
    assert!(known == Known::Whole && free > 15_000, "{known:?} {free}");
    session(bytes, |file| {
        is_whole(file);
        holds(file, "d", 20_000, 4);
    });
}

#[test]
fn rebalancing_finds_the_truth_and_what_was_never_told() {
    let good = with_hole();
    let wrong = saying(good.clone(), chosen(), vec![data_of_a(&good)], None);
    let silent = saying(good, chosen(), Vec::new(), None);
    for bytes in [wrong, silent] {
        let length = bytes.len();
        let bytes = session(bytes, |file| {
            file.rebalance().unwrap();
            file.flush().unwrap();
            add(file, "d", 15_000, 4);
        });
        assert!(bytes.len() < length + 5000, "{length} grew to {}", bytes.len());
        session(bytes, is_whole);
    }
}

#[test]
fn groups_that_only_lead_to_each_other_are_not_reclaimed_while_they_are_open() {
    session(with_hole(), |file| {
        let root = file.root().unwrap();
        let group = root.create_group("g", &Default::default()).unwrap();
        group.link_create_hard("itself", &group).unwrap();
        for i in 0..20 {
            group.create_group(&format!("below{i}"), &Default::default()).unwrap();
        }
        file.flush().unwrap();
        root.link_delete("g").unwrap();
        file.flush().unwrap();
        file.rebalance().unwrap();
        file.flush().unwrap();
        add(file, "d", 100, 4);
        (20..300).for_each(|i| drop(group.create_group(&format!("below{i}"), &Default::default()).unwrap()));
        file.flush().unwrap();
        assert_eq!(group.link_count().unwrap(), 301);
        holds(file, "d", 100, 4);
    });
}

#[test]
fn a_damaged_object_keeps_lost_space_lost_and_the_file_in_use() {
    let mut group = 0;
    let mut bytes = session(with_hole(), |file| {
        let made = file.root().unwrap().create_group("g", &Default::default()).unwrap();
        group = made.address().unwrap() as usize;
    });
    bytes = saying(bytes, chosen(), Vec::new(), Some(UNDEFINED));
    let before = state(bytes.clone()).store.space().end();
    bytes[group + 20] ^= 1;
    let backend = MemoryBackend::with_bytes(bytes);
    let shared = backend.shared();
    let file = File::open_on(Box::new(backend), Path::new("test"), &OpenOptions::default()).unwrap();
    add(&file, "d", 10_000, 4);
    file.close().unwrap();
    let bytes = shared.lock().clone();
    let (_, known, free) = said(&bytes);
    assert_eq!((known, free), (Known::Lost, 0));
    let state = state(bytes);
    assert!(state.store.space().end() >= before + 10_000, "nothing is reused on a guess");
}

#[test]
fn what_a_user_chose_is_kept() {
    let good = with_hole();
    for (strategy, persist) in
        [(Strategy::FreeSpaceManagers, false), (Strategy::Aggregators, false), (Strategy::None, false)]
    {
        let info = FileSpaceInfo { strategy, persist, ..chosen() };
        let bytes = saying(good.clone(), info.clone(), Vec::new(), Some(UNDEFINED));
        let bytes = session(bytes, |file| file.root().unwrap().link_delete("c").unwrap());
        let (found, known, free) = said(&bytes);
        assert_eq!(found, Some(FileSpaceInfo { managers: Vec::new(), ..info }));
        assert_eq!((known, free), (Known::Since, 0));
    }
    let info = FileSpaceInfo { threshold: 5000, ..chosen() };
    let bytes = saying(good, info, Vec::new(), Some(UNDEFINED));
    let bytes = session(bytes, |file| add(file, "d", 10, 4));
    let (found, known, free) = said(&bytes);
    assert_eq!((found.unwrap().threshold, known), (5000, Known::Whole));
    let list = state(bytes).store.space().free_after_flush();
    assert!(free > 15_000 && list.iter().all(|extent| extent.1 >= 5000), "{list:?}");
}

/// Where nothing is free, libhdf5 notes an end and no managers. It takes that for the end of the file when it opens it again.
#[test]
fn an_end_without_managers_does_not_outlive_a_change() {
    for strategy in [Strategy::Paged, Strategy::FreeSpaceManagers] {
        let info = FileSpaceInfo { strategy, page_size: 512, ..chosen() };
        let noted = saying(include_bytes!("../../../tests/data/paged.h5").to_vec(), info, Vec::new(), None);
        let (before, ..) = said(&noted);
        let before = before.unwrap();
        assert_ne!(before.end_before_managers, UNDEFINED);
        assert!(before.managers.iter().all(|&manager| manager == UNDEFINED));
        let changed = session(noted, |file| add(file, "new", 20_000, 1));
        let (after, ..) = said(&changed);
        let end = state(changed).store.space().end();
        assert!([UNDEFINED, end].contains(&after.unwrap().end_before_managers), "{strategy:?}");
    }
}

const COLLECTION: u64 = 4096;

fn text() -> Datatype {
    Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap()
}

/// 150 strings, which fill a collection but for some bytes.
fn strings() -> Vec<String> {
    (0..150).map(|i| format!("text {i}")).collect()
}

fn has_strings(file: &File) {
    let (mut arena, mut out) = (Arena::default(), vec![0; 150 * 8]);
    file.root().unwrap().attr_read_values("s", &text(), &mut out, &mut arena).unwrap();
    for (pointer, expected) in out.chunks_exact(8).zip(strings()) {
        let value = arena.get(u64::from_ne_bytes(pointer.try_into().unwrap())).unwrap();
        assert_eq!(value, [expected.as_bytes(), &[0]].concat());
    }
}

/// A file with a hole, a collection behind it, and where that is.
fn with_collection(format: FormatVersion) -> (Vec<u8>, u64) {
    let bytes = session(created(format), |file| {
        add(file, "a", 20_000, 1);
        let mut arena = Arena::default();
        let data: Vec<u8> = strings().iter().flat_map(|s| arena.add(s.as_bytes().to_vec()).to_ne_bytes()).collect();
        file.root().unwrap().attr_write_values("s", &text(), None, &[150], &data, &mut arena).unwrap();
    });
    let bytes = session(bytes, |file| file.root().unwrap().link_delete("a").unwrap());
    let at = bytes.windows(4).position(|window| window == b"GCOL").unwrap();
    assert_eq!(bytes[at + 8..at + 16], COLLECTION.to_le_bytes());
    (bytes, at as u64)
}

/// libhdf5 leaves the signature of a collection that is gone. Here such a one begins `ahead` of the one at `at`, and reaches
/// over where that begins. What looks for free space in `session_of` takes nothing of it.
fn is_not_hidden(bytes: &[u8], at: u64, ahead: u64, session_of: impl Fn(Vec<u8>) -> Vec<u8>) {
    let mut bytes = bytes.to_vec();
    let place = (at - ahead) as usize;
    bytes[place..place + 16].copy_from_slice(&[&b"GCOL\x01\0\0\0"[..], &COLLECTION.to_le_bytes()].concat());
    let bytes = session_of(bytes);
    let mut state = state(bytes.clone());
    state.begin_changing().unwrap();
    let free = state.store.space().free_after_flush();
    let over = free.iter().find(|extent| extent.0 < at + COLLECTION && at < extent.0 + extent.1);
    assert_eq!(over, None, "the collection at {at}, {ahead} bytes behind another");
    assert!(free.iter().any(|extent| extent.1 > 10_000), "{free:?}");
    let bytes = session(bytes, |file| {
        (0..100).for_each(|i| add(file, &format!("small{i}"), 8 + i, 7));
        add(file, "b", 2000, 8);
    });
    session(bytes, |file| {
        has_strings(file);
        (0..100).for_each(|i| holds(file, &format!("small{i}"), 8 + i, 7));
        holds(file, "b", 2000, 8);
    });
}

const AHEAD: [u64; 3] = [32, 2048, COLLECTION - 16];

#[test]
fn collections_that_are_gone_do_not_hide_others_from_a_walk_that_nobody_asked_for() {
    let (bytes, at) = with_collection(FormatVersion::V18);
    AHEAD.into_iter().for_each(|ahead| is_not_hidden(&bytes, at, ahead, |bytes| bytes));
}

#[test]
fn nor_from_one_that_was_asked_for() {
    let (bytes, at) = with_collection(FormatVersion::V18);
    for ahead in AHEAD {
        is_not_hidden(&bytes, at, ahead, |bytes| session(bytes, |file| file.rebalance().unwrap()));
    }
}

#[test]
fn nor_from_that_of_a_session_that_finds_managers_lost() {
    let (bytes, at) = with_collection(FormatVersion::V110);
    for ahead in AHEAD {
        is_not_hidden(&bytes, at, ahead, |bytes| {
            let lost = saying(bytes, chosen(), Vec::new(), Some(UNDEFINED));
            session(lost, |file| add(file, "c", 10, 3))
        });
    }
}

/// Nobody searches much for collections in a file that is only opened and changed.
#[test]
fn much_that_nothing_claims_is_searched_only_where_that_was_asked_for() {
    const HOLE: usize = 1 << 20;
    let bytes = session(created(FormatVersion::V18), |file| {
        add(file, "a", HOLE, 1);
        add(file, "b", 100, 2);
    });
    let bytes = session(bytes, |file| file.root().unwrap().link_delete("a").unwrap());
    let length = bytes.len();
    assert!(length > HOLE);
    // The extents are few.
    let most = 20;
    let mut state = state(bytes.clone());
    let used = used_within(&mut state, u64::MAX).unwrap();
    assert!(used.len() < 10, "{used:?}");
    let error = used_within(&mut state, most).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("bytes to be searched for collections"), "{error}");
    assert!(state.look_for_free_space(most).unwrap().is_none());
    assert_eq!(used_within(&mut state, 100).unwrap(), used);
    let told = state.look_for_free_space(u64::MAX).unwrap().unwrap();
    assert!(told.free.iter().any(|extent| extent.1 >= HOLE as u64), "{:?}", told.free);
    let bytes = session(bytes, |file| {
        file.rebalance().unwrap();
        add(file, "c", 500_000, 3);
    });
    assert!(bytes.len() <= length, "{length} grew to {}", bytes.len());
    session(bytes, |file| {
        holds(file, "b", 100, 2);
        holds(file, "c", 500_000, 3);
    });
}
