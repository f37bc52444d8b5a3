//! See the body, `tests/fuzz/response_head.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::response_head::response_head(input));
