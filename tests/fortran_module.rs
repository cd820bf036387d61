//! The parts of `include/h5r.f90` that follow from `include/h5r.h` (constants, interfaces) and the specific procedures
//! by kind and rank are what this program makes of them.
//!
//! `H5R_UPDATE=1 cargo test --test fortran_module` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// Suffix, Fortran declaration, h5r type, or what the module makes one for.
const KINDS: [(&str, &str, &str); 10] = [
    ("int8", "integer(int8)", "H5R_I8"),
    ("int16", "integer(int16)", "H5R_I16"),
    ("int32", "integer(int32)", "H5R_I32"),
    ("int64", "integer(int64)", "H5R_I64"),
    ("real32", "real(real32)", "H5R_F32"),
    ("real64", "real(real64)", "H5R_F64"),
    ("complex32", "complex(real32)", "AS_COMPLEX_32"),
    ("complex64", "complex(real64)", "AS_COMPLEX_64"),
    ("logical", "logical", AS_LOGICAL),
    ("bool", "logical(c_bool)", AS_LOGICAL),
];
/// Values of this one pass through bytes.
const AS_LOGICAL: &str = "AS_LOGICAL";
const ATTRIBUTE_RANKS: usize = 4;
const DATASET_RANKS: usize = 5;

fn include(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("include").join(name)
}

fn constants(header: &str) -> String {
    let mut out = String::new();
    for line in header.lines().filter_map(|l| l.strip_prefix("#define ")) {
        let Some((name, value)) = line.split_once(' ') else { continue };
        let is_long = name.starts_with("H5R_ALLOW_")
            || name[4..].trim_end_matches("_BE").strip_prefix(['I', 'U', 'F']).is_some_and(|n| n.parse::<u8>().is_ok());
        let (kind, value) = match value {
            "UINT64_MAX" => ("c_int64_t", "-1_c_int64_t".to_owned()),
            "((uint64_t)1 << 10)" => ("c_int64_t", "1024_c_int64_t".to_owned()),
            "((uint64_t)1 << 20)" => ("c_int64_t", "1024_c_int64_t**2".to_owned()),
            "((uint64_t)1 << 30)" => ("c_int64_t", "1024_c_int64_t**3".to_owned()),
            number if number.parse::<i32>().is_err() => continue,
            number if is_long => ("c_int64_t", format!("{number}_c_int64_t")),
            number => ("c_int32_t", number.to_owned()),
        };
        writeln!(out, "  integer({kind}), parameter, public :: {name} = {value}").unwrap();
    }
    out
}

/// The declaration of one argument, from its C type and name.
fn argument(c_type: &str, name: &str) -> (&'static str, String, String) {
    let (imports, declaration, suffix) = match c_type {
        "const char *" => ("c_char", "character(kind=c_char), intent(in)", "(*)"),
        "const uint64_t *" => ("c_int64_t", "integer(c_int64_t), intent(in)", "(*)"),
        "h5r_file **" | "h5r_object **" => ("c_ptr", "type(c_ptr), intent(inout)", ""),
        "int32_t *" => ("c_int32_t", "integer(c_int32_t), intent(inout)", ""),
        "uint64_t *" if ["dims_out", "numbers_out"].contains(&name) => {
            ("c_int64_t", "integer(c_int64_t), intent(inout)", "(*)")
        }
        "uint64_t *" | "h5r_type *" => ("c_int64_t", "integer(c_int64_t), intent(inout)", ""),
        "size_t *" => ("c_size_t", "integer(c_size_t), intent(inout)", ""),
        "bool *" => ("c_bool", "logical(c_bool), intent(inout)", ""),
        "size_t " => ("c_size_t", "integer(c_size_t), value", ""),
        "int32_t " | "uint32_t " | "h5r_status " => ("c_int32_t", "integer(c_int32_t), value", ""),
        "uint64_t " | "h5r_type " => ("c_int64_t", "integer(c_int64_t), value", ""),
        callback if ["_visit ", "_progress ", "_callback "].iter().any(|end| callback.ends_with(end)) => {
            ("c_funptr", "type(c_funptr), value", "")
        }
        pointer if pointer.ends_with('*') => ("c_ptr", "type(c_ptr), value", ""),
        other => panic!("no Fortran type for C's '{other}'"),
    };
    (imports, declaration.to_owned(), format!("{name}{suffix}"))
}

