//! Clients, and what both ends of a connection owe each other at its beginning and at its end: what trio-websocket tries, beyond the other
//! files here.

use std::time::Duration;

use futures::{AsyncWriteExt, StreamExt, channel::mpsc};
use wscope::{
    ClientConfig, CloseCode, ConnectionClosed, ConnectionConfig, Error, Nursery, ServerConfig, ServerHandle,
    WebSocketConnection, WebSocketRequest, fail_after, nursery, open_websocket,
    proto::{CloseConnection, Event, Role},
    run,
    scope::Join,
    serve_websocket,
    testing::polled,
    websocket::{Accept, CloseCause, DialError, Endpoint, HandshakeError, PingError, SendError},
    wrap_client_stream,
};

use crate::{
    sockets::until,
    support::{BOTH, URL, echo, handing_out, pair, pair_of, simulated, url, with_raw, with_server},
};

#[test]
fn a_url_says_path_and_query_and_they_go_as_they_are() {
    let targets = [
        ("", "/"),
        ("/", "/"),
        ("/resource", "/resource"),
        ("/resource?foo=bar&baz", "/resource?foo=bar&baz"),
        ("?foo=bar", "/?foo=bar"),
        ("/foo%20bar/%3F?q=%C3%A9", "/foo%20bar/%3F?q=%C3%A9"),
    ];
    let handler = async |request: WebSocketRequest| {
        let asked = match request.query() {
            Some(query) => format!("{}?{query}", request.path()),
            None => request.path().to_owned(),
        };
        let ws = request.accept(Accept::new()).await?;
        assert_eq!(ws.path(), asked);
        ws.send_message(asked).await?;
        ws.wait_closed().await;
        Ok(())
    };
    with_server(handler, async |server| {
        for (path, target) in targets {
            open_websocket(url(&server, path), async |ws: WebSocketConnection| {
                assert_eq!(ws.path(), target);
                assert_eq!(ws.get_message().await?.as_text(), Some(target));
                Ok::<(), Error>(())
            })
            .await?;
        }
        Ok(())
    });
}

#[test]
fn what_is_no_url_of_a_websocket_is_refused_before_anything_is_sent() {
    for text in [
        "",
        "http://example.com",
        "example.com",
        "ws:///path",
        "ws://example.com:x/",
        "ws://a b/",
        "ws://h/#frag",
    ] {
        let refused = run(open_websocket(text, async |_ws| Ok::<(), Error>(())));
        assert!(matches!(refused, Err(Error::Handshake(HandshakeError::Uri(_)))), "{text}: {refused:?}");
    }
}

#[test]
fn a_host_that_is_not_there_is_an_error_that_names_it() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failed = run(open_websocket(format!("ws://{free}/"), async |_ws| Ok::<(), Error>(())));
    let Err(Error::Handshake(HandshakeError::Dial(error))) = failed else { panic!("{failed:?}") };
    let DialError::Unreachable(unreachable) = &*error else { panic!("{error:?}") };
    assert_eq!(unreachable.attempts().next().unwrap().0, free);
}

#[test]
fn a_server_is_started_by_the_start_protocol_of_a_nursery() {
    run(fail_after(
        30 * SECOND,
        nursery(async |n: Nursery<'_, Error>| {
            let server: ServerHandle = n
                .start_service_with(async |status| serve_websocket("127.0.0.1:0", echo, status).await)
                .await?;
            open_websocket(url(&server, "/"), async |ws: WebSocketConnection| {
                ws.ping(None).await?;
                Ok::<(), Error>(())
            })
            .await?;
            let taken = ("127.0.0.1", server.port());
            let failed: Result<ServerHandle, Error> =
                n.start_service_with(async move |status| serve_websocket(taken, echo, status).await).await;
            assert!(matches!(failed, Err(Error::Io(_))), "{failed:?}");
            Ok(())
        }),
    ))
    .unwrap()
    .unwrap();
}

