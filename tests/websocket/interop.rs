//! The other end is async-tungstenite, over TCP, in both roles.

use std::{net::TcpListener, net::TcpStream, time::Duration};

use async_io::Async;
use async_tungstenite::{WebSocketStream, accept_async, accept_hdr_async, client_async};
use futures::{SinkExt, StreamExt};
use tungstenite::{
    Message as Theirs,
    client::IntoClientRequest,
    handshake::server::{ErrorResponse, Request, Response},
    protocol::{
        CloseFrame,
        frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};
use wscope::{
    ClientConfig, CloseCode, CloseReason, Error, Message, Nursery, Text, WebSocketConnection,
    WebSocketRequest, connect_websocket, fail_after, nursery, open_websocket,
    proto::Role,
    run,
    scope::Join,
    websocket::{Accept, CloseCause, HandshakeError, Reject},
};

use crate::support::{BOTH, echo, handing_out, url, with_server};

type Other = WebSocketStream<Async<TcpStream>>;

/// Runs `body` with a connection of ours in the role `role`, and its other end.
fn with_other(role: Role, body: impl AsyncFnOnce(WebSocketConnection, Other) -> Result<(), Error>) {
    match role {
        Role::Client => with_listener(async |n, listener, url| {
            let accept = async { accept_async(listener.accept().await.unwrap().0).await.unwrap() };
            let (ws, other) = (connect_websocket(&n, url), accept).join().await;
            body(ws?, other).await
        }),
        Role::Server => {
            let (handler, mut handed) = handing_out();
            with_server(handler, async |server| {
                let socket = Async::<TcpStream>::connect(([127, 0, 0, 1], server.port())).await?;
                let (other, _) = client_async(url(&server, "/"), socket).await.unwrap();
                body(handed.next().await.unwrap(), other).await
            });
        }
    }
}

/// Runs `body` with a listener of the other side, and its URL.
fn with_listener(
    body: impl AsyncFnOnce(Nursery<'_, Error>, &Async<TcpListener>, String) -> Result<(), Error>,
) {
    let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0)).unwrap();
    let url = format!("ws://{}/chat?a=1", listener.get_ref().local_addr().unwrap());
    run(fail_after(30 * SECOND, nursery(async |n: Nursery<'_, Error>| body(n, &listener, url).await)))
        .unwrap()
        .unwrap();
}

/// What the other end says next.
async fn next(other: &mut Other) -> Theirs {
    other.next().await.unwrap().unwrap()
}

/// The other end reads on until the stream is over.
async fn finish(mut other: Other) {
    while let Some(Ok(_)) = other.next().await {}
}

#[test]
fn messages_of_each_kind_and_size_arrive_as_they_were() {
    const SIZES: &[usize] = &[0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1 << 20];
    for role in BOTH {
        with_other(role, async |ws, mut other| {
            for &size in SIZES {
                let text: String = "aé€𝄞".chars().cycle().take(size / 4).collect();
                let text = text + &"x".repeat(size % 4);
                ws.send_message(text.clone()).await?;
                assert_eq!(next(&mut other).await, Theirs::text(text.clone()));
                other.send(Theirs::text(text.clone())).await.unwrap();
                assert_eq!(ws.get_message().await?, Message::from(text));

                let bytes: Vec<u8> = (0..=255).cycle().take(size).collect();
                ws.send_message(bytes.clone()).await?;
                assert_eq!(next(&mut other).await, Theirs::binary(bytes.clone()));
                other.send(Theirs::binary(bytes.clone())).await.unwrap();
                assert_eq!(ws.get_message().await?, Message::from(bytes));
            }
            Ok(())
        });
    }
}

#[test]
fn many_messages_both_ways_at_once_keep_their_order() {
    const MANY: usize = 5000;
    for role in BOTH {
        with_other(role, async |ws, other| {
            let (sender, mut receiver) = other.split();
            let ours = async {
                for number in 0..MANY {
                    ws.send_message(number.to_string()).await?;
                }
                Ok::<_, Error>(())
            };
            let theirs = async {
                let mut sender = sender;
                for number in 0..MANY {
                    sender.send(Theirs::text(number.to_string())).await.unwrap();
                }
            };
            let we_get = async {
                for number in 0..MANY {
                    assert_eq!(ws.get_message().await?.as_text(), Some(&*number.to_string()));
                }
                Ok::<_, Error>(())
            };
            let they_get = async {
                for number in 0..MANY {
                    assert_eq!(receiver.next().await.unwrap().unwrap(), Theirs::text(number.to_string()));
                }
            };
            let (sent, (), got, ()) = (ours, theirs, we_get, they_get).join().await;
            sent?;
            got
        });
    }
}

#[test]
fn pings_are_answered_on_both_sides() {
    for role in BOTH {
        with_other(role, async |ws, mut other| {
            let theirs = async {
                let heard = next(&mut other).await;
                other.flush().await.unwrap(); // it keeps its pong back until it is asked for something
                heard
            };
            let (round_trip, heard) = (ws.ping(Some(b"ours")), theirs).join().await;
            assert_eq!(heard, Theirs::Ping("ours".into()));
            assert_eq!(ws.latency(), Some(round_trip?));
            other.send(Theirs::Ping("theirs".into())).await.unwrap();
            assert_eq!(next(&mut other).await, Theirs::Pong("theirs".into()));
            ws.pong(b"unasked").await?;
            assert_eq!(next(&mut other).await, Theirs::Pong("unasked".into()));
            other.send(Theirs::Pong("unasked".into())).await.unwrap();
            other.send(Theirs::text("goes on")).await.unwrap();
            assert_eq!(ws.get_message().await?.as_text(), Some("goes on"));
            Ok(())
        });
    }
}

#[test]
fn a_close_of_ours_arrives_with_code_and_reason() {
    for role in BOTH {
        with_other(role, async |ws, mut other| {
            let reason = CloseReason::new(CloseCode::new(3001)?, "bis später")?;
            let theirs = async {
                let heard = next(&mut other).await;
                finish(other).await;
                heard
            };
            let (closed, heard) = (ws.aclose(reason.clone()), theirs).join().await;
            closed?;
            assert_eq!(
                heard,
                Theirs::Close(Some(CloseFrame { code: 3001.into(), reason: "bis später".into() }))
            );
            let closed = ws.closed().unwrap();
            assert_eq!((closed.cause(), closed.code()), (&CloseCause::Handshake, 3001));
            assert_eq!(closed.frames().sent, Some(Some(reason)));
            Ok(())
        });
    }
}

#[test]
fn a_close_of_theirs_arrives_with_code_and_reason_or_without() {
    let frames = [
        (Some(CloseFrame { code: 1000.into(), reason: "done".into() }), 1000, "done", true),
        (Some(CloseFrame { code: 4999.into(), reason: "".into() }), 4999, "", false),
        (None, 1005, "", false),
    ];
    for role in BOTH {
        for (frame, code, reason, clean) in frames.clone() {
            with_other(role, async |ws, mut other| {
                other.send(Theirs::text("before")).await.unwrap();
                let theirs = async {
                    other.close(frame).await.unwrap();
                    finish(other).await;
                };
                let (closed, ()) = (ws.wait_closed(), theirs).join().await;
                assert_eq!(
                    (closed.code(), closed.reason(), closed.is_clean()),
                    (code, reason, clean),
                    "{closed}"
                );
                assert_eq!(closed.cause(), &CloseCause::Handshake);
                assert_eq!(ws.get_message().await?.as_text(), Some("before"));
                assert_eq!(ws.get_message().await, Err(closed));
                Ok(())
            });
        }
    }
}

#[test]
fn fragments_become_one_message_on_both_sides() {
    for role in BOTH {
        with_other(role, async |ws, mut other| {
            let mut writer = ws.send_pieces::<Text>().await?;
            writer.send("frag-").await?;
            let ping = ws.pong(b"mid").await;
            writer.send("é-").await?;
            writer.finish("mented").await?;
            ping?;
            let heard = [next(&mut other).await, next(&mut other).await];
            assert_eq!(heard, [Theirs::Pong("mid".into()), Theirs::text("frag-é-mented")]);

            let cut = "frag-é-mented".as_bytes();
            let pieces = [(&cut[..6], Data::Text), (&cut[6..], Data::Continue), (b"", Data::Continue)];
            for (number, (piece, kind)) in pieces.into_iter().enumerate() {
                let frame = Frame::message(piece.to_vec(), OpCode::Data(kind), number == 2);
                other.send(Theirs::Frame(frame)).await.unwrap();
                other.send(Theirs::Ping(vec![u8::try_from(number).unwrap()].into())).await.unwrap();
            }
            assert_eq!(ws.get_message().await?.as_text(), Some("frag-é-mented"), "cut inside a character");
            assert_eq!(ws.stats().messages_received, 1);
            Ok(())
        });
    }
}

#[test]
fn their_server_sees_our_request_and_we_its_answer() {
    with_listener(async |n, listener, url| {
        let config = ClientConfig::new(&url.replace("ws://", "ws://user:pass@"))?
            .header("X-Trace", "7")?
            .subprotocols(["chat.v2", "chat.v1"])?;
        #[allow(clippy::result_large_err, reason = "theirs")]
        let choose = |request: &Request, mut response: Response| {
            let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
            assert_eq!(request.uri(), "/chat?a=1");
            assert_eq!(header("host"), listener.get_ref().local_addr().unwrap().to_string());
            assert_eq!((&*header("x-trace"), &*header("authorization")), ("7", "Basic dXNlcjpwYXNz"));
            assert_eq!(header("sec-websocket-protocol").replace(' ', ""), "chat.v2,chat.v1");
            response.headers_mut().insert("sec-websocket-protocol", "chat.v1".parse().unwrap());
            response.headers_mut().insert("x-served-by", "8".parse().unwrap());
            Ok(response)
        };
        let accept = async { accept_hdr_async(listener.accept().await.unwrap().0, choose).await.unwrap() };
        let (ws, other) = (connect_websocket(&n, config), accept).join().await;
        let ws = ws?;
        assert_eq!((ws.subprotocol(), ws.path()), (Some("chat.v1"), "/chat?a=1"));
        assert_eq!(ws.handshake_headers()["x-served-by"], "8");
        drop(other);
        Ok(())
    });
}

#[test]
fn our_server_sees_their_request_and_they_its_answer() {
    let handler = async |request: WebSocketRequest| {
        assert_eq!((request.path(), request.query()), ("/chat", Some("a=1")));
        assert_eq!(request.headers()["x-trace"], "7");
        let offered: Vec<_> = request.proposed_subprotocols().iter().map(ToString::to_string).collect();
        assert_eq!(offered, ["chat.v2", "chat.v1"]);
        let ws = request.accept(Accept::new().subprotocol("chat.v1").header("X-Served-By", "8")).await?;
        ws.wait_closed().await;
        Ok(())
    };
    with_server(handler, async |server| {
        let socket = Async::<TcpStream>::connect(([127, 0, 0, 1], server.port())).await?;
        let mut request = url(&server, "/chat?a=1").into_client_request().unwrap();
        request.headers_mut().insert("x-trace", "7".parse().unwrap());
        request.headers_mut().insert("sec-websocket-protocol", "chat.v2, chat.v1".parse().unwrap());
        let (_other, response) = client_async(request, socket).await.unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v1");
        assert_eq!(response.headers()["x-served-by"], "8");
        Ok(())
    });
}

#[test]
fn our_refusal_reaches_them_whole() {
    let handler = async |request: WebSocketRequest| {
        Ok(request.reject(Reject::status(429).header("Retry-After", "30").body("later\n")).await?)
    };
    with_server(handler, async |server| {
        let socket = Async::<TcpStream>::connect(([127, 0, 0, 1], server.port())).await?;
        let refused = client_async(url(&server, "/"), socket).await.unwrap_err();
        let tungstenite::Error::Http(response) = refused else { panic!("{refused:?}") };
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (429, &"30".parse().unwrap())
        );
        assert_eq!(response.body().as_deref(), Some(&b"later\n"[..]));
        Ok(())
    });
}

#[test]
fn their_refusal_reaches_us_whole() {
    with_listener(async |_n, listener, url| {
        #[allow(clippy::result_large_err, reason = "theirs")]
        let refuse = |_: &Request, _: Response| -> Result<Response, ErrorResponse> {
            let mut refusal = ErrorResponse::new(Some("go away\n".to_owned()));
            *refusal.status_mut() = http::StatusCode::IM_A_TEAPOT;
            refusal.headers_mut().insert("x-reject", "yes".parse().unwrap());
            Err(refusal)
        };
        let accept = async { accept_hdr_async(listener.accept().await.unwrap().0, refuse).await.map(drop) };
        let open = open_websocket(url, async |_ws| Ok::<(), Error>(()));
        let (refused, other) = (open, accept).join().await;
        assert!(other.is_err());
        let Err(Error::Handshake(HandshakeError::Rejected(rejected))) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(rejected.status, 418);
        assert_eq!(rejected.headers["x-reject"], "yes");
        assert_eq!(rejected.body, b"go away\n");
        Ok(())
    });
}

#[test]
fn a_peer_that_breaks_the_protocol_is_told_so_by_both() {
    // Theirs sends a text that is none; ours says 1007.
    for role in BOTH {
        with_other(role, async |ws, mut other| {
            let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
            other.send(Theirs::Frame(frame)).await.unwrap();
            let Theirs::Close(Some(told)) = next(&mut other).await else { panic!("not told") };
            assert_eq!(u16::from(told.code), 1007);
            finish(other).await;
            assert!(matches!(ws.wait_closed().await.cause(), CloseCause::Protocol(_)));
            Ok(())
        });
    }
}

#[test]
fn an_other_end_that_is_dropped_is_an_end_without_a_close_frame() {
    for role in BOTH {
        with_other(role, async |ws, other| {
            drop(other);
            let closed = ws.get_message().await.unwrap_err();
            assert_eq!((closed.code(), closed.cause()), (1006, &CloseCause::UnexpectedEof));
            Ok(())
        });
    }
}

#[test]
fn an_echo_of_ours_serves_them() {
    with_server(echo, async |server| {
        let socket = Async::<TcpStream>::connect(([127, 0, 0, 1], server.port())).await?;
        let (mut other, _) = client_async(url(&server, "/"), socket).await.unwrap();
        for number in 0..100 {
            other.send(Theirs::text(number.to_string())).await.unwrap();
            assert_eq!(next(&mut other).await, Theirs::text(number.to_string()));
        }
        other.close(None).await.unwrap();
        finish(other).await;
        Ok(())
    });
}

const SECOND: Duration = Duration::from_secs(1);
