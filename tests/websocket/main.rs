//! The layer `websocket`: connections over real sockets, and over streams in memory on a virtual clock. Files are named after those of
//! `src/websocket`, or after what is promised of several.
//!
//! Of what no user sees, some is compiled in here, over sockets that are compiled in, too. No test waits for time to pass.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod cancel;
mod connection;
mod dial;
mod endpoint;
mod engine;
mod faults;
#[path = "../runtime/seam.rs"]
mod runtime;
mod seam;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod ways_out;

/// What the files under test take from `scope`.
mod scope {
    #[cfg(feature = "tls")]
    pub(crate) use wscope::blocking;
}
