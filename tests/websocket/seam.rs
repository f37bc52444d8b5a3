//! The source files under test that no user sees.
#![allow(dead_code, unreachable_pub, reason = "some of it is for users")]

#[path = "../../src/websocket/dial.rs"]
pub(crate) mod dial;
#[path = "../../src/websocket/endpoint.rs"]
pub(crate) mod endpoint;
#[path = "../../src/websocket/listen_address.rs"]
pub(crate) mod listen_address;
#[cfg(feature = "tls")]
#[path = "../../src/websocket/tls.rs"]
pub(crate) mod tls;
