//! What the subcommands show of a file: its objects by path, and what their header messages say.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::ArgMatches;
use h5r::error::Result;
use h5r::format::message::filter_pipeline::{self, Filter};
use h5r::format::message::layout::{ChunkIndex, Layout, LayoutClass};
use h5r::format::message::{datatype, kind};
use h5r::format::Sizes;
use h5r::object::dataset::{DatasetInfo, LayoutKind};
use h5r::object::{File, LinkInfo, LinkTarget, Object, ObjectKind, OpenOptions, Order};

/// An open file, and the first path of each of its objects.
pub struct Model {
    pub file: File,
    pub sizes: Sizes,
    /// From the address of an object's header to its path.
    pub paths: HashMap<u64, String>,
    /// The objects that are shown, in the order in which they are met.
    pub objects: Vec<String>,
}

impl Model {
    /// Opens FILE for reading and finds what OBJECT leads to.
    pub fn open(arguments: &ArgMatches) -> Result<Self> {
        let path = arguments.get_one::<PathBuf>("FILE").cloned().unwrap_or_default();
        let shown = arguments.get_one::<String>("OBJECT").cloned().unwrap_or_else(|| "/".into());
        let file = File::open(&path, &OpenOptions { read_only: true, ..OpenOptions::default() })?;
        let (sizes, root) = (file.sizes()?, file.root()?);
        let mut model = Model { file, sizes, paths: HashMap::new(), objects: Vec::new() };
        let first = if shown.starts_with('/') { shown } else { format!("/{shown}") };
        let begin = root.open(&first)?;
        begin.visit(Order::Name, |path, object| {
            let path = join(&first, path);
            model.paths.insert(object.address()?, path.clone());
            model.objects.push(path);
            Ok(true)
        })?;
        // References lead anywhere.
        root.visit(Order::Name, |path, object| {
            model.paths.entry(object.address()?).or_insert_with(|| join("/", path));
            Ok(true)
        })?;
        Ok(model)
    }

    /// The object at a path.
    pub fn object(&self, path: &str) -> Result<Object> {
        self.file.root()?.open(path)
    }

    /// The links of a group, by name; none of what is no group.
    pub fn links(&self, object: &Object) -> Result<Vec<(String, LinkInfo)>> {
        match object.kind()? {
            ObjectKind::Group => object.links(Order::Name),
            _ => Ok(Vec::new()),
        }
    }

    /// The path by which the object that a hard link leads to is shown.
    pub fn target(&self, link: &LinkTarget) -> Option<&str> {
        match link {
            LinkTarget::Hard(address) => self.paths.get(address).map(String::as_str),
            _ => None,
        }
    }

    /// How a dataset is stored.
    pub fn storage(&self, object: &Object, info: &DatasetInfo) -> Result<Storage> {
        let layout = match object.header_messages(kind::LAYOUT)?.first() {
            Some(body) => Some(Layout::decode(body, self.sizes)?.class),
            None => None,
        };
        let filters = match object.header_messages(kind::FILTER_PIPELINE)?.first() {
            Some(body) => filter_pipeline::decode(body)?,
            None => Vec::new(),
        };
        let name = match info.layout {
            LayoutKind::Compact => "compact",
            LayoutKind::Contiguous => "contiguous",
            LayoutKind::Chunked => "chunked",
            LayoutKind::External => "external",
            LayoutKind::Virtual => "virtual",
        };
        let (chunk, index) = match layout {
            Some(LayoutClass::Chunked(chunked)) => (Some(chunked.dims), Some(index_name(&chunked.index))),
            _ => (None, None),
        };
        Ok(Storage { name, chunk, index, filters, bytes: info.storage_size })
    }
}

/// How a dataset is stored.
pub struct Storage {
    pub name: &'static str,
    pub chunk: Option<Vec<u64>>,
    pub index: Option<&'static str>,
    pub filters: Vec<Filter>,
    pub bytes: u64,
}

fn index_name(index: &ChunkIndex) -> &'static str {
    match index {
        ChunkIndex::BTree1 => "version 1 B-tree",
        ChunkIndex::Single { .. } => "single chunk",
        ChunkIndex::Implicit => "implicit",
        ChunkIndex::FixedArray { .. } => "fixed array",
        ChunkIndex::ExtensibleArray { .. } => "extensible array",
        ChunkIndex::BTree2 { .. } => "version 2 B-tree",
    }
}

/// A filter's usual name.
pub fn filter_name(filter: &Filter) -> String {
    match filter.id {
        1 => "deflate".into(),
        2 => "shuffle".into(),
        3 => "fletcher32".into(),
        4 => "szip".into(),
        5 => "nbit".into(),
        6 => "scaleoffset".into(),
        _ if !filter.name.is_empty() => String::from_utf8_lossy(&filter.name).into_owned(),
        id => format!("filter {id}"),
    }
}

/// A datatype as its message describes it.
pub fn described(datatype: &h5r::datatype::Datatype) -> Result<datatype::Datatype> {
    datatype::Datatype::decode(&datatype.to_message())
}

fn join(base: &str, path: &str) -> String {
    match path {
        "." => base.to_owned(),
        _ => format!("{}/{path}", base.trim_end_matches('/')),
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
