//! The model test: random sequences of operations on a file in memory and on plain maps, in every mode. The structure
//! checker runs after every step; the contents are compared after every flush (as another reader sees the bytes), after
//! every reopening and at the end, so they are the same in all modes.
//!
//! `H5R_CASES` sets the number of sequences; each is run once per mode.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use common::{describe, Contents, Place};
use h5r::datatype::{ByteOrder, CharacterSet, Datatype, Number, StringPadding};
use h5r::error::{Error, ErrorKind};
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, File, FormatVersion, GroupOptions, Object, OpenOptions, Phase};
use h5r::rebalance::{IncrementalOptions, LazyOptions, ModeSet, SmartOptions};
use h5r::store::MemoryBackend;
use parking_lot::Mutex;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

/// One step. Objects, names and values are numbers that are taken modulo what there is.
#[derive(Debug, Clone)]
enum Op {
    Put { object: u8, name: u8, value: u8 },
    PutMany { object: u8, first: u16, count: u16, value: u8 },
    Delete { object: u8, name: u8 },
    DeletePicked { object: u8, pick: u16 },
    DeleteMany { object: u8, first: u16, count: u16, step: u8 },
    Rename { object: u8, pick: u16, to: u8 },
    Group { parent: u8, name: u8, style: u8 },
    Dataset { parent: u8, name: u8, style: u8 },
    Soft { parent: u8, name: u8, target: u8 },
    SoftMany { parent: u8, first: u16, count: u16 },
    Hard { parent: u8, name: u8, object: u8 },
    Move { parent: u8, pick: u16, to: u8, name: u8 },
    Unlink { parent: u8, pick: u16 },
    UnlinkMany { parent: u8, first: u16, count: u16, step: u8 },
    Hold { object: u8 },
    Flush,
    Reopen,
    Mode { mode: u8, a: u8, b: u8 },
    Rebalance,
}

fn op() -> impl Strategy<Value = Op> {
    let many = || prop_oneof![6 => 3u16..40, 2 => 40u16..200, 1 => 200u16..700];
    let (object, name) = (|| any::<u8>(), || any::<u8>());
    prop_oneof![
        12 => (object(), name(), any::<u8>()).prop_map(|(object, name, value)| Op::Put { object, name, value }),
        6 => (object(), 0u16..500, many(), any::<u8>())
            .prop_map(|(object, first, count, value)| Op::PutMany { object, first, count, value }),
        3 => (object(), name()).prop_map(|(object, name)| Op::Delete { object, name }),
        6 => (object(), any::<u16>()).prop_map(|(object, pick)| Op::DeletePicked { object, pick }),
        6 => (object(), any::<u16>(), many(), 1u8..4)
            .prop_map(|(object, first, count, step)| Op::DeleteMany { object, first, count, step }),
        4 => (object(), any::<u16>(), name()).prop_map(|(object, pick, to)| Op::Rename { object, pick, to }),
        4 => (object(), name(), any::<u8>()).prop_map(|(parent, name, style)| Op::Group { parent, name, style }),
        2 => (object(), name(), any::<u8>()).prop_map(|(parent, name, style)| Op::Dataset { parent, name, style }),
        3 => (object(), name(), name()).prop_map(|(parent, name, target)| Op::Soft { parent, name, target }),
        3 => (object(), 0u16..300, many()).prop_map(|(parent, first, count)| Op::SoftMany { parent, first, count }),
        3 => (object(), name(), object()).prop_map(|(parent, name, object)| Op::Hard { parent, name, object }),
        3 => (object(), any::<u16>(), object(), name())
            .prop_map(|(parent, pick, to, name)| Op::Move { parent, pick, to, name }),
        3 => (object(), any::<u16>()).prop_map(|(parent, pick)| Op::Unlink { parent, pick }),
        3 => (object(), any::<u16>(), many(), 1u8..4)
            .prop_map(|(parent, first, count, step)| Op::UnlinkMany { parent, first, count, step }),
        1 => object().prop_map(|object| Op::Hold { object }),
        3 => Just(Op::Flush),
        2 => Just(Op::Reopen),
        3 => (any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(mode, a, b)| Op::Mode { mode, a, b }),
        2 => Just(Op::Rebalance),
    ]
}

