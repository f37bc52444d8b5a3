//! Servers: listeners, and a handler for each request.

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt;

use super::{
    BoxError, ConnectionConfig, Endpoint, ListenAddress, ServerConfig, ServerHandle, WebSocketRequest,
    listen_address::CannotListen,
    serve::{ServerError, Serving, Tls},
};
use crate::{
    runtime::{Listener, Timer, now},
    scope::{Cancelled, Nursery, Started, TaskStatus, move_on_after, nursery},
};

/// Listens, and runs a handler for each request.
///
/// ```
/// use wscope::{Error, WebSocketRequest, WebSocketServer, nursery, open_websocket, websocket::Accept};
///
/// # fn main() -> Result<(), Error> {
/// wscope::run(nursery(async |n| {
///     let server = WebSocketServer::bind("127.0.0.1:0").await?;
///     let url = format!("ws://127.0.0.1:{}/", server.port());
///     n.start_service(async move {
///         server
///             .run(async |request: WebSocketRequest| {
///                 let ws = request.accept(Accept::new()).await?;
///                 while let Some(message) = ws.next_message().await? {
///                     ws.send_message(message).await?;
///                 }
///                 Ok(())
///             })
///             .await;
///         Ok(())
///     });
///     open_websocket(url, async |ws| {
///         ws.send_message("hello").await?;
///         assert_eq!(ws.get_message().await?.as_text(), Some("hello"));
///         Ok::<(), Error>(())
///     })
///     .await
/// }))
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a server serves when it is `run`"]
pub struct WebSocketServer {
    listeners: Vec<Bound>,
    config: ServerConfig,
    handle: ServerHandle,
}

struct Bound {
    listener: Listener,
    tls: Tls,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.listener.local(), f)
    }
}

impl WebSocketServer {
    /// Listens at a [host and a port](ListenAddress), such as `127.0.0.1:0` for a port of the system's choice, or a name, at all of whose
    /// addresses it listens. Waits for the system to look a name up, as long as that takes.
    ///
    /// Cancel-safe: a dropped call listens nowhere.
    ///
    /// # Errors
    /// The system's, with the address.
    pub async fn bind(address: impl Into<ListenAddress>) -> io::Result<Self> {
        Self::nowhere().and_bind(address).await
    }

    fn nowhere() -> Self {
        Self { listeners: Vec::new(), config: ServerConfig::new(), handle: ServerHandle::new() }
    }

    /// Listens at a further address. A dropped call has closed those before, too.
    ///
    /// # Errors
    /// The system's, with the address.
    pub async fn and_bind(self, address: impl Into<ListenAddress>) -> io::Result<Self> {
        self.listen(address.into(), Tls::default()).await
    }

    /// Sets the limits and habits. Default [`ServerConfig::new`].
    pub fn config(mut self, config: ServerConfig) -> Self {
        self.config = config;
        self
    }

    /// Changes the limits and habits of connections, for a layer above that has some of its own.
    pub(crate) fn change_connections(
        mut self,
        change: impl FnOnce(ConnectionConfig) -> ConnectionConfig,
    ) -> Self {
        self.config.connection = Arc::new(change((*self.config.connection).clone()));
        self
    }

    /// Port of the first TCP listener; 0 where there is none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.handle.port()
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.handle.endpoints()
    }

    /// What speaks to the server while it runs.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    async fn listen(mut self, address: ListenAddress, tls: Tls) -> io::Result<Self> {
        let addresses = address.resolve().await.map_err(|error| CannotListen::at(&address, error))?;
        for address in addresses {
            let listener = Listener::tcp(address).map_err(|error| CannotListen::at(address, error))?;
            self.push(listener, tls.clone());
        }
        Ok(self)
    }

    fn push(&mut self, listener: Listener, tls: Tls) {
        let endpoint = Endpoint::of(listener.local(), is_tls(&tls));
        self.handle.listens_at(endpoint);
        self.listeners.push(Bound { listener, tls });
    }

    /// Runs `handler` for each request, each in a task of its own, until the server is [stopped](ServerHandle::stop).
    ///
    /// A handler owns its request; when it returns, its connection is closed: with 1000 after `Ok`, with 1011 after an error or a
    /// panic, which harm nobody else and are reported to [`on_error`](ServerConfig::on_error). A handler with state of its own is a
    /// closure that clones it: `move |request| { let state = state.clone(); async move { .. } }`.
    ///
    /// Handlers share the threads of the executor: one that computes for long holds up those that come to its thread. What computes or
    /// blocks belongs into [`blocking`](crate::blocking).
    ///
    /// A dropped call closes all connections with 1001, within the close timeout, in the nursery around.
    pub async fn run<H, F>(self, handler: H)
    where
        H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let Self { listeners, config, handle } = self;
        let stop_timeout = config.stop_timeout;
        let serving = Arc::new(Serving::new(config));
        let _open = handle.opened(serving.clone());
        let handler = Arc::new(handler);
        let outcome = nursery(async |n: Nursery<'_, Cancelled>| {
            for bound in &listeners {
                n.start_service(listen(bound, n.clone(), serving.clone(), handler.clone()));
            }
            handle.stopped().await;
            serving.live.leave();
            move_on_after(stop_timeout, serving.connections.empty()).await;
            n.cancel(); // handlers that linger, and clients that have asked for nothing yet
            Ok(())
        })
        .await;
        match outcome {
            Ok(()) | Err(Cancelled) => {}
        }
    }
}

