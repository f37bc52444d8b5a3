//! Message heads, read by a server (requests) and by a client (responses).

use crate::handshake::{Head, judge, request_head, response_head, serve, start, uri};
use proptest::prelude::*;
use std::fmt::Debug;
use wscope::proto::{HandshakeConfig, HeadError, Request, RequestError, RequestReader, ResponseError};

/// What either side makes of a head, in a form that can be compared.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    result: String,
    fault: Option<HeadError>,
    rest: Vec<u8>,
}

fn read<'a>(server: bool, config: HandshakeConfig, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    if server {
        let (result, out, rest) = serve(config, pieces);
        let fault = match &result {
            Err(RequestError::Head(error)) => Some(*error),
            Err(_) | Ok(_) => None,
        };
        Outcome { result: format!("{result:?} {}", String::from_utf8_lossy(&out)), fault, rest }
    } else {
        let (events, error, rest) = judge(&mut start(Request::to(&uri()), config).0, pieces);
        let fault = match &error {
            Some(ResponseError::Head(error)) => Some(*error),
            Some(_) | None => None,
        };
        Outcome { result: format!("{events:?} {error:?}"), fault, rest }
    }
}

fn fault(server: bool, config: HandshakeConfig, bytes: &[u8]) -> Option<HeadError> {
    read(server, config, [bytes]).fault
}

fn valid(server: bool) -> Head {
    if server { request_head() } else { response_head() }
}

/// A start line and its end.
fn start_line(server: bool) -> &'static [u8] {
    if server { b"GET /chat HTTP/1.1\r\n" } else { b"HTTP/1.1 101 Switching Protocols\r\n" }
}

const BOTH: [bool; 2] = [true, false];

#[test] // RFC 9112 §2.2, §5; RFC 9110 §5.5
fn both_sides_refuse_malformed_header_lines_at_the_byte_that_breaks_them() {
    let name = |byte| HeadError::InvalidName { byte };
    let control = |byte| HeadError::Control { byte };
    let cases: &[(&[u8], HeadError)] = &[
        (b" folded", HeadError::FoldedLine),
        (b"\tfolded", HeadError::FoldedLine),
        (b"a: b\r\n c", HeadError::FoldedLine),
        (b"a : b", HeadError::SpaceBeforeColon),
        (b"a\t: b", HeadError::SpaceBeforeColon),
        (b"a b: c", HeadError::SpaceBeforeColon),
        (b": b", name(b':')),
        (b"a\r", name(b'\r')),
        (b"a(b): c", name(b'(')),
        (b"a\0b: c", name(0)),
        (b"\xc3\xa9: c", name(0xc3)),
        (b"\0", name(0)),
        (b"a: b\n", HeadError::BareLf),
        (b"a\n", HeadError::BareLf),
        (b"\n", HeadError::BareLf),
        (b"a: b\rc", HeadError::BareCr),
        (b"a: b\r\r", HeadError::BareCr),
        (b"\rx", HeadError::BareCr),
        (b"\r\r", HeadError::BareCr),
        (b"a: b\0", control(0)),
        (b"a: \x08", control(8)),
        (b"a: \x0b", control(0x0b)),
        (b"a: \x0c", control(0x0c)),
        (b"a: \x1f", control(0x1f)),
        (b"a: \x7f", control(0x7f)),
    ];
    for server in BOTH {
        for (lines, error) in cases {
            let bytes = [start_line(server), lines].concat();
            assert_eq!(fault(server, HandshakeConfig::new(), &bytes), Some(*error), "{server} {lines:?}");
            if !matches!(lines, [b'a', b' ' | b'\t', ..] | [b':' | 0xc3, ..] | [b' ' | b'\t', ..])
                && *lines != b"a(b): c"
                && *lines != b"a\0b: c"
                && *lines != b"a: b\r\n c"
            {
                let before = &bytes[..bytes.len() - 1];
                assert_eq!(
                    fault(server, HandshakeConfig::new(), before),
                    None,
                    "{server} {lines:?} too early"
                );
            }
        }
    }
}

#[test] // RFC 9110 §5.5
fn both_sides_take_values_with_tabs_and_bytes_beyond_ascii() {
    for server in BOTH {
        let head = valid(server).with("X-Any", "\t a\tb \u{e9}  ").with("X-Empty", "");
        assert_eq!(fault(server, HandshakeConfig::new(), &head.bytes()), None);
    }
}

#[test] // RFC 9112 §2.1
fn both_sides_refuse_other_protocols_at_the_first_byte_that_shows_them() {
    for byte in 0..=u8::MAX {
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let refused = Some(HeadError::NotHttp { byte });
        let expected = if token { None } else { refused };
        assert_eq!(fault(true, HandshakeConfig::new(), &[byte]), expected);
        let expected = if byte == b'H' { None } else { refused };
        assert_eq!(fault(false, HandshakeConfig::new(), &[byte]), expected);
    }
    // A TLS hello, an empty line, a masked frame.
    for hello in [&b"\x16\x03\x01\x02\x00\x01"[..], b"\r\n", b"\x81\x85abcd"] {
        let refused = Some(HeadError::NotHttp { byte: hello[0] });
        assert_eq!(fault(true, HandshakeConfig::new(), hello), refused);
    }
}

