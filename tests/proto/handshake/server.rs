//! The server's half.

use super::{ACCEPT, KEY, TOY, Toy, request_head, serve, serve_bytes};
use http::Request;
use wscope::proto::{
    AcceptConnection, AcceptErrorKind, HandshakeConfig, HeadError, HeaderError, ListError, RejectConnection,
    RejectData, RequestError, RequestReader,
};

fn error(head: &super::Head) -> Option<RequestError> {
    let from_bytes = serve_bytes(&head.bytes()).err();
    let (answered, out, _) = serve(HandshakeConfig::new(), [&head.bytes()[..]]);
    assert_eq!(answered.err(), from_bytes);
    match from_bytes {
        None => assert!(out.is_empty()),
        Some(error) => {
            let status = format!("HTTP/1.1 {} ", error.status().as_str());
            assert!(out.starts_with(status.as_bytes()), "{error:?}");
            assert!(out.ends_with(format!("\r\n\r\n{error}\n").as_bytes()), "{error:?}");
        }
    }
    from_bytes
}

#[test] // RFC 6455 §4.2.1
fn server_reads_a_request() {
    let head = request_head()
        .start("GET /chat?room=1 HTTP/1.1")
        .with("Origin", "http://example.com")
        .with("Sec-WebSocket-Protocol", "chat, superchat")
        .with("Sec-WebSocket-Protocol", "other")
        .with("Sec-WebSocket-Extensions", "x-a; b=1, x-c")
        .with("Sec-WebSocket-Extensions", "x-d");
    let handshake = serve_bytes(&head.bytes()).unwrap();
    let request = handshake.request();
    assert_eq!(request.host(), "server.example.com");
    assert_eq!(
        (request.target(), request.path(), request.query()),
        ("/chat?room=1", "/chat", Some("room=1"))
    );
    assert_eq!(request.subprotocols(), ["chat", "superchat", "other"]);
    assert_eq!(request.extensions(), super::items(&["x-a; b=1", "x-c", "x-d"]));
    assert_eq!(request.headers()["origin"], "http://example.com");
    assert_eq!(request.headers()["host"], "server.example.com");
}

#[test] // RFC 6455 §4.2.1; RFC 9110 §5.3, §7.6.1, §7.8
fn server_takes_upgrade_and_connection_as_lists_in_any_case() {
    for (name, values) in [
        ("Upgrade", &["WebSocket"][..]),
        ("Upgrade", &["h2c, websocket"]),
        ("Upgrade", &["h2c", "WEBSOCKET"]),
        ("Upgrade", &[",, websocket ,"]),
        ("Connection", &["keep-alive, UPGRADE"]),
        ("Connection", &["keep-alive", "upgrade"]),
        ("Connection", &["\tupgrade , close"]),
    ] {
        assert_eq!(error(&request_head().only(name, values)), None, "{name}: {values:?}");
    }
}

