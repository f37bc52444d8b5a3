//! Which web pages may connect.

use wscope::{
    Error, ServerConfig,
    websocket::{ClientConfig, HandshakeError, OriginPolicy},
};

use crate::support::{echo, url, with_server_of};

/// The status with which a request for `host` from `origins` is answered.
fn status(policy: OriginPolicy, host: Option<&str>, origins: &[&str]) -> u16 {
    with_server_of(ServerConfig::new().origin(policy), echo, async |server| {
        let host = host.map_or_else(|| format!("127.0.0.1:{}", server.port()), str::to_owned);
        let host = host.replace("PORT", &server.port().to_string());
        let mut stream = futures_stream(server.port());
        let mut request = format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        );
        for origin in origins {
            request += &format!("Origin: {}\r\n", origin.replace("HOST", &host));
        }
        request += "\r\n";
        Ok(wscope::blocking(move || {
            use std::io::{Read, Write};
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            String::from_utf8_lossy(&answer[9..]).parse().unwrap()
        })
        .await)
    })
}

fn futures_stream(port: u16) -> std::net::TcpStream {
    std::net::TcpStream::connect(("127.0.0.1", port)).unwrap()
}

#[test]
fn pages_of_the_same_host_and_programs_are_let_in_and_others_are_not() {
    let same_host = |host: &str, origins: &[&str]| status(OriginPolicy::SameHost, Some(host), origins);
    for (host, origins, expected) in [
        ("example.com", &[][..], 101),
        ("example.com", &["http://example.com"], 101),
        ("example.com", &["https://example.com"], 101), // behind a proxy that ends TLS
        ("example.com", &["https://EXAMPLE.com:443"], 101),
        ("example.com:443", &["https://example.com"], 101),
        ("example.com:8080", &["http://example.com:8080"], 101),
        ("[::1]:8080", &["http://[::1]:8080"], 101),
        ("example.com:8080", &["http://example.com"], 403),
        ("example.com", &["http://example.com:8080"], 403),
        ("example.com", &["http://evil.example"], 403),
        ("example.com", &["http://example.com.evil.example"], 403),
        ("example.com", &["http://evil.example/example.com"], 403),
        ("example.com", &["http://example.com@evil.example"], 403),
        ("example.com", &["null"], 403),
        ("example.com", &[""], 403),
        ("example.com", &["example.com"], 403),
        ("example.com", &["http://example.com", "http://evil.example"], 403),
    ] {
        assert_eq!(same_host(host, origins), expected, "host {host}, origin {origins:?}");
    }
}

#[test]
fn a_list_adds_to_the_same_host() {
    let list = || OriginPolicy::list(["https://app.example", "http://localhost:3000"]).unwrap();
    for (origin, expected) in [
        ("https://app.example", 101),
        ("https://app.example:443", 101),
        ("http://app.example", 403), // another scheme is another origin
        ("http://localhost:3000", 101),
        ("http://localhost", 403),
        ("http://HOST", 101),
        ("http://evil.example", 403),
    ] {
        assert_eq!(status(list(), None, &[origin]), expected, "{origin}");
    }
    assert_eq!(status(OriginPolicy::Any, None, &["http://evil.example"]), 101);
    for wrong in ["example.com", "https://", "https://a/b", ""] {
        assert!(OriginPolicy::list([wrong]).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_client_learns_of_the_refusal() {
    with_server_of(ServerConfig::new(), echo, async |server| {
        let to = ClientConfig::new(&url(&server, "/"))?.header("Origin", "https://evil.example")?;
        let refused = wscope::open_websocket(to, async |_ws| Ok::<(), Error>(())).await;
        let Err(Error::Handshake(HandshakeError::Rejected(rejected))) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(rejected.status, 403);
        Ok(())
    });
}
