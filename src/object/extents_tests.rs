//! Tests of the walk over used space.

use super::extents::*;
use crate::datatype::{Datatype, Number};
use crate::error::ErrorKind;
use crate::object::open;
use crate::object::options::{CreateOptions, OpenOptions};
use crate::object::state::State;
use crate::object::{File, GroupOptions, Phase};
use crate::store::MemoryBackend;
use std::path::Path;

fn extent(address: u64, length: u64) -> Extent {
    Extent { address, length, purpose: Purpose::RawData, owner: 0 }
}

#[test]
fn overlaps_are_told_also_with_what_reaches_over_others() {
    let mut extents = vec![extent(50, 10), extent(0, 100), extent(100, 5), extent(104, 1)];
    let mut found = Vec::new();
    sort(&mut extents, |a, b| found.push((a.address, b.address)));
    assert_eq!(found, [(0, 50), (100, 104)]);
    let gaps = gaps([(10, 5), (12, 8), (30, 10)].into_iter(), 50);
    assert_eq!(gaps, [(0, 10), (20, 10), (40, 10)]);
}

fn open_bytes(bytes: Vec<u8>) -> State {
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    open::open(Box::new(MemoryBackend::with_bytes(bytes)), &options).unwrap()
}

/// A file that has every structure that h5r writes, without a byte that is not in use.
fn written() -> Vec<u8> {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("extents"), &CreateOptions::default()).unwrap();
    let phase = Phase { max_compact: 2, min_dense: 1, track_order: true, index_order: true };
    let options = GroupOptions { attributes: phase, links: phase };
    let root = file.root().unwrap();
    let group = root.create_group("a/group", &options).unwrap();
    let u8 = Datatype::little(Number::U8);
    for number in 0..300 {
        group.attr_write(&format!("attribute{number}"), &u8, &[20], &[number as u8; 20]).unwrap();
        group.create_group(&format!("link{number}"), &GroupOptions::default()).unwrap();
    }
    group.attr_write("huge", &u8, &[100_000], &vec![7; 100_000]).unwrap();
    let data = root.create_dataset("data", &u8, &[1000], &Default::default()).unwrap();
    data.dataset_write(&u8, None, &[3; 1000]).unwrap();
    root.link_create_hard("again", &group).unwrap();
    file.close().unwrap();
    let bytes = bytes.lock().clone();
    bytes
}

#[test]
fn every_byte_of_a_new_file_is_found_and_has_one_purpose() {
    let mut state = open_bytes(written());
    let extents = used_extents(&mut state).unwrap();
    let end = state.store.space().end();
    let unused: u64 = gaps(extents.iter().map(|e| (e.address, e.length)), end).iter().map(|gap| gap.1).sum();
    // Blocks are freed and made anew as structures grow: holes, but few.
    assert!(unused * 20 < end, "{unused} of {end}");
    for purpose in [Purpose::ObjectHeader, Purpose::BTree, Purpose::FractalHeap, Purpose::HugeObject, Purpose::RawData]
    {
        assert!(extents.iter().any(|extent| extent.purpose == purpose), "{purpose}");
    }
    assert!(extents.windows(2).all(|pair| pair[0].end() <= pair[1].address));
    let raw: u64 = extents.iter().filter(|e| e.purpose == Purpose::RawData).map(|e| e.length).sum();
    assert_eq!(raw, 1000);
}

/// What ends a walk that nobody asked for, before it takes long: 300 headers, some blocks, and 1202 dense records.
#[test]
fn a_walk_ends_where_it_is_not_quick() {
    let mut state = open_bytes(written());
    let all = used_extents(&mut state).unwrap();
    assert!((300..600).contains(&all.len()), "{}", all.len());
    for (most, quick) in [(10, false), (500, false), (700, true)] {
        match used_within(&mut state, most) {
            Ok(extents) => assert!(quick && extents == all, "{most}"),
            Err(e) => assert!(!quick && e.kind() == ErrorKind::Unsupported, "{most}: {e}"),
        }
    }
}

#[test]
fn libhdf5s_files_have_few_bytes_that_nothing_uses() {
    let mut collections = 0;
    for (bytes, most) in [
        (&include_bytes!("../../tests/data/foreign_latest.h5")[..], 822),
        (&include_bytes!("../../tests/data/foreign_v108.h5")[..], 823),
        (&include_bytes!("../../tests/data/chunks_latest.h5")[..], 701),
        (&include_bytes!("../../tests/data/chunks_v108.h5")[..], 1453),
        (&include_bytes!("../../tests/data/datasets.h5")[..], 3444),
    ] {
        let mut state = open_bytes(bytes.to_vec());
        let extents = used_extents(&mut state).unwrap();
        let end = state.store.space().end();
        let unused: u64 = gaps(extents.iter().map(|e| (e.address, e.length)), end).iter().map(|gap| gap.1).sum();
        assert!(unused <= most, "{unused} bytes of {end}");
        collections += extents.iter().filter(|extent| extent.purpose == Purpose::GlobalHeap).count();
    }
    assert_eq!(collections, 2);
}
