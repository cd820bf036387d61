//! One open file: its lock, its life from create or open to close, and its rebalancing mode.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};

use crate::error::{Error, ErrorKind, Result};
use crate::format::Sizes;
use crate::object::check::Report;
use crate::object::copy::Files;
use crate::object::face::Object;
use crate::object::options::{CreateOptions, Durability, OpenOptions};
use crate::object::progress::{Listener, Progress};
use crate::object::registry::{self, FileId};
use crate::object::state::{Objects, Slot, State};
use crate::object::workers::Workers;
use crate::object::{check, extents, open, path};
use crate::rebalance::{
    self, Controller, Host, IncrementalOptions, LazyOptions, RebalanceStats, Retired, SmartOptions, Subject, Survey,
};
use crate::store::recover::Recovery;
use crate::store::{Backend, Store};

/// What handles of one file share.
pub(super) struct Shared {
    state: Mutex<State>,
    path: PathBuf,
    /// What works on raw data outside the lock.
    pub workers: Workers,
    pub listener: Listener,
    /// Its identity, if it is one of the operating system's.
    id: Option<FileId>,
    /// How it was opened, and so are files that its links lead to.
    access: OpenOptions,
    /// Nothing but links of other files led to it: what is changed is committed with them.
    pub is_led_to: bool,
    /// Files that links of this one led to, which may be open still.
    led_to: Mutex<Vec<Weak<Shared>>>,
}

/// An open HDF5 file. Clones are handles of the same open file.
#[derive(Clone)]
pub struct File {
    pub(super) shared: Arc<Shared>,
}

/// The state, locked. A panic while it is held leaves a state that nobody knows: the file then accepts only close.
pub(super) struct Guard<'a>(MutexGuard<'a, State>);

impl std::ops::Deref for Guard<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0
    }
}

impl std::ops::DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.0
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        drop(Latch(&mut self.0));
    }
}

/// The state, at the end of work that may have panicked.
struct Latch<'a>(&'a mut State);

impl Drop for Latch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store.fail();
        }
    }
}

impl Shared {
    /// The state of the open file.
    pub fn lock(&self) -> Result<Guard<'_>> {
        let mut guard = Guard(self.state.lock());
        if !guard.open {
            return Err(Error::new(ErrorKind::Closed, format!("file '{}' is closed", self.path.display())));
        }
        guard.store.check_usable()?;
        match guard.maintenance.controller.take_error() {
            Some(error) => Err(error.within("rebalancing in the background")),
            None => Ok(guard),
        }
    }

    /// Runs a read.
    pub fn read<R>(&self, work: impl FnOnce(&mut State) -> Result<R>) -> Result<R> {
        let mut state = self.lock()?;
        state.store.trim_cache();
        work(&mut state)
    }

    /// Runs a change, and what rebalancing is due after it. A change that fails after it has begun to edit leaves a
    /// state that is not known, and latches.
    pub fn change<R>(&self, work: impl FnOnce(&mut State) -> Result<R>) -> Result<R> {
        let mut state = self.lock()?;
        state.store.check_writable()?;
        state.store.trim_cache();
        state.begin_changing()?;
        let before = state.store.edits();
        let result = work(&mut state);
        if result.is_err() && state.store.edits() != before {
            state.store.fail();
        }
        let value = result?;
        let served = if state.maintenance.is_due() { state.serve() } else { Ok(()) };
        // Before the value can be dropped: it may be a handle, which then takes the lock itself.
        drop(state);
        served.map(|()| value)
    }

    /// Runs a change of `target` that reads `source`, which may be the same file. Both are locked, always in the same order,
    /// so that two threads that copy in both directions never wait for each other. `work` leaves the files as they were
    /// where it fails, or makes them fail.
    pub fn change_from<R>(
        source: &Shared,
        target: &Shared,
        work: impl FnOnce(&mut Files<'_>) -> Result<R>,
    ) -> Result<R> {
        let mut guards = match (source as *const Shared).cmp(&(target as *const Shared)) {
            Ordering::Equal => (target.lock()?, None),
            Ordering::Less => {
                let from = source.lock()?;
                (target.lock()?, Some(from))
            }
            Ordering::Greater => {
                let to = target.lock()?;
                (to, Some(source.lock()?))
            }
        };
        guards.0.store.check_writable()?;
        guards.0.begin_changing()?;
        let value = match &mut guards {
            (both, None) => work(&mut Files::One(both))?,
            (to, Some(from)) => work(&mut Files::Two { from, to })?,
        };
        let (mut state, _) = guards;
        match state.maintenance.is_due() {
            true => state.serve().map(|()| value),
            false => Ok(value),
        }
    }

    /// Closes the file; everything opened from it is dead afterwards, whatever is returned.
    fn close(&self) -> Result<()> {
        let mut state = Guard(self.state.lock());
        if !state.open {
            return Err(Error::new(ErrorKind::Closed, "the file is closed already"));
        }
        let retired = state.maintenance.controller.stop();
        let background = state.maintenance.controller.take_error();
        let result = state.finish();
        state.open = false;
        state.objects = Objects::default();
        state.store = Store::in_memory();
        drop(state);
        self.leave();
        retired.join();
        match background {
            Some(error) if result.is_ok() => Err(error.within("rebalancing in the background")),
            _ => result,
        }
    }

    /// The file can be opened again.
    fn leave(&self) {
        if let Some(id) = self.id {
            registry::leave(id, self);
        }
    }

    /// A visit is over, which had objects keep their addresses.
    pub fn end_visit(&self) {
        let mut state = Guard(self.state.lock());
        state.pinned.visits = state.pinned.visits.saturating_sub(1);
    }

    /// A handle of the object in `slot` is gone.
    pub fn release(&self, slot: Slot) {
        let mut state = Guard(self.state.lock());
        if state.open && state.release(slot).is_err() && !state.store.read_only() {
            state.store.fail();
        }
    }
}

