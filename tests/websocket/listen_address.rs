//! Where a server can listen, in each way of saying it, and what is told when it cannot.

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
};

use wscope::{WebSocketServer, run, websocket::ListenAddress};

use crate::seam::listen_address::distinct;

#[test]
fn a_place_can_be_said_in_many_ways() {
    let (v4, v6) = (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
    let text = String::from("127.0.0.1:0"); // of this function alone: the server may be made of what is borrowed
    let places: [ListenAddress; 12] = [
        "127.0.0.1:0".into(),
        (&text).into(),
        text.clone().into(),
        "localhost:0".into(),
        ("127.0.0.1", 0).into(),
        (String::from("localhost"), 0).into(),
        (v4, 0).into(),
        (IpAddr::from(v4), 0).into(),
        SocketAddr::from((v4, 0)).into(),
        SocketAddrV4::new(v4, 0).into(),
        (v6, 0).into(),
        SocketAddrV6::new(v6, 0, 0, 0).into(),
    ];
    run(async {
        for place in places {
            match WebSocketServer::bind(place.clone()).await {
                Ok(server) => assert_ne!(server.port(), 0, "{place}"),
                // A machine may be without IPv6.
                Err(error) => {
                    assert!(place.to_string().contains("::1") || error.to_string().contains("::1"), "{error}")
                }
            }
        }
    });
}

#[test]
fn a_place_is_shown_as_it_could_be_given() {
    let v6 = Ipv6Addr::LOCALHOST;
    for (place, shown) in [
        (ListenAddress::from(("::1", 80)), "[::1]:80"),
        ((v6, 80).into(), "[::1]:80"),
        ("[::1]:80".into(), "[::1]:80"),
        (("127.0.0.1", 80).into(), "127.0.0.1:80"),
        (("localhost", 80).into(), "localhost:80"),
    ] {
        assert_eq!(place.to_string(), shown);
    }
    assert_eq!(ListenAddress::from(("::1", 80)), (v6, 80).into());
}

#[test]
fn a_name_that_has_several_addresses_is_listened_at_at_all_of_them() {
    run(async {
        let server = WebSocketServer::bind("localhost:0").await.unwrap();
        let addresses: Vec<SocketAddr> = server.endpoints().iter().filter_map(|it| it.address()).collect();
        assert!(!addresses.is_empty() && addresses.iter().all(|it| it.ip().is_loopback()), "{addresses:?}");
    });
}

/// As a name has it that stands on two lines of a hosts file.
#[test]
fn an_address_that_is_found_twice_is_listened_at_once() {
    let [first, second] = ["[::1]:80", "127.0.0.1:80"].map(|address| address.parse().unwrap());
    assert_eq!(distinct(vec![first, second, first, second]), [first, second]);
}

#[test]
fn an_address_that_is_taken_is_told() {
    run(async {
        let server = WebSocketServer::bind("127.0.0.1:0").await.unwrap();
        let place = format!("127.0.0.1:{}", server.port());
        let error = WebSocketServer::bind(&place).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&format!("cannot listen at {place}: ")), "{error}");
    });
}

#[test]
fn what_is_no_address_is_told_what_it_lacks() {
    for (place, lack) in [
        ("127.0.0.1", "no port; 0 is one of the system's choice"),
        ("", "no port; 0 is one of the system's choice"),
        ("localhost:http", "the port is not a number from 0 to 65535"),
        ("127.0.0.1:65536", "the port is not a number from 0 to 65535"),
        ("localhost:+80", "the port is not a number from 0 to 65535"),
        ("localhost:", "the port is not a number from 0 to 65535"),
        ("[::1]", "one colon stands between host and port, and an IPv6 address in brackets: [::1]:80"),
        ("::1", "one colon stands between host and port, and an IPv6 address in brackets: [::1]:80"),
        ("::1:8765", "one colon stands between host and port, and an IPv6 address in brackets: [::1]:80"),
        (
            "ws://localhost:8765",
            "one colon stands between host and port, and an IPv6 address in brackets: [::1]:80",
        ),
        (":8765", "no host; 0.0.0.0 is all of this machine, 127.0.0.1 this machine alone"),
    ] {
        let error = run(WebSocketServer::bind(place)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), format!("cannot listen at {place}: {lack}"));
    }
}

#[cfg(unix)]
#[test]
fn a_file_at_which_nobody_can_listen_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder");
    let error = run(WebSocketServer::bind_unix(&path)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with(&format!("cannot listen at {}: ", path.display())), "{error}");
}
