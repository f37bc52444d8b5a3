//! System calls, counted.

use std::{
    future::poll_fn,
    io::{self, IoSlice, Read, Write},
    net::TcpStream,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use async_io::Async;
use wscope::runtime::block_on;

use super::seam::{
    Address,
    bytes::once,
    socket::{RawSocket, Socket},
};

/// A socket that counts what is asked of the kernel.
struct Counted {
    stream: TcpStream,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    reads: AtomicUsize,
    writes: AtomicUsize,
    shutdowns: AtomicUsize,
}

impl Counts {
    /// Reads since the last time.
    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }

    fn writes(&self) -> usize {
        self.writes.swap(0, Ordering::Relaxed)
    }
}

impl AsFd for Counted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl RawSocket for Counted {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        RawSocket::read(&self.stream, buffer)
    }

    fn fill(&self, vec: &mut Vec<u8>) -> io::Result<usize> {
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        self.stream.fill(vec)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.counts.writes.fetch_add(1, Ordering::Relaxed);
        RawSocket::write(&self.stream, bytes)
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.counts.writes.fetch_add(1, Ordering::Relaxed);
        RawSocket::write_vectored(&self.stream, slices)
    }

    fn end_sending(&self) -> io::Result<()> {
        self.counts.shutdowns.fetch_add(1, Ordering::Relaxed);
        self.stream.end_sending()
    }
}

fn counted() -> (Socket<Counted>, TcpStream, Arc<Counts>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let counts = Arc::new(Counts::default());
    let io = Async::new(Counted { stream, counts: counts.clone() }).unwrap();
    (Socket::new(io, Address::Unknown, Address::Unknown), listener.accept().unwrap().0, counts)
}

async fn read(socket: &mut Socket<Counted>, buffer: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| socket.poll_read(cx, buffer)).await
}

async fn fill(socket: &mut Socket<Counted>, vec: &mut Vec<u8>, at_most: usize) -> io::Result<usize> {
    poll_fn(|cx| socket.poll_fill(cx, vec, at_most)).await
}

#[test]
fn a_message_costs_one_read_and_waiting_for_the_next_costs_none() {
    let (mut socket, mut peer, counts) = counted();
    let mut buffer = [0; 64];
    assert!(once(|cx| socket.poll_read(cx, &mut buffer)).is_pending());
    assert_eq!(counts.reads(), 1, "nobody has told us yet that the socket is dry");
    for _ in 0..100 {
        peer.write_all(b"hello").unwrap();
        assert_eq!(block_on(read(&mut socket, &mut buffer)).unwrap(), 5);
        assert_eq!(counts.reads(), 1);
        assert!(once(|cx| socket.poll_read(cx, &mut buffer)).is_pending());
        assert!(once(|cx| socket.poll_read(cx, &mut buffer)).is_pending());
        assert_eq!(counts.reads(), 0);
    }
}

#[test]
fn a_read_that_fills_its_buffer_is_followed_by_another() {
    let (mut socket, mut peer, counts) = counted();
    peer.write_all(b"abcdefgh").unwrap();
    let mut buffer = [0; 4];
    block_on(async {
        assert_eq!(read(&mut socket, &mut buffer).await.unwrap(), 4);
        assert_eq!(counts.reads(), 1);
        assert!(matches!(once(|cx| socket.poll_read(cx, &mut buffer)), Poll::Ready(Ok(4))));
        assert_eq!(counts.reads(), 1);
        assert!(once(|cx| socket.poll_read(cx, &mut buffer)).is_pending());
        assert_eq!(counts.reads(), 1, "a full buffer says nothing about what is left");
    });
}

#[test]
fn the_end_of_the_stream_is_not_dry() {
    let (mut socket, mut peer, counts) = counted();
    peer.write_all(b"bye").unwrap();
    drop(peer);
    let mut buffer = [0; 64];
    block_on(async {
        assert_eq!(read(&mut socket, &mut buffer).await.unwrap(), 3);
        assert_eq!(read(&mut socket, &mut buffer).await.unwrap(), 0);
        assert_eq!(counts.reads(), 2);
    });
    assert!(matches!(once(|cx| socket.poll_read(cx, &mut buffer)), Poll::Ready(Ok(0))));
    let mut vec = Vec::new();
    assert!(matches!(once(|cx| socket.poll_fill(cx, &mut vec, 10)), Poll::Ready(Ok(0))));
    assert!(vec.is_empty());
}

