//! References of every kind: made, stored in datasets and attributes, read back and followed.

use std::path::Path;

use h5r::datatype::{Arena, Datatype, Number, ReferenceKind};
use h5r::error::ErrorKind;
use h5r::format::reference::Part;
use h5r::format::selection::Selected;
use h5r::object::dataset::{DatasetOptions, Selection};
use h5r::object::{CopyOptions, CreateOptions, File, GroupOptions, Object, OpenOptions, Referred};
use h5r::store::MemoryBackend;

fn filled() -> (File, std::sync::Arc<parking_lot::Mutex<Vec<u8>>>) {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("file"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    let group = root.create_group("a/g", &GroupOptions::default()).unwrap();
    let dataset =
        group.create_dataset("d", &Datatype::little(Number::I32), &[6, 8], &DatasetOptions::default()).unwrap();
    dataset.attr_write("mark", &Datatype::little(Number::I32), &[], &[7, 0, 0, 0]).unwrap();
    (file, bytes)
}

/// An element in memory of the bytes of a reference.
fn element(kind: ReferenceKind, bytes: &[u8], arena: &mut Arena) -> Vec<u8> {
    match kind {
        ReferenceKind::Object | ReferenceKind::Region => bytes.to_vec(),
        _ => [(bytes.len() as u64).to_ne_bytes(), arena.add(bytes).to_ne_bytes()].concat(),
    }
}

/// The bytes of a reference in an element in memory.
fn bytes_of(kind: ReferenceKind, element: &[u8], arena: &Arena) -> Vec<u8> {
    let number = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap());
    match kind {
        ReferenceKind::Object | ReferenceKind::Region => element.to_vec(),
        _ => arena.get(number(&element[8..])).unwrap()[..number(&element[..8]) as usize].to_vec(),
    }
}

fn stored(root: &Object, kind: ReferenceKind, reference: &[u8], name: &str) {
    let mut arena = Arena::default();
    let element = element(kind, reference, &mut arena);
    let datatype = Datatype::reference(kind).unwrap();
    let dataset = root.create_dataset(name, &datatype, &[1], &DatasetOptions::default()).unwrap();
    dataset.dataset_write_values(&datatype, None, |_| Ok(&element), &mut arena).unwrap();
    let mut arena = Arena::default();
    let element = self::element(kind, reference, &mut arena);
    dataset.attr_write_values("r", &datatype, None, &[1], &element, &mut arena).unwrap();
}

fn loaded(root: &Object, kind: ReferenceKind, name: &str) -> [Vec<u8>; 2] {
    let datatype = Datatype::reference(kind).unwrap();
    let dataset = root.open(name).unwrap();
    let (mut data, mut value) = (vec![0; datatype.size()], vec![0; datatype.size()]);
    let mut arena = Arena::default();
    dataset.dataset_read_values(&datatype, None, |_| Ok(&mut data), &mut arena).unwrap();
    dataset.attr_read_values("r", &datatype, &mut value, &mut arena).unwrap();
    [bytes_of(kind, &data, &arena), bytes_of(kind, &value, &arena)]
}

