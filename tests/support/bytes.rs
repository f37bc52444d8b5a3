//! Bytes through a transport, for tests.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll, Waker},
};

use super::Transport;

/// One read of at most `room` bytes.
pub(crate) async fn read(transport: &mut Transport, room: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; room];
    let length = poll_fn(|cx| transport.poll_read(cx, &mut buffer)).await?;
    buffer.truncate(length);
    Ok(buffer)
}

/// Exactly `length` bytes.
pub(crate) async fn read_exact(transport: &mut Transport, length: usize) -> io::Result<Vec<u8>> {
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
pub(crate) async fn write(transport: &mut Transport, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let slices = [io::IoSlice::new(bytes)];
        let written = poll_fn(|cx| transport.poll_write_vectored(cx, &slices)).await?;
        bytes = &bytes[written..];
    }
    poll_fn(|cx| transport.poll_flush(cx)).await
}

pub(crate) async fn close(transport: &mut Transport) -> io::Result<()> {
    poll_fn(|cx| transport.poll_close(cx)).await
}

/// Polls once, for a task that does not care to be woken.
pub(crate) fn once<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(Waker::noop()))
}