fn interfaces(header: &str) -> String {
    let code: String = header.lines().filter(|l| !l.trim_start().starts_with(['*', '/', '#'])).collect();
    let mut out = String::from("  interface\n");
    for declaration in code.split(';').filter(|d| !d.contains(['{', '}']) || d.contains("extern \"C\"")) {
        let declaration = declaration.rsplit('{').next().unwrap().trim();
        if declaration.starts_with("typedef") || !declaration.ends_with(')') {
            continue;
        }
        let (head, arguments) = declaration.trim_end_matches(')').split_once('(').unwrap();
        let name_at = head.rfind([' ', '*']).unwrap() + 1;
        let (returned, c_name) = head.split_at(name_at);
        let (result_import, result) = match returned.trim() {
            "h5r_status" | "uint32_t" => ("c_int32_t", "integer(c_int32_t)"),
            "const char *" | "h5r_object *" => ("c_ptr", "type(c_ptr)"),
            other => panic!("no Fortran type for C's '{other}'"),
        };
        let (mut names, mut imports, mut declarations) = (Vec::new(), vec![result_import], String::new());
        for part in arguments.split(',').map(str::trim).filter(|&a| a != "void") {
            let (c_type, name) = part.split_at(part.rfind([' ', '*']).unwrap() + 1);
            let (import, declaration, entity) = argument(c_type, name);
            names.push(name);
            imports.push(import);
            writeln!(declarations, "      {declaration} :: {entity}").unwrap();
        }
        imports.sort_unstable();
        imports.dedup();
        let short = c_name.strip_prefix("h5r_").unwrap();
        let head = format!("    function c_{short}({})", names.join(", "));
        let tail = format!("result(returned) bind(C, name='{c_name}')");
        let between = if head.len() + 1 + tail.len() > 128 { " &\n      " } else { " " };
        writeln!(out, "{head}{between}{tail}").unwrap();
        write!(out, "      import :: {}\n{declarations}", imports.join(", ")).unwrap();
        write!(out, "      {result} :: returned\n    end function\n").unwrap();
    }
    out + "  end interface\n"
}

fn generic(out: &mut String, name: &str, specific: &str, ranks: usize, first: &str) {
    let mut names: Vec<String> =
        KINDS.iter().flat_map(|(kind, ..)| (0..=ranks).map(move |rank| format!("{specific}_{kind}_{rank}"))).collect();
    names.extend(first.split(' ').filter(|n| !n.is_empty()).map(str::to_owned));
    writeln!(out, "  interface {name}").unwrap();
    for name in names {
        writeln!(out, "    module procedure {name}").unwrap();
    }
    writeln!(out, "  end interface").unwrap();
}

fn generics() -> String {
    let mut out = String::new();
    for way in ["write", "read"] {
        for (of, ranks) in [("attr", ATTRIBUTE_RANKS), ("dataset", DATASET_RANKS)] {
            let strings = format!("{of}_{way}_character {of}_{way}_character_1");
            generic(&mut out, &format!("h5r_{of}_{way}"), &format!("{of}_{way}"), ranks, &strings);
        }
    }
    generic(&mut out, "h5r_dataset_append", "dataset_append", DATASET_RANKS, "dataset_append_as");
    out
}

fn shape(rank: usize) -> String {
    if rank == 0 {
        String::new()
    } else {
        format!("({})", vec![":"; rank].join(", "))
    }
}

fn procedures() -> String {
    let mut out = String::new();
    for (kind, declaration, token) in KINDS {
        for (way, intent) in [("write", "in"), ("read", "inout")] {
            for rank in 0..=DATASET_RANKS {
                let value = Value { declaration, intent, token, rank };
                if rank <= ATTRIBUTE_RANKS {
                    let call = if way == "write" { "put_attr" } else { "get_attr" };
                    let call = format!("{call}(object, name, {token}, {SHAPE}, {}, status)", value.address());
                    let name = format!("attr_{way}_{kind}_{rank}");
                    out +=
                        &value.procedure(&name, "object, name, value", "    character(*), intent(in) :: name\n", &call);
                }
                let is_read = if way == "read" { ".true." } else { ".false." };
                let name = format!("dataset_{way}_{kind}_{rank}");
                let optional = "    integer, intent(in), optional :: start(:), stride(:)\n";
                let address = value.address();
                let call = format!(
                    "transfer_dataset({is_read}, dataset, {token}, {SHAPE}, {address}, &\n      start, stride, status)"
                );
                out += &value.procedure(&name, "dataset, value, start, stride", optional, &call);
                if way == "write" {
                    let call = format!("append_values(dataset, {token}, {SHAPE}, {address}, status)");
                    out += &value.procedure(&format!("dataset_append_{kind}_{rank}"), "dataset, value", "", &call);
                }
            }
        }
    }
    out
}

