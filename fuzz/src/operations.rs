//! Works on a file whose bytes may be anything: a script of operations, two bytes each.

use h5r::datatype::{Datatype, Number};
use h5r::error::{ErrorKind, Result};
use h5r::object::dataset::{DatasetOptions, NewLayout, Selection};
use h5r::object::{CopyOptions, File, GroupOptions, Object, Order, Phase};
use h5r::rebalance::{IncrementalOptions, LazyOptions, SmartOptions};
use h5r::store::MemoryBackend;

use super::walk::{checks, describe, expected, open};

/// Bytes of the script at the beginning of the target's input; the file follows.
pub const SCRIPT: usize = 64;

/// Objects that a script works on.
const MOST_OBJECTS: usize = 12;

/// Elements of a dataset that a script writes at most.
const MOST_ELEMENTS: u64 = 10_000;

/// Splits the target's input into script and file, and runs the one on the other.
pub fn operate_on(input: &[u8], seal: impl Fn(&mut [u8])) {
    let (script, bytes) = input.split_at(SCRIPT.min(input.len()));
    let mut bytes = bytes.to_vec();
    seal(&mut bytes);
    operate(script, bytes);
}

/// Runs a script on a file: whatever they are, the calls return, and a file that was sound before is so afterwards.
/// Only in such a file an internal error is one: in others, what the library relies on may not hold.
pub fn operate(script: &[u8], bytes: Vec<u8>) {
    let Some((mut work, sound)) = Work::begin(bytes) else { return };
    for step in script.chunks_exact(2) {
        if step[0] % 32 == 31 {
            let Some(next) = work.reopen(sound) else { return };
            work = next;
        } else if let Err(e) = work.step(step[0] % 32, step[0] / 32, step[1]) {
            assert!(!sound || e.kind() != ErrorKind::Internal, "{e}");
        }
    }
    work.reopen(sound);
}

struct Work {
    file: File,
    bytes: std::sync::Arc<parking_lot::Mutex<Vec<u8>>>,
    objects: Vec<Object>,
}

impl Work {
    /// An open file, and whether the checker finds it without fault.
    fn begin(bytes: Vec<u8>) -> Option<(Work, bool)> {
        let backend = MemoryBackend::with_bytes(bytes);
        let bytes = backend.shared();
        let file = open(backend, false).map_err(|e| expected(&e)).ok()?;
        let sound = checks(&file);
        let mut objects = describe(&file);
        objects.truncate(MOST_OBJECTS);
        Some((Work { file, bytes, objects }, sound))
    }

    /// Closes and opens again; a file that was sound must open and be sound.
    fn reopen(self, sound: bool) -> Option<Work> {
        let closed = self.file.close();
        assert!(!sound || !closed.is_err_and(|e| e.kind() == ErrorKind::Internal));
        drop(self.objects);
        let bytes = std::mem::take(&mut *self.bytes.lock());
        if sound {
            let file = open(MemoryBackend::with_bytes(bytes.clone()), true);
            let checked = file.and_then(|file| file.check_flushed());
            checked.unwrap_or_else(|e| panic!("a file that was sound is not any more: {e}"));
        }
        Work::begin(bytes).map(|(work, _)| work)
    }

    fn step(&mut self, operation: u8, variant: u8, argument: u8) -> Result<()> {
        let i32 = Datatype::little(Number::I32);
        let count = self.objects.len().max(1);
        let Some(object) = self.objects.get(usize::from(argument) % count).cloned() else { return Ok(()) };
        let number = usize::from(argument) / count;
        match operation {
            0 => self.keep(object.create_group(&format!("g{number}/below"), &group_options(argument))),
            1 => {
                let data = vec![argument; 4 * (number + 1)];
                let dataset = object.create_dataset(
                    &format!("d{number}"),
                    &i32,
                    &[number as u64 + 1],
                    &DatasetOptions::default(),
                )?;
                dataset.dataset_write(&i32, None, &data)?;
                self.keep(Ok(dataset))
            }
            2 | 3 => object.attr_write(&format!("a{number}"), &i32, &[], &[argument; 4]),
            4 => (0..16).try_for_each(|i| object.attr_write(&format!("many{i}"), &i32, &[2], &[argument; 8])),
            5 => object.attr_write(&format!("huge{number}"), &i32, &[1250], &[argument; 5000]),
            6 => object.attr_write_null(&format!("a{number}"), &i32),
            7 | 8 => with(object.attr_names(Order::Native)?, number, |name| object.attr_delete(name)),
            9 => with(object.attr_names(Order::Name)?, number, |name| object.attr_rename(name, "renamed")),
            10 => object.attr_names(Order::Name)?.iter().step_by(2).try_for_each(|name| object.attr_delete(name)),
            11 => object.link_create_soft(&format!("s{number}"), "/g0/below/../d0"),
            12 => (0..16).try_for_each(|i| object.link_create_soft(&format!("soft{i}"), "/")),
            13 => match self.objects.get(number) {
                Some(target) => object.link_create_hard(&format!("h{number}"), target),
                None => Ok(()),
            },
            14 | 15 => with(link_names(&object)?, number, |name| object.link_delete(name)),
            16 => with(link_names(&object)?, number, |name| object.link_move(name, &self.objects[0], "moved")),
            17 => link_names(&object)?.iter().step_by(2).try_for_each(|name| object.link_delete(name)),
            18 => self.file.set_none(),
            19 => self.file.set_lazy(&LazyOptions::default()),
            20 => self.file.set_smart(SmartOptions { min_file_size: 0, ..SmartOptions::default() }),
            21 => self.file.set_incremental(IncrementalOptions { interval_ms: 1, ..IncrementalOptions::default() }),
            22 => self.file.rebalance(),
            23..=25 => self.file.flush(),
            26 => with(link_names(&object)?, number, |name| self.keep(object.open(name))),
            27 => with_data(&object, variant, argument),
            28 => {
                self.objects.swap_remove(usize::from(argument) % count);
                Ok(())
            }
            29 => {
                let (dims, options) = chunked(variant, argument);
                self.keep(object.create_dataset(&format!("c{number}"), &i32, &dims, &options))
            }
            _ if variant.is_multiple_of(2) => self.file.check(),
            // Also onto a name that is taken, and of a group into itself.
            _ => with(link_names(&object)?, number, |name| {
                object.copy(name, &self.objects[usize::from(variant) % count], "copy", &CopyOptions::default())
            }),
        }
    }

