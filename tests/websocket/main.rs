//! The layer `websocket`. Files are named after those of `src/websocket`.
//!
//! What no user sees is compiled in here, over sockets that are compiled in, too. No test waits for time to pass.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod dial;
mod endpoint;
#[path = "../runtime/seam.rs"]
mod runtime;
mod seam;
#[cfg(feature = "tls")]
mod tls;

/// What the files under test take from `scope`.
mod scope {
    #[cfg(feature = "tls")]
    pub(crate) use wscope::blocking;
}
