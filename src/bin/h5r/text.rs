//! A dump as text, in the terms of h5dump: one block per object, headed by its path.

use std::io::{self, Write};

use h5r::format::message::link::external_parts;
use h5r::object::{LinkTarget, Object, ObjectKind};

use crate::dump::{self, attribute, attribute_names, Out, Shape};
use crate::model::{filter_name, hex, Model};
use crate::types;
use crate::value::Value;

/// Where a line of values is broken.
const WIDTH: usize = 100;

/// Writes the whole file.
pub fn file(model: &Model, out: &mut Out<'_>) -> io::Result<()> {
    writeln!(out.inner, "HDF5 \"{}\" {{", model.file.path().display())?;
    for path in &model.objects {
        match out.read(model.object(path).and_then(|object| Ok((object.kind()?, object)))) {
            Ok((kind, opened)) => {
                writeln!(out.inner, "{} \"{path}\" {{", dump::kind_name(kind).to_uppercase())?;
                object(model, &opened, kind, out)?;
                writeln!(out.inner, "}}")?;
            }
            Err(error) => writeln!(out.inner, "OBJECT \"{path}\" {{ ERROR {error} }}")?,
        }
    }
    writeln!(out.inner, "}}")
}

fn object(model: &Model, object: &Object, kind: ObjectKind, out: &mut Out<'_>) -> io::Result<()> {
    if let Ok(Some(comment)) = out.read(object.comment()) {
        writeln!(out.inner, "   COMMENT {comment:?}")?;
    }
    match kind {
        ObjectKind::Dataset => dataset(model, object, out)?,
        ObjectKind::NamedType => match out.read(dump::named_type(object)) {
            Ok(datatype) => writeln!(out.inner, "   DATATYPE {}", types::text(&datatype))?,
            Err(error) => writeln!(out.inner, "   ERROR {error}")?,
        },
        ObjectKind::Group => links(model, object, out)?,
    }
    match out.read(attribute_names(object)) {
        Ok(names) => names.iter().try_for_each(|name| write_attribute(model, object, name, out)),
        Err(error) => writeln!(out.inner, "   ERROR {error}"),
    }
}

fn write_attribute(model: &Model, object: &Object, name: &str, out: &mut Out<'_>) -> io::Result<()> {
    writeln!(out.inner, "   ATTRIBUTE {name:?} {{")?;
    match out.read(attribute(model, object, name)) {
        Ok((shape, values)) => {
            writeln!(out.inner, "      DATATYPE {}", types::text(&shape.datatype))?;
            let space = types::space_text(shape.is_null, &shape.dims, &shape.dims);
            writeln!(out.inner, "      DATASPACE {space}")?;
            let mut lines = Lines::new(&shape, 6);
            lines.add(&mut out.inner, &values)?;
            lines.end(&mut out.inner)?;
        }
        Err(error) => writeln!(out.inner, "      ERROR {error}")?,
    }
    writeln!(out.inner, "   }}")
}

fn links(model: &Model, object: &Object, out: &mut Out<'_>) -> io::Result<()> {
    let links = match out.read(model.links(object)) {
        Ok(links) => links,
        Err(error) => return writeln!(out.inner, "   ERROR {error}"),
    };
    for (name, link) in links {
        let text = match &link.target {
            LinkTarget::Hard(address) => match model.target(&link.target) {
                Some(path) => format!("HARDLINK {path:?}"),
                None => format!("HARDLINK to {address:#x}"),
            },
            target => target_text(target),
        };
        writeln!(out.inner, "   LINK {name:?} {{ {text} }}")?;
    }
    Ok(())
}

/// What a soft, external or user-defined link says.
pub fn target_text(target: &LinkTarget) -> String {
    match target {
        LinkTarget::Hard(address) => format!("HARDLINK to {address:#x}"),
        LinkTarget::Soft(path) => format!("SOFTLINK {:?}", String::from_utf8_lossy(path)),
        LinkTarget::User(64, data) => match external_parts(data) {
            Ok((file, path)) => {
                format!("EXTERNAL_LINK {:?} {:?}", String::from_utf8_lossy(file), String::from_utf8_lossy(path))
            }
            Err(_) => format!("EXTERNAL_LINK {}", hex(data)),
        },
        LinkTarget::User(number, data) => format!("USERDEFINED_LINK {number} {}", hex(data)),
    }
}