const SHAPE: &str = "shape(value, kind=c_int64_t)";

/// The dummy argument `value` of a specific procedure.
struct Value {
    declaration: &'static str,
    intent: &'static str,
    token: &'static str,
    rank: usize,
}

impl Value {
    fn is_logical(&self) -> bool {
        self.token == AS_LOGICAL
    }

    fn address(&self) -> &'static str {
        if self.is_logical() {
            "c_loc(bytes)"
        } else {
            "c_loc(value)"
        }
    }

    /// A subroutine with the dummy arguments `names` and `status` that makes the call; `others` declares those that are
    /// neither its object, the first one, nor `value`.
    fn procedure(&self, name: &str, names: &str, others: &str, call: &str) -> String {
        let Self { declaration, intent, rank, .. } = *self;
        let object = names.split(',').next().unwrap();
        let attributes = match (self.is_logical(), rank) {
            (true, _) => "",
            (false, 0) => ", target",
            (false, _) => ", contiguous, target",
        };
        let (before, after) = self.bytes();
        format!(
            "\n  subroutine {name}({names}, status)\n    type(h5r_object), intent(in) :: {object}\n{others}    {declaration}, \
             intent({intent}){attributes} :: value{}\n    integer, intent(out), optional :: status\n{before}    call \
             {call}\n{after}  end subroutine\n",
            shape(rank)
        )
    }

    /// What a subroutine for logical values has before and after the call.
    fn bytes(&self) -> (String, String) {
        if !self.is_logical() {
            return Default::default();
        }
        let declared = "    integer(int8), allocatable, target :: bytes(:)\n";
        let values = if self.rank == 0 { "[value]" } else { "pack(value, .true.)" };
        if self.intent == "in" {
            return (
                format!("{declared}    allocate (bytes, source=merge(1_int8, 0_int8, {values}))\n"),
                String::new(),
            );
        }
        let (size, back) = match self.rank {
            0 => ("1", "bytes(1) /= 0"),
            _ => ("size(value, kind=c_size_t)", "reshape(bytes /= 0, shape(value))"),
        };
        let before = format!("{declared}    allocate (bytes({size}))\n");
        let failed = "    if (present(status)) then\n      if (status /= H5R_OK) return\n    end if\n";
        (before, format!("{failed}    value = {back}\n"))
    }
}

fn replace(source: &str, section: &str, content: &str) -> String {
    let (begin, end) = (format!("! begin {section}\n"), format!("! end {section}\n"));
    let start = source.find(&begin).expect("the marker is there") + begin.len();
    let stop = source.find(&end).expect("the marker is there");
    format!("{}{content}{}", &source[..start], &source[stop..])
}

#[test]
fn the_module_is_current() {
    let header = fs::read_to_string(include("h5r.h")).unwrap();
    let committed = fs::read_to_string(include("h5r.f90")).unwrap();
    let mut current = replace(&committed, "constants", &constants(&header));
    current = replace(&current, "interfaces", &(interfaces(&header) + &generics()));
    current = replace(&current, "procedures", procedures().trim_start_matches('\n'));
    if std::env::var_os("H5R_UPDATE").is_some() {
        fs::write(include("h5r.f90"), &current).unwrap();
    }
    assert!(
        fs::read_to_string(include("h5r.f90")).unwrap() == current,
        "include/h5r.f90 is stale: run `H5R_UPDATE=1 cargo test --test fortran_module` and commit it"
    );
    let longest = current.lines().map(str::len).max().unwrap();
    assert!(longest <= 132, "Fortran allows 132 columns, a line has {longest}");
}
