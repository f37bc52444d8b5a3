//! The examples that others are tested against, as the processes that they are: paths, options, output, exit codes, signals.
//! Files are named after the examples. `cargo test` builds these before it runs this.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(clippy::result_large_err, reason = "that is how tungstenite looks at a request")]

mod all;
mod autobahn_client;
#[cfg(feature = "tls")]
#[path = "../support/certificates.rs"]
mod certificates;
mod chat;
mod echo_server;
mod hub_and_tenants;
mod peer;
mod probe_client;
mod program;
