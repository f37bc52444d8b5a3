//! What holds for every input, tried with the inputs that proptest makes up.

mod bodies;
mod close;
#[path = "../fuzz/mod.rs"]
mod fuzz;
mod handshake;
mod mask;
mod memory;
mod regressions;
mod round_trip;
mod strategy;
mod utf8;

use proptest::prelude::ProptestConfig;

/// As many cases as asked for with `PROPTEST_CASES`, and no file for those that fail: they become tests.
fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// A quarter as many, of inputs that are fed byte by byte, to sixteen connections and more.
fn few_cases() -> ProptestConfig {
    let cases = cases();
    ProptestConfig { cases: cases.cases.div_ceil(4), ..cases }
}
