//! What a server answers, as it is built.

use super::TOY;
use http::StatusCode;
use wscope::proto::{AcceptConnection, HeaderError, RejectConnection, RejectData};

const INJECTIONS: [&[u8]; 6] = [b"a\r\nEvil: yes", b"a\nb", b"a\rb", b"a\0b", b"\x7f", b"\x1b[2J"];

#[test] // the request has tests of its own
fn answers_cannot_hold_line_breaks_or_control_characters() {
    for value in INJECTIONS {
        let error = AcceptConnection::new().with_header("x-a", value).unwrap_err();
        assert!(matches!(&error, HeaderError::InvalidValue { name } if name == "x-a"), "{error:?}");
        let error = RejectConnection::new(403).unwrap().with_header("x-a", value).unwrap_err();
        assert!(matches!(&error, HeaderError::InvalidValue { name } if name == "x-a"), "{error:?}");
        assert_eq!(AcceptConnection::new().with_header(value, "a").unwrap_err(), HeaderError::InvalidName);
        let reject = RejectConnection::new(403).unwrap();
        assert_eq!(reject.with_header(value, "a").unwrap_err(), HeaderError::InvalidName);
    }
}

#[test]
fn answers_refuse_headers_that_the_handshake_writes() {
    for name in [
        "Connection",
        "upgrade",
        "Sec-WebSocket-Accept",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
        "sec-websocket-version",
        "content-length",
        "transfer-encoding",
    ] {
        let error = AcceptConnection::new().with_header(name, "x").unwrap_err();
        assert!(matches!(error, HeaderError::Reserved { .. }), "{name}");
    }
    for name in
        ["Connection", "content-length", "transfer-encoding", "sec-websocket-accept", "sec-websocket-key"]
    {
        let error = RejectConnection::new(403).unwrap().with_header(name, "x").unwrap_err();
        assert!(matches!(error, HeaderError::Reserved { .. }), "{name}");
    }
}

#[test]
fn answers_bound_their_headers() {
    let limit = HeaderError::MAX_HEADERS;
    let mut accept = AcceptConnection::new();
    let mut reject = RejectConnection::new(403).unwrap();
    for count in 0..limit {
        accept = accept.with_header(format!("x-{count}"), "x").unwrap();
        reject = reject.with_header("x", "x").unwrap();
    }
    assert_eq!(accept.with_header("x", "x").unwrap_err(), HeaderError::TooMany { limit });
    assert_eq!(reject.with_header("x", "x").unwrap_err(), HeaderError::TooMany { limit });
}

#[test]
fn acceptance_says_what_was_put_into_it() {
    let accept = AcceptConnection::new().with_subprotocol("chat").with_extension(TOY.arc());
    assert_eq!(accept.subprotocol(), Some("chat"));
    assert_eq!(accept.extension().map(|extension| extension.name()), Some("x-toy"));
    assert!(accept.headers().is_empty() && accept.into_headers().is_empty());
    assert!(AcceptConnection::new().extension().is_none());
}

#[test] // RFC 9110 §15
fn refusal_has_the_status_of_a_final_response_that_may_have_a_body() {
    for status in 0..=u16::MAX {
        let valid = (200..=999).contains(&status) && ![204, 205, 304].contains(&status);
        match RejectConnection::new(status) {
            Ok(reject) => assert!(valid && reject.status().as_u16() == status, "{status}"),
            Err(error) => assert!(!valid && error.status == status, "{status}"),
        }
    }
    let message = RejectConnection::new(101).unwrap_err().to_string();
    assert_eq!(
        message,
        "status 101 cannot refuse a handshake: take one from 200 to 999, but for 204, 205 and 304 (RFC 9110 §15)"
    );
}

#[test]
fn refusal_says_whether_a_body_follows() {
    let reject = RejectConnection::new(404).unwrap();
    assert_eq!((reject.status(), reject.has_body()), (StatusCode::NOT_FOUND, false));
    assert!(!reject.clone().with_body("gone").has_body());
    assert!(reject.with_body_to_follow().with_header("a", "b").unwrap().has_body());
}

#[test]
fn pieces_of_a_body_know_whether_they_are_the_last() {
    let (more, last) = (RejectData::more("a"), RejectData::last(vec![1, 2]));
    assert_eq!((more.is_finished(), more.is_truncated(), &more.data()[..]), (false, false, &b"a"[..]));
    assert_eq!((last.is_finished(), last.is_truncated(), &last.into_data()[..]), (true, false, &[1, 2][..]));
}

#[test]
fn cookies_of_an_answer_are_not_printed() {
    let accept = AcceptConnection::new().with_header("Set-Cookie", "id=s3cret").unwrap();
    let reject = RejectConnection::new(403).unwrap().with_header("Set-Cookie", "id=s3cret").unwrap();
    let shown = format!("{accept:?} {reject:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn of_a_body_only_the_beginning_is_printed() {
    let body = "x".repeat(1 << 16);
    let reject = RejectConnection::new(403).unwrap().with_body(body.clone());
    for shown in [format!("{reject:?}"), format!("{:?}", RejectData::last(body))] {
        assert!(shown.len() < 300 && shown.contains("xxx") && shown.contains(".. 65536 bytes"), "{shown}");
    }
    let reject = RejectConnection::new(403).unwrap().with_body_to_follow();
    assert!(format!("{reject:?}").contains("Follows"));
}
