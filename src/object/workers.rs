//! Work on many chunks by several threads, whose results are taken in order.
//!
//! The threads are the caller's own and such as live as long as the call: none is left behind that a fork, an exit or an
//! unloaded library could meet, and what they work on may be borrowed from the caller.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;
use std::thread;

use parking_lot::{Condvar, Mutex};

use crate::error::Result;
use crate::format::filter::Codec;

/// Results that wait for their turn, per thread.
const WAITING: u64 = 2;

/// Bytes of buffers with which tools are kept for the next call.
const KEPT_BYTES: usize = 16 << 20;

/// What a thread keeps from one chunk to the next. It works without any lock, so that filters of the user's may be called.
pub(super) struct Tools {
    pub codec: Codec,
    /// A chunk as it is stored.
    pub stored: Vec<u8>,
    /// A chunk's elements.
    pub chunk: Vec<u8>,
}

impl Default for Tools {
    fn default() -> Self {
        Tools { codec: Codec::with_callbacks(), stored: Vec::new(), chunk: Vec::new() }
    }
}

/// Processors for this process, asked for once: finding out takes as long as writing a small file.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

/// How many threads the raw data of one file are worked on with, and what they need.
pub(super) struct Workers {
    threads: usize,
    tools: Mutex<Vec<Tools>>,
}

impl Workers {
    /// So many threads for each call; 0: as many as there are processors for this process.
    pub fn new(threads: u32) -> Self {
        let threads = match threads {
            0 => processors(),
            threads => threads as usize,
        };
        Workers { threads, tools: Mutex::default() }
    }

    /// Threads that a call uses.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs work with the tools of an earlier call.
    pub fn with_tools<R>(&self, work: impl FnOnce(&mut Tools) -> R) -> R {
        let mut tools = self.tools.lock().pop().unwrap_or_default();
        let result = work(&mut tools);
        if tools.codec.buffered() + tools.stored.capacity() + tools.chunk.capacity() <= KEPT_BYTES {
            self.tools.lock().push(tools);
        }
        result
    }

    /// Does the jobs that `next` gives, of which there are at most `jobs`, each with `work`, on several threads at once; and
    /// gives what comes out to `take`, one at a time, in the order of the jobs. The first error in that order ends all of it, or
    /// one of `pause`, which the calling thread calls after each of its jobs.
    pub fn run<J, R: Send>(
        &self,
        jobs: u64,
        next: impl FnMut() -> Option<J> + Send,
        work: impl Fn(&mut Tools, J) -> Result<R> + Sync,
        take: impl FnMut(R) -> Result<()> + Send,
        mut pause: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let threads = self.threads.min(usize::try_from(jobs).unwrap_or(usize::MAX)).max(1);
        let line = Line {
            source: Mutex::new((0, next)),
            work,
            take: Mutex::new(take),
            results: Mutex::default(),
            room: Condvar::new(),
            is_over: AtomicBool::new(false),
            window: WAITING * threads as u64,
        };
        if threads == 1 {
            self.with_tools(|tools| line.serve(tools, &mut pause));
        } else {
            thread::scope(|scope| {
                for _ in 1..threads {
                    // One that the system does not give is done without.
                    let helper = || self.with_tools(|tools| line.serve(tools, &mut || Ok(())));
                    let _ = thread::Builder::new().name("h5r-chunks".into()).spawn_scoped(scope, helper);
                }
                self.with_tools(|tools| line.serve(tools, &mut pause));
            });
        }
        line.results.into_inner().error.map_or(Ok(()), Err)
    }
}

/// Jobs on their way.
struct Line<N, W, T, R> {
    /// The number of the next job, and where it comes from.
    source: Mutex<(u64, N)>,
    work: W,
    take: Mutex<T>,
    results: Mutex<Results<R>>,
    /// A result was taken.
    room: Condvar,
    is_over: AtomicBool,
    /// How far a thread may be ahead of the result that is waited for.
    window: u64,
}

