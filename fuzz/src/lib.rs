//! Fuzz targets of wscope.
//!
//! ```text
//! bash .ci/fuzz 600 frames                                   one target for ten minutes, its figures in a line
//! cargo +nightly fuzz run frames                             until it is stopped or finds something
//! cargo +nightly fuzz tmin frames fuzz/artifacts/frames/..   what it found, as small as can be
//! ```
//!
//! Their bodies belong to the tests of the crate, which replay the corpora too; here they are only given to libFuzzer.
//! Seeds have names in words, and `cargo run --example seeds` writes them anew; what a run finds has the name of its hash,
//! and git ignores it. An input that broke something is kept as a seed of its own, under a name that says what it broke.

#[path = "../../tests/fuzz/mod.rs"]
pub mod bodies;
