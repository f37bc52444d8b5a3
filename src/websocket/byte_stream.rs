//! The connection as a stream of bytes.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use futures::{AsyncRead, AsyncWrite, Stream};

use super::{ConnectionClosed, Messages, WebSocketConnection, outgoing::Outgoing};
use crate::proto::Message;

/// Bytes in both directions, over messages. Each write is a binary message of at most [`MAX_WRITE`](Self::MAX_WRITE) bytes; reads see
/// the payloads of what comes, one after the other. The end of the stream is a close with 1000 or 1001, everything else an error that
/// has [`ConnectionClosed`] inside. Made by [`bytes`](WebSocketConnection::bytes).
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use wscope::WebSocketConnection;
///
/// /// One line to the other end, and all that it has to say until it closes.
/// async fn ask(ws: &WebSocketConnection) -> std::io::Result<Vec<u8>> {
///     let (mut bytes, mut answer) = (ws.bytes(), Vec::new());
///     bytes.write_all(b"STATUS\n").await?;
///     bytes.flush().await?;
///     bytes.read_to_end(&mut answer).await?;
///     Ok(answer)
/// }
/// # let _ = ask;
/// ```
pub struct ByteStream {
    incoming: Messages,
    outgoing: Outgoing,
    /// The rest of a message that was read in part.
    unread: bytes::Bytes,
}

impl ByteStream {
    /// 64 KiB: more gains nothing, and holds up control frames.
    pub const MAX_WRITE: usize = 64 * 1024;

    pub(super) fn new(ws: WebSocketConnection) -> Self {
        Self { incoming: ws.messages(), outgoing: Outgoing::new(ws), unread: bytes::Bytes::new() }
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        while self.unread.is_empty() {
            self.unread = match ready!(Pin::new(&mut self.incoming).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Text(text))) => text.into(),
                Some(Err(closed)) => return Poll::Ready(Err(broken(closed))),
                None => return Poll::Ready(Ok(0)),
            };
        }
        let count = self.unread.len().min(buffer.len());
        self.unread.copy_to_slice(&mut buffer[..count]);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let part = &buffer[..buffer.len().min(Self::MAX_WRITE)];
        if part.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.outgoing.poll_ready(cx)).map_err(broken)?;
        self.outgoing.send(part.into()).map_err(|error| broken(error.closed))?;
        Poll::Ready(Ok(part.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.poll_flush(cx).map_err(broken)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.poll_close(cx).map_err(broken)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("ws", &self.outgoing.ws)
            .field("unread", &self.unread.len())
            .finish_non_exhaustive()
    }
}

fn broken(closed: ConnectionClosed) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, closed)
}
