//! The layer `websocket`: connections over real sockets, and over streams in memory on a virtual clock. Files are named after those of
//! `src/websocket`, or after what is promised of several.
//!
//! Of what no user sees, some is compiled in here, over sockets that are compiled in, too. No test waits for time to pass.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod adversary;
#[cfg(feature = "deflate")]
mod apart;
mod broadcast;
mod cancel;
#[cfg(feature = "tls")]
#[path = "../support/certificates.rs"]
mod certificates;
mod client;
mod closed;
#[cfg(feature = "deflate")]
mod compression;
mod connection;
mod dial;
mod endpoint;
mod engine;
mod faults;
#[path = "../support/intercepted.rs"]
mod intercepted;
mod interop;
mod leaks;
mod linger;
mod listen_address;
mod origin;
#[cfg(feature = "deflate")]
#[path = "../support/payloads.rs"]
mod payloads;
mod request;
#[path = "../runtime/seam.rs"]
mod runtime;
mod seam;
mod seats;
#[cfg(feature = "tls")]
mod secure;
mod serve;
mod server;
mod server_handle;
mod sockets;
mod span;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod trio;
mod views;
mod ways_out;

/// What the files under test take from `scope`.
mod scope {
    #[cfg(feature = "tls")]
    pub(crate) use wscope::blocking;
}
