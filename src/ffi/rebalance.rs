//! The modes of rebalancing: their options, callbacks and statistics.

use std::ffi::{c_char, c_void, CString};
use std::mem::{offset_of, size_of};
use std::ptr;
use std::sync::Arc;

use super::callback::{self, Source, UserData};
use super::options::{self, flag, Versioned};
use super::{guard, h5r_file, h5r_status};
use crate::error::{Error, Result};
use crate::rebalance::{
    IncrementalOptions, LazyOptions, Mode, ModeChange, ModeSet, Progress, RebalanceStats, SmartOptions,
};

/// Records are removed, nothing else is moved.
pub const H5R_MODE_NONE: i32 = 0;
/// Batches are worked off inside the deleting call.
pub const H5R_MODE_LAZY: i32 = 1;
/// A background thread works in small slices.
pub const H5R_MODE_INCREMENTAL: i32 = 2;
/// The operations are watched and one of the other modes is chosen.
pub const H5R_MODE_SMART: i32 = 3;

/// Smart may choose none.
pub const H5R_ALLOW_NONE: u64 = 1;
/// Smart may choose lazy.
pub const H5R_ALLOW_LAZY: u64 = 2;
/// Smart may choose incremental.
pub const H5R_ALLOW_INCREMENTAL: u64 = 4;
/// Smart may choose any mode.
pub const H5R_ALLOW_ALL: u64 = 7;

/// Options of h5r_set_lazy. Start from H5R_LAZY_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_lazy_options {
    /// sizeof(h5r_lazy_options), set by the INIT macro.
    pub struct_size: usize,
    /// Work begins when underfull / all nodes reaches this; 0.01 to 0.20, default 0.05.
    pub threshold: f64,
    /// Work begins when this long has passed since the first unserved deletion or replacement; 1 ms to 24 h, default 300,000.
    pub max_delay_ms: u64,
    /// Nodes that one call works off at most; 1 to 1,000,000, default 100.
    pub batch_size: u64,
}

/// What a background session did. More fields may follow in later versions.
#[repr(C)]
pub struct h5r_progress {
    /// Nodes worked off in this session.
    pub nodes_rebalanced: u64,
    /// Nodes that are still to be worked off.
    pub nodes_remaining: u64,
    /// Estimated time until they are done, from the measured rate.
    pub estimated_remaining_ns: u64,
}

/// Called after each background session, on the background thread; `progress` is valid during the call only.
pub type h5r_progress_callback = Option<unsafe extern "C" fn(progress: *const h5r_progress, user_data: *mut c_void)>;

/// Options of h5r_set_incremental. Start from H5R_INCREMENTAL_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_incremental_options {
    /// sizeof(h5r_incremental_options), set by the INIT macro.
    pub struct_size: usize,
    /// A session works at most this long; 100 us to 10 s, default 100,000.
    pub budget_us: u64,
    /// From the start of one session to the start of the next; 1 ms to 1 h, default 5,000.
    pub interval_ms: u64,
    /// Called after each session, or NULL.
    pub progress: h5r_progress_callback,
    /// Handed to progress as it is.
    pub user_data: *mut c_void,
}

/// One figure that a decision rests on.
#[repr(C)]
pub struct h5r_factor {
    /// Its name, such as "delete_ratio".
    pub name: *const c_char,
    /// Its value.
    pub value: f64,
}

/// A change of mode that smart made, and why. More fields may follow in later versions.
#[repr(C)]
pub struct h5r_mode_change {
    /// H5R_MODE_NONE, _LAZY or _INCREMENTAL.
    pub selected_mode: i32,
    /// The mode before.
    pub previous_mode: i32,
    /// 0 to 1.
    pub confidence: f64,
    /// A sentence with the figures that decided.
    pub reason: *const c_char,
    /// The figures, factor_count of them.
    pub factors: *const h5r_factor,
    /// How many.
    pub factor_count: usize,
    /// When, in nanoseconds since 1970-01-01 UTC.
    pub timestamp_ns: u64,
}

/// Called when smart changed the mode, on the background thread or on one that is using the file; `change` is valid
/// during the call only.
pub type h5r_mode_change_callback =
    Option<unsafe extern "C" fn(change: *const h5r_mode_change, user_data: *mut c_void)>;

