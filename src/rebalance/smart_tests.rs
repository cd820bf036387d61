//! Smart on recorded operation sequences: each names its mode, reason, confidence and factors.

use super::options::ModeSet;
use super::sim::*;
use super::*;

const MB: u64 = 1_000_000;

/// A stretch of a recorded sequence: a pattern of operations, repeated, each taking so long.
struct Recorded<'a> {
    pattern: &'a [(Kind, u64)],
    operations: u64,
    each_ns: u64,
}

fn play(sim: &mut Sim, recorded: Recorded) {
    let mut left = recorded.operations;
    while left > 0 {
        for &(kind, times) in recorded.pattern {
            for _ in 0..times.min(left) {
                sim.operation(kind, recorded.each_ns).unwrap();
            }
            left -= times.min(left);
        }
    }
}

fn smart(file_bytes: u64, edit: impl FnOnce(&mut SmartOptions)) -> Sim {
    smart_of(100, file_bytes, edit)
}

fn smart_of(nodes: u64, file_bytes: u64, edit: impl FnOnce(&mut SmartOptions)) -> Sim {
    let mut sim = Sim::new(nodes);
    sim.file_bytes = Some(file_bytes);
    let mut options = SmartOptions::default();
    edit(&mut options);
    let survey = sim.survey();
    sim.controller.set_smart(options, &survey, nobody()).unwrap().join();
    sim
}

fn decision(sim: &mut Sim) -> Decision {
    sim.stats().decision.unwrap()
}

fn factor(decision: &Decision, name: &str) -> f64 {
    decision.factors.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no factor {name}")).1
}

#[test]
fn append_only_stays_with_none() {
    let mut sim = smart(100 * MB, |_| ());
    play(&mut sim, Recorded { pattern: &[(Kind::Insert, 1)], operations: 50_000, each_ns: 1_000 });
    let found = decision(&mut sim);
    assert_eq!(found.mode, Mode::None);
    assert_eq!(found.reason, "none of the last 10000 operations was a deletion");
    assert!(found.confidence > 0.95, "{}", found.confidence);
    assert_eq!(factor(&found, "delete_ratio"), 0.0);
    assert_eq!(factor(&found, "operation_rate"), 1e6);
    assert_eq!(factor(&found, "file_size"), 1e8);
    assert_eq!(sim.stats().mode_changes, 0);
}

#[test]
fn a_batch_of_deletions_gets_lazy() {
    let mut sim = smart(62 * MB, |_| ());
    play(
        &mut sim,
        Recorded { pattern: &[(Kind::Delete, 500), (Kind::Insert, 20)], operations: 10_400, each_ns: 1_000 },
    );
    let found = decision(&mut sim);
    assert_eq!((found.mode, sim.controller.effective_mode()), (Mode::Lazy, Mode::Lazy));
    assert_eq!(found.reason, "96.2 % deletions, in batches of 481 on average, more than 100");
    assert!(found.confidence > 0.95, "{}", found.confidence);
    assert_eq!(factor(&found, "batch_size").round(), 481.0);
    assert_eq!(sim.stats().mode_changes, 1);
}

#[test]
fn continuous_mixed_work_on_a_large_file_gets_incremental() {
    let mixed: &[(Kind, u64)] =
        &[(Kind::Insert, 2), (Kind::Read, 1), (Kind::Delete, 1), (Kind::Update, 1), (Kind::Delete, 1)];
    let mut sim = smart(800 * MB, |_| ());
    play(&mut sim, Recorded { pattern: mixed, operations: 10_000, each_ns: 5 * 1_000_000 });
    let found = decision(&mut sim);
    assert_eq!((found.mode, sim.controller.effective_mode()), (Mode::Incremental, Mode::Incremental));
    assert_eq!(found.reason, "33.3 % deletions on a file of 800.0 MB, more than 500.0 MB");
    assert!(found.confidence > 0.95);
    assert!(factor(&found, "delete_ratio") > 0.20);
    assert_eq!(factor(&found, "operation_rate").round(), 200.0);

    // On a smaller file the rate decides.
    for (each_ns, mode, reason) in [
        (100_000, Mode::Incremental, "33.3 % deletions, spread out, at 10000 operations/s, more than 1000"),
        (10_000_000, Mode::Lazy, "33.3 % deletions, more than 20 %, at 100 operations/s"),
    ] {
        let mut sim = smart(100 * MB, |_| ());
        play(&mut sim, Recorded { pattern: mixed, operations: 10_000, each_ns });
        let found = decision(&mut sim);
        assert_eq!((found.mode, found.reason.as_str()), (mode, reason));
    }
}