/// Names of attributes and links: equal hashes, lengths divisible by 12, not ASCII, long, and plain ones.
fn name(number: u8) -> String {
    match number % 24 {
        0 => "k061111".into(),
        1 => "k094631".into(),
        2 => "twelve_chars".into(),
        3 => "größe µ".into(),
        4 => "long_".repeat(60),
        n => format!("a{n}"),
    }
}

fn many_name(number: u16) -> String {
    format!("b{:04}", number % 900)
}

/// A value: type, dimensions (none: null) and bytes.
#[derive(Debug, Clone, PartialEq)]
struct Value {
    datatype: Datatype,
    dims: Option<Vec<u64>>,
    data: Vec<u8>,
}

impl Value {
    fn of(number: u8, salt: usize) -> Value {
        let i32 = Datatype::little(Number::I32);
        let (datatype, dims) = match number % 32 {
            0 => (Datatype::little(Number::F64), Some(vec![5])),
            1 => (Datatype::string(11, StringPadding::NullPadded, CharacterSet::Utf8).unwrap(), Some(vec![])),
            2 => (i32, None),
            3 => (i32, Some(vec![0])),
            4 => (i32, Some(vec![3, 0, 2])),
            5 => (Datatype::number(Number::U16, ByteOrder::Big), Some(vec![9, 17])),
            6 => (Datatype::little(Number::U8), Some(vec![1700])),
            7 => (Datatype::little(Number::F32), Some(vec![1050])),
            8 if salt.is_multiple_of(4) => (Datatype::little(Number::U8), Some(vec![70_000])),
            8 => (Datatype::little(Number::U8), Some(vec![4030 + u64::from(number)])),
            9 => (Datatype::little(Number::U64), Some(vec![1; 32])),
            _ => (i32, Some(vec![])),
        };
        let count = dims.as_ref().map_or(0, |dims: &Vec<u64>| dims.iter().product::<u64>() as usize);
        let data = (0..count * datatype.size()).map(|i| (i * 7 + salt * 13 + usize::from(number)) as u8).collect();
        Value { datatype, dims, data }
    }

    fn put(&self, object: &Object, name: &str) -> Result<(), Error> {
        match &self.dims {
            Some(dims) => object.attr_write(name, &self.datatype, dims, &self.data),
            None => object.attr_write_null(name, &self.datatype),
        }
    }
}

fn phase(style: u8) -> Phase {
    let (max_compact, min_dense) = [(8, 6), (0, 0), (2, 2), (8, 6), (100, 40), (8, 6)][usize::from(style / 4 % 6)];
    Phase { max_compact, min_dense, track_order: style % 4 > 1, index_order: style % 4 > 2 }
}

fn group_options(style: u8) -> GroupOptions {
    GroupOptions { links: phase(style), attributes: phase(style.rotate_left(3)) }
}

type Id = usize;

#[derive(Debug, Clone, PartialEq)]
enum Target {
    Hard(Id),
    Soft(String),
}

#[derive(Debug, Clone, Default)]
struct Node {
    dataset: Option<Vec<u8>>,
    attributes_tracked: bool,
    links_tracked: bool,
    attributes: BTreeMap<String, Value>,
    attribute_order: Vec<String>,
    links: BTreeMap<String, Target>,
    link_order: Vec<String>,
    references: u32,
}

/// What the file should hold. Object 0 is the root group.
#[derive(Debug, Clone)]
struct Model {
    nodes: Vec<Node>,
}

impl Model {
    fn new(style: u8) -> Model {
        let options = group_options(style);
        let root = Node {
            attributes_tracked: options.attributes.track_order,
            links_tracked: options.links.track_order,
            references: 1,
            ..Node::default()
        };
        Model { nodes: vec![root] }
    }

    /// What a file holds that was made by someone else; only groups and soft links, below the root group.
    fn load(file: &File) -> Model {
        let mut model = Model::new(0);
        for (path, place) in describe(file).unwrap() {
            let name = path.trim_matches('/').to_string();
            let id = if name.is_empty() { 0 } else { model.nodes.len() };
            if id != 0 {
                model.nodes.push(Node { references: 1, ..Node::default() });
                model.nodes[0].links.insert(name, Target::Hard(id));
            }
            let node = &mut model.nodes[id];
            node.attributes_tracked = place.attribute_order.is_some();
            node.links_tracked = place.link_order.is_some();
            node.attribute_order = place.attribute_order.unwrap_or_default();
            node.link_order = place.link_order.unwrap_or_default();
            for (name, (datatype, dims, data)) in place.attributes {
                node.attributes.insert(name, Value { datatype, dims, data });
            }
            for (name, target) in place.links {
                if let Some(target) = target.strip_prefix("soft ") {
                    node.links.insert(name, Target::Soft(target.into()));
                }
            }
        }
        model
    }

