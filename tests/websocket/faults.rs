//! The faults F1 to F14 of trio-websocket 0.12, none of which may be had here. On both sides wherever there are two.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, channel::mpsc};
use wscope::{
    ClientConfig, CloseCode, CloseReason, ConnectionConfig, Error, Message, ServerConfig, WebSocketRequest,
    fail_after, open_websocket,
    proto::{CloseConnection, Event, Ping, ProtocolError, ResponseError, Role},
    runtime::Clock,
    scope::Join,
    testing::{Simulation, duplex, polled},
    websocket::{Accept, CloseCause, HandshakeError, Phase, PingError, ServerError},
    wrap_client_stream, wrap_server_stream,
};

use crate::support::{BOTH, REQUEST, URL, echo, head, pair, simulated, url, with_raw, with_server_of};

#[test]
fn f01_a_silent_server_is_given_up_in_time() {
    let simulation = Simulation::new();
    let before = simulation.clock().now();
    let error = simulation.run(wscope::nursery(async |n: wscope::Nursery<'_, Error>| {
        let (here, there) = duplex(4096);
        let refused = wrap_client_stream(&n, here, URL).await.unwrap_err();
        drop(there);
        Ok(refused)
    }));
    let Ok(HandshakeError::Timeout(timeout)) = error else { panic!("{error:?}") };
    assert_eq!((timeout.limit, timeout.phase), (ClientConfig::CONNECT_TIMEOUT, Phase::Handshake));
    assert_eq!(simulation.clock().now() - before, ClientConfig::CONNECT_TIMEOUT);
}

#[test]
fn f02_an_end_before_the_answer_is_an_error_at_once() {
    let simulation = Simulation::new();
    let before = simulation.clock().now();
    for half_an_answer in ["", "HTTP/1.1 101 Swit"] {
        let error = simulation.run(wscope::nursery(async |n: wscope::Nursery<'_, Error>| {
            let (here, mut there) = duplex(4096);
            there.write_all(half_an_answer.as_bytes()).await?;
            there.close().await?;
            Ok(wrap_client_stream(&n, here, URL).await.unwrap_err())
        }));
        let Ok(HandshakeError::Response { error: ResponseError::UnexpectedEof { received }, .. }) = error
        else {
            panic!("{error:?}")
        };
        assert_eq!(received, half_an_answer.len());
    }
    assert_eq!(simulation.clock().now(), before, "no time has passed");
}

#[test]
fn f03_an_answer_that_is_none_is_the_servers_fault() {
    let answers = [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
        "220 mail.example.com ESMTP\r\n\r\n",
        "\x16\x03\x01\x02\x00",
    ];
    for answer in answers {
        simulated(async |n| {
            let (here, mut there) = duplex(4096);
            there.write_all(answer.as_bytes()).await?;
            let error = wrap_client_stream(&n, here, URL).await.unwrap_err();
            assert!(matches!(error, HandshakeError::Response { .. }), "{error:?}");
            Ok(())
        });
    }
}

#[test]
fn f04_a_pending_ping_ends_with_the_connection() {
    enum End {
        PeerCloses,
        StreamEnds,
        WeClose,
        WeAbort,
    }
    for role in BOTH {
        for end in [End::PeerCloses, End::StreamEnds, End::WeClose, End::WeAbort] {
            simulated(async |n| {
                let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
                let ping = n.child({
                    let ws = ws.clone();
                    async move { Ok(ws.ping(Some(b"never answered")).await) }
                });
                assert!(matches!(raw.receive().await, Some(Event::Ping(_))));
                match end {
                    End::PeerCloses => raw.send(CloseConnection::new(CloseCode::GOING_AWAY)).await,
                    End::StreamEnds => drop(raw),
                    End::WeClose => ws.close(CloseCode::NORMAL_CLOSURE),
                    End::WeAbort => ws.abort(),
                }
                let ended = fail_after(Duration::from_secs(1), ping).await??;
                assert!(matches!(ended, Err(PingError::Closed(_))), "{ended:?}");
                Ok(())
            });
        }
    }
}

#[test]
fn f05_a_ping_that_ends_leaves_its_payload_free() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        assert!(matches!(ends.client.ping(Some(&[b'x'; 126])).await, Err(PingError::TooLong(_))));
        assert!(
            matches!(ends.client.ping(Some(&[b'x'; 126])).await, Err(PingError::TooLong(_))),
            "not `InFlight`"
        );
        for polls in 0..3 {
            polled(polls, ends.client.ping(Some(b"again"))).await;
        }
        ends.client.ping(Some(b"again")).await?;
        Ok(())
    });
}

#[test]
fn f05_a_payload_is_refused_while_it_is_in_flight() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        let (first, second) =
            (ends.client.ping(Some(b"twice")), ends.client.ping(Some(b"twice"))).join().await;
        assert!(first.is_ok());
        assert!(matches!(second, Err(PingError::InFlight { .. })), "{second:?}");
        Ok(())
    });
}

