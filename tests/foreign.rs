//! Files that libhdf5 2.0 wrote in the formats of 1.8, 1.10 and the latest: every attribute, link and order is read as
//! `data/foreign.txt` says, and the files are changed. `data/foreign.py` made them.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::describe;
use h5r::datatype::{Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::dataset::LayoutKind;
use h5r::object::{File, GroupOptions, ObjectKind, OpenOptions, Order};
use h5r::store::MemoryBackend;

const FILES: [(&str, &[u8]); 3] = [
    ("1.8", include_bytes!("data/foreign_v108.h5")),
    ("1.10", include_bytes!("data/foreign_v110.h5")),
    ("latest", include_bytes!("data/foreign_latest.h5")),
];

fn open(bytes: &[u8], read_only: bool) -> File {
    let options = OpenOptions { read_only, ..OpenOptions::default() };
    File::open_on(Box::new(MemoryBackend::with_bytes(bytes.to_vec())), Path::new("foreign"), &options).unwrap()
}

fn hex(data: &[u8]) -> String {
    if data.len() <= 64 {
        return data.iter().map(|byte| format!("{byte:02x}")).collect();
    }
    let fnv = |value: u64, &byte: &u8| (value ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    format!("fnv {:016x}", data.iter().fold(0xCBF2_9CE4_8422_2325, fnv))
}

fn shape(dims: &Option<Vec<u64>>) -> String {
    match dims.as_deref() {
        None => "null".into(),
        Some([]) => "scalar".into(),
        Some(dims) => dims.iter().map(u64::to_string).collect::<Vec<_>>().join("x"),
    }
}

#[test]
fn everything_is_read_as_libhdf5_says() {
    let manifest = include_str!("data/foreign.txt");
    for (version, bytes) in FILES {
        let file = open(bytes, true);
        file.check().unwrap();
        file.check_flushed().unwrap();
        let contents: BTreeMap<_, _> = describe(&file).unwrap().into_iter().collect();
        let mut attributes = 0;
        for line in manifest.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let place = contents.get(fields[1]).unwrap_or_else(|| panic!("{version}: no {}", fields[1]));
            match fields[..] {
                ["object", _, attributes, links] => {
                    assert_eq!(place.attributes.len().to_string(), attributes, "{version}: {line}");
                    assert_eq!(place.links.len().to_string(), links, "{version}: {line}");
                }
                ["attribute", _, name, size, dims, data] => {
                    let (datatype, found_dims, found) = &place.attributes[name];
                    assert_eq!(datatype.size().to_string(), size, "{version}: {line}");
                    assert_eq!(shape(found_dims), dims, "{version}: {line}");
                    assert_eq!(hex(found), data, "{version}: {line}");
                    attributes += 1;
                }
                ["soft", _, name, target] => assert_eq!(place.links[name], format!("soft {target}"), "{version}"),
                ["user", _, name, _] => assert_eq!(place.links[name], "user 64", "{version}"),
                ["hard", _, name, _] => assert!(place.links[name].starts_with("hard /"), "{version}: {line}"),
                ["order", _, "links", order] => {
                    assert_eq!(place.link_order.as_ref().unwrap().join(" "), order, "{version}: {line}")
                }
                ["order", _, "attributes", order] => {
                    assert_eq!(place.attribute_order.as_ref().unwrap().join(" "), order, "{version}: {line}")
                }
                _ => panic!("a line that is not understood: {line}"),
            }
        }
        assert!(attributes > 350, "{attributes} attributes");
        let data: Vec<u8> = (0..20i32).flat_map(i32::to_le_bytes).collect();
        assert_eq!(contents["/contiguous"].data.as_ref(), Some(&data), "{version}");
    }
}

#[test]
fn values_are_converted() {
    for (_, bytes) in FILES {
        let file = open(bytes, true);
        for path in ["compact", "values_dense"] {
            let object = file.root().unwrap().open(path).unwrap();
            let mut out = [0; 48];
            assert_eq!(object.attr_read("f8_be", &Datatype::little(Number::F64), &mut out).unwrap(), 48);
            let numbers: Vec<f64> = out.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
            assert_eq!(numbers, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
            let mut out = [0; 8];
            object.attr_read("u8_be", &Datatype::little(Number::U64), &mut out).unwrap();
            assert_eq!(u64::from_le_bytes(out), (1 << 63) + 5);
            object.attr_read("i1", &Datatype::little(Number::I64), &mut out).unwrap();
            assert_eq!(i64::from_le_bytes(out), -7);
            assert_eq!(object.attr_read("nothing", &Datatype::little(Number::I32), &mut out).unwrap(), 0);
            let error = object.attr_read("compound", &Datatype::little(Number::I32), &mut out).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Type);
        }
        let committed = file.root().unwrap().open("contiguous").unwrap();
        let mut out = [0; 4];
        committed.attr_read("committed", &Datatype::little(Number::F32), &mut out).unwrap();
        assert_eq!(f32::from_le_bytes(out), 2.5);
        assert_eq!(file.root().unwrap().open("type").unwrap().kind().unwrap(), ObjectKind::NamedType);
        let chunked = file.root().unwrap().open("chunked").unwrap().dataset_info().unwrap();
        assert_eq!((chunked.layout, chunked.dims), (LayoutKind::Chunked, vec![30, 20]));
    }
}

#[test]
fn files_of_libhdf5_are_changed() {
    let i32 = Datatype::little(Number::I32);
    for (version, bytes) in FILES {
        let backend = MemoryBackend::with_bytes(bytes.to_vec());
        let shared = backend.shared();
        let file = File::open_on(Box::new(backend), Path::new("foreign"), &OpenOptions::default()).unwrap();
        let root = file.root().unwrap();
        for name in ["many_plain", "many_tracked", "many_indexed"] {
            let object = root.open(name).unwrap();
            for number in 0..80 {
                object.attr_delete(&format!("name_{number:03}")).unwrap();
            }
            object.attr_delete("k061111").unwrap();
            for number in 0..50 {
                object.attr_write(&format!("new_{number}"), &i32, &[], &[number; 4]).unwrap();
                object.link_delete(&format!("soft_{number}")).unwrap();
            }
            file.check().unwrap();
        }
        root.open("values_dense").unwrap().attr_rename("compound", "renamed").unwrap();
        root.open("big").unwrap().attr_delete("70k").unwrap();
        file.flush().unwrap();
        file.rebalance().unwrap();
        root.link_delete("level0").unwrap();
        root.link_delete("chunked").unwrap();
        root.create_group("fresh", &GroupOptions::default()).unwrap();
        file.check().unwrap();
        file.close().unwrap();

        let changed = shared.lock().clone();
        let file = open(&changed, true);
        file.check_flushed().unwrap();
        let root = file.root().unwrap();
        for name in ["many_plain", "many_tracked", "many_indexed"] {
            let object = root.open(name).unwrap();
            let names = object.attr_names(Order::Name).unwrap();
            let mut expected: Vec<String> = (80..100).map(|number| format!("name_{number:03}")).collect();
            expected.extend((0..50).map(|number| format!("new_{number}")));
            expected.push("k094631".into());
            expected.sort();
            assert_eq!(names, expected, "{version}: {name}");
            for number in 0..50u8 {
                assert_eq!(object.attr_read_raw(&format!("new_{number}")).unwrap().1, [number; 4]);
            }
            assert_eq!(object.link_count().unwrap(), 11);
        }
        assert!(root.open("values_dense").unwrap().attr_exists("renamed").unwrap());
        assert_eq!(root.open("big").unwrap().attr_names(Order::Name).unwrap(), ["5k"]);
        assert!(root.link_exists("external").unwrap() && !root.link_exists("chunked").unwrap());
        assert!(changed.len() < bytes.len(), "{version}: {} bytes, {} before", changed.len(), bytes.len());
    }
}
