//! Whole workloads on the simulated file: lazy's and incremental's behaviour over time.

use super::sim::*;
use super::*;

const DELETE_NS: u64 = 600;

fn lazy(sim: &mut Sim, edit: impl FnOnce(&mut LazyOptions)) {
    let mut options = LazyOptions::default();
    edit(&mut options);
    sim.controller.set_lazy(&options).unwrap().join();
}

/// Deletes so little that it is hardly anything, and lets the time of a burst pass.
fn outlive_burst(sim: &mut Sim) {
    (0..50).for_each(|_| sim.delete(1).unwrap());
    sim.clock.advance_ms(501);
}

/// Deletes half of the records; the time of all operations without rebalancing.
fn delete_half(sim: &mut Sim) -> u64 {
    let half = sim.records() / 2;
    for _ in 0..half {
        sim.delete(DELETE_NS).unwrap();
    }
    half * DELETE_NS
}

#[test]
fn none_does_nothing() {
    let mut sim = Sim::new(60);
    delete_half(&mut sim);
    before_close(&mut sim).unwrap();
    assert_eq!(sim.steps, 0);
    let stats = sim.stats();
    assert_eq!((stats.mode, stats.batches, stats.nodes_rebalanced), (Mode::None, 0, 0));
    assert_eq!(stats.deletes, stats.unserved_deletes);
    assert!(stats.occupancy < 0.40);
}

#[test]
fn lazy_works_in_the_deleting_call_once_the_threshold_is_reached() {
    let mut sim = Sim::new(1000);
    lazy(&mut sim, |_| ());
    outlive_burst(&mut sim);
    let mut before = 0.0;
    while sim.steps == 0 {
        before = sim.survey().underfull_ratio();
        sim.delete(5 * DELETE_NS).unwrap();
    }
    // The clock, and with it the survey, is looked at every 50 operations.
    assert!((0.048..0.055).contains(&before), "{before}");
    let stats = sim.stats();
    assert_eq!(stats.batches, 1);
    assert_eq!(stats.nodes_rebalanced, 32);
    let node_ns = 40 * (32 + 100) * NODE_NS;
    for _ in 0..node_ns / DELETE_NS + 50 {
        sim.delete(DELETE_NS).unwrap();
    }
    let stats = sim.stats();
    assert_eq!((stats.batches, stats.nodes_rebalanced), (2, 132));
}

#[test]
fn lazy_costs_little_however_long_a_random_deletion_goes_on() {
    for nodes in [60, 12_000] {
        let mut sim = Sim::new(nodes);
        lazy(&mut sim, |_| ());
        let work_ns = delete_half(&mut sim);
        let stats = sim.stats();
        let first_ns = 32 * NODE_NS;
        assert_eq!(stats.batches >= 1, nodes == 12_000, "the other one is a burst");
        assert!(stats.total_time_ns <= work_ns / 40 + first_ns, "{} of {work_ns}", stats.total_time_ns);
        assert!(stats.worst_pause_ns <= 2_000_000, "{}", stats.worst_pause_ns);
    }
}

#[test]
fn after_closing_the_nodes_are_packed_and_the_heap_is_tight() {
    let mut sim = Sim::new(600);
    lazy(&mut sim, |_| ());
    delete_half(&mut sim);
    before_close(&mut sim).unwrap();
    let stats = sim.stats();
    assert!(stats.occupancy >= 0.90, "{}", stats.occupancy);
    assert_eq!((stats.underfull_nodes, stats.heap_free_bytes, stats.unserved_deletes), (0, 0, 0));
    // Nothing is left to do: closing again costs nothing.
    let steps = sim.steps;
    before_close(&mut sim).unwrap();
    assert_eq!(sim.steps, steps);
}

#[test]
fn lazy_gives_up_on_what_sweeping_cannot_improve() {
    let mut sim = Sim::new(50);
    sim.nodes.iter_mut().for_each(|n| *n = CAPACITY * 45 / 100);
    sim.heap_bytes = sim.records() * 480;
    sim.fault = Some(Fault::Useless);
    lazy(&mut sim, |o| o.max_delay_ms = 60_000);
    outlive_burst(&mut sim);
    for _ in 0..4_000 {
        sim.delete(20_000).unwrap();
    }
    assert_eq!((sim.stats().sweeps, sim.stats().batches), (1, 2));
}

