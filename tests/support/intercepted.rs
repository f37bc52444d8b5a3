//! A stream in memory whose reads and writes a test makes itself: to count them, to fail them, to keep their wakers.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{AsyncRead, AsyncWrite};
use wscope::testing::DuplexStream;

/// Makes the calls of an [`Intercepted`] stream; what is left out goes to the stream as it comes.
pub(crate) trait Intercept: Unpin {
    fn read(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        stream.poll_read(cx, buffer)
    }

    fn write(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        stream.poll_write(cx, bytes)
    }
}

pub(crate) struct Intercepted<I>(pub(crate) DuplexStream, pub(crate) I);

impl<I: Intercept> AsyncRead for Intercepted<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self(stream, intercept) = &mut *self;
        intercept.read(Pin::new(stream), cx, buffer)
    }
}

impl<I: Intercept> AsyncWrite for Intercepted<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self(stream, intercept) = &mut *self;
        intercept.write(Pin::new(stream), cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}
