//! Servers on real sockets: whom they let in, whom they do without, and how they stop.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, channel::mpsc, channel::oneshot};
use wscope::{
    Child, ClientConfig, CloseCode, ConnectionConfig, Error, Nursery, ServerConfig, ServerHandle, Text,
    WebSocketConnection, WebSocketRequest, WebSocketServer, broadcast, connect_websocket, fail_after,
    nursery, open_websocket, run,
    scope::Join,
    sleep,
    testing::Census,
    websocket::{Accept, BoxError, HandshakeError, OriginPolicy, ServerError},
};

use crate::{
    sockets::{Socket, answer, status, until},
    support::{REQUEST, echo, url, with_server, with_server_of},
};

/// Runs `server`, which may be stopped by its handle and is at the latest when `body` returns. `body` can wait for the end of
/// `run`. Nothing may take longer than 30 s.
pub(crate) fn serving<T, H, F>(
    server: impl AsyncFnOnce() -> io::Result<WebSocketServer>,
    handler: H,
    body: impl AsyncFnOnce(&ServerHandle, Child<()>) -> Result<T, Error>,
) -> T
where
    H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    run(fail_after(
        30 * SECOND,
        nursery(async |n: Nursery<'_, Error>| {
            let server = server().await?;
            let handle = server.handle();
            let running = n.child(async {
                server.run(handler).await;
                Ok(())
            });
            let value = body(&handle, running).await?;
            handle.stop();
            Ok(value)
        }),
    ))
    .unwrap()
    .unwrap()
}

async fn local(config: ServerConfig) -> io::Result<WebSocketServer> {
    Ok(WebSocketServer::bind("127.0.0.1:0").await?.config(config))
}

/// A gate at which many wait; it opens when the first half is used or dropped.
fn gate() -> (oneshot::Sender<()>, impl Future<Output = ()> + Clone + Send + Sync) {
    let (open, opened) = oneshot::channel();
    (open, opened.map(|_| ()).shared())
}

// ---- limits

#[test]
fn connections_beyond_the_limit_are_answered_503() {
    with_server_of(ServerConfig::new().max_connections(2), echo, async |server| {
        nursery(async |n: Nursery<'_, Error>| {
            let first = connect_websocket(&n, url(&server, "/")).await?;
            let second = connect_websocket(&n, url(&server, "/")).await?;
            assert_eq!(answer(&server, "/").await, 503);
            first.aclose(CloseCode::NORMAL_CLOSURE).await?;
            until(async || answer(&server, "/").await == 101).await;
            second.ping(None).await?;
            Ok(())
        })
        .await
    });
}

#[test]
fn requests_that_wait_for_a_decision_count_as_connections() {
    let (open, opened) = gate();
    let handler = move |request| {
        let opened = opened.clone();
        async move {
            opened.await;
            echo(request).await
        }
    };
    with_server_of(ServerConfig::new().max_connections(2), handler, async |server| {
        nursery(async |n: Nursery<'_, Error>| {
            let (told, mut answers) = mpsc::unbounded();
            for _ in 0..5 {
                let (server, told) = (server.clone(), told.clone());
                n.start_soon(
                    async move { told.unbounded_send(answer(&server, "/").await).map_err(Error::other) },
                );
            }
            for _ in 0..3 {
                assert_eq!(answers.next().await, Some(503));
            }
            drop(open);
            for _ in 0..2 {
                assert_eq!(answers.next().await, Some(101));
            }
            Ok(())
        })
        .await
    });
}

#[test]
fn unfinished_handshakes_beyond_the_limit_are_closed_at_once() {
    with_server_of(ServerConfig::new().max_handshakes(2), echo, async |server| {
        let mut silent = [Socket::to(server.port()).await, Socket::to(server.port()).await];
        silent[1].send("GET / HT").await;
        assert_eq!(Socket::to(server.port()).await.rest().await, b"");
        drop(silent);
        until(async || open_websocket(url(&server, "/"), async |_| Ok::<(), Error>(())).await.is_ok()).await;
        Ok(())
    });
}

