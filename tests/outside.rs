//! External links: followed when an object is opened, into files that are opened to be read only.

use std::path::PathBuf;

use h5r::datatype::{ByteOrder, Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::{File, LinkTarget, Object, Order};

const I32: Datatype = Datatype::number(Number::I32, ByteOrder::Little);

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("h5r-outside-{}-{name}", std::process::id()));
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

/// Calls that look at a path go through external links as opening does; a link itself, by the last name, they do not follow.
#[test]
fn external_links_on_the_way_are_followed() {
    let folder = folder("way");
    let create = |name: &str| File::create(&folder.join(name), &Default::default()).unwrap();
    let (far, near) = (create("below/far.h5"), create("near.h5"));
    let root = far.root().unwrap();
    write(&root, "group/data", 7);
    root.link_create_soft("group/soft", "nowhere").unwrap();
    let far_info = root.info(Some("group/data")).unwrap();
    let group_info = root.info(Some("group")).unwrap();
    far.close().unwrap();
    let root = near.root().unwrap();
    root.link_create_external("out", "below/far.h5", "/group").unwrap();
    root.link_create_external("gone", "no.h5", "/group").unwrap();
    root.link_create_soft("soft", "out").unwrap();
    root.link_create_hard("again", &root).unwrap();
    assert_eq!(root.info(Some("out/data")).unwrap(), far_info);
    assert_eq!(root.info(Some("again/soft")).unwrap(), group_info);
    for (path, exists) in [
        ("out", true),
        ("gone", true),
        ("out/data", true),
        ("/again//soft/./soft/", true),
        ("out/none", false),
        ("gone/data", false),
        ("soft", true),
    ] {
        assert_eq!(root.link_exists(path).unwrap(), exists, "{path}");
    }
    let target = |path: &str| root.link_info(path).unwrap().target;
    assert!(matches!(target("out"), LinkTarget::User(64, _)));
    assert_eq!(target("out/data"), LinkTarget::Hard(far_info.address));
    assert_eq!(target("soft/soft"), LinkTarget::Soft(b"nowhere".to_vec()));
    for (path, says) in [
        ("gone/data", "describing link 'gone/data' of '/': following external link 'gone': there is no file 'no.h5'"),
        ("out/none", "there is no such link"),
        ("out/data/x", "a group is needed"),
    ] {
        let error = root.link_info(path).unwrap_err();
        assert!(error.message().contains(says), "{error}");
    }
    root.copy("soft/data", &root, "copies/one", &Default::default()).unwrap();
    root.copy("out", &root, "copies/all", &Default::default()).unwrap();
    assert_eq!((value(&root, "copies/one"), value(&root, "copies/all/data")), (7, 7));
    assert!(near.has(&root.open("copies/all/data").unwrap()));
    let error = root.copy("gone", &root, "copies/none", &Default::default()).unwrap_err();
    assert!(error.message().contains("copying 'gone' of '/': following external link 'gone'"), "{error}");
    assert!(!root.link_exists("copies/none").unwrap());
    // A visit stays in the file.
    let mut paths = Vec::new();
    root.visit(Order::Name, |path, _| {
        paths.push(path.to_string());
        Ok(true)
    })
    .unwrap();
    assert_eq!(paths, [".", "copies", "copies/all", "copies/all/data", "copies/one"]);
    drop(root);
    near.close().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn external_links_are_followed() {
    let folder = folder("open");
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
    let far_path = folder.join("below/far.h5");
    let before = std::fs::read(&far_path).unwrap();
    let refused: [(&str, h5r::error::Result<()>); 4] = [
        ("create", root.create_group("to group/new", &Default::default()).map(|_| ())),
        ("delete", root.link_delete("to group/data")),
        ("move", root.link_move("to group/data", &root, "moved here")),
        ("copy", root.copy("own", &root, "to group/copy", &Default::default())),
    ];
    for (what, result) in refused {
        let error = result.err().unwrap();
        assert!(error.message().contains("following external link 'to group' in this call"), "{what}: {error}");
    }
    assert_eq!(std::fs::read(&far_path).unwrap(), before);
    // An object of the other file lives on without the one that led to it.
    drop(root);
    near.close().unwrap();
    assert_eq!(value(&group, "data"), 7);
    drop(group);
    std::fs::remove_dir_all(folder).unwrap();
}
