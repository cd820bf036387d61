//! The command-line tool: exit codes, text and JSON, on files of h5r and of every libhdf5 that is installed.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use h5r::datatype::{Datatype, Number};
use h5r::object::{CreateOptions, File};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn run(arguments: &[&str], path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_h5r")).args(arguments).arg(path).output().unwrap()
}

/// Runs the tool; its exit code and what it printed.
fn check(arguments: &[&str], path: &Path) -> (i32, String) {
    let output = run(arguments, path);
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("h5r-cli-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write_file(path: &Path) {
    let file = File::create(path, &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    for number in 0..100 {
        root.attr_write(&format!("attribute{number}"), &Datatype::little(Number::I32), &[], &[1, 2, 3, 4]).unwrap();
    }
    file.close().unwrap();
}

#[test]
fn a_sound_file_of_h5r() {
    let folder = Folder::new("sound");
    let path = folder.file("sound.h5");
    write_file(&path);
    let (code, text) = check(&["check"], &path);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(": sound (0 errors, ") && text.contains("1 groups, 0 datasets"), "{text}");
    let (code, text) = check(&["check", "--json"], &path);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &json["sound"], &json["errors"]), (0, &true.into(), &0.into()), "{json}");
    let used: u64 = json["used"].as_object().unwrap().values().map(|bytes| bytes.as_u64().unwrap()).sum();
    let rest = json["free"].as_u64().unwrap() + json["leaked"].as_u64().unwrap();
    assert_eq!(used + rest, json["allocated"].as_u64().unwrap(), "{json}");
    assert_eq!(json["file_length"].as_u64().unwrap(), fs::metadata(&path).unwrap().len());
    let (code, text) = check(&["check", "--quiet"], &path);
    assert_eq!((code, text.as_str()), (0, ""));
}

#[test]
fn a_damaged_file() {
    let folder = Folder::new("damaged");
    let path = folder.file("damaged.h5");
    write_file(&path);
    let mut bytes = fs::read(&path).unwrap();
    let leaf = bytes.windows(4).position(|window| window == b"BTLF").unwrap();
    bytes[leaf + 20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (code, text) = check(&["check"], &path);
    let line = format!("error: checksum: /: version 2 B-tree node at address {leaf:#x} is damaged");
    assert!(code == 1 && text.lines().any(|l| l.starts_with(&line)) && text.contains("not sound"), "{text}");
    let (code, text) = check(&["check", "--json", "--recover"], &path);
    let json: Value = serde_json::from_str(&text).unwrap();
    let finding = &json["findings"][0];
    assert_eq!((code, &json["exit_code"], &json["sound"]), (1, &1.into(), &false.into()), "{json}");
    assert_eq!(
        (&finding["kind"], &finding["address"], &finding["path"]),
        (&"checksum".into(), &leaf.into(), &"/".into())
    );
    assert_eq!(check(&["check", "--max-findings", "0"], &path).1.lines().next(), Some("… and 1 more"));
    assert_eq!(fs::read(&path).unwrap(), bytes, "what is damaged is left alone");
}

#[test]
fn what_cannot_be_checked() {
    let folder = Folder::new("cannot");
    let path = folder.file("text.h5");
    fs::write(&path, "no HDF5 file, but long enough to hold a signature").unwrap();
    let newer = folder.file("newer.h5");
    let mut bytes = include_bytes!("data/old.h5").to_vec();
    // A version of the superblock that does not exist.
    bytes[8] = 9;
    fs::write(&newer, bytes).unwrap();
    for path in [path.clone(), folder.file("absent.h5"), newer] {
        let output = run(&["check"], &path);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("h5r: checking file '"), "{output:?}");
        let (code, text) = check(&["check", "--json"], &path);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert!(code == 2 && json["cannot_check"].is_string(), "{json}");
    }
    assert_eq!(run(&["check", "--no-such-option"], &path).status.code(), Some(2));
    let help = run(&["check", "--help"], &path);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("Exit codes:"), "{help:?}");
}

#[test]
fn a_flag_left_by_a_crashed_writer_is_cleared_on_demand() {
    let folder = Folder::new("flag");
    let path = folder.file("flag.h5");
    write_file(&path);
    let mut bytes = fs::read(&path).unwrap();
    bytes[11] = 1;
    let sum = h5r::format::checksum::checksum(&bytes[..44]);
    bytes[44..48].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let (code, text) = check(&["check"], &path);
    assert!(code == 1 && text.lines().any(|line| line.starts_with("error: flag: the file: ")), "{text}");
    let (code, text) = check(&["check", "--recover"], &path);
    assert!(code == 0 && text.contains("consistency flags: 0x01, cleared"), "{text}");
    assert_eq!(check(&["check", "--quiet"], &path).0, 0);
}