#[test]
fn connections_that_are_open_are_no_unfinished_handshakes() {
    with_server_of(ServerConfig::new().max_handshakes(1), echo, async |server| {
        nursery(async |n: Nursery<'_, Error>| {
            for _ in 0..10 {
                connect_websocket(&n, url(&server, "/")).await?.ping(None).await?;
            }
            Ok(())
        })
        .await
    });
}

#[test]
fn a_request_that_is_not_complete_in_time_is_answered_408() {
    let (report, mut reports) = mpsc::unbounded();
    let config = ServerConfig::new()
        .handshake_timeout(Duration::from_millis(30))
        .on_error(move |error| report.unbounded_send(error.to_string()).unwrap());
    with_server_of(config, echo, async |server| {
        let mut half = Socket::to(server.port()).await;
        half.send(&REQUEST[..40]).await;
        assert_eq!(status(&half.text().await), Some(408));
        drop(half);
        let told = reports.next().await.unwrap();
        assert!(told.contains("not complete in time: 40 bytes of it had come"), "{told}");
        // Who has sent nothing has asked for nothing, and is not told off.
        assert_eq!(Socket::to(server.port()).await.rest().await, b"");
        Ok(())
    });
    assert!(reports.try_recv().is_err(), "silence is not worth a report");
}

#[test]
fn the_limit_of_a_handshake_is_not_moved_by_bytes() {
    let config = ServerConfig::new().handshake_timeout(Duration::from_millis(50));
    with_server_of(config, echo, async |server| {
        let mut socket = Socket::to(server.port()).await;
        socket.send("GET / HTTP/1.1\r\nX: ").await;
        let mut reader = Socket(async_io::Async::new(socket.0.get_ref().try_clone()?)?);
        let mut answered = std::pin::pin!(reader.rest());
        let mut bytes = 0;
        while (&mut answered).now_or_never().is_none() {
            sleep(Duration::from_millis(2)).await;
            let _ = futures::AsyncWriteExt::write(&mut socket.0, b"x").await; // the server may be gone
            bytes += 1;
            assert!(bytes < 5000, "8 KiB of them would be a line that is too long");
        }
        Ok(())
    });
}

#[test]
fn a_slow_request_that_is_complete_in_time_is_let_in() {
    with_server(echo, async |server| {
        let mut socket = Socket::to(server.port()).await;
        for byte in REQUEST.bytes() {
            socket.send([byte]).await;
            // A turn for others: the server mostly gets them one by one.
            sleep(Duration::ZERO).await;
        }
        assert_eq!(status(&socket.head().await), Some(101));
        socket.send(b"\x88\x80\0\0\0\0").await;
        assert_eq!(socket.rest().await, b"\x88\0");
        Ok(())
    });
}

// ---- origins

#[test]
fn each_origin_policy_lets_in_whom_it_names() {
    let list = OriginPolicy::list(["https://app.example.com", "http://other.example.com:8080"]).unwrap();
    let policies = [OriginPolicy::SameHost, list, OriginPolicy::Any];
    // Host, then the Origin headers, then the answer of each of the three policies.
    let table: &[(&str, &[&str], [u16; 3])] = &[
        ("example.com", &[], [101, 101, 101]),
        ("example.com", &["http://example.com"], [101, 101, 101]),
        ("example.com", &["https://example.com"], [101, 101, 101]),
        ("example.com", &["https://EXAMPLE.com"], [101, 101, 101]),
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
        ("example.com", &["http://app.example.com"], [403, 403, 101]),
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
    for text in
        ["", "example.com", "https://", "https://example.com/", "https://a@b", "https://example.com:x"]
    {
        assert!(OriginPolicy::list([text]).is_err(), "{text}");
    }
}

// ---- stopping

#[test]
fn a_server_that_is_stopped_says_1001_to_all_and_returns() {
    serving(
        async || local(ServerConfig::new()).await,
        echo,
        async |server, running| {
            let codes = nursery(async |n: Nursery<'_, Error>| {
                let mut clients = Vec::new();
                for _ in 0..20 {
                    clients.push(connect_websocket(&n, url(server, "/")).await?);
                }
                until(async || server.connections().len() == 20).await;
                server.stop();
                let mut codes = Vec::new();
                for ws in clients {
                    codes.push(ws.wait_closed().await.code());
                }
                Ok(codes)
            });
            assert_eq!(codes.await?, [1001; 20]);
            running.await?;
            assert!(server.connections().is_empty());
            let gone = open_websocket(url(server, "/"), async |_| Ok::<(), Error>(())).await;
            assert!(matches!(gone, Err(Error::Handshake(HandshakeError::Dial(_)))), "{gone:?}");
            Ok(())
        },
    );
}

