//! The background thread, with real threads and time but without sleeping: callbacks tell when something happened.

use std::sync::Arc;
use std::thread;

use crossbeam_channel::{unbounded, Receiver};

use super::sim::*;
use super::*;
use crate::error::ErrorKind;

/// Half of the records deleted, in a mode that leaves them.
fn worn(nodes: u64) -> Sim {
    let mut sim = Sim::new(nodes);
    for _ in 0..sim.records() / 2 {
        sim.delete(1).unwrap();
    }
    sim
}

/// Sessions of 200 µs (the simulated clock's) at each millisecond (the real one's), which tell.
fn telling() -> (IncrementalOptions, Receiver<Progress>) {
    let (tell, told) = unbounded();
    let progress: ProgressCallback = Arc::new(move |progress| tell.send(*progress).unwrap());
    (IncrementalOptions { budget_us: 200, interval_ms: 1, progress: Some(progress) }, told)
}

#[test]
fn sessions_keep_to_their_budget_and_tell_how_far_they_are() {
    let file = SimFile::new(worn(500));
    let (options, told) = telling();
    file.set_incremental(options);
    let first = told.recv().unwrap();
    assert!((1..=64).contains(&first.nodes_rebalanced), "{first:?}");
    assert!(first.nodes_remaining >= 400 && first.estimated_remaining_ns > 1_000_000, "{first:?}");
    let mut sum = first.nodes_rebalanced;
    let last = loop {
        let next = told.recv().unwrap();
        sum += next.nodes_rebalanced;
        if next.nodes_remaining == 0 {
            break next;
        }
    };
    assert_eq!((sum, last.estimated_remaining_ns), (500, 0));
    file.close();
    let stats = file.sim.lock().stats();
    assert!(stats.occupancy >= 0.9 && stats.sessions >= 8 && stats.batches == 0, "{stats:?}");
    assert_eq!((stats.unserved_deletes, stats.heap_free_bytes), (0, 0));
    assert!(stats.worst_pause_ns < 1_000_000, "{}", stats.worst_pause_ns);
    assert!(told.try_recv().is_err(), "no session without work");
}

#[test]
fn holes_of_replaced_values_are_the_threads_to_put_right() {
    let mut sim = Sim::new(300);
    let records = sim.records();
    (0..records / 2).for_each(|_| sim.replace(1).unwrap());
    let file = SimFile::new(sim);
    let (options, told) = telling();
    file.set_incremental(options);
    while told.recv().unwrap().nodes_remaining > 0 {}
    file.close();
    let stats = file.sim.lock().stats();
    assert_eq!((stats.deletes, stats.heap_free_bytes), (0, 0));
}

#[test]
fn what_is_old_is_the_threads_before_it_is_a_callers() {
    let mut sim = Sim::new(300);
    sim.nodes.iter_mut().for_each(|n| *n = 190);
    sim.heap_bytes = sim.records() * 48;
    (0..2_500).for_each(|_| sim.delete(1).unwrap());
    let clock = sim.clock.clone();
    let file = SimFile::new(sim);
    let (options, told) = telling();
    file.set_incremental(options);
    // Less than it would begin a session for: a twentieth of the heap is free.
    assert!(told.recv_timeout(std::time::Duration::from_millis(20)).is_err());
    clock.advance_ms(LazyOptions::default().max_delay_ms / 2);
    while told.recv().unwrap().nodes_remaining > 0 {}
    let mut sim = file.sim.lock();
    clock.advance_ms(LazyOptions::default().max_delay_ms);
    (0..1_000).for_each(|_| sim.operation(Kind::Insert, 1_000).unwrap());
    let stats = sim.stats();
    assert_eq!((stats.batches, stats.heap_free_bytes, stats.unserved_deletes), (0, 0, 0));
    drop(sim);
    file.close();
}

#[test]
fn closing_ends_the_thread_and_no_callback_comes_after() {
    for _ in 0..20 {
        let file = SimFile::new(worn(300));
        let (options, told) = telling();
        file.set_incremental(options);
        file.close();
        // The sender is gone with the thread and the callback once the options are replaced, too.
        let before = told.len();
        file.sim.lock().controller.set_none().join();
        assert_eq!(told.len(), before);
        while told.recv().is_ok() {}
    }
}

