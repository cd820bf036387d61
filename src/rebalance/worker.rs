//! The background thread: works in slices, delivers callbacks, and holds no lock while it does.

use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{bounded, Receiver, RecvTimeoutError, Sender};
use parking_lot::Mutex;

use super::options::{ModeChangeCallback, ProgressCallback};
use super::policy;
use super::stats::{ModeChange, Progress};
use super::subject::{self, Host, Subject};
use crate::error::{Error, Result};

/// Mode changes that wait for their callback; more can come only while one callback runs very long.
const CHANGES_MAX: usize = 64;

#[cfg(test)]
thread_local! {
    /// Whether this thread can start no other, as where there are too many.
    pub(super) static REFUSED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// A file's background thread, as its controller holds it.
pub(super) struct Worker {
    shared: Arc<Shared>,
    /// Dropped to wake the thread for its end.
    wake: Option<Sender<()>>,
    thread: JoinHandle<()>,
}

struct Shared {
    /// Set with the file's lock held: no step is begun afterwards.
    stop: AtomicBool,
    /// No callback is begun afterwards, not even one that is due.
    silent: AtomicBool,
    changes: Mutex<VecDeque<ModeChange>>,
    progress: Option<ProgressCallback>,
    on_mode_change: Option<ModeChangeCallback>,
}

impl Worker {
    /// Starts the thread; its first turn comes at once. It does not keep the file alive.
    pub(super) fn start(
        host: Weak<dyn Host>,
        progress: Option<ProgressCallback>,
        on_mode_change: Option<ModeChangeCallback>,
    ) -> Result<Self> {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            changes: Mutex::default(),
            progress,
            on_mode_change,
        });
        let (wake, woken) = bounded(1);
        #[cfg(test)]
        if REFUSED.get() {
            return Err(Error::io("starting the rebalancing thread", std::io::ErrorKind::WouldBlock.into()));
        }
        let thread = thread::Builder::new()
            .name("h5r-rebalance".into())
            .spawn({
                let shared = shared.clone();
                move || run(&shared, &host, &woken)
            })
            .map_err(|e| Error::io("starting the rebalancing thread", e))?;
        Ok(Worker { shared, wake: Some(wake), thread })
    }

    /// Has the thread act on `change`, and the callback told.
    pub(super) fn announce(&self, change: ModeChange) {
        if self.shared.on_mode_change.is_none() {
            return self.wake();
        }
        let mut changes = self.shared.changes.lock();
        if changes.len() == CHANGES_MAX {
            changes.pop_front();
        }
        changes.push_back(change);
        self.wake();
    }

    /// The next turn comes at once.
    fn wake(&self) {
        if let Some(wake) = &self.wake {
            // Full means that the thread is about to look anyway.
            let _ = wake.try_send(());
        }
    }

    /// Tells the thread to end; with the file's lock held.
    pub(super) fn retire(mut self) -> Self {
        self.shared.stop.store(true, Ordering::Release);
        self.wake = None;
        self
    }

    /// Waits for its end, unless called on it.
    pub(super) fn join(self) {
        if self.thread.thread().id() == thread::current().id() {
            self.shared.silent.store(true, Ordering::Release);
            return;
        }
        // A panic was caught inside the thread; there is nothing more to learn here.
        let _ = self.thread.join();
    }
}

/// A background thread that was told to stop.
#[must_use = "join it after the file's lock is released"]
pub struct Retired(pub(super) Option<Worker>);

impl Retired {
    /// Waits until the thread has ended, and with it the last callback. Never with the file's lock held. On that
    /// very thread (a callback that closes the file) it returns at once: the thread ends when the callback returns.
    pub fn join(self) {
        if let Some(worker) = self.0 {
            worker.join();
        }
    }
}

fn run(shared: &Shared, host: &Weak<dyn Host>, woken: &Receiver<()>) {
    let mut wait = Duration::ZERO;
    // Disconnected: the worker is retired.
    while let Ok(()) | Err(RecvTimeoutError::Timeout) = woken.recv_timeout(wait) {
        let Some(host_of_turn) = host.upgrade() else { break };
        let Some(next) = guarded_turn(&*host_of_turn, shared) else { break };
        wait = next;
        drop(host_of_turn);
        shared.deliver_changes(host);
    }
    shared.deliver_changes(host);
}

