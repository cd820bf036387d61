#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| h5r_fuzz::decoders::references(input));
