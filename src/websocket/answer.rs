//! What a request is answered with.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::{ConnectionConfig, HandshakeError};
use crate::proto::{AcceptConnection, RejectConnection};

/// How a client is let in. What cannot be sent is an error of [`WebSocketRequest::accept`](super::WebSocketRequest::accept).
///
/// ```
/// use wscope::websocket::{Accept, ConnectionConfig};
///
/// let accept = Accept::new()
///     .subprotocol("chat.v2")
///     .header("X-Served-By", "7")
///     .connection(ConnectionConfig::new().max_message_size(4096));
/// # let _ = accept;
/// ```
#[derive(Debug)]
#[must_use = "to be given to `accept`"]
pub struct Accept(pub(super) Box<Answer>);

/// Apart, because what a future is given stays in it as long as it lives, which for a handler is as long as its connection.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) accept: Result<AcceptConnection, HandshakeError>,
    pub(super) config: Option<ConnectionConfig>,
    #[cfg(feature = "deflate")]
    pub(super) compression: Option<super::Compression>,
}

impl Accept {
    /// Without a subprotocol, with the limits of the server.
    pub fn new() -> Self {
        Self(Box::new(Answer {
            accept: Ok(AcceptConnection::new()),
            config: None,
            #[cfg(feature = "deflate")]
            compression: None,
        }))
    }

    /// Chooses a subprotocol, which must be one of [those proposed](super::WebSocketRequest::proposed_subprotocols).
    pub fn subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.0.accept = self.0.accept.map(|accept| accept.with_subprotocol(subprotocol));
        self
    }

    /// Adds a header to the answer.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        HeaderName: TryFrom<N>,
        HeaderValue: TryFrom<V>,
    {
        self.0.accept = self.0.accept.and_then(|accept| Ok(accept.with_header(name, value)?));
        self
    }

    /// Limits and habits of this connection, in place of the server's.
    pub fn connection(mut self, config: ConnectionConfig) -> Self {
        self.0.config = Some(config);
        self
    }

    /// Compression of this connection, in place of the server's.
    #[cfg(feature = "deflate")]
    pub fn compression(mut self, compression: impl Into<super::Compression>) -> Self {
        self.0.compression = Some(compression.into());
        self
    }
}

impl From<ConnectionConfig> for Accept {
    fn from(config: ConnectionConfig) -> Self {
        Self::new().connection(config)
    }
}

impl Default for Accept {
    fn default() -> Self {
        Self::new()
    }
}

/// How a client is refused. What cannot be sent is an error of [`WebSocketRequest::reject`](super::WebSocketRequest::reject).
///
/// ```
/// use wscope::websocket::Reject;
///
/// let reject = Reject::status(429).header("Retry-After", "30").body("later, please\n");
/// # let _ = reject;
/// ```
#[derive(Debug)]
#[must_use = "to be given to `reject`"]
pub struct Reject(pub(super) Result<RejectConnection, HandshakeError>);

impl Reject {
    /// With this status, without a body. Any from 200 up, but for those that can have no body: 204, 205 and 304.
    pub fn status(status: u16) -> Self {
        Self(RejectConnection::new(status).map_err(HandshakeError::from))
    }

    /// Adds a header.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        HeaderName: TryFrom<N>,
        HeaderValue: TryFrom<V>,
    {
        self.0 = self.0.and_then(|reject| Ok(reject.with_header(name, value)?));
        self
    }

    /// Adds a body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.0 = self.0.map(|reject| reject.with_body(body));
        self
    }
}

impl From<u16> for Reject {
    fn from(status: u16) -> Self {
        Self::status(status)
    }
}
