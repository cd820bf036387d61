//! Datasets of files that libhdf5 wrote, through the Rust face: read, overwritten, deleted with all their storage.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use h5r::datatype::{ByteOrder, Datatype, Number};
use h5r::format::message::fill::{AllocationTime, Fill};
use h5r::object::dataset::{DatasetOptions, LayoutKind, NewLayout, Selection};
use h5r::object::{CreateOptions, File, Locking, OpenOptions, Order};
use h5r::rebalance::LazyOptions;

/// Without a lock: a process that another test starts has this one's open files for a moment, and with them its locks.
fn unlocked() -> OpenOptions {
    OpenOptions { locking: Locking::Off, ..OpenOptions::default() }
}

/// A copy of a recorded file.
fn copy(name: &str) -> PathBuf {
    let target = std::env::temp_dir().join(format!("h5r-datasets-{}-{name}", std::process::id()));
    std::fs::copy(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name), &target).unwrap();
    target
}

fn names(file: &File) -> Vec<String> {
    file.root().unwrap().links(Order::Name).unwrap().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn deleted_chunks_and_indexes_leave_nothing_behind() {
    for name in ["chunks_v110.h5", "chunks_latest.h5"] {
        let path = copy(name);
        let before = std::fs::metadata(&path).unwrap().len();
        let file = File::open(&path, &unlocked()).unwrap();
        file.set_lazy(&LazyOptions::default()).unwrap();
        let all = names(&file);
        assert!(all.len() > 5);
        // The second half first, so that the file has holes in between.
        for name in all[all.len() / 2..].iter().chain(&all[..all.len() / 2]) {
            file.root().unwrap().link_delete(name).unwrap();
        }
        file.check().unwrap();
        file.close().unwrap();
        let after = std::fs::metadata(&path).unwrap().len();
        assert!(after < 4096, "{name}: {before} bytes, {after} after all datasets were deleted");
        let file = File::open(&path, &unlocked()).unwrap();
        assert!(names(&file).is_empty());
        file.check().unwrap();
        drop(file);
        std::fs::remove_file(path).unwrap();
    }
}

/// What `h5dump` (libhdf5 1.10.8, Debian's package hdf5-tools) prints of a dataset's values.
fn dumped(path: &Path, dataset: &str) -> Vec<f64> {
    let out = path.with_extension(dataset.replace('/', "_"));
    let status = Command::new("h5dump")
        .args(["-y", "-w", "0", "-m", "%.17g", "-o"])
        .arg(&out)
        .args(["-d", dataset])
        .arg(path)
        .stdout(Stdio::null())
        .status()
        .expect("h5dump of Debian's package hdf5-tools is needed");
    assert!(status.success(), "h5dump of {dataset} failed");
    let text = std::fs::read_to_string(&out).unwrap();
    std::fs::remove_file(out).unwrap();
    text.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(|w| w.parse().unwrap())
        .collect()
}

#[test]
fn libhdf5_reads_what_is_written() {
    let path = std::env::temp_dir().join(format!("h5r-datasets-{}-written.h5", std::process::id()));
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    let values: Vec<f64> = (0..20).map(|i| f64::from(3 * i - 7)).collect();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let double = Datatype::little(Number::F64);
    let mut expected = Vec::new();
    for number in Number::ALL {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for layout in [NewLayout::Contiguous, NewLayout::Compact] {
                let name = format!("{number:?}{order:?}{layout:?}");
                let options = DatasetOptions { layout, ..DatasetOptions::default() };
                let dataset = root.create_dataset(&name, &Datatype::number(number, order), &[4, 5], &options).unwrap();
                dataset.dataset_write(&double, None, &bytes).unwrap();
                let signed = number.is_signed() || number.is_float();
                expected.push((name, values.iter().map(|v| if signed { *v } else { v.max(0.0) }).collect::<Vec<_>>()));
            }
        }
    }
    let int = Datatype::little(Number::I32);
    for (name, allocation) in [("early", AllocationTime::Early), ("late", AllocationTime::Late)] {
        let fill = Fill::Value(42i32.to_le_bytes().to_vec());
        let options = DatasetOptions { allocation, fill, ..DatasetOptions::default() };
        let dataset = root.create_dataset(name, &int, &[7], &options).unwrap();
        expected.push((name.to_owned(), vec![42.0; 7]));
        dataset.attr_write("of", &int, &[], &[1, 0, 0, 0]).unwrap();
        let part = format!("{name}_part");
        let dataset = root.create_dataset(&part, &int, &[7], &options).unwrap();
        let odd = Selection { start: Some(&[1]), stride: Some(&[2]), ..Selection::default() };
        dataset.dataset_write(&double, Some(&odd), &bytes[..24]).unwrap();
        expected.push((part, vec![42.0, -7.0, 42.0, -4.0, 42.0, -1.0, 42.0]));
    }
    let scalar = root.create_dataset("scalar", &int, &[], &DatasetOptions::default()).unwrap();
    scalar.dataset_write(&double, None, &bytes[..8]).unwrap();
    expected.push(("scalar".to_owned(), vec![-7.0]));
    file.close().unwrap();
    for (name, values) in &expected {
        assert_eq!(&dumped(&path, &format!("/{name}")), values, "{name}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn datasets_of_libhdf5_are_changed_in_place() {
    let path = copy("datasets.h5");
    let file = File::open(&path, &OpenOptions::default()).unwrap();
    let root = file.root().unwrap();
    let long = Datatype::little(Number::I64);
    let mut expected = Vec::new();
    for name in ["native", "swapped", "floats", "compact", "filled", "committed", "scalar"] {
        let dataset = root.open(name).unwrap();
        let info = dataset.dataset_info().unwrap();
        let count = info.dims.iter().product::<u64>() as usize;
        let mut values = vec![0; 8 * count];
        dataset.dataset_read(&long, None, &mut values).unwrap();
        let increased: Vec<i64> =
            values.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()) + 100).collect();
        let bytes: Vec<u8> = increased.iter().flat_map(|value| value.to_le_bytes()).collect();
        dataset.dataset_write(&long, None, &bytes).unwrap();
        expected.push((name, increased.iter().map(|&value| value as f64).collect::<Vec<_>>()));
    }
    let chunked = root.open("chunked").unwrap();
    assert_eq!(chunked.dataset_info().unwrap().layout, LayoutKind::Chunked);
    let mut values = [0; 160];
    chunked.dataset_read(&long, None, &mut values).unwrap();
    let values: Vec<i64> = values.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(values, (0..20).map(|i| 3 * i - 7).collect::<Vec<i64>>());
    root.link_delete("chunked").unwrap();
    file.close().unwrap();
    for (name, values) in &expected {
        assert_eq!(&dumped(&path, &format!("/{name}")), values, "{name}");
    }
    std::fs::remove_file(path).unwrap();
}
