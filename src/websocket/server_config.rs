//! Limits and habits of a server.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{ConnectionConfig, OriginPolicy, ServerError};
use crate::proto::HandshakeConfig;

/// Told of what went wrong with one connection.
pub type ErrorHook = Arc<dyn Fn(&ServerError) + Send + Sync>;

/// Limits and habits of a [`WebSocketServer`](super::WebSocketServer). A timeout that is `None` is off.
///
/// ```
/// use std::time::Duration;
/// use wscope::websocket::{OriginPolicy, ServerConfig};
///
/// let config = ServerConfig::new()
///     .origin(OriginPolicy::list(["https://example.com"])?)
///     .max_connections(10_000)
///     .on_error(|error| eprintln!("{error}"));
/// assert_eq!(config.handshake_timeout, Some(Duration::from_secs(10)));
/// # Ok::<(), wscope::websocket::InvalidOrigin>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Limits and habits of each connection; [`Accept::connection`](super::Accept::connection) overrides them for one.
    pub connection: Arc<ConnectionConfig>,
    /// Limits of each request. Default: [`MAX_HEAD`](HandshakeConfig::MAX_HEAD) bytes and
    /// [`MAX_HEADER_LINES`](HandshakeConfig::MAX_HEADER_LINES) headers, see [`HandshakeConfig`].
    pub handshake: HandshakeConfig,
    /// Time for TLS and the request together, not reset by bytes that come. Default
    /// [`HANDSHAKE_TIMEOUT`](Self::HANDSHAKE_TIMEOUT). Then 408, if anything had come.
    pub handshake_timeout: Option<Duration>,
    /// Time for the handler to accept or reject. Default [`DECISION_TIMEOUT`](Self::DECISION_TIMEOUT). Then the handler is cancelled and
    /// the client answered 503; [`lift_decision_timeout`](super::WebSocketRequest::lift_decision_timeout) lifts it for one request.
    pub decision_timeout: Option<Duration>,
    /// Most connections whose request is not complete. Default [`MAX_HANDSHAKES`](Self::MAX_HANDSHAKES). Beyond it new ones are
    /// closed at once.
    pub max_handshakes: usize,
    /// Most connections, each counted from its request on: who waits for a decision may be let in. Default `None`: what the system bears.
    /// Beyond it requests are answered 503.
    pub max_connections: Option<usize>,
    /// Which web pages may connect. Default [`OriginPolicy::SameHost`]. Others are answered 403.
    pub origin: OriginPolicy,
    /// Compression, used with clients that offer it; [`Accept::compression`](super::Accept::compression) overrides it for one. Default: off.
    #[cfg(feature = "deflate")]
    pub compression: super::Compression,
    /// Time for handlers to come to an end when the server is stopped. Default [`STOP_TIMEOUT`](Self::STOP_TIMEOUT). Then they are
    /// cancelled.
    pub stop_timeout: Duration,
    /// Told of what went wrong with a single connection, and has harmed no other. Default `None`; with the feature `tracing` there is an
    /// event for each in any case.
    pub on_error: Option<ErrorHook>,
}

impl ServerConfig {
    /// 10 s: a request is one packet, and TLS three more.
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
    /// 10 s: a look into a database.
    pub const DECISION_TIMEOUT: Duration = Duration::from_secs(10);
    /// 1,024 unfinished handshakes, each with at most twice [`MAX_HEAD`](HandshakeConfig::MAX_HEAD).
    pub const MAX_HANDSHAKES: usize = 1024;
    /// 10 s: the close timeout twice.
    pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);

    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            connection: Arc::default(),
            handshake: HandshakeConfig::new(),
            handshake_timeout: Some(Self::HANDSHAKE_TIMEOUT),
            decision_timeout: Some(Self::DECISION_TIMEOUT),
            max_handshakes: Self::MAX_HANDSHAKES,
            max_connections: None,
            origin: OriginPolicy::default(),
            #[cfg(feature = "deflate")]
            compression: super::Compression::off(),
            stop_timeout: Self::STOP_TIMEOUT,
            on_error: None,
        }
    }

    /// Sets [`connection`](Self::connection).
    #[must_use]
    pub fn connection(mut self, config: ConnectionConfig) -> Self {
        self.connection = Arc::new(config);
        self
    }

    /// Sets [`handshake`](Self::handshake).
    #[must_use]
    pub fn handshake(mut self, config: HandshakeConfig) -> Self {
        self.handshake = config;
        self
    }

    /// Sets [`handshake_timeout`](Self::handshake_timeout).
    #[must_use]
    pub fn handshake_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.handshake_timeout = limit.into();
        self
    }

    /// Sets [`decision_timeout`](Self::decision_timeout).
    #[must_use]
    pub fn decision_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.decision_timeout = limit.into();
        self
    }

    /// Sets [`max_handshakes`](Self::max_handshakes).
    #[must_use]
    pub fn max_handshakes(mut self, handshakes: usize) -> Self {
        self.max_handshakes = handshakes;
        self
    }

    /// Sets [`max_connections`](Self::max_connections).
    #[must_use]
    pub fn max_connections(mut self, connections: impl Into<Option<usize>>) -> Self {
        self.max_connections = connections.into();
        self
    }

    /// Sets [`origin`](Self::origin).
    #[must_use]
    pub fn origin(mut self, policy: OriginPolicy) -> Self {
        self.origin = policy;
        self
    }

    /// Sets [`compression`](Self::compression).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, compression: impl Into<super::Compression>) -> Self {
        self.compression = compression.into();
        self
    }

    /// Sets [`stop_timeout`](Self::stop_timeout).
    #[must_use]
    pub fn stop_timeout(mut self, limit: Duration) -> Self {
        self.stop_timeout = limit;
        self
    }

    /// Sets [`on_error`](Self::on_error).
    #[must_use]
    pub fn on_error(mut self, hook: impl Fn(&ServerError) + Send + Sync + 'static) -> Self {
        self.on_error = Some(Arc::new(hook));
        self
    }

    pub(super) fn report(&self, error: &ServerError) {
        #[cfg(feature = "tracing")]
        tracing::warn!(%error, "a connection failed");
        if let Some(hook) = &self.on_error {
            // What reports a fault is not to become one: a panic here has been reported, too.
            let _ = catch_unwind(AssertUnwindSafe(|| hook(error)));
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ServerConfig");
        #[cfg(feature = "deflate")]
        debug.field("compression", &self.compression);
        debug
            .field("connection", &self.connection)
            .field("handshake", &self.handshake)
            .field("handshake_timeout", &self.handshake_timeout)
            .field("decision_timeout", &self.decision_timeout)
            .field("max_handshakes", &self.max_handshakes)
            .field("max_connections", &self.max_connections)
            .field("origin", &self.origin)
            .field("stop_timeout", &self.stop_timeout)
            .field("on_error", &self.on_error.is_some())
            .finish()
    }
}