/// Options of h5r_set_smart. Start from H5R_SMART_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_smart_options {
    /// sizeof(h5r_smart_options), set by the INIT macro.
    pub struct_size: usize,
    /// 1, the default: watch the operations. 0: only the file's size decides.
    pub auto_detect: i32,
    /// 1, the default: follow the workload. 0: the first choice stays.
    pub auto_switch: i32,
    /// Below this many bytes the mode is none; default 10 MiB.
    pub min_file_size: u64,
    /// A sum of H5R_ALLOW_NONE, _LAZY and _INCREMENTAL, at least one; default H5R_ALLOW_ALL.
    pub allowed_modes: u64,
    /// The longest time between two evaluations; 1 ms to 24 h, default 300,000. While the file is below min_file_size and
    /// on_mode_change is NULL, only calls that read or change something evaluate, and the time may be longer.
    pub reevaluate_ms: u64,
    /// No switch below this confidence; 0 to 1, default 0.7.
    pub min_confidence: f64,
    /// No second switch within this time; 0 to 24 h, default 30,000.
    pub min_switch_interval_ms: u64,
    /// Called when the mode changes, or NULL.
    pub on_mode_change: h5r_mode_change_callback,
    /// Handed to on_mode_change as it is.
    pub user_data: *mut c_void,
}

/// A file's rebalancing: what is, what was done, what it cost. Start from H5R_REBALANCE_STATS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_rebalance_stats {
    /// sizeof(h5r_rebalance_stats), set by the INIT macro.
    pub struct_size: usize,
    /// The mode that was set, H5R_MODE_....
    pub mode: i32,
    /// The mode in effect: the mode set, or smart's choice.
    pub effective_mode: i32,
    /// Nodes of the B-trees in use.
    pub nodes: u64,
    /// Those below half of their capacity; a root never counts.
    pub underfull_nodes: u64,
    /// Records held / records that the nodes could hold, 0 to 1.
    pub occupancy: f64,
    /// Bytes of heap objects.
    pub heap_live_bytes: u64,
    /// Bytes of heap blocks that hold no object.
    pub heap_free_bytes: u64,
    /// The file's allocated size.
    pub file_bytes: u64,
    /// Bytes inside it that nothing uses.
    pub file_free_bytes: u64,
    /// Attributes, links and chunks in B-trees created since the file was opened.
    pub inserts: u64,
    /// Attributes, links and chunks in B-trees deleted.
    pub deletes: u64,
    /// Values replaced, and renames: an h5r_link_move within a group. One to another group counts as a deletion and a
    /// creation.
    pub updates: u64,
    /// Deletions whose traces are not put right yet.
    pub unserved_deletes: u64,
    /// Batches run inside calls.
    pub batches: u64,
    /// Sessions of the background thread.
    pub sessions: u64,
    /// Passes over everything that was due that came to their end.
    pub sweeps: u64,
    /// Nodes worked off.
    pub nodes_rebalanced: u64,
    /// Nodes that the pass in progress has still to visit.
    pub nodes_remaining: u64,
    /// Heap objects moved.
    pub objects_moved: u64,
    /// Their bytes.
    pub bytes_moved: u64,
    /// The longest time that rebalancing kept the file's lock, or its caller waiting, at a stretch; a flush's or a close's part in it, too.
    pub worst_pause_ns: u64,
    /// The time spent in rebalancing.
    pub total_time_ns: u64,
    /// Changes of mode that smart made.
    pub mode_changes: u64,
    /// Evaluations that smart made.
    pub evaluations: u64,
    /// The confidence of smart's latest evaluation, also when another mode was set since; 0 before the first.
    pub confidence: f64,
    /// The mode it found best; H5R_MODE_NONE before the first.
    pub decision: i32,
    /// 0.
    pub reserved: i32,
    /// Its reason, one sentence with a NUL; empty before the first.
    pub reason: [c_char; 256],
    /// Calls that read a value, elements or a chunk, that looked up or listed attributes or links, or opened an object by
    /// its path.
    pub reads: u64,
}

