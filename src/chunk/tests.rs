use super::*;
use crate::error::ErrorKind;
use crate::format::message::dataspace::{Dataspace, UNLIMITED};
use crate::format::message::kind;
use crate::format::message::layout::{Layout, LayoutClass};
use crate::format::Sizes;
use crate::object::header::ObjectHeader;
use crate::store::MemoryBackend;

fn open(bytes: &[u8]) -> Store {
    let backend = Box::new(MemoryBackend::with_bytes(bytes.to_vec()));
    Store::new(backend, Sizes::EIGHT, 0, bytes.len() as u64, false).unwrap()
}

fn file(name: &str) -> &'static [u8] {
    match name {
        "chunks_v108.h5" => include_bytes!("../../tests/data/chunks_v108.h5"),
        "chunks_v110.h5" => include_bytes!("../../tests/data/chunks_v110.h5"),
        _ => include_bytes!("../../tests/data/chunks_latest.h5"),
    }
}

/// The layout and the dataspace of the dataset at this address.
fn describe(store: &mut Store, address: u64) -> (Chunked, Vec<u64>, Vec<u64>) {
    let header = ObjectHeader::open(store, address).unwrap();
    let sizes = store.sizes();
    let layout = header.body(store, header.find(kind::LAYOUT).unwrap()).unwrap();
    let LayoutClass::Chunked(chunked) = Layout::decode(layout, sizes).unwrap().class else { panic!("not chunked") };
    let dataspace = header.body(store, header.find(kind::DATASPACE).unwrap()).unwrap();
    let Dataspace::Simple { dims, max_dims } = Dataspace::decode(dataspace, sizes).unwrap() else { panic!("no dims") };
    let max_dims = max_dims.unwrap_or(dims.clone());
    (chunked, dims, max_dims)
}

fn fnv(values: impl IntoIterator<Item = u64>) -> u64 {
    values
        .into_iter()
        .flat_map(u64::to_le_bytes)
        .fold(0xcbf2_9ce4_8422_2325, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// A chunk's place, size, filter mask and address.
type Met = (Vec<u64>, u64, u32, u64);

fn chunks_of(chunks: &Chunks<'_>, store: &mut Store) -> Result<Vec<Met>> {
    let mut met = Vec::new();
    chunks.for_each(store, |chunk| {
        met.push((chunk.scaled.to_vec(), chunk.size, chunk.filter_mask, chunk.address));
        Ok(())
    })?;
    met.sort();
    Ok(met)
}

/// Every dataset of the recorded files: name of the file, of the dataset, address, and what libhdf5 says of it.
fn recorded() -> impl Iterator<Item = (&'static str, &'static str, u64, [u64; 4])> {
    include_str!("../../tests/data/chunks.txt").lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |i: usize| words[i].parse::<u64>().unwrap();
        let hash = u64::from_str_radix(words[6], 16).unwrap();
        (words[0], words[1], number(2), [number(3), number(4), number(5), hash])
    })
}

/// What `tests/data/chunk_indexes.py` recorded: libhdf5's view of the chunks and the size of the index.
#[test]
fn every_index_is_walked_and_freed_to_the_byte() {
    let mut walked = 0;
    for (name, dataset, address, [count, bytes, index_bytes, hash]) in recorded() {
        let mut store = open(file(name));
        let (layout, dims, max_dims) = describe(&mut store, address);
        let chunks = Chunks { layout: &layout, dims: &dims, max_dims: &max_dims };
        let met = chunks_of(&chunks, &mut store).unwrap();
        let what = format!("{dataset} of {name}");
        assert_eq!(met.len() as u64, count, "{what}");
        let values = met.iter().flat_map(|(place, size, mask, address)| {
            place.iter().copied().chain([*size, u64::from(*mask), *address]).collect::<Vec<_>>()
        });
        assert_eq!(fnv(values), hash, "{what}");
        let freed = chunks.free_all(&mut store).unwrap();
        assert_eq!((freed.chunks, freed.chunk_bytes), (count, bytes), "{what}");
        assert_eq!(store.space().reclaimable_bytes(), bytes + index_bytes, "{what}");
        walked += 1;
    }
    assert_eq!(walked, 50);
}