fn dataset(model: &Model, object: &Object, out: &mut Out<'_>) -> io::Result<()> {
    let known = object.dataset_info().and_then(|info| {
        let storage = model.storage(object, &info)?;
        Ok((dump::shape(object, &info)?, storage, info))
    });
    let (shape, storage, info) = match out.read(known) {
        Ok(known) => known,
        Err(error) => return writeln!(out.inner, "   ERROR {error}"),
    };
    writeln!(out.inner, "   DATATYPE {}", types::text(&shape.datatype))?;
    writeln!(out.inner, "   DATASPACE {}", types::space_text(shape.is_null, &shape.dims, &info.max_dims))?;
    write!(out.inner, "   STORAGE {} ({} bytes)", storage.name.to_uppercase(), storage.bytes)?;
    if let (Some(chunk), Some(index)) = (&storage.chunk, storage.index) {
        write!(out.inner, " chunks {chunk:?} in a {index}")?;
    }
    for filter in &storage.filters {
        write!(out.inner, " {}{:?}", filter_name(filter).to_uppercase(), filter.client_data)?;
    }
    writeln!(out.inner)?;
    if !out.values {
        return Ok(());
    }
    let mut lines = Lines::new(&shape, 3);
    let read = dump::each_element(model, object, &info, |values| lines.add(&mut out.inner, &values));
    let read = out.read(read);
    lines.end(&mut out.inner)?;
    match read {
        Ok(()) => Ok(()),
        Err(error) => writeln!(out.inner, "   ERROR {error}"),
    }
}

/// Values in lines, each headed by the place of its first element; a row of the array begins a line.
struct Lines {
    dims: Vec<u64>,
    indent: usize,
    written: u64,
    line: String,
}

impl Lines {
    fn new(shape: &Shape, indent: usize) -> Self {
        Lines { dims: shape.dims.clone(), indent, written: 0, line: String::new() }
    }

    fn add(&mut self, out: &mut impl Write, values: &[Value]) -> io::Result<()> {
        for value in values {
            let row = self.dims.last().copied().unwrap_or(1).max(1);
            if self.written.is_multiple_of(row) || self.line.len() > WIDTH {
                self.end(out)?;
                self.line = format!("{}({}): ", " ".repeat(self.indent), self.place());
            } else {
                self.line.push_str(", ");
            }
            element(&mut self.line, value);
            self.written += 1;
        }
        Ok(())
    }

    /// The next element's indices.
    fn place(&self) -> String {
        let mut rest = self.written;
        let mut indices: Vec<String> = Vec::with_capacity(self.dims.len());
        for &dim in self.dims.iter().rev() {
            indices.push((rest % dim.max(1)).to_string());
            rest /= dim.max(1);
        }
        indices.reverse();
        if indices.is_empty() {
            "0".into()
        } else {
            indices.join(",")
        }
    }

    fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        match std::mem::take(&mut self.line) {
            line if line.is_empty() => Ok(()),
            line => writeln!(out, "{line}"),
        }
    }
}

fn element(out: &mut String, value: &Value) {
    let list = |out: &mut String, values: &mut dyn Iterator<Item = &Value>, ends: (&str, &str)| {
        out.push_str(ends.0);
        for (number, value) in values.enumerate() {
            out.push_str(if number > 0 { ", " } else { "" });
            element(out, value);
        }
        out.push_str(ends.1);
    };
    match value {
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Float(number, 4) => out.push_str(&format!("{}", *number as f32)),
        Value::Float(number, _) => out.push_str(&number.to_string()),
        Value::Text(bytes) => out.push_str(&format!("{:?}", String::from_utf8_lossy(bytes))),
        Value::Digits(digits) => out.push_str(&format!("0x{digits}")),
        Value::Record(members) => list(out, &mut members.iter().map(|(_, value)| value), ("{ ", " }")),
        Value::List(values) => list(out, &mut values.iter(), ("[ ", " ]")),
        Value::Enumerated(Some(name), _) => out.push_str(name),
        Value::Enumerated(None, number) => out.push_str(&number.to_string()),
        Value::Reference(Some(path), _) => out.push_str(&format!("{path:?}")),
        Value::Reference(None, address) => out.push_str(&format!("object at {address:#x}")),
        Value::Complex(real, imaginary) => {
            element(out, real);
            let sign = out.len();
            element(out, imaginary);
            if !out[sign..].starts_with('-') {
                out.insert(sign, '+');
            }
            out.push('i');
        }
        Value::Nothing => out.push_str("NULL"),
    }
}