    /// The objects that can be reached, each by one path.
    fn paths(&self) -> Vec<(Id, String)> {
        let mut found = vec![(0, String::from("/"))];
        let mut seen = vec![false; self.nodes.len()];
        seen[0] = true;
        let mut next = 0;
        while next < found.len() {
            let (id, path) = found[next].clone();
            next += 1;
            for (name, target) in &self.nodes[id].links {
                if let Target::Hard(to) = *target {
                    if !std::mem::replace(&mut seen[to], true) {
                        found.push((to, format!("{}/{name}", path.trim_end_matches('/'))));
                    }
                }
            }
        }
        found
    }

    fn put(&mut self, id: Id, name: &str, value: Value) {
        let node = &mut self.nodes[id];
        if node.attributes.insert(name.into(), value).is_none() && node.attributes_tracked {
            node.attribute_order.push(name.into());
        }
    }

    fn delete(&mut self, id: Id, name: &str) -> bool {
        let node = &mut self.nodes[id];
        node.attribute_order.retain(|other| other != name);
        node.attributes.remove(name).is_some()
    }

    fn rename(&mut self, id: Id, from: &str, to: &str) {
        let node = &mut self.nodes[id];
        if let Some(value) = node.attributes.remove(from) {
            node.attributes.insert(to.into(), value);
            node.attribute_order.iter_mut().filter(|name| *name == from).for_each(|name| *name = to.into());
        }
    }

    fn link(&mut self, id: Id, name: &str, target: Target) {
        let node = &mut self.nodes[id];
        node.links.insert(name.into(), target);
        if node.links_tracked {
            node.link_order.push(name.into());
        }
    }

    fn take_link(&mut self, id: Id, name: &str) -> Option<Target> {
        let node = &mut self.nodes[id];
        node.link_order.retain(|other| other != name);
        node.links.remove(name)
    }

    fn unlink(&mut self, id: Id, name: &str) {
        let mut waiting: Vec<Target> = self.take_link(id, name).into_iter().collect();
        while let Some(target) = waiting.pop() {
            if let Target::Hard(to) = target {
                let node = &mut self.nodes[to];
                node.references -= 1;
                if node.references == 0 {
                    waiting.extend(std::mem::take(node).links.into_values());
                }
            }
        }
    }

    fn is_alive(&self, id: Id) -> bool {
        self.nodes[id].references > 0
    }

    /// What [`describe`] says of a file with these contents.
    fn contents(&self) -> Contents {
        let paths = self.paths();
        let names: HashMap<Id, &String> = paths.iter().map(|(id, path)| (*id, path)).collect();
        let place = |id: Id| {
            let node = &self.nodes[id];
            let link = |(name, target): (&String, &Target)| {
                let target = match target {
                    Target::Hard(to) => format!("hard {}", names[to]),
                    Target::Soft(path) => format!("soft {path}"),
                };
                (name.clone(), target)
            };
            let value = |(name, value): (&String, &Value)| {
                (name.clone(), (value.datatype.clone(), value.dims.clone(), value.data.clone()))
            };
            Place {
                attributes: node.attributes.iter().map(value).collect(),
                attribute_order: node.attributes_tracked.then(|| node.attribute_order.clone()),
                links: node.links.iter().map(link).collect(),
                link_order: (node.links_tracked && node.dataset.is_none()).then(|| node.link_order.clone()),
                dims: node.dataset.as_ref().map(|data| vec![data.len() as u64 / 4]),
                data: node.dataset.clone(),
            }
        };
        paths.iter().map(|(id, path)| (path.clone(), place(*id))).collect()
    }
}

/// How a sequence is run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// In one mode, which [`Op::Mode`] only retunes: none, lazy, incremental, smart.
    Fixed(u8),
    /// [`Op::Mode`] changes the mode.
    Mixed,
}

