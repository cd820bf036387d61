//! `h5r ls`: the objects of a file, one per line.

use std::io::{self, Write};

use clap::{Arg, ArgAction, ArgMatches, Command};
use h5r::error::Result;
use h5r::object::{LinkInfo, LinkTarget, Object, ObjectInfo, ObjectKind, Purpose};
use serde_json::{json, Value};

use crate::dump::{kind_name, named_type, shape};
use crate::model::{filter_name, Model};
use crate::text::target_text;
use crate::{file, flag, json as as_json, object, types, CANNOT};

/// What the subcommand takes.
pub fn command() -> Command {
    Command::new("ls")
        .about("Lists the objects of an HDF5 file")
        .arg(file())
        .arg(object())
        .arg(short("recursive", 'r', "List what the groups hold, too, by paths"))
        .arg(short("verbose", 'v', "Say more: times, counts, the space that each object takes, types, storage"))
        .arg(flag("json", "Print one JSON object instead of text"))
}

fn short(name: &'static str, letter: char, help: &'static str) -> Arg {
    Arg::new(name).short(letter).long(name).action(ArgAction::SetTrue).help(help)
}

/// Runs it; the exit code.
pub fn run(arguments: &ArgMatches) -> u8 {
    let listed = Model::open(arguments).and_then(|model| {
        let options = Options { recursive: arguments.get_flag("recursive"), verbose: arguments.get_flag("verbose") };
        let entries = entries(&model, &options)?;
        match arguments.get_flag("json") {
            true => {
                let list: Vec<Value> = entries.iter().map(|entry| entry.json(&model)).collect::<Result<_>>()?;
                Ok(format!("{}\n", json!({ "file": model.file.path().display().to_string(), "entries": list })))
            }
            false => entries.iter().map(|entry| entry.text(&model, &options)).collect(),
        }
    });
    match listed {
        Ok(text) => {
            // A reader that has seen enough is no fault of the file's.
            let _ = io::stdout().write_all(text.as_bytes());
            0
        }
        Err(error) => {
            eprintln!("h5r: {error}");
            CANNOT
        }
    }
}

struct Options {
    recursive: bool,
    verbose: bool,
}

/// A line: an object by its first path, or another link.
struct Entry {
    path: String,
    object: Option<Object>,
    link: Option<LinkInfo>,
}

fn entries(model: &Model, options: &Options) -> Result<Vec<Entry>> {
    let mut all = Vec::new();
    let shown = if options.recursive { model.objects.len() } else { 1 };
    for path in model.objects.iter().take(shown) {
        let object = model.object(path)?;
        let links = model.links(&object)?;
        let is_group = object.kind()? == ObjectKind::Group;
        if options.recursive || !is_group {
            all.push(Entry { path: path.clone(), object: Some(object), link: None });
        }
        for (name, link) in links {
            let below = format!("{}/{name}", path.trim_end_matches('/'));
            match model.target(&link.target) {
                // It has an entry of its own.
                Some(target) if target == below && options.recursive => {}
                Some(target) if target == below => {
                    all.push(Entry { path: name, object: Some(model.object(target)?), link: None });
                }
                _ => all.push(Entry {
                    path: if options.recursive { below } else { name },
                    object: None,
                    link: Some(link),
                }),
            }
        }
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

impl Entry {
    fn json(&self, model: &Model) -> Result<Value> {
        let Some(object) = &self.object else {
            let link = self.link.as_ref().map(|link| as_json::link(model, link));
            return Ok(json!({ "path": self.path, "link": link }));
        };
        let info = object.info(None)?;
        let storage: serde_json::Map<String, Value> = Purpose::ALL
            .iter()
            .zip(info.storage)
            .filter(|(_, bytes)| *bytes > 0)
            .map(|(purpose, bytes)| (purpose.name().into(), bytes.into()))
            .collect();
        let mut entry = json!({
            "path": self.path,
            "kind": kind_name(info.kind),
            "address": info.address,
            "references": info.references,
            "attributes": info.attributes,
            "storage": storage,
            "times": {
                "access": info.times.access, "modification": info.times.modification, "change": info.times.change,
                "birth": info.times.birth,
            },
        });
        let more = match info.kind {
            ObjectKind::Group => json!({ "links": info.links }),
            ObjectKind::Dataset => as_json::header(model, object, &object.dataset_info()?)?,
            ObjectKind::NamedType => json!({ "type": types::json(&named_type(object)?) }),
        };
        if let (Some(entry), Value::Object(more)) = (entry.as_object_mut(), more) {
            entry.extend(more);
        }
        Ok(entry)
    }

    fn text(&self, model: &Model, options: &Options) -> Result<String> {
        let Some(object) = &self.object else {
            let target = self.link.as_ref().map(|link| &link.target);
            let text = match target {
                Some(target @ LinkTarget::Hard(_)) => match model.target(target) {
                    Some(path) => format!("same as {path}"),
                    None => target_text(target),
                },
                Some(target) => target_text(target),
                None => String::new(),
            };
            return Ok(format!("{:<40} {text}\n", self.path));
        };
        let kind = object.kind()?;
        let mut line = format!("{:<40} {}", self.path, kind_name(kind));
        if kind == ObjectKind::Dataset {
            let info = object.dataset_info()?;
            let shape = shape(object, &info)?;
            line += &format!(" {}", types::space_text(shape.is_null, &shape.dims, &info.max_dims));
        }
        line.push('\n');
        if options.verbose {
            line += &details(model, object, &object.info(None)?)?;
        }
        Ok(line)
    }
}

/// The lines that `-v` adds.
fn details(model: &Model, object: &Object, info: &ObjectInfo) -> Result<String> {
    let mut text = format!(
        "    address {:#x}, {} references, {} attributes{}\n",
        info.address,
        info.references,
        info.attributes,
        info.links.map_or(String::new(), |links| format!(", {links} links"))
    );
    let time = |name, time: Option<u32>| time.map(|time| format!("{name} {time}"));
    let times = [
        time("created", info.times.birth),
        time("changed", info.times.change),
        time("data changed", info.times.modification),
        time("data read", info.times.access),
    ];
    let times: Vec<String> = times.into_iter().flatten().collect();
    if !times.is_empty() {
        text += &format!("    seconds since 1970: {}\n", times.join(", "));
    }
    let taken = Purpose::ALL.iter().zip(info.storage).filter(|(_, bytes)| *bytes > 0);
    let taken: Vec<String> = taken.map(|(purpose, bytes)| format!("{purpose} {bytes}")).collect();
    text += &format!("    bytes: {}\n", taken.join(", "));
    if let Some(comment) = object.comment()? {
        text += &format!("    comment {comment:?}\n");
    }
    match info.kind {
        ObjectKind::Group => {}
        ObjectKind::NamedType => text += &format!("    {}\n", types::text(&named_type(object)?)),
        ObjectKind::Dataset => {
            let info = object.dataset_info()?;
            let storage = model.storage(object, &info)?;
            text += &format!("    {}\n    {}", types::text(&shape(object, &info)?.datatype), storage.name);
            if let Some(chunk) = &storage.chunk {
                text += &format!(" {chunk:?}");
            }
            let filters: Vec<String> = storage.filters.iter().map(filter_name).collect();
            text += &format!("{}{}\n", if filters.is_empty() { "" } else { ", " }, filters.join(" "));
        }
    }
    Ok(text)
}
