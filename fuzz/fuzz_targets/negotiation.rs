//! See the body, `tests/fuzz/negotiation.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::negotiation::negotiation(input));
