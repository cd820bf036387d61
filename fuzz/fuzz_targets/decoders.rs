//! All decoders in one target: the first byte chooses.
#![no_main]
use h5r_fuzz::decoders::DECODERS;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Some((&first, rest)) = input.split_first() {
        DECODERS[usize::from(first) % DECODERS.len()].1(rest);
    }
});
