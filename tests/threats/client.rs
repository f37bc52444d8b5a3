//! Threats from servers: to the opening handshake of a client, mostly.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use wscope::{
    ClientConfig, Error, ServerConfig, open_websocket,
    proto::{HandshakeConfig, HeadError, ResponseError},
    run,
    websocket::{ConnectionRejected, ConnectionTimeout, HandshakeError, Phase},
};

use crate::{
    attacker::{Attacker, PATIENCE, TEXT, acceptance},
    victim::{Victim, attacked, url},
};

/// How a client of ours fails at a server that does this with its connection.
fn fails_at(
    _: &Victim,
    config: impl FnOnce(ClientConfig) -> ClientConfig,
    play: impl FnOnce(Attacker) + Send,
) -> HandshakeError {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = config(ClientConfig::new(&url(&listener)).unwrap());
    std::thread::scope(|threads| {
        let server = threads.spawn(|| play(Attacker::accept(&listener)));
        let failed = run(open_websocket(config, async |_| Ok::<(), Error>(()))).unwrap_err();
        server.join().unwrap();
        let Error::Handshake(error) = failed else { panic!("{failed:?}") };
        error
    })
}

/// How it fails on this answer, after which the server sends no more. `{accept}` stands for the header that belongs to the key.
fn fails_on(victim: &Victim, answer: &str) -> HandshakeError {
    fails_at(
        victim,
        |config| config,
        |mut server| {
            let acceptance = acceptance(&server.head());
            let accept = acceptance.trim_start_matches(ACCEPTED).trim_end();
            let _ = server.try_send(answer.replace("{accept}", accept)); // the client may have left
            server.half_close();
            server.rest();
        },
    )
}

fn rejected(error: HandshakeError) -> ConnectionRejected {
    let HandshakeError::Rejected(rejected) = error else { panic!("{error:?}") };
    *rejected
}

#[test]
fn t13_a_redirect_is_not_followed() {
    attacked(ServerConfig::new(), LITTLE, |victim| {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let to = elsewhere.local_addr().unwrap();
        for status in [300, 301, 302, 303, 307, 308] {
            let error = fails_at(
                victim,
                |config| config.header("Authorization", "Bearer secret").unwrap(),
                |mut server| {
                    server.head();
                    server.send(format!(
                        "HTTP/1.1 {status} Elsewhere\r\nLocation: ws://{to}/\r\nContent-Length: 0\r\n\r\n"
                    ));
                    server.rest();
                },
            );
            let shown = format!("{error:?} {error}");
            assert!(!shown.contains("secret"), "{shown}");
            let rejected = rejected(error);
            assert_eq!(rejected.status, status);
            assert_eq!(rejected.headers["location"], format!("ws://{to}/"), "it is for the caller to judge");
        }
        assert!(elsewhere.accept().is_err(), "somebody has gone there");
    });
}

#[test]
fn t14_a_refusal_is_bounded_in_bytes_and_time() {
    let endless = [
        ("Content-Length: 99999999999\r\n\r\n", "x".repeat(8000)),
        ("\r\n", "x".repeat(8000)),
        ("Transfer-Encoding: chunked\r\n\r\n", format!("1f40\r\n{}\r\n", "x".repeat(8000))),
        ("Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n".repeat(1000)),
    ];
    attacked(ServerConfig::new(), 2 * LITTLE, |victim| {
        for (headers, body) in &endless {
            let error = fails_at(
                victim,
                |config| config,
                |mut server| {
                    server.head();
                    server.send(format!("HTTP/1.1 503 No\r\n{headers}"));
                    let taken = server.flood(body.as_bytes(), 64 << 20, SECOND);
                    assert!(taken < 64 << 20, "all of it was taken");
                },
            );
            let rejected = rejected(error);
            assert_eq!((rejected.status.as_u16(), rejected.truncated), (503, true), "{headers}");
            assert_eq!(rejected.body.len(), HandshakeConfig::MAX_REJECT_BODY, "{headers}");
        }
        // A body that does not go on, and one that never ends within the limit of the bytes.
        for (headers, body) in &endless {
            let began = Instant::now();
            let error = fails_at(
                victim,
                |config| config.connect_timeout(SHORT),
                |mut server| {
                    server.head();
                    server.send(format!("HTTP/1.1 503 No\r\n{headers}{}", &body[..3]));
                    server.rest();
                },
            );
            let HandshakeError::Timeout(ConnectionTimeout { limit: SHORT, phase: Phase::Handshake, .. }) =
                error
            else {
                panic!("{error:?}")
            };
            assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        }
    });
}

