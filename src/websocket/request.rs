//! A client that asks to be let in.

use std::{
    fmt,
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use http::{HeaderMap, StatusCode};

use super::{
    Accept, ConnectionConfig, ConnectionId, Endpoint, HandshakeError, Reject, ServerConfig,
    WebSocketConnection,
    driver::{Driver, farewell},
    opening, scratch,
    shared::{Facts, Resource, Shared},
    slot::Slot,
};
use crate::{
    proto::{Agreement, RejectConnection, Request, Role, ServerHandshake, Token},
    runtime::Transport,
    scope::defer,
};

/// A valid opening handshake that waits for its answer: [`accept`](Self::accept) it or [`reject`](Self::reject) it, once.
///
/// Dropped without an answer it answers 500 by itself; 503 when the time for a decision was over.
///
/// ```
/// use wscope::WebSocketRequest;
/// use wscope::websocket::{Accept, BoxError, Reject};
///
/// async fn handler(request: WebSocketRequest) -> Result<(), BoxError> {
///     if request.path() != "/chat" {
///         return Ok(request.reject(404).await?);
///     }
///     if request.headers().get("authorization").is_none() {
///         return Ok(request.reject(Reject::status(401).header("WWW-Authenticate", "Bearer")).await?);
///     }
///     let ws = request.accept(Accept::new().header("X-Served-By", "7")).await?;
///     ws.send_message("welcome").await?;
///     Ok(())
/// }
/// # let _ = handler;
/// ```
#[must_use = "a request that is dropped answers 500"]
pub struct WebSocketRequest(Box<Asked>);

/// What it is about. In a box, because the future of a handler keeps room for its request as long as it runs.
struct Asked {
    request: Request,
    local: Endpoint,
    remote: Endpoint,
    config: Arc<ConnectionConfig>,
    /// The server's.
    #[cfg(feature = "deflate")]
    compression: super::Compression,
    slot: Arc<Slot>,
    /// Gone once it is answered.
    asking: Option<Asking>,
}

/// A client, and the bytes that came behind its request.
struct Asking {
    transport: Transport,
    handshake: ServerHandshake,
    early: Vec<u8>,
}

impl WebSocketRequest {
    pub(super) fn new(
        transport: Transport,
        handshake: ServerHandshake,
        early: Vec<u8>,
        config: &ServerConfig,
        slot: Arc<Slot>,
    ) -> Self {
        Self(Box::new(Asked {
            request: handshake.request().clone(),
            local: Endpoint::local(&transport),
            remote: Endpoint::remote(&transport),
            config: config.connection.clone(),
            #[cfg(feature = "deflate")]
            compression: config.compression.clone(),
            slot,
            asking: Some(Asking { transport, handshake, early }),
        }))
    }

    /// The headers of the request, all of them.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.0.request.headers()
    }

    /// Host and port that were asked for.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.request.host()
    }

    /// The path that was asked for, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.request.path()
    }

    /// What stands behind the first `?` of the target.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.0.request.query()
    }

    /// The page from which the request comes, if a browser sent it.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.headers().get(http::header::ORIGIN).and_then(|origin| origin.to_str().ok())
    }

    /// The subprotocols on offer, the client's favourite first.
    #[must_use]
    pub fn proposed_subprotocols(&self) -> &[Token] {
        self.0.request.subprotocols()
    }

    /// Our end.
    #[must_use]
    pub fn local(&self) -> &Endpoint {
        &self.0.local
    }

    /// The client's end.
    #[must_use]
    pub fn remote(&self) -> &Endpoint {
        &self.0.remote
    }

    /// Lifts the [decision timeout](super::ServerConfig::decision_timeout): this request may wait for its answer as long as it takes.
    pub fn lift_decision_timeout(&self) {
        self.0.slot.lift();
    }

    /// Lets the client in.
    ///
    /// The connection belongs to the scope in which the request came: when the handler returns it is closed, with 1000 after a value and
    /// 1011 after an error. It waits for the network to take the answer, under the
    /// [decision timeout](super::ServerConfig::decision_timeout) where there is one. A dropped call has cut the client off.
    ///
    /// # Errors
    /// [`HandshakeError::ClientLeft`] when nobody is there any more; [`HandshakeError::Accept`], [`HandshakeError::Header`] when the
    /// answer cannot be given so, and the client is refused with 500; [`HandshakeError::ScopeEnded`]; [`HandshakeError::Network`].
    pub async fn accept(self, accept: impl Into<Accept>) -> Result<WebSocketConnection, HandshakeError> {
        Box::pin(self.let_in(accept.into())).await
    }

    async fn let_in(mut self, Accept(accept): Accept) -> Result<WebSocketConnection, HandshakeError> {
        let config = accept.config;
        #[cfg(feature = "deflate")]
        let compression = accept.compression.unwrap_or_else(|| self.0.compression.clone());
        let accept = accept.accept?;
        #[cfg(feature = "deflate")]
        let accept = compression.accept(accept);
        if self.0.slot.is_over() {
            return Err(HandshakeError::ScopeEnded);
        }
        let Some(Asking { mut transport, handshake, mut early }) = self.0.asking.take() else {
            return Err(HandshakeError::ScopeEnded);
        };
        look_for_client(&mut transport, &mut early).await.map_err(|error| self.left(error))?;
        let mut answer = Vec::new();
        let agreement = match handshake.accept(accept, &mut answer) {
            Ok(agreement) => agreement,
            Err(error) => {
                let kind = error.kind.clone();
                self.0.asking = Some(Asking { transport, handshake: *error.handshake, early });
                return Err(kind.into());
            }
        };
        opening::write_all(&mut transport, &answer).await.map_err(|error| self.left(error))?;
        let driver = self.open(transport, agreement, early, config);
        let ws = WebSocketConnection::new(driver.shared().clone());
        self.0.slot.list(&ws); // before somebody drives, and may be through with it
        self.0.slot.fill(driver).map(|()| ws).map_err(|_| HandshakeError::ScopeEnded)
    }

    fn open(
        &mut self,
        transport: Transport,
        Agreement { subprotocol, extension, .. }: Agreement,
        early: Vec<u8>,
        config: Option<ConnectionConfig>,
    ) -> Driver {
        let config = config.map_or_else(|| self.0.config.clone(), Arc::new);
        let facts = Facts {
            id: ConnectionId::next(Role::Server),
            local: self.0.local.clone(),
            remote: self.0.remote.clone(),
            resource: Resource::by_client(self.0.request.target()),
            subprotocol: subprotocol.map(Into::into),
            headers: self.0.request.take_headers(),
        };
        Driver::new(Shared::new(transport, extension, early, config, facts))
    }

    /// Refuses the client: `reject(403)`, or with headers and a body as [`Reject`]. Then hangs up: the client is given
    /// [`CLOSE_TIMEOUT`](ConnectionConfig::CLOSE_TIMEOUT) to take the answer, and [`DRAIN_TIMEOUT`](ConnectionConfig::DRAIN_TIMEOUT) to end
    /// the stream. A dropped call has cut the client off.
    ///
    /// # Errors
    /// [`HandshakeError::Status`] and [`HandshakeError::Header`] when the answer cannot be given so, and the client is refused with 500;
    /// [`HandshakeError::ClientLeft`], [`HandshakeError::Network`].
    pub async fn reject(mut self, reject: impl Into<Reject>) -> Result<(), HandshakeError> {
        let reject = reject.into().0?;
        self.0.slot.answered();
        match self.0.asking.take() {
            Some(asking) => Box::pin(refuse(asking, reject)).await.map_err(|error| self.left(error)),
            None => Err(HandshakeError::ScopeEnded),
        }
    }

    /// What it means that a client could not be answered.
    fn left(&self, error: io::Error) -> HandshakeError {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => {
                HandshakeError::ClientLeft { peer: self.0.remote.client() }
            }
            _ => HandshakeError::Network { peer: self.0.remote.client(), error: error.into() },
        }
    }

    /// Cuts the client off, without an answer.
    pub fn abort(mut self) {
        self.0.slot.answered();
        drop(self.0.asking.take());
    }
}