#[test]
fn both_ends_know_where_they_are_before_and_after_the_handshake() {
    let (report, mut reports) = mpsc::unbounded();
    let handler = move |request: WebSocketRequest| {
        let report = report.clone();
        async move {
            let asked = (request.local().clone(), request.remote().clone());
            let ws = request.accept(Accept::new()).await?;
            assert_eq!(asked, (ws.local().clone(), ws.remote().clone()));
            report.unbounded_send(asked)?;
            ws.wait_closed().await;
            Ok(())
        }
    };
    with_server(handler, async |server| {
        open_websocket(url(&server, "/"), async |ws: WebSocketConnection| {
            assert!(ws.is_client() && !ws.is_server());
            let (local, remote) = reports.next().await.unwrap();
            assert_eq!((ws.local(), ws.remote()), (&remote, &local));
            assert_eq!(local, server.endpoints()[0]);
            Ok::<(), Error>(())
        })
        .await
    });
}

#[test]
fn over_a_stream_of_ones_own_nobody_knows_where_the_ends_are() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        for ws in [&ends.client, &ends.server] {
            assert_eq!((ws.local(), ws.remote()), (&Endpoint::Other, &Endpoint::Other));
        }
        ends.client.send_message("hello").await?;
        assert_eq!(ends.server.get_message().await?.as_text(), Some("hello"));
        Ok(())
    });
}

#[test]
fn the_headers_of_the_peer_can_be_read_on_both_sides() {
    let (handler, mut handed) = handing_out();
    with_server(handler, async |server| {
        let config = ClientConfig::new(&url(&server, "/"))?.header("X-Trace", "7")?;
        open_websocket(config, async |ws: WebSocketConnection| {
            let there = handed.next().await.unwrap();
            assert_eq!(there.handshake_headers()["x-trace"], "7");
            assert_eq!(ws.handshake_headers()["upgrade"], "websocket");
            Ok::<(), Error>(())
        })
        .await
    });
}

#[test]
fn the_error_of_a_block_is_not_hidden_by_what_closing_runs_into() {
    with_server(echo, async |server| {
        let config = ClientConfig::new(&url(&server, "/"))?
            .connection(ConnectionConfig::new().close_timeout(Duration::from_millis(10)));
        let failed = open_websocket(config, async |ws: WebSocketConnection| {
            ws.ping(None).await?;
            server.connections()[0].pause_reading(); // it will not answer the close frame
            Err::<(), _>(Error::other("mine"))
        });
        assert_eq!(failed.await.unwrap_err().to_string(), "mine");
        Ok(())
    });
}

#[test]
fn a_close_that_the_peer_does_not_answer_fails_in_time() {
    simulated(async |n| {
        let (ws, _raw) = with_raw(&n, Role::Client, ConnectionConfig::new()).await?;
        let late = ws.aclose(CloseCode::NORMAL_CLOSURE).await.unwrap_err();
        assert_eq!(Some(late.limit), ConnectionConfig::new().close_timeout);
        Ok(())
    });
}

#[test]
fn errors_can_be_cloned_kept_and_sent_to_other_threads() {
    fn is_kept<T: std::error::Error + Clone + Send + Sync + 'static>() {}
    is_kept::<HandshakeError>();
    is_kept::<ConnectionClosed>();
    is_kept::<SendError>();
    is_kept::<PingError>();
    is_kept::<wscope::websocket::ConnectionRejected>();
    is_kept::<wscope::websocket::ConnectionTimeout>();
    is_kept::<wscope::websocket::DisconnectionTimeout>();
}

#[test]
fn pings_of_several_tasks_get_each_its_own_pong() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        let (first, second, third) = (
            ends.client.ping(Some(b"first")),
            ends.client.ping(Some(b"second")),
            ends.server.ping(Some(b"first")),
        )
            .join()
            .await;
        assert!(first.is_ok() && second.is_ok() && third.is_ok());
        Ok(())
    });
}

#[test]
fn what_is_sent_after_the_peers_close_is_given_back() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            raw.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE)).await;
            assert!(matches!(raw.receive().await, Some(Event::CloseConnection(_))));
            let error = ws.send_message("too late").await.unwrap_err();
            assert_eq!(error.message.as_text(), Some("too late"));
            assert_eq!(error.closed.code(), 1000);
            assert!(matches!(ws.ping(None).await, Err(PingError::Closed(_))));
            assert!(ws.pong(b"").await.is_err());
            Ok(())
        });
    }
}

