//! The last 10,000 operations, as 200 blocks of 50 with their counts: under 10 KiB, and nothing is kept per operation.

/// What an operation does to the indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// An attribute or a link is created.
    Insert = 0,
    /// One is deleted, or an object with its last link.
    Delete = 1,
    /// A value is replaced, or a name changed.
    Update = 2,
    /// Something is looked up or read. It does not end a run of deletions.
    Read = 3,
}

/// Counts of operations by kind, and of the runs of deletions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// By [`Kind`].
    pub kinds: [u64; 4],
    /// Runs of deletions that began: deletions whose predecessor, reads aside, was something else.
    pub runs: u64,
}

impl Counts {
    pub(super) fn of(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize]
    }

    pub(super) fn total(&self) -> u64 {
        self.kinds.iter().sum()
    }

    /// All but reads.
    pub(super) fn changes(&self) -> u64 {
        self.total() - self.of(Kind::Read)
    }

    pub(super) fn since(&self, earlier: &Counts) -> Counts {
        let mut kinds = self.kinds;
        for (count, before) in kinds.iter_mut().zip(earlier.kinds) {
            *count -= before;
        }
        Counts { kinds, runs: self.runs - earlier.runs }
    }
}

/// Running counts: what each operation pays for.
#[derive(Default)]
pub(super) struct Tally {
    pub counts: Counts,
    deleting: bool,
}

impl Tally {
    #[inline]
    pub(super) fn add(&mut self, kind: Kind) {
        self.counts.kinds[kind as usize] += 1;
        let deletes = kind == Kind::Delete;
        self.counts.runs += u64::from(deletes & !self.deleting);
        self.deleting = if kind == Kind::Read { self.deleting } else { deletes };
    }
}

/// Operations of a block.
pub(super) const BLOCK: u64 = 50;
const BLOCKS: usize = 200;

/// Operations that the window spans at most.
#[cfg(test)]
pub(super) const WINDOW: u64 = BLOCK * BLOCKS as u64;

/// A stretch of operations: its counts and how long it took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Stretch {
    pub counts: Counts,
    pub duration_ns: u64,
    /// The mean batch around it, which counts where the stretch holds no more than a part of one.
    pub batch_around: f64,
}

impl Stretch {
    pub(super) fn operations(&self) -> u64 {
        self.counts.total()
    }

    /// Deletions / all operations.
    pub(super) fn delete_ratio(&self) -> f64 {
        self.counts.of(Kind::Delete) as f64 / self.operations().max(1) as f64
    }

    /// Deletions in a row, on average; a run that began before the stretch counts from its start.
    pub(super) fn mean_batch(&self) -> f64 {
        let mean = self.counts.of(Kind::Delete) as f64 / self.counts.runs.max(1) as f64;
        if self.counts.runs <= 1 {
            return mean.max(self.batch_around);
        }
        mean
    }

    /// Operations per second; 0 when no time has passed.
    pub(super) fn rate(&self) -> f64 {
        if self.duration_ns == 0 {
            return 0.0;
        }
        self.operations() as f64 * 1e9 / self.duration_ns as f64
    }
}

#[derive(Clone, Copy, Default)]
struct Block {
    kinds: [u16; 4],
    runs: u16,
    end_ns: u64,
}

/// The ring of blocks.
pub(super) struct Window {
    blocks: Box<[Block]>,
    /// Blocks ever closed; the next goes to this index modulo the length.
    closed: usize,
    /// The counts when the last block was closed.
    base: Counts,
    /// When the oldest block of the ring began.
    start_ns: u64,
}

impl Window {
    /// An empty window that begins at `now_ns`, with the counts as they are.
    pub(super) fn new(now_ns: u64, counts: Counts) -> Self {
        Window { blocks: vec![Block::default(); BLOCKS].into(), closed: 0, base: counts, start_ns: now_ns }
    }

    /// Operations until the open block is full.
    pub(super) fn room(&self, counts: &Counts) -> u64 {
        BLOCK - counts.since(&self.base).total().min(BLOCK - 1)
    }

    /// Closes the open block when it is full.
    pub(super) fn note(&mut self, counts: &Counts, now_ns: u64) {
        let open = counts.since(&self.base);
        if open.total() < BLOCK {
            return;
        }
        let slot = &mut self.blocks[self.closed % BLOCKS];
        if self.closed >= BLOCKS {
            self.start_ns = slot.end_ns;
        }
        // A block is closed as soon as it is full, so its counts fit.
        let fitting = |count: u64| u16::try_from(count).unwrap_or(u16::MAX);
        *slot = Block { kinds: open.kinds.map(fitting), runs: fitting(open.runs), end_ns: now_ns };
        self.closed += 1;
        self.base = *counts;
    }

