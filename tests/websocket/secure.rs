//! `wss` as a user has it: real sockets, real certificates, and peers that are not well-behaved.

use std::{
    future::Future,
    net::{TcpListener, TcpStream},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use async_io::Async;
use async_native_tls::{TlsAcceptor, TlsConnector, TlsStream};
use futures::{AsyncWriteExt, StreamExt, channel::mpsc};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use wscope::{
    ClientConfig, CloseCode, CloseReason, ConnectionConfig, Error, Message, Nursery, ServerConfig,
    ServerHandle, WebSocketConnection, WebSocketRequest, WebSocketServer, connect_websocket, fail_after,
    nursery, open_websocket,
    proto::{CloseConnection, Event, Ping, ResponseError, Role},
    run,
    scope::Join,
    websocket::{
        BoxError, CloseCause, HandshakeError, Identity, Phase, ServerError, TlsConfig, TlsError,
        TlsServerConfig,
    },
};

use crate::{
    certificates::{Authority, Certified},
    sockets::{Socket, answer_to, until},
    support::{BOTH, REQUEST, Raw, accept_by_hand, echo, handing_out, head, reporting, serving, with_server},
};

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(Authority::new)
}

/// The certificate of a server that is in order.
fn good() -> &'static Certified {
    static GOOD: OnceLock<Certified> = OnceLock::new();
    GOOD.get_or_init(|| authority().server(&["localhost"]))
}

fn identity(certified: &Certified) -> Identity {
    Identity::from_pem(certified.pem(), certified.key()).unwrap()
}

/// Trusts the authority, and nobody else.
fn trusting() -> TlsConfig {
    TlsConfig::new().root_certificate_pem(authority().root().pem()).unwrap().only_given_roots()
}

/// To a server of this machine.
fn to(port: u16, tls: TlsConfig) -> ClientConfig {
    ClientConfig::new(&format!("wss://localhost:{port}/")).unwrap().tls(tls)
}

fn with_tls_server<T, H, F>(
    certified: &Certified,
    config: ServerConfig,
    handler: H,
    body: impl AsyncFnOnce(&ServerHandle) -> Result<T, Error>,
) -> T
where
    H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let tls = TlsServerConfig::new(identity(certified)).unwrap();
    let server = async || Ok(WebSocketServer::bind_tls("127.0.0.1:0", tls).await?.config(config));
    serving(server, handler, async |server, _| body(server).await)
}

/// Why a client that is `tls` has no connection to a server that shows `certified`.
fn refused(certified: &Certified, tls: TlsConfig) -> TlsError {
    with_tls_server(certified, ServerConfig::new(), echo, async |server| {
        let refused = open_websocket(to(server.port(), tls), async |_ws| Ok::<(), Error>(())).await;
        let Err(Error::Handshake(HandshakeError::Tls { error, .. })) = refused else { panic!("{refused:?}") };
        Ok(error)
    })
}

#[test]
fn an_echo_goes_through_tls() {
    with_tls_server(good(), ServerConfig::new(), echo, async |server| {
        open_websocket(to(server.port(), trusting()), async |ws: WebSocketConnection| {
            assert!(ws.local().is_tls() && ws.remote().is_tls());
            assert_eq!(ws.remote(), &server.endpoints()[0]);
            assert!(ws.remote().url().unwrap().starts_with("wss://127.0.0.1:"));
            for size in [0, 1, 125, 126, 16 * 1024 - 1, 16 * 1024, 65_535, 65_536, 1 << 20] {
                let message = Message::from(vec![7; size]);
                ws.send_message(message.clone()).await?;
                assert_eq!(ws.get_message().await?, message);
            }
            assert_eq!(ws.latency(), None);
            let round_trip = ws.ping(None).await?;
            assert_eq!(ws.latency(), Some(round_trip));
            let there = server.connections().pop().unwrap();
            assert!(there.local().is_tls() && there.remote().is_tls());
            Ok::<(), Error>(())
        })
        .await
    });
}

#[test]
fn a_close_code_goes_through_tls_both_ways() {
    let (handler, mut reports) = reporting();
    with_tls_server(good(), ServerConfig::new(), handler, async |server| {
        let reason = CloseReason::new(CloseCode::new(3000)?, "that was it")?;
        open_websocket(to(server.port(), trusting()), async |ws: WebSocketConnection| {
            ws.aclose(reason.clone()).await?;
            assert_eq!(ws.closed().unwrap().cause(), &CloseCause::Handshake);
            Ok::<(), Error>(())
        })
        .await?;
        assert_eq!(reports.next().await.unwrap().frames().received, Some(Some(reason)));
        open_websocket(to(server.port(), trusting()), async |ws: WebSocketConnection| {
            ws.ping(None).await?;
            server.stop();
            assert_eq!(ws.wait_closed().await.code(), 1001);
            Ok::<(), Error>(())
        })
        .await?;
        assert_eq!(reports.next().await.unwrap().code(), 1001, "the client has echoed it");
        Ok(())
    });
}

