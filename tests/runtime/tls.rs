//! TLS as a stream: what arrives, how it ends, and what stays behind.

use std::{
    io::{ErrorKind, IoSlice},
    sync::{Arc, OnceLock},
    task::{Context, Poll, Wake, Waker},
};

use futures::{FutureExt, future::join};
use wscope::{
    runtime::block_on,
    testing::{Fault, duplex},
};

#[path = "../support/certificates.rs"]
mod certificates;

use self::certificates::Authority;
use super::{
    seam::{
        Address, Tcp, Transport,
        bytes::{close, once, read, read_exact, write},
        tls::{Acceptor, Cause, Certificate, ClientSettings, Connector, Identity},
    },
    tcp_pair,
};

/// Both ends of the handshake, made once: reading the system's roots takes long.
fn ends() -> &'static (Connector, Acceptor) {
    static ENDS: OnceLock<(Connector, Acceptor)> = OnceLock::new();
    ENDS.get_or_init(|| {
        let authority = Authority::new();
        let server = authority.server(&["localhost"]);
        let roots = Certificate::from_pem(&authority.root().pem()).unwrap();
        let settings = ClientSettings { roots, only_given_roots: true, ..ClientSettings::default() };
        let identity = Identity::from_pem(&server.pem(), &server.key()).unwrap();
        (Connector::new(&settings), Acceptor::new(&identity).unwrap())
    })
}

/// A client and a server, their hands shaken.
async fn shaken(client: Transport, server: Transport) -> (Transport, Transport) {
    let (connector, acceptor) = ends();
    let (client, server) = join(connector.connect("localhost", client), acceptor.accept(server)).await;
    (Transport::Tls(Box::new(client.unwrap())), Transport::Tls(Box::new(server.unwrap())))
}

fn blocking(stream: std::net::TcpStream) -> Transport {
    let peer = stream.peer_addr().unwrap();
    Transport::Tcp(Tcp::over(async_io::Async::new(stream).unwrap(), peer).unwrap())
}

fn tcp() -> (Transport, Transport) {
    let (ours, theirs) = tcp_pair();
    (Transport::Tcp(ours), blocking(theirs))
}

#[test]
fn bytes_arrive_in_both_directions() {
    let sent: Vec<u8> = (0..=250).cycle().take(2_000_000).collect();
    block_on(async {
        let (client, server) = tcp();
        let addresses = (client.local().clone(), client.peer().clone());
        let (mut client, mut server) = shaken(client, server).await;
        assert!(client.is_tls() && !client.can_fill() && !client.gathers());
        assert_eq!((client.local(), client.peer()), (&addresses.0, &addresses.1));
        assert_ne!(client.local(), &Address::Unknown);
        for _ in 0..2 {
            let (written, received) =
                join(write(&mut client, &sent), read_exact(&mut server, sent.len())).await;
            written.unwrap();
            assert!(received.unwrap() == sent);
            std::mem::swap(&mut client, &mut server);
        }
    });
}

#[test]
fn a_stream_in_crumbs_makes_no_difference() {
    let (mut here, mut there) = duplex(300);
    here.script_reads([Fault::Short(1), Fault::Pending, Fault::Short(7)].into_iter().cycle());
    there.script_writes([Fault::Short(3), Fault::Pending].into_iter().cycle());
    block_on(async {
        let (mut client, mut server) = shaken(Transport::other(here), Transport::other(there)).await;
        let sent = vec![9; 40_000];
        let (_, received) = join(write(&mut client, &sent), read_exact(&mut server, sent.len())).await;
        assert!(received.unwrap() == sent);
        write(&mut server, b"answer").await.unwrap();
        assert_eq!(read_exact(&mut client, 6).await.unwrap(), b"answer");
    });
}

#[test]
fn a_close_is_seen_and_the_other_direction_stays_open() {
    block_on(async {
        let (client, server) = tcp();
        let (mut client, mut server) = shaken(client, server).await;
        write(&mut client, b"last words").await.unwrap();
        close(&mut client).await.unwrap();
        close(&mut client).await.unwrap();
        assert_eq!(read(&mut server, 100).await.unwrap(), b"last words");
        assert!(read(&mut server, 100).await.unwrap().is_empty());
        assert!(read(&mut server, 100).await.unwrap().is_empty());
        write(&mut server, b"answer").await.unwrap();
        assert_eq!(read(&mut client, 100).await.unwrap(), b"answer");
    });
}

