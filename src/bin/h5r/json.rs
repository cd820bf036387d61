//! A dump as JSON, written as it is read: one object with the list of all objects, in which hard links and object
//! references name paths.

use std::io::{self, Write};

use h5r::error::Result;
use h5r::format::message::fill::Fill;
use h5r::format::message::link::external_parts;
use h5r::object::dataset::DatasetInfo;
use h5r::object::{LinkInfo, LinkTarget, Object, ObjectKind};
use serde_json::json;

use crate::dump::{self, attribute, attribute_names, Out, Shape};
use crate::model::{filter_name, hex, Model};
use crate::types;
use crate::value::Value;

/// Writes the whole file.
pub fn file(model: &Model, out: &mut Out<'_>) -> io::Result<()> {
    write!(out.inner, "{{\"file\":{},\"objects\":[", json!(model.file.path().display().to_string()))?;
    for (number, path) in model.objects.iter().enumerate() {
        out.inner.write_all(if number > 0 { b",\n" } else { b"\n" })?;
        write!(out.inner, "{{\"path\":{}", json!(path))?;
        match out.read(model.object(path)) {
            Ok(opened) => object(model, &opened, out)?,
            Err(error) => write!(out.inner, ",\"error\":{}", json!(error))?,
        }
        write!(out.inner, "}}")?;
    }
    writeln!(out.inner, "\n]}}")
}

fn object(model: &Model, object: &Object, out: &mut Out<'_>) -> io::Result<()> {
    let known = out.read(object.kind().and_then(|kind| Ok((kind, object.comment()?))));
    let (kind, comment) = match known {
        Ok(known) => known,
        Err(error) => return write!(out.inner, ",\"error\":{}", json!(error)),
    };
    write!(out.inner, ",\"kind\":\"{}\"", dump::kind_name(kind))?;
    if let Some(comment) = comment {
        write!(out.inner, ",\"comment\":{}", json!(comment))?;
    }
    attributes(model, object, out)?;
    match kind {
        ObjectKind::Group => match out.read(model.links(object)) {
            Ok(links) => write!(out.inner, ",\"links\":{}", json!(described(model, &links))),
            Err(error) => write!(out.inner, ",\"links\":{}", json!({ "error": error })),
        },
        ObjectKind::Dataset => dataset(model, object, out),
        ObjectKind::NamedType => match out.read(dump::named_type(object)) {
            Ok(datatype) => write!(out.inner, ",\"type\":{}", types::json(&datatype)),
            Err(error) => write!(out.inner, ",\"error\":{}", json!(error)),
        },
    }
}

fn attributes(model: &Model, object: &Object, out: &mut Out<'_>) -> io::Result<()> {
    let names = match out.read(attribute_names(object)) {
        Ok(names) => names,
        Err(error) => return write!(out.inner, ",\"attributes\":{}", json!({ "error": error })),
    };
    write!(out.inner, ",\"attributes\":{{")?;
    for (number, name) in names.iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        write!(out.inner, "{comma}{}:{{", json!(name))?;
        match out.read(attribute(model, object, name)) {
            Ok((shape, values)) => {
                let space = types::space_json(shape.is_null, &shape.dims, &shape.dims);
                write!(out.inner, "\"type\":{},\"space\":{space},\"value\":", types::json(&shape.datatype))?;
                let mut list = List::new(&shape);
                list.begin(&mut out.inner)?;
                list.add(&mut out.inner, &values)?;
                list.end(&mut out.inner)?;
            }
            Err(error) => write!(out.inner, "\"error\":{}", json!(error))?,
        }
        write!(out.inner, "}}")?;
    }
    write!(out.inner, "}}")
}

/// A link as JSON.
pub fn link(model: &Model, link: &LinkInfo) -> serde_json::Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match &link.target {
        LinkTarget::Hard(address) => match model.target(&link.target) {
            Some(path) => json!({ "kind": "hard", "object": path }),
            None => json!({ "kind": "hard", "address": address }),
        },
        LinkTarget::Soft(path) => json!({ "kind": "soft", "path": text(path) }),
        LinkTarget::User(64, data) => match external_parts(data) {
            Ok((file, path)) => json!({ "kind": "external", "file": text(file), "path": text(path) }),
            Err(_) => json!({ "kind": "external", "data": hex(data) }),
        },
        LinkTarget::User(number, data) => json!({ "kind": "user", "type": number, "data": hex(data) }),
    }
}

fn described(model: &Model, links: &[(String, LinkInfo)]) -> serde_json::Map<String, serde_json::Value> {
    links.iter().map(|(name, info)| (name.clone(), link(model, info))).collect()
}

/// What is known of a dataset without its elements.
pub fn header(model: &Model, object: &Object, info: &DatasetInfo) -> Result<serde_json::Value> {
    let shape = dump::shape(object, info)?;
    let storage = model.storage(object, info)?;
    let filters: Vec<_> = storage
        .filters
        .iter()
        .map(|filter| json!({ "id": filter.id, "name": filter_name(filter), "parameters": filter.client_data }))
        .collect();
    let fill = match &info.fill {
        Fill::Undefined => json!("undefined"),
        Fill::Default => json!("default"),
        Fill::Value(bytes) => json!({ "value": rendered(&model.value(&shape.datatype, bytes, None)?) }),
    };
    let mut layout = json!({ "kind": storage.name, "bytes": storage.bytes });
    if let (Some(layout), Some(chunk)) = (layout.as_object_mut(), &storage.chunk) {
        layout.insert("chunk".into(), json!(chunk));
        layout.insert("index".into(), json!(storage.index));
    }
    Ok(json!({
        "type": types::json(&shape.datatype),
        "space": types::space_json(shape.is_null, &shape.dims, &info.max_dims),
        "layout": layout,
        "filters": filters,
        "fill": fill,
    }))
}

