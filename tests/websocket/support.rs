//! What several tests need: two ends of one connection in memory, a server, and a peer made of raw bytes.

use std::{io, pin::Pin, time::Duration};

use futures::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt,
    channel::{mpsc, oneshot},
};
use wscope::{
    Child, ClientConfig, ConnectionConfig, Error, Nursery, ServerConfig, ServerHandle, WebSocketConnection,
    WebSocketRequest, WebSocketServer, fail_after, nursery,
    proto::{self, Role},
    run,
    scope::Join,
    testing::{DuplexStream, Simulation, duplex},
    websocket::{Accept, BoxError, ConnectionClosed},
    wrap_client_stream, wrap_server_stream,
};

pub(crate) const URL: &str = "ws://example.com/";

/// Runs `body` on a virtual clock, in a nursery.
pub(crate) fn simulated<T>(body: impl AsyncFnOnce(Nursery<'_, Error>) -> Result<T, Error>) -> T {
    Simulation::new().run(nursery(async |n| body(n).await)).unwrap()
}

/// Runs `body` on the real executor with the handle of a server in reach; nothing may take longer than 30 s.
pub(crate) fn with_server<T, H, F>(handler: H, body: impl AsyncFnOnce(ServerHandle) -> Result<T, Error>) -> T
where
    H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    with_server_of(ServerConfig::new(), handler, body)
}

pub(crate) fn with_server_of<T, H, F>(
    config: ServerConfig,
    handler: H,
    body: impl AsyncFnOnce(ServerHandle) -> Result<T, Error>,
) -> T
where
    H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    run(fail_after(
        Duration::from_secs(30),
        nursery(async |n: Nursery<'_, Error>| {
            let server = WebSocketServer::bind("127.0.0.1:0").await?.config(config);
            let handle = server.handle();
            n.start_service(async {
                server.run(handler).await;
                Ok(())
            });
            body(handle).await
        }),
    ))
    .unwrap()
    .unwrap()
}

/// Runs `server`, which may be stopped by its handle and is at the latest when `body` returns. `body` can wait for the end of
/// `run`. Nothing may take longer than 30 s.
pub(crate) fn serving<T, H, F>(
    server: impl AsyncFnOnce() -> io::Result<WebSocketServer>,
    handler: H,
    body: impl AsyncFnOnce(&ServerHandle, Child<()>) -> Result<T, Error>,
) -> T
where
    H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    run(fail_after(
        Duration::from_secs(30),
        nursery(async |n: Nursery<'_, Error>| {
            let server = server().await?;
            let handle = server.handle();
            let running = n.child(async {
                server.run(handler).await;
                Ok(())
            });
            let value = body(&handle, running).await?;
            handle.stop();
            Ok(value)
        }),
    ))
    .unwrap()
    .unwrap()
}

pub(crate) async fn local(config: ServerConfig) -> io::Result<WebSocketServer> {
    Ok(WebSocketServer::bind("127.0.0.1:0").await?.config(config))
}

/// A gate at which many wait; it opens when the first half is used or dropped.
pub(crate) fn gate() -> (oneshot::Sender<()>, impl Future<Output = ()> + Clone + Send + Sync) {
    let (open, opened) = oneshot::channel();
    (open, opened.map(|_| ()).shared())
}

pub(crate) fn url(server: &ServerHandle, path: &str) -> String {
    format!("ws://127.0.0.1:{}{path}", server.port())
}

/// Sends everything back.
pub(crate) async fn echo(request: WebSocketRequest) -> Result<(), BoxError> {
    let ws = request.accept(Accept::new()).await?;
    while let Some(message) = ws.next_message().await? {
        ws.send_message(message).await?;
    }
    Ok(())
}