#[test]
fn each_bad_certificate_is_an_error_of_its_own() {
    let elsewhere = authority().server(&["elsewhere.example.com"]);
    assert!(matches!(refused(&elsewhere, trusting()), TlsError::WrongHost { host } if host == "localhost"));
    let expired = authority().server_between(&["localhost"], (-10, -1));
    assert!(matches!(refused(&expired, trusting()), TlsError::Expired { .. }));
    let early = authority().server_between(&["localhost"], (1, 10));
    assert!(matches!(refused(&early, trusting()), TlsError::NotYetValid { .. }));
    let own = Certified::self_signed(&["localhost"]);
    assert!(matches!(refused(&own, trusting()), TlsError::NotTrusted { .. }));
    assert!(matches!(refused(good(), TlsConfig::new()), TlsError::NotTrusted { .. }), "the system's roots");
}

#[test]
fn a_given_root_is_trusted_and_danger_is_asked_for_by_name() {
    let elsewhere = authority().server(&["elsewhere.example.com"]);
    let expired = authority().server_between(&["localhost"], (-10, -1));
    let own = Certified::self_signed(&["localhost"]);
    let added = TlsConfig::new().root_certificate_pem(authority().root().pem()).unwrap();
    let itself = TlsConfig::new().root_certificate_pem(own.pem()).unwrap().only_given_roots();
    let any_host = || trusting().danger_accept_invalid_hostnames();
    let anybody = || TlsConfig::new().danger_accept_invalid_certificates();
    for (certified, tls) in [
        (good(), trusting()),
        (good(), added),
        (&own, itself),
        (&elsewhere, any_host()),
        (&own, anybody()),
        (&expired, anybody()),
        (&elsewhere, anybody()),
    ] {
        let answer = with_tls_server(certified, ServerConfig::new(), echo, async |server| {
            Ok(answer_to(to(server.port(), tls)).await)
        });
        assert_eq!(answer, 101);
    }
    assert!(matches!(refused(&own, any_host()), TlsError::NotTrusted { .. }), "danger of another kind");
    assert!(matches!(refused(&expired, any_host()), TlsError::Expired { .. }));
}

/// A server that wants to see a certificate of the authority; says whose it saw.
fn asking_server() -> (u16, std::thread::JoinHandle<Option<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(&good().key).unwrap();
    acceptor.set_certificate(&good().certificate).unwrap();
    acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    acceptor.cert_store_mut().add_cert(authority().root().certificate.clone()).unwrap();
    let acceptor = acceptor.build();
    let server = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = match acceptor.accept(socket) {
            Ok(stream) => stream,
            Err(openssl::ssl::HandshakeError::Failure(mut failed)) => {
                // Closed with its request unread, a reset would eat the alert.
                std::io::copy(failed.get_mut(), &mut std::io::sink()).unwrap();
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let certificate = stream.ssl().peer_certificate().unwrap();
        let name = certificate.subject_name().entries().next().unwrap().data().to_string().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            std::io::Read::read_exact(&mut stream, &mut byte).unwrap();
            request.extend(byte);
        }
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        Some(name)
    });
    (port, server)
}

#[test]
fn a_client_shows_its_certificate_to_a_server_that_asks() {
    let (port, server) = asking_server();
    let client = identity(&authority().server(&["client.example.com"]));
    assert_eq!(run(fail_after(30 * SECOND, answer_to(to(port, trusting().identity(client))))).unwrap(), 403);
    assert_eq!(server.join().unwrap().as_deref(), Some("server"));
}

#[test]
fn a_client_without_the_certificate_that_is_asked_for_fails_in_tls() {
    let (port, server) = asking_server();
    let refused =
        run(fail_after(30 * SECOND, open_websocket(to(port, trusting()), async |_ws| Ok::<(), Error>(()))));
    // With TLS 1.3 the alert comes when the client has finished its handshake, and the request is on its way.
    let Err(Error::Handshake(error)) = refused.unwrap() else { panic!("it was let in") };
    assert!(matches!(&error, HandshakeError::Tls { error: TlsError::Alert(_), .. }), "{error:?}");
    assert_eq!(server.join().unwrap(), None);
}