#[test] // RFC 9112 §3, §4
fn both_sides_judge_the_start_line_as_soon_as_it_is_there() {
    for (line, error) in [
        ("PRI * HTTP/2.0", HeadError::HttpVersion),
        ("GET / HTTP/1.0", HeadError::HttpVersion),
        ("GET / HTTP/1.2", HeadError::HttpVersion),
        ("GET / HTTP/0.9", HeadError::HttpVersion),
        ("GET /", HeadError::StartLine),
        ("GET", HeadError::StartLine),
        ("SSH-2.0-OpenSSH_9.2", HeadError::StartLine),
        ("GET / HTTP/1.1 ", HeadError::StartLine),
        ("GET / http/1.1", HeadError::StartLine),
        ("GET / HTTP/11", HeadError::StartLine),
        ("GET / HTTP/1.x", HeadError::StartLine),
        ("GET / HTTP/10.1", HeadError::StartLine),
    ] {
        assert_eq!(
            fault(true, HandshakeConfig::new(), format!("{line}\r\n").as_bytes()),
            Some(error),
            "{line}"
        );
        assert_eq!(fault(true, HandshakeConfig::new(), format!("{line}\r").as_bytes()), None, "{line}");
    }
    for (line, error) in [
        ("HTTP/2.0 101 Switching Protocols", HeadError::HttpVersion),
        ("HTTP/0.9 200 OK", HeadError::HttpVersion),
        ("HTTP/2 101", HeadError::StartLine),
        ("HTTP 101", HeadError::StartLine),
        ("HELO", HeadError::StartLine),
        ("Http/1.1 101 x", HeadError::StartLine),
    ] {
        assert_eq!(
            fault(false, HandshakeConfig::new(), format!("{line}\r\n").as_bytes()),
            Some(error),
            "{line}"
        );
    }
}

#[test]
fn both_sides_refuse_malformed_start_lines() {
    for line in [
        "GET  / HTTP/1.1",
        "GET /a b HTTP/1.1",
        "G(T / HTTP/1.1",
        "GET \t/ HTTP/1.1",
        "GET HTTP/1.1",
        "G\u{e9}T / HTTP/1.1",
    ] {
        let head = request_head().start(line);
        assert_eq!(
            fault(true, HandshakeConfig::new(), &head.bytes()),
            Some(HeadError::StartLine),
            "{line:?}"
        );
    }
    for line in
        ["HTTP/1.1  101 x", "HTTP/1.1 10 x", "HTTP/1.1 abc x", "HTTP/1.1 099 x", "HTTP/1.1 1010", "HTTP/1.1"]
    {
        let head = response_head().start(line);
        assert_eq!(
            fault(false, HandshakeConfig::new(), &head.bytes()),
            Some(HeadError::StartLine),
            "{line:?}"
        );
    }
    for server in BOTH {
        let faults: [(&[u8], HeadError); 4] = [
            (b"\n", HeadError::BareLf),
            (b"\0", HeadError::Control { byte: 0 }),
            (b"\x7f", HeadError::Control { byte: 0x7f }),
            (b"\rx", HeadError::BareCr),
        ];
        for (bytes, error) in faults {
            let bytes = [b"H", bytes].concat();
            assert_eq!(fault(server, HandshakeConfig::new(), &bytes), Some(error));
        }
    }
}

#[test]
fn both_sides_take_a_head_of_exactly_the_limits_and_refuse_one_more() {
    for server in BOTH {
        let bytes = valid(server).bytes();
        let config = HandshakeConfig::new();

        let limit = bytes.len();
        assert_eq!(fault(server, config.max_head(limit), &bytes), None);
        let too_long = HeadError::HeadTooLong { limit: limit - 1 };
        assert_eq!(fault(server, config.max_head(limit - 1), &bytes), Some(too_long));

        let limit = start_line(server).len() - 2;
        let short = Head::new(str::from_utf8(&start_line(server)[..limit]).unwrap(), &[]).bytes();
        assert_eq!(fault(server, config.max_line(limit), &short), None);
        let too_long = HeadError::StartLineTooLong { limit: limit - 1 };
        assert_eq!(fault(server, config.max_line(limit - 1), &short), Some(too_long));

        let long = valid(server).with("X", &"x".repeat(200)).bytes();
        assert_eq!(fault(server, config.max_line(203), &long), None);
        let too_long = HeadError::HeaderTooLong { limit: 202 };
        assert_eq!(fault(server, config.max_line(202), &long), Some(too_long));

        let lines = bytes.windows(2).filter(|window| window == b"\r\n").count() - 2;
        assert_eq!(fault(server, config.max_header_lines(lines), &bytes), None);
        let too_many = HeadError::TooManyHeaders { limit: lines - 1 };
        assert_eq!(fault(server, config.max_header_lines(lines - 1), &bytes), Some(too_many));
    }
}