#[test]
fn server_refuses_each_fault_with_its_error() {
    let byte = |byte, at| ListError::UnexpectedByte { byte, at };
    let long_key = data_encoding::BASE64.encode(&[0; 17]);
    let longer_key = data_encoding::BASE64.encode(&[0; 18]);
    let cases: &[(&str, &[&str], RequestError)] = &[
        ("Host", &[], RequestError::HostCount { count: 0 }),
        ("Host", &["a", "a"], RequestError::HostCount { count: 2 }),
        ("Host", &["a", "b", "c"], RequestError::HostCount { count: 3 }),
        ("Host", &[""], RequestError::InvalidHost),
        ("Host", &["a b"], RequestError::InvalidHost),
        ("Host", &["a/b"], RequestError::InvalidHost),
        ("Host", &["user@a"], RequestError::InvalidHost),
        ("Host", &["a:99999"], RequestError::InvalidHost),
        ("Host", &["a:b"], RequestError::InvalidHost),
        ("Host", &["[::1"], RequestError::InvalidHost),
        ("Host", &["\u{e9}"], RequestError::InvalidHost),
        ("Upgrade", &[], RequestError::MissingUpgrade),
        ("Upgrade", &["h2c"], RequestError::MissingUpgrade),
        ("Upgrade", &["websockets"], RequestError::MissingUpgrade),
        ("Upgrade", &["web socket"], RequestError::MissingUpgrade),
        ("Upgrade", &["websocket/13"], RequestError::MissingUpgrade),
        ("Connection", &[], RequestError::MissingConnection),
        ("Connection", &["keep-alive"], RequestError::MissingConnection),
        ("Connection", &["upgraded"], RequestError::MissingConnection),
        ("Sec-WebSocket-Version", &[], RequestError::VersionCount { count: 0 }),
        ("Sec-WebSocket-Version", &["13", "13"], RequestError::VersionCount { count: 2 }),
        ("Sec-WebSocket-Version", &["8"], RequestError::UnsupportedVersion),
        ("Sec-WebSocket-Version", &["13, 8"], RequestError::UnsupportedVersion),
        ("Sec-WebSocket-Version", &["013"], RequestError::UnsupportedVersion),
        ("Sec-WebSocket-Version", &[""], RequestError::UnsupportedVersion),
        ("Sec-WebSocket-Key", &[], RequestError::KeyCount { count: 0 }),
        ("Sec-WebSocket-Key", &[KEY, KEY], RequestError::KeyCount { count: 2 }),
        ("Sec-WebSocket-Key", &[""], RequestError::InvalidKey),
        ("Sec-WebSocket-Key", &["short"], RequestError::InvalidKey),
        ("Sec-WebSocket-Key", &["dGhlIHNhbXBsZSBub25jZQ="], RequestError::InvalidKey),
        ("Sec-WebSocket-Key", &["dGhlIHNhbXBsZSBub25jZR=="], RequestError::InvalidKey),
        ("Sec-WebSocket-Key", &["dGhlIHNhbXBsZSBub25jZ!=="], RequestError::InvalidKey),
        ("Sec-WebSocket-Key", &["dGhlIHNhbXBsZSBub25jZQ==, a"], RequestError::InvalidKey),
        ("Sec-WebSocket-Key", &[&long_key], RequestError::InvalidKey),
        ("Sec-WebSocket-Key", &[&longer_key], RequestError::InvalidKey),
        ("Content-Length", &["1"], RequestError::Body),
        ("Content-Length", &["0", "5"], RequestError::Body),
        ("Content-Length", &["00"], RequestError::Body),
        ("Content-Length", &[""], RequestError::Body),
        ("Transfer-Encoding", &["chunked"], RequestError::Body),
        ("Transfer-Encoding", &["identity"], RequestError::Body),
        ("Sec-WebSocket-Protocol", &[""], RequestError::Subprotocols(ListError::Empty)),
        (
            "Sec-WebSocket-Protocol",
            &["a, , b,a"],
            RequestError::Subprotocols(ListError::Repeated { index: 2 }),
        ),
        ("Sec-WebSocket-Protocol", &["a b"], RequestError::Subprotocols(byte(b'b', 2))),
        ("Sec-WebSocket-Extensions", &[""], RequestError::Extensions(ListError::Empty)),
        ("Sec-WebSocket-Extensions", &["a;"], RequestError::Extensions(ListError::UnexpectedEnd { at: 2 })),
        ("Sec-WebSocket-Extensions", &["a; b=\"c,d\""], RequestError::Extensions(byte(b',', 7))),
    ];
    for (name, values, expected) in cases {
        assert_eq!(error(&request_head().only(name, values)), Some(*expected), "{name}: {values:?}");
    }
    assert_eq!(error(&request_head().only("Content-Length", &["0"])), None);
}