/// The files that libhdf5 wrote for other tests, and a real one.
#[test]
fn sound_files_of_libhdf5_have_no_errors() {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(Path::new(ROOT).join("tests/data")).unwrap().map(|entry| entry.unwrap().path()).collect();
    // One of them was damaged on purpose.
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "h5") && !path.ends_with("old_cycle.h5"));
    assert!(paths.len() >= 10, "{paths:?}");
    let real = Path::new("/usr/share/gmt-dcw/dcw-gmt.nc");
    match real.exists() {
        true => paths.push(real.into()),
        false => eprintln!("NOT CHECKED: {real:?}; 'scripts/setup judges' installs it"),
    }
    for path in paths {
        let (code, text) = check(&["check"], &path);
        assert_eq!(code, 0, "{path:?}: {text}");
    }
}

/// What the libhdf5 of wheels in the venv writes, in the formats that h5r reads.
#[test]
fn files_of_every_installed_libhdf5_have_no_errors() {
    let python = Path::new(ROOT).join("target/venv/bin/python");
    if !python.exists() {
        eprintln!("NOT CHECKED: no files of other libhdf5 versions; 'scripts/setup build judges' installs them");
        return;
    }
    let folder = Folder::new("libhdf5");
    let script = Path::new(ROOT).join("tests/data/many_files.py");
    let output = Command::new(python).arg(script).arg(&folder.0).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut count = 0;
    for entry in fs::read_dir(&folder.0).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "h5") {
            continue;
        }
        let (code, text) = check(&["check"], &path);
        assert_eq!(code, 0, "{path:?}: {text}");
        // Persisted free space lists all that is not used: the walk has met everything.
        if path.to_string_lossy().contains("persist") {
            assert!(text.lines().any(|line| line.split_whitespace().eq(["leaked", "0"])), "{path:?}: {text}");
        }
        count += 1;
    }
    assert!(count >= 10, "{count} files");
}

