//! The client's half.

use super::{KEY, TOY, Toy, judge, judge_bytes, response_head, start, uri};
use http::{HeaderMap, HeaderName, HeaderValue};
use wscope::proto::{
    ClientEvent, ClientHandshake, HandshakeConfig, HeadError, HeaderError, ListError, Request, ResponseError,
    SystemRandom,
};

/// A client that offers subprotocols `a` and `b` and the extension `x-toy`.
fn offering() -> ClientHandshake {
    let request = Request::to(&uri()).with_subprotocols(["a", "b"]).unwrap().with_extension(TOY.arc());
    start(request, HandshakeConfig::new()).0
}

fn error(head: &super::Head) -> Option<ResponseError> {
    judge(&mut offering(), [&head.bytes()[..]]).1
}

#[test] // RFC 6455 §4.1
fn client_asks_with_exactly_these_bytes() {
    let (_, sent) = start(Request::to(&uri()), HandshakeConfig::new());
    let expected = format!(
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    assert_eq!(String::from_utf8(sent).unwrap(), expected);
}

#[test] // RFC 6455 §4.1
fn client_asks_with_subprotocols_extensions_and_headers() {
    let request = Request::to(&"wss://ann:pw@h:8443/x?y".parse().unwrap())
        .with_subprotocols(["a", "b"])
        .unwrap()
        .with_extension(Toy { offers: &["x-toy; p=1", "x-toy"], ..TOY }.arc())
        .with_header("Origin", "https://h")
        .unwrap();
    let (client, sent) = start(request, HandshakeConfig::new());
    let sent = String::from_utf8(sent).unwrap();
    for line in [
        "GET /x?y HTTP/1.1",
        "Host: h:8443",
        "Sec-WebSocket-Protocol: a, b",
        "Sec-WebSocket-Extensions: x-toy; p=1, x-toy",
        "Origin: https://h",
        "Authorization: Basic YW5uOnB3",
    ] {
        assert_eq!(sent.lines().filter(|sent| *sent == line).count(), 1, "{line} in {sent}");
    }
    assert_eq!(client.request().path(), "/x");
}

#[test]
fn client_sends_no_empty_offer() {
    let request = Request::to(&uri()).with_extension(Toy { offers: &[], ..TOY }.arc());
    let (mut client, sent) = start(request, HandshakeConfig::new());
    assert!(!String::from_utf8(sent).unwrap().contains("Extensions"));
    let head = response_head().with("Sec-WebSocket-Extensions", "x-toy");
    let not_offered = ResponseError::ExtensionNotOffered { name: "x-toy".into() };
    assert_eq!(judge(&mut client, [&head.bytes()[..]]).1, Some(not_offered));
}

#[test] // RFC 6455 §4.1: a nonce "selected randomly for each connection"
fn client_draws_a_new_nonce_for_each_handshake() {
    let key = || {
        let mut out = Vec::new();
        let config = HandshakeConfig::new();
        let _ = ClientHandshake::start(Request::to(&uri()), config, &mut SystemRandom::new(), &mut out);
        let sent = String::from_utf8(out).unwrap();
        let key = sent.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap().to_owned();
        assert_eq!(data_encoding::BASE64.decode(key.as_bytes()).unwrap().len(), 16);
        key
    };
    assert_ne!(key(), key());
}

#[test] // RFC 6455 §4.1
fn client_accepts_a_valid_answer() {
    let head = response_head()
        .only("Upgrade", &["WebSocket"])
        .only("Connection", &["keep-alive, UPGRADE"])
        .with("Sec-WebSocket-Protocol", "b")
        .with("Sec-WebSocket-Extensions", "x-toy; fine")
        .with("X-Server", "1");
    let bytes = [head.bytes(), b"\x81\x02hi".to_vec()].concat();
    let (events, error, rest) = judge(&mut offering(), [&bytes[..]]);
    assert_eq!((error, &rest[..]), (None, &b"\x81\x02hi"[..]));
    let [ClientEvent::AcceptConnection(accept, agreement)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((accept.subprotocol(), agreement.subprotocol.as_deref()), (Some("b"), Some("b")));
    assert_eq!(accept.extension().map(|extension| extension.name()), Some("x-toy"));
    assert!(agreement.extension.is_some());
    assert_eq!(accept.headers()["x-server"], "1");
    assert_eq!(accept.headers()["upgrade"], "WebSocket");
}

#[test]
fn client_accepts_an_answer_that_takes_nothing_of_the_offer() {
    let (events, error, _) = judge(&mut offering(), [&response_head().bytes()[..]]);
    let [ClientEvent::AcceptConnection(accept, agreement)] = &events[..] else { panic!("{error:?}") };
    assert!(accept.subprotocol().is_none() && accept.extension().is_none());
    assert!(agreement.subprotocol.is_none() && agreement.extension.is_none());
}

#[test] // RFC 6455 §4.1
fn client_refuses_each_fault_with_its_error() {
    let accept = response_head().bytes();
    let accept = String::from_utf8(accept).unwrap();
    let accept = accept.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Accept: ")).unwrap();
    let not_offered = |text: &str| ResponseError::SubprotocolNotOffered { subprotocol: text.into() };
    let foreign = |name: &str| ResponseError::ExtensionNotOffered { name: name.into() };
    let long = "x".repeat(100);
    let cases: &[(&str, &[&str], ResponseError)] = &[
        ("Upgrade", &[], ResponseError::MissingUpgrade),
        ("Upgrade", &["h2c"], ResponseError::MissingUpgrade),
        ("Upgrade", &["websockets"], ResponseError::MissingUpgrade),
        ("Connection", &[], ResponseError::MissingConnection),
        ("Connection", &["close"], ResponseError::MissingConnection),
        ("Sec-WebSocket-Accept", &[], ResponseError::AcceptCount { count: 0 }),
        ("Sec-WebSocket-Accept", &[accept, accept], ResponseError::AcceptCount { count: 2 }),
        ("Sec-WebSocket-Accept", &[""], ResponseError::WrongAccept),
        ("Sec-WebSocket-Accept", &["bad token"], ResponseError::WrongAccept),
        ("Sec-WebSocket-Accept", &[&accept.to_lowercase()], ResponseError::WrongAccept),
        ("Sec-WebSocket-Accept", &[KEY], ResponseError::WrongAccept),
        ("Sec-WebSocket-Protocol", &[""], not_offered("")),
        ("Sec-WebSocket-Protocol", &["c"], not_offered("c")),
        ("Sec-WebSocket-Protocol", &["A"], not_offered("A")),
        ("Sec-WebSocket-Protocol", &["a, b"], not_offered("a, b")),
        ("Sec-WebSocket-Protocol", &[&long], not_offered(&long[..64])),
        ("Sec-WebSocket-Protocol", &["a", "a"], ResponseError::SubprotocolCount { count: 2 }),
        ("Sec-WebSocket-Extensions", &[""], ResponseError::Extensions(ListError::Empty)),
        (
            "Sec-WebSocket-Extensions",
            &["x-toy;"],
            ResponseError::Extensions(ListError::UnexpectedEnd { at: 6 }),
        ),
        ("Sec-WebSocket-Extensions", &["permessage-deflate"], foreign("permessage-deflate")),
        ("Sec-WebSocket-Extensions", &["x-toy, other"], foreign("other")),
        (
            "Sec-WebSocket-Extensions",
            &["x-toy", "x-toy"],
            ResponseError::ExtensionRepeated { name: "x-toy".into() },
        ),
        (
            "Sec-WebSocket-Extensions",
            &["x-toy; bad"],
            ResponseError::ExtensionRefused { answer: "x-toy; bad".into() },
        ),
    ];
    for (name, values, expected) in cases {
        assert_eq!(error(&response_head().only(name, values)).as_ref(), Some(expected), "{name}: {values:?}");
    }
}

#[test]
fn client_that_offered_nothing_takes_nothing() {
    let head = response_head().with("Sec-WebSocket-Protocol", "a");
    let (_, error, _) = judge_bytes(&head.bytes());
    assert_eq!(error, Some(ResponseError::SubprotocolNotOffered { subprotocol: "a".into() }));
    let head = response_head().with("Sec-WebSocket-Extensions", "x-toy");
    let (_, error, _) = judge_bytes(&head.bytes());
    assert_eq!(error, Some(ResponseError::ExtensionNotOffered { name: "x-toy".into() }));
}

#[test] // RFC 6455 §4.1: HTTP/1.1 or nothing
fn client_refuses_a_101_in_another_version_but_takes_a_refusal_in_http_1_0() {
    let head = response_head().start("HTTP/1.0 101 Switching Protocols");
    assert_eq!(error(&head), Some(ResponseError::Head(HeadError::HttpVersion)));
    let (events, error, _) = judge_bytes(b"HTTP/1.0 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(&events[..], [ClientEvent::RejectConnection(_)]) && error.is_none());
}

#[test] // RFC 9110 §15.2
fn client_skips_interim_answers() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nUpgrade: y\r\n\r\n";
    let (events, error, _) = judge_bytes(&[&interim[..], &response_head().bytes()].concat());
    assert!(
        matches!(&events[..], [ClientEvent::AcceptConnection(accept, _)] if !accept.headers().contains_key("link"))
    );
    assert_eq!(error, None);
    let (events, _, _) = judge_bytes(&[&interim[..], b"HTTP/1.1 403 x\r\n"].concat());
    assert!(events.is_empty());
}

#[test]
fn client_counts_interim_answers_into_the_limit_of_the_head() {
    let interim = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(1000);
    let (events, error, _) = judge_bytes(&interim);
    let limit = HandshakeConfig::MAX_HEAD;
    assert_eq!((events.len(), error), (0, Some(ResponseError::Head(HeadError::HeadTooLong { limit }))));
}

#[test]
fn client_is_told_of_a_refusal_with_status_headers_and_body() {
    for status in [200_u16, 301, 400, 401, 403, 404, 426, 500, 503, 999] {
        let bytes = format!("HTTP/1.1 {status} x\r\nRetry-After: 1\r\nSet-Cookie: a=s3cret\r\n\r\nbody");
        let mut client = offering();
        let (events, error, _) = judge(&mut client, [bytes.as_bytes()]);
        let [ClientEvent::RejectConnection(reject), ClientEvent::RejectData(data)] = &events[..] else {
            panic!("{events:?} {error:?}")
        };
        assert_eq!((reject.status().as_u16(), reject.has_body()), (status, true));
        assert_eq!(reject.headers()["retry-after"], "1");
        assert!(!format!("{events:?}").contains("s3cret"));
        assert_eq!((&data.data()[..], data.is_finished()), (&b"body"[..], false));
        let Ok(Some(ClientEvent::RejectData(last))) = client.receive_eof() else { panic!() };
        assert!(last.data().is_empty() && last.is_finished() && !last.is_truncated());
        assert!(client.receive_eof().unwrap().is_none());
    }
}

#[test]
fn client_gives_one_event_a_call() {
    let mut client = offering();
    let mut bytes = b"HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno and more".to_vec();
    let mut input = &mut bytes[..];
    assert!(matches!(client.receive(&mut input), Ok(Some(ClientEvent::RejectConnection(_)))));
    assert_eq!(input, b"no and more");
    assert!(matches!(client.receive(&mut input), Ok(Some(ClientEvent::RejectData(_)))));
    assert!(input.is_empty());
    let mut more = b"more".to_vec();
    let mut input = &mut more[..];
    assert!(matches!(client.receive(&mut input), Ok(None)));
    assert!(input.is_empty());
}

#[test]
fn client_leaves_frames_alone_once_the_server_has_accepted() {
    let mut client = offering();
    assert_eq!(judge(&mut client, [&response_head().bytes()[..]]).0.len(), 1);
    let mut frames = b"\x81\x02hi".to_vec();
    let mut input = &mut frames[..];
    assert!(matches!(client.receive(&mut input), Ok(None)));
    assert_eq!(input, b"\x81\x02hi");
    assert!(client.receive_eof().unwrap().is_none());
}

#[test]
fn client_tells_an_end_before_the_answer() {
    for (bytes, received) in [("", 0), ("HTTP/1.1 1", 10), ("HTTP/1.1 100 Continue\r\n\r\nHTTP", 29)] {
        let mut client = offering();
        assert!(judge(&mut client, [bytes.as_bytes()]).0.is_empty());
        let eof = ResponseError::UnexpectedEof { received };
        assert_eq!(client.receive_eof().unwrap_err(), eof);
        assert_eq!(client.receive_eof().unwrap_err(), eof);
        let (_, error, _) = judge(&mut client, [&response_head().bytes()[..]]);
        assert_eq!(error, Some(eof));
    }
}

#[test]
fn client_keeps_its_first_fault_and_drops_what_comes_after() {
    let mut client = offering();
    let mut bytes = b"SSH-2.0-OpenSSH\r\n".to_vec();
    let mut input = &mut bytes[..];
    let first = client.receive(&mut input).unwrap_err();
    assert_eq!(first, ResponseError::Head(HeadError::NotHttp { byte: b'S' }));
    assert!(input.is_empty());
    let mut bytes = response_head().bytes();
    let mut input = &mut bytes[..];
    assert_eq!(client.receive(&mut input).unwrap_err(), first);
    assert!(input.is_empty());
    assert_eq!(client.receive_eof().unwrap_err(), first);
}

#[test]
fn secrets_of_a_client_are_in_no_debug_and_no_error() {
    let uri = "ws://ann:s3cret@h/?token=s3cret".parse().unwrap();
    let (mut client, _) = start(Request::to(&uri), HandshakeConfig::new());
    let (_, error, _) = judge(&mut client, [&b"HTTP/1.1 101 x\r\nSet-Cookie: s3cret\r\n\r\n"[..]]);
    let shown = format!("{client:?} {error:?} {}", error.as_ref().unwrap());
    assert!(!shown.contains("s3cret") && !shown.contains("czNjcmV0"), "{shown}");
}

#[test]
fn client_hands_over_all_headers_of_an_answer() {
    let (events, ..) = judge_bytes(&response_head().with("A", "1").with("a", "2").bytes());
    let [ClientEvent::AcceptConnection(accept, _)] = &events[..] else { panic!() };
    let headers: &HeaderMap = accept.headers();
    assert!(headers.get_all("a").iter().eq(["1", "2"]));
}

#[test]
fn an_answer_parsed_elsewhere_is_judged_alike() {
    let name = |n: usize| HeaderName::try_from(format!("x-{n}")).unwrap();
    let (headers, handshake) =
        ClientHandshake::start_elsewhere(Request::to(&uri()), &mut SystemRandom::new());
    let key = headers["sec-websocket-key"].as_bytes();
    let answer_with = |more, status: u16, version| {
        let mut parts = http::Response::builder()
            .status(status)
            .version(version)
            .header("Upgrade", "websocket")
            .header("Connection", "upgrade")
            .header("Sec-WebSocket-Accept", tungstenite::handshake::derive_accept_key(key));
        parts.headers_mut().unwrap().extend((0..more).map(|n| (name(n), HeaderValue::from(n))));
        let (parts, ()) = parts.body(()).unwrap().into_parts();
        handshake.accept_parts(&parts)
    };
    let answer = |status, version| answer_with(0, status, version);
    let limit = HeaderError::MAX_HEADERS;
    assert!(answer_with(limit - 3, 101, http::Version::HTTP_11).is_ok());
    let crowded = answer_with(limit - 2, 101, http::Version::HTTP_11).unwrap_err();
    assert_eq!(crowded, HeadError::TooManyHeaders { limit }.into());
    assert!(answer(101, http::Version::HTTP_11).is_ok());
    assert_eq!(answer(200, http::Version::HTTP_11).unwrap_err(), ResponseError::Status { status: 200 });
    assert_eq!(answer(101, http::Version::HTTP_10).unwrap_err(), HeadError::HttpVersion.into());
}
