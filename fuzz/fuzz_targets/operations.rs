//! Works on a file: the first bytes are the script, the others the file.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| h5r_fuzz::operations::operate_on(input, h5r_fuzz::seal::seal));