#[test]
fn while_a_stopped_server_waits_for_its_handlers_new_requests_are_answered_503() {
    let (open, opened) = gate();
    let handler = move |request: WebSocketRequest| {
        let opened = opened.clone();
        async move {
            let ws = request.accept(Accept::new()).await?;
            ws.wait_closed().await;
            opened.await; // the handler has something to finish
            Ok(())
        }
    };
    serving(
        async || local(ServerConfig::new()).await,
        handler,
        async |server, running| {
            open_websocket(url(server, "/"), async |ws: WebSocketConnection| {
                ws.ping(None).await?;
                server.stop();
                assert_eq!(ws.wait_closed().await.code(), 1001);
                for _ in 0..3 {
                    assert_eq!(answer(server, "/").await, 503);
                }
                Ok::<(), Error>(())
            })
            .await?;
            drop(open);
            Ok(running.await?)
        },
    );
}

#[test]
fn handlers_that_do_not_end_are_cancelled_after_the_stop_timeout() {
    let census = Census::new();
    let guests = census.clone();
    let handler = move |request: WebSocketRequest| {
        let guest = guests.join();
        async move {
            let _guest = guest;
            let _ws = request.accept(Accept::new()).await?;
            std::future::pending().await
        }
    };
    let config = ServerConfig::new().stop_timeout(Duration::from_millis(20));
    serving(
        async || local(config).await,
        handler,
        async |server, running| {
            open_websocket(url(server, "/"), async |ws: WebSocketConnection| {
                ws.ping(None).await?;
                assert_eq!(census.present(), 1);
                server.stop();
                assert_eq!(ws.wait_closed().await.code(), 1001);
                Ok::<(), Error>(())
            })
            .await?;
            running.await?;
            assert_eq!(census.present(), 0);
            Ok(())
        },
    );
}

#[test]
fn who_is_let_in_after_the_stop_is_sent_away_with_1001() {
    let (open, opened) = gate();
    let (asked, mut asking) = mpsc::unbounded();
    let handler = move |request: WebSocketRequest| {
        let (opened, asked) = (opened.clone(), asked.clone());
        async move {
            asked.unbounded_send(())?;
            opened.await;
            let ws = request.accept(Accept::new()).await?;
            ws.wait_closed().await;
            Ok(())
        }
    };
    let began = Instant::now();
    serving(
        async || local(ServerConfig::new()).await,
        handler,
        async |server, running| {
            let client =
                open_websocket(url(server, "/"), async |ws| Ok::<_, Error>(ws.wait_closed().await.code()));
            let stop = async {
                asking.next().await;
                server.stop();
                drop(open);
            };
            let (code, ()) = (client, stop).join().await;
            assert_eq!(code?, 1001);
            Ok(running.await?)
        },
    );
    assert!(began.elapsed() < ServerConfig::STOP_TIMEOUT);
}

#[test]
fn a_client_that_asks_nothing_does_not_hold_up_the_stop() {
    let began = Instant::now();
    serving(
        async || local(ServerConfig::new()).await,
        echo,
        async |server, running| {
            let mut sockets = [Socket::to(server.port()).await, Socket::to(server.port()).await];
            sockets[1].send("GET / HTTP/1.1\r\n").await;
            assert_eq!(answer(server, "/").await, 101); // those before have been accepted by now
            server.stop();
            running.await?;
            for mut socket in sockets {
                socket.rest().await;
            }
            Ok(())
        },
    );
    assert!(began.elapsed() < ServerConfig::STOP_TIMEOUT);
}

