//! Chunked datasets through the Rust face: written, appended to, shrunk and grown, deleted, in both formats, against a
//! model; and between two flushes nothing of the last flushed state is overwritten.

use std::path::Path;

use h5r::datatype::{Arena, CharacterSet, Datatype, Number, StringPadding};
use h5r::error::ErrorKind;
use h5r::format::message::fill::{AllocationTime, Fill, WriteTime};
use h5r::format::message::kind;
use h5r::format::message::layout::{ChunkIndex, Layout, LayoutClass};
use h5r::format::Sizes;
use h5r::object::dataset::{ChunkInfo, DatasetOptions, NewLayout, Selection};
use h5r::object::{CopyOptions, CreateOptions, File, FormatVersion, Object, OpenOptions, Purpose};
use h5r::store::{Change, MemoryBackend, RecordingBackend};
use proptest::prelude::*;

const I32: Datatype = Datatype::little(Number::I32);

/// Extents, maximum extents and chunks: a fixed array, a single chunk, an extensible array, and a B-tree.
type Shape = (&'static [u64], &'static [u64], &'static [u64]);
const SHAPES: [Shape; 5] = [
    (&[3000], &[4000], &[2]),
    (&[9, 8], &[9, 8], &[9, 8]),
    (&[40, 5], &[u64::MAX, 5], &[3, 5]),
    (&[20, 21], &[20, u64::MAX], &[4, 3]),
    (&[20, 21], &[u64::MAX, u64::MAX], &[4, 3]),
];

fn options(max: &[u64], chunk: &[u64], filtered: bool) -> DatasetOptions {
    DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(chunk.to_vec()),
        max_dims: Some(max.to_vec()),
        shuffle: filtered,
        deflate: filtered.then_some(4),
        fletcher32: filtered,
        fill: Fill::Value(7i32.to_le_bytes().to_vec()),
        ..DatasetOptions::default()
    }
}