#[cfg(feature = "tls")]
impl WebSocketServer {
    /// Listens at `address`, for TLS (`wss`); as [`bind`](Self::bind) in all else.
    ///
    /// Cancel-safe: a dropped call listens nowhere.
    ///
    /// # Errors
    /// The system's, with the address.
    pub async fn bind_tls(
        address: impl Into<ListenAddress>,
        tls: super::TlsServerConfig,
    ) -> io::Result<Self> {
        Self::nowhere().and_bind_tls(address, tls).await
    }

    /// Listens at a further address, for TLS. A dropped call has closed those before, too.
    ///
    /// # Errors
    /// The system's, with the address.
    pub async fn and_bind_tls(
        self,
        address: impl Into<ListenAddress>,
        tls: super::TlsServerConfig,
    ) -> io::Result<Self> {
        self.listen(address.into(), Some(Arc::new(tls))).await
    }
}

#[cfg(unix)]
impl WebSocketServer {
    /// Listens at a Unix socket. The file of a dead server is replaced; that of a live one is an error. Waits where there is a file, to
    /// see whether somebody answers.
    ///
    /// Cancel-safe: a dropped call listens nowhere, and leaves the file as it was.
    ///
    /// # Errors
    /// The system's, with the address.
    pub async fn bind_unix(path: impl AsRef<std::path::Path>) -> io::Result<Self> {
        Self::nowhere().and_bind_unix(path).await
    }

    /// Listens at a Unix socket, too. A dropped call has closed those before.
    ///
    /// # Errors
    /// The system's, with the address.
    pub async fn and_bind_unix(mut self, path: impl AsRef<std::path::Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let listener = crate::runtime::UnixListener::bind(path).await;
        let listener = listener.map_err(|error| CannotListen::at(path.display(), error))?;
        self.push(Listener::Unix(listener), Tls::default());
        Ok(self)
    }
}

#[cfg(feature = "tls")]
fn is_tls(tls: &Tls) -> bool {
    tls.is_some()
}

#[cfg(not(feature = "tls"))]
fn is_tls(_: &Tls) -> bool {
    false
}

/// Binds and serves in the nursery start protocol: the value of [`start_service_with`](Nursery::start_service_with) is the
/// [`ServerHandle`], once the server listens.
///
/// ```
/// use wscope::{Error, nursery, serve_websocket};
///
/// # fn main() -> Result<(), Error> {
/// wscope::run(nursery(async |n| {
///     let server = n
///         .start_service_with(async |status| {
///             serve_websocket("127.0.0.1:0", async |request| Ok(request.reject(404).await?), status).await
///         })
///         .await?;
///     assert_ne!(server.port(), 0);
///     Ok::<(), Error>(())
/// }))
/// # }
/// ```
///
/// A dropped call stops the server as a dropped [`run`](WebSocketServer::run) does; in `start_service_with` the nursery sees to that.
///
/// # Errors
/// The system's, with the address, when it cannot listen.
pub async fn serve_websocket<H, F, E>(
    address: impl Into<ListenAddress>,
    handler: H,
    status: TaskStatus<ServerHandle>,
) -> Result<Started, E>
where
    H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
    E: From<io::Error>,
{
    let server = WebSocketServer::bind(address).await?;
    let started = status.started(server.handle());
    server.run(handler).await;
    Ok(started)
}

/// Accepts for ever. A process that is out of files is told so once, and tried again ever more seldom: it neither spins nor ends.
async fn listen<H, F>(
    bound: &Bound,
    n: Nursery<'_, Cancelled>,
    serving: Arc<Serving>,
    handler: Arc<H>,
) -> Result<(), Cancelled>
where
    H: Fn(WebSocketRequest) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let mut pause = FIRST_PAUSE;
    let mut failed: Option<Instant> = None;
    loop {
        match bound.listener.accept().await {
            Ok(transport) => {
                pause = FIRST_PAUSE;
                // Above the limit it is closed at once: who floods us is not answered.
                if let Some(seat) = serving.seat() {
                    let serve = serving.clone().serve(transport, bound.tls.clone(), seat, handler.clone());
                    n.spawn(serve.map(Ok)); // an async block around it would hold it twice
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // A file that is free for a moment does not end a drought.
                if failed.is_none_or(|failed| now().saturating_duration_since(failed) > CALM) {
                    serving.config.report(&ServerError::Listen(error));
                }
                failed = Some(now());
                let mut timer = Timer::at(now() + pause);
                poll_fn(|cx| timer.poll(cx)).await;
                pause = (pause * 2).min(LAST_PAUSE);
            }
        }
    }
}

/// Whether the next connection may be better.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// After the first accept that failed.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// After many.
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// When nothing has failed for so long, it is told again.
const CALM: Duration = Duration::from_secs(10);
