//! Smart: which mode fits the operations that were seen, why, and how sure that is.

use super::clock::MS;
use super::options::{Mode, SmartOptions};
use super::stats::Decision;
use super::subject::Survey;
use super::window::{Counts, Kind, Stretch, Window};

/// Above this part of deletions the indexes need attention.
const DELETE_RATIO: f64 = 0.20;
/// More deletions in a row than this are a batch.
const BATCH: f64 = 100.0;
/// Operations per second above which pauses hurt.
const RATE: f64 = 1000.0;
/// Bytes above which lazy's work is better done in the background.
const LARGE_FILE: u64 = 500_000_000;
/// With fewer deletions, too, lazy is worth it when this part of the nodes is underfull...
const UNDERFULL_RATIO: f64 = 0.20;
/// ... or this part of the heaps is free.
const HEAP_FREE_RATIO: f64 = 0.30;

/// Of a figure in a reason.
const MOST_DECIMALS: usize = 9;

/// Stretches of the window that are compared with the whole.
const PARTS: usize = 5;
/// With this many operations the sample alone gives a confidence of one half; it tends to 1.
const HALF_SURE: f64 = 200.0;
/// The first evaluation comes after this many operations, the next at twice as many, and so on ...
const FIRST_EVALUATION: u64 = 500;
/// ... up to this many from one to the next.
const EVALUATION_STEP_MAX: u64 = 5_000;

/// What speaks for a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Small,
    Large,
    Between,
    Unseen,
    NoDeletes,
    LargeDeletes,
    Batches,
    FastDeletes,
    Deletes,
    Wasted,
    FewDeletes,
}

impl Rule {
    fn mode(self) -> Mode {
        match self {
            Rule::Small | Rule::Unseen | Rule::NoDeletes | Rule::FewDeletes => Mode::None,
            Rule::Between | Rule::Batches | Rule::Deletes | Rule::Wasted => Mode::Lazy,
            Rule::Large | Rule::LargeDeletes | Rule::FastDeletes => Mode::Incremental,
        }
    }
}

/// The rules, the first that applies.
fn rule(options: &SmartOptions, stretch: &Stretch, survey: &Survey) -> Rule {
    let size = survey.file_bytes;
    if size < options.min_file_size {
        return Rule::Small;
    }
    if !options.auto_detect {
        return if size > LARGE_FILE { Rule::Large } else { Rule::Between };
    }
    if stretch.operations() == 0 {
        return Rule::Unseen;
    }
    let wasted = survey.underfull_ratio() >= UNDERFULL_RATIO || survey.heap_free_ratio() >= HEAP_FREE_RATIO;
    if stretch.counts.of(Kind::Delete) == 0 {
        // A replaced value can leave a hole as a deleted one does; whether it did, the heaps tell.
        return if wasted && stretch.counts.of(Kind::Update) > 0 { Rule::Wasted } else { Rule::NoDeletes };
    }
    if size > LARGE_FILE {
        return Rule::LargeDeletes;
    }
    if stretch.delete_ratio() > DELETE_RATIO {
        return match () {
            () if stretch.mean_batch() > BATCH => Rule::Batches,
            () if stretch.rate() > RATE => Rule::FastDeletes,
            () => Rule::Deletes,
        };
    }
    if wasted {
        return Rule::Wasted;
    }
    Rule::FewDeletes
}

/// What fits the operations in `window` on a file in the state of `survey`.
pub(super) fn decide(options: &SmartOptions, window: &Window, survey: &Survey, timestamp_ns: u64) -> Decision {
    let whole = window.whole();
    let rule = rule(options, &whole, survey);
    let steadiness = steadiness(options, window, survey, rule.mode());
    let sample = whole.operations() as f64;
    let confidence = match rule {
        Rule::Unseen => 0.0,
        // The size is known, not estimated.
        Rule::Small | Rule::Large | Rule::Between => 1.0,
        _ => sample / (sample + HALF_SURE) * steadiness,
    };
    let mode = allowed(options, rule.mode());
    Decision {
        mode,
        reason: reason(rule, options, &whole, survey, mode),
        confidence,
        factors: vec![
            ("delete_ratio", whole.delete_ratio()),
            ("batch_size", whole.mean_batch()),
            ("operation_rate", whole.rate()),
            ("file_size", survey.file_bytes as f64),
            ("underfull_ratio", survey.underfull_ratio()),
            ("heap_free_ratio", survey.heap_free_ratio()),
            ("operations", sample),
            ("steadiness", steadiness),
        ],
        timestamp_ns,
    }
}

