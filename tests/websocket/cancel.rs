//! Cancel everywhere: each public asynchronous operation is polled k times and dropped, for every k up to its end. Afterwards the
//! connection works on, or says how it is closed; nothing hangs, no frame is torn. The list of operations is made from the source.

use std::{fs, path::Path, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt};
use wscope::{
    CloseCode, ConnectionConfig, Error, Message, Nursery, ServerConfig, Text, connect_websocket, fail_after,
    move_on_after, nursery, open_websocket, run,
    scope::{Join, Race},
    serve_websocket,
    testing::{Simulation, duplex, polled},
    websocket::{Accept, Reject, WebSocketServer},
    wrap_client_stream, wrap_server_stream,
};

use crate::support::{Pair, REQUEST, URL, echo, pair_of};

/// Operations of an open connection, and views on it that wait. Each is tried on a connection that is idle, on one with an unread
/// message, and on one whose queue is full.
const OF_A_CONNECTION: &[&str] = &[
    "send_message",
    "send_uncompressed",
    "get_message",
    "next_message",
    "get_piece",
    "send_pieces",
    "send",
    "finish",
    "send_json",
    "get_json",
    "ping",
    "pong",
    "aclose",
    "wait_closed",
    "flush",
    "messages",
    "sink",
    "sink.close",
    "bytes.read",
    "bytes.write",
    "bytes.close",
];

/// Operations that open, or answer, or serve.
const OTHERS: &[&str] = &[
    "open_websocket",
    "connect_websocket",
    "wrap_client_stream",
    "wrap_server_stream",
    "accept",
    "reject",
    "bind",
    "and_bind",
    "bind_tls",
    "and_bind_tls",
    "bind_unix",
    "and_bind_unix",
    "run",
    "serve_websocket",
];