impl Host for Shared {
    fn with(&self, work: &mut dyn FnMut(&mut dyn Subject)) -> bool {
        let mut state = self.state.lock();
        if !state.open {
            return false;
        }
        state.store.trim_cache();
        work(&mut *Latch(&mut state).0);
        MutexGuard::unlock_fair(state);
        true
    }
}

impl Drop for Shared {
    /// The last handle is gone without a close: nothing that was done is lost, but nobody hears of an error.
    fn drop(&mut self) {
        let is_open = self.state.get_mut().open;
        // Also after a panic: others may wait for it.
        let _leaving = Leaving(self);
        if is_open {
            let _ = self.close();
        }
    }
}

/// A file that can be opened again when this is dropped.
struct Leaving<'a>(&'a Shared);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl File {
    /// Creates a file; an existing one is replaced unless the options say otherwise. The empty file is on disk when
    /// this returns.
    pub fn create(path: &Path, options: &CreateOptions) -> Result<File> {
        let make = || -> Result<File> {
            let (backend, id) = open::create_path(path, options)?;
            let file = File::of(open::create_flushed(backend, options)?, path, Some(id), options.access(), false);
            if options.durability == Durability::Power {
                open::sync_folder(path)?;
            }
            Ok(file)
        };
        make().map_err(|e| e.within(format_args!("creating file '{}'", path.display())))
    }

    /// Creates a file on a backend; `path` is its name in messages.
    pub fn create_on(backend: Box<dyn Backend>, path: &Path, options: &CreateOptions) -> Result<File> {
        Ok(File::of(open::create_flushed(backend, options)?, path, None, options.access(), false))
    }