// SAFETY: repr(C), numbers and pointers only; the assertions below say that there is no padding.
unsafe impl Versioned for h5r_lazy_options {
    const NAME: &'static str = "lazy_options";
    const FIRST_SIZE: usize = 32;
    const INIT: Self =
        h5r_lazy_options { struct_size: size_of::<Self>(), threshold: 0.05, max_delay_ms: 300_000, batch_size: 100 };
}

// SAFETY: as above.
unsafe impl Versioned for h5r_incremental_options {
    const NAME: &'static str = "incremental_options";
    const FIRST_SIZE: usize = 40;
    const INIT: Self = h5r_incremental_options {
        struct_size: size_of::<Self>(),
        budget_us: 100_000,
        interval_ms: 5_000,
        progress: None,
        user_data: ptr::null_mut(),
    };
}

// SAFETY: as above.
unsafe impl Versioned for h5r_smart_options {
    const NAME: &'static str = "smart_options";
    const FIRST_SIZE: usize = 72;
    const INIT: Self = h5r_smart_options {
        struct_size: size_of::<Self>(),
        auto_detect: 1,
        auto_switch: 1,
        min_file_size: 10 << 20,
        allowed_modes: H5R_ALLOW_ALL,
        reevaluate_ms: 300_000,
        min_confidence: 0.7,
        min_switch_interval_ms: 30_000,
        on_mode_change: None,
        user_data: ptr::null_mut(),
    };
}

// SAFETY: as above.
unsafe impl Versioned for h5r_rebalance_stats {
    const NAME: &'static str = "rebalance_stats";
    const FIRST_SIZE: usize = 464;
    // SAFETY: numbers only, for which zeros are valid.
    const INIT: Self = h5r_rebalance_stats { struct_size: size_of::<Self>(), ..unsafe { std::mem::zeroed() } };
}

const _: () = {
    assert!(size_of::<h5r_lazy_options>() == offset_of!(h5r_lazy_options, batch_size) + 8);
    assert!(size_of::<h5r_incremental_options>() == 5 * 8);
    assert!(size_of::<h5r_smart_options>() == 9 * 8);
    assert!(size_of::<h5r_rebalance_stats>() == offset_of!(h5r_rebalance_stats, reads) + 8);
    assert!(offset_of!(h5r_rebalance_stats, reads) == h5r_rebalance_stats::FIRST_SIZE);
};

fn mode_number(mode: Mode) -> i32 {
    match mode {
        Mode::None => H5R_MODE_NONE,
        Mode::Lazy => H5R_MODE_LAZY,
        Mode::Incremental => H5R_MODE_INCREMENTAL,
        Mode::Smart => H5R_MODE_SMART,
    }
}

impl h5r_lazy_options {
    fn checked(&self) -> Result<LazyOptions> {
        let options =
            LazyOptions { threshold: self.threshold, max_delay_ms: self.max_delay_ms, batch_size: self.batch_size };
        options.check()?;
        Ok(options)
    }
}

impl h5r_incremental_options {
    fn checked(&self, file: u64) -> Result<IncrementalOptions> {
        let user_data = UserData(self.user_data);
        let progress = self.progress.map(|report| {
            let report = move |progress: &Progress| {
                let progress = h5r_progress {
                    nodes_rebalanced: progress.nodes_rebalanced,
                    nodes_remaining: progress.nodes_remaining,
                    estimated_remaining_ns: progress.estimated_remaining_ns,
                };
                // SAFETY: the user's function, with a struct that lives through the call.
                callback::run(file, Source::Rebalancing, || unsafe { report(&progress, user_data.get()) });
            };
            Arc::new(report) as _
        });
        let options = IncrementalOptions { budget_us: self.budget_us, interval_ms: self.interval_ms, progress };
        options.check()?;
        Ok(options)
    }
}

