//! Puts right the checksums of a finding of the targets `file` and `operations`, so that it shows the same in builds that
//! verify them: `RUSTFLAGS="--cfg fuzzing" cargo run --bin seal -- operations FINDING SEALED`.

#[cfg(fuzzing)]
fn main() -> std::io::Result<()> {
    use std::panic::{catch_unwind, AssertUnwindSafe};

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, from, to] = arguments.as_slice() else { panic!("seal file|operations FINDING SEALED") };
    let script = if target == "operations" { h5r_fuzz::operations::SCRIPT } else { 0 };
    let mut bytes = std::fs::read(from)?;
    h5r_fuzz::seal::seal(&mut bytes[script..]);
    // Behind a structure that is sealed now others may be met.
    loop {
        h5r::store::accept::NOTED.set(Some(Vec::new()));
        let run = || match script {
            0 => drop(h5r_fuzz::walk::walk(bytes.clone())),
            _ => h5r_fuzz::operations::operate_on(&bytes, |_| {}),
        };
        let _ = catch_unwind(AssertUnwindSafe(run));
        let noted = h5r::store::accept::NOTED.take().unwrap_or_default();
        let before = bytes.clone();
        for (block, at) in noted {
            put(&mut bytes[script..], &block, at);
        }
        if bytes == before {
            return std::fs::write(to, bytes);
        }
    }
}

/// Puts a block with its right checksum wherever it stands with a wrong one.
#[cfg(fuzzing)]
fn put(bytes: &mut [u8], block: &[u8], at: usize) {
    for start in 0..(bytes.len() + 1).saturating_sub(block.len()) {
        let here = &mut bytes[start..start + block.len()];
        if here[..at] == block[..at] && here[at + 4..] == block[at + 4..] {
            here.copy_from_slice(block);
        }
    }
}

#[cfg(not(fuzzing))]
fn main() {
    panic!("build with RUSTFLAGS=\"--cfg fuzzing\"");
}
