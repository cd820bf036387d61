//! Opens a file read-only, recovers it, reads everything and checks it.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut bytes = input.to_vec();
    h5r_fuzz::seal::seal(&mut bytes);
    h5r_fuzz::walk::walk(bytes);
});
