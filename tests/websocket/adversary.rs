//! What somebody finds who means harm, or who uses a connection in a way that nobody thought of. Each was a fault once.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncReadExt, AsyncWrite, AsyncWriteExt, Sink as _};
use wscope::{
    Accept, BoxError, ClientConfig, CloseCode, ConnectionConfig, Error, ServerConfig, WebSocketConnection,
    WebSocketRequest, WebSocketServer, fail_after, move_on_after, open_websocket,
    proto::{CloseConnection, Role},
    sleep,
    testing::{DuplexStream, duplex, polled},
    wrap_server_stream,
};

use crate::{
    intercepted::{Intercept, Intercepted},
    sockets::Socket,
    support::{REQUEST, client_of_raw, echo, pair, simulated, url, with_raw, with_server, with_server_of},
};

/// How often a body is polled in a moment in which nothing happens.
async fn idle_polls(ws: &WebSocketConnection) -> usize {
    let mut count = 0;
    let mut idle = pin!(move_on_after(Duration::from_millis(30), ws.wait_closed()));
    poll_fn(|cx| {
        count += 1;
        if count > 10_000 { Poll::Ready(()) } else { idle.as_mut().poll(cx).map(drop) }
    })
    .await;
    count
}

#[test]
fn nobody_who_waits_for_room_or_for_a_flush_keeps_the_task_spinning() {
    for what in ["a writer that waits for its source", "a send that is kept", "a flush that is kept"] {
        let polls = with_server(swallow, async |server| {
            open_websocket(url(&server, "/"), async |ws| {
                ws.send_message(vec![0; 12 << 20]).await?;
                let polls = match what {
                    "a writer that waits for its source" => {
                        let writer = ws.send_pieces::<bytes::Bytes>().await?;
                        let polls = idle_polls(&ws).await;
                        writer.finish(bytes::Bytes::new()).await?;
                        polls
                    }
                    "a send that is kept" => {
                        let mut kept = pin!(ws.send_message("x"));
                        assert!(polled(1, kept.as_mut()).await.is_none());
                        let polls = idle_polls(&ws).await;
                        kept.await?;
                        polls
                    }
                    _ => {
                        let mut kept = pin!(ws.flush());
                        assert!(polled(1, kept.as_mut()).await.is_none());
                        let polls = idle_polls(&ws).await;
                        kept.await?;
                        polls
                    }
                };
                Ok::<_, Error>(polls)
            })
            .await
        });
        assert!(polls < 1000, "{what}: {polls} polls");
    }
}

async fn swallow(request: WebSocketRequest) -> Result<(), BoxError> {
    let ws = request.accept(ConnectionConfig::new().max_message_size(1 << 28)).await?;
    while ws.next_message().await?.is_some() {}
    Ok(())
}

#[test]
fn a_flush_ends_while_others_go_on_sending() {
    simulated(async |n| {
        let (ws, mut stream) = client_of_raw(&n, ConnectionConfig::new()).await?;
        n.start_service(async move {
            let mut buffer = vec![0; 16 * 1024];
            while stream.read(&mut buffer).await? > 0 {
                sleep(Duration::from_millis(10)).await;
            }
            Ok(())
        });
        n.start_service({
            let ws = ws.clone();
            async move {
                while ws.send_message(vec![0; 8 * 1024]).await.is_ok() {}
                Ok(())
            }
        });
        sleep(SECOND).await;
        fail_after(20 * SECOND, ws.flush()).await??;
        ws.abort();
        Ok(())
    });
}

#[test]
fn a_flush_does_not_wait_behind_one_that_is_kept() {
    simulated(async |n| {
        let (ws, mut stream) = client_of_raw(&n, ConnectionConfig::new()).await?;
        ws.send_message(vec![0; 4 << 20]).await?;
        let mut kept = Box::pin(ws.flush());
        assert!(polled(1, kept.as_mut()).await.is_none());
        let second = n.child({
            let ws = ws.clone();
            async move { Ok(ws.flush().await?) }
        });
        sleep(SECOND).await;
        n.start_service(async move {
            let mut buffer = vec![0; 1 << 20];
            while stream.read(&mut buffer).await? > 0 {}
            Ok(())
        });
        fail_after(20 * SECOND, second).await??;
        ws.abort();
        Ok(())
    });
}

#[test]
fn a_receiver_does_not_wait_behind_one_that_is_kept_once_the_connection_is_closed() {
    simulated(async |n| {
        let (ws, mut raw) = with_raw(&n, Role::Client, ConnectionConfig::new()).await?;
        let mut kept = Box::pin(ws.get_message());
        assert!(polled(1, kept.as_mut()).await.is_none());
        let second = n.child({
            let ws = ws.clone();
            async move { Ok(ws.get_message().await.is_err()) }
        });
        sleep(SECOND).await;
        raw.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE)).await;
        drop(raw);
        ws.wait_closed().await;
        assert!(fail_after(20 * SECOND, second).await??);
        drop(kept);
        Ok(())
    });
}

#[test]
fn a_sink_that_is_ready_keeps_its_place_until_it_has_sent() {
    simulated(async |n| {
        let ends = pair(&n).await?;
        let mut sink = pin!(ends.client.sink());
        poll_fn(|cx| sink.as_mut().poll_ready(cx)).await?;
        let pieces = n.child({
            let client = ends.client.clone();
            async move {
                let mut writer = client.send_pieces::<bytes::Bytes>().await?;
                writer.send(vec![1]).await?;
                Ok(writer.finish(vec![2]).await?)
            }
        });
        sleep(SECOND).await;
        sink.as_mut().start_send("first".into())?;
        fail_after(SECOND, pieces).await??;
        assert_eq!(ends.server.get_message().await?.as_text(), Some("first"));
        assert_eq!(ends.server.get_message().await?.as_bytes(), [1, 2]);
        Ok(())
    });
}