/// Tells the user of a change of mode.
fn tell(change: &ModeChange, tell: impl FnOnce(&h5r_mode_change)) {
    let c_text = |text: &str| CString::new(text.replace('\0', " ")).unwrap_or_default();
    let reason = c_text(&change.decision.reason);
    let names: Vec<CString> = change.decision.factors.iter().map(|(name, _)| c_text(name)).collect();
    let factors: Vec<h5r_factor> = names
        .iter()
        .zip(&change.decision.factors)
        .map(|(name, &(_, value))| h5r_factor { name: name.as_ptr(), value })
        .collect();
    tell(&h5r_mode_change {
        selected_mode: mode_number(change.decision.mode),
        previous_mode: mode_number(change.previous_mode),
        confidence: change.decision.confidence,
        reason: reason.as_ptr(),
        factors: factors.as_ptr(),
        factor_count: factors.len(),
        timestamp_ns: change.decision.timestamp_ns,
    });
}

impl h5r_smart_options {
    fn checked(&self, file: u64) -> Result<SmartOptions> {
        let user_data = UserData(self.user_data);
        let on_mode_change = self.on_mode_change.map(|told| {
            let told = move |change: &ModeChange| {
                tell(change, |change| {
                    // SAFETY: the user's function, with a struct that lives through the call.
                    callback::run(file, Source::Rebalancing, || unsafe { told(change, user_data.get()) });
                });
            };
            Arc::new(told) as _
        });
        let bits = u32::try_from(self.allowed_modes)
            .map_err(|_| Error::range("smart allowed_modes", self.allowed_modes, "1..7"))?;
        let options = SmartOptions {
            auto_detect: flag("smart auto_detect", self.auto_detect)?,
            auto_switch: flag("smart auto_switch", self.auto_switch)?,
            min_file_size: self.min_file_size,
            allowed_modes: ModeSet::from_bits(bits),
            reevaluate_ms: self.reevaluate_ms,
            min_confidence: self.min_confidence,
            min_switch_interval_ms: self.min_switch_interval_ms,
            on_mode_change,
        };
        options.check()?;
        Ok(options)
    }
}

fn statistics(stats: &RebalanceStats) -> h5r_rebalance_stats {
    let decision = stats.decision.as_ref();
    let mut reason = [0; 256];
    let text = decision.map_or("", |d| &d.reason).bytes().filter(|&byte| byte != 0);
    for (to, from) in reason[..255].iter_mut().zip(text) {
        *to = from as c_char;
    }
    h5r_rebalance_stats {
        struct_size: size_of::<h5r_rebalance_stats>(),
        mode: mode_number(stats.mode),
        effective_mode: mode_number(stats.effective_mode),
        nodes: stats.nodes,
        underfull_nodes: stats.underfull_nodes,
        occupancy: stats.occupancy,
        heap_live_bytes: stats.heap_live_bytes,
        heap_free_bytes: stats.heap_free_bytes,
        file_bytes: stats.file_bytes,
        file_free_bytes: stats.file_free_bytes,
        inserts: stats.inserts,
        deletes: stats.deletes,
        updates: stats.updates,
        unserved_deletes: stats.unserved_deletes,
        batches: stats.batches,
        sessions: stats.sessions,
        sweeps: stats.sweeps,
        nodes_rebalanced: stats.nodes_rebalanced,
        nodes_remaining: stats.nodes_remaining,
        objects_moved: stats.objects_moved,
        bytes_moved: stats.bytes_moved,
        worst_pause_ns: stats.worst_pause_ns,
        total_time_ns: stats.total_time_ns,
        mode_changes: stats.mode_changes,
        evaluations: stats.evaluations,
        confidence: decision.map_or(0.0, |d| d.confidence),
        decision: decision.map_or(H5R_MODE_NONE, |d| mode_number(d.mode)),
        reserved: 0,
        reason,
        reads: stats.reads,
    }
}

/// Sets mode none: deletions move nothing else. Background work has stopped, and no callback comes any more, when this
/// returns.
///
/// Errors: BAD_HANDLE, READ_ONLY, REENTRANT (called from a rebalancing callback), FAILED. Any thread.
#[no_mangle]
pub extern "C" fn h5r_set_none(file: *mut h5r_file) -> h5r_status {
    guard::with_file(file, |entry, handle| {
        callback::refuse_inside_rebalancing(handle, "h5r_set_none")?;
        entry.file.set_none()
    })
}

