//! Nothing is left: no file, no task, no memory, whatever way a connection, a handshake or a server goes.
//!
//! Files are those of the whole process, so each test that counts them runs alone in a process of its own. What a connection of a
//! server, its handler or a client holds is counted by a guest in its configuration, and memory by the allocator of this binary, on the
//! one thread of a simulation.

use std::{
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use allocation_counter::measure;
use futures::{AsyncRead, AsyncWrite, FutureExt, channel::oneshot};
use wscope::{
    CloseCode, ConnectionConfig, Error, Nursery, Text, WebSocketConnection, WebSocketRequest,
    connect_websocket, nursery, open_websocket,
    proto::Role,
    testing::{DuplexStream, Simulation, duplex, polled},
    websocket::Accept,
    wrap_client_stream, wrap_server_stream,
};

use crate::{
    intercepted::{Intercept, Intercepted},
    support::{BOTH, REQUEST, URL, accept_by_hand, pair, server_of_raw, with_raw},
};

#[cfg(target_os = "linux")]
mod files {
    use std::{net::TcpListener, process::Command};

    use wscope::{
        ClientConfig, ServerConfig, ServerHandle, WebSocketServer, fail_after, run, sleep, testing::Census,
    };

    use super::*;
    use crate::sockets::{Socket, answer_to, until};

    /// Set in the process of a test that runs alone.
    const ALONE: &str = "WSCOPE_TEST_ALONE";

    /// Runs `body` in a process in which no other test opens files.
    fn alone(test: &str, body: impl FnOnce()) {
        if std::env::var_os(ALONE).is_some() {
            return body();
        }
        let name = format!("leaks::files::{test}");
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &name, "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    fn open_files() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }

    /// A server that echoes, and a count of all that its connections, its handlers and our clients hold.
    struct Place {
        server: ServerHandle,
        census: Census,
        secure: bool,
    }

    impl Place {
        /// A client of the server.
        fn client(&self) -> ClientConfig {
            self.client_of("/").connection(counted(&self.census))
        }

        /// One that is not counted, because its handles are kept.
        fn client_of(&self, path: &str) -> ClientConfig {
            let scheme = if self.secure { "wss" } else { "ws" };
            let config =
                ClientConfig::new(&format!("{scheme}://127.0.0.1:{}{path}", self.server.port())).unwrap();
            #[cfg(feature = "tls")]
            let config = config.tls(
                wscope::websocket::TlsConfig::new().danger_accept_invalid_certificates().only_given_roots(),
            );
            config
        }

        /// A connection in a nursery around.
        async fn connect(&self, n: &Nursery<'_, Error>) -> Result<WebSocketConnection, Error> {
            Ok(connect_websocket(n, self.client()).await?)
        }
    }

    /// Limits in whose company a guest is counted until the last byte of the connection is gone.
    fn counted(census: &Census) -> ConnectionConfig {
        let guest = census.join();
        ConnectionConfig::new().on_ping(move |_| {
            let _guest = &guest;
        })
    }

    fn handler(
        census: Census,
    ) -> impl Fn(WebSocketRequest) -> crate::support::Handling + Send + Sync + 'static {
        move |request: WebSocketRequest| {
            let census = census.clone();
            Box::pin(async move {
                let _guest = census.join();
                match request.path() {
                    "/panic" => panic!("on purpose"),
                    "/drop" => {
                        drop(request);
                        return Ok(());
                    }
                    "/abort" => {
                        request.abort();
                        return Ok(());
                    }
                    "/reject" => return Ok(request.reject(403).await?),
                    "/undecided" => std::future::pending().await,
                    _ => {}
                }
                let ws = request.accept(Accept::new().connection(counted(&census))).await?;
                while let Some(message) = ws.next_message().await? {
                    ws.send_message(message).await?;
                }
                Ok(())
            })
        }
    }

    async fn listen(secure: bool) -> Result<WebSocketServer, Error> {
        #[cfg(feature = "tls")]
        if secure {
            use wscope::websocket::{Identity, TlsServerConfig};
            let own = crate::certificates::Certified::self_signed(&["127.0.0.1"]);
            let identity = Identity::from_pem(own.pem(), own.key()).map_err(Error::other)?;
            let tls = TlsServerConfig::new(identity).map_err(Error::other)?;
            return Ok(WebSocketServer::bind_tls("127.0.0.1:0", tls).await?);
        }
        assert!(!secure);
        Ok(WebSocketServer::bind("127.0.0.1:0").await?)
    }

    /// Whether a scenario that is gone through again and again leaves a file open, a guest behind or a service running.
    fn leaves_nothing(
        test: &str,
        secure: bool,
        scenario: impl AsyncFn(&Nursery<'_, Error>, &Place) -> Result<(), Error>,
    ) {
        alone(test, || {
            let outcome = run(fail_after(
                60 * SECOND,
                nursery(async |n: Nursery<'_, Error>| {
                    let census = Census::new();
                    // Nobody stays silent under TLS, whose own work may take its time on a machine that is busy.
                    let handshake = if secure { 20 * SECOND } else { Duration::from_millis(500) };
                    let config = ServerConfig::new()
                        .decision_timeout(Duration::from_millis(20))
                        .handshake_timeout(handshake);
                    let server = listen(secure).await?.config(config);
                    let place = Place { server: server.handle(), census: census.clone(), secure };
                    let serve = server.run(handler(census.clone()));
                    n.start_service(async {
                        serve.await;
                        Ok(())
                    });
                    // What the process makes once and keeps is not ours.
                    open_websocket(place.client(), async |ws: WebSocketConnection| {
                        ws.ping(None).await?;
                        Ok::<(), Error>(())
                    })
                    .await?;
                    scenario(&n, &place).await?;
                    settled(&n, &census).await;
                    let before = open_files();
                    for _ in 0..if secure { 2 } else { ROUNDS } {
                        scenario(&n, &place).await?;
                    }
                    settled(&n, &census).await;
                    let closed = fail_after(20 * SECOND, until(async || open_files() <= before)).await;
                    assert!(closed.is_ok(), "{} files are open, {before} were before", open_files());
                    assert!(place.server.connections().is_empty());
                    Ok(())
                }),
            ));
            outcome.unwrap().unwrap();
        });
    }

    /// Waits until nobody is there but the server.
    async fn settled(n: &Nursery<'_, Error>, census: &Census) {
        let gone = async || census.present() == 0 && n.statistics().services == 1 && n.is_empty();
        let waited = fail_after(20 * SECOND, until(gone)).await;
        assert!(waited.is_ok(), "{} guests are left, {:?}", census.present(), n.statistics());
    }

    /// An exchange of two messages.
    async fn exchange(ws: &WebSocketConnection) -> Result<(), Error> {
        ws.send_message("hello").await?;
        ws.get_message().await?;
        Ok(())
    }

    async fn opens_dropped_at_each_poll(place: &Place) {
        let open = || {
            open_websocket(place.client(), async |ws: WebSocketConnection| {
                exchange(&ws).await?;
                ws.ping(None).await?;
                Ok::<(), Error>(())
            })
        };
        let mut polls = 0;
        while polled(polls, open()).await.is_none() {
            polls += 1;
        }
    }

    #[test]
    fn by_opens_that_are_dropped_at_each_poll() {
        leaves_nothing("by_opens_that_are_dropped_at_each_poll", false, async |_, place| {
            opens_dropped_at_each_poll(place).await;
            Ok(())
        });
    }

    #[cfg(feature = "tls")]
    #[test]
    fn by_secure_opens_that_are_dropped_at_each_poll() {
        leaves_nothing("by_secure_opens_that_are_dropped_at_each_poll", true, async |_, place| {
            opens_dropped_at_each_poll(place).await;
            Ok(())
        });
    }

    #[test]
    fn by_clients_that_leave_in_the_middle_of_a_handshake() {
        leaves_nothing("by_clients_that_leave_in_the_middle_of_a_handshake", false, async |_, place| {
            for bytes in [0, 1, REQUEST.len() / 2, REQUEST.len() - 1, REQUEST.len()] {
                Socket::to(place.server.port()).await.send(&REQUEST[..bytes]).await;
            }
            let mut socket = Socket::to(place.server.port()).await;
            socket.send(REQUEST.replace("GET / ", "GET /undecided ")).await;
            Ok(())
        });
    }

    #[cfg(feature = "tls")]
    #[test]
    fn by_clients_that_leave_in_the_middle_of_tls() {
        leaves_nothing("by_clients_that_leave_in_the_middle_of_tls", true, async |_, place| {
            for hello in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n"] {
                Socket::to(place.server.port()).await.send(hello).await;
            }
            Ok(())
        });
    }

    #[test]
    fn by_servers_that_do_not_answer() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        leaves_nothing("by_servers_that_do_not_answer", false, async |_, _| {
            for scheme in ["ws", if cfg!(feature = "tls") { "wss" } else { "ws" }] {
                let config = ClientConfig::new(&format!("{scheme}://127.0.0.1:{port}/"))?
                    .connect_timeout(Duration::from_millis(10));
                assert!(open_websocket(config, async |_| Ok::<(), Error>(())).await.is_err());
            }
            silent.set_nonblocking(true)?;
            while silent.accept().is_ok() {} // what the kernel has connected is not ours
            Ok(())
        });
    }

    #[test]
    fn by_requests_that_are_not_accepted() {
        leaves_nothing("by_requests_that_are_not_accepted", false, async |_, place| {
            for (path, status) in [("/panic", 500), ("/drop", 500), ("/reject", 403), ("/undecided", 503)] {
                assert_eq!(answer_to(place.client_of(path)).await, status);
            }
            assert!(open_websocket(place.client_of("/abort"), async |_| Ok::<(), Error>(())).await.is_err());
            Ok(())
        });
    }

    #[test]
    fn by_connections_that_are_aborted_on_either_side() {
        leaves_nothing("by_connections_that_are_aborted_on_either_side", false, async |n, place| {
            let here = place.connect(n).await?;
            exchange(&here).await?;
            here.abort();
            let there = place.connect(n).await?;
            exchange(&there).await?;
            place.server.connections().iter().for_each(WebSocketConnection::abort);
            there.wait_closed().await;
            Ok(())
        });
    }

    #[test]
    fn by_connections_that_are_closed_while_somebody_receives() {
        leaves_nothing("by_connections_that_are_closed_while_somebody_receives", false, async |n, place| {
            let ws = place.connect(n).await?;
            exchange(&ws).await?;
            let receiving = n.child({
                let ws = ws.clone();
                async move { Ok(ws.get_message().await) }
            });
            let mut kept = pin!(ws.get_message());
            assert!((&mut kept).now_or_never().is_none());
            sleep(Duration::ZERO).await;
            ws.aclose(CloseCode::NORMAL_CLOSURE).await?;
            assert!(receiving.await?.is_err());
            assert!(kept.await.is_err());
            Ok(())
        });
    }

    #[test]
    fn by_handles_that_are_kept_after_the_scope() {
        let kept = Mutex::new(Vec::new());
        leaves_nothing("by_handles_that_are_kept_after_the_scope", false, async |_, place| {
            let ws = open_websocket(place.client_of("/"), async |ws: WebSocketConnection| {
                exchange(&ws).await?;
                Ok::<_, Error>(ws)
            });
            let ws = ws.await?;
            kept.lock().unwrap().push(ws);
            let aborted = nursery(async |n: Nursery<'_, Error>| {
                let ws = connect_websocket(&n, place.client_of("/")).await?;
                exchange(&ws).await?;
                ws.abort();
                Ok(ws)
            });
            let aborted = aborted.await?;
            kept.lock().unwrap().push(aborted);
            Ok(())
        });
    }

    #[test]
    fn by_servers_that_are_dropped_with_live_connections() {
        leaves_nothing("by_servers_that_are_dropped_with_live_connections", false, async |n, place| {
            let server = listen(false).await?;
            let handle = server.handle();
            let (stop, stopped) = oneshot::channel::<()>();
            let census = place.census.clone();
            let dropped = n.child(async {
                let run: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(server.run(handler(census)));
                drop(futures::future::select(run, stopped).await);
                Ok(())
            });
            let place = Place { server: handle, census: place.census.clone(), secure: false };
            let mut clients = Vec::new();
            for _ in 0..5 {
                clients.push(place.connect(n).await?);
            }
            let _silent = Socket::to(place.server.port()).await;
            exchange(&clients[0]).await?;
            drop(stop);
            dropped.await?;
            for ws in clients {
                assert_eq!(ws.wait_closed().await.code(), 1001);
            }
            Ok(())
        });
    }

    #[test]
    fn by_connections_that_the_network_ends() {
        leaves_nothing("by_connections_that_the_network_ends", false, async |_, place| {
            let mut socket = Socket::to(place.server.port()).await;
            socket.send(REQUEST).await;
            socket.head().await;
            socket.send(b"\x81\x85\0\0\0\0he").await; // in the middle of a frame
            Ok(())
        });
    }

    const ROUNDS: usize = 20;
    const SECOND: Duration = Duration::from_secs(1);
}

