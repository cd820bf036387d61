//! Workloads in which raw data and object headers move towards the beginning of the file, and with values of variable length.

use h5r::datatype::{Arena, CharacterSet, Datatype, Number, StringPadding};
use h5r::object::dataset::{DatasetOptions, NewLayout, Selection};
use h5r::object::{GroupOptions, Object};

use crate::common::random::Random;
use crate::record::Recorder;

const WORDS: u64 = 1200;

fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

/// A dataset of one of the layouts that move.
fn create(parent: &Object, name: &str, number: u64) {
    let chunk = (!number.is_multiple_of(3)).then_some(vec![200]);
    let options = DatasetOptions {
        layout: if chunk.is_some() { NewLayout::Chunked } else { NewLayout::Contiguous },
        max_dims: (number % 3 == 2).then_some(vec![u64::MAX]),
        chunk,
        ..DatasetOptions::default()
    };
    drop(parent.create_dataset(name, &i32(), &[WORDS], &options).unwrap());
}

/// Datasets are deleted, and what stands behind them moves: when that is asked for, or when closing finds it worth it.
pub fn moves(r: &mut Recorder, random: &mut Random) {
    let first = random.below(3);
    for round in 0..3 {
        let name = |n: u64| format!("d{round}_{n}");
        (0..5).for_each(|n| create(&r.root(), &name(n), first + n));
        for n in 0..5 {
            let data: Vec<u8> = (0..WORDS * 4).map(|at| (at * (n + 3) + random.below(2)) as u8).collect();
            r.at(&name(n)).dataset_write(&i32(), None, &data).unwrap();
        }
        r.flush();
        let full = r.length();
        for n in 0..3 {
            r.root().link_delete(&name(n)).unwrap();
        }
        if round == 0 {
            // This flush moves, in any mode.
            r.file().rebalance().unwrap();
            r.flush();
            assert!(r.length() < full - 2 * WORDS * 4, "{} bytes, {full} before: nothing was moved", r.length());
        }
        r.root().attr_write("round", &i32(), &[], &[round; 4]).unwrap();
        r.reopen();
    }
}

/// Writes one chunk of a dataset whose chunks have so many elements.
fn write_chunk(r: &Recorder, name: &str, number: u64, elements: u64) {
    let (start, count) = ([number * elements], [elements]);
    let selection = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
    let data = vec![(number * 7 + elements) as u8; elements as usize * 4];
    r.at(name).dataset_write(&i32(), Some(&selection), &data).unwrap();
}

/// Small chunks fill holes, and would leave room for large ones, which the flushed state still uses.
pub fn interleaved_moves(r: &mut Recorder, _: &mut Random) {
    const SMALL: u64 = 100;
    const LARGE: u64 = 180;
    for (name, chunk) in [("gone", SMALL), ("stays", SMALL), ("small", SMALL), ("large", LARGE)] {
        let (chunk, max_dims) = (Some(vec![chunk]), Some(vec![u64::MAX]));
        let options = DatasetOptions { layout: NewLayout::Chunked, chunk, max_dims, ..DatasetOptions::default() };
        drop(r.root().create_dataset(name, &i32(), &[24 * LARGE], &options).unwrap());
    }
    for n in 0..20 {
        write_chunk(r, "gone", n, SMALL);
        write_chunk(r, "stays", n, SMALL);
    }
    for n in 0..6 {
        write_chunk(r, "small", 2 * n, SMALL);
        write_chunk(r, "small", 2 * n + 1, SMALL);
        write_chunk(r, "large", n, LARGE);
    }
    r.flush();
    let full = r.length();
    r.root().link_delete("gone").unwrap();
    r.file().rebalance().unwrap();
    r.flush();
    assert!(r.length() < full, "nothing was moved");
    r.file().rebalance().unwrap();
    r.root().attr_write("last", &i32(), &[], &[1; 4]).unwrap();
}