#[test]
fn f06_a_cancelled_send_leaves_no_torn_frame() {
    for polls in 0..20 {
        simulated(async |n| {
            let ends = pair(&n).await?;
            let big = Message::from(vec![1; 300_000]); // more than the pipe and the queue hold
            let next = Message::from("whole");
            let arrived = n.child({
                let server = ends.server.clone();
                let next = next.clone();
                async move {
                    let mut before = 0;
                    loop {
                        let message = server.get_message().await?;
                        if message == next {
                            return Ok(before);
                        }
                        assert_eq!(message.len(), 300_000);
                        before += 1;
                    }
                }
            });
            let mut sent = 0;
            for _ in 0..3 {
                sent += usize::from(polled(polls, ends.client.send_message(big.clone())).await.is_some());
            }
            ends.client.send_message(next).await?;
            assert_eq!(arrived.await?, sent, "what was not sent has left nothing behind");
            Ok(())
        });
    }
}

#[test]
fn f07_a_ping_after_our_close_is_no_error() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            let closing = n.child({
                let ws = ws.clone();
                async move { Ok(ws.aclose(CloseCode::NORMAL_CLOSURE).await?) }
            });
            assert!(matches!(raw.receive().await, Some(Event::CloseConnection(_))));
            // Its own engine would not let it: what comes from a peer need not be right.
            let masked = role == Role::Server;
            let ping: &[u8] = if masked {
                b"\x89\x81\0\0\0\0x\x88\x82\0\0\0\0\x03\xE8"
            } else {
                b"\x89\x01x\x88\x02\x03\xE8"
            };
            raw.stream.write_all(ping).await?;
            if role == Role::Client {
                raw.stream.close().await?;
            }
            let mut rest = Vec::new();
            raw.stream.read_to_end(&mut rest).await?;
            assert!(rest.is_empty(), "nothing may follow a close frame: {rest:?}");
            drop(raw);
            closing.await?;
            assert!(ws.closed().unwrap().is_clean());
            Ok(())
        });
    }
}

#[test]
fn f08_a_handler_that_fails_harms_nobody() {
    let failures = Arc::new(AtomicUsize::new(0));
    let count = failures.clone();
    let config = ServerConfig::new().on_error(move |error| {
        assert!(matches!(error, ServerError::Handler { .. } | ServerError::Panicked { .. }), "{error}");
        count.fetch_add(1, Ordering::SeqCst);
    });
    let handler = async |request: WebSocketRequest| match request.path() {
        "/fail" => Err("failed".into()),
        "/panic" => panic!("on purpose"),
        _ => echo(request).await,
    };
    with_server_of(config, handler, async |server| {
        open_websocket(url(&server, "/"), async |ws| {
            for path in ["/fail", "/panic"] {
                let refused = open_websocket(url(&server, path), async |_ws| Ok::<(), Error>(())).await;
                let Err(Error::Handshake(HandshakeError::Rejected(rejected))) = refused else {
                    panic!("{refused:?}")
                };
                assert_eq!(rejected.status, 500);
                ws.send_message("still there").await?;
                assert_eq!(ws.get_message().await?.as_text(), Some("still there"));
            }
            Ok::<(), Error>(())
        })
        .await
    });
    assert_eq!(failures.load(Ordering::SeqCst), 2);
}

#[test]
fn f09_only_codes_and_reasons_of_the_standard_can_be_sent() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 5000, u16::MAX] {
        assert!(CloseCode::new(code).is_err(), "{code}");
    }
    assert!(
        CloseReason::new(CloseCode::NORMAL_CLOSURE, "é".repeat(62)).is_err(),
        "nothing is cut in silence"
    );
    simulated(async |n| {
        let ends = pair(&n).await?;
        let reason = CloseReason::new(CloseCode::new(3000)?, "x".repeat(CloseReason::MAX_LEN))?;
        ends.client.aclose(reason.clone()).await?;
        assert_eq!(ends.server.wait_closed().await.frames().received, Some(Some(reason)));
        Ok(())
    });
}

#[test]
fn f10_a_client_that_has_left_is_not_accepted() {
    simulated(async |n| {
        let (mut here, there) = duplex(4096);
        here.write_all(REQUEST.as_bytes()).await?;
        let request = wrap_server_stream(&n, there, &ServerConfig::new()).await?;
        drop(here);
        let error = request.accept(Accept::new()).await.unwrap_err();
        assert!(matches!(error, HandshakeError::ClientLeft { .. }), "{error:?}");
        Ok(())
    });
}