#[test]
fn every_public_asynchronous_operation_is_in_the_list() {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/websocket")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines() {
            if let Some(rest) = line.trim_start().strip_prefix("pub async fn ") {
                found.push(rest.split(['(', '<']).next().unwrap().to_owned());
            }
        }
    }
    for name in &found {
        let listed = OF_A_CONNECTION.contains(&name.as_str()) || OTHERS.contains(&name.as_str());
        assert!(listed, "`{name}` is in no list of operations that are cancelled everywhere");
    }
    for name in OF_A_CONNECTION.iter().chain(OTHERS) {
        let view =
            ["messages", "sink", "sink.close", "bytes.read", "bytes.write", "bytes.close"].contains(name);
        assert!(view || found.iter().any(|found| found == name), "`{name}` is gone");
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Situation {
    Idle,
    Unread,
    Full,
}

/// Runs `operation` on the client's end for at most `polls` polls. Says whether it came to its end.
async fn operate(operation: &str, polls: usize, Pair { client: ws, .. }: &Pair) -> bool {
    match operation {
        "send_message" => polled(polls, ws.send_message("sent")).await.is_some(),
        "send_uncompressed" => polled(polls, ws.send_uncompressed("sent")).await.is_some(),
        "get_message" => polled(polls, ws.get_message()).await.is_some(),
        "next_message" => polled(polls, ws.next_message()).await.is_some(),
        "get_piece" => polled(polls, ws.get_piece()).await.is_some(),
        "send_pieces" => polled(polls, ws.send_pieces::<Text>()).await.is_some(),
        "send" => match ws.send_pieces::<Text>().await {
            Ok(mut writer) => polled(polls, writer.send("piece")).await.is_some(),
            Err(_) => true,
        },
        "finish" => match ws.send_pieces::<Text>().await {
            Ok(writer) => polled(polls, writer.finish("last")).await.is_some(),
            Err(_) => true,
        },
        "send_json" => polled(polls, ws.send_json(&[1, 2, 3])).await.is_some(),
        "get_json" => polled(polls, ws.get_json::<u8>()).await.is_some(),
        "ping" => polled(polls, ws.ping(None)).await.is_some(),
        "pong" => polled(polls, ws.pong(b"pong")).await.is_some(),
        "aclose" => polled(polls, ws.aclose(CloseCode::NORMAL_CLOSURE)).await.is_some(),
        "wait_closed" => polled(polls, ws.wait_closed()).await.is_some(),
        "flush" => polled(polls, ws.flush()).await.is_some(),
        "messages" => polled(polls, ws.messages().next()).await.is_some(),
        "sink" => polled(polls, ws.sink().send("sent".into())).await.is_some(),
        "sink.close" => polled(polls, ws.sink().close()).await.is_some(),
        "bytes.read" => polled(polls, ws.bytes().read(&mut [0; 8])).await.is_some(),
        "bytes.write" => polled(polls, ws.bytes().write_all(b"sent")).await.is_some(),
        "bytes.close" => polled(polls, ws.bytes().close()).await.is_some(),
        other => panic!("{other} is not tried"),
    }
}

/// Whether the peer can still be talked to, in both directions, or the end is known. It takes whatever has come, and looks for what it
/// sends itself.
async fn works_or_is_closed(ends: &Pair) -> Result<(), Error> {
    for (from, to) in [(&ends.client, &ends.server), (&ends.server, &ends.client)] {
        let send = async { from.send_message("the test").await };
        let receive = async {
            loop {
                match to.get_message().await {
                    Ok(message) if message == Message::from("the test") => return Ok(()),
                    Ok(_) => {}
                    Err(closed) => return Err(closed),
                }
            }
        };
        let (sent, received) = fail_after(Duration::from_secs(60), (send, receive).join()).await?;
        if sent.is_err() || received.is_err() {
            let ended = (ends.client.wait_closed(), ends.server.wait_closed()).join();
            let (client, server) = fail_after(Duration::from_secs(60), ended).await?;
            let torn = [client, server]
                .into_iter()
                .find(|closed| matches!(closed.cause(), wscope::websocket::CloseCause::Protocol(_)));
            assert_eq!(torn, None, "a torn frame");
            return Ok(());
        }
    }
    Ok(())
}

#[test]
fn an_operation_that_is_dropped_leaves_a_connection_that_works_or_is_closed() {
    let mut tried = Vec::new();
    for operation in OF_A_CONNECTION {
        let mut most = 0;
        for situation in [Situation::Idle, Situation::Unread, Situation::Full] {
            for polls in 0.. {
                let ended = Simulation::new().run(nursery(async |n: Nursery<'_, Error>| {
                    let config = ConnectionConfig::new().send_buffer(4096);
                    let ends = pair_of(&n, config, ConnectionConfig::new().receive_buffer(4096)).await?;
                    match situation {
                        Situation::Idle => {}
                        Situation::Unread => {
                            ends.server.send_message("7").await?;
                            wscope::sleep(Duration::from_secs(1)).await;
                        }
                        Situation::Full => {
                            while let Some(Ok(())) = polled(1, ends.client.send_message(vec![0; 8192])).await
                            {
                            }
                        }
                    }
                    let ends = &ends;
                    let ended = nursery(async |meanwhile: Nursery<'_, Error>| {
                        // What waits gets something to wait for, a little at a time.
                        meanwhile.start_service(async {
                            loop {
                                wscope::sleep(Duration::from_secs(1)).await;
                                let gone = match situation {
                                    Situation::Idle | Situation::Unread => {
                                        ends.server.send_message("7").await.is_err()
                                    }
                                    Situation::Full => ends.server.get_message().await.is_err(),
                                };
                                if gone {
                                    return Ok(());
                                }
                            }
                        });
                        // What waits for the end waits in vain, and is dropped, too.
                        let limit = Duration::from_secs(120);
                        Ok(move_on_after(limit, operate(operation, polls, ends)).await.unwrap_or(true))
                    })
                    .await?;
                    works_or_is_closed(ends).await?;
                    Ok(ended)
                }));
                let ended = ended
                    .unwrap_or_else(|error| panic!("{operation}, {situation:?}, {polls} polls: {error}"));
                most = most.max(polls);
                if ended {
                    break;
                }
            }
        }
        tried.push(format!("{operation} x {most}"));
    }
    println!("{}", tried.join(", "));
}

