//! One connection of a server: requests that are slow or none, handlers that are not well, and nothing that reaches another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, channel::mpsc};
use wscope::{
    ConnectionConfig, Error, Nursery, ServerConfig, WebSocketConnection, WebSocketRequest, connect_websocket,
    nursery, open_websocket, sleep,
    websocket::{Accept, HandshakeError, ServerError},
};

use crate::{
    sockets::{Socket, answer, status},
    support::{REQUEST, echo, gate, url, with_server, with_server_of},
};

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

const SECOND: Duration = Duration::from_secs(1);
