//! Threats to the opening handshake of a server, and what both sides take of each other in it.

use std::{
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use wscope::{
    Accept, ClientConfig, Reject, ServerConfig, WebSocketRequest,
    proto::{HeaderError, Role},
    testing::polled,
    websocket::HandshakeError,
};

use crate::{
    attacker::{Attacker, CLOSE, PATIENCE, PING, PONG, REQUEST, TEXT, acceptance, frame, status},
    victim::{Handling, attacked, attacked_by_way_of, echo, until},
};

fn server() -> ServerConfig {
    ServerConfig::new()
}

#[test]
fn t01_a_handshake_that_takes_too_long_is_given_up() {
    attacked(server().handshake_timeout(SHORT), FEW, |victim| {
        let mut silent = Attacker::connect(victim.port());
        let mut stalled = Attacker::connect(victim.port());
        stalled.send(&REQUEST[..40]);
        let mut dribbling = Attacker::connect(victim.port());
        dribbling.send("GET / HTTP/1.1\r\nX: ");
        let began = Instant::now();
        while dribbling.hears_nothing(Duration::from_millis(2)) {
            dribbling.send("x");
            assert!(began.elapsed() < PATIENCE, "bytes move the limit");
        }
        // None of them hangs up; the server does, a second later.
        victim.gauge.wait_for_files(3, PATIENCE);
        assert_eq!(silent.rest(), b"", "who has sent nothing has asked for nothing");
        assert_eq!(stalled.refusal(), Some(408));
        assert_eq!(dribbling.refusal(), Some(408));
    });
}

#[test]
fn t02_a_head_without_end_is_refused_at_its_limit() {
    let lines = |line: &[u8]| line.repeat(64 * 1024 / line.len());
    let after = |begin: &str, line: &[u8]| (begin.as_bytes().to_vec(), lines(line));
    let bombs = [
        (after("GET /", b"x"), 414),
        (after("GET", b" "), 414),
        (after("GET / HTTP/1.1\r\nX: ", b"x"), 431),
        (after("GET / HTTP/1.1\r\n", b"x"), 431),
        (after("GET / HTTP/1.1\r\n", b"a:\r\n"), 431),
        (after("GET / HTTP/1.1\r\n", b"Host: example.com\r\n"), 431),
        (after("GET / HTTP/1.1\r\nCookie: ", &b"x".repeat(8000)), 431),
    ];
    attacked(server(), FEW, |victim| {
        for ((begin, bomb), answer) in bombs {
            let mut bomber = Attacker::connect(victim.port());
            bomber.send(&begin);
            let taken = bomber.flood(&bomb, 8 << 20, SECOND);
            assert!(taken < 8 << 20, "{answer}: all of it was taken");
            assert!(matches!(bomber.refusal(), None | Some(400..=431)), "a reset may come before the answer");
            let mut bomber = Attacker::connect(victim.port());
            bomber.send(&begin);
            bomber.send(&bomb[..18 * 1024]); // above every limit, and little enough to be read to its end
            let shown = String::from_utf8_lossy(&begin).into_owned();
            assert_eq!(bomber.refusal(), Some(answer), "{shown}");
            assert!(victim.fault().starts_with("Request"));
        }
    });
}

#[test]
fn t03_an_honest_request_that_comes_byte_by_byte_is_let_in() {
    attacked(server(), FEW, |victim| {
        let mut slow = Attacker::connect(victim.port());
        for byte in REQUEST.bytes() {
            slow.send([byte]);
            assert!(byte == b'\n' || slow.hears_nothing(Duration::from_millis(1)), "refused half-way");
        }
        assert_eq!(status(&slow.head()), Some(101));
    });
}

#[test]
fn t04_another_version_is_answered_426_with_ours() {
    attacked(server(), FEW, |victim| {
        for version in ["0", "8", "12", "14", "255", "-13", "13, 8", "13.0", "x"] {
            let mut old = Attacker::connect(victim.port());
            old.send(REQUEST.replace("Version: 13", &format!("Version: {version}")));
            let answer = old.head().to_lowercase();
            assert_eq!(status(&answer.to_uppercase()), Some(426), "{version}: {answer}");
            assert!(answer.contains("\r\nsec-websocket-version: 13\r\n"), "{version}: {answer}");
        }
    });
}

#[test]
fn t05_each_part_of_a_request_is_there_once_and_well_formed() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let host = "Host: example.com\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let table = [
        (REQUEST.replace("GET / HTTP/1.1", "POST / HTTP/1.1"), 405),
        (REQUEST.replace("GET / HTTP/1.1", "get / HTTP/1.1"), 405),
        (REQUEST.replace("GET / HTTP/1.1", "CONNECT example.com:80 HTTP/1.1"), 405),
        (REQUEST.replace("HTTP/1.1", "HTTP/1.0"), 505),
        (REQUEST.replace("HTTP/1.1", "HTTP/2.0"), 505),
        (REQUEST.replace("HTTP/1.1", "HTTP/0.9"), 505),
        (REQUEST.replace("GET / HTTP/1.1", "GET /"), 400),
        (REQUEST.replace("GET / ", "GET  / "), 400),
        (REQUEST.replace("GET / ", "GET * "), 400),
        (REQUEST.replace(host, ""), 400),
        (REQUEST.replace(host, &host.repeat(2)), 400),
        (REQUEST.replace(host, "Host: a b\r\n"), 400),
        (REQUEST.replace("Upgrade: websocket\r\n", ""), 426),
        (REQUEST.replace("Upgrade: websocket", "Upgrade: h2c"), 426),
        (REQUEST.replace("Connection: Upgrade\r\n", ""), 400),
        (REQUEST.replace("Connection: Upgrade", "Connection: keep-alive"), 400),
        (REQUEST.replace(key, ""), 400),
        (REQUEST.replace(key, &key.repeat(2)), 400),
        (REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", ""), 400),
        (REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j"), 400),
        (REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=!"), 400),
        (REQUEST.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR=="), 400),
        (REQUEST.replace(version, ""), 400),
        (REQUEST.replace(version, &version.repeat(2)), 400),
    ];
    attacked(server(), FEW, |victim| {
        for (request, answer) in table {
            let mut attacker = Attacker::connect(victim.port());
            attacker.send(&request);
            assert_eq!(attacker.refusal(), Some(answer), "{request}");
        }
    });
}

#[test]
fn t06_a_request_that_hides_another_is_refused() {
    let with = |header: &str| REQUEST.replace("Host:", &format!("{header}\r\nHost:"));
    let table = [
        with("Content-Length: 5"),
        with("Content-Length: 0\r\nContent-Length: 5"),
        with("Content-Length: +0"),
        with("Content-Length: 0x0"),
        with("Transfer-Encoding: chunked"),
        with("Transfer-Encoding: identity"),
        with("Transfer-Encoding:\u{b}chunked"),
        with("Content-Length: 0\r\nTransfer-Encoding: chunked"),
        with("X: a\r\n b"),
        with("X: a\r\n\tb"),
        with("X : a"),
        with("X\t: a"),
        with(" X: a"),
        with("X: a\rY: b"),
        with("X: a\0b"),
        with("X: a\nY: b"),
        with("X"),
        with(": a"),
        with("X\u{7f}: a"),
        REQUEST.replace("\r\n", "\n"),
        REQUEST.replace("\r\n\r\n", "\n\n"),
        format!("\r\n\r\n{REQUEST}"),
    ];
    attacked(server(), FEW, |victim| {
        for request in table {
            let mut attacker = Attacker::connect(victim.port());
            attacker.send(format!("{request}0\r\n\r\n{REQUEST}"));
            let answer = String::from_utf8(attacker.rest()).unwrap();
            assert_eq!(status(&answer), Some(400), "{request}: {answer}");
            assert_eq!(
                answer.to_lowercase().matches("\r\nconnection: ").count(),
                1,
                "a second request on it was answered: {answer}"
            );
        }
        // What follows a good request is frames and nothing else.
        let mut attacker = Attacker::connect(victim.port());
        attacker.send(REQUEST.repeat(2));
        assert_eq!(status(&attacker.head()), Some(101));
        assert_eq!(attacker.close_code(), Some(1002));
        assert!(attacker.rest().is_empty());
        // Nothing hides behind a length of nothing.
        let mut honest = Attacker::connect(victim.port());
        honest.send(with("Content-Length: 0"));
        assert_eq!(status(&honest.head()), Some(101));
    });
}

#[test]
fn t07_another_protocol_is_refused_at_its_first_byte() {
    let greetings: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x16",
        b"\x81\x85\x01\x02\x03\x04hello",
        b"\0",
        b"\xff\xd8\xff\xe0",
        b"\r\n",
        b"{\"jsonrpc\":",
        b"SSH-2.0-x\r\n",
    ];
    attacked(server(), FEW, |victim| {
        let began = Instant::now();
        for greeting in greetings {
            let mut stranger = Attacker::connect(victim.port());
            stranger.send(greeting);
            assert_eq!(stranger.refusal(), Some(400), "{greeting:?}");
        }
        let mut h2 = Attacker::connect(victim.port());
        h2.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        assert_eq!(h2.refusal(), Some(505));
        assert!(began.elapsed() < ServerConfig::HANDSHAKE_TIMEOUT, "nobody has waited for more");
    });
}

#[test]
fn t08_early_frames_are_kept_and_not_answered_before_the_acceptance() {
    let (open, opened) = futures::channel::oneshot::channel::<()>();
    let opened = futures::FutureExt::shared(opened);
    let handler = |report| {
        move |request: WebSocketRequest| -> Handling {
            let (report, opened) = (Sender::clone(&report), opened.clone());
            Box::pin(async move {
                if request.path() == "/" {
                    let _ = opened.await; // dropped is opened, too
                }
                echo(request, report).await
            })
        }
    };
    attacked_by_way_of(server(), handler, FEW, |victim| {
        let mut early = Attacker::connect(victim.port());
        let frames = [frame(Role::Client, PING, b"ping"), frame(Role::Client, TEXT, b"early")].concat();
        early.send([REQUEST.as_bytes(), &frames].concat());
        assert!(early.hears_nothing(SHORT), "answered before it was let in");
        open.send(()).unwrap();
        assert_eq!(status(&early.head()), Some(101));
        assert_eq!(early.receive(), Some((PONG, b"ping".to_vec())));
        assert_eq!(early.receive(), Some((TEXT, b"early".to_vec())));

        // A server's, in the segment of its answer.
        let mut early = victim.client(|config| config);
        let answer = acceptance(&early.head());
        early.send([answer.as_bytes(), &early.frame(PING, "ping"), &early.frame(TEXT, "early")].concat());
        assert_eq!(early.receive(), Some((PONG, b"ping".to_vec())));
        assert_eq!(early.receive(), Some((TEXT, b"early".to_vec())));
    });
}

#[test]
fn t09_no_line_break_of_a_callers_gets_into_a_head() {
    const SPLIT: &str = "x\r\nSet-Cookie: stolen";
    let handler = |report| {
        move |request: WebSocketRequest| -> Handling {
            let report = Sender::clone(&report);
            Box::pin(async move {
                match request.path() {
                    "/value" => drop(request.accept(Accept::new().header("X", SPLIT)).await?),
                    "/name" => drop(request.accept(Accept::new().header(SPLIT, "x")).await?),
                    "/subprotocol" => drop(request.accept(Accept::new().subprotocol(SPLIT)).await?),
                    "/reject" => request.reject(Reject::status(403).header("X", SPLIT)).await?,
                    "/body" => request.reject(Reject::status(403).body(SPLIT)).await?,
                    _ => echo(request, report).await?,
                }
                Ok(())
            })
        }
    };
    attacked_by_way_of(server(), handler, FEW, |victim| {
        for path in ["/value", "/name", "/subprotocol", "/reject"] {
            let mut attacker = Attacker::connect(victim.port());
            attacker.send(REQUEST.replace("GET / ", &format!("GET {path} ")));
            let answer = String::from_utf8(attacker.rest()).unwrap();
            assert_eq!(status(&answer), Some(500), "{path}: {answer}");
            assert!(!answer.contains("stolen"), "{path}: {answer}");
        }
        let mut attacker = Attacker::connect(victim.port());
        attacker.send(REQUEST.replace("GET / ", "GET /body "));
        let (head, body) = (attacker.head(), attacker.rest());
        assert!(!head.contains("stolen") && body == SPLIT.as_bytes(), "a body has its length: {head}");
    });
    let config = || ClientConfig::new("ws://example.com/").unwrap();
    for bad in [SPLIT, "x\r", "x\n", "x\0"] {
        assert!(matches!(
            config().header("X", bad),
            Err(HandshakeError::Header(HeaderError::InvalidValue { .. }))
        ));
        assert!(matches!(config().header(bad, "x"), Err(HandshakeError::Header(HeaderError::InvalidName))));
        assert!(matches!(config().subprotocols([bad]), Err(HandshakeError::Subprotocols(_))));
        assert!(matches!(ClientConfig::new(&format!("ws://example.com/{bad}")), Err(HandshakeError::Uri(_))));
        assert!(ClientConfig::new(&format!("ws://exam{bad}ple.com/")).is_err());
    }
}

#[test]
fn t10_nothing_is_agreed_on_that_was_not_offered() {
    let handler = |report| {
        move |request: WebSocketRequest| -> Handling {
            let report = Sender::clone(&report);
            Box::pin(async move {
                if request.path() == "/admin" {
                    drop(request.accept(Accept::new().subprotocol("admin")).await?);
                    return Ok(());
                }
                echo(request, report).await
            })
        }
    };
    let config = server();
    #[cfg(feature = "deflate")]
    let config = config.compression(wscope::websocket::Compression::dedicated());
    attacked_by_way_of(config, handler, MANY, |victim| {
        let mut attacker = Attacker::connect(victim.port());
        attacker.send(
            REQUEST
                .replace("GET / ", "GET /admin ")
                .replace("Host:", "Sec-WebSocket-Protocol: chat, adm\r\nHost:"),
        );
        assert_eq!(attacker.refusal(), Some(500), "the server's own mistake");
        let offers = [
            "x-unknown",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=012",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=99999999999999999999",
            "permessage-deflate; unknown=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate-x",
        ];
        for offer in offers {
            let mut attacker = Attacker::connect(victim.port());
            attacker.send(REQUEST.replace("Host:", &format!("Sec-WebSocket-Extensions: {offer}\r\nHost:")));
            let head = attacker.head().to_lowercase();
            assert!(head.starts_with("http/1.1 101 "), "{offer}: {head}");
            assert!(!head.contains("sec-websocket-extensions"), "{offer}: {head}");
        }
        // A server that picks what a client of ours has not offered.
        let extras = [
            "Sec-WebSocket-Protocol: admin",
            "Sec-WebSocket-Protocol: chat, superchat",
            "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat",
            "Sec-WebSocket-Protocol: ",
            "Sec-WebSocket-Extensions: permessage-deflate",
            "Sec-WebSocket-Extensions: x-unknown; a=b",
            "Sec-WebSocket-Extensions: x;;",
        ];
        for extra in extras {
            let mut server = victim.client(|config| config.subprotocols(["chat"]).unwrap());
            let answer = acceptance(&server.head());
            server.send(answer.replace("Upgrade: websocket", &format!("Upgrade: websocket\r\n{extra}")));
            assert!(server.rest().is_empty(), "{extra}: it is no connection");
        }
    });
}

#[test]
fn t11_lists_and_heads_made_to_be_slow_are_read_in_linear_time() {
    let list = |name: &str, item: &str| format!("{name}: {}\r\n", item.repeat(8000 / item.len()));
    let heads = [
        list("Sec-WebSocket-Extensions", "a,"),
        list("Sec-WebSocket-Extensions", ";"),
        list("Sec-WebSocket-Extensions", "a;b;"),
        list("Sec-WebSocket-Extensions", "a=\"\\a\";"),
        list("Sec-WebSocket-Extensions", "permessage-deflate,"),
        list("Sec-WebSocket-Protocol", "a,"),
        list("Sec-WebSocket-Protocol", " "),
        list("Connection", ","),
        list("Upgrade", "x,"),
        list("Cookie", "\t"),
        "Sec-WebSocket-Extensions: a,a,a,a,a,a,a,a\r\n".repeat(90),
    ];
    attacked(server(), FEW, |victim| {
        let began = Instant::now();
        for header in &heads {
            for _ in 0..20 {
                let mut attacker = Attacker::connect(victim.port());
                attacker.send(REQUEST.replace("Host:", &format!("{header}Host:")));
                let head = attacker.head();
                assert!(matches!(status(&head), Some(101 | 400 | 431)), "{head}");
            }
        }
        assert!(began.elapsed() < PATIENCE, "{} heads took {:?}", heads.len() * 20, began.elapsed());
        // 16,000 bytes, each in a read of its own.
        let began = Instant::now();
        let mut attacker = Attacker::connect(victim.port());
        let cookie = format!("Cookie: {}\r\n", "x".repeat(7800));
        for byte in REQUEST.replace("Host:", &format!("{cookie}{cookie}Host:")).bytes() {
            attacker.send([byte]);
        }
        assert_eq!(status(&attacker.head()), Some(101));
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    });
}

#[test]
fn t12_pages_of_other_sites_are_refused() {
    let table = [
        ("", 101),
        ("http://example.com", 101),
        ("https://example.com", 101),
        ("http://evil.com", 403),
        ("http://example.com.evil.com", 403),
        ("http://evil-example.com", 403),
        ("http://example.com@evil.com", 403),
        ("http://example.com:81", 403),
        ("null", 403),
        ("file://", 403),
    ];
    attacked(server(), FEW, |victim| {
        for (origin, answer) in table {
            let mut page = Attacker::connect(victim.port());
            let origin = if origin.is_empty() { String::new() } else { format!("Origin: {origin}\r\n") };
            page.send(REQUEST.replace("Host:", &format!("{origin}Host:")));
            assert_eq!(status(&page.head()), Some(answer), "{origin}");
        }
    });
}

#[test]
fn t16_ten_thousand_who_come_and_go_leave_nothing() {
    let close = frame(Role::Client, CLOSE, &1000_u16.to_be_bytes());
    attacked(server().handshake_timeout(2 * SECOND), MANY, |victim| {
        for round in 0..ROUNDS {
            let mut attacker = Attacker::connect(victim.port());
            match round % 8 {
                0 => attacker.reset(),
                1 => {
                    attacker.send(&REQUEST[..round % REQUEST.len()]);
                    attacker.reset();
                }
                2 => {
                    attacker.send(REQUEST);
                    attacker.reset(); // while it is accepted
                }
                3 => attacker.shaken("/").reset(),
                4 => {
                    let mut attacker = attacker.shaken("/");
                    attacker.send(&frame(Role::Client, TEXT, b"torn")[..7]);
                    attacker.reset();
                }
                5 => {
                    let mut attacker = attacker.shaken("/");
                    attacker.send(&close);
                    attacker.reset();
                }
                6 => {
                    attacker.send([REQUEST.as_bytes(), &close].concat());
                    attacker.half_close();
                    attacker.reset();
                }
                _ => drop(attacker),
            }
        }
        until(|| victim.server.connections().is_empty());
        // Clients that are dropped at every step.
        let url = format!("ws://127.0.0.1:{}/", victim.port());
        wscope::run(async {
            for round in 0..ROUNDS / 10 {
                let open = wscope::open_websocket(&url, async |ws| {
                    ws.send_message("hello").await?;
                    ws.get_message().await?;
                    Ok::<(), wscope::Error>(())
                });
                polled(round % 12, open).await;
            }
        });
    });
}

/// For a few handshakes at a time, each of which holds a head of 16 KiB at most.
const FEW: usize = 256 * 1024;
/// For many that come faster than they go.
const MANY: usize = 4 << 20;
const ROUNDS: usize = 10_000;
/// A configured limit.
const SHORT: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
