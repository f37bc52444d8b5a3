//! Heads that go out: names as RFC 6455 spells them, and nothing that could end a line early.

use crate::handshake::{request_head, serve_bytes, start, uri};
use wscope::proto::{AcceptConnection, HandshakeConfig, RejectConnection, Request};

#[test]
fn names_go_out_as_rfc_6455_spells_them() {
    let request =
        Request::to(&uri()).with_subprotocols(["a"]).unwrap().with_header("x-request-id", "1").unwrap();
    let (_, sent) = start(request, HandshakeConfig::new());
    let sent = String::from_utf8(sent).unwrap();
    let names: Vec<&str> =
        sent.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    let expected = ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"];
    assert_eq!(names[..5], expected);
    assert_eq!(names[5..], ["Sec-WebSocket-Protocol", "X-Request-Id"]);
}

#[test]
fn a_repeated_header_goes_out_as_often_as_it_was_added() {
    let accept = AcceptConnection::new();
    let accept = accept.with_header("Set-Cookie", "a=1").unwrap().with_header("Set-Cookie", "b=2").unwrap();
    let mut out = Vec::new();
    serve_bytes(&request_head().bytes()).unwrap().accept(accept, &mut out).unwrap();
    let sent = String::from_utf8(out).unwrap();
    assert!(sent.ends_with("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n"), "{sent}");
}

#[test] // RFC 9112 §4
fn a_status_without_a_phrase_keeps_its_space() {
    let mut out = Vec::new();
    let reject = RejectConnection::new(599).unwrap();
    assert!(serve_bytes(&request_head().bytes()).unwrap().reject(reject, &mut out).is_finished());
    assert!(out.starts_with(b"HTTP/1.1 599 \r\n"));
}
