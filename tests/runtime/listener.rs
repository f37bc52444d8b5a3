//! Waiting for connections over TCP.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use futures::FutureExt;
use wscope::runtime::block_on;

use super::seam::{
    Address, Listener, Tcp, Transport,
    bytes::{once, read, write},
};

fn port(listener: &Listener) -> u16 {
    match listener.local() {
        Address::Tcp(address) => address.port(),
        Address::Unix(_) | Address::Unknown => panic!("not TCP"),
    }
}

/// On IPv4, and on IPv6 if the machine has it.
fn listeners() -> Vec<Listener> {
    let v4 = Listener::tcp((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let v6 = Listener::tcp((Ipv6Addr::LOCALHOST, 0).into());
    v6.as_ref().err().inspect(|error| eprintln!("this machine has no IPv6 ({error}): only IPv4 is tried"));
    [Ok(v4), v6].into_iter().flatten().collect()
}

#[test]
fn accept_gives_out_connections_with_both_addresses() {
    for listener in listeners() {
        let Address::Tcp(address) = *listener.local() else { panic!("not TCP") };
        block_on(async {
            assert!(listener.accept().now_or_never().is_none(), "nobody has come");
            let mut client = Transport::Tcp(Tcp::connect(address).await.unwrap());
            let mut server = listener.accept().await.unwrap();
            assert_eq!((server.local(), server.peer()), (client.peer(), client.local()));
            write(&mut client, b"hello").await.unwrap();
            assert_eq!(read(&mut server, 10).await.unwrap(), b"hello");
        });
    }
}

#[test]
fn both_families_share_a_port() {
    let v4 = Listener::tcp((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
    let address = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port(&v4)));
    match Listener::tcp(address) {
        Ok(v6) => assert_eq!(v6.local(), &Address::Tcp(address)),
        // The port may be taken by another program, in that family.
        Err(error) => eprintln!("no IPv6 at {address} ({error}): not tried"),
    }
}

#[test]
fn a_port_in_use_is_an_error_and_free_again_after_the_drop() {
    let listener = Listener::tcp((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port(&listener)));
    assert_eq!(Listener::tcp(address).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    block_on(async {
        // An old connection that the server has closed first does not keep the port.
        let _client = Tcp::connect(address).await.unwrap();
        drop(listener.accept().await.unwrap());
        drop(listener);
        Listener::tcp(address).unwrap();
    });
}

#[test]
fn hundreds_may_wait_to_be_accepted() {
    let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
    let allowed = allowed.and_then(|allowed| allowed.trim().parse().ok()).unwrap_or(128);
    let listener = Listener::tcp((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port(&listener)));
    block_on(async {
        let mut clients = Vec::new();
        for _ in 0..allowed.min(400) {
            clients.push(Tcp::connect(address).await.unwrap()); // one more than the backlog waits for ever
        }
        for client in &clients {
            assert_eq!(listener.accept().await.unwrap().peer(), client.local());
        }
    });
}

#[test]
fn an_accept_that_is_dropped_loses_no_connection() {
    let listener = Listener::tcp((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port(&listener)));
    block_on(async {
        for _ in 0..10 {
            let mut accept = Box::pin(listener.accept());
            assert!(once(|cx| accept.poll_unpin(cx)).is_pending());
            let client = Tcp::connect(address).await.unwrap();
            drop(accept);
            assert_eq!(listener.accept().await.unwrap().peer(), client.local());
        }
    });
}