#[test]
fn a_send_that_waits_while_the_peer_closes_gives_its_message_back() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            while polled(1, ws.send_message(vec![0; 100_000])).await.is_some() {}
            let waiting = n.child({
                let ws = ws.clone();
                async move { Ok(ws.send_message("waits").await) }
            });
            wscope::sleep(SECOND).await;
            raw.send(CloseConnection::new(CloseCode::GOING_AWAY)).await;
            let error = fail_after(SECOND, waiting).await??.unwrap_err();
            assert_eq!((error.message.as_text(), error.closed.code()), (Some("waits"), 1001));
            Ok(())
        });
    }
}

#[test]
fn after_a_close_of_ones_own_nothing_is_read_any_more() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            raw.send("unread").await;
            until(async || ws.stats().messages_received == 1).await;
            ws.close(CloseCode::NORMAL_CLOSURE);
            raw.send("later").await;
            assert!(ws.get_message().await.is_err());
            assert!(ws.send_message("later").await.is_err());
            Ok(())
        });
    }
}

#[test]
fn a_block_may_end_with_messages_unread() {
    let handler = async |request: WebSocketRequest| {
        let ws = request.accept(Accept::new()).await?;
        for _ in 0..100 {
            ws.send_message(vec![0; 10_000]).await?;
        }
        ws.wait_closed().await;
        Ok(())
    };
    with_server(handler, async |server| {
        for _ in 0..10 {
            open_websocket(url(&server, "/"), async |ws: WebSocketConnection| {
                ws.get_message().await?;
                Ok::<(), Error>(())
            })
            .await?;
        }
        Ok(())
    });
}

#[test]
fn both_may_close_at_once() {
    simulated(async |n| {
        for (here, there) in [(1000, 1000), (1000, 1001), (3000, 4000)] {
            let ends = pair_of(&n, ConnectionConfig::new(), ConnectionConfig::new()).await?;
            let (client, server) =
                (ends.client.aclose(CloseCode::new(here)?), ends.server.aclose(CloseCode::new(there)?))
                    .join()
                    .await;
            client?;
            server?;
            let (client, server) = (ends.client.closed().unwrap(), ends.server.closed().unwrap());
            assert_eq!((client.cause(), server.cause()), (&CloseCause::Handshake, &CloseCause::Handshake));
            assert_eq!((client.code(), server.code()), (there, here));
        }
        Ok(())
    });
}

#[test]
fn a_peer_that_closes_and_runs_has_closed() {
    for role in BOTH {
        simulated(async |n| {
            let (ws, mut raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
            raw.send("last").await;
            raw.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE)).await;
            drop(raw);
            assert_eq!(ws.get_message().await?.as_text(), Some("last"));
            let closed = fail_after(SECOND, ws.wait_closed()).await?;
            assert_eq!((closed.code(), closed.is_clean()), (1000, true), "{role:?}: {closed}");
            Ok(())
        });
    }
}

#[test]
fn a_refused_request_has_one_second_to_take_its_answer() {
    simulated(async |n| {
        let (mut here, there) = wscope::testing::duplex(4096);
        here.write_all(b"GET / HTTP/1.1\r\n").await?;
        let config = ServerConfig::new().handshake_timeout(3 * SECOND);
        let began = wscope::runtime::now();
        let refused = wscope::wrap_server_stream(&n, there, &config).await;
        assert!(matches!(refused, Err(HandshakeError::Timeout(_))), "{refused:?}");
        assert_eq!(wscope::runtime::now() - began, 4 * SECOND);
        drop(here);
        let (silent, gone) = wscope::testing::duplex(4096);
        drop(gone);
        assert!(wrap_client_stream(&n, silent, URL).await.is_err());
        Ok(())
    });
}

const SECOND: Duration = Duration::from_secs(1);
