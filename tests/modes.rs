//! The rebalancing modes on real files: what a mode leaves behind after deletions, counted in nodes and bytes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use h5r::datatype::{Datatype, Number};
use h5r::object::dataset::{DatasetOptions, NewLayout, Selection};
use h5r::object::{CreateOptions, File, GroupOptions, LinkTarget, Object, OpenOptions, Order, Phase};
use h5r::rebalance::{IncrementalOptions, LazyOptions, Mode, RebalanceStats, SmartOptions};

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

/// A dataset without bounds, with a chunk for each of its `rows` times `columns` elements, written in random order.
fn chunked(file: &File, rows: u64, columns: u64) -> Object {
    let i32 = Datatype::little(Number::I32);
    let options = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(vec![1, 1]),
        max_dims: Some(vec![u64::MAX; 2]),
        ..DatasetOptions::default()
    };
    let dataset = file.root().unwrap().create_dataset("chunks", &i32, &[rows, columns], &options).unwrap();
    // Steps of a number that divides none of the counts meet every chunk.
    let total = rows * columns;
    for n in 0..total {
        let at = n * 1_000_003 % total;
        let start = [at / columns, at % columns];
        let part = Selection { start: Some(&start), count: Some(&[1, 1]), ..Selection::default() };
        dataset.dataset_write(&i32, Some(&part), &(at as i32).to_le_bytes()).unwrap();
    }
    dataset
}

fn check_chunks(dataset: &Object, rows: u64, columns: u64, width: u64) {
    let mut out = vec![0; (rows * columns * 4) as usize];
    dataset.dataset_read(&Datatype::little(Number::I32), None, &mut out).unwrap();
    let found: Vec<i32> = out.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect();
    let expected = (0..rows).flat_map(|row| (0..columns).map(move |column| (row * width + column) as i32));
    assert_eq!(found, expected.collect::<Vec<_>>());
}

#[test]
fn the_trees_of_chunks_are_swept() {
    let (rows, columns) = (100, 200);
    for mode in MODES {
        let path = path(&format!("chunks-{mode}"));
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        set(&file, mode);
        if mode == "incremental" {
            let options = IncrementalOptions { interval_ms: 1, ..IncrementalOptions::default() };
            file.set_incremental(options).unwrap();
        }
        let dataset = chunked(&file, rows, columns);
        file.flush().unwrap();
        let before = file.rebalance_status().unwrap();
        assert!(before.nodes > 150 && before.inserts >= rows * columns, "{mode}: {before:?}");
        for left in (columns / 4..columns).rev() {
            dataset.dataset_set_extent(&[rows, left]).unwrap();
            if left % 10 == 0 {
                file.check().unwrap();
            }
            if left == columns / 2 {
                // Longer than what passes for a burst.
                std::thread::sleep(std::time::Duration::from_millis(510));
            }
        }
        check_chunks(&dataset, rows, columns / 4, columns);
        let after = file.rebalance_status().unwrap();
        assert!(after.deletes >= rows * columns * 3 / 4, "{mode}: {after:?}");
        match mode {
            "none" => assert!(after.nodes_rebalanced == 0, "{after:?}"),
            "lazy" => assert!(after.batches > 0 && after.nodes_rebalanced > 0, "{after:?}"),
            "incremental" => {
                let begun = std::time::Instant::now();
                while file.rebalance_status().unwrap().sessions == 0 {
                    assert!(begun.elapsed().as_secs() < 60, "the thread never came");
                    std::thread::yield_now();
                }
            }
            _ => {}
        }
        file.check().unwrap();
        drop(dataset);
        file.close().unwrap();
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        file.check().unwrap();
        let dataset = file.root().unwrap().open("chunks").unwrap();
        check_chunks(&dataset, rows, columns / 4, columns);
        let closed = file.rebalance_status().unwrap();
        assert_eq!(closed.underfull_nodes > 0 || closed.occupancy < 0.9, mode == "none", "{mode}: {closed:?}");
        drop(dataset);
        file.rebalance().unwrap();
        let dataset = file.root().unwrap().open("chunks").unwrap();
        check_chunks(&dataset, rows, columns / 4, columns);
        let rebalanced = file.rebalance_status().unwrap();
        assert!(rebalanced.underfull_nodes == 0 && rebalanced.occupancy >= 0.9, "{mode}: {rebalanced:?}");
        file.close().unwrap();
        std::fs::remove_file(path).unwrap();
    }
}

