//! `include/h5r.h` is what cbindgen makes of `src/ffi`, and its constants and symbols never disappear.
//!
//! `H5R_UPDATE=1 cargo test --test header` writes the header and the symbol list anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The order in which declarations appear.
const SOURCES: [&str; 21] = [
    "status.rs",
    "last_error.rs",
    "handle.rs",
    "input.rs",
    "types.rs",
    "type_make.rs",
    "type_info.rs",
    "vlen.rs",
    "options.rs",
    "file.rs",
    "object.rs",
    "filter.rs",
    "copy.rs",
    "dataset.rs",
    "parts.rs",
    "chunk.rs",
    "attribute.rs",
    "link.rs",
    "reference.rs",
    "rebalance.rs",
    "check.rs",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn generated() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(root().join("src/ffi").join(source));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    // Users write the names without `struct`, and so does the header but where it gives the tags.
    let header = String::from_utf8(header).unwrap();
    let plain = |line: &str| match line.starts_with("typedef struct ") {
        true => line.to_owned() + "\n",
        false => line.replace("struct h5r_", "h5r_") + "\n",
    };
    header.lines().map(plain).collect()
}

fn updating() -> bool {
    std::env::var_os("H5R_UPDATE").is_some()
}

#[track_caller]
fn same_as_committed(path: &Path, current: &str) {
    if updating() {
        fs::write(path, current).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == current,
        "{} is stale: run `H5R_UPDATE=1 cargo test --test header` and commit it",
        path.display()
    );
}

#[test]
fn the_header_is_current() {
    same_as_committed(&root().join("include/h5r.h"), &generated());
}

#[test]
fn every_source_of_the_abi_is_in_the_header() {
    let header = generated();
    for entry in fs::read_dir(root().join("src/ffi")).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in source.lines() {
            let Some((_, rest)) = line.split_once("extern \"C\" fn h5r_") else { continue };
            let name = rest.split('(').next().unwrap();
            assert!(header.contains(&format!("h5r_{name}(")), "h5r_{name} is not in the header");
        }
    }
}

/// Functions that the header declares.
fn symbols(header: &str) -> BTreeSet<String> {
    let code: String =
        header.lines().filter(|l| !l.trim_start().starts_with(['*', '/', '#'])).flat_map(|l| [l, " "]).collect();
    let mut symbols = BTreeSet::new();
    for declaration in code.split(';').filter(|d| !d.contains("typedef") && d.trim_end().ends_with(')')) {
        if let Some((before, _)) = declaration.split_once('(') {
            symbols.insert(before.rsplit([' ', '*']).next().unwrap().to_owned());
        }
    }
    symbols
}

#[test]
fn no_symbol_disappears() {
    let current: String = symbols(&generated()).into_iter().map(|s| s + "\n").collect();
    let snapshot = root().join("tests/c/symbols.txt");
    let known = fs::read_to_string(&snapshot).unwrap_or_default();
    let lost: Vec<_> = known.lines().filter(|s| !current.lines().any(|c| c == *s)).collect();
    assert!(lost.is_empty(), "exported symbols have disappeared: {lost:?}");
    same_as_committed(&snapshot, &current);
    assert!(current.lines().all(|s| s.starts_with("h5r_")) && current.lines().count() > 50);
}

#[test]
fn every_constant_is_prefixed() {
    for line in generated().lines().filter_map(|l| l.strip_prefix("#define ")) {
        assert!(line.starts_with("H5R_"), "{line}");
    }
}