#[test] // RFC 6455 §4.1; RFC 9112 §3.2
fn server_judges_method_version_and_target() {
    let target = RequestError::Head(HeadError::Target);
    for (line, expected) in [
        ("POST /chat HTTP/1.1", Some(RequestError::Method)),
        ("get /chat HTTP/1.1", Some(RequestError::Method)),
        ("OPTIONS * HTTP/1.1", Some(RequestError::Method)),
        ("CONNECT h:80 HTTP/1.1", Some(RequestError::Method)),
        ("GET /chat HTTP/1.0", Some(RequestError::Head(HeadError::HttpVersion))),
        ("PRI * HTTP/2.0", Some(RequestError::Head(HeadError::HttpVersion))),
        ("GET * HTTP/1.1", Some(target)),
        ("GET h:80 HTTP/1.1", Some(target)),
        ("GET chat HTTP/1.1", Some(target)),
        ("GET /a#b HTTP/1.1", Some(target)),
        ("GET /\u{e9} HTTP/1.1", Some(target)),
        ("GET ftp://h/ HTTP/1.1", Some(target)),
        ("GET http:// HTTP/1.1", Some(target)),
        ("GET http://h/a#b HTTP/1.1", Some(target)),
        ("GET http://user@h/ HTTP/1.1", Some(RequestError::InvalidHost)),
        ("GET http://h:99999/ HTTP/1.1", Some(RequestError::InvalidHost)),
        ("GET //a//b?c HTTP/1.1", None),
    ] {
        assert_eq!(error(&request_head().start(line)), expected, "{line}");
    }
}

#[test] // RFC 9112 §3.2.2
fn server_takes_host_path_and_query_of_an_absolute_target() {
    for (line, host, target) in [
        ("GET http://a.example/x?y=z HTTP/1.1", "a.example", "/x?y=z"),
        ("GET https://a.example:8443 HTTP/1.1", "a.example:8443", "/"),
        ("GET ws://a.example?y HTTP/1.1", "a.example", "/?y"),
        ("GET WSS://a.example/x HTTP/1.1", "a.example", "/x"),
        ("GET /x?y HTTP/1.1", "server.example.com", "/x?y"),
        ("GET //x/y HTTP/1.1", "server.example.com", "//x/y"),
    ] {
        let handshake = serve_bytes(&request_head().start(line).bytes()).unwrap();
        assert_eq!((handshake.request().host(), handshake.request().target()), (host, target), "{line}");
    }
}

