//! See the body, `tests/fuzz/request_head.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::request_head::request_head(input));
