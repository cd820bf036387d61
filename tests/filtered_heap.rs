//! A group that libhdf5 keeps in a filtered fractal heap: read in full, stored without filters before it is changed, and deleted with
//! all its space. `tests/data/filtered_links.py` made the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use h5r::error::ErrorKind;
use h5r::object::{File, LinkTarget, OpenOptions, Order};

fn copied(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("h5r_filtered_{}_{name}.h5", std::process::id()));
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/filtered_links.h5"), &path).unwrap();
    path
}

fn target(number: usize) -> LinkTarget {
    let mut target = format!("/target/of/link/{number}").into_bytes();
    if number % 100 == 7 {
        target.extend([b'x'; 5000]);
    }
    LinkTarget::Soft(target)
}

#[test]
fn filtered_links_are_read_and_deleted() {
    let path = copied("deleted");
    let file = File::open(&path, &OpenOptions::default()).unwrap();
    let group = file.root().unwrap().open("g").unwrap();
    assert_eq!(group.link_count().unwrap(), 300);
    let read_all = || {
        for number in 0..300 {
            assert_eq!(group.link_info(&format!("link{number}")).unwrap().target, target(number));
        }
    };
    read_all();
    file.check().unwrap();
    let edits = std::fs::read(&path).unwrap();
    assert_eq!(group.link_delete("none").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(group.link_create_soft("link5", "x").unwrap_err().kind(), ErrorKind::Exists);
    file.flush().unwrap();
    assert!(std::fs::read(&path).unwrap() == edits, "what fails changes nothing");
    file.rebalance().unwrap();
    read_all();
    file.check().unwrap();
    drop(group);
    file.root().unwrap().link_delete("g").unwrap();
    file.close().unwrap();
    // All is given back, also what libhdf5 lost track of: rebalancing looks for it.
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 195);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn filtered_links_are_changed() {
    for first in ["delete", "create", "move", "hard", "copy"] {
        let path = copied(first);
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        let root = file.root().unwrap();
        let group = root.open("g").unwrap();
        let mut wanted: BTreeMap<String, LinkTarget> = (0..300).map(|n| (format!("link{n}"), target(n))).collect();
        match first {
            "delete" => {
                for number in (0..300).step_by(3) {
                    group.link_delete(&format!("link{number}")).unwrap();
                    wanted.remove(&format!("link{number}"));
                }
            }
            "create" => {
                group.link_create_soft("new", "/new").unwrap();
                wanted.insert("new".into(), LinkTarget::Soft(b"/new".to_vec()));
            }
            "move" => {
                group.link_move("link7", &group, "moved").unwrap();
                wanted.insert("moved".into(), wanted["link7"].clone());
                wanted.remove("link7");
            }
            "hard" => {
                group.link_create_hard("hard", &group).unwrap();
                wanted.insert("hard".into(), LinkTarget::Hard(group.address().unwrap()));
            }
            _ => {
                root.copy("/g", &group, "copy", &Default::default()).unwrap();
                wanted.insert("copy".into(), group.link_info("copy").unwrap().target);
            }
        }
        drop((group, root));
        file.close().unwrap();
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        file.check_flushed().unwrap();
        let group = file.root().unwrap().open("g").unwrap();
        let links = group.links(Order::Name).unwrap();
        let found: BTreeMap<String, LinkTarget> = links.into_iter().map(|(name, link)| (name, link.target)).collect();
        assert_eq!(found, wanted, "{first}");
        if first == "hard" {
            group.link_delete("hard").unwrap();
        }
        drop(group);
        file.rebalance().unwrap();
        file.root().unwrap().link_delete("g").unwrap();
        file.close().unwrap();
        // The superblock, its extension and the root group: nothing is left of either heap.
        let length = std::fs::metadata(&path).unwrap().len();
        assert!(length <= 335, "{first}: {length}");
        std::fs::remove_file(&path).unwrap();
    }
}

/// A link that cannot be read keeps the group from being changed, and from nothing else.
#[test]
fn damaged_filtered_links_stay_as_they_are() {
    let path = copied("damaged");
    let file = File::open(&path, &OpenOptions::default()).unwrap();
    let root = file.root().unwrap();
    root.link_create_soft("other", "x").unwrap();
    file.close().unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut refused = 0;
    // Deflated data with its checksum, which is in no seal.
    for at in (400..before.len()).step_by(97) {
        let mut bytes = before.clone();
        bytes[at] ^= 0x55;
        std::fs::write(&path, &bytes).unwrap();
        let Ok(file) = File::open(&path, &OpenOptions::default()) else { continue };
        let Ok(group) = file.root().and_then(|root| root.open("g")) else { continue };
        let Err(error) = group.link_create_soft("new", "/new") else { continue };
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        file.root().unwrap().link_create_soft("another", "x").unwrap();
        refused += 1;
    }
    assert!(refused > 10, "{refused}");
    std::fs::remove_file(&path).unwrap();
}
