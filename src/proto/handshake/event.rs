//! The server's answer: built on one side, seen on the other (RFC 6455 §4.2.2).

use super::{
    error::{HeaderError, InvalidStatus},
    request::{append_header, check_header},
};
use crate::proto::{Payload, extension::Extension};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
    },
};
use std::{fmt, sync::Arc};

/// The handshake is accepted: a server says so, a client is told.
///
/// ```
/// use wscope::proto::AcceptConnection;
///
/// let accept = AcceptConnection::new().with_subprotocol("chat").with_header("Set-Cookie", "id=1")?;
/// assert_eq!(accept.subprotocol(), Some("chat"));
/// # Ok::<(), wscope::proto::HeaderError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AcceptConnection {
    subprotocol: Option<String>,
    extension: Option<Arc<dyn Extension>>,
    headers: HeaderMap,
}

impl AcceptConnection {
    /// Accepts without subprotocol and extension.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An answer as a client read it.
    pub(super) const fn received(
        subprotocol: Option<String>,
        extension: Option<Arc<dyn Extension>>,
        headers: HeaderMap,
    ) -> Self {
        Self { subprotocol, extension, headers }
    }

    /// Picks a subprotocol, which must be one of those on offer.
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.subprotocol = Some(subprotocol.into());
        self
    }

    /// Uses this extension if the client offered it in a way that it accepts; otherwise the connection goes on without.
    #[must_use]
    pub fn with_extension(mut self, extension: Arc<dyn Extension>) -> Self {
        self.extension = Some(extension);
        self
    }

    /// Adds a header.
    ///
    /// # Errors
    /// [`HeaderError`] when name or value are none, or when the handshake writes this header itself.
    pub fn with_header<N, V>(mut self, name: N, value: V) -> Result<Self, HeaderError>
    where
        HeaderName: TryFrom<N>,
        HeaderValue: TryFrom<V>,
    {
        let (name, value) = check_header(name, value, RESERVED_FOR_ACCEPT)?;
        append_header(&mut self.headers, name, value)?;
        Ok(self)
    }

    /// The subprotocol.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Server: the extension to use if it was offered. Client: the extension that is in use.
    #[must_use]
    pub const fn extension(&self) -> Option<&Arc<dyn Extension>> {
        self.extension.as_ref()
    }

    /// Server: the headers added by the caller. Client: all that came.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers alone.
    #[must_use]
    pub fn into_headers(self) -> HeaderMap {
        self.headers
    }
}

/// The handshake is refused: a server says so, a client is told.
///
/// A refusal has no body, a body given at once ([`with_body`](Self::with_body)), or one that follows in pieces
/// ([`with_body_to_follow`](Self::with_body_to_follow)), each a [`RejectData`]. To a client it always comes in pieces.
///
/// ```
/// use wscope::proto::RejectConnection;
///
/// let reject = RejectConnection::new(403)?.with_body("members only");
/// assert_eq!(reject.status(), 403);
/// assert!(RejectConnection::new(101).is_err());
/// # Ok::<(), wscope::proto::InvalidStatus>(())
/// ```
#[derive(Clone, Debug)]
pub struct RejectConnection {
    status: StatusCode,
    headers: HeaderMap,
    body: RejectBody,
}

/// Where the body of a refusal is.
#[derive(Clone)]
pub(super) enum RejectBody {
    /// Here, perhaps empty.
    Whole(Bytes),
    /// In the [`RejectData`] that follow.
    Follows,
}

/// With the beginning of the body alone, as [`Payload`] shows it.
impl fmt::Debug for RejectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(body) => fmt::Debug::fmt(&Payload::Binary(body), f),
            Self::Follows => f.write_str("Follows"),
        }
    }
}

impl RejectConnection {
    /// Refuses with `status`, from 200 up, and without a body.
    ///
    /// # Errors
    /// [`InvalidStatus`] for an interim response (1xx), for those that can have no body (204, 205, 304), and for what
    /// is no status.
    pub fn new(status: u16) -> Result<Self, InvalidStatus> {
        match StatusCode::from_u16(status) {
            Ok(code) if !code.is_informational() && !matches!(status, 204 | 205 | 304) => {
                Ok(Self { status: code, headers: HeaderMap::new(), body: RejectBody::Whole(Bytes::new()) })
            }
            Ok(_) | Err(_) => Err(InvalidStatus::new(status)),
        }
    }

    /// A refusal as a client read it.
    pub(super) const fn received(status: StatusCode, headers: HeaderMap, has_body: bool) -> Self {
        let body = if has_body { RejectBody::Follows } else { RejectBody::Whole(Bytes::new()) };
        Self { status, headers, body }
    }

    /// Adds a header. `Content-Length` and `Connection: close` are written by themselves.
    ///
    /// # Errors
    /// [`HeaderError`] when name or value are none, or when the handshake writes this header itself.
    pub fn with_header<N, V>(mut self, name: N, value: V) -> Result<Self, HeaderError>
    where
        HeaderName: TryFrom<N>,
        HeaderValue: TryFrom<V>,
    {
        let (name, value) = check_header(name, value, RESERVED_FOR_REJECT)?;
        append_header(&mut self.headers, name, value)?;
        Ok(self)
    }

    /// Gives the whole body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = RejectBody::Whole(body.into());
        self
    }

    /// Announces a body that follows in pieces; it ends with the connection.
    #[must_use]
    pub fn with_body_to_follow(mut self) -> Self {
        self.body = RejectBody::Follows;
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Server: the headers added by the caller. Client: all that came.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether [`RejectData`] follow.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        matches!(self.body, RejectBody::Follows)
    }

    pub(super) fn into_parts(self) -> (StatusCode, HeaderMap, RejectBody) {
        (self.status, self.headers, self.body)
    }
}

/// A piece of the body of a refusal.
///
/// ```
/// use wscope::proto::RejectData;
/// assert!(!RejectData::more("members ").is_finished());
/// assert!(RejectData::last("only").is_finished());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RejectData {
    data: Bytes,
    finished: bool,
    truncated: bool,
}

/// With the beginning of the data alone, as [`Payload`] shows it.
impl fmt::Debug for RejectData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectData")
            .field("data", &Payload::Binary(&self.data))
            .field("finished", &self.finished)
            .field("truncated", &self.truncated)
            .finish()
    }
}

impl RejectData {
    /// A piece after which more come.
    #[must_use]
    pub fn more(data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), finished: false, truncated: false }
    }

    /// The last piece; it may be empty.
    #[must_use]
    pub fn last(data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), finished: true, truncated: false }
    }

    /// A piece as a client read it.
    pub(super) const fn received(data: Bytes, finished: bool, truncated: bool) -> Self {
        Self { data, finished, truncated }
    }

    /// The bytes.
    #[must_use]
    pub const fn data(&self) -> &Bytes {
        &self.data
    }

    /// The bytes alone.
    #[must_use]
    pub fn into_data(self) -> Bytes {
        self.data
    }

    /// Whether this is the last piece.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the body was cut: by [`max_reject_body`](crate::proto::HandshakeConfig::max_reject_body), by the end of
    /// the connection, or because its framing broke. Only the last piece says so.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }
}

/// What the handshake writes into an acceptance, or must not stand in one.
pub(super) const RESERVED_FOR_ACCEPT: &[HeaderName] = &[
    CONNECTION,
    UPGRADE,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
];

/// What the handshake writes into a refusal, or must not stand in one. `Upgrade` and `Sec-WebSocket-Version` may: an
/// answer 426 has them.
pub(super) const RESERVED_FOR_REJECT: &[HeaderName] =
    &[CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY];
