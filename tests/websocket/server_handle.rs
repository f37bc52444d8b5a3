//! How a server is stopped, and what it tells of the live ones.

use std::time::{Duration, Instant};

use futures::{StreamExt, channel::mpsc};
use wscope::{
    CloseCode, ConnectionConfig, Error, Nursery, ServerConfig, Text, WebSocketConnection, WebSocketRequest,
    broadcast, connect_websocket, nursery, open_websocket,
    scope::Join,
    testing::Census,
    websocket::{Accept, HandshakeError},
};

use crate::{
    sockets::{Socket, answer, until},
    support::{REQUEST, echo, gate, local, serving, url, with_server},
};

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
