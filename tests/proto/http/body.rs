//! Bodies of refusals, as a client reads them.

use crate::handshake::{start, uri};
use proptest::prelude::*;
use wscope::proto::{ClientEvent, HandshakeConfig, Request};

/// What a body came to.
#[derive(Clone, Debug, PartialEq)]
struct Body {
    announced: bool,
    data: Vec<u8>,
    /// Whether the last piece came, and whether it says that the body was cut.
    finished: Option<bool>,
}

/// Feeds a refusal in pieces, and then the end of the connection if `eof`.
fn read<'a>(config: HandshakeConfig, pieces: impl IntoIterator<Item = &'a [u8]>, eof: bool) -> Body {
    let (mut client, _) = start(Request::to(&uri()), config);
    let mut body = Body { announced: false, data: Vec::new(), finished: None };
    let mut take = |event: ClientEvent| match event {
        ClientEvent::RejectConnection(reject) => body.announced = reject.has_body(),
        ClientEvent::RejectData(data) => {
            assert!(body.finished.is_none() && (data.is_finished() || !data.data().is_empty()));
            body.finished = data.is_finished().then(|| data.is_truncated());
            body.data.extend_from_slice(&data.into_data());
        }
        other => panic!("{other:?}"),
    };
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while let Some(event) = client.receive(&mut input).unwrap() {
            take(event);
        }
        assert!(input.is_empty());
    }
    if eof {
        client.receive_eof().unwrap().into_iter().for_each(&mut take);
        assert!(client.receive_eof().unwrap().is_none());
    }
    body
}

fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}").into_bytes()
}

const FORBIDDEN: &str = "403 Forbidden";

#[test] // RFC 9112 §6.3, §7.1
fn client_finds_the_end_of_a_body() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (status, headers, sent, data, finished_before_eof, finished) in [
        (FORBIDDEN, "Content-Length: 2\r\n", "no", "no", Some(false), Some(false)),
        (FORBIDDEN, "Content-Length: 2\r\n", "no, never", "no", Some(false), Some(false)),
        (FORBIDDEN, "Content-Length: 2\r\nContent-Length: 2\r\n", "no!", "no", Some(false), Some(false)),
        (FORBIDDEN, "Content-Length: 2, 2\r\n", "no!", "no", Some(false), Some(false)),
        (FORBIDDEN, "Content-Length: 5\r\n", "no", "no", None, Some(true)),
        (FORBIDDEN, "", "no", "no", None, Some(false)),
        (FORBIDDEN, "", "", "", None, Some(false)),
        (FORBIDDEN, "Content-Length: +2\r\n", "no!", "no!", None, Some(false)),
        (FORBIDDEN, "Content-Length: \r\n", "no!", "no!", None, Some(false)),
        (FORBIDDEN, "Content-Length: \u{e9}\r\n", "no!", "no!", None, Some(false)),
        (FORBIDDEN, "Content-Length: 99999999999999999999\r\n", "no!", "no!", None, Some(false)),
        (FORBIDDEN, "Content-Length: 2\r\nContent-Length: 3\r\n", "no!", "no!", None, Some(false)),
        (FORBIDDEN, "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n", "no!", "no!", None, Some(false)),
        (
            FORBIDDEN,
            "Transfer-Encoding: gzip, Chunked \r\n",
            "1\r\nx\r\n0\r\n\r\n",
            "x",
            Some(false),
            Some(false),
        ),
        (
            FORBIDDEN,
            chunked,
            "2\r\nno\r\n3;a=b\r\n!!!\r\n0\r\nA: b\r\n\r\n",
            "no!!!",
            Some(false),
            Some(false),
        ),
        (FORBIDDEN, chunked, "0\r\n", "", Some(false), Some(false)),
        (FORBIDDEN, chunked, "00A \r\n0123456789\r\n0\r\n", "0123456789", Some(false), Some(false)),
        (FORBIDDEN, chunked, "", "", None, Some(true)),
        (FORBIDDEN, chunked, "2", "", None, Some(true)),
        (FORBIDDEN, chunked, "2\r\nn", "n", None, Some(true)),
        (FORBIDDEN, chunked, "2\r\nno", "no", None, Some(true)),
        (FORBIDDEN, chunked, "2\r\nno\r", "no", None, Some(true)),
        (FORBIDDEN, chunked, "2\r\nnot", "no", Some(true), Some(true)),
        (FORBIDDEN, chunked, "2\r\nno\rx", "no", Some(true), Some(true)),
        (FORBIDDEN, chunked, "\r\n", "", Some(true), Some(true)),
        (FORBIDDEN, chunked, ";a\r\n", "", Some(true), Some(true)),
        (FORBIDDEN, chunked, "-1\r\n", "", Some(true), Some(true)),
        (FORBIDDEN, chunked, "2x\r\n", "", Some(true), Some(true)),
        (FORBIDDEN, chunked, "2\n", "", Some(true), Some(true)),
        (FORBIDDEN, chunked, "11111111111111111\r\n", "", Some(true), Some(true)),
        (FORBIDDEN, chunked, "ffffffffffffffff\r\nno", "no", None, Some(true)),
        ("200 OK", "Content-Length: 2\r\n", "no", "no", Some(false), Some(false)),
    ] {
        let bytes = response(status, headers, sent);
        let expected = |finished| Body { announced: true, data: data.as_bytes().to_vec(), finished };
        let case = format!("{headers:?} {sent:?}");
        assert_eq!(
            read(HandshakeConfig::new(), [&bytes[..]], false),
            expected(finished_before_eof),
            "{case}"
        );
        assert_eq!(read(HandshakeConfig::new(), [&bytes[..]], true), expected(finished), "{case}");
        assert_eq!(
            read(HandshakeConfig::new(), bytes.chunks(1), true),
            expected(finished),
            "{case} by bytes"
        );
    }
}

