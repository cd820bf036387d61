//! Points, lists of selections and selections in memory, against a model, in every layout.

use std::path::Path;

use h5r::datatype::{Arena, CharacterSet, Datatype, NoPointers, Number, StringPadding};
use h5r::error::ErrorKind;
use h5r::object::dataset::{DatasetOptions, NewLayout, Selection};
use h5r::object::{CreateOptions, File, Object};
use h5r::store::MemoryBackend;
use proptest::prelude::*;

const I32: Datatype = Datatype::little(Number::I32);
const I64: Datatype = Datatype::little(Number::I64);

fn datasets(dims: &[u64], chunk: &[u64]) -> (File, Vec<Object>) {
    let backend = Box::new(MemoryBackend::new());
    let file = File::create_on(backend, Path::new("memory"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    let contiguous = DatasetOptions::default();
    let compact = DatasetOptions { layout: NewLayout::Compact, ..contiguous.clone() };
    let plain = DatasetOptions { layout: NewLayout::Chunked, chunk: Some(chunk.to_vec()), ..contiguous.clone() };
    let packed =
        DatasetOptions { shuffle: true, deflate: Some(2), max_dims: Some(vec![u64::MAX; dims.len()]), ..plain.clone() };
    let made = [contiguous, compact, plain, packed].into_iter().enumerate();
    let made = made.map(|(n, options)| root.create_dataset(&format!("d{n}"), &I32, dims, &options).unwrap());
    let made = made.collect();
    (file, made)
}

fn bytes_of(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn values_of(bytes: &[u8]) -> Vec<i32> {
    bytes.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect()
}

/// The places of a regular selection, in row-major order.
fn places(dims: &[u64], start: &[u64], stride: &[u64], count: &[u64], block: &[u64]) -> Vec<usize> {
    let mut found = vec![0u64];
    for d in 0..dims.len() {
        let along = (0..count[d]).flat_map(|c| (0..block[d]).map(move |b| (c, b)));
        let along: Vec<u64> = along.map(|(c, b)| start[d] + c * stride[d] + b).collect();
        found = found.iter().flat_map(|at| along.iter().map(move |x| at * dims[d] + x)).collect();
    }
    found.into_iter().map(|at| at as usize).collect()
}

type Part = (Vec<u64>, Vec<u64>, Vec<u64>, Vec<u64>);

/// A selection that lies in the dimensions, from any numbers.
fn part(dims: &[u64], seeds: &[(u64, u64, u64, u64)]) -> Part {
    let mut part = (vec![], vec![], vec![], vec![]);
    for (&dim, &(s, b, gap, c)) in dims.iter().zip(seeds) {
        let start = s % dim;
        let block = b % (dim - start) + 1;
        let stride = block + gap % 3;
        let count = c % ((dim - start - block) / stride + 1) + 1;
        part.0.push(start);
        part.1.push(stride);
        part.2.push(count);
        part.3.push(block);
    }
    part
}

fn selection(part: &Part) -> Selection<'_> {
    Selection { start: Some(&part.0), stride: Some(&part.1), count: Some(&part.2), block: Some(&part.3) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn parts_follow_a_model(
        shape in prop::collection::vec((1u64..9, 1u64..9), 1..5),
        seeds in prop::collection::vec(prop::collection::vec(any::<(u64, u64, u64, u64)>(), 4), 3),
        points in prop::collection::vec(any::<u64>(), 0..40),
        salt: i32,
    ) {
        let dims: Vec<u64> = shape.iter().map(|(dim, _)| *dim).collect();
        let chunk: Vec<u64> = shape.iter().map(|(dim, chunk)| *chunk.min(dim)).collect();
        let total = dims.iter().product::<u64>() as usize;
        let (file, made) = datasets(&dims, &chunk);
        for dataset in &made {
            let mut model: Vec<i32> = (0..total as i32).map(|i| i.wrapping_mul(31) ^ salt).collect();
            dataset.dataset_write(&I32, None, &bytes_of(&model)).unwrap();
            // A list, read and written.
            let parts: Vec<Part> = seeds.iter().map(|seeds| part(&dims, seeds)).collect();
            let list: Vec<Selection<'_>> = parts.iter().map(selection).collect();
            let chosen: Vec<usize> =
                parts.iter().flat_map(|p| places(&dims, &p.0, &p.1, &p.2, &p.3)).collect();
            let mut out = vec![0; 4 * chosen.len()];
            dataset.dataset_read_list(&I32, &list, &mut out, &mut NoPointers).unwrap();
            prop_assert_eq!(values_of(&out), chosen.iter().map(|&at| model[at]).collect::<Vec<_>>());
            let new: Vec<i32> = (0..chosen.len() as i32).map(|i| i - 9000).collect();
            dataset.dataset_write_list(&I32, &list, &bytes_of(&new), &mut NoPointers).unwrap();
            chosen.iter().zip(&new).for_each(|(&at, &value)| model[at] = value);
            // Points, with repetitions.
            let at: Vec<usize> = points.iter().map(|point| (point % total as u64) as usize).collect();
            let coordinates: Vec<u64> = at.iter().flat_map(|&at| {
                let mut rest = at as u64;
                let mut place: Vec<u64> = dims.iter().rev().map(|dim| { let x = rest % dim; rest /= dim; x }).collect();
                place.reverse();
                place
            }).collect();
            let mut out = vec![0; 8 * at.len()];
            dataset.dataset_read_points(&I64, &coordinates, &mut out, &mut NoPointers).unwrap();
            let found: Vec<i64> = out.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
            prop_assert_eq!(found, at.iter().map(|&at| i64::from(model[at])).collect::<Vec<_>>());
            let new: Vec<i32> = (0..at.len() as i32).map(|i| i + 70_000).collect();
            dataset.dataset_write_points(&I32, &coordinates, &bytes_of(&new), &mut NoPointers).unwrap();
            at.iter().zip(&new).for_each(|(&at, &value)| model[at] = value);
            // In memory: a selection of an array of the same shape, reversed in no dimension, as large as the one in the file.
            let (file_part, chosen) = (&list[0], places(&dims, &parts[0].0, &parts[0].1, &parts[0].2, &parts[0].3));
            let length = [chosen.len() as u64 * 2 + 1];
            let within = Selection { start: Some(&[1]), stride: Some(&[2]), ..Selection::default() };
            let mut mine = bytes_of(&vec![5; length[0] as usize]);
            dataset.dataset_read_into(&I32, Some(file_part), &length, Some(&within), &mut mine, &mut NoPointers).unwrap();
            for (number, value) in values_of(&mine).into_iter().enumerate() {
                prop_assert_eq!(value, if number % 2 == 0 { 5 } else { model[chosen[number / 2]] });
            }
            let source: Vec<i32> = (0..length[0] as i32).map(|i| -i).collect();
            dataset.dataset_write_from(&I32, Some(file_part), &length, Some(&within), &bytes_of(&source), &mut NoPointers).unwrap();
            chosen.iter().enumerate().for_each(|(n, &at)| model[at] = source[2 * n + 1]);
            let mut out = vec![0; 4 * total];
            dataset.dataset_read(&I32, None, &mut out).unwrap();
            prop_assert_eq!(values_of(&out), model);
        }
        file.check().unwrap();
    }
}

#[test]
fn values_of_variable_length_go_in_parts() {
    let backend = Box::new(MemoryBackend::new());
    let file = File::create_on(backend, Path::new("memory"), &CreateOptions::default()).unwrap();
    let text = Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap();
    let chunked = DatasetOptions { layout: NewLayout::Chunked, chunk: Some(vec![2, 2]), ..DatasetOptions::default() };
    let written = |arena: &mut Arena, values: &[&str]| -> Vec<u8> {
        values.iter().flat_map(|value| arena.add(format!("{value}\0")).to_le_bytes()).collect()
    };
    let strings = |arena: &Arena, out: &[u8]| -> Vec<String> {
        let string = |pointer: &[u8]| arena.get(u64::from_le_bytes(pointer.try_into().unwrap())).unwrap_or_default();
        out.chunks(8).map(|pointer| String::from_utf8_lossy(string(pointer)).trim_end_matches('\0').into()).collect()
    };
    for (name, options) in [("chunked", &chunked), ("contiguous", &DatasetOptions::default())] {
        let dataset = file.root().unwrap().create_dataset(name, &text, &[3, 3], options).unwrap();
        let mut arena = Arena::default();
        let data = written(&mut arena, &["a", "b", "c", "b again"]);
        dataset.dataset_write_points(&text, &[0, 0, 1, 2, 2, 1, 1, 2], &data, &mut arena).unwrap();
        let column = Selection { start: Some(&[0, 1]), count: Some(&[2, 1]), ..Selection::default() };
        let corner = Selection { start: Some(&[2, 2]), count: Some(&[1, 1]), ..Selection::default() };
        let data = written(&mut arena, &["d", "e", "f"]);
        dataset.dataset_write_list(&text, &[column, corner], &data, &mut arena).unwrap();
        let data = written(&mut arena, &["not", "g", "h", "nor"]);
        let within = Selection { start: Some(&[1]), count: Some(&[2]), ..Selection::default() };
        let row = Selection { start: Some(&[1, 0]), count: Some(&[2, 1]), ..Selection::default() };
        dataset.dataset_write_from(&text, Some(&row), &[4], Some(&within), &data, &mut arena).unwrap();

        let (mut arena, mut out) = (Arena::default(), vec![0; 9 * 8]);
        dataset.dataset_read_values(&text, None, |_| Ok(&mut out), &mut arena).unwrap();
        assert_eq!(strings(&arena, &out), ["a", "d", "", "g", "e", "b again", "h", "c", "f"]);
        let mut out = vec![0; 3 * 8];
        dataset.dataset_read_points(&text, &[2, 2, 1, 2, 2, 2], &mut out, &mut arena).unwrap();
        assert_eq!(strings(&arena, &out), ["f", "b again", "f"]);
        dataset.dataset_read_list(&text, &[corner, column], &mut out, &mut arena).unwrap();
        assert_eq!(strings(&arena, &out), ["f", "d", "e"]);
        let mut out = arena.add("kept\0").to_le_bytes().repeat(4);
        dataset.dataset_read_into(&text, Some(&row), &[4], Some(&within), &mut out, &mut arena).unwrap();
        assert_eq!(strings(&arena, &out), ["kept", "g", "h", "kept"]);
        let outside = dataset.dataset_write_points(&text, &[0, 0, 3, 0], &[0; 16], &mut arena).unwrap_err();
        assert_eq!(outside.kind(), ErrorKind::Range);
        dataset.dataset_read_points(&text, &[0, 0], &mut out[..8], &mut arena).unwrap();
        assert_eq!(strings(&arena, &out[..8]), ["a"], "nothing is written");
    }
}