    /// The closed blocks in `parts` stretches of equal length (the oldest blocks that are over are left out); fewer
    /// when there are not as many blocks.
    pub(super) fn parts(&self, parts: usize) -> Vec<Stretch> {
        let held = self.closed.min(BLOCKS);
        let parts = parts.min(held).max(1);
        let each = held / parts;
        let first = self.closed - each * parts;
        let batch_around = self.whole().mean_batch();
        let part = |part| Stretch { batch_around, ..self.stretch(first + part * each, each) };
        (0..parts).map(part).collect()
    }

    /// All closed blocks.
    pub(super) fn whole(&self) -> Stretch {
        let held = self.closed.min(BLOCKS);
        self.stretch(self.closed - held, held)
    }

    fn stretch(&self, first: usize, blocks: usize) -> Stretch {
        let mut stretch = Stretch::default();
        for index in first..first + blocks {
            let block = &self.blocks[index % BLOCKS];
            for (sum, count) in stretch.counts.kinds.iter_mut().zip(block.kinds) {
                *sum += u64::from(count);
            }
            stretch.counts.runs += u64::from(block.runs);
        }
        if blocks > 0 {
            stretch.duration_ns = self.end_of(first + blocks - 1).saturating_sub(self.begin_of(first));
        }
        stretch
    }

    fn end_of(&self, index: usize) -> u64 {
        self.blocks[index % BLOCKS].end_ns
    }

    fn begin_of(&self, index: usize) -> u64 {
        let oldest = self.closed - self.closed.min(BLOCKS);
        if index == oldest {
            return self.start_ns;
        }
        self.end_of(index - 1)
    }

    /// Bytes of memory.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + std::mem::size_of_val(&*self.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(operations: impl IntoIterator<Item = (Kind, u64)>) -> Window {
        let mut tally = Tally::default();
        let mut window = Window::new(0, Counts::default());
        for (kind, now_ns) in operations {
            tally.add(kind);
            window.note(&tally.counts, now_ns);
        }
        window
    }

    #[test]
    fn it_holds_the_last_ten_thousand_operations_and_their_time() {
        let window =
            fill((1..=10_000).map(|i| (Kind::Insert, i)).chain((1..=10_050).map(|i| (Kind::Delete, 10_000 + 2 * i))));
        let whole = window.whole();
        assert_eq!(whole.operations(), WINDOW);
        assert_eq!(whole.counts.of(Kind::Delete), WINDOW);
        assert_eq!(whole.duration_ns, 2 * WINDOW);
        assert_eq!(whole.rate(), 5e8);
        assert!(window.memory() < 16 << 10, "{} bytes", window.memory());
    }

    #[test]
    fn runs_are_counted_where_they_begin_and_reads_do_not_end_them() {
        let pattern = [Kind::Delete, Kind::Read, Kind::Delete, Kind::Insert, Kind::Delete];
        let window = fill((0..100).map(|i| (pattern[i % 5], i as u64)));
        // Each insert is followed by a run of three deletions; the first run of all is one of two.
        assert_eq!(window.whole().counts.runs, 21);
        assert_eq!(window.whole().delete_ratio(), 0.6);
        let long = fill((0..5_000).map(|i| (Kind::Delete, i)));
        assert_eq!(long.whole().mean_batch(), 5_000.0);
        assert_eq!(long.parts(5)[4].mean_batch(), 5_000.0);
    }

    #[test]
    fn parts_are_equal_and_follow_each_other() {
        let window = fill((1..=10_500).map(|i| (if i <= 6_500 { Kind::Insert } else { Kind::Delete }, i)));
        let parts = window.parts(5);
        assert_eq!(parts.iter().map(Stretch::operations).collect::<Vec<_>>(), [2_000; 5]);
        assert_eq!(parts.iter().map(|p| p.duration_ns).collect::<Vec<_>>(), [2_000; 5]);
        assert_eq!(parts.iter().map(Stretch::delete_ratio).collect::<Vec<_>>(), [0.0, 0.0, 0.0, 1.0, 1.0]);
        assert_eq!(fill([]).parts(5), [Stretch::default()]);
    }

    #[test]
    fn reads_without_end_take_no_more_room_and_do_not_wrap_around() {
        let window = fill((1..=3_000_000).map(|i| (if i % 1_000_000 == 0 { Kind::Delete } else { Kind::Read }, i)));
        assert_eq!((window.whole().operations(), window.whole().counts.of(Kind::Delete)), (WINDOW, 1));
        assert_eq!(window.whole().mean_batch(), 1.0);
        assert!(window.memory() < 16 << 10, "{} bytes", window.memory());
        // A block that is closed late.
        let mut late = Window::new(0, Counts::default());
        late.note(&Counts { kinds: [0, 1, 0, 70_000], runs: 1 }, 1);
        assert_eq!(late.whole().counts, Counts { kinds: [0, 1, 0, 65_535], runs: 1 });
    }
}
