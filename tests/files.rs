//! The library from its Rust face, on real files: what is written is read back, after a reopen too, and the structure
//! checker finds nothing.

use std::path::PathBuf;

use h5r::datatype::{Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, File, GroupOptions, ObjectKind, OpenOptions, Order, Phase};
use h5r::rebalance::LazyOptions;

fn path(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    folder.join(format!("{name}-{}.h5", std::process::id()))
}

fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

fn value(file: &File, at: &str, name: &str) -> i32 {
    let mut bytes = [0; 4];
    assert_eq!(file.root().unwrap().open(at).unwrap().attr_read(name, &i32(), &mut bytes).unwrap(), 4);
    i32::from_le_bytes(bytes)
}

#[test]
fn attributes_from_one_to_thousands_survive_reopening_and_deleting() {
    for count in [1u32, 8, 9, 100, 10_000] {
        let path = path(&format!("attributes-{count}"));
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        let root = file.root().unwrap();
        let dataset = root.create_dataset("d", &i32(), &[4], &DatasetOptions::default()).unwrap();
        for i in 0..count {
            dataset.attr_write(&format!("attr_{i:06}"), &i32(), &[], &i.to_le_bytes()).unwrap();
        }
        file.check().unwrap();
        file.flush().unwrap();
        for i in (0..count).step_by(2) {
            dataset.attr_delete(&format!("attr_{i:06}")).unwrap();
        }
        file.check().unwrap();
        file.close().unwrap();

        let file = File::open(&path, &OpenOptions::default()).unwrap();
        file.check().unwrap();
        let dataset = file.root().unwrap().open("d").unwrap();
        assert_eq!(dataset.attr_count().unwrap(), u64::from(count / 2));
        let names = dataset.attr_names(Order::Name).unwrap();
        assert_eq!(names, (0..count / 2).map(|i| format!("attr_{:06}", 2 * i + 1)).collect::<Vec<_>>());
        for i in (1..count).step_by(2) {
            assert_eq!(value(&file, "d", &format!("attr_{i:06}")), i as i32);
            assert!(!dataset.attr_exists(&format!("attr_{:06}", i - 1)).unwrap());
        }
        file.close().unwrap();
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn groups_links_and_paths() {
    let path = path("links");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    let deep = root.create_group("a/b/c", &GroupOptions::default()).unwrap();
    assert_eq!((deep.path(), deep.kind().unwrap()), ("/a/b/c", ObjectKind::Group));
    root.link_create_soft("s", "/a/b").unwrap();
    root.link_create_soft("loop", "/loop").unwrap();
    root.link_create_hard("a/back", &root.open("a/b").unwrap()).unwrap();
    assert_eq!(root.open("s/c").unwrap().address().unwrap(), deep.address().unwrap());
    assert_eq!(root.open("loop").err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(root.create_group("a", &GroupOptions::default()).err().unwrap().kind(), ErrorKind::Exists);
    for i in 0..1000 {
        root.create_group(&format!("many/g{i}"), &GroupOptions::default()).unwrap();
    }
    root.link_move("many/g7", &root, "moved/here").unwrap();
    file.check().unwrap();
    root.link_delete("a/b").unwrap();
    file.check().unwrap();
    file.close().unwrap();

    let file = File::open(&path, &OpenOptions::default()).unwrap();
    let root = file.root().unwrap();
    file.check().unwrap();
    assert_eq!(root.open("many").unwrap().link_count().unwrap(), 999);
    assert!(root.link_exists("moved/here").unwrap() && !root.link_exists("many/g7").unwrap());
    assert!(root.link_exists("a/back/c").unwrap());
    root.link_delete("many").unwrap();
    root.link_delete("a").unwrap();
    root.link_delete("moved").unwrap();
    let names: Vec<String> = root.links(Order::Name).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["loop", "s"]);
    file.check().unwrap();
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn creation_order_of_attributes_and_links() {
    let path = path("order");
    let tracked = Phase { track_order: true, index_order: true, ..Phase::default() };
    let options = GroupOptions { links: tracked, attributes: tracked };
    let file = File::create(&path, &CreateOptions { root: options, ..CreateOptions::default() }).unwrap();
    let root = file.root().unwrap();
    let names: Vec<String> = (0..50).map(|i| format!("n{}", (i * 37) % 50)).collect();
    for name in &names {
        root.attr_write(name, &i32(), &[], &[1, 0, 0, 0]).unwrap();
        root.link_create_soft(name, "x").unwrap();
    }
    file.check().unwrap();
    file.close().unwrap();
    let file = File::open(&path, &OpenOptions::default()).unwrap();
    let root = file.root().unwrap();
    assert_eq!(root.attr_names(Order::Creation).unwrap(), names);
    let links: Vec<String> = root.links(Order::Creation).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(links, names);
    root.attr_delete("n37").unwrap();
    root.attr_rename("n0", "zero").unwrap();
    assert_eq!(root.attr_names(Order::Creation).unwrap()[..3], ["zero", "n24", "n11"]);
    file.check().unwrap();
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn creation_order_is_renumbered_when_its_counter_is_used_up() {
    let path = path("renumber");
    let tracked = Phase { track_order: true, index_order: true, ..Phase::default() };
    let root = GroupOptions { attributes: tracked, ..GroupOptions::default() };
    let file = File::create(&path, &CreateOptions { root, ..CreateOptions::default() }).unwrap();
    let root = file.root().unwrap();
    for i in 0..20 {
        root.attr_write(&format!("keep{i}"), &i32(), &[], &[0; 4]).unwrap();
    }
    for i in 0..70_000u32 {
        let name = format!("t{i}");
        root.attr_write(&name, &i32(), &[], &[0; 4]).unwrap();
        root.attr_delete(&name).unwrap();
    }
    file.check().unwrap();
    let keep: Vec<String> = (0..20).map(|i| format!("keep{i}")).collect();
    assert_eq!(root.attr_names(Order::Creation).unwrap(), keep);
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn the_space_of_deleted_objects_comes_back() {
    let path = path("space");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    file.set_lazy(&LazyOptions::default()).unwrap();
    for round in 0..5 {
        for i in 0..1000 {
            let group = root.create_group(&format!("many/g{i}"), &GroupOptions::default()).unwrap();
            group.attr_write("a", &i32(), &[], &[0; 4]).unwrap();
        }
        file.flush().unwrap();
        let full = std::fs::metadata(&path).unwrap().len();
        assert!(full < 200_000, "{full} bytes in round {round}");
        root.link_delete("many").unwrap();
        file.check().unwrap();
        file.flush().unwrap();
    }
    file.close().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 400);
    std::fs::remove_file(path).unwrap();
}
