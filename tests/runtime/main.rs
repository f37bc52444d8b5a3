//! The sockets of the layer `runtime`, which no user sees: the source files are compiled in here, and stand on real sockets of the
//! loopback interface. Files are named after those of `src/runtime`.
//!
//! No test waits for time to pass: it waits for the other end.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod seam;
mod socket;
mod tcp;
mod transport;
#[cfg(unix)]
mod unix;

use std::{
    future::poll_fn,
    io,
    net::{Ipv4Addr, TcpListener},
    task::{Context, Poll, Waker},
};

use seam::{Tcp, Transport};
use wscope::runtime::block_on;

/// Two ends of a TCP connection: ours, and one that blocks.
fn tcp_pair() -> (Tcp, std::net::TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let ours = block_on(Tcp::connect(listener.local_addr().unwrap())).unwrap();
    (ours, listener.accept().unwrap().0)
}

/// One read of at most `room` bytes.
async fn read(transport: &mut Transport, room: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; room];
    let length = poll_fn(|cx| transport.poll_read(cx, &mut buffer)).await?;
    buffer.truncate(length);
    Ok(buffer)
}

/// Exactly `length` bytes.
async fn read_exact(transport: &mut Transport, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let piece = read(transport, length - bytes.len()).await?;
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend(piece);
    }
    Ok(bytes)
}

/// All of `bytes`.
async fn write(transport: &mut Transport, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let slices = [io::IoSlice::new(bytes)];
        let written = poll_fn(|cx| transport.poll_write_vectored(cx, &slices)).await?;
        bytes = &bytes[written..];
    }
    poll_fn(|cx| transport.poll_flush(cx)).await
}

async fn close(transport: &mut Transport) -> io::Result<()> {
    poll_fn(|cx| transport.poll_close(cx)).await
}

/// Polls once, for a task that does not care to be woken.
fn once<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(Waker::noop()))
}