#[test]
fn an_array_with_a_bound_counts_its_unlimited_dimension_slowest() {
    let index = ChunkIndex::ExtensibleArray {
        max_bits: 32,
        index_elements: 4,
        min_pointers: 4,
        min_elements: 16,
        page_bits: 10,
    };
    let layout = Chunked { version: 4, flags: 0, dims: vec![2, 3, 4], element_size: 1, index, address: 1 };
    let max_dims = [4, UNLIMITED, 9];
    let chunks = Chunks { layout: &layout, dims: &[4, 30, 9], max_dims: &max_dims };
    let grid = Grid::new(&chunks, Some(1)).unwrap();
    // Two chunks in the first dimension, three in the last: six for every step of the second.
    assert_eq!(grid.scaled(0, 1).unwrap()[..3], [0, 0, 0]);
    assert_eq!(grid.scaled(5, 1).unwrap()[..3], [1, 0, 2]);
    assert_eq!(grid.scaled(45, 1).unwrap()[..3], [1, 7, 0]);
    let both = Chunks { layout: &layout, dims: &[4, 30, 9], max_dims: &[4, UNLIMITED, UNLIMITED] };
    assert!(Grid::new(&both, Some(1)).is_err());
    let fixed = Chunks { layout: &layout, dims: &[4, 6, 9], max_dims: &[4, 6, 9] };
    assert!(Grid::new(&fixed, None).unwrap().scaled(12, 1).is_err());
}

/// Every byte of every index block, damaged one at a time: an error or a walk, and never a panic, also when all is freed.
#[test]
fn damaged_indexes_never_panic() {
    for name in ["btree1_deep", "fixed_deflate", "extensible_deflate", "extensible_row", "btree2", "single_deflate"] {
        let (source, _, address, _) = recorded().find(|(_, dataset, ..)| *dataset == name).unwrap();
        let mut store = open(file(source));
        let (layout, dims, max_dims) = describe(&mut store, address);
        let chunks = Chunks { layout: &layout, dims: &dims, max_dims: &max_dims };
        let mut blocks = Vec::new();
        let visit = &mut |part: Part<'_>| {
            if let Part::Index { address, size } = part {
                blocks.push(address as usize..(address + size) as usize);
            }
            Ok(())
        };
        chunks.walk(&mut store, visit).unwrap();
        let mut bytes = file(source).to_vec();
        for at in blocks.into_iter().flat_map(|block| block.step_by(7)) {
            for value in [0, 0xff, bytes[at] ^ 1] {
                let kept = std::mem::replace(&mut bytes[at], value);
                let _ = chunks.free_all(&mut open(&bytes));
                bytes[at] = kept;
            }
        }
    }
}

#[test]
fn cycles_and_shared_space_are_found() {
    let (source, _, address, _) = recorded().find(|(_, dataset, ..)| *dataset == "btree1_deep").unwrap();
    let mut store = open(file(source));
    let (layout, dims, max_dims) = describe(&mut store, address);
    let chunks = Chunks { layout: &layout, dims: &dims, max_dims: &max_dims };
    let root = layout.address as usize;
    // The first child of the root becomes the root, then the second.
    let key = 8 + 8 * 2;
    let first = root + 24 + key;
    let mut bytes = file(source).to_vec();
    assert_eq!(bytes[root + 5], 1);
    let second: Vec<u8> = bytes[first + 8 + key..first + 16 + key].to_vec();
    bytes[first..first + 8].copy_from_slice(&(root as u64).to_le_bytes());
    assert_eq!(chunks_of(&chunks, &mut open(&bytes)).unwrap_err().kind(), ErrorKind::Corrupt);
    bytes[first..first + 8].copy_from_slice(&second);
    assert_eq!(chunks_of(&chunks, &mut open(&bytes)).unwrap_err().kind(), ErrorKind::Corrupt);
    // Two chunks at one address: nothing is freed.
    let mut bytes = file(source).to_vec();
    let leaf = u64::from_le_bytes(bytes[first..first + 8].try_into().unwrap()) as usize;
    let chunk: Vec<u8> = bytes[leaf + 24 + key..leaf + 32 + key].to_vec();
    bytes[leaf + 32 + 2 * key..leaf + 40 + 2 * key].copy_from_slice(&chunk);
    let mut store = open(&bytes);
    assert_eq!(chunks.free_all(&mut store).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(store.space().reclaimable_bytes(), 0);
    // Chunks that are free already.
    let mut store = open(file(source));
    chunks.free_all(&mut store).unwrap();
    assert_eq!(chunks.free_all(&mut store).unwrap_err().kind(), ErrorKind::Corrupt);
}