/// Deletes a fifth with lazy on, and then only replaces values, until batches have put the nodes right.
fn delete_a_fifth_and_replace(file: &File, count: u32) {
    file.set_lazy(&LazyOptions { threshold: 0.01, ..LazyOptions::default() }).unwrap();
    let object = file.root().unwrap().open("d").unwrap();
    for i in (0..count).step_by(5) {
        object.attr_delete(&format!("attribute_{i:06}")).unwrap();
    }
    replace_until(file, &object, (0..count).filter(|i| i % 5 != 0), |stats| {
        stats.batches > 0 && stats.underfull_nodes == 0
    });
}

/// Replaces values in place, again and again until `done`.
fn replace_until(
    file: &File,
    object: &Object,
    names: impl Iterator<Item = u32> + Clone,
    done: impl Fn(&RebalanceStats) -> bool,
) -> RebalanceStats {
    for _ in 0..1_000 {
        let stats = file.rebalance_status().unwrap();
        if done(&stats) {
            return stats;
        }
        fill(object, names.clone());
    }
    panic!("never done: {:?}", file.rebalance_status().unwrap());
}

#[test]
fn after_the_delay_lazy_puts_everything_right() {
    const COUNT: u32 = 20_000;
    let path = path("delay");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let object = dataset(&file);
    fill(&object, 0..COUNT);
    file.set_lazy(&LazyOptions { threshold: 0.20, max_delay_ms: 20, ..LazyOptions::default() }).unwrap();
    let deleted = |i: &u32| i.is_multiple_of(16);
    for i in (0..COUNT).filter(deleted) {
        object.attr_delete(&format!("attribute_{i:06}")).unwrap();
    }
    let stats = file.rebalance_status().unwrap();
    assert!(stats.occupancy < 0.9 && stats.heap_free_bytes * 20 > stats.heap_live_bytes, "{stats:?}");
    let left = (0..COUNT).filter(|i| !deleted(i));
    let stats = replace_until(&file, &object, left, |stats| stats.unserved_deletes == 0);
    assert!(stats.batches > 0 && stats.occupancy >= 0.9 && stats.underfull_nodes == 0, "{stats:?}");
    assert!(stats.heap_free_bytes * 30 < stats.heap_live_bytes, "{stats:?}");
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn heaps_are_cleared_of_replaced_values_while_the_file_is_open() {
    const COUNT: u32 = 5_000;
    let path = path("replacing");
    for mode in ["lazy", "incremental"] {
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        let (object, i32) = (dataset(&file), Datatype::little(Number::I32));
        for i in 0..COUNT {
            object.attr_write(&format!("attribute_{i:06}"), &i32, &[100], &[1; 400]).unwrap();
        }
        set(&file, mode);
        if mode == "incremental" {
            file.set_incremental(IncrementalOptions { interval_ms: 1, ..IncrementalOptions::default() }).unwrap();
        }
        fill(&object, 0..COUNT);
        let cleared = |stats: &RebalanceStats| stats.sweeps > 0 && stats.heap_free_bytes * 3 < stats.heap_live_bytes;
        let stats = replace_until(&file, &object, 0..COUNT, cleared);
        assert!(stats.deletes == 0 && stats.objects_moved > 0, "{stats:?}");
        assert_eq!(stats.batches > 0, mode == "lazy", "{stats:?}");
        file.close().unwrap();
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn holes_that_lazy_leaves_alone_are_for_closing_and_for_who_asks() {
    const COUNT: u32 = 20_000;
    let path = path("holes");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    fill(&dataset(&file), (0..COUNT).filter(|i| i % 5 != 0));
    file.close().unwrap();
    let fresh = std::fs::metadata(&path).unwrap().len();
    for ask in [false, true] {
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        fill(&dataset(&file), 0..COUNT);
        file.close().unwrap();
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        delete_a_fifth_and_replace(&file, COUNT);
        let stats = file.rebalance_status().unwrap();
        assert!(stats.heap_free_bytes * 10 > stats.heap_live_bytes, "{stats:?}");
        assert!(stats.unserved_deletes > 0, "what they left is still there: {stats:?}");
        if ask {
            file.rebalance().unwrap();
            let stats = file.rebalance_status().unwrap();
            assert!(stats.heap_free_bytes * 20 < stats.heap_live_bytes, "{stats:?}");
            assert_eq!(stats.unserved_deletes, 0);
        }
        file.close().unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        assert!(size as f64 <= 1.05 * fresh as f64, "{size} bytes, fresh {fresh}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn closing_puts_right_what_smaller_values_left() {
    const COUNT: u32 = 5_000;
    let path = path("replaced");
    for mode in &MODES[1..] {
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        let (object, i32) = (dataset(&file), Datatype::little(Number::I32));
        for i in 0..COUNT {
            object.attr_write(&format!("attribute_{i:06}"), &i32, &[100], &[1; 400]).unwrap();
        }
        file.close().unwrap();
        let large = std::fs::metadata(&path).unwrap().len();
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        set(&file, mode);
        fill(&file.root().unwrap().open("d").unwrap(), 0..COUNT);
        file.close().unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        assert!(size * 3 < large, "{mode}: {size} bytes of {large}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn nodes_remain_while_objects_do() {
    let path = path("remaining");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let objects: Vec<Object> =
        (0..200).map(|i| file.root().unwrap().create_group(&format!("g{i}"), &Default::default()).unwrap()).collect();
    for object in &objects {
        fill(object, 0..100);
    }
    for object in &objects {
        for i in 0..50 {
            object.attr_delete(&format!("attribute_{i:06}")).unwrap();
        }
    }
    let (tell, told) = std::sync::mpsc::channel();
    let progress = move |progress: &h5r::rebalance::Progress| tell.send(*progress).unwrap_or_default();
    let progress: h5r::rebalance::ProgressCallback = std::sync::Arc::new(progress);
    file.set_lazy(&LazyOptions::default()).unwrap();
    let options = IncrementalOptions { budget_us: 100, interval_ms: 1, progress: Some(progress) };
    file.set_incremental(options).unwrap();
    let first = told.recv().unwrap();
    assert!(first.nodes_rebalanced < 100 && first.nodes_remaining >= 100, "{first:?}");
    assert!(first.estimated_remaining_ns > 0);
    let last = told.iter().find(|progress| progress.nodes_remaining == 0).unwrap();
    assert_eq!(last.estimated_remaining_ns, 0);
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn smart_sees_what_is_read() {
    const COUNT: u32 = 20_000;
    let path = path("reads");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let (object, i32) = (dataset(&file), Datatype::little(Number::I32));
    fill(&object, 0..COUNT);
    file.set_smart(SmartOptions { min_file_size: 0, ..SmartOptions::default() }).unwrap();
    for i in 0..600 {
        object.attr_delete(&format!("attribute_{i:06}")).unwrap();
        for _ in 0..170 {
            object.attr_read(&format!("attribute_{:06}", COUNT - 1), &i32, &mut [0; 4]).unwrap();
        }
    }
    let stats = file.rebalance_status().unwrap();
    assert_eq!((stats.deletes, stats.reads, stats.effective_mode), (600, 102_000, Mode::None), "{stats:?}");
    let decision = stats.decision.unwrap();
    let (name, ratio) = decision.factors[0];
    assert!(name == "delete_ratio" && (ratio - 1.0 / 171.0).abs() < 1e-4, "{decision:?}");
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn what_reads_and_looks_up_counts_once() {
    let path = path("counted");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let (root, object, i32) = (file.root().unwrap(), dataset(&file), Datatype::little(Number::I32));
    let i64 = Datatype::little(Number::I64);
    fill(&object, 0..2);
    let chunks = DatasetOptions { layout: NewLayout::Chunked, chunk: Some(vec![2]), ..DatasetOptions::default() };
    let chunked = root.create_dataset("chunked", &i32, &[4], &chunks).unwrap();
    chunked.dataset_write(&i32, None, &[1; 16]).unwrap();
    file.flush().unwrap();
    let part = Selection { start: Some(&[1]), count: Some(&[2]), ..Selection::default() };
    let none = &mut h5r::datatype::NoPointers;
    let reads = |name: &str, read: &mut dyn FnMut()| {
        let before = file.rebalance_status().unwrap().reads;
        read();
        assert_eq!(file.rebalance_status().unwrap().reads - before, 1, "{name}");
    };
    let absent = "attribute_9";
    reads("attr_read", &mut || assert_eq!(object.attr_read("attribute_000000", &i32, &mut [0; 4]).unwrap(), 4));
    reads("attr_info", &mut || drop(object.attr_info("attribute_000000").unwrap()));
    reads("attr_exists", &mut || assert!(!object.attr_exists(absent).unwrap()));
    reads("attr_names", &mut || assert_eq!(object.attr_names(Order::Name).unwrap().len(), 2));
    reads("link_exists", &mut || assert!(root.link_exists("chunked").unwrap()));
    reads("link_info", &mut || drop(root.link_info("chunked").unwrap()));
    reads("links", &mut || assert_eq!(root.links(Order::Name).unwrap().len(), 2));
    reads("open", &mut || drop(root.open("chunked").unwrap()));
    reads("small", &mut || object.dataset_read_values(&i32, None, |n| Ok(vec![0; n].leak()), none).unwrap());
    reads("dataset_read", &mut || chunked.dataset_read(&i32, None, &mut [0; 16]).unwrap());
    let mut read = |memory: &Datatype, selection: Option<&Selection<'_>>| {
        chunked.dataset_read_values(memory, selection, |n| Ok(vec![0; n].leak()), none).unwrap();
    };
    reads("part", &mut || read(&i32, Some(&part)));
    reads("converted", &mut || read(&i64, None));
    reads("points", &mut || {
        chunked.dataset_read_points(&i32, &[0, 3], &mut [0; 8], &mut h5r::datatype::NoPointers).unwrap()
    });
    reads("chunk_read", &mut || drop(chunked.chunk_read(&[2], &mut [0; 8]).unwrap()));
    let before = file.rebalance_status().unwrap();
    fill(&object, 0..3);
    object.attr_delete("attribute_000002").unwrap();
    root.create_group("group", &Default::default()).unwrap();
    assert!((object.attr_count().unwrap(), root.link_count().unwrap()) == (2, 3));
    assert!(object.attr_read(absent, &i32, &mut [0; 4]).is_err());
    assert_eq!(file.rebalance_status().unwrap().reads, before.reads, "these are no reads, or fail");
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

fn counted(file: &File) -> (u64, u64, u64) {
    let stats = file.rebalance_status().unwrap();
    (stats.inserts, stats.deletes, stats.updates)
}

#[test]
fn renaming_a_link_is_an_update_and_moving_it_is_not() {
    const COUNT: u32 = 4_000;
    let path = path("moved");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let phase = Phase { track_order: true, index_order: true, ..Phase::default() };
    let options = GroupOptions { links: phase, ..GroupOptions::default() };
    let root = file.root().unwrap();
    let [group, other] = ["group", "other"].map(|name| root.create_group(name, &options).unwrap());
    for i in 0..COUNT {
        group.link_create_soft(&format!("link_{i:06}"), "target").unwrap();
    }
    file.set_lazy(&LazyOptions::default()).unwrap();
    let before = counted(&file);
    group.link_move("link_000000", &group, "renamed").unwrap();
    assert_eq!(counted(&file), (before.0, before.1, before.2 + 1));
    group.link_move("renamed", &other, "moved").unwrap();
    assert_eq!(counted(&file), (before.0 + 1, before.1 + 1, before.2 + 1));
    other.link_move("moved", &group, "link_000000").unwrap();
    file.rebalance().unwrap();
    // New names come last in the order of creation: what was in the middle leaves sparse nodes behind.
    for i in (0..COUNT).filter(|i| i % 4 != 0) {
        group.link_move(&format!("link_{i:06}"), &group, &format!("renamed_{i:06}")).unwrap();
    }
    let stats = file.rebalance_status().unwrap();
    // Unless a batch has packed some already, on a busy machine.
    assert!(stats.batches > 0 || stats.underfull_nodes * 10 > stats.nodes, "{stats:?}");
    file.close().unwrap();
    let file = File::open(&path, &OpenOptions::default()).unwrap();
    let group = file.root().unwrap().open("group").unwrap();
    let links = group.links(Order::Creation).unwrap();
    assert_eq!((links.len(), links[1].0.as_str()), (COUNT as usize, "link_000008"));
    assert!(links.iter().all(|(name, _)| group.link_exists(name).unwrap()));
    let stats = file.rebalance_status().unwrap();
    assert_eq!(stats.underfull_nodes, 0, "closing puts it right: {stats:?}");
    file.check().unwrap();
    file.close().unwrap();
    std::fs::remove_file(path).unwrap();
}

/// As large as a file that `fill` makes.
fn size_of(fill: impl Fn(&File)) -> u64 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let path = path(&format!("as-made-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    fill(&file);
    file.close().unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    std::fs::remove_file(path).unwrap();
    size
}

/// Opens a file, in each mode and in mode none with a call of `rebalance`, changes it, closes it, and has its contents and
/// size checked: a node more may be left, as the modes' work fell.
fn packed_by_all(name: &str, make: &dyn Fn(&File), change: &dyn Fn(&File), verify: &dyn Fn(&File), fresh: u64) {
    let path = path(name);
    for mode in ["lazy", "incremental", "smart", "none"] {
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        make(&file);
        file.close().unwrap();
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        match mode {
            "smart" => file.set_smart(SmartOptions { min_file_size: 0, ..SmartOptions::default() }).unwrap(),
            _ => set(&file, mode),
        }
        change(&file);
        if mode == "none" {
            file.rebalance().unwrap();
            file.check().unwrap();
            verify(&file);
        }
        let stats = file.rebalance_status().unwrap();
        file.close().unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        file.check_flushed().unwrap();
        verify(&file);
        file.close().unwrap();
        assert!(size as f64 <= 1.05 * fresh as f64 + 4096.0, "{name}, {mode}: {size} bytes, fresh {fresh}; {stats:?}");
    }
    std::fs::remove_file(path).unwrap();
}

fn bytes_of(i: u32, most: u32) -> Vec<u8> {
    vec![i as u8; (1 + i.wrapping_mul(2_246_822_519) % most) as usize]
}

fn put(object: &Object, i: u32, most: u32) {
    put_bytes(object, i, bytes_of(i, most).len() as u32);
}

fn put_bytes(object: &Object, i: u32, length: u32) {
    let bytes = vec![i as u8; length as usize];
    object.attr_write(&format!("attribute_{i:06}"), &Datatype::little(Number::U8), &[length.into()], &bytes).unwrap();
}

fn verify_bytes(object: &Object, names: impl Iterator<Item = u32>, most: u32) {
    let mut count = 0;
    for i in names {
        let mut bytes = bytes_of(i, most);
        let expected = bytes.clone();
        bytes.fill(!(i as u8));
        object.attr_read(&format!("attribute_{i:06}"), &Datatype::little(Number::U8), &mut bytes).unwrap();
        assert_eq!(bytes, expected, "attribute {i}");
        count += 1;
    }
    assert_eq!(object.attr_count().unwrap(), count);
}

/// In turns, in no order, attributes are deleted and made again in another size.
fn churn(object: &Object, sizes: &mut [u32], random: &mut u64) {
    let mut next = || {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (*random >> 33) as usize
    };
    for _ in 0..2 * sizes.len() {
        let i = next() % sizes.len();
        if sizes[i] > 0 {
            object.attr_delete(&format!("attribute_{i:06}")).unwrap();
            sizes[i] = 0;
        } else {
            sizes[i] = 1 + next() as u32 % 200;
            put_bytes(object, i as u32, sizes[i]);
        }
    }
}

#[test]
fn asking_packs_what_was_deleted_and_made_again_in_other_sizes() {
    let path = path("churned");
    let make = |file: &File, sizes: &[u32]| {
        let object = dataset(file);
        sizes.iter().zip(0..).filter(|size| *size.0 > 0).for_each(|(&size, i)| put_bytes(&object, i, size));
    };
    let mut sizes: Vec<u32> = (0..3_000u32).map(|i| 1 + (i.wrapping_mul(2_654_435_761) >> 8) % 200).collect();
    let mut random = 1;
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    make(&file, &sizes);
    file.close().unwrap();
    for round in 0..8 {
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        churn(&file.root().unwrap().open("d").unwrap(), &mut sizes, &mut random);
        file.rebalance().unwrap();
        file.close().unwrap();
        let (size, fresh) = (std::fs::metadata(&path).unwrap().len(), size_of(|file| make(file, &sizes)));
        assert!(size as f64 <= 1.05 * fresh as f64, "round {round}: {size} bytes, fresh {fresh}");
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        file.check_flushed().unwrap();
        let object = file.root().unwrap().open("d").unwrap();
        for (&size, i) in sizes.iter().zip(0u32..).filter(|size| *size.0 > 0) {
            let mut bytes = vec![!(i as u8); size as usize];
            object.attr_read(&format!("attribute_{i:06}"), &Datatype::little(Number::U8), &mut bytes).unwrap();
            assert!(bytes.iter().all(|&byte| byte == i as u8), "attribute {i}");
        }
        assert_eq!(object.attr_count().unwrap(), sizes.iter().filter(|&&size| size > 0).count() as u64);
        file.close().unwrap();
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn what_was_renamed_is_packed() {
    const COUNT: u32 = 10_000;
    let long = |i: u32| format!("a_much_longer_name_than_before_{i:06}");
    let u8 = Datatype::little(Number::U8);
    let fresh = size_of(|file| {
        let object = dataset(file);
        (0..COUNT).for_each(|i| object.attr_write(&long(i), &u8, &[100], &[i as u8; 100]).unwrap());
    });
    let make = |file: &File| {
        let object = dataset(file);
        (0..COUNT).for_each(|i| object.attr_write(&format!("name_{i:06}"), &u8, &[100], &[i as u8; 100]).unwrap());
    };
    let change = |file: &File| {
        let object = file.root().unwrap().open("d").unwrap();
        (0..COUNT).for_each(|i| object.attr_rename(&format!("name_{i:06}"), &long(i)).unwrap());
    };
    let verify = |file: &File| {
        let object = file.root().unwrap().open("d").unwrap();
        for i in 0..COUNT {
            let mut bytes = [!(i as u8); 100];
            object.attr_read(&long(i), &u8, &mut bytes).unwrap();
            assert_eq!(bytes, [i as u8; 100]);
        }
    };
    packed_by_all("renamed", &make, &change, &verify, fresh);
}

#[test]
fn what_few_are_left_of_is_packed() {
    for (count, most, part) in [(10_000u32, 2_000, 10), (30_000, 8, 1_000)] {
        let stays = |i: &u32| i.wrapping_mul(2_654_435_761) >> 8 < (u32::MAX >> 8) / part;
        let make = |file: &File| {
            let object = dataset(file);
            (0..count).for_each(|i| put(&object, i, most));
        };
        let fresh = size_of(|file| {
            let object = dataset(file);
            (0..count).filter(stays).for_each(|i| put(&object, i, most));
        });
        let change = |file: &File| {
            let object = file.root().unwrap().open("d").unwrap();
            for i in (0..count).filter(|i| !stays(i)) {
                object.attr_delete(&format!("attribute_{i:06}")).unwrap();
            }
        };
        let open = |file: &File| file.root().unwrap().open("d").unwrap();
        packed_by_all(
            &format!("few-{count}"),
            &make,
            &change,
            &|file| verify_bytes(&open(file), (0..count).filter(stays), most),
            // Where the thread or a batch has moved long objects one by one, the ends of small blocks stay empty.
            if most > 1000 { fresh + fresh / 10 } else { fresh },
        );
    }
}

#[test]
fn many_objects_with_some_attributes_each_are_packed() {
    const OBJECTS: u32 = 60;
    let group = |file: &File, number: u32| file.root().unwrap().open(&format!("g{number}")).unwrap();
    let make = |file: &File, names: &dyn Fn(&u32) -> bool| {
        let mut options = GroupOptions::default();
        (options.attributes.track_order, options.attributes.index_order) = (true, true);
        for number in 0..OBJECTS {
            file.root().unwrap().create_group(&format!("g{number}"), &options).unwrap();
        }
        for number in 0..OBJECTS {
            (0..100).filter(names).for_each(|i| put(&group(file, number), i, 8));
        }
    };
    let fresh = size_of(|file| make(file, &odd));
    let change = |file: &File| {
        for number in 0..OBJECTS {
            for i in (0..100).filter(|i| !odd(i)) {
                group(file, number).attr_delete(&format!("attribute_{i:06}")).unwrap();
            }
        }
    };
    let verify =
        |file: &File| (0..OBJECTS).for_each(|number| verify_bytes(&group(file, number), (0..100).filter(odd), 8));
    packed_by_all("many-objects", &|file| make(file, &|_| true), &change, &verify, fresh);
}

/// As many as a new object would have in its header come back there, where closing finishes and where all is asked for.
#[test]
fn what_fits_into_headers_comes_back() {
    const OBJECTS: u32 = 300;
    let path = path("fits");
    let group = |file: &File, number: u32| file.root().unwrap().open(&format!("g{number}")).unwrap();
    let make = |members: u32| {
        let file = File::create(&path, &CreateOptions::default()).unwrap();
        for number in 0..OBJECTS {
            file.root().unwrap().create_group(&format!("g{number}"), &GroupOptions::default()).unwrap();
        }
        for number in 0..OBJECTS {
            let group = group(&file, number);
            (0..members).for_each(|i| put(&group, i, 40));
            (0..members).for_each(|i| group.link_create_soft(&format!("link {i}"), &format!("/to/{i}")).unwrap());
        }
        file.close().unwrap();
        std::fs::metadata(&path).unwrap().len()
    };
    let thin_out = |mode: &str, rebalance: bool, left: u32| {
        make(12);
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        set(&file, mode);
        for number in 0..OBJECTS {
            let group = group(&file, number);
            for i in left..12 {
                group.attr_delete(&format!("attribute_{i:06}")).unwrap();
                group.link_delete(&format!("link {i}")).unwrap();
            }
        }
        if rebalance {
            file.rebalance().unwrap();
        }
        file.close().unwrap();
        let file = File::open(&path, &OpenOptions::default()).unwrap();
        file.check_flushed().unwrap();
        for number in 0..OBJECTS {
            let group = group(&file, number);
            verify_bytes(&group, 0..left, 40);
            for i in 0..left {
                let target = LinkTarget::Soft(format!("/to/{i}").into_bytes());
                assert_eq!(group.link_info(&format!("link {i}")).unwrap().target, target);
            }
            assert_eq!(group.link_count().unwrap(), left.into());
        }
        file.close().unwrap();
        std::fs::metadata(&path).unwrap().len()
    };
    let (in_headers, dense) = (make(8), make(9));
    assert!(dense > 3 * in_headers, "{dense} {in_headers}");
    for (mode, rebalance) in [("lazy", false), ("incremental", false), ("none", true)] {
        let size = thin_out(mode, rebalance, 8);
        assert!(size * 2 < in_headers * 3, "{mode}: {size} bytes, fresh {in_headers}");
        let size = thin_out(mode, rebalance, 9);
        assert!(size > 3 * in_headers, "{mode}: {size} bytes, dense {dense}");
    }
    let size = thin_out("none", false, 8);
    assert!(size > 3 * in_headers, "none: {size} bytes, in headers {in_headers}");
    std::fs::remove_file(path).unwrap();
}