#[test]
fn a_small_file_is_left_alone_until_it_has_grown() {
    let mut sim = smart(3 * MB, |_| ());
    let found = decision(&mut sim);
    assert_eq!((found.mode, found.confidence), (Mode::None, 1.0));
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 10_000, each_ns: 1_000 });
    let found = decision(&mut sim);
    assert_eq!((found.mode, found.confidence), (Mode::None, 1.0));
    assert_eq!(found.reason, "the file has 3.0 MB, less than the 10.5 MB set as minimum");
    assert_eq!(factor(&found, "file_size"), 3e6);
    assert_eq!(factor(&found, "delete_ratio"), 1.0);
    assert_eq!(sim.stats().batches, 0);

    sim.file_bytes = Some(30 * MB);
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 10_000, each_ns: 1_000 });
    assert_eq!(sim.controller.effective_mode(), Mode::Lazy);
}

#[test]
fn a_workload_that_changes_is_followed_once_it_is_steady() {
    let mut sim = smart(100 * MB, |o| o.reevaluate_ms = 1);
    let second = 1_000_000;
    play(&mut sim, Recorded { pattern: &[(Kind::Insert, 1)], operations: 20_000, each_ns: second });
    assert_eq!(sim.controller.effective_mode(), Mode::None);
    // Half of the window: no longer sure of none, not yet sure of lazy.
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 5_000, each_ns: second });
    let found = decision(&mut sim);
    assert!(found.confidence < 0.7, "{}", found.confidence);
    assert_eq!(sim.controller.effective_mode(), Mode::None);
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 4_000, each_ns: second });
    assert_eq!(sim.controller.effective_mode(), Mode::Lazy);
    assert!(decision(&mut sim).confidence >= 0.7);
    play(&mut sim, Recorded { pattern: &[(Kind::Insert, 1)], operations: 26_000, each_ns: second });
    assert_eq!(sim.controller.effective_mode(), Mode::Lazy, "not within 30 s");
    play(&mut sim, Recorded { pattern: &[(Kind::Insert, 1)], operations: 6_000, each_ns: second });
    assert_eq!(sim.controller.effective_mode(), Mode::None);
    assert_eq!(sim.stats().mode_changes, 2);
}

#[test]
fn a_workload_that_alternates_gives_no_confidence() {
    let mut sim = smart(100 * MB, |_| ());
    for _ in 0..10 {
        play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 2_000, each_ns: 1_000 });
        play(&mut sim, Recorded { pattern: &[(Kind::Insert, 1)], operations: 2_000, each_ns: 1_000 });
    }
    let found = decision(&mut sim);
    assert!(found.confidence < 0.7, "{found:?}");
    assert!(factor(&found, "steadiness") <= 0.6);
}

#[test]
fn few_deletions_count_when_they_have_left_much_behind() {
    let pattern: &[(Kind, u64)] = &[(Kind::Insert, 9), (Kind::Delete, 1)];
    let mut sim = smart(100 * MB, |_| ());
    play(&mut sim, Recorded { pattern, operations: 10_000, each_ns: 1_000 });
    let found = decision(&mut sim);
    assert_eq!(found.mode, Mode::None);
    assert!(found.reason.starts_with("10.0 % deletions among the last "), "{}", found.reason);
    sim.nodes.iter_mut().for_each(|n| *n = CAPACITY / 3);
    play(&mut sim, Recorded { pattern, operations: 5_000, each_ns: 1_000 });
    let found = decision(&mut sim);
    assert_eq!((found.mode, sim.controller.effective_mode()), (Mode::Lazy, Mode::Lazy));
    assert_eq!(found.reason, "only 10.0 % deletions, but 100 % of the nodes underfull and 0 % of the heaps free");
}

