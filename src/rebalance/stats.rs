//! What users are told: the statistics of a file's rebalancing and the arguments of the callbacks.

use super::options::Mode;
use super::subject::StepReport;

/// One figure that a decision of smart rests on: its name and value.
pub type Factor = (&'static str, f64);

/// What smart found at an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The mode that fits best among those allowed.
    pub mode: Mode,
    /// One sentence with the figures that decided; at most 200 bytes of ASCII.
    pub reason: String,
    /// 0 to 1, from the number of operations seen and the steadiness of their pattern.
    pub confidence: f64,
    /// The figures, by name.
    pub factors: Vec<Factor>,
    /// When, in nanoseconds since 1970-01-01 UTC.
    pub timestamp_ns: u64,
}

/// The argument of the mode-change callback.
#[derive(Debug, Clone, PartialEq)]
pub struct ModeChange {
    /// The mode that was in effect before.
    pub previous_mode: Mode,
    /// The mode selected, and why.
    pub decision: Decision,
}

/// The argument of the progress callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Nodes worked off in this session.
    pub nodes_rebalanced: u64,
    /// Nodes that the sweep has still to visit; 0 when it is over.
    pub nodes_remaining: u64,
    /// Estimated wall-clock time until they are done, from the measured rate; 0 when the sweep is over.
    pub estimated_remaining_ns: u64,
}

/// A file's rebalancing: what is, what was done, what it cost.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RebalanceStats {
    /// The mode that was set.
    pub mode: Mode,
    /// The mode in effect: the mode set, or smart's choice.
    pub effective_mode: Mode,

    /// Nodes of the version 2 B-trees in use, and how many of them are below 50 %.
    pub nodes: u64,
    /// Nodes below 50 % of their capacity; a root never counts.
    pub underfull_nodes: u64,
    /// Records held / records that the nodes could hold, 0 to 1; 1 when there are no nodes.
    pub occupancy: f64,
    /// Bytes of heap objects.
    pub heap_live_bytes: u64,
    /// Bytes of heap blocks that hold no object.
    pub heap_free_bytes: u64,
    /// The file's allocated size.
    pub file_bytes: u64,
    /// Bytes inside it that nothing uses.
    pub file_free_bytes: u64,

    /// Attributes, links, and chunks in version 2 B-trees, created since the file was opened.
    pub inserts: u64,
    /// Attributes, links, objects and such chunks deleted.
    pub deletes: u64,
    /// Values replaced, and renames: of a link, within its group; to another group it is a deletion and a creation.
    pub updates: u64,
    /// Look-ups and reads.
    pub reads: u64,
    /// Deletions that no finished sweep has seen yet.
    pub unserved_deletes: u64,

    /// Batches run inside callers' operations.
    pub batches: u64,
    /// Sessions of the background thread that did work.
    pub sessions: u64,
    /// Sweeps over all that was due that came to their end.
    pub sweeps: u64,
    /// Nodes worked off, in all.
    pub nodes_rebalanced: u64,
    /// Nodes that the sweep in progress has still to visit.
    pub nodes_remaining: u64,
    /// Heap objects moved, in all.
    pub objects_moved: u64,
    /// Their bytes.
    pub bytes_moved: u64,
    /// The longest time that rebalancing kept the file's lock, or its caller waiting, at a stretch; a flush's or a close's part in it, too.
    pub worst_pause_ns: u64,
    /// The time spent in rebalancing.
    pub total_time_ns: u64,

    /// Changes of the effective mode that smart made.
    pub mode_changes: u64,
    /// Evaluations that smart made.
    pub evaluations: u64,
    /// Smart's latest finding, whether it led to a switch or not; also when another mode was set since.
    pub decision: Option<Decision>,

    /// The latest error met by rebalancing, also after it was reported.
    pub last_error: Option<String>,
}

/// What a controller has counted since its file was opened.
#[derive(Default)]
pub(super) struct Totals {
    pub reads: u64,
    pub batches: u64,
    pub sessions: u64,
    pub sweeps: u64,
    pub steps: StepReport,
    pub worst_ns: u64,
    pub time_ns: u64,
    pub mode_changes: u64,
    pub evaluations: u64,
    pub decision: Option<Decision>,
}