#[test]
fn a_server_that_was_stopped_before_it_runs_returns_at_once() {
    serving(
        async || {
            let server = local(ServerConfig::new()).await?;
            server.handle().stop();
            Ok(server)
        },
        echo,
        async |_, running| Ok(running.await?),
    );
}

// ---- listeners

#[test]
fn one_server_listens_in_several_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let server = async || {
        WebSocketServer::bind("127.0.0.1:0").await?.and_bind("[::1]:0").await?.and_bind_unix(&path).await
    };
    serving(server, echo, async |server, _| {
        let endpoints = server.endpoints();
        let [v4, v6, unix] = &endpoints[..] else { panic!("{endpoints:?}") };
        assert_eq!(v4.port(), Some(server.port()));
        assert_ne!(v4.port(), v6.port());
        assert!(v6.url().unwrap().starts_with("ws://[::1]:"));
        assert_eq!((unix.path(), unix.port(), unix.url()), (Some(&*path), None, None));
        let over_unix = ClientConfig::new("ws://example.com/")?.unix_socket(&path);
        for client in
            [ClientConfig::new(&v4.url().unwrap())?, ClientConfig::new(&v6.url().unwrap())?, over_unix]
        {
            let through = open_websocket(client, async |ws: WebSocketConnection| {
                ws.send_message("hello").await?;
                ws.get_message().await?;
                Ok::<_, Error>(ws.remote().clone())
            });
            assert!(endpoints.contains(&through.await?));
        }
        Ok(())
    });
}

#[cfg(feature = "tls")]
#[test]
fn one_server_listens_with_tls_and_without() {
    let authority = crate::certificates::Authority::new();
    let certified = authority.server(&["localhost"]);
    let tls = || {
        use wscope::websocket::{Identity, TlsServerConfig};
        TlsServerConfig::new(Identity::from_pem(certified.pem(), certified.key()).unwrap()).unwrap()
    };
    let server =
        async || WebSocketServer::bind_tls("127.0.0.1:0", tls()).await?.and_bind("127.0.0.1:0").await;
    serving(server, echo, async |server, _| {
        let [secure, plain] = &server.endpoints()[..] else { panic!("{server:?}") };
        assert_eq!((secure.is_tls(), plain.is_tls()), (true, false));
        assert_eq!(Some(server.port()), secure.port());
        let trust = wscope::websocket::TlsConfig::new().root_certificate_pem(authority.root().pem()).unwrap();
        let secure = format!("wss://localhost:{}/", server.port());
        assert_eq!(
            crate::sockets::answer_to(ClientConfig::new(&secure)?.tls(trust.only_given_roots())).await,
            101
        );
        assert_eq!(crate::sockets::answer_to(plain.url().unwrap()).await, 101);
        Ok(())
    });
}

#[test]
fn a_server_of_unix_sockets_alone_has_no_port() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    serving(
        async || WebSocketServer::bind_unix(&path).await,
        echo,
        async |server, _| {
            assert_eq!(server.port(), 0);
            Ok(())
        },
    );
    assert!(!path.exists(), "the file has gone with the server");
}

// ---- the live ones

#[test]
fn live_connections_are_listed_until_they_are_closed() {
    with_server(echo, async |server| {
        nursery(async |n: Nursery<'_, Error>| {
            let mut clients = Vec::new();
            for count in 0..5 {
                until(async || server.connections().len() == count).await;
                clients.push(connect_websocket(&n, url(&server, "/")).await?);
            }
            for (count, ws) in clients.into_iter().enumerate() {
                until(async || server.connections().len() == 5 - count).await;
                assert!(server.connections().iter().all(WebSocketConnection::is_server));
                ws.aclose(CloseCode::NORMAL_CLOSURE).await?;
            }
            until(async || server.connections().is_empty()).await;
            Ok(())
        })
        .await
    });
}