const WAYS: [Way; 5] = [Way::Fixed(0), Way::Fixed(1), Way::Fixed(2), Way::Fixed(3), Way::Mixed];

struct Run {
    way: Way,
    file: File,
    bytes: Arc<Mutex<Vec<u8>>>,
    model: Model,
    held: Vec<(Id, Object)>,
    mode: (u8, u8, u8),
    salt: usize,
    /// It was created in this session, so all that is free in it is known.
    created: bool,
}

/// What went wrong, for the one who reads the shrunken case.
type Outcome = Result<(), String>;

fn said<T>(what: &str, result: Result<T, Error>) -> Result<T, String> {
    result.map_err(|e| format!("{what}: {e:?}"))
}

/// The call failed as it should, or succeeded as it should.
fn expect<T>(what: &str, result: Result<T, Error>, expected: Option<ErrorKind>) -> Outcome {
    match (result, expected) {
        (Ok(_), None) => Ok(()),
        (Err(e), Some(kind)) if e.kind() == kind => Ok(()),
        (Ok(_), Some(kind)) => Err(format!("{what}: succeeded, {kind:?} expected")),
        (Err(e), expected) => Err(format!("{what}: {e:?}, expected {expected:?}")),
    }
}

impl Run {
    fn new(way: Way, base: &Option<Vec<u8>>, style: u8) -> Result<Run, String> {
        let backend = MemoryBackend::with_bytes(base.clone().unwrap_or_default());
        let bytes = backend.shared();
        let path = Path::new("model");
        let (file, model) = if base.is_some() {
            let file = said("opening", File::open_on(Box::new(backend), path, &OpenOptions::default()))?;
            let model = Model::load(&file);
            (file, model)
        } else {
            let format = if style & 1 == 0 { FormatVersion::V110 } else { FormatVersion::V18 };
            let root = group_options(style);
            let options = CreateOptions { root, format, ..CreateOptions::default() };
            (said("creating", File::create_on(Box::new(backend), path, &options))?, Model::new(style))
        };
        let mode = match way {
            Way::Fixed(mode) => (mode, style, style),
            Way::Mixed => (0, 0, 0),
        };
        let created = base.is_none();
        let mut run = Run { way, file, bytes, model, held: Vec::new(), mode, salt: 0, created };
        run.set_mode()?;
        Ok(run)
    }

    fn set_mode(&mut self) -> Outcome {
        let (mode, a, b) = self.mode;
        let lazy = LazyOptions {
            threshold: 0.01 + f64::from(a % 20) / 100.0 * 0.95,
            max_delay_ms: [1, 50, 10_000][usize::from(b % 3)],
            batch_size: [1, 2, 7, 100][usize::from(a % 4)],
        };
        let incremental =
            IncrementalOptions { budget_us: 100 + 50 * u64::from(a), interval_ms: 1, ..IncrementalOptions::default() };
        let smart = SmartOptions {
            min_file_size: [0, 5000][usize::from(a % 2)],
            allowed_modes: ModeSet::from_bits(1 + u32::from(b % 7)),
            reevaluate_ms: 1,
            min_confidence: f64::from(a % 3) / 4.0,
            min_switch_interval_ms: 0,
            ..SmartOptions::default()
        };
        let result = match mode % 4 {
            0 => self.file.set_none(),
            1 => self.file.set_lazy(&lazy),
            2 => self.file.set_lazy(&lazy).and_then(|()| self.file.set_incremental(incremental)),
            _ => self.file.set_smart(smart),
        };
        said("setting the mode", result)
    }

    fn pick(&self, selector: u8) -> Result<(Id, Object), String> {
        let paths = self.model.paths();
        let (id, path) = &paths[usize::from(selector) % paths.len()];
        self.object(*id, path)
    }

    fn pick_group(&self, selector: u8) -> Result<(Id, Object), String> {
        let groups: Vec<_> =
            self.model.paths().into_iter().filter(|(id, _)| self.model.nodes[*id].dataset.is_none()).collect();
        let (id, path) = &groups[usize::from(selector) % groups.len()];
        self.object(*id, path)
    }

    fn object(&self, id: Id, path: &str) -> Result<(Id, Object), String> {
        if let Some((_, object)) = self.held.iter().find(|(held, _)| *held == id) {
            return Ok((id, object.clone()));
        }
        let root = said("root", self.file.root())?;
        Ok((id, said(&format!("opening {path}"), root.open(path))?))
    }

