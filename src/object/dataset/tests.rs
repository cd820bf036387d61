use proptest::prelude::*;

use super::*;
use crate::datatype::{ByteOrder, Number};
use crate::format::message::dataspace::MAX_RANK;
use crate::format::message::fill::{AllocationTime, WriteTime};
use crate::object::header::{HeaderOptions, NewMessage};

const I32: Datatype = Datatype::little(Number::I32);
const F64: Datatype = Datatype::little(Number::F64);

/// A dataset in a header of its own.
fn make(
    store: &mut Store,
    datatype: &Datatype,
    dims: &[u64],
    options: &DatasetOptions,
) -> (DatasetState, ObjectHeader) {
    let (state, bodies) = plan(datatype, dims, options).unwrap().make(store).unwrap();
    let header = bodies.with(|messages| ObjectHeader::create(store, &HeaderOptions::default(), messages, 0)).unwrap();
    (state, header)
}

fn bytes_of(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn read_all(state: &mut DatasetState, store: &mut Store, header: &ObjectHeader, memory: &Datatype) -> Vec<u8> {
    let elements = state.dataspace.elements().unwrap() as usize;
    let mut out = vec![0xee; elements * memory.size()];
    state.read(store, header, memory, None, &mut out).unwrap();
    out
}

fn compact() -> DatasetOptions {
    DatasetOptions { layout: NewLayout::Compact, ..DatasetOptions::default() }
}

fn filled(fill: i32) -> DatasetOptions {
    DatasetOptions { fill: Fill::Value(fill.to_le_bytes().to_vec()), ..DatasetOptions::default() }
}

#[test]
fn what_is_written_is_read_after_opening_again() {
    for options in
        [DatasetOptions::default(), compact(), DatasetOptions { allocation: AllocationTime::Early, ..filled(3) }]
    {
        let store = &mut Store::in_memory();
        let (mut state, mut header) = make(store, &I32, &[3, 4], &options);
        let values: Vec<i32> = (0..12).map(|i| i * 1000 - 5).collect();
        state.write(store, &mut header, &I32, None, &bytes_of(&values)).unwrap();
        let opened = ObjectHeader::open(store, header.address()).unwrap();
        let mut state = DatasetState::open(store, &opened).unwrap();
        assert_eq!(read_all(&mut state, store, &opened, &I32), bytes_of(&values));
        let doubles: Vec<u8> = values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect();
        assert_eq!(read_all(&mut state, store, &opened, &F64), doubles);
        let info = state.info(store).unwrap();
        assert_eq!((info.dims.as_slice(), info.max_dims.as_slice()), (&[3, 4][..], &[3, 4][..]));
        assert_eq!((info.storage_size, info.is_null, info.datatype), (48, false, I32));
        assert_eq!(info.layout == LayoutKind::Compact, options.layout == NewLayout::Compact);
    }
}

#[test]
fn unwritten_elements_read_as_the_fill_value() {
    for (options, expected) in [
        (filled(-7), -7),
        (DatasetOptions { allocation: AllocationTime::Early, ..filled(-7) }, -7),
        (DatasetOptions { layout: NewLayout::Compact, ..filled(-7) }, -7),
        (DatasetOptions::default(), 0),
        (DatasetOptions { fill: Fill::Undefined, ..DatasetOptions::default() }, 0),
        (DatasetOptions { fill_time: WriteTime::Never, allocation: AllocationTime::Early, ..filled(4) }, 0),
    ] {
        let store = &mut Store::in_memory();
        let (mut state, mut header) = make(store, &I32, &[2, 3], &options);
        assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&[expected; 6]), "{options:?}");
        let doubles: Vec<u8> = [f64::from(expected); 6].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(read_all(&mut state, store, &header, &F64), doubles);
        let row = Selection { start: Some(&[1, 1]), count: Some(&[1, 2]), ..Selection::default() };
        state.write(store, &mut header, &I32, Some(&row), &bytes_of(&[1, 2])).unwrap();
        let mut values = [expected; 6];
        values[4..].copy_from_slice(&[1, 2]);
        assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&values), "{options:?}");
    }
}

