//! The house rules that a program can check: no layer names a higher one, files and functions stay small, `unsafe` and
//! panics stay where they belong.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, each with those that it may name beside itself and `error`.
const LAYERS: [(&str, &[&str]); 9] = [
    ("error", &[]),
    ("format", &[]),
    ("store", &["format"]),
    ("btree", &["format", "store"]),
    ("heap", &["format", "store", "btree"]),
    ("datatype", &["format"]),
    ("chunk", &["format", "store", "btree", "datatype"]),
    ("rebalance", &["format", "store", "btree", "heap"]),
    ("object", &["format", "store", "btree", "heap", "chunk", "datatype", "rebalance"]),
];

/// Files beside `src/ffi` that may say `unsafe`: one small one per platform call.
const UNSAFE_FILES: [&str; 5] =
    ["format/filter/libsz.rs", "store/map.rs", "store/prefetch.rs", "store/region.rs", "store/ring.rs"];

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 70;

struct Source {
    path: PathBuf,
    /// The lines before the tests.
    lines: Vec<String>,
    /// The same, with strings, characters and comments blanked.
    code: Vec<String>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut waiting = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path) {
                let text = fs::read_to_string(&path).unwrap();
                let lines: Vec<String> = before_tests(&text).lines().map(String::from).collect();
                let code = blank(&lines.join("\n")).lines().map(String::from).collect();
                found.push(Source { path: path.strip_prefix(&root).unwrap().to_path_buf(), lines, code });
            }
        }
    }
    assert!(found.len() > 50, "{} source files", found.len());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A file that is a module of tests: its parent says so with `#[cfg(test)]`.
fn is_test(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    let mut parents = vec![path.with_file_name("mod.rs"), path.with_file_name("lib.rs")];
    parents.push(path.parent().unwrap().with_extension("rs"));
    parents.iter().filter_map(|parent| fs::read_to_string(parent).ok()).any(|text| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.windows(2).any(|pair| pair[0] == "#[cfg(test)]" && pair[1] == format!("mod {name};"))
            || lines.windows(3).any(|trio| trio[0] == "#[cfg(test)]" && trio[2] == format!("mod {name};"))
    })
}