    fn step(&mut self, op: &Op) -> Outcome {
        self.salt += 1;
        match *op {
            Op::Put { .. } | Op::PutMany { .. } => self.step_put(op)?,
            Op::Delete { .. } | Op::DeletePicked { .. } | Op::DeleteMany { .. } | Op::Rename { .. } => {
                self.step_attribute(op)?
            }
            Op::Hold { object } => {
                let (id, object) = self.pick(object)?;
                self.held.push((id, object));
            }
            Op::Flush => {
                said("flushing", self.file.flush())?;
                self.check_disk()?;
            }
            Op::Reopen => self.reopen()?,
            Op::Mode { mode, a, b } => {
                let mode = match self.way {
                    Way::Fixed(mode) => mode,
                    Way::Mixed => mode,
                };
                self.mode = (mode, a, b);
                self.set_mode()?;
            }
            Op::Rebalance => said("rebalancing", self.file.rebalance())?,
            Op::Group { .. } | Op::Dataset { .. } | Op::Soft { .. } | Op::SoftMany { .. } | Op::Hard { .. } => {
                self.step_create(op)?
            }
            Op::Move { .. } | Op::Unlink { .. } | Op::UnlinkMany { .. } => self.step_link(op)?,
        }
        self.check_held()?;
        said("checking", self.file.check())?;
        self.check_leaks()
    }

    /// Everything is used or known to be free, as long as nothing keeps itself alive: a group within itself.
    fn check_leaks(&self) -> Outcome {
        let alive = (0..self.model.nodes.len()).filter(|&id| self.model.is_alive(id)).count();
        if !self.created || alive != self.model.paths().len() {
            return Ok(());
        }
        let report = said("looking for leaks", self.file.check_report(5))?;
        match report.leaked {
            0 => Ok(()),
            leaked => Err(format!("{leaked} bytes leaked: {:?}", report.leaks)),
        }
    }