#[test]
fn both_sides_stop_an_endless_head_at_the_default_limits() {
    for server in BOTH {
        let endless = |first: &[u8], more: &[u8]| {
            let mut pieces = vec![first];
            pieces.resize(20_000, more);
            read(server, HandshakeConfig::new(), pieces).fault
        };
        assert_eq!(endless(b"H", b"xxxxxxxx"), Some(HeadError::StartLineTooLong { limit: 8192 }));
        let line = start_line(server);
        assert_eq!(endless(line, b"xxxxxxxx"), Some(HeadError::HeaderTooLong { limit: 8192 }));
        assert_eq!(endless(line, b"a: b\r\n"), Some(HeadError::TooManyHeaders { limit: 100 }));
        let header = [&b"a: "[..], &[b'x'; 1000], b"\r\n"].concat();
        assert_eq!(endless(line, &header), Some(HeadError::HeadTooLong { limit: 16384 }));
    }
}

#[test]
fn both_sides_leave_what_follows_the_head() {
    for server in BOTH {
        let bytes = [valid(server).bytes(), b"\x81\x05early".to_vec()].concat();
        let outcome = read(server, HandshakeConfig::new(), [&bytes[..]]);
        assert_eq!((outcome.fault, &outcome.rest[..]), (None, &b"\x81\x05early"[..]));
    }
}

#[test] // the honest slow link, and the segment borders of any other
fn both_sides_read_the_same_however_the_input_is_cut() {
    for server in BOTH {
        let reject: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nnope";
        let chunked: &[u8] =
            b"HTTP/1.0 500 x\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nno\r\n1\r\n!\r\n0\r\n\r\nx";
        for bytes in [
            [valid(server).bytes(), b"\x81\x05early".to_vec()].concat(),
            valid(server).with("A", "b\0").bytes(),
            valid(server).with("A ", "b").bytes(),
            valid(server).without("Upgrade").bytes(),
            valid(server).start("GET / HTTP/1.0").bytes(),
            [&b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\n"[..], &valid(server).bytes()]
                .concat(),
            reject.to_vec(),
            chunked.to_vec(),
        ] {
            let whole = normal(read(server, HandshakeConfig::new(), [&bytes[..]]));
            let single = normal(read(server, HandshakeConfig::new(), bytes.chunks(1)));
            assert_eq!(single, whole, "{}", String::from_utf8_lossy(&bytes));
            for cut in 0..=bytes.len() {
                let (a, b) = bytes.split_at(cut);
                let cut_up = normal(read(server, HandshakeConfig::new(), [a, b]));
                assert_eq!(cut_up, whole, "cut at {cut}: {}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}

#[test]
fn a_reader_shows_no_byte_of_what_it_has_read() {
    let mut reader = RequestReader::new(HandshakeConfig::new());
    let mut bytes = b"GET /?token=s3cret HTTP/1.1\r\nAuthorization: s3cret".to_vec();
    assert!(reader.receive(&mut &mut bytes[..], &mut Vec::new()).unwrap().is_none());
    let shown = format!("{reader:?}");
    assert!(shown.contains("received: 50") && !shown.contains("s3cret"), "{shown}");
    let bytes = format!("{bytes:?}");
    assert!(!shown.contains(&bytes[1..20]), "{shown}");
}

/// Pieces of a body come as they come: what counts is their sum. What is dropped after an error depends on the cut.
fn normal(outcome: Outcome) -> Outcome {
    let mut result = outcome.result;
    let piece = "RejectData(RejectData { data: Binary(b\"";
    let joint = "\"), finished: false, truncated: false }), ";
    while let Some(at) = result.find(&format!("{joint}{piece}")) {
        result.replace_range(at..at + joint.len() + piece.len(), "");
    }
    let failed = outcome.fault.is_some() || result.contains("Err(");
    Outcome { result, rest: if failed { Vec::new() } else { outcome.rest }, ..outcome }
}

/// Bytes that come near a head.
fn nearly_a_head(server: bool) -> impl Strategy<Value = Vec<u8>> {
    let valid = valid(server).bytes();
    let mutated =
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4).prop_map(move |changes| {
            let mut bytes = valid.clone();
            for (index, byte) in changes {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        });
    prop_oneof![mutated, prop::collection::vec(any::<u8>(), 0..200)]
}

fn random_cuts(bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
}

proptest! {
    #[test]
    fn any_bytes_in_any_cuts_give_one_result(
        (server, bytes) in any::<bool>().prop_flat_map(|server| (Just(server), nearly_a_head(server))),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let pieces = random_cuts(&bytes, &cuts);
        let whole = normal(read(server, HandshakeConfig::new(), [&bytes[..]]));
        let cut = normal(read(server, HandshakeConfig::new(), pieces.iter().map(Vec::as_slice)));
        prop_assert_eq!(whole, cut);
    }
}
