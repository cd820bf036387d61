//! The rebalancing modes on real files: what a mode leaves behind after deletions, counted in nodes and bytes.

use std::path::PathBuf;

use h5r::datatype::{Datatype, Number};
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, File, Object, OpenOptions};
use h5r::rebalance::{IncrementalOptions, LazyOptions, SmartOptions};

const MODES: [&str; 4] = ["none", "lazy", "incremental", "smart"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("modes-{name}-{}.h5", std::process::id()))
}

fn set(file: &File, mode: &str) {
    match mode {
        "none" => file.set_none().unwrap(),
        "lazy" => file.set_lazy(&LazyOptions::default()).unwrap(),
        "incremental" => {
            file.set_lazy(&LazyOptions::default()).unwrap();
            file.set_incremental(IncrementalOptions::default()).unwrap();
        }
        _ => file.set_smart(SmartOptions::default()).unwrap(),
    }
}

fn fill(object: &Object, names: impl Iterator<Item = u32>) {
    let i32 = Datatype::little(Number::I32);
    for i in names {
        object.attr_write(&format!("attribute_{i:06}"), &i32, &[], &i.to_le_bytes()).unwrap();
    }
}

fn dataset(file: &File) -> Object {
    let i32 = Datatype::little(Number::I32);
    file.root().unwrap().create_dataset("d", &i32, &[4], &DatasetOptions::default()).unwrap()
}

fn odd(i: &u32) -> bool {
    (i.wrapping_mul(2_654_435_761) >> 13) & 1 == 1
}

fn fresh_size(count: u32) -> u64 {
    let path = path(&format!("fresh-{count}"));
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    fill(&dataset(&file), (0..count).filter(odd));
    file.close().unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    std::fs::remove_file(path).unwrap();
    size
}

#[test]
fn the_file_shrinks_also_when_whole_heap_blocks_went_and_a_flush_came_first() {
    for (mode, count) in MODES[1..].iter().flat_map(|mode| [(mode, 10_000), (mode, 50_000)]) {
        let path = path(&format!("order-{mode}-{count}"));
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        set(&file, mode);
        let object = dataset(&file);
        fill(&object, 0..count);
        file.flush().unwrap();
        for i in 0..count / 2 {
            object.attr_delete(&format!("attribute_{i:06}")).unwrap();
        }
        file.flush().unwrap();
        file.close().unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        fill(&dataset(&file), count / 2..count);
        file.close().unwrap();
        let fresh = std::fs::metadata(&path).unwrap().len();
        assert!(size as f64 <= 1.05 * fresh as f64, "{mode} {count}: {size} bytes, fresh {fresh}");
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn after_deleting_half_nodes_are_full_and_the_file_is_as_a_fresh_one() {
    for count in [10_000, 60_000] {
        let fresh = fresh_size(count);
        for mode in MODES {
            let path = path(&format!("{mode}-{count}"));
            let file = File::create(&path, &CreateOptions::default()).unwrap();
            let object = dataset(&file);
            fill(&object, 0..count);
            file.flush().unwrap();
            set(&file, mode);
            for i in (0..count).filter(|i| !odd(i)) {
                object.attr_delete(&format!("attribute_{i:06}")).unwrap();
            }
            file.check().unwrap();
            file.close().unwrap();
            let size = std::fs::metadata(&path).unwrap().len();

            let file = File::open(&path, &OpenOptions::default()).unwrap();
            file.check().unwrap();
            let object = file.root().unwrap().open("d").unwrap();
            for i in (0..count).filter(odd) {
                let mut value = [0; 4];
                let i32 = Datatype::little(Number::I32);
                object.attr_read(&format!("attribute_{i:06}"), &i32, &mut value).unwrap();
                assert_eq!(u32::from_le_bytes(value), i);
            }
            assert_eq!(object.attr_count().unwrap(), (0..count).filter(odd).count() as u64);
            if mode != "none" {
                assert!(size as f64 <= 1.05 * fresh as f64, "{mode} {count}: {size} bytes, fresh {fresh}");
                // One level of leaves of 240 records below the root, which is left out as the promise does.
                let stats = file.rebalance_status().unwrap();
                let (leaves, records) = (stats.nodes - 1, object.attr_count().unwrap());
                let filled = (records - (leaves - 1)) as f64 / (240 * leaves) as f64;
                assert!((0.90..=1.0).contains(&filled), "{mode} {count}: {filled} in {stats:?}");
                assert_eq!(stats.underfull_nodes, 0);
            }
            file.close().unwrap();
            std::fs::remove_file(path).unwrap();
        }
    }
}