// ---- memory and tasks, in a simulation

/// Whether `scenario` gives back all the memory that it takes. What is made once and kept is made by the first rounds.
fn gives_back(what: &str, scenario: impl AsyncFn(&Nursery<'_, Error>) -> Result<(), Error>) {
    let run = || {
        Simulation::new().run(nursery(async |n: Nursery<'_, Error>| scenario(&n).await)).unwrap();
    };
    run();
    run();
    let used = measure(run);
    assert_eq!(used.bytes_current, 0, "{what}: {used:?}");
    assert!(used.bytes_total > 0, "{what}: it is counted");
}

#[test]
fn no_memory_is_left_by_connections_that_end_well_or_badly() {
    gives_back("closed", async |n| {
        let ends = pair(n).await?;
        for size in [0, 1, 300, 70_000, 300_000] {
            ends.client.send_message(vec![1; size]).await?;
            ends.server.get_message().await?;
        }
        ends.client.ping(None).await?;
        Ok(ends.client.aclose(CloseCode::NORMAL_CLOSURE).await?)
    });
    gives_back("dropped", async |n| pair(n).await.map(drop));
    gives_back("aborted with unread and unsent messages", async |n| {
        let ends = pair(n).await?;
        for _ in 0..10 {
            polled(3, ends.client.send_message(vec![1; 100_000])).await;
        }
        ends.server.abort();
        Ok(())
    });
    gives_back("handles outlive the nursery of the drivers", async |_| {
        let ends = nursery(async |n: Nursery<'_, Error>| pair(&n).await).await?;
        assert!(ends.client.send_message("too late").await.is_err());
        Ok(())
    });
    gives_back("a message in pieces that is dropped", async |n| {
        let ends = pair(n).await?;
        let mut writer = ends.client.send_pieces::<Text>().await?;
        writer.send("torn").await?;
        drop(writer);
        ends.server.wait_closed().await;
        Ok(())
    });
}

/// `call`, dropped after so many polls, or when nobody has woken it for a while.
async fn dropped<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    wscope::move_on_after(Duration::from_secs(1), polled(polls, call)).await.flatten()
}

#[test]
fn no_memory_is_left_by_handshakes_that_are_dropped_at_each_poll() {
    for polls in 0..8 {
        gives_back("a client", async |n| {
            let (here, there) = duplex(4096);
            let config = wscope::ServerConfig::new();
            let accept = async {
                if let Ok(request) = wrap_server_stream(n, there, &config).await {
                    drop(request.accept(Accept::new()).await); // the client may have left
                }
            };
            let connect = dropped(polls, wrap_client_stream(n, here, URL));
            drop(wscope::scope::Join::join((connect, accept)).await);
            Ok(())
        });
        gives_back("a server", async |n| {
            let (mut here, there) = duplex(4096);
            futures::AsyncWriteExt::write_all(&mut here, REQUEST.as_bytes()).await?;
            let config = wscope::ServerConfig::new();
            let request = dropped(polls, wrap_server_stream(n, there, &config)).await;
            if let Some(request) = request {
                drop(dropped(polls, request?.accept(Accept::new())).await);
            }
            Ok(())
        });
    }
}

#[test]
fn no_memory_is_left_by_calls_that_are_dropped_at_each_poll() {
    for polls in 0..6 {
        gives_back("calls", async |n| {
            let ends = pair(n).await?;
            let ws = &ends.client;
            dropped(polls, ws.get_message()).await;
            dropped(polls, ws.ping(None)).await;
            dropped(polls, ws.send_message(vec![0; 200_000])).await;
            dropped(polls, ws.send_message("more")).await;
            dropped(polls, ws.flush()).await;
            dropped(polls, ws.get_piece()).await;
            dropped(polls, ws.wait_closed()).await;
            dropped(polls, ws.aclose(CloseCode::NORMAL_CLOSURE)).await;
            Ok(())
        });
    }
}

#[test]
fn the_driver_of_a_connection_ends_with_it() {
    for role in BOTH {
        Simulation::new()
            .run(nursery(async |n: Nursery<'_, Error>| {
                let (ws, raw) = with_raw(&n, role, ConnectionConfig::new()).await?;
                assert_eq!(n.statistics().services, 1);
                drop(raw);
                ws.wait_closed().await;
                wscope::sleep(Duration::from_secs(1)).await;
                assert_eq!(n.statistics().services, 0, "{role:?}: with a handle left");
                Ok::<(), Error>(())
            }))
            .unwrap();
    }
}

/// Keeps the wakers of a stream for ever.
struct Hoard {
    wakers: Arc<Mutex<Vec<Waker>>>,
    _alive: Arc<()>,
}

impl Hoard {
    fn keep(&self, cx: &Context<'_>) {
        self.wakers.lock().unwrap().push(cx.waker().clone());
    }
}

impl Intercept for Hoard {
    fn read(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.keep(cx);
        stream.poll_read(cx, buffer)
    }

    fn write(
        &mut self,
        stream: Pin<&mut DuplexStream>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.keep(cx);
        stream.poll_write(cx, bytes)
    }
}

/// The reactor keeps the last waker of a socket until the socket is gone: if the waker kept the socket, neither would ever go.
#[test]
fn a_waker_that_somebody_keeps_keeps_no_socket_open() {
    type End = fn(WebSocketConnection) -> Option<WebSocketConnection>;
    let ends: [(&str, End); 3] = [
        ("aborted, and its handle kept", |ws| {
            ws.abort();
            Some(ws)
        }),
        ("closed, and its handle kept", |ws| {
            ws.close(CloseCode::NORMAL_CLOSURE);
            Some(ws)
        }),
        ("dropped", |_ws| None),
    ];
    for role in BOTH {
        for (how, end) in ends {
            let wakers = Arc::new(Mutex::new(Vec::new()));
            let alive = Arc::new(());
            let kept = Simulation::new().run(nursery(async |n: Nursery<'_, Error>| {
                let (ours, mut theirs) = duplex(4096);
                let hoard = Hoard { wakers: wakers.clone(), _alive: alive.clone() };
                let hoarded = Intercepted(ours, hoard);
                let ws = match role {
                    Role::Client => {
                        let (ws, _request) = wscope::scope::Join::join((
                            wrap_client_stream(&n, hoarded, URL),
                            accept_by_hand(&mut theirs),
                        ))
                        .await;
                        ws?
                    }
                    Role::Server => {
                        futures::AsyncWriteExt::write_all(&mut theirs, REQUEST.as_bytes()).await?;
                        let config = wscope::ServerConfig::new();
                        wrap_server_stream(&n, hoarded, &config).await?.accept(Accept::new()).await?
                    }
                };
                let mut receiving = Box::pin(ws.get_message());
                assert!((&mut receiving).now_or_never().is_none());
                drop(receiving);
                wscope::sleep(Duration::from_secs(1)).await;
                let kept = end(ws);
                wscope::sleep(Duration::from_secs(10)).await; // longer than closing may take
                Ok::<_, Error>(kept)
            }));
            assert!(!wakers.lock().unwrap().is_empty());
            assert_eq!(Arc::strong_count(&alive), 1, "{role:?}, {how}: the stream is alive");
            drop((kept.unwrap(), wakers));
        }
    }
}

#[test]
fn a_server_connection_whose_peer_is_raw_gives_its_memory_back() {
    gives_back("a frame that is never finished", async |n| {
        let (ws, mut raw) = server_of_raw(n, ConnectionConfig::new()).await?;
        futures::AsyncWriteExt::write_all(&mut raw, b"\x82\xFE\xFF\xFF\0\0\0\0some of it").await?;
        wscope::sleep(Duration::from_secs(1)).await;
        drop(raw);
        ws.wait_closed().await;
        Ok(())
    });
}
