//! External links: followed when an object is opened, into files that are opened to be read only.

use std::path::PathBuf;

use h5r::datatype::{ByteOrder, Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::{File, Object, Order};

const I32: Datatype = Datatype::number(Number::I32, ByteOrder::Little);

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("h5r-outside-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("below")).unwrap();
    folder
}

fn write(group: &Object, path: &str, value: i32) {
    let dataset = group.create_dataset(path, &I32, &[1], &Default::default()).unwrap();
    dataset.dataset_write(&I32, None, &value.to_le_bytes()).unwrap();
}

fn value(group: &Object, path: &str) -> i32 {
    let mut out = [0; 4];
    group.open(path).unwrap().dataset_read(&I32, None, &mut out).unwrap();
    i32::from_le_bytes(out)
}

#[test]
fn external_links_are_followed() {
    let folder = folder();
    let create = |name: &str| File::create(&folder.join(name), &Default::default()).unwrap();
    let (far, near) = (create("below/far.h5"), create("near.h5"));
    let root = far.root().unwrap();
    write(&root, "group/data", 7);
    root.link_create_soft("soft", "/group").unwrap();
    // Beside the file that has the link.
    root.link_create_external("again", "far.h5", "/soft/data").unwrap();
    root.link_create_external("cycle", "far.h5", "cycle").unwrap();
    let root = near.root().unwrap();
    let absolute = folder.join("below/far.h5").to_str().unwrap().to_string();
    root.link_create_external("to group", "below/far.h5", "/group").unwrap();
    root.link_create_external("to link", &absolute, "again").unwrap();
    // By its last part, where the absolute name leads nowhere.
    root.link_create_external("moved", "/nowhere/near.h5", "/own").unwrap();
    root.link_create_external("to nothing", "below/far.h5", "/group/nothing").unwrap();
    root.link_create_external("to no file", "no.h5", "/").unwrap();
    root.link_create_external("to cycle", "below/far.h5", "cycle").unwrap();
    root.link_create_soft("soft", "to group/data").unwrap();
    write(&root, "own", 9);
    far.close().unwrap();

    assert_eq!(value(&root, "to group/data"), 7);
    assert_eq!(value(&root, "/soft"), 7);
    assert_eq!(value(&root, "to link"), 7);
    // The file itself is not opened a second time: what is not written yet is there.
    assert_eq!(value(&root, "moved"), 9);
    assert!(near.has(&root.open("moved").unwrap()));
    let group = root.open("to group").unwrap();
    assert!(!near.has(&group) && group.file().has(&group));
    assert_eq!(group.links(Order::Name).unwrap().len(), 1);
    assert_eq!(group.create_group("new", &Default::default()).err().unwrap().kind(), ErrorKind::ReadOnly);
    for (path, says) in [
        ("to nothing", "following external link 'to nothing': opening '/group/nothing' of '/': there is no 'nothing'"),
        ("to no file", "following external link 'to no file': there is no file 'no.h5'"),
        ("to cycle", "more than 16 external links on the way"),
    ] {
        let error = root.open(path).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.message().contains(says), "{error}");
    }
    // What changes goes no such way.
    let error = root.create_group("to group/new", &Default::default()).err().unwrap();
    assert!(error.message().contains("following external link 'to group' in this call"), "{error}");
    // An object of the other file lives on without the one that led to it.
    drop(root);
    near.close().unwrap();
    assert_eq!(value(&group, "data"), 7);
    drop(group);
    std::fs::remove_dir_all(folder).unwrap();
}
