//! See the body, `tests/fuzz/state_machine.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::state_machine::state_machine(input));