#[test]
fn splits_and_deletions_in_turn_do_not_make_lazy_run_in_circles() {
    let mut sim = Sim::new(2_000);
    lazy(&mut sim, |_| ());
    for i in 0..200_000u64 {
        sim.delete(DELETE_NS).unwrap();
        // An insertion splits a packed node into two halves.
        if i % 50 == 0 {
            if let Some(full) = sim.nodes.iter().position(|&n| n > 225) {
                sim.nodes[full] -= 118;
                sim.nodes.insert(full, 118);
            }
        }
        sim.operation(Kind::Insert, DELETE_NS).unwrap();
    }
    let work_ns = 2 * 200_000 * DELETE_NS;
    let stats = sim.stats();
    assert!(stats.total_time_ns <= work_ns / 30, "{} of {work_ns}", stats.total_time_ns);
}

#[test]
fn the_maximum_delay_counts_from_the_first_unserved_deletion() {
    let mut sim = Sim::new(1000);
    lazy(&mut sim, |o| {
        o.threshold = 0.20;
        o.max_delay_ms = 1_000;
    });
    sim.clock.advance_ms(2_000);
    while sim.survey().underfull == 0 {
        sim.delete(0).unwrap();
    }
    for _ in 0..200 {
        sim.clock.advance_ms(4);
        sim.delete(0).unwrap();
    }
    assert_eq!(sim.stats().batches, 0);
    for _ in 0..60 {
        sim.clock.advance_ms(4);
        sim.delete(0).unwrap();
    }
    let stats = sim.stats();
    assert!(stats.batches >= 9, "{}", stats.batches);
    assert_eq!(stats.sweeps, 1);
    assert!(stats.underfull_nodes < 5);
}

/// Deletes a part of the records that leaves no node underfull, and lets the delay of a second pass.
fn thin(sim: &mut Sim, part: f64) {
    sim.nodes.iter_mut().for_each(|n| *n = 190);
    sim.heap_bytes = sim.records() * 48;
    let deleted = (sim.records() as f64 * part) as u64;
    (0..deleted).for_each(|_| sim.delete(100).unwrap());
    assert_eq!((sim.survey().underfull, sim.steps), (0, 0));
    sim.clock.advance_ms(1_001);
}

#[test]
fn after_the_delay_everything_is_put_right_and_then_nothing_more_is_done() {
    // Sparse nodes and holes in the heap; holes alone.
    for (part, packed) in [(0.06, true), (0.04, false)] {
        let mut sim = Sim::new(500);
        lazy(&mut sim, |o| o.max_delay_ms = 1_000);
        thin(&mut sim, part);
        let steps = |sim: &mut Sim| {
            // In turns too slow to earn a batch.
            (0..2_000).for_each(|_| {
                sim.clock.advance_ms(1);
                sim.operation(Kind::Update, 0).unwrap();
            });
            sim.steps
        };
        let worked = steps(&mut sim);
        let stats = sim.stats();
        assert!(worked > 0 && stats.sweeps == 1, "{part}: {stats:?}");
        assert_eq!((stats.heap_free_bytes, stats.unserved_deletes), (0, 0), "{part}: {stats:?}");
        assert!(!packed || stats.occupancy >= 0.90, "{stats:?}");
        assert_eq!(steps(&mut sim), worked, "nothing is left to do");
    }
}

#[test]
fn holes_that_a_sweep_of_nodes_leaves_are_put_right_after_the_delay() {
    let mut sim = Sim::new(500);
    lazy(&mut sim, |o| o.max_delay_ms = 60_000);
    let few = sim.records() / 8;
    (0..few).for_each(|_| sim.delete(100 * DELETE_NS).unwrap());
    let mut operations = 0;
    while sim.stats().sweeps == 0 && operations < 1_000_000 {
        sim.operation(Kind::Insert, 20_000).unwrap();
        operations += 1;
    }
    let stats = sim.stats();
    assert!(stats.sweeps == 1 && stats.heap_free_bytes > 0, "{stats:?}");
    sim.clock.advance_ms(60_000);
    (0..1_000).for_each(|_| sim.operation(Kind::Insert, 1_000_000).unwrap());
    let stats = sim.stats();
    assert_eq!((stats.sweeps, stats.heap_free_bytes, stats.unserved_deletes), (2, 0, 0));
}