#[test]
fn tls_to_a_plain_port_fails_at_once() {
    let began = Instant::now();
    with_server(echo, async |server| {
        let failed = open_websocket(to(server.port(), trusting()), async |_ws| Ok::<(), Error>(())).await;
        let Err(Error::Handshake(HandshakeError::Tls { error, .. })) = failed else { panic!("{failed:?}") };
        assert!(matches!(error, TlsError::Handshake(_)), "{error:?}");
        Ok(())
    });
    assert!(began.elapsed() < ClientConfig::CONNECT_TIMEOUT);
}

#[test]
fn plain_to_a_tls_port_fails_at_once_on_both_sides() {
    let began = Instant::now();
    let (report, mut reports) = mpsc::unbounded();
    let config = ServerConfig::new().on_error(move |error| {
        report.unbounded_send(matches!(error, ServerError::Tls { .. })).unwrap();
    });
    with_tls_server(good(), config, echo, async |server| {
        let plain = format!("ws://127.0.0.1:{}/", server.port());
        let failed = open_websocket(plain, async |_ws| Ok::<(), Error>(())).await;
        let Err(Error::Handshake(error)) = failed else { panic!("it was let in") };
        let typed = matches!(
            &error,
            HandshakeError::Response {
                error: ResponseError::Head(_) | ResponseError::UnexpectedEof { .. },
                ..
            } | HandshakeError::Network { .. }
        );
        assert!(typed, "{error:?}");
        assert_eq!(reports.next().await, Some(true));
        Ok(())
    });
    assert!(began.elapsed() < ClientConfig::CONNECT_TIMEOUT);
}

#[test]
fn a_server_that_does_not_speak_is_given_up_during_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let limit = Duration::from_millis(100);
    let config = to(listener.local_addr().unwrap().port(), trusting()).connect_timeout(limit);
    let failed = run(open_websocket(config, async |_ws| Ok::<(), Error>(())));
    let Err(Error::Handshake(HandshakeError::Timeout(timeout))) = failed else { panic!("{failed:?}") };
    assert_eq!((timeout.limit, timeout.phase), (limit, Phase::Tls));
}

#[test]
fn a_client_that_does_not_speak_is_given_up_during_tls() {
    let config = ServerConfig::new().handshake_timeout(Duration::from_millis(30));
    with_tls_server(good(), config, echo, async |server| {
        assert_eq!(Socket::to(server.port()).await.rest().await, b"");
        let mut half = Socket::to(server.port()).await;
        half.send(b"\x16\x03\x01\x02\x00\x01").await;
        assert_eq!(half.rest().await, b"");
        Ok(())
    });
}

type Stream = TlsStream<Async<TcpStream>>;

/// A TLS client of bare bytes, which trusts anybody, after its handshakes.
async fn raw_client(port: u16) -> Raw<Stream> {
    let socket = Async::<TcpStream>::connect(([127, 0, 0, 1], port)).await.unwrap();
    let connector = TlsConnector::new().danger_accept_invalid_certs(true);
    let mut stream = connector.connect("localhost", socket).await.unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("http/1.1 101 "));
    Raw::new(Role::Client, stream)
}

/// A TLS server of bare bytes, and a client of ours that is connected to it.
async fn raw_server(n: &Nursery<'_, Error>) -> Result<(WebSocketConnection, Raw<Stream>), Error> {
    let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0))?;
    let identity = native_tls::Identity::from_pkcs8(&good().pem(), &good().key()).unwrap();
    let acceptor = TlsAcceptor::from(native_tls::TlsAcceptor::new(identity).unwrap());
    let accept = async {
        let (socket, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(socket).await.unwrap();
        accept_by_hand(&mut stream).await;
        Raw::new(Role::Server, stream)
    };
    let client = to(listener.get_ref().local_addr()?.port(), trusting());
    let (ws, raw) = (connect_websocket(n, client), accept).join().await;
    Ok((ws?, raw))
}

/// Runs `body` with a connection of ours in the role `role`, and its peer.
fn with_tls_peer(role: Role, body: impl AsyncFnOnce(WebSocketConnection, Raw<Stream>) -> Result<(), Error>) {
    match role {
        Role::Client => run(fail_after(
            30 * SECOND,
            nursery(async |n: Nursery<'_, Error>| {
                let (ws, raw) = raw_server(&n).await?;
                body(ws, raw).await
            }),
        ))
        .unwrap()
        .unwrap(),
        Role::Server => {
            let (handler, mut handed) = handing_out();
            with_tls_server(good(), ServerConfig::new(), handler, async |server| {
                let raw = raw_client(server.port()).await;
                let ws = handed.next().await.unwrap();
                body(ws, raw).await
            });
        }
    }
}

