//! What an address says of itself.

use std::net::TcpListener;

use wscope::{testing::duplex, websocket::Endpoint};

use crate::{
    runtime::{Tcp, Transport, block_on},
    seam::endpoint::Endpoint as Seen,
};

fn tcp(address: &str, tls: bool) -> Endpoint {
    Endpoint::Tcp { address: address.parse().unwrap(), tls }
}

#[test]
fn a_url_leaves_the_default_port_out_and_puts_ipv6_in_brackets() {
    for (endpoint, url) in [
        (tcp("127.0.0.1:80", false), "ws://127.0.0.1"),
        (tcp("127.0.0.1:443", true), "wss://127.0.0.1"),
        (tcp("127.0.0.1:443", false), "ws://127.0.0.1:443"),
        (tcp("127.0.0.1:80", true), "wss://127.0.0.1:80"),
        (tcp("[::1]:80", false), "ws://[::1]"),
        (tcp("[::1]:8080", true), "wss://[::1]:8080"),
    ] {
        assert_eq!(endpoint.url().as_deref(), Some(url));
        assert_eq!(endpoint.to_string(), url);
        assert!(url.parse::<http::Uri>().is_ok());
    }
}

#[test]
fn what_is_not_tcp_has_no_url_no_address_and_no_port() {
    for (endpoint, text) in [
        (Endpoint::Unix { path: Some("/run/ws".into()), tls: false }, "unix:/run/ws"),
        (Endpoint::Unix { path: None, tls: true }, "a Unix socket without a name"),
        (Endpoint::Other, "a stream without an address"),
    ] {
        assert_eq!((endpoint.url(), endpoint.address(), endpoint.port()), (None, None, None));
        assert_eq!(endpoint.to_string(), text);
    }
}

#[test]
fn each_part_is_told() {
    let endpoint = tcp("[::1]:8080", true);
    assert_eq!(endpoint.address(), Some("[::1]:8080".parse().unwrap()));
    assert_eq!((endpoint.port(), endpoint.is_tls(), endpoint.path()), (Some(8080), true, None));
    let unix = Endpoint::Unix { path: Some("/run/ws".into()), tls: true };
    assert_eq!((unix.path(), unix.is_tls()), (Some("/run/ws".as_ref()), true));
    assert!(!Endpoint::Other.is_tls());
}

#[test]
fn both_ends_of_a_transport_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let transport = Transport::Tcp(block_on(Tcp::connect(server)).unwrap());
    let client = listener.accept().unwrap().1;
    assert_eq!(Seen::local(&transport), Seen::Tcp { address: client, tls: false });
    assert_eq!(Seen::remote(&transport), Seen::Tcp { address: server, tls: false });
    let brought = Transport::other(duplex(1).0);
    assert_eq!((Seen::local(&brought), Seen::remote(&brought)), (Seen::Other, Seen::Other));
}