#[test]
fn a_callback_may_close_its_file() {
    let file = SimFile::new(worn(300));
    let (tell, told) = unbounded();
    let inside = Arc::downgrade(&file);
    let progress: ProgressCallback = Arc::new(move |_| {
        inside.upgrade().unwrap().close();
        tell.send(()).unwrap();
    });
    file.set_incremental(IncrementalOptions { progress: Some(progress), ..IncrementalOptions::default() });
    told.recv().unwrap();
    file.sim.lock().controller.set_none().join();
    // The callback and with it the sender is dropped when the thread has ended: it did.
    assert!(told.recv().is_err());
}

#[test]
fn a_callback_may_retune_while_another_thread_closes() {
    for _ in 0..20 {
        let file = SimFile::new(worn(300));
        let (tell, told) = unbounded();
        let inside = Arc::downgrade(&file);
        let progress: ProgressCallback = Arc::new(move |_| {
            let _ = tell.send(());
            let retired = inside.upgrade().map(|file| file.sim.lock().controller.set_none());
            retired.into_iter().for_each(Retired::join);
        });
        file.set_incremental(IncrementalOptions { progress: Some(progress), ..IncrementalOptions::default() });
        told.recv().unwrap();
        let closer = file.clone();
        thread::spawn(move || closer.close()).join().unwrap();
    }
}

#[test]
fn an_error_in_the_background_is_reported_by_the_next_call_and_stops_the_work() {
    let mut sim = worn(100);
    sim.fault = Some(Fault::Error);
    let file = SimFile::new(sim);
    let (options, told) = telling();
    file.set_incremental(options);
    let error = loop {
        if let Some(error) = file.sim.lock().controller.take_error() {
            break error;
        }
        thread::yield_now();
    };
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().starts_with("version 2 B-tree leaf at"), "{error}");
    let mut sim = file.sim.lock();
    assert!(sim.controller.take_error().is_none());
    assert_eq!((sim.steps, sim.stats().last_error.as_deref()), (1, Some(error.message())));
    assert!(sim.failed.is_none());
    drop(sim);
    file.close();
    assert!(told.is_empty());
}

#[test]
fn a_panic_in_the_background_fails_the_file() {
    let mut sim = worn(100);
    sim.fault = Some(Fault::Panic);
    let file = SimFile::new(sim);
    file.set_incremental(IncrementalOptions::default());
    loop {
        if let Some(error) = &file.sim.lock().failed {
            assert_eq!(error.message(), "internal error in h5r: the background thread panicked: made up");
            break;
        }
        thread::yield_now();
    }
    assert_eq!(file.sim.lock().controller.take_error().unwrap().kind(), ErrorKind::Internal);
    file.close();
}

#[test]
fn a_callback_that_panics_is_reported() {
    let file = SimFile::new(worn(100));
    let progress: ProgressCallback = Arc::new(|_| panic!("the user's"));
    file.set_incremental(IncrementalOptions { progress: Some(progress), ..IncrementalOptions::default() });
    let error = loop {
        if let Some(error) = file.sim.lock().controller.take_error() {
            break error;
        }
        thread::yield_now();
    };
    assert_eq!(error.message(), "internal error in h5r: the progress callback panicked");
    assert!(file.sim.lock().failed.is_none());
    file.close();
}

#[test]
fn mode_changes_are_told_without_the_lock_and_before_closing_returns() {
    let file = SimFile::new(Sim::new(2_000));
    file.sim.lock().file_bytes = Some(100_000_000);
    let (tell, told) = unbounded();
    let inside = Arc::downgrade(&file);
    let on_mode_change: ModeChangeCallback = Arc::new(move |change| {
        // The lock is free: the callback may ask the file.
        let effective = inside.upgrade().map(|file| file.sim.lock().controller.effective_mode());
        tell.send((change.clone(), effective)).unwrap();
    });
    file.set_smart(SmartOptions { on_mode_change: Some(on_mode_change), ..SmartOptions::default() });
    for _ in 0..1_000 {
        file.sim.lock().delete(1_000).unwrap();
    }
    file.close();
    let (change, effective) = told.try_recv().unwrap();
    assert_eq!((change.previous_mode, change.decision.mode), (Mode::None, Mode::Lazy));
    assert!(change.decision.confidence >= 0.7 && change.decision.reason.contains("deletions"), "{change:?}");
    assert_eq!(effective, Some(Mode::Lazy));
    assert_eq!(change.decision.factors[0], ("delete_ratio", 1.0));
    assert!(told.try_recv().is_err());
}

