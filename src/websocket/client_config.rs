//! Where a client connects to, and how.

use std::{path::PathBuf, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};

use super::{ConnectionConfig, HandshakeError};
use crate::proto::{HandshakeConfig, Request, WebSocketUri};

/// Where to connect to, and how. Made from a URL; a URL alone does where nothing else is to be said.
///
/// ```
/// use wscope::ClientConfig;
///
/// let config = ClientConfig::new("wss://user:password@example.com/chat")?
///     .header("X-Trace", "7")?
///     .subprotocols(["chat.v2", "chat.v1"])?;
/// assert_eq!(config.uri().host(), "example.com");
/// assert!(!format!("{config:?}").contains("password"));
/// # Ok::<(), wscope::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub(super) uri: WebSocketUri,
    pub(super) request: Request,
    pub(super) connection: Arc<ConnectionConfig>,
    pub(super) handshake: HandshakeConfig,
    pub(super) connect_timeout: Option<Duration>,
    #[cfg(feature = "tls")]
    pub(super) tls: super::TlsConfig,
    pub(super) unix: Option<PathBuf>,
}

impl ClientConfig {
    /// 10 s, all in all: a host that has not answered by then is seldom worth the wait.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// A configuration with all defaults. Userinfo in the URL becomes basic authentication.
    ///
    /// # Errors
    /// [`HandshakeError::Uri`] when `url` is no `ws` or `wss` URL.
    pub fn new(url: &str) -> Result<Self, HandshakeError> {
        Ok(url.parse::<WebSocketUri>().map(Self::from)?)
    }

    /// Adds a header to the request. An `Authorization` takes the place of that of the URL.
    ///
    /// # Errors
    /// [`HandshakeError::Header`] when name or value are none, or when the handshake writes this header itself.
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, HandshakeError>
    where
        HeaderName: TryFrom<N>,
        HeaderValue: TryFrom<V>,
    {
        self.request = self.request.with_header(name, value)?;
        Ok(self)
    }

    /// Offers subprotocols, the most wanted first.
    ///
    /// # Errors
    /// [`HandshakeError::Subprotocols`] when one is not a token or stands there twice.
    pub fn subprotocols<S: Into<String>>(
        mut self,
        subprotocols: impl IntoIterator<Item = S>,
    ) -> Result<Self, HandshakeError> {
        self.request = self.request.with_subprotocols(subprotocols)?;
        Ok(self)
    }

    /// Limits and habits of the connection.
    #[must_use]
    pub fn connection(mut self, config: ConnectionConfig) -> Self {
        self.connection = Arc::new(config);
        self
    }

    /// Limits of the opening handshake.
    #[must_use]
    pub fn handshake(mut self, config: HandshakeConfig) -> Self {
        self.handshake = config;
        self
    }

    /// Offers compression, in place of what was offered before. Default: off.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compression(mut self, compression: impl Into<super::Compression>) -> Self {
        self.request = compression.into().offer(self.request);
        self
    }

    /// Time for all of opening: finding addresses, connecting, TLS, handshake. Default
    /// [`CONNECT_TIMEOUT`](Self::CONNECT_TIMEOUT); `None` is off.
    #[must_use]
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = limit.into();
        self
    }

    /// Whom to trust, and who we are. Default: the system's roots, and nobody.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, config: super::TlsConfig) -> Self {
        self.tls = config;
        self
    }

    /// Connects to the Unix socket at `path`, whatever the URL's host; the `Host` header is still the URL's.
    #[cfg(unix)]
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix = Some(path.into());
        self
    }

    /// Where to.
    #[must_use]
    pub fn uri(&self) -> &WebSocketUri {
        &self.uri
    }

    /// What will be sent.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }
}

impl From<WebSocketUri> for ClientConfig {
    fn from(uri: WebSocketUri) -> Self {
        Self {
            request: Request::to(&uri),
            uri,
            connection: Arc::default(),
            handshake: HandshakeConfig::new(),
            connect_timeout: Some(Self::CONNECT_TIMEOUT),
            #[cfg(feature = "tls")]
            tls: super::TlsConfig::default(),
            unix: None,
        }
    }
}

/// A [`ClientConfig`], or a URL that becomes one. A type of yours that knows where to connect can be one, too:
///
/// ```
/// use wscope::websocket::{ClientConfig, HandshakeError, IntoClientConfig};
///
/// struct Exchange {
///     market: &'static str,
/// }
///
/// impl IntoClientConfig for Exchange {
///     fn into_client_config(self) -> Result<ClientConfig, HandshakeError> {
///         Ok(ClientConfig::new(&format!("wss://{}.example.com/prices", self.market))?.subprotocols(["prices.v2"])?)
///     }
/// }
///
/// assert_eq!(Exchange { market: "oslo" }.into_client_config()?.uri().host(), "oslo.example.com");
/// # Ok::<(), wscope::websocket::HandshakeError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` leads to no server",
    note = "take a URL such as \"ws://127.0.0.1:8765/\", or a `ClientConfig`"
)]
pub trait IntoClientConfig {
    /// Makes it.
    ///
    /// # Errors
    /// [`HandshakeError::Uri`] when it is no `ws` or `wss` URL.
    fn into_client_config(self) -> Result<ClientConfig, HandshakeError>;
}

impl IntoClientConfig for ClientConfig {
    fn into_client_config(self) -> Result<ClientConfig, HandshakeError> {
        Ok(self)
    }
}

impl IntoClientConfig for &ClientConfig {
    fn into_client_config(self) -> Result<ClientConfig, HandshakeError> {
        Ok(self.clone())
    }
}

impl IntoClientConfig for WebSocketUri {
    fn into_client_config(self) -> Result<ClientConfig, HandshakeError> {
        Ok(self.into())
    }
}

impl IntoClientConfig for &str {
    fn into_client_config(self) -> Result<ClientConfig, HandshakeError> {
        ClientConfig::new(self)
    }
}

impl IntoClientConfig for String {
    fn into_client_config(self) -> Result<ClientConfig, HandshakeError> {
        ClientConfig::new(&self)
    }
}

impl IntoClientConfig for &String {
    fn into_client_config(self) -> Result<ClientConfig, HandshakeError> {
        ClientConfig::new(self)
    }
}