/// One turn; a panic in it fails the file and ends the thread.
fn guarded_turn(host: &dyn Host, shared: &Shared) -> Option<Duration> {
    match catch_unwind(AssertUnwindSafe(|| turn(host, shared))) {
        Ok(next) => next,
        Err(panic) => {
            let text = panic_text(&*panic);
            host.with(&mut |subject| {
                let error = || Error::internal(format_args!("the background thread panicked: {text}"));
                subject.controller().report(error());
                subject.fail(error());
            });
            None
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

/// Evaluates what is to be evaluated and runs a session when one is due; the time to wait for the next turn, or
/// nothing when the thread is to end.
fn turn(host: &dyn Host, shared: &Shared) -> Option<Duration> {
    let mut begun = None;
    locked(host, shared, &mut |subject| {
        let survey = subject.survey();
        let controller = subject.controller();
        begun = Some((controller.begin_turn(&survey), controller.clock().clone()));
    });
    let (turn, clock) = begun?;
    let start_ns = clock.now_ns();
    if let Some(budget_ns) = turn.session_ns {
        let session = Session { end_ns: start_ns.saturating_add(budget_ns), ..Session::default() };
        if let Some(progress) = session.run(host, shared) {
            shared.deliver_progress(host, &progress);
        }
    }
    let used_ns = clock.now_ns().saturating_sub(start_ns);
    Some(Duration::from_nanos(turn.wait_ns.saturating_sub(used_ns)))
}

/// Runs `work` unless the thread was told to stop or the file is closed; whether it ran.
fn locked(host: &dyn Host, shared: &Shared, work: &mut dyn FnMut(&mut dyn Subject)) -> bool {
    let mut ran = false;
    host.with(&mut |subject| {
        if !shared.stop.load(Ordering::Acquire) {
            work(subject);
            ran = true;
        }
    });
    ran
}

#[derive(Default)]
struct Session {
    end_ns: u64,
    nodes: u64,
    cost_ns: u64,
    idle: u32,
    over: bool,
}

impl Session {
    /// Slices until the budget is used up or nothing is left; what to tell, unless the thread is to end or an error
    /// came, which the next call reports.
    fn run(mut self, host: &dyn Host, shared: &Shared) -> Option<Progress> {
        while !self.over {
            let mut result = Ok(());
            let ran = locked(host, shared, &mut |subject| {
                result = self.slice(subject);
                if let Err(error) = std::mem::replace(&mut result, Ok(())) {
                    self.over = true;
                    self.idle = u32::MAX;
                    subject.controller().report(error);
                }
            });
            if !ran || self.idle == u32::MAX {
                return None;
            }
        }
        let mut progress = None;
        locked(host, shared, &mut |subject| {
            progress = Some(subject.controller().end_session(self.nodes, self.cost_ns));
        });
        progress
    }

    fn slice(&mut self, subject: &mut dyn Subject) -> Result<()> {
        let survey = subject.survey();
        let controller = subject.controller();
        let now_ns = controller.clock().now_ns();
        let due = controller.due_in_background(&survey, now_ns);
        if now_ns >= self.end_ns || !(controller.sweeping() || due.any()) {
            self.over = true;
            return Ok(());
        }
        let max_ns = policy::SLICE_NS.min(self.end_ns - now_ns);
        let (report, cost_ns) = subject::step(subject, u64::MAX, max_ns, due.heap)?;
        self.nodes += report.nodes_done;
        self.cost_ns += cost_ns;
        self.over = report.done || !subject.controller().end_slice(cost_ns);
        subject::check_progress(&report, &mut self.idle)
    }
}

impl Shared {
    fn deliver_progress(&self, host: &dyn Host, progress: &Progress) {
        let Some(callback) = &self.progress else { return };
        if self.stop.load(Ordering::Acquire) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| callback(progress))).is_err() {
            report_callback(host, "progress");
        }
    }

    fn deliver_changes(&self, host: &Weak<dyn Host>) {
        let Some(callback) = &self.on_mode_change else { return };
        while !self.silent.load(Ordering::Acquire) {
            let Some(change) = self.changes.lock().pop_front() else { return };
            if catch_unwind(AssertUnwindSafe(|| callback(&change))).is_err() {
                let Some(host) = host.upgrade() else { return };
                report_callback(&*host, "mode-change");
            }
        }
    }
}

fn report_callback(host: &dyn Host, name: &str) {
    host.with(&mut |subject| {
        subject.controller().report(Error::internal(format_args!("the {name} callback panicked")));
    });
}
