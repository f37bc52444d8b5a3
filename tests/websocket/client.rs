//! What a client sends, and what it makes of the answer.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use wscope::{
    ClientConfig, CloseCode, Error, WebSocketRequest, open_websocket,
    proto::{HandshakeConfig, WebSocketUri},
    scope::Join,
    testing::duplex,
    websocket::{Accept, DialError, HandshakeError, IntoClientConfig, Phase, Reject},
    wrap_client_stream,
};

use crate::support::{echo, head, simulated, url, with_server};

/// The head of the request that `config` sends, and what comes of `answer`.
fn ask(config: ClientConfig, answer: &'static str) -> (String, HandshakeError) {
    simulated(async |n| {
        let (here, mut there) = duplex(1 << 20);
        let connect = wrap_client_stream(&n, here, config);
        let serve = async {
            let request = head(&mut there).await;
            there.write_all(answer.as_bytes()).await.unwrap();
            there.close().await.unwrap();
            request
        };
        let (refused, request) = (connect, serve).join().await;
        Ok((request, refused.unwrap_err()))
    })
}

const NO: &str = "HTTP/1.1 403 Forbidden\r\nX-Reason: mood\r\nContent-Length: 3\r\n\r\nno\n";

#[test]
fn the_request_says_what_was_configured() {
    let config = ClientConfig::new("ws://user:pass%20word@[::1]:8000/chat?room=7").unwrap();
    let config = config.header("X-Trace", "7").unwrap().subprotocols(["chat.v2", "chat.v1"]).unwrap();
    let (request, _) = ask(config, NO);
    assert!(request.starts_with("get /chat?room=7 http/1.1\r\n"), "{request}");
    for line in [
        "host: [::1]:8000\r\n",
        "authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n",
        "x-trace: 7\r\n",
        "sec-websocket-protocol: chat.v2, chat.v1\r\n",
        "sec-websocket-version: 13\r\n",
    ] {
        assert!(request.contains(line), "{line} in {request}");
    }
}

#[test]
fn a_refusal_has_status_headers_and_body() {
    let (_, refused) = ask(ClientConfig::new("ws://h/").unwrap(), NO);
    let HandshakeError::Rejected(rejected) = refused else { panic!("{refused:?}") };
    assert_eq!(
        (rejected.status.as_u16(), &rejected.body[..], rejected.truncated),
        (403, &b"no\n"[..], false)
    );
    assert_eq!(rejected.headers["x-reason"], "mood");
}

#[test]
fn the_body_of_a_refusal_is_kept_up_to_its_limit() {
    let config = ClientConfig::new("ws://h/").unwrap().handshake(HandshakeConfig::new().max_reject_body(2));
    let (_, refused) = ask(config, NO);
    let HandshakeError::Rejected(rejected) = refused else { panic!("{refused:?}") };
    assert_eq!((&rejected.body[..], rejected.truncated), (&b"no"[..], true));
}

#[test]
fn a_body_that_is_cut_off_says_so() {
    let (_, refused) = ask(
        ClientConfig::new("ws://h/").unwrap(),
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nlater",
    );
    let HandshakeError::Rejected(rejected) = refused else { panic!("{refused:?}") };
    assert_eq!(
        (rejected.status.as_u16(), &rejected.body[..], rejected.truncated),
        (503, &b"later"[..], true)
    );
}

#[test]
fn a_body_that_never_ends_is_not_waited_for_beyond_the_limit() {
    simulated(async |n| {
        let (here, mut there) = duplex(4096);
        there.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n").await?;
        let to = ClientConfig::new("ws://h/")?.connect_timeout(Duration::from_secs(3));
        let refused = wrap_client_stream(&n, here, to).await.unwrap_err();
        let HandshakeError::Timeout(timeout) = refused else { panic!("{refused:?}") };
        assert_eq!((timeout.limit, timeout.phase), (Duration::from_secs(3), Phase::Handshake));
        Ok(())
    });
}

#[test]
fn an_informational_answer_is_no_refusal() {
    let (_, refused) = ask(
        ClientConfig::new("ws://h/").unwrap(),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    );
    let HandshakeError::Rejected(rejected) = refused else { panic!("{refused:?}") };
    assert_eq!((rejected.status.as_u16(), rejected.body.len()), (404, 0));
}

#[test]
fn what_is_no_url_is_told_before_anything_is_sent() {
    for text in ["http://h/", "ws://", "h/", "ws://h:0/", "ws://h/#fragment", "ws://h:port/"] {
        assert!(matches!(ClientConfig::new(text), Err(HandshakeError::Uri(_))), "{text}");
    }
    assert!(matches!(
        ClientConfig::new("ws://h/").unwrap().header("X\n", "1"),
        Err(HandshakeError::Header(_))
    ));
    assert!(matches!(
        ClientConfig::new("ws://h/").unwrap().header("X", "1\r\n"),
        Err(HandshakeError::Header(_))
    ));
    assert!(matches!(
        ClientConfig::new("ws://h/").unwrap().header("Host", "x"),
        Err(HandshakeError::Header(_))
    ));
    let doubled = ClientConfig::new("ws://h/").unwrap().subprotocols(["a", "a"]);
    assert!(matches!(doubled, Err(HandshakeError::Subprotocols(_))));
}

