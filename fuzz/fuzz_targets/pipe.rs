//! See the body, `tests/fuzz/pipe.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::pipe::pipe(input));
