//! External links: followed into files that are opened as the file with the link is, to read and to change them.

use std::path::{Path, PathBuf};

use h5r::datatype::{ByteOrder, Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::{File, LinkTarget, Object, OpenOptions, Order};

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
    for (path, says) in [
        ("to nothing", "following external link 'to nothing': opening '/group/nothing' of '/': there is no 'nothing'"),
        ("to no file", "following external link 'to no file': there is no file 'no.h5'"),
        ("to cycle", "more than 16 external links on the way"),
    ] {
        let error = root.open(path).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.message().contains(says), "{error}");
    }
    // An object of the other file lives on without the one that led to it.
    drop(root);
    near.close().unwrap();
    assert_eq!(value(&group, "data"), 7);
    drop(group);
    std::fs::remove_dir_all(folder).unwrap();
}

/// A file with a link "out" to the group "group" of another one; both are closed.
fn linked(name: &str) -> (PathBuf, PathBuf, PathBuf) {
    let folder = folder(name);
    let (near_path, far_path) = (folder.join("near.h5"), folder.join("below/far.h5"));
    let far = File::create(&far_path, &Default::default()).unwrap();
    write(&far.root().unwrap(), "group/data", 7);
    far.root().unwrap().create_group("group/old", &Default::default()).unwrap();
    far.close().unwrap();
    let near = File::create(&near_path, &Default::default()).unwrap();
    let root = near.root().unwrap();
    root.link_create_external("out", "below/far.h5", "/group").unwrap();
    root.link_create_external("to nothing", "below/far.h5", "/nothing").unwrap();
    root.link_create_soft("soft", "out/old").unwrap();
    root.link_create_external("cycle", "near.h5", "/").unwrap();
    root.link_create_soft("endless", "cycle/endless").unwrap();
    write(&root, "own", 9);
    near.close().unwrap();
    (folder, near_path, far_path)
}

fn open(path: &Path) -> File {
    File::open(path, &Default::default()).unwrap()
}

fn paths(path: &Path) -> Vec<String> {
    let (file, mut paths) = (open(path), Vec::new());
    let visit = |path: &str, _: &Object| {
        paths.push(path.to_string());
        Ok(true)
    };
    file.root().unwrap().visit(Order::Name, visit).unwrap();
    file.check().unwrap();
    file.close().unwrap();
    paths
}