#[test]
fn f10_what_comes_behind_the_request_is_kept() {
    simulated(async |n| {
        let (mut here, there) = duplex(4096);
        let mut bytes = REQUEST.as_bytes().to_vec();
        bytes.extend_from_slice(b"\x81\x85\0\0\0\0early");
        here.write_all(&bytes).await?;
        let request = wrap_server_stream(&n, there, &ServerConfig::new()).await?;
        here.write_all(b"\x81\x85\0\0\0\0later").await?; // before it is accepted
        let ws = request.accept(Accept::new()).await?;
        assert_eq!(ws.get_message().await?.as_text(), Some("early"));
        assert_eq!(ws.get_message().await?.as_text(), Some("later"));
        Ok(())
    });
}

#[test]
fn f10_what_comes_behind_the_answer_is_kept() {
    simulated(async |n| {
        let (here, mut there) = duplex(4096);
        let connect = wrap_client_stream(&n, here, URL);
        let accept = async {
            let request = head(&mut there).await;
            let key =
                request.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap().to_owned();
            let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
            let mut answer = format!(
                "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            )
            .into_bytes();
            answer.extend_from_slice(b"\x81\x05early");
            there.write_all(&answer).await.unwrap();
        };
        let (ws, ()) = (connect, accept).join().await;
        assert_eq!(ws?.get_message().await?.as_text(), Some("early"));
        Ok(())
    });
}

#[test]
fn f11_a_request_that_is_dropped_answers_500() {
    simulated(async |n| {
        let (mut here, there) = duplex(4096);
        here.write_all(REQUEST.as_bytes()).await?;
        drop(wrap_server_stream(&n, there, &ServerConfig::new()).await?);
        let answer = head(&mut here).await;
        assert!(answer.starts_with("http/1.1 500 "), "{answer}");
        Ok(())
    });
}

#[test]
fn f11_a_handler_that_never_decides_answers_503() {
    let (report, mut reports) = mpsc::unbounded();
    let config = ServerConfig::new().decision_timeout(Duration::from_millis(20)).on_error(move |error| {
        report.unbounded_send(matches!(error, ServerError::DecisionTimeout { .. })).unwrap()
    });
    with_server_of(
        config,
        async |_request| std::future::pending().await,
        async |server| {
            let refused = open_websocket(url(&server, "/"), async |_ws| Ok::<(), Error>(())).await;
            let Err(Error::Handshake(HandshakeError::Rejected(rejected))) = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(rejected.status, 503);
            assert_eq!(reports.next().await, Some(true));
            Ok(())
        },
    );
}

#[test]
fn f11_a_handler_may_lift_the_limit_of_its_decision() {
    let config = ServerConfig::new().decision_timeout(Duration::from_millis(20));
    let handler = async |request: WebSocketRequest| {
        request.lift_decision_timeout();
        wscope::sleep(Duration::from_millis(60)).await; // the real clock: it must be longer than the limit
        echo(request).await
    };
    with_server_of(config, handler, async |server| {
        open_websocket(url(&server, "/"), async |_ws| Ok::<(), Error>(())).await
    });
}

#[test]
fn f12_a_message_that_is_too_big_ends_with_1009_and_a_whole_closing_handshake() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new().max_message_size(100)).await?;
            raw.send(vec![0; 101]).await;
            let Some(Event::CloseConnection(close)) = raw.receive().await else { panic!("no close frame") };
            assert_eq!(close.reason.map(|reason| reason.code()), Some(CloseCode::MESSAGE_TOO_BIG));
            raw.answer().await;
            drop(raw);
            let closed = fail_after(Duration::from_secs(2), ws.wait_closed()).await?;
            let CloseCause::Protocol(ProtocolError::MessageTooBig { size, limit }) = closed.cause() else {
                panic!("{closed}")
            };
            assert_eq!((*size, *limit), (101, 100));
            Ok(())
        });
    }
}

#[test]
fn f13_the_limit_counts_bytes_of_text_too() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new().max_message_size(100)).await?;
            raw.send("€".repeat(33)).await; // 99 bytes
            assert_eq!(ws.get_message().await?.len(), 99);
            raw.send("€".repeat(34)).await; // 34 characters, 102 bytes
            let closed = ws.get_message().await.unwrap_err();
            assert!(
                matches!(closed.cause(), CloseCause::Protocol(ProtocolError::MessageTooBig { .. })),
                "{closed}"
            );
            Ok(())
        });
    }
}

#[test]
fn f14_pings_are_answered_beside_unread_messages() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            for _ in 0..100 {
                raw.send("unread").await;
            }
            raw.send(Ping::new(b"there?")?).await;
            let pong = fail_after(Duration::from_secs(1), raw.receive()).await?;
            assert_eq!(pong, Some(Event::Pong(Ping::new(b"there?")?.response())));
            assert_eq!(ws.stats().messages_received, 100);
            raw.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE)).await;
            assert!(matches!(raw.receive().await, Some(Event::CloseConnection(_))));
            for _ in 0..100 {
                assert_eq!(
                    ws.get_message().await?.as_text(),
                    Some("unread"),
                    "what came before the close can be read"
                );
            }
            assert!(ws.get_message().await.is_err());
            Ok(())
        });
    }
}
