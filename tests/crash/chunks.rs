//! Workloads of chunked datasets: every index, filtered and not; written whole, in part and again, appended to, grown,
//! shrunk and deleted, between flushes and within one.

use h5r::datatype::{Datatype, Number};
use h5r::format::message::fill::AllocationTime;
use h5r::object::dataset::{DatasetOptions, NewLayout, Selection};
use h5r::object::{Object, Order};

use crate::common::random::Random;
use crate::record::Recorder;

const MANY: u64 = u64::MAX;

fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

/// Dimensions, their bounds and the chunk's: a single chunk, a fixed array, one of pages, extensible arrays, one with super
/// blocks, and version 2 B-trees. In files for libhdf5 1.8 and older all of these are version 1 B-trees.
const SHAPES: [(&[u64], &[u64], &[u64]); 7] = [
    (&[40], &[40], &[40]),
    (&[60, 10], &[80, 10], &[20, 5]),
    (&[1500], &[3000], &[1]),
    (&[100], &[MANY], &[16]),
    (&[900], &[MANY], &[1]),
    (&[30, 9], &[MANY, 40], &[10, 4]),
    (&[25, 11], &[MANY, MANY], &[8, 4]),
];

/// More chunks than a node of their index holds: a tree of two levels, which shrinking thins and sweeps pack.
const DEEP: (&[u64], &[u64], &[u64]) = (&[16, 25], &[MANY, MANY], &[1, 1]);

/// Elements of one write: each chunk that it touches makes more states.
const MOST: u64 = 600;

/// A dataset of one of the shapes, all of which is written, or nothing.
fn create(r: &Recorder, random: &mut Random, name: &str) {
    let (dims, max_dims, chunk) = match random.one_in(6) {
        true => DEEP,
        false => SHAPES[random.below(SHAPES.len() as u64) as usize],
    };
    let mut options = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(chunk.to_vec()),
        max_dims: Some(max_dims.to_vec()),
        shuffle: random.one_in(3),
        deflate: random.one_in(2).then_some(1 + random.below(9) as u32),
        fletcher32: random.one_in(3),
        ..DatasetOptions::default()
    };
    options.allocation = match random.below(4) {
        // Each chunk that is filled makes more states.
        _ if chunk.iter().all(|&dim| dim == 1) => AllocationTime::Default,
        0 => AllocationTime::Late,
        1 => AllocationTime::Early,
        _ => AllocationTime::Default,
    };
    let dataset = r.root().create_dataset(name, &i32(), dims, &options).unwrap();
    match chunk == [1] {
        true => (0..3).for_each(|_| write_part(&dataset, dims, random)),
        false if random.one_in(4) => {}
        false => dataset.dataset_write(&i32(), None, &values(dims.iter().product(), random)).unwrap(),
    }
}

/// So many elements, which compress differently from time to time, so that chunks change their size.
fn values(count: u64, random: &mut Random) -> Vec<u8> {
    let (step, noise) = (random.below(5) as u32, random.below(3) * 40);
    let mut value = random.below(1 << 20) as u32;
    let mut next = || {
        value = value.wrapping_add(step + random.below(noise + 1) as u32);
        value.to_le_bytes()
    };
    (0..count).flat_map(|_| next()).collect()
}

/// A regular part of the dataset.
fn write_part(dataset: &Object, dims: &[u64], random: &mut Random) {
    let start: Vec<u64> = dims.iter().map(|&dim| random.below(dim)).collect();
    // Where there are many elements, chunks are small.
    let most = if dims.iter().product::<u64>() > MOST { 6 } else { MANY };
    let count: Vec<u64> =
        dims.iter().zip(&start).map(|(dim, start)| 1 + random.below((dim - start).min(most))).collect();
    let selection = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
    let data = values(count.iter().product(), random);
    dataset.dataset_write(&i32(), Some(&selection), &data).unwrap();
}

