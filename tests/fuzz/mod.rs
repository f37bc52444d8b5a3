//! Bodies of the fuzz targets: functions from bytes to a panic or none.
//!
//! The targets in `fuzz/` are shims around them, so that plain tests can call them too: `tests/corpus.rs` with the seed
//! corpora, `tests/properties` with what proptest makes up. Each reads its input as a list of [`Choices`], drives engines
//! with them, and asserts what must hold whatever was chosen.

#![allow(dead_code, reason = "each test binary calls some of the bodies and uses some of their parts")]
#![allow(unreachable_pub, reason = "reachable where `fuzz/` takes the module in")]

pub mod choices;
pub mod extension_header;
pub mod frames;
pub mod http;
#[cfg(feature = "deflate")]
pub mod inflate;
pub mod invert;
#[cfg(feature = "deflate")]
pub mod negotiation;
pub mod pipe;
pub mod request_head;
pub mod response_head;
pub mod state_machine;
pub mod trace;
pub mod wire;
pub mod ws_connection;

use choices::Choices;

/// A body: panics where an input breaks what must hold.
pub type Body = fn(&[u8]);

/// The bodies by the names of their targets, which are the names of their corpora too.
pub const TARGETS: &[(&str, Body)] = &[
    ("extension_header", extension_header::extension_header),
    ("frames", frames::frames),
    #[cfg(feature = "deflate")]
    ("inflate", inflate::inflate),
    #[cfg(feature = "deflate")]
    ("negotiation", negotiation::negotiation),
    ("pipe", pipe::pipe),
    ("request_head", request_head::request_head),
    ("response_head", response_head::response_head),
    ("state_machine", state_machine::state_machine),
    ("ws_connection", ws_connection::ws_connection),
];