#[test]
fn replaced_values_count_when_they_have_left_much_behind() {
    let pattern: &[(Kind, u64)] = &[(Kind::Update, 1)];
    let mut sim = smart(100 * MB, |_| ());
    play(&mut sim, Recorded { pattern, operations: 10_000, each_ns: 1_000 });
    let found = decision(&mut sim);
    assert_eq!(found.mode, Mode::None);
    assert!(found.reason.starts_with("none of the last "), "{}", found.reason);
    sim.heap_free = sim.heap_bytes * 2;
    sim.heap_bytes += sim.heap_free;
    play(&mut sim, Recorded { pattern, operations: 5_000, each_ns: 1_000 });
    let found = decision(&mut sim);
    assert_eq!((found.mode, sim.controller.effective_mode()), (Mode::Lazy, Mode::Lazy));
    assert_eq!(found.reason, "only 0.0 % deletions, but 0 % of the nodes underfull and 67 % of the heaps free");
}

#[test]
fn a_short_workload_is_judged_after_five_hundred_operations() {
    let mut sim = smart(100 * MB, |_| ());
    let found = decision(&mut sim);
    assert_eq!((found.mode, found.confidence), (Mode::None, 0.0));
    assert_eq!(found.reason, "the file has 100.0 MB, and no operations have been seen yet");
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 520, each_ns: 1_000 });
    assert_eq!(sim.controller.effective_mode(), Mode::Lazy);
    assert!((0.70..0.75).contains(&decision(&mut sim).confidence));
}

#[test]
fn only_allowed_modes_are_chosen() {
    let deletions = || Recorded { pattern: &[(Kind::Delete, 1)], operations: 5_000, each_ns: 1_000 };
    let mut sim = smart(100 * MB, |o| o.allowed_modes = ModeSet::of(&[Mode::None, Mode::Incremental]));
    play(&mut sim, deletions());
    assert_eq!(sim.controller.effective_mode(), Mode::Incremental);
    assert!(decision(&mut sim).reason.ends_with("more than 100; lazy is not allowed"), "{:?}", decision(&mut sim));
    let mut sim = smart(100 * MB, |o| o.allowed_modes = ModeSet::of(&[Mode::None]));
    play(&mut sim, deletions());
    assert_eq!((sim.controller.effective_mode(), sim.stats().mode_changes), (Mode::None, 0));
    let mut sim = smart(MB, |o| o.allowed_modes = ModeSet::of(&[Mode::Incremental]));
    assert_eq!(sim.controller.effective_mode(), Mode::Incremental);
    play(&mut sim, deletions());
    assert_eq!(sim.controller.effective_mode(), Mode::Incremental);
}

#[test]
fn with_auto_switch_off_the_first_choice_stays() {
    let mut sim = smart(100 * MB, |o| {
        o.auto_switch = false;
        o.min_switch_interval_ms = 0;
    });
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 10_000, each_ns: 1_000 });
    assert_eq!(sim.controller.effective_mode(), Mode::Lazy);
    play(&mut sim, Recorded { pattern: &[(Kind::Insert, 1)], operations: 30_000, each_ns: 1_000 });
    assert_eq!(sim.controller.effective_mode(), Mode::Lazy);
    assert_eq!((decision(&mut sim).mode, sim.stats().mode_changes), (Mode::None, 1));
}

#[test]
fn with_auto_detect_off_the_size_alone_decides() {
    for (size, mode) in [(MB, Mode::None), (50 * MB, Mode::Lazy), (600 * MB, Mode::Incremental)] {
        let mut sim = smart(size, |o| o.auto_detect = false);
        assert_eq!(sim.controller.effective_mode(), mode);
        play(&mut sim, Recorded { pattern: &[(Kind::Insert, 1)], operations: 20_000, each_ns: 1_000 });
        assert_eq!(sim.controller.effective_mode(), mode);
        assert_eq!(decision(&mut sim).confidence, 1.0);
    }
}