#[test]
fn a_password_is_in_no_output() {
    let config = ClientConfig::new("ws://user:geheim@h/?token=geheim").unwrap();
    let config = config.header("Authorization", "Bearer geheim").unwrap();
    assert!(!format!("{config:?}").contains("geheim"), "{config:?}");
    let (_, refused) = ask(config, NO);
    assert!(!format!("{refused:?} {refused}").contains("geheim"));
}

#[test]
fn whatever_names_a_server_can_be_connected_to() {
    with_server(echo, async |server| {
        let text = url(&server, "/");
        let uri: WebSocketUri = text.parse().map_err(HandshakeError::from)?;
        let config = ClientConfig::new(&text)?;
        async fn hello(to: impl IntoClientConfig) -> Result<(), Error> {
            open_websocket(to, async |ws| {
                ws.send_message("hello").await?;
                assert_eq!(ws.get_message().await?.as_text(), Some("hello"));
                Ok(())
            })
            .await
        }
        hello(&text).await?;
        hello(text.as_str()).await?;
        hello(&config).await?;
        hello(config).await?;
        hello(uri).await?;
        hello(text).await
    });
}

#[test]
fn a_port_at_which_nobody_listens_is_unreachable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused =
        wscope::run(open_websocket(format!("ws://127.0.0.1:{port}/"), async |_ws| Ok::<(), Error>(())));
    let Err(Error::Handshake(HandshakeError::Dial(dial))) = refused else { panic!("{refused:?}") };
    assert!(matches!(&*dial, DialError::Unreachable(tried) if tried.attempts().len() == 1), "{dial}");
}

#[test]
fn a_connection_knows_what_was_agreed() {
    let handler = async |request: WebSocketRequest| {
        assert_eq!((request.path(), request.query()), ("/chat", Some("room=7")));
        assert_eq!(request.proposed_subprotocols().len(), 2);
        let accept = Accept::new().subprotocol("chat.v1").header("X-Served-By", "7");
        let ws = request.accept(accept).await?;
        assert!(ws.is_server() && !ws.is_client());
        assert_eq!((ws.path(), ws.subprotocol()), ("/chat?room=7", Some("chat.v1")));
        assert_eq!(ws.handshake_headers()["x-trace"], "7");
        ws.wait_closed().await;
        Ok(())
    };
    with_server(handler, async |server| {
        let to = ClientConfig::new(&url(&server, "/chat?room=7"))?
            .header("X-Trace", "7")?
            .subprotocols(["chat.v2", "chat.v1"])?;
        open_websocket(to, async |ws| {
            assert!(ws.is_client() && !ws.is_server());
            assert_eq!((ws.path(), ws.subprotocol()), ("/chat?room=7", Some("chat.v1")));
            assert_eq!(ws.handshake_headers()["x-served-by"], "7");
            assert_eq!(ws.remote().port(), Some(server.port()));
            assert!(ws.local().address().is_some() && !ws.local().is_tls());
            assert_eq!(ws.to_string(), format!("client-{}", ws.id().number()));
            ws.aclose(CloseCode::NORMAL_CLOSURE).await?;
            Ok::<(), Error>(())
        })
        .await
    });
}

#[test]
fn a_rejection_reaches_the_client() {
    let handler = async |request: WebSocketRequest| {
        Ok(request.reject(Reject::status(429).header("Retry-After", "30").body("later\n")).await?)
    };
    with_server(handler, async |server| {
        let refused = open_websocket(url(&server, "/"), async |_ws| Ok::<(), Error>(())).await;
        let Err(Error::Handshake(HandshakeError::Rejected(rejected))) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((rejected.status.as_u16(), &rejected.body[..]), (429, &b"later\n"[..]));
        assert_eq!(rejected.headers["retry-after"], "30");
        Ok(())
    });
}

#[test]
fn an_open_stream_of_ones_own_carries_a_connection() {
    simulated(async |n| {
        let (here, mut there) = duplex(4096);
        let connect = wrap_client_stream(&n, here, "ws://h/");
        let refuse = async {
            head(&mut there).await;
            drop(there);
        };
        let (refused, ()) = (connect, refuse).join().await;
        assert!(matches!(refused, Err(HandshakeError::Response { .. })));
        let (mut nobody, _) = duplex(1);
        assert_eq!(nobody.read(&mut [0]).await?, 0);
        Ok(())
    });
}
