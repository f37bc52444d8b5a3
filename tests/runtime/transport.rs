//! Streams that a user brings, honest and otherwise. (Sockets: `socket`, `tcp` and `unix`.)

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use futures::io::{AsyncRead, AsyncWrite};
use wscope::{
    runtime::block_on,
    testing::{Fault, duplex},
};

use super::seam::{
    Address, Transport,
    bytes::{close, once, read, write},
};

#[test]
fn a_stream_of_the_users_carries_bytes_both_ways() {
    let (here, mut there) = duplex(8);
    there.script_reads([Fault::Pending, Fault::Short(2)]);
    let (mut here, mut there) = (Transport::other(here), Transport::other(there));
    assert!(!here.can_fill() && !here.gathers() && !here.is_tls());
    assert_eq!((here.local(), here.peer()), (&Address::Unknown, &Address::Unknown));
    block_on(async {
        write(&mut here, b"hello").await.unwrap();
        assert_eq!(read(&mut there, 10).await.unwrap(), b"he");
        let mut vec = b"<".to_vec();
        let length = std::future::poll_fn(|cx| there.poll_fill(cx, &mut vec, 2)).await.unwrap();
        assert_eq!((length, &vec[..]), (2, &b"<ll"[..]));
        assert!(once(|cx| here.poll_fill(cx, &mut vec, 100)).is_pending());
        assert_eq!(vec, b"<ll", "what was cleared for a read that did not come is gone");
        close(&mut here).await.unwrap();
        close(&mut here).await.unwrap();
        assert_eq!(read(&mut there, 10).await.unwrap(), b"o");
        assert!(read(&mut there, 10).await.unwrap().is_empty());
    });
}

#[test]
fn only_the_first_slice_that_holds_something_is_taken() {
    let (here, there) = duplex(64);
    let (mut here, mut there) = (Transport::other(here), Transport::other(there));
    let slices = [&b""[..], b"first", b"second"].map(IoSlice::new);
    assert!(matches!(once(|cx| here.poll_write_vectored(cx, &slices)), Poll::Ready(Ok(5))));
    assert!(matches!(once(|cx| here.poll_write_vectored(cx, &slices[..1])), Poll::Ready(Ok(0))));
    assert!(matches!(once(|cx| here.poll_write_vectored(cx, &[])), Poll::Ready(Ok(0))));
    assert_eq!(block_on(read(&mut there, 64)).unwrap(), b"first");
}

/// Claims to have moved so many bytes each time; fails when it is closed twice.
struct Liar {
    claim: usize,
    closed: bool,
}

impl AsyncRead for Liar {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.claim))
    }
}

impl AsyncWrite for Liar {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.claim))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert!(!self.closed);
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_stream_that_lies_about_lengths_is_an_error_and_no_panic() {
    let mut liar = Transport::other(Liar { claim: 9, closed: false });
    block_on(async {
        assert_eq!(read(&mut liar, 8).await.unwrap_err().kind(), io::ErrorKind::Other);
        assert!(write(&mut liar, b"12345678").await.is_err());
        let mut vec = Vec::new();
        assert!(once(|cx| liar.poll_fill(cx, &mut vec, 8)).is_ready());
        assert!(vec.is_empty());
        close(&mut liar).await.unwrap();
        close(&mut liar).await.unwrap();
        let mut stuck = Transport::other(Liar { claim: 0, closed: false });
        assert_eq!(write(&mut stuck, b"1").await.unwrap_err().kind(), io::ErrorKind::WriteZero);
    });
}
