//! No file stays open after what was waiting is dropped. A binary of its own: it counts the files of the whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "runtime/seam.rs"]
mod seam;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use futures::FutureExt;
use seam::{Address, Listener, Tcp, Unix, UnixListener, block_on, bytes::once};

/// How many files this process has open.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The address at which connecting neither succeeds nor fails, as long as the rest is kept.
fn unanswered() -> (SocketAddr, TcpListener, Vec<Tcp>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut connected = Vec::new();
    loop {
        // The first who is turned away is not told so; he tries again in a second.
        let mut connect = Box::pin(Tcp::connect(address));
        let polls = std::iter::repeat_with(|| once(|cx| connect.poll_unpin(cx))).take(1000);
        match polls.into_iter().find(|polled| polled.is_ready()) {
            Some(std::task::Poll::Ready(socket)) => connected.push(socket.unwrap()),
            Some(std::task::Poll::Pending) | None => return (address, listener, connected),
        }
    }
}

#[test]
fn nothing_that_is_dropped_half_way_leaves_a_file_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    block_on(async {
        let listener = Listener::tcp((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let Address::Tcp(address) = *listener.local() else { panic!("not TCP") };
        let unix = Listener::Unix(UnixListener::bind(&path).await.unwrap());
        let (unanswered, _listener, _connected) = unanswered();

        let before = open_files();
        for _ in 0..50 {
            let mut connect = Box::pin(Tcp::connect(unanswered));
            assert!(once(|cx| connect.poll_unpin(cx)).is_pending());
            let (mut accept, mut unix_accept) = (Box::pin(listener.accept()), Box::pin(unix.accept()));
            assert!(once(|cx| accept.poll_unpin(cx)).is_pending());
            assert!(once(|cx| unix_accept.poll_unpin(cx)).is_pending());
        }
        assert_eq!(open_files(), before, "after connecting and accepting");

        for _ in 0..50 {
            let client = Tcp::connect(address).await.unwrap();
            let mut server = listener.accept().await.unwrap();
            assert!(once(|cx| server.poll_read(cx, &mut [0; 8])).is_pending());
            let local = Unix::connect(&path).await.unwrap();
            drop((client, server, local, unix.accept().await.unwrap()));
        }
        assert_eq!(open_files(), before, "after waiting to read");

        #[cfg(feature = "tls")]
        {
            let settings = seam::tls::ClientSettings { only_given_roots: true, ..Default::default() };
            let connector = seam::tls::Connector::new(&settings);
            for _ in 0..50 {
                let client = seam::Transport::Tcp(Tcp::connect(address).await.unwrap());
                drop(listener.accept().await.unwrap());
                let mut handshake = Box::pin(connector.connect("localhost", client));
                drop(once(|cx| handshake.poll_unpin(cx)));
            }
            assert_eq!(open_files(), before, "after shaking hands");
        }
    });
}
