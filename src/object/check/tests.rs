//! The checker finds every change of a byte that a checksum covers, and what else can be wrong with a file.

use std::ops::Range;

use super::*;
use crate::format::checksum::checksum;
use crate::object::extents::{used_extents, Purpose};
use crate::object::open;
use crate::object::options::OpenOptions;
use crate::store::{MemoryBackend, Seal};

const EVERY: &[u8] = include_bytes!("../../../tests/data/every_structure.h5");

fn check_bytes(bytes: Vec<u8>) -> Result<Report> {
    check_on(Box::new(MemoryBackend::with_bytes(bytes)), &CheckOptions::default())
}

/// Where structures with checksums begin.
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
            let holds = |size: usize| [17, 18].into_iter().any(|place| Seal::Within(place).holds(&rest[..size]));
            (9..13).map(|bits| 1 << bits).find(|&size| size <= rest.len() && holds(size))
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

/// Whether the checker finds what a change of the bytes at a place has done: an error, or a file that is none any more.
fn is_found(bytes: &mut [u8], at: usize, change: u8) -> bool {
    bytes[at] ^= change;
    let report = check_bytes(bytes.to_vec());
    bytes[at] ^= change;
    report.map_or(true, |report| report.errors > 0)
}

#[test]
fn every_change_of_a_byte_under_a_checksum_is_found() {
    let report = check_bytes(EVERY.to_vec()).unwrap();
    assert_eq!(
        (report.errors, report.warnings, report.unchecked, report.leaked),
        (0, 0, 0, 0),
        "{:?}",
        report.findings
    );
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
    assert!(missed.is_empty(), "{} of {} changes were missed: {missed:x?}", missed.len(), places.len());
}

/// What no checksum covers is named: by its purpose, or as the unused rest of a block.
#[test]
fn what_no_checksum_covers_is_known() {
    let covered = covered(EVERY);
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    let backend = Box::new(MemoryBackend::with_bytes(EVERY.to_vec()));
    let extents = used_extents(&mut open::open(backend, &options).unwrap()).unwrap();
    let without = [Purpose::HugeObject, Purpose::LocalHeap, Purpose::GlobalHeap, Purpose::RawData];
    for extent in extents.iter().filter(|extent| !without.contains(&extent.purpose)) {
        for at in extent.address as usize..extent.end() as usize {
            let before = covered[..covered.partition_point(|range| range.start <= at)].last().unwrap();
            // The rest of a B-tree's node behind its records, and of a section list behind its sections.
            let rest = [&b"BTLF"[..], b"BTIN", b"FSSE"].contains(&&EVERY[before.start..before.start + 4]);
            assert!(before.contains(&at) || rest, "{} at {at:#x}", extent.purpose);
        }
    }
    let bytes: usize = covered.iter().map(Range::len).sum();
    assert!(bytes > 30_000, "{bytes}");
}