#[test]
fn an_end_without_close_notify_is_an_error() {
    block_on(async {
        let (client, server) = tcp();
        let (mut client, mut server) = shaken(client, server).await;
        write(&mut client, b"half a mess").await.unwrap();
        drop(client); // to the server this looks like what an attacker can forge: the end of the TCP stream
        assert_eq!(read(&mut server, 100).await.unwrap(), b"half a mess");
        for _ in 0..2 {
            let error = read(&mut server, 100).await.unwrap_err();
            // The client had session tickets unread, so its kernel may reset instead.
            assert!(
                [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset].contains(&error.kind()),
                "{error}"
            );
        }
    });
    let (here, there) = duplex(1 << 16);
    block_on(async {
        let (client, mut server) = shaken(Transport::other(here), Transport::other(there)).await;
        drop(client);
        for _ in 0..2 {
            assert_eq!(read(&mut server, 100).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
    });
}

#[test]
fn bytes_of_a_write_that_was_pending_are_not_lost() {
    let (here, there) = duplex(1 << 12);
    block_on(async {
        let (mut client, mut server) = shaken(Transport::other(here), Transport::other(there)).await;
        let first = vec![1; 10_000];
        let slices = [IoSlice::new(&first)];
        let mut written = 0;
        // Until the transport is full.
        while let Poll::Ready(length) = once(|cx| client.poll_write_vectored(cx, &slices)) {
            written += length.unwrap();
        }
        let rest = async {
            write(&mut client, &first).await.unwrap(); // the same bytes again
            close(&mut client).await.unwrap();
        };
        let all = read_exact(&mut server, written + first.len());
        let ((), all) = join(rest, all).await;
        assert!(all.unwrap().iter().all(|byte| *byte == 1));
        assert!(read(&mut server, 10).await.unwrap().is_empty());
    });
}

#[test]
fn a_handshake_with_a_peer_that_leaves_fails_at_once() {
    let (connector, acceptor) = ends();
    block_on(async {
        let (client, server) = tcp();
        drop(server);
        let failed = connector.connect("localhost", client).await.unwrap_err();
        assert!(matches!(failed.cause, Cause::Ended | Cause::Io(ErrorKind::ConnectionReset)), "{failed:?}");

        let (client, server) = tcp();
        drop(client);
        assert_eq!(acceptor.accept(server).await.unwrap_err().cause, Cause::Ended);

        for cut in [1, 5, 50, 100] {
            let (here, mut there) = duplex(1 << 16);
            there.script_reads([Fault::Short(cut), Fault::Eof]);
            let mut client = Box::pin(connector.connect("localhost", Transport::other(here)));
            assert!(once(|cx| client.poll_unpin(cx)).is_pending());
            let failed = acceptor.accept(Transport::other(there)).await.unwrap_err();
            assert_eq!(failed.cause, Cause::Ended, "after {cut} bytes");
        }
    });
}

#[test]
fn a_client_that_does_not_trust_us_says_so_and_a_client_without_tls_is_turned_away() {
    let (_, acceptor) = ends();
    let strict = Connector::new(&ClientSettings { only_given_roots: true, ..ClientSettings::default() });
    block_on(async {
        let (client, server) = tcp();
        let (refused, told) = join(strict.connect("localhost", client), acceptor.accept(server)).await;
        assert_eq!(refused.unwrap_err().cause, Cause::NotTrusted);
        // With TLS 1.3 a server is done before the client has looked at it: then the first read tells.
        match told {
            Err(failed) => assert_eq!(failed.cause, Cause::Alert),
            Ok(tls) => assert!(read(&mut Transport::Tls(Box::new(tls)), 10).await.is_err()),
        }

        let (mut client, server) = tcp();
        write(&mut client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let failed = acceptor.accept(server).await.unwrap_err();
        assert_eq!(failed.cause, Cause::Other, "{failed}");
    });
}

#[test]
fn a_handshake_that_is_dropped_drops_the_stream() {
    let (here, there) = duplex(1 << 16);
    let (connector, _) = ends();
    let mut handshake = Box::pin(connector.connect("localhost", Transport::other(here)));
    assert!(once(|cx| handshake.poll_unpin(cx)).is_pending());
    drop(handshake);
    let mut there = Transport::other(there);
    block_on(async {
        while !read(&mut there, 1000).await.unwrap().is_empty() {} // the client's hello, and then the end
    });
}

#[test]
fn a_handshake_keeps_no_waker_but_the_streams() {
    struct Bell;
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {}
    }

    let bell = Arc::new(Bell);
    let waker = Waker::from(bell.clone());
    let (here, _there) = duplex(1 << 16);
    let (connector, _) = ends();
    let mut handshake = Box::pin(connector.connect("localhost", Transport::other(here)));
    let before = Arc::strong_count(&bell);
    assert!(handshake.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    // A task that owns the handshake would else be owned by it.
    assert_eq!(Arc::strong_count(&bell), before + 1);
}