/// Datasets with their data and attributes, one after the other, in two groups and under two names each, so that headers stand
/// among what goes; they move with what stays, and the links to them turn.
pub fn headers(r: &mut Recorder, random: &mut Random) {
    const COUNT: u64 = 40;
    for round in 0..3 {
        let group = r.root().create_group(&format!("g{round}"), &GroupOptions::default()).unwrap();
        for n in 0..COUNT {
            let name = format!("d{n}");
            let dataset = group.create_dataset(&name, &i32(), &[30], &DatasetOptions::default()).unwrap();
            dataset.dataset_write(&i32(), None, &[(n + 1) as u8; 120]).unwrap();
            dataset.attr_write("n", &i32(), &[2], &[n as u8; 8]).unwrap();
            if n.is_multiple_of(4) {
                let (data, mut arena) = strings(4, random);
                dataset.attr_write_values("text", &text(), None, &[4], &data, &mut arena).unwrap();
            }
            if n.is_multiple_of(3) {
                r.root().link_create_hard(&format!("second{round}_{n}"), &dataset).unwrap();
            }
        }
        drop(group);
        r.flush();
        let full = r.length();
        for n in (0..COUNT).filter(|_| random.one_in(2)) {
            r.root().link_delete(&format!("g{round}/d{n}")).unwrap();
            if n.is_multiple_of(3) {
                r.root().link_delete(&format!("second{round}_{n}")).unwrap();
            }
        }
        if round != 1 {
            r.file().rebalance().unwrap();
            r.flush();
            assert!(r.length() < full, "{} bytes, {full} before: nothing was moved", r.length());
        }
        r.root().attr_write("round", &i32(), &[], &[round; 4]).unwrap();
        r.reopen();
    }
}

fn text() -> Datatype {
    Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap()
}

/// So many strings, of different lengths.
fn strings(count: u64, random: &mut Random) -> (Vec<u8>, Arena) {
    let mut arena = Arena::default();
    let mut one = |_| {
        let most = if random.one_in(20) { 3000 } else { 60 };
        let length = random.below(most) as usize;
        arena.add([vec![b'a' + random.below(26) as u8; length], vec![0]].concat()).to_le_bytes()
    };
    ((0..count).flat_map(&mut one).collect(), arena)
}

/// Strings in datasets and attributes are written, replaced, cut off and deleted.
pub fn variable(r: &mut Recorder, random: &mut Random) {
    let chunked = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![8]),
        max_dims: Some(vec![u64::MAX]),
        ..DatasetOptions::default()
    };
    for round in 0..8 {
        for _ in 0..3 {
            let name = format!("v{}", random.below(4));
            let exists = r.root().link_exists(&name).unwrap();
            match random.below(8) {
                0 if exists => r.root().link_delete(&name).unwrap(),
                1 if exists => {
                    let (data, mut arena) = strings(3, random);
                    r.root().attr_write_values("text", &text(), None, &[3], &data, &mut arena).unwrap();
                }
                2 if exists && name != "v0" => {
                    let rows = r.at(&name).dataset_dims().unwrap().unwrap()[0];
                    r.at(&name).dataset_set_extent(&[random.below(rows + 1)]).unwrap();
                }
                3 if exists && name != "v0" => {
                    let (data, mut arena) = strings(5, random);
                    r.at(&name).dataset_append_values(&text(), 5, |_| Ok(&data), &mut arena).unwrap();
                }
                _ => {
                    // More bytes than what is kept in memory until the flush.
                    let (options, rows) =
                        if name == "v0" { (DatasetOptions::default(), 100) } else { (chunked.clone(), 20) };
                    if !exists {
                        drop(r.root().create_dataset(&name, &text(), &[rows], &options).unwrap());
                    }
                    let rows = r.at(&name).dataset_dims().unwrap().unwrap()[0];
                    let (data, mut arena) = strings(rows, random);
                    r.at(&name).dataset_write_values(&text(), None, |_| Ok(&data), &mut arena).unwrap();
                }
            }
        }
        match round % 3 {
            0 => r.reopen(),
            _ => r.flush(),
        }
    }
}

/// Attributes with strings go here and there, and the values of those that stay are stored one behind the other.
pub fn packed_values(r: &mut Recorder, random: &mut Random) {
    const COUNT: u64 = 150;
    for round in 0..3 {
        let name = |n: u64| format!("s{round}_{n}");
        for n in 0..COUNT {
            let (data, mut arena) = strings(1 + n % 3, random);
            r.root().attr_write_values(&name(n), &text(), None, &[1 + n % 3], &data, &mut arena).unwrap();
        }
        r.flush();
        let full = r.length();
        for n in (0..COUNT).filter(|_| random.one_in(2)) {
            r.root().attr_delete(&name(n)).unwrap();
        }
        if round != 1 {
            // This flush packs, in any mode.
            r.file().rebalance().unwrap();
            r.flush();
            assert!(r.length() < full, "{} bytes, {full} before: nothing was packed", r.length());
        }
        r.root().attr_write("round", &i32(), &[], &[round; 4]).unwrap();
        r.reopen();
    }
}
