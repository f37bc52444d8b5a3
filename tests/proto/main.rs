//! The tests of `proto`, file for file as in `src/proto`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake;
mod header;
mod http;
mod uri;