impl Drop for WebSocketRequest {
    fn drop(&mut self) {
        let Some(asking) = self.0.asking.take() else {
            self.0.slot.answered();
            return;
        };
        let status = if self.0.slot.is_late() {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        self.0.slot.answered();
        let Ok(reject) = RejectConnection::new(status.as_u16()) else { return };
        let goodbye = Box::pin(async {
            let _ = refuse(asking, reject).await; // there is nobody left to be told
        });
        if let Err(mut goodbye) = defer(farewell(&self.0.config), goodbye) {
            // Nobody waits for us here: one try, without waiting.
            let _ = goodbye.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl fmt::Debug for WebSocketRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketRequest")
            .field("request", &self.0.request)
            .field("local", &self.0.local)
            .field("remote", &self.0.remote)
            .finish_non_exhaustive()
    }
}

/// Answers a request that nobody is asked about.
pub(super) async fn refuse_request(transport: Transport, handshake: ServerHandshake, status: StatusCode) {
    if let Ok(reject) = RejectConnection::new(status.as_u16()) {
        let _ = refuse(Asking { transport, handshake, early: Vec::new() }, reject).await; // the client may be gone
    }
}

async fn refuse(asking: Asking, reject: RejectConnection) -> io::Result<()> {
    let mut answer = Vec::new();
    let Asking { transport, handshake, .. } = asking;
    let _finished = handshake.reject(reject, &mut answer);
    opening::hang_up(transport, answer, ConnectionConfig::CLOSE_TIMEOUT).await
}

/// A client that has left is not let in: the answer would be written into nothing, and the caller would learn of it later.
async fn look_for_client(transport: &mut Transport, early: &mut Vec<u8>) -> io::Result<()> {
    if early.len() >= scratch::LEN {
        return Ok(());
    }
    transport.look_again();
    poll_fn(|cx| {
        Poll::Ready(scratch::lend(|scratch| match transport.poll_read(cx, scratch) {
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Ok(count)) => {
                early.extend_from_slice(&scratch[..count]);
                Ok(())
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Ok(()),
        }))
    })
    .await
}
