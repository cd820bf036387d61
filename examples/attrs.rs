//! Times attribute creation and random deletion: `cargo run --release --example attrs -- COUNT [MODE]`.
use h5r::datatype::{Datatype, Number};
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, File};
use std::fmt::Write;
use std::time::Instant;
fn main() {
    let count: u32 = std::env::args().nth(1).unwrap().parse().unwrap();
    let mode = std::env::args().nth(2).unwrap_or_default();
    let i32 = Datatype::little(Number::I32);
    let path = std::env::temp_dir().join("attrs.h5");
    let file = File::create(&path, &CreateOptions::default()).unwrap();
    let d = file.root().unwrap().create_dataset("d", &i32, &[4], &DatasetOptions::default()).unwrap();
    if mode == "lazy" {
        file.set_lazy(&Default::default()).unwrap();
    }
    let mut name = String::new();
    let t = Instant::now();
    for i in 0..count {
        name.clear();
        write!(name, "attr_{i:07}").unwrap();
        d.attr_write(&name, &i32, &[], &i.to_le_bytes()).unwrap();
    }
    let a = t.elapsed();
    file.flush().unwrap();
    let b = t.elapsed();
    println!(
        "create {:.2} M/s without, {:.2} M/s with flush ({:.1} ms)",
        count as f64 / a.as_secs_f64() / 1e6,
        count as f64 / b.as_secs_f64() / 1e6,
        (b - a).as_secs_f64() * 1e3
    );
    let mut order: Vec<u32> = (0..count).collect();
    let mut s = 12345u64;
    if std::env::var("IN_ORDER").is_err() {
        for i in (1..order.len()).rev() {
            s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            order.swap(i, (s >> 33) as usize % (i + 1));
        }
    }
    let size = std::fs::metadata(&path).unwrap().len();
    let t = Instant::now();
    let mut worst = 0f64;
    for &i in &order[..count as usize / 2] {
        name.clear();
        write!(name, "attr_{i:07}").unwrap();
        let u = Instant::now();
        d.attr_delete(&name).unwrap();
        worst = worst.max(u.elapsed().as_secs_f64());
    }
    let a = t.elapsed();
    let st = file.rebalance_status().unwrap();
    println!(
        "before close: occupancy {:.3} nodes {} underfull {} batches {} moved {} heap free {} pause {:.3} ms",
        st.occupancy,
        st.nodes,
        st.underfull_nodes,
        st.batches,
        st.objects_moved,
        st.heap_free_bytes,
        st.worst_pause_ns as f64 / 1e6
    );
    let t2 = Instant::now();
    if std::env::var("REBALANCE").is_ok() {
        file.rebalance().unwrap();
        let st = file.rebalance_status().unwrap();
        println!(
            "rebalance: {:.1} ms occupancy {:.3} nodes {} underfull {} batches {} moved {} heap free {}",
            t2.elapsed().as_secs_f64() * 1e3,
            st.occupancy,
            st.nodes,
            st.underfull_nodes,
            st.batches,
            st.objects_moved,
            st.heap_free_bytes
        );
    }
    if std::env::var("FLUSH").is_ok() {
        file.flush().unwrap();
    }
    file.close().unwrap();
    let b = t.elapsed();
    println!(
        "delete {:.2} M/s without, {:.2} M/s with close ({:.1} ms), worst {:.3} ms, file {} -> {}",
        count as f64 / 2. / a.as_secs_f64() / 1e6,
        count as f64 / 2. / b.as_secs_f64() / 1e6,
        (b - a).as_secs_f64() * 1e3,
        worst * 1e3,
        size,
        std::fs::metadata(&path).unwrap().len()
    );
}
