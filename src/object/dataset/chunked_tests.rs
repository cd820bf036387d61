//! Chunked data that libhdf5 wrote, by `tests/data/chunk_indexes.py`: in a chunk, element i is i plus the chunk's place,
//! cut to an int16.

use proptest::prelude::*;

use super::*;
use crate::datatype::Number;
use crate::store::MemoryBackend;

const I16: Datatype = Datatype::little(Number::I16);
const F64: Datatype = Datatype::little(Number::F64);

fn open(name: &str, address: u64) -> (Store, ObjectHeader, DatasetState) {
    let bytes: &[u8] = match name {
        "chunks_v108.h5" => include_bytes!("../../../tests/data/chunks_v108.h5"),
        "chunks_v110.h5" => include_bytes!("../../../tests/data/chunks_v110.h5"),
        _ => include_bytes!("../../../tests/data/chunks_latest.h5"),
    };
    let backend = Box::new(MemoryBackend::with_bytes(bytes.to_vec()));
    let mut store = Store::new(backend, crate::format::Sizes::EIGHT, 0, bytes.len() as u64, false).unwrap();
    let header = ObjectHeader::open(&mut store, address).unwrap();
    let state = DatasetState::open(&mut store, &header).unwrap();
    (store, header, state)
}

fn recorded() -> Vec<(&'static str, &'static str, u64)> {
    let line = |line: &'static str| {
        let words: Vec<&str> = line.split(' ').collect();
        (words[0], words[1], words[2].parse().unwrap())
    };
    include_str!("../../../tests/data/chunks.txt").lines().map(line).collect()
}

/// What the dataset holds, found with a walk of its index and not with its lookup.
fn model(state: &DatasetState, store: &mut Store) -> Vec<i16> {
    let Storage::Chunked(chunked) = &state.storage else { panic!("not chunked") };
    let (dims, chunk) = (state.dataspace.dims(), &chunked.dims);
    let mut model = vec![0; dims.iter().product::<u64>() as usize];
    let mut written = |place: &[u64]| {
        let inside: Vec<u64> = (0..dims.len()).map(|d| (dims[d] - place[d] * chunk[d]).min(chunk[d])).collect();
        for number in 0..inside.iter().product::<u64>() {
            let (mut rest, mut at, mut pitch) = (number, 0, 1);
            for d in (0..dims.len()).rev() {
                at += (place[d] * chunk[d] + rest % inside[d]) * pitch;
                rest /= inside[d];
                pitch *= dims[d];
            }
            model[at as usize] = (number + place.iter().sum::<u64>()).min(i16::MAX as u64) as i16;
        }
    };
    state
        .with_chunks(chunked, |chunks| {
            chunks.for_each(store, |chunk| {
                let beyond =
                    chunk.scaled.iter().zip(&chunked.dims).zip(dims).any(|((at, chunk), dim)| at * chunk >= *dim);
                if !beyond {
                    written(chunk.scaled);
                }
                Ok(())
            })
        })
        .unwrap();
    model
}

/// The implicit index has all chunks, also those that were not written, which are zeros.
fn is_unwritten(name: &str, place: &[u64]) -> bool {
    name == "implicit_untouched" || name == "implicit" && place[0] * place[1] % 3 == 1
}

