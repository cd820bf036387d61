//! `h5r dump`: all that a file holds, as text or JSON.

use std::io::{self, BufWriter, Write};

use clap::{ArgMatches, Command};
use h5r::datatype::Arena;
use h5r::error::{Error, Result};
use h5r::format::message::datatype;
use h5r::object::dataset::{DatasetInfo, LayoutKind, Selection};
use h5r::object::{Object, ObjectKind, Order};

use crate::model::{described, Model};
use crate::value::Value;
use crate::{file, flag, json, object, text, CANNOT};

/// Something could not be read; the output says what.
const INCOMPLETE: u8 = 3;

/// Bytes of raw data that are read at once, unless a row has more.
const AT_ONCE: u64 = 4 << 20;

const EXIT_CODES: &str = "\
Exit codes:
  0  everything was read
  2  the file or the object cannot be opened, or the command line is wrong
  3  something could not be read; the output says what, and why, in its place";

/// What the subcommand takes.
pub fn command() -> Command {
    Command::new("dump")
        .about("Prints the objects of an HDF5 file: types, dataspaces, storage, attributes, links and values")
        .after_help(EXIT_CODES)
        .arg(file())
        .arg(object())
        .arg(flag("json", "Print one JSON object instead of text"))
        .arg(flag("header", "Leave the values of datasets out"))
}

/// Runs it; the exit code.
pub fn run(arguments: &ArgMatches) -> u8 {
    let model = match Model::open(arguments) {
        Ok(model) => model,
        Err(error) => {
            eprintln!("h5r: {error}");
            return CANNOT;
        }
    };
    let mut out =
        Out { inner: BufWriter::new(io::stdout().lock()), complete: true, values: !arguments.get_flag("header") };
    let written = match arguments.get_flag("json") {
        true => json::file(&model, &mut out),
        false => text::file(&model, &mut out),
    };
    match written.and_then(|()| out.inner.flush()) {
        // A reader that has seen enough is no fault of the file's.
        Ok(()) | Err(_) if out.complete => 0,
        _ => INCOMPLETE,
    }
}

/// Where a dump goes.
pub struct Out<'a> {
    pub inner: BufWriter<io::StdoutLock<'a>>,
    /// Everything was read.
    pub complete: bool,
    /// The values of datasets are wanted.
    pub values: bool,
}

impl Out<'_> {
    /// What came of reading something; of an error, its message.
    pub fn read<T>(&mut self, result: Result<T>) -> std::result::Result<T, String> {
        result.map_err(|error| {
            self.complete = false;
            error.message().to_owned()
        })
    }
}

/// An attribute, or what is known of a dataset.
pub struct Shape {
    pub datatype: datatype::Datatype,
    pub dims: Vec<u64>,
    pub is_null: bool,
}

impl Shape {
    pub fn elements(&self) -> u64 {
        if self.is_null {
            return 0;
        }
        self.dims.iter().product()
    }
}

/// An attribute's shape and its elements.
pub fn attribute(model: &Model, object: &Object, name: &str) -> Result<(Shape, Vec<Value>)> {
    let (info, data) = object.attr_read_raw(name)?;
    let shape = Shape { datatype: described(&info.datatype)?, dims: info.dims, is_null: info.is_null };
    let values = elements(model, &shape.datatype, &data, None)?;
    Ok((shape, values))
}

fn elements(model: &Model, datatype: &datatype::Datatype, data: &[u8], parts: Option<&Arena>) -> Result<Vec<Value>> {
    let size = (datatype.size as usize).max(1);
    data.chunks_exact(size).map(|element| model.value(datatype, element, parts)).collect()
}

/// A dataset's shape.
pub fn shape(object: &Object, info: &DatasetInfo) -> Result<Shape> {
    Ok(Shape { datatype: described(&object.dataset_file_type()?)?, dims: info.dims.clone(), is_null: info.is_null })
}

/// The names of an object's attributes, ascending.
pub fn attribute_names(object: &Object) -> Result<Vec<String>> {
    object.attr_names(Order::Name)
}

/// What a committed datatype says.
pub fn named_type(object: &Object) -> Result<datatype::Datatype> {
    let messages = object.header_messages(h5r::format::message::kind::DATATYPE)?;
    let body = messages.first().ok_or_else(|| Error::internal("a committed datatype without a datatype message"))?;
    datatype::Datatype::decode(body)
}

/// Calls `visit` with the elements of a dataset, in order, some at a time.
pub fn each_element(
    model: &Model,
    object: &Object,
    info: &DatasetInfo,
    mut visit: impl FnMut(Vec<Value>) -> io::Result<()>,
) -> Result<()> {
    let shape = shape(object, info)?;
    let total = shape.elements();
    if total == 0 {
        return Ok(());
    }
    let stopped = |e| Error::io("writing the output", e);
    let size = u64::from(shape.datatype.size);
    let Some((&rows, rest)) = shape.dims.split_first() else {
        return visit(read(model, object, info, None, size)?).map_err(stopped);
    };
    let row = rest.iter().product::<u64>().saturating_mul(size);
    let at_once = (AT_ONCE / row.max(1)).max(1);
    let mut first = 0;
    while first < rows {
        let count = at_once.min(rows - first);
        let (mut start, mut extent) = (vec![0; shape.dims.len()], shape.dims.clone());
        (start[0], extent[0]) = (first, count);
        let selection = Selection { start: Some(&start), count: Some(&extent), ..Selection::default() };
        visit(read(model, object, info, Some(&selection), count.saturating_mul(row))?).map_err(stopped)?;
        first += count;
    }
    Ok(())
}

/// The selected elements, which have so many bytes in the file.
fn read(
    model: &Model,
    object: &Object,
    info: &DatasetInfo,
    selection: Option<&Selection<'_>>,
    bytes: u64,
) -> Result<Vec<Value>> {
    let file_type = object.dataset_file_type()?;
    if info.layout == LayoutKind::Virtual && info.datatype.has_pointers() {
        // Their parts are in the heaps of other files.
        let bytes = (bytes / file_type.size().max(1) as u64).saturating_mul(info.datatype.size() as u64);
        let (mut data, mut parts) = (buffer(bytes)?, Arena::default());
        object.dataset_read_values(&info.datatype, selection, |_| Ok(&mut data), &mut parts)?;
        return elements(model, &described(&info.datatype)?, &data, Some(&parts));
    }
    let mut data = buffer(bytes)?;
    object.dataset_read_raw(selection, &mut data)?;
    elements(model, &described(&file_type)?, &data, None)
}

fn buffer(bytes: u64) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    data.try_reserve_exact(length)
        .map_err(|_| Error::new(h5r::error::ErrorKind::Limit, format!("{bytes} bytes do not fit in memory")))?;
    data.resize(length, 0);
    Ok(data)
}

/// The kind in one word.
pub fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Group => "group",
        ObjectKind::Dataset => "dataset",
        ObjectKind::NamedType => "datatype",
    }
}