/// One change of a dataset.
fn change(dataset: &Object, random: &mut Random) {
    let info = dataset.dataset_info().unwrap();
    let (mut dims, max_dims) = (info.dims, info.max_dims);
    let elements: u64 = dims.iter().product();
    let most = if elements > MOST { 6 } else { 30 };
    let room = |dimension: usize, dims: &[u64]| max_dims[dimension].min(dims[dimension] + most) - dims[dimension];
    let empty = elements == 0;
    match random.below(8) {
        0 if !empty && elements <= MOST => dataset.dataset_write(&i32(), None, &values(elements, random)).unwrap(),
        1..=3 if !empty => write_part(dataset, &dims, random),
        4 | 5 => {
            let rows = random.below(room(0, &dims) + 1);
            let data = values(rows * dims[1..].iter().product::<u64>(), random);
            dataset.dataset_append(&i32(), rows, &data).unwrap();
        }
        6 => {
            let dimension = random.below(dims.len() as u64) as usize;
            dims[dimension] = random.below(dims[dimension] + 1);
            dataset.dataset_set_extent(&dims).unwrap();
        }
        _ => {
            let dimension = random.below(dims.len() as u64) as usize;
            dims[dimension] += random.below(room(dimension, &dims) + 1);
            dataset.dataset_set_extent(&dims).unwrap();
        }
    }
}

/// Creates, changes and deletes datasets of this library's, among what the file has.
pub fn chunks(r: &mut Recorder, random: &mut Random) {
    for n in 0..4 {
        create(r, random, &format!("c{n}"));
    }
    r.flush();
    for _ in 0..6 {
        for _ in 0..3 {
            let name = format!("c{}", random.below(4));
            if !r.root().link_exists(&name).unwrap() {
                create(r, random, &name);
            } else if random.one_in(6) {
                r.root().link_delete(&name).unwrap();
            } else {
                change(&r.at(&name), random);
            }
        }
        if random.one_in(10) {
            r.file().rebalance().unwrap();
        }
        if random.one_in(8) {
            r.reopen();
        } else {
            r.flush();
        }
    }
}

/// Dimensions, their bounds and the chunk's, all fixed: allocated early and without filters, an implicit index finds their chunks.
const FIXED: [(&[u64], &[u64], &[u64]); 4] =
    [(&[30, 10], &[40, 12], &[10, 5]), (&[60], &[60], &[16]), (&[1200], &[1200], &[100]), (&[20], &[35], &[35])];

/// Datasets that are allocated early, flushed and rewritten: chunks of an implicit index, until one that was flushed is.
pub fn early_chunks(r: &mut Recorder, random: &mut Random) {
    for n in 0..12 {
        let (dims, max_dims, chunk) = FIXED[n % FIXED.len()];
        let options = DatasetOptions {
            layout: NewLayout::Chunked,
            chunk: Some(chunk.to_vec()),
            max_dims: Some(max_dims.to_vec()),
            allocation: AllocationTime::Early,
            ..DatasetOptions::default()
        };
        let dataset = r.root().create_dataset(&format!("c{n}"), &i32(), dims, &options).unwrap();
        dataset.dataset_write(&i32(), None, &values(dims.iter().product(), random)).unwrap();
    }
    for round in 0..6 {
        r.flush();
        // Two that are what libhdf5 makes of them, and what was changed before.
        for n in [2 * round, 2 * round + 1, random.below(2 * round + 2)] {
            change(&r.at(&format!("c{n}")), random);
        }
        if random.one_in(3) {
            r.reopen();
        }
        if random.one_in(4) {
            r.file().rebalance().unwrap();
        }
    }
}

/// Changes and deletes the chunked datasets that libhdf5 wrote.
pub fn foreign_chunks(r: &mut Recorder, random: &mut Random) {
    let mut names: Vec<String> = r.root().links(Order::Name).unwrap().into_iter().map(|(name, _)| name).collect();
    for _ in 0..4 {
        for _ in 0..3 {
            if names.is_empty() {
                return;
            }
            let place = random.below(names.len() as u64) as usize;
            if random.one_in(4) {
                r.root().link_delete(&names.swap_remove(place)).unwrap();
            } else {
                change(&r.at(&names[place]), random);
            }
        }
        r.flush();
    }
}