#[test] // RFC 9112 §6.3
fn client_sees_that_there_is_no_body() {
    for (status, headers) in [
        ("204 No Content", "Content-Length: 5\r\n"),
        ("304 Not Modified", "Transfer-Encoding: chunked\r\n"),
        (FORBIDDEN, "Content-Length: 0\r\n"),
    ] {
        let nothing = Body { announced: false, data: Vec::new(), finished: None };
        let bytes = response(status, headers, "dropped");
        assert_eq!(read(HandshakeConfig::new(), [&bytes[..]], true), nothing, "{status}");
    }
}

#[test]
fn client_keeps_a_body_of_exactly_the_limit_and_cuts_a_longer_one() {
    let limit = HandshakeConfig::MAX_REJECT_BODY;
    let body = "x".repeat(limit);
    let framings = [
        ("Content-Length", format!("{limit}"), body.clone()),
        ("X", "until the end".into(), body.clone()),
        ("Transfer-Encoding", "chunked".into(), format!("{limit:x}\r\n{body}\r\n0\r\n\r\n")),
    ];
    for (name, value, sent) in &framings {
        let bytes = response(FORBIDDEN, &format!("{name}: {value}\r\n"), sent);
        let read = read(HandshakeConfig::new(), bytes.chunks(1000), true);
        assert_eq!((read.data.len(), read.finished), (limit, Some(false)), "{name}");
    }
    for (headers, sent) in [
        (format!("Content-Length: {}\r\n", limit + 1), format!("{body}x")),
        (String::new(), format!("{body}x")),
        ("Transfer-Encoding: chunked\r\n".into(), format!("{:x}\r\n{body}x", limit + 1)),
        ("Transfer-Encoding: chunked\r\n".into(), "1\r\nx\r\n".repeat(limit + 1)),
    ] {
        let bytes = response(FORBIDDEN, &headers, &sent);
        let read = read(HandshakeConfig::new(), [&bytes[..]], false);
        assert_eq!((read.data.len(), read.finished), (limit, Some(true)), "{headers}");
    }
}

#[test]
fn client_gives_up_on_an_endless_chunk_size_line() {
    for (length, finished) in [(1024, None), (1025, Some(true))] {
        let line = format!("1;{}", "x".repeat(length - 2));
        let bytes = response(FORBIDDEN, "Transfer-Encoding: chunked\r\n", &line);
        assert_eq!(read(HandshakeConfig::new(), [&bytes[..]], false).finished, finished);
    }
}

#[test]
fn client_may_want_no_body_at_all() {
    let config = HandshakeConfig::new().max_reject_body(0);
    let bytes = response(FORBIDDEN, "Content-Length: 2\r\n", "no");
    let expected = Body { announced: true, data: Vec::new(), finished: Some(true) };
    assert_eq!(read(config, [&bytes[..]], false), expected);
}

proptest! {
    #[test]
    fn any_body_is_bounded_and_the_same_in_any_cut(
        framing in prop::sample::select(vec!["Transfer-Encoding: chunked\r\n", "Content-Length: 20\r\n", ""]),
        body in prop::collection::vec(prop::sample::select(b"0123f;x\r\n".to_vec()), 0..60),
        size in 1_usize..20,
    ) {
        let config = HandshakeConfig::new().max_reject_body(16);
        let bytes = [response(FORBIDDEN, framing, ""), body].concat();
        let whole = read(config, [&bytes[..]], true);
        prop_assert!(whole.data.len() <= 16 && whole.finished.is_some());
        prop_assert_eq!(read(config, bytes.chunks(size), true), whole);
    }
}