/// OpenSSL counts the bytes of a write that is pending as taken: what comes then in front of them would tear the stream.
#[test]
fn pongs_that_come_during_a_pending_write_tear_nothing() {
    for role in BOTH {
        with_tls_peer(role, async |ws, mut raw| {
            let numbered = |number: usize| Message::from(vec![u8::try_from(number % 251).unwrap(); 30_000]);
            let mut sent = 0;
            while ws.stats().unsent < ConnectionConfig::SEND_BUFFER {
                ws.send_message(numbered(sent)).await?; // the peer does not read: the last ones stay here
                sent += 1;
            }
            for number in 0..10_u8 {
                raw.send(Ping::new(&[number])?).await;
                until(async || ws.stats().pings_received > u64::from(number)).await;
            }
            raw.send("done").await;
            assert_eq!(ws.get_message().await?.as_text(), Some("done"));
            let closing = async {
                ws.send_message("last").await?;
                ws.close(CloseCode::NORMAL_CLOSURE);
                Ok::<_, Error>(ws.wait_closed().await)
            };
            let reading = async {
                let (mut messages, mut pongs) = (0, 0_u8);
                loop {
                    match raw.receive().await {
                        Some(Event::Message(message)) if messages < sent => {
                            assert_eq!(message, numbered(messages));
                            messages += 1;
                        }
                        Some(Event::Message(message)) => assert_eq!(message.as_text(), Some("last")),
                        Some(Event::Pong(pong)) => {
                            assert_eq!(pong.payload(), [pongs]);
                            pongs += 1;
                        }
                        Some(Event::CloseConnection(_)) => {
                            raw.answer().await;
                            raw.stream.close().await.unwrap();
                            return (messages, pongs);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            };
            let (closed, seen) = (closing, reading).join().await;
            assert_eq!(seen, (sent, 10), "{role:?}");
            assert!(closed?.is_clean());
            Ok(())
        });
    }
}

#[test]
fn an_end_without_close_notify_is_told_from_one_with_it() {
    for role in BOTH {
        with_tls_peer(role, async |ws, raw| {
            drop(raw); // of TCP alone: anybody in between could have done that
            let closed = ws.get_message().await.unwrap_err();
            let CloseCause::Network(error) = closed.cause() else { panic!("{role:?}: {closed}") };
            assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
            assert_eq!(closed.code(), 1006);
            Ok(())
        });
        with_tls_peer(role, async |ws, mut raw| {
            raw.stream.close().await?;
            let closed = ws.get_message().await.unwrap_err();
            assert_eq!(closed.cause(), &CloseCause::UnexpectedEof, "{role:?}");
            Ok(())
        });
    }
}

#[test]
fn after_the_closing_handshake_nobody_asks_for_close_notify() {
    for role in BOTH {
        with_tls_peer(role, async |ws, mut raw| {
            raw.send(CloseConnection::new(CloseCode::NORMAL_CLOSURE)).await;
            assert!(matches!(raw.receive().await, Some(Event::CloseConnection(_))));
            drop(raw);
            let closed = ws.wait_closed().await;
            assert!(closed.is_clean(), "{role:?}: {closed}");
            Ok(())
        });
    }
}

#[test]
fn many_connections_share_one_tls_server() {
    let handled = Arc::new(());
    let count = handled.clone();
    let handler = move |request| {
        let count = count.clone();
        async move {
            let _count = count;
            echo(request).await
        }
    };
    with_tls_server(good(), ServerConfig::new(), handler, async |server| {
        nursery(async |n: Nursery<'_, Error>| {
            for number in 0..10 {
                let config = to(server.port(), trusting());
                n.start_soon(async move {
                    open_websocket(config, async |ws: WebSocketConnection| {
                        for round in 0..20 {
                            let text = format!("{number}:{round}");
                            ws.send_message(text.clone()).await?;
                            assert_eq!(ws.get_message().await?.as_text(), Some(&*text));
                        }
                        Ok(())
                    })
                    .await
                });
            }
            Ok(())
        })
        .await?;
        until(async || server.connections().is_empty()).await;
        Ok(())
    });
    assert_eq!(Arc::strong_count(&handled), 1, "nothing of a handler is left");
}

const SECOND: Duration = Duration::from_secs(1);