#[test]
fn used_space_is_filled_before_it_is_read() {
    let store = &mut Store::in_memory();
    let (mut old, mut header) = make(store, &I32, &[1000], &DatasetOptions::default());
    old.write(store, &mut header, &I32, None, &bytes_of(&[-1; 1000])).unwrap();
    old.free_storage(store).unwrap();
    let (mut state, mut header) = make(store, &I32, &[1000], &DatasetOptions::default());
    let last = Selection { start: Some(&[999]), ..Selection::default() };
    state.write(store, &mut header, &I32, Some(&last), &bytes_of(&[5])).unwrap();
    let mut values = [0; 1000];
    values[999] = 5;
    assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&values));
}

#[test]
fn zeros_are_not_written_where_the_file_ends_before() {
    let store = &mut Store::in_memory();
    let (mut state, mut header) = make(store, &I32, &[4 << 20], &DatasetOptions::default());
    let before = store.counters().writes;
    let third = Selection { start: Some(&[2]), count: Some(&[1]), ..Selection::default() };
    state.write(store, &mut header, &I32, Some(&third), &bytes_of(&[7])).unwrap();
    assert!(store.counters().writes - before <= 2, "the end of 16 MiB, and the element");
    let mut values = vec![0; 4 << 20];
    values[2] = 7;
    assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&values));
}

#[test]
fn empty_and_scalar_datasets() {
    for options in [DatasetOptions::default(), compact()] {
        let store = &mut Store::in_memory();
        let (mut state, mut header) = make(store, &I32, &[], &options);
        state.write(store, &mut header, &I32, None, &bytes_of(&[9])).unwrap();
        assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&[9]));
        let (mut state, mut header) = make(store, &I32, &[4, 0], &options);
        state.write(store, &mut header, &I32, None, &[]).unwrap();
        assert_eq!(read_all(&mut state, store, &header, &I32), []);
        state.free_storage(store).unwrap();
        let null = DatasetOptions { null: true, ..options };
        let (mut state, mut header) = make(store, &I32, &[], &null);
        state.write(store, &mut header, &I32, None, &[]).unwrap();
        assert_eq!(read_all(&mut state, store, &header, &I32), []);
        assert!(state.info(store).unwrap().is_null);
        let opened = ObjectHeader::open(store, header.address()).unwrap();
        assert!(DatasetState::open(store, &opened).unwrap().info(store).unwrap().is_null);
    }
}

#[test]
fn space_comes_back() {
    let store = &mut Store::in_memory();
    let (mut state, mut header) = make(store, &F64, &[100], &DatasetOptions::default());
    let (before, end) = (store.space().free_bytes(), store.space().end());
    state.free_storage(store).unwrap();
    assert_eq!((store.space().free_bytes(), store.space().end()), (before, end));
    state.write(store, &mut header, &I32, None, &bytes_of(&[1; 100])).unwrap();
    assert_eq!(store.space().end(), end + 800);
    state.free_storage(store).unwrap();
    assert_eq!(store.space().end() - store.space().free_bytes(), end - before);
    state.free_storage(store).unwrap();
}

fn rows_of(columns: u64, rows_in_chunk: u64, deflate: Option<u32>) -> DatasetOptions {
    DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![rows_in_chunk, columns]),
        max_dims: Some(vec![u64::MAX, columns]),
        deflate,
        ..filled(-7)
    }
}

/// Rows go from one chunk to the next, in calls of every length, with and without anything else between them; full chunks are
/// written at once.
#[test]
fn rows_are_appended_across_chunks() {
    for deflate in [None, Some(1)] {
        let store = &mut Store::in_memory();
        let (mut state, mut header) = make(store, &I32, &[0, 3], &rows_of(3, 5, deflate));
        let mut model = Vec::new();
        for call in 0..400u64 {
            let rows = if call < 60 { 1 } else { 1 + call * 7 % 13 };
            let data = bytes_of(&(0..rows as i32 * 3).map(|i| call as i32 * 1000 + i).collect::<Vec<i32>>());
            model.extend_from_slice(&data);
            state.append(store, &mut header, &I32, rows, &data).unwrap();
            if call < 16 {
                assert!(store.counters().writes >= call / 5, "{call}: full chunks wait");
            }
            if call % 17 == 16 {
                assert_eq!(read_all(&mut state, store, &header, &I32), model, "{call}");
            }
            if call % 31 == 30 {
                state.prepare(store, &mut header).unwrap();
            }
        }
        state.close(store, &mut header).unwrap();
        let mut state = DatasetState::open(store, &header).unwrap();
        assert_eq!(read_all(&mut state, store, &header, &I32), model);
        // What no row was put into has the fill value.
        let dims = [state.dataspace.dims()[0] + 4, 3];
        state.set_extent(store, &mut header, &dims).unwrap();
        model.extend(bytes_of(&[-7; 12]));
        assert_eq!(read_all(&mut state, store, &header, &I32), model);
    }
}