#[test] // RFC 6455 §1.3, §4.2.2
fn server_accepts_with_exactly_these_bytes() {
    let mut out = b"before ".to_vec();
    let agreement =
        serve_bytes(&request_head().bytes()).unwrap().accept(AcceptConnection::new(), &mut out).unwrap();
    assert!(agreement.subprotocol.is_none() && agreement.extension.is_none());
    let expected = format!(
        "before HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test] // RFC 6455 §4.2.2
fn server_accepts_with_subprotocol_extension_and_headers() {
    let head = request_head()
        .with("Sec-WebSocket-Protocol", "a, b")
        .with("Sec-WebSocket-Extensions", "x-toy; no, x-toy");
    let accept = AcceptConnection::new()
        .with_subprotocol("b")
        .with_extension(Toy { answer: "x-toy; yes=1", ..TOY }.arc())
        .with_header("X-Server", "1")
        .unwrap();
    let (response, agreement) = serve_bytes(&head.bytes()).unwrap().accept_response(accept).unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["sec-websocket-protocol"], "b");
    assert_eq!(response.headers()["sec-websocket-extensions"], "x-toy; yes=1");
    assert_eq!(response.headers()["x-server"], "1");
    assert_eq!(agreement.subprotocol.as_deref(), Some("b"));
    assert!(agreement.extension.is_some());
}

#[test] // RFC 6455 §9.1
fn server_goes_on_without_an_extension_that_was_not_offered_or_is_declined() {
    for offers in [&[][..], &["other"], &["x-toy; no"]] {
        let head = request_head().only("Sec-WebSocket-Extensions", offers);
        let accept = AcceptConnection::new().with_extension(TOY.arc());
        let (response, agreement) = serve_bytes(&head.bytes()).unwrap().accept_response(accept).unwrap();
        assert!(!response.headers().contains_key("sec-websocket-extensions"), "{offers:?}");
        assert!(agreement.extension.is_none(), "{offers:?}");
    }
}

#[test] // RFC 6455 §4.2.2
fn server_cannot_pick_a_subprotocol_that_was_not_offered_and_may_try_again() {
    let head = request_head().with("Sec-WebSocket-Protocol", "a, b");
    let handshake = serve_bytes(&head.bytes()).unwrap();
    let mut out = Vec::new();
    let error = handshake.accept(AcceptConnection::new().with_subprotocol("A"), &mut out).unwrap_err();
    assert_eq!(error.kind, AcceptErrorKind::SubprotocolNotOffered { subprotocol: "A".into() });
    assert_eq!(
        error.to_string(),
        r#"handshake not accepted: subprotocol "A" was not offered by the client (RFC 6455 §4.2.2)"#
    );
    assert!(out.is_empty());
    error.handshake.accept(AcceptConnection::new().with_subprotocol("a"), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("Sec-WebSocket-Protocol: a\r\n"));
}

#[test]
fn server_rejects_at_once() {
    let reject = |reject| {
        let mut out = Vec::new();
        let mut rejection = serve_bytes(&request_head().bytes()).unwrap().reject(reject, &mut out);
        assert!(rejection.is_finished());
        let before = out.len();
        let message = rejection.send(RejectData::last("x"), &mut out).unwrap_err().to_string();
        assert_eq!(
            (message.as_str(), out.len()),
            ("no data sent: the body of the refusal is complete", before)
        );
        String::from_utf8(out).unwrap()
    };
    let plain = RejectConnection::new(403).unwrap();
    assert_eq!(
        reject(plain.clone()),
        "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(
        reject(plain.with_header("Content-Type", "text/plain").unwrap().with_body("members only")),
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 12\r\n\r\nmembers only"
    );
}

#[test] // RFC 9110 §15.5.22
fn server_rejects_with_426_and_says_to_what() {
    let upgrade = |reject: RejectConnection| {
        let mut out = Vec::new();
        assert!(serve_bytes(&request_head().bytes()).unwrap().reject(reject, &mut out).is_finished());
        let answer = String::from_utf8(out).unwrap();
        let count = answer.matches("Upgrade: ").count();
        assert_eq!(answer.matches("Connection: close, Upgrade\r\n").count(), count, "{answer}"); // §7.8
        count
    };
    assert_eq!(upgrade(RejectConnection::new(426).unwrap()), 1);
    assert_eq!(upgrade(RejectConnection::new(426).unwrap().with_header("Upgrade", "h2c").unwrap()), 1);
    assert_eq!(upgrade(RejectConnection::new(403).unwrap()), 0);
}

#[test]
fn server_rejects_in_pieces_that_end_with_the_connection() {
    let mut out = Vec::new();
    let reject = RejectConnection::new(503).unwrap().with_body_to_follow();
    let mut rejection = serve_bytes(&request_head().bytes()).unwrap().reject(reject, &mut out);
    assert!(!rejection.is_finished());
    rejection.send(RejectData::more("try "), &mut out).unwrap();
    assert!(!rejection.is_finished());
    rejection.send(RejectData::last("later"), &mut out).unwrap();
    assert!(rejection.is_finished() && rejection.send(RejectData::last(""), &mut out).is_err());
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\ntry later"
    );
}

#[test]
fn server_judges_a_request_that_was_parsed_elsewhere_by_the_same_rules() {
    let request = || {
        Request::get("http://other.example/chat?x")
            .header("Host", "h")
            .header("Upgrade", "websocket")
            .header("Connection", "Upgrade")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", KEY)
            .header("Cookie", "id=s3cret")
    };
    let judge = |request: Request<()>| wscope::proto::ServerHandshake::from_parts(&request.into_parts().0);
    let handshake = judge(request().body(()).unwrap()).unwrap();
    assert_eq!((handshake.request().host(), handshake.request().target()), ("other.example", "/chat?x"));
    assert_eq!(handshake.request().headers()["cookie"], "id=s3cret");
    assert!(!format!("{handshake:?}").contains("s3cret"));
    let (response, _) = handshake.accept_response(AcceptConnection::new()).unwrap();
    assert_eq!(response.headers()["sec-websocket-accept"], ACCEPT);

    let version = RequestError::Head(HeadError::HttpVersion);
    let limit = HeaderError::MAX_HEADERS;
    let crowded = (0..limit).fold(request(), |request, n| request.header(format!("x-{n}"), "x"));
    for (request, error) in [
        (crowded, HeadError::TooManyHeaders { limit }.into()),
        (request().method("POST"), RequestError::Method),
        (request().version(http::Version::HTTP_2), version),
        (request().version(http::Version::HTTP_10), version),
        (request().header("Host", "h"), RequestError::HostCount { count: 2 }),
        (request().header("Transfer-Encoding", "chunked"), RequestError::Body),
        (request().uri("*"), RequestError::Head(HeadError::Target)),
        (request().uri("h:80"), RequestError::Head(HeadError::Target)),
        (request().uri("/gr\u{fc}n"), RequestError::Head(HeadError::Target)),
        (request().uri("/?gr\u{fc}n"), RequestError::Head(HeadError::Target)),
    ] {
        assert_eq!(judge(request.body(()).unwrap()).unwrap_err(), error);
    }
}