/// The text up to the module of tests.
fn before_tests(text: &str) -> &str {
    let end = text.match_indices("#[cfg(test)]").find(|(at, _)| {
        let rest = text[at + 12..].trim_start();
        rest.starts_with("mod ") && !rest.lines().next().is_some_and(|line| line.ends_with(';'))
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// Comments, strings and characters as spaces, so that what is left is code.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let starts = |at: usize, word: &str| word.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    while at < chars.len() {
        let end = if starts(at, "//") {
            chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |length| at + length)
        } else if chars[at] == '"' {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            end + 1
        } else if starts(at, "'\\") {
            chars[at + 3..].iter().position(|&c| c == '\'').map_or(chars.len(), |length| at + 4 + length)
        } else if chars[at] == '\'' && chars.get(at + 2) == Some(&'\'') {
            at + 3
        } else {
            out.push(chars[at]);
            at += 1;
            continue;
        };
        out.extend(chars[at..end.min(chars.len())].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

/// Fails with all complaints at once.
fn report(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The words that follow `crate::` (or as many `super::` as lead to the crate's root) in a line.
fn named_modules(source: &Source, line: &str) -> Vec<String> {
    let depth = source.path.components().count() - usize::from(source.path.ends_with("mod.rs"));
    let mut named = Vec::new();
    for prefix in ["crate::".to_string(), "super::".repeat(depth)] {
        for (at, _) in line.match_indices(&prefix) {
            let rest = &line[at + prefix.len()..];
            let group: Vec<&str> = match rest.strip_prefix('{') {
                Some(group) => group.split(',').collect(),
                None => vec![rest],
            };
            let word = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            named.extend(group.into_iter().map(word));
        }
    }
    named
}

#[test]
fn no_layer_names_a_higher_one() {
    let mut complaints = Vec::new();
    for source in sources() {
        let top = source.path.iter().next().unwrap().to_string_lossy().replace(".rs", "");
        if top == "lib" || top == "ffi" || top == "bin" {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == top) else {
            complaints.push(format!("src/{}: '{top}' is no layer; say here what it may name", source.path.display()));
            continue;
        };
        for (number, line) in source.code.iter().enumerate() {
            for named in named_modules(&source, line) {
                let is_layer = named == "ffi" || LAYERS.iter().any(|(layer, _)| *layer == named);
                if is_layer && named != "error" && named != top && !allowed.contains(&named.as_str()) {
                    complaints.push(format!("src/{}:{}: {top} names {named}", source.path.display(), number + 1));
                }
            }
        }
    }
    report(complaints);
}

#[test]
fn files_and_functions_are_small() {
    let mut complaints = Vec::new();
    for source in sources() {
        if source.lines.len() > MAX_FILE_LINES {
            complaints.push(format!("src/{}: {} lines before its tests", source.path.display(), source.lines.len()));
        }
        for (name, first, count) in functions(&source.code) {
            if count > MAX_FUNCTION_LINES {
                complaints.push(format!("src/{}:{first}: fn {name} has {count} lines", source.path.display()));
            }
        }
    }
    report(complaints);
}

/// Functions with a body: name, first line, lines.
fn functions(code: &[String]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (first, line) in code.iter().enumerate() {
        let Some(at) = line.find("fn ").filter(|&at| at == 0 || !line.as_bytes()[at - 1].is_ascii_alphanumeric())
        else {
            continue;
        };
        let name: String = line[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            continue;
        }
        let mut depth = 0i32;
        'body: for (last, line) in code.iter().enumerate().skip(first) {
            for c in line[if last == first { at } else { 0 }..].chars() {
                match c {
                    '{' | '(' | '[' => depth += 1,
                    '}' | ')' | ']' => depth -= 1,
                    ';' if depth == 0 => break 'body,
                    _ => {}
                }
                if depth == 0 && c == '}' {
                    found.push((name, first + 1, last - first + 1));
                    break 'body;
                }
            }
        }
    }
    found
}

#[test]
fn nothing_gives_up() {
    let words = [".unwrap()", ".expect(", "todo!", "unimplemented!", "panic!(", "dbg!(", "println!("];
    let mut complaints = Vec::new();
    for source in sources().into_iter().filter(|source| !source.path.starts_with("bin")) {
        for (number, line) in source.code.iter().enumerate() {
            // `self.expect(` is a method of a parser.
            let line = line.replace("self.expect(", "");
            for word in words.iter().filter(|word| line.contains(*word)) {
                complaints.push(format!("src/{}:{}: {word}", source.path.display(), number + 1));
            }
        }
    }
    report(complaints);
}

#[test]
fn unsafe_stays_at_the_border() {
    let mut complaints = Vec::new();
    for source in sources() {
        let name = source.path.to_string_lossy().into_owned();
        if source.path.starts_with("ffi") || UNSAFE_FILES.contains(&name.as_str()) {
            continue;
        }
        for (number, line) in source.code.iter().enumerate() {
            let word = |(at, _): &(usize, &str)| {
                let after = line[at + 6..].chars().next();
                after.is_none_or(|c| !c.is_alphanumeric() && c != '_') && (*at == 0 || !line[..*at].ends_with('_'))
            };
            if line.match_indices("unsafe").any(|hit| word(&hit)) {
                complaints.push(format!("src/{name}:{}: unsafe", number + 1));
            }
        }
    }
    report(complaints);
}

/// Every module says at its top what it does.
#[test]
fn modules_introduce_themselves() {
    let mut complaints = Vec::new();
    for source in sources() {
        if !source.lines.first().is_some_and(|line| line.starts_with("//!")) {
            complaints.push(format!("src/{}: no introduction", source.path.display()));
        }
    }
    report(complaints);
}

#[test]
fn the_checks_can_fail() {
    let text = "fn long() {\n    a(\"{\"); // }\n    let c = '{';\n}\nfn short();\n#[cfg(test)]\nmod tests {}\n";
    let lines: Vec<String> = blank(before_tests(text)).lines().map(String::from).collect();
    assert_eq!(functions(&lines), [("long".to_string(), 1, 4)]);
    let source = Source { path: PathBuf::from("store/cache.rs"), lines: vec![], code: vec![] };
    assert_eq!(named_modules(&source, "use crate::{object::File, heap};"), ["object", "heap"]);
    assert_eq!(named_modules(&source, "super::super::btree::Tree"), ["btree"]);
}