#[test]
fn a_broadcast_skips_who_has_no_room_is_closed_or_sends_in_pieces() {
    let (report, mut reports) = mpsc::unbounded();
    let handler = move |request: WebSocketRequest| {
        let report = report.clone();
        async move {
            let path = request.path().to_owned();
            let ws = request.accept(Accept::new()).await?;
            match &*path {
                "/slow" => {
                    let full = vec![0; 1 << 20];
                    while ws.stats().unsent < ConnectionConfig::SEND_BUFFER {
                        ws.send_message(full.clone()).await?;
                    }
                    report.unbounded_send(ws.clone())?;
                    ws.wait_closed().await;
                }
                "/pieces" => {
                    let mut writer = ws.send_pieces::<Text>().await?;
                    writer.send("in ").await?;
                    report.unbounded_send(ws.clone())?;
                    ws.get_message().await?;
                    writer.finish("pieces").await?;
                    ws.wait_closed().await;
                }
                "/closed" => {
                    report.unbounded_send(ws.clone())?;
                    ws.wait_closed().await;
                }
                _ => {
                    report.unbounded_send(ws.clone())?;
                    ws.wait_closed().await;
                }
            }
            Ok(())
        }
    };
    with_server(handler, async |server| {
        nursery(async |n: Nursery<'_, Error>| {
            let client = connect_websocket(&n, url(&server, "/")).await?;
            let hears = reports.next().await.unwrap();
            let in_pieces = connect_websocket(&n, url(&server, "/pieces")).await?;
            let pieces = reports.next().await.unwrap();
            let mut deaf = Socket::to(server.port()).await;
            deaf.send(REQUEST.replace("GET / ", "GET /slow ")).await;
            let slow = reports.next().await.unwrap();
            let left = connect_websocket(&n, url(&server, "/closed")).await?;
            let closed = reports.next().await.unwrap();
            left.aclose(CloseCode::NORMAL_CLOSURE).await?;
            closed.wait_closed().await;

            let all = [hears.clone(), pieces.clone(), slow.clone(), closed.clone()];
            assert_eq!(broadcast(&all, "news"), [&pieces, &slow, &closed]);
            assert_eq!(client.get_message().await?.as_text(), Some("news"));
            assert_eq!(broadcast([&client], "no client masks for many"), [&client]);

            in_pieces.send_message("go on").await?;
            assert_eq!(
                in_pieces.get_message().await?.as_text(),
                Some("in pieces"),
                "nothing has got in between"
            );
            until(async || server.connections().len() == 3).await;
            assert_eq!(server.broadcast(vec![1, 2]), std::slice::from_ref(&slow));
            for ws in [&client, &in_pieces] {
                assert_eq!(ws.get_message().await?.as_bytes(), [1, 2]);
            }
            slow.abort();
            Ok(())
        })
        .await
    });
}

// ---- one of them is not well

#[test]
fn handlers_that_compute_stall_panic_or_never_answer_harm_no_other() {
    let released = Arc::new(AtomicBool::new(false));
    let (report, mut reports) = mpsc::unbounded();
    let release = released.clone();
    let handler = move |request: WebSocketRequest| {
        let (released, report) = (released.clone(), report.clone());
        async move {
            let path = request.path().to_owned();
            if path == "/" {
                return echo(request).await;
            }
            report.unbounded_send(())?;
            match &*path {
                "/silent" => std::future::pending().await,
                "/panics" => panic!("on purpose"),
                _ => {}
            }
            let ws = request.accept(Accept::new()).await?;
            if path == "/stalls" {
                std::future::pending::<()>().await;
            }
            let began = Instant::now();
            while !released.load(Ordering::SeqCst) {
                assert!(began.elapsed() < 20 * SECOND, "nobody else was served");
                std::thread::yield_now();
            }
            ws.send_message("computed").await?;
            Ok(())
        }
    };
    with_server(handler, async |server| {
        nursery(async |n: Nursery<'_, Error>| {
            let stalls = connect_websocket(&n, url(&server, "/stalls")).await?;
            // On one processor the executor has one thread, and who computes on it holds up everybody, as the docs say.
            let alone = std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1);
            let path = if alone { "/stalls" } else { "/computes" };
            let computes = connect_websocket(&n, url(&server, path)).await?;
            let mut silent = Socket::to(server.port()).await;
            silent.send(REQUEST.replace("GET / ", "GET /silent ")).await;
            assert_eq!(answer(&server, "/panics").await, 500);
            for _ in 0..4 {
                reports.next().await;
            }
            stalls.send_message("into nothing").await?;
            open_websocket(url(&server, "/"), async |ws: WebSocketConnection| {
                for _ in 0..100 {
                    ws.send_message("hello").await?;
                    assert_eq!(ws.get_message().await?.as_text(), Some("hello"));
                }
                Ok::<(), Error>(())
            })
            .await?;
            stalls.ping(None).await?; // who does not read is driven all the same
            release.store(true, Ordering::SeqCst);
            if !alone {
                assert_eq!(computes.get_message().await?.as_text(), Some("computed"));
            }
            Ok(())
        })
        .await
    });
}