#[test]
fn every_kind_is_made_stored_and_followed() {
    let (file, bytes) = filled();
    let root = file.root().unwrap();
    let selection =
        Selection { start: Some(&[1, 2]), stride: Some(&[3, 4]), count: Some(&[2, 2]), block: Some(&[2, 1]) };
    let blocks = [1, 2, 2, 2, 1, 6, 2, 6, 4, 2, 5, 2, 4, 6, 5, 6];
    let region = Referred::Region(Some(&selection));
    let points = Referred::Points { rank: 2, coordinates: &[5, 7, 0, 0] };
    let all = [
        (ReferenceKind::Object, "a/g", Referred::Object),
        (ReferenceKind::StandardObject, "a/g/d", Referred::Object),
        (ReferenceKind::Region, "a/g/d", region),
        (ReferenceKind::StandardRegion, "a/g/d", region),
        (ReferenceKind::Region, "a/g/d", points),
        (ReferenceKind::StandardRegion, "a/g/d", points),
        (ReferenceKind::StandardRegion, "a/g/d", Referred::Region(None)),
        (ReferenceKind::StandardAttribute, "a/g/d", Referred::Attribute("mark")),
    ];
    for (number, (kind, path, referred)) in all.into_iter().enumerate() {
        let length = root.reference(path, kind, referred, 0).unwrap().len();
        let error = root.reference(path, kind, referred, length - 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooSmall);
        let made = root.reference(path, kind, referred, length).unwrap();
        assert_eq!(made.len(), length);
        stored(&root, kind, &made, &format!("r{number}"));
    }
    assert!(file.check_report(10).unwrap().findings.is_empty());
    drop(root);
    file.close().unwrap();
    let backend = MemoryBackend::with_bytes(bytes.lock().clone());
    let file = File::open_on(Box::new(backend), Path::new("file"), &OpenOptions::default()).unwrap();
    let root = file.root().unwrap();
    root.copy("/", &root, "copy", &CopyOptions::default()).unwrap();
    for (number, (kind, path, referred)) in all.into_iter().enumerate() {
        for reference in
            [loaded(&root, kind, &format!("r{number}")), loaded(&root, kind, &format!("copy/r{number}"))].concat()
        {
            let object = root.dereference(kind, &reference).unwrap();
            assert_eq!(object.address().unwrap(), root.open(path).unwrap().address().unwrap());
            assert_eq!(root.reference_path(kind, &reference).unwrap(), format!("/{path}"));
            match (referred, root.reference_part(kind, &reference).unwrap()) {
                (Referred::Object, Part::Whole) => {}
                (Referred::Region(None), Part::Region(Selected::All)) => {}
                (Referred::Region(Some(_)), Part::Region(found)) => assert_eq!(found.blocks().unwrap(), blocks),
                (Referred::Points { coordinates: points, .. }, Part::Region(Selected::Points { coordinates, .. })) => {
                    assert_eq!(points, coordinates);
                }
                (Referred::Attribute(name), Part::Attribute(found)) => assert_eq!(name.as_bytes(), found),
                (_, found) => panic!("{referred:?}: {found:?}"),
            }
        }
    }
}

#[test]
fn what_leads_nowhere_is_an_error() {
    let (file, _) = filled();
    let root = file.root().unwrap();
    let made = |path: &str, kind, referred| root.reference(path, kind, referred, 999).map_err(|e| e.kind());
    let outside = Selection { start: Some(&[5, 0]), count: Some(&[2, 1]), ..Selection::default() };
    let far = made("a/g/d", ReferenceKind::Region, Referred::Region(Some(&outside)));
    assert_eq!(far, Err(ErrorKind::Range));
    let points = |rank, coordinates| made("a/g/d", ReferenceKind::Region, Referred::Points { rank, coordinates });
    assert_eq!(points(2, &[6, 0]), Err(ErrorKind::Range));
    assert_eq!(points(1, &[1, 0]), Err(ErrorKind::Argument));
    assert_eq!(points(2, &[1, 0, 1]), Err(ErrorKind::Argument));
    assert_eq!(made("a/g", ReferenceKind::Region, Referred::Region(None)), Err(ErrorKind::WrongKind));
    assert_eq!(made("none", ReferenceKind::Object, Referred::Object), Err(ErrorKind::NotFound));
    assert_eq!(made("a/g", ReferenceKind::Object, Referred::Region(None)), Err(ErrorKind::Argument));
    assert_eq!(made("a/g/d", ReferenceKind::StandardAttribute, Referred::Attribute("x")), Err(ErrorKind::NotFound));
    let to = |kind, bytes: &[u8]| root.dereference(kind, bytes).map(|_| ()).map_err(|e| e.kind());
    assert_eq!(to(ReferenceKind::Object, &[0; 8]), Err(ErrorKind::NotFound));
    assert_eq!(to(ReferenceKind::Object, &[0; 7]), Err(ErrorKind::Range));
    assert_eq!(to(ReferenceKind::Region, &[0; 12]), Err(ErrorKind::NotFound));
    assert_eq!(to(ReferenceKind::StandardObject, &[]), Err(ErrorKind::NotFound));
    assert!(to(ReferenceKind::Object, &50u64.to_ne_bytes()).is_err());
    let attribute = made("a/g/d", ReferenceKind::StandardAttribute, Referred::Attribute("mark")).unwrap();
    assert_eq!(to(ReferenceKind::StandardRegion, &attribute), Err(ErrorKind::Argument));
    let object = made("a", ReferenceKind::Object, Referred::Object).unwrap();
    root.link_delete("a").unwrap();
    assert!(to(ReferenceKind::Object, &object).is_err());
    assert!(root.reference_path(ReferenceKind::Object, &object).is_err());
    assert!(file.check_report(10).unwrap().findings.is_empty());
}