#[test]
fn t41_an_answer_without_end_is_given_up_at_its_limit() {
    let line = "x".repeat(1000);
    let endless = [
        ("HTTP/1.1 101 ", line.clone()),
        ("HTTP/1.1 101 OK\r\nX: ", line.clone()),
        ("HTTP/1.1 101 OK\r\n", "a: b\r\n".repeat(100)),
        ("HTTP/1.1 101 OK\r\n", format!("Set-Cookie: {line}\r\n")),
        ("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100)),
        ("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(100)),
    ];
    attacked(ServerConfig::new(), LITTLE, |victim| {
        for (begin, more) in &endless {
            let error = fails_at(
                victim,
                |config| config,
                |mut server| {
                    server.head();
                    server.send(begin);
                    let taken = server.flood(more.as_bytes(), 64 << 20, SECOND);
                    assert!(taken < 64 << 20, "{begin}: all of it was taken");
                },
            );
            let HandshakeError::Response {
                error:
                    ResponseError::Head(
                        HeadError::StartLineTooLong { .. }
                        | HeadError::HeaderTooLong { .. }
                        | HeadError::HeadTooLong { .. }
                        | HeadError::TooManyHeaders { .. },
                    ),
                ..
            } = error
            else {
                panic!("{begin}: {error:?}")
            };
        }
    });
}

#[test]
fn t42_an_answer_that_comes_byte_by_byte_is_taken() {
    attacked(ServerConfig::new(), LITTLE, |victim| {
        let mut server = victim.client(|config| config);
        let answer = acceptance(&server.head());
        for byte in answer.bytes() {
            assert!(server.hears_nothing(Duration::from_millis(1)));
            server.send([byte]);
        }
        server.send_frame(TEXT, "hello");
        assert_eq!(server.receive(), Some((TEXT, b"hello".to_vec())));
    });
}

#[test]
fn t43_an_answer_that_is_none_of_ours_is_an_error_of_the_servers() {
    let table = [
        ("", "UnexpectedEof"),
        ("HTTP/1.1 101 Swit", "UnexpectedEof"),
        ("220 mail.example.com ESMTP\r\n\r\n", "NotHttp"),
        ("\x16\x03\x01\x02", "NotHttp"),
        ("\u{81}\x05hello", "NotHttp"),
        ("HTTP/1.0 101 OK\r\nUpgrade: websocket\r\n\r\n", "HttpVersion"),
        ("HTTP/2.0 101 OK\r\n\r\n", "HttpVersion"),
        ("HTTP/1.1 101\nUpgrade: websocket\n\n", "BareLf"),
        ("HTTP/1.1 abc\r\n\r\n", "StartLine"),
        ("HTTP/1.1 101 OK\r\nX : y\r\n\r\n", "SpaceBeforeColon"),
        ("HTTP/1.1 101 OK\r\nX: y\r\n z\r\n\r\n", "FoldedLine"),
        ("HTTP/1.1 101 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n{accept}\r\n\r\n", "MissingUpgrade"),
        (
            "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: close\r\n{accept}\r\n\r\n",
            "MissingConnection",
        ),
        (&format!("{ACCEPTED}\r\n"), "AcceptCount { count: 0 }"),
        (&format!("{ACCEPTED}{{accept}}\r\n{{accept}}\r\n\r\n"), "AcceptCount { count: 2 }"),
        (&format!("{ACCEPTED}{{accept}}A\r\n\r\n"), "WrongAccept"),
        (&format!("{ACCEPTED}Sec-WebSocket-Accept:\r\n\r\n"), "WrongAccept"),
        // The accept token of the key that stands in the standard as an example.
        (&format!("{ACCEPTED}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"), "WrongAccept"),
    ];
    attacked(ServerConfig::new(), LITTLE, |victim| {
        for (answer, fault) in table {
            let error = fails_on(victim, answer);
            assert!(matches!(error, HandshakeError::Response { .. }), "{answer:?}: {error:?}");
            assert!(format!("{error:?}").contains(fault), "{answer:?}: {error:?}");
        }
    });
}

#[test]
fn t44_a_server_may_vanish_at_any_byte() {
    attacked(ServerConfig::new(), LITTLE, |victim| {
        let length = ACCEPTED.len() + 54;
        for reset in [true, false] {
            for cut in (0..length).step_by(3) {
                let began = Instant::now();
                let error = fails_at(
                    victim,
                    |config| config,
                    |mut server| {
                        let request = server.head();
                        server.send(&acceptance(&request)[..cut]);
                        if reset { server.reset() } else { drop(server) }
                    },
                );
                let expected = match &error {
                    HandshakeError::Network { .. } => reset,
                    HandshakeError::Response { error: ResponseError::UnexpectedEof { received }, .. } => {
                        *received == cut
                    }
                    _ => false,
                };
                assert!(expected, "reset: {reset}, after {cut} bytes: {error:?}");
                assert!(began.elapsed() < PATIENCE, "after {cut} bytes: {:?}", began.elapsed());
            }
            // Without a word, and without having read.
            let error = fails_at(
                victim,
                |config| config,
                |server| {
                    if reset {
                        server.reset()
                    }
                },
            );
            let lost = match &error {
                HandshakeError::Network { .. } | HandshakeError::Dial(_) => true,
                HandshakeError::Response { error, .. } => {
                    *error == ResponseError::UnexpectedEof { received: 0 }
                }
                _ => false,
            };
            assert!(lost, "{error:?}");
        }
    });
}

#[test]
fn t45_a_server_that_says_nothing_is_given_up() {
    attacked(ServerConfig::new(), LITTLE, |victim| {
        for said in ["", "HTTP/1.1 101 Swit", "HTTP/1.1 100 Continue\r\n\r\n"] {
            let began = Instant::now();
            let error = fails_at(
                victim,
                |config| config.connect_timeout(SHORT),
                |mut server| {
                    server.head();
                    server.send(said);
                    assert!(server.rest().is_empty(), "the client hangs up");
                },
            );
            let HandshakeError::Timeout(ConnectionTimeout { limit: SHORT, phase: Phase::Handshake, .. }) =
                error
            else {
                panic!("{said}: {error:?}")
            };
            assert!(began.elapsed() < PATIENCE, "{said}: {:?}", began.elapsed());
        }
        // Bytes that come do not move the limit.
        let began = Instant::now();
        let error = fails_at(
            victim,
            |config| config.connect_timeout(SHORT),
            |mut server| {
                server.head();
                server.send("HTTP/1.1 101 ");
                while server.hears_nothing(Duration::from_millis(2)) && server.try_send("x").is_ok() {}
            },
        );
        assert!(matches!(error, HandshakeError::Timeout(_)), "{error:?}");
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    });
}

/// The beginning of each acceptance, up to the header that belongs to the key.
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
/// Buffers of a connection or two, and heads.
const LITTLE: usize = 384 * 1024;
/// A configured limit.
const SHORT: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
