//! See the body, `tests/fuzz/ws_connection.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wscope_fuzz::bodies::ws_connection::ws_connection(input));