#[test]
fn a_hook_that_panics_harms_no_other_connection() {
    let config = ServerConfig::new().connection(ConnectionConfig::new().on_ping(|_| panic!("on purpose")));
    with_server_of(config, echo, async |server| {
        for _ in 0..3 {
            let mut socket = Socket::to(server.port()).await;
            socket.send(REQUEST).await;
            socket.head().await;
            socket.send([0x89, 0x80, 0, 0, 0, 0].repeat(100)).await;
            assert!(!socket.rest().await.is_empty(), "a goodbye");
        }
        still_served(&server).await
    });
}

#[test]
fn a_report_that_panics_harms_nobody() {
    let config = ServerConfig::new().on_error(|_| panic!("on purpose"));
    let handler = async |request: WebSocketRequest| match request.path() {
        "/fail" => {
            let _ws = request.accept(Accept::new()).await?;
            Err("failed".into())
        }
        _ => echo(request).await,
    };
    with_server_of(config, handler, async |server| {
        let failed = open_websocket(url(&server, "/fail"), async |ws| Ok::<_, Error>(ws.wait_closed().await));
        assert_eq!(failed.await?.code(), 1011);
        still_served(&server).await
    });
}

async fn still_served(server: &wscope::ServerHandle) -> Result<(), Error> {
    for _ in 0..20 {
        open_websocket(url(server, "/"), async |ws| {
            ws.send_message("there?").await?;
            assert_eq!(ws.get_message().await?.as_text(), Some("there?"));
            Ok::<(), Error>(())
        })
        .await?;
    }
    Ok(())
}

#[test]
fn a_hook_that_panics_where_there_is_no_nursery_panics_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.to_owned())
        });
        let accept = tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
        let _ = stream.write_all(&[0x89, 0].repeat(1 << 20)); // the client may be gone
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let panicked = std::panic::catch_unwind(|| {
        let config = ClientConfig::new(&format!("ws://127.0.0.1:{port}/")).unwrap();
        let config = config.connection(ConnectionConfig::new().on_ping(|_| panic!("on purpose")));
        wscope::runtime::block_on(open_websocket(config, async |ws| {
            ws.wait_closed().await;
            Ok::<(), Error>(())
        }))
    });
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"on purpose"));
    server.join().unwrap();
}

#[test]
fn a_server_that_is_over_is_kept_alive_by_no_handle() {
    let held = Arc::new(());
    let watch = Arc::downgrade(&held);
    wscope::run(async {
        let config = ServerConfig::new().on_error(move |_| {
            let _ = &held;
        });
        let server = WebSocketServer::bind("127.0.0.1:0").await.unwrap().config(config);
        let handle = server.handle();
        handle.stop();
        server.run(echo).await;
        assert!(watch.upgrade().is_none());
        assert!(handle.connections().is_empty());
    });
}

#[test]
fn the_shortest_keepalive_interval_leaves_time_for_the_rest() {
    let done = with_server(echo, async |server| {
        let config = ClientConfig::new(&url(&server, "/"))?
            .connection(ConnectionConfig::new().keepalive_interval(Duration::from_nanos(1)));
        open_websocket(config, async |ws| {
            ws.send_message("hello").await?;
            Ok::<_, Error>(ws.get_message().await.is_ok())
        })
        .await
    });
    assert!(done);
}

#[test]
fn a_request_shows_no_secret() {
    let shown = Arc::new(Mutex::new(String::new()));
    let note = shown.clone();
    let handler = move |request: WebSocketRequest| {
        *note.lock().unwrap() = format!("{request:?}");
        async move { Ok(request.reject(403).await?) }
    };
    with_server(handler, async |server| {
        let mut socket = Socket::to(server.port()).await;
        let headers = "Host: example.com\r\nCookie: sid=SECRET\r\nAuthorization: Bearer SECRET\r\n\
            Proxy-Authorization: SECRET\r\nX-Api-Key: SECRET\r\nX-Auth-Token: SECRET\r\nReferer: http://a/?SECRET\r\n";
        socket
            .send(REQUEST.replace("GET / ", "GET /?token=SECRET ").replace("Host: example.com\r\n", headers))
            .await;
        socket.rest().await;
        Ok(())
    });
    let shown = shown.lock().unwrap().clone();
    assert!(shown.contains("x-api-key") && !shown.contains("SECRET"), "{shown}");
}

#[test]
fn a_close_whose_write_fails_ends_also_without_a_close_timeout() {
    simulated(async |n| {
        let (mut here, there) = duplex(1 << 16);
        here.write_all(REQUEST.as_bytes()).await?;
        let broken = Arc::new(AtomicBool::new(false));
        let config = ServerConfig::new().connection(ConnectionConfig::new().close_timeout(None));
        let stream = Intercepted(there, broken.clone());
        let ws = wrap_server_stream(&n, stream, &config).await?.accept(Accept::new()).await?;
        broken.store(true, Ordering::Relaxed);
        ws.close(CloseCode::NORMAL_CLOSURE);
        fail_after(60 * SECOND, ws.wait_closed()).await?;
        Ok(())
    });
}

/// Writes that fail from a moment on.
impl Intercept for Arc<AtomicBool> {
    fn write(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        stream.poll_write(cx, bytes)
    }
}

const SECOND: Duration = Duration::from_secs(1);