#[test]
fn nothing_asked_for_is_no_end_and_no_call() {
    let (mut socket, _peer, counts) = counted();
    assert!(matches!(once(|cx| socket.poll_read(cx, &mut [])), Poll::Ready(Ok(0))));
    assert!(matches!(once(|cx| socket.poll_fill(cx, &mut Vec::new(), 0)), Poll::Ready(Ok(0))));
    assert_eq!(counts.reads(), 0);
}

#[test]
fn filling_takes_one_read_and_keeps_what_is_there() {
    let (mut socket, mut peer, counts) = counted();
    let sent: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    peer.write_all(&sent).unwrap();
    let mut vec = Vec::with_capacity(2 + sent.len());
    vec.extend_from_slice(b"<>");
    block_on(async {
        // The kernel may hand out what is there in pieces; each piece is one read.
        let mut pieces = 0;
        while vec.len() < 2 + sent.len() {
            let left = 2 + sent.len() - vec.len();
            assert!(fill(&mut socket, &mut vec, left).await.unwrap() > 0);
            pieces += 1;
        }
        assert_eq!(counts.reads(), pieces);
    });
    assert_eq!((&vec[..2], &vec[2..]), (&b"<>"[..], &sent[..]));
    assert_eq!(vec.capacity(), 2 + sent.len(), "it has grown");
}

#[test]
fn filling_never_takes_more_than_it_may() {
    let (mut socket, mut peer, _counts) = counted();
    peer.write_all(b"one message|the next").unwrap();
    let mut vec = Vec::with_capacity(10_000);
    block_on(async {
        while vec.len() < 11 {
            let left = 11 - vec.len();
            fill(&mut socket, &mut vec, left).await.unwrap();
        }
        assert_eq!(vec, b"one message");
        let mut buffer = [0; 64];
        let read = read(&mut socket, &mut buffer).await.unwrap();
        assert_eq!(&buffer[..read], b"|the next");
    });
}

#[test]
fn filling_obeys_the_dry_rule() {
    let (mut socket, mut peer, counts) = counted();
    let mut vec = Vec::with_capacity(100);
    for round in 1..=3 {
        peer.write_all(b"abc").unwrap();
        assert_eq!(block_on(fill(&mut socket, &mut vec, 100)).unwrap(), 3);
        assert!(once(|cx| socket.poll_fill(cx, &mut vec, 50)).is_pending());
        assert!(once(|cx| socket.poll_read(cx, &mut [0; 8])).is_pending());
        assert_eq!((vec.len(), counts.reads()), (3 * round, 1));
    }
}

#[test]
fn many_slices_are_one_write() {
    let (mut socket, mut peer, counts) = counted();
    let slices = [&b"head"[..], b"", b"er,", b"payload"].map(IoSlice::new);
    assert!(matches!(once(|cx| socket.poll_write_vectored(cx, &slices)), Poll::Ready(Ok(14))));
    assert_eq!(counts.writes(), 1);
    let mut buffer = [0; 14];
    peer.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"header,payload");
}

#[test]
fn a_socket_that_is_full_is_not_asked_again_until_it_is_not() {
    let (mut socket, peer, counts) = counted();
    let piece = vec![7; 256 * 1024];
    let slices = [IoSlice::new(&piece)];
    let mut sent = 0;
    while let Poll::Ready(written) = once(|cx| socket.poll_write_vectored(cx, &slices)) {
        sent += written.unwrap();
    }
    counts.writes();
    assert!(once(|cx| socket.poll_write_vectored(cx, &slices)).is_pending());
    assert_eq!(counts.writes(), 0);

    let reader = std::thread::spawn(move || {
        let mut received = 0;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match peer.read(&mut buffer).unwrap() {
                0 => return received,
                length => received += length,
            }
        }
    });
    sent += block_on(poll_fn(|cx| socket.poll_write_vectored(cx, &slices))).unwrap();
    assert_eq!(counts.writes(), 1, "woken once there is room, it is tried once");
    socket.end_sending().unwrap();
    assert_eq!(reader.join().unwrap(), sent);
}

#[test]
fn sending_ends_once() {
    let (mut socket, mut peer, counts) = counted();
    socket.end_sending().unwrap();
    socket.end_sending().unwrap();
    assert_eq!(counts.shutdowns.load(Ordering::Relaxed), 1);
    assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0);
    peer.write_all(b"still here").unwrap();
    assert_eq!(block_on(read(&mut socket, &mut [0; 64])).unwrap(), 10, "the other direction is open");
}
