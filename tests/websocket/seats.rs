//! Whom a server has room for: connections, and handshakes that are not complete.

use futures::{StreamExt, channel::mpsc};
use wscope::{CloseCode, Error, Nursery, ServerConfig, connect_websocket, nursery, open_websocket};

use crate::{
    sockets::{Socket, answer, until},
    support::{echo, gate, url, with_server_of},
};

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