#[test]
fn appending_that_is_refused_appends_nothing() {
    let store = &mut Store::in_memory();
    let options = DatasetOptions { max_dims: Some(vec![7, 3]), ..rows_of(3, 5, None) };
    let (mut state, mut header) = make(store, &I32, &[0, 3], &options);
    for _ in 0..4 {
        state.append(store, &mut header, &I32, 1, &bytes_of(&[1, 2, 3])).unwrap();
    }
    let kind = |state: &mut DatasetState, store: &mut Store, header: &mut ObjectHeader, rows: u64, length: usize| {
        state.append(store, header, &I32, rows, &vec![9; length]).unwrap_err().kind()
    };
    // One row fits the chunk, the others the next one, but not the dataset; and there are not as many bytes as said.
    assert_eq!(kind(&mut state, store, &mut header, 4, 48), ErrorKind::Range);
    assert_eq!(kind(&mut state, store, &mut header, 3, 24), ErrorKind::Argument);
    assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&[1, 2, 3].repeat(4)));
    state.append(store, &mut header, &I32, 3, &bytes_of(&[4; 9])).unwrap();
    let expected = [[1, 2, 3].repeat(4), vec![4; 9]].concat();
    assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&expected));
}

/// A failing close would have the whole file refuse everything.
#[test]
fn a_damaged_dataset_that_was_only_looked_at_is_closed() {
    let store = &mut Store::in_memory();
    let (_, mut header) = make(store, &I32, &[4, 3], &rows_of(3, 5, Some(1)));
    let pipeline = header.find(kind::FILTER_PIPELINE).unwrap();
    header.overwrite(store, pipeline, 0, &[77]).unwrap();
    let mut state = DatasetState::open(store, &header).unwrap();
    let read = state.read(store, &header, &I32, None, &mut [0; 48]);
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
    state.close(store, &mut header).unwrap();
}

#[test]
fn what_cannot_be_made_is_refused() {
    let kind = |dims: &[u64], options: DatasetOptions| plan(&F64, dims, &options).unwrap_err().kind();
    let base = DatasetOptions::default;
    assert_eq!(kind(&[1; MAX_RANK + 1], base()), ErrorKind::Range);
    assert_eq!(kind(&[1 << 40, 1 << 40], base()), ErrorKind::Limit);
    assert_eq!(kind(&[3], DatasetOptions { max_dims: Some(vec![u64::MAX]), ..base() }), ErrorKind::Argument);
    assert_eq!(kind(&[3], DatasetOptions { max_dims: Some(vec![2]), ..base() }), ErrorKind::Range);
    assert_eq!(kind(&[3], DatasetOptions { max_dims: Some(vec![3, 3]), ..base() }), ErrorKind::Range);
    assert_eq!(kind(&[8192], compact()), ErrorKind::Range);
    assert_eq!(kind(&[3], DatasetOptions { null: true, ..base() }), ErrorKind::Argument);
    assert_eq!(kind(&[3], filled(3)), ErrorKind::Type);
    assert!(plan(&F64, &[3], &DatasetOptions { max_dims: Some(vec![3]), ..base() }).is_ok());
    assert!(plan(&F64, &[8191], &compact()).is_ok());
}

#[test]
fn the_largest_compact_dataset_fits_its_header() {
    let store = &mut Store::in_memory();
    let byte = Datatype::little(Number::U8);
    let (mut state, mut header) = make(store, &byte, &[MAX_COMPACT], &compact());
    let data: Vec<u8> = (0..MAX_COMPACT).map(|i| i as u8).collect();
    state.write(store, &mut header, &byte, None, &data).unwrap();
    header.check(store).unwrap();
    let opened = ObjectHeader::open(store, header.address()).unwrap();
    let mut state = DatasetState::open(store, &opened).unwrap();
    assert_eq!(read_all(&mut state, store, &opened, &byte), data);
}