    /// Opens a file, for reading and writing unless the options say otherwise.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<File> {
        File::open_as(path, options, false)
    }

    /// As [`File::open`]; whether links of another file led to it.
    pub(super) fn open_as(path: &Path, options: &OpenOptions, is_led_to: bool) -> Result<File> {
        let make = || {
            let (backend, id) = open::open_path(path, options).map_err(Error::or_not_found)?;
            Ok(File::of(open::open(backend, options)?, path, Some(id), options.clone(), is_led_to))
        };
        make().map_err(|e: Error| e.within(format_args!("opening file '{}'", path.display())))
    }

    /// Opens what a backend holds; `path` is its name in messages.
    pub fn open_on(backend: Box<dyn Backend>, path: &Path, options: &OpenOptions) -> Result<File> {
        Ok(File::of(open::open(backend, options)?, path, None, options.clone(), false))
    }

    fn of(state: State, path: &Path, id: Option<FileId>, access: OpenOptions, is_led_to: bool) -> File {
        let (path, workers, is_written) = (path.to_path_buf(), Workers::new(access.threads), !access.read_only);
        let (state, listener, led_to) = (Mutex::new(state), Listener::default(), Mutex::default());
        let shared = Arc::new(Shared { state, path, workers, listener, id, access, is_led_to, led_to });
        if let Some(id) = id.filter(|_| is_written) {
            registry::enter(id, &shared);
        }
        File { shared }
    }

    /// The file's identity, if it is one of the operating system's.
    pub(super) fn id(&self) -> Option<FileId> {
        self.shared.id
    }

    /// How files are opened that this one leads to: as it was itself.
    pub(super) fn access(&self) -> Result<OpenOptions> {
        let durability = self.shared.read(|state| Ok(state.store.durability()))?;
        Ok(OpenOptions { durability, ..self.shared.access.clone() })
    }

    /// A link of this file led to another one: what changes there is committed with this file.
    pub(super) fn led_to(&self, other: &File) {
        let other = Arc::downgrade(&other.shared);
        let mut all = self.shared.led_to.lock();
        all.retain(|led_to| led_to.strong_count() > 0 && !led_to.ptr_eq(&other));
        all.push(other);
    }

    /// The open files that links led to from this one, and from these.
    fn beyond(&self) -> Vec<File> {
        let mut found = vec![self.clone()];
        let mut at = 0;
        while let Some(file) = found.get(at) {
            let all: Vec<_> = file.shared.led_to.lock().iter().filter_map(Weak::upgrade).collect();
            for shared in all {
                if !found.iter().any(|file| Arc::ptr_eq(&file.shared, &shared)) {
                    found.push(File { shared });
                }
            }
            at += 1;
        }
        found.split_off(1)
    }

    /// The path by which the file was opened.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The sizes of the file's addresses and lengths.
    pub fn sizes(&self) -> Result<Sizes> {
        self.shared.read(|state| Ok(state.store.sizes()))
    }

    /// An object of the global heap collection at `address`: what a variable-length element or a region reference
    /// refers to.
    pub fn global_heap_object(&self, address: u64, index: u32) -> Result<Vec<u8>> {
        self.shared.read(|state| state.heap.get(&mut state.store, address, index).map(<[u8]>::to_vec))
    }

    /// A handle of the root group.
    pub fn root(&self) -> Result<Object> {
        self.shared.read(|state| {
            let slot = path::root(state)?;
            Object::of(&self.shared, state, slot, "/".into())
        })
    }

    /// Writes everything that changed. When it returns, the file on disk is a valid HDF5 file of this state, and so are those
    /// that external links led to.
    pub fn flush(&self) -> Result<()> {
        let flushed = self.flush_only();
        flushed.and(self.flush_beyond())
    }

    /// As [`File::flush`], without other files.
    pub(super) fn flush_only(&self) -> Result<()> {
        let mut state = self.shared.lock().map_err(|e| self.explain(e, "flushing"))?;
        state.flush().map_err(|e| self.explain(e, "flushing"))
    }

    /// Writes everything that changed in files that external links led to.
    pub fn flush_beyond(&self) -> Result<()> {
        let flushed = self.beyond().into_iter().map(|file| file.flush_only());
        flushed.fold(Ok(()), Result::and)
    }

    /// What flushes survive from now on.
    pub fn set_durability(&self, durability: Durability) -> Result<()> {
        let mut state = self.shared.lock()?;
        state.store.check_writable()?;
        state.store.set_durability(durability);
        Ok(())
    }

    /// What opening the file had to do because a flush had been interrupted.
    pub fn recovery(&self) -> Result<Recovery> {
        self.shared.read(|state| Ok(state.recovery))
    }

    /// Mode none: a deletion removes the record and moves nothing else.
    pub fn set_none(&self) -> Result<()> {
        self.set_mode(|controller, _, _| Ok(controller.set_none()))
    }

    /// Mode lazy: batches of nodes are put right inside deleting calls.
    pub fn set_lazy(&self, options: &LazyOptions) -> Result<()> {
        self.set_mode(|controller, _, _| controller.set_lazy(options))
    }

    /// Mode incremental: a background thread puts right in small slices. Lazy has to be set before.
    pub fn set_incremental(&self, options: IncrementalOptions) -> Result<()> {
        self.set_mode(|controller, _, host| controller.set_incremental(options, host))
    }

    /// Mode smart: watches the operations and chooses among the other modes.
    pub fn set_smart(&self, options: SmartOptions) -> Result<()> {
        self.set_mode(|controller, survey, host| controller.set_smart(options, survey, host))
    }

    fn set_mode(&self, set: impl FnOnce(&mut Controller, &Survey, Weak<dyn Host>) -> Result<Retired>) -> Result<()> {
        let host: Arc<dyn Host> = self.shared.clone();
        let mut state = self.shared.lock()?;
        state.store.check_writable()?;
        let survey = state.survey();
        let retired = set(&mut state.maintenance.controller, &survey, Arc::downgrade(&host))?;
        drop(state);
        retired.join();
        Ok(())
    }

    /// Does all rebalancing that is due in the whole file, now. Other threads' calls are served in between. Freed space
    /// is reused, and the file shrinks, with the next flush. What is damaged stays as it is: it is the error, when the rest is
    /// done.
    pub fn rebalance(&self) -> Result<()> {
        let run = || {
            self.shared.change(|state| {
                state.maintenance.take_damage();
                state.ask_for_free_space()
            })?;
            self.shared.change(State::begin_search)?;
            while !self.shared.change(State::search_on)? {}
            self.shared.change(State::begin_bringing_back)?;
            while !self.shared.change(State::bring_back_on)? {}
            rebalance::complete_in_slices(&*self.shared)?;
            self.shared.change(|state| {
                state.maintenance.ask_for_raw_trim();
                state.maintenance.take_damage().map_or(Ok(()), Err)
            })
        };
        run().map_err(|e| self.explain(e, "rebalancing"))
    }

    /// The figures of the file's rebalancing.
    pub fn rebalance_status(&self) -> Result<RebalanceStats> {
        self.shared.read(|state| {
            state.touch_all_dense()?;
            let survey = state.survey();
            Ok(state.maintenance.controller.stats(&survey))
        })
    }

    /// Does the rebalancing that the mode promises for closing, flushes, and closes the file and everything opened from
    /// it. The file is closed whatever is returned. Files that external links led to are flushed.
    pub fn close(&self) -> Result<()> {
        self.shared.listener.set(None);
        let flushed = self.flush_beyond();
        self.shared.close().map_err(|e| self.explain(e, "closing")).and(flushed)
    }

    /// Checks every structure that can be reached; the first fault is the error.
    pub fn check(&self) -> Result<()> {
        self.shared.read(|state| check::check(state, false)).map_err(|e| self.explain(e, "checking"))
    }

    /// Checks every structure that can be reached, as it is in memory, and the space of the whole file, and reports at
    /// most `max_findings` findings. [`check_path`](crate::object::check::check_path) reads everything from the file.
    pub fn check_report(&self, max_findings: usize) -> Result<Report> {
        let mut report = Report::new(max_findings);
        self.shared.read(|state| check::report(state, false, &mut report)).map_err(|e| self.explain(e, "checking"))?;
        Ok(report)
    }

    /// [`File::check`], and what only the flushed state must keep: the floors of B-tree nodes. For a file just opened.
    #[doc(hidden)]
    pub fn check_flushed(&self) -> Result<()> {
        self.shared.read(|state| check::check(state, true)).map_err(|e| self.explain(e, "checking"))
    }

    /// What the file uses: addresses and lengths, ascending.
    #[doc(hidden)]
    pub fn used_extents(&self) -> Result<Vec<(u64, u64)>> {
        let extents = self.shared.read(extents::used_extents)?;
        Ok(extents.iter().map(|extent| (extent.address, extent.length)).collect())
    }

    /// Breaks the deferred reuse of space, on purpose: `Space::reuse_at_once`.
    #[doc(hidden)]
    pub fn reuse_at_once(&self) -> Result<()> {
        self.shared.change(|state| {
            state.store.space_mut().reuse_at_once();
            Ok(())
        })
    }

    /// Reports the progress of long calls with raw data to this one from now on, or to no one. The one before is not called any
    /// more when this returns.
    pub fn set_progress(&self, progress: Option<Arc<Progress>>) -> Result<()> {
        self.shared.lock()?;
        self.shared.listener.set(progress);
        Ok(())
    }

    /// Accepts nothing but close from now on.
    pub fn fail(&self) {
        self.shared.state.lock().store.fail();
    }

    #[cold]
    fn explain(&self, error: Error, what: &str) -> Error {
        error.within(format_args!("{what} file '{}'", self.shared.path.display()))
    }
}