/// A handler that accepts, does nothing and tells how its connection ended.
pub(crate) fn reporting()
-> (impl Fn(WebSocketRequest) -> Handling + Send + Sync + 'static, mpsc::UnboundedReceiver<ConnectionClosed>)
{
    let (report, reports) = mpsc::unbounded();
    let handler = move |request: WebSocketRequest| -> Handling {
        let report = report.clone();
        Box::pin(async move {
            let ws = request.accept(Accept::new()).await?;
            report.unbounded_send(ws.wait_closed().await)?;
            Ok(())
        })
    };
    (handler, reports)
}

/// A handler that accepts, and hands the connection out as long as it is open.
pub(crate) fn handing_out() -> (
    impl Fn(WebSocketRequest) -> Handling + Send + Sync + 'static,
    mpsc::UnboundedReceiver<WebSocketConnection>,
) {
    let (hand, hands) = mpsc::unbounded();
    let handler = move |request: WebSocketRequest| -> Handling {
        let hand = hand.clone();
        Box::pin(async move {
            let ws = request.accept(Accept::new()).await?;
            hand.unbounded_send(ws.clone())?;
            ws.wait_closed().await;
            Ok(())
        })
    };
    (handler, hands)
}

pub(crate) type Handling = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// Both ends of one connection.
pub(crate) struct Pair {
    pub(crate) client: WebSocketConnection,
    pub(crate) server: WebSocketConnection,
}

pub(crate) async fn pair(n: &Nursery<'_, Error>) -> Result<Pair, Error> {
    pair_of(n, ConnectionConfig::new(), ConnectionConfig::new()).await
}

pub(crate) async fn pair_of(
    n: &Nursery<'_, Error>,
    client: ConnectionConfig,
    server: ConnectionConfig,
) -> Result<Pair, Error> {
    let (here, there) = duplex(64 * 1024);
    pair_over(n, here, there, client, server).await
}

pub(crate) async fn pair_over(
    n: &Nursery<'_, Error>,
    here: DuplexStream,
    there: DuplexStream,
    client: ConnectionConfig,
    server: ConnectionConfig,
) -> Result<Pair, Error> {
    let to = ClientConfig::new(URL)?.connection(client);
    let config = ServerConfig::new().connection(server);
    let connect = wrap_client_stream(n, here, to);
    let accept = async { wrap_server_stream(n, there, &config).await?.accept(Accept::new()).await };
    let (client, server) = (connect, accept).join().await;
    Ok(Pair { client: client?, server: server? })
}

/// A client connection of ours, and the stream of a server made of raw bytes: after its handshake.
pub(crate) async fn client_of_raw(
    n: &Nursery<'_, Error>,
    config: ConnectionConfig,
) -> Result<(WebSocketConnection, DuplexStream), Error> {
    let (here, mut there) = duplex(1 << 20);
    let to = ClientConfig::new(URL)?.connection(config);
    let connect = wrap_client_stream(n, here, to);
    let (ws, _request) = (connect, accept_by_hand(&mut there)).join().await;
    Ok((ws?, there))
}

/// Reads a request from `stream`, accepts it and gives it back.
pub(crate) async fn accept_by_hand(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    let request = head(stream).await;
    let key = request.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    request
}

/// A server connection of ours, and the stream of a client made of raw bytes: after its handshake.
pub(crate) async fn server_of_raw(
    n: &Nursery<'_, Error>,
    config: ConnectionConfig,
) -> Result<(WebSocketConnection, DuplexStream), Error> {
    let (mut here, there) = duplex(1 << 20);
    here.write_all(REQUEST.as_bytes()).await?;
    let config = ServerConfig::new().connection(config);
    let ws = wrap_server_stream(n, there, &config).await?.accept(Accept::new()).await?;
    let answer = head(&mut here).await;
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    Ok((ws, here))
}

pub(crate) const REQUEST: &str = "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Reads a head, and gives it back in lower case but for the key.
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "the stream ended inside a head");
        bytes.extend(byte);
    }
    let text = String::from_utf8(bytes).unwrap();
    text.lines()
        .map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}\r\n", name.to_lowercase()),
            None => format!("{}\r\n", line.to_lowercase()),
        })
        .collect()
}

/// The peer of a connection under test: a protocol engine on a stream, moved by hand.
pub(crate) struct Raw<S = DuplexStream> {
    pub(crate) stream: S,
    pub(crate) core: proto::Connection,
    unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub(crate) fn new(role: Role, stream: S) -> Self {
        let config = proto::Config::new().answer_pings(false);
        Self { stream, core: proto::Connection::new(role, config), unread: Vec::new() }
    }

    pub(crate) async fn send(&mut self, event: impl Into<proto::Event>) {
        let mut out = Vec::new();
        self.core.send(event, &mut out).unwrap();
        self.stream.write_all(&out).await.unwrap();
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) async fn receive(&mut self) -> Option<proto::Event> {
        loop {
            let mut input = &mut self.unread[..];
            let event = self.core.receive(&mut input).unwrap();
            let left = input.len();
            self.unread.drain(..self.unread.len() - left);
            if event.is_some() {
                return event;
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes).await.unwrap() {
                0 => return None,
                count => self.unread.extend_from_slice(&bytes[..count]),
            }
        }
    }

    /// Sends what the engine has to say of its own accord.
    pub(crate) async fn answer(&mut self) {
        let mut out = Vec::new();
        self.core.transmit(&mut out);
        self.stream.write_all(&out).await.unwrap();
    }
}

/// A connection of ours in the role `role`, and its raw peer.
pub(crate) async fn with_raw(
    n: &Nursery<'_, Error>,
    role: Role,
    config: ConnectionConfig,
) -> Result<(WebSocketConnection, Raw), Error> {
    let (ws, stream) = match role {
        Role::Client => client_of_raw(n, config).await?,
        Role::Server => server_of_raw(n, config).await?,
    };
    Ok((ws, Raw::new(role.peer(), stream)))
}

pub(crate) const BOTH: [Role; 2] = [Role::Client, Role::Server];