#[test]
fn smart_sets_the_thread_to_work_when_it_chooses_incremental() {
    let file = SimFile::new(worn(300));
    file.sim.lock().file_bytes = Some(600_000_000);
    let (options, told) = telling();
    file.set_incremental(options);
    while told.recv().unwrap().nodes_remaining > 0 {}
    // Its parameters and its callback stay in use.
    file.set_smart(SmartOptions { auto_detect: false, ..SmartOptions::default() });
    assert_eq!(file.sim.lock().controller.effective_mode(), Mode::Incremental);
    let deletions = file.sim.lock().records() / 2;
    for _ in 0..deletions {
        file.sim.lock().delete(1).unwrap();
    }
    while told.recv().unwrap().nodes_remaining > 0 {}
    file.close();
}

#[test]
fn smart_has_a_thread_once_it_has_something_to_do() {
    let file = SimFile::new(worn(300));
    file.sim.lock().file_bytes = Some(1_000_000);
    let (options, told) = telling();
    file.set_incremental(options);
    while told.recv().unwrap().nodes_remaining > 0 {}
    file.set_smart(SmartOptions { auto_detect: false, ..SmartOptions::default() });
    assert!(!file.sim.lock().controller.has_thread(), "a small file, and nobody to tell");
    file.sim.lock().file_bytes = Some(600_000_000);
    let deletions = file.sim.lock().records() / 2;
    for _ in 0..deletions {
        file.sim.lock().delete(1).unwrap();
    }
    assert!(file.sim.lock().controller.has_thread());
    while told.recv().unwrap().nodes_remaining > 0 {}
    file.close();
    assert!(!file.sim.lock().controller.has_thread());
}

#[test]
fn smart_has_a_thread_after_a_flush_of_a_file_that_has_grown() {
    let file = SimFile::new(worn(300));
    file.sim.lock().file_bytes = Some(1_000_000);
    file.set_smart(SmartOptions { auto_detect: false, ..SmartOptions::default() });
    // By raw data, which are no operations; and then too few of them to be a reason to evaluate.
    file.sim.lock().file_bytes = Some(600_000_000);
    for _ in 0..400 {
        file.sim.lock().delete(1).unwrap();
    }
    assert!(!file.sim.lock().controller.has_thread());
    before_flush(&mut *file.sim.lock()).unwrap();
    assert!(file.sim.lock().controller.has_thread(), "time alone has it evaluated from now on");
    file.close();
    before_flush(&mut *file.sim.lock()).unwrap();
    assert!(!file.sim.lock().controller.has_thread());
}

#[test]
fn a_thread_that_does_not_start_is_reported_once() {
    let file = SimFile::new(worn(300));
    file.sim.lock().file_bytes = Some(1_000_000);
    file.set_smart(SmartOptions { auto_detect: false, ..SmartOptions::default() });
    let mut sim = file.sim.lock();
    sim.file_bytes = Some(600_000_000);
    super::worker::REFUSED.set(true);
    let mut errors = 0;
    for _ in 0..20_000 {
        sim.delete(1).unwrap();
        errors += u32::from(sim.controller.take_error().is_some());
    }
    assert_eq!(errors, 1);
    super::worker::REFUSED.set(false);
    for _ in 0..20_000 {
        sim.operation(Kind::Insert, 1).unwrap();
    }
    assert!(!sim.controller.has_thread(), "rebalancing rests until a mode is set");
    drop(sim);
    file.set_smart(SmartOptions { auto_detect: false, ..SmartOptions::default() });
    assert!(file.sim.lock().controller.has_thread());
    file.close();
}

#[test]
fn a_dropped_file_ends_its_thread() {
    let file = SimFile::new(Sim::new(10));
    let (tell, told) = unbounded::<()>();
    let progress: ProgressCallback = Arc::new(move |_| tell.send(()).unwrap());
    file.set_incremental(IncrementalOptions { interval_ms: 3_600_000, progress: Some(progress), ..Default::default() });
    drop(file);
    assert!(told.recv().is_err());
}
