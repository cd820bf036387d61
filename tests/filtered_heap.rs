//! A group that libhdf5 keeps in a filtered fractal heap: read in full, refused without a trace when it is to be changed,
//! and deleted with all its space. `tests/data/filtered_links.py` made the file.

use std::path::Path;

use h5r::error::ErrorKind;
use h5r::object::{File, LinkTarget, OpenOptions};

#[test]
fn filtered_links_are_read_and_deleted() {
    let path = std::env::temp_dir().join(format!("h5r_filtered_{}.h5", std::process::id()));
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/filtered_links.h5"), &path).unwrap();
    let file = File::open(&path, &OpenOptions::default()).unwrap();
    let group = file.root().unwrap().open("g").unwrap();
    assert_eq!(group.link_count().unwrap(), 300);
    let read_all = || {
        for i in 0..300 {
            let mut target = format!("/target/of/link/{i}").into_bytes();
            if i % 100 == 7 {
                target.extend([b'x'; 5000]);
            }
            assert_eq!(group.link_info(&format!("link{i}")).unwrap().target, LinkTarget::Soft(target));
        }
    };
    read_all();
    file.check().unwrap();
    assert_eq!(group.link_delete("link5").unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(group.link_create_soft("new", "x").unwrap_err().kind(), ErrorKind::Unsupported);
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
