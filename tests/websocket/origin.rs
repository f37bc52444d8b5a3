//! Which web pages may connect.

use wscope::{
    Error, ServerConfig,
    websocket::{ClientConfig, HandshakeError, OriginPolicy},
};

use crate::{
    sockets::{Socket, status},
    support::{REQUEST, echo, url, with_server_of},
};

#[test]
fn each_origin_policy_lets_in_whom_it_names() {
    let list = OriginPolicy::list(["https://app.example.com", "http://other.example.com:8080"]).unwrap();
    let policies = [OriginPolicy::SameHost, list, OriginPolicy::Any];
    // Host, then the Origin headers, then the answer of each of the three policies.
    let table: &[(&str, &[&str], [u16; 3])] = &[
        ("example.com", &[], [101, 101, 101]),
        ("example.com", &["http://example.com"], [101, 101, 101]),
        ("example.com", &["https://example.com"], [101, 101, 101]), // behind a proxy that ends TLS
        ("example.com", &["https://EXAMPLE.com"], [101, 101, 101]),
        ("example.com", &["https://EXAMPLE.com:443"], [101, 101, 101]),
        ("example.com:80", &["http://example.com"], [101, 101, 101]),
        ("example.com:443", &["https://example.com"], [101, 101, 101]),
        ("example.com", &["http://example.com:80"], [101, 101, 101]),
        ("example.com:8000", &["http://example.com:8000"], [101, 101, 101]),
        ("[::1]:8000", &["http://[::1]:8000"], [101, 101, 101]),
        ("[::1]", &["http://[::1]"], [101, 101, 101]),
        ("example.com:8000", &["http://example.com"], [403, 403, 101]),
        ("example.com", &["http://example.com:8000"], [403, 403, 101]),
        ("example.com", &["http://evil.example.com"], [403, 403, 101]),
        ("example.com", &["http://example.com.evil.com"], [403, 403, 101]),
        ("example.com", &["http://notexample.com"], [403, 403, 101]),
        ("example.com", &["http://example.com@evil.com"], [403, 403, 101]),
        ("example.com", &["http://evil.com/example.com"], [403, 403, 101]),
        ("example.com", &["null"], [403, 403, 101]),
        ("example.com", &[""], [403, 403, 101]),
        ("example.com", &["example.com"], [403, 403, 101]),
        ("example.com", &["file://"], [403, 403, 101]),
        ("example.com", &["http://example.com", "http://example.com"], [403, 403, 101]),
        ("example.com", &["http://example.com", "http://evil.com"], [403, 403, 101]),
        ("example.com", &["https://app.example.com"], [403, 101, 101]),
        ("example.com", &["https://APP.example.com:443"], [403, 101, 101]),
        ("example.com", &["http://app.example.com"], [403, 403, 101]), // another scheme is another origin
        ("example.com", &["http://other.example.com:8080"], [403, 101, 101]),
        ("example.com", &["http://other.example.com"], [403, 403, 101]),
    ];
    for (column, policy) in policies.into_iter().enumerate() {
        with_server_of(ServerConfig::new().origin(policy.clone()), echo, async |server| {
            for (host, origins, answers) in table {
                let origins: String = origins.iter().map(|origin| format!("Origin: {origin}\r\n")).collect();
                let request = REQUEST.replace("Host: example.com\r\n", &format!("Host: {host}\r\n{origins}"));
                let mut socket = Socket::to(server.port()).await;
                socket.send(request).await;
                let answered = status(&socket.head().await);
                assert_eq!(answered, Some(answers[column]), "{policy:?}, Host: {host}, {origins}");
            }
            Ok(())
        });
    }
}

#[test]
fn what_is_no_origin_cannot_be_listed() {
    for text in [
        "",
        "example.com",
        "https://",
        "https://example.com/",
        "https://a/b",
        "https://a@b",
        "https://example.com:x",
    ] {
        assert!(OriginPolicy::list([text]).is_err(), "{text}");
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