/// A reference to what a path leads to through an external link has the name of that file, and is followed into it.
#[test]
fn references_lead_to_other_files() {
    let folder = std::env::temp_dir().join(format!("h5r-references-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("below")).unwrap();
    let far = File::create(&folder.join("below/far.h5"), &CreateOptions::default()).unwrap();
    let root = far.root().unwrap();
    let dataset =
        root.create_dataset("g/d", &Datatype::little(Number::I32), &[6, 8], &DatasetOptions::default()).unwrap();
    dataset.attr_write("mark", &Datatype::little(Number::I32), &[], &[7, 0, 0, 0]).unwrap();
    let address = dataset.address().unwrap();
    drop((dataset, root));
    far.close().unwrap();
    let near = File::create(&folder.join("near.h5"), &CreateOptions::default()).unwrap();
    let root = near.root().unwrap();
    root.link_create_external("out", "below/far.h5", "/g").unwrap();
    root.link_create_external("self", "near.h5", "/").unwrap();
    let all = [
        (ReferenceKind::StandardObject, Referred::Object),
        (ReferenceKind::StandardRegion, Referred::Points { rank: 2, coordinates: &[5, 7, 0, 0] }),
        (ReferenceKind::StandardAttribute, Referred::Attribute("mark")),
    ];
    for (number, (kind, referred)) in all.into_iter().enumerate() {
        let length = root.reference("out/d", kind, referred, 0).unwrap().len();
        assert_eq!(root.reference("out/d", kind, referred, length - 1).unwrap_err().kind(), ErrorKind::TooSmall);
        stored(&root, kind, &root.reference("out/d", kind, referred, length).unwrap(), &format!("r{number}"));
    }
    // What the link leads to may be this file.
    let inside = root.reference("self/r0", ReferenceKind::StandardObject, Referred::Object, 999).unwrap();
    assert_eq!(inside, root.reference("r0", ReferenceKind::StandardObject, Referred::Object, 999).unwrap());
    for (kind, referred) in [(ReferenceKind::Object, Referred::Object), (ReferenceKind::Region, Referred::Region(None))]
    {
        let error = root.reference("out/d", kind, referred, 999).unwrap_err();
        assert!(error.kind() == ErrorKind::Argument && error.message().contains("to which no reference"), "{error}");
    }
    let findings = near.check_report(10).unwrap().findings;
    assert!(findings.is_empty(), "{findings:?}");
    drop(root);
    near.close().unwrap();
    // From the folder that was moved, too.
    let moved = folder.with_extension("moved");
    std::fs::rename(&folder, &moved).unwrap();
    std::fs::copy(moved.join("below/far.h5"), moved.join("far.h5")).unwrap();
    let near = File::open(&moved.join("near.h5"), &OpenOptions::default()).unwrap();
    let root = near.root().unwrap();
    for (number, (kind, referred)) in all.into_iter().enumerate() {
        for reference in loaded(&root, kind, &format!("r{number}")) {
            let object = root.dereference(kind, &reference).unwrap();
            assert!(!near.has(&object) && object.address().unwrap() == address);
            assert_eq!(root.reference_path(kind, &reference).unwrap(), "/g/d");
            let part = root.reference_part(kind, &reference).unwrap();
            match (referred, part) {
                (Referred::Object, Part::Whole) => {}
                (Referred::Points { coordinates: points, .. }, Part::Region(Selected::Points { coordinates, .. })) => {
                    assert_eq!(points, coordinates);
                }
                (Referred::Attribute(name), Part::Attribute(found)) => assert_eq!(name.as_bytes(), found),
                (_, found) => panic!("{referred:?}: {found:?}"),
            }
        }
    }
    let reference = loaded(&root, ReferenceKind::StandardObject, "r0")[0].clone();
    let object = root.dereference(ReferenceKind::StandardObject, &reference).unwrap();
    object.attr_write("new", &Datatype::little(Number::I8), &[], &[1]).unwrap();
    drop(object);
    std::fs::remove_file(moved.join("far.h5")).unwrap();
    let error = root.dereference(ReferenceKind::StandardObject, &reference).err().unwrap();
    assert!(error.kind() == ErrorKind::NotFound && error.message().contains("there is no file '"), "{error}");
    drop(root);
    near.close().unwrap();
    std::fs::remove_dir_all(moved).unwrap();
}
