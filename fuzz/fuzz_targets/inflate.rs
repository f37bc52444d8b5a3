//! See the body, `tests/fuzz/inflate.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::inflate::inflate(input));