#[test]
fn work_after_the_delay_keeps_to_an_eighth_of_the_time() {
    let mut sim = Sim::new(2_000);
    lazy(&mut sim, |o| o.max_delay_ms = 1);
    let half = sim.records() / 2;
    (0..half).for_each(|_| sim.delete(DELETE_NS).unwrap());
    let stats = sim.stats();
    assert!(stats.sweeps > 0 && stats.total_time_ns <= half * DELETE_NS / 7, "{stats:?}");
    assert!(stats.worst_pause_ns <= 2_000_000, "{}", stats.worst_pause_ns);
}

#[test]
fn holes_of_replaced_values_are_put_right_inside_calls() {
    let mut sim = Sim::new(500);
    lazy(&mut sim, |_| ());
    sim.nodes.iter_mut().for_each(|n| *n = 230);
    sim.heap_bytes = sim.records() * 48;
    let (mut most, mut replaced) = (0.0f64, 0);
    (0..50).for_each(|_| sim.replace(1).unwrap());
    sim.clock.advance_ms(501);
    while sim.stats().sweeps < 3 && replaced < 2_000_000 {
        sim.replace(2_000).unwrap();
        replaced += 1;
        most = most.max(sim.survey().heap_free_ratio());
    }
    let stats = sim.stats();
    assert!(stats.sweeps == 3 && stats.deletes == 0, "{stats:?}");
    assert!(most < 0.75, "{most}");
    assert!(stats.total_time_ns <= replaced * 2_000 / 40 + 3 * 32 * (NODE_NS + 115 * MOVE_NS), "{stats:?}");
}

#[test]
fn values_replaced_in_place_cause_no_work() {
    let mut sim = Sim::new(500);
    lazy(&mut sim, |o| o.max_delay_ms = 10);
    (0..100_000).for_each(|_| sim.operation(Kind::Update, 1_000).unwrap());
    before_close(&mut sim).unwrap();
    assert_eq!((sim.survey().underfull, sim.steps), (0, 0));
}

#[test]
fn a_flush_that_sweeps_twice_is_one_pause() {
    let mut sim = Sim::new(6_000);
    lazy(&mut sim, |_| ());
    outlive_burst(&mut sim);
    delete_half(&mut sim);
    let stats = sim.stats();
    assert!(stats.batches > 0 && stats.sweeps == 0, "{stats:?}");
    let before_ns = stats.total_time_ns;
    before_flush(&mut sim).unwrap();
    let stats = sim.stats();
    assert_eq!((stats.sweeps, stats.worst_pause_ns), (2, stats.total_time_ns - before_ns));
}

#[test]
fn a_pause_is_noticed_within_a_few_operations() {
    let mut sim = Sim::new(1000);
    lazy(&mut sim, |o| {
        o.threshold = 0.20;
        o.max_delay_ms = 1_000;
    });
    while sim.survey().underfull < 3 {
        sim.delete(100).unwrap();
    }
    sim.clock.advance_ms(1_001);
    for _ in 0..50 {
        sim.delete(100).unwrap();
    }
    assert_eq!(sim.stats().batches, 1);
}

#[test]
fn a_slow_caller_does_not_pay_for_a_fast_one() {
    let mut sim = Sim::new(6_000);
    lazy(&mut sim, |_| ());
    for node in &mut sim.nodes {
        *node = 130;
    }
    let deletions = 60_000;
    for _ in 0..deletions {
        sim.delete(100_000).unwrap();
    }
    // A tenth of a microsecond each, and the first batch.
    let stats = sim.stats();
    assert!(stats.total_time_ns <= deletions * 100 + 32 * NODE_NS, "{}", stats.total_time_ns);
}