#[test]
fn every_index_is_read() {
    for (file, name, address) in recorded() {
        let (mut store, header, mut state) = open(file, address);
        let store = &mut store;
        let mut expected = model(&state, store);
        if name.starts_with("implicit") {
            let Storage::Chunked(chunked) = &state.storage else { panic!("not chunked") };
            let dims = state.dataspace.dims();
            for (at, value) in expected.iter_mut().enumerate() {
                let place: Vec<u64> = match dims.len() {
                    1 => vec![at as u64 / chunked.dims[0]],
                    _ => vec![at as u64 / dims[1] / chunked.dims[0], at as u64 % dims[1] / chunked.dims[1]],
                };
                if is_unwritten(name, &place) {
                    *value = 0;
                }
            }
        }
        let mut out = vec![0xee; 2 * expected.len()];
        state.read(store, &header, &I16, None, &mut out).unwrap();
        let found: Vec<i16> = out.as_chunks().0.iter().map(|&bytes| i16::from_le_bytes(bytes)).collect();
        assert!(found == expected, "{name} of {file}");
        assert_eq!(name.contains("empty") || name.contains("untouched"), found.iter().all(|&value| value == 0));
        let mut out = vec![0xee; 8 * expected.len()];
        state.read(store, &header, &F64, None, &mut out).unwrap();
        let found: Vec<i16> = out.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes) as i16).collect();
        assert!(found == expected, "{name} of {file} as float64");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn parts_are_what_the_whole_has(
        which: prop::sample::Index,
        shape in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>()), 2),
    ) {
        let all = recorded();
        let (file, name, address) = all[which.index(all.len())];
        let (mut store, header, mut state) = open(file, address);
        let store = &mut store;
        let dims = &state.dataspace.dims().to_vec()[..];
        let mut whole = vec![0; 2 * dims.iter().product::<u64>() as usize];
        state.read(store, &header, &I16, None, &mut whole).unwrap();
        let (mut start, mut stride, mut count, mut block) = (vec![], vec![], vec![], vec![]);
        for (&dim, (a, b, c, d)) in dims.iter().zip(shape) {
            let (s, b) = (u64::from(a) % dim, 1 + u64::from(b) % 7);
            let b = b.min(dim - s);
            let st = b + u64::from(c) % 9;
            start.push(s);
            stride.push(st);
            block.push(b);
            count.push(u64::from(d) % ((dim - s - b) / st + 2).min(50));
        }
        let selection =
            Selection { start: Some(&start), stride: Some(&stride), count: Some(&count), block: Some(&block) };
        let mut expected = Vec::new();
        Slab::new(Some(&selection), dims).unwrap().for_each_run(|first, length| {
            expected.extend_from_slice(&whole[2 * first as usize..2 * (first + length) as usize]);
            Ok(())
        }).unwrap();
        let mut out = vec![0xee; expected.len()];
        state.read(store, &header, &I16, Some(&selection), &mut out).unwrap();
        prop_assert!(out == expected, "{} of {}: {:?}", name, file, selection);
    }
}

/// Every byte of the indexes and of the chunks, damaged one at a time: values or an error, and never a panic.
#[test]
fn damaged_chunks_never_panic() {
    for wanted in
        ["btree1_deep_deflate", "fixed_deflate", "fixed_paged", "extensible_deflate", "btree2", "single_deflate"]
    {
        let &(file, _, address) = recorded().iter().find(|(_, name, _)| *name == wanted).unwrap();
        let (mut store, header, mut state) = open(file, address);
        let Storage::Chunked(chunked) = &state.storage else { panic!("not chunked") };
        let mut parts = Vec::new();
        let visit = &mut |part: crate::chunk::Part<'_>| {
            parts.push(match part {
                crate::chunk::Part::Index { address, size } => (address, size),
                crate::chunk::Part::Chunk(chunk) => (chunk.address, chunk.size),
            });
            Ok(())
        };
        state.with_chunks(chunked, |chunks| chunks.walk(&mut store, visit)).unwrap();
        let mut whole = vec![0; state.size as usize];
        state.read(&mut store, &header, &I16, None, &mut whole).unwrap();
        let bytes = store.read_bytes(0, store.space().end(), "file").unwrap();
        for at in parts.into_iter().flat_map(|(address, size)| (address..address + size).step_by(11)) {
            let mut bytes = bytes.clone();
            bytes[at as usize] ^= 0x55;
            let end = bytes.len() as u64;
            let backend = Box::new(MemoryBackend::with_bytes(bytes));
            let mut store = Store::new(backend, crate::format::Sizes::EIGHT, 0, end, false).unwrap();
            let _ = state.read(&mut store, &header, &I16, None, &mut whole);
        }
    }
}