#[test]
fn what_is_no_opening_handshake_is_answered_at_once() {
    let table: &[(&[u8], Option<u16>)] = &[
        (b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", Some(426)),
        (b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello", Some(405)),
        (b"GET / HTTP/1.0\r\n\r\n", Some(505)),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", Some(505)),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Some(400)),
        (b"\x81\x85\x01\x02\x03\x04hello", Some(400)),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Some(400)),
        (b"\r\n\r\n\r\n\r\n", Some(400)),
        (b"\0\0\0\0\0\0\0\0", Some(400)),
    ];
    let (report, mut reports) = mpsc::unbounded();
    let config = ServerConfig::new().on_error(move |error| {
        report.unbounded_send(matches!(error, ServerError::Request { .. })).unwrap();
    });
    let began = Instant::now();
    with_server_of(config, echo, async |server| {
        for (bytes, answer) in table {
            let mut socket = Socket::to(server.port()).await;
            socket.send(bytes).await;
            let said = socket.text().await;
            let shown = String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(status(&said), *answer, "{shown}: {said}");
            assert!(said.to_lowercase().contains("\r\nconnection: close"), "{shown}: {said}");
            drop(socket);
            assert_eq!(reports.next().await, Some(true), "{shown}");
        }
        let mut old = Socket::to(server.port()).await;
        old.send(REQUEST.replace("Version: 13", "Version: 8")).await;
        let said = old.text().await;
        assert_eq!(status(&said), Some(426), "{said}");
        assert!(said.to_lowercase().contains("\r\nsec-websocket-version: 13\r\n"), "{said}");
        Ok(())
    });
    assert!(began.elapsed() < ServerConfig::HANDSHAKE_TIMEOUT);
}

#[test]
fn a_refusal_is_sent_also_where_closing_has_no_limit() {
    let config = ServerConfig::new().connection(ConnectionConfig::new().close_timeout(None));
    with_server_of(config, echo, async |server| {
        let mut socket = Socket::to(server.port()).await;
        socket.send("POST / HTTP/1.1\r\n\r\n").await;
        assert_eq!(status(&socket.head().await), Some(405));
        // More than was asked for. Closed on the spot, a reset would answer it, and eat what was not read yet.
        socket.send([b'x'; 100_000]).await;
        let mut body = Vec::new();
        futures::AsyncReadExt::read_to_end(&mut socket.0, &mut body).await?;
        assert!(!body.is_empty());
        Ok(())
    });
}

#[test]
fn who_has_left_before_the_answer_is_reported_and_not_let_in() {
    let (open, opened) = gate();
    let (asked, mut asking) = mpsc::unbounded();
    let handler = move |request: WebSocketRequest| {
        let (opened, asked) = (opened.clone(), asked.clone());
        async move {
            asked.unbounded_send(())?;
            opened.await;
            let left = request.accept(Accept::new()).await;
            assert!(matches!(left, Err(HandshakeError::ClientLeft { .. })), "{left:?}");
            left?;
            Ok(())
        }
    };
    let (report, mut reports) = mpsc::unbounded();
    let config = ServerConfig::new().on_error(move |error| {
        assert!(matches!(error, ServerError::Handler { .. }), "{error}");
        report.unbounded_send(()).unwrap();
    });
    with_server_of(config, handler, async |server| {
        let mut socket = Socket::to(server.port()).await;
        socket.send(REQUEST).await;
        asking.next().await;
        drop(socket);
        drop(open);
        reports.next().await;
        assert!(server.connections().is_empty());
        Ok(())
    });
}

// ---- out of files

/// Set for the process that runs out of files.
#[cfg(target_os = "linux")]
const SCARCE: &str = "WSCOPE_TEST_WITH_FEW_FILES";

#[cfg(target_os = "linux")]
#[test]
fn a_server_out_of_files_waits_says_so_once_and_serves_again() {
    if std::env::var_os(SCARCE).is_some() {
        return serve_with_few_files();
    }
    let scarce = Process::start("server::a_server_out_of_files_waits_says_so_once_and_serves_again");
    run(fail_after(30 * SECOND, async {
        let address = format!("ws://127.0.0.1:{}/", scarce.port);
        let before = scarce.open_files();
        let mut flood = Vec::new();
        for _ in 0..FILES * 2 {
            flood.push(Socket::to(scarce.port).await);
        }
        until(async || scarce.open_files() >= FILES).await;
        let busy = scarce.processor_time();
        sleep(Duration::from_millis(300)).await; // the real clock: a loop that spins would take all of it
        let busy = scarce.processor_time() - busy;
        assert!(busy < Duration::from_millis(100), "it spins: {busy:?} of 300 ms");
        drop(flood);
        let droughts = open_websocket(address, async |ws: WebSocketConnection| {
            Ok::<_, Error>(ws.get_message().await?.as_text().unwrap().to_owned())
        });
        assert_eq!(droughts.await.unwrap(), "1");
        until(async || scarce.open_files() <= before + 1).await;
    }))
    .unwrap();
}

/// The other process: tells everybody how often it was told that accepting has failed.
#[cfg(target_os = "linux")]
fn serve_with_few_files() {
    let droughts = Arc::new(AtomicUsize::new(0));
    let count = droughts.clone();
    let config = ServerConfig::new().on_error(move |error| {
        if let ServerError::Listen(error) = error {
            assert_eq!(error.raw_os_error(), Some(24), "EMFILE");
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let handler = move |request: WebSocketRequest| {
        let droughts = droughts.clone();
        async move {
            let ws = request.accept(Accept::new()).await?;
            ws.send_message(droughts.load(Ordering::SeqCst).to_string()).await?;
            ws.wait_closed().await;
            Ok(())
        }
    };
    with_server_of(config, handler, async |server| {
        println!("PORT={};", server.port());
        wscope::blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await?; // until the first process has gone
        Ok(())
    });
}

#[cfg(target_os = "linux")]
const FILES: usize = 64;

/// This binary once more, with few files. Ended with this value.
#[cfg(target_os = "linux")]
struct Process {
    child: std::process::Child,
    port: u16,
}

#[cfg(target_os = "linux")]
impl Process {
    fn start(test: &str) -> Self {
        use std::{io::Read, process::Stdio};
        let mut child = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -n {FILES} && exec \"$0\" --exact {test} --nocapture"))
            .arg(std::env::current_exe().unwrap())
            .env(SCARCE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut output, mut said) = (child.stdout.take().unwrap(), String::new());
        let port = loop {
            let mut byte = [0];
            assert_eq!(output.read(&mut byte).unwrap(), 1, "it has ended: {said}");
            said.push(char::from(byte[0]));
            if let Some((_, rest)) = said.split_once("PORT=")
                && let Some(port) = rest.strip_suffix(';')
            {
                break port.parse().unwrap();
            }
        };
        child.stdout = Some(output); // or what it prints at its end would break its pipe
        Self { child, port }
    }

    fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// In user and system mode.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks: u64 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

const SECOND: Duration = Duration::from_secs(1);