#[test]
fn buffers_and_types_are_checked() {
    let store = &mut Store::in_memory();
    let (mut state, mut header) = make(store, &I32, &[4], &DatasetOptions::default());
    let text = Datatype::from_message(&[0x13, 0, 0, 0, 4, 0, 0, 0]).unwrap();
    let too_small = state.write(store, &mut header, &I32, None, &[0; 15]).unwrap_err();
    assert_eq!(too_small.kind(), ErrorKind::TooSmall);
    assert_eq!(state.read(store, &header, &I32, None, &mut [0; 17]).unwrap_err().kind(), ErrorKind::Argument);
    assert_eq!(state.write(store, &mut header, &text, None, &[0; 16]).unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(state.storage, Storage::Contiguous { address: UNDEFINED, size: 16 });
}

#[test]
fn sparse_selections_of_large_data_go_through_the_buffer() {
    let store = &mut Store::in_memory();
    let big = Datatype::number(Number::I32, ByteOrder::Big);
    for datatype in [I32, big] {
        let (mut state, mut header) = make(store, &datatype, &[700, 1000], &DatasetOptions::default());
        let mut model: Vec<i32> = (0..700_000).collect();
        state.write(store, &mut header, &I32, None, &bytes_of(&model)).unwrap();
        for (start, stride, count, block) in [
            ([3, 1], [5, 2], [100, 400], [2, 1]),
            ([0, 0], [300, 1], [2, 1000], [50, 1]),
            ([5, 7], [1, 1], [600, 1], [1, 900]),
            ([0, 999], [1, 1], [700, 1], [1, 1]),
        ] {
            let selection =
                Selection { start: Some(&start), stride: Some(&stride), count: Some(&count), block: Some(&block) };
            let elements = selection.elements(&[700, 1000]).unwrap();
            let data: Vec<i32> = (0..elements as i32).map(|i| -i).collect();
            state.write(store, &mut header, &I32, Some(&selection), &bytes_of(&data)).unwrap();
            let mut next = data.iter();
            Slab::new(Some(&selection), &[700, 1000])
                .unwrap()
                .for_each_run(|first, length| {
                    for place in first..first + length {
                        model[place as usize] = *next.next().unwrap();
                    }
                    Ok(())
                })
                .unwrap();
            let mut out = vec![0; data.len() * 4];
            state.read(store, &header, &I32, Some(&selection), &mut out).unwrap();
            assert_eq!(out, bytes_of(&data));
        }
        assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&model));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damaged_messages_never_panic(
        mut layout in prop::collection::vec(0u8..12, 2..80),
        version in 1u8..6,
        class in 0u8..4,
        space in prop::collection::vec(prop_oneof![0u8..5, Just(255)], 0..40),
        datatype in prop::sample::select(vec!["100800000400000000002000", "1300000004000000", "1300000000000080"]),
    ) {
        let store = &mut Store::in_memory();
        let filler = store.allocate(8192).unwrap();
        store.write_raw(filler, &[1; 8192]).unwrap();
        (layout[0], layout[1]) = (version, class);
        let mut dataspace = vec![2, (space.len() / 8) as u8 % 4, 0, 1];
        dataspace.extend(&space);
        let datatype: Vec<u8> =
            (0..datatype.len() / 2).map(|i| u8::from_str_radix(&datatype[2 * i..2 * i + 2], 16).unwrap()).collect();
        let bodies = [(kind::LAYOUT, &layout), (kind::DATASPACE, &dataspace), (kind::DATATYPE, &datatype)];
        let messages = bodies.map(|(kind, body)| NewMessage { kind, flags: 0, order: 0, body });
        let mut header = ObjectHeader::create(store, &HeaderOptions::default(), &messages, 0).unwrap();
        if let Ok(mut state) = DatasetState::open(store, &header) {
            let _ = state.info(store);
            let memory = state.datatype().clone();
            let some = Selection { block: None, ..Selection::default() };
            if let Ok(elements) = some.elements(state.dataspace.dims()) {
                let mut buffer = vec![0; elements.min(4096) as usize * memory.size().min(64)];
                let _ = state.read(store, &header, &memory, None, &mut buffer);
                let _ = state.write(store, &mut header, &memory, None, &buffer);
            }
            let _ = state.free_storage(store);
        }
    }

    #[test]
    fn partial_writes_follow_a_model(
        is_compact: bool,
        is_big: bool,
        writes in prop::collection::vec((0u64..9, 0u64..11, 1u64..4, 1u64..4, any::<i16>()), 1..12),
    ) {
        let store = &mut Store::in_memory();
        let order = if is_big { ByteOrder::Big } else { ByteOrder::Little };
        let base = if is_compact { compact() } else { DatasetOptions::default() };
        let datatype = Datatype::number(Number::I32, order);
        let (mut state, mut header) = make(store, &datatype, &[9, 11], &base);
        let mut model = vec![0i32; 99];
        let short = Datatype::little(Number::I16);
        for (row, column, row_stride, column_stride, value) in writes {
            let (start, stride) = ([row, column], [row_stride, column_stride]);
            let selection = Selection { start: Some(&start), stride: Some(&stride), ..Selection::default() };
            let elements = selection.elements(&[9, 11]).unwrap();
            let data: Vec<i16> = (0..elements as i16).map(|i| value.wrapping_add(i)).collect();
            let bytes: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
            state.write(store, &mut header, &short, Some(&selection), &bytes).unwrap();
            let mut next = data.iter();
            for r in (row..9).step_by(row_stride as usize) {
                for c in (column..11).step_by(column_stride as usize) {
                    model[(r * 11 + c) as usize] = i32::from(*next.next().unwrap());
                }
            }
            prop_assert_eq!(next.next(), None);
            prop_assert_eq!(read_all(&mut state, store, &header, &I32), bytes_of(&model));
        }
    }
}