/// What calls change through a link is in the other file when they return, if no object of it is open.
#[test]
fn what_paths_lead_to_in_other_files_is_changed() {
    let (folder, near_path, far_path) = linked("change");
    let near = open(&near_path);
    let root = near.root().unwrap();
    let none = &Default::default();
    root.create_group_unopened("soft/a/b", &Default::default()).unwrap();
    assert_eq!(paths(&far_path), [".", "group", "group/data", "group/old", "group/old/a", "group/old/a/b"]);
    drop(root.create_group("out/c", &Default::default()).unwrap());
    write(&root, "out/c/more", 8);
    drop(root.commit_type("out/type", &I32).unwrap());
    root.link_create_soft("out/c/soft", "/group/data").unwrap();
    root.copy("own", &root, "out/copies/own", none).unwrap();
    root.copy("out/data", &root, "out/copies/data", none).unwrap();
    root.link_delete("out/old").unwrap();
    root.link_move("out/data", &root, "/out//moved/data").unwrap();
    root.link_move("out/c/soft", &root, "here/soft").unwrap();
    root.link_move("own", &root, "own too").unwrap();
    let error = root.link_move("out/c/more", &root, "here/more").unwrap_err();
    assert!(error.kind() == ErrorKind::Argument && error.message().contains("is in another file"), "{error}");
    let error = root.link_create_hard("out/hard", &root.open("own too").unwrap()).unwrap_err();
    assert!(error.message().contains("'/own too' is of another file"), "{error}");
    root.link_create_hard("out/hard", &root.open("out/c/more").unwrap()).unwrap();
    for (path, kind, says) in [
        (
            "to nothing/x",
            ErrorKind::NotFound,
            "following external link 'to nothing': opening '/nothing' of '/': there is no",
        ),
        ("out/c", ErrorKind::Exists, "creating group 'out/c' of '/': creating group 'c' of '/group'"),
        ("out/moved/data/x", ErrorKind::WrongKind, "a group is needed"),
        ("endless/x", ErrorKind::NotFound, "more than 16 external links on the way"),
    ] {
        let error = root.create_group(path, &Default::default()).err();
        let error = error.or_else(|| root.link_delete(path).err()).unwrap();
        assert!(error.kind() == kind && error.message().contains(says), "{path}: {error}");
    }
    let group =
        ["", "/c", "/c/more", "/copies", "/copies/data", "/copies/own", "/hard", "/moved", "/moved/data", "/type"];
    // The same object by two names is visited once.
    let group: Vec<String> = group.iter().filter(|name| **name != "/hard").map(|name| format!("group{name}")).collect();
    assert_eq!(paths(&far_path)[1..], group);
    near.close().unwrap();
    assert_eq!(paths(&near_path), [".", "here", "own too"]);
    let far = open(&far_path);
    let root = far.root().unwrap();
    let values = ["c/more", "hard", "copies/own", "copies/data", "moved/data"]
        .map(|name| value(&root, &format!("group/{name}")));
    assert_eq!(values, [8, 8, 9, 7, 7]);
    drop(root);
    far.close().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// An object keeps the other file open, which is then written with the file that has the link.
#[test]
fn what_objects_of_other_files_change_is_committed_with_the_file() {
    let (folder, near_path, far_path) = linked("commit");
    let flushed = || {
        let copy = folder.join("copy.h5");
        std::fs::copy(&far_path, &copy).unwrap();
        paths(&copy).split_off(4)
    };
    let near = open(&near_path);
    let root = near.root().unwrap();
    let group = root.open("out").unwrap();
    let other = root.open("soft").unwrap();
    assert!(group.file().has(&other), "it is opened once");
    drop(group.create_group("one", &Default::default()).unwrap());
    root.create_group_unopened("out/two", &Default::default()).unwrap();
    assert!(flushed().is_empty());
    assert_eq!(File::open(&far_path, &Default::default()).err().unwrap().kind(), ErrorKind::Locked);
    near.flush().unwrap();
    assert_eq!(flushed(), ["group/one", "group/two"]);
    drop(other.create_group("three", &Default::default()).unwrap());
    other.commit().unwrap();
    assert_eq!(flushed(), ["group/old/three", "group/one", "group/two"]);
    root.link_delete("out/two").unwrap();
    drop(root);
    near.close().unwrap();
    assert_eq!(flushed(), ["group/old/three", "group/one"]);
    // It lives on with its objects.
    drop(group.create_group("four", &Default::default()).unwrap());
    drop((group, other));
    assert_eq!(paths(&far_path).split_off(3), ["group/four", "group/old", "group/old/three", "group/one"]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Where the other file is open already, in this process or in another one, or may only be read.
#[test]
fn other_files_are_opened_as_they_can_be() {
    let (folder, near_path, far_path) = linked("as");
    let (before, time) = (std::fs::read(&far_path).unwrap(), std::fs::metadata(&far_path).unwrap().modified().unwrap());
    let near = open(&near_path);
    let root = near.root().unwrap();
    // Open for writing: it is the same file.
    let far = open(&far_path);
    assert!(far.has(&root.open("out").unwrap()));
    root.create_group_unopened("out/new", &Default::default()).unwrap();
    assert!(far.root().unwrap().link_exists("group/new").unwrap());
    assert_eq!(std::fs::read(&far_path).unwrap(), before, "it is its owner's to flush");
    root.link_delete("out/new").unwrap();
    let group = root.open("out").unwrap();
    far.close().unwrap();
    assert_eq!(group.link_count().err().unwrap().kind(), ErrorKind::Closed);
    drop(group);
    std::fs::write(&far_path, &before).unwrap();
    // Open for reading, which forbids to write: it is read.
    let to_read = OpenOptions { read_only: true, ..Default::default() };
    let far = File::open(&far_path, &to_read).unwrap();
    assert_eq!(value(&root, "out/data"), 7);
    let error = root.create_group("out/new", &Default::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    far.close().unwrap();
    // Nothing that reads changes the other file.
    std::fs::File::options().write(true).open(&far_path).unwrap().set_modified(time).unwrap();
    assert_eq!(value(&root, "out/data"), 7);
    drop(root);
    near.close().unwrap();
    // Through a file that is read only.
    let near = File::open(&near_path, &to_read).unwrap();
    let error = near.root().unwrap().create_group("out/new", &Default::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    let error = near.root().unwrap().open("out").unwrap().link_delete("data").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    // A link that cannot leave its file gets no twin in another one.
    let other = File::create(&folder.join("other.h5"), &Default::default()).unwrap();
    let error = near.root().unwrap().link_move("soft", &other.root().unwrap(), "soft").unwrap_err();
    assert_eq!((error.kind(), other.root().unwrap().link_count().unwrap()), (ErrorKind::ReadOnly, 0), "{error}");
    other.close().unwrap();
    near.close().unwrap();
    assert_eq!(std::fs::read(&far_path).unwrap(), before);
    assert_eq!(std::fs::metadata(&far_path).unwrap().modified().unwrap(), time);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Threads that open, change and let go of the same other file neither fail nor lose anything.
#[test]
fn threads_change_one_other_file() {
    let (folder, near_path, far_path) = linked("threads");
    let near = open(&near_path);
    let root = &near.root().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..25 {
                    root.create_group_unopened(&format!("out/{thread}/{number}"), &Default::default()).unwrap();
                    assert_eq!(value(root, "out/data"), 7);
                }
            });
        }
    });
    near.close().unwrap();
    assert_eq!(paths(&far_path).len(), 4 + 4 + 100);
    std::fs::remove_dir_all(folder).unwrap();
}
