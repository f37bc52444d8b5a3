//! What a connection's bytes travel on: a socket of ours, TLS over one, or any stream that a user brings.
//!
//! One type, so that a connection has no type parameter. Rules for whoever polls:
//!
//! - All polls of one transport come with the same waker, from whatever task; and that waker does not own the transport.
//! - Bytes that a write answered with `Pending` are offered again, unchanged and first: a TLS library counts them as taken.
//! - Only the transport knows when a socket is dry: whoever reads, reads until `Pending` or until its turn is over.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::io::{AsyncRead, AsyncWrite};

#[cfg(unix)]
use super::Unix;
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::{Address, Tcp};

/// Anything that carries bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// See the head of the file.
#[derive(Debug)]
pub(crate) enum Transport {
    Tcp(Tcp),
    #[cfg(unix)]
    Unix(Unix),
    #[cfg(feature = "tls")]
    Tls(Box<Tls>),
    Other(Other),
}

impl Transport {
    /// Over a stream of the user's.
    pub(crate) fn other(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::Other(Other { stream: Box::new(stream), closed: false })
    }

    /// One read. `Ready(Ok(0))` for a buffer that is not empty is the end of the stream.
    ///
    /// After a read that did not fill the buffer a plain socket is dry: the next call only leaves the waker with the reactor.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(socket) => socket.poll_read(cx, buffer),
            #[cfg(unix)]
            Self::Unix(socket) => socket.poll_read(cx, buffer),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.poll_read(cx, buffer),
            Self::Other(other) => other.poll_read(cx, buffer),
        }
    }

    /// Whether the next read would wait for the reactor, without asking the kernel. Only plain sockets know.
    pub(crate) fn is_dry(&self) -> bool {
        match self {
            Self::Tcp(socket) => socket.is_dry(),
            #[cfg(unix)]
            Self::Unix(socket) => socket.is_dry(),
            #[cfg(feature = "tls")]
            Self::Tls(_) => false,
            Self::Other(_) => false,
        }
    }

    /// The next read asks the kernel, even if the last one has left the socket dry.
    pub(crate) fn look_again(&mut self) {
        match self {
            Self::Tcp(socket) => socket.look_again(),
            #[cfg(unix)]
            Self::Unix(socket) => socket.look_again(),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.look_again(),
            Self::Other(_) => {}
        }
    }

    /// Whether [`poll_fill`](Self::poll_fill) reads into spare capacity without clearing it first: plain sockets do.
    pub(crate) fn can_fill(&self) -> bool {
        self.is_socket()
    }

    /// One read, appended to `vec`: at most `at_most` bytes, and on a plain socket no more than the spare capacity.
    ///
    /// Fast where the spare capacity is at most `at_most` (so reserve exactly); with more of it, a few KiB are read at a time.
    /// Without any, some is made. `Ready(Ok(0))` with `at_most` above 0 is the end of the stream.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        vec: &mut Vec<u8>,
        at_most: usize,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(socket) => socket.poll_fill(cx, vec, at_most),
            #[cfg(unix)]
            Self::Unix(socket) => socket.poll_fill(cx, vec, at_most),
            #[cfg(feature = "tls")]
            Self::Tls(_) => self.poll_append(cx, vec, at_most),
            Self::Other(_) => self.poll_append(cx, vec, at_most),
        }
    }

    /// Whether [`poll_write_vectored`](Self::poll_write_vectored) takes more than the first slice: plain sockets do.
    pub(crate) fn gathers(&self) -> bool {
        self.is_socket()
    }

    /// One write. Never `Ready(Ok(0))`, unless there is nothing in `slices`.
    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some(first) = slices.iter().find(|slice| !slice.is_empty()) else { return Poll::Ready(Ok(0)) };
        let written = ready!(match self {
            Self::Tcp(socket) => socket.poll_write_vectored(cx, slices),
            #[cfg(unix)]
            Self::Unix(socket) => socket.poll_write_vectored(cx, slices),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.poll_write(cx, first),
            Self::Other(other) => other.poll_write(cx, first),
        })?;
        Poll::Ready(if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) })
    }

    /// Hands on what the layers of the stream have kept back. Plain sockets keep nothing back.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(_) => Poll::Ready(Ok(())),
            #[cfg(unix)]
            Self::Unix(_) => Poll::Ready(Ok(())),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.poll_flush(cx),
            Self::Other(other) => Pin::new(&mut *other.stream).poll_flush(cx),
        }
    }

    /// Ends the sending direction; reading goes on. Once it has succeeded it succeeds again.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => Poll::Ready(socket.end_sending()),
            #[cfg(unix)]
            Self::Unix(socket) => Poll::Ready(socket.end_sending()),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.poll_close(cx),
            Self::Other(other) => other.poll_close(cx),
        }
    }

    /// Where our end is.
    pub(crate) fn local(&self) -> &Address {
        match self {
            Self::Tcp(socket) => socket.local(),
            #[cfg(unix)]
            Self::Unix(socket) => socket.local(),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.transport().local(),
            Self::Other(_) => &Address::Unknown,
        }
    }

    /// Where the peer is.
    pub(crate) fn peer(&self) -> &Address {
        match self {
            Self::Tcp(socket) => socket.peer(),
            #[cfg(unix)]
            Self::Unix(socket) => socket.peer(),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.transport().peer(),
            Self::Other(_) => &Address::Unknown,
        }
    }

    /// Nobody will ask where the ends are: an open connection has written them down.
    pub(crate) fn forget_ends(&mut self) {
        match self {
            Self::Tcp(socket) => socket.forget_ends(),
            #[cfg(unix)]
            Self::Unix(socket) => socket.forget_ends(),
            #[cfg(feature = "tls")]
            Self::Tls(_) => {}
            Self::Other(_) => {}
        }
    }

    /// Whether the bytes are encrypted on their way, by us.
    pub(crate) fn is_tls(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Other(_) => false,
            #[cfg(unix)]
            Self::Unix(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(_) => true,
        }
    }

    /// Whether the kernel is asked with nothing in between.
    fn is_socket(&self) -> bool {
        match self {
            Self::Tcp(_) => true,
            #[cfg(unix)]
            Self::Unix(_) => true,
            #[cfg(feature = "tls")]
            Self::Tls(_) => false,
            Self::Other(_) => false,
        }
    }

    /// `poll_fill` by way of `poll_read`.
    fn poll_append(
        &mut self,
        cx: &mut Context<'_>,
        vec: &mut Vec<u8>,
        at_most: usize,
    ) -> Poll<io::Result<usize>> {
        let before = vec.len();
        let room = at_most.min(STEP);
        vec.try_reserve(room)?;
        vec.resize(before + room, 0);
        let polled = self.poll_read(cx, &mut vec[before..]);
        let read = match &polled {
            Poll::Ready(Ok(read)) => *read,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        vec.truncate(before + read);
        polled
    }
}

/// A stream that a user brings, and whom we do not trust with our invariants.
pub(crate) struct Other {
    stream: Box<dyn Stream>,
    closed: bool,
}

impl Other {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = ready!(Pin::new(&mut *self.stream).poll_read(cx, buffer))?;
        Poll::Ready(believable(read, buffer.len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut *self.stream).poll_write(cx, bytes))?;
        Poll::Ready(believable(written, bytes.len()))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closed {
            ready!(Pin::new(&mut *self.stream).poll_close(cx))?;
            self.closed = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Other").field("closed", &self.closed).finish_non_exhaustive()
    }
}

fn believable(length: usize, most: usize) -> io::Result<usize> {
    if length <= most {
        return Ok(length);
    }
    Err(io::Error::other(format!("the stream claims {length} bytes of {most}")))
}

/// How much is cleared at a time for streams that cannot read into spare capacity.
const STEP: usize = 16 * 1024;