fn bytes_of(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn read(dataset: &Object) -> Vec<i32> {
    let count = dataset.dataset_dims().unwrap().unwrap().iter().product::<u64>() as usize;
    let mut out = vec![0xee; 4 * count];
    dataset.dataset_read(&I32, None, &mut out).unwrap();
    out.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect()
}

/// What a dataset must hold.
#[derive(Clone, Debug)]
struct Model {
    dims: Vec<u64>,
    values: Vec<i32>,
}

impl Model {
    fn new(dims: &[u64]) -> Self {
        Model { dims: dims.to_vec(), values: vec![7; dims.iter().product::<u64>() as usize] }
    }

    fn resize(&mut self, dims: &[u64]) {
        let old = std::mem::replace(self, Model::new(dims));
        for (number, value) in old.values.into_iter().enumerate() {
            let (mut rest, mut at, mut pitch, mut inside) = (number as u64, 0, 1, true);
            for d in (0..dims.len()).rev() {
                let coordinate = rest % old.dims[d];
                inside &= coordinate < dims[d];
                (rest, at, pitch) = (rest / old.dims[d], at + coordinate * pitch, pitch * dims[d]);
            }
            if inside {
                self.values[at as usize] = value;
            }
        }
    }

    /// Writes a block at a corner.
    fn write(&mut self, start: &[u64], count: &[u64], value: i32) {
        for number in 0..count.iter().product::<u64>() {
            let (mut rest, mut at, mut pitch) = (number, 0, 1);
            for d in (0..start.len()).rev() {
                at += (start[d] + rest % count[d]) * pitch;
                (rest, pitch) = (rest / count[d], pitch * self.dims[d]);
            }
            self.values[at as usize] = value + number as i32;
        }
    }
}

/// The chunks that dimensions have.
fn grid(dims: &[u64], chunk: &[u64]) -> u64 {
    dims.iter().zip(chunk).map(|(dim, chunk)| dim.div_ceil(*chunk)).product()
}

/// One random change of a dataset and its model.
fn change(dataset: &Object, model: &mut Model, max: &[u64], seed: &[u32], step: i32) {
    let limits: Vec<u64> = model.dims.iter().zip(max).map(|(&dim, &max)| max.min(dim + 6)).collect();
    match seed[0] % 6 {
        0 => {
            let dims: Vec<u64> = limits.iter().zip(&seed[1..]).map(|(most, &n)| u64::from(n) % (most + 1)).collect();
            dataset.dataset_set_extent(&dims).unwrap();
            model.resize(&dims);
        }
        1 if max[0] == u64::MAX => {
            let (start, mut count) = (model.dims[0], model.dims.clone());
            count[0] = 1 + u64::from(seed[1]) % 5;
            let rows = Model { dims: count.clone(), values: (0..count.iter().product::<u64>() as i32).collect() };
            dataset.dataset_append(&I32, count[0], &bytes_of(&rows.values)).unwrap();
            let mut dims = model.dims.clone();
            dims[0] += count[0];
            model.resize(&dims);
            let mut corner = vec![0; dims.len()];
            corner[0] = start;
            model.write(&corner, &count, 0);
        }
        _ if model.dims.contains(&0) => {}
        _ => {
            let start: Vec<u64> = model.dims.iter().zip(&seed[1..]).map(|(dim, &n)| u64::from(n) % dim).collect();
            let most = model.dims.iter().zip(&start).zip(&seed[3..]);
            let count: Vec<u64> = most.map(|((dim, start), &n)| 1 + u64::from(n) % (dim - start)).collect();
            let values: Vec<i32> = (0..count.iter().product::<u64>() as i32).map(|i| i + 1000 * step).collect();
            let selection = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
            dataset.dataset_write(&I32, Some(&selection), &bytes_of(&values)).unwrap();
            model.write(&start, &count, 1000 * step);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_chunked_dataset_is_what_was_done_to_it(
        shape in 0..SHAPES.len(), filtered: bool, old_format: bool, when in 0..3usize,
        steps in prop::collection::vec(prop::collection::vec(any::<u32>(), 5), 1..40),
    ) {
        let (dims, max, chunk) = SHAPES[shape];
        let format = if old_format { FormatVersion::V18 } else { FormatVersion::V110 };
        let created = CreateOptions { format, ..CreateOptions::default() };
        let memory = MemoryBackend::new();
        let bytes = memory.shared();
        let file = File::create_on(Box::new(memory), Path::new("chunked"), &created).unwrap();
        let allocation = [AllocationTime::Default, AllocationTime::Late, AllocationTime::Early][when];
        let options = DatasetOptions { allocation, ..options(max, chunk, filtered) };
        let dataset = file.root().unwrap().create_dataset("d", &I32, dims, &options).unwrap();
        let mut model = Model::new(dims);
        for (step, seed) in steps.iter().enumerate() {
            change(&dataset, &mut model, max, seed, step as i32);
            prop_assert_eq!(dataset.dataset_dims().unwrap().unwrap(), &model.dims[..]);
            if seed[0] % 7 == 0 {
                prop_assert!(read(&dataset) == model.values, "step {}", step);
            }
            if allocation == AllocationTime::Early && seed[0] % 5 == 0 {
                prop_assert_eq!(dataset.chunks().unwrap().len() as u64, grid(&model.dims, chunk));
            }
            if seed[0] % 11 == 0 {
                file.flush().unwrap();
                file.check_flushed().unwrap();
            }
        }
        prop_assert!(read(&dataset) == model.values);
        file.close().unwrap();
        let closed = bytes.lock().clone();
        let backend = Box::new(MemoryBackend::with_bytes(closed));
        let file = File::open_on(backend, Path::new("chunked"), &OpenOptions::default()).unwrap();
        file.check().unwrap();
        prop_assert!(read(&file.root().unwrap().open("d").unwrap()) == model.values);
        file.root().unwrap().link_delete("d").unwrap();
        file.check().unwrap();
    }
}

/// The bytes of a file after so many of the changes.
fn replay(changes: &[Change]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for change in changes {
        match change {
            Change::Write(offset, written) => {
                let (start, end) = (*offset as usize, *offset as usize + written.len());
                bytes.resize(bytes.len().max(end), 0);
                bytes[start..end].copy_from_slice(written);
            }
            Change::SetLength(length) => bytes.resize(*length as usize, 0),
            Change::Sync => {}
        }
    }
    bytes
}

/// Whether a file's dataset holds this.
fn holds(bytes: Vec<u8>, expected: &[i32]) -> bool {
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    let read = || {
        let file = File::open_on(Box::new(MemoryBackend::with_bytes(bytes)), Path::new("disk"), &options)?;
        let dataset = file.root()?.open("d")?;
        let mut out = vec![0xee; 4 * expected.len()];
        dataset.dataset_read(&I32, None, &mut out)?;
        Ok::<_, h5r::error::Error>(out == bytes_of(expected))
    };
    read().unwrap_or(false)
}

/// Changes chunks between flushes; how many states of the file in between were looked at, and how many of them did not
/// hold what was last flushed. `careless` hands space of the flushed state out again at once.
fn states_between_flushes(shape: usize, filtered: bool, careless: bool, allocation: AllocationTime) -> (usize, usize) {
    let (dims, max, chunk) = SHAPES[shape];
    let recording = RecordingBackend::new(Box::new(MemoryBackend::new()));
    let log = recording.log();
    let file = File::create_on(Box::new(recording), Path::new("chunked"), &CreateOptions::default()).unwrap();
    if careless {
        file.reuse_at_once().unwrap();
    }
    let options = DatasetOptions { allocation, ..options(max, chunk, filtered) };
    let dataset = file.root().unwrap().create_dataset("d", &I32, dims, &options).unwrap();
    let mut model = Model::new(dims);
    let mut flushed: Option<(usize, Model)> = None;
    let (mut checked, mut broken) = (0, 0);
    for round in 0..4 {
        for step in 0..5 {
            let n = round * 5 + step;
            let seed: Vec<u32> =
                (0..5).map(|i| ((n * 7 + i * 13 + 3) as u32).wrapping_mul(2_654_435_761) >> 7).collect();
            change(&dataset, &mut model, max, &seed, n);
            if step % 2 == 0 {
                // Whole chunks go to the file at once.
                dataset.dataset_set_extent(dims).unwrap();
                model.resize(dims);
                let values: Vec<i32> = (0..model.values.len() as i32).map(|i| i * 3 + n).collect();
                dataset.dataset_write(&I32, None, &bytes_of(&values)).unwrap();
                model.values = values;
            }
        }
        let changes = log.lock().clone();
        if let Some((count, state)) = &flushed {
            for end in (*count..=changes.len()).step_by((changes.len() - count) / 100 + 1) {
                checked += 1;
                broken += usize::from(!holds(replay(&changes[..end]), &state.values));
            }
        }
        file.flush().unwrap();
        flushed = Some((log.lock().len(), model.clone()));
    }
    (checked, broken)
}

/// Chunks are rewritten, moved, appended and freed, and what the flush before has written of them stays.
#[test]
fn between_flushes_the_flushed_chunks_stay() {
    for (shape, filtered) in (0..SHAPES.len()).flat_map(|shape| [(shape, false), (shape, true)]) {
        for allocation in [AllocationTime::Default, AllocationTime::Late, AllocationTime::Early] {
            let (checked, broken) = states_between_flushes(shape, filtered, false, allocation);
            let what = format!("shape {shape}, filtered: {filtered}, {allocation:?}");
            assert!(checked >= 10 && broken == 0, "{broken} of {checked} states are broken: {what}");
        }
    }
}

#[test]
fn and_would_not_if_their_space_were_used_again_at_once() {
    let (checked, broken) = states_between_flushes(3, false, true, AllocationTime::Default);
    assert!(broken > 0, "{checked} states hold");
}

/// What finds a dataset's chunks.
fn index(dataset: &Object) -> ChunkIndex {
    let message = dataset.header_messages(kind::LAYOUT).unwrap().remove(0);
    match Layout::decode(&message, Sizes { offset: 8, length: 8 }).unwrap().class {
        LayoutClass::Chunked(chunked) => chunked.index,
        other => panic!("{other:?}"),
    }
}

/// Chunks of an implicit index, which libhdf5 makes where all space is allocated early: those that are rewritten go to new space.
#[test]
fn flushed_chunks_of_an_implicit_index_are_rewritten_in_new_space() {
    for name in ["implicit", "implicit_untouched"] {
        let backend = MemoryBackend::with_bytes(include_bytes!("data/chunks_latest.h5").to_vec());
        let bytes = backend.shared();
        let file = File::open_on(Box::new(backend), Path::new("file"), &OpenOptions::default()).unwrap();
        let dataset = file.root().unwrap().open(name).unwrap();
        let dims = dataset.dataset_dims().unwrap().unwrap();
        let (before, mut model) = (dataset.chunks().unwrap(), read(&dataset));
        assert_eq!(index(&dataset), ChunkIndex::Implicit);
        // One element.
        let (zeros, ones) = (vec![0; dims.len()], vec![1; dims.len()]);
        let one = Selection { start: Some(&zeros), count: Some(&ones), ..Selection::default() };
        dataset.dataset_write(&I32, Some(&one), &bytes_of(&[-5])).unwrap();
        model[0] = -5;
        let after = dataset.chunks().unwrap();
        assert!(after[0].address != before[0].address && after[1..] == before[1..], "{name}");
        assert_eq!(index(&dataset), ChunkIndex::FixedArray { page_bits: 10 });
        // Every other element of each dimension but the first, and a chunk as it is stored.
        let count: Vec<u64> = dims.iter().map(|dim| (dim - 1) / 2).collect();
        let (start, stride) = (vec![1; dims.len()], vec![2; dims.len()]);
        let some =
            Selection { start: Some(&start), count: Some(&count), stride: Some(&stride), ..Selection::default() };
        let values: Vec<i32> = (0..count.iter().product::<u64>() as i32).map(|value| 1000 + value).collect();
        dataset.dataset_write(&I32, Some(&some), &bytes_of(&values)).unwrap();
        let mut next = values.iter();
        for (number, value) in model.iter_mut().enumerate() {
            let place = if dims.len() == 1 {
                vec![number as u64]
            } else {
                vec![number as u64 / dims[1], number as u64 % dims[1]]
            };
            if place.iter().zip(&count).all(|(at, count)| at % 2 == 1 && at / 2 < *count) {
                *value = *next.next().unwrap();
            }
        }
        assert_eq!(read(&dataset), model, "{name}");
        file.flush().unwrap();
        file.check_flushed().unwrap();
        let again = MemoryBackend::with_bytes(bytes.lock().clone());
        let again = File::open_on(Box::new(again), Path::new("file"), &OpenOptions::default()).unwrap();
        assert_eq!(read(&again.root().unwrap().open(name).unwrap()), model, "{name}, opened again");
        // All of it, through no cache.
        model.iter_mut().enumerate().for_each(|(number, value)| *value = 5 - number as i32 % 100);
        dataset.dataset_write(&I32, None, &bytes_of(&model)).unwrap();
        drop(dataset);
        file.close().unwrap();
        let again = MemoryBackend::with_bytes(bytes.lock().clone());
        let again = File::open_on(Box::new(again), Path::new("file"), &OpenOptions::default()).unwrap();
        assert_eq!(read(&again.root().unwrap().open(name).unwrap()), model, "{name}, written whole");
        assert!(again.check_report(10).unwrap().is_sound());
    }
}

/// An implicit index stays while no flushed state has it, and so do its chunks; then a fixed array finds those that the dataset has,
/// and what the extent had for others is free. A copy is what the dataset is.
#[test]
fn chunks_of_a_new_implicit_index_are_written_where_they_are() {
    // Dimensions, maximum ones, and chunks: two with chunks to come, one of many pages, and one chunk.
    let shapes: [Shape; 4] =
        [(&[9, 8], &[20, 19], &[4, 3]), (&[5], &[40], &[4]), (&[5000], &[6000], &[2]), (&[3], &[4], &[4])];
    for (dims, max, chunk) in shapes {
        let memory = Box::new(MemoryBackend::new());
        let file = File::create_on(memory, Path::new("chunked"), &CreateOptions::default()).unwrap();
        let root = file.root().unwrap();
        let options = DatasetOptions { allocation: AllocationTime::Early, ..options(max, chunk, false) };
        let dataset = root.create_dataset("d", &I32, dims, &options).unwrap();
        let before = dataset.chunks().unwrap();
        let mut model = Model::new(dims);
        for value in 0..2 {
            model.values.iter_mut().enumerate().for_each(|(number, at)| *at = number as i32 * 3 + value);
            dataset.dataset_write(&I32, None, &bytes_of(&model.values)).unwrap();
            assert_eq!((index(&dataset), dataset.chunks().unwrap()), (ChunkIndex::Implicit, before.clone()));
        }
        file.flush().unwrap();
        let stored = |name| root.open(name).unwrap().dataset_info().unwrap().storage_size;
        let size = stored("d");
        // As it is stored, past the cache; the copy was made before that.
        root.copy("d", &root, "copy", &CopyOptions::default()).unwrap();
        let last = before.last().unwrap().offset.clone();
        let values = vec![7; chunk.iter().product::<u64>() as usize];
        let ends: Vec<u64> = dims.iter().zip(&last).zip(chunk).map(|((dim, at), n)| (dim - at).min(*n)).collect();
        dataset.chunk_write(&last, 0, &bytes_of(&values)).unwrap();
        let inside = Selection { start: Some(&last), count: Some(&ends), ..Selection::default() };
        let mut out = vec![0; 4 * ends.iter().product::<u64>() as usize];
        dataset.dataset_read(&I32, Some(&inside), &mut out).unwrap();
        assert_eq!(out, bytes_of(&values[..out.len() / 4]));
        let after = dataset.chunks().unwrap();
        assert_eq!(after[..after.len() - 1], before[..before.len() - 1]);
        assert_ne!(after.last(), before.last());
        assert_eq!((stored("d"), index(&root.open("copy").unwrap())), (size, ChunkIndex::Implicit));
        file.flush().unwrap();
        file.check_flushed().unwrap();
        root.copy("d", &root, "second", &CopyOptions::default()).unwrap();
        assert_eq!(read(&root.open("second").unwrap()), read(&dataset));
        assert_eq!(index(&root.open("second").unwrap()), ChunkIndex::FixedArray { page_bits: 10 });
        // Growing gives chunks that are new the fill value, also where the extent had others before.
        let mut grown = Model { dims: dims.to_vec(), values: read(&dataset) };
        for dims in [max, &vec![1; max.len()][..], max] {
            dataset.dataset_set_extent(dims).unwrap();
            grown.resize(dims);
            assert_eq!(read(&dataset), grown.values);
            file.flush().unwrap();
        }
        assert_eq!(file.check_report(10).unwrap().leaked, 0);
        drop(dataset);
        ["d", "copy", "second"].iter().for_each(|name| root.link_delete(name).unwrap());
        file.flush().unwrap();
        let report = file.check_report(10).unwrap();
        assert!(report.is_sound() && report.leaked == 0 && report.bytes[Purpose::RawData as usize] == 0, "{report:?}");
    }
}

/// Growing and shrinking of an implicit index that was flushed, before anything else is written.
#[test]
fn flushed_extents_of_an_implicit_index_grow_and_shrink() {
    for (steps, stays) in
        [(&[4u64, 26][..], false), (&[8, 26], false), (&[40], false), (&[8], true), (&[24, 23], false)]
    {
        let recording = RecordingBackend::new(Box::new(MemoryBackend::new()));
        let log = recording.log();
        let file = File::create_on(Box::new(recording), Path::new("chunked"), &CreateOptions::default()).unwrap();
        let options = DatasetOptions { allocation: AllocationTime::Early, ..options(&[40], &[4], false) };
        let dataset = file.root().unwrap().create_dataset("d", &I32, &[26], &options).unwrap();
        let mut model = Model::new(&[26]);
        model.write(&[0], &[26], 100);
        dataset.dataset_write(&I32, None, &bytes_of(&model.values)).unwrap();
        file.flush().unwrap();
        let (flushed, count) = (model.values.clone(), log.lock().len());
        for &step in steps {
            dataset.dataset_set_extent(&[step]).unwrap();
            model.resize(&[step]);
            assert_eq!(read(&dataset), model.values, "{steps:?}");
        }
        assert_eq!(dataset.chunks().unwrap().len() as u64, grid(&model.dims, &[4]));
        assert_eq!(index(&dataset) == ChunkIndex::Implicit, stays, "{steps:?}");
        let changes = log.lock().clone();
        (count..=changes.len()).for_each(|end| assert!(holds(replay(&changes[..end]), &flushed), "{steps:?}, {end}"));
        file.flush().unwrap();
        file.check_flushed().unwrap();
        assert!(holds(replay(&log.lock()), &model.values), "{steps:?}");
        assert_eq!(file.check_report(10).unwrap().leaked, 0);
    }
}

/// A flushed implicit index of a dataset that grows in one dimension and shrinks in the other: what is cut off does not come back.
#[test]
fn a_flushed_implicit_index_loses_what_is_cut_off_while_it_grows() {
    let file =
        File::create_on(Box::new(MemoryBackend::new()), Path::new("chunked"), &CreateOptions::default()).unwrap();
    let options = DatasetOptions { allocation: AllocationTime::Early, ..options(&[12, 12], &[4, 4], false) };
    let dataset = file.root().unwrap().create_dataset("d", &I32, &[4, 12], &options).unwrap();
    let mut model = Model::new(&[4, 12]);
    model.write(&[0, 0], &[4, 12], 100);
    dataset.dataset_write(&I32, None, &bytes_of(&model.values)).unwrap();
    file.flush().unwrap();
    for dims in [[12, 6], [9, 12]] {
        dataset.dataset_set_extent(&dims).unwrap();
        model.resize(&dims);
        assert_eq!(dataset.chunks().unwrap().len() as u64, grid(&model.dims, &[4, 4]));
        assert_eq!(read(&dataset), model.values);
    }
    file.flush().unwrap();
    file.check_flushed().unwrap();
    assert_eq!(file.check_report(10).unwrap().leaked, 0);
}

/// In a file with pages a chunk stands where it could have been allocated: those of an implicit index that do not are moved.
#[test]
fn chunks_of_an_implicit_index_do_not_stand_across_pages() {
    const PAGE: u64 = 512;
    for (chunk, moved) in [(32u64, false), (128, false), (256, false), (50, true), (200, true)] {
        let backend = MemoryBackend::with_bytes(include_bytes!("data/paged.h5").to_vec());
        let bytes = backend.shared();
        let file = File::open_on(Box::new(backend), Path::new("paged"), &OpenOptions::default()).unwrap();
        let options = DatasetOptions { allocation: AllocationTime::Early, ..options(&[3000], &[chunk], false) };
        let dataset = file.root().unwrap().create_dataset("d", &I32, &[2500], &options).unwrap();
        let mut model = Model::new(&[2500]);
        model.write(&[0], &[2500], 100);
        dataset.dataset_write(&I32, None, &bytes_of(&model.values)).unwrap();
        file.flush().unwrap();
        let before = dataset.chunks().unwrap();
        let one = Selection { start: Some(&[0]), count: Some(&[1]), ..Selection::default() };
        dataset.dataset_write(&I32, Some(&one), &bytes_of(&[-5])).unwrap();
        model.values[0] = -5;
        let after = dataset.chunks().unwrap();
        let crosses = |chunk: &&ChunkInfo| {
            let within = chunk.address % PAGE;
            within + chunk.size.min(PAGE) > PAGE || chunk.size >= PAGE && within > 0
        };
        assert_eq!(
            (before.iter().any(|chunk| crosses(&chunk)), after.iter().any(|chunk| crosses(&chunk))),
            (moved, false)
        );
        let stay = before[1..].iter().zip(&after[1..]).all(|(before, after)| crosses(&before) || before == after);
        assert!(stay && before[0].address != after[0].address, "{chunk}");
        assert_eq!(read(&dataset), model.values);
        file.flush().unwrap();
        file.check_flushed().unwrap();
        drop(dataset);
        file.close().unwrap();
        let again = Box::new(MemoryBackend::with_bytes(bytes.lock().clone()));
        let again = File::open_on(again, Path::new("paged"), &OpenOptions::default()).unwrap();
        assert!(again.check_report(10).unwrap().is_sound());
        assert_eq!(read(&again.root().unwrap().open("d").unwrap()), model.values);
    }
}

/// Early, all chunks have space from the beginning; late, from the first write on; filled, unless the fill value is never written.
#[test]
fn chunks_are_allocated_when_they_shall_be() {
    let memory = MemoryBackend::new();
    let bytes = memory.shared();
    let file = File::create_on(Box::new(memory), Path::new("chunked"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    let with = |max: &[u64], filtered, allocation| DatasetOptions { allocation, ..options(max, &[4], filtered) };
    let one = Selection { start: Some(&[9]), count: Some(&[1]), ..Selection::default() };
    for (max, filtered) in [(26, false), (40, false), (40, true), (u64::MAX, false), (u64::MAX, true)] {
        let counts = |allocation| {
            let dataset = root.create_dataset("d", &I32, &[26], &with(&[max], filtered, allocation)).unwrap();
            let mut counts = vec![dataset.chunks().unwrap().len()];
            dataset.dataset_write(&I32, Some(&one), &bytes_of(&[3])).unwrap();
            counts.push(dataset.chunks().unwrap().len());
            let mut model = Model::new(&[26]);
            model.values[9] = 3;
            for dims in [[40.min(max)], [6], [26]] {
                dataset.dataset_set_extent(&dims).unwrap();
                counts.push(dataset.chunks().unwrap().len());
                model.resize(&dims);
                assert_eq!(read(&dataset), model.values);
            }
            drop(dataset);
            file.check().unwrap();
            root.link_delete("d").unwrap();
            counts
        };
        let most = if max == 26 { 7 } else { 10 };
        assert_eq!(counts(AllocationTime::Early), [7, 7, most, 2, 7]);
        assert_eq!(counts(AllocationTime::Late), [0, 7, 7, 2, 2]);
        assert_eq!(counts(AllocationTime::Default), [0, 1, 1, 0, 0]);
    }
    // Nothing but space.
    let never = DatasetOptions { fill_time: WriteTime::Never, ..with(&[3000], false, AllocationTime::Early) };
    for (name, max) in [("implicit", 3000), ("extensible", u64::MAX)] {
        let never = DatasetOptions { max_dims: Some(vec![max]), ..never.clone() };
        let dataset = root.create_dataset(name, &I32, &[3000], &never).unwrap();
        assert_eq!((dataset.chunks().unwrap().len(), dataset.dataset_info().unwrap().storage_size), (750, 12_000));
        dataset.dataset_write(&I32, None, &bytes_of(&[5; 3000])).unwrap();
        assert_eq!(read(&dataset), [5; 3000]);
    }
    let empty = root.create_dataset("empty", &I32, &[0], &with(&[40], false, AllocationTime::Early)).unwrap();
    assert_eq!(empty.chunks().unwrap(), []);
    let variable = DatasetOptions { fill: Fill::Default, ..never };
    assert_eq!(root.create_dataset("v", &text(), &[3000], &variable).err().unwrap().kind(), ErrorKind::Argument);
    let huge = DatasetOptions { max_dims: Some(vec![1 << 62]), ..with(&[40], false, AllocationTime::Early) };
    assert_eq!(root.create_dataset("huge", &I32, &[1], &huge).err().unwrap().kind(), ErrorKind::Limit);
    file.close().unwrap();
    let backend = Box::new(MemoryBackend::with_bytes(bytes.lock().clone()));
    let file = File::open_on(backend, Path::new("chunked"), &OpenOptions::default()).unwrap();
    assert!(file.check_report(10).unwrap().is_sound());
    let empty = file.root().unwrap().open("empty").unwrap();
    empty.dataset_set_extent(&[9]).unwrap();
    assert_eq!((empty.chunks().unwrap().len(), read(&empty)), (3, vec![7; 9]));
    empty.dataset_append(&I32, 2, &bytes_of(&[1, 2])).unwrap();
    assert_eq!(read(&empty), [7, 7, 7, 7, 7, 7, 7, 7, 7, 1, 2]);
}

fn text() -> Datatype {
    Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap()
}

fn write_texts(dataset: &Object, start: u64, values: &[&str]) {
    let mut arena = Arena::default();
    let data: Vec<u8> = values.iter().flat_map(|value| arena.add(format!("{value}\0")).to_le_bytes()).collect();
    let selection = Selection { start: Some(&[start]), count: Some(&[values.len() as u64]), ..Selection::default() };
    dataset.dataset_write_values(&text(), Some(&selection), |_| Ok(&data), &mut arena).unwrap();
}

fn texts(dataset: &Object) -> h5r::error::Result<Vec<String>> {
    let mut out = vec![0; 8 * dataset.dataset_dims()?.unwrap_or_default()[0] as usize];
    let mut arena = Arena::default();
    dataset.dataset_read_values(&text(), None, |_| Ok(&mut out), &mut arena)?;
    let string = |pointer: &[u8; 8]| arena.get(u64::from_le_bytes(*pointer)).unwrap_or_default().to_vec();
    let strings = out.as_chunks().0.iter().map(|pointer| String::from_utf8(string(pointer)).unwrap());
    Ok(strings.map(|string| string.trim_end_matches('\0').to_string()).collect())
}

/// Heap IDs in chunks of an implicit index are not overwritten where the last flushed state has them.
#[test]
fn values_of_variable_length_in_implicit_chunks_are_the_flushed_ones_until_the_flush() {
    let recording = RecordingBackend::new(Box::new(MemoryBackend::new()));
    let log = recording.log();
    let file = File::create_on(Box::new(recording), Path::new("chunked"), &CreateOptions::default()).unwrap();
    let early = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![4]),
        max_dims: Some(vec![40]),
        allocation: AllocationTime::Early,
        ..DatasetOptions::default()
    };
    let dataset = file.root().unwrap().create_dataset("d", &text(), &[10], &early).unwrap();
    let mut model = vec![String::new(); 10];
    let mut flushed: Option<(usize, Vec<String>)> = None;
    let (mut checked, mut addresses) = (0, Vec::new());
    for round in 0..5u64 {
        for step in 0..4 {
            let (start, words) = ((round * 3 + step * 2) % 7, [format!("{round}"), "x".repeat(30 * step as usize)]);
            write_texts(&dataset, start, &[&words[0], &words[1]]);
            words.into_iter().enumerate().for_each(|(i, word)| model[start as usize + i] = word);
            let length = [10, 9, 13, 10][step as usize];
            dataset.dataset_set_extent(&[length]).unwrap();
            model.resize(length as usize, String::new());
            assert_eq!(texts(&dataset).unwrap(), model);
        }
        addresses.push(dataset.chunks().unwrap()[0].address);
        let changes = log.lock().clone();
        if let Some((count, expected)) = &flushed {
            for end in *count..=changes.len() {
                checked += 1;
                let disk = Box::new(MemoryBackend::with_bytes(replay(&changes[..end])));
                let options = OpenOptions { read_only: true, ..OpenOptions::default() };
                let disk = File::open_on(disk, Path::new("disk"), &options).unwrap();
                assert_eq!(&texts(&disk.root().unwrap().open("d").unwrap()).unwrap(), expected, "{end} changes");
            }
        }
        file.flush().unwrap();
        file.check_flushed().unwrap();
        flushed = Some((log.lock().len(), model.clone()));
    }
    assert!(checked > 4 && addresses.windows(2).all(|pair| pair[0] != pair[1]), "{checked}, {addresses:?}");
    // Nothing of it stays when the dataset goes.
    drop(dataset);
    file.root().unwrap().link_delete("d").unwrap();
    file.close().unwrap();
    let bytes = replay(&log.lock());
    assert!(bytes.windows(4).all(|bytes| bytes != b"GCOL"));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let memory = Box::new(MemoryBackend::new());
    let file = File::create_on(memory, Path::new("chunked"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    let create = |dims: &[u64], options: &DatasetOptions| root.create_dataset("d", &I32, dims, options).err().unwrap();
    let good = options(&[9], &[3], true);
    let refused = |change: &dyn Fn(&mut DatasetOptions)| {
        let mut options = good.clone();
        change(&mut options);
        let error = create(&[9], &options);
        (error.kind(), error.to_string())
    };
    assert_eq!(refused(&|o| o.chunk = None).0, ErrorKind::Argument);
    assert_eq!(refused(&|o| o.chunk = Some(vec![3, 3])).0, ErrorKind::Argument);
    assert_eq!(refused(&|o| o.layout = NewLayout::Contiguous).0, ErrorKind::Argument);
    assert_eq!(refused(&|o| o.chunk = Some(vec![0])).0, ErrorKind::Range);
    assert!(refused(&|o| o.chunk = Some(vec![10])).1.contains("1..9"));
    assert!(refused(&|o| o.deflate = Some(10)).1.contains("1..9"));
    assert_eq!(refused(&|o| o.max_dims = Some(vec![8])).0, ErrorKind::Range);
    let dataset = root.create_dataset("d", &I32, &[9], &good).unwrap();
    assert_eq!(dataset.dataset_set_extent(&[10]).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(dataset.dataset_set_extent(&[9, 1]).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(dataset.dataset_append(&I32, 1, &[0; 4]).unwrap_err().kind(), ErrorKind::Range);
    let contiguous = root.create_dataset("c", &I32, &[9], &DatasetOptions::default()).unwrap();
    assert_eq!(contiguous.dataset_append(&I32, 1, &[0; 4]).unwrap_err().kind(), ErrorKind::WrongKind);
    assert_eq!(contiguous.dataset_set_extent(&[8]).unwrap_err().kind(), ErrorKind::WrongKind);
    file.check().unwrap();
}

/// Chunks at the edges that are not filtered are stored anew where dimensions make them whole, or edges of others.
#[test]
fn unfiltered_edges_go_with_the_dimensions() {
    let open = |bytes: &[u8]| {
        let backend = MemoryBackend::with_bytes(bytes.to_vec());
        let shared = backend.shared();
        (File::open_on(Box::new(backend), Path::new("file"), &OpenOptions::default()).unwrap(), shared)
    };
    let untouched = include_bytes!("data/unfiltered_edges.h5");
    for (shape, round) in (0..SHAPES.len()).flat_map(|shape| [(shape, 0), (shape, 1), (shape, 2)]) {
        let (name, mut bytes, mut model) = (shape.to_string(), untouched.to_vec(), None);
        for part in 0..4 {
            let (file, shared) = open(&bytes);
            let dataset = file.root().unwrap().open(&name).unwrap();
            let info = dataset.dataset_info().unwrap();
            let model = model.get_or_insert_with(|| Model::new(&info.dims));
            assert_eq!(read(&dataset), model.values, "{name}, part {part}");
            for step in 0..25 {
                let n = (round * 100 + part * 25 + step) as u32;
                let seed: Vec<u32> = (0..5).map(|i| (n * 7 + i * 13 + 3).wrapping_mul(2_654_435_761) >> 7).collect();
                change(&dataset, model, &info.max_dims, &seed, n as i32);
                assert_eq!(read(&dataset), model.values, "{name}, step {n}");
            }
            drop(dataset);
            file.check().unwrap();
            file.close().unwrap();
            bytes = shared.lock().clone();
        }
    }
    // What a filter refuses is refused before the dimensions change, also where the last chunk is an edge so far.
    let (file, _) = open(untouched);
    let dataset = file.root().unwrap().open("strict").unwrap();
    dataset.dataset_append(&I32, 1, &bytes_of(&[3])).unwrap();
    for values in [[1000, 2, 3], [5, 2, 3]] {
        let appended = dataset.dataset_append(&I32, 3, &bytes_of(&values));
        assert_eq!(appended.is_ok(), values[0] < 8, "{appended:?}");
    }
    assert_eq!(read(&dataset), [7, 7, 3, 5, 2, 3]);
    file.check().unwrap();
}

/// A chunk that is written from the cache while the dataset shrinks, and lies outside, is given back where it then is.
#[test]
fn chunks_that_leave_the_cache_while_the_dataset_shrinks_are_given_back() {
    for allocation in [AllocationTime::Default, AllocationTime::Early] {
        let memory = Box::new(MemoryBackend::new());
        let file = File::create_on(memory, Path::new("chunked"), &CreateOptions::default()).unwrap();
        let options = DatasetOptions { allocation, ..options(&[30, 40], &[10, 10], false) };
        let dataset = file.root().unwrap().create_dataset("d", &I32, &[30, 40], &options).unwrap();
        // Two chunks fit.
        dataset.set_chunk_cache(1400).unwrap();
        dataset.dataset_write(&I32, None, &bytes_of(&[1; 1200])).unwrap();
        file.flush().unwrap();
        for row in [5, 15] {
            let one = Selection { start: Some(&[row, 35]), count: Some(&[1, 1]), ..Selection::default() };
            dataset.dataset_write(&I32, Some(&one), &bytes_of(&[2])).unwrap();
        }
        assert_eq!(dataset.chunk_cache().unwrap().unwritten, 2);
        dataset.dataset_set_extent(&[30, 15]).unwrap();
        file.flush().unwrap();
        assert_eq!(read(&dataset), [1; 450]);
        dataset.dataset_set_extent(&[30, 40]).unwrap();
        let model: Vec<i32> = (0..1200).map(|n| if n % 40 < 15 { 1 } else { 7 }).collect();
        assert_eq!(read(&dataset), model);
        file.flush().unwrap();
        file.check_flushed().unwrap();
        assert_eq!(file.check_report(10).unwrap().leaked, 0);
    }
}