    fn step_put(&mut self, op: &Op) -> Outcome {
        match *op {
            Op::Put { object, name: number, value } => {
                let (id, object) = self.pick(object)?;
                let (name, value) = (name(number), Value::of(value, self.salt));
                said("writing", value.put(&object, &name))?;
                self.model.put(id, &name, value);
            }
            Op::PutMany { object, first, count, value } => {
                let (id, object) = self.pick(object)?;
                // Large values in small numbers only.
                let count = if matches!(value % 32, 5..=9) { count.min(20) } else { count };
                for number in first..first + count {
                    let (name, value) = (many_name(number), Value::of(value, usize::from(number)));
                    said("writing", value.put(&object, &name))?;
                    self.model.put(id, &name, value);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn step_attribute(&mut self, op: &Op) -> Outcome {
        let (Op::Delete { object, .. }
        | Op::DeletePicked { object, .. }
        | Op::DeleteMany { object, .. }
        | Op::Rename { object, .. }) = *op
        else {
            return Ok(());
        };
        let (id, object) = self.pick(object)?;
        let names: Vec<String> = self.model.nodes[id].attributes.keys().cloned().collect();
        match *op {
            Op::Delete { name: number, .. } => {
                let name = name(number);
                let missing = !self.model.delete(id, &name);
                expect("deleting", object.attr_delete(&name), missing.then_some(ErrorKind::NotFound))?;
            }
            Op::Rename { pick, to, .. } if !names.is_empty() => {
                let (from, to) = (&names[usize::from(pick) % names.len()], name(to));
                let taken = names.contains(&to) && *from != to;
                expect("renaming", object.attr_rename(from, &to), taken.then_some(ErrorKind::Exists))?;
                if !taken {
                    self.model.rename(id, from, &to);
                }
            }
            Op::DeletePicked { pick, .. } => {
                for name in names.iter().skip(usize::from(pick) % names.len().max(1)).take(1) {
                    said("deleting", object.attr_delete(name))?;
                    self.model.delete(id, name);
                }
            }
            Op::DeleteMany { first, count, step, .. } => {
                let first = usize::from(first) % names.len().max(1);
                for name in names.iter().skip(first).step_by(step.into()).take(count.into()) {
                    said("deleting", object.attr_delete(name))?;
                    self.model.delete(id, name);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn step_create(&mut self, op: &Op) -> Outcome {
        let (Op::Group { parent, .. }
        | Op::Dataset { parent, .. }
        | Op::Soft { parent, .. }
        | Op::SoftMany { parent, .. }
        | Op::Hard { parent, .. }) = *op
        else {
            return Ok(());
        };
        let (id, group) = self.pick_group(parent)?;
        let taken = |model: &Model, name: &str| model.nodes[id].links.contains_key(name).then_some(ErrorKind::Exists);
        match *op {
            Op::Group { name: number, style, .. } => {
                let (name, options) = (name(number), group_options(style));
                let refused = taken(&self.model, &name);
                expect("creating group", group.create_group(&name, &options), refused)?;
                if refused.is_none() {
                    self.model.nodes.push(Node {
                        attributes_tracked: options.attributes.track_order,
                        links_tracked: options.links.track_order,
                        references: 1,
                        ..Node::default()
                    });
                    self.model.link(id, &name, Target::Hard(self.model.nodes.len() - 1));
                }
            }
            Op::Dataset { name: number, style, .. } => self.create_dataset(id, &group, name(number), style)?,
            Op::Soft { name: number, target, .. } => {
                let (name, target) = (name(number), format!("/{}", name(target)));
                let refused = taken(&self.model, &name);
                expect("creating soft link", group.link_create_soft(&name, &target), refused)?;
                if refused.is_none() {
                    self.model.link(id, &name, Target::Soft(target));
                }
            }
            Op::SoftMany { first, count, .. } => {
                for number in first..first + count {
                    let (name, target) = (many_name(number), "x".repeat(usize::from(number) % 40 + 1));
                    let refused = taken(&self.model, &name);
                    expect("creating soft link", group.link_create_soft(&name, &target), refused)?;
                    if refused.is_none() {
                        self.model.link(id, &name, Target::Soft(target));
                    }
                }
            }
            Op::Hard { name: number, object, .. } => {
                let (name, (to, object)) = (name(number), self.pick(object)?);
                let refused = taken(&self.model, &name);
                expect("creating hard link", group.link_create_hard(&name, &object), refused)?;
                if refused.is_none() {
                    self.model.nodes[to].references += 1;
                    self.model.link(id, &name, Target::Hard(to));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn create_dataset(&mut self, id: Id, group: &Object, name: String, style: u8) -> Outcome {
        let options = DatasetOptions { attributes: phase(style), ..DatasetOptions::default() };
        let i32 = Datatype::little(Number::I32);
        let count = [4u64, 100, 900][usize::from(style % 3)];
        let refused = self.model.nodes[id].links.contains_key(&name);
        let made = group.create_dataset(&name, &i32, &[count], &options);
        let data: Vec<u8> = (0..4 * count).map(|i| (i * 3 + u64::from(style)) as u8).collect();
        let written = made.and_then(|dataset| dataset.dataset_write(&i32, None, &data));
        expect("creating dataset", written, refused.then_some(ErrorKind::Exists))?;
        if !refused {
            self.model.nodes.push(Node {
                dataset: Some(data),
                attributes_tracked: options.attributes.track_order,
                references: 1,
                ..Node::default()
            });
            self.model.link(id, &name, Target::Hard(self.model.nodes.len() - 1));
        }
        Ok(())
    }

    fn step_link(&mut self, op: &Op) -> Outcome {
        let (Op::Move { parent, .. } | Op::Unlink { parent, .. } | Op::UnlinkMany { parent, .. }) = *op else {
            return Ok(());
        };
        let (id, group) = self.pick_group(parent)?;
        let names: Vec<String> = self.model.nodes[id].links.keys().cloned().collect();
        match *op {
            Op::Move { pick, to, name: number, .. } if !names.is_empty() => {
                let from = &names[usize::from(pick) % names.len()];
                let ((to, target), name) = (self.pick_group(to)?, name(number));
                let same = (to, &name) == (id, from);
                let refused = !same && self.model.nodes[to].links.contains_key(&name);
                expect("moving", group.link_move(from, &target, &name), refused.then_some(ErrorKind::Exists))?;
                if !same && !refused {
                    let link = self.model.take_link(id, from).ok_or("no link to move")?;
                    self.model.link(to, &name, link);
                }
            }
            Op::Unlink { pick, .. } if names.is_empty() => {
                let missing = name(pick as u8);
                expect("unlinking", group.link_delete(&missing), Some(ErrorKind::NotFound))?;
            }
            Op::Unlink { pick, .. } => self.unlink(id, &group, &names[usize::from(pick) % names.len()])?,
            Op::UnlinkMany { first, count, step, .. } => {
                let first = usize::from(first) % names.len().max(1);
                for name in names.iter().skip(first).step_by(step.into()).take(count.into()) {
                    // Freeing an object may have freed this group.
                    if self.model.is_alive(id) {
                        self.unlink(id, &group, name)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn unlink(&mut self, id: Id, group: &Object, name: &str) -> Outcome {
        said("unlinking", group.link_delete(name))?;
        self.model.unlink(id, name);
        Ok(())
    }

    /// A handle of a deleted object says so, and is closed.
    fn check_held(&mut self) -> Outcome {
        for (id, object) in std::mem::take(&mut self.held) {
            if self.model.is_alive(id) {
                let count = said("counting through a held handle", object.attr_count())?;
                if count != self.model.nodes[id].attributes.len() as u64 {
                    return Err(format!("a held handle counts {count} attributes"));
                }
                self.held.push((id, object));
            } else {
                expect("a held handle", object.attr_count(), Some(ErrorKind::NotFound))?;
            }
        }
        Ok(())
    }

    fn reopen(&mut self) -> Outcome {
        let held = std::mem::take(&mut self.held);
        said("closing", self.file.close())?;
        self.created = false;
        for (_, object) in held {
            expect("a handle after close", object.attr_count(), Some(ErrorKind::Closed))?;
        }
        self.check_disk()?;
        // The same bytes go on in the same place, so that `bytes` stays what the file is.
        let backend = MemoryBackend::with_bytes(std::mem::take(&mut *self.bytes.lock()));
        self.bytes = backend.shared();
        self.file = said("reopening", File::open_on(Box::new(backend), Path::new("model"), &OpenOptions::default()))?;
        self.set_mode()?;
        self.compare(&self.file.clone(), "after reopening")
    }

    /// What another reader sees: the flushed bytes, whose B-tree nodes must keep their floors.
    fn check_disk(&self) -> Outcome {
        let backend = MemoryBackend::with_bytes(self.bytes.lock().clone());
        let options = OpenOptions { read_only: true, ..OpenOptions::default() };
        let file = said("opening what was flushed", File::open_on(Box::new(backend), Path::new("disk"), &options))?;
        said("checking what was flushed", file.check_flushed())?;
        self.compare(&file, "on disk")
    }

    fn compare(&self, file: &File, place: &str) -> Outcome {
        let found = said(&format!("reading {place}"), describe(file))?;
        let expected = self.model.contents();
        if found == expected {
            return Ok(());
        }
        Err(format!("{place}: {}", common::difference(&expected, &found)))
    }

    fn finish(mut self) -> Outcome {
        self.compare(&self.file.clone(), "at the end")?;
        self.reopen()?;
        said("closing", self.file.close())
    }
}

fn run(way: Way, base: &Option<Vec<u8>>, style: u8, ops: &[Op]) -> Outcome {
    let mut run = Run::new(way, base, style)?;
    for (index, op) in ops.iter().enumerate() {
        run.step(op).map_err(|e| format!("{way:?}, step {index} {op:?}: {e}"))?;
    }
    run.finish().map_err(|e| format!("{way:?}, at the end: {e}"))
}

/// The given share of the sequences, on new files or on one that is there already.
fn sequences(share: u32, base: Option<Vec<u8>>) {
    let cases = std::env::var("H5R_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200);
    let config = Config {
        cases: (cases * share).div_ceil(100),
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let strategy = (any::<u8>(), proptest::collection::vec(op(), 30..80));
    let result = TestRunner::new(config).run(&strategy, |(style, ops)| {
        for way in WAYS {
            run(way, &base, style, &ops).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    if let Err(e) = result {
        panic!("{e}");
    }
}

#[test]
fn new_files_hold_what_plain_maps_hold() {
    sequences(60, None);
}

/// Nodes of 512 bytes, as libhdf5 makes them, so that small numbers make deep trees.
#[test]
fn files_of_libhdf5_hold_what_plain_maps_hold() {
    sequences(40, Some(include_bytes!("data/small_nodes.h5").to_vec()));
}