/// A file of h5r with a bit of everything that `dump` and `ls` show.
fn write_tree(path: &Path) {
    let file = File::create(path, &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    let i32 = Datatype::little(Number::I32);
    let bytes: Vec<u8> = (0..6i32).flat_map(i32::to_le_bytes).collect();
    let group = root.create_group("group/deep", &h5r::object::GroupOptions::default()).unwrap();
    group.set_comment("said").unwrap();
    group.attr_write("pair", &Datatype::little(Number::F32), &[2], &[0, 0, 128, 63, 0, 0, 192, 127]).unwrap();
    group.attr_write_null("none", &i32).unwrap();
    let data = root.create_dataset("data", &i32, &[2, 3], &h5r::object::dataset::DatasetOptions::default()).unwrap();
    data.dataset_write(&i32, None, &bytes).unwrap();
    root.link_create_hard("group/again", &data).unwrap();
    root.link_create_soft("group/soft", "/data").unwrap();
    root.link_create_external("group/outside", "other.h5", "/there").unwrap();
    file.close().unwrap();
}

#[test]
fn a_dump_as_json() {
    let folder = Folder::new("dump");
    let path = folder.file("tree.h5");
    write_tree(&path);
    let (code, text) = check(&["dump", "--json"], &path);
    let dump: Value = serde_json::from_str(&text).unwrap();
    let objects = dump["objects"].as_array().unwrap();
    let paths: Vec<&str> = objects.iter().map(|object| object["path"].as_str().unwrap()).collect();
    assert_eq!((code, paths.as_slice()), (0, ["/", "/data", "/group", "/group/deep"].as_slice()), "{text}");
    let data = &objects[1];
    assert_eq!(data["value"], serde_json::json!([[0, 1, 2], [3, 4, 5]]), "{data}");
    assert_eq!(data["space"], serde_json::json!({ "kind": "simple", "dims": [2, 3], "max_dims": [2, 3] }));
    assert_eq!((&data["type"]["class"], &data["type"]["size"]), (&"integer".into(), &4.into()));
    assert_eq!(data["layout"], serde_json::json!({ "kind": "contiguous", "bytes": 24 }));
    let links = serde_json::json!({
        "again": { "kind": "hard", "object": "/data" },
        "deep": { "kind": "hard", "object": "/group/deep" },
        "outside": { "kind": "external", "file": "other.h5", "path": "/there" },
        "soft": { "kind": "soft", "path": "/data" },
    });
    assert_eq!(objects[2]["links"], links);
    assert_eq!(objects[3]["comment"], "said");
    assert_eq!(objects[3]["attributes"]["pair"]["value"], serde_json::json!([1.0, "NaN"]));
    assert_eq!(objects[3]["attributes"]["none"]["value"], Value::Null);
    let header = check(&["dump", "--json", "--header"], &path).1;
    let header: Value = serde_json::from_str(&header).unwrap();
    assert!(header["objects"][1].get("value").is_none() && header["objects"][1].get("type").is_some(), "{header}");
}

#[test]
fn a_dump_as_text() {
    let folder = Folder::new("text");
    let path = folder.file("tree.h5");
    write_tree(&path);
    let (code, text) = check(&["dump"], &path);
    assert_eq!(code, 0);
    for line in [
        "DATASET \"/data\" {",
        "   DATATYPE H5T_STD_I32LE",
        "   DATASPACE SIMPLE { ( 2, 3 ) / ( 2, 3 ) }",
        "   (0,0): 0, 1, 2",
        "   (1,0): 3, 4, 5",
        "   LINK \"again\" { HARDLINK \"/data\" }",
        "   LINK \"soft\" { SOFTLINK \"/data\" }",
        "   LINK \"outside\" { EXTERNAL_LINK \"other.h5\" \"/there\" }",
        "   COMMENT \"said\"",
        "      DATATYPE H5T_IEEE_F32LE",
        "      (0): 1, NaN",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }
    let missing = Command::new(env!("CARGO_BIN_EXE_h5r")).args(["dump"]).arg(&path).arg("/nowhere").output().unwrap();
    let message = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(message.contains("there is no 'nowhere'"), "{message}");
}

/// As numbers, not as two: `data/complex.py` wrote them.
#[test]
fn complex_numbers_as_text() {
    let (code, text) = check(&["dump"], &Path::new(ROOT).join("tests/data/complex.h5"));
    assert_eq!(code, 0);
    let found: Vec<_> = text.lines().filter(|line| line.contains("(0):")).collect();
    assert_eq!(found, ["   (0): 1+2i, -3.5+0i, 4-8i"; 2], "{text}");
}

/// Of virtual datasets whose sources are in another file: `data/virtual_values.py` wrote them.
#[test]
fn values_of_another_file() {
    let (code, text) = check(&["dump"], &Path::new(ROOT).join("tests/data/virtual_values.h5"));
    assert_eq!(code, 0);
    let found: Vec<_> = text.lines().filter(|line| line.contains("(0):")).collect();
    // References are what they are in their own file, as libhdf5 has it; the heap there is not asked for those to regions.
    let expected = [
        "   (0): [  ], [  ], [ 0 ], [ 0, 1 ], [  ]",
        "   (0): object at 0x0, object at 0x0, object at 0x688, object at 0x688, object at 0x0",
        "   (0): { 0, NULL }, { 0, \"text 0\" }, { 1, \"text 1\" }, { 2, \"text 2\" }, { 0, NULL }",
        "   (0): 0x000000000000000000000000, 0x000000000000000000000000, 0x300800000000000008000000, \
         0x30080000000000000a000000",
        "   (0): NULL, \"\", \"one\", \"two\", NULL",
    ];
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_list_of_objects() {
    let folder = Folder::new("list");
    let path = folder.file("tree.h5");
    write_tree(&path);
    let names = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split_whitespace().next().unwrap().into())
            .collect()
    };
    assert_eq!(names(&check(&["ls"], &path).1), ["data", "group"]);
    let (code, text) = check(&["ls", "-r", "-v"], &path);
    let all = ["/", "/data", "/group", "/group/again", "/group/deep", "/group/outside", "/group/soft"];
    assert_eq!((code, names(&text)), (0, all.map(String::from).to_vec()), "{text}");
    assert!(text.contains("same as /data") && text.contains("comment \"said\""), "{text}");
    assert!(text.contains("raw data 24") && text.contains(" 2 references, 0 attributes"), "{text}");
    let json: Value = serde_json::from_str(&check(&["ls", "-r", "--json"], &path).1).unwrap();
    let entries = json["entries"].as_array().unwrap();
    assert_eq!(entries.len(), all.len());
    assert_eq!((&entries[1]["references"], &entries[1]["storage"]["raw data"]), (&2.into(), &24.into()), "{json}");
    assert_eq!(entries[4]["attributes"], 2);
    assert_eq!(entries[6]["link"], serde_json::json!({ "kind": "soft", "path": "/data" }));
}

/// Every value of the files that libhdf5 made for other tests is read as the lists beside them say: those tests compare
/// what the library reads, this one what the tool prints.
#[test]
fn values_of_every_class() {
    let (code, text) = check(&["dump", "--json"], &Path::new(ROOT).join("tests/data/foreign_v110.h5"));
    let dump: Value = serde_json::from_str(&text).unwrap();
    let mut classes = std::collections::BTreeSet::new();
    for object in dump["objects"].as_array().unwrap() {
        for attribute in object["attributes"].as_object().unwrap().values() {
            assert!(attribute.get("error").is_none(), "{attribute}");
            classes.insert(attribute["type"]["class"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(code, 0);
    for class in ["compound", "enum", "float", "integer", "string"] {
        assert!(classes.contains(class), "{class} is not in {classes:?}");
    }
}
