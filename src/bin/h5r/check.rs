//! `h5r check`: is the file sound?

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use h5r::object::check::{check_path, CheckOptions, Report};
use h5r::object::{Locking, Purpose};
use h5r::store::recover::Recovery;
use serde_json::{json, Value};

use crate::{file, flag, CANNOT};

/// No error was found, and everything was checked.
const SOUND: u8 = 0;
/// Errors were found.
const FINDINGS: u8 = 1;
/// No error was found, but not everything could be checked.
const UNCHECKED: u8 = 3;

const EXIT_CODES: &str = "\
Exit codes:
  0  no error was found (there may be warnings)
  1  errors were found, or the file has to be recovered
  2  the file cannot be opened, is no HDF5 file, or the command line is wrong
  3  no error was found, but the file has structures that cannot be checked yet";

/// What the subcommand takes.
pub fn command() -> Command {
    Command::new("check")
        .about("Checks the structure of an HDF5 file: checksums, bounds, counts, order, references, overlaps, leaks")
        .after_help(EXIT_CODES)
        .arg(file())
        .arg(flag("json", "Print one JSON object instead of text"))
        .arg(flag(
            "recover",
            "Apply or discard what an interrupted flush has left; clear the flag that a crashed writer has left, if \
             the check finds no error. Without this option the file is never changed",
        ))
        .arg(flag("quiet", "Print nothing; only the exit code tells"))
        .arg(flag("no-lock", "Take no lock on the file"))
        .arg(
            Arg::new("max-findings")
                .long("max-findings")
                .value_name("N")
                .value_parser(clap::value_parser!(u32))
                .default_value("1000")
                .help("Print N findings, and N leaked extents, at most"),
        )
}

/// Runs it; the exit code.
pub fn run(arguments: &ArgMatches) -> u8 {
    let Some(path) = arguments.get_one::<std::path::PathBuf>("FILE") else { return CANNOT };
    let (quiet, json) = (arguments.get_flag("quiet"), arguments.get_flag("json"));
    let options = CheckOptions {
        recover: arguments.get_flag("recover"),
        locking: if arguments.get_flag("no-lock") { Locking::Off } else { Locking::Environment },
        max_findings: arguments.get_one("max-findings").map_or(1000, |&most: &u32| most as usize),
    };
    let (code, text) = match check_path(path, &options) {
        Ok(report) => {
            let code = exit_code(&report);
            (code, if json { as_json(path, &report, code) } else { as_text(path, &report) })
        }
        Err(error) if json => {
            (CANNOT, format!("{}\n", json!({ "file": path_text(path), "cannot_check": error.message() })))
        }
        Err(error) => {
            if !quiet {
                eprintln!("h5r: {error}");
            }
            return CANNOT;
        }
    };
    if !quiet {
        // A reader that has seen enough is no fault of the file's.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }
    code
}

fn exit_code(report: &Report) -> u8 {
    match (report.is_sound(), report.unchecked) {
        (false, _) => FINDINGS,
        (true, 0) => SOUND,
        (true, _) => UNCHECKED,
    }
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}

/// What was done about an interrupted flush.
fn recovery(report: &Report) -> (&'static str, u64, u64) {
    match report.recovery {
        Recovery::Nothing => ("none", 0, 0),
        Recovery::Applied { blocks, bytes } => ("applied", blocks, bytes),
        Recovery::Discarded => ("discarded", 0, 0),
    }
}

fn as_text(path: &Path, report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_text(&mut text, path, report);
    text
}

fn write_text(out: &mut String, path: &Path, report: &Report) -> std::fmt::Result {
    for finding in &report.findings {
        let (severity, kind) = (finding.severity.name(), finding.kind.name());
        writeln!(out, "{severity}: {kind}: {}: {}", finding.path, finding.message)?;
    }
    let all = report.errors + report.warnings + report.unchecked;
    if all > report.findings.len() as u64 {
        writeln!(out, "… and {} more", all - report.findings.len() as u64)?;
    }
    let verdict = match exit_code(report) {
        SOUND => "sound",
        UNCHECKED => "no error in what could be checked",
        _ => "not sound",
    };
    let Report { errors, warnings, unchecked, .. } = report;
    writeln!(out, "{}: {verdict} ({errors} errors, {warnings} warnings, {unchecked} not checked)", path.display())?;
    let Report { groups, datasets, named_types, .. } = report;
    writeln!(out, "  objects: {groups} groups, {datasets} datasets, {named_types} committed datatypes")?;
    writeln!(out, "  bytes: {} in the file, {} allocated", report.file_length, report.end)?;
    for (purpose, bytes) in Purpose::ALL.iter().zip(report.bytes).filter(|(_, bytes)| *bytes > 0) {
        writeln!(out, "    {:<20}{bytes:>16}", purpose.name())?;
    }
    writeln!(out, "    {:<20}{:>16}", "free", report.free)?;
    writeln!(out, "    {:<20}{:>16}", "leaked", report.leaked)?;
    match recovery(report) {
        ("none", ..) => {}
        (what, blocks, bytes) => writeln!(out, "  interrupted flush: {what} ({blocks} blocks, {bytes} bytes)")?,
    }
    if report.flags != 0 {
        let cleared = if report.flags_cleared { ", cleared" } else { "" };
        writeln!(out, "  consistency flags: {:#04x}{cleared}", report.flags)?;
    }
    Ok(())
}

fn as_json(path: &Path, report: &Report, code: u8) -> String {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "severity": finding.severity.name(),
                "kind": finding.kind.name(),
                "path": finding.path,
                "address": finding.address,
                "message": finding.message,
            })
        })
        .collect();
    let used: serde_json::Map<String, Value> =
        Purpose::ALL.iter().zip(report.bytes).map(|(purpose, bytes)| (purpose.name().into(), bytes.into())).collect();
    let leaks: Vec<Value> = report.leaks.iter().map(|&(address, length)| json!([address, length])).collect();
    let (what, blocks, bytes) = recovery(report);
    let value = json!({
        "file": path_text(path),
        "exit_code": code,
        "sound": report.is_sound(),
        "errors": report.errors,
        "warnings": report.warnings,
        "unchecked": report.unchecked,
        "findings": findings,
        "objects": { "groups": report.groups, "datasets": report.datasets, "named_types": report.named_types },
        "file_length": report.file_length,
        "allocated": report.end,
        "used": used,
        "free": report.free,
        "leaked": report.leaked,
        "leaks": leaks,
        "interrupted_flush": { "found": what, "blocks": blocks, "bytes": bytes },
        "flags": report.flags,
        "flags_cleared": report.flags_cleared,
    });
    format!("{value}\n")
}
