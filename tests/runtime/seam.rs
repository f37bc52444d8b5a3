//! The source files under test, and what they take from those that are not.
#![allow(dead_code, unused_imports, reason = "some of it is for the layers above")]

#[path = "../../src/runtime/address.rs"]
mod address;
#[path = "../support/bytes.rs"]
pub(crate) mod bytes;
#[path = "../../src/runtime/listener.rs"]
mod listener;
#[cfg(feature = "tls")]
#[path = "../../src/runtime/read_ahead.rs"]
pub(crate) mod read_ahead;
#[path = "../../src/runtime/resolve.rs"]
mod resolve;
#[path = "../../src/runtime/socket.rs"]
pub(crate) mod socket;
#[path = "../../src/runtime/tcp.rs"]
mod tcp;
#[cfg(feature = "tls")]
#[path = "../../src/runtime/tls.rs"]
pub(crate) mod tls;
#[path = "../../src/runtime/transport.rs"]
mod transport;
#[cfg(unix)]
#[path = "../../src/runtime/unix.rs"]
mod unix;
#[cfg(unix)]
#[path = "../../src/runtime/unix_listener.rs"]
mod unix_listener;

pub(crate) use address::Address;
pub(crate) use listener::Listener;
pub(crate) use resolve::resolve;
pub(crate) use tcp::Tcp;
pub(crate) use transport::Transport;
#[cfg(unix)]
pub(crate) use unix::Unix;
#[cfg(unix)]
pub(crate) use unix_listener::UnixListener;
pub(crate) use wscope::runtime::{Timer, block_on, now};

/// The library's own is not to be seen from here: what is current is a thread for each blocking call.
pub(crate) fn current<T>(look: impl Fn(&Ambient) -> T) -> T {
    look(&Ambient { runtime: Threads })
}

pub(crate) struct Ambient {
    pub(crate) runtime: Threads,
}

#[derive(Clone)]
pub(crate) struct Threads;

impl Threads {
    pub(crate) fn unblock(&self, work: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(work);
    }
}
