//! Reads ahead of a TLS library, which asks for the five bytes of a record's header and then for the record: both, and the records
//! after it, come with one system call.
//!
//! Invariant: without unread bytes there is no buffer. So an idle connection holds none, and a busy one at most one of
//! [`AHEAD`] bytes.

use std::{
    io, mem,
    task::{Context, Poll, ready},
};

use super::Transport;

/// A transport, and what was read of it too early.
#[derive(Debug)]
pub(crate) struct ReadAhead {
    transport: Transport,
    ahead: Vec<u8>,
    /// How much of it is gone: less than all of it, or both are nothing.
    used: usize,
}

impl ReadAhead {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport, ahead: Vec::new(), used: 0 }
    }

    /// What lies below. To be written to, closed and asked; not to be read from.
    pub(crate) fn transport(&mut self) -> &mut Transport {
        &mut self.transport
    }

    pub(crate) fn transport_ref(&self) -> &Transport {
        &self.transport
    }

    /// One read of bytes that are there already, or else of the transport.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.ahead.is_empty() {
            let mut ahead = Vec::with_capacity(AHEAD);
            let room = ahead.capacity();
            ready!(self.transport.poll_fill(cx, &mut ahead, room))?;
            self.ahead = ahead;
        }
        let unread = &self.ahead[self.used..];
        let length = unread.len().min(buffer.len());
        buffer[..length].copy_from_slice(&unread[..length]);
        self.used += length;
        if self.used == self.ahead.len() {
            self.used = 0;
            drop(mem::take(&mut self.ahead));
        }
        Poll::Ready(Ok(length))
    }
}

/// Two records of TLS, nearly.
const AHEAD: usize = 32 * 1024;
