//! The layer `runtime`: executor, clock and timers as they are used from outside; and sockets, which no user sees: these source files
//! are compiled in here, and stand on real sockets of the loopback interface. Files are named after those of `src/runtime`; the state
//! machines of the layer are in `tests/model`.
//!
//! No test waits for time to pass: it waits for the other end.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod ambient;
mod async_std;
mod clock;
mod executor;
mod listener;
#[cfg(feature = "tls")]
mod read_ahead;
mod resolve;
mod seam;
mod sink;
mod socket;
mod tcp;
mod timer;
#[cfg(feature = "tls")]
mod tls;
mod transport;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_listener;

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::Wake,
    time::Duration,
};

use seam::Tcp;
use wscope::runtime::block_on;

const SECOND: Duration = Duration::from_secs(1);

/// Counts how often it is woken.
#[derive(Default)]
struct Rings(AtomicU32);

impl Rings {
    fn count(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

impl Wake for Rings {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Two ends of a TCP connection: ours, and one that blocks.
fn tcp_pair() -> (Tcp, std::net::TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let ours = block_on(Tcp::connect(listener.local_addr().unwrap())).unwrap();
    (ours, listener.accept().unwrap().0)
}