#[test]
fn reads_never_wait_for_a_batch() {
    let mut sim = Sim::new(1000);
    sim.delete(0).unwrap();
    lazy(&mut sim, |o| o.max_delay_ms = 1);
    sim.nodes.iter_mut().for_each(|n| *n = 100);
    sim.heap_bytes = sim.records() * 480;
    sim.clock.advance_ms(10);
    for _ in 0..1_000 {
        sim.operation(Kind::Read, 1_000).unwrap();
    }
    assert_eq!(sim.steps, 0);
}

#[test]
fn what_mode_none_left_is_served_after_lazy_is_set() {
    let mut sim = Sim::new(60);
    delete_half(&mut sim);
    lazy(&mut sim, |_| ());
    sim.delete(DELETE_NS).unwrap();
    assert_eq!((sim.stats().batches, sim.stats().nodes_rebalanced), (1, 32));
}

#[test]
fn the_lock_is_shared_out_while_everything_is_done_on_request() {
    let mut sim = Sim::new(500);
    delete_half(&mut sim);
    let file = SimFile::new(sim);
    complete_in_slices(&*file).unwrap();
    let stats = file.sim.lock().stats();
    assert!(stats.occupancy > 0.9, "{stats:?}");
    assert_eq!((stats.heap_free_bytes, stats.unserved_deletes), (0, 0));
    assert!(file.sim.lock().steps > 5);
}

#[test]
fn an_error_is_reported_once_and_not_provoked_again() {
    let mut sim = Sim::new(60);
    delete_half(&mut sim);
    lazy(&mut sim, |_| ());
    sim.fault = Some(Fault::Error);
    let error = sim.delete(DELETE_NS).unwrap_err();
    assert!(error.message().contains("version 2 B-tree leaf at address 0x1000 is damaged"), "{error}");
    for _ in 0..100 {
        sim.delete(DELETE_NS).unwrap();
    }
    before_close(&mut sim).unwrap();
    assert_eq!(sim.steps, 1);
    assert_eq!(sim.stats().last_error.as_deref(), Some(error.message()));
    // Setting a mode tries again.
    sim.fault = None;
    lazy(&mut sim, |_| ());
    sim.delete(DELETE_NS).unwrap();
    assert_eq!(sim.steps, 2);
}

#[test]
fn a_step_that_never_gets_on_is_a_defect_and_not_a_hang() {
    struct Stuck(Controller);
    impl Subject for Stuck {
        fn controller(&mut self) -> &mut Controller {
            &mut self.0
        }
        fn survey(&mut self) -> Survey {
            Survey { nodes: 10, underfull: 10, ..Survey::default() }
        }
        fn step(&mut self, _: &Limit) -> crate::error::Result<StepReport> {
            Ok(StepReport::default())
        }
        fn fail(&mut self, _: crate::error::Error) {}
    }
    let mut stuck = Stuck(Controller::new(std::sync::Arc::new(ManualClock::new())));
    assert_eq!(complete(&mut stuck).unwrap_err().message(), "internal error in h5r: rebalancing makes no progress");
}

#[test]
#[ignore = "a measurement: cargo test --release --lib hot_path -- --ignored --nocapture"]
fn hot_path_costs_a_few_nanoseconds() {
    for mode in [Mode::None, Mode::Lazy, Mode::Smart] {
        let mut controller = Controller::new(std::sync::Arc::new(SystemClock::new()));
        match mode {
            Mode::Lazy => controller.set_lazy(&LazyOptions::default()).unwrap().join(),
            Mode::Smart => {
                let options = SmartOptions { min_file_size: 0, ..SmartOptions::default() };
                controller.set_smart(options, &Survey::default(), nobody()).unwrap().join();
            }
            _ => (),
        }
        let survey = Survey { nodes: 1000, file_bytes: 1 << 26, ..Survey::default() };
        let start = std::time::Instant::now();
        let operations = 20_000_000u32;
        for i in 0..operations {
            let kind = if std::hint::black_box(i) % 3 == 0 { Kind::Insert } else { Kind::Delete };
            if controller.on_operation(kind) {
                std::hint::black_box(controller.due(&survey));
            }
        }
        println!("{mode}: {:.2} ns per operation", start.elapsed().as_nanos() as f64 / f64::from(operations));
    }
}