    fn keep(&mut self, object: Result<Object>) -> Result<()> {
        let object = object?;
        if self.objects.len() < MOST_OBJECTS {
            self.objects.push(object);
        }
        Ok(())
    }
}

/// A small chunked dataset: each index that the library writes, each filter and their combinations.
fn chunked(variant: u8, argument: u8) -> (Vec<u64>, DatasetOptions) {
    let rows = u64::from(argument % 8);
    let (dims, max_dims, chunk) = match argument / 8 % 5 {
        0 => (vec![8], vec![8], vec![8]),
        1 => (vec![rows + 40], vec![100], vec![1]),
        2 => (vec![rows], vec![u64::MAX], vec![2]),
        3 => (vec![rows, 5], vec![u64::MAX, 9], vec![2, 3]),
        _ => (vec![rows, 5], vec![u64::MAX, u64::MAX], vec![1, 2]),
    };
    let options = DatasetOptions {
        layout: NewLayout::Chunked,
        chunk: Some(chunk),
        max_dims: Some(max_dims),
        shuffle: variant & 1 != 0,
        deflate: (variant & 2 != 0).then_some(1),
        fletcher32: variant & 4 != 0,
        ..DatasetOptions::default()
    };
    (dims, options)
}

/// Changes of a dataset's data and extent, where there are few: as many as a hostile file may claim would only cost time.
fn with_data(object: &Object, variant: u8, argument: u8) -> Result<()> {
    let i32 = Datatype::little(Number::I32);
    let info = object.dataset_info()?;
    let mut dims = info.dims;
    let elements =
        |dims: &[u64]| dims.iter().try_fold(1u64, |n, &dim| n.checked_mul(dim)).filter(|&n| n <= MOST_ELEMENTS);
    let (Some(first), Some(all)) = (dims.first().copied(), elements(&dims)) else { return Ok(()) };
    match variant {
        0 | 1 => object.dataset_write(&i32, None, &vec![argument; 4 * all as usize]),
        2 => {
            let start: Vec<u64> = dims.iter().map(|&dim| u64::from(argument) % dim.max(1)).collect();
            let count = vec![1; dims.len()];
            let selection = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
            object.dataset_write(&i32, Some(&selection), &[argument; 4])
        }
        3 | 4 => {
            let rows = u64::from(argument % 16);
            let Some(added) = elements(&[&[rows], &dims[1..]].concat()) else { return Ok(()) };
            object.dataset_append(&i32, rows, &vec![argument; 4 * added as usize])
        }
        5 => {
            dims[0] = first / 2;
            object.dataset_set_extent(&dims)
        }
        6 => {
            dims.iter_mut().for_each(|dim| *dim = u64::from(argument % 32));
            object.dataset_set_extent(&dims)
        }
        _ => {
            let mut out = vec![0; 4 * all as usize];
            object.dataset_read(&i32, None, &mut out)
        }
    }
}

fn group_options(argument: u8) -> GroupOptions {
    let (track_order, index_order) = (argument & 1 != 0, argument & 3 == 3);
    let phase = Phase { max_compact: 4, min_dense: 2, track_order, index_order };
    GroupOptions { links: phase, attributes: phase }
}

fn link_names(object: &Object) -> Result<Vec<String>> {
    Ok(object.links(Order::Native)?.into_iter().map(|(name, _)| name).collect())
}

/// Works on one of the names.
fn with(names: Vec<String>, number: usize, work: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    match names.get(number % names.len().max(1)) {
        Some(name) => work(name),
        None => Ok(()),
    }
}