#[test]
fn confidence_and_switch_interval_are_settable() {
    let mut sim = smart(100 * MB, |o| o.min_confidence = 1.0);
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 20_000, each_ns: 1_000 });
    assert_eq!(sim.controller.effective_mode(), Mode::None);

    let mut sim = smart(100 * MB, |o| {
        o.min_confidence = 0.1;
        o.min_switch_interval_ms = 0;
    });
    for _ in 0..5 {
        play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 10_000, each_ns: 1_000 });
        play(&mut sim, Recorded { pattern: &[(Kind::Insert, 1)], operations: 10_000, each_ns: 1_000 });
    }
    assert!(sim.stats().mode_changes >= 8, "{}", sim.stats().mode_changes);
}

#[test]
fn reads_are_operations_but_run_no_batch_and_pay_for_none() {
    const DELETES: u64 = 40_000;
    let worked = |reads: u64| {
        let mut sim = smart_of(4_000, 100 * MB, |o| o.allowed_modes = ModeSet::of(&[Mode::Lazy]));
        for number in 0..DELETES {
            sim.delete(1_000).unwrap();
            if number == 100 {
                // That is no burst.
                sim.clock.advance_ms(501);
            }
            let steps = sim.steps;
            for _ in 0..reads {
                sim.operation(Kind::Read, 1_000).unwrap();
            }
            assert_eq!(sim.steps, steps, "a batch while reading");
        }
        let stats = sim.stats();
        assert_eq!((stats.deletes, stats.reads), (DELETES, DELETES * reads));
        assert!(stats.batches > 0);
        stats.total_time_ns
    };
    // 49: each fiftieth operation, at which the clock is looked at, is a read.
    for reads in [0, 9, 49] {
        let time_ns = worked(reads);
        // A fortieth of 4 µs each, and a batch.
        assert!(time_ns <= DELETES * 100 + 1_000_000, "{time_ns} ns with {reads} reads for each deletion");
    }
}

#[test]
fn reads_make_deletions_few_and_lead_to_evaluations() {
    let mut sim = smart(100 * MB, |_| ());
    let before = sim.stats().evaluations;
    play(&mut sim, Recorded { pattern: &[(Kind::Read, 1)], operations: 600, each_ns: 1_000 });
    assert_eq!(sim.stats().evaluations, before + 1);
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1), (Kind::Read, 170)], operations: 102_600, each_ns: 1_000 });
    let found = decision(&mut sim);
    assert_eq!(found.mode, Mode::None);
    assert_eq!(found.reason, "0.6 % deletions among the last 10000 operations, not more than 20 %");
    assert_eq!((factor(&found, "batch_size"), sim.stats().mode_changes), (58.0, 0));
}

#[test]
fn the_latest_finding_outlives_smart() {
    let mut sim = smart(100 * MB, |_| ());
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 5_000, each_ns: 1_000 });
    let found = decision(&mut sim);
    sim.controller.set_none().join();
    assert_eq!((sim.stats().decision, sim.stats().effective_mode), (Some(found), Mode::None));
}

#[test]
fn it_is_evaluated_at_the_interval_and_not_only_by_operations() {
    let mut sim = smart(100 * MB, |o| o.reevaluate_ms = 100);
    let before = sim.stats().evaluations;
    for _ in 0..50 {
        sim.operation(Kind::Read, 10_000_000).unwrap();
    }
    assert_eq!(sim.stats().evaluations, before + 5);
}

#[test]
fn watching_takes_less_than_a_mebibyte_and_reasons_stay_short() {
    let mut sim = smart(u64::MAX, |o| o.allowed_modes = ModeSet::of(&[Mode::None]));
    play(&mut sim, Recorded { pattern: &[(Kind::Delete, 1)], operations: 30_000, each_ns: 1_000 });
    assert!(sim.controller.memory() < 32 << 10, "{} bytes", sim.controller.memory());
    let found = decision(&mut sim);
    assert!(found.reason.len() <= 200 && found.reason.is_ascii(), "{}", found.reason);
    assert!(found.factors.len() <= 8 && found.factors.iter().all(|(name, _)| name.len() < 32));
}