/// What libhdf5 wrote, by `tests/data/datasets.py`: the values are 3 i - 7.
#[test]
fn datasets_of_libhdf5_are_read_described_and_freed() {
    let bytes = include_bytes!("../../../tests/data/datasets.h5");
    let backend = Box::new(crate::store::MemoryBackend::with_bytes(bytes.to_vec()));
    let store = &mut Store::new(backend, crate::format::Sizes::EIGHT, 0, bytes.len() as u64, false).unwrap();
    let mut seen = 0;
    for line in include_str!("../../../tests/data/datasets.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, address, size) = (words[0], words[1].parse().unwrap(), words[2].parse().unwrap());
        let header = ObjectHeader::open(store, address).unwrap();
        let mut state = DatasetState::open(store, &header).unwrap();
        let info = state.info(store).unwrap();
        assert_eq!(info.storage_size, size, "{name}");
        assert_eq!(state.committed_type().is_some(), name == "committed");
        let count = state.dataspace.elements().unwrap() as i32;
        let expected: Vec<i32> = match name {
            "null" => vec![],
            "filled" => vec![42; 6],
            _ => (0..count).map(|i| 3 * i - 7).collect(),
        };
        let mut out = vec![0; 4 * count as usize];
        let refused = |state: &mut DatasetState, store: &mut Store, memory: &Datatype, out: &mut [u8]| {
            state.read(store, &header, memory, None, out).unwrap_err()
        };
        match name {
            "external" | "virtual" => {
                let error = refused(&mut state, store, &I32, &mut out);
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                assert!(error.message().contains(name), "{error}");
                assert_eq!(format!("{:?}", info.layout).to_lowercase(), name);
            }
            "enumeration" | "variable" => {
                assert_eq!(refused(&mut state, store, &I32, &mut out).kind(), ErrorKind::Type);
                let mut raw = vec![0; count as usize * info.datatype.size()];
                state.read(store, &header, &info.datatype, None, &mut raw).unwrap();
                assert_eq!(info.datatype.refers_to_heap(), name == "variable");
                assert!(name == "variable" || raw == [0, 1, 0]);
            }
            _ => {
                state.read(store, &header, &I32, None, &mut out).unwrap();
                assert_eq!(out, bytes_of(&expected), "{name}");
            }
        }
        let before = store.space().reclaimable_bytes();
        state.free_storage(store).unwrap();
        let in_file = !matches!(name, "compact" | "chunked");
        assert!(!in_file || store.space().reclaimable_bytes() - before == size, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 13);
}
