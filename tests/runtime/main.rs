//! The sockets of the layer `runtime`, which no user sees: the source files are compiled in here, and stand on real sockets of the
//! loopback interface. Files are named after those of `src/runtime`.
//!
//! No test waits for time to pass: it waits for the other end.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod listener;
#[cfg(feature = "tls")]
mod read_ahead;
mod resolve;
mod seam;
mod socket;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod transport;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_listener;

use std::net::{Ipv4Addr, TcpListener};

use seam::Tcp;
use wscope::runtime::block_on;

/// Two ends of a TCP connection: ours, and one that blocks.
fn tcp_pair() -> (Tcp, std::net::TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let ours = block_on(Tcp::connect(listener.local_addr().unwrap())).unwrap();
    (ours, listener.accept().unwrap().0)
}
