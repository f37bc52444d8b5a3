//! See the body, `tests/fuzz/extension_header.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::extension_header::extension_header(input));