struct Results<R> {
    /// The number of the result whose turn it is.
    turn: u64,
    waiting: BTreeMap<u64, Result<R>>,
    /// A thread is taking results.
    is_taken: bool,
    error: Option<crate::error::Error>,
}

impl<R> Default for Results<R> {
    fn default() -> Self {
        Results { turn: 0, waiting: BTreeMap::new(), is_taken: false, error: None }
    }
}

/// Lets the other threads go when one panics.
struct EndOnPanic<'a>(&'a AtomicBool, &'a Condvar);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Release);
            self.1.notify_all();
        }
    }
}

impl<J, N, W, T, R> Line<N, W, T, R>
where
    N: FnMut() -> Option<J>,
    W: Fn(&mut Tools, J) -> Result<R>,
    T: FnMut(R) -> Result<()>,
{
    /// One thread's part.
    fn serve(&self, tools: &mut Tools, pause: &mut dyn FnMut() -> Result<()>) {
        let _end = EndOnPanic(&self.is_over, &self.room);
        while !self.is_over.load(Ordering::Acquire) {
            let (number, job) = {
                let mut source = self.source.lock();
                let Some(job) = (source.1)() else { return };
                source.0 += 1;
                (source.0 - 1, job)
            };
            self.deliver(number, (self.work)(tools, job));
            if let Err(error) = pause() {
                self.results.lock().error.get_or_insert(error);
                self.is_over.store(true, Ordering::Release);
                self.room.notify_all();
            }
        }
    }

    /// Hands a result on, and with it those that waited for it.
    fn deliver(&self, number: u64, result: Result<R>) {
        let mut results = self.results.lock();
        while number >= results.turn + self.window && !self.is_over.load(Ordering::Acquire) {
            self.room.wait_for(&mut results, std::time::Duration::from_millis(100));
        }
        results.waiting.insert(number, result);
        if results.is_taken {
            return;
        }
        results.is_taken = true;
        while !self.is_over.load(Ordering::Acquire) {
            let turn = results.turn;
            let Some(result) = results.waiting.remove(&turn) else { break };
            results.turn += 1;
            drop(results);
            self.room.notify_all();
            let taken = result.and_then(|result| (self.take.lock())(result));
            results = self.results.lock();
            if let Err(error) = taken {
                results.error.get_or_insert(error);
                self.is_over.store(true, Ordering::Release);
            }
        }
        results.is_taken = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    fn run(threads: u32, count: u64, fails: Option<u64>) -> (Vec<u64>, Result<()>) {
        let mut jobs = 0..count;
        let mut taken = Vec::new();
        let work = |_: &mut Tools, job: u64| {
            // The later ones are done first.
            thread::sleep(std::time::Duration::from_micros(if job.is_multiple_of(4) { 300 } else { 10 }));
            match fails {
                Some(number) if number == job => Err(Error::new(ErrorKind::Limit, format!("job {job}"))),
                _ => Ok(job * job),
            }
        };
        let result = Workers::new(threads).run(
            count,
            || jobs.next(),
            work,
            |square| {
                taken.push(square);
                Ok(())
            },
            || Ok(()),
        );
        (taken, result)
    }

    #[test]
    fn results_are_taken_in_order_and_the_first_error_ends_it() {
        for threads in [1, 2, 3, 8, 0] {
            let (taken, result) = run(threads, 100, None);
            assert!(result.is_ok());
            assert_eq!(taken, (0..100).map(|n| n * n).collect::<Vec<u64>>(), "{threads} threads");
            let (taken, result) = run(threads, 100, Some(41));
            assert_eq!(result.unwrap_err().message(), "job 41");
            assert_eq!(taken, (0..41).map(|n| n * n).collect::<Vec<u64>>(), "{threads} threads");
        }
        assert!(run(4, 0, None).1.is_ok());
    }

    #[test]
    fn a_panic_ends_all_threads() {
        let mut jobs = 0..1000u64;
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            Workers::new(4).run(
                1000,
                || jobs.next(),
                |_, job| if job == 50 { panic!("a defect") } else { Ok(()) },
                Ok,
                || Ok(()),
            )
        }));
        assert!(caught.is_err());
    }
}
