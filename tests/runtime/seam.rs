//! The source files under test.
#![allow(dead_code, reason = "some of it is for the layers above")]

#[path = "../../src/runtime/address.rs"]
mod address;
#[path = "../../src/runtime/socket.rs"]
pub(crate) mod socket;
#[path = "../../src/runtime/tcp.rs"]
mod tcp;
#[path = "../../src/runtime/transport.rs"]
mod transport;
#[cfg(unix)]
#[path = "../../src/runtime/unix.rs"]
mod unix;

pub(crate) use address::Address;
pub(crate) use tcp::Tcp;
pub(crate) use transport::Transport;
#[cfg(unix)]
pub(crate) use unix::Unix;