#[test]
fn server_keeps_its_first_fault_and_drops_what_comes_after() {
    let mut reader = RequestReader::new(HandshakeConfig::new());
    let mut out = Vec::new();
    let mut bytes = b"\x16\x03\x01 and more".to_vec();
    let mut input = &mut bytes[..];
    let first = reader.receive(&mut input, &mut out).unwrap_err();
    assert!(input.is_empty());
    let answer = out.clone();
    let mut bytes = request_head().bytes();
    let mut input = &mut bytes[..];
    assert_eq!(reader.receive(&mut input, &mut out).unwrap_err(), first);
    assert!(input.is_empty());
    assert_eq!(reader.receive_eof(&mut out).unwrap_err(), first);
    assert_eq!(reader.time_out(&mut out).unwrap_err(), first);
    assert_eq!(out, answer);
}

#[test]
fn server_leaves_everything_alone_once_the_request_is_complete() {
    let mut reader = RequestReader::new(HandshakeConfig::new());
    let mut out = Vec::new();
    let mut bytes = request_head().bytes();
    assert!(reader.receive(&mut &mut bytes[..], &mut out).unwrap().is_some());
    let mut bytes = request_head().bytes();
    let mut input = &mut bytes[..];
    assert!(reader.receive(&mut input, &mut out).unwrap().is_none());
    assert_eq!(input.to_vec(), request_head().bytes());
    assert_eq!((reader.receive_eof(&mut out), reader.time_out(&mut out)), (Ok(()), Ok(())));
    assert!(out.is_empty());
}

#[test]
fn server_tells_an_end_inside_the_head_from_one_before_it() {
    for (bytes, time_out, expected, status) in [
        ("", false, RequestError::UnexpectedEof { received: 0 }, None),
        ("GET", false, RequestError::UnexpectedEof { received: 3 }, Some("400 Bad Request")),
        ("", true, RequestError::TimedOut { received: 0 }, None),
        ("GET /", true, RequestError::TimedOut { received: 5 }, Some("408 Request Timeout")),
    ] {
        let mut reader = RequestReader::new(HandshakeConfig::new());
        let mut out = Vec::new();
        let mut bytes = bytes.as_bytes().to_vec();
        assert!(reader.receive(&mut &mut bytes[..], &mut out).unwrap().is_none());
        let end = if time_out { reader.time_out(&mut out) } else { reader.receive_eof(&mut out) };
        assert_eq!(end, Err(expected));
        let answer = String::from_utf8(out).unwrap();
        assert_eq!(answer.lines().next(), status.map(|status| format!("HTTP/1.1 {status}")).as_deref());
    }
}

#[test]
fn secrets_of_a_request_are_in_no_debug_and_no_error() {
    let head = request_head()
        .start("GET /?token=s3cret HTTP/1.1")
        .with("Authorization", "Bearer s3cret")
        .with("Proxy-Authorization", "s3cret")
        .with("Cookie", "id=s3cret");
    let shown = format!("{:?}", serve_bytes(&head.bytes()).unwrap());
    assert!(!shown.contains("s3cret") && shown.contains("server.example.com"), "{shown}");
    for broken in [
        head.clone().without("Upgrade"),
        head.clone().only("Host", &["s3cret@h"]),
        head.with("A", "s3cret\0"),
    ] {
        let (result, out, _) = serve(HandshakeConfig::new(), [&broken.bytes()[..]]);
        let error = result.unwrap_err();
        let shown = format!("{error} {error:?} {}", String::from_utf8(out).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