#[test]
fn a_handshake_that_is_dropped_ends_the_stream_for_the_peer() {
    for operation in ["wrap_client_stream", "wrap_server_stream", "accept", "reject"] {
        let mut polls = 0;
        let most = loop {
            let ended = Simulation::new().run(nursery(async |n: Nursery<'_, Error>| {
                let (here, mut there) = duplex(16); // many turns for one head
                let config = ServerConfig::new();
                let operate = async {
                    match operation {
                        "wrap_client_stream" => {
                            Ok(polled(polls, wrap_client_stream(&n, here, URL)).await.is_some())
                        }
                        "wrap_server_stream" => {
                            Ok(polled(polls, wrap_server_stream(&n, here, &config)).await.is_some())
                        }
                        "accept" => {
                            let request = wrap_server_stream(&n, here, &config).await?;
                            Ok(polled(polls, request.accept(Accept::new())).await.is_some())
                        }
                        "reject" => {
                            let request = wrap_server_stream(&n, here, &config).await?;
                            Ok(polled(polls, request.reject(Reject::status(403).body("no"))).await.is_some())
                        }
                        other => panic!("{other} is not tried"),
                    }
                };
                let peer = async {
                    let mut all = Vec::new();
                    if operation == "wrap_client_stream" {
                        let _ = there.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").await;
                    } else {
                        let _ = there.write_all(REQUEST.as_bytes()).await;
                    }
                    let _ = there.read_to_end(&mut all).await;
                    all
                };
                let both = async { (operate, peer).join().await };
                let (ended, answer): (Result<bool, Error>, _) =
                    fail_after(Duration::from_secs(60), both).await?;
                let ended = ended?;
                if ended && operation == "reject" {
                    let answer = String::from_utf8(answer).unwrap();
                    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.ends_with("no"), "{answer}");
                }
                Ok(ended)
            }));
            let ended = ended.unwrap_or_else(|error| panic!("{operation}, {polls} polls: {error}"));
            if ended {
                break polls;
            }
            polls += 1;
        };
        println!("{operation} x {most}");
    }
}

#[test]
fn opening_and_serving_can_be_dropped_anywhere() {
    run(fail_after(Duration::from_secs(60), async {
        nursery(async |n: Nursery<'_, Error>| {
            let server = n
                .start_service_with(async |status| serve_websocket("127.0.0.1:0", echo, status).await)
                .await?;
            let url = format!("ws://127.0.0.1:{}/", server.port());
            let body = async |ws: wscope::WebSocketConnection| {
                ws.send_message("hello").await?;
                Ok::<_, Error>(ws.get_message().await?)
            };
            let mut polls = 0;
            while polled(polls, open_websocket(&url, body)).await.is_none() {
                polls += 1;
            }
            println!("open_websocket x {polls}");
            polls = 0;
            while polled(polls, connect_websocket(&n, &url)).await.is_none() {
                polls += 1;
            }
            println!("connect_websocket x {polls}");
            assert_eq!(open_websocket(&url, body).await?.as_text(), Some("hello"), "the server serves on");

            polls = 0;
            while polled(polls, WebSocketServer::bind("localhost:0")).await.is_none() {
                polls += 1;
            }
            println!("bind x {polls}");
            polls = 0;
            while polled(polls, WebSocketServer::bind("127.0.0.1:0").await?.and_bind("localhost:0"))
                .await
                .is_none()
            {
                polls += 1;
            }
            println!("and_bind x {polls}");
            for polls in 0..8 {
                let server = WebSocketServer::bind("127.0.0.1:0").await?;
                let port = server.port();
                let clients = async {
                    while open_websocket(format!("ws://127.0.0.1:{port}/"), body).await.is_ok() {}
                    std::future::pending().await // it is gone
                };
                let run = async { polled(polls, server.run(echo)).await.unwrap_or(()) };
                (run, clients).race().await;
                drop(std::net::TcpListener::bind(("127.0.0.1", port))?); // the port is free again
            }
            Ok(())
        })
        .await
    }))
    .unwrap()
    .unwrap();
}
