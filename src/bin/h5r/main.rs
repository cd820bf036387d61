//! The command-line tool: one module per subcommand.

mod check;
mod dump;
mod json;
mod ls;
mod model;
mod text;
mod types;
mod value;

use std::process::ExitCode;

use clap::builder::PathBufValueParser;
use clap::{Arg, ArgAction, Command};

/// The file cannot be opened or read, or the command line is wrong.
const CANNOT: u8 = 2;

fn command() -> Command {
    Command::new("h5r")
        .version(env!("CARGO_PKG_VERSION"))
        .about("HDF5 files that survive crashes, keep their indexes tight, and shrink when you delete")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(check::command())
        .subcommand(ls::command())
        .subcommand(dump::command())
}

/// An option without a value.
fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// The file that a subcommand works on.
fn file() -> Arg {
    Arg::new("FILE").required(true).value_parser(PathBufValueParser::new()).help("The HDF5 file")
}

/// The object that a subcommand shows.
fn object() -> Arg {
    Arg::new("OBJECT").default_value("/").help("The path of an object in it")
}

fn main() -> ExitCode {
    let matches = command().get_matches();
    ExitCode::from(match matches.subcommand() {
        Some(("check", arguments)) => check::run(arguments),
        Some(("ls", arguments)) => ls::run(arguments),
        Some(("dump", arguments)) => dump::run(arguments),
        _ => CANNOT,
    })
}