/// The part of the window's stretches that, taken alone, would lead to the same mode.
fn steadiness(options: &SmartOptions, window: &Window, survey: &Survey, mode: Mode) -> f64 {
    let parts = window.parts(PARTS);
    let agreeing = parts.iter().filter(|part| rule(options, part, survey).mode() == mode).count();
    agreeing as f64 / parts.len() as f64
}

/// `mode`, or what comes nearest to it among those allowed.
fn allowed(options: &SmartOptions, mode: Mode) -> Mode {
    let preference = match mode {
        Mode::Incremental => [Mode::Incremental, Mode::Lazy, Mode::None],
        Mode::Lazy => [Mode::Lazy, Mode::Incremental, Mode::None],
        Mode::None | Mode::Smart => [Mode::None, Mode::Lazy, Mode::Incremental],
    };
    preference.into_iter().find(|&mode| options.allowed_modes.contains(mode)).unwrap_or(Mode::None)
}

fn reason(rule: Rule, options: &SmartOptions, stretch: &Stretch, survey: &Survey, mode: Mode) -> String {
    let size = Bytes(survey.file_bytes);
    let percent = 100.0 * stretch.delete_ratio();
    let (batch, rate, seen) = (stretch.mean_batch(), stretch.rate(), stretch.operations());
    let text = match rule {
        Rule::Small => format!("the file has {size}, less than the {} set as minimum", Bytes(options.min_file_size)),
        Rule::Large => format!("the file has {size}, more than {}", Bytes(LARGE_FILE)),
        Rule::Between => format!("the file has {size}, at most {}", Bytes(LARGE_FILE)),
        Rule::Unseen => format!("the file has {size}, and no operations have been seen yet"),
        Rule::NoDeletes => format!("none of the last {seen} operations was a deletion"),
        Rule::LargeDeletes => format!("{percent:.1} % deletions on a file of {size}, more than {}", Bytes(LARGE_FILE)),
        Rule::Batches => {
            let batch = apart(batch, BATCH, 0);
            format!("{percent:.1} % deletions, in batches of {batch} on average, more than {BATCH}")
        }
        Rule::FastDeletes => {
            let rate = apart(rate, RATE, 0);
            format!("{percent:.1} % deletions, spread out, at {rate} operations/s, more than {RATE}")
        }
        Rule::Deletes => {
            format!("{} % deletions, more than 20 %, at {rate:.0} operations/s", apart(percent, 20.0, 1))
        }
        Rule::Wasted => format!(
            "only {percent:.1} % deletions, but {:.0} % of the nodes underfull and {:.0} % of the heaps free",
            100.0 * survey.underfull_ratio(),
            100.0 * survey.heap_free_ratio()
        ),
        Rule::FewDeletes => {
            let percent = apart(percent, 20.0, 1);
            format!("{percent} % deletions among the last {seen} operations, not more than 20 %")
        }
    };
    if mode == rule.mode() {
        return text;
    }
    format!("{text}; {} is not allowed", rule.mode())
}

/// A figure that is compared with a bound: with as many decimals, or more, as it takes to see on which side it is.
fn apart(value: f64, bound: f64, decimals: usize) -> String {
    let shown = |decimals| format!("{value:.decimals$}");
    let is_true = |text: &String| text.parse::<f64>().is_ok_and(|n| n.partial_cmp(&bound) == value.partial_cmp(&bound));
    (decimals..MOST_DECIMALS).map(shown).find(is_true).unwrap_or_else(|| shown(MOST_DECIMALS))
}

struct Bytes(u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0..1_000 => write!(f, "{} bytes", self.0),
            1_000..1_000_000 => write!(f, "{:.1} kB", self.0 as f64 / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} MB", self.0 as f64 / 1e6),
            _ => write!(f, "{:.1} GB", self.0 as f64 / 1e9),
        }
    }
}

/// A file's smart mode: its window, its latest finding, and what it made of it.
pub(super) struct Smart {
    pub options: SmartOptions,
    pub effective: Mode,
    window: Window,
    /// Operations seen since the mode was set.
    seen: u64,
    next_at: u64,
    evaluated_ns: u64,
    switched_ns: Option<u64>,
    chosen: bool,
}

impl Smart {
    pub(super) fn new(options: SmartOptions, now_ns: u64, counts: Counts) -> Self {
        Smart {
            effective: allowed(&options, Mode::None),
            window: Window::new(now_ns, counts),
            options,
            seen: 0,
            next_at: FIRST_EVALUATION,
            evaluated_ns: now_ns,
            switched_ns: None,
            chosen: false,
        }
    }

