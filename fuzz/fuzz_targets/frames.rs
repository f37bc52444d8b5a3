//! See the body, `tests/fuzz/frames.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::frames::frames(input));