/// Sets mode lazy: when enough nodes are underfull, or the first unserved deletion is old enough, a deleting call works
/// a batch off. `options` may be NULL for all defaults. Can be called again at any time to change them.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, READ_ONLY, REENTRANT (called from a rebalancing callback), FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_set_lazy(file: *mut h5r_file, options: *const h5r_lazy_options) -> h5r_status {
    guard::with_file(file, |entry, handle| {
        // SAFETY: as this function's documentation asks of the caller.
        let options = unsafe { options::read(options)? }.checked()?;
        callback::refuse_inside_rebalancing(handle, "h5r_set_lazy")?;
        entry.file.set_lazy(&options)
    })
}

/// Sets mode incremental: a background thread works in slices of at most 200 us. Needs lazy to be set first, whose
/// tracking it uses. `options` may be NULL for all defaults. `progress` runs on the background thread; it may call
/// anything on this file but `h5r_close` and `h5r_set_...`, and does not come after these returned on another thread.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, LAZY_REQUIRED, READ_ONLY, REENTRANT (called from a rebalancing callback),
/// LIMIT (no thread), FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_set_incremental(
    file: *mut h5r_file,
    options: *const h5r_incremental_options,
) -> h5r_status {
    guard::with_file(file, |entry, handle| {
        // SAFETY: as this function's documentation asks of the caller.
        let options = unsafe { options::read(options)? }.checked(handle)?;
        callback::refuse_inside_rebalancing(handle, "h5r_set_incremental")?;
        entry.file.set_incremental(options)
    })
}

/// Sets mode smart: h5r watches the operations, chooses among the allowed modes, says why, and follows the workload.
/// `options` may be NULL for all defaults. `on_mode_change` may run on a background thread; it may call anything on
/// this file but `h5r_close` and `h5r_set_...`, and does not come after these returned on another thread.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, READ_ONLY, REENTRANT (called from a rebalancing callback), LIMIT, FAILED. Any
/// thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_set_smart(file: *mut h5r_file, options: *const h5r_smart_options) -> h5r_status {
    guard::with_file(file, |entry, handle| {
        // SAFETY: as this function's documentation asks of the caller.
        let options = unsafe { options::read(options)? }.checked(handle)?;
        callback::refuse_inside_rebalancing(handle, "h5r_set_smart")?;
        entry.file.set_smart(options)
    })
}

/// Does everything that is due, now, whatever the mode: nodes, heap blocks, what fits back into object headers, and, by the
/// next flush, values of variable length in attributes and space inside the file. The file on disk changes with that
/// flush. What is damaged is left as it is, the rest is done, and the damage is the error (CORRUPT); the file stays in use.
///
/// Errors: BAD_HANDLE, READ_ONLY, CORRUPT, IO, FAILED. Any thread; others can go on meanwhile.
#[no_mangle]
pub extern "C" fn h5r_rebalance(file: *mut h5r_file) -> h5r_status {
    guard::with_file(file, |entry, _| entry.file.rebalance())
}

/// Stores the file's statistics in `stats_out`, which the caller initialised with H5R_REBALANCE_STATS_INIT.
///
/// Errors: BAD_HANDLE, ARGUMENT, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_rebalance_status(file: *mut h5r_file, stats_out: *mut h5r_rebalance_stats) -> h5r_status {
    guard::with_file(file, |entry, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { options::output(stats_out, "stats_out")? };
        out.set(statistics(&entry.file.rebalance_status()?));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_engines() {
        assert_eq!(h5r_lazy_options::INIT.checked().unwrap(), LazyOptions::default());
        let (ours, theirs) = (h5r_incremental_options::INIT.checked(0).unwrap(), IncrementalOptions::default());
        assert_eq!((ours.budget_us, ours.interval_ms), (theirs.budget_us, theirs.interval_ms));
        assert!(ours.progress.is_none());
        let facts = |o: SmartOptions| {
            let switches = (o.auto_detect, o.auto_switch, o.allowed_modes, o.on_mode_change.is_none());
            (switches, o.min_file_size, o.reevaluate_ms, o.min_confidence, o.min_switch_interval_ms)
        };
        assert_eq!(facts(h5r_smart_options::INIT.checked(0).unwrap()), facts(SmartOptions::default()));
    }
}