    /// Whether a thread has anything to do: nothing in a small file, where time alone changes no decision, but to tell.
    pub(super) fn needs_thread(&self, survey: &Survey) -> bool {
        self.options.on_mode_change.is_some()
            || self.effective == Mode::Incremental
            || survey.file_bytes >= self.options.min_file_size
    }

    /// Operations after which [`Smart::note`] has to be called.
    pub(super) fn room(&self, counts: &Counts) -> u64 {
        // A window that is not watched never moves on.
        if self.options.auto_detect {
            self.window.room(counts)
        } else {
            u64::MAX
        }
    }

    /// Takes note of `operations` more; true when it is time to evaluate.
    pub(super) fn note(&mut self, operations: u64, counts: &Counts, now_ns: u64) -> bool {
        self.seen += operations;
        if self.options.auto_detect {
            self.window.note(counts, now_ns);
        }
        self.due(now_ns)
    }

    /// Whether it is time to evaluate: after so many operations, or so long.
    pub(super) fn due(&self, now_ns: u64) -> bool {
        self.seen >= self.next_at || self.until_due_ns(now_ns) == 0
    }

    /// Time until an evaluation is due without further operations.
    pub(super) fn until_due_ns(&self, now_ns: u64) -> u64 {
        (self.evaluated_ns + self.options.reevaluate_ms * MS).saturating_sub(now_ns)
    }

    /// Evaluates; what was found, and whether the mode changes with it.
    pub(super) fn evaluate(&mut self, survey: &Survey, now_ns: u64, timestamp_ns: u64) -> (Decision, bool) {
        let decision = decide(&self.options, &self.window, survey, timestamp_ns);
        self.evaluated_ns = now_ns;
        self.next_at = self.seen + self.seen.clamp(FIRST_EVALUATION, EVALUATION_STEP_MAX);
        let changes = self.follow(&decision, now_ns);
        (decision, changes)
    }

    fn follow(&mut self, decision: &Decision, now_ns: u64) -> bool {
        let frozen = self.chosen && !self.options.auto_switch;
        if frozen || decision.confidence < self.options.min_confidence || decision.confidence == 0.0 {
            return false;
        }
        // What is found before anything was seen is a start, not yet the choice that may have to stay.
        let informed = self.seen > 0 || !self.options.auto_detect;
        if decision.mode == self.effective {
            self.chosen |= informed;
            return false;
        }
        let rest_ns = self.options.min_switch_interval_ms * MS;
        if self.switched_ns.is_some_and(|at| now_ns < at.saturating_add(rest_ns)) {
            return false;
        }
        self.chosen |= informed;
        self.switched_ns = Some(now_ns);
        self.effective = decision.mode;
        true
    }

    /// Bytes of memory, callbacks aside.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.window.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason_for(deletes: u64, runs: u64, inserts: u64, duration_ns: u64) -> String {
        let counts = Counts { kinds: [inserts, deletes, 0, 0], runs };
        let stretch = Stretch { counts, duration_ns, batch_around: 0.0 };
        let survey = Survey { file_bytes: 100_000_000, ..Survey::default() };
        let options = SmartOptions::default();
        let rule = rule(&options, &stretch, &survey);
        reason(rule, &options, &stretch, &survey, rule.mode())
    }

    #[test]
    fn figures_are_on_the_side_of_the_bound_that_the_sentence_says() {
        let second = 1_000_000_000;
        assert_eq!(
            reason_for(5_001, 50, 4_999, second),
            "50.0 % deletions, in batches of 100.02 on average, more than 100"
        );
        assert_eq!(
            reason_for(5_000, 5_000, 5_001, 10 * second),
            "50.0 % deletions, spread out, at 1000.1 operations/s, more than 1000"
        );
        assert_eq!(
            reason_for(2_001, 2_001, 7_999, 20 * second),
            "20.01 % deletions, more than 20 %, at 500 operations/s"
        );
        assert_eq!(
            reason_for(1_999, 1_999, 8_001, second),
            "19.99 % deletions among the last 10000 operations, not more than 20 %"
        );
        assert_eq!(
            reason_for(2_000, 2_000, 8_000, second),
            "20.0 % deletions among the last 10000 operations, not more than 20 %"
        );
        assert_eq!(apart(f64::INFINITY, 1.0, 0), "inf");
    }

    #[test]
    fn what_is_not_watched_is_not_waited_for() {
        let options = SmartOptions { auto_detect: false, ..SmartOptions::default() };
        let mut smart = Smart::new(options, 0, Counts::default());
        let counts = Counts { kinds: [1_000, 0, 0, 0], runs: 0 };
        smart.note(1_000, &counts, 1);
        assert!(smart.room(&counts) > 50, "one look at the clock for each operation");
    }
}
