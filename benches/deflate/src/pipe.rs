//! Two ends in memory for a library that wants a stream: what one writes the other reads, and nothing waits.

use bytes::BytesMut;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub struct Pipe {
    incoming: Arc<Mutex<BytesMut>>,
    outgoing: Arc<Mutex<BytesMut>>,
    keeps: bool,
}

impl Pipe {
    pub fn pair() -> (Self, Self) {
        let [one, two] = [(); 2].map(|()| Arc::<Mutex<BytesMut>>::default());
        (
            Self { incoming: one.clone(), outgoing: two.clone(), keeps: true },
            Self { incoming: two, outgoing: one, keeps: true },
        )
    }

    /// An end that nobody reads: it keeps its last write.
    pub fn sink() -> Self {
        let (end, _) = Self::pair();
        Self { keeps: false, ..end }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        if incoming.is_empty() {
            return Poll::Pending;
        }
        let count = incoming.len().min(buffer.remaining());
        buffer.put_slice(&incoming.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.keeps {
            outgoing.clear();
        }
        outgoing.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
