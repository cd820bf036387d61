//! A panic while the file is locked leaves a state that nobody knows.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

use crate::error::ErrorKind;
use crate::object::options::CreateOptions;
use crate::object::state::State;
use crate::object::File;
use crate::rebalance::Host;
use crate::store::MemoryBackend;

fn panics(work: impl FnOnce(&File)) {
    let backend = MemoryBackend::new();
    let file = File::create_on(Box::new(backend), Path::new("test"), &CreateOptions::default()).unwrap();
    file.flush().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| work(&file))).is_err());
    let error = file.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    assert_eq!(file.close().unwrap_err().kind(), ErrorKind::Failed);
}

fn panic_at(_: &mut State) -> crate::error::Result<()> {
    panic!("a defect")
}

#[test]
fn a_panic_in_a_call_or_in_a_slice_of_rebalancing_leaves_a_file_that_accepts_only_close() {
    panics(|file| file.shared.read(panic_at).unwrap());
    panics(|file| file.shared.change(panic_at).unwrap());
    panics(|file| {
        file.shared.with(&mut |_| panic!("a defect"));
    });
}