fn rendered(value: &Value) -> serde_json::Value {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = element(&mut bytes, value);
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn dataset(model: &Model, object: &Object, out: &mut Out<'_>) -> io::Result<()> {
    let known =
        object.dataset_info().and_then(|info| Ok((header(model, object, &info)?, dump::shape(object, &info)?, info)));
    let (header, shape, info) = match out.read(known) {
        Ok(known) => known,
        Err(error) => return write!(out.inner, ",\"error\":{}", json!(error)),
    };
    for (name, value) in header.as_object().into_iter().flatten() {
        write!(out.inner, ",{}:{value}", json!(name))?;
    }
    if !out.values {
        return Ok(());
    }
    write!(out.inner, ",\"value\":")?;
    let mut list = List::new(&shape);
    list.begin(&mut out.inner)?;
    let read = dump::each_element(model, object, &info, |values| list.add(&mut out.inner, &values));
    // An output that ended early ends here, too.
    let read = out.read(read);
    list.end(&mut out.inner)?;
    match read {
        Ok(()) => Ok(()),
        Err(error) => write!(out.inner, ",\"error\":{}", json!(error)),
    }
}

/// Elements as a nested list of the array's dimensions; of a scalar the value alone.
struct List {
    dims: Vec<u64>,
    is_null: bool,
    written: u64,
    total: u64,
}

impl List {
    fn new(shape: &Shape) -> Self {
        List { dims: shape.dims.clone(), is_null: shape.is_null, written: 0, total: shape.elements() }
    }

    fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        match self.total {
            0 if !self.is_null => write!(out, "[]"),
            _ => Ok(()),
        }
    }

    fn add(&mut self, out: &mut impl Write, values: &[Value]) -> io::Result<()> {
        for value in values {
            if self.written > 0 {
                write!(out, ",")?;
            }
            for _ in 0..self.edges(self.written) {
                write!(out, "[")?;
            }
            element(out, value)?;
            self.written += 1;
            for _ in 0..self.edges(self.written) {
                write!(out, "]")?;
            }
        }
        Ok(())
    }

    /// Dimensions that begin, or end, at an element.
    fn edges(&self, element: u64) -> usize {
        let mut length = 1u64;
        let begins = |dim: &&u64| {
            length = length.saturating_mul(**dim);
            element.is_multiple_of(length)
        };
        self.dims.iter().rev().take_while(begins).count()
    }

    /// What is missing, because it could not be read, is null.
    fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        let short = self.written < self.total;
        match (short, self.written) {
            (true, 0) => write!(out, "null"),
            (true, written) => {
                let open = self.dims.len() - self.edges(written);
                (0..open).try_for_each(|_| write!(out, "]"))
            }
            (false, 0) if self.is_null => write!(out, "null"),
            _ => Ok(()),
        }
    }
}

fn element(out: &mut impl Write, value: &Value) -> io::Result<()> {
    match value {
        Value::Integer(number) | Value::Enumerated(_, number) => write!(out, "{number}"),
        Value::Float(number, size) => float(out, *number, *size),
        Value::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => write!(out, "{}", json!(text)),
            Err(_) => write!(out, "{}", json!({ "bytes": hex(bytes) })),
        },
        Value::Digits(digits) => write!(out, "\"{digits}\""),
        Value::Record(members) => {
            write!(out, "{{")?;
            for (number, (name, value)) in members.iter().enumerate() {
                write!(out, "{}{}:", if number > 0 { "," } else { "" }, json!(name))?;
                element(out, value)?;
            }
            write!(out, "}}")
        }
        Value::List(values) => {
            write!(out, "[")?;
            for (number, value) in values.iter().enumerate() {
                write!(out, "{}", if number > 0 { "," } else { "" })?;
                element(out, value)?;
            }
            write!(out, "]")
        }
        Value::Reference(Some(path), _) => write!(out, "{}", json!({ "object": path })),
        Value::Reference(None, address) => write!(out, "{}", json!({ "address": address })),
        Value::Complex(real, imaginary) => {
            write!(out, "[")?;
            element(out, real)?;
            write!(out, ",")?;
            element(out, imaginary)?;
            write!(out, "]")
        }
        Value::Nothing => write!(out, "null"),
    }
}

/// The fewest digits that give the number back; JSON has no others than finite numbers, so these are strings.
fn float(out: &mut impl Write, number: f64, size: u32) -> io::Result<()> {
    match number {
        _ if number.is_nan() => write!(out, "\"NaN\""),
        _ if number.is_infinite() => write!(out, "\"{}Infinity\"", if number < 0.0 { "-" } else { "" }),
        _ if size == 4 => write!(out, "{:?}", number as f32),
        _ => write!(out, "{number:?}"),
    }
}
